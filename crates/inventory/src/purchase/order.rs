//! Order: a draft is sent to its supplier, and what it names is incoming stock from then on.

use super::PurchaseId;
use super::book::Book;
use crate::apply;
use crate::events::{PurchaseOrdered, PurchasedLine};
use crate::ground::lock_stock;
use db::{Rows, Tx};
use kernel::{Fault, Timestamp};
use std::collections::BTreeSet;

/// Orders what a draft says.
#[derive(Debug, Clone, Copy)]
pub struct OrderPurchase {
    /// When.
    pub at: Timestamp,
    /// The draft.
    pub purchase: PurchaseId,
}

kernel::refusals! {
    /// Why a purchase order was not sent, in order of precedence.
    pub enum OrderPurchaseRefused {
        UnknownPurchase { purchase: PurchaseId } => NotFound, "inventory.unknown_purchase", "There is no purchase order {purchase}.";
        NotDraft { number: String } => Conflict, "inventory.purchase_not_draft", "Purchase order {number} is ordered or cancelled and stays as it is: cancel what shall not come, and make another.";
    }
}

/// Orders drafts, in order. Events: `purchase.ordered` for each.
///
/// # Errors
/// A fault of the database.
pub async fn order_purchases(
    tx: &Tx,
    batch: &[OrderPurchase],
) -> Result<Vec<Result<(), OrderPurchaseRefused>>, Fault> {
    let mut book = Book::lock(tx, batch.iter().map(|o| o.purchase)).await?;
    let mut rows = Rows::new("id BIGINT, at BIGINT");
    let mut moves = Vec::new();
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        let outcome = decide(&mut book, want);
        if let (Ok(()), Some(held)) = (&outcome, book.0.get(&want.purchase)) {
            rows.push([want.purchase.into(), want.at.into()]);
            moves.extend(held.lines.iter().map(|l| held.expects(want.at, l.sku_id, l.open())));
            let line = |l: &super::book::LineHeld| PurchasedLine {
                sku: l.sku_id,
                quantity: l.ordered,
                unit_cost: l.unit_cost,
            };
            let fact = PurchaseOrdered {
                purchase: want.purchase,
                number: held.head.number.clone(),
                supplier: held.head.supplier_id,
                location: held.head.location_id,
                expected_at: held.head.expected_at,
                lines: held.lines.iter().map(line).collect(),
            };
            tx.record(want.at, want.purchase, None, fact)?;
        }
        outcomes.push(outcome);
    }
    let text = "UPDATE purchase SET ordered_at = input.at, version = purchase.version + 1 FROM input WHERE purchase.id = input.id";
    tx.exec_from(&rows, text, []).await?;
    lock_stock(tx, &moves.iter().map(|m| (m.sku, m.location)).collect::<BTreeSet<_>>()).await?;
    apply(tx, &moves).await?;
    Ok(outcomes)
}

/// Pure: takes the draft along in the book.
fn decide(book: &mut Book, want: &OrderPurchase) -> Result<(), OrderPurchaseRefused> {
    let purchase = want.purchase;
    let held = book.0.get_mut(&purchase).ok_or(OrderPurchaseRefused::UnknownPurchase { purchase })?;
    if !held.is_draft() {
        return Err(OrderPurchaseRefused::NotDraft { number: held.head.number.clone() });
    }
    held.head.ordered_at = Some(want.at);
    Ok(())
}
