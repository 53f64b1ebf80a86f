//! One order from what is free: one location that can ship everything, by priority and then distance; otherwise a split that takes the
//! location with the most units each time (fewest parcels by the greedy rule for set cover: Chvátal 1979, within ln n of the fewest);
//! what no location has is short. Linear in needs × sites × items for each parcel. Invariant: never plans more than `free`, and takes
//! what it plans from `free`.

/// Units wanted of one order line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Whole units wanted (of the bundle, where it is one).
    pub quantity: i64,
    /// What one unit takes: `(item, pieces)`, items being columns of `free`. A bundle takes several, and always from one location.
    pub takes: Vec<(usize, i64)>,
    /// The only site allowed (a drop-ship seller), if there is one.
    pub only: Option<usize>,
    /// Sites that must not be used (one was short, one refused, a rule does not allow it).
    pub except: Vec<usize>,
}

/// A location.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// Lower ships first.
    pub priority: i64,
    /// To the customer, where both ends are known.
    pub distance_km: Option<f64>,
}

/// Units of one need from one site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Index of the need.
    pub need: usize,
    /// Index of the site.
    pub site: usize,
    /// Whole units.
    pub quantity: i64,
}

/// What was decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Who ships what.
    pub parts: Vec<Part>,
    /// Units of each need that nobody has.
    pub short: Vec<i64>,
}

impl Plan {
    /// Whether every unit was found.
    pub fn complete(&self) -> bool {
        self.short.iter().all(|s| *s == 0)
    }
}

/// Decides, and takes what it decided from `free[site][item]`.
pub fn source(needs: &[Need], sites: &[Site], free: &mut [Vec<i64>]) -> Plan {
    let mut order: Vec<usize> = (0..sites.len()).collect();
    order.sort_by(|a, b| {
        let (a, b) = (&sites[*a], &sites[*b]);
        let far = |s: &Site| s.distance_km.unwrap_or(f64::MAX);
        a.priority.cmp(&b.priority).then(far(a).total_cmp(&far(b)))
    });
    let mut left: Vec<i64> = needs.iter().map(|n| n.quantity).collect();
    let mut plan = Plan::default();
    while left.iter().any(|l| *l > 0) {
        // The first site in order with the most units: one that has all of them wins at once.
        let mut best: Option<(i64, usize, Vec<i64>)> = None;
        for site in &order {
            let can = fits(needs, &left, *site, &free[*site]);
            let units: i64 = can.iter().sum();
            if units > best.as_ref().map_or(0, |b| b.0) {
                best = Some((units, *site, can));
            }
        }
        let Some((_, site, can)) = best else { break };
        for (need, quantity) in can.into_iter().enumerate().filter(|(_, q)| *q > 0) {
            for (item, pieces) in &needs[need].takes {
                free[site][*item] -= pieces * quantity;
            }
            left[need] -= quantity;
            plan.parts.push(Part { need, site, quantity });
        }
    }
    plan.short = left;
    plan
}

