//! Find or create customers by how they can be reached. Invariants: an e-mail address leads to one customer, and so does a phone number,
//! whoever races; what we know is completed, never overwritten.

use crate::CustomerId;
use crate::events::{CustomerCompleted, CustomerCreated};
use contact::address::Address;
use db::{FromRow, Rows, Tx};
use kernel::{Fault, Timestamp};
use std::collections::{BTreeMap, HashMap, HashSet};

/// How somebody who orders can be reached, in canonical form.
#[derive(Debug, Clone)]
pub struct Contact {
    /// When they came.
    pub at: Timestamp,
    /// Their name.
    pub name: String,
    /// Their e-mail address, normalised.
    pub email: Option<String>,
    /// The key under which spellings of one mailbox are the same.
    pub email_key: Option<String>,
    /// Their phone number in E.164 form.
    pub phone: Option<String>,
    /// Their address.
    pub address: Option<Address>,
}

/// What is known of a customer while the batch is decided.
#[derive(Debug, Clone, PartialEq)]
struct Known {
    email_key: Option<String>,
    phone: Option<String>,
    has_address: bool,
    /// What is to be written: nothing, a new row, or the missing parts of an old one.
    write: Write,
}

#[derive(Debug, Clone, PartialEq)]
enum Write {
    Nothing,
    New(Draft),
    Complete(Draft),
}

/// The values to write; of a completion, only the missing ones.
#[derive(Debug, Clone, PartialEq, Default)]
struct Draft {
    at: Timestamp,
    name: String,
    email: Option<String>,
    email_key: Option<String>,
    phone: Option<String>,
    address: Option<Address>,
}

/// Customers by how they are found, kept up to date contact by contact: who a contact is can be asked before anything is written, and those
/// who come to nothing leave no trace.
#[derive(Debug, Default)]
pub struct People {
    customers: BTreeMap<CustomerId, Known>,
    by_email: HashMap<String, CustomerId>,
    by_phone: HashMap<String, CustomerId>,
}

#[derive(FromRow)]
struct Row {
    id: CustomerId,
    email_key: Option<String>,
    phone: Option<String>,
    address: Option<String>,
}

/// The customer of each contact, in order: found by the e-mail address, else by the phone number, else made. A contact with neither makes
/// a new customer. Events: `customer.created`, `customer.completed`.
///
/// # Errors
/// A fault of the database.
pub async fn find_or_create(tx: &Tx, batch: &[Contact]) -> Result<Vec<CustomerId>, Fault> {
    let mut people = People::load(tx, batch).await?;
    let ids: Vec<CustomerId> = batch.iter().map(|c| people.settle(c, || tx.id())).collect();
    let elsewhere = people.write(tx).await?;
    Ok(ids.into_iter().map(|id| elsewhere.get(&id).copied().unwrap_or(id)).collect())
}

impl People {
    /// Those who can be reached as some contacts can.
    ///
    /// # Errors
    /// A fault of the database.
    pub async fn load(tx: &Tx, batch: &[Contact]) -> Result<Self, Fault> {
        let emails = batch.iter().filter_map(|c| c.email_key.as_deref());
        let phones = batch.iter().filter_map(|c| c.phone.as_deref());
        let mut people = Self::default();
        for row in rows_of(tx, emails, phones).await? {
            people.add(row);
        }
        Ok(people)
    }
    /// Whose contact it is, if anybody's.
    pub fn known(&self, contact: &Contact) -> Option<CustomerId> {
        let by_email = contact.email_key.as_ref().and_then(|k| self.by_email.get(k)).copied();
        by_email.or_else(|| contact.phone.as_ref().and_then(|p| self.by_phone.get(p)).copied())
    }
    /// All who were found or settled.
    pub fn ids(&self) -> impl Iterator<Item = CustomerId> {
        self.customers.keys().copied()
    }
    /// Whose contact it is, a new customer's if nobody's; the customer learns from it what was not known. Pure: it is written by
    /// [`People::write`].
    pub fn settle(&mut self, contact: &Contact, new_id: impl FnOnce() -> CustomerId) -> CustomerId {
        decide(self, contact, new_id)
    }
    /// Writes what was settled; gives, for those who were made by somebody else meanwhile, whom they turned out to be. Events:
    /// `customer.created`, `customer.completed`.
    ///
    /// # Errors
    /// A fault of the database.
    pub async fn write(&self, tx: &Tx) -> Result<HashMap<CustomerId, CustomerId>, Fault> {
        complete(tx, self).await?;
        create(tx, self).await
    }
    fn add(&mut self, row: Row) {
        if let Some(key) = &row.email_key {
            self.by_email.insert(key.clone(), row.id);
        }
        if let Some(phone) = &row.phone {
            self.by_phone.insert(phone.clone(), row.id);
        }
        let known = Known {
            email_key: row.email_key,
            phone: row.phone,
            has_address: row.address.is_some(),
            write: Write::Nothing,
        };
        self.customers.insert(row.id, known);
    }
}

