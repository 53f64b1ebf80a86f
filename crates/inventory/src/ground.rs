//! What commands stand on: the SKUs and locations they name, and the stock and cost rows they change, locked in the one order (stock by
//! (SKU, location), then costs by SKU) and kept up to date item by item while a batch is decided.

use crate::cost::{Cost, CostBook};
use crate::{LocationId, LocationKind};
use catalog::{Sku, SkuId, SkuKind};
use db::{FromRow, Rows, Sql, Tx};
use kernel::Fault;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// A SKU at a location.
pub(crate) type Place = (SkuId, LocationId);

/// Most units one item of a command may move: a thousand million, so that no sum of a day's work comes near what an integer holds.
pub(crate) const MAX_UNITS: i64 = 1_000_000_000;

/// The counters of a stock row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Held {
    pub on_hand: i64,
    pub allocated: i64,
    pub quarantined: i64,
    pub safety: i64,
    pub channel_safety: i64,
}

impl Held {
    /// Units that are there and promised to nobody, safety stock included.
    pub fn loose(&self) -> i64 {
        self.on_hand - self.allocated
    }
}

/// Something a command names and we do not have.
#[derive(Debug)]
pub(crate) enum Miss {
    Sku(SkuId),
    NotStocked(String),
    Location(LocationId),
}

/// Turns a [`Miss`] into the refusals of a command, which all have the same three variants for it.
macro_rules! from_miss {
    ($refused:ident) => {
        impl From<$crate::ground::Miss> for $refused {
            fn from(miss: $crate::ground::Miss) -> Self {
                match miss {
                    $crate::ground::Miss::Sku(sku) => Self::UnknownSku { sku },
                    $crate::ground::Miss::NotStocked(sku) => Self::NotStocked { sku },
                    $crate::ground::Miss::Location(location) => Self::UnknownLocation { location },
                }
            }
        }
    };
}
pub(crate) use from_miss;

