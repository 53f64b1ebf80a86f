//! Postal addresses: the shape, what each country demands of it, and the lines of its label.
//! Invariant: `check(check(x)) == check(x)`; an accepted address names a known country and has all that country's
//! posts require, in the country's own spelling.

use serde::{Deserialize, Serialize};

use crate::{
    country, email, label, phone, postal, region,
    rules::{self, Region, Rule},
    text::{clean, clean_option},
};

/// Where a parcel or an invoice goes. Plain text as people know it; [`check`] makes it canonical.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq, Default, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Address {
    /// Who receives it; may be empty when there is a company.
    pub name: String,
    /// The organisation at that address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// Street and number, or P.O. box.
    pub line1: String,
    /// Flat, floor, building.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line2: Option<String>,
    /// City, post town or suburb, whatever the country sorts by; may be empty where the country does without.
    pub city: String,
    /// State, province or prefecture: code or name; the code after [`check`] where the country has such a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// For the driver; E.164 after [`check`] when it can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// For the carrier's notices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// What is wrong with one field of an address.
#[derive(Serialize, Clone, Debug, PartialEq, Eq, thiserror::Error, utoipa::ToSchema)]
#[error("{message}")]
pub struct AddressProblem {
    /// Name of the field as in [`Address`].
    pub field: &'static str,
    /// Stable and machine-readable: `name_required`, `line1_required`, `city_required`, `region_required`,
    /// `postal_code_required`, `country_required`, `country_unknown`, `region_unknown`, `postal_code_invalid`,
    /// `postal_code_region_mismatch`.
    pub code: &'static str,
    /// A sentence for the person who typed it: what is wrong, and the way out.
    pub message: String,
}

/// The address in canonical form, or everything that is wrong with it: at most one problem per field, in field order.
///
/// Canonical: on one line and trimmed, empty options gone, upper-case country, postal code in the country's spelling,
/// region as its code. A region that the country does not require and we do not know stays as written. Phone and
/// e-mail are made canonical when they can be read and stay as written otherwise, since a parcel arrives without them;
/// use [`phone::phone`] and [`email::email`] to insist.
pub fn check(address: &Address) -> Result<Address, Vec<AddressProblem>> {
    let mut address = tidy(address);
    let rule = country::code(&address.country).and_then(rules::of);
    if let Some(rule) = rule {
        canonicalise(&mut address, rule);
    }
    let problems: Vec<AddressProblem> = [
        problem_of_name(&address),
        problem_of_line1(&address),
        rule.and_then(|rule| problem_of_city(&address, rule)),
        rule.and_then(|rule| problem_of_region(&address, rule)),
        rule.and_then(|rule| problem_of_postal_code(&address, rule)),
        problem_of_country(&address, rule),
    ]
    .into_iter()
    .flatten()
    .collect();
    if problems.is_empty() { Ok(address) } else { Err(problems) }
}

/// The lines of a label in the country's own order, without the country's name: whether that is printed depends on
/// where the parcel starts. Parts the country does not print (a county in Britain) are left out.
pub fn lines(address: &Address) -> Vec<String> {
    label::lines(address)
}

/// The same with the country's name below, for people who look at addresses of all the world.
pub fn lines_and_country(address: &Address) -> Vec<String> {
    let code = address.country.as_str();
    let country = country::code(code).and_then(country::name).unwrap_or(code);
    lines(address).into_iter().chain([country.to_owned()]).filter(|line| !line.is_empty()).collect()
}

/// What holds for every country.
fn tidy(address: &Address) -> Address {
    let written = clean(&address.country);
    Address {
        name: clean(&address.name),
        company: clean_option(address.company.as_deref()),
        line1: clean(&address.line1),
        line2: clean_option(address.line2.as_deref()),
        city: clean(&address.city),
        region: clean_option(address.region.as_deref()),
        postal_code: clean_option(address.postal_code.as_deref()),
        country: country::code(&written).map_or(written, str::to_owned),
        phone: clean_option(address.phone.as_deref()),
        email: clean_option(address.email.as_deref()),
    }
}

