//! Screening of new orders: probable duplicates and risk. One statement looks up what the shop has seen lately.

use super::{Numbered, screened, signals};
use crate::model::{DUPLICATE_WINDOW, HoldKind};
use crate::place::Place;
use customers::CustomerId;
use db::{FromRow, Rows, Tx};
use kernel::{Fault, Timestamp};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// What the shop has seen of an order's buyer.
#[derive(Debug, Default, FromRow)]
pub(crate) struct Seen {
    n: i64,
    pub by_email: i64,
    pub by_ip: i64,
    /// 1 when the customer has ordered before.
    pub earlier: i64,
    twin: Option<String>,
}

/// The lines as one text; equal texts of one customer close together are probably one order sent twice. The customer is not in it: when two
/// customers turn out to be one, their orders are compared at once.
pub(crate) fn fingerprint(want: &Place) -> String {
    let mut lines: Vec<(&str, i64)> = want.lines.iter().map(|l| (l.sku.as_str(), l.quantity)).collect();
    lines.sort_unstable();
    let mut hash = Sha256::new();
    for (sku, quantity) in lines {
        hash.update(sku.as_bytes());
        hash.update([0]);
        hash.update(quantity.to_le_bytes());
    }
    hash.finalize().iter().take(16).map(|b| format!("{b:02x}")).collect()
}

/// The number of an earlier order of the batch with the same customer, the same fingerprint and nearly the same time, for each order.
fn twins_in_batch(batch: &[Place], orders: &[Numbered]) -> Vec<Option<String>> {
    let mut last: HashMap<(CustomerId, &str), usize> = HashMap::new();
    let at = |i: usize| batch[orders[i].draft.index].at.0;
    (0..orders.len())
        .map(|i| {
            let earlier = last.insert((orders[i].customer, orders[i].fingerprint.as_str()), i)?;
            (at(i).abs_diff(at(earlier)) <= DUPLICATE_WINDOW.unsigned_abs())
                .then(|| orders[earlier].number.clone())
        })
        .collect()
}

/// Adds the holds of screening.
pub(crate) async fn screen(tx: &Tx, batch: &[Place], orders: &mut [Numbered]) -> Result<(), Fault> {
    for order in orders.iter_mut() {
        if let Some(why) = &order.draft.checked.address_hold {
            order.holds.push((HoldKind::AddressInvalid, why.clone()));
        }
    }
    let mut rows = Rows::new("n BIGINT, email TEXT?, ip TEXT?, customer BIGINT, fingerprint TEXT, at BIGINT");
    for (n, order) in orders.iter().enumerate().filter(|(_, o)| screened(batch, o)) {
        let want = &batch[order.draft.index];
        rows.push([
            i64::try_from(n)?.into(),
            order.draft.checked.email.as_ref().map(|e| e.key.clone()).into(),
            want.buyer.ip.clone().into(),
            order.customer.into(),
            order.fingerprint.as_str().into(),
            want.at.into(),
        ]);
    }
    if rows.is_empty() {
        return Ok(());
    }
    let (rules, base) = risk::rules(tx).await?;
    let enough = rules.velocity + 20;
    let text = format!(
        "SELECT input.n AS n, \
         (SELECT COUNT(*) FROM (SELECT 1 AS one FROM orders o WHERE o.email = input.email AND o.placed_at > input.at - {day} AND o.placed_at <= input.at LIMIT {enough}) e) AS by_email, \
         (SELECT COUNT(*) FROM (SELECT 1 AS one FROM orders o WHERE o.ip = input.ip AND o.placed_at > input.at - {day} AND o.placed_at <= input.at LIMIT {enough}) i) AS by_ip, \
         (SELECT COUNT(*) FROM (SELECT 1 AS one FROM orders o WHERE o.customer_id = input.customer LIMIT 1) c) AS earlier, \
         (SELECT MAX(o.number) FROM orders o WHERE o.customer_id = input.customer AND o.fingerprint = input.fingerprint AND o.placed_at > input.at - {DUPLICATE_WINDOW} AND o.placed_at <= input.at) AS twin \
         FROM input",
        day = Timestamp::DAY
    );
    let seen: Vec<Seen> = tx.all_from(&rows, &text, []).await?;
    let twins = twins_in_batch(batch, orders);
    for row in seen {
        let n = usize::try_from(row.n)?;
        let twin = row.twin.clone().or_else(|| twins[n].clone());
        let want = &batch[orders[n].draft.index];
        let assessment = risk::decide(&rules, &signals(want, &orders[n], &row, base));
        let order = &mut orders[n];
        if let Some(twin) = twin {
            order.holds.push((
                HoldKind::ProbableDuplicate,
                format!("Same customer and same lines as order {twin}, minutes ago."),
            ));
        }
        if assessment.hold {
            order.holds.push((HoldKind::RiskReview, assessment.reasons.join(" ")));
        }
        order.assessment = Some(assessment);
    }
    Ok(())
}
