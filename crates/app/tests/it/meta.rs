//! What holds for every route: nobody comes in without a key, no key does what it may not, and nothing of the contract changes unseen.

use crate::support::TestApp;
use axum::http::Method;
use serde_json::{Value, json};

/// Routes that need no permission beyond a valid key.
const ANY_KEY: &[&str] = &["GET /v1/me", "GET /v1/roles"];
/// Routes that are called by others than our users, and prove who they are in their own way.
const NO_KEY: &[&str] = &["POST /v1/webhooks/carriers/{carrier}", "POST /v1/webhooks/gateways/{gateway}"];

struct Route {
    method: Method,
    /// As the document names it: `GET /v1/orders/{id}`.
    name: String,
    /// With something plausible in place of the parameters.
    path: String,
}

fn routes() -> Vec<Route> {
    let document = serde_json::to_value(web::openapi(&fulmar::slices::slices())).unwrap();
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
            if operation.get("responses").is_none() {
                continue;
            }
            let name = format!("{method} {path}");
            routes.push(Route { method, name, path: filled(path, operation, &document) });
        }
    }
    assert!(!routes.is_empty());
    routes
}

/// The path with a value for each parameter: an id of its prefix, a word, a number.
fn filled(path: &str, operation: &Value, document: &Value) -> String {
    let mut path = path.to_owned();
    for parameter in operation["parameters"].as_array().into_iter().flatten().filter(|p| p["in"] == "path") {
        let name = parameter["name"].as_str().unwrap();
        let schema = match parameter["schema"]["$ref"].as_str() {
            Some(reference) => &document["components"]["schemas"][reference.rsplit('/').next().unwrap()],
            None => &parameter["schema"],
        };
        let value = match schema["pattern"].as_str() {
            Some(pattern) => {
                format!("{}_0000000000001", pattern.trim_start_matches('^').split('_').next().unwrap())
            }
            None => "1".to_owned(),
        };
        path = path.replace(&format!("{{{name}}}"), &value);
    }
    path
}

#[tokio::test]
async fn no_route_answers_without_a_key_or_with_one_that_may_nothing() {
    let app = TestApp::sqlite().await;
    let (nobody, powerless) = (app.anonymous(), app.with_powerless_key().await);
    let mut wrong = Vec::new();
    for route in routes() {
        let body = (route.method != Method::GET).then(|| json!({}));
        if !NO_KEY.contains(&route.name.as_str()) {
            let answer = nobody.call(route.method.clone(), &route.path, &[], body.as_ref()).await;
            if answer.status != 401 {
                wrong.push(format!("{} without a key: {} {}", route.name, answer.status, answer.text));
            }
            if !ANY_KEY.contains(&route.name.as_str()) {
                let answer = powerless.call(route.method.clone(), &route.path, &[], body.as_ref()).await;
                if answer.status != 403 {
                    wrong.push(format!("{} without scopes: {} {}", route.name, answer.status, answer.text));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_document_is_the_one_we_published() {
    let mut settings = insta::Settings::clone_current();
    settings.set_sort_maps(true);
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_json_snapshot!("openapi", web::openapi(&fulmar::slices::slices())));
}

/// Codes are added, never renamed: programs of others compare them.
#[test]
fn the_codes_are_those_we_published() {
    let codes = web::all(&fulmar::slices::slices(), |s| s.codes);
    let mut lines: Vec<String> =
        codes.into_iter().flatten().map(|c| format!("{} ({:?}): {}", c.code, c.kind, c.text)).collect();
    lines.sort();
    // Several commands may give the same refusal; the same code for two of them would leave callers guessing.
    lines.dedup();
    let names: Vec<&str> = lines.iter().map(|l| l.split(' ').next().unwrap()).collect();
    for pair in names.windows(2) {
        assert_ne!(
            pair[0], pair[1],
            "two refusals share a code but differ: callers could not tell them apart"
        );
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!("codes", lines.join("\n")));
}

#[test]
fn every_law_has_its_own_name() {
    let mut names: Vec<&str> = fulmar::slices::laws().iter().map(|l| l.name).collect();
    names.sort_unstable();
    for pair in names.windows(2) {
        assert_ne!(pair[0], pair[1]);
    }
}

#[test]
fn every_scope_is_of_the_form_domain_action() {
    for (scope, meaning) in web::all(&fulmar::slices::slices(), |s| s.permissions) {
        let (domain, action) = scope.split_once(':').unwrap_or_else(|| panic!("{scope}"));
        assert!(!domain.is_empty() && !action.is_empty() && !meaning.is_empty(), "{scope}");
    }
}
