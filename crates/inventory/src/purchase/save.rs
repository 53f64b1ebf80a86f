//! Make purchase orders, or change drafts. Invariant: what was sent to a supplier is never rewritten.

use super::book::{Book, Held};
use super::{MOST_LINES, PurchaseId};
use crate::LocationId;
use crate::events::PurchaseSaved;
use crate::ground::{Ground, MAX_UNITS, Miss};
use crate::receive::MAX_VALUE;
use catalog::{SkuId, SupplierId};
use db::{Rows, Tx};
use kernel::{Fault, Timestamp};
use std::collections::{BTreeSet, HashSet};

/// A line as it shall be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// What.
    pub sku: SkuId,
    /// How many units, at least one.
    pub quantity: i64,
    /// What a unit costs, in the base currency's minor units.
    pub unit_cost: i64,
}

/// Makes a purchase order, or changes a draft to be exactly so.
#[derive(Debug, Clone)]
pub struct SavePurchase {
    /// When.
    pub at: Timestamp,
    /// The draft; none for a new one.
    pub purchase: Option<PurchaseId>,
    /// From whom.
    pub supplier: SupplierId,
    /// Where the goods shall go: a location of ours.
    pub location: LocationId,
    /// The supplier's own number of it.
    pub reference: Option<String>,
    /// When it should come.
    pub expected_at: Option<Timestamp>,
    /// What, each SKU once.
    pub lines: Vec<Wanted>,
}

kernel::refusals! {
    /// Why a purchase order was not saved, in order of precedence.
    pub enum SavePurchaseRefused {
        NoLines => Invalid, "inventory.purchase_without_lines", "A purchase order has between 1 and 500 lines: say what is ordered.";
        BadQuantity { quantity: i64 } => Invalid, "inventory.bad_quantity", "A quantity is between 1 and 1,000,000,000 units, not {quantity}.";
        BadCost { unit_cost: i64 } => Invalid, "inventory.bad_cost", "A unit cost is zero or more, and a receipt worth less than 10^15 minor units; {unit_cost} is not.";
        TwoLines { sku: String } => Invalid, "inventory.purchase_two_lines", "SKU {sku} is on two lines: put them into one.";
        UnknownPurchase { purchase: PurchaseId } => NotFound, "inventory.unknown_purchase", "There is no purchase order {purchase}.";
        NotDraft { number: String } => Conflict, "inventory.purchase_not_draft", "Purchase order {number} is ordered or cancelled and stays as it is: cancel what shall not come, and make another.";
        UnknownSupplier { supplier: SupplierId } => NotFound, "inventory.unknown_supplier", "There is no supplier {supplier}.";
        UnknownSku { sku: SkuId } => NotFound, "inventory.unknown_sku", "There is no SKU {sku}.";
        NotStocked { sku: String } => Conflict, "inventory.not_stocked", "SKU {sku} is a bundle or a service and has no stock of its own: name what is inside.";
        UnknownLocation { location: LocationId } => NotFound, "inventory.unknown_location", "There is no location {location}.";
        NotOurs { location: String } => Conflict, "inventory.purchase_not_ours", "What lies at {location} belongs to a supplier: order to a location of ours.";
    }
}
impl From<Miss> for SavePurchaseRefused {
    fn from(miss: Miss) -> Self {
        match miss {
            Miss::Sku(sku) => Self::UnknownSku { sku },
            Miss::NotStocked(sku) => Self::NotStocked { sku },
            Miss::Location(location) => Self::UnknownLocation { location },
        }
    }
}

/// Saves purchase orders; their ids in order. Events: `purchase.saved` for each.
///
/// # Errors
/// A fault of the database.
pub async fn save_purchases(
    tx: &Tx,
    batch: &[SavePurchase],
) -> Result<Vec<Result<PurchaseId, SavePurchaseRefused>>, Fault> {
    let drafts: Vec<PurchaseId> = batch.iter().filter_map(|p| p.purchase).collect();
    let book = Book::lock(tx, drafts.into_iter()).await?;
    let places: Vec<(SkuId, LocationId)> =
        batch.iter().flat_map(|p| p.lines.iter().map(|l| (l.sku, p.location))).collect();
    let ground = Ground::lock(tx, places.into_iter()).await?;
    let suppliers: HashSet<SupplierId> = catalog::suppliers(tx).await?.into_iter().map(|s| s.id).collect();
    let outcomes: Vec<Result<(), SavePurchaseRefused>> =
        batch.iter().map(|want| decide(&book, &ground, &suppliers, want)).collect();
    let new = batch.iter().zip(&outcomes).filter(|(p, o)| p.purchase.is_none() && o.is_ok()).count();
    let mut numbers = match new {
        0 => None,
        new => Some(tx.numbers("purchases", new as u64).await?),
    };
    let mut written = Written::new();
    let mut answers = Vec::with_capacity(batch.len());
    for (want, outcome) in batch.iter().zip(outcomes) {
        if let Err(refused) = outcome {
            answers.push(Err(refused));
            continue;
        }
        let (id, number) = match want.purchase.and_then(|id| book.0.get(&id)) {
            Some(held) => (held.head.id, held.head.number.clone()),
            None => {
                let n = numbers
                    .as_mut()
                    .and_then(Iterator::next)
                    .ok_or_else(|| Fault::broken("fewer numbers than purchase orders"))?;
                (tx.id(), format!("PO-{n}"))
            }
        };
        written.put(id, &number, want);
        let units = want.lines.iter().map(|l| l.quantity).sum();
        let (supplier, location, new) = (want.supplier, want.location, want.purchase.is_none());
        tx.record(want.at, id, None, PurchaseSaved { purchase: id, number, supplier, location, units, new })?;
        answers.push(Ok(id));
    }
    written.write(tx).await?;
    Ok(answers)
}

