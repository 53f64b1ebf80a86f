//! Adding up both sides of a law. PostgreSQL groups by hash itself; SQLite would sort every row, which costs more than all else of `verify`,
//! so there the rows are read once, as they lie, and added up here.
//!
//! Invariant: memory is bounded. More keys than [`MOST`] are taken in several readings, each of a part of them.

use crate::laws::{FIRST, Offence, Sums, first};
use crate::sqlite::Connection;
use rusqlite::types::{Type, ValueRef};
use rustc_hash::{FxBuildHasher, FxHashMap};
use std::hash::BuildHasher;

/// Keys of one reading.
const MOST: usize = 4_000_000;
/// Key columns of a law.
const KEYS: usize = 3;

/// A key; what is text in it stands for its place among the texts met.
type Key = [i64; KEYS];

/// What a reading fills. A connection keeps it from law to law, so that the system does not clear as much anew for each, page by page.
#[derive(Default)]
pub(crate) struct Space {
    /// In the order they came.
    keys: Vec<Key>,
    /// Side by side, in order of the keys' places.
    totals: Vec<i64>,
}

/// On SQLite.
pub(crate) fn offences(connection: &Connection, sums: Sums) -> Result<Vec<Offence>, rusqlite::Error> {
    offences_by(connection, sums, MOST)
}

fn offences_by(connection: &Connection, sums: Sums, most: usize) -> Result<Vec<Offence>, rusqlite::Error> {
    let mut found = Vec::new();
    let mut readings = 1;
    let mut turn = 0;
    while turn < readings && found.len() < FIRST {
        let mut sheet = Sheet::new(sums, turn, readings, most, connection.space.take());
        connection.each(sums.parts, |row| sheet.add(row))?;
        readings = sheet.readings;
        sheet.tell(&mut found);
        connection.space.replace(sheet.leave());
        turn += 1;
    }
    Ok(found)
}

/// On PostgreSQL.
pub(crate) fn query(sums: Sums) -> String {
    let columns = |letter: char, of: &[&str]| -> Vec<String> {
        (0..of.len()).map(|n| format!("{letter}{n}")).collect()
    };
    let (keys, numbers) = (columns('k', sums.of), columns('n', sums.numbers));
    let subject: Vec<String> =
        keys.iter().zip(sums.of).map(|(k, of)| format!("'{of} ' || CAST({k} AS TEXT)")).collect();
    let detail: Vec<String> = numbers
        .iter()
        .zip(sums.numbers)
        .map(|(n, what)| format!("CASE WHEN SUM({n}) <> 0 THEN '{what} by ' || CAST(SUM({n}) AS TEXT) END"))
        .collect();
    let wrong: Vec<String> = numbers.iter().map(|n| format!("SUM({n}) <> 0")).collect();
    first(&format!(
        "SELECT {} AS subject, 'differs: ' || concat_ws(', ', {}) AS detail FROM ({}) AS parts ({}) GROUP BY {} HAVING {}",
        subject.join(" || ', ' || "),
        detail.join(", "),
        sums.parts,
        [keys.clone(), numbers].concat().join(", "),
        keys.join(", "),
        wrong.join(" OR ")
    ))
}

/// The sums of one reading.
struct Sheet {
    sums: Sums,
    /// Of so many parts of the keys, the one that is added up.
    turn: usize,
    readings: usize,
    most: usize,
    keys: Keys,
    totals: Vec<i64>,
    texts: FxHashMap<String, i64>,
}

