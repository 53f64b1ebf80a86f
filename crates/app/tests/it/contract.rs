//! What the OpenAPI document promises, asked of the program itself. Invariant: what it names is there once and means one thing; a header
//! it offers is read; a refusal is the problem it says, of the type it says. `cargo xtask schemathesis` asks the rest.

use crate::support::{Answer, TestApp, shop};
use axum::http::Method;
use fulmar::slices;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn document() -> Value {
    serde_json::to_value(web::openapi(&slices::slices())).unwrap()
}

struct Operation {
    name: String,
    method: Method,
    /// With something plausible in place of its parameters.
    path: String,
    shown: Value,
}

fn operations() -> Vec<Operation> {
    let document = document();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, shown) in item.as_object().unwrap() {
            let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
            let path_of = |p: &Value| p["in"] == "path";
            let mut filled = path.clone();
            for parameter in shown["parameters"].as_array().into_iter().flatten().filter(|p| path_of(p)) {
                let name = parameter["name"].as_str().unwrap();
                let schema = resolved(&document, &parameter["schema"]);
                let value = match (schema["pattern"].as_str(), schema["enum"][0].as_str()) {
                    (Some(id), _) => {
                        format!("{}_0000000000001", id.trim_start_matches('^').split('_').next().unwrap())
                    }
                    (_, Some(word)) => word.to_owned(),
                    _ => "nothing".to_owned(),
                };
                filled = filled.replace(&format!("{{{name}}}"), &value);
            }
            all.push(Operation {
                name: format!("{method} {path}"),
                method,
                path: filled,
                shown: shown.clone(),
            });
        }
    }
    assert!(all.len() > 80);
    all
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null),
        None => schema,
    }
}

fn each_reference(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|v| each_reference(v, found));
        }
        Value::Array(items) => items.iter().for_each(|v| each_reference(v, found)),
        _ => {}
    }
}

#[test]
fn what_the_document_refers_to_is_in_it() {
    let document = document();
    let mut references = Vec::new();
    each_reference(&document, &mut references);
    let missing: Vec<&String> =
        references.iter().filter(|r| document.pointer(r.trim_start_matches('#')).is_none()).collect();
    assert!(missing.is_empty() && references.len() > 300, "{missing:#?}");
}

/// The last of two schemas with one name would silently stand for both.
#[test]
fn a_schema_name_means_one_shape() {
    let mut seen: BTreeMap<String, (&str, Value)> = BTreeMap::new();
    for slice in slices::slices() {
        let own = serde_json::to_value(web::openapi(&[slice])).unwrap();
        for (name, shape) in own["components"]["schemas"].as_object().unwrap_or(&Map::new()) {
            let (first, known) = seen.entry(name.clone()).or_insert_with(|| (slice.name, shape.clone()));
            assert_eq!(known, shape, "{first} and {} mean different things by the schema {name}", slice.name);
        }
    }
    // Inside of a slice nobody can see two any more, so there the sources are asked.
    let mut declared: BTreeMap<String, PathBuf> = BTreeMap::new();
    for file in sources() {
        for name in schemas_in(&std::fs::read_to_string(&file).unwrap()) {
            if let Some(other) = declared.insert(name.clone(), file.clone()) {
                panic!("{} and {} both declare a schema {name}", other.display(), file.display());
            }
        }
    }
    assert!(declared.len() > 100, "{declared:?}");
}

fn sources() -> Vec<PathBuf> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut folders: Vec<PathBuf> =
        slices::slices().iter().map(|s| crates.join(s.name).join("src")).collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    files
}

/// The names of the schemas that a source derives.
fn schemas_in(source: &str) -> Vec<String> {
    let mut names = Vec::new();
    for piece in source.split("#[derive(").skip(1) {
        let Some((traits, rest)) = piece.split_once(")]") else { continue };
        if !traits.contains("ToSchema") {
            continue;
        }
        let renamed =
            rest.split("schema(as = ").nth(1).filter(|_| rest.find("schema(as = ") < rest.find(" {"));
        let words: Vec<&str> = rest.split_whitespace().collect();
        let at = words.iter().position(|w| ["struct", "enum"].contains(w)).unwrap();
        let name = renamed.unwrap_or(words[at + 1]);
        let name: String = name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        // A macro's `$name` is no name yet.
        if !name.is_empty() {
            names.push(name);
        }
    }
    names
}

#[test]
fn every_refusal_is_a_problem_of_its_own_type() {
    let document = document();
    let problem = &document["components"]["responses"]["Problem"]["content"];
    let kinds: Vec<&String> = problem.as_object().unwrap().keys().collect();
    assert_eq!(kinds, ["application/problem+json"]);
    for operation in operations() {
        let answers = operation.shown["responses"].as_object().unwrap();
        assert!(answers.keys().any(|status| status.starts_with('2')), "{}", operation.name);
        for (status, answer) in answers {
            match status.starts_with('2') {
                true => assert!(answer.get("$ref").is_none(), "{} {status}", operation.name),
                false => assert_eq!(
                    answer["$ref"], "#/components/responses/Problem",
                    "{} {status}",
                    operation.name
                ),
            }
        }
    }
}

