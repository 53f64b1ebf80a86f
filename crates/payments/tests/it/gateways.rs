//! Gateways: the whole way, every way to fail, and a process that dies at the worst moment.

use crate::shop::{Shop, actor, shops};
use kernel::Timestamp;
use payments::{Act, CaptureFor, CaptureRefused, State, VoidRefused};

async fn operation_states(shop: &Shop, payment: payments::PaymentId) -> Vec<(Act, State)> {
    let all = payments::read::operations_of(shop.db.read(), &[payment]).await.unwrap();
    all[&payment].iter().map(|o| (o.kind, o.state)).collect()
}

#[tokio::test]
async fn authorise_capture_in_parts_void_the_rest_and_refund() {
    for shop in shops().await {
        let id = shop.open(shop.tender(1, "fine", 10_000)).await;
        assert_eq!(shop.payment(id).await.status, "pending");
        shop.work().await;
        let p = shop.payment(id).await;
        assert_eq!((p.status.as_str(), p.authorised, p.reference.is_some()), ("authorised", 10_000, true));
        shop.capture(id, 3_000).await.unwrap();
        shop.capture(id, 2_500).await.unwrap();
        assert_eq!(shop.payment(id).await.capture_pending, 5_500);
        assert_eq!(shop.capture(id, 4_501).await, Err(CaptureRefused::Beyond { asked: 4_501, left: 4_500 }));
        assert_eq!(shop.void(id).await, Err(VoidRefused::CapturePending));
        shop.work().await;
        let p = shop.payment(id).await;
        assert_eq!((p.captured, p.capture_pending, p.status.as_str()), (5_500, 0, "partially_captured"));
        shop.void(id).await.unwrap();
        shop.work().await;
        assert_eq!(shop.payment(id).await.voided, 4_500);
        assert_eq!(shop.capture(id, 1).await, Err(CaptureRefused::Beyond { asked: 1, left: 0 }));
        assert_eq!(shop.void(id).await, Err(VoidRefused::Nothing));
        shop.refund(shop.grant(1, 5_500, payments::RefundTo::Tenders)).await.unwrap();
        assert_eq!(shop.payment(id).await.refund_pending, 5_500);
        shop.work().await;
        assert_eq!(shop.payment(id).await.refunded, 5_500);
        assert_eq!(shop.world.sum(Act::Capture), (2, 5_500));
        assert_eq!(shop.world.sum(Act::Void), (1, 4_500));
        assert_eq!(shop.world.sum(Act::Refund), (1, 5_500));
        shop.check().await;
    }
}

#[tokio::test]
async fn capture_at_once_follows_the_authorisation() {
    for shop in shops().await {
        let mut tender = shop.tender(1, "fine", 1_234);
        tender.capture = true;
        let id = shop.open(tender).await;
        shop.work().await;
        assert_eq!(shop.payment(id).await.status, "captured");
        assert_eq!(
            operation_states(&shop, id).await,
            [(Act::Authorise, State::Succeeded), (Act::Capture, State::Succeeded)]
        );
        let mut declined = shop.tender(2, "authorise:declined", 1_234);
        declined.capture = true;
        let id = shop.open(declined).await;
        shop.work().await;
        assert_eq!(shop.payment(id).await.status, "failed");
        assert_eq!(shop.world.sum(Act::Capture), (1, 1_234));
        assert_eq!(shop.events("payment.failed").await, 1);
        shop.check().await;
    }
}

#[tokio::test]
async fn answers_that_never_come_or_do_not_read_are_asked_about_and_happen_once() {
    for how in ["silent", "garbled", "lost"] {
        for shop in shops().await {
            let token = format!("authorise:{how},capture:{how},refund:{how},void:{how}");
            let id = shop.open(shop.tender(1, &token, 1_000)).await;
            shop.work_now().await;
            let all = payments::read::operations_of(shop.db.read(), &[id]).await.unwrap();
            assert_eq!((all[&id][0].state, all[&id][0].attempts), (State::Unknown, 1), "{how}");
            assert!(all[&id][0].problem.is_some());
            shop.work().await;
            shop.capture(id, 600).await.unwrap();
            shop.work().await;
            shop.void(id).await.unwrap();
            shop.refund(shop.grant(1, 250, payments::RefundTo::Tenders)).await.unwrap();
            shop.work().await;
            let p = shop.payment(id).await;
            assert_eq!(
                (p.authorised, p.captured, p.voided, p.refunded),
                (1_000, 600, 400, 250),
                "{how} {}",
                shop.db.name
            );
            for (act, sum) in
                [(Act::Authorise, 1_000), (Act::Capture, 600), (Act::Void, 400), (Act::Refund, 250)]
            {
                assert_eq!(shop.world.sum(act), (1, sum), "{how} {act}");
            }
            shop.check().await;
        }
    }
}

