//! Orders as a CSV file. Invariant: no cell begins a formula in a spreadsheet.

use crate::read::OrderRow;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use kernel::Money;

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

/// The file, to be kept.
pub(super) fn file(orders: &[OrderRow]) -> Response {
    let body: String = std::iter::once(HEAD.to_owned()).chain(orders.iter().map(line)).collect();
    let head = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"orders.csv\""),
    ];
    (head, body).into_response()
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
