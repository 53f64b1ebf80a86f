//! Paper: shipping labels (PDF and ZPL), packing slips, invoices and the barcodes on them.
//!
//! A document is a pure function of its input struct: no clock, no files, no network, and the same input gives
//! the same bytes. Money, dates and addresses arrive as finished text, so this crate knows no domain type.
//!
//! **Invariant:** data is never markup. Typst templates read it from a JSON file in memory, ZPL escapes it, SVG is
//! made of numbers only; a name such as `#panic("x") ^XZ *b*` prints as exactly these characters.
//!
//! **Limit:** the embedded font covers Latin, Greek, Cyrillic, Armenian, Georgian, Arabic and Hebrew. Characters
//! beyond it (Chinese, Japanese, Korean, most emoji) print as empty boxes.

pub mod barcode;
pub mod invoice;
pub mod label;
pub mod packing_slip;
mod press;

use serde::Serialize;

/// Why a document could not be made. All but [`DocumentError::Typeset`] are the input's fault and can be mended
/// by changing the value they name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// A barcode of nothing was asked for.
    #[error("A barcode needs at least one character.")]
    BarcodeEmpty,
    /// Code 128 carries printable ASCII here (space to `~`), so that every scanner types back what was printed.
    #[error("A barcode cannot carry {found:?}: only plain letters, digits and signs.")]
    BarcodeCharacter {
        /// The first character that cannot be carried.
        found: char,
    },
    /// The bars would have to be thinner than a scanner can read.
    #[error("{text:?} is too long for the barcode on this document.")]
    BarcodeTooLong {
        /// What should have been encoded.
        text: String,
    },
    /// An address has more text than the label has room for.
    #[error("The {which} address is too long for the label: {lines} lines, room for {room}.")]
    AddressTooLong {
        /// `sender` or `recipient`.
        which: &'static str,
        /// Lines after wrapping.
        lines: usize,
        /// Lines that fit.
        room: usize,
    },
    /// The typesetter refused a template: a mistake in this crate, never in the data.
    #[error("The document could not be typeset: {0}")]
    Typeset(String),
}

/// The sheet that slips and invoices are printed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub enum Paper {
    /// 210 × 297 mm.
    #[default]
    #[serde(rename = "a4")]
    A4,
    /// 8.5 × 11 inches.
    #[serde(rename = "us-letter")]
    Letter,
}
