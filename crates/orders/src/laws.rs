//! The orders' part of `fulmar verify`.

use db::{Law, Proof, Sums};

/// What holds of every order at every commit.
pub const LAWS: &[Law] = &[
    Law {
        name: "orders.header_equals_lines",
        says: "An order's counters and amounts are the sums of its lines', what it no longer charges is the exact share of its cancelled units, and its lines know when it was placed.",
        proof: Proof::Sums(Sums {
            of: &["order", "placed at"],
            numbers: &[
                "goods",
                "discount",
                "net",
                "tax",
                "shipping",
                "shipping_tax",
                "fee",
                "units",
                "cancelled",
                "backordered",
                "shipped",
                "delivered",
                "returned",
                "cancelled total",
            ],
            parts: "SELECT id, placed_at, goods, discount, net, tax, shipping, shipping_tax, fee, units, units_cancelled, units_backordered, units_shipped, \
                    units_delivered, units_returned, cancelled_total FROM orders UNION ALL \
                SELECT order_id, placed_at, -gross, -discount, -net, -tax, -shipping, -shipping_tax, -fee, -ordered, -cancelled, -backordered, -shipped, \
                    -delivered, -returned, CASE WHEN cancelled = 0 THEN 0 ELSE -((net + tax) - ((net + tax) / ordered * (ordered - cancelled) + (net + tax) % ordered * (ordered - cancelled) / ordered)) \
                    - ((shipping + shipping_tax) - ((shipping + shipping_tax) / ordered * (ordered - cancelled) + (shipping + shipping_tax) % ordered * (ordered - cancelled) / ordered)) \
                    - (fee - (fee / ordered * (ordered - cancelled) + fee % ordered * (ordered - cancelled) / ordered)) END FROM order_line",
        }),
    },
    Law {
        name: "orders.belong_to_survivors",
        says: "No order belongs to a customer who was merged into another.",
        proof: Proof::Offenders(
            "SELECT o.number AS subject, 'belongs to ' || CAST(m.id AS TEXT) || ', who was merged' AS detail FROM customer m \
             JOIN orders o ON o.customer_id = m.id WHERE m.merged_into IS NOT NULL",
        ),
    },
    Law {
        name: "orders.have_lines",
        says: "Every order has a line.",
        proof: Proof::Offenders(
            "SELECT o.number AS subject, 'no lines' AS detail FROM orders o WHERE NOT EXISTS (SELECT 1 FROM order_line l WHERE l.order_id = o.id)",
        ),
    },
    Law {
        name: "orders.lines_conserve_units",
        says: "Every unit of a line is in exactly one bucket.",
        proof: Proof::Offenders(
            "SELECT CAST(l.id AS TEXT) AS subject, 'ordered ' || l.ordered || ' is not the sum of the buckets' AS detail FROM order_line l \
            WHERE l.ordered <> l.cancelled + l.pending + l.backordered + l.allocated + l.picked + l.packed + l.shipped OR l.shipped <> l.in_transit + l.delivered + l.lost OR l.returned > l.shipped",
        ),
    },
    Law {
        name: "orders.allocations_equal_buckets",
        says: "The units promised at locations are the line's allocated, picked and packed ones.",
        proof: Proof::Sums(Sums {
            of: &["line"],
            numbers: &["promised", "picked"],
            parts: "SELECT id, allocated + picked + packed, picked + packed FROM order_line UNION ALL \
                SELECT line_id, -quantity, -picked FROM allocation WHERE quantity <> 0 OR picked <> 0",
        }),
    },
    Law {
        name: "orders.stock_allocated_equals_promises",
        says: "Allocated stock is what open orders and open reservations were promised.",
        // By what was ordered first: few rows are left of them.
        proof: Proof::Offenders(
            "WITH promised AS MATERIALIZED (SELECT l.sku_id, a.location_id, SUM(a.quantity) AS n FROM allocation a JOIN order_line l ON l.id = a.line_id \
              WHERE a.quantity <> 0 GROUP BY l.sku_id, a.location_id) \
            SELECT CAST(x.sku_id AS TEXT) || ' at ' || CAST(x.location_id AS TEXT) AS subject, 'difference ' || x.difference AS detail FROM ( \
            SELECT sku_id, location_id, SUM(n) AS difference FROM ( \
              SELECT sku_id, location_id, allocated AS n FROM stock \
              UNION ALL SELECT p.sku_id, p.location_id, -p.n FROM promised p JOIN sku s ON s.id = p.sku_id WHERE s.kind = 'simple' \
              UNION ALL SELECT b.component_id, p.location_id, -p.n * b.quantity FROM promised p JOIN bundle_component b ON b.bundle_id = p.sku_id \
              UNION ALL SELECT r.sku_id, r.location_id, -r.quantity FROM reservation_line r JOIN reservation v ON v.id = r.reservation_id WHERE v.ended_at IS NULL \
            ) parts GROUP BY sku_id, location_id) x WHERE x.difference <> 0",
        ),
    },
    Law {
        name: "orders.holds_counted",
        says: "An order counts its holds.",
        proof: Proof::Sums(Sums {
            of: &["order"],
            numbers: &["holds"],
            parts: "SELECT id, holds FROM orders WHERE holds <> 0 UNION ALL \
                SELECT order_id, -1 FROM order_hold",
        }),
    },
    Law {
        name: "orders.money_equals_payments",
        says: "An order's paid amounts are the sums of its payments'.",
        proof: Proof::Sums(Sums {
            of: &["order"],
            numbers: &["authorised", "captured", "refunded", "disputed"],
            parts: "SELECT id, authorised, captured, refunded, disputed FROM orders UNION ALL \
                SELECT order_id, -CASE WHEN authorised - voided > captured THEN authorised - voided ELSE captured END, -captured, -refunded, \
                    -(disputed + dispute_lost) FROM payment",
        }),
    },
    Law {
        name: "orders.events_exist",
        says: "Every order has its `order.placed` in the log, once.",
        proof: Proof::Sums(Sums {
            of: &["order"],
            numbers: &["events"],
            parts: "SELECT id, -1 FROM orders UNION ALL SELECT order_id, 1 FROM event WHERE kind = 'order.placed'",
        }),
    },
    Law {
        name: "orders.bulk_counts_its_items",
        says: "What was done to many orders counts each of them once, and is over when none is left.",
        proof: Proof::Offenders(
            "SELECT CAST(b.id AS TEXT) AS subject, 'counts ' || b.done || ' done and ' || b.refused || ' refused of ' || b.total AS detail FROM order_bulk b \
            LEFT JOIN (SELECT bulk_id, COUNT(*) AS total, SUM(CASE WHEN outcome = 'done' THEN 1 ELSE 0 END) AS done, SUM(CASE WHEN outcome = 'refused' THEN 1 ELSE 0 END) AS refused \
                FROM order_bulk_item GROUP BY bulk_id) i ON i.bulk_id = b.id \
            WHERE COALESCE(i.total, 0) <> b.total OR COALESCE(i.done, 0) <> b.done OR COALESCE(i.refused, 0) <> b.refused OR (b.ended_at IS NOT NULL) <> (b.done + b.refused = b.total)",
        ),
    },
];
