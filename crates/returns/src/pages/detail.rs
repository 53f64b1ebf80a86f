//! One return: its units, what each gives, and the forms of the steps that are legal now.

use super::act::Step;
use super::words;
use crate::api::{ReadReturns, ReceiveReturns, WriteReturns};
use crate::credit::{unit_credit, with_shipping};
use crate::label::{LabelRow, labels_of};
use crate::model::{Acceptance, Disposition, Reception, Resolution, ReturnId, Status};
use crate::photo::{PhotoRow, photos_of};
use crate::policy::Policy;
use crate::read::{self, ReturnRow, UnitRow};
use crate::settle::{Preview, preview};
use axum::extract::State;
use kernel::Money;
use maud::{Markup, html};
use orders::{LineId, LineRow, OrderId};
use std::collections::HashMap;
use web::html::{self as h, Col, Field, Row, Select, Sum, Table};
use web::{App, Caller, May, Problem, Screen, Segment};

/// A form that was refused: its fields, and why.
pub(super) struct Refused<'a> {
    pub form: &'a super::act::Form,
    pub problem: &'a Problem,
}

/// Shows a return.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadReturns>,
    Segment(id): Segment<ReturnId>,
) -> Result<Markup, Problem> {
    page(&app, &caller, id, None).await
}

/// Everything the page shows.
struct Seen {
    row: ReturnRow,
    units: Vec<UnitRow>,
    lines: HashMap<LineId, LineRow>,
    policy: Policy,
    places: Vec<(String, String)>,
    preview: Preview,
    photos: Vec<PhotoRow>,
    label: Option<LabelRow>,
}

impl Seen {
    async fn load(app: &App, id: ReturnId) -> Result<Self, Problem> {
        let sql = app.db.read();
        let row = read::by_id(sql, id).await?.ok_or_else(|| Problem::not_found(format!("return {id}")))?;
        let lines = orders::read::lines_of(sql, &[row.order_id]).await?.remove(&row.order_id);
        let places = inventory::locations(sql).await?.into_iter().filter(|l| l.active);
        Ok(Self {
            units: read::units_of(sql, &[id]).await?,
            lines: lines.unwrap_or_default().into_iter().map(|l| (l.id, l)).collect(),
            policy: Policy::read(sql).await?,
            places: places.map(|l| (l.id.to_string(), format!("{} {}", l.code, l.name))).collect(),
            preview: preview(sql, &row).await?,
            photos: photos_of(sql, &[id]).await?,
            label: labels_of(sql, &[id]).await?.remove(&id),
            row,
        })
    }
    /// What a unit gives: what was decided, or what it would give.
    fn worth(&self, unit: &UnitRow) -> i64 {
        match (unit.acceptance, self.lines.get(&unit.line_id)) {
            (Acceptance::Accepted, _) => unit.credit,
            (Acceptance::Rejected, _) | (_, None) => 0,
            (_, Some(line)) => {
                let shipping = with_shipping(&self.policy, self.row.refund_shipping, unit.reason);
                unit_credit(line, unit.unit, shipping).total()
            }
        }
    }
    fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.row.currency)
    }
}

/// The page, with what was refused where something was.
pub(super) async fn page(
    app: &App,
    caller: &Caller,
    id: ReturnId,
    refused: Option<Refused<'_>>,
) -> Result<Markup, Problem> {
    whole(app, caller, id, refused, None).await
}

/// The page, with what was wrong with photos that were sent.
pub(super) async fn with_photo_error(
    app: &App,
    caller: &Caller,
    id: ReturnId,
    error: &str,
) -> Result<Markup, Problem> {
    whole(app, caller, id, None, Some(error)).await
}

async fn whole(
    app: &App,
    caller: &Caller,
    id: ReturnId,
    refused: Option<Refused<'_>>,
    photo_error: Option<&str>,
) -> Result<Markup, Problem> {
    let seen = Seen::load(app, id).await?;
    let row = &seen.row;
    let refused = refused.as_ref();
    let open = row.settled_at.is_none() && row.declined_at.is_none();
    let body = html! {
        @if let Some(r) = refused { (h::alert("danger", r.problem.detail())) }
        (h::split(
            html! {
                (h::card("Units", units(&seen, super::sees_money(caller))))
                (super::photos::card(caller, id, &seen.photos, open, photo_error))
                (steps(caller, &seen, refused))
            },
            html! {
                (h::card("Return", facts(&seen)))
                (label(caller, &seen, refused))
                @if super::sees_money(caller) { (h::card("What the customer gets", money(&seen))) }
            },
        ))
    };
    Ok(Screen::new(caller, format!("Return {}", row.number))
        .crumb("Returns", "/returns")
        .beside(h::badge(row.status.as_str()))
        .subtitle(html! { "Of order " a href={ "/orders/" (row.order_id) } { (row.order_number) } })
        .live(format!("return:{id}"))
        .show(body))
}

