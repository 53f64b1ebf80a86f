//! What carriers ask for parcels: all offers, cheapest first.
//!
//! Invariant: a quote changes nothing and is no promise; the price that counts is the one the label is bought for.

use crate::cards::rate_cards;
use crate::carrier::{Answer, Carriers, Consignment, Plan};
use crate::rate::{Quote, RateCard, compare};
use contact::address::Address;
use db::{FromRow, Rows, Sql};
use kernel::outside::Outside;
use kernel::{Currency, Fault};
use orders::OrderId;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use warehouse::ParcelId;

kernel::refusals! {
    /// Why there is no quote.
    pub enum QuoteRefused {
        UnknownParcel { parcel: ParcelId } => NotFound, "shipping.unknown_parcel", "There is no parcel {parcel}.";
        Unpacked { parcel: ParcelId } => Conflict, "shipping.unpacked", "{parcel} was taken apart.";
    }
}

/// A parcel on its way to the customer, as labels and quotes need it.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    pub order: OrderId,
    pub currency: Currency,
    pub unpacked: bool,
    pub on_hold: bool,
    /// Without carrier and rate cards.
    pub consignment: Consignment,
}

#[derive(FromRow)]
struct BoundRow {
    id: ParcelId,
    order_id: OrderId,
    currency: Currency,
    unpacked: bool,
    on_hold: bool,
    from_address: String,
    from_country: String,
    ship_to: String,
    weight_g: i64,
    length_mm: Option<i64>,
    width_mm: Option<i64>,
    height_mm: Option<i64>,
    number: String,
}

/// Parcels with where they come from and go to; unknown ids are left out.
pub(crate) async fn bound(
    sql: &Sql,
    parcels: impl IntoIterator<Item = ParcelId>,
) -> Result<HashMap<ParcelId, Bound>, Fault> {
    let mut input = Rows::new("id BIGINT");
    for id in parcels.into_iter().collect::<BTreeSet<_>>() {
        input.push([id.into()]);
    }
    let text = "SELECT p.id, p.order_id, o.currency, (p.unpacked_at IS NOT NULL) AS unpacked, (o.holds > 0) AS on_hold, \
         l.address AS from_address, l.country AS from_country, o.ship_to, p.weight_g, p.length_mm, p.width_mm, p.height_mm, o.number \
         FROM parcel p JOIN input ON input.id = p.id JOIN orders o ON o.id = p.order_id JOIN location l ON l.id = p.location_id";
    let mut of = HashMap::new();
    for row in sql.all_from::<BoundRow>(&input, text, []).await? {
        let mut from: Address = serde_json::from_str(&row.from_address)?;
        from.country = row.from_country;
        let consignment = Consignment {
            carrier: String::new(),
            from,
            to: serde_json::from_str(&row.ship_to)?,
            weight_g: row.weight_g,
            dims: row.length_mm.zip(row.width_mm).zip(row.height_mm).map(|((l, w), h)| (l, w, h)),
            reference: row.number,
            rate_cards: Vec::new(),
        };
        let bound = Bound {
            order: row.order_id,
            currency: row.currency,
            unpacked: row.unpacked,
            on_hold: row.on_hold,
            consignment,
        };
        of.insert(row.id, bound);
    }
    Ok(of)
}

/// A consignment as a carrier sees it: its code, and its rate cards.
pub fn for_carrier(consignment: &Consignment, carrier: &str, cards: &[Arc<RateCard>]) -> Consignment {
    let rate_cards = cards.iter().filter(|c| c.carrier == carrier).cloned().collect();
    Consignment { carrier: carrier.to_owned(), rate_cards, ..consignment.clone() }
}

/// Every carrier code that could answer: those with a connector of their own, and those that have rate cards.
fn codes(carriers: &Carriers, cards: &[Arc<RateCard>]) -> BTreeSet<String> {
    let own = carriers.0.iter().map(|c| c.card()).filter(|c| !c.by_rate_cards).map(|c| c.code.to_owned());
    own.chain(cards.iter().map(|c| c.carrier.clone())).collect()
}

/// What the carriers that need no call ask for parcels, cheapest first; one outcome each, in order.
///
/// # Errors
/// A fault of the database.
pub async fn quote(
    sql: &Sql,
    carriers: &Carriers,
    parcels: &[ParcelId],
) -> Result<Vec<Result<Vec<Quote>, QuoteRefused>>, Fault> {
    let asked = asked(sql, parcels).await?;
    let home = inventory::base_currency(sql).await?;
    Ok(asked
        .into_iter()
        .map(|asked| {
            let (consignment, cards) = asked?;
            let mut quotes = settled(carriers, &consignment, &cards);
            quotes.sort_by(|a, b| compare(home, a, b));
            Ok(quotes)
        })
        .collect())
}

/// What the carriers that need no call ask for a consignment.
pub fn settled(carriers: &Carriers, consignment: &Consignment, cards: &[Arc<RateCard>]) -> Vec<Quote> {
    let mut quotes = Vec::new();
    for code in codes(carriers, cards) {
        let ask = for_carrier(consignment, &code, cards);
        if let Some(carrier) = carriers.find(&code, !ask.rate_cards.is_empty())
            && let Plan::Settled(Answer::Done(some)) = carrier.quote(&ask)
        {
            quotes.extend(some);
        }
    }
    quotes
}

/// What all carriers ask for a parcel, cheapest first. Calls those that have to be called, so never inside a transaction; one that does
/// not answer, or not so that it reads, makes no offer.
///
/// # Errors
/// A fault of the database.
pub async fn quote_everywhere(
    sql: &Sql,
    carriers: &Carriers,
    outside: &dyn Outside,
    parcel: ParcelId,
) -> Result<Result<Vec<Quote>, QuoteRefused>, Fault> {
    let (consignment, cards) = match asked(sql, &[parcel]).await?.pop() {
        Some(Ok(asked)) => asked,
        Some(Err(refused)) => return Ok(Err(refused)),
        None => return Ok(Err(QuoteRefused::UnknownParcel { parcel })),
    };
    let mut quotes = Vec::new();
    for code in codes(carriers, &cards) {
        let ask = for_carrier(&consignment, &code, &cards);
        let Some(carrier) = carriers.find(&code, !ask.rate_cards.is_empty()) else { continue };
        let answer = match carrier.quote(&ask) {
            Plan::Settled(answer) => Ok(answer),
            Plan::Call(call) => outside.call(call).await.map(|answer| carrier.read_quote(&ask, &answer)),
        };
        match answer {
            Ok(Answer::Done(some)) => quotes.extend(some),
            Ok(Answer::Declined(why) | Answer::Unknown(why)) => {
                tracing::info!(carrier = code, why, "no offer")
            }
            Err(no) => tracing::warn!(carrier = code, why = no.0, "no offer"),
        }
    }
    let home = inventory::base_currency(sql).await?;
    quotes.sort_by(|a, b| compare(home, a, b));
    Ok(Ok(quotes))
}

type Asked = Result<(Consignment, Vec<Arc<RateCard>>), QuoteRefused>;

async fn asked(sql: &Sql, parcels: &[ParcelId]) -> Result<Vec<Asked>, Fault> {
    let cards = rate_cards(sql).await?;
    let bound = bound(sql, parcels.iter().copied()).await?;
    Ok(parcels
        .iter()
        .map(|parcel| match bound.get(parcel) {
            None => Err(QuoteRefused::UnknownParcel { parcel: *parcel }),
            Some(b) if b.unpacked => Err(QuoteRefused::Unpacked { parcel: *parcel }),
            Some(b) => Ok((b.consignment.clone(), cards.clone())),
        })
        .collect())
}
