//! What a page says once after something was done: [`done`] sends the reader on with a sentence, and with a way to undo it where there is
//! one; the next page shows it and forgets it.
//!
//! The sentence travels in a cookie, so that it needs no session and survives the redirect. It is shown as text, and what undoes leads to
//! a path of ours only.

use crate::html::{Icon, icon};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::CookieJar;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

const COOKIE: &str = "fulmar_said";
/// Browsers keep 4 KiB a cookie.
const LONGEST: usize = 2000;

/// What was done, and how to undo it.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Done {
    text: String,
    #[serde(default)]
    undo: Option<Undo>,
}

#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
struct Undo {
    action: String,
    fields: Vec<(String, String)>,
}

/// Says what was done: `web::done("Order held").undo("/orders/ord_…", &[("do", "release")]).to("/orders")`.
pub fn done(text: impl Into<String>) -> Done {
    Done { text: text.into(), undo: None }
}

impl Done {
    /// A form that undoes it: where it is sent, and its fields.
    pub fn undo(mut self, action: &str, fields: &[(&str, &str)]) -> Self {
        let fields = fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        self.undo = Some(Undo { action: action.to_owned(), fields });
        self
    }
    /// Sends the reader on to a page that says it.
    pub fn to(&self, path: &str) -> Response {
        let mut response = Redirect::to(path).into_response();
        if let Some(cookie) = self.cookie() {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }
    fn cookie(&self) -> Option<HeaderValue> {
        let json = serde_json::to_vec(self).ok()?;
        let text = URL_SAFE_NO_PAD.encode(json);
        // Too long to travel: the page shows what was done anyway.
        (text.len() <= LONGEST)
            .then(|| {
                HeaderValue::from_str(&format!("{COOKIE}={text}; Path=/; Max-Age=60; HttpOnly; SameSite=Lax"))
            })?
            .ok()
    }
}

/// What the page before said, of a request's cookies. What does not read is nothing.
pub(crate) fn read(headers: &HeaderMap) -> Option<Done> {
    let jar = CookieJar::from_headers(headers);
    let bytes = URL_SAFE_NO_PAD.decode(jar.get(COOKIE)?.value()).ok()?;
    let done: Done = serde_json::from_slice(&bytes).ok()?;
    let ours = done.undo.as_ref().is_none_or(|u| u.action.starts_with('/') && !u.action.starts_with("//"));
    ours.then_some(done)
}

/// The header that forgets it.
pub(crate) fn forget() -> HeaderValue {
    HeaderValue::from_static("fulmar_said=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax")
}

/// Where a page says it. There also without a sentence, so that scripts have where to say theirs.
pub(crate) fn region() -> Markup {
    let said = crate::request::current().and_then(|asked| asked.take_said());
    html! {
        div #toasts.toasts role="status" aria-live="polite" {
            @if let Some(done) = &said { (toast(done)) }
        }
    }
}

fn toast(done: &Done) -> Markup {
    html! {
        div.toast-note {
            (icon(Icon::CircleCheck))
            span { bdi { (done.text) } }
            @if let Some(undo) = &done.undo {
                form method="post" action=(undo.action) {
                    @for (name, value) in &undo.fields { input type="hidden" name=(name) value=(value); }
                    button.btn.btn-sm type="submit" { "Undo" }
                }
            }
            button.btn-bare type="button" data-dismiss aria-label="Dismiss" { (icon(Icon::X)) }
        }
    }
}

/// The toast as the style page shows it.
pub(crate) fn example() -> Markup {
    toast(&done("3 orders put on hold").undo("/design", &[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(cookie: &HeaderValue) -> HeaderMap {
        let text = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
        HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(&text).unwrap())])
    }

    #[test]
    fn what_is_said_arrives_and_foreign_ways_back_do_not() {
        let said = done("Müller’s order is held").undo("/orders/ord_1", &[("do", "release")]);
        assert_eq!(read(&sent(&said.cookie().unwrap())), Some(said));
        let away = done("x").undo("//elsewhere.example/", &[]);
        assert_eq!(read(&sent(&away.cookie().unwrap())), None);
        assert_eq!(read(&HeaderMap::new()), None);
        assert_eq!(done("a".repeat(5000)).cookie(), None);
    }
}
