//! A random merchant: from a seed to the steps of a simulation. Orders come in cohorts that go through an order's life, some in the wrong
//! order, twice or not at all; in between anything may happen. Pure.
//!
//! Invariant: the steps follow from the seed and the number of orders alone.

use crate::dice::Dice;
use crate::outside::ENDPOINTS;
use crate::shop::{BUNDLES, PLACES, SERVICE, SIMPLE};
use crate::step::{Boxed, Card, Fate, For, Hook, How, Item, No, Pay, Said, Step, Stock, Wish};
use std::collections::VecDeque;

/// Customers of a shop.
const CUSTOMERS: usize = 60;
/// Cohorts that are under way at the same time.
const AT_ONCE: usize = 4;

/// Who decides.
struct Merchant {
    dice: Dice,
    /// Orders so far, and references and carts.
    no: No,
    carts: u32,
    open_carts: Vec<u32>,
    wishes: Vec<Wish>,
    disputed: Vec<No>,
}

/// The steps of a seed, with so many orders.
pub fn steps(seed: u64, orders: usize) -> Vec<Step> {
    let dice = Dice::new(seed, 1);
    let (open_carts, wishes, disputed) = (Vec::new(), Vec::new(), Vec::new());
    let mut m = Merchant { dice, no: 0, carts: 0, open_carts, wishes, disputed };
    let (mut live, mut steps): (Vec<VecDeque<Step>>, Vec<Step>) = (Vec::new(), Vec::new());
    loop {
        let more = orders.saturating_sub(m.no as usize);
        if more == 0 && live.is_empty() {
            return steps;
        }
        if live.is_empty() || (more > 0 && live.len() < AT_ONCE && m.dice.chance(150)) {
            live.push(m.cohort(more).into());
        }
        let at = m.dice.below(live.len());
        steps.extend(live[at].pop_front());
        if live[at].is_empty() {
            live.swap_remove(at);
        }
        if m.dice.chance(500) {
            steps.push(m.incident());
        }
    }
}

