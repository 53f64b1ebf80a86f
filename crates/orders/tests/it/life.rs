//! After placing: holds and reviews, cancelling, waiting for stock, moving along, sourcing again, coming back.

use crate::shop::{Shop, actor, options, tender, want};
use catalog::SetTaxRate;
use contact::address::Address;
use db::testing::{BEGIN, both};
use kernel::Refuse;
use orders::{
    Advance, Cancel, ChangeAddress, Hold, HoldKind, IfOutOfStock, Note, Placed, ReleaseHold, Resource,
    ReturnUnits, Review, Step, unit_parts,
};

async fn place_one(shop: &Shop, customer: u32, lines: &[(&str, i64)], backorder: bool) -> Placed {
    let mut order = want(BEGIN, customer, lines);
    if backorder {
        order.if_out_of_stock = IfOutOfStock::Backorder;
    }
    shop.place(&[order]).await.remove(0).unwrap()
}

#[tokio::test]
async fn holds_are_counted_once_and_reviews_decide() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        shop.receive("A", shop.berlin, 500).await;
        let a = place_one(&shop, 1, &[("A", 1)], false).await;
        let by = actor();
        let hold =
            Hold { at: BEGIN, order: a.id, kind: HoldKind::Manual, reason: "wait".into(), by: by.clone() };
        shop.write(async |tx| orders::hold(tx, &[hold.clone(), hold.clone()]).await).await;
        assert_eq!(shop.number("SELECT holds FROM orders").await, 1);
        let release = ReleaseHold { at: BEGIN, order: a.id, kind: HoldKind::Manual, by: by.clone() };
        let outcomes =
            shop.write(async |tx| orders::release_hold(tx, &[release.clone(), release.clone()]).await).await;
        assert!(outcomes[0].is_ok());
        assert_eq!(outcomes[1].as_ref().unwrap_err().code(), "orders.not_held");
        let mut risky = want(BEGIN, 2, &[("A", 60)]);
        risky.buyer.email = Some("x@mailinator.com".into());
        let risky = shop.place(&[risky]).await.remove(0).unwrap();
        let review =
            |order, approve| Review { at: BEGIN, order, approve, reason: "looked".into(), by: by.clone() };
        let outcomes = shop
            .write(async |tx| orders::review(tx, &[review(risky.id, false), review(a.id, true)]).await)
            .await;
        assert!(outcomes[0].is_ok());
        assert_eq!(outcomes[1].as_ref().unwrap_err().code(), "orders.not_in_review");
        assert_eq!(shop.text("SELECT fulfilment_status FROM orders WHERE units = 60").await, "cancelled");
        assert_eq!(
            shop.text("SELECT verdict FROM risk_assessment WHERE verdict IS NOT NULL").await,
            "rejected"
        );
        let note = Note { at: BEGIN, order: a.id, text: " call her ".into(), by };
        assert!(shop.write(async |tx| orders::note(tx, std::slice::from_ref(&note)).await).await[0].is_ok());
        assert_eq!(shop.text("SELECT text FROM order_note").await, "call her");
        shop.check().await;
    }
}

