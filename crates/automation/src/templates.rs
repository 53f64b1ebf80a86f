//! The texts of e-mails: ours, compiled in, or the merchant's own in the settings.
//!
//! Invariants: a text that does not render with a sample is not saved; HTML escapes what it is given; a merchant's template cannot run
//! for ever. Amounts reach templates as finished text (`12.34 EUR`), so that no template can round.

use crate::events::MailTemplateChanged;
use db::{Sql, Tx, settings};
use kernel::{Fault, Timestamp};
use minijinja::{Environment, UndefinedBehavior};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

/// Steps a template may take; ours take a few hundred.
const FUEL: u64 = 200_000;
const LONGEST: usize = 100_000;

/// The three texts of an e-mail, as minijinja templates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateText {
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// HTML; what is put in is escaped.
    pub html: String,
}

/// A rendered e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// HTML.
    pub html: String,
}

/// The names of all templates.
pub const NAMES: [&str; 4] = ["order_placed", "shipment_shipped", "shipment_delivered", "payment_refunded"];

/// Our own text; its first line is the subject.
fn own(name: &str) -> Option<TemplateText> {
    let (text, html) = match name {
        "order_placed" => {
            (include_str!("../templates/order_placed.txt"), include_str!("../templates/order_placed.html"))
        }
        "shipment_shipped" => (
            include_str!("../templates/shipment_shipped.txt"),
            include_str!("../templates/shipment_shipped.html"),
        ),
        "shipment_delivered" => (
            include_str!("../templates/shipment_delivered.txt"),
            include_str!("../templates/shipment_delivered.html"),
        ),
        "payment_refunded" => (
            include_str!("../templates/payment_refunded.txt"),
            include_str!("../templates/payment_refunded.html"),
        ),
        _ => return None,
    };
    let (subject, text) = text.split_once("\n\n")?;
    Some(TemplateText { subject: subject.to_owned(), text: text.to_owned(), html: html.to_owned() })
}

fn key(name: &str) -> String {
    format!("mail_template.{name}")
}

/// The text in force, and whether it is the merchant's.
///
/// # Errors
/// A fault of the database, or of a template that does not exist.
pub async fn current(sql: &Sql, name: &str) -> Result<(TemplateText, bool), Fault> {
    let own = own(name).ok_or_else(|| Fault::broken(format!("there is no e-mail template “{name}”")))?;
    let theirs: Option<Option<TemplateText>> = settings::get(sql, &key(name)).await?;
    Ok(theirs.flatten().map_or((own, false), |text| (text, true)))
}

/// Renders an e-mail; a text of the merchant's that fails gives way to ours, because the customer shall hear of it either way.
///
/// # Errors
/// A fault when our own text does not render.
pub async fn render(sql: &Sql, name: &str, context: &Json) -> Result<Rendered, Fault> {
    let (text, theirs) = current(sql, name).await?;
    match fill(&text, context) {
        Err(error) if theirs => {
            tracing::warn!(template = name, %error, "the merchant's e-mail template failed; the built-in one is used");
            let own = own(name).ok_or_else(|| Fault::broken("a template lost its own text"))?;
            Ok(fill(&own, context)?)
        }
        other => Ok(other?),
    }
}

fn fill(text: &TemplateText, context: &Json) -> Result<Rendered, minijinja::Error> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_fuel(Some(FUEL));
    // Escaping goes by the ending of the name.
    env.add_template("subject.txt", &text.subject)?;
    env.add_template("body.txt", &text.text)?;
    env.add_template("body.html", &text.html)?;
    let one = |name: &str| env.get_template(name)?.render(minijinja::value::Serde(context));
    let subject = one("subject.txt")?.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(Rendered { subject, text: one("body.txt")?, html: one("body.html")? })
}

/// Sets a merchant's own text, or with `None` ours again.
#[derive(Debug, Clone)]
pub struct SetTemplate {
    /// When.
    pub at: Timestamp,
    /// One of [`NAMES`].
    pub name: String,
    /// The text.
    pub text: Option<TemplateText>,
}

kernel::refusals! {
    /// Why a text is not taken.
    pub enum TemplateRefused {
        Unknown { name: String } => NotFound, "automation.unknown_template", "There is no e-mail template “{name}”.";
        TooLong {} => Invalid, "automation.template_too_long", "An e-mail template may have 100,000 characters at most.";
        NoSubject {} => Invalid, "automation.template_without_subject", "An e-mail needs a subject.";
        DoesNotRender { why: String } => Invalid, "automation.bad_template", "The template does not work with a sample order: {why}.";
    }
}

