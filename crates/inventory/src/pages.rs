//! Stock for people: what lies where, by SKU and location.

use crate::LocationId;
use crate::api::ReadInventory;
use crate::read::{self, Filter};
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use catalog::SkuId;
use maud::{Markup, html};
use serde::Deserialize;
use web::html as h;
use web::{App, May, Paging, Params, Problem};

/// The pages of this slice.
pub fn routes() -> Router<App> {
    Router::new().route("/stock", get(list))
}

#[derive(Deserialize)]
struct Query {
    cursor: Option<String>,
    #[serde(default)]
    sku: String,
    #[serde(default)]
    location: String,
}

async fn list(
    State(app): State<App>,
    caller: May<ReadInventory>,
    Params(query): Params<Query>,
) -> Result<Markup, Problem> {
    let paging = Paging::<(SkuId, LocationId)>::read(None, query.cursor.as_deref())?;
    let filter = Filter { sku: Some(query.sku.clone()), location: Some(query.location.clone()) };
    let rows = read::levels(app.db.read(), &filter, paging.after, paging.fetch()).await?;
    let page = paging.page(rows, |l| (l.sku_id, l.location_id));
    let lines = page.data.iter().map(|l| {
        html! {
            tr {
                td { (l.sku) }
                td { (l.title) }
                td { (l.location) }
                @for units in [l.on_hand, l.allocated, l.available, l.incoming, l.quarantined] { td.text-end { (units) } }
            }
        }
    });
    let field = |label, name, value| h::field(&h::Field { label, name, value, ..h::Field::default() });
    let locations: Vec<(String, String)> =
        crate::locations(app.db.read()).await?.into_iter().map(|l| (l.code, l.name)).collect();
    let choices: Vec<(&str, &str)> = std::iter::once(("", "All locations"))
        .chain(locations.iter().map(|(code, name)| (code.as_str(), name.as_str())))
        .collect();
    let here = format!("/stock?sku={}&location={}", encoded(&query.sku), encoded(&query.location));
    Ok(web::page(
        &caller,
        "Stock",
        html! {
            (h::filters("/stock", html! {
                (field("SKU", "sku", &query.sku))
                (h::select("Location", "location", &choices, &query.location))
            }))
            @if page.data.is_empty() {
                (h::empty("No stock here", "Receive goods over the API, or clear the filter."))
            } @else {
                (h::table(&["SKU", "Title", "Location", "On hand", "Allocated", "Available", "Incoming", "Quarantined"], lines))
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
