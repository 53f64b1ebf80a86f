//! Restock: units that a customer sent back lie with us again. Invariant: they come back at the value they left with.

use crate::events::StockRestocked;
use crate::ground::{lock_costs, lock_stock};
use crate::{LocationId, Move, MoveKind, apply};
use catalog::SkuId;
use db::Tx;
use kernel::{Fault, Timestamp};
use serde::{Deserialize, Serialize};

/// Where units that came back are put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RestockTo {
    /// On the shelf, for sale.
    OnHand,
    /// Aside, not for sale.
    Quarantined,
}

/// Puts units back that came from a customer.
#[derive(Debug, Clone)]
pub struct Restock {
    /// When.
    pub at: Timestamp,
    /// What.
    pub sku: SkuId,
    /// Where.
    pub location: LocationId,
    /// How many units.
    pub quantity: i64,
    /// The cost put back, in the base currency's minor units; zero at a supplier's location.
    pub value: i64,
    /// On the shelf or aside.
    pub to: RestockTo,
    /// The order they came from (raw id).
    pub order: Option<i64>,
    /// The return, as text.
    pub reference: String,
}

/// Puts units back. Events: `stock.restocked` for each; the value is posted by the return, not by this event.
///
/// # Errors
/// A fault of the database, also when the SKU or location does not exist, or a value comes with stock that is not ours.
pub async fn restock(tx: &Tx, batch: &[Restock]) -> Result<(), Fault> {
    lock_stock(tx, &batch.iter().map(|r| (r.sku, r.location)).collect()).await?;
    lock_costs(tx, batch.iter().map(|r| r.sku)).await?;
    let mut moves = Vec::with_capacity(batch.len());
    for item in batch {
        let (on_hand, quarantined) = match item.to {
            RestockTo::OnHand => (item.quantity, 0),
            RestockTo::Quarantined => (0, item.quantity),
        };
        moves.push(Move {
            on_hand,
            quarantined,
            value: item.value,
            order: item.order,
            reference: Some(item.reference.clone()),
            ..Move::new(item.at, MoveKind::Return, item.sku, item.location)
        });
        let fact = StockRestocked {
            sku: item.sku,
            location: item.location,
            quantity: item.quantity,
            value: item.value,
            to: item.to,
        };
        tx.record(item.at, item.sku, item.order, fact)?;
    }
    apply(tx, &moves).await
}
