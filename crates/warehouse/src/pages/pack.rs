//! The pack station: scan every unit into the box, choose the box, weigh it, close it. The label
//! comes after that, on the page of the parcel.

use super::pick::{rest, told};
use super::scan::{Desk, Said, Scanned, picture, screen};
use super::{fulfilment, refused, single};
use crate::cartons::{Carton, Suggested, cartons, suggest};
use crate::model::{Fulfilment, FulfilmentId, ParcelId};
use crate::queue::{self, Piece};
use crate::{CloseBox, Pack, PickWarehouse, StationScan, read};
use axum::extract::State;
use axum::response::Response;
use catalog::{Sku, SkuId};
use kernel::Fault;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use web::html::{self as h, Field, Icon, Tone};
use web::{App, Caller, Form, Key, May, Problem, Reply, Segment};

/// What the close form holds, and what is wrong with it.
#[derive(Deserialize, Serialize, Default, Clone)]
#[serde(default)]
pub(super) struct Close {
    once: String,
    carton: String,
    weight: String,
    length: String,
    width: String,
    height: String,
    split: String,
}

/// Sentences by field.
type Errors = HashMap<&'static str, String>;

/// One fulfilment order at the station.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<PickWarehouse>,
    Segment(id): Segment<FulfilmentId>,
) -> Result<Response, Problem> {
    answer(&app, &caller, id, Said::Nothing, None).await
}

/// What the page shows of a fulfilment order.
struct Station {
    f: Fulfilment,
    pieces: Vec<Piece>,
    skus: HashMap<SkuId, Arc<Sku>>,
    cartons: Vec<Carton>,
    suggested: Suggested,
    parcel: Option<ParcelId>,
}

impl Station {
    async fn load(app: &App, id: FulfilmentId) -> Result<Self, Problem> {
        let sql = app.db.read();
        let f = fulfilment(sql, id).await?;
        let pieces = queue::pieces(sql, id).await?;
        let ids: Vec<SkuId> = pieces.iter().map(|p| p.sku_id).collect();
        let skus = catalog::skus_by_id(sql, &ids).await?;
        let cartons = cartons(sql).await?;
        let parcel = newest_parcel(app, &f).await?;
        let mut station = Self { f, pieces, skus, cartons, suggested: Suggested::default(), parcel };
        if station.f.packed < station.f.picked && !station.cartons.is_empty() {
            let all: Vec<(SkuId, i64)> = station.loose().map(|p| (p.sku_id, p.each * p.loose)).collect();
            let (skus, cartons) = (station.skus.clone(), station.cartons.clone());
            let found = tokio::task::spawn_blocking(move || suggest(&all, &skus, &cartons)).await;
            station.suggested = found.map_err(Fault::from)?;
        }
        Ok(station)
    }
    /// What is picked and in no parcel.
    fn loose(&self) -> impl Iterator<Item = &Piece> {
        self.pieces.iter().filter(|p| p.loose > 0)
    }
    fn missing(&self) -> i64 {
        self.loose().map(Piece::to_scan).sum()
    }
    fn scanned(&self) -> i64 {
        self.loose().map(|p| p.scanned).sum()
    }
    /// Grams of what was scanned, by the catalogue.
    fn grams(&self) -> i64 {
        let of = |p: &Piece| self.skus.get(&p.sku_id).and_then(|s| s.weight_g).unwrap_or(0) * p.scanned;
        self.loose().map(of).sum()
    }
}

/// The parcel that was packed last.
async fn newest_parcel(app: &App, f: &Fulfilment) -> Result<Option<ParcelId>, Problem> {
    let all = read::parcels_of(app.db.read(), &[f.order]).await?.remove(&f.order).unwrap_or_default();
    Ok(all.iter().rev().find(|p| p.fulfilment == f.id && p.unpacked_at.is_none()).map(|p| p.id))
}

async fn answer(
    app: &App,
    caller: &Caller,
    id: FulfilmentId,
    said: Said,
    close: Option<(&Close, &Errors)>,
) -> Result<Response, Problem> {
    let station = Station::load(app, id).await?;
    let f = &station.f;
    let desk = Desk {
        action: format!("/pack/{id}/scan"),
        undo: format!("/pack/{id}/undo"),
        label: "Unit",
        quantity: false,
        done: station.missing() == 0,
        said,
        state: state(&station, close),
        live: format!("fulfilment:{id}"),
    };
    let screen = screen(caller, format!("Pack {}", f.number), ("Pack", "/pack")).beside(html! {
        (h::badge(f.status.as_str())) @if f.priority > 0 { (h::badge("express")) }
    });
    Ok(desk.answer(screen))
}

fn state(s: &Station, close: Option<(&Close, &Errors)>) -> Markup {
    let f = &s.f;
    if f.packed == f.picked {
        return nothing_loose(s);
    }
    let all = u64::try_from(s.missing() + s.scanned()).unwrap_or(0);
    html! {
        (h::progress(u64::try_from(s.scanned()).unwrap_or(0), all, "In the box"))
        @if f.on_hold { (h::alert("warning", "The order is on hold: nothing of it is packed until the hold is lifted.")) }
        @if f.open() > 0 { (h::note("warning", html! { (f.open()) " more to be picked. " a href={ "/pick/" (f.id) } { "Pick them first" } ", or pack what is here." })) }
        ol.scan-units { @for p in s.loose() { (unit(p)) } }
        (close_form(s, close))
    }
}

