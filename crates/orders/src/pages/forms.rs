//! The forms of what may be done to an order: each is shown only where it is legal and the reader may do it, says what it comes to in money
//! before it is sent, and comes back as it was filled in when it is refused.

use super::common::{Typed, hold_words};
use super::detail::Shown;
use super::money::{cancellable, due};
use crate::api::{ReviewOrders, WriteOrders};
use crate::model::{HoldKind, LineRow};
use contact::address::Address;
use kernel::Money;
use maud::{Markup, PreEscaped, html};
use payments::Payment;
use payments::api::{WritePayments, WriteRefunds};
use web::Caller;
use web::html::{self as h, Field};

/// A form: its name (also its path), what opens it, its heading, and what it looks like.
pub(super) struct Form {
    pub name: &'static str,
    pub label: String,
    pub title: &'static str,
    pub body: fn(&Shown, &Typed) -> Markup,
}

/// The forms that are legal now, for this reader.
pub(super) fn legal(s: &Shown, caller: &Caller) -> Vec<Form> {
    let mut all = Vec::new();
    let mut add = |may: bool, name, label: &str, title, body| {
        if may {
            all.push(Form { name, label: label.to_owned(), title, body });
        }
    };
    let writes = caller.may::<WriteOrders>();
    let o = &s.order;
    let open = o.units > o.units_cancelled + o.units_shipped;
    let held = s.holds.iter().any(|h| h.kind == HoldKind::Manual.as_str());
    let can_cancel = s.lines.iter().any(|l| cancellable(l) > 0);
    let unpacked = s.lines.iter().all(|l| l.packed == 0);
    let (captures, refunds) = (caller.may::<WritePayments>(), caller.may::<WriteRefunds>());
    add(writes && open && !held, "hold", "Hold …", "Hold this order", hold);
    add(writes && can_cancel, "cancel", "Cancel units …", "Cancel units", cancel);
    add(captures && s.payments.iter().any(takes), "capture", "Capture …", "Capture a payment", capture);
    add(captures && s.payments.iter().any(awaited), "received", "Money arrived …", "Money arrived", received);
    add(refunds && s.refundable() > 0, "refund", "Refund …", "Refund", refund);
    add(writes && open && unpacked, "address", "Change address …", "Change the delivery address", address);
    add(writes, "contact", "Change contact …", "How the customer is reached", contact);
    add(writes, "tag", "Tags …", "Tags of this order", tag);
    all
}

fn takes(p: &Payment) -> bool {
    p.gateway != payments::internal::MANUAL && p.capturable() > 0
}

fn awaited(p: &Payment) -> bool {
    p.gateway == payments::internal::MANUAL && p.captured < p.amount && p.voided == 0
}

/// A form that is sent to the order: its fields, and its button.
fn sent(s: &Shown, t: &Typed, name: &str, fields: Markup, button: &str, kind: &str) -> Markup {
    html! {
        form.action method="post" action={ "/orders/" (s.order.id) "/" (name) } {
            (t.once())
            (t.general())
            (fields)
            div.form-buttons { button class={ "btn btn-" (kind) } type="submit" { (button) } }
        }
    }
}

/// A form beside others of the page: the ids of its fields get a prefix, so that labels and hints stay with their own field. Only ids in
/// attributes begin so: what was typed has its quotes escaped.
pub(super) fn apart(prefix: &str, body: Markup) -> Markup {
    let mut text = body.into_string();
    for attribute in ["id", "for", "aria-describedby"] {
        text = text.replace(&format!("{attribute}=\"field-"), &format!("{attribute}=\"{prefix}-field-"));
    }
    PreEscaped(text.replace("-error field-", &format!("-error {prefix}-field-")))
}

/// The part of a form that says what it comes to, made anew while one types.
fn comes_to(s: &Shown, name: &str) -> Markup {
    html! {
        div.comes-to aria-live="polite" hx-post={ "/orders/" (s.order.id) "/" (name) "/preview" } hx-include="closest form"
            hx-trigger="focusin from:'closest form' once, input from:'closest form' delay:250ms" hx-swap="innerHTML" {
            p.text-secondary { "What it comes to is shown here." }
        }
    }
}

fn reason(t: &Typed, hint: &str) -> Markup {
    h::field(&Field {
        label: "Why",
        name: "reason",
        value: t.get("reason"),
        error: t.error("reason"),
        required: true,
        hint,
        ..Field::default()
    })
}

fn hold(s: &Shown, t: &Typed) -> Markup {
    let kinds = [HoldKind::Manual, HoldKind::CustomerRequest, HoldKind::AddressInvalid, HoldKind::OutOfStock];
    let options: Vec<(&str, &str)> = kinds.iter().map(|k| (k.as_str(), hold_words(k.as_str()))).collect();
    let fields = html! {
        p { "Nothing of it is released to the warehouse until the hold is gone. No money moves." }
        (h::select("Kind", "kind", &options, t.or("kind", "manual")))
        (reason(t, "Colleagues read it on the order."))
    };
    sent(s, t, "hold", fields, "Hold", "primary")
}