#[tokio::test]
async fn refused_captures_voids_and_refunds_leave_the_money_where_it_is() {
    for shop in shops().await {
        let id = shop.open(shop.tender(1, "capture:declined,void:declined", 1_000)).await;
        shop.work().await;
        shop.capture(id, 1_000).await.unwrap();
        shop.work().await;
        let p = shop.payment(id).await;
        assert_eq!((p.status.as_str(), p.capturable()), ("authorised", 1_000));
        shop.void(id).await.unwrap();
        shop.work().await;
        assert_eq!(shop.payment(id).await.voided, 0);
        let other = shop.open(shop.tender(2, "refund:declined", 1_000)).await;
        shop.work().await;
        shop.capture(other, 1_000).await.unwrap();
        shop.work().await;
        shop.refund(shop.grant(2, 400, payments::RefundTo::Tenders)).await.unwrap();
        shop.work().await;
        let p = shop.payment(other).await;
        assert_eq!((p.refunded, p.refund_pending, p.refundable()), (0, 0, 1_000));
        assert_eq!(shop.events("payment.refund_failed").await, 1);
        shop.check().await;
    }
}

/// A worker that claims jobs and dies before it does anything.
async fn claim_and_die(shop: &Shop) {
    let until = shop.now().plus(2 * Timestamp::MINUTE);
    let claimed = db::write!(shop.db, &actor(), |tx| tx
        .touched("UPDATE job SET locked_until = $1, attempts = attempts + 1", [until.into()])
        .await);
    assert!(claimed.unwrap() > 0);
}

#[tokio::test]
async fn a_worker_that_dies_before_the_call_is_replaced() {
    for shop in shops().await {
        let mut tender = shop.tender(1, "fine", 5_000);
        tender.capture = true;
        let id = shop.open(tender).await;
        claim_and_die(&shop).await;
        assert_eq!(shop.work_now().await, 0, "the claim holds");
        shop.db.clock().advance(3 * Timestamp::MINUTE);
        shop.work_now().await;
        claim_and_die(&shop).await;
        shop.db.clock().advance(3 * Timestamp::MINUTE);
        shop.work().await;
        assert_eq!(shop.payment(id).await.captured, 5_000);
        assert_eq!((shop.world.sum(Act::Authorise), shop.world.sum(Act::Capture)), ((1, 5_000), (1, 5_000)));
        shop.check().await;
    }
}

/// A worker that is gone once the gateway did what it was asked.
async fn work_and_die(shop: &Shop, act: Act) {
    let ctx = shop.ctx.clone();
    let worker = tokio::spawn(async move { db::work_once(&ctx, payments::JOBS, &[]).await });
    while shop.world.sum(act).0 == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    worker.abort();
    assert!(worker.await.is_err(), "the worker died");
}

#[tokio::test]
async fn a_worker_that_dies_between_the_call_and_its_result_captures_once() {
    for shop in shops().await {
        let id = shop.open(shop.tender(1, "capture:crash,refund:crash", 5_000)).await;
        shop.work().await;
        shop.capture(id, 5_000).await.unwrap();
        work_and_die(&shop, Act::Capture).await;
        assert_eq!(shop.world.sum(Act::Capture), (1, 5_000), "the money was taken");
        assert_eq!(shop.payment(id).await.capture_pending, 5_000, "and we do not know it yet");
        shop.db.clock().advance(3 * Timestamp::MINUTE);
        shop.work().await;
        let p = shop.payment(id).await;
        assert_eq!((p.captured, p.capture_pending, p.conflicted), (5_000, 0, false));
        assert_eq!(shop.world.sum(Act::Capture), (1, 5_000), "once");
        shop.refund(shop.grant(1, 700, payments::RefundTo::Tenders)).await.unwrap();
        work_and_die(&shop, Act::Refund).await;
        shop.db.clock().advance(3 * Timestamp::MINUTE);
        shop.work().await;
        assert_eq!((shop.payment(id).await.refunded, shop.world.sum(Act::Refund)), (700, (1, 700)));
        shop.check().await;
    }
}

