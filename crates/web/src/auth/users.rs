//! People who sign in: who they are, what they may, whether they still may.
//!
//! Invariants: there is always an owner who may sign in, once there is anybody; who loses the right to be here loses the sessions in the
//! same transaction; only who may do everything touches an owner.

use super::password::{WeakPassword, check_password, hash_password};
use super::sessions::{Which, end_sessions};
use super::{Role, second_factor};
use db::{Db, FromRow, Sql, Tx};
use kernel::{Actor, Fault, Secret, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

kernel::id!(UserId, "usr", "A person who signs in.");

/// Lets a person sign in.
#[derive(Debug, Clone)]
pub struct CreateUser {
    /// The address they sign in with; case does not matter.
    pub email: String,
    /// As colleagues know them.
    pub name: String,
    /// What they may.
    pub role: Role,
    /// At least twelve characters.
    pub password: Secret<String>,
}

kernel::refusals! {
    /// Why a person cannot be let in.
    pub enum CreateUserRefused {
        BadEmail { email: String } => Invalid, "users.bad_email", "“{email}” is not an e-mail address.";
        WeakPassword {} => Invalid, "users.weak_password", "A password needs at least 12 characters. A few words that do not belong together are easy to remember.";
        LongPassword {} => Invalid, "users.long_password", "A password may have 256 characters at most.";
        CommonPassword {} => Invalid, "users.common_password", "This password is among those that are tried first. Take another one.";
        EmailTaken { email: String } => Conflict, "users.email_taken", "{email} signs in here already.";
    }
}

impl From<WeakPassword> for CreateUserRefused {
    fn from(weak: WeakPassword) -> Self {
        match weak {
            WeakPassword::TooShort {} => Self::WeakPassword {},
            WeakPassword::TooLong {} => Self::LongPassword {},
            WeakPassword::Common {} => Self::CommonPassword {},
        }
    }
}

kernel::refusals! {
    /// Why nothing changes about a person.
    pub enum ChangeUserRefused {
        Unknown { user: UserId } => NotFound, "users.unknown", "There is nobody {user}.";
        OwnersOnly {} => Forbidden, "users.owners_only", "Only an owner can make an owner, or change one.";
        LastOwner {} => Conflict, "users.last_owner", "The last owner stays owner and active. Make somebody else an owner first.";
    }
}

/// A person may sign in from now on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UserCreated {
    /// Who.
    pub user: UserId,
    /// Their address.
    pub email: String,
    /// What they may.
    pub role: Role,
}
kernel::fact!(UserCreated, "user.created");

/// A person may something else from now on.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct UserRoleChanged {
    user: UserId,
    from: String,
    to: Role,
}
kernel::fact!(UserRoleChanged, "user.role_changed");

/// A person may no longer sign in.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct UserDeactivated {
    user: UserId,
}
kernel::fact!(UserDeactivated, "user.deactivated");

/// A person may sign in again.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct UserActivated {
    user: UserId,
}
kernel::fact!(UserActivated, "user.activated");

/// A person has another password.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct PasswordChanged {
    user: UserId,
}
kernel::fact!(PasswordChanged, "user.password_changed");

/// How an address is kept and compared.
pub(crate) fn normal(email: &str) -> String {
    email.trim().to_lowercase()
}

/// What colleagues call actors of the event log (`user:usr_…`, `key:key_…`), by the text the log keeps. Those nobody knows are missing.
///
/// # Errors
/// A fault of the database.
pub async fn names(sql: &db::Sql, actors: &[&str]) -> Result<HashMap<String, String>, Fault> {
    #[derive(db::FromRow)]
    struct Known {
        id: i64,
        name: String,
    }
    let mut found = HashMap::new();
    for (kind, table) in [("user", "user_account"), ("key", "api_key")] {
        let of = |actor: &&str| raw(kind, actor.strip_prefix(kind)?.strip_prefix(':')?);
        let ids: BTreeMap<i64, &str> = actors.iter().filter_map(|a| Some((of(a)?, *a))).collect();
        let mut rows = db::Rows::new("id BIGINT");
        for id in ids.keys() {
            rows.push([(*id).into()]);
        }
        if rows.is_empty() {
            continue;
        }
        let text = format!("SELECT t.id, t.name FROM {table} t JOIN input ON input.id = t.id");
        for known in sql.all_from::<Known>(&rows, &text, []).await? {
            if let Some(actor) = ids.get(&known.id) {
                found.insert((*actor).to_owned(), known.name);
            }
        }
    }
    Ok(found)
}