fn unit_fields(
    t: &Typed,
    lines: &[LineRow],
    most: fn(&LineRow) -> i64,
    first: fn(&LineRow) -> i64,
) -> Markup {
    html! {
        @for line in lines.iter().filter(|l| most(l) > 0) {
            @let name = format!("units-{}", line.id);
            @let first = first(line).to_string();
            (h::field(&Field {
                label: &format!("{} · {}", line.sku, line.title), name: &name, kind: "number", value: t.or(&name, &first), error: t.error(&name),
                unit: &format!("of {}", most(line)), ..Field::default()
            }))
        }
    }
}

fn cancel(s: &Shown, t: &Typed) -> Markup {
    let back = t.values.is_empty() || !t.get("refund").is_empty();
    let fields = html! {
        (unit_fields(t, &s.lines, cancellable, cancellable))
        (h::checkbox("Pay back what was captured for them", "refund", "yes", back, "Without it the order stays paid too much."))
        (reason(t, "It stands in the timeline, and on the refund."))
        (comes_to(s, "cancel"))
    };
    sent(s, t, "cancel", fields, "Cancel these units", "danger")
}

fn tender(p: &Payment, amount: i64) -> String {
    format!("{} by {} · {}", p.gateway, p.method.replace('_', " "), Money::new(amount, p.currency))
}

fn capture(s: &Shown, t: &Typed) -> Markup {
    let options: Vec<(String, String)> = s
        .payments
        .iter()
        .filter(|p| takes(p))
        .map(|p| (p.id.to_string(), tender(p, p.capturable())))
        .collect();
    let fields = html! {
        p { "What ships is captured by itself. Capture by hand when the authorisation would run out before." }
        (pick("Payment", "payment", &options, t))
        (h::money_field(&Field { label: "Amount", name: "amount", value: t.get("amount"), error: t.error("amount"), hint: "Empty: all that can be captured.", ..Field::default() }, s.order.currency))
    };
    sent(s, t, "capture", fields, "Capture", "primary")
}

fn pick(label: &str, name: &str, options: &[(String, String)], t: &Typed) -> Markup {
    let shown: Vec<(&str, &str)> = options.iter().map(|(v, l)| (v.as_str(), l.as_str())).collect();
    let error = t.error(name);
    h::select_field(&h::Select {
        label,
        name,
        options: &shown,
        chosen: t.get(name),
        error,
        ..h::Select::default()
    })
}

fn received(s: &Shown, t: &Typed) -> Markup {
    let options: Vec<(String, String)> = s
        .payments
        .iter()
        .filter(|p| awaited(p))
        .map(|p| (p.id.to_string(), tender(p, p.amount - p.captured)))
        .collect();
    let fields = html! {
        (pick("Payment", "payment", &options, t))
        (h::money_field(&Field { label: "Amount", name: "amount", value: t.get("amount"), error: t.error("amount"), hint: "Empty: all that is open.", ..Field::default() }, s.order.currency))
        (h::field(&Field { label: "Reference", name: "reference", value: t.get("reference"), error: t.error("reference"), required: true, hint: "Of the bank statement or the cash book: it is counted once.", ..Field::default() }))
    };
    sent(s, t, "received", fields, "It arrived", "primary")
}

fn refund(s: &Shown, t: &Typed) -> Markup {
    let fields = html! {
        p.text-secondary { "Units that come back are refunded with their return. Here is for what does not: units that were not worth sending back, or goodwill." }
        (unit_fields(t, &s.lines, |l| l.shipped - l.returned, |_| 0))
        @if s.order.shipping > 0 {
            (h::money_field(&Field { label: "Shipping, with its tax", name: "shipping", value: t.get("shipping"), error: t.error("shipping"),
                hint: "Empty: the share of the units above. 0 leaves it out.", ..Field::default() }, s.order.currency))
        }
        (h::money_field(&Field { label: "And an amount", name: "amount", value: t.get("amount"), error: t.error("amount"), ..Field::default() }, s.order.currency))
        (h::select("Pay it", "to", &[("tenders", "Back the way it was paid"), ("store_credit", "As store credit")], t.or("to", "tenders")))
        (reason(t, "The customer reads it in the e-mail."))
        (comes_to(s, "refund"))
    };
    sent(s, t, "refund", fields, "Refund", "primary")
}

