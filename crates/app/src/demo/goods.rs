//! What the demo shop sells, and where it lies: catalogue, suppliers, locations, tax rates, rate cards, opening stock. Invariant: made by
//! the commands that the API calls, so that everything about it is as it would be in a real shop.

use super::{Shop, granted};
use crate::Failure;
use catalog::{SaveSku, SaveSupplier, SetTaxRate, SkuKind};
use contact::address::Address;
use inventory::{LocationKind, Receive, SaveLocation, SetBin, SetSafety};
use kernel::{Currency, Money, Timestamp};
use shipping::RateCard;
use shipping::rate::{Price, Zone};
use warehouse::cartons::Carton;

/// Code, title, price with tax and cost in cents, weight in grams, length, width and height in millimetres, units at the start in Hamburg
/// and in Vienna.
type Simple = (&'static str, &'static str, i64, i64, i64, [i64; 3], [i64; 2]);

const SIMPLE: &[Simple] = &[
    ("KETTLE-1L", "Gooseneck kettle, 1 l", 5990, 2400, 980, [290, 180, 210], [40, 20]),
    ("GRINDER-H", "Hand grinder, steel burrs", 8900, 3900, 620, [210, 80, 80], [35, 10]),
    ("DRIPPER-02", "Ceramic dripper 02", 2490, 820, 410, [140, 120, 110], [60, 30]),
    ("FILTER-02-100", "Paper filters 02, 100 pieces", 690, 190, 150, [180, 130, 40], [300, 150]),
    ("SERVER-600", "Glass server, 600 ml", 2290, 760, 340, [150, 130, 140], [50, 20]),
    ("SCALE-2K", "Scale with timer, 2 kg", 4490, 1800, 430, [160, 130, 35], [45, 15]),
    ("PRESS-8", "French press, 8 cups", 3990, 1500, 870, [220, 170, 130], [30, 10]),
    ("MOKA-6", "Moka pot, 6 cups", 3490, 1250, 720, [210, 180, 110], [25, 15]),
    ("MUG-BLUE", "Mug, sea blue", 1290, 380, 350, [120, 90, 95], [120, 60]),
    ("MUG-SAND", "Mug, sand", 1290, 380, 350, [120, 90, 95], [120, 60]),
    ("ESPRESSO-CUP", "Espresso cup with saucer", 990, 290, 210, [120, 120, 65], [90, 40]),
    ("BEANS-ETH-250", "Beans Yirgacheffe, 250 g", 1090, 480, 270, [200, 90, 60], [150, 80]),
    ("BEANS-COL-250", "Beans Huila, 250 g", 990, 430, 270, [200, 90, 60], [150, 80]),
    ("BEANS-DEC-250", "Beans decaf, 250 g", 1050, 460, 270, [200, 90, 60], [60, 20]),
    ("BEANS-HOUSE-1K", "House blend, 1 kg", 2890, 1300, 1040, [320, 130, 90], [80, 30]),
    ("TEA-ASSAM-100", "Assam tea, 100 g", 790, 260, 130, [150, 80, 80], [70, 35]),
    ("TAMPER-58", "Tamper 58 mm", 3290, 1100, 480, [100, 65, 65], [20, 10]),
    ("BRUSH", "Grinder brush", 590, 150, 40, [160, 30, 30], [100, 40]),
    ("CLEANER-500", "Machine cleaner, 500 g", 1490, 520, 560, [160, 100, 100], [40, 10]),
    ("TRAVEL-MUG", "Travel mug, 400 ml", 2790, 980, 310, [210, 80, 80], [6, 0]),
];

/// Sold here, sent by the supplier.
const DROPSHIP: &[Simple] = &[
    ("MACHINE-E1", "Espresso machine E1", 64900, 41000, 9800, [380, 310, 360], [0, 0]),
    ("MACHINE-E2", "Espresso machine E2, two boilers", 129000, 88000, 14500, [420, 360, 390], [0, 0]),
];

