//! Purchase orders: the list, one with what came of it and the form that receives, and what may be done with it.

mod form;
mod receive;

pub(super) use form::{change, create, edit, empty};
pub(super) use receive::receive;

use crate::api::{ReadPurchasing, WriteInventory, WritePurchasing};
use crate::purchase::{
    self, CancelPurchase, OrderPurchase, Purchase, PurchaseFilter, PurchaseId, PurchaseLine, PurchaseReceipt,
    PurchaseStatus, cancel_purchases, order_purchases,
};
use axum::extract::State;
use axum::response::Response;
use kernel::{Currency, Timestamp};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use web::html::{self as h, Col, Icon, Row, Tab, Table, Toggle, Tone};
use web::{App, Caller, Form, Key, May, OrProblem, Paging, Params, Problem, Reply, Screen, Segment};

const PATH: &str = "/purchasing";

/// The page of a purchase order.
fn path_of(id: PurchaseId) -> String {
    format!("{PATH}/{id}")
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Query {
    cursor: Option<String>,
    number: String,
    show: String,
    supplier: String,
}

fn words(status: PurchaseStatus) -> (&'static str, Tone) {
    match status {
        PurchaseStatus::Draft => ("Draft", Tone::Quiet),
        PurchaseStatus::Ordered => ("Ordered", Tone::Info),
        PurchaseStatus::PartlyReceived => ("Partly received", Tone::Warn),
        PurchaseStatus::Received => ("Received", Tone::Good),
        PurchaseStatus::Cancelled => ("Cancelled", Tone::Quiet),
    }
}

fn state(status: PurchaseStatus) -> Markup {
    let (word, tone) = words(status);
    h::tag(word, tone)
}

/// The list.
pub(super) async fn list(
    State(app): State<App>,
    caller: May<ReadPurchasing>,
    Params(q): Params<Query>,
) -> Result<Markup, Problem> {
    let sql = app.db.read();
    let paging = Paging::<PurchaseId>::read(None, q.cursor.as_deref())?;
    let some = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
    let filter =
        PurchaseFilter { status: q.show.parse().ok(), supplier: some(&q.supplier), number: some(&q.number) };
    let rows = purchase::purchases(sql, &filter, paging.after, paging.fetch()).await?;
    let page = paging.page(rows, |p| p.id);
    let (suppliers, base) = (catalog::suppliers(sql).await?, crate::base_currency(sql).await?);
    let views: Vec<(&str, &str)> =
        std::iter::once(("", "All")).chain(PurchaseStatus::ALL.map(|s| (s.as_str(), words(s).0))).collect();
    let hrefs: Vec<String> =
        views.iter().map(|(show, _)| h::query(PATH, &[("show", show), ("supplier", &q.supplier)])).collect();
    let tabs: Vec<Tab<'_>> = views
        .iter()
        .zip(&hrefs)
        .map(|((show, title), href)| Tab { title, href, here: *show == q.show, count: None })
        .collect();
    let here = h::query(PATH, &[("number", &q.number), ("show", &q.show), ("supplier", &q.supplier)]);
    let may = caller.may::<WritePurchasing>();
    let body = html! {
        (filters(&q, &suppliers))
        @if page.data.is_empty() {
            (h::empty_with(Icon::PackageExport, "No purchase orders here", "A purchase order says what a supplier shall deliver, and when.",
                html! { @if may { (h::link("/purchasing/new", "New purchase order", "primary", "")) } }))
        } @else {
            (table(&page.data, base, app.db.now()))
            (h::pages(&here, page.next_cursor.as_deref(), q.cursor.is_some(), page.data.len()))
        }
    };
    Ok(Screen::new(&caller, "Purchase orders")
        .actions(html! { @if may { (h::link("/purchasing/new", "New purchase order", "primary", "n")) } })
        .above(h::tabs("Views", &tabs))
        .live("queue:purchasing")
        .show(body))
}

fn filters(q: &Query, suppliers: &[catalog::Supplier]) -> Markup {
    let by: Vec<(&str, &str)> = std::iter::once(("", "Any"))
        .chain(suppliers.iter().map(|s| (s.code.as_str(), s.name.as_str())))
        .collect();
    let mut active = Vec::new();
    if !q.supplier.is_empty() {
        let without = h::query(PATH, &[("number", &q.number), ("show", &q.show)]);
        active.push(Toggle { label: format!("Supplier: {}", q.supplier), without });
    }
    let more = html! {
        input type="hidden" name="show" value=(q.show);
        (h::select("Supplier", "supplier", &by, &q.supplier))
    };
    h::filter_bar(PATH, ("number", &q.number, "Number"), more, &active)
}

/// When it should come, and whether that is over.
fn due(at: Option<Timestamp>, open: bool, now: Timestamp) -> Markup {
    html! {
        @match at {
            None => (h::none()),
            Some(at) if open && at.plus(Timestamp::DAY) < now => { (h::day(&at.day())) " " (h::tag("Late", Tone::Warn)) },
            Some(at) => (h::day(&at.day())),
        }
    }
}

fn is_due(status: PurchaseStatus) -> bool {
    matches!(status, PurchaseStatus::Ordered | PurchaseStatus::PartlyReceived)
}

fn table(rows: &[Purchase], base: Currency, now: Timestamp) -> Markup {
    let cols = [
        Col::text("Number"),
        Col::text("Supplier"),
        Col::text("For"),
        Col::text("Status"),
        Col::text("Expected"),
        Col::number("Units"),
        Col::number("Still to come"),
        Col::number("Value"),
    ];
    let rows = rows.iter().map(|p| {
        let cells = [
            html! { (p.number) },
            html! { bdi { (p.supplier_name) } },
            html! { bdi { (p.location_name) } },
            state(p.status),
            due(p.expected_at, is_due(p.status), now),
            html! { (p.units) },
            h::or_none(p.open),
            h::amount(p.value, base),
        ];
        Row::new(cells).href(path_of(p.id)).quiet(p.status == PurchaseStatus::Cancelled).id(p.id.to_string())
    });
    Table::new("Purchase orders", &cols, rows).show()
}

/// One, with everything that belongs to it.
struct Whole {
    head: Purchase,
    lines: Vec<PurchaseLine>,
    receipts: Vec<PurchaseReceipt>,
    base: Currency,
    names: HashMap<String, String>,
}

async fn whole(app: &App, id: PurchaseId) -> Result<Whole, Problem> {
    let sql = app.db.read();
    let head = purchase::purchase(sql, id).await?;
    let head = head.ok_or_else(|| Problem::not_found(format!("purchase order {id}")))?;
    let receipts = purchase::purchase_receipts(sql, id).await?;
    let by: Vec<String> = receipts.iter().filter_map(|r| r.by_actor.clone()).collect();
    let actors: Vec<&str> = by.iter().map(String::as_str).collect();
    Ok(Whole {
        head,
        lines: purchase::purchase_lines(sql, &[id]).await?,
        names: web::auth::names(sql, &actors).await?,
        receipts,
        base: crate::base_currency(sql).await?,
    })
}

/// Shows it.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadPurchasing>,
    Segment(id): Segment<PurchaseId>,
) -> Result<Markup, Problem> {
    let whole = whole(&app, id).await?;
    Ok(screen(&app, &caller, &whole, &receive::Sent::of(&whole.lines), None))
}

