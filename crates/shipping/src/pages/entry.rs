//! Beside order entry: what the order may be shipped by, what that costs and by when it is there, while it is typed. Choosing fills shipping
//! and promise in; both stay the clerk's to change.

use crate::offer::{Basis, Offer, Offers};
use crate::{ReadShipping, api_offers};
use axum::extract::State;
use kernel::money::decimal;
use maud::{Markup, html};
use orders::EntryDraft;
use orders::api::WriteOrders;
use std::collections::BTreeMap;
use web::html::{self as h, Tone};
use web::{App, Form, May, Panel, Problem};

pub(super) const PANEL: Panel = Panel {
    page: orders::ENTRY_PANELS,
    title: "Ships by",
    path: |_| "/panels/order-entry/shipping".to_owned(),
    scope: <ReadShipping as kernel::Permission>::SCOPE,
    folded: false,
};

/// The block.
pub(super) async fn panel(
    State(app): State<App>,
    _: May<WriteOrders>,
    Form(fields): Form<BTreeMap<String, String>>,
) -> Result<Markup, Problem> {
    let hint = |text: &str| Ok(html! { p.text-secondary { (text) } });
    let Some(typed) = EntryDraft::of(&fields) else {
        return hint("Fill in an item to see services, prices and dates.");
    };
    if contact::country::name(&typed.draft.country).is_none() {
        return hint("Fill in the country to see services, prices and dates.");
    }
    let found = api_offers::of(&app, typed.draft.clone(), typed.currency).await?;
    if found.parcels.is_empty() {
        return hint("Nothing of it is shipped.");
    }
    Ok(shown(&typed, &found))
}

fn shown(typed: &EntryDraft, found: &Offers) -> Markup {
    let stale = !typed.service.is_empty() && !found.offers.iter().any(|o| chosen(typed, o));
    html! {
        @if found.offers.is_empty() {
            (h::alert("warning", "No service carries this there for a price in this currency: type one."))
        } @else {
            @if stale { (h::alert("warning", "Price or date changed since a service was chosen, or you changed them: choose again, or leave what you typed.")) }
            fieldset.radio-cards {
                legend.visually-hidden { "Service" }
                @for offer in &found.offers { (card(typed, offer)) }
            }
        }
        p.text-secondary {
            @if found.missing > 0 { (h::tag(&format!("{} missing", h::count(found.missing, "unit")), Tone::Warn)) " No day can be named before they are there. " }
            @else { "Leaves on " (found.leaves_on) ": " }
            @for (i, parcel) in found.parcels.iter().enumerate() {
                @if i > 0 { "; " } (h::count(parcel.units, "unit")) " from " bdi { (parcel.location) } ", " (h::weight(parcel.weight_g))
            }
            "."
        }
        @if !found.unweighed.is_empty() {
            p.text-secondary { "No weight is known of " bdi { (found.unweighed.join(", ")) } ": the label may cost more." }
        }
    }
}

/// As the form and the order's note name a service.
fn name(offer: &Offer) -> String {
    format!("{} ({} {})", offer.name, offer.carrier, offer.service)
}

/// Whether it is the one that was chosen, and the form still says its price and day.
fn chosen(typed: &EntryDraft, offer: &Offer) -> bool {
    typed.service == name(offer)
        && typed.shipping == offer.price.minor
        && offer.promised_on.as_deref().is_none_or(|day| day == typed.promised)
}

fn card(typed: &EntryDraft, offer: &Offer) -> Markup {
    let price = decimal(offer.price.minor, offer.price.currency.exponent());
    let mut fill = vec![("shipping", price.as_str())];
    fill.extend(offer.promised_on.as_deref().map(|day| ("promised", day)));
    let fill = h::query("", &fill);
    html! {
        label.radio-card {
            input.form-check-input type="radio" name="service" value=(name(offer)) checked[chosen(typed, offer)] data-fill=(fill.trim_start_matches('?'));
            (h::icon(h::Icon::TruckDelivery))
            span {
                strong { bdi { (offer.name) } " · " (h::money(offer.price)) }
                span.form-hint {
                    @match (&offer.promised_on, offer.basis) {
                        (Some(day), Some(Basis::PastShipments)) => { "There by " (day) ", as nine of ten were" }
                        (Some(day), _) => { "There by " (day) ", by the rate table" }
                        _ => { "No day can be named yet" }
                    }
                }
            }
        }
    }
}
