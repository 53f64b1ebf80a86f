//! Placing: money, sourcing, refusals, idempotency, duplicates, risk, tenders, races.

use crate::shop::{Shop, actor, eur, options, tender, want};
use db::testing::{BEGIN, both};
use inventory::Reserve;
use kernel::{Refuse, Timestamp};
use orders::{CommandKey, HoldKind, IfOutOfStock, Outcome, PlaceRefused, Placed, Trust};

fn placed(outcomes: &[Outcome], i: usize) -> &Placed {
    outcomes[i].as_ref().unwrap_or_else(|refused| panic!("order {i} refused: {refused}"))
}
fn code(outcome: &Outcome) -> &'static str {
    outcome.as_ref().map_or_else(|r| r.code(), |_| "placed")
}

#[tokio::test]
async fn an_order_is_numbered_priced_and_allocated_in_one_transaction() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        shop.receive("A", shop.berlin, 5).await;
        shop.receive("B", shop.madrid, 5).await;
        let mut order = want(BEGIN, 1, &[("A", 3), ("B", 2), ("WRAP", 1)]);
        order.shipping = 490;
        order.discount = 100;
        let outcomes = shop.place(&[order]).await;
        let p = placed(&outcomes, 0);
        assert_eq!(
            (p.total.minor, p.lines.len(), p.number.as_str()),
            (3000 + 666 + 250 - 100 + 490, 3, "1001")
        );
        assert_eq!(
            shop.number("SELECT COUNT(*) FROM allocation WHERE quantity > 0").await,
            2,
            "split over two locations"
        );
        assert_eq!(shop.number("SELECT allocated FROM stock WHERE on_hand = 5 AND allocated = 3").await, 3);
        assert_eq!(
            shop.number("SELECT delivered FROM order_line WHERE sku = 'WRAP'").await,
            1,
            "a service needs no parcel"
        );
        assert_eq!(shop.text("SELECT fulfilment_status FROM orders").await, "partial");
        shop.check().await;
    }
}

#[tokio::test]
async fn refusals_have_codes_in_precedence_and_leave_no_trace() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        shop.receive("A", shop.berlin, 2).await;
        let base = || want(BEGIN, 1, &[("A", 1)]);
        let mut bad: Vec<_> = (0..17).map(|_| base()).collect();
        bad[0].lines.clear();
        bad[1].lines[0].quantity = 0;
        bad[2].shipping = -1;
        bad[3].ship_to.postal_code = Some("1234".into());
        bad[4].buyer.email = Some("nobody".into());
        bad[5].lines[0].sku = "NOPE".into();
        bad[6].currency = "JPY".parse().unwrap();
        bad[7].lines[0].discount = 1001;
        bad[8].discount = 1001;
        bad[9].tenders = vec![tender("manual", "cod", Some(5000))];
        bad[10].lines[0].quantity = 3;
        bad[11].channel = "fax".into();
        bad[12].tenders = vec![tender("store_credit", "store_credit", None)];
        bad[13].tenders =
            vec![tender("manual", "cod", Some(i64::MAX)), tender("manual", "cod", Some(i64::MAX))];
        bad[14].lines[0].tax_rate_ppm = Some(i64::MAX);
        bad[15].shipping_tax_ppm = Some(-1);
        bad[16].ship_to.line1 = "Kai ".repeat(100);
        let outcomes = shop.place(&bad).await;
        let codes: Vec<_> = outcomes.iter().map(code).collect();
        assert_eq!(
            codes,
            [
                "orders.no_lines",
                "orders.bad_quantity",
                "orders.bad_amount",
                "orders.bad_fields",
                "orders.bad_fields",
                "orders.unknown_sku",
                "orders.no_price",
                "orders.line_discount_too_large",
                "orders.discount_too_large",
                "orders.tenders_exceed_total",
                "orders.out_of_stock",
                "orders.unknown_channel",
                "orders.tender_refused",
                "orders.tenders_exceed_total",
                "orders.bad_fields",
                "orders.bad_fields",
                "orders.bad_fields",
            ]
        );
        let Err(PlaceRefused::BadFields { fields, .. }) = &outcomes[3] else { panic!("{outcomes:?}") };
        assert_eq!(
            (fields[0].field.as_str(), fields[0].code.as_str()),
            ("ship_to.postal_code", "postal_code_invalid")
        );
        for table in ["orders", "order_line", "allocation", "payment", "order_hold"] {
            assert_eq!(shop.number(&format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
        }
        shop.check().await;
    }
}

