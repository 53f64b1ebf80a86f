//! What the forms of a return do: the commands of the API, each once for its form.

use super::detail::{Refused, page};
use super::words;
use crate::api::{ReceiveReturns, WriteReturns, single};
use crate::model::{Disposition, Reception, Resolution, ReturnId, ReturnUnitId};
use crate::{Approve, Decline, Exchange, GiveLabel, Inspect, Receive, Settle, read};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use db::Tx;
use inventory::LocationId;
use kernel::{Fault, Money};
use orders::WantedLine;
use serde::{Deserialize, Serialize};
use shipping::Carriers;
use web::{App, Caller, Key, May, Problem, Reply, Segment};

/// What a form does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    Approve,
    Decline,
    Label,
    Refund,
    StoreCredit,
    Exchange,
    Scan,
    Receive,
    Inspect,
}

impl Step {
    /// As forms send it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Decline => "decline",
            Self::Label => "label",
            Self::Refund => "refund",
            Self::StoreCredit => "store_credit",
            Self::Exchange => "exchange",
            Self::Scan => "scan",
            Self::Receive => "receive",
            Self::Inspect => "inspect",
        }
    }
    /// Where its form is sent: what is decided at a desk is not for those who handle the goods.
    pub fn path(self) -> &'static str {
        match self {
            Self::Approve
            | Self::Decline
            | Self::Label
            | Self::Refund
            | Self::StoreCredit
            | Self::Exchange => "decide",
            Self::Scan | Self::Receive | Self::Inspect => "goods",
        }
    }
}

/// A step that was sent to the other route.
fn elsewhere(step: Step) -> Fault {
    Problem::invalid("do", format!("“{}” is not done here.", step.as_str())).into()
}

/// What a form sent; each step uses its part.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Form {
    #[serde(rename = "do")]
    pub step: Step,
    #[serde(default)]
    pub once: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    location: String,
    #[serde(default)]
    reception: String,
    #[serde(default)]
    acceptance: String,
    #[serde(default)]
    disposition: String,
    #[serde(default)]
    sku: String,
    #[serde(default)]
    quantity: String,
    #[serde(default)]
    units: Vec<ReturnUnitId>,
}

impl Form {
    /// A field as it was sent.
    pub fn get(&self, name: &str) -> &str {
        match name {
            "reason" => &self.reason,
            "code" => &self.code,
            "location" => &self.location,
            "acceptance" => &self.acceptance,
            "disposition" => &self.disposition,
            "sku" => &self.sku,
            "quantity" => &self.quantity,
            _ => "",
        }
    }
    fn place(&self) -> Result<LocationId, Problem> {
        self.location.parse().map_err(|_| Problem::invalid("location", "Choose where the units are."))
    }
}

/// Approves, declines and settles.
pub(super) async fn desk(
    State(app): State<App>,
    caller: May<WriteReturns>,
    Segment(id): Segment<ReturnId>,
    web::Form(form): web::Form<Form>,
) -> Result<Response, Problem> {
    let key = Key::once(&form.once, &format!("/returns/{id}/{}", form.step.as_str()));
    let carriers = app.ctx.parts.get::<Carriers>()?;
    let done = web::submit!(app, caller, key, "returns.decide", &form, |tx| {
        match form.step {
            Step::Label => {
                let give = GiveLabel { at: tx.now(), return_id: id, by: None };
                single(crate::give_labels(tx, &carriers, &[give]).await?)?;
                Ok(Reply::empty())
            }
            _ => at_the_desk(tx, &caller, id, &form).await,
        }
    });
    answer(&app, &caller, id, &form, done).await
}

/// Receives and inspects.
pub(super) async fn goods(
    State(app): State<App>,
    caller: May<ReceiveReturns>,
    Segment(id): Segment<ReturnId>,
    web::Form(form): web::Form<Form>,
) -> Result<Response, Problem> {
    let key = Key::once(&form.once, &format!("/returns/{id}/{}", form.step.as_str()));
    let done = web::submit!(app, caller, key, "returns.goods", &form, |tx| handled(tx, id, &form).await);
    answer(&app, &caller, id, &form, done).await
}

/// Back to the return with what was done, or the form again with what is wrong.
async fn answer(
    app: &App,
    caller: &Caller,
    id: ReturnId,
    form: &Form,
    done: Result<Reply, Problem>,
) -> Result<Response, Problem> {
    let here = format!("/returns/{id}");
    match done {
        Ok(_) => Ok(web::done(said(app, caller, id, form).await?).to(&here)),
        Err(problem) if problem.status().is_client_error() && problem.code() != "request.not_found" => {
            let again = page(app, caller, id, Some(Refused { form, problem: &problem })).await?;
            Ok((problem.status(), again).into_response())
        }
        Err(problem) => Err(problem),
    }
}

/// What was done, in a sentence.
async fn said(app: &App, caller: &Caller, id: ReturnId, form: &Form) -> Result<String, Problem> {
    let row =
        read::by_id(app.db.read(), id).await?.ok_or_else(|| Problem::not_found(format!("return {id}")))?;
    Ok(match form.step {
        Step::Approve => format!("{} is approved", row.number),
        Step::Decline => format!("{} is declined", row.number),
        Step::Label => format!("{} has its label", row.number),
        Step::Scan => format!("Received {}", form.code.trim()),
        Step::Receive => "Recorded where the units are".to_owned(),
        Step::Inspect if super::sees_money(caller) => {
            format!("Inspected: {} so far", Money::new(row.credited, row.currency))
        }
        Step::Inspect => "The inspection is recorded".to_owned(),
        Step::Refund | Step::StoreCredit | Step::Exchange => {
            format!("{} is settled by {}", row.number, words(row.resolution.as_str()))
        }
    })
}