fn canonicalise(address: &mut Address, rule: &Rule) {
    if let Some(found) = known_region(address, rule) {
        address.region = Some(found.code.to_owned());
    }
    address.postal_code = address.postal_code.as_deref().and_then(|code| postal::canonical(rule, code));
    if let Some(number) = address.phone.as_deref().and_then(|typed| phone::without_loss(typed, rule.country))
    {
        address.phone = Some(number);
    }
    if let Some(Ok(read)) = address.email.as_deref().map(email::email) {
        address.email = Some(read.address);
    }
}

fn known_region<'r>(address: &Address, rule: &'r Rule) -> Option<&'r Region> {
    rule.region(address.region.as_deref()?)
}

fn problem(field: &'static str, code: &'static str, message: String) -> Option<AddressProblem> {
    Some(AddressProblem { field, code, message })
}

fn problem_of_name(address: &Address) -> Option<AddressProblem> {
    if !address.name.is_empty() || address.company.is_some() {
        return None;
    }
    problem("name", "name_required", "Somebody has to receive it: fill in a name or a company.".into())
}

fn problem_of_line1(address: &Address) -> Option<AddressProblem> {
    if !address.line1.is_empty() {
        return None;
    }
    problem("line1", "line1_required", "Fill in the street and number, or the P.O. box.".into())
}

fn problem_of_city(address: &Address, rule: &Rule) -> Option<AddressProblem> {
    if !rule.needs('C') || !address.city.is_empty() {
        return None;
    }
    let message =
        format!("{} addresses need a {}: fill it in.", country::whose(rule.country), rule.city_word);
    problem("city", "city_required", message)
}

fn problem_of_region(address: &Address, rule: &Rule) -> Option<AddressProblem> {
    if !rule.needs('S') || known_region(address, rule).is_some() {
        return None;
    }
    let word = rule.region_word;
    let like =
        rule.regions.first().map(|region| format!(", like {}", region::title(region))).unwrap_or_default();
    match &address.region {
        None => {
            let article = if word.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
            let message = format!("{} addresses need {article} {word}{like}.", country::whose(rule.country));
            problem("region", "region_required", message)
        }
        Some(_) if rule.regions.is_empty() => None,
        Some(written) => {
            let place = country::phrase(rule.country);
            let message =
                format!("We know no {word} “{written}” in {place}: write its name or its code{like}.");
            problem("region", "region_unknown", message)
        }
    }
}

fn problem_of_postal_code(address: &Address, rule: &Rule) -> Option<AddressProblem> {
    let Some(code) = &address.postal_code else {
        let missing = rule.needs('Z');
        let message = || format!("Fill in the {}. {}", rule.postal_word, postal::explain(rule));
        return if missing { problem("postal_code", "postal_code_required", message()) } else { None };
    };
    if !rule.accepts_postal(code) {
        return problem("postal_code", "postal_code_invalid", postal::explain(rule));
    }
    let region = known_region(address, rule).filter(|region| !region.accepts_postal(code))?;
    let (kind, word, title) = (rule.postal_word, rule.region_word, region::title(region));
    let homes: Vec<String> = rule
        .regions
        .iter()
        .filter(|other| other.postal_pattern.is_some() && other.accepts_postal(code))
        .map(region::title)
        .collect();
    let hint = if homes.is_empty() { String::new() } else { format!(" but in {}", homes.join(" or ")) };
    let message = format!("{kind} {code} is not in {title}{hint}: correct the {kind} or the {word}.");
    problem("postal_code", "postal_code_region_mismatch", capitalised(message))
}

fn problem_of_country(address: &Address, rule: Option<&Rule>) -> Option<AddressProblem> {
    if rule.is_some() {
        return None;
    }
    if address.country.is_empty() {
        let message = "Choose a country: its two-letter code, like DE or US.".into();
        return problem("country", "country_required", message);
    }
    let written = &address.country;
    let message = format!("We know no country “{written}”: use its two-letter code, like DE or US.");
    problem("country", "country_unknown", message)
}

fn capitalised(sentence: String) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
