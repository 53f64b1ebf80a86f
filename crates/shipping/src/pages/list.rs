//! The list of shipments, and handing them over.

use super::{Services, carriers, place, refused, services, state, words};
use crate::board::{self, Ask, Listed, View};
use crate::model::{ShipmentId, Status};
use crate::{ReadShipping, Ship, WriteShipping};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use contact::address::Address;
use kernel::Timestamp;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use web::html::{self as h, Bulk, Col, Icon, Row, Tab, Table, Toggle, Tone};
use web::{App, Caller, Form, Key, May, OrProblem, Paging, Params, Problem, Reply, Screen};

/// Handed over by one click at most.
const MOST: i64 = 1000;

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Query {
    show: String,
    status: String,
    carrier: String,
    search: String,
    cursor: Option<String>,
}

impl Query {
    fn view(&self) -> View {
        View::ALL.into_iter().find(|v| v.as_str() == self.show).unwrap_or_default()
    }
    fn ask(&self, before: Option<ShipmentId>) -> Ask {
        let some = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
        Ask {
            view: self.view(),
            status: self.status.parse().ok(),
            carrier: some(&self.carrier),
            search: some(&self.search),
            before,
        }
    }
    fn address(&self, without: &str) -> String {
        let of = |name: &str, value: &str| if name == without { String::new() } else { value.to_owned() };
        let (status, carrier, search) =
            (of("status", &self.status), of("carrier", &self.carrier), of("search", &self.search));
        h::query(
            "/shipments",
            &[("show", &self.show), ("status", &status), ("carrier", &carrier), ("search", &search)],
        )
    }
}

/// Shows shipments, newest first.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadShipping>,
    Params(q): Params<Query>,
) -> Result<Markup, Problem> {
    list(&app, &caller, &q, None).await
}

