//! `fulmar openapi`: the document, without a database.

use crate::{Failure, slices};
use kernel::Fault;

/// Prints the OpenAPI document.
///
/// # Errors
/// A fault when it cannot be written.
pub fn run() -> Result<(), Failure> {
    let document = web::openapi(&slices::slices());
    let mut text = document.to_pretty_json().map_err(Fault::from)?;
    text.push('\n');
    super::write_out(text.as_bytes())
}
