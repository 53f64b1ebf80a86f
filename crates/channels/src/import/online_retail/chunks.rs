//! Cuts the documents into chunks and says what stock they need. Pure. Invariant: within a chunk all that came in is booked first, then all
//! sales, then all credits, then all that went; a chunk ends before a sale that needs what a credit of the same chunk brings back, so
//! with the plan's opening stock no shelf is ever short in that order either.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use crate::online_retail::{Document, LineKind, OpeningStock, Sale};

/// Documents, lines of sales and returned units of one transaction at most (a single document may be above).
const MOST: (usize, usize, i64) = (250, 2_500, 10_000);

#[derive(Default)]
struct Size(usize, usize, i64);

impl Size {
    fn of(document: &Document) -> Self {
        match document {
            Document::Sale(sale) => Self(1, sale.lines.len(), 0),
            Document::Credit(credit) => Self(
                1,
                credit.lines.len(),
                credit.lines.iter().map(|line| line.quantity - line.unmatched()).sum(),
            ),
            Document::Charges(_) | Document::Stock(_) => Self(1, 0, 0),
        }
    }
    fn plus(&self, other: &Self) -> Self {
        Self(self.0 + other.0, self.1 + other.1, self.2 + other.2)
    }
    fn fits(&self) -> bool {
        self.0 <= MOST.0 && self.1 <= MOST.1 && self.2 <= MOST.2
    }
}

fn sold(sale: &Sale) -> impl Iterator<Item = (&Arc<str>, i64)> {
    sale.lines.iter().filter(|line| line.kind == LineKind::Goods).map(|line| (&line.sku, line.quantity))
}

/// Changes of the shelves by a document.
fn changes(document: &Document) -> Vec<(&Arc<str>, i64)> {
    match document {
        Document::Sale(sale) => sold(sale).map(|(sku, quantity)| (sku, -quantity)).collect(),
        Document::Credit(credit) => {
            credit.lines.iter().map(|line| (&line.sku, line.quantity - line.unmatched())).collect()
        }
        Document::Stock(change) => vec![(&change.sku, change.change)],
        Document::Charges(_) => Vec::new(),
    }
}

/// Cuts the documents.
pub(super) fn cut(documents: &[Document], opening: &[OpeningStock]) -> Vec<Range<usize>> {
    let mut level: HashMap<&Arc<str>, i64> = opening.iter().map(|o| (&o.sku, o.quantity)).collect();
    // What credits of the present chunk brought: not there yet when its sales are booked.
    let mut late: HashMap<&Arc<str>, i64> = HashMap::new();
    let (mut cuts, mut start, mut size) = (Vec::new(), 0, Size::default());
    for (i, document) in documents.iter().enumerate() {
        let mine = Size::of(document);
        let short = match document {
            Document::Sale(sale) => {
                let mut needed: HashMap<&Arc<str>, i64> = HashMap::new();
                for (sku, quantity) in sold(sale) {
                    *needed.entry(sku).or_default() += quantity;
                }
                let have = |sku| level.get(sku).unwrap_or(&0) - late.get(sku).unwrap_or(&0);
                needed.iter().any(|(sku, quantity)| have(*sku) < *quantity)
            }
            _ => false,
        };
        if i > start && (short || !size.plus(&mine).fits()) {
            cuts.push(start..i);
            (start, size) = (i, Size::default());
            late.clear();
        }
        size = size.plus(&mine);
        for (sku, change) in changes(document) {
            *level.entry(sku).or_default() += change;
            if matches!(document, Document::Credit(_)) {
                *late.entry(sku).or_default() += change;
            }
        }
    }
    if start < documents.len() {
        cuts.push(start..documents.len());
    }
    cuts
}

/// What has to be on the shelves before the documents that are new, booked chunk by chunk in the order above.
pub(super) fn needed(
    documents: &[Document],
    chunks: &[Range<usize>],
    is_new: impl Fn(usize) -> bool,
) -> BTreeMap<Arc<str>, i64> {
    let mut balance: BTreeMap<&Arc<str>, (i64, i64)> = BTreeMap::new();
    for chunk in chunks {
        let stage = |document: &Document| match document {
            Document::Stock(change) if change.change > 0 => 0,
            Document::Sale(_) => 1,
            Document::Credit(_) => 2,
            Document::Stock(_) | Document::Charges(_) => 3,
        };
        for now in 0..4 {
            let mine = chunk.clone().filter(|i| is_new(*i)).map(|i| &documents[i]);
            for (sku, change) in mine.filter(|document| stage(document) == now).flat_map(changes) {
                let (level, lowest) = balance.entry(sku).or_default();
                *level += change;
                *lowest = (*lowest).min(*level);
            }
        }
    }
    let short = balance.into_iter().filter(|(_, (_, lowest))| *lowest < 0);
    short.map(|(sku, (_, lowest))| (Arc::clone(sku), -lowest)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::online_retail::plan;
    use proptest::prelude::*;

    fn file(rows: &[(u8, bool, i64)]) -> String {
        let mut text =
            "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n".to_owned();
        for (i, (sku, back, quantity)) in rows.iter().enumerate() {
            let (prefix, sign) = if *back { ("C", -1) } else { ("", 1) };
            let at = format!("2011-03-{:02} {:02}:00:00", 1 + i / 24, i % 24);
            text += &format!("{prefix}{},1000{sku},T,{},{at},1.0,30001,France\n", 7000 + i, sign * quantity);
        }
        text
    }

    proptest! {
        #[test]
        fn the_least_opening_stock_does_for_the_order_within_chunks(rows in prop::collection::vec((0u8..3, any::<bool>(), 1i64..9), 1..80)) {
            let plan = plan("t.csv", file(&rows).as_bytes()).unwrap();
            let chunks = cut(&plan.documents, &plan.stock);
            prop_assert_eq!(chunks.iter().map(ExactSizeIterator::len).sum::<usize>(), plan.documents.len());
            prop_assert!(chunks.windows(2).all(|pair| pair[0].end == pair[1].start));
            let opening: BTreeMap<_, _> = plan.stock.iter().map(|o| (Arc::clone(&o.sku), o.quantity)).collect();
            for (sku, quantity) in needed(&plan.documents, &chunks, |_| true) {
                prop_assert!(quantity <= opening.get(&sku).copied().unwrap_or(0), "{}: {}", sku, quantity);
            }
            prop_assert!(needed(&plan.documents, &chunks, |_| false).is_empty());
        }
    }
}
