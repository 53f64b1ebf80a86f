//! What the forms of an order do: through the commands of the API, under the permission of the route, once for each form. What is refused
//! shows the order again with the form as it was filled in.

use super::common::{Fields, Typed, given, hold_words, some};
use super::{detail, forms, money};
use crate::api::{WriteOrders, by_the_field};
use crate::model::{HoldKind, OrderId};
use crate::{
    AskConfirmation, Cancel, ChangeAddress, ChangeAddressRefused, ChangeContact, ChangeContactRefused, Hold,
    Note, ReleaseHold, RequestPayment, Tag,
};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use kernel::{Currency, Money, money as amounts};
use payments::api::{WritePayments, WriteRefunds};
use payments::{Capture, Confirm, GrantRefund, PaymentId, RefundTo};
use web::{App, Caller, Done, Form, Key, May, OrProblem, Problem, Reply, Segment};

fn key(id: OrderId, name: &str, fields: &Fields) -> Key {
    Key::once(given(fields, "once"), &format!("/orders/{id}/{name}"))
}

/// Says what was done, or shows the order again with the refused form.
async fn end(
    app: &App,
    caller: &Caller,
    id: OrderId,
    form: &'static str,
    fields: Fields,
    done: Result<Done, Problem>,
) -> Result<Response, Problem> {
    match done {
        Ok(said) => Ok(said.to(&format!("/orders/{id}"))),
        Err(problem) if problem.status().is_client_error() && problem.code() != "request.not_found" => {
            let status = problem.status();
            let typed = Typed { form, values: fields, problem: Some(problem) };
            Ok((status, detail::page(app, caller, id, &typed).await?).into_response())
        }
        Err(problem) => Err(problem),
    }
}

/// The reason that a form must give.
fn reason(fields: &Fields) -> Result<String, Problem> {
    match given(fields, "reason") {
        "" => Err(Problem::invalid("reason", "Say why: colleagues will ask.")),
        text => Ok(text.to_owned()),
    }
}

/// An amount that may be left empty.
fn amount(fields: &Fields, currency: Currency) -> Result<Option<i64>, Problem> {
    match given(fields, "amount") {
        "" => Ok(None),
        text => match amounts::parse_typed(text, currency.exponent()) {
            Ok(minor) if minor > 0 => Ok(Some(minor)),
            Ok(_) => Err(Problem::invalid("amount", "An amount over zero.")),
            Err(e) => Err(Problem::invalid("amount", format!("{e}."))),
        },
    }
}

/// Puts a hold.
pub(super) async fn hold(
    caller: May<WriteOrders>,
    State(app): State<App>,
    Segment(id): Segment<OrderId>,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let done = try_hold(&app, &caller, id, &fields).await;
    end(&app, &caller, id, "hold", fields, done).await
}

async fn try_hold(app: &App, caller: &Caller, id: OrderId, fields: &Fields) -> Result<Done, Problem> {
    let kind: HoldKind = given(fields, "kind").parse().map_err(|e: String| Problem::invalid("kind", e))?;
    if matches!(kind, HoldKind::RiskReview | HoldKind::PaymentDue | HoldKind::ProbableDuplicate) {
        return Err(Problem::invalid("kind", "This hold is put by the program alone."));
    }
    let reason = reason(fields)?;
    web::submit!(app, caller, key(id, "hold", fields), "orders.hold", fields, |tx| {
        let (reason, by) = (reason.clone(), caller.actor.clone());
        let item = Hold { at: tx.now(), order: id, kind, reason, by };
        crate::hold(tx, &[item]).await?.remove(0).or_problem()?;
        Ok(Reply::empty())
    })?;
    let back = format!("/orders/{id}/release");
    Ok(web::done("The order is held").undo(&back, &[("kind", kind.as_str())]))
}

/// Takes a hold away.
pub(super) async fn release(
    caller: May<WriteOrders>,
    State(app): State<App>,
    Segment(id): Segment<OrderId>,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let done = try_release(&app, &caller, id, &fields).await;
    end(&app, &caller, id, "release", fields, done).await
}

