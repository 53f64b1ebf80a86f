//! The second factor: codes by time (RFC 6238) from an app, and ten recovery codes for the day it is lost.
//!
//! Invariants: it is asked for only after a code of it was seen; a code is good once (the last step is remembered, in the transaction that
//! lets somebody in); recovery codes are shown once, kept as hashes, and good once each. The secret is sealed (see [`super::Vault`] for
//! what protects it), so that the database alone makes no codes where `app_secret` is set.

use super::password::password_fits;
use super::users::UserId;
use super::{Role, Vault, token_hash};
use crate::App;
use db::{FromRow, Tx, settings};
use kernel::{Actor, Fault, Secret, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use totp_rs::Totp;

/// The setting of roles that may not work without a second factor.
pub(super) const REQUIRED_SETTING: &str = "auth.second_factor_roles";
/// Recovery codes that are made at once.
const RECOVERY_CODES: usize = 10;
/// Bytes of the secret: what RFC 4226 recommends for SHA-1.
const SECRET_BYTES: usize = 20;

kernel::refusals! {
    /// Why nothing changes about a second factor.
    pub enum SecondFactorRefused {
        NotBegun {} => Conflict, "second_factor.not_begun", "There is nothing to confirm. Begin with setting up an app.";
        On {} => Conflict, "second_factor.on", "The second factor is on already. Turn it off first to use another app.";
        WrongCode {} => Invalid, "second_factor.wrong_code", "This code is not right. Is the clock of the device right?";
        WrongPassword {} => Invalid, "second_factor.wrong_password", "This is not your password.";
        TooManyAttempts { seconds: i64 } => Forbidden, "auth.too_many_attempts", "Too many attempts. Try again in {seconds} seconds.";
    }
}

/// Somebody is asked for a second factor from now on.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct SecondFactorOn {
    user: UserId,
}
kernel::fact!(SecondFactorOn, "user.second_factor_on");

/// Somebody is asked for the password alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SecondFactorOff {
    pub user: UserId,
}
kernel::fact!(SecondFactorOff, "user.second_factor_off");

/// Somebody has new recovery codes; those before are void.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct RecoveryCodesMade {
    user: UserId,
}
kernel::fact!(RecoveryCodesMade, "user.recovery_codes_made");

/// A recovery code was used.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct RecoveryCodeUsed {
    user: UserId,
    left: i64,
}
kernel::fact!(RecoveryCodeUsed, "user.recovery_code_used");

/// Which roles need a second factor changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct SecondFactorRequired {
    roles: Vec<Role>,
}
kernel::fact!(SecondFactorRequired, "settings.second_factor_required");

/// What is known of somebody's second factor.
#[derive(Debug, Clone, FromRow)]
pub(super) struct State {
    pub email: String,
    pub password_hash: String,
    pub totp_secret: Option<String>,
    pub totp_on_at: Option<Timestamp>,
    pub totp_step: i64,
    pub codes_left: i64,
}

pub(super) async fn state(app: &App, user: UserId) -> Result<State, Fault> {
    let text = "SELECT email, password_hash, totp_secret, totp_on_at, totp_step, \
                (SELECT COUNT(*) FROM recovery_code r WHERE r.user_id = u.id AND r.used_at IS NULL) AS codes_left \
                FROM user_account u WHERE id = $1";
    let state: Option<State> = app.db.read().one(text, [user.into()]).await?;
    state.ok_or_else(|| Fault::broken(format!("{user} is nobody")))
}

/// The secrets of the program.
pub(super) fn vault(app: &App) -> Arc<Vault> {
    app.ctx.parts.get::<Vault>().unwrap_or_default()
}

/// The generator of codes that somebody's app has too.
pub(super) async fn generator(app: &App, user: UserId, state: &State) -> Result<Option<Totp>, Fault> {
    let Some(sealed) = &state.totp_secret else { return Ok(None) };
    let Some(secret) = vault(app).open(&app.db, &user.to_string(), sealed).await? else {
        tracing::error!(%user, "the second factor cannot be opened: app_secret is not the one it was sealed with");
        return Ok(None);
    };
    // A colon divides the two names in the address that the app reads.
    let plain = |text: &str| text.replace(':', " ").trim().to_owned();
    let issuer = Some(plain(&app.setup.merchant)).filter(|name| !name.is_empty());
    let built = totp_rs::Builder::new()
        .with_secret(totp_rs::Secret::from(secret))
        .with_issuer(Some(issuer.unwrap_or_else(|| "Fulmar".to_owned())))
        .with_account_name(plain(&state.email))
        .build();
    built.map(Some).map_err(|e| Fault::broken(format!("the second factor of {user}: {e}")))
}

