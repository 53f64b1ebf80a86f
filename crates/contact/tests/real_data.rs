//! The embedded rules against the reference set `$FULMAR_DATA/reference/address_formats/data.tar.gz`: the same
//! countries, required parts, postal patterns and regions. Built only when asked for by name, and then fails
//! when the set is not there: a comparison that was skipped must not look like one that passed.

use std::{collections::BTreeMap, env, fs, io::Read, path::PathBuf};

use contact::rules;
use serde_json::Value;

#[test]
fn all_countries_agree_with_the_reference() {
    let reference = reference();
    let countries: Vec<&str> = reference.keys().map(String::as_str).filter(|code| *code != "ZZ").collect();
    assert_eq!(countries, rules::countries().collect::<Vec<_>>());
    let defaults = &reference["ZZ"];
    for code in countries {
        let (theirs, ours) = (&reference[code], rules::of(code).expect("listed"));
        let or_default = |key: &str| text(theirs, key).or_else(|| text(defaults, key)).unwrap_or_default();
        assert_eq!(ours.required, or_default("require"), "{code} required");
        assert_eq!(ours.format, or_default("fmt"), "{code} format");
        assert_eq!(ours.latin_format, text(theirs, "lfmt"), "{code} Latin format");
        let plain = |pattern: &str| pattern.replace(r"\-", "-");
        assert_eq!(ours.postal_pattern.map(plain), text(theirs, "zip").map(plain), "{code} postal pattern");
        let examples: Vec<&str> =
            text(theirs, "zipex").map(|list| list.split(',').collect()).unwrap_or_default();
        assert_eq!(ours.postal_examples, examples, "{code} examples");
        let count = text(theirs, "sub_keys").map_or(0, |keys| keys.split('~').count());
        assert_eq!(ours.regions.len(), count, "{code} regions");
        let begins: Vec<&str> =
            ours.regions.iter().map(|region| region.postal_pattern.unwrap_or_default()).collect();
        let expect =
            text(theirs, "sub_zips").map_or_else(|| vec![""; count], |list| list.split('~').collect());
        assert_eq!(begins, expect, "{code} how regions' codes begin");
    }
}

/// The reference calls regions by the names post offices use, the rules by their ISO codes: all of them must be found.
#[test]
fn every_name_the_reference_uses_finds_its_region() {
    let reference = reference();
    let mut lost = Vec::new();
    for code in rules::countries() {
        for list in ["sub_keys", "sub_names", "sub_lnames"] {
            let names: Vec<&str> =
                text(&reference[code], list).map(|list| list.split('~').collect()).unwrap_or_default();
            let rule = rules::of(code).expect("listed");
            for (name, region) in names.iter().zip(&rule.regions) {
                let found = rule.region(name).map(|found| found.code);
                if found != Some(region.code) {
                    lost.push(format!("{code} {} {name}: {found:?}", region.code));
                }
            }
        }
    }
    assert!(lost.is_empty(), "{} names lost:\n{}", lost.len(), lost.join("\n"));
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value[key].as_str().filter(|text| !text.is_empty())
}

/// Country code → its entry.
fn reference() -> BTreeMap<String, Value> {
    let root = env::var_os("FULMAR_DATA").expect("set FULMAR_DATA to the folder of the reference data");
    let file = PathBuf::from(root).join("reference/address_formats/data.tar.gz");
    let packed = fs::File::open(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let mut tar = Vec::new();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut tar).expect("a gzip file");
    let mut found = BTreeMap::new();
    for (name, bytes) in files(&tar) {
        let stem = name.rsplit('/').next().and_then(|name| name.strip_suffix(".json")).unwrap_or_default();
        if stem.len() == 2 {
            let code = stem.to_uppercase();
            let all: Value = serde_json::from_slice(bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
            let entry = all[&code].clone();
            assert!(entry.is_object(), "{name} has no {code}");
            found.insert(code, entry);
        }
    }
    assert!(found.len() > 240, "only {} countries in {}", found.len(), file.display());
    found
}

/// Regular files of a tar archive: 512-byte headers, sizes in octal, contents padded to 512.
fn files(tar: &[u8]) -> Vec<(String, &[u8])> {
    let mut found = Vec::new();
    let mut at = 0;
    while at + 512 <= tar.len() && tar[at] != 0 {
        let header = &tar[at..at + 512];
        let field = |from: usize, to: usize| {
            let bytes: Vec<u8> = header[from..to].iter().copied().take_while(|b| *b != 0).collect();
            String::from_utf8(bytes).expect("ASCII header").trim().to_owned()
        };
        let size = usize::from_str_radix(&field(124, 136), 8).expect("octal size");
        if matches!(header[156], b'0' | 0) {
            found.push((field(0, 100), &tar[at + 512..at + 512 + size]));
        }
        at += 512 + size.div_ceil(512) * 512;
    }
    found
}