pub(super) async fn try_release(
    app: &App,
    caller: &Caller,
    id: OrderId,
    fields: &Fields,
) -> Result<Done, Problem> {
    let kind: HoldKind = given(fields, "kind").parse().map_err(|e: String| Problem::invalid("kind", e))?;
    if kind == HoldKind::RiskReview {
        return Err(Problem::invalid("kind", "A fraud check ends with a decision: approve or reject it."));
    }
    web::submit!(app, caller, key(id, "release", fields), "orders.release_hold", fields, |tx| {
        let item = ReleaseHold { at: tx.now(), order: id, kind, by: caller.actor.clone() };
        crate::release_hold(tx, &[item]).await?.remove(0).or_problem()?;
        Ok(Reply::empty())
    })?;
    Ok(web::done(format!("“{}” is released", hold_words(kind.as_str()))))
}

/// Cancels units.
pub(super) async fn cancel(
    caller: May<WriteOrders>,
    State(app): State<App>,
    Segment(id): Segment<OrderId>,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let done = try_cancel(&app, &caller, id, &fields).await;
    end(&app, &caller, id, "cancel", fields, done).await
}

async fn try_cancel(app: &App, caller: &Caller, id: OrderId, fields: &Fields) -> Result<Done, Problem> {
    let (order, lines) = money::order(app, id).await?;
    let units = money::units(fields, &lines, money::cancellable)?;
    let reason = reason(fields)?;
    if units.is_empty() {
        return Err(Problem::invalid("reason", "Say of which line how many units are cancelled."));
    }
    let refund = !given(fields, "refund").is_empty();
    let done = web::submit!(app, caller, key(id, "cancel", fields), "orders.cancel", fields, |tx| {
        let item = Cancel { at: tx.now(), order: id, lines: units.clone(), reason: reason.clone(), refund };
        let cancelled = crate::cancel(tx, &[item]).await?.remove(0).or_problem()?;
        web::reply(axum::http::StatusCode::OK, &(cancelled.units, cancelled.refund))
    })?;
    let (units, back): (i64, i64) = serde_json::from_str(done.body()).map_err(kernel::Fault::from)?;
    let money = match back {
        0 => String::new(),
        back => format!(", {} go back", Money::new(back, order.currency)),
    };
    Ok(web::done(format!("{units} units cancelled{money}")))
}

/// Changes where it goes.
pub(super) async fn address(
    caller: May<WriteOrders>,
    State(app): State<App>,
    Segment(id): Segment<OrderId>,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let ship_to = forms::address_of(&fields);
    let done =
        web::submit!(app, caller, key(id, "address", &fields), "orders.change_address", &fields, |tx| {
            let (ship_to, by) = (ship_to.clone(), caller.actor.clone());
            let item = ChangeAddress { at: tx.now(), order: id, ship_to, by };
            crate::change_address(tx, &[item])
                .await?
                .remove(0)
                .map_err(|refused| address_problem(&refused))?;
            Ok(Reply::empty())
        });
    end(&app, &caller, id, "address", fields, done.map(|_| web::done("The address is changed"))).await
}

/// A refused address as a problem, with what is wrong by the field.
fn address_problem(refused: &ChangeAddressRefused) -> Problem {
    let problem = Problem::refused(refused);
    match refused {
        ChangeAddressRefused::BadAddress { fields, .. } => problem.with_errors(by_the_field(fields)),
        ChangeAddressRefused::OtherCountry { .. } => problem.at("country"),
        _ => problem,
    }
}

/// Changes how the customer is reached.
pub(super) async fn contact(
    caller: May<WriteOrders>,
    State(app): State<App>,
    Segment(id): Segment<OrderId>,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let (email, phone) = (some(given(&fields, "email")), some(given(&fields, "phone")));
    let done =
        web::submit!(app, caller, key(id, "contact", &fields), "orders.change_contact", &fields, |tx| {
            let (email, phone, by) = (email.clone(), phone.clone(), caller.actor.clone());
            let item = ChangeContact { at: tx.now(), order: id, email, phone, by };
            crate::change_contact(tx, &[item]).await?.remove(0).map_err(|refused| {
                let problem = Problem::refused(&refused);
                match &refused {
                    ChangeContactRefused::BadContact { fields, .. } => {
                        problem.with_errors(by_the_field(fields))
                    }
                    ChangeContactRefused::NoOrder { .. } => problem,
                }
            })?;
            Ok(Reply::empty())
        });
    end(&app, &caller, id, "contact", fields, done.map(|_| web::done("The contact is changed"))).await
}

