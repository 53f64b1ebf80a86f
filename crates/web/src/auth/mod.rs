//! Who calls, and what they may: people with a password, a second factor and a session cookie, programs with an API key.
//!
//! Invariants: the database holds only hashes (argon2id of passwords, SHA-256 of random tokens, keys and recovery codes) and sealed second
//! factors; every request looks its credentials up, so what was revoked is over at once; a wrong password and an unknown address cannot
//! be told apart; what is refused is kept for the audit log.

mod attempts;
mod audit;
mod audit_pages;
mod cookie;
mod forms;
mod invite;
mod key_pages;
mod keys;
mod keys_api;
mod links;
mod mails;
mod matrix;
mod may;
mod origin;
mod pages;
mod password;
mod people_api;
mod people_pages;
mod profile;
mod reset;
mod roles;
mod second_factor;
mod second_factor_pages;
mod sessions;
mod shown;
mod sign_in;
mod throttle;
mod users;
mod vault;
mod welcome;

pub(crate) use attempts::{Meter, Refused, RefusedAs, note};
pub use cookie::{COOKIE, SECURE_COOKIE};
pub use invite::{InvitationId, InvitationRefused, InviteRefused, UserInvited, invite, resend, revoke};
pub use keys::{
    CreateKey, CreateKeyRefused, CreatedKey, KeyId, KeyRevoked, RevokeKeyRefused, create_api_key,
    revoke_api_key,
};
pub(crate) use keys::{Used, WhoseKey};
pub use mails::{MailLink, mail_link};
pub use may::{Caller, Denied, May, Public, SignedIn};
pub use origin::Origin;
pub(crate) use origin::is_https;
pub use pages::first;
pub use password::{SHORTEST, WeakPassword, check_password};
pub use reset::{PasswordResetAsked, reset_password};
pub use roles::{Role, Scopes, UnknownRole};
pub use second_factor::SecondFactorRefused;
pub use sessions::{SESSION_HOURS, SessionId, Which, end_sessions, sign_out};
pub use shown::{actor_name, subject_link};
pub use sign_in::{SignInRefused, SignedInAs, sign_in, sign_in_with_code};
pub(crate) use throttle::Throttle;
pub use users::{
    ChangeUser, ChangeUserRefused, CreateUser, CreateUserRefused, UserCreated, UserId, change_user,
    create_user, names, reset_second_factor, set_password,
};
pub use vault::Vault;

use crate::slice::Group;
use crate::{MenuItem, Slice, grant};
use sha2::{Digest, Sha256};

kernel::permission!(ManageKeys, "keys:write", "Create and revoke API keys");
kernel::permission!(ManagePeople, "people:manage", "Invite people, change their role, deactivate them");
kernel::permission!(ViewAudit, "audit:view", "See who did what, when and from where");

/// What the web itself declares.
pub(crate) const SLICE: Slice = Slice {
    name: "web",
    permissions: &[grant::<ManageKeys>(), grant::<ManagePeople>(), grant::<ViewAudit>()],
    menu: &[
        MenuItem {
            title: "People",
            path: "/people",
            scope: "people:manage",
            group: Group::Settings,
            order: 40,
        },
        MenuItem {
            title: "Audit log",
            path: "/audit",
            scope: "audit:view",
            group: Group::Settings,
            order: 45,
        },
        MenuItem {
            title: "API keys",
            path: "/keys",
            scope: "keys:write",
            group: Group::Developers,
            order: 40,
        },
    ],
    timers: &[db::Timer { name: "web.sweep", every_s: 3600, run: sessions::sweep }],
    laws: LAWS,
    codes: &[
        CreateUserRefused::CODES,
        ChangeUserRefused::CODES,
        InviteRefused::CODES,
        InvitationRefused::CODES,
        WeakPassword::CODES,
        SecondFactorRefused::CODES,
        SignInRefused::CODES,
        CreateKeyRefused::CODES,
        RevokeKeyRefused::CODES,
    ],
    api: || keys_api::api().merge(people_api::api()),
    pages: || {
        pages::routes()
            .merge(welcome::routes())
            .merge(people_pages::routes())
            .merge(profile::routes())
            .merge(second_factor_pages::routes())
            .merge(key_pages::routes())
            .merge(audit_pages::routes())
            .merge(matrix::routes())
    },
    ..Slice::EMPTY
};

const LAWS: &[db::Law] = &[
    db::Law {
        name: "web.somebody_owns",
        says: "Where anybody signs in, an owner does.",
        proof: db::Proof::Offenders(
            "SELECT 'user_account' AS subject, 'no active owner' AS detail WHERE EXISTS (SELECT 1 FROM user_account) \
                    AND NOT EXISTS (SELECT 1 FROM user_account WHERE role = 'owner' AND active = TRUE)",
        ),
    },
    db::Law {
        name: "web.who_was_asked_in_is_here",
        says: "An accepted invitation has led to a person with its address.",
        proof: db::Proof::Offenders(
            "SELECT CAST(i.id AS TEXT) AS subject, i.email AS detail FROM invitation i \
                    WHERE i.accepted_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM user_account u WHERE u.id = i.user_id AND u.email = i.email)",
        ),
    },
    db::Law {
        name: "web.recovery_codes_have_a_second_factor",
        says: "Recovery codes belong to a person who has a second factor.",
        proof: db::Proof::Offenders(
            "SELECT CAST(u.id AS TEXT) AS subject, u.email AS detail FROM user_account u \
                    WHERE u.totp_on_at IS NULL AND EXISTS (SELECT 1 FROM recovery_code r WHERE r.user_id = u.id)",
        ),
    },
];

/// What the database keeps of a random token.
fn token_hash(token: &str) -> String {
    Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
