//! Reserve stock for a cart until a moment. Invariant: what is kept is allocated, so nobody else is promised it, and ends exactly once: as an
//! order, by its time, or by hand.

use crate::events::{ReservationMade, Reserved};
use crate::ground::MAX_UNITS;
use crate::{LocationId, Move, MoveKind, ReservationId, Shelf, apply, lock};
use catalog::{Sku, SkuId};
use db::{Rows, Tx};
use kernel::{Fault, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Keeps stock for a cart.
#[derive(Debug, Clone)]
pub struct Reserve {
    /// When.
    pub at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// What, in units; bundles keep their components, services nothing.
    pub lines: Vec<(SkuId, i64)>,
}

kernel::refusals! {
    /// Why nothing was kept, in order of precedence.
    pub enum ReserveRefused {
        NoLines => Invalid, "inventory.reserve_nothing", "A reservation needs at least one line.";
        BadQuantity { quantity: i64 } => Invalid, "inventory.bad_quantity", "A quantity is between 1 and 1,000,000,000 units, not {quantity}.";
        Over => Invalid, "inventory.reservation_over", "A reservation must end later than it begins.";
        UnknownSku { sku: SkuId } => NotFound, "inventory.unknown_sku", "There is no SKU {sku}.";
        OutOfStock { sku: String, free: i64 } => Conflict, "inventory.out_of_stock", "Only {free} of {sku} left.";
    }
}

/// Keeps stock for carts, in order: from the one location that has all of it and ships first, else from several. All lines of a cart or none.
/// Events: `reservation.made` for each.
///
/// # Errors
/// A fault of the database.
pub async fn reserve(
    tx: &Tx,
    batch: &[Reserve],
) -> Result<Vec<Result<ReservationId, ReserveRefused>>, Fault> {
    let named: BTreeSet<SkuId> = batch.iter().flat_map(|r| r.lines.iter().map(|l| l.0)).collect();
    let skus = catalog::skus_by_id(tx, &named.into_iter().collect::<Vec<_>>()).await?;
    let stocked: BTreeSet<SkuId> = skus.values().flat_map(|s| s.takes()).map(|t| t.0).collect();
    let mut shelf = lock(tx, &stocked.into_iter().collect::<Vec<_>>()).await?;
    let order: Vec<LocationId> =
        tx.column("SELECT id FROM location WHERE active = TRUE ORDER BY priority, id", []).await?;
    let mut outcomes = Vec::with_capacity(batch.len());
    let mut heads = Rows::new("id BIGINT, expires_at BIGINT, created_at BIGINT");
    let mut lines = Rows::new("reservation_id BIGINT, sku_id BIGINT, location_id BIGINT, quantity BIGINT");
    let mut moves = Vec::new();
    for want in batch {
        let outcome = decide(&mut shelf, &skus, &order, want);
        outcomes.push(match outcome {
            Err(refused) => Err(refused),
            Ok(kept) => {
                let id: ReservationId = tx.id();
                heads.push([id.into(), want.expires_at.into(), want.at.into()]);
                for Reserved { sku, location, quantity } in &kept {
                    lines.push([id.into(), (*sku).into(), (*location).into(), (*quantity).into()]);
                    let bare = Move::new(want.at, MoveKind::Reserve, *sku, *location);
                    moves.push(Move { allocated: *quantity, reference: Some(id.to_string()), ..bare });
                }
                let fact = ReservationMade { reservation: id, expires_at: want.expires_at, lines: kept };
                tx.record(want.at, id, None, fact)?;
                Ok(id)
            }
        });
    }
    tx.insert("reservation", &heads).await?;
    tx.insert("reservation_line", &lines).await?;
    apply(tx, &moves).await?;
    Ok(outcomes)
}

/// Pure: takes what the cart needs from the shelf, or nothing.
fn decide(
    shelf: &mut Shelf,
    skus: &HashMap<SkuId, Arc<Sku>>,
    order: &[LocationId],
    want: &Reserve,
) -> Result<Vec<Reserved>, ReserveRefused> {
    if want.lines.is_empty() {
        return Err(ReserveRefused::NoLines);
    }
    if let Some((_, quantity)) = want.lines.iter().find(|(_, n)| !(1..=MAX_UNITS).contains(n)) {
        return Err(ReserveRefused::BadQuantity { quantity: *quantity });
    }
    if want.expires_at <= want.at {
        return Err(ReserveRefused::Over);
    }
    // Two lines that share a component share what is free of it.
    let mut needs: BTreeMap<SkuId, i64> = BTreeMap::new();
    let mut whose: HashMap<SkuId, &Sku> = HashMap::new();
    for (id, quantity) in &want.lines {
        let sku = skus.get(id).ok_or(ReserveRefused::UnknownSku { sku: *id })?;
        for (part, each) in sku.takes() {
            let need = needs.entry(part).or_default();
            *need = need.saturating_add(each.saturating_mul(*quantity));
            whose.entry(part).or_insert(sku);
        }
    }
    for (sku, need) in &needs {
        let free: i64 = shelf.locations_of(*sku).map(|(_, units)| units).sum();
        if free < *need {
            let code = whose.get(sku).map_or_else(|| sku.to_string(), |s| s.code.clone());
            return Err(ReserveRefused::OutOfStock {
                sku: code,
                free: sellable(free, whose.get(sku).copied(), *sku),
            });
        }
    }
    let all_in_one = order.iter().find(|l| needs.iter().all(|(sku, need)| shelf.free(*sku, **l) >= *need));
    let from = all_in_one.map_or(order, std::slice::from_ref);
    let mut kept = Vec::new();
    for (sku, mut need) in needs {
        for location in from {
            let quantity = need.min(shelf.free(sku, *location));
            if quantity > 0 {
                shelf.take(sku, *location, quantity);
                kept.push(Reserved { sku, location: *location, quantity });
                need -= quantity;
            }
        }
    }
    Ok(kept)
}

/// How many units of what the customer asked for the free units of a part are.
fn sellable(free: i64, asked: Option<&Sku>, part: SkuId) -> i64 {
    let each = asked.and_then(|s| s.takes().into_iter().find(|t| t.0 == part)).map_or(1, |t| t.1.max(1));
    free / each
}

#[cfg(test)]
mod tests {
    use super::*;
    use catalog::{Component, SkuKind};

    fn sku(id: i64, kind: SkuKind, parts: &[(i64, i64)]) -> (SkuId, Arc<Sku>) {
        let components = parts
            .iter()
            .map(|(id, quantity)| Component { sku: SkuId(*id), code: format!("S{id}"), quantity: *quantity })
            .collect();
        let sku = Sku {
            id: SkuId(id),
            code: format!("S{id}"),
            title: String::new(),
            kind,
            tax_class: String::new(),
            weight_g: None,
            length_mm: None,
            width_mm: None,
            height_mm: None,
            supplier: None,
            active: true,
            prices: vec![],
            components,
        };
        (SkuId(id), Arc::new(sku))
    }

    #[test]
    fn one_location_before_several_and_bundles_share_their_parts() {
        let skus = HashMap::from([
            sku(1, SkuKind::Simple, &[]),
            sku(2, SkuKind::Bundle, &[(1, 2), (3, 1)]),
            sku(3, SkuKind::Simple, &[]),
            sku(4, SkuKind::Service, &[]),
        ]);
        let (a, b) = (LocationId(1), LocationId(2));
        let shelf = || Shelf::new([(SkuId(1), a, 2), (SkuId(1), b, 5), (SkuId(3), b, 2)]);
        let ask = |lines: &[(i64, i64)]| Reserve {
            at: Timestamp(0),
            expires_at: Timestamp(1),
            lines: lines.iter().map(|(id, n)| (SkuId(*id), *n)).collect(),
        };
        let kept = |shelf: &mut Shelf, lines: &[(i64, i64)]| {
            decide(shelf, &skus, &[a, b], &ask(lines))
                .map(|kept| kept.into_iter().map(|r| (r.sku.0, r.location.0, r.quantity)).collect::<Vec<_>>())
        };
        assert_eq!(kept(&mut shelf(), &[(1, 2)]), Ok(vec![(1, 1, 2)]), "the first location has it");
        assert_eq!(kept(&mut shelf(), &[(1, 3)]), Ok(vec![(1, 2, 3)]), "only the second has it all");
        assert_eq!(kept(&mut shelf(), &[(1, 6)]), Ok(vec![(1, 1, 2), (1, 2, 4)]), "both together have it");
        assert_eq!(kept(&mut shelf(), &[(2, 2), (1, 1), (4, 9)]), Ok(vec![(1, 2, 5), (3, 2, 2)]));
        assert_eq!(
            kept(&mut shelf(), &[(2, 3)]),
            Err(ReserveRefused::OutOfStock { sku: "S2".into(), free: 2 })
        );
        assert_eq!(
            kept(&mut shelf(), &[(1, 8)]),
            Err(ReserveRefused::OutOfStock { sku: "S1".into(), free: 7 })
        );
        let mut one = shelf();
        assert!(kept(&mut one, &[(1, 7)]).is_ok());
        assert_eq!(kept(&mut one, &[(1, 1)]), Err(ReserveRefused::OutOfStock { sku: "S1".into(), free: 0 }));
    }
}
