//! Two weeks, day by day: orders come in, money arrives, parcels leave and arrive, some come back. Invariant: what a day does follows from
//! the script and from what the shop itself says is open.

use super::script::{BUYERS, DAYS, Fate, Pay, Script, orders};
use super::{Shop, goods, granted};
use crate::Failure;
use kernel::{Currency, Fault, Timestamp};
use orders::{Buyer, Cancel, Hold, HoldKind, IfOutOfStock, OrderId, Place, Tender, Trust, WantedLine};
use payments::Confirm;
use returns::{
    Acceptance, Approve, Disposition, Exchange, Inspect, Reason, Receive, Reception, RequestReturn,
    Resolution, ReturnId, ReturnWish, Settle,
};
use shipping::{BuyLabel, Carriers, Ship, Shipment, Track};
use std::collections::HashMap;
use warehouse::{Accept, Ask, Executor, Fulfilment, Pack, ParcelId, Pick, Release, What};

/// An order that was placed, and its script.
struct Case {
    script: Script,
    order: OrderId,
    return_asked: Option<(i64, ReturnId)>,
    settled: bool,
}

/// Lives all days; the first begins at `opened`.
///
/// # Errors
/// Faults; a refusal is one too.
pub async fn live(shop: &Shop, opened: Timestamp) -> Result<(), Failure> {
    let scripts = orders();
    let mut cases: Vec<Case> = Vec::new();
    for day in 0..DAYS {
        let morning = opened.plus(day * Timestamp::DAY);
        shop.wait_until(morning);
        if day == 9 {
            goods::restock(shop).await?;
        }
        money_arrives(shop, &cases, day).await?;
        let today: Vec<Script> = scripts.iter().filter(|s| s.day == day).cloned().collect();
        let placed = place(shop, &today, morning).await?;
        cases.extend(today.into_iter().zip(placed).map(|(script, order)| Case {
            script,
            order,
            return_asked: None,
            settled: false,
        }));
        shop.wait_until(morning.plus(6 * Timestamp::HOUR));
        shop.work().await?;
        think_again(shop, &cases, day).await?;
        track(shop, &cases).await?;
        fulfil(shop, &cases, day).await?;
        give_back(shop, &mut cases, day).await?;
        shop.wait_until(morning.plus(9 * Timestamp::HOUR));
        shop.work().await?;
    }
    Ok(())
}

async fn place(shop: &Shop, today: &[Script], morning: Timestamp) -> Result<Vec<OrderId>, Failure> {
    let currency: Currency = "EUR".parse().map_err(Fault::from)?;
    let wanted: Vec<Place> = today.iter().map(|s| wanted(shop, s, morning, currency)).collect();
    if let Some(last) = wanted.last() {
        shop.wait_until(last.at);
    }
    let placed = granted(db::write!(shop.ctx.db, &shop.actor, |tx| orders::place(tx, &wanted).await)?)?;
    Ok(placed.into_iter().map(|p| p.id).collect())
}

fn wanted(shop: &Shop, s: &Script, morning: Timestamp, currency: Currency) -> Place {
    let (name, line1, postal_code, city, country) = BUYERS[s.buyer];
    let user: String = name
        .to_lowercase()
        .chars()
        .map(|c| if c == ' ' { '.' } else { c })
        .filter(|c| c.is_ascii_alphabetic() || *c == '.')
        .collect();
    Place {
        at: morning.plus(s.minute * Timestamp::MINUTE),
        by: shop.actor.clone(),
        key: None,
        channel: if s.minute % 3 == 0 { "manual" } else { "api" }.into(),
        reference: None,
        buyer: Buyer { name: name.into(), email: Some(format!("{user}@example.com")), phone: None, ip: None },
        ship_to: goods::address(name, line1, postal_code, city, country),
        ship_to_geo: None,
        bill_to: None,
        currency,
        tax_inclusive: true,
        lines: s
            .lines
            .iter()
            .map(|(sku, quantity)| WantedLine {
                sku: (*sku).into(),
                quantity: *quantity,
                unit_price: None,
                discount: 0,
                tax_rate_ppm: None,
                location: None,
            })
            .collect(),
        discount: 0,
        shipping: if s.express { 1290 } else { 490 },
        shipping_tax_ppm: None,
        fee: 0,
        if_out_of_stock: IfOutOfStock::Backorder,
        tenders: tenders(s),
        pay_later: false,
        express: s.express,
        gift_note: s.gift_note.map(str::to_owned),
        note: None,
        tags: Vec::new(),
        promised_at: None,
        reservation: None,
        exchange_of: None,
        trust: Trust::Check,
    }
}

