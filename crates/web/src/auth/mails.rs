//! The links of e-mails to people, for the slice that sends e-mails. A link is made when the e-mail is sent and is kept nowhere.

use super::{PasswordResetAsked, UserInvited, Vault};
use db::Db;
use kernel::{Event, Fault};

/// What an e-mail to a person says, from the event it tells of.
#[derive(Debug, Clone)]
pub struct MailLink {
    /// To whom.
    pub email: String,
    /// As colleagues know them; who is asked in has no name yet.
    pub name: String,
    /// What they will be.
    pub role: String,
    /// Until when the link is good, to the minute in UTC.
    pub until: String,
    ticket: super::links::Ticket,
}

impl MailLink {
    /// Reads an event; none of another kind.
    ///
    /// # Errors
    /// A fault when the event does not read.
    pub fn of(event: &Event) -> Result<Option<Self>, Fault> {
        if let Some(invited) = event.fact::<UserInvited>()? {
            return Ok(Some(Self {
                email: invited.email.clone(),
                name: String::new(),
                role: invited.role.title().to_lowercase(),
                until: invited.expires_at.minute(),
                ticket: invited.ticket(),
            }));
        }
        Ok(event.fact::<PasswordResetAsked>()?.map(|asked| Self {
            email: asked.email.clone(),
            name: asked.name.clone(),
            role: String::new(),
            until: asked.expires_at.minute(),
            ticket: asked.ticket(),
        }))
    }
}

/// The link that belongs to an e-mail.
///
/// # Errors
/// A fault of the database.
pub async fn mail_link(vault: &Vault, db: &Db, mail: &MailLink) -> Result<String, Fault> {
    mail.ticket.link(vault, db).await
}