/// The page, with the form that receives as it was filled in.
fn screen(app: &App, caller: &Caller, w: &Whole, sent: &receive::Sent, error: Option<&str>) -> Markup {
    let p = &w.head;
    let may = caller.may::<WritePurchasing>();
    let draft = p.status == PurchaseStatus::Draft;
    let takes =
        caller.may::<WriteInventory>() && p.ordered_at.is_some() && p.status != PurchaseStatus::Cancelled;
    let body = h::split(
        html! {
            (h::card("Lines", lines(caller, w)))
            @if takes { (receive::form(w, sent, error)) }
            @if !w.receipts.is_empty() { (h::card("What came", came(w))) }
        },
        html! {
            (h::card("Purchase order", facts(w, app.db.now())))
            @if may && p.open > 0 { (h::card("Cancel", cancel_form(p))) }
        },
    );
    Screen::new(caller, p.number.clone())
        .crumb("Purchase orders", PATH)
        .beside(state(p.status))
        .subtitle(html! { "From " bdi { (p.supplier_name) } " to " bdi { (p.location_name) } })
        .actions(html! { @if may && draft {
            (h::link(&format!("{}/edit", path_of(p.id)), "Edit", "secondary", "e"))
            (h::confirm_with("order-it", &format!("{}/order", path_of(p.id)), "Order", "primary",
                &format!("It is ordered from {} then, counts as incoming, and can no longer be edited.", p.supplier_name), web::once()))
        } })
        .live(format!("purchase:{}", p.id))
        .show(body)
}

fn facts(w: &Whole, now: Timestamp) -> Markup {
    let p = &w.head;
    h::facts([
        ("Supplier’s number", html! { bdi { (p.reference.as_deref().unwrap_or("–")) } }),
        ("Created", h::time(p.created_at)),
        ("Ordered", html! { @match p.ordered_at { Some(at) => (h::time(at)), None => (h::none()) } }),
        ("Expected", due(p.expected_at, is_due(p.status), now)),
        ("Units", html! { (p.units) }),
        ("Received", html! { (p.received) @if p.surplus > 0 { ", " (p.surplus) " more than ordered" } }),
        ("Still to come", html! { (p.open) }),
        ("Value", h::amount(p.value, w.base)),
    ])
}

