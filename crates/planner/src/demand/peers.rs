//! The methods everybody knows, as peers to be measured against and as ingredients. Invariant: each gives one flat, finite, non-negative
//! rate per period, and looks at nothing but the history it is given.
//!
//! Naive; moving average; simple exponential smoothing (SES); Croston 1972 with Syntetos & Boylan's correction (SBA 2005) as an option;
//! TSB (Teunter, Syntetos & Babai 2011); IMAPA (Petropoulos & Kourentzes 2015). All are linear in the history (IMAPA: times its levels).

use serde::{Deserialize, Serialize};

/// A method of one series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Peer {
    /// The last period again.
    Naive,
    /// The mean of the last eight periods.
    MovingAverage,
    /// Exponential smoothing; α by least squared one-step error over 0.05, 0.10 … 0.50.
    Ses,
    /// Croston's size ÷ interval, α = 0.1 for both.
    Croston,
    /// Croston × (1 − α/2).
    Sba,
    /// Probability × size, smoothed by 0.1 and 0.1.
    Tsb,
    /// Mean over aggregation levels 1 … mean interval of SES (α = 0.1) on the aggregated series.
    Imapa,
}

impl Peer {
    /// The six that figures compare with.
    pub const COMPARED: [Self; 6] =
        [Self::Naive, Self::MovingAverage, Self::Ses, Self::Croston, Self::Tsb, Self::Imapa];

    /// Its name in figures.
    pub fn name(self) -> &'static str {
        match self {
            Self::Naive => "naive",
            Self::MovingAverage => "moving average of 8",
            Self::Ses => "SES",
            Self::Croston => "Croston",
            Self::Sba => "SBA",
            Self::Tsb => "TSB",
            Self::Imapa => "IMAPA",
        }
    }

    /// Units per period from here on. No history: 0.
    pub fn rate(self, history: &[f64]) -> f64 {
        let Some(last) = history.last() else { return 0.0 };
        match self {
            Self::Naive => *last,
            Self::MovingAverage => mean_of_last(history, MOVING),
            Self::Ses => ses_fitted(history),
            Self::Croston => croston(history, SMOOTHING),
            Self::Sba => croston(history, SMOOTHING) * (1.0 - SMOOTHING / 2.0),
            Self::Tsb => tsb(history, SMOOTHING, SMOOTHING),
            Self::Imapa => imapa(history, SMOOTHING),
        }
    }
}

const MOVING: usize = 8;
const SMOOTHING: f64 = 0.1;

/// Mean of the last `n` periods, or of all if there are fewer.
pub(crate) fn mean_of_last(history: &[f64], n: usize) -> f64 {
    let tail = &history[history.len() - n.min(history.len())..];
    tail.iter().sum::<f64>() / tail.len().max(1) as f64
}

/// SES from the mean of the first four periods.
pub(crate) fn ses(history: &[f64], alpha: f64) -> f64 {
    let start = history.iter().take(4).sum::<f64>() / history.len().clamp(1, 4) as f64;
    history.iter().fold(start, |level, x| level + alpha * (x - level))
}

fn ses_fitted(history: &[f64]) -> f64 {
    let error = |alpha: f64| {
        let start = history.iter().take(4).sum::<f64>() / history.len().clamp(1, 4) as f64;
        let fold = |(level, sum): (f64, f64), x: &f64| {
            (level + alpha * (x - level), sum + (x - level) * (x - level))
        };
        history.iter().fold((start, 0.0), fold).1
    };
    let alphas = (1..=10).map(|a| f64::from(a) * 0.05);
    let best = alphas.min_by(|a, b| error(*a).total_cmp(&error(*b))).unwrap_or(SMOOTHING);
    ses(history, best)
}

fn croston(history: &[f64], alpha: f64) -> f64 {
    let mut state: Option<(f64, f64)> = None;
    let mut since = 0.0;
    for x in history {
        since += 1.0;
        if *x > 0.0 {
            state = Some(match state {
                None => (*x, since),
                Some((size, interval)) => (size + alpha * (x - size), interval + alpha * (since - interval)),
            });
            since = 0.0;
        }
    }
    state.map_or(0.0, |(size, interval)| size / interval)
}

/// Starts from the whole history's share of periods with demand and mean size.
fn tsb(history: &[f64], alpha: f64, beta: f64) -> f64 {
    let demands: Vec<f64> = history.iter().copied().filter(|x| *x > 0.0).collect();
    if demands.is_empty() {
        return 0.0;
    }
    let mut size = demands[0];
    let mut chance = demands.len() as f64 / history.len() as f64;
    for x in history {
        if *x > 0.0 {
            chance += beta * (1.0 - chance);
            size += alpha * (x - size);
        } else {
            chance -= beta * chance;
        }
    }
    chance * size
}

fn imapa(history: &[f64], alpha: f64) -> f64 {
    let demands = history.iter().filter(|x| **x > 0.0).count();
    if demands == 0 {
        return 0.0;
    }
    let interval = history.len() as f64 / demands as f64;
    let levels = (interval.round() as usize).clamp(1, (history.len() / 2).max(1));
    let of_level = |level: usize| {
        // Whole blocks, counted back from now: the oldest remainder is left out.
        let skip = history.len() % level;
        let blocks: Vec<f64> = history[skip..].chunks(level).map(|c| c.iter().sum::<f64>()).collect();
        ses(&blocks, alpha) / level as f64
    };
    (1..=levels).map(of_level).sum::<f64>() / levels as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn by_hand() {
        let history = [0.0, 4.0, 0.0, 4.0];
        assert!((Peer::Naive.rate(&history) - 4.0).abs() < 1e-12);
        assert!((Peer::MovingAverage.rate(&history) - 2.0).abs() < 1e-12);
        assert!((Peer::Croston.rate(&history) - 2.0).abs() < 1e-12, "size 4, interval 2");
        assert!((Peer::Sba.rate(&history) - 1.9).abs() < 1e-12);
        // Level 1: 2 → 1.8 → 2.02 → 1.818 → 2.0362; level 2: blocks 4 and 4, half of them.
        assert!((Peer::Imapa.rate(&history) - f64::midpoint(2.0362, 2.0)).abs() < 1e-9);
        // Chance .5 → .45 → .505 → .4545 → .50905, size 4.
        assert!((Peer::Tsb.rate(&history) - 4.0 * 0.509_05).abs() < 1e-9);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_constant_is_itself_and_nothing_is_ever_negative(level in 0.5f64..1e6, n in 1usize..60,
            history in proptest::collection::vec(0.0f64..1e6, 0..60)) {
            for peer in [Peer::Naive, Peer::MovingAverage, Peer::Ses, Peer::Croston, Peer::Tsb, Peer::Imapa] {
                prop_assert!((peer.rate(&vec![level; n]) / level - 1.0).abs() < 1e-9, "{:?}", peer);
                let rate = peer.rate(&history);
                prop_assert!(rate.is_finite() && rate >= 0.0);
                prop_assert!(peer.rate(&vec![0.0; n]).abs() < 1e-12);
            }
        }
    }
}
