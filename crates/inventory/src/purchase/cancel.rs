//! Cancel what has not come. Invariant: what came stays received, and what was incoming is so no longer.

use super::PurchaseId;
use super::book::Book;
use crate::events::PurchaseCancelled;
use crate::ground::lock_stock;
use crate::{Move, apply};
use db::Tx;
use kernel::{Fault, Timestamp};
use std::collections::BTreeSet;

/// Cancels everything of a purchase order that is still to come.
#[derive(Debug, Clone)]
pub struct CancelPurchase {
    /// When.
    pub at: Timestamp,
    /// Which.
    pub purchase: PurchaseId,
    /// Why; a draft needs no reason.
    pub reason: String,
}

kernel::refusals! {
    /// Why a purchase order was not cancelled, in order of precedence.
    pub enum CancelPurchaseRefused {
        UnknownPurchase { purchase: PurchaseId } => NotFound, "inventory.unknown_purchase", "There is no purchase order {purchase}.";
        NothingOpen { number: String } => Conflict, "inventory.purchase_nothing_open", "Nothing of purchase order {number} is still to come.";
        NoReason => Invalid, "inventory.purchase_no_reason", "Say why: the supplier was told to deliver.";
    }
}

/// Cancels, in order. Events: `purchase.cancelled` for each.
///
/// # Errors
/// A fault of the database.
pub async fn cancel_purchases(
    tx: &Tx,
    batch: &[CancelPurchase],
) -> Result<Vec<Result<(), CancelPurchaseRefused>>, Fault> {
    let mut book = Book::lock(tx, batch.iter().map(|c| c.purchase)).await?;
    let mut moves = Vec::new();
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        let outcome = decide(&mut book, want);
        if let (Ok((units, unexpected)), Some(held)) = (&outcome, book.0.get(&want.purchase)) {
            moves.extend(unexpected.iter().cloned());
            let (number, reason) = (held.head.number.clone(), want.reason.trim().to_owned());
            let fact = PurchaseCancelled { purchase: want.purchase, number, units: *units, reason };
            tx.record(want.at, want.purchase, None, fact)?;
        }
        outcomes.push(outcome.map(|_| ()));
    }
    book.write(tx).await?;
    lock_stock(tx, &moves.iter().map(|m| (m.sku, m.location)).collect::<BTreeSet<_>>()).await?;
    apply(tx, &moves).await?;
    Ok(outcomes)
}

/// Pure: how many units, and what is no longer expected.
fn decide(book: &mut Book, want: &CancelPurchase) -> Result<(i64, Vec<Move>), CancelPurchaseRefused> {
    let purchase = want.purchase;
    let held = book.0.get_mut(&purchase).ok_or(CancelPurchaseRefused::UnknownPurchase { purchase })?;
    let units = held.open();
    if units == 0 {
        return Err(CancelPurchaseRefused::NothingOpen { number: held.head.number.clone() });
    }
    let ordered = held.head.ordered_at.is_some();
    if ordered && want.reason.trim().is_empty() {
        return Err(CancelPurchaseRefused::NoReason);
    }
    let moves = match ordered {
        true => held.lines.iter().map(|l| held.expects(want.at, l.sku_id, -l.open())).collect(),
        false => Vec::new(),
    };
    for line in held.lines_mut() {
        line.cancelled += line.open();
    }
    Ok((units, moves))
}
