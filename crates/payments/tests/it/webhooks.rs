//! Webhooks: signed, stored once, applied in any order, twice or late, always with the same result.

use crate::shop::{Shop, actor, shops};
use kernel::Timestamp;
use payments::webhook::{WebhookRefused, accept, secret_setting};
use payments::{Act, FactKind, PaymentId, Phase, RawRequest, Record, State};

fn request(id: &str, secret: &str, body: &str) -> RawRequest {
    let headers = vec![("wire-id".to_owned(), id.to_owned()), ("wire-secret".to_owned(), secret.to_owned())];
    RawRequest { headers, body: body.as_bytes().to_vec() }
}

async fn send(shop: &Shop, id: &str, secret: &str, body: &str) -> Result<(), WebhookRefused> {
    let request = request(id, secret, body);
    db::write!(shop.db, &actor(), |tx| accept(tx, &shop.gateways, "wire", &request).await).unwrap()
}

async fn set_secret(shop: &Shop) {
    db::write!(shop.db, &actor(), |tx| db::settings::set(tx, &secret_setting("wire"), &"hush").await)
        .unwrap();
}

async fn authorised(shop: &Shop, amount: i64) -> (PaymentId, String) {
    let id = shop.open(shop.tender(1, "fine", amount)).await;
    shop.work().await;
    (id, shop.payment(id).await.reference.unwrap())
}

#[tokio::test]
async fn only_signed_webhooks_are_taken_and_each_once() {
    for shop in shops().await {
        let body = "wire_x capture succeeded 100 w1";
        assert_eq!(
            send(&shop, "1", "hush", body).await,
            Err(WebhookRefused::NoSecret { gateway: "wire".into() })
        );
        set_secret(&shop).await;
        assert_eq!(send(&shop, "1", "guess", body).await, Err(WebhookRefused::BadSignature));
        let other = db::write!(shop.db, &actor(), |tx| accept(
            tx,
            &shop.gateways,
            "other",
            &request("1", "hush", body)
        )
        .await)
        .unwrap();
        assert_eq!(other, Err(WebhookRefused::UnknownGateway { gateway: "other".into() }));
        let (id, reference) = authorised(&shop, 1_000).await;
        let body = format!("{reference} capture succeeded 400 w1");
        for _ in 0..3 {
            send(&shop, "1", "hush", &body).await.unwrap();
        }
        send(&shop, "2", "hush", &body).await.unwrap();
        shop.work().await;
        let p = shop.payment(id).await;
        assert_eq!((p.captured, p.conflicted), (400, false), "{}", shop.db.name);
        assert_eq!(shop.count("SELECT COUNT(*) FROM inbound_webhook WHERE applied_at IS NOT NULL").await, 2);
        send(&shop, "3", "hush", "nonsense").await.unwrap();
        shop.work().await;
        assert_eq!(shop.count("SELECT COUNT(*) FROM inbound_webhook WHERE error IS NOT NULL").await, 1);
        shop.check().await;
    }
}

#[tokio::test]
async fn any_order_and_repetition_of_webhooks_leads_to_the_same_payment() {
    let facts = [
        "authorise succeeded 1000 a",
        "capture succeeded 400 c1",
        "capture succeeded 600 c2",
        "refund succeeded 150 r1",
        "fee succeeded 59 f1",
    ];
    for order in [[0, 1, 2, 3, 4, 1, 3], [4, 3, 2, 1, 0, 0, 2], [3, 1, 4, 0, 2, 3, 4], [2, 2, 3, 3, 1, 4, 0]]
    {
        for shop in shops().await {
            set_secret(&shop).await;
            let mut tender = shop.tender(1, "fine", 1_000);
            tender.reference = Some("known".into());
            let id = shop.open(tender).await;
            db::write!(shop.db, &actor(), |tx| tx.exec("DELETE FROM job", []).await).unwrap();
            for (n, which) in order.iter().enumerate() {
                let mut body = format!("known {}", facts[*which]);
                if *which == 0 {
                    let operations = payments::read::operations_of(shop.db.read(), &[id]).await.unwrap();
                    body = format!("{} {}", operations[&id][0].id, facts[*which]);
                }
                send(&shop, &n.to_string(), "hush", &body).await.unwrap();
                while shop.work_now().await > 0 {}
            }
            let p = shop.payment(id).await;
            assert_eq!(
                (p.authorised, p.captured, p.refunded, p.fees, p.conflicted),
                (1_000, 1_000, 150, 59, false),
                "{order:?}"
            );
            shop.check().await;
        }
    }
}

#[tokio::test]
async fn a_webhook_before_the_answer_and_the_answer_are_one_fact() {
    for shop in shops().await {
        set_secret(&shop).await;
        let id = shop.open(shop.tender(1, "capture:silent", 1_000)).await;
        shop.work().await;
        let operation = shop.capture(id, 1_000).await.unwrap();
        shop.work_now().await;
        let reference = shop.payment(id).await.reference.unwrap();
        // The gateway tells of the capture by its own reference, not knowing our operation; the question about it comes later.
        send(&shop, "1", "hush", &format!("{reference} capture succeeded 1000 w_{operation}")).await.unwrap();
        shop.work_now().await;
        let p = shop.payment(id).await;
        assert_eq!(
            (p.captured, p.capture_pending),
            (1_000, 1_000),
            "counted, while our own question is still open"
        );
        shop.work().await;
        let p = shop.payment(id).await;
        assert_eq!((p.captured, p.capture_pending, p.conflicted), (1_000, 0, false), "{}", shop.db.name);
        let operations = payments::read::operations_of(shop.db.read(), &[id]).await.unwrap();
        assert_eq!(operations[&id][1].state, State::Succeeded);
        assert_eq!((shop.world.sum(Act::Capture), shop.events("payment.captured").await), ((1, 1_000), 1));
        shop.check().await;
    }
}