#[derive(Debug, FromRow)]
struct LocationRow {
    id: LocationId,
    code: String,
    kind: LocationKind,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Ground {
    skus: HashMap<SkuId, Arc<Sku>>,
    locations: HashMap<LocationId, LocationRow>,
    stock: BTreeMap<Place, Held>,
    pub costs: CostBook,
}

impl Ground {
    /// Loads and locks what the items of a command name.
    pub async fn lock(tx: &Tx, places: impl Iterator<Item = Place>) -> Result<Self, Fault> {
        let places: BTreeSet<Place> = places.collect();
        let skus: Vec<SkuId> = places.iter().map(|p| p.0).collect::<BTreeSet<_>>().into_iter().collect();
        let mut input = Rows::new("id BIGINT");
        for location in places.iter().map(|p| p.1).collect::<BTreeSet<_>>() {
            input.push([location.into()]);
        }
        let text = "SELECT l.id, l.code, l.kind FROM location l JOIN input ON input.id = l.id";
        let locations: Vec<LocationRow> = tx.all_from(&input, text, []).await?;
        Ok(Self {
            locations: locations.into_iter().map(|l| (l.id, l)).collect(),
            stock: lock_stock(tx, &places).await?,
            costs: lock_costs(tx, skus.iter().copied()).await?,
            skus: catalog::skus_by_id(tx, &skus).await?,
        })
    }
    /// Whether the stock of a place is ours; or what of it does not exist.
    pub fn owned(&self, sku: SkuId, location: LocationId) -> Result<bool, Miss> {
        let known = self.skus.get(&sku).ok_or(Miss::Sku(sku))?;
        if known.kind != SkuKind::Simple {
            return Err(Miss::NotStocked(known.code.clone()));
        }
        Ok(self.locations.get(&location).ok_or(Miss::Location(location))?.kind.owned())
    }
    /// The counters of a place, zero where nothing was ever.
    pub fn held(&self, sku: SkuId, location: LocationId) -> Held {
        self.stock.get(&(sku, location)).copied().unwrap_or_default()
    }
    /// The counters of a place, to change.
    pub fn held_mut(&mut self, sku: SkuId, location: LocationId) -> &mut Held {
        self.stock.entry((sku, location)).or_default()
    }
    /// The code of a SKU, for people.
    pub fn code(&self, sku: SkuId) -> String {
        self.skus.get(&sku).map_or_else(|| sku.to_string(), |s| s.code.clone())
    }
    /// The code of a location, for people.
    pub fn location_code(&self, location: LocationId) -> String {
        self.locations.get(&location).map_or_else(|| location.to_string(), |l| l.code.clone())
    }
    /// What our stock gains (or loses, below zero) in value when units appear (or vanish) at a place: the moving average, nothing where
    /// they are not ours.
    pub fn revalue(&mut self, sku: SkuId, owned: bool, delta: i64) -> i64 {
        if !owned {
            return 0;
        }
        if delta < 0 {
            return -self.costs.take(sku, -delta);
        }
        let value = self.costs.worth(sku, delta);
        self.costs.put(sku, delta, value);
        value
    }
}

/// The rows `sku_id` of some SKUs, each once, in order.
pub(crate) fn sku_rows(skus: impl Iterator<Item = SkuId>) -> Rows {
    let mut rows = Rows::new("sku_id BIGINT");
    for sku in skus.collect::<BTreeSet<_>>() {
        rows.push([sku.into()]);
    }
    rows
}

/// Locks the stock rows that exist of some places, in key order.
pub(crate) async fn lock_stock(tx: &Tx, places: &BTreeSet<Place>) -> Result<BTreeMap<Place, Held>, Fault> {
    #[derive(FromRow)]
    struct Row {
        sku_id: SkuId,
        location_id: LocationId,
        on_hand: i64,
        allocated: i64,
        quarantined: i64,
        safety: i64,
        channel_safety: i64,
    }
    let mut input = Rows::new("sku_id BIGINT, location_id BIGINT");
    for (sku, location) in places {
        input.push([(*sku).into(), (*location).into()]);
    }
    let text = "SELECT s.sku_id, s.location_id, s.on_hand, s.allocated, s.quarantined, s.safety, s.channel_safety FROM stock s \
         JOIN input ON input.sku_id = s.sku_id AND input.location_id = s.location_id ORDER BY s.sku_id, s.location_id /*pg FOR UPDATE OF s */";
    let rows: Vec<Row> = tx.all_from(&input, text, []).await?;
    Ok(rows
        .into_iter()
        .map(|r| {
            let held = Held {
                on_hand: r.on_hand,
                allocated: r.allocated,
                quarantined: r.quarantined,
                safety: r.safety,
                channel_safety: r.channel_safety,
            };
            ((r.sku_id, r.location_id), held)
        })
        .collect())
}

/// Locks the cost rows that exist of some SKUs, in key order; always after their stock rows.
pub(crate) async fn lock_costs(tx: &Tx, skus: impl Iterator<Item = SkuId>) -> Result<CostBook, Fault> {
    #[derive(FromRow)]
    struct Row {
        sku_id: SkuId,
        quantity: i64,
        value: i64,
    }
    let text = "SELECT c.sku_id, c.quantity, c.value FROM sku_cost c JOIN input ON input.sku_id = c.sku_id \
         ORDER BY c.sku_id /*pg FOR UPDATE OF c */";
    let rows: Vec<Row> = tx.all_from(&sku_rows(skus), text, []).await?;
    Ok(CostBook::new(rows.into_iter().map(|r| (r.sku_id, Cost { quantity: r.quantity, value: r.value }))))
}

/// Which of some locations are ours.
pub(crate) async fn owned_locations(
    sql: &Sql,
    ids: impl Iterator<Item = LocationId>,
) -> Result<BTreeSet<LocationId>, Fault> {
    #[derive(FromRow)]
    struct Row {
        id: LocationId,
        kind: LocationKind,
    }
    let mut input = Rows::new("id BIGINT");
    for id in ids.collect::<BTreeSet<_>>() {
        input.push([id.into()]);
    }
    let text = "SELECT l.id, l.kind FROM location l JOIN input ON input.id = l.id";
    let rows: Vec<Row> = sql.all_from(&input, text, []).await?;
    Ok(rows.into_iter().filter(|r| r.kind.owned()).map(|r| r.id).collect())
}
