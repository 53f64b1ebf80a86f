//! Pick: by scan of a barcode or SKU code, or by line.
//!
//! Invariants: only what is released and not on hold is picked; never more than is open; a scan of something else is refused and says
//! what is expected; the components of a bundle are collected until a unit is complete, and only then is the unit picked.

use crate::events::{FulfilmentPicked, Units};
use crate::floor::{Delta, Floor};
use crate::model::{Executor, Fulfilment, FulfilmentId, FulfilmentLineId, Status};
use crate::progress::{self, Progress};
use catalog::{Sku, SkuId};
use db::Tx;
use kernel::{Fault, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;

/// Picks pieces.
#[derive(Debug, Clone)]
pub struct Pick {
    /// When.
    pub at: Timestamp,
    /// For which fulfilment order.
    pub fulfilment: FulfilmentId,
    /// What was taken.
    pub what: What,
    /// Pieces; units when it is a line.
    pub quantity: i64,
}

/// What a picker took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A barcode or a SKU code.
    Scan(String),
    /// Units of a line, without a scan.
    Line(FulfilmentLineId),
}

impl What {
    /// The text that was scanned.
    pub(crate) fn scanned(&self) -> Option<&str> {
        match self {
            Self::Scan(text) => Some(text),
            Self::Line(_) => None,
        }
    }
}

/// What came of a pick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picked {
    /// Units that are complete by it.
    pub units: Vec<(FulfilmentLineId, i64)>,
    /// Units of the fulfilment order that are still to be picked.
    pub left: i64,
}

kernel::refusals! {
    /// Why something is not picked.
    pub enum PickRefused {
        UnknownFulfilment { fulfilment: FulfilmentId } => NotFound, "warehouse.unknown_fulfilment", "There is no fulfilment order {fulfilment}.";
        UnknownLine { line: FulfilmentLineId } => NotFound, "warehouse.unknown_line", "This fulfilment order has no line {line}.";
        NotOurs { number: String } => Conflict, "warehouse.not_ours", "{number} is fulfilled by somebody else: request it from them.";
        Over { number: String } => Conflict, "warehouse.over", "{number} is cancelled or has been shipped: nothing of it is left to do.";
        OnHold { number: String } => Conflict, "warehouse.on_hold", "The order of {number} is on hold: release its holds first.";
        NotReleased { number: String } => Conflict, "warehouse.not_released", "{number} is not released to the floor yet.";
        NotPositive => Invalid, "warehouse.quantity", "The quantity must be at least 1.";
        WrongItem { scanned: String, expected: String } => Conflict, "warehouse.wrong_item", "“{scanned}” is not to be picked here. Expected: {expected}.";
        OverPick { left: i64 } => Conflict, "warehouse.over_pick", "Only {left} more of it are to be picked.";
    }
}

/// What a scan may fill: units of a line, or components of a line's bundle.
struct Place {
    line: FulfilmentLineId,
    /// Components of the bundle; empty when the line's own SKU was scanned.
    takes: Vec<(SkuId, i64)>,
    room: i64,
}

/// Whether picking may go on at all.
pub(crate) fn decide_may_pick(f: &Fulfilment) -> Result<(), PickRefused> {
    let number = || f.number.clone();
    if f.executor != Executor::Own {
        return Err(PickRefused::NotOurs { number: number() });
    }
    if matches!(f.status, Status::Closed | Status::Cancelled) {
        return Err(PickRefused::Over { number: number() });
    }
    if f.on_hold {
        return Err(PickRefused::OnHold { number: number() });
    }
    if !f.begun() {
        return Err(PickRefused::NotReleased { number: number() });
    }
    Ok(())
}

/// The lines that want a SKU, those that sell it as such before bundles that contain it.
fn places(
    f: &Fulfilment,
    skus: &HashMap<SkuId, Arc<Sku>>,
    progress: &Progress,
    scanned: SkuId,
) -> Vec<Place> {
    let own = f.lines.iter().filter(|l| l.sku_id == scanned);
    let mut places: Vec<Place> =
        own.map(|l| Place { line: l.id, takes: Vec::new(), room: l.open() }).collect();
    for l in f.lines.iter().filter(|l| l.sku_id != scanned) {
        let takes = skus.get(&l.sku_id).map(|sku| sku.takes()).unwrap_or_default();
        if let Some((_, n)) = takes.iter().find(|(sku, _)| *sku == scanned) {
            let room = (n * l.open() - progress.of(l.id, scanned)).max(0);
            places.push(Place { line: l.id, takes, room });
        }
    }
    places
}

/// Where scanned pieces go: `(line, pieces, components of the bundle)`.
fn decide_scan(
    f: &Fulfilment,
    skus: &HashMap<SkuId, Arc<Sku>>,
    progress: &Progress,
    text: &str,
    scanned: Option<SkuId>,
    quantity: i64,
) -> Result<Vec<(Place, i64)>, PickRefused> {
    let places = scanned.map(|sku| places(f, skus, progress, sku)).unwrap_or_default();
    if places.is_empty() {
        return Err(PickRefused::WrongItem {
            scanned: text.to_owned(),
            expected: expected(f, skus, progress),
        });
    }
    let room: i64 = places.iter().map(|p| p.room).sum();
    if quantity > room {
        return Err(PickRefused::OverPick { left: room });
    }
    let mut left = quantity;
    let mut fills = Vec::new();
    for place in places {
        let pieces = left.min(place.room);
        if pieces > 0 {
            left -= pieces;
            fills.push((place, pieces));
        }
    }
    Ok(fills)
}

