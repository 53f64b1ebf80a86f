//! Finding instance files. Invariant: the same files in the same order on every machine.

use std::path::{Path, PathBuf};

use crate::PlanningError;

/// The files of a decision, by name: `data` itself if it is one, those in `data/folder`, or else those in `data`, that `wanted` names.
pub fn of(data: &Path, folder: &str, wanted: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>, PlanningError> {
    if data.is_file() {
        return Ok(vec![data.to_owned()]);
    }
    let below = data.join(folder);
    let place = if below.is_dir() { below } else { data.to_owned() };
    let entries = std::fs::read_dir(&place).map_err(|e| PlanningError::file(&place, e))?;
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| PlanningError::file(&place, e))?;
        if entry.file_name().to_str().is_some_and(&wanted) {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// The same for a decision whose instances are drawn from a seed where there are no files: then there are none.
pub fn given(data: Option<&Path>, folder: &str, ending: &str) -> Result<Vec<PathBuf>, PlanningError> {
    data.map_or(Ok(Vec::new()), |data| of(data, folder, |name| name.ends_with(ending)))
}

/// What an instance is called: its file's name without the ending.
pub fn name(file: &Path) -> String {
    file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}