fn check(set: &SetTemplate) -> Result<(), TemplateRefused> {
    if own(&set.name).is_none() {
        return Err(TemplateRefused::Unknown { name: set.name.clone() });
    }
    let Some(text) = &set.text else { return Ok(()) };
    if text.subject.len() + text.text.len() + text.html.len() > LONGEST {
        return Err(TemplateRefused::TooLong {});
    }
    let rendered =
        fill(text, &sample()).map_err(|e| TemplateRefused::DoesNotRender { why: e.to_string() })?;
    if rendered.subject.is_empty() {
        return Err(TemplateRefused::NoSubject {});
    }
    Ok(())
}

/// Sets texts.
///
/// # Errors
/// A fault of the database.
pub async fn set_templates(
    tx: &Tx,
    batch: &[SetTemplate],
) -> Result<Vec<Result<(), TemplateRefused>>, Fault> {
    let mut outcomes = Vec::with_capacity(batch.len());
    for set in batch {
        let outcome = check(set);
        if outcome.is_ok() {
            settings::set(tx, &key(&set.name), &set.text).await?;
            let fact = MailTemplateChanged { template: set.name.clone(), reset: set.text.is_none() };
            tx.record(set.at, format!("mail_template_{}", set.name), None, fact)?;
        }
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

/// Everything a template may use, with values that show what is escaped and how amounts look.
pub fn sample() -> Json {
    json!({
        "shop": "Sample & Co",
        "order": { "number": "1001", "name": "Zoë <Sample>", "total": "24.90 EUR", "currency": "EUR" },
        "lines": [ { "title": "Cup “A&B”", "sku": "CUP-1", "quantity": 2, "total": "24.90 EUR" } ],
        "shipment": { "carrier": "post", "tracking_number": "RX123" },
        "refund": { "amount": "4.90 EUR", "method": "card" },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(name: &str, subject: &str, text: &str, html: &str) -> SetTemplate {
        let text = TemplateText { subject: subject.into(), text: text.into(), html: html.into() };
        SetTemplate { at: Timestamp(0), name: name.into(), text: Some(text) }
    }

    #[test]
    fn every_text_of_ours_renders_and_escapes() {
        for name in NAMES {
            let rendered = fill(&own(name).unwrap(), &sample()).unwrap();
            assert!(rendered.subject.contains("1001"), "{name}: {}", rendered.subject);
            assert!(
                rendered.text.contains("Zoë <Sample>") && !rendered.text.contains("&lt;"),
                "{name}: {}",
                rendered.text
            );
            assert!(
                rendered.html.contains("Zoë &lt;Sample&gt;") && !rendered.html.contains("<Sample>"),
                "{name}: {}",
                rendered.html
            );
            assert!(rendered.html.contains("Sample &amp; Co"), "{name}");
        }
    }

    #[test]
    fn a_text_that_does_not_work_is_refused() {
        assert_eq!(
            check(&set("order_placed", "Hi {{ order.number }}", "{{ order.total }}", "<b>{{ shop }}</b>")),
            Ok(())
        );
        assert!(matches!(check(&set("nothing", "a", "b", "c")), Err(TemplateRefused::Unknown { .. })));
        assert!(matches!(
            check(&set("order_placed", " {{ '' }} ", "b", "c")),
            Err(TemplateRefused::NoSubject {})
        ));
        assert!(matches!(
            check(&set("order_placed", "a", &"b".repeat(LONGEST), "c")),
            Err(TemplateRefused::TooLong {})
        ));
        for bad in [
            "{{ order.nonsense }}",
            "{% if %}",
            "{{ nothing }}",
            "{% for a in range(9000) %}{% for b in range(9000) %}x{% endfor %}{% endfor %}",
        ] {
            assert!(
                matches!(
                    check(&set("order_placed", "a", bad, "c")),
                    Err(TemplateRefused::DoesNotRender { .. })
                ),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_subject_is_one_line() {
        let text = TemplateText {
            subject: "a\r\nBcc: x@example.com\n b".into(),
            text: String::new(),
            html: String::new(),
        };
        assert_eq!(fill(&text, &sample()).unwrap().subject, "a Bcc: x@example.com b");
    }
}
