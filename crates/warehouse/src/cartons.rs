//! The boxes there are, and which of them a parcel needs: the planner's choice, with what it says about it.
//!
//! Invariant: a suggestion is no decision; whoever packs may take any box, or measure their own.

use crate::events::CartonsSet;
use catalog::{Sku, SkuId};
use db::{Sql, Tx};
use kernel::{Fault, Timestamp};
use planner::Budget;
use planner::cartons::{Item, Order, pack};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Where the database keeps them.
const SETTING: &str = "warehouse.cartons";
/// Kinds of boxes at most.
const MOST: usize = 100;
/// Pieces put down while looking for a better box: some milliseconds.
const STEPS: u64 = 20_000;

/// A kind of box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Carton {
    /// As people call it.
    pub name: String,
    /// Outer length, width and height in millimetres: postage goes by them.
    pub outer_mm: [i32; 3],
    /// Inner length, width and height in millimetres.
    pub inner_mm: [i32; 3],
    /// Grams of the empty box.
    pub empty_g: i64,
    /// The most grams it may weigh with everything in it, itself included.
    pub max_g: i64,
    /// What one costs, in minor units of the base currency.
    #[serde(default)]
    pub cost: i64,
}

kernel::refusals! {
    /// Why boxes are not set.
    pub enum CartonsRefused {
        TooMany { most: usize } => Invalid, "warehouse.too_many_cartons", "There are at most {most} kinds of boxes.";
        NoName => Invalid, "warehouse.carton_name", "Every box needs a name.";
        TwoOfAName { name: String } => Invalid, "warehouse.carton_twice", "There are two boxes of the name {name}: each needs its own.";
        BadSize { name: String } => Invalid, "warehouse.carton_size", "Edges of box {name} are between 1 and 10,000 mm, and inside no longer than outside.";
        BadWeight { name: String } => Invalid, "warehouse.carton_weight", "Box {name} empty weighs less than what it may weigh when full, and both are zero or more.";
        BadCost { name: String } => Invalid, "warehouse.carton_cost", "What box {name} costs is zero or more.";
    }
}

fn check(cartons: &[Carton]) -> Result<(), CartonsRefused> {
    if cartons.len() > MOST {
        return Err(CartonsRefused::TooMany { most: MOST });
    }
    let mut names = HashSet::new();
    for c in cartons {
        let name = || c.name.clone();
        if c.name.trim().is_empty() {
            return Err(CartonsRefused::NoName);
        }
        if !names.insert(c.name.trim()) {
            return Err(CartonsRefused::TwoOfAName { name: name() });
        }
        let edges = c.outer_mm.iter().zip(&c.inner_mm);
        if edges
            .into_iter()
            .any(|(outer, inner)| !(1..=10_000).contains(outer) || *inner < 1 || inner > outer)
        {
            return Err(CartonsRefused::BadSize { name: name() });
        }
        if c.empty_g < 0 || c.max_g <= c.empty_g {
            return Err(CartonsRefused::BadWeight { name: name() });
        }
        if c.cost < 0 {
            return Err(CartonsRefused::BadCost { name: name() });
        }
    }
    Ok(())
}

/// Sets the boxes there are, in place of those before. Event: `warehouse.cartons_set` when that changes something.
///
/// # Errors
/// A fault of the database.
pub async fn set_cartons(
    tx: &Tx,
    at: Timestamp,
    wanted: &[Carton],
) -> Result<Result<(), CartonsRefused>, Fault> {
    if let Err(refused) = check(wanted) {
        return Ok(Err(refused));
    }
    if cartons(tx).await? != wanted {
        db::settings::set(tx, SETTING, &wanted).await?;
        tx.record(
            at,
            "cartons",
            None,
            CartonsSet { cartons: wanted.iter().map(|c| c.name.clone()).collect() },
        )?;
    }
    Ok(Ok(()))
}

/// The boxes there are.
///
/// # Errors
/// A fault of the database.
pub async fn cartons(sql: &Sql) -> Result<Vec<Carton>, Fault> {
    Ok(db::settings::get(sql, SETTING).await?.unwrap_or_default())
}

/// What the planner says about the boxes for some pieces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Suggested {
    /// Indices of the boxes, one for each parcel; empty where nothing can be said.
    pub boxes: Vec<usize>,
    /// Why, for people.
    pub why: String,
}