fn raw(kind: &str, id: &str) -> Option<i64> {
    match kind {
        "user" => id.parse::<UserId>().ok().map(|id| id.0),
        _ => id.parse::<super::KeyId>().ok().map(|id| id.0),
    }
}

/// Whether a text can be an address to sign in with.
pub(super) fn is_address(email: &str) -> bool {
    let parts = email.split_once('@');
    email.len() <= 254
        && parts.is_some_and(|(name, domain)| {
            !name.is_empty()
                && !domain.is_empty()
                && !domain.contains('@')
                && !email.contains(char::is_whitespace)
        })
}

/// Lets a person sign in.
///
/// # Errors
/// A fault of the database or of the hasher.
pub async fn create_user(
    db: &Db,
    by: &Actor,
    new: CreateUser,
) -> Result<Result<UserId, CreateUserRefused>, Fault> {
    let email = normal(&new.email);
    if !is_address(&email) {
        return Ok(Err(CreateUserRefused::BadEmail { email: new.email }));
    }
    if let Err(weak) = check_password(&new.password, &email, &new.name) {
        return Ok(Err(weak.into()));
    }
    let hash = hash_password(new.password).await?;
    db::write!(db, by, |tx| insert(tx, &email, &new.name, new.role, &hash).await)
}

/// Adds a person whose password was checked.
pub(super) async fn insert(
    tx: &Tx,
    email: &str,
    name: &str,
    role: Role,
    hash: &str,
) -> Result<Result<UserId, CreateUserRefused>, Fault> {
    let id: UserId = tx.id();
    let text = "INSERT INTO user_account (id, email, name, password_hash, role, active, created_at) \
                VALUES ($1, $2, $3, $4, $5, TRUE, $6) ON CONFLICT (email) DO NOTHING";
    let values = [id.into(), email.into(), name.into(), hash.into(), role.as_str().into(), tx.now().into()];
    if tx.touched(text, values).await? == 0 {
        return Ok(Err(CreateUserRefused::EmailTaken { email: email.to_owned() }));
    }
    tx.record(tx.now(), id, None, UserCreated { user: id, email: email.to_owned(), role })?;
    Ok(Ok(id))
}

