//! The auditor: compares what the program says with the model, after every step, and with the outside world when it has come to rest.
//!
//! Invariant: what the program says is read as others read it (orders, stock, postings); what it should say is the model's own sum.

mod feed;
mod hooks;
mod mails;

pub use hooks::Hooks;
pub use mails::Mails;

use crate::Trouble;
use crate::model::Line;
use crate::outside::Purse;
use crate::shop::{PLACES, SERVICE, SIMPLE, Shop};
use crate::sim::Sim;
use crate::step::No;
use catalog::SkuId;
use db::FromRow;
use inventory::LocationId;
use orders::{LineRow, OrderId};
use std::collections::{BTreeMap, HashMap};

/// What was read of the books and of the event log so far.
#[derive(Debug, Default)]
pub struct Read {
    row: i64,
    event: i64,
    told: BTreeMap<(String, String), i64>,
}

impl Read {
    fn of(&self, debit: &str, credit: &str) -> i64 {
        self.told.get(&(debit.to_owned(), credit.to_owned())).copied().unwrap_or(0)
    }
}

/// Accounts whose postings follow what gateways and carriers answer, in their own time.
const LATE: [&str; 2] = ["1050", "2000"];
/// Accounts that refunds come out of.
const PURSES: [&str; 4] = ["1000", "1050", "2200", "2210"];

#[derive(FromRow)]
struct StockRow {
    sku_id: SkuId,
    location_id: LocationId,
    on_hand: i64,
    allocated: i64,
    quarantined: i64,
}
#[derive(FromRow)]
struct Units {
    sku_id: SkuId,
    n: i64,
}
#[derive(FromRow)]
struct Placed {
    sku_id: SkuId,
    location_id: LocationId,
    n: i64,
}
#[derive(FromRow)]
struct Posting {
    row: i64,
    debit: String,
    credit: String,
    amount: i64,
}

/// What was taken of an order in truth, what came back to us of its refunds, what was given back, and what of that the gateway gave.
struct Truth {
    captured: i64,
    declined: i64,
    refunded: i64,
}

impl Sim {
    /// Compares, after a step.
    ///
    /// # Errors
    /// The first disagreement.
    pub(crate) async fn audit(&mut self) -> Result<(), Trouble> {
        if let Some(offence) = self.world.look().offences().into_iter().next() {
            return Err(Trouble::new("outside.rules", offence));
        }
        self.hear().await?;
        self.letters_agree()?;
        self.receipts_agree()?;
        self.orders_agree().await?;
        self.model.stock_possible()?;
        self.stock_agrees().await?;
        self.books_agree().await?;
        let touched: Vec<No> = self.touched.iter().copied().collect();
        touched.into_iter().try_for_each(|no| self.money_possible(no))
    }

    async fn orders_agree(&mut self) -> Result<(), Trouble> {
        let mut nos: Vec<No> = self.touched.iter().chain(&self.model.services).copied().collect();
        nos.sort_unstable();
        nos.dedup();
        let ids: Vec<OrderId> = nos.iter().filter_map(|no| self.model.order(*no)).map(|o| o.id).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let heads = orders::read::orders_by_id(self.db.read(), &ids).await?;
        let lines = orders::read::lines_of(self.db.read(), &ids).await?;
        for no in nos {
            let Some(id) = self.model.order(no).map(|o| o.id) else { continue };
            let rows = lines.get(&id).map_or(&[][..], Vec::as_slice);
            self.services(no, rows)?;
            self.model.possible(no)?;
            let Some(order) = self.model.order(no) else { continue };
            let head = heads.get(&id).ok_or_else(|| Trouble::new("orders.there", format!("{id} is gone")))?;
            let (told, known) = (
                (head.total, head.cancelled_total, head.returned_total),
                (order.total, order.cancelled_total, order.returned_total),
            );
            if told != known {
                let says = format!("order {no} says (total, cancelled, returned) {told:?}; it is {known:?}");
                return Err(Trouble::new("orders.money", says));
            }
            if head.customer_id != order.customer {
                let says = format!("order {no} is of {}; it is of {}", head.customer_id, order.customer);
                return Err(Trouble::new("customers.orders", says));
            }
            for (row, line) in rows.iter().zip(&order.lines) {
                line_agrees(no, row, line)?;
            }
        }
        Ok(())
    }
    /// Services ship by themselves as soon as nothing holds the order: all of them, or none.
    fn services(&mut self, no: No, rows: &[LineRow]) -> Result<(), Trouble> {
        if !self.model.services.contains(&no) {
            return Ok(());
        }
        let Some(order) = self.model.order(no) else { return Ok(()) };
        let mut wait = false;
        let mut gone = Vec::new();
        for (n, (row, line)) in rows.iter().zip(&order.lines).enumerate() {
            let left = line.ordered - line.cancelled - line.shipped;
            match row.shipped - line.shipped {
                _ if line.sku != SERVICE || left == 0 => {}
                0 => wait = true,
                units if units == left => gone.push((n, units)),
                units => {
                    let says = format!("order {no}: {units} of {left} units of a service are done");
                    return Err(Trouble::new("orders.services", says));
                }
            }
        }
        for (n, units) in gone {
            self.model.ship(no, n, 0, units);
            if let Some(order) = self.model.orders.get_mut(&no) {
                order.lines[n].delivered += units;
            }
        }
        if !wait {
            self.model.services.remove(&no);
        }
        Ok(())
    }

