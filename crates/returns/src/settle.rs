//! Settle a return: money back, store credit, or an exchange with the difference due or refunded. Invariants: what was credited is
//! given back at most once and to the cent; credit for goods that were never paid for reduces what is owed instead; the replacing order
//! and the money of the old one are one transaction.

use crate::events::ReturnSettled;
use crate::load::{self, Closed, Locked, OrderFacts, Paid};
use crate::model::{Resolution, ReturnId};
use contact::address::Address;
use db::{Rows, Tx};
use kernel::{Actor, Currency, Fault, Refuse, Timestamp, refusals};
use orders::{Buyer, IfOutOfStock, Place, Placed, Tender, Trust, WantedLine};
use payments::{GrantRefund, Open, RefundId, RefundTo};
use std::collections::HashMap;

/// What a customer takes instead.
#[derive(Debug, Clone, Default)]
pub struct Exchange {
    /// What.
    pub lines: Vec<WantedLine>,
    /// Off the whole new order.
    pub discount: i64,
    /// Price of shipping it.
    pub shipping: i64,
    /// Where to; absent: as the order that is exchanged.
    pub ship_to: Option<Address>,
    /// How a difference is paid; without any it is due, and holds the new order.
    pub tenders: Vec<Tender>,
    /// Credit that is left becomes store credit rather than money.
    pub rest_to_store_credit: bool,
    /// Refuse or backorder.
    pub if_out_of_stock: IfOutOfStock,
}

/// A return to settle.
#[derive(Debug, Clone)]
pub struct Settle {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Actor,
    /// Which.
    pub return_id: ReturnId,
    /// How; absent: as it was asked.
    pub resolution: Option<Resolution>,
    /// What the customer takes instead, for an exchange.
    pub exchange: Option<Exchange>,
    /// History: the money went back already, no gateway is called.
    pub recorded: bool,
}

/// What the customer got.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    /// Credit of the accepted units.
    pub credited: i64,
    /// Of it, given back as money, store credit or into the exchange.
    pub refunded: i64,
    /// Of it, taken off what was still owed for the order.
    pub offset: i64,
    /// The refund of what did not go into an exchange.
    pub refund: Option<RefundId>,
    /// The new order.
    pub exchange: Option<Placed>,
    /// What went into it.
    pub exchanged: i64,
    /// What the customer pays for it besides; until that is there, it is held.
    pub due: i64,
    /// Why a tender for that was not taken: then it stays due.
    pub tender_refused: Option<String>,
}

refusals! {
    /// Why a return is not settled.
    pub enum SettleRefused {
        Unknown { return_id: ReturnId }      => NotFound, "returns.unknown",         "There is no return {return_id}.";
        NotApproved { number: String }       => Conflict, "returns.not_approved",    "Return {number} is not approved yet.";
        Declined { number: String }          => Conflict, "returns.declined",        "Return {number} was declined.";
        Settled { number: String }           => Conflict, "returns.settled",         "Return {number} is settled already.";
        Undecided { number: String, units: i64 } => Conflict, "returns.undecided",   "{units} units of return {number} are neither accepted nor rejected yet.";
        NoExchange                           => Invalid,  "returns.no_exchange",     "Say what the customer takes instead, or settle by refund or store credit.";
        NotAnExchange                        => Invalid,  "returns.not_an_exchange", "Lines were given, but the return is not settled by an exchange.";
        CapturePending { number: String }    => Conflict, "returns.capture_pending", "The payment of return {number}'s order is being captured; try again in a moment.";
        ExchangeRefused { code: String, sentence: String } => Conflict, "returns.exchange_refused", "The new order was refused: {sentence}";
    }
}

/// What is to be done about one return.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Plan {
    resolution: Resolution,
    currency: Currency,
    credited: i64,
    payable: i64,
}

/// What the customer owes for an order in all.
fn owed(total: i64, cancelled: i64, returned: i64) -> i64 {
    total - cancelled - returned
}

/// What settling a return would give back as things stand, and what it would take off what is still owed; minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preview {
    /// Given back, the ways it was paid, as store credit or into an exchange.
    pub refunded: i64,
    /// Taken off what is owed.
    pub offset: i64,
}

