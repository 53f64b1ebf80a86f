//! What `fulmar verify` checks of customers.

use db::{Law, Proof, Sums};

/// The laws of this slice.
pub const LAWS: &[Law] = &[Law {
    name: "customers.credit_equals_entries",
    says: "A balance of store credit is the sum of its entries.",
    proof: Proof::Sums(Sums {
        of: &["customer", "currency"],
        numbers: &["balance"],
        parts: "SELECT customer_id, currency, balance FROM store_credit UNION ALL \
                SELECT customer_id, currency, -amount FROM store_credit_entry",
    }),
}];