/// The secret as an app takes it when it is typed in.
pub(super) fn secret_of(totp: &Totp) -> String {
    totp.secret().to_base32()
}

fn seconds(at: Timestamp) -> u64 {
    u64::try_from(at.0 / Timestamp::SECOND).unwrap_or_default()
}

/// Makes a secret that waits for its first code. One that waits already stays, so that a page that is loaded again shows the same.
pub(super) async fn begin(
    app: &App,
    by: &Actor,
    user: UserId,
) -> Result<Result<(), SecondFactorRefused>, Fault> {
    let secret: [u8; SECRET_BYTES] = rand::random();
    // Outside of the transaction: sealing for the first time makes the secret of the database.
    let sealed = vault(app).seal(&app.db, &user.to_string(), &secret).await?;
    let text = "UPDATE user_account SET totp_secret = COALESCE(totp_secret, $1) WHERE id = $2 AND totp_on_at IS NULL";
    let begun = db::write!(app.db, by, |tx| tx.touched(text, [sealed.as_str().into(), user.into()]).await)?;
    Ok(if begun == 0 { Err(SecondFactorRefused::On {}) } else { Ok(()) })
}

/// Turns the second factor on, after a code of it was seen; the recovery codes, which are shown this once.
pub(super) async fn confirm(
    app: &App,
    tx: &Tx,
    user: UserId,
    code: &str,
) -> Result<Result<Vec<String>, SecondFactorRefused>, Fault> {
    let state = state(app, user).await?;
    if state.totp_on_at.is_some() {
        return Ok(Err(SecondFactorRefused::On {}));
    }
    let Some(totp) = generator(app, user, &state).await? else {
        return Ok(Err(SecondFactorRefused::NotBegun {}));
    };
    let Some(step) = totp.check(code.trim(), seconds(tx.now())) else {
        return Ok(Err(SecondFactorRefused::WrongCode {}));
    };
    let text = "UPDATE user_account SET totp_on_at = $1, totp_step = $2 WHERE id = $3 AND totp_secret = $4 AND totp_on_at IS NULL";
    let values = [tx.now().into(), i64::try_from(step)?.into(), user.into(), state.totp_secret.into()];
    if tx.touched(text, values).await? == 0 {
        return Ok(Err(SecondFactorRefused::NotBegun {}));
    }
    tx.record(tx.now(), user, None, SecondFactorOn { user })?;
    recovery_codes(tx, user).await.map(Ok)
}

/// Makes ten recovery codes in place of those there are.
pub(super) async fn recovery_codes(tx: &Tx, user: UserId) -> Result<Vec<String>, Fault> {
    let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| recovery_code()).collect();
    tx.exec("DELETE FROM recovery_code WHERE user_id = $1", [user.into()]).await?;
    let mut rows = db::Rows::new("user_id BIGINT, code_hash TEXT");
    for code in &codes {
        rows.push([user.into(), hash_of(user, code).into()]);
    }
    tx.insert("recovery_code", &rows).await?;
    tx.record(tx.now(), user, None, RecoveryCodesMade { user })?;
    Ok(codes)
}

/// 80 random bits as four groups of letters: too many to try the hash of all.
fn recovery_code() -> String {
    let text = super::keys::base32(&rand::random::<[u8; 10]>());
    let groups: Vec<&str> = [0, 4, 8, 12].iter().filter_map(|at| text.get(*at..at + 4)).collect();
    groups.join("-")
}

/// However somebody writes it down.
fn hash_of(user: UserId, code: &str) -> String {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    token_hash(&format!("{user} {}", plain.to_ascii_lowercase()))
}

/// Turns the second factor off, for somebody who has proved who they are or by somebody who may.
pub(super) async fn turn_off(tx: &Tx, user: UserId) -> Result<bool, Fault> {
    let text = "UPDATE user_account SET totp_secret = NULL, totp_on_at = NULL WHERE id = $1 AND totp_secret IS NOT NULL";
    let was = tx.touched(text, [user.into()]).await? > 0;
    tx.exec("DELETE FROM recovery_code WHERE user_id = $1", [user.into()]).await?;
    if was {
        tx.record(tx.now(), user, None, SecondFactorOff { user })?;
    }
    Ok(was)
}