/// The units; what they give only for who may see money.
fn units(seen: &Seen, money: bool) -> Markup {
    let row = |u: &UnitRow| {
        let cells = [
            html! { strong { (u.sku) } div { bdi { (u.title) } } },
            html! { (words(u.reason.as_str())) @if let Some(comment) = &u.comment { div.text-secondary { bdi { (comment) } } } },
            h::badge(u.reception.as_str()),
            html! { (h::badge(u.acceptance.as_str())) @if let Some(to) = u.disposition { " " (h::badge(to.as_str())) } },
        ];
        Row::new(cells.into_iter().chain(money.then(|| h::money(seen.money(seen.worth(u))))))
    };
    let cols: Vec<Col<'_>> =
        [Col::text("Item"), Col::text("Reason"), Col::text("Received"), Col::text("Decision")]
            .into_iter()
            .chain(money.then(|| Col::number("Credit")))
            .collect();
    Table::new("Units", &cols, seen.units.iter().map(row)).show()
}

fn facts(seen: &Seen) -> Markup {
    let row = &seen.row;
    let moment = |at: Option<kernel::Timestamp>| at.map_or_else(h::none, h::time);
    let mut facts = vec![
        ("Wants", html! { (super::sentence(row.resolution.as_str())) }),
        ("Asked", h::time(row.requested_at)),
        ("Approved", moment(row.approved_at)),
        ("Settled", moment(row.settled_at)),
    ];
    if let Some(reason) = &row.decline_reason {
        facts.push(("Declined because", html! { bdi { (reason) } }));
    }
    if let Some(note) = &row.note {
        facts.push(("Note", html! { bdi { (note) } }));
    }
    if let Some(new) = row.exchange_order_id {
        facts.push(("Replaced by", html! { a href={ "/orders/" (OrderId(new)) } { "New order" } }));
    }
    h::facts(facts)
}

/// The label the units are sent back with, or the form that gives one.
fn label(caller: &Caller, seen: &Seen, refused: Option<&Refused<'_>>) -> Markup {
    let id = seen.row.id;
    let awaited = seen.units.iter().any(|u| u.reception == Reception::Awaiting);
    let may = caller.may::<WriteReturns>() && seen.row.status == Status::Approved && awaited;
    html! {
        @match &seen.label {
            Some(l) => (h::card("Label", html! {
                p { (l.carrier) " " (l.service) }
                @match &l.tracking_number {
                    Some(number) => {
                        p { "Tracking number " (h::copy(number)) }
                        a.btn href={ "/v1/returns/" (id) "/label.pdf" } target="_blank" rel="noopener" { (h::icon(h::Icon::Printer)) " Label" }
                    }
                    None => p.text-secondary { "The carrier has not answered yet." }
                }
            })),
            None => @if may { (h::card("Label", step(seen, Step::Label, "Give a label", "secondary", again(refused, Step::Label),
                html! { p.text-secondary { "The cheapest service from the customer to us, on our account. The customer is told by e-mail." } }))) }
        }
    }
}

fn money(seen: &Seen) -> Markup {
    let accepted: i64 = seen.row.credited;
    let open: i64 = seen.units.iter().filter(|u| u.acceptance.open()).map(|u| seen.worth(u)).sum();
    let mut lines = vec![Sum::Part("Accepted units", seen.money(accepted))];
    if open > 0 {
        lines.push(Sum::Part("Undecided, if accepted", seen.money(open)));
    }
    if seen.row.settled_at.is_none() && seen.row.declined_at.is_none() {
        if seen.preview.offset > 0 {
            lines.push(Sum::Part("Of it off what is still owed", seen.money(-seen.preview.offset)));
        }
        lines.push(Sum::Due("Given back when settled now", seen.money(seen.preview.refunded)));
    }
    h::breakdown(&lines)
}

/// A form of one step.
fn step(seen: &Seen, step: Step, label: &str, style: &str, again: &str, fields: Markup) -> Markup {
    html! {
        form.mb-3 method="post" action={ "/returns/" (seen.row.id) "/" (step.path()) } {
            (web::once_again(again))
            input type="hidden" name="do" value=(step.as_str());
            (fields)
            button class={ "btn btn-" (style) } type="submit" { (label) }
        }
    }
}

