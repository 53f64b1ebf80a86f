//! Lists of orders with filters, search and keyset cursors, newest first. Invariant: a page costs what a page holds, however many orders
//! there are: each way to an order goes by an index that ends in the time it was placed, and stops at the size of the page.

use super::{ORDER_COLUMNS, OrderRow};
use crate::model::{HoldKind, OrderId};
use customers::CustomerId;
use db::{Sql, Value};
use kernel::{Fault, Timestamp};

/// Of the names that begin with a search, so many are looked at, in the order of the alphabet. Orders of exactly that name are all found.
const NAMES: usize = 300;
/// Of the customers whose last name begins so, the orders of so many.
const CUSTOMERS: usize = 100;

/// Which orders to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Number, reference, e-mail, name or the beginning of it or of the customer's last name, or SKU.
    pub search: Option<String>,
    /// Orders that other slices know by the text searched for, as a tracking number.
    pub known_by: Vec<OrderId>,
    /// Derived status.
    pub fulfilment_status: Option<String>,
    /// Derived status.
    pub payment_status: Option<String>,
    /// Code of the channel.
    pub channel: Option<String>,
    /// Only those with this hold.
    pub hold: Option<HoldKind>,
    /// Only those with any hold (or none).
    pub held: Option<bool>,
    /// Whose.
    pub customer: Option<CustomerId>,
    /// From this moment.
    pub placed_from: Option<Timestamp>,
    /// Before this moment.
    pub placed_before: Option<Timestamp>,
    /// Only those with units that wait for stock.
    pub backordered: bool,
    /// Only those that nothing keeps from being released: nothing held, nothing that waits for stock, nothing shipped.
    pub ready: bool,
    /// Only those with units promised at this location.
    pub location: Option<inventory::LocationId>,
    /// The oldest first instead of the newest.
    pub oldest: bool,
}

/// Where a page of a list ended.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub struct Cursor {
    /// Time of the last order.
    pub placed_at: Timestamp,
    /// Id of the last order.
    pub id: OrderId,
}

/// Orders, newest first.
///
/// # Errors
/// A fault of the database.
pub async fn list(
    sql: &Sql,
    filter: &Filter,
    after: Option<Cursor>,
    limit: u64,
) -> Result<Vec<OrderRow>, Fault> {
    // Not a parameter: the databases plan for a page, and not for the whole table.
    let limit = limit.to_string();
    let (ask, wheres) = Ask::of(filter, after, &limit);
    let way = ask.way;
    let text = format!(
        "SELECT {ORDER_COLUMNS} FROM orders o WHERE {wheres} ORDER BY o.placed_at {way}, o.id {way} LIMIT {limit}"
    );
    sql.all(&text, ask.params).await
}

/// All of a list: a condition on `orders o` and its parameters, for a set that is read, counted or written where it lies.
pub fn all_of(filter: &Filter) -> (String, Vec<Value>) {
    let (ask, wheres) = Ask::of(filter, None, &i64::MAX.to_string());
    (wheres, ask.params)
}

/// How many orders a list has. It reads all of them: for those who ask, not for a page.
///
/// # Errors
/// A fault of the database.
pub async fn count(sql: &Sql, filter: &Filter) -> Result<i64, Fault> {
    let (wheres, params) = all_of(filter);
    Ok(sql.scalar(&format!("SELECT COUNT(*) FROM orders o WHERE {wheres}"), params).await?.unwrap_or(0))
}

/// A question in the making.
#[derive(Default)]
struct Ask {
    params: Vec<Value>,
    wheres: Vec<String>,
    way: &'static str,
}

