//! Orders as the API takes them.

use crate::place::{Buyer, CommandKey, IfOutOfStock, Place, Tender, Trust, WantedLine};
use contact::address::Address;
use inventory::{LocationId, ReservationId};
use kernel::{Currency, Timestamp};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;
use web::{Caller, Key, Problem};

/// One order, or up to 1,000.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum NewOrders {
    /// One.
    One(Box<NewOrder>),
    /// Several, each with its own result.
    Many(Vec<NewOrder>),
}

/// By hand, because an untagged enum forgets which field was wrong.
impl<'de> Deserialize<'de> for NewOrders {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> serde::de::Visitor<'de> for Either {
            type Value = NewOrders;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an order or a list of orders")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<NewOrders, A::Error> {
                NewOrder::deserialize(MapAccessDeserializer::new(map))
                    .map(|order| NewOrders::One(Box::new(order)))
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, seq: A) -> Result<NewOrders, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(NewOrders::Many)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// A new order. Amounts are minor units of its currency.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewOrder {
    /// Code of the channel it came by; `api` when not given.
    #[serde(default = "api_channel")]
    channel: String,
    /// The channel's own reference: the same one never places two orders.
    reference: Option<String>,
    buyer: NewBuyer,
    ship_to: Address,
    /// As `ship_to` when not given.
    bill_to: Option<Address>,
    #[schema(value_type = String, example = "EUR")]
    currency: Currency,
    /// Prices, discounts and shipping contain tax.
    #[serde(default)]
    tax_inclusive: bool,
    lines: Vec<OrderLine>,
    /// Off the whole order.
    #[serde(default)]
    discount: i64,
    /// Price of shipping.
    #[serde(default)]
    shipping: i64,
    /// Tax on shipping in parts per million; as the line of the greatest value when not given.
    shipping_tax_ppm: Option<i64>,
    /// Other charges, untaxed.
    #[serde(default)]
    fee: i64,
    #[serde(default)]
    if_out_of_stock: IfOutOfStock,
    /// How it is paid; may be several. Without any, the order waits for payment.
    #[serde(default)]
    tenders: Vec<NewTender>,
    /// It may ship before it is paid.
    #[serde(default)]
    pay_later: bool,
    /// Express goes before standard.
    #[serde(default)]
    express: bool,
    gift_note: Option<String>,
    note: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    /// Until when you told the customer it would arrive.
    promised_at: Option<Timestamp>,
    /// The cart's reservation, which this order takes over.
    #[schema(value_type = Option<String>)]
    reservation: Option<ReservationId>,
    /// When it was placed, where that was not now (a channel's order). Not in the future.
    placed_at: Option<Timestamp>,
}

fn api_channel() -> String {
    "api".to_owned()
}

/// Who buys.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewBuyer {
    name: String,
    email: Option<String>,
    /// In any notation; read with the destination's country code.
    phone: Option<String>,
    /// The address the order came from, for the risk rules.
    ip: Option<String>,
}

/// A line of a new order.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OrderLine {
    /// Code of the SKU.
    pub sku: String,
    /// Units.
    #[schema(minimum = 1)]
    pub quantity: i64,
    /// The catalogue's price when not given.
    pub unit_price: Option<i64>,
    /// Off the whole line.
    #[serde(default)]
    pub discount: i64,
    /// Parts per million; by destination and tax class when not given.
    pub tax_rate_ppm: Option<i64>,
    /// The only location that may ship it.
    #[schema(value_type = Option<String>)]
    pub location: Option<LocationId>,
}

/// One way of paying.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTender {
    /// `sandbox`, `manual`, `store_credit`, …
    gateway: String,
    /// `card`, `bank_transfer`, `cod`, …
    method: String,
    /// The gateway's token.
    token: Option<String>,
    /// What the other tenders leave when not given.
    amount: Option<i64>,
    /// Capture at once instead of when units ship.
    #[serde(default)]
    capture: bool,
    reference: Option<String>,
    /// The money was taken then, before the order came to us (by the shop's checkout, a channel, at the till): nobody is asked for it.
    /// Not in the future.
    paid_at: Option<Timestamp>,
}

impl NewOrder {
    /// The command; `index` tells orders of one call apart under one idempotency key.
    pub(super) fn into_command(
        self,
        caller: &Caller,
        key: &Key,
        index: Option<usize>,
        now: Timestamp,
    ) -> Result<Place, Problem> {
        let hash = key.hash(&self)?;
        let key = key.text().map(|text| CommandKey {
            caller: caller.actor.as_str().to_owned(),
            key: index.map_or_else(|| text.to_owned(), |i| format!("{text}#{i}")),
            hash,
        });
        if self.placed_at.is_some_and(|at| at < Timestamp(0)) {
            return Err(Problem::invalid("/placed_at", "An order cannot have been placed before 1970."));
        }
        if self.placed_at.is_some_and(|at| at > now) {
            return Err(Problem::invalid("/placed_at", "An order cannot have been placed in the future."));
        }
        if self.tenders.iter().any(|t| t.paid_at.is_some_and(|at| at > now)) {
            return Err(Problem::invalid("/tenders", "A tender cannot have been paid in the future."));
        }
        if self.tenders.iter().any(|t| t.paid_at.is_some_and(|at| at < Timestamp(0))) {
            return Err(Problem::invalid("/tenders", "A tender cannot have been paid before 1970."));
        }
        Ok(Place {
            at: self.placed_at.unwrap_or(now),
            by: caller.actor.clone(),
            key,
            channel: self.channel,
            reference: self.reference,
            buyer: Buyer {
                name: self.buyer.name,
                email: self.buyer.email,
                phone: self.buyer.phone,
                ip: self.buyer.ip,
            },
            ship_to: self.ship_to,
            ship_to_geo: None,
            bill_to: self.bill_to,
            currency: self.currency,
            tax_inclusive: self.tax_inclusive,
            lines: self.lines.into_iter().map(OrderLine::into_command).collect(),
            discount: self.discount,
            shipping: self.shipping,
            shipping_tax_ppm: self.shipping_tax_ppm,
            fee: self.fee,
            if_out_of_stock: self.if_out_of_stock,
            tenders: self.tenders.into_iter().map(NewTender::into_command).collect(),
            pay_later: self.pay_later,
            express: self.express,
            gift_note: self.gift_note,
            note: self.note,
            tags: self.tags,
            promised_at: self.promised_at,
            reservation: self.reservation,
            exchange_of: None,
            trust: Trust::Check,
        })
    }
}

impl OrderLine {
    fn into_command(self) -> WantedLine {
        WantedLine {
            sku: self.sku,
            quantity: self.quantity,
            unit_price: self.unit_price,
            discount: self.discount,
            tax_rate_ppm: self.tax_rate_ppm,
            location: self.location,
        }
    }
}

impl NewTender {
    fn into_command(self) -> Tender {
        Tender {
            gateway: self.gateway,
            method: self.method,
            token: self.token,
            amount: self.amount,
            capture: self.capture,
            reference: self.reference,
            paid_at: self.paid_at,
        }
    }
}
