//! Suppliers: the list, and the form that makes or renames one.

use crate::SaveSupplier;
use crate::api::{ReadCatalog, WriteCatalog};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use web::html::{self as h, Col, Field, Icon, Row, Table};
use web::{App, Caller, Form, Key, May, Problem, Reply, Screen};

#[derive(Deserialize, Serialize, Default)]
#[serde(default)]
pub(super) struct Sent {
    once: String,
    code: String,
    name: String,
}

/// Shows them.
pub(super) async fn show(State(app): State<App>, caller: May<ReadCatalog>) -> Result<Markup, Problem> {
    page(&app, &caller, &Sent::default(), None).await
}

async fn page(
    app: &App,
    caller: &Caller,
    form: &Sent,
    error: Option<(&str, &str)>,
) -> Result<Markup, Problem> {
    let all = crate::suppliers(app.db.read()).await?;
    let cols = [Col::text("Code"), Col::text("Name")];
    let rows = all.iter().map(|s| {
        let href = h::query("/catalog", &[("supplier", &s.code)]);
        Row::new([html! { bdi { (s.code) } }, html! { bdi { (s.name) } }]).href(href)
    });
    let wrong = |name: &str| error.filter(|(field, _)| *field == name).map(|(_, sentence)| sentence);
    let fields = html! {
        form method="post" action="/catalog/suppliers" {
            (web::once_again(&form.once))
            (h::field(&Field { label: "Code", name: "code", value: &form.code, required: true, error: wrong("code"),
                hint: "Names the supplier for ever. A code that is there already gets the new name.", ..Field::default() }))
            (h::field(&Field { label: "Name", name: "name", value: &form.name, required: true, error: wrong("name"), ..Field::default() }))
            (h::form_buttons("Save", None))
        }
    };
    let list = match all.is_empty() {
        true => h::empty_with(
            Icon::TruckDelivery,
            "No suppliers yet",
            "They deliver to you, or ship their own stock to your customers.",
            html! {},
        ),
        false => Table::new("Suppliers", &cols, rows).show(),
    };
    let body = match caller.may::<WriteCatalog>() {
        true => h::split(list, h::card("New supplier", fields)),
        false => list,
    };
    Ok(Screen::new(caller, "Suppliers").crumb("Catalogue", "/catalog").live("queue:catalogue").show(body))
}

/// Makes or renames one.
pub(super) async fn save(
    State(app): State<App>,
    caller: May<WriteCatalog>,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let (code, name) = (sent.code.trim().to_owned(), sent.name.trim().to_owned());
    let error = match (code.is_empty() || code.chars().count() > 64, name.is_empty()) {
        (true, _) => Some(("code", "A code has 1 to 64 characters.")),
        (_, true) => Some(("name", "A supplier needs a name.")),
        _ => None,
    };
    if error.is_some() {
        let page = page(&app, &caller, &sent, error).await?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    let key = Key::once(&sent.once, "/catalog/suppliers");
    web::submit!(app, caller, key, "catalog.supplier_page", &sent, |tx| {
        let item = SaveSupplier { at: tx.now(), code: code.clone(), name: name.clone() };
        crate::save_suppliers(tx, &[item]).await?;
        Ok(Reply::empty())
    })?;
    Ok(web::done(format!("{name} is saved")).to("/catalog/suppliers"))
}
