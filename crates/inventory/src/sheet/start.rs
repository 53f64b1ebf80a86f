//! Start a count sheet: the SKUs that lie at a location, or in its bins that begin so, are put on it.

use super::{MOST_LINES, SheetId};
use crate::LocationId;
use crate::events::SheetStarted;
use db::{FromRow, Rows, Tx};
use kernel::{Fault, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Starts a sheet.
#[derive(Debug, Clone)]
pub struct StartSheet {
    /// When.
    pub at: Timestamp,
    /// Where.
    pub location: LocationId,
    /// How the bins begin that are counted; empty for all of the location.
    pub bins: String,
}

kernel::refusals! {
    /// Why a sheet was not started, in order of precedence.
    pub enum StartSheetRefused {
        UnknownLocation { location: LocationId } => NotFound, "inventory.unknown_location", "There is no location {location}.";
        NothingThere => Conflict, "inventory.sheet_nothing_there", "Nothing lies there: choose other bins, or receive goods first.";
        TooMany { most: i64 } => Conflict, "inventory.sheet_too_many", "More than {most} SKUs lie there: count them bin by bin.";
    }
}

#[derive(FromRow)]
struct Lies {
    wish: i64,
    sku_id: catalog::SkuId,
    bin: Option<String>,
}

/// Starts sheets; their ids in order. Events: `count_sheet.started` for each.
///
/// # Errors
/// A fault of the database.
pub async fn start_sheets(
    tx: &Tx,
    batch: &[StartSheet],
) -> Result<Vec<Result<SheetId, StartSheetRefused>>, Fault> {
    let places: BTreeSet<LocationId> =
        crate::locations_by_id(tx, &batch.iter().map(|s| s.location).collect::<Vec<_>>())
            .await?
            .into_keys()
            .collect();
    let mut wishes = Rows::new("wish BIGINT, place BIGINT, bins TEXT");
    for (n, want) in (0i64..).zip(batch) {
        wishes.push([n.into(), want.location.into(), want.bins.trim().into()]);
    }
    let text = "SELECT input.wish, t.sku_id, t.bin FROM input JOIN stock t ON t.location_id = input.place \
         WHERE (input.bins = '' OR SUBSTR(COALESCE(t.bin, ''), 1, LENGTH(input.bins)) = input.bins) ORDER BY input.wish, t.sku_id";
    let mut lies: BTreeMap<i64, Vec<Lies>> = BTreeMap::new();
    for row in tx.all_from::<Lies>(&wishes, text, []).await? {
        lies.entry(row.wish).or_default().push(row);
    }
    let mut heads =
        Rows::new("id BIGINT, location_id BIGINT, bins TEXT, by_actor TEXT, started_at BIGINT, total BIGINT");
    let mut lines = Rows::new("sheet_id BIGINT, sku_id BIGINT, bin TEXT?");
    let mut outcomes = Vec::with_capacity(batch.len());
    for (n, want) in (0i64..).zip(batch) {
        let found = lies.remove(&n).unwrap_or_default();
        let total = i64::try_from(found.len())?;
        outcomes.push(match (places.contains(&want.location), total) {
            (false, _) => Err(StartSheetRefused::UnknownLocation { location: want.location }),
            (true, 0) => Err(StartSheetRefused::NothingThere),
            (true, n) if n > MOST_LINES => Err(StartSheetRefused::TooMany { most: MOST_LINES }),
            _ => {
                let id: SheetId = tx.id();
                let (bins, by) = (want.bins.trim(), tx.actor().as_str());
                let (location, at) = (want.location, want.at);
                heads.push([id.into(), location.into(), bins.into(), by.into(), at.into(), total.into()]);
                for row in found {
                    lines.push([id.into(), row.sku_id.into(), row.bin.into()]);
                }
                let fact = SheetStarted { sheet: id, location, bins: bins.to_owned(), lines: total };
                tx.record(at, id, None, fact)?;
                Ok(id)
            }
        });
    }
    tx.insert("count_sheet", &heads).await?;
    tx.insert("count_line", &lines).await?;
    Ok(outcomes)
}
