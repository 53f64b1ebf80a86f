//! Problems (RFC 9457): the only HTTP error. JSON for the API, a page for people, an alert for a part of a page.
//!
//! Invariants: the code is stable; a fault is logged once, here, with the request's id, and says nothing outside. A problem travels
//! through a transaction as a fault and comes out as itself, so a refusal inside `db::write!` rolls back and still answers precisely.

use crate::auth::RefusedAs;
use crate::{html, request, shell};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::{Fault, Kind, Refuse};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use utoipa::openapi::{RefOr, schema::Schema};
use utoipa::{PartialSchema, ToSchema};

/// A fault of one field of the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer into the body (`/lines/0/sku`) or the name of the field or parameter.
    pub pointer: String,
    /// The stable code.
    pub code: String,
    /// What is wrong, as a sentence.
    pub detail: String,
}

/// A problem as it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Where the code is explained, relative to this server.
    #[serde(rename = "type")]
    pub kind: String,
    /// What sort of problem it is.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened and the way out, as a sentence.
    pub detail: String,
    /// The stable code.
    pub code: String,
    /// The id to quote to the people who run the server.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request_id: Option<String>,
    /// The fields it is about.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub errors: Vec<FieldError>,
}

/// The error of every handler.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: Box<str>,
    errors: Vec<FieldError>,
    retry_after: Option<u32>,
}

/// What people read above the sentence.
fn title(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "The request cannot be read",
        401 => "Sign in first",
        403 => "Not allowed",
        404 => "Not found",
        405 => "Not possible here",
        409 => "Not possible now",
        412 => "Changed in the meantime",
        413 => "Too large",
        415 => "Another format is needed",
        422 => "The input is not valid",
        429 => "Too many attempts",
        503 => "Busy",
        _ => "Something went wrong",
    }
}

/// The HTTP status of a kind of refusal.
pub(crate) fn status_of(kind: Kind) -> StatusCode {
    match kind {
        Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::Stale => StatusCode::PRECONDITION_FAILED,
    }
}

impl Problem {
    /// A problem with a stable code and a sentence.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<Box<str>>) -> Self {
        Self { status, code, detail: detail.into(), errors: Vec::new(), retry_after: None }
    }
    /// What a refusal says over HTTP.
    pub fn refused(refusal: &impl Refuse) -> Self {
        let detail = refusal.to_string();
        let mut problem = Self::new(status_of(refusal.kind()), refusal.code(), detail.clone());
        if let Some(pointer) = refusal.field() {
            problem.errors.push(FieldError { pointer, code: refusal.code().to_owned(), detail });
        }
        problem
    }
    /// There is nothing of that name, or nothing the caller may see: `Problem::not_found("order ord_…")`.
    pub fn not_found(what: impl fmt::Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, "request.not_found", format!("There is no {what}."))
    }
    /// The input does not read.
    pub fn invalid(pointer: impl Into<String>, detail: impl Into<Box<str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "request.invalid", detail).at(pointer)
    }
    /// Names the field it is about.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.errors.push(FieldError {
            pointer: pointer.into(),
            code: self.code.to_owned(),
            detail: self.detail.to_string(),
        });
        self
    }
    /// Adds the faults of several fields.
    #[must_use]
    pub fn with_errors(mut self, errors: impl IntoIterator<Item = FieldError>) -> Self {
        self.errors.extend(errors);
        self
    }
    /// Says when another try makes sense, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }
    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }
    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.code
    }
    /// The sentence, for a page that shows it by its form.
    pub fn detail(&self) -> &str {
        &self.detail
    }
    /// The fields it is about.
    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }
    /// What is wrong with a field, as a sentence.
    pub fn error_at(&self, pointer: &str) -> Option<&str> {
        self.errors.iter().find(|error| error.pointer == pointer).map(|error| error.detail.as_str())
    }
    /// The problem as it is sent.
    pub fn body(&self) -> ProblemBody {
        ProblemBody {
            kind: format!("/problems/{}", self.code),
            title: title(self.status).to_owned(),
            status: self.status.as_u16(),
            detail: self.detail.to_string(),
            code: self.code.to_owned(),
            request_id: request::current().map(|r| r.id),
            errors: self.errors.clone(),
        }
    }
    /// The answer to a panic; what panicked is logged.
    pub(crate) fn of_panic(panic: &(dyn std::any::Any + Send)) -> Self {
        let said = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied());
        Self::from(Fault::broken(format!("panic: {}", said.unwrap_or("without words"))))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status.as_u16(), self.code, self.detail)
    }
}
impl std::error::Error for Problem {}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        if let Some(problem) = fault.cause::<Problem>() {
            return problem.clone();
        }
        let request_id = request::current().map(|r| r.id);
        tracing::error!(request_id, %fault, "a request failed");
        let detail = match request_id {
            Some(id) => format!(
                "Something went wrong. If it happens again, quote request {id} to whoever runs this server."
            ),
            None => "Something went wrong.".to_owned(),
        };
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server.fault", detail)
    }
}
impl From<db::Busy> for Problem {
    fn from(_: db::Busy) -> Self {
        let detail = "The server has more to do than it can queue. Try again in a moment.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "server.busy", detail).retry_after(1)
    }
}

/// Refusals become problems.
pub trait OrProblem<T> {
    /// The value, or what the refusal says over HTTP.
    ///
    /// # Errors
    /// The refusal as a problem.
    fn or_problem(self) -> Result<T, Problem>;
}
impl<T, R: Refuse> OrProblem<T> for Result<T, R> {
    fn or_problem(self) -> Result<T, Problem> {
        self.map_err(|refusal| Problem::refused(&refusal))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = self.body();
        let mut response = match request::current() {
            Some(asked) if asked.partial && !asked.api => html::alert("danger", &body.detail).into_response(),
            Some(asked) if !asked.api => shell::problem(&body).into_response(),
            _ => json(&body),
        };
        *response.status_mut() = self.status;
        response.extensions_mut().insert(RefusedAs(self.code.to_owned()));
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

fn json(body: &ProblemBody) -> Response {
    let text = serde_json::to_string(body).unwrap_or_else(|_| "{}".to_owned());
    ([(header::CONTENT_TYPE, "application/problem+json")], text).into_response()
}

impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        ProblemBody::schema()
    }
}
impl ToSchema for Problem {
    fn name() -> Cow<'static, str> {
        ProblemBody::name()
    }
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        ProblemBody::schemas(schemas);
    }
}
