//! Call gateways. Invariants: no transaction is open while a gateway is called; whatever happens between the two transactions, the
//! operation is asked again with the same key or asked about, never repeated under another; an answer that comes late or twice folds
//! into what is known.

use crate::gateway::{Answer, Ask, GatewayFact, Gateways, Plan, Subject};
use crate::ledger::{Ledger, NewFact};
use crate::model::{Act, FactKind, Operation, Payment, Phase, State};
use crate::{OperationId, PaymentId, read};
use db::{BoxFuture, Ctx, FromRow, Job, JobKind, Timer, Tx};
use kernel::{Actor, Fault, Timestamp};
use serde::{Deserialize, Serialize};

/// The jobs of this slice.
pub const JOBS: &[JobKind] = &[JobKind::of::<CallGateway>(), JobKind::of::<crate::webhook::ApplyWebhook>()];
/// The timers of this slice.
pub const TIMERS: &[Timer] = &[Timer { name: "payments.ask_again", every_s: 600, run: ask_again }];

/// Calls after which an operation that never reaches its gateway is given up.
const GIVE_UP: i64 = 12;
/// The longest pause between two questions.
const LONGEST_PAUSE: i64 = Timestamp::HOUR;
/// Operations without an answer for so long get a question even if their job was lost.
const FORGOTTEN: i64 = 10 * Timestamp::MINUTE;

/// Calls the gateway for an operation, or asks what became of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CallGateway {
    /// The operation.
    pub operation: OperationId,
    /// How many attempts there were before: a job that comes twice finds more and does nothing.
    pub attempt: i64,
}

impl CallGateway {
    /// One job for each attempt.
    pub(crate) fn dedup(&self) -> String {
        format!("payments.call:{}:{}", self.operation, self.attempt)
    }
    fn is_due(&self, operation: &Operation, payment: &Payment, authorising: bool) -> bool {
        let open = matches!(operation.state, State::Requested | State::Unknown);
        // A void that was asked for early waits until there is something to void.
        let early = operation.kind == Act::Void && (authorising || payment.authorised == 0);
        open && operation.attempts == self.attempt && !early
    }
}

impl Job for CallGateway {
    const NAME: &'static str = "payments.call_gateway";
    async fn run(&self, ctx: Ctx) -> Result<(), Fault> {
        let Some((operation, payment)) = read::operation(ctx.db.read(), self.operation).await? else {
            return Err(Fault::broken(format!("there is no operation {}", self.operation)));
        };
        let authorising = read::is_authorising(ctx.db.read(), payment.id).await?;
        if !self.is_due(&operation, &payment, authorising) {
            return Ok(());
        }
        let ask = ask(&operation, &payment);
        let gateways = ctx.parts.get::<Gateways>()?;
        let answer = match gateways.find(&payment.gateway) {
            Some(gateway) => {
                let plan = match (operation.state, ask.act) {
                    (State::Unknown, _) => gateway.query(&ask),
                    (_, Act::Authorise) => gateway.authorise(&ask),
                    (_, Act::Capture) => gateway.capture(&ask),
                    (_, Act::Void) => gateway.void(&ask),
                    (_, Act::Refund) => gateway.refund(&ask),
                };
                match plan {
                    Plan::Settled(answer) => answer,
                    Plan::Call(call) => match ctx.outside.call(call).await {
                        Ok(answer) => gateway.read(&ask, &answer),
                        Err(nothing) => Answer::Unknown(nothing.0),
                    },
                }
            }
            None if ask.act == Act::Authorise => {
                let why = format!("this program has no gateway “{}”", payment.gateway);
                Answer::Facts(vec![GatewayFact::of(&ask, Phase::Failed, ask.key.clone()).because(why)])
            }
            None => return Err(Fault::broken(format!("this program has no gateway “{}”", payment.gateway))),
        };
        let actor = Actor::system("payments");
        db::write!(ctx.db, &actor, |tx| settle(tx, self, &ask, &answer).await)
    }
}

fn ask(operation: &Operation, payment: &Payment) -> Ask {
    let amount = match operation.kind {
        Act::Void => (payment.authorised - payment.voided - payment.captured).clamp(0, operation.amount),
        _ => operation.amount,
    };
    Ask {
        payment: payment.id,
        operation: operation.id,
        key: operation.id.to_string(),
        act: operation.kind,
        method: payment.method.clone(),
        token: payment.token.clone(),
        reference: payment.reference.clone(),
        currency: payment.currency,
        amount,
        attempt: operation.attempts + 1,
    }
}

/// The second transaction: what the gateway answered becomes facts, and what is still open is asked about again.
async fn settle(tx: &Tx, job: &CallGateway, ask: &Ask, answer: &Answer) -> Result<(), Fault> {
    let mut ledger = Ledger::lock(tx, [ask.payment]).await?;
    let (state, problem) = match answer {
        Answer::Facts(facts) => {
            for fact in facts {
                let mine = about(ask, &fact.subject)?;
                push(tx, &mut ledger, ask.payment, mine.then_some((ask.operation, ask.act.fact())), fact)?;
            }
            match facts.iter().any(|f| f.action_url.is_some()) {
                true => (State::RequiresAction, None),
                false => (State::Unknown, Some("the gateway is still at work".to_owned())),
            }
        }
        Answer::Unknown(why) => (State::Unknown, Some(why.clone())),
        Answer::NeverHappened if ask.attempt >= GIVE_UP => {
            let fact =
                GatewayFact::of(ask, Phase::Failed, ask.key.clone()).because("it never reached the gateway");
            push(tx, &mut ledger, ask.payment, Some((ask.operation, ask.act.fact())), &fact)?;
            (State::Unknown, None)
        }
        Answer::NeverHappened => {
            (State::Requested, Some("it did not reach the gateway and is sent again".to_owned()))
        }
    };
    ledger.save(tx).await?;
    note(tx, job, state, problem).await
}