/// Whether the password is that of a person who is signed in; guesses are slowed down as at sign-in.
pub(super) async fn is_their_password(
    app: &App,
    user: UserId,
    password: Secret<String>,
    address: &str,
) -> Result<Result<(), SecondFactorRefused>, Fault> {
    let state = state(app, user).await?;
    if let Err(seconds) = app.throttle.attempt(&state.email, address, app.db.now()) {
        return Ok(Err(SecondFactorRefused::TooManyAttempts { seconds }));
    }
    if !password_fits(app, password, Some(state.password_hash)).await? {
        return Ok(Err(SecondFactorRefused::WrongPassword {}));
    }
    app.throttle.succeeded(&state.email, address);
    Ok(Ok(()))
}

/// A code that was recognised and is still to be spent.
pub(super) enum Proof {
    /// A code of the app, with its step.
    Totp(i64),
    /// A recovery code, as its hash.
    Recovery(String),
}

impl Proof {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Totp(_) => "totp",
            Self::Recovery(_) => "recovery_code",
        }
    }
}

/// What a code proves; nothing when it is neither.
pub(super) async fn recognise(app: &App, user: UserId, code: &str) -> Result<Option<Proof>, Fault> {
    let state = state(app, user).await?;
    let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    if digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit()) {
        let Some(totp) = generator(app, user, &state).await? else { return Ok(None) };
        let step = totp.check(&digits, seconds(app.db.now())).map(i64::try_from).transpose()?;
        return Ok(step.filter(|step| *step > state.totp_step).map(Proof::Totp));
    }
    Ok(Some(Proof::Recovery(hash_of(user, code))))
}

/// Spends a code; whether it was still good.
pub(super) async fn spend(tx: &Tx, user: UserId, proof: &Proof) -> Result<bool, Fault> {
    match proof {
        Proof::Totp(step) => {
            let text = "UPDATE user_account SET totp_step = $1 WHERE id = $2 AND totp_step < $1 AND totp_on_at IS NOT NULL";
            Ok(tx.touched(text, [(*step).into(), user.into()]).await? > 0)
        }
        Proof::Recovery(hash) => {
            let text = "UPDATE recovery_code SET used_at = $1 WHERE user_id = $2 AND code_hash = $3 AND used_at IS NULL";
            if tx.touched(text, [tx.now().into(), user.into(), hash.as_str().into()]).await? == 0 {
                return Ok(false);
            }
            let text = "SELECT COUNT(*) FROM recovery_code WHERE user_id = $1 AND used_at IS NULL";
            let left: Option<i64> = tx.scalar(text, [user.into()]).await?;
            tx.record(tx.now(), user, None, RecoveryCodeUsed { user, left: left.unwrap_or_default() })?;
            Ok(true)
        }
    }
}

/// The roles that may not work without a second factor.
pub(super) async fn required(app: &App) -> Result<Vec<Role>, Fault> {
    Ok(settings::get(app.db.read(), REQUIRED_SETTING).await?.unwrap_or_default())
}

/// Says which roles may not work without a second factor.
pub(super) async fn require(tx: &Tx, roles: Vec<Role>) -> Result<(), Fault> {
    settings::set(tx, REQUIRED_SETTING, &roles).await?;
    tx.record(tx.now(), "settings", None, SecondFactorRequired { roles })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovery_codes_are_long_and_read_however_they_are_written() {
        let code = recovery_code();
        assert_eq!((code.len(), code.split('-').count()), (19, 4));
        assert_ne!(code, recovery_code());
        let user = UserId(7);
        assert_eq!(hash_of(user, &code), hash_of(user, &code.to_uppercase().replace('-', " ")));
        assert_ne!(hash_of(user, &code), hash_of(UserId(8), &code));
    }

    /// The vectors of RFC 6238 for SHA-1, of which we take six digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        let totp = totp_rs::Builder::new()
            .with_secret(totp_rs::Secret::from(b"12345678901234567890".to_vec()))
            .build()
            .unwrap();
        for (at, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            assert_eq!(totp.check(code, at), Some(at / 30), "{at}");
            assert_eq!(totp.check(code, at + 90), None);
        }
    }
}
