//! Pack picked units into parcels, and take parcels apart again.
//!
//! Invariants: only picked units are packed; what is in parcels that are not taken apart is what counts as packed. What somebody else
//! fulfils is packed without a pick of ours: accepting it implied that they pick.

use crate::events::{ParcelPacked, ParcelUnpacked, Units};
use crate::floor::{Delta, Floor};
use crate::model::{Executor, Fulfilment, FulfilmentId, FulfilmentLineId, Parcel, ParcelId, Request, Status};
use crate::read;
use catalog::{Sku, SkuId};
use db::{Rows, Tx};
use kernel::{Actor, Fault, Timestamp};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Packs a parcel.
#[derive(Debug, Clone)]
pub struct Pack {
    /// When.
    pub at: Timestamp,
    /// From which fulfilment order.
    pub fulfilment: FulfilmentId,
    /// Units by line; empty for everything that is picked.
    pub lines: Vec<(FulfilmentLineId, i64)>,
    /// Grams on the scale; the SKUs' own weights otherwise.
    pub weight_g: Option<i64>,
    /// Length, width and height in millimetres, when measured.
    pub dims: Option<(i64, i64, i64)>,
    /// Who packed it.
    pub by: Actor,
}

/// Takes a parcel apart.
#[derive(Debug, Clone)]
pub struct Unpack {
    /// When.
    pub at: Timestamp,
    /// Which.
    pub parcel: ParcelId,
}

kernel::refusals! {
    /// Why a parcel is not packed.
    pub enum PackRefused {
        UnknownFulfilment { fulfilment: FulfilmentId } => NotFound, "warehouse.unknown_fulfilment", "There is no fulfilment order {fulfilment}.";
        UnknownLine { line: FulfilmentLineId } => NotFound, "warehouse.unknown_line", "This fulfilment order has no line {line}.";
        Over { number: String } => Conflict, "warehouse.over", "{number} is cancelled or has been shipped: nothing of it is left to do.";
        OnHold { number: String } => Conflict, "warehouse.on_hold", "The order of {number} is on hold: release its holds first.";
        NotAccepted { number: String } => Conflict, "warehouse.not_accepted", "{number} has to be accepted by those who fulfil it first.";
        NotPositive => Invalid, "warehouse.quantity", "The quantity must be at least 1.";
        BadSize => Invalid, "warehouse.size", "Weight and measures of a parcel cannot be negative.";
        NothingPicked { number: String } => Conflict, "warehouse.nothing_picked", "Nothing of {number} is picked and not packed.";
        NotPicked { loose: i64 } => Conflict, "warehouse.not_picked", "Only {loose} of it are picked and not packed.";
        NotScanned { missing: i64 } => Conflict, "warehouse.not_scanned", "{missing} more to scan before this box is closed.";
    }
}
kernel::refusals! {
    /// Why a parcel is not taken apart.
    pub enum UnpackRefused {
        UnknownParcel { parcel: ParcelId } => NotFound, "warehouse.unknown_parcel", "There is no parcel {parcel}.";
        Unpacked { parcel: ParcelId } => Conflict, "warehouse.unpacked", "{parcel} was taken apart already.";
    }
}

/// What goes into a parcel: `(line, units, of these picked only now)`.
type Content = Vec<(FulfilmentLineId, i64, i64)>;

fn decide_pack(f: &Fulfilment, item: &Pack) -> Result<Content, PackRefused> {
    let number = || f.number.clone();
    if matches!(f.status, Status::Closed | Status::Cancelled) {
        return Err(PackRefused::Over { number: number() });
    }
    if f.on_hold {
        return Err(PackRefused::OnHold { number: number() });
    }
    if f.executor != Executor::Own && f.request != Request::Accepted {
        return Err(PackRefused::NotAccepted { number: number() });
    }
    let size = item.dims.map_or([0; 3], |(l, w, h)| [l, w, h]);
    if item.weight_g.is_some_and(|g| g < 0) || size.iter().any(|mm| *mm < 0) {
        return Err(PackRefused::BadSize);
    }
    let implied = |open: i64| if f.executor == Executor::Own { 0 } else { open };
    if item.lines.is_empty() {
        let ready = f.lines.iter().map(|l| (l.id, l.loose() + implied(l.open()), implied(l.open())));
        let content: Content = ready.filter(|(_, quantity, _)| *quantity > 0).collect();
        return if content.is_empty() {
            Err(PackRefused::NothingPicked { number: number() })
        } else {
            Ok(content)
        };
    }
    let mut wanted: BTreeMap<FulfilmentLineId, i64> = BTreeMap::new();
    for (line, quantity) in &item.lines {
        if *quantity < 1 {
            return Err(PackRefused::NotPositive);
        }
        let sum = wanted.entry(*line).or_default();
        *sum = sum.saturating_add(*quantity);
    }
    let mut content = Content::new();
    for (id, quantity) in wanted {
        let line = f.lines.iter().find(|l| l.id == id).ok_or(PackRefused::UnknownLine { line: id })?;
        let ready = line.loose() + implied(line.open());
        if quantity > ready {
            return Err(PackRefused::NotPicked { loose: ready });
        }
        content.push((id, quantity, (quantity - line.loose()).max(0)));
    }
    Ok(content)
}

