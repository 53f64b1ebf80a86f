//! Code 128 barcodes: text → bars → SVG, or the field of a ZPL `^BC` command.
//!
//! Invariants: what a scanner reads is the text, character for character; a drawing keeps a quiet zone of
//! [`QUIET_ZONE`] modules on either side; digits are packed in pairs wherever that makes the code shorter, and the
//! SVG and the ZPL carry the same symbols, because both follow one plan.

use std::fmt::Write as _;

use barcoders::sym::code128::Code128;

use crate::DocumentError;

/// White modules that a scanner needs on either side of the bars.
pub const QUIET_ZONE: usize = 10;

/// Height of the drawing in its own units; whoever places it stretches it.
const DRAWN_HEIGHT: usize = 50;

/// A barcode as a row of modules: black or white stripes of equal width, without the quiet zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bars {
    modules: Vec<bool>,
    zpl: String,
    text: String,
}

/// The two alphabets in use. A has only control characters that B lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Alphabet {
    /// Every printable ASCII character, one symbol each.
    B,
    /// Pairs of digits, one symbol each.
    C,
}

/// Encodes `text` as Code 128.
///
/// # Errors
/// [`DocumentError::BarcodeEmpty`], [`DocumentError::BarcodeCharacter`] for anything but printable ASCII.
pub fn code128(text: &str) -> Result<Bars, DocumentError> {
    if text.is_empty() {
        return Err(DocumentError::BarcodeEmpty);
    }
    if let Some(found) = text.chars().find(|c| !matches!(c, ' '..='~')) {
        return Err(DocumentError::BarcodeCharacter { found });
    }
    let plan = plan(text);
    let mut symbols = String::with_capacity(text.len() + 8);
    for (alphabet, part) in &plan {
        symbols.push(match alphabet {
            Alphabet::B => 'Ɓ',
            Alphabet::C => 'Ć',
        });
        symbols.push_str(part);
    }
    let encoded = Code128::new(&symbols).map_err(|e| DocumentError::Typeset(e.to_string()))?;
    let modules = encoded.encode().into_iter().map(|m| m == 1).collect();
    Ok(Bars { modules, zpl: zpl_field(&plan), text: text.to_owned() })
}

/// A barcode of `text` as a stand-alone SVG, quiet zone included. It has no size of its own: stretch it so that a
/// module is at least 0.19 mm wide.
///
/// # Errors
/// As [`code128`].
pub fn barcode_svg(text: &str) -> Result<String, DocumentError> {
    Ok(code128(text)?.svg())
}

impl Bars {
    /// The stripes from left to right, black = true.
    pub fn modules(&self) -> &[bool] {
        &self.modules
    }

    /// Modules including both quiet zones: what the drawing is wide.
    pub fn width(&self) -> usize {
        self.modules.len() + 2 * QUIET_ZONE
    }

    /// Black runs as (first module, number of modules), counted without the quiet zone.
    pub fn runs(&self) -> Vec<(usize, usize)> {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for (i, _) in self.modules.iter().enumerate().filter(|(_, black)| **black) {
            match runs.last_mut() {
                Some((start, len)) if *start + *len == i => *len += 1,
                _ => runs.push((i, 1)),
            }
        }
        runs
    }

    /// The drawing; see [`barcode_svg`].
    pub fn svg(&self) -> String {
        let mut bars = String::new();
        for (start, len) in self.runs() {
            let x = start + QUIET_ZONE;
            let _ = write!(bars, "<rect x=\"{x}\" y=\"0\" width=\"{len}\" height=\"{DRAWN_HEIGHT}\"/>");
        }
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {DRAWN_HEIGHT}\" \
             preserveAspectRatio=\"none\" shape-rendering=\"crispEdges\">\
             <rect width=\"{width}\" height=\"{DRAWN_HEIGHT}\" fill=\"#fff\"/>{bars}</svg>",
            width = self.width()
        )
    }

    /// What follows `^FD` in a ZPL `^BC` command in its normal mode: alphabets chosen, `^`, `~` and `>` escaped.
    pub fn zpl(&self) -> &str {
        &self.zpl
    }

    /// The widest whole number of dots per module, 4 at most, with which the drawing fits into `room` dots.
    ///
    /// # Errors
    /// [`DocumentError::BarcodeTooLong`] when that is less than 2: one dot of a 203 dpi head is 0.125 mm.
    pub(crate) fn dots_per_module(&self, room: usize) -> Result<usize, DocumentError> {
        match room / self.width() {
            0 | 1 => Err(DocumentError::BarcodeTooLong { text: self.text.clone() }),
            dots => Ok(dots.min(4)),
        }
    }

    /// Width of the drawing in millimetres: 0.3 mm a module, less when it would exceed `room`.
    ///
    /// # Errors
    /// [`DocumentError::BarcodeTooLong`] when a module would be under 0.19 mm (7.5 mil).
    pub(crate) fn width_mm(&self, room: f64) -> Result<f64, DocumentError> {
        let modules = self.width() as f64;
        if modules * 0.19 > room {
            return Err(DocumentError::BarcodeTooLong { text: self.text.clone() });
        }
        Ok((modules * 0.3).min(room))
    }
}