#[tokio::test]
async fn what_a_review_rejects_delivers_no_service_and_what_it_refuses_stays_held() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        shop.receive("A", shop.berlin, 500).await;
        let mut risky = want(BEGIN, 2, &[("A", 60), ("WRAP", 1)]);
        risky.buyer.email = Some("x@mailinator.com".into());
        risky.pay_later = true;
        let risky = shop.place(&[risky]).await.remove(0).unwrap();
        assert_eq!(risky.holds, [HoldKind::RiskReview], "nothing else keeps it");
        let no = Review { at: BEGIN, order: risky.id, approve: false, reason: "fraud".into(), by: actor() };
        let told = shop.write(async |tx| orders::review(tx, std::slice::from_ref(&no)).await).await;
        assert_eq!(told, [Ok(())]);
        assert_eq!(shop.text("SELECT fulfilment_status FROM orders").await, "cancelled");
        assert_eq!(shop.number("SELECT total - cancelled_total FROM orders").await, 0);
        assert_eq!(shop.number("SELECT holds FROM orders").await, 0);

        let mut gone = want(BEGIN, 3, &[("A", 60)]);
        gone.buyer.email = Some("y@mailinator.com".into());
        gone.pay_later = true;
        let gone = shop.place(&[gone]).await.remove(0).unwrap();
        let all = Cancel { at: BEGIN, order: gone.id, lines: vec![], reason: "mistake".into(), refund: true };
        assert!(shop.write(async |tx| orders::cancel(tx, std::slice::from_ref(&all)).await).await[0].is_ok());
        let no = Review { order: gone.id, ..no };
        let told = shop.write(async |tx| orders::review(tx, std::slice::from_ref(&no)).await).await;
        assert_eq!(told[0].as_ref().unwrap_err().code(), "orders.review_too_late");
        assert_eq!(shop.number("SELECT holds FROM orders WHERE units_cancelled = 60").await, 1, "a refusal");
        shop.check().await;
    }
}

#[tokio::test]
async fn what_is_cancelled_frees_stock_for_those_who_waited_longest() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        shop.receive("A", shop.berlin, 4).await;
        let rich = place_one(&shop, 1, &[("A", 4)], false).await;
        let first = place_one(&shop, 2, &[("A", 3)], true).await;
        let second = place_one(&shop, 3, &[("A", 2)], true).await;
        assert_eq!((first.backordered, second.backordered), (3, 2));
        let cancel =
            |order, lines| Cancel { at: BEGIN, order, lines, reason: "changed my mind".into(), refund: true };
        let absurd = cancel(rich.id, vec![(rich.lines[0], i64::MAX), (rich.lines[0], i64::MAX)]);
        let refused = shop.write(async |tx| orders::cancel(tx, std::slice::from_ref(&absurd)).await).await;
        assert_eq!(kernel::Refuse::code(refused[0].as_ref().unwrap_err()), "orders.too_many_to_cancel");
        let some = cancel(rich.id, vec![(rich.lines[0], 3)]);
        let outcome = shop
            .write(async |tx| orders::cancel(tx, std::slice::from_ref(&some)).await)
            .await
            .remove(0)
            .unwrap();
        assert_eq!((outcome.units, outcome.total, outcome.whole), (3, 3000, false));
        assert_eq!(
            shop.number("SELECT units_backordered FROM orders WHERE units = 3").await,
            0,
            "first come, first served"
        );
        assert_eq!(shop.number("SELECT units_backordered FROM orders WHERE units = 2").await, 2);
        let all = [cancel(rich.id, vec![]), cancel(second.id, vec![])];
        let outcomes = shop.write(async |tx| orders::cancel(tx, &all).await).await;
        assert!(outcomes.iter().all(|o| o.as_ref().is_ok_and(|c| c.whole)), "{outcomes:?}");
        let again = shop.write(async |tx| orders::cancel(tx, &all[..1]).await).await;
        assert_eq!(again[0].as_ref().unwrap_err().code(), "orders.nothing_to_cancel");
        shop.receive("A", shop.madrid, 1).await;
        assert_eq!(shop.number("SELECT CAST(SUM(backordered) AS BIGINT) FROM order_line").await, 0);
        assert_eq!(first.total.minor, 3000);
        shop.check().await;
    }
}

#[tokio::test]
async fn stock_that_arrives_goes_to_backorders_in_order_also_for_bundles() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        let bundle = place_one(&shop, 1, &[("AB", 2)], true).await;
        let single = place_one(&shop, 2, &[("A", 5)], true).await;
        assert_eq!((bundle.backordered, single.backordered), (2, 5));
        shop.receive("A", shop.berlin, 3).await;
        assert_eq!(
            shop.number("SELECT backordered FROM order_line WHERE sku = 'AB'").await,
            2,
            "B is still missing"
        );
        assert_eq!(shop.number("SELECT backordered FROM order_line WHERE sku = 'A'").await, 2);
        shop.receive("B", shop.berlin, 3).await;
        shop.receive("A", shop.berlin, 9).await;
        assert_eq!(shop.number("SELECT CAST(SUM(backordered) AS BIGINT) FROM order_line").await, 0);
        shop.check().await;
    }
}

