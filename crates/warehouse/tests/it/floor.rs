//! Our own warehouses: assignment, release, scans, short picks, parcels.

use crate::shop::{BARCODE_OF_A, actor, shops};
use orders::{Cancel, Hold, HoldKind, ReleaseHold};
use warehouse::{PackRefused, PickRefused, Release, ReleaseRefused, ShortPick, Status, Unpack, Unpick, What};

#[tokio::test]
async fn what_is_allocated_is_assigned_and_extended_until_it_begins() {
    for shop in shops().await {
        shop.receive("A", shop.berlin, 3).await;
        let order = shop.order(&[("A", 5)]).await;
        let first = shop.at(order.id, shop.berlin).await;
        assert_eq!(
            (first.quantity, first.status, first.number.as_str()),
            (3, Status::Open, "F1001"),
            "{}",
            shop.db.name
        );
        shop.receive("A", shop.berlin, 1).await;
        let more = shop.at(order.id, shop.berlin).await;
        assert_eq!((more.id, more.quantity, more.lines.len()), (first.id, 4, 1), "an open one is extended");
        shop.release(first.id).await;
        shop.receive("A", shop.berlin, 1).await;
        let all = shop.fulfilments(order.id).await;
        assert_eq!(
            all.iter().map(|f| (f.quantity, f.status)).collect::<Vec<_>>(),
            [(4, Status::InProgress), (1, Status::Open)]
        );
        shop.check(&[]).await;
    }
}

#[tokio::test]
async fn holds_stop_the_floor_and_cancelled_units_leave_it() {
    for shop in shops().await {
        shop.receive("A", shop.berlin, 10).await;
        let order = shop.order(&[("A", 4)]).await;
        let f = shop.at(order.id, shop.berlin).await;
        let hold = Hold {
            at: shop.db.now(),
            order: order.id,
            kind: HoldKind::Manual,
            reason: "wait".into(),
            by: actor(),
        };
        shop.write(async |tx| orders::hold(tx, std::slice::from_ref(&hold)).await).await.remove(0).unwrap();
        assert_eq!(shop.at(order.id, shop.berlin).await.status, Status::OnHold);
        let release = Release { at: shop.db.now(), fulfilment: f.id };
        let refused = shop
            .write(async |tx| warehouse::release(tx, std::slice::from_ref(&release)).await)
            .await
            .remove(0);
        assert_eq!(refused, Err(ReleaseRefused::OnHold { number: f.number.clone() }));
        let free = ReleaseHold { at: shop.db.now(), order: order.id, kind: HoldKind::Manual, by: actor() };
        shop.write(async |tx| orders::release_hold(tx, std::slice::from_ref(&free)).await)
            .await
            .remove(0)
            .unwrap();
        assert_eq!(shop.scan(f.id, "A", 1).await, Err(PickRefused::NotReleased { number: f.number.clone() }));
        shop.release(f.id).await;
        shop.release(f.id).await;
        shop.scan(f.id, "A", 1).await.unwrap();
        let cancel = Cancel {
            at: shop.db.now(),
            order: order.id,
            lines: vec![],
            reason: "changed mind".into(),
            refund: false,
        };
        let done = shop
            .write(async |tx| orders::cancel(tx, std::slice::from_ref(&cancel)).await)
            .await
            .remove(0)
            .unwrap();
        assert_eq!((done.units, done.whole), (3, false), "picked units stay");
        let f = shop.at(order.id, shop.berlin).await;
        assert_eq!((f.quantity, f.cancelled, f.picked, f.open()), (4, 3, 1, 0));
        shop.check(&[]).await;

        let other = shop.order(&[("A", 2)]).await;
        let cancel = Cancel { order: other.id, ..cancel };
        shop.write(async |tx| orders::cancel(tx, std::slice::from_ref(&cancel)).await)
            .await
            .remove(0)
            .unwrap();
        let f = shop.fulfilments(other.id).await.remove(0);
        assert_eq!(f.status, Status::Cancelled);
        let release = Release { at: shop.db.now(), fulfilment: f.id };
        let refused = shop
            .write(async |tx| warehouse::release(tx, std::slice::from_ref(&release)).await)
            .await
            .remove(0);
        assert_eq!(refused, Err(ReleaseRefused::Over { number: f.number }));
        shop.check(&[]).await;
    }
}

