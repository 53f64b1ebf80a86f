//! Those who fulfil for us: request, accept, reject; and history in bulk.

use crate::shop::{shops, want};
use orders::OrderId;
use warehouse::{
    Accept, Ask, AskRefused, Executor, FulfilRecorded, HandOver, PackRefused, PickRefused, Reject, Release,
    ReleaseRefused, Status,
};

#[tokio::test]
async fn a_supplier_accepts_and_packing_implies_the_pick() {
    for shop in shops().await {
        shop.receive("D", shop.sam, 3).await;
        let order = shop.order(&[("D", 2)]).await;
        let f = shop.at(order.id, shop.sam).await;
        assert_eq!((f.executor, f.status), (Executor::Dropship, Status::Open));
        let number = f.number.clone();
        let release = Release { at: shop.db.now(), fulfilment: f.id };
        let refused = shop
            .write(async |tx| warehouse::release(tx, std::slice::from_ref(&release)).await)
            .await
            .remove(0);
        assert_eq!(refused, Err(ReleaseRefused::NotOurs { number: number.clone() }));
        assert_eq!(shop.scan(f.id, "D", 1).await, Err(PickRefused::NotOurs { number: number.clone() }));
        assert_eq!(shop.pack(f.id, &[]).await, Err(PackRefused::NotAccepted { number: number.clone() }));
        let accept = Accept { at: shop.db.now(), fulfilment: f.id };
        let early =
            shop.write(async |tx| warehouse::accept(tx, std::slice::from_ref(&accept)).await).await.remove(0);
        assert_eq!(early, Err(AskRefused::NotRequested { number: number.clone() }));
        let ask = Ask { at: shop.db.now(), fulfilment: f.id };
        let asked = shop.write(async |tx| warehouse::request(tx, &[ask.clone(), ask.clone()]).await).await;
        assert_eq!(asked, [Ok(()), Ok(())]);
        shop.write(async |tx| warehouse::accept(tx, std::slice::from_ref(&accept)).await)
            .await
            .remove(0)
            .unwrap();
        assert_eq!(shop.at(order.id, shop.sam).await.status, Status::InProgress);
        let late = Reject { at: shop.db.now(), fulfilment: f.id, reason: "sold out".into() };
        let parcel = shop.pack(f.id, &[]).await.unwrap();
        let refused =
            shop.write(async |tx| warehouse::reject(tx, std::slice::from_ref(&late)).await).await.remove(0);
        assert_eq!(refused, Err(AskRefused::Begun { number }));
        shop.check(&[]).await;
        let leaves = HandOver { at: shop.db.now(), parcel };
        shop.write(async |tx| warehouse::hand_over(tx, std::slice::from_ref(&leaves)).await).await;
        let f = shop.at(order.id, shop.sam).await;
        assert_eq!((f.status, f.picked, f.packed, f.shipped), (Status::Closed, 2, 2, 2));
        shop.check(&[]).await;
    }
}

#[tokio::test]
async fn a_rejection_goes_to_the_next_who_has_it_and_then_waits() {
    for shop in shops().await {
        shop.receive("D", shop.sam, 5).await;
        shop.receive("D", shop.sue, 2).await;
        let order = shop.order(&[("D", 2)]).await;
        let turn_down = async |location| {
            let f = shop.at(order.id, location).await;
            let ask = Ask { at: shop.db.now(), fulfilment: f.id };
            shop.write(async |tx| warehouse::request(tx, std::slice::from_ref(&ask)).await)
                .await
                .remove(0)
                .unwrap();
            let mute = Reject { at: shop.db.now(), fulfilment: f.id, reason: " ".into() };
            let no = Reject { reason: "sold out".into(), ..mute.clone() };
            let done = shop
                .write(async |tx| warehouse::reject(tx, &[mute.clone(), no.clone(), no.clone()]).await)
                .await;
            assert_eq!(done, [Err(AskRefused::NoReason), Ok(()), Ok(())]);
            shop.check(&[]).await;
        };
        // Distance decides between suppliers of equal means; whoever it was first, the other is next.
        let first = shop.fulfilments(order.id).await.remove(0).location;
        let second = if first == shop.sam { shop.sue } else { shop.sam };
        turn_down(first).await;
        assert_eq!(shop.fulfilments(order.id).await[0].status, Status::Cancelled);
        assert_eq!(shop.at(order.id, second).await.quantity, 2);
    }
}

#[tokio::test]
async fn our_stock_at_a_logistics_company_stays_ours_when_it_rejects() {
    for shop in shops().await {
        shop.receive("B", shop.hub, 3).await;
        let order = shop.order(&[("B", 3)]).await;
        let f = shop.at(order.id, shop.hub).await;
        assert_eq!(f.executor, Executor::ThirdParty);
        shop.receive("B", shop.berlin, 1).await;
        let ask = Ask { at: shop.db.now(), fulfilment: f.id };
        shop.write(async |tx| warehouse::request(tx, std::slice::from_ref(&ask)).await)
            .await
            .remove(0)
            .unwrap();
        let no = Reject { at: shop.db.now(), fulfilment: f.id, reason: "too bulky".into() };
        shop.write(async |tx| warehouse::reject(tx, std::slice::from_ref(&no)).await)
            .await
            .remove(0)
            .unwrap();
        assert_eq!(shop.at(order.id, shop.berlin).await.quantity, 1);
        assert_eq!(shop.number("SELECT CAST(SUM(on_hand) AS BIGINT) FROM stock").await, 4);
        assert_eq!(shop.number("SELECT CAST(SUM(backordered) AS BIGINT) FROM order_line").await, 2);
        shop.check(&[]).await;
    }
}

#[tokio::test]
async fn history_is_fulfilled_in_bulk_by_whoever_did_it() {
    for shop in shops().await {
        shop.receive("A", shop.berlin, 100).await;
        shop.receive("B", shop.berlin, 100).await;
        shop.receive("D", shop.sam, 100).await;
        let wants: Vec<_> = (0..30)
            .map(|n| {
                want(shop.db.now(), if n % 2 == 0 { &[("A", 1), ("AB", 1)] } else { &[("D", 2), ("A", 1)] })
            })
            .collect();
        shop.write(async |tx| {
            let placed = orders::place(tx, &wants).await?;
            let ids: Vec<OrderId> = placed.into_iter().map(|p| p.unwrap().id).collect();
            tx.settle().await?;
            let of = warehouse::fulfilments_of(tx, &ids).await?;
            let all: Vec<FulfilRecorded> =
                of.values().flatten().map(|f| FulfilRecorded { at: tx.now(), fulfilment: f.id }).collect();
            let parcels = warehouse::fulfil_recorded(tx, &all).await?;
            assert_eq!((parcels.len(), all.len()), (45, 45));
            let leave: Vec<HandOver> =
                parcels.into_iter().map(|parcel| HandOver { at: tx.now(), parcel }).collect();
            warehouse::hand_over(tx, &leave).await
        })
        .await;
        assert_eq!(shop.number("SELECT COUNT(*) FROM fulfilment_order WHERE status = 'closed'").await, 45);
        assert_eq!(shop.number("SELECT COUNT(*) FROM fulfilment_order WHERE request = 'accepted'").await, 15);
        assert_eq!(
            shop.number("SELECT COUNT(*) FROM orders WHERE fulfilment_status = 'fulfilled'").await,
            30
        );
        shop.check(&[]).await;
    }
}
