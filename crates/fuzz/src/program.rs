//! The program as a whole, in this process on a database in memory: requests through its own router. Invariant: no request is answered
//! with a fault, a refusal is a problem with its code and changes nothing, and when it is over every law holds.

use crate::{text, texts};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use db::{Clock, Ctx, Db};
use fulmar::config::Config;
use fulmar::outside::Executor;
use fulmar::{cmd, program, serve, slices, verify};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::sync::Arc;
use tokio::runtime::Runtime;
use tower::ServiceExt;

/// After so many inputs the laws are proven and a new database is begun: what is slow is then slow for the input's sake.
const FOR_ONE_DATABASE: usize = 2_000;
const SECRET: &str = "a secret of sixteen";

thread_local! {
    static PROGRAM: RefCell<Option<Program>> = const { RefCell::new(None) };
}

/// The program with a small shop.
pub(crate) struct Program {
    runtime: Runtime,
    ctx: Ctx,
    router: Router,
    key: String,
    /// What stands in inputs for the ids of the shop.
    names: Vec<(&'static str, String)>,
    inputs: usize,
}

struct Answer {
    status: StatusCode,
    kind: String,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// Work with the program of this thread.
pub(crate) fn with<T>(work: impl FnOnce(&mut Program) -> T) -> T {
    PROGRAM.with_borrow_mut(|slot| {
        let worn = slot.as_ref().is_some_and(|p| p.inputs >= FOR_ONE_DATABASE);
        if worn && let Some(program) = slot.take() {
            program.end();
        }
        let program = slot.get_or_insert_with(Program::open);
        program.inputs += 1;
        work(program)
    })
}

/// Proves the laws of what the inputs of this thread left, where any of them reached a database.
///
/// # Panics
/// When a law does not hold, or background work faults or does not end.
pub fn settle() {
    if let Some(program) = PROGRAM.with_borrow_mut(Option::take) {
        program.end();
    }
}

impl Program {
    fn open() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let config = Config::default();
        let ctx = runtime.block_on(async {
            let options = program::options(1, Clock::manual(db::testing::BEGIN));
            let db = Db::open("sqlite::memory:", options).await.expect("a database in memory");
            program::assemble(db, Arc::new(Executor::new().expect("no network yet")), &config)
                .expect("defaults")
        });
        let router = runtime.block_on(async { serve::router(&ctx, &config).expect("a router") });
        let made = runtime.block_on(cmd::key::create(&ctx, "fuzz", vec!["*".to_owned()])).expect("a key");
        let mut program = Self { runtime, ctx, router, key: made.key, names: Vec::new(), inputs: 0 };
        program.fill();
        program
    }

    /// The database of the shop.
    pub(crate) fn db(&self) -> &Db {
        &self.ctx.db
    }

    pub(crate) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    fn end(self) {
        self.work();
        let verdicts = self.run(verify::verify(self.db(), &slices::laws())).expect("the laws can be asked");
        let broken: Vec<_> = verdicts.iter().filter(|v| !v.holds).collect();
        assert!(broken.is_empty(), "broken laws: {broken:#?}");
        let Self { runtime, ctx, router, .. } = self;
        drop((router, ctx));
        runtime.shutdown_background();
    }

    /// Background work until nothing is due.
    fn work(&self) {
        let busy = || {
            self.run(db::work_once(&self.ctx, slices::jobs(), slices::timers())).expect("jobs can be asked")
        };
        assert!((0..1_000).any(|_| busy() == 0), "background work does not end");
    }

    fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Option<Answer> {
        let kind =
            if path.starts_with("/v1") { "application/json" } else { "application/x-www-form-urlencoded" };
        let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).ok()?).uri(path);
        request =
            request.header("authorization", format!("Bearer {}", self.key)).header("content-type", kind);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_vec())).ok()?;
        let answer = self.run(async {
            let (parts, body) =
                self.router.clone().oneshot(request).await.expect("it always answers").into_parts();
            let body = to_bytes(body, usize::MAX).await.expect("a body in memory").to_vec();
            let kind = parts
                .headers
                .get("content-type")
                .and_then(|v| v.to_str().ok())
                .unwrap_or_default()
                .to_owned();
            Answer { status: parts.status, kind, body }
        });
        check(method, path, &answer);
        Some(answer)
    }

    /// One call that has to succeed: the shop is made of such.
    fn must(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.call(method, path, &[], body.to_string().as_bytes()).expect("a request");
        assert!(answer.status.is_success(), "{method} {path}: {}", String::from_utf8_lossy(&answer.body));
        answer.json()
    }

    fn fill(&mut self) {
        self.must(
            "PUT",
            "/v1/tax-rates",
            &json!({"items": [{"country": "DE", "tax_class": "standard", "rate_ppm": 190_000}]}),
        );
        self.must("PUT", "/v1/skus/TEE", &json!({"title": "Tee", "kind": "simple", "prices": [{"minor": 2000, "currency": "EUR"}], "barcodes": ["4006381333931"]}));
        self.must(
            "PUT",
            "/v1/skus/CAP",
            &json!({"title": "Cap", "kind": "simple", "prices": [{"minor": 1500, "currency": "EUR"}]}),
        );
        let address = json!({"name": "Shop", "line1": "Torstraße 1", "postal_code": "10119", "city": "Berlin", "country": "DE"});
        self.must(
            "PUT",
            "/v1/locations/BER",
            &json!({"name": "Berlin", "kind": "warehouse", "address": address}),
        );
        let received =
            |sku: &str| json!({"sku": sku, "location": "BER", "quantity": 100_000, "unit_cost": 700});
        self.must("POST", "/v1/receipts", &json!({"items": [received("TEE"), received("CAP")]}));
        let order = self.must("POST", "/v1/orders", &order("ada"));
        self.work();
        let id = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let order = id(&order["id"]);
        let shown = self.must("GET", &format!("/v1/orders/{order}"), &Value::Null);
        let payments = self.must("GET", &format!("/v1/orders/{order}/payments"), &Value::Null);
        let fulfilments = self.must("GET", "/v1/fulfilments", &Value::Null);
        let webhook = self.must(
            "POST",
            "/v1/webhooks",
            &json!({"url": "https://hooks.example/x", "kinds": ["mail.sent"]}),
        );
        self.names = vec![
            ("$customer", id(&shown["customer"])),
            ("$line", id(&shown["details"]["lines"][0]["id"])),
            ("$payment", id(&payments["data"][0]["id"])),
            ("$fulfilment", id(&fulfilments["data"][0]["id"])),
            ("$webhook", id(&webhook["id"])),
            ("$order", order),
        ];
        assert!(self.names.iter().all(|(_, id)| id.len() == 17), "{:?}", self.names);
        let prices = json!([{"zone": "z", "up_to_g": 1000, "price": 499}]);
        let zones = json!([{"country": "*", "postal_prefix": "", "zone": "z"}]);
        self.must("PUT", "/v1/rate-cards", &json!([{"carrier": "post", "service": "parcel", "name": "P", "origin_country": "DE", "currency": "EUR", "dim_divisor": 5000, "min_days": 1, "max_days": 3, "active": true, "zones": zones, "prices": prices}]));
        self.must("PUT", "/v1/carriers/post/webhook-secret", &json!({"secret": SECRET}));
        let setting = payments::webhook::secret_setting("sandbox");
        self.run(async {
            db::write!(self.ctx.db, &cmd::operator(), |tx| db::settings::set(tx, &setting, &SECRET).await)
        })
        .expect("a setting");
    }

    fn named(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (name, id)| text.replace(name, id))
    }

    fn count(&self, table: &str) -> i64 {
        let text = format!("SELECT COUNT(*) FROM {table}");
        self.run(self.db().read().scalar(&text, [])).expect("it can be counted").unwrap_or(0)
    }
}

