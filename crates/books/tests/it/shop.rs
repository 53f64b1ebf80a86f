//! A small shop for tests whose every step is posted; orders are placed, paid, shipped, delivered and returned by the real commands.

use catalog::{SaveSku, SkuKind};
use contact::address::Address;
use db::testing::{BEGIN, TestDb};
use db::{Law, Options, Tx};
use inventory::{LocationId, LocationKind, SaveLocation};
use kernel::{Actor, Currency, Fault, Money, Timestamp};
use orders::{Buyer, IfOutOfStock, OrderId, Place, Placed, Trust, WantedLine};
use returns::{
    Acceptance, Approve, Disposition, Exchange, Inspect, Reason, Receive, Reception, RequestReturn,
    Resolution, ReturnWish, Settle,
};
use std::sync::atomic::{AtomicU64, Ordering};

pub fn actor() -> Actor {
    Actor::system("test")
}
pub fn options() -> Options {
    let mut reactions = orders::REACTIONS.to_vec();
    reactions.push(warehouse::FOLLOW_ORDERS);
    reactions.push(books::POST);
    Options { reactions, ..Options::default() }
}
pub fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

pub struct Shop {
    pub db: TestDb,
    pub warehouse: LocationId,
    parcels: AtomicU64,
}

/// Runs a command in a transaction of the shop's database.
macro_rules! run {
    ($shop:expr, |$tx:ident| $body:expr) => {{
        let done: Result<_, kernel::Fault> = db::write!($shop.db, &$crate::shop::actor(), |$tx| $body);
        done.unwrap_or_else(|fault| panic!("{}: {fault}", $shop.db.name))
    }};
}
pub(crate) use run;

fn sku(code: &str, price: i64, kind: SkuKind, components: &[(&str, i64)]) -> SaveSku {
    let prices = ["EUR", "JPY", "KWD"].map(|c| Money::new(price, currency(c))).to_vec();
    SaveSku {
        at: BEGIN,
        code: code.into(),
        title: code.to_lowercase(),
        kind,
        tax_class: "standard".into(),
        barcodes: Vec::new(),
        prices,
        weight_g: Some(200),
        length_mm: None,
        width_mm: None,
        height_mm: None,
        supplier: None,
        components: components.iter().map(|(c, n)| ((*c).to_owned(), *n)).collect(),
    }
}

pub fn address() -> Address {
    Address {
        name: "Ada Lovelace".into(),
        line1: "Torstr. 1".into(),
        city: "Berlin".into(),
        postal_code: Some("10119".into()),
        country: "DE".into(),
        ..Address::default()
    }
}

