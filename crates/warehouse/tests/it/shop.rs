//! A small merchant to test fulfilment with: two warehouses of his own, a logistics company, two suppliers, and what they hold.

use catalog::{SaveSku, SaveSupplier, SkuId, SkuKind};
use contact::address::Address;
use db::testing::{BEGIN, TestDb, both};
use db::{Law, Options, Tx};
use inventory::{LocationId, LocationKind, Receive, SaveLocation};
use kernel::{Actor, Currency, Fault, Money, Timestamp};
use orders::{Buyer, IfOutOfStock, OrderId, Place, Placed, Trust, WantedLine};
use std::collections::HashMap;
use warehouse::{Fulfilment, FulfilmentId, Pack, ParcelId, Pick, Release, What};

pub const BARCODE_OF_A: &str = "4006381333931";

pub struct Shop {
    pub db: TestDb,
    pub skus: HashMap<&'static str, SkuId>,
    pub berlin: LocationId,
    pub madrid: LocationId,
    pub hub: LocationId,
    pub sam: LocationId,
    pub sue: LocationId,
}

pub fn actor() -> Actor {
    Actor::of("user", "test")
}

pub fn eur() -> Currency {
    "EUR".parse().unwrap()
}

pub fn address(country: &str, postal_code: &str, city: &str) -> Address {
    Address {
        name: "Ada Example".into(),
        line1: "Street 1".into(),
        city: city.into(),
        postal_code: Some(postal_code.into()),
        country: country.into(),
        ..Address::default()
    }
}

fn sku(code: &str, kind: SkuKind, weight_g: Option<i64>, components: &[(&str, i64)]) -> SaveSku {
    SaveSku {
        at: BEGIN,
        code: code.into(),
        title: format!("The {code}"),
        kind,
        tax_class: "standard".into(),
        barcodes: if code == "A" { vec![BARCODE_OF_A.into()] } else { vec![] },
        prices: vec![Money::new(1000, eur())],
        weight_g,
        length_mm: None,
        width_mm: None,
        height_mm: None,
        supplier: None,
        components: components.iter().map(|(c, n)| ((*c).to_owned(), *n)).collect(),
    }
}

/// A merchant on each database.
pub async fn shops() -> Vec<Shop> {
    let mut reactions = orders::REACTIONS.to_vec();
    reactions.push(warehouse::FOLLOW_ORDERS);
    let mut shops = Vec::new();
    for db in both(|| Options { reactions: reactions.clone(), ..Options::default() }).await {
        shops.push(Shop::open(db).await);
    }
    shops
}

impl Shop {
    async fn open(db: TestDb) -> Self {
        let saves = [
            sku("A", SkuKind::Simple, Some(100), &[]),
            sku("B", SkuKind::Simple, Some(250), &[]),
            sku("AB", SkuKind::Bundle, None, &[("A", 2), ("B", 1)]),
            sku("D", SkuKind::Simple, Some(900), &[]),
            sku("WRAP", SkuKind::Service, None, &[]),
        ];
        let suppliers =
            ["sam", "sue"].map(|code| SaveSupplier { at: BEGIN, code: code.into(), name: code.into() });
        let (ids, places) = db::write!(db, &actor(), |tx| {
            let ids = catalog::save_skus(tx, &saves).await?;
            let owners = catalog::save_suppliers(tx, &suppliers).await?;
            let place = |code: &str, priority, kind, supplier, address| SaveLocation {
                at: BEGIN,
                code: code.into(),
                name: format!("{code} GmbH"),
                kind,
                supplier,
                priority,
                address,
                lat: None,
                lon: None,
                active: true,
            };
            let places = [
                place("berlin", 1, LocationKind::Warehouse, None, address("DE", "10115", "Berlin")),
                place("madrid", 2, LocationKind::Warehouse, None, address("ES", "28001", "Madrid")),
                place("hub", 3, LocationKind::ThirdParty, None, address("DE", "04103", "Leipzig")),
                place("sam", 4, LocationKind::Supplier, Some(owners[0]), address("DE", "20095", "Hamburg")),
                place("sue", 5, LocationKind::Supplier, Some(owners[1]), address("DE", "80331", "Munich")),
            ];
            Ok((ids, inventory::save_locations(tx, &places).await?))
        })
        .unwrap();
        let ids: Vec<SkuId> = ids.into_iter().map(Result::unwrap).collect();
        let at: Vec<LocationId> = places.into_iter().map(Result::unwrap).collect();
        let skus = ["A", "B", "AB", "D", "WRAP"].into_iter().zip(ids).collect();
        Self { db, skus, berlin: at[0], madrid: at[1], hub: at[2], sam: at[3], sue: at[4] }
    }

    pub async fn write<T>(&self, body: impl AsyncFn(&Tx) -> Result<T, Fault>) -> T {
        db::write!(self.db.db, &actor(), |tx| body(tx).await).unwrap()
    }

