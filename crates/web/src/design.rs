//! `/design`: every component in its states, with what breaks pages: long names, right-to-left names, three decimals, a thousand rows.

mod lists;

use crate::html::{self as h, Card, Combobox, Field, Icon, Item, Select, Sum, Tone};
use crate::{App, May, Params, Problem, Screen, SignedIn, toast};
use axum::routing::get;
use kernel::{Currency, Money, Timestamp};
use maud::{Markup, html};
use serde::Deserialize;

const LONG: &str = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft & Söhne KG, Zweigstelle";
const RTL: &str = "عبد الرحمن بن محمد الهاشمي";

/// The page.
pub(crate) fn routes() -> axum::Router<App> {
    axum::Router::new().route("/design", get(show))
}

/// Currencies with two decimals, none, and three.
#[derive(Clone, Copy)]
struct Coins {
    eur: Currency,
    jpy: Currency,
    kwd: Currency,
}

impl Coins {
    fn all() -> Result<Self, Problem> {
        let of =
            |code: &str| code.parse::<Currency>().map_err(|e| Problem::invalid("currency", e.to_string()));
        Ok(Self { eur: of("EUR")?, jpy: of("JPY")?, kwd: of("KWD")? })
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Query {
    part: String,
    q: String,
}

async fn show(caller: May<SignedIn>, Params(query): Params<Query>) -> Result<Markup, Problem> {
    if query.part == "options" {
        return Ok(found(&query.q));
    }
    let coins = Coins::all()?;
    let page = Screen::new(&caller, "Design")
        .crumb("Developers", "/docs")
        .beside(h::badge("active"))
        .subtitle(html! { "Every part of a page, in every state it can be in. What a page needs and is not here is missing." })
        .actions(html! { (h::menu("More", MENU)) (h::link("#rows", "Down to the rows", "primary", "n")) })
        .above(lists::views())
        .show(html! {
            (h::card("Statuses and labels", badges()))
            (h::card("Words, amounts, people", words(coins)))
            (h::card("Buttons and menus", buttons()))
            (h::card("Messages", messages()))
            (h::card("Forms", forms(coins)))
            (h::card("Figures and charts", lists::figures()))
            (h::split(h::card("What happened", happened()), h::card("Money", sums(coins))))
            (h::card("Icons", icons()))
            (lists::rows(coins))
        });
    Ok(page)
}

/// What the example of a combobox finds.
fn found(text: &str) -> Markup {
    let known = [
        ("sku_1", "TEA-GREEN-100", "Green tea, 100 g"),
        ("sku_2", "TEA-BLACK-100", "Black tea, 100 g"),
        ("sku_3", "CUP-RED", LONG),
    ];
    let text = text.to_uppercase();
    h::options(known.into_iter().filter(|(_, code, _)| code.contains(text.trim())))
}

const MENU: &[Item<'static>] = &[
    Item::Link("A page", "/design"),
    Item::Post("Something that is sent", "/design", &[]),
    Item::Line,
    Item::Opens("A dialog", "example"),
    Item::Opens("A panel", "example-side"),
];

fn badges() -> Markup {
    html! {
        @for tone in Tone::ALL {
            p { (h::tag(tone.as_str(), tone)) " " @for status in h::statuses(tone) { (h::badge(status)) " " } }
        }
        p { (h::tag(LONG, Tone::Info)) }
    }
}

fn words(c: Coins) -> Markup {
    html! {
        (h::facts([
            ("Euro", h::money(Money::new(123_456, c.eur))),
            ("Many", h::money(Money::new(-1_234_567_890, c.eur))),
            ("Yen", h::money(Money::new(1_234_567, c.jpy))),
            ("Three decimals", h::money(Money::new(12_345_678, c.kwd))),
            ("A moment", h::time(Timestamp(1_780_000_000_000_000))),
            ("A person", h::person("Ada Lovelace")),
            ("Long", h::person(LONG)),
            ("Right to left", h::person(RTL)),
            ("To copy", h::copy("ord_3M8KQW7Z")),
            ("Nothing", html! { "–" }),
        ]))
        (h::progress(312, 1000, "Labels printed"))
        (h::keys(&[("j", "next"), ("g o", "orders")]))
    }
}

fn buttons() -> Markup {
    html! {
        div.button-row {
            @for kind in ["primary", "secondary", "success", "danger", "warning", "link"] { button class={ "btn btn-" (kind) } type="button" { (kind) } }
            button.btn type="button" { "plain" }
            button.btn type="button" disabled { "not now" }
            button.btn.btn-primary.btn-sm type="button" { (h::icon(Icon::Plus)) " small" }
            (h::opens("example", "A dialog", "secondary"))
            (h::opens("example-side", "A panel at the side", "secondary"))
            (h::confirm("example-ask", "/design", "Delete for good", "danger", "The webhook and its 312 deliveries are gone afterwards.", &[]))
            (h::menu("A menu", MENU))
        }
        (h::dialog("example", "A dialog", html! { p { "Escape closes it, and the cursor is where it was." } (h::field(&Field { label: "A field in it", name: "in_dialog", ..Field::default() })) },
            html! { form method="dialog" { button.btn type="submit" { "Cancel" } } button.btn.btn-primary type="button" { "Do it" } }))
        (h::side_panel("example-side", "A panel at the side", happened()))
    }
}

fn messages() -> Markup {
    html! {
        @for kind in ["success", "info", "warning", "danger"] { (h::alert(kind, &format!("A message of the kind “{kind}”, in a sentence that says what to do."))) }
        (h::note("warning", html! { strong { "On hold: " } "the address is not complete. " (h::link("#", "Correct it", "sm", "")) }))
        div.toasts-example { (toast::example()) }
        (h::checks(&[
            h::Check::good("The gateway answered."),
            h::Check::warn("No webhook has come yet.", "Send a test message from the gateway's own pages."),
            h::Check::bad(LONG, "Copy the secret from the gateway's pages and set it here again."),
        ]))
        (h::empty_with(Icon::ShoppingCart, "No orders yet", "Enter one, or connect a channel.", h::link("#", "New order", "primary", "")))
    }
}

fn forms(c: Coins) -> Markup {
    let plain = Field { label: "Name", name: "name", value: "Ada Lovelace", ..Field::default() };
    html! {
        form method="get" action="/design" {
            (h::fields([
                h::field(&plain),
                h::field(&Field { label: "With a hint", name: "hinted", hint: "As it stands on the invoice.", required: true, ..Field::default() }),
                h::field(&Field { label: "With an error", name: "wrong", value: "12,3,4", error: Some("A number such as 12.34."), hint: "Both are read out.", ..Field::default() }),
                h::file_field(&Field { label: "File", name: "file", hint: "At most 2 MiB.", ..Field::default() }, ".csv", false),
                h::money_field(&Field { label: "Amount", name: "amount", value: "1.250", ..Field::default() }, c.kwd),
                h::field(&Field { label: "Date", name: "date", kind: "date", value: "2026-11-27", ..Field::default() }),
                h::field(&Field { label: "Weight", name: "weight", kind: "number", unit: "g", value: "250", ..Field::default() }),
                h::select_field(&Select { label: "Select", name: "select", options: &[("a", "First"), ("b", "Second")], chosen: "b", hint: "One of few.", error: None }),
                h::select_field(&Select { label: "Select with an error", name: "select_wrong", options: &[("", "Choose"), ("b", LONG)], error: Some("Choose one."), ..Select::default() }),
                h::combobox(&Combobox { label: "Looked up while typing", name: "looked_up", source: "/design?part=options", hint: "Arrows and enter choose.", ..Combobox::default() }),
                h::field(&Field { label: "Right to left", name: "rtl", value: RTL, ..Field::default() }),
            ]))
            (h::field(&Field { label: "Text", name: "text", kind: "textarea", value: LONG, ..Field::default() }))
            (h::checkbox("A box to tick", "box", "1", true, "Sends 1 when it is ticked."))
            (h::switch("A switch", "switch", "1", true, ""))
            (h::radio_cards("One of few that need a sentence", "card", &[
                Card { value: "refund", title: "Refund", hint: "The money goes back where it came from.", icon: Icon::Cash },
                Card { value: "credit", title: "Store credit", hint: "At once, and for the next order.", icon: Icon::Gift },
                Card { value: "exchange", title: "Exchange", hint: "Another size or colour; the difference is settled.", icon: Icon::Transfer },
            ], "credit"))
            (h::form_buttons("Save", Some("/design")))
        }
    }
}

fn happened() -> Markup {
    let at = |minutes: i64| Timestamp(1_780_000_000_000_000 + minutes * 60_000_000);
    let moment = |m, title, by, detail: &str, icon, tone| h::Moment {
        at: at(m),
        title,
        by,
        detail: html! { (detail) },
        icon,
        tone,
    };
    h::moments([
        moment(0, "Order placed", "channel Webshop", "2 lines, 49.90 EUR", Icon::ShoppingCart, Tone::Info),
        moment(3, "Payment authorised", "gateway sandbox", "", Icon::CreditCard, Tone::Good),
        moment(9, "On hold", LONG, "The street has no number.", Icon::HandStop, Tone::Warn),
        moment(64, "Note", RTL, LONG, Icon::Note, Tone::Quiet),
    ])
}

fn sums(c: Coins) -> Markup {
    h::breakdown(&[
        Sum::Part("Goods without tax", Money::new(41_933, c.eur)),
        Sum::Part("Discount", Money::new(-500, c.eur)),
        Sum::Part("Shipping", Money::new(490, c.eur)),
        Sum::Part("Tax, 19 %", Money::new(7_967, c.eur)),
        Sum::Total("Total", Money::new(49_890, c.eur)),
        Sum::Part("Captured", Money::new(40_000, c.eur)),
        Sum::Due("Still owed", Money::new(9_890, c.eur)),
    ])
}

fn icons() -> Markup {
    html! { ul.icon-list { @for i in Icon::ALL { li { (h::icon(*i)) " " (i.name()) } } } }
}
