//! The texts of e-mails to customers: ours or the merchant's, with a preview of a sample order before they are saved.

use crate::api::{ReadMails, WriteMails};
use crate::feed::{Recent, recent};
use crate::templates::{self, NAMES, Rendered, SetTemplate, TemplateText, set_templates, tried};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use web::html::{self as h, Col, Field, Row, Table};
use web::{App, Caller, Form, Key, May, OrProblem, Problem, Reply, Screen, Segment};

fn title(name: &str) -> &'static str {
    match name {
        "order_placed" => "Order confirmation",
        "order_payment_requested" => "Payment request",
        "shipment_shipped" => "A parcel is on its way",
        "shipment_delivered" => "A parcel has arrived",
        "return_label_bought" => "A label to send something back",
        "payment_refunded" => "Money was given back",
        _ => "E-mail",
    }
}

/// Whether a text is the merchant's own.
fn whose(custom: bool) -> Markup {
    if custom { h::tag("Your own", h::Tone::Good) } else { h::tag("Built in", h::Tone::Quiet) }
}

const COLS: [Col<'static>; 3] = [Col::text("E-mail"), Col::text("Subject"), Col::text("Text")];

/// Shows the e-mails there are.
pub(super) async fn list(State(app): State<App>, caller: May<ReadMails>) -> Result<Markup, Problem> {
    let mut rows = Vec::new();
    for name in NAMES {
        let (text, custom) = templates::current(app.db.read(), name).await?;
        let whose = whose(custom);
        rows.push(
            Row::new([html! { (title(name)) }, html! { code { (text.subject) } }, whose])
                .href(format!("/settings/mail/{name}")),
        );
    }
    let sender = app.ctx.parts.get::<crate::Mailer>().is_ok_and(|m| m.can_send());
    let body = html! {
        @if !sender { (h::alert("warning", "No mail server is configured: e-mails are written and kept, and not sent. Set smtp.url in the configuration of the server.")) }
        (Table::new("E-mails to customers", &COLS, rows).show())
    };
    Ok(Screen::new(&caller, "E-mail texts").show(body))
}

/// A text as it is typed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    once: String,
    #[serde(rename = "do")]
    action: String,
    subject: String,
    text: String,
    html: String,
}

impl Typed {
    fn read(&self) -> TemplateText {
        let lines = |text: &str| text.replace("\r\n", "\n");
        TemplateText { subject: self.subject.clone(), text: lines(&self.text), html: lines(&self.html) }
    }
}

/// Shows a text.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadMails>,
    Segment(name): Segment<String>,
) -> Result<Markup, Problem> {
    page(&app, &caller, &name, None, None).await
}

async fn page(
    app: &App,
    caller: &Caller,
    name: &str,
    typed: Option<&Typed>,
    problem: Option<&Problem>,
) -> Result<Markup, Problem> {
    if !NAMES.contains(&name) {
        return Err(Problem::not_found(format!("e-mail template “{name}”")));
    }
    let (text, custom) = templates::current(app.db.read(), name).await?;
    let text = typed.map_or(text, Typed::read);
    let ask = Recent {
        subject: Some(format!("mail_template_{name}")),
        kind: Some("mail.template_changed".into()),
        limit: 1,
        ..Recent::default()
    };
    let changed = recent(app.db.read(), &ask).await?.pop();
    let here = format!("/settings/mail/{name}");
    let error = problem.map(|p| p.detail().to_owned());
    let by = match &changed {
        Some(e) => web::auth::names(app.db.read(), &[e.actor.as_str()]).await?,
        None => std::collections::HashMap::new(),
    };
    let write = caller.may::<WriteMails>();
    let body = html! {
        @if let Some(error) = &error { (h::alert("danger", error)) }
        (h::split(
            html! { (h::card("Text", html! {
                form method="post" action=(here) {
                    (web::once_again(typed.map_or("", |t| t.once.as_str())))
                    (h::field(&Field { label: "Subject", name: "subject", value: &text.subject, required: true, ..Field::default() }))
                    (h::field(&Field { label: "Plain text", name: "text", kind: "textarea", rows: 14, code: true, value: &text.text, required: true, ..Field::default() }))
                    (h::field(&Field { label: "HTML", name: "html", kind: "textarea", rows: 14, code: true, value: &text.html, hint: "What is put in is escaped.", required: true, ..Field::default() }))
                    div.form-buttons {
                        button.btn formaction={ (here) "/preview" } type="submit" { "Preview" }
                        @if write { button.btn.btn-primary type="submit" name="do" value="save" { "Save" } }
                    }
                }
            })) },
            html! {
                (preview_of(tried(name, &text)))
                (h::card("Names a text may use", names()))
            },
        ))
    };
    Ok(Screen::new(caller, title(name))
        .crumb("E-mail texts", "/settings/mail")
        .beside(whose(custom))
        .subtitle(html! { @if let Some(e) = &changed { "Changed " (h::time(e.recorded_at)) " by " bdi { (web::auth::actor_name(&by, &e.actor)) } } @else { "Never changed." } })
        .actions(html! { @if custom && write { (h::button(&here, "Back to the built-in text", "secondary", &[("do", "reset")])) } })
        .show(body))
}

