//! The importers' files. Invariant: every row is taken or rejected with a reason, and money is the same on both sides.

use crate::texts;
use channels::rejected::write_rejected;
use channels::sheet::Sheet;
use channels::{olist as brazil, online_retail as retail, orders_csv as own};
use csv::StringRecord;
use std::collections::HashSet;

/// What holds for every sheet: its counts fit, its rejections say where and why, and their file reads back as it was.
fn check_sheet(sheet: &Sheet) {
    assert!(sheet.rejected.len() as u64 <= sheet.read, "{}: more rejected than read", sheet.file);
    let lines: HashSet<u64> = sheet.rejected.iter().map(|r| r.line).collect();
    assert_eq!(lines.len(), sheet.rejected.len(), "{}: two rejections of one line", sheet.file);
    for row in &sheet.rejected {
        assert!(row.line >= 2 && !row.reason.is_empty(), "{}: {row:?}", sheet.file);
    }
    let mut out = Vec::new();
    write_rejected(&mut out, &sheet.header, &sheet.rejected).expect("memory takes what is written");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(out.as_slice());
    let again: Vec<StringRecord> = reader.records().map(|r| r.expect("we wrote it")).collect();
    assert_eq!(again.len(), sheet.rejected.len() + 1, "{}", String::from_utf8_lossy(&out));
    for (row, read) in sheet.rejected.iter().zip(&again[1..]) {
        assert!(read.iter().zip(&row.record).all(|(a, b)| a == b), "{row:?} became {read:?}");
        assert_eq!(read.iter().next_back(), Some(row.reason.as_str()));
    }
}

pub(crate) fn orders_csv(bytes: &[u8]) {
    let plan = match own::plan("orders.csv", bytes) {
        Ok(plan) => plan,
        Err(bad) => return assert!(bad.to_string().contains("orders.csv")),
    };
    check_sheet(&plan.sheet);
    let taken: u64 = plan.orders.iter().map(|o| o.lines.len() as u64).sum();
    assert_eq!(plan.sheet.taken(), taken, "a row is neither in an order nor rejected");
    let references: HashSet<&str> = plan.orders.iter().map(|o| o.reference.as_str()).collect();
    assert_eq!(references.len(), plan.orders.len(), "an order is there twice");
    for order in &plan.orders {
        assert_eq!(order.lines.first().map(|l| l.line), Some(order.first_line));
        assert!(order.goods() >= 0);
        for line in &order.lines {
            assert!(line.discount <= line.quantity * line.unit_price && line.discount >= 0);
        }
    }
    assert_eq!(own::plan("orders.csv", bytes).expect("as before").orders, plan.orders);
}

pub(crate) fn orders_csv_seeds() -> Vec<Vec<u8>> {
    texts(&[
        "reference,currency,sku,quantity,unit_price\nA1,EUR,TEE,2,19.90\nA1,EUR,CAP,1,5\nB2,JPY,TEE,1,300\n",
        "reference,currency,sku,quantity,unit_price,placed_at,email,name,line1,city,postal_code,country,tax_inclusive,line_discount,\
         shipping,order_discount,tax_rate,paid_amount,payment_method,priority,tags,phone\n\
         1,KWD,\"a\"\"b\",1000000,1.005,2026-01-05T09:00:00Z,a@b.example,\"Ann\nLee\",S 1,Berlin,01067,DE,yes,0.5,4.900,1,19,10,card,express,\"x;y\",+49 30 1\n\
         1,KWD,C,1.0,2,,,,,,,,,,,,7.5,,,,,\n",
        "\u{feff}sku,reference,quantity,currency,unit_price\r\nS,R,0,EUR,1\r\nS,R,-1,EUR,1\r\nS,Q,1,XXX,1\r\n,,,,\r\nS,T,1,EUR,1,\r\n",
    ])
}

pub(crate) fn skus_csv(bytes: &[u8]) {
    let lines = match catalog::import::read_file(bytes) {
        Ok(lines) => lines,
        Err(refused) => return assert!(!refused.to_string().is_empty()),
    };
    assert!(!lines.is_empty() && lines.len() <= catalog::import::MOST_ROWS);
    assert!(lines.windows(2).all(|w| w[0].line < w[1].line), "two rows of one line: {lines:?}");
    let ends = bytes.iter().filter(|b| matches!(b, b'\r' | b'\n')).count();
    for line in &lines {
        assert!(line.line >= 2 && usize::try_from(line.line).is_ok_and(|n| n <= ends + 1), "{line:?}");
        assert!(line.wrong.is_some() || line.cells.contains_key("sku"), "{line:?}");
    }
}

pub(crate) fn skus_csv_seeds() -> Vec<Vec<u8>> {
    texts(&[
        catalog::import::TEMPLATE,
        "\u{feff}Code;Name;price EUR;price-jpy\r\n\r\nA;\"two\r\nlines\";1.50;3\r\n;;;\r\nB;x\r\n",
        "sku\tcurrency\tprice\tcomponents\rA\tKWD\t1.005\tB*2|C\r",
        "sku,colour\nA,red\n",
    ])
}

/// The nine files in one input.
const BETWEEN: &str = "\n=====\n";

fn nine(bytes: &[u8]) -> brazil::Files {
    let mut parts: Vec<Vec<u8>> = Vec::new();
    let mut rest = bytes;
    let mark = BETWEEN.as_bytes();
    while let Some(at) = rest.windows(mark.len()).position(|w| w == mark) {
        parts.push(rest[..at].to_vec());
        rest = &rest[at + mark.len()..];
    }
    parts.push(rest.to_vec());
    let mut parts = parts.into_iter();
    let mut next = || parts.next().unwrap_or_default();
    brazil::Files {
        customers: next(),
        geolocation: next(),
        items: next(),
        payments: next(),
        reviews: next(),
        orders: next(),
        products: next(),
        sellers: next(),
        translation: next(),
    }
}

