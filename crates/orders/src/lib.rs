//! Orders: what a customer bought, what it costs to the cent, where each unit of it is, and what keeps it from going on.
//!
//! Invariants: every unit of a line is in exactly one bucket; the money of every unit is fixed when the order is placed; header statuses
//! are derived by the database and never assigned; stock is promised only under its row's lock.
//!
//! Commands: [`place`], [`cancel`], [`hold`], [`release_hold`], [`review`], [`note`], [`change_address`], [`change_contact`], [`tag`], [`untag`], [`ask_confirmation`],
//! [`request_payment`], [`pay`], [`set_routing`],
//! [`bulk::begin_bulk`]; for downstream slices [`advance`], [`resource`],
//! [`return_units`]. Reactions: payments move the order's amounts and the hold `payment_due`; shipping captures; stock that arrives goes to
//! those who wait; customers who are merged bring their orders along.

mod address;
mod advance;
pub mod api;
mod backorder;
mod buckets;
pub mod bulk;
mod buyer_contact;
mod cancel;
mod channel;
mod collect;
mod confirmation;
pub mod events;
mod follow;
mod foresee;
mod hold;
mod laws;
mod model;
mod note;
mod pages;
mod pay;
mod place;
pub mod read;
mod resource;
mod review;
mod routing;
mod source;
mod tag;
mod take_back;
mod view;

pub use address::{ChangeAddress, ChangeAddressRefused, change_address};
pub use advance::{Advance, Step, advance};
pub use buyer_contact::{ChangeContact, ChangeContactRefused, change_contact};
pub use cancel::{Cancel, CancelRefused, Cancelled, cancel};
pub use channel::{Channel, ChannelSaved, SaveChannel, SaveChannelRefused, channels, save_channels};
pub use confirmation::{AskConfirmation, AskConfirmationRefused, ask_confirmation};
pub use foresee::{Departure, Draft, Foreseen, foresee};
pub use hold::{Hold, HoldRefused, ReleaseHold, hold, release_hold};
pub use laws::LAWS;
pub use model::{HoldKind, LineId, LineRow, MAX_ORDERS, OrderId, Parts, unit_parts};
pub use note::{Note, NoteId, NoteRefused, note};
pub use pages::{ENTRY_PANELS, EntryDraft, listed};
pub use pay::{Owed, Pay, PayRefused, RequestPayment, owed, pay, request_payment};
pub use place::{
    Buyer, CommandKey, FieldProblem, IfOutOfStock, Outcome, Place, PlaceRefused, Placed, Tender, Trust,
    WantedLine, place,
};
pub use read::OrderRow;
pub use resource::{Resource, resource};
pub use review::{Review, ReviewRefused, review};
pub use routing::{
    How, RoutingChanged, RoutingRule, SetRouting, SetRoutingRefused, routing_rules, set_routing,
};
pub use tag::{Tag, TagRefused, tag, untag};
pub use take_back::{ReturnUnits, return_units};

/// What [`web::Finder`]s of other slices find for the search box of orders.
pub const SEARCHED: &str = "order";

/// What follows from events, inside the transaction that records them.
pub const REACTIONS: &[db::Reaction] = &[
    db::Reaction {
        name: "orders.money",
        kinds: collect::PAYMENT_KINDS,
        run: |tx, events| Box::pin(collect::on_payment(tx, events)),
    },
    db::Reaction {
        name: "orders.capture",
        kinds: &["order.units_shipped"],
        run: |tx, events| Box::pin(collect::on_shipped(tx, events)),
    },
    db::Reaction {
        name: "orders.backorders",
        kinds: backorder::STOCK_KINDS,
        run: |tx, events| Box::pin(backorder::on_stock(tx, events)),
    },
    db::Reaction {
        name: "orders.customers",
        kinds: &["customer.merged"],
        run: |tx, events| Box::pin(follow::on_merged(tx, events)),
    },
];

/// What this slice is made of.
pub const SLICE: web::Slice = web::Slice {
    name: "orders",
    permissions: &[
        web::grant::<api::ReadOrders>(),
        web::grant::<api::WriteOrders>(),
        web::grant::<api::ReviewOrders>(),
        web::grant::<api::SetUpChannels>(),
    ],
    menu: &[
        web::MenuItem {
            title: "Orders",
            path: "/orders",
            scope: "orders:read",
            group: web::Group::Orders,
            order: 10,
        },
        web::MenuItem {
            title: "New order",
            path: "/orders/new",
            scope: "orders:write",
            group: web::Group::Orders,
            order: 20,
        },
        web::MenuItem {
            title: "Review",
            path: "/review",
            scope: "orders:read",
            group: web::Group::Review,
            order: 10,
        },
        web::MenuItem {
            title: "Sales channels",
            path: "/settings/channels",
            scope: "channels:write",
            group: web::Group::Settings,
            order: 30,
        },
        web::MenuItem {
            title: "Routing rules",
            path: "/settings/routing",
            scope: "channels:write",
            group: web::Group::Settings,
            order: 34,
        },
    ],
    codes: &[
        PlaceRefused::CODES,
        CancelRefused::CODES,
        HoldRefused::CODES,
        ReviewRefused::CODES,
        NoteRefused::CODES,
        ChangeAddressRefused::CODES,
        TagRefused::CODES,
        AskConfirmationRefused::CODES,
        PayRefused::CODES,
        SaveChannelRefused::CODES,
        SetRoutingRefused::CODES,
        bulk::BulkRefused::CODES,
    ],
    jobs: &[db::JobKind::of::<bulk::RunBulk>()],
    panels: &[pages::CUSTOMER_PANEL],
    search: &[pages::SEARCH],
    finders: &[follow::BY_PHONE],
    follows: follow::FOLLOWS,
    laws: LAWS,
    reactions: REACTIONS,
    api: api::routes,
    pages: pages::routes,
    ..web::Slice::EMPTY
};
