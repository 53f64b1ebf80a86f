//! The fulfilment orders a command works on: locked, changed in memory by decisions, written back in a handful of statements.
//!
//! Invariant: what is written to fulfilment lines, to their fulfilment orders and to the order's lines is one and the same change.

use crate::model::{Fulfilment, FulfilmentId, FulfilmentLineId};
use crate::read;
use db::{Rows, Tx};
use kernel::{Fault, Timestamp};
use orders::{Advance, Step};
use std::collections::{BTreeMap, HashMap};

/// How the counters of a line change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Delta {
    pub cancelled: i64,
    pub picked: i64,
    pub packed: i64,
    pub shipped: i64,
}
impl Delta {
    fn add(&mut self, other: Delta) {
        self.cancelled += other.cancelled;
        self.picked += other.picked;
        self.packed += other.packed;
        self.shipped += other.shipped;
    }
}

/// Fulfilment orders under lock, and what is to be written.
pub(crate) struct Floor {
    pub fulfilments: HashMap<FulfilmentId, Fulfilment>,
    changes: BTreeMap<FulfilmentLineId, (FulfilmentId, Delta)>,
    advances: Vec<Advance>,
}

impl Floor {
    /// Locks the orders, then the fulfilment orders, each in id order, and reads them with their lines. Unknown ids are left out.
    pub async fn lock(tx: &Tx, ids: impl IntoIterator<Item = FulfilmentId>) -> Result<Self, Fault> {
        let mut wanted = Rows::new("id BIGINT");
        let ids: std::collections::BTreeSet<FulfilmentId> = ids.into_iter().collect();
        for id in ids {
            wanted.push([id.into()]);
        }
        // Orders first: every command upstream takes them first too, so two transactions meet there and nowhere later.
        let orders = "SELECT o.id FROM orders o WHERE o.id IN (SELECT f.order_id FROM fulfilment_order f JOIN input ON input.id = f.id) \
             ORDER BY o.id FOR UPDATE OF o";
        tx.lock_from(&wanted, orders).await?;
        let own =
            "SELECT f.id FROM fulfilment_order f JOIN input ON input.id = f.id ORDER BY f.id FOR UPDATE OF f";
        tx.lock_from(&wanted, own).await?;
        let fulfilments = read::fulfilments(tx, &wanted, "f.id = input.id").await?;
        Ok(Self {
            fulfilments: fulfilments.into_iter().map(|f| (f.id, f)).collect(),
            changes: BTreeMap::new(),
            advances: Vec::new(),
        })
    }

    /// Changes a line's counters, here and in what will be written, and moves the order's units along with them.
    pub fn shift(&mut self, at: Timestamp, fulfilment: FulfilmentId, line: FulfilmentLineId, delta: Delta) {
        let Some(f) = self.fulfilments.get_mut(&fulfilment) else { return };
        let Some(l) = f.lines.iter_mut().find(|l| l.id == line) else { return };
        l.cancelled += delta.cancelled;
        l.picked += delta.picked;
        l.packed += delta.packed;
        l.shipped += delta.shipped;
        f.cancelled += delta.cancelled;
        f.picked += delta.picked;
        f.packed += delta.packed;
        f.shipped += delta.shipped;
        let (line_id, location) = (l.line, f.location);
        self.changes.entry(line).or_insert((fulfilment, Delta::default())).1.add(delta);
        let steps = [
            (Step::Pick, delta.picked),
            (Step::Pack, delta.packed),
            (Step::Ship, delta.shipped),
            (Step::Unpack, -delta.packed),
            (Step::Unpick, -delta.picked),
        ];
        for (step, quantity) in steps {
            if quantity > 0 {
                self.advances.push(Advance { at, line: line_id, location, step, quantity });
            }
        }
    }

    /// Writes the counters and advances the order's lines.
    pub async fn save(&mut self, tx: &Tx) -> Result<(), Fault> {
        let changes = std::mem::take(&mut self.changes);
        if changes.is_empty() {
            return Ok(());
        }
        write_counters(tx, &changes).await?;
        orders::advance(tx, &std::mem::take(&mut self.advances)).await
    }
}

/// Adds the changes to the lines and, summed, to their fulfilment orders.
pub(crate) async fn write_counters(
    tx: &Tx,
    changes: &BTreeMap<FulfilmentLineId, (FulfilmentId, Delta)>,
) -> Result<(), Fault> {
    let spec = "id BIGINT, cancelled BIGINT, picked BIGINT, packed BIGINT, shipped BIGINT";
    let (mut lines, mut headers) = (Rows::new(spec), Rows::new(spec));
    let mut sums: BTreeMap<FulfilmentId, Delta> = BTreeMap::new();
    for (line, (fulfilment, d)) in changes {
        lines.push([(*line).into(), d.cancelled.into(), d.picked.into(), d.packed.into(), d.shipped.into()]);
        sums.entry(*fulfilment).or_default().add(*d);
    }
    for (fulfilment, d) in &sums {
        headers.push([
            (*fulfilment).into(),
            d.cancelled.into(),
            d.picked.into(),
            d.packed.into(),
            d.shipped.into(),
        ]);
    }
    let text = "UPDATE fulfilment_line AS l SET cancelled = l.cancelled + input.cancelled, picked = l.picked + input.picked, \
         packed = l.packed + input.packed, shipped = l.shipped + input.shipped FROM input WHERE l.id = input.id";
    tx.exec_from(&lines, text, []).await?;
    let text = "UPDATE fulfilment_order AS f SET cancelled = f.cancelled + input.cancelled, picked = f.picked + input.picked, \
         packed = f.packed + input.packed, shipped = f.shipped + input.shipped, version = f.version + 1 FROM input WHERE f.id = input.id";
    tx.exec_from(&headers, text, []).await?;
    // What was scanned at the pack station was of units that were loose: they are in a parcel now, or back on the shelf.
    let mut fewer = Rows::new("id BIGINT");
    for (line, _) in changes.iter().filter(|(_, (_, d))| d.picked < d.packed) {
        fewer.push([(*line).into()]);
    }
    tx.exec_from(&fewer, "DELETE FROM pack_progress WHERE fulfilment_line_id IN (SELECT id FROM input)", [])
        .await?;
    Ok(())
}
