//! What pickers do without a planner: S-shape and largest gap, to compare with. Invariant: both pass every pick; both are for aisles
//! that go both ways.
//!
//! Blocks are picked from the back to the front (Roodbergen and De Koster 2001), each from the side that is nearer. Between the places
//! a rule prescribes, the way is the shortest.

use super::{Corner, Layout, Spot};

/// Aisle, and metres from the front cross aisle.
type Place = (usize, f64);

/// Metres between two places when every aisle goes both ways.
pub fn metres(layout: &Layout, from: Place, to: Place) -> f64 {
    if from.0 == to.0 {
        return (from.1 - to.1).abs();
    }
    let mut cross = 0.0;
    let mut along = (from.1 + to.1).abs();
    for block in &layout.blocks {
        cross += block;
        along = along.min((from.1 - cross).abs() + (to.1 - cross).abs());
    }
    along + layout.spacing * from.0.abs_diff(to.0) as f64
}

fn length(layout: &Layout, places: &[Place]) -> f64 {
    places.windows(2).map(|pair| metres(layout, pair[0], pair[1])).sum()
}

/// Picks of a block by aisle: offsets from front to back. In the order of the walk, beginning on the side nearer to `at`.
fn aisles(layout: &Layout, block: usize, picks: &[Spot], at: Place) -> Vec<(usize, Vec<f64>)> {
    let mut aisles: Vec<(usize, Vec<f64>)> = Vec::new();
    for pick in picks.iter().filter(|p| p.block == block) {
        let metres = layout.front(block) + pick.offset;
        match aisles.last_mut() {
            Some((aisle, offsets)) if *aisle == pick.aisle => offsets.push(metres),
            _ => aisles.push((pick.aisle, vec![metres])),
        }
    }
    let far = |end: Option<&(usize, Vec<f64>)>| end.map_or(0, |(aisle, _)| aisle.abs_diff(at.0));
    if far(aisles.last()) < far(aisles.first()) {
        aisles.reverse();
    }
    aisles
}

/// Whether the block is entered from its back: it is when the picker comes from the block behind it.
fn walk_blocks(
    layout: &Layout,
    start: Corner,
    finish: Corner,
    picks: &[Spot],
    mut pick_block: impl FnMut(&[(usize, Vec<f64>)], f64, f64, bool, &mut Vec<Place>),
) -> f64 {
    let mut places = vec![layout.place(start)];
    let mut from_back = false;
    for block in (0..layout.blocks.len()).rev() {
        let at = places.last().copied().unwrap_or_default();
        let aisles = aisles(layout, block, picks, at);
        if !aisles.is_empty() {
            let front = layout.front(block);
            pick_block(&aisles, front, front + layout.blocks[block], from_back, &mut places);
            from_back = true;
        }
    }
    places.push(layout.place(finish));
    length(layout, &places)
}

/// Every aisle with picks is passed from end to end, by turns; the last one is left where it was entered if that is nearer home.
pub fn s_shape(layout: &Layout, start: Corner, finish: Corner, picks: &[Spot]) -> f64 {
    walk_blocks(layout, start, finish, picks, |aisles, front, back, from_back, places| {
        let mut at_back = from_back;
        for (number, (aisle, offsets)) in aisles.iter().enumerate() {
            let ends = if at_back { (back, front) } else { (front, back) };
            places.push((*aisle, ends.0));
            if at_back {
                places.extend(offsets.iter().rev().map(|y| (*aisle, *y)));
            } else {
                places.extend(offsets.iter().map(|y| (*aisle, *y)));
            }
            let returns = number + 1 == aisles.len() && !at_back;
            places.push((*aisle, if returns { ends.0 } else { ends.1 }));
            at_back = !at_back;
        }
    })
}

/// The first and the last aisle are passed from end to end; the others are entered from both ends as far as their largest gap.
pub fn largest_gap(layout: &Layout, start: Corner, finish: Corner, picks: &[Spot]) -> f64 {
    walk_blocks(layout, start, finish, picks, |aisles, front, back, from_back, places| {
        let Some(((last, far), others)) = aisles.split_last() else { return };
        let mut inner = others;
        if !from_back {
            let Some(((first, near), rest)) = others.split_first() else {
                // One aisle, entered from the front: in and out again.
                places.push((*last, front));
                places.extend(far.iter().map(|y| (*last, *y)));
                places.push((*last, front));
                return;
            };
            places.push((*first, front));
            places.extend(near.iter().map(|y| (*first, *y)));
            places.push((*first, back));
            inner = rest;
        }
        for (aisle, offsets) in inner {
            let behind = &offsets[gap(offsets, front, back)..];
            if let Some(deepest) = behind.first() {
                places.extend([(*aisle, back), (*aisle, *deepest), (*aisle, back)]);
            }
        }
        places.push((*last, back));
        places.extend(far.iter().rev().map(|y| (*last, *y)));
        places.push((*last, front));
        for (aisle, offsets) in inner.iter().rev() {
            if let Some(deepest) = offsets[..gap(offsets, front, back)].last() {
                places.extend([(*aisle, front), (*aisle, *deepest), (*aisle, front)]);
            }
        }
    })
}

/// How many picks lie in front of the largest gap.
fn gap(offsets: &[f64], front: f64, back: f64) -> usize {
    let mut ends = vec![front];
    ends.extend_from_slice(offsets);
    ends.push(back);
    let gaps = ends.windows(2).enumerate().map(|(at, pair)| (pair[1] - pair[0], at));
    gaps.max_by(|a, b| a.0.total_cmp(&b.0)).map_or(0, |(_, at)| at)
}
