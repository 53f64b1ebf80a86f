//! The floor over HTTP as a picker works it: released, picked and packed by scanning, labelled, handed over; and who may not.

use crate::carriers::{Script, carriers, rate_cards};
use crate::shop::{BARCODE_OF_A, Shop, shops};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use db::{Ctx, Parts};
use kernel::Actor;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tower::ServiceExt;
use web::auth::{CreateKey, create_api_key};
use web::{App, Setup, Slice};

const SLICES: &[Slice] =
    &[web::SLICE, catalog::SLICE, inventory::SLICE, orders::SLICE, warehouse::SLICE, shipping::SLICE];
/// What a picker may.
const PICKER: &[&str] = &[
    "warehouse:read",
    "warehouse:pick",
    "shipping:read",
    "shipping:write",
    "inventory:read",
    "catalog:read",
];

struct Answer {
    status: u16,
    to: String,
    text: String,
}

struct Desk {
    router: Router,
    key: String,
    next: AtomicU64,
}

impl Desk {
    async fn open(shop: &Shop, scopes: &[&str]) -> Self {
        let ctx = Ctx {
            db: shop.db.db.clone(),
            outside: Arc::new(Script::default()),
            parts: Parts::default().with(carriers()),
        };
        let app = App::new(ctx, SLICES, Setup::default());
        let new = CreateKey {
            name: "picker".into(),
            scopes: scopes.iter().map(|s| (*s).to_owned()).collect(),
            expires_at: None,
        };
        let made =
            db::write!(shop.db.db, &Actor::system("test"), |tx| create_api_key(tx, SLICES, &new).await);
        let key = format!("Bearer {}", made.unwrap().unwrap().key);
        Self { router: web::router(app), key, next: AtomicU64::new(0) }
    }
    async fn send(&self, method: &str, path: &str, body: String) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", &self.key)
            .header("content-type", "application/x-www-form-urlencoded");
        let answer = self.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let to = answer.headers().get(header::LOCATION).map_or("", |v| v.to_str().unwrap()).to_owned();
        let status = answer.status().as_u16();
        let bytes = to_bytes(answer.into_body(), 1 << 24).await.unwrap();
        Answer { status, to, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }
    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, String::new()).await
    }
    /// Sends a form under a key of its own.
    async fn post(&self, path: &str, fields: &str) -> Answer {
        let key = self.next.fetch_add(1, Ordering::Relaxed);
        self.send("POST", path, format!("once=k{key}&{fields}")).await
    }
    /// What a scan says: `right`, `wrong` or `back`.
    async fn scan(&self, path: &str, text: &str) -> (u16, String, String) {
        let answer = self.post(path, &format!("scan={text}")).await;
        let after = answer.text.split("data-outcome=\"").nth(1).unwrap_or_else(|| panic!("{}", answer.text));
        let outcome = after.split('"').next().unwrap().to_owned();
        (answer.status, outcome, answer.text)
    }
}

