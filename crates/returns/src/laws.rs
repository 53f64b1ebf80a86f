//! What `fulmar verify` proves of returns: units, credits and settlements agree with the orders and the payments.

use db::{Law, Proof, Sums};

/// A field of an event's payload, as text. The log keeps JSON as text, which PostgreSQL has to be told.
macro_rules! field {
    ($name:literal) => {
        concat!("CAST(/*pg CAST(*/ v.payload /*pg AS jsonb) */ ->> '", $name, "' AS TEXT)")
    };
}

/// The laws of returns.
pub const LAWS: &[Law] = &[
    Law {
        name: "returns.returned_equals_accepted",
        says: "A line's returned units are its accepted ones.",
        proof: Proof::Sums(Sums {
            of: &["line"],
            numbers: &["returned"],
            parts: "SELECT id, returned FROM order_line WHERE returned <> 0 UNION ALL \
                SELECT line_id, -1 FROM return_unit WHERE acceptance = 'accepted'",
        }),
    },
    Law {
        name: "returns.units_were_shipped",
        says: "What is asked back has been shipped.",
        proof: Proof::Offenders(
            "SELECT CAST(u.id AS TEXT) AS subject, 'unit ' || CAST(u.unit AS TEXT) || ' of ' || CAST(l.shipped AS TEXT) || ' shipped' AS detail \
            FROM return_unit u JOIN order_line l ON l.id = u.line_id WHERE u.unit >= l.shipped OR u.order_id <> l.order_id",
        ),
    },
    Law {
        name: "returns.credited_equals_units",
        says: "A return's credit is the sum of its accepted units', and others have none.",
        proof: Proof::Offenders(
            "SELECT r.number AS subject, 'says ' || CAST(r.credited AS TEXT) || ', its units say ' || CAST(COALESCE(u.credit, 0) AS TEXT) AS detail \
            FROM return_request r LEFT JOIN (SELECT return_id, CAST(SUM(credit) AS BIGINT) AS credit, \
            CAST(SUM(CASE WHEN acceptance = 'accepted' THEN 0 ELSE credit END) AS BIGINT) AS wrong FROM return_unit GROUP BY return_id) AS u ON u.return_id = r.id \
            WHERE r.credited <> COALESCE(u.credit, 0) OR COALESCE(u.wrong, 0) <> 0",
        ),
    },
    Law {
        name: "returns.order_total_equals_credits",
        says: "What an order takes off for returned units is what its returns credit.",
        proof: Proof::Sums(Sums {
            of: &["order"],
            numbers: &["returned total"],
            parts: "SELECT id, returned_total FROM orders WHERE returned_total <> 0 UNION ALL \
                SELECT order_id, -credit FROM return_unit WHERE credit <> 0",
        }),
    },
    Law {
        name: "returns.credit_within_unit",
        says: "No unit is credited with more than its share of what was charged (each of the five parts rounds up by one at most).",
        proof: Proof::Offenders(
            "SELECT CAST(u.id AS TEXT) AS subject, 'credit ' || CAST(u.credit AS TEXT) AS detail FROM return_unit u JOIN order_line l ON l.id = u.line_id \
            WHERE u.credit < 0 OR u.credit > l.net / l.ordered + l.tax / l.ordered + l.shipping / l.ordered + l.shipping_tax / l.ordered + l.fee / l.ordered + 5",
        ),
    },
    Law {
        name: "returns.released_units",
        says: "Units of declined returns and rejected units may be asked for again, others may not.",
        proof: Proof::Offenders(
            "SELECT CAST(u.id AS TEXT) AS subject, u.acceptance AS detail FROM return_unit u JOIN return_request r ON r.id = u.return_id \
            WHERE u.released <> (r.declined_at IS NOT NULL OR u.acceptance = 'rejected')",
        ),
    },
    Law {
        name: "returns.settled_is_decided",
        says: "A settled return has no undecided unit.",
        proof: Proof::Offenders(
            "SELECT r.number AS subject, CAST(u.id AS TEXT) AS detail FROM return_request r JOIN return_unit u ON u.return_id = r.id \
            WHERE r.settled_at IS NOT NULL AND u.acceptance IN ('pending', 'manual_review')",
        ),
    },
    Law {
        name: "returns.settled_is_paid",
        says: "A settled return's credit was granted as refunds, but for what was taken off an unpaid order.",
        proof: Proof::Offenders(concat!(
            "SELECT r.number AS subject, 'credit ' || CAST(r.credited AS TEXT) || ', granted ' || CAST(COALESCE(f.amount, 0) AS TEXT) AS detail \
             FROM return_request r LEFT JOIN (SELECT return_id, CAST(SUM(amount) AS BIGINT) AS amount FROM refund WHERE return_id IS NOT NULL GROUP BY return_id) AS f ON f.return_id = r.id \
             LEFT JOIN event v ON v.kind = 'return.settled' AND v.order_id = r.order_id AND ",
            field!("return_id"),
            " = CAST(r.id AS TEXT) \
             WHERE (r.settled_at IS NULL AND COALESCE(f.amount, 0) <> 0) OR (r.settled_at IS NOT NULL AND (v.id IS NULL \
             OR COALESCE(f.amount, 0) <> CAST(",
            field!("refunded"),
            " AS BIGINT) OR CAST(",
            field!("refunded"),
            " AS BIGINT) + CAST(",
            field!("offset"),
            " AS BIGINT) <> r.credited))"
        )),
    },
    Law {
        name: "returns.photos_are_whole",
        says: "A photo is as long as it says, and a return has eight at most.",
        proof: Proof::Offenders(
            "SELECT CAST(p.id AS TEXT) AS subject, CAST(LENGTH(p.content) AS TEXT) || ' letters for ' || CAST(p.bytes AS TEXT) || ' bytes' AS detail \
            FROM return_photo p WHERE LENGTH(p.content) <> (p.bytes + 2) / 3 * 4 UNION ALL \
            SELECT CAST(p.return_id AS TEXT), CAST(COUNT(*) AS TEXT) || ' photos' FROM return_photo p GROUP BY p.return_id HAVING COUNT(*) > 8",
        ),
    },
    Law {
        name: "returns.are_of_the_orders_customer",
        says: "A return is asked by the customer of its order, also after customers were merged.",
        proof: Proof::Offenders(
            "SELECT r.number AS subject, 'of ' || CAST(r.customer_id AS TEXT) || ', the order of ' || CAST(o.customer_id AS TEXT) AS detail \
            FROM return_request r JOIN orders o ON o.id = r.order_id WHERE r.customer_id <> o.customer_id",
        ),
    },
];
