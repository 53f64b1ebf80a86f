//! What `fulmar verify` checks of customers.

use db::{Law, Proof, Sums};

/// The laws of this slice.
pub const LAWS: &[Law] = &[
    Law {
        name: "customers.credit_equals_entries",
        says: "A balance of store credit is the sum of its entries.",
        proof: Proof::Sums(Sums {
            of: &["customer", "currency"],
            numbers: &["balance"],
            parts: "SELECT customer_id, currency, balance FROM store_credit UNION ALL \
                SELECT customer_id, currency, -amount FROM store_credit_entry",
        }),
    },
    Law {
        name: "customers.consents_alternate",
        says: "A customer's words on a channel begin with a consent, and each says something else than the one before.",
        proof: Proof::Offenders(
            "SELECT CAST(k.id AS TEXT) AS subject, k.channel AS detail FROM (SELECT id, channel, given, \
             LAG(CASE WHEN given THEN 1 ELSE 0 END, 1, 0) OVER (PARTITION BY customer_id, channel ORDER BY at, id) AS before FROM customer_consent) AS k \
             WHERE k.before = CASE WHEN k.given THEN 1 ELSE 0 END",
        ),
    },
];
