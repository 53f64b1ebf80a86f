//! What a row says over what the catalogue has. Invariant: what the row does not say is what the catalogue has, read under the lock of the
//! SKU, so that nobody's change in between is undone.

use super::file::{Wanted, Wrong};
use crate::read::{barcodes_of, id_rows, lock_by_code};
use crate::{SaveSku, Sku, SkuKind, SupplierId};
use db::{Rows, Tx};
use kernel::{Currency, Fault, Money, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A row as commands.
#[derive(Debug, Clone)]
pub(super) struct Merged {
    /// The SKU as it shall be.
    pub save: SaveSku,
    /// Whether it is for sale, where that changes.
    pub switch: Option<bool>,
}

/// A SKU as the catalogue has it.
struct Known {
    sku: Sku,
    barcodes: Vec<String>,
    supplier: Option<String>,
}

/// Locks the SKUs that rows name and puts what the rows say over them.
pub(super) async fn merge(
    tx: &Tx,
    at: Timestamp,
    wanted: &[&Wanted],
) -> Result<Vec<Result<Merged, Wrong>>, Fault> {
    let mut codes = Rows::new("code TEXT");
    for code in wanted.iter().map(|w| w.code.as_str()).collect::<BTreeSet<_>>() {
        codes.push([code.into()]);
    }
    let skus = lock_by_code(tx, &codes).await?;
    let mut barcodes = barcodes_of(tx, &id_rows(skus.iter().map(|s| s.id))).await?;
    let suppliers: HashMap<SupplierId, String> = match skus.iter().any(|s| s.supplier.is_some()) {
        true => crate::suppliers(tx).await?.into_iter().map(|s| (s.id, s.code)).collect(),
        false => HashMap::new(),
    };
    let known: HashMap<String, Known> = skus
        .into_iter()
        .map(|sku| {
            let barcodes = barcodes.remove(&sku.id).unwrap_or_default();
            let supplier = sku.supplier.and_then(|s| suppliers.get(&s).cloned());
            (sku.code.clone(), Known { sku, barcodes, supplier })
        })
        .collect();
    Ok(wanted.iter().map(|want| over(at, want, known.get(&want.code))).collect())
}

/// Pure: one row over one SKU.
fn over(at: Timestamp, want: &Wanted, known: Option<&Known>) -> Result<Merged, Wrong> {
    let sku = known.map(|k| &k.sku);
    let title = want.title.clone().or_else(|| sku.map(|s| s.title.clone()));
    let title =
        title.ok_or_else(|| Wrong::new("title", format!("SKU {} is new and needs a title.", want.code)))?;
    let kept = sku.map_or([None; 4], |s| [s.weight_g, s.length_mm, s.width_mm, s.height_mm]);
    let size = |i: usize| want.sizes[i].unwrap_or(kept[i]);
    let mut prices: BTreeMap<Currency, i64> =
        sku.map(|s| s.prices.iter().map(|p| (p.currency, p.minor)).collect()).unwrap_or_default();
    for (currency, price) in &want.prices {
        match price {
            Some(minor) => prices.insert(*currency, *minor),
            None => prices.remove(currency),
        };
    }
    let had = |s: &Sku| s.components.iter().map(|c| (c.code.clone(), c.quantity)).collect();
    let save = SaveSku {
        at,
        code: want.code.clone(),
        title,
        kind: want.kind.or_else(|| sku.map(|s| s.kind)).unwrap_or(SkuKind::Simple),
        tax_class: want
            .tax_class
            .clone()
            .or_else(|| sku.map(|s| s.tax_class.clone()))
            .unwrap_or_else(|| "standard".to_owned()),
        barcodes: want.barcodes.clone().or_else(|| known.map(|k| k.barcodes.clone())).unwrap_or_default(),
        prices: prices.into_iter().map(|(currency, minor)| Money::new(minor, currency)).collect(),
        weight_g: size(0),
        length_mm: size(1),
        width_mm: size(2),
        height_mm: size(3),
        supplier: want.supplier.clone().unwrap_or_else(|| known.and_then(|k| k.supplier.clone())),
        components: want.components.clone().or_else(|| sku.map(had)).unwrap_or_default(),
    };
    let active = sku.is_none_or(|s| s.active);
    Ok(Merged { save, switch: want.for_sale.filter(|wanted| *wanted != active) })
}