pub(crate) fn olist(bytes: &[u8]) {
    let plan = match brazil::plan(&nine(bytes)) {
        Ok(plan) => plan,
        Err(bad) => return assert!(bad.to_string().contains(".csv")),
    };
    plan.sheets.iter().for_each(check_sheet);
    let t = plan.totals;
    assert_eq!(t.payments_read, t.payments_taken + t.payments_rejected, "{t:?}");
    assert_eq!(t.payments_taken + t.unpaid, t.goods + t.freight + t.adjustments, "{t:?}");
    assert_eq!(t.goods, plan.orders.iter().map(brazil::Order::goods).sum::<i64>());
    assert_eq!(t.freight, plan.orders.iter().map(brazil::Order::freight).sum::<i64>());
    assert!(plan.orders.iter().all(|o| !o.lines.is_empty()));
}

pub(crate) fn olist_seeds() -> Vec<Vec<u8>> {
    let files = [
        "customer_id,customer_unique_id,customer_zip_code_prefix,customer_city,customer_state\nc1,u1,01001,sao paulo,SP\n",
        "geolocation_zip_code_prefix,geolocation_lat,geolocation_lng,geolocation_city,geolocation_state\n01001,-23.55,-46.63,sao paulo,SP\n",
        "order_id,order_item_id,product_id,seller_id,shipping_limit_date,price,freight_value\n\
         o1,1,p1,s1,2017-07-12 00:00:00,29.99,8.72\no1,2,p1,s1,2017-07-12 00:00:00,29.99,8.72\no2,1,p1,s1,2017-07-12 00:00:00,10.00,0.00\n",
        "order_id,payment_sequential,payment_type,payment_installments,payment_value\no1,1,credit_card,1,70.42\no1,2,voucher,1,7.00\n\
         o2,1,boleto,1,9.50\no9,1,boleto,1,1.00\n",
        "review_id,order_id,review_score,review_comment_title,review_comment_message,review_creation_date,review_answer_timestamp\n\
         r1,o1,5,,\"muito\nbom\",2017-07-20 00:00:00,2017-07-21 10:00:00\n",
        "order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,order_delivered_carrier_date,\
         order_delivered_customer_date,order_estimated_delivery_date\n\
         o1,c1,delivered,2017-07-09 21:57:05,2017-07-09 22:10:13,2017-07-11 14:58:04,2017-07-13 18:00:00,2017-07-28 00:00:00\n\
         o2,c1,canceled,2017-10-15 00:30:00,,,,2017-11-01 00:00:00\n",
        "product_id,product_category_name,product_name_lenght,product_description_lenght,product_photos_qty,product_weight_g,\
         product_length_cm,product_height_cm,product_width_cm\np1,perfumaria,40,287,1,225,16,10,14\n",
        "seller_id,seller_zip_code_prefix,seller_city,seller_state\ns1,01001,sao paulo,SP\n",
        "product_category_name,product_category_name_english\nperfumaria,perfumery\n",
    ];
    vec![files.join(BETWEEN).into_bytes()]
}

pub(crate) fn online_retail(bytes: &[u8]) {
    let plan = match retail::plan("retail.csv", bytes) {
        Ok(plan) => plan,
        Err(bad) => return assert!(bad.to_string().contains("retail.csv")),
    };
    check_sheet(&plan.sheet);
    let t = plan.totals;
    let rows = t.sale_rows + t.credit_rows + t.charge_rows + t.stock_rows;
    assert_eq!(rows, plan.sheet.taken(), "{t:?}");
    // Rows of a fraction of a penny are booked at the nearest penny, and listed.
    let micros = i128::from(retail::MICROS_PER_PENNY);
    let rounded: i128 = plan.sub_penny.iter().map(|s| s.exact_micros - i128::from(s.booked) * micros).sum();
    assert_eq!(t.exact_micros - t.rejected_micros, i128::from(t.booked) * micros + rounded, "{t:?}");
    let booked: i64 = plan.documents.iter().map(retail::Document::total).sum();
    assert_eq!(booked, t.booked);
    assert!(plan.documents.is_sorted_by_key(|d| (d.at(), d.first_line())));
}

pub(crate) fn online_retail_seeds() -> Vec<Vec<u8>> {
    let head = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";
    let rows = "489434,85048,CHRISTMAS LIGHTS,12,2009-12-01 07:45:00,6.95,13085.0,United Kingdom\n\
                489434,POST,POSTAGE,1,2009-12-01 07:45:00,18.0,13085.0,United Kingdom\n\
                C489449,85048,CHRISTMAS LIGHTS,-2,2009-12-01 10:33:00,6.95,13085.0,United Kingdom\n\
                489464,21733,85123a mixed,-96,2009-12-01 10:52:00,0.0,,United Kingdom\n\
                A506401,B,Adjust bad debt,1,2010-04-29 13:36:00,-53594.36,,United Kingdom\n\
                489500,22041,\"RECORD FRAME 7\"\" SINGLE\",3,2009-12-01 08:00:00,0.001,12345,EIRE\n\
                D1,D,Discount,-1,2009-12-02 08:00:00,9.74,14527.0,United Kingdom\n";
    texts(&[&format!("{head}{rows}"), &format!("\u{feff}{}", head.replace('\n', "\r\n")), head])
}
