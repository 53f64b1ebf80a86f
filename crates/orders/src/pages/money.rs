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
    Ok(match Refund::read(&fields, &order, &lines) {
        Ok(refund) => refund_sums(&order, &refund, left),
        Err(problem) => trouble(&problem),
    })
}

/// What can still be refunded of an order.
pub(super) async fn refundable(app: &App, id: OrderId) -> Result<i64, Fault> {
    let payments = payments::payments_of(app.db.read(), &[id.0]).await?.remove(&id.0).unwrap_or_default();
    Ok(payments.iter().map(payments::Payment::refundable).sum())
}

/// What a refund is made of, in minor units: the price of units that were shipped and not returned, and what is given on top.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Refund {
    units: i64,
    goods: i64,
    tax: i64,
    /// With its tax.
    shipping: i64,
    fee: i64,
    extra: i64,
}

impl Refund {
    /// What a form says. Shipping is the units' share of it, unless its field says another amount: 0 leaves it out.
    ///
    /// # Errors
    /// A problem by the field.
    pub fn read(fields: &Fields, o: &OrderRow, lines: &[LineRow]) -> Result<Self, Problem> {
        let mut refund = Self::default();
        for (id, n) in units(fields, lines, |l| l.shipped - l.returned)? {
            let Some(line) = lines.iter().find(|l| l.id == id) else { continue };
            let parts = unit_parts(line, line.returned, line.returned + n);
            refund.units += n;
            refund.goods += parts.net;
            refund.tax += parts.tax;
            refund.shipping += parts.shipping + parts.shipping_tax;
            refund.fee += parts.fee;
        }
        let most = o.shipping + o.shipping_tax;
        match typed(fields, "shipping", o)? {
            Some(shipping) if shipping > most => {
                let sentence = format!("The order has {} of shipping.", Money::new(most, o.currency));
                return Err(Problem::invalid("shipping", sentence));
            }
            Some(shipping) => refund.shipping = shipping,
            None => {}
        }
        refund.extra = typed(fields, "amount", o)?.unwrap_or(0);
        Ok(refund)
    }
    /// All of it.
    pub fn total(&self) -> i64 {
        [self.goods, self.tax, self.shipping, self.fee, self.extra].into_iter().fold(0, i64::saturating_add)
    }
}

/// An amount of the form, where one was typed.
fn typed(fields: &Fields, name: &str, o: &OrderRow) -> Result<Option<i64>, Problem> {
    let text = given(fields, name);
    if text.is_empty() {
        return Ok(None);
    }
    let minor = money::parse_typed(text, o.currency.exponent())
        .map_err(|e| Problem::invalid(name, format!("{e}.")))?;
    if minor < 0 {
        return Err(Problem::invalid(name, "An amount over zero."));
    }
    Ok(Some(minor))
}

/// The sums of a refund: each part of it by its name, and what is left.
pub(super) fn refund_sums(o: &OrderRow, refund: &Refund, left: i64) -> Markup {
    let amount = |minor| Money::new(minor, o.currency);
    let goods = if refund.units == 1 { "1 unit".to_owned() } else { format!("{} units", refund.units) };
    let parts = [
        (goods.as_str(), refund.goods),
        ("Their tax", refund.tax),
        ("Shipping, with its tax", refund.shipping),
        ("Their fees", refund.fee),
        ("And an amount", refund.extra),
    ];
    let mut sums: Vec<Sum<'_>> = parts
        .into_iter()
        .filter(|(_, minor)| *minor != 0)
        .map(|(name, minor)| Sum::Part(name, amount(minor)))
        .collect();
    sums.push(Sum::Total("This refund", amount(refund.total())));
    sums.extend([
        Sum::Part("Captured", amount(o.captured)),
        Sum::Part("Refunded so far", amount(-o.refunded)),
        Sum::Due("Can still be refunded", amount(left)),
    ]);
    html! {
        @if refund.total() > left { (h::alert("danger", &format!("Only {} can still be refunded.", amount(left)))) }
        (h::breakdown(&sums))
    }
}
