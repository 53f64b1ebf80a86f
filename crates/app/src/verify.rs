//! Proving a database: every law is one query of offenders, and all of them must find nothing.

use db::{Db, Law, Offence, laws};
use kernel::Fault;
use serde::Serialize;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

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

/// Checks laws, one on each processor; the verdicts come in their order.
///
/// # Errors
/// A fault of the database.
pub async fn verify(db: &Db, laws: &[Law]) -> Result<Vec<Verdict>, Fault> {
    let at_once = std::thread::available_parallelism().map_or(1, NonZero::get);
    let sql = Arc::new(db.scanners(u32::try_from(at_once)?).await?);
    let turns = Arc::new(Semaphore::new(at_once));
    let mut running = JoinSet::new();
    // The books' laws come last and read most: begun last, one of them would run alone at the end.
    for (n, law) in laws.iter().copied().enumerate().rev() {
        let (sql, turns) = (Arc::clone(&sql), Arc::clone(&turns));
        running.spawn(async move {
            let _turn = turns.acquire_owned().await?;
            let began = Instant::now();
            let offenders = laws::check(&sql, &law).await?;
            tracing::debug!(law = law.name, ms = began.elapsed().as_millis() as u64, "checked");
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
