//! The shop of a simulation: few SKUs, so that orders fight for them; bundles that share parts; places of each kind.

use crate::Trouble;
use crate::outside::{ENDPOINTS, POISON, SECRET, url};
use automation::EndpointId;
use automation::subscribe::Subscribe;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use catalog::{SaveSku, SetTaxRate, SkuId, SkuKind};
use contact::address::Address;
use db::{Db, Tx, write};
use inventory::{LocationId, LocationKind, SaveLocation};
use kernel::{Actor, Currency, Fault, Money, Refuse, Timestamp};
use shipping::RateCard;
use shipping::rate::{Price, Zone};

/// Stocked SKUs.
pub const SIMPLE: usize = 8;
/// Bundles, after them.
pub const BUNDLES: usize = 2;
/// What is sold without stock, last.
pub const SERVICE: usize = SIMPLE + BUNDLES;
/// Locations: two warehouses, a third party's, a supplier's.
pub const PLACES: usize = 4;
/// What a label costs by rate cards.
pub const POST: i64 = 499;

/// Where what is.
#[derive(Debug, Clone)]
pub struct Shop {
    /// Ids of the SKUs, by index.
    pub skus: Vec<SkuId>,
    /// Ids of the locations, by index.
    pub places: Vec<LocationId>,
    /// Ids of the receivers of webhooks.
    pub endpoints: Vec<EndpointId>,
    /// The currency.
    pub eur: Currency,
}

/// What each receiver of webhooks hears.
pub fn kinds(everything: bool) -> [Vec<&'static str>; ENDPOINTS] {
    let much = ["order.placed", "order.allocated", "payment.captured", "shipment.shipped", "mail.sent"];
    [
        if everything { vec!["*"] } else { much.to_vec() },
        vec!["order.placed", POISON, "shipment.delivered", "payment.refunded"],
        vec!["order.placed", "shipment.shipped"],
    ]
}

/// What a SKU is called.
pub fn title(sku: usize) -> String {
    format!("Item {sku}")
}

impl Shop {
    /// What a unit takes: stocked SKU and pieces.
    pub fn takes(sku: usize) -> &'static [(usize, i64)] {
        const ONE: [[(usize, i64); 1]; SIMPLE] =
            [[(0, 1)], [(1, 1)], [(2, 1)], [(3, 1)], [(4, 1)], [(5, 1)], [(6, 1)], [(7, 1)]];
        match sku {
            SIMPLE => &[(0, 2), (1, 1)],
            SERVICE => &[],
            n if n > SIMPLE => &[(2, 1), (3, 3)],
            n => &ONE[n],
        }
    }
    /// Whether what lies at a place is ours.
    pub fn ours(place: usize) -> bool {
        place != PLACES - 1
    }
    /// The code of a SKU.
    pub fn code(sku: usize) -> String {
        match sku {
            SERVICE => "WRAP".to_owned(),
            n if n >= SIMPLE => format!("SET-{}", n - SIMPLE),
            n => format!("SKU-{n}"),
        }
    }
    /// The index of a place.
    pub fn place(&self, id: LocationId) -> Result<usize, Trouble> {
        self.places
            .iter()
            .position(|p| *p == id)
            .ok_or_else(|| Trouble::odd(format!("a location {id} nobody made")))
    }
    /// The index of a SKU.
    pub fn sku(&self, id: SkuId) -> Result<usize, Trouble> {
        self.skus.iter().position(|s| *s == id).ok_or_else(|| Trouble::odd(format!("a SKU {id} nobody made")))
    }
    /// Opens the shop.
    ///
    /// # Errors
    /// Faults of the database.
    pub async fn open(db: &Db, everything: bool) -> Result<Self, Fault> {
        let (at, eur): (Timestamp, Currency) = (db.now(), "EUR".parse()?);
        write!(db, &Actor::system("sim"), |tx| {
            let supplier = catalog::SaveSupplier { at, code: "SUP".into(), name: "Supplier".into() };
            catalog::save_suppliers(tx, &[supplier]).await?;
            let supplier: Option<catalog::SupplierId> =
                tx.scalar("SELECT id FROM supplier WHERE code = 'SUP'", []).await?;
            catalog::set_tax_rates(tx, &[rate("standard", 190_000), rate("reduced", 70_000)]).await?;
            shipping::save_rate_cards(tx, at, &[card(eur)]).await?.into_iter().try_for_each(all)?;
            let kinds = [
                ("BER", LocationKind::Warehouse),
                ("MUC", LocationKind::Warehouse),
                ("LOG", LocationKind::ThirdParty),
                ("SUP", LocationKind::Supplier),
            ];
            let wanted: Vec<SaveLocation> = kinds
                .into_iter()
                .zip(1..)
                .map(|((code, kind), n)| location(at, code, kind, n, supplier))
                .collect();
            let saved = inventory::save_locations(tx, &wanted).await?;
            let places = saved.into_iter().map(|r| r.map_err(no)).collect::<Result<Vec<_>, Fault>>()?;
            let wanted: Vec<SaveSku> = (0..=SERVICE).map(|n| sku(at, n, eur)).collect();
            let saved = catalog::save_skus(tx, &wanted).await?;
            let skus = saved.into_iter().map(|r| r.map_err(no)).collect::<Result<Vec<_>, Fault>>()?;
            let endpoints = receivers(tx, at, everything).await?;
            for (key, value) in [
                ("gateway.sim.webhook_secret", "sim"),
                ("carrier.sim.webhook_secret", "secret of sim"),
                ("carrier.post.webhook_secret", "secret of post"),
                ("shop_name", "Sim"),
            ] {
                db::settings::set(tx, key, &value).await?;
            }
            let rules: serde_json::Value = serde_json::from_str(
                r#"{"large_total": 9000, "very_large_total": 30000, "velocity": 2, "hold_at": 30}"#,
            )?;
            db::settings::set(tx, "risk_rules", &rules).await?;
            Ok(Self { skus, places, endpoints, eur })
        })
    }
}

