//! The event feed: a cursor never skips an event, not even one that commits late.

use super::world::{Cancelled, Placed, actor, record, worlds};
use automation::feed::{Ask, feed};
use db::testing::postgres;
use db::{Db, Options};
use kernel::Timestamp;
use kernel::fact::EventId;
use serde_json::json;
use std::time::{Duration, Instant};

async fn ask(
    db: &Db,
    after: Option<EventId>,
    kind: Option<&str>,
    order: Option<i64>,
    limit: i64,
) -> Vec<EventId> {
    let ask = Ask { after, kind: kind.map(str::to_owned), order, limit };
    feed(db, &ask).await.unwrap().into_iter().map(|e| e.id).collect()
}

#[tokio::test]
async fn a_cursor_walks_the_log_without_gap_or_repetition() {
    for db in worlds().await {
        let mut all = Vec::new();
        for n in 0..25 {
            let order = Some(n % 3);
            all.push(match n % 2 {
                0 => record(&db, order, Placed(json!({ "n": n }))).await,
                _ => record(&db, order, Cancelled(json!({ "n": n }))).await,
            });
        }
        // Other tests on the same server may have transactions open, which make the feed late.
        db.clock().advance(10 * Timestamp::MINUTE);
        let (mut after, mut seen) = (None, Vec::new());
        loop {
            let page = ask(&db, after, None, None, 7).await;
            if page.is_empty() {
                break;
            }
            after = page.last().copied();
            seen.extend(page);
        }
        assert_eq!(seen, all, "{}", db.name);
        assert_eq!(ask(&db, None, Some("order.placed"), None, 100).await.len(), 13, "{}", db.name);
        assert_eq!(ask(&db, None, Some("order.placed"), Some(2), 100).await.len(), 4, "{}", db.name);
    }
}

#[tokio::test]
async fn an_event_that_commits_late_is_not_skipped() {
    let test = postgres(Options::default()).await;
    let db = Db::open(test.url(), Options::default()).await.unwrap();
    let mut attempt = db.attempt(&actor());
    let late = attempt.begin().await.unwrap();
    late.record(late.now(), "x", None, Placed(json!("late"))).unwrap();
    // Written to the log, with its id, and not committed.
    late.settle().await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    let early = record(&db, None, Placed(json!("early"))).await;
    tokio::time::sleep(Duration::from_millis(6_000)).await;
    assert_eq!(
        ask(&db, None, None, None, 10).await,
        [],
        "the early one waits for the transaction that is older"
    );
    assert!(matches!(attempt.settle(late, Ok(())).await, db::Settled::Done(Ok(()))));
    let begin = Instant::now();
    let mut seen = Vec::new();
    while seen.len() < 2 && begin.elapsed() < Duration::from_secs(60) {
        seen.extend(ask(&db, seen.last().copied(), None, None, 10).await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(seen.len() == 2 && seen[0] < seen[1] && seen[1] == early, "{seen:?}");
}
