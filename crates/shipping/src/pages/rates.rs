//! The rate table of a service: zones with the places in them and what a parcel costs up to a weight. What is refused comes back as it was
//! filled in, with the sentence by its field.

use super::{carriers::HERE, single};
use crate::rate::{Price, RateCard, Zone};
use crate::{RateCardRefused, ReadShipping, SetUpShipping, rate_cards, save_rate_cards};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kernel::{Currency, Money, money};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use web::html::{self as h, Field};
use web::{App, Caller, Form, Key, May, Params, Problem, Reply, Screen};

/// Zones of a form at most.
const MOST: usize = 100;

/// Which one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Which {
    carrier: String,
    service: String,
    origin: String,
}

/// A zone as it is typed.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    name: String,
    places: String,
    prices: String,
}

/// A rate table as it is typed.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    once: String,
    known: String,
    carrier: String,
    service: String,
    name: String,
    origin: String,
    currency: String,
    divisor: String,
    min_days: String,
    max_days: String,
    active: String,
    zones: Vec<Typed>,
    /// `more` where no script adds zones.
    #[serde(rename = "do")]
    action: String,
}

/// What is wrong, by field.
type Errors = BTreeMap<String, String>;

impl Sent {
    fn of(card: &RateCard) -> Self {
        let mut zones: BTreeMap<&str, Typed> = BTreeMap::new();
        for p in &card.prices {
            let line = format!("{} {}\n", p.up_to_g, number(p.price, card.currency));
            zones.entry(&p.zone).or_default().prices.push_str(&line);
        }
        for z in &card.zones {
            let places = &mut zones.entry(&z.zone).or_default().places;
            let place = format!("{} {}", z.country, z.postal_prefix);
            places.push_str(if places.is_empty() { "" } else { ", " });
            places.push_str(place.trim_end());
        }
        Self {
            once: String::new(),
            known: "yes".into(),
            carrier: card.carrier.clone(),
            service: card.service.clone(),
            name: card.name.clone(),
            origin: card.origin_country.clone(),
            currency: card.currency.to_string(),
            divisor: card.dim_divisor.to_string(),
            min_days: card.min_days.to_string(),
            max_days: card.max_days.to_string(),
            active: if card.active { "yes".into() } else { String::new() },
            zones: zones.into_iter().map(|(name, zone)| Typed { name: name.to_owned(), ..zone }).collect(),
            action: String::new(),
        }
    }
    /// Where parcels start, by its code, which may have been typed as a code or by its name.
    fn origin(&self) -> String {
        let typed = self.origin.trim();
        contact::country::code(typed).map_or_else(|| typed.to_uppercase(), str::to_owned)
    }

    /// The card, or what is wrong by the field.
    fn card(&self) -> Result<RateCard, Errors> {
        let mut errors = Errors::new();
        let currency: Option<Currency> = self
            .currency
            .trim()
            .to_uppercase()
            .parse()
            .map_err(|e| errors.insert("currency".into(), format!("{e}.")))
            .ok();
        let mut whole = |field: &str, text: &str| {
            text.trim().parse::<i64>().unwrap_or_else(|_| {
                errors.insert(field.to_owned(), "A whole number.".to_owned());
                0
            })
        };
        let (min_days, max_days) = (whole("min_days", &self.min_days), whole("max_days", &self.max_days));
        let dim_divisor = whole("divisor", &self.divisor);
        let (mut zones, mut prices) = (Vec::new(), Vec::new());
        for (i, typed) in self.zones.iter().enumerate().filter(|(_, z)| **z != Typed::default()) {
            let name = typed.name.trim().to_owned();
            if name.is_empty() {
                errors.insert(format!("zones[{i}][name]"), "A zone needs a name, such as Europe.".into());
            }
            zones.extend(places(&name, &typed.places));
            match breaks(&name, &typed.prices, currency) {
                Ok(some) => prices.extend(some),
                Err(says) => {
                    errors.insert(format!("zones[{i}][prices]"), says);
                }
            }
        }
        if zones.is_empty() && errors.is_empty() {
            errors.insert("zones[0][places]".into(), "Name at least one place, or * for everywhere.".into());
        }
        match currency {
            Some(currency) if errors.is_empty() => Ok(RateCard {
                carrier: self.carrier.trim().to_owned(),
                service: self.service.trim().to_owned(),
                name: self.name.trim().to_owned(),
                origin_country: self.origin(),
                currency,
                dim_divisor,
                min_days,
                max_days,
                active: !self.active.is_empty(),
                zones,
                prices,
            }),
            _ => Err(errors),
        }
    }

