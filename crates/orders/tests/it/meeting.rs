//! Transactions that meet: whoever changes the payments of an order waits for whoever holds the order, before it holds anything itself.

use crate::shop::{Shop, actor, options, tender, want};
use db::{Backend, Tx};
use kernel::Fault;
use payments::{Confirm, PaymentId};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use tokio::sync::Notify;

async fn confirm(tx: &Tx, payment: PaymentId) -> Result<(), Fault> {
    let arrived =
        Confirm { at: tx.now(), payment, amount: None, reference: format!("transfer for {payment}") };
    let done = payments::confirm(tx, std::slice::from_ref(&arrived)).await?;
    done.into_iter().for_each(|outcome| outcome.unwrap());
    Ok(())
}

/// Waits until somebody waits for a lock of this transaction; whether somebody does, and not has ended instead.
async fn is_waited_for(shop: &Shop, tx: &Tx, ended: &AtomicBool) -> Result<bool, Fault> {
    let me: Option<i64> = tx.scalar("SELECT CAST(pg_backend_pid() AS BIGINT)", []).await?;
    let text = "SELECT COUNT(*) FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))";
    loop {
        let waiting: Option<i64> = shop.db.read().scalar(text, [me.into()]).await?;
        if waiting > Some(0) || ended.load(Ordering::SeqCst) {
            return Ok(waiting > Some(0));
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn two_tenders_of_an_order_that_are_paid_at_once_are_both_counted_and_nobody_runs_again() {
    let shop = Shop::open(db::testing::postgres(options()).await).await;
    assert_eq!(shop.db.backend(), Backend::Postgres, "SQLite has one writer: there nobody meets");
    shop.receive("A", shop.berlin, 10).await;
    let mut order = want(shop.db.now(), 1, &[("A", 2)]);
    order.tenders = vec![tender("manual", "bank_transfer", Some(1_500)), tender("manual", "cod", Some(500))];
    let placed = shop.place(&[order]).await.remove(0).unwrap();
    let ids = shop.db.read().column("SELECT id FROM payment ORDER BY id", []).await.unwrap();
    let [first, second]: [PaymentId; 2] = ids.try_into().unwrap();

    let (begun, ended, runs) = (Notify::new(), AtomicBool::new(false), AtomicU32::new(0));
    let earlier = async {
        shop.write(async |tx| {
            runs.fetch_add(1, Ordering::SeqCst);
            confirm(tx, first).await?;
            begun.notify_one();
            assert!(is_waited_for(&shop, tx, &ended).await?, "the later one does not wait for the order");
            // It would fail at once if the one who waits for the order held its payment: then each would wait for the other.
            let text = "SELECT p.id FROM payment p WHERE p.id = $1 FOR UPDATE OF p NOWAIT";
            assert_eq!(tx.scalar::<PaymentId>(text, [second.into()]).await?, Some(second));
            Ok(())
        })
        .await;
    };
    let later = async {
        begun.notified().await;
        shop.write(async |tx| {
            runs.fetch_add(1, Ordering::SeqCst);
            confirm(tx, second).await
        })
        .await;
        ended.store(true, Ordering::SeqCst);
    };
    tokio::join!(earlier, later);

    assert_eq!(runs.load(Ordering::SeqCst), 2, "each ran once, by {}", actor());
    let text = format!("SELECT captured FROM orders WHERE id = {}", placed.id.0);
    assert_eq!(shop.number(&text).await, 2_000);
    shop.check().await;
}
