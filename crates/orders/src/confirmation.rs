//! Send the confirmation of an order once more: what customers ask for who lost it. It only tells; the e-mail follows from the event.

use crate::events::OrderConfirmationAsked;
use crate::model::OrderId;
use db::{FromRow, Rows, Tx};
use kernel::{Actor, Fault, Timestamp, refusals};
use std::collections::BTreeMap;

/// A confirmation to send again.
#[derive(Debug, Clone)]
pub struct AskConfirmation {
    /// When.
    pub at: Timestamp,
    /// Of which order.
    pub order: OrderId,
    /// By whom.
    pub by: Actor,
}

refusals! {
    /// Why no confirmation is sent.
    pub enum AskConfirmationRefused {
        NoOrder { order: OrderId } => NotFound, "orders.not_found", "There is no order {order}.";
        NoEmail => Conflict, "orders.no_email", "This order has no e-mail address to write to.";
    }
}

#[derive(FromRow)]
struct Reached {
    id: OrderId,
    email: Option<String>,
}

/// Asks for confirmations: one outcome per item, in order. Events: `order.confirmation_asked`.
///
/// # Errors
/// A fault when the machine could not.
pub async fn ask_confirmation(
    tx: &Tx,
    batch: &[AskConfirmation],
) -> Result<Vec<Result<(), AskConfirmationRefused>>, Fault> {
    let mut input = Rows::new("id BIGINT");
    for id in batch.iter().map(|a| a.order).collect::<std::collections::BTreeSet<_>>() {
        input.push([id.into()]);
    }
    let text = "SELECT o.id, o.email FROM orders o JOIN input ON input.id = o.id";
    let rows: Vec<Reached> = tx.all_from(&input, text, []).await?;
    let known: BTreeMap<OrderId, bool> =
        rows.into_iter().map(|r| (r.id, r.email.is_some_and(|e| !e.is_empty()))).collect();
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        outcomes.push(match known.get(&want.order) {
            None => Err(AskConfirmationRefused::NoOrder { order: want.order }),
            Some(false) => Err(AskConfirmationRefused::NoEmail),
            Some(true) => {
                let fact = OrderConfirmationAsked { order: want.order };
                tx.record_by(want.at, want.by.clone(), want.order, Some(want.order.0), fact)?;
                Ok(())
            }
        });
    }
    Ok(outcomes)
}
