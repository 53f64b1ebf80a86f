//! Sending e-mails over SMTP.
//!
//! Invariants: an e-mail that a server took is not sent again unless somebody asks; one that was not taken keeps the reason, and is
//! tried again when the reason may pass. A crash between the server's answer and our note sends it twice, with the same Message-ID, by
//! which mailboxes tell that it is the same. Without a mail server, e-mails stay in the table, to be seen and sent later.

use crate::events::MailSent;
use crate::model::MailId;
use crate::people;
use crate::read::{self, MailRow};
use db::{BoxFuture, Ctx, FromRow, Job, Rows, Tx};
use kernel::{Actor, Fault, Timestamp};
use lettre::message::{Mailbox, MultiPart};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::time::{Duration, UNIX_EPOCH};

/// A server that needs longer has not taken it.
const PATIENCE: Duration = Duration::from_secs(20);

/// What takes e-mails on their way. It ends in time, whatever the other side does.
pub trait Post: Send + Sync {
    /// Hands a message over; `Ok` when the other side said that it has it.
    fn send(&self, message: Message) -> BoxFuture<'_, Result<(), NotTaken>>;
}

/// Why an e-mail was not taken, or may not have been.
#[derive(Debug)]
pub struct NotTaken {
    /// The reason.
    pub why: Fault,
    /// No other attempt will do better.
    pub for_good: bool,
}

/// A mail server.
struct Smtp(AsyncSmtpTransport<Tokio1Executor>);

impl Post for Smtp {
    fn send(&self, message: Message) -> BoxFuture<'_, Result<(), NotTaken>> {
        Box::pin(async move {
            match self.0.send(message).await {
                Ok(_) => Ok(()),
                Err(error) => Err(NotTaken { for_good: error.is_permanent(), why: error.into() }),
            }
        })
    }
}

/// The way out for e-mails, a part of the program ([`db::Parts`]).
pub struct Mailer {
    way: Option<(Box<dyn Post>, Mailbox)>,
}

impl Mailer {
    /// No way out: e-mails stay in the table.
    pub fn none() -> Self {
        Self { way: None }
    }
    /// Through a server: `smtps://user:password@host:465`, `smtp://host:587?tls=required`, `smtp://localhost:25`; from an address such as
    /// `The Shop <shop@example.com>`.
    ///
    /// # Errors
    /// A fault that says which of the two does not read.
    pub fn smtp(url: &str, from: &str) -> Result<Self, Fault> {
        // The URL may hold a password and must not be repeated.
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(|e| Fault::from(e).while_doing("read the SMTP URL"))?;
        Self::through(Smtp(transport.timeout(Some(PATIENCE)).build()), from)
    }
    /// Through any post, from an address.
    ///
    /// # Errors
    /// A fault when the address does not read.
    pub fn through(post: impl Post + 'static, from: &str) -> Result<Self, Fault> {
        let from = from
            .parse()
            .map_err(|e| Fault::from(e).while_doing(format!("read the sender address “{from}”")))?;
        Ok(Self { way: Some((Box::new(post), from)) })
    }
    /// Whether there is a way out.
    pub fn can_send(&self) -> bool {
        self.way.is_some()
    }
}

/// The job that sends one e-mail.
#[derive(Debug, Serialize, Deserialize)]
pub struct SendMail {
    /// Which.
    pub mail: MailId,
}

impl Job for SendMail {
    const NAME: &'static str = "automation.send_mail";
    const ATTEMPTS: i64 = 14;
    async fn run(&self, ctx: Ctx) -> Result<(), Fault> {
        let mailer = ctx.parts.get::<Mailer>()?;
        let Some((post, from)) = &mailer.way else { return Ok(()) };
        let Some(mail) = read::mail(ctx.db.read(), self.mail).await? else { return Ok(()) };
        if mail.sent_at.is_some() {
            return Ok(());
        }
        let mail = people::with_link(&ctx, mail).await?;
        let message = match message(&mail, from, ctx.db.now()) {
            Ok(message) => message,
            // No other attempt will make an address of it.
            Err(fault) => return failed(&ctx, &mail, &fault.to_string()).await,
        };
        match post.send(message).await {
            Ok(()) => sent(&ctx, &mail).await,
            Err(NotTaken { why, for_good }) => {
                failed(&ctx, &mail, &why.to_string()).await?;
                if for_good { Ok(()) } else { Err(why) }
            }
        }
    }
}

fn message(mail: &MailRow, from: &Mailbox, now: Timestamp) -> Result<Message, Fault> {
    let to = Mailbox::new(None, mail.recipient.parse()?);
    let date = UNIX_EPOCH + Duration::from_micros(u64::try_from(now.0)?);
    let message = Message::builder()
        .from(from.clone())
        .to(to)
        .subject(mail.subject.as_str())
        .date(date)
        .message_id(Some(format!("<{}@{}>", mail.id, from.email.domain())))
        .multipart(MultiPart::alternative_plain_html(mail.body_text.clone(), mail.body_html.clone()))?;
    Ok(message)
}

async fn sent(ctx: &Ctx, mail: &MailRow) -> Result<(), Fault> {
    db::write!(ctx.db, &Actor::system("mail"), |tx| {
        tx.exec(
            "UPDATE mail SET sent_at = $1, error = NULL WHERE id = $2",
            [tx.now().into(), mail.id.into()],
        )
        .await?;
        let fact = MailSent {
            mail: mail.id,
            template: mail.template.clone(),
            recipient: mail.recipient.clone(),
            subject: mail.subject.clone(),
        };
        tx.record(tx.now(), mail.id, mail.order_id, fact)
    })
}

async fn failed(ctx: &Ctx, mail: &MailRow, why: &str) -> Result<(), Fault> {
    // What a server says may hold anything; PostgreSQL takes no NUL.
    let why: String = why.chars().filter(|c| !c.is_control()).take(500).collect();
    tracing::warn!(mail = %mail.id, why, "an e-mail was not taken");
    let text = "UPDATE mail SET error = $1 WHERE id = $2 AND sent_at IS NULL";
    db::write!(ctx.db, &Actor::system("mail"), |tx| tx
        .exec(text, [why.as_str().into(), mail.id.into()])
        .await)?;
    Ok(())
}

kernel::refusals! {
    /// Why an e-mail is not sent again.
    pub enum SendRefused {
        Unknown { mail: MailId } => NotFound, "automation.unknown_mail", "There is no e-mail {mail}.";
    }
}

#[derive(FromRow)]
struct Known {
    id: MailId,
}

/// Sends e-mails (again), whatever became of them.
///
/// # Errors
/// A fault of the database.
pub async fn send_again(tx: &Tx, batch: &[MailId]) -> Result<Vec<Result<(), SendRefused>>, Fault> {
    let mut wanted = Rows::new("id BIGINT");
    for id in batch {
        wanted.push([(*id).into()]);
    }
    let text = "UPDATE mail SET sent_at = NULL, error = NULL WHERE id IN (SELECT id FROM input) RETURNING id";
    let known: HashSet<MailId> =
        tx.all_from::<Known>(&wanted, text, []).await?.into_iter().map(|k| k.id).collect();
    let jobs: Vec<_> = known.iter().map(|id| (SendMail { mail: *id }, None)).collect();
    tx.enqueue(tx.now(), &jobs).await?;
    Ok(batch
        .iter()
        .map(|mail| if known.contains(mail) { Ok(()) } else { Err(SendRefused::Unknown { mail: *mail }) })
        .collect())
}