fn moves(placed: &Placed, location: inventory::LocationId, steps: &[(Step, i64)]) -> Vec<Advance> {
    let line = placed.lines[0];
    steps
        .iter()
        .map(|(step, quantity)| Advance { at: BEGIN, line, location, step: *step, quantity: *quantity })
        .collect()
}

#[tokio::test]
async fn units_move_along_and_their_money_moves_with_them() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        shop.receive("B", shop.berlin, 10).await;
        let mut order = want(BEGIN, 1, &[("B", 3)]);
        order.pay_later = false;
        order.tenders = vec![tender("manual", "cod", None)];
        order.shipping = 100;
        let p = shop.place(&[order]).await.remove(0).unwrap();
        let first = moves(
            &p,
            shop.berlin,
            &[(Step::Pick, 2), (Step::Unpick, 1), (Step::Pack, 1), (Step::Ship, 1), (Step::Deliver, 1)],
        );
        shop.write(async |tx| orders::advance(tx, &first).await).await;
        assert_eq!(shop.text("SELECT fulfilment_status FROM orders").await, "partial");
        assert_eq!(shop.number("SELECT on_hand FROM stock WHERE quarantined = 0 AND on_hand > 0").await, 9);
        let rest = moves(
            &p,
            shop.berlin,
            &[(Step::Pick, 2), (Step::Pack, 2), (Step::Ship, 2), (Step::Deliver, 1), (Step::Lose, 1)],
        );
        shop.write(async |tx| orders::advance(tx, &rest).await).await;
        assert_eq!(shop.number("SELECT cost FROM order_line").await, 1200);
        let sold: Vec<String> = shop
            .db
            .read()
            .column("SELECT payload FROM event WHERE kind = 'order.units_shipped' ORDER BY id", [])
            .await
            .unwrap();
        let total: i64 = sold
            .iter()
            .map(|text| serde_json::from_str::<orders::events::UnitsShipped>(text).unwrap())
            .map(|sold| sold.total)
            .sum();
        assert_eq!(total, p.total.minor, "what shipped in two parcels is what was ordered");
        let too_much = moves(&p, shop.berlin, &[(Step::Deliver, 1)]);
        let fault = db::write!(shop.db.db, &actor(), |tx| orders::advance(tx, &too_much).await).unwrap_err();
        assert!(fault.to_string().contains("too many"), "{fault}");
        let lines = orders::read::lines_of(shop.db.read(), &[p.id]).await.unwrap();
        let back = ReturnUnits {
            at: BEGIN,
            line: p.lines[0],
            quantity: 1,
            parts: unit_parts(&lines[&p.id][0], 0, 1),
            cost: 400,
            return_id: 1,
        };
        shop.write(async |tx| orders::return_units(tx, std::slice::from_ref(&back)).await).await;
        assert_eq!(shop.number("SELECT units_returned FROM orders").await, 1);
        shop.check().await;
    }
}

#[tokio::test]
async fn units_that_were_not_there_come_from_elsewhere_or_wait() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        shop.receive("A", shop.berlin, 3).await;
        shop.receive("A", shop.madrid, 1).await;
        let p = place_one(&shop, 1, &[("A", 3)], false).await;
        let again = Resource {
            at: BEGIN,
            line: p.lines[0],
            location: shop.berlin,
            quantity: 2,
            write_off: true,
            reason: "not on the shelf".into(),
        };
        shop.write(async |tx| orders::resource(tx, std::slice::from_ref(&again)).await).await;
        assert_eq!(shop.number("SELECT on_hand FROM stock WHERE location_id = (SELECT id FROM location WHERE code = 'berlin')").await, 1);
        assert_eq!(shop.number("SELECT allocated FROM stock WHERE location_id = (SELECT id FROM location WHERE code = 'madrid')").await, 1);
        assert_eq!(shop.number("SELECT backordered FROM order_line").await, 1);
        shop.check().await;
        let found = orders::read::list(
            shop.db.read(),
            &orders::read::Filter { search: Some("customer 1".into()), ..Default::default() },
            None,
            10,
        )
        .await
        .unwrap();
        assert_eq!(found.len(), 1, "found by the start of the name");
    }
}

