//! Writing accepted orders: customers, tenders, holds, rows, stock, events. One statement per table.

use super::{Draft, Outcome, Place, Placed, Trust};
use crate::events::{
    AllocatedPart, LineUnits, OrderAllocated, OrderBackordered, OrderHeld, OrderPlaced, PlacedLine,
};
use crate::model::{HoldKind, LineId, OrderId};
use customers::{CustomerId, People};
use db::{Rows, Tx};
use inventory::{Move, MoveKind};
use kernel::{Currency, Fault, Money};
use risk::{Assessment, Signals};

mod screen;

/// A draft with its ids.
pub(crate) struct Numbered {
    pub draft: Draft,
    pub id: OrderId,
    pub number: String,
    pub customer: CustomerId,
    pub lines: Vec<LineId>,
    pub fingerprint: String,
    pub holds: Vec<(HoldKind, String)>,
    pub assessment: Option<Assessment>,
}

/// What the tenders are worth the moment they are opened: authorised (or taken), and taken. The payments say the same in their events,
/// and [`crate::collect`] finds nothing left to change.
fn settled_at_once(want: &Place, amounts: &[i64]) -> (i64, i64) {
    let sum = |good: fn(&super::Tender) -> bool| -> i64 {
        want.tenders.iter().zip(amounts).filter(|(tender, _)| good(tender)).map(|(_, amount)| *amount).sum()
    };
    let taken =
        |t: &super::Tender| t.paid_at.is_some() || matches!(t.gateway.as_str(), "store_credit" | "exchange");
    let promised = |t: &super::Tender| t.paid_at.is_none() && t.gateway == "manual" && t.method == "cod";
    let taken = sum(taken);
    (taken + sum(promised), taken)
}

/// Writes the drafts and fills in their outcomes.
pub(crate) async fn write(
    tx: &Tx,
    batch: &[Place],
    people: &People,
    drafts: Vec<Draft>,
    outcomes: &mut [Option<Outcome>],
) -> Result<(), Fault> {
    if drafts.is_empty() {
        return Ok(());
    }
    let mut orders = number(tx, batch, people, drafts).await?;
    open_tenders(tx, batch, &orders).await?;
    screen::screen(tx, batch, &mut orders).await?;
    for order in &mut orders {
        if let Some(doubt) = order.draft.doubt.take() {
            order.holds.push((HoldKind::Manual, doubt));
        }
        hold_for_payment(&batch[order.draft.index], order);
    }
    insert_orders(tx, batch, &orders).await?;
    insert_lines(tx, batch, &orders).await?;
    allocate(tx, batch, &orders).await?;
    insert_holds(tx, batch, &orders).await?;
    let assessed: Vec<_> = orders
        .iter()
        .filter_map(|o| o.assessment.clone().map(|a| (o.id.0, batch[o.draft.index].at, a)))
        .collect();
    risk::keep(tx, &assessed).await?;
    record(tx, batch, &orders)?;
    let services: Vec<(OrderId, kernel::Timestamp)> = orders
        .iter()
        .filter(|o| o.holds.is_empty() && o.draft.skus.iter().any(|s| s.kind == catalog::SkuKind::Service))
        .map(|o| (o.id, batch[o.draft.index].at))
        .collect();
    crate::advance::deliver_services(tx, &services).await?;
    for order in orders {
        outcomes[order.draft.index] = Some(Ok(Placed {
            id: order.id,
            number: order.number,
            total: Money::new(order.draft.total, batch[order.draft.index].currency),
            lines: order.lines,
            holds: order.holds.into_iter().map(|(kind, _)| kind).collect(),
            backordered: order.draft.short.iter().sum(),
            existing: false,
        }));
    }
    Ok(())
}

async fn number(
    tx: &Tx,
    batch: &[Place],
    people: &People,
    drafts: Vec<Draft>,
) -> Result<Vec<Numbered>, Fault> {
    let elsewhere = people.write(tx).await?;
    let numbers = tx.numbers("orders", drafts.len() as u64).await?;
    Ok(drafts
        .into_iter()
        .zip(numbers)
        .map(|(draft, number)| {
            let customer = elsewhere.get(&draft.customer).copied().unwrap_or(draft.customer);
            Numbered {
                id: tx.id(),
                number: number.to_string(),
                customer,
                lines: draft.skus.iter().map(|_| tx.id()).collect(),
                fingerprint: screen::fingerprint(&batch[draft.index]),
                holds: Vec::new(),
                assessment: None,
                draft,
            }
        })
        .collect())
}

