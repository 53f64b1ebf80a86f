//! The whole program: through its router in this process, and as the real binary.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

#[path = "it/access.rs"]
mod access;
#[path = "it/backup.rs"]
mod backup;
#[path = "it/binary.rs"]
mod binary;
#[path = "it/bulk.rs"]
mod bulk;
#[path = "it/clerk.rs"]
mod clerk;
#[path = "it/consents.rs"]
mod consents;
#[path = "it/contract.rs"]
mod contract;
#[path = "it/counting.rs"]
mod counting;
#[path = "it/crash.rs"]
mod crash;
#[path = "it/demo.rs"]
mod demo;
#[path = "it/desk.rs"]
mod desk;
#[path = "it/entry.rs"]
mod entry;
#[path = "it/furnish.rs"]
mod furnish;
#[path = "it/growth.rs"]
mod growth;
#[path = "it/labels.rs"]
mod labels;
#[path = "it/laws.rs"]
mod laws;
#[path = "it/life.rs"]
mod life;
#[path = "it/limits.rs"]
mod limits;
#[path = "it/merging.rs"]
mod merging;
#[path = "it/meta.rs"]
mod meta;
#[path = "it/offers.rs"]
mod offers;
#[path = "it/office.rs"]
mod office;
#[path = "it/pay.rs"]
mod pay;
#[path = "it/photos.rs"]
mod photos;
#[path = "it/planner.rs"]
mod planner;
#[path = "it/purchasing.rs"]
mod purchasing;
#[path = "it/race.rs"]
mod race;
#[path = "it/reading.rs"]
mod reading;
#[path = "it/sku_import.rs"]
mod sku_import;
#[path = "it/station.rs"]
mod station;
#[path = "it/walk.rs"]
mod walk;
