//! The database layer on both databases: sets of rows, transactions, events and reactions, lanes, jobs, answers, numbers.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use db::testing::both;
use db::{Db, FromRow, Options, Reaction, Rows, Tx};
use kernel::{Actor, Event, Fault};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Hatched {
    n: i64,
}
kernel::fact!(Hatched, "bird.hatched");

#[derive(Debug, PartialEq, FromRow)]
struct Pair {
    n: i64,
    text: Option<String>,
}

fn actor() -> Actor {
    Actor::system("test")
}

#[tokio::test]
async fn a_set_of_rows_reads_the_same_on_both() {
    for db in both(Options::default).await {
        let mut rows = Rows::new("n BIGINT, text TEXT?, yes BOOLEAN, share DOUBLE?");
        for n in 0..20_000i64 {
            let text = (n % 3 != 0).then(|| format!("ü{n}'\"\\"));
            rows.push([n.into(), text.into(), (n % 2 == 0).into(), Some(0.5f64).into()]);
        }
        let read: Vec<Pair> = db
            .read()
            .all_from(&rows, "SELECT n, text FROM input WHERE yes AND share = $1 ORDER BY n", [0.5f64.into()])
            .await
            .unwrap();
        assert_eq!(read.len(), 10_000, "{}", db.name);
        assert_eq!(read[0], Pair { n: 0, text: None });
        assert_eq!(read[1], Pair { n: 2, text: Some("ü2'\"\\".into()) });
    }
}

fn count_birds<'a>(tx: &'a Tx, events: &'a [Event]) -> db::BoxFuture<'a, Result<(), Fault>> {
    Box::pin(async move {
        for event in events {
            let bird = event.fact::<Hatched>()?.unwrap();
            let text = "INSERT INTO timer (name, next_at) VALUES ('birds', $1) ON CONFLICT (name) DO UPDATE SET next_at = timer.next_at + excluded.next_at";
            tx.exec(text, [bird.n.into()]).await?;
            if bird.n > 1 {
                tx.record(tx.now(), "bird", None, Hatched { n: bird.n - 1 })?;
            }
        }
        Ok(())
    })
}

#[tokio::test]
async fn reactions_run_in_the_transaction_until_nothing_is_new() {
    let options = || Options {
        reactions: vec![Reaction { name: "count", kinds: &["bird.hatched"], run: count_birds }],
        ..Options::default()
    };
    for db in both(options).await {
        db::write!(db, &actor(), |tx| tx.record(tx.now(), "bird", None, Hatched { n: 4 })).unwrap();
        let sum: Option<i64> =
            db.read().scalar("SELECT next_at FROM timer WHERE name = 'birds'", []).await.unwrap();
        assert_eq!(sum, Some(4 + 3 + 2 + 1), "{}", db.name);
        let failed: Result<(), Fault> = db::write!(db, &actor(), |tx| {
            tx.record(tx.now(), "bird", None, Hatched { n: 9 })?;
            Err(Fault::broken("no"))
        });
        assert!(failed.is_err());
        let events: Option<i64> = db.read().scalar("SELECT COUNT(*) FROM event", []).await.unwrap();
        assert_eq!(events, Some(4), "a failed transaction leaves no event ({})", db.name);
    }
}

#[tokio::test]
async fn constraints_are_recognised_and_numbers_rise() {
    for db in both(Options::default).await {
        let bad = db::write!(db, &actor(), |tx| {
            tx.exec("INSERT INTO supplier (id, code, name, created_at) VALUES (1, 'S', 'S', 0)", []).await?;
            tx.exec("INSERT INTO sku (id, code, title, kind, tax_class, created_at) VALUES (1, 'A', 'A', 'nonsense', 'standard', 0)", []).await
        });
        assert!(db::is_check_violation(&bad.unwrap_err()), "{}", db.name);
        let first = db::write!(db, &actor(), |tx| tx.numbers("orders", 3).await).unwrap();
        let second = db::write!(db, &actor(), |tx| tx.numbers("orders", 1).await).unwrap();
        assert_eq!((first, second), (1001..=1003, 1004..=1004), "{}", db.name);
    }
}

