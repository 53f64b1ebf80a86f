//! What `fulmar verify` checks of the catalogue.

use db::{Law, Proof};

/// The laws of this slice.
pub const LAWS: &[Law] = &[
    Law {
        name: "catalog.bundles_have_components",
        says: "A bundle has components, and only a bundle has.",
        proof: Proof::Offenders(
            "SELECT s.code AS subject, \
             CASE WHEN s.kind = 'bundle' THEN 'a bundle without components' ELSE 'has components but is a ' || s.kind END AS detail \
             FROM sku s WHERE (s.kind = 'bundle') <> EXISTS (SELECT 1 FROM bundle_component c WHERE c.bundle_id = s.id) ORDER BY s.id",
        ),
    },
    Law {
        name: "catalog.components_are_simple",
        says: "A bundle consists of simple SKUs.",
        proof: Proof::Offenders(
            "SELECT b.code AS subject, 'contains ' || p.code || ', a ' || p.kind AS detail \
             FROM bundle_component c JOIN sku b ON b.id = c.bundle_id JOIN sku p ON p.id = c.component_id \
             WHERE p.kind <> 'simple' ORDER BY b.id, p.id",
        ),
    },
    Law {
        name: "catalog.imports_count_their_rows",
        says: "A file of SKUs counts each of its rows once, writes none before it is confirmed, and is over when none is left.",
        proof: Proof::Offenders(
            "SELECT CAST(i.id AS TEXT) AS subject, 'counts ' || i.done || ' written and ' || i.refused || ' refused of ' || i.total AS detail FROM sku_import i \
             LEFT JOIN (SELECT import_id, SUM(CASE WHEN change IN ('new', 'changed') THEN 1 ELSE 0 END) AS total, \
             SUM(CASE WHEN outcome = 'done' THEN 1 ELSE 0 END) AS done, SUM(CASE WHEN outcome = 'refused' THEN 1 ELSE 0 END) AS refused \
             FROM sku_import_row GROUP BY import_id) r ON r.import_id = i.id \
             WHERE COALESCE(r.total, 0) <> i.total OR COALESCE(r.done, 0) <> i.done OR COALESCE(r.refused, 0) <> i.refused \
             OR (i.confirmed_at IS NOT NULL AND (i.ended_at IS NOT NULL) <> (i.done + i.refused = i.total)) ORDER BY i.id",
        ),
    },
];
