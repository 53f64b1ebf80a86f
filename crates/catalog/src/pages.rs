//! The catalogue for people: a list with a search by the beginning of the code.

use crate::api::ReadCatalog;
use crate::read::{self, Filter};
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use maud::{Markup, html};
use serde::Deserialize;
use web::html as h;
use web::{App, May, Paging, Params, Problem};

/// The pages of this slice.
pub fn routes() -> Router<App> {
    Router::new().route("/catalog", get(list))
}

#[derive(Deserialize)]
struct Query {
    cursor: Option<String>,
    #[serde(default)]
    q: String,
}

async fn list(
    State(app): State<App>,
    caller: May<ReadCatalog>,
    Params(query): Params<Query>,
) -> Result<Markup, Problem> {
    let paging = Paging::<String>::read(None, query.cursor.as_deref())?;
    let filter = Filter { q: Some(query.q.clone()), active: None };
    let rows = read::list(app.db.read(), &filter, paging.after.as_deref(), paging.fetch()).await?;
    let page = paging.page(rows, |d| d.sku.code.clone());
    let lines = page.data.iter().map(|d| {
        html! {
            tr {
                td { (d.sku.code) }
                td { (d.sku.title) }
                td { (d.sku.kind) }
                td { @for price in &d.sku.prices { div { (h::money(*price)) } } }
                td { (d.barcodes.join(", ")) }
                td { (h::badge(if d.sku.active { "active" } else { "not for sale" })) }
            }
        }
    });
    let search = h::Field { label: "Code begins with", name: "q", value: &query.q, ..h::Field::default() };
    let here =
        if query.q.is_empty() { "/catalog".to_owned() } else { format!("/catalog?q={}", encoded(&query.q)) };
    Ok(web::page(
        &caller,
        "Catalogue",
        html! {
            (h::filters("/catalog", h::field(&search)))
            @if page.data.is_empty() {
                (h::empty("No SKUs here", "Import a catalogue, or save SKUs over the API."))
            } @else {
                (h::table(&["Code", "Title", "Kind", "Prices", "Barcodes", "State"], lines))
            }
            (h::next_link(&here, page.next_cursor.as_deref()))
        },
    ))
}

/// Text as a value of a query string.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
        out
    })
}
