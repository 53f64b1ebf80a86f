//! Cartons: the fewest boxes for an order, then the cheapest, with the position of every piece.
//!
//! Problem: three-dimensional bin packing with several box sizes (Martello, Pisinger & Vigo 2000) and what practice adds: sides that
//! must be up, pieces that bear nothing or little, fragile ones on top, weight limits, wrapping by fragility, filler, and postage by
//! dimensional weight. Method: a single box by the search of [`crate::packing`], cartons in the order of what the parcel would cost;
//! several boxes one after the other, each filled with as much as it takes (worths drawn anew each round: a randomised sequential
//! knapsack, as in set-covering heuristics for bin packing, Monaci & Toth 2006), until the lower bound by volume and weight is
//! reached or the budget is spent; then cheaper cartons for one parcel or a pair. Complexity: a typical order is one greedy run.
//! Limits: the number of boxes is proven only where it meets the bound (`Plan::bound`); filler carries what overhangs, unless
//! `support` asks for more. Invariant: each parcel passes `packing::check::check`, and every piece is in one parcel or has its reason.

mod bound;
pub(crate) mod prepare;
pub(crate) mod search;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Budget;
use crate::packing::check::{Fault, check};
use crate::packing::{LONGEST, MOST_PIECES, Placed, Size};

pub use prepare::Prepared;

/// An order to be boxed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Order {
    /// What goes in.
    pub items: Vec<Item>,
    /// What there is to put it in.
    pub cartons: Vec<Carton>,
    /// Wrapping by fragility.
    #[serde(default)]
    pub protection: Vec<Protection>,
    /// What fills the rest of a box.
    #[serde(default)]
    pub filler: Option<Filler>,
    /// What a parcel costs to send; without it cartons and material decide.
    #[serde(default)]
    pub postage: Option<Postage>,
    /// Share of a piece's base that floor or pieces must carry, from 0 (filler carries) to 1. Boxes are packed as steadily as a quick
    /// run finds anyway; this is what is insisted on, even if it takes more boxes.
    #[serde(default)]
    pub support: f64,
}

/// Units of one SKU.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Item {
    /// Edges in millimetres.
    pub size_mm: Size,
    /// Which edges may stand upright: `[false, false, true]` is "this side up".
    #[serde(default = "any_side")]
    pub upright: [bool; 3],
    /// Units.
    pub quantity: u32,
    /// Grams of one.
    pub weight_g: i64,
    /// 0 is sturdy; from 1 it is fragile: wrapped by [`Order::protection`], and only fragile pieces may lie on it.
    #[serde(default)]
    pub fragility: u8,
    /// Whether anything may lie on it.
    #[serde(default = "yes")]
    pub stackable: bool,
    /// The most grams that may rest on it.
    #[serde(default)]
    pub bears_g: Option<i64>,
}

fn any_side() -> [bool; 3] {
    [true; 3]
}
fn yes() -> bool {
    true
}

/// A kind of box.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Carton {
    /// As people call it.
    pub name: String,
    /// Outer edges in millimetres: postage goes by them.
    pub outer_mm: Size,
    /// Inner edges in millimetres, the third upright.
    pub inner_mm: Size,
    /// Grams of the empty box.
    pub empty_g: i64,
    /// The most grams it may weigh with everything in it, itself included.
    pub max_g: i64,
    /// What one costs, in minor units.
    #[serde(default)]
    pub cost: i64,
    /// How many there are, if that is a limit.
    #[serde(default)]
    pub available: Option<u32>,
}

/// A wrapping for pieces from some fragility on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Protection {
    /// As people call it.
    pub name: String,
    /// For pieces of this fragility and above; the highest level that applies is used.
    pub fragility: u8,
    /// On every side, in millimetres.
    pub thickness_mm: i32,
    /// Minor units for a square metre.
    pub cost_per_m2: i64,
    /// Grams of a square metre.
    pub grams_per_m2: i64,
}

/// What fills voids.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Filler {
    /// Minor units for 100 litres.
    pub cost_per_100l: i64,
    /// Grams of 100 litres.
    pub grams_per_100l: i64,
}

/// Prices by billable weight: the larger of gross weight and outer volume / divisor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Postage {
    /// Cubic centimetres that count as a kilogram (5000, 6000, …); without it volume does not count.
    #[serde(default)]
    pub divisor: Option<i64>,
    /// `(up to and with so many grams, minor units)`, in any order.
    pub steps: Vec<(i64, i64)>,
    /// Minor units for every further kilogram begun beyond the last step; without it nothing heavier is taken.
    #[serde(default)]
    pub beyond_per_kg: Option<i64>,
}

impl Postage {
    /// Billable grams of a parcel.
    pub fn billable(&self, gross_g: i64, outer_mm: Size) -> i64 {
        let cubic_mm = outer_mm.iter().fold(1i128, |v, edge| v * i128::from(*edge));
        let by_volume = self.divisor.filter(|d| *d > 0).map_or(0, |d| {
            // 1 cm³ = 1,000 mm³ and 1 kg = 1,000 g cancel; a gram begun counts.
            let d = i128::from(d);
            i64::try_from((cubic_mm + d - 1) / d).unwrap_or(i64::MAX)
        });
        gross_g.max(by_volume)
    }

    /// The most billable grams that have a price.
    pub fn heaviest(&self) -> i64 {
        match self.beyond_per_kg {
            Some(_) => i64::MAX,
            None => self.steps.iter().map(|s| s.0).max().unwrap_or(0),
        }
    }

