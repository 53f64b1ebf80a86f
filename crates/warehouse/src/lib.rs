//! The warehouse: fulfilment orders, picking, packing, and those who fulfil for us.
//!
//! Invariants: every unit that is allocated and not shipped is on one fulfilment line of the location it is allocated at; counters of
//! fulfilment orders, of their lines, of parcels and of the order's lines tell the same story (see [`laws`]); nothing is picked before
//! it is released, while it is on hold, or twice.
//!
//! Commands: [`release`], [`pick`], [`short_pick`], [`unpick`], [`station_scan`], [`close_box`], [`pack`], [`unpack`], [`hand_over`]; [`request`], [`accept`], [`reject`]
//! for third parties and suppliers; [`fulfil_recorded`] for history. What follows from orders: [`FOLLOW_ORDERS`].

mod api;
mod api_station;
mod ask;
mod assign;
pub mod cartons;
pub mod events;
mod floor;
mod follow;
mod hand_over;
pub mod laws;
mod model;
mod pack;
mod pages;
mod pick;
mod progress;
pub mod queue;
pub mod read;
mod recorded;
mod release;
mod short_pick;
mod slip;
mod station;
mod unpick;
mod withdraw;

pub use ask::{Accept, Ask, AskRefused, Reject, accept, reject, request};
pub use follow::FOLLOW_ORDERS;
pub use hand_over::{HandOver, hand_over};
pub use model::{
    Executor, Fulfilment, FulfilmentId, FulfilmentLine, FulfilmentLineId, Parcel, ParcelId, ParcelLine,
    Request, Status, UnknownWord,
};
pub use pack::{Pack, PackRefused, Unpack, UnpackRefused, pack, unpack};
pub use pick::{Pick, PickRefused, Picked, What, pick};
pub use read::{fulfilments_by_id, fulfilments_of, parcel_contents, parcels_by_id, parcels_of};
pub use recorded::{FulfilRecorded, fulfil_recorded};
pub use release::{Release, ReleaseRefused, release};
pub use short_pick::{ShortPick, short_pick};
pub use station::{CloseBox, StationRefused, StationScan, close_box, station_scan};
pub use unpick::{Unpick, UnpickRefused, unpick};

kernel::permission!(ReadWarehouse, "warehouse:read", "See fulfilment orders and parcels");
kernel::permission!(PickWarehouse, "warehouse:pick", "Pick and pack");
kernel::permission!(WriteWarehouse, "warehouse:write", "Release to the floor, request from others");

/// The slice, for the program's list.
pub const SLICE: web::Slice = web::Slice {
    name: "warehouse",
    permissions: &[
        web::grant::<ReadWarehouse>(),
        web::grant::<PickWarehouse>(),
        web::grant::<WriteWarehouse>(),
    ],
    menu: pages::MENU,
    reactions: &[FOLLOW_ORDERS],
    laws: laws::LAWS,
    codes: &[
        ReleaseRefused::CODES,
        AskRefused::CODES,
        PickRefused::CODES,
        UnpickRefused::CODES,
        PackRefused::CODES,
        UnpackRefused::CODES,
        StationRefused::CODES,
        cartons::CartonsRefused::CODES,
    ],
    api: api::routes,
    pages: pages::routes,
    panels: &[pages::PANEL],
    search: &[pages::SEARCH],
    ..web::Slice::EMPTY
};
