//! What `fulmar verify` proves of the books: the journal is whole, its running sums are right, and it agrees with what the other slices
//! count.

use db::Law;

/// The laws of the books.
pub const LAWS: &[Law] = &[
    Law {
        name: "books.entry_has_postings",
        says: "Every journal entry moves something.",
        offenders: "SELECT CAST(e.id AS TEXT) AS subject, e.text AS detail FROM journal_entry e \
            WHERE NOT EXISTS (SELECT 1 FROM posting p WHERE p.entry_id = e.id)",
    },
    Law {
        name: "books.months_equal_postings",
        says: "The running sums by account, currency and month are the sums of the postings.",
        offenders: MONTHS_EQUAL_POSTINGS,
    },
    Law {
        name: "books.every_money_event_is_posted",
        says: "Every event that moves money or value has its journal entry.",
        offenders: EVERY_MONEY_EVENT,
    },
    Law {
        name: "books.captured_equals_orders",
        says: "What was captured and refunded by the journal is what the orders say.",
        offenders: "SELECT o.number AS subject, 'orders say ' || CAST(o.captured - o.refunded AS TEXT) || ', the journal says ' || CAST(COALESCE(j.amount, 0) AS TEXT) AS detail \
            FROM orders o LEFT JOIN (SELECT e.order_id, CAST(SUM(CASE WHEN p.credit = '1100' THEN p.amount ELSE -p.amount END) AS BIGINT) AS amount \
            FROM event v JOIN journal_entry e ON e.event_id = v.id JOIN posting p ON p.entry_id = e.id \
            WHERE v.kind IN ('payment.captured', 'payment.refunded') AND (p.credit = '1100' OR p.debit = '1100') GROUP BY e.order_id) AS j ON j.order_id = o.id \
            WHERE o.captured - o.refunded <> COALESCE(j.amount, 0)",
    },
    Law {
        name: "books.customers_equal_orders",
        says: "What an order's customer owes by the journal is what was shipped, less what was returned, less what was paid.",
        offenders: CUSTOMERS_EQUAL_ORDERS,
    },
    Law {
        name: "books.store_credit_equals_balances",
        says: "The account Store credit is what the customers hold, but for corrections by hand.",
        offenders: "SELECT x.currency AS subject, 'differs by ' || CAST(SUM(x.amount) AS TEXT) AS detail FROM (\
            SELECT currency, balance AS amount FROM store_credit \
            UNION ALL SELECT p.currency, CASE WHEN p.credit = '2200' THEN -p.amount ELSE p.amount END FROM posting p JOIN journal_entry e ON e.id = p.entry_id \
            JOIN event v ON v.id = e.event_id WHERE (p.credit = '2200' OR p.debit = '2200') AND v.kind <> 'books.adjusted'\
            ) AS x GROUP BY x.currency HAVING SUM(x.amount) <> 0",
    },
    Law {
        name: "books.inventory_equals_stock",
        says: "The account Inventory is the value of what lies in stock, but for corrections by hand.",
        offenders: "SELECT 'inventory' AS subject, 'stock is worth ' || CAST(x.stock AS TEXT) || ', the journal says ' || CAST(x.books AS TEXT) AS detail FROM (\
            SELECT COALESCE((SELECT CAST(SUM(value) AS BIGINT) FROM sku_cost), 0) AS stock, \
            COALESCE((SELECT CAST(SUM(CASE WHEN p.debit = '1200' THEN p.amount ELSE -p.amount END) AS BIGINT) FROM posting p \
            JOIN journal_entry e ON e.id = p.entry_id JOIN event v ON v.id = e.event_id \
            WHERE (p.credit = '1200' OR p.debit = '1200') AND v.kind <> 'books.adjusted'), 0) AS books) AS x WHERE x.stock <> x.books",
    },
];

/// A field of an event's payload, as text. The log keeps JSON as text, which PostgreSQL has to be told.
macro_rules! field {
    ($name:literal) => {
        concat!("CAST(/*pg CAST(*/ v.payload /*pg AS jsonb) */ ->> '", $name, "' AS TEXT)")
    };
}

/// The month of an entry is computed from its time, which the two databases do differently: what follows `--` on the line is a comment
/// to PostgreSQL, what stands before it is one to SQLite.
const MONTHS_EQUAL_POSTINGS: &str = "WITH months AS (SELECT id, \
    /*pg to_char(to_timestamp(at / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM') --*/ strftime('%Y-%m', at / 1000000, 'unixepoch')\n \
    AS month FROM journal_entry) \
    SELECT x.account || ' ' || x.currency || ' ' || x.month AS subject, \
    'differs by ' || CAST(SUM(x.debit) AS TEXT) || ' debit, ' || CAST(SUM(x.credit) AS TEXT) || ' credit' AS detail FROM (\
    SELECT account, currency, month, debit, credit FROM account_month \
    UNION ALL SELECT p.debit, p.currency, e.month, -p.amount, 0 FROM posting p JOIN months e ON e.id = p.entry_id \
    UNION ALL SELECT p.credit, p.currency, e.month, 0, -p.amount FROM posting p JOIN months e ON e.id = p.entry_id\
    ) AS x GROUP BY x.account, x.currency, x.month HAVING SUM(x.debit) <> 0 OR SUM(x.credit) <> 0";

const EVERY_MONEY_EVENT: &str = concat!(
    "SELECT v.subject, v.kind || ' ' || CAST(v.id AS TEXT) AS detail FROM event v WHERE NOT EXISTS (SELECT 1 FROM journal_entry e WHERE e.event_id = v.id) AND (\
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
    " NOT LIKE 'refund:%'))"
);

/// The share of the first `shipped` of a line's units is floor(shipped·T/N); written so that it cannot overflow.
macro_rules! shipped {
    ($column:literal) => {
        concat!($column, " / l.ordered * l.shipped + ", $column, " % l.ordered * l.shipped / l.ordered")
    };
}

const CUSTOMERS_EQUAL_ORDERS: &str = concat!(
    "SELECT o.number AS subject, 'the order says ' || CAST(s.amount - o.returned_total - o.captured + o.refunded AS TEXT) || ', the journal says ' || CAST(COALESCE(j.amount, 0) AS TEXT) AS detail \
     FROM orders o JOIN (SELECT l.order_id, CAST(SUM(",
    shipped!("(l.net + l.tax)"),
    " + ",
    shipped!("(l.shipping + l.shipping_tax)"),
    " + ",
    shipped!("l.fee"),
    ") AS BIGINT) AS amount \
     FROM order_line l GROUP BY l.order_id) AS s ON s.order_id = o.id LEFT JOIN (\
     SELECT e.order_id, CAST(SUM(CASE WHEN p.debit = '1100' THEN p.amount ELSE -p.amount END) AS BIGINT) AS amount FROM posting p \
     JOIN journal_entry e ON e.id = p.entry_id JOIN event v ON v.id = e.event_id \
     WHERE (p.debit = '1100' OR p.credit = '1100') AND v.kind <> 'books.adjusted' GROUP BY e.order_id) AS j ON j.order_id = o.id \
     WHERE s.amount - o.returned_total - o.captured + o.refunded <> COALESCE(j.amount, 0)"
);
