//! How each step is done: through the commands of the slices, as their callers do it, and with what was answered noted in the model.

mod back;
mod floor;
mod hold;
mod merge;
mod pay;
mod place;
mod shelf;
pub(crate) mod ship;
mod station;
mod supply;
mod tell;
