//! Set whether a customer may be written to for marketing. Invariant: history is appended to and never changed; what holds is the newest
//! word on a channel, and saying the same again adds nothing.

use crate::events::ConsentChanged;
use crate::{CustomerId, survivor};
use db::{FromRow, Rows, Sql, Tx};
use kernel::{Actor, Fault, Timestamp, refusals};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::str::FromStr;

kernel::id!(ConsentId, "con", "A word of a customer on marketing.");

/// Characters of a source at most.
const LONGEST: usize = 200;

/// A way to reach a customer for marketing. What an order needs, as its confirmation, asks for no consent.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[schema(as = ConsentChannel)]
pub enum Channel {
    /// E-mail.
    Email,
    /// Text messages.
    Sms,
    /// Calls.
    Phone,
    /// Letters.
    Post,
}

impl Channel {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Email, Self::Sms, Self::Phone, Self::Post];
    /// The word in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Phone => "phone",
            Self::Post => "post",
        }
    }
}

/// A channel nobody knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownChannel(pub String);
impl std::fmt::Display for UnknownChannel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "“{}” is no channel: email, sms, phone or post", self.0)
    }
}
impl std::error::Error for UnknownChannel {}

impl FromStr for Channel {
    type Err = UnknownChannel;
    fn from_str(text: &str) -> Result<Self, UnknownChannel> {
        Self::ALL.into_iter().find(|c| c.as_str() == text).ok_or_else(|| UnknownChannel(text.to_owned()))
    }
}
impl kernel::row::FromCell for Channel {
    fn from_cell(cell: kernel::row::Cell) -> Result<Self, String> {
        kernel::row::parsed(cell)
    }
}

/// What a customer said.
#[derive(Debug, Clone)]
pub struct SetConsent {
    /// When it was said.
    pub at: Timestamp,
    /// Who said it.
    pub customer: CustomerId,
    /// About what.
    pub channel: Channel,
    /// Given, or withdrawn.
    pub given: bool,
    /// How we know: `phone call`, `form on the site`, `letter of 3 May`.
    pub source: String,
    /// Who wrote it down.
    pub by: Actor,
}

refusals! {
    /// Why a consent is not taken, in order of precedence.
    pub enum ConsentRefused {
        NoSource { max: usize } => Invalid, "customers.consent_without_source", "Say how we know, in 1 to {max} characters: a consent that nobody can prove is none.";
        UnknownCustomer { customer: CustomerId } => NotFound, "customers.unknown_customer", "There is no customer {customer}.";
        NothingGiven { channel: String } => Conflict, "customers.no_consent", "There is no consent for {channel} that could be withdrawn.";
        Earlier { channel: String } => Conflict, "customers.consent_superseded", "There is a later word on {channel} already: only newer ones change what holds.";
    }
}

/// A word of the history.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ConsentRow {
    /// Id.
    pub id: ConsentId,
    /// Whose.
    pub customer_id: CustomerId,
    /// About what.
    pub channel: Channel,
    /// Given, or withdrawn.
    pub given: bool,
    /// When it was said.
    pub at: Timestamp,
    /// How we know.
    pub source: String,
    /// Who wrote it down, as the event log names them.
    pub by_actor: String,
}

/// The words of customers, the newest first.
///
/// # Errors
/// A fault of the database.
pub async fn consents_of(sql: &Sql, customers: &[CustomerId]) -> Result<Vec<ConsentRow>, Fault> {
    let mut input = Rows::new("id BIGINT");
    for id in customers.iter().copied().collect::<BTreeSet<_>>() {
        input.push([id.into()]);
    }
    let text = "SELECT k.id, k.customer_id, k.channel, k.given, k.at, k.source, k.by_actor FROM customer_consent k \
         JOIN input ON input.id = k.customer_id ORDER BY k.customer_id, k.at DESC, k.id DESC";
    sql.all_from(&input, text, []).await
}

/// What holds: the newest word on each channel.
pub fn in_force(history: &[ConsentRow]) -> BTreeMap<Channel, &ConsentRow> {
    let mut now: BTreeMap<Channel, &ConsentRow> = BTreeMap::new();
    for row in history {
        now.entry(row.channel).or_insert(row);
    }
    now
}

