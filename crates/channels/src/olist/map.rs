//! Where postal codes are. Invariant: a place is a median of real measurements, and says how near it is to the
//! postal code asked for; a few measurements are oceans away, so rows outside Brazil are rejected and the median
//! shrugs off the rest.

use std::collections::BTreeMap;

use super::files::GEOLOCATION;
use crate::sheet::{BadFile, Sheet, read_sheet};

/// A point on the map, in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Latitude, south negative.
    pub latitude: f64,
    /// Longitude, west negative.
    pub longitude: f64,
    /// What the point is the median of.
    pub precision: Precision,
}

/// How near a [`Place`] is to the postal code it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// The five digits themselves.
    Zip,
    /// All postal codes with the same first three digits.
    Area,
    /// All postal codes with the same first two digits.
    Region,
}

/// Medians per postal code and per its first three and two digits.
#[derive(Debug, Default)]
pub struct Map {
    medians: BTreeMap<String, (f64, f64)>,
}

impl Map {
    /// The place of a five-digit postal code; `None` when nothing near it was measured.
    pub fn place(&self, zip: &str) -> Option<Place> {
        let precisions = [(5, Precision::Zip), (3, Precision::Area), (2, Precision::Region)];
        precisions.into_iter().find_map(|(digits, precision)| {
            let (latitude, longitude) = *self.medians.get(zip.get(..digits)?)?;
            Some(Place { latitude, longitude, precision })
        })
    }
}

/// Five digits; leading zeros that a spreadsheet ate are put back.
pub(super) fn parse_zip(text: &str) -> Result<String, String> {
    let digits = !text.is_empty() && text.len() <= 5 && text.bytes().all(|b| b.is_ascii_digit());
    if digits { Ok(format!("{text:0>5}")) } else { Err(format!("{text:?} is not a five-digit postal code")) }
}

pub(super) fn read_map(bytes: &[u8]) -> Result<(Sheet, Map), BadFile> {
    let columns = ["geolocation_zip_code_prefix", "geolocation_lat", "geolocation_lng"];
    let (sheet, points) = read_sheet(GEOLOCATION, bytes, &columns, &[], |row| {
        let zip = parse_zip(row.get("geolocation_zip_code_prefix"))?;
        let degrees = |column: &str| {
            let text = row.get(column);
            text.parse::<f64>().map_err(|_| format!("{column} {text:?} is not a number of degrees"))
        };
        let (latitude, longitude) = (degrees("geolocation_lat")?, degrees("geolocation_lng")?);
        let in_brazil = (-34.0..=5.5).contains(&latitude) && (-74.1..=-28.5).contains(&longitude);
        if in_brazil {
            Ok((zip, (latitude, longitude)))
        } else {
            Err("the point is outside Brazil".to_owned())
        }
    })?;
    let mut groups: BTreeMap<String, (Vec<f64>, Vec<f64>)> = BTreeMap::new();
    for (zip, (latitude, longitude)) in points {
        for digits in [5, 3, 2] {
            let group = groups.entry(zip[..digits].to_owned()).or_default();
            group.0.push(latitude);
            group.1.push(longitude);
        }
    }
    let medians = groups.into_iter().map(|(zip, (lat, lng))| (zip, (median(lat), median(lng)))).collect();
    Ok((sheet, Map { medians }))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_the_nearest_group_is_taken() {
        let text = "geolocation_zip_code_prefix,geolocation_lat,geolocation_lng\n\
            01012,-23.5,-46.6\n1012,-23.7,-46.4\n01012,-20,-46.5\n01099,-10,-40\n01012,38.4,-6.3\n02x,1,1\n";
        let (sheet, map) = read_map(text.as_bytes()).unwrap();
        let place = |zip| map.place(zip).map(|p| (p.latitude, p.longitude, p.precision));
        assert_eq!(place("01012"), Some((-23.5, -46.5, Precision::Zip)));
        assert_eq!(place("01055"), Some((-21.75, -46.45, Precision::Area)));
        assert_eq!(place("01955"), Some((-21.75, -46.45, Precision::Region)));
        assert_eq!(place("99999"), None);
        assert_eq!((sheet.read, sheet.taken()), (6, 4));
        assert_eq!(sheet.rejected[0].reason, "the point is outside Brazil");
    }
}
