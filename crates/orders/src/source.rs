//! Which location ships which units, off a locked shelf: for new orders, for backorders, and for units that could not be had where they
//! were promised. Pure; the rules are the planner's.

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

/// Where an order goes.
pub(crate) struct Destination<'a> {
    pub country: &'a str,
    pub postal_code: Option<&'a str>,
    pub geo: Option<(f64, f64)>,
}

/// Units wanted of one line.
pub(crate) struct Wanted {
    pub quantity: i64,
    pub takes: Vec<(SkuId, i64)>,
    pub only: Option<LocationId>,
    pub except: Option<LocationId>,
}

/// Plans the units over the locations that have any, and takes them from the shelf. Lines that take no stock (services) are complete
/// without a location.
pub(crate) fn grant(
    shelf: &mut Shelf,
    locations: &HashMap<LocationId, Location>,
    to: &Destination<'_>,
    wanted: &[Wanted],
) -> (Vec<SourcedPart>, Vec<i64>) {
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
    let needs: Vec<Need> = wanted
        .iter()
        .map(|w| Need {
            quantity: if w.takes.is_empty() { 0 } else { w.quantity },
            takes: w.takes.iter().map(|(sku, pieces)| (item(sku), *pieces)).collect(),
            only: site(w.only),
            except: site(w.except),
        })
        .collect();
    let places: Vec<Site> = sites
        .iter()
        .filter_map(|id| locations.get(id))
        .map(|l| Site { priority: l.priority, distance_km: Some(distance(l, to)) })
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
    (parts, short)
}

/// Kilometres where both ends are known. Otherwise an order of nearness that never beats a known short way: the same country by how much
/// of the postal code agrees (codes are hierarchical almost everywhere), then other countries.
fn distance(from: &Location, to: &Destination<'_>) -> f64 {
    if let (Some(lat), Some(lon), Some((to_lat, to_lon))) = (from.lat, from.lon, to.geo) {
        return contact::geo::distance_km(lat, lon, to_lat, to_lon);
    }
    if from.country != to.country {
        return 5000.0;
    }
    let (a, b) = (from.postal_code.as_deref().unwrap_or(""), to.postal_code.unwrap_or(""));
    let agree = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    500.0 / (1.0 + agree as f64)
}
