//! Receive goods. Invariant: what comes in is worth what it cost, and only what is ours is worth anything to us.

use crate::apply::apply_noted;
use crate::events::StockReceived;
use crate::ground::{Ground, MAX_UNITS, from_miss};
use crate::model::MovementId;
use crate::{LocationId, Move, MoveKind};
use catalog::SkuId;
use db::Tx;
use kernel::{Fault, Timestamp};

/// The most that one receipt may be worth, in minor units.
pub(crate) const MAX_VALUE: i64 = 1_000_000_000_000_000;

/// Puts goods on the shelf that came in.
#[derive(Debug, Clone)]
pub struct Receive {
    /// When.
    pub at: Timestamp,
    /// What.
    pub sku: SkuId,
    /// Where.
    pub location: LocationId,
    /// How many units, at least one.
    pub quantity: i64,
    /// What a unit cost, in the base currency's minor units; read only where the stock is ours.
    pub unit_cost: i64,
    /// The delivery note or purchase order.
    pub reference: Option<String>,
}

kernel::refusals! {
    /// Why a receipt was not taken, in order of precedence.
    pub enum ReceiveRefused {
        BadQuantity { quantity: i64 } => Invalid, "inventory.bad_quantity", "A quantity is between 1 and 1,000,000,000 units, not {quantity}.";
        BadCost { unit_cost: i64 } => Invalid, "inventory.bad_cost", "A unit cost is zero or more, and a receipt worth less than 10^15 minor units; {unit_cost} is not.";
        UnknownSku { sku: SkuId } => NotFound, "inventory.unknown_sku", "There is no SKU {sku}.";
        NotStocked { sku: String } => Conflict, "inventory.not_stocked", "SKU {sku} is a bundle or a service and has no stock of its own: name what is inside.";
        UnknownLocation { location: LocationId } => NotFound, "inventory.unknown_location", "There is no location {location}.";
    }
}
from_miss!(ReceiveRefused);

/// Receives goods, in order. Events: `stock.received` for each.
///
/// # Errors
/// A fault of the database.
pub async fn receive(tx: &Tx, batch: &[Receive]) -> Result<Vec<Result<(), ReceiveRefused>>, Fault> {
    Ok(receive_noted(tx, batch).await?.into_iter().map(|outcome| outcome.map(|_| ())).collect())
}

/// The same, with the movement of each receipt.
pub(crate) async fn receive_noted(
    tx: &Tx,
    batch: &[Receive],
) -> Result<Vec<Result<MovementId, ReceiveRefused>>, Fault> {
    let ground = Ground::lock(tx, batch.iter().map(|r| (r.sku, r.location))).await?;
    let mut moves = Vec::with_capacity(batch.len());
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        let outcome = decide(&ground, want);
        if let Ok((value, owned)) = outcome {
            let reference = want.reference.clone();
            let bare = Move::new(want.at, MoveKind::Receipt, want.sku, want.location);
            moves.push(Move { on_hand: want.quantity, value, reference, ..bare });
            let fact = StockReceived {
                sku: want.sku,
                location: want.location,
                quantity: want.quantity,
                value,
                owned,
            };
            tx.record(want.at, want.sku, None, fact)?;
        }
        outcomes.push(outcome.map(|_| ()));
    }
    // A receipt has at least one unit, so that each has its movement.
    let mut ids = apply_noted(tx, &moves).await?.into_iter();
    let mut next = || ids.next().ok_or_else(|| Fault::broken("a receipt without its movement"));
    let noted = |outcome: Result<(), ReceiveRefused>| match outcome {
        Ok(()) => next().map(Ok),
        Err(refused) => Ok(Err(refused)),
    };
    outcomes.into_iter().map(noted).collect()
}

/// Pure: what the goods are worth to us, and whether they are ours.
fn decide(ground: &Ground, want: &Receive) -> Result<(i64, bool), ReceiveRefused> {
    if !(1..=MAX_UNITS).contains(&want.quantity) {
        return Err(ReceiveRefused::BadQuantity { quantity: want.quantity });
    }
    let value = want.quantity.checked_mul(want.unit_cost).filter(|v| (0..MAX_VALUE).contains(v));
    let value = value.ok_or(ReceiveRefused::BadCost { unit_cost: want.unit_cost })?;
    let owned = ground.owned(want.sku, want.location)?;
    Ok((if owned { value } else { 0 }, owned))
}
