//! The books over HTTP, and laws that notice when a row is tampered with.

use crate::serve::Served;
use crate::shop::{Shop, actor, currency, options, run};
use books::SLICE;
use db::testing::{BEGIN, both};
use kernel::Fault;
use returns::{Disposition, Resolution};
use serde_json::json;

#[tokio::test]
async fn statements_journal_and_adjustments_over_the_api() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        shop.db.clock().advance(40 * kernel::Timestamp::DAY);
        let placed = shop.delivered(&[("MUG", 1)], "EUR").await;
        let api = Served::new(&shop.db.db, &[web::SLICE, SLICE]);
        let (owner, reader) = (api.key(&["books:read", "books:write"]).await, api.key(&["books:read"]).await);
        let adjustment =
            json!({"currency": "EUR", "amount": 5000, "debit": "1000", "credit": "3000", "text": "Paid in"});
        assert_eq!(api.call(&reader, "POST", "/v1/books/adjustments", Some(adjustment.clone())).await.0, 403);
        for _ in 0..2 {
            api.ok(&owner, "POST", "/v1/books/adjustments", Some(adjustment.clone())).await;
        }
        let trial = api.ok(&reader, "GET", "/v1/books/trial-balance", None).await;
        let bank =
            trial["accounts"].as_array().unwrap().iter().find(|a| a["account"] == "1000").unwrap().clone();
        assert_eq!((bank["balance"].as_i64(), bank["name"].as_str()), (Some(5000), Some("Bank")));
        let sheet = api.ok(&reader, "GET", "/v1/books/balance-sheet?until=2026-01-01T00:00:00Z", None).await;
        assert_eq!(sheet["assets"], json!([]));
        let result =
            api.ok(&reader, "GET", "/v1/books/profit-and-loss?from=2026-01-01T00:00:00Z", None).await;
        assert!(result["income"].as_array().is_some_and(|i| !i.is_empty()));
        let first =
            api.ok(&reader, "GET", &format!("/v1/books/journal?order={}&limit=1", placed.id), None).await;
        assert_eq!(first["data"][0]["order"], placed.id.to_string());
        let next = format!(
            "/v1/books/journal?order={}&limit=1&cursor={}",
            placed.id,
            first["next_cursor"].as_str().unwrap()
        );
        assert_ne!(api.ok(&reader, "GET", &next, None).await["data"][0]["id"], first["data"][0]["id"]);
        let open = api.ok(&reader, "GET", "/v1/books/open-items?account=1050", None).await;
        assert_eq!(
            (open[0]["order"].as_str().unwrap(), open[0]["amount"].as_i64()),
            (placed.id.to_string().as_str(), Some(placed.total.minor))
        );
        assert_eq!(api.call(&reader, "GET", "/v1/books/open-items?account=77", None).await.0, 422);
        api.ok(&owner, "POST", "/v1/books/periods/2026-01/close", Some(json!({}))).await;
        let (status, _, text) =
            api.call(&owner, "POST", "/v1/books/periods/2026-02/close", Some(json!({}))).await;
        assert!(status == 409 && text.contains("books.month_not_over"), "{text}");
        let (status, headers, text) = api.call(&reader, "GET", "/v1/books/export.hledger", None).await;
        assert!(
            status == 200
                && headers.contains("fulmar.journal")
                && text.contains("(jrn_")
                && text.contains("Paid in")
        );
        shop.check().await;
    }
}

const DELETE_ENTRIES: &str = "DELETE FROM journal_entry WHERE NOT EXISTS (SELECT 1 FROM posting p WHERE p.entry_id = journal_entry.id)";

async fn offenders(shop: &Shop, name: &str, changes: &[String]) -> String {
    let law = books::LAWS.iter().find(|l| l.name == name).unwrap();
    let undone: Result<(), Fault> = db::write!(shop.db, &actor(), |tx| {
        for change in changes {
            tx.exec(change, []).await?;
        }
        let found = db::laws::check(tx, law).await?;
        Err(Fault::broken(format!("{} offenders", found.len())))
    });
    undone.unwrap_err().to_string()
}

#[tokio::test]
async fn each_law_notices_tampering() {
    let tampering = [
        ("books.entry_has_postings", "INSERT INTO journal_entry (id, at, text) VALUES (1, 0, 'nothing')"),
        ("books.months_equal_postings", "UPDATE account_month SET debit = debit + 1 WHERE account = '2000'"),
        ("books.customers_equal_orders", "UPDATE orders SET captured = captured + 1"),
        ("books.customers_equal_orders", "UPDATE orders SET returned_total = returned_total + 1"),
        ("books.store_credit_equals_balances", "UPDATE store_credit SET balance = balance + 1"),
        (
            "books.inventory_equals_stock",
            "UPDATE sku_cost SET value = value + 1 WHERE sku_id = (SELECT MIN(sku_id) FROM sku_cost)",
        ),
    ];
    for db in both(options).await {
        let shop = Shop::open(db).await;
        let placed = shop.delivered(&[("MUG", 2)], "EUR").await;
        shop.take_back(&placed, 1, Disposition::Restock, Resolution::StoreCredit).await;
        run!(shop, |tx| {
            let customer =
                orders::read::orders_by_id(tx, &[placed.id]).await?.remove(&placed.id).unwrap().customer_id;
            let gift = customers::CreditEntry {
                at: BEGIN,
                customer,
                currency: currency("EUR"),
                amount: 5,
                reason: "granted".into(),
                order: None,
                reference: "gift".into(),
            };
            customers::post_credit(tx, &[gift]).await?.remove(0).unwrap();
            let sku = catalog::skus_by_code(tx, &["MUG"]).await?["MUG"].id;
            let lost = inventory::Adjust {
                at: BEGIN,
                sku,
                location: shop.warehouse,
                delta: -1,
                reason: "lost".into(),
            };
            inventory::adjust(tx, &[lost]).await?.remove(0).unwrap();
            Ok(())
        });
        shop.check().await;
        for (name, change) in tampering {
            let said = offenders(&shop, name, &[change.to_owned()]).await;
            assert!(said.starts_with("1 offenders"), "{name} on {}: {said}", shop.db.name);
        }
        for kind in [
            "order.units_shipped",
            "order.units_returned",
            "payment.captured",
            "payment.refunded",
            "stock.received",
            "stock.adjusted",
            "shipment.label_purchased",
            "store_credit.changed",
        ] {
            let unpost = format!(
                "DELETE FROM posting WHERE entry_id IN (SELECT e.id FROM journal_entry e JOIN event v ON v.id = e.event_id WHERE v.kind = '{kind}')"
            );
            let said =
                offenders(&shop, "books.every_money_event_is_posted", &[unpost, DELETE_ENTRIES.to_owned()])
                    .await;
            let expected = if kind == "stock.received" { "3 offenders" } else { "1 offenders" };
            assert!(said.starts_with(expected), "{kind} on {}: {said}", shop.db.name);
        }
    }
}