/// Pieces of a kind: how many are in the box, and how many there are.
fn unit(p: &Piece) -> Markup {
    let all = p.each * p.loose;
    html! {
        li.scan-unit.scan-unit-done[p.scanned >= all] {
            (picture(&p.code, &p.title))
            div.scan-unit-what {
                p.scan-code { bdi { (p.code) } }
                p.scan-title { bdi { (p.title) } }
                @if p.is_part() { p.text-secondary { "for " bdi { (p.sold_title) } } }
            }
            div.scan-unit-count {
                @if p.scanned >= all { (h::icon(Icon::Check)) " " }
                strong { (p.scanned) } " of " (all)
            }
        }
    }
}

fn nothing_loose(s: &Station) -> Markup {
    html! {
        div.scan-finished {
            (h::icon(Icon::Package))
            p { @if s.f.open() > 0 { "Nothing is picked that is not in a parcel yet." } @else { "Everything is packed." } }
            div.button-row {
                @if let Some(parcel) = s.parcel { a.btn.btn-primary.scan-big data-scan-next href={ "/parcels/" (parcel) } { "To its parcel" } }
                @if s.f.open() > 0 { a.btn.scan-big href={ "/pick/" (s.f.id) } { "Pick " (s.f.number) } }
                a.btn.scan-big href="/pack" { "Next" }
            }
        }
        @if s.pieces.iter().any(|p| p.units > 0) {
            ol.scan-rest { @for p in &s.pieces { (rest(p, p.each * p.units, "ordered")) } }
        }
    }
}

fn close_form(s: &Station, close: Option<(&Close, &Errors)>) -> Markup {
    let (missing, scanned) = (s.missing(), s.scanned());
    let none = Errors::new();
    let empty = Close::default();
    let (form, errors) = close.unwrap_or((&empty, &none));
    let error = |name: &str| errors.get(name).map(String::as_str);
    let chosen = match close {
        Some((sent, _)) => sent.carton.parse().ok(),
        None => s.suggested.boxes.first().copied(),
    };
    let box_g = chosen.and_then(|i| s.cartons.get(i)).map_or(0, |c| c.empty_g);
    let hint = format!("By the catalogue {} g; leave empty to take that.", s.grams() + box_g);
    html! {
        form.scan-close.card.card-body method="post" action={ "/pack/" (s.f.id) "/close" } {
            (web::once_again(&form.once))
            h2.scan-head { "Box" }
            @if !s.suggested.why.is_empty() { p.text-secondary { (sentence(&s.suggested.why)) } }
            @if s.suggested.boxes.len() > 1 { (h::note("info", html! { "This takes " (s.suggested.boxes.len()) " boxes: " (names(s)) "." })) }
            (boxes(s, chosen))
            (h::fields([
                h::field(&Field { label: "Weight", name: "weight", kind: "text", unit: "g", value: &form.weight, hint: &hint, error: error("weight"), ..Field::default() }),
            ]))
            details.scan-measures open[chosen.is_none() && !s.cartons.is_empty() || errors.contains_key("length")] {
                summary { "Measures of another box" }
                (h::fields([("Length", "length", &form.length), ("Width", "width", &form.width), ("Height", "height", &form.height)].map(|(label, name, value)|
                    h::field(&Field { label, name, unit: "mm", value, error: error(name), ..Field::default() }))))
            }
            div.scan-close-buttons {
                @if missing == 0 {
                    button.btn.btn-primary.scan-big type="submit" data-scan-next { "Close the box" }
                } @else {
                    button.btn.btn-primary.scan-big type="submit" disabled { "Close the box" }
                    span.text-secondary { (missing) (if missing == 1 { " more unit" } else { " more units" }) " to scan first" }
                    @if scanned > 0 { button.btn.scan-big type="submit" name="split" value="yes" { "The box is full: close it with these" } }
                }
            }
        }
    }
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}{}", chars.as_str(), if text.ends_with('.') { "" } else { "." })
}

fn names(s: &Station) -> String {
    let of = |i: &usize| s.cartons.get(*i).map(|c| c.name.clone());
    s.suggested.boxes.iter().filter_map(of).collect::<Vec<_>>().join(", ")
}

fn boxes(s: &Station, chosen: Option<usize>) -> Markup {
    html! {
        @if !s.cartons.is_empty() {
            fieldset.radio-cards.mb-3 {
                legend.form-label { "Which box" }
                @for (i, c) in s.cartons.iter().enumerate() {
                    @let [l, w, h] = c.outer_mm;
                    label.radio-card {
                        input.form-check-input type="radio" name="carton" value=(i) checked[chosen == Some(i)];
                        span {
                            strong { bdi { (c.name) } } @if s.suggested.boxes.contains(&i) { " " (h::tag("suggested", Tone::Good)) }
                            span.form-hint { (l) " × " (w) " × " (h) " mm, " (h::weight(c.empty_g)) }
                        }
                    }
                }
                label.radio-card {
                    input.form-check-input type="radio" name="carton" value="" checked[chosen.is_none()];
                    span { strong { "Another" } span.form-hint { "Measure it below" } }
                }
            }
        }
    }
}

