//! Documents as their readers meet them: barcodes are scanned, PDFs are turned into text and pixels.
//!
//! Needs `pdftoppm`, `pdftotext` (poppler-utils) and `zbarimg` (zbar-tools); without them these tests fail, because
//! a barcode that nobody has read proves nothing. `FULMAR_KEEP_PAGES=<folder>` keeps the PDFs and first pages.

#![allow(clippy::unwrap_used, reason = "these are tests, their helpers too")]

use std::path::{Path, PathBuf};
use std::process::Command;

use documents::barcode::{Bars, QUIET_ZONE, barcode_svg, code128};
use documents::invoice::{AmountRow, Invoice, InvoiceLine, invoice_pdf};
use documents::label::{Label, label_pdf, label_zpl};
use documents::packing_slip::{PackingSlip, SlipLine, packing_slip_pdf};
use documents::{DocumentError, Paper};

/// Text that is markup or a command in one of the languages we write.
const NASTY: &str =
    r##"#panic("x") *b* _i_ [c] $x^2$ `d` = h \ // @ref <l> ^XZ ~JA {{7*7}} <script> & "q" 'a' 100%"##;

/// A folder for the files of one test, removed at its end.
struct Desk(PathBuf);

impl Desk {
    fn new(test: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn put(&self, name: &str, content: &[u8]) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        if let Some(keep) = std::env::var_os("FULMAR_KEEP_PAGES") {
            let keep = PathBuf::from(keep);
            std::fs::create_dir_all(&keep).unwrap();
            std::fs::copy(&path, keep.join(name)).unwrap();
        }
        path.to_string_lossy().into_owned()
    }

    /// What a scanner reads from the first page, printed at the resolution of a thermal printer.
    fn scan(&self, name: &str, pdf: &[u8], dpi: &str) -> String {
        let pdf = self.put(&format!("{name}.pdf"), pdf);
        let image = self.0.join(name).to_string_lossy().into_owned();
        run("pdftoppm", &["-r", dpi, "-png", "-singlefile", &pdf, &image]);
        self.put(&format!("{name}.png"), &std::fs::read(format!("{image}.png")).unwrap());
        run("zbarimg", &["--quiet", "--raw", "-Sdisable", "-Scode128.enable", &format!("{image}.png")])
    }

