//! Finds the sub-region somebody meant: by code, by ISO 3166-2 code, or by any of its names.
//! Invariant: every code and every name of the data finds a region, and a code always finds its own.

use crate::{
    rules::{Region, Rule},
    text::fold,
};

/// Words around a name that people add or leave out: "Co. Dublin", "Gangwon-do", "Tokyo-to", "서울특별시".
const BEFORE: &[&str] = &["county", "co", "provinceof", "stateof"];
const AFTER: &[&str] = &[
    "county",
    "province",
    "prefecture",
    "state",
    "emirate",
    "oblast",
    "region",
    "sheng",
    "shi",
    "zizhiqu",
    "zhuangzuzizhiqu",
    "huizuzizhiqu",
    "weiwuerzizhiqu",
    "to",
    "fu",
    "ken",
    "do",
    "si",
    "都",
    "府",
    "県",
    "省",
    "市",
    "縣",
    "特别行政区",
    "自治区",
    "특별자치시",
    "특별자치도",
    "특별시",
    "광역시",
    "도",
];

/// (country, code, names): abbreviations and long names that are in use and that neither the list nor an affix has.
const ALIASES: &[(&str, &str, &[&str])] = &[
    ("AD", "07", &["Parròquia d'Andorra la Vella"]),
    ("AE", "SH", &["إمارة الشارقةّ"]),
    ("AE", "DU", &["إمارة دبيّ"]),
    ("AE", "RK", &["إمارة رأس الخيمة"]),
    ("BS", "EX", &["Exuma"]),
    ("CA", "NL", &["Newfoundland"]),
    ("CA", "YT", &["Yukon Territory"]),
    ("CL", "AI", &["Aysén"]),
    ("CL", "LI", &["O'Higgins"]),
    ("CL", "MA", &["Magallanes"]),
    ("CL", "RM", &["Región Metropolitana"]),
    ("CN", "45", &["广西壮族自治区"]),
    ("CN", "64", &["宁夏回族自治区"]),
    ("CN", "65", &["新疆维吾尔自治区"]),
    ("IN", "AN", &["Andaman and Nicobar Islands"]),
    ("IN", "DH", &["Dadra and Nagar Haveli and Daman and Diu"]),
    ("IN", "JK", &["Jammu and Kashmir"]),
    ("KR", "43", &["충청북도"]),
    ("KR", "44", &["충청남도"]),
    ("KR", "45", &["전라북도"]),
    ("KR", "46", &["전라남도"]),
    ("KR", "47", &["경상북도"]),
    ("KR", "48", &["경상남도"]),
    ("MX", "AGU", &["Ags."]),
    ("MX", "BCN", &["B.C."]),
    ("MX", "CAM", &["Camp."]),
    ("MX", "CHH", &["Chih."]),
    ("MX", "CHP", &["Chis."]),
    ("MX", "CMX", &["CDMX", "D.F.", "Distrito Federal"]),
    ("MX", "COA", &["Coah."]),
    ("MX", "DUR", &["Dgo."]),
    ("MX", "GUA", &["Gto."]),
    ("MX", "HID", &["Hgo."]),
    ("MX", "MIC", &["Mich."]),
    ("MX", "NLE", &["N.L."]),
    ("MX", "QUE", &["Qro."]),
    ("MX", "ROO", &["Q.R.", "Q. Roo"]),
    ("MX", "TAM", &["Tamps."]),
    ("MX", "TLA", &["Tlax."]),
    ("SO", "AW", &["AD"]),
    ("SO", "GA", &["GG"]),
    ("SO", "GE", &["GD"]),
    ("SO", "HI", &["HR"]),
    ("SO", "MU", &["MD"]),
    ("SO", "NU", &["NG"]),
    ("SO", "SA", &["SG"]),
    ("SO", "SO", &["SL"]),
    ("SO", "TO", &["TG"]),
    ("SO", "WO", &["WG"]),
    ("SV", "CH", &["Calatenango"]),
    ("UA", "30", &["місто Київ"]),
    ("UA", "40", &["місто Севастополь"]),
    ("US", "DC", &["Washington DC"]),
];

