//! Queries of count sheets. Invariant: lines follow each other by bin and code, as one walks along the shelves.

use super::{SheetId, SheetStatus};
use crate::LocationId;
use catalog::SkuId;
use db::{FromRow, Sql};
use kernel::{Fault, Timestamp};
use serde::{Deserialize, Serialize};

/// A count sheet.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Sheet {
    /// Our id.
    pub id: SheetId,
    /// Where.
    pub location_id: LocationId,
    /// The location's code.
    pub location: String,
    /// The location's name.
    pub location_name: String,
    /// How the bins begin that are counted; empty for all.
    pub bins: String,
    /// Who started it.
    pub by_actor: String,
    /// When.
    pub started_at: Timestamp,
    /// When its differences were corrected.
    pub approved_at: Option<Timestamp>,
    /// How far it is.
    pub status: SheetStatus,
    /// Lines.
    pub total: i64,
    /// Of these, counted.
    pub counted: i64,
    /// Of these, with a difference.
    pub differing: i64,
}

const COLUMNS: &str = "c.id, c.location_id, l.code AS location, l.name AS location_name, c.bins, c.by_actor, c.started_at, c.approved_at, c.status, \
     c.total, c.counted, (SELECT COUNT(*) FROM count_line n WHERE n.sheet_id = c.id AND n.counted <> n.expected) AS differing \
     FROM count_sheet c JOIN location l ON l.id = c.location_id";

/// Count sheets, the newest first, before `before`, at most `limit`.
///
/// # Errors
/// A fault of the database.
pub async fn sheets(sql: &Sql, before: Option<SheetId>, limit: i64) -> Result<Vec<Sheet>, Fault> {
    let text = format!("SELECT {COLUMNS} WHERE c.id < $1 ORDER BY c.id DESC LIMIT $2");
    sql.all(&text, [before.map_or(i64::MAX, |id| id.0).into(), limit.into()]).await
}

/// A count sheet by its id.
///
/// # Errors
/// A fault of the database.
pub async fn sheet(sql: &Sql, id: SheetId) -> Result<Option<Sheet>, Fault> {
    sql.one(&format!("SELECT {COLUMNS} WHERE c.id = $1"), [id.into()]).await
}

/// A line of a sheet.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct SheetLine {
    /// What.
    pub sku_id: SkuId,
    /// Its code.
    pub sku: String,
    /// Its title.
    pub title: String,
    /// Where it lay when the sheet was started.
    pub bin: Option<String>,
    /// Units found.
    pub counted: Option<i64>,
    /// What the books said when that was entered.
    pub expected: Option<i64>,
    /// When that was.
    pub counted_at: Option<Timestamp>,
    /// Who counted.
    pub counted_by: Option<String>,
    /// `same`, `adjusted` or `refused` once it was approved.
    pub outcome: Option<String>,
    /// Why it was refused.
    pub why: Option<String>,
    moved: Option<i64>,
    owned: Option<i64>,
    worth: Option<i64>,
}

impl SheetLine {
    /// By how many units the shelf differs from the books.
    pub fn delta(&self) -> Option<i64> {
        Some(self.counted? - self.expected?)
    }
    /// What the difference is worth in the base currency's minor units: what was corrected, or at the average cost of now.
    pub fn value(&self) -> i64 {
        if let Some(value) = self.moved {
            return value;
        }
        let (delta, owned) = (self.delta().unwrap_or(0), self.owned.unwrap_or(0));
        if owned <= 0 {
            return 0;
        }
        let worth = i128::from(self.worth.unwrap_or(0)) * i128::from(delta) / i128::from(owned);
        i64::try_from(worth).unwrap_or(i64::MAX)
    }
}

/// Which lines are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Show {
    /// All of them.
    #[default]
    All,
    /// Those that nobody counted yet.
    ToCount,
    /// Those that differ.
    Different,
}

/// Where a line stands: its bin and code.
pub type LineOrder = (String, String);

/// Lines of a sheet, after `after`, at most `limit`.
///
/// # Errors
/// A fault of the database.
pub async fn sheet_lines(
    sql: &Sql,
    id: SheetId,
    show: Show,
    after: Option<&LineOrder>,
    limit: i64,
) -> Result<Vec<SheetLine>, Fault> {
    let which = match show {
        Show::All => "TRUE",
        Show::ToCount => "n.counted IS NULL",
        Show::Different => "n.counted <> n.expected",
    };
    let text = format!(
        "SELECT n.sku_id, s.code AS sku, s.title, n.bin, n.counted, n.expected, n.counted_at, n.counted_by, n.outcome, n.why, m.value AS moved, \
         CASE WHEN l.kind = 'supplier' THEN 0 ELSE k.quantity END AS owned, k.value AS worth FROM count_line n JOIN sku s ON s.id = n.sku_id \
         JOIN count_sheet c ON c.id = n.sheet_id JOIN location l ON l.id = c.location_id LEFT JOIN stock_movement m ON m.id = n.movement_id \
         LEFT JOIN sku_cost k ON k.sku_id = n.sku_id WHERE n.sheet_id = $1 AND {which} AND (COALESCE(n.bin, ''), s.code) > ($2, $3) \
         ORDER BY COALESCE(n.bin, ''), s.code LIMIT $4"
    );
    let (bin, code) = after.cloned().unwrap_or_default();
    sql.all(&text, [id.into(), bin.into(), code.into(), limit.into()]).await
}
