//! What this slice tells the world.

use crate::{ConsentChannel, CustomerId};
use kernel::{Currency, Money, fact};
use serde::{Deserialize, Serialize};

/// Somebody became a customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CustomerCreated {
    /// The customer.
    pub customer: CustomerId,
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: Option<String>,
}
fact!(CustomerCreated, "customer.created");

/// We learnt something of a customer that we did not know: a second way to reach them, or their address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CustomerCompleted {
    /// The customer.
    pub customer: CustomerId,
    /// The e-mail address, when it is new to us.
    pub email: Option<String>,
    /// The phone number, when it is new to us.
    pub phone: Option<String>,
}
fact!(CustomerCompleted, "customer.completed");

/// Somebody of ours changed who a customer is or how they are reached. Which of it; what it was and is, is theirs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CustomerEdited {
    /// The customer.
    pub customer: CustomerId,
    /// Their name.
    pub name: bool,
    /// Their e-mail address.
    pub email: bool,
    /// Their phone number.
    pub phone: bool,
}
fact!(CustomerEdited, "customer.edited");

/// A balance of store credit changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoreCreditChanged {
    /// Whose.
    pub customer: CustomerId,
    /// Of which currency.
    pub currency: Currency,
    /// By how many minor units: positive is granted, negative is spent or taken back.
    pub amount: i64,
    /// Why, for people.
    pub reason: String,
    /// The reference under which it was posted once.
    pub reference: String,
}
fact!(StoreCreditChanged, "store_credit.changed");

/// Somebody wrote a note on a customer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CustomerNoted {
    /// Whom.
    pub customer: CustomerId,
    /// What.
    pub text: String,
}
kernel::fact!(CustomerNoted, "customer.noted");

/// A customer gave or withdrew consent to marketing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConsentChanged {
    /// Whose.
    pub customer: CustomerId,
    /// On which channel.
    pub channel: ConsentChannel,
    /// Given, or withdrawn.
    pub given: bool,
    /// How we know.
    pub source: String,
}
kernel::fact!(ConsentChanged, "customer.consent_changed");

/// Two customers turned out to be one person. Whatever belongs to the one who was merged belongs to the survivor from now on: slices below
/// move what is theirs in the same transaction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CustomerMerged {
    /// Who has everything now.
    pub customer: CustomerId,
    /// Who was merged into them; the id leads there.
    pub merged: CustomerId,
    /// The name that was not kept.
    pub name: String,
    /// Store credit that moved, by currency.
    pub credit: Vec<Money>,
}
fact!(CustomerMerged, "customer.merged");
