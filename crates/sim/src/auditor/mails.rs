//! The auditor's account of e-mails: which are called for by what happened, and which arrived.
//!
//! Invariants: each that is called for arrives, as one letter however often it comes, or stands where people see it; none arrives that is
//! not called for; and it speaks of its order: the number, the amounts to the cent, the lines, the parcel.

use crate::Trouble;
use crate::model::Order;
use crate::outside::{FULL, Letter, NOBODY};
use crate::shop::{Shop, title};
use crate::sim::Sim;
use crate::step::No;
use kernel::Money;
use std::collections::BTreeMap;

/// What an e-mail is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum About {
    Placed,
    Left,
    Arrived,
    Refund,
}

/// E-mails of an order about one thing.
#[derive(Debug, Default)]
struct Post {
    /// Called for.
    due: usize,
    /// What is different in each of them, by Message-ID: the parcel's number, the amount.
    came: BTreeMap<String, String>,
}

/// The account.
#[derive(Debug, Default)]
pub struct Mails {
    numbers: BTreeMap<String, No>,
    post: BTreeMap<(No, About), Post>,
    /// Carriers and numbers of parcels that left.
    parcels: BTreeMap<No, Vec<(String, String)>>,
}

impl Mails {
    fn due(&mut self, no: No, about: About) {
        self.post.entry((no, about)).or_default().due += 1;
    }
    /// An order was taken.
    pub fn placed(&mut self, no: No, number: &str) {
        self.numbers.insert(number.to_owned(), no);
        self.due(no, About::Placed);
    }
    /// A parcel left.
    pub fn left(&mut self, no: No, carrier: &str, number: &str) {
        self.parcels.entry(no).or_default().push((carrier.to_owned(), number.to_owned()));
        self.due(no, About::Left);
    }
    /// A parcel arrived.
    pub fn arrived(&mut self, no: No) {
        self.due(no, About::Arrived);
    }
    fn came(&self, no: No, about: About) -> Vec<&str> {
        let post = self.post.get(&(no, about));
        post.into_iter().flat_map(|p| p.came.values().map(String::as_str)).collect()
    }
}

/// What a letter is about, of which order, and what is said in its subject beside that.
fn subject(text: &str) -> Option<(About, &str, &str)> {
    let words: Vec<&str> = text.split(' ').collect();
    Some(match words[..] {
        ["Your", "order", number] => (About::Placed, number, ""),
        ["Order", number, "is", "on", "its", "way"] => (About::Left, number, ""),
        ["Order", number, "was", "delivered"] => (About::Arrived, number, ""),
        ["Refund", "of", amount, "EUR", "for", "order", number] => (About::Refund, number, amount),
        _ => return None,
    })
}

/// Cents of an amount as people write it.
fn cents(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.')?;
    (part.len() == 2).then_some(())?;
    Some(whole.parse::<i64>().ok()? * 100 + part.parse::<i64>().ok()?)
}

