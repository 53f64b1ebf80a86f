//! Reservations of carts: kept, taken over by an order, given back by hand or by time, each once.

use super::shop::{actor, laws_hold, level, open, receive};
use db::testing::both;
use db::{Ctx, Db, Options, Parts};
use inventory::{ReservationId, Reserve};
use kernel::outside::{HttpAnswer, HttpCall, NoAnswer, Outside};
use kernel::{Refuse, Timestamp};
use std::sync::Arc;

/// Nobody is outside.
pub struct Nobody;
impl Outside for Nobody {
    fn call(&self, _: HttpCall) -> db::BoxFuture<'_, Result<HttpAnswer, NoAnswer>> {
        Box::pin(async { Err(NoAnswer("nobody".into())) })
    }
}

async fn reserve(
    db: &Db,
    minutes: i64,
    lines: &[(catalog::SkuId, i64)],
) -> Result<ReservationId, &'static str> {
    let at = db.now();
    let want = [Reserve { at, expires_at: at.plus(minutes * Timestamp::MINUTE), lines: lines.to_vec() }];
    let outcomes = db::write!(db, &actor(), |tx| inventory::reserve(tx, &want).await).unwrap();
    outcomes[0].clone().map_err(|r| r.code())
}

#[tokio::test]
async fn time_gives_the_units_back() {
    for db in both(Options::default).await {
        let shop = open(&db).await;
        let home = shop.places[0];
        receive(&db, shop.skus[0], home, 4, 100).await;
        receive(&db, shop.skus[1], home, 4, 100).await;
        let short = reserve(&db, 1, &[(shop.bundle, 1)]).await.unwrap();
        reserve(&db, 60, &[(shop.skus[0], 1), (shop.service, 3)]).await.unwrap();
        assert_eq!(reserve(&db, 1, &[(shop.bundle, 1)]).await, Err("inventory.out_of_stock"), "{}", db.name);
        assert_eq!(reserve(&db, 0, &[(shop.bundle, 1)]).await, Err("inventory.reservation_over"));
        assert_eq!(level(&db, shop.skus[0], home).await, (4, 3, 0, 1));
        laws_hold(&db, "while carts wait").await;
        let ctx = Ctx { db: db.db.clone(), outside: Arc::new(Nobody), parts: Parts::default() };
        db::work_once(&ctx, &[], inventory::TIMERS).await.unwrap();
        assert_eq!(level(&db, shop.skus[0], home).await.1, 3, "not yet");
        db.clock().advance(2 * Timestamp::MINUTE);
        db::work_once(&ctx, &[], inventory::TIMERS).await.unwrap();
        assert_eq!(
            (level(&db, shop.skus[0], home).await, level(&db, shop.skus[1], home).await),
            ((4, 1, 0, 3), (4, 0, 0, 4))
        );
        let late = db::write!(db, &actor(), |tx| inventory::take_reservations(tx, tx.now(), &[short]).await)
            .unwrap();
        assert_eq!(late, [None], "it is over ({})", db.name);
        let how: Option<String> =
            db.read().scalar("SELECT outcome FROM reservation WHERE id = $1", [short.into()]).await.unwrap();
        assert_eq!(how.as_deref(), Some("expired"));
        laws_hold(&db, "after the time").await;
    }
}

#[tokio::test]
async fn an_order_takes_over_once_and_hands_give_back_once() {
    for db in both(Options::default).await {
        let shop = open(&db).await;
        let (sku, home) = (shop.skus[0], shop.places[0]);
        receive(&db, sku, home, 5, 100).await;
        let first = reserve(&db, 5, &[(sku, 2)]).await.unwrap();
        let second = reserve(&db, 5, &[(sku, 3)]).await.unwrap();
        assert_eq!(reserve(&db, 5, &[(sku, 1)]).await, Err("inventory.out_of_stock"));
        let taken = db::write!(db, &actor(), |tx| {
            let taken = inventory::take_reservations(tx, tx.now(), &[first, first]).await?;
            let free = inventory::lock(tx, &[sku]).await?.free(sku, home);
            Ok((taken, free))
        });
        assert_eq!(
            taken.unwrap(),
            (vec![Some(vec![(sku, home, 2)]), None], 2),
            "free again for the order ({})",
            db.name
        );
        let release = [second, first, second];
        let released =
            db::write!(db, &actor(), |tx| inventory::release_reservations(tx, &release).await).unwrap();
        assert_eq!(released, [true, false, false]);
        assert_eq!(level(&db, sku, home).await, (5, 0, 0, 5));
        laws_hold(&db, "after all ended").await;
    }
}

#[tokio::test]
async fn many_carts_keep_what_is_there() {
    for db in both(Options::default).await {
        let shop = open(&db).await;
        let home = shop.places[0];
        receive(&db, shop.skus[0], home, 10, 100).await;
        receive(&db, shop.skus[1], home, 10, 100).await;
        // Bundles and single units share one component: they meet on its row.
        let tasks = (0..24).map(|n| {
            let db = db.db.clone();
            let line = if n % 2 == 0 { (shop.bundle, 1) } else { (shop.skus[0], 1) };
            tokio::spawn(
                async move { reserve(&db, 5, &[line]).await.map(|_| if n % 2 == 0 { 2 } else { 1 }) },
            )
        });
        let mut kept = 0;
        for task in tasks.collect::<Vec<_>>() {
            kept += task.await.unwrap().unwrap_or(0);
        }
        assert_eq!(level(&db, shop.skus[0], home).await, (10, kept, 0, 10 - kept), "{}", db.name);
        assert!(kept >= 9, "no unit lies idle while a cart wants it: {kept}");
        laws_hold(&db, "after the rush").await;
    }
}
