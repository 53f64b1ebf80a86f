//! What is known of the request that is being answered, wherever in its handling: so that a problem can name its request and be JSON
//! for the API and a page for people.

use crate::auth::Caller;
use crate::toast::Done;
use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

tokio::task_local! {
    static ASKED: Asked;
}

/// The request that is being answered.
#[derive(Clone)]
pub(crate) struct Asked {
    /// Its id, ours or the caller's.
    pub id: String,
    /// Whether it came to the API.
    pub api: bool,
    /// Whether it wants a part of a page.
    pub partial: bool,
    /// Who asks, once that is known.
    pub who: Arc<OnceLock<Caller>>,
    /// The page that it was sent from, where the browser says so.
    pub from: Option<String>,
    /// What the page before said, for the first page that shows it.
    pub said: Arc<Mutex<Option<Done>>>,
}

impl Asked {
    /// What the page before said, once.
    pub(crate) fn take_said(&self) -> Option<Done> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
    /// Handles a request: inside, [`current`] is this.
    pub(crate) async fn scope<F: Future>(self, handling: F) -> F::Output {
        ASKED.scope(self, handling).await
    }
}

/// The request that is being answered, where there is one.
pub(crate) fn current() -> Option<Asked> {
    ASKED.try_with(Clone::clone).ok()
}

/// Whether a path belongs to the API rather than to the pages.
pub(crate) fn is_api(path: &str) -> bool {
    path == "/v1" || path.starts_with("/v1/") || matches!(path, "/healthz" | "/readyz")
}
