//! Everything the decisions of a batch need, in one statement each: earlier answers, earlier orders, SKUs, tax rates, locations, the shelf.

use super::check::Checked;
use super::price::LineAsk;
use super::{Outcome, Place, PlaceRefused, Placed, Trust};
use crate::model::{HoldKind, LineId, OrderId};
use crate::routing::{RoutingRule, routing_rules};
use catalog::{Sku, SkuId, TaxRates};
use customers::{Contact, CustomerId, People};
use db::FromRow;
use db::answers::{self, Answer, Recall};
use db::{Rows, Tx};
use inventory::{Location, LocationId, ReservationId, Shelf};
use kernel::{Currency, Fault, Money};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::str::FromStr;
use std::sync::Arc;

/// What earlier calls left.
pub(crate) struct Known {
    answers: HashMap<(String, String), Recall>,
    orders: HashMap<(String, String), Placed>,
}

fn scope(caller: &str) -> String {
    format!("orders.place {caller}")
}

#[derive(FromRow)]
struct ExistingRow {
    id: OrderId,
    number: String,
    channel: String,
    reference: String,
    currency: Currency,
    total: i64,
    units_backordered: i64,
    lines: Option<String>,
    holds: Option<String>,
}

/// Loads answers by key and orders by (channel, reference).
pub(crate) async fn known(tx: &Tx, batch: &[Place]) -> Result<Known, Fault> {
    let mut by_caller: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    let mut references = Rows::new("channel TEXT, reference TEXT");
    for want in batch {
        if let Some(key) = &want.key {
            by_caller.entry(&key.caller).or_default().push((&key.key, &key.hash));
        }
        if let Some(reference) = &want.reference {
            references.push([want.channel.as_str().into(), reference.as_str().into()]);
        }
    }
    let mut known = HashMap::new();
    // One statement per caller: a batch holds the requests of a few API keys at most.
    for (caller, asked) in by_caller {
        let recalled = answers::recall(tx, &scope(caller), &asked).await?;
        known.extend(
            asked
                .iter()
                .zip(recalled)
                .map(|((key, hash), r)| ((format!("{caller} {key}"), (*hash).to_owned()), r)),
        );
    }
    let mut orders = HashMap::new();
    if !references.is_empty() {
        let list = match tx.backend() {
            db::Backend::Postgres => "string_agg",
            db::Backend::Sqlite => "group_concat",
        };
        let text = format!(
            "SELECT o.id, o.number, o.channel, o.reference, o.currency, o.total, o.units_backordered, \
             (SELECT {list}(CAST(l.id AS TEXT), ',') FROM order_line l WHERE l.order_id = o.id) AS lines, \
             (SELECT {list}(h.kind, ',') FROM order_hold h WHERE h.order_id = o.id) AS holds \
             FROM input JOIN orders o ON o.channel = input.channel AND o.reference = input.reference"
        );
        let rows: Vec<ExistingRow> = tx.all_from(&references, &text, []).await?;
        for row in rows {
            orders.insert((row.channel.clone(), row.reference.clone()), row.into_placed()?);
        }
    }
    Ok(Known { answers: known, orders })
}

impl ExistingRow {
    fn into_placed(self) -> Result<Placed, Fault> {
        fn listed<T: FromStr>(list: Option<&str>) -> Result<Vec<T>, Fault>
        where
            T::Err: std::fmt::Display,
        {
            let words = list.unwrap_or_default().split(',').filter(|word| !word.is_empty());
            let read =
                |word: &str| word.parse().map_err(|e| Fault::broken(format!("a stored “{word}”: {e}")));
            words.map(read).collect()
        }
        let mut lines: Vec<LineId> = listed(self.lines.as_deref())?.into_iter().map(LineId).collect();
        lines.sort();
        let holds: Vec<HoldKind> = listed(self.holds.as_deref())?;
        Ok(Placed {
            id: self.id,
            number: self.number,
            total: Money::new(self.total, self.currency),
            lines,
            holds,
            backordered: self.units_backordered,
            existing: true,
        })
    }
}

