//! Figures of container fill: files of the OR-Library's `thpack` format, one container an instance, pieces need no support.
//!
//! Format: number of instances; then for each: `number seed`, container's three edges, number of kinds, and a line for each kind:
//! `kind edge flag edge flag edge flag count`, where a flag says whether that edge may stand upright.
//! ours = filled percent of the container; reference = 88 percent, the target.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use planner::Budget;
use planner::container_fill::{Item, Load, Support, faults, load};

use crate::{PlanningError, Row, seconds_now};

const TARGET: f64 = 88.0;

/// One row for each instance, and the mean of each file. `seconds` is for one instance.
pub fn rows(data: Option<&Path>, seconds: f64, out: &mut dyn FnMut(Row)) -> Result<(), PlanningError> {
    let data = data.ok_or(PlanningError::NoData { decision: "container_fill" })?;
    let files = crate::files::of(data, "container_fill", |name| {
        (name.starts_with("thpack") || name.starts_with("br")) && name.ends_with(".txt")
    })?;
    if files.is_empty() {
        return Err(PlanningError::missing("container_fill", data, "thpack*.txt or br*.txt"));
    }
    for file in files {
        let name = file.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let mut sum = Row::new("container_fill", format!("{name} mean"), 0.0, TARGET, 0.0, true);
        let instances = read(&file)?;
        for (number, asked) in instances.iter().enumerate() {
            let begin = seconds_now();
            let stop = || seconds_now() - begin >= seconds;
            let plan = load(asked, &Budget::until(&stop)).map_err(|e| {
                PlanningError::input(&file, format!("instance {}", number + 1), e.to_string())
            })?;
            let took = seconds_now() - begin;
            let feasible = faults(asked, &plan).is_ok_and(|f| f.is_empty());
            let percent = plan.fill * 100.0;
            sum.ours += percent / instances.len() as f64;
            sum.seconds += took / instances.len() as f64;
            sum.feasible &= feasible;
            out(Row::new(
                "container_fill",
                format!("{name}/{}", number + 1),
                percent,
                TARGET,
                took,
                feasible,
            ));
        }
        sum.ratio = sum.ours / sum.reference;
        out(sum);
    }
    Ok(())
}

/// Reads a file of instances.
pub fn read(path: &Path) -> Result<Vec<Load>, PlanningError> {
    let text = std::fs::read_to_string(path).map_err(|e| PlanningError::file(path, e))?;
    let mut words = Words { path: path.to_owned(), words: text.split_ascii_whitespace().enumerate() };
    let count: usize = words.next("number of instances")?;
    let mut instances = Vec::new();
    for _ in 0..count {
        let (_, _) = (words.next::<i64>("number of the instance")?, words.next::<i64>("seed")?);
        let container =
            [words.next("container edge")?, words.next("container edge")?, words.next("container edge")?];
        let kinds: usize = words.next("number of kinds")?;
        let mut items = Vec::new();
        for _ in 0..kinds {
            let _: i64 = words.next("number of the kind")?;
            let (mut size, mut upright) = ([0; 3], [false; 3]);
            for d in 0..3 {
                size[d] = words.next("edge")?;
                upright[d] = words.next::<u8>("upright flag")? != 0;
            }
            items.push(Item { size, upright, count: words.next("count")?, weight_g: 0 });
        }
        instances.push(Load { container, max_weight_g: None, support: Support::None, items });
    }
    Ok(instances)
}

struct Words<'a> {
    path: PathBuf,
    words: std::iter::Enumerate<std::str::SplitAsciiWhitespace<'a>>,
}

impl Words<'_> {
    fn next<T: FromStr>(&mut self, what: &str) -> Result<T, PlanningError> {
        let Some((place, word)) = self.words.next() else {
            return Err(PlanningError::input(&self.path, "end of file", format!("{what} expected")));
        };
        word.parse().map_err(|_| {
            PlanningError::input(
                &self.path,
                format!("word {}", place + 1),
                format!("{what} expected, “{word}” read"),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_format_reads_and_a_broken_one_is_named() {
        let folder = std::env::temp_dir().join(format!("fulmar-thpack-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("thpack99.txt");
        std::fs::write(&path, "1\n1 25\n30 20 10\n2\n1 10 0 10 0 5 1 12\n2 40 1 1 0 1 0 1\n").unwrap();
        let read_back = read(&path).unwrap();
        assert_eq!(read_back[0].items[0].upright, [false, false, true]);
        let mut seen = Vec::new();
        rows(Some(&folder), 0.05, &mut |row| seen.push(row)).unwrap();
        assert_eq!(seen.len(), 2);
        assert!((seen[0].ours - 100.0).abs() < 1e-9 && seen[0].feasible, "{:?}", seen[0]);
        std::fs::write(&path, "1\n1 25\n30 x 10\n").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("word 5: container edge expected, “x” read"));
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(matches!(rows(None, 1.0, &mut |_| ()), Err(PlanningError::NoData { .. })));
    }
}
