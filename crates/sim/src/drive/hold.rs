//! What keeps orders from going on, and what ends them: holds, reviews, cancellations.

use crate::Trouble;
use crate::sim::Sim;
use crate::step::No;
use kernel::Refuse;
use orders::{Cancel, ChangeAddress, Hold, HoldKind, ReleaseHold, Review};

impl Sim {
    /// Somebody stops an order.
    pub(crate) async fn hold(&mut self, no: No) -> Result<(), Trouble> {
        let (at, by) = (self.at(), self.by.clone());
        let kind = if no.is_multiple_of(2) { HoldKind::CustomerRequest } else { HoldKind::Manual };
        for (_, order) in self.known(&[no]) {
            let hold = Hold { at, order, kind, reason: "sim".into(), by: by.clone() };
            let told =
                db::write!(self.db, &self.by, |tx| orders::hold(tx, std::slice::from_ref(&hold)).await)?;
            self.heard(&told);
        }
        Ok(())
    }
    /// All reasons not to go on are taken away, but that money is due.
    pub(crate) async fn unhold(&mut self, nos: &[No]) -> Result<(), Trouble> {
        let (at, by) = (self.at(), self.by.clone());
        let known = self.known(nos);
        let mut input = db::Rows::new("id BIGINT");
        for (_, order) in &known {
            input.push([(*order).into()]);
        }
        #[derive(db::FromRow)]
        struct Row {
            order_id: orders::OrderId,
            kind: String,
        }
        let text = "SELECT h.order_id, h.kind FROM order_hold h JOIN input ON input.id = h.order_id ORDER BY h.order_id, h.kind";
        let rows: Vec<Row> = self.db.read().all_from(&input, text, []).await?;
        let (mut releases, mut reviews) = (Vec::new(), Vec::new());
        for row in rows {
            let order = row.order_id;
            match row.kind.parse().map_err(Trouble::odd)? {
                HoldKind::PaymentDue => {}
                HoldKind::RiskReview => {
                    reviews.push(Review { at, order, approve: true, reason: "fine".into(), by: by.clone() });
                }
                kind => releases.push(ReleaseHold { at, order, kind, by: by.clone() }),
            }
        }
        let told = db::write!(self.db, &self.by, |tx| {
            let reviewed = orders::review(tx, &reviews).await?;
            Ok((reviewed, orders::release_hold(tx, &releases).await?))
        })?;
        self.heard(&told.0);
        self.heard(&told.1);
        match told.0.iter().any(Result::is_err) || told.1.iter().any(Result::is_err) {
            true => Err(Trouble::new("orders.unhold", format!("holds that are there stay: {told:?}"))),
            false => Ok(()),
        }
    }
    /// A reviewer says no: everything is cancelled, the money goes back.
    pub(crate) async fn review_no(&mut self, no: No) -> Result<(), Trouble> {
        let (at, by) = (self.at(), self.by.clone());
        for (no, order) in self.known(&[no]) {
            let review = Review { at, order, approve: false, reason: "no".into(), by: by.clone() };
            let told =
                db::write!(self.db, &self.by, |tx| orders::review(tx, std::slice::from_ref(&review)).await)?;
            self.heard(&told);
            if told.first().is_some_and(Result::is_ok) {
                let all: Vec<(usize, i64)> = self.untouched(no);
                for (line, units) in all {
                    self.model.cancel(no, line, units);
                }
                self.granted_without_saying(no).await?;
            }
        }
        Ok(())
    }
    /// The customer has moved: that can be as long as nothing is packed and something is left to ship, and within the country.
    pub(crate) async fn moves_house(&mut self, no: No, abroad: bool) -> Result<(), Trouble> {
        let (at, by) = (self.at(), self.by.clone());
        let mut ship_to = crate::shop::address("Customer");
        if abroad {
            (ship_to.country, ship_to.postal_code) = ("FR".into(), Some("75001".into()));
        }
        for (no, order) in self.known(&[no]) {
            let lines = self.model.order(no).map(|o| o.lines.clone()).unwrap_or_default();
            let open = lines.iter().any(|l| l.ordered > l.cancelled + l.shipped);
            let may = !abroad && open && lines.iter().all(|l| l.packed == 0);
            let change = ChangeAddress { at, order, ship_to: ship_to.clone(), by: by.clone() };
            let told = db::write!(self.db, &self.by, |tx| {
                orders::change_address(tx, std::slice::from_ref(&change)).await
            })?;
            self.heard(&told);
            if told.iter().any(|t| t.is_ok() != may) {
                return Err(Trouble::new(
                    "orders.move",
                    format!("order {no}, {lines:?}, abroad {abroad}: {told:?}"),
                ));
            }
        }
        Ok(())
    }
    /// Units are cancelled.
    pub(crate) async fn cancel(
        &mut self,
        no: No,
        line: Option<(usize, i64)>,
        refund: bool,
    ) -> Result<(), Trouble> {
        let at = self.at();
        for (no, order) in self.known(&[no]) {
            let can = self.untouched(no);
            let wanted = match line {
                None => can.clone(),
                Some((line, units)) => vec![(line, units)],
            };
            let lines = self.model.order(no).map_or(&[][..], |o| &o.lines);
            let named = match line {
                None => Vec::new(),
                Some((line, units)) => match lines.get(line) {
                    Some(l) => vec![(l.id, units)],
                    None => return Ok(()),
                },
            };
            let may = wanted.iter().any(|(_, n)| *n > 0)
                && wanted.iter().all(|(l, n)| *n <= lines.get(*l).map_or(0, crate::model::Line::untouched));
            let cancel = Cancel { at, order, lines: named, reason: "sim".into(), refund };
            let told =
                db::write!(self.db, &self.by, |tx| orders::cancel(tx, std::slice::from_ref(&cancel)).await)?;
            self.heard(&told);
            match told.into_iter().next() {
                Some(Ok(cancelled)) => {
                    let share: i64 = wanted.iter().map(|(l, n)| self.model.cancel(no, *l, *n)).sum();
                    if !may || cancelled.total != share {
                        let says = format!("order {no}, {wanted:?} worth {share}: {cancelled:?}");
                        return Err(Trouble::new("orders.cancel", says));
                    }
                    self.granted(no, cancelled.refund);
                }
                Some(Err(refused)) if may => {
                    let says = format!("order {no}, {wanted:?} of {can:?}: {}", refused.code());
                    return Err(Trouble::new("orders.cancel", says));
                }
                _ => {}
            }
        }
        Ok(())
    }
    /// Lines with units that nobody has picked.
    fn untouched(&self, no: No) -> Vec<(usize, i64)> {
        let lines = self.model.order(no).map_or(&[][..], |o| &o.lines);
        lines.iter().enumerate().map(|(n, l)| (n, l.untouched())).filter(|(_, n)| *n > 0).collect()
    }
    /// A refund was granted.
    pub(crate) fn granted(&mut self, no: No, amount: i64) {
        if let Some(order) = self.model.orders.get_mut(&no) {
            order.granted += amount;
            self.model.granted += amount;
        }
    }
    /// Some commands grant a refund and do not say how much: the customer sees it in the order.
    pub(crate) async fn granted_without_saying(&mut self, no: No) -> Result<(), Trouble> {
        let Some(order) = self.model.order(no) else { return Ok(()) };
        let (id, known) = (order.id, order.granted);
        let text = "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM refund WHERE order_id = $1";
        let told: i64 = self.db.read().scalar(text, [id.into()]).await?.unwrap_or(0);
        self.granted(no, told - known);
        Ok(())
    }
}
