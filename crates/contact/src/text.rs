//! What every typed field goes through: one line of visible text. Invariant: `clean(clean(x)) == clean(x)`, and the
//! result holds no control character, so that it can go onto a label or into a printer's language.

use unicode_normalization::UnicodeNormalization;

/// Composed, on one line, without outer or doubled blanks and without the invisible marks that copying brings along.
pub(crate) fn clean(text: &str) -> String {
    let visible: String = text.chars().filter(|c| !is_invisible(*c)).nfc().collect();
    visible
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// [`clean`], with nothing for an empty field.
pub(crate) fn clean_option(text: Option<&str>) -> Option<String> {
    text.map(clean).filter(|text| !text.is_empty())
}

/// For comparing names: no case, no accents, letters and digits only.
pub(crate) fn fold(text: &str) -> String {
    let bare = text.nfkd().filter(|c| !unicode_normalization::char::is_combining_mark(*c));
    let lower: String = bare.flat_map(char::to_lowercase).collect();
    lower.nfkc().filter(|c| c.is_alphanumeric()).collect()
}

/// Whether every letter is a Latin one.
pub(crate) fn is_latin(text: &str) -> bool {
    text.chars()
        .filter(|c| c.is_alphabetic())
        .all(|c| matches!(c, '\0'..='\u{24f}' | '\u{1e00}'..='\u{1eff}'))
}

/// Zero-width spaces, byte-order marks and writing-direction marks. The joiners U+200C and U+200D stay: Persian and
/// Indic words are misspelt without them.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cleaning() {
        for (text, expect) in [
            ("  Main\u{a0}Street \t 5 ", "Main Street 5"),
            ("Line\r\n^XA^two", "Line ^XA^two"),
            ("\u{202d}+41 44\u{202c}", "+41 44"),
            ("u\u{308}ber", "über"),
            (" \u{feff} ", ""),
        ] {
            assert_eq!(clean(text), expect);
        }
        assert_eq!(fold("Île-du-Prince-Édouard"), "ileduprinceedouard");
        assert_eq!(fold("ＡＢ　１"), "ab1");
        assert!(is_latin("Straße 5, Łódź") && !is_latin("東京") && !is_latin("Москва"));
    }

    proptest! {
        #[test]
        fn cleaning_twice_is_cleaning_once(text in "\\PC{0,30}|[\\x00-\\x7f\u{300}-\u{310}\u{200b}\u{2028} ]{0,20}") {
            let once = clean(&text);
            prop_assert_eq!(clean(&once), once.clone());
            prop_assert!(!once.chars().any(char::is_control));
        }
    }
}
