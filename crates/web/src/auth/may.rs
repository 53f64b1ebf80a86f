//! `May<P>` in a handler's arguments: the caller is known and may do `P`, or the handler does not run.

use super::origin::Origin;
use super::roles::Scopes;
use super::sessions::{Person, SessionId};
use super::users::UserId;
use super::{cookie, keys, sessions};
use crate::extract::original_path;
use crate::{App, Problem, request, shell};
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use kernel::{Actor, Fault, Permission};
use std::marker::PhantomData;
use std::ops::Deref;

/// Who calls.
#[derive(Clone)]
pub struct Caller {
    /// As the event log names them.
    pub actor: Actor,
    /// As people know them.
    pub name: String,
    /// What they may.
    pub scopes: Scopes,
    /// The person, where it is one.
    pub user: Option<UserId>,
    /// The session they came with.
    pub(crate) session: Option<SessionId>,
    /// Where they call from.
    pub(crate) origin: Origin,
    /// The program, so that a page needs nothing but its caller.
    pub(crate) app: App,
    /// The path they asked for.
    pub(crate) path: String,
}

impl Caller {
    /// Whether they may do something, for what a page shows.
    pub fn may<P: Permission>(&self) -> bool {
        self.scopes.allow_to::<P>()
    }
    /// Whether they may do everything, so that they may make and change owners.
    pub(super) fn may_everything(&self) -> bool {
        self.scopes.allow("*")
    }
}

/// The caller, who may do `P`. Reads as a [`Caller`].
pub struct May<P: Permission>(pub Caller, pub PhantomData<P>);

impl<P: Permission> Deref for May<P> {
    type Target = Caller;
    fn deref(&self) -> &Caller {
        &self.0
    }
}

/// The permission of everybody who signed in or has a key.
#[derive(Debug, Clone, Copy)]
pub struct SignedIn;
impl Permission for SignedIn {
    const SCOPE: &'static str = "";
    const MEANING: &'static str = "Be somebody";
}

/// In a handler's arguments: anybody may call it. A handler has this or [`May`].
#[derive(Debug, Clone, Copy)]
pub struct Public;

/// Why a handler does not run.
pub enum Denied {
    /// The caller is unknown or may not.
    Problem(Problem),
    /// The role of somebody who signed in does not reach: said within their own menu.
    Role(Box<Caller>, Problem),
    /// A person should sign in, then come back to a path.
    SignIn {
        /// Where to come back to.
        next: String,
        /// A part of a page asked: the whole page must go.
        partial: bool,
    },
    /// A person has to set up a second factor before anything else.
    SecondFactor {
        /// A part of a page asked: the whole page must go.
        partial: bool,
    },
}

impl From<Fault> for Denied {
    fn from(fault: Fault) -> Self {
        Self::Problem(fault.into())
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        match self {
            Self::Problem(problem) => problem.into_response(),
            Self::Role(caller, problem) => {
                let page = shell::not_for_role(&caller, &problem.body());
                let mut response = problem.into_response();
                *response.body_mut() = Body::from(page.into_string());
                response
            }
            Self::SignIn { partial: true, next } => whole_page_to(&with_query("/sign-in", "next", &next)),
            Self::SecondFactor { partial: true } => whole_page_to(SECOND_FACTOR),
            Self::SecondFactor { partial: false } => Redirect::to(SECOND_FACTOR).into_response(),
            Self::SignIn { next, .. } => Redirect::to(&with_query("/sign-in", "next", &next)).into_response(),
        }
    }
}

/// Characters of a page's path and query that are come back to, at most.
const LONGEST_PAGE: usize = 2000;

/// Where a second factor is set up.
pub(super) const SECOND_FACTOR: &str = "/profile/second-factor";

fn whole_page_to(path: &str) -> Response {
    let to = HeaderValue::from_str(path).unwrap_or_else(|_| HeaderValue::from_static("/"));
    (StatusCode::UNAUTHORIZED, [(HeaderName::from_static("hx-redirect"), to)]).into_response()
}

/// A path with a parameter in its query.
pub(super) fn with_query(path: &str, name: &str, value: &str) -> String {
    format!("{path}?{name}={}", encode(value))
}

/// A text as the value of a query parameter.
fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

