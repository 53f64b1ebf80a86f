//! Inventory on both databases: every command keeps the laws, in any order; races never promise what is not there.

mod it {
    pub mod commands;
    pub mod random;
    pub mod reservations;
    pub mod shop;
}
