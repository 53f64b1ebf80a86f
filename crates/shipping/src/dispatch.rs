//! When parcels leave: working days, holidays, and the time of day until which an order goes out on the same one. The setting `dispatch`.
//!
//! Invariant: a dispatch that is kept reads as a calendar that has a working day.

use chrono::{NaiveDate, NaiveDateTime, TimeZone};
use chrono_tz::Tz;
use db::{Sql, Tx, settings};
use kernel::{Fault, Timestamp};
use planner::promise::Calendar;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const SETTING: &str = "dispatch";
/// What the event of a changed dispatch is about.
pub const SUBJECT: &str = "dispatch";
/// The days of the week as they are written, Monday first.
pub const WEEKDAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
/// Holidays at most: some twenty years of them.
const MOST_HOLIDAYS: usize = 400;

/// When parcels leave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Dispatch {
    /// Where the clock hangs, by its IANA name, as `Europe/Berlin`.
    #[schema(max_length = 64)]
    pub time_zone: String,
    /// Orders until this time of day leave on the same working day, as `14:00`.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    pub cut_off: String,
    /// The days on which parcels leave and are delivered: `monday` to `sunday`.
    pub workdays: Vec<String>,
    /// The days on which they are not, as `2026-12-25`.
    #[schema(max_items = 400)]
    pub holidays: Vec<String>,
}

impl Default for Dispatch {
    fn default() -> Self {
        Self {
            time_zone: "UTC".into(),
            cut_off: "14:00".into(),
            workdays: WEEKDAYS[..5].iter().map(|d| (*d).to_owned()).collect(),
            holidays: Vec::new(),
        }
    }
}

kernel::refusals! {
    /// Why a dispatch is not taken, in order of precedence.
    pub enum DispatchRefused {
        BadTimeZone { time_zone: String } => Invalid, "shipping.bad_time_zone", "“{time_zone}” is no time zone: give its name, as Europe/Berlin.";
        BadCutOff { cut_off: String } => Invalid, "shipping.bad_cut_off", "“{cut_off}” is no time of day, as 14:00.";
        BadWorkday { day: String } => Invalid, "shipping.bad_workday", "“{day}” is no day of the week, as monday.";
        NoWorkday => Invalid, "shipping.no_workday", "On one day of the week at least parcels have to leave.";
        BadHoliday { day: String } => Invalid, "shipping.bad_holiday", "“{day}” is no date, as 2026-12-25.";
        TooManyHolidays { most: usize } => Invalid, "shipping.too_many_holidays", "There may be {most} holidays at most.";
    }
}

/// A dispatch that was read: its calendar and where its clock hangs.
#[derive(Debug, Clone)]
pub struct Clockwork {
    /// Working days and the cut-off.
    pub calendar: Calendar,
    zone: Tz,
}

/// Days since 1970-01-01 of a date.
fn day_number(date: NaiveDate) -> i64 {
    date.signed_duration_since(NaiveDate::default()).num_days()
}

fn minute_of_day(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let part = |text: &str, most: i64| {
        let number: i64 = text.parse().ok()?;
        (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit()) && number <= most).then_some(number)
    };
    Some(part(hours, 23)? * 60 + part(minutes, 59)?)
}

fn date(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|d| d.format("%Y-%m-%d").to_string() == text)
}

impl Dispatch {
    /// The shop's clock and calendar as they are set: they also say where a day of the shop begins.
    ///
    /// # Errors
    /// A fault of the database, or when the setting does not read.
    pub async fn clock(sql: &Sql) -> Result<Clockwork, Fault> {
        let clock = Self::read(sql).await?.clockwork();
        clock.map_err(|refused| Fault::broken(format!("setting dispatch: {refused}")))
    }
    /// The dispatch as it is set.
    ///
    /// # Errors
    /// A fault of the database, or when the setting does not read.
    pub async fn read(sql: &Sql) -> Result<Self, Fault> {
        Ok(settings::get(sql, SETTING).await?.unwrap_or_default())
    }
    /// What it means. Pure.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn clockwork(&self) -> Result<Clockwork, DispatchRefused> {
        let zone: Tz = self
            .time_zone
            .parse()
            .map_err(|_| DispatchRefused::BadTimeZone { time_zone: self.time_zone.clone() })?;
        let cut_off = minute_of_day(&self.cut_off)
            .ok_or_else(|| DispatchRefused::BadCutOff { cut_off: self.cut_off.clone() })?;
        let mut workdays = [false; 7];
        for day in &self.workdays {
            let known = WEEKDAYS.iter().position(|d| d == day);
            workdays[known.ok_or_else(|| DispatchRefused::BadWorkday { day: day.clone() })?] = true;
        }
        if workdays == [false; 7] {
            return Err(DispatchRefused::NoWorkday);
        }
        if self.holidays.len() > MOST_HOLIDAYS {
            return Err(DispatchRefused::TooManyHolidays { most: MOST_HOLIDAYS });
        }
        let holidays = self.holidays.iter().map(|text| {
            date(text).map(day_number).ok_or_else(|| DispatchRefused::BadHoliday { day: text.clone() })
        });
        let holidays = holidays.collect::<Result<_, _>>()?;
        Ok(Clockwork { calendar: Calendar { workdays, holidays, cut_off }, zone })
    }
}

