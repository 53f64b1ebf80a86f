//! Country names of the file to ISO 3166-1 codes. Invariant: a name that is not in the table is an error that
//! says it, never a default; the names that are no country are [`Special`].

/// Where an invoice went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Country {
    /// ISO 3166-1 alpha-2.
    Iso(&'static str),
    /// Not one country.
    Special(Special),
}

/// Names that stand for no single ISO country.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Special {
    /// Jersey or Guernsey: the file does not say which.
    ChannelIslands,
    /// Some member of what was then the European Community.
    EuropeanCommunity,
    /// Some island of the Caribbean.
    WestIndies,
    /// Not known.
    Unspecified,
}

impl Country {
    /// A code for the address: ISO where there is one; `JE` for the Channel Islands (the larger, with the same
    /// form of postal code as the other), `EU` (exceptionally reserved by ISO), and `ZZ` (user-assigned,
    /// "unknown" in CLDR) for the others.
    pub fn code(self) -> &'static str {
        match self {
            Country::Iso(code) => code,
            Country::Special(Special::ChannelIslands) => "JE",
            Country::Special(Special::EuropeanCommunity) => "EU",
            Country::Special(Special::WestIndies | Special::Unspecified) => "ZZ",
        }
    }
}

/// Finds the country of a name as the file writes it.
///
/// # Errors
/// A reason naming the name.
pub fn parse_country(name: &str) -> Result<Country, String> {
    let special = match name {
        "Channel Islands" => Some(Special::ChannelIslands),
        "European Community" => Some(Special::EuropeanCommunity),
        "West Indies" => Some(Special::WestIndies),
        "Unspecified" => Some(Special::Unspecified),
        _ => None,
    };
    if let Some(special) = special {
        return Ok(Country::Special(special));
    }
    let found = NAMES.iter().find(|(known, _)| *known == name);
    found.map(|(_, code)| Country::Iso(code)).ok_or_else(|| format!("unknown country {name:?}"))
}

const NAMES: [(&str, &str); 57] = [
    ("Australia", "AU"),
    ("Austria", "AT"),
    ("Bahrain", "BH"),
    ("Belgium", "BE"),
    ("Bermuda", "BM"),
    ("Brazil", "BR"),
    ("Bulgaria", "BG"),
    ("Canada", "CA"),
    ("China", "CN"),
    ("Croatia", "HR"),
    ("Cyprus", "CY"),
    ("Czech Republic", "CZ"),
    ("Denmark", "DK"),
    ("EIRE", "IE"),
    ("Estonia", "EE"),
    ("Finland", "FI"),
    ("France", "FR"),
    ("Germany", "DE"),
    ("Greece", "GR"),
    ("Hong Kong", "HK"),
    ("Hungary", "HU"),
    ("Iceland", "IS"),
    ("India", "IN"),
    ("Ireland", "IE"),
    ("Israel", "IL"),
    ("Italy", "IT"),
    ("Japan", "JP"),
    ("Korea", "KR"),
    ("Latvia", "LV"),
    ("Lebanon", "LB"),
    ("Lithuania", "LT"),
    ("Luxembourg", "LU"),
    ("Malta", "MT"),
    ("Mexico", "MX"),
    ("Netherlands", "NL"),
    ("New Zealand", "NZ"),
    ("Nigeria", "NG"),
    ("Norway", "NO"),
    ("Poland", "PL"),
    ("Portugal", "PT"),
    ("RSA", "ZA"),
    ("Romania", "RO"),
    ("Saudi Arabia", "SA"),
    ("Singapore", "SG"),
    ("Slovakia", "SK"),
    ("Slovenia", "SI"),
    ("South Africa", "ZA"),
    ("Spain", "ES"),
    ("Sweden", "SE"),
    ("Switzerland", "CH"),
    ("Thailand", "TH"),
    ("Turkey", "TR"),
    ("USA", "US"),
    ("United Arab Emirates", "AE"),
    ("United Kingdom", "GB"),
    ("United States", "US"),
    ("Vietnam", "VN"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_trade() {
        for (name, code) in [("EIRE", "IE"), ("RSA", "ZA"), ("USA", "US"), ("United Kingdom", "GB")] {
            assert_eq!(parse_country(name), Ok(Country::Iso(code)));
        }
        assert_eq!(parse_country("Channel Islands").map(Country::code), Ok("JE"));
        assert_eq!(parse_country("Unspecified").map(Country::code), Ok("ZZ"));
        assert_eq!(parse_country("Atlantis"), Err("unknown country \"Atlantis\"".to_owned()));
    }

    #[test]
    fn every_name_is_there_once() {
        assert!(NAMES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
