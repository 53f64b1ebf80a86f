//! `fulmar user add|list|password`. Invariant: a password comes from stdin or is made here and shown once; never from the command line,
//! where every process of the machine could read it.

use super::{Out, operator, table};
use crate::{Failure, people};
use clap::Subcommand;
use db::Ctx;
use serde::Serialize;
use std::io::BufRead;
use web::Role;

/// What can be done with people.
#[derive(Debug, Subcommand)]
pub enum User {
    /// Let somebody sign in; prints a random password unless one comes on stdin
    Add {
        /// The address to sign in with
        email: String,
        /// As colleagues know them; without it the address
        #[arg(long)]
        name: Option<String>,
        /// owner, manager, support, warehouse, accountant or read_only
        #[arg(long, default_value = "owner")]
        role: Role,
        /// Read the password from the first line of stdin
        #[arg(long)]
        password_stdin: bool,
    },
    /// List the people who sign in
    List,
    /// Give somebody a new password and end their sessions
    Password {
        /// The address they sign in with
        email: String,
        /// Read the password from the first line of stdin
        #[arg(long)]
        password_stdin: bool,
    },
}

#[derive(Serialize)]
struct Account {
    email: String,
    /// Only when it was made here.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

/// Runs a command about people.
///
/// # Errors
/// Refusals and faults of the command.
pub async fn run(ctx: &Ctx, command: User, out: Out) -> Result<(), Failure> {
    match command {
        User::Add { email, name, role, password_stdin } => {
            let (password, made) = password(password_stdin)?;
            let name = name.unwrap_or_else(|| email.clone());
            people::add(&ctx.db, &operator(), &email, &name, role, &password).await?;
            tell(out, Account { email, password: made.then_some(password) })
        }
        User::Password { email, password_stdin } => {
            let (password, made) = password(password_stdin)?;
            people::set_password(&ctx.db, &operator(), &email, &password).await?;
            tell(out, Account { email, password: made.then_some(password) })
        }
        User::List => {
            let all = people::people(ctx.db.read()).await?;
            out.result(&all, || {
                let row = |p: &people::Person| {
                    vec![
                        p.email.clone(),
                        p.name.clone(),
                        p.role.clone(),
                        if p.active { "yes" } else { "no" }.to_owned(),
                        p.created_at.minute(),
                    ]
                };
                table(
                    &["email", "name", "role", "active", "since (UTC)"],
                    &[],
                    &all.iter().map(row).collect::<Vec<_>>(),
                )
            })
        }
    }
}

fn tell(out: Out, account: Account) -> Result<(), Failure> {
    out.result(&account, || match &account.password {
        Some(password) => {
            format!("{} signs in with the password {password} (it is shown this once).", account.email)
        }
        None => format!("{} signs in with the password you gave.", account.email),
    })
}

/// The password, and whether it was made here.
fn password(from_stdin: bool) -> Result<(String, bool), Failure> {
    if !from_stdin {
        return Ok((people::random_password(), true));
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    match password.is_empty() {
        true => Err(Failure::Usage("there is no password on stdin".into())),
        false => Ok((password, false)),
    }
}
