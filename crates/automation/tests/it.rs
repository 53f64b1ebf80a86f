//! Webhooks against a real HTTP server, e-mails against a real SMTP server, the event feed and the API, on both databases.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

#[path = "it/api.rs"]
mod api;
#[path = "it/feed.rs"]
mod feed;
#[path = "it/mail.rs"]
mod mail;
#[path = "it/people.rs"]
mod people;
#[path = "it/post.rs"]
mod post;
#[path = "it/webhooks.rs"]
mod webhooks;
#[path = "it/world.rs"]
mod world;
