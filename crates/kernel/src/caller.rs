//! Who does something, and what they may.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// Who did it, as the event log keeps it: `user:usr_…`, `key:key_…`, `import:olist`, `system:jobs`, `customer:cus_…`.
///
/// A person acts from somewhere: the address and program, for the audit log. What is done from two places is not done in one
/// transaction, so both are kept exactly.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Actor {
    name: String,
    origin: Option<Arc<str>>,
}

impl From<String> for Actor {
    fn from(name: String) -> Self {
        Self { name, origin: None }
    }
}
impl From<Actor> for String {
    fn from(actor: Actor) -> Self {
        actor.name
    }
}

impl Actor {
    /// Background work of our own.
    pub fn system(part: &str) -> Self {
        format!("system:{part}").into()
    }
    /// An import of history: what it records is not announced to anyone (no e-mails, no webhooks).
    pub fn import(source: &str) -> Self {
        format!("import:{source}").into()
    }
    /// A person or key, by kind and id.
    pub fn of(kind: &str, id: impl fmt::Display) -> Self {
        format!("{kind}:{id}").into()
    }
    /// An actor as the event log stored it.
    pub fn stored(text: String) -> Self {
        text.into()
    }
    /// The same actor, from a place: an address and program.
    #[must_use]
    pub fn at(self, origin: &str) -> Self {
        Self { origin: Some(origin.into()), ..self }
    }
    /// Where they act from, where that is known.
    pub fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }
    /// Whether facts recorded by this actor stay silent.
    pub fn is_import(&self) -> bool {
        self.name.starts_with("import:")
    }
    /// The text the event log keeps.
    pub fn as_str(&self) -> &str {
        &self.name
    }
}
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Something a role or an API key may be allowed to do. The type is the permission: a handler asks for it in its arguments.
pub trait Permission {
    /// The scope, as `orders:write`.
    const SCOPE: &'static str;
    /// What it allows, for people.
    const MEANING: &'static str;
}

/// Declares a permission: `permission!(PlaceOrders, "orders:write", "Place and change orders");`
#[macro_export]
macro_rules! permission {
    ($name:ident, $scope:literal, $meaning:literal) => {
        #[doc = $meaning]
        #[derive(Debug, Clone, Copy)]
        pub struct $name;
        impl $crate::Permission for $name {
            const SCOPE: &'static str = $scope;
            const MEANING: &'static str = $meaning;
        }
    };
}
