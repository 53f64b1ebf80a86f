//! Routing rules among the settings: in their order, what each does in plain words, and the form that makes or changes one.

use crate::api::{ReadOrders, SetUpChannels};
use crate::routing::{How, RoutingRule, SetRouting, SetRoutingRefused, routing_rules, set_routing};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use web::html::{self as h, Col, Field, Row, Table};
use web::{App, Caller, Form, Key, May, Params, Problem, Reply, Screen};

const HERE: &str = "/settings/routing";

/// What is done with a rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Act {
    /// Made or changed.
    #[default]
    Save,
    /// Tried before the one above it.
    Up,
    /// Taken away.
    Remove,
}

/// A rule as it is typed, or the one that was clicked.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    once: String,
    act: Act,
    /// The name of the rule that is changed; empty: a new one.
    rule: String,
    name: String,
    countries: String,
    channels: String,
    tags: String,
    express: String,
    units_from: String,
    how: String,
    locations: String,
}

/// “a, b” as a list.
fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned).collect()
}

impl Typed {
    fn of(rule: &RoutingRule) -> Self {
        Self {
            rule: rule.name.clone(),
            name: rule.name.clone(),
            countries: rule.countries.join(", "),
            channels: rule.channels.join(", "),
            tags: rule.tags.join(", "),
            express: if rule.express { "yes" } else { "" }.to_owned(),
            units_from: rule.units_from.map(|n| n.to_string()).unwrap_or_default(),
            how: rule.how.as_str().to_owned(),
            locations: rule.locations.join(", "),
            ..Self::default()
        }
    }
    fn rule(&self) -> Result<RoutingRule, Problem> {
        let how = How::ALL.into_iter().find(|how| how.as_str() == self.how);
        let units_from = match self.units_from.trim() {
            "" => None,
            text => Some(
                text.parse().map_err(|_| Problem::invalid("units_from", "A whole number, such as 10."))?,
            ),
        };
        Ok(RoutingRule {
            name: self.name.trim().to_owned(),
            countries: list(&self.countries)
                .iter()
                .map(|c| contact::country::code(c).map_or_else(|| c.to_uppercase(), str::to_owned))
                .collect(),
            channels: list(&self.channels),
            tags: list(&self.tags),
            express: !self.express.is_empty(),
            units_from,
            how: how.ok_or_else(|| Problem::invalid("how", "Choose what becomes of the locations."))?,
            locations: list(&self.locations),
        })
    }
    /// The rules as they shall be, and which of them was meant.
    fn apply(&self, mut rules: Vec<RoutingRule>) -> Result<(Vec<RoutingRule>, usize), Problem> {
        let known = rules.iter().position(|r| r.name == self.rule);
        let gone = || Problem::refused(&SetRoutingRefused::Gone { name: self.rule.clone() });
        let at = match (self.rule.is_empty(), known) {
            (true, _) => rules.len(),
            (false, known) => known.ok_or_else(gone)?,
        };
        match self.act {
            Act::Save if at == rules.len() => rules.push(self.rule()?),
            Act::Save => rules[at] = self.rule()?,
            Act::Up if at > 0 && at < rules.len() => rules.swap(at, at - 1),
            Act::Remove if at < rules.len() => drop(rules.remove(at)),
            Act::Up | Act::Remove => {}
        }
        Ok((rules, at))
    }
}

/// Shows them.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadOrders>,
    Params(typed): Params<Typed>,
) -> Result<Markup, Problem> {
    page(&app, &caller, &typed, None).await
}

