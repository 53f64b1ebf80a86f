//! Exchanges and store credit.

use crate::returning::{accept, ask, received, settle, settlement};
use crate::shop::{Shop, currency, options, run};
use db::testing::both;
use kernel::Refuse;
use orders::{Tender, WantedLine};
use returns::{Disposition, Exchange, Reason, Resolution, Settle};

fn instead(sku: &str, quantity: i64) -> Exchange {
    let line = WantedLine {
        sku: sku.into(),
        quantity,
        unit_price: None,
        discount: 0,
        tax_rate_ppm: None,
        location: None,
    };
    Exchange { lines: vec![line], ..Exchange::default() }
}

/// A delivered order whose mugs came back and were accepted: the settlement to come, and the credit.
async fn returned(shop: &Shop, mugs: i64) -> (Settle, i64) {
    let placed = shop.delivered(&[("MUG", 3)], true).await;
    let requested = received(shop, &ask(placed.id, placed.lines[0], mugs, Reason::ChangedMind)).await;
    let credit = accept(shop, requested.id, Disposition::Restock).await;
    (settlement(requested.id), credit)
}

#[tokio::test]
async fn store_credit_is_the_credit_and_pays_once() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        let (mut want, credit) = returned(&shop, 2).await;
        want.resolution = Some(Resolution::StoreCredit);
        let settled = settle(&shop, want.clone()).await;
        assert_eq!((settled.refunded, credit), (1998, 1998));
        assert_eq!(shop.number("SELECT balance FROM store_credit").await, 1998);
        let again = run!(shop, |tx| returns::settle(tx, std::slice::from_ref(&want)).await);
        assert_eq!(again[0].as_ref().unwrap_err().code(), "returns.settled");
        assert_eq!(shop.number("SELECT balance FROM store_credit").await, 1998);
        shop.check().await;
    }
}

#[tokio::test]
async fn an_exchange_with_a_difference_due_is_held_until_it_is_paid() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        let (mut want, credit) = returned(&shop, 1).await;
        want.resolution = Some(Resolution::Exchange);
        let missing = run!(shop, |tx| returns::settle(tx, std::slice::from_ref(&want)).await);
        assert_eq!(missing[0].as_ref().unwrap_err().code(), "returns.no_exchange");
        want.exchange = Some(instead("HAT", 1));
        let settled = settle(&shop, want).await;
        let placed = settled.exchange.unwrap();
        assert_eq!((settled.exchanged, settled.due, placed.total.minor), (credit, 2500 - credit, 2500));
        let held = format!("SELECT holds FROM orders WHERE id = {}", placed.id.0);
        let paid = format!("SELECT captured FROM orders WHERE id = {}", placed.id.0);
        assert_eq!((shop.number(&held).await, shop.number(&paid).await), (1, 999));
        shop.check().await;
        shop.pay(placed.id, settled.due, 0).await;
        assert_eq!((shop.number(&held).await, shop.number(&paid).await), (0, 2500));
        shop.check().await;
    }
}

#[tokio::test]
async fn a_difference_is_paid_by_the_tenders_given() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        let (mut want, _) = returned(&shop, 1).await;
        want.resolution = Some(Resolution::Exchange);
        let cod = Tender {
            gateway: "manual".into(),
            method: "cod".into(),
            token: None,
            amount: None,
            capture: false,
            paid_at: None,
            reference: None,
        };
        want.exchange = Some(Exchange { tenders: vec![cod], ..instead("HAT", 1) });
        let settled = settle(&shop, want).await;
        assert_eq!((settled.due, settled.tender_refused), (1501, None));
        let placed = settled.exchange.unwrap();
        assert_eq!(
            shop.number(&format!("SELECT authorised FROM orders WHERE id = {}", placed.id.0)).await,
            2500
        );
        assert_eq!(shop.number(&format!("SELECT holds FROM orders WHERE id = {}", placed.id.0)).await, 0);
        shop.check().await;
    }
}

#[tokio::test]
async fn an_exchange_for_less_refunds_the_rest_and_ships() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        for to_credit in [false, true] {
            let before = shop.number("SELECT CAST(SUM(balance) AS BIGINT) FROM store_credit").await;
            let (mut want, credit) = returned(&shop, 3).await;
            want.resolution = Some(Resolution::Exchange);
            want.exchange = Some(Exchange { rest_to_store_credit: to_credit, ..instead("SOCK", 2) });
            let settled = settle(&shop, want).await;
            let placed = settled.exchange.clone().unwrap();
            assert_eq!((credit, settled.exchanged, settled.due, placed.holds.len()), (2997, 666, 0, 1));
            assert!(settled.refund.is_some() && settled.refunded == credit);
            let after = shop.number("SELECT CAST(SUM(balance) AS BIGINT) FROM store_credit").await;
            assert_eq!(after - before, if to_credit { 2997 - 666 } else { 0 });
            // The hold for payment that the new order was born with went when the credit paid it.
            assert_eq!(shop.number(&format!("SELECT holds FROM orders WHERE id = {}", placed.id.0)).await, 0);
            assert_eq!(placed.total.currency, currency("EUR"));
            shop.ship(placed.id, db::testing::BEGIN).await;
            shop.check().await;
        }
    }
}

#[tokio::test]
async fn a_refused_exchange_leaves_no_trace() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        let (mut want, credit) = returned(&shop, 1).await;
        want.resolution = Some(Resolution::Exchange);
        want.exchange = Some(instead("HAT", 21));
        let events = shop.number("SELECT COUNT(*) FROM event").await;
        let refused =
            run!(shop, |tx| returns::settle(tx, std::slice::from_ref(&want)).await).remove(0).unwrap_err();
        assert_eq!(refused.code(), "returns.exchange_refused");
        assert!(refused.to_string().contains("Only 20 of the 21 units"), "{refused}");
        assert_eq!(shop.number("SELECT COUNT(*) FROM event").await, events);
        want.exchange = Some(instead("HAT", 1));
        assert_eq!(settle(&shop, want).await.exchanged, credit);
        shop.check().await;
    }
}
