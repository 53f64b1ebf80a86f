//! Boxes into one box: the search that `cartons`, `container_fill` and `parcel_plan` share.
//!
//! Problem: the three-dimensional knapsack with orientations (single container loading, Bortfeldt & Wäscher 2013 for the constraints
//! of practice). Method: beam search over *blocks* (pieces glued together without holes) put into *maximal empty spaces*, each state
//! judged by how a greedy completion of it ends (BSG: Araya & Riff, Computers & OR 43, 2014); blocks are rated by worth, contact
//! surface, lost lengths and number of pieces (VCS: Araya, Guerrero & Nuñez, Computers & OR 82, 2017); the beam widens by √2 for as
//! long as the budget lasts. Support, stacking and load limits are checked piece by piece before a block is put down (`rest.rs`).
//! Complexity: one greedy completion is (blocks put down) × (blocks there are + spaces²); a beam of width w makes w² of them a level.
//! Limits: edges up to 50,000 mm, 10,000 pieces, axis-parallel boxes; a heuristic, so "does not fit" is a finding, not a proof.
//! Invariant: what comes out passes `check::check`, which shares no code with the search.

mod beam;
mod block;
pub mod check;
mod rest;
mod score;
mod space;

use serde::{Deserialize, Serialize};

use crate::Budget;

/// Length, width and height in whole millimetres (or any other unit, the same everywhere). In a room the third points up.
pub type Size = [i32; 3];

/// The longest edge there may be, so that volumes and sums of them stay far from overflow.
pub const LONGEST: i32 = 50_000;
/// The most pieces in one call.
pub const MOST_PIECES: u32 = 10_000;

/// What may lie on a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Top {
    /// Anything, up to the load limit if there is one.
    #[default]
    Anything,
    /// Only fragile pieces: it belongs on top.
    Fragile,
    /// Nothing at all.
    Nothing,
}

/// Pieces that are all alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// Edges.
    pub size: Size,
    /// Which of the three edges may stand upright. `[false, false, true]` is "this side up".
    pub upright: [bool; 3],
    /// How many there are.
    pub count: u32,
    /// Weight of one piece in grams.
    pub weight: i64,
    /// What one piece is worth to the objective (its volume, as a rule). At least 1.
    pub worth: i64,
    /// Whether it may lie on pieces that only take fragile ones.
    pub fragile: bool,
    /// What may lie on it.
    pub top: Top,
    /// The most grams that may rest on it, directly and through others.
    pub bears: Option<i64>,
}

/// What is filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Inner edges, the third upright.
    pub size: Size,
    /// The most grams it holds.
    pub weight: i64,
}

/// A piece where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// Index of its kind.
    pub kind: usize,
    /// Its corner nearest to the origin.
    pub at: Size,
    /// Its edges along the room's axes.
    pub size: Size,
}

/// How the search is done.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// The most blocks to build.
    pub blocks: usize,
    /// The widest beam; 1 is a single greedy run.
    pub width: usize,
    /// Share of each piece's base that must lie on the floor or on other pieces, from 0 (filler carries) to 1.
    pub support: f64,
}

/// A filled room.
#[derive(Debug, Clone, Default)]
pub struct Filled {
    /// Where everything lies, in an order in which it can be put down when support is asked for.
    pub placed: Vec<Placed>,
    /// Pieces of each kind that are not in.
    pub left: Vec<u32>,
    /// Sum of worths that are in.
    pub worth: i64,
}

impl Filled {
    /// Whether everything is in.
    pub fn complete(&self) -> bool {
        self.left.iter().all(|l| *l == 0)
    }
}

/// Fills one room with as much worth as it finds in the budget. Stops early when everything is in.
///
/// Precondition: kinds and room within [`LONGEST`] and [`MOST_PIECES`], edges and worths at least 1 (callers validate and name the
/// culprit). A first greedy run is always finished unless the budget is spent at once.
pub fn fill(room: &Room, kinds: &[Kind], effort: Effort, budget: &Budget<'_>) -> Filled {
    beam::fill(room, kinds, effort, budget)
}

/// The distinct ways a piece may be turned, as edges along the room's axes.
pub(crate) fn turns(size: Size, upright: [bool; 3]) -> Vec<Size> {
    let mut turns = Vec::with_capacity(6);
    for up in (0..3).filter(|up| upright[*up]) {
        let (a, b) = ((up + 1) % 3, (up + 2) % 3);
        for turn in [[size[a], size[b], size[up]], [size[b], size[a], size[up]]] {
            if !turns.contains(&turn) {
                turns.push(turn);
            }
        }
    }
    turns
}

/// Edges multiplied; no overflow within [`LONGEST`].
pub(crate) fn volume(size: Size) -> i64 {
    i64::from(size[0]) * i64::from(size[1]) * i64::from(size[2])
}