fn tenders(s: &Script) -> Vec<Tender> {
    let tender = |gateway: &str, method: &str, token: Option<&str>, amount| Tender {
        gateway: gateway.into(),
        method: method.into(),
        token: token.map(str::to_owned),
        amount,
        capture: false,
        paid_at: None,
        reference: None,
    };
    let card = |amount| tender("sandbox", "card", Some("tok_ok"), amount);
    match s.pay {
        Pay::Card => vec![card(None)],
        Pay::Declined => vec![tender("sandbox", "card", Some("tok_declined"), None)],
        Pay::Transfer | Pay::NoTransfer => vec![tender("manual", "bank_transfer", None, None)],
        Pay::TwoCards => vec![card(Some(2000)), card(None)],
        Pay::OnDelivery => vec![tender("manual", "cod", None, None)],
    }
}

/// Transfers arrive a day after the order, cash when the parcel is there.
async fn money_arrives(shop: &Shop, cases: &[Case], day: i64) -> Result<(), Failure> {
    let at = shop.now();
    let ids: Vec<OrderId> = cases.iter().map(|c| c.order).collect();
    let rows = orders::read::orders_by_id(shop.ctx.db.read(), &ids).await?;
    let due: Vec<i64> = cases
        .iter()
        .filter(|c| match c.script.pay {
            Pay::Transfer => c.script.day + 1 == day,
            Pay::OnDelivery => {
                rows.get(&c.order).is_some_and(|o| o.units_delivered == o.units && o.captured == 0)
            }
            _ => false,
        })
        .map(|c| c.order.0)
        .collect();
    let payments = payments::payments_of(shop.ctx.db.read(), &due).await?;
    let confirm = |p: &payments::Payment| Confirm {
        at,
        payment: p.id,
        amount: Some(p.amount),
        reference: format!("statement {day}, {}", p.id),
    };
    let arrived: Vec<Confirm> = payments.values().flatten().map(confirm).collect();
    granted(db::write!(shop.ctx.db, &shop.actor, |tx| payments::confirm(tx, &arrived).await)?)?;
    Ok(())
}

/// Customers who change their mind, and ours who want to look first.
async fn think_again(shop: &Shop, cases: &[Case], day: i64) -> Result<(), Failure> {
    let at = shop.now();
    let today = |fate| cases.iter().filter(move |c| c.script.day == day && c.script.fate == fate);
    let cancels: Vec<Cancel> = today(Fate::Cancelled)
        .map(|c| Cancel {
            at,
            order: c.order,
            lines: Vec::new(),
            reason: "Ordered the wrong cups".into(),
            refund: true,
        })
        .collect();
    let by = &shop.actor;
    let holds: Vec<Hold> = today(Fate::OnHold)
        .map(|c| Hold {
            at,
            order: c.order,
            kind: HoldKind::CustomerRequest,
            reason: "On holiday until Monday".into(),
            by: by.clone(),
        })
        .collect();
    granted(db::write!(shop.ctx.db, by, |tx| orders::cancel(tx, &cancels).await)?)?;
    granted(db::write!(shop.ctx.db, by, |tx| orders::hold(tx, &holds).await)?)?;
    Ok(())
}

