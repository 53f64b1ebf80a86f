//! Count sheets: a part of a location is counted blind, line by line; what differs is shown with its value, and corrected once somebody
//! approves.
//!
//! Invariants: a line is compared with what the books said at the moment its count was entered, under the lock of its stock, so that goods
//! which move before or after make no difference; what is corrected is one movement by [`crate::adjust()`], and a sheet that is approved or
//! given up takes no more counts. Sheets are locked before stock.

mod approve;
mod discard;
mod enter;
mod read;
mod start;

pub use approve::{ApproveSheet, ApproveSheetRefused, approve_sheets};
pub use discard::{DiscardSheet, DiscardSheetRefused, discard_sheets};
pub use enter::{EnterCount, EnterCountRefused, enter_counts};
pub use read::{LineOrder, Sheet, SheetLine, Show, sheet, sheet_lines, sheets};
pub use start::{StartSheet, StartSheetRefused, start_sheets};

use crate::LocationId;
use db::{FromRow, Rows, Tx};
use kernel::{Fault, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

kernel::id!(SheetId, "cnt", "A count sheet.");

/// Lines of a sheet at most: what people count in a day.
pub const MOST_LINES: i64 = 2_000;

/// How far a sheet is; derived, never assigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SheetStatus {
    /// It is being counted.
    Open,
    /// Its differences are corrected.
    Approved,
    /// Given up; nothing was corrected.
    Discarded,
}

impl SheetStatus {
    /// As the database and the API write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Approved => "approved",
            Self::Discarded => "discarded",
        }
    }
}
impl std::str::FromStr for SheetStatus {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Open, Self::Approved, Self::Discarded];
        let found = all.into_iter().find(|s| s.as_str() == text);
        found.ok_or_else(|| format!("“{text}” is no state of a count sheet"))
    }
}
impl kernel::row::FromCell for SheetStatus {
    fn from_cell(cell: kernel::row::Cell) -> Result<Self, String> {
        kernel::row::parsed(cell)
    }
}

/// A sheet while it is decided on.
#[derive(Debug, Clone, FromRow)]
struct Held {
    id: SheetId,
    location_id: LocationId,
    approved_at: Option<Timestamp>,
    discarded_at: Option<Timestamp>,
}

impl Held {
    fn is_open(&self) -> bool {
        self.approved_at.is_none() && self.discarded_at.is_none()
    }
}

/// Locks sheets in key order.
async fn lock(tx: &Tx, ids: impl Iterator<Item = SheetId>) -> Result<BTreeMap<SheetId, Held>, Fault> {
    let mut input = Rows::new("id BIGINT");
    for id in ids.collect::<BTreeSet<_>>() {
        input.push([id.into()]);
    }
    let text = "SELECT s.id, s.location_id, s.approved_at, s.discarded_at FROM count_sheet s JOIN input ON input.id = s.id \
         ORDER BY s.id /*pg FOR UPDATE OF s */";
    let held: Vec<Held> = tx.all_from(&input, text, []).await?;
    Ok(held.into_iter().map(|h| (h.id, h)).collect())
}
