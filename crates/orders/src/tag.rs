//! Tag orders, for filters and colleagues. Invariant: an order has a tag once.

use crate::buckets::lock_orders;
use crate::events::OrderTagged;
use crate::model::{MAX_NAME, OrderId};
use db::{FromRow, Rows, Tx};
use kernel::{Actor, Fault, Timestamp, refusals};
use std::collections::BTreeMap;

/// A tag to add.
#[derive(Debug, Clone)]
pub struct Tag {
    /// When.
    pub at: Timestamp,
    /// To which order.
    pub order: OrderId,
    /// Which.
    pub tag: String,
    /// By whom.
    pub by: Actor,
}

refusals! {
    /// Why an order was not tagged.
    pub enum TagRefused {
        BadTag { max: usize } => Invalid, "orders.bad_tag", "A tag has 1 to {max} characters.";
        NoOrder { order: OrderId } => NotFound, "orders.not_found", "There is no order {order}.";
    }
}

#[derive(FromRow)]
struct Tags {
    id: OrderId,
    tags: String,
}

/// Adds tags: one outcome per item, in order; a tag that is there stays. Events: `order.tagged` where it is new.
///
/// # Errors
/// A fault when the machine could not.
pub async fn tag(tx: &Tx, batch: &[Tag]) -> Result<Vec<Result<(), TagRefused>>, Fault> {
    let orders: Vec<OrderId> = batch.iter().map(|t| t.order).collect();
    lock_orders(tx, &orders).await?;
    let mut input = Rows::new("id BIGINT");
    for id in orders.iter().copied().collect::<std::collections::BTreeSet<_>>() {
        input.push([id.into()]);
    }
    let text = "SELECT o.id, o.tags FROM orders o JOIN input ON input.id = o.id";
    let mut tags: BTreeMap<OrderId, Vec<String>> = BTreeMap::new();
    for row in tx.all_from::<Tags>(&input, text, []).await? {
        tags.insert(row.id, serde_json::from_str(&row.tags)?);
    }
    let mut changed = Rows::new("id BIGINT, tags TEXT");
    let mut touched = std::collections::BTreeSet::new();
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        let word = want.tag.trim();
        outcomes.push(match tags.get_mut(&want.order) {
            _ if word.is_empty() || word.chars().nth(MAX_NAME).is_some() => {
                Err(TagRefused::BadTag { max: MAX_NAME })
            }
            None => Err(TagRefused::NoOrder { order: want.order }),
            Some(tags) => {
                if !tags.iter().any(|t| t == word) {
                    tags.push(word.to_owned());
                    touched.insert(want.order);
                    let fact = OrderTagged { order: want.order, tag: word.to_owned() };
                    tx.record_by(want.at, want.by.clone(), want.order, Some(want.order.0), fact)?;
                }
                Ok(())
            }
        });
    }
    for order in touched {
        changed.push([order.into(), serde_json::to_string(&tags[&order])?.into()]);
    }
    if !changed.is_empty() {
        let text = "UPDATE orders SET tags = input.tags, version = version + 1, updated_at = $1 FROM input WHERE orders.id = input.id";
        tx.exec_from(&changed, text, [tx.now().into()]).await?;
    }
    Ok(outcomes)
}
