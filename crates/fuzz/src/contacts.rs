//! Addresses, phones and e-mails. Invariant: what is canonical stays as it is, and fits on a label.

use crate::{text, texts};
use contact::address::{Address, check, lines};

/// The fields of an address in lines: country, name, line 1, line 2, city, region, postal code, phone, e-mail.
fn read(text: &str) -> Address {
    let mut fields = text.split('\n');
    let mut next = || fields.next().unwrap_or_default().to_owned();
    Address {
        country: next(),
        name: next(),
        line1: next(),
        line2: Some(next()),
        city: next(),
        region: Some(next()),
        postal_code: Some(next()),
        phone: Some(next()),
        email: Some(next()),
        company: Some(next()),
    }
}

pub(crate) fn address(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let typed = read(text);
    let _ = lines(&typed);
    match check(&typed) {
        Ok(known) => {
            assert_eq!(check(&known).as_ref(), Ok(&known), "{typed:?}");
            let label = lines(&known);
            assert!(
                label.len() >= 2 && label.iter().all(|l| !l.is_empty() && !l.contains('\n')),
                "{label:?}"
            );
            assert!(contact::country::name(&known.country).is_some());
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            let mut fields: Vec<&str> = problems.iter().map(|p| p.field).collect();
            fields.dedup();
            assert_eq!(fields.len(), problems.len(), "one problem a field: {problems:?}");
            assert!(problems.iter().all(|p| !p.message.is_empty()));
        }
    }
}

pub(crate) fn address_seeds() -> Vec<Vec<u8>> {
    texts(&[
        "DE\nAnn Lee\nTorstraße 1\n\nBerlin\n\n10119\n030 123456\nAnn@Example.com\nLee GmbH",
        "gb\nAnn\n10 Downing St\n\nLONDON\nGreater London\nsw1a2aa\n\n\n",
        "US\nA\n1 Main\nApt 2\nSpringfield\nIllinois\n62701-1234\n(217) 555-0100\na@b.co\n",
        "JP\n山田\n千代田1-1\n\n千代田区\n東京都\n100-0001\n\n\n",
        "Brasil\nA\nRua 1\n\nSao Paulo\nSP\n01001000\n\n\n",
        "HK\nA\n1 Road\n\n\nKowloon\n\n\n\n",
    ])
}

pub(crate) fn phone(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let (country, typed) = text.split_once(' ').unwrap_or(("", text));
    match contact::phone::phone(typed, country) {
        Ok(number) => {
            assert!(
                number.starts_with('+')
                    && number.len() <= 16
                    && number[1..].bytes().all(|b| b.is_ascii_digit()),
                "{number}"
            );
            for other in ["", country, "US", "IT"] {
                assert_eq!(
                    contact::phone::phone(&number, other).as_ref(),
                    Ok(&number),
                    "{typed:?} in {country:?}, again in {other}"
                );
            }
        }
        Err(problem) => assert!(problem.code.starts_with("phone_") && !problem.message.is_empty()),
    }
}

pub(crate) fn phone_seeds() -> Vec<Vec<u8>> {
    texts(&[
        "DE 030 123456",
        "US (217) 555-0100",
        "GB 0044 20 7946 0958",
        "IT 06 6982",
        "BR +55 11 91234-5678;ext=12",
        "AU 0011 49 30 123456",
        "FR tel:+33142685300",
    ])
}

pub(crate) fn email(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    match contact::email::email(text) {
        Ok(read) => {
            assert_eq!(contact::email::email(&read.address).as_ref(), Ok(&read), "{text:?}");
            assert!(read.address.len() <= 254 && read.domain().contains('.'), "{read:?}");
            assert!(!read.address.contains(['\n', '\r']) && crate::is_clean(&read.address), "{read:?}");
            let _ = contact::email::is_disposable(read.domain());
        }
        Err(problem) => assert!(problem.code.starts_with("email_") && !problem.message.is_empty()),
    }
}

pub(crate) fn email_seeds() -> Vec<Vec<u8>> {
    texts(&[
        "ada@example.com",
        "\"a b\"@Example.COM",
        "ä@bücher.example",
        "a@[127.0.0.1]",
        "a@b@c.de",
        "Ann <a@b.co>",
        "a+b@x.y.z",
        "İ@İ.com",
    ])
}
