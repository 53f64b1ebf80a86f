//! Links that say who may see what without signing in, as a customer the tracking of their order: signed, and over after a while.
//!
//! The signature is HMAC-SHA-256 with a key derived from the program's secret, which is made once and kept in the settings. Invariants: a
//! link that was changed in any part, or is over, reads as none; which of the two it was, nobody is told.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use db::{Db, settings};
use hmac::{Hmac, KeyInit, Mac};
use kernel::{Actor, Fault, Timestamp};
use sha2::Sha256;

/// Where the database keeps the program's secret.
const SETTING: &str = "web.secret";

/// Where people reach the program, as `https://shop.example`; a part of the program ([`db::Parts`]) for those who write links.
#[derive(Debug, Clone)]
pub struct Site(pub String);

impl Site {
    /// The address of a path.
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.0.trim_end_matches('/'))
    }
}

/// What signs and reads: the program's secret.
pub struct Signer(String);

impl Signer {
    /// With the program's secret; the first who needs it makes it.
    ///
    /// # Errors
    /// A fault of the database.
    pub async fn of(db: &Db) -> Result<Self, Fault> {
        Ok(Self(secret(db).await?))
    }
    /// Signs that `said` holds for a purpose until a moment: `said.until.signature`. `said` has no dot.
    ///
    /// # Errors
    /// None that can happen with a key of any length.
    pub fn sign(&self, purpose: &str, said: &str, until: Timestamp) -> Result<String, Fault> {
        let text = format!("{said}.{}", until.0);
        let mac = mac(&self.0, purpose, &text)?;
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())))
    }
    /// What a signed text says, when it was signed for this purpose and is not over.
    ///
    /// # Errors
    /// None that can happen with a key of any length.
    pub fn read(&self, purpose: &str, text: &str, now: Timestamp) -> Result<Option<String>, Fault> {
        let Some((signed, signature)) = text.rsplit_once('.') else { return Ok(None) };
        let Some((said, until)) = signed.rsplit_once('.') else { return Ok(None) };
        let (Ok(until), Ok(signature)) = (until.parse::<i64>(), URL_SAFE_NO_PAD.decode(signature)) else {
            return Ok(None);
        };
        let right = mac(&self.0, purpose, signed)?.verify_slice(&signature).is_ok();
        Ok((right && Timestamp(until) > now).then(|| said.to_owned()))
    }
}

fn mac(secret: &str, purpose: &str, text: &str) -> Result<Hmac<Sha256>, Fault> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(Fault::from)?;
    // The length keeps purpose and text apart.
    mac.update(format!("{}:{purpose}:{text}", purpose.len()).as_bytes());
    Ok(mac)
}

async fn secret(db: &Db) -> Result<String, Fault> {
    if let Some(known) = settings::get::<String>(db.read(), SETTING).await? {
        return Ok(known);
    }
    let made = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
    db::write!(db, &Actor::system("setup"), |tx| {
        // Another process may have been quicker: then its secret holds.
        let text = "INSERT INTO setting (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING";
        tx.exec(text, [SETTING.into(), serde_json::to_string(&made)?.into()]).await?;
        let kept = settings::get::<String>(tx, SETTING).await?;
        kept.ok_or_else(|| Fault::broken("the secret of links was not kept"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_changed_or_is_over_says_nothing() {
        let signer = Signer("secret".into());
        let text = signer.sign("track", "look-ord_1", Timestamp(100)).unwrap();
        let read = |purpose: &str, text: &str, now: i64| signer.read(purpose, text, Timestamp(now)).unwrap();
        assert_eq!(read("track", &text, 99), Some("look-ord_1".into()));
        assert_eq!(read("track", &text, 100), None);
        assert_eq!(read("other", &text, 99), None);
        for (from, to) in [("look", "mail"), ("ord_1", "ord_2"), (".100.", ".101.")] {
            assert_eq!(read("track", &text.replacen(from, to, 1), 99), None);
        }
        for other in ["", ".", "..", "look-ord_1", "a.b.c", &text[..text.len() - 1]] {
            assert_eq!(read("track", other, 0), None, "{other}");
        }
        assert_eq!(Signer("another".into()).read("track", &text, Timestamp(0)).unwrap(), None);
    }
}
