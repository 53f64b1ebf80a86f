//! What to order: reorder point, safety stock, and a quantity that obeys minimum, pack and budget.
//!
//! The reorder point is the smallest stock that the demand over lead time and review does not exceed with the probability wanted (cycle
//! service level). The demand of each lead time is forecast as a sum, not as a sum of independent periods, and lead times are mixed by
//! their probabilities (Silver, Pyke & Thomas 2017, ch. 6–7). The quantity is the economic one (Harris 1913), never less than what lifts
//! stock to the reorder point. A budget that does not reach is spent pack by pack where the next pack is likeliest to be needed.
//! Linear in items, plus packs × log packs. Invariant: a quantity is 0, or at least the minimum and whole packs; the budget is never exceeded.

use super::aim::{self, Aim};
use super::pooled::{Distribution, Target};
use super::{Model, Options, Series, Unfit, check, check_options};
use serde::{Deserialize, Serialize};

/// One possible lead time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Lead {
    /// Whole periods from order to shelf.
    pub periods: usize,
    /// How likely; all of an item's sum to 1.
    pub probability: f64,
}

/// How an item is bought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Supply {
    /// Lead times and their probabilities.
    pub lead: Vec<Lead>,
    /// Periods between two looks at the stock; 0 where every sale is looked at.
    pub review: usize,
    /// Probability wanted that a cycle ends without a stock-out, 0.5 to 0.999.
    pub service: f64,
    /// Units on the shelf less units owed to customers.
    pub on_hand: i64,
    /// Units ordered and not received.
    pub on_order: i64,
    /// Price of a unit in minor units.
    pub unit_cost: i64,
    /// Cost of placing an order, minor units; 0 orders what is missing only.
    pub order_cost: i64,
    /// Cost of holding a unit for a period as a share of its price.
    pub holding: f64,
    /// Least units per order; 0 or 1 for none.
    pub minimum: i64,
    /// Units in a pack; 1 for loose.
    pub pack: i64,
}

/// Why a quantity is what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Because {
    /// Stock is above the reorder point.
    Enough {
        /// On hand and on order.
        position: i64,
    },
    /// It would take so many units to reach the reorder point.
    Below {
        /// Missing units.
        missing: i64,
    },
    /// Ordering more at once is cheaper than ordering again.
    Economic {
        /// Units.
        quantity: i64,
    },
    /// The supplier's minimum.
    Minimum {
        /// Units.
        quantity: i64,
    },
    /// Whole packs.
    Packs {
        /// How many.
        packs: i64,
    },
    /// The budget was spent where it is needed more.
    Budget {
        /// Units wanted.
        wanted: i64,
        /// Units granted.
        granted: i64,
    },
}

impl std::fmt::Display for Because {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Enough { position } => write!(f, "{position} on hand and on order are enough"),
            Self::Below { missing } => write!(f, "{missing} missing to the reorder point"),
            Self::Economic { quantity } => {
                write!(f, "{quantity} at once are cheaper than ordering again soon")
            }
            Self::Minimum { quantity } => write!(f, "raised to the supplier's minimum of {quantity}"),
            Self::Packs { packs } => write!(f, "rounded up to {packs} whole packs"),
            Self::Budget { wanted, granted } => {
                write!(f, "{granted} of {wanted}: the budget went to items likelier to run out")
            }
        }
    }
}

/// What to order of one item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Order when stock (on hand and on order) is at or below this.
    pub reorder_point: i64,
    /// The part of it that is there for the unexpected.
    pub safety_stock: i64,
    /// Expected units over lead time and review.
    pub expected: f64,
    /// Units to order now.
    pub quantity: i64,
    /// Their price, minor units.
    pub cost: i64,
    /// Probability that what is on hand and on order with this quantity lasts until the next order arrives.
    pub service: f64,
    /// Why.
    pub because: Vec<Because>,
}

