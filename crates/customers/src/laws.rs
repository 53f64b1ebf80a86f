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
    Law {
        name: "customers.merged_lead_to_somebody",
        says: "Who was merged leads, in one step, to a customer who was not merged.",
        proof: Proof::Offenders(
            "SELECT CAST(m.id AS TEXT) AS subject, CASE WHEN c.id IS NULL THEN 'leads to nobody' ELSE 'leads to somebody who leads on' END AS detail \
             FROM customer m LEFT JOIN customer c ON c.id = m.merged_into WHERE m.merged_into IS NOT NULL AND (c.id IS NULL OR c.merged_into IS NOT NULL)",
        ),
    },
    Law {
        name: "customers.merged_own_nothing",
        says: "Who was merged has no store credit, no notes and no consent that holds: they are the survivor's.",
        proof: Proof::Offenders(
            "SELECT CAST(m.id AS TEXT) AS subject, 'has ' || CAST(s.balance AS TEXT) || ' ' || s.currency AS detail FROM customer m \
             JOIN store_credit s ON s.customer_id = m.id WHERE m.merged_into IS NOT NULL AND s.balance <> 0 \
             UNION ALL SELECT CAST(m.id AS TEXT), 'has a note' FROM customer m JOIN customer_note n ON n.customer_id = m.id WHERE m.merged_into IS NOT NULL \
             UNION ALL SELECT CAST(m.id AS TEXT), 'has a consent to ' || k.channel FROM customer m JOIN customer_consent k ON k.customer_id = m.id \
             WHERE m.merged_into IS NOT NULL AND k.given AND NOT EXISTS (SELECT 1 FROM customer_consent l \
             WHERE l.customer_id = k.customer_id AND l.channel = k.channel AND (l.at > k.at OR (l.at = k.at AND l.id > k.id)))",
        ),
    },
];
