//! The money of an order, fixed once at placement. Pure.
//!
//! Invariants: the lines' parts sum to the order's; with tax-inclusive prices net + tax is exactly what was priced; a discount never
//! exceeds what it discounts; nothing overflows within the limits of the model.

use crate::model::MAX_AMOUNT;
use kernel::money::{prorate, tax_in_gross, tax_on_net};

/// What is priced of a line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LineAsk {
    pub unit_price: i64,
    pub quantity: i64,
    pub discount: i64,
    pub rate_ppm: i64,
}

/// What is priced of an order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OrderAsk {
    pub inclusive: bool,
    pub discount: i64,
    pub shipping: i64,
    /// `None`: as the line of the greatest value.
    pub shipping_rate_ppm: Option<i64>,
    pub fee: i64,
}

/// The money of a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LineMoney {
    pub gross: i64,
    pub discount: i64,
    pub discount_net: i64,
    pub net: i64,
    pub tax: i64,
    pub shipping: i64,
    pub shipping_tax: i64,
    pub fee: i64,
}
impl LineMoney {
    pub(crate) fn total(&self) -> i64 {
        self.net + self.tax + self.shipping + self.shipping_tax + self.fee
    }
}

/// Why it cannot be priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unpriceable {
    /// Over [`MAX_AMOUNT`].
    Amount,
    /// Line number, from 1.
    LineDiscount(usize),
    OrderDiscount,
}

/// Prices an order.
pub(crate) fn decide(order: &OrderAsk, lines: &[LineAsk]) -> Result<Vec<LineMoney>, Unpriceable> {
    let mut priced = Vec::with_capacity(lines.len());
    let mut after = Vec::with_capacity(lines.len());
    for (i, line) in lines.iter().enumerate() {
        let gross = line
            .unit_price
            .checked_mul(line.quantity)
            .filter(|g| *g <= MAX_AMOUNT)
            .ok_or(Unpriceable::Amount)?;
        if line.discount > gross {
            return Err(Unpriceable::LineDiscount(i + 1));
        }
        after.push(gross - line.discount);
        priced.push(LineMoney { gross, ..LineMoney::default() });
    }
    let goods: i128 = after.iter().map(|a| i128::from(*a)).sum();
    if goods + i128::from(order.shipping) + i128::from(order.fee) > i128::from(MAX_AMOUNT) {
        return Err(Unpriceable::Amount);
    }
    if i128::from(order.discount) > goods {
        return Err(Unpriceable::OrderDiscount);
    }
    let shares = prorate_capped(order.discount, &after);
    for ((money, line), share) in priced.iter_mut().zip(lines).zip(shares) {
        money.discount = line.discount + share;
        let priced_after = money.gross - money.discount;
        if order.inclusive {
            money.tax = tax_in_gross(priced_after, line.rate_ppm);
            money.net = priced_after - money.tax;
            money.discount_net = money.discount - tax_in_gross(money.discount, line.rate_ppm);
        } else {
            money.tax = tax_on_net(priced_after, line.rate_ppm);
            money.net = priced_after;
            money.discount_net = money.discount;
        }
    }
    let greatest =
        (0..lines.len()).max_by_key(|i| (after[*i], std::cmp::Reverse(*i))).map_or(0, |i| lines[i].rate_ppm);
    let rate = order.shipping_rate_ppm.unwrap_or(greatest);
    let (shipping, shipping_tax) = if order.inclusive {
        let tax = tax_in_gross(order.shipping, rate);
        (order.shipping - tax, tax)
    } else {
        (order.shipping, tax_on_net(order.shipping, rate))
    };
    let weights: Vec<i64> = priced.iter().map(|m| m.net + m.tax).collect();
    let parts = prorate(shipping, &weights)
        .into_iter()
        .zip(prorate(shipping_tax, &weights))
        .zip(prorate(order.fee, &weights));
    for (money, ((shipping, shipping_tax), fee)) in priced.iter_mut().zip(parts) {
        (money.shipping, money.shipping_tax, money.fee) = (shipping, shipping_tax, fee);
    }
    Ok(priced)
}

