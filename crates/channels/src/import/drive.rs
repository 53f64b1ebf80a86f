//! The stages that every import drives its orders through, set-based: stock, placing, payments, parcels. Invariant: a stage is one call
//! of a command for all orders of the chunk, at the historic time of each; refusals of placing are counted, refusals later are faults,
//! because what was placed from a consistent plan can go on.

use std::collections::HashMap;

use catalog::SkuId;
use contact::address::Address;
use customers::CustomerId;
use db::{FromRow, Rows, Tx};
use inventory::{LocationId, Receive};
use kernel::{Actor, Currency, Fault, Refuse, Timestamp};
use orders::{Buyer, IfOutOfStock, OrderId, Place, Placed, Trust};
use warehouse::{FulfilRecorded, Fulfilment, FulfilmentId};

use super::summary::Counts;

/// An order of history, to complete with struct update syntax.
pub(super) fn history(at: i64, by: &Actor, channel: &str, reference: &str, currency: Currency) -> Place {
    Place {
        at: Timestamp(at),
        by: by.clone(),
        key: None,
        channel: channel.to_owned(),
        reference: Some(reference.to_owned()),
        buyer: Buyer::default(),
        ship_to: Address::default(),
        ship_to_geo: None,
        bill_to: None,
        currency,
        tax_inclusive: true,
        lines: Vec::new(),
        discount: 0,
        shipping: 0,
        shipping_tax_ppm: Some(0),
        fee: 0,
        if_out_of_stock: IfOutOfStock::Refuse,
        tenders: Vec::new(),
        pay_later: false,
        express: false,
        gift_note: None,
        note: None,
        tags: Vec::new(),
        promised_at: None,
        reservation: None,
        exchange_of: None,
        trust: Trust::History,
    }
}

/// A contact as customers are found by: the e-mail in canonical form.
pub(super) fn contact(at: i64, name: String, email: &str, address: Address) -> customers::Contact {
    let email = contact::email::email(email).ok();
    customers::Contact {
        at: Timestamp(at),
        name,
        email_key: email.as_ref().map(|e| e.key.clone()),
        email: email.map(|e| e.address),
        phone: None,
        address: Some(address),
    }
}

/// Places orders; what was placed now, in order of the batch. Those that were there and those refused are counted and left out.
pub(super) async fn place(
    tx: &Tx,
    batch: &[Place],
    counts: &mut Counts,
) -> Result<Vec<Option<Placed>>, Fault> {
    let mut placed = Vec::with_capacity(batch.len());
    for (want, outcome) in batch.iter().zip(orders::place(tx, batch).await?) {
        placed.push(match outcome {
            Ok(order) if order.existing => {
                counts.orders_known += 1;
                None
            }
            Ok(order) => {
                counts.orders += 1;
                counts.charged += order.total.minor;
                counts.orders_waiting += u64::from(order.backordered > 0);
                Some(order)
            }
            Err(refused) => {
                counts.refuse(want.reference.as_deref().unwrap_or_default(), refused);
                None
            }
        });
    }
    Ok(placed)
}

#[derive(FromRow)]
struct Owner {
    id: OrderId,
    customer_id: CustomerId,
}

/// Whose the orders are.
pub(super) async fn customers_of(
    tx: &Tx,
    orders: impl Iterator<Item = OrderId>,
) -> Result<HashMap<OrderId, CustomerId>, Fault> {
    let mut input = Rows::new("id BIGINT");
    for order in orders {
        input.push([order.into()]);
    }
    let text = "SELECT o.id, o.customer_id FROM input JOIN orders o ON o.id = input.id";
    let rows: Vec<Owner> = tx.all_from(&input, text, []).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.customer_id)).collect())
}

#[derive(FromRow)]
struct Coded {
    code: String,
    id: i64,
}

async fn by_code(
    tx: &Tx,
    text: &str,
    codes: impl Iterator<Item = &str>,
) -> Result<Vec<(String, i64)>, Fault> {
    let mut codes: Vec<&str> = codes.collect();
    codes.sort_unstable();
    codes.dedup();
    let mut input = Rows::new("code TEXT");
    for code in codes {
        input.push([code.into()]);
    }
    let rows: Vec<Coded> = tx.all_from(&input, text, []).await?;
    Ok(rows.into_iter().map(|row| (row.code, row.id)).collect())
}

