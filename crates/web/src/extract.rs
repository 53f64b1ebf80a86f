//! What handlers take out of a request. Each reads strictly and answers with a problem that names what is wrong and where.

use crate::objects::Objects;
use crate::{App, Problem, text};
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, OriginalUri, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use std::convert::Infallible;

/// A JSON body. An empty body reads as `{}`. Unknown fields are refused where the type says `deny_unknown_fields`, and a list is never
/// taken for an object.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = Problem;
    async fn from_request(req: Request, app: &App) -> Result<Self, Problem> {
        let is_json = is_json(req.headers());
        let bytes = bytes(req, app).await?;
        if bytes.is_empty() {
            return read_json(b"{}").map(Self);
        }
        if !is_json {
            let detail = "Send the body as JSON with “Content-Type: application/json”.";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "request.not_json", detail));
        }
        read_json(&bytes).map(Self)
    }
}

async fn bytes(req: Request, app: &App) -> Result<Bytes, Problem> {
    Bytes::from_request(req, app).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        _ => Problem::new(StatusCode::BAD_REQUEST, "request.broken_off", "The body did not arrive in full."),
    })
}

fn too_large() -> Problem {
    let detail = "A request may have 8 MiB at most. Send it in parts.";
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "request.too_large", detail)
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || kind.starts_with("application/") && kind.ends_with("+json")
}

fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value: T = serde_path_to_error::deserialize(Objects(&mut reader)).map_err(|e| {
        let pointer = pointer(e.path());
        let inner = e.into_inner();
        match inner.classify() {
            serde_json::error::Category::Data => Problem::invalid(pointer, without_place(&inner.to_string())),
            _ => Problem::new(
                StatusCode::BAD_REQUEST,
                "request.malformed_json",
                format!("The body is not JSON: {inner}."),
            ),
        }
    })?;
    let rest = reader.end();
    rest.map_err(|e| {
        Problem::new(StatusCode::BAD_REQUEST, "request.malformed_json", format!("The body is not JSON: {e}."))
    })?;
    text::check_json(bytes)?;
    Ok(value)
}

/// A JSON pointer (RFC 6901) to the place.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter().fold(String::new(), |mut text, segment| {
        match segment {
            Segment::Seq { index } => text.push_str(&format!("/{index}")),
            Segment::Map { key } => text.push_str(&format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
            Segment::Enum { variant } => text.push_str(&format!("/{variant}")),
            Segment::Unknown => {}
        }
        text
    })
}

/// Serde's sentence without line and column, which mean little to who sent a structure.
fn without_place(said: &str) -> String {
    let said = said.rfind(" at line ").map_or(said, |at| &said[..at]);
    format!("{said}.")
}

/// The query string. Repeated names make a list; an empty value of a number is none.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<App> for Params<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        if text::is_bad_encoded(parts.uri.query().unwrap_or_default().as_bytes()) {
            return Err(text::problem("request.bad_parameter"));
        }
        match axum_extra::extract::Query::<T>::from_request_parts(parts, app).await {
            Ok(query) => Ok(Self(query.0)),
            Err(rejection) => {
                let said = rejection.body_text();
                let said = said.split_once(": ").map_or(said.as_str(), |(_, rest)| rest);
                Err(Problem::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "request.bad_parameter",
                    format!("The query does not read: {said}."),
                ))
            }
        }
    }
}

/// The variable segments of the path. What does not read as its type names nothing there is: 404.
pub struct Segment<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Segment<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        // No name has a control character, so nothing is there.
        if text::is_bad_encoded(parts.uri.path().as_bytes()) {
            return Err(Problem::new(
                StatusCode::NOT_FOUND,
                "request.not_found",
                "There is nothing at this address.",
            ));
        }
        match Path::<T>::from_request_parts(parts, app).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(rejection) => {
                let said = rejection.body_text();
                let said = said.strip_prefix("Invalid URL: ").unwrap_or(&said);
                Err(Problem::new(
                    StatusCode::NOT_FOUND,
                    "request.not_found",
                    format!("There is nothing here: {said}."),
                ))
            }
        }
    }
}

