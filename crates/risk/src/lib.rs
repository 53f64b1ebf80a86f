//! Risk: signals of an order → a score with reasons in plain words, and whether a person must look at it.
//!
//! Invariants: the decision is pure and monotone (a worse signal never lowers the score); an assessment is written once, its verdict once;
//! totals of all currencies are compared in the base currency.

pub mod worth;

use db::FromRow;
use db::{Rows, Tx};
use kernel::{Actor, Currency, Fault, Money, Timestamp};
use serde::{Deserialize, Serialize};

/// What is known of an order when it is placed.
#[derive(Debug, Clone, Default)]
pub struct Signals {
    /// Total in minor units of the base currency: exact in that currency, [`worth::about`] so much in another.
    pub total: i64,
    /// The e-mail's domain hands out throw-away addresses.
    pub disposable_email: bool,
    /// Other orders with this e-mail in the last 24 hours.
    pub same_email_24h: i64,
    /// Other orders from this IP address in the last 24 hours.
    pub same_ip_24h: i64,
    /// Countries of billing and shipping differ.
    pub countries_differ: bool,
    /// Names or postal codes of billing and shipping differ.
    pub addresses_differ: bool,
    /// The customer was first seen with this order.
    pub new_customer: bool,
    /// It is to be paid on delivery.
    pub pays_on_delivery: bool,
}

/// The merchant's rules; the setting `risk_rules`.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// Totals from here score (minor units of the base currency).
    pub large_total: i64,
    /// Totals from here score twice (minor units of the base currency).
    pub very_large_total: i64,
    /// More orders than this in 24 hours score.
    pub velocity: i64,
    /// Orders of this score or more are held for review.
    pub hold_at: i64,
}
impl Default for Rules {
    fn default() -> Self {
        Self { large_total: 50_000, very_large_total: 200_000, velocity: 3, hold_at: 50 }
    }
}
impl Rules {
    /// What holds where the merchant set nothing: totals from about 500 and 2,000 euros.
    pub fn in_base(base: Currency) -> Self {
        let standard = Self::default();
        let Ok(euro) = "EUR".parse() else { return standard };
        let about = |minor| worth::about(Money::new(minor, euro), base);
        Self {
            large_total: about(standard.large_total),
            very_large_total: about(standard.very_large_total),
            ..standard
        }
    }
    /// The merchant's, as they are kept: what they leave out is as in [`Rules::in_base`].
    fn kept(base: Currency, text: &str) -> Result<Self, serde_json::Error> {
        let kept: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text)?;
        let mut all = serde_json::to_value(Self::in_base(base))?;
        if let Some(all) = all.as_object_mut() {
            all.extend(kept);
        }
        serde_json::from_value(all)
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// 0 to 100.
    pub score: i64,
    /// Why, for the reviewer.
    pub reasons: Vec<String>,
    /// Whether a person must look at it.
    pub hold: bool,
}

/// Decides. Each signal adds its points and its reason.
pub fn decide(rules: &Rules, s: &Signals) -> Assessment {
    let mut reasons = Vec::new();
    let mut score = 0;
    let mut add = |points: i64, holds: bool, reason: String| {
        if holds {
            score += points;
            reasons.push(reason);
        }
    };
    add(20, s.total >= rules.large_total, "The total is unusually large.".into());
    add(30, s.total >= rules.very_large_total, "The total is very large.".into());
    add(40, s.disposable_email, "The e-mail address is from a throw-away provider.".into());
    add(
        40,
        s.same_email_24h > rules.velocity,
        format!("{} other orders with this e-mail in 24 hours.", s.same_email_24h),
    );
    add(
        40,
        s.same_ip_24h > rules.velocity,
        format!("{} other orders from this IP address in 24 hours.", s.same_ip_24h),
    );
    add(30, s.countries_differ, "Billing and shipping are in different countries.".into());
    add(15, s.addresses_differ && !s.countries_differ, "Billing and shipping addresses differ.".into());
    add(10, s.new_customer && s.total >= rules.large_total, "A large first order.".into());
    add(
        10,
        s.pays_on_delivery && s.total >= rules.large_total,
        "A large order to be paid on delivery.".into(),
    );
    let score = score.min(100);
    Assessment { score, reasons, hold: score >= rules.hold_at }
}

/// The merchant's rules, or the defaults, with the currency their totals are in.
///
/// # Errors
/// A fault of the database or of an unreadable setting.
pub async fn rules(tx: &Tx) -> Result<(Rules, Currency), Fault> {
    // Both in one question: it is asked in every batch of orders.
    let text = "SELECT key, value FROM setting WHERE key IN ('risk_rules', 'base_currency')";
    let settings: Vec<Setting> = tx.all(text, []).await?;
    let of = |key: &str| settings.iter().find(|s| s.key == key).map(|s| s.value.as_str());
    let base: Currency = of("base_currency").map_or_else(|| Ok("EUR".parse()?), read)?;
    let rules = match of("risk_rules") {
        None => Rules::in_base(base),
        Some(text) => {
            Rules::kept(base, text).map_err(|e| Fault::from(e).while_doing("read setting risk_rules"))?
        }
    };
    Ok((rules, base))
}

fn read(text: &str) -> Result<Currency, Fault> {
    serde_json::from_str(text).map_err(|e| Fault::from(e).while_doing("read setting base_currency"))
}

#[derive(FromRow)]
struct Setting {
    key: String,
    value: String,
}

