//! The program: which slices it is made of, its configuration, its commands. No business rule lives here: commands of the command line
//! call the functions that the API calls.

pub mod cli;
pub mod cmd;
pub mod config;
pub mod demo;
mod failure;
pub mod outside;
pub mod people;
pub mod program;
pub mod serve;
pub mod slices;
pub mod telemetry;
pub mod verify;

pub use failure::Failure;
