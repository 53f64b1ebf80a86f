//! Credit notes: units that find their sale come back from it, the rest is a credit without an order. Invariant: returned credit and what is
//! booked outside of orders are the total of the credit note, to the penny; each leaves a trace under its number, so it is booked once.

use std::collections::{BTreeMap, HashMap};

use db::{FromRow, Rows, Tx};
use kernel::{Fault, Timestamp};
use orders::{LineId, OrderId};

use super::{Desk, Of, SOURCE, booking};
use crate::import::account::{self, Booking};
use crate::import::summary::Counts;
use crate::import::take_back::{TakeBack, take_back};
use crate::online_retail::{Credit, CreditLine};

/// Lines of the sales that are given back, by invoice and position.
type Lines = HashMap<(String, i64), (OrderId, LineId)>;

#[derive(FromRow)]
struct LineRow {
    reference: String,
    position: i64,
    order_id: OrderId,
    id: LineId,
}

async fn lines(tx: &Tx, credits: &Of<'_, Credit>) -> Result<Lines, Fault> {
    let matched = credits.iter().flat_map(|(_, credit)| &credit.lines).flat_map(|line| &line.matches);
    let mut wanted: Vec<(&str, i64)> = Vec::new();
    for found in matched {
        wanted.push((&found.invoice, i64::try_from(found.sale_line)? + 1));
    }
    wanted.sort_unstable();
    wanted.dedup();
    let mut input = Rows::new("reference TEXT, position BIGINT");
    for (reference, position) in wanted {
        input.push([reference.into(), position.into()]);
    }
    let text = "SELECT o.reference, l.position, l.order_id, l.id FROM input JOIN orders o ON o.channel = $1 AND o.reference = input.reference \
        JOIN order_line l ON l.order_id = o.id AND l.position = input.position";
    let rows: Vec<LineRow> = tx.all_from(&input, text, [SOURCE.into()]).await?;
    Ok(rows.into_iter().map(|row| ((row.reference, row.position), (row.order_id, row.id))).collect())
}

/// The returns of a credit note, one per order it gives units back from.
fn returns(desk: &Desk<'_>, reference: &str, credit: &Credit, lines: &Lines) -> Vec<TakeBack> {
    let mut by_order: BTreeMap<OrderId, BTreeMap<LineId, i64>> = BTreeMap::new();
    for found in credit.lines.iter().flat_map(|line| &line.matches) {
        let position = i64::try_from(found.sale_line).unwrap_or_default() + 1;
        if let Some((order, line)) = lines.get(&(found.invoice.to_string(), position)) {
            *by_order.entry(*order).or_default().entry(*line).or_default() += found.quantity;
        }
    }
    let back = |(order, units): (OrderId, BTreeMap<LineId, i64>)| TakeBack {
        at: Timestamp(credit.at),
        order,
        lines: units.into_iter().map(|(line, quantity)| (line, quantity, desk.warehouse)).collect(),
        shipping: false,
        note: format!("Credit note {reference}"),
    };
    by_order.into_iter().map(back).collect()
}

/// What of a credit note is booked outside of orders, its returns having credited `returned` pence.
fn rest(reference: &str, credit: &Credit, returned: i64) -> Vec<Booking> {
    let at = Timestamp(credit.at);
    let book = |suffix: &str, kind: &str, amount, text| Booking {
        reference: format!("{reference}{suffix}"),
        kind: kind.to_owned(),
        at,
        amount,
        text,
        account: account::CREDITS,
    };
    let mut bookings = vec![book("", "credit_note", 0, format!("returns of {returned} pence"))];
    let unmatched = |line: &&CreditLine| line.unmatched() > 0;
    for (i, line) in credit.lines.iter().filter(unmatched).enumerate() {
        let text = format!("{} {} from no sale in the file", line.unmatched(), line.sku);
        let suffix = format!("/credit-{}", i + 1);
        bookings.push(book(&suffix, "credit_without_order", -line.unmatched_amount(), text));
    }
    let matched: i64 = credit.lines.iter().map(|line| line.amount - line.unmatched_amount()).sum();
    if matched != returned {
        let text = "credited beyond the charged price of the units".to_owned();
        bookings.push(book("/difference", "credit_difference", returned - matched, text));
    }
    let charges = credit.charges.iter().enumerate();
    bookings.extend(charges.map(|(i, charge)| booking(reference, i + 1, credit.at, charge)));
    bookings
}

pub(super) async fn book(
    tx: &Tx,
    desk: &Desk<'_>,
    credits: &Of<'_, Credit>,
    counts: &mut Counts,
) -> Result<(), Fault> {
    if credits.is_empty() {
        return Ok(());
    }
    let lines = lines(tx, credits).await?;
    let (mut back, mut owners) = (Vec::new(), Vec::new());
    for (i, (reference, credit)) in credits.iter().enumerate() {
        let mine = returns(desk, reference, credit, &lines);
        owners.extend(mine.iter().map(|_| i));
        back.extend(mine);
    }
    let mut returned = vec![0; credits.len()];
    for (i, outcome) in owners.into_iter().zip(take_back(tx, desk.by, &back, counts).await?) {
        // Units that were returned by other means meanwhile cannot come back again: their money is a credit without an order.
        returned[i] += outcome.unwrap_or(0);
    }
    let mut bookings = Vec::new();
    for ((reference, credit), returned) in credits.iter().zip(returned) {
        bookings.extend(rest(reference, credit, returned));
    }
    account::book(tx, SOURCE, desk.currency, &bookings, counts).await
}
