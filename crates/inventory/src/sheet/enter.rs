//! Enter counts on a sheet. Invariant: beside each count stands what the books said in the same moment, read under the lock of the stock:
//! the difference is fixed then, whatever moves before somebody approves it.

use super::{SheetId, lock};
use crate::ground::{Ground, MAX_UNITS, from_miss};
use catalog::SkuId;
use db::{FromRow, Rows, Tx};
use kernel::{Fault, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Enters what was found of a SKU; a count that was entered already is replaced.
#[derive(Debug, Clone, Copy)]
pub struct EnterCount {
    /// When.
    pub at: Timestamp,
    /// On which sheet.
    pub sheet: SheetId,
    /// What. A SKU that is not on the sheet, and was found all the same, is put on it.
    pub sku: SkuId,
    /// Units found, promised ones included, without quarantine.
    pub counted: i64,
}

kernel::refusals! {
    /// Why a count was not entered, in order of precedence.
    pub enum EnterCountRefused {
        BadCount { counted: i64 } => Invalid, "inventory.bad_count", "A count is between 0 and 1,000,000,000 units, not {counted}.";
        UnknownSheet { sheet: SheetId } => NotFound, "inventory.unknown_sheet", "There is no count sheet {sheet}.";
        NotOpen => Conflict, "inventory.sheet_not_open", "The sheet is approved or given up: start another to count again.";
        UnknownSku { sku: SkuId } => NotFound, "inventory.unknown_sku", "There is no SKU {sku}.";
        NotStocked { sku: String } => Conflict, "inventory.not_stocked", "SKU {sku} is a bundle or a service and has no stock of its own: name what is inside.";
        UnknownLocation { location: crate::LocationId } => NotFound, "inventory.unknown_location", "There is no location {location}.";
    }
}
from_miss!(EnterCountRefused);

/// Enters counts, in order; of a repeated SKU the last one stays. It changes no stock, and what was found becomes known by the event of the
/// approval.
///
/// # Errors
/// A fault of the database.
pub async fn enter_counts(
    tx: &Tx,
    batch: &[EnterCount],
) -> Result<Vec<Result<(), EnterCountRefused>>, Fault> {
    let sheets = lock(tx, batch.iter().map(|c| c.sheet)).await?;
    let places = batch.iter().filter_map(|c| Some((c.sku, sheets.get(&c.sheet)?.location_id)));
    let ground = Ground::lock(tx, places).await?;
    let mut entered: BTreeMap<(SheetId, SkuId), (i64, i64, Timestamp)> = BTreeMap::new();
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        outcomes.push(decide(&sheets, &ground, want).map(|expected| {
            entered.insert((want.sheet, want.sku), (want.counted, expected, want.at));
        }));
    }
    let mut rows = Rows::new(
        "sheet_id BIGINT, sku_id BIGINT, counted BIGINT, expected BIGINT, counted_at BIGINT, counted_by TEXT",
    );
    for ((sheet, sku), (counted, expected, at)) in &entered {
        let by = tx.actor().as_str();
        rows.push([
            (*sheet).into(),
            (*sku).into(),
            (*counted).into(),
            (*expected).into(),
            (*at).into(),
            by.into(),
        ]);
    }
    let text = "INSERT INTO count_line (sheet_id, sku_id, counted, expected, counted_at, counted_by) \
         SELECT sheet_id, sku_id, counted, expected, counted_at, counted_by FROM input WHERE TRUE \
         ON CONFLICT (sheet_id, sku_id) DO UPDATE SET counted = excluded.counted, expected = excluded.expected, \
         counted_at = excluded.counted_at, counted_by = excluded.counted_by";
    tx.exec_from(&rows, text, []).await?;
    count_again(tx, entered.keys().map(|(sheet, _)| *sheet)).await?;
    Ok(outcomes)
}

/// Pure: what the books say is there.
fn decide(
    sheets: &BTreeMap<SheetId, super::Held>,
    ground: &Ground,
    want: &EnterCount,
) -> Result<i64, EnterCountRefused> {
    if !(0..=MAX_UNITS).contains(&want.counted) {
        return Err(EnterCountRefused::BadCount { counted: want.counted });
    }
    let sheet = sheets.get(&want.sheet).ok_or(EnterCountRefused::UnknownSheet { sheet: want.sheet })?;
    if !sheet.is_open() {
        return Err(EnterCountRefused::NotOpen);
    }
    ground.owned(want.sku, sheet.location_id)?;
    Ok(ground.held(want.sku, sheet.location_id).on_hand)
}

/// Counts the lines of sheets that are locked.
async fn count_again(tx: &Tx, sheets: impl Iterator<Item = SheetId>) -> Result<(), Fault> {
    #[derive(FromRow)]
    struct Row {
        id: SheetId,
        total: i64,
        counted: i64,
    }
    let mut ids = Rows::new("id BIGINT");
    for id in sheets.collect::<BTreeSet<_>>() {
        ids.push([id.into()]);
    }
    let text = "SELECT n.sheet_id AS id, COUNT(*) AS total, COUNT(n.counted) AS counted FROM count_line n JOIN input ON input.id = n.sheet_id \
         GROUP BY n.sheet_id";
    let mut rows = Rows::new("id BIGINT, total BIGINT, counted BIGINT");
    for row in tx.all_from::<Row>(&ids, text, []).await? {
        rows.push([row.id.into(), row.total.into(), row.counted.into()]);
    }
    let text = "UPDATE count_sheet SET total = input.total, counted = input.counted FROM input WHERE count_sheet.id = input.id";
    tx.exec_from(&rows, text, []).await?;
    Ok(())
}
