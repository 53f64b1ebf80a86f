//! The mail server and the mailboxes behind it. E-mails are refused for now or for good, taken without an answer, taken late, or the
//! program dies while it waits.
//!
//! Invariants: what was taken lies in the mailbox; who heard that an e-mail was taken does not send it again in the same life.

use super::{Everything, World, Wrong};
use automation::NotTaken;
use db::BoxFuture;
use kernel::Fault;
use lettre::Message;
use mail_parser::MessageParser;
use std::future::pending;
use std::sync::Arc;

/// Nobody has this address: a server says so, for good.
pub const NOBODY: &str = "c57@example.com";
/// This mailbox is full: a server says so, each time.
pub const FULL: &str = "c54@example.com";

/// An e-mail as its reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its Message-ID.
    pub id: String,
    /// To whom.
    pub to: String,
    /// Subject.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// HTML.
    pub html: String,
}

/// What became of an e-mail.
#[derive(Debug, Clone)]
pub struct Sent {
    letter: Letter,
    /// The life of the program in which it heard that it was taken.
    heard: Option<u64>,
}

/// The way to the mail server.
pub struct Postman(pub(super) Arc<Everything>);

impl automation::Post for Postman {
    fn send(&self, message: Message) -> BoxFuture<'_, Result<(), NotTaken>> {
        let to: Vec<String> = message.envelope().to().iter().map(ToString::to_string).collect();
        let answer = self.0.look().mail(&message.formatted(), &to.join(", "));
        Box::pin(async move {
            match answer {
                Some(answer) => answer,
                None => pending().await,
            }
        })
    }
}

fn not_taken(why: &str, for_good: bool) -> Option<Result<(), NotTaken>> {
    Some(Err(NotTaken { why: Fault::broken(why), for_good }))
}

fn read(bytes: &[u8], to: &str) -> Option<Letter> {
    let mail = MessageParser::default().parse(bytes)?;
    Some(Letter {
        id: mail.message_id()?.to_owned(),
        to: to.to_owned(),
        subject: mail.subject()?.to_owned(),
        text: mail.body_text(0)?.into_owned(),
        html: mail.body_html(0)?.into_owned(),
    })
}

impl World {
    /// E-mails that were taken since the last time.
    pub fn arrived(&mut self) -> Vec<Letter> {
        std::mem::take(&mut self.arrived)
    }
    /// Somebody asked that e-mails be sent again.
    pub fn may_come_again(&mut self, mail: &str) {
        for (id, sent) in &mut self.letters {
            if id.starts_with(mail) {
                sent.heard = None;
            }
        }
    }
    fn mail(&mut self, bytes: &[u8], to: &str) -> Option<Result<(), NotTaken>> {
        if self.dead {
            return None;
        }
        let Some(letter) = read(bytes, to) else {
            self.offences.push(format!("an e-mail to {to} does not read"));
            return not_taken("554 that does not read", true);
        };
        match to {
            NOBODY => return not_taken("550 no such mailbox", true),
            FULL => return not_taken("452 mailbox full", false),
            _ => {}
        }
        let thing = format!("mail {to} {}", letter.subject.split(' ').next().unwrap_or_default());
        let wrong = self.what_goes_wrong(&thing, 4);
        match wrong {
            Wrong::DiesBefore => {
                self.die();
                return None;
            }
            Wrong::LostBefore => return not_taken("the connection was refused", false),
            Wrong::Garbled => return not_taken("451 try again later", false),
            Wrong::Slow => self.takes_a_while(&thing, 18),
            _ => {}
        }
        let heard = matches!(wrong, Wrong::Nothing | Wrong::Slow).then_some(self.life);
        self.take(letter, heard);
        match wrong {
            Wrong::DiesAfter => {
                self.die();
                None
            }
            Wrong::LostAfter => not_taken("no answer within 20 seconds", false),
            _ => Some(Ok(())),
        }
    }
    fn take(&mut self, letter: Letter, heard: Option<u64>) {
        self.arrived.push(letter.clone());
        let life = self.life;
        match self.letters.get_mut(&letter.id) {
            None => {
                self.letters.insert(letter.id.clone(), Sent { letter, heard });
            }
            Some(sent) => {
                if sent.letter != letter {
                    self.offences.push(format!("{} was {:?} and is {letter:?}", letter.id, sent.letter));
                } else if sent.heard == Some(life) {
                    self.offences.push(format!("{letter:?} was sent again though it was taken"));
                }
                sent.heard = heard.or(sent.heard);
            }
        }
    }
}