/// How many units of each need the site can ship together, earlier needs first.
fn fits(needs: &[Need], left: &[i64], site: usize, free: &[i64]) -> Vec<i64> {
    let mut free = free.to_vec();
    needs
        .iter()
        .zip(left)
        .map(|(need, left)| {
            if need.only.is_some_and(|only| only != site) || need.except.contains(&site) {
                return 0;
            }
            let units = need
                .takes
                .iter()
                .map(|(item, pieces)| free[*item].max(0) / pieces.max(&1))
                .min()
                .unwrap_or(*left)
                .min(*left);
            for (item, pieces) in &need.takes {
                free[*item] -= pieces * units;
            }
            units
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn need(quantity: i64, takes: &[(usize, i64)]) -> Need {
        Need { quantity, takes: takes.to_vec(), only: None, except: Vec::new() }
    }
    fn site(priority: i64, distance_km: f64) -> Site {
        Site { priority, distance_km: Some(distance_km) }
    }

    #[test]
    fn one_location_that_has_all_beats_a_nearer_one_that_has_some() {
        let mut free = vec![vec![1, 5], vec![5, 5], vec![5, 5]];
        let plan = source(
            &[need(2, &[(0, 1)]), need(1, &[(1, 1)])],
            &[site(1, 1.0), site(2, 900.0), site(2, 90.0)],
            &mut free,
        );
        assert_eq!(
            plan.parts,
            vec![Part { need: 0, site: 2, quantity: 2 }, Part { need: 1, site: 2, quantity: 1 }]
        );
        assert_eq!(free[2], vec![3, 4]);
    }

    #[test]
    fn priority_decides_before_distance_and_a_split_says_what_is_short() {
        let mut free = vec![vec![2], vec![3]];
        let plan = source(&[need(9, &[(0, 1)])], &[site(5, 1.0), site(1, 500.0)], &mut free);
        assert_eq!(
            plan.parts,
            vec![Part { need: 0, site: 1, quantity: 3 }, Part { need: 0, site: 0, quantity: 2 }]
        );
        assert_eq!(plan.short, vec![4]);
        let mut free = vec![vec![9], vec![9]];
        assert_eq!(
            source(&[need(1, &[(0, 1)])], &[site(5, 1.0), site(1, 500.0)], &mut free).parts[0].site,
            1
        );
    }

    #[test]
    fn a_bundle_comes_whole_from_one_location_and_shares_its_component() {
        // Bundle of 2×item0 + 1×item1; another line wants item0 itself.
        let mut free = vec![vec![5, 2], vec![1, 9]];
        let plan = source(
            &[need(2, &[(0, 2), (1, 1)]), need(2, &[(0, 1)])],
            &[site(1, 1.0), site(1, 2.0)],
            &mut free,
        );
        assert!(plan.complete());
        assert_eq!(free, vec![vec![0, 0], vec![0, 9]]);
        let mut free = vec![vec![1, 1], vec![1, 1]];
        assert_eq!(source(&[need(1, &[(0, 2)])], &[site(1, 1.0), site(1, 2.0)], &mut free).short, vec![1]);
    }

    #[test]
    fn a_site_may_be_the_only_one_or_be_excluded() {
        let only = Need { only: Some(1), ..need(1, &[(0, 1)]) };
        let except = Need { except: vec![0], ..need(1, &[(0, 1)]) };
        let sites = [site(1, 1.0), site(2, 2.0)];
        assert_eq!(source(&[only], &sites, &mut [vec![9], vec![9]]).parts[0].site, 1);
        assert_eq!(source(&[except], &sites, &mut [vec![9], vec![0]]).short, vec![1]);
    }

    proptest! {
        #[test]
        fn never_more_than_there_is_and_nothing_lost(
            quantities in proptest::collection::vec((1i64..20, 0usize..3, 1i64..4), 1..6),
            stock in proptest::collection::vec(proptest::collection::vec(0i64..30, 3), 1..5),
        ) {
            let needs: Vec<Need> = quantities.iter().map(|(q, item, pieces)| need(*q, &[(*item, *pieces), ((*item + 1) % 3, 1)])).collect();
            let sites: Vec<Site> = (0..stock.len()).map(|i| site(i as i64 % 2, i as f64)).collect();
            let mut free = stock.clone();
            let plan = source(&needs, &sites, &mut free);
            for (i, n) in needs.iter().enumerate() {
                let planned: i64 = plan.parts.iter().filter(|p| p.need == i).map(|p| p.quantity).sum();
                prop_assert_eq!(planned + plan.short[i], n.quantity);
            }
            let mut again = stock;
            for part in &plan.parts {
                for (item, pieces) in &needs[part.need].takes { again[part.site][*item] -= pieces * part.quantity; }
            }
            prop_assert_eq!(&again, &free);
            prop_assert!(free.iter().flatten().all(|f| *f >= 0));
            // What is short could not have been shipped by anyone.
            for (i, n) in needs.iter().enumerate().filter(|(i, _)| plan.short[*i] > 0) {
                for site in &free {
                    prop_assert!(n.takes.iter().any(|(item, pieces)| site[*item] < *pieces), "need {} could still be served", i);
                }
            }
        }
    }
}
