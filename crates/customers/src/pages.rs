//! Pages of customers: the list with search, and a customer with store credit, notes, and what other slices know of them.

use crate::api::{ReadCustomers, WriteCustomers};
use crate::api_consents::history_of;
use crate::consent::{SetConsent, consents_of, set_consents};
use crate::model::EntryId;
use crate::read::{self, Filter};
use crate::{CreditEntry, Customer, CustomerId, CustomerNote, EditCustomer, survivor};
use crate::{pages_consent, pages_merge};
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use contact::address;
use kernel::{Currency, Money, money};
use maud::{Markup, html};
use serde::Deserialize;
use std::collections::BTreeMap;
use web::html::{self as h, Col, Field, Icon, Row, Table, Tone};
use web::{App, Caller, Form, Key, May, OrProblem, Paging, Params, Problem, Reply, Screen, Segment};

/// Entries and notes shown.
const SHOWN: i64 = 50;

/// The pages.
pub(crate) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route("/customers", get(list))
        .route("/customers/{id}", get(show))
        .route("/customers/{id}/consent", post(consent))
        .route("/customers/{id}/edit", post(edit))
        .route("/customers/{id}/note", post(note))
        .route("/customers/{id}/credit", post(credit))
}

/// What the search box of every page finds: names, e-mail addresses, phone numbers and what they begin with.
pub(crate) const SEARCH: web::Search = web::Search {
    title: "Customers",
    scope: "customers:read",
    all: ("/customers", "q"),
    find: |app, text| {
        Box::pin(async move {
            let found = read::suggested(app.db.read(), text, 6).await?;
            let hit = |c: Customer| web::Hit {
                href: format!("/customers/{}", c.id),
                title: c.name,
                detail: c.email.or(c.phone).unwrap_or_default(),
            };
            Ok(found.into_iter().map(hit).collect())
        })
    },
};

#[derive(Deserialize, Default)]
#[serde(default)]
struct Query {
    q: String,
    cursor: Option<String>,
}

/// What a search text is: an e-mail address, a phone number, or the beginning of a name.
fn filter(text: &str) -> Filter {
    let text = text.trim();
    if text.is_empty() {
        return Filter::default();
    }
    if text.contains('@') {
        let key = contact::email::email(text).map_or_else(|_| text.to_lowercase(), |e| e.key);
        return Filter { email_key: Some(key), ..Filter::default() };
    }
    let digits = text.chars().filter(char::is_ascii_digit).count();
    if digits > 5 && !text.chars().any(char::is_alphabetic) {
        let phone = contact::phone::phone(text, "").unwrap_or_else(|_| text.to_owned());
        return Filter { phone: Some(phone), ..Filter::default() };
    }
    Filter { name: Some(text.to_owned()), ..Filter::default() }
}

const COLS: &[Col<'static>] = &[
    Col::text("Name"),
    Col::text("E-mail"),
    Col::text("Phone"),
    Col::text("Place").minor(),
    Col::text("Since").at_end(),
];

async fn list(
    State(app): State<App>,
    caller: May<ReadCustomers>,
    Params(q): Params<Query>,
) -> Result<Markup, Problem> {
    let paging = Paging::<CustomerId>::read(None, q.cursor.as_deref())?;
    let rows = read::list(app.db.read(), &filter(&q.q), paging.after, paging.fetch()).await?;
    let page = paging.page(rows, |c| c.id);
    let here = h::query("/customers", &[("q", q.q.trim())]);
    let rows = page.data.iter().map(row);
    Ok(Screen::new(&caller, "Customers").show(html! {
        (h::filter_bar("/customers", ("q", &q.q, "Name, e-mail, phone"), html! {}, &[]))
        @if page.data.is_empty() {
            @if q.q.trim().is_empty() { (h::empty_with(Icon::Users, "No customers yet", "They come with their first order.", html! {})) }
            @else { (h::empty_with(Icon::Users, "Nobody found", "Look for the beginning of a first or last name, a whole e-mail address, or a phone number with its country code.", html! { (h::link("/customers", "Show all", "secondary", "")) })) }
        } @else {
            (Table::new("Customers", COLS, rows).brief().show())
            (h::pages(&here, page.next_cursor.as_deref(), q.cursor.is_some(), page.data.len()))
            (h::keys(&[("j", "next"), ("k", "before"), ("Enter", "open"), ("f", "search here")]))
        }
    }))
}

