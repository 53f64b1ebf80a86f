//! What needs no gateway: money that arrives by hand, store credit, the credit of a return, history.

use crate::shop::{Shop, actor, eur, shops};
use kernel::Timestamp;
use payments::{Confirm, ConfirmRefused, GrantRefund, Open, OpenRecorded, OpenRefused, PaymentId, RefundTo};

async fn confirm(
    shop: &Shop,
    payment: PaymentId,
    amount: i64,
    reference: &str,
) -> Result<(), ConfirmRefused> {
    let want = Confirm { at: shop.now(), payment, amount: Some(amount), reference: reference.into() };
    db::write!(shop.db, &actor(), |tx| payments::confirm(tx, std::slice::from_ref(&want)).await)
        .unwrap()
        .remove(0)
}

fn by_hand(shop: &Shop, order: i64, method: &str, amount: i64) -> Open {
    Open { gateway: "manual".into(), method: method.into(), token: None, ..shop.tender(order, "", amount) }
}

#[tokio::test]
async fn a_bank_transfer_arrives_in_parts_and_each_line_counts_once() {
    for shop in shops().await {
        let id = shop.open(by_hand(&shop, 1, "bank_transfer", 1_000)).await;
        assert_eq!(shop.payment(id).await.status, "pending");
        confirm(&shop, id, 400, "line 1").await.unwrap();
        confirm(&shop, id, 400, "line 1").await.unwrap();
        assert_eq!(
            (shop.payment(id).await.captured, shop.payment(id).await.status.as_str()),
            (400, "partially_captured")
        );
        let used = ConfirmRefused::ReferenceUsed { reference: "line 1".into(), amount: 400 };
        assert_eq!(confirm(&shop, id, 500, "line 1").await, Err(used));
        assert_eq!(
            confirm(&shop, id, 601, "line 2").await,
            Err(ConfirmRefused::Beyond { asked: 601, left: 600 })
        );
        assert_eq!(confirm(&shop, id, 1, " ").await, Err(ConfirmRefused::NoReference));
        assert_eq!(confirm(&shop, id, 0, "line 2").await, Err(ConfirmRefused::NotPositive { amount: 0 }));
        confirm(&shop, id, 600, "line 2").await.unwrap();
        assert_eq!(shop.payment(id).await.status, "captured");
        assert_eq!(shop.events("payment.captured").await, 2);
        shop.check().await;
    }
}

/// What is “all” is decided item by item: a batch gives what its items one after the other give.
#[tokio::test]
async fn all_that_is_open_is_what_the_batch_has_left_of_it() {
    for shop in shops().await {
        let id = shop.open(by_hand(&shop, 1, "bank_transfer", 1_000)).await;
        let of = |amount, reference: &str| Confirm {
            at: shop.now(),
            payment: id,
            amount,
            reference: reference.into(),
        };
        let batch = [of(Some(300), "line 1"), of(None, "line 2"), of(None, "line 2"), of(None, "line 3")];
        let told = db::write!(shop.db, &actor(), |tx| payments::confirm(tx, &batch).await).unwrap();
        let beyond = Err(ConfirmRefused::Beyond { asked: 1, left: 0 });
        assert_eq!(told, [Ok(()), Ok(()), Ok(()), beyond], "{}", shop.db.name);
        assert_eq!(shop.payment(id).await.captured, 1_000);
        shop.check().await;

        let id = shop.open(shop.tender(2, "tok_ok", 1_000)).await;
        shop.work().await;
        let of = |amount| payments::Capture { at: shop.now(), payment: id, amount };
        let batch = [of(Some(300)), of(None), of(None)];
        let told = db::write!(shop.db, &actor(), |tx| payments::capture(tx, &batch).await).unwrap();
        assert!(told[0].is_ok() && told[1].is_ok() && told[2].is_err(), "{told:?}");
        assert_eq!(shop.payment(id).await.capture_pending, 1_000);
        shop.work().await;
        assert_eq!(shop.payment(id).await.captured, 1_000);
        shop.check().await;
    }
}

#[tokio::test]
async fn a_transfer_that_is_given_up_may_still_arrive() {
    for shop in shops().await {
        let id = shop.open(by_hand(&shop, 1, "bank_transfer", 1_000)).await;
        shop.void(id).await.unwrap();
        assert_eq!(shop.payment(id).await.status, "expired");
        assert!(shop.void(id).await.is_err());
        confirm(&shop, id, 1_000, "late line").await.unwrap();
        assert_eq!(shop.payment(id).await.status, "captured");
        shop.check().await;
    }
}

#[tokio::test]
async fn cash_on_delivery_is_authorised_at_once_and_captured_by_confirming() {
    for shop in shops().await {
        let id = shop.open(by_hand(&shop, 1, "cod", 750)).await;
        assert_eq!(shop.payment(id).await.status, "authorised");
        assert_eq!(shop.capture(id, 750).await, Err(payments::CaptureRefused::ByConfirm));
        let ship = payments::CaptureFor { at: shop.now(), order: 1, amount: 750 };
        db::write!(shop.db, &actor(), |tx| payments::capture_for_orders(tx, std::slice::from_ref(&ship))
            .await)
        .unwrap();
        assert_eq!(shop.payment(id).await.capture_pending, 0);
        confirm(&shop, id, 750, "driver 7").await.unwrap();
        assert_eq!(shop.payment(id).await.status, "captured");
        assert_eq!(shop.count("SELECT COUNT(*) FROM job").await, 0);
        let card = shop.open(shop.tender(2, "fine", 100)).await;
        assert_eq!(
            confirm(&shop, card, 100, "x").await,
            Err(ConfirmRefused::NotManual { gateway: "wire".into() })
        );
        shop.work().await;
        shop.check().await;
    }
}

