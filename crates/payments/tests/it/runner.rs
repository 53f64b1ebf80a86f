//! tmp
use db::{Ctx, Job, FromQueryResult};
use kernel::{Actor, Fault, Timestamp};
#[derive(FromQueryResult)]
struct C { id: i64, name: String, payload: String, attempts: i64 }
pub async fn work_once(ctx: &Ctx) -> Result<usize, Fault> {
    let actor = Actor::system("jobs");
    let now = ctx.db.now();
    let timer: Option<i64> = ctx.db.read().scalar("SELECT next_at FROM timer WHERE name = 'x'", []).await?;
    if timer.is_none_or(|t| t <= now.0) {
        db::write!(ctx.db, &actor, |tx| tx.exec("INSERT INTO timer (name, next_at) VALUES ('x', $1) ON CONFLICT (name) DO UPDATE SET next_at = excluded.next_at", [now.plus(600*Timestamp::SECOND).into()]).await)?;
        (payments::TIMERS[0].run)(ctx.clone()).await?;
    }
    let lock = match ctx.db.backend() { db::Backend::Postgres => "FOR UPDATE SKIP LOCKED", db::Backend::Sqlite => "" };
    let text = format!("UPDATE job SET locked_until = $1, attempts = attempts + 1 WHERE id IN (SELECT id FROM job WHERE run_at <= $2 AND parked = FALSE AND (locked_until IS NULL OR locked_until < $2) ORDER BY run_at, id LIMIT $3 {lock}) RETURNING id, name, payload, attempts");
    let mut claimed: Vec<C> = db::write!(ctx.db, &actor, |tx| tx.all(&text, [now.plus(2*Timestamp::MINUTE).into(), now.into(), 32i64.into()]).await)?;
    claimed.sort_by_key(|c| c.id);
    let n = claimed.len();
    for c in claimed {
        let r = if c.name == payments::CallGateway::NAME { serde_json::from_str::<payments::CallGateway>(&c.payload)?.run(ctx.clone()).await }
            else { serde_json::from_str::<payments::webhook::ApplyWebhook>(&c.payload)?.run(ctx.clone()).await };
        match r {
            Ok(()) => { db::write!(ctx.db, &actor, |tx| tx.exec("DELETE FROM job WHERE id = $1", [c.id.into()]).await)?; }
            Err(f) => { let again = now.plus(Timestamp::SECOND * (1 << c.attempts.clamp(0, 12)));
                let parked = c.attempts >= 8;
                db::write!(ctx.db, &actor, |tx| tx.exec("UPDATE job SET locked_until = NULL, run_at = $1, parked = $2, error = $3 WHERE id = $4", [again.into(), parked.into(), f.to_string().into(), c.id.into()]).await)?; }
        }
    }
    Ok(n)
}
