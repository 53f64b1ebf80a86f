//! Webhooks out: signatures, retries, 410, dead letters and their replay.

use super::world::{Cancelled, Placed, actor, count, ctx, lawful, record, tell_again, work, worlds};
use automation::read::{self, DeliveryRow};
use automation::replay::{Replay, ReplayDead, ReplayRefused, Test, replay, replay_dead, test};
use automation::subscribe::{Change, Endpoint, Subscribe, Unsubscribe, change, subscribe, unsubscribe};
use automation::{EndpointId, Mailer};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use db::Db;
use kernel::Timestamp;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

/// A receiver that keeps what it got and answers as it is told.
#[derive(Clone)]
struct Receiver {
    got: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    answer: Arc<AtomicU16>,
    url: String,
}

impl Receiver {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let receiver = Self { got: Arc::default(), answer: Arc::new(AtomicU16::new(204)), url };
        let app = Router::new().route("/hook", axum::routing::post(take)).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        receiver
    }
    fn answers(&self, status: u16) {
        self.answer.store(status, Ordering::SeqCst);
    }
    fn received(&self) -> Vec<(HeaderMap, Bytes)> {
        self.got.lock().unwrap().clone()
    }
}

async fn take(
    State(receiver): State<Receiver>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    receiver.got.lock().unwrap().push((headers, body));
    (StatusCode::from_u16(receiver.answer.load(Ordering::SeqCst)).unwrap(), "said the receiver")
}

async fn endpoint(db: &Db, url: &str, kinds: &[&str]) -> Endpoint {
    let kinds: Vec<String> = kinds.iter().map(|k| (*k).to_owned()).collect();
    db::write!(db, &actor(), |tx| subscribe(
        tx,
        &[Subscribe { at: tx.now(), url: url.into(), kinds: kinds.clone() }]
    )
    .await)
    .unwrap()
    .remove(0)
    .unwrap()
}

async fn deliveries(db: &Db, endpoint: EndpointId) -> Vec<DeliveryRow> {
    read::deliveries(db.read(), endpoint, None, None, 100).await.unwrap()
}

#[tokio::test]
async fn a_delivery_is_signed_and_tried_until_it_is_taken() {
    for db in worlds().await {
        let receiver = Receiver::start().await;
        let ctx = ctx(&db, Mailer::none());
        let hook = endpoint(&db, &receiver.url, &["order.placed"]).await;
        receiver.answers(500);
        let event = record(&db, Some(1), Placed(json!({ "number": "1001", "text": "Zoë ✓" }))).await;
        record(&db, Some(1), Cancelled(json!({}))).await;
        work(&ctx).await;
        let now = db.now();
        let waiting = deliveries(&db, hook.id).await;
        assert_eq!(waiting.len(), 1, "{}: only what was asked for", db.name);
        let d = &waiting[0];
        assert_eq!(
            (d.state.as_str(), d.attempts, d.last_status, d.next_at),
            ("waiting", 1, Some(500), now.plus(5 * Timestamp::SECOND))
        );
        assert_eq!(d.last_error.as_deref(), Some("status 500 said the receiver"));
        tell_again(&ctx, 0).await;
        work(&ctx).await;
        assert_eq!(
            (receiver.received().len(), count(&db, "webhook_delivery").await),
            (1, 1),
            "{}: told twice, sent once",
            db.name
        );

        receiver.answers(204);
        db.clock().advance(5 * Timestamp::SECOND);
        work(&ctx).await;
        let done = deliveries(&db, hook.id).await.remove(0);
        assert_eq!(
            (done.state.as_str(), done.attempts, done.delivered_at, done.last_error),
            ("delivered", 2, Some(db.now()), None)
        );
        let got = receiver.received();
        assert_eq!(got.len(), 2);
        let key = Webhook::new(&hook.secret).unwrap();
        for (headers, body) in &got {
            key.verify(body, headers).unwrap();
            assert!(Webhook::new("whsec_AAAA").unwrap().verify(body, headers).is_err());
            assert_eq!(headers["webhook-id"], event.to_string());
            let body: Value = serde_json::from_slice(body).unwrap();
            assert_eq!(body["type"], "order.placed");
            assert_eq!(body["id"], event.to_string());
            assert_eq!(body["data"], json!({ "number": "1001", "text": "Zoë ✓" }));
            assert_eq!(body["timestamp"].as_str().unwrap().parse::<Timestamp>().unwrap(), now);
        }
        lawful(&db).await;
    }
}

