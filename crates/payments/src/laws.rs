//! What `fulmar verify` checks of payments: every amount is the fold of its facts, re-added in SQL and not by the code that wrote it.

use db::{Law, Proof};

/// The laws of this slice.
pub const LAWS: &[Law] = &[
    Law {
        name: "payments.amounts_equal_fold",
        says: "The amounts of a payment are the fold of its facts.",
        proof: Proof::Offenders(AMOUNTS),
    },
    Law {
        name: "payments.flags_equal_fold",
        says: "A payment is failed, expired or conflicted when its facts say so.",
        proof: Proof::Offenders(FLAGS),
    },
    Law {
        name: "payments.operations_have_facts",
        says: "Every operation left the fact that it was asked, and its state is what the facts that answer it say.",
        proof: Proof::Offenders(OPERATIONS),
    },
    Law {
        name: "payments.refunds_have_parts",
        says: "The parts of a refund sum to it and are refund operations of its order.",
        proof: Proof::Offenders(REFUNDS),
    },
    Law {
        name: "payments.refund_operations_are_granted",
        says: "Every refund that was asked of a gateway is part of a granted refund.",
        proof: Proof::Offenders(UNGRANTED),
    },
    Law {
        name: "payments.store_credit_is_posted",
        says: "What was paid with store credit was taken from it, and what was refunded to it was added.",
        proof: Proof::Offenders(CREDIT),
    },
];

const AMOUNTS: &str = "\
SELECT 'payment ' || CAST(p.id AS TEXT) AS subject, \
 'stored authorised/captured/voided/refunded/capture_pending/refund_pending/disputed/dispute_lost/fees ' \
 || CAST(p.authorised AS TEXT) || '/' || CAST(p.captured AS TEXT) || '/' || CAST(p.voided AS TEXT) || '/' || CAST(p.refunded AS TEXT) \
 || '/' || CAST(p.capture_pending AS TEXT) || '/' || CAST(p.refund_pending AS TEXT) || '/' || CAST(p.disputed AS TEXT) || '/' \
 || CAST(p.dispute_lost AS TEXT) || '/' || CAST(p.fees AS TEXT) || ', facts ' \
 || CAST(COALESCE(f.authorised, 0) AS TEXT) || '/' || CAST(COALESCE(f.captured, 0) AS TEXT) || '/' || CAST(COALESCE(f.voided, 0) AS TEXT) \
 || '/' || CAST(COALESCE(f.refunded, 0) AS TEXT) || '/' || CAST(COALESCE(w.captures, 0) AS TEXT) || '/' || CAST(COALESCE(w.refunds, 0) AS TEXT) \
 || '/' || CAST(COALESCE(d.open, 0) AS TEXT) || '/' || CAST(COALESCE(d.lost, 0) AS TEXT) || '/' || CAST(COALESCE(f.fees, 0) AS TEXT) AS detail \
FROM payment p \
LEFT JOIN (SELECT payment_id, \
  CAST(SUM(CASE WHEN kind = 'authorise' THEN amount ELSE 0 END) AS BIGINT) AS authorised, \
  CAST(SUM(CASE WHEN kind = 'capture' THEN amount ELSE 0 END) AS BIGINT) AS captured, \
  CAST(SUM(CASE WHEN kind = 'void' THEN amount ELSE 0 END) AS BIGINT) AS voided, \
  CAST(SUM(CASE WHEN kind = 'refund' THEN amount ELSE 0 END) AS BIGINT) AS refunded, \
  CAST(SUM(CASE WHEN kind = 'fee' THEN amount ELSE 0 END) AS BIGINT) AS fees \
  FROM payment_event WHERE phase = 'succeeded' GROUP BY payment_id) f ON f.payment_id = p.id \
LEFT JOIN (SELECT e.payment_id, \
  CAST(SUM(CASE WHEN e.kind = 'capture' THEN e.amount ELSE 0 END) AS BIGINT) AS captures, \
  CAST(SUM(CASE WHEN e.kind = 'refund' THEN e.amount ELSE 0 END) AS BIGINT) AS refunds \
  FROM payment_event e WHERE e.phase = 'requested' AND e.kind IN ('capture', 'refund') AND NOT EXISTS (\
    SELECT 1 FROM payment_event z WHERE z.payment_id = e.payment_id AND z.kind = e.kind AND z.phase <> 'requested' \
    AND (z.operation_id = e.operation_id OR z.gateway_reference = e.gateway_reference)) \
  GROUP BY e.payment_id) w ON w.payment_id = p.id \
LEFT JOIN (SELECT c.payment_id, \
  CAST(SUM(CASE WHEN c.lost_at IS NULL AND c.won_at IS NULL THEN c.opened ELSE 0 END) AS BIGINT) AS open, \
  CAST(SUM(CASE WHEN c.lost_at IS NOT NULL AND (c.won_at IS NULL OR c.won_at < c.lost_at OR (c.won_at = c.lost_at AND c.won_id < c.lost_id)) \
    THEN c.lost ELSE 0 END) AS BIGINT) AS lost \
  FROM (SELECT payment_id, gateway_reference, \
    MAX(CASE WHEN phase = 'requested' THEN amount END) AS opened, MAX(CASE WHEN phase = 'succeeded' THEN amount END) AS lost, \
    MAX(CASE WHEN phase = 'succeeded' THEN at END) AS lost_at, MAX(CASE WHEN phase = 'succeeded' THEN id END) AS lost_id, \
    MAX(CASE WHEN phase = 'failed' THEN at END) AS won_at, MAX(CASE WHEN phase = 'failed' THEN id END) AS won_id \
    FROM payment_event e WHERE kind = 'chargeback' AND NOT EXISTS (SELECT 1 FROM payment_event r WHERE r.payment_id = e.payment_id \
      AND r.kind = 'reversal' AND r.phase = 'succeeded' AND r.gateway_reference = e.gateway_reference) \
    GROUP BY payment_id, gateway_reference) c GROUP BY c.payment_id) d ON d.payment_id = p.id \
WHERE p.authorised <> COALESCE(f.authorised, 0) OR p.captured <> COALESCE(f.captured, 0) OR p.voided <> COALESCE(f.voided, 0) \
 OR p.refunded <> COALESCE(f.refunded, 0) OR p.fees <> COALESCE(f.fees, 0) OR p.capture_pending <> COALESCE(w.captures, 0) \
 OR p.refund_pending <> COALESCE(w.refunds, 0) OR p.disputed <> COALESCE(d.open, 0) OR p.dispute_lost <> COALESCE(d.lost, 0)";

