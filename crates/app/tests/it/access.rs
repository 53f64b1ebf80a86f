//! Who may what: every route of the program, with the permission it asks for. Invariant: a route that is not in these tables, or asks for
//! another permission than they say, fails a test; so nothing becomes public, or common, by oversight.

use crate::support::TestApp;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use fulmar::config::Config;
use fulmar::{cmd, people, serve, slices};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tower::ServiceExt;
use web::Role;

#[path = "access_pages.rs"]
mod pages;
#[path = "access_public.rs"]
mod public;
use pages::PAGES;

/// In place of a scope: everybody who is somebody.
const ANYBODY: &str = "";
/// In place of a scope: no key; the route's own tests prove how it knows who calls.
const PUBLIC: &str = "public";

/// The REST routes: the permission, then what needs it.
const API: &[(&str, &[&str])] = &[
    (ANYBODY, &["GET /v1/me", "GET /v1/roles"]),
    (
        PUBLIC,
        &[
            "POST /v1/webhooks/carriers/{carrier}",
            "POST /v1/webhooks/gateways/{gateway}",
            "GET /v1/openapi.json",
        ],
    ),
    ("keys:write", &["GET /v1/api-keys", "POST /v1/api-keys", "DELETE /v1/api-keys/{id}"]),
    (
        "people:manage",
        &[
            "GET /v1/invitations",
            "POST /v1/invitations",
            "DELETE /v1/invitations/{id}",
            "POST /v1/invitations/{id}/resend",
            "GET /v1/users",
            "PATCH /v1/users/{id}",
            "POST /v1/users/{id}/password-reset",
            "DELETE /v1/users/{id}/second-factor",
            "DELETE /v1/users/{id}/sessions",
        ],
    ),
    ("audit:view", &["GET /v1/audit"]),
    (
        "catalog:read",
        &[
            "GET /v1/sku-imports/{id}",
            "GET /v1/sku-imports/{id}/rows",
            "GET /v1/skus",
            "GET /v1/skus/{code}",
            "GET /v1/suppliers",
            "GET /v1/tax-rates",
        ],
    ),
    (
        "catalog:write",
        &[
            "POST /v1/sku-imports",
            "POST /v1/sku-imports/{id}/confirm",
            "POST /v1/skus",
            "PUT /v1/skus/{code}",
            "PUT /v1/suppliers",
            "PUT /v1/tax-rates",
            "DELETE /v1/tax-rates/{country}/{tax_class}",
        ],
    ),
    (
        "customers:read",
        &[
            "GET /v1/customers",
            "GET /v1/customers/{id}",
            "GET /v1/customers/{id}/consents",
            "GET /v1/customers/{id}/duplicates",
            "GET /v1/customers/{id}/merge/{from}",
            "GET /v1/customers/{id}/store-credit",
        ],
    ),
    (
        "customers:write",
        &[
            "POST /v1/customers/{id}/consents",
            "POST /v1/customers/{id}/merge",
            "POST /v1/customers/{id}/store-credit",
        ],
    ),
    (
        "inventory:read",
        &[
            "GET /v1/count-sheets",
            "GET /v1/count-sheets/{id}",
            "GET /v1/count-sheets/{id}/lines",
            "GET /v1/locations",
            "GET /v1/locations/{code}",
            "GET /v1/stock",
            "GET /v1/stock/{sku}/movements",
        ],
    ),
    (
        "inventory:write",
        &[
            "POST /v1/adjustments",
            "POST /v1/bins",
            "POST /v1/count-sheets",
            "POST /v1/count-sheets/{id}/approve",
            "POST /v1/count-sheets/{id}/counts",
            "POST /v1/count-sheets/{id}/discard",
            "POST /v1/counts",
            "POST /v1/locations",
            "PUT /v1/locations/{code}",
            "POST /v1/purchase-orders/{id}/receive",
            "POST /v1/quarantines",
            "POST /v1/receipts",
            "POST /v1/reservations",
            "DELETE /v1/reservations/{id}",
            "POST /v1/safety-stocks",
            "POST /v1/transfers",
        ],
    ),
    ("purchasing:read", &["GET /v1/purchase-orders", "GET /v1/purchase-orders/{id}"]),
    (
        "purchasing:write",
        &[
            "POST /v1/purchase-orders",
            "PUT /v1/purchase-orders/{id}",
            "POST /v1/purchase-orders/{id}/cancel",
            "POST /v1/purchase-orders/{id}/order",
        ],
    ),
    (
        "payments:read",
        &["GET /v1/payments/{id}", "GET /v1/orders/{id}/payments", "GET /v1/orders/{id}/refunds"],
    ),
    (
        "payments:write",
        &[
            "POST /v1/payments/{id}/capture",
            "POST /v1/payments/{id}/confirm",
            "POST /v1/payments/{id}/void",
            "POST /v1/sandbox/payments/{id}/complete",
        ],
    ),
    ("payments:setup", &["PUT /v1/gateways/{gateway}/webhook-secret"]),
    ("refunds:write", &["POST /v1/orders/{id}/refunds"]),
    (
        "orders:read",
        &[
            "GET /v1/bulk-actions/{id}",
            "GET /v1/channels",
            "GET /v1/routing-rules",
            "GET /v1/orders",
            "GET /v1/orders/{id}",
            "GET /v1/orders/{id}/events",
            "GET /v1/reports/today",
        ],
    ),
    (
        "orders:write",
        &[
            "POST /v1/bulk-actions",
            "POST /v1/orders",
            "POST /v1/orders/{id}/cancel",
            "POST /v1/orders/{id}/holds",
            "DELETE /v1/orders/{id}/holds/{kind}",
            "POST /v1/orders/{id}/notes",
            "PUT /v1/orders/{id}/contact",
            "PUT /v1/orders/{id}/ship-to",
            "POST /v1/orders/{id}/tags",
            "POST /v1/orders/{id}/payment-requests",
        ],
    ),
    ("channels:write", &["PUT /v1/channels/{code}", "PUT /v1/routing-rules"]),
    ("risk:write", &["POST /v1/orders/{id}/review"]),
    (
        "warehouse:read",
        &[
            "GET /v1/cartons",
            "GET /v1/fulfilments",
            "GET /v1/fulfilments/{id}",
            "GET /v1/fulfilments/{id}/box",
            "GET /v1/parcels/{id}",
            "GET /v1/parcels/{id}/packing-slip",
        ],
    ),
    (
        "warehouse:write",
        &[
            "PUT /v1/cartons",
            "POST /v1/fulfilments/{id}/accept",
            "POST /v1/fulfilments/{id}/reject",
            "POST /v1/fulfilments/{id}/release",
            "POST /v1/fulfilments/{id}/request",
        ],
    ),
    (
        "warehouse:pick",
        &[
            "POST /v1/fulfilments/{id}/box/close",
            "POST /v1/fulfilments/{id}/box/scan",
            "POST /v1/fulfilments/{id}/pack",
            "POST /v1/fulfilments/{id}/pick",
            "POST /v1/fulfilments/{id}/short-pick",
            "POST /v1/fulfilments/{id}/unpick",
        ],
    ),
    (
        "shipping:read",
        &[
            "GET /v1/dispatch",
            "GET /v1/orders/{id}/invoice.pdf",
            "GET /v1/parcels/{id}/rates",
            "GET /v1/rate-cards",
            "GET /v1/shipments",
            "GET /v1/shipments/{id}",
            "GET /v1/shipments/{id}/label.pdf",
            "GET /v1/shipments/{id}/label.zpl",
            "GET /v1/shipping-offers",
        ],
    ),
    (
        "shipping:write",
        &[
            "POST /v1/parcels/{id}/label",
            "POST /v1/parcels/{id}/shipment",
            "POST /v1/parcels/{id}/unpack",
            "POST /v1/shipments/{id}/ship",
            "POST /v1/shipments/{id}/track",
            "POST /v1/shipments/{id}/void",
        ],
    ),
    (
        "shipping:setup",
        &["PUT /v1/carriers/{carrier}/webhook-secret", "PUT /v1/dispatch", "PUT /v1/rate-cards"],
    ),
    (
        "returns:read",
        &[
            "GET /v1/returns",
            "GET /v1/returns/{id}",
            "GET /v1/returns/{id}/label",
            "GET /v1/returns/{id}/label.pdf",
            "GET /v1/returns/{id}/photos",
            "GET /v1/returns/{id}/photos/{photo}",
        ],
    ),
    (
        "returns:write",
        &[
            "POST /v1/orders/{id}/returns",
            "POST /v1/returns/{id}/approve",
            "POST /v1/returns/{id}/decline",
            "POST /v1/returns/{id}/label",
            "POST /v1/returns/{id}/settle",
        ],
    ),
    (
        "returns:receive",
        &["POST /v1/returns/{id}/inspect", "POST /v1/returns/{id}/photos", "POST /v1/returns/{id}/receive"],
    ),
    (
        "books:read",
        &[
            "GET /v1/books/balance-sheet",
            "GET /v1/books/export.hledger",
            "GET /v1/books/journal",
            "GET /v1/books/open-items",
            "GET /v1/books/profit-and-loss",
            "GET /v1/books/trial-balance",
        ],
    ),
    ("books:write", &["POST /v1/books/adjustments", "POST /v1/books/periods/{month}/close"]),
    ("events:read", &["GET /v1/events"]),
    ("webhooks:read", &["GET /v1/webhooks", "GET /v1/webhooks/{id}", "GET /v1/webhooks/{id}/deliveries"]),
    (
        "webhooks:write",
        &[
            "POST /v1/webhooks",
            "PATCH /v1/webhooks/{id}",
            "DELETE /v1/webhooks/{id}",
            "POST /v1/webhook-deliveries/{id}/replay",
            "POST /v1/webhooks/{id}/replay-dead",
        ],
    ),
    ("mails:read", &["GET /v1/mails", "GET /v1/mail-templates/{name}"]),
    (
        "mails:write",
        &["POST /v1/mails/{id}/send", "PUT /v1/mail-templates/{name}", "DELETE /v1/mail-templates/{name}"],
    ),
];

