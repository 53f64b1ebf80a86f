//! The frame of every page: head, menu of what the caller may see, the body, and the bare frame of sign-in and problems.

use crate::problem::ProblemBody;
use crate::{Caller, MenuItem, asset};
use maud::{DOCTYPE, Markup, html};

fn head(title: &str, merchant: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="htmx-config" content=r#"{"includeIndicatorCSS":false}"#;
            title { (title) " · " (merchant) }
            link rel="icon" href=(asset("favicon.svg")) type="image/svg+xml";
            link rel="stylesheet" href=(asset("tabler.css"));
            link rel="stylesheet" href=(asset("app.css"));
            // Not deferred: it chooses light or dark before anything is painted.
            script src=(asset("app.js")) {}
            script src=(asset("htmx.js")) defer {}
            script src=(asset("tabler.js")) defer {}
        }
    }
}

/// A whole page with the menu.
pub fn page(caller: &Caller, title: &str, body: Markup) -> Markup {
    let merchant = merchant(&caller.app.setup.merchant);
    let menu: Vec<MenuItem> = crate::all(&caller.app.slices, |s| s.menu)
        .into_iter()
        .filter(|m| caller.scopes.allow(m.scope))
        .collect();
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(title, merchant))
            body {
                a.visually-hidden-focusable href="#content" { "Skip to content" }
                div.page {
                    (bar(caller, merchant, &menu))
                    div.page-wrapper {
                        main #content.page-body {
                            div.container-xl {
                                h1.page-title.mb-3 { (title) }
                                (body)
                            }
                        }
                    }
                }
            }
        }
    }
}

fn bar(caller: &Caller, merchant: &str, menu: &[MenuItem]) -> Markup {
    html! {
        header.navbar.navbar-expand-md.d-print-none {
            div.container-xl {
                button.navbar-toggler type="button" data-bs-toggle="collapse" data-bs-target="#menu" aria-controls="menu" aria-expanded="false" aria-label="Menu" {
                    span.navbar-toggler-icon {}
                }
                a.navbar-brand href="/" { (merchant) }
                nav #menu.collapse.navbar-collapse aria-label="Main" {
                    ul.navbar-nav {
                        @for item in menu {
                            @let here = is_here(&caller.path, item.path);
                            li.nav-item.active[here] {
                                a.nav-link href=(item.path) aria-current=[here.then_some("page")] { (item.title) }
                            }
                        }
                    }
                    form.ms-auto.d-flex.align-items-center.gap-2 method="post" action="/sign-out" {
                        span.text-secondary { (caller.name) }
                        button.btn.btn-sm type="submit" { "Sign out" }
                    }
                }
            }
        }
    }
}

/// Whether a path is the menu item's page or one below it.
fn is_here(path: &str, item: &str) -> bool {
    path.strip_prefix(item).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
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
            body {
                main.page.page-center {
                    div.container.container-tight.py-4 {
                        div.text-center.mb-4 { a.navbar-brand href="/" { (merchant) } }
                        div.card.card-md { div.card-body { h1.h2.mb-4 { (title) } (body) } }
                    }
                }
            }
        }
    }
}

/// A problem as people see it.
pub(crate) fn problem(body: &ProblemBody) -> Markup {
    bare(
        "",
        &body.title,
        html! {
            p { (body.detail) }
            @if !body.errors.is_empty() {
                ul { @for error in &body.errors { li { code { (error.pointer) } " " (error.detail) } } }
            }
            p.text-secondary.small {
                a href=(body.kind) { (body.code) }
                @if let Some(id) = &body.request_id { " · request " (id) }
            }
            a.btn href="/" { "Back to the start" }
        },
    )
}

/// The blocks that slices below bring to a page (`order`) about a subject (`ord_…`), each loaded when the page is shown.
pub fn panels(caller: &Caller, on: &str, subject: &str) -> Markup {
    let panels = crate::all(&caller.app.slices, |s| s.panels);
    html! {
        @for panel in panels.iter().filter(|p| p.page == on && caller.scopes.allow(p.scope)) {
            section.card.mb-3 {
                div.card-header { h2.card-title { (panel.title) } }
                div.card-body hx-get=((panel.path)(subject)) hx-trigger="load" hx-swap="innerHTML" {
                    span.text-secondary { "Loading …" }
                }
            }
        }
    }
}

/// Whether only a part of the page is wanted (htmx), rather than the page.
pub fn partial() -> bool {
    crate::request::current().is_some_and(|r| r.partial)
}

#[cfg(test)]
mod tests {
    use super::is_here;

    #[test]
    fn a_menu_item_is_here_on_its_page_and_below() {
        assert!(is_here("/orders", "/orders") && is_here("/orders/ord_1", "/orders"));
        assert!(!is_here("/orders2", "/orders") && !is_here("/", "/orders"));
    }
}
