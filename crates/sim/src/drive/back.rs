//! What comes back. Invariant: a unit's credit is its own cents, which follow from its number.

use crate::Trouble;
use crate::model::{Back, Unit};
use crate::shop::Shop;
use crate::sim::Sim;
use crate::step::{Fate, For, Item, No, Pay, Wish};
use kernel::Refuse;
use orders::{IfOutOfStock, WantedLine};
use returns::{
    Acceptance, Approve, Decline, Disposition, Exchange, Inspect, Reason, Receive, Reception, RequestReturn,
    Resolution, ReturnId, ReturnWish, Settle,
};

impl Sim {
    /// The return of an order that is not over.
    fn open_back(&mut self, no: No) -> Option<ReturnId> {
        self.known(&[no]);
        self.model.back.get(&no).filter(|b| !b.over).map(|b| b.id)
    }
    /// Units are asked back.
    pub(crate) async fn ask_back(
        &mut self,
        no: No,
        line: usize,
        units: i64,
        ours: bool,
    ) -> Result<(), Trouble> {
        let at = self.at();
        if self.open_back(no).is_some() {
            return Ok(());
        }
        let Some(order) = self.model.order(no) else { return Ok(()) };
        let Some(l) = order.lines.get(line) else { return Ok(()) };
        let free = (l.shipped - l.lost - l.asked_back.len() as i64).max(0);
        let reason = if ours { Reason::Damaged } else { Reason::ChangedMind };
        let asked = RequestReturn {
            at,
            order: order.id,
            units: vec![ReturnWish { line: l.id, quantity: units, reason, comment: None }],
            resolution: Resolution::Refund,
            refund_shipping: false,
            override_window: true,
            note: None,
        };
        let numbers: Vec<i64> =
            (0..l.shipped).filter(|n| !l.asked_back.contains(n)).take(units.max(0) as usize).collect();
        let told =
            db::write!(self.db, &self.by, |tx| returns::request(tx, std::slice::from_ref(&asked)).await)?;
        self.heard(&told);
        match told.into_iter().next() {
            Some(Ok(requested)) => {
                if units > free || requested.units.len() as i64 != units {
                    let says = format!("{asked:?} of {free}: {requested:?}");
                    return Err(Trouble::new("returns.request", says));
                }
                if let Some(order) = self.model.orders.get_mut(&no) {
                    order.lines[line].asked_back.extend(&numbers);
                }
                let unit = |number| Unit { line, number, here: false, decided: false };
                let units = numbers.into_iter().map(unit).collect();
                let back = Back { id: requested.id, ours, place: 0, units, credited: 0, over: false };
                self.model.back.insert(no, back);
            }
            Some(Err(refused)) if (1..=free).contains(&units) => {
                let says = format!("{asked:?} of {free}: {}", refused.code());
                return Err(Trouble::new("returns.request", says));
            }
            _ => {}
        }
        Ok(())
    }
    /// Approved.
    pub(crate) async fn approve(&mut self, no: No) -> Result<(), Trouble> {
        let at = self.at();
        let Some(return_id) = self.open_back(no) else { return Ok(()) };
        let told =
            db::write!(self.db, &self.by, |tx| returns::approve(tx, &[Approve { at, return_id }]).await)?;
        self.heard(&told);
        Ok(())
    }
    /// Declined: the units may be asked back again.
    pub(crate) async fn refuse(&mut self, no: No) -> Result<(), Trouble> {
        let at = self.at();
        let Some(return_id) = self.open_back(no) else { return Ok(()) };
        let no_thanks = Decline { at, return_id, reason: "no".into() };
        let told =
            db::write!(self.db, &self.by, |tx| returns::decline(tx, std::slice::from_ref(&no_thanks)).await)?;
        self.heard(&told);
        if told.first().is_some_and(Result::is_ok)
            && let (Some(back), Some(order)) = (self.model.back.get_mut(&no), self.model.orders.get_mut(&no))
        {
            back.over = true;
            for unit in &back.units {
                order.lines[unit.line].asked_back.remove(&unit.number);
            }
        }
        Ok(())
    }
    /// The units are here.
    pub(crate) async fn arrive(&mut self, no: No, place: usize) -> Result<(), Trouble> {
        let at = self.at();
        let Some(return_id) = self.open_back(no) else { return Ok(()) };
        let location = self.shop.places[place];
        let here = Receive { at, return_id, units: Vec::new(), location, reception: Reception::Received };
        let told =
            db::write!(self.db, &self.by, |tx| returns::receive(tx, std::slice::from_ref(&here)).await)?;
        self.heard(&told);
        if let (Some(Ok(n)), Some(back)) = (told.first(), self.model.back.get_mut(&no)) {
            let awaited = back.units.iter_mut().filter(|u| !u.here);
            let came = awaited.map(|unit| unit.here = true).count() as i64;
            back.place = place;
            if came != *n {
                return Err(Trouble::new("returns.receive", format!("{came} units came, {n} were counted")));
            }
        }
        Ok(())
    }
    /// Somebody looks at them.
    pub(crate) async fn inspect(&mut self, no: No, fate: Fate) -> Result<(), Trouble> {
        let at = self.at();
        let Some(return_id) = self.open_back(no) else { return Ok(()) };
        let (acceptance, disposition) = match fate {
            Fate::Shelf => (Acceptance::Accepted, Some(Disposition::Restock)),
            Fate::Aside => (Acceptance::Accepted, Some(Disposition::Quarantine)),
            Fate::Scrap => (Acceptance::Accepted, Some(Disposition::Scrap)),
            Fate::Rejected => (Acceptance::Rejected, None),
        };
        let look = Inspect { at, return_id, units: Vec::new(), acceptance, disposition, location: None };
        let told =
            db::write!(self.db, &self.by, |tx| returns::inspect(tx, std::slice::from_ref(&look)).await)?;
        self.heard(&told);
        let Some(Ok(done)) = told.first() else { return Ok(()) };
        let (units, credit) = self.looked_at(no, fate);
        match (units, credit) == (done.units, done.credit) {
            true => Ok(()),
            false => {
                let says = format!("order {no}: {units} units are worth {credit}; answered {done:?}");
                Err(Trouble::new("returns.credit", says))
            }
        }
    }
    /// What follows from a verdict on all units that are here: how many, and their credit.
    fn looked_at(&mut self, no: No, fate: Fate) -> (i64, i64) {
        let Some(back) = self.model.back.get_mut(&no) else { return (0, 0) };
        let (ours, place) = (back.ours, back.place);
        let mut chosen = Vec::new();
        for unit in back.units.iter_mut().filter(|u| u.here && !u.decided) {
            unit.decided = true;
            chosen.push((unit.line, unit.number));
        }
        let mut sum = 0;
        for (line, number) in &chosen {
            sum += self.credit(no, *line, *number, fate, ours, place);
        }
        if let Some(back) = self.model.back.get_mut(&no) {
            back.credited += sum;
        }
        (chosen.len() as i64, sum)
    }
    fn credit(&mut self, no: No, line: usize, number: i64, fate: Fate, ours: bool, place: usize) -> i64 {
        let Some(order) = self.model.orders.get_mut(&no) else { return 0 };
        let l = &mut order.lines[line];
        if fate == Fate::Rejected {
            l.asked_back.remove(&number);
            return 0;
        }
        let mut worth = l.worth(number, number + 1);
        if !ours {
            (worth.shipping, worth.shipping_tax, worth.fee) = (0, 0, 0);
        }
        l.returned += 1;
        let (sku, unit_cost) = (l.sku, l.unit_cost(number));
        order.returned_total += worth.total();
        self.model.post("4090", "1100", worth.net);
        self.model.post("2100", "1100", worth.tax + worth.shipping_tax);
        self.model.post("4020", "1100", worth.shipping);
        self.model.post("4030", "1100", worth.fee);
        let takes = Shop::takes(sku);
        if fate != Fate::Scrap && !takes.is_empty() {
            let cost = if Shop::ours(place) { unit_cost } else { 0 };
            self.model.post("1200", "5000", cost);
            let pieces: i64 = takes.iter().map(|(_, n)| n).sum();
            let mut seen = 0;
            for (part, n) in takes {
                let value = cost * (seen + n) / pieces - cost * seen / pieces;
                seen += n;
                self.model.put(*part, place, *n, value);
                if fate == Fate::Aside {
                    self.model.on_hand[*part][place] -= n;
                    self.model.aside[*part][place] += n;
                }
            }
        }
        worth.total()
    }
    /// The customer gets what is due.
    pub(crate) async fn settle(&mut self, no: No, what: For) -> Result<(), Trouble> {
        let at = self.at();
        let Some(return_id) = self.open_back(no) else { return Ok(()) };
        let (resolution, exchange) = match what {
            For::Money => (Resolution::Refund, None),
            For::Credit => (Resolution::StoreCredit, None),
            For::Instead { sku, price, .. } => (Resolution::Exchange, Some(instead(sku, price))),
        };
        let by = self.by.clone();
        let settle = Settle { at, by, return_id, resolution: Some(resolution), exchange, recorded: false };
        let told =
            db::write!(self.db, &self.by, |tx| returns::settle(tx, std::slice::from_ref(&settle)).await)?;
        self.heard(&told);
        let Some(Ok(done)) = told.into_iter().next() else { return Ok(()) };
        let Some(back) = self.model.back.get_mut(&no) else { return Ok(()) };
        back.over = true;
        let credited = back.credited;
        let undecided = back.units.iter().any(|u| !u.decided);
        if undecided || done.credited != credited || done.refunded + done.offset != credited {
            let says = format!("order {no}: credited {credited}, undecided {undecided}; answered {done:?}");
            return Err(Trouble::new("returns.settle", says));
        }
        self.granted(no, done.refunded);
        self.model.post("1100", "2210", done.exchanged);
        let email = self.model.order(no).and_then(|o| o.email.clone());
        if let (For::Instead { no, sku, price }, Some(placed)) = (what, done.exchange) {
            let wish = Wish {
                no,
                customer: 0,
                items: vec![Item { sku, units: 1, price, off: 0 }],
                off: 0,
                shipping: 0,
                fee: 0,
                pay: Pay::Transfer,
                wait: true,
                reference: None,
                cart: None,
            };
            self.adopt(&[(&wish, placed, email)]).await?;
        }
        Ok(())
    }
}

fn instead(sku: usize, price: i64) -> Exchange {
    Exchange {
        lines: vec![WantedLine {
            sku: Shop::code(sku),
            quantity: 1,
            unit_price: Some(price),
            discount: 0,
            tax_rate_ppm: None,
            location: None,
        }],
        tenders: vec![orders::Tender {
            gateway: "manual".into(),
            method: "bank_transfer".into(),
            token: None,
            amount: None,
            capture: false,
            reference: None,
            paid_at: None,
        }],
        if_out_of_stock: IfOutOfStock::Backorder,
        ..Exchange::default()
    }
}
