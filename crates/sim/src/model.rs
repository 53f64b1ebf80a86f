//! The auditor's own model of a shop: units per line, stock per SKU and place, money per order, books per pair of accounts. It learns only
//! from what was asked and answered, and from what the outside world really did; it does its own arithmetic.
//!
//! Invariant: nothing in here goes below zero; what would is an offence of whoever said that it happened.

use crate::Trouble;
use crate::shop::{PLACES, SERVICE, SIMPLE, Shop};
use crate::step::{No, Wish};
use customers::CustomerId;
use orders::{LineId, OrderId};
use payments::PaymentId;
use returns::ReturnId;
use shipping::ShipmentId;
use std::collections::{BTreeMap, BTreeSet};
use warehouse::ParcelId;

/// What a range of a line's units is worth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Worth {
    /// Discount without tax.
    pub off: i64,
    /// Goods without tax.
    pub net: i64,
    /// Tax on goods.
    pub tax: i64,
    /// Shipping without tax.
    pub shipping: i64,
    /// Tax on that.
    pub shipping_tax: i64,
    /// Fee.
    pub fee: i64,
}
impl Worth {
    /// What the customer pays.
    pub fn total(&self) -> i64 {
        self.net + self.tax + self.shipping + self.shipping_tax + self.fee
    }
}

/// The first `k` of `n` units have this share of a total.
fn upto(total: i64, n: i64, k: i64) -> i64 {
    (i128::from(total) * i128::from(k)).div_euclid(i128::from(n.max(1))) as i64
}

/// A line of an order.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its id.
    pub id: LineId,
    /// Index of the SKU.
    pub sku: usize,
    /// Units.
    pub ordered: i64,
    /// All of it.
    pub whole: Worth,
    /// Will not ship.
    pub cancelled: i64,
    /// In a tote.
    pub picked: i64,
    /// In a parcel.
    pub packed: i64,
    /// Gone.
    pub shipped: i64,
    /// There.
    pub delivered: i64,
    /// Lost.
    pub lost: i64,
    /// Came back and accepted.
    pub returned: i64,
    /// What the shipped units had cost.
    pub cost: i64,
    /// Numbers of units that are asked back or came back.
    pub asked_back: BTreeSet<i64>,
}

impl Line {
    /// What units `from..to` are worth: each part that customers see is split by the rule of cumulative shares.
    pub fn worth(&self, from: i64, to: i64) -> Worth {
        let share = |total: i64| upto(total, self.ordered, to) - upto(total, self.ordered, from);
        let (w, net, shipping) = (&self.whole, share(self.whole.net), share(self.whole.shipping));
        Worth {
            off: share(w.off),
            net,
            tax: share(w.net + w.tax) - net,
            shipping,
            shipping_tax: share(w.shipping + w.shipping_tax) - shipping,
            fee: share(w.fee),
        }
    }
    /// Units nobody has picked.
    pub fn untouched(&self) -> i64 {
        self.ordered - self.cancelled - self.picked - self.packed - self.shipped
    }
    /// What a shipped unit had cost.
    pub fn unit_cost(&self, unit: i64) -> i64 {
        upto(self.cost, self.shipped, unit + 1) - upto(self.cost, self.shipped, unit)
    }
}

/// A tender of an order.
#[derive(Debug, Clone)]
pub struct Tender {
    /// Its id.
    pub id: PaymentId,
    /// Gateway.
    pub gateway: String,
    /// Minor units.
    pub amount: i64,
    /// Taken without asking the gateway: transfers, cash, credit, exchange.
    pub taken: i64,
}

/// An order.
#[derive(Debug, Clone)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// Its number for people.
    pub number: String,
    /// Where to write to.
    pub email: Option<String>,
    /// Whose, when it was placed.
    pub placed_by: CustomerId,
    /// Whose it is now: of whom that customer was merged into.
    pub customer: CustomerId,
    /// Lines.
    pub lines: Vec<Line>,
    /// What is to be paid.
    pub total: i64,
    /// Share of cancelled units.
    pub cancelled_total: i64,
    /// Credit of returned units.
    pub returned_total: i64,
    /// Refunds granted in all.
    pub granted: i64,
    /// Tenders.
    pub tenders: Vec<Tender>,
}

/// A parcel.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// Which order.
    pub no: No,
    /// Where it was packed.
    pub place: usize,
    /// Lines (by index) and units.
    pub lines: Vec<(usize, i64)>,
    /// Gone.
    pub shipped: bool,
}

