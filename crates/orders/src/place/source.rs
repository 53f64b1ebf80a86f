//! Sourcing of a new order, with its cart's reservation. Pure.

use super::load::World;
use super::{IfOutOfStock, Place, PlaceRefused};
use crate::routing::Facts;
use crate::source::{Destination, Granted, SourcedPart, Wanted, grant};
use catalog::Sku;
use inventory::Shelf;
use std::sync::Arc;

/// Sources an order; what is granted is taken from the shelf, a reservation's own units first given back to it.
pub(crate) fn decide(world: &mut World, want: &Place, skus: &[Arc<Sku>]) -> Result<Granted, PlaceRefused> {
    let reserved = match want.reservation {
        None => Vec::new(),
        Some(id) => world.reservations.remove(&id).flatten().ok_or(PlaceRefused::ReservationOver)?,
    };
    for (sku, location, quantity) in &reserved {
        world.shelf.give(*sku, *location, *quantity);
    }
    let wanted: Vec<Wanted> = want
        .lines
        .iter()
        .zip(skus)
        .map(|(line, sku)| Wanted {
            quantity: line.quantity,
            takes: sku.takes(),
            only: line.location,
            except: None,
        })
        .collect();
    let to = Destination {
        postal_code: want.ship_to.postal_code.as_deref(),
        geo: want.ship_to_geo,
        facts: Facts {
            country: &want.ship_to.country,
            channel: &want.channel,
            tags: &want.tags,
            express: want.express,
            units: want.lines.iter().map(|line| line.quantity).sum(),
        },
    };
    let Granted { parts, short, rule } =
        grant(&mut world.shelf, &world.locations, &world.rules, &to, &wanted);
    let missing = (0..short.len()).find(|i| short[*i] > 0);
    if let Some(line) = missing.filter(|_| want.if_out_of_stock == IfOutOfStock::Refuse) {
        give_back(&mut world.shelf, &wanted, &parts);
        for (sku, location, quantity) in &reserved {
            world.shelf.take(*sku, *location, *quantity);
        }
        if let Some(id) = want.reservation {
            world.reservations.insert(id, Some(reserved));
        }
        let wanted = want.lines[line].quantity;
        let sku = want.lines[line].sku.clone();
        return Err(PlaceRefused::OutOfStock { sku, wanted, free: wanted - short[line] });
    }
    Ok(Granted { parts, short, rule })
}

fn give_back(shelf: &mut Shelf, wanted: &[Wanted], parts: &[SourcedPart]) {
    for part in parts {
        for (sku, pieces) in &wanted[part.line].takes {
            shelf.give(*sku, part.location, pieces * part.quantity);
        }
    }
}
