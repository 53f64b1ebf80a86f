//! E-mails to people who sign in: invitations, and links to a new password.
//!
//! Invariants: the e-mail that is kept holds no link; it is put in when the e-mail is sent, so that who may read e-mails cannot take
//! somebody's place. For the same reason the texts are ours alone: a text of somebody else's could send the link elsewhere.

use crate::compose::{Draft, save};
use crate::read::MailRow;
use crate::templates::{Rendered, compiled, fill};
use db::{BoxFuture, Ctx, FromRow};
use kernel::{Actor, Event, Fault, Timestamp};
use serde_json::json;
use std::sync::Arc;
use web::auth::{MailLink, Vault, mail_link};

/// The kinds that people hear of.
pub const KINDS: &[&str] = &["user.invited", "user.password_reset"];

/// What stands in an e-mail in place of its link until it is sent.
const LINK: &str = "the-link-is-put-in-when-this-is-sent";

const INVITED: (&str, &str) =
    (include_str!("../templates/user_invited.txt"), include_str!("../templates/user_invited.html"));
const PASSWORD_RESET: (&str, &str) = (
    include_str!("../templates/user_password_reset.txt"),
    include_str!("../templates/user_password_reset.html"),
);

/// The name and texts of the e-mail of an event.
fn template_of(kind: &str) -> Option<(&'static str, (&'static str, &'static str))> {
    match kind {
        "user.invited" => Some(("user_invited", INVITED)),
        "user.password_reset" => Some(("user_password_reset", PASSWORD_RESET)),
        _ => None,
    }
}

/// Writes the e-mails of events and enqueues their sending.
pub(crate) fn compose(ctx: Ctx, events: Vec<Event>) -> BoxFuture<'static, Result<(), Fault>> {
    Box::pin(async move {
        let shop = db::settings::get::<String>(ctx.db.read(), "shop_name").await?;
        let shop = shop.unwrap_or_else(|| "Your shop".to_owned());
        let mut drafts = Vec::new();
        let mut failed = None;
        for event in &events {
            match draft(&shop, event) {
                Ok(draft) => drafts.extend(draft),
                Err(fault) => {
                    failed = Some(fault.while_doing(format!("write the e-mail for event {}", event.id)))
                }
            }
        }
        save(&ctx, &drafts).await?;
        failed.map_or(Ok(()), Err)
    })
}

fn draft(shop: &str, event: &Event) -> Result<Option<Draft>, Fault> {
    let (Some((template, texts)), Some(about)) = (template_of(&event.kind), MailLink::of(event)?) else {
        return Ok(None);
    };
    let rendered = rendered(shop, texts, &about)?;
    Ok(Some(Draft { event: event.id, template, order: None, recipient: about.email, rendered }))
}

fn rendered(shop: &str, (text, html): (&str, &str), about: &MailLink) -> Result<Rendered, Fault> {
    let broken = || Fault::broken("an e-mail of ours has no subject");
    let (subject, text) = text.split_once("\n\n").ok_or_else(broken)?;
    let context = json!({
        "shop": shop,
        "person": { "name": about.name, "email": about.email, "role": about.role },
        "link": LINK,
        "until": about.until,
    });
    let filled = compiled(subject, text, html).and_then(|env| fill(&env, &context));
    filled.map_err(|e| Fault::broken(e.to_string()))
}

#[derive(FromRow)]
struct Told {
    at: Timestamp,
    actor: String,
    kind: String,
    subject: String,
    payload: String,
}

/// The same e-mail with its link, where it has one.
pub(crate) async fn with_link(ctx: &Ctx, mail: MailRow) -> Result<MailRow, Fault> {
    if !mail.template.starts_with("user_") {
        return Ok(mail);
    }
    let text = "SELECT at, actor, kind, subject, payload FROM event WHERE id = $1";
    let Some(told) = ctx.db.read().one::<Told>(text, [mail.event_id.into()]).await? else { return Ok(mail) };
    let event = Event {
        id: mail.event_id,
        at: told.at,
        actor: Actor::stored(told.actor),
        kind: told.kind,
        subject: told.subject,
        order: None,
        payload: told.payload,
        fresh: None,
    };
    let Some(about) = MailLink::of(&event)? else { return Ok(mail) };
    let vault = ctx.parts.get::<Vault>().unwrap_or_else(|_| Arc::new(Vault::default()));
    let link = mail_link(&vault, &ctx.db, &about).await?;
    let escaped = link.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    Ok(MailRow {
        body_text: mail.body_text.replace(LINK, &link),
        body_html: mail.body_html.replace(LINK, &escaped),
        ..mail
    })
}