/// The same for what nothing takes back: its button asks first. The server says what is missing, so no field is required by the browser.
fn asked(
    seen: &Seen,
    step: Step,
    (label, style): (&str, &str),
    again: &str,
    fields: Markup,
    question: &str,
) -> Markup {
    let (form, dialog) = (format!("form-{}", step.as_str()), format!("ask-{}", step.as_str()));
    html! {
        form.mb-3 id=(form) method="post" action={ "/returns/" (seen.row.id) "/" (step.path()) } {
            // Enter in a field would press the first button, and ask nothing.
            button type="submit" disabled hidden {}
            (web::once_again(again))
            (fields)
            (h::opens(&dialog, label, style))
        }
        (h::ask_first(&dialog, &form, step.as_str(), label, style, question))
    }
}

fn steps(caller: &Caller, seen: &Seen, refused: Option<&Refused<'_>>) -> Markup {
    let (write, goods) = (caller.may::<WriteReturns>(), caller.may::<ReceiveReturns>());
    let status = seen.row.status;
    let closed = matches!(status, Status::Settled | Status::Declined);
    let awaited = seen.units.iter().any(|u| u.reception.open());
    let undecided = seen.units.iter().any(|u| !u.reception.open() && u.acceptance.open());
    let settles = !closed && status == Status::Inspected;
    html! {
        @if status == Status::Requested && write { (h::card("Decide", decision(seen, refused))) }
        @if !closed && status != Status::Requested && awaited && goods { (h::card("Receive", receiving(seen, refused))) }
        @if !closed && status != Status::Requested && undecided && goods { (h::card("Inspect", inspection(seen, refused))) }
        @if settles && write { (h::card("Settle", settlement(seen, refused))) }
        @if closed { (h::alert("info", "Nothing is left to do.")) }
    }
}

/// A field of a step as it was sent, with what is wrong with it.
fn typed<'a>(refused: Option<&'a Refused<'a>>, step: Step, name: &str) -> (&'a str, Option<&'a str>) {
    let Some(r) = refused.filter(|r| r.form.step == step) else { return ("", None) };
    let error = r.problem.errors().iter().find(|e| e.pointer.trim_start_matches('/') == name);
    (r.form.get(name), error.map(|e| e.detail.as_str()))
}

fn again<'a>(refused: Option<&'a Refused<'a>>, step: Step) -> &'a str {
    refused.filter(|r| r.form.step == step).map_or("", |r| r.form.once.as_str())
}

fn decision(seen: &Seen, refused: Option<&Refused<'_>>) -> Markup {
    let (reason, error) = typed(refused, Step::Decline, "reason");
    html! {
        (step(seen, Step::Approve, "Approve", "primary", again(refused, Step::Approve), html! {
            p { "The customer may send the units. It is told by the tracking page and by the event." }
        }))
        details open[error.is_some()] {
            summary.btn.btn-link { "Decline instead" }
            (asked(seen, Step::Decline, ("Decline", "danger"), again(refused, Step::Decline),
                h::field(&Field { label: "Reason, as the customer reads it", name: "reason", value: reason, error, ..Field::default() }),
                "The customer reads the reason, and the return is over. It cannot be undone."))
        }
    }
}

fn places(seen: &Seen, step: Step, refused: Option<&Refused<'_>>, none: &str) -> Markup {
    let mut options: Vec<(&str, &str)> = Vec::new();
    if !none.is_empty() {
        options.push(("", none));
    }
    options.extend(seen.places.iter().map(|(id, name)| (id.as_str(), name.as_str())));
    let (chosen, error) = typed(refused, step, "location");
    h::select_field(&Select { label: "Where", name: "location", options: &options, chosen, hint: "", error })
}

/// Boxes to tick units; none ticked means all.
fn ticks(seen: &Seen, which: impl Fn(&UnitRow) -> bool) -> Markup {
    html! {
        fieldset.mb-3 {
            legend.form-label { "Units (none ticked: all)" }
            @for u in seen.units.iter().filter(|u| which(u)) {
                (h::checkbox(&format!("{} · {}", u.sku, u.title), "units[]", &u.id.to_string(), false, &words(u.reason.as_str())))
            }
        }
    }
}

