//! What would other rules have done? Past orders are sourced again day by day, with the stock and the deliveries of those days.
//! Invariant: the same orders and the same stock for all rules compared, so that only the rules differ.

use super::choose::Left;
use super::network::{Network, Order, SourcingError, days_late};
use super::rules::{self, Run};
use serde::{Deserialize, Serialize};

/// Stock that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// On which day, before its orders.
    pub day: i64,
    /// Where.
    pub location: usize,
    /// Of what.
    pub item: usize,
    /// Pieces.
    pub pieces: i64,
}

/// How rules did over all days.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Outcome {
    /// Orders that could be looked at.
    pub orders: usize,
    /// Orders that were refused as no orders at all.
    pub refused: usize,
    /// Orders shipped in full on their day.
    pub complete: usize,
    /// Orders in more than one parcel.
    pub splits: usize,
    /// Parcels.
    pub parcels: usize,
    /// Postage in cents: what left the house, without the prices the policy puts on lateness, splits and shortage.
    pub postage: f64,
    /// Orders of which a parcel comes after the promise.
    pub late_orders: usize,
    /// Days after the promise, over parcels.
    pub late_days: i64,
    /// Units nobody shipped.
    pub short_units: i64,
    /// Pairs of location and item that ran out (above safety stock) at the end of a day, over days.
    pub stock_outs: usize,
    /// Parcels of each location.
    pub by_location: Vec<usize>,
}

/// Replays orders in the order of their days. Daily capacities begin anew every day; stock does not.
///
/// # Errors
/// [`SourcingError`] when network or rules make no sense, or a receipt names a location or item that does not exist.
pub fn replay(
    network: &Network,
    orders: &[Order],
    receipts: &[Receipt],
    run: &Run,
) -> Result<Outcome, SourcingError> {
    network.verify()?;
    if let Some(bad) = receipts
        .iter()
        .find(|r| r.location >= network.locations.len() || r.item >= network.items || r.pieces < 0)
    {
        return Err(SourcingError::Location(bad.location));
    }
    let mut days: Vec<&Order> = orders.iter().collect();
    days.sort_by_key(|o| o.day);
    let mut receipts: Vec<&Receipt> = receipts.iter().collect();
    receipts.sort_by_key(|r| std::cmp::Reverse(r.day));
    let fresh = Left::of(network);
    let mut left = fresh.clone();
    let mut outcome = Outcome { by_location: vec![0; network.locations.len()], ..Outcome::default() };
    // Pairs that were ever stocked can run out.
    let mut stocked: Vec<bool> = (0..network.locations.len() * network.items)
        .map(|i| fresh.stock(i / network.items, i % network.items) > 0)
        .collect();
    for today in days.chunk_by(|a, b| a.day == b.day) {
        while let Some(r) = receipts.pop_if(|r| r.day <= today[0].day) {
            left.receive(r.location, r.item, r.pieces);
            stocked[r.location * network.items + r.item] |= r.pieces > 0;
        }
        left.parcels.clone_from(&fresh.parcels);
        left.units.clone_from(&fresh.units);
        let today: Vec<Order> = today.iter().map(|o| (*o).clone()).collect();
        let sourced = rules::run(network, &mut left, &today, run)?;
        for (order, sourced) in today.iter().zip(&sourced) {
            count(network, order, sourced, &mut outcome);
        }
        outcome.stock_outs += stocked
            .iter()
            .enumerate()
            .filter(|(i, s)| **s && left.stock(i / network.items, i % network.items) <= 0)
            .count();
    }
    Ok(outcome)
}

fn count(network: &Network, order: &Order, sourced: &rules::Sourced, outcome: &mut Outcome) {
    if sourced.refused.is_some() {
        outcome.refused += 1;
        return;
    }
    let choice = &sourced.choice;
    let places = choice.locations();
    outcome.orders += 1;
    outcome.complete += usize::from(choice.short_units() == 0);
    outcome.splits += usize::from(places.len() > 1);
    outcome.parcels += places.len();
    outcome.short_units += choice.short_units();
    let mut late = 0;
    for location in &places {
        outcome.by_location[*location] += 1;
        if let Some(lane) = network.lane(*location, order.zone) {
            late += days_late(order, lane);
            outcome.postage += lane.parcel as f64;
        }
    }
    for ship in &choice.ships {
        if let Some(lane) = network.lane(ship.location, order.zone) {
            let kilograms = order.lines[ship.line].grams as f64 * ship.quantity as f64 / 1000.0;
            outcome.postage += lane.per_kg as f64 * kilograms;
        }
    }
    outcome.late_orders += usize::from(late > 0);
    outcome.late_days += late;
}
