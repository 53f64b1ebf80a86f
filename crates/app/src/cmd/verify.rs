//! `fulmar verify`: every law of every slice, and exit code 1 when one is broken.

use super::Out;
use crate::{Failure, slices, verify};
use db::Ctx;

/// Checks every law.
///
/// # Errors
/// A refusal when a law is broken, faults of the database.
pub async fn run(ctx: &Ctx, out: Out) -> Result<(), Failure> {
    let verdicts = verify::verify(&ctx.db, &slices::laws()).await?;
    let broken = verdicts.iter().filter(|v| !v.holds).count();
    out.result(&verdicts, || {
        let mut text = String::new();
        for verdict in &verdicts {
            text.push_str(&format!(
                "{} {}: {}\n",
                if verdict.holds { "ok    " } else { "BROKEN" },
                verdict.law,
                verdict.says
            ));
            for offence in &verdict.offenders {
                text.push_str(&format!("         {}: {}\n", offence.subject, offence.detail));
            }
        }
        text.push_str(&format!("{} laws checked, {broken} broken", verdicts.len()));
        text
    })?;
    match broken {
        0 => Ok(()),
        1 => Err(Failure::Refused("1 law is broken".into())),
        n => Err(Failure::Refused(format!("{n} laws are broken"))),
    }
}