const FLAGS: &str = "\
SELECT 'payment ' || CAST(x.id AS TEXT) AS subject, \
 'stored failed/expired/conflicted ' || CAST(x.failed AS TEXT) || '/' || CAST(x.expired AS TEXT) || '/' || CAST(x.conflicted AS TEXT) \
 || ', facts ' || CAST(x.is_failed AS TEXT) || '/' || CAST(x.is_expired AS TEXT) || '/' || CAST(x.is_conflicted AS TEXT) AS detail \
FROM (SELECT p.id, CASE WHEN p.failed THEN 1 ELSE 0 END AS failed, CASE WHEN p.expired THEN 1 ELSE 0 END AS expired, \
  CASE WHEN p.conflicted THEN 1 ELSE 0 END AS conflicted, \
  CASE WHEN p.authorised = 0 AND p.captured = 0 \
    AND EXISTS (SELECT 1 FROM payment_event e WHERE e.payment_id = p.id AND e.kind = 'authorise' AND e.phase = 'failed') \
    AND NOT EXISTS (SELECT 1 FROM payment_event e WHERE e.payment_id = p.id AND e.kind = 'authorise' AND e.phase = 'requested' \
      AND NOT EXISTS (SELECT 1 FROM payment_event z WHERE z.payment_id = e.payment_id AND z.kind = 'authorise' AND z.phase <> 'requested' \
        AND (z.operation_id = e.operation_id OR z.gateway_reference = e.gateway_reference))) THEN 1 ELSE 0 END AS is_failed, \
  CASE WHEN EXISTS (SELECT 1 FROM payment_event e WHERE e.payment_id = p.id AND e.kind = 'expire' AND e.phase = 'succeeded') \
    THEN 1 ELSE 0 END AS is_expired, \
  CASE WHEN p.captured > CASE WHEN p.authorised > 0 THEN p.authorised ELSE p.amount END \
    OR (p.voided > 0 AND p.captured + p.voided > p.authorised) \
    OR p.refunded + p.refund_pending + p.dispute_lost > p.captured \
    OR EXISTS (SELECT 1 FROM payment_event f JOIN payment_event s ON s.payment_id = f.payment_id AND s.kind = f.kind \
        AND s.phase = 'succeeded' AND s.gateway_reference = f.gateway_reference \
      WHERE f.payment_id = p.id AND f.phase = 'failed' AND f.kind <> 'chargeback' AND (f.at > s.at OR (f.at = s.at AND f.id > s.id))) \
    OR EXISTS (SELECT 1 FROM payment_event f JOIN payment_event s ON s.payment_id = f.payment_id AND s.kind = f.kind \
        AND s.phase = 'succeeded' AND s.operation_id = f.operation_id \
      WHERE f.payment_id = p.id AND f.phase = 'failed' AND f.kind <> 'chargeback' AND (f.at > s.at OR (f.at = s.at AND f.id > s.id)) \
      AND NOT EXISTS (SELECT 1 FROM payment_event n WHERE n.payment_id = f.payment_id AND n.kind = f.kind AND n.phase = 'succeeded' \
        AND n.operation_id = f.operation_id AND (n.at > f.at OR (n.at = f.at AND n.id > f.id)))) \
    THEN 1 ELSE 0 END AS is_conflicted \
  FROM payment p) x \
WHERE x.failed <> x.is_failed OR x.expired <> x.is_expired OR x.conflicted <> x.is_conflicted";