fn rows(table: &'static [(&str, &[&str])]) -> impl Iterator<Item = (&'static str, &'static str)> {
    table.iter().flat_map(|(scope, routes)| routes.iter().map(|route| (*scope, *route)))
}

/// A route as a request can name it: the method, and the path with something plausible in place of its parameters.
fn call_of(route: &str) -> (Method, String) {
    let (method, path) = route.split_once(' ').unwrap();
    let id = |path: &str| match path {
        p if p.contains("/api-keys/") || p.contains("/keys/") => "key_0000000000001",
        p if p.contains("/invitations/") => "inv_0000000000001",
        p if p.contains("/users/") || p.contains("/people/") => "usr_0000000000001",
        p if p.contains("/customers/") => "cus_0000000000001",
        p if p.contains("/orders/bulk/") || p.contains("/bulk-actions/") => "blk_0000000000001",
        p if p.contains("/sku-imports/") || p.contains("/catalog/import/") => "imp_0000000000001",
        p if p.contains("/purchase-orders/") || p.contains("/purchasing/") => "pur_0000000000001",
        p if p.contains("/count-sheets/") || p.contains("/stock/counts/") => "cnt_0000000000001",
        p if p.contains("/reservations/") => "rsv_0000000000001",
        p if p.contains("/payments/{id}") => "pay_0000000000001",
        p if p.contains("/fulfilments/{id}") || p.starts_with("/pick/") || p.starts_with("/pack/") => {
            "ful_0000000000001"
        }
        p if p.contains("/skus/{id}") => "sku_0000000000001",
        p if p.contains("/parcels/") => "par_0000000000001",
        p if p.contains("/shipments/{id}") => "shp_0000000000001",
        p if p.contains("/returns/{id}") => "rma_0000000000001",
        p if p.contains("/webhook-deliveries/") || p.contains("/developers/deliveries/") => {
            "wdl_0000000000001"
        }
        p if p.contains("/webhooks/{id}") => "wep_0000000000001",
        p if p.contains("/developers/events/") => "evt_0000000000001",
        p if p.contains("/books/entries/") => "jrn_0000000000001",
        p if p.contains("/mails/") => "mai_0000000000001",
        _ => "ord_0000000000001",
    };
    let mut filled = path.replace("{id}", id(path)).replace("{kind}", "manual").replace("{month}", "2025-12");
    while let Some((before, rest)) = filled.clone().split_once('{') {
        filled = format!("{before}x{}", rest.split_once('}').unwrap().1);
    }
    (method.parse().unwrap(), filled)
}