/// What is ready and shall leave (or get as far as its fate says): the day after it was ordered, express on the same day.
async fn fulfil(shop: &Shop, cases: &[Case], day: i64) -> Result<(), Failure> {
    let due = |c: &&Case| c.script.fate.fulfils() && (c.script.day < day || c.script.express);
    let fates: HashMap<OrderId, Fate> = cases.iter().filter(due).map(|c| (c.order, c.script.fate)).collect();
    let ids: Vec<OrderId> = fates.keys().copied().collect();
    let found = warehouse::fulfilments_of(shop.ctx.db.read(), &ids).await?;
    let mut open: Vec<&Fulfilment> =
        found.values().flatten().filter(|f| !f.on_hold && f.shipped == 0 && f.open() > 0).collect();
    open.sort_by_key(|f| f.id);
    let reaches = |f: &Fulfilment, fate: Fate| fates.get(&f.order).is_some_and(|known| *known >= fate);

    let (ours, others): (Vec<&Fulfilment>, Vec<&Fulfilment>) =
        open.iter().partition(|f| f.executor == Executor::Own);
    pick(shop, &ours).await?;
    let (at, by) = (shop.now(), &shop.actor);
    let asks: Vec<Ask> = others.iter().map(|f| Ask { at, fulfilment: f.id }).collect();
    let accepts: Vec<Accept> = others.iter().map(|f| Accept { at, fulfilment: f.id }).collect();
    granted(db::write!(shop.ctx.db, by, |tx| warehouse::request(tx, &asks).await)?)?;
    granted(db::write!(shop.ctx.db, by, |tx| warehouse::accept(tx, &accepts).await)?)?;

    let packed: Vec<&Fulfilment> = open.into_iter().filter(|f| reaches(f, Fate::Packed)).collect();
    let packs: Vec<Pack> = packed
        .iter()
        .map(|f| Pack { at, fulfilment: f.id, lines: Vec::new(), weight_g: None, dims: None, by: by.clone() })
        .collect();
    let parcels = granted(db::write!(shop.ctx.db, by, |tx| warehouse::pack(tx, &packs).await)?)?;
    let going: Vec<(&Fulfilment, ParcelId)> =
        packed.into_iter().zip(parcels).filter(|(f, _)| reaches(f, Fate::Labelled)).collect();
    let bought = buy_labels(shop, &going).await?;
    let leaves: Vec<Ship> = bought
        .iter()
        .zip(&going)
        .filter(|(_, (f, _))| reaches(f, Fate::Shipped))
        .map(|(s, _)| Ship { at, shipment: s.id })
        .collect();
    granted(db::write!(shop.ctx.db, by, |tx| shipping::ship(tx, &leaves).await)?)?;
    Ok(())
}

async fn pick(shop: &Shop, ours: &[&Fulfilment]) -> Result<(), Failure> {
    let (at, by) = (shop.now(), &shop.actor);
    let releases: Vec<Release> = ours.iter().map(|f| Release { at, fulfilment: f.id }).collect();
    let picks: Vec<Pick> = ours
        .iter()
        .flat_map(|f| f.lines.iter().filter(|l| l.open() > 0))
        .map(|l| Pick { at, fulfilment: l.fulfilment, what: What::Line(l.id), quantity: l.open() })
        .collect();
    granted(db::write!(shop.ctx.db, by, |tx| warehouse::release(tx, &releases).await)?)?;
    granted(db::write!(shop.ctx.db, by, |tx| warehouse::pick(tx, &picks).await)?)?;
    Ok(())
}

async fn buy_labels(shop: &Shop, going: &[(&Fulfilment, ParcelId)]) -> Result<Vec<Shipment>, Failure> {
    let at = shop.now();
    let labels: Vec<BuyLabel> = going
        .iter()
        .map(|(f, parcel)| {
            let (carrier, service) = if f.priority > 0 { ("swift", "express") } else { ("post", "parcel") };
            BuyLabel { at, parcel: *parcel, carrier: carrier.into(), service: service.into() }
        })
        .collect();
    let carriers = shop.ctx.parts.get::<Carriers>()?;
    granted(db::write!(shop.ctx.db, &shop.actor, |tx| shipping::buy_label(tx, &carriers, &labels).await)?)
}

