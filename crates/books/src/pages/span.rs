//! The span of time that a page looks at: a month, or from day to day. Days and months are those of UTC, as in the books: the day of an
//! entry is kept in the running sums of its month and in what was told to others, and would move with a setting that somebody changes.
//!
//! Invariant: the days a person names are both within; what does not read as a day is refused by name, on the page that asked for it.

use crate::month::Month;
use crate::statements::EVER;
use axum::http::StatusCode;
use kernel::{Currency, Timestamp};
use maud::{Markup, html};
use serde::Deserialize;
use web::html as h;
use web::{FieldError, Problem};

/// What the query of a page says of time and currency.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    pub month: String,
    pub from: String,
    pub to: String,
    pub currency: String,
}

/// A span, and how a person named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub from: Timestamp,
    pub until: Timestamp,
    /// First and last day, as inputs hold them; the first is empty for the beginning.
    pub days: (String, String),
    pub month: Option<Month>,
    pub currency: Option<Currency>,
    /// What is wrong with the days, by the field; then the span is empty.
    pub wrong: Option<FieldError>,
}

fn day(name: &str, text: &str) -> Result<Timestamp, Problem> {
    let bad = || Problem::invalid(name, format!("“{text}” is not a day such as 2026-01-31."));
    match text.len() {
        10 => format!("{text}T00:00:00Z").parse().map_err(|_| bad()),
        _ => Err(bad()),
    }
}

impl Asked {
    fn currency(&self) -> Result<Option<Currency>, Problem> {
        let read = |code: &str| {
            code.parse().map_err(|_| Problem::invalid("currency", format!("“{code}” is no currency.")))
        };
        Some(self.currency.trim()).filter(|c| !c.is_empty()).map(read).transpose()
    }
    /// The span that is asked for; the present month when nothing is.
    pub fn month_or_days(&self, now: Timestamp) -> Result<Span, Problem> {
        if !self.month.is_empty() || self.from.is_empty() && self.to.is_empty() {
            let month: Month = match self.month.as_str() {
                "" => Month::of(now)?,
                text => text.parse().map_err(|_| {
                    Problem::invalid("month", format!("“{text}” is not a month such as 2026-01."))
                })?,
            };
            let (from, until) = (month.start(), month.next().start());
            let days = (from.day(), until.plus(-Timestamp::DAY).day());
            return Ok(Span {
                from,
                until,
                days,
                month: Some(month),
                currency: self.currency()?,
                wrong: None,
            });
        }
        self.days(now)
    }
    /// The span from a day to a day; from the beginning and until now where one is not named.
    pub fn days(&self, now: Timestamp) -> Result<Span, Problem> {
        let from = if self.from.is_empty() { EVER } else { day("from", &self.from)? };
        let last = if self.to.is_empty() { day("to", &now.day())? } else { day("to", &self.to)? };
        let until = last.plus(Timestamp::DAY);
        if from >= until {
            return Err(Problem::invalid("to", "The last day is before the first."));
        }
        let days = (self.from.clone(), last.day());
        Ok(Span { from, until, days, month: None, currency: self.currency()?, wrong: None })
    }
}

impl Asked {
    /// As a page shows it: days that make no span give an empty one that keeps what was typed and says by the field what is wrong.
    ///
    /// # Errors
    /// A problem with what stands in no field.
    pub fn shown(
        &self,
        now: Timestamp,
        read: impl Fn(&Self, Timestamp) -> Result<Span, Problem>,
    ) -> Result<Span, Problem> {
        let problem = match read(self, now) {
            Ok(span) => return Ok(span),
            Err(problem) => problem,
        };
        let wrong = problem.errors().first().filter(|e| matches!(e.pointer.as_str(), "from" | "to")).cloned();
        let Some(wrong) = wrong else { return Err(problem) };
        let days = (self.from.clone(), self.to.clone());
        Ok(Span {
            from: EVER,
            until: EVER,
            days,
            month: None,
            currency: self.currency()?,
            wrong: Some(wrong),
        })
    }
}

