//! The frame of every page: head, menu of what the caller may see, search, the body, and the bare frame of sign-in and problems.
//!
//! A page is live by one call, [`Screen::live`], or one attribute on a part with an id: `data-live="order:ord_…"` (see [`crate::live`]).

mod nav;
mod sheet;

use crate::html::{Icon, icon, note};
use crate::problem::ProblemBody;
use crate::{Caller, asset, request, toast};
use maud::{DOCTYPE, Markup, html};

fn head(title: &str, merchant: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="description" content={ (title) " – " (merchant) };
            meta name="color-scheme" content="light dark";
            meta name="htmx-config" content=r#"{"includeIndicatorCSS":false}"#;
            title { (title) " · " (merchant) }
            link rel="icon" href=(asset("favicon.svg")) type="image/svg+xml";
            link rel="stylesheet" href=(asset("tabler.css"));
            link rel="stylesheet" href=(asset("app.css"));
            // Not deferred: it sets what the reader chose, light or dark, before anything is painted.
            script src=(asset("theme.js")) {}
            script src=(asset("htmx.js")) defer {}
            script src=(asset("app.js")) defer {}
            script src=(asset("forms.js")) defer {}
            script src=(asset("live.js")) defer {}
        }
    }
}

/// A page with the menu: what stands in its head, how wide it is, and what it listens to.
pub struct Screen<'a> {
    caller: &'a Caller,
    title: String,
    crumbs: Vec<(String, String)>,
    beside: Markup,
    subtitle: Markup,
    actions: Markup,
    above: Markup,
    narrow: bool,
    live: String,
    searched: String,
}

impl<'a> Screen<'a> {
    /// A page with a title.
    pub fn new(caller: &'a Caller, title: impl Into<String>) -> Self {
        let none = || html! {};
        Self {
            caller,
            title: title.into(),
            crumbs: Vec::new(),
            beside: none(),
            subtitle: none(),
            actions: none(),
            above: none(),
            narrow: false,
            live: String::new(),
            searched: String::new(),
        }
    }
    /// A page above this one: title and address. The outermost first.
    pub fn crumb(mut self, title: impl Into<String>, href: impl Into<String>) -> Self {
        self.crumbs.push((title.into(), href.into()));
        self
    }
    /// What stands beside the title, as badges.
    pub fn beside(mut self, markup: Markup) -> Self {
        self.beside = markup;
        self
    }
    /// A line below the title.
    pub fn subtitle(mut self, markup: Markup) -> Self {
        self.subtitle = markup;
        self
    }
    /// The buttons of the page.
    pub fn actions(mut self, markup: Markup) -> Self {
        self.actions = markup;
        self
    }
    /// What stands between head and body, as tabs.
    pub fn above(mut self, markup: Markup) -> Self {
        self.above = markup;
        self
    }
    /// For forms and texts: lines no longer than one reads.
    pub fn narrow(mut self) -> Self {
        self.narrow = true;
        self
    }
    /// What was searched for everywhere: it stays in the box.
    pub(crate) fn searched(mut self, text: &str) -> Self {
        text.clone_into(&mut self.searched);
        self
    }
    /// The body shows itself anew when something happens to this topic, as `order:ord_…` or `queue:orders`.
    pub fn live(mut self, topic: impl AsRef<str>) -> Self {
        if !self.live.is_empty() {
            self.live.push(' ');
        }
        self.live.push_str(topic.as_ref());
        self
    }
    /// The whole page.
    pub fn show(self, body: Markup) -> Markup {
        let merchant = merchant(&self.caller.app.setup.merchant);
        let live = (!self.live.is_empty()).then_some(self.live.as_str());
        html! {
            (DOCTYPE)
            html lang="en" {
                (head(&self.title, merchant))
                body.shell data-who=[self.caller.user] {
                    a.skip href="#content" { "Skip to content" }
                    (nav::menu(self.caller, merchant, self.crumbs.last().map(|(_, href)| href.as_str())))
                    (nav::top_bar(self.caller, merchant, &self.searched))
                    main #content.content.content-narrow[self.narrow] tabindex="-1" {
                        (self.page_head())
                        (self.above)
                        div #page-body data-live=[live] { (body) }
                    }
                    (toast::region())
                    (sheet::keys(self.caller))
                }
            }
        }
    }
    fn page_head(&self) -> Markup {
        html! {
            header.page-head {
                div.page-head-text {
                    @if !self.crumbs.is_empty() {
                        nav.crumbs aria-label="Breadcrumbs" {
                            ol { @for (i, (title, href)) in self.crumbs.iter().enumerate() { li { @if i > 0 { (icon(Icon::ChevronRight)) } a href=(href) { (title) } } } }
                        }
                    }
                    div.page-head-line { h1.page-title { bdi { (self.title) } } (self.beside) }
                    @if !self.subtitle.0.is_empty() { p.page-subtitle.text-secondary { (self.subtitle) } }
                }
                @if !self.actions.0.is_empty() { div.page-actions { (self.actions) } }
            }
        }
    }
}

