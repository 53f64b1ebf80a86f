//! Giving units back: choose them, say why, see what each way gives, add photos, send. The rules are those of `returns`: its policy and its command.
//!
//! Invariant: what is shown before is what the command will credit for accepted units, to the cent; a form that is sent twice asks once.

use crate::gate::{From, Gate, Kind};
use crate::pass::Pass;
use crate::shell::page;
use crate::track::{Known, Query, known, over};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use db::answers::{self, Answer, Recall};
use kernel::{Actor, Fault, Money};
use maud::{Markup, html};
use orders::LineId;
use returns::returnable::{Returnable, of_order};
use returns::{AddPhoto, MOST_PHOTOS, Picture, Policy, Reason, RequestReturn, Resolution, ReturnWish};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;
use web::html as h;
use web::{App, Form, OrProblem, Params, Problem, Public, Upload};

/// Characters of a comment.
const LONGEST: usize = 1000;

/// What the form sends: how many of each line, why, and what for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    once: String,
    t: String,
    quantity: HashMap<String, String>,
    reason: HashMap<String, String>,
    comment: String,
    resolution: String,
    /// Whether it is sent for good, and not only to be looked at.
    send: String,
}

impl Asked {
    /// What a form with photos says: `quantity[lin_…]` by its line, as the other form has it.
    fn sent(upload: &Upload) -> Self {
        let of = |name: &str| -> HashMap<String, String> {
            let inside = |field: &str| {
                field.strip_prefix(name)?.strip_prefix('[')?.strip_suffix(']').map(str::to_owned)
            };
            upload.fields.iter().filter_map(|(field, value)| Some((inside(field)?, value.clone()))).collect()
        };
        let given = |name: &str| upload.given(name).to_owned();
        Self {
            once: given("once"),
            t: given("t"),
            quantity: of("quantity"),
            reason: of("reason"),
            comment: given("comment"),
            resolution: given("resolution"),
            send: "yes".to_owned(),
        }
    }
}

/// What is asked, once it reads.
struct Wish {
    units: Vec<ReturnWish>,
    resolution: Resolution,
    credit: i64,
}

/// Everything a page is made of.
struct Seen {
    known: Known,
    free: Vec<Returnable>,
    policy: Policy,
}

impl Seen {
    async fn load(app: &App, pass: &str) -> Result<Option<Self>, Problem> {
        let Some(known) = known(app, pass).await? else { return Ok(None) };
        let policy = Policy::read(app.db.read()).await?;
        let free = of_order(app.db.read(), known.order.id, &policy, app.db.now()).await?;
        Ok(Some(Self { known, free, policy }))
    }
}

/// The empty form.
pub(crate) async fn show(
    State(app): State<App>,
    _: Public,
    from: From,
    Params(query): Params<Query>,
) -> Result<Response, Problem> {
    app.state::<Gate>()?.pass(Kind::View, &from.0, app.db.now())?;
    let Some(seen) = Seen::load(&app, &query.t).await? else { return Ok(over(&app)) };
    let asked = Asked { t: query.t, ..Asked::default() };
    Ok(form(&app, StatusCode::OK, &seen, &asked, None))
}

/// Shows what is asked once more with what it gives, or asks it.
pub(crate) async fn submit(
    State(app): State<App>,
    _: Public,
    from: From,
    Form(asked): Form<Asked>,
) -> Result<Response, Problem> {
    app.state::<Gate>()?.pass(Kind::View, &from.0, app.db.now())?;
    let Some(seen) = Seen::load(&app, &asked.t).await? else { return Ok(over(&app)) };
    let again = |problem: &Problem| form(&app, problem.status(), &seen, &asked, Some(problem));
    let wish = match read(&seen, &asked) {
        Ok(wish) => wish,
        Err(problem) => return Ok(again(&problem)),
    };
    if asked.send.is_empty() {
        return Ok(review(&app, StatusCode::OK, &seen, &asked, &wish, None));
    }
    match request(&app, &seen.known.pass, &seen, &asked, &wish, &[]).await {
        Ok(()) => Ok(thanked(&asked)),
        Err(problem) if problem.status().is_client_error() => Ok(again(&problem)),
        Err(problem) => Err(problem),
    }
}

