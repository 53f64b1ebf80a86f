//! Real addresses, wrong ones with the code each earns, labels line by line, and the laws of `check`.

use proptest::prelude::*;

use super::*;

fn address(country: &str, line1: &str, city: &str, region: &str, postal_code: &str) -> Address {
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    Address {
        name: "Ada Lovelace".into(),
        line1: line1.into(),
        city: city.into(),
        region: some(region),
        postal_code: some(postal_code),
        country: country.into(),
        ..Address::default()
    }
}

fn codes(address: &Address) -> Vec<(&'static str, &'static str)> {
    check(address).unwrap_err().iter().map(|problem| (problem.field, problem.code)).collect()
}

#[test]
fn real_addresses_become_canonical() {
    for (country, line1, city, region, postal, expect_region, expect_postal) in [
        ("us", "1600 Amphitheatre Pkwy", "Mountain View", "California", "94043 1351", "CA", "94043-1351"),
        ("US", "350 5th Ave", "New York", "US-NY", "10118", "NY", "10118"),
        ("US", "PSC 3 Box 4120", "APO", "AE", "09021", "AE", "09021"),
        ("CA", "80 Wellington St", "Ottawa", "ontario", "k1a0a2", "ON", "K1A 0A2"),
        ("CA", "25 rue Eddy", "Gatineau", "Québec", "K1A 0M5", "QC", "K1A 0M5"),
        ("UK", "10 Downing St", "London", "", "sw1a2aa", "", "SW1A 2AA"),
        ("GB", "1 The Square", "Canterbury", "Kent", "CT1 2JA", "Kent", "CT1 2JA"),
        ("DE", "Willy-Brandt-Straße 1", "Berlin", "", " 10557 ", "", "10557"),
        ("CH", "Bundesplatz 3", "Bern", "", "CH-3003", "", "3003"),
        ("BR", "Av. Paulista 1578", "São Paulo", "sao paulo", "01310200", "SP", "01310-200"),
        ("JP", "渋谷2-21-1", "渋谷区", "東京都", "１５０８５１０", "13", "150-8510"),
        ("JP", "2-21-1 Shibuya", "Shibuya-ku", "Tokyo", "150-8510", "13", "150-8510"),
        ("IE", "Leinster House, Kildare St", "Dublin 2", "Dublin", "d02xr20", "D", "D02 XR20"),
        ("IE", "Main Street", "Westport", "", "", "", ""),
        ("HK", "8 Finance St", "", "Hong Kong Island", "000000", "Hong Kong Island", ""),
        ("AE", "1 Sheikh Mohammed bin Rashid Blvd", "Dubai", "Dubai", "", "DU", ""),
        ("KR", "1 Sejong-daero", "Jongno-gu", "Seoul", "03154", "11", "03154"),
        ("KR", "세종대로 209", "종로구", "서울특별시", "03171", "11", "03171"),
        ("NL", "Dam 1", "Amsterdam", "", "1012js", "", "1012 JS"),
        ("NL", "Dam 1", "Amsterdam", "Noord-Holland", "1012 JS", "Noord-Holland", "1012 JS"),
    ] {
        let case = address(country, line1, city, region, postal);
        let found = check(&case).unwrap_or_else(|problems| panic!("{case:?}: {problems:?}"));
        assert_eq!(found.region.as_deref().unwrap_or_default(), expect_region, "{case:?}");
        assert_eq!(found.postal_code.as_deref().unwrap_or_default(), expect_postal, "{case:?}");
        assert_eq!(check(&found).as_ref(), Ok(&found));
    }
}