impl Sheet {
    fn new(sums: Sums, turn: usize, readings: usize, most: usize, space: Space) -> Self {
        let Space { mut keys, mut totals } = space;
        keys.clear();
        totals.clear();
        let keys = Keys { all: keys, ..Keys::default() };
        Self { sums, turn, readings, most, keys, totals, texts: FxHashMap::default() }
    }
    fn leave(self) -> Space {
        Space { keys: self.keys.all, totals: self.totals }
    }
    fn add(&mut self, row: &rusqlite::Row<'_>) -> Result<(), rusqlite::Error> {
        let mut key = Key::default();
        for (n, part) in key.iter_mut().enumerate().take(self.sums.of.len()) {
            *part = match row.get_ref(n)? {
                ValueRef::Integer(number) => number,
                ValueRef::Text(bytes) => self.text(n, bytes)?,
                other => return Err(wrong(n, self.sums.of[n], other.data_type())),
            };
        }
        if self.readings > 1 && part_of(&key, self.readings) != self.turn {
            return Ok(());
        }
        let width = self.sums.numbers.len();
        let place = self.keys.place(key);
        if (place + 1) * width > self.totals.len() {
            self.totals.resize((place + 1) * width, 0);
        }
        let first = self.sums.of.len();
        for (n, total) in self.totals[place * width..(place + 1) * width].iter_mut().enumerate() {
            let ValueRef::Integer(number) = row.get_ref(first + n)? else {
                return Err(wrong(first + n, self.sums.numbers[n], row.get_ref(first + n)?.data_type()));
            };
            *total = total
                .checked_add(number)
                .ok_or(rusqlite::Error::IntegralValueOutOfRange(first + n, number))?;
        }
        if self.keys.all.len() > self.most {
            self.split();
        }
        Ok(())
    }
    fn text(&mut self, n: usize, bytes: &[u8]) -> Result<i64, rusqlite::Error> {
        let text = std::str::from_utf8(bytes).map_err(|e| rusqlite::Error::Utf8Error(n, e))?;
        if let Some(known) = self.texts.get(text) {
            return Ok(*known);
        }
        // Below every id, so that a text is never taken for a number.
        let new = i64::MIN + i64::try_from(self.texts.len()).unwrap_or(i64::MAX);
        self.texts.insert(text.to_owned(), new);
        Ok(new)
    }
    /// Too many keys: half of them are left to other readings. Only the first reading does this, and the others take its division.
    fn split(&mut self) {
        if self.turn > 0 {
            return;
        }
        let width = self.sums.numbers.len();
        while self.keys.all.len() > self.most {
            self.readings *= 2;
            let (keys, totals) = (std::mem::take(&mut self.keys), std::mem::take(&mut self.totals));
            for (key, numbers) in keys.all.into_iter().zip(totals.chunks(width)) {
                if part_of(&key, self.readings) == self.turn {
                    self.keys.place(key);
                    self.totals.extend_from_slice(numbers);
                }
            }
        }
    }
    /// Adds those that are not zero to what was found, in order of their keys.
    fn tell(&self, found: &mut Vec<Offence>) {
        let totals = self.totals.chunks(self.sums.numbers.len());
        let mut off: Vec<(&Key, &[i64])> =
            self.keys.all.iter().zip(totals).filter(|(_, totals)| totals.iter().any(|n| *n != 0)).collect();
        off.sort_unstable();
        for (key, totals) in off.into_iter().take(FIRST.saturating_sub(found.len())) {
            let subject: Vec<String> = self
                .sums
                .of
                .iter()
                .zip(key)
                .map(|(of, part)| format!("{of} {}", self.shown(*part)))
                .collect();
            let detail: Vec<String> = self
                .sums
                .numbers
                .iter()
                .zip(totals)
                .filter(|(_, total)| **total != 0)
                .map(|(what, total)| format!("{what} by {total}"))
                .collect();
            let (subject, detail) = (subject.join(", "), format!("differs: {}", detail.join(", ")));
            found.push(Offence { subject, detail });
        }
    }
    fn shown(&self, part: i64) -> String {
        let text = self.texts.iter().find(|(_, n)| **n == part).map(|(text, _)| text.clone());
        text.unwrap_or_else(|| part.to_string())
    }
}