    /// The field that a refusal is about.
    fn field_of(&self, refused: &RateCardRefused) -> String {
        let zone = |part: &str, is: &dyn Fn(&Typed) -> bool| {
            format!("zones[{}][{part}]", self.zones.iter().position(is).unwrap_or(0))
        };
        match refused {
            RateCardRefused::NoName if self.carrier.trim().is_empty() => "carrier".into(),
            RateCardRefused::NoName if self.service.trim().is_empty() => "service".into(),
            RateCardRefused::NoName => "name".into(),
            RateCardRefused::Twice { .. } => "service".into(),
            RateCardRefused::UnknownCountry { country } if *country == self.origin() => "origin".into(),
            RateCardRefused::UnknownCountry { country } => {
                zone("places", &|z| places("", &z.places).iter().any(|p| p.country == *country))
            }
            RateCardRefused::BadDays => "max_days".into(),
            RateCardRefused::BadDivisor => "divisor".into(),
            RateCardRefused::BadPrice { zone: name } | RateCardRefused::NoPrice { zone: name } => {
                zone("prices", &|z| z.name.trim() == name)
            }
            RateCardRefused::ZoneTwice { country, .. } => {
                zone("places", &|z| places("", &z.places).iter().any(|p| p.country == *country))
            }
        }
    }
}

fn number(minor: i64, currency: Currency) -> String {
    let text = Money::new(minor, currency).to_string();
    text.split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))
        .unwrap_or_default()
        .to_owned()
}

/// `DE, DE 254, *`: countries, with the beginning of postal codes where only a part of one is meant.
fn places(zone: &str, text: &str) -> Vec<Zone> {
    let of = |place: &str| {
        let (country, prefix) = place.split_once(char::is_whitespace).unwrap_or((place, ""));
        Zone {
            country: country.to_uppercase(),
            postal_prefix: prefix.trim().to_uppercase(),
            zone: zone.to_owned(),
        }
    };
    text.split([',', ';', '\n']).map(str::trim).filter(|p| !p.is_empty()).map(of).collect()
}

/// Lines such as `1000 3.99`, `1000 g = 3.99` or `2 kg: 5.99`.
fn breaks(zone: &str, text: &str, currency: Option<Currency>) -> Result<Vec<Price>, String> {
    let digits = currency.map_or(2, |c| c.exponent());
    let mut found = Vec::new();
    for (n, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        let says = || format!("Line {}: a weight in grams and a price, such as 1000 3.99.", n + 1);
        let plain = line.replace(['=', ':', ';', '\t'], " ").to_lowercase();
        let (weight, price) = plain.trim().rsplit_once(' ').ok_or_else(says)?;
        let weight = weight.trim();
        let up_to_g = match weight.strip_suffix("kg") {
            Some(kilos) => money::parse_typed(kilos.trim(), 3).ok(),
            None => weight.trim_end_matches('g').trim().parse().ok(),
        };
        let up_to_g = up_to_g.filter(|g| *g > 0).ok_or_else(says)?;
        let price = money::parse_typed(price, digits).map_err(|e| format!("Line {}: {e}.", n + 1))?;
        found.push(Price { zone: zone.to_owned(), up_to_g, price });
    }
    Ok(found)
}