const WRONG: &str = "INSERT INTO sku (id, code, title, kind, tax_class, created_at) VALUES (1, 'A', 'A', 'nonsense', 'standard', 0)";

async fn timers(db: &Db, name: &str) -> Option<i64> {
    db.read().scalar("SELECT COUNT(*) FROM timer WHERE name = $1", [name.into()]).await.unwrap()
}

async fn timer(tx: &Tx, name: &str) -> Result<(), Fault> {
    tx.exec("INSERT INTO timer (name, next_at) VALUES ($1, 1)", [name.into()]).await
}

#[tokio::test]
async fn what_is_written_is_seen_by_what_is_read_after_it_and_fails_by_its_own_name() {
    for db in both(Options::default).await {
        let seen: Option<i64> = db::write!(db, &actor(), |tx| {
            for n in 0..200 {
                timer(tx, &format!("t{n}")).await?;
            }
            tx.exec("UPDATE timer SET next_at = next_at + 1 WHERE name = 't7'", []).await?;
            tx.scalar("SELECT CAST(SUM(next_at) AS BIGINT) FROM timer WHERE name LIKE 't%'", []).await
        })
        .unwrap();
        assert_eq!(seen, Some(201), "{}", db.name);
        for waits in [true, false] {
            let failed: Result<(), Fault> = db::write!(db, &actor(), |tx| {
                timer(tx, "lost").await?;
                tx.exec(WRONG, []).await?;
                timer(tx, "after").await?;
                if waits {
                    tx.scalar::<i64>("SELECT 1", []).await?;
                }
                Ok(())
            });
            let fault = failed.unwrap_err();
            assert!(db::is_check_violation(&fault), "{}: {fault}", db.name);
            let says = fault.to_string();
            assert!(says.contains("INSERT INTO sku") && !says.contains("nonsense"), "{}: {says}", db.name);
            assert_eq!(timers(&db, "lost").await, Some(0), "{}", db.name);
        }
        db::write!(db, &actor(), |tx| timer(tx, "lost").await).unwrap();
        assert_eq!(timers(&db, "lost").await, Some(1), "{}: the connection serves the next", db.name);
    }
}

#[tokio::test]
async fn a_transaction_that_failed_is_not_taken_for_done() {
    let db = db::testing::postgres(Options::default()).await;
    let done = db::write!(db, &actor(), |tx| {
        timer(tx, "lost").await?;
        let _ = tx.touched(WRONG, []).await;
        Ok(())
    });
    assert!(done.is_err(), "PostgreSQL answers such a COMMIT with ROLLBACK, and without an error");
    assert_eq!(timers(&db, "lost").await, Some(0));
    db::write!(db, &actor(), |tx| timer(tx, "lost").await).unwrap();
}

#[tokio::test]
async fn a_transaction_that_is_dropped_leaves_nothing_and_holds_nobody_up() {
    for db in both(Options::default).await {
        let name = db.name;
        let running = async {
            db::write!(db, &actor(), |tx| {
                timer(tx, "dropped").await?;
                tx.scalar::<i64>("SELECT 1", []).await?;
                std::future::pending::<Result<(), Fault>>().await
            })
        };
        let soon = std::time::Duration::from_millis(100);
        assert!(tokio::time::timeout(soon, running).await.is_err(), "{name}");
        assert_eq!(timers(&db, "dropped").await, Some(0), "{name}");
        // It would wait for the first, were that still there.
        db::write!(db, &actor(), |tx| timer(tx, "dropped").await).unwrap();
        assert_eq!(timers(&db, "dropped").await, Some(1), "{name}");
    }
}

#[derive(Debug)]
struct Twice(i64);

