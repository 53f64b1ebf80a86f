//! Merge customers: two who turned out to be one person, because somebody ordered as a guest, with another e-mail address, or through a
//! marketplace. One survives and has everything; the other's row stays and leads there ([`crate::survivor`]).
//!
//! Invariants, which `fulmar verify` proves: who was merged owns nothing any more, leads to a survivor in one step, and no cent and no word
//! is lost on the way.
//!
//! - **Keys.** What was not kept of the two, an e-mail address say, stays on the row of the one who was merged: whoever orders with it, or
//!   asks for the old id, is led to the survivor. So no contact is lost, and no table of old addresses is needed.
//! - **Store credit** moves by two entries, `merge:…:out` and `merge:…:in`. Entries are never changed: what a customer had at the end of a
//!   month that is closed stays what it was. The books post neither, because both are in one account; their balance is the same.
//! - **Consents** are evidence of what was said of a mailbox or a number, so they stay with whoever said them, and are shown with the
//!   survivor's. What holds is decided anew, and strictly: who said no under either name has said no, and a yes counts only for the
//!   contact that is kept.
//! - **What slices below own** they move themselves, when they hear [`CustomerMerged`], in this transaction: orders, and with them their
//!   payments, requests to pay, e-mails, reviews and verdicts; returns. A tender keeps the purse it was opened for, which leads here.
//!
//! Merges of a batch are done one after the other: each may build on the one before.

use crate::consent::{Channel, SetConsent, set_consents};
use crate::credit::MAX_BALANCE;
use crate::events::CustomerMerged;
use crate::{CreditEntry, CustomerId, post_credit, read};
use db::{FromRow, Rows, Sql, Tx};
use kernel::{Actor, Currency, Fault, Money, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// One of the two.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MergeSide)]
pub enum Side {
    /// Who has everything afterwards.
    #[default]
    Survivor,
    /// Who is merged into them.
    Merged,
}

impl Side {
    /// The word in forms and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Survivor => "survivor",
            Self::Merged => "merged",
        }
    }
}

/// Whose contact is kept. Where that one has none, the other's is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = MergeKeep)]
pub struct Keep {
    /// The name.
    pub name: Side,
    /// The e-mail address.
    pub email: Side,
    /// The phone number.
    pub phone: Side,
    /// The address.
    pub address: Side,
}

/// Two customers to merge.
#[derive(Debug, Clone)]
pub struct Merge {
    /// When.
    pub at: Timestamp,
    /// Who survives; if they were merged themselves, the one they were merged into.
    pub into: CustomerId,
    /// Who is merged into them.
    pub from: CustomerId,
    /// Whose contact is kept.
    pub keep: Keep,
    /// By whom.
    pub by: Actor,
}

kernel::refusals! {
    /// Why customers are not merged, in order of precedence.
    pub enum MergeRefused {
        UnknownCustomer { customer: CustomerId } => NotFound, "customers.unknown_customer", "There is no customer {customer}.";
        Same => Conflict, "customers.merge_with_itself", "Both are the same customer already: choose another one to merge.";
        Gone { customer: CustomerId, into: CustomerId } => Conflict, "customers.merged_already", "{customer} was merged into {into} before: look at that customer, and merge them if they are the same person.";
        TooMuch { currency: String } => Conflict, "customers.merged_credit_too_large", "Together they would have more store credit in {currency} than any amount of money we can write: take some of it back first.";
    }
}

/// A word on marketing that the merge says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// Of whom.
    pub of: Side,
    /// About what.
    pub channel: Channel,
    /// Given, or withdrawn.
    pub given: bool,
}

/// What a merge comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Who survives.
    pub survivor: CustomerId,
    /// Who is merged into them.
    pub merged: CustomerId,
    /// Whose contact is kept, after looking at what they have.
    pub kept: Keep,
    /// Words on marketing, in the order they are said.
    pub words: Vec<Word>,
    /// Store credit that moves, by currency.
    pub credit: Vec<Money>,
}

