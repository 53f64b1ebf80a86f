//! What `fulmar verify` checks of inventory: each sums both sides with opposite signs, so that a row missing on either side is found.

use db::Law;

/// The laws of this slice.
pub const LAWS: &[Law] = &[
    Law {
        name: "inventory.counters_equal_movements",
        says: "On hand, allocated, incoming and quarantined of every SKU and location, and the value of what we own of a SKU, are the sums of their movements.",
        // The movements are read once, for both, and in the order they lie in: by their index SQLite would jump from row to row.
        offenders: "WITH moved AS MATERIALIZED (SELECT m.sku_id + 0 AS sku_id, m.location_id + 0 AS location_id, CAST(SUM(m.on_hand) AS BIGINT) AS on_hand, CAST(SUM(m.allocated) AS BIGINT) AS allocated, \
             CAST(SUM(m.incoming) AS BIGINT) AS incoming, CAST(SUM(m.quarantined) AS BIGINT) AS quarantined, CAST(SUM(m.value) AS BIGINT) AS value \
             FROM stock_movement m GROUP BY m.sku_id + 0, m.location_id + 0) \
             SELECT 'sku ' || CAST(sku_id AS TEXT) || ' at ' || CAST(location_id AS TEXT) AS subject, \
             'counters minus movements: on hand ' || CAST(CAST(SUM(on_hand) AS BIGINT) AS TEXT) || \
             ', allocated ' || CAST(CAST(SUM(allocated) AS BIGINT) AS TEXT) || \
             ', incoming ' || CAST(CAST(SUM(incoming) AS BIGINT) AS TEXT) || \
             ', quarantined ' || CAST(CAST(SUM(quarantined) AS BIGINT) AS TEXT) AS detail \
             FROM (SELECT sku_id, location_id, on_hand, allocated, incoming, quarantined FROM stock \
             UNION ALL SELECT sku_id, location_id, -on_hand, -allocated, -incoming, -quarantined FROM moved) AS both_sides \
             GROUP BY sku_id, location_id \
             HAVING SUM(on_hand) <> 0 OR SUM(allocated) <> 0 OR SUM(incoming) <> 0 OR SUM(quarantined) <> 0 \
             UNION ALL SELECT 'sku ' || CAST(sku_id AS TEXT) AS subject, \
             'value ' || CAST(CAST(SUM(held) AS BIGINT) AS TEXT) || ', movements ' || CAST(CAST(SUM(value) AS BIGINT) AS TEXT) AS detail \
             FROM (SELECT sku_id, value AS held, 0 AS value FROM sku_cost UNION ALL SELECT sku_id, 0 AS held, value FROM moved) AS values_of \
             GROUP BY sku_id HAVING SUM(held) <> SUM(value)",
    },
    Law {
        name: "inventory.quantity_equals_owned_stock",
        says: "The cost ledger of a SKU counts what lies at our own locations, on hand or in quarantine.",
        offenders: "SELECT 'sku ' || CAST(sku_id AS TEXT) AS subject, \
             'cost ledger ' || CAST(CAST(SUM(held) AS BIGINT) AS TEXT) || ', owned stock ' || CAST(CAST(SUM(lies) AS BIGINT) AS TEXT) AS detail \
             FROM (SELECT sku_id, quantity AS held, 0 AS lies FROM sku_cost \
             UNION ALL SELECT s.sku_id, 0 AS held, s.on_hand + s.quarantined AS lies FROM stock s \
             JOIN location l ON l.id = s.location_id WHERE l.kind <> 'supplier') AS both_sides \
             GROUP BY sku_id HAVING SUM(held) <> SUM(lies) ORDER BY sku_id",
    },
    Law {
        name: "inventory.open_reservations_are_allocated",
        says: "Units of open reservations are among the allocated.",
        offenders: "SELECT 'sku ' || CAST(r.sku_id AS TEXT) || ' at ' || CAST(r.location_id AS TEXT) AS subject, \
             'reserved ' || CAST(r.units AS TEXT) || ', allocated ' || CAST(COALESCE(s.allocated, 0) AS TEXT) AS detail \
             FROM (SELECT n.sku_id, n.location_id, CAST(SUM(n.quantity) AS BIGINT) AS units FROM reservation_line n \
             JOIN reservation v ON v.id = n.reservation_id WHERE v.ended_at IS NULL GROUP BY n.sku_id, n.location_id) AS r \
             LEFT JOIN stock s ON s.sku_id = r.sku_id AND s.location_id = r.location_id \
             WHERE COALESCE(s.allocated, 0) < r.units ORDER BY r.sku_id, r.location_id",
    },
];
