//! A slice small enough to test the web with: birds are rows of `timer`, with a name and a version.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use db::FromRow;
use kernel::{Fault, Timestamp};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web::{
    App, Body, IfMatch, Key, May, MenuItem, OrProblem, Page, Paging, Panel, Params, Problem, Reply, Segment,
    Slice,
};

kernel::permission!(ReadBirds, "birds:read", "See birds");
kernel::permission!(KeepBirds, "birds:write", "Keep birds");

pub const SLICE: Slice = Slice {
    name: "birds",
    permissions: &[web::grant::<ReadBirds>(), web::grant::<KeepBirds>()],
    menu: &[
        MenuItem {
            title: "Birds",
            path: "/birds",
            scope: "birds:read",
            group: web::Group::Orders,
            ..MenuItem::EMPTY
        },
        MenuItem {
            title: "Secret birds",
            path: "/secret",
            scope: "secrets:write",
            group: web::Group::Orders,
            ..MenuItem::EMPTY
        },
    ],
    codes: &[HatchRefused::CODES],
    api,
    pages,
    panels: &[Panel {
        page: "bird",
        title: "Songs",
        path: |id| format!("/birds/{id}/songs"),
        scope: "birds:read",
        folded: false,
    }],
    ..Slice::EMPTY
};

#[derive(Debug, Serialize, Deserialize)]
struct Hatched {
    name: String,
}
kernel::fact!(Hatched, "bird.hatched");

kernel::refusals! {
    pub enum HatchRefused {
        NoName {} => Invalid, "birds.no_name", "A bird needs a name.";
        Taken { name: String } => Conflict, "birds.taken", "There is a bird {name} already.";
    }
}

/// A bird is hatched, whoever's program this is.
pub async fn hatched(db: &db::Db, name: &str) {
    let done = db::write!(db, &kernel::Actor::system("test"), |tx| {
        tx.record(tx.now(), name, None, Hatched { name: name.to_owned() })
    });
    done.unwrap();
}

/// A command as slices have them: one outcome per item, in order.
async fn hatch(tx: &db::Tx, batch: &[NewBird]) -> Result<Vec<Result<Bird, HatchRefused>>, Fault> {
    let mut outcomes = Vec::new();
    for new in batch {
        outcomes.push(if new.name.is_empty() {
            Err(HatchRefused::NoName {})
        } else if tx
            .touched(
                "INSERT INTO timer (name, next_at) VALUES ($1, 1) ON CONFLICT (name) DO NOTHING",
                [new.name.as_str().into()],
            )
            .await?
            == 0
        {
            Err(HatchRefused::Taken { name: new.name.clone() })
        } else {
            tx.record(tx.now(), &new.name, None, Hatched { name: new.name.clone() })?;
            Ok(Bird { name: new.name.clone(), version: 1, seen_at: tx.now() })
        });
    }
    Ok(outcomes)
}

fn api() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, rename))
        .routes(routes!(crash))
        .routes(routes!(half))
}

