//! What the books listen to: facts of the slices above, reduced to [`Happened`]. Invariant: each movement of money is posted by exactly
//! one kind of event.
//!
//! Two places where that needs a rule. Store credit that is spent or refunded is posted by the payment events, so
//! `store_credit.changed` is posted only when its reference names neither a payment nor a refund, nor a merge of customers, which takes it
//! from one of them and gives it to the other within the same account: then somebody granted it by hand.
//! Goods that come back are posted by `order.units_returned` with the cost that went back into stock, so `stock.restocked` is not.

use crate::accounts;
use crate::entry::{Happened, Parts, Purse};
use crate::events::BooksAdjusted;
use customers::events::StoreCreditChanged;
use inventory::events::{StockAdjusted, StockReceived};
use kernel::{Currency, Event, Fact, Fault, Money};
use orders::events::{UnitsReturned, UnitsShipped};
use payments::RefundTo;
use payments::events::{
    PaymentCaptured, PaymentDisputeClosed, PaymentDisputed, PaymentFeeCharged, PaymentRefunded,
};
use returns::events::ReturnLabelBought;
use shipping::events::{LabelPurchased, LabelVoided};
use std::sync::Arc;

/// The kinds of events that are posted.
pub const KINDS: &[&str] = &[
    UnitsShipped::KIND,
    UnitsReturned::KIND,
    PaymentCaptured::KIND,
    PaymentFeeCharged::KIND,
    PaymentRefunded::KIND,
    PaymentDisputed::KIND,
    PaymentDisputeClosed::KIND,
    StockReceived::KIND,
    StockAdjusted::KIND,
    LabelPurchased::KIND,
    LabelVoided::KIND,
    ReturnLabelBought::KIND,
    StoreCreditChanged::KIND,
    BooksAdjusted::KIND,
];

/// What an event means to the books; none where it is posted elsewhere or moves nothing of ours. `base` values stock.
///
/// # Errors
/// A fault when an event does not read, or names an account or a purse that does not exist.
pub(crate) fn happened(event: &Event, base: Option<Currency>) -> Result<Option<Happened>, Fault> {
    Ok(match event.kind.as_str() {
        UnitsShipped::KIND => Some(shipped(&*fact::<UnitsShipped>(event)?)),
        UnitsReturned::KIND => Some(returned(&*fact::<UnitsReturned>(event)?)),
        StockReceived::KIND => {
            Some(Happened::StockReceived(valued(fact::<StockReceived>(event)?.value, base)?))
        }
        StockAdjusted::KIND => {
            let f = fact::<StockAdjusted>(event)?;
            Some(Happened::StockAdjusted { value: valued(f.value, base)?, reason: f.reason.clone() })
        }
        LabelPurchased::KIND => {
            let f = fact::<LabelPurchased>(event)?;
            Some(Happened::LabelPurchased(Money::new(f.cost, f.currency)))
        }
        ReturnLabelBought::KIND => {
            let f = fact::<ReturnLabelBought>(event)?;
            Some(Happened::LabelPurchased(Money::new(f.cost, f.currency)))
        }
        LabelVoided::KIND => {
            let f = fact::<LabelVoided>(event)?;
            Some(Happened::LabelVoided(Money::new(f.cost, f.currency)))
        }
        StoreCreditChanged::KIND => {
            let f = fact::<StoreCreditChanged>(event)?;
            granted_by_hand(&f.reference).then(|| Happened::CreditGranted(Money::new(f.amount, f.currency)))
        }
        BooksAdjusted::KIND => Some(adjusted(&*fact::<BooksAdjusted>(event)?)?),
        _ => paid(event)?,
    })
}

fn paid(event: &Event) -> Result<Option<Happened>, Fault> {
    Ok(match event.kind.as_str() {
        PaymentCaptured::KIND => {
            let f = fact::<PaymentCaptured>(event)?;
            Some(Happened::Captured {
                into: Purse::of_gateway(&f.gateway),
                money: Money::new(f.amount, f.currency),
            })
        }
        PaymentFeeCharged::KIND => {
            let f = fact::<PaymentFeeCharged>(event)?;
            Some(Happened::FeeCharged(Money::new(f.amount, f.currency)))
        }
        PaymentRefunded::KIND => {
            let f = fact::<PaymentRefunded>(event)?;
            let from = match f.to.parse::<RefundTo>()? {
                RefundTo::Tenders => Purse::of_gateway(&f.gateway),
                RefundTo::StoreCredit => Purse::StoreCredit,
                RefundTo::Exchange => Purse::Exchange,
            };
            Some(Happened::Refunded { from, money: Money::new(f.amount, f.currency) })
        }
        PaymentDisputed::KIND => {
            let f = fact::<PaymentDisputed>(event)?;
            Some(Happened::Disputed(Money::new(f.amount, f.currency)))
        }
        PaymentDisputeClosed::KIND => {
            let f = fact::<PaymentDisputeClosed>(event)?;
            Some(Happened::DisputeClosed { money: Money::new(f.amount, f.currency), won: f.won })
        }
        _ => None,
    })
}

fn fact<F: Fact>(event: &Event) -> Result<Arc<F>, Fault> {
    event.fact::<F>()?.ok_or_else(|| Fault::broken(format!("event {} is no {}", event.id, F::KIND)))
}

fn valued(value: i64, base: Option<Currency>) -> Result<Money, Fault> {
    base.map(|base| Money::new(value, base))
        .ok_or_else(|| Fault::broken("stock is valued without a base currency"))
}

/// Not the references of store credit that payments post by their own events, and not those that move it between two rows of one person.
fn granted_by_hand(reference: &str) -> bool {
    !["payment:", "refund:", "merge:"].iter().any(|own| reference.starts_with(own))
}

fn shipped(f: &UnitsShipped) -> Happened {
    let sum = |part: fn(&orders::events::ShippedLine) -> i64| f.lines.iter().map(part).sum::<i64>();
    let parts = Parts {
        discount_net: sum(|l| l.discount_net),
        net: sum(|l| l.net),
        tax: sum(|l| l.tax + l.shipping_tax),
        shipping: sum(|l| l.shipping),
        fee: sum(|l| l.fee),
    };
    Happened::UnitsShipped { currency: f.currency, parts, cost: Money::new(sum(|l| l.cost), f.base_currency) }
}

fn returned(f: &UnitsReturned) -> Happened {
    let sum = |part: fn(&orders::events::ReturnedLine) -> i64| f.lines.iter().map(part).sum::<i64>();
    let parts = Parts {
        discount_net: 0,
        net: sum(|l| l.net),
        tax: sum(|l| l.tax + l.shipping_tax),
        shipping: sum(|l| l.shipping),
        fee: sum(|l| l.fee),
    };
    Happened::UnitsReturned {
        currency: f.currency,
        parts,
        cost: Money::new(sum(|l| l.cost), f.base_currency),
    }
}

fn adjusted(f: &BooksAdjusted) -> Result<Happened, Fault> {
    let code = |code: &str| {
        let account = accounts::by_code(code);
        account.map(|a| a.code).ok_or_else(|| Fault::broken(format!("the chart has no account {code}")))
    };
    Ok(Happened::Adjusted {
        debit: code(&f.debit)?,
        credit: code(&f.credit)?,
        money: Money::new(f.amount, f.currency),
        text: f.text.clone(),
    })
}
