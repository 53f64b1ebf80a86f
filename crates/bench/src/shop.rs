//! The shop under load: 10,000 SKUs in three warehouses, rates of tax and carriage; and seeded orders for it. Invariant: the same seed
//! gives the same orders, over HTTP and in process.

use catalog::{SaveSku, SetTaxRate, SkuKind};
use contact::address::Address;
use db::Db;
use inventory::{LocationId, LocationKind, Receive, SaveLocation};
use kernel::{Actor, Currency, Fault, Money, Refuse, Timestamp};
use orders::{Buyer, IfOutOfStock, Place, Tender, Trust, WantedLine};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use shipping::RateCard;
use shipping::rate::{Price, Zone};

/// SKUs of the shop.
pub const SKUS: usize = 10_000;
/// The one SKU of `place-hot`.
pub const HOT: &str = "HOT";
/// SKUs saved or received in one transaction.
const CHUNK: usize = 1_000;
/// Units of each SKU in each warehouse: never the limit, but for the hot one.
const PLENTY: i64 = 10_000_000;

/// What others need to know of the shop.
#[derive(Debug, Clone)]
pub struct Shop {
    /// The warehouse of the first priority.
    pub warehouse: LocationId,
}

fn code(n: usize) -> String {
    format!("SKU-{n:05}")
}

/// Makes the shop; of [`HOT`] there are so many units.
///
/// # Errors
/// A fault of the database.
pub async fn open(db: &Db, hot_units: i64) -> Result<Shop, Fault> {
    let at = db.now();
    let eur: Currency = "EUR".parse()?;
    let actor = Actor::system("bench");
    let places: Vec<SaveLocation> =
        [("BER", 10), ("MUC", 20), ("HAM", 30)].map(|(code, priority)| place(at, code, priority)).into();
    let warehouses: Vec<LocationId> = db::write!(db, &actor, |tx| {
        let rates = [rate("DE", 190_000), rate("*", 0)];
        catalog::set_tax_rates(tx, &rates).await?;
        shipping::save_rate_cards(tx, at, &[card(eur)])
            .await?
            .into_iter()
            .try_for_each(|r| r.map_err(refused).map(drop))?;
        inventory::save_locations(tx, &places).await?.into_iter().map(|r| r.map_err(refused)).collect()
    })?;
    let codes: Vec<String> = (0..SKUS).map(code).chain([HOT.to_owned()]).collect();
    for codes in codes.chunks(CHUNK) {
        db::write!(db, &actor, |tx| {
            let skus: Vec<SaveSku> = codes.iter().map(|code| sku(at, code, eur)).collect();
            let mut receipts = Vec::with_capacity(codes.len() * warehouses.len());
            for (saved, code) in catalog::save_skus(tx, &skus).await?.into_iter().zip(codes) {
                let sku = saved.map_err(refused)?;
                let (there, units) =
                    if code == HOT { (&warehouses[..1], hot_units) } else { (&warehouses[..], PLENTY) };
                receipts.extend(there.iter().filter(|_| units > 0).map(|location| Receive {
                    at,
                    sku,
                    location: *location,
                    quantity: units,
                    unit_cost: 700,
                    reference: None,
                }));
            }
            inventory::receive(tx, &receipts)
                .await?
                .into_iter()
                .try_for_each(|r| r.map_err(refused).map(drop))
        })?;
    }
    Ok(Shop { warehouse: warehouses[0] })
}

/// A refusal of what cannot be refused here.
pub(crate) fn refused(refused: impl Refuse) -> Fault {
    Fault::broken(format!("{refused} ({})", refused.code()))
}

fn place(at: Timestamp, code: &str, priority: i64) -> SaveLocation {
    SaveLocation {
        at,
        code: code.into(),
        name: code.into(),
        kind: LocationKind::Warehouse,
        supplier: None,
        priority,
        address: address("Fulmar Bench"),
        lat: None,
        lon: None,
        active: true,
    }
}

fn rate(country: &str, rate_ppm: i64) -> SetTaxRate {
    SetTaxRate { country: country.into(), region: None, class: "standard".into(), rate_ppm }
}

fn card(currency: Currency) -> RateCard {
    RateCard {
        carrier: "post".into(),
        service: "parcel".into(),
        name: "Parcel".into(),
        origin_country: "DE".into(),
        currency,
        dim_divisor: 5000,
        min_days: 1,
        max_days: 3,
        active: true,
        zones: vec![Zone { country: "*".into(), postal_prefix: String::new(), zone: "all".into() }],
        prices: vec![Price { zone: "all".into(), up_to_g: 31_500, price: 499 }],
    }
}

