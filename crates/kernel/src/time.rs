//! Time: microseconds since 1970 in UTC, RFC 3339 outside. The clock itself lives in `db`; here time is only a value.

use crate::row::{Cell, FromCell, Nullable, Value};
use chrono::{DateTime, Datelike, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A moment, in microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

/// Text that is no RFC 3339 moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAMoment(pub String);
impl fmt::Display for NotAMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "“{}” is not a moment in RFC 3339 form such as 2026-11-21T08:30:00Z", self.0)
    }
}
impl std::error::Error for NotAMoment {}

impl Timestamp {
    /// Microseconds in a second, minute, hour and day.
    pub const SECOND: i64 = 1_000_000;
    /// A minute in microseconds.
    pub const MINUTE: i64 = 60 * Self::SECOND;
    /// An hour in microseconds.
    pub const HOUR: i64 = 60 * Self::MINUTE;
    /// A day of 24 hours in microseconds.
    pub const DAY: i64 = 24 * Self::HOUR;

    /// Milliseconds since 1970.
    pub fn millis(self) -> i64 {
        self.0.div_euclid(1000)
    }
    /// This moment plus `micros` microseconds.
    #[must_use]
    pub fn plus(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }
    /// The same moment for calendars; `None` outside of chrono's years.
    pub fn date_time(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_micros(self.0)
    }
    /// The day in UTC, as `2026-11-21`.
    pub fn day(self) -> String {
        self.date_time().map_or_else(|| self.0.to_string(), |t| t.format("%Y-%m-%d").to_string())
    }
    /// Day and minute in UTC, for people: `2026-11-21 08:30`.
    pub fn minute(self) -> String {
        self.date_time().map_or_else(|| self.0.to_string(), |t| t.format("%Y-%m-%d %H:%M").to_string())
    }
}
impl From<DateTime<Utc>> for Timestamp {
    fn from(t: DateTime<Utc>) -> Self {
        Self(t.timestamp_micros())
    }
}
impl FromStr for Timestamp {
    type Err = NotAMoment;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // An offset or a leap second can lead out of the years that RFC 3339 can write.
        let read = DateTime::parse_from_rfc3339(text).map(|t| Self(t.timestamp_micros()));
        let writable = |at: &Self| at.date_time().is_some_and(|t| (0..=9999).contains(&t.year()));
        read.ok().filter(writable).ok_or_else(|| NotAMoment(text.to_owned()))
    }
}
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.date_time() {
            Some(t) => f.write_str(&t.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            None => write!(f, "{}µs", self.0),
        }
    }
}
impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}
impl From<Timestamp> for Value {
    fn from(t: Timestamp) -> Self {
        t.0.into()
    }
}
impl Nullable for Timestamp {
    fn null() -> Value {
        Value::BigInt(None)
    }
}
impl FromCell for Timestamp {
    fn from_cell(cell: Cell) -> Result<Self, String> {
        i64::from_cell(cell).map(Self)
    }
}
#[cfg(feature = "api")]
impl utoipa::PartialSchema for Timestamp {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .format(Some(utoipa::openapi::SchemaFormat::KnownFormat(utoipa::openapi::KnownFormat::DateTime)))
            .into()
    }
}
#[cfg(feature = "api")]
impl utoipa::ToSchema for Timestamp {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_to_the_microsecond() {
        for text in ["2017-07-09T21:57:05Z", "2026-11-21T08:30:00.000001Z"] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        }
        assert_eq!(
            "2017-07-09T21:57:05-03:00".parse::<Timestamp>().unwrap().to_string(),
            "2017-07-10T00:57:05Z"
        );
        for text in
            ["yesterday", "9999-12-31T23:59:59-00:01", "9999-12-31T23:59:60Z", "0000-01-01T00:00:00+00:01"]
        {
            assert!(text.parse::<Timestamp>().is_err(), "{text} could not be written again");
        }
    }
}
