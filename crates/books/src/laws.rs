//! What `fulmar verify` proves of the books: the journal is whole, its running sums are right, and it agrees with what the other slices
//! count.

use db::{Law, Proof, Sums};

/// What an account came to by events, by currency: its running sums, which [`MONTHS_EQUAL_POSTINGS`] proves, without the corrections by hand.
macro_rules! moved {
    ($account:literal) => {
        concat!(
            "SELECT currency, debit - credit AS amount FROM account_month WHERE account = '",
            $account,
            "' UNION ALL SELECT p.currency, CASE WHEN p.debit = '",
            $account,
            "' THEN -p.amount ELSE p.amount END FROM event v JOIN journal_entry e ON e.event_id = v.id JOIN posting p ON p.entry_id = e.id \
             WHERE v.kind = 'books.adjusted' AND (p.debit = '",
            $account,
            "' OR p.credit = '",
            $account,
            "')"
        )
    };
}

/// The laws of the books.
pub const LAWS: &[Law] = &[
    Law {
        name: "books.entry_has_postings",
        says: "Every journal entry moves something.",
        // Postings are of entries that exist, so as many entries have postings as there are entries; the second line says which have none.
        proof: Proof::Offenders(
            "SELECT CAST(e.id AS TEXT) AS subject, e.text AS detail FROM journal_entry e \
            WHERE (SELECT COUNT(*) FROM (SELECT DISTINCT entry_id FROM posting) AS d) <> (SELECT COUNT(*) FROM journal_entry) \
            AND NOT EXISTS (SELECT 1 FROM posting p WHERE p.entry_id = e.id)",
        ),
    },
    Law {
        name: "books.months_equal_postings",
        says: "The running sums by account, currency and month are the sums of the postings.",
        proof: Proof::Offenders(MONTHS_EQUAL_POSTINGS),
    },
    Law {
        name: "books.every_money_event_is_posted",
        says: "Every event that moves money or value has its journal entry.",
        proof: Proof::Offenders(EVERY_MONEY_EVENT),
    },
    Law {
        name: "books.customers_equal_orders",
        says: "By the journal, an order's customer paid what was captured less what was refunded, and owes what was shipped, less what was returned, less what was paid.",
        proof: Proof::Sums(CUSTOMERS_EQUAL_ORDERS),
    },
    Law {
        name: "books.store_credit_equals_balances",
        says: "The account Store credit is what the customers hold, but for corrections by hand.",
        proof: Proof::Offenders(concat!(
            "SELECT x.currency AS subject, 'differs by ' || CAST(SUM(x.amount) AS TEXT) AS detail FROM (\
             SELECT currency, balance AS amount FROM store_credit UNION ALL ",
            moved!("2200"),
            ") AS x GROUP BY x.currency HAVING SUM(x.amount) <> 0"
        )),
    },
    Law {
        name: "books.inventory_equals_stock",
        says: "The account Inventory is the value of what lies in stock, but for corrections by hand.",
        proof: Proof::Offenders(concat!(
            "SELECT 'inventory' AS subject, 'stock is worth ' || CAST(x.stock AS TEXT) || ', the journal says ' || CAST(x.books AS TEXT) AS detail FROM (\
             SELECT COALESCE((SELECT CAST(SUM(value) AS BIGINT) FROM sku_cost), 0) AS stock, COALESCE((SELECT CAST(SUM(m.amount) AS BIGINT) FROM (",
            moved!("1200"),
            ") AS m), 0) AS books) AS x WHERE x.stock <> x.books"
        )),
    },
];

/// A field of an event's payload, as text. The log keeps JSON as text, which PostgreSQL has to be told.
macro_rules! field {
    ($name:literal) => {
        concat!("CAST(/*pg CAST(*/ v.payload /*pg AS jsonb) */ ->> '", $name, "' AS TEXT)")
    };
}

