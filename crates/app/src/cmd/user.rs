//! `fulmar user add|invite|list|password|role|deactivate|activate|remove-second-factor`. Invariant: a password comes from stdin or is made here and shown once; never from the command line,
//! where every process of the machine could read it.

use super::{Out, operator, table};
use crate::{Failure, people};
use clap::Subcommand;
use db::Ctx;
use kernel::Fault;
use serde::Serialize;
use std::io::BufRead;
use web::Role;
use web::auth::{ChangeUser, Vault, change_user, invite, reset_second_factor};

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
        /// owner, manager, support, fraud_reviewer, warehouse_lead, picker, purchaser, accountant, read_only or developer
        #[arg(long, default_value = "owner")]
        role: Role,
        /// Read the password from the first line of stdin
        #[arg(long)]
        password_stdin: bool,
    },
    /// List the people who sign in
    List,
    /// Invite somebody: prints a link by which they choose name and password, and sends it where e-mails are sent
    Invite {
        /// The address they will sign in with
        email: String,
        /// owner, manager, support, fraud_reviewer, warehouse_lead, picker, purchaser, accountant, read_only or developer
        #[arg(long, default_value = "support")]
        role: Role,
    },
    /// Change what somebody may
    Role {
        /// The address they sign in with
        email: String,
        /// What they are from now on
        role: Role,
    },
    /// Let somebody sign in no longer, and end their sessions
    Deactivate {
        /// The address they sign in with
        email: String,
    },
    /// Let somebody sign in again
    Activate {
        /// The address they sign in with
        email: String,
    },
    /// Take the second factor away from somebody who lost it, and end their sessions
    RemoveSecondFactor {
        /// The address they sign in with
        email: String,
    },
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
struct Invited {
    email: String,
    link: String,
}

#[derive(Serialize)]
struct Changed {
    email: String,
    done: &'static str,
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
        User::Invite { email, role } => {
            let invited: Result<_, Fault> =
                db::write!(ctx.db, &operator(), |tx| invite(tx, &email, role, true).await);
            let invited = invited?.map_err(|no| Failure::refused(&no))?;
            let link = invited.link(&*ctx.parts.get::<Vault>()?, &ctx.db).await?;
            let shown = Invited { email: invited.email, link };
            out.result(&shown, || format!("{} is invited: {} (it is good once)", shown.email, shown.link))
        }
        User::Role { email, role } => {
            let change = ChangeUser { role: Some(role), active: None };
            changed(ctx, out, email, change, "has another role").await
        }
        User::Deactivate { email } => {
            let change = ChangeUser { role: None, active: Some(false) };
            changed(ctx, out, email, change, "signs in no longer").await
        }
        User::Activate { email } => {
            let change = ChangeUser { role: None, active: Some(true) };
            changed(ctx, out, email, change, "may sign in again").await
        }
        User::RemoveSecondFactor { email } => {
            let user = people::find(ctx.db.read(), &email).await?;
            let done: Result<_, Fault> =
                db::write!(ctx.db, &operator(), |tx| reset_second_factor(tx, user, true).await);
            done?.map_err(|no| Failure::refused(&no))?;
            told(out, Changed { email, done: "is asked for the password alone" })
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

/// Changes somebody in the name of who has the machine.
async fn changed(
    ctx: &Ctx,
    out: Out,
    email: String,
    change: ChangeUser,
    done: &'static str,
) -> Result<(), Failure> {
    let user = people::find(ctx.db.read(), &email).await?;
    let outcome: Result<_, Fault> =
        db::write!(ctx.db, &operator(), |tx| change_user(tx, user, change, true).await);
    outcome?.map_err(|no| Failure::refused(&no))?;
    told(out, Changed { email, done })
}

fn told(out: Out, changed: Changed) -> Result<(), Failure> {
    out.result(&changed, || format!("{} {}.", changed.email, changed.done))
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
