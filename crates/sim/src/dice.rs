//! Chance from a seed. Invariants: the same seed throws the same numbers, on every machine and with every version of every library; what
//! goes wrong with something in a step does not depend on what else is in the trace.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// SplitMix64: small, fast, and good enough to choose what a merchant does next.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice of a seed and a purpose: different purposes throw different numbers.
    pub fn new(seed: u64, purpose: u64) -> Self {
        let mut dice = Self(seed ^ purpose.wrapping_mul(0xD6E8_FEB8_6659_FD93));
        dice.next();
        dice
    }
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    /// A number under `n`; zero when there is none.
    pub fn below(&mut self, n: usize) -> usize {
        match n {
            0 => 0,
            n => (self.next() % n as u64) as usize,
        }
    }
    /// A number from `from` up to and including `to`.
    pub fn range(&mut self, from: i64, to: i64) -> i64 {
        let width = to.saturating_sub(from).max(0).unsigned_abs() + 1;
        from + (self.next() % width) as i64
    }
    /// Yes, so many times in a thousand.
    pub fn chance(&mut self, permille: u64) -> bool {
        self.next() % 1000 < permille
    }
    /// One of several.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        of.get(self.below(of.len())).copied()
    }
}

/// Numbers for each thing in each step: leaving out another step, or another order, changes none of them.
#[derive(Debug, Clone)]
pub struct Streams {
    seed: u64,
    step: usize,
    thrown: BTreeMap<String, u64>,
}

impl Streams {
    /// Streams of a seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, step: 0, thrown: BTreeMap::new() }
    }
    /// A step begins, by its number in the seed's trace.
    pub fn begin(&mut self, step: usize) {
        self.step = step;
        self.thrown.clear();
    }
    /// Dice for a thing; others when it is asked for again in the same step.
    pub fn of(&mut self, thing: &str) -> Dice {
        let nth = self.thrown.entry(thing.to_owned()).or_default();
        *nth += 1;
        Dice::new(self.seed ^ hash(&format!("{} {thing} {nth}", self.step)), 2)
    }
}

/// The hash of a text.
pub fn hash(text: &str) -> u64 {
    let mut trace = Trace::default();
    let _ = trace.write_str(text);
    trace.0
}

/// FNV-1a over text: the hash of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace(pub u64);
impl Default for Trace {
    fn default() -> Self {
        Self(0xCBF2_9CE4_8422_2325)
    }
}
impl std::fmt::Write for Trace {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
        Ok(())
    }
}