/// What units weigh by the catalogue; SKUs without a weight count nothing.
fn weight(f: &Fulfilment, content: &Content, skus: &HashMap<SkuId, Arc<Sku>>) -> i64 {
    let unit = |sku: SkuId| -> i64 {
        let Some(sku) = skus.get(&sku) else { return 0 };
        let parts = || {
            sku.takes().iter().map(|(part, n)| skus.get(part).and_then(|s| s.weight_g).unwrap_or(0) * n).sum()
        };
        sku.weight_g.unwrap_or_else(parts)
    };
    let of = |id: FulfilmentLineId| f.lines.iter().find(|l| l.id == id).map_or(0, |l| unit(l.sku_id));
    content.iter().map(|(line, quantity, _)| of(*line) * quantity).sum()
}

/// Packs parcels; one outcome each, in order.
///
/// # Errors
/// A fault of the database.
pub async fn pack(tx: &Tx, batch: &[Pack]) -> Result<Vec<Result<ParcelId, PackRefused>>, Fault> {
    let mut floor = Floor::lock(tx, batch.iter().map(|p| p.fulfilment)).await?;
    let skus = weights(tx, &floor).await?;
    let (mut outcomes, mut parcels) = (Vec::with_capacity(batch.len()), Parcels::new());
    for item in batch {
        let unknown = PackRefused::UnknownFulfilment { fulfilment: item.fulfilment };
        let outcome = match floor.fulfilments.get(&item.fulfilment).ok_or(unknown).and_then(|f| {
            let content = decide_pack(f, item)?;
            let grams = item.weight_g.unwrap_or_else(|| weight(f, &content, &skus));
            Ok((content, grams))
        }) {
            Ok((content, grams)) => Ok(parcels.add(tx, &mut floor, item, &content, grams)?),
            Err(refused) => Err(refused),
        };
        outcomes.push(outcome);
    }
    floor.save(tx).await?;
    parcels.save(tx).await?;
    Ok(outcomes)
}

/// The SKUs of the lines, and the components of those that are bundles.
pub(crate) async fn weights(tx: &Tx, floor: &Floor) -> Result<HashMap<SkuId, Arc<Sku>>, Fault> {
    let ids: Vec<SkuId> = floor.fulfilments.values().flat_map(|f| f.lines.iter().map(|l| l.sku_id)).collect();
    let mut skus = catalog::skus_by_id(tx, &ids).await?;
    let parts: Vec<SkuId> = skus.values().flat_map(|s| s.components.iter().map(|c| c.sku)).collect();
    if !parts.is_empty() {
        skus.extend(catalog::skus_by_id(tx, &parts).await?);
    }
    Ok(skus)
}

/// Parcels to be written.
pub(crate) struct Parcels {
    parcels: Rows,
    lines: Rows,
}

