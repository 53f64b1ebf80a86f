//! Pick tours: the shortest walk through a warehouse of parallel aisles. Invariant: a tour begins at the start, ends at the finish and
//! passes every pick; where it says `exact`, none is shorter.
//!
//! **Problem.** Aisles run from front to back, crossed by a cross aisle at the front, at the back and between blocks. Find the shortest
//! walk from start to finish (corners of an aisle and a cross aisle) past all picks; an aisle may be one-way.
//!
//! **Method.** Dynamic programming from the left aisle to the right one over the shapes a partial tour can have at a cut (Ratliff and
//! Rosenthal 1983 for one block; Cambazard and Catusse 2018 for any number of cross aisles): which corners of the cut it touches, which
//! it connects, and whether passes at each are odd or even. With one-way aisles the balance of arrivals and departures takes the place
//! of odd and even. A start that is not the finish makes both odd. The walk is an Euler path of what was chosen.
//!
//! **Complexity.** Linear in aisles and picks for a number of blocks; in the number of cross aisles exponential (dozens of states for
//! two blocks, hundreds for three). **Limits.** At most six blocks, cut to the best 6,000 states if there are more ([`Tour::exact`]
//! says so; up to three blocks never); with one-way aisles at most seven passes of one way through the same piece. Aisles are as narrow as lines.

mod machine;
mod rules;
mod sweep;
mod walk;

use serde::{Deserialize, Serialize};

pub use rules::{largest_gap, metres, s_shape};
use sweep::Sweep;
use walk::Node;

/// Which way an aisle goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Both ways.
    #[default]
    Both,
    /// From the front to the back only.
    Up,
    /// From the back to the front only.
    Down,
}

/// A rectangle of aisles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Layout {
    /// Number of aisles, from left to right.
    pub aisles: usize,
    /// Metres between the middles of neighbouring aisles.
    pub spacing: f64,
    /// Metres of each block between the middles of its cross aisles, from front to back.
    pub blocks: Vec<f64>,
    /// Which way each aisle goes; empty: all go both ways.
    #[serde(default)]
    pub one_way: Vec<Way>,
}

impl Layout {
    fn way(&self, aisle: usize) -> Way {
        self.one_way.get(aisle).copied().unwrap_or_default()
    }

    /// Metres from the front of the warehouse to the front of a block.
    pub fn front(&self, block: usize) -> f64 {
        // The sum of nothing is −0; the front is at 0.
        0.0 + self.blocks[..block].iter().sum::<f64>()
    }

    fn place(&self, corner: Corner) -> (usize, f64) {
        (corner.aisle, self.front(corner.cross))
    }
}

/// Where an aisle meets a cross aisle. Cross aisle 0 is the front.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corner {
    /// Aisle, from the left.
    pub aisle: usize,
    /// Cross aisle, from the front.
    pub cross: usize,
}

/// Where something is picked.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spot {
    /// Aisle, from the left.
    pub aisle: usize,
    /// Block, from the front.
    #[serde(default)]
    pub block: usize,
    /// Metres from the front of the block.
    pub offset: f64,
}

/// Why there is no tour.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NoTour {
    /// A layout that cannot be.
    #[error("layout: {0}")]
    Layout(&'static str),
    /// Start or finish outside of the layout.
    #[error("{name} is not a corner of the layout")]
    Corner {
        /// Start or finish.
        name: &'static str,
    },
    /// A pick outside of the layout.
    #[error("pick {pick} is outside of the layout")]
    Pick {
        /// Its index.
        pick: usize,
    },
    /// One-way aisles leave no walk past all picks.
    #[error("one-way aisles leave no way from start to finish past all picks")]
    Unreachable,
}

/// The shortest tour, and what simple rules would have walked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tour {
    /// Metres.
    pub length: f64,
    /// Picks in the order in which they are passed first, as indices.
    pub sequence: Vec<usize>,
    /// The walk: aisle, and metres from the front of the warehouse; turns and picks.
    pub path: Vec<(usize, f64)>,
    /// Whether no tour can be shorter.
    pub exact: bool,
    /// Metres of the S-shape rule; none with one-way aisles.
    pub s_shape: Option<f64>,
    /// Metres of the largest gap rule; none with one-way aisles.
    pub largest_gap: Option<f64>,
}

/// Tours in one layout between one start and one finish. What it learns of the layout is kept from tour to tour.
pub struct Router {
    layout: Layout,
    start: Corner,
    finish: Corner,
    sweep: Sweep,
}

