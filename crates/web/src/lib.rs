//! The web: what a slice declares to be served, who may call it, problems, idempotent commands, cursors, the page shell with its
//! components, and the router that puts all slices together.
//!
//! Invariants: [`Problem`] is the only HTTP error; what was refused changed nothing; a page and an API call of the same caller have the
//! same rights; nothing of a [`kernel::Fault`] is ever seen outside.

mod app;
mod assets;
pub mod auth;
pub mod command;
mod cursor;
mod design;
pub mod door;
mod extract;
pub mod html;
pub mod live;
mod objects;
mod once;
mod openapi;
mod problem;
mod problem_pages;
mod request;
mod router;
mod search;
mod shell;
pub mod signed;
mod slice;
mod text;
mod toast;
mod upload;

pub use app::{App, Setup};
pub use assets::asset;
pub use auth::{Caller, May, Public, Role, SignedIn};
pub use command::{Reply, reply};
pub use cursor::{Page, Paging};
pub use door::{Operation, Outcome, outcomes};
pub use extract::{Body, Form, IfMatch, Key, Params, Segment, etag};
pub use once::{once, once_again};
pub use openapi::openapi;
pub use problem::{FieldError, OrProblem, Problem, ProblemBody};
pub use router::router;
pub use shell::{Screen, bare, form_panels, page, panels, partial};
pub use slice::{Finder, Follows, Group, Hit, MenuItem, Panel, Search, Slice, all, grant};
pub use text::check_json;
pub use toast::{Done, done};
pub use upload::{Attached, File, Upload};

#[doc(hidden)]
pub use db as __db;

/// What the web itself brings: sign-in, sessions, API keys, the catalogue of problems.
pub const SLICE: Slice = auth::SLICE;