fn lines(caller: &Caller, w: &Whole) -> Markup {
    let cols = [
        Some(Col::text("SKU")),
        Some(Col::number("Ordered")),
        Some(Col::number("Received")),
        w.lines.iter().any(|l| l.cancelled > 0).then(|| Col::number("Cancelled")),
        Some(Col::number("Open")),
        Some(Col::number("Unit cost")),
        Some(Col::number("Cost")),
    ];
    let stock = caller.scopes.allow("inventory:read");
    let rows = w.lines.iter().map(|l| {
        let cells = [
            html! { bdi.text-nowrap { (l.sku) } div.text-secondary { bdi { (l.title) } } },
            html! { (l.ordered) },
            html! { (h::or_none(l.received)) @if l.surplus > 0 { " " (h::tag(&format!("{} more", l.surplus), Tone::Warn)) } },
            h::or_none(l.cancelled),
            h::or_none(l.open),
            h::amount(l.unit_cost, w.base),
            h::amount(l.unit_cost * l.ordered, w.base),
        ];
        // What is empty of every line takes no room.
        let row = Row::new(cells.into_iter().zip(&cols).filter(|(_, col)| col.is_some()).map(|(cell, _)| cell));
        if stock { row.href(super::stock_path(&l.sku)) } else { row }
    });
    let rows: Vec<Row> = rows.collect();
    let cols: Vec<Col<'_>> = cols.into_iter().flatten().collect();
    Table::new("Lines", &cols, rows).show()
}

fn came(w: &Whole) -> Markup {
    let cols = [
        Col::text("When"),
        Col::text("SKU"),
        Col::number("Units"),
        Col::text("Delivery note"),
        Col::text("More than ordered"),
        Col::text("By"),
    ];
    let rows = w.receipts.iter().map(|r| {
        let by = r.by_actor.as_deref().unwrap_or_default();
        Row::new([
            h::time(r.at),
            html! { bdi.text-nowrap { (r.sku) } },
            html! { (r.quantity) },
            html! { @match r.reference.as_deref() { Some(note) => bdi { (note) }, None => (h::none()) } },
            html! { @if r.surplus > 0 { (r.surplus) ": " bdi { (r.reason.as_deref().unwrap_or_default()) } } @else { (h::none()) } },
            html! { @if by.is_empty() { (h::none()) } @else { bdi { (web::auth::actor_name(&w.names, by)) } } },
        ])
    });
    Table::new("What came", &cols, rows).show()
}

fn cancel_form(p: &Purchase) -> Markup {
    let draft = p.status == PurchaseStatus::Draft;
    html! {
        form method="post" action={ (path_of(p.id)) "/cancel" } {
            (web::once())
            @if !draft { (h::field(&h::Field { label: "Why", name: "reason", required: true, ..h::Field::default() })) }
            button.btn type="submit" { @if draft { "Delete draft" } @else { "Cancel " (h::count(p.open, "unit")) } }
        }
    }
}

#[derive(Deserialize, Serialize, Default)]
#[serde(default)]
pub(super) struct Act {
    once: String,
    reason: String,
}

/// Sends it to the supplier.
pub(super) async fn order(
    State(app): State<App>,
    caller: May<WritePurchasing>,
    Segment(id): Segment<PurchaseId>,
    Form(sent): Form<Act>,
) -> Result<Response, Problem> {
    let key = Key::once(&sent.once, &format!("{}/order", path_of(id)));
    web::submit!(app, caller, key, "inventory.order_purchase_page", &sent, |tx| {
        order_purchases(tx, &[OrderPurchase { at: tx.now(), purchase: id }]).await?.remove(0).or_problem()?;
        Ok(Reply::empty())
    })?;
    Ok(web::done("Ordered: its units are incoming").to(&path_of(id)))
}

/// Cancels what is still to come.
pub(super) async fn cancel(
    State(app): State<App>,
    caller: May<WritePurchasing>,
    Segment(id): Segment<PurchaseId>,
    Form(sent): Form<Act>,
) -> Result<Response, Problem> {
    let key = Key::once(&sent.once, &format!("{}/cancel", path_of(id)));
    web::submit!(app, caller, key, "inventory.cancel_purchase_page", &sent, |tx| {
        let want = CancelPurchase { at: tx.now(), purchase: id, reason: sent.reason.clone() };
        cancel_purchases(tx, &[want]).await?.remove(0).or_problem()?;
        Ok(Reply::empty())
    })?;
    Ok(web::done("What was still to come is cancelled").to(&path_of(id)))
}