/// More aisles than this are a mistake.
const MOST_AISLES: usize = 10_000;
/// Longest block, widest spacing.
const MOST_METRES: f64 = 100_000.0;

impl Router {
    /// Checks the layout. Errors: [`NoTour::Layout`], [`NoTour::Corner`].
    pub fn new(layout: Layout, start: Corner, finish: Corner) -> Result<Self, NoTour> {
        let positive = |metres: &f64| *metres > 0.0 && *metres <= MOST_METRES;
        if layout.aisles == 0 || layout.aisles > MOST_AISLES {
            return Err(NoTour::Layout("there are 1 to 10,000 aisles"));
        }
        if layout.blocks.is_empty() || layout.blocks.len() >= machine::MOST_ROWS {
            return Err(NoTour::Layout("there are one to six blocks"));
        }
        if !positive(&layout.spacing) || !layout.blocks.iter().all(positive) {
            return Err(NoTour::Layout("spacing and blocks are metres above 0, up to 100,000"));
        }
        if !layout.one_way.is_empty() && layout.one_way.len() != layout.aisles {
            return Err(NoTour::Layout("one_way has an entry for each aisle, or none"));
        }
        for (name, corner) in [("start", start), ("finish", finish)] {
            if corner.aisle >= layout.aisles || corner.cross > layout.blocks.len() {
                return Err(NoTour::Corner { name });
            }
        }
        let sweep = Sweep::new(layout.clone(), start, finish);
        Ok(Self { layout, start, finish, sweep })
    }

    /// The layout.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Checks picks. Error: [`NoTour::Pick`].
    pub fn check(&self, picks: &[Spot]) -> Result<(), NoTour> {
        let outside = |p: &Spot| {
            let length = self.layout.blocks.get(p.block);
            p.aisle >= self.layout.aisles || !length.is_some_and(|length| (0.0..=*length).contains(&p.offset))
        };
        picks.iter().position(outside).map_or(Ok(()), |pick| Err(NoTour::Pick { pick }))
    }

    /// Metres of the shortest tour past picks that [`Self::check`] accepts, in any order; sorts them. None: unreachable.
    pub fn length(&mut self, picks: &mut [Spot]) -> Option<f64> {
        picks.sort_unstable_by(order);
        self.sweep.length(picks)
    }

    /// The shortest tour. Errors: [`NoTour::Pick`], [`NoTour::Unreachable`].
    pub fn tour(&mut self, picks: &[Spot]) -> Result<Tour, NoTour> {
        self.check(picks)?;
        let mut indices: Vec<usize> = (0..picks.len()).collect();
        indices.sort_by(|a, b| order(&picks[*a], &picks[*b]));
        let sorted: Vec<Spot> = indices.iter().map(|i| picks[*i]).collect();
        let both = self.layout.one_way.iter().all(|w| *w == Way::Both);
        let rule = |rule: fn(&Layout, Corner, Corner, &[Spot]) -> f64| {
            both.then(|| rule(&self.layout, self.start, self.finish, &sorted))
        };
        let (s_shape, largest_gap) = (rule(s_shape), rule(largest_gap));
        let known = s_shape.into_iter().chain(largest_gap).fold(f64::INFINITY, f64::min);
        let (length, walks, exact) = self.sweep.tour(&sorted, known).ok_or(NoTour::Unreachable)?;
        let nodes = walk::walk(&self.layout, self.start, &sorted, &walks);
        let mut passed = vec![false; picks.len()];
        let mut sequence = Vec::with_capacity(picks.len());
        let mut path: Vec<(usize, f64)> = Vec::with_capacity(nodes.len());
        for node in nodes {
            let place = match node {
                Node::Corner(corner) => self.layout.place(corner),
                Node::Pick(pick) => {
                    if !std::mem::replace(&mut passed[pick], true) {
                        sequence.push(indices[pick]);
                    }
                    (sorted[pick].aisle, self.layout.front(sorted[pick].block) + sorted[pick].offset)
                }
            };
            if path.last() != Some(&place) {
                path.push(place);
            }
        }
        Ok(Tour { length, sequence, path, exact, s_shape, largest_gap })
    }
}

fn order(a: &Spot, b: &Spot) -> std::cmp::Ordering {
    (a.aisle, a.block).cmp(&(b.aisle, b.block)).then(a.offset.total_cmp(&b.offset))
}

#[cfg(test)]
mod tests;
