//! tmp
use crate::Failure; use crate::serve::SignIn; use db::Ctx;
/// tmp
pub async fn build(_: &Ctx) -> Result<SignIn, Failure> { Err(Failure::Refused(String::new())) }