#[tokio::test]
async fn a_lost_job_is_found_by_the_clock() {
    for shop in shops().await {
        let id = shop.open(shop.tender(1, "fine", 5_000)).await;
        db::write!(shop.db, &actor(), |tx| tx.exec("DELETE FROM job", []).await).unwrap();
        shop.db.clock().advance(Timestamp::HOUR);
        shop.work_now().await;
        shop.work().await;
        assert_eq!(shop.payment(id).await.status, "authorised");
        shop.check().await;
    }
}

#[tokio::test]
async fn a_void_before_the_answer_waits_for_it_and_stops_the_capture_at_once() {
    for shop in shops().await {
        let mut tender = shop.tender(1, "authorise:silent", 900);
        tender.capture = true;
        let id = shop.open(tender).await;
        shop.work_now().await;
        db::write!(shop.db, &actor(), |tx| payments::void_for_orders(tx, tx.now(), &[1]).await).unwrap();
        shop.work().await;
        let p = shop.payment(id).await;
        assert_eq!((p.status.as_str(), p.voided, p.captured), ("voided", 900, 0));
        let mut declined = shop.tender(2, "authorise:declined", 900);
        declined.capture = true;
        let id = shop.open(declined).await;
        db::write!(shop.db, &actor(), |tx| payments::void_for_orders(tx, tx.now(), &[2]).await).unwrap();
        shop.work().await;
        assert_eq!(
            operation_states(&shop, id).await,
            [(Act::Authorise, State::Failed), (Act::Void, State::Failed)]
        );
        assert_eq!((shop.world.sum(Act::Capture), shop.world.sum(Act::Void)), ((0, 0), (1, 900)));
        shop.check().await;
    }
}

#[tokio::test]
async fn units_that_ship_capture_over_the_tenders_of_their_order_and_the_rest_is_voided() {
    for shop in shops().await {
        let ids = shop
            .open_all(vec![
                shop.tender(1, "fine", 1_000),
                shop.tender(1, "fine", 2_000),
                shop.tender(2, "fine", 500),
            ])
            .await;
        shop.work().await;
        let ship = |order, amount| CaptureFor { at: shop.now(), order, amount };
        let batch = [ship(1, 700), ship(1, 900), ship(2, 9_999)];
        db::write!(shop.db, &actor(), |tx| payments::capture_for_orders(tx, &batch).await).unwrap();
        shop.work().await;
        let mut captured = Vec::new();
        for id in &ids {
            captured.push(shop.payment(*id).await.captured);
        }
        assert_eq!(captured, [1_000, 600, 500]);
        db::write!(shop.db, &actor(), |tx| payments::void_for_orders(tx, tx.now(), &[1, 2]).await).unwrap();
        shop.work().await;
        assert_eq!((shop.payment(ids[0]).await.voided, shop.payment(ids[1]).await.voided), (0, 1_400));
        shop.check().await;
    }
}

#[tokio::test]
async fn a_gateway_the_program_does_not_have_fails_the_payment() {
    for shop in shops().await {
        let mut tender = shop.tender(1, "fine", 100);
        tender.gateway = "nonesuch".into();
        let id = shop.open(tender).await;
        shop.work().await;
        assert_eq!(shop.payment(id).await.status, "failed");
        shop.check().await;
    }
}

#[tokio::test]
async fn two_workers_share_the_work_and_nothing_happens_twice() {
    for shop in shops().await {
        let tenders = (0..40).map(|n| {
            let mut tender = shop.tender(n, "fine", 100 + n);
            tender.capture = true;
            tender
        });
        shop.open_all(tenders.collect()).await;
        let workers: Vec<_> = (0..4)
            .map(|_| {
                let ctx = shop.ctx.clone();
                tokio::spawn(
                    async move { while db::work_once(&ctx, payments::JOBS, &[]).await.unwrap() > 0 {} },
                )
            })
            .collect();
        for worker in workers {
            worker.await.unwrap();
        }
        shop.work().await;
        let expected: i64 = (0..40).map(|n| 100 + n).sum();
        assert_eq!(shop.world.sum(Act::Capture), (40, expected));
        assert_eq!(shop.count("SELECT CAST(SUM(captured) AS BIGINT) FROM payment").await, expected);
        shop.check().await;
    }
}
