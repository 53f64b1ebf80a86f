//! The whole program: through its router in this process, and as the real binary.

mod support;

#[path = "it/meta.rs"]
mod meta;
