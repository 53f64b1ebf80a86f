//! Place orders. Invariants: stock is never promised twice; the same key or (channel, reference) places one order, whoever retries; the
//! money of every unit is fixed here; a refused order leaves no trace but its answer.

pub(crate) mod check;
pub(crate) mod estimate;
mod load;
mod price;
mod source;
mod write;

use crate::model::{HoldKind, LineId, OrderId};
use crate::source::Granted;
use catalog::SkuId;
use contact::address::Address;
use customers::CustomerId;
use db::Tx;
use inventory::{LocationId, ReservationId};
use kernel::{Actor, Currency, Fault, Money, Timestamp, refusals};
use serde::{Deserialize, Serialize};

/// The caller's key of a command and the hash of what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandKey {
    /// Whose keys these are (a key of one caller is not another's).
    pub caller: String,
    /// The `Idempotency-Key`.
    pub key: String,
    /// [`db::answers::input_hash`] of the request.
    pub hash: String,
}

/// Who buys.
#[derive(Debug, Clone, Default)]
pub struct Buyer {
    /// Name.
    pub name: String,
    /// E-mail as typed.
    pub email: Option<String>,
    /// Phone as typed.
    pub phone: Option<String>,
    /// IP address the order came from.
    pub ip: Option<String>,
}

/// A line to buy.
#[derive(Debug, Clone)]
pub struct WantedLine {
    /// SKU code.
    pub sku: String,
    /// Units.
    pub quantity: i64,
    /// Minor units; `None`: the catalogue's.
    pub unit_price: Option<i64>,
    /// Off the whole line, minor units.
    pub discount: i64,
    /// Parts per million; `None`: by destination and tax class.
    pub tax_rate_ppm: Option<i64>,
    /// The only location that may ship it.
    pub location: Option<LocationId>,
}

/// How it is paid: one of possibly several.
#[derive(Debug, Clone)]
pub struct Tender {
    /// `sandbox`, `manual`, `store_credit`, …
    pub gateway: String,
    /// `card`, `bank_transfer`, `cod`, …
    pub method: String,
    /// The gateway's token of the card.
    pub token: Option<String>,
    /// Minor units; `None`: what the other tenders leave.
    pub amount: Option<i64>,
    /// Capture at once instead of when units ship.
    pub capture: bool,
    /// The gateway's or channel's reference.
    pub reference: Option<String>,
    /// The money was taken then, before the order came to us: nobody is asked for it.
    pub paid_at: Option<Timestamp>,
}

/// What happens to units that are not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IfOutOfStock {
    /// The order is refused.
    #[default]
    Refuse,
    /// They wait for stock, first come first served.
    Backorder,
}

/// How far the input is to be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Somebody is waiting for the answer: refuse what is wrong.
    Check,
    /// The order exists elsewhere: take it, and hold it where something is wrong.
    Channel,
    /// It happened long ago: no risk, duplicate or address checks.
    History,
}

/// An order to place.
#[derive(Debug, Clone)]
pub struct Place {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Actor,
    /// For retries.
    pub key: Option<CommandKey>,
    /// Code of the channel.
    pub channel: String,
    /// The channel's own reference, unique in it.
    pub reference: Option<String>,
    /// Who buys.
    pub buyer: Buyer,
    /// Where to.
    pub ship_to: Address,
    /// Latitude and longitude of that, where known.
    pub ship_to_geo: Option<(f64, f64)>,
    /// `None`: as shipping.
    pub bill_to: Option<Address>,
    /// Of all amounts.
    pub currency: Currency,
    /// Prices, discounts and shipping contain tax.
    pub tax_inclusive: bool,
    /// What.
    pub lines: Vec<WantedLine>,
    /// Off the whole order.
    pub discount: i64,
    /// Price of shipping.
    pub shipping: i64,
    /// Tax on it; `None`: as the line of the greatest value.
    pub shipping_tax_ppm: Option<i64>,
    /// Other charges, untaxed.
    pub fee: i64,
    /// Refuse or backorder.
    pub if_out_of_stock: IfOutOfStock,
    /// How it is paid.
    pub tenders: Vec<Tender>,
    /// May ship unpaid.
    pub pay_later: bool,
    /// Express goes before standard.
    pub express: bool,
    /// For the packing slip.
    pub gift_note: Option<String>,
    /// For us.
    pub note: Option<String>,
    /// For filters.
    pub tags: Vec<String>,
    /// When the customer was told it would arrive.
    pub promised_at: Option<Timestamp>,
    /// The cart's reservation.
    pub reservation: Option<ReservationId>,
    /// The return (raw id) that it replaces.
    pub exchange_of: Option<i64>,
    /// How far the input is to be trusted.
    pub trust: Trust,
}

