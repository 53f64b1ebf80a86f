//! Each command by itself: what it changes, what it refuses, what it costs.

use super::shop::{actor, allocate, laws_hold, level, open, owned, receive};
use db::Options;
use db::testing::{BEGIN, both};
use inventory::{
    Adjust, Count, Move, MoveKind, Quarantine, QuarantineStep, Receive, Restock, RestockTo, SetSafety,
    ShipStock, Transfer,
};
use kernel::Refuse;

macro_rules! codes {
    ($db:expr, $command:path, $batch:expr) => {{
        let batch = $batch;
        let outcomes = db::write!($db, &actor(), |tx| $command(tx, &batch).await).unwrap();
        outcomes.into_iter().map(|o| o.map(|_| ()).map_err(|r| r.code())).collect::<Vec<_>>()
    }};
}

#[tokio::test]
async fn the_last_unit_takes_the_last_cent() {
    for db in both(Options::default).await {
        let shop = open(&db).await;
        let (sku, home) = (shop.skus[0], shop.places[0]);
        receive(&db, sku, home, 3, 100).await;
        receive(&db, sku, home, 2, 33).await;
        assert_eq!(owned(&db, sku).await, (5, 366), "{}", db.name);
        let mut costs = Vec::new();
        for _ in 0..5 {
            let one =
                [ShipStock { at: BEGIN, sku, location: home, quantity: 1, order: 1, reference: "p".into() }];
            costs.extend(
                db::write!(db, &actor(), |tx| {
                    assert!(allocate(tx, sku, home, 1).await?);
                    inventory::ship_stock(tx, &one).await
                })
                .unwrap(),
            );
        }
        assert_eq!(
            (costs.iter().sum::<i64>(), owned(&db, sku).await),
            (366, (0, 0)),
            "{costs:?} on {}",
            db.name
        );
        let back = Restock {
            at: BEGIN,
            sku,
            location: home,
            quantity: 1,
            value: costs[4],
            to: RestockTo::Quarantined,
            order: Some(1),
            reference: "r".into(),
        };
        db::write!(db, &actor(), |tx| inventory::restock(tx, std::slice::from_ref(&back)).await).unwrap();
        assert_eq!((level(&db, sku, home).await, owned(&db, sku).await), ((0, 0, 1, 0), (1, costs[4])));
        laws_hold(&db, "after the return").await;
    }
}

#[tokio::test]
async fn what_is_promised_cannot_be_taken_away() {
    for db in both(Options::default).await {
        let shop = open(&db).await;
        let (sku, [home, other, theirs]) = (shop.skus[0], shop.places);
        receive(&db, sku, home, 10, 100).await;
        db::write!(db, &actor(), |tx| allocate(tx, sku, home, 6).await).unwrap();
        let adjust =
            |delta, reason: &str| Adjust { at: BEGIN, sku, location: home, delta, reason: reason.into() };
        let refused = Err("inventory.promised");
        assert_eq!(
            codes!(
                db,
                inventory::adjust,
                [adjust(-5, "lost"), adjust(-3, "lost"), adjust(-2, "lost"), adjust(0, "x"), adjust(1, " ")]
            ),
            [refused, Ok(()), refused, Err("inventory.bad_delta"), Err("inventory.no_reason")],
            "{}",
            db.name
        );
        let send = |to, quantity| Transfer { at: BEGIN, sku, from: home, to, quantity, reason: None };
        assert_eq!(
            codes!(
                db,
                inventory::transfer,
                [send(other, 2), send(home, 1), send(theirs, 1), send(other, 0), send(other, 1)]
            ),
            [
                refused,
                Err("inventory.same_place"),
                Err("inventory.not_ours"),
                Err("inventory.bad_quantity"),
                Ok(())
            ]
        );
        let found = |counted| Count { at: BEGIN, sku, location: home, counted };
        assert_eq!(
            codes!(db, inventory::count, [found(5), found(-1), found(8)]),
            [Err("inventory.fewer_than_promised"), Err("inventory.bad_count"), Ok(())]
        );
        assert_eq!(level(&db, sku, home).await, (8, 6, 0, 2));
        assert_eq!(
            owned(&db, sku).await,
            (9, 900),
            "seven were left and one is elsewhere; the one found is worth the average"
        );
        laws_hold(&db, "after the refusals").await;
    }
}

#[tokio::test]
async fn quarantine_keeps_its_value_until_it_is_written_off() {
    for db in both(Options::default).await {
        let shop = open(&db).await;
        let (sku, home) = (shop.skus[0], shop.places[0]);
        receive(&db, sku, home, 8, 100).await;
        db::write!(db, &actor(), |tx| allocate(tx, sku, home, 6).await).unwrap();
        let aside = |quantity, step| Quarantine {
            at: BEGIN,
            sku,
            location: home,
            quantity,
            step,
            reason: "wet".into(),
        };
        assert_eq!(
            codes!(
                db,
                inventory::quarantine,
                [
                    aside(3, QuarantineStep::Enter),
                    aside(2, QuarantineStep::Enter),
                    aside(3, QuarantineStep::WriteOff),
                    aside(1, QuarantineStep::WriteOff),
                    aside(1, QuarantineStep::Leave),
                ]
            ),
            [Err("inventory.promised"), Ok(()), Err("inventory.not_in_quarantine"), Ok(()), Ok(())]
        );
        assert_eq!((level(&db, sku, home).await, owned(&db, sku).await), ((7, 6, 0, 1), (7, 700)));
        laws_hold(&db, "after quarantine").await;
    }
}