impl<P: Permission> FromRequestParts<App> for May<P> {
    type Rejection = Denied;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Denied> {
        let path = original_path(parts).to_owned();
        let Some(caller) = caller(parts, app, &path).await? else {
            return Err(unknown(parts, path));
        };
        if let Some(asked) = request::current() {
            // Asked for twice in one request, it is the same.
            let _ = asked.who.set(caller.clone());
        }
        if !caller.scopes.allow(P::SCOPE) {
            let detail = format!("This needs the permission “{}” ({}).", P::SCOPE, P::MEANING);
            let problem = Problem::new(StatusCode::FORBIDDEN, "auth.scope_missing", detail);
            let page = request::current().is_some_and(|r| !r.api && !r.partial) && caller.user.is_some();
            return Err(match page {
                true => Denied::Role(Box::new(caller), problem),
                false => Denied::Problem(problem),
            });
        }
        Ok(Self(caller, PhantomData))
    }
}

fn unknown(parts: &Parts, path: String) -> Denied {
    if request::is_api(&path) {
        let detail = "Send an API key as “Authorization: Bearer fk_…”, or sign in.";
        return Denied::Problem(Problem::new(StatusCode::UNAUTHORIZED, "auth.missing", detail));
    }
    let partial = request::current().is_some_and(|r| r.partial);
    // Only what was looked at can be come back to: of a form that was sent, and of a part of a page, that is the page it stands on.
    let next = match (parts.method == Method::GET && !partial, parts.uri.query()) {
        (true, Some(query)) => format!("{path}?{query}"),
        (true, None) => path,
        _ => page_of(&parts.headers).unwrap_or_else(|| "/".to_owned()),
    };
    Denied::SignIn { next, partial }
}

/// The page of ours that a request was sent from, as its browser says. A path and no more: where it leads is ours whatever it says.
fn page_of(headers: &HeaderMap) -> Option<String> {
    let from: Uri = headers.get(header::REFERER)?.to_str().ok()?.parse().ok()?;
    from.authority()?;
    Some(from.path_and_query()?.as_str().to_owned()).filter(|path| path.len() <= LONGEST_PAGE)
}

async fn caller(parts: &Parts, app: &App, path: &str) -> Result<Option<Caller>, Denied> {
    let origin = Origin::of(parts, app);
    if let Some(value) = parts.headers.get(header::AUTHORIZATION) {
        let text = value.to_str().unwrap_or("");
        let key = text
            .split_once(' ')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, key)| key.trim());
        let known = match key {
            Some(key) => keys::of_secret(app, key).await?,
            None => None,
        };
        // A key that is wrong is never a reason to look at the cookie: the caller meant the key.
        let known = known.ok_or_else(|| {
            Denied::Problem(Problem::new(
                StatusCode::UNAUTHORIZED,
                "auth.bad_key",
                "This API key is unknown, expired or was revoked.",
            ))
        })?;
        return Ok(Some(Caller {
            actor: Actor::of("key", known.id),
            name: known.name,
            scopes: Scopes::parse(&known.scopes),
            user: None,
            session: None,
            origin,
            app: app.clone(),
            path: path.to_owned(),
        }));
    }
    let Some(token) = cookie::token(app, &parts.headers) else { return Ok(None) };
    let Some(person) = sessions::of_token(app, &token).await? else { return Ok(None) };
    if person.lacks_second_factor()? && !is_for_set_up(path) {
        return Err(no_second_factor(path));
    }
    of_person(app, person, origin, path).map(Some)
}

fn of_person(app: &App, person: Person, origin: Origin, path: &str) -> Result<Caller, Denied> {
    let scopes = Scopes::of(person.role()?);
    Ok(Caller {
        actor: Actor::of("user", person.id).at(&origin.short()),
        name: person.name,
        scopes,
        user: Some(person.id),
        session: Some(person.session),
        origin,
        app: app.clone(),
        path: path.to_owned(),
    })
}

/// What somebody may do who has still to set up a second factor.
fn is_for_set_up(path: &str) -> bool {
    path == SECOND_FACTOR || path == "/sign-out"
}

fn no_second_factor(path: &str) -> Denied {
    if request::is_api(path) {
        let detail = "Your role needs a second factor. Sign in and set it up first.";
        return Denied::Problem(Problem::new(StatusCode::FORBIDDEN, "auth.second_factor_required", detail));
    }
    Denied::SecondFactor { partial: request::current().is_some_and(|r| r.partial) }
}
