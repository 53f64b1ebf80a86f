//! What an import books outside of orders. Invariant: every amount is a row of `import_adjustment` under the source's own reference and,
//! unless it is zero, an entry of the books; the other side is always the bank, because all that a file tells of is settled.

use std::collections::HashSet;

use books::accounts::{BANK, DISCOUNTS, FEES_CHARGED, PAYMENT_FEES, RETURNS, SHIPPING_INCOME};
use books::{Adjustment, adjust};
use db::{FromRow, Rows, Tx};
use kernel::{Currency, Fault, Timestamp};

use super::summary::Counts;
use crate::online_retail::ChargeKind;

kernel::id!(AdjustmentId, "iad", "What an import booked outside of orders.");

/// Something to book.
#[derive(Debug, Clone)]
pub(super) struct Booking {
    /// Unique in the source.
    pub reference: String,
    /// A word.
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// Minor units; positive was charged, negative was given. Zero leaves only a trace that the document was seen.
    pub amount: i64,
    /// For people.
    pub text: String,
    /// The account that says what for.
    pub account: &'static str,
}

/// The account of a charge that belongs to no order.
pub(super) fn account_of(kind: ChargeKind) -> &'static str {
    match kind {
        ChargeKind::Shipping => SHIPPING_INCOME,
        ChargeKind::BankFee | ChargeKind::MarketplaceFee | ChargeKind::Commission => PAYMENT_FEES,
        ChargeKind::Discount | ChargeKind::Samples => DISCOUNTS,
        ChargeKind::Manual => FEES_CHARGED,
        ChargeKind::BadDebt => "5400",
    }
}

/// The account of goods that were credited and came from no order.
pub(super) const CREDITS: &str = RETURNS;

#[derive(FromRow)]
struct Known {
    reference: String,
}

fn references<'a>(asked: impl Iterator<Item = &'a str>) -> Rows {
    let mut rows = Rows::new("reference TEXT");
    for reference in asked {
        rows.push([reference.into()]);
    }
    rows
}

/// Which of these documents were booked before, in any run.
pub(super) async fn known_adjustments(
    tx: &Tx,
    source: &str,
    asked: impl Iterator<Item = &str>,
) -> Result<HashSet<String>, Fault> {
    let text = "SELECT a.reference FROM input JOIN import_adjustment a ON a.reference = input.reference AND a.source = $1";
    let rows: Vec<Known> = tx.all_from(&references(asked), text, [source.into()]).await?;
    Ok(rows.into_iter().map(|row| row.reference).collect())
}

/// Which of these orders exist in the channel.
pub(super) async fn known_orders(
    tx: &Tx,
    channel: &str,
    asked: impl Iterator<Item = &str>,
) -> Result<HashSet<String>, Fault> {
    let text =
        "SELECT o.reference FROM input JOIN orders o ON o.channel = $1 AND o.reference = input.reference";
    let rows: Vec<Known> = tx.all_from(&references(asked), text, [channel.into()]).await?;
    Ok(rows.into_iter().map(|row| row.reference).collect())
}

/// Books them.
pub(super) async fn book(
    tx: &Tx,
    source: &str,
    currency: Currency,
    bookings: &[Booking],
    counts: &mut Counts,
) -> Result<(), Fault> {
    let mut rows = Rows::new(
        "id BIGINT, source TEXT, reference TEXT, kind TEXT, currency TEXT, amount BIGINT, at BIGINT, text TEXT",
    );
    let mut entries = Vec::with_capacity(bookings.len());
    for booking in bookings {
        rows.push([
            tx.id::<AdjustmentId>().into(),
            source.into(),
            booking.reference.as_str().into(),
            booking.kind.as_str().into(),
            currency.into(),
            booking.amount.into(),
            booking.at.into(),
            booking.text.as_str().into(),
        ]);
        if booking.amount != 0 {
            counts.adjustments += 1;
            counts.adjusted += booking.amount;
            entries.push(Adjustment {
                at: booking.at,
                currency,
                amount: booking.amount,
                debit: BANK.to_owned(),
                credit: booking.account.to_owned(),
                text: format!("{} {}: {}", source, booking.reference, booking.text),
                order: None,
            });
        }
    }
    tx.insert("import_adjustment", &rows).await?;
    for outcome in adjust(tx, &entries).await? {
        outcome.map_err(|refused| {
            Fault::broken(format!("the books refused an adjustment of an import: {refused}"))
        })?;
    }
    Ok(())
}