/// What [`settle`] would give for a return, without doing it.
///
/// # Errors
/// A fault of the database.
pub async fn preview(sql: &db::Sql, row: &crate::read::ReturnRow) -> Result<Preview, Fault> {
    let order = orders::read::orders_by_id(sql, &[row.order_id]).await?.remove(&row.order_id);
    let order = order.ok_or_else(|| Fault::broken("a return without its order"))?;
    let tenders =
        payments::payments_of(sql, &[row.order_id.0]).await?.remove(&row.order_id.0).unwrap_or_default();
    let paid = tenders.iter().fold(Paid::default(), |sum, p| Paid {
        captured: sum.captured + p.captured,
        refunded: sum.refunded + p.refunded,
        refund_pending: sum.refund_pending + p.refund_pending,
        dispute_lost: sum.dispute_lost + p.dispute_lost,
        ..sum
    });
    let owed = owed(order.total, order.cancelled_total, order.returned_total);
    let refunded = decide_payable(owed, &paid, row.credited);
    Ok(Preview { refunded, offset: row.credited - refunded })
}

/// What of a credit can be given back: what the order was overpaid by, now that the units are off it.
fn decide_payable(owed: i64, paid: &Paid, credited: i64) -> i64 {
    let kept = paid.captured - paid.refunded - paid.refund_pending - paid.dispute_lost;
    (kept - owed.max(0)).clamp(0, credited)
}

fn decide(
    locked: &HashMap<ReturnId, Locked>,
    orders: &HashMap<orders::OrderId, OrderFacts>,
    paid: &HashMap<orders::OrderId, Paid>,
    want: &Settle,
) -> Result<Plan, SettleRefused> {
    let unknown = SettleRefused::Unknown { return_id: want.return_id };
    let found = locked.get(&want.return_id).ok_or_else(|| unknown.clone())?;
    let order = orders.get(&found.row.order_id).ok_or(unknown)?;
    let number = || found.row.number.clone();
    found.at_work().map_err(|closed| match closed {
        Closed::NotApproved => SettleRefused::NotApproved { number: number() },
        Closed::Declined => SettleRefused::Declined { number: number() },
        Closed::Settled => SettleRefused::Settled { number: number() },
    })?;
    let open = found.units.iter().filter(|u| u.acceptance.open()).count() as i64;
    if open > 0 {
        return Err(SettleRefused::Undecided { number: number(), units: open });
    }
    let resolution = want.resolution.unwrap_or(found.row.resolution);
    match (&want.exchange, resolution) {
        (None, Resolution::Exchange) => return Err(SettleRefused::NoExchange),
        (Some(_), Resolution::Refund | Resolution::StoreCredit) => return Err(SettleRefused::NotAnExchange),
        _ => {}
    }
    let sums = paid.get(&order.id).copied().unwrap_or_default();
    let credited = found.row.credited;
    let payable =
        decide_payable(owed(order.total, order.cancelled_total, order.returned_total), &sums, credited);
    if payable < credited && sums.capture_pending > 0 {
        return Err(SettleRefused::CapturePending { number: number() });
    }
    Ok(Plan { resolution, currency: order.currency, credited, payable })
}

/// The new order of an exchange. Its tenders come after it is placed: only then is it known how much of the credit it takes.
fn replacement(
    want: &Settle,
    exchange: &Exchange,
    found: &Locked,
    order: &OrderFacts,
) -> Result<Place, Fault> {
    let ship_to: Address = match &exchange.ship_to {
        Some(address) => address.clone(),
        None => serde_json::from_str(&order.ship_to)?,
    };
    Ok(Place {
        at: want.at,
        by: want.by.clone(),
        key: None,
        channel: "exchange".into(),
        reference: Some(found.row.number.clone()),
        buyer: Buyer {
            name: order.name.clone(),
            email: order.email.clone(),
            phone: order.phone.clone(),
            ip: None,
        },
        ship_to,
        ship_to_geo: None,
        bill_to: Some(serde_json::from_str(&order.bill_to)?),
        currency: order.currency,
        tax_inclusive: order.tax_inclusive,
        lines: exchange.lines.clone(),
        discount: exchange.discount,
        shipping: exchange.shipping,
        shipping_tax_ppm: None,
        fee: 0,
        if_out_of_stock: exchange.if_out_of_stock,
        tenders: Vec::new(),
        pay_later: false,
        express: false,
        gift_note: None,
        note: Some(format!("Replaces units of order {} (return {}).", order.number, found.row.number)),
        tags: Vec::new(),
        promised_at: None,
        reservation: None,
        exchange_of: Some(want.return_id.0),
        trust: if want.recorded { Trust::History } else { Trust::Channel },
    })
}

