//! Calls carriers for what was recorded as wanted, and records what they answer: the second and third step of intent → call → result.
//!
//! Invariants: the call is made outside of any transaction, with the shipment's id as idempotency key, so that a crash in between is
//! resumed by asking again; an answer that does not read changes nothing and is asked for again.

use crate::buy::purchased;
use crate::cards::rate_cards;
use crate::carrier::{Answer, BuyAsk, Carriers, Plan, VoidAsk};
use crate::events::LabelDeclined;
use crate::lock;
use crate::model::{Shipment, ShipmentId, Status};
use crate::quote::{bound, for_carrier};
use crate::void::write_void;
use db::{Ctx, Job, Tx};
use kernel::{Actor, Fault, Money, Timestamp};
use serde::{Deserialize, Serialize};

/// What is wanted of a carrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// A label.
    Buy,
    /// To give a label back.
    Void,
}

/// Calls a carrier about one shipment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CallCarrier {
    /// Which.
    pub shipment: ShipmentId,
    /// What.
    pub act: Act,
}

impl Job for CallCarrier {
    const NAME: &'static str = "shipping.call_carrier";
    async fn run(&self, ctx: Ctx) -> Result<(), Fault> {
        let carriers = ctx.parts.get::<Carriers>()?;
        let Some(s) =
            crate::read::shipments_by_id(ctx.db.read(), &[self.shipment]).await?.remove(&self.shipment)
        else {
            return Ok(());
        };
        match self.act {
            Act::Buy if s.status == Status::Draft => buy(&ctx, &carriers, &s).await,
            Act::Void if s.voided_at.is_none() && s.shipped_at.is_none() => void(&ctx, &carriers, &s).await,
            _ => Ok(()),
        }
    }
}

fn unknown(why: String) -> Fault {
    Fault::broken(format!("the carrier's answer is not known: {why}"))
}

async fn buy(ctx: &Ctx, carriers: &Carriers, s: &Shipment) -> Result<(), Fault> {
    let sql = ctx.db.read();
    let cards = rate_cards(sql).await?;
    let bound = bound(sql, [s.parcel_id]).await?;
    let bound = bound.get(&s.parcel_id).ok_or_else(|| Fault::broken(format!("no parcel {}", s.parcel_id)))?;
    let consignment = for_carrier(&bound.consignment, &s.carrier, &cards);
    let carrier = carriers.find(&s.carrier, !consignment.rate_cards.is_empty());
    let carrier = carrier.ok_or_else(|| Fault::broken(format!("no carrier “{}”", s.carrier)))?;
    let ask = BuyAsk { shipment: s.id, key: s.id.to_string(), service: s.service.clone(), consignment };
    let answer = match carrier.buy(&ask) {
        Plan::Settled(answer) => answer,
        Plan::Call(call) => match ctx.outside.call(call).await {
            Ok(answer) => carrier.read_buy(&ask, &answer),
            Err(no) => Answer::Unknown(no.0),
        },
    };
    let now = ctx.db.now();
    let actor = Actor::of("carrier", &s.carrier);
    match answer {
        Answer::Unknown(why) => Err(unknown(why)),
        Answer::Declined(why) => db::write!(ctx.db, &actor, |tx| declined(tx, s.id, now, &why).await),
        Answer::Done(label) => db::write!(ctx.db, &actor, |tx| {
            labelled(tx, s.id, &label.tracking_number, label.cost, label.max_days).await
        }),
    }
}

/// Writes the label of a draft.
async fn labelled(
    tx: &Tx,
    id: ShipmentId,
    number: &str,
    cost: Money,
    max_days: Option<i64>,
) -> Result<(), Fault> {
    let Some(mut s) = draft(tx, id).await? else { return Ok(()) };
    s.tracking_number = number.to_owned();
    (s.cost, s.currency) = (cost.minor, cost.currency);
    s.promised_at = max_days.map(|days| s.label_at.plus(days.saturating_mul(Timestamp::DAY)));
    let text = "UPDATE shipment SET tracking_number = $1, cost = $2, currency = $3, promised_at = $4, status = 'label_purchased', version = version + 1 \
         WHERE id = $5";
    tx.exec(text, [number.into(), s.cost.into(), s.currency.into(), s.promised_at.into(), id.into()]).await?;
    tx.record(tx.now(), id, Some(s.order_id.0), purchased(&s))
}

/// Ends a draft whose label the carrier does not sell.
async fn declined(tx: &Tx, id: ShipmentId, at: Timestamp, why: &str) -> Result<(), Fault> {
    let Some(s) = draft(tx, id).await? else { return Ok(()) };
    let text = "UPDATE shipment SET voided_at = $1, status = 'voided', version = version + 1 WHERE id = $2";
    tx.exec(text, [at.into(), id.into()]).await?;
    let fact = LabelDeclined { shipment: id, order: s.order_id, carrier: s.carrier, reason: why.to_owned() };
    tx.record(at, id, Some(s.order_id.0), fact)
}

async fn draft(tx: &Tx, id: ShipmentId) -> Result<Option<Shipment>, Fault> {
    Ok(lock::shipments(tx, [id]).await?.remove(&id).filter(|s| s.status == Status::Draft))
}

async fn void(ctx: &Ctx, carriers: &Carriers, s: &Shipment) -> Result<(), Fault> {
    let cards = rate_cards(ctx.db.read()).await?;
    let carrier = carriers.find(&s.carrier, cards.iter().any(|c| c.carrier == s.carrier));
    let carrier = carrier.ok_or_else(|| Fault::broken(format!("no carrier “{}”", s.carrier)))?;
    let ask = VoidAsk { shipment: s.id, tracking_number: s.tracking_number.clone() };
    let answer = match carrier.void(&ask) {
        Plan::Settled(answer) => answer,
        Plan::Call(call) => match ctx.outside.call(call).await {
            Ok(answer) => carrier.read_void(&ask, &answer),
            Err(no) => Answer::Unknown(no.0),
        },
    };
    let actor = Actor::of("carrier", &s.carrier);
    match answer {
        Answer::Unknown(why) => Err(unknown(why)),
        Answer::Declined(why) => {
            tracing::info!(shipment = %s.id, why, "the carrier keeps the label");
            Ok(())
        }
        Answer::Done(()) => db::write!(ctx.db, &actor, |tx| {
            let found = lock::shipments(tx, [s.id]).await?.remove(&s.id);
            match found.filter(|s| s.voided_at.is_none() && s.shipped_at.is_none()) {
                Some(s) => write_void(tx, &[(tx.now(), s)]).await,
                None => Ok(()),
            }
        }),
    }
}