/// On to the tracking page, which thanks and says what happens next.
fn thanked(asked: &Asked) -> Response {
    Redirect::to(&h::query("/track", &[("t", &asked.t), ("thanks", "yes")])).into_response()
}

/// Asks for what was shown once more, with photos of it where some were added.
pub(crate) async fn send(
    State(app): State<App>,
    _: Public,
    from: From,
    upload: Upload,
) -> Result<Response, Problem> {
    app.state::<Gate>()?.pass(Kind::LookUp, &from.0, app.db.now())?;
    let asked = Asked::sent(&upload);
    let Some(seen) = Seen::load(&app, &asked.t).await? else { return Ok(over(&app)) };
    let wish = match read(&seen, &asked) {
        Ok(wish) => wish,
        Err(problem) => return Ok(form(&app, problem.status(), &seen, &asked, Some(&problem))),
    };
    let done = match pictures(upload).await {
        Ok(pictures) => request(&app, &seen.known.pass, &seen, &asked, &wish, &pictures).await,
        Err(problem) => Err(problem),
    };
    match done {
        Ok(()) => Ok(thanked(&asked)),
        Err(problem) if problem.status().is_client_error() => {
            Ok(review(&app, problem.status(), &seen, &asked, &wish, Some(&problem)))
        }
        Err(problem) => Err(problem),
    }
}

/// The photos that were sent, drawn anew.
async fn pictures(upload: Upload) -> Result<Vec<Arc<Picture>>, Problem> {
    if upload.files.len() as i64 > MOST_PHOTOS {
        return Err(Problem::invalid("photos", format!("A return has {MOST_PHOTOS} photos at most.")));
    }
    returns::drawn(upload.files.into_iter().map(|f| f.bytes).collect()).await
}

/// What a form means, or what is wrong with it by the field, in words for a customer.
fn read(seen: &Seen, asked: &Asked) -> Result<Wish, Problem> {
    let (mut units, mut credit) = (Vec::new(), 0);
    for r in &seen.free {
        let key = r.line.id.to_string();
        let typed = asked.quantity.get(&key).map_or("", String::as_str).trim();
        if matches!(typed, "" | "0") {
            continue;
        }
        let field = format!("quantity[{key}]");
        let most = r.units.len() as i64;
        let quantity = typed.parse::<i64>().ok().filter(|q| (1..=most).contains(q));
        let quantity = quantity.ok_or_else(|| {
            Problem::invalid(field.clone(), format!("You can return between 0 and {most} of this."))
        })?;
        if !r.in_window {
            let days = seen.policy.window_days;
            return Err(Problem::invalid(
                field,
                format!("This arrived more than {days} days ago, which is longer than returns are possible."),
            ));
        }
        let reason = asked.reason.get(&key).and_then(|r| r.parse::<Reason>().ok());
        let reason =
            reason.ok_or_else(|| Problem::invalid(format!("reason[{key}]"), "Tell us why you return it."))?;
        credit += r.credit(&seen.policy, quantity, reason);
        let comment = Some(asked.comment.trim().to_owned()).filter(|c| !c.is_empty());
        units.push(ReturnWish { line: r.line.id, quantity, reason, comment });
    }
    if units.is_empty() {
        return Err(Problem::invalid("quantity", "Choose at least one item to return."));
    }
    if asked.comment.chars().count() > LONGEST {
        return Err(Problem::invalid("comment", "This is too long: 1000 characters at most."));
    }
    let resolution = asked.resolution.parse();
    let resolution =
        resolution.map_err(|_| Problem::invalid("resolution", "Choose what you would like for it."))?;
    if resolution == Resolution::Exchange && asked.comment.trim().is_empty() {
        return Err(Problem::invalid(
            "comment",
            "Tell us what you would like instead, as another size or colour.",
        ));
    }
    Ok(Wish { units, resolution, credit })
}

