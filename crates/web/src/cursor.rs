//! Pages of a list by cursor: the place after the last row, opaque to callers, so that rows which come in meanwhile neither repeat nor
//! hide others.

use crate::{Problem, text};
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::ToSchema;

/// Rows of a page when the caller does not say.
pub(crate) const DEFAULT: i64 = 50;
/// Rows of a page at most.
pub(crate) const MOST: i64 = 200;

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Pass it as `cursor` for the next page; absent on the last.
    #[serde(default)]
    pub next_cursor: Option<String>,
}

/// Which page is wanted; `K` is the sort key of a row, as `(Timestamp, OrderId)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paging<K> {
    /// Rows of the page, 1 to 200.
    pub limit: i64,
    /// The sort key of the last row of the page before.
    pub after: Option<K>,
}

impl<K: Serialize + DeserializeOwned> Paging<K> {
    /// Reads the parameters `limit` (50 when absent) and `cursor` of a list.
    ///
    /// # Errors
    /// Problems `request.bad_limit` and `request.bad_cursor`.
    pub fn read(limit: Option<i64>, cursor: Option<&str>) -> Result<Self, Problem> {
        let bad = |code, name: &str, detail: &str| {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail).at(name)
        };
        let limit = limit.unwrap_or(DEFAULT);
        if !(1..=MOST).contains(&limit) {
            return Err(bad("request.bad_limit", "limit", "A page has between 1 and 200 rows."));
        }
        let after = cursor
            .filter(|text| !text.is_empty())
            .map(|text| {
                let bytes = URL_SAFE_NO_PAD.decode(text).ok();
                let sane = bytes.filter(|b| text::check_json(b).is_ok());
                sane.and_then(|b| serde_json::from_slice(&b).ok()).ok_or_else(|| {
                    bad(
                        "request.bad_cursor",
                        "cursor",
                        "This cursor is not one that this list gave. Start without a cursor.",
                    )
                })
            })
            .transpose()?;
        Ok(Self { limit, after })
    }
    /// How many rows to ask the database for: one more than the page, to know whether there is a next one.
    pub fn fetch(&self) -> i64 {
        self.limit + 1
    }
    /// Makes the page of the rows that came, at most [`Paging::fetch`] many, with the sort key of each.
    pub fn page<T>(&self, mut rows: Vec<T>, key: impl Fn(&T) -> K) -> Page<T> {
        let limit = usize::try_from(self.limit).unwrap_or(1);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = match rows.last() {
            Some(last) if more => {
                serde_json::to_vec(&key(last)).ok().map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
            }
            _ => None,
        };
        Page { data: rows, next_cursor }
    }
}

impl<T> Page<T> {
    /// The same page of something else, as rows of the database into what the API shows.
    pub fn map<U>(self, to: impl FnMut(T) -> U) -> Page<U> {
        Page { data: self.data.into_iter().map(to).collect(), next_cursor: self.next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_walk_a_list_without_gap_or_repetition() {
        let all: Vec<(i64, String)> = (0..23).map(|n| (n / 3, format!("k{n:02}"))).collect();
        let (mut cursor, mut seen) = (None::<String>, Vec::new());
        loop {
            let paging = Paging::<(i64, String)>::read(Some(5), cursor.as_deref()).unwrap();
            let rows = all.iter().filter(|row| paging.after.as_ref().is_none_or(|after| *row > after));
            let page = paging.page(rows.take(paging.fetch() as usize).cloned().collect(), Clone::clone);
            seen.extend(page.data);
            match page.next_cursor {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        assert_eq!(seen, all);
    }

    #[test]
    fn limits_and_cursors_that_are_wrong_are_named() {
        for (limit, cursor, code) in [
            (Some(0), None, "request.bad_limit"),
            (Some(201), None, "request.bad_limit"),
            (None, Some("!"), "request.bad_cursor"),
            (None, Some("WzFd"), "request.bad_cursor"),
        ] {
            assert_eq!(Paging::<String>::read(limit, cursor).unwrap_err().code(), code);
        }
        assert_eq!(Paging::<String>::read(None, Some("")).unwrap(), Paging { limit: 50, after: None });
    }
}
