//! Rate cards: set and read.
//!
//! Invariants: one card per carrier, service and origin; every zone that a destination is in has a price, and no weight break is named
//! twice, so a card answers each question one way.

use crate::events::RateCardSaved;
use crate::rate::{Price, RateCard, Zone};
use db::{FromRow, Rows, Sql, Tx};
use kernel::{Currency, Fault, Timestamp};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

kernel::id!(RateCardId, "rac", "What a carrier's service costs from a country.");

kernel::refusals! {
    /// Why a rate card is not taken.
    pub enum RateCardRefused {
        NoName => Invalid, "shipping.rate_card_name", "A rate card needs a carrier, a service and a name.";
        Twice { carrier: String, service: String } => Invalid, "shipping.rate_card_twice", "{carrier} {service} is there twice for one origin.";
        UnknownCountry { country: String } => Invalid, "shipping.unknown_country", "“{country}” is no country code such as DE (or * for all others).";
        BadDays => Invalid, "shipping.rate_card_days", "The days must not be negative, and the least not more than the most.";
        BadDivisor => Invalid, "shipping.rate_card_divisor", "The divisor of the dimensional weight must be at least 1.";
        BadPrice { zone: String } => Invalid, "shipping.rate_card_price", "Zone {zone}: weights must be above 0, prices not below 0, and each weight named once.";
        ZoneTwice { country: String, postal_prefix: String } => Invalid, "shipping.rate_card_zone_twice", "{country} {postal_prefix} is in two zones.";
        NoPrice { zone: String } => Invalid, "shipping.rate_card_no_price", "Zone {zone} has no price.";
    }
}

/// Whether a card answers every question one way.
pub(crate) fn decide_card(card: &RateCard) -> Result<(), RateCardRefused> {
    if [&card.carrier, &card.service, &card.name].iter().any(|t| t.trim().is_empty()) {
        return Err(RateCardRefused::NoName);
    }
    let known = |code: &str| contact::country::code(code) == Some(code);
    if !known(&card.origin_country) {
        return Err(RateCardRefused::UnknownCountry { country: card.origin_country.clone() });
    }
    if card.min_days < 0 || card.min_days > card.max_days {
        return Err(RateCardRefused::BadDays);
    }
    if card.dim_divisor < 1 {
        return Err(RateCardRefused::BadDivisor);
    }
    let mut breaks = BTreeSet::new();
    for p in &card.prices {
        if p.up_to_g < 1 || p.price < 0 || !breaks.insert((&p.zone, p.up_to_g)) {
            return Err(RateCardRefused::BadPrice { zone: p.zone.clone() });
        }
    }
    let mut places = BTreeSet::new();
    for z in &card.zones {
        if z.country != crate::rate::ANYWHERE && !known(&z.country) {
            return Err(RateCardRefused::UnknownCountry { country: z.country.clone() });
        }
        if !places.insert((&z.country, &z.postal_prefix)) {
            let (country, postal_prefix) = (z.country.clone(), z.postal_prefix.clone());
            return Err(RateCardRefused::ZoneTwice { country, postal_prefix });
        }
        if !card.prices.iter().any(|p| p.zone == z.zone) {
            return Err(RateCardRefused::NoPrice { zone: z.zone.clone() });
        }
    }
    Ok(())
}

/// Sets rate cards, each in place of the one of the same carrier, service and origin; one outcome each, in order.
///
/// # Errors
/// A fault of the database.
pub async fn save_rate_cards(
    tx: &Tx,
    at: Timestamp,
    cards: &[RateCard],
) -> Result<Vec<Result<(), RateCardRefused>>, Fault> {
    let mut seen = BTreeSet::new();
    let (mut outcomes, mut good) = (Vec::with_capacity(cards.len()), Vec::new());
    for card in cards {
        let outcome = decide_card(card).and_then(|()| {
            match seen.insert((&card.carrier, &card.service, &card.origin_country)) {
                true => Ok(()),
                false => Err(RateCardRefused::Twice {
                    carrier: card.carrier.clone(),
                    service: card.service.clone(),
                }),
            }
        });
        if outcome.is_ok() {
            good.push(card);
        }
        outcomes.push(outcome);
    }
    write(tx, &good).await?;
    for card in good {
        let (carrier, service, origin_country) =
            (card.carrier.clone(), card.service.clone(), card.origin_country.clone());
        let subject = format!("{carrier}/{service}/{origin_country}");
        tx.record(at, subject, None, RateCardSaved { carrier, service, origin_country })?;
    }
    Ok(outcomes)
}

#[derive(FromRow)]
struct Saved {
    id: RateCardId,
    carrier: String,
    service: String,
    origin_country: String,
}