#[test]
fn wrong_addresses_earn_their_codes() {
    let postal_invalid = ("postal_code", "postal_code_invalid");
    let mismatch = ("postal_code", "postal_code_region_mismatch");
    for (country, city, region, postal, expect) in [
        ("US", "Mountain View", "CA", "9404", postal_invalid),
        ("US", "Mountain View", "CA", "10118", mismatch),
        ("US", "Mountain View", "", "94043", ("region", "region_required")),
        ("US", "Mountain View", "Kalifornia", "94043", ("region", "region_unknown")),
        ("US", "Mountain View", "CA", "", ("postal_code", "postal_code_required")),
        ("US", "", "CA", "94043", ("city", "city_required")),
        ("CA", "Ottawa", "ON", "K1A 0D", postal_invalid),
        ("CA", "Ottawa", "BC", "K1A 0A2", mismatch),
        ("GB", "London", "", "ZZ1 1AA", postal_invalid),
        ("GB", "London", "", "", ("postal_code", "postal_code_required")),
        ("DE", "Berlin", "", "1055", postal_invalid),
        ("DE", "Berlin", "", "D-10557x", postal_invalid),
        ("CH", "Bern", "", "30031", postal_invalid),
        ("BR", "São Paulo", "RJ", "01310-200", mismatch),
        ("BR", "São Paulo", "XX", "01310-200", ("region", "region_unknown")),
        ("JP", "Shibuya-ku", "Osaka", "150-8510", mismatch),
        ("JP", "Shibuya-ku", "Tokyo", "150", postal_invalid),
        ("IE", "Dublin", "", "D02", postal_invalid),
        ("HK", "", "", "", ("region", "region_required")),
        ("AE", "Dubai", "Doha", "", ("region", "region_unknown")),
        ("KR", "Jongno-gu", "Busan", "03154", mismatch),
        ("KR", "Jongno-gu", "Seoul", "031-5", postal_invalid),
        ("NL", "Amsterdam", "", "1012", postal_invalid),
        ("XX", "Nowhere", "", "", ("country", "country_unknown")),
        ("", "Nowhere", "", "", ("country", "country_required")),
    ] {
        let case = address(country, "1 Road", city, region, postal);
        assert_eq!(codes(&case), [expect], "{case:?}");
    }
    let nothing = Address { country: "US".into(), ..Address::default() };
    let fields: Vec<&str> = codes(&nothing).iter().map(|(field, _)| *field).collect();
    assert_eq!(fields, ["name", "line1", "city", "region", "postal_code"], "one each, in field order");
}

#[test]
fn messages_name_the_thing_and_the_way_out() {
    for (country, region, postal, expect) in [
        ("DE", "", "1055", "Germany's postal codes have five digits, like 26133."),
        ("DE", "", "", "Fill in the postal code. Germany's postal codes have five digits, like 26133."),
        (
            "US",
            "California",
            "10118",
            "ZIP code 10118 is not in California (CA) but in New York (NY): correct the ZIP code or the state.",
        ),
        (
            "US",
            "Kalifornia",
            "94043",
            "We know no state “Kalifornia” in the United States: write its name or its code, like Alabama (AL).",
        ),
        ("AE", "", "", "The United Arab Emirates' addresses need an emirate, like Abu Dhabi (AZ)."),
        ("XX", "", "", "We know no country “XX”: use its two-letter code, like DE or US."),
    ] {
        let problems = check(&address(country, "1 Road", "City", region, postal)).unwrap_err();
        assert_eq!(problems.iter().map(|p| p.message.as_str()).collect::<Vec<_>>(), [expect]);
    }
}

#[test]
fn a_company_can_receive_and_contact_details_never_refuse() {
    let mut case = address("CH", "Bundesplatz 3", "Bern", "", "3003");
    case.name = "  ".into();
    assert_eq!(codes(&case), [("name", "name_required")]);
    case.company = Some("Analytical Engines AG".into());
    case.phone = Some("031 322 21 11".into());
    case.email = Some("Ada@Example.COM".into());
    let found = check(&case).unwrap();
    assert_eq!(found.phone.as_deref(), Some("+41313222111"));
    assert_eq!(found.email.as_deref(), Some("Ada@example.com"));
    case.phone = Some(" ask the porter ".into());
    case.email = Some("none".into());
    let found = check(&case).unwrap();
    assert_eq!((found.phone.as_deref(), found.email.as_deref()), (Some("ask the porter"), Some("none")));
}

