//! `fulmar import online-retail`: the catalogue and its opening stock first, then the documents by time. Invariant: what the import books
//! adds up to the control total of the rows taken, to the penny: orders − returned + what is booked outside of orders.

mod chunks;
mod credits;
mod goods;
mod sales;
mod stock;

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::Path;

use db::{Db, Tx};
use kernel::{Actor, Currency, Fault};

use super::account::{self, known_adjustments, known_orders};
use super::run::{Run, Source, fingerprint};
use super::summary::{Counts, Outcome, Summary};
use super::{ImportFailed, ImportRefused, Options, Watch, reject};
use crate::online_retail::{Charge, Document, Plan, plan, unpacked};
use crate::sheet::BadFile;

const SOURCE: &str = "online-retail";
/// Code of the wholesaler's warehouse.
const WAREHOUSE: &str = "online-retail";
/// SKUs of one transaction.
const ITEMS: usize = 1_000;

#[derive(Debug, Clone)]
enum Chunk {
    Items(Range<usize>),
    Opening,
    Documents(Range<usize>),
}

struct Retail {
    plan: Plan,
    /// The source's own reference of each document, unique in the file.
    references: Vec<String>,
    currency: Currency,
    cost_percent: u32,
    documents: Vec<Range<usize>>,
    /// Sales up to and including each document.
    sales: Vec<u64>,
    chunks: Vec<Chunk>,
}

/// What the documents of a chunk share.
struct Desk<'a> {
    currency: Currency,
    by: &'a Actor,
    warehouse: inventory::LocationId,
}

/// The documents of a chunk that are new, by kind.
type Of<'a, T> = Vec<(&'a str, &'a T)>;

/// An invoice is its number. Rows without price share an invoice, each is a document: they are numbered.
fn references(documents: &[Document]) -> Vec<String> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut references = Vec::with_capacity(documents.len());
    for document in documents {
        references.push(match document {
            Document::Sale(sale) => sale.invoice.to_string(),
            Document::Credit(credit) => credit.invoice.to_string(),
            Document::Charges(only) => only.invoice.to_string(),
            Document::Stock(change) => {
                let n = seen.entry(&change.invoice).or_default();
                *n += 1;
                format!("{}/stock-{n}", change.invoice)
            }
        });
    }
    references
}

impl Retail {
    fn new(plan: Plan, currency: Currency, cost_percent: u32) -> Self {
        let documents = chunks::cut(&plan.documents, &plan.stock);
        let mut chunks: Vec<Chunk> = (0..plan.items.len())
            .step_by(ITEMS)
            .map(|from| Chunk::Items(from..(from + ITEMS).min(plan.items.len())))
            .collect();
        chunks.push(Chunk::Opening);
        chunks.extend(documents.iter().cloned().map(Chunk::Documents));
        let is_sale = |document: &Document| u64::from(matches!(document, Document::Sale(_)));
        let sales = plan.documents.iter().scan(0, |sum, document| {
            *sum += is_sale(document);
            Some(*sum)
        });
        let sales = sales.collect();
        let references = references(&plan.documents);
        Self { plan, references, currency, cost_percent, documents, sales, chunks }
    }

    /// Which documents of a range were booked before, in any run.
    async fn known(&self, tx: &Tx, range: Range<usize>) -> Result<HashSet<String>, Fault> {
        let of = |sales: bool| {
            let pairs = self.plan.documents[range.clone()].iter().zip(&self.references[range.clone()]);
            let mine = pairs.filter(move |(document, _)| matches!(document, Document::Sale(_)) == sales);
            mine.map(|(_, reference)| reference.as_str())
        };
        let mut known = known_orders(tx, SOURCE, of(true)).await?;
        known.extend(known_adjustments(tx, SOURCE, of(false)).await?);
        Ok(known)
    }

    async fn documents(
        &self,
        tx: &Tx,
        by: &Actor,
        range: Range<usize>,
        counts: &mut Counts,
    ) -> Result<(), Fault> {
        let known = self.known(tx, range.clone()).await?;
        let places = super::drive::locations(tx, std::iter::once(WAREHOUSE)).await?;
        let warehouse =
            places.get(WAREHOUSE).copied().ok_or_else(|| Fault::broken("the warehouse is not there"))?;
        let desk = Desk { currency: self.currency, by, warehouse };
        let (mut sales, mut credits, mut charges, mut changes) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for i in range {
            let reference = self.references[i].as_str();
            match &self.plan.documents[i] {
                Document::Sale(_) if known.contains(reference) => counts.orders_known += 1,
                _ if known.contains(reference) => {}
                Document::Sale(sale) => sales.push((reference, sale)),
                Document::Credit(credit) => credits.push((reference, credit)),
                Document::Charges(only) => charges.push((reference, only)),
                Document::Stock(change) => changes.push((reference, change)),
            }
        }
        // What came in, what was sold, what came back, what went: in this order no shelf is ever short (see `chunks`).
        stock::change(tx, &desk, &changes, true, counts).await?;
        sales::book(tx, &desk, &sales, counts).await?;
        credits::book(tx, &desk, &credits, counts).await?;
        stock::change(tx, &desk, &changes, false, counts).await?;
        let mut bookings = Vec::new();
        for (reference, only) in charges {
            bookings.extend(
                only.charges.iter().enumerate().map(|(i, charge)| booking(reference, i, only.at, charge)),
            );
        }
        account::book(tx, SOURCE, self.currency, &bookings, counts).await
    }
}

