//! Every law notices what it is for: rows are changed behind the program's back, in a transaction that is undone, and the law must name an
//! offender. Invariant: a law without a row in this table fails the test.

use crate::furnish::furnish;
use crate::support::TestApp;
use fulmar::slices;
use kernel::{Actor, Fault};
use std::collections::BTreeSet;

/// A law, and changes that each break it; one change is one or more statements divided by semicolons.
const CHANGES: &[(&str, &[&str])] = &[
    ("catalog.bundles_have_components", &["DELETE FROM bundle_component"]),
    (
        "catalog.components_are_simple",
        &["UPDATE sku SET kind = 'service' WHERE id = (SELECT MIN(component_id) FROM bundle_component)"],
    ),
    (
        "catalog.imports_count_their_rows",
        &[
            "INSERT INTO sku_import (id, name, by_actor, read_at, total) VALUES (7, 'f', 'user:1', 0, 1)",
            "INSERT INTO sku_import (id, name, by_actor, read_at, confirmed_at, total) VALUES (7, 'f', 'user:1', 0, 0, 1); \
             INSERT INTO sku_import_row (import_id, position, line, code, change, cells, about, outcome) VALUES (7, 1, 2, 'A', 'new', '{}', '[]', 'done')",
        ],
    ),
    (
        "customers.credit_equals_entries",
        &["INSERT INTO store_credit (customer_id, currency, balance) SELECT MIN(id), 'USD', 5 FROM customer"],
    ),
    (
        "customers.consents_alternate",
        &[
            "INSERT INTO customer_consent (id, customer_id, channel, given, at, source, by_actor) SELECT 1, MIN(id), 'email', FALSE, 0, 's', 'user:1' FROM customer",
            "INSERT INTO customer_consent (id, customer_id, channel, given, at, source, by_actor) SELECT 1, MIN(id), 'sms', TRUE, 0, 's', 'user:1' FROM customer; \
             INSERT INTO customer_consent (id, customer_id, channel, given, at, source, by_actor) SELECT 2, MIN(id), 'sms', TRUE, 1, 's', 'user:1' FROM customer",
        ],
    ),
    (
        "customers.merged_lead_to_somebody",
        &[
            "UPDATE customer SET merged_into = 7, merged_at = 0 WHERE id = (SELECT MIN(id) FROM customer)",
            "UPDATE customer SET merged_into = (SELECT MIN(id) FROM customer), merged_at = 0 WHERE id > (SELECT MIN(id) FROM customer); \
             UPDATE customer SET merged_into = (SELECT MAX(id) FROM customer), merged_at = 0 WHERE id = (SELECT MIN(id) FROM customer)",
        ],
    ),
    (
        "customers.merged_own_nothing",
        &[
            "UPDATE store_credit SET balance = 5 WHERE customer_id IN (SELECT id FROM customer WHERE merged_into IS NOT NULL)",
            "INSERT INTO customer_note (id, customer_id, at, by_actor, text) SELECT 1, id, 0, 'user:1', 't' FROM customer WHERE merged_into IS NOT NULL",
            "INSERT INTO customer_consent (id, customer_id, channel, given, at, source, by_actor) SELECT 1, id, 'sms', TRUE, 0, 's', 'user:1' \
             FROM customer WHERE merged_into IS NOT NULL",
        ],
    ),
    (
        "orders.belong_to_survivors",
        &[
            "UPDATE orders SET customer_id = (SELECT id FROM customer WHERE merged_into IS NOT NULL) WHERE id = (SELECT MIN(id) FROM orders)",
        ],
    ),
    (
        "returns.are_of_the_orders_customer",
        &["UPDATE return_request SET customer_id = (SELECT id FROM customer WHERE merged_into IS NOT NULL)"],
    ),
    (
        "inventory.counters_equal_movements",
        &[
            "UPDATE stock SET on_hand = on_hand + 1",
            "UPDATE stock SET on_hand = on_hand + 1, allocated = allocated + 1",
            "UPDATE stock SET incoming = incoming + 1",
            "UPDATE stock SET quarantined = quarantined + 1",
            "DELETE FROM stock_movement WHERE id = (SELECT MIN(id) FROM stock_movement)",
        ],
    ),
    ("inventory.value_equals_movements", &["UPDATE sku_cost SET value = value + 1"]),
    (
        "inventory.sheets_count_their_lines",
        &[
            "UPDATE count_sheet SET total = total + 1",
            "UPDATE count_sheet SET counted = counted - 1 WHERE counted > 0",
        ],
    ),
    (
        "inventory.sheets_correct_what_differed",
        &[
            "UPDATE count_line SET counted = counted + 1 WHERE counted IS NOT NULL",
            "UPDATE count_sheet SET approved_at = NULL WHERE approved_at IS NOT NULL",
            "UPDATE count_line SET outcome = NULL, movement_id = NULL WHERE outcome = 'adjusted'",
            "UPDATE stock_movement SET kind = 'count' WHERE id IN (SELECT movement_id FROM count_line WHERE movement_id IS NOT NULL)",
        ],
    ),
    (
        "inventory.purchases_equal_their_lines",
        &[
            "UPDATE purchase SET units = units + 1",
            "UPDATE purchase SET received = received + 1 WHERE open > 0 AND ordered_at IS NOT NULL",
            "UPDATE purchase_line SET cancelled = cancelled + 1 WHERE open > 0",
            "UPDATE purchase SET surplus = surplus - 1 WHERE surplus > 0 AND cancelled + received - surplus < units",
        ],
    ),
    (
        "inventory.purchases_equal_their_receipts",
        &["DELETE FROM purchase_receipt", "UPDATE purchase_line SET received = received + 1 WHERE open > 0"],
    ),
    (
        "inventory.purchase_receipts_are_movements",
        &[
            "UPDATE purchase_receipt SET quantity = quantity + 1",
            "UPDATE stock_movement SET kind = 'adjust' WHERE id IN (SELECT movement_id FROM purchase_receipt)",
            "UPDATE purchase_line SET sku_id = (SELECT MAX(id) FROM sku) WHERE position = 0",
        ],
    ),
    (
        "inventory.incoming_is_on_order",
        &[
            "UPDATE stock SET incoming = incoming + 1",
            "UPDATE purchase SET ordered_at = NULL WHERE received = 0",
        ],
    ),
    (
        "orders.bulk_counts_its_items",
        &[
            "INSERT INTO order_bulk (id, action, about, by_actor, started_at, total) VALUES (1, 'tag', 'a', 'user:1', 0, 1)",
            "INSERT INTO order_bulk (id, action, about, by_actor, started_at, total) VALUES (1, 'tag', 'a', 'user:1', 0, 1); \
             INSERT INTO order_bulk_item (bulk_id, order_id, outcome) SELECT 1, MIN(id), 'done' FROM orders",
        ],
    ),
    (
        "returns.photos_are_whole",
        &[
            "INSERT INTO return_photo (id, return_id, at, by_actor, width, height, bytes, digest, content) SELECT 1, MIN(id), 0, 'user:1', 1, 1, 4, 'd', 'AAAA' FROM return_request",
            "INSERT INTO return_photo (id, return_id, at, by_actor, width, height, bytes, digest, content) SELECT u.id, r.id, 0, 'user:1', 1, 1, 3, CAST(u.id AS TEXT), 'AAAA' \
             FROM (SELECT MIN(id) AS id FROM return_request) AS r CROSS JOIN (SELECT id FROM event ORDER BY id LIMIT 9) AS u",
        ],
    ),
    (
        "warehouse.scanned_is_loose",
        &[
            "INSERT INTO pack_progress (fulfilment_line_id, sku_id, scanned) SELECT MIN(id), MIN(sku_id), 999999 FROM fulfilment_line",
        ],
    ),
    (
        "web.somebody_owns",
        &[
            "INSERT INTO user_account (id, email, name, role, password_hash, active, created_at) VALUES (1, 'a@example.com', 'A', 'manager', 'x', TRUE, 0)",
        ],
    ),
    (
        "web.who_was_asked_in_is_here",
        &[
            "INSERT INTO user_account (id, email, name, role, password_hash, active, created_at) VALUES (1, 'a@example.com', 'A', 'owner', 'x', TRUE, 0); \
           INSERT INTO invitation (id, email, role, invited_by, created_at, expires_at, accepted_at, user_id) VALUES (1, 'b@example.com', 'owner', 'user:1', 0, 0, 0, 1)",
        ],
    ),
    (
        "web.recovery_codes_have_a_second_factor",
        &[
            "INSERT INTO user_account (id, email, name, role, password_hash, active, created_at) VALUES (1, 'a@example.com', 'A', 'owner', 'x', TRUE, 0); \
           INSERT INTO recovery_code (user_id, code_hash) VALUES (1, 'h')",
        ],
    ),
    ("inventory.quantity_equals_owned_stock", &["UPDATE sku_cost SET quantity = quantity + 1"]),
    (
        "inventory.open_reservations_are_allocated",
        &["INSERT INTO reservation (id, expires_at, created_at) VALUES (1, 0, 0); \
           INSERT INTO reservation_line (reservation_id, sku_id, location_id, quantity) SELECT 1, MIN(sku_id), MIN(location_id), 999999 FROM stock"],
    ),
    (
        "orders.header_equals_lines",
        &[
            "UPDATE orders SET goods = goods + 1",
            "UPDATE orders SET discount = discount + 1",
            "UPDATE orders SET net = net + 1",
            "UPDATE orders SET tax = tax + 1",
            "UPDATE orders SET shipping = shipping + 1",
            "UPDATE orders SET shipping_tax = shipping_tax + 1",
            "UPDATE orders SET fee = fee + 1",
            "UPDATE orders SET units = units + 1",
            "UPDATE orders SET units_cancelled = units_cancelled + 1 WHERE units_shipped = 0",
            "UPDATE orders SET units_backordered = units_backordered + 1",
            "UPDATE orders SET units_shipped = units_shipped + 1 WHERE units_shipped = 0",
            "UPDATE orders SET units_delivered = units_delivered - 1 WHERE units_delivered > 0",
            "UPDATE orders SET units_returned = units_returned + 1 WHERE units_shipped > units_returned",
            "UPDATE orders SET cancelled_total = cancelled_total + 1",
            "UPDATE order_line SET fee = fee + 1 WHERE id = (SELECT MAX(id) FROM order_line)",
            "UPDATE order_line SET placed_at = placed_at + 1 WHERE id = (SELECT MAX(id) FROM order_line)",
        ],
    ),
    (
        "orders.have_lines",
        &[
            "INSERT INTO orders (id, number, channel, customer_id, name, ship_to, bill_to, country, currency, tax_inclusive, fingerprint, placed_at, goods, \
           discount, net, tax, shipping, shipping_tax, fee, units, updated_at) SELECT 7, 'X7', 'api', MIN(id), 'n', '{}', '{}', 'DE', 'EUR', TRUE, 'f', 0, 0, 0, 0, \
           0, 0, 0, 0, 1, 0 FROM customer",
        ],
    ),
    (
        "orders.allocations_equal_buckets",
        &[
            "UPDATE allocation SET quantity = quantity + 1",
            "UPDATE allocation SET picked = picked - 1 WHERE picked > 0",
            "DELETE FROM allocation",
        ],
    ),
    (
        "orders.stock_allocated_equals_promises",
        &[
            "UPDATE stock SET allocated = allocated + 1 WHERE on_hand > allocated",
            "UPDATE allocation SET quantity = quantity + 1",
            "INSERT INTO reservation (id, expires_at, created_at) VALUES (1, 0, 0); \
             INSERT INTO reservation_line (reservation_id, sku_id, location_id, quantity) SELECT 1, MIN(sku_id), MIN(location_id), 1 FROM stock",
        ],
    ),
    (
        "orders.holds_counted",
        &[
            "UPDATE orders SET holds = holds + 1 WHERE id = (SELECT MIN(id) FROM orders)",
            "DELETE FROM order_hold",
        ],
    ),
    (
        "orders.money_equals_payments",
        &[
            "UPDATE orders SET captured = captured + 1",
            "UPDATE orders SET authorised = authorised + 1",
            "UPDATE orders SET refunded = refunded + 1",
            "UPDATE orders SET disputed = disputed + 1",
            "UPDATE payment SET captured = captured + 1",
        ],
    ),
    (
        "orders.events_exist",
        &[
            "DELETE FROM webhook_delivery; DELETE FROM event WHERE kind = 'order.placed' AND order_id = (SELECT MAX(id) FROM orders)",
        ],
    ),
    (
        "payments.amounts_equal_fold",
        &[
            "UPDATE payment SET authorised = authorised + 1",
            "UPDATE payment SET captured = captured + 1",
            "UPDATE payment SET voided = voided + 1",
            "UPDATE payment SET refunded = refunded + 1 WHERE captured > refunded",
            "UPDATE payment SET capture_pending = capture_pending + 1",
            "UPDATE payment SET refund_pending = refund_pending + 1 WHERE captured > refunded",
            "UPDATE payment SET disputed = disputed + 1",
            "UPDATE payment SET dispute_lost = dispute_lost + 1 WHERE captured > refunded",
            "UPDATE payment SET fees = fees + 1",
            "DELETE FROM payment_event WHERE kind = 'capture' AND phase = 'succeeded'",
            "DELETE FROM payment_event WHERE kind = 'refund' AND phase = 'succeeded'",
        ],
    ),
    (
        "payments.flags_equal_fold",
        &[
            "UPDATE payment SET failed = TRUE",
            "UPDATE payment SET expired = TRUE",
            "UPDATE payment SET conflicted = TRUE",
            "INSERT INTO payment_event (id, payment_id, operation_id, kind, phase, amount, gateway_reference, at) \
             SELECT 7, MIN(payment_id), NULL, 'expire', 'succeeded', 0, 'x', 0 FROM payment_event",
            "INSERT INTO payment_event (id, payment_id, operation_id, kind, phase, amount, gateway_reference, at) \
             SELECT 7, payment_id, operation_id, kind, 'failed', amount, gateway_reference, at + 1 FROM payment_event \
             WHERE id = (SELECT MAX(id) FROM payment_event WHERE kind = 'capture' AND phase = 'succeeded')",
            "UPDATE payment SET amount = captured - 1, authorised = 0 WHERE captured > 0",
        ],
    ),
    (
        "payments.operations_have_facts",
        &[
            "UPDATE payment_operation SET state = 'unknown' WHERE state = 'succeeded'",
            "UPDATE payment_operation SET state = 'failed' WHERE state = 'succeeded'",
            "DELETE FROM payment_event WHERE phase = 'requested'",
            "UPDATE payment_event SET phase = 'failed' WHERE phase = 'succeeded'",
            "UPDATE payment_event SET operation_id = 7 WHERE phase = 'succeeded'",
        ],
    ),
    (
        "payments.refunds_have_parts",
        &[
            "UPDATE refund SET amount = amount + 1",
            "DELETE FROM refund_part",
            "UPDATE refund SET order_id = 1",
        ],
    ),
    ("payments.refund_operations_are_granted", &["DELETE FROM refund_part"]),
    (
        "payments.store_credit_is_posted",
        &[
            "UPDATE payment SET gateway = 'store_credit' WHERE id IN (SELECT payment_id FROM payment_operation WHERE kind = 'capture')",
            "UPDATE payment_event SET detail = 'store_credit' WHERE kind = 'refund' AND phase = 'requested'",
        ],
    ),
];

