//! `fulmar import olist`: sellers, catalogue and people first, then the orders by time, then their reviews. Invariant: an order that
//! ended `unavailable` is booked after all others, so that nothing which still comes in is given to its backorder.

mod goods;
mod orders;
mod reviews;

use std::ops::Range;
use std::path::Path;

use db::{Db, Tx};
use kernel::{Currency, Fault};

use super::run::{Run, Source, fingerprint};
use super::summary::{Counts, Outcome, Summary};
use super::{ImportFailed, Options, Watch, reject};
use crate::olist::{Files, Order, Plan, Status, plan};

const SOURCE: &str = "olist";
/// Rows of one transaction where each is one row of a table or two.
const PLAIN: usize = 1_000;
/// Orders of one transaction: enough to spread the cost of a statement, few enough for the others who write.
const ORDERS: usize = 250;

#[derive(Debug, Clone)]
enum Chunk {
    Sellers(Range<usize>),
    Items(Range<usize>),
    People(Range<usize>),
    Orders(Range<usize>),
    Reviews(Range<usize>),
}

struct Olist {
    plan: Plan,
    /// The plan's orders as they are booked.
    orders: Vec<Order>,
    prices: goods::Prices,
    currency: Currency,
    chunks: Vec<Chunk>,
}

fn ranges(from: usize, to: usize, size: usize) -> impl Iterator<Item = Range<usize>> {
    (from..to).step_by(size).map(move |start| start..(start + size).min(to))
}

fn chunks(plan: &Plan, orders: &[Order]) -> Vec<Chunk> {
    let served = orders.iter().take_while(|order| order.status != Status::Unavailable).count();
    let mut chunks: Vec<Chunk> = ranges(0, plan.sellers.len(), PLAIN).map(Chunk::Sellers).collect();
    chunks.extend(ranges(0, plan.items.len(), PLAIN).map(Chunk::Items));
    chunks.extend(ranges(0, plan.customers.len(), PLAIN).map(Chunk::People));
    chunks.extend(ranges(0, served, ORDERS).map(Chunk::Orders));
    // One chunk, however many: what comes in for a later one would be given to the backorders of an earlier one.
    chunks.extend((served < orders.len()).then_some(Chunk::Orders(served..orders.len())));
    chunks.extend(ranges(0, plan.reviews.len(), PLAIN).map(Chunk::Reviews));
    chunks
}

impl Source for Olist {
    fn chunks(&self) -> usize {
        self.chunks.len()
    }

    fn stage(&self, chunk: usize) -> (&'static str, u64) {
        match &self.chunks[chunk] {
            Chunk::Sellers(_) => ("sellers", 0),
            Chunk::Items(_) => ("products", 0),
            Chunk::People(_) => ("customers", 0),
            Chunk::Orders(range) => ("orders", range.end as u64),
            Chunk::Reviews(_) => ("reviews", self.orders.len() as u64),
        }
    }

    async fn book(&self, tx: &Tx, run: &Run, chunk: usize, counts: &mut Counts) -> Result<(), Fault> {
        let opens_at = self.plan.orders.first().map_or(0, |order| order.placed_at - 1);
        match &self.chunks[chunk] {
            Chunk::Sellers(range) => {
                goods::sellers(tx, opens_at, &self.plan.sellers[range.clone()], counts).await
            }
            Chunk::Items(range) => {
                goods::items(tx, opens_at, &self.plan.items[range.clone()], &self.prices, counts).await
            }
            Chunk::People(range) => {
                counts.customers = range.end as u64;
                goods::people(tx, opens_at, &self.plan.customers[range.clone()]).await
            }
            Chunk::Orders(range) => {
                let chunk = orders::Chunk { opens_at, currency: self.currency, by: &run.actor };
                orders::book(tx, &chunk, &self.orders[range.clone()], counts).await
            }
            Chunk::Reviews(range) => reviews::keep(tx, &self.plan.reviews[range.clone()], counts).await,
        }
    }
}

/// Imports the folder of the data set; see `docs/importing.md`.
///
/// # Errors
/// [`ImportFailed`]: files that cannot be read, faults of the database, or `watch` said stop.
pub async fn olist(
    db: &Db,
    folder: &Path,
    options: &Options,
    mut watch: impl Watch,
) -> Result<Summary, ImportFailed> {
    let files = Files::open(folder)?;
    let currency: Currency = "BRL".parse().map_err(Fault::from)?;
    let mut plan = plan(&files)?;
    let all = [
        &files.orders,
        &files.items,
        &files.payments,
        &files.customers,
        &files.products,
        &files.sellers,
        &files.reviews,
        &files.translation,
        &files.geolocation,
    ];
    let mut run = Run::begin(db, SOURCE, &fingerprint(all.map(Vec::as_slice)), Some(currency)).await?;
    let mut orders = plan.orders.clone();
    orders.sort_by_key(|order| order.status == Status::Unavailable);
    let chunks = chunks(&plan, &orders);
    let sheets = std::mem::take(&mut plan.sheets);
    let source = Olist { prices: goods::Prices::of(&plan.orders, currency), plan, orders, currency, chunks };
    if run.outcome != Outcome::Unchanged {
        run.drive(db, &source, &mut watch).await?;
    }
    let mut sheets = sheets;
    for sheet in sheets.iter_mut().filter(|sheet| sheet.file == "olist_orders_dataset.csv") {
        reject::add_refused(sheet, &files.orders, "order_id", &run.counts.refused)?;
    }
    let files = reject::report(&sheets, folder, options.rejected.as_deref())?;
    let mut remarks = vec![
        "The files have no stock and no costs: sellers opened with what their orders took, at no cost to us."
            .to_owned(),
        "The files have no tax rates: prices contain tax, and none of it is told apart.".to_owned(),
    ];
    if run.base != currency {
        remarks.push(format!("Costs are kept in {}; nothing of this import has one.", run.base));
    }
    let (outcome, counts) = (run.outcome, run.counts);
    let control = crate::control(db.read(), Some(SOURCE)).await?;
    Ok(Summary { source: SOURCE, outcome, currency: Some(currency), counts, files, control, remarks })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_everything_once() {
        assert_eq!(ranges(0, 5, 2).collect::<Vec<_>>(), [0..2, 2..4, 4..5]);
        assert_eq!(ranges(3, 3, 2).count(), 0);
    }
}