/// What is known while a batch is decided: the newest word by customer and channel.
type Words = HashMap<(CustomerId, Channel), (bool, Timestamp)>;

/// Sets consents, of the survivor where a customer was merged: one outcome per item, in order; whether it changed what holds. Events: `customer.consent_changed` for each that did.
///
/// # Errors
/// A fault of the database.
pub async fn set_consents(tx: &Tx, batch: &[SetConsent]) -> Result<Vec<Result<bool, ConsentRefused>>, Fault> {
    // The customer's row is the lock: two words on one channel come one after the other.
    let leads = survivor::lock(tx, batch.iter().map(|c| c.customer)).await?;
    let known: Vec<CustomerId> = leads.values().copied().collect();
    let history = consents_of(tx, &known).await?;
    let mut words = Words::new();
    for row in &history {
        words.entry((row.customer_id, row.channel)).or_insert((row.given, row.at));
    }
    let mut rows = Rows::new(
        "id BIGINT, customer_id BIGINT, channel TEXT, given BOOLEAN, at BIGINT, source TEXT, by_actor TEXT",
    );
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        let customer = leads.get(&want.customer).copied().unwrap_or(want.customer);
        let want = &SetConsent { customer, ..want.clone() };
        let outcome = decide(&known, &mut words, want);
        if outcome == Ok(true) {
            let source = want.source.trim();
            rows.push([
                tx.id::<ConsentId>().into(),
                want.customer.into(),
                want.channel.as_str().into(),
                want.given.into(),
                want.at.into(),
                source.into(),
                want.by.as_str().into(),
            ]);
            let fact = ConsentChanged {
                customer: want.customer,
                channel: want.channel,
                given: want.given,
                source: source.to_owned(),
            };
            tx.record_by(want.at, want.by.clone(), want.customer, None, fact)?;
        }
        outcomes.push(outcome);
    }
    tx.insert("customer_consent", &rows).await?;
    Ok(outcomes)
}

/// Pure: whether the word changes what holds.
fn decide(known: &[CustomerId], words: &mut Words, want: &SetConsent) -> Result<bool, ConsentRefused> {
    let source = want.source.trim();
    if source.is_empty() || source.chars().nth(LONGEST).is_some() {
        return Err(ConsentRefused::NoSource { max: LONGEST });
    }
    if !known.contains(&want.customer) {
        return Err(ConsentRefused::UnknownCustomer { customer: want.customer });
    }
    let channel = || want.channel.as_str().to_owned();
    match words.get(&(want.customer, want.channel)) {
        None if !want.given => return Err(ConsentRefused::NothingGiven { channel: channel() }),
        Some((_, at)) if *at > want.at => return Err(ConsentRefused::Earlier { channel: channel() }),
        Some((given, _)) if *given == want.given => return Ok(false),
        _ => {}
    }
    words.insert((want.customer, want.channel), (want.given, want.at));
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Refuse;

    #[test]
    fn words_hold_until_a_newer_one() {
        let mut words = Words::new();
        let mut say = |at: i64, channel: Channel, given: bool, source: &str, customer: i64| {
            let (source, by) = (source.to_owned(), Actor::system("test"));
            let want =
                SetConsent { at: Timestamp(at), customer: CustomerId(customer), channel, given, source, by };
            decide(&[CustomerId(1)], &mut words, &want).map_err(|r| r.code())
        };
        assert_eq!(say(1, Channel::Email, true, " ", 1), Err("customers.consent_without_source"));
        assert_eq!(
            say(1, Channel::Email, true, &"x".repeat(201), 1),
            Err("customers.consent_without_source")
        );
        assert_eq!(say(1, Channel::Email, true, "call", 2), Err("customers.unknown_customer"));
        assert_eq!(say(1, Channel::Email, false, "call", 1), Err("customers.no_consent"));
        assert_eq!(say(5, Channel::Email, true, "call", 1), Ok(true));
        assert_eq!(say(6, Channel::Email, true, "call", 1), Ok(false), "the same again");
        assert_eq!(say(4, Channel::Email, false, "call", 1), Err("customers.consent_superseded"));
        assert_eq!(say(7, Channel::Email, false, "call", 1), Ok(true));
        assert_eq!(say(7, Channel::Sms, true, "call", 1), Ok(true), "each channel by itself");
    }
}
