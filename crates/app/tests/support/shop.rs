//! A small shop for tests: what is sold, where it lies, what carriers charge. Made by the slices' own commands.

use catalog::{SaveSku, SetTaxRate, SkuId, SkuKind};
use contact::address::Address;
use db::Db;
use inventory::{LocationId, LocationKind, Receive, SaveLocation};
use kernel::{Actor, Currency, Money, Timestamp};
use serde_json::{Value, json};
use shipping::RateCard;
use shipping::rate::{Price, Zone};
use std::collections::HashMap;

/// The ids of the shop.
#[derive(Debug, Clone)]
pub struct Shop {
    /// By code.
    pub skus: HashMap<String, SkuId>,
    /// The warehouse.
    pub warehouse: LocationId,
}

/// Simple SKUs TEE (20.00 EUR) and CAP (15.00 EUR), and the bundle SET of one each (30.00 EUR); so many units of each lie in one
/// warehouse in Berlin.
pub async fn open(db: &Db, units: i64) -> Shop {
    let at = db.now();
    let eur: Currency = "EUR".parse().unwrap();
    let skus = [
        sku(at, "TEE", Money::new(2000, eur), Some("4006381333931"), &[]),
        sku(at, "CAP", Money::new(1500, eur), Some("4006381333948"), &[]),
        sku(at, "SET", Money::new(3000, eur), None, &[("TEE", 1), ("CAP", 1)]),
    ];
    let place = SaveLocation {
        at,
        code: "BER".into(),
        name: "Berlin".into(),
        kind: LocationKind::Warehouse,
        supplier: None,
        priority: 10,
        address: address("Fulmar Test"),
        lat: None,
        lon: None,
        active: true,
    };
    let card = RateCard {
        carrier: "post".into(),
        service: "parcel".into(),
        name: "Parcel".into(),
        origin_country: "DE".into(),
        currency: eur,
        dim_divisor: 5000,
        min_days: 1,
        max_days: 3,
        active: true,
        zones: vec![Zone { country: "*".into(), postal_prefix: String::new(), zone: "all".into() }],
        prices: vec![Price { zone: "all".into(), up_to_g: 31_500, price: 499 }],
    };
    let rate = SetTaxRate { country: "DE".into(), region: None, class: "standard".into(), rate_ppm: 190_000 };
    let (ids, warehouse) = db::write!(db, &Actor::system("test"), |tx| {
        catalog::set_tax_rates(tx, std::slice::from_ref(&rate)).await?;
        let ids: Vec<SkuId> = catalog::save_skus(tx, &skus).await?.into_iter().map(Result::unwrap).collect();
        let warehouse = inventory::save_locations(tx, std::slice::from_ref(&place)).await?.remove(0).unwrap();
        shipping::save_rate_cards(tx, at, std::slice::from_ref(&card)).await?.remove(0).unwrap();
        let receipts: Vec<Receive> = [(ids[0], 700), (ids[1], 500)]
            .into_iter()
            .map(|(sku, unit_cost)| Receive {
                at,
                sku,
                location: warehouse,
                quantity: units,
                unit_cost,
                reference: None,
            })
            .collect();
        for outcome in inventory::receive(tx, &receipts).await? {
            outcome.unwrap();
        }
        Ok((ids, warehouse))
    })
    .unwrap();
    Shop { skus: ["TEE", "CAP", "SET"].into_iter().map(str::to_owned).zip(ids).collect(), warehouse }
}

fn sku(
    at: Timestamp,
    code: &str,
    price: Money,
    barcode: Option<&str>,
    components: &[(&str, i64)],
) -> SaveSku {
    SaveSku {
        at,
        code: code.into(),
        title: format!("The {code}"),
        kind: if components.is_empty() { SkuKind::Simple } else { SkuKind::Bundle },
        tax_class: "standard".into(),
        barcodes: barcode.into_iter().map(str::to_owned).collect(),
        prices: vec![price],
        weight_g: Some(250),
        length_mm: None,
        width_mm: None,
        height_mm: None,
        supplier: None,
        components: components.iter().map(|(c, n)| ((*c).to_owned(), *n)).collect(),
    }
}

fn address(name: &str) -> Address {
    Address {
        name: name.into(),
        line1: "Torstraße 1".into(),
        postal_code: Some("10119".into()),
        city: "Berlin".into(),
        country: "DE".into(),
        ..Address::default()
    }
}

/// An order as the API takes it: paid by a good card at once, tax included, 4.90 EUR of shipping. Each `who` is another customer.
pub fn order(who: &str, lines: &[(&str, i64)]) -> Value {
    let lines: Vec<Value> =
        lines.iter().map(|(sku, quantity)| json!({"sku": sku, "quantity": quantity})).collect();
    json!({
        "buyer": {"name": "Ada Lovelace", "email": format!("{who}@example.com")},
        "ship_to": address("Ada Lovelace"),
        "currency": "EUR",
        "tax_inclusive": true,
        "lines": lines,
        "shipping": 490,
        "tenders": [{"gateway": "sandbox", "method": "card", "token": "tok_ok", "capture": true}],
    })
}