/// Code, title, price with tax, components.
const BUNDLES: &[(&str, &str, i64, &[(&str, i64)])] = &[
    (
        "SET-POUROVER",
        "Pour-over set: dripper, server, filters",
        4990,
        &[("DRIPPER-02", 1), ("SERVER-600", 1), ("FILTER-02-100", 1)],
    ),
    ("SET-MUGS-4", "Four mugs: two sea blue, two sand", 4690, &[("MUG-BLUE", 2), ("MUG-SAND", 2)]),
    (
        "SET-TASTING",
        "Tasting box: three coffees",
        2890,
        &[("BEANS-ETH-250", 1), ("BEANS-COL-250", 1), ("BEANS-DEC-250", 1)],
    ),
];

/// Rates by country: standard and reduced (coffee and tea), parts per million.
const RATES: &[(&str, i64, i64)] = &[
    ("DE", 190_000, 70_000),
    ("AT", 200_000, 100_000),
    ("FR", 200_000, 55_000),
    ("NL", 210_000, 90_000),
    ("BE", 210_000, 60_000),
];

/// The location that ships first.
pub const HAMBURG: &str = "HAM";
/// The smaller one.
pub const VIENNA: &str = "VIE";
/// The supplier's, for machines.
pub const MAKER: &str = "MAKER";

/// Makes the shop.
///
/// # Errors
/// Faults; a refusal is one too, because the demo is made to be taken.
pub async fn open(shop: &mut Shop) -> Result<(), Failure> {
    let at = shop.now();
    let supplier = SaveSupplier { at, code: "MILANO".into(), name: "Macchine Milano S.p.A.".into() };
    let supplier = db::write!(shop.ctx.db, &shop.actor, |tx| {
        catalog::set_tax_rates(tx, &rates()).await?;
        catalog::save_suppliers(tx, std::slice::from_ref(&supplier)).await
    })?[0];
    let places = places(at, supplier);
    let locations =
        granted(db::write!(shop.ctx.db, &shop.actor, |tx| inventory::save_locations(tx, &places).await)?)?;
    shop.locations = places.iter().map(|p| p.code.clone()).zip(locations).collect();

    let wanted = skus(at)?;
    let ids = granted(db::write!(shop.ctx.db, &shop.actor, |tx| catalog::save_skus(tx, &wanted).await)?)?;
    shop.skus = wanted.iter().map(|s| s.code.clone()).zip(ids).collect();

    let receipts = opening(shop)?;
    granted(db::write!(shop.ctx.db, &shop.actor, |tx| inventory::receive(tx, &receipts).await)?)?;
    let bins = bins(shop)?;
    granted(db::write!(shop.ctx.db, &shop.actor, |tx| inventory::set_bins(tx, &bins).await)?)?;
    let keep = SetSafety {
        at,
        sku: shop.sku("TRAVEL-MUG")?,
        location: shop.location(HAMBURG)?,
        safety: Some(1),
        channel_safety: Some(2),
    };
    granted(db::write!(shop.ctx.db, &shop.actor, |tx| inventory::set_safety(
        tx,
        std::slice::from_ref(&keep)
    )
    .await)?)?;
    let boxes = boxes();
    let set =
        db::write!(shop.ctx.db, &shop.actor, |tx| warehouse::cartons::set_cartons(tx, at, &boxes).await)?;
    granted(vec![set])?;
    let cards = cards()?;
    granted(db::write!(shop.ctx.db, &shop.actor, |tx| shipping::save_rate_cards(tx, at, &cards).await)?)?;
    Ok(())
}

/// Some of the travel mugs that everyone waited for.
///
/// # Errors
/// Faults.
pub async fn restock(shop: &Shop) -> Result<(), Failure> {
    let receipt = Receive {
        at: shop.now(),
        sku: shop.sku("TRAVEL-MUG")?,
        location: shop.location(HAMBURG)?,
        quantity: 2,
        unit_cost: 1010,
        reference: Some("DN-2207".into()),
    };
    granted(db::write!(shop.ctx.db, &shop.actor, |tx| inventory::receive(
        tx,
        std::slice::from_ref(&receipt)
    )
    .await)?)?;
    Ok(())
}

/// Name, inner edges in millimetres, grams and cents of the empty box; the walls take 6 mm.
const BOXES: &[(&str, [i32; 3], i64, i64)] = &[
    ("Book box", [250, 175, 75], 95, 32),
    ("Small box", [300, 200, 150], 160, 48),
    ("Medium box", [400, 300, 200], 340, 89),
    ("Large box", [600, 400, 300], 720, 165),
];