impl Span {
    /// How the page is answered.
    pub fn status(&self) -> StatusCode {
        if self.wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }
    }
    /// What is wrong with a field.
    pub fn error(&self, field: &str) -> Option<&str> {
        self.wrong.as_ref().filter(|e| e.pointer == field).map(|e| e.detail.as_str())
    }
    /// As a query that gives the same span.
    pub fn query(&self) -> Vec<(&'static str, String)> {
        vec![
            ("from", self.days.0.clone()),
            ("to", self.days.1.clone()),
            ("currency", self.currency.map(|c| c.to_string()).unwrap_or_default()),
        ]
    }
    /// For people.
    pub fn label(&self) -> Markup {
        let last = h::day(&self.days.1);
        html! {
            @if self.wrong.is_some() { "Nothing is shown" }
            @else if let Some(month) = self.month { (h::month(&month.to_string())) }
            @else if self.days.0.is_empty() { "Until " (last) }
            @else { (h::day(&self.days.0)) " to " (last) }
        }
    }
    /// Whether a currency is shown.
    pub fn shows(&self, currency: Currency) -> bool {
        self.currency.is_none_or(|c| c == currency)
    }
}

/// The pairs of a query as [`h::query`] takes them.
pub(super) fn pairs<'a>(query: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    query.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// The inputs of a span that begins somewhere.
pub(super) fn inputs(span: &Span) -> Markup {
    html! {
        (h::field(&h::Field { label: "From", name: "from", kind: "date", value: &span.days.0, error: span.error("from"), ..h::Field::default() }))
        (h::field(&h::Field { label: "To", name: "to", kind: "date", value: &span.days.1, error: span.error("to"), ..h::Field::default() }))
    }
}

/// Months as tabs: the last few, and the one that is shown.
pub(super) fn months(path: &str, now: Timestamp, span: &Span) -> Result<Markup, Problem> {
    let mut months = Vec::new();
    let mut at = now;
    for _ in 0..6 {
        let month = Month::of(at)?;
        months.push(month);
        at = month.start().plus(-1);
    }
    if let Some(shown) = span.month.filter(|m| !months.contains(m)) {
        months.push(shown);
    }
    let currency = span.currency.map(|c| c.to_string()).unwrap_or_default();
    let texts: Vec<String> = months.iter().map(ToString::to_string).collect();
    let names: Vec<String> = texts.iter().map(|text| h::month(text)).collect();
    let links: Vec<String> =
        texts.iter().map(|m| h::query(path, &[("month", m), ("currency", &currency)])).collect();
    let tabs: Vec<h::Tab<'_>> = months
        .iter()
        .zip(names.iter().zip(&links))
        .map(|(month, (text, href))| h::Tab {
            title: text,
            href,
            here: span.month == Some(*month),
            count: None,
        })
        .collect();
    Ok(h::tabs("Month", &tabs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_days_are_within_and_nonsense_is_named() {
        let now: Timestamp = "2026-02-15T12:00:00Z".parse().unwrap();
        let ask = |month: &str, from: &str, to: &str| {
            Asked { month: month.into(), from: from.into(), to: to.into(), currency: String::new() }
                .month_or_days(now)
        };
        let days = |s: &Span| (s.from.day(), s.until.to_string());
        let whole = ask("", "", "").unwrap();
        assert_eq!(days(&whole), ("2026-02-01".into(), "2026-03-01T00:00:00Z".into()));
        assert_eq!(whole.days, ("2026-02-01".into(), "2026-02-28".into()));
        let some = ask("", "2026-01-31", "2026-01-31").unwrap();
        assert_eq!(days(&some), ("2026-01-31".into(), "2026-02-01T00:00:00Z".into()));
        for (month, from, to, field) in [
            ("2026-13", "", "", "month"),
            ("", "2026-02-30", "", "from"),
            ("", "", "soon", "to"),
            ("", "2026-02-02", "2026-02-01", "to"),
        ] {
            assert_eq!(ask(month, from, to).unwrap_err().errors()[0].pointer, field, "{month} {from} {to}");
            let asked =
                Asked { month: month.into(), from: from.into(), to: to.into(), currency: String::new() };
            let shown = asked.shown(now, Asked::month_or_days);
            match field {
                "month" => assert!(shown.is_err(), "it stands in no field of the page"),
                field => {
                    let span = shown.unwrap();
                    assert!(span.error(field).is_some() && span.status() == 422 && span.from == span.until);
                    assert_eq!(span.days, (from.to_owned(), to.to_owned()), "what was typed is kept");
                }
            }
        }
    }
}