fn tag(s: &Shown, t: &Typed) -> Markup {
    let fields = h::field(&Field {
        label: "Tag",
        name: "tag",
        value: t.get("tag"),
        error: t.error("tag"),
        required: true,
        ..Field::default()
    });
    let tags: Vec<String> = serde_json::from_str(&s.order.tags).unwrap_or_default();
    let off = format!("/orders/{}/untag", s.order.id);
    html! {
        (sent(s, t, "tag", fields, "Tag", "primary"))
        @if !tags.is_empty() {
            p.text-secondary { "Tags it has:" }
            div.button-row { @for tag in &tags { (h::button(&off, &format!("Take “{tag}” off"), "secondary", &[("tag", tag)])) } }
        }
    }
}

fn address(s: &Shown, t: &Typed) -> Markup {
    let fields = html! {
        p { "Stock and tax stay as they were promised. Another country needs another order." }
        (address_fields(&s.ship_to, t))
    };
    sent(s, t, "address", fields, "Change", "primary")
}

fn contact(s: &Shown, t: &Typed) -> Markup {
    let (email, phone) = (s.order.email.as_deref(), s.order.phone.as_deref());
    let fields = html! {
        p { "News of this order go there from now on. The customer's own page stays as it is." }
        (h::field(&Field {
            label: "E-mail",
            name: "email",
            kind: "email",
            value: t.or("email", email.unwrap_or_default()),
            error: t.error("email"),
            ..Field::default()
        }))
        (h::field(&Field {
            label: "Phone",
            name: "phone",
            kind: "tel",
            value: t.or("phone", phone.unwrap_or_default()),
            error: t.error("phone"),
            ..Field::default()
        }))
    };
    sent(s, t, "contact", fields, "Change", "primary")
}

/// The fields of an address, as typed or as it is.
pub(super) fn address_fields(a: &Address, t: &Typed) -> Markup {
    let none = String::new();
    let of = |o: &Option<String>| o.clone().unwrap_or_default();
    let (company, line2, region, postal_code) =
        (of(&a.company), of(&a.line2), of(&a.region), of(&a.postal_code));
    let field = |label: &str, name: &str, first: &str, required: bool, autocomplete: &str| {
        let (value, error) = (t.or(name, first), t.error(name));
        h::field(&Field { label, name, value, error, required, autocomplete, ..Field::default() })
    };
    html! {
        (h::fields([field("Name", "name", &a.name, true, "off"), field("Company", "company", &company, false, "off")]))
        (h::fields([field("Street and number", "line1", &a.line1, true, "off"), field("Flat, floor, building", "line2", &line2, false, "off")]))
        (h::fields([field("Postal code", "postal_code", &postal_code, false, "off"), field("City", "city", &a.city, false, "off")]))
        (h::fields([field("State or province", "region", &region, false, "off"), field("Country, by name or code", "country", if a.country.is_empty() { &none } else { &a.country }, true, "off")]))
    }
}

/// The address of a form.
pub(super) fn address_of(fields: &super::common::Fields) -> Address {
    use super::common::{given, some};
    let text = |name: &str| given(fields, name).to_owned();
    Address {
        name: text("name"),
        company: some(given(fields, "company")),
        line1: text("line1"),
        line2: some(given(fields, "line2")),
        city: text("city"),
        region: some(given(fields, "region")),
        postal_code: some(given(fields, "postal_code")),
        country: country_of(fields),
        ..Address::default()
    }
}

/// The country of a form by its code, which may have been typed as a code or by its name. What is neither stays what it is.
pub(super) fn country_of(fields: &super::common::Fields) -> String {
    let typed = super::common::given(fields, "country");
    contact::country::code(typed).map_or_else(|| typed.to_uppercase(), str::to_owned)
}

/// A form for a note.
pub(super) fn note(s: &Shown, t: &Typed) -> Markup {
    let fields = h::field(&Field {
        label: "Note for colleagues",
        name: "text",
        kind: "textarea",
        value: t.get("text"),
        error: t.error("text"),
        required: true,
        ..Field::default()
    });
    sent(s, t, "note", fields, "Add note", "secondary")
}

/// What a hold is, and the way out of it.
pub(super) fn hold_note(s: &Shown, kind: &str, reason: &str, caller: &Caller) -> Markup {
    let id = s.order.id;
    let review = kind == HoldKind::RiskReview.as_str();
    let owed = due(&s.order);
    h::note(
        "warning",
        html! {
            strong { (hold_words(kind)) } @if !reason.is_empty() { ": " bdi { (reason) } } " "
            @if review && caller.may::<ReviewOrders>() {
                a.btn.btn-sm href={ "/review/" (id) "?kind=risk_review" } { "Review it" }
            } @else if !review && caller.may::<WriteOrders>() {
                @if kind == HoldKind::PaymentDue.as_str() && owed > 0 { "· " (h::amount(owed, s.order.currency)) " are due. " }
                form.d-inline method="post" action={ "/orders/" (id) "/release" } {
                    (web::once())
                    input type="hidden" name="kind" value=(kind);
                    button.btn.btn-sm type="submit" { "Release this hold" }
                }
            }
        },
    )
}
