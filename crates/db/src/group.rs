//! The one who writes on SQLite, and group commit: transactions that follow one another without a pause share one COMMIT, and with it one
//! wait for the disk.
//!
//! The first transaction of a group begins it; each behind it is a savepoint in it, one after the other, so each still sees all before it
//! and can be rolled back alone. When the first of a group is done it queues a committer: whoever waited for the writer before that takes part,
//! whoever comes later is in the next group. There is no timer, and a lone writer waits for nobody. A group of many commands has
//! spread the wait over them already: it commits at once, so that its callers come back while the next one is decided. (PostgreSQL groups
//! commits itself.)
//!
//! Invariants: nobody is told of success before the COMMIT; when it fails, everyone in the group is told so; a group in which the
//! database itself gave up (disk full, I/O) is rolled back whole, because SQLite may have ended its transaction; whoever goes away in the
//! middle takes only its own changes along.

use crate::error::{gave_up, is_busy};
use crate::sqlite::{Connection, closed};
use crate::turns::{Held, Standing, Turns};
use kernel::Fault;
use kernel::row::{Row, Value};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};

/// How long to wait for another process that writes.
const PATIENCE: Duration = Duration::from_secs(10);
/// Commands of a group that are worth a wait for the disk of their own.
const MANY: usize = 8;

type Told = oneshot::Sender<Result<(), Arc<str>>>;

/// The writer and those who wait for it.
#[derive(Clone)]
pub(crate) struct Group {
    turns: Turns,
    /// Locked by whose turn it is, so that nobody ever waits for the lock.
    turn: Arc<Mutex<Turn>>,
}

/// The writer, in the hands of whose turn it is; let go before the turn.
struct Mine {
    turn: OwnedMutexGuard<Turn>,
    _held: Held,
}

/// What the one whose turn it is holds.
struct Turn {
    /// Nothing once it is closed.
    connection: Option<Connection>,
    in_memory: bool,
    open: bool,
    members: Vec<Told>,
    /// Commands of the group that are done.
    commands: usize,
    /// What SQLite counts up when another process has written, as it was last seen.
    version: Option<i64>,
    /// Whether another process may have written since the newest event was asked for.
    others: bool,
    committer: bool,
}

impl Turn {
    fn connection(&self) -> Result<&Connection, Fault> {
        self.connection.as_ref().ok_or_else(closed)
    }
    /// Begins the transaction of a group. Another process may be writing; a thread that serves others must not sleep meanwhile.
    async fn begin(&mut self) -> Result<(), Fault> {
        // Whoever is left of a group that broke has no part in the next one.
        self.members.clear();
        self.commands = 0;
        let (mut waited, mut pause) = (Duration::ZERO, Duration::from_millis(1));
        loop {
            let begun = self.connection()?.control("BEGIN IMMEDIATE");
            self.open = begun.is_ok();
            match begun {
                Ok(()) => return self.look_for_others(),
                Err(e) if is_busy(&e) && waited < PATIENCE => {}
                Err(e) => return Err(Fault::from(e).while_doing("begin")),
            }
            tokio::time::sleep(pause).await;
            waited += pause;
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }
    /// Sees whether another process has written since this one last did.
    fn look_for_others(&mut self) -> Result<(), Fault> {
        let version = number(self.connection()?, "PRAGMA data_version")?;
        self.others |= version != self.version;
        self.version = version;
        Ok(())
    }
    /// Commits what is open and tells the members.
    fn commit(&mut self) {
        if !std::mem::take(&mut self.open) {
            self.members.clear();
            return;
        }
        let committed = self.connection().and_then(|c| c.control("COMMIT").map_err(Fault::from));
        let committed = committed.map_err(|e| Arc::from(format!("commit: {e}")));
        if committed.is_err() {
            self.undo();
        }
        metrics::histogram!("fulmar_commit_group_size").record(self.members.len() as f64);
        for member in self.members.drain(..) {
            // Who has gone does not hear of it; the change stands.
            let _ = member.send(committed.clone());
        }
    }
    /// Rolls the whole transaction back, if SQLite has not done so itself.
    fn undo(&mut self) {
        self.open = false;
        if let Some(connection) = &self.connection
            && connection.in_transaction()
            && let Err(e) = connection.control("ROLLBACK")
        {
            tracing::error!(error = %e, "rollback failed");
        }
    }
    /// Rolls the whole group back and tells its members why.
    fn give_up(&mut self, why: &Fault) {
        let why: Arc<str> = Arc::from(why.to_string());
        for member in self.members.drain(..) {
            let _ = member.send(Err(Arc::clone(&why)));
        }
        self.undo();
    }
}

/// The number a statement gives.
fn number(connection: &Connection, text: &str) -> Result<Option<i64>, Fault> {
    let mut rows = connection.query(text, &[])?;
    Ok(rows.pop().map(|mut row| row.take_at(0)).transpose()?)
}

/// One transaction of a group, on its turn. What is dropped is rolled back.
pub(crate) struct Member {
    /// Nothing once it was given to the one who commits.
    turn: Option<Mine>,
    group: Group,
    begun: Begun,
}

/// What a member has begun and neither kept nor undone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begun {
    Nothing,
    /// The transaction of the group, as its first; savepoints cost a copy of each page.
    Group,
    Savepoint,
}

