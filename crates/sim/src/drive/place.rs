//! Orders come in: new ones, and ones that came before. Invariant: the same key or reference is the same order, whoever asks again.

use crate::Trouble;
use crate::model::{Line, Order, Tender, Worth, total};
use crate::shop::address;
use crate::sim::Sim;
use crate::step::{Card, No, Pay, Wish};
use kernel::Refuse;
use orders::{Buyer, CommandKey, IfOutOfStock, OrderId, Outcome, Place, Placed, Trust, WantedLine};
use std::collections::BTreeSet;

impl Sim {
    /// Orders come in together.
    pub(crate) async fn place(&mut self, wishes: &[Wish]) -> Result<(), Trouble> {
        let asked: Vec<Place> = wishes.iter().map(|w| self.request(w, false)).collect();
        let outcomes = db::write!(self.db, &self.by, |tx| orders::place(tx, &asked).await)?;
        self.answered(wishes, outcomes).await?;
        #[cfg(test)]
        self.promise_twice().await?;
        Ok(())
    }
    /// The program dies while it takes an order; the client asks again.
    pub(crate) async fn place_and_die(&mut self, wish: &Wish, after: u64) -> Result<(), Trouble> {
        let asked = [self.request(wish, false)];
        let first = {
            let running = async { db::write!(self.db, &self.by, |tx| orders::place(tx, &asked).await) };
            self.mortal(after, running).await.transpose()?
        };
        self.start_again().await?;
        let outcomes = db::write!(self.db, &self.by, |tx| orders::place(tx, &asked).await)?;
        if let (Some([Ok(before)]), [Ok(after)]) = (first.as_deref(), outcomes.as_slice())
            && before.id != after.id
        {
            return Err(Trouble::new("orders.once", format!("asked again, {wish:?} became another order")));
        }
        self.answered(std::slice::from_ref(wish), outcomes).await
    }
    /// A wish comes again, as it was or with its key on something else.
    pub(crate) async fn again(&mut self, wish: &Wish, other: bool) -> Result<(), Trouble> {
        // Whose first request has not arrived yet sends it as it is: another order would rightly take the key.
        let answered_before =
            self.model.order(wish.no).is_some() || self.model.refused.contains_key(&wish.no);
        let asked = [self.request(wish, other && answered_before)];
        let outcomes = db::write!(self.db, &self.by, |tx| orders::place(tx, &asked).await)?;
        if other && answered_before && asked[0].key.is_some() {
            self.heard(&outcomes);
            return match &outcomes[..] {
                [Err(orders::PlaceRefused::KeyReused { .. })] => Ok(()),
                told => Err(Trouble::new(
                    "orders.key_reused",
                    format!("another order with the key of {wish:?}: {told:?}"),
                )),
            };
        }
        self.answered(std::slice::from_ref(wish), outcomes).await
    }

    /// Notes what was answered.
    pub(crate) async fn answered(&mut self, wishes: &[Wish], outcomes: Vec<Outcome>) -> Result<(), Trouble> {
        self.heard(&outcomes);
        let mut new: Vec<(&Wish, Placed, Option<String>)> = Vec::new();
        for (wish, outcome) in wishes.iter().zip(outcomes) {
            let before = self.model.order(wish.no).map(|o| o.id);
            let refused = self.model.refused.get(&wish.no).filter(|_| wish.reference.is_none());
            match (outcome, before) {
                (Ok(placed), Some(id)) if placed.id == id => {}
                (told, Some(id)) => {
                    return Err(Trouble::new(
                        "orders.once",
                        format!("{wish:?} is {id} and was answered {told:?}"),
                    ));
                }
                (Ok(placed), None) => match refused {
                    Some(code) => {
                        let says = format!("{wish:?} was refused with {code} and is {} now", placed.id);
                        return Err(Trouble::new("orders.once", says));
                    }
                    None => new.push((wish, placed, email_of(wish))),
                },
                (Err(told), None) => {
                    if let Some(code) = refused.filter(|code| *code != told.code()) {
                        let says = format!("{wish:?} was refused with {code} and now with {}", told.code());
                        return Err(Trouble::new("orders.once", says));
                    }
                    self.model.refused.insert(wish.no, told.code().to_owned());
                }
            }
        }
        self.adopt(&new).await
    }

