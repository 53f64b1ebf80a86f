//! Count sheets: started for a location or some of its bins, counted blind, looked at, approved.
//!
//! Invariant: a count is sent once. What was counted already stands beside an empty box and not in it, so that sending the page again does
//! not compare an old count with what the books say now.

use super::{named, places, stock_path};
use crate::api::{ReadInventory, WriteInventory};
use crate::sheet::{
    self, ApproveSheet, DiscardSheet, EnterCount, LineOrder, Sheet, SheetId, SheetLine, SheetStatus, Show,
    StartSheet, approve_sheets, discard_sheets, enter_counts, start_sheets,
};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use catalog::SkuId;
use kernel::{Currency, Fault};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use web::html::{self as h, Col, Combobox, Field, Icon, Row, Tab, Table, Tone};
use web::{App, Caller, Form, Key, May, OrProblem, Paging, Params, Problem, Reply, Screen, Segment};

const PATH: &str = "/stock/counts";

fn path_of(id: SheetId) -> String {
    format!("{PATH}/{id}")
}

fn state(status: SheetStatus) -> Markup {
    match status {
        SheetStatus::Open => h::tag("Open", Tone::Info),
        SheetStatus::Approved => h::tag("Approved", Tone::Good),
        SheetStatus::Discarded => h::tag("Given up", Tone::Quiet),
    }
}