/// What the carriers say: on its way after a day, there (or lost) after two.
async fn track(shop: &Shop, cases: &[Case]) -> Result<(), Failure> {
    let at = shop.now();
    let ids: Vec<OrderId> = cases.iter().map(|c| c.order).collect();
    let shipments = shipping::shipments_of(shop.ctx.db.read(), &ids).await?;
    let mut told = Vec::new();
    for case in cases {
        for s in shipments.get(&case.order).into_iter().flatten() {
            let Some(shipped) = s.shipped_at.filter(|_| s.delivered_at.is_none() && s.lost_at.is_none())
            else {
                continue;
            };
            let days = (at.0 - shipped.0) / Timestamp::DAY;
            let (status, text) = match (days, case.script.fate) {
                (0, _) => continue,
                (1, _) | (_, Fate::Shipped) => (shipping::Status::InTransit, "Sorted"),
                (_, Fate::Lost) => (shipping::Status::Lost, "Cannot be found"),
                _ => (shipping::Status::Delivered, "Handed to the recipient"),
            };
            let source_id = format!("{}-{status}", s.tracking_number);
            told.push(Track {
                at,
                shipment: s.id,
                source_id,
                status,
                place: None,
                description: Some(text.into()),
            });
        }
    }
    granted(db::write!(shop.ctx.db, &shop.actor, |tx| shipping::track(tx, &told).await)?)?;
    Ok(())
}

/// Returns are asked for the day after delivery, and come in the day after that.
async fn give_back(shop: &Shop, cases: &mut [Case], day: i64) -> Result<(), Failure> {
    let (at, by) = (shop.now(), &shop.actor);
    let ids: Vec<OrderId> = cases.iter().filter(|c| c.script.fate.returns()).map(|c| c.order).collect();
    let rows = orders::read::orders_by_id(shop.ctx.db.read(), &ids).await?;
    let lines = orders::read::lines_of(shop.ctx.db.read(), &ids).await?;
    for case in cases.iter_mut().filter(|c| c.script.fate.returns()) {
        let there = rows.get(&case.order).is_some_and(|o| o.units_delivered == o.units);
        match case.return_asked {
            None if there => {
                let wish = |l: &orders::LineRow| ReturnWish {
                    line: l.id,
                    quantity: 1,
                    reason: Reason::ChangedMind,
                    comment: None,
                };
                let request = RequestReturn {
                    at,
                    order: case.order,
                    units: lines.get(&case.order).into_iter().flatten().take(1).map(wish).collect(),
                    resolution: resolution(case.script.fate),
                    refund_shipping: false,
                    override_window: false,
                    note: None,
                };
                let asked =
                    db::write!(shop.ctx.db, by, |tx| returns::request(tx, std::slice::from_ref(&request))
                        .await)?;
                case.return_asked = granted(asked)?.first().map(|r| (day, r.id));
            }
            Some((asked, return_id))
                if asked < day && !case.settled && case.script.fate != Fate::ReturnAsked =>
            {
                come_in(shop, case.script.fate, return_id).await?;
                case.settled = true;
            }
            _ => {}
        }
    }
    Ok(())
}

fn resolution(fate: Fate) -> Resolution {
    match fate {
        Fate::Credited => Resolution::StoreCredit,
        Fate::Exchanged => Resolution::Exchange,
        _ => Resolution::Refund,
    }
}

async fn come_in(shop: &Shop, fate: Fate, return_id: ReturnId) -> Result<(), Failure> {
    let (at, by, location) = (shop.now(), &shop.actor, shop.location(goods::HAMBURG)?);
    let line = WantedLine {
        sku: "MUG-SAND".into(),
        quantity: 1,
        unit_price: None,
        discount: 0,
        tax_rate_ppm: None,
        location: None,
    };
    let exchange = (fate == Fate::Exchanged).then(|| Exchange { lines: vec![line], ..Exchange::default() });
    let approve = [Approve { at, return_id }];
    let receive = [Receive { at, return_id, units: Vec::new(), location, reception: Reception::Received }];
    let inspect = [Inspect {
        at,
        return_id,
        units: Vec::new(),
        acceptance: Acceptance::Accepted,
        disposition: Some(Disposition::Restock),
        location: None,
    }];
    let settle = [Settle { at, by: by.clone(), return_id, resolution: None, exchange, recorded: false }];
    granted(db::write!(shop.ctx.db, by, |tx| returns::approve(tx, &approve).await)?)?;
    granted(db::write!(shop.ctx.db, by, |tx| returns::receive(tx, &receive).await)?)?;
    granted(db::write!(shop.ctx.db, by, |tx| returns::inspect(tx, &inspect).await)?)?;
    granted(db::write!(shop.ctx.db, by, |tx| returns::settle(tx, &settle).await)?)?;
    Ok(())
}