    /// Takes new orders into the model: their money is what they were asked to cost, to the cent.
    pub(crate) async fn adopt(&mut self, new: &[(&Wish, Placed, Option<String>)]) -> Result<(), Trouble> {
        if new.is_empty() {
            return Ok(());
        }
        let ids: Vec<OrderId> = new.iter().map(|(_, placed, _)| placed.id).collect();
        let raw: Vec<i64> = ids.iter().map(|id| id.0).collect();
        let heads = orders::read::orders_by_id(self.db.read(), &ids).await?;
        let lines = orders::read::lines_of(self.db.read(), &ids).await?;
        let tenders = payments::payments_of(self.db.read(), &raw).await?;
        let mut seen = BTreeSet::new();
        for (wish, placed, email) in new {
            let (Some(head), Some(rows)) = (heads.get(&placed.id), lines.get(&placed.id)) else {
                return Err(Trouble::new("orders.there", format!("{wish:?} was placed and is not there")));
            };
            if !seen.insert(placed.id) {
                return Err(Trouble::new("orders.once", format!("{} is two orders", placed.id)));
            }
            let mut mine = Vec::new();
            for (row, item) in rows.iter().zip(&wish.items) {
                let sku = self.shop.sku(row.sku_id)?;
                if sku != item.sku || row.ordered != item.units || row.gross != item.price * item.units {
                    return Err(Trouble::new("orders.as_asked", format!("{item:?} became {row:?}")));
                }
                mine.push(line(row.id, sku, row.ordered, worth(row)));
            }
            let sums = mine.iter().map(|l| l.whole.total()).sum::<i64>();
            let wanted = total(wish);
            if rows.len() != wish.items.len()
                || placed.total.minor != wanted
                || sums != wanted
                || head.total != wanted
            {
                let says = format!(
                    "{wish:?} costs {wanted}; answered {}, lines sum to {sums}, head {}",
                    placed.total, head.total
                );
                return Err(Trouble::new("orders.money", says));
            }
            // Whoever comes again with an e-mail address is who came with it before, or whom they were merged into.
            if let Some(email) = email {
                let who = *self.model.people.entry(email.clone()).or_insert(head.customer_id);
                if who != head.customer_id {
                    let says = format!("{wish:?} of {email} is of {}; it was {who}", head.customer_id);
                    return Err(Trouble::new("customers.one", says));
                }
            }
            let order = Order {
                id: placed.id,
                number: placed.number.clone(),
                email: email.clone(),
                placed_by: head.customer_id,
                customer: head.customer_id,
                lines: mine,
                total: wanted,
                cancelled_total: 0,
                returned_total: 0,
                granted: 0,
                tenders: self.tenders(wish, tenders.get(&placed.id.0).map_or(&[], Vec::as_slice)),
            };
            self.touched.insert(wish.no);
            self.model.placed(wish.no, order);
            self.model.mails.placed(wish.no, &placed.number);
        }
        Ok(())
    }
    fn tenders(&mut self, wish: &Wish, told: &[payments::Payment]) -> Vec<Tender> {
        let mut tenders = Vec::new();
        for p in told {
            let mut taken = 0;
            self.world.look().name(p.id.0, format!("o{}", wish.no));
            match p.gateway.as_str() {
                "store_credit" => {
                    taken = p.amount;
                    self.model.post("2200", "1100", taken);
                }
                "exchange" => {
                    taken = p.amount;
                    self.model.post("2210", "1100", taken);
                }
                "sim" if wish.pay == Pay::Before => self.world.look().paid_before(p.id.0, p.amount),
                _ => {}
            }
            tenders.push(Tender { id: p.id, gateway: p.gateway.clone(), amount: p.amount, taken });
        }
        tenders
    }

