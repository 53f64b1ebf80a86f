//! Routing rules: which locations an order may come from, and which first. Invariants: rules are tried in order and the first that fits an
//! order is the only one it meets; an order that none fits goes by priority and distance; a line that names its location is not routed.

use db::{Sql, Tx, settings};
use kernel::{Fault, Timestamp, refusals};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use utoipa::ToSchema;

const SETTING: &str = "routing_rules";
/// What the event of changed rules is about.
pub(crate) const SUBJECT: &str = "routing_rules";
/// Rules at most.
const MOST: usize = 100;
/// Characters of a name, and things that a rule lists, at most.
const LONGEST: usize = 80;

/// What becomes of the locations that a rule names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// They stand before the others, in the rule's order. (Fewer parcels still go before nearer ones.)
    Prefer,
    /// Nobody else ships, in the rule's order; what they do not have waits or is refused.
    Only,
    /// They do not ship.
    Never,
}

impl How {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Prefer, Self::Only, Self::Never];
    /// As the API names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prefer => "prefer",
            Self::Only => "only",
            Self::Never => "never",
        }
    }
}

/// Orders of a kind and where they come from. What is empty asks for nothing; all that is stated has to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoutingRule {
    /// As the order's timeline names it.
    pub name: String,
    /// Goes to one of these countries (ISO 3166 codes).
    #[serde(default)]
    pub countries: Vec<String>,
    /// Came through one of these channels (codes).
    #[serde(default)]
    pub channels: Vec<String>,
    /// Has one of these tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Express orders only.
    #[serde(default)]
    pub express: bool,
    /// Has at least so many units.
    #[serde(default)]
    pub units_from: Option<i64>,
    /// What becomes of the locations.
    pub how: How,
    /// Codes of locations, the first choice first.
    pub locations: Vec<String>,
}

/// What rules look at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub country: &'a str,
    pub channel: &'a str,
    pub tags: &'a [String],
    pub express: bool,
    pub units: i64,
}

impl RoutingRule {
    fn fits(&self, order: &Facts<'_>) -> bool {
        let one = |of: &[String], is: &str| of.is_empty() || of.iter().any(|o| o == is);
        one(&self.countries, order.country)
            && one(&self.channels, order.channel)
            && (self.tags.is_empty() || order.tags.iter().any(|tag| self.tags.contains(tag)))
            && (!self.express || order.express)
            && self.units_from.is_none_or(|least| order.units >= least)
    }
    /// Where a location stands: `None`, it may not ship; before all priorities where the rule prefers it.
    pub(crate) fn rank(&self, location: &str) -> Option<Option<usize>> {
        match (self.how, self.locations.iter().position(|code| code == location)) {
            (How::Never, Some(_)) | (How::Only, None) => None,
            (How::Never, None) => Some(None),
            (How::Prefer | How::Only, place) => Some(place),
        }
    }
    /// Which orders, in plain words.
    pub(crate) fn orders(&self) -> String {
        let mut parts = Vec::new();
        let mut list = |before: &str, of: &[String]| {
            if !of.is_empty() {
                parts.push(format!("{before} {}", of.join(" or ")));
            }
        };
        list("to", &self.countries);
        list("through", &self.channels);
        list("tagged", &self.tags);
        if self.express {
            parts.push("express".to_owned());
        }
        if let Some(units) = self.units_from {
            parts.push(format!("of {units} units or more"));
        }
        if parts.is_empty() { "All orders".to_owned() } else { format!("Orders {}", parts.join(", ")) }
    }
    /// What becomes of them, in plain words.
    pub(crate) fn route(&self) -> String {
        let places = self.locations.join(", then ");
        match self.how {
            How::Prefer => format!("{places} first, then the others"),
            How::Only => format!("only {places}"),
            How::Never => format!("never {}", self.locations.join(" or ")),
        }
    }
}

/// The first rule that fits.
pub(crate) fn rule_for<'a>(rules: &'a [RoutingRule], order: &Facts<'_>) -> Option<&'a RoutingRule> {
    rules.iter().find(|rule| rule.fits(order))
}

/// The rules in their order.
///
/// # Errors
/// A fault of the database.
pub async fn routing_rules(sql: &Sql) -> Result<Vec<RoutingRule>, Fault> {
    Ok(settings::get(sql, SETTING).await?.unwrap_or_default())
}

/// The rules that shall hold from now on, all of them.
#[derive(Debug, Clone)]
pub struct SetRouting {
    /// When.
    pub at: Timestamp,
    /// In their order.
    pub rules: Vec<RoutingRule>,
}