/// Pure.
fn decide(
    book: &Book,
    ground: &Ground,
    suppliers: &HashSet<SupplierId>,
    want: &SavePurchase,
) -> Result<(), SavePurchaseRefused> {
    if !(1..=MOST_LINES).contains(&want.lines.len()) {
        return Err(SavePurchaseRefused::NoLines);
    }
    let mut seen = BTreeSet::new();
    for line in &want.lines {
        let &Wanted { sku, quantity, unit_cost } = line;
        if !(1..=MAX_UNITS).contains(&quantity) {
            return Err(SavePurchaseRefused::BadQuantity { quantity });
        }
        let worth = quantity.checked_mul(unit_cost);
        if unit_cost < 0 || worth.is_none_or(|w| w >= MAX_VALUE) {
            return Err(SavePurchaseRefused::BadCost { unit_cost });
        }
        if !seen.insert(sku) {
            return Err(SavePurchaseRefused::TwoLines { sku: ground.code(sku) });
        }
    }
    if let Some(purchase) = want.purchase {
        let held = book.0.get(&purchase).ok_or(SavePurchaseRefused::UnknownPurchase { purchase })?;
        if !Held::is_draft(held) {
            return Err(SavePurchaseRefused::NotDraft { number: held.head.number.clone() });
        }
    }
    if !suppliers.contains(&want.supplier) {
        return Err(SavePurchaseRefused::UnknownSupplier { supplier: want.supplier });
    }
    for line in &want.lines {
        if !ground.owned(line.sku, want.location)? {
            return Err(SavePurchaseRefused::NotOurs { location: ground.location_code(want.location) });
        }
    }
    Ok(())
}

/// The rows of a batch.
struct Written {
    new: Rows,
    changed: Rows,
    lines: Rows,
}

impl Written {
    fn new() -> Self {
        Self {
            new: Rows::new(
                "id BIGINT, number TEXT, supplier_id BIGINT, location_id BIGINT, reference TEXT?, expected_at BIGINT?, units BIGINT, created_at BIGINT",
            ),
            changed: Rows::new(
                "id BIGINT, supplier_id BIGINT, location_id BIGINT, reference TEXT?, expected_at BIGINT?, units BIGINT",
            ),
            lines: Rows::new(
                "purchase_id BIGINT, position BIGINT, sku_id BIGINT, ordered BIGINT, unit_cost BIGINT",
            ),
        }
    }
    fn put(&mut self, id: PurchaseId, number: &str, want: &SavePurchase) {
        let units: i64 = want.lines.iter().map(|l| l.quantity).sum();
        let reference = want.reference.as_deref().map(str::trim).filter(|r| !r.is_empty()).map(str::to_owned);
        let (supplier, location) = (want.supplier, want.location);
        match want.purchase {
            None => self.new.push([
                id.into(),
                number.into(),
                supplier.into(),
                location.into(),
                reference.into(),
                want.expected_at.into(),
                units.into(),
                want.at.into(),
            ]),
            Some(_) => self.changed.push([
                id.into(),
                supplier.into(),
                location.into(),
                reference.into(),
                want.expected_at.into(),
                units.into(),
            ]),
        }
        for (position, line) in (0i64..).zip(&want.lines) {
            self.lines.push([
                id.into(),
                position.into(),
                line.sku.into(),
                line.quantity.into(),
                line.unit_cost.into(),
            ]);
        }
    }
    async fn write(&self, tx: &Tx) -> Result<(), Fault> {
        tx.insert("purchase", &self.new).await?;
        let text = "UPDATE purchase SET supplier_id = input.supplier_id, location_id = input.location_id, reference = input.reference, \
             expected_at = input.expected_at, units = input.units, version = purchase.version + 1 FROM input WHERE purchase.id = input.id";
        tx.exec_from(&self.changed, text, []).await?;
        let text = "DELETE FROM purchase_line WHERE purchase_id IN (SELECT id FROM input)";
        tx.exec_from(&self.changed, text, []).await?;
        tx.insert("purchase_line", &self.lines).await?;
        Ok(())
    }
}