#[derive(Debug, Clone, FromRow)]
struct Row {
    id: CustomerId,
    name: String,
    email: Option<String>,
    email_key: Option<String>,
    phone: Option<String>,
    address: Option<String>,
    merged_into: Option<CustomerId>,
}

/// One of the two, as far as the decision goes.
#[derive(Debug, Clone)]
struct Person {
    row: Row,
    /// The newest word on each channel, and when it was said.
    words: BTreeMap<Channel, (bool, Timestamp)>,
    credit: BTreeMap<Currency, i64>,
}

/// Merges customers: who survives, per item, in order. Events: `customer.merged`; `store_credit.changed` and `customer.consent_changed` for
/// what moves.
///
/// # Errors
/// A fault of the database.
pub async fn merge(tx: &Tx, batch: &[Merge]) -> Result<Vec<Result<CustomerId, MergeRefused>>, Fault> {
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        let pair = load(tx, want.into, want.from, " /*pg FOR UPDATE OF c */").await?;
        outcomes.push(
            match pair.and_then(|(into, from)| Ok((decide(&into, &from, want.keep)?, into, from))) {
                Err(refused) => Err(refused),
                Ok((plan, into, from)) => {
                    apply(tx, want, &plan, &into, &from).await?;
                    Ok(plan.survivor)
                }
            },
        );
    }
    Ok(outcomes)
}

/// What a merge would come to now.
///
/// # Errors
/// A fault of the database.
pub async fn preview(
    sql: &Sql,
    into: CustomerId,
    from: CustomerId,
    keep: Keep,
) -> Result<Result<Plan, MergeRefused>, Fault> {
    let pair = load(sql, into, from, "").await?;
    Ok(pair.and_then(|(into, from)| decide(&into, &from, keep)))
}

type Pair = Result<(Person, Person), MergeRefused>;

/// The two, or why there are not two.
async fn load(sql: &Sql, into: CustomerId, from: CustomerId, lock: &str) -> Result<Pair, Fault> {
    let text = format!(
        "SELECT c.id, c.name, c.email, c.email_key, c.phone, c.address, c.merged_into FROM customer c \
         JOIN input ON input.id = c.id ORDER BY c.id{lock}"
    );
    let mut into = into;
    // Both are locked before anything is decided; a survivor may have become somebody else's while we waited.
    let mut rows: HashMap<CustomerId, Row> = loop {
        let mut input = Rows::new("id BIGINT");
        let pair = [into.min(from), into.max(from)];
        for id in &pair[usize::from(pair[0] == pair[1])..] {
            input.push([(*id).into()]);
        }
        let rows: Vec<Row> = sql.all_from(&input, &text, []).await?;
        match rows.iter().find(|row| row.id == into).and_then(|row| row.merged_into) {
            Some(next) => into = next,
            None => break rows.into_iter().map(|row| (row.id, row)).collect(),
        }
    };
    for customer in [into, from] {
        if !rows.contains_key(&customer) {
            return Ok(Err(MergeRefused::UnknownCustomer { customer }));
        }
    }
    let (Some(survivor), Some(merged)) = (rows.remove(&into), rows.remove(&from)) else {
        return Ok(Err(MergeRefused::Same));
    };
    let (survivor, merged) = (person(sql, survivor).await?, person(sql, merged).await?);
    Ok(Ok((survivor, merged)))
}

async fn person(sql: &Sql, row: Row) -> Result<Person, Fault> {
    let mut words = BTreeMap::new();
    for word in crate::consents_of(sql, &[row.id]).await? {
        words.entry(word.channel).or_insert((word.given, word.at));
    }
    let balances = read::balances(sql, row.id).await?;
    let credit = balances.into_iter().filter(|b| b.balance != 0).map(|b| (b.currency, b.balance)).collect();
    Ok(Person { row, words, credit })
}