    /// A wish as the API would send it.
    pub(crate) fn request(&self, wish: &Wish, other: bool) -> Place {
        let at = self.at();
        let key = CommandKey {
            caller: "sim".into(),
            key: format!("k{}", wish.no),
            hash: if other { "other" } else { "same" }.into(),
        };
        let line = |i: &crate::step::Item| WantedLine {
            sku: crate::shop::Shop::code(i.sku),
            quantity: i.units,
            unit_price: Some(i.price),
            discount: i.off,
            tax_rate_ppm: None,
            location: None,
        };
        Place {
            at,
            by: self.by.clone(),
            key: wish.reference.is_none().then_some(key),
            channel: if wish.reference.is_some() { "csv" } else { "api" }.into(),
            reference: wish.reference.map(|n| format!("r{n}")),
            buyer: Buyer {
                name: format!("Customer {}", wish.customer),
                email: email_of(wish),
                phone: None,
                ip: Some(format!("10.0.{}.{}", wish.no / 250 % 250, wish.no % 250)),
            },
            ship_to: address(&format!("Customer {}", wish.customer)),
            ship_to_geo: None,
            bill_to: None,
            currency: self.shop.eur,
            tax_inclusive: true,
            lines: wish.items.iter().map(line).collect(),
            discount: wish.off,
            shipping: wish.shipping,
            shipping_tax_ppm: None,
            fee: wish.fee,
            if_out_of_stock: if wish.wait { IfOutOfStock::Backorder } else { IfOutOfStock::Refuse },
            tenders: tenders_of(wish, at),
            pay_later: wish.pay == Pay::Later,
            express: wish.no.is_multiple_of(7),
            gift_note: None,
            note: None,
            tags: Vec::new(),
            promised_at: None,
            reservation: wish.cart.and_then(|cart| self.carts.get(&cart).copied()),
            exchange_of: None,
            trust: if wish.reference.is_some() { Trust::Channel } else { Trust::Check },
        }
    }
    /// Plants a unit that is promised twice: what was just promised is free again.
    #[cfg(test)]
    async fn promise_twice(&mut self) -> Result<(), Trouble> {
        if self.plant == Some(crate::sim::Plant::PromisedTwice) {
            let text = "UPDATE stock SET allocated = allocated - 1 WHERE allocated > 0 AND sku_id = (SELECT MIN(sku_id) FROM stock WHERE allocated > 0)";
            db::write!(self.db, &self.by, |tx| tx.exec(text, []).await)?;
        }
        Ok(())
    }
}

/// What all units of a line cost together.
fn worth(row: &orders::LineRow) -> Worth {
    Worth {
        off: row.discount_net,
        net: row.net,
        tax: row.tax,
        shipping: row.shipping,
        shipping_tax: row.shipping_tax,
        fee: row.fee,
    }
}

fn line(id: orders::LineId, sku: usize, ordered: i64, whole: Worth) -> Line {
    Line {
        id,
        sku,
        ordered,
        whole,
        cancelled: 0,
        picked: 0,
        packed: 0,
        shipped: 0,
        delivered: 0,
        lost: 0,
        returned: 0,
        cost: 0,
        asked_back: BTreeSet::new(),
    }
}

/// Where to write to, of those who say.
fn email_of(wish: &Wish) -> Option<String> {
    let named = wish.customer.is_multiple_of(3) || matches!(wish.pay, Pay::Credit { .. });
    named.then(|| format!("c{}@example.com", wish.customer))
}

/// The tenders of a wish.
fn tenders_of(wish: &Wish, at: kernel::Timestamp) -> Vec<orders::Tender> {
    let tender = |gateway: &str, method: &str, token: Option<&str>| orders::Tender {
        gateway: gateway.into(),
        method: method.into(),
        token: token.map(str::to_owned),
        amount: None,
        capture: false,
        reference: None,
        paid_at: None,
    };
    match wish.pay {
        Pay::Before => vec![orders::Tender {
            reference: Some(format!("ch{}", wish.no)),
            paid_at: Some(at),
            ..tender("sim", "card", None)
        }],
        Pay::Card { now, card } => {
            let token = match card {
                Card::Good => "good",
                Card::Bad => "bad",
                Card::Asks => "asks",
            };
            vec![orders::Tender { capture: now, ..tender("sim", "card", Some(token)) }]
        }
        Pay::Transfer => vec![tender("manual", "bank_transfer", None)],
        Pay::Cash => vec![tender("manual", "cod", None)],
        Pay::Credit { credit } => vec![
            orders::Tender { amount: Some(credit), ..tender("store_credit", "credit", None) },
            tender("sim", "card", Some("good")),
        ],
        Pay::Later => Vec::new(),
    }
}

/// The number of an order by its id, among some.
pub(crate) fn no_of(known: &[(No, OrderId)], id: OrderId) -> Option<No> {
    known.iter().find(|(_, order)| *order == id).map(|(no, _)| *no)
}
