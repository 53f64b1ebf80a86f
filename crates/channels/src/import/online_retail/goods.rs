//! The wholesaler's catalogue, its warehouse and what lay there before the first invoice. Invariant: what is there already stays as the
//! merchant has it; of stock only what is missing comes in.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use catalog::{SaveSku, SkuKind};
use contact::address::Address;
use db::{FromRow, Rows, Tx};
use inventory::{LocationId, LocationKind, Receive, SaveLocation};
use kernel::{Currency, Fault, Money, Timestamp};

use super::{Retail, WAREHOUSE, chunks};
use crate::decimal::divide_half_even;
use crate::import::drive::{self, broken, locations, skus};
use crate::import::summary::Counts;
use crate::online_retail::{Document, Item, LineKind, SaleLine};

fn sale_lines(documents: &[Document]) -> impl Iterator<Item = &SaleLine> {
    fn lines(document: &Document) -> &[SaleLine] {
        match document {
            Document::Sale(sale) => &sale.lines,
            _ => &[],
        }
    }
    documents.iter().flat_map(lines)
}

pub(super) async fn items(
    tx: &Tx,
    at: i64,
    items: &[Item],
    documents: &[Document],
    currency: Currency,
    counts: &mut Counts,
) -> Result<(), Fault> {
    let known = skus(tx, items.iter().map(|item| &*item.sku)).await?;
    // The price it last sold for: the nearest to a list price that the file has.
    let prices: HashMap<&Arc<str>, i64> =
        sale_lines(documents).filter(|l| l.unit_price > 0).map(|l| (&l.sku, l.unit_price)).collect();
    let save = |item: &Item| SaveSku {
        at: Timestamp(at),
        code: item.sku.to_string(),
        title: item.title.to_string(),
        kind: match item.kind {
            LineKind::Goods => SkuKind::Simple,
            LineKind::GiftVoucher => SkuKind::Service,
        },
        tax_class: "standard".to_owned(),
        barcodes: Vec::new(),
        prices: prices.get(&item.sku).map(|minor| Money::new(*minor, currency)).into_iter().collect(),
        weight_g: None,
        length_mm: None,
        width_mm: None,
        height_mm: None,
        supplier: None,
        components: Vec::new(),
    };
    let batch: Vec<SaveSku> = items.iter().filter(|item| !known.contains_key(&*item.sku)).map(save).collect();
    for outcome in catalog::save_skus(tx, &batch).await? {
        outcome.map_err(|refused| broken("save a product", &refused))?;
        counts.skus += 1;
    }
    Ok(())
}

async fn warehouse(tx: &Tx, at: i64) -> Result<LocationId, Fault> {
    if let Some(id) = locations(tx, std::iter::once(WAREHOUSE)).await?.get(WAREHOUSE) {
        return Ok(*id);
    }
    let place = SaveLocation {
        at: Timestamp(at),
        code: WAREHOUSE.to_owned(),
        name: "Warehouse of Online Retail".to_owned(),
        kind: LocationKind::Warehouse,
        supplier: None,
        priority: 100,
        address: Address { name: "Online Retail".to_owned(), country: "GB".to_owned(), ..Address::default() },
        lat: None,
        lon: None,
        active: true,
    };
    let mut saved = inventory::save_locations(tx, &[place]).await?;
    let saved = saved.pop().ok_or_else(|| Fault::broken("a location without outcome"))?;
    saved.map_err(|refused| broken("save the warehouse", &refused))
}

#[derive(FromRow)]
struct Free {
    code: String,
    free: i64,
}

/// Receives what the new documents need and is not there.
pub(super) async fn open(
    tx: &Tx,
    at: i64,
    retail: &Retail,
    known: &HashSet<String>,
    counts: &mut Counts,
) -> Result<(), Fault> {
    let location = warehouse(tx, at).await?;
    let documents = &retail.plan.documents;
    let needed: BTreeMap<Arc<str>, i64> = match known.is_empty() {
        true => retail.plan.stock.iter().map(|o| (Arc::clone(&o.sku), o.quantity)).collect(),
        false => chunks::needed(documents, &retail.documents, |i| !known.contains(&retail.references[i])),
    };
    let ids = skus(tx, needed.keys().map(|sku| &**sku)).await?;
    let mut asked = Rows::new("id BIGINT");
    for id in ids.values() {
        asked.push([(*id).into()]);
    }
    let text = "SELECT k.code, s.on_hand - s.allocated AS free FROM input JOIN stock s ON s.sku_id = input.id AND s.location_id = $1 \
        JOIN sku k ON k.id = s.sku_id";
    let free: Vec<Free> = tx.all_from(&asked, text, [location.into()]).await?;
    let free: HashMap<String, i64> = free.into_iter().map(|row| (row.code, row.free)).collect();
    let costs = costs(documents, retail.cost_percent);
    let receive = |(sku, needed): (&Arc<str>, &i64)| {
        let quantity = needed - free.get(&**sku).copied().unwrap_or(0);
        let id = ids.get(&**sku).copied().filter(|_| quantity > 0)?;
        let unit_cost = costs.get(sku).copied().unwrap_or(0);
        let reference = Some("opening stock".to_owned());
        Some(Receive { at: Timestamp(at), sku: id, location, quantity, unit_cost, reference })
    };
    let batch: Vec<Receive> = needed.iter().filter_map(receive).collect();
    drive::receive(tx, &batch, counts).await
}

/// A percentage of the average price of every SKU, in pence.
fn costs(documents: &[Document], percent: u32) -> HashMap<&Arc<str>, i64> {
    let mut sold: HashMap<&Arc<str>, (i128, i128)> = HashMap::new();
    for line in sale_lines(documents) {
        let entry = sold.entry(&line.sku).or_default();
        *entry = (entry.0 + i128::from(line.amount()), entry.1 + i128::from(line.quantity));
    }
    let cost =
        |(amount, units): (i128, i128)| divide_half_even(amount * i128::from(percent), units.max(1) * 100);
    sold.into_iter().map(|(sku, sums)| (sku, i64::try_from(cost(sums)).unwrap_or_default())).collect()
}
