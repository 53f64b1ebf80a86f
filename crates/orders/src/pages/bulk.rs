//! The same to many orders: what it means is shown first, then it runs in the background on a page that may be left.

use super::csv;
use super::list::Query;
use crate::api::{ReadOrders, WriteOrders};
use crate::bulk::{self, Bulk, BulkAction, BulkId, BulkRow, Meant, begin_bulk};
use crate::model::{LineRow, OrderId, unit_parts};
use crate::read::{self, Cursor, Filter, OrderRow};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use kernel::{Currency, Fault};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use web::html::{self as h, Col, Row, Table};
use web::{App, Caller, Form, Key, May, OrProblem, Params, Problem, Screen, Segment};

/// Ticked orders and what to do with them.
#[derive(Deserialize, Serialize, Default)]
#[serde(default)]
pub(super) struct Ask {
    r#do: String,
    ids: Vec<OrderId>,
    /// All of the list, not only those ticked.
    every: String,
    /// The list they were ticked on.
    query: String,
    /// How many orders all of the list were said to be.
    told: String,
    about: String,
    once: String,
}

/// The orders of a list that is told by its address.
///
/// # Errors
/// A problem with the address.
pub(super) async fn listed(app: &App, address: &str) -> Result<Filter, Problem> {
    let query = address.split_once('?').map_or("", |(_, q)| q);
    let q: Query = serde_qs::Config::new()
        .use_form_encoding(true)
        .deserialize_str(query)
        .map_err(|_| Problem::invalid("query", "The list they were ticked on does not read."))?;
    q.filter(app, &inventory::locations(app.db.read()).await?).await
}

/// The orders that are meant.
async fn meant(app: &App, ask: &Ask) -> Result<Meant, Problem> {
    if ask.every.is_empty() {
        return Ok(Meant::These(ask.ids.clone()));
    }
    Ok(Meant::List { filter: Box::new(listed(app, &ask.query).await?), told: ask.told.parse().ok() })
}

/// How many they are.
async fn how_many(app: &App, meant: &Meant) -> Result<i64, Fault> {
    match meant {
        Meant::These(ids) => Ok(i64::try_from(ids.len())?),
        Meant::List { filter, .. } => read::count(app.db.read(), filter).await,
    }
}

/// What the box “all others of this list” says beside it.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Every {
    every: String,
    query: String,
}

/// Says how many orders all of a list are.
pub(super) async fn every(
    State(app): State<App>,
    _: May<ReadOrders>,
    Params(q): Params<Every>,
) -> Result<Markup, Problem> {
    if q.every.is_empty() {
        return Ok(html! {});
    }
    let many = read::count(app.db.read(), &listed(&app, &q.query).await?).await?;
    Ok(html! { strong { (orders(many)) } " are meant" })
}

/// So many orders, in words.
fn orders(many: i64) -> String {
    if many == 1 { "1 order".to_owned() } else { format!("{} orders", h::grouped(&many.to_string())) }
}

