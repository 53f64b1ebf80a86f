//! Roles and scopes. A scope is `domain:action`; a grant is a scope or a pattern with a star on one side.

use kernel::Permission;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use utoipa::ToSchema;

/// What a person is in the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    Owner,
    /// Everything but API keys and writing the books.
    Manager,
    /// Orders, customers, returns, refunds.
    Support,
    /// Decides on orders that are held for their risk.
    FraudReviewer,
    /// Stock, picking, packing, shipping, receiving returns, rates.
    WarehouseLead,
    /// Picks and packs, ships and receives returns.
    Picker,
    /// The catalogue, suppliers, purchase orders and stock.
    Purchaser,
    /// The books, and everything they come from.
    Accountant,
    /// Looks at everything, changes nothing.
    ReadOnly,
    /// API keys, webhooks and the texts of e-mails; looks at everything.
    Developer,
}

/// What managers may: all of the shop, but neither keys nor writing the books.
const MANAGER: &[&str] = &[
    "*:read",
    "catalog:*",
    "customers:*",
    "inventory:*",
    "purchasing:*",
    "payments:*",
    "refunds:*",
    "risk:*",
    "orders:*",
    "channels:*",
    "warehouse:*",
    "shipping:*",
    "returns:*",
    "events:*",
    "webhooks:*",
    "mails:*",
    "jobs:*",
    "people:*",
    "audit:*",
];

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
    pub const ALL: [Self; 10] = [
        Self::Owner,
        Self::Manager,
        Self::Support,
        Self::FraudReviewer,
        Self::WarehouseLead,
        Self::Picker,
        Self::Purchaser,
        Self::Accountant,
        Self::ReadOnly,
        Self::Developer,
    ];

    /// As the database stores it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Manager => "manager",
            Self::Support => "support",
            Self::FraudReviewer => "fraud_reviewer",
            Self::WarehouseLead => "warehouse_lead",
            Self::Picker => "picker",
            Self::Purchaser => "purchaser",
            Self::Accountant => "accountant",
            Self::ReadOnly => "read_only",
            Self::Developer => "developer",
        }
    }
    /// As people read it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Owner => "Owner",
            Self::Manager => "Manager",
            Self::Support => "Support",
            Self::FraudReviewer => "Fraud reviewer",
            Self::WarehouseLead => "Warehouse lead",
            Self::Picker => "Picker / packer",
            Self::Purchaser => "Purchaser",
            Self::Accountant => "Accountant",
            Self::ReadOnly => "Read-only",
            Self::Developer => "Developer",
        }
    }
    /// What it is for, as people read it.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Owner => "May do everything, also make owners and API keys",
            Self::Manager => "Runs the shop and its people; makes no API keys, writes no books",
            Self::Support => "Orders, customers, returns and refunds",
            Self::FraudReviewer => "Decides on orders held for their risk",
            Self::WarehouseLead => "Stock, releasing, picking, packing, shipping and its rates",
            Self::Picker => "Picks and packs, ships, receives returns; sees no money",
            Self::Purchaser => "Catalogue, suppliers, purchase orders and stock",
            Self::Accountant => "The books and everything they come from; sees the audit log",
            Self::ReadOnly => "Looks at everything, changes nothing",
            Self::Developer => "API keys, webhooks, jobs and e-mail texts; looks at everything",
        }
    }
    /// What it grants.
    pub fn grants(self) -> &'static [&'static str] {
        match self {
            Self::Owner => &["*"],
            Self::Manager => MANAGER,
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
            Self::FraudReviewer => &[
                "orders:read",
                "risk:*",
                "customers:read",
                "payments:read",
                "returns:read",
                "shipping:read",
                "catalog:read",
            ],
            Self::WarehouseLead => &[
                "inventory:*",
                "purchasing:read",
                "warehouse:*",
                "shipping:*",
                "returns:read",
                "returns:receive",
                "orders:read",
                "catalog:read",
            ],
            Self::Picker => &[
                "warehouse:read",
                "warehouse:pick",
                "shipping:read",
                "shipping:write",
                "returns:read",
                "returns:receive",
                "inventory:read",
                "catalog:read",
            ],
            Self::Purchaser => &["catalog:*", "inventory:*", "purchasing:*", "orders:read", "warehouse:read"],
            Self::Accountant => &["books:*", "*:read", "audit:*"],
            Self::ReadOnly => &["*:read"],
            Self::Developer => &["*:read", "channels:*", "keys:*", "webhooks:*", "mails:*", "jobs:*"],
        }
    }
}

impl FromStr for Role {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        // Before there were pickers, who worked in the warehouse could do what its lead does now.
        let name = if text == "warehouse" { "warehouse_lead" } else { text };
        Self::ALL.into_iter().find(|role| role.as_str() == name).ok_or_else(|| UnknownRole(text.to_owned()))
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
            (Role::WarehouseLead, "refunds:write", false),
            (Role::Picker, "books:read", false),
            (Role::Picker, "orders:read", false),
            (Role::Picker, "warehouse:pick", true),
            (Role::Picker, "warehouse:write", false),
            (Role::FraudReviewer, "risk:write", true),
            (Role::FraudReviewer, "orders:write", false),
            (Role::Purchaser, "catalog:write", true),
            (Role::Purchaser, "payments:read", false),
            (Role::Purchaser, "purchasing:write", true),
            (Role::WarehouseLead, "purchasing:read", true),
            (Role::WarehouseLead, "purchasing:write", false),
            (Role::Developer, "keys:write", true),
            (Role::Developer, "orders:write", false),
            (Role::ReadOnly, "audit:view", false),
            (Role::Accountant, "books:write", true),
            (Role::ReadOnly, "orders:write", false),
            (Role::ReadOnly, "", true),
        ] {
            assert_eq!(Scopes::of(role).allow(scope), expected, "{role:?} {scope}");
            assert_eq!(role.as_str().parse(), Ok(role));
        }
    }
}