/// Shows one, or the empty form.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadShipping>,
    Params(which): Params<Which>,
) -> Result<Markup, Problem> {
    let sql = app.db.read();
    if which.service.is_empty() {
        let home = inventory::locations(sql).await?.into_iter().find(|l| l.active).map(|l| l.country);
        let sent = Sent {
            carrier: which.carrier,
            origin: home.unwrap_or_default(),
            currency: inventory::base_currency(sql).await?.to_string(),
            divisor: "5000".into(),
            min_days: "1".into(),
            max_days: "3".into(),
            active: "yes".into(),
            ..Sent::default()
        };
        return Ok(page(&caller, &sent, &Errors::new()));
    }
    let cards = rate_cards(sql).await?;
    let found = cards.iter().find(|c| {
        (&c.carrier, &c.service, &c.origin_country) == (&which.carrier, &which.service, &which.origin)
    });
    let card =
        found.ok_or_else(|| Problem::not_found(format!("service {} of {}", which.service, which.carrier)))?;
    Ok(page(&caller, &Sent::of(card), &Errors::new()))
}

fn page(caller: &Caller, sent: &Sent, errors: &Errors) -> Markup {
    let error = |name: &str| errors.get(name).map(String::as_str);
    let new = sent.known.is_empty();
    let back = if sent.carrier.is_empty() { HERE.to_owned() } else { format!("{HERE}/{}", sent.carrier) };
    let text = |label, name, value, hint| {
        h::field(&Field { label, name, value, hint, required: true, error: error(name), ..Field::default() })
    };
    let more = usize::from(sent.zones.is_empty() || sent.action == "more");
    let shown = (sent.zones.len() + more).min(MOST);
    let fixed = |name: &str, value: &str| html! { input type="hidden" name=(name) value=(value); };
    let body = html! {
        @if !errors.is_empty() { (h::alert("danger", "Nothing was saved yet: some fields need another look.")) }
        form method="post" action="/settings/rates" {
            (web::once_again(&sent.once))
            (fixed("known", &sent.known))
            (h::card("Service", html! {
                @if !new { (fixed("carrier", &sent.carrier)) (fixed("service", &sent.service)) (fixed("origin", &sent.origin)) }
                (h::fields([
                    html! { @if new { (text("Carrier", "carrier", &sent.carrier, "Its code, such as post.")) } },
                    html! { @if new { (text("Service", "service", &sent.service, "Its code, such as parcel. Cannot be changed later.")) } },
                    html! { @if new { (text("From country, by name or code", "origin", &sent.origin, "Where parcels start.")) } },
                    text("Name", "name", &sent.name, "For people and on the label."),
                    text("Currency", "currency", &sent.currency, ""),
                    text("Days at least", "min_days", &sent.min_days, ""),
                    text("Days at most", "max_days", &sent.max_days, "A parcel is promised by it when its label is bought."),
                    text("Volumetric divisor (mm³/g)", "divisor", &sent.divisor, "5000 is usual."),
                ]))
                (h::switch("Offered", "active", "yes", !sent.active.is_empty(), "What is not offered stays on labels that were bought."))
            }))
            (h::entry_lines("zones", "", (shown, MOST), |i, n| zone(i, n, sent, errors)))
            @if caller.may::<SetUpShipping>() { div.form-buttons {
                button.btn.btn-primary type="submit" { "Save" }
                (h::more_lines("zones", "Add a zone"))
                a.btn.btn-link href=(back) { "Cancel" }
            } }
        }
    };
    let title = if new { "Add a service".to_owned() } else { format!("{} from {}", sent.name, sent.origin) };
    let screen = Screen::new(caller, title).crumb("Carriers", HERE).narrow();
    let screen = if sent.carrier.is_empty() { screen } else { screen.crumb(sent.carrier.clone(), back) };
    screen.show(body)
}

