//! Picking: one fulfilment order picked by scan, one place after the other.

use super::scan::{Desk, Said, Scanned, picture, screen};
use super::{fulfilment, refused, single};
use crate::model::{Fulfilment, FulfilmentId, FulfilmentLineId};
use crate::queue::{self, Piece, Queued, Waits};
use crate::{Pick, PickWarehouse, ShortPick, Unpick, What};
use axum::extract::State;
use axum::response::Response;
use kernel::Fault;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use web::html::{self as h, Field, Icon, Select};
use web::{App, Caller, Form, Key, May, Problem, Reply, Segment};

/// One fulfilment order.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<PickWarehouse>,
    Segment(id): Segment<FulfilmentId>,
) -> Result<Response, Problem> {
    answer(&app, &caller, id, Said::Nothing).await
}

async fn answer(app: &App, caller: &Caller, id: FulfilmentId, said: Said) -> Result<Response, Problem> {
    let f = fulfilment(app.db.read(), id).await?;
    let pieces = queue::pieces(app.db.read(), id).await?;
    let next = match f.open() {
        0 => queue::waiting(app.db.read(), Waits::Pick, Some(f.location), None, 1).await?.into_iter().next(),
        _ => None,
    };
    let desk = Desk {
        action: format!("/pick/{id}/scan"),
        undo: format!("/pick/{id}/undo"),
        label: "Item",
        quantity: true,
        done: f.open() == 0,
        said,
        state: state(&f, &pieces, next.as_ref()),
        live: format!("fulfilment:{id}"),
    };
    let screen = screen(caller, format!("Pick {}", f.number), ("Pick", "/pick")).beside(html! {
        (h::badge(f.status.as_str())) @if f.priority > 0 { (h::badge("express")) }
    });
    Ok(desk.answer(screen))
}

fn state(f: &Fulfilment, pieces: &[Piece], next: Option<&Queued>) -> Markup {
    let (all, done) = (f.quantity - f.cancelled, f.picked);
    let open: Vec<&Piece> = pieces.iter().filter(|p| p.to_pick() > 0).collect();
    let taken: Vec<&Piece> = pieces.iter().filter(|p| p.to_pick() == 0).collect();
    html! {
        (h::progress(u64::try_from(done).unwrap_or(0), u64::try_from(all).unwrap_or(0), "Units picked"))
        @if !f.begun() { (h::note("warning", html! { "Not released to the floor yet. " a href="/warehouse" { "Release it" } " first." })) }
        @if f.on_hold { (h::alert("warning", "The order is on hold: nothing of it is picked until the hold is lifted.")) }
        @if let Some(current) = open.first() {
            (current_line(f, current))
            @if open.len() > 1 { h2.scan-head { "Then" } ol.scan-rest { @for p in &open[1..] { (rest(p, p.to_pick(), "to take")) } } }
        } @else { (finished(f, next)) }
        @if !taken.is_empty() {
            h2.scan-head { "Taken" }
            ol.scan-rest.scan-taken { @for p in taken { (rest(p, p.each * p.units, "taken")) } }
        }
    }
}

fn finished(f: &Fulfilment, next: Option<&Queued>) -> Markup {
    html! {
        div.scan-finished {
            (h::icon(Icon::CircleCheck))
            p { @if f.picked > 0 { "Everything is picked." } @else { "Nothing is left to pick here." } }
            div.button-row {
                @if f.packed < f.picked { a.btn.btn-primary.scan-big data-scan-next href={ "/pack/" (f.id) } { "Pack " (f.number) } }
                @if let Some(next) = next { a.btn.scan-big href={ "/pick/" (next.id) } { "Next: " (next.number) } }
                @else { a.btn.scan-big href="/pick" { "To the lists" } }
            }
        }
    }
}

/// Where to go and what to take: large.
fn current_line(f: &Fulfilment, p: &Piece) -> Markup {
    html! {
        article.scan-line aria-label="Take next" {
            div.scan-bin {
                span.scan-small { "Bin" }
                @match &p.bin { Some(bin) => bdi { (bin) }, None => span.scan-none { "none" } }
            }
            div.scan-what {
                (picture(&p.code, &p.title))
                div {
                    p.scan-code { bdi { (p.code) } }
                    p.scan-title { bdi { (p.title) } }
                    @if p.is_part() { p.text-secondary { "for " bdi { (p.sold_title) } } }
                    p.text-secondary { (p.on_hand) " on the shelf" }
                }
            }
            div.scan-count { span.scan-number { (p.to_pick()) } span.scan-small { "to take" } }
            div.scan-missing { button.btn.scan-big type="button" data-opens="short" aria-haspopup="dialog" { "Something is missing" } }
        }
        (short_dialog(f, p))
    }
}

