//! Give a count sheet up. Invariant: nothing was corrected by it, and nothing will be.

use super::{SheetId, lock};
use crate::events::SheetDiscarded;
use db::{Rows, Tx};
use kernel::{Fault, Timestamp};

/// Gives a sheet up.
#[derive(Debug, Clone, Copy)]
pub struct DiscardSheet {
    /// When.
    pub at: Timestamp,
    /// Which.
    pub sheet: SheetId,
}

kernel::refusals! {
    /// Why a sheet was not given up, in order of precedence.
    pub enum DiscardSheetRefused {
        UnknownSheet { sheet: SheetId } => NotFound, "inventory.unknown_sheet", "There is no count sheet {sheet}.";
        NotOpen => Conflict, "inventory.sheet_not_open", "The sheet is approved or given up: start another to count again.";
    }
}

/// Gives sheets up, in order. Events: `count_sheet.discarded` for each.
///
/// # Errors
/// A fault of the database.
pub async fn discard_sheets(
    tx: &Tx,
    batch: &[DiscardSheet],
) -> Result<Vec<Result<(), DiscardSheetRefused>>, Fault> {
    let mut sheets = lock(tx, batch.iter().map(|d| d.sheet)).await?;
    let mut rows = Rows::new("id BIGINT, at BIGINT");
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        outcomes.push(match sheets.get_mut(&want.sheet) {
            None => Err(DiscardSheetRefused::UnknownSheet { sheet: want.sheet }),
            Some(held) if !held.is_open() => Err(DiscardSheetRefused::NotOpen),
            Some(held) => {
                held.discarded_at = Some(want.at);
                rows.push([want.sheet.into(), want.at.into()]);
                tx.record(want.at, want.sheet, None, SheetDiscarded { sheet: want.sheet })?;
                Ok(())
            }
        });
    }
    let text = "UPDATE count_sheet SET discarded_at = input.at FROM input WHERE count_sheet.id = input.id";
    tx.exec_from(&rows, text, []).await?;
    Ok(outcomes)
}
