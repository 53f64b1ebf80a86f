//! Customers turn out to be one person. Invariant: who is merged is known by whatever they were known by before, and owns nothing.

use crate::Trouble;
use crate::sim::Sim;
use crate::step::No;
use customers::{Keep, Merge, MergeRefused, Side};

impl Sim {
    /// The customers of two orders are merged; whoever asks says the ids from when the orders were placed, where they still lead to somebody.
    pub(crate) async fn merge(&mut self, no: No, other: No, swap: bool) -> Result<(), Trouble> {
        let at = self.at();
        self.known(&[no, other]);
        let (Some(one), Some(two)) = (self.model.order(no), self.model.order(other)) else { return Ok(()) };
        let ((asked, into), from) = ((one.placed_by, one.customer), two.customer);
        let keep = Keep { email: if swap { Side::Merged } else { Side::Survivor }, ..Keep::default() };
        let want = Merge { at, into: asked, from, keep, by: self.by.clone() };
        let told =
            db::write!(self.db, &self.by, |tx| customers::merge(tx, std::slice::from_ref(&want)).await)?;
        self.heard(&told);
        match told.as_slice() {
            [Err(MergeRefused::Same)] if into == from => Ok(()),
            [Ok(survivor)] if *survivor == into && into != from => {
                let moved = self.model.merged(into, from);
                self.touched.extend(moved);
                Ok(())
            }
            told => {
                let says = format!("{from} of order {other} into {into} of order {no}: {told:?}");
                Err(Trouble::new("customers.merge", says))
            }
        }
    }
}