#[tokio::test]
async fn a_picker_picks_and_packs_by_scanning() {
    for shop in shops().await {
        shop.receive("A", shop.berlin, 9).await;
        shop.receive("B", shop.berlin, 9).await;
        let order = shop.order(&[("A", 2), ("AB", 1)]).await;
        let f = shop.at(order.id, shop.berlin).await;
        let lead = Desk::open(&shop, &["*"]).await;
        assert!(lead.get("/warehouse").await.text.contains(&f.number), "it waits to be released");
        let released = lead.post("/warehouse/release", &format!("do=ticked&ids[]={}", f.id)).await;
        assert_eq!((released.status, released.to.as_str()), (303, "/warehouse"), "{}", released.text);

        let desk = Desk::open(&shop, PICKER).await;
        assert!(desk.get("/pick").await.text.contains(&f.number));
        let by_number = desk.get(&format!("/pick?scan={}", f.number.to_lowercase())).await;
        assert_eq!(by_number.to, format!("/pick/{}", f.id));
        let scans = format!("/pick/{}/scan", f.id);
        let (status, outcome, text) = desk.scan(&scans, "D").await;
        assert_eq!((status, outcome.as_str()), (422, "wrong"));
        assert!(
            text.contains("“D” is not to be picked here. Expected: 2 × A, 2 × A for AB, 1 × B for AB."),
            "{text}"
        );
        // The same scan sent twice counts once.
        let twice = format!("once=same&scan={BARCODE_OF_A}");
        for _ in 0..2 {
            assert_eq!(desk.send("POST", &scans, twice.clone()).await.status, 200);
        }
        assert_eq!(shop.at(order.id, shop.berlin).await.picked, 1);
        for text in ["A", "A", "A", "B"] {
            assert_eq!(desk.scan(&scans, text).await.1, "right", "{text}");
        }
        assert_eq!(shop.at(order.id, shop.berlin).await.open(), 0);
        // The last scan completed the bundle; taking it back leaves its other components collected.
        assert_eq!(desk.scan(&format!("/pick/{}/undo", f.id), "B").await.1, "back");
        assert_eq!(shop.at(order.id, shop.berlin).await.open(), 1);
        shop.check(shipping::laws::LAWS).await;
        assert_eq!(desk.scan(&scans, "A").await.1, "wrong", "both of them are collected");
        let (_, outcome, text) = desk.scan(&scans, "B").await;
        assert!(
            outcome == "right" && text.contains("data-done") && text.contains("Everything is picked"),
            "{text}"
        );
        let (status, _, text) = desk.scan(&scans, "A").await;
        assert!(
            status == 422 && text.contains("Only 0 more of it are to be picked."),
            "one too many: {text}"
        );

        let parcel = pack(&shop, &desk, &f).await;
        label(&shop, &desk, &parcel).await;
        shop.check(shipping::laws::LAWS).await;
    }
}

/// Scans every piece into the box and closes it; gives the path of the parcel.
async fn pack(shop: &Shop, desk: &Desk, f: &warehouse::Fulfilment) -> String {
    assert!(desk.get("/pack").await.text.contains(&f.number));
    let (scans, close) = (format!("/pack/{}/scan", f.id), format!("/pack/{}/close", f.id));
    let early = desk.post(&close, "carton=&weight=").await;
    assert!(
        early.status == 422 && early.text.contains("5 more to scan before this box is closed."),
        "{}",
        early.text
    );
    assert_eq!(desk.scan(&scans, "D").await.1, "wrong");
    for text in [BARCODE_OF_A, "A", "A", "A"] {
        assert_eq!(desk.scan(&scans, text).await.1, "right");
    }
    let (status, outcome, text) = desk.scan(&scans, "A").await;
    assert!(status == 422 && outcome == "wrong" && text.contains("too many"), "{text}");
    assert_eq!(desk.scan(&format!("/pack/{}/undo", f.id), "A").await.1, "back");
    assert_eq!(desk.scan(&scans, "A").await.1, "right");
    assert_eq!(desk.post(&close, "carton=").await.status, 422, "B is missing");
    assert_eq!(desk.scan(&scans, "B").await.1, "right");
    let wrong = desk.post(&close, "weight=heavy").await;
    assert!(wrong.status == 422 && wrong.text.contains("field-weight-error"), "{}", wrong.text);
    let twice = "once=close&weight=1250&length=300&width=200&height=100".to_owned();
    let closed = desk.send("POST", &close, twice.clone()).await;
    assert!(
        closed.status == 303 && closed.to.starts_with("/parcels/par_"),
        "{} {}",
        closed.status,
        closed.text
    );
    assert_eq!(shop.number("SELECT COUNT(*) FROM pack_progress").await, 0);
    assert_eq!(shop.number("SELECT weight_g FROM parcel").await, 1250);
    closed.to
}

