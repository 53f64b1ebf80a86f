//! What an order would come to, while it is typed: the prices, taxes and sums of placing, without taking anything and without a lock.
//! Invariant: the money is computed by the same pure function as when the order is placed.

use super::price::{LineAsk, LineMoney, OrderAsk, Unpriceable, decide};
use catalog::Sku;
use db::Sql;
use inventory::read::Free;
use kernel::{Currency, Fault};
use std::collections::HashMap;
use std::sync::Arc;

/// A line as it is typed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wish {
    /// Code or barcode.
    pub sku: String,
    pub quantity: i64,
    pub unit_price: Option<i64>,
}

/// An order as it is typed.
#[derive(Debug, Clone)]
pub(crate) struct Draft<'a> {
    pub lines: &'a [Wish],
    pub currency: Currency,
    pub inclusive: bool,
    pub country: &'a str,
    pub region: Option<&'a str>,
    pub discount: i64,
    pub shipping: i64,
}

/// A line with what is known of it.
pub(crate) struct EstimatedLine {
    pub sku: Option<Arc<Sku>>,
    pub unit_price: Option<i64>,
    /// Where units are free, and how many; for a bundle, whole ones.
    pub free: Vec<(String, i64)>,
    pub incoming: i64,
    pub money: LineMoney,
    /// What is wrong with it.
    pub trouble: Option<String>,
}

/// What it comes to.
pub(crate) struct Estimate {
    pub lines: Vec<EstimatedLine>,
    /// What is wrong with all of it.
    pub trouble: Option<String>,
    /// Whether every line has its tax rate and price.
    pub complete: bool,
}

impl Estimate {
    pub fn sum(&self, part: impl Fn(&LineMoney) -> i64) -> i64 {
        self.lines.iter().map(|l| part(&l.money)).sum()
    }
}

/// What an order would come to.
pub(crate) async fn estimate(sql: &Sql, draft: &Draft<'_>) -> Result<Estimate, Fault> {
    let texts: Vec<&str> = draft.lines.iter().map(|l| l.sku.as_str()).collect();
    let meant = catalog::skus_by_scan(sql, &texts).await?;
    let ids: Vec<catalog::SkuId> = meant.values().copied().collect();
    let skus = catalog::skus_by_id(sql, &ids).await?;
    let mut stocked: Vec<catalog::SkuId> = skus.values().flat_map(|s| s.takes()).map(|(id, _)| id).collect();
    stocked.sort_unstable();
    stocked.dedup();
    let free = inventory::read::free(sql, &stocked).await?;
    let rates = catalog::tax_rates(sql).await?;
    let mut lines = Vec::with_capacity(draft.lines.len());
    let mut asks = Vec::new();
    for wish in draft.lines {
        let sku = meant.get(&wish.sku).and_then(|id| skus.get(id)).cloned();
        let (line, ask) = line(wish, sku, draft, &rates, &free);
        if let Some(ask) = ask {
            asks.push((lines.len(), ask));
        }
        lines.push(line);
    }
    let complete = lines.iter().all(|l| l.trouble.is_none()) && !asks.is_empty();
    let order = OrderAsk {
        inclusive: draft.inclusive,
        discount: draft.discount,
        shipping: draft.shipping,
        shipping_rate_ppm: None,
        fee: 0,
    };
    let plain: Vec<LineAsk> = asks.iter().map(|(_, ask)| *ask).collect();
    let trouble = match decide(&order, &plain) {
        _ if plain.is_empty() => None,
        Ok(money) => {
            for ((i, _), money) in asks.iter().zip(money) {
                lines[*i].money = money;
            }
            None
        }
        Err(Unpriceable::OrderDiscount) => Some("The discount is larger than the goods.".to_owned()),
        Err(_) => Some("These amounts are too large to be real.".to_owned()),
    };
    Ok(Estimate { lines, trouble, complete })
}

/// A line, and what is priced of it where it can be. Pure.
fn line(
    wish: &Wish,
    sku: Option<Arc<Sku>>,
    draft: &Draft<'_>,
    rates: &catalog::TaxRates,
    free: &[Free],
) -> (EstimatedLine, Option<LineAsk>) {
    let mut line = EstimatedLine {
        unit_price: None,
        free: Vec::new(),
        incoming: 0,
        money: LineMoney::default(),
        trouble: None,
        sku,
    };
    let Some(sku) = line.sku.clone() else {
        line.trouble = Some(format!("We do not sell “{}”.", wish.sku));
        return (line, None);
    };
    if !sku.active {
        line.trouble = Some("It is no longer sold.".to_owned());
    }
    (line.free, line.incoming) = shelves(&sku, free);
    line.unit_price = wish.unit_price.or_else(|| sku.price(draft.currency));
    let rate = match rates.is_empty() {
        true => Some(0),
        false => rates.rate(draft.country, draft.region, &sku.tax_class),
    };
    let Some(unit_price) = line.unit_price else {
        line.trouble = Some(format!("It has no price in {}: type one.", draft.currency));
        return (line, None);
    };
    if rate.is_none() && !draft.country.is_empty() {
        line.trouble =
            Some(format!("There is no tax rate of class “{}” for {}.", sku.tax_class, draft.country));
    }
    let ask = LineAsk { unit_price, quantity: wish.quantity, discount: 0, rate_ppm: rate.unwrap_or(0) };
    (line, (wish.quantity > 0).then_some(ask))
}

/// Where whole units are free, and what is expected.
fn shelves(sku: &Sku, free: &[Free]) -> (Vec<(String, i64)>, i64) {
    let takes = sku.takes();
    let mut places: HashMap<&str, (i64, Vec<(catalog::SkuId, i64)>)> = HashMap::new();
    for row in free.iter().filter(|f| takes.iter().any(|(id, _)| *id == f.sku_id)) {
        let place = places.entry(&row.location).or_insert((row.priority, Vec::new()));
        place.1.push((row.sku_id, row.available.max(0)));
    }
    let whole = |have: &[(catalog::SkuId, i64)]| {
        let of = |id| have.iter().find(|(have, _)| *have == id).map_or(0, |(_, n)| *n);
        takes.iter().map(|(id, pieces)| of(*id) / pieces).min().unwrap_or(0)
    };
    let mut found: Vec<(i64, String, i64)> =
        places.iter().map(|(name, (priority, have))| (*priority, (*name).to_owned(), whole(have))).collect();
    found.sort();
    let incoming = match takes.as_slice() {
        [(id, _)] => free.iter().filter(|f| f.sku_id == *id).map(|f| f.incoming).sum(),
        _ => 0,
    };
    (found.into_iter().filter(|(_, _, n)| *n > 0).map(|(_, name, n)| (name, n)).collect(), incoming)
}

/// What a line comes to.
pub(crate) fn total(money: &LineMoney) -> i64 {
    money.total()
}