/// Writes a note.
pub(super) async fn note(
    caller: May<WriteOrders>,
    State(app): State<App>,
    Segment(id): Segment<OrderId>,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let done = web::submit!(app, caller, key(id, "note", &fields), "orders.note", &fields, |tx| {
        let (text, by) = (given(&fields, "text").to_owned(), caller.actor.clone());
        let item = Note { at: tx.now(), order: id, text, by };
        crate::note(tx, &[item]).await?.remove(0).map_err(|r| Problem::refused(&r).at("text"))?;
        Ok(Reply::empty())
    });
    end(&app, &caller, id, "note", fields, done.map(|_| web::done("The note is kept"))).await
}

/// Adds a tag.
pub(super) async fn tag(
    caller: May<WriteOrders>,
    State(app): State<App>,
    Segment(id): Segment<OrderId>,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let done = web::submit!(app, caller, key(id, "tag", &fields), "orders.tag", &fields, |tx| {
        let (tag, by) = (given(&fields, "tag").to_owned(), caller.actor.clone());
        let item = Tag { at: tx.now(), order: id, tag, by };
        crate::tag(tx, &[item]).await?.remove(0).map_err(|r| Problem::refused(&r).at("tag"))?;
        Ok(Reply::empty())
    });
    end(&app, &caller, id, "tag", fields, done.map(|_| web::done("Tagged"))).await
}

/// Takes a tag off.
pub(super) async fn untag(
    caller: May<WriteOrders>,
    State(app): State<App>,
    Segment(id): Segment<OrderId>,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let done = web::submit!(app, caller, key(id, "untag", &fields), "orders.untag", &fields, |tx| {
        let (tag, by) = (given(&fields, "tag").to_owned(), caller.actor.clone());
        let item = Tag { at: tx.now(), order: id, tag, by };
        crate::untag(tx, &[item]).await?.remove(0).or_problem()?;
        Ok(Reply::empty())
    });
    end(&app, &caller, id, "tag", fields, done.map(|_| web::done("The tag is taken off"))).await
}

/// Sends the confirmation once more.
pub(super) async fn confirmation(
    caller: May<WriteOrders>,
    State(app): State<App>,
    Segment(id): Segment<OrderId>,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let done =
        web::submit!(app, caller, key(id, "confirmation", &fields), "orders.confirm_again", &fields, |tx| {
            let item = AskConfirmation { at: tx.now(), order: id, by: caller.actor.clone() };
            crate::ask_confirmation(tx, &[item]).await?.remove(0).or_problem()?;
            Ok(Reply::empty())
        });
    end(&app, &caller, id, "confirmation", fields, done.map(|_| web::done("The confirmation is sent again")))
        .await
}

/// Sends the customer a link to pay.
pub(super) async fn payment_request(
    caller: May<WriteOrders>,
    State(app): State<App>,
    Segment(id): Segment<OrderId>,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let done = requested(&app, &caller, id, &fields).await;
    end(&app, &caller, id, "payment_request", fields, done.map(|()| web::done("The payment request is sent")))
        .await
}

/// Has the payment request of an order sent, once for a form.
pub(super) async fn requested(
    app: &App,
    caller: &Caller,
    id: OrderId,
    fields: &Fields,
) -> Result<(), Problem> {
    web::submit!(app, caller, key(id, "payment-request", fields), "orders.request_payment", fields, |tx| {
        let item = RequestPayment { at: tx.now(), order: id, by: caller.actor.clone() };
        crate::request_payment(tx, &[item]).await?.remove(0).or_problem()?;
        Ok(Reply::empty())
    })
    .map(drop)
}

