//! Orders follow their customer: when two customers turn out to be one person, the orders of the one who was merged are the survivor's.
//!
//! Invariant: no order belongs to somebody who was merged. What was written on an order, name, addresses and e-mail, stays: it is what was
//! agreed then. Payments, holds, verdicts, requests to pay and e-mails hang on the order and go with it.

use customers::CustomerId;
use customers::events::CustomerMerged;
use db::{Sql, Tx};
use kernel::{Event, Fault};

/// Orders of somebody that are looked at for phone numbers.
const LATEST: i64 = 200;

/// Moves the orders, merge by merge: one may build on the one before. Runs in the transaction of the merge, which has locked both customers;
/// so an order that is being placed for one of them is either here already, or is placed for the survivor.
pub(crate) async fn on_merged(tx: &Tx, events: &[Event]) -> Result<(), Fault> {
    for event in events {
        let Some(fact) = event.fact::<CustomerMerged>()? else { continue };
        let text = "UPDATE orders SET customer_id = $1, version = version + 1, updated_at = $2 WHERE customer_id = $3";
        tx.exec(text, [fact.customer.into(), event.at.into(), fact.merged.into()]).await?;
    }
    Ok(())
}

async fn count(sql: &Sql, customer: i64, which: &str) -> Result<i64, Fault> {
    let text = format!("SELECT COUNT(*) FROM orders o WHERE o.customer_id = $1{which}");
    Ok(sql.scalar(&text, [customer.into()]).await?.unwrap_or(0))
}

/// What is said of it before two customers are merged.
pub(crate) const FOLLOWS: &[web::Follows] = &[
    web::Follows {
        what: "orders",
        title: ("order", "orders"),
        count: |sql, customer| Box::pin(count(sql, customer, "")),
    },
    web::Follows {
        what: "open_orders",
        title: ("order that is not shipped yet", "orders that are not shipped yet"),
        count: |sql, customer| {
            Box::pin(count(sql, customer, " AND o.fulfilment_status IN ('unfulfilled', 'partial')"))
        },
    },
    web::Follows {
        what: "unpaid_orders",
        title: (
            "order that is not paid yet, with its requests to pay",
            "orders that are not paid yet, with their requests to pay",
        ),
        count: |sql, customer| {
            Box::pin(count(
                sql,
                customer,
                " AND o.payment_status IN ('unpaid', 'authorised', 'partially_paid') AND o.fulfilment_status <> 'cancelled'",
            ))
        },
    },
];

/// Customers who are reached at a phone number that somebody ordered with.
pub(crate) const BY_PHONE: web::Finder = web::Finder {
    what: customers::SAME_PHONE,
    find: |sql, text| {
        Box::pin(async move {
            let Ok(customer) = text.parse::<i64>().map(CustomerId) else { return Ok(Vec::new()) };
            let text = "SELECT DISTINCT COALESCE(c.merged_into, c.id) FROM (SELECT o.phone FROM orders o WHERE o.customer_id = $1 AND o.phone IS NOT NULL \
                 ORDER BY o.placed_at DESC LIMIT $2) p JOIN customer c ON c.phone = p.phone WHERE COALESCE(c.merged_into, c.id) <> $1";
            sql.column(text, [customer.into(), LATEST.into()]).await
        })
    },
};