fn receiving(seen: &Seen, refused: Option<&Refused<'_>>) -> Markup {
    let (code, error) = typed(refused, Step::Scan, "code");
    let words: Vec<(&str, String)> = Reception::ALL
        .iter()
        .filter(|r| **r != Reception::Awaiting)
        .map(|r| (r.as_str(), words(r.as_str())))
        .collect();
    let options: Vec<(&str, &str)> = words.iter().map(|(value, label)| (*value, label.as_str())).collect();
    html! {
        (step(seen, Step::Scan, "Receive this unit", "primary", again(refused, Step::Scan), html! {
            (h::fields([
                h::field(&Field { label: "Scan the unit", name: "code", value: code, error, hint: "Barcode or SKU: one awaited unit of it is received", required: true, focus: true, ..Field::default() }),
                places(seen, Step::Scan, refused, ""),
            ]))
        }))
        details {
            summary.btn.btn-link { "Receive several, or say what became of them" }
            (step(seen, Step::Receive, "Record", "secondary", again(refused, Step::Receive), html! {
                (ticks(seen, |u| u.reception.open()))
                (h::fields([h::select("What became of them", "reception", &options, "received"), places(seen, Step::Receive, refused, "")]))
            }))
        }
    }
}

fn inspection(seen: &Seen, refused: Option<&Refused<'_>>) -> Markup {
    let label = |d: &Disposition| match d {
        Disposition::Restock => "As new: back on the shelf",
        Disposition::Quarantine => "Unclear: aside, until somebody has looked",
        Disposition::Refurbish => "Used: aside, to be made good",
        Disposition::Scrap => "Broken: thrown away",
        Disposition::ToVendor => "Faulty: to whoever made it",
        Disposition::CustomerKeeps => "The customer keeps it",
    };
    let mut options: Vec<(&str, &str)> = vec![("", "–")];
    options.extend(Disposition::ALL.iter().map(|d| (d.as_str(), label(d))));
    let verdicts = [
        ("accepted", "Accepted: it is credited"),
        ("rejected", "Rejected: it is not"),
        ("manual_review", "Somebody else has to look"),
    ];
    let (disposition, error) = typed(refused, Step::Inspect, "disposition");
    step(
        seen,
        Step::Inspect,
        "Record the inspection",
        "primary",
        again(refused, Step::Inspect),
        html! {
            (ticks(seen, |u| !u.reception.open() && u.acceptance.open()))
            (h::fields([
                h::select("Verdict", "acceptance", &verdicts, typed(refused, Step::Inspect, "acceptance").0),
                h::select_field(&Select { label: "Condition, and where it goes", name: "disposition", options: &options, chosen: disposition, hint: "Of accepted units", error }),
                places(seen, Step::Inspect, refused, "Where they were received"),
            ]))
        },
    )
}

/// A way to settle, which is asked first: nothing takes it back.
fn settles(seen: &Seen, step: Step, label: &str, wanted: bool, question: &str) -> Markup {
    let fields = html! { (web::once()) input type="hidden" name="do" value=(step.as_str()); };
    let path = format!("/returns/{}/{}", seen.row.id, step.path());
    let kind = if wanted { "primary" } else { "secondary" };
    html! { div.mb-3 { (h::confirm_with(step.as_str(), &path, label, kind, question, fields)) } }
}

fn settlement(seen: &Seen, refused: Option<&Refused<'_>>) -> Markup {
    let shown = h::money(seen.money(seen.preview.refunded));
    let (sku, error) = typed(refused, Step::Exchange, "sku");
    let quantity = typed(refused, Step::Exchange, "quantity");
    let direct = |r: Resolution| r == seen.row.resolution;
    html! {
        p {
            "The accepted units are worth " (h::money(seen.money(seen.row.credited))) ". "
            @if seen.preview.offset > 0 {
                (h::money(seen.money(seen.preview.offset))) " of it was never paid and is taken off what is owed. "
            }
            "The customer gets " strong { (shown) } "."
        }
        @let given = seen.money(seen.preview.refunded);
        (settles(seen, Step::Refund, "Refund the ways it was paid", direct(Resolution::Refund), &format!("{given} go back the ways they were paid. What is paid out cannot be taken back.")))
        (settles(seen, Step::StoreCredit, "Give store credit", direct(Resolution::StoreCredit), &format!("The customer gets {given} to spend, and the return is over.")))
        details open[direct(Resolution::Exchange) || error.is_some()] {
            summary.btn.btn-link { "Exchange" }
            (asked(seen, Step::Exchange, ("Place the exchange", "primary"), again(refused, Step::Exchange), html! {
                p.text-secondary { "What is left goes back the ways it was paid; what is missing holds the new order until it is paid." }
                (h::fields([
                    h::field(&Field { label: "SKU instead", name: "sku", value: sku, error, ..Field::default() }),
                    h::field(&Field { label: "Units", name: "quantity", kind: "number", value: if quantity.0.is_empty() { "1" } else { quantity.0 }, error: quantity.1, ..Field::default() }),
                ]))
            }, "A new order is placed, and the return is over. It cannot be undone."))
        }
    }
}
