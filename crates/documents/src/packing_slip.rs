//! Packing slips: what is in the parcel, for the packer and for the person who opens it.
//!
//! Invariant: a slip has no field for a price, so that a gift never shows what it cost.

use serde::Serialize;

use crate::barcode::{QUIET_ZONE, code128};
use crate::{DocumentError, Paper, press};

/// Room for the order's barcode beside the address, in millimetres.
const BARCODE_ROOM_MM: f64 = 90.0;

/// All that a packing slip says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PackingSlip {
    /// The sheet to print on.
    pub paper: Paper,
    /// Name and address of the sender, a line each; the name first.
    pub merchant: Vec<String>,
    /// Name and address of the recipient.
    pub ship_to: Vec<String>,
    /// The order; also printed as a barcode, so printable ASCII only.
    pub order_number: String,
    /// Which parcel of how many, such as `1 of 2`.
    pub parcel: String,
    /// Date as text.
    pub date: String,
    /// What is in the parcel.
    pub lines: Vec<SlipLine>,
    /// The giver's words; may have several lines.
    pub gift_note: Option<String>,
}

/// One article in the parcel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SlipLine {
    /// The seller's article code.
    pub sku: String,
    /// The article in words.
    pub title: String,
    /// Pieces in this parcel.
    pub qty: i64,
    /// Where it is picked; when it is empty on all lines, the column is left out.
    pub bin: String,
}

/// Prints a packing slip.
///
/// # Errors
/// Those of [`code128`] for the order number; [`DocumentError::BarcodeTooLong`] when it is wider than the sheet
/// has room for (about 40 letters).
pub fn packing_slip_pdf(slip: &PackingSlip) -> Result<Vec<u8>, DocumentError> {
    const TEMPLATE: &str =
        concat!(include_str!("templates/common.typ"), include_str!("templates/packing_slip.typ"));
    #[derive(Serialize)]
    struct Data<'a> {
        #[serde(flatten)]
        slip: &'a PackingSlip,
        bars_mm: f64,
        quiet_mm: f64,
    }
    let bars = code128(&slip.order_number)?;
    let bars_mm = bars.width_mm(BARCODE_ROOM_MM)?;
    let quiet_mm = bars_mm * QUIET_ZONE as f64 / bars.width() as f64;
    press::print(TEMPLATE, &Data { slip, bars_mm, quiet_mm }, &bars.svg())
}