/// Buys the label by the first offer and hands the parcel over.
async fn label(shop: &Shop, desk: &Desk, parcel: &str) {
    shop.write(async |tx| shipping::save_rate_cards(tx, tx.now(), &rate_cards()).await).await;
    assert!(desk.get(parcel).await.text.contains("1.250 kg"));
    let panel = desk.get(&format!("/panels{parcel}/label")).await;
    let value = |name: &str| {
        let after = panel.text.split(&format!("name=\"{name}\" value=\"")).nth(1);
        after.unwrap_or_else(|| panic!("no {name} in {}", panel.text)).split('"').next().unwrap().to_owned()
    };
    let fields = format!("carrier={}&service={}", value("carrier"), value("service"));
    let bought = desk.post(&format!("{parcel}/label"), &fields).await;
    assert_eq!((bought.status, bought.to.as_str()), (303, parcel), "{}", bought.text);
    let again = desk.post(&format!("{parcel}/label"), &fields).await;
    assert!(again.status == 422 && again.text.contains("void it first"), "{}", again.text);
    let list = desk.get("/shipments?show=ready").await;
    let id = list.text.split("/shipments/shp_").nth(1).unwrap_or_else(|| panic!("{}", list.text));
    let id = format!("shp_{}", id.split('"').next().unwrap());
    let left = desk.post("/shipments/ship", &format!("ids[]={id}&back=/shipments?show=ready")).await;
    assert_eq!((left.status, left.to.as_str()), (303, "/shipments?show=ready"), "{}", left.text);
    let late = desk.post(&format!("/shipments/{id}/void"), "").await;
    assert!(late.status == 422 && late.text.contains("has left already"), "{}", late.text);
    let told = desk.post(&format!("/shipments/{id}/track"), "status=delivered&place=Oldenburg").await;
    assert_eq!(told.status, 303, "{}", told.text);
    let page = desk.get(&format!("/shipments/{id}")).await.text;
    assert!(
        page.contains("Oldenburg") && page.contains("Handed over") && !page.contains("Void the label"),
        "{page}"
    );
}

#[tokio::test]
async fn what_is_missing_is_reported_and_who_may_not_pick_does_not() {
    for shop in shops().await {
        shop.receive("A", shop.berlin, 3).await;
        let order = shop.order(&[("A", 3)]).await;
        let f = shop.at(order.id, shop.berlin).await;
        shop.release(f.id).await;
        let desk = Desk::open(&shop, PICKER).await;
        let fields = format!("line={}&quantity=4&reason=damaged", f.lines[0].id);
        let too_many = desk.post(&format!("/pick/{}/short", f.id), &fields).await;
        assert!(too_many.status == 422 && too_many.text.contains("Only 3 more"), "{}", too_many.text);
        let empty = desk
            .post(&format!("/pick/{}/short", f.id), &format!("line={}&quantity=&reason=", f.lines[0].id))
            .await;
        assert!(empty.status == 422 && empty.text.contains("at least 1"), "{}", empty.text);
        let fields = format!("line={}&quantity=2&reason=damaged", f.lines[0].id);
        let short = desk.post(&format!("/pick/{}/short", f.id), &fields).await;
        assert_eq!(short.status, 303, "{}", short.text);
        assert_eq!(shop.at(order.id, shop.berlin).await.open(), 1);
        shop.check(shipping::laws::LAWS).await;
        assert_eq!(desk.post("/warehouse/release", "do=all").await.status, 403, "a picker does not release");
        let reader = Desk::open(&shop, &["warehouse:read"]).await;
        assert_eq!(reader.get(&format!("/pick/{}", f.id)).await.status, 403);
        assert_eq!(reader.post(&format!("/pick/{}/scan", f.id), "scan=A").await.status, 403);
        assert_eq!(reader.get("/shipments").await.status, 403);
        let menu = desk.get("/pick").await.text;
        assert!(
            menu.contains("href=\"/pack\"")
                && !menu.contains("href=\"/warehouse\"")
                && !menu.contains("/books")
        );
    }
}