impl Ask {
    /// What a filter asks beyond a cursor, with its condition. Each way of a search finds at most `limit`.
    fn of(filter: &Filter, after: Option<Cursor>, limit: &str) -> (Self, String) {
        let mut ask = Self { way: if filter.oldest { "ASC" } else { "DESC" }, ..Self::default() };
        ask.filter(filter);
        if let Some(Cursor { placed_at, id }) = after {
            let (at, id) = (ask.param(placed_at), ask.param(id));
            let beyond = if filter.oldest { '>' } else { '<' };
            ask.wheres.push(format!("(o.placed_at, o.id) {beyond} ({at}, {id})"));
        }
        let wheres = match filter.search.as_deref().map(str::trim).filter(|s| !s.is_empty()) {
            Some(search) => {
                format!("o.id IN ({})", ask.ways(search, &filter.known_by, limit).join(" UNION "))
            }
            None => ask.all_of("TRUE"),
        };
        (ask, wheres)
    }
    /// The name of a parameter with this value.
    fn param(&mut self, value: impl Into<Value>) -> String {
        self.params.push(value.into());
        format!("${}", self.params.len())
    }
    fn add(&mut self, condition: &str, value: impl Into<Value>) {
        let name = self.param(value);
        self.wheres.push(condition.replace('?', &name));
    }
    fn filter(&mut self, filter: &Filter) {
        if let Some(status) = &filter.fulfilment_status {
            self.add("o.fulfilment_status = ?", status.as_str());
        }
        if let Some(status) = &filter.payment_status {
            self.add("o.payment_status = ?", status.as_str());
        }
        if let Some(channel) = &filter.channel {
            self.add("o.channel = ?", channel.as_str());
        }
        if let Some(kind) = filter.hold {
            self.add(
                "EXISTS (SELECT 1 FROM order_hold h WHERE h.order_id = o.id AND h.kind = ?)",
                kind.as_str(),
            );
        }
        if let Some(customer) = filter.customer {
            self.add("o.customer_id = ?", customer);
        }
        if let Some(from) = filter.placed_from {
            self.add("o.placed_at >= ?", from);
        }
        if let Some(before) = filter.placed_before {
            self.add("o.placed_at < ?", before);
        }
        if filter.backordered {
            self.wheres.push("o.units_backordered > 0".to_owned());
        }
        if filter.ready {
            self.wheres.push(
                "o.fulfilment_status = 'unfulfilled' AND o.holds = 0 AND o.units_backordered = 0".to_owned(),
            );
        }
        if let Some(location) = filter.location {
            self.add(
                "EXISTS (SELECT 1 FROM allocation a WHERE a.order_id = o.id AND a.location_id = ? AND a.quantity > 0)",
                location,
            );
        }
        match filter.held {
            Some(false) => self.wheres.push("o.holds = 0".to_owned()),
            Some(true) => self.wheres.push("o.holds > 0".to_owned()),
            // Said for the index of the orders that are held.
            None if filter.hold.is_some() => self.wheres.push("o.holds > 0".to_owned()),
            None => {}
        }
    }
    /// A condition, and all of the filter's.
    fn all_of(&self, condition: &str) -> String {
        std::iter::once(condition)
            .chain(self.wheres.iter().map(String::as_str))
            .collect::<Vec<_>>()
            .join(" AND ")
    }
    /// Each way to find an order by a text, as a query of ids: the newest of those that pass the filter, as many as a page holds.
    fn ways(&mut self, search: &str, known_by: &[OrderId], limit: &str) -> Vec<String> {
        let exact = self.param(search.trim_start_matches('#'));
        let email = self.param(search.to_lowercase());
        let name = self.param(search);
        // The greatest text that begins with the search.
        let end = self.param(format!("{search}\u{10FFFF}"));
        let known: Vec<String> = known_by.iter().map(|id| self.param(*id)).collect();
        let by_surname = self.of_surnames(search, limit);
        let way = self.way;
        let newest = |from: &str, condition: &str| {
            format!(
                "SELECT id FROM (SELECT o.id, o.placed_at FROM {from} WHERE {} ORDER BY o.placed_at {way}, o.id {way} LIMIT {limit}) found",
                self.all_of(condition)
            )
        };
        let begins = format!(
            "o.id IN (SELECT id FROM (SELECT n.id FROM orders n WHERE LOWER(n.name) > LOWER({name}) AND LOWER(n.name) < LOWER({end}) \
             ORDER BY LOWER(n.name) LIMIT {NAMES}) named)"
        );
        let sold = format!("l.sku_id = (SELECT s.id FROM sku s WHERE s.code = {exact})");
        let mut ways = vec![
            newest("orders o", &format!("o.number = {exact}")),
            // By channel, because a reference is unique in its channel only, and so is the index.
            newest("channel c CROSS JOIN orders o", &format!("o.channel = c.code AND o.reference = {exact}")),
            newest("orders o", &format!("o.email = {email}")),
            newest("orders o", &format!("LOWER(o.name) = LOWER({name})")),
            newest("orders o", &begins),
            format!(
                "SELECT order_id FROM (SELECT DISTINCT l.placed_at, l.order_id FROM order_line l CROSS JOIN orders o WHERE {} \
                 ORDER BY l.placed_at {way}, l.order_id {way} LIMIT {limit}) found",
                self.all_of(&format!("o.id = l.order_id AND {sold}"))
                    .replace("(o.placed_at, o.id) ", "(l.placed_at, l.order_id) ")
            ),
        ];
        ways.extend(by_surname);
        if !known.is_empty() {
            ways.push(newest("orders o", &format!("o.id IN ({})", known.join(","))));
        }
        ways
    }
    /// The way by the last name of the customer: of each customer the newest orders that a page can hold, however many they have.
    fn of_surnames(&mut self, search: &str, limit: &str) -> Option<String> {
        let (from, end) = customers::surnames(search)?;
        let (from, end) = (self.param(from), self.param(end));
        let (way, theirs) = (self.way, self.all_of("o.customer_id = k.id"));
        let (within, all) = if way == "ASC" { ("<=", i64::MAX) } else { (">=", -i64::MAX) };
        // The last of those that fit on a page. The LIMIT of the customers keeps it from being asked for once an order; ordered by the time
        // alone it goes by the index of the customer and no other, whatever is filtered.
        let last = format!(
            "(SELECT o.placed_at FROM orders o WHERE {theirs} ORDER BY o.placed_at {way} LIMIT 1 OFFSET {limit} - 1)"
        );
        let named = format!(
            "SELECT k.id, COALESCE({last}, {all}) AS last FROM (SELECT DISTINCT COALESCE(c.merged_into, c.id) AS id FROM \
             (SELECT c.id, c.merged_into FROM customer c WHERE c.surname >= {from} AND c.surname < {end} \
             ORDER BY c.surname, c.id LIMIT {CUSTOMERS}) c) k LIMIT {CUSTOMERS}"
        );
        Some(format!(
            "SELECT id FROM (SELECT o.id, o.placed_at FROM ({named}) k CROSS JOIN orders o WHERE {theirs} AND o.placed_at {within} k.last \
             ORDER BY o.placed_at {way}, o.id {way} LIMIT {limit}) found"
        ))
    }
}
