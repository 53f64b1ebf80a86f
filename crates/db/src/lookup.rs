//! Lookups: concurrent reads of single rows become one query by natural batching, as commands do in a [`crate::Lane`]. What every request
//! has to ask (whose key is this?) costs one statement for all that ask at the same time. Invariant: a question is answered by a query that
//! began after it was asked, so nothing is ever stale.

use crate::{BoxFuture, Db, Sql};
use kernel::Fault;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Questions of one query.
const CAP: usize = 256;

/// What is asked: by which key, and the query.
pub trait Question: Send + Sync + 'static {
    /// What is found under a key.
    type Found: Clone + Send + Sync + 'static;
    /// What there is under some keys; each is asked once.
    fn ask<'a>(
        sql: &'a Sql,
        keys: &'a [String],
    ) -> BoxFuture<'a, Result<HashMap<String, Self::Found>, Fault>>;
}

type Asked<Q> = (String, oneshot::Sender<Result<Option<<Q as Question>::Found>, Arc<str>>>);

/// The place where questions of a kind meet.
pub struct Lookup<Q: Question>(mpsc::Sender<Asked<Q>>);

impl<Q: Question> Lookup<Q> {
    /// Opens it; it ends when it is dropped.
    pub fn new(db: &Db) -> Self {
        let (ask, asked) = mpsc::channel(CAP);
        tokio::spawn(work::<Q>(db.clone(), asked));
        Self(ask)
    }
    /// What is found under a key.
    ///
    /// # Errors
    /// A fault of the database.
    pub async fn find(&self, key: String) -> Result<Option<Q::Found>, Fault> {
        let (reply, answer) = oneshot::channel();
        let ended = || Fault::broken("the lookup ended before it answered");
        self.0.send((key, reply)).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?.map_err(|why| Fault::broken(&*why))
    }
}

async fn work<Q: Question>(db: Db, mut waiting: mpsc::Receiver<Asked<Q>>) {
    let mut asked: Vec<Asked<Q>> = Vec::with_capacity(CAP);
    let here = db.read().here();
    let sql = here.as_ref().unwrap_or_else(|| db.read());
    while waiting.recv_many(&mut asked, CAP).await > 0 {
        let mut keys: Vec<String> = asked.iter().map(|(key, _)| key.clone()).collect();
        keys.sort_unstable();
        keys.dedup();
        let found = crate::unwind::caught(Q::ask(sql, &keys)).await;
        let found = found.map_err(|fault| Arc::<str>::from(fault.to_string()));
        for (key, reply) in asked.drain(..) {
            // Who has gone does not hear of it.
            let _ = reply.send(match &found {
                Ok(found) => Ok(found.get(&key).cloned()),
                Err(why) => Err(Arc::clone(why)),
            });
        }
    }
}
