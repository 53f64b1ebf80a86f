//! Where a customer pays what is left of an order, by the link of a payment request.
//!
//! Invariants: the link is proof enough to pay and shows no address; the amount is what the order needs at that moment, never what the
//! form says; a form that is sent twice, or from two windows, takes money once.

use crate::gate::{From, Gate, Kind};
use crate::pass::to_pay;
use crate::shell::page;
use crate::track::{Query, over};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use kernel::{Actor, Fault, Money};
use maud::{Markup, html};
use orders::{OrderRow, Owed, Pay};
use payments::{Gateways, Payment};
use serde::{Deserialize, Serialize};
use web::html as h;
use web::{App, Form, OrProblem, Params, Problem, Public};

/// What the form sends: which of the ways to pay.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Sent {
    t: String,
    way: String,
}

/// A way to pay on the page.
struct Way {
    gateway: &'static str,
    method: &'static str,
    token: &'static str,
    name: &'static str,
}

impl Way {
    /// As the form names it.
    fn word(&self) -> String {
        format!("{}-{}-{}", self.gateway, self.method, self.token)
    }
}

fn ways(app: &App) -> Result<Vec<Way>, Problem> {
    let gateways = app.ctx.parts.get::<Gateways>()?;
    let cards = gateways.0.iter().map(|g| g.card());
    let of = |card: payments::Card| {
        card.online.iter().map(move |(method, token, name)| Way { gateway: card.code, method, token, name })
    };
    Ok(cards.flat_map(of).collect())
}

/// What there is to pay, or how it stands.
pub(crate) async fn show(
    State(app): State<App>,
    _: Public,
    from: From,
    Params(query): Params<Query>,
) -> Result<Response, Problem> {
    app.state::<Gate>()?.pass(Kind::View, &from.0, app.db.now())?;
    shown(&app, &query.t, StatusCode::OK, None).await
}

async fn shown(app: &App, t: &str, status: StatusCode, wrong: Option<&str>) -> Result<Response, Problem> {
    let sql = app.db.read();
    let Some(id) = to_pay(&app.db, t).await? else { return Ok(over(app)) };
    let order = orders::read::orders_by_id(sql, &[id]).await?.remove(&id);
    let owed = orders::owed(sql, &[id]).await?.remove(&id);
    let (Some(order), Some(owed)) = (order, owed) else { return Ok(over(app)) };
    let lines = orders::read::lines_of(sql, &[id]).await?.remove(&id).unwrap_or_default();
    let tenders = payments::payments_of(sql, &[id.0]).await?.remove(&id.0).unwrap_or_default();
    let body = html! {
        @if let Some(wrong) = wrong { (h::alert("danger", wrong)) }
        (standing(app, t, &order, &owed, &tenders)?)
        (h::card("What you ordered", html! {
            ul { @for l in lines.iter().filter(|l| l.ordered > l.cancelled) { li { (l.ordered - l.cancelled) " × " bdi { (l.title) } } } }
            (h::breakdown(&[
                h::Sum::Total("Total", Money::new(order.total - order.cancelled_total, order.currency)),
                h::Sum::Due("To pay", Money::new(owed.open.max(0), order.currency)),
            ]))
        }))
    };
    Ok(page(app, status, &format!("Pay for order {}", order.number), body))
}

/// The form, or why there is nothing to send.
fn standing(
    app: &App,
    t: &str,
    order: &OrderRow,
    owed: &Owed,
    tenders: &[Payment],
) -> Result<Markup, Problem> {
    let amount = Money::new(owed.open - owed.underway, order.currency);
    if order.fulfilment_status == "cancelled" {
        return Ok(h::alert("info", "The order is cancelled: there is nothing to pay."));
    }
    if owed.open <= 0 {
        return Ok(h::alert("success", "It is paid. Thank you!"));
    }
    if amount.minor <= 0 {
        let action =
            tenders.iter().filter_map(|p| p.action_url.as_deref()).find(|url| url.starts_with("https://"));
        let again = h::query("/pay", &[("t", t)]);
        return Ok(h::note(
            "info",
            html! {
                @match action {
                    Some(url) => { "Your bank wants to hear from you. " a.btn.btn-primary href=(url) { "Go on there" } }
                    // The page looks again by itself.
                    None => { span data-look-again="5" { "We are waiting for your bank's answer. " } a.btn href=(again) { "Look again" } }
                }
            },
        ));
    }
    let ways = ways(app)?;
    let failed = tenders.iter().max_by_key(|p| p.id).is_some_and(|p| p.failed);
    Ok(html! {
        @if failed { (h::alert("warning", "The last payment was declined. Try again, or with another card.")) }
        @if ways.is_empty() { (h::alert("info", "Nothing can be paid here at the moment. Write to us, please.")) } @else {
            form.card.card-body.mb-3 method="post" action="/pay" {
                input type="hidden" name="t" value=(t);
                @for (i, way) in ways.iter().enumerate() {
                    label.form-check {
                        input.form-check-input type="radio" name="way" value=(way.word()) checked[i == 0] required;
                        span.form-check-label { (way.name) }
                    }
                }
                button.btn.btn-primary.w-100 type="submit" { "Pay " (h::money(amount)) }
            }
        }
    })
}

/// Takes the payment.
pub(crate) async fn submit(
    State(app): State<App>,
    _: Public,
    from: From,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    app.state::<Gate>()?.pass(Kind::LookUp, &from.0, app.db.now())?;
    let Some(order) = to_pay(&app.db, &sent.t).await? else { return Ok(over(&app)) };
    let Some(way) = ways(&app)?.into_iter().find(|w| w.word() == sent.way) else {
        return shown(&app, &sent.t, StatusCode::UNPROCESSABLE_ENTITY, Some("Choose how to pay.")).await;
    };
    let actor = Actor::of("customer", order);
    let done: Result<(), Fault> = db::write!(app.db, &actor, |tx| {
        let want = Pay {
            at: tx.now(),
            order,
            gateway: way.gateway.to_owned(),
            method: way.method.to_owned(),
            token: Some(way.token.to_owned()),
        };
        orders::pay(tx, &[want]).await?.remove(0).or_problem()?;
        Ok(())
    });
    match done.map_err(Problem::from) {
        Ok(()) => {}
        // Sent twice: how it stands is what there is to say.
        Err(problem) if ["orders.payment_underway", "orders.nothing_owed"].contains(&problem.code()) => {}
        Err(problem) if problem.status().is_client_error() => {
            return shown(&app, &sent.t, problem.status(), Some(problem.detail())).await;
        }
        Err(problem) => return Err(problem),
    }
    Ok(Redirect::to(&h::query("/pay", &[("t", &sent.t)])).into_response())
}
