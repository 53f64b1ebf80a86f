//! SKUs from a file: it is read and kept with what each row would do, shown, and written in the background once somebody confirms it.
//!
//! Invariants: until it is confirmed nothing of the catalogue changes; a row is written once, in the transaction that says so, by the same
//! command as everything else; a file that was written already has nothing left to do; what the file does not say stays as it is.

mod file;
mod merge;
mod read;

pub use file::{
    COLUMNS, Cells, Line, MOST_BYTES, MOST_ROWS, ReadImportRefused, TEMPLATE, Wrong, read as read_file,
};
pub use read::{Import, ImportRow, Rows as Which, import, rows};

use crate::save::{Foreseen, foresee};
use crate::{SaveSku, SaveSkuRefused, SetActive, SkuKind, save_skus, set_active};
use db::{Ctx, FromRow, Rows, Tx};
use file::Wanted;
use kernel::{Actor, Fault, Refuse, Timestamp, refusals};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

kernel::id!(ImportId, "imp", "A file of SKUs.");

/// Rows of one transaction.
const CHUNK: i64 = 100;
/// How long a file waits to be confirmed before the next one that is read takes it away.
const WAITS: i64 = Timestamp::DAY;

/// Reads a file.
#[derive(Debug, Clone)]
pub struct ReadImport {
    /// When.
    pub at: Timestamp,
    /// What it is called.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Who sent it.
    pub by: Actor,
}

refusals! {
    /// Why a file is not written.
    pub enum ConfirmImportRefused {
        NoImport { import: ImportId } => NotFound, "catalog.no_import", "There is no file {import} any more: one that is not confirmed is kept for a day. Send it again.";
        NothingToDo => Conflict, "catalog.import_nothing_to_do", "The catalogue says what the file says already, or every row is wrong: there is nothing to write.";
    }
}

/// What a row would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowChange {
    /// Make a SKU.
    New,
    /// Change one.
    Changed,
    /// Nothing: it says what the catalogue says.
    Same,
    /// It cannot be read or saved, and is left out.
    Wrong,
}

impl RowChange {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::New, Self::Changed, Self::Same, Self::Wrong];
    /// As tables and addresses name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Same => "same",
            Self::Wrong => "wrong",
        }
    }
}
impl std::str::FromStr for RowChange {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|c| c.as_str() == text)
            .ok_or_else(|| format!("“{text}” is nothing that a row can do"))
    }
}
impl kernel::row::FromCell for RowChange {
    fn from_cell(cell: kernel::row::Cell) -> Result<Self, String> {
        kernel::row::parsed(cell)
    }
}

/// A row as it is kept: what it would do, and the columns that change or what is wrong.
#[derive(Debug)]
struct Plan {
    change: RowChange,
    about: String,
    bundle: bool,
}

impl Plan {
    fn wrong(wrong: &[Wrong]) -> Result<Self, Fault> {
        Ok(Self { change: RowChange::Wrong, about: serde_json::to_string(wrong)?, bundle: false })
    }
}

/// Reads a file and keeps it with what each row would do. Files that nobody confirmed for a day are taken away.
///
/// # Errors
/// A fault of the database.
pub async fn read_import(tx: &Tx, want: &ReadImport) -> Result<Result<ImportId, ReadImportRefused>, Fault> {
    let lines = match file::read(&want.bytes) {
        Ok(lines) => lines,
        Err(refused) => return Ok(Err(refused)),
    };
    let plans = plan(tx, want.at, &lines).await?;
    forget(tx, want.at).await?;
    let id: ImportId = tx.id();
    let mut planned: Vec<(&Line, Plan)> = lines.iter().zip(plans).collect();
    // A bundle is saved after what is inside it.
    planned.sort_by_key(|(line, plan)| (plan.bundle, line.line));
    let mut rows = Rows::new(
        "import_id BIGINT, position BIGINT, line BIGINT, code TEXT, change TEXT, cells TEXT, about TEXT",
    );
    let mut total = 0i64;
    for (position, (line, plan)) in (1i64..).zip(&planned) {
        total += i64::from(matches!(plan.change, RowChange::New | RowChange::Changed));
        let code: String = line.cells.get("sku").map(|c| c.chars().take(64).collect()).unwrap_or_default();
        rows.push([
            id.into(),
            position.into(),
            line.line.into(),
            code.into(),
            plan.change.as_str().into(),
            serde_json::to_string(&line.cells)?.into(),
            plan.about.as_str().into(),
        ]);
    }
    let name: String = want.name.trim().chars().take(120).collect();
    let text = "INSERT INTO sku_import (id, name, by_actor, read_at, total) VALUES ($1, $2, $3, $4, $5)";
    tx.exec(text, [id.into(), name.into(), want.by.as_str().into(), want.at.into(), total.into()]).await?;
    tx.insert("sku_import_row", &rows).await?;
    Ok(Ok(id))
}