    pub async fn receive(&self, sku: &str, location: LocationId, quantity: i64) {
        let (at, sku) = (self.db.now(), self.skus[sku]);
        let receive = Receive { at, sku, location, quantity, unit_cost: 400, reference: None };
        let done = self.write(async |tx| inventory::receive(tx, std::slice::from_ref(&receive)).await).await;
        done.into_iter().for_each(|d| d.unwrap());
    }

    /// An order that may ship unpaid.
    pub async fn order(&self, lines: &[(&str, i64)]) -> Placed {
        let want = want(self.db.now(), lines);
        let placed = self.write(async |tx| orders::place(tx, std::slice::from_ref(&want)).await).await;
        placed.into_iter().next().unwrap().unwrap()
    }

    pub async fn fulfilments(&self, order: OrderId) -> Vec<Fulfilment> {
        warehouse::fulfilments_of(self.db.read(), &[order]).await.unwrap().remove(&order).unwrap_or_default()
    }

    /// The one fulfilment order of an order at a location that is not cancelled.
    pub async fn at(&self, order: OrderId, location: LocationId) -> Fulfilment {
        let all = self.fulfilments(order).await;
        let mut mine = all.into_iter().filter(|f| f.location == location && f.quantity > f.cancelled);
        let one = mine.next().unwrap_or_else(|| panic!("nothing of {order} at {location}"));
        assert!(mine.next().is_none(), "one fulfilment order per order and location");
        one
    }

    pub async fn release(&self, fulfilment: FulfilmentId) {
        let item = Release { at: self.db.now(), fulfilment };
        self.write(async |tx| warehouse::release(tx, std::slice::from_ref(&item)).await)
            .await
            .remove(0)
            .unwrap();
    }

    pub async fn pick(
        &self,
        fulfilment: FulfilmentId,
        what: What,
        quantity: i64,
    ) -> Result<warehouse::Picked, warehouse::PickRefused> {
        let item = Pick { at: self.db.now(), fulfilment, what, quantity };
        self.write(async |tx| warehouse::pick(tx, std::slice::from_ref(&item)).await).await.remove(0)
    }

    pub async fn scan(
        &self,
        fulfilment: FulfilmentId,
        text: &str,
        quantity: i64,
    ) -> Result<warehouse::Picked, warehouse::PickRefused> {
        self.pick(fulfilment, What::Scan(text.into()), quantity).await
    }

    pub async fn pack(
        &self,
        fulfilment: FulfilmentId,
        lines: &[(warehouse::FulfilmentLineId, i64)],
    ) -> Result<ParcelId, warehouse::PackRefused> {
        let lines = lines.to_vec();
        let item = Pack { at: self.db.now(), fulfilment, lines, weight_g: None, dims: None, by: actor() };
        self.write(async |tx| warehouse::pack(tx, std::slice::from_ref(&item)).await).await.remove(0)
    }

    pub async fn number(&self, sql: &str) -> i64 {
        self.db.read().scalar(sql, []).await.unwrap().unwrap()
    }

    /// Every law that can be reached, and those of slices further down.
    pub async fn check(&self, more: &[Law]) {
        let known = [
            warehouse::laws::LAWS,
            orders::LAWS,
            inventory::laws::LAWS,
            catalog::laws::LAWS,
            customers::laws::LAWS,
            payments::laws::LAWS,
            more,
        ];
        for law in known.into_iter().flatten() {
            let offenders = db::laws::check(self.db.read(), law).await.unwrap();
            assert!(offenders.is_empty(), "{} broke {}: {offenders:?}", self.db.name, law.name);
        }
    }
}

pub fn want(at: Timestamp, lines: &[(&str, i64)]) -> Place {
    Place {
        at,
        by: actor(),
        key: None,
        channel: "api".into(),
        reference: None,
        buyer: Buyer { name: "Ada".into(), email: Some("ada@example.com".into()), phone: None, ip: None },
        ship_to: address("DE", "26133", "Oldenburg"),
        ship_to_geo: None,
        bill_to: None,
        currency: eur(),
        tax_inclusive: true,
        lines: lines
            .iter()
            .map(|(sku, quantity)| WantedLine {
                sku: (*sku).into(),
                quantity: *quantity,
                unit_price: None,
                discount: 0,
                tax_rate_ppm: Some(190_000),
                location: None,
            })
            .collect(),
        discount: 0,
        shipping: 490,
        shipping_tax_ppm: None,
        fee: 0,
        if_out_of_stock: IfOutOfStock::Backorder,
        tenders: vec![],
        pay_later: true,
        express: false,
        gift_note: Some("Happy birthday".into()),
        note: None,
        tags: vec![],
        promised_at: None,
        reservation: None,
        exchange_of: None,
        trust: Trust::History,
    }
}
