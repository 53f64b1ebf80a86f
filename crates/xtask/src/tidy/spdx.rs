//! SPDX licence expressions. Invariant: an expression that cannot be read is an error, never a permission.

/// Whether `expression` can be satisfied with the licences of `allowed` (where an exception is spelled out:
/// `Apache-2.0 WITH LLVM-exception`). The old `MIT/Apache-2.0` means either.
///
/// # Errors
/// When the expression is not SPDX.
pub fn satisfied(expression: &str, allowed: &[String]) -> Result<bool, String> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words = Words { words: spaced.split_whitespace().collect(), at: 0, allowed };
    let verdict = words.either().and_then(|verdict| match words.next() {
        None => Ok(verdict),
        Some(word) => Err(format!("unexpected `{word}`")),
    });
    verdict.map_err(|e| format!("cannot read the licence `{expression}`: {e}"))
}

struct Words<'a> {
    words: Vec<&'a str>,
    at: usize,
    allowed: &'a [String],
}

/// OR binds weaker than AND, AND weaker than WITH; all parts are read also when the verdict is clear.
impl<'a> Words<'a> {
    fn either(&mut self) -> Result<bool, String> {
        let mut verdict = self.both()?;
        while self.skip("OR") {
            verdict |= self.both()?;
        }
        Ok(verdict)
    }

    fn both(&mut self) -> Result<bool, String> {
        let mut verdict = self.one()?;
        while self.skip("AND") {
            verdict &= self.one()?;
        }
        Ok(verdict)
    }

    fn one(&mut self) -> Result<bool, String> {
        if self.skip("(") {
            let verdict = self.either()?;
            return if self.skip(")") { Ok(verdict) } else { Err("a parenthesis is not closed".to_owned()) };
        }
        let licence = self.name()?;
        let name =
            if self.skip("WITH") { format!("{licence} WITH {}", self.name()?) } else { licence.to_owned() };
        Ok(self.allowed.contains(&name))
    }

    fn name(&mut self) -> Result<&'a str, String> {
        match self.next() {
            None => Err("it ends too early".to_owned()),
            Some(word @ ("(" | ")" | "AND" | "OR" | "WITH")) => Err(format!("unexpected `{word}`")),
            Some(word) => Ok(word),
        }
    }

    fn next(&mut self) -> Option<&'a str> {
        let word = self.words.get(self.at).copied();
        self.at += 1;
        word
    }

    fn skip(&mut self, word: &str) -> bool {
        let here = self.words.get(self.at) == Some(&word);
        self.at += usize::from(here);
        here
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_evaluated() {
        let allowed: Vec<String> =
            ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "Unicode-3.0"].map(String::from).to_vec();
        for (expression, expected) in [
            ("MIT", true),
            ("AGPL-3.0", false),
            ("MIT OR AGPL-3.0", true),
            ("AGPL-3.0/MIT", true),
            ("MIT AND AGPL-3.0", false),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
            ("MIT OR Apache-2.0 AND AGPL-3.0", true),
            ("(MIT OR Apache-2.0) AND AGPL-3.0", false),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("MIT WITH LLVM-exception", false),
            ("GPL-2.0 WITH Classpath-exception-2.0 OR MIT", true),
            ("((MIT))", true),
        ] {
            assert_eq!(satisfied(expression, &allowed), Ok(expected), "{expression}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        for expression in ["", "MIT OR", "(MIT", "MIT)", "AND MIT", "MIT Apache-2.0", "MIT WITH", "()"] {
            assert!(satisfied(expression, &["MIT".to_owned()]).is_err(), "{expression:?}");
        }
    }
}
