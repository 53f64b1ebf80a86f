//! One row of the order file to its fields, and the rows of an order to one head. Invariant: an empty field of a
//! later row means "as before"; a different value is a conflict that names the column and both lines.

use iso_currency::Currency;

use super::{CsvLine, Head, Priority};
use crate::decimal::{parse_scaled, parse_whole};
use crate::sheet::Row;

/// What one row says of its order: `None` is silence.
#[derive(Debug, Clone, Default)]
pub(super) struct PartialHead {
    placed_at: Option<i64>,
    email: Option<String>,
    phone: Option<String>,
    name: Option<String>,
    company: Option<String>,
    line1: Option<String>,
    line2: Option<String>,
    city: Option<String>,
    region: Option<String>,
    postal_code: Option<String>,
    country: Option<String>,
    currency: Option<String>,
    tax_inclusive: Option<bool>,
    shipping: Option<i64>,
    order_discount: Option<i64>,
    paid_amount: Option<i64>,
    payment_method: Option<String>,
    gift_note: Option<String>,
    priority: Option<Priority>,
    tags: Option<Vec<String>>,
}

const MOST_UNITS: i64 = 1_000_000;
const MOST_MONEY: i64 = 1_000_000_000_000;

pub(super) fn read_row(row: &Row<'_>) -> Result<(PartialHead, CsvLine), String> {
    let currency = row.need("currency")?;
    let known = Currency::from_code(currency).ok_or_else(|| format!("unknown currency {currency:?}"))?;
    let decimals = usize::from(known.exponent().unwrap_or(0));
    let money = |column: &str| read_money(row, column, decimals);
    let text = |column: &str| Some(row.get(column).to_owned()).filter(|text| !text.is_empty());
    let head = PartialHead {
        placed_at: read_time(row.get("placed_at"))?,
        email: text("email"),
        phone: text("phone"),
        name: text("name"),
        company: text("company"),
        line1: text("line1"),
        line2: text("line2"),
        city: text("city"),
        region: text("region"),
        postal_code: text("postal_code"),
        country: read_country(row.get("country"))?,
        currency: Some(currency.to_owned()),
        tax_inclusive: read_bool(row.get("tax_inclusive"))?,
        shipping: money("shipping")?,
        order_discount: money("order_discount")?,
        paid_amount: money("paid_amount")?,
        payment_method: text("payment_method"),
        gift_note: text("gift_note"),
        priority: read_priority(row.get("priority"))?,
        tags: read_tags(row.get("tags")),
    };
    let sku = row.need("sku")?.to_owned();
    let quantity = parse_whole(row.need("quantity")?).map_err(|reason| format!("quantity {reason}"))?;
    if !(1..=MOST_UNITS).contains(&quantity) {
        return Err(format!("quantity {quantity} is not from 1 to {MOST_UNITS}"));
    }
    let unit_price = money("unit_price")?.ok_or("unit_price is empty")?;
    let amount = unit_price * quantity;
    if amount > MOST_MONEY {
        return Err("quantity × unit_price is out of range".to_owned());
    }
    let discount = money("line_discount")?.unwrap_or(0);
    if discount > amount {
        return Err("line_discount is more than quantity × unit_price".to_owned());
    }
    let tax_ppm = read_percent(row.get("tax_rate"))?;
    let reference = text("line_reference");
    Ok((head, CsvLine { line: row.line, sku, quantity, unit_price, discount, tax_ppm, reference }))
}

fn read_money(row: &Row<'_>, column: &str, decimals: usize) -> Result<Option<i64>, String> {
    match row.get(column) {
        "" => Ok(None),
        text => match parse_scaled(text, decimals).map_err(|reason| format!("{column} {reason}"))? {
            value if (0..=MOST_MONEY).contains(&value) => Ok(Some(value)),
            _ => Err(format!("{column} {text:?} is out of range")),
        },
    }
}

fn read_time(text: &str) -> Result<Option<i64>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let time = chrono::DateTime::parse_from_rfc3339(text);
    time.map(|time| Some(time.timestamp_micros()))
        .map_err(|_| format!("placed_at {text:?} is not a time like 2026-03-01T09:30:00Z"))
}

