//! Settings of the merchant, kept in the database as JSON by key. (Settings of the process are in the configuration file.)

use crate::{FromRow, Rows, Sql, Tx};
use kernel::Fault;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// The value of a setting, or `None` when it was never set.
///
/// # Errors
/// A fault when the stored value does not read as `T`.
pub async fn get<T: DeserializeOwned>(sql: &Sql, key: &str) -> Result<Option<T>, Fault> {
    let text: Option<String> = sql.scalar("SELECT value FROM setting WHERE key = $1", [key.into()]).await?;
    text.map(|t| {
        serde_json::from_str(&t).map_err(|e| Fault::from(e).while_doing(format!("read setting {key}")))
    })
    .transpose()
}

/// The settings whose keys begin so, by key.
///
/// # Errors
/// A fault when a stored value does not read as `T`.
pub async fn under<T: DeserializeOwned>(sql: &Sql, prefix: &str) -> Result<HashMap<String, T>, Fault> {
    let found: Vec<Setting> = sql
        .all("SELECT key, value FROM setting WHERE SUBSTR(key, 1, LENGTH($1)) = $1", [prefix.into()])
        .await?;
    let read = |s: Setting| match serde_json::from_str(&s.value) {
        Ok(value) => Ok((s.key, value)),
        Err(e) => Err(Fault::from(e).while_doing(format!("read setting {}", s.key))),
    };
    found.into_iter().map(read).collect()
}

#[derive(FromRow)]
struct Setting {
    key: String,
    value: String,
}

/// Sets a setting.
///
/// # Errors
/// A fault of the database.
pub async fn set<T: Serialize>(tx: &Tx, key: &str, value: &T) -> Result<(), Fault> {
    set_all(tx, [(key.to_owned(), serde_json::to_value(value)?)]).await
}

/// Sets settings; of a repeated one the last counts.
///
/// # Errors
/// A fault of the database.
pub async fn set_all(tx: &Tx, all: impl IntoIterator<Item = (String, Value)>) -> Result<(), Fault> {
    let mut rows = Rows::new("key TEXT, value TEXT");
    for (key, value) in all.into_iter().collect::<BTreeMap<_, _>>() {
        rows.push([key.into(), value.to_string().into()]);
    }
    let text = "INSERT INTO setting (key, value) SELECT key, value FROM input WHERE TRUE \
                ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    tx.exec_from(&rows, text, []).await?;
    Ok(())
}
