//! What a test of a connection or a set-up found: each thing with how it is, and where it is wrong, how to mend it.

use super::{Icon, Tone, icon, time};
use kernel::Timestamp;
use maud::{Markup, html};

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    tone: Tone,
    says: String,
    mend: String,
    at: Option<Timestamp>,
}

impl Check {
    /// It is as it should be.
    pub fn good(says: impl Into<String>) -> Self {
        Self { tone: Tone::Good, says: says.into(), mend: String::new(), at: None }
    }
    /// It works, but somebody should look at it.
    pub fn warn(says: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { tone: Tone::Warn, says: says.into(), mend: mend.into(), at: None }
    }
    /// It does not work.
    pub fn bad(says: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { tone: Tone::Bad, says: says.into(), mend: mend.into(), at: None }
    }
    /// When what it says was so; shown behind it.
    pub fn at(mut self, at: Timestamp) -> Self {
        self.at = Some(at);
        self
    }
    /// Whether nothing is wrong with it.
    pub fn is_good(&self) -> bool {
        self.tone == Tone::Good
    }
}

/// The findings, in the order they were looked at; what they mean is also said in words.
pub fn checks(found: &[Check]) -> Markup {
    html! {
        ul.checks {
            @for check in found {
                @let (picture, word) = match check.tone {
                    Tone::Good => (Icon::CircleCheck, "Fine"),
                    Tone::Warn => (Icon::AlertTriangle, "Look at this"),
                    _ => (Icon::CircleX, "Wrong"),
                };
                li class={ "check check-" (check.tone.as_str()) } {
                    (icon(picture))
                    div.note-body {
                        p { span.visually-hidden { (word) ": " } (check.says) @if let Some(at) = check.at { " " (time(at)) } }
                        @if !check.mend.is_empty() { p.text-secondary { (check.mend) } }
                    }
                }
            }
        }
    }
}
