//! The pages in a real browser. One module a job that people do; see `browser` for the words.

#[path = "it/entry.rs"]
mod entry;
#[path = "it/everywhere.rs"]
mod everywhere;
#[path = "it/keys.rs"]
mod keys;
#[path = "it/live.rs"]
mod live;
#[path = "it/sign_in.rs"]
mod sign_in;
