//! Invoices as PDF, of any length.
//!
//! Invariants: every figure is printed as it was given, nothing is computed here, so that paper and books cannot
//! differ; the head of the table stands on every page, the sums stay together, each page says "Page x of y".

use serde::Serialize;

use crate::{DocumentError, Paper, press};

/// All that an invoice says. Amounts, rates and dates are finished text in the customer's format.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Invoice {
    /// The sheet to print on.
    pub paper: Paper,
    /// Name and address of the seller, a line each; the name first.
    pub merchant: Vec<String>,
    /// The seller's tax or VAT number; empty = none.
    pub merchant_tax_id: String,
    /// Name and address of who pays.
    pub bill_to: Vec<String>,
    /// Name and address of who receives the goods.
    pub ship_to: Vec<String>,
    /// The invoice's own number.
    pub number: String,
    /// The order it belongs to.
    pub order_number: String,
    /// Date of issue.
    pub date: String,
    /// ISO 4217 code of all amounts.
    pub currency: String,
    /// Whether prices and line totals contain the tax; it is said on the sheet.
    pub tax_inclusive: bool,
    /// What was sold.
    pub lines: Vec<InvoiceLine>,
    /// Sub-total, shipping, tax by rate, …; the last one, printed in bold, is the total.
    pub totals: Vec<AmountRow>,
    /// What was paid or credited and what is still due; may be empty.
    pub payments: Vec<AmountRow>,
    /// Free text under the sums; may have several lines, may be empty.
    pub notes: String,
}

/// One line of an [`Invoice`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct InvoiceLine {
    /// The seller's article code.
    pub sku: String,
    /// What the customer bought, in words.
    pub title: String,
    /// Pieces.
    pub qty: i64,
    /// Price of one piece.
    pub unit_price: String,
    /// Discount on the line; when it is empty on all lines, the column is left out.
    pub discount: String,
    /// Tax rate, such as `19 %`.
    pub tax_rate: String,
    /// Tax of the line.
    pub tax: String,
    /// The line's total after discount.
    pub total: String,
}

/// A name and an amount under the table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AmountRow {
    /// What the amount is.
    pub label: String,
    /// The amount as text.
    pub amount: String,
}

/// Prints an invoice.
///
/// # Errors
/// [`DocumentError::Typeset`] only, which no input should be able to cause.
pub fn invoice_pdf(invoice: &Invoice) -> Result<Vec<u8>, DocumentError> {
    const TEMPLATE: &str =
        concat!(include_str!("templates/common.typ"), include_str!("templates/invoice.typ"));
    press::print(TEMPLATE, invoice, "")
}
