//! Give returns a label: the customer sends the units back with it, on our account.
//!
//! Invariants: a return has one label that was not declined; it is asked for before the carrier is called, with its own id as idempotency
//! key, so that asking again never buys twice; from the moment it is bought the carrier is owed its cost.

use crate::events::{ReturnLabelBought, ReturnLabelDeclined};
use crate::load::{self, Locked};
use crate::model::{ReturnId, ReturnLabelId};
use contact::address::Address;
use db::{Ctx, FromRow, Job, Rows, Sql, Tx};
use inventory::{Location, LocationId};
use kernel::{Actor, Currency, Fault, Money, Timestamp, refusals};
use serde::{Deserialize, Serialize};
use shipping::carrier::{Answer, Bought, BuyAsk, Consignment, Plan};
use shipping::{Carriers, RateCard, ShipmentId};
use std::collections::HashMap;
use std::sync::Arc;

/// A label to ask for.
#[derive(Debug, Clone)]
pub struct GiveLabel {
    /// When.
    pub at: Timestamp,
    /// Which return.
    pub return_id: ReturnId,
    /// Carrier and service; the cheapest that goes there when none.
    pub by: Option<(String, String)>,
}

refusals! {
    /// Why a return gets no label, by precedence.
    pub enum GiveLabelRefused {
        Unknown { return_id: ReturnId } => NotFound, "returns.unknown", "There is no return {return_id}.";
        NotApproved { number: String } => Conflict, "returns.label_not_approved", "Return {number} is not approved, or is closed: it gets no label.";
        NothingAwaited { number: String } => Conflict, "returns.label_not_needed", "Nothing of return {number} is still with the customer.";
        HasLabel { number: String } => Conflict, "returns.has_label", "Return {number} has its label already.";
        NoService { country: String } => Conflict, "returns.no_label_service", "No service carries this from {country} to us; a rate card that begins there does.";
        Declined { carrier: String, why: String } => Conflict, "returns.label_declined", "{carrier} does not sell this label: {why}.";
    }
}

/// A label of a return.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct LabelRow {
    /// Id.
    pub id: ReturnLabelId,
    /// The return.
    pub return_id: ReturnId,
    /// Where the parcel goes.
    pub location_id: LocationId,
    /// Who carries it.
    pub carrier: String,
    /// The carrier's product.
    pub service: String,
    /// Grams.
    pub weight_g: i64,
    /// The carrier's number, once it is bought.
    pub tracking_number: Option<String>,
    /// When it was bought.
    pub bought_at: Option<Timestamp>,
}

const COLUMNS: &str =
    "b.id, b.return_id, b.location_id, b.carrier, b.service, b.weight_g, b.tracking_number, b.bought_at";

fn ids(returns: impl IntoIterator<Item = ReturnId>) -> Rows {
    let mut input = Rows::new("id BIGINT");
    for id in returns {
        input.push([id.into()]);
    }
    input
}

/// The labels of returns, bought or asked for; declined ones are none.
///
/// # Errors
/// A fault of the database.
pub async fn labels_of(sql: &Sql, returns: &[ReturnId]) -> Result<HashMap<ReturnId, LabelRow>, Fault> {
    let text = format!(
        "SELECT {COLUMNS} FROM return_label b JOIN input ON input.id = b.return_id WHERE b.declined IS NULL"
    );
    let rows: Vec<LabelRow> = sql.all_from(&ids(returns.iter().copied()), &text, []).await?;
    Ok(rows.into_iter().map(|r| (r.return_id, r)).collect())
}

/// A parcel back to us.
#[derive(Debug, Clone)]
pub(crate) struct Back {
    pub location: LocationId,
    /// Without carrier and rate cards.
    pub consignment: Consignment,
}

#[derive(FromRow)]
struct BackRow {
    return_id: ReturnId,
    number: String,
    ship_to: String,
    location_id: Option<LocationId>,
    weight_g: i64,
}

