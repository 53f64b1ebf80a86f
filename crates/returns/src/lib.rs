//! Returns and exchanges: units of an order that come back, what becomes of them, and what the customer gets.
//!
//! Invariants: a unit is asked back once at a time and only after it was shipped; its credit is exactly its own cents, so any sequence of
//! returns of a line sums to what was charged; what is credited is given back once; statuses are derived.
//!
//! Commands: [`request`], [`approve`], [`decline`], [`receive`], [`inspect`], [`settle`], [`add_photos`], [`give_labels`]. Queries: [`read`].

mod api;
mod api_label;
mod api_photos;
mod approve;
pub mod credit;
pub mod events;
mod follow;
mod inspect;
pub mod label;
mod laws;
mod load;
mod model;
mod pages;
mod photo;
pub mod picture;
mod policy;
pub mod read;
mod receive;
mod request;
pub mod returnable;
mod set_policy;
mod settle;
mod views;

pub use api::{ReadReturns, ReceiveReturns, WriteReturns};
pub use api_label::label_file;
pub use api_photos::drawn;
pub use approve::{Approve, DecideRefused, Decline, approve, decline};
pub use follow::REACTION as FOLLOW_CUSTOMERS;
pub use inspect::{Inspect, InspectRefused, Inspected, inspect};
pub use label::{GiveLabel, GiveLabelRefused, give_labels, labels_of, send_back_to};
pub use laws::LAWS;
pub use model::{
    Acceptance, Disposition, MAX_UNITS, Reason, Reception, Resolution, ReturnId, ReturnLabelId,
    ReturnPhotoId, ReturnUnitId, Status, UnknownWord,
};
pub use photo::{AddPhoto, AddPhotoRefused, MOST as MOST_PHOTOS, PhotoRow, add_photos, photos_of};
pub use picture::{Picture, PictureRefused};
pub use policy::Policy;

/// Bytes of a form with photos at most.
pub const MOST_SENT: usize = pages::SENT;
pub use receive::{Receive, ReceiveRefused, receive};
pub use request::{RequestRefused, RequestReturn, Requested, ReturnWish, request};
pub use set_policy::{PolicyChanged, PolicyRefused, SetPolicy, set_policies};
pub use settle::{Exchange, Preview, Settle, SettleRefused, Settled, preview, settle};

/// The slice, for the program's list.
pub const SLICE: web::Slice = web::Slice {
    name: "returns",
    permissions: &[web::grant::<ReadReturns>(), web::grant::<WriteReturns>(), web::grant::<ReceiveReturns>()],
    laws: LAWS,
    reactions: &[FOLLOW_CUSTOMERS],
    follows: &[follow::FOLLOWS],
    jobs: &[db::JobKind::of::<label::LabelApproved>(), db::JobKind::of::<label::CallForLabel>()],
    codes: &[
        RequestRefused::CODES,
        DecideRefused::CODES,
        ReceiveRefused::CODES,
        InspectRefused::CODES,
        SettleRefused::CODES,
        PolicyRefused::CODES,
        AddPhotoRefused::CODES,
        PictureRefused::CODES,
        GiveLabelRefused::CODES,
    ],
    api: || api::routes().merge(api_photos::routes()).merge(api_label::routes()),
    pages: pages::routes,
    panels: &[pages::PANEL],
    menu: pages::MENU,
    ..web::Slice::EMPTY
};