fn row(c: &Customer) -> Row {
    let dash = || "–".to_owned();
    let place = c.address.as_ref().map_or_else(dash, |a| format!("{} {}", a.city, a.country));
    Row::new([
        h::person(&c.name),
        html! { @match &c.email { Some(email) => bdi { (email) }, None => "–" } },
        html! { (c.phone.clone().unwrap_or_else(dash)) },
        html! { bdi { (place) } },
        h::date(c.created_at),
    ])
    .href(format!("/customers/{}", c.id))
}

type Fields = BTreeMap<String, String>;

fn given<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.get(name).map_or("", |v| v.trim())
}

async fn show(
    State(app): State<App>,
    caller: May<ReadCustomers>,
    Segment(id): Segment<CustomerId>,
) -> Result<Response, Problem> {
    let survivor = survivor(app.db.read(), id).await?;
    if survivor != id {
        return Ok(Redirect::to(&format!("/customers/{survivor}")).into_response());
    }
    Ok(page(&app, &caller, id, &Fields::new(), None).await?.into_response())
}

/// The page; `typed` and `problem` are of a form that was refused.
async fn page(
    app: &App,
    caller: &Caller,
    id: CustomerId,
    typed: &Fields,
    problem: Option<&Problem>,
) -> Result<Markup, Problem> {
    let sql = app.db.read();
    let found = read::by_id(sql, &[id]).await?.remove(&id);
    let customer = found.ok_or_else(|| Problem::not_found(format!("customer {id}")))?;
    let id = customer.id;
    let balances = read::balances(sql, id).await?;
    let entries = read::entries(sql, id, SHOWN).await?;
    let notes = read::notes(sql, id, SHOWN).await?;
    let consents = consents_of(sql, &[id]).await?;
    let history = history_of(sql, id, &consents).await?;
    let noted = notes.iter().map(|n| n.by_actor.as_str());
    let actors: Vec<&str> = noted.chain(history.iter().map(|c| c.by_actor.as_str())).collect();
    let names = web::auth::names(sql, &actors).await?;
    let same = pages_merge::card(app, caller, &customer).await?;
    let writes = caller.may::<WriteCustomers>();
    let error = |name: &str| {
        problem.and_then(|p| p.errors().iter().find(|e| e.pointer == name)).map(|e| e.detail.as_str())
    };
    let general = problem.filter(|p| p.errors().is_empty());
    let main = html! {
        @if let Some(problem) = general { (h::alert("danger", problem.detail())) }
        (web::panels(caller, "customer", &id.to_string()))
        (h::card("Notes", html! {
            @if writes { (note_form(id, typed, error("text"))) }
            @if !notes.is_empty() { (h::moments(notes.iter().map(|n| h::Moment {
                at: n.at, title: "Note", by: names.get(&n.by_actor).map_or("", String::as_str),
                detail: html! { bdi { (n.text) } }, icon: Icon::Note, tone: Tone::Accent,
            }))) }
        }))
    };
    let typed_consent = pages_consent::Typed {
        once: given(typed, "once"),
        channel: given(typed, "channel"),
        given: given(typed, "given"),
        source: given(typed, "source"),
        error: &error,
    };
    let side = html! {
        (h::card("Contact", html! {
            (contact_facts(&customer))
            @if writes { (edit_form(&customer, typed, &error)) }
        }))
        (same)
        (pages_consent::card(id, &consents, &history, &names, writes, &typed_consent))
        (h::card("Store credit", html! {
            @if balances.iter().all(|b| b.balance == 0) { p.text-secondary { "None." } }
            @for b in balances.iter().filter(|b| b.balance > 0) { p { strong { (h::amount(b.balance, b.currency)) } } }
            @if !entries.is_empty() { ul.ledger { @for e in &entries { li { (h::amount(e.amount, e.currency)) " " bdi { (e.reason) } " " span.text-secondary { (h::time(e.at)) } } } } }
            @if writes { (credit_form(id, typed, &error)) }
        }))
    };
    Ok(Screen::new(caller, customer.name.clone())
        .crumb("Customers", "/customers")
        .subtitle(html! { "Customer since " (h::date(customer.created_at)) })
        .live(format!("customer:{id}"))
        .actions(
            html! { @if writes { (h::link(&format!("/customers/{id}/merge"), "Merge…", "secondary", "")) } },
        )
        .show(h::split(main, side)))
}