async fn page(
    app: &App,
    caller: &Caller,
    typed: &Typed,
    refused: Option<&Problem>,
) -> Result<Markup, Problem> {
    let sql = app.db.read();
    let rules = routing_rules(sql).await?;
    let locations: Vec<String> = inventory::locations(sql).await?.into_iter().map(|l| l.code).collect();
    let chosen = rules.iter().find(|r| r.name == typed.rule);
    let cols = [Col::text("Rule"), Col::text("Orders"), Col::text("Locations")];
    let rows = (1..).zip(&rules).map(|(n, r)| {
        let cells = [html! { (n) ". " bdi { (r.name) } }, html! { (r.orders()) }, html! { (r.route()) }];
        Row::new(cells).href(h::query(HERE, &[("rule", &r.name)]))
    });
    let main = html! {
        @if rules.is_empty() {
            (h::empty_with(h::Icon::MapPin, "No rules", "Orders go to the locations with the lowest priority number, then to the nearest, in as few parcels as can be.", html! {}))
        } @else {
            (Table::new("Routing rules", &cols, rows).show())
            p.text-secondary.mt-2 { "An order meets the first rule that fits it, and no other. Orders that no rule fits go by priority and distance." }
        }
    };
    let filled = chosen.filter(|_| refused.is_none()).map(Typed::of);
    let side = html! {
        @if caller.may::<SetUpChannels>() { (form(filled.as_ref().unwrap_or(typed), chosen, &locations, refused)) }
    };
    Ok(Screen::new(caller, "Routing rules")
        .subtitle(html! { "Which locations orders come from. Choose one to change it." })
        .show(h::split(main, side)))
}

fn form(
    typed: &Typed,
    chosen: Option<&RoutingRule>,
    locations: &[String],
    refused: Option<&Problem>,
) -> Markup {
    let wrong = |name: &str| refused.and_then(|p| p.error_at(name));
    let field = |label, name, value: &str, hint| {
        h::field(&Field {
            label,
            name,
            value,
            hint,
            error: wrong(name),
            required: matches!(name, "name" | "locations"),
            ..Field::default()
        })
    };
    let hows = [("prefer", "These before the others"), ("only", "Only these"), ("never", "Never these")];
    let there = format!("In the order in which they are asked. There are {}.", locations.join(", "));
    let body = html! {
        @if refused.is_some_and(|p| p.errors().is_empty()) { (h::alert("danger", refused.map(Problem::detail).unwrap_or_default())) }
        form method="post" action=(HERE) {
            (web::once_again(&typed.once))
            @if let Some(rule) = chosen { input type="hidden" name="rule" value=(rule.name); }
            (field("Name", "name", &typed.name, ""))
            fieldset.mb-3 {
                legend.form-label { "Which orders (empty: any)" }
                (field("Countries", "countries", &typed.countries, "By name or code, such as Germany, AT."))
                (field("Sales channels", "channels", &typed.channels, "Codes, such as api, manual."))
                (field("Tags", "tags", &typed.tags, "One of them is enough."))
                (field("Units at least", "units_from", &typed.units_from, ""))
                (h::checkbox("Express orders only", "express", "yes", !typed.express.is_empty(), ""))
            }
            (h::select("How to use the locations", "how", &hows, &typed.how))
            (field("Locations", "locations", &typed.locations, &there))
            (h::form_buttons("Save", chosen.map(|_| HERE)))
        }
        @if let Some(rule) = chosen {
            div.btn-list.mt-3 {
                (h::button(HERE, "Move up", "sm", &[("act", "up"), ("rule", &rule.name)]))
                (h::button(HERE, "Remove", "sm", &[("act", "remove"), ("rule", &rule.name)]))
            }
        }
    };
    h::card(if chosen.is_some() { "Change rule" } else { "New rule" }, body)
}

/// Makes, changes, moves or removes one.
pub(super) async fn save(
    State(app): State<App>,
    caller: May<SetUpChannels>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let key = Key::once(&typed.once, HERE);
    let done = web::submit!(app, caller, key, "orders.routing_page", &typed, |tx| {
        let (rules, at) = typed.apply(routing_rules(tx).await?)?;
        set_routing(tx, &[SetRouting { at: tx.now(), rules }]).await?.remove(0).map_err(|refused| {
            match refused.place() {
                Some((rule, field)) if rule == at + 1 => Problem::refused(&refused).at(field),
                _ => Problem::refused(&refused),
            }
        })?;
        Ok(Reply::empty())
    });
    let says = match typed.act {
        Act::Save => "The rule is saved",
        Act::Up => "The rule is tried earlier",
        Act::Remove => "The rule is removed",
    };
    match done {
        Ok(_) => Ok(web::done(says).to(HERE)),
        Err(problem) if problem.status().is_client_error() => {
            Ok((problem.status(), page(&app, &caller, &typed, Some(&problem)).await?).into_response())
        }
        Err(problem) => Err(problem),
    }
}
