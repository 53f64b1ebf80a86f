//! What no text may hold: control characters other than tab and line ends. PostgreSQL refuses NUL, and the rest would come out in labels,
//! e-mails and logs as something else than what was read. Every extractor asks here, so that no command ever sees one.

use crate::Problem;
use axum::http::StatusCode;
use serde_json::Value;

fn is_bad(c: char) -> bool {
    c < ' ' && !matches!(c, '\t' | '\n' | '\r') || c == '\u{7f}'
}

/// Whether a text has such a character.
pub(crate) fn is_bad_text(text: &str) -> bool {
    text.chars().any(is_bad)
}

/// Whether form-encoded text (a query, a form) has one once it is decoded.
pub(crate) fn is_bad_encoded(bytes: &[u8]) -> bool {
    let hex = |b: u8| char::from(b).to_digit(16);
    let escaped = |w: &[u8]| match (w[0], hex(w[1]), hex(w[2])) {
        (b'%', Some(high), Some(low)) => char::from_u32(high * 16 + low).is_some_and(is_bad),
        _ => false,
    };
    bytes.iter().any(|b| is_bad(char::from(*b))) || bytes.windows(3).any(escaped)
}

/// Looks for control characters other than tab and line ends in a JSON text that was read already, so that it is known to be
/// well-formed. For bodies that no extractor of ours reads, as webhooks. Cheap where there is nothing to find.
///
/// # Errors
/// Problem `request.invalid` with the pointer to the text.
pub fn check_json(bytes: &[u8]) -> Result<(), Problem> {
    let escape = |w: &[u8]| w == b"\\u00";
    if !bytes.windows(4).any(escape) && !bytes.contains(&0x7f) {
        return Ok(());
    }
    match serde_json::from_slice::<Value>(bytes) {
        // A type that skips what it does not know takes more than a value can hold, as the number 1e999.
        Err(e) => Err(Problem::invalid("", format!("The body does not read: {e}."))),
        Ok(value) => find(&value).map_or(Ok(()), |pointer| Err(Problem::invalid(pointer, SENTENCE))),
    }
}

const SENTENCE: &str = "A text may not hold control characters other than tab and line ends.";

/// The problem of a query, a form or a header.
pub(crate) fn problem(code: &'static str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, SENTENCE)
}

/// The pointer to the first text, also a name, with such a character.
fn find(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => is_bad_text(text).then(String::new),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(i, item)| find(item).map(|rest| format!("/{i}{rest}")))
        }
        Value::Object(fields) => fields.iter().find_map(|(name, item)| {
            if is_bad_text(name) {
                return Some(String::new());
            }
            find(item).map(|rest| format!("/{}{rest}", name.replace('~', "~0").replace('/', "~1")))
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_found_where_they_are() {
        for (body, at) in [
            (r#"{"a": "b\u0000"}"#, Some("/a")),
            (r#"{"a": [{"b/c": "\u001b[31m"}]}"#, Some("/a/0/b~1c")),
            ("{\"a\": \"\u{7f}\"}", Some("/a")),
            (r#"{"a\u0001": 1}"#, Some("")),
            (r#"{"a": "b\u0000", "skipped": 1e999}"#, Some("")),
            (r#"{"a": "\\u0000 \u00e9 \u0009\n\r\t"}"#, None),
            (r#"{"a": "plain"}"#, None),
        ] {
            let found = check_json(body.as_bytes()).err();
            assert_eq!(found.as_ref().map(|p| p.errors()[0].pointer.as_str()), at, "{body}");
        }
        for (query, bad) in [
            ("q=%00", true),
            ("q=a%1Bb", true),
            ("q=%7f", true),
            ("a%00=1", true),
            ("q=%0A%0d%09%20", false),
            ("q=%C3%A9&r=100%", false),
            ("q=%2500", false),
        ] {
            assert_eq!(is_bad_encoded(query.as_bytes()), bad, "{query}");
        }
    }
}