impl Sim {
    fn euros(&self, minor: i64) -> String {
        Money::new(minor, self.shop.eur).to_string()
    }
    /// What has to stand in a letter, and what is different in it from others about the same thing.
    fn expected(
        &self,
        no: No,
        order: &Order,
        letter: &Letter,
        about: About,
        said: &str,
    ) -> Option<(Vec<String>, String)> {
        let mut words = vec![order.number.clone(), "Sim".to_owned()];
        let own = match about {
            About::Placed => {
                words.push(format!("Total: {}", self.euros(order.total)));
                for line in &order.lines {
                    let (title, code, worth) =
                        (title(line.sku), Shop::code(line.sku), self.euros(line.whole.total()));
                    words.push(format!("  {} x {title} ({code}): {worth}", line.ordered));
                }
                String::new()
            }
            About::Left => {
                let left = self.model.mails.parcels.get(&no)?;
                // The whole number: one may begin as another does.
                let told = letter.text.lines().find_map(|line| line.strip_prefix("Tracking number: "))?;
                let (carrier, number) = left.iter().find(|(_, number)| number == told)?;
                words.push(format!("was handed to {carrier}."));
                number.clone()
            }
            About::Arrived => letter.id.clone(),
            About::Refund => {
                words.push(format!("{said} EUR"));
                format!("{} {}", cents(said)?, letter.id)
            }
        };
        Some((words, own))
    }
    /// What arrived is called for, and of its order.
    ///
    /// # Errors
    /// The first letter that is not.
    pub(super) fn letters_agree(&mut self) -> Result<(), Trouble> {
        let letters = self.world.look().arrived();
        for letter in letters {
            let strange = |law| Trouble::new(law, format!("{letter:?}"));
            let (about, number, said) = subject(&letter.subject).ok_or_else(|| strange("mails.read"))?;
            let no = self.model.mails.numbers.get(number).copied();
            let no = no.ok_or_else(|| strange("mails.called_for"))?;
            let order = self.model.order(no).ok_or_else(|| strange("mails.called_for"))?;
            let expected = self.expected(no, order, &letter, about, said);
            let (words, own) = expected.ok_or_else(|| strange("mails.of_its_order"))?;
            let lines = letter.text.lines().filter(|l| l.starts_with("  ")).count();
            let right = order.email.as_deref() == Some(letter.to.as_str())
                && words.iter().all(|w| letter.text.replace("\r\n", "\n").contains(w.as_str()))
                && (about != About::Placed || lines == order.lines.len())
                && letter.html.contains(order.number.as_str());
            if !right {
                return Err(Trouble::new(
                    "mails.of_its_order",
                    format!("{words:?} of {order:?} in {letter:?}"),
                ));
            }
            let granted = order.granted;
            let post = self.model.mails.post.entry((no, about)).or_default();
            let other = post.came.iter().any(|(id, of)| *of == own && *id != letter.id);
            post.came.insert(letter.id.clone(), own);
            if other || (about != About::Refund && post.came.len() > post.due) {
                return Err(strange("mails.called_for"));
            }
            if about == About::Refund && self.refunds_told(no) > granted {
                return Err(strange("mails.called_for"));
            }
        }
        Ok(())
    }
    /// The refunds that a customer read of, in cents.
    fn refunds_told(&self, no: No) -> i64 {
        let amount = |own: &str| own.split(' ').next().and_then(|n| n.parse::<i64>().ok()).unwrap_or(0);
        self.model.mails.came(no, About::Refund).into_iter().map(amount).sum()
    }
    /// At rest everything arrived that is called for; what cannot arrive is kept with the reason.
    ///
    /// # Errors
    /// The first order whose customer does not know enough, or too much.
    pub(crate) async fn mails_agree(&self) -> Result<(), Trouble> {
        let mut kept: BTreeMap<i64, usize> = BTreeMap::new();
        for mail in automation::read::mails(self.db.read(), None, true, None, i64::MAX).await? {
            if mail.error.is_none() || ![NOBODY, FULL].contains(&mail.recipient.as_str()) {
                return Err(Trouble::new("mails.arrive", format!("{mail:?} is not sent")));
            }
            *kept.entry(mail.order_id.unwrap_or_default()).or_default() += 1;
        }
        for (no, order) in &self.model.orders {
            let Some(email) = order.email.as_deref() else { continue };
            let kept = kept.get(&order.id.0).copied().unwrap_or(0);
            let about = [About::Placed, About::Left, About::Arrived];
            let post = |about: &About| self.model.mails.post.get(&(*no, *about));
            let due: usize = about.iter().filter_map(post).map(|p| p.due).sum();
            let came: usize = about.iter().filter_map(post).map(|p| p.came.len()).sum();
            let refunded = order.granted - self.truth(*no).declined;
            let right = match email {
                NOBODY | FULL => came == 0 && kept >= due && (refunded > 0 || kept == due),
                _ => came == due && kept == 0 && self.refunds_told(*no) == refunded,
            };
            if !right {
                let says = format!(
                    "order {no}, {email}: {due} are called for, {came} came, {kept} are kept; refunds of {} told, of {refunded} made",
                    self.refunds_told(*no)
                );
                return Err(Trouble::new("mails.arrive", says));
            }
        }
        Ok(())
    }
}