/// Every path of the program's own router, as it was put together.
fn paths(router: &Router) -> BTreeSet<String> {
    let shown = format!("{router:?}");
    let paths: BTreeSet<String> = shown
        .split("RouteId(")
        .filter_map(|piece| piece.split_once("): \"")?.1.split_once('"'))
        .map(|(path, _)| path.to_owned())
        .filter(|path| path.starts_with('/') && !path.contains("__private"))
        .collect();
    assert!(paths.len() > 80, "axum shows its routes in another way: {shown:.2000}");
    paths
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }
    /// The code of the problem.
    fn code(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        let problem: Value = serde_json::from_str(&self.text).unwrap();
        assert_eq!(problem["status"], self.status.as_u16());
        problem["code"].as_str().unwrap().to_owned()
    }
}

async fn send(router: &Router, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, body) = router
        .clone()
        .oneshot(request.body(Body::from(body.to_owned())).unwrap())
        .await
        .unwrap()
        .into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        text: String::from_utf8_lossy(&bytes).into_owned(),
    }
}

/// The routes that are served, as the tables write them: each path with the methods it says it takes.
async fn served(router: &Router) -> BTreeSet<String> {
    let mut routes = BTreeSet::new();
    for path in paths(router) {
        let (method, filled) = call_of(&format!("TRACE {path}"));
        let allow = send(router, method, &filled, &[], "").await;
        let allow = allow.header("allow").to_owned();
        assert!(!allow.is_empty(), "{path} does not say what it takes");
        let methods = allow.split(',').filter(|m| *m != "HEAD");
        routes.extend(methods.map(|method| format!("{method} {path}")));
    }
    routes
}

