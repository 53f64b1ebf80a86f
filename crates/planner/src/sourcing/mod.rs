//! Sourcing: which location ships which units.
//!
//! **Problem.** Stock, safety stock, priorities, capacity per day, distance and zone, postage by parcel, promised days and split rules
//! decide which locations ship an order. Here are three ways, from the plain to the complete:
//! - [`source`]: one order, priorities and distances only; what placing an order uses.
//! - [`rules::run`]: orders one after another by a merchant's rules, every choice with its reason; [`backtest::replay`] tries other
//!   rules on past orders.
//! - [`plan`]: many orders together at least cost, with a lower bound on every plan's cost (Lagrangian relaxation: M. L. Fisher,
//!   *The Lagrangian Relaxation Method for Solving Integer Programming Problems*, Management Science 27, 1981), and for small batches
//!   the proven optimum by branch and price.
//!
//! **Limits.** Postage of a parcel is a price and a price by weight; stepped rate tables belong to the parcel plan. Choosing for one
//! order tries sets of locations: locations^parcels in the worst case, far fewer with its bounds. Lines of one order that take the
//! same item share it greedily, except in the proven optimum, where they share it as is best.
//!
//! **Invariant.** Nothing is planned that is not there, and what is not shipped is said.

pub mod backtest;
mod batch;
mod branch;
mod check;
mod choose;
mod counts;
mod large;
mod lp;
mod network;
mod one;
pub mod rules;

#[cfg(test)]
mod tests;

pub use batch::{BatchPlan, plan};
pub use check::{Fault, check};
pub use choose::{Choice, Left, Ship, cost};
pub use network::{
    Lane, Line, Location, MAX_LINES, MAX_NUMBER, MILLI, Network, Order, OrderProblem, Policy, SourcingError,
    days_late,
};
pub use one::{Need, Part, Plan, Site, source};
