//! The parts of the style page that have many of something: views, figures, and a thousand rows.

use super::{Coins, LONG, RTL};
use crate::html::{self as h, Bulk, Chart, Col, Row, Series, Sort, Stat, Tab, Table, Toggle, Tone};
use maud::{Markup, html};

const ROWS: i64 = 1000;
const DAYS: &[&str] = &["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const THIS_WEEK: &[f64] = &[12.0, 19.0, 14.0, 23.0, 31.0, 8.0, 5.0];
const LAST_WEEK: &[f64] = &[9.0, 15.0, 17.0, 20.0, 24.0, 11.0, 6.0];

pub(super) fn views() -> Markup {
    let tab = |title, count, here| Tab { title, href: "/design", here, count };
    h::tabs(
        "Views",
        &[
            tab("All", None, true),
            tab("To release", Some(31), false),
            tab("On hold", Some(4), false),
            tab("Late", Some(0), false),
            tab(LONG, None, false),
        ],
    )
}

pub(super) fn figures() -> Markup {
    let chart = |title| Chart {
        title,
        labels: DAYS,
        series: &[
            Series { name: "This week", values: THIS_WEEK },
            Series { name: "Last week", values: LAST_WEEK },
        ],
        shown: |v| format!("{v:.0}"),
    };
    html! {
        (h::stats(&[
            Stat { label: "Orders today", value: "31", detail: "7 more than last Friday", trend: THIS_WEEK, href: "/orders", tone: Tone::Info },
            Stat { label: "Revenue", value: "12 345.678 KWD", detail: "", trend: LAST_WEEK, ..Stat::default() },
            Stat { label: "Late", value: "4", detail: "The oldest since Tuesday", tone: Tone::Bad, ..Stat::default() },
            Stat { label: "Stock-outs", value: "0", detail: "All there", tone: Tone::Good, ..Stat::default() },
        ]))
        div.charts { (h::bars(&chart("Orders by day"))) (h::lines(&chart("Revenue by day"))) }
        (h::lines(&Chart { title: "Nothing yet", labels: &[], series: &[], shown: |v| format!("{v:.0}") }))
    }
}

pub(super) fn rows(c: Coins) -> Markup {
    let cols = [
        Col::text("Order").sorts("number"),
        Col::text("Customer"),
        Col::text("Fulfilment"),
        Col::text("Payment").minor(),
        Col::number("Units"),
        Col::number("Total").sorts("total"),
    ];
    let rows = (0..ROWS).map(|i| {
        let name = match i % 5 {
            0 => LONG,
            1 => RTL,
            _ => "Ada Lovelace",
        };
        let currency = [c.eur, c.kwd, c.jpy][usize::try_from(i % 3).unwrap_or_default()];
        Row::new([
            html! { "SO-" (1000 + i) },
            h::person(name),
            h::badge(["unfulfilled", "partial", "delivered"][usize::try_from(i % 3).unwrap_or_default()]),
            h::badge(["unpaid", "paid", "disputed"][usize::try_from(i % 3).unwrap_or_default()]),
            html! { (i % 7 + 1) },
            h::amount(i * 1_237 - 400, currency),
        ])
        .href("/design")
        .value(format!("row_{i}"), format!("order SO-{}", 1000 + i))
        .quiet(i % 9 == 8)
    });
    let active = [Toggle { label: "Payment: paid".into(), without: "/design".into() }];
    let more = html! { (h::select("Fulfilment", "fulfilment", &[("", "Any"), ("partial", "Partial")], "")) };
    html! {
        section #rows aria-label="A thousand rows" {
            (h::filter_bar("/design", ("q", "", "Number, name or e-mail"), more, &active))
            (Table::new("A thousand orders", &cols, rows)
                .sorted(Sort { by: "-number", path: "/design", pairs: &[("q", "a")] })
                .bulk(Bulk { action: "/design", name: "ids", buttons: html! { button.btn type="submit" name="do" value="hold" { "Hold" } } })
                .foot([html! { "Sum" }, html! {}, html! {}, html! {}, html! { "3994" }, html! {}])
                .show())
            (h::pages("/design", Some("abc"), true, 1000))
            (h::keys(&[("j", "next"), ("k", "before"), ("x", "tick"), ("o", "open")]))
        }
    }
}