/// Takes files away that nobody confirmed.
async fn forget(tx: &Tx, at: Timestamp) -> Result<(), Fault> {
    let old = "SELECT id FROM sku_import WHERE confirmed_at IS NULL AND read_at < $1";
    for text in [
        format!("DELETE FROM sku_import_row WHERE import_id IN ({old})"),
        "DELETE FROM sku_import WHERE confirmed_at IS NULL AND read_at < $1".to_owned(),
    ] {
        tx.exec(&text, [at.plus(-WAITS).into()]).await?;
    }
    Ok(())
}

/// What each line would do, in their order.
async fn plan(tx: &Tx, at: Timestamp, lines: &[Line]) -> Result<Vec<Plan>, Fault> {
    let mut first: HashMap<&str, i64> = HashMap::new();
    let mut readable: Vec<Result<Wanted, Vec<Wrong>>> = Vec::with_capacity(lines.len());
    for line in lines {
        let code = line.cells.get("sku").map_or("", String::as_str);
        let before = *first.entry(code).or_insert(line.line);
        readable.push(match &line.wrong {
            Some(wrong) => Err(vec![wrong.clone()]),
            None if before != line.line => {
                let says = format!("Line {before} is about SKU {code} already: keep one of them.");
                Err(vec![Wrong::new("sku", says)])
            }
            None => file::wanted(&line.cells),
        });
    }
    let wanted: Vec<&Wanted> = readable.iter().flatten().collect();
    let merged = merge::merge(tx, at, &wanted).await?;
    let mut order: Vec<usize> = (0..merged.len()).filter(|i| merged[*i].is_ok()).collect();
    order.sort_by_key(|i| (is_bundle(&merged[*i]), *i));
    let batch: Vec<SaveSku> =
        order.iter().filter_map(|i| merged[*i].as_ref().ok()).map(|m| m.save.clone()).collect();
    let foreseen: HashMap<usize, Result<Foreseen, SaveSkuRefused>> =
        order.into_iter().zip(foresee(tx, &batch).await?).collect();
    let mut merged = merged.into_iter().enumerate();
    let mut plans = Vec::with_capacity(lines.len());
    for line in readable {
        plans.push(match line {
            Err(wrong) => Plan::wrong(&wrong)?,
            Ok(_) => {
                let (i, merged) =
                    merged.next().ok_or_else(|| Fault::broken("fewer SKUs than readable rows"))?;
                planned(merged, foreseen.get(&i))?
            }
        });
    }
    Ok(plans)
}

fn is_bundle(merged: &Result<merge::Merged, Wrong>) -> bool {
    merged.as_ref().is_ok_and(|m| m.save.kind == SkuKind::Bundle)
}

fn planned(
    merged: Result<merge::Merged, Wrong>,
    foreseen: Option<&Result<Foreseen, SaveSkuRefused>>,
) -> Result<Plan, Fault> {
    let merged = match merged {
        Ok(merged) => merged,
        Err(wrong) => return Plan::wrong(&[wrong]),
    };
    let bundle = merged.save.kind == SkuKind::Bundle;
    let (change, columns) = match foreseen {
        None => return Err(Fault::broken("a row that nobody looked at")),
        Some(Err(refused)) => {
            return Plan::wrong(&[Wrong::new(column_of(refused.code()), refused.to_string())]);
        }
        Some(Ok(Foreseen::New)) => (RowChange::New, Vec::new()),
        Some(Ok(Foreseen::Changed(columns))) => {
            let mut columns = columns.clone();
            columns.extend(merged.switch.map(|_| "for_sale"));
            (if columns.is_empty() { RowChange::Same } else { RowChange::Changed }, columns)
        }
    };
    Ok(Plan { change, about: serde_json::to_string(&columns)?, bundle })
}

/// The column that a refusal is about.
fn column_of(code: &str) -> &'static str {
    match code {
        "catalog.bad_code" => "sku",
        "catalog.no_title" => "title",
        "catalog.no_tax_class" => "tax_class",
        "catalog.negative_size" => "weight_g",
        "catalog.bad_barcode" | "catalog.barcode_taken" => "barcodes",
        "catalog.negative_price" | "catalog.two_prices" => "price",
        "catalog.unknown_supplier" => "supplier",
        "catalog.kind_changed" => "kind",
        _ => "components",
    }
}

