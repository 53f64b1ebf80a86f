//! Files of the planner. Invariant: a file is planned (and drawn), or refused with a sentence that names the file; the
//! examples of the manual are.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

/// Decisions with a drawing.
const DRAWN: [&str; 6] = ["batching", "pick_tours", "cartons", "container_fill", "parcel_plan", "routes"];

/// `routes json`, a line, and the file.
pub(crate) fn file(bytes: &[u8]) {
    let Some(at) = bytes.iter().position(|b| *b == b'\n') else { return };
    let first = String::from_utf8_lossy(&bytes[..at]).into_owned();
    let Some((decision, ending)) = first.split_once(' ') else { return };
    if !["json", "csv", "txt", "vrp"].contains(&ending) || planning::cli::find(decision).is_err() {
        return;
    }
    let place = Place::new(ending);
    std::fs::write(&place.0, &bytes[at + 1..]).expect("the folder for temporary files can be written");
    let drawing = DRAWN.contains(&decision).then(|| Place::new("svg"));
    let svg = drawing.as_ref().map(|drawing| &*drawing.0);
    match planning::cli::plan(decision, &place.0, svg, Some(0.001)) {
        Ok(plan) => {
            assert!(plan.is_object() || plan.is_array(), "{plan}");
            let drawn = svg.map(|svg| std::fs::read_to_string(svg).expect("what is planned is drawn"));
            assert!(drawn.is_none_or(|drawn| drawn.starts_with("<svg")));
        }
        Err(refused) => assert!(refused.to_string().contains(&*place.0.to_string_lossy()), "{refused}"),
    }
}

/// A file that goes away.
struct Place(PathBuf);

impl Place {
    fn new(ending: &str) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("fulmar-fuzz-{}-{number}.{ending}", std::process::id())))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The examples of `docs/planner`, which have to work anyway.
pub(crate) fn file_seeds() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/planner");
    let mut seeds = Vec::new();
    for decision in planning::cli::DECISIONS {
        let manual = std::fs::read_to_string(format!("{folder}/{}.md", decision.name))
            .expect("every decision has its page");
        for ending in ["json", "csv"] {
            let fence = format!("```{ending}\n");
            let mut blocks = manual.split(&fence).skip(1).filter_map(|rest| rest.split("```").next());
            // Later ones are excerpts.
            seeds.extend(
                blocks.next().map(|block| format!("{} {ending}\n{block}", decision.name).into_bytes()),
            );
        }
    }
    let vrp = "routes vrp\nNAME : t\nTYPE : CVRP\nDIMENSION : 3\nEDGE_WEIGHT_TYPE : EUC_2D\nCAPACITY : 10\nNODE_COORD_SECTION\n1 0 0\n2 3 4\n\
               3 6 8\nDEMAND_SECTION\n1 0\n2 4\n3 5\nDEPOT_SECTION\n1\n-1\nEOF\n";
    seeds.push(vrp.as_bytes().to_vec());
    seeds.push(b"container_fill txt\n1\n1 1234\n587 233 220\n1\n1 108 0 76 0 30 1 4\n".to_vec());
    seeds
}
