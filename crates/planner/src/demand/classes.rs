//! ABC by value, XYZ by how evenly an item sells, and when each class is counted. Invariant: every item gets a class and a day of counting,
//! or the reason why not; nothing is planned twice.
//!
//! A items make up the first 80 % of value, B the next 15 %, C the rest (Dickie 1951); X, Y, Z by the coefficient of variation of demand,
//! below 0.5, below 1, above. Counting follows APICS practice: A often, C seldom; what is most overdue first. n log n.

use serde::{Deserialize, Serialize};

/// By value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Abc {
    /// Up to 80 % of value.
    A,
    /// Up to 95 %.
    B,
    /// The rest.
    C,
}

/// By evenness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Xyz {
    /// Even: coefficient of variation below 0.5.
    X,
    /// Below 1.
    Y,
    /// Above, or nothing sold.
    Z,
}

/// Classes of items given as (units per period, price of a unit in minor units), in order. Not a number or negative counts as 0.
pub fn classes(items: &[(Vec<f64>, i64)]) -> Vec<(Abc, Xyz)> {
    let clean = |x: &f64| if x.is_finite() { x.max(0.0) } else { 0.0 };
    let value: Vec<f64> = items
        .iter()
        .map(|(units, price)| units.iter().map(clean).sum::<f64>() * (*price).max(0) as f64)
        .collect();
    let total: f64 = value.iter().sum();
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by(|a, b| value[*b].total_cmp(&value[*a]).then(a.cmp(b)));
    let mut abc = vec![Abc::C; items.len()];
    let mut before = 0.0;
    for item in order {
        // The item that crosses a border belongs above it, so that the first is always an A.
        abc[item] = match value[item] {
            v if v <= 0.0 => Abc::C,
            _ if before < 0.8 * total => Abc::A,
            _ if before < 0.95 * total => Abc::B,
            _ => Abc::C,
        };
        before += value[item];
    }
    let xyz = items.iter().map(|(units, _)| {
        let units: Vec<f64> = units.iter().map(clean).collect();
        let mean = units.iter().sum::<f64>() / units.len().max(1) as f64;
        if mean <= 0.0 {
            return Xyz::Z;
        }
        let variance = units.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / units.len() as f64;
        match variance.sqrt() / mean {
            c if c < 0.5 => Xyz::X,
            c if c < 1.0 => Xyz::Y,
            _ => Xyz::Z,
        }
    });
    abc.into_iter().zip(xyz).collect()
}

/// How often classes are counted, and how much can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counting {
    /// Working days between counts of A, B and C items.
    pub every: [u32; 3],
    /// Items that can be counted on a working day.
    pub per_day: u32,
    /// Working days to plan; more than [`MOST_DAYS`] are planned as so many.
    pub days: u32,
}

/// Most working days that counts are planned for.
pub const MOST_DAYS: u32 = 3_660;

impl Default for Counting {
    fn default() -> Self {
        Self { every: [20, 60, 120], per_day: 50, days: 20 }
    }
}

/// A planned count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "count", rename_all = "snake_case")]
pub enum Count {
    /// On this working day, from 0.
    On {
        /// Day.
        day: u32,
        /// Working days after it was due.
        late: u32,
    },
    /// Not due within the plan.
    Later {
        /// Working days until it is due.
        due_in: u32,
    },
    /// Due, but the days are full.
    NoRoom {
        /// Working days overdue at the end of the plan.
        overdue: u32,
    },
}

