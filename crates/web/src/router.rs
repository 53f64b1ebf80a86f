//! The whole program over HTTP: the slices' routes and pages inside one frame of middleware.
//!
//! Every request has an id, a span and a time limit; a panic is a problem; what is not found is a problem; every answer carries the
//! security headers. Forms and API calls that a browser sends from another site are refused (Sec-Fetch-Site, Origin).

use crate::auth::Denied;
use crate::request::{Asked, is_api};
use crate::{
    App, May, Problem, Public, SignedIn, assets, auth, design, live, openapi, problem_pages, search, toast,
};
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::csrf::{CsrfLayer, ProtectionError};
use tower_http::sensitive_headers::SetSensitiveHeadersLayer;
use tracing::Instrument;

/// Bytes of a body at most.
const BODY_LIMIT: usize = 8 << 20;
/// How long an answer may take.
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// How long the database may take to say that it is there.
const READY_LIMIT: Duration = Duration::from_secs(2);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Tabler's styles hold small images as data; nothing else comes from elsewhere and no script or style stands in a page.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";
/// Swagger UI writes styles into its page.
const DOCS_POLICY: &str = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'";

/// The router of the program.
pub fn router(app: App) -> axum::Router {
    let (api, document) = openapi::api(&app.slices);
    let swagger = utoipa_swagger_ui::SwaggerUi::new("/docs").url("/v1/openapi.json", document);
    let all = app
        .slices
        .iter()
        .fold(api, |all, slice| all.merge((slice.pages)()))
        .merge(assets::routes())
        .merge(problem_pages::routes())
        .merge(design::routes())
        .merge(search::routes())
        .merge(live::routes())
        .route("/healthz", get(healthy))
        .route("/readyz", get(ready))
        .merge(swagger)
        .fallback(nothing_here)
        .method_not_allowed_fallback(other_method);
    let csrf = csrf(&app);
    // The layer that is added last sees the request first.
    all.layer(csrf)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(CatchPanicLayer::custom(|panic: Box<dyn std::any::Any + Send>| {
            Problem::of_panic(&*panic).into_response()
        }))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(app.clone(), frame))
        .layer(SetSensitiveHeadersLayer::new([header::AUTHORIZATION, header::COOKIE, header::SET_COOKIE]))
        .with_state(app)
}

fn csrf(app: &App) -> CsrfLayer<fn(ProtectionError) -> Response> {
    let layer = CsrfLayer::new();
    // Behind a proxy that changes Host, the public address is ours as well.
    let trusted = app
        .setup
        .public_url
        .as_deref()
        .map(|url| url.trim_end_matches('/'))
        .map(|url| layer.clone().add_trusted_origin(url));
    let layer = match trusted {
        Some(Ok(layer)) => layer,
        Some(Err(error)) => {
            tracing::warn!(%error, "the public URL is no origin; forms work only where Host is the address people use");
            layer
        }
        None => layer,
    };
    layer.with_rejection_response(cross_origin as fn(ProtectionError) -> Response)
}

fn cross_origin(_: ProtectionError) -> Response {
    let detail = "This came from another site, so nothing was done. Open the page itself and try again.";
    Problem::new(StatusCode::FORBIDDEN, "request.cross_origin", detail).into_response()
}

