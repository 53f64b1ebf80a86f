//! The routes that ask for no key and no session, and how each knows what it may tell. Invariant: a public route that is not in this table
//! fails a test, and so does one that tells something to who cannot prove what its row asks for.

use super::{API, PAGES, PUBLIC, call_of, rows, send};
use crate::support::walkthrough::{OrderWalkthrough, Step};
use crate::support::{TestApp, shop};
use axum::http::Method;
use fulmar::config::Config;
use fulmar::serve;
use std::collections::BTreeSet;

/// How a route knows what it may tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// It tells what everybody may know, or signs in who knows a password: see crates/web/tests.
    None,
    /// A signed pass to one order.
    Pass,
    /// A pass that came by e-mail: see `labels`.
    MailedPass,
    /// The same, in a form with files: see `photos`.
    PassWithFiles,
    /// A signed link that was sent to one person.
    Link,
    /// What is sent is signed with the secret of who sends it.
    Signature,
}

const PROOFS: &[(Proof, &[&str])] = &[
    (
        Proof::None,
        &[
            "GET /v1/openapi.json",
            "GET /assets/{*name}",
            "GET /docs",
            "GET /docs/",
            "GET /docs/{*rest}",
            "GET /healthz",
            "GET /problems",
            "GET /problems/{code}",
            "GET /readyz",
            "GET /sign-in",
            "POST /sign-in",
            "GET /sign-in/code",
            "POST /sign-in/code",
            "GET /forgot",
            "POST /forgot",
            "POST /sign-out",
            // Number and e-mail together: see `office`.
            "POST /track",
        ],
    ),
    (Proof::Pass, &["GET /track", "GET /track/return", "POST /track/return"]),
    (Proof::MailedPass, &["GET /track/label"]),
    (Proof::PassWithFiles, &["POST /track/photos", "POST /track/return/send"]),
    (
        Proof::Link,
        &[
            "GET /pay",
            "POST /pay",
            "GET /welcome",
            "POST /welcome",
            "GET /new-password",
            "POST /new-password",
        ],
    ),
    (Proof::Signature, &["POST /v1/webhooks/carriers/{carrier}", "POST /v1/webhooks/gateways/{gateway}"]),
];

#[test]
fn every_public_route_says_how_it_knows_what_it_may_tell() {
    let public = rows(API).chain(rows(PAGES)).filter(|(scope, _)| *scope == PUBLIC).map(|(_, route)| route);
    let public: BTreeSet<&str> = public.collect();
    let proved: BTreeSet<&str> = PROOFS.iter().flat_map(|(_, routes)| routes.iter().copied()).collect();
    assert_eq!(public, proved);
}

fn of(proof: Proof) -> impl Iterator<Item = &'static str> {
    PROOFS.iter().filter(move |(p, _)| *p == proof).flat_map(|(_, routes)| routes.iter().copied())
}

/// The pass to an order that who knows number and e-mail gets, as the page's query has it.
async fn pass(app: &TestApp, walk: &OrderWalkthrough, who: &str) -> String {
    let number = walk.show(app).await["number"].as_str().unwrap().to_owned();
    let found = app.anonymous().form("/track", &format!("number={number}&email={who}%40example.com")).await;
    let at = found.headers["location"].to_str().unwrap();
    at.split("t=").nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn a_pass_shows_its_order_and_no_other() {
    for app in TestApp::both().await {
        let own = shop::open(&app.ctx.db, 40).await;
        let ada = OrderWalkthrough::up_to(&app, &own, "ada", Step::Delivered).await;
        let eve = OrderWalkthrough::up_to(&app, &own, "eve", Step::Delivered).await;
        // Another customer of ours, whose shop is another database, with a secret of its own.
        let elsewhere = TestApp::sqlite().await;
        let theirs = shop::open(&elsewhere.ctx.db, 40).await;
        let stranger = OrderWalkthrough::up_to(&elsewhere, &theirs, "ada", Step::Delivered).await;
        let (good, other) = (pass(&app, &ada, "ada").await, pass(&app, &eve, "eve").await);
        let foreign = pass(&elsewhere, &stranger, "ada").await;
        // The other shop's signature under the name of our order.
        let swapped = foreign.replacen(&stranger.order[4..], &ada.order[4..], 1);
        // One letter of the signature.
        let at = good.len() - 10;
        let letter = if good[at..].starts_with('A') { "B" } else { "A" };
        let changed = format!("{}{letter}{}", &good[..at], &good[at + 1..]);
        let anyone = app.anonymous();
        for route in of(Proof::Pass) {
            let (method, path) = call_of(route);
            let ask = |t: &str| {
                let (anyone, method, path, t) = (anyone.clone(), method.clone(), path.clone(), t.to_owned());
                async move {
                    match method == Method::GET {
                        true => anyone.get(&format!("{path}?t={t}")).await,
                        false => anyone.form(&path, &format!("once=a&t={t}")).await,
                    }
                }
            };
            for bad in ["nothing", &*foreign, &*swapped, &*changed] {
                let answer = ask(bad).await;
                assert_eq!(answer.status, 410, "{} {route} with {bad}", app.name);
                assert!(!answer.text.contains("The TEE"), "{} {route} with {bad}", app.name);
            }
            assert!(ask(&good).await.text.contains("The TEE"), "{} {route}", app.name);
        }
        // Eve's pass with a line of Ada's order asks nothing back.
        let line = &ada.lines[0];
        let form = format!(
            "once=b&t={other}&quantity%5B{line}%5D=1&reason%5B{line}%5D=changed_mind&resolution=refund&send=yes"
        );
        let refused = anyone.form("/track/return", &form).await;
        assert_eq!(refused.status, 422, "{}: {}", app.name, refused.text);
        assert_eq!(app.get("/v1/returns").await.ok()["data"], serde_json::json!([]), "{}", app.name);
    }
}

#[tokio::test]
async fn a_link_or_a_message_that_nobody_signed_is_refused() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 5).await;
        let router = serve::router(&app.ctx, &Config::default()).unwrap();
        let form = [("content-type", "application/x-www-form-urlencoded")];
        for route in of(Proof::Link) {
            let (method, path) = call_of(route);
            for bad in ["", "nothing", "usr_0000000000001.1.9000000000000000.c2lnbmVk"] {
                let (path, body) = match method == Method::GET {
                    true => (format!("{path}?t={bad}"), String::new()),
                    false => (path.clone(), format!("t={bad}&name=Eve&new=correct+horse+battery")),
                };
                let answer = send(&router, method.clone(), &path, &form, &body).await;
                assert_eq!(answer.status, 410, "{} {route} with {bad}: {}", app.name, answer.text);
                assert!(!answer.headers.contains_key("set-cookie"), "{} {route}", app.name);
            }
        }
        for (setting, path) in [
            ("gateway.sandbox.webhook_secret", "/v1/webhooks/gateways/sandbox"),
            ("carrier.post.webhook_secret", "/v1/webhooks/carriers/post"),
        ] {
            db::write!(app.ctx.db, &fulmar::cmd::operator(), |tx| {
                db::settings::set(tx, setting, &"a secret that nobody guesses").await
            })
            .unwrap();
            let owner = super::bearer(&app, &["*"]).await;
            // A key of ours is no signature of theirs.
            for headers in [vec![], vec![("authorization", owner.as_str())]] {
                let answer = send(&router, Method::POST, path, &headers, "{}").await;
                assert_eq!(answer.status, 403, "{} {path}: {}", app.name, answer.text);
            }
        }
    }
}