/// Plans what to order of each item. `budget` in minor units, `None` for no end; `aim` says whose service the items' levels mean. One
/// outcome each, in order.
pub fn plan(
    items: &[(Series, Supply)],
    budget: Option<i64>,
    aim: Aim,
    options: Options,
) -> Vec<Result<Order, Unfit>> {
    let checked: Vec<Result<(), Unfit>> =
        items.iter().map(|(series, supply)| check(series).and_then(|()| check_supply(supply))).collect();
    let good: Vec<usize> = (0..items.len()).filter(|i| checked[*i].is_ok()).collect();
    let panel: Vec<Series> = good.iter().map(|i| items[*i].0.clone()).collect();
    let horizon = good.iter().map(|i| span(&items[*i].1, longest(&items[*i].1))).max().unwrap_or(1);
    let options = Options { horizon, ..options };
    if let Err(unfit) = check_options(options) {
        return items.iter().map(|_| Err(unfit.clone())).collect();
    }
    let model = Model::fit(&panel, Target::Sum, options);
    let demand: Vec<Protection> = good
        .iter()
        .enumerate()
        .map(|(number, i)| Protection::of(&model, number, &panel[number], &items[*i].1))
        .collect();
    let aimed: Vec<aim::Item> = good
        .iter()
        .zip(&demand)
        .map(|(i, demand)| {
            let supply = &items[*i].1;
            let position = (supply.on_hand + supply.on_order) as f64;
            aim::Item { demand, position, service: supply.service }
        })
        .collect();
    let levels = aim::levels(&aimed, aim);
    let mut wishes: Vec<Wish> = good
        .iter()
        .zip(demand)
        .zip(levels)
        .map(|((i, demand), level)| Wish::of(demand, whole(level), &items[*i].1))
        .collect();
    if let Some(budget) = budget {
        spend(&mut wishes, budget.max(0));
    }
    let mut orders = wishes.into_iter().map(Wish::order);
    checked.into_iter().map(|c| c.and_then(|()| orders.next().ok_or(Unfit::NoHistory))).collect()
}

fn longest(supply: &Supply) -> usize {
    supply.lead.iter().map(|l| l.periods).max().unwrap_or(0)
}

fn span(supply: &Supply, lead: usize) -> usize {
    (lead + supply.review).max(1)
}

pub(crate) fn check_supply(supply: &Supply) -> Result<(), Unfit> {
    let wrong = |option: &str, value: String, allowed: &str| {
        Err(Unfit::Option { option: option.into(), value, allowed: allowed.into() })
    };
    let sum: f64 = supply.lead.iter().map(|l| l.probability).sum();
    if supply.lead.iter().any(|l| !(0.0..=1.0).contains(&l.probability)) || (sum - 1.0).abs() > 1e-6 {
        return wrong("lead", format!("probabilities sum to {sum}"), "each 0 to 1, together 1");
    }
    if longest(supply).saturating_add(supply.review) > 52 {
        return wrong("lead", longest(supply).to_string(), "lead time and review are 52 periods at most");
    }
    if !(0.5..=0.999).contains(&supply.service) {
        return wrong("service", supply.service.to_string(), "0.5 to 0.999");
    }
    if !(0.0..=10.0).contains(&supply.holding) {
        return wrong("holding", supply.holding.to_string(), "0 to 10 times the price per period");
    }
    const MOST: i64 = 1_000_000_000_000;
    let amounts = [
        ("unit_cost", supply.unit_cost),
        ("order_cost", supply.order_cost),
        ("minimum", supply.minimum),
        ("pack", supply.pack),
        ("on_order", supply.on_order),
        ("on_hand", supply.on_hand.saturating_abs()),
    ];
    match amounts.iter().find(|(_, a)| !(0..=MOST).contains(a)) {
        Some((name, amount)) => wrong(name, amount.to_string(), "0 to 1e12"),
        None => Ok(()),
    }
}

/// Demand over an uncertain lead time.
pub(crate) struct Protection(Vec<(f64, Distribution)>);

impl Protection {
    pub(crate) fn of(model: &Model, number: usize, series: &Series, supply: &Supply) -> Self {
        let part =
            |lead: &Lead| (lead.probability, model.distribution(number, series, span(supply, lead.periods)));
        Self(supply.lead.iter().filter(|l| l.probability > 0.0).map(part).collect())
    }

    pub(crate) fn below(&self, demand: f64) -> f64 {
        self.0.iter().map(|(p, d)| p * d.below(demand)).sum()
    }

    pub(crate) fn mean(&self) -> f64 {
        self.0.iter().map(|(p, d)| p * d.mean()).sum()
    }

    /// The smallest number of units that demand stays within with this probability, not rounded.
    pub(crate) fn quantile(&self, p: f64) -> f64 {
        if self.below(0.0) >= p {
            return 0.0;
        }
        let (mut low, mut high) = (0.0, 1.0);
        while self.below(high) < p && high < 1e15 {
            (low, high) = (high, high * 2.0);
        }
        for _ in 0..40 {
            let middle = f64::midpoint(low, high);
            if self.below(middle) < p { low = middle } else { high = middle }
        }
        high
    }
}

