//! What a parcel costs by rate cards. Pure.
//!
//! Invariants: the zone is that of the longest postal prefix that fits, then of the country, then of `*`; the billable weight is the
//! larger of actual and dimensional weight; the price is that of the first weight break that holds it, and there is none beyond the last.

use kernel::{Currency, Money};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// Any country that the card does not name.
pub const ANYWHERE: &str = "*";

/// What a carrier's service costs from a country.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RateCard {
    /// The carrier's code, as `post`.
    pub carrier: String,
    /// The service's code, as `parcel`.
    pub service: String,
    /// For people and on the label, as `Parcel up to 31 kg`.
    pub name: String,
    /// ISO 3166-1 alpha-2 of where parcels start.
    pub origin_country: String,
    /// Of the prices.
    pub currency: Currency,
    /// Cubic millimetres that count as a gram: 5000 cm³/kg is 5000.
    pub dim_divisor: i64,
    /// Days it takes at least.
    pub min_days: i64,
    /// Days it takes at most.
    pub max_days: i64,
    /// Whether it is offered.
    #[serde(default = "yes")]
    pub active: bool,
    /// Which destination is in which zone.
    pub zones: Vec<Zone>,
    /// What a zone costs up to a weight.
    pub prices: Vec<Price>,
}

fn yes() -> bool {
    true
}

/// A destination and its zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// ISO 3166-1 alpha-2, or `*` for any other.
    pub country: String,
    /// Beginning of the postal code; empty for the whole country.
    #[serde(default)]
    pub postal_prefix: String,
    /// The zone's name.
    pub zone: String,
}

/// A weight break.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// The zone.
    pub zone: String,
    /// Up to and including this many grams.
    pub up_to_g: i64,
    /// Minor units of the card's currency, for one parcel.
    pub price: i64,
}

/// Where a parcel goes, and its size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel<'a> {
    /// ISO 3166-1 alpha-2 of where it starts.
    pub from_country: &'a str,
    /// ISO 3166-1 alpha-2 of the destination.
    pub country: &'a str,
    /// Postal code of the destination.
    pub postal_code: Option<&'a str>,
    /// Grams.
    pub weight_g: i64,
    /// Length, width and height in millimetres, when measured.
    pub dims: Option<(i64, i64, i64)>,
}

/// What a service costs for a parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Quote {
    /// The carrier's code.
    pub carrier: String,
    /// The service's code.
    pub service: String,
    /// For people.
    pub name: String,
    /// What it costs.
    pub cost: Money,
    /// Days it takes at least.
    pub min_days: i64,
    /// Days it takes at most.
    pub max_days: i64,
    /// Grams that are charged.
    pub billable_g: i64,
}

fn plain(postal: &str) -> String {
    postal.chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_uppercase()).collect()
}

impl RateCard {
    /// The zone of a destination.
    pub fn zone(&self, country: &str, postal_code: Option<&str>) -> Option<&str> {
        let postal = plain(postal_code.unwrap_or_default());
        let own = self
            .zones
            .iter()
            .filter(|z| z.country == country && postal.starts_with(&plain(&z.postal_prefix)));
        let best = own.max_by_key(|z| plain(&z.postal_prefix).len());
        let elsewhere = || self.zones.iter().find(|z| z.country == ANYWHERE);
        best.or_else(elsewhere).map(|z| z.zone.as_str())
    }
    /// Grams that are charged.
    pub fn billable_g(&self, weight_g: i64, dims: Option<(i64, i64, i64)>) -> i64 {
        let Some((l, w, h)) = dims else { return weight_g };
        let (volume, divisor) =
            (i128::from(l) * i128::from(w) * i128::from(h), i128::from(self.dim_divisor.max(1)));
        let dimensional = i64::try_from((volume + divisor - 1) / divisor).unwrap_or(i64::MAX);
        weight_g.max(dimensional)
    }
    /// What a parcel costs; `None` when the card does not cover it.
    pub fn quote(&self, parcel: &Parcel) -> Option<Quote> {
        if !self.active || self.origin_country != parcel.from_country {
            return None;
        }
        let zone = self.zone(parcel.country, parcel.postal_code)?;
        let billable_g = self.billable_g(parcel.weight_g, parcel.dims);
        let breaks = self.prices.iter().filter(|p| p.zone == zone && p.up_to_g >= billable_g);
        let price = breaks.min_by_key(|p| p.up_to_g)?;
        Some(Quote {
            carrier: self.carrier.clone(),
            service: self.service.clone(),
            name: self.name.clone(),
            cost: Money::new(price.price, self.currency),
            min_days: self.min_days,
            max_days: self.max_days,
            billable_g,
        })
    }
}