#[tokio::test]
async fn the_catalogue_and_stock_are_changed_by_forms_with_errors_by_the_field() {
    for shop in shops().await {
        let desk = Desk::open(&shop, &["*"]).await;
        let new = "code=MUG&title=Mug&kind=simple&tax_class=standard&barcodes=4006381333931&active=yes\
             &prices[0][currency]=EUR&prices[0][amount]=12.90&weight=350";
        let taken = desk.post("/catalog/new", new).await;
        assert!(
            taken.status == 422
                && taken.text.contains("field-barcodes-error")
                && taken.text.contains("belongs to SKU A"),
            "{}",
            taken.text
        );
        let free = new.replace("4006381333931", "4006381333948");
        let made = desk.post("/catalog/new", &free).await;
        assert_eq!((made.status, made.to.as_str()), (303, "/catalog/skus/MUG"), "{}", made.text);
        let twice = desk.post("/catalog/new", &free).await;
        assert!(twice.status == 422 && twice.text.contains("There is a SKU MUG already"), "{}", twice.text);
        let stale = desk.post("/catalog/skus/MUG/edit", &format!("{free}&version=99")).await;
        assert!(stale.status == 422 && stale.text.contains("Somebody changed this SKU"), "{}", stale.text);
        let price = desk.post("/catalog/skus/MUG/edit", &free.replace("12.90", "12,3,4")).await;
        assert!(
            price.status == 422 && price.text.contains("field-prices-0--amount--error"),
            "{}",
            price.text
        );
        assert!(desk.get("/catalog?search=4006381333948").await.text.contains("/catalog/skus/MUG"));
        assert!(desk.get("/catalog?search=nothing%25").await.text.contains("No SKU matches"));
        let bad = desk.post("/stock/receive", "sku_typed=NOPE&location=berlin&quantity=many&cost=3.80").await;
        assert!(
            bad.status == 422
                && bad.text.contains("field-sku-error")
                && bad.text.contains("field-quantity-error"),
            "{}",
            bad.text
        );
        let fields = "sku_typed=4006381333948&location=berlin&quantity=5&cost=3.80&reference=PO-7";
        for _ in 0..2 {
            let got = desk.send("POST", "/stock/receive", format!("once=delivery&{fields}")).await;
            assert_eq!(
                (got.status, got.to.as_str()),
                (303, "/stock/receive?location=berlin&reference=PO-7"),
                "{}",
                got.text
            );
        }
        let of = |column: &str| {
            format!("SELECT {column} FROM stock t JOIN sku s ON s.id = t.sku_id WHERE s.code = 'MUG'")
        };
        assert_eq!(shop.number(&of("on_hand")).await, 5, "a delivery that is sent twice came once");
        let reason = desk.post("/stock/adjust", "sku=MUG&location=berlin&quantity=-2").await;
        assert!(reason.status == 422 && reason.text.contains("field-reason-error"), "{}", reason.text);
        assert_eq!(
            desk.post("/stock/adjust", "sku=MUG&location=berlin&quantity=-2&reason=damaged").await.status,
            303
        );
        assert_eq!(desk.post("/stock/count", "sku=MUG&location=berlin&quantity=4").await.status, 303);
        let much = desk.post("/stock/transfer", "sku=MUG&location=berlin&to=madrid&quantity=9").await;
        assert!(much.status == 422 && much.text.contains("Only 4 of MUG"), "{}", much.text);
        assert_eq!(desk.post("/stock/safety", "sku=MUG&location=berlin&quantity=6").await.status, 303);
        assert!(desk.get("/stock?show=low").await.text.contains("/stock/skus/MUG"));
        assert_eq!(desk.post("/stock/bin", "sku=MUG&location=berlin&reference=A-07").await.status, 303);
        let history = desk.get("/stock/skus/MUG").await.text;
        for part in ["A-07", "PO-7", "damaged", "Counted", "picker", "+5", "−2"] {
            assert!(history.contains(part), "{part} is not in {history}");
        }
        assert!(!desk.get("/stock/skus/MUG?kind=receipt").await.text.contains("damaged"));
        shop.check(shipping::laws::LAWS).await;
    }
}

