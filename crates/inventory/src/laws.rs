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
    Law {
        name: "inventory.purchases_equal_their_lines",
        says: "A purchase order counts what its lines count.",
        proof: Proof::Sums(Sums {
            of: &["purchase order"],
            numbers: &["units", "received", "surplus", "cancelled"],
            parts: "SELECT id, units, received, surplus, cancelled FROM purchase UNION ALL \
                SELECT purchase_id, -ordered, -received, -surplus, -cancelled FROM purchase_line",
        }),
    },
    Law {
        name: "inventory.purchases_equal_their_receipts",
        says: "What came of a line is the sum of its receipts, and what is more than ordered too.",
        proof: Proof::Sums(Sums {
            of: &["purchase order", "line"],
            numbers: &["received", "surplus"],
            parts: "SELECT purchase_id, position, received, surplus FROM purchase_line UNION ALL \
                SELECT purchase_id, position, -quantity, -surplus FROM purchase_receipt",
        }),
    },
    Law {
        name: "inventory.purchase_receipts_are_movements",
        says: "A receipt of a purchase order is a movement of as many units of the SKU it ordered, at the location it ordered for.",
        proof: Proof::Offenders(
            "SELECT p.number AS subject, 'received ' || CAST(r.quantity AS TEXT) || ', moved ' || CAST(m.on_hand AS TEXT) || ' by ' || m.kind AS detail \
             FROM purchase_receipt r JOIN stock_movement m ON m.id = r.movement_id JOIN purchase p ON p.id = r.purchase_id \
             JOIN purchase_line n ON n.purchase_id = r.purchase_id AND n.position = r.position \
             WHERE m.kind <> 'receipt' OR m.on_hand <> r.quantity OR m.sku_id <> n.sku_id OR m.location_id <> p.location_id ORDER BY r.movement_id",
        ),
    },
    Law {
        name: "inventory.purchase_surplus_is_explained",
        says: "No more is received than was ordered, unless somebody said why.",
        proof: Proof::Offenders(
            "SELECT p.number AS subject, CAST(r.surplus AS TEXT) || ' more without a reason' AS detail FROM purchase_receipt r \
             JOIN purchase p ON p.id = r.purchase_id WHERE r.surplus > 0 AND COALESCE(r.reason, '') = '' ORDER BY r.movement_id",
        ),
    },
    Law {
        name: "inventory.incoming_is_on_order",
        says: "Incoming stock is what purchase orders that were sent are still to bring.",
        proof: Proof::Sums(Sums {
            of: &["sku", "location"],
            numbers: &["incoming"],
            parts: "SELECT sku_id, location_id, incoming FROM stock UNION ALL \
                SELECT n.sku_id, p.location_id, -n.open FROM purchase_line n JOIN purchase p ON p.id = n.purchase_id WHERE p.ordered_at IS NOT NULL",
        }),
    },
    Law {
        name: "inventory.sheets_count_their_lines",
        says: "A count sheet counts its lines and those that were counted.",
        proof: Proof::Sums(Sums {
            of: &["sheet"],
            numbers: &["lines", "counted"],
            parts: "SELECT id, total, counted FROM count_sheet UNION ALL \
                SELECT sheet_id, -1, CASE WHEN counted IS NULL THEN 0 ELSE -1 END FROM count_line",
        }),
    },
    Law {
        name: "inventory.sheets_correct_what_differed",
        says: "Of a sheet that is approved every counted line was corrected by its difference, left out with a reason, or the same; of others none.",
        proof: Proof::Offenders(
            "SELECT 'sheet ' || CAST(n.sheet_id AS TEXT) || ', sku ' || CAST(n.sku_id AS TEXT) AS subject, \
             COALESCE(n.outcome, 'left') || ': found ' || CAST(n.counted AS TEXT) || ', the books said ' || CAST(n.expected AS TEXT) AS detail \
             FROM count_line n JOIN count_sheet c ON c.id = n.sheet_id LEFT JOIN stock_movement m ON m.id = n.movement_id WHERE n.counted IS NOT NULL AND \
             ((n.outcome IS NULL) <> (c.approved_at IS NULL) OR (n.outcome = 'same') <> (n.counted = n.expected AND n.outcome IS NOT NULL) \
             OR (n.outcome = 'refused' AND COALESCE(n.why, '') = '') OR (m.id IS NOT NULL AND (m.on_hand <> n.counted - n.expected \
             OR m.kind <> 'adjust' OR m.sku_id <> n.sku_id OR m.location_id <> c.location_id))) ORDER BY n.sheet_id, n.sku_id",
        ),
    },
];