/// Which offer comes first: by price, then days. Amounts of different currencies do not compare: those of `home` come first.
pub fn compare(home: Currency, a: &Quote, b: &Quote) -> Ordering {
    let key = |q: &Quote| (q.cost.currency != home, q.cost.currency, q.cost.minor, q.max_days, q.min_days);
    key(a).cmp(&key(b)).then_with(|| (&a.carrier, &a.service).cmp(&(&b.carrier, &b.service)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn card() -> RateCard {
        let zone = |country: &str, prefix: &str, zone: &str| Zone {
            country: country.into(),
            postal_prefix: prefix.into(),
            zone: zone.into(),
        };
        let price = |zone: &str, up_to_g: i64, price: i64| Price { zone: zone.into(), up_to_g, price };
        RateCard {
            carrier: "post".into(),
            service: "parcel".into(),
            name: "Parcel".into(),
            origin_country: "DE".into(),
            currency: "EUR".parse().unwrap(),
            dim_divisor: 5000,
            min_days: 1,
            max_days: 3,
            active: true,
            zones: vec![
                zone("DE", "", "home"),
                zone("DE", "254", "islands"),
                zone("DE", "2549", "far"),
                zone("GB", "BT", "ni"),
                zone("*", "", "world"),
            ],
            prices: vec![
                price("home", 5000, 599),
                price("home", 1000, 399),
                price("islands", 5000, 999),
                price("far", 5000, 1099),
                price("ni", 5000, 1599),
                price("world", 2000, 2999),
            ],
        }
    }
    fn parcel<'a>(country: &'a str, postal: &'a str, weight_g: i64) -> Parcel<'a> {
        Parcel { from_country: "DE", country, postal_code: Some(postal), weight_g, dims: None }
    }

    #[test]
    fn zones_breaks_and_weights() {
        let card = card();
        for (country, postal, weight, expected) in [
            ("DE", "10115", 1000, Some(399)),
            ("DE", "10115", 1001, Some(599)),
            ("DE", "10115", 5001, None),
            ("DE", "25421", 10, Some(999)),
            ("DE", "25499", 10, Some(1099)),
            ("GB", "bt1 1aa", 10, Some(1599)),
            ("GB", "SW1A 1AA", 10, Some(2999)),
            ("US", "", 2001, None),
        ] {
            let quote = card.quote(&parcel(country, postal, weight));
            assert_eq!(quote.map(|q| q.cost.minor), expected, "{country} {postal} {weight}");
        }
        assert_eq!(card.quote(&Parcel { from_country: "FR", ..parcel("DE", "10115", 1) }), None);
    }

    #[test]
    fn bulky_parcels_pay_for_their_volume() {
        // 300 × 200 × 100 mm = 6,000,000 mm³ = 1,200 g at 5000.
        assert_eq!(card().billable_g(500, Some((300, 200, 100))), 1200);
        assert_eq!(card().billable_g(500, Some((300, 200, 101))), 1212);
        assert_eq!(card().billable_g(2000, Some((300, 200, 100))), 2000);
        assert_eq!(card().billable_g(1, Some((i64::MAX, i64::MAX, 1))), i64::MAX);
    }

    fn quotes() -> impl Strategy<Value = Vec<Quote>> {
        let currency = proptest::sample::select(vec!["EUR", "USD"]);
        let one = (0..5i64, 0..4i64, 0..3i64, currency).prop_map(|(minor, max, min, code)| Quote {
            carrier: format!("c{}", minor % 2),
            service: format!("s{max}"),
            name: String::new(),
            cost: Money::new(minor, code.parse().unwrap()),
            min_days: min,
            max_days: max,
            billable_g: 1,
        });
        proptest::collection::vec(one, 0..12)
    }

    proptest! {
        #[test]
        fn the_first_offer_is_the_cheapest_whatever_order_they_came_in(quotes in quotes()) {
            let home: Currency = "EUR".parse().unwrap();
            let (mut a, mut b) = (quotes.clone(), quotes);
            b.reverse();
            a.sort_by(|x, y| compare(home, x, y));
            b.sort_by(|x, y| compare(home, x, y));
            prop_assert_eq!(&a, &b);
            let cheapest = a.iter().filter(|q| q.cost.currency == home).map(|q| q.cost.minor).min();
            if let Some(cheapest) = cheapest {
                prop_assert_eq!((a[0].cost.currency, a[0].cost.minor), (home, cheapest));
                let quickest = a.iter().filter(|q| q.cost == a[0].cost).map(|q| q.max_days).min();
                prop_assert_eq!(Some(a[0].max_days), quickest);
            }
        }
        #[test]
        fn more_weight_never_costs_less_on_a_card_that_rises(a in 0i64..5000, b in 0i64..5000) {
            let price = |weight| card().quote(&parcel("DE", "10115", weight)).map(|q| q.cost.minor);
            prop_assert!(price(a.min(b)) <= price(a.max(b)));
        }
    }
}