/// Which boxes pieces need. Nothing is suggested where a SKU has no size: a guess would be wrong too often.
pub fn suggest(pieces: &[(SkuId, i64)], skus: &HashMap<SkuId, Arc<Sku>>, cartons: &[Carton]) -> Suggested {
    if cartons.is_empty() || pieces.is_empty() {
        return Suggested::default();
    }
    let mut items = Vec::with_capacity(pieces.len());
    for (id, quantity) in pieces {
        let Some(sku) = skus.get(id) else { return Suggested::default() };
        let Some(item) = item(sku, *quantity) else {
            return Suggested {
                boxes: Vec::new(),
                why: format!("{} has no measures, so no box is suggested.", sku.code),
            };
        };
        items.push(item);
    }
    let carton = |c: &Carton| planner::cartons::Carton {
        name: c.name.clone(),
        outer_mm: c.outer_mm,
        inner_mm: c.inner_mm,
        empty_g: c.empty_g,
        max_g: c.max_g,
        cost: c.cost,
        available: None,
    };
    let cartons = cartons.iter().map(carton).collect();
    let order = Order { items, cartons, protection: Vec::new(), filler: None, postage: None, support: 0.0 };
    match pack(&order, &Budget::steps(STEPS)) {
        Ok(plan) if plan.left.iter().all(|n| *n == 0) => {
            let why: Vec<String> = plan.reasons.iter().map(ToString::to_string).collect();
            Suggested { boxes: plan.parcels.iter().map(|p| p.carton).collect(), why: why.join("; ") }
        }
        Ok(_) => Suggested { boxes: Vec::new(), why: "Something of it fits in no box of ours.".into() },
        Err(_) => Suggested::default(),
    }
}

fn item(sku: &Sku, quantity: i64) -> Option<Item> {
    let edge = |mm: Option<i64>| mm.and_then(|n| i32::try_from(n).ok()).filter(|n| *n > 0);
    Some(Item {
        size_mm: [edge(sku.length_mm)?, edge(sku.width_mm)?, edge(sku.height_mm)?],
        upright: [true; 3],
        quantity: u32::try_from(quantity).ok()?,
        weight_g: sku.weight_g.unwrap_or(0),
        fragility: 0,
        stackable: true,
        bears_g: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use catalog::SkuKind;
    use kernel::Refuse;

    fn carton(name: &str, edge: i32) -> Carton {
        Carton {
            name: name.into(),
            outer_mm: [edge + 6; 3],
            inner_mm: [edge; 3],
            empty_g: 100,
            max_g: 10_000,
            cost: i64::from(edge),
        }
    }
    fn sku(id: i64, edge: Option<i64>) -> (SkuId, Arc<Sku>) {
        let sku = Sku {
            id: SkuId(id),
            code: format!("S{id}"),
            title: "S".into(),
            kind: SkuKind::Simple,
            tax_class: "standard".into(),
            weight_g: Some(200),
            length_mm: edge,
            width_mm: edge,
            height_mm: edge,
            supplier: None,
            active: true,
            prices: vec![],
            components: vec![],
        };
        (SkuId(id), Arc::new(sku))
    }

    #[test]
    fn the_smallest_box_that_holds_everything_is_suggested_and_no_guess_is_made() {
        let boxes = [carton("L", 400), carton("S", 100), carton("M", 200)];
        let skus: HashMap<SkuId, Arc<Sku>> = [sku(1, Some(90)), sku(2, None), sku(3, Some(900))].into();
        let names = |pieces: &[(SkuId, i64)]| {
            suggest(pieces, &skus, &boxes).boxes.iter().map(|b| boxes[*b].name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(&[(SkuId(1), 1)]), ["S"]);
        assert_eq!(names(&[(SkuId(1), 8)]), ["M"]);
        for nothing in [vec![(SkuId(1), 1), (SkuId(2), 1)], vec![(SkuId(3), 1)], vec![(SkuId(9), 1)], vec![]]
        {
            assert_eq!(names(&nothing), [""; 0], "{nothing:?}");
        }
    }

    #[test]
    fn boxes_that_make_no_sense_are_refused() {
        let good = carton("S", 100);
        let code = |cartons: &[Carton]| check(cartons).map_err(|r| r.code());
        assert_eq!(code(&[good.clone(), carton("M", 200)]), Ok(()));
        for (bad, expected) in [
            (Carton { name: " ".into(), ..good.clone() }, "warehouse.carton_name"),
            (Carton { name: "M".into(), ..good.clone() }, "warehouse.carton_twice"),
            (Carton { inner_mm: [107, 100, 100], ..good.clone() }, "warehouse.carton_size"),
            (Carton { inner_mm: [0, 100, 100], ..good.clone() }, "warehouse.carton_size"),
            (Carton { max_g: 100, ..good.clone() }, "warehouse.carton_weight"),
            (Carton { cost: -1, ..good.clone() }, "warehouse.carton_cost"),
        ] {
            assert_eq!(code(&[carton("M", 200), bad]), Err(expected));
        }
        assert_eq!(code(&vec![good; 101]), Err("warehouse.too_many_cartons"));
    }
}
