//! What waits in the warehouse: to be released, picked, packed, or done by somebody else; and the pieces of a fulfilment order.
//!
//! Invariant: a list costs what is open, not what was ever shipped: it goes by location and status.

use crate::model::{Executor, FulfilmentId, FulfilmentLineId, Request, Status};
use catalog::SkuId;
use contact::address::Address;
use db::{FromRow, Rows, Sql, Value};
use inventory::LocationId;
use kernel::{Fault, Timestamp};
use orders::OrderId;
use serde::{Deserialize, Serialize};

/// What a fulfilment order waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Waits {
    /// To be released to the floor.
    Release,
    /// Released, and pieces are to be picked.
    Pick,
    /// Pieces are picked and in no parcel.
    Pack,
    /// For the holds of its order.
    Hold,
    /// For somebody else who fulfils it.
    Others,
}

impl Waits {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Release, Self::Pick, Self::Pack, Self::Hold, Self::Others];
    /// The condition.
    fn sql(self) -> &'static str {
        match self {
            Self::Release => "f.status = 'open' AND f.executor = 'own'",
            Self::Pick => {
                "f.status IN ('in_progress', 'incomplete') AND f.executor = 'own' AND f.picked + f.cancelled < f.quantity"
            }
            Self::Pack => {
                "f.status IN ('in_progress', 'incomplete') AND f.executor = 'own' AND f.packed < f.picked"
            }
            Self::Hold => "f.status = 'on_hold' AND f.executor = 'own'",
            Self::Others => {
                "f.status IN ('open', 'in_progress', 'incomplete', 'on_hold') AND f.executor <> 'own' AND f.request <> 'rejected'"
            }
        }
    }
}

/// A fulfilment order as a queue shows it.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Queued {
    /// Id.
    pub id: FulfilmentId,
    /// The number people read.
    pub number: String,
    /// The order.
    pub order_id: OrderId,
    /// Its number.
    pub order_number: String,
    /// Who gets it.
    pub name: String,
    /// As JSON.
    pub ship_to: String,
    /// Where it is done.
    pub location_id: LocationId,
    /// The name of the location.
    pub location: String,
    /// Who does it.
    pub executor: Executor,
    /// Where it stands.
    pub status: Status,
    /// How far the request to somebody else is.
    pub request: Request,
    /// 1 is express.
    pub priority: i64,
    /// When it came to be.
    pub created_at: Timestamp,
    /// What the customer was promised.
    pub promised_at: Option<Timestamp>,
    /// Units that are not cancelled.
    pub units: i64,
    /// Lines.
    pub lines: i64,
    /// Picked, packed or shipped.
    pub picked: i64,
    /// Packed or shipped.
    pub packed: i64,
}

impl Queued {
    /// Where it goes, in a few words.
    pub fn destination(&self) -> String {
        let to: Address = serde_json::from_str(&self.ship_to).unwrap_or_default();
        if to.city.is_empty() { to.country } else { format!("{}, {}", to.city, to.country) }
    }
}

/// The place after a row: urgent first, then the oldest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct After {
    /// Of the last row.
    pub priority: i64,
    /// Of the last row.
    pub created_at: Timestamp,
    /// Of the last row.
    pub id: FulfilmentId,
}

/// What waits, express first, then the oldest.
///
/// # Errors
/// A fault of the database.
pub async fn waiting(
    sql: &Sql,
    waits: Waits,
    location: Option<LocationId>,
    after: Option<After>,
    limit: i64,
) -> Result<Vec<Queued>, Fault> {
    let mut params: Vec<Value> = vec![limit.into()];
    let mut conditions = waits.sql().to_owned();
    if let Some(location) = location {
        params.push(location.into());
        conditions.push_str(&format!(" AND l.id = ${}", params.len()));
    }
    if let Some(after) = after {
        params.extend([after.priority.into(), after.created_at.into(), after.id.into()]);
        let n = params.len();
        let (p, c) = (n - 2, n - 1);
        conditions.push_str(&format!(
            " AND (f.priority < ${p} OR f.priority = ${p} AND (f.created_at > ${c} OR f.created_at = ${c} AND f.id > ${n}))"
        ));
    }
    let text = format!(
        "SELECT f.id, f.number, f.order_id, o.number AS order_number, o.name, o.ship_to, f.location_id, l.name AS location, f.executor, f.status, \
         f.request, f.priority, f.created_at, o.promised_at, f.quantity - f.cancelled AS units, \
         (SELECT COUNT(*) FROM fulfilment_line x WHERE x.fulfilment_id = f.id AND x.cancelled < x.quantity) AS lines, f.picked, f.packed \
         FROM location l JOIN fulfilment_order f ON f.location_id = l.id JOIN orders o ON o.id = f.order_id WHERE {conditions} \
         ORDER BY f.priority DESC, f.created_at, f.id LIMIT $1"
    );
    sql.all(&text, params).await
}

