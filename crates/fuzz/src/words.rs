//! Single words: numbers, amounts, times, ids, cursors. Invariant: what is read and written again is the same thing.

use crate::{text, texts};
use channels::decimal::{parse_scaled, parse_whole};
use channels::local_time::{end_of_day, parse_local};
use kernel::money::{decimal, parse_decimal};
use kernel::{Currency, Money, Timestamp};
use orders::OrderId;
use planning::dates;
use web::Paging;

pub(crate) fn numbers(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    for scale in 0..=6usize {
        let exponent = u32::try_from(scale).unwrap_or(0);
        if let Ok(value) = parse_scaled(text, scale) {
            assert_eq!(parse_scaled(&decimal(value, exponent), scale), Ok(value), "{text:?} at {scale}");
        }
        match parse_decimal(text, exponent) {
            Ok(value) => assert_eq!(
                parse_decimal(&decimal(value, exponent), exponent),
                Ok(value),
                "{text:?} at {scale}"
            ),
            Err(why) => assert!(!why.is_empty()),
        }
    }
    if let Ok(value) = parse_whole(text) {
        assert_eq!(parse_scaled(text, 0), Ok(value));
    }
    if let Ok(currency) = text.parse::<Currency>() {
        assert_eq!(currency.as_str().parse(), Ok(currency));
        let all = Money::new(-i64::MAX, currency).amount();
        assert_eq!(parse_decimal(&all, currency.exponent()).ok(), Some(-i64::MAX), "{all}");
    }
}

pub(crate) fn number_seeds() -> Vec<Vec<u8>> {
    texts(&[
        "19.90",
        "-0.5",
        "1000000",
        "9223372036854775807",
        "-92233720368547758.08",
        "0.000001",
        "EUR",
        "JPY",
        "KWD",
        "1,234.50",
        "007",
    ])
}

pub(crate) fn times(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(at) = text.parse::<Timestamp>() {
        assert_eq!(at.to_string().parse(), Ok(at), "{text:?} is shown as {at}");
    }
    for zone in [channels::olist::ZONE, channels::online_retail::ZONE] {
        let (at, end) = (parse_local(zone, text), end_of_day(zone, text));
        assert!(at.is_ok() || end.is_err(), "{text:?}: a day without a time");
        if let (Ok(at), Ok(end)) = (at, end) {
            // A day of 25 hours is the longest, and one may begin an hour late.
            assert!((0..=25 * Timestamp::HOUR).contains(&(end - at)), "{text:?} in {zone}: {at} to {end}");
            assert!(Timestamp(at).date_time().is_some(), "{text:?} in {zone}");
        }
    }
    if let Some(day) = dates::day(text) {
        assert_eq!(dates::day(&dates::date(day)), Some(day));
        assert!(text.starts_with(&dates::date(day)), "{text:?}");
    }
    if let Some(minute) = dates::minute(text) {
        assert_eq!(dates::minute(&dates::date_time(minute)), Some(minute), "{text:?}");
    }
}

pub(crate) fn time_seeds() -> Vec<Vec<u8>> {
    texts(&[
        "2026-01-05T09:00:00Z",
        "9999-12-31T23:59:59-23:59",
        "0000-01-01T00:00:00+14:00",
        "2016-12-31T23:59:60Z",
        "2017-10-15 00:00:00",
        "2018-02-17 23:30:00",
        "2011-03-27 01:30:00",
        "-262143-01-01 00:00:00",
        "+262142-12-31 23:59:59",
        "2024-02-29",
        "2026-03-02 10:00",
        "2026-03-02T10:00:30",
    ])
}

pub(crate) fn ids(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    match text.parse::<OrderId>() {
        Ok(id) => {
            assert!(id.0 >= 0 && id.to_string().eq_ignore_ascii_case(text), "{text:?} is {id}");
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        Err(why) => assert!(why.to_string().contains("ord_"), "{why}"),
    }
    let (limit, cursor) = text.split_once(' ').unwrap_or(("", text));
    match Paging::<(Timestamp, OrderId)>::read(limit.parse().ok(), Some(cursor)) {
        Ok(paging) => {
            assert!((1..=200).contains(&paging.limit));
            let Some(after) = paging.after else { return };
            let rows = vec![after; usize::try_from(paging.fetch()).unwrap_or(0)];
            let next = paging.page(rows, |row| *row).next_cursor;
            let again = Paging::<(Timestamp, OrderId)>::read(None, next.as_deref()).map(|p| p.after);
            assert_eq!(again.ok(), Some(Some(after)));
        }
        Err(problem) => assert!(problem.code().starts_with("request.bad_")),
    }
}

pub(crate) fn id_seeds() -> Vec<Vec<u8>> {
    texts(&[
        "ord_0000000000001",
        "ord_7ZZZZZZZZZZZZ",
        "ORD_0000000000001",
        "ord_8000000000000",
        "cus_0000000000001",
        "200 WyIyMDI2LTAxLTA1VDA5OjAwOjAwWiIsIm9yZF8wMDAwMDAwMDAwMDAxIl0",
        "0 x",
    ])
}
