//! Tag orders, for filters and colleagues, and take tags off. Invariant: an order has a tag once.

use crate::buckets::lock_orders;
use crate::events::{OrderTagged, OrderUntagged};
use crate::model::{MAX_NAME, OrderId};
use db::{FromRow, Rows, Tx};
use kernel::{Actor, Fault, Timestamp, refusals};
use std::collections::{BTreeMap, BTreeSet};

/// A tag to add, or to take off.
#[derive(Debug, Clone)]
pub struct Tag {
    /// When.
    pub at: Timestamp,
    /// Of which order.
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
    let mut tags = tags_of(tx, batch).await?;
    let mut touched = BTreeSet::new();
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
    write(tx, &tags, &touched).await?;
    Ok(outcomes)
}

/// Takes tags off: one outcome per item, in order; a tag that is not there changes nothing. Events: `order.untagged` where it was.
///
/// # Errors
/// A fault when the machine could not.
pub async fn untag(tx: &Tx, batch: &[Tag]) -> Result<Vec<Result<(), TagRefused>>, Fault> {
    let mut tags = tags_of(tx, batch).await?;
    let mut touched = BTreeSet::new();
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        let Some(tags) = tags.get_mut(&want.order) else {
            outcomes.push(Err(TagRefused::NoOrder { order: want.order }));
            continue;
        };
        if let Some(at) = tags.iter().position(|t| t == want.tag.trim()) {
            let fact = OrderUntagged { order: want.order, tag: tags.remove(at) };
            touched.insert(want.order);
            tx.record_by(want.at, want.by.clone(), want.order, Some(want.order.0), fact)?;
        }
        outcomes.push(Ok(()));
    }
    write(tx, &tags, &touched).await?;
    Ok(outcomes)
}

/// The tags of the orders, which are locked.
async fn tags_of(tx: &Tx, batch: &[Tag]) -> Result<BTreeMap<OrderId, Vec<String>>, Fault> {
    let orders: Vec<OrderId> = batch.iter().map(|t| t.order).collect();
    lock_orders(tx, &orders).await?;
    let mut input = Rows::new("id BIGINT");
    for id in orders.iter().copied().collect::<BTreeSet<_>>() {
        input.push([id.into()]);
    }
    let text = "SELECT o.id, o.tags FROM orders o JOIN input ON input.id = o.id";
    let mut tags = BTreeMap::new();
    for row in tx.all_from::<Tags>(&input, text, []).await? {
        tags.insert(row.id, serde_json::from_str(&row.tags)?);
    }
    Ok(tags)
}

async fn write(
    tx: &Tx,
    tags: &BTreeMap<OrderId, Vec<String>>,
    touched: &BTreeSet<OrderId>,
) -> Result<(), Fault> {
    let mut changed = Rows::new("id BIGINT, tags TEXT");
    for order in touched {
        changed.push([(*order).into(), serde_json::to_string(&tags[order])?.into()]);
    }
    if !changed.is_empty() {
        let text = "UPDATE orders SET tags = input.tags, version = version + 1, updated_at = $1 FROM input WHERE orders.id = input.id";
        tx.exec_from(&changed, text, [tx.now().into()]).await?;
    }
    Ok(())
}
