//! Labels, hand-over, and what carriers say.

use super::place::no_of;
use crate::Trouble;
use crate::shop::POST;
use crate::sim::Sim;
use crate::step::{No, Said};
use orders::OrderId;
use shipping::{BuyLabel, Ship, Shipment, Status, Track, VoidLabel};
use warehouse::ParcelId;

/// What carriers say: the status, and its rank among what they say.
fn status(said: Said) -> (Status, usize) {
    match said {
        Said::OnTheWay => (Status::InTransit, 1),
        Said::Trouble => (Status::Exception, 2),
        Said::Lost => (Status::Lost, 3),
        Said::Delivered => (Status::Delivered, 4),
        Said::Back => (Status::ReturnedToSender, 5),
    }
}

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
        Ok((known, list))
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
                self.leaves(shipment)?;
            }
        }
        Ok(())
    }
    /// A parcel leaves, once.
    fn leaves(&mut self, shipment: &Shipment) -> Result<(), Trouble> {
        let parcel = self.model.parcels.get(&shipment.parcel_id);
        if parcel.is_none_or(|p| p.shipped) {
            let says = format!("{} leaves with {:?}", shipment.id, parcel);
            return Err(Trouble::new("shipping.once", says));
        }
        self.world.look().handed_over(&shipment.id.to_string());
        self.model.hand_over(shipment.parcel_id);
        Ok(())
    }
    /// A carrier says something; what it says of a parcel we did not hand over means that it has it.
    pub(crate) async fn track(&mut self, nos: &[No], said: Said, twice: bool) -> Result<(), Trouble> {
        let at = self.at();
        let (known, list) = self.shipments(nos).await?;
        let (status, rank) = status(said);
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
            let shipment = &list[n % list.len()];
            if tracked.new != (n < list.len()) {
                return Err(Trouble::new("shipping.track_once", format!("{:?}: {tracked:?}", batch[n])));
            }
            if tracked.new {
                if shipment.shipped_at.is_none() {
                    self.leaves(shipment)?;
                }
                self.said(&known, shipment, rank);
            }
        }
        Ok(())
    }
    /// The first end that moves the status counts the units.
    fn said(&mut self, known: &[(No, OrderId)], shipment: &Shipment, rank: usize) {
        let Some(no) = no_of(known, shipment.order_id) else { return };
        let Some(parcel) = self.model.parcels.get_mut(&shipment.parcel_id) else { return };
        let (before, counted) = parcel.said;
        if rank <= before {
            return;
        }
        let ends = !counted && (rank == 3 || rank == 4);
        parcel.said = (rank, counted || ends);
        if !ends {
            return;
        }
        let lines = parcel.lines.clone();
        if let Some(order) = self.model.orders.get_mut(&no) {
            for (line, units) in lines {
                match rank {
                    3 => order.lines[line].lost += units,
                    _ => order.lines[line].delivered += units,
                }
            }
        }
    }
}
