//! Node numbers for ids, leased from the database so that no two processes make the same id.

use crate::Sql;
use crate::clock::system_now;
use kernel::{Fault, IdGen, Timestamp};
use std::sync::atomic::{AtomicI64, Ordering};

const HELD_FOR: i64 = 10 * Timestamp::MINUTE;

/// A node number that is ours until the lease ends.
pub(crate) struct Lease {
    node: u16,
    holder: i64,
    until: AtomicI64,
}

impl Lease {
    /// Takes a free number: any, so that those who start together seldom want the same one; or the first, where runs are to repeat.
    pub(crate) async fn take(sql: &Sql, first: bool) -> Result<Self, Fault> {
        let holder: i64 = rand::random::<i64>() & i64::MAX;
        for _ in 0..32 {
            let now = system_now();
            let until = now.plus(HELD_FOR);
            let taken: Vec<i64> =
                sql.column("SELECT node FROM node_lease WHERE expires_at >= $1", [now.into()]).await?;
            let free: Vec<i64> = (0..i64::from(IdGen::NODES)).filter(|n| !taken.contains(n)).collect();
            let node = match free.len() {
                0 => {
                    return Err(Fault::broken(
                        "all node numbers are leased: too many processes on one database",
                    ));
                }
                _ if first => free[0],
                many => free[usize::try_from(holder)? % many],
            };
            let won: Option<i64> = sql
                .scalar(
                    "INSERT INTO node_lease (node, holder, expires_at) VALUES ($1, $2, $3) \
                     ON CONFLICT (node) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at \
                     WHERE node_lease.expires_at < $4 RETURNING node",
                    [node.into(), holder.into(), until.into(), now.into()],
                )
                .await?;
            if let Some(node) = won {
                return Ok(Self { node: u16::try_from(node)?, holder, until: AtomicI64::new(until.0) });
            }
        }
        Err(Fault::broken("no node number could be leased"))
    }
    pub(crate) fn node(&self) -> u16 {
        self.node
    }
    /// Extends the lease inside a transaction when half of it is over; a lost lease fails the transaction rather than risk equal ids.
    /// Until when it is extended counts once the transaction is committed: see [`Lease::renewed`].
    pub(crate) async fn renew_if_due(&self, sql: &Sql) -> Result<Option<Timestamp>, Fault> {
        let now = system_now();
        if now.0 < self.until.load(Ordering::Relaxed) - HELD_FOR / 2 {
            return Ok(None);
        }
        let until = now.plus(HELD_FOR);
        let kept = sql
            .touched(
                "UPDATE node_lease SET expires_at = $1 WHERE node = $2 AND holder = $3",
                [until.into(), i64::from(self.node).into(), self.holder.into()],
            )
            .await?;
        if kept == 0 {
            return Err(Fault::broken(
                "this process slept so long that its node number was given to another: restart it",
            ));
        }
        Ok(Some(until))
    }
    /// The transaction that extended it is committed.
    pub(crate) fn renewed(&self, until: Timestamp) {
        self.until.fetch_max(until.0, Ordering::Relaxed);
    }
    pub(crate) async fn give_back(&self, sql: &Sql) -> Result<(), Fault> {
        sql.exec(
            "DELETE FROM node_lease WHERE node = $1 AND holder = $2",
            [i64::from(self.node).into(), self.holder.into()],
        )
        .await?;
        Ok(())
    }
}
