//! The list of orders: views, search, filters, bulk actions. A page costs what it shows: see [`crate::read::list`].

use super::{common, views};
use crate::api::{self, FULFILMENT, PAYMENT, ReadOrders, WriteOrders};
use crate::model::{HoldKind, OrderId};
use crate::read::{self, Cursor, Filter, OrderRow};
use axum::extract::State;
use db::Sql;
use inventory::Location;
use kernel::{Fault, Timestamp};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use web::html::{self as h, Bulk, Col, Row, Sort, Table, Toggle};
use web::{App, May, Paging, Params, Problem, Screen};

#[derive(Deserialize, Serialize, Default, Clone)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Query {
    pub search: String,
    pub fulfilment_status: String,
    pub payment_status: String,
    pub hold: String,
    pub channel: String,
    /// Code of a location that has units promised.
    pub location: String,
    pub from: String,
    pub to: String,
    /// `backordered`, or `ready` to be released.
    pub only: String,
    pub sort: String,
    pub cursor: Option<String>,
}

impl Query {
    /// What the list is asked for, but where in it.
    pub fn pairs(&self) -> Vec<(&'static str, &str)> {
        vec![
            ("search", self.search.trim()),
            ("only", &self.only),
            ("fulfilment_status", &self.fulfilment_status),
            ("payment_status", &self.payment_status),
            ("hold", &self.hold),
            ("channel", &self.channel),
            ("location", &self.location),
            ("from", &self.from),
            ("to", &self.to),
            ("sort", &self.sort),
        ]
    }
    /// The address of the list without one of its filters.
    fn without(&self, name: &str) -> String {
        let pairs: Vec<_> = self.pairs().into_iter().filter(|(n, _)| *n != name).collect();
        h::query("/orders", &pairs)
    }
    pub fn here(&self) -> String {
        h::query("/orders", &self.pairs())
    }
    /// The filter it stands for.
    pub async fn filter(&self, app: &App, locations: &[Location]) -> Result<Filter, Problem> {
        let hold = match self.hold.as_str() {
            "" | "any" => None,
            kind => Some(kind.parse::<HoldKind>().map_err(|e| Problem::invalid("hold", e))?),
        };
        let location = match self.location.as_str() {
            "" => None,
            code => {
                let known = locations.iter().find(|l| l.code == code).map(|l| l.id);
                Some(known.ok_or_else(|| Problem::invalid("location", "There is no such location."))?)
            }
        };
        Ok(Filter {
            known_by: api::known_by(app, Some(&self.search)).await?,
            search: common::some(&self.search),
            fulfilment_status: common::some(&self.fulfilment_status),
            payment_status: common::some(&self.payment_status),
            channel: common::some(&self.channel),
            hold,
            held: (self.hold == "any").then_some(true),
            placed_from: day("from", &self.from)?,
            placed_before: day("to", &self.to)?.map(|at| at.plus(Timestamp::DAY)),
            backordered: self.only == "backordered",
            ready: self.only == "ready",
            location,
            oldest: self.sort == "placed",
            ..Filter::default()
        })
    }
}

/// The beginning of a day, in UTC.
fn day(field: &str, text: &str) -> Result<Option<Timestamp>, Problem> {
    match text.trim() {
        "" => Ok(None),
        text => {
            let at = format!("{text}T00:00:00Z").parse();
            at.map(Some).map_err(|_| Problem::invalid(field, "A day reads as 2026-11-27."))
        }
    }
}

/// Shows orders.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadOrders>,
    Params(q): Params<Query>,
) -> Result<Markup, Problem> {
    let sql = app.db.read();
    let paging = Paging::<Cursor>::read(None, q.cursor.as_deref())?;
    let locations = inventory::locations(sql).await?;
    let filter = q.filter(&app, &locations).await?;
    let fetch = u64::try_from(paging.fetch()).map_err(Fault::from)?;
    let rows = read::list(sql, &filter, paging.after, fetch).await?;
    let page = paging.page(rows, |r| Cursor { placed_at: r.placed_at, id: r.id });
    let ids: Vec<OrderId> = page.data.iter().filter(|o| o.holds > 0).map(|o| o.id).collect();
    let holds = read::holds_of_many(sql, &ids).await?;
    let channels = channels(sql).await?;
    let kept = crate::view::views(sql, &caller.actor).await?;
    let writes = caller.may::<WriteOrders>();
    let screen = Screen::new(&caller, "Orders")
        .actions(html! {
            (h::link(&h::query("/orders/list.csv", &q.pairs()), "CSV", "secondary", ""))
            @if writes { (h::link("/orders/new", "New order", "primary", "n")) }
        })
        .above(views::tabs(&q, &kept))
        .live("queue:orders");
    let pairs = q.pairs();
    Ok(screen.show(html! {
        (h::filter_bar("/orders", ("search", &q.search, "Number, name, e-mail, SKU, tracking"), fields(&q, &channels, &locations), &active(&q, &locations)))
        @if page.data.is_empty() {
            (nothing(&q, writes))
        } @else {
            (table(&q, &pairs, &page.data, &holds, writes, caller.scopes.allow(FLOOR)))
            (h::pages(&q.here(), page.next_cursor.as_deref(), q.cursor.is_some(), page.data.len()))
            (h::keys(&[("j", "next"), ("k", "before"), ("x", "tick"), ("Enter", "open"), ("]", "next page"), ("f", "search here")]))
        }
        (views::save_dialog(&q))
    }))
}

