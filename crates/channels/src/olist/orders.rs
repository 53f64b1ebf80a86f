//! Orders joined with their items and payments. Invariant: an order is taken whole or not at all, and goods +
//! freight + adjustment = Σ payments to the centavo, because what was charged is a fact and is never recomputed.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Totals;
use super::catalogue::Item;
use super::files::{Files, ORDERS};
use super::people::{Buyer, Seller, ShipTo};
use super::rows::{self, ItemRow, Kept, OrderRow, PaymentRow, Refused};
use super::script::{Note, Step, Times, write_script};
use crate::sheet::{BadFile, Sheet};

/// `order_status` of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// Placed, not paid.
    Created,
    /// Paid.
    Approved,
    /// Accepted by the seller.
    Processing,
    /// Invoiced by the seller, not handed over.
    Invoiced,
    /// With the carrier.
    Shipped,
    /// With the customer.
    Delivered,
    /// Cancelled, before or after hand-over.
    Canceled,
    /// Paid, but the seller has none.
    Unavailable,
}

impl Status {
    /// All of them, in the order of an order's life.
    pub const ALL: [Status; 8] = [
        Status::Created,
        Status::Approved,
        Status::Processing,
        Status::Invoiced,
        Status::Shipped,
        Status::Delivered,
        Status::Canceled,
        Status::Unavailable,
    ];

    /// The word of the file.
    pub fn word(self) -> &'static str {
        match self {
            Status::Created => "created",
            Status::Approved => "approved",
            Status::Processing => "processing",
            Status::Invoiced => "invoiced",
            Status::Shipped => "shipped",
            Status::Delivered => "delivered",
            Status::Canceled => "canceled",
            Status::Unavailable => "unavailable",
        }
    }
}

/// `payment_type` of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// Authorised at purchase, captured at approval.
    CreditCard,
    /// Authorised at purchase, captured at approval.
    DebitCard,
    /// A bank slip: received at approval, nothing authorised before.
    Boleto,
    /// A store voucher: taken at approval.
    Voucher,
}

impl Method {
    /// Whether the money is authorised at purchase, before it is captured.
    pub fn is_authorised(self) -> bool {
        matches!(self, Method::CreditCard | Method::DebitCard)
    }
}

/// An order with lines.
#[derive(Debug, Clone)]
pub struct Order {
    /// `order_id`.
    pub reference: String,
    /// `customer_unique_id`.
    pub customer: String,
    /// Destination.
    pub ship_to: ShipTo,
    /// State the order had.
    pub status: Status,
    /// µs since the epoch, UTC.
    pub placed_at: i64,
    /// Last µs of the promised day in Brazil: delivered at or before it is on time.
    pub promised_by: i64,
    /// At least one.
    pub lines: Vec<Line>,
    /// One per seller, in the order of the lines.
    pub parcels: Vec<Parcel>,
    /// By sequence; values above zero.
    pub payments: Vec<Payment>,
    /// What was charged beyond goods and freight, or less.
    pub adjustment: Option<Adjustment>,
    /// The commands that bring it to its state.
    pub steps: Vec<Step>,
    /// What was not taken as it stands.
    pub notes: Vec<Note>,
}

impl Order {
    /// Σ price of the lines, centavos.
    pub fn goods(&self) -> i64 {
        self.lines.iter().map(|line| line.quantity * line.unit_price).sum()
    }

    /// Σ freight of the lines, centavos.
    pub fn freight(&self) -> i64 {
        self.lines.iter().map(|line| line.quantity * line.unit_freight).sum()
    }

    /// What the customer was asked for: goods + freight + adjustment, centavos.
    pub fn total(&self) -> i64 {
        self.goods() + self.freight() + self.adjustment.map_or(0, |a| a.amount)
    }

    /// Σ payments, centavos; equals [`Order::total`] unless the file has no payment.
    pub fn paid(&self) -> i64 {
        self.payments.iter().map(|payment| payment.value).sum()
    }
}