#[derive(Debug, Clone, Serialize, ToSchema)]
struct Bird {
    name: String,
    version: i64,
    seen_at: Timestamp,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewBird {
    name: String,
    #[serde(default)]
    eggs: Vec<Egg>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Egg {
    grams: i64,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListBirds {
    /// Rows of a page, 1 to 200.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

#[derive(FromRow)]
struct BirdRow {
    name: String,
    next_at: i64,
}

impl BirdRow {
    fn show(self) -> Bird {
        Bird { name: self.name, version: self.next_at, seen_at: Timestamp(0) }
    }
}

/// List birds by name
#[utoipa::path(get, path = "/birds", tag = "birds", operation_id = "listBirds", params(ListBirds), responses((status = 200, body = Page<Bird>)))]
async fn list(
    State(app): State<App>,
    _: May<ReadBirds>,
    Params(query): Params<ListBirds>,
) -> Result<Json<Page<Bird>>, Problem> {
    let paging = Paging::<String>::read(query.limit, query.cursor.as_deref())?;
    let after = paging.after.clone().unwrap_or_default();
    let text = "SELECT name, next_at FROM timer WHERE name > $1 ORDER BY name LIMIT $2";
    let rows: Vec<BirdRow> = app.db.read().all(text, [after.into(), paging.fetch().into()]).await?;
    Ok(Json(paging.page(rows, |row| row.name.clone()).map(BirdRow::show)))
}

/// Show a bird
#[utoipa::path(get, path = "/birds/{name}", tag = "birds", operation_id = "getBird", params(("name" = String, Path)), responses((status = 200, body = Bird)))]
async fn show(
    State(app): State<App>,
    _: May<ReadBirds>,
    Segment(name): Segment<String>,
) -> Result<impl IntoResponse, Problem> {
    let row: Option<BirdRow> =
        app.db.read().one("SELECT name, next_at FROM timer WHERE name = $1", [name.as_str().into()]).await?;
    let bird = row.ok_or_else(|| Problem::not_found(format!("bird {name}")))?.show();
    Ok(([(header::ETAG, web::etag(bird.version))], Json(bird)))
}

/// Hatch a bird
#[utoipa::path(post, path = "/birds", tag = "birds", operation_id = "hatchBird", request_body = NewBird, responses((status = 201, body = Bird)))]
async fn create(
    State(app): State<App>,
    caller: May<KeepBirds>,
    key: Key,
    Body(body): Body<NewBird>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "birds.hatch", &body, |tx| {
        let bird = hatch(tx, std::slice::from_ref(&body)).await?.remove(0).or_problem()?;
        web::reply(StatusCode::CREATED, &bird)
    })
}

/// Give a bird another name
#[utoipa::path(put, path = "/birds/{name}", tag = "birds", operation_id = "renameBird", request_body = NewBird, params(("name" = String, Path)), responses((status = 200, body = Bird)))]
async fn rename(
    State(app): State<App>,
    caller: May<KeepBirds>,
    key: Key,
    known: IfMatch,
    Segment(name): Segment<String>,
    Body(body): Body<NewBird>,
) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "birds.rename", &body, |tx| {
        let row: Option<BirdRow> = tx
            .one("SELECT name, next_at FROM timer WHERE name = $1 /*pg FOR UPDATE */", [name.as_str().into()])
            .await?;
        let bird = row.ok_or_else(|| Problem::not_found(format!("bird {name}")))?.show();
        known.check(bird.version)?;
        let values = [body.name.as_str().into(), (bird.version + 1).into(), name.as_str().into()];
        tx.exec("UPDATE timer SET name = $1, next_at = $2 WHERE name = $3", values).await?;
        web::reply(
            StatusCode::OK,
            &Bird { name: body.name.clone(), version: bird.version + 1, seen_at: bird.seen_at },
        )
    })
}

/// Panic, or fail
#[utoipa::path(get, path = "/crash", tag = "birds", operation_id = "crash", responses((status = 200)))]
async fn crash(
    _: May<ReadBirds>,
    Params(how): Params<std::collections::HashMap<String, String>>,
) -> Result<(), Problem> {
    match how.get("how").map(String::as_str) {
        Some("fault") => Err(Fault::broken("the secret of the nest").into()),
        Some("busy") => Err(db::Busy.into()),
        _ => panic!("the secret of the nest"),
    }
}

/// Write something, then refuse
#[utoipa::path(post, path = "/half", tag = "birds", operation_id = "half", responses((status = 200)))]
async fn half(State(app): State<App>, caller: May<KeepBirds>, key: Key) -> Result<Reply, Problem> {
    web::command!(app, caller, key, "birds.half", &(), |tx| {
        tx.exec("INSERT INTO timer (name, next_at) VALUES ('half', 1)", []).await?;
        Err(Problem::refused(&HatchRefused::NoName {}).into())
    })
}

fn pages() -> axum::Router<App> {
    axum::Router::new()
        .route("/birds", get(page))
        .route("/birds/{name}/songs", get(songs))
        .route("/crash", get(crash))
}

async fn page(caller: May<ReadBirds>) -> Result<Markup, Problem> {
    let form = html! { @if caller.may::<KeepBirds>() { button { "Hatch" } } };
    Ok(web::page(
        &caller,
        "Birds",
        html! { (web::html::empty("No birds", "Hatch one.")) (form) (web::panels(&caller, "bird", "b1")) },
    ))
}

async fn songs(_: May<ReadBirds>, Segment(name): Segment<String>) -> Markup {
    html! { p { (name) " sings" @if web::partial() { " here" } } }
}
