//! Receive goods against purchase orders. Invariants: what came goes on the shelf by [`crate::receive()`] alone, at the cost it was ordered
//! for; each receipt names its movement; more than is still to come is taken only with a reason, which stays with the receipt.

use super::PurchaseId;
use super::book::{Book, LineHeld};
use crate::events::{PurchaseReceived, ReceivedLine};
use crate::ground::{MAX_UNITS, lock_stock};
use crate::receive::{MAX_VALUE, receive_noted};
use crate::{Move, Receive, apply};
use catalog::SkuId;
use db::{Rows, Tx};
use kernel::{Fault, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Goods of a purchase order that came.
#[derive(Debug, Clone)]
pub struct ReceivePurchase {
    /// When.
    pub at: Timestamp,
    /// Of which.
    pub purchase: PurchaseId,
    /// What, and how many units; all are taken or none.
    pub lines: Vec<(SkuId, i64)>,
    /// The delivery note.
    pub reference: Option<String>,
    /// Why more came than is to come, where it did.
    pub surplus_reason: Option<String>,
}

kernel::refusals! {
    /// Why goods were not received, in order of precedence.
    pub enum ReceivePurchaseRefused {
        UnknownPurchase { purchase: PurchaseId } => NotFound, "inventory.unknown_purchase", "There is no purchase order {purchase}.";
        NotOrdered { number: String } => Conflict, "inventory.purchase_not_ordered", "Purchase order {number} is a draft or cancelled, and nothing is to come: order it first.";
        NothingCame => Invalid, "inventory.purchase_nothing_came", "Say how many units of which line came.";
        BadQuantity { quantity: i64 } => Invalid, "inventory.bad_quantity", "A quantity is between 1 and 1,000,000,000 units, not {quantity}.";
        NotOnIt { sku: SkuId, number: String } => Conflict, "inventory.purchase_not_on_it", "SKU {sku} is not on purchase order {number}: receive it by itself, or order it.";
        BadCost { unit_cost: i64 } => Invalid, "inventory.bad_cost", "A unit cost is zero or more, and a receipt worth less than 10^15 minor units; {unit_cost} is not.";
        Twice { sku: String } => Invalid, "inventory.purchase_two_lines", "SKU {sku} is on two lines: put them into one.";
        TooMany { sku: String, open: i64, quantity: i64 } => Conflict, "inventory.purchase_too_many", "Only {open} of {sku} are still to come and {quantity} are here: count again, or say why more came than was ordered.";
    }
}

/// A line that came, as it was decided.
#[derive(Debug, Clone)]
struct Came {
    line: LineHeld,
    quantity: i64,
    surplus: i64,
}

/// Receives, in order. Events: `purchase.received` for each, beside those of [`crate::receive()`].
///
/// # Errors
/// A fault of the database.
pub async fn receive_purchases(
    tx: &Tx,
    batch: &[ReceivePurchase],
) -> Result<Vec<Result<(), ReceivePurchaseRefused>>, Fault> {
    let mut book = Book::lock(tx, batch.iter().map(|r| r.purchase)).await?;
    let mut came: Vec<(usize, Came)> = Vec::new();
    let mut receipts: Vec<Receive> = Vec::new();
    let mut expected: Vec<Move> = Vec::new();
    let mut outcomes = Vec::with_capacity(batch.len());
    for (n, want) in batch.iter().enumerate() {
        let outcome = decide(&mut book, want);
        if let (Ok(lines), Some(held)) = (&outcome, book.0.get(&want.purchase)) {
            for c in lines {
                let note = want.reference.as_deref().map(str::trim).filter(|r| !r.is_empty());
                let number = &held.head.number;
                let reference = note.map_or_else(|| number.clone(), |note| format!("{number}, {note}"));
                receipts.push(Receive {
                    at: want.at,
                    sku: c.line.sku_id,
                    location: held.head.location_id,
                    quantity: c.quantity,
                    unit_cost: c.line.unit_cost,
                    reference: Some(reference),
                });
                expected.push(held.expects(want.at, c.line.sku_id, c.surplus - c.quantity));
            }
            let fact = PurchaseReceived {
                purchase: want.purchase,
                number: held.head.number.clone(),
                lines: lines.iter().map(fact_of).collect(),
                surplus_reason: want.surplus_reason.clone(),
            };
            tx.record(want.at, want.purchase, None, fact)?;
            came.extend(lines.iter().cloned().map(|c| (n, c)));
        }
        outcomes.push(outcome.map(|_| ()));
    }
    book.write(tx).await?;
    let movements = receive_noted(tx, &receipts).await?;
    lock_stock(tx, &expected.iter().map(|m| (m.sku, m.location)).collect::<BTreeSet<_>>()).await?;
    apply(tx, &expected).await?;
    let mut rows = Rows::new(
        "movement_id BIGINT, purchase_id BIGINT, position BIGINT, quantity BIGINT, surplus BIGINT, reason TEXT?",
    );
    for ((n, c), movement) in came.iter().zip(movements) {
        // What was ordered was looked at when it was saved: a SKU keeps its kind, a location its owner.
        let movement = movement.map_err(|r| Fault::broken(format!("a line that was ordered: {r}")))?;
        let reason = batch[*n].surplus_reason.clone().filter(|_| c.surplus > 0);
        rows.push([
            movement.into(),
            batch[*n].purchase.into(),
            c.line.position.into(),
            c.quantity.into(),
            c.surplus.into(),
            reason.into(),
        ]);
    }
    tx.insert("purchase_receipt", &rows).await?;
    Ok(outcomes)
}

fn fact_of(c: &Came) -> ReceivedLine {
    ReceivedLine { sku: c.line.sku_id, quantity: c.quantity, surplus: c.surplus }
}

/// Pure: what came by line; takes it along in the book.
fn decide(book: &mut Book, want: &ReceivePurchase) -> Result<Vec<Came>, ReceivePurchaseRefused> {
    let purchase = want.purchase;
    let held = book.0.get_mut(&purchase).ok_or(ReceivePurchaseRefused::UnknownPurchase { purchase })?;
    let number = || held.head.number.clone();
    if !held.is_ordered() {
        return Err(ReceivePurchaseRefused::NotOrdered { number: number() });
    }
    if want.lines.is_empty() {
        return Err(ReceivePurchaseRefused::NothingCame);
    }
    let explained = want.surplus_reason.as_deref().is_some_and(|r| !r.trim().is_empty());
    let mut came = BTreeMap::new();
    for (sku, quantity) in &want.lines {
        let (sku, quantity) = (*sku, *quantity);
        if !(1..=MAX_UNITS).contains(&quantity) {
            return Err(ReceivePurchaseRefused::BadQuantity { quantity });
        }
        let line = held.lines.iter().find(|l| l.sku_id == sku);
        let line = line.ok_or_else(|| ReceivePurchaseRefused::NotOnIt { sku, number: number() })?;
        let unit_cost = line.unit_cost;
        if quantity.checked_mul(unit_cost).is_none_or(|value| value >= MAX_VALUE) {
            return Err(ReceivePurchaseRefused::BadCost { unit_cost });
        }
        let open = line.open();
        if quantity > open && !explained {
            return Err(ReceivePurchaseRefused::TooMany { sku: line.sku.clone(), open, quantity });
        }
        let (surplus, line, code) = ((quantity - open).max(0), line.clone(), line.sku.clone());
        if came.insert(line.position, Came { line, quantity, surplus }).is_some() {
            return Err(ReceivePurchaseRefused::Twice { sku: code });
        }
    }
    for line in held.lines_mut() {
        if let Some(c) = came.get(&line.position) {
            line.received += c.quantity;
            line.surplus += c.surplus;
        }
    }
    Ok(came.into_values().collect())
}