/// Settles returns: one outcome per item, in order. Events: `return.settled`, those of the refunds, and of the new orders.
///
/// # Errors
/// A fault of the database.
pub async fn settle(tx: &Tx, batch: &[Settle]) -> Result<Vec<Result<Settled, SettleRefused>>, Fault> {
    let mut locked = load::lock(tx, batch.iter().map(|s| s.return_id)).await?;
    let orders = load::lock_orders(tx, locked.values().map(|l| l.row.order_id)).await?;
    let mut paid = load::lock_paid(tx, orders.keys().copied()).await?;
    let mut plans = Vec::with_capacity(batch.len());
    for want in batch {
        let plan = decide(&locked, &orders, &paid, want);
        if let (Ok(plan), Some(found)) = (&plan, locked.get_mut(&want.return_id)) {
            // A second return of the same order in this batch sees this one settled.
            found.row.settled_at = Some(want.at);
            if let Some(sums) = paid.get_mut(&found.row.order_id) {
                sums.refund_pending += plan.payable;
            }
        }
        plans.push(plan);
    }
    let placed = place_replacements(tx, batch, &plans, &locked, &orders).await?;
    let mut outcomes = Vec::with_capacity(batch.len());
    for ((plan, placed), want) in plans.into_iter().zip(placed).zip(batch) {
        outcomes.push(
            match (plan, placed) {
                (Err(refused), _) => Err(refused),
                (Ok(_), Some(Err(refused))) => {
                    let sentence = refused.to_string();
                    Err(SettleRefused::ExchangeRefused { code: refused.code().to_owned(), sentence })
                }
                (Ok(plan), Some(Ok(placed))) => Ok((plan, Some(placed))),
                (Ok(plan), None) => Ok((plan, None)),
            }
            .map(|(plan, placed)| (split(plan, placed, want), want)),
        );
    }
    pay(tx, &locked, outcomes).await
}

/// A settlement before its money moved.
struct Draft {
    resolution: Resolution,
    currency: Currency,
    settled: Settled,
    rest: i64,
    rest_to: RefundTo,
}

/// How the payable credit is split between the new order and the customer.
fn split(plan: Plan, placed: Option<Placed>, want: &Settle) -> Draft {
    let total = placed.as_ref().map_or(0, |p| p.total.minor);
    let exchanged = plan.payable.min(total);
    let rest_to = match plan.resolution {
        Resolution::StoreCredit => RefundTo::StoreCredit,
        Resolution::Exchange if want.exchange.as_ref().is_some_and(|e| e.rest_to_store_credit) => {
            RefundTo::StoreCredit
        }
        _ => RefundTo::Tenders,
    };
    Draft {
        resolution: plan.resolution,
        currency: plan.currency,
        rest: plan.payable - exchanged,
        rest_to,
        settled: Settled {
            credited: plan.credited,
            refunded: plan.payable,
            offset: plan.credited - plan.payable,
            refund: None,
            exchange: placed,
            exchanged,
            due: total - exchanged,
            tender_refused: None,
        },
    }
}

async fn place_replacements(
    tx: &Tx,
    batch: &[Settle],
    plans: &[Result<Plan, SettleRefused>],
    locked: &HashMap<ReturnId, Locked>,
    orders: &HashMap<orders::OrderId, OrderFacts>,
) -> Result<Vec<Option<orders::Outcome>>, Fault> {
    let mut wanted = Vec::new();
    let mut places = Vec::new();
    for (i, (want, plan)) in batch.iter().zip(plans).enumerate() {
        let found = locked.get(&want.return_id);
        let order = found.and_then(|f| orders.get(&f.row.order_id));
        if let (Ok(_), Some(exchange), Some(found), Some(order)) = (plan, &want.exchange, found, order) {
            wanted.push(i);
            places.push(replacement(want, exchange, found, order)?);
        }
    }
    let mut placed: Vec<Option<orders::Outcome>> = batch.iter().map(|_| None).collect();
    if !places.is_empty() {
        for (i, outcome) in wanted.into_iter().zip(orders::place(tx, &places).await?) {
            placed[i] = Some(outcome);
        }
    }
    Ok(placed)
}

type Drafted<'a> = Result<(Draft, &'a Settle), SettleRefused>;

