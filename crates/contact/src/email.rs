//! E-mail addresses. Invariant: `address` reads as itself again, and two spellings of one mailbox share a `key`.

use email_address::{EmailAddress, Options};

use crate::{ContactProblem, text::clean};

/// Sorted, one domain per line; a domain stands for everything below it.
static DISPOSABLE: &str = include_str!(concat!(env!("OUT_DIR"), "/disposable.txt"));

/// RFC 5321: the longest path is 256 octets with its angle brackets.
const LONGEST: usize = 254;

/// A mailbox that can exist on the open internet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    /// To send to: the local part as written, since its owner's server may care, and the domain in lower case.
    pub address: String,
    /// To match by: all of it in lower case.
    pub key: String,
}

impl Email {
    /// The part after the `@`.
    pub fn domain(&self) -> &str {
        self.address.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

/// The mailbox in canonical form. Refuses with `email_required`, `email_invalid`, or `email_domain` when the domain
/// could not be on the internet (no dot, or an IP address).
pub fn email(text: &str) -> Result<Email, ContactProblem> {
    let text = clean(text);
    let refuse = |code, message| Err(ContactProblem { code, message });
    if text.is_empty() {
        return refuse("email_required", "Fill in an e-mail address, like ada@example.com.".into());
    }
    // lower case first: it can change what is a valid domain (İ becomes two characters)
    let address = text.rsplit_once('@').map(|(local, domain)| format!("{local}@{}", domain.to_lowercase()));
    let options = Options::default().without_display_text().without_domain_literal();
    let read = address.filter(|address| address.len() <= LONGEST);
    let Some(read) = read.and_then(|address| EmailAddress::parse_with_options(&address, options).ok()) else {
        let message = format!("“{text}” is not an e-mail address: write it like ada@example.com.");
        return refuse("email_invalid", message);
    };
    let domain = read.domain();
    let top = domain.rsplit_once('.').map(|(_, top)| top);
    if top.is_none_or(|top| top.chars().all(|c| c.is_ascii_digit())) {
        let message =
            format!("“{domain}” is not a domain on the internet: write it whole, like example.com.");
        return refuse("email_domain", message);
    }
    Ok(Email { key: read.as_str().to_lowercase(), address: read.as_str().to_owned() })
}

/// Whether the domain, or one above it, hands out throw-away mailboxes. A hint for risk rules, not a verdict.
pub fn is_disposable(domain: &str) -> bool {
    let domain = domain.trim().trim_end_matches('.').to_lowercase();
    let mut rest = domain.as_str();
    loop {
        if listed(rest) {
            return true;
        }
        match rest.split_once('.') {
            Some((_, above)) if above.contains('.') => rest = above,
            _ => return false,
        }
    }
}

/// Binary search over the bytes of the list, so that it needs no index and no start-up.
fn listed(domain: &str) -> bool {
    let bytes = DISPOSABLE.as_bytes();
    let (mut low, mut high) = (0, bytes.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let start = bytes[low..middle].iter().rposition(|b| *b == b'\n').map_or(low, |at| low + at + 1);
        let end = bytes[middle..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |at| middle + at);
        match bytes[start..end].cmp(domain.as_bytes()) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => low = end + 1,
            std::cmp::Ordering::Greater => high = start,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn mailboxes_as_people_write_them() {
        for (text, address, key) in [
            ("Ada.Lovelace@Example.COM", "Ada.Lovelace@example.com", "ada.lovelace@example.com"),
            (" ada+shop@mail.example.co.uk ", "ada+shop@mail.example.co.uk", "ada+shop@mail.example.co.uk"),
            ("o'brien@example.ie", "o'brien@example.ie", "o'brien@example.ie"),
            ("jörg@bücher.example", "jörg@bücher.example", "jörg@bücher.example"),
        ] {
            let read = email(text).unwrap();
            assert_eq!((read.address.as_str(), read.key.as_str()), (address, key));
        }
        assert_eq!(email("A@B.example").unwrap().domain(), "b.example");
    }

    #[test]
    fn refusals() {
        let long = format!("{}@{}.example", "a".repeat(60), "b.".repeat(100));
        for (text, code) in [
            ("", "email_required"),
            ("ada", "email_invalid"),
            ("ada@", "email_invalid"),
            ("@example.com", "email_invalid"),
            ("ada@@example.com", "email_invalid"),
            ("ada lovelace@example.com", "email_invalid"),
            ("Ada <ada@example.com>", "email_invalid"),
            ("ada@[127.0.0.1]", "email_invalid"),
            (long.as_str(), "email_invalid"),
            ("a@İ.Ä", "email_invalid"),
            ("ada@localhost", "email_domain"),
            ("ada@127.0.0.1", "email_domain"),
        ] {
            assert_eq!(email(text).map_err(|problem| problem.code), Err(code), "{text}");
        }
    }

    #[test]
    fn every_listed_domain_is_found_and_no_neighbour() {
        let all: Vec<&str> = DISPOSABLE.lines().collect();
        assert!(all.is_sorted() && all.len() > 1_000);
        for domain in &all {
            assert!(listed(domain), "{domain}");
            assert!(!listed(&domain[..domain.len() - 1]) || all.contains(&&domain[..domain.len() - 1]));
        }
        for (domain, expect) in [
            ("mailinator.com", true),
            ("MAILINATOR.com.", true),
            ("anything.below.mailinator.com", true),
            ("mailinator.example", false),
            ("gmail.com", false),
            ("example.com", false),
            ("com", false),
            ("", false),
            ("zzzzzzzz.zz", false),
        ] {
            assert_eq!(is_disposable(domain), expect, "{domain}");
        }
    }

    proptest! {
        #[test]
        fn the_result_reads_as_itself(text in "[A-Za-z.+_-]{1,12}@[A-Za-z.0-9ÄİßK-]{1,20}|\\PC{0,30}") {
            if let Ok(read) = email(&text) {
                prop_assert_eq!(email(&read.address), Ok(read.clone()));
                prop_assert_eq!(read.key.to_lowercase(), read.key.clone());
            }
        }
    }
}
