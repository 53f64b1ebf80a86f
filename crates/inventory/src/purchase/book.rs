//! The purchase orders that a batch of commands names, locked in key order and kept up to date item by item while the batch is decided.

use super::PurchaseId;
use crate::{LocationId, Move, MoveKind};
use catalog::{SkuId, SupplierId};
use db::{FromRow, Rows, Sql, Tx};
use kernel::{Fault, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// A line while it is decided on.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(super) struct LineHeld {
    pub purchase_id: PurchaseId,
    pub position: i64,
    pub sku_id: SkuId,
    /// Its code, for people.
    pub sku: String,
    pub ordered: i64,
    pub unit_cost: i64,
    pub received: i64,
    pub surplus: i64,
    pub cancelled: i64,
}

impl LineHeld {
    /// Units that are still to come.
    pub fn open(&self) -> i64 {
        self.ordered - self.cancelled - self.received + self.surplus
    }
}

/// A purchase order while it is decided on.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Head {
    pub id: PurchaseId,
    pub number: String,
    pub supplier_id: SupplierId,
    pub location_id: LocationId,
    pub ordered_at: Option<Timestamp>,
    pub expected_at: Option<Timestamp>,
}

#[derive(Debug, Clone)]
pub(super) struct Held {
    pub head: Head,
    pub lines: Vec<LineHeld>,
    changed: bool,
}

impl Held {
    pub fn new(head: Head) -> Self {
        Self { head, lines: Vec::new(), changed: false }
    }
    pub fn open(&self) -> i64 {
        self.lines.iter().map(LineHeld::open).sum()
    }
    /// Neither sent nor cancelled.
    pub fn is_draft(&self) -> bool {
        self.head.ordered_at.is_none() && self.open() > 0
    }
    /// Sent, and not cancelled before anything came.
    pub fn is_ordered(&self) -> bool {
        self.head.ordered_at.is_some() && self.lines.iter().any(|l| l.cancelled < l.ordered)
    }
    /// The lines, to change their counters.
    pub fn lines_mut(&mut self) -> &mut [LineHeld] {
        self.changed = true;
        &mut self.lines
    }
    /// A movement that changes what is expected of a SKU.
    pub fn expects(&self, at: Timestamp, sku: SkuId, incoming: i64) -> Move {
        let bare = Move::new(at, MoveKind::Expect, sku, self.head.location_id);
        Move { incoming, reference: Some(self.head.number.clone()), ..bare }
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Book(pub BTreeMap<PurchaseId, Held>);

impl Book {
    /// Locks and loads.
    pub async fn lock(tx: &Tx, ids: impl Iterator<Item = PurchaseId>) -> Result<Self, Fault> {
        let input = ids_of(ids);
        let text = "SELECT p.id, p.number, p.supplier_id, p.location_id, p.ordered_at, p.expected_at FROM purchase p \
             JOIN input ON input.id = p.id ORDER BY p.id /*pg FOR UPDATE OF p */";
        let heads: Vec<Head> = tx.all_from(&input, text, []).await?;
        let mut book: BTreeMap<PurchaseId, Held> =
            heads.into_iter().map(|head| (head.id, Held::new(head))).collect();
        for line in lines(tx, &input).await? {
            if let Some(held) = book.get_mut(&line.purchase_id) {
                held.lines.push(line);
            }
        }
        Ok(Self(book))
    }
    /// Writes the counters of what was changed: of the lines, and their sums.
    pub async fn write(&self, tx: &Tx) -> Result<(), Fault> {
        let mut lines = Rows::new(
            "purchase_id BIGINT, position BIGINT, received BIGINT, surplus BIGINT, cancelled BIGINT",
        );
        let mut heads = Rows::new("id BIGINT, received BIGINT, surplus BIGINT, cancelled BIGINT");
        for (id, held) in self.0.iter().filter(|(_, held)| held.changed) {
            for l in &held.lines {
                lines.push([
                    (*id).into(),
                    l.position.into(),
                    l.received.into(),
                    l.surplus.into(),
                    l.cancelled.into(),
                ]);
            }
            let sum = |of: fn(&LineHeld) -> i64| held.lines.iter().map(of).sum::<i64>();
            heads.push([
                (*id).into(),
                sum(|l| l.received).into(),
                sum(|l| l.surplus).into(),
                sum(|l| l.cancelled).into(),
            ]);
        }
        let text = "UPDATE purchase_line SET received = input.received, surplus = input.surplus, cancelled = input.cancelled FROM input \
             WHERE purchase_line.purchase_id = input.purchase_id AND purchase_line.position = input.position";
        tx.exec_from(&lines, text, []).await?;
        let text = "UPDATE purchase SET received = input.received, surplus = input.surplus, cancelled = input.cancelled, \
             version = purchase.version + 1 FROM input WHERE purchase.id = input.id";
        tx.exec_from(&heads, text, []).await?;
        Ok(())
    }
}

pub(super) fn ids_of(ids: impl Iterator<Item = PurchaseId>) -> Rows {
    let mut rows = Rows::new("id BIGINT");
    for id in ids.collect::<BTreeSet<_>>() {
        rows.push([id.into()]);
    }
    rows
}

async fn lines(sql: &Sql, input: &Rows) -> Result<Vec<LineHeld>, Fault> {
    let text = "SELECT l.purchase_id, l.position, l.sku_id, s.code AS sku, l.ordered, l.unit_cost, l.received, l.surplus, l.cancelled FROM purchase_line l \
         JOIN input ON input.id = l.purchase_id JOIN sku s ON s.id = l.sku_id ORDER BY l.purchase_id, l.position";
    sql.all_from(input, text, []).await
}
