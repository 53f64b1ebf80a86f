//! Reads one CSV file row by row. Invariant: every row is either handed back as taken or listed as rejected;
//! quoted line breaks, a byte-order mark, rows of the wrong length and bytes that are not UTF-8 are all met in
//! real files and none of them ends the import.

use csv::{ByteRecord, StringRecord};

use crate::rejected::Rejected;

/// The file as a whole cannot be read: nothing of it was taken.
#[derive(Debug, thiserror::Error)]
pub enum BadFile {
    /// The header lacks a column the importer needs.
    #[error("{file} has no column {column:?}; its header is: {header}")]
    MissingColumn {
        /// File name.
        file: String,
        /// The column that is needed.
        column: &'static str,
        /// What the header says.
        header: String,
    },
    /// The CSV reader failed.
    #[error("{file} is not readable as CSV")]
    Csv {
        /// File name.
        file: String,
        /// What the reader said.
        #[source]
        source: csv::Error,
    },
    /// The file could not be opened, read or unpacked.
    #[error("{file} cannot be read")]
    Io {
        /// File name or path.
        file: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// What became of the rows of one file.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// File name without its folder.
    pub file: String,
    /// The header as read.
    pub header: StringRecord,
    /// Rows read, the header not counted.
    pub read: u64,
    /// Rows not taken, by line once the plan is complete.
    pub rejected: Vec<Rejected>,
}

impl Sheet {
    /// Rows taken.
    pub fn taken(&self) -> u64 {
        self.read - self.rejected.len() as u64
    }

    /// Rejects a row that was first taken, for a reason that showed only in another row or file.
    pub fn reject(&mut self, line: u64, record: StringRecord, reason: impl Into<String>) {
        self.rejected.push(Rejected { line, record, reason: reason.into() });
    }
}

/// One row with its columns by name.
#[derive(Debug)]
pub struct Row<'a> {
    /// Line where the row starts; the header is line 1.
    pub line: u64,
    /// Byte where the row starts.
    pub offset: u64,
    /// The fields.
    pub record: &'a StringRecord,
    columns: &'a [(&'static str, usize)],
}

impl Row<'_> {
    /// The field of a column, trimmed; empty for a column that was not asked for.
    pub fn get(&self, column: &str) -> &str {
        let place = self.columns.iter().find(|(name, _)| *name == column).map(|(_, place)| *place);
        place.and_then(|place| self.record.get(place)).unwrap_or_default().trim()
    }

    /// The field of a column that must not be empty.
    ///
    /// # Errors
    /// A reason naming the column.
    pub fn need(&self, column: &str) -> Result<&str, String> {
        match self.get(column) {
            "" => Err(format!("{column} is empty")),
            text => Ok(text),
        }
    }
}

