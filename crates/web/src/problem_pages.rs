//! `/problems`: every code this program can answer, and what it means. The `type` of a problem leads here.

use crate::problem::status_of;
use crate::{App, Problem, Public, Segment, html, shell};
use axum::extract::State;
use axum::routing::get;
use maud::{Markup, html};

/// Codes of requests as such, with their status.
const OF_REQUESTS: &[(&str, u16, &str)] = &[
    ("auth.bad_key", 401, "This API key is unknown, expired or was revoked."),
    ("auth.missing", 401, "Send an API key, or sign in."),
    (
        "auth.second_factor_required",
        403,
        "The caller's role needs a second factor, which is still to be set up.",
    ),
    ("auth.scope_missing", 403, "The caller lacks the permission that is named."),
    ("idempotency.bad_key", 400, "An Idempotency-Key has 1 to 255 printable characters."),
    ("idempotency.key_reused", 422, "This Idempotency-Key was used for another request."),
    ("request.bad_cursor", 422, "This cursor is not one that this list gave."),
    ("request.bad_form", 422, "The form does not read."),
    ("request.bad_if_match", 400, "If-Match takes an ETag as this server gave it."),
    ("request.bad_limit", 422, "A page has between 1 and 200 rows."),
    ("request.bad_parameter", 422, "The query does not read."),
    ("request.broken_off", 400, "The body did not arrive in full."),
    ("request.cross_origin", 403, "A form of another site was sent here."),
    ("request.invalid", 422, "A field does not read; its pointer is in errors."),
    ("request.malformed_json", 400, "The body is not JSON."),
    ("request.method", 405, "This address does not take this method."),
    ("request.not_found", 404, "There is nothing here, or nothing the caller may see."),
    ("request.not_json", 415, "Send the body as JSON."),
    ("request.stale", 412, "It changed since it was read."),
    ("request.too_large", 413, "A request may have 8 MiB at most."),
    ("server.busy", 503, "There is more to do than can be queued; Retry-After says when to try again."),
    ("server.fault", 500, "Something went wrong; the request id leads to it in the log."),
    ("server.not_ready", 503, "The database does not answer."),
    ("server.timeout", 503, "It took longer than 30 seconds; what was changed was undone."),
];

struct Known {
    code: String,
    status: u16,
    text: String,
}

fn known(app: &App) -> Vec<Known> {
    let of_requests = OF_REQUESTS.iter().map(|(code, status, text)| Known {
        code: (*code).into(),
        status: *status,
        text: (*text).into(),
    });
    let of_slices = crate::all(&app.slices, |s| s.codes).into_iter().flatten();
    let of_slices = of_slices.map(|c| Known {
        code: c.code.into(),
        status: status_of(c.kind).as_u16(),
        text: c.text.into(),
    });
    let mut all: Vec<Known> = of_requests.chain(of_slices).collect();
    all.sort_by(|a, b| a.code.cmp(&b.code));
    all.dedup_by(|a, b| a.code == b.code);
    all
}

/// The pages of codes.
pub(crate) fn routes() -> axum::Router<App> {
    axum::Router::new().route("/problems", get(list)).route("/problems/{code}", get(show))
}

async fn list(_: Public, State(app): State<App>) -> Markup {
    let cols = [html::Col::text("Code"), html::Col::text("Meaning"), html::Col::number("Status")];
    let rows = known(&app).into_iter().map(|k| {
        let href = format!("/problems/{}", k.code);
        html::Row::new([html! { code { (k.code) } }, html! { (k.text) }, html! { (k.status) }]).href(href)
    });
    shell::bare(&app.setup.merchant, "Problems", html::Table::new("Problems", &cols, rows).show())
}

async fn show(_: Public, State(app): State<App>, Segment(code): Segment<String>) -> Result<Markup, Problem> {
    let problem = known(&app)
        .into_iter()
        .find(|k| k.code == code)
        .ok_or_else(|| Problem::not_found(format!("code “{code}”")))?;
    let body = html! {
        p { (problem.text) }
        (html::facts([("Code", html! { code { (problem.code) } }), ("HTTP status", html! { (problem.status) })]))
        p.mt-3 { a href="/problems" { "All problems" } }
    };
    Ok(shell::bare(&app.setup.merchant, &problem.code, body))
}
