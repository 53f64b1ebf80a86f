//! Group commit on SQLite: transactions that follow one another without a pause share one COMMIT, and with it one wait for the disk.
//!
//! Each transaction is a savepoint in the transaction of its group, one after the other, so each still sees all before it and can be
//! rolled back alone. When the first of a group is done it queues a committer: whoever waited for the writer before that takes part,
//! whoever comes later is in the next group. There is no timer, and a lone writer waits for nobody. (PostgreSQL groups commits itself.)
//!
//! Invariants: nobody is told of success before the COMMIT; when it fails, everyone in the group is told so; a group in which the
//! database itself gave up (disk full, I/O) is rolled back whole, because SQLite may have ended its transaction.

use crate::error::gave_up;
use kernel::Fault;
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};

type Told = oneshot::Sender<Result<(), Arc<str>>>;

/// The writers' queue: first come, first served.
#[derive(Clone, Default)]
pub(crate) struct Group(Arc<Mutex<Turn>>);

/// What the one whose turn it is holds.
#[derive(Default)]
pub(crate) struct Turn {
    open: Option<DatabaseTransaction>,
    members: Vec<Told>,
    committer: bool,
}

/// One transaction of a group, on its turn.
pub(crate) struct Member {
    turn: OwnedMutexGuard<Turn>,
    group: Group,
}

impl Group {
    /// Waits for its turn and begins a transaction in the group; what is dropped is rolled back.
    pub(crate) async fn join(
        &self,
        writer: &DatabaseConnection,
    ) -> Result<(DatabaseTransaction, Member), Fault> {
        let turn = Arc::clone(&self.0).lock_owned().await;
        // A task of its own, which goes on when the caller goes away: a savepoint dropped while it is made would take the transaction
        // around it along, and with it the changes of others in the group.
        tokio::spawn(self.clone().open(turn, writer.clone())).await.map_err(Fault::from)?
    }
    #[allow(clippy::disallowed_methods, reason = "the transactions of a group begin here")]
    async fn open(
        self,
        mut turn: OwnedMutexGuard<Turn>,
        writer: DatabaseConnection,
    ) -> Result<(DatabaseTransaction, Member), Fault> {
        let open = match turn.open.take() {
            Some(open) => open,
            None => {
                // Whoever is left of a group that broke has no part in the next one.
                turn.members.clear();
                let options = TransactionOptions {
                    sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                    ..TransactionOptions::default()
                };
                writer.begin_with_options(options).await?
            }
        };
        let inner = open.begin().await;
        turn.open = Some(open);
        let member = Member { turn, group: self };
        match inner {
            Ok(inner) => Ok((inner, member)),
            Err(e) => member.give_up(Fault::from(e)).await,
        }
    }

    /// Commits what is open once everyone who waits already had a turn.
    async fn commit_in_turn(self) {
        let mut turn = self.0.lock_owned().await;
        turn.committer = false;
        let Some(open) = turn.open.take() else {
            turn.members.clear();
            return;
        };
        let size = turn.members.len();
        let committed = open.commit().await.map_err(|e| Arc::from(format!("commit: {e}")));
        metrics::histogram!("fulmar_commit_group_size").record(size as f64);
        for member in turn.members.drain(..) {
            // Who has gone does not hear of it; the change stands.
            let _ = member.send(committed.clone());
        }
    }
}

/// However a turn ends, also with a caller who went away in the middle: what is open is committed soon, because an open transaction
/// keeps every other process from writing.
impl Drop for Member {
    fn drop(&mut self) {
        if self.turn.open.is_some()
            && !self.turn.committer
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            self.turn.committer = true;
            runtime.spawn(self.group.clone().commit_in_turn());
        }
    }
}

impl Member {
    /// Ends the transaction well; it is durable when this returns.
    pub(crate) async fn commit(mut self, inner: DatabaseTransaction) -> Result<(), Fault> {
        if let Err(e) = inner.commit().await {
            return self.give_up(Fault::from(e).while_doing("commit")).await;
        }
        let (told, outcome) = oneshot::channel();
        self.turn.members.push(told);
        drop(self);
        match outcome.await {
            Ok(committed) => committed.map_err(|why| Fault::broken(&*why)),
            Err(_) => Err(Fault::broken("the group ended without a commit")),
        }
    }
    /// Ends the transaction badly; what others of the group did stays, unless it was the database itself that gave up.
    pub(crate) async fn roll_back<T>(self, inner: DatabaseTransaction, fault: Fault) -> Result<T, Fault> {
        let rolled_back = inner.rollback().await;
        if rolled_back.is_err() || gave_up(&fault) {
            return self.give_up(fault).await;
        }
        Err(fault)
    }
    async fn give_up<T>(mut self, fault: Fault) -> Result<T, Fault> {
        // Told before anything is waited for: who goes away here must not leave them to the next group's success.
        let why: Arc<str> = Arc::from(fault.to_string());
        for member in self.turn.members.drain(..) {
            let _ = member.send(Err(Arc::clone(&why)));
        }
        if let Some(open) = self.turn.open.take()
            && let Err(e) = open.rollback().await
        {
            tracing::warn!(error = %e, "rollback failed; the connection is dropped");
        }
        Err(fault)
    }
}
