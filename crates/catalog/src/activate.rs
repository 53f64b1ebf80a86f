//! Take SKUs into or out of the offer. Invariant: stock, open orders and history of a SKU that is not for sale stay as they are.

use crate::SkuId;
use crate::events::SkuActivated;
use db::{FromRow, Rows, Tx};
use kernel::{Fault, Timestamp};
use std::collections::{BTreeMap, HashMap};

/// Says whether a SKU is for sale.
#[derive(Debug, Clone)]
pub struct SetActive {
    /// When.
    pub at: Timestamp,
    /// The SKU's code.
    pub code: String,
    /// Whether it is for sale from now on.
    pub active: bool,
}

kernel::refusals! {
    /// Why a SKU's offer was not changed.
    pub enum SetActiveRefused {
        UnknownSku { code: String } => NotFound, "catalog.unknown_sku", "There is no SKU “{code}”.";
    }
}

#[derive(FromRow)]
struct Row {
    id: SkuId,
    code: String,
    active: bool,
}

/// Takes SKUs into or out of the offer; of a repeated code the last counts. Events: `sku.activated` for each that changes.
///
/// # Errors
/// A fault of the database.
pub async fn set_active(tx: &Tx, batch: &[SetActive]) -> Result<Vec<Result<SkuId, SetActiveRefused>>, Fault> {
    let wanted: BTreeMap<&str, &SetActive> = batch.iter().map(|s| (s.code.as_str(), s)).collect();
    let mut codes = Rows::new("code TEXT");
    for code in wanted.keys() {
        codes.push([(*code).into()]);
    }
    let text = "SELECT s.id, s.code, s.active FROM sku s JOIN input ON input.code = s.code ORDER BY s.id /*pg FOR NO KEY UPDATE OF s */";
    let known: Vec<Row> = tx.all_from(&codes, text, []).await?;
    let mut changed = Rows::new("id BIGINT, active BOOLEAN");
    let mut ids = HashMap::with_capacity(known.len());
    for row in known {
        ids.insert(row.code.clone(), row.id);
        if let Some(want) = wanted.get(row.code.as_str())
            && want.active != row.active
        {
            changed.push([row.id.into(), want.active.into()]);
            tx.record(
                want.at,
                row.id,
                None,
                SkuActivated { sku: row.id, code: row.code, active: want.active },
            )?;
        }
    }
    if !changed.is_empty() {
        let text = "UPDATE sku SET active = input.active, version = sku.version + 1 FROM input WHERE sku.id = input.id";
        tx.exec_from(&changed, text, []).await?;
    }
    Ok(batch
        .iter()
        .map(|s| {
            ids.get(&s.code).copied().ok_or_else(|| SetActiveRefused::UnknownSku { code: s.code.clone() })
        })
        .collect())
}