/// Opens the tenders. What could be refused of them was before: the order is being written.
async fn open_tenders(tx: &Tx, batch: &[Place], orders: &[Numbered]) -> Result<(), Fault> {
    let mut opens = Vec::new();
    for order in orders {
        let want = &batch[order.draft.index];
        for (tender, amount) in want.tenders.iter().zip(&order.draft.tenders).filter(|(_, a)| **a != 0) {
            opens.push(payments::Open {
                at: want.at,
                order: order.id.0,
                customer: order.customer,
                gateway: tender.gateway.clone(),
                method: tender.method.clone(),
                token: tender.token.clone(),
                reference: tender.reference.clone(),
                currency: want.currency,
                amount: *amount,
                capture: tender.capture,
                paid_at: tender.paid_at,
            });
        }
    }
    if opens.is_empty() {
        return Ok(());
    }
    for opened in payments::open(tx, &opens).await? {
        opened
            .map_err(|refused| Fault::broken(format!("a tender that was accepted is refused: {refused}")))?;
    }
    Ok(())
}

fn hold_for_payment(want: &Place, order: &mut Numbered) {
    let (covered, _) = settled_at_once(want, &order.draft.tenders);
    if !want.pay_later && covered < order.draft.total {
        order.holds.push((HoldKind::PaymentDue, "Waits for payment.".to_owned()));
    }
}

async fn insert_orders(tx: &Tx, batch: &[Place], orders: &[Numbered]) -> Result<(), Fault> {
    let mut rows = Rows::new(
        "id BIGINT, number TEXT, channel TEXT, reference TEXT?, customer_id BIGINT, name TEXT, email TEXT?, phone TEXT?, ip TEXT?, ship_to TEXT, \
         bill_to TEXT, country TEXT, postal_code TEXT?, currency TEXT, tax_inclusive BOOLEAN, priority BIGINT, gift_note TEXT?, note TEXT?, tags TEXT, \
         fingerprint TEXT, exchange_of BIGINT?, pay_later BOOLEAN, placed_at BIGINT, promised_at BIGINT?, goods BIGINT, discount BIGINT, net BIGINT, tax BIGINT, \
         shipping BIGINT, shipping_tax BIGINT, fee BIGINT, authorised BIGINT, captured BIGINT, units BIGINT, units_backordered BIGINT, holds BIGINT, updated_at BIGINT",
    );
    for order in orders {
        let want = &batch[order.draft.index];
        let sum = |f: fn(&super::price::LineMoney) -> i64| order.draft.money.iter().map(f).sum::<i64>();
        let checked = &order.draft.checked;
        let (authorised, captured) = settled_at_once(want, &order.draft.tenders);
        rows.push([
            order.id.into(),
            order.number.as_str().into(),
            want.channel.as_str().into(),
            want.reference.clone().into(),
            order.customer.into(),
            want.buyer.name.trim().into(),
            checked.email.as_ref().map(|e| e.key.clone()).into(),
            checked.phone.clone().into(),
            want.buyer.ip.clone().into(),
            serde_json::to_string(&checked.ship_to)?.into(),
            serde_json::to_string(&checked.bill_to)?.into(),
            checked.ship_to.country.as_str().into(),
            checked.ship_to.postal_code.clone().into(),
            want.currency.into(),
            want.tax_inclusive.into(),
            i64::from(want.express).into(),
            want.gift_note.clone().into(),
            want.note.clone().into(),
            serde_json::to_string(&want.tags)?.into(),
            order.fingerprint.as_str().into(),
            want.exchange_of.into(),
            want.pay_later.into(),
            want.at.into(),
            want.promised_at.into(),
            sum(|m| m.gross).into(),
            sum(|m| m.discount).into(),
            sum(|m| m.net).into(),
            sum(|m| m.tax).into(),
            sum(|m| m.shipping).into(),
            sum(|m| m.shipping_tax).into(),
            sum(|m| m.fee).into(),
            authorised.into(),
            captured.into(),
            want.lines.iter().map(|l| l.quantity).sum::<i64>().into(),
            order.draft.short.iter().sum::<i64>().into(),
            i64::try_from(order.holds.len())?.into(),
            tx.now().into(),
        ]);
    }
    tx.insert("orders", &rows).await?;
    Ok(())
}

