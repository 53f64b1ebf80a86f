//! Photos that customers add to what they ask back. Invariant: a pass adds to the returns of its own order alone, and shows no photo.

use crate::gate::{From, Gate, Kind};
use crate::track::{Said, known, over, tracking};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use kernel::{Actor, Fault};
use maud::{Markup, html};
use returns::read::ReturnRow;
use returns::{AddPhoto, MOST_PHOTOS, ReturnId};
use web::html::{self as h, Field};
use web::{App, OrProblem, Problem, Public, Upload};

/// The field for photos.
pub(crate) fn field(wrong: Option<&str>) -> Markup {
    let hint = "Photos as JPEG, PNG or WebP, 10 MiB each at most. Place and time are taken out of them.";
    let field =
        Field { label: "Show us what is wrong", name: "photos", hint, error: wrong, ..Field::default() };
    h::file_field(&field, "image/jpeg,image/png,image/webp", true)
}

/// The form by a return, while photos may be added.
pub(crate) fn form(r: &ReturnRow, pass: &str, wrong: Option<&str>) -> Markup {
    let open = r.settled_at.is_none() && r.declined_at.is_none();
    html! {
        @if r.photos > 0 { p { (r.photos) @if r.photos == 1 { " photo is added." } @else { " photos are added." } } }
        @if open && r.photos < MOST_PHOTOS {
            form method="post" action="/track/photos" enctype="multipart/form-data" {
                input type="hidden" name="t" value=(pass);
                input type="hidden" name="return" value=(r.id);
                (field(wrong))
                button.btn.w-100 type="submit" { "Add photos" }
            }
        }
    }
}

/// Adds what was sent.
pub(crate) async fn submit(
    State(app): State<App>,
    _: Public,
    from: From,
    upload: Upload,
) -> Result<Response, Problem> {
    app.state::<Gate>()?.pass(Kind::LookUp, &from.0, app.db.now())?;
    let pass = upload.given("t").to_owned();
    let Some(known) = known(&app, &pass).await? else { return Ok(over(&app)) };
    let Ok(id) = upload.given("return").parse::<ReturnId>() else { return Ok(over(&app)) };
    let asked = returns::read::by_id(app.db.read(), id).await?;
    if asked.is_none_or(|r| r.order_id != known.order.id) {
        return Ok(over(&app));
    }
    match added(&app, known.order.customer_id, id, upload).await {
        Ok(()) => Ok(Redirect::to(&h::query("/track", &[("t", &pass)])).into_response()),
        Err(problem) if problem.status().is_client_error() => {
            let said = problem.errors().first().map_or(problem.detail(), |e| e.detail.as_str());
            let said = Said { wrong: Some((id, said)), ..Said::default() };
            tracking(&app, problem.status(), &known, &pass, said).await
        }
        Err(problem) => Err(problem),
    }
}

async fn added(
    app: &App,
    customer: customers::CustomerId,
    id: ReturnId,
    upload: Upload,
) -> Result<(), Problem> {
    let invalid = |why: &str| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "request.invalid", why);
    if upload.files.is_empty() {
        return Err(invalid("Choose at least one photo."));
    }
    if upload.files.len() as i64 > MOST_PHOTOS {
        return Err(invalid(&format!("A return has {MOST_PHOTOS} photos at most.")));
    }
    let pictures = returns::drawn(upload.files.into_iter().map(|f| f.bytes).collect()).await?;
    let actor = Actor::of("customer", customer);
    let done: Result<(), Fault> = db::write!(app.db, &actor, |tx| {
        let one = |picture: &std::sync::Arc<returns::Picture>| AddPhoto {
            at: tx.now(),
            by: actor.clone(),
            return_id: id,
            picture: picture.clone(),
        };
        for outcome in returns::add_photos(tx, &pictures.iter().map(one).collect::<Vec<_>>()).await? {
            outcome.or_problem()?;
        }
        Ok(())
    });
    Ok(done?)
}
