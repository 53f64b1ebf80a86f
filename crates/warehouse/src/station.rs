//! The pack station: every piece that goes into a box is scanned, and only then the box is closed.
//!
//! Invariants: what is scanned was picked and is in no parcel (see [`crate::laws`]); a box holds exactly the units whose every piece was
//! scanned; what is packed, or goes back to the shelf, is forgotten (see [`crate::floor::write_counters`]).

use crate::events::FulfilmentScanned;
use crate::floor::Floor;
use crate::model::{Fulfilment, FulfilmentId, FulfilmentLineId, ParcelId, Status};
use crate::pack::{Pack, PackRefused, pack};
use catalog::{Sku, SkuId};
use db::{FromRow, Rows, Tx};
use kernel::{Fault, Timestamp};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A piece goes into the open box, or out of it again.
#[derive(Debug, Clone)]
pub struct StationScan {
    /// When.
    pub at: Timestamp,
    /// Of which fulfilment order.
    pub fulfilment: FulfilmentId,
    /// A barcode or a SKU code.
    pub text: String,
    /// Out again: takes a scan back.
    pub back: bool,
}

/// Closes the open box.
#[derive(Debug, Clone)]
pub struct CloseBox {
    /// The parcel; its lines are what was scanned.
    pub pack: Pack,
    /// Something of what is picked stays for another box.
    pub split: bool,
}

kernel::refusals! {
    /// Why a scan at the pack station does not count.
    pub enum StationRefused {
        UnknownFulfilment { fulfilment: FulfilmentId } => NotFound, "warehouse.unknown_fulfilment", "There is no fulfilment order {fulfilment}.";
        Over { number: String } => Conflict, "warehouse.over", "{number} is cancelled or has been shipped: nothing of it is left to do.";
        OnHold { number: String } => Conflict, "warehouse.on_hold", "The order of {number} is on hold: release its holds first.";
        NothingPicked { number: String } => Conflict, "warehouse.nothing_picked", "Nothing of {number} is picked and not packed.";
        NotInBox { scanned: String } => Conflict, "warehouse.not_in_box", "“{scanned}” is not in the box.";
        WrongItem { scanned: String, expected: String } => Conflict, "warehouse.wrong_unit", "“{scanned}” does not belong in this box. Expected: {expected}.";
        AllScanned { scanned: String } => Conflict, "warehouse.all_scanned", "All of “{scanned}” are in the box already: this one is too many.";
    }
}

/// Pieces that were scanned, by line and SKU.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Scanned(BTreeMap<(FulfilmentLineId, SkuId), i64>);

impl Scanned {
    fn of(&self, line: FulfilmentLineId, sku: SkuId) -> i64 {
        self.0.get(&(line, sku)).copied().unwrap_or(0)
    }
    fn add(&mut self, line: FulfilmentLineId, sku: SkuId, pieces: i64) {
        *self.0.entry((line, sku)).or_default() += pieces;
    }
    async fn load(tx: &Tx, floor: &Floor) -> Result<Self, Fault> {
        #[derive(FromRow)]
        struct Row {
            fulfilment_line_id: FulfilmentLineId,
            sku_id: SkuId,
            scanned: i64,
        }
        let mut input = Rows::new("id BIGINT");
        for line in floor.fulfilments.values().flat_map(|f| &f.lines) {
            input.push([line.id.into()]);
        }
        let text = "SELECT p.fulfilment_line_id, p.sku_id, p.scanned FROM pack_progress p JOIN input ON input.id = p.fulfilment_line_id";
        let rows: Vec<Row> = tx.all_from(&input, text, []).await?;
        Ok(Self(rows.into_iter().map(|r| ((r.fulfilment_line_id, r.sku_id), r.scanned)).collect()))
    }
    async fn save(&self, tx: &Tx) -> Result<(), Fault> {
        let mut input = Rows::new("fulfilment_line_id BIGINT, sku_id BIGINT, scanned BIGINT");
        for ((line, sku), scanned) in &self.0 {
            input.push([(*line).into(), (*sku).into(), (*scanned).into()]);
        }
        let text = "INSERT INTO pack_progress (fulfilment_line_id, sku_id, scanned) SELECT fulfilment_line_id, sku_id, scanned FROM input WHERE TRUE \
             ON CONFLICT (fulfilment_line_id, sku_id) DO UPDATE SET scanned = excluded.scanned";
        tx.exec_from(&input, text, []).await?;
        Ok(())
    }
}

