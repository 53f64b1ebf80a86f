//! Queries of customers. Invariant: addresses are read back as they were written.

use crate::names::surnames;
use crate::{Customer, CustomerId};
use contact::address::Address;
use db::{FromRow, Rows, Sql};
use kernel::{Currency, Fault, Timestamp};
use std::collections::HashMap;

const COLUMNS: &str = "c.id, c.name, c.email, c.phone, c.address, c.created_at, c.version";

#[derive(FromRow)]
struct Row {
    id: CustomerId,
    name: String,
    email: Option<String>,
    phone: Option<String>,
    address: Option<String>,
    created_at: Timestamp,
    version: i64,
}

impl Row {
    fn into_customer(self) -> Result<Customer, Fault> {
        let address: Option<Address> = self.address.as_deref().map(serde_json::from_str).transpose()?;
        Ok(Customer {
            id: self.id,
            name: self.name,
            email: self.email,
            phone: self.phone,
            address,
            created_at: self.created_at,
            version: self.version,
        })
    }
}

/// Of the names that begin with a search, so many are looked at.
const NAMES: usize = 300;

/// Which customers a list shows.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The key of an e-mail address.
    pub email_key: Option<String>,
    /// A phone number in E.164 form.
    pub phone: Option<String>,
    /// The beginning of the name or of its last word, in any case of letters.
    pub name: Option<String>,
}

/// Customers, the newest first, after `after`, at most `limit`.
///
/// # Errors
/// A fault of the database.
pub async fn list(
    sql: &Sql,
    filter: &Filter,
    after: Option<CustomerId>,
    limit: i64,
) -> Result<Vec<Customer>, Fault> {
    let mut text = format!("SELECT {COLUMNS} FROM customer c WHERE TRUE");
    let mut values: Vec<db::Value> = Vec::new();
    for (column, value) in [("c.email_key", &filter.email_key), ("c.phone", &filter.phone)] {
        if let Some(value) = value {
            values.push(value.as_str().into());
            text.push_str(&format!(" AND {column} = ${}", values.len()));
        }
    }
    if let Some(name) = filter.name.as_deref().map(str::trim).filter(|n| !n.is_empty()) {
        // Of the names and of the last words that begin so, as many are looked at, in the order of the alphabet.
        let (from, end) = surnames(name).unwrap_or_default();
        values.extend([name.into(), format!("{name}{}", char::MAX).into(), from.into(), end.into()]);
        let n = values.len();
        text.push_str(&format!(
            " AND (c.id IN (SELECT n.id FROM customer n WHERE LOWER(n.name) >= LOWER(${}) AND LOWER(n.name) < LOWER(${}) \
             ORDER BY LOWER(n.name) LIMIT {NAMES}) OR c.id IN (SELECT s.id FROM customer s WHERE s.surname >= ${} AND s.surname < ${n} \
             ORDER BY s.surname, s.id LIMIT {NAMES}))",
            n - 3,
            n - 2,
            n - 1
        ));
    }
    if let Some(after) = after {
        values.push(after.into());
        text.push_str(&format!(" AND c.id < ${}", values.len()));
    }
    values.push(limit.into());
    text.push_str(&format!(" ORDER BY c.id DESC LIMIT ${}", values.len()));
    let rows: Vec<Row> = sql.all(&text, values).await?;
    rows.into_iter().map(Row::into_customer).collect()
}

/// Customers by their ids; ids that do not exist are missing from the answer.
///
/// # Errors
/// A fault of the database.
pub async fn by_id(sql: &Sql, ids: &[CustomerId]) -> Result<HashMap<CustomerId, Customer>, Fault> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let mut input = Rows::new("id BIGINT");
    for id in ids {
        input.push([id.into()]);
    }
    let rows: Vec<Row> = sql
        .all_from(&input, &format!("SELECT {COLUMNS} FROM customer c JOIN input ON input.id = c.id"), [])
        .await?;
    rows.into_iter().map(|r| Ok((r.id, r.into_customer()?))).collect()
}

/// A balance of store credit.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Balance {
    /// ISO 4217.
    pub currency: Currency,
    /// Minor units.
    pub balance: i64,
}

/// An entry of store credit.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Entry {
    /// ISO 4217.
    pub currency: Currency,
    /// Minor units: positive was granted, negative was spent or taken back.
    pub amount: i64,
    /// Why.
    pub reason: String,
    /// The order it belongs to (raw id).
    pub order_id: Option<i64>,
    /// What made it once.
    pub reference: String,
    /// When.
    pub at: Timestamp,
}

/// The balances of a customer by currency.
///
/// # Errors
/// A fault of the database.
pub async fn balances(sql: &Sql, customer: CustomerId) -> Result<Vec<Balance>, Fault> {
    sql.all(
        "SELECT currency, balance FROM store_credit WHERE customer_id = $1 ORDER BY currency",
        [customer.into()],
    )
    .await
}

/// The newest entries of a customer's store credit, at most `limit`.
///
/// # Errors
/// A fault of the database.
pub async fn entries(sql: &Sql, customer: CustomerId, limit: i64) -> Result<Vec<Entry>, Fault> {
    let text = "SELECT currency, amount, reason, order_id, reference, at FROM store_credit_entry WHERE customer_id = $1 \
         ORDER BY at DESC, id DESC LIMIT $2";
    sql.all(text, [customer.into(), limit.into()]).await
}

/// Customers that a text may stand for while somebody types: the beginning of a name or its last word, an e-mail address or a phone
/// number.
///
/// # Errors
/// A fault of the database.
pub async fn suggested(sql: &Sql, text: &str, limit: i64) -> Result<Vec<Customer>, Fault> {
    let text = text.trim().to_lowercase();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let end = format!("{text}{}", char::MAX);
    let (surname, surname_end) = surnames(&text).unwrap_or_default();
    let sql_text = format!(
        "SELECT {COLUMNS} FROM customer c WHERE c.id IN (SELECT n.id FROM customer n WHERE LOWER(n.name) >= $1 AND LOWER(n.name) < $2 ORDER BY LOWER(n.name) LIMIT 20) \
         OR c.id IN (SELECT e.id FROM customer e WHERE e.email_key >= $1 AND e.email_key < $2 ORDER BY e.email_key LIMIT 20) \
         OR c.id IN (SELECT p.id FROM customer p WHERE p.phone >= $1 AND p.phone < $2 ORDER BY p.phone LIMIT 20) \
         OR c.id IN (SELECT s.id FROM customer s WHERE s.surname >= $4 AND s.surname < $5 ORDER BY s.surname, s.id LIMIT 20) \
         ORDER BY LOWER(c.name), c.id LIMIT $3"
    );
    let rows: Vec<Row> = sql
        .all(&sql_text, [text.into(), end.into(), limit.into(), surname.into(), surname_end.into()])
        .await?;
    rows.into_iter().map(Row::into_customer).collect()
}

/// A note on a customer.
#[derive(Debug, Clone, FromRow)]
pub struct NoteRow {
    /// When.
    pub at: Timestamp,
    /// By whom, as the event log names them.
    pub by_actor: String,
    /// What.
    pub text: String,
}

/// The newest notes on a customer.
///
/// # Errors
/// A fault of the database.
pub async fn notes(sql: &Sql, customer: CustomerId, limit: i64) -> Result<Vec<NoteRow>, Fault> {
    let text = "SELECT at, by_actor, text FROM customer_note WHERE customer_id = $1 ORDER BY at DESC, id DESC LIMIT $2";
    sql.all(text, [customer.into(), limit.into()]).await
}
