//! The payments a transaction holds locked, with their facts: commands decide against them in memory, and one save writes everything.
//!
//! Invariants: what is saved is the fold of the facts, and each event tells of a key whose standing changed, once. Locks are taken in one
//! order everywhere, orders before their payments, each by id: whoever changes an order and then its payments, as shipping does, never
//! waits in a circle for whoever changes a payment and then its order; and of two who change payments of one order, the second adds up
//! the order's amounts when the first has committed.

use crate::fold::{Amounts, Entry, Folded, fold};
use crate::model::{Act, FactKind, Payment, Phase, State};
use crate::tell::tell;
use crate::{CallGateway, FactId, OperationId, PaymentId, RefundId};
use db::{FromRow, Rows, Tx};
use kernel::{Fault, Id, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The detail of a requested authorisation that is to be captured as soon as it succeeds.
pub(crate) const CAPTURE_AT_ONCE: &str = "capture";

/// A fact to add.
#[derive(Debug, Clone)]
pub(crate) struct NewFact {
    pub at: Timestamp,
    pub kind: FactKind,
    pub phase: Phase,
    pub amount: i64,
    pub reference: String,
    pub operation: Option<OperationId>,
    pub detail: Option<String>,
}

/// One locked payment.
pub(crate) struct Held {
    pub payment: Payment,
    pub(crate) fresh: bool,
    stored: usize,
    pub(crate) facts: Vec<Entry>,
    pub(crate) before: Folded,
    pub(crate) now: Folded,
    pub(crate) action_before: Option<String>,
}

impl Held {
    pub fn amounts(&self) -> &Amounts {
        &self.now.amounts
    }
    pub fn facts(&self) -> &[Entry] {
        &self.facts
    }
    /// Operations of a kind that were requested and have no end.
    pub fn open_operations(&self, kind: FactKind) -> Vec<OperationId> {
        let ended: BTreeSet<OperationId> = self
            .facts
            .iter()
            .filter(|f| f.kind == kind && f.phase != Phase::Requested)
            .filter_map(|f| f.operation)
            .collect();
        let requested = self
            .facts
            .iter()
            .filter(|f| f.kind == kind && f.phase == Phase::Requested)
            .filter_map(|f| f.operation);
        requested.filter(|o| !ended.contains(o)).collect()
    }
}

struct NewOperation {
    id: OperationId,
    payment: PaymentId,
    act: Act,
    amount: i64,
    at: Timestamp,
}

/// The locked payments of a transaction.
#[derive(Default)]
pub(crate) struct Ledger {
    held: BTreeMap<PaymentId, Held>,
    operations: Vec<NewOperation>,
    calls: Vec<OperationId>,
    links: Vec<(i64, OperationId)>,
    refunds: HashMap<OperationId, RefundId>,
}

#[derive(FromRow)]
struct FactRow {
    id: i64,
    payment_id: PaymentId,
    operation_id: Option<OperationId>,
    kind: FactKind,
    phase: Phase,
    amount: i64,
    gateway_reference: String,
    at: Timestamp,
    detail: Option<String>,
}

#[derive(FromRow)]
struct RefundOf {
    operation_id: OperationId,
    refund_id: RefundId,
}

/// Locks the orders that a query finds.
async fn lock_first(tx: &Tx, input: &Rows, orders: &str) -> Result<(), Fault> {
    let text = format!("SELECT o.id FROM orders o WHERE o.id IN ({orders}) ORDER BY o.id FOR UPDATE OF o");
    tx.lock_from(input, &text).await
}

impl Ledger {
    /// Locks payments and before them their orders, in the order of their ids. Those that do not exist are missing from the ledger.
    pub async fn lock(tx: &Tx, ids: impl IntoIterator<Item = PaymentId>) -> Result<Self, Fault> {
        let ids: BTreeSet<PaymentId> = ids.into_iter().collect();
        let mut input = Rows::new("id BIGINT");
        for id in ids {
            input.push([id.into()]);
        }
        lock_first(tx, &input, "SELECT p.order_id FROM payment p JOIN input ON input.id = p.id").await?;
        let text =
            "SELECT p.* FROM payment p JOIN input ON input.id = p.id ORDER BY p.id /*pg FOR UPDATE OF p */";
        Self::locked(tx, &input, text).await
    }
    /// Locks orders and then all their payments, in the order of their ids.
    pub async fn lock_orders(tx: &Tx, orders: impl IntoIterator<Item = i64>) -> Result<Self, Fault> {
        let orders: BTreeSet<i64> = orders.into_iter().collect();
        let mut input = Rows::new("order_id BIGINT");
        for order in orders {
            input.push([order.into()]);
        }
        lock_first(tx, &input, "SELECT order_id FROM input").await?;
        let text = "SELECT p.* FROM payment p JOIN input ON input.order_id = p.order_id ORDER BY p.id /*pg FOR UPDATE OF p */";
        Self::locked(tx, &input, text).await
    }
    async fn locked(tx: &Tx, input: &Rows, text: &str) -> Result<Self, Fault> {
        let payments: Vec<Payment> = tx.all_from(input, text, []).await?;
        let mut wanted = Rows::new("id BIGINT");
        for payment in &payments {
            wanted.push([payment.id.into()]);
        }
        // Read after the lock, in a statement of its own: it sees what the holders before us committed.
        let rows: Vec<FactRow> = tx
            .all_from(
                &wanted,
                "SELECT e.id, e.payment_id, e.operation_id, e.kind, e.phase, e.amount, e.gateway_reference, e.at, e.detail \
                 FROM payment_event e JOIN input ON input.id = e.payment_id ORDER BY e.id",
                [],
            )
            .await?;
        let mut facts: HashMap<PaymentId, Vec<Entry>> = HashMap::new();
        for r in rows {
            facts.entry(r.payment_id).or_default().push(Entry {
                id: r.id,
                at: r.at,
                kind: r.kind,
                phase: r.phase,
                amount: r.amount,
                reference: r.gateway_reference,
                operation: r.operation_id,
                detail: r.detail,
            });
        }
        let mut ledger = Self::default();
        for payment in payments {
            let facts = facts.remove(&payment.id).unwrap_or_default();
            let folded = fold(payment.amount, &facts);
            let action_before = payment.action_url.clone();
            let held = Held {
                stored: facts.len(),
                fresh: false,
                facts,
                before: folded.clone(),
                now: folded,
                action_before,
                payment,
            };
            ledger.held.insert(held.payment.id, held);
        }
        Ok(ledger)
    }

    pub fn get(&self, id: PaymentId) -> Option<&Held> {
        self.held.get(&id)
    }
    pub fn get_mut(&mut self, id: PaymentId) -> Result<&mut Held, Fault> {
        self.held.get_mut(&id).ok_or_else(|| Fault::broken(format!("payment {id} is not held")))
    }
    /// The held payments of an order, in the order of their ids.
    pub fn of_order(&self, order: i64) -> impl Iterator<Item = &Held> {
        self.held.values().filter(move |h| h.payment.order_id == order)
    }
    /// Adds a payment that does not exist yet.
    pub fn create(&mut self, payment: Payment) {
        let held = Held {
            fresh: true,
            stored: 0,
            facts: Vec::new(),
            before: Folded::default(),
            now: Folded::default(),
            action_before: None,
            payment,
        };
        self.held.insert(held.payment.id, held);
    }

    /// Adds a fact. One that is known changes nothing, but for telling which operation it answers. The same success with another
    /// amount is kept as its contradiction.
    pub fn push(&mut self, tx: &Tx, payment: PaymentId, fact: NewFact) -> Result<(), Fault> {
        let held = self
            .held
            .get_mut(&payment)
            .ok_or_else(|| Fault::broken(format!("payment {payment} is not held")))?;
        let known = held
            .facts
            .iter_mut()
            .find(|f| f.kind == fact.kind && f.phase == fact.phase && f.reference == fact.reference);
        if let Some(known) = known {
            if known.operation.is_none() && fact.operation.is_some() {
                known.operation = fact.operation;
                self.links.extend(fact.operation.map(|o| (known.id, o)));
            }
            let (amount, at) = (known.amount, known.at);
            if amount != fact.amount && fact.phase == Phase::Succeeded && fact.kind != FactKind::Chargeback {
                let detail = Some(format!("said {amount}, then {}", fact.amount));
                let contradiction = NewFact {
                    at: fact.at.max(at),
                    phase: Phase::Failed,
                    amount: fact.amount,
                    operation: None,
                    detail,
                    ..fact
                };
                return self.push(tx, payment, contradiction);
            }
        } else {
            let id: FactId = tx.id();
            held.facts.push(Entry {
                id: id.raw(),
                at: fact.at,
                kind: fact.kind,
                phase: fact.phase,
                amount: fact.amount,
                reference: fact.reference,
                operation: fact.operation,
                detail: fact.detail,
            });
        }
        held.now = fold(held.payment.amount, &held.facts);
        Ok(())
    }
    /// Records that something is asked of the gateway of a payment.
    pub fn request(
        &mut self,
        tx: &Tx,
        at: Timestamp,
        payment: PaymentId,
        act: Act,
        amount: i64,
        detail: Option<&str>,
    ) -> Result<OperationId, Fault> {
        let id: OperationId = tx.id();
        self.operations.push(NewOperation { id, payment, act, amount, at });
        let fact = NewFact {
            at,
            kind: act.fact(),
            phase: Phase::Requested,
            amount,
            reference: id.to_string(),
            operation: Some(id),
            detail: detail.map(str::to_owned),
        };
        self.push(tx, payment, fact)?;
        Ok(id)
    }
    /// Ends an operation without a gateway.
    pub fn end(
        &mut self,
        tx: &Tx,
        at: Timestamp,
        payment: PaymentId,
        (operation, kind): (OperationId, FactKind),
        phase: Phase,
        amount: i64,
        detail: Option<&str>,
    ) -> Result<(), Fault> {
        let fact = NewFact {
            at,
            kind,
            phase,
            amount,
            reference: operation.to_string(),
            operation: Some(operation),
            detail: detail.map(str::to_owned),
        };
        self.push(tx, payment, fact)
    }
    /// Has the gateway called for an operation that was requested.
    pub fn call(&mut self, operation: OperationId) {
        self.calls.push(operation);
    }
    /// Tells which refund an operation pays out.
    pub fn pays_out(&mut self, operation: OperationId, refund: RefundId) {
        self.refunds.insert(operation, refund);
    }

    /// What follows from an authorisation that was waited for: a void that was asked for meanwhile, or the capture at once.
    fn follow_up(&mut self, tx: &Tx) -> Result<(), Fault> {
        let answered: Vec<PaymentId> = self
            .held
            .values()
            .filter(|h| h.before.amounts.authorise_pending && !h.now.amounts.authorise_pending)
            .map(|h| h.payment.id)
            .collect();
        for id in answered {
            let held = self.get_mut(id)?;
            let voids = held.open_operations(FactKind::Void);
            let at = held.facts.last().map_or_else(|| tx.now(), |f| f.at);
            let capture = held.facts.iter().any(|f| {
                f.kind == FactKind::Authorise
                    && f.phase == Phase::Requested
                    && f.detail.as_deref() == Some(CAPTURE_AT_ONCE)
            });
            let (authorised, capturable) = (held.now.amounts.authorised, held.now.amounts.capturable());
            if authorised > 0 && !voids.is_empty() {
                self.calls.extend(voids);
            } else if authorised > 0 && capture && capturable > 0 {
                let operation = self.request(tx, at, id, Act::Capture, capturable, None)?;
                self.call(operation);
            } else {
                for void in voids {
                    self.end(
                        tx,
                        at,
                        id,
                        (void, FactKind::Void),
                        Phase::Failed,
                        0,
                        Some("nothing was authorised"),
                    )?;
                }
            }
        }
        Ok(())
    }

    /// Writes payments, operations, facts, jobs and events.
    pub async fn save(mut self, tx: &Tx) -> Result<(), Fault> {
        self.follow_up(tx)?;
        self.save_payments(tx).await?;
        self.save_operations(tx).await?;
        self.save_facts(tx).await?;
        let jobs: Vec<(CallGateway, Option<String>)> = self
            .calls
            .iter()
            .map(|operation| CallGateway { operation: *operation, attempt: 0 })
            .map(|job| {
                let key = job.dedup();
                (job, Some(key))
            })
            .collect();
        tx.enqueue(tx.now(), &jobs).await?;
        self.find_refunds(tx).await?;
        for held in self.held.values() {
            tell(tx, held, &self.refunds)?;
        }
        Ok(())
    }

    async fn save_payments(&self, tx: &Tx) -> Result<(), Fault> {
        const COLUMNS: &str = "id BIGINT, order_id BIGINT, customer_id BIGINT, gateway TEXT, method TEXT, token TEXT?, reference TEXT?, \
             currency TEXT, amount BIGINT, authorised BIGINT, captured BIGINT, voided BIGINT, refunded BIGINT, capture_pending BIGINT, \
             refund_pending BIGINT, disputed BIGINT, dispute_lost BIGINT, fees BIGINT, action_url TEXT?, failed BOOLEAN, \
             expired BOOLEAN, conflicted BOOLEAN, created_at BIGINT, expires_at BIGINT?";
        let (mut inserts, mut updates) = (Rows::new(COLUMNS), Rows::new(COLUMNS));
        for held in self.held.values() {
            let (p, a) = (&held.payment, &held.now.amounts);
            let rows = if held.fresh { &mut inserts } else { &mut updates };
            rows.push([
                p.id.into(),
                p.order_id.into(),
                p.customer_id.into(),
                p.gateway.as_str().into(),
                p.method.as_str().into(),
                p.token.clone().into(),
                p.reference.clone().into(),
                p.currency.into(),
                p.amount.into(),
                a.authorised.into(),
                a.captured.into(),
                a.voided.into(),
                a.refunded.into(),
                a.capture_pending.into(),
                a.refund_pending.into(),
                a.disputed.into(),
                a.dispute_lost.into(),
                a.fees.into(),
                p.action_url.clone().into(),
                a.failed.into(),
                a.expired.into(),
                a.conflicted.into(),
                p.created_at.into(),
                p.expires_at.into(),
            ]);
        }
        tx.insert("payment", &inserts).await?;
        tx.exec_from(
            &updates,
            "UPDATE payment SET reference = input.reference, authorised = input.authorised, captured = input.captured, \
             voided = input.voided, refunded = input.refunded, capture_pending = input.capture_pending, \
             refund_pending = input.refund_pending, disputed = input.disputed, dispute_lost = input.dispute_lost, fees = input.fees, \
             action_url = input.action_url, failed = input.failed, expired = input.expired, conflicted = input.conflicted \
             FROM input WHERE payment.id = input.id",
            [],
        )
        .await?;
        Ok(())
    }

    async fn save_operations(&self, tx: &Tx) -> Result<(), Fault> {
        // Whatever got a fact or a link in this transaction, and ended: success outweighs failure.
        let linked: BTreeSet<OperationId> = self.links.iter().map(|(_, o)| *o).collect();
        let mut ends: BTreeMap<OperationId, (State, Timestamp, Option<String>)> = BTreeMap::new();
        for held in self.held.values() {
            for (n, fact) in held.facts.iter().enumerate() {
                let Some(operation) = fact.operation else { continue };
                if n < held.stored && !linked.contains(&operation) {
                    continue;
                }
                match (fact.phase, ends.get(&operation)) {
                    (Phase::Succeeded, _) => {
                        ends.insert(operation, (State::Succeeded, fact.at, None));
                    }
                    (Phase::Failed, None) => {
                        ends.insert(operation, (State::Failed, fact.at, fact.detail.clone()));
                    }
                    _ => {}
                }
            }
        }
        let mut rows = Rows::new(
            "id BIGINT, payment_id BIGINT, kind TEXT, amount BIGINT, state TEXT, requested_at BIGINT, answered_at BIGINT?, problem TEXT?",
        );
        for o in &self.operations {
            let (state, answered, problem) = match ends.remove(&o.id) {
                Some((state, at, problem)) => (state, Some(at), problem),
                None => (State::Requested, None, None),
            };
            rows.push([
                o.id.into(),
                o.payment.into(),
                o.act.into(),
                o.amount.into(),
                state.into(),
                o.at.into(),
                answered.into(),
                problem.into(),
            ]);
        }
        tx.insert("payment_operation", &rows).await?;
        let mut rows = Rows::new("id BIGINT, state TEXT, answered_at BIGINT, problem TEXT?");
        for (id, (state, at, problem)) in ends {
            rows.push([id.into(), state.into(), at.into(), problem.into()]);
        }
        tx.exec_from(
            &rows,
            "UPDATE payment_operation SET state = input.state, answered_at = input.answered_at, problem = input.problem FROM input \
             WHERE payment_operation.id = input.id AND payment_operation.state <> 'succeeded'",
            [],
        )
        .await?;
        Ok(())
    }

    async fn save_facts(&self, tx: &Tx) -> Result<(), Fault> {
        let mut rows = Rows::new(
            "id BIGINT, payment_id BIGINT, operation_id BIGINT?, kind TEXT, phase TEXT, amount BIGINT, gateway_reference TEXT, at BIGINT, \
             detail TEXT?",
        );
        for held in self.held.values() {
            for f in &held.facts[held.stored..] {
                rows.push([
                    f.id.into(),
                    held.payment.id.into(),
                    f.operation.into(),
                    f.kind.into(),
                    f.phase.into(),
                    f.amount.into(),
                    f.reference.as_str().into(),
                    f.at.into(),
                    f.detail.clone().into(),
                ]);
            }
        }
        tx.insert("payment_event", &rows).await?;
        let mut rows = Rows::new("id BIGINT, operation_id BIGINT");
        for (id, operation) in &self.links {
            rows.push([(*id).into(), (*operation).into()]);
        }
        tx.exec_from(
            &rows,
            "UPDATE payment_event SET operation_id = input.operation_id FROM input WHERE payment_event.id = input.id",
            [],
        )
        .await?;
        Ok(())
    }

    /// Which refunds the changed refund operations pay out, where this transaction did not grant them itself.
    async fn find_refunds(&mut self, tx: &Tx) -> Result<(), Fault> {
        let mut rows = Rows::new("id BIGINT");
        for held in self.held.values() {
            for fact in &held.facts {
                if let (FactKind::Refund, Some(operation)) = (fact.kind, fact.operation)
                    && fact.phase != Phase::Requested
                    && held.now != held.before
                    && !self.refunds.contains_key(&operation)
                {
                    rows.push([operation.into()]);
                }
            }
        }
        let text = "SELECT r.operation_id, r.refund_id FROM refund_part r WHERE r.operation_id IN (SELECT id FROM input)";
        let found: Vec<RefundOf> = tx.all_from(&rows, text, []).await?;
        self.refunds.extend(found.into_iter().map(|r| (r.operation_id, r.refund_id)));
        Ok(())
    }
}