#[tokio::test]
async fn a_webhook_for_a_payment_we_do_not_know_yet_waits() {
    for shop in shops().await {
        set_secret(&shop).await;
        send(&shop, "1", "hush", "later capture succeeded 300 w1").await.unwrap();
        send(&shop, "2", "hush", "later capture succeeded 200 w2").await.unwrap();
        while shop.work_now().await > 0 {}
        assert_eq!(
            shop.count("SELECT COUNT(*) FROM inbound_webhook WHERE applied_at IS NULL AND error IS NOT NULL")
                .await,
            2
        );
        let mut tender = shop.tender(1, "fine", 1_000);
        tender.reference = Some("later".into());
        let id = shop.open(tender).await;
        shop.db.clock().advance(Timestamp::MINUTE);
        shop.work().await;
        assert_eq!(shop.payment(id).await.captured, 500);
        assert_eq!(
            shop.count("SELECT COUNT(*) FROM inbound_webhook WHERE applied_at IS NULL OR error IS NOT NULL")
                .await,
            0
        );
        shop.check().await;
    }
}

#[tokio::test]
async fn contradictions_are_kept_and_shown() {
    for shop in shops().await {
        let (id, _) = authorised(&shop, 1_000).await;
        let fact = |kind, phase, amount, reference: &str| Record {
            at: shop.now(),
            payment: id,
            operation: None,
            kind,
            phase,
            amount,
            gateway_reference: reference.into(),
            detail: None,
        };
        shop.record(vec![fact(FactKind::Capture, Phase::Succeeded, 500, "w1")]).await.unwrap();
        assert!(!shop.payment(id).await.conflicted);
        shop.record(vec![fact(FactKind::Capture, Phase::Succeeded, 501, "w1")]).await.unwrap();
        let p = shop.payment(id).await;
        assert!(
            p.conflicted && p.captured == 500 && p.status == "conflicted",
            "the same fact with two amounts: {p:?}"
        );
        shop.check().await;
        let (other, _) = authorised(&shop, 1_000).await;
        let mut late = fact(FactKind::Capture, Phase::Succeeded, 1_500, "w2");
        late.payment = other;
        let mut refund = fact(FactKind::Refund, Phase::Succeeded, 2_000, "w3");
        refund.payment = other;
        shop.record(vec![refund, late]).await.unwrap();
        let p = shop.payment(other).await;
        assert_eq!((p.conflicted, p.captured, p.refunded), (true, 1_500, 2_000));
        assert_eq!(shop.events("payment.conflicted").await, 2);
        shop.check().await;
    }
}

/// A few random numbers, the same in every run.
struct Dice(u64);
impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

#[tokio::test]
async fn whatever_facts_come_the_sql_laws_agree_with_the_fold() {
    for shop in shops().await {
        let mut dice = Dice(7);
        for order in 0..25 {
            let id = shop.open(shop.tender(order, "fine", 1_000)).await;
            if dice.roll(3) > 0 {
                shop.work().await;
            }
            let mut operations: Vec<Option<payments::OperationId>> = vec![None, None];
            if let Ok(operation) = shop.capture(id, 300).await {
                operations.push(Some(operation));
            }
            for _ in 0..dice.roll(5) {
                let facts = (0..=dice.roll(4)).map(|_| {
                    let kind = FactKind::ALL[dice.roll(8) as usize];
                    let operation = operations[dice.roll(operations.len() as u64) as usize]
                        .filter(|_| kind == FactKind::Capture);
                    let phase = Phase::ALL
                        [if operation.is_some() { 1 + dice.roll(2) } else { dice.roll(3) } as usize];
                    Record {
                        at: shop.now().plus(dice.roll(5) as i64),
                        payment: id,
                        operation,
                        kind,
                        phase,
                        amount: 100 + 50 * dice.roll(3) as i64,
                        gateway_reference: format!("r{}", dice.roll(3)),
                        detail: None,
                    }
                });
                let facts = facts.collect();
                shop.record(facts).await.unwrap();
                let stored = shop.payment(id).await;
                let facts = payments::read::facts_of(shop.db.read(), &[id]).await.unwrap();
                let folded = payments::fold::fold(1_000, &facts[&id]).amounts;
                assert_eq!(
                    (
                        stored.captured,
                        stored.refunded,
                        stored.disputed,
                        stored.dispute_lost,
                        stored.conflicted
                    ),
                    (
                        folded.captured,
                        folded.refunded,
                        folded.disputed,
                        folded.dispute_lost,
                        folded.conflicted
                    )
                );
                shop.check().await;
            }
        }
    }
}
