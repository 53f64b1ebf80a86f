//! The menu at the side (behind a button on a phone) and the bar at the top with search and what belongs to the reader.

use crate::html::{Icon, avatar, icon};
use crate::slice::Group;
use crate::{Caller, MenuItem};
use maud::{Markup, html};

/// A group with the entries that the caller may see; the group leads where its first entry does.
pub(super) struct Entries {
    pub group: Group,
    pub items: Vec<MenuItem>,
}

impl Entries {
    pub fn path(&self) -> &'static str {
        self.items.first().map_or("/", |i| i.path)
    }
}

/// What the caller sees of the menu, in its order.
pub(super) fn entries(caller: &Caller) -> Vec<Entries> {
    let mut all: Vec<MenuItem> = crate::all(&caller.app.slices, |s| s.menu)
        .into_iter()
        .filter(|m| caller.scopes.allow(m.scope))
        .collect();
    all.sort_by_key(|m| (m.group, m.order));
    let mut out: Vec<Entries> = Vec::new();
    for item in all {
        match out.last_mut() {
            Some(last) if last.group == item.group => last.items.push(item),
            _ => out.push(Entries { group: item.group, items: vec![item] }),
        }
    }
    out
}

/// The entry whose page this is: the one with the longest path at or above it.
fn current(entries: &[Entries], path: &str) -> Option<&'static str> {
    let all = entries.iter().flat_map(|e| &e.items).map(|i| i.path);
    all.filter(|item| is_here(path, item)).max_by_key(|item| item.len())
}

/// The group whose page this is: that of the entry, or where no entry leads to it, of its neighbours under the same first part of the path.
fn group(entries: &[Entries], path: &str) -> Option<Group> {
    let here = current(entries, path);
    let first = |path: &str| path.split('/').nth(1).map(str::to_owned).filter(|part| !part.is_empty());
    let near = |item: &MenuItem| match here {
        Some(here) => item.path == here,
        None => first(path).is_some_and(|part| first(item.path) == Some(part)),
    };
    entries.iter().find(|e| e.items.iter().any(near)).map(|e| e.group)
}

/// Whether a path is the menu item's page or one below it. The root has no pages below it.
fn is_here(path: &str, item: &str) -> bool {
    match item {
        "/" => path == "/",
        _ => path.strip_prefix(item).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
    }
}

/// The path that says where a page stands in the menu: its own, or that of the page above it where no entry leads to it.
fn place<'a>(entries: &[Entries], path: &'a str, above: Option<&'a str>) -> &'a str {
    let above = above.map(|href| href.split('?').next().unwrap_or(href));
    let known = |path: &&str| current(entries, path).is_some();
    [Some(path), above].into_iter().flatten().find(known).unwrap_or(path)
}

/// The menu: beside the page on a desk, a popover on a phone. `above` is the page that the last breadcrumb leads to.
pub(super) fn menu(caller: &Caller, merchant: &str, above: Option<&str>) -> Markup {
    let entries = entries(caller);
    let path = place(&entries, &caller.path, above);
    let here = current(&entries, path);
    let inside = group(&entries, path);
    html! {
        nav #nav.nav popover aria-label="Main" {
            a.nav-brand href="/" { (icon(Icon::Package)) span { (merchant) } }
            ul.nav-list {
                @for e in &entries {
                    @let (title, picture, key) = e.group.looks();
                    @let alone = e.items.len() == 1;
                    @let within = inside == Some(e.group);
                    li {
                        a.nav-link.nav-within[within] href=(e.path()) data-go=(key)
                            aria-current=[(alone && Some(e.path()) == here).then_some("page")] { (icon(picture)) span { (title) } }
                        @if within && !alone {
                            ul.nav-sub { @for item in &e.items {
                                li { a.nav-sub-link href=(item.path) aria-current=[(Some(item.path) == here).then_some("page")] { (item.title) } }
                            } }
                        }
                    }
                }
            }
        }
    }
}

/// The bar above the page.
pub(super) fn top_bar(caller: &Caller, merchant: &str, searched: &str) -> Markup {
    html! {
        header.top-bar {
            button.btn-bare.nav-button type="button" popovertarget="nav" aria-label="Menu" { (icon(Icon::Menu2)) }
            a.top-brand href="/" { (merchant) }
            form.top-search action="/search" method="get" role="search" aria-label="Everything" {
                label.search-box {
                    (icon(Icon::Search))
                    span.visually-hidden { "Search orders, customers, SKUs, tracking numbers" }
                    input #search.form-control type="search" name="q" value=(searched) placeholder="Search everything" autocomplete="off" aria-keyshortcuts="/";
                    kbd aria-hidden="true" { "/" }
                }
            }
            (reader(caller))
        }
    }
}

/// Who reads, and how they like to read.
fn reader(caller: &Caller) -> Markup {
    html! {
        details.menu.menu-end {
            summary.btn-bare { (avatar(&caller.name)) span.visually-hidden { (caller.name) ", account and appearance" } }
            div.menu-list {
                p.menu-title { bdi { (caller.name) } }
                @if caller.user.is_some() { a.menu-item href="/profile" { (icon(Icon::User)) " Your profile" } }
                fieldset.choose {
                    legend { "Appearance" }
                    @for (value, label, picture) in [("system", "System", Icon::DeviceDesktop), ("light", "Light", Icon::Sun), ("dark", "Dark", Icon::Moon)] {
                        button type="button" data-theme=(value) aria-pressed="false" { (icon(picture)) (label) }
                    }
                }
                fieldset.choose {
                    legend { "Rows" }
                    @for (value, label) in [("calm", "Calm"), ("dense", "Dense")] {
                        button type="button" data-density=(value) aria-pressed="false" { (label) }
                    }
                }
                hr;
                button.menu-item type="button" data-opens="keys" aria-haspopup="dialog" { (icon(Icon::Keyboard)) " Keyboard shortcuts " kbd { "?" } }
                form method="post" action="/sign-out" { button.menu-item type="submit" { (icon(Icon::Logout)) " Sign out" } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Entries, group, is_here, place};
    use crate::MenuItem;
    use crate::slice::Group;

    #[test]
    fn a_menu_item_is_here_on_its_page_and_below() {
        assert!(is_here("/orders", "/orders") && is_here("/orders/ord_1", "/orders") && is_here("/", "/"));
        assert!(!is_here("/orders2", "/orders") && !is_here("/", "/orders") && !is_here("/orders", "/"));
    }

    #[test]
    fn a_page_without_an_entry_stands_in_the_group_of_its_neighbours() {
        let item = |path, group| MenuItem { title: "", path, scope: "", group, order: 0 };
        let of = |group, paths: &[&'static str]| Entries {
            group,
            items: paths.iter().map(|p| item(p, group)).collect(),
        };
        let all = [
            of(Group::Home, &["/"]),
            of(Group::Orders, &["/orders"]),
            of(Group::Books, &["/books/journal", "/books/months"]),
        ];
        for (path, expected) in [
            ("/", Some(Group::Home)),
            ("/books/journal", Some(Group::Books)),
            ("/books/adjust", Some(Group::Books)),
            ("/orders/ord_1", Some(Group::Orders)),
            ("/profile", None),
        ] {
            assert_eq!(group(&all, path), expected, "{path}");
        }
        let crumb = Some("/orders/ord_1?tab=2");
        assert_eq!(place(&all, "/parcels/par_1", crumb), "/orders/ord_1", "as the page above it");
        assert_eq!(place(&all, "/books/months", crumb), "/books/months", "it has an entry of its own");
        assert_eq!(place(&all, "/profile", None), "/profile");
    }
}
