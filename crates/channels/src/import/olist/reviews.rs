//! Reviews. Invariant: a review is kept once per order; one of an order that was not taken waits until it is.

use db::{Rows, Tx};
use kernel::Fault;

use super::SOURCE;
use crate::import::summary::Counts;
use crate::olist::Review;

kernel::id!(ReviewId, "rev", "A review of an order.");

pub(super) async fn keep(tx: &Tx, reviews: &[Review], counts: &mut Counts) -> Result<(), Fault> {
    let mut rows = Rows::new(
        "id BIGINT, review TEXT, order_reference TEXT, score BIGINT, title TEXT?, message TEXT?, at BIGINT",
    );
    for review in reviews {
        rows.push([
            tx.id::<ReviewId>().into(),
            review.id.as_str().into(),
            review.order.as_str().into(),
            i64::from(review.score).into(),
            review.title.clone().into(),
            review.message.clone().into(),
            review.answered_at.into(),
        ]);
    }
    let text = "INSERT INTO review (id, source, reference, order_id, score, title, message, at) \
        SELECT i.id, $1, i.review, o.id, i.score, i.title, i.message, i.at FROM input i JOIN orders o ON o.channel = $1 AND o.reference = i.order_reference \
        WHERE TRUE ON CONFLICT (source, reference, order_id) DO NOTHING";
    counts.reviews += tx.touched_from(&rows, text, [SOURCE.into()]).await?;
    Ok(())
}