/// Shows what it means, or begins.
pub(super) async fn ask(
    State(app): State<App>,
    caller: May<WriteOrders>,
    Form(ask): Form<Ask>,
) -> Result<Response, Problem> {
    let meant = meant(&app, &ask).await?;
    if matches!(&meant, Meant::These(ids) if ids.is_empty()) {
        return Ok(web::done("Tick the orders first").to("/orders"));
    }
    if ask.r#do == "csv" {
        return Ok(match meant {
            Meant::List { filter, .. } => csv::all(&app, *filter),
            Meant::These(ids) => {
                let mut orders: Vec<OrderRow> =
                    read::orders_by_id(app.db.read(), &ids).await?.into_values().collect();
                orders.sort_by_key(|o| std::cmp::Reverse((o.placed_at, o.id)));
                csv::file(&orders)
            }
        });
    }
    let action: BulkAction = ask.r#do.parse().map_err(|e: String| Problem::invalid("do", e))?;
    if ask.about.trim().is_empty() && action != BulkAction::Release {
        let page = reason(&app, &caller, action, &ask, &meant, None).await?;
        // Nothing was asked yet where the reason was never offered.
        return Ok(page.into_response());
    }
    let key = Key::once(&ask.once, "/orders/bulk");
    let begun = web::submit!(app, caller, key, "orders.bulk", &ask, |tx| {
        let (at, by) = (tx.now(), caller.actor.clone());
        let bulk = Bulk { at, action, about: ask.about.clone(), orders: meant.clone(), by };
        let id = begin_bulk(tx, &bulk).await?.or_problem()?;
        web::reply(StatusCode::ACCEPTED, &id)
    });
    let begun = match begun {
        Err(changed) if changed.code() == "orders.bulk_list_changed" => {
            let page = reason(&app, &caller, action, &ask, &meant, Some(&changed)).await?;
            return Ok((changed.status(), page).into_response());
        }
        begun => begun?,
    };
    let id: BulkId = serde_json::from_str(begun.body()).map_err(Fault::from)?;
    Ok(Redirect::to(&format!("/orders/bulk/{id}")).into_response())
}

/// Asks why, with what it means in money.
async fn reason(
    app: &App,
    caller: &Caller,
    action: BulkAction,
    ask: &Ask,
    meant: &Meant,
    changed: Option<&Problem>,
) -> Result<Markup, Problem> {
    let many = how_many(app, meant).await?;
    let orders = orders(many);
    let (title, label, button, kind) = match action {
        BulkAction::Hold => (format!("Hold {orders}"), "Why", "Hold", "primary"),
        BulkAction::Cancel => (format!("Cancel {orders}"), "Why", "Cancel these orders", "danger"),
        _ => (format!("Tag {orders}"), "Tag", "Tag", "primary"),
    };
    let money = match action {
        BulkAction::Cancel => consequences(app, meant).await?,
        _ => html! {},
    };
    let hint = match action {
        BulkAction::Tag => "A word or two; it can be searched for in exports.",
        _ => "It stands in the timeline of every one of them.",
    };
    let back = if ask.query.starts_with("/orders") { ask.query.as_str() } else { "/orders" };
    let label = &h::Field {
        label,
        name: "about",
        required: true,
        hint,
        focus: true,
        value: &ask.about,
        ..h::Field::default()
    };
    Ok(Screen::new(caller, title).crumb("Orders", "/orders").narrow().show(h::card(
        "",
        html! {
            @if let Some(changed) = changed { (h::alert("warning", changed.detail())) }
            (money)
            form method="post" action="/orders/bulk" {
                // A list that changed is asked about anew.
                @if changed.is_some() { (web::once()) } @else { (web::once_again(&ask.once)) }
                input type="hidden" name="do" value=(action.as_str());
                @match meant {
                    Meant::These(ids) => @for id in ids { input type="hidden" name="ids[]" value=(id); },
                    Meant::List { .. } => {
                        input type="hidden" name="every" value="yes";
                        input type="hidden" name="query" value=(ask.query);
                        input type="hidden" name="told" value=(many);
                    }
                }
                (h::field(label))
                div.form-buttons {
                    button class={ "btn btn-" (kind) } type="submit" { (button) }
                    a.btn.btn-link href=(back) { "Leave them as they are" }
                }
            }
        },
    )))
}

/// Orders whose money is added up at once.
const PIECE: u64 = 1000;

