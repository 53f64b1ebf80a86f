//! Routing rules where orders are sourced: when they are placed, when stock arrives, and when it was not where it was promised.

use crate::shop::{Shop, actor, options, want};
use db::testing::{BEGIN, both};
use orders::{How, IfOutOfStock, Place, Resource, RoutingRule, SetRouting};

fn rule(name: &str, tag: &str, how: How, location: &str) -> RoutingRule {
    RoutingRule {
        name: name.into(),
        countries: Vec::new(),
        channels: Vec::new(),
        tags: vec![tag.into()],
        express: false,
        units_from: None,
        how,
        locations: vec![location.into()],
    }
}

fn tagged(customer: u32, tag: &str) -> Place {
    let mut order = want(BEGIN, customer, &[("A", 1)]);
    order.tags = vec![tag.into()];
    order
}

async fn set(shop: &Shop, rules: &[RoutingRule]) {
    let want = SetRouting { at: BEGIN, rules: rules.to_vec() };
    let told = shop.write(async |tx| orders::set_routing(tx, std::slice::from_ref(&want)).await).await;
    told.into_iter().for_each(|t| t.unwrap());
}

/// Where the units of the order with this tag are, by code.
async fn places(shop: &Shop, tag: &str) -> String {
    let text = "SELECT COALESCE((SELECT MAX(p.code) FROM allocation a JOIN location p ON p.id = a.location_id WHERE a.order_id = o.id AND a.quantity > 0), 'nowhere') \
                FROM orders o WHERE o.tags = ";
    shop.text(&format!("{text} '[\"{tag}\"]'")).await
}

#[tokio::test]
async fn orders_come_from_where_their_rule_says() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        shop.receive("A", shop.berlin, 20).await;
        shop.receive("A", shop.madrid, 2).await;
        let rules = [
            rule("Sun", "sun", How::Prefer, "madrid"),
            rule("Spain alone", "alone", How::Only, "madrid"),
            rule("Not there", "not", How::Never, "berlin"),
        ];
        set(&shop, &rules).await;
        let placed = shop.place(&[tagged(1, "sun"), tagged(2, "plain"), tagged(3, "alone")]).await;
        assert!(placed.iter().all(Result::is_ok), "{}: {placed:?}", shop.db.name);
        for (tag, place) in [("sun", "madrid"), ("plain", "berlin"), ("alone", "madrid")] {
            assert_eq!(places(&shop, tag).await, place, "{} {tag}", shop.db.name);
        }
        let by = "SELECT COUNT(*) FROM event WHERE kind = 'order.allocated' AND payload LIKE '%Spain alone%'";
        assert_eq!(shop.number(by).await, 1, "{}", shop.db.name);
        // Madrid has none left: who may not be served from Berlin is refused, or waits.
        let mut waits = tagged(5, "not");
        waits.if_out_of_stock = IfOutOfStock::Backorder;
        let told = shop.place(&[waits]).await;
        assert!(told.iter().all(Result::is_ok), "{}: {told:?}", shop.db.name);
        let mut refused = tagged(6, "alone");
        refused.lines[0].quantity = 2;
        let told = shop.place(&[refused]).await;
        let why = told[0].as_ref().unwrap_err().to_string();
        assert!(why.contains("Only 0 of the 2 units"), "{}: {why}", shop.db.name);
        shop.receive("A", shop.berlin, 5).await;
        assert_eq!(places(&shop, "not").await, "nowhere", "{}", shop.db.name);
        shop.receive("A", shop.madrid, 1).await;
        assert_eq!(places(&shop, "not").await, "madrid", "{}", shop.db.name);
        // It was not on the shelf after all, and Berlin may not stand in.
        let line =
            "SELECT l.id FROM order_line l JOIN orders o ON o.id = l.order_id WHERE o.tags = '[\"alone\"]'";
        let line = orders::LineId(shop.number(line).await);
        let again = Resource {
            at: BEGIN,
            line,
            location: shop.madrid,
            quantity: 1,
            write_off: true,
            reason: "empty".into(),
        };
        shop.write(async |tx| orders::resource(tx, std::slice::from_ref(&again)).await).await;
        assert_eq!(places(&shop, "alone").await, "nowhere", "{}", shop.db.name);
        // Without rules the next one goes by priority again.
        set(&shop, &[]).await;
        shop.place(&[tagged(7, "later")]).await.remove(0).unwrap();
        assert_eq!(places(&shop, "later").await, "berlin", "{}", shop.db.name);
        shop.check().await;
    }
}

#[tokio::test]
async fn a_line_that_names_its_location_is_not_routed() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        shop.receive("A", shop.berlin, 5).await;
        shop.receive("B", shop.madrid, 5).await;
        set(&shop, &[rule("Spain", "t", How::Only, "madrid")]).await;
        let mut order = want(BEGIN, 1, &[("A", 1), ("B", 1)]);
        order.tags = vec!["t".into()];
        order.lines[0].location = Some(shop.berlin);
        shop.place(&[order]).await.remove(0).unwrap();
        let split = "SELECT COUNT(DISTINCT location_id) FROM allocation WHERE quantity > 0";
        assert_eq!(shop.number(split).await, 2, "{}", shop.db.name);
        let unknown = SetRouting { at: BEGIN, rules: vec![rule("X", "t", How::Only, "paris")] };
        let told =
            db::write!(shop.db.db, &actor(), |tx| orders::set_routing(tx, std::slice::from_ref(&unknown))
                .await);
        assert!(told.unwrap()[0].is_err(), "{}", shop.db.name);
        shop.check().await;
    }
}
