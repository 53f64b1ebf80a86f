//! Stock and carts.

use crate::Trouble;
use crate::shop::Shop;
use crate::sim::Sim;
use crate::step::Stock;
use inventory::{Adjust, Count, Quarantine, QuarantineStep, Receive, Reserve, SetSafety, Transfer};
use kernel::Timestamp;

impl Sim {
    /// Something happens to units of a SKU at a place.
    pub(crate) async fn shelf(
        &mut self,
        stock: Stock,
        sku: usize,
        place: usize,
        units: i64,
    ) -> Result<(), Trouble> {
        match stock {
            Stock::Receive { cost } => self.receive(sku, place, units, cost).await,
            Stock::Buy { cost } => self.bought(sku, place, units, cost).await,
            Stock::Sheet => self.on_a_sheet(sku, place, units).await,
            Stock::Adjust => self.found(sku, place, units).await,
            Stock::Count => self.counted(sku, place, units).await,
            Stock::Transfer => self.moved(sku, place, units).await,
            Stock::Aside => self.aside(sku, place, units, QuarantineStep::Enter).await,
            Stock::Back => self.aside(sku, place, units, QuarantineStep::Leave).await,
            Stock::WriteOff => self.aside(sku, place, units, QuarantineStep::WriteOff).await,
            Stock::Safety => self.safety(sku, place, units).await,
        }
    }
    async fn receive(
        &mut self,
        sku: usize,
        place: usize,
        quantity: i64,
        unit_cost: i64,
    ) -> Result<(), Trouble> {
        let (at, location) = (self.at(), self.shop.places[place]);
        let one = Receive { at, sku: self.shop.skus[sku], location, quantity, unit_cost, reference: None };
        let told =
            db::write!(self.db, &self.by, |tx| inventory::receive(tx, std::slice::from_ref(&one)).await)?;
        self.heard(&told);
        if told.first().is_none_or(Result::is_err) {
            return Err(Trouble::new("stock.receive", format!("{one:?}: {told:?}")));
        }
        let value = if Shop::ours(place) { quantity * unit_cost } else { 0 };
        self.model.put(sku, place, quantity, value);
        self.model.post("1200", "2050", value);
        Ok(())
    }
    async fn found(&mut self, sku: usize, place: usize, delta: i64) -> Result<(), Trouble> {
        let (at, location) = (self.at(), self.shop.places[place]);
        let one = Adjust { at, sku: self.shop.skus[sku], location, delta, reason: "sim".into() };
        let told =
            db::write!(self.db, &self.by, |tx| inventory::adjust(tx, std::slice::from_ref(&one)).await)?;
        self.heard(&told);
        if told.first().is_some_and(Result::is_ok) {
            self.model.adjust(sku, place, delta);
        }
        Ok(())
    }
    async fn counted(&mut self, sku: usize, place: usize, more: i64) -> Result<(), Trouble> {
        let (at, location, there) = (self.at(), self.shop.places[place], self.model.on_hand[sku][place]);
        let one = Count { at, sku: self.shop.skus[sku], location, counted: there + more };
        let told =
            db::write!(self.db, &self.by, |tx| inventory::count(tx, std::slice::from_ref(&one)).await)?;
        self.heard(&told);
        match told.first() {
            Some(Ok(delta)) if *delta == more => self.model.adjust(sku, place, more),
            Some(Ok(delta)) => {
                return Err(Trouble::new("stock.count", format!("{one:?} of {there} is {delta}")));
            }
            _ => {}
        }
        Ok(())
    }
    async fn moved(&mut self, sku: usize, place: usize, quantity: i64) -> Result<(), Trouble> {
        let to = (place + 1) % self.shop.places.len();
        let (at, from, reason) = (self.at(), self.shop.places[place], None);
        let one = Transfer { at, sku: self.shop.skus[sku], from, to: self.shop.places[to], quantity, reason };
        let told =
            db::write!(self.db, &self.by, |tx| inventory::transfer(tx, std::slice::from_ref(&one)).await)?;
        self.heard(&told);
        if told.first().is_some_and(Result::is_ok) {
            if !Shop::ours(place) || !Shop::ours(to) {
                return Err(Trouble::new("stock.transfer", format!("a supplier's stock moved: {one:?}")));
            }
            self.model.on_hand[sku][place] -= quantity;
            self.model.on_hand[sku][to] += quantity;
        }
        Ok(())
    }
    async fn aside(
        &mut self,
        sku: usize,
        place: usize,
        quantity: i64,
        step: QuarantineStep,
    ) -> Result<(), Trouble> {
        let (at, location) = (self.at(), self.shop.places[place]);
        let one = Quarantine { at, sku: self.shop.skus[sku], location, quantity, step, reason: "sim".into() };
        let told =
            db::write!(self.db, &self.by, |tx| inventory::quarantine(tx, std::slice::from_ref(&one)).await)?;
        self.heard(&told);
        if told.first().is_none_or(Result::is_err) {
            return Ok(());
        }
        match step {
            QuarantineStep::Enter => {
                self.model.on_hand[sku][place] -= quantity;
                self.model.aside[sku][place] += quantity;
            }
            QuarantineStep::Leave => {
                self.model.on_hand[sku][place] += quantity;
                self.model.aside[sku][place] -= quantity;
            }
            QuarantineStep::WriteOff => {
                self.model.aside[sku][place] -= quantity;
                let value = self.model.cost_out(sku, place, quantity);
                self.model.post("5300", "1200", value);
            }
        }
        Ok(())
    }
    async fn safety(&mut self, sku: usize, place: usize, units: i64) -> Result<(), Trouble> {
        let (at, location) = (self.at(), self.shop.places[place]);
        let one =
            SetSafety { at, sku: self.shop.skus[sku], location, safety: Some(units), channel_safety: None };
        let told =
            db::write!(self.db, &self.by, |tx| inventory::set_safety(tx, std::slice::from_ref(&one)).await)?;
        self.heard(&told);
        Ok(())
    }
    /// A cart keeps units.
    pub(crate) async fn reserve(
        &mut self,
        cart: u32,
        sku: usize,
        units: i64,
        minutes: i64,
    ) -> Result<(), Trouble> {
        let at = self.at();
        let expires_at = at.plus(minutes * Timestamp::MINUTE);
        let one = Reserve { at, expires_at, lines: vec![(self.shop.skus[sku], units)] };
        let told =
            db::write!(self.db, &self.by, |tx| inventory::reserve(tx, std::slice::from_ref(&one)).await)?;
        self.heard(&told);
        if let Some(Ok(id)) = told.into_iter().next() {
            self.carts.insert(cart, id);
        }
        Ok(())
    }
    /// It is given up.
    pub(crate) async fn unreserve(&mut self, cart: u32) -> Result<(), Trouble> {
        let Some(id) = self.carts.get(&cart).copied() else { return Ok(()) };
        let told = db::write!(self.db, &self.by, |tx| inventory::release_reservations(tx, &[id]).await)?;
        let told: Vec<Result<(), ()>> =
            told.into_iter().map(|open| if open { Ok(()) } else { Err(()) }).collect();
        self.heard(&told);
        Ok(())
    }
}