impl Group {
    pub(crate) fn new(connection: Connection, in_memory: bool) -> Result<Self, Fault> {
        connection.never_waits()?;
        let connection = Some(connection);
        let turn = Turn {
            connection,
            in_memory,
            open: false,
            members: Vec::new(),
            commands: 0,
            version: None,
            others: true,
            committer: false,
        };
        Ok(Self { turns: Turns::new(1), turn: Arc::new(Mutex::new(turn)) })
    }
    /// Takes a place in the queue now; the turn comes when the answer is waited for.
    fn turn(&self, standing: Standing) -> impl Future<Output = Result<Mine, Fault>> + Send + use<> {
        let (asked, turn) = (self.turns.ask(standing), Arc::clone(&self.turn));
        async move {
            let _held = asked.await.map_err(|_| closed())?;
            Ok(Mine { turn: turn.lock_owned().await, _held })
        }
    }
    /// Waits for its turn and begins a transaction in the group.
    pub(crate) async fn join(&self, standing: Standing) -> Result<Member, Fault> {
        let mut mine = self.turn(standing).await?;
        let turn = &mut mine.turn;
        if !turn.open {
            turn.begin().await?;
            return Ok(Member { turn: Some(mine), group: self.clone(), begun: Begun::Group });
        }
        if let Err(e) = turn.connection()?.control("SAVEPOINT member") {
            let fault = Fault::from(e);
            turn.give_up(&fault);
            return Err(fault);
        }
        Ok(Member { turn: Some(mine), group: self.clone(), begun: Begun::Savepoint })
    }
    /// Runs a statement as a transaction of its own, behind whatever is open.
    pub(crate) async fn alone<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, Fault> {
        let Mine { mut turn, _held } = self.turn(Standing::single()).await?;
        turn.commit();
        turn.begin().await?;
        let done = work(turn.connection()?);
        if done.is_err() {
            turn.undo();
            return Ok(done?);
        }
        turn.open = false;
        if let Err(e) = turn.connection()?.control("COMMIT") {
            turn.undo();
            return Err(Fault::from(e).while_doing("commit"));
        }
        Ok(done?)
    }
    /// Commits what is open once everyone who waits already had a turn.
    fn commit_in_turn(&self) -> impl Future<Output = ()> + Send + use<> {
        let turn = self.turn(Standing::Last);
        async move {
            match turn.await {
                Ok(mut mine) => {
                    mine.turn.committer = false;
                    commit(mine).await;
                }
                Err(e) => tracing::error!(error = %e, "the committer had no turn"),
            }
        }
    }
    /// Forgets what was not committed, as a process does that dies.
    pub(crate) async fn forget(&self) {
        if let Ok(Mine { mut turn, _held }) = self.turn(Standing::single()).await {
            turn.members.clear();
            turn.undo();
            turn.others = true;
        }
    }
    /// Commits what is open and closes the connection.
    pub(crate) async fn close(&self) {
        if let Ok(Mine { mut turn, _held }) = self.turn(Standing::single()).await {
            turn.commit();
            turn.connection = None;
        }
    }
}

