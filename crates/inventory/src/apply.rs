//! Apply movements: the one place that changes counters of stock and the cost ledger. Invariant: no counter changes without a movement of
//! the same size beside it, in the same transaction.

use crate::ground::{Place, owned_locations};
use crate::model::MovementId;
use crate::{LocationId, MoveKind};
use catalog::SkuId;
use db::{FromRow, Rows, Tx};
use kernel::{Fault, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// A change of stock at one place. Each number is a difference.
#[derive(Debug, Clone)]
pub struct Move {
    /// When.
    pub at: Timestamp,
    /// What.
    pub sku: SkuId,
    /// Where.
    pub location: LocationId,
    /// Why.
    pub kind: MoveKind,
    /// Units on the shelf.
    pub on_hand: i64,
    /// Units promised.
    pub allocated: i64,
    /// Units expected.
    pub incoming: i64,
    /// Units in quarantine.
    pub quarantined: i64,
    /// Value at cost of what we own, in the base currency's minor units; always zero at a supplier's location.
    pub value: i64,
    /// The order it belongs to (raw id).
    pub order: Option<i64>,
    /// What it belongs to otherwise, as text.
    pub reference: Option<String>,
    /// Why, for people.
    pub reason: Option<String>,
}

impl Move {
    /// A movement that changes nothing yet, to complete with struct update syntax.
    pub fn new(at: Timestamp, kind: MoveKind, sku: SkuId, location: LocationId) -> Self {
        Self {
            at,
            sku,
            location,
            kind,
            on_hand: 0,
            allocated: 0,
            incoming: 0,
            quarantined: 0,
            value: 0,
            order: None,
            reference: None,
            reason: None,
        }
    }
    fn is_nothing(&self) -> bool {
        (self.on_hand, self.allocated, self.incoming, self.quarantined, self.value) == (0, 0, 0, 0, 0)
    }
    /// Whether it may change what we own: only these read whose the location is.
    fn may_change_cost(&self) -> bool {
        self.on_hand + self.quarantined != 0 || self.value != 0
    }
}

/// Appends movements and changes the counters by their sums, and the cost ledger with them where the stock is ours. Makes the rows that
/// are missing. Movements that change nothing are left out. The rows that exist were locked by the caller.
///
/// # Errors
/// A fault of the database: also when a counter would break `0 ≤ allocated ≤ on_hand` (see [`db::is_check_violation`]), and when a movement
/// has a value at a location that is not ours.
pub async fn apply(tx: &Tx, moves: &[Move]) -> Result<(), Fault> {
    apply_noted(tx, moves).await.map(|_| ())
}

/// The same, with the ids of the movements: of those that change something, in order.
pub(crate) async fn apply_noted(tx: &Tx, moves: &[Move]) -> Result<Vec<MovementId>, Fault> {
    let moves: Vec<&Move> = moves.iter().filter(|m| !m.is_nothing()).collect();
    if moves.is_empty() {
        return Ok(Vec::new());
    }
    let ids = append(tx, &moves).await?;
    change_stock(tx, &moves).await?;
    change_costs(tx, &moves).await?;
    Ok(ids)
}

async fn append(tx: &Tx, moves: &[&Move]) -> Result<Vec<MovementId>, Fault> {
    let mut rows = Rows::new(
        "id BIGINT, at BIGINT, sku_id BIGINT, location_id BIGINT, kind TEXT, on_hand BIGINT, allocated BIGINT, incoming BIGINT, \
         quarantined BIGINT, value BIGINT, order_id BIGINT?, reference TEXT?, reason TEXT?, by_actor TEXT",
    );
    let mut ids = Vec::with_capacity(moves.len());
    for m in moves {
        let id: MovementId = tx.id();
        ids.push(id);
        rows.push([
            id.into(),
            m.at.into(),
            m.sku.into(),
            m.location.into(),
            m.kind.as_str().into(),
            m.on_hand.into(),
            m.allocated.into(),
            m.incoming.into(),
            m.quarantined.into(),
            m.value.into(),
            m.order.into(),
            m.reference.clone().into(),
            m.reason.clone().into(),
            tx.actor().as_str().into(),
        ]);
    }
    tx.insert("stock_movement", &rows).await?;
    Ok(ids)
}

/// Updates first and inserts what was not there: an upsert would hold the difference itself against the CHECK, before it looks for a row
/// to add it to. Two who insert one row at once: the later transaction runs again.
async fn change_stock(tx: &Tx, moves: &[&Move]) -> Result<(), Fault> {
    let mut sums: BTreeMap<Place, [i64; 4]> = BTreeMap::new();
    for m in moves {
        let sum = sums.entry((m.sku, m.location)).or_default();
        for (to, by) in sum.iter_mut().zip([m.on_hand, m.allocated, m.incoming, m.quarantined]) {
            *to += by;
        }
    }
    sums.retain(|_, sum| *sum != [0; 4]);
    let mut rows = Rows::new(
        "sku BIGINT, place BIGINT, on_hand BIGINT, allocated BIGINT, incoming BIGINT, quarantined BIGINT",
    );
    for ((sku, location), [on_hand, allocated, incoming, quarantined]) in &sums {
        rows.push([
            (*sku).into(),
            (*location).into(),
            (*on_hand).into(),
            (*allocated).into(),
            (*incoming).into(),
            (*quarantined).into(),
        ]);
    }
    #[derive(FromRow)]
    struct Row {
        sku_id: SkuId,
        location_id: LocationId,
    }
    let text = "UPDATE stock SET on_hand = stock.on_hand + input.on_hand, allocated = stock.allocated + input.allocated, \
         incoming = stock.incoming + input.incoming, quarantined = stock.quarantined + input.quarantined \
         FROM input WHERE stock.sku_id = input.sku AND stock.location_id = input.place RETURNING sku_id, location_id";
    let updated: Vec<Row> = tx.all_from(&rows, text, []).await?;
    if updated.len() == sums.len() {
        return Ok(());
    }
    let updated: HashSet<Place> = updated.into_iter().map(|r| (r.sku_id, r.location_id)).collect();
    let mut new = Rows::new(
        "sku_id BIGINT, location_id BIGINT, on_hand BIGINT, allocated BIGINT, incoming BIGINT, quarantined BIGINT",
    );
    for ((sku, location), [on_hand, allocated, incoming, quarantined]) in sums {
        if !updated.contains(&(sku, location)) {
            new.push([
                sku.into(),
                location.into(),
                on_hand.into(),
                allocated.into(),
                incoming.into(),
                quarantined.into(),
            ]);
        }
    }
    tx.insert("stock", &new).await?;
    Ok(())
}

async fn change_costs(tx: &Tx, moves: &[&Move]) -> Result<(), Fault> {
    let costly: Vec<&&Move> = moves.iter().filter(|m| m.may_change_cost()).collect();
    if costly.is_empty() {
        return Ok(());
    }
    let ours = owned_locations(tx, costly.iter().map(|m| m.location)).await?;
    let mut sums: BTreeMap<SkuId, (i64, i64)> = BTreeMap::new();
    for m in costly {
        if ours.contains(&m.location) {
            let sum = sums.entry(m.sku).or_default();
            sum.0 += m.on_hand + m.quarantined;
            sum.1 += m.value;
        } else if m.value != 0 {
            return Err(Fault::broken(format!(
                "a movement of {} at {} has a value, and that stock is not ours",
                m.sku, m.location
            )));
        }
    }
    sums.retain(|_, sum| *sum != (0, 0));
    let mut rows = Rows::new("sku BIGINT, quantity BIGINT, value BIGINT");
    for (sku, (quantity, value)) in &sums {
        rows.push([(*sku).into(), (*quantity).into(), (*value).into()]);
    }
    #[derive(FromRow)]
    struct Row {
        sku_id: SkuId,
    }
    let text = "UPDATE sku_cost SET quantity = sku_cost.quantity + input.quantity, value = sku_cost.value + input.value \
         FROM input WHERE sku_cost.sku_id = input.sku RETURNING sku_id";
    let updated: BTreeSet<SkuId> =
        tx.all_from::<Row>(&rows, text, []).await?.into_iter().map(|r| r.sku_id).collect();
    let mut new = Rows::new("sku_id BIGINT, quantity BIGINT, value BIGINT");
    for (sku, (quantity, value)) in sums {
        if !updated.contains(&sku) {
            new.push([sku.into(), quantity.into(), value.into()]);
        }
    }
    tx.insert("sku_cost", &new).await?;
    Ok(())
}
