//! Channels: where orders come from. Invariant: a code names a channel for ever, because orders are unique by it and their reference.

use db::{FromRow, Rows, Sql, Tx};
use kernel::{Fault, Timestamp, refusals};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Makes a channel, or renames the one with this code.
#[derive(Debug, Clone)]
pub struct SaveChannel {
    /// When.
    pub at: Timestamp,
    /// Names it for ever.
    pub code: String,
    /// As people read it.
    pub name: String,
}

refusals! {
    /// Why a channel was not saved.
    pub enum SaveChannelRefused {
        BadCode { code: String } => Invalid, "orders.bad_channel_code", "A channel's code has 1 to 32 small letters, digits and hyphens; “{code}” has not.";
        NoName { code: String } => Invalid, "orders.no_channel_name", "Channel {code} needs a name of 1 to 80 characters.";
    }
}

/// A channel is there, or has another name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChannelSaved {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
}
kernel::fact!(ChannelSaved, "channel.saved");

/// A channel, with how it does.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Channel {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// When its newest order was placed.
    pub newest: Option<Timestamp>,
}

fn decide(want: &SaveChannel) -> Result<(), SaveChannelRefused> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !(1..=32).contains(&want.code.len()) || !want.code.bytes().all(plain) {
        return Err(SaveChannelRefused::BadCode { code: want.code.clone() });
    }
    if !(1..=80).contains(&want.name.trim().chars().count()) {
        return Err(SaveChannelRefused::NoName { code: want.code.clone() });
    }
    Ok(())
}

/// Saves channels by code, in order; of a repeated code the last counts. Events: `channel.saved` for each that is new or renamed.
///
/// # Errors
/// A fault of the database.
pub async fn save_channels(
    tx: &Tx,
    batch: &[SaveChannel],
) -> Result<Vec<Result<(), SaveChannelRefused>>, Fault> {
    let mut known: HashMap<String, String> =
        channels(tx).await?.into_iter().map(|c| (c.code, c.name)).collect();
    let mut changed: HashMap<String, String> = HashMap::new();
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        let outcome = decide(want);
        let name = want.name.trim();
        if outcome.is_ok() && known.get(&want.code).map(String::as_str) != Some(name) {
            known.insert(want.code.clone(), name.to_owned());
            changed.insert(want.code.clone(), name.to_owned());
            let fact = ChannelSaved { code: want.code.clone(), name: name.to_owned() };
            tx.record(want.at, format_args!("channel:{}", want.code), None, fact)?;
        }
        outcomes.push(outcome);
    }
    let mut rows = Rows::new("code TEXT, name TEXT");
    let mut changed: Vec<_> = changed.into_iter().collect();
    changed.sort();
    for (code, name) in changed {
        rows.push([code.into(), name.into()]);
    }
    let text = "INSERT INTO channel (code, name) SELECT code, name FROM input WHERE TRUE \
         ON CONFLICT (code) DO UPDATE SET name = excluded.name";
    tx.exec_from(&rows, text, []).await?;
    Ok(outcomes)
}

/// All channels by name.
///
/// # Errors
/// A fault of the database.
pub async fn channels(sql: &Sql) -> Result<Vec<Channel>, Fault> {
    let text = "SELECT c.code, c.name, (SELECT o.placed_at FROM orders o WHERE o.channel = c.code ORDER BY o.placed_at DESC, o.id DESC LIMIT 1) \
         AS newest FROM channel c ORDER BY c.name, c.code";
    sql.all(text, []).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Refuse;

    #[test]
    fn a_channel_is_refused_by_its_fault() {
        for (code, name, expected) in [
            ("shop-2", "Shop", Ok(())),
            ("", "Shop", Err("orders.bad_channel_code")),
            ("Shop", "Shop", Err("orders.bad_channel_code")),
            ("shop", " ", Err("orders.no_channel_name")),
        ] {
            let want = SaveChannel { at: Timestamp(0), code: code.into(), name: name.into() };
            assert_eq!(decide(&want).map_err(|r| r.code()), expected, "{code} {name}");
        }
    }
}
