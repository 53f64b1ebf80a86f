//! The shape of a Rust file. Invariant: a reader can hold any file and any function in the head, and a decision is pure.

use super::scan::{self, Function, in_word};
use super::{Offence, Source};

const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 70;

/// Length of the file and its functions, the opening doc comment, and the purity of `decide…`.
pub fn check(source: &Source) -> Vec<Offence> {
    let Some(code) = &source.code else { return Vec::new() };
    let mut found = Vec::new();
    let mut say = |line, what: String| found.push(Offence { file: source.path.clone(), line, what });
    let lines = source.text.lines().count();
    if lines > FILE_LINES {
        say(
            FILE_LINES + 1,
            format!("{lines} lines; a file has at most {FILE_LINES}: which module hides in it?"),
        );
    }
    if !source.text.trim_start().starts_with("//!") {
        say(1, "a file begins with `//!`: what it is for and the invariant it keeps".to_owned());
    }
    for function in scan::functions(code) {
        if function.lines > FUNCTION_LINES {
            say(
                function.line,
                format!(
                    "`{}` has {} lines; a function has at most {FUNCTION_LINES}: which name hides in it?",
                    function.name, function.lines
                ),
            );
        }
        if function.name.starts_with("decide") {
            for (line, what) in impurities(code, &function) {
                say(line, what);
            }
        }
    }
    found
}

fn impurities(code: &str, function: &Function) -> Vec<(usize, String)> {
    let body = &code[function.body.clone()];
    let mut found = Vec::new();
    for (needle, why) in [(".await", "decides from what was loaded"), ("now(", "is told the time")] {
        for (offset, _) in body.match_indices(needle) {
            let starts_word = !needle.starts_with(|c: char| c.is_alphabetic())
                || offset == 0
                || !in_word(body.as_bytes()[offset - 1]);
            if starts_word {
                let line = scan::line_of(code, function.body.start + offset);
                found.push((line, format!("`{needle}` in `{}`, which {why}", function.name)));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offences(text: &str) -> Vec<(usize, String)> {
        let source = Source::new("src/x.rs".into(), text.to_owned());
        check(&source).into_iter().map(|offence| (offence.line, offence.what)).collect()
    }

    #[test]
    fn a_tidy_file_is_left_alone() {
        assert_eq!(
            offences("//! What.\nfn decide() { /* .await now() */ known(); let s = \"now()\"; }\n"),
            []
        );
    }

    #[test]
    fn a_file_begins_with_what_it_is_for() {
        assert_eq!(offences("use a;\n//! late\n")[0].0, 1);
    }

    #[test]
    fn long_files_and_functions_are_reported_once_over_the_limit() {
        let file = |lines: usize| format!("//! x{}", "\n//".repeat(lines - 1));
        assert_eq!(offences(&file(FILE_LINES)), []);
        assert_eq!(offences(&file(FILE_LINES + 1))[0].0, FILE_LINES + 1);
        let function = |lines: usize| format!("//! x\nfn f() {{{}}}", "\n".repeat(lines - 1));
        assert_eq!(offences(&function(FUNCTION_LINES)), []);
        let found = offences(&function(FUNCTION_LINES + 1));
        assert!(found[0].0 == 2 && found[0].1.contains("71 lines"), "{found:?}");
    }

    #[test]
    fn a_decision_neither_waits_nor_looks_at_the_clock() {
        let found = offences(
            "//! x\nasync fn decide_all() {\n  load().await;\n  tx.now();\n}\nfn apply() { a.await }\n",
        );
        let lines: Vec<usize> = found.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [3, 4]);
    }
}