/// A zone by its number in names and its number for people.
fn zone(i: &str, n: &str, sent: &Sent, errors: &Errors) -> Markup {
    let empty = Typed::default();
    let z = i.parse().ok().and_then(|i: usize| sent.zones.get(i)).unwrap_or(&empty);
    let field = |part: &str, label, kind, value, hint| {
        let name = format!("zones[{i}][{part}]");
        let error = errors.get(&name).map(String::as_str);
        h::field(&Field { label, name: &name, kind, value, hint, error, ..Field::default() })
    };
    let title = if z.name.is_empty() { format!("Zone {n}") } else { format!("Zone {}", z.name) };
    h::card(
        &title,
        html! {
            (h::fields([
                field("name", "Name", "text", &z.name, ""),
                field("places", "Places", "text", &z.places, "Countries, as DE, FR; a beginning of postal codes, as DE 254; * for all others."),
            ]))
            (field("prices", "Prices", "textarea", &z.prices, "One a line: up to how many grams, and the price, as 1000 3.99."))
        },
    )
}

/// Saves it.
pub(super) async fn save(
    State(app): State<App>,
    caller: May<SetUpShipping>,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let again = |sent: &Sent, errors: &Errors| {
        (StatusCode::UNPROCESSABLE_ENTITY, page(&caller, sent, errors)).into_response()
    };
    if sent.action == "more" {
        return Ok(page(&caller, &sent, &Errors::new()).into_response());
    }
    let card = match sent.card() {
        Ok(card) => card,
        Err(errors) => return Ok(again(&sent, &errors)),
    };
    if let Err(refused) = crate::cards::decide_card(&card) {
        let says = refused.to_string();
        return Ok(again(&sent, &Errors::from([(sent.field_of(&refused), says)])));
    }
    if sent.known.is_empty() {
        let there = rate_cards(app.db.read()).await?;
        let same = |c: &RateCard| {
            (&c.carrier, &c.service, &c.origin_country)
                == (&card.carrier, &card.service, &card.origin_country)
        };
        if there.iter().any(|c| same(c)) {
            let says = "There is such a service from there already: open it to change it.".to_owned();
            return Ok(again(&sent, &Errors::from([("service".to_owned(), says)])));
        }
    }
    let key = Key::once(&sent.once, "/settings/rates");
    web::submit!(app, caller, key, "shipping.rates_page", &sent, |tx| {
        single(save_rate_cards(tx, tx.now(), std::slice::from_ref(&card)).await?)?;
        Ok(Reply::empty())
    })?;
    Ok(web::done(format!("{} is saved", card.name)).to(&format!("{HERE}/{}", card.carrier)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_reads_and_is_shown_the_same() {
        let eur: Currency = "EUR".parse().unwrap();
        let price = |up_to_g, price| Price { zone: "eu".into(), up_to_g, price };
        let read = breaks("eu", "1000 3.99\n 2.5 kg: 5.99\n\n5000 g = 7", Some(eur));
        assert_eq!(read, Ok(vec![price(1000, 399), price(2500, 599), price(5000, 700)]));
        for text in ["1000", "x 3.99", "0 1", "1000 3.999", "1000 g"] {
            assert!(breaks("eu", text, Some(eur)).unwrap_err().starts_with("Line 1: "), "{text}");
        }
        let sent = Sent {
            carrier: "post".into(),
            service: "parcel".into(),
            name: "Parcel".into(),
            origin: "DE".into(),
            currency: "EUR".into(),
            divisor: "5000".into(),
            min_days: "1".into(),
            max_days: "3".into(),
            active: "yes".into(),
            known: "yes".into(),
            zones: vec![Typed {
                name: "home".into(),
                places: "DE, DE 254".into(),
                prices: "1000 3.99\n5000 5.99\n".into(),
            }],
            ..Sent::default()
        };
        let card = sent.card().unwrap();
        assert_eq!(Sent::of(&card), sent);
        assert_eq!(card.zones[1].postal_prefix, "254");
        let wrong = Sent { min_days: "soon".into(), ..sent };
        assert_eq!(wrong.card().unwrap_err().into_keys().collect::<Vec<_>>(), ["min_days"]);
    }
}
