//! The form that receives goods against a purchase order: it says what is still to come, and one changes what is not so. More than that is
//! refused until somebody says why.

use super::{Whole, path_of, screen, whole};
use crate::api::WriteInventory;
use crate::purchase::{PurchaseId, PurchaseLine, ReceivePurchase, receive_purchases};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use catalog::SkuId;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use web::html::{self as h, Field};
use web::{App, Form, Key, May, OrProblem, Problem, Reply, Segment};

#[derive(Deserialize, Serialize, Default, Clone)]
#[serde(default)]
pub(in crate::pages) struct Sent {
    once: String,
    lines: Vec<Came>,
    reference: String,
    reason: String,
}

#[derive(Deserialize, Serialize, Default, Clone)]
#[serde(default)]
struct Came {
    sku: String,
    units: String,
}

impl Sent {
    /// What is still to come.
    pub fn of(lines: &[PurchaseLine]) -> Self {
        let came = |l: &PurchaseLine| Came {
            sku: l.sku_id.to_string(),
            units: if l.open > 0 { l.open.to_string() } else { String::new() },
        };
        Self { lines: lines.iter().map(came).collect(), ..Self::default() }
    }
    /// What came, or what does not read.
    fn lines(&self) -> Result<Vec<(SkuId, i64)>, String> {
        let mut came = Vec::new();
        for line in &self.lines {
            let units = line.units.trim();
            if units.is_empty() || units == "0" {
                continue;
            }
            let sku = line.sku.parse().map_err(|e| format!("{e}."))?;
            let units = units.parse().map_err(|_| format!("“{units}” is not a whole number of units."))?;
            came.push((sku, units));
        }
        Ok(came)
    }
}

/// The form.
pub(super) fn form(w: &Whole, sent: &Sent, error: Option<&str>) -> Markup {
    let given = |sku: SkuId| {
        let sku = sku.to_string();
        sent.lines.iter().find(|l| l.sku == sku).map_or("", |l| l.units.as_str())
    };
    h::card(
        "Receive",
        html! {
            @if let Some(sentence) = error { (h::alert("danger", sentence)) }
            form method="post" action={ (path_of(w.head.id)) "/receive" } autocomplete="off" {
                (web::once_again(&sent.once))
                @for (i, line) in w.lines.iter().enumerate() {
                    @let (label, name) = (format!("{} – {}", line.sku, line.title), format!("lines[{i}][units]"));
                    @let hint = format!("{} still to come", line.open);
                    input type="hidden" name=(format!("lines[{i}][sku]")) value=(line.sku_id);
                    (h::field(&Field { label: &label, name: &name, value: given(line.sku_id), hint: &hint, ..Field::default() }))
                }
                (h::fields([
                    h::field(&Field { label: "Delivery note", name: "reference", value: &sent.reference, ..Field::default() }),
                    h::field(&Field { label: "Why more came", name: "reason", value: &sent.reason, hint: "Only where more came than is still to come.", ..Field::default() }),
                ]))
                (h::form_buttons("Receive", None))
            }
        },
    )
}

/// Receives what came, or shows the form again.
pub(in crate::pages) async fn receive(
    State(app): State<App>,
    caller: May<WriteInventory>,
    Segment(id): Segment<PurchaseId>,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let some = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
    let refused = match sent.lines() {
        Err(sentence) => sentence,
        Ok(lines) => {
            let key = Key::once(&sent.once, &format!("{}/receive", path_of(id)));
            let done = web::submit!(app, caller, key, "inventory.receive_purchase_page", &sent, |tx| {
                let (reference, surplus_reason) = (some(&sent.reference), some(&sent.reason));
                let lines = lines.clone();
                let want = ReceivePurchase { at: tx.now(), purchase: id, lines, reference, surplus_reason };
                receive_purchases(tx, &[want]).await?.remove(0).or_problem()?;
                Ok(Reply::empty())
            });
            match done {
                Ok(_) => {
                    let units: i64 = lines.iter().map(|(_, n)| n).sum();
                    return Ok(web::done(format!("{units} units received")).to(&path_of(id)));
                }
                Err(problem) if problem.status().is_client_error() => problem.detail().to_owned(),
                Err(problem) => return Err(problem),
            }
        }
    };
    let page = screen(&app, &caller, &whole(&app, id).await?, &sent, Some(&refused));
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}
