//! What must hold in the tables of this slice.

use db::{Law, Proof};

/// The laws.
pub const LAWS: &[Law] = &[
    Law {
        name: "automation.deliveries_have_times",
        says: "A webhook delivery has a time of delivery exactly when it was delivered, and was tried before.",
        proof: Proof::Offenders(
            "SELECT CAST(id AS TEXT) AS subject, state || ' after ' || CAST(attempts AS TEXT) || ' attempts' AS detail FROM webhook_delivery \
                    WHERE (state = 'delivered') <> (delivered_at IS NOT NULL) OR (state = 'delivered' AND attempts = 0)",
        ),
    },
    Law {
        name: "automation.deliveries_have_endpoints",
        says: "A webhook delivery belongs to an endpoint that exists.",
        proof: Proof::Offenders(
            "SELECT CAST(d.id AS TEXT) AS subject, 'endpoint ' || CAST(d.endpoint_id AS TEXT) AS detail FROM webhook_delivery d \
                    WHERE NOT EXISTS (SELECT 1 FROM webhook_endpoint w WHERE w.id = d.endpoint_id)",
        ),
    },
    Law {
        name: "automation.sent_mails_were_told",
        says: "An e-mail about an order that was sent has its event.",
        proof: Proof::Offenders(
            "SELECT CAST(m.id AS TEXT) AS subject, m.template AS detail FROM mail m WHERE m.sent_at IS NOT NULL AND m.order_id IS NOT NULL \
                    AND NOT EXISTS (SELECT 1 FROM event e WHERE e.kind = 'mail.sent' AND e.order_id = m.order_id)",
        ),
    },
];