/// The same for the slices behind the orders.
const LATER_CHANGES: &[(&str, &[&str])] = &[
    (
        "warehouse.fulfilment_sums",
        &[
            "UPDATE fulfilment_order SET quantity = quantity + 1",
            "UPDATE fulfilment_order SET cancelled = cancelled + 1 WHERE picked = 0",
            "UPDATE fulfilment_order SET picked = picked - 1 WHERE picked > packed",
            "UPDATE fulfilment_order SET packed = packed - 1 WHERE packed > shipped",
            "UPDATE fulfilment_order SET shipped = shipped - 1 WHERE shipped > 0",
            "DELETE FROM parcel_line; DELETE FROM fulfilment_line",
        ],
    ),
    (
        "warehouse.lines_are_of_their_order",
        &[
            "UPDATE fulfilment_line SET sku_id = sku_id + 1",
            "UPDATE fulfilment_order SET order_id = (SELECT MIN(id) FROM orders) WHERE order_id <> (SELECT MIN(id) FROM orders)",
        ],
    ),
    (
        "warehouse.allocations_are_assigned",
        &[
            "UPDATE allocation SET quantity = quantity + 1 WHERE line_id = (SELECT MAX(line_id) FROM allocation)",
            "DELETE FROM allocation",
            "UPDATE fulfilment_line SET quantity = quantity + 1",
            "INSERT INTO location (id, code, name, kind, country, address, created_at) VALUES (7, 'x', 'x', 'shop', 'DE', '{}', 0); \
             UPDATE fulfilment_order SET location_id = 7",
            "UPDATE allocation SET picked = picked - 1 WHERE picked > 0",
            "UPDATE fulfilment_line SET picked = picked - 1 WHERE picked > packed",
        ],
    ),
    (
        "warehouse.buckets_equal_fulfilment",
        &[
            "UPDATE order_line SET allocated = allocated - 1, pending = pending + 1 WHERE allocated > 0",
            "UPDATE order_line SET picked = picked - 1, packed = packed + 1 WHERE picked > 0",
            "UPDATE order_line SET shipped = shipped - 1, packed = packed + 1 WHERE shipped > delivered",
            "UPDATE fulfilment_line SET quantity = quantity + 1 WHERE picked = 0",
        ],
    ),
    (
        "warehouse.parcels_hold_what_is_packed",
        &[
            "UPDATE parcel_line SET quantity = quantity + 1",
            "DELETE FROM parcel_line",
            "UPDATE parcel SET unpacked_at = 1",
        ],
    ),
    (
        "warehouse.parcels_are_of_their_fulfilment",
        &[
            "UPDATE parcel SET order_id = order_id + 1",
            "UPDATE parcel_line SET line_id = line_id + 1",
            "UPDATE parcel SET location_id = location_id + 1",
            "UPDATE parcel SET fulfilment_id = (SELECT MIN(id) FROM fulfilment_order) WHERE fulfilment_id <> (SELECT MIN(id) FROM fulfilment_order)",
        ],
    ),
    (
        "warehouse.holds_follow_the_order",
        &[
            "UPDATE fulfilment_order SET on_hold = NOT on_hold",
            "UPDATE orders SET holds = holds + 1 WHERE holds = 0",
        ],
    ),
    ("warehouse.nothing_begins_unasked", &["UPDATE fulfilment_order SET released_at = NULL"]),
    (
        "warehouse.progress_is_needed",
        &[
            "INSERT INTO pick_progress (fulfilment_line_id, sku_id, scanned) SELECT MIN(id), 1, 1 FROM fulfilment_line WHERE picked = quantity",
            "INSERT INTO pick_progress (fulfilment_line_id, sku_id, scanned) SELECT MIN(l.id), MIN(c.component_id), 99 FROM fulfilment_line l \
             JOIN bundle_component c ON c.bundle_id = l.sku_id WHERE l.picked = 0",
        ],
    ),
    (
        "shipping.status_is_the_fold",
        &[
            "UPDATE shipment SET status = 'exception' WHERE status = 'delivered'",
            "DELETE FROM tracking_event",
        ],
    ),
    ("shipping.tracking_means_shipped", &["UPDATE shipment SET shipped_at = NULL, delivered_at = NULL"]),
    (
        "shipping.one_end",
        &[
            "UPDATE shipment SET lost_at = delivered_at",
            "UPDATE shipment SET shipped_at = NULL",
            "UPDATE shipment SET voided_at = 1",
        ],
    ),
    ("shipping.parcels_have_one_live_shipment", &["UPDATE parcel SET unpacked_at = 1"]),
    ("shipping.shipments_are_of_their_order", &["UPDATE shipment SET order_id = order_id + 1"]),
    (
        "shipping.units_left_with_shipments",
        &[
            "UPDATE fulfilment_line SET shipped = shipped - 1 WHERE shipped > 0",
            "UPDATE shipment SET shipped_at = NULL WHERE delivered_at IS NULL",
            "DELETE FROM parcel_line",
        ],
    ),
    (
        "shipping.units_end_with_shipments",
        &[
            "UPDATE order_line SET delivered = delivered - 1 WHERE delivered > returned",
            "UPDATE order_line SET delivered = delivered - 1, lost = lost + 1 WHERE delivered > 0",
            "UPDATE shipment SET delivered_at = NULL",
            "UPDATE shipment SET lost_at = 1",
        ],
    ),
    (
        "returns.returned_equals_accepted",
        &[
            "UPDATE order_line SET returned = returned - 1 WHERE returned > 0",
            "UPDATE return_unit SET acceptance = 'pending'",
        ],
    ),
    (
        "returns.units_were_shipped",
        &["UPDATE return_unit SET unit = 99", "UPDATE return_unit SET order_id = order_id + 1"],
    ),
    (
        "returns.credited_equals_units",
        &[
            "UPDATE return_request SET credited = credited + 1",
            "UPDATE return_unit SET acceptance = 'manual_review'",
        ],
    ),
    (
        "returns.order_total_equals_credits",
        &["UPDATE orders SET returned_total = returned_total + 1", "DELETE FROM return_unit"],
    ),
    (
        "returns.credit_within_unit",
        &["UPDATE return_unit SET credit = credit + 100000", "UPDATE return_unit SET credit = -1"],
    ),
    ("returns.released_units", &["UPDATE return_unit SET released = TRUE"]),
    ("returns.settled_is_decided", &["UPDATE return_unit SET acceptance = 'pending'"]),
    (
        "returns.settled_is_paid",
        &[
            "UPDATE return_request SET credited = credited + 1",
            "UPDATE return_request SET settled_at = NULL",
            "DELETE FROM refund_part; DELETE FROM refund",
            "DELETE FROM webhook_delivery; DELETE FROM event WHERE kind = 'return.settled'",
        ],
    ),
    (
        "books.entry_has_postings",
        &["DELETE FROM posting WHERE entry_id = (SELECT MAX(entry_id) FROM posting)"],
    ),
    (
        "books.months_equal_postings",
        &[
            "UPDATE account_month SET debit = debit + 1",
            "UPDATE account_month SET credit = credit + 1",
            "UPDATE posting SET amount = amount + 1 WHERE id = (SELECT MAX(id) FROM posting)",
            "DELETE FROM posting WHERE id = (SELECT MAX(id) FROM posting)",
            "INSERT INTO posting (id, entry_id, debit, credit, currency, amount) SELECT 7, MAX(entry_id), '1100', '4000', 'EUR', 1 FROM posting",
        ],
    ),
    (
        "books.every_money_event_is_posted",
        &["DELETE FROM posting WHERE entry_id = (SELECT MAX(entry_id) FROM posting); \
           DELETE FROM journal_entry WHERE NOT EXISTS (SELECT 1 FROM posting p WHERE p.entry_id = journal_entry.id)"],
    ),
    (
        "books.customers_equal_orders",
        &[
            "UPDATE orders SET returned_total = returned_total + 1",
            "UPDATE posting SET amount = amount + 1 WHERE id = (SELECT MAX(id) FROM posting WHERE debit = '1100')",
            "UPDATE orders SET refunded = refunded + 1",
            "UPDATE orders SET captured = captured + 1",
            "UPDATE posting SET amount = amount + 1 WHERE id = (SELECT MAX(id) FROM posting WHERE credit = '1100')",
            "UPDATE order_line SET shipped = shipped - 1, packed = packed + 1 WHERE shipped > delivered",
        ],
    ),
    (
        "books.store_credit_equals_balances",
        &["INSERT INTO store_credit (customer_id, currency, balance) SELECT MIN(id), 'USD', 5 FROM customer"],
    ),
    (
        "books.inventory_equals_stock",
        &["UPDATE sku_cost SET value = value + 1 WHERE sku_id = (SELECT MIN(sku_id) FROM sku_cost)"],
    ),
    (
        "automation.deliveries_have_times",
        &[
            "INSERT INTO webhook_endpoint (id, url, secret, kinds, created_at) VALUES (7, 'u', 's', '[]', 0); \
           INSERT INTO webhook_delivery (id, endpoint_id, event_id, state, next_at) SELECT 7, 7, MIN(id), 'delivered', 0 FROM event",
        ],
    ),
    (
        "automation.sent_mails_were_told",
        &[
            "INSERT INTO mail (id, event_id, template, order_id, recipient, subject, body_text, body_html, created_at, sent_at) \
           SELECT 7, 7, 't', MIN(order_id), 'r', 's', 't', 'h', 0, 1 FROM event",
        ],
    ),
];