/// The keys in the order they came. Ids grow with time, and the tables of a law lie in the order of their ids: nearly every key is a new
/// greatest one, or beside the one before. Only for the others is there a table of all.
#[derive(Default)]
struct Keys {
    all: Vec<Key>,
    /// Where the last one was.
    last: usize,
    greatest: Key,
    places: Option<FxHashMap<Key, usize>>,
}

/// How far from the last key is looked.
const BESIDE: usize = 4;

impl Keys {
    /// Where a key stands, at the end if it is new.
    fn place(&mut self, key: Key) -> usize {
        if self.all.is_empty() || key > self.greatest {
            self.greatest = key;
            self.last = self.all.len();
            self.all.push(key);
            if let Some(places) = &mut self.places {
                places.insert(key, self.last);
            }
            return self.last;
        }
        let from = self.last.saturating_sub(BESIDE);
        let beside = self.all[from..].iter().take(2 * BESIDE + 1).position(|other| *other == key);
        self.last = beside.map_or_else(|| self.find(key), |n| from + n);
        self.last
    }
    fn find(&mut self, key: Key) -> usize {
        let all = &mut self.all;
        let places = self.places.get_or_insert_with(|| all.iter().copied().zip(0..).collect());
        *places.entry(key).or_insert_with(|| {
            all.push(key);
            all.len() - 1
        })
    }
}

/// By the upper half of the hash: the lower decides the place in the table.
fn part_of(key: &Key, readings: usize) -> usize {
    (FxBuildHasher.hash_one(key) >> 32) as usize % readings
}

fn wrong(n: usize, name: &str, found: Type) -> rusqlite::Error {
    rusqlite::Error::InvalidColumnType(n, name.to_owned(), found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::{Place, Use};

    const SUMS: Sums = Sums {
        of: &["currency", "order"],
        numbers: &["paid", "sold"],
        parts: "SELECT currency, n, paid, sold FROM one UNION ALL SELECT currency, n, -paid, -sold FROM other",
    };

    #[test]
    fn however_many_readings_it_takes_the_same_is_found() {
        let c = Connection::open(&Place::Memory, Use::Write).unwrap();
        c.script(
            "CREATE TABLE one (currency TEXT, n BIGINT, paid BIGINT, sold BIGINT); \
             WITH RECURSIVE up (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < 1000) \
             INSERT INTO one SELECT CASE n % 2 WHEN 0 THEN 'EUR' ELSE 'JPY' END, n, n * 3, n * n FROM up; \
             CREATE TABLE other AS SELECT * FROM one ORDER BY n DESC;",
        )
        .unwrap();
        for most in [2, 10, 999, 1000, MOST] {
            assert_eq!(offences_by(&c, SUMS, most).unwrap(), vec![], "at most {most}");
        }
        c.script("UPDATE one SET paid = paid + 5 WHERE n = 77; DELETE FROM other WHERE n = 78;").unwrap();
        for most in [2, 10, 999, 1000, MOST] {
            let mut found = offences_by(&c, SUMS, most).unwrap();
            found.sort_by(|a, b| a.subject.cmp(&b.subject));
            let said: Vec<String> = found.iter().map(|o| format!("{} {}", o.subject, o.detail)).collect();
            assert_eq!(
                said,
                [
                    "currency EUR, order 78 differs: paid by 234, sold by 6084",
                    "currency JPY, order 77 differs: paid by 5"
                ],
                "at most {most}"
            );
        }
    }

    #[test]
    fn what_is_no_number_is_an_error_and_no_zero() {
        let c = Connection::open(&Place::Memory, Use::Write).unwrap();
        for parts in
            ["SELECT 1, 2, NULL, 4", "SELECT NULL, 2, 3, 4", "SELECT 1, 2, 3, 'x'", "SELECT 1, 2, 3, 4.5"]
        {
            assert!(offences(&c, Sums { parts, ..SUMS }).is_err(), "{parts}");
        }
    }
}