/// Lets every attempt come and fail. An endpoint that is down gets a few attempts at a time, not its whole backlog.
async fn until_dead(ctx: &db::Ctx) {
    for _ in 0..100 {
        work(ctx).await;
        if count(&ctx.db, "webhook_delivery WHERE state = 'waiting'").await == 0 {
            return;
        }
        ctx.db.clock().advance(25 * Timestamp::HOUR);
    }
}

#[tokio::test]
async fn what_fails_ten_times_is_dead_and_can_be_replayed() {
    for db in worlds().await {
        let receiver = Receiver::start().await;
        let ctx = ctx(&db, Mailer::none());
        let hook = endpoint(&db, &receiver.url, &["*"]).await;
        work(&ctx).await;
        let before = receiver.received().len();
        assert_eq!(before, 1, "{}: the endpoint hears that it was made", db.name);
        receiver.answers(503);
        for n in 0..40 {
            record(&db, None, Placed(json!({ "n": n }))).await;
        }
        until_dead(&ctx).await;
        let dead = read::deliveries(db.read(), hook.id, Some("dead"), None, 100).await.unwrap();
        assert_eq!((dead.len(), dead[0].attempts), (40, 10), "{}", db.name);
        assert_eq!(receiver.received().len(), before + 400, "{}", db.name);

        receiver.answers(200);
        let replayed =
            db::write!(db, &actor(), |tx| replay_dead(tx, &[ReplayDead { at: tx.now(), endpoint: hook.id }])
                .await)
            .unwrap();
        assert_eq!(replayed, [Ok(40)], "{}", db.name);
        work(&ctx).await;
        let all = deliveries(&db, hook.id).await;
        assert!(all.iter().all(|d| d.state == "delivered" && d.attempts == 1), "{}: {all:?}", db.name);
        let replay_was_told = all.iter().filter(|d| d.kind == "webhook.replayed").count();
        assert_eq!(replay_was_told, 1);

        let again = all.iter().find(|d| d.kind == "order.placed").unwrap();
        let sent = receiver.received().len();
        let done = db::write!(db, &actor(), |tx| replay(tx, &[Replay { at: tx.now(), delivery: again.id }])
            .await)
        .unwrap();
        assert_eq!(done, [Ok(())]);
        work(&ctx).await;
        let got = receiver.received();
        assert_eq!(got.len(), sent + 2, "{}: the delivery, and the event of its replay", db.name);
        let (headers, body) =
            got.iter().rev().find(|(h, _)| h["webhook-id"] == again.event_id.to_string()).unwrap();
        let seconds: i64 = headers["webhook-timestamp"].to_str().unwrap().parse().unwrap();
        let signature =
            Webhook::new(&hook.secret).unwrap().sign(&again.event_id.to_string(), seconds, body).unwrap();
        assert_eq!(
            (headers["webhook-signature"].to_str().unwrap(), seconds),
            (signature.as_str(), db.now().0 / Timestamp::SECOND)
        );
        lawful(&db).await;
    }
}

#[tokio::test]
async fn gone_switches_the_endpoint_off() {
    for db in worlds().await {
        let receiver = Receiver::start().await;
        let ctx = ctx(&db, Mailer::none());
        let hook = endpoint(&db, &receiver.url, &["order.placed"]).await;
        receiver.answers(410);
        record(&db, None, Placed(json!({}))).await;
        work(&ctx).await;
        assert!(!read::endpoint(db.read(), hook.id).await.unwrap().unwrap().active, "{}", db.name);
        let dead = deliveries(&db, hook.id).await.remove(0);
        assert_eq!((dead.state.as_str(), dead.last_status), ("dead", Some(410)), "{}", db.name);
        assert_eq!(count(&db, "event WHERE kind = 'webhook.deactivated'").await, 1);
        record(&db, None, Placed(json!({}))).await;
        work(&ctx).await;
        assert_eq!(
            (receiver.received().len(), deliveries(&db, hook.id).await.len()),
            (1, 1),
            "{}: off is off",
            db.name
        );
        let refused =
            db::write!(db, &actor(), |tx| replay(tx, &[Replay { at: tx.now(), delivery: dead.id }]).await)
                .unwrap();
        assert_eq!(refused, [Err(ReplayRefused::Off { endpoint: hook.id })]);

        receiver.answers(204);
        let on = Change {
            at: db.now(),
            endpoint: hook.id,
            url: None,
            kinds: None,
            active: Some(true),
            new_secret: true,
        };
        let changed = db::write!(db, &actor(), |tx| change(tx, std::slice::from_ref(&on)).await)
            .unwrap()
            .remove(0)
            .unwrap();
        assert!(changed.active && changed.secret != hook.secret);
        db::write!(db, &actor(), |tx| replay_dead(tx, &[ReplayDead { at: tx.now(), endpoint: hook.id }])
            .await)
        .unwrap();
        work(&ctx).await;
        let got = receiver.received();
        let (headers, body) = got.last().unwrap();
        Webhook::new(&changed.secret).unwrap().verify(body, headers).unwrap();
        assert!(
            Webhook::new(&hook.secret).unwrap().verify(body, headers).is_err(),
            "the old secret stops at once"
        );
        lawful(&db).await;

        let gone = Unsubscribe { at: db.now(), endpoint: hook.id };
        let done =
            db::write!(db, &actor(), |tx| unsubscribe(tx, &[gone.clone(), gone.clone()]).await).unwrap();
        assert!(done[0].is_ok() && done[1].is_err(), "{}", db.name);
        assert_eq!(count(&db, "webhook_delivery").await, 0);
        record(&db, None, Placed(json!({}))).await;
        work(&ctx).await;
        assert_eq!(count(&db, "webhook_delivery").await, 0);
    }
}