/// Scans a unit into the box.
pub(super) async fn scan(
    app: State<App>,
    caller: May<PickWarehouse>,
    id: Segment<FulfilmentId>,
    form: Form<Scanned>,
) -> Result<Response, Problem> {
    scanned(app, caller, id, form, false).await
}

/// Takes the last scan out of the box.
pub(super) async fn undo(
    app: State<App>,
    caller: May<PickWarehouse>,
    id: Segment<FulfilmentId>,
    form: Form<Scanned>,
) -> Result<Response, Problem> {
    scanned(app, caller, id, form, true).await
}

async fn scanned(
    State(app): State<App>,
    caller: May<PickWarehouse>,
    Segment(id): Segment<FulfilmentId>,
    Form(sent): Form<Scanned>,
    back: bool,
) -> Result<Response, Problem> {
    let text = sent.scan.trim().to_owned();
    let (path, name) = match back {
        true => (format!("/pack/{id}/undo"), "warehouse.station_undo"),
        false => (format!("/pack/{id}/scan"), "warehouse.station_scan"),
    };
    let key = Key::once(&sent.once, &path);
    let done = web::submit!(app, caller, key, name, &sent, |tx| {
        let item = StationScan { at: tx.now(), fulfilment: id, text: text.clone(), back };
        single(crate::station_scan(tx, &[item]).await?)?;
        Ok(Reply::empty())
    });
    let said = match refused(done)? {
        Ok(_) if back => Said::Back(format!("{} is out of the box again", told(&app, &text, 1).await?)),
        Ok(_) => Said::Right(text.clone(), 1, told(&app, &text, 1).await?),
        Err(problem) => Said::Wrong(text, problem.detail().to_owned()),
    };
    answer(&app, &caller, id, said, None).await
}

/// A whole number of a field that may be empty.
fn number(name: &'static str, text: &str, errors: &mut Errors) -> Option<i64> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    match text.parse::<i64>() {
        Ok(n) if (1..=1_000_000).contains(&n) => Some(n),
        _ => {
            errors.insert(name, "A whole number from 1 to 1,000,000.".into());
            None
        }
    }
}

/// Length, width and height of a box.
type Dims = (i64, i64, i64);

fn measures(form: &Close, s: &Station, errors: &mut Errors) -> (Option<i64>, Option<Dims>) {
    let weight = number("weight", &form.weight, errors);
    if let Some(carton) = form.carton.parse::<usize>().ok().and_then(|i| s.cartons.get(i)) {
        let [l, w, h] = carton.outer_mm.map(i64::from);
        // What was measured counts; otherwise what the pieces weigh, and the box.
        return (weight.or(Some(s.grams() + carton.empty_g)), Some((l, w, h)));
    }
    let edges = [("length", &form.length), ("width", &form.width), ("height", &form.height)];
    let given: Vec<Option<i64>> = edges.iter().map(|(name, text)| number(name, text, errors)).collect();
    match given[..] {
        [Some(l), Some(w), Some(h)] => (weight, Some((l, w, h))),
        [None, None, None] => (weight, None),
        _ => {
            errors.entry("length").or_insert_with(|| "All three edges, or none.".into());
            (weight, None)
        }
    }
}

/// Closes the box.
pub(super) async fn close(
    State(app): State<App>,
    caller: May<PickWarehouse>,
    Segment(id): Segment<FulfilmentId>,
    Form(sent): Form<Close>,
) -> Result<Response, Problem> {
    let station = Station::load(&app, id).await?;
    let mut errors = Errors::new();
    let (weight_g, dims) = measures(&sent, &station, &mut errors);
    if !errors.is_empty() {
        let said = Said::Wrong(String::new(), "Some fields need another look.".into());
        return answer(&app, &caller, id, said, Some((&sent, &errors))).await;
    }
    let key = Key::once(&sent.once, &format!("/pack/{id}/close"));
    let done = web::submit!(app, caller, key, "warehouse.close_page", &sent, |tx| {
        let by = tx.actor().clone();
        let pack = Pack { at: tx.now(), fulfilment: id, lines: Vec::new(), weight_g, dims, by };
        let close = CloseBox { pack, split: sent.split == "yes" };
        single(crate::close_box(tx, &[close]).await?)?;
        Ok(Reply::empty())
    });
    match refused(done)? {
        Ok(_) => {
            let parcel = newest_parcel(&app, &station.f).await?;
            let path = parcel.map_or_else(|| format!("/pack/{id}"), |p| format!("/parcels/{p}"));
            Ok(web::done("The box is closed").to(&path))
        }
        Err(problem) => {
            let said = Said::Wrong(String::new(), problem.detail().to_owned());
            answer(&app, &caller, id, said, Some((&sent, &errors))).await
        }
    }
}