    /// The pages' text in reading order.
    fn pages(&self, name: &str, pdf: &[u8]) -> Vec<String> {
        let pdf = self.put(&format!("{name}.pdf"), pdf);
        let text = run("pdftotext", &["-layout", "-enc", "UTF-8", &pdf, "-"]);
        text.split_terminator('\u{c}').map(str::to_owned).collect()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|e| panic!("{program}: {e}; install poppler-utils and zbar-tools"));
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {} {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Letters only: how a text is broken into lines is the typesetter's business.
fn squeeze(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn strings(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

fn label() -> Label {
    Label {
        from: strings(&["Fjord & Söhne GmbH", "Hafenstraße 12", "20457 Hamburg", "Germany"]),
        to: strings(&[
            "Zoë Müller-Lüdenscheidt",
            "Rua da Conceição 25, 3.º Esq.",
            "1100-153 Lisboa",
            "Portugal",
        ]),
        carrier: "DHL".into(),
        service: "Paket International".into(),
        tracking_number: "JD014600006281230701".into(),
        weight_text: "1.250 kg".into(),
        reference: "SO-100482".into(),
        piece: "1 of 1".into(),
        country_code: "PT".into(),
        ship_date: "2026-11-21".into(),
    }
}

fn slip() -> PackingSlip {
    let line = |sku: &str, title: &str, qty, bin: &str| SlipLine {
        sku: sku.into(),
        title: title.into(),
        qty,
        bin: bin.into(),
    };
    PackingSlip {
        paper: Paper::A4,
        merchant: label().from,
        ship_to: label().to,
        order_number: "SO-100482".into(),
        parcel: "1 of 2".into(),
        date: "2026-11-21".into(),
        lines: vec![
            line("TEE-ORG-M-NAVY", "Organic cotton T-shirt, navy, M", 2, "A-03-2"),
            line("MUG-350", "Enamel mug, 350 ml", 1, "B-11-1"),
            line(
                "BAG-CANVAS-XL-UNBLEACHED-2026",
                "Canvas bag, unbleached, with an inner pocket and a long strap",
                12,
                "C-01-4",
            ),
        ],
        gift_note: Some("Parabéns, Zoë!\nFrom all of us – we miss you.".into()),
    }
}

fn invoice(lines: usize) -> Invoice {
    let row = |label: &str, amount: &str| AmountRow { label: label.into(), amount: amount.into() };
    Invoice {
        paper: Paper::A4,
        merchant: label().from,
        merchant_tax_id: "DE123456789".into(),
        bill_to: label().to,
        ship_to: strings(&["עומר כהן", "رحاب الأنصاري", "Dizengoff 50", "Tel Aviv", "Israel"]),
        number: "INV-2026-00042".into(),
        order_number: "SO-100482".into(),
        date: "21 Nov 2026".into(),
        currency: "EUR".into(),
        tax_inclusive: true,
        lines: (0..lines)
            .map(|i| InvoiceLine {
                sku: format!("SKU-{i:05}"),
                title: if i % 7 == 3 {
                    "Kinderfahrradanhänger mit Regenverdeck, 2-Sitzer, blau".into()
                } else {
                    format!("Article number {i}")
                },
                qty: 1 + i as i64 % 4,
                unit_price: "1,219.99".into(),
                discount: if i % 5 == 0 { "-12.00".into() } else { String::new() },
                tax_rate: "19 %".into(),
                tax: "194.79".into(),
                total: "1,219.99".into(),
            })
            .collect(),
        totals: vec![
            row("Subtotal", "24,399.80"),
            row("Shipping", "4.90"),
            row("Tax 19 %", "3,896.52"),
            row("Total", "24,404.70"),
        ],
        payments: vec![row("Paid by card, 21 Nov 2026", "-24,000.00"), row("Still to pay", "404.70")],
        notes: "Delivery within three days.\nThank you for your order!".into(),
    }
}

#[test]
fn a_label_can_be_scanned() {
    let desk = Desk::new("label");
    for tracking in
        ["JD014600006281230701", "1Z999AA10123456784", "9400110200881234567890", "SO-1", "a^b~c>d #*[x]"]
    {
        let made = label_pdf(&Label { tracking_number: tracking.into(), ..label() }).unwrap();
        assert_eq!(desk.scan("label", &made, "203").trim_end_matches('\n'), tracking);
    }
    let pages = desk.pages("label", &label_pdf(&label()).unwrap());
    assert_eq!(pages.len(), 1);
    let text = squeeze(&pages[0]);
    for shown in [
        "Fjord&SöhneGmbH",
        "ZoëMüller-Lüdenscheidt",
        "RuadaConceição25,3.ºEsq.",
        "PT",
        "PaketInternational",
        "1.250kg",
        "SO-100482",
        "1of1",
        "2026-11-21",
    ] {
        assert!(text.contains(shown), "{shown} is missing in {}", pages[0]);
    }
}

#[test]
fn a_full_label_stays_one_page_and_shows_everything() {
    let desk = Desk::new("full");
    let full = Label {
        from: vec!["W".repeat(40); 7],
        to: (0..10).map(|i| format!("{i}{}", "W".repeat(47))).collect(),
        carrier: "Carrier with a name that goes on and on and on and on".into(),
        service: "Service with a name that goes on and on and on and on".into(),
        tracking_number: "123456789012345678901234567890123456".into(),
        weight_text: "10,000.000 kg".into(),
        reference: "R".repeat(60),
        piece: "100 of 100".into(),
        country_code: "WWW".into(),
        ship_date: "21 November 2026".into(),
    };
    let made = label_pdf(&full).unwrap();
    assert_eq!(desk.scan("full", &made, "203").trim_end(), full.tracking_number);
    let pages = desk.pages("full", &made);
    assert_eq!(pages.len(), 1);
    let text = squeeze(&pages[0]);
    for line in &full.to {
        assert!(text.contains(line), "{line} is missing in {}", pages[0]);
    }

    let long = Label { to: vec!["Street".into(); 11], ..label() };
    let refused = DocumentError::AddressTooLong { which: "recipient", lines: 11, room: 10 };
    assert_eq!(label_pdf(&long), Err(refused.clone()));
    assert_eq!(label_zpl(&long), Err(refused));
    let unreadable = Label { tracking_number: "W".repeat(60), ..label() };
    assert!(matches!(label_pdf(&unreadable), Err(DocumentError::BarcodeTooLong { .. })));
    assert_eq!(
        label_zpl(&Label { tracking_number: "№1".into(), ..label() }),
        Err(DocumentError::BarcodeCharacter { found: '№' })
    );
}

#[test]
fn zpl_is_what_it_was() {
    assert_eq!(label_zpl(&label()).unwrap(), include_str!("label.zpl"));
}

#[test]
fn no_data_becomes_a_zpl_command() {
    let commands = |zpl: &str| zpl.matches('^').count() + zpl.matches('~').count();
    let plain = label_zpl(&Label { to: strings(&["A B"]), tracking_number: "AB".into(), ..label() }).unwrap();
    let nasty = label_zpl(&Label {
        to: strings(&["^XZ~JA_5E\n^FS"]),
        from: strings(&["^", "~", "_", "\r\n^XA"]),
        carrier: "^XZ".into(),
        service: "~JR".into(),
        tracking_number: "^~".into(),
        reference: "^XZ^XA".into(),
        ..label()
    })
    .unwrap();
    assert_eq!(commands(&nasty), commands(&plain));
    assert!(nasty.contains("^FH^FD_5EXZ_7EJA_5F5E _5EFS^FS"), "{nasty}");
    assert!(nasty.contains("^FD>:><>=^FS"), "{nasty}");
    assert_eq!((nasty.matches("^XA").count(), nasty.matches("^XZ").count()), (1, 1));
}

/// Draws the `<rect>`s of a barcode's SVG, `scale` pixels a module, as a PGM image.
fn rasterise(svg: &str, bars: &Bars, scale: usize) -> Vec<u8> {
    let (width, height) = (bars.width() * scale, 60);
    let mut row = vec![255u8; width];
    for rect in svg.split("<rect x=\"").skip(1) {
        let numbers: Vec<usize> = rect.split('"').step_by(2).take(3).map(|n| n.parse().unwrap()).collect();
        row[numbers[0] * scale..(numbers[0] + numbers[2]) * scale].fill(0);
    }
    assert!(row[..QUIET_ZONE * scale].iter().all(|p| *p == 255));
    assert!(row[width - QUIET_ZONE * scale..].iter().all(|p| *p == 255));
    let mut image = format!("P5 {width} {height} 255\n").into_bytes();
    for _ in 0..height {
        image.extend_from_slice(&row);
    }
    image
}

#[test]
fn a_barcode_drawing_can_be_scanned() {
    let desk = Desk::new("svg");
    let ascii: String = (' '..='~').collect();
    let mut texts: Vec<&str> =
        vec!["SO-1", "A", "12", "0000", "12345", "X123456Y", "SKU_1/2 (3)", "99999999999999"];
    texts.extend((0..ascii.len()).step_by(19).map(|i| &ascii[i..(i + 19).min(ascii.len())]));
    for text in texts {
        let image = rasterise(&barcode_svg(text).unwrap(), &code128(text).unwrap(), 2);
        let path = desk.put("bars.pgm", &image);
        let read = run("zbarimg", &["--quiet", "--raw", "-Sdisable", "-Scode128.enable", &path]);
        assert_eq!(read.strip_suffix('\n'), Some(text));
    }
}

#[test]
fn a_packing_slip_can_be_scanned_and_shows_the_note() {
    let desk = Desk::new("slip");
    let made = packing_slip_pdf(&slip()).unwrap();
    assert_eq!(desk.scan("slip", &made, "300").trim_end(), "SO-100482");
    let pages = desk.pages("slip", &made);
    assert_eq!(pages.len(), 1);
    let text = squeeze(&pages[0]);
    for shown in [
        "TEE-ORG-M-NAVY",
        "BAG-CANVAS-XL-",
        "UNBLEACHED-2026",
        "A-03-2",
        "Enamelmug",
        "1of2",
        "Parabéns,Zoë!",
        "15pieces",
        "Page1of1",
    ] {
        assert!(text.contains(shown), "{shown} is missing in {}", pages[0]);
    }
    assert!(pages[0].contains("Parabéns, Zoë!\n"), "the note keeps its lines: {}", pages[0]);

    let bare = packing_slip_pdf(&PackingSlip {
        paper: Paper::Letter,
        lines: slip().lines.into_iter().map(|l| SlipLine { bin: String::new(), ..l }).collect(),
        gift_note: None,
        ..slip()
    })
    .unwrap();
    let text = squeeze(&desk.pages("bare", &bare)[0]);
    assert!(!text.contains("Bin") && !text.to_lowercase().contains("anoteforyou"));
    assert_eq!(desk.scan("bare", &bare, "300").trim_end(), "SO-100482");
}

#[test]
fn a_long_invoice_has_pages_and_loses_nothing() {
    let desk = Desk::new("long");
    let made = invoice_pdf(&invoice(200)).unwrap();
    let pages = desk.pages("invoice-200", &made);
    assert!(pages.len() >= 4, "{} pages", pages.len());
    for (i, page) in pages.iter().enumerate() {
        assert!(page.contains(&format!("Page {} of {}", i + 1, pages.len())), "{page}");
        assert!(page.contains("INV-2026-00042"), "{page}");
        assert!(!page.contains("SKU-") || (page.contains("Qty") && page.contains("Discount")), "{page}");
    }
    let text = pages.concat();
    for line in invoice(200).lines {
        assert_eq!(text.matches(&line.sku).count(), 1, "{}", line.sku);
    }
    let last = squeeze(&pages[pages.len() - 1]);
    for row in invoice(0).totals.iter().chain(&invoice(0).payments) {
        assert!(last.contains(&squeeze(&format!("{}{}", row.label, row.amount))), "{row:?} in {last}");
    }
    assert!(last.contains("Pricesincludetax.") && last.contains("Thankyouforyourorder!"));
}

#[test]
fn invoices_of_every_shape_print() {
    let desk = Desk::new("shapes");
    let empty = desk.pages("empty", &invoice_pdf(&Invoice::default()).unwrap());
    assert_eq!(empty.len(), 1);

    let plain = Invoice {
        paper: Paper::Letter,
        tax_inclusive: false,
        lines: invoice(3).lines.into_iter().map(|l| InvoiceLine { discount: String::new(), ..l }).collect(),
        ..invoice(3)
    };
    let text = squeeze(&desk.pages("letter", &invoice_pdf(&plain).unwrap())[0]);
    assert!(text.contains("Taxisaddedtotheprices.") && !text.contains("Discount"));

    let mut rupiah = invoice(12);
    for line in &mut rupiah.lines {
        line.unit_price = "1,219,990,000.00".into();
        line.discount = "-219,990,000.00".into();
        line.tax = "134,198,900.00".into();
        line.total = "14,639,880,000.00".into();
    }
    let pages = desk.pages("rupiah", &invoice_pdf(&rupiah).unwrap());
    assert_eq!(pages.len(), 1);
    for amount in ["1,219,990,000.00", "-219,990,000.00", "134,198,900.00", "14,639,880,000.00"] {
        assert_eq!(pages[0].matches(&format!(" {amount}")).count(), 12, "{amount} in {}", pages[0]);
    }

    let mut endless = invoice(2);
    endless.lines[0].sku = "LONGSKU".repeat(12);
    endless.lines[0].title = "word ".repeat(2_000);
    endless.lines[1].title = "Z".repeat(300);
    endless.bill_to[0] = "N".repeat(150);
    let pages = desk.pages("endless", &invoice_pdf(&endless).unwrap());
    assert!(pages.len() > 1);
    assert_eq!(pages.concat().matches("word").count(), 2_000);
    assert_eq!(pages.concat().matches('Z').count(), 300);
}

#[test]
fn data_stays_literal_text() {
    let desk = Desk::new("literal");
    let nasty = || NASTY.to_owned();
    let line = InvoiceLine {
        sku: nasty(),
        title: nasty(),
        qty: -3,
        unit_price: nasty(),
        discount: "#d".into(),
        tax_rate: "#1".into(),
        tax: "*2*".into(),
        total: "$3$".into(),
    };
    let made = invoice_pdf(&Invoice {
        merchant: vec![nasty()],
        bill_to: vec![nasty(), nasty()],
        number: nasty(),
        lines: vec![line],
        notes: nasty(),
        ..invoice(0)
    })
    .unwrap();
    let text = squeeze(&desk.pages("literal", &made).concat());
    let literal = squeeze(NASTY);
    assert!(text.contains(&literal), "{text}");
    for shown in ["#1", "*2*", "$3$", "-3"] {
        assert!(text.contains(shown), "{shown} in {text}");
    }

    let made = label_pdf(&Label {
        to: vec![nasty()],
        carrier: "#panic()".into(),
        reference: "*x*_y_".into(),
        ..label()
    });
    let text = squeeze(&desk.pages("literal-label", &made.unwrap()).concat());
    for shown in [literal.as_str(), "#panic()", "*x*_y_"] {
        assert!(text.contains(shown), "{shown} in {text}");
    }

    let made = packing_slip_pdf(&PackingSlip {
        gift_note: Some(nasty()),
        order_number: "#1*[x]^~".into(),
        ..slip()
    });
    let made = made.unwrap();
    assert!(squeeze(&desk.pages("literal-slip", &made).concat()).contains(&literal));
    assert_eq!(desk.scan("literal-slip", &made, "300").trim_end(), "#1*[x]^~");
}

#[test]
fn names_from_right_to_left_are_printed() {
    let desk = Desk::new("rtl");
    let to = strings(&[
        "محمد عبد الله الأنصاري",
        "עומר כהן-לוי",
        "شارع الملك فهد 25",
        "11564 الرياض",
        "Saudi Arabia",
    ]);
    let made = label_pdf(&Label { to, country_code: "SA".into(), ..label() }).unwrap();
    assert_eq!(desk.scan("rtl", &made, "203").trim_end(), "JD014600006281230701");
    let text = desk.pages("rtl", &made).concat();
    assert!(text.contains("עומר"), "{text}");
    assert!(text.contains("الرياض") && text.contains("محمد"), "{text}");
}

#[test]
fn the_same_data_gives_the_same_bytes() {
    assert_eq!(label_pdf(&label()), label_pdf(&label()));
    assert_eq!(packing_slip_pdf(&slip()), packing_slip_pdf(&slip()));
    assert_eq!(invoice_pdf(&invoice(2)), invoice_pdf(&invoice(2)));
}
