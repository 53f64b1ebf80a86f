//! The demo shop: two weeks of a small coffee shop, played with the real commands on a clock of its own that ends now. Invariants: it is
//! the same shop each time; nothing is inserted by hand; no e-mail leaves the machine.

mod goods;
mod life;
mod script;
mod supply;

use crate::config::Config;
use crate::serve::SignIn;
use crate::{Failure, cmd, people, program, slices};
use catalog::SkuId;
use db::{Clock, Ctx};
use inventory::LocationId;
use kernel::{Actor, Fault, Refuse, Timestamp};
use std::collections::HashMap;
use web::Role;

/// Who signs in to the demo.
pub const EMAIL: &str = "demo@fulmar.test";
/// With which password.
pub const PASSWORD: &str = "fulmar-demo-shop";

/// The demo while it is being played.
struct Shop {
    ctx: Ctx,
    actor: Actor,
    skus: HashMap<String, SkuId>,
    locations: HashMap<String, LocationId>,
}

impl Shop {
    fn now(&self) -> Timestamp {
        self.ctx.db.now()
    }
    fn sku(&self, code: &str) -> Result<SkuId, Failure> {
        self.skus
            .get(code)
            .copied()
            .ok_or_else(|| Fault::broken(format!("the demo has no SKU {code}")).into())
    }
    fn location(&self, code: &str) -> Result<LocationId, Failure> {
        self.locations
            .get(code)
            .copied()
            .ok_or_else(|| Fault::broken(format!("the demo has no location {code}")).into())
    }
    /// Moves the clock forward to a moment.
    fn wait_until(&self, at: Timestamp) {
        self.ctx.db.clock().advance((at.0 - self.now().0).max(0));
    }
    /// Lets background work happen.
    async fn work(&self) -> Result<(), Failure> {
        while db::work_once(&self.ctx, slices::jobs(), slices::timers()).await? > 0 {}
        Ok(())
    }
}

/// What commands answered; the demo is made so that none refuses.
fn granted<T, R: Refuse>(outcomes: Vec<Result<T, R>>) -> Result<Vec<T>, Failure> {
    outcomes
        .into_iter()
        .map(|o| o.map_err(|refusal| Fault::broken(format!("demo: {refusal} ({})", refusal.code())).into()))
        .collect()
}

/// Fills an empty database; how to sign in afterwards.
///
/// # Errors
/// A usage failure for a database in memory, which the demo's own clock cannot share; faults of the database.
pub async fn build(ctx: &Ctx, config: &Config) -> Result<SignIn, Failure> {
    if config.database_url.contains(":memory:") || config.database_url.contains("mode=memory") {
        return Err(Failure::Usage(
            "the demo needs a database in a file or on PostgreSQL, not in memory".into(),
        ));
    }
    let now = ctx.db.now();
    let today = Timestamp(now.0 - now.0.rem_euclid(Timestamp::HOUR));
    let opened = today.plus(-(script::DAYS * Timestamp::DAY));
    let mut quiet = config.clone();
    quiet.smtp.url = None;
    let own = program::open(&quiet, Clock::manual(opened)).await?;
    let mut shop =
        Shop { ctx: own, actor: Actor::system("demo"), skus: HashMap::new(), locations: HashMap::new() };
    let played = play(&mut shop, opened, now).await;
    cmd::close(shop.ctx).await.and(played)?;
    people::add(&ctx.db, &Actor::system("demo"), EMAIL, "Demo", Role::Owner, PASSWORD).await?;
    let key = cmd::key::create(ctx, "Demo", vec!["*".into()]).await?;
    Ok(SignIn { email: EMAIL.into(), password: Some(PASSWORD.into()), api_key: Some(key.key) })
}

async fn play(shop: &mut Shop, opened: Timestamp, now: Timestamp) -> Result<(), Failure> {
    goods::open(shop).await?;
    life::live(shop, opened).await?;
    supply::arrange(shop).await?;
    shop.wait_until(now);
    shop.work().await
}
