//! Rows that cannot be taken, and the file they go to. Invariant: a rejected row keeps its fields exactly as
//! they were read, so that it can be corrected and imported again once the column `reason` is removed.

use std::io::Write;
use std::path::{Path, PathBuf};

use csv::StringRecord;

/// One row that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Line in the file where the row starts; the header is line 1.
    pub line: u64,
    /// The fields as read (bytes that are not UTF-8 are shown as U+FFFD).
    pub record: StringRecord,
    /// Why, as a sentence a person can act on.
    pub reason: String,
}

/// `orders.csv` → `orders.csv.rejected.csv`, in `folder` if given (the data may be read-only), else beside it.
pub fn rejected_path(file: &Path, folder: Option<&Path>) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_os_string();
    name.push(".rejected.csv");
    match folder {
        Some(folder) => folder.join(name),
        None => file.with_file_name(name),
    }
}

/// Writes `header` + `reason`, then one row per rejection. Short rows are padded so that the reason is always
/// in its column; rows with too many fields keep them all and have the reason last.
///
/// # Errors
/// What the writer reports.
pub fn write_rejected<W: Write>(
    out: W,
    header: &StringRecord,
    rejected: &[Rejected],
) -> Result<(), csv::Error> {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(out);
    writer.write_record(header.iter().chain(["reason"]))?;
    for row in rejected {
        let padding = header.len().saturating_sub(row.record.len());
        let fields = row.record.iter().chain(std::iter::repeat_n("", padding));
        writer.write_record(fields.chain([row.reason.as_str()]))?;
    }
    writer.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_the_last_column_and_fields_survive() {
        let header = StringRecord::from(vec!["a", "b"]);
        let rows = [
            Rejected {
                line: 2,
                record: StringRecord::from(vec!["x, y", "2\nlines"]),
                reason: "bad \"b\"".into(),
            },
            Rejected { line: 4, record: StringRecord::from(vec!["short"]), reason: "one field".into() },
        ];
        let mut out = Vec::new();
        write_rejected(&mut out, &header, &rows).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "a,b,reason\n\"x, y\",\"2\nlines\",\"bad \"\"b\"\"\"\nshort,,one field\n");
    }

    #[test]
    fn the_file_is_beside_its_source_or_in_the_folder_given() {
        let file = Path::new("/data/orders.csv");
        assert_eq!(rejected_path(file, None), Path::new("/data/orders.csv.rejected.csv"));
        assert_eq!(rejected_path(file, Some(Path::new("/out"))), Path::new("/out/orders.csv.rejected.csv"));
    }
}
