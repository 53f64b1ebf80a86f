//! What each country wants in an address: order of the lines, required parts, postal codes, sub-regions.
//! Read once from the text that `build.rs` made; patterns are compiled on first use, per country.
//! Invariant: every pattern compiles and every country's examples pass their own (a test, not a hope).

use std::sync::{LazyLock, OnceLock};

use regex::Regex;

use crate::region;

static TEXT: &str = include_str!(concat!(env!("OUT_DIR"), "/rules.txt"));
static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| parse(TEXT));

/// How one country writes its addresses.
#[derive(Debug)]
pub struct Rule {
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
    /// Order of the parts in the country's own writing: `%N` name, `%O` company, `%A` street lines, `%C` city,
    /// `%S` region, `%Z` postal code, `%n` new line, anything else literally.
    pub format: &'static str,
    /// The same for an address in Latin letters, where it differs.
    pub latin_format: Option<&'static str>,
    /// Letters of the parts that must be there, out of `ACSZ`.
    pub required: &'static str,
    /// Regular expression for a whole postal code; none where the country has no codes or no known pattern.
    pub postal_pattern: Option<&'static str>,
    /// Postal codes that exist.
    pub postal_examples: Vec<&'static str>,
    /// What people write before the code (`CH-`); the format prints it by itself.
    pub postal_prefix: &'static str,
    /// What the country calls a region: "state", "prefecture".
    pub region_word: &'static str,
    /// What it calls a postal code: "ZIP code", "Eircode".
    pub postal_word: &'static str,
    /// What it calls a city: "city", "post town".
    pub city_word: &'static str,
    /// Sub-regions by code; empty where the data has none.
    pub regions: Vec<Region>,
    postal: OnceLock<Option<Regex>>,
}

/// A state, province, prefecture: what a country is divided into on a label.
#[derive(Debug)]
pub struct Region {
    /// The ISO 3166-2 part after the country where there is one (`CA`, `13`), otherwise the name post offices use.
    pub code: &'static str,
    /// In the country's own writing.
    pub local: &'static str,
    /// In Latin letters, where `local` is not.
    pub latin: Option<&'static str>,
    /// Names in the country's other languages.
    pub more: Vec<&'static str>,
    /// Regular expression for how a postal code of this region begins.
    pub postal_pattern: Option<&'static str>,
    postal: OnceLock<Option<Regex>>,
}

/// The rules of an upper-case alpha-2 code.
pub fn of(country: &str) -> Option<&'static Rule> {
    RULES.binary_search_by(|rule| rule.country.cmp(country)).ok().map(|at| &RULES[at])
}

/// Every country with rules, in code order.
pub fn countries() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|rule| rule.country)
}

impl Rule {
    /// Whether addresses there need this part (`A`, `C`, `S` or `Z`).
    pub fn needs(&self, part: char) -> bool {
        self.required.contains(part)
    }

    /// Whether addresses there carry a postal code at all.
    pub fn has_postal_codes(&self) -> bool {
        self.format.contains("%Z")
    }

    /// The sub-region that `typed` means: a code (`CA`, `US-CA`) or any name, without regard to case and accents.
    pub fn region(&self, typed: &str) -> Option<&Region> {
        region::find(self, typed)
    }

    /// Whether `code` is written like a postal code of this country; without a known pattern everything is.
    pub fn accepts_postal(&self, code: &str) -> bool {
        let compiled = self.postal.get_or_init(|| compile(self.postal_pattern?, "$"));
        compiled.as_ref().is_none_or(|pattern| pattern.is_match(code))
    }
}

impl Region {
    /// Whether a postal code can lie in this region; where the data does not say, it can.
    pub fn accepts_postal(&self, code: &str) -> bool {
        let compiled = self.postal.get_or_init(|| compile(self.postal_pattern?, ""));
        compiled.as_ref().is_none_or(|pattern| pattern.is_match(code))
    }

