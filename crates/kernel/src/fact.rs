//! Facts and events. A command records facts; the event log keeps each as an event in the same transaction; everything that follows
//! (books, fulfilment, e-mails, webhooks, timelines) reads events and nothing else.

use crate::{Actor, Fault, Timestamp};
use serde::{Serialize, de::DeserializeOwned};
use std::any::Any;
use std::sync::Arc;

crate::id!(EventId, "evt", "An event of the log.");

/// Something that happened, with everything a reader needs to act on it without asking back.
pub trait Fact: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// As `order.placed`: subject, dot, past participle.
    const KIND: &'static str;
}

/// Declares facts: `fact!(OrderPlaced, "order.placed");` for a type that derives serde.
#[macro_export]
macro_rules! fact {
    ($name:ty, $kind:literal) => {
        impl $crate::Fact for $name {
            const KIND: &'static str = $kind;
        }
    };
}

/// A fact in the log.
#[derive(Clone)]
pub struct Event {
    /// Rises with time on one node; not a cursor (commits overtake each other).
    pub id: EventId,
    /// When it happened, which for imported history is long ago.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// As `order.placed`.
    pub kind: String,
    /// What it is about, as text id (`ord_…`, `sku_…`).
    pub subject: String,
    /// The order it belongs to (raw id), for the timeline.
    pub order: Option<i64>,
    /// The fact as JSON.
    pub payload: String,
    /// The fact itself while it is still in the memory of the transaction that recorded it.
    pub fresh: Option<Arc<dyn Any + Send + Sync>>,
}

impl Event {
    /// The fact, when the event is of its kind. Costs nothing inside the recording transaction, a parse elsewhere.
    ///
    /// # Errors
    /// A fault when the payload does not read as its kind's type: the log and the program disagree.
    pub fn fact<F: Fact>(&self) -> Result<Option<Arc<F>>, Fault> {
        if self.kind != F::KIND {
            return Ok(None);
        }
        if let Some(fresh) = &self.fresh
            && let Ok(fact) = Arc::clone(fresh).downcast::<F>()
        {
            return Ok(Some(fact));
        }
        serde_json::from_str(&self.payload)
            .map(|fact| Some(Arc::new(fact)))
            .map_err(|e| Fault::from(e).while_doing(format!("read event {} of kind {}", self.id, self.kind)))
    }
}
