//! What is free to promise, per SKU and location, while a batch is decided. Invariant: [`Shelf::free`] is never negative, and what was
//! taken and given back is free again.

use crate::LocationId;
use crate::ground::sku_rows;
use catalog::SkuId;
use db::{FromRow, Sql, Tx};
use kernel::Fault;
use std::collections::BTreeMap;

/// Units that can be promised. Pure: [`lock`] fills it from locked rows.
#[derive(Debug, Clone, Default)]
pub struct Shelf {
    /// May be below zero where the safety stock is larger than what is left; [`Shelf::free`] shows zero then.
    free: BTreeMap<(SkuId, LocationId), i64>,
}

impl Shelf {
    /// A shelf with what is available (on hand − allocated − safety) at each place.
    pub fn new(available: impl IntoIterator<Item = (SkuId, LocationId, i64)>) -> Self {
        Self { free: available.into_iter().map(|(sku, location, units)| ((sku, location), units)).collect() }
    }
    /// How many units can be promised from a location, zero or more.
    pub fn free(&self, sku: SkuId, location: LocationId) -> i64 {
        self.free.get(&(sku, location)).map_or(0, |units| (*units).max(0))
    }
    /// Promises units. The caller has asked [`Shelf::free`]; more than that is a mistake of the program, which debug builds report and
    /// the database's CHECK refuses.
    pub fn take(&mut self, sku: SkuId, location: LocationId, units: i64) {
        debug_assert!(
            units >= 0 && units <= self.free(sku, location),
            "taking {units} of {sku} at {location}, more than is free"
        );
        *self.free.entry((sku, location)).or_insert(0) -= units;
    }
    /// Takes a promise back.
    pub fn give(&mut self, sku: SkuId, location: LocationId, units: i64) {
        *self.free.entry((sku, location)).or_insert(0) += units;
    }
    /// The locations on the shelf, one for each SKU there.
    pub fn locations(&self) -> Vec<LocationId> {
        self.free.keys().map(|(_, location)| *location).collect()
    }
    /// Where units of a SKU are free, and how many, in order of the locations' ids.
    pub fn locations_of(&self, sku: SkuId) -> impl Iterator<Item = (LocationId, i64)> {
        self.free
            .range((sku, LocationId(i64::MIN))..=(sku, LocationId(i64::MAX)))
            .filter(|(_, units)| **units > 0)
            .map(|((_, location), units)| (*location, *units))
    }
}

#[derive(FromRow)]
struct Row {
    sku_id: SkuId,
    location_id: LocationId,
    available: i64,
}

/// Locks the stock of some SKUs at all active locations, in order of (SKU, location), and says what can be promised of it.
///
/// # Errors
/// A fault of the database.
pub async fn lock(tx: &Tx, skus: &[SkuId]) -> Result<Shelf, Fault> {
    let input = sku_rows(skus.iter().copied());
    let text = "SELECT s.sku_id, s.location_id, s.available FROM stock s JOIN input ON input.sku_id = s.sku_id \
         JOIN location l ON l.id = s.location_id WHERE l.active = TRUE ORDER BY s.sku_id, s.location_id /*pg FOR UPDATE OF s */";
    let rows: Vec<Row> = tx.all_from(&input, text, []).await?;
    Ok(Shelf::new(rows.into_iter().map(|r| (r.sku_id, r.location_id, r.available))))
}

/// What can be promised of some SKUs at all active locations at this moment. Nothing is locked, so that it holds for nobody.
///
/// # Errors
/// A fault of the database.
pub async fn look(sql: &Sql, skus: &[SkuId]) -> Result<Shelf, Fault> {
    let text = "SELECT s.sku_id, s.location_id, s.available FROM stock s JOIN input ON input.sku_id = s.sku_id \
         JOIN location l ON l.id = s.location_id WHERE l.active = TRUE ORDER BY s.sku_id, s.location_id";
    let rows: Vec<Row> = sql.all_from(&sku_rows(skus.iter().copied()), text, []).await?;
    Ok(Shelf::new(rows.into_iter().map(|r| (r.sku_id, r.location_id, r.available))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn free_is_never_negative_and_nothing_is_lost(
            start in proptest::collection::vec(-5i64..50, 4),
            steps in proptest::collection::vec((0i64..2, 0i64..2, 0i64..20, any::<bool>()), 0..100),
        ) {
            let at = |n: usize| (SkuId((n / 2) as i64), LocationId((n % 2) as i64));
            let mut shelf = Shelf::new(start.iter().enumerate().map(|(n, units)| (at(n).0, at(n).1, *units)));
            let mut taken: BTreeMap<(SkuId, LocationId), i64> = BTreeMap::new();
            for (sku, location, units, takes) in steps {
                let key = (SkuId(sku), LocationId(location));
                let promised = taken.entry(key).or_insert(0);
                let before = shelf.free(key.0, key.1);
                if takes {
                    let units = units.min(before);
                    shelf.take(key.0, key.1, units);
                    *promised += units;
                    prop_assert_eq!(shelf.free(key.0, key.1), before - units);
                } else {
                    let units = units.min(*promised);
                    shelf.give(key.0, key.1, units);
                    *promised -= units;
                }
                prop_assert!(shelf.free(key.0, key.1) >= 0);
                let listed: i64 = shelf.locations_of(key.0).map(|(_, units)| units).sum();
                prop_assert_eq!(listed, shelf.free(key.0, LocationId(0)) + shelf.free(key.0, LocationId(1)));
            }
            for (key, units) in taken {
                shelf.give(key.0, key.1, units);
            }
            for (n, units) in start.iter().enumerate() {
                prop_assert_eq!(shelf.free(at(n).0, at(n).1), (*units).max(0));
            }
        }
    }
}
