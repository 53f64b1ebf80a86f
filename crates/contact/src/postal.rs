//! Postal codes into the spelling the country prints: `k1a0b1` → `K1A 0B1`, `CH-8001` → `8001`, `１５４００２３` →
//! `154-0023`. Invariant: the result of [`canonical`] is its own canonical form.

use unicode_normalization::UnicodeNormalization;

use crate::{country, rules::Rule, text};

/// The code as the country writes it, or upper-case as typed when it does not look like one of this country.
/// Nothing is left of the fillers that forms of countries with codes extort from countries without ("0000", "n/a").
pub(crate) fn canonical(rule: &Rule, typed: &str) -> Option<String> {
    let typed = text::clean(&typed.nfkc().collect::<String>()).to_ascii_uppercase();
    let bare: String = typed.chars().filter(|c| c.is_alphanumeric() && *c != 'ー').collect();
    if bare.is_empty() {
        return None;
    }
    if rule.postal_pattern.is_none() {
        let filler = !rule.has_postal_codes()
            && (bare.chars().all(|c| c == '0') || matches!(bare.as_str(), "NA" | "NONE" | "NIL" | "NULL"));
        return (!filler).then_some(typed);
    }
    let prefix: String = rule.postal_prefix.chars().filter(|c| c.is_alphanumeric()).collect();
    let without_prefix =
        bare.strip_prefix(prefix.as_str()).filter(|rest| !prefix.is_empty() && !rest.is_empty());
    spelled(rule, &bare).or_else(|| spelled(rule, without_prefix?)).or(Some(typed))
}

/// Separators go where an example of the same length has them and the pattern agrees.
fn spelled(rule: &Rule, bare: &str) -> Option<String> {
    let like_examples = rule.postal_examples.iter().filter_map(|example| like(bare, example));
    like_examples.chain([bare.to_owned()]).find(|code| rule.accepts_postal(code))
}

/// `bare` with the separators of `example`, when both have as many letters and digits.
fn like(bare: &str, example: &str) -> Option<String> {
    let mut left = bare.chars();
    let written: Option<String> =
        example.chars().map(|c| if c.is_alphanumeric() { left.next() } else { Some(c) }).collect();
    written.filter(|_| left.next().is_none())
}

/// What a person should know who typed something else: "Germany's postal codes have five digits, like 26133."
pub(crate) fn explain(rule: &Rule) -> String {
    let example = rule.postal_examples.first().copied().unwrap_or("those on local letters");
    let shape = match rule.postal_pattern.and_then(digits) {
        Some(count) => format!("have {count} digits, like {example}"),
        None => format!("look like {example}"),
    };
    format!("{} {}s {shape}.", country::whose(rule.country), rule.postal_word)
}

/// The number word for a pattern that is `\d{n}` and nothing else.
fn digits(pattern: &str) -> Option<&'static str> {
    match pattern.strip_prefix(r"\d{")?.strip_suffix('}')? {
        "3" => Some("three"),
        "4" => Some("four"),
        "5" => Some("five"),
        "6" => Some("six"),
        "7" => Some("seven"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules;

    #[test]
    fn spelling() {
        for (country, typed, expect) in [
            ("CA", "k1a0b1", "K1A 0B1"),
            ("CA", "H2Y-1C6", "H2Y 1C6"),
            ("GB", "sw1a1aa", "SW1A 1AA"),
            ("GB", "m34ab", "M3 4AB"),
            ("GB", "BFPO61", "BFPO 61"),
            ("NL", "1012ab", "1012 AB"),
            ("IE", "d02x285", "D02 X285"),
            ("JP", "１５４００２３", "154-0023"),
            ("JP", "〒154ー0023", "154-0023"),
            ("BR", "01310100", "01310-100"),
            ("US", "950141234", "95014-1234"),
            ("US", "95014 1234", "95014-1234"),
            ("US", "95014", "95014"),
            ("CH", "CH-8001", "8001"),
            ("CH", "ch 8001", "8001"),
            ("LU", "L-1017", "1017"),
            ("PL", "00950", "00-950"),
            ("DE", " 26 133 ", "26133"),
            ("DE", "2613", "2613"),
            ("AE", "po 12", "PO 12"),
        ] {
            let rule = rules::of(country).unwrap();
            assert_eq!(canonical(rule, typed).as_deref(), Some(expect), "{country} {typed}");
        }
        let hong_kong = rules::of("HK").unwrap();
        for filler in ["", "-", "000000", "0000-00", "n/a", "None"] {
            assert_eq!(canonical(hong_kong, filler), None, "{filler:?}");
        }
    }

    #[test]
    fn explanations_name_the_country_and_an_example() {
        for (country, expect) in [
            ("DE", "Germany's postal codes have five digits, like 26133."),
            ("CH", "Switzerland's postal codes have four digits, like 2544."),
            ("US", "The United States' ZIP codes look like 95014."),
            ("IE", "Ireland's Eircodes look like A65 F4E2."),
            ("NL", "The Netherlands' postal codes look like 1234 AB."),
        ] {
            assert_eq!(explain(rules::of(country).unwrap()), expect);
        }
    }
}