/// Counts the attempt; an operation that is still open gets its new state and its next attempt.
async fn note(tx: &Tx, job: &CallGateway, state: State, problem: Option<String>) -> Result<(), Fault> {
    let attempts = job.attempt + 1;
    let counted = tx
        .touched(
            "UPDATE payment_operation SET attempts = $1 WHERE id = $2 AND attempts = $3",
            [attempts.into(), job.operation.into(), job.attempt.into()],
        )
        .await?;
    if counted == 0 {
        return Ok(());
    }
    let open = tx
        .touched(
            "UPDATE payment_operation SET state = $1, problem = $2 WHERE id = $3 AND state IN ('requested', 'unknown')",
            [state.into(), problem.into(), job.operation.into()],
        )
        .await?;
    if open > 0 && state != State::RequiresAction {
        let next = CallGateway { operation: job.operation, attempt: attempts };
        let key = next.dedup();
        tx.enqueue(tx.now().plus(pause(attempts)), &[(next, Some(key))]).await?;
    }
    Ok(())
}

/// Ten seconds after the first attempt, then twice as long each time.
fn pause(attempts: i64) -> i64 {
    (5 * Timestamp::SECOND).saturating_mul(1 << attempts.clamp(0, 20)).min(LONGEST_PAUSE)
}

/// Whether a fact in an answer is about the asked operation.
fn about(ask: &Ask, subject: &Subject) -> Result<bool, Fault> {
    match subject {
        Subject::Asked => Ok(true),
        Subject::Operation(operation) if *operation == ask.operation => Ok(true),
        Subject::Payment(payment) if *payment == ask.payment => Ok(false),
        other => Err(Fault::broken(format!("the answer to {} is about {other:?}", ask.key))),
    }
}

/// Adds what a gateway says to a held payment. A fact of another kind than the operation's (its fee) is not its end.
pub(crate) fn push(
    tx: &Tx,
    ledger: &mut Ledger,
    payment: PaymentId,
    operation: Option<(OperationId, FactKind)>,
    fact: &GatewayFact,
) -> Result<(), Fault> {
    let operation = operation.filter(|(_, kind)| *kind == fact.kind).map(|(id, _)| id);
    let held = ledger.get_mut(payment)?;
    if let Some(reference) = &fact.payment_reference
        && held.payment.reference.is_none()
    {
        held.payment.reference = Some(reference.clone());
    }
    if fact.kind == FactKind::Authorise {
        let waits = fact.phase == Phase::Requested && held.amounts().authorised == 0;
        held.payment.action_url = fact.action_url.clone().filter(|_| waits);
    }
    if fact.phase == Phase::Requested && operation.is_some() {
        // Our own request is a fact already.
        return Ok(());
    }
    let at = fact.at.unwrap_or_else(|| tx.now());
    let (kind, phase, amount, detail) = (fact.kind, fact.phase, fact.amount, fact.detail.clone());
    ledger.push(
        tx,
        payment,
        NewFact { at, kind, phase, amount, reference: fact.reference.clone(), operation, detail },
    )
}

#[derive(FromRow)]
struct Waiting {
    id: OperationId,
    attempts: i64,
}

/// Operations whose job was lost are asked about; those with a job keep it, waiting or parked.
fn ask_again(ctx: Ctx) -> BoxFuture<'static, Result<(), Fault>> {
    Box::pin(async move {
        let before = ctx.db.now().plus(-FORGOTTEN);
        let text = "SELECT id, attempts FROM payment_operation WHERE state IN ('requested', 'unknown') AND requested_at < $1 \
                    ORDER BY requested_at LIMIT 1000";
        let waiting: Vec<Waiting> = ctx.db.read().all(text, [before.into()]).await?;
        let jobs: Vec<(CallGateway, Option<String>)> = waiting
            .into_iter()
            .map(|w| CallGateway { operation: w.id, attempt: w.attempts })
            .map(|job| (job.clone(), Some(job.dedup())))
            .collect();
        let actor = Actor::system("payments");
        db::write!(ctx.db, &actor, |tx| tx.enqueue(tx.now(), &jobs).await)
    })
}

/// The customer did what the gateway asked for: the outcome, for gateways with no world behind them. `false` when nothing waits for it.
///
/// # Errors
/// A fault of the database, or when the program has no such gateway.
pub async fn complete_action(ctx: &Ctx, payment: PaymentId) -> Result<bool, Fault> {
    let operations = read::operations_of(ctx.db.read(), &[payment]).await?;
    let waiting = operations.get(&payment).into_iter().flatten().find(|o| o.state == State::RequiresAction);
    let (Some(operation), Some(payment)) = (waiting, read::payment(ctx.db.read(), payment).await?) else {
        return Ok(false);
    };
    let gateways = ctx.parts.get::<Gateways>()?;
    let gateway = gateways
        .find(&payment.gateway)
        .ok_or_else(|| Fault::broken(format!("no gateway “{}”", payment.gateway)))?;
    let ask = ask(operation, &payment);
    let facts = gateway.complete(&ask);
    if facts.is_empty() {
        return Ok(false);
    }
    let actor = Actor::system("payments");
    db::write!(ctx.db, &actor, |tx| {
        let mut ledger = Ledger::lock(tx, [ask.payment]).await?;
        for fact in &facts {
            push(tx, &mut ledger, ask.payment, Some((ask.operation, ask.act.fact())), fact)?;
        }
        ledger.save(tx).await
    })?;
    Ok(true)
}