#[tokio::test]
async fn store_credit_pays_what_it_has_and_not_a_cent_more() {
    for shop in shops().await {
        shop.give_credit(1_000, eur()).await;
        let credit = |order, amount| Open {
            gateway: "store_credit".into(),
            method: "store_credit".into(),
            ..shop.tender(order, "", amount)
        };
        let batch = [credit(1, 700), credit(2, 301), credit(3, 300)];
        let opened = db::write!(shop.db, &actor(), |tx| payments::open(tx, &batch).await).unwrap();
        assert!(opened[0].is_ok() && opened[2].is_ok());
        assert!(matches!(opened[1], Err(OpenRefused::NoCredit { .. })), "{opened:?}");
        assert_eq!(shop.credit(eur()).await, 0);
        assert_eq!(shop.count("SELECT COUNT(*) FROM payment").await, 2, "a refused tender leaves nothing");
        assert_eq!(shop.payment(*opened[0].as_ref().unwrap()).await.status, "captured");
        shop.refund(shop.grant(1, 200, RefundTo::Tenders)).await.unwrap();
        assert_eq!(shop.credit(eur()).await, 200, "what was paid with credit goes back to it");
        assert_eq!(shop.count("SELECT COUNT(*) FROM job").await, 0);
        shop.check().await;
    }
}

#[tokio::test]
async fn tenders_that_make_no_sense_are_refused_by_name() {
    for shop in shops().await {
        let wrong = |gateway: &str, method: &str, amount| Open {
            gateway: gateway.into(),
            method: method.into(),
            ..shop.tender(1, "", amount)
        };
        let batch = [
            wrong("", "card", 1),
            wrong("manual", "cheque", 1),
            wrong("wire", "card", 0),
            wrong("wire", "card", -5),
        ];
        let outcomes = db::write!(shop.db, &actor(), |tx| payments::open(tx, &batch).await).unwrap();
        let refused: Vec<OpenRefused> = outcomes.into_iter().map(|o| o.unwrap_err()).collect();
        let method = "cheque".to_owned();
        let expected = [
            OpenRefused::NoGateway,
            OpenRefused::UnknownManualMethod { method },
            OpenRefused::NotPositive { amount: 0 },
            OpenRefused::NotPositive { amount: -5 },
        ];
        assert_eq!(refused, expected);
        assert_eq!(shop.count("SELECT COUNT(*) FROM event WHERE kind LIKE 'payment.%'").await, 0);
    }
}

#[tokio::test]
async fn history_is_facts_at_its_own_times_and_calls_nobody() {
    for shop in shops().await {
        let past = Timestamp(1_500_000_000_000_000);
        let tender = |amount, captured: bool| OpenRecorded {
            at: past,
            order: 1,
            customer: shop.customer,
            gateway: "olist".into(),
            method: "boleto".into(),
            currency: "BRL".parse().unwrap(),
            amount,
            reference: None,
            captured_at: captured.then(|| past.plus(Timestamp::DAY)),
            authorised_at: Some(past),
        };
        let batch = [tender(1_999, true), tender(0, true), tender(500, false)];
        let ids = db::write!(shop.db, &actor(), |tx| payments::open_recorded(tx, &batch).await).unwrap();
        assert_eq!(shop.payment(ids[0]).await.status, "captured");
        assert_eq!(shop.payment(ids[2]).await.status, "authorised");
        let refund = GrantRefund {
            at: past.plus(2 * Timestamp::DAY),
            recorded: true,
            ..shop.grant(1, 1_000, RefundTo::Tenders)
        };
        shop.refund(refund).await.unwrap();
        assert_eq!(shop.payment(ids[0]).await.refunded, 1_000);
        assert_eq!(shop.count("SELECT COUNT(*) FROM job").await, 0);
        let first: i64 = shop.count("SELECT MIN(at) FROM event WHERE kind = 'payment.captured'").await;
        assert_eq!(first, past.plus(Timestamp::DAY).0);
        shop.check().await;
    }
}

#[tokio::test]
async fn an_exchange_pays_with_the_credit_of_a_return() {
    for shop in shops().await {
        let old = shop.open(by_hand(&shop, 1, "bank_transfer", 1_000)).await;
        confirm(&shop, old, 1_000, "line").await.unwrap();
        shop.refund(shop.grant(1, 800, RefundTo::Exchange)).await.unwrap();
        let p = shop.payment(old).await;
        assert_eq!((p.refunded, shop.credit(eur()).await), (800, 0));
        let exchange =
            Open { gateway: "exchange".into(), method: "exchange".into(), ..shop.tender(2, "", 800) };
        let new = shop.open(exchange).await;
        assert_eq!(shop.payment(new).await.status, "captured");
        shop.refund(shop.grant(2, 300, RefundTo::Tenders)).await.unwrap();
        assert_eq!(shop.credit(eur()).await, 300, "the credit of a return cannot go out through a gateway");
        shop.check().await;
    }
}