/// Items of an order with the same product, seller, price and freight. Tax is inside the price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Product id.
    pub sku: String,
    /// Seller id: the line ships from there and nowhere else.
    pub seller: String,
    /// Units.
    pub quantity: i64,
    /// Centavos per unit.
    pub unit_price: i64,
    /// Centavos of freight per unit: the line's share of shipping.
    pub unit_freight: i64,
}

/// The lines one seller ships.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// Seller id.
    pub seller: String,
    /// Indices into the order's lines.
    pub lines: Vec<usize>,
}

/// One payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// `payment_sequential`; may have gaps.
    pub sequence: i64,
    /// How.
    pub method: Method,
    /// Instalments on the card; 1 otherwise.
    pub instalments: i64,
    /// Centavos, above zero.
    pub value: i64,
}

/// The difference between what was paid and goods + freight, booked on the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adjustment {
    /// Why.
    pub kind: AdjustmentKind,
    /// Centavos; positive is charged, negative is given.
    pub amount: i64,
}

/// Why an order was charged more or less than its items say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AdjustmentKind {
    /// At most five centavos either way.
    Rounding,
    /// More was paid, by card in instalments: interest.
    InstalmentInterest,
    /// More was paid and nothing says why.
    OtherCharge,
    /// Less was paid and nothing says why.
    Discount,
}

/// A review of an order; its key is (id, order) because one review may cover several orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// `review_id`.
    pub id: String,
    /// `order_id`.
    pub order: String,
    /// 1 to 5.
    pub score: u8,
    /// Title.
    pub title: Option<String>,
    /// Text; may have several lines.
    pub message: Option<String>,
    /// When the customer was asked, µs since the epoch.
    pub asked_at: i64,
    /// When the customer answered, µs since the epoch.
    pub answered_at: i64,
}

/// What the other files know, for checking references.
pub(super) struct Known<'a> {
    products: HashSet<&'a str>,
    sellers: HashSet<&'a str>,
    buyers: HashMap<&'a str, &'a Buyer>,
}

