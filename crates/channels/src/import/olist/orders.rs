//! A chunk of Olist orders through its stages: opening stock, placing and payments; what the sellers do; parcels; cancellations,
//! declines and returns. Invariant: the stages follow the scripts of the orders, and every command has the time the script says.

use std::collections::{BTreeMap, HashMap};

use catalog::SkuId;
use db::Tx;
use inventory::{LocationId, Receive};
use kernel::{Actor, Currency, Fault, Timestamp};
use orders::{Buyer, Cancel, OrderId, Place, Placed, WantedLine};
use payments::{FactKind, GrantRefund, OpenRecorded, PaymentId, Phase, Record, RefundTo};
use warehouse::{Accept, Ask, FulfilmentId, Reject};

use super::{SOURCE, goods};
use crate::import::account::known_orders;
use crate::import::drive::{self, broken};
use crate::import::summary::Counts;
use crate::import::take_back::{TakeBack, take_back};
use crate::olist::{Method, Order, Payment, Status, Step, contact_email};

/// What all orders of a chunk share.
pub(super) struct Chunk<'a> {
    /// When stock opens.
    pub opens_at: i64,
    pub currency: Currency,
    pub by: &'a Actor,
}

/// An order that was placed now, and its payments.
struct Live<'a> {
    order: &'a Order,
    placed: Placed,
    payments: Vec<Tendered<'a>>,
}

/// A payment, and when the script authorises and captures it.
struct Tendered<'a> {
    payment: &'a Payment,
    id: Option<PaymentId>,
    authorised_at: Option<Timestamp>,
    captured_at: Option<Timestamp>,
}

/// Ids of the locations by seller.
type Places = HashMap<String, LocationId>;
/// Ids of fulfilment orders by order and location.
type Fulfilments = HashMap<(OrderId, LocationId), FulfilmentId>;

pub(super) async fn book(
    tx: &Tx,
    chunk: &Chunk<'_>,
    orders: &[Order],
    counts: &mut Counts,
) -> Result<(), Fault> {
    let known = known_orders(tx, SOURCE, orders.iter().map(|o| o.reference.as_str())).await?;
    let new: Vec<&Order> = orders.iter().filter(|o| !known.contains(&o.reference)).collect();
    counts.orders_known += (orders.len() - new.len()) as u64;
    if new.is_empty() {
        return Ok(());
    }
    let lines = || new.iter().flat_map(|order| &order.lines);
    let places: Places = drive::locations(tx, lines().map(|line| line.seller.as_str())).await?;
    let skus = drive::skus(tx, lines().map(|line| line.sku.as_str())).await?;
    let opening = opening(chunk, &new, &places, &skus);
    drive::receive(tx, &opening, counts).await?;
    let mut live = place(tx, chunk, &new, &places, counts).await?;
    pay(tx, chunk, &mut live, counts).await?;
    // The warehouse makes fulfilment orders now, and payments release the holds. Stock that came in above is promised by then: what
    // waits from before does not get what these orders took.
    tx.settle().await?;
    let ids: Vec<OrderId> = live.iter().map(|l| l.placed.id).collect();
    let fulfilments: Fulfilments = drive::fulfilments(tx, &ids).await?;
    ask(tx, &live, &places, &fulfilments).await?;
    let parcels = parcels(&live, &places, &fulfilments)?;
    drive::pack_and_ship(tx, parcels, SOURCE, chunk.currency, counts).await?;
    tx.settle().await?;
    cancel(tx, &live, counts).await?;
    decline(tx, &live, &places, &fulfilments, counts).await?;
    give_back(tx, chunk, &live, &places, counts).await?;
    write_notes(tx, chunk, &live, counts).await
}

