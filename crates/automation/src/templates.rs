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
use std::collections::HashMap;
use std::sync::LazyLock;

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
pub const NAMES: [&str; 6] = [
    "order_placed",
    "order_payment_requested",
    "shipment_shipped",
    "shipment_delivered",
    "return_label_bought",
    "payment_refunded",
];

/// Our own texts as (subject, text, HTML); the first line of the plain text is the subject.
fn own(name: &str) -> Option<(&'static str, &'static str, &'static str)> {
    let (text, html) = match name {
        "order_placed" => {
            (include_str!("../templates/order_placed.txt"), include_str!("../templates/order_placed.html"))
        }
        "order_payment_requested" => (
            include_str!("../templates/order_payment_requested.txt"),
            include_str!("../templates/order_payment_requested.html"),
        ),
        "shipment_shipped" => (
            include_str!("../templates/shipment_shipped.txt"),
            include_str!("../templates/shipment_shipped.html"),
        ),
        "shipment_delivered" => (
            include_str!("../templates/shipment_delivered.txt"),
            include_str!("../templates/shipment_delivered.html"),
        ),
        "return_label_bought" => (
            include_str!("../templates/return_label_bought.txt"),
            include_str!("../templates/return_label_bought.html"),
        ),
        "payment_refunded" => (
            include_str!("../templates/payment_refunded.txt"),
            include_str!("../templates/payment_refunded.html"),
        ),
        _ => return None,
    };
    let (subject, text) = text.split_once("\n\n")?;
    Some((subject, text, html))
}

const PREFIX: &str = "mail_template.";

fn key(name: &str) -> String {
    format!("{PREFIX}{name}")
}

fn unknown(name: &str) -> Fault {
    Fault::broken(format!("there is no e-mail template “{name}”"))
}

/// The text in force, and whether it is the merchant's.
///
/// # Errors
/// A fault of the database, or of a template that does not exist.
pub async fn current(sql: &Sql, name: &str) -> Result<(TemplateText, bool), Fault> {
    let (subject, text, html) = own(name).ok_or_else(|| unknown(name))?;
    let theirs: Option<Option<TemplateText>> = settings::get(sql, &key(name)).await?;
    let ours = TemplateText { subject: subject.to_owned(), text: text.to_owned(), html: html.to_owned() };
    Ok(theirs.flatten().map_or((ours, false), |text| (text, true)))
}

/// The merchant's own texts, by the name of the template.
pub(crate) struct Theirs(HashMap<&'static str, TemplateText>);

impl Theirs {
    /// Reads them.
    pub(crate) async fn load(sql: &Sql) -> Result<Self, Fault> {
        let mut set = settings::under::<Option<TemplateText>>(sql, PREFIX).await?;
        let theirs = NAMES.into_iter().filter_map(|name| Some((name, set.remove(&key(name))??)));
        Ok(Self(theirs.collect()))
    }
    /// Compiles them, for a batch of e-mails.
    pub(crate) fn press(&self) -> Press<'_> {
        Press(self.0.iter().map(|(name, t)| (*name, compiled(&t.subject, &t.text, &t.html))).collect())
    }
}

type Compiled<'a> = Result<Environment<'a>, minijinja::Error>;

/// Our own texts, compiled once.
static OURS: LazyLock<HashMap<&'static str, Compiled<'static>>> = LazyLock::new(|| {
    let ours = NAMES.into_iter().filter_map(|name| Some((name, own(name)?)));
    ours.map(|(name, (subject, text, html))| (name, compiled(subject, text, html))).collect()
});

/// The texts in force, ready for a batch of e-mails.
pub(crate) struct Press<'a>(HashMap<&'static str, Compiled<'a>>);