/// Commits where a wait for the disk keeps nobody else.
async fn commit(mut mine: Mine) {
    if mine.turn.in_memory {
        mine.turn.commit();
    } else if let Err(e) = tokio::task::spawn_blocking(move || mine.turn.commit()).await {
        tracing::error!(error = %e, "the committer ended");
    }
}

/// However a turn ends, also with a caller who went away in the middle: its own changes are undone unless they were released, and what is
/// open is committed soon, because an open transaction keeps every other process from writing.
impl Drop for Member {
    fn drop(&mut self) {
        let Some(Mine { turn, .. }) = &mut self.turn else { return };
        match self.begun {
            Begun::Nothing => {}
            Begun::Group => turn.undo(),
            Begun::Savepoint => {
                let undone = turn.connection().and_then(|c| {
                    c.control("ROLLBACK TO member")?;
                    Ok(c.control("RELEASE member")?)
                });
                if let Err(fault) = undone {
                    turn.give_up(&fault);
                }
            }
        }
        if turn.open
            && !turn.committer
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            turn.committer = true;
            runtime.spawn(self.group.commit_in_turn());
        }
    }
}

impl Member {
    fn connection(&self) -> Result<&Connection, Fault> {
        self.turn.as_ref().ok_or_else(closed)?.turn.connection()
    }
    /// The newest event, when another process may have written since this was asked last.
    pub(crate) fn newest_of_others(&mut self) -> Result<Option<i64>, Fault> {
        let Some(Mine { turn, .. }) = &mut self.turn else { return Err(closed()) };
        if !turn.others {
            return Ok(None);
        }
        let newest = number(turn.connection()?, "SELECT COALESCE(MAX(id), 0) FROM event")?;
        turn.others = false;
        Ok(newest)
    }
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, Fault> {
        Ok(work(self.connection()?)?)
    }
    pub(crate) fn query(&self, text: &str, values: &[Value]) -> Result<Vec<Row>, Fault> {
        Ok(self.connection()?.query(text, values)?)
    }
    pub(crate) fn execute(&self, text: &str, values: &[Value]) -> Result<u64, Fault> {
        Ok(self.connection()?.execute(text, values)?)
    }
    pub(crate) fn script(&self, text: &str) -> Result<(), Fault> {
        Ok(self.connection()?.script(text)?)
    }
    /// Ends the transaction, of so many commands, well; it is durable when this returns.
    pub(crate) async fn commit(mut self, commands: usize) -> Result<(), Fault> {
        let begun = std::mem::replace(&mut self.begun, Begun::Nothing);
        let Some(Mine { turn, .. }) = &mut self.turn else { return Err(closed()) };
        if begun == Begun::Savepoint
            && let Err(e) = turn.connection()?.control("RELEASE member")
        {
            let fault = Fault::from(e).while_doing("commit");
            turn.give_up(&fault);
            return Err(fault);
        }
        let (told, outcome) = oneshot::channel();
        turn.members.push(told);
        turn.commands += commands;
        match self.turn.take() {
            Some(mine) if mine.turn.commands >= MANY => commit(mine).await,
            turn => self.turn = turn,
        }
        drop(self);
        match outcome.await {
            Ok(committed) => committed.map_err(|why| Fault::broken(&*why)),
            Err(_) => Err(Fault::broken("the group ended without a commit")),
        }
    }
    /// Ends the transaction badly; what others of the group did stays, unless it was the database itself that gave up.
    pub(crate) fn roll_back(mut self, fault: &Fault) {
        if gave_up(fault)
            && let Some(Mine { turn, .. }) = &mut self.turn
        {
            self.begun = Begun::Nothing;
            turn.give_up(fault);
        }
    }
}