impl db::Command for Twice {
    type Outcome = i64;
    /// Odd and even numbers are sent by two callers.
    fn actor(&self) -> Actor {
        Actor::of("user", self.0 % 2)
    }
    fn run<'a>(tx: &'a Tx, batch: &'a [Self]) -> db::BoxFuture<'a, Result<Vec<i64>, Fault>> {
        Box::pin(async move {
            let mut rows = Rows::new("name TEXT, next_at BIGINT");
            for Twice(n) in batch {
                assert_eq!(*tx.actor(), Twice(*n).actor(), "a batch is of one actor");
                rows.push([format!("t{n}").into(), (*n).into()]);
            }
            tx.insert("timer", &rows).await?;
            if batch.iter().any(|t| t.0 == 13) {
                return Err(Fault::broken("thirteen"));
            }
            assert!(batch.iter().all(|t| t.0 != 17), "seventeen");
            Ok(batch.iter().map(|t| t.0 * 2).collect())
        })
    }
}

#[tokio::test]
async fn a_lane_answers_each_and_one_poisoned_command_fails_alone() {
    for db in both(Options::default).await {
        let lane = db::Lane::<Twice>::new("test", &db.db);
        let sent = (0..100i64).map(|n| {
            let lane = lane.clone();
            tokio::spawn(async move { (n, lane.send(Twice(n)).await) })
        });
        for task in sent.collect::<Vec<_>>() {
            let (n, outcome) = task.await.unwrap();
            match outcome {
                Ok(answer) => assert_eq!(answer, Ok(n * 2)),
                Err(fault) if n == 17 => assert!(fault.to_string().contains("panic: seventeen"), "{fault}"),
                Err(fault) => assert_eq!((n, fault.to_string().contains("thirteen")), (13, true)),
            }
        }
        assert_eq!(
            lane.send(Twice(200)).await.unwrap(),
            Ok(400),
            "{}: a panic does not end the lane",
            db.name
        );
        let kept: Option<i64> = db.read().scalar("SELECT COUNT(*) FROM timer", []).await.unwrap();
        assert_eq!(kept, Some(99), "{}: all but the two, and the last", db.name);
    }
}

