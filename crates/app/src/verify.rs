//! Proving a database: every law is one query of offenders, and all of them must find nothing.

use db::{Db, Law, Offence, laws};
use kernel::Fault;
use serde::Serialize;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Laws checked at the same time.
const AT_ONCE: usize = 4;

/// What was found about a law.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    /// The law's name.
    pub law: &'static str,
    /// What should hold.
    pub says: &'static str,
    /// Whether it does.
    pub holds: bool,
    /// The first rows that break it.
    pub offenders: Vec<Offence>,
}

/// Checks laws; the verdicts come in their order.
///
/// # Errors
/// A fault of the database.
pub async fn verify(db: &Db, laws: &[Law]) -> Result<Vec<Verdict>, Fault> {
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for (n, law) in laws.iter().copied().enumerate() {
        let (db, turns) = (db.clone(), Arc::clone(&turns));
        running.spawn(async move {
            let _turn = turns.acquire_owned().await?;
            let offenders = laws::check(db.read(), &law).await?;
            Ok::<_, Fault>((
                n,
                Verdict { law: law.name, says: law.says, holds: offenders.is_empty(), offenders },
            ))
        });
    }
    let mut verdicts = Vec::with_capacity(laws.len());
    while let Some(done) = running.join_next().await {
        verdicts.push(done??);
    }
    verdicts.sort_by_key(|(n, _)| *n);
    Ok(verdicts.into_iter().map(|(_, verdict)| verdict).collect())
}
