//! What `fulmar verify` checks of customers.

use db::Law;

/// The laws of this slice.
pub const LAWS: &[Law] = &[Law {
    name: "customers.credit_equals_entries",
    says: "A balance of store credit is the sum of its entries.",
    offenders: "SELECT 'customer ' || CAST(customer_id AS TEXT) || ' ' || currency AS subject, \
         'balance ' || CAST(CAST(SUM(balance) AS BIGINT) AS TEXT) || ', entries ' || CAST(CAST(SUM(amount) AS BIGINT) AS TEXT) AS detail \
         FROM (SELECT customer_id, currency, balance, 0 AS amount FROM store_credit \
         UNION ALL SELECT customer_id, currency, 0 AS balance, amount FROM store_credit_entry) AS both_sides \
         GROUP BY customer_id, currency HAVING SUM(balance) <> SUM(amount) ORDER BY customer_id, currency",
}];