#[tokio::test]
async fn every_route_is_in_a_table_with_its_permission() {
    let app = TestApp::sqlite().await;
    let router = serve::router(&app.ctx, &Config::default()).unwrap();
    let listed: Vec<&str> = rows(API).chain(rows(PAGES)).map(|(_, route)| route).collect();
    let known: BTreeSet<String> = listed.iter().map(|r| (*r).to_owned()).collect();
    assert_eq!(known.len(), listed.len(), "a route is listed twice");
    let served = served(&router).await;
    let missing: Vec<&String> = served.difference(&known).collect();
    let gone: Vec<&String> = known.difference(&served).collect();
    assert!(missing.is_empty() && gone.is_empty(), "not in the tables: {missing:#?}\nnot served: {gone:#?}");

    let document = serde_json::to_value(web::openapi(&slices::slices())).unwrap();
    for (_, route) in rows(API).filter(|(_, route)| *route != "GET /v1/openapi.json") {
        let (method, path) = route.split_once(' ').unwrap();
        assert!(document["paths"][path][method.to_lowercase()].is_object(), "{route} is not documented");
    }
    let declared: BTreeSet<&str> =
        web::all(&slices::slices(), |s| s.permissions).into_iter().map(|(s, _)| s).collect();
    let used: BTreeSet<&str> =
        rows(API).chain(rows(PAGES)).map(|(s, _)| s).filter(|s| ![ANYBODY, PUBLIC].contains(s)).collect();
    assert_eq!(used, declared, "every permission is declared, and guards something");
}

