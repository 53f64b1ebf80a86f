//! Write a note on an order, for colleagues.

use crate::events::OrderNoted;
use crate::model::OrderId;
use db::{Rows, Tx};
use kernel::{Actor, Fault, Timestamp, refusals};

kernel::id!(NoteId, "not", "A note on an order.");

/// A note.
#[derive(Debug, Clone)]
pub struct Note {
    /// When.
    pub at: Timestamp,
    /// On which order.
    pub order: OrderId,
    /// What.
    pub text: String,
    /// By whom.
    pub by: Actor,
}

refusals! {
    /// Why a note was not taken.
    pub enum NoteRefused {
        Empty => Invalid, "orders.note_empty", "A note needs text.";
        NoOrder { order: OrderId } => NotFound, "orders.not_found", "There is no order {order}.";
    }
}

/// Keeps notes.
///
/// # Errors
/// A fault when the machine could not.
pub async fn note(tx: &Tx, batch: &[Note]) -> Result<Vec<Result<NoteId, NoteRefused>>, Fault> {
    let mut asked = Rows::new("id BIGINT");
    for want in batch {
        asked.push([want.order.into()]);
    }
    let known: Vec<i64> = match asked.is_empty() {
        true => Vec::new(),
        false => tx
            .all_from::<Known>(&asked, "SELECT o.id FROM orders o WHERE o.id IN (SELECT id FROM input)", [])
            .await?
            .into_iter()
            .map(|k| k.id)
            .collect(),
    };
    let mut rows = Rows::new("id BIGINT, order_id BIGINT, at BIGINT, by_actor TEXT, text TEXT");
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        if want.text.trim().is_empty() {
            outcomes.push(Err(NoteRefused::Empty));
        } else if !known.contains(&want.order.0) {
            outcomes.push(Err(NoteRefused::NoOrder { order: want.order }));
        } else {
            let id: NoteId = tx.id();
            rows.push([
                id.into(),
                want.order.into(),
                want.at.into(),
                want.by.as_str().into(),
                want.text.trim().into(),
            ]);
            let fact = OrderNoted { order: want.order, text: want.text.trim().to_owned() };
            tx.record_by(want.at, want.by.clone(), want.order, Some(want.order.0), fact)?;
            outcomes.push(Ok(id));
        }
    }
    if !rows.is_empty() {
        tx.insert("order_note", &rows).await?;
    }
    Ok(outcomes)
}

#[derive(db::FromRow)]
struct Known {
    id: i64,
}