struct Wish<'a> {
    supply: &'a Supply,
    demand: Protection,
    reorder_point: i64,
    quantity: i64,
    because: Vec<Because>,
}

impl<'a> Wish<'a> {
    fn of(demand: Protection, reorder_point: i64, supply: &'a Supply) -> Self {
        let mut wish = Self { supply, demand, reorder_point, quantity: 0, because: vec![] };
        let position = supply.on_hand + supply.on_order;
        let missing = reorder_point - position;
        if missing < 0 || (missing == 0 && reorder_point == 0) || (missing == 0 && supply.review > 0) {
            wish.because.push(Because::Enough { position });
            return wish;
        }
        wish.because.push(Because::Below { missing });
        let periods = supply.lead.iter().map(|l| l.probability * span(supply, l.periods) as f64).sum::<f64>();
        let holding = supply.holding * supply.unit_cost as f64;
        let economic = if holding > 0.0 {
            (2.0 * supply.order_cost as f64 * wish.demand.mean() / periods / holding).sqrt()
        } else {
            0.0
        };
        wish.quantity = missing.max(1);
        if whole(economic) > wish.quantity {
            wish.quantity = whole(economic);
            wish.because.push(Because::Economic { quantity: wish.quantity });
        }
        if supply.minimum > wish.quantity {
            wish.quantity = supply.minimum;
            wish.because.push(Because::Minimum { quantity: wish.quantity });
        }
        let pack = supply.pack.max(1);
        let packs = (wish.quantity + pack - 1) / pack;
        if packs * pack != wish.quantity {
            wish.because.push(Because::Packs { packs });
        }
        wish.quantity = packs * pack;
        wish
    }

    fn order(self) -> Order {
        let expected = self.demand.mean();
        let stock = self.supply.on_hand + self.supply.on_order + self.quantity;
        Order {
            reorder_point: self.reorder_point,
            safety_stock: (self.reorder_point - whole(expected)).max(0),
            expected,
            quantity: self.quantity,
            cost: self.supply.unit_cost.saturating_mul(self.quantity),
            service: if stock < 0 { 0.0 } else { self.demand.below(stock as f64) },
            because: self.because,
        }
    }
}

fn whole(units: f64) -> i64 {
    units.ceil().clamp(0.0, 1e12) as i64
}

/// Steps an item's quantity is granted in at most.
const STEPS: i64 = 200;

/// Grants packs in the order of the probability that they are needed, until the budget is spent.
fn spend(wishes: &mut [Wish], budget: i64) {
    let cost = |w: &Wish, units: i64| w.supply.unit_cost.saturating_mul(units);
    if wishes.iter().map(|w| cost(w, w.quantity)).fold(0i64, i64::saturating_add) <= budget {
        return;
    }
    // (probability that it is needed, item, units granted once this step is taken)
    let mut steps: Vec<(f64, usize, i64)> = Vec::new();
    for (item, wish) in wishes.iter().enumerate().filter(|(_, w)| w.quantity > 0) {
        let pack = wish.supply.pack.max(1);
        let first =
            wish.supply.minimum.max(1).div_euclid(pack) + i64::from(wish.supply.minimum.max(1) % pack != 0);
        let all = wish.quantity / pack;
        let stride = ((all - first) / STEPS).max(1);
        let position = (wish.supply.on_hand + wish.supply.on_order) as f64;
        let mut granted = 0;
        let mut next = first;
        while granted < all {
            next = next.min(all);
            let middle = position + (granted + next) as f64 / 2.0 * pack as f64;
            let needed = if middle < 0.0 { 1.0 } else { 1.0 - wish.demand.below(middle) };
            steps.push((needed, item, next * pack));
            granted = next;
            next += stride;
        }
    }
    steps.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let mut left = budget;
    let mut granted = vec![0i64; wishes.len()];
    let mut stopped = vec![false; wishes.len()];
    for (_, item, units) in steps {
        let price = cost(&wishes[item], units - granted[item]);
        if stopped[item] || price > left {
            stopped[item] = true;
            continue;
        }
        left -= price;
        granted[item] = units;
    }
    for (wish, granted) in wishes.iter_mut().zip(granted) {
        if granted < wish.quantity {
            wish.because.push(Because::Budget { wanted: wish.quantity, granted });
            wish.quantity = granted;
        }
    }
}
