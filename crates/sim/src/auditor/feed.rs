//! The auditor reads the event log, as others read it, in the order of commits: parcels leave and arrive in that order, and receivers of
//! webhooks are owed what stands in it.
//!
//! Invariant: what the log says of a parcel, we did ourselves or a carrier told us.

use crate::Trouble;
use crate::drive::ship::{DELIVERED, LOST, rank};
use crate::sim::Sim;
use db::FromRow;
use serde::de::DeserializeOwned;
use shipping::ShipmentId;
use shipping::events::{
    LabelDeclined, LabelVoided, ShipmentDelivered, ShipmentLost, ShipmentShipped, ShipmentTracked,
};

/// An event of the log.
#[derive(Debug, Clone, FromRow)]
pub struct Logged {
    /// Its place in the order of commits.
    pub row: i64,
    /// Its id.
    pub id: kernel::fact::EventId,
    /// When.
    pub at: kernel::Timestamp,
    /// What.
    pub kind: String,
    /// Of what.
    pub subject: String,
    /// The fact.
    pub payload: String,
}

fn fact<F: DeserializeOwned>(event: &Logged) -> Result<F, Trouble> {
    serde_json::from_str(&event.payload).map_err(|e| Trouble::odd(format!("{event:?} does not read: {e}")))
}

impl Sim {
    /// Reads what is new.
    ///
    /// # Errors
    /// What cannot be.
    pub(crate) async fn hear(&mut self) -> Result<(), Trouble> {
        let text =
            "SELECT rowid AS row, id, at, kind, subject, payload FROM event WHERE rowid > $1 ORDER BY rowid";
        let new: Vec<Logged> = self.db.read().all(text, [self.read.event.into()]).await?;
        for event in new {
            self.read.event = event.row;
            self.parcel(&event)?;
            self.owed(event)?;
        }
        match self.model.sent.iter().find(|(_, sent)| sent.ends.is_some()) {
            None => Ok(()),
            Some((id, sent)) => {
                Err(Trouble::new("shipping.ends", format!("{id} ended, and nobody says so: {sent:?}")))
            }
        }
    }
    fn parcel(&mut self, event: &Logged) -> Result<(), Trouble> {
        match event.kind.as_str() {
            "shipment.shipped" => self.went(fact::<ShipmentShipped>(event)?.shipment),
            "shipment.tracked" => {
                let tracked: ShipmentTracked = fact(event)?;
                self.tracked(tracked.shipment, rank(tracked.status))
            }
            "shipment.delivered" => self.ended(fact::<ShipmentDelivered>(event)?.shipment, DELIVERED),
            "shipment.lost" => self.ended(fact::<ShipmentLost>(event)?.shipment, LOST),
            "shipment.label_voided" => self.void_label(fact::<LabelVoided>(event)?.shipment),
            "shipment.label_declined" => self.void_label(fact::<LabelDeclined>(event)?.shipment),
            _ => Ok(()),
        }
    }
    fn void_label(&mut self, id: ShipmentId) -> Result<(), Trouble> {
        match self.model.sent.get_mut(&id) {
            Some(sent) if !sent.left => {
                sent.void = true;
                Ok(())
            }
            sent => Err(Trouble::new("shipping.void", format!("the label of {id} is void: {sent:?}"))),
        }
    }
    /// It was handed over by us, or a carrier told us that it has it.
    fn went(&mut self, id: ShipmentId) -> Result<(), Trouble> {
        let Some(sent) = self.model.sent.get_mut(&id).filter(|s| !s.left && !s.void) else {
            return Err(Trouble::new("shipping.once", format!("{id} left twice, or without a label")));
        };
        sent.left = true;
        let (no, told, parcel) = (sent.no, !sent.told.is_empty(), sent.parcel);
        self.touched.insert(no);
        match self.model.parcels.get(&parcel).is_some_and(|p| p.shipped) {
            true => Ok(()),
            false if told => self.leaves(id),
            false => Err(Trouble::new("shipping.unasked", format!("{id} of order {no} left by itself"))),
        }
    }
    /// One of the things that a carrier told us is known; the first end that is more than what was known before counts the units.
    fn tracked(&mut self, id: ShipmentId, rank: usize) -> Result<(), Trouble> {
        let unasked = || Trouble::new("shipping.unasked", format!("nobody said {rank} of {id}"));
        let sent = self.model.sent.get_mut(&id).ok_or_else(unasked)?;
        let place = sent.told.iter().position(|told| *told == rank).ok_or_else(unasked)?;
        sent.told.swap_remove(place);
        let (no, parcel, (before, counted)) = (sent.no, sent.parcel, sent.said);
        self.touched.insert(no);
        if sent.void || rank <= before {
            return Ok(());
        }
        let ends = !counted && (rank == LOST || rank == DELIVERED);
        sent.said = (rank, counted || ends);
        if !ends {
            return Ok(());
        }
        sent.ends = Some(rank);
        let lines = self.model.parcels.get(&parcel).map(|p| p.lines.clone()).unwrap_or_default();
        if let Some(order) = self.model.orders.get_mut(&no) {
            for (line, units) in lines {
                match rank {
                    LOST => order.lines[line].lost += units,
                    _ => order.lines[line].delivered += units,
                }
            }
        }
        if rank == DELIVERED {
            self.model.mails.arrived(no);
        }
        Ok(())
    }
    fn ended(&mut self, id: ShipmentId, rank: usize) -> Result<(), Trouble> {
        match self.model.sent.get_mut(&id).and_then(|sent| sent.ends.take()) {
            Some(known) if known == rank => Ok(()),
            known => {
                Err(Trouble::new("shipping.ends", format!("{id} says that it ended by {rank}: {known:?}")))
            }
        }
    }
    /// At rest nothing that carriers told us is unknown, and every parcel is where they say.
    ///
    /// # Errors
    /// The first parcel that is not.
    pub(crate) async fn parcels_agree(&self) -> Result<(), Trouble> {
        let ids: Vec<ShipmentId> = self.model.sent.keys().copied().collect();
        let found = shipping::shipments_by_id(self.db.read(), &ids).await?;
        for (id, sent) in &self.model.sent {
            let told = found.get(id).map(|s| {
                let counted = s.delivered_at.is_some() || s.lost_at.is_some();
                (rank(s.status), counted, s.shipped_at.is_some(), s.voided_at.is_some())
            });
            let known = (sent.said.0, sent.said.1, sent.left, sent.void);
            if told != Some(known) || !sent.told.is_empty() {
                let says = format!("{id} says (rank, counted, left, void) {told:?}; it is {sent:?}");
                return Err(Trouble::new("shipping.agree", says));
            }
        }
        Ok(())
    }
}