type Skus = HashMap<SkuId, Arc<Sku>>;

/// What a unit of a line consists of; a SKU that is gone stands for itself.
fn takes(skus: &Skus, line: SkuId) -> Vec<(SkuId, i64)> {
    skus.get(&line).map_or_else(|| vec![(line, 1)], |s| s.takes())
}

/// What one scan adds: `(line, SKU, pieces)`. A bundle that is scanned as such brings all its components.
fn decide_in(
    f: &Fulfilment,
    skus: &Skus,
    scanned: &Scanned,
    text: &str,
    sku: Option<SkuId>,
) -> Result<Vec<(FulfilmentLineId, SkuId, i64)>, StationRefused> {
    let mut wanted = false;
    for line in f.lines.iter().filter(|l| l.loose() > 0) {
        let parts = takes(skus, line.sku_id);
        let free = |part: &(SkuId, i64)| part.1 * line.loose() - scanned.of(line.id, part.0);
        if Some(line.sku_id) == sku {
            wanted = true;
            if parts.iter().all(|part| free(part) >= part.1) {
                return Ok(parts.into_iter().map(|(part, n)| (line.id, part, n)).collect());
            }
        } else if let Some(part) = parts.iter().find(|(part, _)| Some(*part) == sku) {
            wanted = true;
            if free(part) > 0 {
                return Ok(vec![(line.id, part.0, 1)]);
            }
        }
    }
    match wanted {
        true => Err(StationRefused::AllScanned { scanned: text.to_owned() }),
        false => {
            let expected = expected(f, skus, scanned);
            Err(StationRefused::WrongItem { scanned: text.to_owned(), expected })
        }
    }
}

/// What one scan takes out again.
fn decide_out(
    f: &Fulfilment,
    skus: &Skus,
    scanned: &Scanned,
    text: &str,
    sku: Option<SkuId>,
) -> Result<Vec<(FulfilmentLineId, SkuId, i64)>, StationRefused> {
    for line in f.lines.iter().rev() {
        let parts = takes(skus, line.sku_id);
        if Some(line.sku_id) == sku && parts.iter().all(|(part, n)| scanned.of(line.id, *part) >= *n) {
            return Ok(parts.into_iter().map(|(part, n)| (line.id, part, -n)).collect());
        }
        if let Some((part, _)) =
            parts.iter().find(|(part, _)| Some(*part) == sku && scanned.of(line.id, *part) > 0)
        {
            return Ok(vec![(line.id, *part, -1)]);
        }
    }
    Err(StationRefused::NotInBox { scanned: text.to_owned() })
}

/// What is still to be scanned, for a person who holds something else in the hand.
fn expected(f: &Fulfilment, skus: &Skus, scanned: &Scanned) -> String {
    let mut parts = Vec::new();
    for line in f.lines.iter().filter(|l| l.loose() > 0) {
        for (part, n) in takes(skus, line.sku_id) {
            let missing = n * line.loose() - scanned.of(line.id, part);
            let code = skus.get(&part).map_or(line.sku.as_str(), |s| s.code.as_str());
            if missing > 0 {
                parts.push(format!("{missing} × {code}"));
            }
        }
    }
    if parts.is_empty() { "nothing more".to_owned() } else { parts.join(", ") }
}

fn decide_may_scan(f: &Fulfilment) -> Result<(), StationRefused> {
    let number = || f.number.clone();
    if matches!(f.status, Status::Closed | Status::Cancelled) {
        return Err(StationRefused::Over { number: number() });
    }
    if f.on_hold {
        return Err(StationRefused::OnHold { number: number() });
    }
    if f.lines.iter().all(|l| l.loose() == 0) {
        return Err(StationRefused::NothingPicked { number: number() });
    }
    Ok(())
}

