//! The floor: release, pick, pack; and those who fulfil for us. What is to be done is read from the fulfilment orders, as a picker reads
//! them from a list; what came of it is in the answers.

use super::place::no_of;
use crate::Trouble;
use crate::model::Parcel;
use crate::shop::Shop;
use crate::sim::Sim;
use crate::step::{How, No};
use kernel::Refuse;
use orders::OrderId;
use warehouse::{
    Accept, Ask, Executor, Fulfilment, FulfilmentLineId, Pack, ParcelId, Pick, Reject, Release, Request,
    ShortPick, Status, Unpack, Unpick, What,
};

impl Sim {
    /// The fulfilment orders of these orders that are not over.
    pub(super) async fn list(
        &mut self,
        nos: &[No],
    ) -> Result<(Vec<(No, OrderId)>, Vec<Fulfilment>), Trouble> {
        let known = self.known(nos);
        let ids: Vec<OrderId> = known.iter().map(|(_, id)| *id).collect();
        let mut of = warehouse::fulfilments_of(self.db.read(), &ids).await?;
        let mut list = Vec::new();
        for (_, id) in &known {
            list.extend(of.remove(id).unwrap_or_default());
        }
        list.retain(|f| !matches!(f.status, Status::Closed | Status::Cancelled));
        Ok((known, list))
    }
    /// To the floor.
    pub(crate) async fn release(&mut self, nos: &[No]) -> Result<(), Trouble> {
        let at = self.at();
        let (_, list) = self.list(nos).await?;
        let ours = list.iter().filter(|f| f.executor == Executor::Own);
        let batch: Vec<Release> = ours.map(|f| Release { at, fulfilment: f.id }).collect();
        let told = db::write!(self.db, &self.by, |tx| warehouse::release(tx, &batch).await)?;
        self.heard(&told);
        Ok(())
    }
    /// Others are asked.
    pub(crate) async fn ask(&mut self, nos: &[No]) -> Result<(), Trouble> {
        let at = self.at();
        let (_, list) = self.list(nos).await?;
        let others = list.iter().filter(|f| f.executor != Executor::Own);
        let batch: Vec<Ask> = others.map(|f| Ask { at, fulfilment: f.id }).collect();
        let told = db::write!(self.db, &self.by, |tx| warehouse::request(tx, &batch).await)?;
        self.heard(&told);
        Ok(())
    }
    /// They do it.
    pub(crate) async fn accept(&mut self, nos: &[No]) -> Result<(), Trouble> {
        let at = self.at();
        let (_, list) = self.list(nos).await?;
        let asked = list.iter().filter(|f| f.request != Request::None);
        let batch: Vec<Accept> = asked.map(|f| Accept { at, fulfilment: f.id }).collect();
        let told = db::write!(self.db, &self.by, |tx| warehouse::accept(tx, &batch).await)?;
        self.heard(&told);
        Ok(())
    }
    /// They do not: a supplier's stock was not there.
    pub(crate) async fn decline(&mut self, no: No) -> Result<(), Trouble> {
        let at = self.at();
        let (_, list) = self.list(&[no]).await?;
        for f in list.iter().filter(|f| f.executor != Executor::Own) {
            let reject = Reject { at, fulfilment: f.id, reason: "none left".into() };
            let told =
                db::write!(self.db, &self.by, |tx| warehouse::reject(tx, std::slice::from_ref(&reject))
                    .await)?;
            self.heard(&told);
            if told.first().is_some_and(Result::is_ok)
                && f.executor == Executor::Dropship
                && f.request != Request::Rejected
            {
                let place = self.shop.place(f.location)?;
                for l in f.lines.iter().filter(|l| l.open() > 0) {
                    self.gone(l.sku_id, place, l.open())?;
                }
            }
        }
        Ok(())
    }
    /// Units of a line are not where they were believed. (Of a bundle nobody knows which part.)
    fn gone(&mut self, sku: catalog::SkuId, place: usize, units: i64) -> Result<(), Trouble> {
        if let [(part, pieces)] = Shop::takes(self.shop.sku(sku)?) {
            self.model.adjust(*part, place, -units * pieces);
        }
        Ok(())
    }

