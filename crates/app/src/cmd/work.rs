//! `fulmar work`: background jobs without the web, as many processes as wanted on one PostgreSQL.

use crate::config::Config;
use crate::{Failure, program, serve, slices};
use tokio::sync::watch;

/// Works until SIGTERM or SIGINT; the job that runs is finished first.
///
/// # Errors
/// Faults of the database.
pub async fn run(config: &Config) -> Result<(), Failure> {
    let ctx = program::open(config, db::Clock::System).await?;
    let told = serve::told_to_stop()?;
    let (stop, stopped) = watch::channel(false);
    tracing::info!(database = config.database_shown(), "working");
    let worker = tokio::spawn(db::work_until(ctx.clone(), slices::jobs(), slices::timers(), stopped));
    told.await;
    let _ = stop.send(true);
    worker.await.map_err(kernel::Fault::from)?;
    super::close(ctx).await
}
