//! Files that are sent: by a form of a page beside its fields, or as the body of a call. Invariants: bytes are what they are, whatever they
//! are called or said to be; more than a route takes is refused before it is read in full.

use crate::{App, Problem, text};
use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::StatusCode;
use std::collections::BTreeMap;

/// A form with files (`multipart/form-data`). Inputs that hold no file send none. How much it may be, is the route's `DefaultBodyLimit`.
#[derive(Debug, Default)]
pub struct Upload {
    /// The fields that are text.
    pub fields: BTreeMap<String, String>,
    /// The files, in the order they were sent.
    pub files: Vec<Attached>,
}

/// A file of a form.
#[derive(Debug, Default)]
pub struct Attached {
    /// What it is called, for people to know it by; nothing to trust.
    pub name: String,
    /// What is in it.
    pub bytes: Bytes,
}

impl Upload {
    /// A field, trimmed; empty where it was not sent.
    pub fn given(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", |v| v.trim())
    }
}

/// What is said where a body is larger than its route takes.
fn too_large() -> Problem {
    let detail = "That is more than can be sent at once. Send fewer or smaller files.";
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "request.too_large", detail)
}

fn unread(status: StatusCode, said: &str) -> Problem {
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        return too_large();
    }
    let detail = format!("The form does not read: {said}.");
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "request.bad_form", detail)
}

impl FromRequest<App> for Upload {
    type Rejection = Problem;
    async fn from_request(req: Request, app: &App) -> Result<Self, Problem> {
        let mut parts =
            Multipart::from_request(req, app).await.map_err(|e| unread(e.status(), &e.body_text()))?;
        let mut upload = Self::default();
        while let Some(part) = parts.next_field().await.map_err(|e| unread(e.status(), &e.body_text()))? {
            let name = part.name().unwrap_or_default().to_owned();
            let file: Option<String> =
                part.file_name().map(|name| name.chars().filter(|c| !c.is_control()).collect());
            let bytes = part.bytes().await.map_err(|e| unread(e.status(), &e.body_text()))?;
            if let Some(name) = file {
                upload.files.extend((!bytes.is_empty()).then_some(Attached { name, bytes }));
                continue;
            }
            let value = String::from_utf8(bytes.to_vec());
            let value = value.map_err(|_| unread(StatusCode::UNPROCESSABLE_ENTITY, "a field is no text"))?;
            if text::is_bad_text(&value) || text::is_bad_text(&name) {
                return Err(text::problem("request.bad_form"));
            }
            upload.fields.insert(name, value);
        }
        Ok(upload)
    }
}

/// A body that is a file.
#[derive(Debug)]
pub struct File(pub Bytes);

impl FromRequest<App> for File {
    type Rejection = Problem;
    async fn from_request(req: Request, app: &App) -> Result<Self, Problem> {
        Bytes::from_request(req, app).await.map(Self).map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => too_large(),
            _ => Problem::new(
                StatusCode::BAD_REQUEST,
                "request.broken_off",
                "The body did not arrive in full.",
            ),
        })
    }
}
