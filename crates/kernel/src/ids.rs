//! Ids: 63-bit integers ordered by time inside, prefixed text (`ord_0C3M8K…`) outside. The two never mix: a prefix that does not
//! match the type is refused.
//!
//! Layout: 42 bits of milliseconds since 1970, 10 of node, 11 of sequence. The node number is leased from the database.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TEXT_LEN: usize = 13;

/// What every id type has; `id!` implements it.
pub trait Id: Copy + Sized {
    /// The text prefix without the underscore, as `ord`.
    const PREFIX: &'static str;
    /// The integer the database stores.
    fn raw(self) -> i64;
    /// The id of a stored integer.
    fn from_raw(raw: i64) -> Self;
}

/// Text that is not an id of the type that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAnId {
    /// The prefix that was expected.
    pub expected: &'static str,
    /// The text that came.
    pub text: String,
}

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "“{}” is not an id of the form {}_ followed by 13 characters", self.text, self.expected)
    }
}
impl std::error::Error for NotAnId {}

/// Writes an integer as prefixed text: Crockford's base 32 in a fixed width, so that text sorts like the integer.
pub fn write_id(prefix: &str, raw: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut text = [b'0'; TEXT_LEN];
    let mut rest = raw as u64;
    for slot in text.iter_mut().rev() {
        *slot = ALPHABET[(rest & 31) as usize];
        rest >>= 5;
    }
    f.write_str(prefix)?;
    f.write_str("_")?;
    f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
}

/// Reads what [`write_id`] wrote; lower case is accepted.
///
/// # Errors
/// [`NotAnId`] when the prefix differs, a character is not of the alphabet, or the number is over 63 bits.
pub fn read_id(prefix: &'static str, text: &str) -> Result<i64, NotAnId> {
    let no = || NotAnId { expected: prefix, text: text.to_owned() };
    let body = text.strip_prefix(prefix).and_then(|t| t.strip_prefix('_')).ok_or_else(no)?;
    if body.len() != TEXT_LEN {
        return Err(no());
    }
    let mut raw: u64 = 0;
    for byte in body.bytes() {
        let digit = ALPHABET.iter().position(|a| *a == byte.to_ascii_uppercase()).ok_or_else(no)?;
        raw = raw.checked_mul(32).and_then(|r| r.checked_add(digit as u64)).ok_or_else(no)?;
    }
    i64::try_from(raw).map_err(|_| no())
}

/// Declares an id type: `id!(OrderId, "ord", "An order.");`
#[macro_export]
macro_rules! id {
    ($name:ident, $prefix:literal, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);
        impl $crate::ids::Id for $name {
            const PREFIX: &'static str = $prefix;
            fn raw(self) -> i64 {
                self.0
            }
            fn from_raw(raw: i64) -> Self {
                Self(raw)
            }
        }
        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                $crate::ids::write_id($prefix, self.0, f)
            }
        }
        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                $crate::ids::write_id($prefix, self.0, f)
            }
        }
        impl ::std::str::FromStr for $name {
            type Err = $crate::ids::NotAnId;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::ids::read_id($prefix, text).map(Self)
            }
        }
        impl $crate::__serde::Serialize for $name {
            fn serialize<S: $crate::__serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> $crate::__serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::__serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <::std::borrow::Cow<'de, str> as $crate::__serde::Deserialize>::deserialize(d)?;
                text.parse().map_err($crate::__serde::de::Error::custom)
            }
        }
        impl From<$name> for $crate::row::Value {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }
        impl $crate::row::Nullable for $name {
            fn null() -> $crate::row::Value {
                $crate::row::Value::BigInt(None)
            }
        }
        impl $crate::row::FromCell for $name {
            fn from_cell(cell: $crate::row::Cell) -> Result<Self, String> {
                <i64 as $crate::row::FromCell>::from_cell(cell).map(Self)
            }
        }
        $crate::id_api!($name, $prefix);
    };
}

