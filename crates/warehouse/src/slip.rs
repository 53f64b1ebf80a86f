//! What a packing slip says.
//!
//! Invariant: it names what is in the parcel and nothing of what it cost.

use crate::model::ParcelId;
use contact::address::{self, Address};
use db::{FromRow, Sql};
use documents::Paper;
use documents::packing_slip::{PackingSlip, SlipLine};
use kernel::{Fault, Timestamp};

#[derive(FromRow)]
struct Head {
    number: String,
    ship_to: String,
    gift_note: Option<String>,
    from_name: String,
    from_address: String,
    packed_at: Timestamp,
    place: i64,
    parcels: i64,
}

#[derive(FromRow)]
struct Line {
    sku: String,
    title: String,
    quantity: i64,
    bin: Option<String>,
}

/// The slip of a parcel, `None` when there is no such parcel.
///
/// # Errors
/// A fault of the database.
pub async fn packing_slip(sql: &Sql, parcel: ParcelId) -> Result<Option<PackingSlip>, Fault> {
    let text = "SELECT o.number, o.ship_to, o.gift_note, l.name AS from_name, l.address AS from_address, p.packed_at, \
         (SELECT COUNT(*) FROM parcel q WHERE q.order_id = p.order_id AND q.unpacked_at IS NULL AND q.id <= p.id) AS place, \
         (SELECT COUNT(*) FROM parcel q WHERE q.order_id = p.order_id AND q.unpacked_at IS NULL) AS parcels \
         FROM parcel p JOIN orders o ON o.id = p.order_id JOIN location l ON l.id = p.location_id WHERE p.id = $1";
    let Some(head) = sql.one::<Head>(text, [parcel.into()]).await? else { return Ok(None) };
    let text = "SELECT o.sku, o.title, pl.quantity, s.bin FROM parcel_line pl JOIN order_line o ON o.id = pl.line_id JOIN parcel p ON p.id = pl.parcel_id \
         LEFT JOIN stock s ON s.sku_id = o.sku_id AND s.location_id = p.location_id WHERE pl.parcel_id = $1 ORDER BY o.position";
    let lines: Vec<Line> = sql.all(text, [parcel.into()]).await?;
    let from: Address = serde_json::from_str(&head.from_address)?;
    let to: Address = serde_json::from_str(&head.ship_to)?;
    let mut merchant = address::lines(&from);
    if !merchant.contains(&head.from_name) {
        merchant.insert(0, head.from_name);
    }
    let us = from.country == "US" || from.country == "CA";
    Ok(Some(PackingSlip {
        paper: if us { Paper::Letter } else { Paper::A4 },
        merchant,
        ship_to: address::lines(&to),
        order_number: head.number,
        parcel: format!("{} of {}", head.place, head.parcels.max(head.place)),
        date: head.packed_at.day(),
        lines: lines
            .into_iter()
            .map(|l| SlipLine { sku: l.sku, title: l.title, qty: l.quantity, bin: l.bin.unwrap_or_default() })
            .collect(),
        gift_note: head.gift_note,
    }))
}