/// What the orders take from each seller. An order that ends unavailable has its units when it is placed, and loses them when the seller
/// declines; all others were there from the beginning.
fn opening(
    chunk: &Chunk<'_>,
    orders: &[&Order],
    places: &Places,
    skus: &HashMap<String, SkuId>,
) -> Vec<Receive> {
    let mut needed: BTreeMap<(i64, SkuId, LocationId), i64> = BTreeMap::new();
    for order in orders {
        let at = if order.status == Status::Unavailable { order.placed_at } else { chunk.opens_at };
        for line in &order.lines {
            if let (Some(sku), Some(location)) = (skus.get(&line.sku), places.get(&line.seller)) {
                *needed.entry((at, *sku, *location)).or_default() += line.quantity;
            }
        }
    }
    let receive = |((at, sku, location), quantity)| Receive {
        at: Timestamp(at),
        sku,
        location,
        quantity,
        unit_cost: 0,
        reference: Some("opening stock".to_owned()),
    };
    needed.into_iter().map(receive).collect()
}

fn wanted(chunk: &Chunk<'_>, order: &Order, places: &Places) -> Place {
    let adjustment = order.adjustment.map_or(0, |a| a.amount);
    let line = |line: &crate::olist::Line| WantedLine {
        sku: line.sku.clone(),
        quantity: line.quantity,
        unit_price: Some(line.unit_price),
        discount: 0,
        tax_rate_ppm: Some(0),
        location: places.get(&line.seller).copied(),
    };
    Place {
        buyer: Buyer {
            name: goods::name(&order.customer),
            email: Some(contact_email(&order.customer)),
            ..Buyer::default()
        },
        ship_to: goods::ship_to(&order.customer, &order.ship_to),
        lines: order.lines.iter().map(line).collect(),
        shipping: order.freight(),
        fee: adjustment.max(0),
        discount: (-adjustment).max(0),
        promised_at: Some(Timestamp(order.promised_by)),
        ..drive::history(order.placed_at, chunk.by, SOURCE, &order.reference, chunk.currency)
    }
}

async fn place<'a>(
    tx: &Tx,
    chunk: &Chunk<'_>,
    orders: &[&'a Order],
    places: &Places,
    counts: &mut Counts,
) -> Result<Vec<Live<'a>>, Fault> {
    let batch: Vec<Place> = orders.iter().map(|order| wanted(chunk, order, places)).collect();
    let placed = drive::place(tx, &batch, counts).await?;
    let live = |(order, placed): (&&'a Order, Option<Placed>)| {
        Some(Live { order, placed: placed?, payments: tenders(order) })
    };
    Ok(orders.iter().zip(placed).filter_map(live).collect())
}

fn tenders(order: &Order) -> Vec<Tendered<'_>> {
    let none = |payment| Tendered { payment, id: None, authorised_at: None, captured_at: None };
    let mut tenders: Vec<Tendered<'_>> = order.payments.iter().map(none).collect();
    for step in &order.steps {
        match *step {
            Step::Authorise { at, payment } => tenders[payment].authorised_at = Some(Timestamp(at)),
            Step::Capture { at, payment } => tenders[payment].captured_at = Some(Timestamp(at)),
            _ => {}
        }
    }
    tenders
}

fn method(method: Method) -> &'static str {
    match method {
        Method::CreditCard => "credit_card",
        Method::DebitCard => "debit_card",
        Method::Boleto => "boleto",
        Method::Voucher => "voucher",
    }
}

async fn pay(tx: &Tx, chunk: &Chunk<'_>, live: &mut [Live<'_>], counts: &mut Counts) -> Result<(), Fault> {
    let customers = drive::customers_of(tx, live.iter().map(|l| l.placed.id)).await?;
    let mut opens = Vec::new();
    for l in live.iter() {
        let customer = customers.get(&l.placed.id).copied();
        let customer = customer.ok_or_else(|| Fault::broken("a placed order without its customer"))?;
        for tender in &l.payments {
            opens.push(OpenRecorded {
                at: Timestamp(l.order.placed_at),
                order: l.placed.id.0,
                customer,
                gateway: SOURCE.to_owned(),
                method: method(tender.payment.method).to_owned(),
                currency: chunk.currency,
                amount: tender.payment.value,
                reference: Some(format!("{}-{}", l.order.reference, tender.payment.sequence)),
                captured_at: tender.captured_at,
                authorised_at: tender.authorised_at,
            });
            counts.payments += 1;
            counts.captured += tender.captured_at.map_or(0, |_| tender.payment.value);
        }
    }
    let mut ids = payments::open_recorded(tx, &opens).await?.into_iter();
    for tender in live.iter_mut().flat_map(|l| &mut l.payments) {
        tender.id = ids.next();
    }
    Ok(())
}

