//! Write a note on a customer, for colleagues.

use crate::events::CustomerNoted;
use crate::{CustomerId, survivor};
use db::{Rows, Tx};
use kernel::{Actor, Fault, Timestamp, refusals};

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

/// Keeps notes, on the survivor where a customer was merged: one outcome per item, in order. Events: `customer.noted`.
///
/// # Errors
/// A fault of the database.
pub async fn note_customers(
    tx: &Tx,
    batch: &[CustomerNote],
) -> Result<Vec<Result<CustomerNoteId, CustomerNoteRefused>>, Fault> {
    let known = survivor::lock(tx, batch.iter().map(|n| n.customer)).await?;
    let mut rows = Rows::new("id BIGINT, customer_id BIGINT, at BIGINT, by_actor TEXT, text TEXT");
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        let text = want.text.trim();
        if text.is_empty() || text.chars().nth(LONGEST).is_some() {
            outcomes.push(Err(CustomerNoteRefused::BadText { max: LONGEST }));
        } else if let Some(&customer) = known.get(&want.customer) {
            let id: CustomerNoteId = tx.id();
            let by = want.by.as_str();
            rows.push([id.into(), customer.into(), want.at.into(), by.into(), text.into()]);
            let fact = CustomerNoted { customer, text: text.to_owned() };
            tx.record_by(want.at, want.by.clone(), customer, None, fact)?;
            outcomes.push(Ok(id));
        } else {
            outcomes.push(Err(CustomerNoteRefused::UnknownCustomer { customer: want.customer }));
        }
    }
    if !rows.is_empty() {
        tx.insert("customer_note", &rows).await?;
    }
    Ok(outcomes)
}
