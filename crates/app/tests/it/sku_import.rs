//! SKUs from a file, as people and programs send it: nothing is written before it is confirmed, every mistake is named by line and column,
//! and the same file once more has nothing left to do.

use crate::clerk::{count, location, send};
use crate::support::{Answer, TestApp, shop};
use serde_json::{Value, json};

const FILE: &str = "sku;title;kind;barcodes;price_eur;price;currency;weight_g;components;for_sale\n\
    PACK;Three tees;bundle;;49.00;;;;TEE*3|MUG*1;\n\
    MUG;Mug;;500|501;9.90;12.00;USD;350;;\n\
    TEE;The TEE;simple;4006381333931;21.00;;;250;;no\n\
    CAP;The CAP;;4006381333948;15.00;;;250;;\n\
    BAD;;;;9,90;;;heavy;;\n\
    MUG;Mug again;;;;;;;;\n\
    NEW;;;;;;;;;\n\
    SOCK;Socks;;4006381333948;;;;;;\n";

async fn read(app: &TestApp, csv: &str) -> Value {
    app.post("/v1/sku-imports", &json!({"name": "spring.csv", "csv": csv})).await.ok()
}

fn counts(import: &Value) -> [i64; 4] {
    ["new", "changed", "same", "wrong"].map(|name| import[name].as_i64().unwrap())
}

#[tokio::test]
async fn a_file_is_shown_first_written_once_and_found_unchanged_afterwards() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 10).await;
        let events = count(&app, "SELECT COUNT(*) FROM event").await;
        let import = read(&app, FILE).await;
        assert_eq!(counts(&import), [2, 1, 1, 4], "{}: {import}", app.name);
        assert_eq!(count(&app, "SELECT COUNT(*) FROM sku").await, 3, "nothing is written yet");
        assert_eq!(count(&app, "SELECT COUNT(*) FROM event").await, events);

        let path = format!("/v1/sku-imports/{}", import["id"].as_str().unwrap());
        let rows = app.get(&format!("{path}/rows")).await.ok();
        let rows: Vec<&Value> = rows["data"].as_array().unwrap().iter().collect();
        let lines: Vec<i64> = rows.iter().map(|r| r["line"].as_i64().unwrap()).collect();
        assert_eq!(lines, [2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(rows[2]["columns"], json!(["price", "for_sale"]));
        let problems = |row: usize| -> Vec<(String, String)> {
            let problems = rows[row]["problems"].as_array().unwrap();
            let text = |p: &Value, name: &str| p[name].as_str().unwrap().to_owned();
            problems.iter().map(|p| (text(p, "column"), text(p, "says"))).collect()
        };
        let columns = |row: usize| problems(row).into_iter().map(|(c, _)| c).collect::<Vec<_>>();
        assert_eq!(columns(4), ["weight_g", "price_eur"]);
        assert_eq!(problems(5)[0].1, "Line 3 is about SKU MUG already: keep one of them.");
        assert_eq!(columns(6), ["title"]);
        assert_eq!(problems(7)[0].1, "Barcode 4006381333948 belongs to SKU CAP: take it away there first.");

        let begun = app.post(&format!("{path}/confirm"), &json!({})).await;
        assert_eq!(begun.status, 202, "{}", begun.text);
        app.post(&format!("{path}/confirm"), &json!({})).await.ok();
        app.drain_jobs().await;
        let done = app.get(&path).await.ok();
        assert_eq!((&done["done"], &done["refused"]), (&json!(3), &json!(0)), "{done}");
        assert!(done["ended_at"].is_string());
        let pack = app.get("/v1/skus/PACK").await.ok();
        assert_eq!(pack["components"], json!([{"sku": "MUG", "quantity": 1}, {"sku": "TEE", "quantity": 3}]));
        let mug = app.get("/v1/skus/MUG").await.ok();
        assert_eq!(
            mug["prices"],
            json!([{"minor": 990, "currency": "EUR"}, {"minor": 1200, "currency": "USD"}])
        );
        let tee = app.get("/v1/skus/TEE").await.ok();
        assert_eq!((&tee["active"], &tee["prices"][0]["minor"]), (&json!(false), &json!(2100)));

        let again = read(&app, FILE).await;
        assert_eq!(counts(&again), [0, 0, 4, 4], "{}: {again}", app.name);
        let path = format!("/v1/sku-imports/{}/confirm", again["id"].as_str().unwrap());
        assert_eq!(app.post(&path, &json!({})).await.refused(409), "catalog.import_nothing_to_do");
        app.check().await;
    }
}

