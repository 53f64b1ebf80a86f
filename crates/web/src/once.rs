//! Forms that are sent twice (a double click, a reload) act once: a form carries a hidden key, as an API call carries `Idempotency-Key`.
//!
//! Invariant: what a form did is kept under its key in the transaction of the change. A refused form leaves nothing, so that it can be
//! mended and sent again with the same key.

use crate::Key;
use maud::{Markup, html};

/// The hidden field of a form that acts once; read it as `once: String` and give it to [`Key::once`].
pub fn once() -> Markup {
    html! { input type="hidden" name="once" value=(format!("{:032x}", rand::random::<u128>())); }
}

/// The hidden field of a form that is shown again after it was refused: the same key.
pub fn once_again(key: &str) -> Markup {
    match key {
        "" => once(),
        key => html! { input type="hidden" name="once" value=(key); },
    }
}

/// Runs the command of a form in a transaction, once for its key, and gives `Result<Reply, Problem>`:
/// `web::submit!(app, caller, Key::once(&form.once, "/returns/rma_1"), "returns.approve", &form, |tx| { …; Ok(Reply::empty()) })`.
/// In the body `?` takes faults and problems; both roll back. The body may run several times.
#[macro_export]
macro_rules! submit {
    ($app:expr, $caller:expr, $key:expr, $operation:expr, $input:expr, |$tx:ident| $body:expr) => {
        match $crate::command::Call::new(&$caller, &$key, $operation, $input) {
            Err(fault) => Err($crate::Problem::from(fault)),
            Ok(call) => {
                let done: Result<$crate::Reply, _> = $crate::__db::write!($app.db, &$caller.actor, |$tx| {
                    match call.recall($tx).await? {
                        Some(reply) => Ok(reply),
                        None => {
                            let reply = $crate::command::typed(async { $body }).await?;
                            call.remember($tx, &reply).await?;
                            Ok(reply)
                        }
                    }
                });
                done.map_err($crate::Problem::from)
            }
        }
    };
}

impl Key {
    /// The key of a form that carries [`once`], sent to `path`; without one the form acts each time it is sent.
    pub fn once(text: &str, path: &str) -> Self {
        let sane = (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        Self::of(sane.then(|| format!("form {text}")), format!("FORM {path}\n"))
    }
}
