//! Orders on both databases: placing, refusing, retrying, racing, holding, cancelling, waiting, moving along and coming back.

mod life;
mod placing;
mod shop;
