//! Changes of stock that no sale explains. Invariant: each leaves a trace under its reference, so it is booked once.

use db::Tx;
use inventory::Adjust;
use kernel::{Fault, Timestamp};

use super::{Desk, Of, SOURCE};
use crate::import::account::{self, Booking};
use crate::import::drive::skus;
use crate::import::summary::Counts;
use crate::online_retail::{StockChange, StockReason};

fn word(reason: StockReason) -> &'static str {
    match reason {
        StockReason::Damaged => "damaged",
        StockReason::Lost => "lost",
        StockReason::Found => "found",
        StockReason::SoldElsewhere => "sold_elsewhere",
        StockReason::Counted => "counted",
        StockReason::Other => "other",
        StockReason::Unstated => "unstated",
    }
}

fn text(change: &StockChange) -> String {
    let word = word(change.reason).replace('_', " ");
    match change.text.trim() {
        "" => word,
        text => format!("{word}: {text}"),
    }
}

/// Books the changes up, or those down.
pub(super) async fn change(
    tx: &Tx,
    desk: &Desk<'_>,
    changes: &Of<'_, StockChange>,
    up: bool,
    counts: &mut Counts,
) -> Result<(), Fault> {
    let mine: Of<'_, StockChange> = changes.iter().filter(|(_, c)| (c.change > 0) == up).copied().collect();
    if mine.is_empty() {
        return Ok(());
    }
    let skus = skus(tx, mine.iter().map(|(_, change)| &*change.sku)).await?;
    let mut batch = Vec::with_capacity(mine.len());
    for (_, change) in &mine {
        let sku = skus.get(&*change.sku).copied();
        batch.push(Adjust {
            at: Timestamp(change.at),
            sku: sku.ok_or_else(|| Fault::broken(format!("SKU {} is not there", change.sku)))?,
            location: desk.warehouse,
            delta: change.change,
            reason: text(change),
        });
    }
    let mut bookings = Vec::with_capacity(mine.len());
    for ((reference, change), outcome) in mine.iter().zip(inventory::adjust(tx, &batch).await?) {
        match outcome {
            Ok(()) => {
                counts.stock_changes += 1;
                bookings.push(Booking {
                    reference: (*reference).to_owned(),
                    kind: format!("stock_{}", word(change.reason)),
                    at: Timestamp(change.at),
                    amount: 0,
                    text: format!("{} {}: {}", change.change, change.sku, text(change)),
                    account: account::CREDITS,
                });
            }
            Err(refused) => counts.refuse(&change.invoice, refused),
        }
    }
    account::book(tx, SOURCE, desk.currency, &bookings, counts).await
}