/// The headers that an operation may offer, each with a value that whoever reads it refuses, and how.
const HEADERS: &[(&str, &str, &str)] =
    &[("Idempotency-Key", " ", "idempotency.bad_key"), ("If-Match", "not an etag", "request.bad_if_match")];

/// A key that nobody reads is worse than none: who sends it believes that asking again is safe.
#[tokio::test]
async fn a_header_is_read_where_it_is_documented_and_nowhere_else() {
    for app in TestApp::both().await {
        let mut read = 0;
        for operation in operations() {
            let offered: Vec<&str> = operation.shown["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|p| p["in"] == "header")
                .filter_map(|p| p["name"].as_str())
                .collect();
            assert!(
                offered.iter().all(|name| HEADERS.iter().any(|(known, ..)| known == name)),
                "{} offers a header that this test does not know: {offered:?}",
                operation.name
            );
            for (name, wrong, code) in HEADERS {
                let body = operation.shown.get("requestBody").map(|_| json!({}));
                let headers = [(*name, *wrong)];
                let answer =
                    app.call(operation.method.clone(), &operation.path, &headers, body.as_ref()).await;
                let refused = answer.json()["code"] == *code;
                let documented = offered.contains(name);
                assert_eq!(refused, documented, "{} {} {name}: {}", app.name, operation.name, answer.text);
                read += usize::from(refused);
            }
        }
        assert!(read > 40, "{}: {read} headers are read", app.name);
    }
}

/// Serde takes the fields of a structure as a list, which no document says.
#[tokio::test]
async fn a_list_is_no_object() {
    let document = document();
    let app = TestApp::sqlite().await;
    let mut asked = 0;
    for operation in operations() {
        let schema = &operation.shown["requestBody"]["content"]["application/json"]["schema"];
        // What others send is read once it is known that they sent it.
        let signed = ["/v1/webhooks/carriers/", "/v1/webhooks/gateways/"]
            .iter()
            .any(|at| operation.path.starts_with(at));
        if signed || resolved(&document, schema)["type"] != "object" {
            continue;
        }
        asked += 1;
        for list in [json!([]), json!([null, null, null, null])] {
            let answer = app.call(operation.method.clone(), &operation.path, &[], Some(&list)).await;
            assert_eq!(answer.status, 422, "{} {list}: {}", operation.name, answer.text);
            assert_eq!(answer.json()["code"], "request.invalid", "{} {list}", operation.name);
        }
    }
    assert!(asked > 40, "{asked} operations take an object");
}

fn is_problem(answer: &Answer) -> bool {
    answer.headers.get("content-type").is_some_and(|v| v == "application/problem+json")
}

#[tokio::test]
async fn what_nobody_knows_is_404_everywhere() {
    for app in TestApp::both().await {
        for operation in operations().into_iter().filter(|o| o.method == Method::GET && o.name.contains("/{"))
        {
            let answer = app.get(&operation.path).await;
            assert_eq!(answer.status, 404, "{} {}: {}", app.name, operation.name, answer.text);
            assert!(is_problem(&answer), "{} {}: {}", app.name, operation.name, answer.text);
        }
        // An order that nobody has to pay for is known all the same.
        shop::open(&app.ctx.db, 10).await;
        let mut order = shop::order("free", &[("TEE", 1)]);
        order["tenders"] = json!([]);
        order["pay_later"] = json!(true);
        let placed = app.post("/v1/orders", &order).await.ok();
        let id = placed["id"].as_str().unwrap();
        for list in ["payments", "refunds"] {
            let answer = app.get(&format!("/v1/orders/{id}/{list}")).await.ok();
            assert_eq!(answer["data"], json!([]), "{} {list}", app.name);
        }
    }
}

/// Answers are kept for who got them: a key is a secret of its caller, and guessing it shows nothing.
#[tokio::test]
async fn an_answer_is_repeated_to_its_caller_only() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 10).await;
        let (ours, theirs) = (app.with_key(&["*"]).await, app.with_key(&["*"]).await);
        let order = shop::order("ada", &[("TEE", 1)]);
        let first = ours.post_once("/v1/orders", "same", &order).await.ok();
        assert_eq!(
            ours.post_once("/v1/orders", "same", &order).await.ok()["id"],
            first["id"],
            "{}",
            app.name
        );
        assert_ne!(
            theirs.post_once("/v1/orders", "same", &order).await.ok()["id"],
            first["id"],
            "{}",
            app.name
        );
        let path = "/v1/locations/WH2";
        let location = json!({"code": "WH2", "name": "Second", "kind": "warehouse", "priority": 2,
            "address": {"name": "A", "line1": "B 1", "postal_code": "10119", "city": "Berlin", "country": "DE"}});
        let put = |who: TestApp| {
            let location = location.clone();
            async move { who.call(Method::PUT, path, &[("idempotency-key", "put")], Some(&location)).await }
        };
        let (mine, again, other) = (put(ours.clone()).await, put(ours.clone()).await, put(theirs).await);
        let replayed = |a: &Answer| a.headers.contains_key("idempotent-replayed");
        assert!(mine.status.is_success() && !replayed(&mine), "{}", mine.text);
        assert!(replayed(&again) && !replayed(&other), "{}: {}", app.name, other.text);
    }
}
