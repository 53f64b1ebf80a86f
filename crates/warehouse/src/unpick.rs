//! Unpick: what was picked goes back to the shelf, by line or by the scan that took it.
//!
//! Invariant: taking back the last scan leaves what was there before it, also where that scan completed a unit of a bundle: the unit is
//! open again, and its other components stay collected.

use crate::events::{FulfilmentUnpicked, Units};
use crate::floor::{Delta, Floor};
use crate::model::{Fulfilment, FulfilmentId, FulfilmentLineId};
use crate::pick::What;
use crate::progress::{self, Progress};
use catalog::{Sku, SkuId};
use db::Tx;
use kernel::{Fault, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;

/// Picked pieces go back to the shelf.
#[derive(Debug, Clone)]
pub struct Unpick {
    /// When.
    pub at: Timestamp,
    /// The fulfilment order.
    pub fulfilment: FulfilmentId,
    /// What is put back.
    pub what: What,
    /// Pieces; units when it is a line.
    pub quantity: i64,
}

kernel::refusals! {
    /// Why picked units are not put back.
    pub enum UnpickRefused {
        UnknownFulfilment { fulfilment: FulfilmentId } => NotFound, "warehouse.unknown_fulfilment", "There is no fulfilment order {fulfilment}.";
        UnknownLine { line: FulfilmentLineId } => NotFound, "warehouse.unknown_line", "This fulfilment order has no line {line}.";
        NotPositive => Invalid, "warehouse.quantity", "The quantity must be at least 1.";
        NotPicked { loose: i64 } => Conflict, "warehouse.not_picked", "Only {loose} of it are picked and not packed.";
        NotCollected { scanned: String } => Conflict, "warehouse.not_collected", "Nothing of “{scanned}” is picked and not packed.";
    }
}

/// What a piece that is put back does to its line.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Back {
    /// Units of the line.
    Units(FulfilmentLineId, i64),
    /// A component that was collected for a unit which is not complete.
    Component(FulfilmentLineId, SkuId),
    /// A component of a complete unit: the unit is open again and its other components stay collected.
    Opens(FulfilmentLineId, SkuId, Vec<(SkuId, i64)>),
}

fn decide_line(f: &Fulfilment, id: FulfilmentLineId, quantity: i64) -> Result<Back, UnpickRefused> {
    let line = f.lines.iter().find(|l| l.id == id).ok_or(UnpickRefused::UnknownLine { line: id })?;
    match quantity > line.loose() {
        true => Err(UnpickRefused::NotPicked { loose: line.loose() }),
        false => Ok(Back::Units(id, quantity)),
    }
}

/// Where one scanned piece came from. Picking fills lines that sell the SKU before bundles that contain it, so this goes the other way.
fn decide_piece(
    f: &Fulfilment,
    skus: &HashMap<SkuId, Arc<Sku>>,
    progress: &Progress,
    sku: SkuId,
) -> Option<Back> {
    if let Some(line) = f.lines.iter().find(|l| l.sku_id != sku && progress.of(l.id, sku) > 0) {
        return Some(Back::Component(line.id, sku));
    }
    let takes = |line: SkuId| skus.get(&line).map(|s| s.takes()).unwrap_or_default();
    let mut whole = f.lines.iter().rev().filter(|l| l.sku_id != sku && l.loose() > 0);
    if let Some(line) = whole.find(|l| takes(l.sku_id).iter().any(|(part, _)| *part == sku)) {
        return Some(Back::Opens(line.id, sku, takes(line.sku_id)));
    }
    let own = f.lines.iter().rev().find(|l| l.sku_id == sku && l.loose() > 0);
    own.map(|l| Back::Units(l.id, 1))
}

