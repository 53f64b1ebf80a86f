//! Refunds: to the cent over any tenders, never above the ceiling, also when many ask at once.

use crate::shop::{Shop, actor, eur, shops};
use kernel::Currency;
use payments::{Act, Open, RefundRefused, RefundTo};
use proptest::prelude::*;
use std::sync::Arc;

/// An order paid by cards of these amounts and by store credit, in a currency.
async fn paid(
    shop: &Shop,
    order: i64,
    currency: Currency,
    cards: &[i64],
    credit: i64,
) -> Vec<payments::PaymentId> {
    let mut tenders: Vec<Open> = cards
        .iter()
        .map(|amount| Open { capture: true, currency, ..shop.tender(order, "fine", *amount) })
        .collect();
    if credit > 0 {
        shop.give_credit(credit, currency).await;
        let (gateway, method) = ("store_credit".to_owned(), "store_credit".to_owned());
        tenders.push(Open { gateway, method, currency, ..shop.tender(order, "", credit) });
    }
    let ids = shop.open_all(tenders).await;
    shop.work().await;
    ids
}

#[tokio::test]
async fn a_refund_splits_over_the_tenders_to_the_cent_and_the_last_cent_comes_back() {
    for code in ["JPY", "EUR", "KWD"] {
        let currency: Currency = code.parse().unwrap();
        for shop in shops().await {
            let ids = paid(&shop, 1, currency, &[1_001, 667], 332).await;
            for amount in [1, 333, 7, 999] {
                shop.refund(shop.grant(1, amount, RefundTo::Tenders)).await.unwrap();
            }
            let rest = 2_000 - 1_340;
            let beyond = RefundRefused::Beyond { asked: rest + 1, left: rest };
            assert_eq!(shop.refund(shop.grant(1, rest + 1, RefundTo::Tenders)).await, Err(beyond));
            shop.work().await;
            shop.refund(shop.grant(1, rest, RefundTo::Tenders)).await.unwrap();
            shop.work().await;
            let mut refunded = Vec::new();
            for id in &ids {
                refunded.push(shop.payment(*id).await.refunded);
            }
            assert_eq!(refunded, [1_001, 667, 332], "{code} {}", shop.db.name);
            assert_eq!(shop.credit(currency).await, 332);
            assert_eq!(shop.world.sum(Act::Refund).1, 1_668);
            let refunds = payments::read::refunds_of(shop.db.read(), &[1]).await.unwrap();
            assert_eq!(refunds[&1].len(), 5);
            for (refund, parts) in &refunds[&1] {
                assert_eq!(parts.iter().map(|p| p.amount).sum::<i64>(), refund.amount);
            }
            assert!(shop.refund(shop.grant(1, 1, RefundTo::StoreCredit)).await.is_err());
            assert_eq!(
                shop.refund(shop.grant(1, 0, RefundTo::Tenders)).await,
                Err(RefundRefused::NotPositive { amount: 0 })
            );
            shop.check().await;
        }
    }
}

#[tokio::test]
async fn a_refund_to_store_credit_keeps_the_captured_money() {
    for shop in shops().await {
        let ids = paid(&shop, 1, eur(), &[500, 300], 0).await;
        shop.refund(shop.grant(1, 401, RefundTo::StoreCredit)).await.unwrap();
        assert_eq!(shop.credit(eur()).await, 401);
        assert_eq!(shop.world.sum(Act::Refund), (0, 0), "no gateway is called");
        let refunded = shop.payment(ids[0]).await.refunded + shop.payment(ids[1]).await.refunded;
        assert_eq!(refunded, 401);
        let told: Vec<String> = shop
            .db
            .read()
            .column("SELECT payload FROM event WHERE kind = 'payment.refunded'", [])
            .await
            .unwrap();
        assert!(told.iter().all(|t| t.contains("\"to\":\"store_credit\"")), "{told:?}");
        let granted: Vec<String> = shop
            .db
            .read()
            .column("SELECT payload FROM event WHERE kind = 'refund.granted'", [])
            .await
            .unwrap();
        assert!(granted.len() == 1 && granted[0].contains("\"to\":\"store_credit\""));
        let beyond = RefundRefused::Beyond { asked: 400, left: 399 };
        assert_eq!(shop.refund(shop.grant(1, 400, RefundTo::Tenders)).await, Err(beyond));
        shop.check().await;
    }
}

