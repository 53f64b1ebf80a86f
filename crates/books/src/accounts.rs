//! The chart of accounts. Invariant: every account that code posts to stands in [`ACCOUNTS`], and the table `account` holds at least
//! these, so that a posting never lacks its account.

use db::{Rows, Tx};
use kernel::Fault;
use serde::Serialize;

/// What an account is; decides its statement and the side that makes it grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// What we own; grows by debit.
    Asset,
    /// What we owe; grows by credit.
    Liability,
    /// What the owners put in and kept; grows by credit.
    Equity,
    /// What we earn; grows by credit.
    Income,
    /// What it costs; grows by debit.
    Expense,
}

impl AccountKind {
    /// As the table keeps it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asset => "asset",
            Self::Liability => "liability",
            Self::Equity => "equity",
            Self::Income => "income",
            Self::Expense => "expense",
        }
    }
    /// Whether a debit makes it grow.
    pub fn grows_by_debit(self) -> bool {
        matches!(self, Self::Asset | Self::Expense)
    }
}

/// An account of the chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// Four digits.
    pub code: &'static str,
    /// For people.
    pub name: &'static str,
    /// Its statement and side.
    pub kind: AccountKind,
}

const fn account(code: &'static str, name: &'static str, kind: AccountKind) -> Account {
    Account { code, name, kind }
}

/// Money in the bank.
pub const BANK: &str = "1000";
/// Money gateways collected for us and have not paid out yet.
pub const GATEWAY_CLEARING: &str = "1050";
/// Clearing per order: a debit balance is a receivable, a credit balance is a deposit.
pub const CUSTOMERS: &str = "1100";
/// Goods we own, at cost.
pub const INVENTORY: &str = "1200";
/// Labels bought and not yet paid.
pub const CARRIERS: &str = "2000";
/// Goods received whose invoice has not come.
pub const GOODS_RECEIVED: &str = "2050";
/// Tax collected for the state.
pub const SALES_TAX: &str = "2100";
/// What customers may still spend.
pub const STORE_CREDIT: &str = "2200";
/// Credit of returns on its way to the orders that replace them.
pub const EXCHANGES: &str = "2210";
/// Goods sold, before discounts.
pub const SALES: &str = "4000";
/// Discounts given.
pub const DISCOUNTS: &str = "4010";
/// Shipping charged to customers.
pub const SHIPPING_INCOME: &str = "4020";
/// Fees charged to customers.
pub const FEES_CHARGED: &str = "4030";
/// Goods taken back, at the price they were sold for.
pub const RETURNS: &str = "4090";
/// What the goods sold had cost.
pub const COST_OF_GOODS: &str = "5000";
/// Carriers' labels.
pub const CARRIAGE_OUT: &str = "5100";
/// What gateways keep.
pub const PAYMENT_FEES: &str = "5200";
/// Stock lost, found, broken.
pub const WRITE_OFFS: &str = "5300";
/// Credit given away by hand.
pub const CREDIT_GRANTED: &str = "5500";
/// Money taken back by the customers' banks.
pub const CHARGEBACKS: &str = "5900";

/// The chart, by code.
pub const ACCOUNTS: &[Account] = &[
    account(BANK, "Bank", AccountKind::Asset),
    account(GATEWAY_CLEARING, "Gateway clearing", AccountKind::Asset),
    account(CUSTOMERS, "Customers", AccountKind::Asset),
    account(INVENTORY, "Inventory", AccountKind::Asset),
    account(CARRIERS, "Payables to carriers", AccountKind::Liability),
    account(GOODS_RECEIVED, "Goods received not invoiced", AccountKind::Liability),
    account("2060", "Payables to suppliers", AccountKind::Liability),
    account(SALES_TAX, "Sales tax payable", AccountKind::Liability),
    account(STORE_CREDIT, "Store credit", AccountKind::Liability),
    account(EXCHANGES, "Exchange clearing", AccountKind::Liability),
    account("3000", "Owner's equity", AccountKind::Equity),
    account("3100", "Opening balance", AccountKind::Equity),
    account(SALES, "Sales", AccountKind::Income),
    account(DISCOUNTS, "Discounts", AccountKind::Income),
    account(SHIPPING_INCOME, "Shipping income", AccountKind::Income),
    account(FEES_CHARGED, "Fees charged", AccountKind::Income),
    account(RETURNS, "Returns and allowances", AccountKind::Income),
    account(COST_OF_GOODS, "Cost of goods sold", AccountKind::Expense),
    account(CARRIAGE_OUT, "Carriage out", AccountKind::Expense),
    account(PAYMENT_FEES, "Payment fees", AccountKind::Expense),
    account(WRITE_OFFS, "Inventory write-offs", AccountKind::Expense),
    account("5400", "Bad debt", AccountKind::Expense),
    account(CREDIT_GRANTED, "Store credit granted", AccountKind::Expense),
    account(CHARGEBACKS, "Chargebacks", AccountKind::Expense),
];

/// The account of a code.
pub fn by_code(code: &str) -> Option<&'static Account> {
    ACCOUNTS.iter().find(|a| a.code == code)
}

/// Writes the chart into the database; accounts that are there stay as they are. Posting does it by itself when it has to.
///
/// # Errors
/// A fault of the database.
pub async fn install(tx: &Tx) -> Result<(), Fault> {
    let mut rows = Rows::new("code TEXT, name TEXT, kind TEXT");
    for a in ACCOUNTS {
        rows.push([a.code.into(), a.name.into(), a.kind.as_str().into()]);
    }
    let text = "INSERT INTO account (code, name, kind) SELECT code, name, kind FROM input WHERE TRUE ON CONFLICT (code) DO NOTHING";
    tx.exec_from(&rows, text, []).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_in_order() {
        assert!(ACCOUNTS.windows(2).all(|w| w[0].code < w[1].code));
        assert_eq!(by_code(SALES).map(|a| a.name), Some("Sales"));
        assert_eq!(by_code("9999"), None);
    }
}