impl Parcels {
    pub fn new() -> Self {
        Self {
            parcels: Rows::new(
                "id BIGINT, fulfilment_id BIGINT, order_id BIGINT, location_id BIGINT, weight_g BIGINT, length_mm BIGINT?, \
                 width_mm BIGINT?, height_mm BIGINT?, packed_at BIGINT, packed_by TEXT",
            ),
            lines: Rows::new("parcel_id BIGINT, fulfilment_line_id BIGINT, line_id BIGINT, quantity BIGINT"),
        }
    }
    /// Packs the content of a decision: counters, rows, fact.
    pub fn add(
        &mut self,
        tx: &Tx,
        floor: &mut Floor,
        item: &Pack,
        content: &Content,
        grams: i64,
    ) -> Result<ParcelId, Fault> {
        let id: ParcelId = tx.id();
        for (line, packed, picked) in content {
            let delta = Delta { picked: *picked, packed: *packed, ..Delta::default() };
            floor.shift(item.at, item.fulfilment, *line, delta);
        }
        let f = &floor.fulfilments[&item.fulfilment];
        self.parcels.push([
            id.into(),
            f.id.into(),
            f.order.into(),
            f.location.into(),
            grams.into(),
            item.dims.map(|d| d.0).into(),
            item.dims.map(|d| d.1).into(),
            item.dims.map(|d| d.2).into(),
            item.at.into(),
            item.by.as_str().into(),
        ]);
        let mut lines = Vec::new();
        for (line, quantity, _) in content {
            let order_line = f.lines.iter().find(|l| l.id == *line).map(|l| l.line);
            let order_line = order_line.ok_or_else(|| Fault::broken("a packed line that is not locked"))?;
            self.lines.push([id.into(), (*line).into(), order_line.into(), (*quantity).into()]);
            lines.push(Units { line: order_line, quantity: *quantity });
        }
        let fact = ParcelPacked { parcel: id, fulfilment: f.id, order: f.order, weight_g: grams, lines };
        tx.record(item.at, id, Some(f.order.0), fact)?;
        Ok(id)
    }
    pub async fn save(&self, tx: &Tx) -> Result<(), Fault> {
        tx.insert("parcel", &self.parcels).await?;
        tx.insert("parcel_line", &self.lines).await?;
        Ok(())
    }
}

/// Everything of a fulfilment order that is not packed, for history and for those who fulfil for us.
pub(crate) fn everything(f: &Fulfilment) -> Content {
    let rest = f.lines.iter().map(|l| (l.id, l.loose() + l.open(), l.open()));
    rest.filter(|(_, quantity, _)| *quantity > 0).collect()
}

/// What [`everything`] weighs.
pub(crate) fn weight_of(f: &Fulfilment, skus: &HashMap<SkuId, Arc<Sku>>) -> i64 {
    weight(f, &everything(f), skus)
}

/// Takes parcels apart; one outcome each, in order. Their units are picked again. Whoever calls makes sure that a parcel has no label:
/// labels are known downstream.
///
/// # Errors
/// A fault of the database.
pub async fn unpack(tx: &Tx, batch: &[Unpack]) -> Result<Vec<Result<(), UnpackRefused>>, Fault> {
    let ids: Vec<ParcelId> = batch.iter().map(|u| u.parcel).collect();
    let (mut floor, mut parcels) = lock_parcels(tx, &ids).await?;
    let mut rows = Rows::new("id BIGINT, at BIGINT");
    let mut outcomes = Vec::with_capacity(batch.len());
    for item in batch {
        let Some(parcel) = parcels.get_mut(&item.parcel) else {
            outcomes.push(Err(UnpackRefused::UnknownParcel { parcel: item.parcel }));
            continue;
        };
        if parcel.unpacked_at.is_some() {
            outcomes.push(Err(UnpackRefused::Unpacked { parcel: item.parcel }));
            continue;
        }
        parcel.unpacked_at = Some(item.at);
        rows.push([parcel.id.into(), item.at.into()]);
        for line in &parcel.lines {
            let delta = Delta { packed: -line.quantity, ..Delta::default() };
            floor.shift(item.at, parcel.fulfilment, line.fulfilment_line, delta);
        }
        let fact = ParcelUnpacked { parcel: parcel.id, fulfilment: parcel.fulfilment, order: parcel.order };
        tx.record(item.at, parcel.id, Some(parcel.order.0), fact)?;
        outcomes.push(Ok(()));
    }
    let text = "UPDATE parcel SET unpacked_at = input.at FROM input WHERE parcel.id = input.id";
    tx.exec_from(&rows, text, []).await?;
    floor.save(tx).await?;
    Ok(outcomes)
}

/// Locks the fulfilment orders of parcels, then reads the parcels.
pub(crate) async fn lock_parcels(
    tx: &Tx,
    ids: &[ParcelId],
) -> Result<(Floor, HashMap<ParcelId, Parcel>), Fault> {
    let floor = Floor::lock(tx, read::fulfilments_of_parcels(tx, ids).await?).await?;
    // Read after the lock: another transaction may have taken one apart while this one waited for it.
    let parcels = read::parcels_by_id(tx, ids).await?;
    Ok((floor, parcels))
}