/// An order that was placed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Placed {
    /// Its id.
    pub id: OrderId,
    /// Its number for people.
    pub number: String,
    /// What is to be paid.
    pub total: Money,
    /// Ids of the lines, in order.
    pub lines: Vec<LineId>,
    /// Reasons not to go on yet.
    pub holds: Vec<HoldKind>,
    /// Units that wait for stock.
    pub backordered: i64,
    /// It was there already: the key or the channel's reference is known.
    pub existing: bool,
}

/// One thing wrong with one field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldProblem {
    /// As `ship_to.postal_code`.
    pub field: String,
    /// Stable.
    pub code: String,
    /// A sentence.
    pub message: String,
}

refusals! {
    /// Why an order was not placed, by precedence.
    pub enum PlaceRefused {
        KeyReused { key: String } => Invalid, "idempotency.key_reused", "The idempotency key “{key}” was used with another order; use a new key.";
        NoLines => Invalid, "orders.no_lines", "An order needs at least one line.";
        TooManyLines { max: usize } => Invalid, "orders.too_many_lines", "An order has at most {max} lines; split it.";
        BadQuantity { line: usize, quantity: i64, max: i64 } => Invalid, "orders.bad_quantity", "Line {line}: the quantity {quantity} is not between 1 and {max}.";
        BadAmount { field: String, amount: i64 } => Invalid, "orders.bad_amount", "{field} is {amount}: it must be zero or more.";
        BadFields { sentences: String, fields: Vec<FieldProblem> } => Invalid, "orders.bad_fields", "{sentences}";
        UnknownChannel { channel: String } => Invalid, "orders.unknown_channel", "There is no channel “{channel}”.";
        UnknownSku { line: usize, sku: String } => Invalid, "orders.unknown_sku", "Line {line}: we do not sell “{sku}”.";
        InactiveSku { line: usize, sku: String } => Invalid, "orders.inactive_sku", "Line {line}: “{sku}” is no longer sold.";
        NoTaxRate { line: usize, class: String, country: String } => Invalid, "orders.no_tax_rate", "Line {line}: there is no tax rate of class “{class}” for {country}; set one (0 where none is due, “*” for all other countries) or give tax_rate_ppm.";
        NoPrice { line: usize, sku: String, currency: Currency } => Invalid, "orders.no_price", "Line {line}: “{sku}” has no price in {currency}; give unit_price or add one to the catalogue.";
        UnknownLocation { line: usize } => Invalid, "orders.unknown_location", "Line {line}: that location does not exist or is closed.";
        LineDiscountTooLarge { line: usize } => Invalid, "orders.line_discount_too_large", "Line {line}: the discount is larger than the line.";
        DiscountTooLarge => Invalid, "orders.discount_too_large", "The discount is larger than the goods.";
        AmountTooLarge => Invalid, "orders.amount_too_large", "The order's amounts are too large to be real; check the minor units.";
        BadTender { gateway: String, why: String } => Invalid, "orders.bad_tender", "Payment by “{gateway}”: {why}";
        TenderMismatch { tenders: Money, total: Money } => Invalid, "orders.tenders_exceed_total", "The tenders sum to {tenders}, more than the order's {total}.";
        ReservationOver => Conflict, "orders.reservation_over", "The reservation has ended; order without it.";
        OutOfStock { sku: String, wanted: i64, free: i64 } => Conflict, "orders.out_of_stock", "Only {free} of the {wanted} units of “{sku}” can be shipped; order fewer, or with if_out_of_stock = backorder.";
        TenderRefused { gateway: String, why: String } => Conflict, "orders.tender_refused", "Payment by “{gateway}” was refused: {why}";
    }
}

/// One outcome per order.
pub type Outcome = Result<Placed, PlaceRefused>;

/// An accepted order on its way into the database.
pub(crate) struct Draft {
    pub index: usize,
    pub skus: Vec<std::sync::Arc<catalog::Sku>>,
    pub asks: Vec<price::LineAsk>,
    pub money: Vec<price::LineMoney>,
    pub customer: CustomerId,
    /// What was let pass and a person must look at.
    pub doubt: Option<String>,
    pub parts: Vec<crate::source::SourcedPart>,
    pub short: Vec<i64>,
    pub rule: Option<String>,
    pub total: i64,
    pub tenders: Vec<i64>,
    pub checked: check::Checked,
}