/// Aisle and shelf of every SKU that lies in Hamburg, in the order of the list.
fn bins(shop: &Shop) -> Result<Vec<SetBin>, Failure> {
    let location = shop.location(HAMBURG)?;
    let bin = |n: usize| format!("{}-{:02}", ["A", "B", "C"][n / 8 % 3], n % 8 + 1);
    let one = |(n, s): (usize, &Simple)| {
        Ok(SetBin { at: shop.now(), sku: shop.sku(s.0)?, location, bin: Some(bin(n)) })
    };
    SIMPLE.iter().enumerate().map(one).collect()
}

fn boxes() -> Vec<Carton> {
    let one = |(name, inner, empty_g, cost): &(&str, [i32; 3], i64, i64)| Carton {
        name: (*name).into(),
        outer_mm: inner.map(|edge| edge + 6),
        inner_mm: *inner,
        empty_g: *empty_g,
        max_g: 31_500,
        cost: *cost,
    };
    BOXES.iter().map(one).collect()
}

fn rates() -> Vec<SetTaxRate> {
    let rate = |country: &str, class: &str, rate_ppm| SetTaxRate {
        country: country.into(),
        region: None,
        class: class.into(),
        rate_ppm,
    };
    RATES
        .iter()
        .flat_map(|(country, standard, reduced)| {
            [rate(country, "standard", *standard), rate(country, "reduced", *reduced)]
        })
        .collect()
}

fn places(at: Timestamp, supplier: catalog::SupplierId) -> Vec<SaveLocation> {
    let place = |code: &str, name: &str, kind, priority, address, (lat, lon)| SaveLocation {
        at,
        code: code.into(),
        name: name.into(),
        kind,
        supplier: (kind == LocationKind::Supplier).then_some(supplier),
        priority,
        address,
        lat: Some(lat),
        lon: Some(lon),
        active: true,
    };
    vec![
        place(
            HAMBURG,
            "Hamburg warehouse",
            LocationKind::Warehouse,
            10,
            address("Fulmar Demo Shop", "Am Sandtorkai 10", "20457", "Hamburg", "DE"),
            (53.54, 9.98),
        ),
        place(
            VIENNA,
            "Vienna warehouse",
            LocationKind::Warehouse,
            20,
            address("Fulmar Demo Shop", "Handelskai 92", "1200", "Wien", "AT"),
            (48.24, 16.38),
        ),
        place(
            MAKER,
            "Macchine Milano",
            LocationKind::Supplier,
            100,
            address("Macchine Milano S.p.A.", "Via Tortona 31", "20144", "Milano", "IT"),
            (45.45, 9.16),
        ),
    ]
}

/// An address of the demo.
pub fn address(name: &str, line1: &str, postal_code: &str, city: &str, country: &str) -> Address {
    Address {
        name: name.into(),
        line1: line1.into(),
        postal_code: Some(postal_code.into()),
        city: city.into(),
        country: country.into(),
        // Italy wants its province.
        region: (country == "IT").then(|| "MI".into()),
        ..Address::default()
    }
}

fn skus(at: Timestamp) -> Result<Vec<SaveSku>, Failure> {
    let eur: Currency = "EUR".parse().map_err(kernel::Fault::from)?;
    let mut all = Vec::new();
    for (n, (code, title, price, _, weight, size, _)) in SIMPLE.iter().chain(DROPSHIP).enumerate() {
        let machine = DROPSHIP.iter().any(|d| d.0 == *code);
        let reduced = code.starts_with("BEANS") || code.starts_with("TEA");
        all.push(SaveSku {
            at,
            code: (*code).into(),
            title: (*title).into(),
            kind: SkuKind::Simple,
            tax_class: if reduced { "reduced" } else { "standard" }.into(),
            barcodes: vec![ean13(4_012_345_000_000 / 10 + n as u64)],
            prices: vec![Money::new(*price, eur)],
            weight_g: Some(*weight),
            length_mm: Some(size[0]),
            width_mm: Some(size[1]),
            height_mm: Some(size[2]),
            supplier: machine.then(|| "MILANO".into()),
            components: Vec::new(),
        });
    }
    let plain = |code: &str, title: &str, kind, tax_class: &str, price, components: &[(&str, i64)]| SaveSku {
        at,
        code: code.into(),
        title: title.into(),
        kind,
        tax_class: tax_class.into(),
        barcodes: Vec::new(),
        prices: vec![Money::new(price, eur)],
        weight_g: None,
        length_mm: None,
        width_mm: None,
        height_mm: None,
        supplier: None,
        components: components.iter().map(|(c, n)| ((*c).to_owned(), *n)).collect(),
    };
    for (code, title, price, components) in BUNDLES {
        let class = if *code == "SET-TASTING" { "reduced" } else { "standard" };
        all.push(plain(code, title, SkuKind::Bundle, class, *price, components));
    }
    Ok(all)
}

