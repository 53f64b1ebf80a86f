//! The warehouse's part of `fulmar verify`.

use db::{Law, Proof, Sums};

/// All laws of the warehouse.
pub const LAWS: &[Law] = &[
    Law {
        name: "warehouse.fulfilment_sums",
        says: "The counters of a fulfilment order are the sums of its lines.",
        proof: Proof::Sums(Sums {
            of: &["fulfilment order"],
            numbers: &["quantity", "cancelled", "picked", "packed", "shipped"],
            parts: "SELECT id, quantity, cancelled, picked, packed, shipped FROM fulfilment_order UNION ALL \
                SELECT fulfilment_id, -quantity, -cancelled, -picked, -packed, -shipped FROM fulfilment_line",
        }),
    },
    Law {
        name: "warehouse.lines_are_of_their_order",
        says: "A fulfilment line is about a line of the same order.",
        proof: Proof::Offenders(
            "SELECT f.number AS subject, 'line ' || l.line_id || ' of order ' || o.order_id AS detail FROM fulfilment_line l \
             JOIN fulfilment_order f ON f.id = l.fulfilment_id JOIN order_line o ON o.id = l.line_id WHERE o.order_id <> f.order_id OR o.sku_id <> l.sku_id",
        ),
    },
    Law {
        name: "warehouse.allocations_are_assigned",
        says: "What a line has allocated at a location and not shipped is on that location's fulfilment orders, and as much of it is picked.",
        proof: Proof::Sums(Sums {
            of: &["line", "location"],
            numbers: &["allocated", "picked"],
            parts: "SELECT line_id, location_id, quantity, picked FROM allocation WHERE quantity <> 0 OR picked <> 0 UNION ALL \
                SELECT l.line_id, f.location_id, l.shipped + l.cancelled - l.quantity, l.shipped - l.picked FROM fulfilment_line l \
                    JOIN fulfilment_order f ON f.id = l.fulfilment_id WHERE l.quantity - l.cancelled <> l.shipped OR l.picked <> l.shipped",
        }),
    },
    Law {
        name: "warehouse.buckets_equal_fulfilment",
        says: "A line's allocated, picked, packed and shipped units are those of its fulfilment lines. (Services are done without.)",
        proof: Proof::Sums(Sums {
            of: &["line"],
            numbers: &["allocated", "picked", "packed", "shipped"],
            parts: "SELECT id, allocated, picked, packed, shipped FROM order_line WHERE sku_id NOT IN (SELECT id FROM sku WHERE kind = 'service') UNION ALL \
                SELECT line_id, cancelled + picked - quantity, packed - picked, shipped - packed, -shipped FROM fulfilment_line",
        }),
    },
    Law {
        name: "warehouse.parcels_hold_what_is_packed",
        says: "The units in parcels that are not taken apart are the packed units.",
        proof: Proof::Sums(Sums {
            of: &["fulfilment line"],
            numbers: &["packed"],
            parts: "SELECT id, packed FROM fulfilment_line WHERE packed <> 0 UNION ALL \
                SELECT pl.fulfilment_line_id, -pl.quantity FROM parcel_line pl JOIN parcel p ON p.id = pl.parcel_id WHERE p.unpacked_at IS NULL",
        }),
    },
    Law {
        name: "warehouse.parcels_are_of_their_fulfilment",
        says: "A parcel holds lines of its own fulfilment order.",
        proof: Proof::Offenders(
            "SELECT 'parcel ' || p.id AS subject, 'fulfilment line ' || l.id AS detail FROM parcel_line pl JOIN parcel p ON p.id = pl.parcel_id \
             JOIN fulfilment_line l ON l.id = pl.fulfilment_line_id JOIN fulfilment_order f ON f.id = p.fulfilment_id \
             WHERE l.fulfilment_id <> p.fulfilment_id OR l.line_id <> pl.line_id OR p.order_id <> f.order_id OR p.location_id <> f.location_id",
        ),
    },
    Law {
        name: "warehouse.holds_follow_the_order",
        says: "A fulfilment order is on hold exactly while its order has holds.",
        proof: Proof::Offenders(
            "SELECT f.number AS subject, 'the order has ' || o.holds || ' holds' AS detail FROM fulfilment_order f JOIN orders o ON o.id = f.order_id \
             WHERE f.on_hold <> (o.holds > 0)",
        ),
    },
    Law {
        name: "warehouse.nothing_begins_unasked",
        says: "Units are picked only after a release, or after those who fulfil accepted.",
        proof: Proof::Offenders(
            "SELECT f.number AS subject, f.picked || ' picked' AS detail FROM fulfilment_order f \
             WHERE f.picked > 0 AND f.released_at IS NULL AND f.request <> 'accepted'",
        ),
    },
    Law {
        name: "warehouse.scanned_is_loose",
        says: "The pack station has scanned no more pieces than are picked and in no parcel.",
        proof: Proof::Offenders(
            "SELECT 'fulfilment line ' || p.fulfilment_line_id AS subject, p.scanned || ' of SKU ' || p.sku_id AS detail FROM pack_progress p \
             JOIN fulfilment_line l ON l.id = p.fulfilment_line_id LEFT JOIN bundle_component c ON c.bundle_id = l.sku_id AND c.component_id = p.sku_id \
             WHERE p.scanned > (l.picked - l.packed) * COALESCE(c.quantity, 1) OR (c.quantity IS NULL AND p.sku_id <> l.sku_id)",
        ),
    },
    Law {
        name: "warehouse.progress_is_needed",
        says: "Components are collected only for units that are still to be picked, and never more than they need.",
        proof: Proof::Offenders(
            "SELECT 'fulfilment line ' || p.fulfilment_line_id AS subject, p.scanned || ' of component ' || p.sku_id AS detail FROM pick_progress p \
             JOIN fulfilment_line l ON l.id = p.fulfilment_line_id LEFT JOIN bundle_component c ON c.bundle_id = l.sku_id AND c.component_id = p.sku_id \
             WHERE l.quantity - l.cancelled - l.picked = 0 OR p.scanned > c.quantity * (l.quantity - l.cancelled - l.picked)",
        ),
    },
];