/// Shares of `total` by weight, none above its weight. Cumulative rounding may overshoot a weight by one unit; what is over goes to the
/// next lines that have room, and there is room because `total` is at most their sum.
fn prorate_capped(total: i64, weights: &[i64]) -> Vec<i64> {
    let mut shares =
        if weights.iter().all(|w| *w == 0) { vec![0; weights.len()] } else { prorate(total, weights) };
    let mut over: i64 = 0;
    for (share, weight) in shares.iter_mut().zip(weights) {
        let excess = (*share - weight).max(0);
        *share -= excess;
        over += excess;
    }
    for (share, weight) in shares.iter_mut().zip(weights) {
        let room = (weight - *share).min(over);
        *share += room;
        over -= room;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(unit_price: i64, quantity: i64, discount: i64, rate_ppm: i64) -> LineAsk {
        LineAsk { unit_price, quantity, discount, rate_ppm }
    }

    #[test]
    fn inclusive_and_exclusive_prices() {
        let order = OrderAsk { inclusive: true, discount: 0, shipping: 490, shipping_rate_ppm: None, fee: 0 };
        let money = decide(&order, &[line(1190, 3, 0, 190_000)]).unwrap();
        assert_eq!(
            (money[0].net, money[0].tax, money[0].shipping + money[0].shipping_tax, money[0].total()),
            (3000, 570, 490, 4060)
        );
        let order = OrderAsk { inclusive: false, ..order };
        let money = decide(&order, &[line(1000, 3, 0, 190_000)]).unwrap();
        assert_eq!(
            (money[0].net, money[0].tax, money[0].shipping, money[0].shipping_tax),
            (3000, 570, 490, 93)
        );
    }

    #[test]
    fn what_cannot_be_priced_says_why() {
        let order = OrderAsk { inclusive: true, discount: 11, shipping: 0, shipping_rate_ppm: None, fee: 0 };
        assert_eq!(decide(&order, &[line(10, 1, 0, 0)]), Err(Unpriceable::OrderDiscount));
        assert_eq!(decide(&order, &[line(10, 1, 11, 0)]), Err(Unpriceable::LineDiscount(1)));
        assert_eq!(decide(&order, &[line(i64::MAX, 2, 0, 0)]), Err(Unpriceable::Amount));
    }

    proptest! {
        #[test]
        fn parts_sum_to_the_whole(
            inclusive in any::<bool>(),
            lines in proptest::collection::vec((0i64..100_000, 1i64..50, 0i64..100, prop_oneof![Just(0i64), Just(70_000), Just(190_000), Just(88_750)]), 1..20),
            discount_percent in 0i64..=100, shipping in 0i64..10_000, fee in 0i64..500,
        ) {
            let asks: Vec<LineAsk> = lines.iter().map(|(p, q, d, r)| line(*p, *q, p * q * d / 100, *r)).collect();
            let goods: i64 = asks.iter().map(|l| l.unit_price * l.quantity - l.discount).sum();
            let order = OrderAsk { inclusive, discount: goods * discount_percent / 100, shipping, shipping_rate_ppm: Some(190_000), fee };
            let money = decide(&order, &asks).unwrap();
            let sum = |f: fn(&LineMoney) -> i64| money.iter().map(f).sum::<i64>();
            prop_assert_eq!(sum(|m| m.discount), order.discount + asks.iter().map(|l| l.discount).sum::<i64>());
            prop_assert_eq!(sum(|m| m.fee), fee);
            let shipping_tax = if inclusive { 0 } else { kernel::money::tax_on_net(shipping, 190_000) };
            prop_assert_eq!(sum(|m| m.shipping) + sum(|m| m.shipping_tax), shipping + shipping_tax);
            for (m, l) in money.iter().zip(&asks) {
                prop_assert_eq!(m.gross, l.unit_price * l.quantity);
                prop_assert!(m.discount >= 0 && m.discount <= m.gross && m.net >= 0 && m.tax >= 0);
                let goods = if inclusive { m.net + m.tax } else { m.net };
                prop_assert_eq!(goods, m.gross - m.discount);
            }
        }
    }
}
