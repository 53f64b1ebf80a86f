//! What the forms of a payment do: the commands of the API, each once for its form.

use super::detail::{Refused, page};
use crate::api::{WritePayments, WriteRefunds};
use crate::{Capture, Confirm, GrantRefund, PaymentId, RefundTo, Void, read};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use db::Tx;
use kernel::{Currency, Fault, money::parse_typed};
use serde::{Deserialize, Serialize};
use web::{App, Caller, Form, Key, May, OrProblem, Problem, Reply, Segment};

/// What a form sent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Act {
    once: String,
    #[serde(rename = "do")]
    action: String,
    amount: String,
    reference: String,
    reason: String,
}

impl Act {
    fn amount(&self, currency: Currency) -> Result<i64, Problem> {
        parse_typed(&self.amount, currency.exponent())
            .map_err(|why| Problem::invalid("amount", format!("{why}.")))
    }
}

async fn currency_and_order(app: &App, id: PaymentId) -> Result<(Currency, i64), Problem> {
    let payment = read::payment(app.db.read(), id).await?;
    let payment = payment.ok_or_else(|| Problem::not_found(format!("payment {id}")))?;
    Ok((payment.currency, payment.order_id))
}

/// Captures, voids, confirms.
pub(super) async fn tender(
    State(app): State<App>,
    caller: May<WritePayments>,
    Segment(id): Segment<PaymentId>,
    Form(form): Form<Act>,
) -> Result<Response, Problem> {
    let (currency, _) = currency_and_order(&app, id).await?;
    let key = Key::once(&form.once, &format!("/payments/{id}/{}", form.action));
    let done =
        web::submit!(app, caller, key, "payments.page", &form, |tx| acted(tx, id, currency, &form).await);
    let said = match form.action.as_str() {
        "capture" => "The capture is asked of the gateway",
        "confirm" => "The money is counted",
        _ => "The payment is let go",
    };
    answer(&app, &caller, id, &form, done, said).await
}

async fn acted(tx: &Tx, id: PaymentId, currency: Currency, form: &Act) -> Result<Reply, Fault> {
    let at = tx.now();
    match form.action.as_str() {
        "capture" => {
            let one = Capture { at, payment: id, amount: Some(form.amount(currency)?) };
            crate::capture(tx, &[one]).await?.remove(0).or_problem().map_err(|p| p.at("amount"))?;
        }
        "void" => crate::void(tx, &[Void { at, payment: id }]).await?.remove(0).map(drop).or_problem()?,
        "confirm" => {
            if form.reference.trim().is_empty() {
                let detail = "Name the line of the bank statement or cash book, so that it is counted once.";
                return Err(Problem::invalid("reference", detail).into());
            }
            let amount = Some(form.amount(currency)?);
            let one = Confirm { at, payment: id, amount, reference: form.reference.clone() };
            crate::confirm(tx, &[one]).await?.remove(0).or_problem().map_err(|p| p.at("amount"))?;
        }
        other => return Err(Problem::invalid("do", format!("“{other}” is nothing a payment does.")).into()),
    }
    Ok(Reply::empty())
}

/// Refunds the order of a payment.
pub(super) async fn refund(
    State(app): State<App>,
    caller: May<WriteRefunds>,
    Segment(id): Segment<PaymentId>,
    Form(form): Form<Act>,
) -> Result<Response, Problem> {
    let (currency, order) = currency_and_order(&app, id).await?;
    let key = Key::once(&form.once, &format!("/payments/{id}/refund"));
    let done = web::submit!(app, caller, key, "payments.refund", &form, |tx| {
        let amount = form.amount(currency)?;
        if form.reason.trim().is_empty() {
            return Err(Problem::invalid("reason", "Say why the money goes back.").into());
        }
        let one = GrantRefund {
            at: tx.now(),
            order,
            return_id: None,
            amount,
            reason: form.reason.trim().to_owned(),
            to: RefundTo::Tenders,
            recorded: false,
        };
        crate::grant_refunds(tx, &[one]).await?.remove(0).or_problem().map_err(|p| p.at("amount"))?;
        Ok(Reply::empty())
    });
    answer(&app, &caller, id, &form, done, "The refund is granted").await
}

/// Back to the payment with what was done, or the form again with what is wrong.
async fn answer(
    app: &App,
    caller: &Caller,
    id: PaymentId,
    form: &Act,
    done: Result<Reply, Problem>,
    said: &str,
) -> Result<Response, Problem> {
    match done {
        Ok(_) => Ok(web::done(said).to(&format!("/payments/{id}"))),
        Err(problem) if problem.status().is_client_error() => {
            let text = if form.action == "refund" { &form.reason } else { &form.reference };
            let refused = Refused { action: &form.action, amount: &form.amount, text, problem: &problem };
            Ok((problem.status(), page(app, caller, id, Some(refused)).await?).into_response())
        }
        Err(problem) => Err(problem),
    }
}