async fn write(tx: &Tx, cards: &[&RateCard]) -> Result<(), Fault> {
    let mut rows = Rows::new(
        "id BIGINT, carrier TEXT, service TEXT, name TEXT, origin_country TEXT, currency TEXT, dim_divisor BIGINT, min_days BIGINT, \
         max_days BIGINT, active BOOLEAN",
    );
    for c in cards {
        rows.push([
            tx.id::<RateCardId>().into(),
            c.carrier.as_str().into(),
            c.service.as_str().into(),
            c.name.as_str().into(),
            c.origin_country.as_str().into(),
            c.currency.into(),
            c.dim_divisor.into(),
            c.min_days.into(),
            c.max_days.into(),
            c.active.into(),
        ]);
    }
    let text = "INSERT INTO rate_card (id, carrier, service, name, origin_country, currency, dim_divisor, min_days, max_days, active) \
         SELECT id, carrier, service, name, origin_country, currency, dim_divisor, min_days, max_days, active FROM input WHERE TRUE \
         ON CONFLICT (carrier, service, origin_country) DO UPDATE SET name = excluded.name, currency = excluded.currency, \
         dim_divisor = excluded.dim_divisor, min_days = excluded.min_days, max_days = excluded.max_days, active = excluded.active \
         RETURNING id, carrier, service, origin_country";
    let saved: Vec<Saved> = tx.all_from(&rows, text, []).await?;
    let ids: HashMap<(&str, &str, &str), RateCardId> = saved
        .iter()
        .map(|s| ((s.carrier.as_str(), s.service.as_str(), s.origin_country.as_str()), s.id))
        .collect();
    let mut kept = Rows::new("id BIGINT");
    let mut zones = Rows::new("rate_card_id BIGINT, country TEXT, postal_prefix TEXT, zone TEXT");
    let mut prices = Rows::new("rate_card_id BIGINT, zone TEXT, up_to_g BIGINT, price BIGINT");
    for c in cards {
        let id = *ids
            .get(&(c.carrier.as_str(), c.service.as_str(), c.origin_country.as_str()))
            .ok_or_else(|| Fault::broken("a rate card was not saved"))?;
        kept.push([id.into()]);
        for z in &c.zones {
            zones.push([
                id.into(),
                z.country.as_str().into(),
                z.postal_prefix.as_str().into(),
                z.zone.as_str().into(),
            ]);
        }
        for p in &c.prices {
            prices.push([id.into(), p.zone.as_str().into(), p.up_to_g.into(), p.price.into()]);
        }
    }
    tx.exec_from(&kept, "DELETE FROM rate_zone WHERE rate_card_id IN (SELECT id FROM input)", []).await?;
    tx.exec_from(&kept, "DELETE FROM rate_price WHERE rate_card_id IN (SELECT id FROM input)", []).await?;
    tx.insert("rate_zone", &zones).await?;
    tx.insert("rate_price", &prices).await?;
    Ok(())
}

#[derive(FromRow)]
struct CardRow {
    id: RateCardId,
    carrier: String,
    service: String,
    name: String,
    origin_country: String,
    currency: Currency,
    dim_divisor: i64,
    min_days: i64,
    max_days: i64,
    active: bool,
}
#[derive(FromRow)]
struct ZoneRow {
    rate_card_id: RateCardId,
    country: String,
    postal_prefix: String,
    zone: String,
}
#[derive(FromRow)]
struct PriceRow {
    rate_card_id: RateCardId,
    zone: String,
    up_to_g: i64,
    price: i64,
}

/// All rate cards, by carrier, service and origin.
///
/// # Errors
/// A fault of the database.
pub async fn rate_cards(sql: &Sql) -> Result<Vec<Arc<RateCard>>, Fault> {
    let text = "SELECT id, carrier, service, name, origin_country, currency, dim_divisor, min_days, max_days, active FROM rate_card \
         ORDER BY carrier, service, origin_country";
    let cards = sql.ask::<CardRow>(text, []).await?;
    let (mut zones, mut prices): (HashMap<RateCardId, Vec<Zone>>, HashMap<RateCardId, Vec<Price>>) =
        Default::default();
    let text = "SELECT rate_card_id, country, postal_prefix, zone FROM rate_zone ORDER BY rate_card_id, country, postal_prefix";
    let all_zones = sql.ask::<ZoneRow>(text, []).await?;
    let text =
        "SELECT rate_card_id, zone, up_to_g, price FROM rate_price ORDER BY rate_card_id, zone, up_to_g";
    let all_prices = sql.ask::<PriceRow>(text, []).await?;
    for z in sql.answer(all_zones).await? {
        zones.entry(z.rate_card_id).or_default().push(Zone {
            country: z.country,
            postal_prefix: z.postal_prefix,
            zone: z.zone,
        });
    }
    for p in sql.answer(all_prices).await? {
        prices.entry(p.rate_card_id).or_default().push(Price {
            zone: p.zone,
            up_to_g: p.up_to_g,
            price: p.price,
        });
    }
    let cards = sql.answer(cards).await?;
    Ok(cards
        .into_iter()
        .map(|c| {
            Arc::new(RateCard {
                zones: zones.remove(&c.id).unwrap_or_default(),
                prices: prices.remove(&c.id).unwrap_or_default(),
                carrier: c.carrier,
                service: c.service,
                name: c.name,
                origin_country: c.origin_country,
                currency: c.currency,
                dim_divisor: c.dim_divisor,
                min_days: c.min_days,
                max_days: c.max_days,
                active: c.active,
            })
        })
        .collect())
}