/// How many wait for what, in the order of [`Waits::ALL`].
///
/// # Errors
/// A fault of the database.
pub async fn counts(sql: &Sql, location: Option<LocationId>) -> Result<[u64; 5], Fault> {
    #[derive(FromRow)]
    struct Row {
        release: i64,
        pick: i64,
        pack: i64,
        hold: i64,
        others: i64,
    }
    let sum = |waits: Waits| {
        format!("CAST(COALESCE(SUM(CASE WHEN {} THEN 1 ELSE 0 END), 0) AS BIGINT)", waits.sql())
    };
    let [release, pick, pack, hold, others] = Waits::ALL.map(sum);
    let (here, params) = match location {
        Some(location) => (" AND l.id = $1", vec![Value::from(location)]),
        None => ("", Vec::new()),
    };
    let text = format!(
        "SELECT {release} AS release, {pick} AS pick, {pack} AS pack, {hold} AS hold, {others} AS others FROM location l \
         JOIN fulfilment_order f ON f.location_id = l.id WHERE f.status IN ('open', 'in_progress', 'incomplete', 'on_hold'){here}"
    );
    let row: Option<Row> = sql.one(&text, params).await?;
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    Ok(row.map_or([0; 5], |r| [r.release, r.pick, r.pack, r.hold, r.others].map(count)))
}

/// One kind of piece of a fulfilment order: a simple SKU, on its own or as a component.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Piece {
    /// The line it is for.
    pub line: FulfilmentLineId,
    /// What the line sells.
    pub sold: String,
    /// The title of what the line sells.
    pub sold_title: String,
    /// The piece.
    pub sku_id: SkuId,
    /// Its code.
    pub code: String,
    /// Its title.
    pub title: String,
    /// Where it lies.
    pub bin: Option<String>,
    /// How many are on the shelf.
    pub on_hand: i64,
    /// Pieces of it in a unit of the line.
    pub each: i64,
    /// Units of the line still to be picked.
    pub open: i64,
    /// Units of the line that are picked and in no parcel.
    pub loose: i64,
    /// Units of the line that are not cancelled.
    pub units: i64,
    /// Pieces collected for units that are not complete.
    pub collected: i64,
    /// Pieces that the pack station scanned.
    pub scanned: i64,
}

impl Piece {
    /// Pieces still to be picked.
    pub fn to_pick(&self) -> i64 {
        (self.each * self.open - self.collected).max(0)
    }
    /// Pieces still to be scanned at the pack station.
    pub fn to_scan(&self) -> i64 {
        (self.each * self.loose - self.scanned).max(0)
    }
    /// Whether it is a part of something that is sold as one.
    pub fn is_part(&self) -> bool {
        self.code != self.sold
    }
}

/// The pieces of a fulfilment order in the order in which one walks: by bin, those without one last.
///
/// # Errors
/// A fault of the database.
pub async fn pieces(sql: &Sql, fulfilment: FulfilmentId) -> Result<Vec<Piece>, Fault> {
    let text = "SELECT l.id AS line, o.sku AS sold, o.title AS sold_title, s.id AS sku_id, s.code, s.title, t.bin, COALESCE(t.on_hand, 0) AS on_hand, \
         COALESCE(c.quantity, 1) AS each, l.quantity - l.cancelled - l.picked AS open, l.picked - l.packed AS loose, l.quantity - l.cancelled AS units, \
         COALESCE(p.scanned, 0) AS collected, COALESCE(v.scanned, 0) AS scanned \
         FROM fulfilment_order f JOIN fulfilment_line l ON l.fulfilment_id = f.id JOIN order_line o ON o.id = l.line_id \
         LEFT JOIN bundle_component c ON c.bundle_id = l.sku_id JOIN sku s ON s.id = COALESCE(c.component_id, l.sku_id) \
         LEFT JOIN stock t ON t.sku_id = s.id AND t.location_id = f.location_id \
         LEFT JOIN pick_progress p ON p.fulfilment_line_id = l.id AND p.sku_id = s.id \
         LEFT JOIN pack_progress v ON v.fulfilment_line_id = l.id AND v.sku_id = s.id WHERE f.id = $1 AND l.cancelled < l.quantity";
    let mut pieces: Vec<Piece> = sql.all(text, [fulfilment.into()]).await?;
    pieces.sort_by(|a, b| {
        let place = |p: &Piece| (p.bin.is_none(), p.bin.clone());
        (place(a), &a.code, a.line).cmp(&(place(b), &b.code, b.line))
    });
    Ok(pieces)
}

/// The fulfilment orders of our own locations that a text means: their number, or the number of their order, the latest first.
///
/// # Errors
/// A fault of the database.
pub async fn by_number(sql: &Sql, text: &str) -> Result<Vec<Found>, Fault> {
    let number = text.trim().to_uppercase();
    let mut input = Rows::new("number TEXT");
    input.push([number.into()]);
    // One index for each way to say it.
    let text = "SELECT f.id, f.number, o.number AS order_number, f.status, f.picked - f.packed AS loose FROM fulfilment_order f \
         JOIN orders o ON o.id = f.order_id WHERE f.id IN (SELECT a.id FROM fulfilment_order a JOIN input ON input.number = a.number \
         UNION SELECT b.id FROM orders x JOIN input ON input.number = x.number JOIN fulfilment_order b ON b.order_id = x.id) \
         ORDER BY f.id DESC LIMIT 20";
    sql.all_from(&input, text, []).await
}

/// A fulfilment order that a number means.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Found {
    /// Id.
    pub id: FulfilmentId,
    /// Its number.
    pub number: String,
    /// The number of its order.
    pub order_number: String,
    /// Where it stands.
    pub status: Status,
    /// Units that are picked and in no parcel.
    pub loose: i64,
}
