//! What orders that are not placed yet may be shipped by: services with their price and the day by which the goods are there.
//!
//! Invariants: a service is offered only where it carries every parcel; nothing is promised while units are missing; an offer changes
//! nothing. Only carriers that need no call are asked: somebody is typing.

use crate::cards::rate_cards;
use crate::carrier::{Carriers, Consignment};
use crate::dispatch::day_text;
use crate::promise::{Pace, Way};
use crate::quote::settled;
use crate::rate::{Quote, compare};
use contact::address::Address;
use db::Sql;
use kernel::{Currency, Fault, Money, Timestamp};
use orders::{Departure, Draft, Foreseen};
use serde::Serialize;
use utoipa::ToSchema;

pub use crate::promise::Basis;

/// A service for an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Offer {
    /// The carrier's code.
    pub carrier: String,
    /// The service's code.
    pub service: String,
    /// For people.
    pub name: String,
    /// Of all parcels together.
    pub price: Money,
    /// The day by which all of it is there, as `2026-11-30`; none while units are missing.
    #[schema(format = Date)]
    pub promised_on: Option<String>,
    /// The last moment of that day: what to send as `promised_at`.
    pub promised_at: Option<Timestamp>,
    /// What the promise rests on.
    pub basis: Option<Basis>,
}

/// A parcel of an order that is not placed yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OfferedParcel {
    /// The location it leaves.
    pub location: String,
    /// Units in it.
    pub units: i64,
    /// Grams, of the SKUs whose weight is known.
    pub weight_g: i64,
}

/// What an order may be shipped by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Offers {
    /// The cheapest first.
    pub offers: Vec<Offer>,
    /// One for each location that something leaves.
    pub parcels: Vec<OfferedParcel>,
    /// The day on which parcels of an order placed now leave.
    #[schema(format = Date)]
    pub leaves_on: String,
    /// Units that nobody has.
    pub missing: i64,
    /// Texts that are no SKU.
    pub unknown: Vec<String>,
    /// SKUs whose weight is not known, so that the price may be too low.
    pub unweighed: Vec<String>,
}

/// What drafts may be shipped by, one answer each, in order. Offers are in the currency asked for; others are left out.
///
/// # Errors
/// A fault of the database.
pub async fn offers(
    sql: &Sql,
    carriers: &Carriers,
    pace: &Pace,
    now: Timestamp,
    asked: &[(Draft, Currency)],
) -> Result<Vec<Offers>, Fault> {
    let cards = rate_cards(sql).await?;
    let drafts: Vec<Draft> = asked.iter().map(|(draft, _)| draft.clone()).collect();
    let foreseen = orders::foresee(sql, &drafts).await?;
    let one = |(seen, (draft, currency)): (Foreseen, &(Draft, Currency))| {
        let to = Address {
            country: draft.country.clone(),
            postal_code: draft.postal_code.clone(),
            ..Address::default()
        };
        let quotes: Vec<Vec<Quote>> =
            seen.departures.iter().map(|d| settled(carriers, &consignment(d, &to), &cards)).collect();
        Offers {
            offers: decide(pace, now, *currency, &to, &seen, &quotes),
            parcels: seen.departures.iter().map(parcel).collect(),
            leaves_on: pace.leaves(now),
            missing: seen.missing,
            unknown: seen.unknown,
            unweighed: seen.unweighed,
        }
    };
    Ok(foreseen.into_iter().zip(asked).map(one).collect())
}

fn consignment(departure: &Departure, to: &Address) -> Consignment {
    let mut from = departure.location.address.clone();
    from.country.clone_from(&departure.location.country);
    Consignment {
        carrier: String::new(),
        from,
        to: to.clone(),
        weight_g: departure.weight_g,
        dims: None,
        reference: String::new(),
        rate_cards: Vec::new(),
    }
}

fn parcel(departure: &Departure) -> OfferedParcel {
    OfferedParcel {
        location: departure.location.name.clone(),
        units: departure.units.iter().map(|(_, units)| units).sum(),
        weight_g: departure.weight_g,
    }
}

/// The services that carry every parcel. Pure.
fn decide(
    pace: &Pace,
    now: Timestamp,
    currency: Currency,
    to: &Address,
    seen: &Foreseen,
    quotes: &[Vec<Quote>],
) -> Vec<Offer> {
    let Some((first, others)) = quotes.split_first() else { return Vec::new() };
    let mut found: Vec<(Quote, Offer)> = Vec::new();
    for quote in first.iter().filter(|q| q.cost.currency == currency) {
        let same = |q: &&Quote| {
            q.carrier == quote.carrier && q.service == quote.service && q.cost.currency == currency
        };
        let rest: Option<Vec<&Quote>> = others.iter().map(|of| of.iter().find(same)).collect();
        let Some(rest) = rest else { continue };
        let all: Vec<&Quote> = std::iter::once(quote).chain(rest).collect();
        let price = all.iter().fold(0i64, |sum, q| sum.saturating_add(q.cost.minor));
        let promise = (seen.missing == 0).then(|| latest(pace, now, to, seen, &all)).flatten();
        let offer = Offer {
            carrier: quote.carrier.clone(),
            service: quote.service.clone(),
            name: quote.name.clone(),
            price: Money::new(price, currency),
            promised_on: promise.map(|(day, _)| day_text(day)),
            promised_at: promise.map(|(day, _)| pace.end_of(day)),
            basis: promise.map(|(_, basis)| basis),
        };
        found.push((Quote { cost: offer.price, ..quote.clone() }, offer));
    }
    found.sort_by(|(a, _), (b, _)| compare(currency, a, b));
    found.into_iter().map(|(_, offer)| offer).collect()
}

/// The day by which the last parcel is there.
fn latest(
    pace: &Pace,
    now: Timestamp,
    to: &Address,
    seen: &Foreseen,
    quotes: &[&Quote],
) -> Option<(i64, Basis)> {
    let promises = seen.departures.iter().zip(quotes).map(|(departure, quote)| {
        pace.promise(
            now,
            &Way {
                from_country: &departure.location.country,
                sender: &departure.location.code,
                country: &to.country,
                postal_code: to.postal_code.as_deref(),
                carrier: &quote.carrier,
                service: &quote.service,
                max_days: quote.max_days,
            },
        )
    });
    promises.max_by_key(|(day, _)| *day)
}