fn nothing(q: &Query, writes: bool) -> Markup {
    let fresh = q.pairs().iter().all(|(_, v)| v.is_empty());
    let (title, hint) = match fresh {
        true => ("No orders yet", "They arrive through the API, by import, or when you enter one."),
        false => (
            "No order fits",
            "Take a filter away, or search for less of the word. Numbers, e-mail addresses and SKUs must be whole.",
        ),
    };
    let way = html! {
        @if !fresh { (h::link("/orders", "Show all orders", "secondary", "")) }
        @else if writes { (h::link("/orders/new", "Enter an order", "primary", "")) }
    };
    h::empty_with(h::Icon::ShoppingCart, title, hint, way)
}

/// Codes and names of the channels.
pub(super) async fn channels(sql: &Sql) -> Result<Vec<(String, String)>, Fault> {
    #[derive(db::FromRow)]
    struct Channel {
        code: String,
        name: String,
    }
    let rows: Vec<Channel> = sql.all("SELECT code, name FROM channel ORDER BY name", []).await?;
    Ok(rows.into_iter().map(|c| (c.code, c.name)).collect())
}

fn fields(q: &Query, channels: &[(String, String)], locations: &[Location]) -> Markup {
    let select = |label: &str, name: &str, first: &str, options: &[(&str, &str)], chosen: &str| {
        let options: Vec<(&str, &str)> =
            std::iter::once(("", first)).chain(options.iter().copied()).collect();
        h::select(label, name, &options, chosen)
    };
    let statuses = |label: &str, name: &str, words: &[&str], chosen: &str| {
        let shown: Vec<String> = words.iter().map(|w| common::plain(w)).collect();
        let options: Vec<(&str, &str)> =
            words.iter().copied().zip(shown.iter().map(String::as_str)).collect();
        select(label, name, "Any", &options, chosen)
    };
    let holds: Vec<(&str, &str)> = std::iter::once(("any", "Any hold"))
        .chain(HoldKind::ALL.iter().map(|k| (k.as_str(), common::hold_words(k.as_str()))))
        .collect();
    let channels: Vec<(&str, &str)> = channels.iter().map(|(c, n)| (c.as_str(), n.as_str())).collect();
    let locations: Vec<(&str, &str)> = locations.iter().map(|l| (l.code.as_str(), l.name.as_str())).collect();
    let date = |label: &str, name: &str, value: &str| {
        h::field(&h::Field { label, name, kind: "date", value, ..h::Field::default() })
    };
    html! {
        (statuses("Fulfilment", "fulfilment_status", FULFILMENT, &q.fulfilment_status))
        (statuses("Payment", "payment_status", PAYMENT, &q.payment_status))
        (select("Hold", "hold", "Held or not", &holds, &q.hold))
        (select("Only", "only", "All", &[("ready", "Ready to be released"), ("backordered", "Waiting for stock")], &q.only))
        (select("Channel", "channel", "Any", &channels, &q.channel))
        (select("Units promised at", "location", "Any location", &locations, &q.location))
        (h::fields([date("Placed from", "from", &q.from), date("Until", "to", &q.to)]))
        @if !q.sort.is_empty() { input type="hidden" name="sort" value=(q.sort); }
    }
}