impl<'a> Known<'a> {
    pub(super) fn new(items: &'a [Item], sellers: &'a [Seller], buyers: &'a [Buyer]) -> Known<'a> {
        Known {
            products: items.iter().map(|item| item.sku.as_str()).collect(),
            sellers: sellers.iter().map(|seller| seller.id.as_str()).collect(),
            buyers: buyers.iter().map(|buyer| (buyer.order_customer.as_str(), buyer)).collect(),
        }
    }
}

pub(super) struct Joined {
    pub(super) orders: Vec<Order>,
    pub(super) reviews: Vec<Review>,
    /// Items, payments, reviews, orders.
    pub(super) sheets: Vec<Sheet>,
    pub(super) totals: Totals,
}

pub(super) fn read_orders(files: &Files, known: &Known<'_>) -> Result<Joined, BadFile> {
    let mut refused = Refused::default();
    let (mut items_sheet, items) = rows::read_items(&files.items, &mut refused)?;
    let (mut payments_sheet, payments, refused_value) = rows::read_payments(&files.payments, &mut refused)?;
    let (mut reviews_sheet, reviews) = rows::read_reviews(&files.reviews)?;
    let (mut orders_sheet, rows) = rows::read_order_rows(&files.orders)?;

    let mut totals = Totals { payments_rejected: refused_value, ..Totals::default() };
    totals.payments_read = refused_value + payments.iter().map(|row| row.value.value).sum::<i64>();
    let (items_of, payments_of) = (group(&items, |row| &row.order), group(&payments, |row| &row.order));
    let mut fate: HashMap<String, Result<(), String>> = HashMap::new();
    for rejected in &orders_sheet.rejected {
        let order = rows::order_of(&orders_sheet.header, &rejected.record);
        fate.insert(order, Err(format!("its order was rejected: {}", rejected.reason)));
    }
    let mut orders = Vec::with_capacity(rows.len());
    for row in rows {
        let reference = &row.value.order;
        let none = Vec::new();
        let parts = (items_of.get(reference.as_str()).unwrap_or(&none), payments_of.get(reference.as_str()));
        let joined = match refused.reason(reference) {
            Some(reason) => Err(reason.to_owned()),
            None => join(&row.value, parts.0, parts.1.map_or(&[], Vec::as_slice), known),
        };
        match joined {
            Ok(order) => {
                fate.insert(reference.clone(), Ok(()));
                totals.goods += order.goods();
                totals.freight += order.freight();
                totals.adjustments += order.adjustment.map_or(0, |a| a.amount);
                totals.payments_taken += order.paid();
                totals.unpaid += order.total() - order.paid();
                orders.push(order);
            }
            Err(reason) => {
                fate.insert(reference.clone(), Err(format!("its order was rejected: {reason}")));
                orders_sheet.reject(row.line, row.record, reason);
            }
        }
    }
    drop((items_of, payments_of));
    keep_taken(items, &fate, &mut items_sheet, |row| &row.order, |_| ());
    keep_taken(
        payments,
        &fate,
        &mut payments_sheet,
        |row| &row.order,
        |row| totals.payments_rejected += row.value,
    );
    let reviews = keep_taken(reviews, &fate, &mut reviews_sheet, |review| &review.order, |_| ());
    Ok(Joined {
        orders,
        reviews,
        sheets: vec![items_sheet, payments_sheet, reviews_sheet, orders_sheet],
        totals,
    })
}

/// Rejects the rows whose order was not taken; `lost` sees each of them.
fn keep_taken<T>(
    rows: Vec<Kept<T>>,
    fate: &HashMap<String, Result<(), String>>,
    sheet: &mut Sheet,
    order: fn(&T) -> &String,
    mut lost: impl FnMut(&T),
) -> Vec<T> {
    let mut taken = Vec::with_capacity(rows.len());
    for Kept { line, record, value } in rows {
        let reason = match fate.get(order(&value)) {
            Some(Ok(())) => {
                taken.push(value);
                continue;
            }
            Some(Err(reason)) => reason.clone(),
            None => format!("order {} is not in {ORDERS}", order(&value)),
        };
        lost(&value);
        sheet.reject(line, record, reason);
    }
    taken
}

fn group<T>(rows: &[Kept<T>], order: fn(&T) -> &String) -> BTreeMap<&str, Vec<&T>> {
    let mut groups: BTreeMap<&str, Vec<&T>> = BTreeMap::new();
    for row in rows {
        groups.entry(order(&row.value)).or_default().push(&row.value);
    }
    groups
}

fn join(
    row: &OrderRow,
    items: &[&ItemRow],
    paid: &[&PaymentRow],
    known: &Known<'_>,
) -> Result<Order, String> {
    let Some(buyer) = known.buyers.get(row.customer.as_str()) else {
        return Err(format!("customer {} is not in the customers file", row.customer));
    };
    if items.is_empty() {
        return Err(format!("no item lines (status {})", row.status.word()));
    }
    for item in items {
        if !known.products.contains(item.product.as_str()) {
            return Err(format!("product {} is not in the catalogue", item.product));
        }
        if !known.sellers.contains(item.seller.as_str()) {
            return Err(format!("seller {} is not in the sellers file", item.seller));
        }
    }
    let mut items = items.to_vec();
    items.sort_by_key(|item| item.number);
    if items.windows(2).any(|pair| pair[0].number == pair[1].number) {
        return Err("two items have the same order_item_id".to_owned());
    }
    let lines = group_lines(&items);
    let parcels = group_parcels(&lines);
    let mut paid = paid.to_vec();
    paid.sort_by_key(|payment| payment.sequence);
    if paid.windows(2).any(|pair| pair[0].sequence == pair[1].sequence) {
        return Err("two payments have the same payment_sequential".to_owned());
    }
    let payments: Vec<Payment> = paid.iter().filter(|p| p.value > 0).map(|p| p.payment()).collect();
    let mut notes: Vec<Note> =
        paid.iter().filter(|p| p.value == 0).map(|p| Note::ZeroPayment { sequence: p.sequence }).collect();
    let due = lines.iter().map(|line| line.quantity * (line.unit_price + line.unit_freight)).sum();
    let adjustment = adjust(due, &payments);
    if payments.is_empty() && due > 0 {
        notes.push(Note::Unpaid);
    }
    let ship_by = items.iter().map(|item| item.ship_by).max().unwrap_or(row.times.ship_by);
    let times = Times { ship_by, ..row.times };
    let (steps, more) = write_script(row.status, times, &payments, parcels.len());
    notes.extend(more);
    Ok(Order {
        reference: row.order.clone(),
        customer: buyer.person.clone(),
        ship_to: buyer.address.clone(),
        status: row.status,
        placed_at: times.purchased,
        promised_by: times.promised_by,
        lines,
        parcels,
        payments,
        adjustment,
        steps,
        notes,
    })
}

fn group_lines(items: &[&ItemRow]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for item in items {
        let same = |line: &&mut Line| {
            line.sku == item.product
                && line.seller == item.seller
                && (line.unit_price, line.unit_freight) == (item.price, item.freight)
        };
        match lines.iter_mut().find(same) {
            Some(line) => line.quantity += 1,
            None => lines.push(Line {
                sku: item.product.clone(),
                seller: item.seller.clone(),
                quantity: 1,
                unit_price: item.price,
                unit_freight: item.freight,
            }),
        }
    }
    lines
}

fn group_parcels(lines: &[Line]) -> Vec<Parcel> {
    let mut parcels: Vec<Parcel> = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        match parcels.iter_mut().find(|parcel| parcel.seller == line.seller) {
            Some(parcel) => parcel.lines.push(index),
            None => parcels.push(Parcel { seller: line.seller.clone(), lines: vec![index] }),
        }
    }
    parcels
}

