//! Shipping: rates, labels, hand-over and tracking.
//!
//! Invariants: a parcel has one label that is not void; a shipment's status is the fold of its facts and never goes backwards (see
//! [`status`]); the order's units are counted once as delivered or lost; carriers do no I/O (see [`carrier`]).
//!
//! Commands: [`save_rate_cards`], [`set_dispatch`], [`buy_label`], [`void_label`], [`ship`], [`track`], [`unpack`], [`webhook::accept`]; [`ship_recorded`]
//! for history. Questions: [`quote`], [`quote_everywhere`], [`offers`].

mod api;
mod api_offers;
pub mod board;
mod buy;
mod cards;
pub mod carrier;
pub mod dispatch;

pub mod events;
pub mod laws;
mod lock;
mod model;
mod offer;
mod pages;
pub mod paper;
mod probe;
pub mod promise;
mod quote;
pub mod rate;
pub mod read;
mod recorded;
mod set_secret;
mod settle;
mod ship;
pub mod status;
mod track;
mod tracking_page;
mod unpack;
mod void;
pub mod webhook;

pub use buy::{BuyLabel, BuyLabelRefused, buy_label};
pub use cards::{RateCardId, RateCardRefused, rate_cards, save_rate_cards};
pub use carrier::{Carrier, Carriers};
pub use dispatch::{Dispatch, DispatchRefused, SetDispatch, set_dispatch};
pub use model::{Shipment, ShipmentId, Status, TrackingEventId};
pub use offer::{Basis, Offer, Offers, offers};
pub use quote::{QuoteRefused, for_carrier, quote, quote_everywhere, settled as settled_quotes};
pub use rate::{Quote, RateCard};
pub use read::{shipments_by_id, shipments_by_tracking, shipments_of};
pub use recorded::{ShipRecorded, ship_recorded};
pub use set_secret::{CarrierSecretSet, SetSecret, SetSecretRefused, set_secrets};
pub use settle::{Act, CallCarrier};
pub use ship::{Ship, ShipRefused, ship};
pub use track::{Track, TrackRefused, Tracked, track};
pub use tracking_page::tracking_page;
pub use unpack::{TakeApartRefused, unpack};
pub use void::{VoidLabel, VoidLabelRefused, void_label};

kernel::permission!(ReadShipping, "shipping:read", "See shipments, rates and labels");
kernel::permission!(WriteShipping, "shipping:write", "Buy and void labels, ship");
kernel::permission!(SetUpShipping, "shipping:setup", "Set rates, carriers and their secrets");

/// The background jobs of shipping.
pub const JOBS: &[db::JobKind] =
    &[db::JobKind::of::<CallCarrier>(), db::JobKind::of::<webhook::ApplyWebhook>()];

/// The slice, for the program's list.
pub const SLICE: web::Slice = web::Slice {
    name: "shipping",
    permissions: &[
        web::grant::<ReadShipping>(),
        web::grant::<WriteShipping>(),
        web::grant::<SetUpShipping>(),
    ],
    jobs: JOBS,
    laws: laws::LAWS,
    codes: &[
        RateCardRefused::CODES,
        SetSecretRefused::CODES,
        QuoteRefused::CODES,
        DispatchRefused::CODES,
        BuyLabelRefused::CODES,
        VoidLabelRefused::CODES,
        ShipRefused::CODES,
        TrackRefused::CODES,
        TakeApartRefused::CODES,
        webhook::WebhookRefused::CODES,
    ],
    api: || api::routes().merge(api_offers::routes()),
    pages: pages::routes,
    menu: pages::MENU,
    panels: pages::PANELS,
    search: &[pages::SEARCH],
    finders: &[read::BY_TRACKING],
    ..web::Slice::EMPTY
};