    async fn stock_agrees(&mut self) -> Result<(), Trouble> {
        let text = "SELECT sku_id, location_id, on_hand, allocated, quarantined FROM stock ORDER BY sku_id, location_id";
        let rows: Vec<StockRow> = self.db.read().all(text, []).await?;
        let (mut told, mut allocated) = ([[(0, 0); PLACES]; SIMPLE], [0; SIMPLE]);
        for row in rows {
            let (sku, place) = (self.shop.sku(row.sku_id)?, self.shop.place(row.location_id)?);
            told[sku][place] = (row.on_hand, row.quarantined);
            allocated[sku] += row.allocated;
            if row.allocated > self.model.on_hand[sku][place] {
                let says = format!(
                    "SKU {sku} at {place}: {} are promised, {} are there",
                    row.allocated, self.model.on_hand[sku][place]
                );
                return Err(Trouble::new("stock.promised_once", says));
            }
        }
        for (sku, places) in told.iter().enumerate() {
            for (place, told) in places.iter().enumerate() {
                let known = (self.model.on_hand[sku][place], self.model.aside[sku][place]);
                if *told != known {
                    let says =
                        format!("SKU {sku} at {place}: says (on hand, aside) {told:?}; it is {known:?}");
                    return Err(Trouble::new("stock.units", says));
                }
            }
        }
        let waiting = "SELECT sku_id, CAST(SUM(backordered) AS BIGINT) AS n FROM order_line WHERE backordered > 0 GROUP BY sku_id";
        let kept = "SELECT l.sku_id, CAST(SUM(l.quantity) AS BIGINT) AS n FROM reservation v \
                    JOIN reservation_line l ON l.reservation_id = v.id WHERE v.ended_at IS NULL GROUP BY l.sku_id";
        let mut promised = self.model.open;
        for row in self.db.read().all::<Units>(waiting, []).await? {
            for (part, pieces) in Shop::takes(self.shop.sku(row.sku_id)?) {
                promised[*part] -= row.n * pieces;
            }
        }
        for row in self.db.read().all::<Units>(kept, []).await? {
            promised[self.shop.sku(row.sku_id)?] += row.n;
        }
        for sku in 0..SIMPLE {
            if allocated[sku] != promised[sku] {
                let says = format!("SKU {sku}: says {} are promised; {} are", allocated[sku], promised[sku]);
                return Err(Trouble::new("stock.promised_once", says));
            }
        }
        Ok(())
    }
    /// What the floor has to do is what the stock is promised for, place by place.
    ///
    /// # Errors
    /// The first place where it is not.
    pub(crate) async fn floor_agrees(&self) -> Result<(), Trouble> {
        let work = "SELECT l.sku_id, f.location_id, CAST(SUM(l.quantity - l.cancelled - l.shipped) AS BIGINT) AS n \
                    FROM fulfilment_line l JOIN fulfilment_order f ON f.id = l.fulfilment_id GROUP BY l.sku_id, f.location_id";
        let kept = "SELECT l.sku_id, l.location_id, CAST(SUM(l.quantity) AS BIGINT) AS n FROM reservation v \
                    JOIN reservation_line l ON l.reservation_id = v.id WHERE v.ended_at IS NULL GROUP BY l.sku_id, l.location_id";
        let stock = "SELECT sku_id, location_id, allocated AS n FROM stock";
        let mut left: BTreeMap<(usize, usize), i64> = BTreeMap::new();
        for (text, sign) in [(work, 1), (kept, 1), (stock, -1)] {
            for row in self.db.read().all::<Placed>(text, []).await? {
                let place = self.shop.place(row.location_id)?;
                for (part, pieces) in Shop::takes(self.shop.sku(row.sku_id)?) {
                    *left.entry((*part, place)).or_default() += sign * row.n * pieces;
                }
            }
        }
        match left.into_iter().find(|(_, n)| *n != 0) {
            None => Ok(()),
            Some(((sku, place), n)) => {
                let says = format!("SKU {sku} at {place}: the floor has {n} more to do than are promised");
                Err(Trouble::new("stock.floor", says))
            }
        }
    }