async fn insert_lines(tx: &Tx, batch: &[Place], orders: &[Numbered]) -> Result<(), Fault> {
    let mut rows = Rows::new(
        "id BIGINT, order_id BIGINT, position BIGINT, placed_at BIGINT, sku_id BIGINT, sku TEXT, title TEXT, unit_price BIGINT, tax_rate_ppm BIGINT, tax_class TEXT, \
         gross BIGINT, discount BIGINT, discount_net BIGINT, net BIGINT, tax BIGINT, shipping BIGINT, shipping_tax BIGINT, fee BIGINT, \
         backorder_ok BOOLEAN, ordered BIGINT, pending BIGINT, backordered BIGINT, allocated BIGINT",
    );
    for order in orders {
        let want = &batch[order.draft.index];
        for (i, sku) in order.draft.skus.iter().enumerate() {
            let (ask, money) = (&order.draft.asks[i], &order.draft.money[i]);
            let short = order.draft.short[i];
            let service = sku.kind == catalog::SkuKind::Service;
            let (pending, allocated) = if service { (ask.quantity, 0) } else { (0, ask.quantity - short) };
            rows.push([
                order.lines[i].into(),
                order.id.into(),
                i64::try_from(i + 1)?.into(),
                want.at.into(),
                sku.id.into(),
                sku.code.as_str().into(),
                sku.title.as_str().into(),
                ask.unit_price.into(),
                ask.rate_ppm.into(),
                sku.tax_class.as_str().into(),
                money.gross.into(),
                money.discount.into(),
                money.discount_net.into(),
                money.net.into(),
                money.tax.into(),
                money.shipping.into(),
                money.shipping_tax.into(),
                money.fee.into(),
                (want.if_out_of_stock == super::IfOutOfStock::Backorder).into(),
                ask.quantity.into(),
                pending.into(),
                short.into(),
                allocated.into(),
            ]);
        }
    }
    tx.insert("order_line", &rows).await?;
    Ok(())
}

/// Allocations, and the stock they take. Reservations end first, which frees their units for these very allocations.
async fn allocate(tx: &Tx, batch: &[Place], orders: &[Numbered]) -> Result<(), Fault> {
    let ended: Vec<_> = orders.iter().filter_map(|o| batch[o.draft.index].reservation).collect();
    if let Some(first) = orders.first().filter(|_| !ended.is_empty()) {
        inventory::take_reservations(tx, batch[first.draft.index].at, &ended).await?;
    }
    let mut rows = Rows::new("line_id BIGINT, location_id BIGINT, order_id BIGINT, quantity BIGINT");
    let mut moves = Vec::new();
    for order in orders {
        let want = &batch[order.draft.index];
        for part in &order.draft.parts {
            rows.push([
                order.lines[part.line].into(),
                part.location.into(),
                order.id.into(),
                part.quantity.into(),
            ]);
            for (sku, pieces) in super::takes(&order.draft.skus[part.line]) {
                moves.push(Move {
                    at: want.at,
                    sku,
                    location: part.location,
                    kind: MoveKind::Allocate,
                    on_hand: 0,
                    allocated: pieces * part.quantity,
                    incoming: 0,
                    quarantined: 0,
                    value: 0,
                    order: Some(order.id.0),
                    reference: None,
                    reason: None,
                });
            }
        }
    }
    if !rows.is_empty() {
        tx.insert("allocation", &rows).await?;
    }
    inventory::apply(tx, &moves).await
}

async fn insert_holds(tx: &Tx, batch: &[Place], orders: &[Numbered]) -> Result<(), Fault> {
    let mut rows = Rows::new("order_id BIGINT, kind TEXT, reason TEXT, at BIGINT, by_actor TEXT");
    for order in orders {
        let want = &batch[order.draft.index];
        for (kind, reason) in &order.holds {
            rows.push([
                order.id.into(),
                kind.as_str().into(),
                reason.as_str().into(),
                want.at.into(),
                want.by.as_str().into(),
            ]);
        }
    }
    if !rows.is_empty() {
        tx.insert("order_hold", &rows).await?;
    }
    Ok(())
}

