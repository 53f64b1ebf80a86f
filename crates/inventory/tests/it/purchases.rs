//! Purchase orders in batches: what an earlier item does is seen by the later ones, and a refused one leaves nothing.

use super::shop::{actor, laws_hold, level, open, owned, receive};
use db::Options;
use db::testing::{BEGIN, both};
use inventory::purchase::{
    CancelPurchase, OrderPurchase, PurchaseId, ReceivePurchase, SavePurchase, Wanted, cancel_purchases,
    order_purchases, purchase, receive_purchases, save_purchases,
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
async fn a_batch_of_purchases_sees_itself() {
    for db in both(Options::default).await {
        let shop = open(&db).await;
        let supplier = catalog::suppliers(db.read()).await.unwrap()[0].id;
        let [a, b, _] = shop.skus;
        let want = |location, lines: &[(catalog::SkuId, i64)]| SavePurchase {
            at: BEGIN,
            purchase: None,
            supplier,
            location,
            reference: None,
            expected_at: None,
            lines: lines.iter().map(|&(sku, quantity)| Wanted { sku, quantity, unit_cost: 33 }).collect(),
        };
        let batch = [
            want(shop.places[0], &[(a, 10), (b, 1)]),
            want(shop.places[2], &[(a, 1)]),
            want(shop.places[1], &[(a, 4)]),
        ];
        let saved = db::write!(db, &actor(), |tx| save_purchases(tx, &batch).await).unwrap();
        assert_eq!(saved[1].as_ref().unwrap_err().code(), "inventory.purchase_not_ours");
        let ids: Vec<PurchaseId> = [0, 2].map(|i| *saved[i].as_ref().unwrap()).to_vec();
        let order = |purchase| OrderPurchase { at: BEGIN, purchase };
        assert_eq!(
            codes!(db, order_purchases, [order(ids[0]), order(ids[0]), order(ids[1])]),
            [Ok(()), Err("inventory.purchase_not_draft"), Ok(())]
        );
        laws_hold(&db, "after ordering").await;
        let came = |purchase, sku, quantity, why: Option<&str>| ReceivePurchase {
            at: BEGIN,
            purchase,
            lines: vec![(sku, quantity)],
            reference: None,
            surplus_reason: why.map(str::to_owned),
        };
        assert_eq!(
            codes!(
                db,
                receive_purchases,
                [
                    came(ids[0], a, 7, None),
                    came(ids[0], a, 4, None),
                    came(ids[0], a, 4, Some("they gave one")),
                    came(ids[1], b, 1, None),
                    came(ids[1], a, 4, None),
                ]
            ),
            [Ok(()), Err("inventory.purchase_too_many"), Ok(()), Err("inventory.purchase_not_on_it"), Ok(())]
        );
        assert_eq!(level(&db, a, shop.places[0]).await.0, 11, "{}", db.name);
        assert_eq!(owned(&db, a).await, (15, 15 * 33));
        let cancel = |purchase| CancelPurchase { at: BEGIN, purchase, reason: "late".into() };
        assert_eq!(
            codes!(db, cancel_purchases, [cancel(ids[0]), cancel(ids[0]), cancel(ids[1])]),
            [Ok(()), Err("inventory.purchase_nothing_open"), Err("inventory.purchase_nothing_open")]
        );
        let status = purchase(db.read(), ids[0]).await.unwrap().unwrap().status;
        assert_eq!(status.as_str(), "received", "what came is more than nothing");
        // What came by itself stands beside what came by order.
        receive(&db, a, shop.places[0], 1, 33).await;
        laws_hold(&db, "at the end").await;
    }
}