/// The fields of a form, also nested (`lines[0][sku]`) as browsers encode them.
pub struct Form<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Form<T> {
    type Rejection = Problem;
    async fn from_request(req: Request, app: &App) -> Result<Self, Problem> {
        let bytes = bytes(req, app).await?;
        if text::is_bad_encoded(&bytes) {
            return Err(text::problem("request.bad_form"));
        }
        let fields = serde_qs::Config::new().max_depth(6).use_form_encoding(true).deserialize_bytes(&bytes);
        fields.map(Self).map_err(|e| {
            Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "request.bad_form",
                format!("The form does not read: {e}."),
            )
        })
    }
}

/// The `Idempotency-Key` of a mutating call, with what else decides whether two calls are the same: method, path and `If-Match`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    key: Option<String>,
    about: String,
}

impl Key {
    pub(crate) fn of(key: Option<String>, about: String) -> Self {
        Self { key, about }
    }
    /// The caller's key: 1 to 255 printable characters.
    pub fn text(&self) -> Option<&str> {
        self.key.as_deref()
    }
    /// The hash by which two calls are the same: of the path and of what was sent.
    ///
    /// # Errors
    /// A fault when the input does not serialise.
    pub fn hash(&self, input: &impl serde::Serialize) -> Result<String, kernel::Fault> {
        let mut bytes = self.about.clone().into_bytes();
        serde_json::to_writer(&mut bytes, input)?;
        Ok(db::answers::input_hash(&bytes))
    }
}

impl FromRequestParts<App> for Key {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let bad = || {
            let detail = "An Idempotency-Key has 1 to 255 printable characters.";
            Problem::new(StatusCode::BAD_REQUEST, "idempotency.bad_key", detail).at("Idempotency-Key")
        };
        let key = match parts.headers.get("idempotency-key") {
            None => None,
            Some(value) => {
                let text = value.to_str().map_err(|_| bad())?.trim();
                if text.is_empty() || text.len() > 255 || text.chars().any(char::is_control) {
                    return Err(bad());
                }
                Some(text.to_owned())
            }
        };
        let if_match =
            parts.headers.get(header::IF_MATCH).map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
        let about = format!("{} {} {}\n", parts.method, original_path(parts), if_match.unwrap_or_default());
        Ok(Self { key, about })
    }
}

/// The path as the caller sent it, also inside a nested router.
pub(crate) fn original_path(parts: &Parts) -> &str {
    parts.extensions.get::<OriginalUri>().map_or(parts.uri.path(), |uri| uri.0.path())
}

/// The version a caller wants to change, from `If-Match`; none when absent or `*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IfMatch(pub Option<i64>);

impl IfMatch {
    /// Whether the present version is the one the caller knows.
    ///
    /// # Errors
    /// Problem `request.stale`.
    pub fn check(self, present: i64) -> Result<(), Problem> {
        match self.0 {
            Some(known) if known != present => {
                let detail = format!(
                    "You know version {known}, but it is at version {present} by now. Read it again, then decide."
                );
                Err(Problem::new(StatusCode::PRECONDITION_FAILED, "request.stale", detail))
            }
            _ => Ok(()),
        }
    }
}

impl FromRequestParts<App> for IfMatch {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get(header::IF_MATCH) else { return Ok(Self(None)) };
        let text = value.to_str().unwrap_or("").trim();
        if text == "*" {
            return Ok(Self(None));
        }
        let number = text
            .strip_prefix("W/")
            .unwrap_or(text)
            .strip_prefix('"')
            .and_then(|t| t.strip_suffix('"'))
            .and_then(|t| t.parse().ok());
        number.map(|n| Self(Some(n))).ok_or_else(|| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "request.bad_if_match",
                "If-Match takes an ETag as this server gave it, as \"3\".",
            )
            .at("If-Match")
        })
    }
}

/// The `ETag` of a version: `([(header::ETAG, etag(order.version))], Json(order))`.
pub fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// Nothing is taken out of the request; see [`crate::Public`].
impl FromRequestParts<App> for crate::Public {
    type Rejection = Infallible;
    async fn from_request_parts(_: &mut Parts, _: &App) -> Result<Self, Infallible> {
        Ok(Self)
    }
}
