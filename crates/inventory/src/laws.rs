//! What `fulmar verify` checks of inventory: each sums both sides with opposite signs, so that a row missing on either side is found.

use db::{Law, Proof, Sums};

/// The laws of this slice.
pub const LAWS: &[Law] = &[
    Law {
        name: "inventory.counters_equal_movements",
        says: "On hand, allocated, incoming and quarantined of every SKU and location are the sums of their movements.",
        proof: Proof::Sums(Sums {
            of: &["sku", "location"],
            numbers: &["on hand", "allocated", "incoming", "quarantined"],
            parts: "SELECT sku_id, location_id, on_hand, allocated, incoming, quarantined FROM stock UNION ALL \
                SELECT sku_id, location_id, -on_hand, -allocated, -incoming, -quarantined FROM stock_movement",
        }),
    },
    Law {
        name: "inventory.value_equals_movements",
        says: "The value of what we own of a SKU is the sum of its movements'.",
        proof: Proof::Sums(Sums {
            of: &["sku"],
            numbers: &["value"],
            parts: "SELECT sku_id, value FROM sku_cost UNION ALL \
                SELECT sku_id, -value FROM stock_movement WHERE value <> 0",
        }),
    },
    Law {
        name: "inventory.quantity_equals_owned_stock",
        says: "The cost ledger of a SKU counts what lies at our own locations, on hand or in quarantine.",
        proof: Proof::Sums(Sums {
            of: &["sku"],
            numbers: &["units"],
            parts: "SELECT sku_id, quantity FROM sku_cost UNION ALL \
                SELECT s.sku_id, -(s.on_hand + s.quarantined) FROM stock s JOIN location l ON l.id = s.location_id WHERE l.kind <> 'supplier'",
        }),
    },
    Law {
        name: "inventory.open_reservations_are_allocated",
        says: "Units of open reservations are among the allocated.",
        proof: Proof::Offenders(
            "SELECT 'sku ' || CAST(r.sku_id AS TEXT) || ' at ' || CAST(r.location_id AS TEXT) AS subject, \
             'reserved ' || CAST(r.units AS TEXT) || ', allocated ' || CAST(COALESCE(s.allocated, 0) AS TEXT) AS detail \
             FROM (SELECT n.sku_id, n.location_id, CAST(SUM(n.quantity) AS BIGINT) AS units FROM reservation_line n \
             JOIN reservation v ON v.id = n.reservation_id WHERE v.ended_at IS NULL GROUP BY n.sku_id, n.location_id) AS r \
             LEFT JOIN stock s ON s.sku_id = r.sku_id AND s.location_id = r.location_id \
             WHERE COALESCE(s.allocated, 0) < r.units ORDER BY r.sku_id, r.location_id",
        ),
    },
];