impl Merchant {
    /// The life of some orders that come in together.
    fn cohort(&mut self, at_most: usize) -> Vec<Step> {
        let size = match self.dice.chance(150) {
            true => self.dice.range(1, 3),
            false => self.dice.range(4, 36),
        };
        let wishes: Vec<Wish> = (0..(size as usize).min(at_most.max(1))).map(|_| self.wish()).collect();
        let all: Vec<No> = wishes.iter().map(|w| w.no).collect();
        self.wishes.extend(wishes.iter().cloned());
        if self.wishes.len() > 200 {
            self.wishes.drain(..100);
        }
        let mut life = vec![Step::Place(wishes)];
        if self.dice.chance(250) {
            let alone = self.wish();
            life.push(Step::PlaceAndDie(alone, self.dice.below(2) as u64));
        }
        life.push(Step::Work(2));
        life.push(Step::Messages(self.dice.next()));
        let part = self.dice.range(1, 1100);
        for no in [self.one(&all), self.one(&all), self.one(&all)] {
            life.push(if self.dice.chance(700) { Step::Capture(no, part) } else { Step::Void(no) });
        }
        if self.dice.chance(400) {
            life.push(Step::Reject(self.one(&all)));
        }
        life.push(Step::Unhold(self.most(&all)));
        let part = self.dice.range(900, 1000);
        life.push(Step::Arrives(self.most(&all), part));
        self.fulfil(&all, &mut life);
        for _ in 0..all.len().div_ceil(6) {
            let no = self.one(&all);
            life.extend(self.comes_back(no));
        }
        life.push(Step::Work(3));
        for _ in 0..all.len().div_ceil(3) {
            let (at, no) = (1 + self.dice.below(life.len()), self.one(&all));
            let trouble = self.trouble(no);
            life.insert(at, trouble);
        }
        self.disturb(&mut life);
        life
    }
    /// To the floor and to the customer's door.
    fn fulfil(&mut self, all: &[No], life: &mut Vec<Step>) {
        life.push(Step::Release(self.most(all)));
        life.push(Step::Ask(self.most(all)));
        if self.dice.chance(400) {
            life.push(Step::Decline(self.one(all)));
        }
        life.push(Step::Accept(self.most(all)));
        if self.dice.chance(400) {
            let (short, units) = (self.one(all), self.dice.range(1, 3));
            life.push(Step::Short(short, units));
        }
        let how = self.dice.pick(&[How::Line, How::Line, How::Line, How::Scan]).unwrap_or(How::Line);
        life.push(Step::Pick(self.most(all), how));
        if self.dice.chance(300) {
            life.push(Step::Unpick(self.one(all)));
        }
        if self.dice.chance(300) {
            let how = if self.dice.chance(300) { Boxed::ButOne } else { Boxed::All };
            life.push(Step::Station(self.most(all), how));
        }
        life.push(Step::Pack(self.most(all)));
        if self.dice.chance(200) {
            life.extend([Step::Unpick(self.one(all)), Step::Unpack(self.one(all)), Step::Pack(all.to_vec())]);
        }
        let called = self.dice.chance(250);
        life.push(Step::Label(self.most(all), called));
        if called {
            life.push(Step::Work(3));
        }
        if self.dice.chance(300) {
            life.extend([Step::Unlabel(self.one(all)), Step::Label(all.to_vec(), !called)]);
        }
        life.push(Step::Ship(self.most(all)));
        life.push(Step::Work(3));
        life.push(Step::Wait(self.dice.range(3600, 90_000)));
        if self.dice.chance(500) {
            life.push(self.hears(all, Said::OnTheWay));
        }
        life.push(self.hears(all, Said::Delivered));
        life.extend([Step::Messages(self.dice.next()), Step::Work(3)]);
    }
    /// A clerk writes down what a carrier says, or it sends messages.
    fn hears(&mut self, all: &[No], said: Said) -> Step {
        let (of, once_more) = (self.most(all), self.dice.chance(200));
        if self.dice.chance(400) { Step::Track(of, said, once_more) } else { Step::Scan(of, said, once_more) }
    }
    /// Things happen too early, twice, or not at all.
    fn disturb(&mut self, life: &mut Vec<Step>) {
        let mut n = 1;
        while n < life.len() {
            if self.dice.chance(60) && n + 1 < life.len() {
                life.swap(n, n + 1);
            }
            if self.dice.chance(40) {
                life.insert(n, life[n].clone());
                n += 1;
            }
            n += 1;
        }
    }
    fn most(&mut self, all: &[No]) -> Vec<No> {
        let some: Vec<No> = all.iter().copied().filter(|_| !self.dice.chance(40)).collect();
        if some.is_empty() { all.to_vec() } else { some }
    }
    fn one(&mut self, of: &[No]) -> No {
        self.dice.pick(of).unwrap_or(0)
    }
    fn any(&mut self) -> No {
        // Rather one of the last: the others are done.
        let back = self.dice.below(60.min(self.no as usize + 1)) as No;
        self.no.saturating_sub(back + 1)
    }
    fn comes_back(&mut self, no: No) -> Vec<Step> {
        let line = self.dice.below(2);
        let units = self.dice.range(1, 2);
        let fate = match self.dice.below(8) {
            0 => Fate::Rejected,
            1 => Fate::Scrap,
            2 => Fate::Aside,
            _ => Fate::Shelf,
        };
        let what = match self.dice.below(5) {
            0 => For::Credit,
            1 => self.instead(),
            _ => For::Money,
        };
        let place = self.dice.below(PLACES);
        vec![
            Step::Return { no, line, units, ours: self.dice.chance(300) },
            if self.dice.chance(60) { Step::Refuse(no) } else { Step::Approve(no) },
            Step::Arrive(no, place),
            Step::Inspect(no, fate),
            Step::Settle(no, what),
        ]
    }
    fn instead(&mut self) -> For {
        let no = self.no;
        self.no += 1;
        For::Instead { no, sku: self.dice.below(SIMPLE), price: self.dice.range(100, 3000) }
    }
    fn wish(&mut self) -> Wish {
        let no = self.no;
        self.no += 1;
        let lines = match self.dice.below(10) {
            0 => 3,
            1..=3 => 2,
            _ => 1,
        };
        let mut items: Vec<Item> = (0..lines).map(|_| self.item()).collect();
        if self.dice.chance(40) {
            items.push(Item { sku: SERVICE, units: 1, price: self.dice.range(0, 500), off: 0 });
        }
        let goods: i64 = items.iter().map(|i| i.price * i.units - i.off).sum();
        let off = if self.dice.chance(200) { self.dice.range(0, goods) } else { 0 };
        let shipping = if self.dice.chance(600) { self.dice.range(0, 999) } else { 0 };
        let fee = if self.dice.chance(100) { self.dice.range(1, 300) } else { 0 };
        let cart = match self.open_carts.is_empty() || self.dice.chance(800) {
            true => None,
            false => self.open_carts.pop(),
        };
        Wish {
            no,
            customer: self.dice.below(CUSTOMERS) as u32,
            items,
            off,
            shipping,
            fee,
            pay: self.pay(),
            wait: self.dice.chance(650),
            reference: self.dice.chance(300).then_some(no),
            cart,
        }
    }
    fn item(&mut self) -> Item {
        let sku = self.dice.below(SIMPLE + BUNDLES);
        let units = if self.dice.chance(700) { 1 } else { self.dice.range(2, 7) };
        let price = self.dice.range(0, 4999);
        let off = if self.dice.chance(150) { self.dice.range(0, price * units) } else { 0 };
        Item { sku, units, price, off }
    }
    fn pay(&mut self) -> Pay {
        match self.dice.below(20) {
            0..=9 => Pay::Before,
            10..=13 => {
                let card = match self.dice.below(12) {
                    0 => Card::Bad,
                    1 => Card::Asks,
                    _ => Card::Good,
                };
                Pay::Card { now: self.dice.chance(500), card }
            }
            14 | 15 => Pay::Transfer,
            16 => Pay::Cash,
            17 => Pay::Credit { credit: self.dice.range(1, 1500) },
            18 => Pay::Later,
            _ => Pay::Before,
        }
    }
    /// Something that happens in between.
    fn incident(&mut self) -> Step {
        match self.dice.below(100) {
            0..=34 => self.shelf(),
            35..=44 => Step::Wait(self.dice.range(1, 7200)),
            45 => Step::Wait(self.dice.range(1, 20) * 86_400),
            46..=49 => Step::Die,
            50..=57 => Step::WorkAndDie(self.dice.below(40) as u64),
            58 | 59 => Step::Work(2),
            60..=65 => Step::Messages(self.dice.next()),
            66..=71 => {
                let cart = self.carts;
                self.carts += 1;
                self.open_carts.push(cart);
                let (sku, units) = (self.dice.below(SIMPLE + BUNDLES), self.dice.range(1, 5));
                Step::Reserve { cart, sku, units, minutes: self.dice.range(1, 60) }
            }
            72 | 73 => {
                let back = self.dice.below(8.min(self.carts as usize + 1)) as u32;
                Step::Unreserve(self.carts.saturating_sub(back + 1))
            }
            74 => Step::Close,
            75 | 76 => {
                let what = if self.dice.chance(300) { Hook::Off } else { Hook::On };
                Step::Hook(self.dice.below(ENDPOINTS), what)
            }
            77 | 78 => Step::Resend(self.any()),
            79 => Step::Forge(vec![self.any(), self.any(), self.any()], Said::Lost),
            _ => {
                let no = self.any();
                self.trouble(no)
            }
        }
    }
    fn shelf(&mut self) -> Step {
        let (sku, place) = (self.dice.below(SIMPLE), self.dice.below(PLACES));
        let (stock, units) = match self.dice.below(17) {
            0 => (Stock::Adjust, self.dice.range(-6, 6)),
            1 => (Stock::Count, self.dice.range(-3, 3)),
            2 => (Stock::Transfer, self.dice.range(1, 9)),
            3 => (Stock::Aside, self.dice.range(1, 4)),
            4 => (Stock::Back, self.dice.range(1, 3)),
            5 => (Stock::WriteOff, self.dice.range(1, 2)),
            6 => (Stock::Safety, self.dice.range(0, 4)),
            7 | 8 => (Stock::Buy { cost: self.dice.range(1, 1999) }, self.dice.range(2, 150)),
            9 => (Stock::Sheet, self.dice.range(-3, 3)),
            _ => (Stock::Receive { cost: self.dice.range(1, 1999) }, self.dice.range(10, 150)),
        };
        Step::Shelf { stock, sku, place, units }
    }
    /// Something that happens to one order.
    fn trouble(&mut self, no: No) -> Step {
        match self.dice.below(34) {
            0..=4 => Step::Cancel { no, line: None, refund: self.dice.chance(800) },
            5..=8 => {
                let line = Some((self.dice.below(3), self.dice.range(0, 3)));
                Step::Cancel { no, line, refund: self.dice.chance(800) }
            }
            9 | 10 => Step::Hold(no),
            11 => Step::Reject(no),
            12 => Step::Short(no, self.dice.range(1, 3)),
            13 => Step::Unpick(no),
            14 => Step::Unpack(no),
            15 => Step::Unlabel(no),
            16 => Step::Capture(no, self.dice.range(1, 1100)),
            17 => Step::Void(no),
            18..=20 => Step::Refund { no, amount: self.dice.range(0, 2500), credit: self.dice.chance(250) },
            21 => {
                self.disputed.push(no);
                Step::Dispute(no, self.dice.range(1, 1000))
            }
            22 => {
                let no = self.disputed.pop().unwrap_or(no);
                Step::Disputed(no, self.dice.chance(500))
            }
            23 => Step::Grant(no, self.dice.range(1, 3000)),
            24 | 25 => {
                let said =
                    self.dice.pick(&[Said::Lost, Said::Trouble, Said::Back, Said::Delivered, Said::OnTheWay]);
                self.hears(&[no], said.unwrap_or(Said::Lost))
            }
            26 => Step::Pick(vec![no], if self.dice.chance(500) { How::Wrong } else { How::Over }),
            27 => Step::Decline(no),
            28 | 29 => Step::Move(no, self.dice.chance(200)),
            30 => Step::Merge { no: self.any(), other: no, swap: self.dice.chance(300) },
            _ => {
                let n = self.dice.below(self.wishes.len());
                let other = self.dice.chance(300);
                self.wishes.get(n).map_or(Step::Die, |wish| Step::Again(wish.clone(), other))
            }
        }
    }
}
