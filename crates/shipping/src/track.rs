//! What carriers say about shipments.
//!
//! Invariants: the same fact (by the source's id) counts once; the status is the fold of [`crate::status`], whatever order facts come in;
//! the order's units are counted once. A scan of a parcel that we did not hand over is its hand-over: the carrier has it.

use crate::events::{ShipmentDelivered, ShipmentLost, ShipmentTracked};
use crate::lock;
use crate::model::{Shipment, ShipmentId, Status, TrackingEventId};
use crate::ship::hand_over;
use crate::status::{Count, count, fold, is_tracking};
use db::{FromRow, Rows, Tx};
use kernel::{Fault, Timestamp};
use orders::{Advance, Step};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Something a carrier said.
#[derive(Debug, Clone)]
pub struct Track {
    /// When it happened, by the carrier.
    pub at: Timestamp,
    /// Which shipment.
    pub shipment: ShipmentId,
    /// The source's own id of the fact.
    pub source_id: String,
    /// What.
    pub status: Status,
    /// Where.
    pub place: Option<String>,
    /// In the carrier's words.
    pub description: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Tracked {
    /// The shipment's status now.
    pub status: Status,
    /// Whether the fact was new.
    pub new: bool,
}

kernel::refusals! {
    /// Why a fact is not taken.
    pub enum TrackRefused {
        UnknownShipment { shipment: ShipmentId } => NotFound, "shipping.unknown_shipment", "There is no shipment {shipment}.";
        NotTracking { status: Status } => Invalid, "shipping.not_a_tracking_status", "“{status}” is not something a carrier says about a parcel.";
        NoSource => Invalid, "shipping.no_source_id", "The fact needs the source's own id, so that it counts once.";
        NoLabel { shipment: ShipmentId } => Conflict, "shipping.no_label", "The label of {shipment} is still being bought.";
    }
}

/// What is to be written.
#[derive(Default)]
struct Draft {
    told: Vec<Track>,
    leaving: Vec<(Timestamp, Shipment)>,
    ends: Vec<(Timestamp, ShipmentId, Count)>,
    changed: BTreeMap<ShipmentId, ()>,
}

impl Draft {
    /// Takes a new fact about a shipment.
    fn take(&mut self, s: &mut Shipment, item: &Track) {
        self.told.push(item.clone());
        if s.voided_at.is_some() {
            return;
        }
        self.changed.insert(s.id, ());
        if s.shipped_at.is_none() {
            s.shipped_at = Some(item.at);
            s.status = fold(s.status, Status::Shipped);
            self.leaving.push((item.at, s.clone()));
        }
        let (before, after) = (s.status, fold(s.status, item.status));
        s.status = after;
        let end = count(before, after, s.delivered_at.is_some() || s.lost_at.is_some());
        match end {
            Count::Nothing => return,
            Count::Delivered => s.delivered_at = Some(item.at),
            Count::Lost => s.lost_at = Some(item.at),
        }
        self.ends.push((item.at, s.id, end));
    }
}

fn decide_track(
    shipments: &mut HashMap<ShipmentId, Shipment>,
    known: &mut HashSet<(ShipmentId, String)>,
    draft: &mut Draft,
    item: &Track,
) -> Result<Tracked, TrackRefused> {
    let shipment = item.shipment;
    let s = shipments.get_mut(&shipment).ok_or(TrackRefused::UnknownShipment { shipment })?;
    if !is_tracking(item.status) {
        return Err(TrackRefused::NotTracking { status: item.status });
    }
    if item.source_id.trim().is_empty() {
        return Err(TrackRefused::NoSource);
    }
    if s.status == Status::Draft {
        return Err(TrackRefused::NoLabel { shipment });
    }
    let new = known.insert((shipment, item.source_id.clone()));
    if new {
        draft.take(s, item);
    }
    Ok(Tracked { status: s.status, new })
}

/// Takes facts of carriers; one outcome each, in order.
///
/// # Errors
/// A fault of the database.
pub async fn track(tx: &Tx, batch: &[Track]) -> Result<Vec<Result<Tracked, TrackRefused>>, Fault> {
    let mut shipments = lock::shipments(tx, batch.iter().map(|t| t.shipment)).await?;
    let mut known = known(tx, batch).await?;
    let mut draft = Draft::default();
    let outcomes =
        batch.iter().map(|item| decide_track(&mut shipments, &mut known, &mut draft, item)).collect();
    hand_over(tx, &draft.leaving).await?;
    write(tx, &shipments, &draft).await?;
    for item in &draft.told {
        let order = shipments.get(&item.shipment).map_or(orders::OrderId(0), |s| s.order_id);
        let fact = ShipmentTracked {
            shipment: item.shipment,
            order,
            status: item.status,
            at: item.at,
            place: item.place.clone(),
            description: item.description.clone(),
        };
        tx.record(item.at, item.shipment, Some(order.0), fact)?;
    }
    end(tx, &shipments, &draft.ends).await?;
    Ok(outcomes)
}

async fn known(tx: &Tx, batch: &[Track]) -> Result<HashSet<(ShipmentId, String)>, Fault> {
    #[derive(FromRow)]
    struct Row {
        shipment_id: ShipmentId,
        source_id: String,
    }
    let mut input = Rows::new("shipment_id BIGINT, source_id TEXT");
    for item in batch {
        input.push([item.shipment.into(), item.source_id.as_str().into()]);
    }
    let text = "SELECT t.shipment_id, t.source_id FROM tracking_event t JOIN input ON input.shipment_id = t.shipment_id AND input.source_id = t.source_id";
    let rows: Vec<Row> = tx.all_from(&input, text, []).await?;
    Ok(rows.into_iter().map(|r| (r.shipment_id, r.source_id)).collect())
}

/// Writes tracking events.
pub(crate) async fn insert_events(tx: &Tx, events: &[Track]) -> Result<(), Fault> {
    let mut rows = Rows::new(
        "id BIGINT, shipment_id BIGINT, source_id TEXT, status TEXT, at BIGINT, place TEXT?, description TEXT?",
    );
    for item in events {
        rows.push([
            tx.id::<TrackingEventId>().into(),
            item.shipment.into(),
            item.source_id.as_str().into(),
            item.status.as_str().into(),
            item.at.into(),
            item.place.clone().into(),
            item.description.clone().into(),
        ]);
    }
    tx.insert("tracking_event", &rows).await?;
    Ok(())
}

async fn write(tx: &Tx, shipments: &HashMap<ShipmentId, Shipment>, draft: &Draft) -> Result<(), Fault> {
    insert_events(tx, &draft.told).await?;
    let mut rows =
        Rows::new("id BIGINT, status TEXT, shipped_at BIGINT?, delivered_at BIGINT?, lost_at BIGINT?");
    for s in draft.changed.keys().filter_map(|id| shipments.get(id)) {
        rows.push([
            s.id.into(),
            s.status.as_str().into(),
            s.shipped_at.into(),
            s.delivered_at.into(),
            s.lost_at.into(),
        ]);
    }
    let text = "UPDATE shipment AS s SET status = input.status, shipped_at = input.shipped_at, delivered_at = input.delivered_at, \
         lost_at = input.lost_at, version = s.version + 1 FROM input WHERE s.id = input.id";
    tx.exec_from(&rows, text, []).await?;
    Ok(())
}

/// Moves the order's units to where they ended, and says so.
pub(crate) async fn end(
    tx: &Tx,
    shipments: &HashMap<ShipmentId, Shipment>,
    ends: &[(Timestamp, ShipmentId, Count)],
) -> Result<(), Fault> {
    if ends.is_empty() {
        return Ok(());
    }
    let parcels: Vec<_> =
        ends.iter().filter_map(|(_, id, _)| shipments.get(id)).map(|s| s.parcel_id).collect();
    let contents = warehouse::parcel_contents(tx, &parcels).await?;
    let mut advances = Vec::new();
    for (at, id, end) in ends {
        let Some(s) = shipments.get(id) else { continue };
        let step = if *end == Count::Lost { Step::Lose } else { Step::Deliver };
        for line in contents.get(&s.parcel_id).into_iter().flatten() {
            advances.push(Advance {
                at: *at,
                line: line.line,
                location: line.location,
                step,
                quantity: line.quantity,
            });
        }
        let (shipment, order) = (*id, s.order_id);
        match end {
            Count::Lost => tx.record(*at, id, Some(order.0), ShipmentLost { shipment, order })?,
            _ => tx.record(*at, id, Some(order.0), ShipmentDelivered { shipment, order })?,
        }
    }
    orders::advance(tx, &advances).await
}