/// A parcel with a label.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Which order.
    pub no: No,
    /// Which parcel.
    pub parcel: ParcelId,
    /// Whose label.
    pub carrier: String,
    /// Its number.
    pub tracking_number: String,
    /// The label is void.
    pub void: bool,
    /// It was said that it left.
    pub left: bool,
    /// Rank of what is known of it, and whether the units are counted.
    pub said: (usize, bool),
    /// Ranks that carriers told us, and that are not known yet.
    pub told: Vec<usize>,
    /// The units were counted by this rank, which has to be said.
    pub ends: Option<usize>,
}

/// A unit on its way back.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Line, by index.
    pub line: usize,
    /// Its number in the line.
    pub number: i64,
    /// It is here.
    pub here: bool,
    /// Decided.
    pub decided: bool,
}

/// A return.
#[derive(Debug, Clone)]
pub struct Back {
    /// Its id.
    pub id: ReturnId,
    /// Our fault: shipping is given back too.
    pub ours: bool,
    /// Where it arrived.
    pub place: usize,
    /// Units.
    pub units: Vec<Unit>,
    /// Credited so far.
    pub credited: i64,
    /// Over: settled or declined.
    pub over: bool,
}

/// The model.
#[derive(Debug, Default)]
pub struct Model {
    /// Orders, by number.
    pub orders: BTreeMap<No, Order>,
    /// Whose an e-mail address is.
    pub people: BTreeMap<String, CustomerId>,
    /// Keys that were refused, with the code.
    pub refused: BTreeMap<No, String>,
    /// Parcels.
    pub parcels: BTreeMap<ParcelId, Parcel>,
    /// Parcels by order.
    pub parcels_of: BTreeMap<No, Vec<ParcelId>>,
    /// Parcels with labels.
    pub sent: BTreeMap<ShipmentId, Sent>,
    /// Ids of what carriers told us.
    pub heard: BTreeSet<String>,
    /// E-mails that are called for.
    pub mails: crate::auditor::Mails,
    /// Webhooks that are.
    pub hooks: crate::auditor::Hooks,
    /// Rate-card labels that were bought and not given back.
    pub labels: BTreeMap<ShipmentId, i64>,
    /// The last return of each order.
    pub back: BTreeMap<No, Back>,
    /// On hand, by SKU and place.
    pub on_hand: [[i64; PLACES]; SIMPLE],
    /// Aside, by SKU and place.
    pub aside: [[i64; PLACES]; SIMPLE],
    /// Units we own and their value.
    pub owned: [(i64, i64); SIMPLE],
    /// Units of open orders, by SKU.
    pub open: [i64; SIMPLE],
    /// Postings that follow from what was answered: (debit, credit).
    pub books: BTreeMap<(&'static str, &'static str), i64>,
    /// Orders with services that wait.
    pub services: BTreeSet<No>,
    /// Refunds granted in all.
    pub granted: i64,
    /// Store credit given by hand.
    pub given: i64,
}

