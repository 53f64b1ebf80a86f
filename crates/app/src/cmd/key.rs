//! `fulmar key create|list|revoke`. Invariant: a key is shown once, when it is made.

use super::{Out, operator, table};
use crate::{Failure, people, slices};
use clap::Subcommand;
use db::{Ctx, Db};
use kernel::Fault;
use serde::Serialize;
use web::auth::{
    CreateKey, CreateKeyRefused, CreatedKey, KeyId, RevokeKeyRefused, create_api_key, revoke_api_key,
};

/// What can be done with keys.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Make a key and print it
    Create {
        /// What it may: scopes as orders:write, patterns as orders:* or *:read, or *
        #[arg(long, required = true, value_delimiter = ',', num_args = 1..)]
        scopes: Vec<String>,
        /// What it is for
        #[arg(long, default_value = "command line")]
        name: String,
    },
    /// List the keys
    List,
    /// End a key; it stops at once
    Revoke {
        /// Its id, as key_…
        id: KeyId,
    },
}

#[derive(Serialize)]
struct Revoked {
    revoked: KeyId,
}

/// Runs a command about keys.
///
/// # Errors
/// Refusals and faults of the command.
pub async fn run(ctx: &Ctx, command: Keys, out: Out) -> Result<(), Failure> {
    match command {
        Keys::Create { scopes, name } => {
            let made = create(ctx, &name, scopes).await?;
            out.result(&made, || format!("{}\n", made.key))
        }
        Keys::List => {
            let all = people::keys(ctx.db.read()).await?;
            out.result(&all, || {
                let row = |k: &people::ApiKey| {
                    vec![
                        k.id.to_string(),
                        k.name.clone(),
                        k.scopes.clone(),
                        k.created_at.minute(),
                        k.revoked_at.map(|t| t.minute()).unwrap_or_default(),
                    ]
                };
                table(
                    &["id", "name", "scopes", "since (UTC)", "revoked"],
                    &[],
                    &all.iter().map(row).collect::<Vec<_>>(),
                )
            })
        }
        Keys::Revoke { id } => {
            let done: Result<Result<(), RevokeKeyRefused>, Fault> =
                db::write!(ctx.db, &operator(), |tx| revoke_api_key(tx, id).await);
            done?.map_err(|refusal| Failure::refused(&refusal))?;
            out.result(&Revoked { revoked: id }, || format!("{id} is over."))
        }
    }
}

/// Makes a key.
///
/// # Errors
/// Refusals and faults of the command.
pub async fn create(ctx: &Ctx, name: &str, scopes: Vec<String>) -> Result<CreatedKey, Failure> {
    on(&ctx.db, name, scopes).await
}

/// Makes a key in a database.
///
/// # Errors
/// Refusals and faults of the command.
pub async fn on(db: &Db, name: &str, scopes: Vec<String>) -> Result<CreatedKey, Failure> {
    let new = CreateKey { name: name.to_owned(), scopes, expires_at: None };
    let slices = slices::slices();
    let made: Result<Result<CreatedKey, CreateKeyRefused>, Fault> =
        db::write!(db, &operator(), |tx| create_api_key(tx, &slices, &new).await);
    made?.map_err(|refusal| Failure::refused(&refusal))
}