fn short_dialog(f: &Fulfilment, p: &Piece) -> Markup {
    let most = p.open.to_string();
    h::dialog(
        "short",
        "What is missing?",
        html! {
            form #short-form method="post" action={ "/pick/" (f.id) "/short" } {
                (web::once())
                input type="hidden" name="line" value=(p.line);
                p { bdi { (p.sold) } " · " bdi { (p.sold_title) } }
                (h::field(&Field { label: "Units that are not there", name: "quantity", kind: "number", value: &most, required: true,
                    hint: "They leave the stock and are sourced elsewhere, or wait for goods.", id: "short-quantity", ..Field::default() }))
                (h::select_field(&Select { label: "Why", name: "reason", options: REASONS, chosen: "shelf empty", ..Select::default() }))
            }
        },
        html! {
            form method="dialog" { button.btn.scan-big type="submit" { "Cancel" } }
            button.btn.btn-danger.scan-big type="submit" form="short-form" { "Report missing" }
        },
    )
}

const REASONS: &[(&str, &str)] = &[
    ("shelf empty", "The shelf is empty"),
    ("damaged", "Damaged"),
    ("wrong item on the shelf", "Something else lies there"),
    ("not found", "Cannot be found"),
];

/// A line that is not the current one.
pub(super) fn rest(p: &Piece, pieces: i64, word: &str) -> Markup {
    html! {
        li {
            span.scan-rest-bin { (p.bin.as_deref().unwrap_or("–")) }
            span.scan-rest-what { bdi { strong { (p.code) } " " (p.title) } @if p.is_part() { " " span.text-secondary { "for " bdi { (p.sold) } } } }
            span.scan-rest-count { (pieces) " " (word) }
        }
    }
}

/// What a scan of something that was right says.
pub(super) async fn told(app: &App, text: &str, pieces: i64) -> Result<String, Fault> {
    let sql = app.db.read();
    let Some(sku) = catalog::skus_by_scan(sql, &[text]).await?.remove(text) else {
        return Ok(text.to_owned());
    };
    let named = catalog::skus_by_id(sql, &[sku]).await?.remove(&sku);
    let title = named.map_or_else(|| text.to_owned(), |s| format!("{} · {}", s.code, s.title));
    Ok(if pieces > 1 { format!("{pieces} × {title}") } else { title })
}

/// Picks what was scanned.
pub(super) async fn scan(
    State(app): State<App>,
    caller: May<PickWarehouse>,
    Segment(id): Segment<FulfilmentId>,
    Form(sent): Form<Scanned>,
) -> Result<Response, Problem> {
    let (text, quantity) = (sent.scan.trim().to_owned(), sent.pieces());
    let key = Key::once(&sent.once, &format!("/pick/{id}/scan"));
    let done = web::submit!(app, caller, key, "warehouse.pick_page", &sent, |tx| {
        let item = Pick { at: tx.now(), fulfilment: id, what: What::Scan(text.clone()), quantity };
        single(crate::pick(tx, &[item]).await?)?;
        Ok(Reply::empty())
    });
    let said = match refused(done)? {
        Ok(_) => Said::Right(text.clone(), quantity, told(&app, &text, quantity).await?),
        Err(problem) => Said::Wrong(text, problem.detail().to_owned()),
    };
    answer(&app, &caller, id, said).await
}

/// Puts the last scan back.
pub(super) async fn undo(
    State(app): State<App>,
    caller: May<PickWarehouse>,
    Segment(id): Segment<FulfilmentId>,
    Form(sent): Form<Scanned>,
) -> Result<Response, Problem> {
    let (text, quantity) = (sent.scan.trim().to_owned(), sent.pieces());
    let key = Key::once(&sent.once, &format!("/pick/{id}/undo"));
    let done = web::submit!(app, caller, key, "warehouse.unpick_page", &sent, |tx| {
        let item = Unpick { at: tx.now(), fulfilment: id, what: What::Scan(text.clone()), quantity };
        single(crate::unpick(tx, &[item]).await?)?;
        Ok(Reply::empty())
    });
    let said = match refused(done)? {
        Ok(_) => Said::Back(format!("{} is back on the shelf", told(&app, &text, quantity).await?)),
        Err(problem) => Said::Wrong(text, problem.detail().to_owned()),
    };
    answer(&app, &caller, id, said).await
}

#[derive(Deserialize, Serialize)]
pub(super) struct Short {
    #[serde(default)]
    once: String,
    line: FulfilmentLineId,
    quantity: String,
    reason: String,
}

/// Reports missing units.
pub(super) async fn short(
    State(app): State<App>,
    caller: May<PickWarehouse>,
    Segment(id): Segment<FulfilmentId>,
    Form(sent): Form<Short>,
) -> Result<Response, Problem> {
    // What does not read is none, which the command refuses.
    let quantity = sent.quantity.trim().parse().unwrap_or(0);
    let key = Key::once(&sent.once, &format!("/pick/{id}/short"));
    let done = web::submit!(app, caller, key, "warehouse.short_page", &sent, |tx| {
        let (line, quantity, reason) = (sent.line, quantity, sent.reason.clone());
        let item = ShortPick { at: tx.now(), fulfilment: id, line, quantity, reason };
        single(crate::short_pick(tx, &[item]).await?)?;
        Ok(Reply::empty())
    });
    match refused(done)? {
        Ok(_) => {
            Ok(web::done("Reported missing: it is sourced elsewhere, or waits").to(&format!("/pick/{id}")))
        }
        Err(problem) => {
            answer(&app, &caller, id, Said::Wrong(String::new(), problem.detail().to_owned())).await
        }
    }
}