    /// Picked: everything, or something that cannot be.
    pub(crate) async fn pick(&mut self, nos: &[No], how: How) -> Result<(), Trouble> {
        let at = self.at();
        let (known, list) = self.list(nos).await?;
        let mut batch = Vec::new();
        for f in &list {
            for l in f.lines.iter().filter(|l| l.open() > 0) {
                let (what, quantity) = match how {
                    How::Line => (What::Line(l.id), l.open()),
                    How::Scan => (What::Scan(l.sku.clone()), l.open()),
                    How::Wrong => (What::Scan("WRAP".into()), 1),
                    How::Over => (What::Line(l.id), l.open() + 1),
                };
                batch.push(Pick { at, fulfilment: f.id, what, quantity });
            }
        }
        let told = db::write!(self.db, &self.by, |tx| warehouse::pick(tx, &batch).await)?;
        self.heard(&told);
        for (asked, outcome) in batch.iter().zip(told) {
            let Ok(picked) = outcome else { continue };
            if matches!(how, How::Wrong | How::Over) {
                return Err(Trouble::new("floor.pick", format!("{asked:?} was taken: {picked:?}")));
            }
            for (line, units) in picked.units {
                let (no, n) = self.line_of(&known, &list, line)?;
                if let Some(order) = self.model.orders.get_mut(&no) {
                    order.lines[n].picked += units;
                }
            }
        }
        Ok(())
    }
    /// Order and index of a fulfilment line.
    fn line_of(
        &self,
        known: &[(No, OrderId)],
        list: &[Fulfilment],
        line: FulfilmentLineId,
    ) -> Result<(No, usize), Trouble> {
        let found =
            list.iter().find_map(|f| f.lines.iter().find(|l| l.id == line).map(|l| (f.order, l.line)));
        let (order, line) =
            found.ok_or_else(|| Trouble::odd(format!("units of {line}, which nobody asked for")))?;
        let no = no_of(known, order)
            .ok_or_else(|| Trouble::odd(format!("units of {order}, which nobody asked for")))?;
        let lines = self.model.order(no).map_or(&[][..], |o| &o.lines);
        let n = lines.iter().position(|l| l.id == line);
        Ok((no, n.ok_or_else(|| Trouble::odd(format!("order {no} has no line {line}")))?))
    }
    /// The shelf has fewer than the books.
    pub(crate) async fn short(&mut self, no: No, units: i64) -> Result<(), Trouble> {
        let at = self.at();
        let (_, list) = self.list(&[no]).await?;
        let first = list.iter().find_map(|f| f.lines.iter().find(|l| l.open() > 0).map(|l| (f, l)));
        let Some((f, l)) = first else { return Ok(()) };
        let short = ShortPick { at, fulfilment: f.id, line: l.id, quantity: units, reason: "empty".into() };
        let told =
            db::write!(self.db, &self.by, |tx| warehouse::short_pick(tx, std::slice::from_ref(&short))
                .await)?;
        self.heard(&told);
        if told.first().is_some_and(Result::is_ok) {
            if units > l.open() {
                return Err(Trouble::new("floor.short", format!("{short:?} of {} open", l.open())));
            }
            let place = self.shop.place(f.location)?;
            self.gone(l.sku_id, place, units)?;
        }
        Ok(())
    }
    /// A unit goes back to the shelf.
    pub(crate) async fn unpick(&mut self, no: No) -> Result<(), Trouble> {
        let at = self.at();
        let (known, list) = self.list(&[no]).await?;
        for f in &list {
            for l in f.lines.iter().filter(|l| l.picked > 0) {
                let one = Unpick { at, fulfilment: f.id, what: What::Line(l.id), quantity: 1 };
                let told =
                    db::write!(self.db, &self.by, |tx| warehouse::unpick(tx, std::slice::from_ref(&one))
                        .await)?;
                self.heard(&told);
                if told.first().is_some_and(Result::is_ok) {
                    let (no, n) = self.line_of(&known, &list, l.id)?;
                    if let Some(order) = self.model.orders.get_mut(&no) {
                        order.lines[n].picked -= 1;
                    }
                }
            }
        }
        Ok(())
    }
    /// Packed: what is picked; what others do, whole.
    pub(crate) async fn pack(&mut self, nos: &[No]) -> Result<(), Trouble> {
        let (at, by) = (self.at(), self.by.clone());
        let (known, list) = self.list(nos).await?;
        let pack = |f: &Fulfilment| Pack {
            at,
            fulfilment: f.id,
            lines: Vec::new(),
            weight_g: None,
            dims: None,
            by: by.clone(),
        };
        let batch: Vec<Pack> = list.iter().map(pack).collect();
        let told = db::write!(self.db, &self.by, |tx| warehouse::pack(tx, &batch).await)?;
        self.heard(&told);
        for (f, outcome) in list.iter().zip(told) {
            let Ok(id) = outcome else { continue };
            let implied = |open: i64| if f.executor == Executor::Own { 0 } else { open };
            let units: Vec<i64> = f.lines.iter().map(|l| l.loose() + implied(l.open())).collect();
            self.boxed(&known, f, id, &units)?;
        }
        Ok(())
    }
    /// So many units of each line are in a parcel now: those that were picked, and others as well where somebody else picks.
    pub(super) fn boxed(
        &mut self,
        known: &[(No, OrderId)],
        f: &Fulfilment,
        id: ParcelId,
        units: &[i64],
    ) -> Result<(), Trouble> {
        let (mut lines, mut owner) = (Vec::new(), None);
        for (l, units) in f.lines.iter().zip(units).filter(|(_, units)| **units > 0) {
            let (no, n) = self.line_of(known, std::slice::from_ref(f), l.id)?;
            if let Some(order) = self.model.orders.get_mut(&no) {
                order.lines[n].picked -= units.min(&l.loose());
                order.lines[n].packed += units;
            }
            lines.push((n, *units));
            owner = Some(no);
        }
        let Some(no) = owner else {
            return Err(Trouble::new("floor.pack", format!("{id} of {f:?} is empty")));
        };
        let place = self.shop.place(f.location)?;
        self.model.parcels.insert(id, Parcel { no, place, lines, shipped: false });
        self.model.parcels_of.entry(no).or_default().push(id);
        Ok(())
    }
    /// The parcels of an order are taken apart.
    pub(crate) async fn unpack(&mut self, no: No) -> Result<(), Trouble> {
        let at = self.at();
        self.known(&[no]);
        for parcel in self.model.parcels_of.get(&no).cloned().unwrap_or_default() {
            let one = Unpack { at, parcel };
            let told =
                db::write!(self.db, &self.by, |tx| shipping::unpack(tx, std::slice::from_ref(&one)).await)?;
            self.heard(&told.iter().map(|t| t.as_ref().map_err(Refuse::code)).collect::<Vec<_>>());
            if !told.first().is_some_and(Result::is_ok) {
                continue;
            }
            if let (Some(gone), Some(order)) =
                (self.model.parcels.remove(&parcel), self.model.orders.get_mut(&no))
            {
                if gone.shipped {
                    return Err(Trouble::new(
                        "floor.unpack",
                        format!("{parcel} has left and was taken apart"),
                    ));
                }
                for (line, units) in gone.lines {
                    order.lines[line].packed -= units;
                    order.lines[line].picked += units;
                }
            }
            if let Some(of) = self.model.parcels_of.get_mut(&no) {
                of.retain(|p| *p != parcel);
            }
        }
        Ok(())
    }
}
