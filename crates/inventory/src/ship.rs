//! Ship stock: units that were promised leave with a parcel. Invariant: what leaves takes its share of the value along, and that share is
//! the cost of the sale.

use crate::ground::{lock_costs, lock_stock, owned_locations};
use crate::{LocationId, Move, MoveKind, apply};
use catalog::SkuId;
use db::Tx;
use kernel::{Fault, Timestamp};

/// Takes promised units off the shelf.
#[derive(Debug, Clone)]
pub struct ShipStock {
    /// When.
    pub at: Timestamp,
    /// What.
    pub sku: SkuId,
    /// From where.
    pub location: LocationId,
    /// How many units.
    pub quantity: i64,
    /// The order they go to (raw id).
    pub order: i64,
    /// The line, parcel or shipment, as text.
    pub reference: String,
}

/// Takes promised units off the shelf: on hand and allocated both go down. What each item cost by the moving average, in the base
/// currency's minor units; zero where the stock is a supplier's. No event: the order's `order.units_shipped` says it with more.
///
/// # Errors
/// A fault of the database, also when the units were not on hand and allocated: callers ship what they allocated.
pub async fn ship_stock(tx: &Tx, batch: &[ShipStock]) -> Result<Vec<i64>, Fault> {
    lock_stock(tx, &batch.iter().map(|s| (s.sku, s.location)).collect()).await?;
    let ours = owned_locations(tx, batch.iter().map(|s| s.location)).await?;
    let mine = |item: &ShipStock| ours.contains(&item.location);
    let mut costs = lock_costs(tx, batch.iter().filter(|s| mine(s)).map(|s| s.sku)).await?;
    let mut moves = Vec::with_capacity(batch.len());
    let mut taken = Vec::with_capacity(batch.len());
    for item in batch {
        let cost = match mine(item) {
            true if costs.of(item.sku).quantity < item.quantity => {
                return Err(Fault::broken(format!(
                    "{} units of {} leave and we own fewer",
                    item.quantity, item.sku
                )));
            }
            true => costs.take(item.sku, item.quantity),
            false => 0,
        };
        taken.push(cost);
        moves.push(Move {
            on_hand: -item.quantity,
            allocated: -item.quantity,
            value: -cost,
            order: Some(item.order),
            reference: Some(item.reference.clone()),
            ..Move::new(item.at, MoveKind::Ship, item.sku, item.location)
        });
    }
    apply(tx, &moves).await?;
    Ok(taken)
}