/// What is sent with a key of another customer of ours, whose shop is another database: there it may do everything.
async fn stranger() -> String {
    bearer(&TestApp::sqlite().await, &["*"]).await
}

/// What is sent with a key that could do everything until it was revoked.
async fn revoked(app: &TestApp, router: &Router) -> String {
    let (key, owner) = (bearer(app, &["*"]).await, bearer(app, &["*"]).await);
    let sent = [("authorization", owner.as_str())];
    let keys = send(router, Method::GET, "/v1/api-keys?limit=200", &sent, "").await;
    let keys: Value = serde_json::from_str(&keys.text).unwrap();
    // The last but one: the owner's came after it.
    let id = keys["data"].as_array().unwrap().iter().rev().nth(1).unwrap()["id"].as_str().unwrap();
    let answer = send(router, Method::DELETE, &format!("/v1/api-keys/{id}"), &sent, "").await;
    assert_eq!(answer.status, 204, "{}", answer.text);
    key
}

/// What a key of these scopes sends.
async fn bearer(app: &TestApp, scopes: &[&str]) -> String {
    let made =
        cmd::key::create(&app.ctx, "test", scopes.iter().map(|s| (*s).to_owned()).collect()).await.unwrap();
    format!("Bearer {}", made.key)
}

#[tokio::test]
async fn a_route_of_the_api_takes_its_permission_and_no_other() {
    for app in TestApp::both().await {
        let router = serve::router(&app.ctx, &Config::default()).unwrap();
        let (stranger, revoked) = (stranger().await, revoked(&app, &router).await);
        let scopes: Vec<&str> =
            web::all(&slices::slices(), |s| s.permissions).into_iter().map(|(s, _)| s).collect();
        for (scope, routes) in API.iter().filter(|(scope, _)| *scope != PUBLIC) {
            let others: Vec<&str> = scopes.iter().filter(|s| *s != scope).copied().collect();
            let without = bearer(&app, &others).await;
            let with = bearer(&app, &[if scope.is_empty() { "catalog:read" } else { scope }]).await;
            for route in *routes {
                let (method, path) = call_of(route);
                let who = format!("{} {route}", app.name);
                let json = ("content-type", "application/json");
                for bad in [
                    None,
                    Some("Bearer fk_unknown"),
                    Some("Basic YTpi"),
                    Some(""),
                    Some(&*stranger),
                    Some(&*revoked),
                ] {
                    let headers: Vec<_> =
                        bad.map(|b| ("authorization", b)).into_iter().chain([json]).collect();
                    let answer = send(&router, method.clone(), &path, &headers, "{}").await;
                    assert_eq!(answer.status, 401, "{who} with {bad:?}: {}", answer.text);
                    assert_eq!(answer.header("www-authenticate"), "Bearer");
                    assert_eq!(answer.code(), if bad.is_some() { "auth.bad_key" } else { "auth.missing" });
                }
                if !scope.is_empty() {
                    let answer =
                        send(&router, method.clone(), &path, &[("authorization", &without), json], "{}")
                            .await;
                    assert_eq!(answer.status, 403, "{who} with all other scopes: {}", answer.text);
                    assert_eq!(answer.code(), "auth.scope_missing");
                }
                let answer = send(&router, method, &path, &[("authorization", &with), json], "{}").await;
                assert!(![401, 403].contains(&answer.status.as_u16()), "{who} with {scope}: {}", answer.text);
                assert!(!answer.status.is_server_error(), "{who}: {}", answer.text);
            }
        }
    }
}