refusals! {
    /// Why rules are not taken.
    pub enum SetRoutingRefused {
        Gone { name: String } => Conflict, "orders.rule_gone", "There is no rule “{name}” any more: somebody has renamed or removed it. Look at the list again.";
        TooMany { most: usize } => Invalid, "orders.too_many_rules", "There are at most {most} routing rules.";
        NoName { rule: usize, most: usize } => Invalid, "orders.rule_without_name", "Rule {rule} needs a name of 1 to {most} characters.";
        SameName { rule: usize, name: String } => Invalid, "orders.rule_name_taken", "Rule {rule} has the name of another one: {name}.";
        TooLong { rule: usize, most: usize } => Invalid, "orders.rule_too_long", "Rule {rule} lists more than {most} things in one place.";
        UnknownCountry { rule: usize, country: String } => Invalid, "orders.rule_unknown_country", "Rule {rule}: “{country}” is not the two-letter code of a country, such as DE.";
        UnknownChannel { rule: usize, channel: String } => Invalid, "orders.rule_unknown_channel", "Rule {rule}: there is no sales channel “{channel}”.";
        BadUnits { rule: usize } => Invalid, "orders.rule_bad_units", "Rule {rule}: orders have 1 unit or more.";
        NoLocations { rule: usize } => Invalid, "orders.rule_without_locations", "Rule {rule} names no location.";
        UnknownLocation { rule: usize, location: String } => Invalid, "orders.rule_unknown_location", "Rule {rule}: there is no location “{location}”.";
    }
}

impl SetRoutingRefused {
    /// Which rule (counted from 1) and which of its fields is wrong.
    pub(crate) fn place(&self) -> Option<(usize, &'static str)> {
        match self {
            Self::Gone { .. } | Self::TooMany { .. } => None,
            Self::NoName { rule, .. } | Self::SameName { rule, .. } => Some((*rule, "name")),
            Self::UnknownCountry { rule, .. } => Some((*rule, "countries")),
            Self::UnknownChannel { rule, .. } => Some((*rule, "channels")),
            Self::BadUnits { rule } => Some((*rule, "units_from")),
            Self::NoLocations { rule } | Self::UnknownLocation { rule, .. } | Self::TooLong { rule, .. } => {
                Some((*rule, "locations"))
            }
        }
    }
}

/// The routing rules were changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RoutingChanged {
    /// All of them, in their order.
    pub rules: Vec<RoutingRule>,
}
kernel::fact!(RoutingChanged, "routing_rules.changed");

/// What rules may name.
struct Names {
    channels: HashSet<String>,
    locations: HashSet<String>,
}

fn check(rules: &[RoutingRule], names: &Names) -> Result<(), SetRoutingRefused> {
    if rules.len() > MOST {
        return Err(SetRoutingRefused::TooMany { most: MOST });
    }
    let mut taken: HashMap<&str, usize> = HashMap::new();
    for (rule, r) in (1..).zip(rules) {
        let name = r.name.trim();
        if !(1..=LONGEST).contains(&name.chars().count()) {
            return Err(SetRoutingRefused::NoName { rule, most: LONGEST });
        }
        if taken.insert(name, rule).is_some() {
            return Err(SetRoutingRefused::SameName { rule, name: name.to_owned() });
        }
        if [&r.countries, &r.channels, &r.tags, &r.locations].iter().any(|list| list.len() > LONGEST) {
            return Err(SetRoutingRefused::TooLong { rule, most: LONGEST });
        }
        if let Some(country) = r.countries.iter().find(|c| contact::country::name(c).is_none()) {
            return Err(SetRoutingRefused::UnknownCountry { rule, country: country.clone() });
        }
        if let Some(channel) = r.channels.iter().find(|c| !names.channels.contains(*c)) {
            return Err(SetRoutingRefused::UnknownChannel { rule, channel: channel.clone() });
        }
        if r.units_from.is_some_and(|units| units < 1) {
            return Err(SetRoutingRefused::BadUnits { rule });
        }
        if r.locations.is_empty() {
            return Err(SetRoutingRefused::NoLocations { rule });
        }
        if let Some(location) = r.locations.iter().find(|l| !names.locations.contains(*l)) {
            return Err(SetRoutingRefused::UnknownLocation { rule, location: location.clone() });
        }
    }
    Ok(())
}

