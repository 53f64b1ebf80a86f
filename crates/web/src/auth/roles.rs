//! Roles and scopes. A scope is `domain:action`; a grant is a scope or a pattern with a star on one side.

use kernel::Permission;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use utoipa::ToSchema;

/// What a person is in the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    Owner,
    /// Everything but API keys, users and closing the books.
    Manager,
    /// Orders, customers, returns, refunds.
    Support,
    /// Stock, picking, packing, shipping, receiving returns.
    Warehouse,
    /// The books, and everything they come from.
    Accountant,
    /// Looks at everything, changes nothing.
    ReadOnly,
}

/// A text that names no role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownRole(pub String);
impl fmt::Display for UnknownRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<&str> = Role::ALL.iter().map(|r| r.as_str()).collect();
        write!(f, "“{}” is no role; there are {}", self.0, known.join(", "))
    }
}
impl std::error::Error for UnknownRole {}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] =
        [Self::Owner, Self::Manager, Self::Support, Self::Warehouse, Self::Accountant, Self::ReadOnly];

    /// As the database stores it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Manager => "manager",
            Self::Support => "support",
            Self::Warehouse => "warehouse",
            Self::Accountant => "accountant",
            Self::ReadOnly => "read_only",
        }
    }
    /// What it grants.
    pub fn grants(self) -> &'static [&'static str] {
        match self {
            Self::Owner => &["*"],
            Self::Manager => &[
                "*:read",
                "catalog:*",
                "customers:*",
                "inventory:*",
                "payments:*",
                "refunds:*",
                "risk:*",
                "orders:*",
                "warehouse:*",
                "shipping:*",
                "returns:*",
                "events:*",
                "webhooks:*",
                "mails:*",
            ],
            Self::Support => &[
                "orders:*",
                "customers:*",
                "returns:*",
                "risk:*",
                "payments:read",
                "refunds:*",
                "catalog:read",
                "inventory:read",
                "warehouse:read",
                "shipping:read",
                "mails:read",
            ],
            Self::Warehouse => &[
                "inventory:*",
                "warehouse:*",
                "shipping:*",
                "returns:read",
                "returns:receive",
                "orders:read",
                "catalog:read",
            ],
            Self::Accountant => &["books:*", "*:read"],
            Self::ReadOnly => &["*:read"],
        }
    }
}
impl FromStr for Role {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|r| r.as_str() == text).ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

/// What a caller was granted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scopes(Vec<String>);

impl Scopes {
    /// Grants separated by spaces, as an API key has them.
    pub fn parse(text: &str) -> Self {
        Self(text.split_whitespace().map(str::to_owned).collect())
    }
    /// The grants of a role.
    pub fn of(role: Role) -> Self {
        Self(role.grants().iter().map(|g| (*g).to_owned()).collect())
    }
    /// Whether a scope is among them. The empty scope is everybody's who signed in.
    pub fn allow(&self, scope: &str) -> bool {
        scope.is_empty() || self.0.iter().any(|grant| covers(grant, scope))
    }
    /// Whether a permission is among them.
    pub fn allow_to<P: Permission>(&self) -> bool {
        self.allow(P::SCOPE)
    }
    /// The grants.
    pub fn grants(&self) -> &[String] {
        &self.0
    }
}

/// Whether a grant covers a scope: `*`, `orders:*`, `*:read`, `orders:write`.
pub(crate) fn covers(grant: &str, scope: &str) -> bool {
    match (grant.split_once(':'), scope.split_once(':')) {
        _ if grant == "*" || grant == scope => true,
        (Some((domain, "*")), Some((wanted, _))) => domain == wanted,
        (Some(("*", action)), Some((_, wanted))) => action == wanted,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_cover_what_they_say_and_no_more() {
        for (grant, scope, expected) in [
            ("*", "orders:write", true),
            ("orders:*", "orders:write", true),
            ("orders:*", "orders2:write", false),
            ("*:read", "books:read", true),
            ("*:read", "books:write", false),
            ("orders:write", "orders:write", true),
            ("orders:write", "orders:read", false),
            ("orders", "orders:read", false),
        ] {
            assert_eq!(covers(grant, scope), expected, "{grant} {scope}");
        }
    }

    #[test]
    fn roles_have_their_rights() {
        for (role, scope, expected) in [
            (Role::Owner, "keys:write", true),
            (Role::Manager, "keys:write", false),
            (Role::Manager, "orders:write", true),
            (Role::Support, "books:read", false),
            (Role::Support, "refunds:write", true),
            (Role::Warehouse, "refunds:write", false),
            (Role::Accountant, "books:write", true),
            (Role::ReadOnly, "orders:write", false),
            (Role::ReadOnly, "", true),
        ] {
            assert_eq!(Scopes::of(role).allow(scope), expected, "{role:?} {scope}");
            assert_eq!(role.as_str().parse(), Ok(role));
        }
    }
}