/// Callers go away at every point of a transaction's beginning; what was told to others stays true.
#[tokio::test]
async fn who_goes_away_takes_nobody_along() {
    for db in both(Options::default).await {
        let db = std::sync::Arc::new(db);
        let mut told = Vec::new();
        for n in 0..60i64 {
            let writer = std::sync::Arc::clone(&db);
            told.push(tokio::spawn(async move {
                let text = "INSERT INTO timer (name, next_at) VALUES ($1, $2)";
                let done = db::write!(writer.db, &actor(), |tx| tx
                    .exec(text, [format!("w{n}").into(), n.into()])
                    .await);
                (n, done.is_ok())
            }));
            // Polled a few times, each time a little further, and dropped.
            let mut beginning = Box::pin(async { db.attempt(&actor()).begin().await.map(drop) });
            for _ in 0..n % 12 {
                let polled = poll_once(&mut beginning).await;
                if polled {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        for task in told {
            let (n, ok) = task.await.unwrap();
            let text = "SELECT COUNT(*) FROM timer WHERE name = $1";
            let there: Option<i64> = db.read().scalar(text, [format!("w{n}").into()]).await.unwrap();
            assert_eq!(there, Some(i64::from(ok)), "{}: w{n} was told {ok}", db.name);
        }
    }
}

/// Polls once; whether it is done.
async fn poll_once<F: Future + Unpin>(future: &mut F) -> bool {
    std::future::poll_fn(|cx| std::task::Poll::Ready(std::pin::Pin::new(&mut *future).poll(cx).is_ready()))
        .await
}

#[tokio::test]
async fn two_processes_share_a_database_with_different_node_numbers() {
    for db in both(Options::default).await {
        let other = db::Db::open(db.url(), Options::default()).await.unwrap();
        let (a, b): (kernel::fact::EventId, kernel::fact::EventId) = (db.id(), other.id());
        assert_ne!((a.0 >> 11) & 1023, (b.0 >> 11) & 1023, "{}", db.name);
    }
}

/// On PostgreSQL transactions overlap, so that ids cannot rise in the order of commits; its readers have a horizon (`automation::feed`).
#[tokio::test]
async fn ids_of_events_rise_in_the_order_of_commits_whichever_process_writes() {
    let db = db::testing::sqlite(Options::default()).await;
    let clock = || Options { clock: db.clock().clone(), ..Options::default() };
    let mut writers = vec![db.db.clone()];
    for _ in 0..3 {
        writers.push(db::Db::open(db.url(), clock()).await.unwrap());
    }
    let mut last = 0i64;
    for n in 0..60usize {
        // The clock stands, and once it is set back.
        if n == 30 {
            db.clock().advance(-kernel::Timestamp::MINUTE);
        }
        let writer = &writers[n * 7 % writers.len()];
        let hatched = Hatched { n: i64::try_from(n).unwrap() };
        db::write!(writer, &actor(), |tx| tx.record(tx.now(), "bird", None, Hatched { n: hatched.n }))
            .unwrap();
        let text = "SELECT id FROM event WHERE id > $1 ORDER BY id";
        let new: Vec<i64> = db.read().column(text, [last.into()]).await.unwrap();
        assert_eq!(new.len(), 1, "event {n} is not behind those before it");
        last = new[0];
    }
}

#[tokio::test]
async fn views_read_on_both_and_know_every_currency_without_cents() {
    for db in both(Options::default).await {
        for view in ["v_orders", "v_order_lines", "v_stock", "v_postings"] {
            let rows: Option<i64> =
                db.read().scalar(&format!("SELECT COUNT(*) FROM {view}"), []).await.unwrap();
            assert_eq!(rows, Some(0), "{view} on {}", db.name);
        }
        for (code, units) in [("JPY", 1), ("KWD", 1000), ("CLF", 10_000)] {
            let kept: Option<i64> = db
                .read()
                .scalar("SELECT minor_units FROM currency_unit WHERE code = $1", [code.into()])
                .await
                .unwrap();
            assert_eq!(kept, Some(units));
            assert_eq!(code.parse::<kernel::Currency>().unwrap().exponent(), units.ilog10());
        }
    }
}

struct Nobody;
impl kernel::outside::Outside for Nobody {
    fn call(
        &self,
        _: kernel::outside::HttpCall,
    ) -> std::pin::Pin<
        Box<dyn Future<Output = Result<kernel::outside::HttpAnswer, kernel::outside::NoAnswer>> + Send + '_>,
    > {
        Box::pin(async { Err(kernel::outside::NoAnswer("nobody".into())) })
    }
}

fn keep_told(ctx: db::Ctx, events: Vec<Event>) -> db::BoxFuture<'static, Result<(), Fault>> {
    Box::pin(async move {
        let count = i64::try_from(events.len())?;
        db::write!(ctx.db, &actor(), |tx| {
            let text = "INSERT INTO timer (name, next_at) VALUES ('told', $1) ON CONFLICT (name) DO UPDATE SET next_at = timer.next_at + excluded.next_at";
            tx.exec(text, [count.into()]).await
        })?;
        Ok(())
    })
}

#[tokio::test]
async fn listeners_are_told_after_commit_and_imports_are_silent() {
    let options = || Options {
        listeners: vec![db::Listener {
            name: "keep",
            kinds: &["bird.hatched"],
            wanted: None,
            run: keep_told,
        }],
        ..Options::default()
    };
    for db in both(options).await {
        for by in [actor(), Actor::import("history"), actor()] {
            db::write!(db, &by, |tx| tx.record(tx.now(), "bird", None, Hatched { n: 1 })).unwrap();
        }
        let ctx =
            db::Ctx { db: db.db.clone(), outside: std::sync::Arc::new(Nobody), parts: db::Parts::default() };
        while db::work_once(&ctx, &[], &[]).await.unwrap() > 0 {}
        let told: Option<i64> =
            db.read().scalar("SELECT next_at FROM timer WHERE name = 'told'", []).await.unwrap();
        let left: Option<i64> = db.read().scalar("SELECT COUNT(*) FROM job", []).await.unwrap();
        assert_eq!((told, left), (Some(2), Some(0)), "{}", db.name);
    }
}