fn contact_facts(c: &Customer) -> Markup {
    let none = || html! { span.text-secondary { "Not known" } };
    let address = c
        .address
        .as_ref()
        .map_or_else(none, |a| html! { @for line in address::lines_and_country(a) { bdi { (line) } br; } });
    h::facts([
        ("E-mail", c.email.as_deref().map_or_else(none, h::copy)),
        ("Phone", c.phone.as_deref().map_or_else(none, |p| html! { a href={ "tel:" (p) } { (p) } })),
        ("Address", address),
    ])
}

/// Who they are and how they are reached, to be changed.
fn edit_form<'a>(c: &Customer, typed: &Fields, error: &dyn Fn(&str) -> Option<&'a str>) -> Markup {
    // Other forms of the page have other fields: these come back only with their own.
    let again = typed.contains_key("name");
    let of = |name: &str, known: &str| if again { given(typed, name).to_owned() } else { known.to_owned() };
    let field = |label: &str, name: &'static str, value: &str, required: bool, hint: &str| {
        let (error, autocomplete) = (error(name), "off");
        h::field(&Field { label, name, value, error, required, hint, autocomplete, ..Field::default() })
    };
    html! {
        details.fold open[again] {
            summary { "Change name, e-mail or phone" }
            form method="post" action={ "/customers/" (c.id) "/edit" } {
                (web::once_again(if again { given(typed, "once") } else { "" }))
                (field("Name", "name", &of("name", &c.name), true, ""))
                (field("E-mail", "email", &of("email", c.email.as_deref().unwrap_or_default()), false, "Empty: not reached by e-mail. Orders keep theirs."))
                (field("Phone", "phone", &of("phone", c.phone.as_deref().unwrap_or_default()), false, "With its country code, as +49 30 1234567."))
                button.btn.btn-primary type="submit" { "Save" }
            }
        }
    }
}

async fn edit(
    State(app): State<App>,
    caller: May<WriteCustomers>,
    Segment(id): Segment<CustomerId>,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let key = Key::once(given(&fields, "once"), &format!("/customers/{id}/edit"));
    let done = web::submit!(app, caller, key, "customers.edit", &fields, |tx| {
        let item = EditCustomer {
            at: tx.now(),
            customer: id,
            name: given(&fields, "name").to_owned(),
            email: Some(given(&fields, "email").to_owned()),
            phone: Some(given(&fields, "phone").to_owned()),
            by: caller.actor.clone(),
        };
        crate::edit_customer(tx, &item).await?.map_err(|refused| match refused.field() {
            Some(field) => Problem::refused(&refused).at(field),
            None => Problem::refused(&refused),
        })?;
        Ok(Reply::empty())
    });
    end(&app, &caller, id, &fields, done.map(|_| "The customer is changed")).await
}

fn note_form(id: CustomerId, typed: &Fields, error: Option<&str>) -> Markup {
    html! {
        form method="post" action={ "/customers/" (id) "/note" } {
            (web::once_again(given(typed, "once")))
            (h::field(&Field { label: "Note for colleagues", name: "text", kind: "textarea", value: given(typed, "text"), error, required: true, ..Field::default() }))
            button.btn type="submit" { "Add note" }
        }
    }
}

fn credit_form<'a>(id: CustomerId, typed: &Fields, error: &dyn Fn(&str) -> Option<&'a str>) -> Markup {
    let refused = ["amount", "currency", "reason"].iter().any(|n| error(n).is_some());
    let field = |label: &str, name: &'static str, hint: &str| {
        h::field(&Field {
            label,
            name,
            value: given(typed, name),
            error: error(name),
            required: true,
            hint,
            ..Field::default()
        })
    };
    html! {
        details.fold open[refused] {
            summary { "Grant or take back" }
            form method="post" action={ "/customers/" (id) "/credit" } {
                (web::once_again(given(typed, "once")))
                (h::fields([field("Amount", "amount", "With a minus it is taken back."), field("Currency", "currency", "Three letters, as EUR.")]))
                (field("Why", "reason", "The customer and the books will ask."))
                button.btn.btn-primary type="submit" { "Change store credit" }
            }
        }
    }
}

