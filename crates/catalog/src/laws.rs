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
];
