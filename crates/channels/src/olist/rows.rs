//! The rows of orders, items, payments and reviews as read. Invariant: a bad item or payment row marks its whole
//! order as refused, because an order without one of its parts would be another order.

use std::collections::{HashMap, HashSet};

use csv::StringRecord;

use super::files::{ITEMS, ORDERS, PAYMENTS, REVIEWS, ZONE};
use super::orders::{Method, Payment, Review, Status};
use super::script::Times;
use crate::decimal::{parse_scaled, parse_whole};
use crate::local_time::{end_of_day, parse_local};
use crate::sheet::{BadFile, Row, Sheet, read_sheet};

/// A row and what it was read from, for a rejection found later.
pub(super) struct Kept<T> {
    pub(super) line: u64,
    pub(super) record: StringRecord,
    pub(super) value: T,
}

/// Orders one of whose rows was rejected.
#[derive(Default)]
pub(super) struct Refused {
    reasons: HashMap<String, String>,
}

impl Refused {
    pub(super) fn reason(&self, order: &str) -> Option<&str> {
        self.reasons.get(order).map(String::as_str)
    }

    fn mark(&mut self, order: &str, file: &str, line: u64, reason: &str) {
        let text = format!("line {line} of {file} was rejected: {reason}");
        self.reasons.entry(order.to_owned()).or_insert(text);
    }
}

pub(super) struct ItemRow {
    pub(super) order: String,
    pub(super) number: i64,
    pub(super) product: String,
    pub(super) seller: String,
    pub(super) ship_by: i64,
    pub(super) price: i64,
    pub(super) freight: i64,
}

pub(super) struct PaymentRow {
    pub(super) order: String,
    pub(super) sequence: i64,
    pub(super) method: Method,
    pub(super) instalments: i64,
    pub(super) value: i64,
}

impl PaymentRow {
    pub(super) fn payment(&self) -> Payment {
        let PaymentRow { sequence, method, instalments, value, .. } = *self;
        Payment { sequence, method, instalments, value }
    }
}

pub(super) struct OrderRow {
    pub(super) order: String,
    pub(super) customer: String,
    pub(super) status: Status,
    pub(super) times: Times,
}

/// The order id of a record of the orders file.
pub(super) fn order_of(header: &StringRecord, record: &StringRecord) -> String {
    let column = header.iter().position(|name| name == "order_id");
    column.and_then(|column| record.get(column)).unwrap_or_default().trim().to_owned()
}

fn keep<T>(row: &Row<'_>, value: T) -> Kept<T> {
    Kept { line: row.line, record: row.record.clone(), value }
}

fn amount(row: &Row<'_>, column: &str) -> Result<i64, String> {
    match parse_scaled(row.get(column), 2).map_err(|reason| format!("{column} {reason}"))? {
        value if (0..=100_000_000_000).contains(&value) => Ok(value),
        _ => Err(format!("{column} {:?} is out of range", row.get(column))),
    }
}

fn whole(row: &Row<'_>, column: &str) -> Result<i64, String> {
    parse_whole(row.get(column)).map_err(|reason| format!("{column} {reason}"))
}

fn time(row: &Row<'_>, column: &str) -> Result<i64, String> {
    parse_local(ZONE, row.get(column)).map_err(|reason| format!("{column} {reason}"))
}

fn time_or_none(row: &Row<'_>, column: &str) -> Result<Option<i64>, String> {
    if row.get(column).is_empty() { Ok(None) } else { time(row, column).map(Some) }
}

pub(super) fn read_items(
    bytes: &[u8],
    refused: &mut Refused,
) -> Result<(Sheet, Vec<Kept<ItemRow>>), BadFile> {
    let columns = [
        "order_id",
        "order_item_id",
        "product_id",
        "seller_id",
        "shipping_limit_date",
        "price",
        "freight_value",
    ];
    let read = |row: &Row<'_>| {
        Ok::<_, String>(ItemRow {
            order: row.need("order_id")?.to_owned(),
            number: whole(row, "order_item_id")?,
            product: row.need("product_id")?.to_owned(),
            seller: row.need("seller_id")?.to_owned(),
            ship_by: time(row, "shipping_limit_date")?,
            price: amount(row, "price")?,
            freight: amount(row, "freight_value")?,
        })
    };
    read_sheet(ITEMS, bytes, &columns, &[], |row| match read(row) {
        Ok(item) => Ok(keep(row, item)),
        Err(reason) => {
            refused.mark(row.get("order_id"), ITEMS, row.line, &reason);
            Err(reason)
        }
    })
}