#[tokio::test]
async fn scans_take_what_is_expected_and_name_it_otherwise() {
    for shop in shops().await {
        shop.receive("A", shop.berlin, 5).await;
        shop.receive("B", shop.berlin, 5).await;
        shop.receive("D", shop.berlin, 5).await;
        let order = shop.order(&[("A", 2), ("B", 1), ("WRAP", 1)]).await;
        let f = shop.at(order.id, shop.berlin).await;
        assert_eq!(f.lines.len(), 2, "a service is nobody's to pick");
        shop.release(f.id).await;
        for wrong in ["D", "nonsense"] {
            let refused = shop.scan(f.id, wrong, 1).await.unwrap_err();
            assert_eq!(
                refused.to_string(),
                format!("“{wrong}” is not to be picked here. Expected: 2 × A, 1 × B.")
            );
        }
        assert_eq!(shop.scan(f.id, BARCODE_OF_A, 3).await, Err(PickRefused::OverPick { left: 2 }));
        assert_eq!(shop.scan(f.id, BARCODE_OF_A, 0).await, Err(PickRefused::NotPositive));
        let picked = shop.scan(f.id, BARCODE_OF_A, 1).await.unwrap();
        assert_eq!((picked.units.len(), picked.left), (1, 2));
        shop.scan(f.id, "A", 1).await.unwrap();
        assert_eq!(shop.scan(f.id, "A", 1).await, Err(PickRefused::OverPick { left: 0 }));
        let line_b = f.lines.iter().find(|l| l.sku == "B").unwrap().id;
        assert_eq!(shop.pick(f.id, What::Line(line_b), 1).await.unwrap().left, 0);
        let put_back = Unpick { at: shop.db.now(), fulfilment: f.id, what: What::Line(line_b), quantity: 1 };
        shop.write(async |tx| warehouse::unpick(tx, std::slice::from_ref(&put_back)).await)
            .await
            .remove(0)
            .unwrap();
        assert_eq!(shop.at(order.id, shop.berlin).await.open(), 1);
        shop.check(&[]).await;
    }
}

#[tokio::test]
async fn components_are_collected_until_a_bundle_is_complete() {
    for shop in shops().await {
        shop.receive("A", shop.berlin, 20).await;
        shop.receive("B", shop.berlin, 20).await;
        let order = shop.order(&[("AB", 3), ("A", 1)]).await;
        let f = shop.at(order.id, shop.berlin).await;
        shop.release(f.id).await;
        // The line that sells A itself comes before the bundle that contains it.
        let direct = shop.scan(f.id, "A", 2).await.unwrap();
        assert_eq!((direct.units.iter().map(|u| u.1).sum::<i64>(), direct.left), (1, 3));
        assert_eq!(shop.scan(f.id, "A", 1).await.unwrap().units, [], "two of A, no B yet");
        assert_eq!(shop.number("SELECT CAST(SUM(scanned) AS BIGINT) FROM pick_progress").await, 2);
        let bundle = f.lines.iter().find(|l| l.sku == "AB").unwrap().id;
        assert_eq!(shop.scan(f.id, "B", 2).await.unwrap().units, [(bundle, 1)]);
        shop.check(&[]).await;
        let refused = shop.scan(f.id, "D", 1).await.unwrap_err().to_string();
        assert!(refused.ends_with("Expected: 4 × A for AB, 1 × B for AB."), "{refused}");
        assert_eq!(shop.scan(f.id, "A", 5).await, Err(PickRefused::OverPick { left: 4 }));
        // One unit is cancelled while its components are being collected: what is not needed goes back.
        shop.scan(f.id, "B", 1).await.unwrap();
        let line = f.lines.iter().find(|l| l.id == bundle).unwrap().line;
        let lines = vec![(line, 1)];
        let cancel =
            Cancel { at: shop.db.now(), order: order.id, lines, reason: "less".into(), refund: false };
        shop.write(async |tx| orders::cancel(tx, std::slice::from_ref(&cancel)).await)
            .await
            .remove(0)
            .unwrap();
        shop.check(&[]).await;
        // Of 3 bundles one is picked and one cancelled: of 2 B in the tote one is still needed.
        let open = shop.at(order.id, shop.berlin).await.open();
        let in_tote =
            shop.number("SELECT CAST(COALESCE(SUM(scanned), 0) AS BIGINT) FROM pick_progress").await;
        assert_eq!((open, in_tote), (1, 1));
        shop.check(&[]).await;
    }
}

