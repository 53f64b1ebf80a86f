//! What opens over a page: dialogs, menus, side panels. All are the browser's own elements, so that escape, focus and screen readers work.

use super::{Icon, icon};
use maud::{Markup, html};

/// A dialog that [`opens`] shows. `actions` are the buttons of its foot; a `button value="cancel"` of a `form method="dialog"` closes it.
pub fn dialog(id: &str, title: &str, body: Markup, actions: Markup) -> Markup {
    let title_id = format!("{id}-title");
    html! {
        dialog.dialog id=(id) aria-labelledby=(title_id) {
            header.dialog-head {
                h2 id=(title_id) { (title) }
                form method="dialog" { button.btn-bare type="submit" aria-label="Close" { (icon(Icon::X)) } }
            }
            div.dialog-body { (body) }
            footer.dialog-foot { (actions) }
        }
    }
}

/// The button that opens a [`dialog`] or [`side_panel`].
pub fn opens(id: &str, label: &str, kind: &str) -> Markup {
    html! { button class={ "btn btn-" (kind) } type="button" data-opens=(id) aria-haspopup="dialog" { (label) } }
}

/// A button that asks before it sends: only for what cannot be undone. `id` is unique on the page.
pub fn confirm(
    id: &str,
    action: &str,
    label: &str,
    kind: &str,
    question: &str,
    hidden: &[(&str, &str)],
) -> Markup {
    let fields = html! { @for (name, value) in hidden { input type="hidden" name=(name) value=(value); } };
    confirm_with(id, action, label, kind, question, fields)
}

/// As [`confirm`], with fields of any kind that are not shown, as the key of [`crate::once()`].
pub fn confirm_with(
    id: &str,
    action: &str,
    label: &str,
    kind: &str,
    question: &str,
    fields: Markup,
) -> Markup {
    let form = html! {
        form method="post" action=(action) {
            (fields)
            button class={ "btn btn-" (kind) } type="submit" { (label) }
        }
    };
    html! {
        (opens(id, label, kind))
        (asking(id, label, question, form))
    }
}

/// What a button of a form that [`opens`] this asks before it sends the form: for what cannot be undone. It stands outside of the form,
/// whose id is `form`, and sends `do` with this value.
pub fn ask_first(id: &str, form: &str, value: &str, label: &str, kind: &str, question: &str) -> Markup {
    let send = html! { button class={ "btn btn-" (kind) } type="submit" form=(form) name="do" value=(value) { (label) } };
    asking(id, label, question, send)
}

fn asking(id: &str, label: &str, question: &str, send: Markup) -> Markup {
    dialog(
        id,
        label,
        html! { p { (question) } },
        html! {
            form method="dialog" { button.btn type="submit" { "Keep it as it is" } }
            (send)
        },
    )
}

/// A panel at the side of the page, over it: for details of a row while the list stays.
pub fn side_panel(id: &str, title: &str, body: Markup) -> Markup {
    let title_id = format!("{id}-title");
    html! {
        dialog.dialog.dialog-side id=(id) aria-labelledby=(title_id) {
            header.dialog-head {
                h2 id=(title_id) { (title) }
                form method="dialog" { button.btn-bare type="submit" aria-label="Close" { (icon(Icon::X)) } }
            }
            div.dialog-body { (body) }
        }
    }
}

/// An entry of a [`menu`].
#[derive(Debug, Clone)]
pub enum Item<'a> {
    /// A way to another page.
    Link(&'a str, &'a str),
    /// A form of hidden fields: label, where it is sent, fields.
    Post(&'a str, &'a str, &'a [(&'a str, &'a str)]),
    /// Opens a dialog: label, its id.
    Opens(&'a str, &'a str),
    /// A line.
    Line,
}

/// Actions behind a button. It is a list of links and buttons, not an ARIA menu: tab goes through it.
pub fn menu(label: &str, items: &[Item<'_>]) -> Markup {
    html! {
        details.menu {
            summary.btn { (label) " " (icon(Icon::ChevronDown)) }
            ul.menu-list { @for item in items { li { (entry(item)) } } }
        }
    }
}

fn entry(item: &Item<'_>) -> Markup {
    html! {
        @match item {
            Item::Link(label, href) => a.menu-item href=(href) { (label) },
            Item::Post(label, action, hidden) => form method="post" action=(action) {
                @for (name, value) in *hidden { input type="hidden" name=(name) value=(value); }
                button.menu-item type="submit" { (label) }
            },
            Item::Opens(label, id) => button.menu-item type="button" data-opens=(id) aria-haspopup="dialog" { (label) },
            Item::Line => hr;,
        }
    }
}
