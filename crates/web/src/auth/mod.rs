//! Who calls, and what they may: people with a password and a session cookie, programs with an API key.
//!
//! Invariants: the database holds only hashes (argon2id of passwords, SHA-256 of random tokens and keys); every request looks its
//! credentials up, so what was revoked is over at once; a wrong password and an unknown address cannot be told apart.

mod keys;
mod may;
mod pages;
mod roles;
mod sessions;
mod throttle;
mod users;

pub(crate) use keys::WhoseKey;
pub use keys::{
    CreateKey, CreateKeyRefused, CreatedKey, KeyId, KeyRevoked, RevokeKeyRefused, create_api_key,
    revoke_api_key,
};
pub use may::{Caller, Denied, May, Public, SignedIn};
pub use roles::{Role, Scopes, UnknownRole};
pub use sessions::{COOKIE, SESSION_HOURS, SignInRefused, SignedInAs, sign_in, sign_out};
pub(crate) use throttle::Throttle;
pub use users::{CreateUser, CreateUserRefused, UserId, create_user};

use crate::{Slice, grant};
use sha2::{Digest, Sha256};

kernel::permission!(ManageKeys, "keys:write", "Create and revoke API keys");

/// What the web itself declares.
pub(crate) const SLICE: Slice = Slice {
    name: "web",
    permissions: &[grant::<ManageKeys>()],
    timers: &[db::Timer { name: "web.sweep", every_s: 3600, run: sessions::sweep }],
    codes: &[
        CreateUserRefused::CODES,
        SignInRefused::CODES,
        CreateKeyRefused::CODES,
        RevokeKeyRefused::CODES,
    ],
    api: keys::api,
    pages: pages::routes,
    ..Slice::EMPTY
};

/// What the database keeps of a random token.
fn token_hash(token: &str) -> String {
    Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
