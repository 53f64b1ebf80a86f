//! What a returned unit is worth: to the customer by the cents fixed when it was placed, to us by what it had cost. Pure.
//!
//! Invariant: unit by unit, in any order, the credits of all units of a line sum to the line, to the cent, and never a cent more.

use crate::model::Reason;
use crate::policy::Policy;
use kernel::money::units_share;
use orders::{LineRow, Parts, unit_parts};

/// The parts of the unit's price that the customer gets back: goods and their tax, and with `shipping` its share of shipping and fees.
pub fn unit_credit(line: &LineRow, unit: i64, shipping: bool) -> Parts {
    let parts = unit_parts(line, unit, unit + 1);
    match shipping {
        true => parts,
        false => Parts { shipping: 0, shipping_tax: 0, fee: 0, ..parts },
    }
}

/// Whether a unit's share of shipping is given back.
pub fn with_shipping(policy: &Policy, asked: bool, reason: Reason) -> bool {
    asked || policy.gives_shipping_back(reason)
}

/// What the unit had cost us, in the base currency: its share of the cost of the line's shipped units, `floor((k+1)·C/S) − floor(k·C/S)`.
/// While a line is still shipping, C and S grow, and with uneven costs the shares of earlier returns were of the smaller sums.
pub fn unit_cost(line: &LineRow, unit: i64) -> i64 {
    units_share(line.cost, line.shipped, unit, unit + 1)
}

/// Adds parts up.
pub(crate) fn add(a: &Parts, b: &Parts) -> Parts {
    Parts {
        discount_net: a.discount_net + b.discount_net,
        net: a.net + b.net,
        tax: a.tax + b.tax,
        shipping: a.shipping + b.shipping,
        shipping_tax: a.shipping_tax + b.shipping_tax,
        fee: a.fee + b.fee,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::money::{tax_in_gross, tax_on_net};
    use orders::{LineId, OrderId};
    use proptest::prelude::*;

    fn line(
        units: i64,
        price: i64,
        off: i64,
        rate: i64,
        inclusive: bool,
        shipping: i64,
        fee: i64,
        cost: i64,
    ) -> LineRow {
        let (gross, discount) = (price * units, price * units * off / 100);
        let (net, tax, discount_net) = match inclusive {
            true => {
                let tax = tax_in_gross(gross - discount, rate);
                (gross - discount - tax, tax, discount - tax_in_gross(discount, rate))
            }
            false => (gross - discount, tax_on_net(gross - discount, rate), discount),
        };
        let shipping_tax = tax_on_net(shipping, rate);
        LineRow {
            id: LineId(1),
            order_id: OrderId(1),
            position: 1,
            sku_id: catalog::SkuId(1),
            sku: "A".into(),
            title: "A".into(),
            unit_price: price,
            tax_rate_ppm: rate,
            tax_class: "standard".into(),
            gross,
            discount,
            discount_net,
            net,
            tax,
            shipping,
            shipping_tax,
            fee,
            total: net + tax + shipping + shipping_tax + fee,
            cost,
            backorder_ok: false,
            ordered: units,
            cancelled: 0,
            pending: 0,
            backordered: 0,
            allocated: 0,
            picked: 0,
            packed: 0,
            shipped: units,
            delivered: units,
            lost: 0,
            returned: 0,
        }
    }

    proptest! {
        #[test]
        fn any_subset_in_any_order_sums_exactly(
            units in 1i64..30, price in 0i64..100_000, off in 0i64..=100, rate in 0i64..300_000, inclusive in any::<bool>(),
            shipping in 0i64..5_000, fee in 0i64..500, cost in 0i64..1_000_000, with in any::<bool>(),
            order in proptest::collection::vec(any::<u32>(), 30), cut in 0usize..30,
        ) {
            let line = line(units, price, off, rate, inclusive, shipping, fee, cost);
            let mut numbers: Vec<i64> = (0..units).collect();
            numbers.sort_by_key(|u| order[*u as usize]);
            let (first, rest) = numbers.split_at(cut.min(numbers.len()));
            let sum = |some: &[i64]| some.iter().fold(Parts::default(), |sum, u| add(&sum, &unit_credit(&line, *u, with)));
            let (first, rest) = (sum(first), sum(rest));
            let all = add(&first, &rest);
            prop_assert_eq!((all.net, all.tax, all.discount_net), (line.net, line.tax, line.discount_net));
            prop_assert_eq!(all.total(), if with { line.total } else { line.net + line.tax });
            prop_assert!(first.total() >= 0 && first.total() <= line.total);
            prop_assert_eq!((0..units).map(|u| unit_cost(&line, u)).sum::<i64>(), cost);
        }
    }
}
