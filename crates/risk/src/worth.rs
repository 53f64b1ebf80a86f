//! About what an amount is worth in another currency: enough to tell a large order from a small one, and for nothing else.
//!
//! Invariant: no money is ever moved, booked or shown by it. The table is of the order of magnitude: the thresholds it is compared with are
//! round figures, and being off by a fifth changes nothing that matters. It is not kept up to date and needs not be.

use kernel::money::round_div;
use kernel::{Currency, Money};

/// About how many hundredths of a unit one euro buys, where that is far from one unit.
const PER_EURO: &[(&str, i64)] = &[
    ("AED", 430),
    ("ALL", 9_800),
    ("AMD", 43_000),
    ("AOA", 105_000),
    ("ARS", 150_000),
    ("BDT", 14_000),
    ("BHD", 44),
    ("BIF", 340_000),
    ("BOB", 800),
    ("BRL", 620),
    ("BYN", 360),
    ("CLP", 105_000),
    ("CNY", 800),
    ("COP", 460_000),
    ("CRC", 58_000),
    ("CVE", 11_000),
    ("CZK", 2_500),
    ("DJF", 20_000),
    ("DKK", 750),
    ("DOP", 7_000),
    ("DZD", 15_000),
    ("EGP", 5_500),
    ("ETB", 16_000),
    ("GEL", 310),
    ("GHS", 1_300),
    ("GNF", 970_000),
    ("GTQ", 870),
    ("GYD", 23_500),
    ("HKD", 880),
    ("HNL", 2_900),
    ("HUF", 40_000),
    ("IDR", 1_850_000),
    ("ILS", 400),
    ("INR", 9_700),
    ("IQD", 147_000),
    ("IRR", 4_700_000),
    ("ISK", 14_500),
    ("JMD", 18_000),
    ("JOD", 80),
    ("JPY", 16_500),
    ("KES", 14_500),
    ("KGS", 9_800),
    ("KHR", 450_000),
    ("KMF", 49_200),
    ("KRW", 160_000),
    ("KWD", 34),
    ("KZT", 58_000),
    ("LAK", 2_400_000),
    ("LBP", 10_000_000),
    ("LKR", 34_000),
    ("LYD", 620),
    ("MAD", 1_060),
    ("MDL", 1_970),
    ("MGA", 510_000),
    ("MKD", 6_150),
    ("MMK", 235_000),
    ("MNT", 400_000),
    ("MUR", 5_300),
    ("MXN", 2_150),
    ("MYR", 490),
    ("MZN", 7_200),
    ("NGN", 170_000),
    ("NIO", 4_100),
    ("NOK", 1_170),
    ("NPR", 15_500),
    ("OMR", 44),
    ("PEN", 400),
    ("PHP", 6_600),
    ("PKR", 32_000),
    ("PLN", 430),
    ("PYG", 850_000),
    ("QAR", 420),
    ("RON", 500),
    ("RSD", 11_700),
    ("RUB", 9_500),
    ("RWF", 165_000),
    ("SAR", 430),
    ("SEK", 1_110),
    ("THB", 3_800),
    ("TND", 340),
    ("TRY", 4_700),
    ("TTD", 780),
    ("TWD", 3_500),
    ("TZS", 290_000),
    ("UAH", 4_800),
    ("UGX", 415_000),
    ("UYU", 4_700),
    ("UZS", 1_450_000),
    ("VND", 3_000_000),
    ("VUV", 13_500),
    ("XAF", 65_600),
    ("XOF", 65_600),
    ("XPF", 11_900),
    ("YER", 28_000),
    ("ZAR", 2_050),
    ("ZMW", 2_800),
];

fn per_euro(currency: Currency) -> i64 {
    PER_EURO.iter().find(|(code, _)| *code == currency.as_str()).map_or(100, |(_, n)| *n)
}

/// About so many minor units of `base`. In its own currency an amount is exactly itself.
pub fn about(amount: Money, base: Currency) -> i64 {
    if amount.currency == base {
        return amount.minor;
    }
    let scale = |currency: Currency| 10i128.pow(currency.exponent()) * i128::from(per_euro(currency));
    round_div(i128::from(amount.minor) * scale(base), scale(amount.currency))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(minor: i64, code: &str) -> Money {
        Money::new(minor, code.parse().unwrap())
    }

    #[test]
    fn the_magnitude_is_kept_between_currencies_of_any_decimals() {
        for (amount, base, least, most) in [
            // 2,160 yen are about 13 euros.
            (money(2_160, "JPY"), "EUR", 1_000, 1_700),
            (money(350_000, "JPY"), "EUR", 180_000, 250_000),
            // 100.000 dinars are about 300 euros.
            (money(100_000, "KWD"), "EUR", 25_000, 35_000),
            (money(10_000, "USD"), "EUR", 8_000, 12_000),
            (money(10_000, "EUR"), "JPY", 13_000, 20_000),
            (money(10_000, "EUR"), "KWD", 28_000, 40_000),
            (money(500_000, "HUF"), "EUR", 1_000, 1_600),
        ] {
            let found = about(amount, base.parse().unwrap());
            assert!((least..=most).contains(&found), "{amount} in {base}: {found}");
        }
        assert_eq!(about(money(-7, "JPY"), "JPY".parse().unwrap()), -7);
        about(money(i64::MAX / 1_000_000, "KWD"), "LBP".parse().unwrap());
    }
}
