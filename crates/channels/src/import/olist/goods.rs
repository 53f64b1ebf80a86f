//! Sellers as suppliers with a location, products as SKUs, people as customers. Invariant: what is there already under its code stays as
//! the merchant has it.

use std::collections::HashMap;

use catalog::{SaveSku, SaveSupplier, SkuKind};
use contact::address::Address;
use db::Tx;
use inventory::{LocationKind, SaveLocation};
use kernel::{Currency, Fault, Money, Timestamp};

use crate::import::drive::{broken, contact, locations, skus};
use crate::import::summary::Counts;
use crate::olist::{Customer, Item, Order, Seller, ShipTo};

/// The price each product last sold for: the nearest to a list price that the files have.
pub(super) struct Prices {
    last: HashMap<String, i64>,
    currency: Currency,
}

impl Prices {
    /// `orders` by time.
    pub(super) fn of(orders: &[Order], currency: Currency) -> Self {
        let lines = orders.iter().flat_map(|order| &order.lines);
        Self { last: lines.map(|line| (line.sku.clone(), line.unit_price)).collect(), currency }
    }
}

/// The first eight characters of an id, for people.
fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

fn address(name: String, city: &str, state: &str, zip: &str) -> Address {
    Address {
        name,
        city: city.to_owned(),
        region: Some(state.to_owned()),
        postal_code: Some(zip.to_owned()),
        country: "BR".to_owned(),
        ..Address::default()
    }
}

/// How a person of the anonymous files is called.
pub(super) fn name(person: &str) -> String {
    format!("Customer {}", short(person))
}

/// Where an order of a person went.
pub(super) fn ship_to(person: &str, to: &ShipTo) -> Address {
    address(name(person), &to.city, &to.state, &to.zip)
}

pub(super) async fn sellers(tx: &Tx, at: i64, sellers: &[Seller], counts: &mut Counts) -> Result<(), Fault> {
    let known = locations(tx, sellers.iter().map(|s| s.id.as_str())).await?;
    let new: Vec<&Seller> = sellers.iter().filter(|seller| !known.contains_key(&seller.id)).collect();
    let named = |seller: &Seller| format!("Seller {}", short(&seller.id));
    let suppliers: Vec<SaveSupplier> =
        new.iter().map(|s| SaveSupplier { at: Timestamp(at), code: s.id.clone(), name: named(s) }).collect();
    let ids = catalog::save_suppliers(tx, &suppliers).await?;
    let place = |(seller, supplier): (&&Seller, catalog::SupplierId)| SaveLocation {
        at: Timestamp(at),
        code: seller.id.clone(),
        name: match &seller.city {
            Some(city) => format!("{} in {city}", named(seller)),
            None => named(seller),
        },
        kind: LocationKind::Supplier,
        supplier: Some(supplier),
        priority: 100,
        address: address(
            named(seller),
            seller.city.as_deref().unwrap_or_default(),
            &seller.state,
            &seller.zip,
        ),
        lat: seller.place.map(|p| p.latitude),
        lon: seller.place.map(|p| p.longitude),
        active: true,
    };
    let places: Vec<SaveLocation> = new.iter().zip(ids).map(place).collect();
    for outcome in inventory::save_locations(tx, &places).await? {
        outcome.map_err(|refused| broken("save the location of a seller", &refused))?;
        counts.suppliers += 1;
    }
    Ok(())
}

pub(super) async fn items(
    tx: &Tx,
    at: i64,
    items: &[Item],
    prices: &Prices,
    counts: &mut Counts,
) -> Result<(), Fault> {
    let known = skus(tx, items.iter().map(|item| item.sku.as_str())).await?;
    let new = items.iter().filter(|item| !known.contains_key(&item.sku));
    let save = |item: &Item| SaveSku {
        at: Timestamp(at),
        code: item.sku.clone(),
        title: item.title.clone(),
        kind: SkuKind::Simple,
        tax_class: "standard".to_owned(),
        barcodes: Vec::new(),
        prices: prices
            .last
            .get(&item.sku)
            .map(|minor| Money::new(*minor, prices.currency))
            .into_iter()
            .collect(),
        weight_g: item.weight_g,
        length_mm: item.dimensions.map(|d| d.length_mm),
        width_mm: item.dimensions.map(|d| d.width_mm),
        height_mm: item.dimensions.map(|d| d.height_mm),
        supplier: None,
        components: Vec::new(),
    };
    let batch: Vec<SaveSku> = new.map(save).collect();
    for outcome in catalog::save_skus(tx, &batch).await? {
        outcome.map_err(|refused| broken("save a product", &refused))?;
        counts.skus += 1;
    }
    Ok(())
}

pub(super) async fn people(tx: &Tx, at: i64, customers: &[Customer]) -> Result<(), Fault> {
    let reach = |c: &Customer| contact(at, name(&c.id), &c.email, ship_to(&c.id, &c.address));
    let contacts: Vec<customers::Contact> = customers.iter().map(reach).collect();
    customers::find_or_create(tx, &contacts).await?;
    Ok(())
}