/// Changes what a person may, or whether they may sign in.
#[derive(Debug, Clone, Copy, Default)]
pub struct ChangeUser {
    /// What they may from now on.
    pub role: Option<Role>,
    /// Whether they may sign in.
    pub active: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
struct Standing {
    id: UserId,
    role: String,
    active: bool,
}

impl Standing {
    fn owns(&self) -> bool {
        self.role == Role::Owner.as_str()
    }
}

/// Whether a change may be made: `others` says whether another owner may sign in.
fn decide(present: &Standing, change: ChangeUser, full: bool, others: bool) -> Result<(), ChangeUserRefused> {
    let makes_owner = change.role == Some(Role::Owner);
    if !full && (present.owns() || makes_owner) {
        return Err(ChangeUserRefused::OwnersOnly {});
    }
    let stays = change.role.is_none_or(|role| role == Role::Owner) && change.active.unwrap_or(present.active);
    if present.owns() && present.active && !stays && !others {
        return Err(ChangeUserRefused::LastOwner {});
    }
    Ok(())
}

/// A person as they stand, locked together with all owners: two changes at once cannot take the last two away.
async fn standing(tx: &Tx, user: UserId) -> Result<(Option<Standing>, bool), Fault> {
    let text = "SELECT id, role, active FROM user_account WHERE id = $1 OR role = 'owner' ORDER BY id /*pg FOR UPDATE */";
    let rows: Vec<Standing> = tx.all(text, [user.into()]).await?;
    let others = rows.iter().any(|row| row.id != user && row.owns() && row.active);
    Ok((rows.into_iter().find(|row| row.id == user), others))
}

/// Changes a person; `full` says whether the one who does it may do everything.
///
/// # Errors
/// A fault of the database.
pub async fn change_user(
    tx: &Tx,
    user: UserId,
    change: ChangeUser,
    full: bool,
) -> Result<Result<(), ChangeUserRefused>, Fault> {
    let (Some(present), others) = standing(tx, user).await? else {
        return Ok(Err(ChangeUserRefused::Unknown { user }));
    };
    if let Err(refused) = decide(&present, change, full, others) {
        return Ok(Err(refused));
    }
    if let Some(role) = change.role.filter(|role| role.as_str() != present.role) {
        let text = "UPDATE user_account SET role = $1 WHERE id = $2";
        tx.exec(text, [role.as_str().into(), user.into()]).await?;
        tx.record(tx.now(), user, None, UserRoleChanged { user, from: present.role.clone(), to: role })?;
    }
    match change.active.filter(|active| *active != present.active) {
        Some(true) => {
            tx.exec("UPDATE user_account SET active = TRUE WHERE id = $1", [user.into()]).await?;
            tx.record(tx.now(), user, None, UserActivated { user })?;
        }
        Some(false) => {
            // Also the link to a new password, which would be a way back in.
            let text = "UPDATE user_account SET active = FALSE, reset_until = NULL WHERE id = $1";
            tx.exec(text, [user.into()]).await?;
            tx.record(tx.now(), user, None, UserDeactivated { user })?;
            end_sessions(tx, user, Which::All).await?;
        }
        None => {}
    }
    Ok(Ok(()))
}

/// Whether somebody may touch a person: everybody who manages people, an owner only who may do everything.
pub(super) async fn may_touch(
    tx: &Tx,
    user: UserId,
    full: bool,
) -> Result<Result<(), ChangeUserRefused>, Fault> {
    let role: Option<String> =
        tx.scalar("SELECT role FROM user_account WHERE id = $1", [user.into()]).await?;
    Ok(match role.as_deref() {
        None => Err(ChangeUserRefused::Unknown { user }),
        Some("owner") if !full => Err(ChangeUserRefused::OwnersOnly {}),
        Some(_) => Ok(()),
    })
}

/// Takes somebody's second factor away, who lost it; their sessions end.
///
/// # Errors
/// A fault of the database.
pub async fn reset_second_factor(
    tx: &Tx,
    user: UserId,
    full: bool,
) -> Result<Result<(), ChangeUserRefused>, Fault> {
    if let Err(refused) = may_touch(tx, user, full).await? {
        return Ok(Err(refused));
    }
    if second_factor::turn_off(tx, user).await? {
        end_sessions(tx, user, Which::All).await?;
    }
    Ok(Ok(()))
}

/// Gives somebody a password that was checked and hashed; the sessions of the old one end, and the link to a new one is void.
pub(super) async fn put_password(tx: &Tx, user: UserId, hash: &str, which: Which) -> Result<(), Fault> {
    let text = "UPDATE user_account SET password_hash = $1, reset_until = NULL, reset_generation = reset_generation + 1 WHERE id = $2";
    tx.exec(text, [hash.into(), user.into()]).await?;
    tx.record(tx.now(), user, None, PasswordChanged { user })?;
    end_sessions(tx, user, which).await.map(drop)
}

/// Gives somebody a new password, for who has the machine; their sessions end. `None` when nobody has the address.
///
/// # Errors
/// A fault of the database or of the hasher.
pub async fn set_password(
    db: &Db,
    by: &Actor,
    email: &str,
    password: Secret<String>,
) -> Result<Result<Option<UserId>, WeakPassword>, Fault> {
    let email = normal(email);
    let text = "SELECT id, name FROM user_account WHERE email = $1";
    let Some(known) = db.read().one::<Named>(text, [email.as_str().into()]).await? else {
        return Ok(Ok(None));
    };
    if let Err(weak) = check_password(&password, &email, &known.name) {
        return Ok(Err(weak));
    }
    let hash = hash_password(password).await?;
    db::write!(db, by, |tx| put_password(tx, known.id, &hash, Which::All).await)?;
    Ok(Ok(Some(known.id)))
}

#[derive(FromRow)]
struct Named {
    id: UserId,
    name: String,
}

/// A person, for lists.
#[derive(Debug, Clone, FromRow)]
pub struct UserRow {
    /// Id.
    pub id: UserId,
    /// The address they sign in with.
    pub email: String,
    /// As colleagues know them.
    pub name: String,
    /// What they may.
    pub role: String,
    /// Whether they may sign in.
    pub active: bool,
    /// Since when there is a second factor.
    pub totp_on_at: Option<Timestamp>,
    /// Since when they are here.
    pub created_at: Timestamp,
    /// The last request of their sessions that last.
    pub seen_at: Option<Timestamp>,
}

const USER: &str = "SELECT u.id, u.email, u.name, u.role, u.active, u.totp_on_at, u.created_at, \
                    (SELECT MAX(s.seen_at) FROM session s WHERE s.user_id = u.id AND s.waiting = FALSE) AS seen_at FROM user_account u";

/// People, oldest first.
pub(super) async fn users(sql: &Sql, after: Option<UserId>, limit: i64) -> Result<Vec<UserRow>, Fault> {
    let after = after.map_or(-1, |id| id.0);
    sql.all(&format!("{USER} WHERE u.id > $1 ORDER BY u.id LIMIT $2"), [after.into(), limit.into()]).await
}

/// One person.
pub(super) async fn user(sql: &Sql, id: UserId) -> Result<Option<UserRow>, Fault> {
    sql.one(&format!("{USER} WHERE u.id = $1"), [id.into()]).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_owner_stays_and_only_owners_touch_owners() {
        let person = |role: Role, active| Standing { id: UserId(1), role: role.as_str().into(), active };
        let role = |role| ChangeUser { role: Some(role), active: None };
        let active = |active| ChangeUser { role: None, active: Some(active) };
        let (owner, picker) = (person(Role::Owner, true), person(Role::Picker, true));
        let (last, owners) = (Err(ChangeUserRefused::LastOwner {}), Err(ChangeUserRefused::OwnersOnly {}));
        for (present, change, full, others, expected) in [
            (&owner, role(Role::Manager), true, false, last.clone()),
            (&owner, active(false), true, false, last),
            (&owner, active(false), true, true, Ok(())),
            (&owner, role(Role::Owner), true, false, Ok(())),
            (&person(Role::Owner, false), role(Role::Manager), true, false, Ok(())),
            (&owner, role(Role::Manager), false, true, owners.clone()),
            (&owner, active(false), false, true, owners.clone()),
            (&picker, role(Role::Owner), false, true, owners),
            (&picker, role(Role::Owner), true, true, Ok(())),
            (&picker, role(Role::Manager), false, true, Ok(())),
            (&picker, active(false), false, true, Ok(())),
        ] {
            assert_eq!(
                decide(present, change, full, others),
                expected,
                "{present:?} {change:?} {full} {others}"
            );
        }
    }

    #[test]
    fn addresses_have_a_name_and_a_place() {
        for (text, good) in
            [("a@b", true), ("a@", false), ("@b", false), ("a b@c", false), ("a", false), ("a@b@c", false)]
        {
            assert_eq!(is_address(text), good, "{text}");
        }
    }
}
