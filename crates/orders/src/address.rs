//! Change where an order goes. Invariants: money and stock were fixed for a country and its taxes when the order was placed, so they stay; what is
//! packed has its label, so it stays too; an address that was held for being wrong is released once it is right.

use crate::buckets::lock_orders;
use crate::events::OrderAddressChanged;
use crate::hold::{ReleaseHold, release_hold};
use crate::model::{HoldKind, OrderId};
use crate::place::FieldProblem;
use catalog::TaxRates;
use contact::address::{self, Address};
use db::{FromRow, Rows, Tx};
use kernel::{Actor, Fault, Timestamp, refusals};
use std::collections::BTreeMap;

/// A new address.
#[derive(Debug, Clone)]
pub struct ChangeAddress {
    /// When.
    pub at: Timestamp,
    /// Of which order.
    pub order: OrderId,
    /// Where it goes instead.
    pub ship_to: Address,
    /// By whom.
    pub by: Actor,
}

refusals! {
    /// Why an address was not changed.
    pub enum ChangeAddressRefused {
        NoOrder { order: OrderId } => NotFound, "orders.not_found", "There is no order {order}.";
        TooLate => Conflict, "orders.address_too_late", "Parcels of this order are packed, or nothing of it is left to ship: the address stands on their labels.";
        BadAddress { sentences: String, fields: Vec<FieldProblem> } => Invalid, "orders.bad_address", "{sentences}";
        OtherCountry { from: String, to: String } => Conflict, "orders.address_other_country", "Tax and stock were fixed for {from}: cancel this order and place it again for {to}.";
        OtherTax { from: String, to: String } => Conflict, "orders.address_other_tax", "This order was taxed for {from}, and other rates apply in {to}: cancel it and place it again.";
    }
}

#[derive(FromRow)]
struct State {
    id: OrderId,
    country: String,
    /// As it was written.
    ship_to: String,
    open: i64,
    packed: i64,
    held: i64,
}

async fn states(tx: &Tx, orders: &[OrderId]) -> Result<BTreeMap<OrderId, State>, Fault> {
    // The lock; what is packed meanwhile waits for it.
    lock_orders(tx, orders).await?;
    let mut input = Rows::new("id BIGINT");
    let mut ids = orders.to_vec();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        input.push([id.into()]);
    }
    let text = "SELECT o.id, o.country, o.ship_to, o.units - o.units_cancelled - o.units_shipped AS open, \
                (SELECT CAST(COALESCE(SUM(l.packed), 0) AS BIGINT) FROM order_line l WHERE l.order_id = o.id) AS packed, \
                (SELECT COUNT(*) FROM order_hold h WHERE h.order_id = o.id AND h.kind = 'address_invalid') AS held \
                FROM orders o JOIN input ON input.id = o.id";
    Ok(tx.all_from::<State>(&input, text, []).await?.into_iter().map(|s| (s.id, s)).collect())
}

/// Pure: the address as it will be kept, or why not.
fn decide(
    state: Option<&State>,
    rates: &TaxRates,
    want: &ChangeAddress,
) -> Result<Address, ChangeAddressRefused> {
    let state = state.ok_or(ChangeAddressRefused::NoOrder { order: want.order })?;
    if state.open <= 0 || state.packed > 0 {
        return Err(ChangeAddressRefused::TooLate);
    }
    let canonical = address::check(&want.ship_to).map_err(|wrong| {
        let sentences = wrong.iter().map(|p| p.message.as_str()).collect::<Vec<_>>().join(" ");
        let field = |p: address::AddressProblem| FieldProblem {
            field: p.field.to_owned(),
            code: p.code.to_owned(),
            message: p.message,
        };
        ChangeAddressRefused::BadAddress { sentences, fields: wrong.into_iter().map(field).collect() }
    })?;
    if canonical.country != state.country {
        let (from, to) = (state.country.clone(), canonical.country);
        return Err(ChangeAddressRefused::OtherCountry { from, to });
    }
    // What cannot be read has no region that rates are known for.
    let region = serde_json::from_str(&state.ship_to).map_or(None, |a: Address| a.region);
    if rates.differ(&state.country, region.as_deref(), canonical.region.as_deref()) {
        let named = |region: Option<String>| region.unwrap_or_else(|| state.country.clone());
        let (from, to) = (named(region), named(canonical.region));
        return Err(ChangeAddressRefused::OtherTax { from, to });
    }
    Ok(canonical)
}

/// Changes addresses: one outcome per item, in order. Events: `order.address_changed`.
///
/// # Errors
/// A fault when the machine could not.
pub async fn change_address(
    tx: &Tx,
    batch: &[ChangeAddress],
) -> Result<Vec<Result<(), ChangeAddressRefused>>, Fault> {
    let orders: Vec<OrderId> = batch.iter().map(|c| c.order).collect();
    let (states, rates) = (states(tx, &orders).await?, catalog::tax_rates(tx).await?);
    let mut rows = Rows::new("id BIGINT, ship_to TEXT, postal_code TEXT?");
    let mut outcomes = Vec::with_capacity(batch.len());
    let (mut latest, mut releases) = (BTreeMap::new(), Vec::new());
    for want in batch {
        outcomes.push(decide(states.get(&want.order), &rates, want).map(|ship_to| {
            if states.get(&want.order).is_some_and(|s| s.held > 0) {
                let (at, order, by) = (want.at, want.order, want.by.clone());
                releases.push(ReleaseHold { at, order, kind: HoldKind::AddressInvalid, by });
            }
            // Of two for one order the last counts.
            latest.insert(want.order, ship_to.clone());
            (want, ship_to)
        }));
    }
    for (order, ship_to) in &latest {
        let text = serde_json::to_string(ship_to)?;
        rows.push([(*order).into(), text.into(), ship_to.postal_code.clone().into()]);
    }
    if !rows.is_empty() {
        let text = "UPDATE orders SET ship_to = input.ship_to, postal_code = input.postal_code, version = version + 1, updated_at = $1 \
                    FROM input WHERE orders.id = input.id";
        tx.exec_from(&rows, text, [tx.now().into()]).await?;
    }
    let mut done = Vec::with_capacity(outcomes.len());
    for outcome in outcomes {
        done.push(match outcome {
            Ok((want, ship_to)) => {
                let fact = OrderAddressChanged { order: want.order, ship_to };
                tx.record_by(want.at, want.by.clone(), want.order, Some(want.order.0), fact)?;
                Ok(())
            }
            Err(refused) => Err(refused),
        });
    }
    releases.dedup_by_key(|r| r.order);
    release_hold(tx, &releases).await?;
    Ok(done)
}