fn sku(at: Timestamp, code: &str, currency: Currency) -> SaveSku {
    SaveSku {
        at,
        code: code.into(),
        title: format!("Item {code}"),
        kind: SkuKind::Simple,
        tax_class: "standard".into(),
        barcodes: Vec::new(),
        prices: vec![Money::new(1999, currency)],
        weight_g: Some(250),
        length_mm: None,
        width_mm: None,
        height_mm: None,
        supplier: None,
        components: Vec::new(),
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

/// An order by its number, as the seed makes it.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Number and reference.
    pub reference: String,
    name: String,
    email: String,
    ip: String,
    /// SKU codes with units.
    pub lines: Vec<(String, i64)>,
}

/// Which lines orders have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// Two of the 10,000.
    Two,
    /// One unit of the hot SKU.
    Hot,
}

impl Wish {
    /// The `n`th order of a series.
    pub fn of(series: &str, n: usize, lines: Lines) -> Self {
        let mut draw = StdRng::seed_from_u64(n as u64 ^ 0x5eed_0f0d);
        let first = draw.random_range(0..SKUS);
        let second = (first + draw.random_range(1..SKUS)) % SKUS;
        let lines = match lines {
            Lines::Two => vec![(code(first), draw.random_range(1..=2)), (code(second), 1)],
            Lines::Hot => vec![(HOT.to_owned(), 1)],
        };
        let byte = |draw: &mut StdRng| draw.random_range(1..255_u8);
        Self {
            reference: format!("{series}-{n}"),
            name: format!("Buyer {n}"),
            email: format!("{series}-{n}@example.com"),
            ip: format!("10.{}.{}.{}", byte(&mut draw), byte(&mut draw), byte(&mut draw)),
            lines,
        }
    }
    /// As the API takes it: paid by the shop's checkout, or waiting for a bank transfer.
    pub fn json(&self, at: Timestamp, paid: bool) -> Value {
        let lines: Vec<Value> =
            self.lines.iter().map(|(sku, n)| json!({"sku": sku, "quantity": n})).collect();
        let tender = match paid {
            true => {
                json!({"gateway": "sandbox", "method": "card", "reference": self.reference, "paid_at": at})
            }
            false => json!({"gateway": "manual", "method": "bank_transfer"}),
        };
        json!({
            "reference": self.reference,
            "buyer": {"name": self.name, "email": self.email, "ip": self.ip},
            "ship_to": address(&self.name),
            "currency": "EUR",
            "tax_inclusive": true,
            "lines": lines,
            "shipping": 490,
            "tenders": [tender],
        })
    }
    /// As the command takes it, at a time.
    ///
    /// # Errors
    /// Never: the currency is one.
    pub fn place(&self, at: Timestamp, trust: Trust) -> Result<Place, Fault> {
        let line = |(sku, quantity): &(String, i64)| WantedLine {
            sku: sku.clone(),
            quantity: *quantity,
            unit_price: None,
            discount: 0,
            tax_rate_ppm: None,
            location: None,
        };
        Ok(Place {
            at,
            by: Actor::system("bench"),
            key: None,
            channel: "api".into(),
            reference: Some(self.reference.clone()),
            buyer: Buyer {
                name: self.name.clone(),
                email: Some(self.email.clone()),
                phone: None,
                ip: Some(self.ip.clone()),
            },
            ship_to: address(&self.name),
            ship_to_geo: None,
            bill_to: None,
            currency: "EUR".parse()?,
            tax_inclusive: true,
            lines: self.lines.iter().map(line).collect(),
            discount: 0,
            shipping: 490,
            shipping_tax_ppm: None,
            fee: 0,
            if_out_of_stock: IfOutOfStock::Refuse,
            tenders: vec![Tender {
                gateway: "sandbox".into(),
                method: "card".into(),
                token: None,
                amount: None,
                capture: false,
                reference: Some(self.reference.clone()),
                paid_at: Some(at),
            }],
            pay_later: false,
            express: false,
            gift_note: None,
            note: None,
            tags: Vec::new(),
            promised_at: None,
            reservation: None,
            exchange_of: None,
            trust,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_is_the_same_order() {
        let text = |n| Wish::of("a", n, Lines::Two).json(Timestamp(0), true).to_string();
        assert_eq!(text(7), text(7));
        assert_ne!(text(7), text(8));
        let wish = Wish::of("a", 3, Lines::Two);
        assert_eq!(wish.lines.len(), 2);
        assert_ne!(wish.lines[0].0, wish.lines[1].0);
    }
}
