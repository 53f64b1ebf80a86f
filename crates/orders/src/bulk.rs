//! The same to many orders, in the background: hold, release, cancel, tag. Who asked may leave; the page of it shows how far it is and what
//! was refused, with the reason.
//!
//! Invariants: an order is done or refused once, in the transaction of what is done to it, so that a worker that dies leaves nothing half
//! done; the counters are the sums of the items. All of a list is noted by the database from its filter, so that it may have any number.

use crate::cancel::{Cancel, cancel};
use crate::hold::{Hold, ReleaseHold, hold, release_hold};
use crate::model::{HoldKind, MAX_ORDERS, OrderId};
use crate::read::{Filter, all_of, count};
use crate::tag::{Tag, tag};
use db::{Ctx, FromRow, Rows, Sql, Tx};
use kernel::{Actor, Fault, Timestamp, refusals};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

kernel::id!(BulkId, "blk", "The same done to many orders.");

/// Orders of one transaction.
const CHUNK: i64 = 100;
/// Refused orders that are named.
pub const NAMED: i64 = 1000;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BulkAction {
    /// Put a manual hold.
    Hold,
    /// Take the holds away that wait for nobody else.
    Release,
    /// Cancel what can be cancelled, and pay back.
    Cancel,
    /// Add a tag.
    Tag,
}

impl BulkAction {
    /// The name that tables use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Cancel => "cancel",
            Self::Tag => "tag",
        }
    }
}
impl std::str::FromStr for BulkAction {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Hold, Self::Release, Self::Cancel, Self::Tag];
        all.into_iter()
            .find(|a| a.as_str() == text)
            .ok_or_else(|| format!("there is no bulk action “{text}”"))
    }
}

/// The same to many orders.
#[derive(Debug, Clone)]
pub struct Bulk {
    /// When.
    pub at: Timestamp,
    /// What.
    pub action: BulkAction,
    /// The reason, or the tag.
    pub about: String,
    /// To which.
    pub orders: Meant,
    /// By whom.
    pub by: Actor,
}

/// Which orders are meant.
#[derive(Debug, Clone)]
pub enum Meant {
    /// These, at most [`MAX_ORDERS`].
    These(Vec<OrderId>),
    /// All of a list, as it is when it begins.
    List {
        /// What the list shows.
        filter: Box<Filter>,
        /// How many somebody was told that it has: nothing begins when it has another number by now.
        told: Option<i64>,
    },
}

refusals! {
    /// Why nothing is begun.
    pub enum BulkRefused {
        NoOrders => Invalid, "orders.bulk_without_orders", "Tick the orders first.";
        TooMany { max: usize } => Invalid, "orders.bulk_too_many", "At most {max} orders at once.";
        ListChanged { told: i64, now: i64 } => Conflict, "orders.bulk_list_changed", "The list had {told} orders when it was shown and has {now} now: look again.";
        NoReason => Invalid, "orders.bulk_without_reason", "Say why, or which tag: it stands on every order.";
    }
}

/// Begins: the orders are noted and a job goes through them. Orders that do not exist are left out.
///
/// # Errors
/// A fault when the machine could not.
pub async fn begin_bulk(tx: &Tx, want: &Bulk) -> Result<Result<BulkId, BulkRefused>, Fault> {
    if want.about.trim().is_empty() && want.action != BulkAction::Release {
        return Ok(Err(BulkRefused::NoReason));
    }
    let total = match &want.orders {
        Meant::These(orders) if orders.len() > MAX_ORDERS => {
            return Ok(Err(BulkRefused::TooMany { max: MAX_ORDERS }));
        }
        Meant::These(orders) => {
            let text = "SELECT COUNT(*) AS n FROM orders o JOIN input ON input.id = o.id";
            tx.all_from::<Count>(&rows(orders), text, []).await?.iter().map(|c| c.n).sum()
        }
        Meant::List { filter, told } => {
            let now = count(tx, filter).await?;
            if let Some(told) = told.filter(|told| *told != now) {
                return Ok(Err(BulkRefused::ListChanged { told, now }));
            }
            now
        }
    };
    if total == 0 {
        return Ok(Err(BulkRefused::NoOrders));
    }
    let id: BulkId = tx.id();
    let text = "INSERT INTO order_bulk (id, action, about, by_actor, started_at, total) VALUES ($1, $2, $3, $4, $5, $6)";
    let (action, about) = (want.action.as_str(), want.about.trim());
    tx.exec(
        text,
        [id.into(), action.into(), about.into(), want.by.as_str().into(), want.at.into(), total.into()],
    )
    .await?;
    let noted = note_items(tx, id, &want.orders).await?;
    if noted == 0 {
        // Others were quicker to change all of the list since it was counted.
        tx.exec("DELETE FROM order_bulk WHERE id = $1", [id.into()]).await?;
        return Ok(Err(BulkRefused::NoOrders));
    }
    tx.exec("UPDATE order_bulk SET total = $2 WHERE id = $1", [id.into(), noted.into()]).await?;
    tx.enqueue(want.at, &[(RunBulk { bulk: id }, Some(format!("bulk:{id}")))]).await?;
    Ok(Ok(id))
}