#[test]
fn labels_follow_the_country() {
    for (country, line1, city, region, postal, expect) in [
        ("US", "350 5th Ave", "New York", "New York", "10118", "Ada Lovelace|350 5th Ave|New York, NY 10118"),
        (
            "CA",
            "80 Wellington St",
            "Ottawa",
            "ON",
            "K1A 0A2",
            "Ada Lovelace|80 Wellington St|Ottawa ON K1A 0A2",
        ),
        (
            "GB",
            "1 The Square",
            "Canterbury",
            "Kent",
            "CT1 2JA",
            "Ada Lovelace|1 The Square|Canterbury|CT1 2JA",
        ),
        ("DE", "Hauptstraße 1", "Berlin", "", "10557", "Ada Lovelace|Hauptstraße 1|10557 Berlin"),
        ("CH", "Bundesplatz 3", "Bern", "", "3003", "Ada Lovelace|Bundesplatz 3|CH-3003 Bern"),
        (
            "BR",
            "Av. Paulista 1578",
            "São Paulo",
            "SP",
            "01310-200",
            "Ada Lovelace|Av. Paulista 1578|São Paulo-SP|01310-200",
        ),
        (
            "JP",
            "2-21-1 Shibuya",
            "Shibuya-ku",
            "13",
            "150-8510",
            "Ada Lovelace|2-21-1 Shibuya|Shibuya-ku, Tokyo|150-8510",
        ),
        ("JP", "渋谷2-21-1", "渋谷区", "13", "150-8510", "〒150-8510|東京都|渋谷区|渋谷2-21-1|Ada Lovelace"),
        (
            "HK",
            "8 Finance St",
            "Central",
            "Hong Kong Island",
            "",
            "Ada Lovelace|8 Finance St|Central|Hong Kong Island",
        ),
        ("HK", "金融街8號", "中環", "香港島", "", "香港島|中環|金融街8號|Ada Lovelace"),
        ("AE", "1 Boulevard", "Dubai", "DU", "", "Ada Lovelace|1 Boulevard|Dubai|Dubai"),
        ("KR", "세종대로 209", "종로구", "11", "03171", "서울 종로구|세종대로 209|Ada Lovelace|03171"),
        ("NL", "Dam 1", "Amsterdam", "", "1012 JS", "Ada Lovelace|Dam 1|1012 JS Amsterdam"),
        ("ZZ", "1 Road", "Town", "", "123", "Ada Lovelace|1 Road|Town 123"),
    ] {
        let case = address(country, line1, city, region, postal);
        assert_eq!(lines(&case).join("|"), expect, "{country}");
    }
    let mut full = address("CH", "Bundesplatz 3", "Bern", "", "3003");
    full.company = Some("Engines AG".into());
    full.line2 = Some("2. Stock".into());
    assert_eq!(lines(&full), ["Engines AG", "Ada Lovelace", "Bundesplatz 3", "2. Stock", "CH-3003 Bern"]);
    assert!(lines(&Address::default()).is_empty());
}

