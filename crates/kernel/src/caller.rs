//! Who does something, and what they may.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Who did it, as the event log keeps it: `user:usr_…`, `key:key_…`, `import:olist`, `system:jobs`, `customer:cus_…`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor(String);

impl Actor {
    /// Background work of our own.
    pub fn system(part: &str) -> Self {
        Self(format!("system:{part}"))
    }
    /// An import of history: what it records is not announced to anyone (no e-mails, no webhooks).
    pub fn import(source: &str) -> Self {
        Self(format!("import:{source}"))
    }
    /// A person or key, by kind and id.
    pub fn of(kind: &str, id: impl fmt::Display) -> Self {
        Self(format!("{kind}:{id}"))
    }
    /// An actor as the event log stored it.
    pub fn stored(text: String) -> Self {
        Self(text)
    }
    /// Whether facts recorded by this actor stay silent.
    pub fn is_import(&self) -> bool {
        self.0.starts_with("import:")
    }
    /// The text the event log keeps.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
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