fn payment(fields: &Fields) -> Result<PaymentId, Problem> {
    given(fields, "payment").parse().map_err(|_| Problem::invalid("payment", "Choose the payment."))
}

/// Takes money that was set aside.
pub(super) async fn capture(
    caller: May<WritePayments>,
    State(app): State<App>,
    Segment(id): Segment<OrderId>,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let done = try_capture(&app, &caller, id, &fields).await;
    end(&app, &caller, id, "capture", fields, done).await
}

async fn try_capture(app: &App, caller: &Caller, id: OrderId, fields: &Fields) -> Result<Done, Problem> {
    let (order, _) = money::order(app, id).await?;
    let (payment, amount) = (payment(fields)?, amount(fields, order.currency)?);
    of_order(app, id, payment).await?;
    web::submit!(app, caller, key(id, "capture", fields), "payments.capture", fields, |tx| {
        let item = Capture { at: tx.now(), payment, amount };
        payments::capture(tx, &[item]).await?.remove(0).map_err(|r| Problem::refused(&r).at("amount"))?;
        Ok(Reply::empty())
    })?;
    Ok(web::done("The capture is on its way to the gateway"))
}

/// A payment of another order is none of this one's.
async fn of_order(app: &App, id: OrderId, payment: PaymentId) -> Result<(), Problem> {
    let known = payments::read::payment(app.db.read(), payment).await?;
    match known.is_some_and(|p| p.order_id == id.0) {
        true => Ok(()),
        false => Err(Problem::invalid("payment", "This payment is not one of the order's.")),
    }
}

/// Counts money that arrived by hand.
pub(super) async fn received(
    caller: May<WritePayments>,
    State(app): State<App>,
    Segment(id): Segment<OrderId>,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let done = try_received(&app, &caller, id, &fields).await;
    end(&app, &caller, id, "received", fields, done).await
}

async fn try_received(app: &App, caller: &Caller, id: OrderId, fields: &Fields) -> Result<Done, Problem> {
    let (order, _) = money::order(app, id).await?;
    let (payment, amount) = (payment(fields)?, amount(fields, order.currency)?);
    of_order(app, id, payment).await?;
    let reference = given(fields, "reference").to_owned();
    if reference.is_empty() {
        return Err(Problem::invalid("reference", "Name the line of the bank statement or cash book."));
    }
    web::submit!(app, caller, key(id, "received", fields), "payments.confirm", fields, |tx| {
        let item = Confirm { at: tx.now(), payment, amount, reference: reference.clone() };
        payments::confirm(tx, &[item]).await?.remove(0).map_err(|r| Problem::refused(&r).at("amount"))?;
        Ok(Reply::empty())
    })?;
    Ok(web::done("The money is counted"))
}

/// Grants a refund.
pub(super) async fn refund(
    caller: May<WriteRefunds>,
    State(app): State<App>,
    Segment(id): Segment<OrderId>,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let done = try_refund(&app, &caller, id, &fields).await;
    end(&app, &caller, id, "refund", fields, done).await
}

async fn try_refund(app: &App, caller: &Caller, id: OrderId, fields: &Fields) -> Result<Done, Problem> {
    let (order, lines) = money::order(app, id).await?;
    let amount = money::Refund::read(fields, &order, &lines)?.total();
    let reason = reason(fields)?;
    if amount == 0 {
        return Err(Problem::invalid("amount", "Say how many units, or which amount."));
    }
    let to = match given(fields, "to") {
        "store_credit" => RefundTo::StoreCredit,
        _ => RefundTo::Tenders,
    };
    web::submit!(app, caller, key(id, "refund", fields), "payments.refund", fields, |tx| {
        let item = GrantRefund {
            at: tx.now(),
            order: id.0,
            return_id: None,
            amount,
            reason: reason.clone(),
            to,
            recorded: false,
        };
        payments::grant_refunds(tx, &[item])
            .await?
            .remove(0)
            .map_err(|r| Problem::refused(&r).at("amount"))?;
        Ok(Reply::empty())
    })?;
    Ok(web::done(format!("{} are on their way to the customer", Money::new(amount, order.currency))))
}