/// Also gives Σ value of the rows that were rejected although their value could be read.
pub(super) fn read_payments(
    bytes: &[u8],
    refused: &mut Refused,
) -> Result<(Sheet, Vec<Kept<PaymentRow>>, i64), BadFile> {
    let columns = ["order_id", "payment_sequential", "payment_type", "payment_installments", "payment_value"];
    let mut refused_value = 0;
    let read = |row: &Row<'_>, value: i64| {
        Ok::<_, String>(PaymentRow {
            order: row.need("order_id")?.to_owned(),
            sequence: whole(row, "payment_sequential")?,
            method: method(row.get("payment_type"))?,
            instalments: whole(row, "payment_installments")?,
            value,
        })
    };
    let (sheet, payments) = read_sheet(PAYMENTS, bytes, &columns, &[], |row| {
        let value = amount(row, "payment_value");
        if row.get("payment_type") == "not_defined" && value == Ok(0) {
            return Err("payment type not_defined without a value: nothing was paid".to_owned());
        }
        match value.clone().and_then(|value| read(row, value)) {
            Ok(payment) => Ok(keep(row, payment)),
            Err(reason) => {
                refused_value += value.unwrap_or(0);
                refused.mark(row.get("order_id"), PAYMENTS, row.line, &reason);
                Err(reason)
            }
        }
    })?;
    Ok((sheet, payments, refused_value))
}

fn method(text: &str) -> Result<Method, String> {
    match text {
        "credit_card" => Ok(Method::CreditCard),
        "debit_card" => Ok(Method::DebitCard),
        "boleto" => Ok(Method::Boleto),
        "voucher" => Ok(Method::Voucher),
        other => Err(format!("unknown payment type {other:?}")),
    }
}

pub(super) fn read_reviews(bytes: &[u8]) -> Result<(Sheet, Vec<Kept<Review>>), BadFile> {
    let columns = [
        "review_id",
        "order_id",
        "review_score",
        "review_comment_title",
        "review_comment_message",
        "review_creation_date",
        "review_answer_timestamp",
    ];
    let text = |row: &Row<'_>, column: &str| Some(row.get(column).to_owned()).filter(|text| !text.is_empty());
    let mut seen = HashSet::new();
    read_sheet(REVIEWS, bytes, &columns, &[], |row| {
        let score = match row.get("review_score") {
            "1" => 1,
            "2" => 2,
            "3" => 3,
            "4" => 4,
            "5" => 5,
            other => return Err(format!("review_score {other:?} is not 1 to 5")),
        };
        let review = Review {
            id: row.need("review_id")?.to_owned(),
            order: row.need("order_id")?.to_owned(),
            score,
            title: text(row, "review_comment_title"),
            message: text(row, "review_comment_message"),
            asked_at: time(row, "review_creation_date")?,
            answered_at: time(row, "review_answer_timestamp")?,
        };
        if !seen.insert((review.id.clone(), review.order.clone())) {
            return Err("the review of this order is in the file twice".to_owned());
        }
        Ok(keep(row, review))
    })
}

pub(super) fn read_order_rows(bytes: &[u8]) -> Result<(Sheet, Vec<Kept<OrderRow>>), BadFile> {
    let columns = [
        "order_id",
        "customer_id",
        "order_status",
        "order_purchase_timestamp",
        "order_approved_at",
        "order_delivered_carrier_date",
        "order_delivered_customer_date",
        "order_estimated_delivery_date",
    ];
    let mut seen = HashSet::new();
    read_sheet(ORDERS, bytes, &columns, &[], |row| {
        let order = row.need("order_id")?.to_owned();
        let word = row.get("order_status");
        let status = Status::ALL.into_iter().find(|status| status.word() == word);
        let purchased = time(row, "order_purchase_timestamp")?;
        let promised = end_of_day(ZONE, row.get("order_estimated_delivery_date"));
        let times = Times {
            purchased,
            approved: time_or_none(row, "order_approved_at")?,
            handed_over: time_or_none(row, "order_delivered_carrier_date")?,
            delivered: time_or_none(row, "order_delivered_customer_date")?,
            ship_by: purchased,
            promised_by: promised.map_err(|reason| format!("order_estimated_delivery_date {reason}"))?,
        };
        let status = status.ok_or_else(|| format!("unknown order status {word:?}"))?;
        if !seen.insert(order.clone()) {
            return Err("order_id is in the file twice".to_owned());
        }
        Ok(keep(row, OrderRow { order, customer: row.need("customer_id")?.to_owned(), status, times }))
    })
}