/// What every request goes through: its id, its span, its time limit, the headers of its answer, and its line in the log.
async fn frame(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = request_id(&request);
    if let Ok(value) = HeaderValue::from_str(&id) {
        request.headers_mut().insert(REQUEST_ID, value);
    }
    let path = request.uri().path().to_owned();
    let partial = request.headers().get("hx-request-type").is_some_and(|v| v == "partial");
    let said = toast::read(request.headers());
    let spoke = said.is_some();
    let said = Arc::new(Mutex::new(said));
    let from = request.headers().get(header::REFERER).and_then(|v| v.to_str().ok()).and_then(path_of);
    let asked = Asked { id: id.clone(), api: is_api(&path), partial, from, said, who: Arc::default() };
    let left = asked.said.clone();
    let https = auth::is_https(&app, request.headers());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("http", %method, path, request_id = id);
    let began = Instant::now();
    let handling = async {
        let answered = tokio::time::timeout(TIME_LIMIT, next.run(request)).await;
        answered.unwrap_or_else(|_| {
            let detail =
                "This took too long and was stopped. Try again, with less at once where that is possible.";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "server.timeout", detail)
                .retry_after(5)
                .into_response()
        })
    };
    let mut response = asked.clone().scope(handling).instrument(span.clone()).await;
    let refused = auth::Refused::of(&response);
    auth::note(&app, &asked, &method, &path, refused).await;
    let took = began.elapsed();
    span.in_scope(|| {
        tracing::debug!(status = response.status().as_u16(), ms = took.as_millis() as u64, "answered")
    });
    let labels = [
        ("method", method.to_string()),
        ("route", route),
        ("status", response.status().as_u16().to_string()),
    ];
    metrics::counter!("fulmar_http_requests_total", &labels).increment(1);
    metrics::histogram!("fulmar_http_request_seconds", &labels[..2]).record(took.as_secs_f64());
    add_headers(&mut response, &path, &id, https);
    if spoke && left.lock().is_ok_and(|said| said.is_none()) {
        response.headers_mut().append(header::SET_COOKIE, toast::forget());
    }
    response
}

/// What follows the host in a URL. Used as a path of ours, whatever the host is.
fn path_of(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let path = &rest[rest.find('/')?..];
    (!path.starts_with("//")).then(|| path.to_owned())
}

/// The caller's own id where it is sane, so that logs of both sides meet; else a new one.
fn request_id(request: &Request) -> String {
    let given = request.headers().get(REQUEST_ID).and_then(|v| v.to_str().ok());
    let sane = |id: &&str| {
        (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b))
    };
    given.filter(sane).map_or_else(|| format!("{:032x}", rand::random::<u128>()), str::to_owned)
}

fn add_headers(response: &mut Response, path: &str, id: &str, https: bool) {
    let policy = if path.starts_with("/docs") { DOCS_POLICY } else { POLICY };
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    let headers = response.headers_mut();
    for (name, value) in fixed {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if https {
        let year = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(year);
    }
    // What a caller sees is the caller's: nobody between may keep it, unless the answer says so itself.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.append(header::VARY, HeaderValue::from_static("HX-Request-Type"));
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, value);
    }
}

/// Whoever is signed in sees it within their menu.
async fn nothing_here(_: Public, _: Result<May<SignedIn>, Denied>) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "request.not_found", "There is nothing at this address.")
}

/// Who looks at the address of a form is led to the page that it belongs to, as `/orders/ord_…` of `/orders/ord_…/hold`: a form that is shown
/// again after a refusal has no address of its own, and is where somebody may come back to after signing in.
async fn other_method(_: Public, method: Method, uri: Uri) -> Response {
    let above = uri.path().trim_end_matches('/').rsplit_once('/').map_or("", |(above, _)| above);
    if method == Method::GET && !is_api(uri.path()) && !above.is_empty() && !above.starts_with("//") {
        return Redirect::to(above).into_response();
    }
    let detail = "This address does not take this method.";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "request.method", detail).into_response()
}

async fn healthy(_: Public) -> &'static str {
    "ok\n"
}

/// Whether requests can be served: the database answers.
async fn ready(_: Public, State(app): State<App>) -> Result<&'static str, Problem> {
    let one = app.db.read().scalar::<i64>("SELECT CAST(1 AS BIGINT)", []);
    match tokio::time::timeout(READY_LIMIT, one).await {
        Ok(Ok(Some(1))) => Ok("ready\n"),
        other => {
            tracing::warn!(?other, "not ready");
            Err(Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "server.not_ready",
                "The database does not answer.",
            )
            .retry_after(5))
        }
    }
}
