//! Returns follow their order's customer: when two customers turn out to be one person, the returns of the one who was merged are the
//! survivor's. Invariant: a return is asked by the customer of its order.

use customers::events::CustomerMerged;
use db::{Sql, Tx};
use kernel::{Event, Fault};

/// Moves the returns. The orders have moved before, and by them returns are found; one that is being asked waits for its order, and reads
/// there whose it is.
pub(crate) async fn on_merged(tx: &Tx, events: &[Event]) -> Result<(), Fault> {
    for event in events {
        let Some(fact) = event.fact::<CustomerMerged>()? else { continue };
        let text = "UPDATE return_request SET customer_id = $1 WHERE customer_id = $2 \
             AND order_id IN (SELECT o.id FROM orders o WHERE o.customer_id = $1)";
        tx.exec(text, [fact.customer.into(), fact.merged.into()]).await?;
    }
    Ok(())
}

/// Moves the returns of customers who are merged; runs after the orders have moved.
pub const REACTION: db::Reaction = db::Reaction {
    name: "returns.customers",
    kinds: &["customer.merged"],
    run: |tx, events| Box::pin(on_merged(tx, events)),
};

async fn count(sql: &Sql, customer: i64) -> Result<i64, Fault> {
    let text =
        "SELECT COUNT(*) FROM orders o JOIN return_request r ON r.order_id = o.id WHERE o.customer_id = $1";
    Ok(sql.scalar(text, [customer.into()]).await?.unwrap_or(0))
}

/// What is said of it before two customers are merged.
pub(crate) const FOLLOWS: web::Follows = web::Follows {
    what: "returns",
    title: ("return", "returns"),
    count: |sql, customer| Box::pin(count(sql, customer)),
};
