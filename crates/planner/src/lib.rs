//! Decisions without actions: input snapshot → plan and reasons. No I/O, no clock, no database, no randomness that is not seeded.

pub mod sourcing;