/// Those who hear of events, with a secret that is the same in every run.
async fn receivers(tx: &Tx, at: Timestamp, everything: bool) -> Result<Vec<EndpointId>, Fault> {
    let wanted: Vec<Subscribe> = (0..)
        .zip(kinds(everything))
        .map(|(n, kinds)| Subscribe {
            at,
            url: url(n),
            kinds: kinds.into_iter().map(str::to_owned).collect(),
        })
        .collect();
    let made = automation::subscribe::subscribe(tx, &wanted).await?;
    let secret = format!("whsec_{}", STANDARD.encode(SECRET));
    tx.exec("UPDATE webhook_endpoint SET secret = $1", [secret.into()]).await?;
    made.into_iter().map(|r| r.map(|e| e.id).map_err(no)).collect()
}

fn no(refused: impl Refuse) -> Fault {
    Fault::broken(format!("{refused} ({})", refused.code()))
}
fn all<T>(outcome: Result<T, impl Refuse>) -> Result<(), Fault> {
    outcome.map(drop).map_err(no)
}

fn rate(class: &str, rate_ppm: i64) -> SetTaxRate {
    SetTaxRate { country: "DE".into(), region: None, class: class.into(), rate_ppm }
}

/// An address in Germany.
pub fn address(name: &str) -> Address {
    Address {
        name: name.into(),
        line1: "Torstraße 1".into(),
        postal_code: Some("10119".into()),
        city: "Berlin".into(),
        country: "DE".into(),
        ..Address::default()
    }
}

fn location(
    at: Timestamp,
    code: &str,
    kind: LocationKind,
    n: i64,
    supplier: Option<catalog::SupplierId>,
) -> SaveLocation {
    SaveLocation {
        at,
        code: code.into(),
        name: code.into(),
        kind,
        supplier: supplier.filter(|_| kind == LocationKind::Supplier),
        priority: n * 10,
        address: address(code),
        lat: None,
        lon: None,
        active: true,
    }
}

fn sku(at: Timestamp, n: usize, currency: Currency) -> SaveSku {
    let kind = match n {
        SERVICE => SkuKind::Service,
        n if n >= SIMPLE => SkuKind::Bundle,
        _ => SkuKind::Simple,
    };
    let parts = if kind == SkuKind::Bundle { Shop::takes(n) } else { &[] };
    SaveSku {
        at,
        code: Shop::code(n),
        title: title(n),
        kind,
        tax_class: if n.is_multiple_of(3) { "reduced" } else { "standard" }.into(),
        barcodes: Vec::new(),
        prices: vec![Money::new(1999, currency)],
        weight_g: (kind == SkuKind::Simple).then_some(250),
        length_mm: None,
        width_mm: None,
        height_mm: None,
        supplier: None,
        components: parts.iter().map(|(part, pieces)| (Shop::code(*part), *pieces)).collect(),
    }
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
        prices: vec![Price { zone: "all".into(), up_to_g: 3_150_000, price: POST }],
    }
}