#[tokio::test]
async fn a_retry_gets_the_same_answer_whatever_it_was() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        shop.receive("A", shop.berlin, 2).await;
        let keyed = |key: &str, hash: &str, quantity| {
            let mut order = want(BEGIN, 1, &[("A", quantity)]);
            order.key = Some(CommandKey { caller: "key:1".into(), key: key.into(), hash: hash.into() });
            order
        };
        let first = shop
            .place(&[
                keyed("k1", "h1", 1),
                keyed("k1", "h1", 1),
                keyed("k2", "h2", 9),
                keyed("k1", "other", 1),
            ])
            .await;
        let id = placed(&first, 0).id;
        assert_eq!(
            (placed(&first, 1).id, placed(&first, 1).existing),
            (id, true),
            "a repetition within the batch"
        );
        assert_eq!((code(&first[2]), code(&first[3])), ("orders.out_of_stock", "idempotency.key_reused"));
        shop.receive("A", shop.berlin, 20).await;
        let again = shop.place(&[keyed("k1", "h1", 1), keyed("k2", "h2", 9), keyed("k2", "h3", 9)]).await;
        assert_eq!(placed(&again, 0).id, id);
        assert_eq!(code(&again[1]), "orders.out_of_stock", "a refusal is repeated too");
        assert_eq!(code(&again[2]), "idempotency.key_reused");
        let mut by_reference = want(BEGIN, 2, &[("A", 1)]);
        by_reference.reference = Some("WEB-7".into());
        let both = shop.place(&[by_reference.clone(), by_reference.clone()]).await;
        let third = shop.place(&[by_reference]).await;
        assert_eq!((placed(&both, 0).id, placed(&both, 0).id), (placed(&both, 1).id, placed(&third, 0).id));
        assert_eq!(placed(&third, 0).lines, placed(&both, 0).lines);
        assert_eq!(shop.number("SELECT COUNT(*) FROM orders").await, 2);
        shop.check().await;
    }
}

#[tokio::test]
async fn duplicates_and_risk_hold_and_history_does_not() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        shop.receive("A", shop.berlin, 500).await;
        let mut risky = want(BEGIN, 7, &[("A", 60)]);
        risky.buyer.email = Some("x@mailinator.com".into());
        let mut history = risky.clone();
        history.trust = Trust::History;
        let outcomes =
            shop.place(&[want(BEGIN, 1, &[("A", 1)]), want(BEGIN, 1, &[("A", 1)]), risky, history]).await;
        let later = want(BEGIN.plus(9 * Timestamp::MINUTE), 1, &[("A", 1)]);
        let much_later = want(BEGIN.plus(30 * Timestamp::MINUTE), 1, &[("A", 1)]);
        let more = shop.place(&[later, much_later]).await;
        let holds = |outcomes: &[Outcome], i| placed(outcomes, i).holds.clone();
        assert_eq!(holds(&outcomes, 0), []);
        assert_eq!(holds(&outcomes, 1), [HoldKind::ProbableDuplicate]);
        assert_eq!(holds(&outcomes, 2), [HoldKind::RiskReview]);
        assert_eq!(holds(&outcomes, 3), []);
        assert_eq!((holds(&more, 0), holds(&more, 1)), (vec![HoldKind::ProbableDuplicate], vec![]));
        shop.check().await;
    }
}