#[tokio::test]
async fn a_short_pick_goes_elsewhere_or_waits() {
    for shop in shops().await {
        shop.receive("A", shop.berlin, 4).await;
        let order = shop.order(&[("A", 4)]).await;
        let f = shop.at(order.id, shop.berlin).await;
        shop.release(f.id).await;
        shop.scan(f.id, "A", 1).await.unwrap();
        shop.receive("A", shop.madrid, 1).await;
        let short = |quantity| ShortPick {
            at: shop.db.now(),
            fulfilment: f.id,
            line: f.lines[0].id,
            quantity,
            reason: "shelf empty".into(),
        };
        let items = [short(4), short(2)];
        let done = shop.write(async |tx| warehouse::short_pick(tx, &items).await).await;
        assert_eq!(done, [Err(PickRefused::OverPick { left: 3 }), Ok(())]);
        let berlin = shop.at(order.id, shop.berlin).await;
        assert_eq!((berlin.id, berlin.cancelled, berlin.picked, berlin.open()), (f.id, 2, 1, 1));
        assert_eq!(shop.at(order.id, shop.madrid).await.quantity, 1, "one is found in Madrid");
        assert_eq!(
            shop.number("SELECT CAST(SUM(backordered) AS BIGINT) FROM order_line").await,
            1,
            "one waits"
        );
        shop.check(&[]).await;
        shop.receive("A", shop.berlin, 1).await;
        assert_eq!(shop.number("SELECT CAST(SUM(backordered) AS BIGINT) FROM order_line").await, 0);
        assert_eq!(shop.fulfilments(order.id).await.len(), 3, "what has begun is not extended");
        shop.check(&[]).await;
    }
}

#[tokio::test]
async fn parcels_hold_what_was_picked_and_can_be_taken_apart() {
    for shop in shops().await {
        shop.receive("A", shop.berlin, 9).await;
        shop.receive("B", shop.berlin, 9).await;
        let order = shop.order(&[("A", 2), ("AB", 1)]).await;
        let f = shop.at(order.id, shop.berlin).await;
        shop.release(f.id).await;
        let nothing = PackRefused::NothingPicked { number: f.number.clone() };
        assert_eq!(shop.pack(f.id, &[]).await, Err(nothing));
        let line = |sku: &str| f.lines.iter().find(|l| l.sku == sku).unwrap().id;
        shop.pick(f.id, What::Line(line("A")), 2).await.unwrap();
        assert_eq!(shop.pack(f.id, &[(line("A"), 3)]).await, Err(PackRefused::NotPicked { loose: 2 }));
        assert_eq!(shop.pack(f.id, &[(line("AB"), 1)]).await, Err(PackRefused::NotPicked { loose: 0 }));
        shop.pick(f.id, What::Line(line("AB")), 1).await.unwrap();
        let one = shop.pack(f.id, &[(line("A"), 1)]).await.unwrap();
        let two = shop.pack(f.id, &[]).await.unwrap();
        let parcels = warehouse::parcels_by_id(shop.db.read(), &[one, two]).await.unwrap();
        assert_eq!((parcels[&one].weight_g, parcels[&two].weight_g), (100, 100 + 2 * 100 + 250));
        assert_eq!(parcels[&two].lines.iter().map(|l| l.quantity).sum::<i64>(), 2);
        shop.check(&[]).await;
        let apart = [Unpack { at: shop.db.now(), parcel: two }, Unpack { at: shop.db.now(), parcel: two }];
        let done = shop.write(async |tx| warehouse::unpack(tx, &apart).await).await;
        assert_eq!(done, [Ok(()), Err(warehouse::UnpackRefused::Unpacked { parcel: two })]);
        let f = shop.at(order.id, shop.berlin).await;
        assert_eq!((f.picked, f.packed), (3, 1));
        shop.check(&[]).await;
    }
}
