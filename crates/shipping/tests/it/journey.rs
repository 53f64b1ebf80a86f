//! The whole way: place, allocate, release, scan, short pick, pack in two parcels, label, ship, track, deliver.

use crate::carriers::{Script, carriers, rate_cards};
use crate::shop::{Shop, actor, shops};
use db::{Ctx, Parts};
use kernel::Timestamp;
use shipping::{
    BuyLabel, BuyLabelRefused, Ship, ShipRecorded, ShipRefused, Shipment, ShipmentId, Status,
    TakeApartRefused, Track, VoidLabel, VoidLabelRefused,
};
use std::sync::Arc;
use warehouse::{FulfilRecorded, ParcelId, ShortPick, Unpack};

pub async fn set_rates(shop: &Shop) {
    let cards = rate_cards();
    let done = shop.write(async |tx| shipping::save_rate_cards(tx, tx.now(), &cards).await).await;
    done.into_iter().for_each(|d| d.unwrap());
}

pub async fn label(
    shop: &Shop,
    parcel: ParcelId,
    carrier: &str,
    service: &str,
) -> Result<Shipment, BuyLabelRefused> {
    let (at, carrier, service) = (shop.db.now(), carrier.to_owned(), service.to_owned());
    let item = BuyLabel { at, parcel, carrier, service };
    let with = carriers();
    shop.write(async |tx| shipping::buy_label(tx, &with, std::slice::from_ref(&item)).await).await.remove(0)
}

pub async fn ship(shop: &Shop, shipment: ShipmentId) -> Result<(), ShipRefused> {
    let item = Ship { at: shop.db.now(), shipment };
    shop.write(async |tx| shipping::ship(tx, std::slice::from_ref(&item)).await).await.remove(0)
}

pub fn told(shop: &Shop, shipment: ShipmentId, status: Status, source: &str) -> Track {
    Track {
        at: shop.db.now(),
        shipment,
        source_id: source.into(),
        status,
        place: Some("Leipzig".into()),
        description: None,
    }
}

pub async fn track(shop: &Shop, items: &[Track]) -> Vec<Status> {
    let done = shop.write(async |tx| shipping::track(tx, items).await).await;
    done.into_iter().map(|d| d.unwrap().status).collect()
}

pub async fn check(shop: &Shop) {
    shop.check(shipping::laws::LAWS).await;
}

/// A packed parcel of an order of one unit of A.
pub async fn packed(shop: &Shop) -> (orders::OrderId, ParcelId) {
    shop.receive("A", shop.berlin, 1).await;
    let order = shop.order(&[("A", 1)]).await.id;
    let f = shop.at(order, shop.berlin).await;
    shop.release(f.id).await;
    shop.scan(f.id, "A", 1).await.unwrap();
    (order, shop.pack(f.id, &[]).await.unwrap())
}

/// The unit that was found in Madrid goes its own way, with a label of others.
async fn from_madrid(shop: &Shop, order: orders::OrderId) {
    let madrid = shop.at(order, shop.madrid).await;
    shop.release(madrid.id).await;
    shop.scan(madrid.id, "A", 1).await.unwrap();
    let last = shop.pack(madrid.id, &[]).await.unwrap();
    let none = shipping::quote(shop.db.read(), &carriers(), &[last]).await.unwrap().remove(0).unwrap();
    assert_eq!(none, [], "no card starts in Spain");
    let other = ShipRecorded {
        parcel: last,
        carrier: "correos".into(),
        service: "paq".into(),
        tracking_number: "ES1".into(),
        label_at: shop.db.now(),
        shipped_at: shop.db.now(),
        delivered_at: Some(shop.db.now()),
        cost: 650,
        currency: crate::shop::eur(),
    };
    shop.write(async |tx| shipping::ship_recorded(tx, std::slice::from_ref(&other)).await).await;
}