async fn at_the_desk(tx: &Tx, caller: &Caller, id: ReturnId, form: &Form) -> Result<Reply, Fault> {
    let at = tx.now();
    let settle = |resolution, exchange| Settle {
        at,
        by: caller.actor.clone(),
        return_id: id,
        resolution: Some(resolution),
        exchange,
        recorded: false,
    };
    match form.step {
        Step::Approve => single(crate::approve(tx, &[Approve { at, return_id: id }]).await?)?,
        Step::Decline => {
            if form.reason.trim().is_empty() {
                return Err(
                    Problem::invalid("reason", "Tell the customer why the return is declined.").into()
                );
            }
            let one = Decline { at, return_id: id, reason: form.reason.clone() };
            single(crate::decline(tx, &[one]).await?)?;
        }
        Step::Refund => drop(single(crate::settle(tx, &[settle(Resolution::Refund, None)]).await?)?),
        Step::StoreCredit => {
            drop(single(crate::settle(tx, &[settle(Resolution::StoreCredit, None)]).await?)?)
        }
        Step::Exchange => {
            let exchange = instead(form)?;
            drop(single(crate::settle(tx, &[settle(Resolution::Exchange, Some(exchange))]).await?)?);
        }
        Step::Label | Step::Scan | Step::Receive | Step::Inspect => return Err(elsewhere(form.step)),
    }
    Ok(Reply::empty())
}

/// What the customer takes instead.
fn instead(form: &Form) -> Result<Exchange, Problem> {
    let quantity = form.quantity.trim().parse::<i64>().ok().filter(|q| *q > 0);
    let quantity =
        quantity.ok_or_else(|| Problem::invalid("quantity", "Give the number of units, at least 1."))?;
    if form.sku.trim().is_empty() {
        return Err(Problem::invalid("sku", "Say what the customer takes instead."));
    }
    let line = WantedLine {
        sku: form.sku.trim().to_owned(),
        quantity,
        unit_price: None,
        discount: 0,
        tax_rate_ppm: None,
        location: None,
    };
    Ok(Exchange { lines: vec![line], ..Exchange::default() })
}

async fn handled(tx: &Tx, id: ReturnId, form: &Form) -> Result<Reply, Fault> {
    let at = tx.now();
    match form.step {
        Step::Scan => {
            let unit = scanned(tx, id, form.code.trim()).await?;
            let one = Receive {
                at,
                return_id: id,
                units: vec![unit],
                location: form.place()?,
                reception: Reception::Received,
            };
            single(crate::receive(tx, &[one]).await?)?;
        }
        Step::Receive => {
            let reception =
                form.reception.parse().map_err(|e| Problem::invalid("reception", format!("{e}.")))?;
            let units = form.units.clone();
            let one = Receive { at, return_id: id, units, location: form.place()?, reception };
            single(crate::receive(tx, &[one]).await?)?;
        }
        Step::Inspect => {
            let acceptance =
                form.acceptance.parse().map_err(|e| Problem::invalid("acceptance", format!("{e}.")))?;
            let disposition = match form.disposition.as_str() {
                "" => None,
                text => Some(
                    text.parse::<Disposition>()
                        .map_err(|e| Problem::invalid("disposition", format!("{e}.")))?,
                ),
            };
            let location = if form.location.is_empty() { None } else { Some(form.place()?) };
            let units = form.units.clone();
            let one = Inspect { at, return_id: id, units, acceptance, disposition, location };
            let outcome = crate::inspect(tx, &[one]).await?.remove(0);
            outcome.map_err(|refused| match refused {
                crate::InspectRefused::NoDisposition => Problem::refused(&refused).at("disposition"),
                other => Problem::refused(&other),
            })?;
        }
        Step::Approve | Step::Decline | Step::Label | Step::Refund | Step::StoreCredit | Step::Exchange => {
            return Err(elsewhere(form.step));
        }
    }
    Ok(Reply::empty())
}

/// The first awaited unit of what was scanned.
async fn scanned(tx: &Tx, id: ReturnId, code: &str) -> Result<ReturnUnitId, Fault> {
    let sku = catalog::skus_by_scan(tx, &[code]).await?.remove(code);
    let unknown = || Problem::invalid("code", format!("Nothing in the catalogue has the code “{code}”."));
    let sku = sku.ok_or_else(unknown)?;
    let sku = catalog::skus_by_id(tx, &[sku]).await?.remove(&sku).ok_or_else(unknown)?;
    let units = read::units_of(tx, &[id]).await?;
    let mine = units.iter().filter(|u| u.sku == sku.code);
    let found = mine.clone().find(|u| u.reception.open()).map(|u| u.id);
    found.ok_or_else(|| {
        let why = match mine.count() {
            0 => format!("{} is not in this return. Put it aside and look for its own return.", sku.code),
            _ => format!("Every {} of this return is received already.", sku.code),
        };
        Problem::invalid("code", why).into()
    })
}
