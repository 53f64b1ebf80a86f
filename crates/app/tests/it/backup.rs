//! A backup taken while orders come in is a database that verifies, on whichever database it is restored.

use crate::support::shop;
use crate::support::walkthrough::{OrderWalkthrough, Step};
use crate::support::{TestApp, has_postgres};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backup_while_serving_restores_into_the_other_database() {
    if !has_postgres() {
        return backup_and_restore(TestApp::sqlite().await, TestApp::empty_sqlite().await).await;
    }
    backup_and_restore(TestApp::sqlite().await, TestApp::empty_postgres().await).await;
    backup_and_restore(TestApp::postgres().await, TestApp::empty_sqlite().await).await;
}

async fn backup_and_restore(from: TestApp, to: TestApp) {
    let shop = shop::open(&from.ctx.db, 10_000).await;
    OrderWalkthrough::up_to(&from, &shop, "ada", Step::Refunded).await;
    let stop = Arc::new(AtomicBool::new(false));
    let busy = tokio::spawn({
        let (from, stop) = (from.clone(), Arc::clone(&stop));
        async move {
            let mut placed = 0;
            while !stop.load(Ordering::Relaxed) {
                from.post("/v1/orders", &shop::order(&format!("busy{placed}"), &[("SET", 1)])).await.ok();
                placed += 1;
            }
            placed
        }
    });
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let mut file = Vec::new();
    let written = db::backup::backup(&from.ctx.db, &mut file).await.unwrap();
    stop.store(true, Ordering::Relaxed);
    assert!(busy.await.unwrap() > 0);

    let read = db::backup::restore(&to.ctx.db, file.as_slice()).await.unwrap();
    assert_eq!(written.rows, read.rows, "{} to {}", from.name, to.name);
    to.check_laws().await;
    let ada = "SELECT COUNT(*) FROM orders WHERE email = 'ada@example.com'";
    assert_eq!(to.ctx.db.read().scalar::<i64>(ada, []).await.unwrap(), Some(1), "{}", to.name);
    // It goes on living: numbers and ids do not collide with those that came.
    let to = to.with_key(&["*"]).await;
    OrderWalkthrough::up_to(&to, &shop, "grace", Step::Refunded).await;
    to.drain_jobs().await;
    to.check().await;
}
