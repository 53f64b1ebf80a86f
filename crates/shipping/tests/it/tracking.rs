//! What carriers say, in any order and any number of times, and by webhook.

use crate::carriers::{Script, carriers};
use crate::journey::{check, label, packed, set_rates, ship, told, track};
use crate::shop::shops;
use db::{Ctx, Parts};
use payments::RawRequest;
use shipping::webhook::{self, WebhookRefused};
use shipping::{Status, TrackRefused};
use std::sync::Arc;

#[tokio::test]
async fn any_order_of_facts_gives_the_same_status_and_counts_units_once() {
    use Status::{Delivered, Exception, InTransit, Lost, OutForDelivery, ReturnedToSender};
    let cases: &[(&[Status], Status, (i64, i64))] = &[
        (&[InTransit, OutForDelivery, Delivered], Delivered, (1, 0)),
        (&[Delivered, Exception, InTransit], Delivered, (1, 0)),
        (&[Exception, InTransit, Lost], Lost, (0, 1)),
        (&[Lost, Delivered], Delivered, (0, 1)),
        (&[Delivered, Lost], Delivered, (1, 0)),
        (&[ReturnedToSender, Delivered], ReturnedToSender, (0, 0)),
    ];
    for shop in shops().await {
        set_rates(&shop).await;
        for (n, (facts, status, (delivered, lost))) in cases.iter().enumerate() {
            let (order, parcel) = packed(&shop).await;
            let shipment = label(&shop, parcel, "post", "parcel").await.unwrap().id;
            if n % 2 == 0 {
                ship(&shop, shipment).await.unwrap();
            }
            let mut items: Vec<_> =
                facts.iter().map(|s| told(&shop, shipment, *s, &format!("{s}"))).collect();
            items.extend(items.clone());
            for item in &items {
                track(&shop, std::slice::from_ref(item)).await;
            }
            let now = shipping::shipments_by_id(shop.db.read(), &[shipment])
                .await
                .unwrap()
                .remove(&shipment)
                .unwrap();
            assert_eq!(now.status, *status, "{facts:?} on {}", shop.db.name);
            let count = |column| {
                format!("SELECT CAST(SUM({column}) AS BIGINT) FROM order_line WHERE order_id = {}", order.0)
            };
            assert_eq!(
                (shop.number(&count("delivered")).await, shop.number(&count("lost")).await),
                (*delivered, *lost),
                "{facts:?}"
            );
            check(&shop).await;
        }
        let (_, parcel) = packed(&shop).await;
        let shipment = label(&shop, parcel, "post", "parcel").await.unwrap().id;
        let bad = [told(&shop, shipment, Status::Shipped, "a"), told(&shop, shipment, InTransit, " ")];
        let done = shop.write(async |tx| shipping::track(tx, &bad).await).await;
        assert_eq!(
            done,
            [Err(TrackRefused::NotTracking { status: Status::Shipped }), Err(TrackRefused::NoSource)]
        );
        check(&shop).await;
    }
}

#[tokio::test]
async fn webhooks_are_stored_first_and_applied_once() {
    for shop in shops().await {
        set_rates(&shop).await;
        let (_, parcel) = packed(&shop).await;
        let shipment = label(&shop, parcel, "post", "parcel").await.unwrap();
        let with = carriers();
        let accept = async |carrier: &str, secret: &str, body: &str| {
            let request = RawRequest { headers: vec![("secret".into(), secret.into())], body: body.into() };
            shop.write(async |tx| webhook::accept(tx, &with, carrier, &request).await).await
        };
        let body = format!("{} delivered e1", shipment.tracking_number);
        assert_eq!(
            accept("pigeon", "s", &body).await,
            Err(WebhookRefused::UnknownCarrier { carrier: "pigeon".into() })
        );
        assert_eq!(
            accept("post", "s", &body).await,
            Err(WebhookRefused::NoSecret { carrier: "post".into() })
        );
        let setting = webhook::secret_setting("post");
        shop.write(async |tx| db::settings::set(tx, &setting, &"s".to_owned()).await).await;
        assert_eq!(accept("post", "wrong", &body).await, Err(WebhookRefused::BadSignature));
        for _ in 0..3 {
            assert_eq!(accept("post", "s", &body).await, Ok(()));
        }
        assert_eq!(accept("post", "s", "T1 delivered e9").await, Ok(()), "a stranger is stored and waits");
        assert_eq!(accept("post", "s", "no sense").await, Ok(()));
        assert_eq!(shop.number("SELECT COUNT(*) FROM inbound_webhook").await, 3);
        let parts = Parts::default().with(carriers());
        let ctx = Ctx { db: shop.db.db.clone(), outside: Arc::new(Script::default()), parts };
        db::work_once(&ctx, shipping::JOBS, &[]).await.unwrap();
        let now = shipping::shipments_by_id(shop.db.read(), &[shipment.id])
            .await
            .unwrap()
            .remove(&shipment.id)
            .unwrap();
        assert_eq!(now.status, Status::Delivered);
        assert!(now.shipped_at.is_some(), "who delivers it has it");
        assert_eq!(shop.number("SELECT COUNT(*) FROM inbound_webhook WHERE applied_at IS NULL").await, 1);
        assert_eq!(shop.number("SELECT COUNT(*) FROM job").await, 1, "the stranger is tried again");
        check(&shop).await;
    }
}
