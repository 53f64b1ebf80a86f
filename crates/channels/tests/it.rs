//! The importers on small files of our own that have the shapes and traps of the real ones.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "it/importing.rs"]
mod importing;
mod support;

use std::collections::BTreeMap;
use std::path::Path;

use channels::olist::{self, AdjustmentKind, Ending, Milestone, Note, Precision, Status};
use channels::online_retail::{self, ChargeKind, Document, LineKind, StockReason};
use channels::orders_csv::{self, Priority};
use channels::sheet::Sheet;
use proptest::prelude::*;

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap()
}

fn utc(text: &str) -> i64 {
    text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_micros()
}

fn rejected(sheet: &Sheet) -> Vec<(u64, &str)> {
    sheet.rejected.iter().map(|row| (row.line, row.reason.as_str())).collect()
}

fn olist_plan() -> olist::Plan {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/olist");
    olist::plan(&olist::Files::open(&folder).unwrap()).unwrap()
}

fn order<'a>(plan: &'a olist::Plan, reference: &str) -> &'a olist::Order {
    plan.orders.iter().find(|order| order.reference == reference).unwrap()
}

#[test]
fn olist_orders_end_where_they_were_and_charge_what_was_charged() {
    let plan = olist_plan();
    let endings: Vec<_> =
        plan.orders.iter().map(|order| (order.reference.as_str(), olist::ending(&order.steps))).collect();
    let expected = [
        ("ord-delivered", Ending::Delivered),
        ("ord-shipped", Ending::Shipped),
        ("ord-canceled", Ending::Cancelled),
        ("ord-regret", Ending::Returned),
        ("ord-gone", Ending::Declined),
        ("ord-invoiced", Ending::Packed),
        ("ord-processing", Ending::Accepted),
        ("ord-approved", Ending::Paid),
        ("ord-created", Ending::Placed),
        ("ord-split", Ending::Delivered),
    ];
    assert_eq!(endings, expected);
    for order in &plan.orders {
        assert_eq!(order.total(), order.paid(), "{}", order.reference);
    }
    let totals = plan.totals;
    assert_eq!(totals.payments_read, totals.payments_taken + totals.payments_rejected);
    assert_eq!(totals.payments_taken + totals.unpaid, totals.goods + totals.freight + totals.adjustments);
    assert_eq!(totals.payments_rejected, 7770 + 100 + 2239 + 4478);
}

#[test]
fn olist_lines_payments_and_times() {
    let plan = olist_plan();
    let delivered = order(&plan, "ord-delivered");
    let lines: Vec<_> =
        delivered.lines.iter().map(|l| (l.sku.as_str(), l.quantity, l.unit_price, l.unit_freight)).collect();
    assert_eq!(lines, [("prod-towel", 2, 4990, 855), ("prod-lamp", 1, 12000, 0)]);
    let payments: Vec<_> = delivered.payments.iter().map(|p| (p.sequence, p.value)).collect();
    assert_eq!(payments, [(1, 20000), (3, 3690)]);
    assert_eq!(delivered.notes, [Note::ZeroPayment { sequence: 4 }]);
    assert_eq!(delivered.placed_at, utc("2017-03-06T13:00:00Z"));

    let split = order(&plan, "ord-split");
    assert_eq!(split.parcels.len(), 2);
    let interest = split.adjustment.unwrap();
    assert_eq!((interest.kind, interest.amount), (AdjustmentKind::InstalmentInterest, 15000 - 13239));
    // Handed over before the approval, delivered without a date.
    let promised = utc("2017-10-31T02:00:00Z") - 1;
    let expected = [
        Note::Missing { what: Milestone::Delivered, assumed: promised },
        Note::Moved {
            what: Milestone::Approved,
            from: utc("2017-10-15T14:00:00Z"),
            to: utc("2017-10-15T11:00:00Z"),
        },
    ];
    assert_eq!(split.notes, expected);
    assert_eq!(
        order(&plan, "ord-shipped").adjustment.map(|a| (a.kind, a.amount)),
        Some((AdjustmentKind::Rounding, 1))
    );
    assert!(order(&plan, "ord-regret").notes.contains(&Note::CancelledAfterHandOver));
    assert!(plan.orders.iter().all(|order| order.steps.is_sorted_by_key(olist::Step::at)));
}

