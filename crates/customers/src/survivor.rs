//! Who a customer is now. Two customers who turned out to be one person were merged ([`crate::merge`]): the row of the one leads to the
//! other, and whoever comes with its id, its e-mail address or its phone number is led there.
//!
//! Invariant: a row leads to a survivor in one step (a merge redirects what led to the one who goes), so reading needs no loop; only what
//! locks rows has to look again, because a merge may have ended while it waited.

use crate::CustomerId;
use db::{FromRow, Rows, Sql, Tx};
use kernel::{Fault, Timestamp};
use std::collections::{BTreeSet, HashMap};

#[derive(FromRow)]
struct Lead {
    id: CustomerId,
    merged_into: Option<CustomerId>,
}

fn ids(of: impl IntoIterator<Item = CustomerId>) -> Rows {
    let mut input = Rows::new("id BIGINT");
    for id in of.into_iter().collect::<BTreeSet<_>>() {
        input.push([id.into()]);
    }
    input
}

/// The one who has everything of a customer: themselves, unless they were merged into somebody; also for an id that nobody has.
///
/// # Errors
/// A fault of the database.
pub async fn survivor(sql: &Sql, customer: CustomerId) -> Result<CustomerId, Fault> {
    let text = "SELECT COALESCE(c.merged_into, c.id) FROM customer c WHERE c.id = $1";
    Ok(sql.scalar(text, [customer.into()]).await?.unwrap_or(customer))
}

/// Locks the survivors of customers until this transaction ends, and says who they are; ids that nobody has are missing from the answer.
/// The row is the lock of all that hangs on a customer, as a balance that does not exist yet and cannot be locked itself.
pub(crate) async fn lock(
    tx: &Tx,
    customers: impl IntoIterator<Item = CustomerId>,
) -> Result<HashMap<CustomerId, CustomerId>, Fault> {
    let text = "SELECT c.id, c.merged_into FROM customer c JOIN input ON input.id = c.id ORDER BY c.id /*pg FOR NO KEY UPDATE OF c */";
    let mut leads: HashMap<CustomerId, Option<CustomerId>> = HashMap::new();
    let mut ask: BTreeSet<CustomerId> = customers.into_iter().collect();
    while !ask.is_empty() {
        let rows: Vec<Lead> = tx.all_from(&ids(ask), text, []).await?;
        leads.extend(rows.iter().map(|row| (row.id, row.merged_into)));
        ask = rows.iter().filter_map(|row| row.merged_into).filter(|id| !leads.contains_key(id)).collect();
    }
    Ok(leads.keys().map(|id| (*id, end(&leads, *id))).collect())
}

/// Where a lead ends.
pub(crate) fn end(leads: &HashMap<CustomerId, Option<CustomerId>>, from: CustomerId) -> CustomerId {
    let mut at = from;
    while let Some(Some(next)) = leads.get(&at) {
        at = *next;
    }
    at
}

/// Somebody who was merged into a customer.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Alias {
    /// Who has everything of theirs.
    pub survivor: CustomerId,
    /// Their id, which leads to the survivor.
    pub id: CustomerId,
    /// The name that was not kept.
    pub name: String,
    /// The e-mail address that was not kept, and leads to the survivor.
    pub email: Option<String>,
    /// The phone number that was not kept, and leads to the survivor.
    pub phone: Option<String>,
    /// When they were merged.
    pub merged_at: Timestamp,
}

/// Who was merged into customers, the latest first.
///
/// # Errors
/// A fault of the database.
pub async fn aliases(sql: &Sql, of: &[CustomerId]) -> Result<Vec<Alias>, Fault> {
    let text = "SELECT c.merged_into AS survivor, c.id, c.name, c.email, c.phone, c.merged_at FROM customer c \
         JOIN input ON input.id = c.merged_into ORDER BY c.merged_at DESC, c.id DESC";
    sql.all_from(&ids(of.iter().copied()), text, []).await
}