/// Where parcels of returns begin and end, and what they weigh: to where the order was packed, else to where we ship from first.
pub(crate) async fn back(sql: &Sql, returns: &[ReturnId]) -> Result<HashMap<ReturnId, Back>, Fault> {
    let text = "SELECT r.id AS return_id, r.number, o.ship_to, (SELECT MAX(p.location_id) FROM parcel p JOIN location l ON l.id = p.location_id \
         WHERE p.order_id = r.order_id AND p.unpacked_at IS NULL AND l.active = TRUE AND l.kind <> 'supplier') AS location_id, \
         CAST(COALESCE((SELECT SUM(COALESCE(s.weight_g, (SELECT SUM(c.quantity * k.weight_g) FROM bundle_component c JOIN sku k ON k.id = c.component_id \
         WHERE c.bundle_id = s.id), 0)) FROM return_unit u JOIN order_line w ON w.id = u.line_id JOIN sku s ON s.id = w.sku_id \
         WHERE u.return_id = r.id AND u.reception = 'awaiting'), 0) AS BIGINT) AS weight_g \
         FROM return_request r JOIN input ON input.id = r.id JOIN orders o ON o.id = r.order_id";
    let rows: Vec<BackRow> = sql.all_from(&ids(returns.iter().copied()), text, []).await?;
    let places = inventory::locations(sql).await?;
    let mut of = HashMap::new();
    for row in rows {
        let named = |id: LocationId| places.iter().find(|l| l.id == id);
        let first = || places.iter().find(|l| l.active && l.owned());
        let Some(to) = row.location_id.and_then(named).or_else(first) else { continue };
        let consignment = Consignment {
            carrier: String::new(),
            from: serde_json::from_str(&row.ship_to)?,
            to: address_of(to),
            weight_g: row.weight_g,
            dims: None,
            reference: row.number,
            rate_cards: Vec::new(),
        };
        of.insert(row.return_id, Back { location: to.id, consignment });
    }
    Ok(of)
}

/// Where customers send returns: the place the order was packed at, else where we ship from first. Returns are left out where no place
/// of ours has an address.
///
/// # Errors
/// A fault of the database.
pub async fn send_back_to(sql: &Sql, returns: &[ReturnId]) -> Result<HashMap<ReturnId, Address>, Fault> {
    let all = back(sql, returns).await?.into_iter();
    let known = all.map(|(id, back)| (id, back.consignment.to)).filter(|(_, to)| !to.line1.trim().is_empty());
    Ok(known.collect())
}

/// The parcel of one return, to the location its label names.
pub(crate) async fn back_to(
    sql: &Sql,
    id: ReturnId,
    location: Option<LocationId>,
) -> Result<Option<Consignment>, Fault> {
    let Some(back) = back(sql, &[id]).await?.remove(&id) else { return Ok(None) };
    let mut parcel = back.consignment;
    if let Some(location) = location.filter(|l| *l != back.location)
        && let Some(to) = inventory::locations_by_id(sql, &[location]).await?.remove(&location)
    {
        parcel.to = address_of(&to);
    }
    Ok(Some(parcel))
}

fn address_of(location: &Location) -> Address {
    let mut address = location.address.clone();
    address.country.clone_from(&location.country);
    address
}

/// What labels are decided on.
struct World {
    locked: HashMap<ReturnId, Locked>,
    backs: HashMap<ReturnId, Back>,
    labels: HashMap<ReturnId, LabelRow>,
    cards: Vec<Arc<RateCard>>,
    home: Currency,
}

/// A label that is to be written: bought, or asked for from a carrier who has to be called.
struct Asked {
    row: LabelRow,
    bought: Option<Bought>,
}

/// Gives labels; one outcome each, in order. Events: `return.label_bought` for each that is bought at once.
///
/// # Errors
/// A fault of the database.
pub async fn give_labels(
    tx: &Tx,
    carriers: &Carriers,
    batch: &[GiveLabel],
) -> Result<Vec<Result<ReturnLabelId, GiveLabelRefused>>, Fault> {
    let locked = load::lock(tx, batch.iter().map(|g| g.return_id)).await?;
    let returns: Vec<ReturnId> = locked.keys().copied().collect();
    let mut world = World {
        backs: back(tx, &returns).await?,
        labels: labels_of(tx, &returns).await?,
        cards: shipping::rate_cards(tx).await?,
        home: inventory::base_currency(tx).await?,
        locked,
    };
    let mut rows = Rows::new(
        "id BIGINT, return_id BIGINT, location_id BIGINT, carrier TEXT, service TEXT, weight_g BIGINT, requested_at BIGINT, tracking_number TEXT?, \
         cost BIGINT?, currency TEXT?, bought_at BIGINT?",
    );
    let (mut outcomes, mut calls, mut told) = (Vec::with_capacity(batch.len()), Vec::new(), Vec::new());
    for give in batch {
        let asked = decide(&world, carriers, give, tx.id());
        if let Ok(Asked { row, bought }) = &asked {
            world.labels.insert(give.return_id, row.clone());
            rows.push([
                row.id.into(),
                row.return_id.into(),
                row.location_id.into(),
                row.carrier.as_str().into(),
                row.service.as_str().into(),
                row.weight_g.into(),
                give.at.into(),
                row.tracking_number.clone().into(),
                bought.as_ref().map(|b| b.cost.minor).into(),
                bought.as_ref().map(|b| b.cost.currency.to_string()).into(),
                row.bought_at.into(),
            ]);
            match bought {
                Some(bought) => told.push((give.at, row.clone(), bought.cost)),
                None => calls.push((CallForLabel { label: row.id }, None)),
            }
        }
        outcomes.push(asked.map(|a| a.row.id));
    }
    tx.insert("return_label", &rows).await?;
    for (at, row, cost) in told {
        if let Some(of) = world.locked.get(&row.return_id) {
            record(tx, at, &row, (of.row.order_id, &of.row.number), cost)?;
        }
    }
    tx.enqueue(tx.now(), &calls).await?;
    Ok(outcomes)
}