/// Facts come late, twice, and in the wrong order.
async fn arrive(shop: &Shop, one: &Shipment, two: &Shipment) {
    let facts = [
        told(shop, one.id, Status::OutForDelivery, "e2"),
        told(shop, one.id, Status::InTransit, "e1"),
        told(shop, one.id, Status::OutForDelivery, "e2"),
        told(shop, one.id, Status::Delivered, "e3"),
        told(shop, one.id, Status::InTransit, "e0"),
        told(shop, two.id, Status::InTransit, "e1"),
    ];
    let statuses = track(shop, &facts).await;
    use Status::{Delivered, InTransit, OutForDelivery};
    assert_eq!(statuses, [OutForDelivery, OutForDelivery, OutForDelivery, Delivered, Delivered, InTransit]);
    assert_eq!(shop.number("SELECT COUNT(*) FROM tracking_event").await, 5);
    assert_eq!(shop.number("SELECT CAST(SUM(delivered) AS BIGINT) FROM order_line").await, 1);
    check(shop).await;
    assert_eq!(track(shop, &[told(shop, two.id, Delivered, "e2")]).await, [Delivered]);
    assert_eq!(track(shop, &facts).await, [Delivered, Delivered, Delivered, Delivered, Delivered, Delivered]);
    assert_eq!(shop.number("SELECT CAST(SUM(delivered) AS BIGINT) FROM order_line").await, 3);
}

#[tokio::test]
async fn from_the_order_to_the_door() {
    for shop in shops().await {
        set_rates(&shop).await;
        shop.receive("A", shop.berlin, 3).await;
        shop.receive("B", shop.berlin, 1).await;
        let order = shop.order(&[("A", 3), ("B", 1)]).await;
        let f = shop.at(order.id, shop.berlin).await;
        shop.release(f.id).await;
        assert!(shop.scan(f.id, "D", 1).await.is_err());
        shop.scan(f.id, "A", 2).await.unwrap();
        shop.scan(f.id, "B", 1).await.unwrap();
        shop.receive("A", shop.madrid, 1).await;
        let line = f.lines.iter().find(|l| l.sku == "A").unwrap();
        let (at, reason) = (shop.db.now(), "broken".to_owned());
        let short = ShortPick { at, fulfilment: f.id, line: line.id, quantity: 1, reason };
        shop.write(async |tx| warehouse::short_pick(tx, std::slice::from_ref(&short)).await)
            .await
            .remove(0)
            .unwrap();
        let heavy = shop.pack(f.id, &[(line.id, 1)]).await.unwrap();
        let rest = shop.pack(f.id, &[]).await.unwrap();
        check(&shop).await;

        let quotes = shipping::quote(shop.db.read(), &carriers(), &[heavy]).await.unwrap().remove(0).unwrap();
        let offers: Vec<(&str, &str, i64)> =
            quotes.iter().map(|q| (q.carrier.as_str(), q.service.as_str(), q.cost.minor)).collect();
        assert_eq!(offers, [("post", "letter", 150), ("courier", "next_day", 499), ("post", "parcel", 499)]);
        assert!(
            matches!(label(&shop, rest, "post", "letter").await, Err(BuyLabelRefused::Declined { .. })),
            "too heavy"
        );
        assert!(matches!(
            label(&shop, rest, "pigeon", "x").await,
            Err(BuyLabelRefused::UnknownCarrier { .. })
        ));
        let one = label(&shop, heavy, "post", "letter").await.unwrap();
        let two = label(&shop, rest, "courier", "next_day").await.unwrap();
        assert_eq!((one.status, one.cost, two.cost), (Status::LabelPurchased, 150, 499));
        assert_eq!(two.promised_at, Some(two.label_at.plus(Timestamp::DAY)));
        assert!(matches!(label(&shop, rest, "post", "parcel").await, Err(BuyLabelRefused::HasLabel { .. })));
        check(&shop).await;

        ship(&shop, one.id).await.unwrap();
        assert_eq!(ship(&shop, one.id).await, Err(ShipRefused::Shipped { shipment: one.id }));
        ship(&shop, two.id).await.unwrap();
        check(&shop).await;
        arrive(&shop, &one, &two).await;
        from_madrid(&shop, order.id).await;
        assert_eq!(shop.number("SELECT COUNT(*) FROM orders WHERE fulfilment_status = 'delivered'").await, 1);
        assert_eq!(shop.number("SELECT COUNT(*) FROM event WHERE kind = 'shipment.delivered'").await, 3);
        check(&shop).await;
    }
}

