//! What comes next on the shelves of the demo shop: purchase orders at every stage, a file of SKUs that waits to be confirmed, a count sheet
//! that is half done. Invariant: made by the commands that the API calls.

use super::goods::HAMBURG;
use super::{Shop, granted};
use crate::Failure;
use catalog::import::{ReadImport, read_import};
use inventory::purchase::{
    OrderPurchase, PurchaseId, ReceivePurchase, SavePurchase, Wanted, order_purchases, receive_purchases,
    save_purchases,
};
use inventory::sheet::{EnterCount, StartSheet, enter_counts, start_sheets};
use kernel::{Fault, Timestamp};

/// A new colour, a dearer mug, one as it is, and one that nobody can read.
const FILE: &str = "sku,title,price_eur,weight_g,for_sale\nMUG-GREEN,\"Mug, moss green\",12.90,350,yes\nMUG-BLUE,,13.50,,\nMUG-SAND,,12.90,350,\nMUG-RED,\"Mug, red\",\"12,90\",,\n";

/// Arranges it.
///
/// # Errors
/// Faults; a refusal is one too, because the demo is made to be taken.
pub async fn arrange(shop: &Shop) -> Result<(), Failure> {
    purchases(shop).await?;
    sheet(shop).await?;
    let (at, by) = (shop.now(), shop.actor.clone());
    let file = ReadImport { at, name: "mugs.csv".into(), bytes: FILE.as_bytes().to_vec(), by };
    granted(vec![db::write!(shop.ctx.db, &shop.actor, |tx| read_import(tx, &file).await)?])?;
    Ok(())
}

async fn purchases(shop: &Shop) -> Result<(), Failure> {
    let at = shop.now();
    let suppliers = catalog::suppliers(shop.ctx.db.read()).await?;
    let supplier = suppliers.first().ok_or_else(|| Fault::broken("the demo has no supplier"))?.id;
    let order = |days: i64, lines: &[(&str, i64, i64)]| -> Result<SavePurchase, Failure> {
        let line = |&(code, quantity, unit_cost): &(&str, i64, i64)| -> Result<Wanted, Failure> {
            Ok(Wanted { sku: shop.sku(code)?, quantity, unit_cost })
        };
        Ok(SavePurchase {
            at,
            purchase: None,
            supplier,
            location: shop.location(HAMBURG)?,
            reference: Some(format!("MM-{}", 4410 + days)),
            expected_at: Some(at.plus(days * Timestamp::DAY)),
            lines: lines.iter().map(line).collect::<Result<_, _>>()?,
        })
    };
    let batch = [
        order(-3, &[("KETTLE-1L", 24, 2410), ("PRESS-8", 12, 1490), ("MOKA-6", 12, 1240)])?,
        order(9, &[("GRINDER-H", 20, 3850), ("TAMPER-58", 30, 1090)])?,
        order(20, &[("MUG-BLUE", 144, 370), ("MUG-SAND", 144, 370)])?,
    ];
    let ids: Vec<PurchaseId> =
        granted(db::write!(shop.ctx.db, &shop.actor, |tx| save_purchases(tx, &batch).await)?)?;
    let sent: Vec<OrderPurchase> =
        ids.iter().take(2).map(|purchase| OrderPurchase { at, purchase: *purchase }).collect();
    granted(db::write!(shop.ctx.db, &shop.actor, |tx| order_purchases(tx, &sent).await)?)?;
    let came = ReceivePurchase {
        at,
        purchase: ids[0],
        lines: vec![(shop.sku("KETTLE-1L")?, 25), (shop.sku("PRESS-8")?, 8)],
        reference: Some("DN-2231".into()),
        surplus_reason: Some("One more in the last box".into()),
    };
    granted(
        db::write!(shop.ctx.db, &shop.actor, |tx| receive_purchases(tx, std::slice::from_ref(&came)).await)?
    )?;
    Ok(())
}

/// Three shelves are counted: a brush is missing, a mug too many, filters are as the books say.
async fn sheet(shop: &Shop) -> Result<(), Failure> {
    let (at, location) = (shop.now(), shop.location(HAMBURG)?);
    let start = [StartSheet { at, location, bins: String::new() }];
    let sheet = granted(db::write!(shop.ctx.db, &shop.actor, |tx| start_sheets(tx, &start).await)?)?[0];
    let mut counts = Vec::new();
    for (code, more) in [("BRUSH", -1), ("MUG-SAND", 1), ("FILTER-02-100", 0)] {
        let sku = shop.sku(code)?;
        let text = "SELECT on_hand FROM stock WHERE sku_id = $1 AND location_id = $2";
        let there: Option<i64> = shop.ctx.db.read().scalar(text, [sku.into(), location.into()]).await?;
        counts.push(EnterCount { at, sheet, sku, counted: (there.unwrap_or(0) + more).max(0) });
    }
    granted(db::write!(shop.ctx.db, &shop.actor, |tx| enter_counts(tx, &counts).await)?)?;
    Ok(())
}
