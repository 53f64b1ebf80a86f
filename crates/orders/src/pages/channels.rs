//! Sales channels among the settings: which there are, how each does, what to send where, and a test that says what is missing.

use crate::api::{ReadOrders, SetUpChannels};
use crate::channel::{Channel, SaveChannel, channels, save_channels};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use db::FromRow;
use kernel::Timestamp;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use web::html::{self as h, Check, Col, Field, Row, Table};
use web::{App, Caller, Form, Key, May, Params, Problem, Reply, Screen};

const HERE: &str = "/settings/channels";
/// Those that come with the program and need no connection.
const OURS: &[(&str, &str)] = &[
    ("manual", "Orders that colleagues enter by hand need no connection."),
    ("exchange", "Orders that replace returned units are made here and need no connection."),
    ("csv", "Orders come by fulmar import orders FILE."),
    ("olist", "Orders come by fulmar import olist FOLDER."),
    ("online-retail", "Orders come by fulmar import online-retail FILE."),
];

/// A channel as it is typed, or the one that was clicked.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    once: String,
    code: String,
    name: String,
}

/// Shows them.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadOrders>,
    Params(typed): Params<Typed>,
) -> Result<Markup, Problem> {
    page(&app, &caller, &typed, None).await
}

#[derive(FromRow)]
struct ApiKey {
    scopes: String,
    last_used_at: Option<Timestamp>,
}

/// What is there for a channel whose orders come over the API, and what is missing.
async fn test(app: &App, channel: &Channel) -> Result<Vec<Check>, Problem> {
    if let Some((_, says)) = OURS.iter().find(|(code, _)| *code == channel.code) {
        return Ok(vec![Check::good(*says)]);
    }
    let sql = app.db.read();
    let text = "SELECT scopes, last_used_at FROM api_key WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $1)";
    let keys: Vec<ApiKey> = sql.all(text, [app.db.now().into()]).await?;
    let able: Vec<&ApiKey> =
        keys.iter().filter(|k| web::auth::Scopes::parse(&k.scopes).allow("orders:write")).collect();
    let used = able.iter().filter_map(|k| k.last_used_at).max();
    let mut found = vec![match (able.is_empty(), used) {
        (true, _) => Check::bad(
            "No API key may place orders.",
            "Make one with the scope orders:write under Developers, API keys, and give it to the channel.",
        ),
        (false, None) => Check::warn(
            "A key that may place orders is there; nobody has used it yet.",
            "Enter it in the channel, with the address below.",
        ),
        (false, Some(at)) => Check::good("A key that may place orders was last used:").at(at),
    }];
    found.push(match channel.newest {
        Some(at) => Check::good("Its newest order was placed:").at(at),
        None => Check::warn(
            "No order has come from it yet.",
            format!(
                "It has to send “channel”: “{}” with each order, and its own number as “reference”.",
                channel.code
            ),
        ),
    });
    if app.setup.public_url.is_none() {
        found.push(Check::warn(
            "The address of this program is not set: channels cannot be told where to send.",
            "Set public_url in fulmar.toml.",
        ));
    }
    Ok(found)
}

async fn page(
    app: &App,
    caller: &Caller,
    typed: &Typed,
    refused: Option<&Problem>,
) -> Result<Markup, Problem> {
    let all = channels(app.db.read()).await?;
    let chosen = all.iter().find(|c| c.code == typed.code);
    let cols = [Col::text("Channel"), Col::text("Code"), Col::text("Last order")];
    let rows = all.iter().map(|c| {
        let newest = html! { @if let Some(at) = c.newest { (h::time(at)) } @else { (h::none()) } };
        let href = h::query(HERE, &[("code", &c.code)]);
        Row::new([html! { bdi { (c.name) } }, html! { code { (c.code) } }, newest]).href(href)
    });
    let table = Table::new("Sales channels", &cols, rows).show();
    let found = match chosen {
        Some(channel) if refused.is_none() => Some((channel, test(app, channel).await?)),
        _ => None,
    };
    let public = app.setup.public_url.as_deref().unwrap_or_default().trim_end_matches('/');
    let side = html! {
        @if let Some((channel, found)) = &found { (h::card(&channel.name, html! {
            (h::checks(found))
            @if !OURS.iter().any(|(code, _)| *code == channel.code) {
                p.mt-3 { "Orders go to" } p { (h::copy(&format!("{public}/v1/orders"))) }
            }
        })) }
        @if caller.may::<SetUpChannels>() { (form(typed, chosen, refused)) }
    };
    Ok(Screen::new(caller, "Sales channels")
        .subtitle(html! { "Where orders come from. Choose one to see whether it is connected." })
        .show(h::split(table, side)))
}

fn form(typed: &Typed, chosen: Option<&Channel>, refused: Option<&Problem>) -> Markup {
    let wrong = |name: &str| refused.and_then(|p| p.error_at(name));
    let name = match chosen {
        Some(channel) if typed.name.is_empty() && refused.is_none() => &channel.name,
        _ => &typed.name,
    };
    h::card(
        if chosen.is_some() { "Rename" } else { "New channel" },
        html! {
            form method="post" action=(HERE) {
                (web::once_again(&typed.once))
                @if chosen.is_some() { input type="hidden" name="code" value=(typed.code); } @else {
                    (h::field(&Field { label: "Code", name: "code", value: &typed.code, required: true, error: wrong("code"),
                        hint: "As orders name it for ever, such as webshop.", ..Field::default() }))
                }
                (h::field(&Field { label: "Name", name: "name", value: name, required: true, error: wrong("name"), ..Field::default() }))
                (h::form_buttons("Save", chosen.map(|_| HERE)))
            }
        },
    )
}

/// Makes or renames one.
pub(super) async fn save(
    State(app): State<App>,
    caller: May<SetUpChannels>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let key = Key::once(&typed.once, HERE);
    let code = typed.code.trim().to_owned();
    let done = web::submit!(app, caller, key, "orders.channel_page", &typed, |tx| {
        let want = SaveChannel { at: tx.now(), code: code.clone(), name: typed.name.clone() };
        save_channels(tx, &[want]).await?.remove(0).map_err(|refused| problem(&refused))?;
        Ok(Reply::empty())
    });
    match done {
        Ok(_) => {
            Ok(web::done(format!("{} is saved", typed.name.trim())).to(&h::query(HERE, &[("code", &code)])))
        }
        Err(problem) if problem.status().is_client_error() => {
            Ok((problem.status(), page(&app, &caller, &typed, Some(&problem)).await?).into_response())
        }
        Err(problem) => Err(problem),
    }
}

/// A refusal, by its field.
pub(crate) fn problem(refused: &crate::SaveChannelRefused) -> Problem {
    let field = match refused {
        crate::SaveChannelRefused::BadCode { .. } => "code",
        crate::SaveChannelRefused::NoName { .. } => "name",
    };
    Problem::refused(refused).at(field)
}
