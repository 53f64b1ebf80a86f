//! The components that were scanned for bundles that are not complete yet.
//!
//! Invariant: of each component no more is collected than the units still to be picked need; a unit that completes takes its
//! components along.

use crate::model::FulfilmentLineId;
use catalog::SkuId;
use db::{FromRow, Rows, Tx};
use kernel::Fault;
use std::collections::{BTreeMap, HashMap};

/// Components collected, by fulfilment line and component.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Progress(HashMap<FulfilmentLineId, BTreeMap<SkuId, i64>>);

impl Progress {
    /// How many of a component are collected.
    pub fn of(&self, line: FulfilmentLineId, sku: SkuId) -> i64 {
        self.0.get(&line).and_then(|of| of.get(&sku)).copied().unwrap_or(0)
    }
    /// Changes how many of a component are collected.
    pub fn add(&mut self, line: FulfilmentLineId, sku: SkuId, pieces: i64) {
        *self.0.entry(line).or_default().entry(sku).or_default() += pieces;
    }
    /// Adds scanned components; gives the units of the bundle that are complete by it, and takes their components out.
    pub fn collect(
        &mut self,
        line: FulfilmentLineId,
        takes: &[(SkuId, i64)],
        sku: SkuId,
        quantity: i64,
    ) -> i64 {
        let of = self.0.entry(line).or_default();
        *of.entry(sku).or_default() += quantity;
        let complete =
            takes.iter().map(|(sku, n)| of.get(sku).copied().unwrap_or(0) / (*n).max(1)).min().unwrap_or(0);
        for (sku, n) in takes {
            *of.entry(*sku).or_default() -= n * complete;
        }
        complete
    }

    /// What is collected for some lines.
    pub async fn load(tx: &Tx, lines: impl IntoIterator<Item = FulfilmentLineId>) -> Result<Self, Fault> {
        #[derive(FromRow)]
        struct Row {
            fulfilment_line_id: FulfilmentLineId,
            sku_id: SkuId,
            scanned: i64,
        }
        let input = rows(lines);
        let text = "SELECT p.fulfilment_line_id, p.sku_id, p.scanned FROM pick_progress p JOIN input ON input.id = p.fulfilment_line_id";
        let mut progress = Self::default();
        for row in tx.all_from::<Row>(&input, text, []).await? {
            progress.0.entry(row.fulfilment_line_id).or_default().insert(row.sku_id, row.scanned);
        }
        Ok(progress)
    }
    /// Writes what is collected for the lines it knows.
    pub async fn save(&self, tx: &Tx) -> Result<(), Fault> {
        let mut input = Rows::new("fulfilment_line_id BIGINT, sku_id BIGINT, scanned BIGINT");
        for (line, of) in &self.0 {
            for (sku, scanned) in of {
                input.push([(*line).into(), (*sku).into(), (*scanned).into()]);
            }
        }
        let text = "INSERT INTO pick_progress (fulfilment_line_id, sku_id, scanned) SELECT fulfilment_line_id, sku_id, scanned FROM input WHERE TRUE \
             ON CONFLICT (fulfilment_line_id, sku_id) DO UPDATE SET scanned = excluded.scanned";
        tx.exec_from(&input, text, []).await?;
        Ok(())
    }
}

fn rows(lines: impl IntoIterator<Item = FulfilmentLineId>) -> Rows {
    let mut input = Rows::new("id BIGINT");
    for line in lines {
        input.push([line.into()]);
    }
    input
}

/// Puts back what is collected beyond what the lines still need.
pub(crate) async fn trim(tx: &Tx, lines: impl IntoIterator<Item = FulfilmentLineId>) -> Result<(), Fault> {
    let input = rows(lines);
    let text = "UPDATE pick_progress AS p SET scanned = c.quantity * (l.quantity - l.cancelled - l.picked) FROM fulfilment_line l \
         JOIN input ON input.id = l.id JOIN bundle_component c ON c.bundle_id = l.sku_id WHERE p.fulfilment_line_id = l.id \
         AND p.sku_id = c.component_id AND p.scanned > c.quantity * (l.quantity - l.cancelled - l.picked)";
    tx.exec_from(&input, text, []).await?;
    let text = "DELETE FROM pick_progress WHERE fulfilment_line_id IN (SELECT l.id FROM fulfilment_line l JOIN input ON input.id = l.id \
         WHERE pick_progress.scanned = 0 OR l.quantity - l.cancelled - l.picked = 0)";
    tx.exec_from(&input, text, []).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn components_in_any_order_complete_the_same_units(
            needs in proptest::collection::vec(1i64..5, 1..4), units in 1i64..6, seed in proptest::collection::vec(any::<u8>(), 120)
        ) {
            let line = FulfilmentLineId(1);
            let takes: Vec<(SkuId, i64)> = needs.iter().enumerate().map(|(i, n)| (SkuId(i as i64), *n)).collect();
            let mut scans: Vec<SkuId> =
                takes.iter().flat_map(|(sku, n)| std::iter::repeat_n(*sku, usize::try_from(n * units).unwrap())).collect();
            for i in (1..scans.len()).rev() {
                scans.swap(i, usize::from(seed[i % seed.len()]) % (i + 1));
            }
            let mut progress = Progress::default();
            let complete: i64 = scans.iter().map(|sku| progress.collect(line, &takes, *sku, 1)).sum();
            prop_assert_eq!(complete, units);
            prop_assert!(takes.iter().all(|(sku, _)| progress.of(line, *sku) == 0));
        }
    }
}