/// OpenAPI schema of an id type (feature `api`).
#[cfg(feature = "api")]
#[macro_export]
macro_rules! id_api {
    ($name:ident, $prefix:literal) => {
        impl $crate::__utoipa::PartialSchema for $name {
            fn schema() -> $crate::__utoipa::openapi::RefOr<$crate::__utoipa::openapi::schema::Schema> {
                $crate::ids::id_schema($prefix)
            }
        }
        impl $crate::__utoipa::ToSchema for $name {}
    };
}
/// OpenAPI schema of an id type (feature `api` is off: none).
#[cfg(not(feature = "api"))]
#[macro_export]
macro_rules! id_api {
    ($name:ident, $prefix:literal) => {};
}

/// The schema of an id: a string with its pattern.
#[cfg(feature = "api")]
pub fn id_schema(prefix: &str) -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
    utoipa::openapi::ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::Type::String)
        .pattern(Some(format!("^{prefix}_[0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{{13}}$")))
        .into()
}

/// Makes ids that rise with time, unique per node. A burst over 2,048 in a millisecond borrows from the next one.
#[derive(Debug)]
pub struct IdGen {
    node: u64,
    last: AtomicU64,
}

impl IdGen {
    /// Numbers of nodes that can make ids at the same time.
    pub const NODES: u16 = 1 << 10;

    /// A generator for one leased node number, under [`IdGen::NODES`].
    pub fn new(node: u16) -> Self {
        Self { node: u64::from(node % Self::NODES), last: AtomicU64::new(0) }
    }

    /// Has the ids to come rise above one that another node made.
    pub fn follow(&self, id: i64) {
        self.last.fetch_max((((id.max(0) as u64) >> 21) << 11) | 0x7FF, Ordering::Relaxed);
    }

    /// The next id at a time of `now_ms` milliseconds since 1970.
    pub fn next<T: Id>(&self, now_ms: i64) -> T {
        let floor = (now_ms.max(0) as u64) << 11;
        let mut last = self.last.load(Ordering::Relaxed);
        loop {
            let next = floor.max(last + 1);
            match self.last.compare_exchange_weak(last, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => {
                    return T::from_raw(
                        ((((next >> 11) << 21) | (self.node << 11) | (next & 0x7FF)) & (i64::MAX as u64))
                            as i64,
                    );
                }
                Err(seen) => last = seen,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    crate::id!(TestId, "tst", "An id for tests.");

    proptest! {
        #[test]
        fn text_and_integer_are_the_same_id(raw in 0..i64::MAX) {
            let id = TestId(raw);
            prop_assert_eq!(id.to_string().parse::<TestId>(), Ok(id));
            prop_assert_eq!(id.to_string().to_lowercase().parse::<TestId>(), Ok(id));
        }
        #[test]
        fn text_sorts_like_the_integer(a in 0..i64::MAX, b in 0..i64::MAX) {
            prop_assert_eq!(TestId(a).to_string().cmp(&TestId(b).to_string()), a.cmp(&b));
        }
    }

    #[test]
    fn ids_rise_even_when_the_clock_stands_or_jumps_back() {
        let ids = IdGen::new(3);
        let mut last = ids.next::<TestId>(1_000_000);
        for step in 0..10_000 {
            let id = ids.next::<TestId>(if step % 2 == 0 { 1_000_000 } else { 5 });
            assert!(id > last);
            last = id;
        }
    }

    #[test]
    fn ids_follow_those_of_another_node() {
        let (high, low) = (IdGen::new(9), IdGen::new(2));
        for _ in 0..3 {
            let other = high.next::<TestId>(1_000_000);
            low.follow(other.0);
            let mine = low.next::<TestId>(1_000_000);
            assert!(mine > other);
            high.follow(mine.0);
        }
    }

    #[test]
    fn another_prefix_is_refused() {
        let text = TestId(7).to_string().replace("tst", "ord");
        assert!(text.parse::<TestId>().is_err());
        assert!("tst_ZZZZZZZZZZZZZ".parse::<TestId>().is_err());
    }
}
