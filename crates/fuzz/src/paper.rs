//! What is printed for machines. Invariant: bars follow the grammar of their code, and no text becomes a command of the printer.

use crate::{text, texts};
use documents::DocumentError;
use documents::barcode::code128;
use documents::label::{Label, label_zpl};

/// The last symbol of every Code 128: two bars wider than the rest.
const STOP: &str = "1100011101011";

pub(crate) fn barcode(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let bars = match code128(text) {
        Ok(bars) => bars,
        Err(DocumentError::BarcodeEmpty) => return assert!(text.is_empty()),
        Err(DocumentError::BarcodeCharacter { found }) => {
            return assert!(!(' '..='~').contains(&found) && text.contains(found));
        }
        Err(other) => panic!("{text:?}: {other}"),
    };
    let modules: String = bars.modules().iter().map(|black| if *black { '1' } else { '0' }).collect();
    assert!(modules.ends_with(STOP), "{text:?}");
    assert_eq!((modules.len() - STOP.len()) % 11, 0, "{text:?}");
    let symbols = (modules.len() - STOP.len()) / 11;
    // Start and check symbol, and from half a symbol a character up to one and a switch.
    assert!(symbols >= 2 + text.len().div_ceil(2) && symbols <= 2 + 2 * text.len(), "{text:?}: {symbols}");
    let widths: usize = bars.runs().iter().map(|(_, width)| width).sum();
    assert_eq!(widths, bars.modules().iter().filter(|m| **m).count());
    assert!(bars.runs().iter().all(|(_, width)| (1..=4).contains(width)), "{text:?}");
    assert!(!bars.zpl().contains(['^', '~']), "{text:?} as {}", bars.zpl());
    assert!(bars.svg().starts_with("<svg ") && bars.svg().ends_with("</svg>"));
}

pub(crate) fn barcode_seeds() -> Vec<Vec<u8>> {
    texts(&["00340434161094042557", "ABC-1234/x", "a1234b", "12345", " ~^>_", "4006381333931", "x"])
}

/// The commands that a label of ours has; whatever else stands behind a `^` came out of a text.
const COMMANDS: &[&str] =
    &["XA", "CI", "PW", "LL", "LH", "FO", "A0", "FH", "FD", "FS", "GB", "BY", "BC", "XZ"];

pub(crate) fn label(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let mut fields = text.split('\n').map(str::to_owned);
    let mut next = || fields.next().unwrap_or_default();
    let label = Label {
        tracking_number: next(),
        carrier: next(),
        service: next(),
        weight_text: next(),
        reference: next(),
        piece: next(),
        country_code: next(),
        ship_date: next(),
        from: vec![next(), next()],
        to: fields.collect(),
    };
    let Ok(zpl) = label_zpl(&label) else { return };
    assert!(!zpl.contains('~'), "{zpl}");
    let commands: Vec<&str> = zpl.split('^').skip(1).map(|rest| rest.get(..2).unwrap_or(rest)).collect();
    assert!(commands.iter().all(|c| COMMANDS.contains(c)), "{zpl}");
    let count = |name: &str| commands.iter().filter(|c| **c == name).count();
    assert_eq!((count("XA"), count("XZ"), count("BC")), (1, 1, 1), "{zpl}");
    assert!(zpl.starts_with("^XA") && zpl.ends_with("^XZ\n"));
    assert_eq!(count("FD"), count("FO") - count("GB"), "a field without a place: {zpl}");
    assert!(zpl.lines().filter(|l| l.contains("^FD")).all(|l| l.ends_with("^FS")), "{zpl}");
}

pub(crate) fn label_seeds() -> Vec<Vec<u8>> {
    texts(&[
        "00340434161094042557\nDHL\nExpress 12:00\n1.2 kg\n#1001\n1 of 2\nDE\n2026-01-05\nShop\nStreet 1\nAnn ^XA~JA_5E\nTorstraße 1\n10119 Berlin\nGermany",
        "A1\n^\n~\n_\n\u{200f}\n\r\nGB\nx\n\n\n山田太郎\n東京",
    ])
}