fn record(tx: &Tx, batch: &[Place], orders: &[Numbered]) -> Result<(), Fault> {
    for order in orders {
        let want = &batch[order.draft.index];
        let (at, by, raw) = (want.at, || want.by.clone(), Some(order.id.0));
        let unit_lines = order.lines.iter().zip(&order.draft.skus);
        let lines = unit_lines
            .clone()
            .zip(order.draft.asks.iter().zip(&order.draft.money))
            .map(|((line, sku), (ask, money))| PlacedLine {
                line: *line,
                sku_id: sku.id,
                sku: sku.code.clone(),
                quantity: ask.quantity,
                total: money.total(),
            })
            .collect();
        let placed = OrderPlaced {
            order: order.id,
            number: order.number.clone(),
            channel: want.channel.clone(),
            customer: order.customer,
            currency: want.currency,
            total: order.draft.total,
            country: order.draft.checked.ship_to.country.clone(),
            priority: i64::from(want.express),
            email: order.draft.checked.email.as_ref().map(|e| e.address.clone()),
            lines,
        };
        tx.record_first(at, by(), order.id, order.id.0, placed)?;
        let holds = i64::try_from(order.holds.len())?;
        // Every order waits for its payment at first; the other holds are news.
        for (kind, reason) in order.holds.iter().filter(|(kind, _)| *kind != HoldKind::PaymentDue) {
            tx.record_by(
                at,
                by(),
                order.id,
                raw,
                OrderHeld { order: order.id, kind: *kind, reason: reason.clone(), holds },
            )?;
        }
        record_units(tx, want, order)?;
    }
    Ok(())
}

/// What of an order was promised, and what waits.
fn record_units(tx: &Tx, want: &Place, order: &Numbered) -> Result<(), Fault> {
    let (at, by, raw) = (want.at, || want.by.clone(), Some(order.id.0));
    let holds = i64::try_from(order.holds.len())?;
    let parts: Vec<AllocatedPart> = order
        .draft
        .parts
        .iter()
        .map(|p| AllocatedPart {
            line: order.lines[p.line],
            sku_id: order.draft.skus[p.line].id,
            location: p.location,
            quantity: p.quantity,
        })
        .collect();
    if !parts.is_empty() {
        let priority = i64::from(want.express);
        let rule = order.draft.rule.clone();
        let fact = OrderAllocated { order: order.id, priority, holds, parts, rule };
        tx.record_by(at, by(), order.id, raw, fact)?;
    }
    let lines: Vec<LineUnits> = order
        .lines
        .iter()
        .zip(&order.draft.skus)
        .zip(&order.draft.short)
        .filter(|(_, short)| **short > 0)
        .map(|((line, sku), short)| LineUnits { line: *line, sku_id: sku.id, quantity: *short })
        .collect();
    if !lines.is_empty() {
        tx.record_by(at, by(), order.id, raw, OrderBackordered { order: order.id, lines })?;
    }
    Ok(())
}

/// Signals of one order for the risk rules.
pub(crate) fn signals(want: &Place, order: &Numbered, seen: &screen::Seen, base: Currency) -> Signals {
    let checked = &order.draft.checked;
    let (ship, bill) = (&checked.ship_to, &checked.bill_to);
    Signals {
        total: risk::worth::about(Money::new(order.draft.total, want.currency), base),
        disposable_email: checked.email.as_ref().is_some_and(|e| contact::email::is_disposable(e.domain())),
        same_email_24h: seen.by_email,
        same_ip_24h: seen.by_ip,
        countries_differ: ship.country != bill.country,
        addresses_differ: ship.postal_code != bill.postal_code || ship.name != bill.name,
        new_customer: seen.earlier == 0,
        pays_on_delivery: want.tenders.iter().any(|t| t.method == "cod"),
    }
}

/// Whether an order is screened: history is not.
pub(crate) fn screened(batch: &[Place], order: &Numbered) -> bool {
    batch[order.draft.index].trust != Trust::History
}
