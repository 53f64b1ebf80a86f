//! Transfer stock between our own locations. Invariant: units and value are the same before and after.

use crate::events::StockTransferred;
use crate::ground::{Ground, MAX_UNITS, from_miss};
use crate::{LocationId, Move, MoveKind, apply};
use catalog::SkuId;
use db::Tx;
use kernel::{Fault, Timestamp};

/// Takes stock from one location to another.
#[derive(Debug, Clone)]
pub struct Transfer {
    /// When.
    pub at: Timestamp,
    /// What.
    pub sku: SkuId,
    /// From where.
    pub from: LocationId,
    /// To where.
    pub to: LocationId,
    /// How many units, at least one.
    pub quantity: i64,
    /// Why, for people.
    pub reason: Option<String>,
}

kernel::refusals! {
    /// Why stock was not transferred, in order of precedence.
    pub enum TransferRefused {
        BadQuantity { quantity: i64 } => Invalid, "inventory.bad_quantity", "A quantity is between 1 and 1,000,000,000 units, not {quantity}.";
        SamePlace => Invalid, "inventory.same_place", "A transfer goes from one location to another: these are the same.";
        UnknownSku { sku: SkuId } => NotFound, "inventory.unknown_sku", "There is no SKU {sku}.";
        NotStocked { sku: String } => Conflict, "inventory.not_stocked", "SKU {sku} is a bundle or a service and has no stock of its own: name what is inside.";
        UnknownLocation { location: LocationId } => NotFound, "inventory.unknown_location", "There is no location {location}.";
        NotOurs { location: String } => Conflict, "inventory.not_ours", "What lies at {location} belongs to a supplier: receive goods from there, with what they cost.";
        Promised { sku: String, location: String, free: i64 } => Conflict, "inventory.promised", "Only {free} of {sku} at {location} are not promised to an order or a cart: take those promises back first.";
    }
}
from_miss!(TransferRefused);

/// Transfers stock, in order. Events: `stock.transferred` for each.
///
/// # Errors
/// A fault of the database.
pub async fn transfer(tx: &Tx, batch: &[Transfer]) -> Result<Vec<Result<(), TransferRefused>>, Fault> {
    let mut ground = Ground::lock(tx, batch.iter().flat_map(|t| [(t.sku, t.from), (t.sku, t.to)])).await?;
    let mut moves = Vec::with_capacity(2 * batch.len());
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        let outcome = decide(&mut ground, want);
        if outcome.is_ok() {
            for (location, on_hand) in [(want.from, -want.quantity), (want.to, want.quantity)] {
                let bare = Move::new(want.at, MoveKind::Transfer, want.sku, location);
                moves.push(Move { on_hand, reason: want.reason.clone(), ..bare });
            }
            let fact =
                StockTransferred { sku: want.sku, from: want.from, to: want.to, quantity: want.quantity };
            tx.record(want.at, want.sku, None, fact)?;
        }
        outcomes.push(outcome);
    }
    apply(tx, &moves).await?;
    Ok(outcomes)
}

/// Pure: takes the units along on the ground.
fn decide(ground: &mut Ground, want: &Transfer) -> Result<(), TransferRefused> {
    if !(1..=MAX_UNITS).contains(&want.quantity) {
        return Err(TransferRefused::BadQuantity { quantity: want.quantity });
    }
    if want.from == want.to {
        return Err(TransferRefused::SamePlace);
    }
    for location in [want.from, want.to] {
        if !ground.owned(want.sku, location)? {
            return Err(TransferRefused::NotOurs { location: ground.location_code(location) });
        }
    }
    let free = ground.held(want.sku, want.from).loose();
    if free < want.quantity {
        let (sku, location) = (ground.code(want.sku), ground.location_code(want.from));
        return Err(TransferRefused::Promised { sku, location, free });
    }
    ground.held_mut(want.sku, want.from).on_hand -= want.quantity;
    ground.held_mut(want.sku, want.to).on_hand += want.quantity;
    Ok(())
}