impl Known {
    /// Answers what is known; notes orders that repeat an earlier one of the same batch as its followers.
    pub(crate) fn answer(
        &self,
        batch: &[Place],
        outcomes: &mut [Option<Outcome>],
        followers: &mut Vec<(usize, usize)>,
    ) -> Result<(), Fault> {
        let mut keys: HashMap<(&str, &str), usize> = HashMap::new();
        let mut references: HashMap<(&str, &str), usize> = HashMap::new();
        for (i, want) in batch.iter().enumerate() {
            if let Some(key) = &want.key {
                let reused = || Some(Err(PlaceRefused::KeyReused { key: key.key.clone() }));
                match self.answers.get(&(format!("{} {}", key.caller, key.key), key.hash.clone())) {
                    Some(Recall::Same { body, .. }) => outcomes[i] = Some(serde_json::from_str(body)?),
                    Some(Recall::Other) => outcomes[i] = reused(),
                    _ => {
                        let first = *keys.entry((&key.caller, &key.key)).or_insert(i);
                        if first != i && batch[first].key.as_ref().is_some_and(|k| k.hash != key.hash) {
                            outcomes[i] = reused();
                        } else if first != i {
                            followers.push((i, first));
                            continue;
                        }
                    }
                }
            }
            let Some(reference) = want.reference.as_ref().filter(|_| outcomes[i].is_none()) else { continue };
            if let Some(placed) = self.orders.get(&(want.channel.clone(), reference.clone())) {
                outcomes[i] = Some(Ok(placed.clone()));
                continue;
            }
            let first = *references.entry((&want.channel, reference)).or_insert(i);
            if first != i {
                followers.push((i, first));
            }
        }
        Ok(())
    }
}

/// Keeps the answers to keys that were new.
pub(crate) async fn remember(
    tx: &Tx,
    batch: &[Place],
    known: &Known,
    outcomes: &[Option<Outcome>],
) -> Result<(), Fault> {
    let mut by_caller: BTreeMap<&str, Vec<Answer>> = BTreeMap::new();
    let mut kept: HashSet<(&str, &str)> = HashSet::new();
    for (want, outcome) in batch.iter().zip(outcomes) {
        let (Some(key), Some(outcome)) = (&want.key, outcome) else { continue };
        let recalled = known.answers.get(&(format!("{} {}", key.caller, key.key), key.hash.clone()));
        if matches!(recalled, Some(Recall::New) | None) && kept.insert((&key.caller, &key.key)) {
            let body = serde_json::to_string(outcome)?;
            let answer = Answer { key: key.key.clone(), hash: key.hash.clone(), status: 0, body };
            by_caller.entry(&key.caller).or_default().push(answer);
        }
    }
    for (caller, answers) in by_caller {
        answers::remember(tx, &scope(caller), &answers).await?;
    }
    Ok(())
}

/// SKUs, prices asked and doubts of an order's lines.
type Lines = (Vec<Arc<Sku>>, Vec<LineAsk>, Option<String>);

/// The part of the world the decisions look at; the shelf changes as they grant.
pub(crate) struct World {
    pub channels: HashSet<String>,
    pub skus: HashMap<String, Arc<Sku>>,
    pub rates: TaxRates,
    pub locations: HashMap<LocationId, Location>,
    pub rules: Vec<RoutingRule>,
    pub shelf: Shelf,
    pub reservations: HashMap<ReservationId, Option<Vec<(SkuId, LocationId, i64)>>>,
    pub people: People,
    /// What they can spend of their store credit, where an order of the batch is to be paid with it.
    pub credit: BTreeMap<(CustomerId, Currency), i64>,
}

