//! `fulmar serve`.

use super::Out;
use crate::config::Config;
use crate::{Failure, program, serve};
use tokio::net::TcpListener;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Fill an empty database with a small demo shop first
    #[arg(long)]
    pub demo: bool,
}

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// Faults of the database and of the address.
pub async fn run(config: &Config, args: &Args, out: Out) -> Result<(), Failure> {
    let listener = TcpListener::bind(&config.listen).await.map_err(|e| {
        Failure::Usage(format!(
            "{} cannot be listened on: {e} (setting “listen”, FULMAR_LISTEN)",
            config.listen
        ))
    })?;
    let ctx = program::open(config, db::Clock::System).await?;
    program::set_merchant(&ctx, &config.merchant).await?;
    let welcome = serve::welcome(&ctx, config, listener.local_addr()?, args.demo).await?;
    out.result(&welcome, || welcome.lines())?;
    serve::serve(ctx, config, listener, serve::told_to_stop()?).await
}