/// A whole page with the menu and nothing but a title in its head.
pub fn page(caller: &Caller, title: &str, body: Markup) -> Markup {
    Screen::new(caller, title).show(body)
}

fn merchant(name: &str) -> &str {
    if name.is_empty() { "Fulmar" } else { name }
}

/// A page for anybody: one card in the middle.
pub fn bare(merchant_name: &str, title: &str, body: Markup) -> Markup {
    let merchant = merchant(merchant_name);
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(title, merchant))
            body.bare {
                a.skip href="#content" { "Skip to content" }
                main #content.bare-main tabindex="-1" {
                    p.bare-brand { a href="/" { (merchant) } }
                    div.card { div.card-body { h1.bare-title { (title) } (body) } }
                }
                (toast::region())
            }
        }
    }
}

/// A problem as people see it: within the menu of whoever is signed in, so that they go on from there.
pub(crate) fn problem(body: &ProblemBody) -> Markup {
    let asked = request::current();
    let from = asked.as_ref().and_then(|asked| asked.from.as_deref());
    match asked.as_ref().and_then(|asked| asked.who.get()).filter(|caller| caller.user.is_some()) {
        Some(caller) => Screen::new(caller, body.title.as_str()).narrow().show(html! {
            (note("danger", html! { (body.detail) }))
            (particulars(body))
            p.button-row {
                @if let Some(from) = from.filter(|from| *from != caller.path) { a.btn.btn-primary href=(from) { "Back" } }
                a.btn href="/" { "To the start" }
            }
        }),
        None => bare("", &body.title, html! { p { (body.detail) } (particulars(body)) a.btn href="/" { "Back to the start" } }),
    }
}

fn particulars(body: &ProblemBody) -> Markup {
    html! {
        @if !body.errors.is_empty() {
            ul { @for error in &body.errors { li { code { (error.pointer) } " " (error.detail) } } }
        }
        p.text-secondary.small {
            a href=(body.kind) { (body.code) }
            @if let Some(id) = &body.request_id { " · request " (id) }
        }
    }
}

/// A page that the caller's role does not open or a form it may not send, within their menu: they go on from there.
pub(crate) fn not_for_role(caller: &Caller, body: &ProblemBody) -> Markup {
    let body = html! {
        (note("warning", html! { (body.detail) }))
        p { "Whoever manages the people of the shop can give you another role. Your attempt is in the audit log." }
        (particulars(body))
    };
    Screen::new(caller, "Your role may not do this").narrow().show(body)
}

/// The blocks that slices below bring to a page (`order`) about a subject (`ord_…`), each loaded when the page is shown and again when
/// something happens to the subject.
pub fn panels(caller: &Caller, on: &str, subject: &str) -> Markup {
    let panels = crate::all(&caller.app.slices, |s| s.panels);
    html! {
        @for panel in panels.iter().filter(|p| p.page == on && caller.scopes.allow(p.scope)) {
            @let body = html! {
                div.card-body id={ "panel-" (slug(panel.title)) } hx-get=((panel.path)(subject)) hx-trigger="load, live" hx-swap="innerHTML"
                    hx-morph-skip data-live={ (on) ":" (subject) } {
                    p.loading.text-secondary { "Loading …" }
                }
            };
            section.card.mb-3 {
                @if panel.folded { details { summary.card-header { h2.card-title { (panel.title) } } (body) } }
                @else { div.card-header { h2.card-title { (panel.title) } } (body) }
            }
        }
    }
}

/// The blocks that slices serve beside a form which is being filled in: each is sent the form and answers with what it shows.
pub fn form_panels(caller: &Caller, on: &str) -> Markup {
    let panels = crate::all(&caller.app.slices, |s| s.panels);
    html! {
        @for panel in panels.iter().filter(|p| p.page == on && caller.scopes.allow(p.scope)) {
            section.card.mb-3 {
                div.card-header { h2.card-title { (panel.title) } }
                div.card-body id={ "panel-" (slug(panel.title)) } aria-live="polite" hx-post=((panel.path)("")) hx-include="closest form" hx-swap="innerHTML"
                    hx-trigger="load, input from:'closest form' delay:300ms, change from:'closest form' delay:300ms" {
                    p.loading.text-secondary { "Loading …" }
                }
            }
        }
    }
}

fn slug(title: &str) -> String {
    title.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}

/// Whether only a part of the page is wanted (htmx), rather than the page.
pub fn partial() -> bool {
    request::current().is_some_and(|r| r.partial)
}
