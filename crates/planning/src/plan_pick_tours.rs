//! A person's picks in, a tour and a drawing of it out. JSON: see `docs/planner/pick_tours.md`. Invariant: the scan sequence names
//! every pick once.

use std::fmt::Write;
use std::path::Path;

use planner::pick_tours::{Corner, Layout, Router, Spot, Tour, Way};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{PlanningError, svg};

/// A file.
#[derive(Debug, Deserialize)]
pub struct Job {
    /// The warehouse.
    pub layout: Layout,
    /// Where the tour begins; the front left corner if left out.
    #[serde(default)]
    pub start: Corner,
    /// Where it ends; the front left corner if left out.
    #[serde(default)]
    pub finish: Corner,
    /// Where something is picked.
    pub picks: Vec<Spot>,
}

/// Reads a file. Errors name line and column.
pub fn read(path: &Path) -> Result<Job, PlanningError> {
    let text = std::fs::read_to_string(path).map_err(|e| PlanningError::file(path, e))?;
    serde_json::from_str(&text).map_err(|e| {
        PlanningError::input(path, format!("line {}, column {}", e.line(), e.column()), e.to_string())
    })
}

/// The shortest tour; `seconds` is not needed, there is no search.
pub fn run(input: &Path, drawing: Option<&Path>, _seconds: f64) -> Result<Value, PlanningError> {
    let job = read(input)?;
    let wrong = |e: planner::pick_tours::NoTour| PlanningError::input(input, "job", e.to_string());
    let mut router = Router::new(job.layout.clone(), job.start, job.finish).map_err(wrong)?;
    let tour = router.tour(&job.picks).map_err(wrong)?;
    if let Some(drawing) = drawing {
        let rules: Vec<String> = [("S-shape", tour.s_shape), ("largest gap", tour.largest_gap)]
            .iter()
            .filter_map(|(name, metres)| metres.map(|m| format!("; {name} {m:.1} m")))
            .collect();
        let title = format!("{:.1} m{}", tour.length, rules.concat());
        svg::write(drawing, &draw(&job.layout, [job.start, job.finish], &[(&tour, &job.picks)], &title))?;
    }
    Ok(json!({
        "length": tour.length, "sequence": tour.sequence, "path": tour.path, "exact": tour.exact,
        "s_shape": tour.s_shape, "largest_gap": tour.largest_gap,
    }))
}

/// Pixels for a metre, so that the longer side has about 800.
fn scale(layout: &Layout) -> f64 {
    let depth = layout.front(layout.blocks.len());
    800.0 / depth.max(layout.spacing * layout.aisles as f64)
}

/// Shelves on both sides of each aisle, and the aisle's number with its way.
fn shelves(layout: &Layout, x: &dyn Fn(f64) -> f64, y: &dyn Fn(f64) -> f64, scale: f64, body: &mut String) {
    for aisle in 0..layout.aisles {
        for (block, length) in layout.blocks.iter().enumerate() {
            let (front, margin) = (layout.front(block), length * 0.04);
            for side in [-0.45, 0.15] {
                let (left, top) = (x(aisle as f64 + side), y(front + length - margin));
                let (width, height) = (layout.spacing * 0.3 * scale, (length - 2.0 * margin) * scale);
                let _ = writeln!(
                    body,
                    r##"<rect x="{left:.1}" y="{top:.1}" width="{width:.1}" height="{height:.1}" fill="#e4e7ec"/>"##
                );
            }
        }
        let way = match layout.one_way.get(aisle) {
            Some(Way::Up) => "↑",
            Some(Way::Down) => "↓",
            _ => "",
        };
        let (x, y) = (x(aisle as f64), y(0.0) + 24.0);
        let _ = writeln!(body, r#"<text x="{x:.1}" y="{y:.1}" text-anchor="middle">{aisle}{way}</text>"#);
    }
}

/// The warehouse from above, the front at the bottom: tours in their colours, picks with their number in the scan sequence.
pub(crate) fn draw(layout: &Layout, ends: [Corner; 2], tours: &[(&Tour, &[Spot])], title: &str) -> String {
    let (scale, depth) = (scale(layout), layout.front(layout.blocks.len()));
    let x = |aisle: f64| 40.0 + aisle * layout.spacing * scale;
    let y = |metres: f64| 40.0 + (depth - metres) * scale;
    let mut body = String::new();
    shelves(layout, &x, &y, scale, &mut body);
    for (number, (tour, picks)) in tours.iter().enumerate() {
        // Passes of the same piece lie beside each other: each step a little further from the middle.
        let beside = |step: usize| ((step + number) % 5) as f64 - 2.0;
        let spot = |(step, (aisle, metres)): (usize, &(usize, f64))| {
            format!("{:.1},{:.1}", x(*aisle as f64) + beside(step), y(*metres) + beside(step))
        };
        let points: Vec<String> = tour.path.iter().enumerate().map(spot).collect();
        let hue = (212 + number * 137) % 360;
        let _ = writeln!(
            body,
            r#"<polyline points="{}" fill="none" stroke="hsl({hue} 75% 45%)" stroke-width="2"/>"#,
            points.join(" ")
        );
        for (at, pick) in tour.sequence.iter().enumerate() {
            let spot = &picks[*pick];
            let (x, y) = (x(spot.aisle as f64), y(layout.front(spot.block) + spot.offset));
            let _ = writeln!(body, r#"<circle cx="{x:.1}" cy="{y:.1}" r="4" fill="hsl({hue} 75% 30%)"/>"#);
            let _ = writeln!(
                body,
                r#"<text x="{:.1}" y="{:.1}" font-size="10">{}</text>"#,
                x + 6.0,
                y + 4.0,
                at + 1
            );
        }
    }
    for (name, corner) in ["start", "finish"].into_iter().zip(ends) {
        let (x, y) = (x(corner.aisle as f64), y(layout.front(corner.cross)));
        let _ = writeln!(
            body,
            r##"<rect x="{:.1}" y="{:.1}" width="10" height="10" fill="#1a7f37"/>"##,
            x - 5.0,
            y - 5.0
        );
        let above = if name == "start" { -8.0 } else { -20.0 };
        let _ = writeln!(body, r#"<text x="{x:.1}" y="{:.1}" text-anchor="middle">{name}</text>"#, y + above);
    }
    let _ = writeln!(body, r#"<text x="40" y="16">{title}</text>"#);
    svg::document(80.0 + layout.aisles as f64 * layout.spacing * scale, 90.0 + depth * scale, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_document_gives_a_tour_and_a_drawing() {
        let document = include_str!("../../../docs/planner/pick_tours.md");
        let example = document.split("```json").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let file = std::env::temp_dir().join(format!("fulmar-tour-{}.json", std::process::id()));
        let drawing = file.with_extension("svg");
        std::fs::write(&file, example).unwrap();
        let plan = run(&file, Some(&drawing), 1.0).unwrap();
        assert_eq!(plan["sequence"].as_array().unwrap().len(), 5);
        assert!(plan["length"].as_f64() <= plan["s_shape"].as_f64());
        let drawn = std::fs::read_to_string(&drawing).unwrap();
        assert_eq!(drawn.matches("<circle").count(), 5);
        std::fs::write(&file, example.replace("\"aisle\": 4", "\"aisle\": 40")).unwrap();
        assert!(run(&file, None, 1.0).unwrap_err().to_string().contains("pick"));
        std::fs::remove_file(file).unwrap();
        std::fs::remove_file(drawing).unwrap();
    }
}