impl Press<'_> {
    /// Renders an e-mail; a text of the merchant's that fails gives way to ours, because the customer shall hear of it either way.
    ///
    /// # Errors
    /// A fault when our own text does not render.
    pub(crate) fn render(&self, name: &str, context: &Json) -> Result<Rendered, Fault> {
        let rendered = |text: &Compiled<'_>| match text {
            Ok(text) => fill(text, context).map_err(|e| e.to_string()),
            Err(e) => Err(e.to_string()),
        };
        if let Some(theirs) = self.0.get(name) {
            match rendered(theirs) {
                Ok(done) => return Ok(done),
                Err(error) => {
                    tracing::warn!(template = name, %error, "the merchant's e-mail template failed; the built-in one is used");
                }
            }
        }
        rendered(OURS.get(name).ok_or_else(|| unknown(name))?).map_err(Fault::broken)
    }
}

/// The three texts of an e-mail, ready to be filled.
pub(crate) fn compiled<'a>(subject: &'a str, text: &'a str, html: &'a str) -> Compiled<'a> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_fuel(Some(FUEL));
    // Escaping goes by the ending of the name.
    env.add_template("subject.txt", subject)?;
    env.add_template("body.txt", text)?;
    env.add_template("body.html", html)?;
    Ok(env)
}

/// Fills them.
pub(crate) fn fill(env: &Environment<'_>, context: &Json) -> Result<Rendered, minijinja::Error> {
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

/// What a text gives for the sample.
///
/// # Errors
/// Why it is refused.
pub fn tried(name: &str, text: &TemplateText) -> Result<Rendered, TemplateRefused> {
    check(&SetTemplate { at: Timestamp(0), name: name.to_owned(), text: Some(text.clone()) })?;
    compiled(&text.subject, &text.text, &text.html)
        .and_then(|env| fill(&env, &sample()))
        .map_err(|e| TemplateRefused::DoesNotRender { why: e.to_string() })
}

fn check(set: &SetTemplate) -> Result<(), TemplateRefused> {
    if own(&set.name).is_none() {
        return Err(TemplateRefused::Unknown { name: set.name.clone() });
    }
    let Some(text) = &set.text else { return Ok(()) };
    if text.subject.len() + text.text.len() + text.html.len() > LONGEST {
        return Err(TemplateRefused::TooLong {});
    }
    let rendered = compiled(&text.subject, &text.text, &text.html)
        .and_then(|env| fill(&env, &sample()))
        .map_err(|e| TemplateRefused::DoesNotRender { why: e.to_string() })?;
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
    let (mut outcomes, mut texts) = (Vec::with_capacity(batch.len()), Vec::new());
    for set in batch {
        let outcome = check(set);
        if outcome.is_ok() {
            texts.push((key(&set.name), serde_json::to_value(&set.text)?));
            let fact = MailTemplateChanged { template: set.name.clone(), reset: set.text.is_none() };
            tx.record(set.at, format!("mail_template_{}", set.name), None, fact)?;
        }
        outcomes.push(outcome);
    }
    settings::set_all(tx, texts).await?;
    Ok(outcomes)
}

/// Everything a template may use, with values that show what is escaped and how amounts look.
pub fn sample() -> Json {
    json!({
        "shop": "Sample & Co",
        "order": { "number": "1001", "name": "Zoë <Sample>", "total": "24.90 EUR", "currency": "EUR", "tracking_url": "https://shop.example/track?t=sample" },
        "lines": [ { "title": "Cup “A&B”", "sku": "CUP-1", "quantity": 2, "total": "24.90 EUR" } ],
        "shipment": { "carrier": "post", "tracking_number": "RX123" },
        "return": { "number": "R1001" },
        "refund": { "amount": "4.90 EUR", "method": "card" },
        "payment": { "amount": "24.90 EUR", "url": "https://shop.example/pay?t=sample" },
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
            let (subject, text, html) = own(name).unwrap();
            let rendered = fill(&compiled(subject, text, html).unwrap(), &sample()).unwrap();
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
        let env = compiled(&text.subject, &text.text, &text.html).unwrap();
        assert_eq!(fill(&env, &sample()).unwrap().subject, "a Bcc: x@example.com b");
    }
}
