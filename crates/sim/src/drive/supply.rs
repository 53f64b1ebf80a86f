//! What is bought, and what is counted on sheets.

use crate::Trouble;
use crate::shop::Shop;
use crate::sim::Sim;
use inventory::purchase::{
    CancelPurchase, OrderPurchase, PurchaseId, ReceivePurchase, SavePurchase, Wanted, cancel_purchases,
    order_purchases, receive_purchases, save_purchases,
};
use inventory::sheet::{ApproveSheet, EnterCount, StartSheet, approve_sheets, enter_counts, start_sheets};
use inventory::{Adjust, adjust};

impl Sim {
    /// A purchase order of one SKU: three quarters come, then more than the rest, once without and once with a reason; what comes is worth
    /// what it was ordered for. Of every other one nothing more comes, and the rest is cancelled.
    pub(crate) async fn bought(
        &mut self,
        sku: usize,
        place: usize,
        units: i64,
        unit_cost: i64,
    ) -> Result<(), Trouble> {
        let Some(purchase) = self.ordered(sku, place, units, unit_cost).await? else { return Ok(()) };
        let first = (units * 3 / 4).max(1);
        if !self.came(purchase, sku, first, None).await? {
            return Err(Trouble::new("purchase.receive", format!("{first} of {units} are refused")));
        }
        self.arrived(sku, place, first, unit_cost);
        let rest = units - first;
        if units % 2 == 0 {
            let at = self.at();
            let one = [CancelPurchase { at, purchase, reason: "sim".into() }];
            let told = db::write!(self.db, &self.by, |tx| cancel_purchases(tx, &one).await)?;
            self.heard(&told);
            if told.first().is_some_and(Result::is_ok) != (rest > 0) {
                return Err(Trouble::new("purchase.cancel", format!("{rest} are to come: {told:?}")));
            }
            return Ok(());
        }
        if self.came(purchase, sku, rest + 2, None).await? {
            return Err(Trouble::new("purchase.surplus", format!("{} of {rest} are taken", rest + 2)));
        }
        if !self.came(purchase, sku, rest + 2, Some("sim")).await? {
            return Err(Trouble::new("purchase.surplus", "a surplus that is explained is refused"));
        }
        self.arrived(sku, place, rest + 2, unit_cost);
        Ok(())
    }
    /// Saved and sent; nothing where the location is not ours.
    async fn ordered(
        &mut self,
        sku: usize,
        place: usize,
        quantity: i64,
        unit_cost: i64,
    ) -> Result<Option<PurchaseId>, Trouble> {
        let (at, location) = (self.at(), self.shop.places[place]);
        let suppliers = catalog::suppliers(self.db.read()).await?;
        let Some(supplier) = suppliers.first().map(|s| s.id) else { return Ok(None) };
        let lines = vec![Wanted { sku: self.shop.skus[sku], quantity, unit_cost }];
        let (purchase, reference, expected_at) = (None, None, None);
        let one = [SavePurchase { at, purchase, supplier, location, reference, expected_at, lines }];
        let told = db::write!(self.db, &self.by, |tx| save_purchases(tx, &one).await)?;
        self.heard(&told);
        let saved = told.into_iter().next().and_then(Result::ok);
        if saved.is_some() != Shop::ours(place) {
            return Err(Trouble::new("purchase.save", format!("at {place}: {saved:?}")));
        }
        if let Some(purchase) = saved {
            let one = [OrderPurchase { at, purchase }];
            let told = db::write!(self.db, &self.by, |tx| order_purchases(tx, &one).await)?;
            self.heard(&told);
        }
        Ok(saved)
    }
    /// Whether so many units are taken.
    async fn came(
        &mut self,
        purchase: PurchaseId,
        sku: usize,
        units: i64,
        why: Option<&str>,
    ) -> Result<bool, Trouble> {
        let (at, reference, surplus_reason) = (self.at(), None, why.map(str::to_owned));
        let lines = vec![(self.shop.skus[sku], units)];
        let one = [ReceivePurchase { at, purchase, lines, reference, surplus_reason }];
        let told = db::write!(self.db, &self.by, |tx| receive_purchases(tx, &one).await)?;
        self.heard(&told);
        Ok(told.first().is_some_and(Result::is_ok))
    }
    fn arrived(&mut self, sku: usize, place: usize, units: i64, unit_cost: i64) {
        self.model.put(sku, place, units, units * unit_cost);
        self.model.post("1200", "2050", units * unit_cost);
    }
    /// Counts a SKU on a sheet as `more` than is there, lets two be found elsewhere on the shelf, and approves.
    pub(crate) async fn on_a_sheet(&mut self, sku: usize, place: usize, more: i64) -> Result<(), Trouble> {
        let (at, location) = (self.at(), self.shop.places[place]);
        let one = [StartSheet { at, location, bins: String::new() }];
        let told = db::write!(self.db, &self.by, |tx| start_sheets(tx, &one).await)?;
        self.heard(&told);
        let Some(sheet) = told.into_iter().next().and_then(Result::ok) else { return Ok(()) };
        let (id, there) = (self.shop.skus[sku], self.model.on_hand[sku][place]);
        let one = [EnterCount { at, sheet, sku: id, counted: there + more }];
        let told = db::write!(self.db, &self.by, |tx| enter_counts(tx, &one).await)?;
        self.heard(&told);
        let entered = told.first().is_some_and(Result::is_ok);
        let one = [Adjust { at, sku: id, location, delta: 2, reason: "sim".into() }];
        let told = db::write!(self.db, &self.by, |tx| adjust(tx, &one).await)?;
        self.heard(&told);
        if told.first().is_some_and(Result::is_ok) {
            self.model.adjust(sku, place, 2);
        }
        let one = [ApproveSheet { at, sheet }];
        let told = db::write!(self.db, &self.by, |tx| approve_sheets(tx, &one).await)?;
        self.heard(&told);
        if told.first().is_some_and(Result::is_ok) != entered {
            return Err(Trouble::new("sheet.approve", format!("entered {entered}: {told:?}")));
        }
        let text = "SELECT COALESCE(outcome, '') FROM count_line WHERE sheet_id = $1 AND sku_id = $2";
        let outcome: Option<String> = self.db.read().scalar(text, [sheet.into(), id.into()]).await?;
        if outcome.as_deref() == Some("adjusted") {
            self.model.adjust(sku, place, more);
        }
        Ok(())
    }
}
