//! A small shop to test with: three simple SKUs, a bundle of two of them, a service; two locations of ours and a supplier's.

use catalog::{SaveSku, SaveSupplier, SkuId, SkuKind};
use contact::address::Address;
use db::testing::{BEGIN, TestDb};
use db::{Db, Tx};
use inventory::{LocationId, LocationKind, Move, MoveKind, Receive, SaveLocation};
use kernel::{Actor, Fault};

pub fn actor() -> Actor {
    Actor::system("test")
}

#[derive(Clone, Copy)]
pub struct Shop {
    pub skus: [SkuId; 3],
    /// Two of the first and one of the second.
    pub bundle: SkuId,
    pub service: SkuId,
    /// Warehouse, 3PL, supplier.
    pub places: [LocationId; 3],
}

fn sku(code: &str, kind: SkuKind, components: &[(&str, i64)]) -> SaveSku {
    SaveSku {
        at: BEGIN,
        code: code.into(),
        title: code.into(),
        kind,
        tax_class: "standard".into(),
        barcodes: vec![],
        prices: vec![],
        weight_g: None,
        length_mm: None,
        width_mm: None,
        height_mm: None,
        supplier: None,
        components: components.iter().map(|(c, n)| ((*c).to_owned(), *n)).collect(),
    }
}

pub async fn open(db: &Db) -> Shop {
    db::write!(db, &actor(), |tx| build(tx).await).unwrap()
}

async fn build(tx: &Tx) -> Result<Shop, Fault> {
    let supplier =
        catalog::save_suppliers(tx, &[SaveSupplier { at: BEGIN, code: "S".into(), name: "S".into() }])
            .await?[0];
    let batch = [
        sku("A", SkuKind::Simple, &[]),
        sku("B", SkuKind::Simple, &[]),
        sku("C", SkuKind::Simple, &[]),
        sku("SET", SkuKind::Bundle, &[("A", 2), ("B", 1)]),
        sku("WRAP", SkuKind::Service, &[]),
    ];
    let skus: Vec<SkuId> = catalog::save_skus(tx, &batch).await?.into_iter().map(Result::unwrap).collect();
    let place = |code: &str, kind: LocationKind, priority| SaveLocation {
        at: BEGIN,
        code: code.into(),
        name: code.into(),
        kind,
        supplier: (kind == LocationKind::Supplier).then_some(supplier),
        priority,
        address: Address { country: "DE".into(), ..Address::default() },
        lat: Some(52.5),
        lon: Some(13.4),
        active: true,
    };
    let batch = [
        place("HOME", LocationKind::Warehouse, 1),
        place("3PL", LocationKind::ThirdParty, 2),
        place("DROP", LocationKind::Supplier, 3),
    ];
    let places: Vec<LocationId> =
        inventory::save_locations(tx, &batch).await?.into_iter().map(Result::unwrap).collect();
    Ok(Shop {
        skus: [skus[0], skus[1], skus[2]],
        bundle: skus[3],
        service: skus[4],
        places: [places[0], places[1], places[2]],
    })
}

pub async fn receive(db: &Db, sku: SkuId, location: LocationId, quantity: i64, unit_cost: i64) {
    let batch = [Receive { at: BEGIN, sku, location, quantity, unit_cost, reference: None }];
    db::write!(db, &actor(), |tx| inventory::receive(tx, &batch).await).unwrap()[0].clone().unwrap();
}

/// Promises units as orders do: what is free is taken, under lock; whether it was enough.
pub async fn allocate(tx: &Tx, sku: SkuId, location: LocationId, quantity: i64) -> Result<bool, Fault> {
    let mut shelf = inventory::lock(tx, &[sku]).await?;
    if shelf.free(sku, location) < quantity {
        return Ok(false);
    }
    shelf.take(sku, location, quantity);
    let bare = Move::new(tx.now(), MoveKind::Allocate, sku, location);
    inventory::apply(tx, &[Move { allocated: quantity, order: Some(1), ..bare }]).await?;
    Ok(true)
}

/// On hand, allocated, quarantined and available of a place.
pub async fn level(db: &Db, sku: SkuId, location: LocationId) -> (i64, i64, i64, i64) {
    let all =
        inventory::read::levels(db.read(), &inventory::read::Filter::default(), None, 100).await.unwrap();
    all.into_iter()
        .find(|l| l.sku_id == sku && l.location_id == location)
        .map_or((0, 0, 0, 0), |l| (l.on_hand, l.allocated, l.quarantined, l.available))
}

/// Units and value of what we own of a SKU.
pub async fn owned(db: &Db, sku: SkuId) -> (i64, i64) {
    let of = async |column: &str| {
        let text = format!("SELECT {column} FROM sku_cost WHERE sku_id = $1");
        db.read().scalar::<i64>(&text, [sku.into()]).await.unwrap().unwrap_or(0)
    };
    (of("quantity").await, of("value").await)
}

pub async fn laws_hold(db: &TestDb, when: &str) {
    for law in inventory::laws::LAWS {
        let offenders = db::laws::check(db.read(), law).await.unwrap();
        assert_eq!(offenders, vec![], "{} on {} {when}", law.name, db.name);
    }
}
