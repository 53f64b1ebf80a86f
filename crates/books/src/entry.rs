//! What happened → the journal entry it means. Pure. Invariant: every row moves one amount from one account to another, so an entry
//! cannot be out of balance in any currency; zero amounts make no row and negative ones swap sides.
//!
//! The account *Customers* is a clearing per order: shipping debits what the customer owes, capturing credits what was paid, returns
//! and refunds turn both around. It ends at zero for every order that is settled.

use crate::accounts::{
    BANK, CARRIAGE_OUT, CARRIERS, CHARGEBACKS, COST_OF_GOODS, CREDIT_GRANTED, CUSTOMERS, DISCOUNTS,
    EXCHANGES, FEES_CHARGED, GATEWAY_CLEARING, GOODS_RECEIVED, INVENTORY, PAYMENT_FEES, RETURNS, SALES,
    SALES_TAX, SHIPPING_INCOME, STORE_CREDIT, WRITE_OFFS,
};
use kernel::{Currency, Money};

/// One row: `amount` from `credit` to `debit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// The account that is debited.
    pub debit: &'static str,
    /// The account that is credited.
    pub credit: &'static str,
    /// ISO 4217.
    pub currency: Currency,
    /// Minor units, over zero.
    pub amount: i64,
}

/// A journal entry to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is, for people.
    pub text: String,
    /// Its rows, at least one.
    pub postings: Vec<Posting>,
}

/// Parts of a price, in minor units of the order's currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Parts {
    /// Discount, without tax.
    pub discount_net: i64,
    /// Goods after discount, without tax.
    pub net: i64,
    /// Tax on goods and shipping.
    pub tax: i64,
    /// Shipping, without tax.
    pub shipping: i64,
    /// Fees.
    pub fee: i64,
}

impl Parts {
    /// What the customer owes for them.
    pub fn total(&self) -> i64 {
        self.net + self.tax + self.shipping + self.fee
    }
}

/// Where money of a payment lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purse {
    /// Came to us directly: transfers, cash.
    Bank,
    /// Collected by a gateway.
    Gateway,
    /// The customer's store credit.
    StoreCredit,
    /// The credit of a return that is exchanged.
    Exchange,
}

impl Purse {
    /// The purse behind a gateway's code.
    pub fn of_gateway(gateway: &str) -> Self {
        match gateway {
            "manual" => Self::Bank,
            "store_credit" => Self::StoreCredit,
            "exchange" => Self::Exchange,
            _ => Self::Gateway,
        }
    }
    fn account(self) -> &'static str {
        match self {
            Self::Bank => BANK,
            Self::Gateway => GATEWAY_CLEARING,
            Self::StoreCredit => STORE_CREDIT,
            Self::Exchange => EXCHANGES,
        }
    }
}

/// What happened, reduced to what the books need. Costs and values of stock are in the base currency, which need not be the order's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// Units left us: the sale. `cost` is that of units we owned.
    UnitsShipped {
        /// The order's currency.
        currency: Currency,
        /// Sum over the units.
        parts: Parts,
        /// What they had cost.
        cost: Money,
    },
    /// Units were taken back and credited. `cost` is that of units which lie in our stock again.
    UnitsReturned {
        /// The order's currency.
        currency: Currency,
        /// Sum of the credited parts.
        parts: Parts,
        /// What goes back into inventory.
        cost: Money,
    },
    /// A customer's money came.
    Captured {
        /// Into what.
        into: Purse,
        /// How much.
        money: Money,
    },
    /// A gateway kept a fee.
    FeeCharged(Money),
    /// A customer got money back.
    Refunded {
        /// Out of what.
        from: Purse,
        /// How much.
        money: Money,
    },
    /// A bank took money back from the gateway until the dispute is decided.
    Disputed(Money),
    /// The dispute was decided; won money comes back, lost money stays an expense.
    DisputeClosed {
        /// What it was about.
        money: Money,
        /// For us.
        won: bool,
    },
    /// Goods of ours came in.
    StockReceived(Money),
    /// Goods of ours were found (positive) or lost (negative).
    StockAdjusted {
        /// Change at cost.
        value: Money,
        /// Why.
        reason: String,
    },
    /// A label was bought.
    LabelPurchased(Money),
    /// A label was given back.
    LabelVoided(Money),
    /// Store credit given by hand (positive) or taken back (negative).
    CreditGranted(Money),
    /// A correction by hand.
    Adjusted {
        /// Debited when the amount is positive.
        debit: &'static str,
        /// Credited when the amount is positive.
        credit: &'static str,
        /// How much.
        money: Money,
        /// Why.
        text: String,
    },
}

