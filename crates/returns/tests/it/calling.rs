//! Returns over HTTP, and laws that notice when a row is tampered with.

use crate::returning::{accept, ask, received, settle, settlement};
use crate::serve::Served;
use crate::shop::{Shop, actor, options};
use db::testing::both;
use kernel::Fault;
use returns::{Disposition, Reason, SLICE};
use serde_json::json;

#[tokio::test]
async fn a_return_goes_its_way_over_the_api() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        let placed = shop.delivered(&[("MUG", 2)], true).await;
        let api = Served::new(&shop.db.db, &[web::SLICE, SLICE]);
        let (staff, reader) = (
            api.key(&["returns:read", "returns:write", "returns:receive"]).await,
            api.key(&["returns:read"]).await,
        );
        let new = json!({"units": [{"line": placed.lines[0], "quantity": 1, "reason": "damaged"}], "resolution": "refund"});
        let path = format!("/v1/orders/{}/returns", placed.id);
        assert_eq!(api.call(&reader, "POST", &path, Some(new.clone())).await.0, 403);
        let made = api.ok(&staff, "POST", &path, Some(new.clone())).await;
        assert_eq!((made["status"].as_str(), made["number"].as_str()), (Some("requested"), Some("R1001")));
        // The same call again is the same return, not another one.
        assert_eq!(api.ok(&staff, "POST", &path, Some(new)).await, made);
        let one = format!("/v1/returns/{}", made["id"].as_str().unwrap());
        let (status, headers, _) = api.call(&reader, "GET", &one, None).await;
        assert!(status == 200 && headers.contains("etag"), "{headers}");
        // Amounts are for who sees money elsewhere, not for all who handle returns.
        let manager = api.key(&["*"]).await;
        for path in [one.as_str(), "/v1/returns"] {
            let of = |shown: serde_json::Value| shown.get("data").map_or(shown.clone(), |d| d[0].clone());
            let (all, goods) =
                (of(api.ok(&manager, "GET", path, None).await), of(api.ok(&reader, "GET", path, None).await));
            assert!(all["credited"].is_i64() && goods.get("credited").is_none(), "{path}: {all} {goods}");
            assert!(goods["units"][0].get("credit").is_none(), "{goods}");
        }
        let act = |verb: &str| format!("{one}/{verb}");
        assert_eq!(api.ok(&staff, "POST", &act("approve"), Some(json!({}))).await["status"], "approved");
        let (status, _, text) = api.call(&staff, "POST", &act("settle"), Some(json!({}))).await;
        assert!(status == 409 && text.contains("returns.undecided"), "{text}");
        let here = json!({"location": shop.second});
        assert_eq!(api.ok(&staff, "POST", &act("receive"), Some(here)).await["status"], "received");
        let bad = json!({"acceptance": "accepted", "disposition": "eaten"});
        assert_eq!(api.call(&staff, "POST", &act("inspect"), Some(bad)).await.0, 422);
        let (status, _, text) =
            api.call(&staff, "POST", &act("decline"), Some(json!({"reason": "no"}))).await;
        assert!(status == 409 && text.contains("returns.already_decided"), "{text}");
        let list = api.ok(&reader, "GET", "/v1/returns?status=received&limit=1", None).await;
        assert_eq!((list["data"][0]["number"].as_str(), list["next_cursor"].as_str()), (Some("R1001"), None));
        let (status, _, page) =
            api.call(&reader, "GET", &format!("/orders/{}/panels/returns", placed.id), None).await;
        assert!(status == 200 && page.contains("R1001") && page.contains("damaged"), "{page}");
        shop.check().await;
    }
}

#[tokio::test]
async fn each_law_notices_tampering() {
    let tampering = [
        ("returns.returned_equals_accepted", "UPDATE order_line SET returned = returned + 1"),
        ("returns.units_were_shipped", "UPDATE return_unit SET unit = 99"),
        ("returns.credited_equals_units", "UPDATE return_request SET credited = credited + 1"),
        ("returns.order_total_equals_credits", "UPDATE orders SET returned_total = returned_total + 1"),
        ("returns.credit_within_unit", "UPDATE return_unit SET credit = credit * 2"),
        ("returns.released_units", "UPDATE return_unit SET released = TRUE"),
        ("returns.settled_is_decided", "UPDATE return_unit SET acceptance = 'manual_review'"),
        ("returns.settled_is_paid", "UPDATE refund SET amount = amount - 1"),
        (
            "returns.photos_are_whole",
            "INSERT INTO return_photo (id, return_id, at, by_actor, width, height, bytes, digest, content) \
             SELECT 1, MIN(id), 0, 'user:1', 1, 1, 4, 'd', 'AAAA' FROM return_request",
        ),
        ("returns.are_of_the_orders_customer", "UPDATE return_request SET customer_id = customer_id + 1"),
    ];
    for db in both(options).await {
        let shop = Shop::open(db).await;
        let placed = shop.delivered(&[("MUG", 3)], true).await;
        let requested = received(&shop, &ask(placed.id, placed.lines[0], 1, Reason::Damaged)).await;
        accept(&shop, requested.id, Disposition::Restock).await;
        settle(&shop, settlement(requested.id)).await;
        shop.check().await;
        assert_eq!(returns::LAWS.len(), tampering.len());
        for (law, (name, change)) in returns::LAWS.iter().zip(tampering) {
            assert_eq!(law.name, name);
            let undone: Result<(), Fault> = db::write!(shop.db, &actor(), |tx| {
                tx.exec(change, []).await?;
                let found = db::laws::check(tx, law).await?;
                Err(Fault::broken(format!("{} offenders", found.len())))
            });
            let said = undone.unwrap_err().to_string();
            assert!(said.starts_with("1 offenders"), "{} on {}: {said}", law.name, shop.db.name);
        }
    }
}
