//! What follows in the warehouse from what happens to orders, in the same transaction.
//!
//! Invariants: what is allocated at a location and not shipped is in that location's fulfilment orders, unit by unit; the hold flag of
//! every fulfilment order says whether its order has holds.

use crate::events::{FulfilmentRejected, FulfilmentShortPicked};
use crate::withdraw::Hint;
use crate::{assign, withdraw};
use db::{BoxFuture, Reaction, Rows, Tx};
use kernel::{Event, Fault};
use orders::OrderId;
use orders::events::{OrderAllocated, OrderDeallocated, OrderHeld, OrderHoldReleased};
use std::collections::BTreeSet;

/// The reaction of the warehouse; the program lists it.
pub const FOLLOW_ORDERS: Reaction = Reaction {
    name: "warehouse.follow_orders",
    kinds: &[
        "order.allocated",
        "order.deallocated",
        "order.held",
        "order.hold_released",
        "fulfilment.short_picked",
        "fulfilment.rejected",
    ],
    run: follow,
};

fn follow<'a>(tx: &'a Tx, events: &'a [Event]) -> BoxFuture<'a, Result<(), Fault>> {
    Box::pin(async move {
        let (mut allocated, mut deallocated, mut hints) = (Vec::new(), Vec::new(), Vec::new());
        let mut held: BTreeSet<OrderId> = BTreeSet::new();
        for event in events {
            if let Some(fact) = event.fact::<OrderAllocated>()? {
                allocated.push((event.at, fact));
            } else if let Some(fact) = event.fact::<OrderDeallocated>()? {
                deallocated.push((event.at, fact));
            } else if let Some(fact) = event.fact::<FulfilmentShortPicked>()? {
                hints.push(Hint { fulfilment: fact.fulfilment, line: fact.line, quantity: fact.quantity });
            } else if let Some(fact) = event.fact::<FulfilmentRejected>()? {
                let of = |u: &crate::events::Units| Hint {
                    fulfilment: fact.fulfilment,
                    line: u.line,
                    quantity: u.quantity,
                };
                hints.extend(fact.lines.iter().map(of));
            } else if let Some(fact) = event.fact::<OrderHeld>()? {
                held.insert(fact.order);
            } else if let Some(fact) = event.fact::<OrderHoldReleased>()? {
                held.insert(fact.order);
            }
        }
        // First what comes, then what goes: what is taken away in this round may have been given in it.
        assign::assign(tx, &allocated).await?;
        withdraw::withdraw(tx, &deallocated, &hints).await?;
        set_holds(tx, held).await
    })
}

/// Copies "the order has holds" to its fulfilment orders.
async fn set_holds(tx: &Tx, orders: BTreeSet<OrderId>) -> Result<(), Fault> {
    let mut input = Rows::new("id BIGINT");
    for order in orders {
        input.push([order.into()]);
    }
    if input.is_empty() {
        return Ok(());
    }
    let text = "UPDATE fulfilment_order AS f SET on_hold = (o.holds > 0), version = f.version + 1 FROM orders o JOIN input ON input.id = o.id \
         WHERE f.order_id = o.id AND f.on_hold <> (o.holds > 0)";
    tx.exec_from(&input, text, []).await?;
    Ok(())
}
