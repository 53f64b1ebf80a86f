//! The permission matrix: which role may what, as the extractors enforce it.

use super::{May, Role, Scopes, SignedIn};
use crate::html::{card, words};
use crate::{App, Slice, shell};
use axum::extract::State;
use axum::routing::get;
use maud::{Markup, html};

/// The page of roles.
pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new().route("/people/roles", get(show))
}

async fn show(State(app): State<App>, caller: May<SignedIn>) -> Markup {
    let roles: Vec<(Role, Scopes)> = Role::ALL.into_iter().map(|role| (role, Scopes::of(role))).collect();
    let slices: Vec<&Slice> = app.slices.iter().filter(|slice| !slice.permissions.is_empty()).collect();
    shell::page(
        &caller,
        "Roles and permissions",
        html! {
            p.text-secondary { "This is what is enforced, for pages and for the API alike. API keys have scopes instead of a role." }
            (matrix(&roles, &slices))
            (one_by_one(&roles, &slices))
        },
    )
}

/// All of it at once, where there is room.
fn matrix(roles: &[(Role, Scopes)], slices: &[&Slice]) -> Markup {
    html! {
        div.matrix tabindex="0" role="region" aria-label="Permissions by role" {
            table.table {
                thead { tr {
                    th scope="col" { "Permission" }
                    @for (role, _) in roles { th scope="col" title=(role.meaning()) { (role.title()) } }
                } }
                @for slice in slices {
                    tbody {
                        tr { th.matrix-group scope="rowgroup" colspan=(roles.len() + 1) { (words(slice.name)) } }
                        @for (scope, meaning) in slice.permissions {
                            tr {
                                th scope="row" { div { (meaning) } code.text-secondary { (scope) } }
                                @for (role, granted) in roles { (cell(*role, granted.allow(scope))) }
                            }
                        }
                    }
                }
            }
        }
        dl.datagrid { @for (role, _) in roles {
            div { dt.datagrid-title { (role.title()) } dd.datagrid-content { (role.meaning()) } }
        } }
    }
}

fn cell(role: Role, may: bool) -> Markup {
    html! {
        td {
            @if may { span.granted title={ (role.title()) ": yes" } { span aria-hidden="true" { "✓" } span.visually-hidden { "yes" } } }
            @else { span.text-secondary title={ (role.title()) ": no" } { span aria-hidden="true" { "–" } span.visually-hidden { "no" } } }
        }
    }
}

/// A role at a time, on a phone: what it is for, and what it may.
fn one_by_one(roles: &[(Role, Scopes)], slices: &[&Slice]) -> Markup {
    html! {
        div.roles { @for (role, granted) in roles {
            (card("", html! {
                details.fold {
                    summary { strong { (role.title()) } }
                    p.text-secondary { (role.meaning()) }
                    @for slice in slices {
                        @let mine: Vec<&str> = slice.permissions.iter().filter(|(scope, _)| granted.allow(scope)).map(|(_, meaning)| *meaning).collect();
                        @if !mine.is_empty() {
                            p.mb-1 { strong { (words(slice.name)) } }
                            ul { @for meaning in mine { li { (meaning) } } }
                        }
                    }
                }
            }))
        } }
    }
}