fn preview_of(tried: Result<Rendered, templates::TemplateRefused>) -> Markup {
    h::card(
        "Preview, for a sample order",
        html! {
            @match tried {
                Ok(done) => {
                    p { strong { (done.subject) } }
                    // No script of a text runs here, and it reaches nothing of the page.
                    iframe.mail-preview title="The e-mail in HTML" sandbox="" srcdoc=(done.html) {}
                    p.form-hint { "Shown without styles of its own." }
                    details.fold { summary { "Plain text" } pre tabindex="0" { (done.text) } }
                }
                Err(refused) => (h::alert("danger", &refused.to_string())),
            }
        },
    )
}

/// What a text may put in, by its names, with a sample of each; of a list, what each of its items has.
fn names() -> Markup {
    let mut all = Vec::new();
    name("", &templates::sample(), &mut all);
    html! {
        dl.names {
            @for (name, sample) in &all { dt { code { "{{ " (name) " }}" } } dd.text-secondary { bdi { (sample) } } }
        }
        p.form-hint { "Of a list: " code { "{% for line in lines %} … {% endfor %}" } }
    }
}

/// The names within a value, each with what it holds.
fn name(path: &str, value: &serde_json::Value, into: &mut Vec<(String, String)>) {
    use serde_json::Value;
    match value {
        Value::Object(parts) => {
            for (part, value) in parts {
                let path = if path.is_empty() { part.clone() } else { format!("{path}.{part}") };
                name(&path, value, into);
            }
        }
        // Lines are walked through as `line`.
        Value::Array(items) => {
            items.iter().take(1).for_each(|item| name(path.trim_end_matches('s'), item, into))
        }
        Value::String(text) => into.push((path.to_owned(), text.clone())),
        other => into.push((path.to_owned(), other.to_string())),
    }
}

/// Shows what a text gives, and keeps nothing.
pub(super) async fn preview(
    State(app): State<App>,
    caller: May<ReadMails>,
    Segment(name): Segment<String>,
    Form(typed): Form<Typed>,
) -> Result<Markup, Problem> {
    page(&app, &caller, &name, Some(&typed), None).await
}

/// Saves a text, or goes back to ours.
pub(super) async fn save(
    State(app): State<App>,
    caller: May<WriteMails>,
    Segment(name): Segment<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let here = format!("/settings/mail/{name}");
    let text = (typed.action != "reset").then(|| typed.read());
    let key = Key::once(&typed.once, &here);
    let done = web::submit!(app, caller, key, "mails.set_template", &typed, |tx| {
        let item = SetTemplate { at: tx.now(), name: name.clone(), text: text.clone() };
        set_templates(tx, &[item]).await?.remove(0).or_problem()?;
        Ok(Reply::empty())
    });
    match done {
        Ok(_) => Ok(web::done("Saved").to(&here)),
        Err(problem)
            if problem.code() != "automation.unknown_template" && problem.status().is_client_error() =>
        {
            Ok((problem.status(), page(&app, &caller, &name, Some(&typed), Some(&problem)).await?)
                .into_response())
        }
        Err(problem) => Err(problem),
    }
}
