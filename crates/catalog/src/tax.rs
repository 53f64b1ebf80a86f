//! Tax rates by country, region and tax class. Invariant: a region's own rate goes before its country's.

use crate::events::{TaxRateRemoved, TaxRateSet};
use db::{FromRow, Rows, Sql, Tx};
use kernel::Fault;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Sets a rate.
#[derive(Debug, Clone)]
pub struct SetTaxRate {
    /// ISO 3166 code in capitals.
    pub country: String,
    /// Region of the country; `None` for all of it.
    pub region: Option<String>,
    /// The tax class of SKUs.
    pub class: String,
    /// Parts per million, 0 to 1,000,000: 190,000 is 19 %.
    pub rate_ppm: i64,
}

impl SetTaxRate {
    /// The field that is wrong, and what is wrong with it.
    pub(crate) fn wrong(&self) -> Option<(&'static str, &'static str)> {
        if self.country != ELSEWHERE && contact::country::name(&self.country).is_none() {
            let says = "This is not the two-letter code of a country, such as DE, nor * for all others.";
            return Some(("country", says));
        }
        if !(0..=1_000_000).contains(&self.rate_ppm) {
            return Some(("rate_ppm", "A rate is between 0 and 1,000,000 parts per million."));
        }
        (self.class.trim().is_empty()).then_some(("tax_class", "A rate needs a tax class, such as standard."))
    }
}

/// Takes a rate away.
#[derive(Debug, Clone)]
pub struct RemoveTaxRate {
    /// ISO 3166 code in capitals.
    pub country: String,
    /// Region of the country; `None` for the rate of all of it.
    pub region: Option<String>,
    /// The tax class of SKUs.
    pub class: String,
}

kernel::refusals! {
    /// Why a rate was not removed.
    pub enum RemoveTaxRateRefused {
        NotSet { country: String, class: String } => NotFound, "catalog.tax_rate_not_set", "There is no rate of class {class} for {country}.";
    }
}

/// A rate that is set.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct TaxRate {
    /// ISO 3166 code in capitals.
    pub country: String,
    /// Region of the country; empty for all of it.
    pub region: String,
    /// The tax class of SKUs.
    pub tax_class: String,
    /// Parts per million.
    pub rate_ppm: i64,
}

/// The rates to look up in.
#[derive(Debug, Clone, Default)]
pub struct TaxRates {
    /// Country → class → region → rate.
    by_country: HashMap<String, HashMap<String, HashMap<String, i64>>>,
}

/// The country of rates for destinations without rates of their own.
pub const ELSEWHERE: &str = "*";

impl TaxRates {
    /// Rates from rows.
    pub fn of(rows: impl IntoIterator<Item = TaxRate>) -> Self {
        let mut rates = Self::default();
        for row in rows {
            let classes = rates.by_country.entry(row.country).or_default();
            classes.entry(row.tax_class).or_default().insert(row.region, row.rate_ppm);
        }
        rates
    }
    /// The rate of a class in parts per million: the region's own, else the country's, else that of [`ELSEWHERE`]; `None` when none of
    /// them is set.
    pub fn rate(&self, country: &str, region: Option<&str>, class: &str) -> Option<i64> {
        let of = |country: &str| {
            let regions = self.by_country.get(country)?.get(class)?;
            region.and_then(|r| regions.get(r)).or_else(|| regions.get("")).copied()
        };
        of(country).or_else(|| of(ELSEWHERE))
    }
    /// Whether something is taxed otherwise in one region of a country than in another.
    pub fn differ(&self, country: &str, one: Option<&str>, other: Option<&str>) -> bool {
        let classes = self.by_country.get(country).into_iter().flat_map(HashMap::keys);
        one != other && { classes }.any(|c| self.rate(country, one, c) != self.rate(country, other, c))
    }
    /// Whether the merchant has set no rate at all: then nothing is taxed.
    pub fn is_empty(&self) -> bool {
        self.by_country.is_empty()
    }
}

/// All rates, to look up in.
///
/// # Errors
/// A fault of the database.
pub async fn tax_rates(sql: &Sql) -> Result<TaxRates, Fault> {
    Ok(TaxRates::of(all_rates(sql).await?))
}

/// All rates in order.
///
/// # Errors
/// A fault of the database.
pub(crate) async fn all_rates(sql: &Sql) -> Result<Vec<TaxRate>, Fault> {
    sql.all(
        "SELECT country, region, tax_class, rate_ppm FROM tax_rate ORDER BY country, region, tax_class",
        [],
    )
    .await
}