/// Plans counts of items given as (class, working days since the last count, if ever), in order. What was never counted is due at once;
/// A goes before B before C, the longest overdue (in intervals) first.
pub fn counts(items: &[(Abc, Option<u32>)], counting: Counting) -> Vec<Count> {
    let counting = Counting { days: counting.days.min(MOST_DAYS), ..counting };
    let every = |class: Abc| counting.every[class as usize].max(1);
    // Due day relative to today; negative is overdue.
    let due: Vec<i64> = items
        .iter()
        .map(|(class, last)| last.map_or(0, |last| i64::from(every(*class)) - i64::from(last)))
        .collect();
    let mut open: Vec<usize> = (0..items.len()).filter(|i| due[*i] < i64::from(counting.days)).collect();
    let urgency = |i: usize| -(due[i] as f64) / f64::from(every(items[i].0));
    open.sort_by(|a, b| {
        let overdue = |i: usize| due[i].max(0);
        overdue(*a)
            .cmp(&overdue(*b))
            .then(items[*a].0.cmp(&items[*b].0))
            .then(urgency(*b).total_cmp(&urgency(*a)))
            .then(a.cmp(b))
    });
    let mut plan: Vec<Count> =
        due.iter().map(|due| Count::Later { due_in: u32::try_from(*due).unwrap_or(0) }).collect();
    let mut room = vec![counting.per_day; counting.days as usize];
    let mut free_from = 0usize;
    for item in open {
        let wanted = due[item].max(0) as usize;
        while room.get(free_from) == Some(&0) {
            free_from += 1;
        }
        let day = (wanted.max(free_from)..room.len()).find(|d| room[*d] > 0);
        plan[item] = match day {
            Some(day) => {
                room[day] -= 1;
                let late = (day as i64 - due[item]).max(0);
                Count::On { day: day as u32, late: u32::try_from(late).unwrap_or(u32::MAX) }
            }
            None => Count::NoRoom {
                overdue: u32::try_from(i64::from(counting.days) - due[item]).unwrap_or(u32::MAX),
            },
        };
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn value_and_evenness() {
        let items = vec![
            (vec![10.0; 8], 800),
            (vec![0.0, 8.0, 0.0, 0.0], 1_900),
            (vec![3.0, 1.0, 2.0], 100),
            (vec![], 5),
        ];
        let found = classes(&items);
        assert_eq!(found, vec![(Abc::A, Xyz::X), (Abc::B, Xyz::Z), (Abc::C, Xyz::X), (Abc::C, Xyz::Z)]);
    }

    #[test]
    fn the_most_important_is_counted_first_and_what_finds_no_room_is_told() {
        let items =
            [(Abc::C, None), (Abc::A, Some(25)), (Abc::A, Some(5)), (Abc::B, Some(59)), (Abc::C, Some(1))];
        let plan = counts(&items, Counting { per_day: 1, days: 2, ..Counting::default() });
        assert_eq!(plan[1], Count::On { day: 0, late: 5 });
        assert_eq!(plan[0], Count::On { day: 1, late: 1 });
        assert_eq!(plan[2], Count::Later { due_in: 15 });
        assert_eq!(plan[3], Count::NoRoom { overdue: 1 });
        assert_eq!(plan[4], Count::Later { due_in: 119 });
    }

    #[test]
    fn a_plan_for_ever_is_one_for_ten_years() {
        let for_ever = Counting { days: u32::MAX, per_day: u32::MAX, every: [u32::MAX; 3] };
        let plan = counts(&[(Abc::A, None), (Abc::C, Some(0)), (Abc::B, Some(u32::MAX))], for_ever);
        let now = |late| Count::On { day: 0, late };
        assert_eq!(plan, [now(0), Count::Later { due_in: u32::MAX }, now(0)]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_day_is_overfull_and_room_is_used(
            items in proptest::collection::vec((0usize..3, proptest::option::of(0u32..200)), 0..60),
            per_day in 0u32..4, days in 0u32..15,
        ) {
            let items: Vec<(Abc, Option<u32>)> =
                items.into_iter().map(|(c, last)| ([Abc::A, Abc::B, Abc::C][c], last)).collect();
            let plan = counts(&items, Counting { per_day, days, ..Counting::default() });
            let mut load = vec![0u32; days as usize];
            let mut left_out = false;
            for count in &plan {
                match count {
                    Count::On { day, .. } => load[*day as usize] += 1,
                    Count::NoRoom { .. } => left_out = true,
                    Count::Later { due_in } => prop_assert!(*due_in >= days || days == 0),
                }
            }
            prop_assert!(load.iter().all(|l| *l <= per_day));
            if left_out && days > 0 { prop_assert_eq!(load[days as usize - 1], per_day); }
        }
    }
}