#[test]
fn olist_rejects_with_reasons_and_adds_up() {
    let plan = olist_plan();
    let sheets: BTreeMap<&str, &Sheet> =
        plan.sheets.iter().map(|sheet| (sheet.file.as_str(), sheet)).collect();
    assert_eq!(sheets.len(), 9);
    let orders = rejected(sheets["olist_orders_dataset.csv"]);
    let reasons = [
        (8, "no item lines (status unavailable)"),
        (9, "no item lines (status canceled)"),
        (14, "unknown order status \"teleported\""),
        (15, "customer cust13 is not in the customers file"),
        (
            16,
            "line 17 of olist_order_items_dataset.csv was rejected: price \"15.005\" has more than 2 decimals",
        ),
    ];
    assert_eq!(orders, reasons);
    let payments = rejected(sheets["olist_order_payments_dataset.csv"]);
    let zero = (11, "payment type not_defined without a value: nothing was paid");
    assert_eq!(payments[..2], [(10, "its order was rejected: no item lines (status unavailable)"), zero]);
    assert_eq!(payments.len(), 5);
    let items = rejected(sheets["olist_order_items_dataset.csv"]);
    assert!(items.contains(&(18, "order ord-never is not in olist_orders_dataset.csv")));
    let reviews = rejected(sheets["olist_order_reviews_dataset.csv"]);
    let expected = [
        (7, "its order was rejected: no item lines (status unavailable)"),
        (8, "review_score \"9\" is not 1 to 5"),
        (9, "the review of this order is in the file twice"),
    ];
    assert_eq!(reviews, expected);
    assert_eq!(sheets["olist_order_reviews_dataset.csv"].read, 5);
    assert_eq!(sheets["olist_order_items_dataset.csv"].taken(), 13);
}

#[test]
fn olist_catalogue_people_and_reviews() {
    let plan = olist_plan();
    let titles: Vec<_> = plan.items.iter().map(|item| item.title.as_str()).collect();
    assert_eq!(
        titles,
        ["Home lights prod-lam", "Pc gamer prod-odd", "Bed bath table prod-tow", "Uncategorised prod-toy"]
    );
    let sellers: Vec<_> = plan
        .sellers
        .iter()
        .map(|s| (s.id.as_str(), s.zip.as_str(), s.city.as_deref(), s.place.map(|p| p.precision)))
        .collect();
    let expected = [
        ("seller-lost", "97010", None, None),
        ("seller-pr", "80010", Some("curitiba"), Some(Precision::Area)),
        ("seller-sp", "04001", Some("sao paulo"), Some(Precision::Zip)),
    ];
    assert_eq!(sellers, expected);
    assert_eq!(plan.customers.len(), 11);
    assert_eq!(plan.customers[0].email, "person-a@customers.olist.example");
    assert_eq!(plan.customers[2].address.zip, "00123");
    assert!(plan.stock.iter().all(|stock| stock.seller != "seller-lost"));
    let towels = plan.stock.iter().find(|stock| stock.sku == "prod-towel").unwrap();
    assert_eq!(towels.quantity, 3);
    assert_eq!(plan.reviews.len(), 2);
    assert_eq!(plan.reviews[0].message.as_deref().map(|m| m.lines().count()), Some(4));
    assert_eq!(plan.reviews[0].score, 5);
    // Midnight of that day did not exist in Brazil.
    assert_eq!(plan.reviews[1].asked_at, utc("2017-10-15T03:00:00Z"));
    assert_eq!(order(&plan, "ord-gone").status, Status::Unavailable);
}

fn retail_plan() -> online_retail::Plan {
    online_retail::plan("online_retail.csv", &fixture("online_retail.csv")).unwrap()
}

fn document<'a>(plan: &'a online_retail::Plan, wanted: &str) -> &'a Document {
    let number = |document: &Document| match document {
        Document::Sale(sale) => sale.invoice.to_string(),
        Document::Credit(credit) => credit.invoice.to_string(),
        Document::Charges(only) => only.invoice.to_string(),
        Document::Stock(change) => change.invoice.to_string(),
    };
    plan.documents.iter().find(|document| number(document) == wanted).unwrap()
}

