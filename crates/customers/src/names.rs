//! The key under which a customer is found by the last word of their name. Invariant: what is kept and what is searched for are made by
//! the same function, so that case, accents and commas make no difference on either database.

/// Characters of a key: more nobody types, and an index has its limits.
const LONGEST: usize = 100;

/// The last word of a name, then the others: `berger anna` of “Anna Berger”; none where a name is one word, which its beginning finds.
pub(crate) fn surname_key(name: &str) -> Option<String> {
    let plain = search_key(name);
    let (others, last) = plain.rsplit_once(' ')?;
    Some(format!("{last} {others}").chars().take(LONGEST).collect())
}

/// What somebody typed, as the keys are written: “Berger, Anna” as `berger anna`.
pub(crate) fn search_key(text: &str) -> String {
    let lower = text.replace(',', " ").to_lowercase();
    lower.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(LONGEST).collect()
}

/// The smallest and the greatest key that begins as a text does.
///
/// Every way to customers by their surname asks for `surname >= from AND surname < end`.
pub fn surnames(text: &str) -> Option<(String, String)> {
    let from = search_key(text);
    let end = format!("{from}{}", char::MAX);
    (!from.is_empty()).then_some((from, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_comes_first() {
        for (name, key) in [
            ("Anna Berger", Some("berger anna")),
            ("  Anna  Maria   Berger ", Some("berger anna maria")),
            ("Élise Müller-Østergård", Some("müller-østergård élise")),
            ("Berger, Anna", Some("anna berger")),
            ("Cher", None),
            ("", None),
        ] {
            assert_eq!(surname_key(name).as_deref(), key, "{name}");
        }
        assert_eq!(search_key(" Berger,Anna "), "berger anna");
        assert_eq!(surnames(" , "), None);
        let long = surname_key(&"word ".repeat(200)).unwrap();
        assert_eq!(long.chars().count(), LONGEST);
    }

    #[test]
    fn what_begins_so_lies_between() {
        let (from, end) = surnames("Berg").unwrap();
        for (name, within) in
            [("Anna Berger", true), ("Bo Berg", true), ("Berg Anna", false), ("Al Bert", false)]
        {
            let key = surname_key(name).unwrap();
            assert_eq!(key >= from && key < end, within, "{name}");
        }
    }
}
