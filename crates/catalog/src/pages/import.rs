//! SKUs from a file: sent, looked at row by row, and written in the background on a page that may be left.

use crate::api::{ReadCatalog, WriteCatalog};
use crate::import::{
    self, COLUMNS, ConfirmImportRefused, Import, ImportId, ImportRow, ReadImport, RowChange, TEMPLATE, Which,
    confirm_import, read_import,
};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use kernel::Fault;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use web::html::{self as h, Col, Field, Row, Tab, Table, Tone};
use web::{App, Caller, Form, Key, May, OrProblem, Paging, Params, Problem, Screen, Segment, Upload};

const PATH: &str = "/catalog/import";

/// The form, with what the columns mean.
pub(super) async fn form(caller: May<WriteCatalog>) -> Markup {
    sheet(&caller, None, "")
}

/// A file to begin with.
pub(super) async fn template(_: May<WriteCatalog>) -> impl IntoResponse {
    let head = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"skus.csv\""),
    ];
    (head, TEMPLATE)
}

fn sheet(caller: &Caller, error: Option<&str>, once: &str) -> Markup {
    let cols = [Col::text("Column"), Col::text("What it holds")];
    let more = ("price_usd, …", "Another list price: one column for each currency.");
    let rows = COLUMNS
        .iter()
        .chain([&more])
        .map(|(name, means)| Row::new([html! { code { (name) } }, html! { (means) }]));
    let file = Field {
        label: "CSV file",
        name: "file",
        required: true,
        error,
        hint: "At most 2 MiB and 5,000 rows, in UTF-8, separated by commas, semicolons or tabs. The first row names the columns.",
        ..Field::default()
    };
    let body = html! {
        form.card.card-body.mb-3 method="post" action=(PATH) enctype="multipart/form-data" {
            (web::once_again(once))
            (h::file_field(&file, ".csv,text/csv,text/plain", false))
            (h::form_buttons("Preview", Some("/catalog")))
        }
        (h::card("Columns", html! {
            p { "A column that the file does not have stays as it is. An empty cell takes the value away, except of title, kind, tax_class and for_sale, which it leaves." }
            (Table::new("Columns", &cols, rows).show())
        }))
    };
    Screen::new(caller, "Import SKUs")
        .crumb("Catalogue", "/catalog")
        .subtitle(html! { "Nothing is written before you have seen what each row does." })
        .actions(h::link("/catalog/import/template.csv", "Download a template", "secondary", ""))
        .narrow()
        .show(body)
}

/// Reads what was sent.
pub(super) async fn read(
    State(app): State<App>,
    caller: May<WriteCatalog>,
    sent: Upload,
) -> Result<Response, Problem> {
    let once = sent.given("once");
    let Some(file) = sent.files.first() else {
        let page = sheet(&caller, Some("Choose a file that is not empty."), once);
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    };
    let about = (&file.name, String::from_utf8_lossy(&file.bytes));
    let read = web::submit!(app, caller, Key::once(once, PATH), "catalog.import_page", &about, |tx| {
        let (name, bytes) = (file.name.clone(), file.bytes.to_vec());
        let want = ReadImport { at: tx.now(), name, bytes, by: caller.actor.clone() };
        let id = read_import(tx, &want).await?.or_problem()?;
        web::reply(StatusCode::CREATED, &id)
    });
    match read {
        Ok(read) => {
            let id: ImportId = serde_json::from_str(read.body()).map_err(Fault::from)?;
            Ok(Redirect::to(&format!("{PATH}/{id}")).into_response())
        }
        Err(problem) if problem.status().is_client_error() => {
            let page = sheet(&caller, Some(problem.detail()), once);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(problem) => Err(problem),
    }
}

/// Which rows are looked at.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Query {
    cursor: Option<String>,
    show: String,
}

/// What each row does; how far it is; what became of it.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadCatalog>,
    Segment(id): Segment<ImportId>,
    Params(q): Params<Query>,
) -> Result<Markup, Problem> {
    let sql = app.db.read();
    let gone = || ConfirmImportRefused::NoImport { import: id };
    let import = import::import(sql, id).await?.ok_or_else(gone).or_problem()?;
    if web::partial() {
        return Ok(state(&import, caller.may::<WriteCatalog>()));
    }
    let which = Which { change: q.show.parse().ok(), refused: q.show == "refused" };
    let paging = Paging::<i64>::read(None, q.cursor.as_deref())?;
    let page = paging.page(import::rows(sql, id, which, paging.after, paging.fetch()).await?, |r| r.line);
    let path = format!("{PATH}/{id}");
    let here = h::query(&path, &[("show", &q.show)]);
    let body = html! {
        (state(&import, caller.may::<WriteCatalog>()))
        (tabs(&import, &path, &q.show))
        @if page.data.is_empty() { (h::empty("No such rows", "Look at all of them.")) } @else {
            (table(&page.data)?)
            (h::pages(&here, page.next_cursor.as_deref(), q.cursor.is_some(), page.data.len()))
        }
    };
    let name = if import.name.is_empty() { "Import of SKUs" } else { &import.name };
    Ok(Screen::new(&caller, name)
        .crumb("Catalogue", "/catalog")
        .crumb("Import", PATH)
        .subtitle(html! { "Read " (h::time(import.read_at)) })
        .show(body))
}

