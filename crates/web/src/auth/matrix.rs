//! The permission matrix: which role may what, as the extractors enforce it.

use super::{May, Role, Scopes, SignedIn};
use crate::{App, shell};
use axum::extract::State;
use axum::routing::get;
use maud::{Markup, html};

/// The page of roles.
pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new().route("/people/roles", get(show))
}

async fn show(State(app): State<App>, caller: May<SignedIn>) -> Markup {
    shell::page(
        &caller,
        "Roles and permissions",
        html! {
            p.text-secondary { "This is what is enforced, for pages and for the API alike. API keys have scopes instead of a role." }
            (roles())
            (table(&app))
        },
    )
}

fn roles() -> Markup {
    html! {
        div.card.mb-3 { div.card-body { dl.row.mb-0 {
            @for role in Role::ALL {
                dt."col-sm-3" { (role.title()) }
                dd."col-sm-9" { (role.meaning()) }
            }
        } } }
    }
}

fn table(app: &App) -> Markup {
    let scopes: Vec<(Role, Scopes)> = Role::ALL.into_iter().map(|role| (role, Scopes::of(role))).collect();
    html! {
        div.card { div.table-responsive tabindex="0" role="region" aria-label="Permissions by role" {
            table.table.table-vcenter.card-table.table-sm {
                thead { tr {
                    th scope="col" { "Permission" }
                    @for role in Role::ALL { th.text-center scope="col" { (role.title()) } }
                } }
                tbody {
                    @for slice in app.slices.iter().filter(|slice| !slice.permissions.is_empty()) {
                        @for (scope, meaning) in slice.permissions {
                            tr {
                                th scope="row" { div { (meaning) } code.text-secondary { (scope) } }
                                @for (role, granted) in &scopes {
                                    td.text-center {
                                        @if granted.allow(scope) { span.text-success title={ (role.title()) ": yes" } { "✓" span.visually-hidden { "yes" } } }
                                        @else { span.text-secondary title={ (role.title()) ": no" } aria-hidden="true" { "·" } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        } }
    }
}