impl Clockwork {
    /// Minutes since 1970-01-01 on the clock of the wall.
    pub fn minute(&self, at: Timestamp) -> i64 {
        let Some(utc) = at.date_time() else { return at.0.div_euclid(Timestamp::MINUTE) };
        let local = utc.with_timezone(&self.zone).naive_local();
        local.signed_duration_since(NaiveDateTime::default()).num_minutes()
    }
    /// The day (since 1970-01-01) on the wall's calendar.
    pub fn day(&self, at: Timestamp) -> i64 {
        self.minute(at).div_euclid(24 * 60)
    }
    /// The first moment of a day on the wall's calendar.
    pub fn start_of(&self, day: i64) -> Timestamp {
        self.end_of(day.saturating_sub(1)).plus(1)
    }
    /// The day on which an order of now leaves.
    pub fn leaves(&self, now: Timestamp) -> i64 {
        self.calendar.day_at(self.calendar.position_of_order(self.minute(now)))
    }
    /// The last moment of a day on the wall's calendar.
    pub fn end_of(&self, day: i64) -> Timestamp {
        let next = NaiveDate::default()
            .checked_add_signed(chrono::Duration::days(day.saturating_add(1)))
            .and_then(|d| d.and_hms_opt(0, 0, 0))
            .and_then(|midnight| self.zone.from_local_datetime(&midnight).earliest());
        next.map_or(Timestamp(day.saturating_mul(Timestamp::DAY)), |t| Timestamp(t.timestamp_micros() - 1))
    }
}

/// A day (since 1970-01-01) as `2026-11-30`.
pub fn day_text(day: i64) -> String {
    Timestamp(day.saturating_mul(Timestamp::DAY)).day()
}

/// The dispatch that shall hold from now on.
#[derive(Debug, Clone)]
pub struct SetDispatch {
    /// When.
    pub at: Timestamp,
    /// What.
    pub dispatch: Dispatch,
}

/// Cut-off, working days or holidays were changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DispatchChanged {
    /// What holds now.
    pub dispatch: Dispatch,
}
kernel::fact!(DispatchChanged, "dispatch.changed");

/// Sets dispatches: one outcome per item, in order; the last one holds.
///
/// # Errors
/// A fault of the database.
pub async fn set_dispatch(tx: &Tx, batch: &[SetDispatch]) -> Result<Vec<Result<(), DispatchRefused>>, Fault> {
    let mut outcomes = Vec::with_capacity(batch.len());
    for set in batch {
        let read = set.dispatch.clockwork().map(|_| ());
        if read.is_ok() {
            tx.record(set.at, SUBJECT, None, DispatchChanged { dispatch: set.dispatch.clone() })?;
        }
        outcomes.push(read);
    }
    let last = batch.iter().zip(&outcomes).rfind(|(_, outcome)| outcome.is_ok());
    if let Some((set, _)) = last {
        settings::set(tx, SETTING, &set.dispatch).await?;
    }
    Ok(outcomes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Refuse;

    #[test]
    fn every_refusal_has_its_case() {
        let good = Dispatch::default();
        assert!(good.clockwork().is_ok());
        for (bad, code) in [
            (Dispatch { time_zone: "Berlin".into(), ..good.clone() }, "shipping.bad_time_zone"),
            (Dispatch { cut_off: "24:00".into(), ..good.clone() }, "shipping.bad_cut_off"),
            (Dispatch { cut_off: "2:00".into(), ..good.clone() }, "shipping.bad_cut_off"),
            (Dispatch { cut_off: "+1:00".into(), ..good.clone() }, "shipping.bad_cut_off"),
            (Dispatch { workdays: vec!["Monday".into()], ..good.clone() }, "shipping.bad_workday"),
            (Dispatch { workdays: vec![], ..good.clone() }, "shipping.no_workday"),
            (Dispatch { holidays: vec!["2026-02-29".into()], ..good.clone() }, "shipping.bad_holiday"),
            (
                Dispatch { holidays: vec!["2026-12-25".into(); 401], ..good.clone() },
                "shipping.too_many_holidays",
            ),
        ] {
            assert_eq!(bad.clockwork().map(|_| ()).map_err(|r| r.code()), Err(code), "{bad:?}");
        }
    }

    #[test]
    fn the_cut_off_is_on_the_clock_of_the_wall() {
        let berlin = Dispatch {
            time_zone: "Europe/Berlin".into(),
            holidays: vec!["2026-11-30".into()],
            ..Dispatch::default()
        };
        let clock = berlin.clockwork().unwrap();
        let leaves = |text: &str| day_text(clock.leaves(text.parse().unwrap()));
        // A Thursday in winter: 14:00 in Berlin is 13:00 in UTC.
        assert_eq!(leaves("2026-11-26T12:59:00Z"), "2026-11-26");
        assert_eq!(leaves("2026-11-26T13:00:00Z"), "2026-11-27");
        // Friday afternoon, then a week-end and a holiday.
        assert_eq!(leaves("2026-11-27T15:00:00Z"), "2026-12-01");
        let day = clock.leaves("2026-11-26T12:00:00Z".parse().unwrap());
        assert_eq!(clock.end_of(day).to_string(), "2026-11-26T22:59:59.999999Z");
        // A day begins where the one before it ends, also when the clock is put back.
        for text in
            ["2026-11-26T22:59:59Z", "2026-11-26T23:00:00Z", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z"]
        {
            let at: Timestamp = text.parse().unwrap();
            let day = clock.day(at);
            assert!(clock.start_of(day) <= at && at < clock.start_of(day + 1), "{text}");
        }
        assert_eq!(day_text(clock.day("2026-11-26T23:00:00Z".parse().unwrap())), "2026-11-27");
    }
}