#[tokio::test]
async fn what_a_file_does_not_say_stays_and_what_changed_since_is_told() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 10).await;
        let import = read(&app, "sku,price_eur,weight_g\nTEE,,\nCAP,16.00,90\n").await;
        assert_eq!(counts(&import), [0, 2, 0, 0], "{import}");
        // Between looking and confirming the cap gets a barcode, and another SKU the one that the second file wants.
        let second = read(&app, "sku,title,barcodes\nNEW,New,77\nOLD,Old,\n").await;
        let cap = json!({"title": "Cap", "kind": "simple", "barcodes": ["77"], "prices": [{"minor": 1500, "currency": "EUR"}]});
        app.put("/v1/skus/CAP", &cap).await.ok();
        for (file, done, refused) in [(&import, 2, 0), (&second, 1, 1)] {
            let path = format!("/v1/sku-imports/{}", file["id"].as_str().unwrap());
            app.post(&format!("{path}/confirm"), &json!({})).await.ok();
            app.drain_jobs().await;
            let after = app.get(&path).await.ok();
            assert_eq!((&after["done"], &after["refused"]), (&json!(done), &json!(refused)), "{after}");
        }
        let tee = app.get("/v1/skus/TEE").await.ok();
        assert_eq!((&tee["prices"], &tee["weight_g"]), (&json!([]), &Value::Null), "empty cells take away");
        assert_eq!(tee["barcodes"], json!(["4006381333931"]), "what has no column stays");
        let cap = app.get("/v1/skus/CAP").await.ok();
        assert_eq!((&cap["title"], &cap["weight_g"]), (&json!("Cap"), &json!(90)), "others' changes stay");
        let page = format!("/catalog/import/{}?show=refused", second["id"].as_str().unwrap());
        let page = app.get(&page).await;
        assert!(page.text.contains("Barcode 77 belongs to SKU CAP"), "{}", page.text);
        app.check().await;
    }
}

/// Sends a form with a file, as browsers do.
async fn upload(app: &TestApp, once: &str, name: &str, bytes: &str) -> Answer {
    let body = format!(
        "--x\r\nContent-Disposition: form-data; name=\"once\"\r\n\r\n{once}\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; \
         filename=\"{name}\"\r\nContent-Type: text/csv\r\n\r\n{bytes}\r\n--x--\r\n"
    );
    app.send("/catalog/import", "multipart/form-data; boundary=x", body).await
}

#[tokio::test]
async fn a_file_is_sent_from_the_page_looked_at_and_confirmed() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 10).await;
        let form = app.get("/catalog/import").await;
        assert!(
            form.text.contains("multipart/form-data") && form.text.contains("price_usd"),
            "{}",
            form.text
        );
        let template = app.get("/catalog/import/template.csv").await;
        let page = location(&upload(&app, "a1", "skus.csv", &template.text).await);
        assert_eq!(location(&upload(&app, "a1", "skus.csv", &template.text).await), page, "a double click");
        assert_eq!(count(&app, "SELECT COUNT(*) FROM sku_import").await, 1);
        let shown = app.get(&page).await;
        // The template's barcodes are those of the shop's SKUs.
        assert!(shown.text.contains("Barcode 4006381333931 belongs to SKU TEE"), "{}", shown.text);
        for (file, says) in [
            ("", "Choose a file that is not empty."),
            ("sku,colour\nA,red\n", "There is no column “colour”"),
            ("title\nA\n", "one of them must be sku"),
        ] {
            let refused = upload(&app, "", "x.csv", file).await;
            assert!(refused.status == 422 && refused.text.contains(says), "{}", refused.text);
        }
        let page = location(&upload(&app, "a2", "skus.csv", "sku,title\nMUG,Mug\n").await);
        location(&send(&app, &page, &[("once", "a3")]).await);
        let going = app.get(&page).await;
        assert!(going.text.contains("You may leave this page"), "{}", going.text);
        app.drain_jobs().await;
        let over = app.get(&page).await;
        assert!(over.text.contains("Finished") && over.text.contains("Written"), "{}", over.text);
        let picker = app.with_key(&["catalog:read"]).await;
        assert_eq!(upload(&picker, "", "x.csv", "sku\nA\n").await.status, 403);
        // Nobody confirms the first file: a day later the next one takes it away.
        app.advance(25 * 3600 * 1_000_000);
        upload(&app, "a4", "skus.csv", "sku,title\nMUG,Mug\n").await;
        assert_eq!(count(&app, "SELECT COUNT(*) FROM sku_import").await, 2);
        app.check().await;
    }
}
