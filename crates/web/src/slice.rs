//! What a slice declares. The program is a list of these and nothing else wires slices together.

use crate::App;
use db::{BoxFuture, Sql};
use kernel::refusal::Code;
use kernel::{Fault, Permission};
use utoipa_axum::router::OpenApiRouter;

/// An entry of the menu.
#[derive(Clone, Copy, Debug)]
pub struct MenuItem {
    /// As people read it.
    pub title: &'static str,
    /// Where it leads, as `/orders`.
    pub path: &'static str,
    /// Who sees it.
    pub scope: &'static str,
}

/// A block that one slice serves on a page of a slice above it; the page loads it when it is shown.
#[derive(Clone, Copy, Debug)]
pub struct Panel {
    /// The page it belongs on, as `order`.
    pub page: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// Where its HTML is, for the subject of the page (`ord_…`).
    pub path: fn(&str) -> String,
    /// Who sees it.
    pub scope: &'static str,
}

/// A way to find what a slice above knows nothing of: orders by a tracking number, say. Whoever shows a search box asks them all.
#[derive(Clone, Copy)]
pub struct Finder {
    /// What is found, as `order`.
    pub what: &'static str,
    /// The raw ids that a text stands for, few and by an index.
    pub find: for<'a> fn(&'a Sql, &'a str) -> BoxFuture<'a, Result<Vec<i64>, Fault>>,
}

/// A slice of the domain, as the program sees it. Write `Slice { name: "orders", …, ..Slice::EMPTY }`.
#[derive(Clone, Copy)]
pub struct Slice {
    /// The domain noun.
    pub name: &'static str,
    /// Scopes and what they allow; see [`grant`].
    pub permissions: &'static [(&'static str, &'static str)],
    /// Its entries of the menu.
    pub menu: &'static [MenuItem],
    /// What reacts to events inside the transaction that records them.
    pub reactions: &'static [db::Reaction],
    /// What is told of events afterwards.
    pub listeners: &'static [db::Listener],
    /// Its background jobs.
    pub jobs: &'static [db::JobKind],
    /// Its timed work.
    pub timers: &'static [db::Timer],
    /// What `fulmar verify` proves of it.
    pub laws: &'static [db::Law],
    /// Every code its commands can answer: the `CODES` of its refusals.
    pub codes: &'static [&'static [Code]],
    /// Its REST routes, served under `/v1`.
    pub api: fn() -> OpenApiRouter<App>,
    /// Its pages, served as they are.
    pub pages: fn() -> axum::Router<App>,
    /// Its blocks on pages of slices above it.
    pub panels: &'static [Panel],
    /// What it finds for the search boxes of slices above it.
    pub finders: &'static [Finder],
}

impl Slice {
    /// A slice that declares nothing, for the rest of a declaration.
    pub const EMPTY: Self = Self {
        name: "",
        permissions: &[],
        menu: &[],
        reactions: &[],
        listeners: &[],
        jobs: &[],
        timers: &[],
        laws: &[],
        codes: &[],
        api: OpenApiRouter::new,
        pages: axum::Router::new,
        panels: &[],
        finders: &[],
    };
}

/// The entry of a permission in [`Slice::permissions`].
pub const fn grant<P: Permission>() -> (&'static str, &'static str) {
    (P::SCOPE, P::MEANING)
}

/// One kind of thing over all slices, in their order: `web::all(SLICES, |s| s.reactions)`.
pub fn all<T: Copy>(slices: &[Slice], part: fn(&Slice) -> &'static [T]) -> Vec<T> {
    slices.iter().flat_map(part).copied().collect()
}
