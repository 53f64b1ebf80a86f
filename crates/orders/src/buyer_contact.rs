//! Change whom the news of an order go to. Invariant: an order keeps what can be an e-mail address and a phone number, in the form that
//! searches find and e-mails use, or nothing. The customer stays who they are: theirs is changed with them.

use crate::buckets::lock_orders;
use crate::events::OrderContactChanged;
use crate::model::OrderId;
use crate::place::FieldProblem;
use contact::ContactProblem;
use db::{FromRow, Rows, Tx};
use kernel::{Actor, Fault, Timestamp, refusals};
use std::collections::BTreeMap;

/// How the customer of one order is reached. Nothing means that they are not reached so.
#[derive(Debug, Clone)]
pub struct ChangeContact {
    /// When.
    pub at: Timestamp,
    /// Of which order.
    pub order: OrderId,
    /// The e-mail address.
    pub email: Option<String>,
    /// The phone number; without a country code it is one of the country that the order goes to.
    pub phone: Option<String>,
    /// By whom.
    pub by: Actor,
}

refusals! {
    /// Why a contact was not changed.
    pub enum ChangeContactRefused {
        NoOrder { order: OrderId } => NotFound, "orders.not_found", "There is no order {order}.";
        BadContact { sentences: String, fields: Vec<FieldProblem> } => Invalid, "orders.bad_contact", "{sentences}";
    }
}

#[derive(FromRow)]
struct State {
    id: OrderId,
    country: String,
    email: Option<String>,
    phone: Option<String>,
}

/// What is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    email: Option<String>,
    phone: Option<String>,
}

async fn states(tx: &Tx, orders: &[OrderId]) -> Result<BTreeMap<OrderId, State>, Fault> {
    lock_orders(tx, orders).await?;
    let mut ids = orders.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let mut input = Rows::new("id BIGINT");
    for id in ids {
        input.push([id.into()]);
    }
    let text = "SELECT o.id, o.country, o.email, o.phone FROM orders o JOIN input ON input.id = o.id";
    Ok(tx.all_from::<State>(&input, text, []).await?.into_iter().map(|s| (s.id, s)).collect())
}

/// Pure: the contact as it will be kept, or why not.
fn decide(state: Option<&State>, want: &ChangeContact) -> Result<Kept, ChangeContactRefused> {
    let state = state.ok_or(ChangeContactRefused::NoOrder { order: want.order })?;
    let mut fields = Vec::new();
    let mut read = |field: &str, given: Option<Result<String, ContactProblem>>| match given {
        None => None,
        Some(Ok(value)) => Some(value),
        Some(Err(wrong)) => {
            fields.push(FieldProblem {
                field: field.into(),
                code: wrong.code.into(),
                message: wrong.message,
            });
            None
        }
    };
    let email = read("email", want.email.as_deref().map(|text| contact::email::email(text).map(|e| e.key)));
    let country = &state.country;
    let phone = read("phone", want.phone.as_deref().map(|text| contact::phone::phone(text, country)));
    if fields.is_empty() {
        return Ok(Kept { email, phone });
    }
    let sentences = fields.iter().map(|p| p.message.as_str()).collect::<Vec<_>>().join(" ");
    Err(ChangeContactRefused::BadContact { sentences, fields })
}

/// Changes contacts: one outcome per item, in order; of two for one order the last counts. What was so already changes nothing. Events:
/// `order.contact_changed`.
///
/// # Errors
/// A fault when the machine could not.
pub async fn change_contact(
    tx: &Tx,
    batch: &[ChangeContact],
) -> Result<Vec<Result<(), ChangeContactRefused>>, Fault> {
    let orders: Vec<OrderId> = batch.iter().map(|c| c.order).collect();
    let mut states = states(tx, &orders).await?;
    let mut changed = BTreeMap::new();
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        outcomes.push(match decide(states.get(&want.order), want) {
            Ok(kept) => {
                if let Some(state) = states.get_mut(&want.order) {
                    let (email, phone) = (state.email != kept.email, state.phone != kept.phone);
                    if email || phone {
                        let fact = OrderContactChanged { order: want.order, email, phone };
                        tx.record_by(want.at, want.by.clone(), want.order, Some(want.order.0), fact)?;
                        (state.email, state.phone) = (kept.email.clone(), kept.phone.clone());
                        changed.insert(want.order, kept);
                    }
                }
                Ok(())
            }
            Err(refused) => Err(refused),
        });
    }
    let mut rows = Rows::new("id BIGINT, email TEXT?, phone TEXT?");
    for (order, kept) in changed {
        rows.push([order.into(), kept.email.into(), kept.phone.into()]);
    }
    if !rows.is_empty() {
        let text = "UPDATE orders SET email = input.email, phone = input.phone, version = version + 1, updated_at = $1 FROM input WHERE orders.id = input.id";
        tx.exec_from(&rows, text, [tx.now().into()]).await?;
    }
    Ok(outcomes)
}
