//! The home page: what came in today, what waits for somebody, and thirty days of it; and the lists that explain figures no other page
//! explains. It stands in the lowest slice, because it looks at all of them.
//!
//! Invariant: each figure is one statement over an index that holds what it needs, over the days shown or over what is open. Days are those
//! of the shop's time zone, which is set with its working days.

use crate::today::{Revenue, Today, today};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use db::{FromRow, Rows, Sql};
use kernel::{Currency, Fault, Money, Timestamp};
use maud::{Markup, html};
use orders::api::ReadOrders;
use shipping::dispatch::{Clockwork, day_text};
use shipping::{Dispatch, ReadShipping};
use std::collections::BTreeMap;
use web::html::{self as h, Chart, Col, Icon, Row, Series, Stat, Table, Tone};
use web::{App, Caller, May, Problem, Screen, SignedIn};

/// Days of the charts.
const DAYS: i64 = 30;
/// Currencies that have a tile and a chart of their own.
const TILES: usize = 3;
/// What the orders of today come to.
const VALUE: &str = "Order value today";
/// Rows of a list that explains a figure.
const SHOWN: i64 = 200;

/// Its menu entry.
pub(crate) const MENU: web::MenuItem =
    web::MenuItem { title: "Home", path: "/", scope: "orders:read", group: web::Group::Home, order: 10 };

/// The pages.
pub(crate) fn routes() -> axum::Router<App> {
    axum::Router::new().route("/", get(show)).route("/reports/stock-outs", get(stock_outs))
}

async fn show(State(app): State<App>, caller: May<SignedIn>) -> Result<Response, Problem> {
    if !caller.may::<ReadOrders>() {
        return Ok(web::auth::first(&caller));
    }
    let (sql, now) = (app.db.read(), app.db.now());
    let clock = Dispatch::clock(sql).await?;
    let last = clock.day(now);
    let figures = today(sql, clock.start_of(last), now.plus(1), now).await?;
    let waiting = returns_waiting(sql).await?;
    let past = Past::of(&days(sql, &clock, last).await?, last);
    let base = inventory::base_currency(sql).await?;
    let steps = if past.orders.iter().all(|n| *n == 0.0) {
        set_up(sql, &caller).await?
    } else {
        html! {}
    };
    let body = html! {
        (steps)
        (tiles(&caller, &figures, waiting, &past, (&day_text(last), base)))
        (charts(&past))
    };
    let says = html! { "Figures of today, " (h::day(&day_text(last))) ", and of what waits now." };
    Ok(Screen::new(&caller, "Home").subtitle(says).live("dashboard").show(body).into_response())
}

#[derive(FromRow)]
struct DayRow {
    day: i64,
    currency: Currency,
    orders: i64,
    amount: i64,
}

/// Orders and what they come to by day and currency, until the last day: from the index of orders by time, less what was cancelled.
async fn days(sql: &Sql, clock: &Clockwork, last: i64) -> Result<Vec<DayRow>, Fault> {
    let mut days = Rows::new("day BIGINT, lo BIGINT, hi BIGINT");
    for day in last - DAYS + 1..=last {
        days.push([day.into(), clock.start_of(day).into(), clock.start_of(day + 1).into()]);
    }
    let text = "SELECT day, currency, CAST(SUM(orders) AS BIGINT) AS orders, CAST(SUM(amount) AS BIGINT) AS amount FROM (\
         SELECT input.day, o.currency, COUNT(*) AS orders, SUM(o.total) AS amount FROM input CROSS JOIN orders o \
         WHERE o.placed_at >= input.lo AND o.placed_at < input.hi GROUP BY input.day, o.currency \
         UNION ALL SELECT input.day, o.currency, 0 AS orders, -SUM(o.total) AS amount FROM input CROSS JOIN orders o \
         WHERE o.fulfilment_status = 'cancelled' AND o.placed_at >= input.lo AND o.placed_at < input.hi GROUP BY input.day, o.currency\
         ) AS sold GROUP BY day, currency";
    sql.all_from(&days, text, []).await
}

/// Returns that somebody has to decide, receive, inspect or settle.
async fn returns_waiting(sql: &Sql) -> Result<i64, Fault> {
    let text = "SELECT COUNT(*) FROM return_request WHERE declined_at IS NULL AND settled_at IS NULL";
    Ok(sql.scalar(text, []).await?.unwrap_or(0))
}

/// The last thirty days, the oldest first.
struct Past {
    labels: Vec<String>,
    orders: Vec<f64>,
    /// What orders come to by currency in whole units of it, those with the most orders first.
    revenue: Vec<(Currency, Vec<f64>)>,
}

