//! The warehouse's part of `fulmar verify`.

use db::Law;

/// All laws of the warehouse.
pub const LAWS: &[Law] = &[
    Law {
        name: "warehouse.fulfilment_sums",
        says: "The counters of a fulfilment order are the sums of its lines.",
        offenders: "SELECT f.number AS subject, 'counters ' || f.quantity || '/' || f.cancelled || '/' || f.picked || '/' || f.packed || '/' || f.shipped \
             || ', lines ' || l.quantity || '/' || l.cancelled || '/' || l.picked || '/' || l.packed || '/' || l.shipped AS detail \
             FROM (SELECT fulfilment_id, CAST(SUM(quantity) AS BIGINT) AS quantity, CAST(SUM(cancelled) AS BIGINT) AS cancelled, CAST(SUM(picked) AS BIGINT) AS picked, \
             CAST(SUM(packed) AS BIGINT) AS packed, CAST(SUM(shipped) AS BIGINT) AS shipped FROM fulfilment_line GROUP BY fulfilment_id) l \
             JOIN fulfilment_order f ON f.id = l.fulfilment_id \
             WHERE f.quantity <> l.quantity OR f.cancelled <> l.cancelled OR f.picked <> l.picked OR f.packed <> l.packed OR f.shipped <> l.shipped \
             UNION ALL SELECT f.number AS subject, 'counters of ' || f.quantity || ', no lines' AS detail FROM fulfilment_order f \
             WHERE (f.quantity <> 0 OR f.cancelled <> 0 OR f.picked <> 0 OR f.packed <> 0 OR f.shipped <> 0) \
             AND NOT EXISTS (SELECT 1 FROM fulfilment_line l WHERE l.fulfilment_id = f.id)",
    },
    Law {
        name: "warehouse.lines_are_of_their_order",
        says: "A fulfilment line is about a line of the same order.",
        offenders: "SELECT f.number AS subject, 'line ' || l.line_id || ' of order ' || o.order_id AS detail FROM fulfilment_line l \
             JOIN fulfilment_order f ON f.id = l.fulfilment_id JOIN order_line o ON o.id = l.line_id WHERE o.order_id <> f.order_id OR o.sku_id <> l.sku_id",
    },
    Law {
        name: "warehouse.allocations_are_assigned",
        says: "What a line has allocated at a location and not shipped is on that location's fulfilment orders, and as much of it is picked.",
        offenders: "SELECT 'line ' || x.line_id || ' at location ' || x.location_id AS subject, 'allocated ' || CAST(SUM(x.allocated) AS BIGINT) \
             || ' and picked ' || CAST(SUM(x.picked) AS BIGINT) || ', on fulfilment orders ' || CAST(SUM(x.assigned) AS BIGINT) || ' and ' \
             || CAST(SUM(x.collected) AS BIGINT) AS detail FROM (\
             SELECT line_id, location_id, quantity AS allocated, 0 AS assigned, picked, 0 AS collected FROM allocation WHERE quantity <> 0 OR picked <> 0 UNION ALL \
             SELECT l.line_id, f.location_id, 0, l.quantity - l.cancelled - l.shipped, 0, l.picked - l.shipped FROM fulfilment_line l \
             JOIN fulfilment_order f ON f.id = l.fulfilment_id WHERE l.quantity - l.cancelled <> l.shipped OR l.picked <> l.shipped) x \
             GROUP BY x.line_id, x.location_id HAVING SUM(x.allocated) <> SUM(x.assigned) OR SUM(x.picked) <> SUM(x.collected)",
    },
    Law {
        name: "warehouse.buckets_equal_fulfilment",
        says: "A line's allocated, picked, packed and shipped units are those of its fulfilment lines. (Services are done without.)",
        offenders: "SELECT 'line ' || o.id AS subject, 'buckets ' || o.allocated || '/' || o.picked || '/' || o.packed || '/' || o.shipped || ', fulfilment ' \
             || l.open || '/' || l.picked || '/' || l.packed || '/' || l.shipped AS detail \
             FROM (SELECT line_id, CAST(SUM(quantity - cancelled - picked) AS BIGINT) AS open, CAST(SUM(picked - packed) AS BIGINT) AS picked, \
             CAST(SUM(packed - shipped) AS BIGINT) AS packed, CAST(SUM(shipped) AS BIGINT) AS shipped FROM fulfilment_line GROUP BY line_id) l JOIN order_line o ON o.id = l.line_id \
             WHERE (o.allocated <> l.open OR o.picked <> l.picked OR o.packed <> l.packed OR o.shipped <> l.shipped) \
             AND NOT EXISTS (SELECT 1 FROM sku k WHERE k.id = o.sku_id AND k.kind = 'service') \
             UNION ALL SELECT 'line ' || o.id AS subject, 'buckets ' || o.allocated || '/' || o.picked || '/' || o.packed || '/' || o.shipped || ', no fulfilment' AS detail \
             FROM order_line o WHERE (o.allocated <> 0 OR o.picked <> 0 OR o.packed <> 0 OR o.shipped <> 0) \
             AND NOT EXISTS (SELECT 1 FROM fulfilment_line l WHERE l.line_id = o.id) \
             AND NOT EXISTS (SELECT 1 FROM sku k WHERE k.id = o.sku_id AND k.kind = 'service')",
    },
    Law {
        name: "warehouse.parcels_hold_what_is_packed",
        says: "The units in parcels that are not taken apart are the packed units.",
        offenders: "SELECT 'fulfilment line ' || l.id AS subject, 'packed ' || l.packed || ', in parcels ' || COALESCE(p.quantity, 0) AS detail \
             FROM fulfilment_line l LEFT JOIN (SELECT pl.fulfilment_line_id, CAST(SUM(pl.quantity) AS BIGINT) AS quantity FROM parcel_line pl \
             JOIN parcel p ON p.id = pl.parcel_id WHERE p.unpacked_at IS NULL GROUP BY pl.fulfilment_line_id) p ON p.fulfilment_line_id = l.id \
             WHERE l.packed <> COALESCE(p.quantity, 0)",
    },
    Law {
        name: "warehouse.parcels_are_of_their_fulfilment",
        says: "A parcel holds lines of its own fulfilment order.",
        offenders: "SELECT 'parcel ' || p.id AS subject, 'fulfilment line ' || l.id AS detail FROM parcel_line pl JOIN parcel p ON p.id = pl.parcel_id \
             JOIN fulfilment_line l ON l.id = pl.fulfilment_line_id JOIN fulfilment_order f ON f.id = p.fulfilment_id \
             WHERE l.fulfilment_id <> p.fulfilment_id OR l.line_id <> pl.line_id OR p.order_id <> f.order_id OR p.location_id <> f.location_id",
    },
    Law {
        name: "warehouse.holds_follow_the_order",
        says: "A fulfilment order is on hold exactly while its order has holds.",
        offenders: "SELECT f.number AS subject, 'the order has ' || o.holds || ' holds' AS detail FROM fulfilment_order f JOIN orders o ON o.id = f.order_id \
             WHERE f.on_hold <> (o.holds > 0)",
    },
    Law {
        name: "warehouse.nothing_begins_unasked",
        says: "Units are picked only after a release, or after those who fulfil accepted.",
        offenders: "SELECT f.number AS subject, f.picked || ' picked' AS detail FROM fulfilment_order f \
             WHERE f.picked > 0 AND f.released_at IS NULL AND f.request <> 'accepted'",
    },
    Law {
        name: "warehouse.scanned_is_loose",
        says: "The pack station has scanned no more pieces than are picked and in no parcel.",
        offenders: "SELECT 'fulfilment line ' || p.fulfilment_line_id AS subject, p.scanned || ' of SKU ' || p.sku_id AS detail FROM pack_progress p \
             JOIN fulfilment_line l ON l.id = p.fulfilment_line_id LEFT JOIN bundle_component c ON c.bundle_id = l.sku_id AND c.component_id = p.sku_id \
             WHERE p.scanned > (l.picked - l.packed) * COALESCE(c.quantity, 1) OR (c.quantity IS NULL AND p.sku_id <> l.sku_id)",
    },
    Law {
        name: "warehouse.progress_is_needed",
        says: "Components are collected only for units that are still to be picked, and never more than they need.",
        offenders: "SELECT 'fulfilment line ' || p.fulfilment_line_id AS subject, p.scanned || ' of component ' || p.sku_id AS detail FROM pick_progress p \
             JOIN fulfilment_line l ON l.id = p.fulfilment_line_id LEFT JOIN bundle_component c ON c.bundle_id = l.sku_id AND c.component_id = p.sku_id \
             WHERE l.quantity - l.cancelled - l.picked = 0 OR p.scanned > c.quantity * (l.quantity - l.cancelled - l.picked)",
    },
];
