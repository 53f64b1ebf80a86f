//! Changes of stock that no sale explains, and what must have been there before. Invariant: with the opening
//! stock booked first and the documents in order, no SKU is ever below zero, and no smaller opening would do.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::documents::{Document, LineKind};

/// A row without price: the till's way to correct stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockChange {
    /// The number the till gave it.
    pub invoice: Arc<str>,
    /// Line in the file.
    pub line: u64,
    /// µs since the epoch, UTC.
    pub at: i64,
    /// Stock code.
    pub sku: Arc<str>,
    /// Units: positive came, negative went.
    pub change: i64,
    /// Why, as far as the text says.
    pub reason: StockReason,
    /// The text, often empty.
    pub text: Arc<str>,
}

/// Why stock changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StockReason {
    /// Broken, wet, mouldy, faulty, thrown away.
    Damaged,
    /// Missing or lost.
    Lost,
    /// Found again.
    Found,
    /// Sold on another channel, or as part of a set.
    SoldElsewhere,
    /// Counted or checked.
    Counted,
    /// Some other text, or the product's own name.
    Other,
    /// No text.
    Unstated,
}

impl StockReason {
    /// Reads the text people typed; `change` tells a found unit from a lost one where the text does not.
    pub fn read(text: &str, change: i64) -> StockReason {
        let text = text.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if text.chars().all(|c| !c.is_alphanumeric()) {
            StockReason::Unstated
        } else if change < 0 && says(&DAMAGE) {
            StockReason::Damaged
        } else if says(&["found"]) {
            StockReason::Found
        } else if says(&["missing", "lost", "can't find", "cant find"]) && change < 0 {
            StockReason::Lost
        } else if says(&["ebay", "amazon", "dotcom", "sold as", "website", "showroom"]) {
            StockReason::SoldElsewhere
        } else if says(&["check", "count", "adjust", "wrong", "incorrect", "mix up", "stock"]) {
            StockReason::Counted
        } else {
            StockReason::Other
        }
    }
}

const DAMAGE: [&str; 12] = [
    "damag",
    "crush",
    "wet",
    "mould",
    "rust",
    "broken",
    "smash",
    "crack",
    "faulty",
    "throw",
    "unsaleable",
    "destroy",
];

/// Units to receive before the first document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpeningStock {
    /// Stock code.
    pub sku: Arc<str>,
    /// Units, positive.
    pub quantity: i64,
}

/// Sales take, matched credits give back, changes do as they say. Credits without a sale give nothing back: the
/// file does not show that the units ever left, nor that they came in again.
pub(super) fn opening_stock(documents: &[Document]) -> Vec<OpeningStock> {
    let mut balance: BTreeMap<&Arc<str>, (i64, i64)> = BTreeMap::new();
    let mut book = |sku, change: i64| {
        let (now, lowest) = balance.entry(sku).or_default();
        *now += change;
        *lowest = (*lowest).min(*now);
    };
    for document in documents {
        match document {
            Document::Sale(sale) => {
                for line in sale.lines.iter().filter(|line| line.kind == LineKind::Goods) {
                    book(&line.sku, -line.quantity);
                }
            }
            Document::Credit(credit) => {
                for line in &credit.lines {
                    book(&line.sku, line.quantity - line.unmatched());
                }
            }
            Document::Stock(change) => book(&change.sku, change.change),
            Document::Charges(_) => {}
        }
    }
    let short = balance.into_iter().filter(|(_, (_, lowest))| *lowest < 0);
    short.map(|(sku, (_, lowest))| OpeningStock { sku: Arc::clone(sku), quantity: -lowest }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_people_typed() {
        let cases = [
            ("", -3, StockReason::Unstated),
            ("?", -3, StockReason::Unstated),
            ("Wet/damaged", -1, StockReason::Damaged),
            ("thrown away", -1, StockReason::Damaged),
            ("Found", 5, StockReason::Found),
            ("missing?", -5, StockReason::Lost),
            ("sold as set on dotcom", -1, StockReason::SoldElsewhere),
            ("ebay", -1, StockReason::SoldElsewhere),
            ("check", -1, StockReason::Counted),
            ("JUMBO BAG RED", 1, StockReason::Other),
        ];
        for (text, change, expected) in cases {
            assert_eq!(StockReason::read(text, change), expected, "{text}");
        }
    }
}