/// Puts picked pieces back; one outcome each, in order.
///
/// # Errors
/// A fault of the database.
pub async fn unpick(tx: &Tx, batch: &[Unpick]) -> Result<Vec<Result<(), UnpickRefused>>, Fault> {
    let mut floor = Floor::lock(tx, batch.iter().map(|u| u.fulfilment)).await?;
    let texts: Vec<&str> = batch.iter().filter_map(|u| u.what.scanned()).collect();
    let mut meant = HashMap::new();
    let (mut skus, mut progress) = (HashMap::new(), Progress::default());
    if !texts.is_empty() {
        let lines = || floor.fulfilments.values().flat_map(|f| &f.lines);
        meant = catalog::skus_by_scan(tx, &texts).await?;
        skus = catalog::skus_by_id(tx, &lines().map(|l| l.sku_id).collect::<Vec<_>>()).await?;
        let ids: Vec<FulfilmentLineId> = lines().map(|l| l.id).collect();
        progress = Progress::load(tx, ids).await?;
    }
    let mut outcomes = Vec::with_capacity(batch.len());
    for item in batch {
        let sku = item.what.scanned().and_then(|text| meant.get(text).copied());
        outcomes.push(one(tx, &mut floor, &skus, &mut progress, item, sku)?);
    }
    floor.save(tx).await?;
    if !texts.is_empty() {
        progress.save(tx).await?;
        let ids: Vec<FulfilmentLineId> =
            floor.fulfilments.values().flat_map(|f| f.lines.iter().map(|l| l.id)).collect();
        progress::trim(tx, ids).await?;
    }
    Ok(outcomes)
}

fn one(
    tx: &Tx,
    floor: &mut Floor,
    skus: &HashMap<SkuId, Arc<Sku>>,
    progress: &mut Progress,
    item: &Unpick,
    sku: Option<SkuId>,
) -> Result<Result<(), UnpickRefused>, Fault> {
    let Some(f) = floor.fulfilments.get(&item.fulfilment) else {
        return Ok(Err(UnpickRefused::UnknownFulfilment { fulfilment: item.fulfilment }));
    };
    if item.quantity < 1 {
        return Ok(Err(UnpickRefused::NotPositive));
    }
    let order = f.order;
    let mut units: Vec<Units> = Vec::new();
    match &item.what {
        What::Line(id) => match decide_line(f, *id, item.quantity) {
            Ok(back) => units.extend(put_back(floor, progress, item, back)),
            Err(refused) => return Ok(Err(refused)),
        },
        What::Scan(text) => {
            let before = progress.clone();
            let none = || UnpickRefused::NotCollected { scanned: text.clone() };
            let Some(sku) = sku else { return Ok(Err(none())) };
            // A copy first: what is refused halfway must leave no trace.
            let mut copy = f.clone();
            let mut backs = Vec::new();
            for _ in 0..item.quantity {
                let Some(back) = decide_piece(&copy, skus, progress, sku) else {
                    *progress = before;
                    return Ok(Err(none()));
                };
                if let Back::Units(id, n) = &back
                    && let Some(line) = copy.lines.iter_mut().find(|l| l.id == *id)
                {
                    line.picked -= n;
                }
                if let Back::Opens(id, ..) = &back
                    && let Some(line) = copy.lines.iter_mut().find(|l| l.id == *id)
                {
                    line.picked -= 1;
                }
                take_out(progress, &back);
                backs.push(back);
            }
            *progress = before;
            for back in backs {
                units.extend(put_back(floor, progress, item, back));
            }
        }
    }
    tx.record(
        item.at,
        item.fulfilment,
        Some(order.0),
        FulfilmentUnpicked { fulfilment: item.fulfilment, order, lines: units },
    )?;
    Ok(Ok(()))
}

/// What a piece that is put back changes in what is collected.
fn take_out(progress: &mut Progress, back: &Back) {
    match back {
        Back::Units(..) => {}
        Back::Component(line, sku) => progress.add(*line, *sku, -1),
        Back::Opens(line, sku, takes) => {
            for (part, n) in takes {
                progress.add(*line, *part, *n - i64::from(part == sku));
            }
        }
    }
}

/// Moves counters and what is collected; gives the units of the line that are no longer picked.
fn put_back(floor: &mut Floor, progress: &mut Progress, item: &Unpick, back: Back) -> Option<Units> {
    take_out(progress, &back);
    let (id, quantity) = match back {
        Back::Units(id, quantity) => (id, quantity),
        Back::Opens(id, ..) => (id, 1),
        Back::Component(..) => return None,
    };
    floor.shift(item.at, item.fulfilment, id, Delta { picked: -quantity, ..Delta::default() });
    let line = floor.fulfilments.get(&item.fulfilment)?.lines.iter().find(|l| l.id == id)?;
    Some(Units { line: line.line, quantity })
}