/// The rows by what they do.
fn tabs(import: &Import, path: &str, shown: &str) -> Markup {
    let all = import.new + import.changed + import.same + import.wrong;
    let mut views = vec![
        ("", "All", all),
        (RowChange::New.as_str(), "New", import.new),
        (RowChange::Changed.as_str(), "Changed", import.changed),
        (RowChange::Same.as_str(), "Unchanged", import.same),
        (RowChange::Wrong.as_str(), "Wrong", import.wrong),
    ];
    if import.refused > 0 {
        views.push(("refused", "Refused", import.refused));
    }
    let hrefs: Vec<String> = views.iter().map(|(show, ..)| h::query(path, &[("show", show)])).collect();
    let tabs: Vec<Tab<'_>> = views
        .iter()
        .zip(&hrefs)
        .map(|((show, title, n), href)| Tab {
            title,
            href,
            here: *show == shown,
            count: u64::try_from(*n).ok(),
        })
        .collect();
    h::tabs("Rows", &tabs)
}

/// How far it is, and what can be done next.
fn state(i: &Import, may: bool) -> Markup {
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    let running = i.confirmed_at.is_some() && i.ended_at.is_none();
    let path = format!("{PATH}/{}", i.id);
    html! {
        div #import hx-get=[running.then_some(&path)] hx-trigger=[running.then_some("load delay:700ms")] hx-swap="outerHTML" {
            (h::card("", html! {
                @if i.confirmed_at.is_some() {
                    (h::progress(count(i.done + i.refused), count(i.total), if running { "Going on" } else { "Finished" }))
                    p { strong { (i.done) } " written, " strong { (i.refused) } " refused" }
                    @if running { p.text-secondary { "You may leave this page: it goes on without you." } }
                    @else { (h::link("/catalog", "To the catalogue", "secondary", "")) }
                } @else {
                    p {
                        strong { (i.new) } (if i.new == 1 { " SKU" } else { " SKUs" }) " would be made and " strong { (i.changed) } " changed; " (i.same) (if i.same == 1 { " row says" } else { " rows say" }) " what the catalogue says already."
                    }
                    @if i.wrong > 0 {
                        @let wrong = if i.wrong == 1 { "1 row is wrong and is left out. Mend it".to_owned() } else { format!("{} rows are wrong and are left out. Mend them", i.wrong) };
                        (h::alert("warning", &format!("{wrong} and send the file again: what is written by then is found unchanged.")))
                    }
                    @if i.total == 0 { p.text-secondary { "There is nothing to write." } (h::link(PATH, "Send another file", "secondary", "")) }
                    @else if may {
                        form method="post" action=(path) {
                            (web::once())
                            div.form-buttons {
                                button.btn.btn-primary type="submit" { "Import " (i.total) @if i.total == 1 { " SKU" } @else { " SKUs" } }
                                a.btn.btn-link href=(PATH) { "Send another file" }
                            }
                        }
                    }
                }
            }))
        }
    }
}

fn table(rows: &[ImportRow]) -> Result<Markup, Fault> {
    let cols = [Col::number("Line"), Col::text("SKU"), Col::text("What it does"), Col::text("Columns")];
    let mut shown = Vec::with_capacity(rows.len());
    for row in rows {
        let problems = row.problems()?;
        let (word, tone) = match row.change {
            RowChange::New => ("New", Tone::Good),
            RowChange::Changed => ("Changes", Tone::Info),
            RowChange::Same => ("Unchanged", Tone::Quiet),
            RowChange::Wrong => ("Wrong", Tone::Bad),
        };
        let (word, tone) = match row.outcome.as_deref() {
            Some("done") => ("Written", Tone::Good),
            Some(_) => ("Refused", Tone::Bad),
            None => (word, tone),
        };
        let about = html! {
            @if problems.is_empty() { (row.columns()?.join(", ")) }
            @for wrong in &problems { div { @if !wrong.column.is_empty() { code { (wrong.column) } " " } (wrong.says) } }
        };
        shown.push(Row::new([html! { (row.line) }, html! { bdi { (row.code) } }, h::tag(word, tone), about]));
    }
    Ok(Table::new("Rows of the file", &cols, shown).show())
}

#[derive(Deserialize, Serialize, Default)]
#[serde(default)]
pub(super) struct Confirm {
    once: String,
}

/// Has it written.
pub(super) async fn confirm(
    State(app): State<App>,
    caller: May<WriteCatalog>,
    Segment(id): Segment<ImportId>,
    Form(sent): Form<Confirm>,
) -> Result<Response, Problem> {
    let path = format!("{PATH}/{id}");
    let key = Key::once(&sent.once, &path);
    web::submit!(app, caller, key, "catalog.confirm_import_page", &sent, |tx| {
        confirm_import(tx, tx.now(), id).await?.or_problem()?;
        Ok(web::Reply::empty())
    })?;
    Ok(Redirect::to(&path).into_response())
}
