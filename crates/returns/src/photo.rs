//! Add photos to returns: what a customer or a colleague shows of the goods.
//!
//! Invariants: a return has [`MOST`] photos at most, the same one once; what is kept is a [`Picture`], never a file as it came.

use crate::events::ReturnPhotoAdded;
use crate::load;
use crate::model::{ReturnId, ReturnPhotoId};
use crate::picture::Picture;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use db::{FromRow, Rows, Sql, Tx};
use kernel::{Actor, Fault, Timestamp, refusals};
use std::collections::HashMap;
use std::sync::Arc;

/// Photos of a return at most.
pub const MOST: i64 = 8;

/// A photo to add.
#[derive(Debug, Clone)]
pub struct AddPhoto {
    /// When.
    pub at: Timestamp,
    /// Who shows it.
    pub by: Actor,
    /// Of which return.
    pub return_id: ReturnId,
    /// What it shows.
    pub picture: Arc<Picture>,
}

refusals! {
    /// Why a photo is not added, by precedence.
    pub enum AddPhotoRefused {
        Unknown { return_id: ReturnId } => NotFound, "returns.unknown", "There is no return {return_id}.";
        Closed { number: String, how: String } => Conflict, "returns.photo_too_late", "Return {number} is {how}: no photo can be added any more.";
        TooMany { most: i64 } => Conflict, "returns.too_many_photos", "A return has {most} photos at most.";
    }
}

/// A photo without its picture.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct PhotoRow {
    /// Id.
    pub id: ReturnPhotoId,
    /// The return.
    pub return_id: ReturnId,
    /// When it was added.
    pub at: Timestamp,
    /// By whom, as the event log names them.
    pub by_actor: String,
    /// Pixels.
    pub width: i64,
    /// Pixels.
    pub height: i64,
    /// Of the file.
    pub bytes: i64,
    /// Tells it from others.
    pub digest: String,
}

const COLUMNS: &str = "p.id, p.return_id, p.at, p.by_actor, p.width, p.height, p.bytes, p.digest";

/// The photos of returns, in the order they were added.
///
/// # Errors
/// A fault of the database.
pub async fn photos_of(sql: &Sql, returns: &[ReturnId]) -> Result<Vec<PhotoRow>, Fault> {
    let mut input = Rows::new("id BIGINT");
    for id in returns {
        input.push([(*id).into()]);
    }
    let text = format!(
        "SELECT {COLUMNS} FROM return_photo p JOIN input ON input.id = p.return_id ORDER BY p.return_id, p.id"
    );
    sql.all_from(&input, &text, []).await
}

/// The file of a photo; none where the return has no such photo.
///
/// # Errors
/// A fault of the database, or when what is kept does not read.
pub async fn photo(sql: &Sql, of: ReturnId, id: ReturnPhotoId) -> Result<Option<Vec<u8>>, Fault> {
    let text = "SELECT content FROM return_photo WHERE id = $1 AND return_id = $2";
    let content: Option<String> = sql.scalar(text, [id.into(), of.into()]).await?;
    content
        .map(|c| STANDARD.decode(c).map_err(|e| Fault::from(e).while_doing(format!("read photo {id}"))))
        .transpose()
}

/// Adds photos: one outcome per item, in order; a photo that is there already answers with its id. Events: `return.photo_added` for each
/// that is new.
///
/// # Errors
/// A fault of the database.
pub async fn add_photos(
    tx: &Tx,
    batch: &[AddPhoto],
) -> Result<Vec<Result<ReturnPhotoId, AddPhotoRefused>>, Fault> {
    let locked = load::lock(tx, batch.iter().map(|a| a.return_id)).await?;
    let ids: Vec<ReturnId> = locked.keys().copied().collect();
    let mut there: HashMap<ReturnId, Vec<(String, ReturnPhotoId)>> = HashMap::new();
    for row in photos_of(tx, &ids).await? {
        there.entry(row.return_id).or_default().push((row.digest, row.id));
    }
    let mut rows = Rows::new(
        "id BIGINT, return_id BIGINT, at BIGINT, by_actor TEXT, width BIGINT, height BIGINT, bytes BIGINT, digest TEXT, content TEXT",
    );
    let mut outcomes = Vec::with_capacity(batch.len());
    for add in batch {
        let digest = db::answers::input_hash(&add.picture.jpeg);
        let known = there.entry(add.return_id).or_default();
        let outcome = decide(locked.get(&add.return_id), known, add, &digest, || tx.id());
        if let Ok((id, true)) = outcome {
            known.push((digest.clone(), id));
            rows.push([
                id.into(),
                add.return_id.into(),
                add.at.into(),
                add.by.as_str().into(),
                i64::from(add.picture.width).into(),
                i64::from(add.picture.height).into(),
                (add.picture.jpeg.len() as i64).into(),
                digest.into(),
                STANDARD.encode(&add.picture.jpeg).into(),
            ]);
            if let Some(of) = locked.get(&add.return_id) {
                let order = of.row.order_id;
                let fact = ReturnPhotoAdded { return_id: add.return_id, order, photo: id };
                tx.record(add.at, add.return_id, Some(order.0), fact)?;
            }
        }
        outcomes.push(outcome.map(|(id, _)| id));
    }
    tx.insert("return_photo", &rows).await?;
    Ok(outcomes)
}

/// Pure: the photo's id, and whether it is new.
fn decide(
    of: Option<&load::Locked>,
    there: &[(String, ReturnPhotoId)],
    add: &AddPhoto,
    digest: &str,
    new_id: impl FnOnce() -> ReturnPhotoId,
) -> Result<(ReturnPhotoId, bool), AddPhotoRefused> {
    let of = of.ok_or(AddPhotoRefused::Unknown { return_id: add.return_id })?;
    if let Some((_, id)) = there.iter().find(|(d, _)| d == digest) {
        return Ok((*id, false));
    }
    let closed = match (of.row.declined_at, of.row.settled_at) {
        (Some(_), _) => Some("declined"),
        (_, Some(_)) => Some("settled"),
        _ => None,
    };
    if let Some(how) = closed {
        return Err(AddPhotoRefused::Closed { number: of.row.number.clone(), how: how.to_owned() });
    }
    if there.len() as i64 >= MOST {
        return Err(AddPhotoRefused::TooMany { most: MOST });
    }
    Ok((new_id(), true))
}