#[tokio::test]
async fn labels_are_voided_before_they_are_used_and_parcels_taken_apart_without() {
    for shop in shops().await {
        set_rates(&shop).await;
        let (order, parcel) = packed(&shop).await;
        let first = label(&shop, parcel, "post", "parcel").await.unwrap();
        let apart = Unpack { at: shop.db.now(), parcel };
        let refused =
            shop.write(async |tx| shipping::unpack(tx, std::slice::from_ref(&apart)).await).await.remove(0);
        assert!(matches!(refused, Err(TakeApartRefused::HasLabel { .. })));
        let with = carriers();
        let void = VoidLabel { at: shop.db.now(), shipment: first.id };
        let twice = [void.clone(), void.clone()];
        let done = shop.write(async |tx| shipping::void_label(tx, &with, &twice).await).await;
        assert_eq!(done, [Ok(()), Err(VoidLabelRefused::Voided { shipment: first.id })]);
        assert_eq!(ship(&shop, first.id).await, Err(ShipRefused::Voided { shipment: first.id }));
        assert_eq!(track(&shop, &[told(&shop, first.id, Status::InTransit, "x")]).await, [Status::Voided]);
        check(&shop).await;
        let second = label(&shop, parcel, "post", "parcel").await.unwrap();
        assert_ne!(second.tracking_number, first.tracking_number);
        let void = VoidLabel { at: shop.db.now(), shipment: second.id };
        shop.write(async |tx| shipping::void_label(tx, &with, std::slice::from_ref(&void)).await)
            .await
            .remove(0)
            .unwrap();
        shop.write(async |tx| shipping::unpack(tx, std::slice::from_ref(&apart)).await)
            .await
            .remove(0)
            .unwrap();
        let again =
            shop.write(async |tx| shipping::unpack(tx, std::slice::from_ref(&apart)).await).await.remove(0);
        assert_eq!(again, Err(TakeApartRefused::Unpacked { parcel }));
        assert_eq!(shop.at(order, shop.berlin).await.packed, 0);
        assert!(matches!(
            label(&shop, parcel, "post", "parcel").await,
            Err(BuyLabelRefused::Unpacked { .. })
        ));
        check(&shop).await;
    }
}

#[tokio::test]
async fn holds_stop_labels_and_parcels() {
    for shop in shops().await {
        set_rates(&shop).await;
        let (order, parcel) = packed(&shop).await;
        let (at, kind, by) = (shop.db.now(), orders::HoldKind::CustomerRequest, actor());
        let hold = orders::Hold { at, order, kind, reason: "on holiday".into(), by: by.clone() };
        let free = orders::ReleaseHold { at, order, kind, by };
        shop.write(async |tx| orders::hold(tx, std::slice::from_ref(&hold)).await).await.remove(0).unwrap();
        assert!(matches!(label(&shop, parcel, "post", "parcel").await, Err(BuyLabelRefused::OnHold { .. })));
        shop.write(async |tx| orders::release_hold(tx, std::slice::from_ref(&free)).await)
            .await
            .remove(0)
            .unwrap();
        let shipment = label(&shop, parcel, "post", "parcel").await.unwrap();
        shop.write(async |tx| orders::hold(tx, std::slice::from_ref(&hold)).await).await.remove(0).unwrap();
        assert!(matches!(ship(&shop, shipment.id).await, Err(ShipRefused::OnHold { .. })));
        check(&shop).await;
    }
}

fn ctx(shop: &Shop, outside: Arc<Script>) -> Ctx {
    Ctx { db: shop.db.db.clone(), outside, parts: Parts::default().with(carriers()) }
}