#[test]
fn online_retail_sums_are_exact_and_rows_add_up() {
    let plan = retail_plan();
    let totals = plan.totals;
    // 12.5 + 12.5 + 12 + 18 + 6.25 + 0.001 + 8 − 8.75 − 20 − 3.5 − 27.5 − 2.5 + 120.45 + 33.34 − 110.06 − 135.41
    // are taken; the two rows of 4 that can be read and the one of −4 are rejected.
    assert_eq!(totals.exact_micros - totals.rejected_micros, -84_679_000);
    assert_eq!(totals.rejected_micros, 4_000_000);
    assert_eq!(totals.booked, -8468);
    assert_eq!(plan.sub_penny.len(), 1);
    assert_eq!((totals.invoices, totals.credit_invoices), (15, 4));
    let taken = totals.sale_rows + totals.credit_rows + totals.charge_rows + totals.stock_rows;
    assert_eq!(plan.sheet.taken(), taken);
    assert_eq!(plan.sheet.read, 24);
    let expected = [
        (18, "POST at no price moves neither stock nor money"),
        (21, "unknown country \"Atlantis\""),
        (22, "line 23 of invoice 700014 was rejected: Quantity \"one\" is not a whole number"),
        (23, "Quantity \"one\" is not a whole number"),
        (24, "line 24: a negative quantity with a price needs a credit note"),
    ];
    assert_eq!(rejected(&plan.sheet), expected);
    assert_eq!(plan.sheet.rejected[0].record.get(5), Some("0.0"));
    assert_eq!(plan.invoices_with_several_times, 1);
}

#[test]
fn online_retail_sales_and_credits() {
    let plan = retail_plan();
    let Document::Sale(sale) = document(&plan, "700002") else { panic!("a sale") };
    assert_eq!((sale.lines.len(), sale.country.code(), sale.total()), (4, "IE", 625 + 800));
    let pads = &sale.lines[1];
    assert_eq!((pads.unit_price, pads.discount, pads.amount()), (1, 1, 0));
    assert_eq!((sale.lines[2].unit_price, &*sale.lines[0].sku), (0, "10001A"));

    let Document::Credit(credit) = document(&plan, "C700003") else { panic!("a credit") };
    let matches = |line: usize| -> Vec<(&str, usize, i64)> {
        let found = &credit.lines[line].matches;
        found.iter().map(|m| (&*m.invoice, m.sale_line, m.quantity)).collect()
    };
    // The latest purchase first, then the later of the two equal rows.
    assert_eq!(matches(0), [("700002", 0, 5), ("700001", 1, 2)]);
    assert_eq!(matches(1), [("700002", 3, 2), ("700001", 2, 3)]);
    assert_eq!(credit.charges[0].kind, ChargeKind::Manual);
    assert_eq!(credit.total(), -875 - 2000 - 350);
    let Document::Credit(blind) = document(&plan, "C700005") else { panic!("a credit") };
    assert_eq!((blind.lines[0].unmatched(), blind.lines[0].unmatched_amount()), (2, 250));
}

#[test]
fn online_retail_charges_stock_and_titles() {
    let plan = retail_plan();
    for (invoice, kind, amount) in [
        ("700008", ChargeKind::Shipping, 12045),
        ("C700004", ChargeKind::Discount, -2750),
        ("A700011", ChargeKind::BadDebt, -11006),
        ("C700012", ChargeKind::MarketplaceFee, -13541),
    ] {
        let Document::Charges(only) = document(&plan, invoice) else { panic!("charges") };
        assert_eq!((only.charges[0].kind, only.charges[0].amount), (kind, amount), "{invoice}");
    }
    let Document::Stock(change) = document(&plan, "700006") else { panic!("a change of stock") };
    assert_eq!((change.change, change.reason), (-4, StockReason::Damaged));
    let stock: Vec<_> = plan.stock.iter().map(|stock| (&*stock.sku, stock.quantity)).collect();
    // 25 tins sold, 7 back, 4 damaged: 25 at worst. Trays 3 + 1 + 2 before any comes back.
    assert_eq!(stock, [("10001A", 25), ("10002", 6), ("PADS", 1)]);
    let items: Vec<_> = plan.items.iter().map(|item| (&*item.sku, &*item.title, item.kind)).collect();
    let expected = [
        ("10001A", "GREEN TEA TIN", LineKind::Goods),
        ("10002", "TRAY", LineKind::Goods),
        ("GIFT_0001_20", "Gift Voucher £20.00", LineKind::GiftVoucher),
        ("PADS", "PADS TO MATCH ALL CUSHIONS", LineKind::Goods),
    ];
    assert_eq!(items, expected);
    // July: an hour ahead of UTC.
    assert_eq!(document(&plan, "A700011").at(), utc("2011-07-12T13:50:00Z"));
}

