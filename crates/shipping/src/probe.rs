//! Whether a carrier answers and has an offer: it is asked what a parcel costs from each place that ships. Nothing is bought or written;
//! what is wrong comes with how to mend it.

use crate::cards::rate_cards;
use crate::carrier::{Answer, Carrier, Carriers, Consignment, Plan};
use crate::rate::{Quote, RateCard};
use crate::webhook;
use contact::address::Address;
use db::Sql;
use inventory::Location;
use kernel::Fault;
use kernel::outside::Outside;
use payments::webhook::Inbox;
use std::sync::Arc;
use web::html::Check;

/// The parcel to ask with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sample {
    /// ISO 3166-1 alpha-2 of where it goes.
    pub country: String,
    /// Its postal code.
    pub postal_code: Option<String>,
    /// Grams.
    pub weight_g: i64,
}

/// What is known of a carrier without asking it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Health {
    /// Whether the secret of its webhooks is set.
    pub secret: bool,
    /// What came in.
    pub inbox: Inbox,
}

/// What is known of a carrier without asking it.
pub(crate) async fn health(sql: &Sql, carrier: &str) -> Result<Health, Fault> {
    Ok(Health {
        secret: db::settings::get::<String>(sql, &webhook::secret_setting(carrier)).await?.is_some(),
        inbox: payments::webhook::inbox(sql, &webhook::source(carrier)).await?,
    })
}

/// Asks the carrier from every place that ships, and tells it with the rest; `None` when there is no such carrier.
///
/// # Errors
/// A fault of the database. That the carrier does not answer is a finding and no error.
pub(crate) async fn probe(
    sql: &Sql,
    carriers: &Carriers,
    outside: &dyn Outside,
    code: &str,
    sample: &Sample,
) -> Result<Option<Vec<Check>>, Fault> {
    let cards: Vec<Arc<RateCard>> =
        rate_cards(sql).await?.into_iter().filter(|c| c.carrier == code).collect();
    let Some(carrier) = carriers.find(code, !cards.is_empty()) else { return Ok(None) };
    let places: Vec<Location> =
        inventory::locations(sql).await?.into_iter().filter(|l| l.active && l.owned()).collect();
    let mut found = Vec::new();
    if places.is_empty() {
        let mend = "Make one under Settings, Locations: parcels have to start somewhere.";
        found.push(Check::bad("No location of yours ships.", mend));
    }
    for place in &places {
        let ask = consignment(code, place, sample, &cards);
        let answer = match carrier.quote(&ask) {
            Plan::Settled(answer) => Ok(answer),
            Plan::Call(call) => outside.call(call).await.map(|answer| {
                refused(answer.status).map_or_else(|| carrier.read_quote(&ask, &answer), Answer::Unknown)
            }),
        };
        found.push(match answer {
            Ok(answer) => offer(place, sample, answer, carrier, &cards),
            Err(no) => Check::bad(
                format!("It could not be reached: {}.", no.0.trim_end_matches('.')),
                "Check that this machine reaches the internet (name resolution, firewall, proxy), then test again.",
            ),
        });
    }
    found.extend(tracking(&health(sql, code).await?));
    Ok(Some(found))
}

fn refused(status: u16) -> Option<String> {
    matches!(status, 401 | 403)
        .then(|| format!("it refused our credentials (status {status}): take a new key from its pages"))
}

fn consignment(code: &str, place: &Location, sample: &Sample, cards: &[Arc<RateCard>]) -> Consignment {
    let to = Address {
        name: "Test".to_owned(),
        country: sample.country.clone(),
        postal_code: sample.postal_code.clone(),
        ..Address::default()
    };
    Consignment {
        carrier: code.to_owned(),
        from: place.address.clone(),
        to,
        weight_g: sample.weight_g,
        dims: None,
        reference: "TEST".to_owned(),
        rate_cards: cards.to_vec(),
    }
}

fn shown(quotes: &[Quote]) -> String {
    let one = |q: &Quote| format!("{} {} in {} to {} days", q.name, q.cost, q.min_days, q.max_days);
    quotes.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// What an answer means. Pure.
fn offer(
    place: &Location,
    sample: &Sample,
    answer: Answer<Vec<Quote>>,
    carrier: &dyn Carrier,
    cards: &[Arc<RateCard>],
) -> Check {
    let way = format!("{} to {}, {} g", place.name, sample.country, sample.weight_g);
    match answer {
        Answer::Done(quotes) if !quotes.is_empty() => Check::good(format!("{way}: {}.", shown(&quotes))),
        Answer::Done(_) if carrier.card().by_rate_cards => {
            Check::warn(format!("{way}: no offer."), why_none(place, sample, cards))
        }
        Answer::Done(_) => Check::warn(
            format!("{way}: it answers, and offers nothing."),
            "It may not serve this way or weight, or your contract with it does not.",
        ),
        Answer::Declined(why) => {
            Check::warn(format!("{way}: it declines: {why}."), "Its own words say what it wants changed.")
        }
        Answer::Unknown(why) => Check::bad(
            format!("{way}: its answer is of no use: {why}."),
            "Test again in a minute. If it stays so, compare with the carrier's status page and your contract.",
        ),
    }
}

/// Why the rate cards have no offer, and what to change.
fn why_none(place: &Location, sample: &Sample, cards: &[Arc<RateCard>]) -> String {
    let active: Vec<_> = cards.iter().filter(|c| c.active).collect();
    if active.is_empty() {
        return "None of its services is offered: open one and tick “Offered”.".to_owned();
    }
    let from: Vec<_> = active.into_iter().filter(|c| c.origin_country == place.country).collect();
    if from.is_empty() {
        return format!("No service starts in {}: add one.", place.country);
    }
    let zones =
        from.iter().filter_map(|c| Some((c, c.zone(&sample.country, sample.postal_code.as_deref())?)));
    let heaviest =
        zones.flat_map(|(c, zone)| c.prices.iter().filter(move |p| p.zone == zone)).map(|p| p.up_to_g).max();
    match heaviest {
        None => format!("{} is in no zone: add it to one, or * for all other countries.", sample.country),
        Some(most) => format!("The heaviest parcel to there weighs {most} g: add a price for more."),
    }
}

/// What tracking says. Pure.
fn tracking(health: &Health) -> Vec<Check> {
    let mut found = vec![match (health.secret, health.inbox.newest) {
        (false, _) => Check::warn(
            "The secret of its webhooks is not set: tracking is entered by hand.",
            "Set it here, and give the carrier the address here.",
        ),
        (true, None) => Check::warn(
            "No tracking has come in yet.",
            "Give the carrier the address here, and have it send a test message.",
        ),
        (true, Some(at)) => Check::good(format!("Tracking comes in; the newest on {at}.")),
    }];
    if health.inbox.waiting > 0 {
        found.push(Check::warn(
            format!("{} tracking messages wait to be applied.", health.inbox.waiting),
            "They are tried again by themselves: they may name parcels we do not know yet.",
        ));
    }
    if let Some(error) = &health.inbox.error {
        found.push(Check::warn(
            format!("{} tracking messages did not read, as: {error}.", health.inbox.failed),
            "They are kept as they came. Compare them with the format below.",
        ));
    }
    found
}
