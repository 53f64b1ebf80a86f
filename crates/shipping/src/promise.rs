//! By which day a parcel is there: after the cut-off, by the days of the rate table, or as carriers were in the past once there is enough of
//! it to learn from.
//!
//! Invariant: a promise is never before the day on which the parcel leaves, and follows from what was known when it was asked.

use crate::dispatch::{Clockwork, Dispatch, day_text};
use db::{Db, FromRow, Sql};
use kernel::{Fault, Timestamp};
use planner::promise::{Calendar, DAY, Options, Past, Promises, Trip, learn};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use utoipa::ToSchema;

/// Shipments that are learned from: the newest.
const NEWEST: i64 = 3000;
/// Shipments that have to be there before any promise is learned.
const ENOUGH: usize = 200;
/// Of them, of the service that is promised.
const ENOUGH_OF_SERVICE: usize = 30;
/// How sure a promise is.
const SURE: f64 = 0.9;
/// How long what was learned is good.
const FRESH: i64 = 10 * Timestamp::MINUTE;

/// What a promise rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The days of the rate table, counted in working days.
    RateTable,
    /// How long shipments of this service took, so that nine of ten are kept.
    PastShipments,
}

/// A parcel that somebody thinks of.
#[derive(Debug, Clone)]
pub(crate) struct Way<'a> {
    pub from_country: &'a str,
    pub sender: &'a str,
    pub country: &'a str,
    pub postal_code: Option<&'a str>,
    pub carrier: &'a str,
    pub service: &'a str,
    pub max_days: i64,
}

/// What is known of how fast parcels are.
#[derive(Debug)]
pub struct Pace {
    clock: Clockwork,
    learned: Option<Promises>,
    /// Delivered shipments by carrier and service.
    delivered: HashMap<String, usize>,
}

/// What was learned last, for ten minutes: learning takes longer than typing a letter.
#[derive(Default)]
pub struct Paces(Mutex<Option<(Timestamp, Dispatch, Arc<Pace>)>>);

impl Paces {
    /// The pace of now.
    ///
    /// # Errors
    /// A fault of the database, or when the setting `dispatch` does not read.
    pub async fn pace(&self, db: &Db) -> Result<Arc<Pace>, Fault> {
        let (now, dispatch) = (db.now(), Dispatch::read(db.read()).await?);
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, of, pace)) = kept
            && of == dispatch
            && at <= now
            && now < at.plus(FRESH)
        {
            return Ok(pace);
        }
        let pace = Arc::new(Pace::read(db.read(), &dispatch, now).await?);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, dispatch, pace.clone()));
        Ok(pace)
    }
}

#[derive(FromRow)]
struct Row {
    from_country: String,
    sender: String,
    country: String,
    postal_code: Option<String>,
    carrier: String,
    service: String,
    shipped_at: Timestamp,
    delivered_at: Option<Timestamp>,
}

fn service_name(carrier: &str, service: &str) -> String {
    format!("{carrier} {service}")
}

/// The region within a country: codes are hierarchical almost everywhere.
fn area(postal_code: Option<&str>) -> String {
    postal_code.unwrap_or_default().chars().filter(|c| c.is_alphanumeric()).take(2).collect()
}