/// What cancelling them comes to, by currency.
async fn consequences(app: &App, meant: &Meant) -> Result<Markup, Fault> {
    let sql = app.db.read();
    let mut sums = Sums::new();
    match meant {
        Meant::These(ids) => {
            let orders: Vec<OrderRow> = read::orders_by_id(sql, ids).await?.into_values().collect();
            add(&mut sums, &orders, &read::lines_of(sql, ids).await?);
        }
        Meant::List { filter, .. } => {
            let mut after = None;
            loop {
                let orders = read::list(sql, filter, after, PIECE).await?;
                let ids: Vec<OrderId> = orders.iter().map(|o| o.id).collect();
                add(&mut sums, &orders, &read::lines_of(sql, &ids).await?);
                after = orders.last().map(|o| Cursor { placed_at: o.placed_at, id: o.id });
                if u64::try_from(orders.len())? < PIECE {
                    break;
                }
            }
        }
    }
    Ok(html! {
        @if sums.is_empty() { (h::alert("warning", "Nothing of these orders can be cancelled any more: they are picked, shipped or cancelled.")) }
        @for (currency, (units, total, back)) in &sums {
            (h::breakdown(&[
                h::Sum::Part(&format!("{units} units are cancelled"), kernel::Money::new(-total, *currency)),
                h::Sum::Due("Paid back to customers", kernel::Money::new(*back, *currency)),
            ]))
        }
    })
}

/// Units, their money and what goes back, by currency.
type Sums = BTreeMap<Currency, (i64, i64, i64)>;

/// Adds orders up. Pure.
fn add(sums: &mut Sums, orders: &[OrderRow], lines: &HashMap<OrderId, Vec<LineRow>>) {
    for order in orders {
        let of_order = lines.get(&order.id).map_or(&[][..], Vec::as_slice);
        let (mut units, mut total) = (0, 0);
        for line in of_order {
            let can = line.pending + line.backordered + line.allocated;
            let top = line.ordered - line.cancelled;
            units += can;
            total += unit_parts(line, top - can, top).total();
        }
        if units > 0 {
            let owed = order.total - order.cancelled_total - total;
            let sum = sums.entry(order.currency).or_default();
            *sum = (sum.0 + units, sum.1 + total, sum.2 + (order.captured - order.refunded - owed).max(0));
        }
    }
}

/// How far it is, and what was refused.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadOrders>,
    Segment(id): Segment<BulkId>,
) -> Result<Markup, Problem> {
    let sql = app.db.read();
    let row = bulk::bulk(sql, id).await?.ok_or_else(|| Problem::not_found(format!("bulk action {id}")))?;
    let refused = match row.refused {
        0 => Vec::new(),
        _ => bulk::bulk_refused(sql, id).await?,
    };
    let body = progress(&row, &refused);
    if web::partial() {
        return Ok(body);
    }
    let title = match row.action.as_str() {
        "hold" => "Holding orders",
        "release" => "Releasing holds",
        "cancel" => "Cancelling orders",
        _ => "Tagging orders",
    };
    let about =
        html! { @if !row.about.is_empty() { "“" bdi { (row.about) } "” · " } (h::time(row.started_at)) };
    Ok(Screen::new(&caller, title).crumb("Orders", "/orders").subtitle(about).show(body))
}

fn progress(row: &BulkRow, refused: &[bulk::BulkRefusedRow]) -> Markup {
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    let running = row.ended_at.is_none();
    let here = format!("/orders/bulk/{}", row.id);
    let cols = [Col::text("Order"), Col::text("Customer"), Col::text("Why not")];
    let rows = refused.iter().map(|r| {
        let why = r.why.clone().unwrap_or_default();
        Row::new([html! { (r.number) }, html! { bdi { (r.name) } }, html! { (why) }])
            .href(format!("/orders/{}", r.order_id))
    });
    html! {
        div #bulk hx-get=[running.then_some(here)] hx-trigger=[running.then_some("load delay:700ms")] hx-swap="outerHTML" {
            (h::card("", html! {
                (h::progress(count(row.done + row.refused), count(row.total), if running { "Going on" } else { "Finished" }))
                p { strong { (row.done) } " done, " strong { (row.refused) } " refused" }
                @if running { p.text-secondary { "You may leave this page: it goes on without you." } }
                @else { (h::link("/orders", "Back to the orders", "secondary", "")) }
            }))
            @if !refused.is_empty() {
                (Table::new("Orders that were refused", &cols, rows).show())
                @if row.refused > bulk::NAMED { p.text-secondary { "These are the newest of them." } }
            }
        }
    }
}
