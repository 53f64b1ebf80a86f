//! What goes into SQL and what comes out of it, the same for both databases: [`Value`]s as parameters, [`Row`]s of [`Cell`]s as results,
//! and the conversions of our types. Invariant: a cell that does not fit the type asked for is an error that names the column.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A parameter. NULL has a type, because PostgreSQL wants one.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A whole number.
    BigInt(Option<i64>),
    /// A text.
    String(Option<String>),
    /// A floating-point number.
    Double(Option<f64>),
    /// Yes or no.
    Bool(Option<bool>),
}

/// A type with a NULL of its own.
pub trait Nullable {
    /// NULL, as this type.
    fn null() -> Value;
}

impl<T: Into<Value> + Nullable> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or_else(T::null, Into::into)
    }
}

/// Parameters of a type: how it becomes one, and its NULL.
macro_rules! parameter {
    ($($ty:ty => $variant:ident),* $(,)?) => {$(
        impl From<$ty> for Value {
            fn from(value: $ty) -> Self { Self::$variant(Some(value.into())) }
        }
        impl Nullable for $ty {
            fn null() -> Value { Value::$variant(None) }
        }
    )*};
}
parameter! { i64 => BigInt, i32 => BigInt, u32 => BigInt, u16 => BigInt, u8 => BigInt, String => String, &str => String, f64 => Double, bool => Bool }

/// What a column of a result holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A whole number; SQLite's booleans are such.
    Int(i64),
    /// A floating-point number.
    Real(f64),
    /// A text.
    Text(String),
    /// Yes or no.
    Bool(bool),
}
impl Cell {
    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Int(_) => "a whole number",
            Self::Real(_) => "a floating-point number",
            Self::Text(_) => "a text",
            Self::Bool(_) => "a boolean",
        }
    }
}

/// A type that a cell can be read into.
pub trait FromCell: Sized {
    /// Reads it; the error says what is wrong with the cell.
    ///
    /// # Errors
    /// When the cell holds something else.
    fn from_cell(cell: Cell) -> Result<Self, String>;
}

fn not(wanted: &str, found: &Cell) -> String {
    format!("{wanted} is wanted, {} is there", found.kind())
}

impl FromCell for i64 {
    fn from_cell(cell: Cell) -> Result<Self, String> {
        match cell {
            Cell::Int(n) => Ok(n),
            other => Err(not("a whole number", &other)),
        }
    }
}
impl FromCell for i32 {
    fn from_cell(cell: Cell) -> Result<Self, String> {
        i64::from_cell(cell)?.try_into().map_err(|_| "the number is out of range".to_owned())
    }
}
impl FromCell for String {
    fn from_cell(cell: Cell) -> Result<Self, String> {
        match cell {
            Cell::Text(text) => Ok(text),
            other => Err(not("a text", &other)),
        }
    }
}
impl FromCell for f64 {
    fn from_cell(cell: Cell) -> Result<Self, String> {
        match cell {
            Cell::Real(x) => Ok(x),
            other => Err(not("a floating-point number", &other)),
        }
    }
}
impl FromCell for bool {
    fn from_cell(cell: Cell) -> Result<Self, String> {
        match cell {
            Cell::Bool(yes) => Ok(yes),
            Cell::Int(n @ (0 | 1)) => Ok(n == 1),
            other => Err(not("a boolean", &other)),
        }
    }
}
impl<T: FromCell> FromCell for Option<T> {
    fn from_cell(cell: Cell) -> Result<Self, String> {
        match cell {
            Cell::Null => Ok(None),
            some => T::from_cell(some).map(Some),
        }
    }
}

/// Reads a word: a text that parses.
///
/// # Errors
/// When the cell holds no text, or one that does not parse.
pub fn parsed<T: FromStr<Err: fmt::Display>>(cell: Cell) -> Result<T, String> {
    String::from_cell(cell)?.parse().map_err(|e: T::Err| e.to_string())
}

/// A column that is missing or does not hold what is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    column: String,
    why: String,
}
impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.why)
    }
}
impl std::error::Error for Unreadable {}

/// A row of a result.
#[derive(Clone, Debug)]
pub struct Row {
    names: Arc<[String]>,
    cells: Vec<Cell>,
}
impl Row {
    /// A row: a cell for each name.
    pub fn new(names: Arc<[String]>, cells: Vec<Cell>) -> Self {
        Self { names, cells }
    }
    /// Takes what the column of this name holds, once; `place` is where it probably is.
    ///
    /// # Errors
    /// When there is no such column or it holds something else.
    pub fn take<T: FromCell>(&mut self, column: &str, place: usize) -> Result<T, Unreadable> {
        let found = match self.names.get(place) {
            Some(name) if name == column => Some(place),
            _ => self.names.iter().position(|name| name == column),
        };
        match found {
            Some(place) => self.take_at(place),
            None => {
                Err(Unreadable { column: column.to_owned(), why: "the result has no such column".to_owned() })
            }
        }
    }
    /// Takes what a column holds, once, by its place.
    ///
    /// # Errors
    /// When there is no such column or it holds something else.
    pub fn take_at<T: FromCell>(&mut self, place: usize) -> Result<T, Unreadable> {
        let column = || self.names.get(place).cloned().unwrap_or_else(|| format!("number {place}"));
        let cell = self.cells.get_mut(place).map(|cell| std::mem::replace(cell, Cell::Null));
        let cell = cell.ok_or_else(|| Unreadable {
            column: column(),
            why: "the result has no such column".to_owned(),
        })?;
        T::from_cell(cell).map_err(|why| Unreadable { column: column(), why })
    }
}

/// A struct that a row can be read into; derived by `#[derive(FromRow)]`.
pub trait FromRow: Sized {
    /// Reads it, taking what the row holds.
    ///
    /// # Errors
    /// When a column is missing or holds something else.
    fn from_row(row: &mut Row) -> Result<Self, Unreadable>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_does_not_fit_is_an_error_that_names_the_column() {
        let names: Arc<[String]> = vec!["id".to_owned(), "name".to_owned(), "on".to_owned()].into();
        let mut row = Row::new(names, vec![Cell::Int(7), Cell::Null, Cell::Int(2)]);
        assert_eq!(row.take::<i64>("id", 5), Ok(7));
        let why = row.clone().take::<String>("name", 1).unwrap_err();
        assert_eq!(why.to_string(), "column name: a text is wanted, NULL is there");
        assert_eq!(row.take::<Option<String>>("name", 0), Ok(None));
        assert!(row.clone().take::<bool>("on", 2).is_err(), "2 is neither yes nor no");
        assert_eq!(
            row.take::<i64>("gone", 0).unwrap_err().to_string(),
            "column gone: the result has no such column"
        );
        assert!(row.take_at::<i64>(9).is_err());
    }

    #[test]
    fn null_has_the_type_of_what_is_missing() {
        assert_eq!(Value::from(None::<i64>), Value::BigInt(None));
        assert_eq!(Value::from(Some("a")), Value::String(Some("a".to_owned())));
        assert_eq!(Value::from(None::<String>), Value::String(None));
    }
}