fn record(
    tx: &Tx,
    at: Timestamp,
    row: &LabelRow,
    (order, number): (orders::OrderId, &str),
    cost: Money,
) -> Result<(), Fault> {
    let fact = ReturnLabelBought {
        return_id: row.return_id,
        number: number.to_owned(),
        order,
        label: row.id,
        carrier: row.carrier.clone(),
        service: row.service.clone(),
        tracking_number: row.tracking_number.clone().unwrap_or_default(),
        cost: cost.minor,
        currency: cost.currency,
    };
    tx.record(at, row.return_id, Some(order.0), fact)
}

fn ask(id: ReturnLabelId, service: &str, consignment: Consignment) -> BuyAsk {
    // Ids are never given twice, whatever they are of: the label's own stands for the shipment's.
    BuyAsk { shipment: ShipmentId(id.0), key: id.to_string(), service: service.to_owned(), consignment }
}

/// Pure: which label, or why none.
fn decide(
    world: &World,
    carriers: &Carriers,
    give: &GiveLabel,
    id: ReturnLabelId,
) -> Result<Asked, GiveLabelRefused> {
    let of = world.locked.get(&give.return_id);
    let of = of.ok_or(GiveLabelRefused::Unknown { return_id: give.return_id })?;
    let number = || of.row.number.clone();
    of.at_work().map_err(|_| GiveLabelRefused::NotApproved { number: number() })?;
    if world.labels.contains_key(&give.return_id) {
        return Err(GiveLabelRefused::HasLabel { number: number() });
    }
    if !of.units.iter().any(|u| u.reception == crate::Reception::Awaiting) {
        return Err(GiveLabelRefused::NothingAwaited { number: number() });
    }
    let nowhere = |country: &str| GiveLabelRefused::NoService { country: country.to_owned() };
    let back = world.backs.get(&give.return_id).ok_or_else(|| nowhere("there"))?;
    let plain = &back.consignment;
    let (carrier, service) = match &give.by {
        Some(by) => by.clone(),
        None => {
            let mut quotes = shipping::settled_quotes(carriers, plain, &world.cards);
            quotes.sort_by(|a, b| shipping::rate::compare(world.home, a, b));
            let cheapest = quotes.into_iter().next().ok_or_else(|| nowhere(&plain.from.country))?;
            (cheapest.carrier, cheapest.service)
        }
    };
    let consignment = shipping::for_carrier(plain, &carrier, &world.cards);
    let found = carriers.find(&carrier, !consignment.rate_cards.is_empty());
    let found = found.ok_or_else(|| nowhere(&plain.from.country))?;
    let bought = match found.buy(&ask(id, &service, consignment)) {
        Plan::Settled(Answer::Done(bought)) => Some(bought),
        Plan::Settled(Answer::Declined(why) | Answer::Unknown(why)) => {
            return Err(GiveLabelRefused::Declined { carrier, why });
        }
        Plan::Call(_) => None,
    };
    let row = LabelRow {
        id,
        return_id: give.return_id,
        location_id: back.location,
        carrier,
        service,
        weight_g: plain.weight_g,
        tracking_number: bought.as_ref().map(|b| b.tracking_number.clone()),
        bought_at: bought.is_some().then_some(give.at),
    };
    Ok(Asked { row, bought })
}

/// Gives a return that was approved its label, where the policy says so.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LabelApproved {
    /// Which.
    pub return_id: ReturnId,
}

