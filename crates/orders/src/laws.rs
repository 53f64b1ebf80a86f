//! The orders' part of `fulmar verify`.

use db::Law;

/// What holds of every order at every commit.
pub const LAWS: &[Law] = &[
    Law {
        name: "orders.header_equals_lines",
        says: "An order's counters and amounts are the sums of its lines', what it no longer charges is the exact share of its cancelled units, and its lines know when it was placed.",
        offenders: "SELECT o.number AS subject, 'header and lines differ' || CASE WHEN o.cancelled_total <> l.cancelled_total \
               THEN ': says ' || o.cancelled_total || ' cancelled, its units say ' || l.cancelled_total ELSE '' END AS detail FROM ( \
            SELECT order_id, SUM(gross) AS goods, SUM(discount) AS discount, SUM(net) AS net, SUM(tax) AS tax, SUM(shipping) AS shipping, SUM(shipping_tax) AS shipping_tax, \
                   SUM(fee) AS fee, SUM(ordered) AS units, SUM(cancelled) AS cancelled, SUM(backordered) AS backordered, SUM(shipped) AS shipped, \
                   SUM(delivered) AS delivered, SUM(returned) AS returned, MIN(placed_at) AS placed_first, MAX(placed_at) AS placed_last, \
                   SUM(CASE WHEN cancelled = 0 THEN 0 ELSE (net + tax) - ((net + tax) / ordered * (ordered - cancelled) + (net + tax) % ordered * (ordered - cancelled) / ordered) \
                   + (shipping + shipping_tax) - ((shipping + shipping_tax) / ordered * (ordered - cancelled) + (shipping + shipping_tax) % ordered * (ordered - cancelled) / ordered) \
                   + fee - (fee / ordered * (ordered - cancelled) + fee % ordered * (ordered - cancelled) / ordered) END) AS cancelled_total \
            FROM order_line GROUP BY order_id) l JOIN orders o ON o.id = l.order_id \
            WHERE o.goods <> l.goods OR o.discount <> l.discount OR o.net <> l.net OR o.tax <> l.tax OR o.shipping <> l.shipping OR o.shipping_tax <> l.shipping_tax \
               OR o.fee <> l.fee OR o.units <> l.units OR o.units_cancelled <> l.cancelled OR o.units_backordered <> l.backordered OR o.units_shipped <> l.shipped \
               OR o.units_delivered <> l.delivered OR o.units_returned <> l.returned OR o.placed_at <> l.placed_first OR o.placed_at <> l.placed_last \
               OR o.cancelled_total <> l.cancelled_total",
    },
    Law {
        name: "orders.have_lines",
        says: "Every order has a line.",
        offenders: "SELECT o.number AS subject, 'no lines' AS detail FROM orders o WHERE NOT EXISTS (SELECT 1 FROM order_line l WHERE l.order_id = o.id)",
    },
    Law {
        name: "orders.lines_conserve_units",
        says: "Every unit of a line is in exactly one bucket.",
        offenders: "SELECT CAST(l.id AS TEXT) AS subject, 'ordered ' || l.ordered || ' is not the sum of the buckets' AS detail FROM order_line l \
            WHERE l.ordered <> l.cancelled + l.pending + l.backordered + l.allocated + l.picked + l.packed + l.shipped OR l.shipped <> l.in_transit + l.delivered + l.lost OR l.returned > l.shipped",
    },
    Law {
        name: "orders.allocations_equal_buckets",
        says: "The units promised at locations are the line's allocated, picked and packed ones.",
        offenders: "SELECT CAST(l.id AS TEXT) AS subject, 'promised ' || COALESCE(a.quantity, 0) || ', in buckets ' || (l.allocated + l.picked + l.packed) AS detail \
            FROM order_line l LEFT JOIN (SELECT line_id, SUM(quantity) AS quantity, SUM(picked) AS picked FROM allocation WHERE quantity <> 0 OR picked <> 0 GROUP BY line_id) a ON a.line_id = l.id \
            WHERE COALESCE(a.quantity, 0) <> l.allocated + l.picked + l.packed OR COALESCE(a.picked, 0) <> l.picked + l.packed",
    },
    Law {
        name: "orders.stock_allocated_equals_promises",
        says: "Allocated stock is what open orders and open reservations were promised.",
        // By what was ordered first: few rows are left of them.
        offenders: "WITH promised AS MATERIALIZED (SELECT l.sku_id, a.location_id, SUM(a.quantity) AS n FROM allocation a JOIN order_line l ON l.id = a.line_id \
              WHERE a.quantity <> 0 GROUP BY l.sku_id, a.location_id) \
            SELECT CAST(x.sku_id AS TEXT) || ' at ' || CAST(x.location_id AS TEXT) AS subject, 'difference ' || x.difference AS detail FROM ( \
            SELECT sku_id, location_id, SUM(n) AS difference FROM ( \
              SELECT sku_id, location_id, allocated AS n FROM stock \
              UNION ALL SELECT p.sku_id, p.location_id, -p.n FROM promised p JOIN sku s ON s.id = p.sku_id WHERE s.kind = 'simple' \
              UNION ALL SELECT b.component_id, p.location_id, -p.n * b.quantity FROM promised p JOIN bundle_component b ON b.bundle_id = p.sku_id \
              UNION ALL SELECT r.sku_id, r.location_id, -r.quantity FROM reservation_line r JOIN reservation v ON v.id = r.reservation_id WHERE v.ended_at IS NULL \
            ) parts GROUP BY sku_id, location_id) x WHERE x.difference <> 0",
    },
    Law {
        name: "orders.holds_counted",
        says: "An order counts its holds.",
        offenders: "SELECT o.number AS subject, 'counts ' || o.holds AS detail FROM orders o LEFT JOIN (SELECT order_id, COUNT(*) AS n FROM order_hold GROUP BY order_id) h ON h.order_id = o.id \
            WHERE o.holds <> COALESCE(h.n, 0)",
    },
    Law {
        name: "orders.money_equals_payments",
        says: "An order's paid amounts are the sums of its payments'.",
        offenders: "SELECT o.number AS subject, 'captured ' || o.captured || ', payments say ' || COALESCE(p.captured, 0) AS detail FROM orders o LEFT JOIN ( \
            SELECT order_id, SUM(CASE WHEN authorised - voided > captured THEN authorised - voided ELSE captured END) AS authorised, SUM(captured) AS captured, \
                   SUM(refunded) AS refunded, SUM(disputed + dispute_lost) AS disputed FROM payment GROUP BY order_id) p ON p.order_id = o.id \
            WHERE o.captured <> COALESCE(p.captured, 0) OR o.refunded <> COALESCE(p.refunded, 0) OR o.authorised <> COALESCE(p.authorised, 0) OR o.disputed <> COALESCE(p.disputed, 0)",
    },
    Law {
        name: "orders.events_exist",
        says: "Every order has its `order.placed` in the log.",
        offenders: "SELECT o.number AS subject, 'no order.placed' AS detail FROM orders o WHERE NOT EXISTS (SELECT 1 FROM event e WHERE e.order_id = o.id AND e.kind = 'order.placed')",
    },
    Law {
        name: "orders.bulk_counts_its_items",
        says: "What was done to many orders counts each of them once, and is over when none is left.",
        offenders: "SELECT CAST(b.id AS TEXT) AS subject, 'counts ' || b.done || ' done and ' || b.refused || ' refused of ' || b.total AS detail FROM order_bulk b \
            LEFT JOIN (SELECT bulk_id, COUNT(*) AS total, SUM(CASE WHEN outcome = 'done' THEN 1 ELSE 0 END) AS done, SUM(CASE WHEN outcome = 'refused' THEN 1 ELSE 0 END) AS refused \
                FROM order_bulk_item GROUP BY bulk_id) i ON i.bulk_id = b.id \
            WHERE COALESCE(i.total, 0) <> b.total OR COALESCE(i.done, 0) <> b.done OR COALESCE(i.refused, 0) <> b.refused OR (b.ended_at IS NOT NULL) <> (b.done + b.refused = b.total)",
    },
];