#[tokio::test]
async fn one_endpoint_that_is_not_there_does_not_keep_another_from_its_events() {
    for db in worlds().await {
        let receiver = Receiver::start().await;
        let ctx = ctx(&db, Mailer::none());
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let nobody = endpoint(&db, &format!("http://{closed}/"), &["order.placed"]).await;
        let there = endpoint(&db, &receiver.url, &["order.placed"]).await;
        for n in 0..50 {
            record(&db, None, Placed(json!({ "n": n }))).await;
        }
        work(&ctx).await;
        assert!(deliveries(&db, there.id).await.iter().all(|d| d.state == "delivered"), "{}", db.name);
        assert_eq!(receiver.received().len(), 50, "{}: each once", db.name);
        let waiting = deliveries(&db, nobody.id).await;
        assert!(waiting.iter().all(|d| d.state == "waiting" && d.delivered_at.is_none()), "{}", db.name);
        assert!(
            waiting.iter().any(|d| d.attempts == 1 && d.last_status.is_none() && d.last_error.is_some()),
            "{}",
            db.name
        );
        lawful(&db).await;
    }
}

#[tokio::test]
async fn a_test_goes_to_its_endpoint_alone_and_what_was_answered_is_kept() {
    for db in worlds().await {
        let receiver = Receiver::start().await;
        receiver.answers(200);
        let ctx = ctx(&db, Mailer::none());
        let tried = endpoint(&db, &receiver.url, &["order.placed"]).await;
        let other = endpoint(&db, &receiver.url, &["*"]).await;
        let try_it = async |endpoint| {
            db::write!(db, &actor(), |tx| test(tx, &[Test { at: tx.now(), endpoint }]).await)
                .unwrap()
                .remove(0)
        };
        try_it(tried.id).await.unwrap();
        work(&ctx).await;
        let of = async |endpoint| -> Vec<DeliveryRow> {
            deliveries(&db, endpoint).await.into_iter().filter(|d| d.kind == "webhook.tested").collect()
        };
        let (here, there) = (of(tried.id).await, of(other.id).await);
        assert_eq!((here.len(), there.len(), here[0].state.as_str()), (1, 0, "delivered"));
        let one = read::delivery(db.read(), here[0].id).await.unwrap().unwrap();
        assert_eq!(one.answer.as_deref(), Some("said the receiver"));
        let got: Vec<String> =
            receiver.received().iter().map(|(_, body)| String::from_utf8(body.to_vec()).unwrap()).collect();
        assert!(got.contains(&one.body().unwrap()), "shown is what was sent: {got:?}");
        let off = Change {
            at: db.now(),
            endpoint: tried.id,
            url: None,
            kinds: None,
            active: Some(false),
            new_secret: false,
        };
        db::write!(db, &actor(), |tx| change(tx, std::slice::from_ref(&off)).await)
            .unwrap()
            .remove(0)
            .unwrap();
        assert!(matches!(try_it(tried.id).await, Err(ReplayRefused::Off { .. })));
        assert!(matches!(try_it(EndpointId(1)).await, Err(ReplayRefused::UnknownEndpoint { .. })));
        lawful(&db).await;
    }
}
