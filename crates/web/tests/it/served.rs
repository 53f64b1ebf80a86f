//! What the program serves of itself: the OpenAPI document, assets, health, the catalogue of problems, headers.

use crate::shop::{SLICES, Shop};
use serde_json::{Value, json};

#[tokio::test]
async fn the_openapi_document_is_whole() {
    let shop = Shop::both().await.remove(0);
    let answer = shop.get("/v1/openapi.json", &[]).await;
    let document = answer.json();
    assert_eq!(document, serde_json::to_value(web::openapi(SLICES)).unwrap());
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let post = &document["paths"]["/v1/birds"]["post"];
    let problem = "#/components/responses/Problem";
    let refusals =
        post["responses"].as_object().unwrap().iter().filter(|(status, _)| !status.starts_with('2'));
    assert!(
        refusals.clone().count() > 0 && refusals.into_iter().all(|(_, answer)| answer["$ref"] == problem),
        "{post}"
    );
    assert_eq!(
        document["components"]["responses"]["Problem"]["content"]["application/problem+json"]["schema"]["$ref"],
        "#/components/schemas/Problem"
    );
    assert!(post["parameters"].as_array().unwrap().iter().any(|p| p["name"] == "Idempotency-Key"));
    assert_eq!(document["components"]["securitySchemes"]["key"]["scheme"], "bearer");
    assert_eq!(document["components"]["schemas"]["NewBird"]["additionalProperties"], json!(false));
    let mut missing = Vec::new();
    references(&document, &mut |name| {
        if document.pointer(name.trim_start_matches('#')).is_none() {
            missing.push(name.to_owned());
        }
    });
    assert_eq!(missing, Vec::<String>::new(), "every reference leads somewhere");
}

fn references(value: &Value, seen: &mut impl FnMut(&str)) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| match value.as_str().filter(|_| name == "$ref") {
                Some(to) => seen(to),
                None => references(value, seen),
            })
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, seen)),
        _ => {}
    }
}

#[tokio::test]
async fn the_page_to_try_the_api_works_without_the_internet() {
    let shop = Shop::both().await.remove(0);
    let page = shop.get("/docs/", &[]).await;
    assert!(
        page.status == 200 && !page.text.contains("https://") && !page.text.contains("<script>"),
        "{}",
        page.text
    );
    assert!(page.header("content-security-policy").contains("style-src 'self' 'unsafe-inline'"));
    for name in ["swagger-ui-bundle.js", "swagger-ui.css", "swagger-initializer.js"] {
        assert_eq!(shop.get(&format!("/docs/{name}"), &[]).await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn assets_are_kept_by_browsers_until_they_change() {
    let shop = Shop::both().await.remove(0);
    for (name, kind) in [
        ("tabler.css", "text/css"),
        ("app.js", "text/javascript"),
        ("forms.js", "text/javascript"),
        ("live.js", "text/javascript"),
        ("icons.svg", "image/svg+xml"),
        ("htmx.js", "text/javascript"),
        ("app.css", "text/css"),
        ("favicon.svg", "image/svg+xml"),
    ] {
        let path = web::asset(name);
        let first = shop.get(&path, &[]).await;
        assert_eq!((first.status.as_u16(), first.header("content-type")), (200, kind), "{name}");
        assert!(first.header("cache-control").contains("immutable") && !first.text.is_empty());
        let tag = first.header("etag");
        assert_eq!(shop.get(&path, &[("if-none-match", tag)]).await.status, 304);
        assert_eq!(shop.get(&format!("/assets/{name}"), &[]).await.header("cache-control"), "no-cache");
    }
    let small = shop.get(&web::asset("tabler.css"), &[("accept-encoding", "gzip")]).await;
    assert_eq!(small.header("content-encoding"), "gzip");
    // Packed when the program was built, a tenth of what it is.
    let packed = shop.get(&web::asset("tabler.css"), &[("accept-encoding", "gzip, deflate, br")]).await;
    assert_eq!((packed.header("content-encoding"), packed.header("vary")), ("br", "accept-encoding"));
    assert_eq!(shop.get("/assets/tabler.css.br", &[]).await.status, 404);
    assert_eq!(shop.get("/assets/../Cargo.toml", &[]).await.status, 404);
    assert_eq!(shop.get("/assets/nothing.js", &[]).await.status, 404);
}

#[tokio::test]
async fn every_answer_has_its_headers() {
    let shop = Shop::both().await.remove(0);
    for path in ["/sign-in", "/v1/birds", "/nowhere", "/healthz"] {
        let answer = shop.get(path, &[]).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'self'") && !policy.contains("unsafe"), "{path} {policy}");
        assert_eq!(
            (answer.header("x-content-type-options"), answer.header("x-frame-options")),
            ("nosniff", "DENY"),
            "{path}"
        );
        assert_eq!(
            (answer.header("cache-control"), answer.header("x-request-id").len()),
            ("no-store", 32),
            "{path}"
        );
    }
    let page = shop.get("/sign-in", &[]).await.text;
    assert!(
        !page.contains("<script>") && !page.contains("style=") && !page.contains(" onclick="),
        "the policy allows no inline code"
    );
}

#[tokio::test]
async fn health_and_problems_are_there_for_anybody() {
    for shop in Shop::both().await {
        assert_eq!(shop.get("/healthz", &[]).await.text, "ok\n");
        assert_eq!(shop.get("/readyz", &[]).await.text, "ready\n", "{}", shop.db.name);
        let list = shop.get("/problems", &[]).await.text;
        for code in ["birds.taken", "request.stale", "keys.unknown_scope", "users.email_taken"] {
            assert!(list.contains(&format!("/problems/{code}")), "{code}");
        }
        assert!(
            shop.get("/problems/birds.taken", &[]).await.text.contains("There is a bird {name} already.")
        );
        let nowhere = shop.get("/nowhere", &[]).await;
        assert!(
            nowhere.status == 404
                && nowhere.header("content-type").starts_with("text/html")
                && nowhere.text.contains("nothing at this address")
        );
        let auth = shop.key(&["*"]).await;
        let crashed = shop.get("/crash", &[("authorization", &auth)]).await;
        assert!(crashed.status == 500 && crashed.text.contains("<html") && !crashed.text.contains("nest"));
        let part = shop.get("/crash", &[("authorization", &auth), ("hx-request-type", "partial")]).await;
        assert!(part.text.starts_with(r#"<div class="note note-danger""#), "{}", part.text);
        let unready = shop.app.clone();
        assert!(unready.state::<String>().is_err(), "a part that was not given is a fault");
    }
}
