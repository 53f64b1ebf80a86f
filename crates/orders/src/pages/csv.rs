//! Orders as a CSV file. Invariant: no cell begins a formula in a spreadsheet; all of a list is sent as it is read, a thousand at a time.

use super::list::Query;
use crate::api::ReadOrders;
use crate::read::{self, Cursor, Filter, OrderRow};
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use kernel::{Fault, Money};
use web::{App, May, Params, Problem};

/// Orders read at once.
const PIECE: u64 = 1000;

const HEAD: &str = "number,placed_at,channel,reference,name,email,country,currency,total,captured,refunded,fulfilment_status,payment_status,units,units_backordered,units_shipped,holds,tags\r\n";

fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

fn line(o: &OrderRow) -> String {
    let amount = |minor: i64| Money::new(minor, o.currency).amount().to_string();
    let tags: Vec<String> = serde_json::from_str(&o.tags).unwrap_or_default();
    let texts = [
        cell(&o.number),
        o.placed_at.to_string(),
        cell(&o.channel),
        cell(o.reference.as_deref().unwrap_or_default()),
        cell(&o.name),
        cell(o.email.as_deref().unwrap_or_default()),
        cell(&o.country),
        o.currency.to_string(),
        amount(o.total),
        amount(o.captured),
        amount(o.refunded),
        o.fulfilment_status.clone(),
        o.payment_status.clone(),
        o.units.to_string(),
        o.units_backordered.to_string(),
        o.units_shipped.to_string(),
        o.holds.to_string(),
        cell(&tags.join("; ")),
    ];
    texts.join(",") + "\r\n"
}

fn attached(body: Body) -> Response {
    let head = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"orders.csv\""),
    ];
    (head, body).into_response()
}

/// The file of some orders, to be kept.
pub(super) fn file(orders: &[OrderRow]) -> Response {
    let body: String = std::iter::once(HEAD.to_owned()).chain(orders.iter().map(line)).collect();
    attached(Body::from(body))
}

/// The file of all of a list, in its order.
pub(super) fn all(app: &App, filter: Filter) -> Response {
    let begin = Pieces { app: app.clone(), filter, after: None, begun: false, over: false };
    let pieces = futures_util::stream::try_unfold(begin, |mut pieces| async move {
        let piece = pieces.next().await.map_err(|fault| {
            tracing::error!(%fault, "a list of orders broke off");
            std::io::Error::other("the list broke off")
        })?;
        Ok::<_, std::io::Error>(piece.map(|text| (text, pieces)))
    });
    attached(Body::from_stream(pieces))
}

/// How far a list is sent.
struct Pieces {
    app: App,
    filter: Filter,
    after: Option<Cursor>,
    begun: bool,
    over: bool,
}

impl Pieces {
    async fn next(&mut self) -> Result<Option<String>, Fault> {
        if self.over {
            return Ok(None);
        }
        let orders = read::list(self.app.db.read(), &self.filter, self.after, PIECE).await?;
        self.over = u64::try_from(orders.len())? < PIECE;
        self.after = orders.last().map(|o| Cursor { placed_at: o.placed_at, id: o.id });
        let head = if std::mem::replace(&mut self.begun, true) { "" } else { HEAD };
        Ok(Some(std::iter::once(head.to_owned()).chain(orders.iter().map(line)).collect()))
    }
}

/// The list as a file, for whoever may read it.
pub(super) async fn download(
    State(app): State<App>,
    _: May<ReadOrders>,
    Params(q): Params<Query>,
) -> Result<Response, Problem> {
    let filter = q.filter(&app, &inventory::locations(app.db.read()).await?).await?;
    Ok(all(&app, filter))
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn cells_are_quoted_and_never_formulas() {
        for (text, written) in [
            ("plain", "plain"),
            ("a, \"b\"", "\"a, \"\"b\"\"\""),
            ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
            ("+49 30", "'+49 30"),
            ("", ""),
        ] {
            assert_eq!(cell(text), written);
        }
    }
}