/// What every answer promises.
fn check(method: &str, path: &str, answer: &Answer) {
    let shown = || format!("{method} {path}: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
    assert!(!answer.status.is_server_error(), "{}", shown());
    if !path.starts_with("/v1/") {
        return;
    }
    if answer.status.is_client_error() {
        assert_eq!(answer.kind, "application/problem+json", "{}", shown());
        let problem = answer.json();
        assert_eq!(problem["status"], answer.status.as_u16(), "{}", shown());
        assert!(problem["code"].as_str().is_some_and(|c| c.contains('.')), "{}", shown());
    } else if answer.kind == "application/json" {
        assert!(!answer.json().is_null() || answer.body == b"null", "{}", shown());
    }
}

/// `POST /v1/orders/$order/cancel`, an `Idempotency-Key` if there is one, a line, and the body.
pub(crate) fn api(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    with(|program| {
        let text = program.named(text);
        let (first, body) = text.split_once('\n').unwrap_or((&text, ""));
        let mut words = first.splitn(3, ' ');
        let (Some(method), Some(path)) = (words.next(), words.next()) else { return };
        let key = words.next().map(|key| ("idempotency-key", key));
        let headers: Vec<(&str, &str)> = key.into_iter().collect();
        let Some(answer) = program.call(method, path, &headers, body.as_bytes()) else { return };
        // It may have revoked its own key.
        if answer.status == StatusCode::UNAUTHORIZED {
            program.inputs = FOR_ONE_DATABASE;
        }
        if answer.status.is_success() && method != "GET" && program.inputs.is_multiple_of(16) {
            program.work();
        }
    });
}

pub(crate) fn api_seeds() -> Vec<Vec<u8>> {
    let mut seeds = texts(&[
        "GET /v1/orders?limit=5&search=ada&held=false&hold=manual&placed_from=2026-01-01T00:00:00Z&customer=$customer",
        "GET /v1/orders?cursor=WyIyMDI2LTAxLTA1VDA5OjAwOjAwWiIsIm9yZF8wMDAwMDAwMDAwMDAxIl0",
        "GET /v1/events?after=0&kind=order.placed&order=$order",
        "GET /v1/books/journal?account=customers&from=2026-01-01&until=2026-12-31&order=$order",
        "GET /v1/fulfilments?status=open&location=BER",
        "GET /v1/customers?email=ada%40example.com&phone=%2B4930&name=A",
        "GET /v1/stock?sku=TEE&location=BER&limit=200",
        "GET /v1/skus?q=4006381333931&active=true",
        "GET /orders?search=%C3%A9&hold=manual",
        "POST /v1/orders/$order/notes k1\n{\"text\": \"seen\"}",
        "POST /v1/orders/$order/holds\n{\"kind\": \"manual\", \"reason\": \"x\"}",
        "POST /v1/orders/$order/cancel\n{\"reason\": \"x\", \"lines\": [{\"line\": \"$line\", \"quantity\": 1}]}",
        "POST /v1/orders/$order/refunds\n{\"amount\": 100, \"reason\": \"goodwill\"}",
        "POST /v1/orders/$order/returns\n{\"units\": [{\"line\": \"$line\", \"quantity\": 1, \"reason\": \"too small\"}], \"resolution\": \"refund\"}",
        "POST /v1/payments/$payment/capture\n{\"amount\": 100}",
        "POST /v1/fulfilments/$fulfilment/pick\n{\"scan\": \"4006381333931\", \"quantity\": 1}",
        "POST /v1/fulfilments/$fulfilment/release",
        "PUT /v1/skus/X-1\n{\"title\": \"X\", \"kind\": \"bundle\", \"barcodes\": [\"0012345678905\"], \"prices\": [{\"minor\": 1, \"currency\": \"JPY\"}], \"components\": [{\"sku\": \"TEE\", \"quantity\": 2}], \"weight_g\": 1}",
        "PUT /v1/locations/L2\n{\"name\": \"L\", \"kind\": \"shop\", \"priority\": 3, \"lat\": 52.5, \"lon\": 13.4, \"address\": {\"name\": \"A\", \"line1\": \"B 1\", \"postal_code\": \"10119\", \"city\": \"Berlin\", \"country\": \"DE\"}}",
        "POST /v1/receipts\n{\"items\": [{\"sku\": \"TEE\", \"location\": \"BER\", \"quantity\": 5, \"unit_cost\": 700, \"reference\": \"PO-1\"}]}",
        "POST /v1/adjustments\n{\"items\": [{\"sku\": \"TEE\", \"location\": \"BER\", \"delta\": -1, \"reason\": \"damaged\"}]}",
        "POST /v1/counts\n{\"items\": [{\"sku\": \"CAP\", \"location\": \"BER\", \"counted\": 7}]}",
        "POST /v1/reservations\n{\"lines\": [{\"sku\": \"TEE\", \"quantity\": 1}], \"expires_at\": \"2026-01-06T00:00:00Z\"}",
        "PUT /v1/rate-cards\n[{\"carrier\": \"post\", \"service\": \"parcel\", \"name\": \"P\", \"origin_country\": \"DE\", \"currency\": \"EUR\", \"dim_divisor\": 5000, \"min_days\": 1, \"max_days\": 3, \"active\": true, \"zones\": [{\"country\": \"*\", \"postal_prefix\": \"\", \"zone\": \"z\"}], \"prices\": [{\"zone\": \"z\", \"up_to_g\": 1000, \"price\": 499}]}]",
        "POST /v1/books/adjustments\n{\"debit\": \"cash\", \"credit\": \"sales\", \"amount\": 1, \"currency\": \"EUR\", \"text\": \"x\"}",
        "POST /v1/customers/$customer/store-credit\n{\"amount\": 100, \"currency\": \"EUR\", \"reason\": \"sorry\"}",
        "POST /v1/webhooks\n{\"url\": \"https://a.example/x?y#z\", \"kinds\": [\"order.placed\", \"*\"]}",
        "PATCH /v1/webhooks/$webhook\n{\"active\": false, \"new_secret\": true}",
        "POST /orders/$order/hold\nkind=manual&reason=seen",
        "POST /orders/new\nsku-0=TEE&quantity-0=1&name=A&currency=EUR",
    ]);
    seeds.extend(order_seeds().into_iter().map(|body| [b"POST /v1/orders k2\n", body.as_slice()].concat()));
    seeds
}

fn order(who: &str) -> Value {
    json!({
        "buyer": {"name": "Ada Lovelace", "email": format!("{who}@example.com"), "phone": "030 123456", "ip": "192.0.2.7"},
        "ship_to": {"name": "Ada", "line1": "Torstraße 1", "postal_code": "10119", "city": "Berlin", "country": "DE"},
        "currency": "EUR",
        "tax_inclusive": true,
        "lines": [{"sku": "TEE", "quantity": 2}, {"sku": "CAP", "quantity": 1, "unit_price": 1499, "discount": 10}],
        "shipping": 490,
        "tenders": [{"gateway": "sandbox", "method": "card", "token": "tok_ok"}],
    })
}

/// A body for `POST /v1/orders`, sent twice with one key.
pub(crate) fn order_json(bytes: &[u8]) {
    with(|program| {
        let before = program.count("orders");
        let key = format!("order {}", program.inputs);
        let send = || program.call("POST", "/v1/orders", &[("idempotency-key", &key)], bytes);
        let (Some(first), Some(second)) = (send(), send()) else { return };
        let placed = program.count("orders") - before;
        if first.status == StatusCode::CREATED {
            assert_eq!(placed, 1);
            assert_eq!(first.json()["id"], second.json()["id"], "asked twice, answered otherwise");
        } else if first.status.is_client_error() {
            assert_eq!((placed, second.status), (0, first.status), "what is refused leaves no trace");
        }
    });
}

pub(crate) fn order_seeds() -> Vec<Vec<u8>> {
    let mut full = order("bob");
    full["reference"] = json!("R-1");
    full["channel"] = json!("web");
    full["bill_to"] = full["ship_to"].clone();
    full["placed_at"] = json!("2026-01-01T00:00:00Z");
    full["promised_at"] = json!("2026-01-09T00:00:00Z");
    full["fee"] = json!(50);
    full["discount"] = json!(5);
    full["shipping_tax_ppm"] = json!(190_000);
    full["tags"] = json!(["a", "b"]);
    full["gift_note"] = json!("for you");
    full["tenders"] = json!([{"gateway": "manual", "method": "cash", "amount": 100, "paid_at": "2026-01-01T00:00:00Z"}, {"gateway": "sandbox", "method": "card", "capture": true}]);
    let free = json!({"buyer": {"name": "A"}, "ship_to": full["ship_to"], "currency": "EUR", "pay_later": true, "if_out_of_stock": "backorder",
        "lines": [{"sku": "TEE", "quantity": 200_000, "tax_rate_ppm": 0, "unit_price": 0}]});
    [json!([order("eve"), free]), order("joe"), full, free]
        .iter()
        .map(|v| v.to_string().into_bytes())
        .collect()
}

/// Subject, text and HTML of an e-mail, between lines of three dashes.
pub(crate) fn mail_template(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let mut parts = text.split("\n---\n");
    let mut next = || parts.next().unwrap_or_default();
    let body = json!({"subject": next(), "text": next(), "html": next()});
    with(|program| {
        let path = "/v1/mail-templates/order_placed";
        let Some(answer) = program.call("PUT", path, &[], body.to_string().as_bytes()) else { return };
        if answer.status.is_success() {
            let kept = program.must("GET", path, &Value::Null);
            for field in ["subject", "text", "html"] {
                assert_eq!(kept[field], body[field], "{kept}");
            }
            program.must("POST", "/v1/orders", &order("mail"));
            program.work();
            program.must("DELETE", path, &Value::Null);
        }
    });
}

pub(crate) fn template_seeds() -> Vec<Vec<u8>> {
    texts(&[
        "Order {{ order.number }}\n---\nHello {{ order.name|upper }}\n{% for line in lines %}{{ line.quantity }} × {{ line.title }}{% endfor %}\n---\n<p>{{ shop }}</p>",
        "{% set x = 'a' %}{{ x * 20 }}\n---\n{% if lines|length > 1 %}{{ lines[0].sku }}{% else %}{{ range(9)|join(',') }}{% endif %}\n---\n{{ order|tojson }}",
        "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(order.total) }}\n---\n{{ undefined }}\n---\n{% include 'body.txt' %}",
    ])
}

/// `gateways/sandbox` or `carriers/post`, a line, and the body, signed as theirs.
pub(crate) fn webhook_taken(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    with(|program| {
        let text = program.named(text);
        let (door, body) = text.split_once('\n').unwrap_or(("gateways/sandbox", &text));
        let Some(signature) = connectors::gateways::sandbox::sign(SECRET, body.as_bytes()) else { return };
        let signed = [("sandbox-signature", signature.as_str()), ("carrier-signature", signature.as_str())];
        let path = format!("/v1/webhooks/{door}");
        let before = program.count("inbound_webhook");
        let send = || program.call("POST", &path, &signed, body.as_bytes());
        let (Some(first), Some(_again)) = (send(), send()) else { return };
        let stored = program.count("inbound_webhook") - before;
        assert!(stored <= i64::from(first.status.is_success()), "stored {stored} times: {body}");
        program.work();
    });
}

pub(crate) fn webhook_seeds() -> Vec<Vec<u8>> {
    let at = |door: &str, body: Vec<u8>| [door.as_bytes(), b"\n", body.as_slice()].concat();
    let mut seeds: Vec<Vec<u8>> =
        crate::outside::gateway_seeds().into_iter().map(|b| at("gateways/sandbox", b)).collect();
    seeds.extend(crate::outside::carrier_seeds().into_iter().map(|b| at("carriers/post", b)));
    let facts = r#"{"id":"m9","facts":[{"kind":"capture","phase":"succeeded","amount":500,"reference":"c1","payment":"$payment"},
        {"kind":"refund","phase":"succeeded","amount":100,"reference":"c2","payment":"$payment"},
        {"kind":"dispute","phase":"requested","amount":400,"reference":"c3","payment":"$payment","at":"2026-01-02T00:00:00Z"}]}"#;
    seeds.push(at("gateways/sandbox", facts.as_bytes().to_vec()));
    seeds
}