#[derive(Default)]
struct Draft(Vec<Posting>);
impl Draft {
    fn row(&mut self, debit: &'static str, credit: &'static str, currency: Currency, amount: i64) {
        match amount {
            0 => {}
            1.. => self.0.push(Posting { debit, credit, currency, amount }),
            _ => self.0.push(Posting { debit: credit, credit: debit, currency, amount: -amount }),
        }
    }
    fn money(&mut self, debit: &'static str, credit: &'static str, money: Money) {
        self.row(debit, credit, money.currency, money.minor);
    }
}

/// The entry of what happened, or none when no money or value moved.
pub fn entry(happened: &Happened) -> Option<Entry> {
    let mut rows = Draft::default();
    let text = match happened {
        Happened::UnitsShipped { currency, parts, cost } => {
            sale(&mut rows, *currency, parts);
            rows.money(COST_OF_GOODS, INVENTORY, *cost);
            "Units shipped".to_owned()
        }
        Happened::UnitsReturned { currency, parts, cost } => {
            taken_back(&mut rows, *currency, parts);
            rows.money(INVENTORY, COST_OF_GOODS, *cost);
            "Units returned".to_owned()
        }
        Happened::Captured { into, money } => {
            rows.money(into.account(), CUSTOMERS, *money);
            "Payment captured".to_owned()
        }
        Happened::FeeCharged(money) => {
            rows.money(PAYMENT_FEES, GATEWAY_CLEARING, *money);
            "Fee of the gateway".to_owned()
        }
        Happened::Refunded { from, money } => {
            rows.money(CUSTOMERS, from.account(), *money);
            "Payment refunded".to_owned()
        }
        Happened::Disputed(money) => {
            rows.money(CHARGEBACKS, GATEWAY_CLEARING, *money);
            "Payment disputed".to_owned()
        }
        Happened::DisputeClosed { money, won } => {
            if *won {
                rows.money(GATEWAY_CLEARING, CHARGEBACKS, *money);
            }
            "Dispute won".to_owned()
        }
        Happened::StockReceived(value) => {
            rows.money(INVENTORY, GOODS_RECEIVED, *value);
            "Goods received".to_owned()
        }
        Happened::StockAdjusted { value, reason } => {
            rows.money(INVENTORY, WRITE_OFFS, *value);
            format!("Stock adjusted: {reason}")
        }
        Happened::LabelPurchased(money) => {
            rows.money(CARRIAGE_OUT, CARRIERS, *money);
            "Label purchased".to_owned()
        }
        Happened::LabelVoided(money) => {
            rows.money(CARRIERS, CARRIAGE_OUT, *money);
            "Label voided".to_owned()
        }
        Happened::CreditGranted(money) => {
            rows.money(CREDIT_GRANTED, STORE_CREDIT, *money);
            "Store credit granted".to_owned()
        }
        Happened::Adjusted { debit, credit, money, text } => {
            rows.money(debit, credit, *money);
            text.clone()
        }
    };
    (!rows.0.is_empty()).then_some(Entry { text, postings: rows.0 })
}

fn sale(rows: &mut Draft, currency: Currency, parts: &Parts) {
    rows.row(CUSTOMERS, SALES, currency, parts.net + parts.discount_net);
    rows.row(DISCOUNTS, CUSTOMERS, currency, parts.discount_net);
    rows.row(CUSTOMERS, SALES_TAX, currency, parts.tax);
    rows.row(CUSTOMERS, SHIPPING_INCOME, currency, parts.shipping);
    rows.row(CUSTOMERS, FEES_CHARGED, currency, parts.fee);
}

fn taken_back(rows: &mut Draft, currency: Currency, parts: &Parts) {
    rows.row(RETURNS, CUSTOMERS, currency, parts.net);
    rows.row(SALES_TAX, CUSTOMERS, currency, parts.tax);
    rows.row(SHIPPING_INCOME, CUSTOMERS, currency, parts.shipping);
    rows.row(FEES_CHARGED, CUSTOMERS, currency, parts.fee);
}

#[cfg(test)]
#[path = "entry_tests.rs"]
mod tests;
