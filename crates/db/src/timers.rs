//! Timed work: reconcilers and housekeeping that take no input. The next run is a row, claimed by one process.

use crate::{BoxFuture, Ctx, FromRow};
use kernel::{Actor, Fault, Timestamp};
use std::collections::HashMap;

/// Work that runs every so often.
#[derive(Clone, Copy)]
pub struct Timer {
    /// Stable name.
    pub name: &'static str,
    /// Seconds between runs.
    pub every_s: i64,
    /// What it does; idempotent.
    pub run: fn(Ctx) -> BoxFuture<'static, Result<(), Fault>>,
}

/// Runs the timers that are due by the database's clock.
pub(crate) async fn run_due(ctx: &Ctx, timers: &[Timer]) -> Result<(), Fault> {
    #[derive(FromRow)]
    struct Next {
        name: String,
        next_at: i64,
    }
    let now = ctx.db.now();
    let known: Vec<Next> = ctx.db.read().all("SELECT name, next_at FROM timer", []).await?;
    let known: HashMap<String, i64> = known.into_iter().map(|t| (t.name, t.next_at)).collect();
    for timer in timers.iter().filter(|t| known.get(t.name).is_none_or(|next| *next <= now.0)) {
        let then = now.plus(timer.every_s * Timestamp::SECOND);
        let mine: Option<i64> = crate::write!(ctx.db, &Actor::system("timers"), |tx| {
            tx.scalar(
                "INSERT INTO timer (name, next_at) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET next_at = excluded.next_at \
                 WHERE timer.next_at <= $3 RETURNING next_at",
                [timer.name.into(), then.into(), now.into()],
            )
            .await
        })?;
        if mine.is_some()
            && let Err(fault) = (timer.run)(ctx.clone()).await
        {
            tracing::warn!(timer = timer.name, %fault, "timed work failed; it runs again at its next time");
        }
    }
    Ok(())
}