/// Moves the money and writes what was settled.
async fn pay(
    tx: &Tx,
    locked: &HashMap<ReturnId, Locked>,
    drafts: Vec<Drafted<'_>>,
) -> Result<Vec<Result<Settled, SettleRefused>>, Fault> {
    let mut grants = Vec::new();
    let mut of = Vec::new();
    let (mut opens, mut opened_by) = (Vec::new(), Vec::new());
    for (i, (draft, want)) in drafts.iter().enumerate().filter_map(|(i, d)| d.as_ref().ok().map(|d| (i, d))) {
        let row = &locked
            .get(&want.return_id)
            .ok_or_else(|| Fault::broken("a return vanished while it was settled"))?
            .row;
        let grant = |amount, to| GrantRefund {
            at: want.at,
            order: row.order_id.0,
            return_id: Some(want.return_id.0),
            amount,
            reason: format!("Return {}", row.number),
            to,
            recorded: want.recorded,
        };
        if draft.settled.exchanged > 0 {
            grants.push(grant(draft.settled.exchanged, RefundTo::Exchange));
            of.push((i, false));
        }
        if draft.rest > 0 {
            grants.push(grant(draft.rest, draft.rest_to));
            of.push((i, true));
        }
        if let Some(placed) = &draft.settled.exchange {
            let more = tenders(want, placed, draft.settled.exchanged, row.customer_id);
            opened_by.extend(more.iter().map(|_| i));
            opens.extend(more);
        }
    }
    let mut outcomes = drafts;
    for ((i, rest), granted) in of.into_iter().zip(payments::grant_refunds(tx, &grants).await?) {
        // The payments are locked and the sums were checked above: a refusal here is a broken invariant, not an answer.
        let id = granted
            .map_err(|refused| Fault::broken(format!("the refund of a return was refused: {refused}")))?;
        if let (true, Some(Ok((draft, _)))) = (rest, outcomes.get_mut(i)) {
            draft.settled.refund = Some(id);
        }
    }
    for (i, opened) in opened_by.into_iter().zip(payments::open(tx, &opens).await?) {
        if let (Err(refused), Some(Ok((draft, _)))) = (opened, outcomes.get_mut(i)) {
            draft.settled.tender_refused = Some(refused.to_string());
        }
    }
    write(tx, locked, &outcomes).await?;
    Ok(outcomes.into_iter().map(|o| o.map(|(draft, _)| draft.settled)).collect())
}

/// The tenders of a new order: the credit first, then how the customer pays the difference.
fn tenders(want: &Settle, placed: &Placed, exchanged: i64, customer: customers::CustomerId) -> Vec<Open> {
    let open = |gateway: &str, method: &str, amount| Open {
        at: want.at,
        order: placed.id.0,
        customer,
        gateway: gateway.to_owned(),
        method: method.to_owned(),
        token: None,
        reference: None,
        currency: placed.total.currency,
        amount,
        capture: true,
        paid_at: None,
    };
    let mut opens = Vec::new();
    if exchanged > 0 {
        opens.push(open("exchange", "return", exchanged));
    }
    let mut left = placed.total.minor - exchanged;
    for tender in want.exchange.iter().flat_map(|e| &e.tenders) {
        let amount = tender.amount.unwrap_or(left).min(left);
        left -= amount;
        if amount > 0 {
            opens.push(Open {
                token: tender.token.clone(),
                reference: tender.reference.clone(),
                capture: tender.capture,
                paid_at: tender.paid_at,
                ..open(&tender.gateway, &tender.method, amount)
            });
        }
    }
    opens
}

async fn write(tx: &Tx, locked: &HashMap<ReturnId, Locked>, outcomes: &[Drafted<'_>]) -> Result<(), Fault> {
    let mut rows =
        Rows::new("id BIGINT, at BIGINT, resolution TEXT, exchange_order_id BIGINT?, refund_id BIGINT?");
    for (draft, want) in outcomes.iter().flatten() {
        let row = &locked
            .get(&want.return_id)
            .ok_or_else(|| Fault::broken("a return vanished while it was settled"))?
            .row;
        let settled = &draft.settled;
        let exchange = settled.exchange.as_ref().map(|p| p.id);
        rows.push([
            want.return_id.into(),
            want.at.into(),
            draft.resolution.into(),
            exchange.map(|o| o.0).into(),
            settled.refund.map(|r| r.0).into(),
        ]);
        let fact = ReturnSettled {
            return_id: want.return_id.0,
            order: row.order_id,
            currency: draft.currency,
            resolution: draft.resolution,
            credited: settled.credited,
            refunded: settled.refunded,
            offset: settled.offset,
            exchange,
            exchanged: settled.exchanged,
        };
        tx.record(want.at, want.return_id, Some(row.order_id.0), fact)?;
    }
    let text = "UPDATE return_request SET settled_at = input.at, resolution = input.resolution, exchange_order_id = input.exchange_order_id, \
        refund_id = input.refund_id, version = version + 1 FROM input WHERE return_request.id = input.id";
    tx.exec_from(&rows, text, []).await?;
    Ok(())
}