impl Shop {
    pub async fn open(db: TestDb) -> Self {
        let location = |code: &str, priority| SaveLocation {
            at: BEGIN,
            code: code.into(),
            name: code.into(),
            kind: LocationKind::Warehouse,
            supplier: None,
            priority,
            address: address(),
            lat: None,
            lon: None,
            active: true,
        };
        let made: Result<Vec<LocationId>, Fault> = db::write!(db.db, &actor(), |tx| {
            let skus = [
                sku("MUG", 999, SkuKind::Simple, &[]),
                sku("HAT", 2500, SkuKind::Simple, &[]),
                sku("SOCK", 333, SkuKind::Simple, &[]),
                sku("KIT", 1500, SkuKind::Bundle, &[("MUG", 1), ("SOCK", 2)]),
            ];
            for saved in catalog::save_skus(tx, &skus).await? {
                saved.unwrap();
            }
            let rate = |class: &str| catalog::SetTaxRate {
                country: "DE".into(),
                region: None,
                class: class.into(),
                rate_ppm: 190_000,
            };
            catalog::set_tax_rates(tx, &[rate("standard")]).await?;
            let saved = inventory::save_locations(tx, &[location("MAIN", 1)]).await?;
            Ok(saved.into_iter().map(Result::unwrap).collect())
        });
        let made = made.unwrap();
        let shop = Self { db, warehouse: made[0], parcels: AtomicU64::new(0) };
        shop.receive("MUG", 20, 301).await;
        shop.receive("HAT", 20, 700).await;
        shop.receive("SOCK", 40, 33).await;
        shop
    }
    pub async fn receive(&self, code: &str, quantity: i64, unit_cost: i64) {
        run!(self, |tx| {
            let sku = catalog::skus_by_code(tx, &[code]).await?[code].id;
            let one = inventory::Receive {
                at: BEGIN,
                sku,
                location: self.warehouse,
                quantity,
                unit_cost,
                reference: None,
            };
            inventory::receive(tx, &[one]).await?.remove(0).unwrap();
            Ok(())
        });
    }
    pub fn want(&self, lines: &[(&str, i64)], code: &str) -> Place {
        let line = |(sku, quantity): &(&str, i64)| WantedLine {
            sku: (*sku).into(),
            quantity: *quantity,
            unit_price: None,
            discount: 0,
            tax_rate_ppm: None,
            location: None,
        };
        Place {
            at: BEGIN,
            by: actor(),
            key: None,
            channel: "api".into(),
            reference: None,
            buyer: Buyer { name: "Ada".into(), email: Some("ada@example.com".into()), phone: None, ip: None },
            ship_to: address(),
            ship_to_geo: None,
            bill_to: None,
            currency: currency(code),
            tax_inclusive: code != "KWD",
            lines: lines.iter().map(line).collect(),
            discount: 0,
            shipping: 490,
            shipping_tax_ppm: None,
            fee: 0,
            if_out_of_stock: IfOutOfStock::Refuse,
            tenders: Vec::new(),
            pay_later: true,
            express: false,
            gift_note: None,
            note: None,
            tags: Vec::new(),
            promised_at: None,
            reservation: None,
            exchange_of: None,
            trust: Trust::History,
        }
    }
    pub async fn place(&self, want: Place) -> Placed {
        run!(self, |tx| Ok(orders::place(tx, std::slice::from_ref(&want)).await?.remove(0).unwrap()))
    }
    /// Pays over a card gateway and, for `transfer`, by bank.
    pub async fn pay(&self, order: OrderId, card: i64, transfer: i64) {
        run!(self, |tx| {
            let row = orders::read::orders_by_id(tx, &[order]).await?.remove(&order).unwrap();
            let open = |gateway: &str, method: &str, amount| payments::OpenRecorded {
                at: BEGIN,
                order: order.0,
                customer: row.customer_id,
                gateway: gateway.into(),
                method: method.into(),
                currency: row.currency,
                amount,
                reference: None,
                captured_at: Some(BEGIN),
                authorised_at: Some(BEGIN),
            };
            let all = [open("cards", "card", card), open("manual", "bank_transfer", transfer)];
            let all: Vec<_> = all.into_iter().filter(|p| p.amount > 0).collect();
            payments::open_recorded(tx, &all).await
        });
    }
    /// Packs and ships what is allocated; delivered at `delivered`.
    pub async fn ship(&self, order: OrderId, delivered: Timestamp) {
        let number = self.parcels.fetch_add(1, Ordering::Relaxed);
        run!(self, |tx| ship(tx, order, delivered, number).await);
    }
    /// Placed, paid in full and delivered.
    pub async fn delivered(&self, lines: &[(&str, i64)], code: &str) -> Placed {
        let mut want = self.want(lines, code);
        want.discount = 101;
        want.fee = 50;
        let placed = self.place(want).await;
        self.pay(placed.id, placed.total.minor, 0).await;
        self.ship(placed.id, BEGIN).await;
        placed
    }
    /// Units of the first line come back, are accepted and settled.
    pub async fn take_back(&self, placed: &Placed, quantity: i64, to: Disposition, how: Resolution) {
        let at = BEGIN.plus(Timestamp::DAY);
        let wish = ReturnWish { line: placed.lines[0], quantity, reason: Reason::Damaged, comment: None };
        let want = RequestReturn {
            at,
            order: placed.id,
            units: vec![wish],
            resolution: how,
            refund_shipping: false,
            override_window: false,
            note: None,
        };
        let line = WantedLine {
            sku: "SOCK".into(),
            quantity: 1,
            unit_price: None,
            discount: 0,
            tax_rate_ppm: None,
            location: None,
        };
        let exchange = (how == Resolution::Exchange)
            .then(|| Exchange { lines: vec![line.clone()], ..Exchange::default() });
        run!(self, |tx| {
            let id = returns::request(tx, std::slice::from_ref(&want)).await?.remove(0).unwrap().id;
            returns::approve(tx, &[Approve { at, return_id: id }]).await?.remove(0).unwrap();
            let (location, reception) = (self.warehouse, Reception::Received);
            returns::receive(tx, &[Receive { at, return_id: id, units: Vec::new(), location, reception }])
                .await?;
            let acceptance = Acceptance::Accepted;
            let look = Inspect {
                at,
                return_id: id,
                units: Vec::new(),
                acceptance,
                disposition: Some(to),
                location: None,
            };
            returns::inspect(tx, &[look]).await?.remove(0).unwrap();
            let by = actor();
            let exchange = exchange.clone();
            let settle = Settle { at, by, return_id: id, resolution: None, exchange, recorded: true };
            returns::settle(tx, &[settle]).await?.remove(0).unwrap();
            Ok(())
        });
    }
    pub async fn number(&self, text: &str) -> i64 {
        let found: Option<Option<i64>> = self.db.read().scalar(text, []).await.unwrap();
        found.flatten().unwrap_or(0)
    }
    /// Every law of every slice in use.
    pub async fn check(&self) {
        let all: [&[Law]; 9] = [
            catalog::laws::LAWS,
            customers::laws::LAWS,
            inventory::laws::LAWS,
            payments::laws::LAWS,
            orders::LAWS,
            warehouse::laws::LAWS,
            shipping::laws::LAWS,
            returns::LAWS,
            books::LAWS,
        ];
        for law in all.into_iter().flatten() {
            let found = db::laws::check(self.db.read(), law).await.unwrap();
            assert!(found.is_empty(), "{} breaks {}: {found:?}", self.db.name, law.name);
        }
    }
}

async fn ship(tx: &Tx, order: OrderId, delivered: Timestamp, number: u64) -> Result<(), Fault> {
    let fulfilments = warehouse::fulfilments_of(tx, &[order]).await?.remove(&order).unwrap_or_default();
    let pack: Vec<_> =
        fulfilments.iter().map(|f| warehouse::FulfilRecorded { at: BEGIN, fulfilment: f.id }).collect();
    let parcels = warehouse::fulfil_recorded(tx, &pack).await?;
    let ship: Vec<_> = parcels
        .into_iter()
        .enumerate()
        .map(|(i, parcel)| shipping::ShipRecorded {
            parcel,
            carrier: "post".into(),
            service: "parcel".into(),
            tracking_number: format!("T{number}-{i}"),
            label_at: BEGIN,
            shipped_at: BEGIN,
            delivered_at: Some(delivered),
            cost: 450,
            currency: currency("EUR"),
        })
        .collect();
    shipping::ship_recorded(tx, &ship).await?;
    Ok(())
}