#[derive(Deserialize, Serialize, Default)]
#[serde(default)]
pub(super) struct Start {
    once: String,
    location: String,
    bins: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct ListQuery {
    cursor: Option<String>,
}

/// The sheets, and the form that starts one.
pub(super) async fn list(
    State(app): State<App>,
    caller: May<ReadInventory>,
    Params(q): Params<ListQuery>,
) -> Result<Markup, Problem> {
    all(&app, &caller, &q, &Start::default(), None).await
}

async fn all(
    app: &App,
    caller: &Caller,
    q: &ListQuery,
    sent: &Start,
    error: Option<&str>,
) -> Result<Markup, Problem> {
    let sql = app.db.read();
    let paging = Paging::<SheetId>::read(None, q.cursor.as_deref())?;
    let page = paging.page(sheet::sheets(sql, paging.after, paging.fetch()).await?, |s| s.id);
    let list = html! {
        @if page.data.is_empty() {
            (h::empty_with(Icon::ClipboardCheck, "No count sheets yet", "A sheet is a part of a location to be counted, by bin.", html! {}))
        } @else {
            (table(&page.data))
            (h::pages(PATH, page.next_cursor.as_deref(), q.cursor.is_some(), page.data.len()))
        }
    };
    let body = match caller.scopes.allow("inventory:write") {
        true => {
            let all = places(sql).await?;
            let names: Vec<String> = all.iter().map(named).collect();
            let options: Vec<(&str, &str)> =
                all.iter().zip(&names).map(|(l, n)| (l.code.as_str(), n.as_str())).collect();
            let form = html! {
                @if let Some(sentence) = error { (h::alert("danger", sentence)) }
                form method="post" action=(PATH) {
                    (web::once_again(&sent.once))
                    (h::select("Location", "location", &options, &sent.location))
                    (h::field(&Field { label: "Bins that begin with", name: "bins", value: &sent.bins, hint: "Empty for all of the location.", ..Field::default() }))
                    (h::form_buttons("Start", None))
                }
            };
            h::split(list, h::card("New sheet", form))
        }
        false => list,
    };
    Ok(Screen::new(caller, "Count sheets").crumb("Stock", "/stock").live("queue:counts").show(body))
}

fn table(rows: &[Sheet]) -> Markup {
    let cols = [
        Col::text("Started"),
        Col::text("Location"),
        Col::text("Bins"),
        Col::text("Status"),
        Col::number("Lines"),
        Col::number("Counted"),
        Col::number("Different"),
    ];
    let rows = rows.iter().map(|s| {
        let bins = if s.bins.is_empty() { "All" } else { &s.bins };
        Row::new([
            h::time(s.started_at),
            html! { bdi { (s.location_name) } },
            html! { (bins) },
            state(s.status),
            html! { (s.total) },
            html! { (s.counted) },
            html! { (s.differing) },
        ])
        .href(path_of(s.id))
        .quiet(s.status == SheetStatus::Discarded)
        .id(s.id.to_string())
    });
    Table::new("Count sheets", &cols, rows).show()
}

/// Starts one.
pub(super) async fn start(
    State(app): State<App>,
    caller: May<WriteInventory>,
    Form(sent): Form<Start>,
) -> Result<Response, Problem> {
    let location = places(app.db.read()).await?.into_iter().find(|l| l.code == sent.location).map(|l| l.id);
    let location = location.ok_or_else(|| Problem::invalid("location", "Choose a location."))?;
    let key = Key::once(&sent.once, PATH);
    let done = web::submit!(app, caller, key, "inventory.start_sheet_page", &sent, |tx| {
        let want = StartSheet { at: tx.now(), location, bins: sent.bins.clone() };
        let id = start_sheets(tx, &[want]).await?.remove(0).or_problem()?;
        web::reply(StatusCode::OK, &id)
    });
    match done {
        Ok(reply) => {
            let id: SheetId = serde_json::from_str(reply.body()).map_err(Fault::from)?;
            Ok(web::done("The sheet is started").to(&path_of(id)))
        }
        Err(problem) if problem.status().is_client_error() => {
            let page = all(&app, &caller, &ListQuery::default(), &sent, Some(problem.detail())).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(problem) => Err(problem),
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Query {
    cursor: Option<String>,
    show: String,
}

impl Query {
    /// What is shown: at first what is to be counted, or what differed.
    fn show(&self, sheet: &Sheet) -> Show {
        match self.show.as_str() {
            "all" => Show::All,
            "different" => Show::Different,
            "to_count" => Show::ToCount,
            _ if sheet.status == SheetStatus::Open && sheet.counted < sheet.total => Show::ToCount,
            _ => Show::Different,
        }
    }
}

fn word(show: Show) -> &'static str {
    match show {
        Show::All => "all",
        Show::ToCount => "to_count",
        Show::Different => "different",
    }
}

/// A sheet.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadInventory>,
    Segment(id): Segment<SheetId>,
    Params(q): Params<Query>,
) -> Result<Markup, Problem> {
    screen(&app, &caller, id, &q, &Sent::default(), None).await
}

async fn screen(
    app: &App,
    caller: &Caller,
    id: SheetId,
    q: &Query,
    sent: &Sent,
    error: Option<&str>,
) -> Result<Markup, Problem> {
    let sql = app.db.read();
    let sheet = sheet::sheet(sql, id).await?;
    let sheet = sheet.ok_or_else(|| Problem::not_found(format!("count sheet {id}")))?;
    let paging = Paging::<LineOrder>::read(None, q.cursor.as_deref())?;
    let show = q.show(&sheet);
    let rows = sheet::sheet_lines(sql, id, show, paging.after.as_ref(), paging.fetch()).await?;
    let page = paging.page(rows, |l| (l.bin.clone().unwrap_or_default(), l.sku.clone()));
    let actors: Vec<&str> = page.data.iter().filter_map(|l| l.counted_by.as_deref()).collect();
    let names = web::auth::names(sql, &actors).await?;
    let base = crate::base_currency(sql).await?;
    let (path, open) = (path_of(id), sheet.status == SheetStatus::Open);
    let may = caller.scopes.allow("inventory:write");
    let here = h::query(&path, &[("show", word(show))]);
    let hrefs = [Show::ToCount, Show::All, Show::Different].map(|s| h::query(&path, &[("show", word(s))]));
    let titles = [
        ("To count", Show::ToCount, sheet.total - sheet.counted),
        ("All", Show::All, sheet.total),
        ("Different", Show::Different, sheet.differing),
    ];
    let tabs: Vec<Tab<'_>> = titles
        .iter()
        .zip(&hrefs)
        .map(|((title, s, n), href)| Tab { title, href, here: *s == show, count: u64::try_from(*n).ok() })
        .collect();
    let body = html! {
        @if let Some(sentence) = error { (h::alert("danger", sentence)) }
        @if open && may && show != Show::Different { (counting(&page.data, &here, sent, &path)) }
        @else if page.data.is_empty() { (h::empty_with(Icon::CircleCheck, "Nothing here", "No line of the sheet is so.", html! {})) }
        @else { (differences(&page.data, base, &names)) }
        (h::pages(&here, page.next_cursor.as_deref(), q.cursor.is_some(), page.data.len()))
    };
    let bins = if sheet.bins.is_empty() { "all bins".to_owned() } else { format!("bins {}…", sheet.bins) };
    Ok(Screen::new(caller, format!("Count {}", sheet.location_name))
        .crumb("Stock", "/stock")
        .crumb("Count sheets", PATH)
        .beside(state(sheet.status))
        .subtitle(html! { (bins) " · started " (h::time(sheet.started_at)) " · " (sheet.counted) " of " (sheet.total) " counted" })
        .actions(html! { @if open && may {
            (h::confirm("discard", &format!("{path}/discard"), "Discard sheet", "secondary", "Nothing is corrected, and the sheet takes no more counts.", &[]))
            (h::confirm("approve", &format!("{path}/approve"), "Approve", "primary", &approving(&sheet), &[]))
        } })
        .above(h::tabs("Lines", &tabs))
        .show(body))
}

fn approving(s: &Sheet) -> String {
    let left = match s.total - s.counted {
        0 => String::new(),
        left => format!(" {} not counted and left as they are.", h::count(left, "line")),
    };
    format!("{} of {} counted lines differ and are corrected.{left}", s.differing, s.counted)
}

/// The lines with a box each, and one for what is not on the sheet.
fn counting(rows: &[SheetLine], here: &str, sent: &Sent, path: &str) -> Markup {
    let cols = [
        Col::text("Bin"),
        Col::text("SKU"),
        Col::text("Title"),
        Col::number("Counted"),
        Col::text("Units found"),
    ];
    let lines = rows.iter().enumerate().map(|(i, l)| {
        let id = l.sku_id.to_string();
        let given = sent.lines.iter().find(|s| s.sku == id).map_or("", |s| s.counted.as_str());
        let bin = l.bin.as_deref().unwrap_or("–");
        Row::new([
            html! { (bin) },
            html! { bdi { (l.sku) } },
            html! { bdi { (l.title) } },
            html! { @if let Some(counted) = l.counted { (counted) } },
            html! {
                input type="hidden" name=(format!("lines[{i}][sku]")) value=(id);
                input.form-control name=(format!("lines[{i}][counted]")) value=(given) inputmode="numeric" autocomplete="off" aria-label={ "Units found of " (l.sku) };
            },
        ])
    });
    html! {
        form method="post" action=(path) autocomplete="off" {
            (web::once_again(&sent.once))
            input type="hidden" name="back" value=(here);
            @if !rows.is_empty() { (Table::new("Lines to count", &cols, lines).show()) }
            @else { (h::empty_with(Icon::CircleCheck, "Everything is counted", "Look at what differs, and approve.", html! {})) }
            (h::card("Not on the sheet", h::fields([
                h::combobox(&Combobox { label: "SKU or barcode", name: "sku", value: sent.scanned(), shown: sent.scanned(), source: "/catalog/lookup", free: true, ..Combobox::default() }),
                h::field(&Field { label: "Units found", name: "found", value: &sent.found, ..Field::default() }),
            ])))
            (h::form_buttons("Enter counts", None))
        }
    }
}

/// Counted lines beside what the books said.
fn differences(rows: &[SheetLine], base: Currency, names: &HashMap<String, String>) -> Markup {
    let cols = [
        Col::text("SKU"),
        Col::text("Title"),
        Col::text("Bin"),
        Col::number("Books"),
        Col::number("Found"),
        Col::number("Difference"),
        Col::number("Value"),
        Col::text("By"),
        Col::text("Outcome"),
    ];
    let number = |n: Option<i64>| html! { @match n { Some(n) => (n), None => (h::none()) } };
    let rows = rows.iter().map(|l| {
        let delta = l.delta();
        let by = l.counted_by.as_deref().unwrap_or_default();
        let tone = if delta.is_some_and(|d| d < 0) { Tone::Bad } else { Tone::Warn };
        Row::new([
            html! { bdi { (l.sku) } },
            html! { bdi { (l.title) } },
            html! { (l.bin.as_deref().unwrap_or("–")) },
            number(l.expected),
            number(l.counted),
            html! { @match delta { Some(0) => "0", Some(d) => (h::tag(&format!("{d:+}").replace('-', "−"), tone)), None => "" } },
            html! { @if delta.is_some_and(|d| d != 0) { (h::amount(l.value(), base)) } },
            html! { @if by.is_empty() { (h::none()) } @else { bdi { (web::auth::actor_name(names, by)) } } },
            html! {
                @match l.outcome.as_deref() {
                    Some("adjusted") => (h::tag("Corrected", Tone::Good)),
                    Some("refused") => { (h::tag("Left out", Tone::Bad)) " " (l.why.as_deref().unwrap_or_default()) },
                    _ => ""
                }
            },
        ])
        .href(stock_path(&l.sku))
    });
    Table::new("Differences", &cols, rows).show()
}

#[derive(Deserialize, Serialize, Default, Clone)]
#[serde(default)]
pub(super) struct Sent {
    once: String,
    back: String,
    lines: Vec<Line>,
    sku: String,
    sku_typed: String,
    found: String,
}

#[derive(Deserialize, Serialize, Default, Clone)]
#[serde(default)]
struct Line {
    sku: String,
    counted: String,
}

impl Sent {
    fn scanned(&self) -> &str {
        let sku = self.sku.trim();
        if sku.is_empty() { self.sku_typed.trim() } else { sku }
    }
    /// The boxes of the sheet that are filled in.
    fn counts(&self) -> Result<Vec<(SkuId, i64)>, String> {
        let filled = self.lines.iter().filter(|l| !l.counted.trim().is_empty());
        filled.map(|l| Ok((l.sku.parse().map_err(|e| format!("{e}."))?, units(&l.counted)?))).collect()
    }
    /// What was found beside it: a code or barcode, and units.
    fn beside(&self) -> Result<Option<(&str, i64)>, String> {
        match self.scanned() {
            "" => Ok(None),
            text => Ok(Some((text, units(&self.found)?))),
        }
    }
}

fn units(text: &str) -> Result<i64, String> {
    text.trim().parse().map_err(|_| format!("“{}” is not a whole number of units.", text.trim()))
}

/// What was counted, or what does not read.
async fn found(app: &App, sent: &Sent) -> Result<Result<Vec<(SkuId, i64)>, String>, Fault> {
    let (mut counts, beside) = match (sent.counts(), sent.beside()) {
        (Ok(counts), Ok(beside)) => (counts, beside),
        (Err(sentence), _) | (_, Err(sentence)) => return Ok(Err(sentence)),
    };
    if let Some((text, n)) = beside {
        match catalog::skus_by_scan(app.db.read(), &[text]).await?.remove(text) {
            Some(sku) => counts.push((sku, n)),
            None => return Ok(Err(format!("No SKU has the code or barcode “{text}”."))),
        }
    }
    Ok(if counts.is_empty() { Err("Fill in what you found.".to_owned()) } else { Ok(counts) })
}

/// Enters counts: all that were sent, or none.
pub(super) async fn enter(
    State(app): State<App>,
    caller: May<WriteInventory>,
    Segment(id): Segment<SheetId>,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let path = path_of(id);
    let refused = match found(&app, &sent).await? {
        Err(sentence) => sentence,
        Ok(counts) => {
            let key = Key::once(&sent.once, &path);
            let done = web::submit!(app, caller, key, "inventory.enter_counts_page", &sent, |tx| {
                let at = tx.now();
                let one = |(sku, counted)| EnterCount { at, sheet: id, sku, counted };
                let batch: Vec<EnterCount> = counts.iter().copied().map(one).collect();
                for outcome in enter_counts(tx, &batch).await? {
                    outcome.or_problem()?;
                }
                Ok(Reply::empty())
            });
            match done {
                Ok(_) => {
                    let back = if sent.back.starts_with(&path) { &sent.back } else { &path };
                    return Ok(web::done(format!("{} counts entered", counts.len())).to(back));
                }
                Err(problem) if problem.status().is_client_error() => problem.detail().to_owned(),
                Err(problem) => return Err(problem),
            }
        }
    };
    let show = sent.back.split_once("show=").map_or("", |(_, show)| show).to_owned();
    let query = Query { cursor: None, show };
    let page = screen(&app, &caller, id, &query, &sent, Some(&refused)).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

/// Corrects what differs.
pub(super) async fn approve(
    State(app): State<App>,
    caller: May<WriteInventory>,
    Segment(id): Segment<SheetId>,
) -> Result<Response, Problem> {
    let key = Key::once(&format!("approve{}", id.0), &path_of(id));
    web::submit!(app, caller, key, "inventory.approve_sheet_page", &"", |tx| {
        approve_sheets(tx, &[ApproveSheet { at: tx.now(), sheet: id }]).await?.remove(0).or_problem()?;
        Ok(Reply::empty())
    })?;
    Ok(web::done("The sheet is approved").to(&h::query(&path_of(id), &[("show", "different")])))
}

/// Gives it up.
pub(super) async fn discard(
    State(app): State<App>,
    caller: May<WriteInventory>,
    Segment(id): Segment<SheetId>,
) -> Result<Response, Problem> {
    let key = Key::once(&format!("discard{}", id.0), &path_of(id));
    web::submit!(app, caller, key, "inventory.discard_sheet_page", &"", |tx| {
        discard_sheets(tx, &[DiscardSheet { at: tx.now(), sheet: id }]).await?.remove(0).or_problem()?;
        Ok(Reply::empty())
    })?;
    Ok(web::done("The sheet is given up").to(PATH))
}