impl Pace {
    async fn read(sql: &Sql, dispatch: &Dispatch, now: Timestamp) -> Result<Self, Fault> {
        let clock = dispatch.clockwork().map_err(|r| Fault::broken(format!("setting dispatch: {r}")))?;
        let text = "SELECT l.country AS from_country, l.code AS sender, o.country, o.postal_code, s.carrier, s.service, s.shipped_at, \
             s.delivered_at FROM shipment s JOIN parcel p ON p.id = s.parcel_id JOIN location l ON l.id = p.location_id \
             JOIN orders o ON o.id = s.order_id WHERE s.shipped_at IS NOT NULL AND s.voided_at IS NULL AND s.lost_at IS NULL \
             ORDER BY s.id DESC LIMIT $1";
        let rows: Vec<Row> = sql.all(text, [NEWEST.into()]).await?;
        let known = rows.iter().filter(|r| r.delivered_at.is_some()).count();
        if known < ENOUGH {
            return Ok(Self { clock, learned: None, delivered: HashMap::new() });
        }
        // Half a second of arithmetic at most, beside the threads that answer.
        tokio::task::spawn_blocking(move || Self::learned(clock, rows, now)).await.map_err(Fault::from)
    }
    /// Pure.
    fn learned(clock: Clockwork, rows: Vec<Row>, now: Timestamp) -> Self {
        let mut delivered: HashMap<String, usize> = HashMap::new();
        for r in rows.iter().filter(|r| r.delivered_at.is_some()) {
            *delivered.entry(service_name(&r.carrier, &r.service)).or_default() += 1;
        }
        let past: Vec<Past> = rows.into_iter().map(|r| past(&clock, r)).collect();
        // Carriers' days begin with the hand-over: the cut-off is for orders, and is behind it.
        let calendar = Calendar { cut_off: DAY, ..clock.calendar.clone() };
        let learned = match learn(&past, clock.minute(now) + 1, &calendar, Options::default()) {
            Ok(promises) => Some(promises),
            Err(why) => {
                tracing::info!(%why, "no promise is learned");
                None
            }
        };
        Self { clock, learned, delivered }
    }
    /// The day (since 1970-01-01) by which a parcel ordered now is there, the last moment of it, and what that rests on.
    pub(crate) fn promise(&self, now: Timestamp, way: &Way<'_>) -> (i64, Basis) {
        let day = self.clock.leaves(now);
        let name = service_name(way.carrier, way.service);
        let known = self.delivered.get(&name).copied().unwrap_or(0);
        if let Some(learned) = self.learned.as_ref().filter(|_| known >= ENOUGH_OF_SERVICE) {
            let trip = Trip {
                from: way.from_country.to_owned(),
                to: way.country.to_owned(),
                area: area(way.postal_code),
                sender: way.sender.to_owned(),
                carrier: name,
                km: None,
                // Past trips begin with the day of the hand-over, so that its hour says nothing; half a day more takes the whole days
                // that were learned to the nearest one.
                ordered_at: day * DAY + DAY / 2,
            };
            if let Ok(quote) = learned.quote(&trip, &[SURE])
                && let Some(by) = quote.days.first()
            {
                return ((*by).max(day), Basis::PastShipments);
            }
        }
        let calendar = &self.clock.calendar;
        let start = calendar.position(day * DAY);
        (calendar.day_at(start + way.max_days.clamp(0, 730) as f64).max(day), Basis::RateTable)
    }
    /// The last moment of a day, where parcels leave.
    pub(crate) fn end_of(&self, day: i64) -> Timestamp {
        self.clock.end_of(day)
    }
    /// The day on which an order of now leaves, as `2026-11-30`.
    pub(crate) fn leaves(&self, now: Timestamp) -> String {
        day_text(self.clock.leaves(now))
    }
}

fn past(clock: &Clockwork, r: Row) -> Past {
    Past {
        trip: Trip {
            area: area(r.postal_code.as_deref()),
            carrier: service_name(&r.carrier, &r.service),
            from: r.from_country,
            to: r.country,
            sender: r.sender,
            km: None,
            ordered_at: clock.minute(r.shipped_at).div_euclid(DAY) * DAY,
        },
        delivered_at: r.delivered_at.map(|at| clock.minute(at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_carriers_did_counts_more_than_the_table_once_there_is_enough_of_it() {
        let now: Timestamp = "2026-06-01T09:00:00Z".parse().unwrap();
        // Handed over every weekday at some time after two, there at noon on the next working day.
        let row = |service: &str, back: i64| {
            let calendar = Dispatch::default().clockwork().unwrap().calendar;
            let today = now.0.div_euclid(Timestamp::DAY);
            let day = calendar.day_at(calendar.position((today - 7 - back) * DAY));
            let next = calendar.day_at(calendar.position(day * DAY) + 1.0);
            let at = |day: i64, hour: i64| Timestamp(day * Timestamp::DAY + hour * Timestamp::HOUR);
            Row {
                from_country: "DE".into(),
                sender: "BER".into(),
                country: "DE".into(),
                postal_code: Some("10119".into()),
                carrier: "post".into(),
                service: service.into(),
                shipped_at: at(day, 14 + back % 5),
                delivered_at: Some(at(next, 12)),
            }
        };
        let mut rows: Vec<Row> = (0..250).map(|n| row("parcel", n)).collect();
        rows.extend((0..10).map(|n| row("letter", n)));
        let pace = Pace::learned(Dispatch::default().clockwork().unwrap(), rows, now);
        let way = |service| Way {
            from_country: "DE",
            sender: "BER",
            country: "DE",
            postal_code: Some("10119"),
            carrier: "post",
            service,
            max_days: 5,
        };
        let told = |service| {
            let (day, basis) = pace.promise(now, &way(service));
            (day_text(day), basis)
        };
        assert_eq!(told("parcel"), ("2026-06-02".into(), Basis::PastShipments));
        assert_eq!(told("letter"), ("2026-06-08".into(), Basis::RateTable), "too few of them");
        assert_eq!(pace.leaves(now), "2026-06-01");
    }
}