/// Laws that the schema keeps as well: the rows that would break them cannot be written.
const IN_THE_SCHEMA: &[(&str, &str)] = &[
    (
        "inventory.purchase_surplus_is_explained",
        "UPDATE purchase_receipt SET reason = NULL WHERE surplus > 0",
    ),
    ("orders.lines_conserve_units", "UPDATE order_line SET pending = pending + 1"),
    (
        "automation.deliveries_have_endpoints",
        "INSERT INTO webhook_delivery (id, endpoint_id, event_id, state, next_at) SELECT 7, 8, MIN(id), 'waiting', 0 FROM event",
    ),
];

#[tokio::test]
async fn each_law_finds_what_breaks_it() {
    let laws = slices::laws();
    let tried: BTreeSet<&str> = [CHANGES, LATER_CHANGES].concat().iter().map(|(name, _)| *name).collect();
    let held: BTreeSet<&str> = IN_THE_SCHEMA.iter().map(|(name, _)| *name).collect();
    let known: BTreeSet<&str> = laws.iter().map(|l| l.name).collect();
    assert_eq!(tried.union(&held).copied().collect::<BTreeSet<_>>(), known, "this table and the laws differ");
    for app in TestApp::both().await {
        furnish(&app).await;
        for (name, changes) in [CHANGES, LATER_CHANGES].concat() {
            let law = laws.iter().find(|l| l.name == name).unwrap();
            for change in changes {
                let done: Result<(), Fault> = db::write!(app.ctx.db, &Actor::system("test"), |tx| {
                    let mut touched = 0;
                    for statement in change.split(';') {
                        touched = tx.touched(statement, []).await?;
                    }
                    let found = db::laws::check(tx, law).await?.len();
                    Err(Fault::broken(format!("{touched} rows, {found} offenders")))
                });
                let said = done.unwrap_err().to_string();
                let (touched, found) =
                    said.split_once(" rows, ").unwrap_or_else(|| panic!("{change}: {said}"));
                assert_ne!(touched, "0", "{}: no row to try {name} with: {change}", app.name);
                assert_ne!(found, "0 offenders", "{}: {name} holds after {change}", app.name);
            }
        }
        for (name, change) in IN_THE_SCHEMA {
            let done: Result<u64, Fault> =
                db::write!(app.ctx.db, &Actor::system("test"), |tx| tx.touched(change, []).await);
            assert!(done.is_err(), "{}: nothing but the law keeps {name}", app.name);
        }
        app.check().await;
    }
}
