//! Figures in words, the same on every page: how many of something, what something weighs, and that there is none.

use kernel::Timestamp;
use maud::{Markup, html};

/// So many of something: `1 unit`, `2 units`. What ends otherwise than in `s` is not for here.
pub fn count(n: i64, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

/// Grams as people read them: always in kilograms, so that weights compare at a glance.
pub fn weight(grams: i64) -> String {
    format!("{} kg", kernel::money::decimal(grams, 3))
}

/// How long ago, in the largest unit that says enough.
pub fn age(since: Timestamp, now: Timestamp) -> String {
    let minutes = (now.0 - since.0).max(0) / Timestamp::MINUTE;
    match minutes {
        0..=89 => format!("{minutes} min"),
        90..=2879 => format!("{} h", minutes / 60),
        _ => format!("{} days", minutes / 1440),
    }
}

/// That there is nothing to say, where a table or a list of facts has a place for it.
pub fn none() -> Markup {
    html! { span.text-secondary { "–" } }
}

/// A number, or a dash for none.
pub fn or_none(n: i64) -> Markup {
    html! { @if n == 0 { (none()) } @else { (n) } }
}

/// A word of the domain as people read it within a line: `partially_paid` as `partially paid`.
pub fn plain(word: &str) -> String {
    word.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular_and_nothing_is_a_dash() {
        assert_eq!([0, 1, 2].map(|n| count(n, "unit")), ["0 units", "1 unit", "2 units"]);
        assert_eq!([weight(1160), weight(85)], ["1.160 kg", "0.085 kg"]);
        assert_eq!(
            [0, 7].map(|n| or_none(n).into_string()),
            ["<span class=\"text-secondary\">–</span>", "7"]
        );
    }
    #[test]
    fn ages_grow_by_their_units() {
        let of = |minutes: i64| age(Timestamp(0), Timestamp(minutes * Timestamp::MINUTE));
        assert_eq!([-5, 89, 90, 2879, 2880].map(of), ["0 min", "89 min", "1 h", "47 h", "2 days"]);
    }
    #[test]
    fn words_lose_their_underscores() {
        assert_eq!(plain("partially_paid"), "partially paid");
    }
}
