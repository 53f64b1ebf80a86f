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
    let Some(file) = Files::get(&name).filter(|_| !name.ends_with(".br")) else {
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
        (header::VARY, "accept-encoding".to_owned()),
    ];
    if names(&headers, header::IF_NONE_MATCH, &hash) {
        return (StatusCode::NOT_MODIFIED, head).into_response();
    }
    // Packed when the program was built, as small as it gets; other encodings are made on the way out.
    let packed = Files::get(&format!("{name}.br")).filter(|_| names(&headers, header::ACCEPT_ENCODING, "br"));
    match packed {
        Some(packed) => (head, [(header::CONTENT_ENCODING, "br")], packed.data).into_response(),
        None => (head, file.data).into_response(),
    }
}

/// Whether a header that is a list names a word, as `"…"` or `word;q=1`; a word that is refused by `q=0` is not named.
fn names(headers: &HeaderMap, header: header::HeaderName, word: &str) -> bool {
    let text = headers.get(header).and_then(|v| v.to_str().ok()).unwrap_or_default();
    text.split(',').map(str::trim).any(|part| {
        let (name, weight) = part.split_once(';').unwrap_or((part, ""));
        let name = name.trim().trim_start_matches("W/").trim_matches('"');
        name == word && !matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}
