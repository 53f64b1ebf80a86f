//! The pack station: every piece is scanned, then the box is closed.

use crate::Trouble;
use crate::shop::Shop;
use crate::sim::Sim;
use crate::step::{Boxed, No};
use kernel::Refuse;
use orders::OrderId;
use warehouse::{CloseBox, Executor, Fulfilment, Pack, StationScan};

impl Sim {
    /// What is picked is scanned into a box, piece by piece, and the box is closed.
    pub(crate) async fn station(&mut self, nos: &[No], how: Boxed) -> Result<(), Trouble> {
        let (known, list) = self.list(nos).await?;
        let own = list.iter().filter(|f| f.executor == Executor::Own);
        for f in own.filter(|f| !f.on_hold && f.lines.iter().any(|l| l.loose() > 0)) {
            self.scan_all(f).await?;
            let mut units: Vec<i64> = f.lines.iter().map(|l| l.loose()).collect();
            if how == Boxed::ButOne {
                units[self.take_one_out(f).await?] -= 1;
                self.close_box(&known, f, false, None).await?;
            }
            let full = units.iter().any(|n| *n > 0);
            self.close_box(&known, f, how == Boxed::ButOne, full.then_some(&units)).await?;
        }
        Ok(())
    }
    async fn station_scans(&mut self, batch: &[StationScan]) -> Result<Vec<&'static str>, Trouble> {
        let told = db::write!(self.db, &self.by, |tx| warehouse::station_scan(tx, batch).await)?;
        self.heard(&told);
        Ok(told.iter().map(|t| t.as_ref().map_or_else(Refuse::code, |()| "")).collect())
    }
    /// Each piece of what is picked; of an earlier box some may lie there already.
    async fn scan_all(&mut self, f: &Fulfilment) -> Result<(), Trouble> {
        let at = self.at();
        let scan = |sku: usize| StationScan { at, fulfilment: f.id, text: Shop::code(sku), back: false };
        let mut batch = Vec::new();
        for l in f.lines.iter().filter(|l| l.loose() > 0) {
            for (part, pieces) in Shop::takes(self.shop.sku(l.sku_id)?) {
                batch.extend((0..l.loose() * pieces).map(|_| scan(*part)));
            }
        }
        let told = self.station_scans(&batch).await?;
        if let Some(n) = told.iter().position(|code| !matches!(*code, "" | "warehouse.all_scanned")) {
            return Err(Trouble::new("station.scan", format!("{:?} was refused: {}", batch[n], told[n])));
        }
        // Now all of it lies there: one more is too many, and what nobody ordered is wrong.
        let mut more = vec![batch[0].clone(), batch[0].clone()];
        "WRAP".clone_into(&mut more[1].text);
        let told = self.station_scans(&more).await?;
        match told == ["warehouse.all_scanned", "warehouse.wrong_unit"] {
            true => Ok(()),
            false => Err(Trouble::new("station.scan", format!("{more:?} of a full box: {told:?}"))),
        }
    }
    /// A piece of the first line goes out again; which line of the box has one unit less.
    async fn take_one_out(&mut self, f: &Fulfilment) -> Result<usize, Trouble> {
        let mut parts = Vec::new();
        for (n, l) in f.lines.iter().enumerate().filter(|(_, l)| l.loose() > 0) {
            parts.extend(Shop::takes(self.shop.sku(l.sku_id)?).iter().map(|(part, _)| (n, *part)));
        }
        let out = parts.first().map_or(0, |(_, part)| *part);
        let (at, text) = (self.at(), Shop::code(out));
        let told = self.station_scans(&[StationScan { at, fulfilment: f.id, text, back: true }]).await?;
        // It is taken from the last line that has it.
        match parts.iter().rev().find(|(_, part)| *part == out) {
            Some((line, _)) if told == [""] => Ok(*line),
            _ => Err(Trouble::new("station.back", format!("item {out} is in the box of {f:?}: {told:?}"))),
        }
    }
    /// `units` of each line are in the box; none: it may not be closed.
    async fn close_box(
        &mut self,
        known: &[(No, OrderId)],
        f: &Fulfilment,
        split: bool,
        units: Option<&Vec<i64>>,
    ) -> Result<(), Trouble> {
        let (at, by) = (self.at(), self.by.clone());
        let pack = Pack { at, fulfilment: f.id, lines: Vec::new(), weight_g: None, dims: None, by };
        let close = CloseBox { pack, split };
        let told =
            db::write!(self.db, &self.by, |tx| warehouse::close_box(tx, std::slice::from_ref(&close)).await)?;
        self.heard(&told);
        match (told.into_iter().next(), units) {
            (Some(Ok(parcel)), Some(units)) => self.boxed(known, f, parcel, units),
            (Some(Err(_)), None) => Ok(()),
            (told, _) => Err(Trouble::new(
                "station.close",
                format!("{units:?} in the box of {f:?}, split {split}: {told:?}"),
            )),
        }
    }
}