fn read_country(text: &str) -> Result<Option<String>, String> {
    match text.as_bytes() {
        [] => Ok(None),
        [a, b] if a.is_ascii_uppercase() && b.is_ascii_uppercase() => Ok(Some(text.to_owned())),
        _ => Err(format!("country {text:?} is not an ISO code of two capital letters")),
    }
}

fn read_bool(text: &str) -> Result<Option<bool>, String> {
    match text {
        "" => Ok(None),
        "true" => Ok(Some(true)),
        "false" => Ok(Some(false)),
        other => Err(format!("tax_inclusive {other:?} is neither true nor false")),
    }
}

fn read_priority(text: &str) -> Result<Option<Priority>, String> {
    match text {
        "" => Ok(None),
        "standard" => Ok(Some(Priority::Standard)),
        "express" => Ok(Some(Priority::Express)),
        other => Err(format!("priority {other:?} is neither standard nor express")),
    }
}

fn read_tags(text: &str) -> Option<Vec<String>> {
    let mut tags: Vec<String> =
        text.split('|').map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned).collect();
    tags.sort();
    tags.dedup();
    Some(tags).filter(|tags| !tags.is_empty())
}

/// Percent to parts per million: `8.875` → 88,750.
fn read_percent(text: &str) -> Result<Option<i64>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    match parse_scaled(text, 4).map_err(|reason| format!("tax_rate {reason}"))? {
        ppm if (0..=1_000_000).contains(&ppm) => Ok(Some(ppm)),
        _ => Err(format!("tax_rate {text:?} is not from 0 to 100 percent")),
    }
}

/// One head from all rows of an order.
pub(super) fn merge(heads: &[(u64, &PartialHead)]) -> Result<Head, String> {
    Ok(Head {
        placed_at: agree(heads, "placed_at", |head| &head.placed_at)?,
        email: agree(heads, "email", |head| &head.email)?,
        phone: agree(heads, "phone", |head| &head.phone)?,
        name: agree(heads, "name", |head| &head.name)?,
        company: agree(heads, "company", |head| &head.company)?,
        line1: agree(heads, "line1", |head| &head.line1)?,
        line2: agree(heads, "line2", |head| &head.line2)?,
        city: agree(heads, "city", |head| &head.city)?,
        region: agree(heads, "region", |head| &head.region)?,
        postal_code: agree(heads, "postal_code", |head| &head.postal_code)?,
        country: agree(heads, "country", |head| &head.country)?,
        currency: agree(heads, "currency", |head| &head.currency)?.unwrap_or_default(),
        tax_inclusive: agree(heads, "tax_inclusive", |head| &head.tax_inclusive)?.unwrap_or(false),
        shipping: agree(heads, "shipping", |head| &head.shipping)?.unwrap_or(0),
        order_discount: agree(heads, "order_discount", |head| &head.order_discount)?.unwrap_or(0),
        paid_amount: agree(heads, "paid_amount", |head| &head.paid_amount)?,
        payment_method: agree(heads, "payment_method", |head| &head.payment_method)?,
        gift_note: agree(heads, "gift_note", |head| &head.gift_note)?,
        priority: agree(heads, "priority", |head| &head.priority)?.unwrap_or_default(),
        tags: agree(heads, "tags", |head| &head.tags)?.unwrap_or_default(),
    })
}

fn agree<T: Clone + PartialEq>(
    heads: &[(u64, &PartialHead)],
    column: &str,
    field: fn(&PartialHead) -> &Option<T>,
) -> Result<Option<T>, String> {
    let mut said: Option<(u64, &T)> = None;
    for &(line, head) in heads {
        match (said, field(head)) {
            (None, Some(value)) => said = Some((line, value)),
            (Some((first, before)), Some(value)) if before != value => {
                return Err(format!("{column} differs between line {first} and line {line} of the order"));
            }
            _ => {}
        }
    }
    Ok(said.map(|(_, value)| value.clone()))
}