async fn rows_of<'a>(
    tx: &Tx,
    emails: impl Iterator<Item = &'a str>,
    phones: impl Iterator<Item = &'a str>,
) -> Result<Vec<Row>, Fault> {
    let mut rows = Vec::new();
    for (texts, query) in [
        (
            emails.collect::<HashSet<_>>(),
            "SELECT c.id, c.email_key, c.phone, c.address FROM customer c JOIN input ON input.key = c.email_key",
        ),
        (
            phones.collect::<HashSet<_>>(),
            "SELECT c.id, c.email_key, c.phone, c.address FROM customer c JOIN input ON input.key = c.phone",
        ),
    ] {
        let mut input = Rows::new("key TEXT");
        for text in texts {
            input.push([text.into()]);
        }
        rows.extend(tx.all_from::<Row>(&input, query, []).await?);
    }
    Ok(rows)
}

/// The customer a contact belongs to, noting what is to be written.
fn decide(view: &mut People, contact: &Contact, new_id: impl FnOnce() -> CustomerId) -> CustomerId {
    let by_email = contact.email_key.as_ref().and_then(|k| view.by_email.get(k)).copied();
    let by_phone = contact.phone.as_ref().and_then(|p| view.by_phone.get(p)).copied();
    let Some(id) = by_email.or(by_phone) else {
        let id = new_id();
        let draft = Draft {
            at: contact.at,
            name: contact.name.clone(),
            email: contact.email.clone(),
            email_key: contact.email_key.clone(),
            phone: contact.phone.clone(),
            address: contact.address.clone(),
        };
        note_keys(view, id, contact);
        let known = Known {
            email_key: contact.email_key.clone(),
            phone: contact.phone.clone(),
            has_address: contact.address.is_some(),
            write: Write::New(draft),
        };
        view.customers.insert(id, known);
        return id;
    };
    let Some(known) = view.customers.get_mut(&id) else { return id };
    // A key that leads nowhere yet is learnt when this customer has none; one that leads to another customer stays there.
    let email_key = contact.email_key.clone().filter(|_| known.email_key.is_none() && by_email.is_none());
    let phone = contact.phone.clone().filter(|_| known.phone.is_none() && by_phone.is_none());
    let address = contact.address.clone().filter(|_| !known.has_address);
    if email_key.is_none() && phone.is_none() && address.is_none() {
        return id;
    }
    known.has_address |= address.is_some();
    known.email_key = known.email_key.take().or_else(|| email_key.clone());
    known.phone = known.phone.take().or_else(|| phone.clone());
    let email = contact.email.clone().filter(|_| email_key.is_some());
    if let Some(key) = &email_key {
        view.by_email.insert(key.clone(), id);
    }
    if let Some(phone) = &phone {
        view.by_phone.insert(phone.clone(), id);
    }
    let fresh = || Draft { at: contact.at, ..Draft::default() };
    let (Write::New(draft) | Write::Complete(draft)) = (match &mut known.write {
        Write::Nothing => {
            known.write = Write::Complete(fresh());
            &mut known.write
        }
        write => write,
    }) else {
        return id;
    };
    draft.email = draft.email.take().or(email);
    draft.email_key = draft.email_key.take().or(email_key);
    draft.phone = draft.phone.take().or(phone);
    draft.address = draft.address.take().or(address);
    id
}

fn note_keys(view: &mut People, id: CustomerId, contact: &Contact) {
    if let Some(key) = &contact.email_key {
        view.by_email.insert(key.clone(), id);
    }
    if let Some(phone) = &contact.phone {
        view.by_phone.insert(phone.clone(), id);
    }
}

/// Writes the missing parts of old customers, in order of their ids. Two who complete one customer at once: COALESCE keeps the first; two
/// who give one key to different customers: the later transaction runs again.
async fn complete(tx: &Tx, view: &People) -> Result<(), Fault> {
    let mut rows = Rows::new("id BIGINT, email TEXT?, email_key TEXT?, phone TEXT?, address TEXT?");
    for (id, known) in &view.customers {
        let Write::Complete(draft) = &known.write else { continue };
        rows.push([
            (*id).into(),
            draft.email.clone().into(),
            draft.email_key.clone().into(),
            draft.phone.clone().into(),
            address_text(draft.address.as_ref())?.into(),
        ]);
        let fact =
            CustomerCompleted { customer: *id, email: draft.email.clone(), phone: draft.phone.clone() };
        tx.record(draft.at, id, None, fact)?;
    }
    if rows.is_empty() {
        return Ok(());
    }
    let lock = "SELECT c.id FROM customer c JOIN input ON input.id = c.id ORDER BY c.id /*pg FOR NO KEY UPDATE OF c */";
    tx.all_from::<IdRow>(&rows, lock, []).await?;
    let text = "UPDATE customer SET email = CASE WHEN customer.email_key IS NULL THEN COALESCE(input.email, customer.email) ELSE customer.email END, \
         email_key = COALESCE(customer.email_key, input.email_key), phone = COALESCE(customer.phone, input.phone), \
         address = COALESCE(customer.address, input.address), version = customer.version + 1 FROM input WHERE customer.id = input.id";
    tx.exec_from(&rows, text, []).await?;
    Ok(())
}

