//! The kinds of events there are, for those who subscribe to them. Invariant: it is every kind that a slice records, which a test reads
//! from the sources.

/// All of them, in the order of the alphabet.
pub const ALL: &[&str] = &[
    "api_key.created",
    "api_key.revoked",
    "books.adjusted",
    "books.period_closed",
    "carrier.secret_set",
    "channel.saved",
    "count_sheet.approved",
    "count_sheet.discarded",
    "count_sheet.started",
    "customer.completed",
    "customer.consent_changed",
    "customer.created",
    "customer.edited",
    "customer.merged",
    "customer.noted",
    "dispatch.changed",
    "fulfilment.accepted",
    "fulfilment.cancelled",
    "fulfilment.created",
    "fulfilment.extended",
    "fulfilment.picked",
    "fulfilment.rejected",
    "fulfilment.released",
    "fulfilment.requested",
    "fulfilment.scanned",
    "fulfilment.short_picked",
    "fulfilment.unpicked",
    "gateway.secret_set",
    "invitation.accepted",
    "invitation.revoked",
    "job.moved",
    "location.saved",
    "mail.sent",
    "mail.template_changed",
    "order.address_changed",
    "order.allocated",
    "order.backordered",
    "order.cancelled",
    "order.confirmation_asked",
    "order.contact_changed",
    "order.deallocated",
    "order.held",
    "order.hold_released",
    "order.noted",
    "order.payment_requested",
    "order.placed",
    "order.tagged",
    "order.units_delivered",
    "order.units_lost",
    "order.units_returned",
    "order.units_shipped",
    "order.untagged",
    "parcel.packed",
    "parcel.unpacked",
    "payment.action_required",
    "payment.authorised",
    "payment.captured",
    "payment.conflicted",
    "payment.dispute_closed",
    "payment.disputed",
    "payment.expired",
    "payment.failed",
    "payment.fee_charged",
    "payment.opened",
    "payment.refund_failed",
    "payment.refunded",
    "payment.voided",
    "purchase.cancelled",
    "purchase.ordered",
    "purchase.received",
    "purchase.saved",
    "rate_card.saved",
    "refund.granted",
    "reservation.ended",
    "reservation.made",
    "return.approved",
    "return.declined",
    "return.inspected",
    "return.label_bought",
    "return.label_declined",
    "return.photo_added",
    "return.received",
    "return.requested",
    "return.settled",
    "return_policy.changed",
    "routing_rules.changed",
    "settings.second_factor_required",
    "shipment.delivered",
    "shipment.label_declined",
    "shipment.label_purchased",
    "shipment.label_requested",
    "shipment.label_voided",
    "shipment.lost",
    "shipment.shipped",
    "shipment.tracked",
    "sku.activated",
    "sku.saved",
    "stock.adjusted",
    "stock.bin_set",
    "stock.counted",
    "stock.quarantined",
    "stock.received",
    "stock.restocked",
    "stock.safety_set",
    "stock.transferred",
    "store_credit.changed",
    "supplier.saved",
    "tax_rate.removed",
    "tax_rate.set",
    "user.activated",
    "user.created",
    "user.deactivated",
    "user.invited",
    "user.password_changed",
    "user.password_reset",
    "user.recovery_code_used",
    "user.recovery_codes_made",
    "user.role_changed",
    "user.second_factor_off",
    "user.second_factor_on",
    "user.sessions_ended",
    "user.signed_in",
    "warehouse.cartons_set",
    "webhook.deactivated",
    "webhook.removed",
    "webhook.replayed",
    "webhook.saved",
    "webhook.tested",
];

/// Whether there are events of a kind.
pub fn exists(kind: &str) -> bool {
    ALL.binary_search(&kind).is_ok()
}

/// The kinds that somebody may have meant, the closest first: at most three.
pub fn close(kind: &str) -> Vec<&'static str> {
    let subject = |k: &str| k.split('.').next().unwrap_or_default().to_owned();
    let mut all: Vec<(usize, &'static str)> = ALL
        .iter()
        .map(|known| (distance(kind, known), *known))
        // Mistyped, or another word for what happens to the same.
        .filter(|(far, known)| *far <= 3 || subject(known) == subject(kind))
        .collect();
    all.sort_unstable();
    all.into_iter().take(3).map(|(_, known)| known).collect()
}

/// Letters to change, add or leave out.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut before = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let changed = before + usize::from(x != *y);
            before = row[j + 1];
            row[j + 1] = changed.min(before + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    /// The kinds that the sources of a folder name, as `fact!(Name, "kind")` or, where facts are made by a macro, `Name = "kind" {`.
    fn named(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                named(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                for (at, _) in text.match_indices("fact!(") {
                    let inside = text[at + 6..].split(')').next().unwrap_or_default();
                    found.extend(inside.split('"').nth(1).map(str::to_owned));
                }
                if text.contains("fact!($name, $kind)") {
                    let made = text.lines().filter(|l| l.trim_end().ends_with("\" {") && l.contains(" = \""));
                    found.extend(made.filter_map(|l| l.split('"').nth(1)).map(str::to_owned));
                }
            }
        }
    }

    #[test]
    fn every_kind_that_is_recorded_is_known_and_no_other() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut found = BTreeSet::new();
        for entry in std::fs::read_dir(crates).unwrap() {
            let src = entry.unwrap().path().join("src");
            if src.is_dir() {
                named(&src, &mut found);
            }
        }
        found.retain(|k| k.contains('.') && !k.contains(' '));
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), ALL);
    }

    #[test]
    fn what_was_meant_is_named() {
        assert!(exists("order.placed") && !exists("order.nonsense"));
        assert_eq!(close("order.plcaed")[0], "order.placed");
        assert_eq!(close("payment.capture")[0], "payment.captured");
        let same = close("order.nonsense");
        assert!(same.len() == 3 && same.iter().all(|k| k.starts_with("order.")), "{same:?}");
        assert!(close("weather.changed_to_rain").is_empty());
        assert_eq!((distance("", "abc"), distance("abc", "abc"), distance("abc", "axcd")), (3, 0, 2));
    }
}