#[test]
fn a_gzip_file_gives_the_same_plan() {
    use std::io::Write;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&fixture("online_retail.csv")).unwrap();
    let plan = online_retail::plan("online_retail.csv.gz", &packed.finish().unwrap()).unwrap();
    assert_eq!(format!("{:?}", plan.documents), format!("{:?}", retail_plan().documents));
    assert!(online_retail::plan("cut.csv.gz", &[0x1f, 0x8b, 8, 0]).is_err());
}

#[test]
fn our_own_csv_takes_orders_whole_or_not_at_all() {
    let plan = orders_csv::plan("orders.csv", &fixture("orders.csv")).unwrap();
    let references: Vec<_> = plan.orders.iter().map(|order| order.reference.as_str()).collect();
    assert_eq!(references, ["W-1", "W-2", "W-4"]);
    let first = &plan.orders[0];
    assert_eq!((first.goods(), first.head.shipping, first.head.order_discount), (2140, 490, 100));
    assert_eq!(first.head.placed_at, Some(utc("2026-03-01T08:30:00Z")));
    assert_eq!(first.head.postal_code.as_deref(), Some("01067"));
    assert_eq!(first.head.gift_note.as_deref(), Some("Happy\nbirthday"));
    assert_eq!((first.head.priority, first.head.tax_inclusive), (Priority::Express, true));
    assert_eq!(first.head.tags, ["b2c", "vip"]);
    assert_eq!(first.lines.iter().map(|l| l.tax_ppm).collect::<Vec<_>>(), [Some(190_000), Some(70_000)]);
    // No decimals in yen, three in dinars.
    assert_eq!((plan.orders[1].goods(), plan.orders[2].goods()), (500, 1125));
    let expected = [
        (6, "email differs between line 6 and line 7 of the order"),
        (7, "email differs between line 6 and line 7 of the order"),
        (9, "unit_price \"1.125\" has more than 2 decimals"),
        (10, "line 9 of the same order was rejected: unit_price \"1.125\" has more than 2 decimals"),
        (11, "quantity 0 is not from 1 to 1000000"),
        (12, "country \"Germany\" is not an ISO code of two capital letters"),
        (13, "line_discount is more than quantity × unit_price"),
        (14, "order_discount is more than the goods (112 minor units)"),
    ];
    assert_eq!(rejected(&plan.sheet), expected);
    assert_eq!((plan.sheet.read, plan.sheet.taken()), (12, 4));
}

fn retail_rows() -> impl Strategy<Value = String> {
    let codes = ["10001A", "10001a", "10002", "POST", "M", "D", "gift_0001_10", "PADS", "???"];
    let row = (
        0u32..6,
        prop::sample::select(&["", "C", "A", "X"][..]),
        prop::sample::select(codes.to_vec()),
        -9i64..10,
        prop::sample::select(vec!["0.0", "1.25", "4.0", "-2.5", "0.99", "x"]),
        prop::sample::select(vec!["", "30001.0", "30002.0", "3.5"]),
        prop::sample::select(vec!["EIRE", "United Kingdom", "Atlantis"]),
        0u32..24,
    );
    prop::collection::vec(row, 0..40).prop_map(|rows| {
        let mut text = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n".to_owned();
        for (number, prefix, code, quantity, price, customer, country, hour) in rows {
            // Mostly one customer and country per invoice, or hardly any invoice would be taken.
            let (customer, country) = if number < 5 { ("30001.0", "EIRE") } else { (customer, country) };
            text += &format!("{prefix}{number},{code},T,{quantity},2011-03-27 {hour:02}:30:00,{price},{customer},{country}\n");
        }
        text
    })
}

proptest! {
    #[test]
    fn whatever_the_rows_the_sums_hold(text in retail_rows()) {
        let plan = online_retail::plan("t.csv", text.as_bytes()).unwrap();
        let totals = plan.totals;
        let taken = totals.sale_rows + totals.credit_rows + totals.charge_rows + totals.stock_rows;
        prop_assert_eq!(plan.sheet.taken(), taken);
        prop_assert_eq!(totals.exact_micros - totals.rejected_micros, i128::from(totals.booked) * 10_000);
        for document in &plan.documents {
            if let Document::Credit(credit) = document {
                prop_assert!(credit.lines.iter().all(|line| line.unmatched() >= 0 && line.quantity > 0));
            }
        }
        let again = online_retail::plan("t.csv", text.as_bytes()).unwrap();
        prop_assert_eq!(format!("{:?}", plan), format!("{:?}", again));
    }
}
