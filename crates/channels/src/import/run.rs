//! The bookkeeping of an import: which chunks are done. Invariant: the next chunk and the counts are written in the transaction that
//! books the chunk, so neither is ever ahead of the other.

use db::{Db, FromRow, Tx, Value};
use kernel::{Actor, Currency, Fault};
use sha2::{Digest, Sha256};

use super::summary::{Counts, Outcome};
use super::{ImportFailed, Progress, Watch};

kernel::id!(RunId, "imp", "A run of an import.");

/// A run of an import over some files.
#[derive(Debug, Clone)]
pub(super) struct Run {
    id: RunId,
    /// The first chunk that is not done.
    pub next: usize,
    /// What the done chunks booked.
    pub counts: Counts,
    /// How it began: unchanged when there is nothing to do.
    pub outcome: Outcome,
    /// The currency costs are kept in.
    pub base: Currency,
    /// Whose name everything is recorded in.
    pub actor: Actor,
    /// It had finished, and is gone through again for what was refused.
    again: bool,
}

/// A source in chunks: what happens in one of them.
pub(super) trait Source {
    /// How many there are; a pure function of the files.
    fn chunks(&self) -> usize;
    /// What one is, for people, and how many orders are in all up to and including it.
    fn stage(&self, chunk: usize) -> (&'static str, u64);
    /// Books one.
    fn book(
        &self,
        tx: &Tx,
        run: &Run,
        chunk: usize,
        counts: &mut Counts,
    ) -> impl Future<Output = Result<(), Fault>>;
}

#[derive(FromRow)]
struct Stored {
    id: RunId,
    next_chunk: i64,
    finished_at: Option<i64>,
    totals: String,
}

/// The hash that names a set of files: of their bytes, whatever they are called.
pub(super) fn fingerprint<'a>(files: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for file in files {
        hash.update((file.len() as u64).to_le_bytes());
        hash.update(file);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Run {
    /// Begins a run, goes on with one, or finds that it is done. A finished run that had refusals is gone through again: what was refused
    /// may be possible by now, and everything else is there already. Sets the base currency of a database that has none and no books.
    pub async fn begin(
        db: &Db,
        source: &'static str,
        fingerprint: &str,
        currency: Option<Currency>,
    ) -> Result<Run, Fault> {
        let actor = Actor::import(source);
        db::write!(db, &actor, |tx| {
            let base = set_base(tx, currency).await?;
            let text = "INSERT INTO import_run (id, source, fingerprint, started_at) VALUES ($1, $2, $3, $4) ON CONFLICT (source, fingerprint) DO NOTHING";
            let id: RunId = tx.id();
            tx.exec(text, [id.into(), source.into(), fingerprint.into(), tx.now().into()]).await?;
            let text = "SELECT r.id, r.next_chunk, r.finished_at, r.totals FROM import_run r WHERE r.source = $1 AND r.fingerprint = $2 /*pg FOR UPDATE OF r */";
            let stored: Option<Stored> = tx.one(text, [source.into(), fingerprint.into()]).await?;
            let stored = stored.ok_or_else(|| Fault::broken("a run of an import vanished"))?;
            let counts: Counts = serde_json::from_str(&stored.totals)?;
            let actor = actor.clone();
            let (again, next, outcome) = match stored.finished_at {
                Some(_) if counts.refused.is_empty() => (false, usize::MAX, Outcome::Unchanged),
                Some(_) => (true, 0, Outcome::Resumed),
                None if stored.next_chunk == 0 => (false, 0, Outcome::Imported),
                None => (false, usize::try_from(stored.next_chunk)?, Outcome::Resumed),
            };
            let refused = if again { Vec::new() } else { counts.refused.clone() };
            let counts = Counts { refused, ..counts };
            Ok(Run { id: stored.id, next, counts, outcome, base, actor: actor.clone(), again })
        })
    }

    /// Books the chunks that are not done, each in its transaction.
    pub async fn drive(
        &mut self,
        db: &Db,
        source: &impl Source,
        watch: &mut impl Watch,
    ) -> Result<(), ImportFailed> {
        let chunks = source.chunks();
        let orders_of = chunks.checked_sub(1).map_or(0, |last| source.stage(last).1);
        while self.next < chunks {
            let run: &Run = self;
            let counts = db::write!(db, &run.actor, |tx| {
                let mut counts = run.counts.clone();
                source.book(tx, run, run.next, &mut counts).await?;
                if run.again {
                    counts.orders_known = run.counts.orders_known;
                }
                run.advance(tx, &counts, chunks).await?;
                Ok(counts)
            })?;
            let (stage, orders) = source.stage(self.next);
            self.counts = counts;
            self.next += 1;
            let progress = Progress { stage, chunk: self.next, chunks, orders, orders_of };
            if watch(&progress).is_break() && self.next < chunks {
                return Err(ImportFailed::Stopped);
            }
        }
        Ok(())
    }

    /// Writes that the chunk is done and what is booked so far. A run that is gone through again was finished and stays so: only what
    /// it booked is written, at its end.
    async fn advance(&self, tx: &Tx, counts: &Counts, chunks: usize) -> Result<(), Fault> {
        let next = self.next + 1;
        let totals: Value = serde_json::to_string(counts)?.into();
        if self.again {
            if next == chunks {
                let text = "UPDATE import_run SET totals = $1 WHERE id = $2 AND totals <> $1";
                tx.exec(text, [totals, self.id.into()]).await?;
            }
            return Ok(());
        }
        let finished = (next >= chunks).then_some(tx.now());
        let text = "UPDATE import_run SET next_chunk = $1, totals = $2, finished_at = $3 WHERE id = $4 AND next_chunk = $5";
        let values = [
            i64::try_from(next)?.into(),
            totals,
            finished.into(),
            self.id.into(),
            i64::try_from(self.next)?.into(),
        ];
        match tx.touched(text, values).await? {
            1 => Ok(()),
            _ => Err(Fault::broken("another import of the same files is running")),
        }
    }
}

/// The base currency; a database without one and without books takes the source's.
async fn set_base(tx: &Tx, currency: Option<Currency>) -> Result<Currency, Fault> {
    let set: Option<Currency> = db::settings::get(tx, "base_currency").await?;
    if let (None, Some(currency)) = (set, currency) {
        let books: Option<i64> = tx.scalar("SELECT id FROM journal_entry LIMIT 1", []).await?;
        if books.is_none() {
            db::settings::set(tx, "base_currency", &currency).await?;
        }
    }
    inventory::base_currency(tx).await
}