/// Scans pieces into boxes or out again; one outcome each, in order.
///
/// # Errors
/// A fault of the database.
pub async fn station_scan(tx: &Tx, batch: &[StationScan]) -> Result<Vec<Result<(), StationRefused>>, Fault> {
    let floor = Floor::lock(tx, batch.iter().map(|s| s.fulfilment)).await?;
    let skus = crate::pack::weights(tx, &floor).await?;
    let mut scanned = Scanned::load(tx, &floor).await?;
    let texts: Vec<&str> = batch.iter().map(|s| s.text.as_str()).collect();
    let meant = catalog::skus_by_scan(tx, &texts).await?;
    let mut outcomes = Vec::with_capacity(batch.len());
    for item in batch {
        let Some(f) = floor.fulfilments.get(&item.fulfilment) else {
            outcomes.push(Err(StationRefused::UnknownFulfilment { fulfilment: item.fulfilment }));
            continue;
        };
        let sku = meant.get(&item.text).copied();
        let decide = if item.back { decide_out } else { decide_in };
        let outcome = decide_may_scan(f).and_then(|()| decide(f, &skus, &scanned, &item.text, sku));
        if let Ok(pieces) = &outcome {
            for (line, sku, n) in pieces {
                scanned.add(*line, *sku, *n);
            }
            let back = item.back;
            // Not on the order's own timeline: there the parcel is told of, not each of its pieces.
            tx.record(
                item.at,
                f.id,
                None,
                FulfilmentScanned { fulfilment: f.id, order: f.order, scanned: sku, back },
            )?;
        }
        outcomes.push(outcome.map(|_| ()));
    }
    scanned.save(tx).await?;
    Ok(outcomes)
}

/// Units whose every piece was scanned, and pieces that were not.
fn decide_content(f: &Fulfilment, skus: &Skus, scanned: &Scanned) -> (Vec<(FulfilmentLineId, i64)>, i64) {
    let (mut units, mut missing) = (Vec::new(), 0);
    for line in f.lines.iter().filter(|l| l.loose() > 0) {
        let parts = takes(skus, line.sku_id);
        missing += parts.iter().map(|(part, n)| n * line.loose() - scanned.of(line.id, *part)).sum::<i64>();
        let whole = parts.iter().map(|(part, n)| scanned.of(line.id, *part) / (*n).max(1)).min().unwrap_or(0);
        if whole > 0 {
            units.push((line.id, whole));
        }
    }
    (units, missing)
}

/// Packs what was scanned; one outcome each, in order. A box that is not to be split is closed when nothing is missing.
///
/// # Errors
/// A fault of the database.
pub async fn close_box(tx: &Tx, batch: &[CloseBox]) -> Result<Vec<Result<ParcelId, PackRefused>>, Fault> {
    let floor = Floor::lock(tx, batch.iter().map(|c| c.pack.fulfilment)).await?;
    let skus = crate::pack::weights(tx, &floor).await?;
    let scanned = Scanned::load(tx, &floor).await?;
    let content = |close: &CloseBox| {
        let Some(f) = floor.fulfilments.get(&close.pack.fulfilment) else { return Ok(close.pack.clone()) };
        let (lines, missing) = decide_content(f, &skus, &scanned);
        let loose = f.lines.iter().any(|l| l.loose() > 0);
        if loose && (lines.is_empty() || missing > 0 && !close.split) {
            return Err(PackRefused::NotScanned { missing });
        }
        // Without anything loose `pack` says why.
        Ok(Pack { lines, ..close.pack.clone() })
    };
    let wanted: Vec<Result<Pack, PackRefused>> = batch.iter().map(content).collect();
    let packs: Vec<Pack> = wanted.iter().filter_map(|w| w.as_ref().ok().cloned()).collect();
    let mut done = pack(tx, &packs).await?.into_iter();
    let none = || Fault::broken("a command without outcome");
    wanted.into_iter().map(|w| w.map_or_else(|r| Ok(Err(r)), |_| done.next().ok_or_else(none))).collect()
}
