//! The table of decisions: what `fulmar bench plan` and `fulmar plan` can be asked for. Invariant: a decision is one line here, and
//! nowhere else does the program list them; the order is the order of the figures.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::{PlanningError, Row};

/// What measures a decision: the folder with instances, seconds for each instance, where the rows go.
type Bench = fn(Option<&Path>, f64, &mut dyn FnMut(Row)) -> Result<(), PlanningError>;
/// What decides on a person's file: the file, where a drawing goes (if one is wanted and there is one), seconds.
type Plan = fn(&Path, Option<&Path>, f64) -> Result<serde_json::Value, PlanningError>;

/// A decision that can be tried and measured.
pub struct Decision {
    /// As people type it.
    pub name: &'static str,
    /// Seconds for one instance where nobody says otherwise; its target is stated for these.
    pub seconds: f64,
    /// Folder below `--data` that its instances are in; without one, they are drawn from a seed.
    folder: Option<&'static str>,
    bench: Bench,
    plan: Plan,
}

/// All decisions. One line each: name, seconds, folder of its instances, how it is measured, how it is tried.
pub const DECISIONS: &[Decision] = &[
    decision("sourcing", 10.0, None, crate::bench_sourcing::rows, crate::plan_sourcing::run),
    decision("waves", 30.0, Some("waves"), crate::bench_waves::rows, crate::plan_waves::run),
    decision("batching", 5.0, None, crate::bench_batching::rows, crate::plan_batching::run),
    decision("pick_tours", 1.0, None, crate::bench_pick_tours::rows, crate::plan_pick_tours::run),
    decision("cartons", 1.0, Some("cartons"), crate::bench_cartons::rows, crate::plan_cartons::run),
    decision(
        "container_fill",
        1.0,
        Some("container_fill"),
        crate::bench_container_fill::rows,
        crate::plan_container_fill::run,
    ),
    decision("parcel_plan", 1.0, None, crate::bench_parcel_plan::rows, crate::plan_parcel_plan::run),
    decision("routes", 10.0, Some("vrp"), crate::bench_routes::rows, crate::plan_routes::run),
    decision("demand", 60.0, Some("online_retail"), crate::bench_demand::rows, crate::plan_demand::run),
    decision("promise", 10.0, Some("olist"), crate::bench_promise::rows, crate::plan_promise::run),
    decision("risk", 10.0, None, crate::bench_risk::rows, crate::plan_risk::run),
];

/// The part of the seconds that a search gets: reading, the last step and checking take the rest.
const SEARCH: f64 = 0.98;

const fn decision(
    name: &'static str,
    seconds: f64,
    folder: Option<&'static str>,
    bench: Bench,
    plan: Plan,
) -> Decision {
    Decision { name, seconds, folder, bench, plan }
}

impl Decision {
    /// Whether the folder of all data lacks that of this decision.
    fn missing(&self, data: Option<&Path>) -> Option<PlanningError> {
        let (data, folder) = (data?, self.folder?);
        let place = data.join(folder);
        (!place.is_dir()).then(|| PlanningError::missing(self.name, &place, "files: there is no such folder"))
    }

    /// Where its files are in a folder that holds those of all. What draws its instances from a seed reads files in a folder of its own
    /// name only: those beside it are other decisions'.
    fn place(&self, data: Option<&Path>) -> Option<PathBuf> {
        match self.folder {
            Some(_) => data.map(Path::to_owned),
            None => data.map(|d| d.join(self.name)).filter(|place| place.is_dir()),
        }
    }
}

/// Finds a decision by its name. Error: [`PlanningError::UnknownDecision`], which lists those there are.
pub fn find(name: &str) -> Result<&'static Decision, PlanningError> {
    DECISIONS.iter().find(|d| d.name == name).ok_or_else(|| PlanningError::UnknownDecision {
        name: name.to_owned(),
        known: DECISIONS.iter().map(|d| d.name).collect::<Vec<_>>().join(", "),
    })
}