/// The fulfilment order of a parcel of the plan.
fn fulfilment(
    l: &Live<'_>,
    parcel: usize,
    places: &Places,
    fulfilments: &Fulfilments,
) -> Result<FulfilmentId, Fault> {
    let place = l.order.parcels.get(parcel).and_then(|parcel| places.get(&parcel.seller));
    let found = place.and_then(|place| fulfilments.get(&(l.placed.id, *place))).copied();
    found.ok_or_else(|| {
        Fault::broken(format!("parcel {parcel} of {} has no fulfilment order", l.order.reference))
    })
}

/// Sellers are asked to ship, and most accept.
async fn ask(tx: &Tx, live: &[Live<'_>], places: &Places, fulfilments: &Fulfilments) -> Result<(), Fault> {
    let (mut asks, mut accepts) = (Vec::new(), Vec::new());
    for l in live {
        for step in &l.order.steps {
            match *step {
                Step::RequestDropship { at, parcel } => {
                    let fulfilment = fulfilment(l, parcel, places, fulfilments)?;
                    asks.push(Ask { at: Timestamp(at), fulfilment });
                }
                Step::Accept { at, parcel } => {
                    let fulfilment = fulfilment(l, parcel, places, fulfilments)?;
                    accepts.push(Accept { at: Timestamp(at), fulfilment });
                }
                _ => {}
            }
        }
    }
    for outcome in warehouse::request(tx, &asks).await? {
        outcome.map_err(|refused| broken("ask a seller", &refused))?;
    }
    for outcome in warehouse::accept(tx, &accepts).await? {
        outcome.map_err(|refused| broken("note that a seller accepts", &refused))?;
    }
    Ok(())
}

fn parcels(
    live: &[Live<'_>],
    places: &Places,
    fulfilments: &Fulfilments,
) -> Result<Vec<drive::Parcel>, Fault> {
    let mut parcels = Vec::new();
    for l in live {
        let mut mine: BTreeMap<usize, drive::Parcel> = BTreeMap::new();
        for step in &l.order.steps {
            match *step {
                Step::Pack { at, parcel } => {
                    let fulfilment = fulfilment(l, parcel, places, fulfilments)?;
                    let packed =
                        drive::Parcel { at: Timestamp(at), fulfilment, shipped: None, delivered_at: None };
                    mine.insert(parcel, packed);
                }
                Step::Ship { at, parcel } => {
                    let number = format!("{}-{}", l.order.reference, parcel + 1);
                    mine.entry(parcel).and_modify(|p| p.shipped = Some((Timestamp(at), number)));
                }
                Step::Deliver { at, parcel } => {
                    mine.entry(parcel).and_modify(|p| p.delivered_at = Some(Timestamp(at)));
                }
                _ => {}
            }
        }
        parcels.extend(mine.into_values());
    }
    Ok(parcels)
}

/// Cancellations before hand-over. What was only set aside is let go and what was captured went back: both happened long ago, so no
/// gateway is asked.
async fn cancel(tx: &Tx, live: &[Live<'_>], counts: &mut Counts) -> Result<(), Fault> {
    let (mut facts, mut cancels, mut refunds) = (Vec::new(), Vec::new(), Vec::new());
    for l in live {
        let at =
            l.order.steps.iter().find_map(|s| matches!(s, Step::Cancel { .. }).then(|| Timestamp(s.at())));
        let Some(at) = at else { continue };
        let reason = "Cancelled at the marketplace.".to_owned();
        let captured: i64 =
            l.payments.iter().filter(|t| t.captured_at.is_some()).map(|t| t.payment.value).sum();
        facts.extend(l.payments.iter().filter(|t| t.captured_at.is_none()).filter_map(|t| let_go(at, t)));
        cancels.push(Cancel {
            at,
            order: l.placed.id,
            lines: Vec::new(),
            reason: reason.clone(),
            refund: false,
        });
        if captured > 0 {
            let (order, return_id, to) = (l.placed.id.0, None, RefundTo::Tenders);
            refunds.push(GrantRefund { at, order, return_id, amount: captured, reason, to, recorded: true });
            counts.refunded += captured;
        }
    }
    if cancels.is_empty() {
        return Ok(());
    }
    payments::record(tx, &facts).await?;
    for outcome in orders::cancel(tx, &cancels).await? {
        outcome.map_err(|refused| broken("cancel an order of history", &refused))?;
        counts.cancelled += 1;
    }
    for outcome in payments::grant_refunds(tx, &refunds).await? {
        outcome.map_err(|refused| broken("refund an order of history", &refused))?;
    }
    tx.settle().await
}

/// An authorisation is voided; a slip that nobody paid expires.
fn let_go(at: Timestamp, tender: &Tendered<'_>) -> Option<Record> {
    let kind = if tender.authorised_at.is_some() { FactKind::Void } else { FactKind::Expire };
    Some(Record {
        at,
        payment: tender.id?,
        operation: None,
        kind,
        phase: Phase::Succeeded,
        amount: tender.payment.value,
        gateway_reference: format!("cancelled-{}", tender.payment.sequence),
        detail: None,
    })
}

async fn decline(
    tx: &Tx,
    live: &[Live<'_>],
    places: &Places,
    fulfilments: &Fulfilments,
    counts: &mut Counts,
) -> Result<(), Fault> {
    let mut rejects = Vec::new();
    for l in live {
        let before = rejects.len();
        for step in &l.order.steps {
            if let Step::Decline { at, parcel } = *step {
                let fulfilment = fulfilment(l, parcel, places, fulfilments)?;
                let reason = "The seller has none left.".to_owned();
                rejects.push(Reject { at: Timestamp(at), fulfilment, reason });
            }
        }
        counts.orders_waiting += u64::from(rejects.len() > before);
    }
    if rejects.is_empty() {
        return Ok(());
    }
    for outcome in warehouse::reject(tx, &rejects).await? {
        outcome.map_err(|refused| broken("note that a seller declines", &refused))?;
    }
    tx.settle().await
}

/// Cancellations after hand-over: everything comes back to its seller, and all money to the customer.
async fn give_back(
    tx: &Tx,
    chunk: &Chunk<'_>,
    live: &[Live<'_>],
    places: &Places,
    counts: &mut Counts,
) -> Result<(), Fault> {
    let mut back = Vec::new();
    for l in live {
        let at =
            l.order.steps.iter().find_map(|s| matches!(s, Step::Return { .. }).then(|| Timestamp(s.at())));
        let Some(at) = at else { continue };
        let mut lines = Vec::with_capacity(l.order.lines.len());
        for (line, id) in l.order.lines.iter().zip(&l.placed.lines) {
            let place = places.get(&line.seller).copied();
            lines.push((
                *id,
                line.quantity,
                place.ok_or_else(|| Fault::broken("a seller without location"))?,
            ));
        }
        let note = "Cancelled at the marketplace after hand-over.".to_owned();
        back.push(TakeBack { at, order: l.placed.id, lines, shipping: true, note });
    }
    for outcome in take_back(tx, chunk.by, &back, counts).await? {
        outcome.map_err(|why| Fault::broken(format!("take an order of history back: {why}")))?;
    }
    Ok(())
}

async fn write_notes(
    tx: &Tx,
    chunk: &Chunk<'_>,
    live: &[Live<'_>],
    counts: &mut Counts,
) -> Result<(), Fault> {
    let note = |l: &Live<'_>, note: &crate::olist::Note| orders::Note {
        at: Timestamp(l.order.placed_at),
        order: l.placed.id,
        text: note.to_string(),
        by: chunk.by.clone(),
    };
    let notes: Vec<orders::Note> =
        live.iter().flat_map(|l| l.order.notes.iter().map(|n| note(l, n))).collect();
    for outcome in orders::note(tx, &notes).await? {
        outcome.map_err(|refused| broken("write a note on an order", &refused))?;
        counts.notes += 1;
    }
    Ok(())
}
