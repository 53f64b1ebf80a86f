//! From the pieces of a tour to one walk. Invariant: every piece is walked exactly once.

use super::sweep::Walk;
use super::{Corner, Layout, Spot, Way};

/// A place of the walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Node {
    Corner(Corner),
    /// Index among the sorted picks.
    Pick(usize),
}

/// All places in the order of the walk (Hierholzer 1873).
pub(super) fn walk(layout: &Layout, start: Corner, picks: &[Spot], walks: &[Walk]) -> Vec<Node> {
    let rows = layout.blocks.len() + 1;
    let one_way = layout.one_way.iter().any(|w| *w != Way::Both);
    let corners = layout.aisles * rows;
    let number = |node: Node| match node {
        Node::Corner(c) => c.aisle * rows + c.cross,
        Node::Pick(pick) => corners + pick,
    };
    let node = |number: usize| match number.checked_sub(corners) {
        Some(pick) => Node::Pick(pick),
        None => Node::Corner(Corner { aisle: number / rows, cross: number % rows }),
    };
    let mut leaving: Vec<Vec<(usize, usize)>> = vec![Vec::new(); corners + picks.len()];
    let mut arcs = 0;
    for walk in walks {
        for chain in chains(*walk, picks) {
            for pair in chain.windows(2) {
                let (from, to) = (number(pair[0]), number(pair[1]));
                leaving[from].push((to, arcs));
                if !one_way {
                    leaving[to].push((from, arcs));
                }
                arcs += 1;
            }
        }
    }
    let mut walked = vec![false; arcs];
    let mut stack = vec![number(Node::Corner(start))];
    let mut order = Vec::new();
    while let Some(here) = stack.last() {
        match leaving[*here].pop() {
            Some((next, arc)) => {
                if !std::mem::replace(&mut walked[arc], true) {
                    stack.push(next);
                }
            }
            None => {
                order.push(node(*here));
                stack.pop();
            }
        }
    }
    order.reverse();
    order
}

/// The chains of places that a piece passes, each in its direction.
fn chains(walk: Walk, picks: &[Spot]) -> Vec<Vec<Node>> {
    let repeat = |forth: Vec<Node>, there: usize, back: usize| {
        let reverse: Vec<Node> = forth.iter().rev().copied().collect();
        let mut chains = vec![forth; there];
        chains.extend(std::iter::repeat_n(reverse, back));
        chains
    };
    match walk {
        Walk::Rest => Vec::new(),
        Walk::Across(corner, right, left) => {
            let next = Corner { aisle: corner.aisle + 1, ..corner };
            repeat(vec![Node::Corner(corner), Node::Corner(next)], right as usize, left as usize)
        }
        Walk::Along(corner, back, front) => {
            let mut chain = vec![Node::Corner(corner)];
            chain.extend(piece(corner, picks).map(Node::Pick));
            chain.push(Node::Corner(Corner { cross: corner.cross + 1, ..corner }));
            repeat(chain, back as usize, front as usize)
        }
        Walk::Returns(corner, front, back) => {
            let own = piece(corner, picks);
            let mut near = vec![Node::Corner(corner)];
            near.extend(own.clone().take(front).map(Node::Pick));
            let mut far = vec![Node::Corner(Corner { cross: corner.cross + 1, ..corner })];
            far.extend(own.rev().take(back).map(Node::Pick));
            let mut chains = repeat(near, 1, 1);
            chains.extend(repeat(far, 1, 1));
            chains
        }
    }
}

/// Picks between a corner and the one behind it, as indices.
fn piece(corner: Corner, picks: &[Spot]) -> std::ops::Range<usize> {
    let begin = picks.partition_point(|p| (p.aisle, p.block) < (corner.aisle, corner.cross));
    let end = picks.partition_point(|p| (p.aisle, p.block) <= (corner.aisle, corner.cross));
    begin..end
}
