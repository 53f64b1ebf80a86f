//! Save locations: make them, or change those with the same code. Invariant: a location never changes sides: what lies there is ours for
//! ever, or never.

use crate::events::LocationSaved;
use crate::{Location, LocationId, LocationKind};
use catalog::SupplierId;
use contact::address::Address;
use db::{FromRow, Rows, Sql, Tx};
use kernel::{Fault, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Makes a location, or changes the one with this code. Country and postal code are the address's.
#[derive(Debug, Clone)]
pub struct SaveLocation {
    /// When.
    pub at: Timestamp,
    /// 1 to 64 printable characters; names the location for ever.
    pub code: String,
    /// What people read.
    pub name: String,
    /// What it is.
    pub kind: LocationKind,
    /// Whose it is: for a supplier's location, and only for one.
    pub supplier: Option<SupplierId>,
    /// Lower ships first; 100 is usual.
    pub priority: i64,
    /// Where parcels leave; the country is needed.
    pub address: Address,
    /// Degrees north; with `lon` or not at all.
    pub lat: Option<f64>,
    /// Degrees east.
    pub lon: Option<f64>,
    /// Whether orders are sourced from here.
    pub active: bool,
}

kernel::refusals! {
    /// Why a location was not saved, in order of precedence.
    pub enum SaveLocationRefused {
        BadCode { code: String } => Invalid, "inventory.bad_location_code", "A location's code has 1 to 64 printable characters, and no blanks at its ends; “{code}” has not.";
        NoName { code: String } => Invalid, "inventory.no_location_name", "Location {code} needs a name.";
        BadCountry { country: String } => Invalid, "inventory.bad_country", "“{country}” is not the two-letter code of a country, such as DE.";
        BadPosition { code: String } => Invalid, "inventory.bad_position", "The position of {code} is a latitude from -90 to 90 and a longitude from -180 to 180, or neither.";
        SupplierMismatch { code: String } => Invalid, "inventory.supplier_mismatch", "A location of kind supplier needs its supplier, and no other kind has one: {code} is different.";
        UnknownSupplier { supplier: SupplierId } => NotFound, "inventory.unknown_supplier", "There is no supplier {supplier}.";
        SideChanged { code: String, kind: String } => Conflict, "inventory.side_changed", "Location {code} is of kind {kind}: what lies there would change its owner. Use another code.";
    }
}

#[derive(FromRow)]
struct Row {
    id: LocationId,
    code: String,
    name: String,
    kind: LocationKind,
    supplier_id: Option<i64>,
    priority: i64,
    country: String,
    postal_code: Option<String>,
    address: String,
    lat: Option<f64>,
    lon: Option<f64>,
    active: bool,
}

impl Row {
    fn into_location(self) -> Result<Location, Fault> {
        Ok(Location {
            id: self.id,
            name: self.name,
            kind: self.kind,
            supplier: self.supplier_id.map(SupplierId),
            priority: self.priority,
            country: self.country,
            postal_code: self.postal_code,
            address: serde_json::from_str(&self.address).map_err(|e| {
                Fault::from(e).while_doing(format!("read the address of location {}", self.code))
            })?,
            lat: self.lat,
            lon: self.lon,
            active: self.active,
            code: self.code,
        })
    }
}

const COLUMNS: &str = "l.id, l.code, l.name, l.kind, l.supplier_id, l.priority, l.country, l.postal_code, l.address, l.lat, l.lon, l.active";

/// All locations, those that ship first at the front.
///
/// # Errors
/// A fault of the database.
pub async fn locations(sql: &Sql) -> Result<Vec<Location>, Fault> {
    let rows: Vec<Row> =
        sql.all(&format!("SELECT {COLUMNS} FROM location l ORDER BY l.priority, l.id"), []).await?;
    rows.into_iter().map(Row::into_location).collect()
}

/// Those of these locations that exist.
///
/// # Errors
/// A fault of the database.
pub async fn locations_by_id(sql: &Sql, ids: &[LocationId]) -> Result<HashMap<LocationId, Location>, Fault> {
    let mut input = Rows::new("id BIGINT");
    for id in ids.iter().copied().collect::<BTreeSet<_>>() {
        input.push([id.into()]);
    }
    let text = format!("SELECT {COLUMNS} FROM input JOIN location l ON l.id = input.id");
    let rows: Vec<Row> = sql.all_from(&input, &text, []).await?;
    rows.into_iter().map(|row| row.into_location().map(|l| (l.id, l))).collect()
}

/// The location with a code.
///
/// # Errors
/// A fault of the database.
pub(crate) async fn location_by_code(sql: &Sql, code: &str) -> Result<Option<Location>, Fault> {
    let row: Option<Row> =
        sql.one(&format!("SELECT {COLUMNS} FROM location l WHERE l.code = $1"), [code.into()]).await?;
    row.map(Row::into_location).transpose()
}

/// Saves locations by code, in order; of a repeated code the last counts. Events: `location.saved` for each that is new or changed.
///
/// # Errors
/// A fault of the database.
pub async fn save_locations(
    tx: &Tx,
    batch: &[SaveLocation],
) -> Result<Vec<Result<LocationId, SaveLocationRefused>>, Fault> {
    let mut codes = Rows::new("code TEXT");
    for code in batch.iter().map(|l| l.code.as_str()).collect::<BTreeSet<_>>() {
        codes.push([code.into()]);
    }
    let text = format!(
        "SELECT {COLUMNS} FROM location l JOIN input ON input.code = l.code ORDER BY l.id /*pg FOR NO KEY UPDATE OF l */"
    );
    let rows: Vec<Row> = tx.all_from(&codes, &text, []).await?;
    let mut known = BTreeMap::new();
    for row in rows {
        let location = row.into_location()?;
        known.insert(location.code.clone(), (location, None));
    }
    let suppliers = known_suppliers(tx, batch).await?;
    let outcomes = batch.iter().map(|want| decide(&mut known, &suppliers, want, || tx.id())).collect();
    apply(tx, &known).await?;
    Ok(outcomes)
}

async fn known_suppliers(tx: &Tx, batch: &[SaveLocation]) -> Result<HashSet<SupplierId>, Fault> {
    #[derive(FromRow)]
    struct IdRow {
        id: SupplierId,
    }
    let mut input = Rows::new("id BIGINT");
    for id in batch.iter().filter_map(|l| l.supplier).collect::<BTreeSet<_>>() {
        input.push([id.into()]);
    }
    let rows: Vec<IdRow> =
        tx.all_from(&input, "SELECT s.id FROM supplier s JOIN input ON input.id = s.id", []).await?;
    Ok(rows.into_iter().map(|r| r.id).collect())
}

/// A location by its code, and when it is to be written: the time, and whether it is new.
type Known = BTreeMap<String, (Location, Option<(Timestamp, bool)>)>;

fn check(want: &SaveLocation) -> Result<(), SaveLocationRefused> {
    let code = || want.code.clone();
    let length = want.code.chars().count();
    if !(1..=64).contains(&length) || want.code.trim() != want.code || want.code.chars().any(char::is_control)
    {
        return Err(SaveLocationRefused::BadCode { code: code() });
    }
    if want.name.trim().is_empty() {
        return Err(SaveLocationRefused::NoName { code: code() });
    }
    if contact::country::name(&want.address.country).is_none() {
        return Err(SaveLocationRefused::BadCountry { country: want.address.country.clone() });
    }
    let fine = match (want.lat, want.lon) {
        (None, None) => true,
        (Some(lat), Some(lon)) => (-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon),
        _ => false,
    };
    if !fine {
        return Err(SaveLocationRefused::BadPosition { code: code() });
    }
    if want.kind.owned() == want.supplier.is_some() {
        return Err(SaveLocationRefused::SupplierMismatch { code: code() });
    }
    Ok(())
}

/// Pure: takes the item into what is known, or says why not.
fn decide(
    known: &mut Known,
    suppliers: &HashSet<SupplierId>,
    want: &SaveLocation,
    new_id: impl FnOnce() -> LocationId,
) -> Result<LocationId, SaveLocationRefused> {
    check(want)?;
    if let Some(supplier) = want.supplier.filter(|s| !suppliers.contains(s)) {
        return Err(SaveLocationRefused::UnknownSupplier { supplier });
    }
    let before = known.get(&want.code);
    if let Some((location, _)) = before
        && location.owned() != want.kind.owned()
    {
        return Err(SaveLocationRefused::SideChanged {
            code: want.code.clone(),
            kind: location.kind.to_string(),
        });
    }
    let (id, new) = match before {
        Some((location, write)) => (location.id, write.is_some_and(|(_, new)| new)),
        None => (new_id(), true),
    };
    let location = Location {
        id,
        code: want.code.clone(),
        name: want.name.trim().to_owned(),
        kind: want.kind,
        supplier: want.supplier,
        priority: want.priority,
        country: want.address.country.clone(),
        postal_code: want.address.postal_code.clone(),
        address: want.address.clone(),
        lat: want.lat,
        lon: want.lon,
        active: want.active,
    };
    if before.is_none_or(|(same, _)| *same != location) {
        known.insert(want.code.clone(), (location, Some((want.at, new))));
    }
    Ok(id)
}

async fn apply(tx: &Tx, known: &Known) -> Result<(), Fault> {
    const SPEC: &str = "id BIGINT, code TEXT, name TEXT, kind TEXT, supplier_id BIGINT?, priority BIGINT, country TEXT, postal_code TEXT?, \
         address TEXT, lat DOUBLE?, lon DOUBLE?, active BOOLEAN, created_at BIGINT";
    let (mut new, mut changed) = (Rows::new(SPEC), Rows::new(SPEC));
    for (location, write) in known.values() {
        let Some((at, is_new)) = *write else { continue };
        let rows = if is_new { &mut new } else { &mut changed };
        rows.push([
            location.id.into(),
            location.code.as_str().into(),
            location.name.as_str().into(),
            location.kind.as_str().into(),
            location.supplier.map(|s| s.0).into(),
            location.priority.into(),
            location.country.as_str().into(),
            location.postal_code.clone().into(),
            serde_json::to_string(&location.address)?.into(),
            location.lat.into(),
            location.lon.into(),
            location.active.into(),
            at.into(),
        ]);
        let fact = LocationSaved { location: location.id, code: location.code.clone(), new: is_new };
        tx.record(at, location.id, None, fact)?;
    }
    tx.insert("location", &new).await?;
    let text = "UPDATE location SET name = input.name, kind = input.kind, supplier_id = input.supplier_id, priority = input.priority, \
         country = input.country, postal_code = input.postal_code, address = input.address, lat = input.lat, lon = input.lon, \
         active = input.active FROM input WHERE location.id = input.id";
    tx.exec_from(&changed, text, []).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Refuse;

    fn want(code: &str) -> SaveLocation {
        SaveLocation {
            at: Timestamp(0),
            code: code.into(),
            name: "A place".into(),
            kind: LocationKind::Warehouse,
            supplier: None,
            priority: 100,
            address: Address { country: "DE".into(), ..Address::default() },
            lat: None,
            lon: None,
            active: true,
        }
    }

    #[test]
    fn every_refusal_has_its_case() {
        let suppliers = HashSet::from([SupplierId(7)]);
        let mut known = Known::new();
        let mut save = |item: &SaveLocation| {
            decide(&mut known, &suppliers, item, || LocationId(1)).map_err(|r| r.code())
        };
        assert_eq!(save(&want("HOME")), Ok(LocationId(1)));
        let theirs =
            SaveLocation { kind: LocationKind::Supplier, supplier: Some(SupplierId(7)), ..want("THEIRS") };
        assert!(save(&theirs).is_ok());
        let address = Address { country: "QQ".into(), ..Address::default() };
        for (item, code) in [
            (want(" x"), "inventory.bad_location_code"),
            (SaveLocation { name: String::new(), ..want("A") }, "inventory.no_location_name"),
            (SaveLocation { address, ..want("A") }, "inventory.bad_country"),
            (SaveLocation { lat: Some(1.0), ..want("A") }, "inventory.bad_position"),
            (SaveLocation { lat: Some(91.0), lon: Some(0.0), ..want("A") }, "inventory.bad_position"),
            (SaveLocation { supplier: Some(SupplierId(7)), ..want("A") }, "inventory.supplier_mismatch"),
            (SaveLocation { kind: LocationKind::Supplier, ..want("A") }, "inventory.supplier_mismatch"),
            (SaveLocation { supplier: Some(SupplierId(8)), ..theirs.clone() }, "inventory.unknown_supplier"),
            (SaveLocation { code: "HOME".into(), ..theirs.clone() }, "inventory.side_changed"),
        ] {
            assert_eq!(save(&item), Err(code), "{item:?}");
        }
        assert_eq!(
            save(&SaveLocation { kind: LocationKind::ThirdParty, ..want("HOME") }),
            Ok(LocationId(1)),
            "still ours"
        );
    }
}
