//! Putting the program together: the database with every slice's reactions and listeners, and what background work runs with.

use crate::config::Config;
use crate::outside::Executor;
use crate::{Failure, slices};
use db::{Clock, Ctx, Db, Options, Parts};
use kernel::outside::Outside;
use kernel::{Actor, Currency};
use std::sync::Arc;

/// Opens the database of a configuration and puts the program together.
///
/// # Errors
/// A usage failure when a setting does not fit the database; faults of the database.
pub async fn open(config: &Config, clock: Clock) -> Result<Ctx, Failure> {
    let db = Db::open(&config.database_url, options(config.connections, clock))
        .await
        .map_err(|f| Failure::Fault(f.while_doing(format!("open {}", config.database_shown()))))?;
    let ctx = assemble(db, Arc::new(Executor::new()?), config)?;
    if let Some(currency) = &config.merchant.base_currency {
        set_base_currency(&ctx, currency).await?;
    }
    Ok(ctx)
}

/// How the database is opened: with all that reacts and listens.
pub fn options(connections: u32, clock: Clock) -> Options {
    let slices = slices::slices();
    Options { clock, connections, reactions: web::all(&slices, |s| s.reactions), listeners: web::all(&slices, |s| s.listeners) }
}

/// What background work and handlers run with.
///
/// # Errors
/// A usage failure when a setting does not read.
pub fn assemble(db: Db, outside: Arc<dyn Outside>, config: &Config) -> Result<Ctx, Failure> {
    Ok(Ctx { db, outside, parts: Parts::default() })
}

/// The inventory is valued in one currency: it can be chosen until stock was received.
async fn set_base_currency(ctx: &Ctx, code: &str) -> Result<(), Failure> {
    let wanted: Currency = code.parse().map_err(|e| Failure::Usage(format!("setting “merchant.base_currency”: {e}")))?;
    let sql = ctx.db.read();
    let present = wanted;
    if present == wanted {
        return Ok(());
    }
    let valued: Option<i64> = sql.scalar("SELECT sku_id FROM sku_cost LIMIT 1", []).await?;
    if valued.is_some() {
        return Err(Failure::Usage(format!("setting “merchant.base_currency” is {wanted}, but the stock of this database is valued in {present}")));
    }
    db::write!(ctx.db, &Actor::system("config"), |tx| db::settings::set(tx, "base_currency", &wanted).await)?;
    Ok(())
}

/// tmp
pub fn setup(_: &Ctx, config: &Config) -> web::Setup { web::Setup { merchant: config.merchant.name.clone(), public_url: config.public_url.clone(), ..Default::default() } }
