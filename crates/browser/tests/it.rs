//! The pages in a real browser. One module a job that people do; see `browser` for the words.

#[path = "it/books.rs"]
mod books;
#[path = "it/counting.rs"]
mod counting;
#[path = "it/customer.rs"]
mod customer;
#[path = "it/entry.rs"]
mod entry;
#[path = "it/everywhere.rs"]
mod everywhere;
#[path = "it/floor.rs"]
mod floor;
#[path = "it/keys.rs"]
mod keys;
#[path = "it/live.rs"]
mod live;
#[path = "it/merge.rs"]
mod merge;
#[path = "it/pay.rs"]
mod pay;
#[path = "it/purchasing.rs"]
mod purchasing;
#[path = "it/refund.rs"]
mod refund;
#[path = "it/review.rs"]
mod review;
#[path = "it/sign_in.rs"]
mod sign_in;
#[path = "it/sku_file.rs"]
mod sku_file;
