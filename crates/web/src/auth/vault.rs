//! What the program itself keeps secret: the key that seals second factors, and the one that signs links of invitations and new passwords.
//!
//! What protects it: with `app_secret` in the configuration, the keys are derived from it and are nowhere in the database, so a copy of the
//! database (a backup, a read replica) neither opens a second factor nor makes a link. Without it, a random secret is made once and kept
//! in the database's settings: then whoever reads the whole database reads it too, and only a copy of single tables is of no use.
//!
//! Invariant: what was sealed or signed before `app_secret` was set stays good: the secret of the database is tried after it.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use db::{Db, settings};
use hmac::{Hmac, Mac};
use kernel::{Actor, Fault, Secret};
use sha2::Sha256;

/// Where the database keeps its own secret.
const SETTING: &str = "web.secret";
/// Bytes of a nonce of AES-GCM.
const NONCE: usize = 12;

/// The secrets of the program and where people reach it, a part of the program ([`db::Parts`]).
#[derive(Debug, Clone)]
pub struct Vault {
    configured: Option<Secret<String>>,
    address: String,
}

impl Default for Vault {
    fn default() -> Self {
        Self::new(None, "http://localhost")
    }
}

impl Vault {
    /// With the secret of the configuration, where it has one, and the address that people reach the program by.
    pub fn new(configured: Option<Secret<String>>, address: &str) -> Self {
        Self { configured, address: address.trim_end_matches('/').to_owned() }
    }
    /// A link to a page of ours.
    pub(super) fn link(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }
    /// The secrets that may have been used, the one in force first.
    async fn secrets(&self, db: &Db) -> Result<Vec<Vec<u8>>, Fault> {
        let mut secrets: Vec<Vec<u8>> =
            self.configured.iter().map(|s| s.expose().clone().into_bytes()).collect();
        match settings::get::<String>(db.read(), SETTING).await? {
            Some(kept) => secrets.push(kept.into_bytes()),
            None if secrets.is_empty() => secrets.push(make(db).await?.into_bytes()),
            None => {}
        }
        Ok(secrets)
    }
    /// Seals a text that belongs to `owner`; it opens for nobody else.
    pub(super) async fn seal(&self, db: &Db, owner: &str, text: &[u8]) -> Result<String, Fault> {
        let secrets = self.secrets(db).await?;
        let secret = secrets.first().ok_or_else(|| Fault::broken("no secret to seal with"))?;
        let nonce: [u8; NONCE] = rand::random();
        let sealed = cipher(secret)?
            .encrypt(&Nonce::from(nonce), Payload { msg: text, aad: owner.as_bytes() })
            .map_err(|_| Fault::broken("a secret cannot be sealed"))?;
        Ok(URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }
    /// Opens what was sealed for `owner`; none when no secret we know fits.
    pub(super) async fn open(&self, db: &Db, owner: &str, sealed: &str) -> Result<Option<Vec<u8>>, Fault> {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(sealed) else { return Ok(None) };
        let Some((nonce, sealed)) = bytes.split_first_chunk::<NONCE>() else { return Ok(None) };
        for secret in self.secrets(db).await? {
            let payload = Payload { msg: sealed, aad: owner.as_bytes() };
            if let Ok(text) = cipher(&secret)?.decrypt(&Nonce::from(*nonce), payload) {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }
    /// Signs a text.
    pub(super) async fn sign(&self, db: &Db, text: &str) -> Result<String, Fault> {
        let secrets = self.secrets(db).await?;
        let secret = secrets.first().ok_or_else(|| Fault::broken("no secret to sign with"))?;
        let mut mac = derived(secret, b"links")?;
        mac.update(text.as_bytes());
        Ok(URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }
    /// Whether a signature is of this text, in constant time.
    pub(super) async fn signed(&self, db: &Db, text: &str, signature: &str) -> Result<bool, Fault> {
        let Ok(given) = URL_SAFE_NO_PAD.decode(signature) else { return Ok(false) };
        for secret in self.secrets(db).await? {
            let mut mac = derived(&secret, b"links")?;
            mac.update(text.as_bytes());
            if mac.verify_slice(&given).is_ok() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// A key of its own for each use.
fn derived(secret: &[u8], purpose: &[u8]) -> Result<Hmac<Sha256>, Fault> {
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(secret)?;
    mac.update(purpose);
    let key = mac.finalize().into_bytes();
    Ok(<Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&key)?)
}

fn cipher(secret: &[u8]) -> Result<Aes256Gcm, Fault> {
    let key: [u8; 32] = derived(secret, b"second factors")?.finalize().into_bytes().into();
    Ok(Aes256Gcm::new(&key.into()))
}

/// Makes the secret of the database; who was quicker has made it.
async fn make(db: &Db) -> Result<String, Fault> {
    let fresh = serde_json::to_string(&URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))?;
    let kept: Option<String> = db::write!(db, &Actor::system("web"), |tx| {
        let text = "INSERT INTO setting (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING";
        tx.exec(text, [SETTING.into(), fresh.as_str().into()]).await?;
        settings::get(tx, SETTING).await
    })?;
    kept.ok_or_else(|| Fault::broken("the secret of the database was not kept"))
}