/// What was charged stands: the difference to `due` (centavos) is booked, never spread over the lines.
fn adjust(due: i64, payments: &[Payment]) -> Option<Adjustment> {
    let amount = payments.iter().map(|payment| payment.value).sum::<i64>() - due;
    if amount == 0 || payments.is_empty() {
        return None;
    }
    let in_instalments = payments.iter().any(|p| p.method == Method::CreditCard && p.instalments > 1);
    let kind = match amount {
        -5..=5 => AdjustmentKind::Rounding,
        ..-5 => AdjustmentKind::Discount,
        _ if in_instalments => AdjustmentKind::InstalmentInterest,
        _ => AdjustmentKind::OtherCharge,
    };
    Some(Adjustment { kind, amount })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_charged_stands() {
        let pay = |method, instalments, value| Payment { sequence: 1, method, instalments, value };
        let cases = [
            (1000, vec![pay(Method::Boleto, 1, 1000)], None),
            (1000, vec![pay(Method::Boleto, 1, 1005)], Some((AdjustmentKind::Rounding, 5))),
            (1000, vec![pay(Method::Boleto, 1, 995)], Some((AdjustmentKind::Rounding, -5))),
            (1000, vec![pay(Method::Boleto, 1, 994)], Some((AdjustmentKind::Discount, -6))),
            (1000, vec![pay(Method::CreditCard, 10, 1130)], Some((AdjustmentKind::InstalmentInterest, 130))),
            (1000, vec![pay(Method::CreditCard, 1, 1130)], Some((AdjustmentKind::OtherCharge, 130))),
            (1000, vec![pay(Method::Voucher, 1, 300), pay(Method::CreditCard, 2, 700)], None),
            (1000, vec![], None),
        ];
        for (due, payments, expected) in cases {
            assert_eq!(adjust(due, &payments).map(|a| (a.kind, a.amount)), expected);
        }
    }
}
