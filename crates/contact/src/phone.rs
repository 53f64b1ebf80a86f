//! Phone numbers as E.164 (`+4930123456`). Invariant: what comes out is valid in its country's numbering plan and
//! reads as itself again, whatever the default country.

use std::fmt::Write as _;

use phonenumber::{PhoneNumber, country::Source};

use crate::{ContactProblem, country, text::clean};

/// The number in E.164. `default_country` (alpha-2) is where a number without `+` is dialled from. An extension is
/// cut off: E.164 has no place for one. Refuses with `phone_required` or `phone_invalid`.
pub fn phone(text: &str, default_country: &str) -> Result<String, ContactProblem> {
    let text = clean(text);
    if text.is_empty() {
        let message = "Fill in a phone number, with its country code, like +49 30 123456.".into();
        return Err(ContactProblem { code: "phone_required", message });
    }
    let valid = read(&text, default_country).filter(PhoneNumber::is_valid);
    valid.and_then(|number| e164(&number)).ok_or_else(|| {
        let message = format!(
            "“{text}” is not a valid phone number: write it with its country code, like +49 30 123456."
        );
        ContactProblem { code: "phone_invalid", message }
    })
}

/// [`phone`], but nothing when the number cannot be read or has an extension that E.164 would lose.
pub(crate) fn without_loss(text: &str, default_country: &str) -> Option<String> {
    let number = read(&clean(text), default_country)?;
    (number.is_valid() && number.extension().is_none()).then(|| e164(&number))?
}

/// Given a country, the parser strips that country's trunk prefix from *every* number ("1" from +49 15…), so it only
/// gets one for numbers that are national.
fn read(text: &str, default_country: &str) -> Option<PhoneNumber> {
    let plus = text.replace('＋', "+");
    let plus = plus.trim();
    if plus.starts_with('+') || plus.starts_with("tel:+") {
        return phonenumber::parse(None, plus).ok();
    }
    let home = country::code(default_country).and_then(|code| code.parse().ok());
    let number = phonenumber::parse(home, plus).ok()?;
    if number.code().source() != Source::Idd {
        return Some(number);
    }
    // dialled with an international prefix (00, 011): read it again as if it had a plus
    let digits: String = plus.chars().filter(char::is_ascii_digit).collect();
    let code = number.code().value().to_string();
    let starts = (2..=5.min(digits.len())).filter(|start| digits.is_char_boundary(*start));
    let rest = starts.map(|start| &digits[start..]).find(|rest| rest.starts_with(&code))?;
    phonenumber::parse(None, format!("+{rest}")).ok()
}

/// Digits of an international number at most (ITU-T E.164); numbering plans that go further are for use inside a country.
const MAX_DIGITS: usize = 15;

/// Written by hand into a buffer: `to_string` would panic on a number without a known country code.
fn e164(number: &PhoneNumber) -> Option<String> {
    let mut written = String::new();
    write!(written, "{}", number.format().mode(phonenumber::Mode::E164)).ok()?;
    Some(written).filter(|number| number.len() <= 1 + MAX_DIGITS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_as_people_write_them() {
        for (text, country, expect) in [
            ("030 901820", "DE", "+4930901820"),
            ("+49 (0)30 901820", "US", "+4930901820"),
            ("0049 30 901820", "FR", "+4930901820"),
            ("011 49 1512 3456789", "US", "+4915123456789"),
            ("+49 1512 3456789", "US", "+4915123456789"),
            ("(650) 253-0000", "US", "+16502530000"),
            ("1-650-253-0000", "US", "+16502530000"),
            ("+1 650 253 0000 ext. 12345", "US", "+16502530000"),
            ("044 668 18 00", "CH", "+41446681800"),
            ("+41 44 668 18 00", "US", "+41446681800"),
            ("020 7031 3000", "UK", "+442070313000"),
            ("03-6384-9000", "JP", "+81363849000"),
            ("+39 06 6982", "IT", "+39066982"),
            ("\u{202d}+44 20 7031 3000\u{202c}", "", "+442070313000"),
        ] {
            assert_eq!(phone(text, country).as_deref(), Ok(expect), "{text} {country}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused_with_a_way_out() {
        for (text, country, code) in [
            ("", "DE", "phone_required"),
            (" ", "DE", "phone_required"),
            ("hello", "DE", "phone_invalid"),
            ("12", "DE", "phone_invalid"),
            ("555-0100", "US", "phone_invalid"),
            ("+999 12345678", "DE", "phone_invalid"),
            ("030 901820", "", "phone_invalid"),
            ("+1 000 000 0000", "US", "phone_invalid"),
        ] {
            let refused = phone(text, country).unwrap_err();
            assert_eq!(refused.code, code, "{text}");
            assert!(refused.message.contains("+49 30 123456"), "{refused}");
        }
    }

    #[test]
    fn extensions_are_not_lost_silently() {
        assert_eq!(without_loss("+1 650 253 0000 ext. 12345", "US"), None);
        assert_eq!(without_loss("650 253 0000", "US").as_deref(), Some("+16502530000"));
    }

    proptest! {
        #[test]
        fn the_result_reads_as_itself(
            text in "[+0-9() -]{4,18}|\\+[1-9][0-9]{6,13}", home in prop::sample::select(vec!["DE", "US", "IT", "JP", "RU", "BY"])
        ) {
            if let Ok(number) = phone(&text, home) {
                prop_assert!(number.starts_with('+') && number[1..].bytes().all(|b| b.is_ascii_digit()));
                prop_assert_eq!(phone(&number, "US"), Ok(number.clone()));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,24}") {
            let _ = phone(&text, "DE");
        }
    }
}
