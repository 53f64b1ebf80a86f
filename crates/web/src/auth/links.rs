//! Links that let somebody in without a password: to an invitation, and to a new password.
//!
//! Invariants: a link is made of what the database knows and a signature over it (see [`super::Vault`]), so that neither the event log nor
//! the e-mail that is kept holds one: it is put in when the e-mail is sent. A link is good once, and until its time; a later one of the
//! same thing makes the earlier void. Links name their secret in the query, which is in no log of ours.

use super::Vault;
use db::Db;
use kernel::{Fault, Timestamp};

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Invitation,
    Password,
}

impl Purpose {
    fn path(self) -> &'static str {
        match self {
            Self::Invitation => "/welcome",
            Self::Password => "/new-password",
        }
    }
    fn word(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::Password => "password",
        }
    }
}

/// What a link says: which thing, the how manieth link to it, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ticket {
    pub purpose: Purpose,
    pub subject: String,
    pub generation: i64,
    pub until: Timestamp,
}

impl Ticket {
    fn said(&self) -> String {
        format!("{}.{}.{}", self.subject, self.generation, self.until.0)
    }
    fn signed_text(&self) -> String {
        format!("{}.{}", self.purpose.word(), self.said())
    }
    /// The link.
    pub async fn link(&self, vault: &Vault, db: &Db) -> Result<String, Fault> {
        let signature = vault.sign(db, &self.signed_text()).await?;
        Ok(vault.link(&format!("{}?t={}.{signature}", self.purpose.path(), self.said())))
    }
    /// What the text of a link says, where it is signed by us.
    pub async fn read(vault: &Vault, db: &Db, purpose: Purpose, text: &str) -> Result<Option<Self>, Fault> {
        let parts: Vec<&str> = text.split('.').collect();
        let [subject, generation, until, signature] = parts.as_slice() else { return Ok(None) };
        let (Ok(generation), Ok(until)) = (generation.parse(), until.parse()) else { return Ok(None) };
        let ticket = Self { purpose, subject: (*subject).to_owned(), generation, until: Timestamp(until) };
        let signed = vault.signed(db, &ticket.signed_text(), signature).await?;
        Ok(Some(ticket).filter(|ticket| signed && ticket.until > db.now()))
    }
}
