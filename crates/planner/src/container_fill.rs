//! Container fill: the largest volume of pieces in one container.
//!
//! Problem: single container loading with orientations (Bischoff & Ratcliff 1995). Method, sources and complexity: see [`crate::packing`].
//! Support is a choice: [`Support::None`] (the variant in which pieces may overhang; what the figures state) or
//! [`Support::Full`] (every base wholly carried) or any share between. Limits: no axle loads, no loading in the order of unloading.
//! Invariant: `placed` and `left` together are what was asked for, and every fault the checker finds would be a defect here.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Budget;
use crate::packing::check::{Fault, check};
use crate::packing::{Effort, Kind, LONGEST, MOST_PIECES, Placed, Room, Size, Top, fill, turns, volume};

/// What is to be loaded.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Load {
    /// Inner edges of the container, the third upright.
    pub container: Size,
    /// The most grams it carries.
    #[serde(default)]
    pub max_weight_g: Option<i64>,
    /// Share of a base that must be carried.
    #[serde(default)]
    pub support: Support,
    /// The pieces.
    pub items: Vec<Item>,
}

/// Pieces that are alike.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Item {
    /// Edges.
    pub size: Size,
    /// Which edges may stand upright.
    #[serde(default = "any_side")]
    pub upright: [bool; 3],
    /// How many.
    pub count: u32,
    /// Grams of one.
    #[serde(default)]
    pub weight_g: i64,
}

fn any_side() -> [bool; 3] {
    [true; 3]
}

/// How much of a piece's base must be carried.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Support {
    /// Pieces may overhang.
    #[default]
    None,
    /// This share, above 0 and below 1.
    Share(f64),
    /// All of it.
    Full,
}

impl Support {
    /// As a share from 0 to 1.
    pub fn share(self) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Share(share) if share.is_finite() => share.clamp(0.0, 1.0),
            Self::Share(_) | Self::Full => 1.0,
        }
    }
}

/// Why nothing can be planned at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// An edge is not between 1 and [`LONGEST`].
    #[error("the container's edges must be between 1 and {LONGEST}")]
    Container,
    /// An item's numbers make no sense.
    #[error("item {item}: {problem}")]
    Item {
        /// Its index.
        item: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// More pieces than a call takes.
    #[error("more than {MOST_PIECES} pieces in one call")]
    TooMany,
}

/// Why pieces stay behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the variant says what its fields are")]
pub enum Reason {
    /// It is larger than the container whichever way it may lie.
    TooLarge { item: usize },
    /// One alone is heavier than the container carries.
    TooHeavy { item: usize },
    /// The rest found no room (or no weight) any more.
    NoRoom { item: usize, pieces: u32 },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { item } => {
                write!(f, "item {item} is larger than the container, whichever way it may lie")
            }
            Self::TooHeavy { item } => write!(f, "item {item} is heavier than the container carries"),
            Self::NoRoom { item, pieces } => write!(f, "{pieces} of item {item} found no room"),
        }
    }
}

/// A loaded container.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// Where everything lies; `kind` is the item's index.
    pub placed: Vec<Placed>,
    /// Pieces of each item that stay behind.
    pub left: Vec<u32>,
    /// Share of the container's volume that is filled.
    pub fill: f64,
    /// Why what is left is left.
    pub reasons: Vec<Reason>,
}

/// Beam and blocks for one container; the budget ends the search long before the beam is this wide.
const EFFORT: Effort = Effort { blocks: 10_000, width: 4_096, support: 0.0 };

/// Loads the container until the budget is spent. Error: numbers that make no sense, by item.
pub fn load(load: &Load, budget: &Budget<'_>) -> Result<Plan, Refused> {
    load_with(load, EFFORT, budget)
}

fn load_with(load: &Load, effort: Effort, budget: &Budget<'_>) -> Result<Plan, Refused> {
    let (room, kinds) = read(load)?;
    let fits: Vec<bool> = kinds.iter().map(|k| fits(&room, k)).collect();
    let (known, tried): (Vec<usize>, Vec<Kind>) = kinds
        .iter()
        .enumerate()
        .filter(|(i, k)| fits[*i] && k.weight <= room.weight && k.count > 0)
        .map(|(i, k)| (i, k.clone()))
        .unzip();
    let effort = Effort { support: load.support.share(), ..effort };
    let mut filled = fill(&room, &tried, effort, budget);
    let mut left: Vec<u32> = kinds.iter().map(|k| k.count).collect();
    for placed in &mut filled.placed {
        placed.kind = known[placed.kind];
        left[placed.kind] -= 1;
    }
    let reasons = left
        .iter()
        .enumerate()
        .filter(|(_, left)| **left > 0)
        .map(|(item, pieces)| match (fits[item], kinds[item].weight <= room.weight) {
            (false, _) => Reason::TooLarge { item },
            (true, false) => Reason::TooHeavy { item },
            (true, true) => Reason::NoRoom { item, pieces: *pieces },
        })
        .collect();
    let used: i64 = filled.placed.iter().map(|p| volume(p.size)).sum();
    Ok(Plan { placed: filled.placed, left, fill: used as f64 / volume(room.size) as f64, reasons })
}