/// Sets the rules: one outcome per item, in order; the last that was taken holds. Events: `routing_rules.changed` for each.
///
/// # Errors
/// A fault of the database.
pub async fn set_routing(tx: &Tx, batch: &[SetRouting]) -> Result<Vec<Result<(), SetRoutingRefused>>, Fault> {
    let channels = tx.column::<String>("SELECT code FROM channel", []).await?.into_iter().collect();
    let locations = inventory::locations(tx).await?.into_iter().map(|l| l.code).collect();
    let names = Names { channels, locations };
    let (mut outcomes, mut holds) = (Vec::with_capacity(batch.len()), None);
    for want in batch {
        let outcome = check(&want.rules, &names);
        if outcome.is_ok() {
            tx.record(want.at, SUBJECT, None, RoutingChanged { rules: want.rules.clone() })?;
            holds = Some(&want.rules);
        }
        outcomes.push(outcome);
    }
    if let Some(rules) = holds {
        settings::set(tx, SETTING, rules).await?;
    }
    Ok(outcomes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Refuse;

    fn rule(name: &str, how: How, locations: &[&str]) -> RoutingRule {
        RoutingRule {
            name: name.into(),
            countries: Vec::new(),
            channels: Vec::new(),
            tags: Vec::new(),
            express: false,
            units_from: None,
            how,
            locations: locations.iter().map(|l| (*l).to_owned()).collect(),
        }
    }
    fn texts(of: &[&str]) -> Vec<String> {
        of.iter().map(|t| (*t).to_owned()).collect()
    }

    #[test]
    fn the_first_rule_that_fits_is_the_only_one() {
        let abroad =
            RoutingRule { countries: texts(&["ES", "PT"]), ..rule("Iberia", How::Only, &["madrid"]) };
        let gifts =
            RoutingRule { tags: texts(&["gift"]), express: true, ..rule("Gifts", How::Prefer, &["shop"]) };
        let many = RoutingRule {
            units_from: Some(10),
            channels: texts(&["web"]),
            ..rule("Many", How::Never, &["shop"])
        };
        let rules = [abroad, gifts, many];
        let gift = texts(&["new", "gift"]);
        for (country, channel, tags, express, units, expected) in [
            ("ES", "web", &gift[..], true, 99, Some("Iberia")),
            ("DE", "web", &gift[..], true, 99, Some("Gifts")),
            ("DE", "web", &gift[..], false, 99, Some("Many")),
            ("DE", "web", &[], true, 10, Some("Many")),
            ("DE", "web", &[], true, 9, None),
            ("DE", "api", &[], true, 10, None),
        ] {
            let order = Facts { country, channel, tags, express, units };
            assert_eq!(rule_for(&rules, &order).map(|r| r.name.as_str()), expected, "{order:?}");
        }
    }

    #[test]
    fn a_rule_ranks_locations() {
        for (how, ranks) in [
            (How::Prefer, [Some(Some(0)), Some(Some(1)), Some(None)]),
            (How::Only, [Some(Some(0)), Some(Some(1)), None]),
            (How::Never, [None, None, Some(None)]),
        ] {
            let rule = rule("r", how, &["a", "b"]);
            assert_eq!(["a", "b", "c"].map(|l| rule.rank(l)), ranks, "{how:?}");
        }
    }

    #[test]
    fn rules_are_refused_by_their_fault() {
        let set = |of: &[&str]| of.iter().map(|o| (*o).to_owned()).collect();
        let names = Names { channels: set(&["web"]), locations: set(&["a"]) };
        let good = rule("Good", How::Only, &["a"]);
        for (wrong, code) in [
            (RoutingRule { name: " ".into(), ..good.clone() }, "orders.rule_without_name"),
            (RoutingRule { name: "Good ".into(), ..good.clone() }, "orders.rule_name_taken"),
            (
                RoutingRule { name: "x".into(), countries: texts(&["XX"]), ..good.clone() },
                "orders.rule_unknown_country",
            ),
            (
                RoutingRule { name: "x".into(), channels: texts(&["shop"]), ..good.clone() },
                "orders.rule_unknown_channel",
            ),
            (RoutingRule { name: "x".into(), units_from: Some(0), ..good.clone() }, "orders.rule_bad_units"),
            (
                RoutingRule { name: "x".into(), locations: vec![], ..good.clone() },
                "orders.rule_without_locations",
            ),
            (
                RoutingRule { name: "x".into(), locations: texts(&["b"]), ..good.clone() },
                "orders.rule_unknown_location",
            ),
            (
                RoutingRule { name: "x".into(), tags: vec!["t".into(); 81], ..good.clone() },
                "orders.rule_too_long",
            ),
        ] {
            let refused = check(&[good.clone(), wrong.clone()], &names).unwrap_err();
            assert_eq!(refused.code(), code, "{wrong:?}");
            assert_eq!(refused.place().map(|(rule, _)| rule), Some(2), "{wrong:?}");
        }
        assert_eq!(check(&vec![good.clone(); 101], &names).unwrap_err().code(), "orders.too_many_rules");
        assert!(check(&[good], &names).is_ok());
    }
}
