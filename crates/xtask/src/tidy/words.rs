//! Words that must not be left behind. Invariant: this is the one file that may contain them all.

use super::scan::{in_word, line_of};
use super::{Offence, Source};

/// Unfinished work and tests that do not run: looked for in code, not in comments or strings.
const IN_CODE: &[(&str, &str)] = &[
    ("todo!", "unfinished"),
    ("unimplemented!", "unfinished"),
    ("dbg!", "left from debugging"),
    ("#[ignore", "a test that does not run proves nothing: give it a target with required-features"),
];

/// Looked for everywhere, whatever the case.
const ANYWHERE: &[(&str, &str)] = &[
    ("fixme", "finish it or open an issue"),
    ("claude", "says how it was made, not what it is"),
    ("llm", "says how it was made, not what it is"),
    ("ai session", "says how it was made, not what it is"),
    ("helper agent", "says how it was made, not what it is"),
    ("/work/", "a path of one machine"),
];

/// All banned words in one file.
pub fn check(source: &Source) -> Vec<Offence> {
    if source.path.ends_with("tidy/words.rs") {
        return Vec::new();
    }
    let code = source.code.as_deref().unwrap_or_default();
    let mut found = occurrences(source, code, IN_CODE);
    found.extend(occurrences(source, &source.text.to_ascii_lowercase(), ANYWHERE));
    found
}

fn occurrences(source: &Source, text: &str, words: &[(&str, &str)]) -> Vec<Offence> {
    let mut found = Vec::new();
    for (word, why) in words {
        for (at, _) in text.match_indices(word) {
            let bytes = text.as_bytes();
            let before = at.checked_sub(1).map(|at| bytes[at]);
            let after = bytes.get(at + word.len()).copied();
            let open = |byte: Option<u8>| byte.is_none_or(|byte| !in_word(byte));
            let last_in_word = word.bytes().last().is_some_and(in_word);
            if open(before) && (!last_in_word || open(after)) {
                let what = format!("`{}`: {why}", &source.text[at..at + word.len()]);
                found.push(Offence { file: source.path.clone(), line: line_of(text, at), what });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        check(&Source::new(path.into(), text.to_owned())).into_iter().map(|offence| offence.line).collect()
    }

    #[test]
    fn code_words_count_in_code_only() {
        assert_eq!(lines("a.rs", "fn f() {\n todo!()\n}\n#[ignore]\nfn g() {}"), [2, 4]);
        assert_eq!(lines("a.rs", "// todo!() \nlet s = \"dbg!\"; my_todo!();"), [0; 0]);
        assert_eq!(lines("a.md", "We do not write `todo!`."), [0; 0]);
    }

    #[test]
    fn other_words_count_everywhere() {
        assert_eq!(lines("a.rs", "// x\n// FIXME later"), [2]);
        assert_eq!(lines("a.md", "see /work/main"), [1]);
        assert_eq!(lines("a.toml", "a = \"an LLM\""), [1]);
    }

    #[test]
    fn parts_of_words_do_not() {
        assert_eq!(lines("a.toml", "\"Apache-2.0 WITH LLVM-exception\" /v1/work/ claudel"), [0; 0]);
    }
}