/// Cuts the text into stretches of one alphabet. Switching costs a symbol, so digits go in pairs only where at
/// least four of them stand at an end, or six in the middle. An odd digit stays outside.
fn plan(text: &str) -> Vec<(Alphabet, String)> {
    let mut parts: Vec<(Alphabet, String)> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let digit = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != digit).unwrap_or(rest.len());
        let (run, tail) = rest.split_at(end);
        let at_start = parts.is_empty();
        let worth = if at_start && tail.is_empty() {
            run.len() == 2 || run.len() >= 4
        } else if at_start || tail.is_empty() {
            run.len() >= 4
        } else {
            run.len() >= 6
        };
        if !(digit && worth) {
            push(&mut parts, Alphabet::B, run);
        } else if at_start {
            let (pairs, odd) = run.split_at(run.len() / 2 * 2);
            push(&mut parts, Alphabet::C, pairs);
            push(&mut parts, Alphabet::B, odd);
        } else {
            let (odd, pairs) = run.split_at(run.len() % 2);
            push(&mut parts, Alphabet::B, odd);
            push(&mut parts, Alphabet::C, pairs);
        }
        rest = tail;
    }
    parts
}

fn push(parts: &mut Vec<(Alphabet, String)>, alphabet: Alphabet, piece: &str) {
    match parts.last_mut() {
        _ if piece.is_empty() => {}
        Some((last, text)) if *last == alphabet => text.push_str(piece),
        _ => parts.push((alphabet, piece.to_owned())),
    }
}

fn zpl_field(plan: &[(Alphabet, String)]) -> String {
    let mut field = String::new();
    for (i, (alphabet, part)) in plan.iter().enumerate() {
        field.push_str(match (i, alphabet) {
            (0, Alphabet::B) => ">:",
            (0, Alphabet::C) => ">;",
            (_, Alphabet::B) => ">6",
            (_, Alphabet::C) => ">5",
        });
        for c in part.chars() {
            match c {
                '^' => field.push_str("><"),
                '~' => field.push_str(">="),
                '>' => field.push_str(">0"),
                c => field.push(c),
            }
        }
    }
    field
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn refuses_what_a_scanner_could_not_type_back() {
        assert_eq!(code128(""), Err(DocumentError::BarcodeEmpty));
        for (text, found) in
            [("SO-ä", 'ä'), ("A\tB", '\t'), ("Ɓ1", 'Ɓ'), ("12\n", '\n'), ("\u{7f}", '\u{7f}')]
        {
            assert_eq!(code128(text), Err(DocumentError::BarcodeCharacter { found }), "{text:?}");
        }
    }

    #[test]
    fn digits_are_packed_where_it_pays() {
        let table = [
            ("12", ">;12"),
            ("123", ">:123"),
            ("SO-1", ">:SO-1"),
            ("SO-1234", ">:SO->51234"),
            ("SO-12345", ">:SO-1>52345"),
            ("12345AB", ">;1234>65AB"),
            ("A12345B", ">:A12345B"),
            ("A123456B", ">:A>5123456>6B"),
            ("9400110200881234567890", ">;9400110200881234567890"),
            ("a^b~c>d", ">:a><b>=c>0d"),
        ];
        for (text, field) in table {
            assert_eq!(code128(text).unwrap().zpl(), field, "{text}");
        }
        // 11 modules a symbol, 13 for the stop: start, 11 pairs, checksum, stop.
        assert_eq!(code128("9400110200881234567890").unwrap().modules().len(), 11 * 13 + 13);
    }

    #[test]
    fn the_drawing_keeps_its_quiet_zone() {
        let bars = code128("SO-1").unwrap();
        let runs = bars.runs();
        assert_eq!(runs[0].0, 0);
        let (start, len) = runs[runs.len() - 1];
        assert_eq!(start + len, bars.modules().len());
        let svg = bars.svg();
        assert!(svg.contains(&format!("viewBox=\"0 0 {} 50\"", bars.modules().len() + 20)));
        assert!(svg.contains("<rect x=\"10\" y=\"0\" width=\"2\""));
    }

    #[test]
    fn sizes_stay_readable() {
        let short = code128("SO-1").unwrap();
        assert_eq!(short.dots_per_module(812), Ok(4));
        assert_eq!(code128("9400110200881234567890123456").unwrap().dots_per_module(812), Ok(3));
        let long = code128(&"W".repeat(40)).unwrap();
        assert!(matches!(long.dots_per_module(812), Err(DocumentError::BarcodeTooLong { .. })));
        assert!(matches!(long.width_mm(80.0), Err(DocumentError::BarcodeTooLong { .. })));
        assert_eq!(short.width_mm(10_000.0), Ok(short.width() as f64 * 0.3));
    }

    /// Reads a `^BC` field as a printer does.
    fn read_zpl(field: &str) -> String {
        let mut text = String::new();
        let mut chars = field.chars();
        while let Some(c) = chars.next() {
            match (c, if c == '>' { chars.next() } else { None }) {
                ('>', Some(':' | ';' | '5' | '6')) => {}
                ('>', Some('<')) => text.push('^'),
                ('>', Some('=')) => text.push('~'),
                ('>', Some('0')) => text.push('>'),
                (c, _) => text.push(c),
            }
        }
        text
    }

    proptest! {
        #[test]
        fn every_printable_text_survives(text in "[ -~]{1,40}") {
            let bars = code128(&text).unwrap();
            prop_assert_eq!(read_zpl(bars.zpl()), text.clone());
            prop_assert!(!bars.zpl().contains(['^', '~']));
            // Packing never costs: start + one symbol a character + checksum + stop is the plain length.
            prop_assert!(bars.modules().len() <= 11 * (text.len() + 2) + 13);
            prop_assert_eq!(bars.runs().iter().map(|r| r.1).sum::<usize>(), bars.modules().iter().filter(|b| **b).count());
        }
    }
}
