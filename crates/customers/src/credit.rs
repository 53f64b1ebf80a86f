//! Post store credit. Invariants: a balance never goes below zero; a reference is posted once, whoever retries; what is meant for somebody
//! who was merged goes to whom they were merged into.

use crate::CustomerId;
use crate::events::StoreCreditChanged;
use crate::model::EntryId;
use crate::survivor;
use db::{FromRow, Rows, Sql, Tx};
use kernel::{Currency, Fault, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Changes a balance.
#[derive(Debug, Clone)]
pub struct CreditEntry {
    /// When.
    pub at: Timestamp,
    /// Whose.
    pub customer: CustomerId,
    /// Of which currency.
    pub currency: Currency,
    /// Minor units: positive grants, negative takes.
    pub amount: i64,
    /// Why, for people.
    pub reason: String,
    /// The order it belongs to (raw id).
    pub order: Option<i64>,
    /// What makes it once: `refund:ref_…`, `payment:pay_…`, a clerk's idempotency key.
    pub reference: String,
}

kernel::refusals! {
    /// Why credit was not posted, in order of precedence.
    pub enum CreditRefused {
        Nothing => Invalid, "customers.credit_of_nothing", "Say by how much the store credit changes; zero changes nothing.";
        NoReference => Invalid, "customers.credit_without_reference", "Store credit needs a reason and a reference that names this change.";
        UnknownCustomer { customer: CustomerId } => NotFound, "customers.unknown_customer", "There is no customer {customer}.";
        NotEnough { balance: i64, currency: String } => Conflict, "customers.not_enough_credit", "The store credit is {balance} {currency} in minor units, and less than that amount: take at most what is there.";
        TooMuch => Invalid, "customers.credit_too_large", "The balance would be larger than any amount of money we can write.";
    }
}

/// Minor units of a balance at most, so that the sums of all customers stay far from overflow.
pub(crate) const MAX_BALANCE: i64 = 100_000_000_000_000;

/// What is known while the batch is decided.
struct View {
    /// Whose purse it is: of whom a customer was merged into, if they were.
    customers: HashMap<CustomerId, CustomerId>,
    balances: BTreeMap<(CustomerId, Currency), i64>,
    posted: HashSet<String>,
}

type Purses = (HashMap<CustomerId, CustomerId>, BTreeMap<(CustomerId, Currency), i64>);

#[derive(FromRow)]
struct BalanceRow {
    customer_id: CustomerId,
    currency: Currency,
    balance: i64,
}

/// Posts entries, in order; the balance after each. An entry whose reference was posted already changes nothing and answers the present
/// balance. Events: `store_credit.changed` for each that is posted.
///
/// # Errors
/// A fault of the database.
pub async fn post_credit(tx: &Tx, batch: &[CreditEntry]) -> Result<Vec<Result<i64, CreditRefused>>, Fault> {
    let mut view = load(tx, batch).await?;
    let mut outcomes = Vec::with_capacity(batch.len());
    let mut entries = Rows::new(
        "id BIGINT, customer_id BIGINT, currency TEXT, amount BIGINT, reason TEXT, order_id BIGINT?, reference TEXT, at BIGINT",
    );
    let mut touched = BTreeSet::new();
    for want in batch {
        let outcome = decide(&mut view, want);
        if let (Ok((_, true)), Some(&customer)) = (&outcome, view.customers.get(&want.customer)) {
            touched.insert((customer, want.currency));
            entries.push([
                tx.id::<EntryId>().into(),
                customer.into(),
                want.currency.into(),
                want.amount.into(),
                want.reason.as_str().into(),
                want.order.into(),
                want.reference.as_str().into(),
                want.at.into(),
            ]);
            let fact = StoreCreditChanged {
                customer,
                currency: want.currency,
                amount: want.amount,
                reason: want.reason.clone(),
                reference: want.reference.clone(),
            };
            tx.record(want.at, customer, want.order, fact)?;
        }
        outcomes.push(outcome.map(|(balance, _)| balance));
    }
    let mut balances = Rows::new("customer_id BIGINT, currency TEXT, balance BIGINT");
    for key in touched {
        balances.push([key.0.into(), key.1.into(), view.balances.get(&key).copied().unwrap_or(0).into()]);
    }
    let text = "INSERT INTO store_credit (customer_id, currency, balance) SELECT customer_id, currency, balance FROM input WHERE TRUE \
         ON CONFLICT (customer_id, currency) DO UPDATE SET balance = excluded.balance";
    tx.exec_from(&balances, text, []).await?;
    tx.insert("store_credit_entry", &entries).await?;
    Ok(outcomes)
}

async fn load(tx: &Tx, batch: &[CreditEntry]) -> Result<View, Fault> {
    let (known, balances) = spendable(tx, batch.iter().map(|e| e.customer)).await?;
    let mut references = Rows::new("reference TEXT");
    for reference in batch.iter().map(|e| e.reference.as_str()).collect::<BTreeSet<_>>() {
        references.push([reference.into()]);
    }
    #[derive(FromRow)]
    struct ReferenceRow {
        reference: String,
    }
    let text = "SELECT e.reference FROM store_credit_entry e JOIN input ON input.reference = e.reference";
    let posted: Vec<ReferenceRow> = tx.all_from(&references, text, []).await?;
    Ok(View { customers: known, balances, posted: posted.into_iter().map(|r| r.reference).collect() })
}

/// What customers can spend, in minor units by currency, and nobody else until this transaction ends; none where they have none.
///
/// # Errors
/// A fault of the database.
pub async fn balances_to_spend(
    tx: &Tx,
    customers: impl IntoIterator<Item = CustomerId>,
) -> Result<BTreeMap<(CustomerId, Currency), i64>, Fault> {
    Ok(spendable(tx, customers).await?.1)
}

/// Those of the customers that there are, with whom they lead to, locked, and the balances of these.
async fn spendable(tx: &Tx, customers: impl IntoIterator<Item = CustomerId>) -> Result<Purses, Fault> {
    let known = survivor::lock(tx, customers).await?;
    let mut input = Rows::new("id BIGINT");
    for id in known.values().copied().collect::<BTreeSet<_>>() {
        input.push([id.into()]);
    }
    let text = "SELECT s.customer_id, s.currency, s.balance FROM store_credit s JOIN input ON input.id = s.customer_id";
    let balances: Vec<BalanceRow> = tx.all_from(&input, text, []).await?;
    Ok((known, balances.into_iter().map(|b| ((b.customer_id, b.currency), b.balance)).collect()))
}

/// Pure: the balance after the entry, and whether it is to be written.
fn decide(view: &mut View, want: &CreditEntry) -> Result<(i64, bool), CreditRefused> {
    if want.amount == 0 {
        return Err(CreditRefused::Nothing);
    }
    if want.reference.trim().is_empty() || want.reason.trim().is_empty() {
        return Err(CreditRefused::NoReference);
    }
    let Some(&customer) = view.customers.get(&want.customer) else {
        return Err(CreditRefused::UnknownCustomer { customer: want.customer });
    };
    let balance = view.balances.get(&(customer, want.currency)).copied().unwrap_or(0);
    if view.posted.contains(&want.reference) {
        return Ok((balance, false));
    }
    let after = balance
        .checked_add(want.amount)
        .filter(|after| *after <= MAX_BALANCE)
        .ok_or(CreditRefused::TooMuch)?;
    if after < 0 {
        return Err(CreditRefused::NotEnough { balance, currency: want.currency.to_string() });
    }
    view.balances.insert((customer, want.currency), after);
    view.posted.insert(want.reference.clone());
    Ok((after, true))
}

/// A customer's store credit in a currency, in minor units.
///
/// # Errors
/// A fault of the database.
pub async fn credit_balance(sql: &Sql, customer: CustomerId, currency: Currency) -> Result<i64, Fault> {
    let text = "SELECT s.balance FROM customer c JOIN store_credit s ON s.customer_id = COALESCE(c.merged_into, c.id) \
         WHERE c.id = $1 AND s.currency = $2";
    Ok(sql.scalar(text, [customer.into(), currency.into()]).await?.unwrap_or(0))
}