    async fn books_agree(&mut self) -> Result<(), Trouble> {
        let text = "SELECT rowid AS row, debit, credit, amount FROM posting WHERE rowid > $1 ORDER BY rowid";
        let new: Vec<Posting> = self.db.read().all(text, [self.read.row.into()]).await?;
        for posting in new {
            self.read.row = posting.row;
            *self.read.told.entry((posting.debit, posting.credit)).or_default() += posting.amount;
        }
        for ((debit, credit), known) in &self.model.books {
            let told = self.read.of(debit, credit);
            if told != *known && !late(debit, credit) {
                return Err(account(debit, credit, told, *known));
            }
        }
        for ((debit, credit), told) in &self.read.told {
            let known = self.model.books.iter().any(|((d, c), _)| d == debit && c == credit);
            if !known && !late(debit, credit) {
                return Err(account(debit, credit, *told, 0));
            }
        }
        for (debit, credit, most) in self.most() {
            let told = self.read.of(debit, credit);
            if told > most {
                return Err(account(debit, credit, told, most));
            }
        }
        let refunded: i64 = PURSES.iter().map(|purse| self.read.of("1100", purse)).sum();
        match refunded > self.model.granted {
            true => Err(Trouble::new(
                "refunds.granted",
                format!("{refunded} were given back, {} granted", self.model.granted),
            )),
            false => Ok(()),
        }
    }
    /// What the books can say at most, of what the outside world decides: what really happened there.
    fn most(&self) -> [(&'static str, &'static str, i64); 7] {
        let world = self.world.look();
        let sum = |of: fn(&Purse) -> i64| world.purses().values().map(of).sum::<i64>();
        let (bought, back) = world.labels();
        let known = |debit, credit| self.model.books.get(&(debit, credit)).copied().unwrap_or(0);
        [
            ("1050", "1100", sum(|p| p.captured)),
            ("1100", "1050", sum(|p| p.refunded)),
            ("5200", "1050", sum(|p| p.fees)),
            ("5900", "1050", sum(|p| p.disputes.values().map(|(amount, _)| amount).sum())),
            ("1050", "5900", sum(won)),
            ("5100", "2000", bought + known("5100", "2000")),
            ("2000", "5100", back + known("2000", "5100")),
        ]
    }
    fn truth(&self, no: No) -> Truth {
        let mut truth = Truth { captured: 0, declined: 0, refunded: 0 };
        let world = self.world.look();
        for tender in self.model.order(no).into_iter().flat_map(|o| &o.tenders) {
            let purse = world.purse(tender.id.0);
            truth.captured += tender.taken + purse.captured;
            truth.declined += purse.declined;
            truth.refunded += purse.refunded;
        }
        truth
    }
    /// Nobody is charged twice or beyond what he agreed to; nobody gets back more than he paid or was granted.
    fn money_possible(&self, no: No) -> Result<(), Trouble> {
        let Some(order) = self.model.order(no) else { return Ok(()) };
        for tender in &order.tenders {
            let purse = self.world.look().purse(tender.id.0);
            if purse.authorisations > 1 || purse.authorised > tender.amount || purse.captured > tender.amount
            {
                let says =
                    format!("order {no}: the card of {tender:?} was charged more than once: {purse:?}");
                return Err(Trouble::new("payments.charged_once", says));
            }
        }
        let truth = self.truth(no);
        if truth.refunded > order.granted {
            let says = format!("order {no}: {} went back, {} were granted", truth.refunded, order.granted);
            return Err(Trouble::new("refunds.granted", says));
        }
        if order.granted - truth.declined > truth.captured {
            let says = format!("order {no}: {} were granted, {} were paid", order.granted, truth.captured);
            return Err(Trouble::new("refunds.paid", says));
        }
        Ok(())
    }

