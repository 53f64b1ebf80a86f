//! Moving-average cost, pure. Invariants: quantity and value are never negative; no units have no value; whatever was put in is taken
//! out, to the last cent with the last unit.

use catalog::SkuId;
use std::collections::BTreeMap;

/// Units we own of a SKU and what they are worth together, in the base currency's minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// Units at owned locations, sellable or in quarantine.
    pub quantity: i64,
    /// Their value at cost.
    pub value: i64,
}

/// The costs of some SKUs while a batch is decided.
#[derive(Debug, Clone, Default)]
pub struct CostBook {
    costs: BTreeMap<SkuId, Cost>,
}

impl CostBook {
    /// A book of what is known; SKUs that are missing own nothing.
    pub fn new(costs: impl IntoIterator<Item = (SkuId, Cost)>) -> Self {
        Self { costs: costs.into_iter().collect() }
    }
    /// What is owned of a SKU.
    pub fn of(&self, sku: SkuId) -> Cost {
        self.costs.get(&sku).copied().unwrap_or_default()
    }
    /// What `quantity` units are worth at the present average, rounded down; all that are there are worth all of the value. With no units
    /// there is no average, and the answer is zero.
    pub fn worth(&self, sku: SkuId, quantity: i64) -> i64 {
        let cost = self.of(sku);
        if cost.quantity <= 0 || quantity <= 0 {
            return 0;
        }
        let worth = i128::from(cost.value) * i128::from(quantity) / i128::from(cost.quantity);
        i64::try_from(worth).unwrap_or(i64::MAX)
    }
    /// Takes units out at the moving average; what they cost. The caller has seen that they are there: more than that takes what is there.
    pub fn take(&mut self, sku: SkuId, quantity: i64) -> i64 {
        let quantity = quantity.clamp(0, self.of(sku).quantity);
        let value = self.worth(sku, quantity);
        let cost = self.costs.entry(sku).or_default();
        cost.quantity -= quantity;
        cost.value -= value;
        value
    }
    /// Puts units in at a value.
    pub fn put(&mut self, sku: SkuId, quantity: i64, value: i64) {
        let cost = self.costs.entry(sku).or_default();
        cost.quantity += quantity;
        cost.value += value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SKU: SkuId = SkuId(1);

    proptest! {
        #[test]
        fn what_is_put_in_is_taken_out(steps in proptest::collection::vec((any::<bool>(), 1i64..1_000, 0i64..1_000_000), 1..200)) {
            let mut book = CostBook::default();
            let (mut put, mut taken) = (0i64, 0i64);
            for (goes_in, quantity, unit) in steps {
                if goes_in {
                    book.put(SKU, quantity, quantity * unit);
                    put += quantity * unit;
                } else {
                    let before = book.of(SKU);
                    let value = book.take(SKU, quantity.min(before.quantity));
                    taken += value;
                    prop_assert!(value >= 0 && value <= before.value);
                }
                let now = book.of(SKU);
                prop_assert!(now.quantity >= 0 && now.value >= 0);
                prop_assert!(now.quantity > 0 || now.value == 0, "no units have no value");
                prop_assert_eq!(put - taken, now.value);
            }
            taken += book.take(SKU, i64::MAX);
            prop_assert_eq!(put, taken, "the last unit takes the last cent");
            prop_assert_eq!(book.of(SKU), Cost::default());
        }
        #[test]
        fn one_by_one_is_the_same_sum(quantity in 1i64..300, value in 0i64..1_000_000_000) {
            let mut book = CostBook::default();
            book.put(SKU, quantity, value);
            let sum: i64 = (0..quantity).map(|_| book.take(SKU, 1)).sum();
            prop_assert_eq!(sum, value);
        }
    }

    #[test]
    fn the_average_moves() {
        let mut book = CostBook::default();
        book.put(SKU, 10, 1_000);
        book.put(SKU, 5, 1_100);
        assert_eq!(book.worth(SKU, 1), 140);
        assert_eq!(book.take(SKU, 4), 560);
        book.put(SKU, 1, 0);
        assert_eq!((book.of(SKU), book.worth(SKU, 1)), (Cost { quantity: 12, value: 1_540 }, 128));
        assert_eq!(book.worth(SkuId(2), 3), 0, "of what we do not have there is no average");
        book.put(SkuId(3), 3, i64::MAX);
        assert_eq!(book.worth(SkuId(3), 3), i64::MAX, "no overflow on the way");
    }
}