#[tokio::test]
async fn an_order_goes_to_another_address_where_the_same_taxes_apply() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        shop.receive("A", shop.berlin, 5).await;
        let rate = |region: Option<&str>, rate_ppm| SetTaxRate {
            country: "US".into(),
            region: region.map(str::to_owned),
            class: "standard".into(),
            rate_ppm,
        };
        let rates = [rate(None, 0), rate(Some("CA"), 72_500)];
        shop.write(async |tx| catalog::set_tax_rates(tx, &rates).await).await;
        let to = |region: &str, postal_code: &str| Address {
            name: "Ada Example".into(),
            line1: "1 Main Street".into(),
            city: "Springfield".into(),
            region: Some(region.into()),
            postal_code: Some(postal_code.into()),
            country: "US".into(),
            ..Address::default()
        };
        let mut order = want(BEGIN, 1, &[("A", 1)]);
        (order.ship_to, order.lines[0].tax_rate_ppm) = (to("OR", "97477"), None);
        let order = shop.place(&[order]).await.remove(0).unwrap().id;
        for (ship_to, refused) in [
            (to("California", "90001"), Some("orders.address_other_tax")),
            (to("WA", "98001"), None),
            (to("WA", "98002"), None),
            (to("CA", "90001"), Some("orders.address_other_tax")),
        ] {
            let change = ChangeAddress { at: BEGIN, order, ship_to, by: actor() };
            let told =
                shop.write(async |tx| orders::change_address(tx, std::slice::from_ref(&change)).await).await;
            assert_eq!(told[0].as_ref().err().map(Refuse::code), refused, "{}: {change:?}", shop.db.name);
        }
        assert_eq!(shop.text("SELECT postal_code FROM orders").await, "98002", "{}", shop.db.name);
        shop.check().await;
    }
}

#[tokio::test]
async fn the_news_of_an_order_go_to_another_contact() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        shop.receive("A", shop.berlin, 5).await;
        let order = shop.place(&[want(BEGIN, 1, &[("A", 1)])]).await.remove(0).unwrap().id;
        let change = async |email: Option<&str>, phone: Option<&str>| {
            let (email, phone) = (email.map(str::to_owned), phone.map(str::to_owned));
            let change = orders::ChangeContact { at: BEGIN, order, email, phone, by: actor() };
            shop.write(async |tx| orders::change_contact(tx, std::slice::from_ref(&change)).await)
                .await
                .remove(0)
        };
        let told = "SELECT COUNT(*) FROM event WHERE kind = 'order.contact_changed'";
        change(Some("Ada.New@Example.COM"), Some("030 901820")).await.unwrap();
        let kept = shop.text("SELECT email || ' ' || phone FROM orders").await;
        assert_eq!(kept, "ada.new@example.com +4930901820", "{}", shop.db.name);
        // The same again is nothing new.
        change(Some("ada.new@example.com"), Some("+49 30 901820")).await.unwrap();
        assert_eq!(shop.number(told).await, 1, "{}", shop.db.name);
        // Both fields are told at once, and nothing changes.
        let refused = change(Some("nix@"), Some("12")).await.unwrap_err();
        let orders::ChangeContactRefused::BadContact { fields, .. } = &refused else { panic!("{refused}") };
        assert_eq!(fields.iter().map(|f| f.field.as_str()).collect::<Vec<_>>(), ["email", "phone"]);
        assert_eq!(shop.number(told).await, 1, "{}", shop.db.name);
        change(None, Some("+49 30 901820")).await.unwrap();
        assert_eq!(
            shop.number("SELECT COUNT(*) FROM orders WHERE email IS NULL").await,
            1,
            "{}",
            shop.db.name
        );
        shop.check().await;
    }
}