#[derive(FromRow)]
struct IdRow {
    id: CustomerId,
}

/// Inserts the new customers; gives, for those who were made by somebody else meanwhile, whom they turned out to be.
async fn create(tx: &Tx, view: &People) -> Result<HashMap<CustomerId, CustomerId>, Fault> {
    let mut new: Vec<(CustomerId, &Draft)> = view
        .customers
        .iter()
        .filter_map(|(id, known)| match &known.write {
            Write::New(draft) => Some((*id, draft)),
            _ => None,
        })
        .collect();
    // In the order of their keys, so that two batches that meet wait for each other in one direction.
    new.sort_by(|(_, a), (_, b)| (&a.email_key, &a.phone).cmp(&(&b.email_key, &b.phone)));
    let mut rows = Rows::new(
        "id BIGINT, name TEXT, surname TEXT?, email TEXT?, email_key TEXT?, phone TEXT?, address TEXT?, created_at BIGINT",
    );
    for (id, draft) in &new {
        rows.push([
            (*id).into(),
            draft.name.as_str().into(),
            crate::names::surname_key(&draft.name).into(),
            draft.email.clone().into(),
            draft.email_key.clone().into(),
            draft.phone.clone().into(),
            address_text(draft.address.as_ref())?.into(),
            draft.at.into(),
        ]);
    }
    let text = "INSERT INTO customer (id, name, surname, email, email_key, phone, address, created_at) \
         SELECT id, name, surname, email, email_key, phone, address, created_at FROM input WHERE TRUE ON CONFLICT DO NOTHING RETURNING id";
    let made: HashSet<CustomerId> =
        tx.all_from::<IdRow>(&rows, text, []).await?.into_iter().map(|r| r.id).collect();
    let mut missed = Vec::new();
    for (id, draft) in new {
        if made.contains(&id) {
            let fact = CustomerCreated { customer: id, name: draft.name.clone(), email: draft.email.clone() };
            tx.record(draft.at, id, None, fact)?;
        } else {
            missed.push((id, draft));
        }
    }
    whom(tx, missed).await
}

/// Who holds the keys that somebody else was first with. Nothing is completed here: the next contact will.
async fn whom(tx: &Tx, missed: Vec<(CustomerId, &Draft)>) -> Result<HashMap<CustomerId, CustomerId>, Fault> {
    if missed.is_empty() {
        return Ok(HashMap::new());
    }
    let emails = missed.iter().filter_map(|(_, d)| d.email_key.as_deref());
    let phones = missed.iter().filter_map(|(_, d)| d.phone.as_deref());
    let mut view = People::default();
    for row in rows_of(tx, emails, phones).await? {
        view.add(row);
    }
    missed
        .into_iter()
        .map(|(id, draft)| {
            let by_email = draft.email_key.as_ref().and_then(|k| view.by_email.get(k));
            let found = by_email.or_else(|| draft.phone.as_ref().and_then(|p| view.by_phone.get(p)));
            found.map(|other| (id, *other)).ok_or_else(|| Fault::broken("a customer was there and is gone"))
        })
        .collect()
}

fn address_text(address: Option<&Address>) -> Result<Option<String>, Fault> {
    Ok(address.map(serde_json::to_string).transpose()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(email: Option<&str>, phone: Option<&str>) -> Contact {
        Contact {
            at: Timestamp(0),
            name: "Ada".into(),
            email: email.map(str::to_owned),
            email_key: email.map(str::to_owned),
            phone: phone.map(str::to_owned),
            address: None,
        }
    }

    #[test]
    fn email_goes_before_phone_and_keys_are_learnt_once() {
        let mut view = People::default();
        let mut next = 0;
        let mut find = |view: &mut People, email, phone| {
            next += 1;
            decide(view, &contact(email, phone), || CustomerId(next)).0
        };
        assert_eq!(find(&mut view, Some("a@x"), None), 1);
        assert_eq!(find(&mut view, Some("a@x"), Some("+1")), 1, "found by e-mail; the phone is learnt");
        assert_eq!(find(&mut view, None, Some("+1")), 1, "found by the phone that was learnt");
        assert_eq!(find(&mut view, Some("b@x"), Some("+2")), 4, "nobody knows either");
        assert_eq!(find(&mut view, Some("a@x"), Some("+2")), 1, "e-mail goes before phone");
        assert_eq!(find(&mut view, Some("c@x"), Some("+2")), 4, "an unknown e-mail falls back to the phone");
        assert_eq!(find(&mut view, Some("c@x"), None), 7, "and is not learnt: that customer has another");
        assert_eq!(find(&mut view, None, None), 8, "nothing to find by makes a new customer");
        assert_eq!(find(&mut view, None, None), 9);
        let Write::New(draft) = &view.customers[&CustomerId(1)].write else { panic!("new") };
        assert_eq!(draft.phone.as_deref(), Some("+1"), "one insert carries what the batch learnt");
    }
}