    /// The name in the asked-for writing; some countries' codes are names in Latin letters (Hong Kong's "Kowloon").
    pub fn name(&self, latin: bool) -> &'static str {
        match self.latin {
            Some(name) if latin => name,
            None if latin && !crate::text::is_latin(self.local) => self.code,
            _ => self.local,
        }
    }
}

/// The data was written for engines whose `\d` means 0–9, so it must not match other scripts' digits here (a class
/// inside a class, as in `[[0-9]A-Z]`, is a union).
fn compile(pattern: &str, end: &str) -> Option<Regex> {
    Regex::new(&format!("^(?:{}){end}", pattern.replace(r"\d", "[0-9]"))).ok()
}

fn parse(text: &'static str) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    for line in text.lines() {
        let mut fields = line.split('\t');
        let mut next = || fields.next().unwrap_or_default();
        match (next(), rules.last_mut()) {
            ("C", _) => rules.push(country(&mut next)),
            ("R", Some(rule)) => rule.regions.push(sub_region(&mut next)),
            _ => {}
        }
    }
    rules
}

fn country(next: &mut impl FnMut() -> &'static str) -> Rule {
    Rule {
        country: next(),
        format: next(),
        latin_format: filled(next()),
        required: next(),
        postal_pattern: filled(next()),
        postal_examples: next().split(',').map(str::trim).filter(|example| !example.is_empty()).collect(),
        postal_prefix: next(),
        region_word: match next() {
            "do_si" => "province",
            word => word,
        },
        postal_word: match next() {
            "zip" => "ZIP code",
            "pin" => "PIN code",
            "eircode" => "Eircode",
            _ => "postal code",
        },
        city_word: match next() {
            "post_town" => "post town",
            word => word,
        },
        regions: Vec::new(),
        postal: OnceLock::new(),
    }
}

fn sub_region(next: &mut impl FnMut() -> &'static str) -> Region {
    Region {
        code: next(),
        postal_pattern: filled(next()),
        local: next(),
        latin: filled(next()),
        more: next().split('|').filter(|name| !name.is_empty()).collect(),
        postal: OnceLock::new(),
    }
}

fn filled(text: &'static str) -> Option<&'static str> {
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles_and_is_anchored() {
        let mut patterns = 0;
        for rule in RULES.iter() {
            if let Some(pattern) = rule.postal_pattern {
                assert!(compile(pattern, "$").is_some(), "{} {pattern}", rule.country);
                assert!(!rule.accepts_postal("#"), "{}", rule.country);
                patterns += 1;
            }
            for region in &rule.regions {
                assert!(!region.code.is_empty() && !region.local.is_empty(), "{} {region:?}", rule.country);
                if let Some(pattern) = region.postal_pattern {
                    assert!(compile(pattern, "").is_some(), "{} {} {pattern}", rule.country, region.code);
                }
            }
        }
        assert!(patterns > 150, "{patterns}");
    }

    #[test]
    fn every_country_accepts_its_own_examples() {
        let mut examples = 0;
        for rule in RULES.iter() {
            for example in &rule.postal_examples {
                assert!(rule.accepts_postal(example), "{} {example}", rule.country);
                examples += 1;
            }
        }
        assert!(examples > 300, "{examples}");
    }

    #[test]
    fn rules_are_sorted_and_complete() {
        assert!(countries().collect::<Vec<_>>().is_sorted());
        let (us, hk) = (of("US").unwrap(), of("HK").unwrap());
        assert_eq!((us.required, us.region_word, us.postal_word), ("ACSZ", "state", "ZIP code"));
        assert!(us.regions.len() > 50 && us.needs('Z') && us.has_postal_codes());
        assert!(!hk.has_postal_codes() && !hk.needs('C'));
        assert_eq!(of("IE").unwrap().required, "AC", "the default");
        assert!(of("ZZ").is_none() && of("us").is_none());
    }

    #[test]
    fn digits_are_ascii_digits() {
        assert!(of("DE").unwrap().accepts_postal("26133"));
        assert!(!of("DE").unwrap().accepts_postal("٢٦١٣٣"));
        assert!(!of("DE").unwrap().accepts_postal("26133\n"));
    }
}