/// Sets rates; of a repeated one the last counts. Events: `tax_rate.set` for each.
///
/// # Errors
/// A fault of the database, also when a rate is not between 0 and 1,000,000.
pub async fn set_tax_rates(tx: &Tx, batch: &[SetTaxRate]) -> Result<(), Fault> {
    let wanted: BTreeMap<_, i64> = batch
        .iter()
        .map(|r| ((r.country.as_str(), r.region.as_deref().unwrap_or(""), r.class.as_str()), r.rate_ppm))
        .collect();
    let mut rows = Rows::new("country TEXT, region TEXT, tax_class TEXT, rate_ppm BIGINT");
    for ((country, region, class), rate_ppm) in wanted {
        rows.push([country.into(), region.into(), class.into(), rate_ppm.into()]);
        let region = (!region.is_empty()).then(|| region.to_owned());
        let fact = TaxRateSet { country: country.to_owned(), region, class: class.to_owned(), rate_ppm };
        tx.record(tx.now(), format_args!("tax_rate:{country}"), None, fact)?;
    }
    let text = "INSERT INTO tax_rate (country, region, tax_class, rate_ppm) SELECT country, region, tax_class, rate_ppm FROM input \
         WHERE TRUE ON CONFLICT (country, region, tax_class) DO UPDATE SET rate_ppm = excluded.rate_ppm";
    tx.exec_from(&rows, text, []).await?;
    Ok(())
}

/// Removes rates; one outcome each, in order. Orders that are placed keep what they were placed with. Events: `tax_rate.removed`.
///
/// # Errors
/// A fault of the database.
pub async fn remove_tax_rates(
    tx: &Tx,
    batch: &[RemoveTaxRate],
) -> Result<Vec<Result<(), RemoveTaxRateRefused>>, Fault> {
    let mut there: BTreeSet<(String, String, String)> =
        all_rates(tx).await?.into_iter().map(|r| (r.country, r.region, r.tax_class)).collect();
    let mut gone = Rows::new("country TEXT, region TEXT, tax_class TEXT");
    let mut outcomes = Vec::with_capacity(batch.len());
    for want in batch {
        let region = want.region.clone().unwrap_or_default();
        if !there.remove(&(want.country.clone(), region.clone(), want.class.clone())) {
            let (country, class) = (want.country.clone(), want.class.clone());
            outcomes.push(Err(RemoveTaxRateRefused::NotSet { country, class }));
            continue;
        }
        gone.push([want.country.as_str().into(), region.as_str().into(), want.class.as_str().into()]);
        let fact = TaxRateRemoved {
            country: want.country.clone(),
            region: want.region.clone(),
            class: want.class.clone(),
        };
        tx.record(tx.now(), format_args!("tax_rate:{}", want.country), None, fact)?;
        outcomes.push(Ok(()));
    }
    let text = "DELETE FROM tax_rate WHERE EXISTS (SELECT 1 FROM input WHERE input.country = tax_rate.country \
         AND input.region = tax_rate.region AND input.tax_class = tax_rate.tax_class)";
    tx.exec_from(&gone, text, []).await?;
    Ok(outcomes)
}

/// A rate as people read it: 190,000 is `19`, 77,500 is `7.75`.
pub(crate) fn percent(rate_ppm: i64) -> String {
    let text = format!("{}.{:04}", rate_ppm / 10_000, rate_ppm % 10_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_read_as_they_are_typed() {
        for (ppm, text) in [(190_000, "19"), (77_500, "7.75"), (0, "0"), (1_000_000, "100"), (1, "0.0001")] {
            assert_eq!(percent(ppm), text);
            assert_eq!(kernel::money::parse_decimal(text, 4), Ok(ppm));
        }
    }

    #[test]
    fn the_region_goes_before_the_country() {
        let row = |country: &str, region: &str, tax_class: &str, rate_ppm| TaxRate {
            country: country.into(),
            region: region.into(),
            tax_class: tax_class.into(),
            rate_ppm,
        };
        let rates = TaxRates::of([
            row("ES", "", "standard", 210_000),
            row("ES", "CN", "standard", 70_000),
            row("US", "OR", "standard", 0),
        ]);
        for (country, region, class, rate) in [
            ("ES", None, "standard", Some(210_000)),
            ("ES", Some("MD"), "standard", Some(210_000)),
            ("ES", Some("CN"), "standard", Some(70_000)),
            ("ES", Some("CN"), "reduced", None),
            ("US", Some("OR"), "standard", Some(0)),
            ("US", None, "standard", None),
            ("DE", None, "standard", None),
        ] {
            assert_eq!(rates.rate(country, region, class), rate, "{country} {region:?} {class}");
        }
    }
}