/// Loads it, locking the stock rows of every SKU that could be needed.
pub(crate) async fn world(tx: &Tx, batch: &[Place], checked: &[Option<Checked>]) -> Result<World, Fault> {
    let live = || batch.iter().zip(checked).filter(|(_, c)| c.is_some()).map(|(want, _)| want);
    let mut codes: Vec<&str> = live().flat_map(|w| w.lines.iter().map(|l| l.sku.as_str())).collect();
    codes.sort_unstable();
    codes.dedup();
    let skus = catalog::skus_by_code(tx, &codes).await?;
    let mut stocked: Vec<SkuId> = skus.values().flat_map(|s| super::takes(s)).map(|(id, _)| id).collect();
    stocked.sort_unstable();
    stocked.dedup();
    let mut asked: Vec<ReservationId> = live().filter_map(|w| w.reservation).collect();
    asked.sort_unstable();
    asked.dedup();
    let reservations = match asked.is_empty() {
        true => HashMap::new(),
        false => asked.iter().copied().zip(inventory::open_reservations(tx, &asked).await?).collect(),
    };
    let shelf = inventory::lock(tx, &stocked).await?;
    let mut there = shelf.locations();
    there.extend(live().flat_map(|w| w.lines.iter().filter_map(|l| l.location)));
    let mut locations = inventory::locations_by_id(tx, &there).await?;
    locations.retain(|_, location| location.active);
    let contacts: Vec<Contact> =
        batch.iter().zip(checked).filter_map(|(want, c)| c.as_ref().map(|c| c.contact(want))).collect();
    let people = People::load(tx, &contacts).await?;
    let credit = match live().any(|w| w.tenders.iter().any(|t| t.gateway == "store_credit")) {
        true => customers::balances_to_spend(tx, people.ids()).await?,
        false => BTreeMap::new(),
    };
    Ok(World {
        people,
        credit,
        channels: tx.column::<String>("SELECT code FROM channel", []).await?.into_iter().collect(),
        rates: catalog::tax_rates(tx).await?,
        rules: routing_rules(tx).await?,
        locations,
        shelf,
        skus,
        reservations,
    })
}

impl World {
    /// What an order takes of its buyer's store credit.
    pub(crate) fn purse(&self, want: &Place, amounts: &[i64], buyer: &Contact) -> Result<i64, PlaceRefused> {
        let tenders = want.tenders.iter().zip(amounts);
        let spent = tenders.filter(|(t, _)| t.gateway == "store_credit").map(|(_, amount)| amount).sum();
        let known = self.people.known(buyer);
        let balance = known.and_then(|id| self.credit.get(&(id, want.currency))).copied().unwrap_or(0);
        if spent > balance {
            let currency = want.currency.to_string();
            let why = customers::CreditRefused::NotEnough { balance, currency }.to_string();
            let why = payments::OpenRefused::NoCredit { why }.to_string();
            return Err(PlaceRefused::TenderRefused { gateway: "store_credit".to_owned(), why });
        }
        Ok(spent)
    }
    /// The SKUs of an order, what is priced of each line, and what a person must look at.
    pub(crate) fn lines(&self, want: &Place) -> Result<Lines, PlaceRefused> {
        let mut doubt = None;
        let mut skus = Vec::with_capacity(want.lines.len());
        let mut asks = Vec::with_capacity(want.lines.len());
        for (i, line) in want.lines.iter().enumerate() {
            let number = i + 1;
            let code = || line.sku.clone();
            let sku = self
                .skus
                .get(&line.sku)
                .ok_or_else(|| PlaceRefused::UnknownSku { line: number, sku: code() })?;
            if !sku.active {
                return Err(PlaceRefused::InactiveSku { line: number, sku: code() });
            }
            if line.location.is_some_and(|l| !self.locations.contains_key(&l)) {
                return Err(PlaceRefused::UnknownLocation { line: number });
            }
            let unit_price = line.unit_price.or_else(|| sku.price(want.currency)).ok_or_else(|| {
                PlaceRefused::NoPrice { line: number, sku: code(), currency: want.currency }
            })?;
            let to = &want.ship_to;
            let rate_ppm = line
                .tax_rate_ppm
                .or_else(|| self.rates.rate(&to.country, to.region.as_deref(), &sku.tax_class));
            if rate_ppm.is_none() && !self.rates.is_empty() && want.trust != Trust::History {
                let (class, country) = (sku.tax_class.clone(), to.country.clone());
                let refused = PlaceRefused::NoTaxRate { line: number, class, country };
                match want.trust {
                    Trust::Channel => doubt = Some(refused.to_string()),
                    _ => return Err(refused),
                }
            }
            let rate_ppm = rate_ppm.unwrap_or(0);
            asks.push(LineAsk { unit_price, quantity: line.quantity, discount: line.discount, rate_ppm });
            skus.push(Arc::clone(sku));
        }
        Ok((skus, asks, doubt))
    }
}