#[tokio::test]
async fn what_is_not_ours_has_no_value_and_what_does_not_exist_is_refused() {
    for db in both(Options::default).await {
        let shop = open(&db).await;
        let (sku, [home, _, theirs]) = (shop.skus[1], shop.places);
        let get = |sku, location, quantity, unit_cost| Receive {
            at: BEGIN,
            sku,
            location,
            quantity,
            unit_cost,
            reference: None,
        };
        let outcomes = codes!(
            db,
            inventory::receive,
            [
                get(sku, theirs, 5, 700),
                get(sku, home, 0, 1),
                get(sku, home, 1, -1),
                get(sku, home, 1_000_000_000, 10_000_000),
                get(catalog::SkuId(9), home, 1, 1),
                get(shop.bundle, home, 1, 1),
                get(shop.service, home, 1, 1),
                get(sku, inventory::LocationId(9), 1, 1),
            ]
        );
        let cost = Err("inventory.bad_cost");
        let stocked = Err("inventory.not_stocked");
        let (unknown, nowhere) = (Err("inventory.unknown_sku"), Err("inventory.unknown_location"));
        assert_eq!(
            outcomes,
            [Ok(()), Err("inventory.bad_quantity"), cost, cost, unknown, stocked, stocked, nowhere],
            "{}",
            db.name
        );
        assert_eq!((level(&db, sku, theirs).await, owned(&db, sku).await), ((5, 0, 0, 5), (0, 0)));
        let drop =
            [ShipStock { at: BEGIN, sku, location: theirs, quantity: 2, order: 1, reference: "p".into() }];
        let costs = db::write!(db, &actor(), |tx| {
            assert!(allocate(tx, sku, theirs, 2).await?);
            inventory::ship_stock(tx, &drop).await
        });
        assert_eq!(costs.unwrap(), [0]);
        let wrong = Move { value: 5, on_hand: 1, ..Move::new(BEGIN, MoveKind::Adjust, sku, theirs) };
        assert!(
            db::write!(db, &actor(), |tx| inventory::apply(tx, std::slice::from_ref(&wrong)).await).is_err()
        );
        laws_hold(&db, "after the drop-shipment").await;
    }
}

#[tokio::test]
async fn no_code_path_oversells() {
    for db in both(Options::default).await {
        let shop = open(&db).await;
        let (sku, [home, other, _]) = (shop.skus[2], shop.places);
        receive(&db, sku, home, 2, 100).await;
        for bad in [
            Move { allocated: 3, ..Move::new(BEGIN, MoveKind::Allocate, sku, home) },
            Move { allocated: 1, ..Move::new(BEGIN, MoveKind::Allocate, sku, other) },
            Move { on_hand: -3, ..Move::new(BEGIN, MoveKind::Adjust, sku, home) },
        ] {
            let fault = db::write!(db, &actor(), |tx| inventory::apply(tx, std::slice::from_ref(&bad)).await)
                .unwrap_err();
            assert!(db::is_check_violation(&fault), "{bad:?} on {}: {fault}", db.name);
        }
        let keep = SetSafety { at: BEGIN, sku, location: home, safety: Some(1), channel_safety: Some(2) };
        let nothing = SetSafety { safety: None, channel_safety: None, ..keep.clone() };
        let bad = SetSafety { safety: Some(-1), ..keep.clone() };
        assert_eq!(
            codes!(db, inventory::set_safety, [keep, nothing, bad]),
            [Ok(()), Ok(()), Err("inventory.bad_safety")]
        );
        let taken = db::write!(db, &actor(), |tx| {
            Ok((
                allocate(tx, sku, home, 2).await?,
                allocate(tx, sku, home, 1).await?,
                allocate(tx, sku, home, 1).await?,
            ))
        });
        assert_eq!(taken.unwrap(), (false, true, false), "the safety stock stays on the shelf ({})", db.name);
        let events: Option<i64> =
            db.read().scalar("SELECT COUNT(*) FROM event WHERE kind = 'stock.safety_set'", []).await.unwrap();
        assert_eq!(events, Some(1));
        laws_hold(&db, "after the attempts").await;
    }
}

#[tokio::test]
async fn levels_and_movements_page_without_gaps() {
    for db in both(Options::default).await {
        let shop = open(&db).await;
        for sku in shop.skus {
            for place in shop.places {
                receive(&db, sku, place, 1, 5).await;
            }
        }
        let all = inventory::read::Filter::default();
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = inventory::read::levels(db.read(), &all, after, 2).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some((last.sku_id, last.location_id));
            seen.extend(page.into_iter().map(|l| (l.sku, l.location)));
        }
        seen.dedup();
        assert_eq!(seen.len(), 9, "{}", db.name);
        let filter = inventory::read::Filter {
            sku: Some("A".into()),
            location: Some("DROP".into()),
            ..Default::default()
        };
        assert_eq!(inventory::read::levels(db.read(), &filter, None, 9).await.unwrap().len(), 1);
        let newest = inventory::read::movements(db.read(), shop.skus[0], None, 2).await.unwrap();
        let rest = inventory::read::movements(db.read(), shop.skus[0], Some(newest[1].id), 9).await.unwrap();
        assert_eq!((newest[0].location.as_str(), rest.len(), rest[0].location.as_str()), ("DROP", 1, "HOME"));
        let again = inventory::locations(db.read()).await.unwrap();
        assert_eq!(
            again.iter().map(|l| (l.code.as_str(), l.executor())).collect::<Vec<_>>(),
            [("HOME", "own"), ("3PL", "3pl"), ("DROP", "dropship")]
        );
        assert_eq!(inventory::base_currency(db.read()).await.unwrap().as_str(), "EUR");
    }
}