#[tokio::test]
async fn two_tenders_and_the_hold_until_they_are_good() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        shop.receive("A", shop.berlin, 10).await;
        let mut unpaid = want(BEGIN, 1, &[("A", 1)]);
        unpaid.pay_later = false;
        let mut on_delivery = want(BEGIN, 2, &[("A", 2)]);
        on_delivery.pay_later = false;
        on_delivery.tenders = vec![tender("manual", "cod", None)];
        let mut transfer = want(BEGIN, 3, &[("A", 3)]);
        transfer.pay_later = false;
        transfer.tenders = vec![tender("manual", "cod", Some(1000)), tender("manual", "bank_transfer", None)];
        let outcomes = shop.place(&[unpaid, on_delivery, transfer]).await;
        assert_eq!(placed(&outcomes, 0).holds, [HoldKind::PaymentDue]);
        assert_eq!(placed(&outcomes, 1).holds, []);
        assert_eq!(placed(&outcomes, 2).holds, [HoldKind::PaymentDue]);
        assert_eq!(shop.text("SELECT payment_status FROM orders WHERE units = 2").await, "authorised");
        let payments = payments::payments_of(shop.db.read(), &[placed(&outcomes, 2).id.0]).await.unwrap();
        let waiting =
            payments[&placed(&outcomes, 2).id.0].iter().find(|p| p.method == "bank_transfer").unwrap().id;
        let confirm =
            payments::Confirm { at: BEGIN, payment: waiting, amount: Some(2000), reference: "BANK-1".into() };
        shop.write(async |tx| payments::confirm(tx, std::slice::from_ref(&confirm)).await).await[0]
            .as_ref()
            .unwrap();
        assert_eq!(shop.number("SELECT holds FROM orders WHERE units = 3").await, 0, "{}", shop.db.name);
        assert_eq!(shop.text("SELECT payment_status FROM orders WHERE units = 3").await, "partially_paid");
        shop.check().await;
    }
}

#[tokio::test]
async fn a_cart_keeps_its_stock_for_its_order() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        shop.receive("A", shop.berlin, 4).await;
        shop.receive("B", shop.berlin, 2).await;
        let expires_at = BEGIN.plus(Timestamp::HOUR);
        let reserve = Reserve { at: BEGIN, expires_at, lines: vec![(shop.skus["AB"], 2)] };
        let kept = shop.write(async |tx| inventory::reserve(tx, std::slice::from_ref(&reserve)).await).await
            [0]
        .clone()
        .unwrap();
        let stranger = want(BEGIN, 1, &[("A", 1)]);
        let mut mine = want(BEGIN, 2, &[("AB", 2)]);
        mine.reservation = Some(kept);
        let mut too_much = mine.clone();
        too_much.lines[0].quantity = 3;
        let outcomes = shop.place(&[stranger, too_much, mine.clone(), mine]).await;
        assert_eq!(code(&outcomes[0]), "orders.out_of_stock");
        assert_eq!(code(&outcomes[1]), "orders.out_of_stock", "and the reservation stays for the next");
        placed(&outcomes, 2);
        assert_eq!(code(&outcomes[3]), "orders.reservation_over");
        shop.check().await;
    }
}