impl Past {
    fn of(rows: &[DayRow], last: i64) -> Self {
        let days: Vec<i64> = (last - DAYS + 1..=last).collect();
        let at = |day: i64| usize::try_from(day - days[0]).ok().filter(|i| *i < days.len());
        let mut orders = vec![0.0; days.len()];
        let mut revenue: BTreeMap<Currency, (i64, Vec<f64>)> = BTreeMap::new();
        for row in rows {
            let Some(i) = at(row.day) else { continue };
            orders[i] += row.orders as f64;
            let of = revenue.entry(row.currency).or_insert_with(|| (0, vec![0.0; days.len()]));
            of.0 += row.orders;
            of.1[i] += row.amount as f64 / 10_f64.powi(i32::try_from(row.currency.exponent()).unwrap_or(2));
        }
        let mut revenue: Vec<(i64, Currency, Vec<f64>)> =
            revenue.into_iter().map(|(currency, (orders, values))| (orders, currency, values)).collect();
        revenue.sort_by_key(|(orders, ..)| std::cmp::Reverse(*orders));
        Self {
            labels: days.iter().map(|day| h::day_of_year(&day_text(*day))).collect(),
            orders,
            revenue: revenue.into_iter().map(|(_, currency, values)| (currency, values)).collect(),
        }
    }
    fn revenue_of(&self, currency: Currency) -> &[f64] {
        self.revenue.iter().find(|(c, _)| *c == currency).map_or(&[], |(_, values)| values)
    }
}

fn tiles(caller: &Caller, t: &Today, returns: i64, past: &Past, (day, base): (&str, Currency)) -> Markup {
    let (placed, orders) = (format!("/orders?from={day}"), t.orders.to_string());
    let yesterday = past.orders.iter().rev().nth(1).copied().unwrap_or(0.0);
    let compared = format!("{yesterday:.0} yesterday");
    // Those with the most orders by themselves, the others together: none is left out.
    let mut by_orders: Vec<&Revenue> = t.revenue.iter().collect();
    by_orders.sort_by_key(|r| (std::cmp::Reverse(r.orders), r.currency.to_string()));
    let alone = if by_orders.len() <= TILES + 1 { by_orders.len() } else { TILES };
    let revenue: Vec<(String, &[f64])> =
        by_orders[..alone].iter().map(|r| (sum(r), past.revenue_of(r.currency))).collect();
    let others = (
        format!("{} more currencies", by_orders.len() - alone),
        by_orders[alone..].iter().map(|r| sum(r)).collect::<Vec<_>>().join(" · "),
    );
    let sold =
        |value, detail, trend, label| Stat { label, value, detail, trend, href: &placed, tone: Tone::Info };
    let nothing = sum(&Revenue { currency: base, orders: 0, amount: 0 });
    let mut all = vec![sold(orders.as_str(), compared.as_str(), past.orders.as_slice(), "Orders today")];
    if revenue.is_empty() {
        all.push(sold(nothing.as_str(), "Nothing sold yet", past.revenue_of(base), VALUE));
    }
    all.extend(
        revenue.iter().map(|(value, trend)| sold(value, "With tax, without cancelled orders", trend, VALUE)),
    );
    if !others.1.is_empty() {
        all.push(sold(others.0.as_str(), others.1.as_str(), &[], VALUE));
    }
    let held: i64 = t.holds.iter().map(|held| held.orders).sum();
    let kinds: Vec<String> =
        t.holds.iter().map(|held| format!("{} {}", held.orders, held.kind.replace('_', " "))).collect();
    let kinds = kinds.join(", ");
    let waits = [
        ("Holds to work on", held, kinds.as_str(), "/review", Tone::Warn, true),
        (
            "Late shipments",
            t.late_shipments,
            "Past the promised day",
            "/shipments?show=late",
            Tone::Bad,
            caller.may::<ReadShipping>(),
        ),
        ("Stock-outs", t.stock_outs, "SKUs that orders wait for", "/reports/stock-outs", Tone::Bad, true),
        (
            "Returns waiting",
            returns,
            "To decide, receive or settle",
            "/returns",
            Tone::Warn,
            caller.scopes.allow("returns:read"),
        ),
    ];
    let counts: Vec<String> = waits.iter().map(|(_, n, ..)| n.to_string()).collect();
    let waiting = waits.iter().zip(&counts).filter(|((.., may), _)| *may);
    all.extend(waiting.map(|((label, n, detail, href, tone, _), value)| Stat {
        label,
        value,
        detail,
        trend: &[],
        href,
        tone: if *n > 0 { *tone } else { Tone::Good },
    }));
    h::stats(&all)
}

/// What was sold in a currency, as people read it.
fn sum(r: &Revenue) -> String {
    let money = Money::new(r.amount, r.currency);
    format!("{} {}", h::grouped(&money.amount()), r.currency)
}

