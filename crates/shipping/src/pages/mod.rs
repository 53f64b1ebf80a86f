//! Pages of shipping: shipments and their tracking, the label of a parcel, the panel on the page of an order; and
//! carriers with their rate tables among the settings.
//!
//! Invariant: a page does what the API does, through the same commands, and a form that is sent twice acts once.

mod carriers;
mod detail;
mod dispatch;
mod entry;
mod list;
mod order;
mod parcel;
mod rates;

use crate::board::{Ask, page};
use crate::carrier::Carriers;
use crate::model::Status;
use crate::{ReadShipping, SetUpShipping, rate_cards};
use axum::routing::{get, post};
use kernel::{Fault, Permission, Refuse};
use maud::{Markup, html};
use std::collections::{BTreeMap, HashMap};
use web::html as h;
use web::{App, Group, Hit, MenuItem, OrProblem, Panel, Problem, Search};

/// Its entries of the menu.
pub(crate) const MENU: &[MenuItem] = &[
    MenuItem {
        title: "Shipments",
        path: "/shipments",
        scope: ReadShipping::SCOPE,
        group: Group::Fulfilment,
        order: 40,
    },
    MenuItem {
        title: "Carriers",
        path: "/settings/carriers",
        scope: SetUpShipping::SCOPE,
        group: Group::Settings,
        order: 32,
    },
    MenuItem {
        title: "Dispatch days",
        path: "/settings/dispatch",
        scope: SetUpShipping::SCOPE,
        group: Group::Settings,
        order: 35,
    },
];

/// Its blocks on pages of slices above it.
pub(crate) const PANELS: &[Panel] = &[order::PANEL, parcel::PANEL, entry::PANEL];

/// Shipments by tracking number or the number of their order.
pub(crate) const SEARCH: Search = Search {
    title: "Shipments",
    scope: ReadShipping::SCOPE,
    all: ("/shipments", "search"),
    find: |app, text| {
        Box::pin(async move {
            let ask = Ask { search: Some(text.trim().to_owned()), ..Ask::default() };
            let found = page(app.db.read(), &ask, app.db.now(), 5).await?;
            let hit = |s: crate::board::Listed| Hit {
                href: format!("/shipments/{}", s.id),
                title: s.tracking_number,
                detail: format!("Order {}, {}", s.order_number, words(s.status).to_lowercase()),
            };
            Ok(found.into_iter().map(hit).collect())
        })
    },
};

/// Its pages.
pub(crate) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route("/panels/orders/{id}/shipments", get(order::panel))
        .route("/panels/parcels/{id}/label", get(parcel::panel))
        .route("/panels/order-entry/shipping", post(entry::panel))
        .route("/parcels/{id}/label", post(parcel::buy))
        .route("/parcels/{id}/unpack", post(parcel::take_apart))
        .route("/shipments", get(list::show))
        .route("/shipments/ship", post(list::ship))
        .route("/shipments/{id}", get(detail::show))
        .route("/shipments/{id}/void", post(detail::void))
        .route("/shipments/{id}/track", post(detail::track))
        .route("/settings/carriers", get(carriers::list))
        .route("/settings/carriers/{code}", get(carriers::show).post(carriers::save))
        .route("/settings/carriers/{code}/test", post(carriers::test))
        .route("/settings/dispatch", get(dispatch::show).post(dispatch::save))
        .route("/settings/rates", get(rates::show).post(rates::save))
}

/// The outcome of the one command that was given.
fn single<T, R: Refuse>(outcomes: Vec<Result<T, R>>) -> Result<T, Fault> {
    let outcome = outcomes.into_iter().next().ok_or_else(|| Fault::broken("a command without outcome"))?;
    Ok(outcome.or_problem()?)
}

/// Whether a problem is the caller's to mend; all others are told as everywhere.
fn refused<T>(outcome: Result<T, Problem>) -> Result<Result<T, Problem>, Problem> {
    match outcome {
        Err(problem) if !problem.status().is_client_error() => Err(problem),
        other => Ok(other),
    }
}

/// The carriers there are, by code, as people know them.
async fn carriers(app: &App) -> Result<BTreeMap<String, String>, Problem> {
    let registry = app.ctx.parts.get::<Carriers>()?;
    let own = registry.0.iter().map(|c| c.card()).filter(|c| !c.by_rate_cards);
    let mut all: BTreeMap<String, String> = own.map(|c| (c.code.to_owned(), c.name.to_owned())).collect();
    for card in rate_cards(app.db.read()).await? {
        all.entry(card.carrier.clone()).or_insert_with(|| h::words(&card.carrier));
    }
    Ok(all)
}

/// What services of carriers are called: by the carrier's code and the service's.
struct Services(HashMap<(String, String), String>);

impl Services {
    /// The name of the first rate card of a service; without one, as its carrier names it.
    fn name(&self, carrier: &str, service: &str) -> String {
        let known = self.0.get(&(carrier.to_owned(), service.to_owned()));
        known.cloned().unwrap_or_else(|| format!("{} {}", h::words(carrier), h::plain(service)))
    }
}

async fn services(app: &App) -> Result<Services, Problem> {
    let mut names = HashMap::new();
    for card in rate_cards(app.db.read()).await? {
        names.entry((card.carrier.clone(), card.service.clone())).or_insert_with(|| card.name.clone());
    }
    Ok(Services(names))
}

/// A status as people read it.
fn words(status: Status) -> &'static str {
    match status {
        Status::Draft => "Label asked for",
        Status::LabelPurchased => "Label bought",
        Status::Shipped => "Handed over",
        Status::InTransit => "In transit",
        Status::OutForDelivery => "Out for delivery",
        Status::AttemptFailed => "Delivery attempt failed",
        Status::AvailableForPickup => "Ready for pick-up",
        Status::Exception => "Exception",
        Status::Lost => "Lost",
        Status::Delivered => "Delivered",
        Status::ReturnedToSender => "Returned to sender",
        Status::Voided => "Label given back",
    }
}

/// A status in its colour, in the same words everywhere.
fn state(status: Status) -> Markup {
    h::tag(words(status), h::status_tone(status.as_str()))
}

/// A place in a few words: its city and its country.
fn place(address: &contact::address::Address) -> String {
    let country = contact::country::name(&address.country).unwrap_or(&address.country);
    if address.city.is_empty() { country.to_owned() } else { format!("{}, {country}", address.city) }
}

/// The link to the page of a parcel at its carrier, where we know one.
fn at_the_carrier(carrier: &str, number: &str) -> Markup {
    html! {
        @if let Some(page) = crate::tracking_page(carrier, number) {
            " " a href=(page) target="_blank" rel="noopener noreferrer" { "Track at the carrier" }
        }
    }
}

/// What handing one parcel over means, asked before it is done.
const HANDED_ONE: &str = "The parcel has left the house then: stock and sale are booked, the payment is captured, and the customer is told. It cannot be undone.";

/// The button that hands one parcel over.
fn hand_over(shipment: crate::model::ShipmentId, kind: &str) -> Markup {
    h::confirm_with(
        "hand-over",
        "/shipments/ship",
        "Hand over",
        kind,
        HANDED_ONE,
        html! {
            (web::once())
            input type="hidden" name="ids[]" value=(shipment);
            input type="hidden" name="back" value={ "/shipments/" (shipment) };
        },
    )
}