/// Asks the return, once for its form, with its photos.
async fn request(
    app: &App,
    pass: &Pass,
    seen: &Seen,
    asked: &Asked,
    wish: &Wish,
    pictures: &[Arc<Picture>],
) -> Result<(), Problem> {
    let order = pass.order;
    let actor = Actor::of("customer", seen.known.order.customer_id);
    let scope = format!("portal.return {order}");
    let hash = answers::input_hash(order.to_string().as_bytes());
    let done: Result<(), Fault> = db::write!(app.db, &actor, |tx| {
        let kept = answers::recall(tx, &scope, &[(asked.once.as_str(), hash.as_str())]).await?.pop();
        if !asked.once.is_empty() && !matches!(kept, Some(Recall::New) | None) {
            return Ok(());
        }
        let one = RequestReturn {
            at: tx.now(),
            order,
            units: wish.units.clone(),
            resolution: wish.resolution,
            refund_shipping: false,
            override_window: false,
            note: None,
        };
        let made = returns::request(tx, &[one]).await?.remove(0).or_problem()?;
        let photo = |picture: &Arc<Picture>| AddPhoto {
            at: tx.now(),
            by: actor.clone(),
            return_id: made.id,
            picture: picture.clone(),
        };
        for outcome in returns::add_photos(tx, &pictures.iter().map(photo).collect::<Vec<_>>()).await? {
            outcome.or_problem()?;
        }
        if !asked.once.is_empty() {
            let (key, hash) = (asked.once.clone(), hash.clone());
            answers::remember(tx, &scope, &[Answer { key, hash, status: 201, body: String::new() }]).await?;
        }
        Ok(())
    });
    Ok(done?)
}

fn title(r: Resolution) -> (&'static str, &'static str, h::Icon) {
    match r {
        Resolution::Refund => ("My money back", "The way you paid", h::Icon::CreditCard),
        Resolution::StoreCredit => {
            ("Store credit", "To spend with us, at once when we have looked at it", h::Icon::Gift)
        }
        Resolution::Exchange => {
            ("Something else instead", "Another size or colour: tell us below which", h::Icon::Transfer)
        }
    }
}

fn why(r: Reason) -> &'static str {
    match r {
        Reason::TooSmall => "Too small",
        Reason::TooBig => "Too big",
        Reason::Damaged => "Arrived damaged",
        Reason::WrongItem => "Not what I ordered",
        Reason::NotAsDescribed => "Not as described",
        Reason::Defective => "Does not work",
        Reason::TooLate => "Arrived too late",
        Reason::ChangedMind => "I changed my mind",
        Reason::Other => "Something else",
    }
}

/// One line of the form.
fn line(seen: &Seen, asked: &Asked, r: &Returnable, error: &dyn Fn(&str) -> Option<String>) -> Markup {
    let key = r.line.id.to_string();
    let currency = seen.known.order.currency;
    let (quantity, reason) = (format!("quantity[{key}]"), format!("reason[{key}]"));
    let counts: Vec<String> = (0..=r.units.len().min(100)).map(|n| n.to_string()).collect();
    let counts: Vec<(&str, &str)> = counts.iter().map(|n| (n.as_str(), n.as_str())).collect();
    let mut reasons = vec![("", "Choose")];
    reasons.extend(Reason::ALL.iter().map(|r| (r.as_str(), why(*r))));
    let chosen = |of: &HashMap<String, String>| of.get(&key).cloned().unwrap_or_default();
    let (many, reason_now) = (chosen(&asked.quantity), chosen(&asked.reason));
    let each = Money::new(r.credit(&seen.policy, 1, Reason::ChangedMind), currency);
    html! {
        fieldset.card.card-body.mb-3 {
            legend.form-label { bdi { (r.line.title) } }
            @if r.units.is_empty() { p.text-secondary { "All of it is on its way back already." } }
            @else if !r.in_window { p.text-secondary { "This arrived more than " (seen.policy.window_days) " days ago, which is longer than returns are possible." } }
            @else {
                p.text-secondary { "Gives " (h::money(each)) " each." }
                (h::fields([
                    h::select_field(&h::Select { label: "How many", name: &quantity, options: &counts, chosen: &many, hint: "", error: error(&quantity).as_deref() }),
                    h::select_field(&h::Select { label: "Why", name: &reason, options: &reasons, chosen: &reason_now, hint: "", error: error(&reason).as_deref() }),
                ]))
            }
        }
    }
}

