//! Putting the program together: the database with every slice's reactions and listeners, and what background work runs with.

use crate::config::{self, Config};
use crate::outside::Executor;
use crate::{Failure, slices};
use automation::Mailer;
use db::{Clock, Ctx, Db, Options, Parts};
use kernel::outside::Outside;
use kernel::{Actor, Currency};
use shipping::paper::{MERCHANT_SETTING, Merchant};
use std::sync::Arc;
use web::Setup;

/// The setting that e-mails take the shop's name from.
const SHOP_NAME_SETTING: &str = "shop_name";

/// Opens the database of a configuration and puts the program together.
///
/// # Errors
/// A usage failure when a setting does not read; faults of the database.
pub async fn open(config: &Config, clock: Clock) -> Result<Ctx, Failure> {
    let db = Db::open(&config.database_url, options(config.connections, clock))
        .await
        .map_err(|f| Failure::Fault(f.while_doing(format!("open {}", config.database_shown()))))?;
    assemble(db, Arc::new(Executor::new()?), config)
}

/// How the database is opened: with all that reacts and listens.
pub fn options(connections: u32, clock: Clock) -> Options {
    let slices = slices::slices();
    Options {
        clock,
        connections,
        reactions: web::all(&slices, |s| s.reactions),
        listeners: web::all(&slices, |s| s.listeners),
    }
}

/// What background work and handlers run with.
///
/// # Errors
/// A usage failure when a setting does not read.
pub fn assemble(db: Db, outside: Arc<dyn Outside>, config: &Config) -> Result<Ctx, Failure> {
    let mailer = match &config.smtp.url {
        Some(url) => Mailer::smtp(url.expose(), &config.smtp.from)
            .map_err(|f| Failure::Usage(format!("settings of “smtp”: {f}")))?,
        None => Mailer::none(),
    };
    let site = config.public_url.clone().unwrap_or_else(|| format!("http://{}", config.listen));
    let vault = web::auth::Vault::new(config.app_secret.clone(), &site);
    let parts = Parts::default()
        .with(mailer)
        .with(vault)
        .with(web::signed::Site(site))
        .with(connectors::gateways::all())
        .with(shipping::Carriers(vec![Arc::new(connectors::carriers::rate_table::RateTable)]));
    Ok(Ctx { db, outside, parts })
}

/// How the program is set up for the web: what handlers share beside the parts of background work.
pub fn setup(ctx: &Ctx, config: &Config) -> Setup {
    Setup {
        merchant: config.merchant.name.clone().unwrap_or_else(|| "Fulmar".into()),
        public_url: config.public_url.clone(),
        behind_proxy: config.behind_proxy,
        parts: Parts::default()
            .with(orders::api::lane(&ctx.db))
            .with(portal::Gate::default())
            .with(shipping::promise::Paces::default()),
    }
}

/// Keeps what the configuration says of the merchant where documents and e-mails read it; what it does not say stays as it is. Only
/// serving does this: a database that is to be restored into stays empty.
///
/// # Errors
/// A usage failure when the base currency is unknown or no longer free to choose; faults of the database.
pub async fn set_merchant(ctx: &Ctx, config: &config::Merchant) -> Result<(), Failure> {
    if let Some(code) = &config.base_currency {
        set_base_currency(ctx, code).await?;
    }
    if config.name.is_none() && config.address.is_empty() && config.tax_number.is_none() {
        return Ok(());
    }
    if let Some(name) = &config.name {
        let known: Option<String> = db::settings::get(ctx.db.read(), SHOP_NAME_SETTING).await?;
        if known.as_ref() != Some(name) {
            db::write!(ctx.db, &Actor::system("config"), |tx| db::settings::set(
                tx,
                SHOP_NAME_SETTING,
                name
            )
            .await)?;
        }
    }
    let present: Merchant = db::settings::get(ctx.db.read(), MERCHANT_SETTING).await?.unwrap_or_default();
    let mut wanted = present.clone();
    if config.name.is_some() || !config.address.is_empty() {
        wanted.lines = config.name.iter().chain(&config.address).cloned().collect();
    }
    if let Some(number) = &config.tax_number {
        wanted.tax_id.clone_from(number);
    }
    if wanted != present {
        db::write!(ctx.db, &Actor::system("config"), |tx| db::settings::set(tx, MERCHANT_SETTING, &wanted)
            .await)?;
    }
    Ok(())
}

/// The inventory is valued in one currency: it can be chosen until stock was received.
async fn set_base_currency(ctx: &Ctx, code: &str) -> Result<(), Failure> {
    let wanted: Currency =
        code.parse().map_err(|e| Failure::Usage(format!("setting “merchant.base_currency”: {e}")))?;
    let sql = ctx.db.read();
    let present = inventory::base_currency(sql).await?;
    if present == wanted {
        return Ok(());
    }
    let valued: Option<i64> = sql.scalar("SELECT sku_id FROM sku_cost LIMIT 1", []).await?;
    if valued.is_some() {
        return Err(Failure::Usage(format!(
            "setting “merchant.base_currency” is {wanted}, but the stock of this database is valued in {present}"
        )));
    }
    db::write!(ctx.db, &Actor::system("config"), |tx| db::settings::set(tx, "base_currency", &wanted).await)?;
    Ok(())
}
