//! Invoices as orders: placed, paid by bank transfer and shipped at the time of the invoice. Invariant: an order's total, with what of its
//! charges could not be in it, is the total of its invoice.

use contact::address::Address;
use db::Tx;
use inventory::LocationId;
use kernel::{Fault, Timestamp};
use orders::{Buyer, OrderId, Place, Placed, WantedLine};
use payments::OpenRecorded;

use super::{Desk, Of, SOURCE};
use crate::import::account::{self, Booking};
use crate::import::drive;
use crate::import::summary::Counts;
use crate::online_retail::{Charge, ChargeKind, Sale, SaleLine};

/// Where the charges of an invoice go.
#[derive(Debug, Default, PartialEq, Eq)]
struct Charged {
    shipping: i64,
    fee: i64,
    discount: i64,
    /// More was given than the goods are worth: booked outside of the order.
    rest: i64,
}

/// Shipping is shipping where it is one; everything else together is a fee, or a discount of at most the goods.
fn charged(goods: i64, charges: &[Charge]) -> Charged {
    let of = |shipping: bool| -> i64 {
        charges.iter().filter(|c| (c.kind == ChargeKind::Shipping) == shipping).map(|c| c.amount).sum()
    };
    let shipping = of(true).max(0);
    let other = of(false) + of(true).min(0);
    let discount = (-other).max(0).min(goods);
    Charged { shipping, fee: other.max(0), discount, rest: other.min(0) + discount }
}

/// The placeholder address of an account: orders find their customer by it, and the file has none.
fn email(customer: &str) -> String {
    format!("{customer}@customers.online-retail.example")
}

fn wanted(desk: &Desk<'_>, sale: &Sale) -> (Place, i64) {
    let goods = sale.lines.iter().map(SaleLine::amount).sum();
    let Charged { shipping, fee, discount, rest } = charged(goods, &sale.charges);
    let name = sale.customer.as_ref().map_or_else(|| "No account".to_owned(), |c| format!("Customer {c}"));
    let line = |line: &SaleLine| WantedLine {
        sku: line.sku.to_string(),
        quantity: line.quantity,
        unit_price: Some(line.unit_price),
        discount: line.discount,
        tax_rate_ppm: Some(0),
        location: Some(desk.warehouse),
    };
    let place = Place {
        ship_to: Address {
            name: name.clone(),
            country: sale.country.code().to_owned(),
            ..Address::default()
        },
        buyer: Buyer { name, email: sale.customer.as_deref().map(email), ..Buyer::default() },
        lines: sale.lines.iter().map(line).collect(),
        shipping,
        fee,
        discount,
        // It left on the invoice, and the invoice was paid: nothing ever waited for the money.
        pay_later: true,
        ..drive::history(sale.at, desk.by, SOURCE, &sale.invoice, desk.currency)
    };
    (place, rest)
}

pub(super) async fn book(
    tx: &Tx,
    desk: &Desk<'_>,
    sales: &Of<'_, Sale>,
    counts: &mut Counts,
) -> Result<(), Fault> {
    if sales.is_empty() {
        return Ok(());
    }
    let (batch, rests): (Vec<Place>, Vec<i64>) = sales.iter().map(|(_, sale)| wanted(desk, sale)).unzip();
    let placed = drive::place(tx, &batch, counts).await?;
    let mut live: Vec<(&Sale, Placed)> = Vec::with_capacity(sales.len());
    let mut bookings = Vec::new();
    for (((reference, sale), placed), rest) in sales.iter().zip(placed).zip(rests) {
        let Some(placed) = placed else { continue };
        if rest != 0 {
            bookings.push(Booking {
                reference: format!("{reference}/rest"),
                kind: "discount".to_owned(),
                at: Timestamp(sale.at),
                amount: rest,
                text: "given beyond the goods of the invoice".to_owned(),
                account: account::account_of(ChargeKind::Discount),
            });
        }
        live.push((*sale, placed));
    }
    account::book(tx, SOURCE, desk.currency, &bookings, counts).await?;
    pay(tx, desk, &live, counts).await?;
    tx.settle().await?;
    ship(tx, desk, &live, counts).await?;
    tx.settle().await
}

async fn pay(tx: &Tx, desk: &Desk<'_>, live: &[(&Sale, Placed)], counts: &mut Counts) -> Result<(), Fault> {
    let customers = drive::customers_of(tx, live.iter().map(|(_, placed)| placed.id)).await?;
    let mut opens = Vec::with_capacity(live.len());
    for (sale, placed) in live.iter().filter(|(_, placed)| placed.total.minor > 0) {
        let customer = customers.get(&placed.id).copied();
        counts.payments += 1;
        counts.captured += placed.total.minor;
        opens.push(OpenRecorded {
            at: Timestamp(sale.at),
            order: placed.id.0,
            customer: customer.ok_or_else(|| Fault::broken("a placed order without its customer"))?,
            gateway: "manual".to_owned(),
            method: "bank_transfer".to_owned(),
            currency: desk.currency,
            amount: placed.total.minor,
            reference: Some(sale.invoice.to_string()),
            captured_at: Some(Timestamp(sale.at)),
            authorised_at: None,
        });
    }
    payments::open_recorded(tx, &opens).await?;
    Ok(())
}

async fn ship(tx: &Tx, desk: &Desk<'_>, live: &[(&Sale, Placed)], counts: &mut Counts) -> Result<(), Fault> {
    let ids: Vec<OrderId> = live.iter().map(|(_, placed)| placed.id).collect();
    let fulfilments = drive::fulfilments(tx, &ids).await?;
    let here: LocationId = desk.warehouse;
    let parcel = |(sale, placed): &(&Sale, Placed)| {
        let at = Timestamp(sale.at);
        // An invoice of vouchers only has nothing to pack.
        let fulfilment = *fulfilments.get(&(placed.id, here))?;
        let shipped = Some((at, sale.invoice.to_string()));
        Some(drive::Parcel { at, fulfilment, shipped, delivered_at: None })
    };
    let parcels = live.iter().filter_map(parcel).collect();
    drive::pack_and_ship(tx, parcels, SOURCE, desk.currency, counts).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charges_of_an_invoice_find_their_place() {
        let charge = |kind, amount| Charge { line: 2, kind, amount, description: "".into() };
        let cases = [
            (100, vec![], Charged::default()),
            (100, vec![charge(ChargeKind::Shipping, 18)], Charged { shipping: 18, ..Charged::default() }),
            (100, vec![charge(ChargeKind::Manual, 5)], Charged { fee: 5, ..Charged::default() }),
            (100, vec![charge(ChargeKind::Discount, -30)], Charged { discount: 30, ..Charged::default() }),
            (100, vec![charge(ChargeKind::Shipping, -7)], Charged { discount: 7, ..Charged::default() }),
            (
                100,
                vec![charge(ChargeKind::Discount, -130)],
                Charged { discount: 100, rest: -30, ..Charged::default() },
            ),
        ];
        for (goods, charges, expected) in cases {
            let found = charged(goods, &charges);
            let total = found.shipping + found.fee - found.discount + found.rest;
            assert_eq!(total, charges.iter().map(|c| c.amount).sum::<i64>());
            assert_eq!(found, expected);
        }
    }
}
