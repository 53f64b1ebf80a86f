//! Every page that the owner can reach from the first one: its headers, and that nothing stands in it that the policy forbids. Invariant:
//! a page without the headers, or with a script, style or handler of its own, fails here.

use crate::support::{TestApp, shop};
use axum::http::{Method, StatusCode};
use serde_json::json;
use std::collections::{BTreeSet, VecDeque};

/// Pages looked at most; the rest is more of the same.
const MOST: usize = 200;

/// What forbids nothing by itself, and is looked at by its own tests.
const NOT_PAGES: [&str; 4] = ["/assets/", "/docs", "/v1/", "/healthz"];

#[tokio::test]
async fn every_page_has_its_headers_and_nothing_inline() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 10).await;
        let order = json!({
            "buyer": {"name": "Ada <b>Byron</b>", "email": "ada@example.com"},
            "ship_to": {"name": "Ada Byron", "line1": "Lange Straße 5", "postal_code": "26122", "city": "Oldenburg", "country": "DE"},
            "currency": "EUR", "tax_inclusive": true, "lines": [{"sku": "TEE", "quantity": 1}],
            "tenders": [{"gateway": "sandbox", "method": "card", "token": "tok_ok"}],
        });
        app.post("/v1/orders", &order).await.ok();
        app.drain_jobs().await;
        app.post("/v1/invitations", &json!({"email": "pia@example.com", "role": "picker"})).await.ok();
        let mut waiting: VecDeque<String> = [
            "/",
            "/sign-in",
            "/forgot",
            "/welcome?t=x",
            "/nowhere",
            "/problems",
            "/people",
            "/keys",
            "/audit",
        ]
        .map(str::to_owned)
        .into();
        let mut seen: BTreeSet<String> = waiting.iter().cloned().collect();
        while let Some(path) = waiting.pop_front() {
            let answer = app.call(Method::GET, &path, &[], None).await;
            assert!(!answer.status.is_server_error(), "{} {path}: {}", app.name, answer.text);
            let header =
                |name: &str| answer.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
            let policy = header("content-security-policy");
            for part in [
                "default-src 'self'",
                "object-src 'none'",
                "frame-ancestors 'none'",
                "base-uri 'none'",
                "form-action 'self'",
            ] {
                assert!(policy.contains(part), "{} {path}: {policy}", app.name);
            }
            assert!(!policy.contains("unsafe"), "{path}: {policy}");
            for (name, value) in [
                ("x-content-type-options", "nosniff"),
                ("referrer-policy", "same-origin"),
                ("x-frame-options", "DENY"),
                ("cross-origin-opener-policy", "same-origin"),
                ("cache-control", "no-store"),
            ] {
                assert_eq!(header(name), value, "{} {path}: {name}", app.name);
            }
            assert!(header("permissions-policy").contains("geolocation=()"), "{path}");
            if header("content-type").starts_with("text/html") {
                assert_eq!(forbidden(&answer.text), Vec::<String>::new(), "{} {path}", app.name);
                for next in links(&answer.text) {
                    if seen.len() < MOST && seen.insert(next.clone()) {
                        waiting.push_back(next);
                    }
                }
            }
            if let Some(to) = answer.headers.get("location").and_then(|v| v.to_str().ok())
                && answer.status == StatusCode::SEE_OTHER
                && seen.insert(to.to_owned())
            {
                waiting.push_back(to.to_owned());
            }
        }
        assert!(seen.len() > 20, "{}: the pages lead to each other: {seen:?}", app.name);
    }
}

/// The opening tags of a page, each with its attributes as they stand, values replaced by nothing.
fn tags(page: &str) -> impl Iterator<Item = (String, String)> {
    page.split('<').skip(1).filter(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic())).map(|rest| {
        let (mut plain, mut quoted) = (String::new(), false);
        let mut end = rest.len();
        for (at, c) in rest.char_indices() {
            match c {
                '"' => quoted = !quoted,
                '>' if !quoted => {
                    end = at;
                    break;
                }
                c if !quoted => plain.push(c),
                _ => {}
            }
        }
        (plain, rest[..end].to_owned())
    })
}

/// What the policy would not let a browser run or show.
fn forbidden(page: &str) -> Vec<String> {
    let inline = |(plain, whole): (String, String)| {
        let mut words = plain.split_whitespace();
        let name = words.next().unwrap_or_default().to_ascii_lowercase();
        let mut attributes = words.map(|w| w.split('=').next().unwrap_or_default().to_ascii_lowercase());
        let bad = attributes
            .any(|a| a == "style" || a.starts_with("on") || a == "hx-on" || a.starts_with("hx-on:"));
        let inline = name == "style" || name == "script" && !plain.contains("src=");
        let script = whole.to_ascii_lowercase().contains("=\"javascript:");
        (bad || inline || script).then_some(whole)
    };
    tags(page).filter_map(inline).collect()
}

/// The pages of ours that a page leads to, and the parts it loads.
fn links(page: &str) -> BTreeSet<String> {
    let found = [" href=\"", " hx-get=\""].into_iter().flat_map(|mark| page.split(mark).skip(1));
    found
        .filter_map(|rest| rest.split('"').next())
        .map(|path| path.replace("&amp;", "&").split('#').next().unwrap_or_default().to_owned())
        .filter(|path| path.starts_with('/') && !NOT_PAGES.iter().any(|not| path.starts_with(not)))
        .collect()
}

#[test]
fn what_is_forbidden_is_found() {
    for bad in [
        r#"<p style="color:red">"#,
        r#"<a href="x" onclick="y()">"#,
        "<style>a{}</style>",
        "<script>x</script>",
        r#"<a href="javascript:x">"#,
        r#"<div title="a > b" style="x">"#,
    ] {
        assert_eq!(forbidden(bad).len(), 1, "{bad}");
    }
    assert_eq!(
        forbidden(r#"<p title=" style= onclick=">a style="b"</p><script src="/assets/app.js"></script>"#),
        Vec::<String>::new()
    );
}