impl Job for LabelApproved {
    const NAME: &'static str = "returns.label_approved";
    async fn run(&self, ctx: Ctx) -> Result<(), Fault> {
        let carriers = ctx.parts.get::<Carriers>()?;
        db::write!(ctx.db, &Actor::system("returns"), |tx| {
            let give = GiveLabel { at: tx.now(), return_id: self.return_id, by: None };
            if let Some(Err(why)) = give_labels(tx, &carriers, &[give]).await?.pop() {
                tracing::info!(%why, "an approved return gets no label");
            }
            Ok(())
        })
    }
}

/// Calls a carrier for a label that was asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CallForLabel {
    /// Which.
    pub label: ReturnLabelId,
}

impl Job for CallForLabel {
    const NAME: &'static str = "returns.call_for_label";
    async fn run(&self, ctx: Ctx) -> Result<(), Fault> {
        let carriers = ctx.parts.get::<Carriers>()?;
        let sql = ctx.db.read();
        let Some(row) = open(sql, self.label).await? else { return Ok(()) };
        let backs = back(sql, &[row.return_id]).await?;
        let back = backs.get(&row.return_id).ok_or_else(|| Fault::broken("a label that leads nowhere"))?;
        let mut plain = back.consignment.clone();
        // What was asked for once is asked for again, whatever became of the units meanwhile.
        plain.weight_g = row.weight_g;
        let cards = shipping::rate_cards(sql).await?;
        let consignment = shipping::for_carrier(&plain, &row.carrier, &cards);
        let carrier = carriers.find(&row.carrier, !consignment.rate_cards.is_empty());
        let carrier = carrier.ok_or_else(|| Fault::broken(format!("no carrier “{}”", row.carrier)))?;
        let ask = ask(row.id, &row.service, consignment);
        let answer = match carrier.buy(&ask) {
            Plan::Settled(answer) => answer,
            Plan::Call(call) => match ctx.outside.call(call).await {
                Ok(answer) => carrier.read_buy(&ask, &answer),
                Err(no) => Answer::Unknown(no.0),
            },
        };
        let actor = Actor::of("carrier", &row.carrier);
        match answer {
            Answer::Unknown(why) => Err(Fault::broken(format!("the carrier's answer is not known: {why}"))),
            Answer::Declined(why) => db::write!(ctx.db, &actor, |tx| declined(tx, row.id, &why).await),
            Answer::Done(bought) => db::write!(ctx.db, &actor, |tx| settled(tx, row.id, &bought).await),
        }
    }
}

/// A label that was asked for and is not answered.
async fn open(sql: &Sql, id: ReturnLabelId) -> Result<Option<LabelRow>, Fault> {
    let text = format!(
        "SELECT {COLUMNS} FROM return_label b WHERE b.id = $1 AND b.bought_at IS NULL AND b.declined IS NULL"
    );
    sql.one(&text, [id.into()]).await
}

/// The same under the lock of its return, with the order and the return's number.
async fn locked_open(
    tx: &Tx,
    id: ReturnLabelId,
) -> Result<Option<(LabelRow, orders::OrderId, String)>, Fault> {
    let Some(row) = open(tx, id).await? else { return Ok(None) };
    let Some(of) = load::lock(tx, [row.return_id]).await?.remove(&row.return_id) else { return Ok(None) };
    Ok(open(tx, id).await?.map(|row| (row, of.row.order_id, of.row.number)))
}

async fn settled(tx: &Tx, id: ReturnLabelId, bought: &Bought) -> Result<(), Fault> {
    let Some((mut row, order, number)) = locked_open(tx, id).await? else { return Ok(()) };
    let text = "UPDATE return_label SET tracking_number = $1, cost = $2, currency = $3, bought_at = $4 WHERE id = $5";
    let cost = bought.cost;
    let params = [
        bought.tracking_number.as_str().into(),
        cost.minor.into(),
        cost.currency.into(),
        tx.now().into(),
        id.into(),
    ];
    tx.exec(text, params).await?;
    row.tracking_number = Some(bought.tracking_number.clone());
    record(tx, tx.now(), &row, (order, &number), cost)
}

async fn declined(tx: &Tx, id: ReturnLabelId, why: &str) -> Result<(), Fault> {
    let Some((row, order, _)) = locked_open(tx, id).await? else { return Ok(()) };
    tx.exec("UPDATE return_label SET declined = $1 WHERE id = $2", [why.into(), id.into()]).await?;
    let fact = ReturnLabelDeclined {
        return_id: row.return_id,
        order,
        label: id,
        carrier: row.carrier,
        reason: why.to_owned(),
    };
    tx.record(tx.now(), row.return_id, Some(order.0), fact)
}