/// Ids of the locations with these codes, where they exist.
pub(super) async fn locations(
    tx: &Tx,
    codes: impl Iterator<Item = &str>,
) -> Result<HashMap<String, LocationId>, Fault> {
    let text = "SELECT l.code, l.id FROM input JOIN location l ON l.code = input.code";
    Ok(by_code(tx, text, codes).await?.into_iter().map(|(code, id)| (code, LocationId(id))).collect())
}

/// Ids of the SKUs with these codes, where they exist.
pub(super) async fn skus(
    tx: &Tx,
    codes: impl Iterator<Item = &str>,
) -> Result<HashMap<String, SkuId>, Fault> {
    let text = "SELECT s.code, s.id FROM input JOIN sku s ON s.code = input.code";
    Ok(by_code(tx, text, codes).await?.into_iter().map(|(code, id)| (code, SkuId(id))).collect())
}

/// Receives stock that history presupposes.
pub(super) async fn receive(tx: &Tx, batch: &[Receive], counts: &mut Counts) -> Result<(), Fault> {
    if batch.is_empty() {
        return Ok(());
    }
    // Refused is what has no stock of its own, because the merchant made it a bundle or a service: its orders will say so.
    let taken = batch.iter().zip(inventory::receive(tx, batch).await?).filter(|(_, outcome)| outcome.is_ok());
    counts.units_received += taken.map(|(want, _)| want.quantity).sum::<i64>();
    Ok(())
}

/// The fulfilment orders of orders by location. The reactions to placing must have run.
pub(super) async fn fulfilments(
    tx: &Tx,
    orders: &[OrderId],
) -> Result<HashMap<(OrderId, LocationId), FulfilmentId>, Fault> {
    let found: HashMap<OrderId, Vec<Fulfilment>> = warehouse::fulfilments_of(tx, orders).await?;
    Ok(found.into_values().flatten().map(|f| ((f.order, f.location), f.id)).collect())
}

/// A parcel of history.
#[derive(Debug, Clone)]
pub(super) struct Parcel {
    /// When it was packed.
    pub at: Timestamp,
    /// What it was packed from.
    pub fulfilment: FulfilmentId,
    /// When it left, and under which number; it may not have.
    pub shipped: Option<(Timestamp, String)>,
    /// When it arrived.
    pub delivered_at: Option<Timestamp>,
}

/// Packs and ships.
pub(super) async fn pack_and_ship(
    tx: &Tx,
    parcels: Vec<Parcel>,
    carrier: &str,
    currency: Currency,
    counts: &mut Counts,
) -> Result<(), Fault> {
    if parcels.is_empty() {
        return Ok(());
    }
    let packs: Vec<FulfilRecorded> =
        parcels.iter().map(|p| FulfilRecorded { at: p.at, fulfilment: p.fulfilment }).collect();
    let ids = warehouse::fulfil_recorded(tx, &packs).await?;
    let ship = |(parcel, id): (Parcel, warehouse::ParcelId)| {
        let (at, tracking_number) = parcel.shipped?;
        Some(shipping::ShipRecorded {
            parcel: id,
            carrier: carrier.to_owned(),
            service: "recorded".to_owned(),
            tracking_number,
            label_at: at,
            shipped_at: at,
            delivered_at: parcel.delivered_at,
            cost: 0,
            currency,
        })
    };
    let ships: Vec<shipping::ShipRecorded> = parcels.into_iter().zip(ids).filter_map(ship).collect();
    if !ships.is_empty() {
        counts.parcels += shipping::ship_recorded(tx, &ships).await?.len() as u64;
    }
    Ok(())
}

/// A refusal of a command that history cannot meet.
pub(super) fn broken(what: &str, refused: &impl Refuse) -> Fault {
    Fault::broken(format!("{what}: {refused} ({})", refused.code()))
}
