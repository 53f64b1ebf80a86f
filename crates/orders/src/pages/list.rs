//! The list of orders.

use crate::api::{self, FULFILMENT, PAYMENT, ReadOrders, WriteOrders};
use crate::model::HoldKind;
use crate::read::{self, Cursor, Filter, OrderRow};
use axum::extract::State;
use kernel::{Fault, Money};
use maud::{Markup, html};
use serde::Deserialize;
use web::{App, May, Paging, Params, Problem, html as h};

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Query {
    search: String,
    fulfilment_status: String,
    payment_status: String,
    hold: String,
    cursor: Option<String>,
}

fn chosen(text: &str) -> Option<String> {
    (!text.trim().is_empty()).then(|| text.trim().to_owned())
}

/// Shows orders, newest first.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadOrders>,
    Params(q): Params<Query>,
) -> Result<Markup, Problem> {
    let paging = Paging::<Cursor>::read(None, q.cursor.as_deref())?;
    let hold = match q.hold.as_str() {
        "" | "any" => None,
        kind => Some(kind.parse::<HoldKind>().map_err(|e| Problem::invalid("hold", e))?),
    };
    let filter = Filter {
        known_by: api::known_by(&app, Some(&q.search)).await?,
        search: chosen(&q.search),
        fulfilment_status: chosen(&q.fulfilment_status),
        payment_status: chosen(&q.payment_status),
        hold,
        held: (q.hold == "any").then_some(true),
        ..Filter::default()
    };
    let rows =
        read::list(app.db.read(), &filter, paging.after, u64::try_from(paging.fetch()).map_err(Fault::from)?)
            .await?;
    let page = paging.page(rows, |r| Cursor { placed_at: r.placed_at, id: r.id });
    let here = format!(
        "/orders?search={}&fulfilment_status={}&payment_status={}&hold={}",
        encode(&q.search),
        encode(&q.fulfilment_status),
        encode(&q.payment_status),
        encode(&q.hold)
    );
    Ok(web::page(
        &caller,
        "Orders",
        html! {
            @if caller.may::<WriteOrders>() { p { a.btn.btn-primary href="/orders/new" { "New order" } } }
            (h::filters("/orders", fields(&q)))
            @if page.data.is_empty() {
                (h::empty("No orders here", "Change the filters, or enter an order with “New order”."))
            } @else {
                (h::table(&["Order", "Placed", "Customer", "Units", "Fulfilment", "Payment", "Holds", "Total"], page.data.iter().map(row)))
                (h::next_link(&here, page.next_cursor.as_deref()))
            }
        },
    ))
}

fn fields(q: &Query) -> Markup {
    let any = |statuses: &[&'static str]| -> Vec<(&'static str, &'static str)> {
        std::iter::once(("", "Any")).chain(statuses.iter().map(|s| (*s, *s))).collect()
    };
    let holds: Vec<(&str, &str)> = [("", "Any or none"), ("any", "Held")]
        .into_iter()
        .chain(HoldKind::ALL.iter().map(|k| (k.as_str(), k.as_str())))
        .collect();
    html! {
        (h::field(&h::Field { label: "Search", name: "search", kind: "search", value: &q.search, hint: "Number, reference, e-mail, name, SKU or tracking number", ..h::Field::default() }))
        (h::select("Fulfilment", "fulfilment_status", &any(FULFILMENT), &q.fulfilment_status))
        (h::select("Payment", "payment_status", &any(PAYMENT), &q.payment_status))
        (h::select("Holds", "hold", &holds, &q.hold))
    }
}

fn row(o: &OrderRow) -> Markup {
    html! {
        tr {
            td { a href={ "/orders/" (o.id) } { (o.number) } @if o.priority > 0 { " " span.badge { "express" } } }
            td { (h::time(o.placed_at)) }
            td { (o.name) }
            td.text-end { (o.units) }
            td { (h::badge(&o.fulfilment_status)) }
            td { (h::badge(&o.payment_status)) }
            td { @if o.holds > 0 { (h::badge("on_hold")) } }
            td.text-end { (h::money(Money::new(o.total, o.currency))) }
        }
    }
}

/// Percent-encodes a value for a query.
fn encode(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(b).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
