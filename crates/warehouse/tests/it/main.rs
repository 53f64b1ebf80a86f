//! The warehouse on both databases: allocation to parcel, bundles, short picks, third parties and suppliers, history in bulk.

mod floor;
mod others;
mod shop;
