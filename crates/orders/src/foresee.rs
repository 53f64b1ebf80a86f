//! Foresee from where orders that are not placed yet would leave. Invariant: nothing is locked or taken, and of the same stock the choice is
//! the one that placing makes.

use crate::routing::{Facts, RoutingRule, routing_rules};
use crate::source::{Destination, Granted, SourcedPart, Wanted, grant};
use catalog::{Sku, SkuId};
use db::Sql;
use inventory::{Location, LocationId};
use kernel::Fault;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// An order that somebody thinks of: by hand, without tags and not express, as far as routing rules ask.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// ISO 3166-1 alpha-2 of the destination.
    pub country: String,
    /// Postal code of the destination.
    pub postal_code: Option<String>,
    /// Codes or barcodes, and units of each.
    pub lines: Vec<(String, i64)>,
}

/// What would leave one location.
#[derive(Debug, Clone, PartialEq)]
pub struct Departure {
    /// Which.
    pub location: Location,
    /// Codes and units.
    pub units: Vec<(String, i64)>,
    /// Grams of the units whose weight is known.
    pub weight_g: i64,
}

/// What would become of a draft.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Foreseen {
    /// What leaves where, those that ship first at the front. Units that nobody has are with the first one.
    pub departures: Vec<Departure>,
    /// Units that nobody has.
    pub missing: i64,
    /// Texts that are no SKU of ours.
    pub unknown: Vec<String>,
    /// SKUs whose weight is not known.
    pub unweighed: Vec<String>,
}

/// What drafts are looked at with.
struct World {
    meant: HashMap<String, SkuId>,
    skus: HashMap<SkuId, Arc<Sku>>,
    pieces: HashMap<SkuId, Arc<Sku>>,
    locations: HashMap<LocationId, Location>,
    rules: Vec<RoutingRule>,
    shelf: inventory::Shelf,
}

/// Foresees drafts, one answer each, in order; each as if it were the only one.
///
/// # Errors
/// A fault of the database.
pub async fn foresee(sql: &Sql, drafts: &[Draft]) -> Result<Vec<Foreseen>, Fault> {
    let texts: Vec<&str> = drafts.iter().flat_map(|d| &d.lines).map(|(text, _)| text.as_str()).collect();
    let meant = catalog::skus_by_scan(sql, &texts).await?;
    let ids: Vec<SkuId> = meant.values().copied().collect();
    let skus = catalog::skus_by_id(sql, &ids).await?;
    let mut stocked: Vec<SkuId> = skus.values().flat_map(|s| s.takes()).map(|(id, _)| id).collect();
    stocked.sort_unstable();
    stocked.dedup();
    let world = World {
        pieces: catalog::skus_by_id(sql, &stocked).await?,
        shelf: inventory::look(sql, &stocked).await?,
        locations: inventory::locations(sql)
            .await?
            .into_iter()
            .filter(|l| l.active)
            .map(|l| (l.id, l))
            .collect(),
        rules: routing_rules(sql).await?,
        meant,
        skus,
    };
    Ok(drafts.iter().map(|draft| decide(&world, draft)).collect())
}

/// Pure.
fn decide(world: &World, draft: &Draft) -> Foreseen {
    let mut seen = Foreseen::default();
    let mut lines: Vec<(&Sku, i64)> = Vec::new();
    for (text, quantity) in &draft.lines {
        match world.meant.get(text).and_then(|id| world.skus.get(id)) {
            Some(sku) if !sku.takes().is_empty() => lines.push((sku, (*quantity).max(0))),
            Some(_) => {}
            None => seen.unknown.push(text.clone()),
        }
    }
    let wanted: Vec<Wanted> = lines
        .iter()
        .map(|(sku, quantity)| Wanted { quantity: *quantity, takes: sku.takes(), only: None, except: None })
        .collect();
    let facts = Facts {
        country: &draft.country,
        channel: "manual",
        tags: &[],
        express: false,
        units: wanted.iter().map(|w| w.quantity).sum(),
    };
    let to = Destination { postal_code: draft.postal_code.as_deref(), geo: None, facts };
    let Granted { mut parts, short, .. } =
        grant(&mut world.shelf.clone(), &world.locations, &world.rules, &to, &wanted);
    seen.missing = short.iter().sum();
    let rank = |id: &LocationId| world.locations.get(id).map(|l| (l.priority, l.id));
    let first = parts.iter().map(|p| p.location).min_by_key(rank);
    if let Some(location) = first.or_else(|| world.locations.keys().copied().min_by_key(rank)) {
        let missing = short.iter().enumerate().filter(|(_, units)| **units > 0);
        parts.extend(missing.map(|(line, units)| SourcedPart { line, location, quantity: *units }));
    }
    let mut leaving: BTreeMap<(i64, LocationId), Departure> = BTreeMap::new();
    for part in parts.iter().filter(|p| p.quantity > 0) {
        let Some(location) = world.locations.get(&part.location) else { continue };
        let at = leaving.entry((location.priority, location.id)).or_insert_with(|| Departure {
            location: location.clone(),
            units: Vec::new(),
            weight_g: 0,
        });
        let sku = lines[part.line].0;
        let weight = weight(world, sku);
        if weight.is_none() && !seen.unweighed.contains(&sku.code) {
            seen.unweighed.push(sku.code.clone());
        }
        at.weight_g = at.weight_g.saturating_add(weight.unwrap_or(0).saturating_mul(part.quantity));
        match at.units.iter_mut().find(|(code, _)| *code == sku.code) {
            Some((_, units)) => *units += part.quantity,
            None => at.units.push((sku.code.clone(), part.quantity)),
        }
    }
    seen.departures = leaving.into_values().collect();
    seen
}

/// Grams of a unit: its own, else what its components weigh.
fn weight(world: &World, sku: &Sku) -> Option<i64> {
    sku.weight_g.or_else(|| {
        let of = |(id, pieces): (SkuId, i64)| Some(world.pieces.get(&id)?.weight_g?.saturating_mul(pieces));
        let each: Option<Vec<i64>> = sku.takes().into_iter().map(of).collect();
        each.map(|grams| grams.into_iter().fold(0, i64::saturating_add))
    })
}
