//! Who may see an order without signing in: a signed text in the query of a page, which is in no log of ours.
//!
//! Invariant: a pass says which order, and whether it came by e-mail to the customer; only such a pass shows an address.

use db::Db;
use kernel::{Fault, Timestamp};
use orders::OrderId;
use web::signed::Signer;

/// For what the signatures are.
const PURPOSE: &str = "track";
/// How long a pass is good that somebody got for number and e-mail.
const LOOKED_UP: i64 = 2 * Timestamp::HOUR;
/// How long a link in an e-mail is good: longer than most windows of returns.
const MAILED: i64 = 120 * Timestamp::DAY;

/// What a pass says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    /// Which order.
    pub order: OrderId,
    /// It came by e-mail, so who has it reads the customer's e-mails.
    pub mailed: bool,
}

impl Pass {
    /// The text of the pass, good from now on for its time.
    ///
    /// # Errors
    /// None that can happen; see [`Signer::sign`].
    pub fn text(self, signer: &Signer, now: Timestamp) -> Result<String, Fault> {
        let (word, time) = if self.mailed { ("mail", MAILED) } else { ("look", LOOKED_UP) };
        signer.sign(PURPOSE, &format!("{word}-{}", self.order), now.plus(time))
    }
    /// The path of the tracking page with this pass.
    ///
    /// # Errors
    /// As [`Pass::text`].
    pub fn path(self, signer: &Signer, now: Timestamp) -> Result<String, Fault> {
        Ok(web::html::query("/track", &[("t", &self.text(signer, now)?)]))
    }
    /// What a text says; none when it was changed or is over.
    ///
    /// # Errors
    /// A fault of the database.
    pub async fn read(db: &Db, text: &str) -> Result<Option<Self>, Fault> {
        let said = Signer::of(db).await?.read(PURPOSE, text, db.now())?;
        let Some((word, order)) = said.as_deref().and_then(|said| said.split_once('-')) else {
            return Ok(None);
        };
        Ok(order.parse().ok().map(|order| Self { order, mailed: word == "mail" }))
    }
}

/// For what the signatures of links to pay are: who may pay sees less than who may track.
const PAYING: &str = "pay";
/// How long a link to pay is good.
const TO_PAY: i64 = 30 * Timestamp::DAY;

/// The path of the page where an order is paid, good from now on for its time.
///
/// # Errors
/// None that can happen; see [`Signer::sign`].
pub fn pay_path(order: OrderId, signer: &Signer, now: Timestamp) -> Result<String, Fault> {
    let text = signer.sign(PAYING, &order.to_string(), now.plus(TO_PAY))?;
    Ok(web::html::query("/pay", &[("t", &text)]))
}

/// Which order a link to pay is for; none when it was changed or is over.
///
/// # Errors
/// A fault of the database.
pub(crate) async fn to_pay(db: &Db, text: &str) -> Result<Option<OrderId>, Fault> {
    let said = Signer::of(db).await?.read(PAYING, text, db.now())?;
    Ok(said.and_then(|order| order.parse().ok()))
}
