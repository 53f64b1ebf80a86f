//! Suppliers: whom we buy from, and who ships for us. Invariant: a code names one supplier for ever.

use crate::SupplierId;
use crate::events::SupplierSaved;
use db::{FromRow, Rows, Sql, Tx};
use kernel::{Fault, Timestamp};
use std::collections::{BTreeMap, HashMap};

/// Makes a supplier, or renames the one with this code.
#[derive(Debug, Clone)]
pub struct SaveSupplier {
    /// When.
    pub at: Timestamp,
    /// The merchant's code of them.
    pub code: String,
    /// Their name.
    pub name: String,
}

/// A supplier.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Supplier {
    /// Our id.
    pub id: SupplierId,
    /// The merchant's code of them.
    pub code: String,
    /// Their name.
    pub name: String,
}

/// Makes or renames suppliers by code; the ids in order. A repeated code keeps the last name. Events: `supplier.saved` for each that is
/// new or has another name.
///
/// # Errors
/// A fault of the database.
pub async fn save_suppliers(tx: &Tx, batch: &[SaveSupplier]) -> Result<Vec<SupplierId>, Fault> {
    let wanted: BTreeMap<&str, &SaveSupplier> = batch.iter().map(|s| (s.code.as_str(), s)).collect();
    let mut codes = Rows::new("code TEXT");
    for code in wanted.keys() {
        codes.push([(*code).into()]);
    }
    let text = "SELECT s.id, s.code, s.name FROM supplier s JOIN input ON input.code = s.code ORDER BY s.id /*pg FOR NO KEY UPDATE OF s */";
    let known: Vec<Supplier> = tx.all_from(&codes, text, []).await?;
    let known: HashMap<String, Supplier> = known.into_iter().map(|s| (s.code.clone(), s)).collect();

    let mut ids = HashMap::with_capacity(wanted.len());
    let mut new = Rows::new("id BIGINT, code TEXT, name TEXT, created_at BIGINT");
    let mut renamed = Rows::new("id BIGINT, name TEXT");
    for (code, want) in wanted {
        let id = match known.get(code) {
            Some(have) if have.name == want.name => {
                ids.insert(code, have.id);
                continue;
            }
            Some(have) => {
                renamed.push([have.id.into(), want.name.as_str().into()]);
                have.id
            }
            None => {
                let id = tx.id();
                new.push([SupplierId::into(id), code.into(), want.name.as_str().into(), want.at.into()]);
                id
            }
        };
        ids.insert(code, id);
        tx.record(
            want.at,
            id,
            None,
            SupplierSaved { supplier: id, code: code.to_owned(), name: want.name.clone() },
        )?;
    }
    if !new.is_empty() {
        tx.insert("supplier", &new).await?;
    }
    if !renamed.is_empty() {
        tx.exec_from(
            &renamed,
            "UPDATE supplier SET name = input.name FROM input WHERE supplier.id = input.id",
            [],
        )
        .await?;
    }
    batch
        .iter()
        .map(|s| ids.get(s.code.as_str()).copied().ok_or_else(|| Fault::broken("a supplier without id")))
        .collect()
}

/// All suppliers by code.
///
/// # Errors
/// A fault of the database.
pub async fn suppliers(sql: &Sql) -> Result<Vec<Supplier>, Fault> {
    sql.all("SELECT id, code, name FROM supplier ORDER BY code", []).await
}
