//! Shipping's part of `fulmar verify`.

use db::{Law, Proof, Sums};

/// All laws of shipping.
pub const LAWS: &[Law] = &[
    Law {
        name: "shipping.status_is_the_fold",
        says: "A shipment's status is the highest rank that its times and its tracking reached.",
        proof: Proof::Offenders(
            "SELECT 'shipment ' || s.id AS subject, 'status ' || s.status || ', facts say ' || s.folded AS detail FROM (\
             SELECT s.id, s.status, CASE WHEN s.voided_at IS NOT NULL THEN 'voided' WHEN s.shipped_at IS NULL THEN \
             CASE WHEN s.status = 'draft' THEN 'draft' ELSE 'label_purchased' END ELSE CASE COALESCE(t.rank, 0) WHEN 8 THEN 'returned_to_sender' \
             WHEN 7 THEN 'delivered' WHEN 6 THEN 'lost' WHEN 5 THEN 'exception' WHEN 4 THEN 'available_for_pickup' WHEN 3 THEN 'attempt_failed' \
             WHEN 2 THEN 'out_for_delivery' WHEN 1 THEN 'in_transit' ELSE 'shipped' END END AS folded FROM shipment s LEFT JOIN (\
             SELECT shipment_id, MAX(CASE status WHEN 'returned_to_sender' THEN 8 WHEN 'delivered' THEN 7 WHEN 'lost' THEN 6 WHEN 'exception' THEN 5 \
             WHEN 'available_for_pickup' THEN 4 WHEN 'attempt_failed' THEN 3 WHEN 'out_for_delivery' THEN 2 WHEN 'in_transit' THEN 1 ELSE 0 END) AS rank \
             FROM tracking_event GROUP BY shipment_id) t ON t.shipment_id = s.id) s WHERE s.status <> s.folded",
        ),
    },
    Law {
        name: "shipping.tracking_means_shipped",
        says: "A shipment with tracking that is not void was handed over.",
        proof: Proof::Offenders(
            "SELECT 'shipment ' || s.id AS subject, 'tracked, not shipped' AS detail FROM shipment s WHERE s.voided_at IS NULL AND s.shipped_at IS NULL \
             AND EXISTS (SELECT 1 FROM tracking_event t WHERE t.shipment_id = s.id)",
        ),
    },
    Law {
        name: "shipping.one_end",
        says: "Units are counted once: delivered or lost, after they shipped, and never of a void label.",
        proof: Proof::Offenders(
            "SELECT 'shipment ' || id AS subject, 'shipped ' || COALESCE(shipped_at, 0) || ', delivered ' || COALESCE(delivered_at, 0) || ', lost ' \
             || COALESCE(lost_at, 0) || ', void ' || COALESCE(voided_at, 0) AS detail FROM shipment WHERE (delivered_at IS NOT NULL AND lost_at IS NOT NULL) \
             OR ((delivered_at IS NOT NULL OR lost_at IS NOT NULL) AND shipped_at IS NULL) OR (voided_at IS NOT NULL AND shipped_at IS NOT NULL)",
        ),
    },
    Law {
        name: "shipping.parcels_have_one_live_shipment",
        says: "A parcel has at most one shipment that is not void, and none when it was taken apart.",
        proof: Proof::Offenders(
            "SELECT 'parcel ' || p.id AS subject, COUNT(s.id) || ' shipments' AS detail FROM parcel p JOIN shipment s ON s.parcel_id = p.id \
             AND s.voided_at IS NULL GROUP BY p.id, p.unpacked_at HAVING COUNT(s.id) > 1 OR p.unpacked_at IS NOT NULL",
        ),
    },
    Law {
        name: "shipping.shipments_are_of_their_order",
        says: "A shipment is of the order of its parcel.",
        proof: Proof::Offenders(
            "SELECT 'shipment ' || s.id AS subject, 'order ' || s.order_id || ', parcel of ' || p.order_id AS detail FROM shipment s \
             JOIN parcel p ON p.id = s.parcel_id WHERE p.order_id <> s.order_id",
        ),
    },
    Law {
        name: "shipping.units_left_with_shipments",
        says: "The shipped units of a fulfilment line are those in parcels that were handed over.",
        proof: Proof::Sums(Sums {
            of: &["fulfilment line"],
            numbers: &["shipped"],
            parts: "SELECT id, shipped FROM fulfilment_line WHERE shipped <> 0 UNION ALL \
                SELECT pl.fulfilment_line_id, -pl.quantity FROM parcel_line pl JOIN shipment s ON s.parcel_id = pl.parcel_id \
                    WHERE s.shipped_at IS NOT NULL AND s.voided_at IS NULL",
        }),
    },
    Law {
        name: "shipping.units_end_with_shipments",
        says: "The delivered and lost units of a line that is shipped are those in parcels that were counted so.",
        proof: Proof::Sums(Sums {
            of: &["line"],
            numbers: &["delivered", "lost"],
            parts: "SELECT id, delivered, lost FROM order_line WHERE (delivered <> 0 OR lost <> 0) AND sku_id NOT IN (SELECT id FROM sku WHERE kind = 'service') UNION ALL \
                SELECT pl.line_id, CASE WHEN s.delivered_at IS NULL THEN 0 ELSE -pl.quantity END, CASE WHEN s.lost_at IS NULL THEN 0 ELSE -pl.quantity END \
                    FROM parcel_line pl JOIN shipment s ON s.parcel_id = pl.parcel_id WHERE s.delivered_at IS NOT NULL OR s.lost_at IS NOT NULL",
        }),
    },
];