fn form(app: &App, status: StatusCode, seen: &Seen, asked: &Asked, problem: Option<&Problem>) -> Response {
    let error = |field: &str| {
        let all = problem.map(Problem::errors).unwrap_or_default();
        all.iter().find(|e| e.pointer == field).map(|e| e.detail.clone())
    };
    let cards: Vec<h::Card<'_>> = Resolution::ALL
        .iter()
        .map(|r| {
            let (title, hint, icon) = title(*r);
            h::Card { value: r.as_str(), title, hint, icon }
        })
        .collect();
    let possible = seen.free.iter().any(|r| r.in_window && !r.units.is_empty());
    let comment = error("comment");
    let body = html! {
        @if let Some(problem) = problem { (h::alert("danger", problem.detail())) }
        @if !possible { (h::empty("Nothing can be returned here", "Nothing has arrived yet, all of it is on its way back, or the time for returns is over.")) }
        @else {
            form method="post" action="/track/return" {
                (web::once_again(&asked.once))
                input type="hidden" name="t" value=(asked.t);
                @for r in &seen.free { (line(seen, asked, r, &error)) }
                (h::radio_cards("What would you like?", "resolution", &cards, &asked.resolution))
                @if let Some(error) = error("resolution") { p.field-error { (error) } }
                (h::field(&h::Field { label: "Anything else we should know", name: "comment", kind: "textarea", value: &asked.comment, error: comment.as_deref(),
                    hint: "Photos can be added in the next step.", ..h::Field::default() }))
                button.btn.btn-primary.w-100 type="submit" { "See what it gives" }
            }
        }
        p.mt-3 { a href=(h::query("/track", &[("t", &asked.t)])) { "Back to order " (seen.known.order.number) } }
    };
    page(app, status, &format!("Return from order {}", seen.known.order.number), body)
}

/// What is asked once more, with what it gives, and the button that sends it.
fn review(
    app: &App,
    status: StatusCode,
    seen: &Seen,
    asked: &Asked,
    wish: &Wish,
    wrong: Option<&Problem>,
) -> Response {
    let wrong = wrong.map(|p| p.errors().first().map_or(p.detail(), |e| e.detail.as_str()));
    let credit = h::money(Money::new(wish.credit, seen.known.order.currency));
    let titles: HashMap<LineId, &str> =
        seen.free.iter().map(|r| (r.line.id, r.line.title.as_str())).collect();
    let hidden = |of: &HashMap<String, String>, name: &str| {
        let mut all: Vec<(String, String)> =
            of.iter().map(|(k, v)| (format!("{name}[{k}]"), v.clone())).collect();
        all.sort();
        html! { @for (name, value) in &all { input type="hidden" name=(name) value=(value); } }
    };
    let body = html! {
        (h::card("You return", html! {
            ul { @for w in &wish.units {
                li { (w.quantity) " × " bdi { (titles.get(&w.line).copied().unwrap_or_default()) } " – " (why(w.reason)) }
            } }
            p {
                @match wish.resolution {
                    Resolution::Refund => { "You get " strong { (credit) } " back the way you paid, once we have looked at the goods." }
                    Resolution::StoreCredit => { "You get " strong { (credit) } " as store credit, once we have looked at the goods." }
                    Resolution::Exchange => { strong { (credit) } " goes towards what you take instead; we settle the difference with you." }
                }
            }
            @if !seen.policy.auto_approve { p.text-secondary { "Do not send anything yet: we say on the tracking page when you may." } }
        }))
        form method="post" action="/track/return/send" enctype="multipart/form-data" {
            (web::once_again(&asked.once))
            input type="hidden" name="t" value=(asked.t);
            (crate::photo::field(wrong))
            (hidden(&asked.quantity, "quantity"))
            (hidden(&asked.reason, "reason"))
            input type="hidden" name="comment" value=(asked.comment);
            input type="hidden" name="resolution" value=(asked.resolution);
            button.btn.btn-primary.w-100 type="submit" { "Ask for this return" }
        }
        p.mt-3 { a href=(h::query("/track/return", &[("t", &asked.t)])) { "Start again" } }
    };
    page(app, status, "Is this right?", body)
}
