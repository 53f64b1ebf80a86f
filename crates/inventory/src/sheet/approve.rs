//! Approve a count sheet: each difference becomes a correction of stock. Invariant: the correction is by the difference that was fixed when
//! the line was counted, and one that would take promised units away is left out and says why.

use super::{SheetId, lock};
use crate::adjust::adjust_noted;
use crate::events::{SheetApproved, StockCounted};
use crate::{Adjust, LocationId};
use catalog::SkuId;
use db::{FromRow, Rows, Tx};
use kernel::{Fault, Timestamp};

/// Approves a sheet.
#[derive(Debug, Clone, Copy)]
pub struct ApproveSheet {
    /// When.
    pub at: Timestamp,
    /// Which.
    pub sheet: SheetId,
}

kernel::refusals! {
    /// Why a sheet was not approved, in order of precedence.
    pub enum ApproveSheetRefused {
        UnknownSheet { sheet: SheetId } => NotFound, "inventory.unknown_sheet", "There is no count sheet {sheet}.";
        NotOpen => Conflict, "inventory.sheet_not_open", "The sheet is approved or given up: start another to count again.";
        NothingCounted => Conflict, "inventory.sheet_nothing_counted", "Nothing is counted yet: enter what was found, or give the sheet up.";
    }
}

#[derive(Debug, Clone, FromRow)]
struct Counted {
    sheet_id: SheetId,
    sku_id: SkuId,
    location_id: LocationId,
    counted: i64,
    expected: i64,
}

/// Approves sheets, in order. Lines that nobody counted stay as they are. Events: `count_sheet.approved` for each, `stock.counted` for each
/// line that was counted, and those of [`crate::adjust()`].
///
/// # Errors
/// A fault of the database.
pub async fn approve_sheets(
    tx: &Tx,
    batch: &[ApproveSheet],
) -> Result<Vec<Result<(), ApproveSheetRefused>>, Fault> {
    let mut sheets = lock(tx, batch.iter().map(|a| a.sheet)).await?;
    let mut ids = Rows::new("id BIGINT");
    for id in sheets.keys() {
        ids.push([(*id).into()]);
    }
    let text = "SELECT n.sheet_id, n.sku_id, s.location_id, n.counted, n.expected FROM count_line n JOIN input ON input.id = n.sheet_id \
         JOIN count_sheet s ON s.id = n.sheet_id WHERE n.counted IS NOT NULL ORDER BY n.sheet_id, n.sku_id";
    let counted: Vec<Counted> = tx.all_from(&ids, text, []).await?;
    let mut outcomes = Vec::with_capacity(batch.len());
    let mut approved = Rows::new("id BIGINT, at BIGINT");
    let mut mine: Vec<(Timestamp, Counted)> = Vec::new();
    for want in batch {
        let lines: Vec<Counted> = counted.iter().filter(|c| c.sheet_id == want.sheet).cloned().collect();
        let outcome = match sheets.get_mut(&want.sheet) {
            None => Err(ApproveSheetRefused::UnknownSheet { sheet: want.sheet }),
            Some(held) if !held.is_open() => Err(ApproveSheetRefused::NotOpen),
            Some(_) if lines.is_empty() => Err(ApproveSheetRefused::NothingCounted),
            Some(held) => {
                held.approved_at = Some(want.at);
                approved.push([want.sheet.into(), want.at.into()]);
                mine.extend(lines.into_iter().map(|line| (want.at, line)));
                Ok(())
            }
        };
        outcomes.push(outcome);
    }
    correct(tx, &mine).await?;
    let text = "UPDATE count_sheet SET approved_at = input.at FROM input WHERE count_sheet.id = input.id";
    tx.exec_from(&approved, text, []).await?;
    Ok(outcomes)
}

/// Corrects what differs and keeps with each line what became of it.
async fn correct(tx: &Tx, lines: &[(Timestamp, Counted)]) -> Result<(), Fault> {
    let adjusts: Vec<Adjust> = lines
        .iter()
        .filter(|(_, c)| c.counted != c.expected)
        .map(|(at, c)| Adjust {
            at: *at,
            sku: c.sku_id,
            location: c.location_id,
            delta: c.counted - c.expected,
            reason: "count".to_owned(),
        })
        .collect();
    let mut noted = adjust_noted(tx, &adjusts).await?.into_iter();
    let mut rows = Rows::new("sheet_id BIGINT, sku_id BIGINT, outcome TEXT, movement_id BIGINT?, why TEXT?");
    let mut sums: std::collections::BTreeMap<SheetId, (Timestamp, i64, i64, i64)> = Default::default();
    for (at, c) in lines {
        let delta = c.counted - c.expected;
        let (outcome, movement, why) = match delta {
            0 => ("same", None, None),
            _ => match noted.next() {
                Some(Ok(movement)) => ("adjusted", Some(movement), None),
                Some(Err(refused)) => ("refused", None, Some(refused.to_string())),
                None => return Err(Fault::broken("fewer corrections than differences")),
            },
        };
        let sum = sums.entry(c.sheet_id).or_insert((*at, 0, 0, 0));
        match outcome {
            "adjusted" => sum.2 += 1,
            "refused" => sum.3 += 1,
            _ => sum.1 += 1,
        }
        let (sku, location, counted) = (c.sku_id, c.location_id, c.counted);
        tx.record(*at, sku, None, StockCounted { sku, location, counted, delta })?;
        rows.push([c.sheet_id.into(), sku.into(), outcome.into(), movement.into(), why.into()]);
    }
    for (sheet, (at, same, adjusted, refused)) in sums {
        tx.record(at, sheet, None, SheetApproved { sheet, same, adjusted, refused })?;
    }
    let text = "UPDATE count_line SET outcome = input.outcome, movement_id = input.movement_id, why = input.why FROM input \
         WHERE count_line.sheet_id = input.sheet_id AND count_line.sku_id = input.sku_id";
    tx.exec_from(&rows, text, []).await?;
    Ok(())
}
