//! A scanner for Rust that knows just enough: what is code and what is comment or literal, and where functions begin and end.
//! Invariant: blanking keeps every byte's place, so that offsets and lines of the blanked text are those of the source.

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line of the word `fn`, from 1.
    pub line: usize,
    /// Lines from `fn` to the closing brace, both included.
    pub lines: usize,
    /// Where the body is, braces included.
    pub body: std::ops::Range<usize>,
}

/// Replaces comments and the content of string and character literals by spaces; line breaks stay.
pub fn blank(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_or_comment(bytes, at);
        match end {
            Some(end) => {
                for byte in &mut out[at..end] {
                    if *byte != b'\n' {
                        *byte = b' ';
                    }
                }
                at = end;
            }
            // A word is stepped over as a whole: the `r` in `for"` begins no raw string.
            None => at += word(bytes, at).max(1),
        }
    }
    // Only ASCII went in, and only whole literals and comments were replaced.
    String::from_utf8_lossy(&out).into_owned()
}

/// The functions of a blanked source, in order of their beginning; nested ones too.
pub fn functions(code: &str) -> Vec<Function> {
    let bytes = code.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let length = word(bytes, at);
        if &code.as_bytes()[at..at + length] == b"fn" {
            found.extend(function(code, at));
        }
        at += length.max(1);
    }
    found
}

/// The line of a byte, from 1.
pub fn line_of(text: &str, at: usize) -> usize {
    1 + text.as_bytes()[..at].iter().filter(|&&byte| byte == b'\n').count()
}

/// The byte after the brace that closes the one at `open`.
pub fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0usize;
    for (offset, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return offset + 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    code.len()
}

/// Length of the identifier, keyword or number that begins at `at`; 0 when none does.
pub fn word(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().take_while(|&&byte| in_word(byte)).count()
}

/// Whether a byte can be part of an identifier.
pub fn in_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric() || byte >= 0x80
}

fn function(code: &str, at: usize) -> Option<Function> {
    let bytes = code.as_bytes();
    let name_at = at + 2 + bytes[at + 2..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    // `fn(u8) -> u8` is a type, `fn $name` is a macro's.
    let name = &code[name_at..name_at + word(bytes, name_at)];
    if name.is_empty() {
        return None;
    }
    let mut depth = 0usize;
    for (offset, byte) in code.bytes().enumerate().skip(name_at) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            b';' if depth == 0 => return None,
            b'{' if depth == 0 => {
                let end = closing(code, offset);
                let line = line_of(code, at);
                let lines = line_of(code, end) - line + 1;
                return Some(Function { name: name.to_owned(), line, lines, body: offset..end });
            }
            _ => {}
        }
    }
    None
}

/// The end of the comment or literal that begins at `at`.
fn literal_or_comment(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    if rest.starts_with(b"//") {
        return Some(at + rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len()));
    }
    if rest.starts_with(b"/*") {
        return Some(block_comment(bytes, at));
    }
    let prefix = word(bytes, at);
    let quote = at + prefix;
    match (&bytes[at..quote], bytes.get(quote)) {
        (b"" | b"b" | b"c", Some(b'"')) => Some(quoted(bytes, quote, b'"')),
        (b"r" | b"br" | b"cr", Some(b'"' | b'#')) => raw_string(bytes, quote),
        (b"b", Some(b'\'')) => Some(quoted(bytes, quote, b'\'')),
        (b"", Some(b'\'')) => character(bytes, quote),
        _ => None,
    }
}

fn block_comment(bytes: &[u8], at: usize) -> usize {
    let mut depth = 0usize;
    let mut here = at;
    while here < bytes.len() {
        if bytes[here..].starts_with(b"/*") {
            depth += 1;
            here += 2;
        } else if bytes[here..].starts_with(b"*/") {
            depth -= 1;
            here += 2;
            if depth == 0 {
                return here;
            }
        } else {
            here += 1;
        }
    }
    bytes.len()
}

fn quoted(bytes: &[u8], open: usize, quote: u8) -> usize {
    let mut here = open + 1;
    while here < bytes.len() {
        match bytes[here] {
            b'\\' => here += 2,
            byte if byte == quote => return here + 1,
            _ => here += 1,
        }
    }
    bytes.len()
}

/// `r#"…"#`; none for a raw identifier (`r#type`).
fn raw_string(bytes: &[u8], at: usize) -> Option<usize> {
    let hashes = bytes[at..].iter().take_while(|&&byte| byte == b'#').count();
    if bytes.get(at + hashes) != Some(&b'"') {
        return None;
    }
    let mut close = vec![b'"'];
    close.resize(hashes + 1, b'#');
    let from = at + hashes + 1;
    let found = bytes[from..].windows(close.len()).position(|window| window == close);
    Some(found.map_or(bytes.len(), |offset| from + offset + close.len()))
}

/// `'x'`, `'\n'`, `'é'`; none for a lifetime or a label.
fn character(bytes: &[u8], at: usize) -> Option<usize> {
    let first = *bytes.get(at + 1)?;
    if first == b'\\' {
        return Some(quoted(bytes, at, b'\''));
    }
    let width = match first {
        0x00..=0x7f => 1,
        0x80..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => 4,
    };
    (bytes.get(at + 1 + width) == Some(&b'\'')).then_some(at + 2 + width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_comments_and_literals_and_nothing_else() {
        let cases = [
            ("a // b {\nc", "a       \nc"),
            ("a /*{/*x*/}*/ b", "a             b"),
            (r#"f("}\"{") }"#, "f(      ) }"),
            (r##"f(r#"{"}"#, 1)"##, "f(        , 1)"),
            ("let r#type = b'{';", "let r#type =     ;"),
            ("'a: loop { '{' '\\'' }", "'a: loop {          }"),
            ("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}"),
            ("\"é{\"é", "     é"),
            ("for\"{\"", "for   "),
        ];
        for (source, expected) in cases {
            let got = blank(source);
            assert_eq!(got.len(), source.len(), "{source}");
            assert_eq!(got.trim_end(), expected.trim_end(), "{source}");
        }
    }

    #[test]
    fn finds_functions_and_counts_their_lines() {
        let code = blank(
            "//! fn no() {\ntrait T { fn declared(&self, a: [u8; 4]); }\npub async fn outer(\n  f: fn(u8) -> u8,\n) -> [u8; 2] {\n  fn inner() { \"}\"; }\n  if x { y }\n}\n",
        );
        let got: Vec<_> = functions(&code).into_iter().map(|f| (f.name, f.line, f.lines)).collect();
        assert_eq!(got, [("outer".to_owned(), 3, 6), ("inner".to_owned(), 6, 1)]);
    }

    #[test]
    fn an_unfinished_source_ends_at_its_end() {
        for source in ["\"abc", "/* abc", "r#\"abc\"", "'", "b'", "fn", "fn f() {", "'\\"] {
            let code = blank(source);
            assert_eq!(code.len(), source.len());
            assert!(functions(&code).len() <= 1);
        }
    }
}
