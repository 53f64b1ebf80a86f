//! What labels and invoices say. The paper itself is made by the crate `documents`.
//!
//! Invariants: every figure on an invoice is one the order keeps; the label carries exactly the shipment's tracking number.

use crate::model::{Shipment, ShipmentId};
use crate::quote::bound;
use contact::address::{self, Address};
use db::{FromRow, Sql};
use documents::Paper;
use documents::invoice::{AmountRow, Invoice, InvoiceLine};
use documents::label::Label;
use kernel::money::decimal;
use kernel::{Currency, Fault};
use orders::read::{lines_of, orders_by_id};
use orders::{LineRow, OrderId, OrderRow};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Who sells, as invoices print it: the setting `merchant`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Merchant {
    /// Name and address, a line each; the name first.
    pub lines: Vec<String>,
    /// Tax or VAT number.
    pub tax_id: String,
    /// Printed under the sums.
    pub invoice_note: String,
}

/// The setting that holds [`Merchant`].
pub const MERCHANT_SETTING: &str = "merchant";

/// The lines of an address, with its country when the parcel comes from another one.
pub fn lines(address: &Address, other_country: bool) -> Vec<String> {
    let mut lines = address::lines(address);
    if other_country && let Some(name) = contact::country::name(&address.country) {
        lines.push(name.to_uppercase());
    }
    lines
}

#[derive(FromRow)]
struct Piece {
    location: String,
    service: Option<String>,
    place: i64,
    parcels: i64,
}

/// The label of a shipment; `None` when there is no such shipment, or none with a label.
///
/// # Errors
/// A fault of the database.
pub async fn label(sql: &Sql, id: ShipmentId) -> Result<Option<Label>, Fault> {
    let found = crate::read::shipments_by_id(sql, &[id]).await?.remove(&id);
    let Some(s) = found.filter(|s: &Shipment| s.status != crate::Status::Draft) else { return Ok(None) };
    let bound = bound(sql, [s.parcel_id]).await?.remove(&s.parcel_id);
    let Some(parcel) = bound.map(|b| b.consignment) else { return Ok(None) };
    let text = "SELECT l.name AS location, (SELECT r.name FROM rate_card r WHERE r.carrier = $2 AND r.service = $3 AND r.origin_country = l.country) AS service, \
         (SELECT COUNT(*) FROM parcel q WHERE q.order_id = p.order_id AND q.unpacked_at IS NULL AND q.id <= p.id) AS place, \
         (SELECT COUNT(*) FROM parcel q WHERE q.order_id = p.order_id AND q.unpacked_at IS NULL) AS parcels \
         FROM parcel p JOIN location l ON l.id = p.location_id WHERE p.id = $1";
    let params = [s.parcel_id.into(), s.carrier.as_str().into(), s.service.as_str().into()];
    let Some(piece) = sql.one::<Piece>(text, params).await? else { return Ok(None) };
    let abroad = parcel.from.country != parcel.to.country;
    let mut from = lines(&parcel.from, abroad);
    if !from.contains(&piece.location) {
        from.insert(0, piece.location);
    }
    Ok(Some(Label {
        from,
        to: lines(&parcel.to, abroad),
        carrier: s.carrier,
        service: piece.service.unwrap_or(s.service),
        tracking_number: s.tracking_number,
        weight_text: format!("{} kg", decimal(parcel.weight_g, 3)),
        reference: parcel.reference,
        piece: format!("{} of {}", piece.place, piece.parcels.max(piece.place)),
        country_code: parcel.to.country,
        ship_date: s.label_at.day(),
    }))
}

