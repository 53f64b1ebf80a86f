//! What pages that are worked by scanning share: the field that always has the cursor, what was said of the last scan, and the form of a
//! scan. `assets/scan.js` sends a scan without loading the page, in the order of scanning, and says so when one did not arrive; without it
//! the same forms work.
//!
//! Invariant: a scan has a key of its own, so one that is sent again counts once.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use web::html::{self as h, Icon};
use web::{Caller, Screen};

/// A scan as a form sends it.
#[derive(Deserialize, Serialize, Default)]
#[serde(default)]
pub(super) struct Scanned {
    pub once: String,
    pub scan: String,
    pub quantity: String,
}

impl Scanned {
    /// Pieces; one where nothing was said, none where it does not read, which every command refuses.
    pub fn pieces(&self) -> i64 {
        match self.quantity.trim() {
            "" => 1,
            text => text.parse().unwrap_or(0),
        }
    }
}

/// What came of the last scan.
#[derive(Debug, Clone, Default)]
pub(super) enum Said {
    /// Nothing was scanned yet.
    #[default]
    Nothing,
    /// It was right: the text, how many pieces, and the sentence.
    Right(String, i64, String),
    /// It was taken back.
    Back(String),
    /// It was wrong: the text, and the sentence.
    Wrong(String, String),
}

impl Said {
    fn outcome(&self) -> &'static str {
        match self {
            Self::Nothing => "none",
            Self::Right(..) => "right",
            Self::Back(_) => "back",
            Self::Wrong(..) => "wrong",
        }
    }
}

/// A page of scanning: what stands above, where the scan is sent, and what there is to do.
pub(super) struct Desk<'a> {
    /// Where scans are sent.
    pub action: String,
    /// Where the last scan is taken back.
    pub undo: String,
    /// What the field is called.
    pub label: &'a str,
    /// Whether several pieces may be told at once.
    pub quantity: bool,
    /// Whether there is nothing left to scan.
    pub done: bool,
    /// What happened last.
    pub said: Said,
    /// What is shown below.
    pub state: Markup,
    /// What the state changes with.
    pub live: String,
}

impl Desk<'_> {
    /// What was said of the last scan, with the way back.
    fn said(&self) -> Markup {
        let class = format!("scan-said scan-{}", self.said.outcome());
        html! {
            div #scan-said class=(class) data-outcome=(self.said.outcome()) data-done[self.done] role="status" aria-live="assertive" {
                @match &self.said {
                    Said::Nothing => { (h::icon(Icon::Barcode)) p { (if self.done { "Nothing left to scan." } else { "Ready to scan." }) } },
                    Said::Right(text, quantity, said) => {
                        (h::icon(Icon::CircleCheck)) p { bdi { (said) } }
                        form method="post" action=(self.undo) data-scan-undo {
                            (web::once())
                            input type="hidden" name="scan" value=(text);
                            input type="hidden" name="quantity" value=(quantity);
                            button.btn type="submit" { (h::icon(Icon::ArrowBackUp)) " Undo" }
                        }
                    },
                    Said::Back(said) => { (h::icon(Icon::ArrowBackUp)) p { bdi { (said) } } },
                    Said::Wrong(text, said) => { (h::icon(Icon::CircleX)) p { strong.scan-text { bdi { (text) } } " " bdi { (said) } } },
                }
            }
        }
    }
    /// The part that a scan changes.
    fn changing(&self) -> Markup {
        let live = (!self.live.is_empty()).then_some(self.live.as_str());
        html! { (self.said()) div #scan-state data-live=[live] { (self.state) } }
    }
    /// Everything.
    fn whole(&self) -> Markup {
        html! {
            link rel="stylesheet" href=(web::asset("scan.css"));
            section #scan.scan data-scan-desk {
                form.scan-form method="post" action=(self.action) data-scan autocomplete="off" {
                    (web::once())
                    div.scan-field {
                        label.form-label for="scan-text" { (self.label) }
                        input #scan-text.form-control name="scan" type="text" autofocus required maxlength="128" autocomplete="off"
                            autocapitalize="characters" spellcheck="false" enterkeyhint="go" placeholder="Scan or type, then Enter";
                    }
                    @if self.quantity {
                        div.scan-pieces {
                            label.form-label for="scan-pieces" { "Pieces" }
                            input #scan-pieces.form-control name="quantity" type="number" inputmode="numeric" min="1" max="9999" value="1";
                        }
                    }
                    button.btn.btn-primary type="submit" { "Enter" }
                    button.btn type="button" data-scan-sound aria-pressed="true" { (h::icon(Icon::Bell)) span data-scan-sound-text { "Sound on" } }
                }
                div #scan-lost.note.note-danger hidden role="alert" {
                    (h::icon(Icon::AlertTriangle))
                    div.note-body {
                        p { strong { "Not recorded: " } bdi data-scan-lost-text {} }
                        p data-scan-silent { "The server did not answer. The scan does not count until it does; nothing else is lost." }
                        p data-scan-signed-out hidden {
                            "You are signed out. " a href="/sign-in" target="_blank" { "Sign in in another tab" } ", then send it again; nothing else is lost."
                        }
                        button.btn type="button" data-scan-again { "Send it again" } " "
                        button.btn type="button" data-scan-drop { "Leave it out" }
                    }
                }
                (self.changing())
            }
            script src=(web::asset("scan.js")) defer {}
        }
    }
    /// The answer to a scan: the changed part for the script, the page otherwise.
    pub fn answer(&self, screen: Screen<'_>) -> Response {
        let status = match self.said {
            Said::Wrong(..) => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::OK,
        };
        match web::partial() {
            // A wrong scan is an everyday answer: the script reads the outcome, and the console stays clean.
            true => self.changing().into_response(),
            false => (status, screen.show(self.whole())).into_response(),
        }
    }
}

/// The head of a page of scanning.
pub(super) fn screen<'a>(caller: &'a Caller, title: String, list: (&str, &str)) -> Screen<'a> {
    Screen::new(caller, title).crumb(list.0, list.1)
}

/// Two letters that stand for a picture.
pub(super) fn picture(code: &str, title: &str) -> Markup {
    let initials: String =
        title.split_whitespace().filter_map(|w| w.chars().find(|c| c.is_alphanumeric())).take(2).collect();
    let hue = code.bytes().fold(0_u32, |sum, b| sum.wrapping_mul(31).wrapping_add(u32::from(b))) % 8;
    html! { span class={ "scan-picture face-" (hue) } aria-hidden="true" { (initials.to_uppercase()) } }
}