/// What is still to be picked, for a person who holds something else in the hand.
fn expected(f: &Fulfilment, skus: &HashMap<SkuId, Arc<Sku>>, progress: &Progress) -> String {
    let mut parts = Vec::new();
    for l in f.lines.iter().filter(|l| l.open() > 0) {
        let components = skus.get(&l.sku_id).map(|sku| sku.components.as_slice()).unwrap_or_default();
        if components.is_empty() {
            parts.push(format!("{} × {}", l.open(), l.sku));
        }
        for c in components {
            let missing = c.quantity * l.open() - progress.of(l.id, c.sku);
            if missing > 0 {
                parts.push(format!("{missing} × {} for {}", c.code, l.sku));
            }
        }
    }
    if parts.is_empty() { "nothing more".to_owned() } else { parts.join(", ") }
}

/// Picks; one outcome each, in order.
///
/// # Errors
/// A fault of the database.
pub async fn pick(tx: &Tx, batch: &[Pick]) -> Result<Vec<Result<Picked, PickRefused>>, Fault> {
    let mut floor = Floor::lock(tx, batch.iter().map(|p| p.fulfilment)).await?;
    let lines = || floor.fulfilments.values().flat_map(|f| &f.lines);
    let skus = catalog::skus_by_id(tx, &lines().map(|l| l.sku_id).collect::<Vec<_>>()).await?;
    let mut progress = Progress::load(tx, lines().map(|l| l.id)).await?;
    let scans = scanned(tx, batch).await?;
    let mut outcomes = Vec::with_capacity(batch.len());
    for item in batch {
        let sku = match &item.what {
            What::Scan(text) => scans.get(text.as_str()).copied().flatten(),
            What::Line(_) => None,
        };
        let outcome = pick_one(&mut floor, &skus, &mut progress, item, sku);
        if let Ok(picked) = &outcome {
            let f = &floor.fulfilments[&item.fulfilment];
            let order_line = |id: FulfilmentLineId| f.lines.iter().find(|l| l.id == id).map(|l| l.line);
            let complete = picked.units.iter();
            let lines =
                complete.filter_map(|(id, n)| Some(Units { line: order_line(*id)?, quantity: *n })).collect();
            let fact = FulfilmentPicked {
                fulfilment: f.id,
                order: f.order,
                scanned: sku,
                quantity: item.quantity,
                lines,
            };
            tx.record(item.at, f.id, Some(f.order.0), fact)?;
        }
        outcomes.push(outcome);
    }
    floor.save(tx).await?;
    progress.save(tx).await?;
    let touched: Vec<FulfilmentLineId> =
        floor.fulfilments.values().flat_map(|f| f.lines.iter().map(|l| l.id)).collect();
    progress::trim(tx, touched).await?;
    Ok(outcomes)
}

fn pick_one(
    floor: &mut Floor,
    skus: &HashMap<SkuId, Arc<Sku>>,
    progress: &mut Progress,
    item: &Pick,
    sku: Option<SkuId>,
) -> Result<Picked, PickRefused> {
    let unknown = PickRefused::UnknownFulfilment { fulfilment: item.fulfilment };
    let f = floor.fulfilments.get(&item.fulfilment).ok_or(unknown)?;
    decide_may_pick(f)?;
    if item.quantity < 1 {
        return Err(PickRefused::NotPositive);
    }
    let mut units: Vec<(FulfilmentLineId, i64)> = Vec::new();
    match &item.what {
        What::Line(id) => {
            let line = f.lines.iter().find(|l| l.id == *id).ok_or(PickRefused::UnknownLine { line: *id })?;
            if item.quantity > line.open() {
                return Err(PickRefused::OverPick { left: line.open() });
            }
            units.push((*id, item.quantity));
        }
        What::Scan(text) => {
            for (place, pieces) in decide_scan(f, skus, progress, text, sku, item.quantity)? {
                let complete = match (place.takes.is_empty(), sku) {
                    (false, Some(sku)) => progress.collect(place.line, &place.takes, sku, pieces),
                    _ => pieces,
                };
                if complete > 0 {
                    units.push((place.line, complete));
                }
            }
        }
    }
    for (line, quantity) in &units {
        floor.shift(item.at, item.fulfilment, *line, Delta { picked: *quantity, ..Delta::default() });
    }
    let left = floor.fulfilments.get(&item.fulfilment).map_or(0, Fulfilment::open);
    Ok(Picked { units, left })
}

/// What each different text of the batch is the barcode or code of.
async fn scanned<'a>(tx: &Tx, batch: &'a [Pick]) -> Result<HashMap<&'a str, Option<SkuId>>, Fault> {
    let texts: Vec<&str> = batch.iter().filter_map(|item| item.what.scanned()).collect();
    let meant = catalog::skus_by_scan(tx, &texts).await?;
    Ok(texts.into_iter().map(|text| (text, meant.get(text).copied())).collect())
}