/// First by day (counted from far before any entry, so that the division rounds down), which leaves few rows. The month of a day is then
/// computed differently by the two databases: what follows `--` on the line is a comment to PostgreSQL, what stands before it is one to
/// SQLite.
const MONTHS_EQUAL_POSTINGS: &str = "WITH days AS (SELECT p.debit, p.credit, p.currency, (e.at + 86400000000000000) / 86400000000 - 1000000 AS day, \
    CAST(SUM(p.amount) AS BIGINT) AS amount FROM posting p JOIN journal_entry e ON e.id = p.entry_id \
    GROUP BY (e.at + 86400000000000000) / 86400000000 - 1000000, p.debit, p.credit, p.currency), \
    months AS (SELECT debit, credit, currency, amount, \
    /*pg to_char(to_timestamp(day * 86400) AT TIME ZONE 'UTC', 'YYYY-MM') --*/ strftime('%Y-%m', day * 86400, 'unixepoch')\n \
    AS month FROM days) \
    SELECT x.account || ' ' || x.currency || ' ' || x.month AS subject, \
    'differs by ' || CAST(SUM(x.debit) AS TEXT) || ' debit, ' || CAST(SUM(x.credit) AS TEXT) || ' credit' AS detail FROM (\
    SELECT account, currency, month, debit, credit FROM account_month \
    UNION ALL SELECT debit, currency, month, -amount, 0 FROM months \
    UNION ALL SELECT credit, currency, month, 0, -amount FROM months\
    ) AS x GROUP BY x.account, x.currency, x.month HAVING SUM(x.debit) <> 0 OR SUM(x.credit) <> 0";

/// The few events without an entry first, by two indexes; only their payloads are read.
const EVERY_MONEY_EVENT: &str = concat!(
    "WITH without AS MATERIALIZED (SELECT v.id FROM event v WHERE v.kind IN ('order.units_shipped', 'order.units_returned', 'payment.captured', \
     'payment.fee_charged', 'payment.refunded', 'payment.disputed', 'payment.dispute_closed', 'books.adjusted', 'stock.received', 'stock.adjusted', \
     'shipment.label_purchased', 'shipment.label_voided', 'store_credit.changed') \
     AND NOT EXISTS (SELECT 1 FROM journal_entry e WHERE e.event_id = v.id)) \
     SELECT v.subject, v.kind || ' ' || CAST(v.id AS TEXT) AS detail FROM without w JOIN event v ON v.id = w.id WHERE (\
     (v.kind IN ('order.units_shipped', 'order.units_returned') AND ",
    field!("total"),
    " <> '0') OR \
     (v.kind IN ('payment.captured', 'payment.fee_charged', 'payment.refunded', 'payment.disputed', 'books.adjusted') AND ",
    field!("amount"),
    " <> '0') OR \
     (v.kind = 'payment.dispute_closed' AND ",
    field!("won"),
    " IN ('1', 'true') AND ",
    field!("amount"),
    " <> '0') OR \
     (v.kind IN ('stock.received', 'stock.adjusted') AND ",
    field!("value"),
    " <> '0') OR \
     (v.kind IN ('shipment.label_purchased', 'shipment.label_voided') AND ",
    field!("cost"),
    " <> '0') OR \
     (v.kind = 'store_credit.changed' AND ",
    field!("reference"),
    " NOT LIKE 'payment:%' AND ",
    field!("reference"),
    " NOT LIKE 'refund:%' AND ",
    field!("reference"),
    " NOT LIKE 'merge:%'))"
);

/// The share of the first `shipped` of a line's units is floor(shipped·T/N); written so that it cannot overflow.
macro_rules! shipped {
    ($column:literal) => {
        concat!($column, " / l.ordered * l.shipped + ", $column, " % l.ordered * l.shipped / l.ordered")
    };
}

/// Money moves between Customers and Bank, Gateway clearing, Store credit or Exchanges; all else on Customers is what was sold.
const CUSTOMERS_EQUAL_ORDERS: Sums = Sums {
    of: &["order"],
    numbers: &["sold", "paid"],
    parts: concat!(
        "SELECT l.order_id, ",
        shipped!("(l.net + l.tax)"),
        " + ",
        shipped!("(l.shipping + l.shipping_tax)"),
        " + ",
        shipped!("l.fee"),
        ", 0 FROM order_line l WHERE l.shipped <> 0 \
         UNION ALL SELECT o.id, -o.returned_total, o.captured - o.refunded FROM orders o \
         UNION ALL SELECT e.order_id, \
         CASE WHEN p.debit IN ('1000', '1050', '2200', '2210') OR p.credit IN ('1000', '1050', '2200', '2210') THEN 0 \
         WHEN p.debit = '1100' THEN -p.amount ELSE p.amount END, \
         CASE WHEN p.debit NOT IN ('1000', '1050', '2200', '2210') AND p.credit NOT IN ('1000', '1050', '2200', '2210') THEN 0 \
         WHEN p.debit = '1100' THEN p.amount ELSE -p.amount END FROM posting p JOIN journal_entry e ON e.id = p.entry_id \
         WHERE '1100' IN (p.debit, p.credit) AND e.order_id IS NOT NULL \
         AND e.event_id NOT IN (SELECT id FROM event WHERE kind = 'books.adjusted')"
    ),
};