#[tokio::test]
async fn a_lead_sets_rates_and_a_secret_tests_them_and_a_picker_may_not() {
    for shop in shops().await {
        let picker = Desk::open(&shop, PICKER).await;
        let lead = Desk::open(&shop, &["shipping:*"]).await;
        let rates = "carrier=kite&service=std&name=Kite&origin=DE&currency=EUR&divisor=5000&min_days=1&max_days=2&active=yes";
        let zone = "zones[0][name]=home&zones[0][places]=DE&zones[0][prices]=1000+3.99";
        for (path, fields) in
            [("/settings/rates", rates), ("/settings/carriers/post", "secret=0123456789abcdef")]
        {
            assert_eq!(picker.post(path, fields).await.status, 403, "{path}");
        }
        // What is wrong comes back by its field, with what was typed.
        for (fields, field) in [
            (format!("{rates}&{zone}1"), "field-zones-0--prices--error"),
            (
                format!("{rates}&zones[0][name]=home&zones[0][places]=QQ&zones[0][prices]=1+1"),
                "field-zones-0--places--error",
            ),
            (format!("{rates}&max_days=0&{zone}").replace("max_days=2&", ""), "field-max-days-error"),
        ] {
            let wrong = lead.post("/settings/rates", &fields).await;
            assert!(wrong.status == 422 && wrong.text.contains(field), "{field}: {}", wrong.text);
            assert!(wrong.text.contains("value=\"Kite\""));
        }
        let done = lead.post("/settings/rates", &format!("{rates}&{zone}")).await;
        assert_eq!((done.status, done.to.as_str()), (303, "/settings/carriers/kite"), "{}", done.text);
        let twice = lead.post("/settings/rates", &format!("{rates}&{zone}")).await;
        assert!(twice.status == 422 && twice.text.contains("open it to change it"), "{}", twice.text);
        let form = lead.get("/settings/rates?carrier=kite&service=std&origin=DE").await.text;
        assert!(form.contains("1000 3.99") && form.contains("Zone home"), "{form}");
        // The test says what it costs, or why there is no offer and what to change.
        for (asked, says) in [
            ("country=DE&weight=900", "Kite 3.99 EUR in 1 to 2 days"),
            ("country=DE&weight=1001", "add a price for more"),
            ("country=US&weight=1", "US is in no zone"),
        ] {
            let told = lead.post("/settings/carriers/kite/test", asked).await;
            assert!(told.status == 200 && told.text.contains(says), "{asked}: {}", told.text);
            assert!(told.text.contains("tracking is entered by hand"));
        }
        let unread = lead.post("/settings/carriers/kite/test", "country=Q&weight=1").await;
        assert!(unread.status == 422 && unread.text.contains("field-country-error"));
        // A secret is set once and never shown again.
        let short = lead.post("/settings/carriers/kite", "secret=short").await;
        assert!(short.status == 422 && short.text.contains("field-secret-error"), "{}", short.text);
        let set = lead.post("/settings/carriers/kite", "secret=0123456789abcdef").await;
        assert_eq!(set.status, 303, "{}", set.text);
        let page = lead.get("/settings/carriers/kite").await.text;
        assert!(page.contains("secret is set") && !page.contains("0123456789abcdef"));
        let leaks: Option<i64> = shop
            .db
            .read()
            .scalar("SELECT COUNT(*) FROM event WHERE payload LIKE '%0123456789abcdef%'", [])
            .await
            .unwrap();
        assert_eq!(leaks, Some(0), "no event holds it");
        assert!(lead.get("/settings/carriers").await.text.contains("/settings/carriers/kite"));
        assert_eq!(lead.post("/settings/carriers/none", "secret=0123456789abcdef").await.status, 404);
    }
}

#[tokio::test]
async fn a_location_is_made_and_changed_by_a_form() {
    for shop in shops().await {
        let desk = Desk::open(&shop, &["inventory:*"]).await;
        let reader = Desk::open(&shop, &["inventory:read"]).await;
        let typed = "code=MUC&name=Munich&kind=warehouse&priority=7&active=yes&city=M%C3%BCnchen&country=de";
        assert_eq!(reader.post("/settings/locations", typed).await.status, 403);
        for (wrong, field) in [
            (typed.replace("country=de", "country=QQ"), "field-country-error"),
            (typed.replace("priority=7", "priority=soon"), "field-priority-error"),
            (format!("{typed}&lat=91&lon=0"), "field-lat-error"),
            (typed.replace("kind=warehouse", "kind=supplier"), "field-supplier-error"),
        ] {
            let told = desk.post("/settings/locations", &wrong).await;
            assert!(told.status == 422 && told.text.contains(field), "{field}: {}", told.text);
        }
        assert_eq!(desk.post("/settings/locations", typed).await.status, 303);
        let twice = desk.post("/settings/locations", typed).await;
        assert!(twice.status == 422 && twice.text.contains("open it to change it"), "{}", twice.text);
        let closed = typed.replace("&active=yes", "").replace("priority=7", "priority=9");
        assert_eq!(desk.post("/settings/locations", &format!("{closed}&known=yes")).await.status, 303);
        let form = reader.get("/settings/locations/MUC").await.text;
        assert!(form.contains("value=\"9\"") && form.contains("München"), "{form}");
        assert!(!form.contains("form-buttons"), "who may not change it has no button");
        assert!(reader.get("/settings/locations").await.text.contains("Takes none"));
    }
}
