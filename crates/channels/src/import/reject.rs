//! The files of rejected rows at the end of an import. Invariant: every row that was not taken is in one of them with its reason, whether
//! it was the reader who could not take it or a command.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use kernel::Fault;

use super::summary::{FileReport, Refused};
use crate::rejected::{rejected_path, write_rejected};
use crate::sheet::{BadFile, Sheet, read_sheet};

/// Moves the rows of refused orders from taken to rejected: all rows of `bytes` whose `column` names one of them.
pub(super) fn add_refused(
    sheet: &mut Sheet,
    bytes: &[u8],
    column: &'static str,
    refused: &[Refused],
) -> Result<(), BadFile> {
    if refused.is_empty() {
        return Ok(());
    }
    let reasons: HashMap<&str, &str> =
        refused.iter().map(|r| (r.reference.as_str(), r.reason.as_str())).collect();
    let known: std::collections::HashSet<u64> = sheet.rejected.iter().map(|row| row.line).collect();
    let (_, rows) = read_sheet(&sheet.file, bytes, &[column], &[], |row| {
        let reason = reasons.get(row.get(column)).filter(|_| !known.contains(&row.line));
        Ok(reason.map(|reason| (row.line, row.record.clone(), (*reason).to_owned())))
    })?;
    for (line, record, reason) in rows.into_iter().flatten() {
        sheet.reject(line, record, reason);
    }
    sheet.rejected.sort_by_key(|row| row.line);
    Ok(())
}

/// Writes the rejected rows of every sheet and says what became of the files. `input` is where the sheets were read.
pub(super) fn report(
    sheets: &[Sheet],
    input: &Path,
    folder: Option<&Path>,
) -> Result<Vec<FileReport>, Fault> {
    let mut reports = Vec::with_capacity(sheets.len());
    for sheet in sheets {
        let rejected_to = match sheet.rejected.is_empty() {
            true => None,
            false => Some(write(sheet, &input.join(&sheet.file), folder)?),
        };
        reports.push(FileReport {
            file: sheet.file.clone(),
            read: sheet.read,
            taken: sheet.taken(),
            rejected: sheet.rejected.len() as u64,
            rejected_to,
        });
    }
    Ok(reports)
}

fn write(sheet: &Sheet, file: &Path, folder: Option<&Path>) -> Result<PathBuf, Fault> {
    let path = rejected_path(file, folder);
    let made = std::fs::File::create(&path);
    let (path, out) = match (made, folder) {
        (Ok(out), _) => (path, out),
        // The data may be read-only: then where the program was called.
        (Err(_), None) => {
            let here = rejected_path(file, Some(Path::new("")));
            let out = std::fs::File::create(&here).map_err(|e| unwritable(&here, e))?;
            (here, out)
        }
        (Err(e), Some(_)) => return Err(unwritable(&path, e)),
    };
    write_rejected(std::io::BufWriter::new(out), &sheet.header, &sheet.rejected)?;
    Ok(path)
}

fn unwritable(path: &Path, error: std::io::Error) -> Fault {
    Fault::from(error).while_doing(format!("write the rejected rows to {}", path.display()))
}
