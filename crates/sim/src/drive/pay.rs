//! Money: captures, voids, goodwill, transfers, disputes, store credit, and the closing of the books.

use crate::Trouble;
use crate::model::Tender;
use crate::sim::Sim;
use crate::step::No;
use kernel::Timestamp;
use payments::{Capture, Confirm, GrantRefund, RefundTo, Void};

impl Sim {
    fn tenders_of(&mut self, no: No, gateway: &str) -> Vec<Tender> {
        self.known(&[no]);
        let all = self.model.order(no).map_or(&[][..], |o| &o.tenders);
        all.iter().filter(|t| t.gateway == gateway).cloned().collect()
    }
    /// Some of what is authorised is captured.
    pub(crate) async fn capture(&mut self, no: No, permille: i64) -> Result<(), Trouble> {
        let at = self.at();
        for tender in self.tenders_of(no, "sim") {
            let amount = tender.amount * permille / 1000;
            let capture = Capture { at, payment: tender.id, amount: Some(amount) };
            let told =
                db::write!(self.db, &self.by, |tx| payments::capture(tx, std::slice::from_ref(&capture))
                    .await)?;
            self.heard(&told);
            if told.first().is_some_and(Result::is_ok) && amount > tender.amount {
                return Err(Trouble::new("payments.capture", format!("{capture:?} of {tender:?}")));
            }
        }
        Ok(())
    }
    /// What is authorised is let go; nobody is waited for any more.
    pub(crate) async fn void(&mut self, no: No) -> Result<(), Trouble> {
        let at = self.at();
        let mut all = self.tenders_of(no, "sim");
        all.extend(self.tenders_of(no, "manual"));
        let batch: Vec<Void> = all.iter().map(|t| Void { at, payment: t.id }).collect();
        let told = db::write!(self.db, &self.by, |tx| payments::void(tx, &batch).await)?;
        self.heard(&told);
        Ok(())
    }
    /// Goodwill.
    pub(crate) async fn refund(&mut self, no: No, amount: i64, credit: bool) -> Result<(), Trouble> {
        let at = self.at();
        for (no, order) in self.known(&[no]) {
            let to = if credit { RefundTo::StoreCredit } else { RefundTo::Tenders };
            let grant = GrantRefund {
                at,
                order: order.0,
                return_id: None,
                amount: self.cent_too_much(amount),
                reason: "goodwill".into(),
                to,
                recorded: false,
            };
            let told = db::write!(self.db, &self.by, |tx| payments::grant_refunds(
                tx,
                std::slice::from_ref(&grant)
            )
            .await)?;
            self.heard(&told);
            if told.first().is_some_and(Result::is_ok) {
                if amount <= 0 {
                    return Err(Trouble::new("refunds.positive", format!("{grant:?} was granted")));
                }
                self.granted(no, amount);
            }
        }
        Ok(())
    }
    #[cfg(not(test))]
    fn cent_too_much(&self, amount: i64) -> i64 {
        amount
    }
    /// Plants a cent on top of goodwill.
    #[cfg(test)]
    fn cent_too_much(&self, amount: i64) -> i64 {
        let planted = self.plant == Some(crate::sim::Plant::CentTooMuch) && amount > 0;
        if planted { amount + 1 } else { amount }
    }
    /// Transfers and cash arrive.
    pub(crate) async fn arrives(&mut self, nos: &[No], permille: i64) -> Result<(), Trouble> {
        let at = self.at();
        let (mut batch, mut owners) = (Vec::new(), Vec::new());
        for no in nos {
            for tender in self.tenders_of(*no, "manual") {
                let amount = (tender.amount * permille / 1000).max(1);
                let reference = format!("bank-{}-{no}", self.now);
                batch.push(Confirm { at, payment: tender.id, amount: Some(amount), reference });
                owners.push((*no, tender.id, amount));
            }
        }
        let told = db::write!(self.db, &self.by, |tx| payments::confirm(tx, &batch).await)?;
        self.heard(&told);
        for (((no, id, amount), confirm), outcome) in owners.into_iter().zip(&batch).zip(told) {
            if outcome.is_err() {
                continue;
            }
            self.model.post("1000", "1100", amount);
            let tenders = self.model.orders.get_mut(&no).map(|o| &mut o.tenders);
            if let Some(tender) = tenders.into_iter().flatten().find(|t| t.id == id) {
                tender.taken += amount;
                if tender.taken > tender.amount {
                    return Err(Trouble::new("payments.confirm", format!("{confirm:?} on {tender:?}")));
                }
            }
        }
        Ok(())
    }
    /// The customer's bank takes money back.
    pub(crate) fn dispute(&mut self, no: No, permille: i64) {
        for tender in self.tenders_of(no, "sim") {
            self.world.look().dispute(tender.id.0, permille);
        }
    }
    /// A dispute ends.
    pub(crate) fn disputed(&mut self, no: No, won: bool) {
        for tender in self.tenders_of(no, "sim") {
            self.world.look().decide_dispute(tender.id.0, won);
        }
    }
    /// Store credit is given by hand.
    pub(crate) async fn grant(&mut self, no: No, amount: i64) -> Result<(), Trouble> {
        let at = self.at();
        self.known(&[no]);
        let Some(order) = self.model.order(no) else { return Ok(()) };
        let entry = customers::CreditEntry {
            at,
            // Whoever has kept the id from when the order was placed may still say it.
            customer: order.placed_by,
            currency: self.shop.eur,
            amount,
            reason: "sorry".into(),
            order: None,
            reference: format!("hand-{}", self.now),
        };
        let told =
            db::write!(self.db, &self.by, |tx| customers::post_credit(tx, std::slice::from_ref(&entry))
                .await)?;
        self.heard(&told);
        if told.first().is_some_and(Result::is_ok) {
            self.model.post("5500", "2200", amount);
            self.model.given += amount;
        }
        Ok(())
    }
    /// The books of the month before are closed.
    pub(crate) async fn close(&mut self) -> Result<(), Trouble> {
        let at = self.at();
        let month = books::Month::of(at.plus(-31 * Timestamp::DAY))?.to_string();
        let close = books::ClosePeriod { at, month };
        let told =
            db::write!(self.db, &self.by, |tx| books::close_periods(tx, std::slice::from_ref(&close)).await)?;
        self.heard(&told);
        Ok(())
    }
}