const OPERATIONS: &str = "\
SELECT 'operation ' || CAST(o.id AS TEXT) AS subject, \
 o.kind || ' is ' || o.state || '; facts requested/succeeded/failed ' || CAST(COALESCE(f.asked, 0) AS TEXT) || '/' \
 || CAST(COALESCE(f.good, 0) AS TEXT) || '/' || CAST(COALESCE(f.bad, 0) AS TEXT) AS detail \
FROM payment_operation o \
LEFT JOIN (SELECT operation_id, payment_id, kind, \
  CAST(SUM(CASE WHEN phase = 'requested' THEN 1 ELSE 0 END) AS BIGINT) AS asked, \
  CAST(SUM(CASE WHEN phase = 'succeeded' THEN 1 ELSE 0 END) AS BIGINT) AS good, \
  CAST(SUM(CASE WHEN phase = 'failed' THEN 1 ELSE 0 END) AS BIGINT) AS bad \
  FROM payment_event WHERE operation_id IS NOT NULL GROUP BY operation_id, payment_id, kind) f \
  ON f.operation_id = o.id AND f.payment_id = o.payment_id AND f.kind = o.kind \
WHERE COALESCE(f.asked, 0) <> 1 \
 OR (o.state = 'succeeded') <> (COALESCE(f.good, 0) > 0) \
 OR (o.state = 'failed') <> (COALESCE(f.good, 0) = 0 AND COALESCE(f.bad, 0) > 0)";

const REFUNDS: &str = "\
SELECT 'refund ' || CAST(r.id AS TEXT) AS subject, \
 'granted ' || CAST(r.amount AS TEXT) || ' ' || r.currency || ', parts ' || CAST(COALESCE(x.amount, 0) AS TEXT) AS detail \
FROM refund r LEFT JOIN (SELECT y.refund_id, CAST(SUM(y.amount) AS BIGINT) AS amount, \
  CAST(SUM(CASE WHEN o.kind = 'refund' AND o.payment_id = y.payment_id AND o.amount = y.amount AND p.order_id = q.order_id \
    AND p.currency = q.currency THEN 0 ELSE 1 END) AS BIGINT) AS wrong \
  FROM refund_part y JOIN payment_operation o ON o.id = y.operation_id JOIN payment p ON p.id = y.payment_id \
  JOIN refund q ON q.id = y.refund_id GROUP BY y.refund_id) x ON x.refund_id = r.id \
WHERE COALESCE(x.amount, 0) <> r.amount OR COALESCE(x.wrong, 0) <> 0";

const UNGRANTED: &str = "\
SELECT 'operation ' || CAST(o.id AS TEXT) AS subject, 'a refund of ' || CAST(o.amount AS TEXT) || ' that nobody granted' AS detail \
FROM payment_operation o WHERE o.kind = 'refund' AND NOT EXISTS (SELECT 1 FROM refund_part x WHERE x.operation_id = o.id)";

/// The purse is that of the tender's customer, or of one who is the same person since they were merged.
const CREDIT: &str = "\
SELECT 'payment ' || CAST(p.id AS TEXT) AS subject, 'store credit was not taken for ' || CAST(p.amount AS TEXT) AS detail \
FROM payment p WHERE p.gateway = 'store_credit' AND EXISTS (SELECT 1 FROM payment_operation o WHERE o.payment_id = p.id AND o.kind = 'capture') \
 AND NOT EXISTS (SELECT 1 FROM store_credit_entry c \
  WHERE c.reference = 'payment:' || CAST(p.id AS TEXT) AND c.amount = -p.amount AND c.currency = p.currency AND (c.customer_id = p.customer_id OR EXISTS (SELECT 1 FROM customer x JOIN customer y \
   ON COALESCE(x.merged_into, x.id) = COALESCE(y.merged_into, y.id) WHERE x.id = c.customer_id AND y.id = p.customer_id))) \
UNION ALL \
SELECT 'operation ' || CAST(e.operation_id AS TEXT), 'store credit was not given for ' || CAST(e.amount AS TEXT) \
FROM payment_event e JOIN payment p ON p.id = e.payment_id WHERE e.kind = 'refund' AND e.phase = 'requested' AND e.detail = 'store_credit' \
 AND NOT EXISTS (SELECT 1 FROM store_credit_entry c \
  WHERE c.reference = 'refund:' || CAST(e.operation_id AS TEXT) AND c.amount = e.amount AND c.currency = p.currency AND (c.customer_id = p.customer_id OR EXISTS (SELECT 1 FROM customer x JOIN customer y \
   ON COALESCE(x.merged_into, x.id) = COALESCE(y.merged_into, y.id) WHERE x.id = c.customer_id AND y.id = p.customer_id)))";