#[tokio::test]
async fn a_carrier_that_must_be_called_is_asked_again_until_its_answer_is_known() {
    for shop in shops().await {
        let (_, parcel) = packed(&shop).await;
        let draft = label(&shop, parcel, "remote", "air").await.unwrap();
        assert_eq!(
            (draft.status, draft.tracking_number.as_str()),
            (Status::Draft, draft.id.to_string().as_str())
        );
        assert_eq!(ship(&shop, draft.id).await, Err(ShipRefused::NoLabel { shipment: draft.id }));
        check(&shop).await;
        let script = Arc::new(Script::default());
        *script.answers.lock().unwrap() =
            vec![Err("time-out"), Ok((500, "")), Ok((200, "RM123")), Ok((200, ""))];
        let ctx = ctx(&shop, Arc::clone(&script));
        for _ in 0..4 {
            db::work_once(&ctx, shipping::JOBS, &[]).await.unwrap();
            shop.db.clock().advance(Timestamp::HOUR);
        }
        let bought =
            shipping::shipments_by_id(shop.db.read(), &[draft.id]).await.unwrap().remove(&draft.id).unwrap();
        assert_eq!(
            (bought.status, bought.tracking_number.as_str(), bought.cost),
            (Status::LabelPurchased, "RM123", 777)
        );
        let url = format!("https://remote.example/buy/{}", draft.id);
        assert_eq!(*script.calls.lock().unwrap(), [url.clone(), url.clone(), url], "always the same key");
        check(&shop).await;
        let with = carriers();
        let void = VoidLabel { at: shop.db.now(), shipment: draft.id };
        shop.write(async |tx| shipping::void_label(tx, &with, std::slice::from_ref(&void)).await)
            .await
            .remove(0)
            .unwrap();
        db::work_once(&ctx, shipping::JOBS, &[]).await.unwrap();
        let gone =
            shipping::shipments_by_id(shop.db.read(), &[draft.id]).await.unwrap().remove(&draft.id).unwrap();
        assert_eq!(gone.status, Status::Voided);
        assert_eq!(shop.number("SELECT COUNT(*) FROM job").await, 0);
        check(&shop).await;

        *script.answers.lock().unwrap() = vec![Ok((422, "no aircraft")), Ok((200, "300")), Ok((503, ""))];
        let no = label(&shop, parcel, "remote", "air").await.unwrap();
        db::work_once(&ctx, shipping::JOBS, &[]).await.unwrap();
        let no = shipping::shipments_by_id(shop.db.read(), &[no.id]).await.unwrap().remove(&no.id).unwrap();
        assert_eq!(no.status, Status::Voided, "the parcel is free for another label");
        check(&shop).await;
        set_rates(&shop).await;
        let quotes =
            shipping::quote_everywhere(shop.db.read(), &with, &*script, parcel).await.unwrap().unwrap();
        assert_eq!(
            quotes.iter().map(|q| q.carrier.as_str()).collect::<Vec<_>>(),
            ["post", "remote", "courier", "post"]
        );
        let quotes =
            shipping::quote_everywhere(shop.db.read(), &with, &*script, parcel).await.unwrap().unwrap();
        assert_eq!(quotes.len(), 3, "who does not answer makes no offer");
    }
}

#[tokio::test]
async fn history_ships_in_bulk() {
    for shop in shops().await {
        shop.receive("A", shop.berlin, 60).await;
        shop.receive("D", shop.sam, 60).await;
        let wants: Vec<_> = (0..60)
            .map(|n| crate::shop::want(shop.db.now(), &[(if n % 3 == 0 { "D" } else { "A" }, 1)]))
            .collect();
        shop.write(async |tx| {
            let placed = orders::place(tx, &wants).await?;
            let ids: Vec<orders::OrderId> = placed.into_iter().map(|p| p.unwrap().id).collect();
            tx.settle().await?;
            let of = warehouse::fulfilments_of(tx, &ids).await?;
            let all: Vec<_> =
                of.values().flatten().map(|f| FulfilRecorded { at: tx.now(), fulfilment: f.id }).collect();
            let parcels = warehouse::fulfil_recorded(tx, &all).await?;
            let shipped: Vec<ShipRecorded> = parcels
                .into_iter()
                .enumerate()
                .map(|(n, parcel)| ShipRecorded {
                    parcel,
                    carrier: "correios".into(),
                    service: "sedex".into(),
                    tracking_number: format!("BR{n}"),
                    label_at: tx.now(),
                    shipped_at: tx.now(),
                    delivered_at: (n % 2 == 0).then(|| tx.now()),
                    cost: 0,
                    currency: crate::shop::eur(),
                })
                .collect();
            shipping::ship_recorded(tx, &shipped).await
        })
        .await;
        assert_eq!(
            shop.number("SELECT COUNT(*) FROM orders WHERE fulfilment_status = 'delivered'").await,
            30
        );
        assert_eq!(
            shop.number("SELECT COUNT(*) FROM orders WHERE fulfilment_status = 'fulfilled'").await,
            30
        );
        check(&shop).await;
    }
}
