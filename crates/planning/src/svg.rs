//! Small parts of drawings: the frame, text, colours, and packed boxes seen from above a corner. Invariant: the same plan gives the same
//! drawing, and what a person wrote cannot end a tag.

use std::fmt::Write;
use std::path::Path;

use planner::packing::{Placed, Size};

use crate::PlanningError;

/// Text as it may stand in SVG.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Hues far from each other for neighbouring numbers (golden angle).
pub fn hue(number: usize) -> u32 {
    ((number as u64 * 137_508 / 1_000) % 360) as u32
}

/// A whole drawing of that width and height.
pub fn document(width: f64, height: f64, body: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n{body}</svg>\n"
    )
}

/// Writes a drawing. Error: the file system said no.
pub fn write(path: &Path, drawing: &str) -> Result<(), PlanningError> {
    std::fs::write(path, drawing).map_err(|e| PlanningError::file(path, e))
}

/// A box to draw.
pub struct Packed<'a> {
    /// Written above it.
    pub title: String,
    /// Inner edges.
    pub room: Size,
    /// What lies in it; a colour for each kind.
    pub pieces: &'a [Placed],
}

/// Side of the square that a box is drawn into.
const SIDE: f64 = 320.0;

/// Boxes beside each other, four in a row, each to its own scale.
pub fn boxes(packed: &[Packed<'_>], name: &dyn Fn(usize) -> String) -> String {
    let mut body = String::new();
    for (i, one) in packed.iter().enumerate() {
        let (x, y) = ((i % 4) as f64 * (SIDE + 20.0) + 10.0, (i / 4) as f64 * (SIDE + 40.0) + 20.0);
        let _ = writeln!(body, "<text x=\"{x:.0}\" y=\"{y:.0}\">{}</text>", escape(&one.title));
        draw(&mut body, one, x, y + 8.0, name);
    }
    let columns = packed.len().clamp(1, 4) as f64;
    let rows = packed.len().div_ceil(4).max(1) as f64;
    document(columns * (SIDE + 20.0) + 10.0, rows * (SIDE + 40.0) + 10.0, &body)
}

/// Where a corner of the room is on paper, in units of the room's longest extent.
fn project(corner: [f64; 3]) -> (f64, f64) {
    ((corner[0] - corner[1]) * 0.866, (corner[0] + corner[1]) * 0.5 - corner[2])
}

fn draw(body: &mut String, packed: &Packed<'_>, x: f64, y: f64, name: &dyn Fn(usize) -> String) {
    let [l, w, h] = packed.room.map(f64::from);
    let scale = SIDE / ((l + w) * 0.866).max((l + w) * 0.5 + h);
    let at = |corner: [f64; 3]| {
        let (px, py) = project(corner);
        (x + (px + w * 0.866) * scale, y + (py + h) * scale)
    };
    let face = |corners: [[f64; 3]; 4]| {
        corners.map(at).iter().fold(String::new(), |path, (px, py)| format!("{path}{px:.1},{py:.1} "))
    };
    // Floor and the two walls behind.
    for corners in [
        [[0.0, 0.0, 0.0], [l, 0.0, 0.0], [l, w, 0.0], [0.0, w, 0.0]],
        [[0.0, 0.0, 0.0], [l, 0.0, 0.0], [l, 0.0, h], [0.0, 0.0, h]],
        [[0.0, 0.0, 0.0], [0.0, w, 0.0], [0.0, w, h], [0.0, 0.0, h]],
    ] {
        let _ = writeln!(body, "<polygon points=\"{}\" fill=\"none\" stroke=\"#aaa\"/>", face(corners));
    }
    for piece in back_to_front(packed.pieces) {
        let a = piece.at.map(f64::from);
        let b: [f64; 3] = std::array::from_fn(|d| a[d] + f64::from(piece.size[d]));
        let hue = hue(piece.kind);
        let top = [[a[0], a[1], b[2]], [b[0], a[1], b[2]], [b[0], b[1], b[2]], [a[0], b[1], b[2]]];
        let right = [[b[0], a[1], a[2]], [b[0], b[1], a[2]], [b[0], b[1], b[2]], [b[0], a[1], b[2]]];
        let left = [[a[0], b[1], a[2]], [b[0], b[1], a[2]], [b[0], b[1], b[2]], [a[0], b[1], b[2]]];
        let _ = writeln!(
            body,
            "<g stroke=\"#333\" stroke-width=\"0.5\"><title>{}</title>",
            escape(&name(piece.kind))
        );
        for (corners, light) in [(top, 78), (right, 66), (left, 56)] {
            let _ =
                writeln!(body, "<polygon points=\"{}\" fill=\"hsl({hue},60%,{light}%)\"/>", face(corners));
        }
        body.push_str("</g>\n");
    }
}

/// An order in which what is nearer is drawn later: depth first over "lies behind".
fn back_to_front(pieces: &[Placed]) -> Vec<Placed> {
    let behind = |a: &Placed, b: &Placed| {
        (0..3).any(|d| a.at[d] + a.size[d] <= b.at[d]) && !(0..3).any(|d| b.at[d] + b.size[d] <= a.at[d])
    };
    let mut order = Vec::with_capacity(pieces.len());
    let mut drawn = vec![false; pieces.len()];
    // Nearly right from the start, so that the walk is short; and where pieces lie behind each other in a ring, this order stays.
    let mut rough: Vec<usize> = (0..pieces.len()).collect();
    rough.sort_by_key(|i| pieces[*i].at.iter().zip(pieces[*i].size).map(|(a, s)| 2 * a + s).sum::<i32>());
    let mut path: Vec<usize> = Vec::new();
    let mut waiting = vec![false; pieces.len()];
    for start in rough.iter().copied() {
        path.push(start);
        while let Some(i) = path.last().copied() {
            if drawn[i] {
                path.pop();
                continue;
            }
            waiting[i] = true;
            let next =
                rough.iter().copied().find(|j| !drawn[*j] && !waiting[*j] && behind(&pieces[*j], &pieces[i]));
            match next {
                Some(j) => path.push(j),
                None => {
                    drawn[i] = true;
                    order.push(pieces[i]);
                    path.pop();
                }
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_behind_is_drawn_first_and_nothing_twice() {
        let piece = |kind, at, size| Placed { kind, at, size };
        let pieces =
            [piece(0, [5, 0, 0], [5, 5, 5]), piece(1, [0, 0, 0], [5, 5, 5]), piece(2, [0, 0, 5], [10, 5, 2])];
        let order: Vec<usize> = back_to_front(&pieces).iter().map(|p| p.kind).collect();
        assert_eq!(order, [1, 0, 2]);
    }

    #[test]
    fn a_title_cannot_end_a_tag() {
        let pieces = [Placed { kind: 0, at: [0; 3], size: [5; 3] }];
        let drawing = boxes(
            &[Packed { title: "</text><script>".into(), room: [10, 10, 10], pieces: &pieces }],
            &|_| "a & b".into(),
        );
        assert!(!drawing.contains("<script>") && drawing.contains("a &amp; b"));
        assert_eq!(drawing.matches("<polygon").count(), 6);
    }
}