#[tokio::test]
async fn a_batch_of_refunds_is_the_same_as_one_by_one() {
    for shop in shops().await {
        paid(&shop, 1, eur(), &[1_000], 0).await;
        paid(&shop, 2, eur(), &[100], 0).await;
        let batch = [
            shop.grant(1, 600, RefundTo::Tenders),
            shop.grant(2, 50, RefundTo::Tenders),
            shop.grant(1, 500, RefundTo::Tenders),
            shop.grant(3, 1, RefundTo::Tenders),
            shop.grant(1, 400, RefundTo::StoreCredit),
        ];
        let outcomes = db::write!(shop.db, &actor(), |tx| payments::grant_refunds(tx, &batch).await).unwrap();
        assert!(outcomes[0].is_ok() && outcomes[1].is_ok() && outcomes[4].is_ok());
        assert_eq!(outcomes[2], Err(RefundRefused::Beyond { asked: 500, left: 400 }));
        assert_eq!(outcomes[3], Err(RefundRefused::Beyond { asked: 1, left: 0 }));
        shop.work().await;
        assert_eq!(shop.world.sum(Act::Refund), (2, 650));
        shop.check().await;
    }
}

#[tokio::test]
async fn many_who_refund_at_once_never_get_more_than_was_paid() {
    for shop in shops().await {
        let ids = paid(&shop, 1, eur(), &[700, 301], 0).await;
        let shop = Arc::new(shop);
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let shop = Arc::clone(&shop);
                tokio::spawn(async move { shop.refund(shop.grant(1, 99, RefundTo::Tenders)).await })
            })
            .collect();
        let mut granted = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => granted += 99,
                Err(refused) => {
                    assert!(matches!(refused, RefundRefused::Beyond { left: 0..99, .. }), "{refused:?}")
                }
            }
        }
        assert_eq!(granted, 990, "{}", shop.db.name);
        shop.work().await;
        let refunded = shop.payment(ids[0]).await.refunded + shop.payment(ids[1]).await.refunded;
        assert_eq!((refunded, shop.world.sum(Act::Refund).1), (990, 990));
        shop.check().await;
    }
}

#[tokio::test]
async fn a_lost_dispute_lowers_the_ceiling() {
    for shop in shops().await {
        let ids = paid(&shop, 1, eur(), &[1_000], 0).await;
        let dispute = |phase| payments::Record {
            at: shop.now(),
            payment: ids[0],
            operation: None,
            kind: payments::FactKind::Chargeback,
            phase,
            amount: 600,
            gateway_reference: "d1".into(),
            detail: None,
        };
        shop.record(vec![dispute(payments::Phase::Requested)]).await.unwrap();
        assert_eq!(shop.payment(ids[0]).await.disputed, 600);
        shop.record(vec![dispute(payments::Phase::Succeeded), dispute(payments::Phase::Succeeded)])
            .await
            .unwrap();
        let p = shop.payment(ids[0]).await;
        assert_eq!((p.disputed, p.dispute_lost), (0, 600));
        let beyond = RefundRefused::Beyond { asked: 401, left: 400 };
        assert_eq!(shop.refund(shop.grant(1, 401, RefundTo::Tenders)).await, Err(beyond));
        assert_eq!(
            (shop.events("payment.disputed").await, shop.events("payment.dispute_closed").await),
            (1, 1)
        );
        shop.check().await;
    }
}

proptest! {
    #[test]
    fn every_split_sums_and_stays_within_what_each_tender_can_give(
        weights in prop::collection::vec(0i64..100_000, 1..8), share in 0i64..=1_000,
    ) {
        let sum: i64 = weights.iter().sum();
        let total = sum * share / 1_000;
        let parts = kernel::money::prorate(total, &weights);
        prop_assert_eq!(parts.iter().sum::<i64>(), total);
        for (part, weight) in parts.iter().zip(&weights) {
            prop_assert!(0 <= *part && part <= weight);
        }
    }
}
