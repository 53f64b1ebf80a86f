//! Mutations of seeds. Invariant: the same seeds give the same inputs in the same order, everywhere and always.

/// Pieces that mean something to one parser or another.
const PIECES: &[&str] = &[
    "",
    "0",
    "-1",
    "-",
    ".",
    ",",
    ";",
    ":",
    "\"",
    "'",
    "\n",
    "\r",
    "\r\n",
    "\t",
    " ",
    "{",
    "}",
    "[",
    "]",
    "[]",
    "{}",
    "null",
    "true",
    "1e999",
    "-0.0",
    "0.1",
    "NaN",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "99999999999999999999999",
    "\u{0}",
    "\\u0000",
    "\\ud800",
    "\u{7f}",
    "é",
    "ß",
    "İ",
    "\u{301}",
    "\u{202e}",
    "\u{feff}",
    "￼",
    "😀",
    "%00",
    "%",
    "&",
    "<",
    ">",
    "^",
    "~",
    "_",
    "/",
    "\\",
    "..",
    "{{",
    "}}",
    "{%",
    "*",
    "+",
    "@",
    "=",
    "|",
    "0001-01-01",
    "9999-12-31T23:59:59-23:59",
    "2024-02-30",
];

/// An endless row of inputs.
#[derive(Debug)]
pub struct Mutations {
    seeds: Vec<Vec<u8>>,
    state: u64,
    next: usize,
}

impl Mutations {
    /// The seeds first, then mutations of them.
    pub fn new(seeds: Vec<Vec<u8>>) -> Self {
        Self { seeds, state: 0x9e37_79b9_7f4a_7c15, next: 0 }
    }

    /// Below `n`; xorshift, which is enough to pick places.
    fn below(&mut self, n: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state % (n.max(1) as u64)).unwrap_or(0)
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len() + 1);
        let end = at + self.below(16).min(bytes.len() - at);
        let piece = PIECES[self.below(PIECES.len())].as_bytes();
        match self.below(8) {
            0 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << self.state.count_ones().min(7);
                }
            }
            1 => drop(bytes.drain(at..end)),
            2 => {
                let copied = bytes[at..end].to_vec();
                bytes.splice(at..at, copied);
            }
            3 => bytes.truncate(at),
            4 => {
                let byte = u8::try_from(self.below(256)).unwrap_or(0);
                bytes.insert(at, byte);
            }
            5 => {
                let other = self.below(self.seeds.len());
                let tail = self.seeds.get(other).map(Vec::as_slice).unwrap_or_default();
                let from = at.min(tail.len());
                bytes.splice(at.., tail[from..].iter().copied());
            }
            // A whole word or number gives way to a piece: most of what goes wrong is one field.
            6 => {
                let is_word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
                let begin = bytes[..at].iter().rposition(|b| !is_word(b)).map_or(0, |i| i + 1);
                let stop = at + bytes[at..].iter().position(|b| !is_word(b)).unwrap_or(bytes.len() - at);
                bytes.splice(begin..stop, piece.iter().copied());
            }
            _ => drop(bytes.splice(at..at, piece.iter().copied())),
        }
    }
}

impl Iterator for Mutations {
    type Item = Vec<u8>;
    fn next(&mut self) -> Option<Vec<u8>> {
        let turn = self.next;
        self.next += 1;
        if let Some(seed) = self.seeds.get(turn) {
            return Some(seed.clone());
        }
        let picked = self.below(self.seeds.len());
        let mut bytes = self.seeds.get(picked).cloned().unwrap_or_default();
        for _ in 0..=self.below(4) {
            self.change(&mut bytes);
        }
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_in_every_run_and_never_the_same_twice() {
        let row =
            || Mutations::new(vec![b"a,b\n1,2\n".to_vec(), b"x".to_vec()]).take(500).collect::<Vec<_>>();
        assert_eq!(row(), row());
        assert_eq!(row()[1], b"x");
        let different: std::collections::HashSet<Vec<u8>> = row().into_iter().collect();
        assert!(different.len() > 300, "{}", different.len());
    }
}
