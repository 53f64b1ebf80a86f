//! The lines of a label in the country's own order, without the country itself: whether it is printed depends on
//! where the parcel starts. Invariant: no line is empty, and no separator stands beside a part that is missing.

use crate::{
    address::Address,
    country,
    rules::{self, Rule},
    text,
};

/// Where letters carry the region's code; everywhere else its name.
const CODE_ON_LABEL: &[&str] = &["AU", "BR", "CA", "IT", "US"];
const FALLBACK: &str = "%N%n%O%n%A%n%C, %S %Z";

/// What is printed above the barcode, top to bottom: an address in Latin letters in the order for those, any other in
/// the order of its own script. The country's name is left to whoever knows where the parcel starts
/// ([`country::name`]). An unknown country gets a plain western order.
pub(crate) fn lines(address: &Address) -> Vec<String> {
    let code = country::code(&address.country).unwrap_or_default();
    let rule = rules::of(code);
    let written = [&address.name, &address.line1, &address.city];
    let latin = written.iter().all(|part| text::is_latin(part));
    let format = match rule {
        Some(rule) => rule.latin_format.filter(|_| latin).unwrap_or(rule.format),
        None => FALLBACK,
    };
    let parts = Parts::of(address, rule, format, latin);
    let printed = format.split("%n").map(|line| print(line, &parts)).collect::<Vec<_>>().join("\n");
    printed.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

struct Parts {
    name: String,
    company: String,
    street: String,
    city: String,
    region: String,
    postal_code: String,
}

impl Parts {
    fn of(address: &Address, rule: Option<&Rule>, format: &str, latin: bool) -> Parts {
        let optional = |text: &Option<String>| text::clean_option(text.as_deref()).unwrap_or_default();
        let (line1, line2, city) =
            (text::clean(&address.line1), optional(&address.line2), text::clean(&address.city));
        let mut street = vec![line1, line2];
        if !format.contains("%C") {
            // Japan and the Emirates have no place for the city, but people type one: it stays beside the street,
            // before it where addresses go from large to small.
            let large_to_small = format.find("%A") < format.find("%N");
            street.insert(if large_to_small { 0 } else { 2 }, city.clone());
        }
        street.retain(|line| !line.is_empty());
        let region = optional(&address.region);
        let region = match rule.and_then(|rule| Some((rule, rule.region(&region)?))) {
            Some((rule, found)) if CODE_ON_LABEL.contains(&rule.country) => found.code.to_owned(),
            Some((_, found)) => found.name(latin).to_owned(),
            None => region,
        };
        Parts {
            name: text::clean(&address.name),
            company: optional(&address.company),
            street: street.join("\n"),
            city,
            region,
            postal_code: optional(&address.postal_code),
        }
    }

    /// The text of a format letter; `D` (suburb) and `X` (CEDEX) have no field of their own.
    fn text(&self, letter: char) -> &str {
        match letter {
            'N' => &self.name,
            'O' => &self.company,
            'A' => &self.street,
            'C' => &self.city,
            'S' => &self.region,
            'Z' => &self.postal_code,
            _ => "",
        }
    }
}

/// One line of the format. A literal before the first part belongs to that part; of the literals between two printed
/// parts the last one is kept, so that a missing middle part takes its comma along. A line of literals only stays.
fn print(format: &str, parts: &Parts) -> String {
    let mut line = String::new();
    let mut pieces = format.split('%');
    let mut literal = pieces.next().unwrap_or_default();
    if !format.contains('%') {
        return literal.to_owned();
    }
    let mut first = true;
    for piece in pieces {
        let mut rest = piece.chars();
        let text = rest.next().map_or("", |letter| parts.text(letter));
        if !text.is_empty() {
            if first || !line.is_empty() {
                line.push_str(literal);
            }
            line.push_str(text);
        }
        first = false;
        let after = rest.as_str();
        if !after.is_empty() || !text.is_empty() {
            literal = after;
        }
    }
    if literal.trim().chars().any(char::is_alphanumeric) && !line.is_empty() {
        line.push_str(literal);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(name: &str, city: &str, region: &str, postal_code: &str) -> Parts {
        let own = str::to_owned;
        Parts {
            name: own(name),
            company: String::new(),
            street: "1 Road".into(),
            city: own(city),
            region: own(region),
            postal_code: own(postal_code),
        }
    }

    #[test]
    fn separators_go_with_missing_parts() {
        for (format, city, region, postal, expect) in [
            ("%C, %S %Z", "Ames", "IA", "50010", "Ames, IA 50010"),
            ("%C, %S %Z", "Ames", "", "50010", "Ames 50010"),
            ("%C, %S %Z", "Ames", "IA", "", "Ames, IA"),
            ("%C, %S %Z", "", "IA", "50010", "IA 50010"),
            ("CH-%Z %C", "Bern", "", "3000", "CH-3000 Bern"),
            ("CH-%Z %C", "Bern", "", "", "Bern"),
            ("%S %C%D", "C", "S", "", "S C"),
            ("%A, %S", "", "S", "", "1 Road, S"),
            ("%A, %S", "", "", "", "1 Road"),
            ("%Z %C %X", "Nouméa", "", "98800", "98800 Nouméa"),
            ("〒%Z", "", "", "154-0023", "〒154-0023"),
            ("〒%Z", "", "", "", ""),
            ("JERSEY", "", "", "", "JERSEY"),
        ] {
            assert_eq!(
                print(format, &parts("", city, region, postal)),
                expect,
                "{format} {city}/{region}/{postal}"
            );
        }
    }
}
