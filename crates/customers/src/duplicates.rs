//! Who is probably the same person: found by what people have twice without noticing, and always with the reason beside it.
//!
//! Invariant: a suggestion costs a few walks of indexes, whatever the shop holds; a name alone is no reason.

use crate::{Customer, CustomerId, read};
use db::Sql;
use kernel::Fault;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What [`web::Finder`]s of other slices find: customers who are reached at a phone number that somebody ordered with. The text is the raw
/// id of that somebody.
pub const SAME_PHONE: &str = "customer by phone of orders";

/// Of the people with one name, so many are looked at.
const NAMESAKES: i64 = 50;

/// Why two customers may be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Likeness {
    /// One mailbox, but for what follows a plus in its name.
    Mailbox,
    /// One phone number, of theirs, of their address or of an order.
    Phone,
    /// One name, and one postal code.
    NameAndPlace,
}

impl Likeness {
    /// As people read it.
    pub(crate) fn says(self) -> &'static str {
        match self {
            Self::Mailbox => "same mailbox",
            Self::Phone => "same phone number",
            Self::NameAndPlace => "same name and postal code",
        }
    }
}

/// Somebody who is probably the same person.
#[derive(Debug, Clone, PartialEq)]
pub struct Likely {
    /// Who.
    pub customer: Customer,
    /// Why.
    pub because: Vec<Likeness>,
}

/// The key of a mailbox without what follows a plus: its name and its domain.
fn mailbox(email: &str) -> Option<(String, String)> {
    let (local, domain) = email.rsplit_once('@')?;
    let base = local.split('+').next().filter(|base| !base.is_empty())?;
    Some((base.to_lowercase(), domain.to_lowercase()))
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_lowercase).collect()
}

fn phones(c: &Customer) -> BTreeSet<&str> {
    let of_address = c.address.as_ref().and_then(|a| a.phone.as_deref());
    [c.phone.as_deref(), of_address].into_iter().flatten().collect()
}

/// Country and postal code, as one writes it without spaces.
fn place(c: &Customer) -> Option<(String, String)> {
    let address = c.address.as_ref()?;
    let code: String = address.postal_code.as_ref()?.chars().filter(|c| c.is_alphanumeric()).collect();
    (!code.is_empty()).then(|| (address.country.clone(), code.to_uppercase()))
}

/// Pure: why two customers may be one, the strongest reason first.
fn likeness(a: &Customer, b: &Customer) -> Vec<Likeness> {
    let mut because = Vec::new();
    let of = |c: &Customer| c.email.as_deref().and_then(mailbox);
    if of(a).is_some() && of(a) == of(b) {
        because.push(Likeness::Mailbox);
    }
    if !phones(a).is_disjoint(&phones(b)) {
        because.push(Likeness::Phone);
    }
    let name = words(&a.name);
    if !name.is_empty() && name == words(&b.name) && place(a).is_some() && place(a) == place(b) {
        because.push(Likeness::NameAndPlace);
    }
    because
}

/// Who is probably the same person as a customer, those with the most reasons first. `by_phone` is what the finders of [`SAME_PHONE`] found.
///
/// # Errors
/// A fault of the database.
pub async fn duplicates(sql: &Sql, of: &Customer, by_phone: &[i64]) -> Result<Vec<Likely>, Fault> {
    let text = "SELECT c.id FROM customer c WHERE LOWER(c.name) = LOWER($1) AND c.merged_into IS NULL AND c.id <> $2 ORDER BY c.id LIMIT $3";
    let mut ids: Vec<CustomerId> =
        sql.column(text, [of.name.as_str().into(), of.id.into(), NAMESAKES.into()]).await?;
    if let Some((base, domain)) = of.email.as_deref().and_then(mailbox) {
        // A comma is the character after the plus.
        let text = "SELECT COALESCE(c.merged_into, c.id) FROM customer c WHERE c.email_key = $1 OR (c.email_key >= $2 AND c.email_key < $3) LIMIT $4";
        let (plain, from, to) = (format!("{base}@{domain}"), format!("{base}+"), format!("{base},"));
        let found = sql.column(text, [plain.into(), from.into(), to.into(), NAMESAKES.into()]).await?;
        ids.extend::<Vec<CustomerId>>(found);
    }
    for phone in phones(of) {
        let text = "SELECT COALESCE(c.merged_into, c.id) FROM customer c WHERE c.phone = $1";
        ids.extend(sql.column::<CustomerId>(text, [phone.into()]).await?);
    }
    let by_phone: BTreeSet<CustomerId> = by_phone.iter().map(|id| CustomerId(*id)).collect();
    ids.extend(by_phone.iter().copied());
    let found: BTreeMap<CustomerId, Customer> =
        read::by_id(sql, &ids).await?.into_values().filter(|c| c.id != of.id).map(|c| (c.id, c)).collect();
    let mut likely: Vec<Likely> = found
        .into_values()
        .filter_map(|customer| {
            let mut because = likeness(of, &customer);
            if by_phone.contains(&customer.id) && !because.contains(&Likeness::Phone) {
                because.push(Likeness::Phone);
                because.sort_unstable();
            }
            (!because.is_empty()).then_some(Likely { customer, because })
        })
        .collect();
    likely.sort_by_key(|l| std::cmp::Reverse(l.because.len()));
    Ok(likely)
}

#[cfg(test)]
mod tests {
    use super::*;
    use contact::address::Address;
    use kernel::Timestamp;

    fn who(name: &str, email: &str, phone: &str, place: &str, of_address: &str) -> Customer {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let address = |code: String| Address {
            country: "GB".into(),
            postal_code: Some(code),
            phone: some(of_address),
            ..Address::default()
        };
        Customer {
            id: CustomerId(1),
            name: name.into(),
            email: some(email),
            phone: some(phone),
            address: some(place).map(address),
            created_at: Timestamp(0),
            version: 1,
        }
    }

    #[test]
    fn reasons() {
        use Likeness::{Mailbox, NameAndPlace, Phone};
        let ada = who("Ada Lovelace", "ada@x.example", "+441", "W1A 1AA", "+442");
        for (other, because) in [
            (who("Ada Lovelace", "", "", "", ""), vec![]),
            (who("ada  lovelace", "", "", "w1a1aa", ""), vec![NameAndPlace]),
            (who("Ada Lovelace", "", "", "W1A 1AB", ""), vec![]),
            (who("Bob", "ada+shop@x.example", "", "W1A 1AA", ""), vec![Mailbox]),
            (who("Bob", "ADA@X.example", "", "", ""), vec![Mailbox]),
            (who("Bob", "ada@y.example", "", "", ""), vec![]),
            (who("Bob", "adam@x.example", "", "", ""), vec![]),
            (who("Bob", "", "+442", "", ""), vec![Phone]),
            (who("Bob", "", "", "SW1A 1AA", "+441"), vec![Phone]),
            (
                who("Ada Lovelace", "ada+1@x.example", "+441", "W1A 1AA", ""),
                vec![Mailbox, Phone, NameAndPlace],
            ),
        ] {
            assert_eq!(likeness(&ada, &other), because, "{other:?}");
            assert_eq!(likeness(&other, &ada), because, "the other way round: {other:?}");
        }
        let nobody = who("", "+@x.example", "", "W1A 1AA", "");
        assert_eq!(likeness(&nobody, &nobody), vec![], "nothing is no likeness");
    }
}