/// Orders as the table `input`, each once.
fn rows(orders: &[OrderId]) -> Rows {
    let mut ids = Rows::new("id BIGINT");
    for order in orders.iter().copied().collect::<std::collections::BTreeSet<_>>() {
        ids.push([order.into()]);
    }
    ids
}

/// Notes what is to be done; how many orders it is.
async fn note_items(tx: &Tx, id: BulkId, orders: &Meant) -> Result<i64, Fault> {
    let noted = match orders {
        Meant::These(orders) => {
            let text = "INSERT INTO order_bulk_item (bulk_id, order_id) SELECT $1, o.id FROM orders o JOIN input ON input.id = o.id";
            tx.touched_from(&rows(orders), text, [id.into()]).await?
        }
        Meant::List { filter, .. } => {
            let (wheres, mut params) = all_of(filter);
            params.push(id.into());
            let text = format!(
                "INSERT INTO order_bulk_item (bulk_id, order_id) SELECT ${}, o.id FROM orders o WHERE {wheres}",
                params.len()
            );
            tx.touched(&text, params).await?
        }
    };
    Ok(i64::try_from(noted)?)
}

#[derive(FromRow)]
struct Count {
    n: i64,
}

/// How far it is.
#[derive(Debug, Clone, FromRow)]
pub struct BulkRow {
    /// Id.
    pub id: BulkId,
    /// What is done.
    pub action: String,
    /// The reason, or the tag.
    pub about: String,
    /// Who asked.
    pub by_actor: String,
    /// When.
    pub started_at: Timestamp,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// Orders.
    pub total: i64,
    /// Of them done.
    pub done: i64,
    /// Of them refused.
    pub refused: i64,
}

/// How far something is.
///
/// # Errors
/// A fault of the database.
pub async fn bulk(sql: &Sql, id: BulkId) -> Result<Option<BulkRow>, Fault> {
    let text = "SELECT id, action, about, by_actor, started_at, ended_at, total, done, refused FROM order_bulk WHERE id = $1";
    sql.one(text, [id.into()]).await
}

/// An order that was refused.
#[derive(Debug, Clone, FromRow)]
pub struct BulkRefusedRow {
    /// The order.
    pub order_id: OrderId,
    /// Its number.
    pub number: String,
    /// Whose.
    pub name: String,
    /// Why.
    pub why: Option<String>,
}

/// The orders that were refused, the newest first: at most [`NAMED`].
///
/// # Errors
/// A fault of the database.
pub async fn bulk_refused(sql: &Sql, id: BulkId) -> Result<Vec<BulkRefusedRow>, Fault> {
    let text = "SELECT i.order_id, o.number, o.name, i.why FROM order_bulk_item i JOIN orders o ON o.id = i.order_id \
                WHERE i.bulk_id = $1 AND i.outcome = 'refused' ORDER BY o.placed_at DESC, o.id DESC LIMIT $2";
    sql.all(text, [id.into(), NAMED.into()]).await
}

/// The job that goes through the orders.
#[derive(Debug, Serialize, Deserialize)]
pub struct RunBulk {
    /// Of which.
    pub bulk: BulkId,
}

impl db::Job for RunBulk {
    const NAME: &'static str = "orders.bulk";
    async fn run(&self, ctx: Ctx) -> Result<(), Fault> {
        let Some(row) = bulk(ctx.db.read(), self.bulk).await? else { return Ok(()) };
        let by = Actor::stored(row.by_actor.clone());
        loop {
            let left: bool = db::write!(ctx.db, &by, |tx| chunk(tx, &row, &by).await)?;
            if !left {
                return Ok(());
            }
        }
    }
}

#[derive(FromRow)]
struct Item {
    order_id: OrderId,
}