/// Says what was done, or shows the page again with the refused form.
async fn end(
    app: &App,
    caller: &Caller,
    id: CustomerId,
    fields: &Fields,
    done: Result<&'static str, Problem>,
) -> Result<Response, Problem> {
    match done {
        Ok(said) => Ok(web::done(said).to(&format!("/customers/{id}"))),
        Err(problem) if problem.status().is_client_error() => {
            let page = page(app, caller, id, fields, Some(&problem)).await?;
            Ok((problem.status(), page).into_response())
        }
        Err(problem) => Err(problem),
    }
}

async fn note(
    State(app): State<App>,
    caller: May<WriteCustomers>,
    Segment(id): Segment<CustomerId>,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let key = Key::once(given(&fields, "once"), &format!("/customers/{id}/note"));
    let done = web::submit!(app, caller, key, "customers.note", &fields, |tx| {
        let (text, by) = (given(&fields, "text").to_owned(), caller.actor.clone());
        let item = CustomerNote { at: tx.now(), customer: id, text, by };
        crate::note_customers(tx, &[item]).await?.remove(0).map_err(|r| Problem::refused(&r).at("text"))?;
        Ok(Reply::empty())
    });
    end(&app, &caller, id, &fields, done.map(|_| "The note is kept")).await
}

async fn credit(
    State(app): State<App>,
    caller: May<WriteCustomers>,
    Segment(id): Segment<CustomerId>,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let amount = match money_of(&fields) {
        Ok(amount) => amount,
        Err(problem) => return end(&app, &caller, id, &fields, Err(problem)).await,
    };
    let key = Key::once(given(&fields, "once"), &format!("/customers/{id}/credit"));
    let done = web::submit!(app, caller, key, "customers.grant_credit", &fields, |tx| {
        let entry = CreditEntry {
            at: tx.now(),
            customer: id,
            currency: amount.currency,
            amount: amount.minor,
            reason: given(&fields, "reason").to_owned(),
            order: None,
            reference: format!("grant:{}", tx.id::<EntryId>()),
        };
        crate::post_credit(tx, &[entry]).await?.remove(0).or_problem()?;
        Ok(Reply::empty())
    });
    end(&app, &caller, id, &fields, done.map(|_| "The store credit is changed")).await
}

/// The amount of the form; what is wrong goes by the field.
fn money_of(fields: &Fields) -> Result<Money, Problem> {
    let currency: Currency = given(fields, "currency")
        .to_uppercase()
        .parse()
        .map_err(|e: money::UnknownCurrency| Problem::invalid("currency", format!("{e}.")))?;
    let minor = money::parse_typed(given(fields, "amount"), currency.exponent())
        .map_err(|e| Problem::invalid("amount", format!("{e}.")))?;
    if given(fields, "reason").is_empty() {
        return Err(Problem::invalid("reason", "Say why: the customer and the books will ask."));
    }
    Ok(Money::new(minor, currency))
}

async fn consent(
    State(app): State<App>,
    caller: May<WriteCustomers>,
    Segment(id): Segment<CustomerId>,
    Form(fields): Form<Fields>,
) -> Result<Response, Problem> {
    let channel = match given(&fields, "channel").parse() {
        Ok(channel) => channel,
        Err(_) => {
            let problem = Problem::invalid("channel", "Choose a channel.");
            return end(&app, &caller, id, &fields, Err(problem)).await;
        }
    };
    let key = Key::once(given(&fields, "once"), &format!("/customers/{id}/consent"));
    let done = web::submit!(app, caller, key, "customers.set_consent", &fields, |tx| {
        let (source, by) = (given(&fields, "source").to_owned(), caller.actor.clone());
        let agreed = given(&fields, "given") == "yes";
        let one = SetConsent { at: tx.now(), customer: id, channel, given: agreed, source, by };
        set_consents(tx, &[one]).await?.remove(0).map_err(|r| Problem::refused(&r).at("source"))?;
        Ok(Reply::empty())
    });
    end(&app, &caller, id, &fields, done.map(|_| "The consent is kept")).await
}