/// Twelve digits with their check digit.
fn ean13(twelve: u64) -> String {
    let text = format!("{twelve:012}");
    let sum: u32 =
        text.bytes().enumerate().map(|(i, b)| u32::from(b - b'0') * if i % 2 == 0 { 1 } else { 3 }).sum();
    format!("{text}{}", (10 - sum % 10) % 10)
}

fn opening(shop: &Shop) -> Result<Vec<Receive>, Failure> {
    let at = shop.now();
    let mut receipts = Vec::new();
    for (code, _, _, cost, _, _, units) in SIMPLE {
        for (place, quantity) in [HAMBURG, VIENNA].into_iter().zip(*units).filter(|(_, n)| *n > 0) {
            receipts.push(Receive {
                at,
                sku: shop.sku(code)?,
                location: shop.location(place)?,
                quantity,
                unit_cost: *cost,
                reference: Some("DN-2101".into()),
            });
        }
    }
    for (code, _, _, cost, ..) in DROPSHIP {
        let (sku, location) = (shop.sku(code)?, shop.location(MAKER)?);
        receipts.push(Receive { at, sku, location, quantity: 25, unit_cost: *cost, reference: None });
    }
    Ok(receipts)
}

fn cards() -> Result<Vec<RateCard>, Failure> {
    let currency: Currency = "EUR".parse().map_err(kernel::Fault::from)?;
    let zone = |country: &str, zone: &str| Zone {
        country: country.into(),
        postal_prefix: String::new(),
        zone: zone.into(),
    };
    let card = |carrier: &str,
                service: &str,
                name: &str,
                origin: &str,
                days: (i64, i64),
                prices: &[(i64, i64, i64)]| RateCard {
        carrier: carrier.into(),
        service: service.into(),
        name: name.into(),
        origin_country: origin.into(),
        currency,
        dim_divisor: 5000,
        min_days: days.0,
        max_days: days.1,
        active: true,
        zones: vec![zone(origin, "home"), zone("*", "abroad")],
        prices: prices
            .iter()
            .flat_map(|(up_to_g, home, abroad)| {
                [("home", *home), ("abroad", *abroad)].map(|(z, price)| Price {
                    zone: z.into(),
                    up_to_g: *up_to_g,
                    price,
                })
            })
            .collect(),
    };
    let parcel = [
        (1_000, 449, 899),
        (2_000, 549, 1_099),
        (5_000, 699, 1_549),
        (10_000, 1_049, 2_099),
        (31_500, 1_949, 4_499),
    ];
    let express = [(2_000, 1_290, 2_490), (5_000, 1_590, 3_290), (31_500, 2_990, 6_990)];
    let mut cards = Vec::new();
    for origin in ["DE", "AT", "IT"] {
        cards.push(card("post", "parcel", "Post parcel", origin, (2, 4), &parcel));
        cards.push(card("swift", "express", "Swift express", origin, (1, 1), &express));
    }
    Ok(cards)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn barcodes_have_their_check_digit() {
        assert_eq!(ean13(400_638_133_393), "4006381333931");
        assert_eq!(ean13(0), "0000000000000");
    }

    #[test]
    fn the_shop_has_some_25_skus_and_bundles_of_what_it_sells() {
        let all = skus(Timestamp(0)).unwrap();
        assert_eq!(all.len(), 25);
        for (_, _, _, components) in BUNDLES {
            for (code, _) in *components {
                assert!(SIMPLE.iter().any(|s| s.0 == *code), "{code}");
            }
        }
    }
}