/// Does a chunk; whether some are left.
async fn chunk(tx: &Tx, row: &BulkRow, by: &Actor) -> Result<bool, Fault> {
    // The lock: two workers with the same job follow each other.
    let lock =
        "SELECT total - done - refused FROM order_bulk WHERE id = $1 AND ended_at IS NULL /*pg FOR UPDATE */";
    if tx.scalar::<i64>(lock, [row.id.into()]).await?.is_none() {
        return Ok(false);
    }
    let text = "SELECT order_id FROM order_bulk_item WHERE bulk_id = $1 AND outcome IS NULL ORDER BY order_id LIMIT $2";
    let items: Vec<Item> = tx.all(text, [row.id.into(), CHUNK.into()]).await?;
    let orders: Vec<OrderId> = items.iter().map(|i| i.order_id).collect();
    let outcomes = act(tx, row, by, &orders).await?;
    let mut rows = Rows::new("order_id BIGINT, outcome TEXT, why TEXT?");
    let (mut done, mut refused) = (0i64, 0i64);
    for (order, why) in orders.iter().zip(outcomes) {
        let outcome = if why.is_none() { "done" } else { "refused" };
        match why {
            None => done += 1,
            Some(_) => refused += 1,
        }
        rows.push([(*order).into(), outcome.into(), why.into()]);
    }
    if !rows.is_empty() {
        let text = "UPDATE order_bulk_item SET outcome = input.outcome, why = input.why FROM input \
                    WHERE order_bulk_item.bulk_id = $1 AND order_bulk_item.order_id = input.order_id";
        tx.exec_from(&rows, text, [row.id.into()]).await?;
    }
    let text = "UPDATE order_bulk SET done = done + $2, refused = refused + $3, \
                ended_at = CASE WHEN done + $2 + refused + $3 >= total THEN $4 ELSE NULL END WHERE id = $1";
    tx.exec(text, [row.id.into(), done.into(), refused.into(), tx.now().into()]).await?;
    Ok(i64::try_from(orders.len())? == CHUNK)
}

/// Does it to orders; why not, for each.
async fn act(tx: &Tx, row: &BulkRow, by: &Actor, orders: &[OrderId]) -> Result<Vec<Option<String>>, Fault> {
    let at = tx.now();
    let about = || row.about.clone();
    match row.action.parse::<BulkAction>().map_err(Fault::broken)? {
        BulkAction::Hold => {
            let one = |order: &OrderId| Hold {
                at,
                order: *order,
                kind: HoldKind::Manual,
                reason: about(),
                by: by.clone(),
            };
            let batch: Vec<Hold> = orders.iter().map(one).collect();
            Ok(sentences(hold(tx, &batch).await?))
        }
        BulkAction::Cancel => {
            let one =
                |order: &OrderId| Cancel { at, order: *order, lines: vec![], reason: about(), refund: true };
            let batch: Vec<Cancel> = orders.iter().map(one).collect();
            Ok(sentences(cancel(tx, &batch).await?))
        }
        BulkAction::Tag => {
            let one = |order: &OrderId| Tag { at, order: *order, tag: about(), by: by.clone() };
            let batch: Vec<Tag> = orders.iter().map(one).collect();
            Ok(sentences(tag(tx, &batch).await?))
        }
        BulkAction::Release => release(tx, by, orders).await,
    }
}

fn sentences<T, R: std::fmt::Display>(outcomes: Vec<Result<T, R>>) -> Vec<Option<String>> {
    outcomes.into_iter().map(|o| o.err().map(|refused| refused.to_string())).collect()
}

#[derive(FromRow)]
struct Held {
    order_id: OrderId,
    kind: String,
}

/// Takes away the holds that wait for nobody else; an order that waits for a review or for its money is refused, and keeps them all.
async fn release(tx: &Tx, by: &Actor, orders: &[OrderId]) -> Result<Vec<Option<String>>, Fault> {
    let mut input = Rows::new("id BIGINT");
    for order in orders {
        input.push([(*order).into()]);
    }
    let text = "SELECT h.order_id, h.kind FROM order_hold h JOIN input ON input.id = h.order_id ORDER BY h.order_id, h.kind";
    let mut holds: BTreeMap<OrderId, Vec<HoldKind>> = BTreeMap::new();
    for held in tx.all_from::<Held>(&input, text, []).await? {
        holds.entry(held.order_id).or_default().push(held.kind.parse().map_err(Fault::broken)?);
    }
    let mut batch = Vec::new();
    let mut outcomes = Vec::with_capacity(orders.len());
    for order in orders {
        let kinds = holds.get(order).map_or(&[][..], Vec::as_slice);
        outcomes.push(if kinds.is_empty() {
            Some("It has no hold.".to_owned())
        } else if kinds.contains(&HoldKind::RiskReview) {
            Some("It waits for a review: decide it there.".to_owned())
        } else if kinds.contains(&HoldKind::PaymentDue) {
            Some("It waits for its payment.".to_owned())
        } else {
            let one =
                |kind: &HoldKind| ReleaseHold { at: tx.now(), order: *order, kind: *kind, by: by.clone() };
            batch.extend(kinds.iter().map(one));
            None
        });
    }
    for released in release_hold(tx, &batch).await? {
        // Somebody else was quicker: then it is as was wanted.
        if let Err(crate::HoldRefused::NoOrder { order }) = released {
            return Err(Fault::broken(format!("order {order} vanished")));
        }
    }
    Ok(outcomes)
}
