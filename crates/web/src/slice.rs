//! What a slice declares. The program is a list of these and nothing else wires slices together.

use crate::App;
use crate::html::Icon;
use db::{BoxFuture, Sql};
use kernel::refusal::Code;
use kernel::{Fault, Permission};
use utoipa_axum::router::OpenApiRouter;

/// The groups of the menu, as merchants think, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// What needs somebody today.
    Home,
    /// Orders and entering them.
    Orders,
    /// What waits for a decision.
    Review,
    /// Picking, packing, shipping.
    Fulfilment,
    /// What lies where.
    Stock,
    /// What is sold.
    Catalogue,
    /// What comes back.
    Returns,
    /// Who buys.
    Customers,
    /// The money.
    Books,
    /// Events, webhooks, jobs, keys.
    Developers,
    /// People and set-up.
    Settings,
}

impl Group {
    /// Every group.
    pub const ALL: [Self; 11] = [
        Self::Home,
        Self::Orders,
        Self::Review,
        Self::Fulfilment,
        Self::Stock,
        Self::Catalogue,
        Self::Returns,
        Self::Customers,
        Self::Books,
        Self::Developers,
        Self::Settings,
    ];
    /// Title, picture, and the key that leads there after `g`.
    pub fn looks(self) -> (&'static str, Icon, &'static str) {
        match self {
            Self::Home => ("Home", Icon::Home, "h"),
            Self::Orders => ("Orders", Icon::ShoppingCart, "o"),
            Self::Review => ("Review", Icon::ShieldCheck, "v"),
            Self::Fulfilment => ("Fulfilment", Icon::PackageExport, "f"),
            Self::Stock => ("Stock", Icon::Packages, "s"),
            Self::Catalogue => ("Catalogue", Icon::Tag, "c"),
            Self::Returns => ("Returns", Icon::TruckReturn, "r"),
            Self::Customers => ("Customers", Icon::Users, "u"),
            Self::Books => ("Books", Icon::Book2, "b"),
            Self::Developers => ("Developers", Icon::Code, "d"),
            Self::Settings => ("Settings", Icon::Settings, "e"),
        }
    }
}

/// An entry of the menu. Write `MenuItem { title: "Orders", …, ..MenuItem::EMPTY }`.
#[derive(Clone, Copy, Debug)]
pub struct MenuItem {
    /// As people read it.
    pub title: &'static str,
    /// Where it leads, as `/orders`.
    pub path: &'static str,
    /// Who sees it.
    pub scope: &'static str,
    /// Where in the menu it stands. The first entry of a group that one may see is where the group leads.
    pub group: Group,
    /// Its place in the group; the smallest is first.
    pub order: u8,
}

impl MenuItem {
    /// For the rest of a declaration.
    pub const EMPTY: Self = Self { title: "", path: "", scope: "", group: Group::Settings, order: 50 };
}

/// Something the search box found: where it leads and how it reads.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The page of it.
    pub href: String,
    /// What it is called.
    pub title: String,
    /// What tells it from others.
    pub detail: String,
}

/// What the search box of every page asks a slice for. It gives a few hits, by an index, and nothing for a text it knows nothing of.
#[derive(Clone, Copy)]
pub struct Search {
    /// The heading of its hits, as `Orders`.
    pub title: &'static str,
    /// Who may find them.
    pub scope: &'static str,
    /// The list that shows all there are: its path and the name of its search, or empty.
    pub all: (&'static str, &'static str),
    /// The hits, the best first.
    pub find: for<'a> fn(&'a App, &'a str) -> BoxFuture<'a, Result<Vec<Hit>, Fault>>,
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
    /// Whether it shows its heading alone until somebody opens it: for what few look at.
    pub folded: bool,
}

/// A way to find what a slice above knows nothing of: orders by a tracking number, say. Whoever shows a search box asks them all.
#[derive(Clone, Copy)]
pub struct Finder {
    /// What is found, as `order`.
    pub what: &'static str,
    /// The raw ids that a text stands for, few and by an index.
    pub find: for<'a> fn(&'a Sql, &'a str) -> BoxFuture<'a, Result<Vec<i64>, Fault>>,
}

/// What of a slice follows a customer into another when the two turn out to be one person: named and counted before it is done. The slice
/// moves it when it hears `customer.merged`.
#[derive(Clone, Copy)]
pub struct Follows {
    /// As the API names it, as `orders`.
    pub what: &'static str,
    /// As people read it: one, and many.
    pub title: (&'static str, &'static str),
    /// How many a customer has, by raw id.
    pub count: for<'a> fn(&'a Sql, i64) -> BoxFuture<'a, Result<i64, Fault>>,
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
    /// What of it follows a customer who is merged into another.
    pub follows: &'static [Follows],
    /// What the search box of every page finds of it.
    pub search: &'static [Search],
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
        follows: &[],
        search: &[],
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
