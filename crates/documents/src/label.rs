//! Shipping labels of 4 × 6 inches, as PDF for any printer and as ZPL for a 203 dpi thermal printer.
//!
//! Invariants: a label is one page and shows both addresses in full, or there is no label but a typed refusal; the
//! bars are a whole number of dots wide and carry exactly the tracking number; no text can become a ZPL command.

use std::fmt::Write as _;

use serde::Serialize;

use crate::barcode::{Bars, QUIET_ZONE, code128};
use crate::{DocumentError, press};

/// Dots per inch of the thermal printers in use.
const DPI: usize = 203;
/// Width of the label in dots: 4 inches.
const WIDTH: usize = 812;
/// Left edge of all text, in dots.
const LEFT: usize = 30;

/// Letter heights for the recipient: (dots, characters in a line, lines). The first that holds the address is
/// taken. A character is taken to be 0.6 of its height wide, which is more than the printer's own font needs.
const TO_SIZES: [(usize, usize, usize); 4] = [(46, 27, 5), (38, 33, 6), (30, 41, 8), (26, 48, 10)];
/// The same for the sender.
const FROM_SIZES: [(usize, usize, usize); 2] = [(24, 37, 6), (20, 40, 7)];

/// All that a shipping label says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Label {
    /// Sender, a line each; the name first.
    pub from: Vec<String>,
    /// Recipient, a line each; the name first.
    pub to: Vec<String>,
    /// Who carries it.
    pub carrier: String,
    /// The carrier's product, such as `Express 12:00`.
    pub service: String,
    /// Printed as a barcode and beneath it: printable ASCII only.
    pub tracking_number: String,
    /// Weight with its unit.
    pub weight_text: String,
    /// The order number.
    pub reference: String,
    /// Which parcel of how many, such as `1 of 1`.
    pub piece: String,
    /// ISO 3166 code of the recipient's country.
    pub country_code: String,
    /// Date as text.
    pub ship_date: String,
}

/// Prints a label as a PDF of one page.
///
/// # Errors
/// Those of [`code128`] for the tracking number, [`DocumentError::BarcodeTooLong`] when it needs more than 4
/// inches (about 30 letters or 60 digits), [`DocumentError::AddressTooLong`].
pub fn label_pdf(label: &Label) -> Result<Vec<u8>, DocumentError> {
    const TEMPLATE: &str = concat!(include_str!("templates/common.typ"), include_str!("templates/label.typ"));
    #[derive(Serialize)]
    struct Data<'a> {
        #[serde(flatten)]
        label: &'a Label,
        bars_in: f64,
    }
    let (bars, dots) = bars(label)?;
    fit("sender", &label.from, &FROM_SIZES)?;
    fit("recipient", &label.to, &TO_SIZES)?;
    let bars_in = (bars.width() * dots) as f64 / DPI as f64;
    press::print(TEMPLATE, &Data { label, bars_in }, &bars.svg())
}

/// Writes a label as ZPL II for a 203 dpi printer, UTF-8. What scripts it can print depends on the fonts of the
/// printer; the PDF is the safe choice for others than Latin.
///
/// # Errors
/// As [`label_pdf`], without [`DocumentError::Typeset`].
pub fn label_zpl(label: &Label) -> Result<String, DocumentError> {
    let (bars, dots) = bars(label)?;
    let (from_height, from) = fit("sender", &label.from, &FROM_SIZES)?;
    let (to_height, to) = fit("recipient", &label.to, &TO_SIZES)?;

    let mut zpl = Zpl::start();
    zpl.lines(30, from_height, &from);
    for (y, text) in [(30, &label.piece), (62, &label.weight_text), (94, &label.ship_date)] {
        zpl.text(600, y, 26, &cut(text, 12));
    }
    zpl.rule(216);
    zpl.text(LEFT, 234, 32, &cut(&label.carrier, 32));
    zpl.text(LEFT, 278, 46, &cut(&label.service, 22));
    zpl.text(650, 234, 90, &cut(&label.country_code, 3));
    zpl.rule(342);
    zpl.text(LEFT, 358, 20, "SHIP TO");
    zpl.lines(390, to_height, &to);
    zpl.rule(724);
    zpl.text(LEFT, 740, 20, "TRACKING NUMBER");
    zpl.bars(770, 280, &bars, dots);
    zpl.text(LEFT, 1064, if label.tracking_number.len() > 32 { 26 } else { 38 }, &label.tracking_number);
    zpl.rule(1118);
    zpl.text(LEFT, 1138, 20, "REFERENCE");
    zpl.text(190, 1132, 34, &cut(&label.reference, 30));
    Ok(zpl.end())
}

/// The tracking number's bars and how many dots a module is wide.
fn bars(label: &Label) -> Result<(Bars, usize), DocumentError> {
    let bars = code128(&label.tracking_number)?;
    let dots = bars.dots_per_module(WIDTH)?;
    Ok((bars, dots))
}

