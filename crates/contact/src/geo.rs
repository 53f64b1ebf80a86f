//! Distances on the globe. Invariant: symmetric, never negative, and zero for a point and itself.

/// Mean radius of the earth (IUGG), kilometres.
const EARTH_KM: f64 = 6_371.008_8;

/// Great-circle distance in kilometres between two points in decimal degrees (haversine; within 0.5 % of the truth,
/// because the earth is not quite a ball).
pub fn distance_km(lat_a: f64, lon_a: f64, lat_b: f64, lon_b: f64) -> f64 {
    let (phi_a, phi_b) = (lat_a.to_radians(), lat_b.to_radians());
    let half_lat = ((lat_b - lat_a).to_radians() / 2.0).sin();
    let half_lon = ((lon_b - lon_a).to_radians() / 2.0).sin();
    let chord = half_lat * half_lat + phi_a.cos() * phi_b.cos() * half_lon * half_lon;
    // rounding can push antipodes a hair above 1, where asin is not a number
    2.0 * EARTH_KM * chord.sqrt().min(1.0).asin()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_distances() {
        for (from, to, km) in [
            ((52.5200, 13.4050), (48.1374, 11.5755), 504.0), // Berlin – Munich
            ((40.6413, -73.7781), (51.4700, -0.4543), 5_540.0), // New York – London
            ((-33.8688, 151.2093), (-36.8485, 174.7633), 2_156.0), // Sydney – Auckland
            ((0.0, 179.5), (0.0, -179.5), 111.2),            // across the date line
            ((90.0, 0.0), (-90.0, 0.0), 20_015.0),           // pole to pole
        ] {
            let found = distance_km(from.0, from.1, to.0, to.1);
            assert!((found - km).abs() < km * 0.005, "{from:?} {to:?}: {found}");
        }
    }

    proptest! {
        #[test]
        fn symmetric_bounded_and_zero_at_home(
            a in (-90.0..=90.0, -180.0..=180.0), b in (-90.0..=90.0, -180.0..=180.0)
        ) {
            let (a, b): ((f64, f64), (f64, f64)) = (a, b);
            let there = distance_km(a.0, a.1, b.0, b.1);
            prop_assert!((0.0..=20_016.0).contains(&there));
            prop_assert!((there - distance_km(b.0, b.1, a.0, a.1)).abs() < 1e-6);
            prop_assert_eq!(distance_km(a.0, a.1, a.0, a.1), 0.0);
        }
    }
}
