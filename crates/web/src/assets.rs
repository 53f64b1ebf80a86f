//! The files under `/assets`: embedded in the program, named with their hash by [`asset`], so that browsers may keep them for ever.

use crate::{App, Problem, Public};
use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::fmt::Write as _;

#[derive(rust_embed::Embed)]
#[folder = "$OUT_DIR/dist"]
struct Files;

fn hash(file: &rust_embed::EmbeddedFile) -> String {
    file.metadata.sha256_hash().iter().take(8).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The address of an asset, as `/assets/app.css?v=…`.
pub fn asset(name: &str) -> String {
    match Files::get(name) {
        Some(file) => format!("/assets/{name}?v={}", hash(&file)),
        None => format!("/assets/{name}"),
    }
}

/// The route of the files.
pub(crate) fn routes() -> axum::Router<App> {
    axum::Router::new().route("/assets/{*name}", axum::routing::get(serve))
}

async fn serve(
    _: Public,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let Some(file) = Files::get(&name) else {
        return Problem::not_found(format!("asset {name}")).into_response();
    };
    let hash = hash(&file);
    // Only the address that names this very content may be kept; the bare one is asked for again each time.
    let keep = match query.as_deref().and_then(|q| q.strip_prefix("v=")) == Some(hash.as_str()) {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    };
    let head = [
        (header::CONTENT_TYPE, file.metadata.mimetype().to_owned()),
        (header::ETAG, format!("\"{hash}\"")),
        (header::CACHE_CONTROL, keep.to_owned()),
    ];
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|tags| tags.contains(&hash));
    match known {
        true => (StatusCode::NOT_MODIFIED, head).into_response(),
        false => (head, file.data).into_response(),
    }
}
