//! Made-up orders with known patterns, to test and to measure with where no labels are at hand. Invariant: the same seed, the same orders.
//!
//! | orders | share | pattern |
//! |---|---|---|
//! | ordinary | 84 % | few signals; amounts log-normal about the usual; one in 20 signed up within the hour |
//! | office | 6 % | many orders from one IP address to one address by several people: looks bad, is good |
//! | gift abroad | 7 % | shipping to another country, amount a little higher: looks bad, is good |
//! | card testing | 0.9 % | bursts from one device and IP with one card or many, small amounts, throw-away e-mail half the time |
//! | stolen card | 1.2 % | just signed up, two or three countries, many times the usual amount |
//! | re-shipping | 0.9 % | an address that many "customers" use, some countries differ |
//!
//! The last three end badly nine times in ten (the rest is never noticed); the others one time in 250 (a chargeback among friends).

use super::Signals;
use super::learn::Labelled;
use crate::demand::trees::Draw;

/// So many orders.
pub fn orders(n: usize, seed: u64) -> Vec<Labelled> {
    let mut draw = Draw::new(seed);
    (0..n).map(|_| order(&mut draw)).collect()
}

fn order(draw: &mut Draw) -> Labelled {
    let kind = draw.unit();
    let signals = match kind {
        k if k < 0.84 => ordinary(draw),
        k if k < 0.90 => {
            let s = ordinary(draw);
            Signals { ip_24h: 2 + count(draw, 6.0), address_reuse: 1 + count(draw, 4.0), ..s }
        }
        k if k < 0.97 => {
            let s = ordinary(draw);
            Signals { countries_differ: 1, amount_ratio: s.amount_ratio * 1.5, ..s }
        }
        k if k < 0.979 => Signals {
            device_24h: 2 + count(draw, 8.0),
            ip_24h: 3 + count(draw, 10.0),
            card_24h: count(draw, 3.0),
            email_24h: count(draw, 2.0),
            disposable_email: draw.unit() < 0.5,
            amount_ratio: 0.2,
            ..ordinary(draw)
        },
        k if k < 0.991 => Signals {
            minutes_since_sign_up: Some(count(draw, 20.0)),
            countries_differ: 1 + count(draw, 1.0).min(2),
            disposable_email: draw.unit() < 0.3,
            amount_ratio: 2.0 + 10.0 * draw.unit(),
            ..ordinary(draw)
        },
        _ => Signals {
            address_reuse: 2 + count(draw, 5.0),
            countries_differ: count(draw, 1.0).min(3),
            amount_ratio: 1.0 + 4.0 * draw.unit(),
            ..ordinary(draw)
        },
    };
    let bad = draw.unit() < if kind >= 0.97 { 0.9 } else { 0.004 };
    Labelled { signals, bad }
}

fn ordinary(draw: &mut Draw) -> Signals {
    let about_normal: f64 = (0..12).map(|_| draw.unit()).sum::<f64>() - 6.0;
    let signed_up = draw.unit();
    Signals {
        device_24h: count(draw, 0.1),
        email_24h: count(draw, 0.1),
        ip_24h: count(draw, 0.4),
        card_24h: count(draw, 0.1),
        countries_differ: u32::from(draw.unit() < 0.03),
        disposable_email: draw.unit() < 0.01,
        minutes_since_sign_up: match signed_up {
            u if u < 0.05 => Some(count(draw, 30.0)),
            u if u < 0.3 => Some(60 + count(draw, 100_000.0)),
            _ => None,
        },
        amount_ratio: (0.6 * about_normal).exp(),
        address_reuse: count(draw, 0.1),
    }
}

/// Geometric with this mean.
fn count(draw: &mut Draw, mean: f64) -> u32 {
    let more = mean / (1.0 + mean);
    ((1.0 - draw.unit()).ln() / more.ln()).floor().clamp(0.0, 1e6) as u32
}