/// Whose contact is kept: whose is wished, if they have one, or else the other's.
fn kept(wish: Side, mine: bool, theirs: bool) -> Side {
    match wish {
        Side::Merged if theirs => Side::Merged,
        Side::Survivor if !mine && theirs => Side::Merged,
        Side::Survivor | Side::Merged => Side::Survivor,
    }
}

/// Pure: what a merge comes to.
fn decide(into: &Person, from: &Person, keep: Keep) -> Result<Plan, MergeRefused> {
    let (survivor, merged) = (into.row.id, from.row.id);
    if survivor == merged || from.row.merged_into == Some(survivor) {
        return Err(MergeRefused::Same);
    }
    if let Some(other) = from.row.merged_into {
        return Err(MergeRefused::Gone { customer: merged, into: other });
    }
    for (currency, amount) in &from.credit {
        let sum = into.credit.get(currency).copied().unwrap_or(0).saturating_add(*amount);
        if sum > MAX_BALANCE {
            return Err(MergeRefused::TooMuch { currency: currency.to_string() });
        }
    }
    let (mine, theirs) = (&into.row, &from.row);
    let kept = Keep {
        name: kept(keep.name, !mine.name.is_empty(), !theirs.name.is_empty()),
        email: kept(keep.email, mine.email_key.is_some(), theirs.email_key.is_some()),
        phone: kept(keep.phone, mine.phone.is_some(), theirs.phone.is_some()),
        address: kept(keep.address, mine.address.is_some(), theirs.address.is_some()),
    };
    let credit = from.credit.iter().map(|(currency, amount)| Money::new(*amount, *currency)).collect();
    Ok(Plan { survivor, merged, kept, words: words(into, from, kept), credit })
}

/// What is said on marketing: the survivor is written to only if nobody of the two said no, and for the contact that is kept somebody said
/// yes. Nothing holds of the other any more.
fn words(into: &Person, from: &Person, kept: Keep) -> Vec<Word> {
    let said = |person: &Person, channel| person.words.get(&channel).map(|(given, _)| *given);
    let mut words = Vec::new();
    for channel in Channel::ALL {
        let (mine, theirs) = (said(into, channel), said(from, channel));
        let reach = |row: &Row| match channel {
            Channel::Email => row.email_key.is_some(),
            Channel::Sms | Channel::Phone => row.phone.is_some(),
            Channel::Post => row.address.is_some(),
        };
        let whose = match channel {
            Channel::Email => kept.email,
            Channel::Sms | Channel::Phone => kept.phone,
            Channel::Post => kept.address,
        };
        let yes = match whose {
            // Of neither we know where to write to: then the word is of the person alone.
            _ if !reach(&into.row) && !reach(&from.row) => mine.or(theirs) == Some(true),
            Side::Survivor => mine == Some(true),
            Side::Merged => theirs == Some(true),
        };
        let holds = yes && mine != Some(false) && theirs != Some(false);
        if theirs == Some(true) {
            words.push(Word { of: Side::Merged, channel, given: false });
        }
        if holds != (mine == Some(true)) {
            words.push(Word { of: Side::Survivor, channel, given: holds });
        }
    }
    words
}

async fn apply(tx: &Tx, want: &Merge, plan: &Plan, into: &Person, from: &Person) -> Result<(), Fault> {
    move_credit(tx, want.at, plan).await?;
    say(tx, want, plan, into, from).await?;
    let ids = || -> [db::Value; 2] { [plan.survivor.into(), plan.merged.into()] };
    tx.exec("UPDATE customer_note SET customer_id = $1 WHERE customer_id = $2", ids()).await?;
    write(tx, want.at, plan, into, from).await?;
    // Who was led to the one who goes is led to the survivor.
    tx.exec("UPDATE customer SET merged_into = $1 WHERE merged_into = $2", ids()).await?;
    let fact = CustomerMerged {
        customer: plan.survivor,
        merged: plan.merged,
        name: match plan.kept.name {
            Side::Survivor => from.row.name.clone(),
            Side::Merged => into.row.name.clone(),
        },
        credit: plan.credit.clone(),
    };
    tx.record_by(want.at, want.by.clone(), plan.survivor, None, fact)
}

