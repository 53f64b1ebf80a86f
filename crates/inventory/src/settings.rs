//! The merchant's settings that inventory reads.

use db::Sql;
use kernel::{Currency, Fault};

/// The currency in which costs and values of stock are kept: the setting `base_currency`, EUR where it was never set.
///
/// # Errors
/// A fault of the database, or when the setting does not read as a currency.
pub async fn base_currency(sql: &Sql) -> Result<Currency, Fault> {
    match db::settings::get(sql, "base_currency").await? {
        Some(currency) => Ok(currency),
        None => Ok("EUR".parse()?),
    }
}
