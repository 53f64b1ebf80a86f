//! What holds on every page: nobody is shut out, nothing breaks, nothing is heavy, nothing is forgotten.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use browser::pages::{INSIDE, PARTS, PUBLIC, Page, WITH_THEIR_JOB};
use browser::{Desk, on_demo};
use fulmar::config::Config;
use std::collections::BTreeSet;
use tower::ServiceExt;

/// Bytes of the list of orders over the wire, with styles, scripts and icons.
const LIST: u64 = 150_000;

async fn look(desk: &Desk<'_>, pages: &[Page], wrong: &mut Vec<String>) {
    for page in pages {
        let address = page.address(desk.shop).await;
        desk.go(&address).await;
        // Panels come after the page.
        desk.until("all parts of the page", "return !document.querySelector('.loading, .htmx-request')")
            .await;
        wrong.extend(desk.barriers().await.into_iter().map(|b| format!("{address}: {b}")));
        wrong.extend(desk.errors().await.into_iter().map(|e| format!("{address}: {e}")));
    }
}

#[tokio::test]
async fn no_page_shuts_anybody_out_or_breaks() {
    on_demo(async |desk| {
        let mut wrong = Vec::new();
        look(desk, PUBLIC, &mut wrong).await;
        desk.sign_in().await;
        look(desk, INSIDE, &mut wrong).await;
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    })
    .await;
}

#[tokio::test]
async fn no_page_is_wider_than_a_phone() {
    on_demo(async |desk| {
        desk.sign_in().await;
        desk.resize(360, 740).await;
        let mut wrong = Vec::new();
        for page in INSIDE {
            let address = page.address(desk.shop).await;
            desk.go(&address).await;
            let width = desk.js("return document.documentElement.scrollWidth", vec![]).await;
            if width.as_u64() > Some(360) {
                wrong.push(format!("{address}: {width}"));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    })
    .await;
}

#[tokio::test]
async fn the_list_of_orders_is_light() {
    on_demo(async |desk| {
        desk.sign_in().await;
        let weight = desk.weight_of("/orders").await;
        println!("list of orders: {weight:?}");
        assert!(weight.page > 1000 && weight.total > 50_000, "the browser measured nothing: {weight:?}");
        assert!(weight.total < LIST, "the list of orders weighs {weight:?}");
    })
    .await;
}

#[tokio::test]
async fn every_page_is_in_the_table() {
    let db = db::testing::sqlite(fulmar::program::options(2, db::Clock::System)).await;
    let config = Config { database_url: db.url().to_owned(), ..Config::default() };
    let ctx = fulmar::program::open(&config, db::Clock::System).await.expect("the program");
    let router: Router = fulmar::serve::router(&ctx, &config).expect("a router");
    let listed =
        INSIDE.iter().chain(PUBLIC).map(|p| p.route).chain(PARTS.iter().chain(WITH_THEIR_JOB).copied());
    let known: BTreeSet<String> = listed.map(str::to_owned).collect();
    let served = gets(&router).await;
    let missing: Vec<&String> = served.difference(&known).collect();
    let gone: Vec<&String> = known.difference(&served).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "not in browser::pages: {missing:#?}; not served: {gone:#?}"
    );
    fulmar::cmd::close(ctx).await.expect("closed");
}

/// The paths outside of `/v1` that answer GET: axum shows its routes, and each says what it takes when it is asked for something else.
async fn gets(router: &Router) -> BTreeSet<String> {
    let shown = format!("{router:?}");
    let paths = shown
        .split("RouteId(")
        .filter_map(|piece| piece.split_once("): \"")?.1.split_once('"'))
        .map(|(path, _)| path.to_owned())
        .filter(|p| p.starts_with('/') && !p.starts_with("/v1") && !p.contains("__private"));
    let mut found = BTreeSet::new();
    for path in paths {
        let plain: Vec<&str> = path.split('/').map(|w| if w.starts_with('{') { "1" } else { w }).collect();
        let request =
            Request::builder().method("TRACE").uri(plain.join("/")).body(Body::empty()).expect("a request");
        let answer = router.clone().oneshot(request).await.expect("an answer");
        let allowed = answer.headers().get("allow").and_then(|v| v.to_str().ok()).unwrap_or_default();
        if allowed.split(',').any(|method| method == "GET") {
            found.insert(path);
        }
    }
    found
}