/// The region `typed` stands for. Codes win over names; a name with its affix cut off counts only if it is one region's.
pub(crate) fn find<'r>(rule: &'r Rule, typed: &str) -> Option<&'r Region> {
    let typed = without_country(rule.country, typed);
    let folded = fold(typed);
    if folded.is_empty() {
        return None;
    }
    let by_code = rule.regions.iter().find(|region| region.code.eq_ignore_ascii_case(typed));
    by_code
        .or_else(|| rule.regions.iter().find(|region| fold(region.code) == folded))
        .or_else(|| rule.regions.iter().find(|region| names(region).any(|name| fold(name) == folded)))
        .or_else(|| alias(rule, &folded))
        .or_else(|| {
            let core = core(&folded);
            let mut found = rule
                .regions
                .iter()
                .filter(|region| names(region).any(|name| self::core(&fold(name)) == core));
            found.next().filter(|_| found.next().is_none())
        })
}

/// How the region is called in a sentence: "California (CA)".
pub(crate) fn title(region: &Region) -> String {
    let name = region.name(true);
    if name == region.code { name.to_owned() } else { format!("{name} ({})", region.code) }
}

fn alias<'r>(rule: &'r Rule, folded: &str) -> Option<&'r Region> {
    let mut own = ALIASES.iter().filter(|(country, ..)| *country == rule.country);
    let (_, code, _) = own.find(|(_, _, names)| names.iter().any(|name| fold(name) == folded))?;
    rule.regions.iter().find(|region| region.code == *code)
}

/// Channels send ISO 3166-2: `US-CA`.
fn without_country<'t>(country: &str, typed: &'t str) -> &'t str {
    match typed.split_once('-') {
        Some((before, after)) if before.eq_ignore_ascii_case(country) => after,
        _ => typed,
    }
}

fn names(region: &Region) -> impl Iterator<Item = &str> {
    [region.local].into_iter().chain(region.latin).chain(region.more.iter().copied())
}

/// The name without one word before and one after it, when something is left.
fn core(folded: &str) -> &str {
    let cut = BEFORE.iter().find_map(|word| folded.strip_prefix(word)).filter(|rest| !rest.is_empty());
    let rest = cut.unwrap_or(folded);
    AFTER.iter().find_map(|word| rest.strip_suffix(word)).filter(|rest| !rest.is_empty()).unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules;

    #[test]
    fn every_alias_is_of_a_region_and_hides_no_code() {
        for (country, code, names) in ALIASES {
            for name in *names {
                let found = find(rules::of(country).unwrap(), name).map(|region| region.code);
                assert_eq!(found, Some(*code), "{country} {name}");
            }
        }
    }

    #[test]
    fn every_code_finds_its_own_and_every_name_finds_one() {
        for rule in rules::countries().filter_map(rules::of) {
            for region in &rule.regions {
                let case = format!("{} {region:?}", rule.country);
                assert_eq!(find(rule, region.code).map(|r| r.code), Some(region.code), "{case}");
                let iso = format!("{}-{}", rule.country, region.code);
                assert_eq!(find(rule, &iso).map(|r| r.code), Some(region.code), "{case}");
                for name in names(region) {
                    assert!(find(rule, name).is_some(), "{case} {name}");
                }
            }
        }
    }

    #[test]
    fn what_people_write() {
        for (country, typed, expect) in [
            ("US", "california", Some("CA")),
            ("US", "D.C.", Some("DC")),
            ("US", "New  York", Some("NY")),
            ("US", "Kalifornia", None),
            ("CA", "quebec", Some("QC")),
            ("CA", "Nouvelle-Ecosse", Some("NS")),
            ("BR", "sao paulo", Some("SP")),
            ("JP", "Tokyo", Some("13")),
            ("JP", "東京", Some("13")),
            ("JP", "Tōkyō-to", Some("13")),
            ("JP", "Hokkaido", Some("01")),
            ("KR", "서울특별시", Some("11")),
            ("KR", "Gyeonggi", Some("41")),
            ("KR", "충청북도", Some("43")),
            ("IE", "Dublin", Some("D")),
            ("IE", "County Cork", Some("CO")),
            ("AE", "dubai", Some("DU")),
            ("AE", "دبي", Some("DU")),
            ("HK", "kowloon", Some("Kowloon")),
            ("HK", "香港島", Some("Hong Kong Island")),
            ("CN", "Guangdong", Some("44")),
            ("ES", "Alacant", Some("A")),
            ("US", "-", None),
        ] {
            assert_eq!(find(rules::of(country).unwrap(), typed).map(|r| r.code), expect, "{country} {typed}");
        }
    }
}
