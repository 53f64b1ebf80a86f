//! Labels, hand-over, and what carriers say.

use super::place::no_of;
use crate::Trouble;
use crate::model::Sent;
use crate::outside::Scan;
use crate::shop::POST;
use crate::sim::Sim;
use crate::step::{No, Said};
use orders::OrderId;
use shipping::{BuyLabel, Ship, Shipment, ShipmentId, Status, Track, VoidLabel};
use warehouse::ParcelId;

/// What carriers say.
fn status(said: Said) -> Status {
    match said {
        Said::OnTheWay => Status::InTransit,
        Said::Trouble => Status::Exception,
        Said::Lost => Status::Lost,
        Said::Delivered => Status::Delivered,
        Said::Back => Status::ReturnedToSender,
    }
}

/// The rank of what carriers say among what they say.
pub(crate) fn rank(status: Status) -> usize {
    match status {
        Status::InTransit => 1,
        Status::Exception => 2,
        Status::Lost => LOST,
        Status::Delivered => DELIVERED,
        Status::ReturnedToSender => 5,
        _ => 0,
    }
}
/// The rank of a parcel that is lost.
pub(crate) const LOST: usize = 3;
/// The rank of a parcel that is there.
pub(crate) const DELIVERED: usize = 4;

impl Sim {
    /// The shipments of these orders whose labels are not void.
    async fn shipments(&mut self, nos: &[No]) -> Result<(Vec<(No, OrderId)>, Vec<Shipment>), Trouble> {
        let known = self.known(nos);
        let ids: Vec<OrderId> = known.iter().map(|(_, id)| *id).collect();
        let mut of = shipping::shipments_of(self.db.read(), &ids).await?;
        let mut list = Vec::new();
        for (_, id) in &known {
            list.extend(of.remove(id).unwrap_or_default());
        }
        list.retain(|s| s.voided_at.is_none());
        for s in &list {
            self.meet(&known, s);
        }
        Ok((known, list))
    }
    /// Takes a shipment into the model, or its number.
    fn meet(&mut self, known: &[(No, OrderId)], s: &Shipment) {
        let Some(no) = no_of(known, s.order_id) else { return };
        self.world.look().name(s.id, format!("o{no}"));
        let sent = self.model.sent.entry(s.id).or_insert_with(|| Sent {
            no,
            parcel: s.parcel_id,
            carrier: s.carrier.clone(),
            tracking_number: String::new(),
            void: false,
            left: false,
            said: (0, false),
            told: Vec::new(),
            ends: None,
        });
        sent.tracking_number.clone_from(&s.tracking_number);
    }
    /// Labels for what is packed.
    pub(crate) async fn label(&mut self, nos: &[No], called: bool) -> Result<(), Trouble> {
        let at = self.at();
        let known = self.known(nos);
        let parcels: Vec<ParcelId> = known
            .iter()
            .flat_map(|(no, _)| self.model.parcels_of.get(no).into_iter().flatten())
            .filter(|id| self.model.parcels.get(id).is_some_and(|p| !p.shipped))
            .copied()
            .collect();
        let carrier = if called { "sim" } else { "post" };
        let buy = |parcel| BuyLabel { at, parcel, carrier: carrier.into(), service: "parcel".into() };
        let batch: Vec<BuyLabel> = parcels.into_iter().map(buy).collect();
        let carriers = self.carriers.clone();
        let told = db::write!(self.db, &self.by, |tx| shipping::buy_label(tx, &carriers, &batch).await)?;
        self.heard(&told);
        for shipment in told.into_iter().flatten() {
            self.meet(&known, &shipment);
            match (called, shipment.status) {
                (true, Status::Draft) => {}
                (false, Status::LabelPurchased) if shipment.cost == POST => {
                    self.model.labels.insert(shipment.id, POST);
                    self.model.post("5100", "2000", POST);
                }
                _ => return Err(Trouble::new("shipping.label", format!("{shipment:?}"))),
            }
        }
        Ok(())
    }
    /// Labels are given back.
    pub(crate) async fn unlabel(&mut self, no: No) -> Result<(), Trouble> {
        let at = self.at();
        let (_, list) = self.shipments(&[no]).await?;
        let batch: Vec<VoidLabel> = list.iter().map(|s| VoidLabel { at, shipment: s.id }).collect();
        let carriers = self.carriers.clone();
        let told = db::write!(self.db, &self.by, |tx| shipping::void_label(tx, &carriers, &batch).await)?;
        self.heard(&told);
        for (shipment, outcome) in list.iter().zip(told) {
            if outcome.is_ok()
                && let Some(cost) = self.model.labels.remove(&shipment.id)
            {
                self.model.post("2000", "5100", cost);
            }
        }
        Ok(())
    }
    /// Handed over.
    pub(crate) async fn ship(&mut self, nos: &[No]) -> Result<(), Trouble> {
        let at = self.at();
        let (_, list) = self.shipments(nos).await?;
        let batch: Vec<Ship> = list.iter().map(|s| Ship { at, shipment: s.id }).collect();
        let told = db::write!(self.db, &self.by, |tx| shipping::ship(tx, &batch).await)?;
        self.heard(&told);
        for (shipment, outcome) in list.iter().zip(told) {
            if outcome.is_ok() {
                self.leaves(shipment.id)?;
            }
        }
        Ok(())
    }
    /// A parcel leaves, once; its recipient hears of it.
    pub(crate) fn leaves(&mut self, shipment: ShipmentId) -> Result<(), Trouble> {
        let Some(sent) = self.model.sent.get(&shipment).cloned() else {
            return Err(Trouble::new("shipping.once", format!("{shipment} leaves, which nobody packed")));
        };
        let parcel = self.model.parcels.get(&sent.parcel);
        if parcel.is_none_or(|p| p.shipped) {
            return Err(Trouble::new("shipping.once", format!("{shipment} leaves with {parcel:?}")));
        }
        self.world.look().handed_over(&shipment.to_string());
        self.model.hand_over(sent.parcel);
        self.model.mails.left(sent.no, &sent.carrier, &sent.tracking_number);
        Ok(())
    }
    /// A clerk writes down what a carrier says; what it says of a parcel we did not hand over means that it has it.
    pub(crate) async fn track(&mut self, nos: &[No], said: Said, twice: bool) -> Result<(), Trouble> {
        let at = self.at();
        let (_, list) = self.shipments(nos).await?;
        let status = status(said);
        let fact = |s: &Shipment| Track {
            at,
            shipment: s.id,
            source_id: format!("{}-{}", self.now, s.id),
            status,
            place: None,
            description: None,
        };
        let mut batch: Vec<Track> = list.iter().map(fact).collect();
        if twice {
            batch.extend(batch.clone());
        }
        let told = db::write!(self.db, &self.by, |tx| shipping::track(tx, &batch).await)?;
        self.heard(&told);
        for (n, outcome) in told.iter().enumerate() {
            let Ok(tracked) = outcome else { continue };
            if tracked.new != (n < list.len()) {
                return Err(Trouble::new("shipping.track_once", format!("{:?}: {tracked:?}", batch[n])));
            }
            if tracked.new
                && let Some(sent) = self.model.sent.get_mut(&batch[n].shipment)
            {
                sent.told.push(rank(status));
            }
        }
        Ok(())
    }
    /// Carriers scan the parcels of orders; we hear of it when their messages arrive.
    pub(crate) async fn scan(&mut self, nos: &[No], said: Said, together: bool) -> Result<(), Trouble> {
        let (_, list) = self.shipments(nos).await?;
        for carrier in ["sim", "post"] {
            let scans = self.scans(&list, carrier, status(said));
            self.heard(&scans.iter().map(|s| Ok::<_, ()>(&s.id)).collect::<Vec<_>>());
            self.world.look().scanned(carrier, scans, together);
        }
        Ok(())
    }
    /// What a carrier knows of those of its parcels that have a label to scan.
    fn scans(&self, list: &[Shipment], carrier: &str, status: Status) -> Vec<Scan> {
        let labelled = list.iter().filter(|s| s.carrier == carrier && s.status != Status::Draft);
        labelled
            .enumerate()
            .map(|(n, s)| Scan {
                id: format!(
                    "e{}-{}-{n}-{carrier}",
                    self.now,
                    self.model.sent.get(&s.id).map_or(0, |sent| sent.no)
                ),
                tracking_number: s.tracking_number.clone(),
                status,
                at: self.at(),
                shipment: s.id,
            })
            .collect()
    }
    /// Somebody who is not the carrier says something of parcels: nobody listens.
    pub(crate) async fn forge(&mut self, nos: &[No], said: Said) -> Result<(), Trouble> {
        let (_, list) = self.shipments(nos).await?;
        for carrier in ["sim", "post"] {
            let events = self.scans(&list, carrier, status(said));
            if events.is_empty() {
                continue;
            }
            let news =
                crate::outside::News { id: format!("f{}", self.now), events, carrier: carrier.to_owned() };
            self.refused(&news).await?;
        }
        Ok(())
    }
}
