//! Inventory: locations, the stock that lies there, the movements that explain it, what it cost, and reservations of carts.
//!
//! Invariants: per SKU and location `0 ≤ allocated ≤ on_hand`, so nothing is promised that is not there; every counter is the sum of its
//! movements; per SKU the cost ledger holds exactly the units we own and their value is the sum of the movements' values, so the last
//! unit takes the last cent. Rows are locked in one order: reservations, purchase orders and count sheets, then stock by (SKU, location), then
//! costs by SKU.
//!
//! Commands: [`save_locations`], [`receive`], [`adjust`], [`count`], [`transfer`], [`set_safety`], [`set_bins`], [`quarantine`], [`ship_stock`],
//! [`restock`], [`reserve`], [`release_reservations`], [`take_reservations`], [`expire`], those of [`purchase`] and [`sheet`]; [`lock`] and [`apply`] are what the commands of
//! other slices build on.

mod adjust;
mod api;
mod api_location;
mod api_purchase;
mod api_reservation;
mod api_sheet;
mod apply;
mod cost;
mod count;
pub mod events;
mod ground;
pub mod laws;
mod location;
mod model;
mod pages;
pub mod purchase;
mod quarantine;
pub mod read;
mod receive;
mod reserve;
mod reserve_end;
mod restock;
mod safety;
mod settings;
pub mod sheet;
mod shelf;
mod shelve;
mod ship;
mod transfer;

pub use adjust::{Adjust, AdjustRefused, adjust};
pub use apply::{Move, apply};
pub use cost::CostBook;
pub use count::{Count, CountRefused, count};
pub use location::{SaveLocation, SaveLocationRefused, locations, locations_by_id, save_locations};
pub use model::{Location, LocationId, LocationKind, MoveKind, ReservationId};
pub use quarantine::{Quarantine, QuarantineRefused, QuarantineStep, quarantine};
pub use receive::{Receive, ReceiveRefused, receive};
pub use reserve::{Reserve, ReserveRefused, reserve};
pub use reserve_end::{TIMERS, expire, open_reservations, release_reservations, take_reservations};
pub use restock::{Restock, RestockTo, restock};
pub use safety::{SafetyRefused, SetSafety, set_safety};
pub use settings::base_currency;
pub use shelf::{Shelf, lock, look};
pub use shelve::{BinRefused, SetBin, set_bins};
pub use ship::{ShipStock, ship_stock};
pub use transfer::{Transfer, TransferRefused, transfer};

/// Inventory, as the program sees it.
pub const SLICE: web::Slice = web::Slice {
    name: "inventory",
    permissions: &[
        web::grant::<api::ReadInventory>(),
        web::grant::<api::WriteInventory>(),
        web::grant::<api::ReadPurchasing>(),
        web::grant::<api::WritePurchasing>(),
    ],
    menu: pages::MENU,
    panels: &[pages::PANEL],
    codes: &[
        SaveLocationRefused::CODES,
        ReceiveRefused::CODES,
        AdjustRefused::CODES,
        CountRefused::CODES,
        TransferRefused::CODES,
        SafetyRefused::CODES,
        BinRefused::CODES,
        QuarantineRefused::CODES,
        ReserveRefused::CODES,
        purchase::SavePurchaseRefused::CODES,
        purchase::OrderPurchaseRefused::CODES,
        purchase::CancelPurchaseRefused::CODES,
        purchase::ReceivePurchaseRefused::CODES,
        sheet::StartSheetRefused::CODES,
        sheet::EnterCountRefused::CODES,
        sheet::ApproveSheetRefused::CODES,
        sheet::DiscardSheetRefused::CODES,
    ],
    timers: TIMERS,
    laws: laws::LAWS,
    api: api::routes,
    pages: pages::routes,
    ..web::Slice::EMPTY
};