/// Reads all rows of `bytes`; `take` turns one into `T` or says why it cannot. Columns of `needed` must be in the
/// header, those of `optional` may be; others are ignored.
///
/// # Errors
/// [`BadFile`] when the header lacks a column or the reader itself fails.
pub fn read_sheet<T>(
    file: &str,
    bytes: &[u8],
    needed: &[&'static str],
    optional: &[&'static str],
    mut take: impl FnMut(&Row<'_>) -> Result<T, String>,
) -> Result<(Sheet, Vec<T>), BadFile> {
    let unreadable = |source| BadFile::Csv { file: file.to_owned(), source };
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let header = lossy(reader.byte_headers().map_err(unreadable)?);
    let columns = find_columns(file, &header, needed, optional)?;
    let mut sheet = Sheet { file: file.to_owned(), header, read: 0, rejected: Vec::new() };
    let mut taken = Vec::new();
    let mut raw = ByteRecord::new();
    let mut lines = Lines { bytes, counted: 0, line: 1 };
    while reader.read_byte_record(&mut raw).map_err(unreadable)? {
        sheet.read += 1;
        let offset = raw.position().map_or(0, csv::Position::byte);
        let line = lines.of(offset);
        let (record, outcome) = match StringRecord::from_byte_record(raw.clone()) {
            Err(_) => (lossy(&raw), Err("the row is not UTF-8 text".to_owned())),
            Ok(record) if record.len() != sheet.header.len() => {
                let reason = format!("expected {} fields, found {}", sheet.header.len(), record.len());
                (record, Err(reason))
            }
            Ok(record) => {
                let outcome = take(&Row { line, offset, record: &record, columns: &columns });
                (record, outcome)
            }
        };
        match outcome {
            Ok(value) => taken.push(value),
            Err(reason) => sheet.reject(line, record, reason),
        }
    }
    Ok((sheet, taken))
}

/// Counts the lines of a file as people see them. The reader counts line feeds alone: in a file whose lines end in a carriage return, as
/// some spreadsheets write them, every row would be on the first line.
struct Lines<'a> {
    bytes: &'a [u8],
    counted: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of the row that starts at an offset, which is not before that of the last call. What ends the line before, and
    /// empty lines, belong to no row.
    fn of(&mut self, offset: u64) -> u64 {
        let from = usize::try_from(offset).unwrap_or(usize::MAX).clamp(self.counted, self.bytes.len());
        let blank = self.bytes[from..].iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        for at in self.counted..from + blank {
            let ends = match self.bytes[at] {
                b'\n' => true,
                b'\r' => self.bytes.get(at + 1) != Some(&b'\n'),
                _ => false,
            };
            self.line += u64::from(ends);
        }
        self.counted = from + blank;
        self.line
    }
}

/// Reads again the one row that starts at `offset`, for a rejection found after the row was let go.
///
/// # Errors
/// [`BadFile`] when there is no row to read there.
pub fn record_at(file: &str, bytes: &[u8], offset: u64) -> Result<StringRecord, BadFile> {
    let rest = usize::try_from(offset).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(rest);
    let mut raw = ByteRecord::new();
    reader.read_byte_record(&mut raw).map_err(|source| BadFile::Csv { file: file.to_owned(), source })?;
    Ok(lossy(&raw))
}

fn find_columns(
    file: &str,
    header: &StringRecord,
    needed: &[&'static str],
    optional: &[&'static str],
) -> Result<Vec<(&'static str, usize)>, BadFile> {
    let place = |column: &str| header.iter().position(|name| name.trim() == column);
    let mut columns = Vec::with_capacity(needed.len() + optional.len());
    for &column in needed {
        let Some(at) = place(column) else {
            let header = header.iter().collect::<Vec<_>>().join(",");
            return Err(BadFile::MissingColumn { file: file.to_owned(), column, header });
        };
        columns.push((column, at));
    }
    columns.extend(optional.iter().filter_map(|&column| place(column).map(|at| (column, at))));
    Ok(columns)
}

fn lossy(raw: &ByteRecord) -> StringRecord {
    raw.iter().map(String::from_utf8_lossy).collect::<Vec<_>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(row: &Row<'_>) -> Result<(u64, String, String), String> {
        Ok((row.line, row.need("a")?.to_owned(), row.get("b").to_owned()))
    }

    #[test]
    fn every_row_is_taken_or_rejected() {
        let bytes = b"\xef\xbb\xbfa,b\n1,\"two\nlines\"\n,x\n1,2,3\n\xff,y\n4, z \n";
        let (sheet, taken) = read_sheet("t.csv", bytes, &["a"], &["b", "absent"], pair).unwrap();
        assert_eq!(taken, [(2, "1".into(), "two\nlines".into()), (7, "4".into(), "z".into())]);
        let reasons: Vec<_> = sheet.rejected.iter().map(|r| (r.line, r.reason.as_str())).collect();
        let expected =
            [(4, "a is empty"), (5, "expected 2 fields, found 3"), (6, "the row is not UTF-8 text")];
        assert_eq!(reasons, expected);
        assert_eq!((sheet.read, sheet.taken()), (5, 2));
    }

    #[test]
    fn lines_are_counted_as_people_see_them() {
        let text = "a,b\n1,x\n\n2,\"two\nlines\"\n3,\"é\"\n4,y\n";
        for ends in ["\n", "\r\n", "\r"] {
            let bytes = text.replace('\n', ends).into_bytes();
            let (_, taken) = read_sheet("t.csv", &bytes, &["a"], &[], pair).unwrap();
            let lines: Vec<(u64, &str)> = taken.iter().map(|(line, a, _)| (*line, a.as_str())).collect();
            assert_eq!(lines, [(2, "1"), (4, "2"), (6, "3"), (7, "4")], "{ends:?}");
        }
    }

    #[test]
    fn a_missing_column_is_named() {
        let error = read_sheet("t.csv", b"a,c\n1,2\n", &["a", "b"], &[], pair).unwrap_err();
        assert_eq!(error.to_string(), "t.csv has no column \"b\"; its header is: a,c");
    }

    #[test]
    fn a_row_can_be_read_again_by_its_offset() {
        let bytes = b"\xef\xbb\xbfa,b\n1,\"two\nlines\"\n3,\"f\"\"our\"\n";
        let (_, offsets) = read_sheet("t.csv", bytes, &["a"], &[], |row| Ok(row.offset)).unwrap();
        let again: Vec<_> = offsets.iter().map(|&at| record_at("t.csv", bytes, at).unwrap()).collect();
        assert_eq!(
            again,
            [StringRecord::from(vec!["1", "two\nlines"]), StringRecord::from(vec!["3", "f\"our"])]
        );
    }
}