/// A person of a role: the cookie of a session.
async fn session(app: &TestApp, router: &Router, role: Role) -> String {
    let (email, password) = (format!("{}@example.com", role.as_str()), "correct horse battery");
    let actor = cmd::operator();
    people::add(&app.ctx.db, &actor, &email, role.as_str(), role, password).await.unwrap();
    let form = format!("email={}&password={}", email.replace('@', "%40"), password.replace(' ', "+"));
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let answer = send(router, Method::POST, "/sign-in", &kind, &form).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_page_is_shown_to_those_who_may_see_it() {
    for app in TestApp::both().await {
        let router = serve::router(&app.ctx, &Config::default()).unwrap();
        let elsewhere = TestApp::sqlite().await;
        let their_router = serve::router(&elsewhere.ctx, &Config::default()).unwrap();
        let stranger = session(&elsewhere, &their_router, Role::Owner).await;
        let mut cookies = HashMap::new();
        for role in Role::ALL {
            cookies.insert(role.as_str(), session(&app, &router, role).await);
        }
        let scopes: Vec<&str> =
            web::all(&slices::slices(), |s| s.permissions).into_iter().map(|(s, _)| s).collect();
        for (scope, route) in rows(PAGES).filter(|(scope, _)| *scope != PUBLIC) {
            let (method, path) = call_of(route);
            let who = format!("{} {route}", app.name);
            let form = ("content-type", "application/x-www-form-urlencoded");
            let answer = send(&router, method.clone(), &path, &[form], "").await;
            assert_eq!(answer.status, 303, "{who}, nobody: {}", answer.text);
            assert!(answer.header("location").starts_with("/sign-in?next=/"), "{who}");
            for (whose, cookie) in
                [("that is over", "fulmar_session=0123456789abcdef"), ("of another shop", &*stranger)]
            {
                let headers = [("cookie", cookie), form];
                let answer = send(&router, method.clone(), &path, &headers, "").await;
                assert_eq!(answer.status, 303, "{who}, a session {whose}");
            }
            for role in Role::ALL {
                let headers = [("cookie", cookies[role.as_str()].as_str()), form];
                let answer = send(&router, method.clone(), &path, &headers, "").await;
                let may = web::auth::Scopes::of(role).allow(scope);
                assert_eq!(answer.status == 403, !may, "{who}, {role:?}: {} {}", answer.status, answer.text);
                assert!(!answer.status.is_server_error() && answer.status != 401, "{who}: {}", answer.text);
                assert!(
                    may || answer.header("content-type").starts_with("text/html"),
                    "{who}: people get a page"
                );
            }
            if !scope.is_empty() {
                let others: Vec<&str> = scopes.iter().filter(|s| **s != scope).copied().collect();
                let without = bearer(&app, &others).await;
                let answer = send(&router, method, &path, &[("authorization", &without), form], "").await;
                assert_eq!(answer.status, 403, "{who} with all other scopes");
            }
        }
    }
}

/// A role that grants what nothing asks for is one whose people cannot do their work.
#[test]
fn what_a_role_grants_exists() {
    let scopes: Vec<&str> =
        web::all(&slices::slices(), |s| s.permissions).into_iter().map(|(s, _)| s).collect();
    for role in Role::ALL {
        for grant in role.grants() {
            let covered = scopes.iter().filter(|s| web::auth::Scopes::parse(grant).allow(s)).count();
            assert!(covered > 0, "{role:?} grants “{grant}”, which is no permission");
        }
    }
    let everybody: BTreeMap<&str, usize> = scopes
        .iter()
        .map(|s| (*s, Role::ALL.iter().filter(|r| web::auth::Scopes::of(**r).allow(s)).count()))
        .collect();
    assert!(everybody.values().all(|n| *n > 0), "{everybody:?}");
}