async fn move_credit(tx: &Tx, at: Timestamp, plan: &Plan) -> Result<(), Fault> {
    let (out, into) = (format!("merged into {}", plan.survivor), format!("merged from {}", plan.merged));
    let mut entries = Vec::new();
    for money in &plan.credit {
        for (customer, amount, reason, way) in
            [(plan.merged, -money.minor, &out, "out"), (plan.survivor, money.minor, &into, "in")]
        {
            entries.push(CreditEntry {
                at,
                customer,
                currency: money.currency,
                amount,
                reason: reason.clone(),
                order: None,
                reference: format!("merge:{}:{}:{way}", plan.merged, money.currency),
            });
        }
    }
    for posted in post_credit(tx, &entries).await? {
        posted.map_err(|refused| {
            Fault::broken(format!("store credit that was counted did not move: {refused}"))
        })?;
    }
    Ok(())
}

async fn say(tx: &Tx, want: &Merge, plan: &Plan, into: &Person, from: &Person) -> Result<(), Fault> {
    let said: Vec<SetConsent> = plan
        .words
        .iter()
        .map(|word| {
            let (person, customer, source) = match word.of {
                Side::Survivor => (into, plan.survivor, format!("merged with {}", plan.merged)),
                Side::Merged => (from, plan.merged, format!("merged into {}", plan.survivor)),
            };
            // A word may have been written down with a later time than this; what holds is the newest.
            let last = person.words.get(&word.channel).map_or(want.at, |(_, at)| *at);
            SetConsent {
                at: want.at.max(last),
                customer,
                channel: word.channel,
                given: word.given,
                source,
                by: want.by.clone(),
            }
        })
        .collect();
    for outcome in set_consents(tx, &said).await? {
        outcome.map_err(|refused| Fault::broken(format!("a consent did not move: {refused}")))?;
    }
    Ok(())
}

/// Both rows: each has what was chosen for it, and what was not kept stays with the one who leads to the survivor.
async fn write(tx: &Tx, at: Timestamp, plan: &Plan, into: &Person, from: &Person) -> Result<(), Fault> {
    let (mut kept, mut left) = (into.row.clone(), from.row.clone());
    let merged = |side: Side| side == Side::Merged;
    if merged(plan.kept.name) {
        std::mem::swap(&mut kept.name, &mut left.name);
    }
    if merged(plan.kept.email) {
        std::mem::swap(&mut kept.email, &mut left.email);
        std::mem::swap(&mut kept.email_key, &mut left.email_key);
    }
    if merged(plan.kept.phone) {
        std::mem::swap(&mut kept.phone, &mut left.phone);
    }
    if merged(plan.kept.address) {
        std::mem::swap(&mut kept.address, &mut left.address);
    }
    if merged(plan.kept.email) || merged(plan.kept.phone) {
        // Keys are unique at every moment: they are let go before they change hands.
        let text = "UPDATE customer SET email_key = NULL, phone = NULL WHERE id IN ($1, $2)";
        tx.exec(text, [plan.survivor.into(), plan.merged.into()]).await?;
    }
    let mut rows = Rows::new(
        "id BIGINT, name TEXT, email TEXT?, email_key TEXT?, phone TEXT?, address TEXT?, merged_into BIGINT?, merged_at BIGINT?",
    );
    for (row, into) in [(kept, None), (left, Some(plan.survivor))] {
        rows.push([
            row.id.into(),
            row.name.into(),
            row.email.into(),
            row.email_key.into(),
            row.phone.into(),
            row.address.into(),
            into.into(),
            into.map(|_| at).into(),
        ]);
    }
    let text = "UPDATE customer SET name = input.name, email = input.email, email_key = input.email_key, phone = input.phone, \
         address = input.address, merged_into = input.merged_into, merged_at = input.merged_at, version = customer.version + 1 \
         FROM input WHERE customer.id = input.id";
    tx.exec_from(&rows, text, []).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
