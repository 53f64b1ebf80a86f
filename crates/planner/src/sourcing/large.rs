//! Batches that no proof will close: prices learnt order by order, and orders that trade what they took.
//!
//! Prices: incremental subgradients (Nedić & Bertsekas, SIAM Journal on Optimization 12, 2001). After every few orders the price of each
//! thing moves by what these orders used beyond their share of it, so that one pass of the orders teaches what hundreds of steps over
//! all of them do; the mean over the last pass is what is kept (Polyak & Juditsky 1992). Trades: an order that pays most beyond what it
//! would pay alone is sourced again before one that holds what it wants (ejection chains of two, Glover 1996). Linear in orders for each
//! pass. Invariant: the plan is feasible at every moment and never gets dearer.

use super::batch::{Batch, Dice, Use};
use super::choose::{Prices, choose, cost};
use crate::Budget;

/// For each pass: thousandths of a cent that the price of a thing rises in it when twice as much is wanted as there is.
const PACES: [f64; 4] = [5e5, 2.5e5, 1.25e5, 6e4];
/// Orders after which prices move.
const BLOCK: usize = 40;
/// Rounds of trades, and rivals tried for an order in each.
const ROUNDS: usize = 20;
const RIVALS: usize = 4;
/// How often better prices and more trades take turns, steps of prices in each, and how much shorter they are each time.
const TURNS: u64 = 100;
const STEPS: u32 = 10;
const SHORTER: f64 = 0.8;

impl Batch<'_> {
    /// A plan and its bound; the rest of the budget makes both better in turns.
    pub(super) fn many(&mut self, prices: &mut Prices, budget: &Budget<'_>, seed: u64) -> i64 {
        let wants: Vec<(i64, Vec<usize>)> =
            (0..self.sequence.len()).map(|at| self.alone(self.sequence[at])).collect();
        // Nobody pays less than alone.
        let mut bound = wants.iter().map(|w| w.0).fold(0, i64::saturating_add);
        self.learn(prices, &PACES, budget, seed);
        if budget.spent() {
            self.pass(Some(prices));
            return bound;
        }
        bound = bound.max(self.relax(prices, (1, 1.0), budget));
        self.sweep(budget);
        self.trade(&wants, budget, seed);
        let mut shorter = 1.0;
        for turn in 1..=TURNS {
            if budget.spent() || bound >= self.total {
                break;
            }
            shorter *= SHORTER;
            let mut finer = prices.clone();
            self.learn(
                &mut finer,
                &PACES[2..].iter().map(|p| p * shorter).collect::<Vec<_>>(),
                budget,
                seed.wrapping_add(turn),
            );
            let found = self.relax(&mut finer, (STEPS, shorter), budget);
            if found > bound {
                bound = found;
                prices.clone_from(&finer);
            }
            self.reshuffle(prices, budget, seed.wrapping_add(turn));
            self.sweep(budget);
            self.trade(&wants, budget, seed.wrapping_add(turn));
        }
        bound
    }

    /// Prices from a few passes of the orders, in random sequence. When the budget ends first, what was learnt so far.
    fn learn(&mut self, prices: &mut Prices, paces: &[f64], budget: &Budget<'_>, seed: u64) {
        let mut turns = self.sequence.clone();
        let mut dice = Dice::new(seed);
        let mut sum = Prices::none(self.network);
        let mut blocks = 0.0;
        for (pass, pace) in paces.iter().enumerate() {
            for at in (1..turns.len()).rev() {
                turns.swap(at, dice.below(at + 1));
            }
            for block in turns.chunks(BLOCK) {
                let mut used = Use::new(self, self.network.locations.len());
                for o in block {
                    if budget.spent() {
                        return;
                    }
                    let order = &self.orders[*o];
                    self.menus[*o].price(self.network, order, prices);
                    let (_, choice) = choose(self.network, order, &self.menus[*o], None);
                    used.count(order, &choice, self.network.items);
                }
                used.nudge(prices, &self.all, *pace, block.len() as f64 / turns.len() as f64);
                if pass + 1 == paces.len() {
                    sum.add(prices);
                    blocks += 1.0;
                }
            }
        }
        if blocks > 0.0 {
            *prices = sum.times(1.0 / blocks);
        }
    }

    /// Each order again from what is left now.
    fn sweep(&mut self, budget: &Budget<'_>) {
        for at in 0..self.sequence.len() {
            if budget.spent() {
                return;
            }
            self.again(&[self.sequence[at]], None, 0);
        }
    }

    /// Orders that pay most beyond what they would pay alone, each before one that holds what it wants; as long as it helps.
    fn trade(&mut self, wants: &[(i64, Vec<usize>)], budget: &Budget<'_>, seed: u64) {
        let mut dice = Dice::new(seed ^ 0x5bd1_e995);
        for _ in 0..ROUNDS {
            let before = self.total;
            let holders = self.holders();
            let mut turns: Vec<(i64, usize)> = (0..self.sequence.len())
                .map(|at| (self.costs[self.sequence[at]] - wants[at].0, at))
                .filter(|t| t.0 > 0)
                .collect();
            turns.sort_unstable_by_key(|t| (std::cmp::Reverse(t.0), t.1));
            for (_, at) in turns {
                let o = self.sequence[at];
                for _ in 0..RIVALS {
                    if budget.spent() {
                        return;
                    }
                    let Some(rival) = self.rival(o, &wants[at].1, &holders, &mut dice) else { break };
                    self.again(&[o, rival], None, 0);
                    if self.costs[o] <= wants[at].0 {
                        break;
                    }
                }
            }
            if before == self.total {
                break;
            }
        }
    }

    /// What an order would pay if it were alone, and the stock that it would take then.
    fn alone(&mut self, o: usize) -> (i64, Vec<usize>) {
        let order = &self.orders[o];
        self.menus[o].price(self.network, order, &self.free);
        let (_, choice) = choose(self.network, order, &self.menus[o], None);
        let items = self.network.items;
        let mut stock = Vec::new();
        for ship in &choice.ships {
            stock.extend(order.lines[ship.line].takes.iter().map(|t| ship.location * items + t.0));
        }
        (cost(self.network, order, self.policy, &choice), stock)
    }

    /// Orders that take from each stock; behind those of the stocks, those that take an item anywhere.
    fn holders(&self) -> Vec<Vec<usize>> {
        let (places, items) = (self.network.locations.len(), self.network.items);
        let mut holders = vec![Vec::new(); (places + 1) * items];
        for o in &self.sequence {
            for ship in &self.choices[*o].ships {
                for (item, _) in &self.orders[*o].lines[ship.line].takes {
                    holders[ship.location * items + item].push(*o);
                    holders[places * items + item].push(*o);
                }
            }
        }
        holders
    }

    /// One that holds what an order wants: from where it would take it if it were alone, or what it is short of, from anywhere.
    fn rival(&self, o: usize, wants: &[usize], holders: &[Vec<usize>], dice: &mut Dice) -> Option<usize> {
        let (places, items) = (self.network.locations.len(), self.network.items);
        let short = self.choices[o].short.iter().zip(&self.orders[o].lines).filter(|(s, _)| **s > 0);
        let missing: Vec<usize> =
            short.flat_map(|(_, l)| l.takes.iter().map(|t| places * items + t.0)).collect();
        let from =
            if missing.is_empty() || (!wants.is_empty() && dice.below(2) == 0) { wants } else { &missing };
        let list = &holders[*from.get(dice.below(from.len()))?];
        list.get(dice.below(list.len())).copied().filter(|rival| *rival != o)
    }
}
