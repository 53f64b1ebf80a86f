//! What talks to outside parties, without I/O: every connector turns what is asked into a description of a call, and answers into
//! facts. Invariant: no connector knows a database, a clock or a socket.

pub mod carriers;
pub mod gateways;
