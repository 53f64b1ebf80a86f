//! One connection to PostgreSQL.
//!
//! A statement whose answer nobody waits for travels with the next that is waited for (PostgreSQL calls it pipelining): what is written
//! between two reads, and BEGIN and COMMIT around it, is one message to the server and back. Its error is the error of the statement it
//! travelled with.
//!
//! A session drives its connection itself, on the task that asks: a task for the connection would be woken for each message.

use super::{Parameters, as_both_give_them, configured, failed, is_outdated, tls, value};
use kernel::Fault;
use kernel::row::{Row, Value};
use std::collections::HashMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{CancelToken, Client, Config, Connection, Error, Row as Found, Socket, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Prepared statements that a connection keeps; beyond them it forgets all.
const STATEMENTS: usize = 1_000;
/// Statements that wait at most for one that is waited for.
const WAITING: usize = 64;

const BEGIN: &str = "BEGIN";

type Driver = Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// A statement that has not been sent.
enum Waiting {
    Script(&'static str),
    Statement(Prepared, Parameters),
    Question(Prepared, Parameters, Later),
}

/// Where the answer to a question will be.
pub(crate) type Later = Arc<Mutex<Option<Vec<Row>>>>;

#[derive(Clone)]
struct Prepared {
    statement: Statement,
    /// How its text begins, for its errors.
    name: Arc<str>,
}

/// One connection, driven by whoever asks it.
pub struct Session {
    client: Client,
    connection: Driver,
    statements: HashMap<String, Prepared>,
    waiting: Vec<Waiting>,
    /// Inside of a transaction, whose BEGIN may still wait.
    open: bool,
    /// A statement of the transaction failed: it cannot be committed.
    failed: bool,
    /// Whoever asked last did not wait for the answer.
    left: bool,
}

/// What is waited for.
enum Asked<'a> {
    Nothing,
    Script(&'a str),
    Rows(&'a Statement, &'a Parameters),
    Touched(&'a Statement, &'a Parameters),
}
enum Answer {
    Done,
    Rows(Vec<Found>),
    Touched(u64),
}

async fn ask(client: &Client, asked: Asked<'_>) -> Result<Answer, Error> {
    Ok(match asked {
        Asked::Nothing => Answer::Done,
        Asked::Script(text) => client.batch_execute(text).await.map(|()| Answer::Done)?,
        Asked::Rows(statement, parameters) => Answer::Rows(client.query(statement, &parameters.all()).await?),
        Asked::Touched(statement, parameters) => {
            Answer::Touched(client.execute(statement, &parameters.all()).await?)
        }
    })
}

impl Session {
    /// A connection of its own, for who needs no pool.
    ///
    /// # Errors
    /// A fault when the URL does not read or the server cannot be reached.
    pub async fn connect(url: &str) -> Result<Self, Fault> {
        let (config, tls) = configured(url)?;
        Self::begin(&config, &tls).await.map_err(failed)
    }
    pub(super) async fn begin(config: &Config, tls: &tls::Tls) -> Result<Self, Error> {
        let (client, connection) = config.connect(tls.connector.clone()).await?;
        Ok(Self {
            client,
            connection,
            statements: HashMap::new(),
            waiting: Vec::new(),
            open: false,
            failed: false,
            left: false,
        })
    }
    pub(super) fn cancel(&self) -> CancelToken {
        self.client.cancel_token()
    }
    /// Whether whoever used it last went in the middle of something.
    pub(super) fn is_left(&self) -> bool {
        self.open || self.left
    }
    /// Whether the next may use it: it is connected, outside of a transaction, and no answer is to come.
    pub(super) fn is_whole(&mut self) -> bool {
        if self.is_left() {
            return false;
        }
        let mut nobody = Context::from_waker(std::task::Waker::noop());
        loop {
            match self.connection.poll_message(&mut nobody) {
                Poll::Pending => return true,
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(None | Some(Err(_))) => return false,
            }
        }
    }
    /// Waits for something that the connection brings.
    async fn driven<T>(
        connection: &mut Driver,
        what: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let mut what = pin!(what);
        std::future::poll_fn(|cx| {
            // It sends when it is polled first.
            if let Poll::Ready(done) = what.as_mut().poll(cx) {
                return Poll::Ready(done);
            }
            let ended = loop {
                match connection.poll_message(cx) {
                    Poll::Pending => break None,
                    Poll::Ready(Some(Ok(_))) => {}
                    Poll::Ready(Some(Err(e))) => break Some(Err(e)),
                    Poll::Ready(None) => break Some(Ok(())),
                }
            };
            match (what.as_mut().poll(cx), ended) {
                (Poll::Pending, Some(Err(e))) => Poll::Ready(Err(e)),
                (done, _) => done,
            }
        })
        .await
    }
    /// Sends what waits and what is asked, and waits for all of it.
    async fn send(&mut self, asked: Asked<'_>) -> Result<Answer, Fault> {
        let waiting = std::mem::take(&mut self.waiting);
        let client = &self.client;
        let step = |waiting| -> Step<'_> {
            Box::pin(match waiting {
                &Waiting::Script(text) => ask(client, Asked::Script(text)),
                Waiting::Statement(prepared, parameters) => {
                    ask(client, Asked::Touched(&prepared.statement, parameters))
                }
                Waiting::Question(prepared, parameters, _) => {
                    ask(client, Asked::Rows(&prepared.statement, parameters))
                }
            })
        };
        let mut steps: Vec<Step<'_>> = waiting.iter().map(step).collect();
        steps.push(Box::pin(ask(client, asked)));
        self.left = true;
        let answers = Self::driven(&mut self.connection, InOrder { steps, sent: false, answers: Vec::new() });
        let mut answers = answers.await.map_err(failed)?;
        // One that could not be sent keeps those behind it, and with them the end of the transaction.
        self.left = answers.len() <= waiting.len();
        self.failed |= self.open && answers.iter().any(Result::is_err);
        if answers.iter().any(|answer| answer.as_ref().is_err_and(is_outdated)) {
            self.statements.clear();
        }
        let last = answers.pop().unwrap_or(Ok(Answer::Done));
        for (answer, waiting) in answers.into_iter().zip(&waiting) {
            let name = match waiting {
                Waiting::Script(text) => text,
                Waiting::Statement(prepared, _) | Waiting::Question(prepared, ..) => &*prepared.name,
            };
            let answer = answer.map_err(|e| failed(e).while_doing(name))?;
            if let (Waiting::Question(_, _, later), Answer::Rows(found)) = (waiting, answer) {
                let rows = as_both_give_them(&found).map_err(|f| f.while_doing(name))?;
                *later.lock().unwrap_or_else(PoisonError::into_inner) = Some(rows);
            }
        }
        last.map_err(failed)
    }
    /// A prepared statement. Parameters are of the types that they have, whatever PostgreSQL would guess.
    async fn prepared(&mut self, text: &str, parameters: &Parameters) -> Result<Prepared, Fault> {
        let types = parameters.types();
        if let Some(prepared) = self.statements.get(text).filter(|p| p.statement.params() == types) {
            return Ok(prepared.clone());
        }
        // It may speak of what the ones before it make.
        self.send(Asked::Nothing).await?;
        if self.statements.len() >= STATEMENTS {
            self.statements.clear();
        }
        self.left = true;
        let preparing = self.client.prepare_typed(text, &types);
        let statement = Self::driven(&mut self.connection, preparing).await;
        // An error of the database is an answer; of any other the connection has ended.
        self.left = statement.as_ref().is_err_and(|e| e.as_db_error().is_none());
        self.failed |= self.open && statement.is_err();
        let prepared =
            Prepared { statement: statement.map_err(failed)?, name: crate::sql::first_words(text).into() };
        self.statements.insert(text.to_owned(), prepared.clone());
        Ok(prepared)
    }

    /// Begins a transaction.
    pub(crate) fn open(&mut self) {
        (self.open, self.failed) = (true, false);
        self.later_script(BEGIN);
    }
    /// Makes sure that PostgreSQL knows of it.
    pub(crate) async fn begun(&mut self) -> Result<(), Fault> {
        if self.begin_waits().is_some() {
            self.send(Asked::Nothing).await?;
        }
        Ok(())
    }
    fn begin_waits(&self) -> Option<usize> {
        self.waiting.iter().position(|waiting| matches!(waiting, Waiting::Script(BEGIN)))
    }
    /// Ends it; it is durable when this returns.
    pub(crate) async fn commit(&mut self) -> Result<(), Fault> {
        if self.failed || self.left {
            // PostgreSQL would roll back and call it done.
            return Err(Fault::broken("commit of a transaction with a statement that failed"));
        }
        let done = self.script("COMMIT").await;
        // Whatever came of it: when it was answered, the transaction has ended.
        self.open = self.left;
        done.map_err(|f| f.while_doing("commit"))
    }
    /// Ends it without a trace.
    pub(crate) async fn roll_back(&mut self) -> Result<(), Fault> {
        match self.begin_waits() {
            Some(unsent) => self.waiting.truncate(unsent),
            None => {
                self.waiting.clear();
                self.script("ROLLBACK").await?;
            }
        }
        self.open = false;
        Ok(())
    }
    pub(super) fn later_script(&mut self, text: &'static str) {
        self.waiting.push(Waiting::Script(text));
    }
    /// Runs a statement with the next that is waited for.
    pub(crate) async fn later(&mut self, text: &str, parameters: Parameters) -> Result<(), Fault> {
        let prepared = self.prepared(text, &parameters).await?;
        self.waiting.push(Waiting::Statement(prepared, parameters));
        if self.waiting.len() >= WAITING {
            self.send(Asked::Nothing).await?;
        }
        Ok(())
    }
    /// Asks a question with the next that is waited for.
    pub(crate) async fn ask(&mut self, text: &str, parameters: Parameters) -> Result<Later, Fault> {
        let prepared = self.prepared(text, &parameters).await?;
        let later = Later::default();
        self.waiting.push(Waiting::Question(prepared, parameters, Arc::clone(&later)));
        Ok(later)
    }
    /// The answer to a question that was asked.
    pub(crate) async fn answer(&mut self, later: &Later) -> Result<Vec<Row>, Fault> {
        let taken = || later.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(rows) = taken() {
            return Ok(rows);
        }
        self.send(Asked::Nothing).await?;
        taken().ok_or_else(|| Fault::broken("a question without its answer"))
    }
    /// Runs statements without parameters.
    ///
    /// # Errors
    /// A fault of the database.
    pub async fn script(&mut self, text: &str) -> Result<(), Fault> {
        self.send(Asked::Script(text)).await?;
        Ok(())
    }
    /// Runs a statement; how many rows it touched.
    pub(crate) async fn touched(&mut self, text: &str, parameters: Parameters) -> Result<u64, Fault> {
        let Prepared { statement, .. } = self.prepared(text, &parameters).await?;
        match self.send(Asked::Touched(&statement, &parameters)).await? {
            Answer::Touched(rows) => Ok(rows),
            Answer::Done | Answer::Rows(_) => Err(Fault::broken("a statement without its count")),
        }
    }
    /// Runs a statement and waits for it.
    ///
    /// # Errors
    /// A fault of the database.
    pub async fn write(&mut self, text: &str, values: Vec<Value>) -> Result<u64, Fault> {
        self.touched(text, values.into()).await
    }
    /// All rows of a query, as values to write.
    ///
    /// # Errors
    /// A fault of the database; a column of a type that is none of ours.
    pub async fn read(&mut self, text: &str) -> Result<Vec<Vec<Value>>, Fault> {
        let read = |row: &Found| (0..row.len()).map(|n| value(row, n)).collect();
        self.found(text, Parameters::default()).await?.iter().map(read).collect()
    }
    /// All rows of a query, as both databases give them.
    pub(crate) async fn rows(&mut self, text: &str, parameters: Parameters) -> Result<Vec<Row>, Fault> {
        as_both_give_them(&self.found(text, parameters).await?)
    }
    async fn found(&mut self, text: &str, parameters: Parameters) -> Result<Vec<Found>, Fault> {
        let Prepared { statement, .. } = self.prepared(text, &parameters).await?;
        match self.send(Asked::Rows(&statement, &parameters)).await? {
            Answer::Rows(found) => Ok(found),
            Answer::Done | Answer::Touched(_) => Err(Fault::broken("a query without its rows")),
        }
    }
}

type Step<'a> = Pin<Box<dyn Future<Output = Result<Answer, Error>> + Send + 'a>>;

/// Sends all before it waits for the first: PostgreSQL answers in the order of sending.
struct InOrder<'a> {
    steps: Vec<Step<'a>>,
    sent: bool,
    answers: Vec<Result<Answer, Error>>,
}
impl Future for InOrder<'_> {
    type Output = Result<Vec<Result<Answer, Error>>, Error>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if !this.sent {
            this.sent = true;
            // None has its answer yet but one that had nothing to send, or that could not be sent: nothing is sent behind it.
            for n in 0..this.steps.len() {
                if let Poll::Ready(answer) = this.steps[n].as_mut().poll(cx) {
                    if answer.is_err() {
                        this.steps.truncate(n + 1);
                    }
                    this.steps[n] = Box::pin(std::future::ready(answer));
                    if n + 1 == this.steps.len() {
                        break;
                    }
                }
            }
        }
        while let Some(step) = this.steps.get_mut(this.answers.len()) {
            let answer = ready!(step.as_mut().poll(cx));
            this.answers.push(answer);
        }
        Poll::Ready(Ok(std::mem::take(&mut this.answers)))
    }
}
