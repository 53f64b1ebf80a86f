//! The label that a return is sent back with. Invariant: it shows where the customer lives, so that only a pass from an e-mail gives it.

use crate::gate::{From, Gate, Kind};
use crate::track::{known, over};
use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use returns::ReturnId;
use returns::label::LabelRow;
use serde::Deserialize;
use web::html as h;
use web::{App, Params, Problem, Public};

/// What the query says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    t: String,
    r#return: String,
}

/// What stands on the tracking page of a return that has its label.
pub(crate) fn step(label: &LabelRow, pass: &str, mailed: bool) -> Markup {
    let id = label.return_id.to_string();
    html! {
        @if label.bought_at.is_none() { "We are getting you a label: look here again in a while." }
        @else if mailed {
            "Print the label and stick it onto the parcel: "
            a.btn.btn-primary href=(h::query("/track/label", &[("t", pass), ("return", &id)])) target="_blank" rel="noopener" { "Print the label" }
        } @else { "Print the label: its link is in the e-mail about this return." }
    }
}

/// The paper.
pub(crate) async fn show(
    State(app): State<App>,
    _: Public,
    from: From,
    Params(query): Params<Query>,
) -> Result<Response, Problem> {
    app.state::<Gate>()?.pass(Kind::View, &from.0, app.db.now())?;
    let known = known(&app, &query.t).await?.filter(|k| k.pass.mailed);
    let (Some(known), Ok(id)) = (known, query.r#return.parse::<ReturnId>()) else { return Ok(over(&app)) };
    let asked = returns::read::by_id(app.db.read(), id).await?;
    if asked.is_none_or(|r| r.order_id != known.order.id || r.declined_at.is_some()) {
        return Ok(over(&app));
    }
    returns::label_file(&app, id).await
}