/// Wraps an address at the first size that holds it. Both forms of the label go by this: what fits here fits the
/// PDF too, whose smallest letters have more room.
fn fit(
    which: &'static str,
    address: &[String],
    sizes: &[(usize, usize, usize)],
) -> Result<(usize, Vec<String>), DocumentError> {
    let mut refused = (0, 0);
    for &(height, chars, room) in sizes {
        let lines: Vec<String> = address.iter().flat_map(|line| wrap(line, chars)).collect();
        if lines.len() <= room {
            return Ok((height, lines));
        }
        refused = (lines.len(), room);
    }
    Err(DocumentError::AddressTooLong { which, lines: refused.0, room: refused.1 })
}

/// Breaks a line at spaces, a longer word in itself. A blank line gives none.
fn wrap(line: &str, chars: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in line.split_whitespace() {
        let letters: Vec<char> = word.chars().collect();
        for piece in letters.chunks(chars) {
            match lines.last_mut() {
                Some(last)
                    if last.chars().count() + 1 + piece.len() <= chars && piece.len() == letters.len() =>
                {
                    last.push(' ');
                    last.extend(piece);
                }
                _ => lines.push(piece.iter().collect()),
            }
        }
    }
    lines
}

/// The text, or its beginning and an ellipsis when it is longer than `chars`.
fn cut(text: &str, chars: usize) -> String {
    if text.chars().count() <= chars {
        return text.to_owned();
    }
    text.chars().take(chars - 1).chain(['…']).collect()
}

/// A ZPL format being written. Positions and sizes are dots from the top left corner.
struct Zpl(String);

impl Zpl {
    fn start() -> Self {
        Self(format!("^XA\n^CI28\n^PW{WIDTH}\n^LL1218\n^LH0,0\n"))
    }

    fn text(&mut self, x: usize, y: usize, height: usize, text: &str) {
        if !text.is_empty() {
            let _ = writeln!(self.0, "^FO{x},{y}^A0N,{height},{height}^FH^FD{}^FS", escape(text));
        }
    }

    fn lines(&mut self, y: usize, height: usize, lines: &[String]) {
        for (i, line) in lines.iter().enumerate() {
            self.text(LEFT, y + i * (height + height / 6), height, line);
        }
    }

    fn rule(&mut self, y: usize) {
        let _ = writeln!(self.0, "^FO{LEFT},{y}^GB{},3,3^FS", WIDTH - 2 * LEFT);
    }

    /// Centred, so that the quiet zone is white label on both sides.
    fn bars(&mut self, y: usize, height: usize, bars: &Bars, dots: usize) {
        let x = (WIDTH - bars.width() * dots) / 2 + QUIET_ZONE * dots;
        let _ = writeln!(self.0, "^FO{x},{y}^BY{dots}^BCN,{height},N,N,N,N^FD{}^FS", bars.zpl());
    }

    fn end(mut self) -> String {
        self.0.push_str("^XZ\n");
        self.0
    }
}

/// Field data for `^FH`: the two signs that begin a command, and the escape sign itself, in hexadecimal.
fn escape(text: &str) -> String {
    let mut data = String::with_capacity(text.len());
    for c in press::printable(text).chars() {
        match c {
            '^' => data.push_str("_5E"),
            '~' => data.push_str("_7E"),
            '_' => data.push_str("_5F"),
            '\n' => data.push(' '),
            c => data.push(c),
        }
    }
    data
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_wrap_at_spaces_and_endless_words_anywhere() {
        let table: [(&str, usize, &[&str]); 6] = [
            ("", 5, &[]),
            ("   ", 5, &[]),
            ("ab cd ef", 5, &["ab cd", "ef"]),
            ("äöü ßé", 6, &["äöü ßé"]),
            ("abcdefgh", 3, &["abc", "def", "gh"]),
            ("a bcdefg", 4, &["a", "bcde", "fg"]),
        ];
        for (line, chars, expected) in table {
            assert_eq!(wrap(line, chars), expected, "{line:?}");
        }
    }

    #[test]
    fn the_largest_size_that_holds_the_address_is_taken() {
        let address = |n: usize, len: usize| vec!["x".repeat(len); n];
        assert_eq!(fit("recipient", &address(5, 27), &TO_SIZES).unwrap().0, 46);
        assert_eq!(fit("recipient", &address(6, 28), &TO_SIZES).unwrap().0, 38);
        assert_eq!(fit("recipient", &address(10, 48), &TO_SIZES).unwrap().0, 26);
        assert_eq!(
            fit("recipient", &address(11, 5), &TO_SIZES),
            Err(DocumentError::AddressTooLong { which: "recipient", lines: 11, room: 10 })
        );
    }

    #[test]
    fn cut_counts_characters() {
        assert_eq!(cut("Größe", 5), "Größe");
        assert_eq!(cut("Größen", 5), "Größ…");
    }

    proptest! {
        #[test]
        fn no_text_begins_a_command(text in any::<String>()) {
            let data = escape(&text);
            prop_assert!(!data.contains(['^', '~', '\n', '\r', '\0']));
        }

        #[test]
        fn wrapping_loses_no_letter(line in "[a-zäß ]{0,80}", chars in 1usize..20) {
            let lines = wrap(&line, chars);
            prop_assert!(lines.iter().all(|l| l.chars().count() <= chars && !l.is_empty()));
            let letters = |s: &str| s.chars().filter(|c| *c != ' ').collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&line));
        }
    }
}