impl Model {
    /// An order by number.
    pub fn order(&self, no: No) -> Option<&Order> {
        self.orders.get(&no)
    }
    /// Moves money between accounts; negative amounts the other way.
    pub fn post(&mut self, debit: &'static str, credit: &'static str, amount: i64) {
        match amount {
            0 => {}
            1.. => *self.books.entry((debit, credit)).or_default() += amount,
            _ => *self.books.entry((credit, debit)).or_default() -= amount,
        }
    }
    /// Units come to a place, at a value.
    pub fn put(&mut self, sku: usize, place: usize, units: i64, value: i64) {
        self.on_hand[sku][place] += units;
        if Shop::ours(place) {
            self.owned[sku].0 += units;
            self.owned[sku].1 += value;
        }
    }
    /// What units are worth at the moving average.
    pub fn average(&self, sku: usize, units: i64) -> i64 {
        let (quantity, value) = self.owned[sku];
        match quantity {
            ..=0 => 0,
            n => (i128::from(value) * i128::from(units) / i128::from(n)) as i64,
        }
    }
    /// Takes units out of what we own; what they cost.
    pub fn cost_out(&mut self, sku: usize, place: usize, units: i64) -> i64 {
        if !Shop::ours(place) {
            return 0;
        }
        let value = self.average(sku, units);
        self.owned[sku].0 -= units;
        self.owned[sku].1 -= value;
        value
    }
    /// Stock is found or lost.
    pub fn adjust(&mut self, sku: usize, place: usize, delta: i64) {
        if delta > 0 {
            let value = if Shop::ours(place) { self.average(sku, delta) } else { 0 };
            self.put(sku, place, delta, value);
            self.post("1200", "5300", value);
        } else {
            let value = self.cost_out(sku, place, -delta);
            self.on_hand[sku][place] += delta;
            self.post("5300", "1200", value);
        }
    }
    /// An order came in.
    pub fn placed(&mut self, no: No, order: Order) {
        for line in &order.lines {
            for (sku, pieces) in Shop::takes(line.sku) {
                self.open[*sku] += line.ordered * pieces;
            }
            if line.sku == SERVICE {
                self.services.insert(no);
            }
        }
        self.orders.insert(no, order);
    }
    /// Two customers are one: whatever is of the one, and whoever comes with an e-mail address of theirs, is of the other. The orders that
    /// moved.
    pub fn merged(&mut self, into: CustomerId, from: CustomerId) -> Vec<No> {
        self.people.values_mut().filter(|who| **who == from).for_each(|who| *who = into);
        let mut moved = Vec::new();
        for (no, order) in self.orders.iter_mut().filter(|(_, order)| order.customer == from) {
            order.customer = into;
            moved.push(*no);
        }
        moved
    }
    /// Units are cancelled; their share of the total.
    pub fn cancel(&mut self, no: No, line: usize, units: i64) -> i64 {
        let Some(order) = self.orders.get_mut(&no) else { return 0 };
        let l = &mut order.lines[line];
        let top = l.ordered - l.cancelled;
        let share = l.worth(top - units, top).total();
        l.cancelled += units;
        order.cancelled_total += share;
        for (sku, pieces) in Shop::takes(l.sku) {
            self.open[*sku] -= units * pieces;
        }
        share
    }
    /// Units leave: the sale, the stock, the cost.
    pub fn ship(&mut self, no: No, line: usize, place: usize, units: i64) {
        let Some(order) = self.orders.get_mut(&no) else { return };
        let l = &mut order.lines[line];
        let worth = l.worth(l.shipped, l.shipped + units);
        l.shipped += units;
        let sku = l.sku;
        let mut cost = 0;
        for (part, pieces) in Shop::takes(sku) {
            cost += self.cost_out(*part, place, units * pieces);
            self.on_hand[*part][place] -= units * pieces;
            self.open[*part] -= units * pieces;
        }
        if let Some(order) = self.orders.get_mut(&no) {
            order.lines[line].cost += cost;
        }
        self.post("1100", "4000", worth.net + worth.off);
        self.post("4010", "1100", worth.off);
        self.post("1100", "2100", worth.tax + worth.shipping_tax);
        self.post("1100", "4020", worth.shipping);
        self.post("1100", "4030", worth.fee);
        self.post("5000", "1200", cost);
    }
    /// A parcel leaves.
    pub fn hand_over(&mut self, id: ParcelId) {
        let Some(parcel) = self.parcels.get_mut(&id) else { return };
        parcel.shipped = true;
        let (no, place, lines) = (parcel.no, parcel.place, parcel.lines.clone());
        for (line, units) in lines {
            if let Some(order) = self.orders.get_mut(&no) {
                order.lines[line].packed -= units;
            }
            self.ship(no, line, place, units);
        }
    }
    /// Nothing is below zero, and no unit is in two places.
    ///
    /// # Errors
    /// The first number that is impossible.
    pub fn possible(&self, no: No) -> Result<(), Trouble> {
        let Some(order) = self.orders.get(&no) else { return Ok(()) };
        for l in &order.lines {
            let all =
                [l.cancelled, l.picked, l.packed, l.shipped, l.delivered, l.lost, l.returned, l.untouched()];
            if all.iter().any(|n| *n < 0) || l.delivered + l.lost > l.shipped || l.returned > l.shipped {
                return Err(Trouble::new(
                    "units.possible",
                    format!("order {no} has an impossible line {l:?}"),
                ));
            }
        }
        Ok(())
    }
    /// No stock is below zero.
    ///
    /// # Errors
    /// The first place that has less than nothing.
    pub fn stock_possible(&self) -> Result<(), Trouble> {
        for (sku, places) in self.on_hand.iter().enumerate() {
            for (place, on_hand) in places.iter().enumerate() {
                let aside = self.aside[sku][place];
                if *on_hand < 0 || aside < 0 {
                    let says = format!("SKU {sku} at {place}: {on_hand} on hand, {aside} aside");
                    return Err(Trouble::new("stock.possible", says));
                }
            }
        }
        Ok(())
    }
}

/// What an order must cost: prices contain tax, so it is a sum.
pub fn total(wish: &Wish) -> i64 {
    wish.items.iter().map(|i| i.price * i.units - i.off).sum::<i64>() - wish.off + wish.shipping + wish.fee
}
