//! Tables of rows: heads that stay in sight and sort, numbers in line, rows that are links, check boxes for doing many at once.
//!
//! On a page the keys j and k go through the rows' links, x ticks the row, o or enter opens it. On a phone every row becomes a block whose
//! cells carry their heads.

use super::{Icon, icon, none, query};
use maud::{Markup, html};

/// A column.
#[derive(Debug, Clone, Copy)]
pub struct Col<'a> {
    title: &'a str,
    number: bool,
    sort: &'a str,
    minor: bool,
    place: &'static str,
}

impl<'a> Col<'a> {
    /// Words; without a title, buttons.
    pub const fn text(title: &'a str) -> Self {
        Self { title, number: false, sort: "", minor: false, place: "" }
    }
    /// Numbers: they end where the column ends.
    pub const fn number(title: &'a str) -> Self {
        Self { title, number: true, sort: "", minor: false, place: "" }
    }
    /// The head sorts by this key.
    pub const fn sorts(mut self, key: &'a str) -> Self {
        self.sort = key;
        self
    }
    /// Only where there is room.
    pub const fn minor(mut self) -> Self {
        self.minor = true;
        self
    }
    /// In a [`Table::brief`] on a phone: at the right, as numbers are.
    pub const fn at_end(mut self) -> Self {
        self.place = "at-end";
        self
    }
    /// In a [`Table::brief`] on a phone: below, with its head beside it.
    pub const fn below(mut self) -> Self {
        self.place = "below";
        self
    }
    /// The classes of its cells.
    fn class(&self) -> Option<String> {
        let of = [("num", self.number), ("minor", self.minor), (self.place, !self.place.is_empty())];
        let names: Vec<&str> = of.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
        (!names.is_empty()).then(|| names.join(" "))
    }
}

/// How the rows are sorted, and the address that sorts them otherwise: `path` with `pairs`, `sort=key` or `sort=-key`.
#[derive(Debug, Clone, Copy)]
pub struct Sort<'a> {
    /// The key in force, with `-` in front when the largest is first.
    pub by: &'a str,
    /// The page.
    pub path: &'a str,
    /// Its other parameters.
    pub pairs: &'a [(&'a str, &'a str)],
}

/// What can be done with ticked rows: a form around the table that sends their values as `name[]`.
pub struct Bulk<'a> {
    /// Where it is sent.
    pub action: &'a str,
    /// As `ids`: what [`Row::value`] is sent as. The form's id is `bulk-ids`, for [`super::ask_first`].
    pub name: &'a str,
    /// The buttons, as `button.btn name="do" value="hold" { "Hold" }`.
    pub buttons: Markup,
}

/// A row.
pub struct Row {
    cells: Vec<Markup>,
    href: String,
    value: String,
    label: String,
    quiet: bool,
    id: String,
}

impl Row {
    /// Cells in the order of the columns.
    pub fn new(cells: impl IntoIterator<Item = Markup>) -> Self {
        let none = String::new;
        Self {
            cells: cells.into_iter().collect(),
            href: none(),
            value: none(),
            label: none(),
            quiet: false,
            id: none(),
        }
    }
    /// The whole row leads there; the first cell holds the link.
    pub fn href(mut self, href: impl Into<String>) -> Self {
        self.href = href.into();
        self
    }
    /// What ticking the row sends, and what the box is called: “Select {label}”.
    pub fn value(mut self, value: impl Into<String>, label: impl Into<String>) -> Self {
        (self.value, self.label) = (value.into(), label.into());
        self
    }
    /// Shows it as over, as a cancelled order.
    pub fn quiet(mut self, quiet: bool) -> Self {
        self.quiet = quiet;
        self
    }
    /// Its id in the page: a live list keeps what belongs to the row by it.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }
}

/// A table; `show` gives the markup.
pub struct Table<'a> {
    caption: &'a str,
    cols: &'a [Col<'a>],
    rows: Vec<Row>,
    sort: Option<Sort<'a>>,
    bulk: Option<Bulk<'a>>,
    foot: Vec<Markup>,
    brief: bool,
}

