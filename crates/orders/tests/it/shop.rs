//! A small shop to test orders in: SKUs, two warehouses, stock, and shorthand for placing.

use catalog::{SaveSku, SkuId, SkuKind};
use contact::address::Address;
use db::testing::TestDb;
use db::{Law, Options, Tx};
use inventory::{LocationId, LocationKind, Receive, SaveLocation};
use kernel::{Actor, Currency, Fault, Money, Timestamp};
use orders::{Buyer, IfOutOfStock, Outcome, Place, Tender, Trust, WantedLine};
use std::collections::HashMap;

pub fn options() -> Options {
    Options { reactions: orders::REACTIONS.to_vec(), ..Options::default() }
}

pub fn actor() -> Actor {
    Actor::of("user", "test")
}

pub fn eur() -> Currency {
    "EUR".parse().unwrap()
}

pub struct Shop {
    pub db: TestDb,
    pub skus: HashMap<&'static str, SkuId>,
    pub berlin: LocationId,
    pub madrid: LocationId,
}

fn address(country: &str, postal_code: &str, city: &str) -> Address {
    Address {
        name: "Ada Example".into(),
        line1: "Street 1".into(),
        city: city.into(),
        postal_code: Some(postal_code.into()),
        country: country.into(),
        ..Address::default()
    }
}

fn sku(code: &str, kind: SkuKind, price: i64, components: &[(&str, i64)]) -> SaveSku {
    SaveSku {
        at: db::testing::BEGIN,
        code: code.into(),
        title: format!("The {code}"),
        kind,
        tax_class: "standard".into(),
        barcodes: vec![],
        prices: vec![Money::new(price, eur())],
        weight_g: Some(100),
        length_mm: None,
        width_mm: None,
        height_mm: None,
        supplier: None,
        components: components.iter().map(|(c, n)| ((*c).to_owned(), *n)).collect(),
    }
}

fn location(code: &str, priority: i64, address: Address) -> SaveLocation {
    SaveLocation {
        at: db::testing::BEGIN,
        code: code.into(),
        name: code.into(),
        kind: LocationKind::Warehouse,
        supplier: None,
        priority,
        address,
        lat: None,
        lon: None,
        active: true,
    }
}

impl Shop {
    /// A shop with A, B, the bundle AB (2 A + 1 B), the service WRAP; no stock.
    pub async fn open(db: TestDb) -> Self {
        let saves = [
            sku("A", SkuKind::Simple, 1000, &[]),
            sku("B", SkuKind::Simple, 333, &[]),
            sku("AB", SkuKind::Bundle, 2100, &[("A", 2), ("B", 1)]),
            sku("WRAP", SkuKind::Service, 250, &[]),
        ];
        let places = [
            location("berlin", 1, address("DE", "10115", "Berlin")),
            location("madrid", 2, address("ES", "28001", "Madrid")),
        ];
        let (ids, locations) = db::write!(db, &actor(), |tx| {
            let ids = catalog::save_skus(tx, &saves).await?;
            Ok((ids, inventory::save_locations(tx, &places).await?))
        })
        .unwrap();
        let ids: Vec<SkuId> = ids.into_iter().map(Result::unwrap).collect();
        let locations: Vec<LocationId> = locations.into_iter().map(Result::unwrap).collect();
        let skus = ["A", "B", "AB", "WRAP"].into_iter().zip(ids).collect();
        Self { db, skus, berlin: locations[0], madrid: locations[1] }
    }

    pub async fn receive(&self, sku: &str, location: LocationId, quantity: i64) {
        let receive = Receive {
            at: self.db.now(),
            sku: self.skus[sku],
            location,
            quantity,
            unit_cost: 400,
            reference: None,
        };
        let done = self.write(async |tx| inventory::receive(tx, std::slice::from_ref(&receive)).await).await;
        done.into_iter().for_each(|d| d.unwrap());
    }

    pub async fn write<T>(&self, body: impl AsyncFn(&Tx) -> Result<T, Fault>) -> T {
        db::write!(self.db.db, &actor(), |tx| body(tx).await).unwrap()
    }

    pub async fn place(&self, wants: &[Place]) -> Vec<Outcome> {
        self.write(async |tx| orders::place(tx, wants).await).await
    }

    pub async fn number(&self, sql: &str) -> i64 {
        self.db.read().scalar(sql, []).await.unwrap().unwrap()
    }

    pub async fn text(&self, sql: &str) -> String {
        self.db.read().scalar(sql, []).await.unwrap().unwrap()
    }

    /// Every law of every slice that orders can reach.
    pub async fn check(&self) {
        let laws: Vec<&Law> = [
            orders::LAWS,
            inventory::laws::LAWS,
            catalog::laws::LAWS,
            customers::laws::LAWS,
            payments::laws::LAWS,
        ]
        .into_iter()
        .flatten()
        .collect();
        for law in laws {
            let offenders = db::laws::check(self.db.read(), law).await.unwrap();
            assert!(offenders.is_empty(), "{} broke {}: {offenders:?}", self.db.name, law.name);
        }
    }
}

/// An order of some SKUs by one of many customers, to be paid later.
pub fn want(at: Timestamp, customer: u32, lines: &[(&str, i64)]) -> Place {
    Place {
        at,
        by: actor(),
        key: None,
        channel: "api".into(),
        reference: None,
        buyer: Buyer {
            name: format!("Customer {customer}"),
            email: Some(format!("c{customer}@example.com")),
            phone: None,
            ip: None,
        },
        ship_to: address("DE", "26133", "Oldenburg"),
        ship_to_geo: None,
        bill_to: None,
        currency: eur(),
        tax_inclusive: true,
        lines: lines
            .iter()
            .map(|(sku, quantity)| WantedLine {
                sku: (*sku).to_owned(),
                quantity: *quantity,
                unit_price: None,
                discount: 0,
                tax_rate_ppm: Some(190_000),
                location: None,
            })
            .collect(),
        discount: 0,
        shipping: 0,
        shipping_tax_ppm: None,
        fee: 0,
        if_out_of_stock: IfOutOfStock::Refuse,
        tenders: vec![],
        pay_later: true,
        express: false,
        gift_note: None,
        note: None,
        tags: vec![],
        promised_at: None,
        reservation: None,
        exchange_of: None,
        trust: Trust::Check,
    }
}

pub fn tender(gateway: &str, method: &str, amount: Option<i64>) -> Tender {
    Tender {
        gateway: gateway.into(),
        method: method.into(),
        token: None,
        amount,
        capture: false,
        paid_at: None,
        reference: None,
    }
}