    /// When nothing is under way any more, books and payments say exactly what happened outside.
    ///
    /// # Errors
    /// The first disagreement.
    pub(crate) async fn audit_at_rest(&mut self) -> Result<(), Trouble> {
        self.touched = self.model.orders.keys().copied().collect();
        self.audit().await?;
        self.floor_agrees().await?;
        for (debit, credit, known) in self.most() {
            let told = self.read.of(debit, credit);
            if told != known {
                return Err(account(debit, credit, told, known));
            }
        }
        let balance: i64 = self.world.look().purses().values().map(Purse::balance).sum();
        let of = |account: &str| -> i64 {
            let told = self.read.told.iter();
            told.map(|((d, c), n)| {
                if d == account {
                    *n
                } else if c == account {
                    -n
                } else {
                    0
                }
            })
            .sum()
        };
        if of("1050") != balance {
            return Err(account("1050", "everything", of("1050"), balance));
        }
        let declined: i64 = self.world.look().purses().values().map(|p| p.declined).sum();
        let refunded: i64 = PURSES.iter().map(|purse| self.read.of("1100", purse)).sum();
        if refunded + declined != self.model.granted {
            let says = format!("{} granted, {refunded} given back, {declined} declined", self.model.granted);
            return Err(Trouble::new("refunds.granted", says));
        }
        self.payments_agree().await?;
        self.parcels_agree().await?;
        self.hooks_agree().await?;
        self.mails_agree().await
    }
    async fn payments_agree(&self) -> Result<(), Trouble> {
        let raw: Vec<i64> = self.model.orders.values().map(|o| o.id.0).collect();
        let ids: Vec<OrderId> = raw.iter().map(|id| OrderId(*id)).collect();
        let told: HashMap<i64, Vec<payments::Payment>> = payments::payments_of(self.db.read(), &raw).await?;
        let heads = orders::read::orders_by_id(self.db.read(), &ids).await?;
        for (no, order) in &self.model.orders {
            let payments = told.get(&order.id.0).map_or(&[][..], Vec::as_slice);
            let (mut captured, mut refunded) = (0, 0);
            for p in payments {
                (captured, refunded) = (captured + p.captured, refunded + p.refunded);
                if p.gateway != "sim" {
                    continue;
                }
                let purse = self.world.look().purse(p.id.0);
                let gateway =
                    (purse.authorised, purse.captured, purse.voided, purse.fees, purse.taken_back());
                let ours = (p.authorised, p.captured, p.voided, p.fees, p.disputed + p.dispute_lost);
                if gateway != ours {
                    let says = format!("order {no}: {} says {ours:?}; the gateway {purse:?}", p.id);
                    return Err(Trouble::new("payments.agree", says));
                }
            }
            let truth = self.truth(*no);
            let head = heads.get(&order.id).map(|h| (h.captured, h.refunded));
            let known = (truth.captured, order.granted - truth.declined);
            if (captured, refunded) != known || head != Some(known) {
                let says = format!(
                    "order {no}: (captured, refunded) {known:?}; payments say {captured}, {refunded}, the order {head:?}"
                );
                return Err(Trouble::new("payments.agree", says));
            }
        }
        Ok(())
    }
}

fn won(purse: &Purse) -> i64 {
    purse.disputes.values().filter(|(_, won)| *won == Some(true)).map(|(amount, _)| amount).sum()
}

fn late(debit: &str, credit: &str) -> bool {
    let refund = debit == "1100" && (credit == "1000" || credit == "2200");
    LATE.contains(&debit) || LATE.contains(&credit) || refund
}

fn account(debit: &str, credit: &str, told: i64, known: i64) -> Trouble {
    Trouble::new("books.balance", format!("from {credit} to {debit}: the books say {told}; it is {known}"))
}

fn line_agrees(no: No, row: &LineRow, line: &Line) -> Result<(), Trouble> {
    let told =
        (row.cancelled, row.picked, row.packed, row.shipped, row.delivered, row.lost, row.returned, row.cost);
    let known = (
        line.cancelled,
        line.picked,
        line.packed,
        line.shipped,
        line.delivered,
        line.lost,
        line.returned,
        line.cost,
    );
    let waits = row.pending + row.backordered + row.allocated;
    if told != known || waits != line.untouched() {
        let says = format!(
            "order {no}, SKU {}: says (cancelled, picked, packed, shipped, delivered, lost, returned, cost) {told:?} and {waits} \
             waiting; it is {known:?} and {}",
            line.sku,
            line.untouched()
        );
        return Err(Trouble::new("units.agree", says));
    }
    Ok(())
}
