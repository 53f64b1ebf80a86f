//! What an order still needs to be paid, by the customer's own hand: the request that goes out by e-mail, and the tender that answers it.
//!
//! Invariant: an order is never paid twice by its link: what is owed is read again under the order's lock, less what tenders that have no
//! answer yet may bring. A bank transfer that is awaited does not count: the customer may pay on the page instead.

use crate::events::OrderPaymentRequested;
use crate::model::OrderId;
use customers::CustomerId;
use db::{FromRow, Rows, Sql, Tx};
use kernel::{Actor, Currency, Fault, Timestamp, refusals};
use payments::{Open, PaymentId};
use std::collections::{BTreeMap, BTreeSet};

/// The customer of an order shall get an e-mail with a link to pay.
#[derive(Debug, Clone)]
pub struct RequestPayment {
    /// When.
    pub at: Timestamp,
    /// Of which order.
    pub order: OrderId,
    /// By whom.
    pub by: Actor,
}

/// A tender for all that an order still needs.
#[derive(Debug, Clone)]
pub struct Pay {
    /// When.
    pub at: Timestamp,
    /// Of which order.
    pub order: OrderId,
    /// Code of the gateway.
    pub gateway: String,
    /// The gateway's method, as `card`.
    pub method: String,
    /// What the gateway's form gave.
    pub token: Option<String>,
}

refusals! {
    /// Why no payment is requested or taken.
    pub enum PayRefused {
        NoOrder { order: OrderId } => NotFound, "orders.not_found", "There is no order {order}.";
        NoEmail => Conflict, "orders.no_email", "This order has no e-mail address to write to.";
        NothingOwed => Conflict, "orders.nothing_owed", "Nothing of this order is left to pay.";
        Underway => Conflict, "orders.payment_underway", "A payment of this order is on its way. Wait until it is answered.";
        NotTaken { why: String } => Conflict, "orders.payment_not_taken", "The payment was not taken: {why}";
    }
}

/// What an order still needs.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Owed {
    /// The order.
    pub id: OrderId,
    /// Whose.
    pub customer_id: CustomerId,
    /// Of the amounts.
    pub currency: Currency,
    /// Where a request goes.
    pub email: Option<String>,
    /// Less than this is neither authorised nor captured; zero or less when it is all paid.
    pub open: i64,
    /// What tenders without an answer may bring.
    pub underway: i64,
}

impl Owed {
    /// What may be asked for now. Pure.
    fn decide(&self) -> Result<i64, PayRefused> {
        match self.open - self.underway {
            amount if amount > 0 => Ok(amount),
            _ if self.open > 0 => Err(PayRefused::Underway),
            _ => Err(PayRefused::NothingOwed),
        }
    }
}

fn ids(orders: impl Iterator<Item = OrderId>) -> Rows {
    let mut input = Rows::new("id BIGINT");
    for id in orders.collect::<BTreeSet<_>>() {
        input.push([id.into()]);
    }
    input
}

/// What orders still need; unknown ids are left out.
///
/// # Errors
/// A fault of the database.
pub async fn owed(sql: &Sql, orders: &[OrderId]) -> Result<BTreeMap<OrderId, Owed>, Fault> {
    let text = "SELECT o.id, o.customer_id, o.currency, o.email, o.total - o.cancelled_total - o.returned_total - o.authorised AS open, \
         (SELECT CAST(COALESCE(SUM(p.amount), 0) AS BIGINT) FROM payment p WHERE p.order_id = o.id \
          AND p.status IN ('pending', 'requires_action') AND p.gateway <> 'manual') AS underway \
         FROM orders o JOIN input ON input.id = o.id ORDER BY o.id";
    let rows: Vec<Owed> = sql.all_from(&ids(orders.iter().copied()), text, []).await?;
    Ok(rows.into_iter().map(|o| (o.id, o)).collect())
}

/// Asks customers to pay: one outcome per item, in order. Events: `order.payment_requested`; the e-mail follows from it.
///
/// # Errors
/// A fault of the database.
pub async fn request_payment(
    tx: &Tx,
    batch: &[RequestPayment],
) -> Result<Vec<Result<(), PayRefused>>, Fault> {
    let known = owed(tx, &batch.iter().map(|r| r.order).collect::<Vec<_>>()).await?;
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        let outcome = match known.get(&want.order) {
            None => Err(PayRefused::NoOrder { order: want.order }),
            Some(o) if o.email.as_ref().is_none_or(String::is_empty) => Err(PayRefused::NoEmail),
            Some(o) => o.decide().map(|amount| (amount, o.currency)),
        };
        outcomes.push(match outcome {
            Err(refused) => Err(refused),
            Ok((amount, currency)) => {
                let fact = OrderPaymentRequested { order: want.order, amount, currency };
                tx.record_by(want.at, want.by.clone(), want.order, Some(want.order.0), fact)?;
                Ok(())
            }
        });
    }
    Ok(outcomes)
}

/// Takes tenders for what orders still need: one outcome per item, in order.
///
/// # Errors
/// A fault of the database.
pub async fn pay(tx: &Tx, batch: &[Pay]) -> Result<Vec<Result<PaymentId, PayRefused>>, Fault> {
    // First the locks, then what is owed: read in one statement, another's tender of a moment ago would be missed.
    let text = "SELECT o.id FROM orders o JOIN input ON input.id = o.id ORDER BY o.id FOR UPDATE OF o";
    tx.lock_from(&ids(batch.iter().map(|p| p.order)), text).await?;
    let mut known = owed(tx, &batch.iter().map(|p| p.order).collect::<Vec<_>>()).await?;
    let mut outcomes: Vec<Result<PaymentId, PayRefused>> = Vec::with_capacity(batch.len());
    let (mut opens, mut places) = (Vec::new(), Vec::new());
    for (n, want) in batch.iter().enumerate() {
        let amount = match known.get(&want.order) {
            None => Err(PayRefused::NoOrder { order: want.order }),
            Some(o) => o.decide().map(|amount| (amount, o.customer_id, o.currency)),
        };
        // Overwritten below, when the tender is taken.
        outcomes.push(Err(PayRefused::NothingOwed));
        match amount {
            Err(refused) => outcomes[n] = Err(refused),
            Ok((amount, customer, currency)) => {
                if let Some(o) = known.get_mut(&want.order) {
                    o.underway += amount;
                }
                places.push(n);
                opens.push(open(want, amount, customer, currency));
            }
        }
    }
    for (n, opened) in places.into_iter().zip(payments::open(tx, &opens).await?) {
        outcomes[n] = opened.map_err(|refused| PayRefused::NotTaken { why: refused.to_string() });
    }
    Ok(outcomes)
}

fn open(want: &Pay, amount: i64, customer: CustomerId, currency: Currency) -> Open {
    Open {
        at: want.at,
        order: want.order.0,
        customer,
        gateway: want.gateway.clone(),
        method: want.method.clone(),
        token: want.token.clone(),
        reference: None,
        currency,
        amount,
        capture: false,
        paid_at: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_asked_for() {
        let owed = |open, underway| Owed {
            id: OrderId(1),
            customer_id: CustomerId(1),
            currency: "EUR".parse().unwrap(),
            email: None,
            open,
            underway,
        };
        for (open, underway, may) in [
            (1000, 0, Ok(1000)),
            (1000, 400, Ok(600)),
            (1000, 1000, Err(PayRefused::Underway)),
            (0, 0, Err(PayRefused::NothingOwed)),
            (-5, 10, Err(PayRefused::NothingOwed)),
        ] {
            assert_eq!(owed(open, underway).decide(), may, "{open} {underway}");
        }
    }
}
