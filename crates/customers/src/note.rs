//! Write a note on a customer, for colleagues.

use crate::CustomerId;
use crate::events::CustomerNoted;
use db::{FromRow, Rows, Tx};
use kernel::{Actor, Fault, Timestamp, refusals};
use std::collections::BTreeSet;

kernel::id!(CustomerNoteId, "cno", "A note on a customer.");

/// Characters of a note at most.
const LONGEST: usize = 10_000;

/// A note.
#[derive(Debug, Clone)]
pub struct CustomerNote {
    /// When.
    pub at: Timestamp,
    /// On whom.
    pub customer: CustomerId,
    /// What.
    pub text: String,
    /// By whom.
    pub by: Actor,
}

refusals! {
    /// Why a note was not taken.
    pub enum CustomerNoteRefused {
        BadText { max: usize } => Invalid, "customers.bad_note", "A note has 1 to {max} characters.";
        UnknownCustomer { customer: CustomerId } => NotFound, "customers.unknown_customer", "There is no customer {customer}.";
    }
}

#[derive(FromRow)]
struct Known {
    id: CustomerId,
}

/// Keeps notes: one outcome per item, in order. Events: `customer.noted`.
///
/// # Errors
/// A fault of the database.
pub async fn note_customers(
    tx: &Tx,
    batch: &[CustomerNote],
) -> Result<Vec<Result<CustomerNoteId, CustomerNoteRefused>>, Fault> {
    let mut asked = Rows::new("id BIGINT");
    for id in batch.iter().map(|n| n.customer).collect::<BTreeSet<_>>() {
        asked.push([id.into()]);
    }
    let known: Vec<Known> =
        tx.all_from(&asked, "SELECT c.id FROM customer c JOIN input ON input.id = c.id", []).await?;
    let known: BTreeSet<CustomerId> = known.into_iter().map(|k| k.id).collect();
    let mut rows = Rows::new("id BIGINT, customer_id BIGINT, at BIGINT, by_actor TEXT, text TEXT");
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        let text = want.text.trim();
        if text.is_empty() || text.chars().nth(LONGEST).is_some() {
            outcomes.push(Err(CustomerNoteRefused::BadText { max: LONGEST }));
        } else if !known.contains(&want.customer) {
            outcomes.push(Err(CustomerNoteRefused::UnknownCustomer { customer: want.customer }));
        } else {
            let id: CustomerNoteId = tx.id();
            let by = want.by.as_str();
            rows.push([id.into(), want.customer.into(), want.at.into(), by.into(), text.into()]);
            let fact = CustomerNoted { customer: want.customer, text: text.to_owned() };
            tx.record_by(want.at, want.by.clone(), want.customer, None, fact)?;
            outcomes.push(Ok(id));
        }
    }
    if !rows.is_empty() {
        tx.insert("customer_note", &rows).await?;
    }
    Ok(outcomes)
}
