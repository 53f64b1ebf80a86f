//! What an action comes to in money, before it is done: the same sums as the commands', shown while one types.

use super::common::{Fields, given};
use crate::api::WriteOrders;
use crate::model::{LineId, LineRow, OrderId, unit_parts};
use crate::read::{self, OrderRow};
use axum::extract::State;
use kernel::{Fault, Money, money};
use maud::{Markup, html};
use payments::api::WriteRefunds;
use web::html::{self as h, Sum};
use web::{App, Form, May, Problem, Segment};

/// Units that can still be cancelled.
pub(super) fn cancellable(line: &LineRow) -> i64 {
    line.pending + line.backordered + line.allocated
}

/// The money of cancelling some units: what they come to.
pub(super) fn cancelled(line: &LineRow, units: i64) -> i64 {
    let top = line.ordered - line.cancelled;
    unit_parts(line, top - units, top).total()
}

/// The money of refunding some shipped units that were not returned yet.
pub(super) fn refunded(line: &LineRow, units: i64) -> i64 {
    unit_parts(line, line.returned, line.returned + units).total()
}

/// What the customer still owes; below zero, what is to be given back. What was paid and then given away is not owed again.
pub(super) fn due(o: &OrderRow) -> i64 {
    let owed = o.total - o.cancelled_total - o.returned_total;
    let kept = o.captured - o.refunded;
    if o.captured >= owed { (owed - kept).min(0) } else { owed - kept }
}

/// The units that a form names by line, as `units-lin_…`.
///
/// # Errors
/// A problem by the field.
pub(super) fn units(
    fields: &Fields,
    lines: &[LineRow],
    most: impl Fn(&LineRow) -> i64,
) -> Result<Vec<(LineId, i64)>, Problem> {
    let mut units = Vec::new();
    for line in lines {
        let name = format!("units-{}", line.id);
        match given(fields, &name) {
            "" | "0" => {}
            text => match text.parse::<i64>().ok().filter(|n| (1..=most(line)).contains(n)) {
                Some(n) => units.push((line.id, n)),
                None => {
                    let sentence = format!("Between 0 and {} units of {}.", most(line), line.sku);
                    return Err(Problem::invalid(name, sentence));
                }
            },
        }
    }
    Ok(units)
}

/// An order and its lines.
pub(super) async fn order(app: &App, id: OrderId) -> Result<(OrderRow, Vec<LineRow>), Problem> {
    let sql = app.db.read();
    let order = read::orders_by_id(sql, &[id]).await?.remove(&id);
    let order = order.ok_or_else(|| Problem::not_found(format!("order {id}")))?;
    Ok((order, read::lines_of(sql, &[id]).await?.remove(&id).unwrap_or_default()))
}

fn trouble(problem: &Problem) -> Markup {
    h::alert("danger", problem.detail())
}

/// What cancelling comes to.
pub(super) async fn of_cancel(
    State(app): State<App>,
    _: May<WriteOrders>,
    Segment(id): Segment<OrderId>,
    Form(fields): Form<Fields>,
) -> Result<Markup, Problem> {
    let (order, lines) = order(&app, id).await?;
    Ok(match units(&fields, &lines, cancellable) {
        Ok(units) => cancel_sums(&order, &lines, &units, !given(&fields, "refund").is_empty()),
        Err(problem) => trouble(&problem),
    })
}

/// The sums of cancelling units.
pub(super) fn cancel_sums(o: &OrderRow, lines: &[LineRow], units: &[(LineId, i64)], back: bool) -> Markup {
    let total: i64 =
        units.iter().filter_map(|(id, n)| lines.iter().find(|l| l.id == *id).map(|l| cancelled(l, *n))).sum();
    let many: i64 = units.iter().map(|(_, n)| n).sum();
    let amount = |minor| Money::new(minor, o.currency);
    let owed = o.total - o.cancelled_total - total;
    let over = (o.captured - o.refunded - owed).max(0);
    let last = match over {
        _ if over > 0 && back => Sum::Due("Paid back at once", amount(over)),
        _ if over > 0 => Sum::Due("Stays paid too much", amount(over)),
        _ => Sum::Due("Paid back", amount(0)),
    };
    html! {
        @if many == 0 { p.text-secondary { "Say how many units." } } @else {
            (h::breakdown(&[
                Sum::Part("Order now", amount(o.total - o.cancelled_total)),
                Sum::Part(&format!("{many} units cancelled"), amount(-total)),
                Sum::Total("Order then", amount(owed)),
                last,
            ]))
        }
    }
}

/// What a refund comes to.
pub(super) async fn of_refund(
    State(app): State<App>,
    _: May<WriteRefunds>,
    Segment(id): Segment<OrderId>,
    Form(fields): Form<Fields>,
) -> Result<Markup, Problem> {
    let (order, lines) = order(&app, id).await?;
    let left = refundable(&app, id).await?;
    Ok(match refund_amount(&fields, &order, &lines) {
        Ok(amount) => refund_sums(&order, amount, left),
        Err(problem) => trouble(&problem),
    })
}

/// What can still be refunded of an order.
pub(super) async fn refundable(app: &App, id: OrderId) -> Result<i64, Fault> {
    let payments = payments::payments_of(app.db.read(), &[id.0]).await?.remove(&id.0).unwrap_or_default();
    Ok(payments.iter().map(payments::Payment::refundable).sum())
}

/// The amount of a refund form: that of the units, and the amount typed on top of it.
///
/// # Errors
/// A problem by the field.
pub(super) fn refund_amount(fields: &Fields, o: &OrderRow, lines: &[LineRow]) -> Result<i64, Problem> {
    let of_units: i64 = units(fields, lines, |l| l.shipped - l.returned)?
        .iter()
        .filter_map(|(id, n)| lines.iter().find(|l| l.id == *id).map(|l| refunded(l, *n)))
        .sum();
    let typed = match given(fields, "amount") {
        "" => 0,
        text => money::parse_typed(text, o.currency.exponent())
            .map_err(|e| Problem::invalid("amount", format!("{e}.")))?,
    };
    if typed < 0 {
        return Err(Problem::invalid("amount", "An amount over zero."));
    }
    Ok(of_units.saturating_add(typed))
}

/// The sums of a refund.
pub(super) fn refund_sums(o: &OrderRow, refund: i64, left: i64) -> Markup {
    let amount = |minor| Money::new(minor, o.currency);
    html! {
        @if refund > left { (h::alert("danger", &format!("Only {} can still be refunded.", amount(left)))) }
        (h::breakdown(&[
            Sum::Part("Captured", amount(o.captured)),
            Sum::Part("Refunded so far", amount(-o.refunded)),
            Sum::Part("Can still be refunded", amount(left)),
            Sum::Due("This refund", amount(refund)),
        ]))
    }
}
