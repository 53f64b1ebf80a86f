//! Refusals: the business says no. Code, kind and sentence stand in one place, and the order of variants is their precedence.

use std::fmt;

/// What kind of no it is; decides the HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The input is wrong (422).
    Invalid,
    /// The thing named does not exist, or may not be seen (404).
    NotFound,
    /// The state of things does not allow it now (409).
    Conflict,
    /// The caller may not (403).
    Forbidden,
    /// The version given in `If-Match` is not the present one (412).
    Stale,
}

/// What every refusal says: a stable code, a kind, and by `Display` a sentence that names the thing and the way out.
pub trait Refuse: fmt::Display + fmt::Debug {
    /// The stable code, as `orders.out_of_stock`.
    fn code(&self) -> &'static str;
    /// Decides the HTTP status.
    fn kind(&self) -> Kind;
    /// The input field it is about, as a JSON pointer or field name, where one is.
    fn field(&self) -> Option<String> {
        None
    }
}

/// A code that a command can answer, for the catalogue of codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// As `orders.out_of_stock`.
    pub code: &'static str,
    /// Decides the HTTP status.
    pub kind: Kind,
    /// The sentence, with the names of its fields in braces.
    pub text: &'static str,
}

/// Declares the refusals of a command: `Variant { field: Type } => Kind, "code", "Sentence with {field}.";`. Implements [`Refuse`],
/// `Display`, serde (tagged by `refusal`), and `CODES`.
#[macro_export]
macro_rules! refusals {
    ($(#[$m:meta])* $v:vis enum $name:ident { $( $var:ident $({ $($f:ident : $t:ty),* $(,)? })? => $kind:ident, $code:literal, $text:literal; )* }) => {
        $(#[$m])*
        #[derive(Debug, Clone, PartialEq, $crate::__serde::Serialize, $crate::__serde::Deserialize)]
        #[serde(crate = "kernel::__serde", tag = "refusal")]
        $v enum $name { $( #[doc = $text] $var $({ $( #[doc = stringify!($f)] $f: $t),* })? ),* }
        impl $name {
            /// Every code this command can answer.
            pub const CODES: &'static [$crate::refusal::Code] = &[$( $crate::refusal::Code { code: $code, kind: $crate::Kind::$kind, text: $text } ),*];
        }
        impl $crate::Refuse for $name {
            fn code(&self) -> &'static str { match self { $( Self::$var $({ $($f: _),* })? => $code ),* } }
            fn kind(&self) -> $crate::Kind { match self { $( Self::$var $({ $($f: _),* })? => $crate::Kind::$kind ),* } }
        }
        impl ::std::fmt::Display for $name {
            #[allow(unused_variables, reason = "a sentence need not mention every field")]
            fn fmt(&self, w: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result { match self { $( Self::$var $({ $($f),* })? => write!(w, $text) ),* } }
        }
    };
}
