//! REST of the photos of returns, and how their files are served: only to who may see returns, and as nothing but a picture.

use crate::api::{ReadReturns, ReceiveReturns, single};
use crate::model::{ReturnId, ReturnPhotoId};
use crate::photo::{AddPhoto, PhotoRow, photo, photos_of};
use crate::picture::{self, Picture};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::{Fault, Timestamp};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web::{App, File, Key, May, Problem, Reply, Segment};

/// Nothing in the file may run, load or be framed, should a browser ever take it for a page.
const PICTURE_POLICY: &str = "default-src 'none'; sandbox; frame-ancestors 'none'";

/// Routes under `/v1`.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_photos, post_photo))
        .routes(routes!(get_photo))
        .layer(DefaultBodyLimit::max(picture::MOST_BYTES + 1024))
}

/// A photo of a return.
#[derive(Debug, Serialize, ToSchema)]
struct PhotoView {
    id: ReturnPhotoId,
    /// When it was added.
    at: Timestamp,
    /// By whom.
    by: String,
    /// Pixels.
    width: i64,
    /// Pixels.
    height: i64,
    /// Of the file.
    bytes: i64,
    /// Where the file is.
    href: String,
}

impl From<PhotoRow> for PhotoView {
    fn from(p: PhotoRow) -> Self {
        let href = format!("/v1/returns/{}/photos/{}", p.return_id, p.id);
        Self { id: p.id, at: p.at, by: p.by_actor, width: p.width, height: p.height, bytes: p.bytes, href }
    }
}

async fn known(app: &App, id: ReturnId) -> Result<(), Problem> {
    let found = crate::read::by_id(app.db.read(), id).await?;
    found.map(|_| ()).ok_or_else(|| Problem::not_found(format!("return {id}")))
}

/// The photos of a return, in the order they were added.
#[utoipa::path(get, path = "/returns/{id}/photos", tag = "returns", params(("id" = ReturnId, Path)),
    responses((status = 200, body = Vec<PhotoView>), (status = 404, body = Problem)))]
async fn get_photos(
    State(app): State<App>,
    _: May<ReadReturns>,
    Segment(id): Segment<ReturnId>,
) -> Result<Json<Vec<PhotoView>>, Problem> {
    known(&app, id).await?;
    let rows = photos_of(app.db.read(), &[id]).await?;
    Ok(Json(rows.into_iter().map(PhotoView::from).collect()))
}

/// Adds a photo: a JPEG, PNG or WebP of up to 10 MiB.
///
/// It is drawn anew as a JPEG, without what a camera writes beside the picture. The same photo again changes nothing.
#[utoipa::path(post, path = "/returns/{id}/photos", tag = "returns", params(("id" = ReturnId, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = PhotoView), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn post_photo(
    State(app): State<App>,
    caller: May<ReceiveReturns>,
    key: Key,
    Segment(id): Segment<ReturnId>,
    File(bytes): File,
) -> Result<Reply, Problem> {
    known(&app, id).await?;
    let picture = drawn(vec![bytes]).await?.remove(0);
    let digest = db::answers::input_hash(&picture.jpeg);
    web::command!(app, caller, key, "returns.add_photo", &digest, |tx| {
        let (by, picture) = (caller.actor.clone(), picture.clone());
        let one = AddPhoto { at: tx.now(), by, return_id: id, picture };
        let added = single(crate::add_photos(tx, &[one]).await?)?;
        let row = photos_of(tx, &[id]).await?.into_iter().find(|p| p.id == added);
        let row = row.ok_or_else(|| Fault::broken("a photo that was added is not there"))?;
        web::reply(StatusCode::CREATED, &PhotoView::from(row))
    })
}

/// Pictures of what was sent, drawn away from the threads that answer.
///
/// # Errors
/// Why the first that is not taken is not.
pub async fn drawn(files: Vec<Bytes>) -> Result<Vec<Arc<Picture>>, Problem> {
    let draw =
        move || files.iter().map(|bytes| picture::read(bytes).map(Arc::new)).collect::<Result<Vec<_>, _>>();
    let drawn = tokio::task::spawn_blocking(draw).await.map_err(Fault::from)?;
    drawn.map_err(|refused| Problem::refused(&refused).at("photos"))
}

/// The file of a photo, a JPEG.
#[utoipa::path(get, path = "/returns/{id}/photos/{photo}", tag = "returns", params(("id" = ReturnId, Path), ("photo" = ReturnPhotoId, Path)),
    responses((status = 200, content_type = "image/jpeg"), (status = 404, body = Problem)))]
async fn get_photo(
    State(app): State<App>,
    _: May<ReadReturns>,
    Segment((id, photo)): Segment<(ReturnId, ReturnPhotoId)>,
) -> Result<Response, Problem> {
    file(&app, id, photo).await
}

/// The answer that is the file of a photo.
pub(crate) async fn file(app: &App, of: ReturnId, id: ReturnPhotoId) -> Result<Response, Problem> {
    let jpeg = photo(app.db.read(), of, id).await?;
    let jpeg = jpeg.ok_or_else(|| Problem::not_found(format!("photo {id}")))?;
    let name = HeaderValue::from_str(&format!("inline; filename=\"{id}.jpg\"")).map_err(Fault::from)?;
    let fixed = [
        (header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg")),
        (header::CONTENT_DISPOSITION, name),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PICTURE_POLICY)),
        // A photo never changes; only the browser of who may see it keeps it, for as long as somebody works on the return.
        (header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=600")),
    ];
    Ok((fixed, jpeg).into_response())
}