async fn list(app: &App, caller: &Caller, q: &Query, told: Option<&Problem>) -> Result<Markup, Problem> {
    let (sql, now) = (app.db.read(), app.db.now());
    let paging = Paging::<ShipmentId>::read(None, q.cursor.as_deref())?;
    let rows = board::page(sql, &q.ask(paging.after), now, paging.fetch()).await?;
    let page = paging.page(rows, |s| s.id);
    let counts = board::counts(sql, now).await?;
    let ready = counts.iter().find(|(v, _)| *v == View::Ready).map_or(0, |(_, n)| *n);
    let carriers = carriers(app).await?;
    let services = services(app).await?;
    // Only where parcels wait for the carrier can they be ticked.
    let may = caller.may::<WriteShipping>() && q.view() == View::Ready;
    let here = q.address("");
    let body = html! {
        @if let Some(problem) = told { (h::alert("danger", problem.detail())) }
        (filters(q, &carriers))
        @if page.data.is_empty() { (nothing(q)) } @else {
            (table(caller, &page.data, &services, now, may, &here))
            (h::pages(&here, page.next_cursor.as_deref(), q.cursor.is_some(), page.data.len()))
        }
    };
    let hrefs = View::ALL.map(|v| h::query("/shipments", &[("show", v.as_str())]));
    let tab = |(v, href): (View, &'_ String)| (v, href.clone());
    let tabs: Vec<(View, String)> = View::ALL.into_iter().zip(&hrefs).map(tab).collect();
    let tabs: Vec<Tab<'_>> = tabs
        .iter()
        .map(|(v, href)| Tab {
            title: v.title(),
            href,
            here: *v == q.view(),
            count: counts.iter().find(|(of, _)| of == v).map(|(_, n)| *n),
        })
        .collect();
    Ok(Screen::new(caller, "Shipments")
        .actions(html! {
            @if may && ready > 0 && !page.data.is_empty() {
                @let label = if q.carrier.is_empty() { "Hand over all".to_owned() } else { format!("Hand over all of {}", carriers.get(&q.carrier).unwrap_or(&q.carrier)) };
                (h::confirm_with("hand-over-all", "/shipments/ship", &label, "primary", HANDED, html! {
                    (web::once())
                    input type="hidden" name="do" value="all";
                    input type="hidden" name="carrier" value=(q.carrier);
                    input type="hidden" name="back" value=(here);
                }))
            }
        })
        .above(h::tabs("Views", &tabs))
        .live("queue:shipments")
        .show(body))
}

fn filters(q: &Query, carriers: &std::collections::BTreeMap<String, String>) -> Markup {
    let statuses: Vec<(&str, &str)> =
        std::iter::once(("", "Any")).chain(Status::ALL.into_iter().map(|s| (s.as_str(), words(s)))).collect();
    let by: Vec<(&str, &str)> =
        std::iter::once(("", "Any")).chain(carriers.iter().map(|(c, n)| (c.as_str(), n.as_str()))).collect();
    let mut active = Vec::new();
    for (name, label, value, shown) in
        [("status", "Status", &q.status, &statuses), ("carrier", "Carrier", &q.carrier, &by)]
    {
        if !value.is_empty() {
            let shown =
                shown.iter().find(|(code, _)| code == value).map_or(value.as_str(), |(_, name)| *name);
            active.push(Toggle { label: format!("{label}: {shown}"), without: q.address(name) });
        }
    }
    let more = html! {
        input type="hidden" name="show" value=(q.show);
        (h::select("Status", "status", &statuses, &q.status))
        (h::select("Carrier", "carrier", &by, &q.carrier))
    };
    h::filter_bar("/shipments", ("search", &q.search, "Tracking number, order"), more, &active)
}

fn nothing(q: &Query) -> Markup {
    match q.view() {
        View::Ready if q.search.is_empty() => h::empty_with(
            Icon::TruckDelivery,
            "Nothing waits for the carrier",
            "Parcels appear here when they have a label.",
            h::link("/pack", "To the pack station", "primary", ""),
        ),
        View::Late | View::Trouble => {
            h::empty_with(Icon::CircleCheck, "Nothing here", "Every parcel is where it should be.", html! {})
        }
        _ => h::empty_with(
            Icon::Package,
            "No shipments here",
            "Change the filters, or pack something.",
            html! {},
        ),
    }
}

/// What handing over means, asked before it is done.
const HANDED: &str = "The parcels have left the house then: stock and sale are booked, payments are captured, and the customers are told. It cannot be undone.";

fn table(
    caller: &Caller,
    rows: &[Listed],
    services: &Services,
    now: Timestamp,
    may: bool,
    here: &str,
) -> Markup {
    let cols = [
        Col::text("Tracking number"),
        Col::text("Order"),
        Col::text("For"),
        Col::text("To"),
        Col::text("Service"),
        Col::text("Status"),
        Col::text("Promised"),
        Col::text("Left"),
    ];
    let rows: Vec<Row> = rows.iter().map(|s| row(caller, s, services, now, may)).collect();
    let table = Table::new("Shipments", &cols, rows);
    match may {
        false => table.show(),
        true => {
            let buttons = html! {
                (web::once())
                input type="hidden" name="back" value=(here);
                (h::opens("hand-over", "Hand over", "primary"))
            };
            html! {
                (table.bulk(Bulk { action: "/shipments/ship", name: "ids", buttons }).show())
                (h::ask_first("hand-over", "bulk-ids", "ticked", "Hand over", "primary", HANDED))
            }
        }
    }
}

fn row(caller: &Caller, s: &Listed, services: &Services, now: Timestamp, may: bool) -> Row {
    let to: Address = serde_json::from_str(&s.ship_to).unwrap_or_default();
    let cells = [
        html! { span.text-nowrap { @if s.status == Status::Draft { "Being bought" } @else { (s.tracking_number) } } },
        html! { @if caller.scopes.allow("orders:read") { a href={ "/orders/" (s.order_id) } { (s.order_number) } } @else { (s.order_number) } },
        html! { bdi { (s.name) } },
        html! { bdi { (place(&to)) } },
        html! { bdi.text-nowrap { (services.name(&s.carrier, &s.service)) } },
        html! { (state(s.status)) @if s.late(now) { " " (h::tag("Late", Tone::Bad)) } },
        html! { @match s.promised_at { Some(at) => span.text-nowrap { (h::day(&at.day())) }, None => (h::none()) } },
        html! { @match s.shipped_at { Some(at) => (h::time(at)), None => (h::none()) } },
    ];
    let row = Row::new(cells)
        .href(format!("/shipments/{}", s.id))
        .quiet(matches!(s.status, Status::Voided))
        .id(s.id.to_string());
    match may && s.status == Status::LabelPurchased {
        true => row.value(s.id.to_string(), format!("parcel {}", s.tracking_number)),
        false => row,
    }
}

/// What was ticked, or all that waits.
#[derive(Deserialize, Serialize, Default)]
#[serde(default)]
pub(super) struct Sent {
    once: String,
    r#do: String,
    ids: Vec<ShipmentId>,
    carrier: String,
    back: String,
}

/// Hands parcels over to the carrier.
pub(super) async fn ship(
    State(app): State<App>,
    caller: May<WriteShipping>,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let ids: Vec<ShipmentId> = match sent.r#do.as_str() {
        "all" => {
            let carrier = (!sent.carrier.is_empty()).then(|| sent.carrier.clone());
            let status = Some(Status::LabelPurchased);
            let ask = Ask { view: View::Ready, status, carrier, ..Ask::default() };
            board::page(app.db.read(), &ask, app.db.now(), MOST).await?.into_iter().map(|s| s.id).collect()
        }
        _ => sent.ids.clone(),
    };
    let key = Key::once(&sent.once, "/shipments/ship");
    let done = web::submit!(app, caller, key, "shipping.ship_page", &sent, |tx| {
        let items: Vec<Ship> = ids.iter().map(|id| Ship { at: tx.now(), shipment: *id }).collect();
        // All or none: a list that is stale is shown anew, with what stands against it.
        for outcome in crate::ship(tx, &items).await? {
            outcome.or_problem()?;
        }
        Ok(Reply::empty())
    });
    let back = if sent.back.starts_with("/shipments") { sent.back.as_str() } else { "/shipments" };
    match refused(done)? {
        Ok(_) => {
            let parcels =
                if ids.len() == 1 { "1 parcel".to_owned() } else { format!("{} parcels", ids.len()) };
            Ok(web::done(format!("{parcels} handed over")).to(back))
        }
        Err(problem) => {
            let q = Query { show: View::Ready.as_str().into(), ..Query::default() };
            let page = list(&app, &caller, &q, Some(&problem)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}