#[tokio::test]
async fn an_order_that_its_credit_does_not_pay_takes_and_frees_nothing() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        shop.receive("A", shop.berlin, 3).await;
        let expires_at = BEGIN.plus(Timestamp::HOUR);
        let reserve = Reserve { at: BEGIN, expires_at, lines: vec![(shop.skus["A"], 2)] };
        let kept = shop.write(async |tx| inventory::reserve(tx, std::slice::from_ref(&reserve)).await).await
            [0]
        .clone()
        .unwrap();
        let mut poor = want(BEGIN, 1, &[("A", 1)]);
        poor.reservation = Some(kept);
        poor.tenders = vec![tender("store_credit", "store_credit", None)];
        let mut poorer = want(BEGIN, 1, &[("A", 1)]);
        poorer.tenders = poor.tenders.clone();
        // Of three, two are kept for a cart: one can be had, and neither order before it changes that.
        let (next, late) = (want(BEGIN, 2, &[("A", 1)]), want(BEGIN, 3, &[("A", 1)]));
        let outcomes = shop.place(&[poor.clone(), poorer, next, late]).await;
        assert_eq!(code(&outcomes[0]), "orders.tender_refused");
        assert_eq!(code(&outcomes[1]), "orders.tender_refused");
        placed(&outcomes, 2);
        assert_eq!(code(&outcomes[3]), "orders.out_of_stock");
        poor.tenders.clear();
        placed(&shop.place(&[poor]).await, 0);
        shop.check().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_buyers_of_ten_units_get_exactly_ten() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        shop.receive("A", shop.berlin, 6).await;
        shop.receive("A", shop.madrid, 4).await;
        shop.receive("B", shop.berlin, 10).await;
        let tasks: Vec<_> = (0..64u32)
            .map(|n| {
                let db = shop.db.db.clone();
                // Two of the bundle take two A each, from one location.
                let mut order =
                    if n < 2 { want(BEGIN, n, &[("AB", 1)]) } else { want(BEGIN, n, &[("A", 1)]) };
                if n % 8 == 7 {
                    order.if_out_of_stock = IfOutOfStock::Backorder;
                }
                tokio::spawn(async move {
                    db::write!(db, &actor(), |tx| orders::place(tx, std::slice::from_ref(&order)).await)
                })
            })
            .collect();
        let (mut sold, mut waiting, mut refused) = (0, 0, 0);
        for (n, task) in tasks.into_iter().enumerate() {
            match &task.await.unwrap().unwrap()[0] {
                Ok(p) => {
                    sold += (1 - p.backordered) * if n < 2 { 2 } else { 1 };
                    waiting += p.backordered;
                }
                Err(why) => {
                    assert_eq!(why.code(), "orders.out_of_stock");
                    refused += 1;
                }
            }
        }
        assert_eq!(sold, 10, "{}: {waiting} wait, {refused} refused", shop.db.name);
        assert_eq!(shop.number("SELECT CAST(SUM(allocated) AS BIGINT) FROM stock WHERE sku_id IN (SELECT id FROM sku WHERE code = 'A')").await, 10);
        shop.check().await;
    }
}

#[tokio::test]
async fn the_money_of_an_order_is_exact_in_every_currency() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        shop.receive("A", shop.berlin, 1000).await;
        for (n, (currency, inclusive)) in
            [("JPY", true), ("EUR", false), ("KWD", true), ("KWD", false)].into_iter().enumerate()
        {
            let mut order = want(BEGIN, n as u32, &[("A", 3), ("A", 7)]);
            order.currency = currency.parse().unwrap();
            order.tax_inclusive = inclusive;
            (order.shipping, order.discount, order.fee) = (101, 7, 3);
            for line in &mut order.lines {
                (line.unit_price, line.tax_rate_ppm) = (Some(333), Some(77_000));
            }
            let outcomes = shop.place(&[order]).await;
            let goods = 3330 - 7;
            if inclusive {
                assert_eq!(placed(&outcomes, 0).total.minor, goods + 101 + 3);
            }
            let lines = orders::read::lines_of(shop.db.read(), &[placed(&outcomes, 0).id]).await.unwrap();
            let sum: i64 = lines[&placed(&outcomes, 0).id]
                .iter()
                .flat_map(|l| (0..l.ordered).map(move |k| orders::unit_parts(l, k, k + 1).total()))
                .sum();
            assert_eq!(sum, placed(&outcomes, 0).total.minor, "{currency}");
        }
        assert_eq!(eur().exponent(), 2);
        shop.check().await;
    }
}
