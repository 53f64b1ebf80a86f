//! End reservations: by hand, by an order that takes over what was kept, or by time. Invariant: a reservation ends once, and what it kept is
//! free again in the same transaction.

use crate::events::{ReservationEnded, Reserved};
use crate::ground::lock_stock;
use crate::{LocationId, Move, MoveKind, ReservationId, apply};
use catalog::SkuId;
use db::{BoxFuture, Ctx, FromRow, Rows, Timer, Tx};
use kernel::{Actor, Fault, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Reservations that one transaction of the timer ends.
const BATCH: i64 = 500;

/// The timed work of this slice.
pub const TIMERS: &[Timer] = &[Timer { name: "inventory.expire_reservations", every_s: 30, run: expire_all }];

#[derive(FromRow)]
struct IdRow {
    id: ReservationId,
}

/// Gives back what carts kept; whether each was still open, in order. Events: `reservation.ended` for each that was.
///
/// # Errors
/// A fault of the database.
pub async fn release_reservations(tx: &Tx, ids: &[ReservationId]) -> Result<Vec<bool>, Fault> {
    let open = lock_open(tx, ids).await?;
    let ended = end(tx, tx.now(), &open, "released").await?;
    let mut left: BTreeSet<ReservationId> = ended.into_keys().collect();
    Ok(ids.iter().map(|id| left.remove(id)).collect())
}

/// Hands what was kept over to orders: the units are free again within this transaction, for the order to allocate, and the reservation has
/// become an order. `None` for one that has ended (or never was). One whose time is over but that still keeps its units is honoured. Call
/// it before [`crate::lock`], which then sees the units. Events: `reservation.ended`.
///
/// # Errors
/// A fault of the database.
pub async fn take_reservations(
    tx: &Tx,
    at: Timestamp,
    ids: &[ReservationId],
) -> Result<Vec<Option<Vec<(SkuId, LocationId, i64)>>>, Fault> {
    let open = lock_open(tx, ids).await?;
    let mut ended = end(tx, at, &open, "ordered").await?;
    Ok(ids
        .iter()
        .map(|id| {
            let lines = ended.remove(id)?;
            Some(lines.into_iter().map(|r| (r.sku, r.location, r.quantity)).collect())
        })
        .collect())
}

/// What open reservations keep, in order, locked but not ended: for an order that may yet be refused. `None` for one that has ended.
///
/// # Errors
/// A fault of the database.
pub async fn open_reservations(
    tx: &Tx,
    ids: &[ReservationId],
) -> Result<Vec<Option<Vec<(SkuId, LocationId, i64)>>>, Fault> {
    let open = lock_open(tx, ids).await?;
    let mut kept: BTreeMap<ReservationId, Vec<(SkuId, LocationId, i64)>> =
        open.iter().map(|id| (*id, Vec::new())).collect();
    for Line { reservation_id, sku_id, location_id, quantity } in lines_of(tx, &open).await? {
        kept.entry(reservation_id).or_default().push((sku_id, location_id, quantity));
    }
    Ok(ids.iter().map(|id| kept.remove(id)).collect())
}

/// Ends reservations whose time is over at `at`, some hundred at most; how many. Other processes may do the same: each takes its own.
///
/// # Errors
/// A fault of the database.
pub async fn expire(tx: &Tx, at: Timestamp) -> Result<usize, Fault> {
    let text = "SELECT v.id FROM reservation v WHERE v.ended_at IS NULL AND v.expires_at <= $1 ORDER BY v.id LIMIT $2 \
         /*pg FOR UPDATE OF v SKIP LOCKED */";
    let due: Vec<IdRow> = tx.all(text, [at.into(), BATCH.into()]).await?;
    let due: Vec<ReservationId> = due.into_iter().map(|r| r.id).collect();
    end(tx, at, &due, "expired").await?;
    Ok(due.len())
}

fn expire_all(ctx: Ctx) -> BoxFuture<'static, Result<(), Fault>> {
    Box::pin(async move {
        let actor = Actor::system("inventory");
        loop {
            let ended = db::write!(ctx.db, &actor, |tx| expire(tx, tx.now()).await)?;
            if i64::try_from(ended)? < BATCH {
                return Ok(());
            }
        }
    })
}

/// Locks those of some reservations that are open, in key order.
async fn lock_open(tx: &Tx, ids: &[ReservationId]) -> Result<Vec<ReservationId>, Fault> {
    let mut input = Rows::new("id BIGINT");
    for id in ids.iter().copied().collect::<BTreeSet<_>>() {
        input.push([id.into()]);
    }
    let text = "SELECT v.id FROM reservation v JOIN input ON input.id = v.id WHERE v.ended_at IS NULL ORDER BY v.id /*pg FOR UPDATE OF v */";
    let rows: Vec<IdRow> = tx.all_from(&input, text, []).await?;
    Ok(rows.into_iter().map(|r| r.id).collect())
}

#[derive(FromRow)]
struct Line {
    reservation_id: ReservationId,
    sku_id: SkuId,
    location_id: LocationId,
    quantity: i64,
}

async fn lines_of(tx: &Tx, ids: &[ReservationId]) -> Result<Vec<Line>, Fault> {
    let mut input = Rows::new("reservation BIGINT");
    for id in ids {
        input.push([(*id).into()]);
    }
    let text = "SELECT n.reservation_id, n.sku_id, n.location_id, n.quantity FROM reservation_line n \
         JOIN input ON input.reservation = n.reservation_id ORDER BY n.reservation_id, n.sku_id, n.location_id";
    tx.all_from(&input, text, []).await
}

/// Ends reservations that the caller has locked and found open; what each kept.
async fn end(
    tx: &Tx,
    at: Timestamp,
    ids: &[ReservationId],
    outcome: &'static str,
) -> Result<BTreeMap<ReservationId, Vec<Reserved>>, Fault> {
    let lines = lines_of(tx, ids).await?;
    lock_stock(tx, &lines.iter().map(|l| (l.sku_id, l.location_id)).collect()).await?;
    // A reservation of services only has no lines and ends all the same.
    let mut ended: BTreeMap<ReservationId, Vec<Reserved>> = ids.iter().map(|id| (*id, Vec::new())).collect();
    let mut moves = Vec::with_capacity(lines.len());
    for Line { reservation_id, sku_id, location_id, quantity } in lines {
        let bare = Move::new(at, MoveKind::Reserve, sku_id, location_id);
        let (reference, reason) = (Some(reservation_id.to_string()), Some(outcome.to_owned()));
        moves.push(Move { allocated: -quantity, reference, reason, ..bare });
        let kept = Reserved { sku: sku_id, location: location_id, quantity };
        ended.entry(reservation_id).or_default().push(kept);
    }
    apply(tx, &moves).await?;
    let mut input = Rows::new("reservation BIGINT");
    for id in ids {
        input.push([(*id).into()]);
    }
    let text =
        "UPDATE reservation SET ended_at = $1, outcome = $2 WHERE id IN (SELECT reservation FROM input)";
    tx.exec_from(&input, text, [at.into(), outcome.into()]).await?;
    for (id, lines) in &ended {
        let fact = ReservationEnded { reservation: *id, outcome: outcome.to_owned(), lines: lines.clone() };
        tx.record(at, id, None, fact)?;
    }
    Ok(ended)
}
