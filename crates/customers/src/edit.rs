//! Change who a customer is: their name, and how they are reached.
//!
//! Invariants: an e-mail address (by its key) and a phone number still lead to one customer each: what is another's is refused by its
//! field, also where it is kept by the row of who was merged; orders keep what they were placed with.

use crate::CustomerId;
use crate::events::CustomerEdited;
use crate::names::surname_key;
use contact::address::Address;
use db::{FromRow, Tx};
use kernel::{Actor, Fault, Timestamp, refusals};

/// Characters of a name at most.
const LONGEST: usize = 255;

/// Who a customer is. Nothing means that they are not reached so.
#[derive(Debug, Clone)]
pub struct EditCustomer {
    /// When.
    pub at: Timestamp,
    /// Whom.
    pub customer: CustomerId,
    /// Their name.
    pub name: String,
    /// The e-mail address.
    pub email: Option<String>,
    /// The phone number; without a country code it is one of the country of their address.
    pub phone: Option<String>,
    /// By whom.
    pub by: Actor,
}

refusals! {
    /// Why a customer was not changed.
    pub enum EditRefused {
        UnknownCustomer { customer: CustomerId } => NotFound, "customers.unknown_customer", "There is no customer {customer}.";
        BadName { max: usize } => Invalid, "customers.bad_name", "A name has 1 to {max} characters.";
        BadContact { field: &'static str, sentence: String } => Invalid, "customers.bad_contact", "{sentence}";
        Taken { field: &'static str, what: &'static str, other: String } => Conflict, "customers.contact_taken", "This {what} is {other}'s: one leads to one customer.";
    }
}

impl EditRefused {
    /// The field it is about, where it is about one.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::UnknownCustomer { .. } => None,
            Self::BadName { .. } => Some("name"),
            Self::BadContact { field, .. } | Self::Taken { field, .. } => Some(field),
        }
    }
}

#[derive(FromRow)]
struct State {
    id: CustomerId,
    name: String,
    email: Option<String>,
    phone: Option<String>,
    address: Option<String>,
}

/// What is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    name: String,
    email: Option<String>,
    email_key: Option<String>,
    phone: Option<String>,
}

/// Pure: who the customer will be, without a look at others.
fn decide(state: &State, want: &EditCustomer) -> Result<Kept, EditRefused> {
    let name = want.name.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() || name.chars().nth(LONGEST).is_some() {
        return Err(EditRefused::BadName { max: LONGEST });
    }
    let some =
        |text: &Option<String>| text.as_deref().map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
    let bad = |field: &'static str| {
        move |wrong: contact::ContactProblem| EditRefused::BadContact { field, sentence: wrong.message }
    };
    let email =
        some(&want.email).map(|text| contact::email::email(&text)).transpose().map_err(bad("email"))?;
    let home: Option<Address> = state.address.as_deref().and_then(|a| serde_json::from_str(a).ok());
    let country = home.map_or_else(String::new, |a| a.country);
    let phone = some(&want.phone)
        .map(|text| contact::phone::phone(&text, &country))
        .transpose()
        .map_err(bad("phone"))?;
    let (email, email_key) = email.map_or((None, None), |e| (Some(e.address), Some(e.key)));
    Ok(Kept { name, email, email_key, phone })
}

/// Whose an e-mail address and a phone number are, if they are another's.
async fn taken(tx: &Tx, id: CustomerId, kept: &Kept) -> Result<Option<EditRefused>, Fault> {
    for (column, value, field, what) in [
        ("email_key", &kept.email_key, "email", "e-mail address"),
        ("phone", &kept.phone, "phone", "phone number"),
    ] {
        let Some(value) = value else { continue };
        let text = format!("SELECT name FROM customer WHERE {column} = $1 AND id <> $2");
        let other: Option<String> = tx.scalar(&text, [value.as_str().into(), id.into()]).await?;
        if let Some(other) = other {
            return Ok(Some(EditRefused::Taken { field, what, other }));
        }
    }
    Ok(None)
}

/// Changes who a customer is: people are edited one at a time, by hand. What was so already changes nothing. Event: `customer.edited`.
///
/// # Errors
/// A fault of the database.
pub async fn edit_customer(tx: &Tx, want: &EditCustomer) -> Result<Result<(), EditRefused>, Fault> {
    let text = "SELECT c.id, c.name, c.email, c.phone, c.address FROM customer c WHERE c.id = $1 AND c.merged_into IS NULL /*pg FOR UPDATE */";
    let state: Option<State> = tx.one(text, [want.customer.into()]).await?;
    let Some(state) = state else {
        return Ok(Err(EditRefused::UnknownCustomer { customer: want.customer }));
    };
    let kept = match decide(&state, want) {
        Ok(kept) => kept,
        Err(refused) => return Ok(Err(refused)),
    };
    // Two who take the same address at the same moment: the unique index refuses one, whose transaction runs again and finds it taken.
    match taken(tx, want.customer, &kept).await? {
        Some(refused) => Ok(Err(refused)),
        None => write(tx, want, &state, &kept).await.map(Ok),
    }
}

async fn write(tx: &Tx, want: &EditCustomer, state: &State, kept: &Kept) -> Result<(), Fault> {
    let fact = CustomerEdited {
        customer: state.id,
        name: state.name != kept.name,
        email: state.email != kept.email,
        phone: state.phone != kept.phone,
    };
    if !(fact.name || fact.email || fact.phone) {
        return Ok(());
    }
    let text = "UPDATE customer SET name = $2, surname = $3, email = $4, email_key = $5, phone = $6, version = version + 1 WHERE id = $1";
    let params = [
        state.id.into(),
        kept.name.as_str().into(),
        surname_key(&kept.name).into(),
        kept.email.clone().into(),
        kept.email_key.clone().into(),
        kept.phone.clone().into(),
    ];
    tx.exec(text, params).await?;
    tx.record_by(want.at, want.by.clone(), state.id, None, fact)
}