/// Writes assessments of orders (raw ids).
///
/// # Errors
/// A fault of the database.
pub async fn keep(tx: &Tx, assessed: &[(i64, Timestamp, Assessment)]) -> Result<(), Fault> {
    let mut rows = Rows::new("order_id BIGINT, score BIGINT, reasons TEXT, held BOOLEAN, at BIGINT");
    for (order, at, a) in assessed {
        rows.push([
            (*order).into(),
            a.score.into(),
            serde_json::to_string(&a.reasons)?.into(),
            a.hold.into(),
            (*at).into(),
        ]);
    }
    if !rows.is_empty() {
        tx.insert("risk_assessment", &rows).await?;
    }
    Ok(())
}

/// A reviewer's verdict on an order.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The order's raw id.
    pub order: i64,
    /// When.
    pub at: Timestamp,
    /// Good, or not.
    pub approved: bool,
    /// Who decided.
    pub by: Actor,
    /// Why.
    pub reason: String,
}

/// Keeps verdicts; one that was given stays.
///
/// # Errors
/// A fault of the database.
pub async fn judge(tx: &Tx, verdicts: &[Verdict]) -> Result<(), Fault> {
    let mut rows = Rows::new("order_id BIGINT, verdict TEXT, by_actor TEXT, reason TEXT, at BIGINT");
    for v in verdicts {
        let verdict = if v.approved { "approved" } else { "rejected" };
        rows.push([
            v.order.into(),
            verdict.into(),
            v.by.as_str().into(),
            v.reason.as_str().into(),
            v.at.into(),
        ]);
    }
    tx.exec_from(
        &rows,
        "UPDATE risk_assessment SET verdict = input.verdict, verdict_by = input.by_actor, verdict_reason = input.reason, verdict_at = input.at \
         FROM input WHERE risk_assessment.order_id = input.order_id AND risk_assessment.verdict IS NULL",
        [],
    )
    .await?;
    Ok(())
}

/// An assessment as it is shown.
#[derive(Debug, Clone, FromRow)]
pub struct AssessmentRow {
    /// 0 to 100.
    pub score: i64,
    /// JSON list of sentences.
    pub reasons: String,
    /// Whether it was held.
    pub held: bool,
    /// `approved`, `rejected` or none yet.
    pub verdict: Option<String>,
    /// Why.
    pub verdict_reason: Option<String>,
}

/// The assessment of an order, where one was made.
///
/// # Errors
/// A fault of the database.
pub async fn of_order(sql: &db::Sql, order: i64) -> Result<Option<AssessmentRow>, Fault> {
    sql.one(
        "SELECT score, reasons, held, verdict, verdict_reason FROM risk_assessment WHERE order_id = $1",
        [order.into()],
    )
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_plain_order_passes_and_a_bad_one_is_held_with_reasons() {
        assert_eq!(decide(&Rules::default(), &Signals { total: 4_999, ..Signals::default() }).score, 0);
        let bad =
            Signals { total: 60_000, disposable_email: true, countries_differ: true, ..Signals::default() };
        let a = decide(&Rules::default(), &bad);
        assert!(a.hold && a.reasons.len() == 3, "{a:?}");
    }

    #[test]
    fn thresholds_are_in_the_base_currency_whatever_its_decimals() {
        let currency = |code: &str| code.parse::<Currency>().unwrap();
        // A pound of coffee, and what a fraudster orders, in currencies of no, two and three decimals, in shops of each.
        let small = [(2_160, "JPY"), (1_300, "EUR"), (4_500, "KWD")];
        let large = [(500_000, "JPY"), (300_000, "EUR"), (1_000_000, "KWD")];
        for base in ["JPY", "EUR", "KWD"].map(currency) {
            let rules = Rules::in_base(base);
            let score = |(minor, code): (i64, &str)| {
                let total = worth::about(Money::new(minor, currency(code)), base);
                decide(&rules, &Signals { total, ..Signals::default() }).score
            };
            assert_eq!(small.map(score), [0; 3], "{base}");
            assert_eq!(large.map(score), [50; 3], "{base}");
        }
        assert_eq!(Rules::in_base(currency("EUR")), Rules::default());
        let own = Rules::kept(currency("JPY"), r#"{"large_total": 9000}"#).unwrap();
        assert_eq!((own.large_total, own.velocity), (9000, 3));
        assert_eq!(own.very_large_total, Rules::in_base(currency("JPY")).very_large_total);
        assert!(Rules::kept(currency("JPY"), r#"{"large": 9000}"#).is_err());
    }

    proptest! {
        #[test]
        fn a_worse_signal_never_lowers_the_score(total in 0i64..300_000, email in 0i64..10, ip in 0i64..10, flags in proptest::collection::vec(any::<bool>(), 5)) {
            let s = Signals { total, same_email_24h: email, same_ip_24h: ip, disposable_email: flags[0], countries_differ: flags[1], addresses_differ: flags[2], new_customer: flags[3], pays_on_delivery: flags[4] };
            let base = decide(&Rules::default(), &s).score;
            let worse = [
                Signals { total: total + 100_000, ..s.clone() }, Signals { same_email_24h: email + 5, ..s.clone() }, Signals { same_ip_24h: ip + 5, ..s.clone() },
                Signals { disposable_email: true, ..s.clone() }, Signals { countries_differ: true, ..s.clone() }, Signals { addresses_differ: true, ..s.clone() },
            ];
            for w in worse { prop_assert!(decide(&Rules::default(), &w).score >= base); }
        }
    }
}