impl<'a> Table<'a> {
    /// `caption` says to those who listen what the rows are.
    pub fn new(caption: &'a str, cols: &'a [Col<'a>], rows: impl IntoIterator<Item = Row>) -> Self {
        Self {
            caption,
            cols,
            rows: rows.into_iter().collect(),
            sort: None,
            bulk: None,
            foot: Vec::new(),
            brief: false,
        }
    }
    /// Heads with a key become links that sort.
    pub fn sorted(mut self, sort: Sort<'a>) -> Self {
        self.sort = Some(sort);
        self
    }
    /// Rows with a value get a box, and what can be done with them appears when one is ticked.
    pub fn bulk(mut self, bulk: Bulk<'a>) -> Self {
        self.bulk = Some(bulk);
        self
    }
    /// Sums below the columns; one cell for each.
    pub fn foot(mut self, cells: impl IntoIterator<Item = Markup>) -> Self {
        self.foot = cells.into_iter().collect();
        self
    }
    /// On a phone a row is a line or two without heads: at the left what it is and, small, what is known of it; at the right figures and
    /// states.
    pub fn brief(mut self) -> Self {
        self.brief = true;
        self
    }
    /// The markup.
    pub fn show(self) -> Markup {
        let table = self.table();
        match self.bulk {
            None => table,
            Some(bulk) => html! {
                form.bulk id=(format!("bulk-{}", bulk.name)) method="post" action=(bulk.action) data-bulk {
                    (table)
                    div.bulk-bar role="region" aria-label="With the ticked rows" {
                        output.bulk-count { "Ticked" }
                        (bulk.buttons)
                        button.btn.btn-link type="reset" { "Untick all" }
                    }
                }
            },
        }
    }
    fn table(&self) -> Markup {
        let name = self.bulk.as_ref().map(|b| format!("{}[]", b.name));
        html! {
            div.table-frame role="region" aria-label=(self.caption) tabindex="0" {
                table.table.data-table.brief[self.brief] data-rows {
                    caption.visually-hidden { (self.caption) }
                    thead { tr {
                        @if name.is_some() { th.col-tick scope="col" { input.form-check-input type="checkbox" data-tick-all aria-label="Select all rows shown"; } }
                        @for col in self.cols { (self.head(col)) }
                    } }
                    tbody { @for row in &self.rows { (self.row(row, name.as_deref())) } }
                    @if !self.foot.is_empty() {
                        tfoot { tr {
                            @if name.is_some() { td {} }
                            @for (cell, col) in self.foot.iter().zip(self.cols) { td class=[col.class()] data-label=(col.title) { (cell) } }
                        } }
                    }
                }
            }
        }
    }
    fn head(&self, col: &Col<'_>) -> Markup {
        let sort = self.sort.filter(|_| !col.sort.is_empty());
        let (state, next, picture) = match sort.map(|s| s.by) {
            Some(by) if by == col.sort => (Some("ascending"), format!("-{}", col.sort), Icon::SortAscending),
            Some(by) if by.strip_prefix('-') == Some(col.sort) => {
                (Some("descending"), col.sort.to_owned(), Icon::SortDescending)
            }
            _ => (None, col.sort.to_owned(), Icon::ArrowsSort),
        };
        html! {
            th.num[col.number].minor[col.minor] scope="col" aria-sort=[state] {
                @if let Some(s) = sort {
                    @let pairs: Vec<(&str, &str)> = s.pairs.iter().copied().chain([("sort", next.as_str())]).collect();
                    a.sort href=(query(s.path, &pairs)) { (col.title) (icon(picture)) }
                } @else if col.title.is_empty() {
                    // Buttons stand under a head without words; a screen reader says what they are.
                    span.visually-hidden { "Actions" }
                } @else { (col.title) }
            }
        }
    }
    fn row(&self, row: &Row, name: Option<&str>) -> Markup {
        let id = (!row.id.is_empty()).then_some(row.id.as_str());
        html! {
            tr.row-quiet[row.quiet].row-leads[!row.href.is_empty()] id=[id] {
                @if let Some(name) = name {
                    td.col-tick { @if !row.value.is_empty() {
                        label.tick { input.form-check-input type="checkbox" name=(name) value=(row.value) aria-label={ "Select " (row.label) }; }
                    } }
                }
                @for (i, (cell, col)) in row.cells.iter().zip(self.cols).enumerate() {
                    // Where rows are blocks, a head over nothing says nothing.
                    @let class = if cell.0 == "–" || cell.0 == none().0 { Some(format!("{} nothing", col.class().unwrap_or_default())) } else { col.class() };
                    td class=[class] data-label=[(!col.title.is_empty()).then_some(col.title)] {
                        @if i == 0 && !row.href.is_empty() { a.row-link href=(row.href) { (cell) } } @else { (cell) }
                    }
                }
            }
        }
    }
}