/// The invoice of an order; `None` when there is no such order. Its number is the order's: an order has one invoice.
///
/// # Errors
/// A fault of the database.
pub async fn invoice(sql: &Sql, id: OrderId) -> Result<Option<Invoice>, Fault> {
    let Some(order) = orders_by_id(sql, &[id]).await?.remove(&id) else { return Ok(None) };
    let rows = lines_of(sql, &[id]).await?.remove(&id).unwrap_or_default();
    let merchant: Merchant = db::settings::get(sql, MERCHANT_SETTING).await?.unwrap_or_default();
    let bill_to: Address = serde_json::from_str(&order.bill_to)?;
    let ship_to: Address = serde_json::from_str(&order.ship_to)?;
    let america = ["US", "CA"].contains(&bill_to.country.as_str());
    Ok(Some(Invoice {
        paper: if america { Paper::Letter } else { Paper::A4 },
        merchant: merchant.lines,
        merchant_tax_id: merchant.tax_id,
        bill_to: lines(&bill_to, true),
        ship_to: lines(&ship_to, true),
        number: format!("INV-{}", order.number),
        order_number: order.number.clone(),
        date: order.placed_at.day(),
        currency: order.currency.to_string(),
        tax_inclusive: order.tax_inclusive,
        lines: rows.iter().map(|l| invoice_line(l, &order)).collect(),
        totals: totals(&order, &rows),
        payments: payments(&order),
        notes: merchant.invoice_note,
    }))
}

fn amount(minor: i64, currency: Currency) -> String {
    decimal(minor, currency.exponent())
}

/// A rate in parts per million as `19 %`.
fn percent(ppm: i64) -> String {
    let text = decimal(ppm, 4);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

fn invoice_line(l: &LineRow, order: &OrderRow) -> InvoiceLine {
    let total = if order.tax_inclusive { l.net + l.tax } else { l.net };
    InvoiceLine {
        sku: l.sku.clone(),
        title: l.title.clone(),
        qty: l.ordered,
        unit_price: amount(l.unit_price, order.currency),
        discount: if l.discount == 0 { String::new() } else { amount(-l.discount, order.currency) },
        tax_rate: percent(l.tax_rate_ppm),
        tax: amount(l.tax, order.currency),
        total: amount(total, order.currency),
    }
}

/// The rows under the table. With prices that contain tax, the tax is named beside the sum and not added to it.
fn totals(order: &OrderRow, lines: &[LineRow]) -> Vec<AmountRow> {
    let mut rows = Vec::new();
    let mut row = |label: String, minor: i64| {
        rows.push(AmountRow { label, amount: amount(minor, order.currency) });
    };
    let mut taxes: BTreeMap<i64, i64> = BTreeMap::new();
    for l in lines {
        *taxes.entry(l.tax_rate_ppm).or_default() += l.tax;
    }
    let inside = order.tax_inclusive;
    let goods: i64 = lines.iter().map(|l| if inside { l.net + l.tax } else { l.net }).sum();
    row("Goods".to_owned(), goods);
    let shipping = order.shipping + if inside { order.shipping_tax } else { 0 };
    if shipping != 0 {
        row("Shipping".to_owned(), shipping);
    }
    if order.fee != 0 {
        row("Fees".to_owned(), order.fee);
    }
    let words = if inside { "Included tax" } else { "Tax" };
    for (rate, tax) in taxes.into_iter().filter(|(_, tax)| *tax != 0) {
        row(format!("{words} {} on goods", percent(rate)), tax);
    }
    if order.shipping_tax != 0 {
        row(format!("{words} on shipping"), order.shipping_tax);
    }
    if order.cancelled_total != 0 {
        row("Cancelled".to_owned(), -order.cancelled_total);
    }
    row("Total".to_owned(), order.total - order.cancelled_total);
    rows
}

fn payments(order: &OrderRow) -> Vec<AmountRow> {
    let row = |label: &str, minor: i64| AmountRow {
        label: label.to_owned(),
        amount: amount(minor, order.currency),
    };
    let mut rows = Vec::new();
    if order.captured != 0 {
        rows.push(row("Paid", order.captured));
    }
    if order.refunded != 0 {
        rows.push(row("Refunded", -order.refunded));
    }
    if order.returned_total != 0 {
        rows.push(row("Credit for returns", -order.returned_total));
    }
    let due = order.total - order.cancelled_total - order.returned_total - (order.captured - order.refunded);
    rows.push(row("Due", due));
    rows
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn rates_read_as_people_write_them() {
        for (ppm, text) in
            [(190_000, "19 %"), (0, "0 %"), (55_000, "5.5 %"), (88_750, "8.875 %"), (1_000_000, "100 %")]
        {
            assert_eq!(percent(ppm), text);
        }
    }
}