/// A charge that belongs to no order; the first of a document carries its reference.
fn booking(reference: &str, i: usize, at: i64, charge: &Charge) -> account::Booking {
    account::Booking {
        reference: if i == 0 { reference.to_owned() } else { format!("{reference}/{}", i + 1) },
        kind: charge.kind.word().to_owned(),
        at: kernel::Timestamp(at),
        amount: charge.amount,
        text: match charge.description.trim() {
            "" => charge.kind.word().replace('_', " "),
            text => text.to_owned(),
        },
        account: account::account_of(charge.kind),
    }
}

impl Source for Retail {
    fn chunks(&self) -> usize {
        self.chunks.len()
    }

    fn stage(&self, chunk: usize) -> (&'static str, u64) {
        match &self.chunks[chunk] {
            Chunk::Items(_) => ("products", 0),
            Chunk::Opening => ("opening stock", 0),
            Chunk::Documents(range) => ("invoices", self.sales[range.end - 1]),
        }
    }

    async fn book(&self, tx: &Tx, run: &Run, chunk: usize, counts: &mut Counts) -> Result<(), Fault> {
        let opens_at = self.plan.documents.first().map_or(0, |document| document.at() - 1);
        match &self.chunks[chunk] {
            Chunk::Items(range) => {
                let items = &self.plan.items[range.clone()];
                goods::items(tx, opens_at, items, &self.plan.documents, self.currency, counts).await
            }
            Chunk::Opening => {
                let known = self.known(tx, 0..self.plan.documents.len()).await?;
                goods::open(tx, opens_at, self, &known, counts).await
            }
            Chunk::Documents(range) => self.documents(tx, &run.actor, range.clone(), counts).await,
        }
    }
}

/// Imports the file of invoice lines, plain or gzip; see `docs/importing.md`.
///
/// # Errors
/// [`ImportFailed`]: a file that cannot be read, a cost in a currency that costs are not kept in, faults of the database, or `watch` said
/// stop.
pub async fn online_retail(
    db: &Db,
    file: &Path,
    options: &Options,
    mut watch: impl Watch,
) -> Result<Summary, ImportFailed> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let io = |source| BadFile::Io { file: file.display().to_string(), source };
    let bytes = std::fs::read(file).map_err(io)?;
    let currency: Currency = "GBP".parse().map_err(Fault::from)?;
    if options.cost_percent > 100 {
        return Err(ImportFailed::Refused(ImportRefused::BadCostPercent { percent: options.cost_percent }));
    }
    let mut plan = plan(&name, &bytes)?;
    let mut sheet = plan.sheet.clone();
    plan.sheet.rejected.clear();
    let mut run = Run::begin(db, SOURCE, &fingerprint([bytes.as_slice()]), Some(currency)).await?;
    if run.base != currency && options.cost_percent > 0 {
        return Err(ImportFailed::Refused(ImportRefused::OtherBase { base: run.base, currency }));
    }
    let remarks = remarks(&plan, options, run.base, currency);
    let source = Retail::new(plan, currency, options.cost_percent);
    if run.outcome != Outcome::Unchanged {
        run.drive(db, &source, &mut watch).await?;
    }
    if !run.counts.refused.is_empty() {
        reject::add_refused(&mut sheet, &unpacked(&name, &bytes)?, "InvoiceNo", &run.counts.refused)?;
    }
    let folder = file.parent().unwrap_or(Path::new(""));
    let files = reject::report(std::slice::from_ref(&sheet), folder, options.rejected.as_deref())?;
    let (outcome, counts) = (run.outcome, run.counts);
    let control = crate::control(db.read(), Some(SOURCE)).await?;
    Ok(Summary { source: SOURCE, outcome, currency: Some(currency), counts, files, control, remarks })
}

fn remarks(plan: &Plan, options: &Options, base: Currency, currency: Currency) -> Vec<String> {
    let mut remarks = vec![match options.cost_percent {
        0 => "The file has no costs: goods are booked at no cost. With --cost-percent N they cost N percent of their average price.".to_owned(),
        percent => format!("The file has no costs: goods opened at {percent} percent of their average price."),
    }];
    if base != currency {
        remarks.push(format!("Costs are kept in {base}; nothing of this import has one."));
    }
    let exact = plan.totals.exact_micros;
    let pounds = |micros: i128| format!("{}.{:06}", micros / 1_000_000, (micros % 1_000_000).abs());
    remarks.push(format!(
        "Control: quantity × price over all rows is {} GBP; rejected of it {}.",
        pounds(exact),
        pounds(plan.totals.rejected_micros)
    ));
    for row in &plan.sub_penny {
        remarks.push(format!(
            "Line {}: {} GBP is no whole penny and was booked as {} pence.",
            row.line,
            pounds(row.exact_micros),
            row.booked
        ));
    }
    remarks
}
