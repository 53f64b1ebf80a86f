//! Which location ships which units, off a locked shelf: for new orders, for backorders, and for units that could not be had where they
//! were promised. Pure; the rules are the planner's.

use crate::routing::{Facts, RoutingRule, rule_for};
use catalog::SkuId;
use inventory::{Location, LocationId, Shelf};
use planner::sourcing::{Need, Plan, Site, source};
use std::collections::HashMap;

/// Units of a line (by index) from a location.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SourcedPart {
    pub line: usize,
    pub location: LocationId,
    pub quantity: i64,
}

/// Where an order goes, and what routing rules look at.
pub(crate) struct Destination<'a> {
    pub postal_code: Option<&'a str>,
    pub geo: Option<(f64, f64)>,
    pub facts: Facts<'a>,
}

/// What was found for an order.
pub(crate) struct Granted {
    pub parts: Vec<SourcedPart>,
    /// Units of each line that nobody has.
    pub short: Vec<i64>,
    /// The name of the routing rule it met.
    pub rule: Option<String>,
}

/// Units wanted of one line.
pub(crate) struct Wanted {
    pub quantity: i64,
    pub takes: Vec<(SkuId, i64)>,
    pub only: Option<LocationId>,
    pub except: Option<LocationId>,
}

/// Plans the units over the locations that have any and may ship it by the rules, and takes them from the shelf. Lines that take no stock (services) are complete
/// without a location.
pub(crate) fn grant(
    shelf: &mut Shelf,
    locations: &HashMap<LocationId, Location>,
    rules: &[RoutingRule],
    to: &Destination<'_>,
    wanted: &[Wanted],
) -> Granted {
    let mut items: Vec<SkuId> = wanted.iter().flat_map(|w| w.takes.iter().map(|(sku, _)| *sku)).collect();
    items.sort_unstable();
    items.dedup();
    let mut sites: Vec<LocationId> = items
        .iter()
        .flat_map(|sku| shelf.locations_of(*sku).map(|(location, _)| location).collect::<Vec<_>>())
        .filter(|location| locations.contains_key(location))
        .collect();
    sites.sort_unstable();
    sites.dedup();
    let mut free: Vec<Vec<i64>> =
        sites.iter().map(|site| items.iter().map(|sku| shelf.free(*sku, *site)).collect()).collect();
    let item = |sku: &SkuId| items.binary_search(sku).unwrap_or(usize::MAX);
    let site = |location: Option<LocationId>| location.map(|l| sites.binary_search(&l).unwrap_or(usize::MAX));
    let rule = rule_for(rules, &to.facts);
    let rank = |location: &Location| rule.map_or(Some(None), |rule| rule.rank(&location.code));
    let places: Vec<&Location> = sites.iter().filter_map(|id| locations.get(id)).collect();
    let barred: Vec<usize> = (0..).zip(&places).filter(|(_, l)| rank(l).is_none()).map(|(n, _)| n).collect();
    let needs: Vec<Need> = wanted
        .iter()
        .map(|w| Need {
            quantity: if w.takes.is_empty() { 0 } else { w.quantity },
            takes: w.takes.iter().map(|(sku, pieces)| (item(sku), *pieces)).collect(),
            only: site(w.only),
            except: match w.only {
                Some(_) => site(w.except).into_iter().collect(),
                None => site(w.except).into_iter().chain(barred.iter().copied()).collect(),
            },
        })
        .collect();
    let places: Vec<Site> = places
        .iter()
        .map(|l| {
            // Before all priorities, which are small.
            let preferred = rank(l).flatten().and_then(|place| i64::try_from(place).ok());
            let priority = preferred.map_or(l.priority, |place| i64::MIN + place);
            Site { priority, distance_km: Some(distance(l, to)) }
        })
        .collect();
    let Plan { parts, short } = source(&needs, &places, &mut free);
    let parts: Vec<SourcedPart> = parts
        .into_iter()
        .map(|p| SourcedPart { line: p.need, location: sites[p.site], quantity: p.quantity })
        .collect();
    for part in &parts {
        for (sku, pieces) in &wanted[part.line].takes {
            shelf.take(*sku, part.location, pieces * part.quantity);
        }
    }
    Granted { parts, short, rule: rule.map(|r| r.name.clone()) }
}

/// Kilometres where both ends are known. Otherwise an order of nearness that never beats a known short way: the same country by how much
/// of the postal code agrees (codes are hierarchical almost everywhere), then other countries.
fn distance(from: &Location, to: &Destination<'_>) -> f64 {
    if let (Some(lat), Some(lon), Some((to_lat, to_lon))) = (from.lat, from.lon, to.geo) {
        return contact::geo::distance_km(lat, lon, to_lat, to_lon);
    }
    if from.country != to.facts.country {
        return 5000.0;
    }
    let (a, b) = (from.postal_code.as_deref().unwrap_or(""), to.postal_code.unwrap_or(""));
    let agree = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    500.0 / (1.0 + agree as f64)
}