#[test]
fn json_is_strict_about_names_and_lenient_about_gaps() {
    let read: Address = serde_json::from_str(r#"{"name":"Ada","country":"DE"}"#).unwrap();
    assert_eq!(read, Address { name: "Ada".into(), country: "DE".into(), ..Address::default() });
    assert!(serde_json::from_str::<Address>(r#"{"zip":"1"}"#).is_err());
    let written = serde_json::to_string(&read).unwrap();
    assert_eq!(serde_json::from_str::<Address>(&written).unwrap(), read);
}

/// Examples of the data that lie in no region of the data (this one is across the border, in Belarus).
const HOMELESS: &[(&str, &str)] = &[("RU", "247112")];

#[test]
fn every_country_takes_an_address_with_its_example_and_keeps_it() {
    let mut homeless = Vec::new();
    for rule in rules::countries().filter_map(rules::of) {
        for example in
            rule.postal_examples.iter().copied().chain(rule.postal_examples.is_empty().then_some(""))
        {
            let home =
                rule.regions.iter().find(|region| region.accepts_postal(example)).map(|region| region.code);
            if home.is_none() && !rule.regions.is_empty() {
                homeless.push((rule.country, example));
                continue;
            }
            let region = if rule.needs('S') { home.unwrap_or("Anywhere") } else { "" };
            let case = address(rule.country, "1 Road", "Town", region, example);
            let found = check(&case).unwrap_or_else(|problems| panic!("{case:?}: {problems:?}"));
            assert_eq!(found.postal_code.as_deref().unwrap_or_default(), example, "{case:?}");
            assert_eq!(check(&found).as_ref(), Ok(&found));
            assert!(lines(&found).iter().any(|line| line.contains("1 Road")), "{case:?}");
        }
    }
    assert_eq!(homeless, HOMELESS);
}

prop_compose! {
    fn typed()(
        country in prop::sample::select(rules::countries().collect::<Vec<_>>()),
        pick in any::<prop::sample::Index>(), which in any::<prop::sample::Index>(), form in 0..4,
        name in "\\PC{0,12}", city in "[\\PC\t\n]{1,12}", line1 in "\\PC{1,20}", line2 in "[ \u{200b}\u{301}a-c]{0,6}",
        phone in "[+0-9 ()x-]{0,16}", email in "[a-zA-Z@. ]{0,14}", noise in "[ \u{a0}\u{feff}-]{0,2}",
    ) -> Address {
        let rule = rules::of(country).unwrap();
        let at_home = rule.postal_examples.iter().filter(|example| !HOMELESS.contains(&(country, example)));
        let examples: Vec<&str> = if rule.postal_examples.is_empty() { vec!["n/a"] } else { at_home.copied().collect() };
        let example = examples[pick.index(examples.len())];
        let fitting: Vec<&Region> = rule.regions.iter().filter(|region| region.accepts_postal(example)).collect();
        let region = match (form, fitting.is_empty()) {
            (_, true) => "Somewhere".to_owned(),
            (0, _) => fitting[which.index(fitting.len())].code.to_lowercase(),
            (1, _) => fitting[which.index(fitting.len())].local.to_owned(),
            (2, _) => format!("{country}-{}", fitting[which.index(fitting.len())].code),
            _ => format!(" {} ", fitting[which.index(fitting.len())].name(true)),
        };
        Address {
            name, company: Some("Co".into()), line1, line2: Some(line2), city, region: Some(region),
            postal_code: Some(format!("{noise}{}{noise}", example.to_lowercase())),
            country: format!("{noise}{}", country.to_lowercase()).replace('-', ""),
            phone: Some(phone), email: Some(email),
        }
    }
}

proptest! {
    #[test]
    fn checking_twice_is_checking_once(case in typed()) {
        match check(&case) {
            Ok(found) => {
                prop_assert_eq!(check(&found), Ok(found.clone()));
                prop_assert_eq!(lines(&found), lines(&check(&found).unwrap()));
                prop_assert!(lines(&found).iter().all(|line| !line.is_empty() && !line.chars().any(char::is_control)));
            }
            // text may be nothing but invisible marks; all else in these addresses is right
            Err(problems) => {
                let allowed = ["line1_required", "city_required"];
                prop_assert!(problems.iter().all(|p| allowed.contains(&p.code)), "{:?} {:?}", case, problems);
            }
        }
    }

    #[test]
    fn nothing_typed_makes_it_panic(
        text in prop::collection::vec("\\PC{0,12}", 6), country in prop::sample::select(rules::countries().collect::<Vec<_>>())
    ) {
        let mut case = address(country, &text[0], &text[1], &text[2], &text[3]);
        case.phone = Some(text[4].clone());
        case.email = Some(text[5].clone());
        if let Err(problems) = check(&case) {
            let mut fields: Vec<&str> = problems.iter().map(|p| p.field).collect();
            fields.dedup();
            prop_assert_eq!(fields.len(), problems.len(), "one problem per field");
        }
        let _ = lines(&case);
    }
}