/// The filters in force, as chips.
fn active(q: &Query, locations: &[Location]) -> Vec<Toggle> {
    let location =
        locations.iter().find(|l| l.code == q.location).map_or(q.location.clone(), |l| l.name.clone());
    let only = match q.only.as_str() {
        "ready" => "Ready to be released".to_owned(),
        "backordered" => "Waiting for stock".to_owned(),
        other => other.to_owned(),
    };
    let hold = if q.hold == "any" { "any".to_owned() } else { common::hold_words(&q.hold).to_owned() };
    let chips = [
        ("search", "Search", q.search.clone()),
        ("only", "Only", only),
        ("fulfilment_status", "Fulfilment", common::plain(&q.fulfilment_status)),
        ("payment_status", "Payment", common::plain(&q.payment_status)),
        ("hold", "Hold", if q.hold.is_empty() { String::new() } else { hold }),
        ("channel", "Channel", q.channel.clone()),
        ("location", "Promised at", location),
        ("from", "From", q.from.clone()),
        ("to", "Until", q.to.clone()),
    ];
    let chip = |(name, label, value): (&str, &str, String)| {
        (!value.is_empty()).then(|| Toggle { label: format!("{label}: {value}"), without: q.without(name) })
    };
    chips.into_iter().filter_map(chip).collect()
}

const COLS: &[Col<'static>] = &[
    Col::text("Order"),
    Col::text("Placed").sorts("placed"),
    Col::text("Customer"),
    Col::text("Fulfilment").at_end(),
    Col::text("Payment").at_end(),
    Col::number("Units").minor(),
    Col::text("To").minor(),
    Col::number("Total"),
];

fn table(
    q: &Query,
    pairs: &[(&str, &str)],
    orders: &[OrderRow],
    holds: &HashMap<OrderId, Vec<String>>,
    writes: bool,
    floor: bool,
) -> Markup {
    let by = if q.sort == "placed" { "placed" } else { "-placed" };
    let others: Vec<(&str, &str)> = pairs.iter().copied().filter(|(n, _)| *n != "sort").collect();
    let table = Table::new("Orders", COLS, orders.iter().map(|o| row(o, holds, writes))).sorted(Sort {
        by,
        path: "/orders",
        pairs: &others,
    });
    match writes {
        true => table
            .brief()
            .bulk(Bulk { action: "/orders/bulk", name: "ids", buttons: buttons(q, floor) })
            .show(),
        false => table.brief().show(),
    }
}

/// Who may release to the warehouse. The slice of it stands downstream and takes what was ticked here.
const FLOOR: &str = "warehouse:write";

/// What can be done with ticked orders: in each view what it is about. What is ready to be released has no hold to be released from.
fn buttons(q: &Query, floor: bool) -> Markup {
    let ready = q.only == "ready";
    let all = h::query("/orders/bulk/meant", &[("query", &q.here())]);
    html! {
        input type="hidden" name="query" value=(q.here());
        (web::once())
        @if ready && floor { button.btn.btn-primary type="submit" formaction="/warehouse/release/orders" { "Send to warehouse" } }
        @if !ready { button.btn type="submit" name="do" value="release" { "Release holds" } }
        button.btn type="submit" name="do" value="hold" { "Hold …" }
        button.btn type="submit" name="do" value="cancel" { "Cancel …" }
        button.btn type="submit" name="do" value="tag" { "Tag …" }
        button.btn type="submit" name="do" value="csv" { "CSV" }
        label.form-check {
            input.form-check-input type="checkbox" name="every" value="yes" autocomplete="off" hx-get=(all) hx-trigger="change" hx-target="#meant" hx-swap="innerHTML";
            span.form-check-label { "and all others of this list" }
        }
        output #meant aria-live="polite" {}
    }
}

fn row(o: &OrderRow, holds: &HashMap<OrderId, Vec<String>>, writes: bool) -> Row {
    let held = holds.get(&o.id).map_or(&[][..], Vec::as_slice);
    let row = Row::new([
        html! { span.text-nowrap { (o.number) @if o.priority > 0 { " " (h::badge("express")) } } },
        h::time(o.placed_at),
        h::person(&o.name),
        html! {
            (h::badge(&o.fulfilment_status))
            @if o.units_backordered > 0 { " " (h::badge("backordered")) }
            @for kind in held { " " (h::tag(common::hold_words(kind), h::Tone::Warn)) }
        },
        h::badge(&o.payment_status),
        html! { (o.units) },
        html! { (o.country) },
        h::amount(o.total, o.currency),
    ])
    .href(format!("/orders/{}", o.id))
    .id(format!("row-{}", o.id))
    .quiet(o.fulfilment_status == "cancelled");
    if writes { row.value(o.id.to_string(), format!("order {}", o.number)) } else { row }
}