/// What the independent checker says of a plan. Error: the load itself makes no sense.
pub fn faults(load: &Load, plan: &Plan) -> Result<Vec<Fault>, Refused> {
    let (room, kinds) = read(load)?;
    Ok(check(&room, &kinds, &plan.placed, load.support.share()))
}

fn fits(room: &Room, kind: &Kind) -> bool {
    turns(kind.size, kind.upright).iter().any(|t| (0..3).all(|a| t[a] <= room.size[a]))
}

fn read(load: &Load) -> Result<(Room, Vec<Kind>), Refused> {
    let sound = |size: Size| size.iter().all(|edge| (1..=LONGEST).contains(edge));
    if !sound(load.container) {
        return Err(Refused::Container);
    }
    let mut pieces = 0u32;
    let mut kinds = Vec::with_capacity(load.items.len());
    for (item, i) in load.items.iter().enumerate() {
        let problem = |problem| Err(Refused::Item { item, problem });
        if !sound(i.size) {
            return problem("edges must be between 1 and 50,000");
        }
        if !(0..=1_000_000_000).contains(&i.weight_g) {
            return problem("its weight must be between 0 and 1,000,000,000 g");
        }
        if i.upright == [false; 3] {
            return problem("at least one edge must be allowed to stand upright");
        }
        pieces = pieces.saturating_add(i.count);
        kinds.push(Kind {
            size: i.size,
            upright: i.upright,
            count: i.count,
            weight: i.weight_g,
            worth: volume(i.size),
            fragile: false,
            top: Top::Anything,
            bears: None,
        });
    }
    if pieces > MOST_PIECES {
        return Err(Refused::TooMany);
    }
    Ok((Room { size: load.container, weight: load.max_weight_g.unwrap_or(i64::MAX) }, kinds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn item(size: Size, count: u32) -> Item {
        Item { size, upright: [true; 3], count, weight_g: 1 }
    }

    fn of(container: Size, items: Vec<Item>) -> Load {
        Load { container, max_weight_g: None, support: Support::None, items }
    }

    #[test]
    fn a_container_that_can_be_filled_wholly_is() {
        let plan =
            load(&of([30, 20, 10], vec![item([10, 10, 5], 12), item([5, 5, 5], 0)]), &Budget::steps(500))
                .unwrap();
        assert!((plan.fill - 1.0).abs() < 1e-12, "{}", plan.fill);
        assert!(plan.reasons.is_empty());
    }

    #[test]
    fn what_stays_behind_has_its_reason() {
        let mut asked = of([10, 10, 10], vec![item([11, 1, 1], 2), item([10, 10, 6], 2), item([1, 1, 1], 1)]);
        asked.items[2].weight_g = 50;
        asked.max_weight_g = Some(40);
        let plan = load(&asked, &Budget::steps(100)).unwrap();
        assert_eq!(
            plan.reasons,
            [
                Reason::TooLarge { item: 0 },
                Reason::NoRoom { item: 1, pieces: 1 },
                Reason::TooHeavy { item: 2 }
            ]
        );
        assert_eq!(faults(&asked, &plan), Ok(vec![]));
    }

    #[test]
    fn numbers_without_sense_are_refused_by_item() {
        assert_eq!(load(&of([0, 1, 1], vec![]), &Budget::steps(1)).unwrap_err(), Refused::Container);
        let bad = load(&of([9, 9, 9], vec![item([1, -1, 1], 1)]), &Budget::steps(1)).unwrap_err();
        assert!(matches!(bad, Refused::Item { item: 0, .. }));
        let many =
            load(&of([9, 9, 9], vec![item([1, 1, 1], u32::MAX), item([1, 1, 1], 7)]), &Budget::steps(1));
        assert_eq!(many.unwrap_err(), Refused::TooMany);
        let flat = Item { upright: [false; 3], ..item([1, 1, 1], 1) };
        assert!(load(&of([9, 9, 9], vec![flat]), &Budget::steps(1)).is_err());
        assert_eq!(load(&of([9, 9, 9], vec![]), &Budget::steps(1)).unwrap().fill, 0.0);
    }

    /// A load as Bischoff and Ratcliff (1995) draw theirs: so many kinds, enough of them for the container, edges that may stand upright
    /// where the piece is not more than twice as high as its base is narrow.
    fn drawn(kinds: usize, seed: u64) -> Load {
        let mut draw = crate::demand::trees::Draw::new(seed);
        let mut below = |end: f64| (draw.unit() * end) as i32;
        let mut items: Vec<Item> = (0..kinds)
            .map(|_| {
                let size = [30 + below(91.0), 25 + below(76.0), 20 + below(61.0)];
                let upright = std::array::from_fn(|d| {
                    let base = (0..3).filter(|e| *e != d).map(|e| size[e]).min().unwrap_or(1);
                    size[d] < 2 * base
                });
                Item { upright, ..item(size, 1) }
            })
            .collect();
        let whole = volume([587, 233, 220]);
        loop {
            let kind = below(kinds as f64) as usize;
            let all: i64 = items.iter().map(|i| volume(i.size) * i64::from(i.count)).sum();
            if all + volume(items[kind].size) > whole {
                return of([587, 233, 220], items);
            }
            items[kind].count += 1;
        }
    }

    #[test]
    fn drawn_containers_are_filled_above_the_target() {
        let fills: Vec<f64> = [(3, 1), (5, 2), (8, 3), (12, 4), (20, 5)]
            .into_iter()
            .map(|(kinds, seed)| {
                let asked = drawn(kinds, seed);
                let plan = load(&asked, &Budget::steps(20_000)).unwrap();
                assert_eq!(faults(&asked, &plan), Ok(vec![]));
                plan.fill
            })
            .collect();
        assert!(fills.iter().sum::<f64>() / 5.0 >= 0.88, "{fills:?}");
    }

    /// Enough for a handful of pieces, and quick without optimisation.
    const FEW: Effort = Effort { blocks: 300, width: 4, support: 0.0 };

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn every_plan_stands_before_the_checker_and_is_the_same_again(
            container in [20i32..60, 20i32..60, 20i32..60],
            items in proptest::collection::vec(([5i32..30, 5i32..30, 5i32..30], 1u8..8, 1u32..12), 1..5),
            support in prop_oneof![Just(Support::None), Just(Support::Share(0.7)), Just(Support::Full)],
            max in proptest::option::of(1i64..40),
        ) {
            let items = items.into_iter().map(|(size, sides, count)| Item {
                size, upright: [sides & 1 > 0, sides & 2 > 0, sides & 4 > 0], count, weight_g: 1,
            }).collect();
            let asked = Load { container, max_weight_g: max, support, items };
            let plan = load_with(&asked, FEW, &Budget::steps(60)).unwrap();
            prop_assert_eq!(faults(&asked, &plan), Ok(vec![]));
            prop_assert_eq!(plan.placed.len() as u32 + plan.left.iter().sum::<u32>(), asked.items.iter().map(|i| i.count).sum::<u32>());
            prop_assert_eq!(&load_with(&asked, FEW, &Budget::steps(60)).unwrap().placed, &plan.placed);
        }

        #[test]
        fn any_numbers_give_a_plan_or_a_reason(
            container in (any::<i32>(), any::<i32>(), 1i32..90_000).prop_map(|(a, b, c)| [a, b, c]),
            size in (any::<i32>(), 1i32..90_000, 1i32..90_000).prop_map(|(a, b, c)| [a, b, c]),
            count in any::<u32>(), weight_g in any::<i64>(), max in any::<i64>(),
        ) {
            let small = Item { size: [1 + (size[1] % 50), 40, 40], upright: [true; 3], count: count % 50, weight_g };
            let odd = Item { size, upright: [true, false, false], count, weight_g };
            for items in [vec![odd], vec![small]] {
                for container in [container, [100, 100, 100]] {
                    let asked = Load { container, max_weight_g: Some(max), support: Support::Share(f64::NAN), items: items.clone() };
                    if let Ok(plan) = load_with(&asked, FEW, &Budget::steps(3)) {
                        prop_assert_eq!(faults(&asked, &plan), Ok(vec![]));
                    }
                }
            }
        }
    }
}
