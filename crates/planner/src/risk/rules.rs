//! The merchant's own rules, in the Common Expression Language. Invariant: a rule that was compiled gives yes or no for every order, or is
//! reported and holds the order; it ends, whatever it says, and reads nothing but the order.
//!
//! `order` has the fields of [`Signals`], with `minutes_since_sign_up` −1 where not known, `probability` and `score` of the model, and what the
//! caller adds (`total`, `email`, `country` …). Of all rules that hold the strictest decides: reject, then hold, then accept. Accepting
//! overrules the model, never another rule. CEL has no loops beyond its input; length and number of rules are bounded.

use super::{Assessment, Signals};
use cel::{Context, Env, Program, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a rule wants. In order of strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Do not hold, whatever the model says.
    Accept,
    /// A person looks at it.
    Hold,
    /// No.
    Reject,
}

/// A rule as the merchant writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name, and the reason that is shown.
    pub name: String,
    /// `order.total > 50000 && order.countries_differ >= 2`.
    pub when: String,
    /// What follows.
    pub then: Action,
}

/// Why a rule cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRule {
    /// It does not parse.
    #[error("rule “{name}” does not read: {problem}")]
    Syntax {
        /// Which.
        name: String,
        /// What the parser says.
        problem: String,
    },
    /// It asks for something that is not there, or its answer is no yes or no.
    #[error("rule “{name}” does not work on an order: {problem}")]
    Meaning {
        /// Which.
        name: String,
        /// What happened with an ordinary order.
        problem: String,
    },
    /// Longer than 2,000 characters, nested deeper than 50, or more than 200 rules.
    #[error("rule “{name}” is too long or nested too deep, or there are more than 200")]
    TooLong {
        /// Which.
        name: String,
    },
}

/// A value that the caller adds to `order`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Extra {
    /// Yes or no.
    Flag(bool),
    /// Whole: counts, amounts in minor units.
    Whole(i64),
    /// Any number.
    Number(f64),
    /// Text.
    Text(String),
}

/// Compiled rules.
pub struct Rules {
    env: Arc<Env>,
    rules: Vec<(Rule, Program)>,
}

/// What the rules said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// What to do; the model's where no rule held.
    pub action: Action,
    /// Names of the rules that held, and of those that failed with why.
    pub because: Vec<String>,
}

impl Rules {
    /// Compiles, and tries each on an order without signals and with the fields of `sample`.
    pub fn compile(rules: &[Rule], sample: &BTreeMap<String, Extra>) -> Result<Self, BadRule> {
        let env = Arc::new(Env::stdlib());
        let mut compiled = Self { env: env.clone(), rules: Vec::with_capacity(rules.len()) };
        let none = Assessment { probability: 0.0, score: 0, reasons: vec![] };
        for (number, rule) in rules.iter().enumerate() {
            let name = rule.name.clone();
            if rule.when.len() > 2_000 || number >= 200 || depth(&rule.when) > 50 {
                return Err(BadRule::TooLong { name });
            }
            let program = env
                .compile(&rule.when)
                .map_err(|e| BadRule::Syntax { name: name.clone(), problem: e.to_string() })?;
            compiled
                .context(&Signals::default(), &none, sample)
                .and_then(|c| holds(&program, &c))
                .map_err(|problem| BadRule::Meaning { name, problem })?;
            compiled.rules.push((rule.clone(), program));
        }
        Ok(compiled)
    }

    /// Decides on an assessed order; from `hold_at` on the model holds it.
    pub fn decide(
        &self,
        signals: &Signals,
        assessment: &Assessment,
        extra: &BTreeMap<String, Extra>,
        hold_at: f64,
    ) -> Verdict {
        let mut action = None;
        let mut because = Vec::new();
        let context = self.context(signals, assessment, extra);
        for (rule, program) in &self.rules {
            let answer = context.as_ref().map_err(Clone::clone).and_then(|c| holds(program, c));
            match answer {
                Ok(false) => {}
                Ok(true) => {
                    action = action.max(Some(rule.then));
                    because.push(rule.name.clone());
                }
                Err(problem) => {
                    action = action.max(Some(Action::Hold));
                    because.push(format!("rule “{}” could not be decided: {problem}", rule.name));
                }
            }
        }
        let model = if assessment.probability >= hold_at { Action::Hold } else { Action::Accept };
        Verdict { action: action.unwrap_or(model), because }
    }

    fn context(
        &self,
        signals: &Signals,
        assessment: &Assessment,
        extra: &BTreeMap<String, Extra>,
    ) -> Result<Context<'static, 'static>, String> {
        let mut order = extra.clone();
        let whole = |n: u32| Extra::Whole(i64::from(n));
        let sign_up = signals.minutes_since_sign_up.map_or(-1, i64::from);
        let fields = [
            ("device_24h", whole(signals.device_24h)),
            ("email_24h", whole(signals.email_24h)),
            ("ip_24h", whole(signals.ip_24h)),
            ("card_24h", whole(signals.card_24h)),
            ("countries_differ", whole(signals.countries_differ)),
            ("disposable_email", Extra::Flag(signals.disposable_email)),
            ("minutes_since_sign_up", Extra::Whole(sign_up)),
            ("amount_ratio", Extra::Number(signals.amount_ratio)),
            ("address_reuse", whole(signals.address_reuse)),
            ("probability", Extra::Number(assessment.probability)),
            ("score", whole(assessment.score)),
        ];
        order.extend(fields.map(|(name, value)| (name.to_owned(), value)));
        let mut context = Context::with_env(self.env.clone());
        context.add_variable("order", &order).map_err(|e| e.to_string())?;
        Ok(context)
    }
}

fn holds(program: &Program, context: &Context<'_, '_>) -> Result<bool, String> {
    match program.execute(context) {
        Ok(Value::Bool(yes)) => Ok(yes),
        Ok(other) => Err(format!("the answer is {other:?}, not true or false")),
        Err(error) => Err(error.to_string()),
    }
}

/// Brackets and prefix operators open at once: the parser is recursive, and its stack is not without end.
fn depth(text: &str) -> usize {
    let (mut open, mut most) = (0usize, 0usize);
    for c in text.chars() {
        match c {
            '(' | '[' | '{' | '!' | '-' | '?' => open += 1,
            ')' | ']' | '}' => open = open.saturating_sub(1),
            _ => {}
        }
        most = most.max(open);
    }
    most
}
