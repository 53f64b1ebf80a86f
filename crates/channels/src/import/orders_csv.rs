//! `fulmar import orders`: our own CSV. Invariant: the SKUs are the catalogue's; an order the shop could not take is rejected with the
//! sentence of the refusal, and nothing of it is left.

use std::ops::Range;
use std::path::Path;

use contact::address::Address;
use db::{Db, Tx};
use kernel::{Actor, Currency, Fault, Timestamp};
use orders::{Buyer, IfOutOfStock, Place, Placed, Trust, WantedLine};
use payments::OpenRecorded;

use super::account::known_orders;
use super::run::{Run, Source, fingerprint};
use super::summary::{Counts, Outcome, Summary};
use super::{ImportFailed, Options, Watch, drive, reject};
use crate::orders_csv::{CsvLine, CsvOrder, CsvPlan, Priority, plan};
use crate::sheet::BadFile;

const SOURCE: &str = "csv";
/// Orders of one transaction.
const ORDERS: usize = 500;

struct Csv {
    plan: CsvPlan,
}

impl Csv {
    fn range(&self, chunk: usize) -> Range<usize> {
        chunk * ORDERS..((chunk + 1) * ORDERS).min(self.plan.orders.len())
    }
}

impl Source for Csv {
    fn chunks(&self) -> usize {
        // An empty file is one chunk that does nothing, so that its run ends.
        self.plan.orders.len().div_ceil(ORDERS).max(1)
    }

    fn stage(&self, chunk: usize) -> (&'static str, u64) {
        ("orders", self.range(chunk).end as u64)
    }

    async fn book(&self, tx: &Tx, run: &Run, chunk: usize, counts: &mut Counts) -> Result<(), Fault> {
        book(tx, &run.actor, &self.plan.orders[self.range(chunk)], counts).await
    }
}

fn wanted(at: Timestamp, by: &Actor, order: &CsvOrder) -> Result<Place, Fault> {
    let head = &order.head;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let name = head.name.clone().or_else(|| head.company.clone()).unwrap_or_default();
    let line = |line: &CsvLine| WantedLine {
        sku: line.sku.clone(),
        quantity: line.quantity,
        unit_price: Some(line.unit_price),
        discount: line.discount,
        tax_rate_ppm: line.tax_ppm,
        location: None,
    };
    let currency: Currency = head.currency.parse()?;
    Ok(Place {
        buyer: Buyer { name: name.clone(), email: head.email.clone(), phone: head.phone.clone(), ip: None },
        ship_to: Address {
            name,
            company: head.company.clone(),
            line1: text(&head.line1),
            line2: head.line2.clone(),
            city: text(&head.city),
            region: head.region.clone(),
            postal_code: head.postal_code.clone(),
            country: text(&head.country),
            ..Address::default()
        },
        tax_inclusive: head.tax_inclusive,
        lines: order.lines.iter().map(line).collect(),
        discount: head.order_discount,
        shipping: head.shipping,
        shipping_tax_ppm: None,
        if_out_of_stock: IfOutOfStock::Backorder,
        express: head.priority == Priority::Express,
        gift_note: head.gift_note.clone(),
        tags: head.tags.clone(),
        trust: Trust::Channel,
        ..drive::history(head.placed_at.unwrap_or(at.0), by, SOURCE, &order.reference, currency)
    })
}

async fn book(tx: &Tx, by: &Actor, orders: &[CsvOrder], counts: &mut Counts) -> Result<(), Fault> {
    let known = known_orders(tx, SOURCE, orders.iter().map(|o| o.reference.as_str())).await?;
    let new: Vec<&CsvOrder> = orders.iter().filter(|o| !known.contains(&o.reference)).collect();
    counts.orders_known += (orders.len() - new.len()) as u64;
    let batch: Vec<Place> = new.iter().map(|o| wanted(tx.now(), by, o)).collect::<Result<_, _>>()?;
    let placed = drive::place(tx, &batch, counts).await?;
    let live: Vec<(&CsvOrder, &Place, Placed)> = new
        .iter()
        .zip(&batch)
        .zip(placed)
        .filter_map(|((order, want), placed)| Some((*order, want, placed?)))
        .collect();
    let customers = drive::customers_of(tx, live.iter().map(|(_, _, placed)| placed.id)).await?;
    let mut opens = Vec::new();
    for (order, want, placed) in &live {
        let Some(amount) = order.head.paid_amount.filter(|amount| *amount > 0) else { continue };
        let customer = customers.get(&placed.id).copied();
        counts.payments += 1;
        counts.captured += amount;
        opens.push(OpenRecorded {
            at: want.at,
            order: placed.id.0,
            customer: customer.ok_or_else(|| Fault::broken("a placed order without its customer"))?,
            // It was paid elsewhere: refunds are made by hand.
            gateway: "manual".to_owned(),
            method: order.head.payment_method.clone().unwrap_or_else(|| "bank_transfer".to_owned()),
            currency: want.currency,
            amount,
            reference: Some(order.reference.clone()),
            captured_at: Some(want.at),
            authorised_at: None,
        });
    }
    payments::open_recorded(tx, &opens).await?;
    Ok(())
}

/// Imports a file of orders; see `docs/importing.md`.
///
/// # Errors
/// [`ImportFailed`]: a file that cannot be read, faults of the database, or `watch` said stop.
pub async fn orders_csv(
    db: &Db,
    file: &Path,
    options: &Options,
    mut watch: impl Watch,
) -> Result<Summary, ImportFailed> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let io = |source| BadFile::Io { file: file.display().to_string(), source };
    let bytes = std::fs::read(file).map_err(io)?;
    let source = Csv { plan: plan(&name, &bytes)? };
    let mut run = Run::begin(db, SOURCE, &fingerprint([bytes.as_slice()]), None).await?;
    if run.outcome != Outcome::Unchanged {
        run.drive(db, &source, &mut watch).await?;
    }
    let mut sheet = source.plan.sheet;
    reject::add_refused(&mut sheet, &bytes, "reference", &run.counts.refused)?;
    let folder = file.parent().unwrap_or(Path::new(""));
    let files = reject::report(std::slice::from_ref(&sheet), folder, options.rejected.as_deref())?;
    let (outcome, counts) = (run.outcome, run.counts);
    let control = crate::control(db.read(), Some(SOURCE)).await?;
    Ok(Summary { source: SOURCE, outcome, currency: None, counts, files, control, remarks: Vec::new() })
}