/// What a shop needs before its first order: nothing once it has one.
async fn set_up(sql: &Sql, caller: &Caller) -> Result<Markup, Fault> {
    let text = "SELECT EXISTS (SELECT 1 FROM orders) AS orders, EXISTS (SELECT 1 FROM location) AS locations, \
                EXISTS (SELECT 1 FROM sku) AS skus, EXISTS (SELECT 1 FROM stock WHERE on_hand > 0) AS stock, \
                EXISTS (SELECT 1 FROM tax_rate) AS taxes, EXISTS (SELECT 1 FROM rate_card) AS rates";
    let Some(has) = sql.one::<Has>(text, []).await?.filter(|has| !has.orders) else { return Ok(html! {}) };
    let steps = [
        (has.locations, "A place where stock lies", "/settings/locations", "inventory:read"),
        (has.skus, "What is sold", "/catalog", "catalog:read"),
        (has.stock, "Units on the shelf", "/stock/receive", "inventory:write"),
        (has.taxes, "Tax rates of the countries you sell to", "/settings/tax", "catalog:read"),
        (has.rates, "What carriers charge", "/settings/carriers", "shipping:read"),
        (false, "The first order: by hand, by file or through the API", "/orders/new", "orders:write"),
    ];
    Ok(h::card(
        "Set the shop up",
        html! {
            p { "There are no orders yet. What is needed before the first, in the order in which it builds on itself:" }
            ol.steps {
                @for (there, says, href, scope) in steps {
                    li {
                        @if caller.scopes.allow(scope) { a href=(href) { (says) } } @else { (says) }
                        " " @if there { (h::tag("there", Tone::Good)) } @else { (h::tag("to do", Tone::Quiet)) }
                    }
                }
            }
        },
    ))
}

#[derive(FromRow)]
struct Has {
    orders: bool,
    locations: bool,
    skus: bool,
    stock: bool,
    taxes: bool,
    rates: bool,
}

fn whole(value: f64) -> String {
    match value {
        v if v >= 1_000_000.0 => format!("{:.1} M", v / 1_000_000.0),
        v if v >= 10_000.0 => format!("{:.0} k", v / 1_000.0),
        // Where an axis ends, and its half.
        v if v >= 1_000.0 && v % 500.0 == 0.0 => format!("{} k", v / 1_000.0),
        v => h::grouped(&format!("{v:.0}")),
    }
}

fn charts(past: &Past) -> Markup {
    let labels: Vec<&str> = past.labels.iter().map(String::as_str).collect();
    let orders = [Series { name: "Orders", values: &past.orders }];
    let titles: Vec<String> = past
        .revenue
        .iter()
        .take(TILES)
        .map(|(c, _)| format!("Order value of the last {DAYS} days, {c}"))
        .collect();
    html! {
        div.charts {
            (h::card("", h::bars(&Chart { title: "Orders of the last 30 days", labels: &labels, series: &orders, shown: whole })))
            @for ((_, values), title) in past.revenue.iter().zip(&titles) {
                (h::card("", h::lines(&Chart { title, labels: &labels, series: &[Series { name: "Order value", values }], shown: whole })))
            }
        }
        @if past.revenue.len() > TILES {
            p.text-secondary {
                "Drawn are the currencies with the most orders. Also sold in "
                (past.revenue[TILES..].iter().map(|(c, _)| c.to_string()).collect::<Vec<_>>().join(", ")) "."
            }
        }
    }
}

#[derive(FromRow)]
struct OutRow {
    code: String,
    title: String,
    units: i64,
    orders: i64,
    since: Timestamp,
}

async fn stock_outs(State(app): State<App>, caller: May<ReadOrders>) -> Result<Markup, Problem> {
    let text = "SELECT s.code, s.title, w.units, w.orders, w.since FROM (SELECT l.sku_id, CAST(SUM(l.backordered) AS BIGINT) AS units, \
         COUNT(DISTINCT l.order_id) AS orders, MIN(l.placed_at) AS since FROM order_line l WHERE l.backordered > 0 GROUP BY l.sku_id) w \
         JOIN sku s ON s.id = w.sku_id ORDER BY w.units DESC, s.code LIMIT $1";
    let rows: Vec<OutRow> = app.db.read().all(text, [SHOWN.into()]).await?;
    let cols = [
        Col::text("SKU"),
        Col::text("Title"),
        Col::number("Units waited for"),
        Col::number("Orders"),
        Col::text("Since"),
    ];
    let many = rows.len();
    let shown = rows.iter().map(|r| {
        let href = h::query("/orders", &[("search", &r.code), ("only", "backordered")]);
        Row::new([
            html! { (r.code) },
            html! { bdi { (r.title) } },
            html! { (r.units) },
            html! { (r.orders) },
            h::time(r.since),
        ])
        .href(href)
    });
    Ok(explained(
        &caller,
        "Stock-outs",
        "SKUs that orders wait for, those with the most units first. A row leads to its orders.",
        many,
        Table::new("Stock-outs", &cols, shown).show(),
    ))
}

fn explained(caller: &Caller, title: &str, says: &str, many: usize, table: Markup) -> Markup {
    Screen::new(caller, title).crumb("Home", "/").subtitle(html! { (says) }).live("dashboard").show(html! {
        @if many == 0 { (h::empty_with(Icon::CircleCheck, "Nothing here", "All is as it should be.", html! { (h::link("/", "Back home", "secondary", "")) })) }
        @else { (table) }
    })
}
