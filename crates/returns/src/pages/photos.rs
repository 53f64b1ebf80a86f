//! Photos on the page of a return: what customer and colleagues showed, and the form that adds more.

use crate::api::{ReadReturns, ReceiveReturns, single};
use crate::api_photos::{drawn, file};
use crate::model::{ReturnId, ReturnPhotoId};
use crate::photo::{AddPhoto, MOST, PhotoRow, add_photos};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use web::html::{self as h, Field};
use web::{App, Caller, Key, May, Problem, Reply, Segment, Upload};

/// The card of the photos; `open` where more may be added.
pub(super) fn card(
    caller: &Caller,
    id: ReturnId,
    photos: &[PhotoRow],
    open: bool,
    error: Option<&str>,
) -> Markup {
    let adds = open && caller.may::<ReceiveReturns>() && (photos.len() as i64) < MOST;
    html! {
        @if !photos.is_empty() || adds {
            (h::card("Photos", html! {
                @if photos.is_empty() { p.text-secondary { "None yet." } }
                @else {
                    ul.photos { @for (i, p) in photos.iter().enumerate() {
                        @let href = format!("/returns/{id}/photos/{}", p.id);
                        @let by = if p.by_actor.starts_with("customer:") { "the customer" } else { "us" };
                        li { a href=(href) target="_blank" rel="noopener" {
                            img src=(href) alt={ "Photo " (i + 1) " by " (by) } width=(p.width) height=(p.height) loading="lazy"; }
                            span.text-secondary { "By " (by) ", " (h::time(p.at)) } }
                    } }
                }
                @if adds {
                    form method="post" action={ "/returns/" (id) "/photos" } enctype="multipart/form-data" {
                        (web::once_again(""))
                        (h::file_field(&Field { label: "Add photos", name: "photos", hint: &format!("JPEG, PNG or WebP of up to 10 MiB, {MOST} in all. Place and time are taken out."), error, ..Field::default() }, "image/jpeg,image/png,image/webp", true))
                        button.btn type="submit" { "Add" }
                    }
                }
            }))
        }
    }
}

/// Adds what was sent.
pub(super) async fn add(
    State(app): State<App>,
    caller: May<ReceiveReturns>,
    Segment(id): Segment<ReturnId>,
    upload: Upload,
) -> Result<Response, Problem> {
    match added(&app, &caller, id, &upload).await {
        Ok(1) => Ok(web::done("The photo is added").to(&format!("/returns/{id}"))),
        Ok(n) => Ok(web::done(format!("{n} photos are added")).to(&format!("/returns/{id}"))),
        Err(problem) if problem.status().is_client_error() && problem.status() != 404 => {
            let said = problem.errors().first().map_or(problem.detail(), |e| e.detail.as_str());
            let page = super::detail::with_photo_error(&app, &caller, id, said).await?;
            Ok((problem.status(), page).into_response())
        }
        Err(problem) => Err(problem),
    }
}

async fn added(app: &App, caller: &Caller, id: ReturnId, upload: &Upload) -> Result<usize, Problem> {
    if upload.files.is_empty() {
        return Err(Problem::invalid("photos", "Choose at least one photo."));
    }
    if upload.files.len() as i64 > MOST {
        return Err(Problem::invalid("photos", format!("A return has {MOST} photos at most.")));
    }
    let pictures = drawn(upload.files.iter().map(|f| f.bytes.clone()).collect()).await?;
    let digests: Vec<String> = pictures.iter().map(|p| db::answers::input_hash(&p.jpeg)).collect();
    let key = Key::once(upload.given("once"), &format!("/returns/{id}/photos"));
    web::submit!(app, caller, key, "returns.add_photos", &digests, |tx| {
        let one = |picture: &std::sync::Arc<crate::Picture>| AddPhoto {
            at: tx.now(),
            by: caller.actor.clone(),
            return_id: id,
            picture: picture.clone(),
        };
        for outcome in add_photos(tx, &pictures.iter().map(one).collect::<Vec<_>>()).await? {
            single(vec![outcome])?;
        }
        Ok(Reply::empty())
    })?;
    Ok(pictures.len())
}

/// The file of a photo.
pub(super) async fn show(
    State(app): State<App>,
    _: May<ReadReturns>,
    Segment((id, photo)): Segment<(ReturnId, ReturnPhotoId)>,
) -> Result<Response, Problem> {
    file(&app, id, photo).await
}