/// Has files written in the background. One that is confirmed already goes on as it does.
///
/// # Errors
/// A fault of the database.
pub async fn confirm_import(
    tx: &Tx,
    at: Timestamp,
    import: ImportId,
) -> Result<Result<(), ConfirmImportRefused>, Fault> {
    #[derive(FromRow)]
    struct Head {
        total: i64,
        confirmed_at: Option<Timestamp>,
    }
    let lock = "SELECT total, confirmed_at FROM sku_import WHERE id = $1 /*pg FOR UPDATE */";
    match tx.one::<Head>(lock, [import.into()]).await? {
        None => Ok(Err(ConfirmImportRefused::NoImport { import })),
        Some(Head { confirmed_at: Some(_), .. }) => Ok(Ok(())),
        Some(Head { total: 0, .. }) => Ok(Err(ConfirmImportRefused::NothingToDo)),
        Some(_) => {
            let text = "UPDATE sku_import SET confirmed_at = $2 WHERE id = $1";
            tx.exec(text, [import.into(), at.into()]).await?;
            tx.enqueue(at, &[(RunImport { import }, Some(format!("sku_import:{import}")))]).await?;
            Ok(Ok(()))
        }
    }
}

/// The job that writes the rows.
#[derive(Debug, Serialize, Deserialize)]
pub struct RunImport {
    /// Of which file.
    pub import: ImportId,
}

impl db::Job for RunImport {
    const NAME: &'static str = "catalog.import";
    async fn run(&self, ctx: Ctx) -> Result<(), Fault> {
        let Some(head) = read::import(ctx.db.read(), self.import).await? else { return Ok(()) };
        let by = Actor::stored(head.by_actor);
        while db::write!(ctx.db, &by, |tx| chunk(tx, self.import).await)? {}
        Ok(())
    }
}

#[derive(FromRow)]
struct Kept {
    position: i64,
    cells: String,
}

/// Writes a chunk; whether some may be left.
async fn chunk(tx: &Tx, import: ImportId) -> Result<bool, Fault> {
    // The lock: two workers with the same job follow each other.
    let lock = "SELECT total FROM sku_import WHERE id = $1 AND confirmed_at IS NOT NULL AND ended_at IS NULL /*pg FOR UPDATE */";
    if tx.scalar::<i64>(lock, [import.into()]).await?.is_none() {
        return Ok(false);
    }
    let text = "SELECT position, cells FROM sku_import_row WHERE import_id = $1 AND outcome IS NULL AND change IN ('new', 'changed') \
         ORDER BY position LIMIT $2";
    let kept: Vec<Kept> = tx.all(text, [import.into(), CHUNK.into()]).await?;
    let whys = write(tx, &kept).await?;
    let mut rows = Rows::new("position BIGINT, outcome TEXT, why TEXT?");
    let refused = i64::try_from(whys.iter().flatten().count())?;
    let done = i64::try_from(whys.len())? - refused;
    for (row, why) in kept.iter().zip(whys) {
        let outcome = if why.is_none() { "done" } else { "refused" };
        rows.push([row.position.into(), outcome.into(), why.into()]);
    }
    if !rows.is_empty() {
        let text = "UPDATE sku_import_row SET outcome = input.outcome, why = input.why FROM input \
             WHERE sku_import_row.import_id = $1 AND sku_import_row.position = input.position";
        tx.exec_from(&rows, text, [import.into()]).await?;
    }
    let text = "UPDATE sku_import SET done = done + $2, refused = refused + $3, \
         ended_at = CASE WHEN done + $2 + refused + $3 >= total THEN $4 ELSE NULL END WHERE id = $1";
    tx.exec(text, [import.into(), done.into(), refused.into(), tx.now().into()]).await?;
    Ok(i64::try_from(kept.len())? == CHUNK)
}

/// Saves the SKUs of some rows as the catalogue is now; why not, for each.
async fn write(tx: &Tx, kept: &[Kept]) -> Result<Vec<Option<String>>, Fault> {
    let mut wanted = Vec::with_capacity(kept.len());
    for row in kept {
        let cells: Cells = serde_json::from_str(&row.cells)?;
        wanted.push(file::wanted(&cells).map_err(|_| Fault::broken("a row that was read does not read"))?);
    }
    let merged = merge::merge(tx, tx.now(), &wanted.iter().collect::<Vec<_>>()).await?;
    let batch: Vec<SaveSku> = merged.iter().flatten().map(|m| m.save.clone()).collect();
    let mut saved = save_skus(tx, &batch).await?.into_iter();
    let mut switches = Vec::new();
    let mut whys = Vec::with_capacity(kept.len());
    for merged in merged {
        let outcome = match merged {
            Err(wrong) => Err(wrong.says),
            Ok(merged) => match saved.next() {
                None => return Err(Fault::broken("fewer outcomes than SKUs")),
                Some(Err(refused)) => Err(refused.to_string()),
                Some(Ok(_)) => {
                    let (at, code) = (merged.save.at, merged.save.code);
                    switches.extend(merged.switch.map(|active| SetActive { at, code, active }));
                    Ok(())
                }
            },
        };
        whys.push(outcome.err());
    }
    set_active(tx, &switches).await?;
    Ok(whys)
}