/// Measures one decision, or all of them: one row for each instance, as text or as one JSON object a line.
///
/// With a name, missing files are an error. Without one, a decision whose files are not there or do not read says so on `notes` and the
/// others go on; what did not read is the error at the end. `seconds` replaces every decision's own limit.
pub fn bench(
    name: Option<&str>,
    data: Option<&Path>,
    json: bool,
    seconds: Option<f64>,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> Result<(), PlanningError> {
    check_seconds(seconds)?;
    let mut broken: Option<std::io::Error> = None;
    let mut show = |row: Row| {
        if broken.is_none() {
            broken = writeln!(out, "{}", line(&row, json)).err();
        }
    };
    match name {
        Some(name) => {
            let decision = find(name)?;
            (decision.bench)(data, SEARCH * seconds.unwrap_or(decision.seconds), &mut show)?;
        }
        None => {
            let mut wrong = None;
            for decision in DECISIONS {
                let place = decision.place(data);
                let done = decision.missing(data).map_or_else(
                    || {
                        let seconds = SEARCH * seconds.unwrap_or(decision.seconds);
                        (decision.bench)(place.as_deref(), seconds, &mut show)
                    },
                    Err,
                );
                let Err(error) = done else { continue };
                // A note that cannot be written must not end the figures.
                let _ = writeln!(notes, "{error}");
                if !matches!(error, PlanningError::NoData { .. } | PlanningError::Missing { .. }) {
                    wrong.get_or_insert(error);
                }
            }
            if let Some(error) = wrong {
                return Err(error);
            }
        }
    }
    // A reader that has gone (`| head`) wants no more rows: not a fault.
    match broken {
        Some(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(PlanningError::file(Path::new("output"), error))
        }
        _ => Ok(()),
    }
}

/// Decides on a person's file. The plan as JSON; with `svg`, a drawing of it where the decision has one.
pub fn plan(
    name: &str,
    file: &Path,
    svg: Option<&Path>,
    seconds: Option<f64>,
) -> Result<serde_json::Value, PlanningError> {
    check_seconds(seconds)?;
    let decision = find(name)?;
    (decision.plan)(file, svg, SEARCH * seconds.unwrap_or(decision.seconds))
}

/// A search that is to end at no time at all would not end.
fn check_seconds(seconds: Option<f64>) -> Result<(), PlanningError> {
    match seconds.filter(|s| !(s.is_finite() && *s >= 0.0)) {
        Some(seconds) => Err(PlanningError::Seconds { seconds }),
        None => Ok(()),
    }
}

fn line(row: &Row, json: bool) -> String {
    if json {
        // A ratio over nothing is not a number in JSON either: serde writes null.
        return serde_json::to_string(row).unwrap_or_default();
    }
    format!(
        "{:<15} {:<34} {:>14.4} {:>14.4} {:>9.5} {:>9.4} s {}",
        row.decision,
        row.instance,
        row.ours,
        row.reference,
        row.ratio,
        row.seconds,
        if row.feasible { "" } else { "NOT FEASIBLE" }
    )
    .trim_end()
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_nobody_knows_is_answered_with_those_there_are() {
        let mut out = Vec::new();
        let error =
            bench(Some("cartoons"), None, true, None, &mut out, &mut Vec::new()).unwrap_err().to_string();
        assert!(error.contains("“cartoons”") && error.contains("cartons, container_fill"), "{error}");
        assert!(plan("cartoons", Path::new("x"), None, None).is_err());
    }

    #[test]
    fn a_search_without_an_end_is_refused() {
        for seconds in [f64::NAN, f64::INFINITY, -1.0] {
            let error = plan("waves", Path::new("x"), None, Some(seconds)).unwrap_err().to_string();
            assert!(error.starts_with(&format!("--seconds {seconds}")), "{error}");
            assert!(
                bench(Some("risk"), None, true, Some(seconds), &mut Vec::new(), &mut Vec::new()).is_err()
            );
        }
    }

    #[test]
    fn a_row_is_one_json_object_with_the_agreed_names() {
        let row = Row::new("cartons", "all", 3.0, 4.0, 0.5, true);
        assert_eq!(
            line(&row, true),
            r#"{"decision":"cartons","instance":"all","ours":3.0,"reference":4.0,"ratio":0.75,"seconds":0.5,"feasible":true}"#
        );
        assert!(line(&row, false).contains("0.75000"));
        assert!(line(&Row { feasible: false, ..row }, false).ends_with("NOT FEASIBLE"));
    }

    #[test]
    fn without_a_name_missing_and_broken_files_are_noted_and_the_others_go_on() {
        let folder = std::env::temp_dir().join(format!("fulmar-bench-{}", std::process::id()));
        for below in ["waves", "sourcing"] {
            std::fs::create_dir_all(folder.join(below)).unwrap();
        }
        std::fs::write(folder.join("waves/one.txt"), "1 1 1\n1 0 2\n1 0 2\n1 5\n").unwrap();
        // Not of any decision: must not be taken for one's file.
        std::fs::write(folder.join("notes.txt"), "hello").unwrap();
        let lacks = |name: &str| find(name).unwrap().missing(Some(&folder)).map(|e| e.to_string());
        assert_eq!(lacks("waves"), None);
        assert_eq!(lacks("risk"), None, "needs no files");
        assert!(lacks("routes").unwrap().contains("vrp has no files"));
        let error = bench(Some("routes"), Some(&folder), true, Some(0.01), &mut Vec::new(), &mut Vec::new());
        assert!(error.unwrap_err().to_string().contains("no *.vrp"));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn names_are_there_once() {
        let mut names: Vec<_> = DECISIONS.iter().map(|d| d.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), DECISIONS.len());
    }
}