/// Places orders, set-based: a handful of statements, however many orders. One outcome per order, in order.
///
/// # Errors
/// A fault when the machine could not; nothing is placed then.
pub async fn place(tx: &Tx, batch: &[Place]) -> Result<Vec<Outcome>, Fault> {
    let mut outcomes: Vec<Option<Outcome>> = vec![None; batch.len()];
    let known = load::known(tx, batch).await?;
    let mut followers: Vec<(usize, usize)> = Vec::new();
    known.answer(batch, &mut outcomes, &mut followers)?;

    let mut checked: Vec<Option<check::Checked>> = Vec::with_capacity(batch.len());
    for (i, want) in batch.iter().enumerate() {
        checked.push(match &outcomes[i] {
            Some(_) => None,
            None if followers.iter().any(|(follower, _)| *follower == i) => None,
            None => check::decide(want).map_err(|refused| outcomes[i] = Some(Err(refused))).ok(),
        });
    }
    let mut world = load::world(tx, batch, &checked).await?;
    let mut drafts = Vec::with_capacity(batch.len());
    for (i, want) in batch.iter().enumerate() {
        let Some(checked) = checked[i].take() else { continue };
        match decide(&mut world, want, i, checked, || tx.id()) {
            Ok(draft) => drafts.push(draft),
            Err(refused) => outcomes[i] = Some(Err(refused)),
        }
    }
    write::write(tx, batch, &world.people, drafts, &mut outcomes).await?;
    for (follower, first) in followers {
        outcomes[follower] =
            outcomes[first].clone().map(|o| o.map(|placed| Placed { existing: true, ..placed }));
    }
    load::remember(tx, batch, &known, &outcomes).await?;
    outcomes.into_iter().map(|o| o.ok_or_else(|| Fault::broken("an order without outcome"))).collect()
}

/// Pure: no clock, no SQL. Takes from the shelf and the purse what it grants, so that later orders of the batch see it gone; nothing of an
/// order that is refused is taken, and none that is accepted here is refused later.
fn decide(
    world: &mut load::World,
    want: &Place,
    index: usize,
    checked: check::Checked,
    new_id: impl FnOnce() -> CustomerId,
) -> Result<Draft, PlaceRefused> {
    if !world.channels.contains(&want.channel) {
        return Err(PlaceRefused::UnknownChannel { channel: want.channel.clone() });
    }
    let (skus, asks, doubt) = world.lines(want)?;
    let ask = price::OrderAsk {
        inclusive: want.tax_inclusive,
        discount: want.discount,
        shipping: want.shipping,
        shipping_rate_ppm: want.shipping_tax_ppm,
        fee: want.fee,
    };
    let money = price::decide(&ask, &asks).map_err(|why| match why {
        price::Unpriceable::Amount => PlaceRefused::AmountTooLarge,
        price::Unpriceable::LineDiscount(line) => PlaceRefused::LineDiscountTooLarge { line },
        price::Unpriceable::OrderDiscount => PlaceRefused::DiscountTooLarge,
    })?;
    let total = money.iter().map(price::LineMoney::total).sum();
    let tenders = tender_amounts(want, total)?;
    let contact = checked.contact(want);
    let spent = world.purse(want, &tenders, &contact)?;
    let Granted { parts, short, rule } = source::decide(world, want, &skus)?;
    let customer = world.people.settle(&contact, new_id);
    if spent > 0 {
        *world.credit.entry((customer, want.currency)).or_default() -= spent;
    }
    Ok(Draft { index, customer, skus, asks, money, doubt, parts, short, rule, total, tenders, checked })
}

/// The amount of each tender; at most one may take the rest.
fn tender_amounts(want: &Place, total: i64) -> Result<Vec<i64>, PlaceRefused> {
    let given = want.tenders.iter().filter_map(|t| t.amount).fold(0i64, i64::saturating_add);
    if given > total {
        let money = |minor| Money::new(minor, want.currency);
        return Err(PlaceRefused::TenderMismatch { tenders: money(given), total: money(total) });
    }
    if let Some(second) = want.tenders.iter().filter(|t| t.amount.is_none()).nth(1) {
        let why = "only one tender may leave its amount open.".to_owned();
        return Err(PlaceRefused::BadTender { gateway: second.gateway.clone(), why });
    }
    // Before anything is written: the order of a tender that is refused later would leave its other tenders behind.
    if let Some(second) = want.tenders.iter().filter(|t| t.gateway == "store_credit").nth(1) {
        let why = "an order has one tender of store credit; give its whole amount there.".to_owned();
        return Err(PlaceRefused::BadTender { gateway: second.gateway.clone(), why });
    }
    let amounts: Vec<i64> = want.tenders.iter().map(|t| t.amount.unwrap_or(total - given)).collect();
    for (tender, amount) in want.tenders.iter().zip(&amounts).filter(|(_, amount)| **amount != 0) {
        let checked = payments::acceptable(&tender.gateway, &tender.method, *amount, tender.paid_at);
        checked.map_err(|refused| PlaceRefused::TenderRefused {
            gateway: tender.gateway.clone(),
            why: refused.to_string(),
        })?;
    }
    Ok(amounts)
}

/// The SKUs that a line's units take from stock, by unit.
pub(crate) fn takes(sku: &catalog::Sku) -> Vec<(SkuId, i64)> {
    sku.takes()
}
