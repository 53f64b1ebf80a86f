//! The policy of returns among the settings: what holds, who changed it when, and the form that changes it.

use super::words;
use crate::api::{ReadReturns, WriteReturns, single};
use crate::model::Reason;
use crate::policy::Policy;
use crate::set_policy::{SUBJECT, SetPolicy, set_policies};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use db::FromRow;
use kernel::Timestamp;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use web::html::{self as h, Field};
use web::{App, Caller, Form, Key, May, Problem, Reply, Screen};

const HERE: &str = "/settings/returns";

#[derive(FromRow)]
struct Changed {
    at: Timestamp,
    actor: String,
}

/// A policy as it is typed.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    once: String,
    days: String,
    auto: String,
    label: String,
    fault: Vec<Reason>,
}

/// Shows the policy.
pub(super) async fn show(State(app): State<App>, caller: May<ReadReturns>) -> Result<Markup, Problem> {
    page(&app, &caller, None).await
}

async fn page(app: &App, caller: &Caller, refused: Option<(&Typed, &Problem)>) -> Result<Markup, Problem> {
    let sql = app.db.read();
    let policy = Policy::read(sql).await?;
    let text = "SELECT at, actor FROM event WHERE kind = 'return_policy.changed' AND subject = $1 ORDER BY id DESC LIMIT 1";
    let changed: Option<Changed> = sql.one(text, [SUBJECT.into()]).await?;
    let days = refused.map_or_else(|| policy.window_days.to_string(), |(typed, _)| typed.days.clone());
    let error = refused.map(|(_, problem)| problem.detail());
    let auto = refused.map_or(policy.auto_approve, |(typed, _)| !typed.auto.is_empty());
    let label = refused.map_or(policy.gives_label, |(typed, _)| !typed.label.is_empty());
    let fault = refused.map_or(&policy.our_fault, |(typed, _)| &typed.fault);
    let body = html! {
        form.card.card-body method="post" action=(HERE) {
            (web::once_again(refused.map_or("", |(typed, _)| typed.once.as_str())))
            (h::field(&Field { label: "Days from delivery within which customers may ask", name: "days", kind: "number", value: &days, error, required: true, ..Field::default() }))
            (h::switch("Approve requests as they come", "auto", "yes", auto, "Without it, somebody decides each return in the inbox."))
            (h::switch("Give a label with the approval", "label", "yes", label, "The cheapest service that goes from the customer to where the order was packed, on our account. It needs a rate table that begins in the customer's country."))
            fieldset.mb-3 {
                legend.form-label { "Reasons for which shipping is given back too" }
                @for reason in Reason::ALL { (h::checkbox(&words(reason.as_str()), "fault[]", reason.as_str(), fault.contains(reason), "")) }
            }
            @if caller.may::<WriteReturns>() { (h::form_buttons("Save", None)) }
        }
    };
    Ok(Screen::new(caller, "Return policy")
        .narrow()
        .subtitle(html! { @if let Some(c) = &changed { "Changed " (h::time(c.at)) " by " (c.actor) } @else { "Never changed." } })
        .show(body))
}

/// Sets the policy.
pub(super) async fn save(
    State(app): State<App>,
    caller: May<WriteReturns>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let days = typed.days.trim().parse::<i64>();
    let done = match days {
        Err(_) => Err(Problem::invalid("days", "Give a whole number of days, as 30.")),
        Ok(window_days) => {
            let key = Key::once(&typed.once, HERE);
            web::submit!(app, caller, key, "returns.set_policy", &typed, |tx| {
                let policy = Policy {
                    window_days,
                    auto_approve: !typed.auto.is_empty(),
                    gives_label: !typed.label.is_empty(),
                    our_fault: typed.fault.clone(),
                };
                single(set_policies(tx, &[SetPolicy { at: tx.now(), policy }]).await?)?;
                Ok(Reply::empty())
            })
        }
    };
    match done {
        Ok(_) => Ok(web::done("The policy holds from now on").to(HERE)),
        Err(problem) if problem.status().is_client_error() => {
            Ok((problem.status(), page(&app, &caller, Some((&typed, &problem))).await?).into_response())
        }
        Err(problem) => Err(problem),
    }
}