    /// What so many billable grams cost; `None` when they are too many.
    pub fn price(&self, billable_g: i64) -> Option<i64> {
        let step = self.steps.iter().filter(|s| s.0 >= billable_g).min();
        if let Some((_, price)) = step {
            return Some(*price);
        }
        let (last, price) = self.steps.iter().max()?;
        let kilograms = (billable_g - last + 999) / 1_000;
        price.checked_add(kilograms.checked_mul(self.beyond_per_kg?)?)
    }
}

/// Why nothing can be planned at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// An item's numbers make no sense.
    #[error("item {item}: {problem}")]
    Item {
        /// Its index.
        item: usize,
        /// What is wrong and what would be right.
        problem: &'static str,
    },
    /// A carton's numbers make no sense.
    #[error("carton {carton}: {problem}")]
    Carton {
        /// Its index.
        carton: usize,
        /// What is wrong and what would be right.
        problem: &'static str,
    },
    /// Material, postage or support make no sense.
    #[error("{field}: {problem}")]
    Field {
        /// Which.
        field: &'static str,
        /// What is wrong and what would be right.
        problem: &'static str,
    },
    /// More pieces than a call takes.
    #[error("more than {MOST_PIECES} pieces in one order")]
    TooMany,
}

/// Why a piece is in no parcel, or a parcel as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the variant says what its fields are")]
pub enum Reason {
    /// No carton is large enough, whichever way it may lie.
    TooLarge { item: usize },
    /// It fits, but no carton that holds it may be so heavy.
    TooHeavy { item: usize },
    /// No carton may be sent at any price of the table.
    NoPostage { item: usize },
    /// The cartons there were have run out.
    CartonsRanOut { item: usize, pieces: u32 },
    /// Volume or weight alone need so many boxes: there cannot be fewer.
    FewestProven { boxes: usize },
    /// The bound says so many; fewer than planned were not found.
    FewestNotProven { boxes: usize, bound: usize },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { item } => {
                write!(f, "no carton is large enough for item {item}, whichever way it may lie")
            }
            Self::TooHeavy { item } => {
                write!(f, "item {item} is heavier than any carton that holds it may be")
            }
            Self::NoPostage { item } => write!(f, "no parcel with item {item} has a price in the table"),
            Self::CartonsRanOut { item, pieces } => {
                write!(f, "no cartons left for {pieces} of item {item}")
            }
            Self::FewestProven { boxes: 1 } => f.write_str("one box is enough"),
            Self::FewestProven { boxes } => write!(f, "fewer than {boxes} boxes cannot hold it"),
            Self::FewestNotProven { boxes, bound } => {
                write!(
                    f,
                    "{boxes} boxes; volume and weight would allow {bound}, but no such packing was found"
                )
            }
        }
    }
}

/// Wrapping used in a parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wrapped {
    /// Index in [`Order::protection`].
    pub protection: usize,
    /// Pieces wrapped.
    pub pieces: u32,
    /// Square centimetres used.
    pub area_cm2: i64,
}

/// A packed box.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Parcel {
    /// Index of its carton.
    pub carton: usize,
    /// Where everything lies inside; `kind` is the item's index, edges are with wrapping.
    pub placed: Vec<Placed>,
    /// Grams with box, wrapping and filler.
    pub gross_g: i64,
    /// Grams that postage goes by (gross where there is no table).
    pub billable_g: i64,
    /// Share of the inner volume that pieces and their wrapping take.
    pub fill: f64,
    /// Wrapping used.
    pub wrapped: Vec<Wrapped>,
    /// Cubic centimetres of filler.
    pub filler_cm3: i64,
    /// Minor units for box, wrapping and filler.
    pub material_cost: i64,
    /// Minor units for sending it.
    pub postage: i64,
    /// Index of the service that takes it, where there is a choice of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<usize>,
}

impl Parcel {
    /// Minor units in all.
    pub fn cost(&self) -> i64 {
        self.material_cost.saturating_add(self.postage)
    }
}

/// What was decided.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// The boxes.
    pub parcels: Vec<Parcel>,
    /// Pieces of each item in no parcel.
    pub left: Vec<u32>,
    /// Minor units in all.
    pub cost: i64,
    /// No packing of what is in has fewer boxes than this.
    pub bound: usize,
    /// Why it is so.
    pub reasons: Vec<Reason>,
}

/// Boxes an order. The budget counts pieces put down during search; a quick first plan is made whatever it is.
/// Error: numbers that make no sense, by item, carton or field.
pub fn pack(order: &Order, budget: &Budget<'_>) -> Result<Plan, Refused> {
    let prepared = Prepared::new(order)?;
    Ok(search::pack(&prepared, budget))
}

/// What the independent checker finds wrong, with the parcel's index. Error: the order itself makes no sense.
pub fn faults(order: &Order, plan: &Plan) -> Result<Vec<(usize, Fault)>, Refused> {
    let prepared = Prepared::new(order)?;
    let kinds = prepared.wrapped_items();
    let mut faults = Vec::new();
    for (i, parcel) in plan.parcels.iter().enumerate() {
        let room = prepared.room_of(parcel.carton, &parcel.placed);
        faults.extend(check(&room, &kinds, &parcel.placed, order.support).into_iter().map(|f| (i, f)));
    }
    // Over all parcels, nothing twice and nothing lost.
    for (kind, k) in kinds.iter().enumerate() {
        let placed = plan.parcels.iter().flat_map(|p| &p.placed).filter(|p| p.kind == kind).count() as u32;
        if placed + plan.left.get(kind).copied().unwrap_or(0) != k.count {
            faults.push((plan.parcels.len(), Fault::TooMany { kind, placed, count: k.count }));
        }
    }
    Ok(faults)
}

fn sound(size: Size) -> bool {
    size.iter().all(|edge| (1..=LONGEST).contains(edge))
}
