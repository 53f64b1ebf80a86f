//! Tax rates: what holds where, what goods cannot be sold where for want of a rate, and the form that sets or removes one.

use crate::api::{ReadCatalog, WriteCatalog};
use crate::tax::{ELSEWHERE, all_rates, percent};
use crate::{RemoveTaxRate, SetTaxRate, TaxRate};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use db::FromRow;
use kernel::money;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use web::html::{self as h, Col, Field, Icon, Row, Table};
use web::{App, Caller, Form, Key, May, OrProblem, Params, Problem, Reply, Screen};

const HERE: &str = "/settings/tax";

/// A rate as it is typed, or the one that was clicked.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    once: String,
    country: String,
    region: String,
    class: String,
    percent: String,
}

impl Typed {
    fn country(&self) -> String {
        let typed = self.country.trim();
        contact::country::code(typed).map_or_else(|| typed.to_uppercase(), str::to_owned)
    }
    fn region(&self) -> Option<String> {
        Some(self.region.trim().to_uppercase()).filter(|r| !r.is_empty())
    }
    /// The command, or the field that is wrong and why.
    fn command(&self) -> Result<SetTaxRate, (&'static str, &'static str)> {
        let rate = money::parse_typed(self.percent.trim().trim_end_matches('%').trim_end(), 4);
        let says = "A percentage from 0 to 100 with up to four decimals, such as 19 or 7.75.";
        let rate_ppm = rate.ok().filter(|r| (0..=1_000_000).contains(r)).ok_or(("percent", says))?;
        let (country, region, class) = (self.country(), self.region(), self.class.trim().to_owned());
        if country == ELSEWHERE && region.is_some() {
            return Err(("region", "All other countries have one rate: leave the region empty."));
        }
        let set = SetTaxRate { country, region, class, rate_ppm };
        match set.wrong() {
            Some(("tax_class", says)) => Err(("class", says)),
            Some(wrong) => Err(wrong),
            None => Ok(set),
        }
    }
}

/// Shows them.
pub(super) async fn show(
    State(app): State<App>,
    caller: May<ReadCatalog>,
    Params(chosen): Params<Typed>,
) -> Result<Markup, Problem> {
    page(&app, &caller, &chosen, None).await
}

/// The country as people read it.
fn place(country: &str) -> Markup {
    html! {
        @match contact::country::name(country) {
            Some(name) => { bdi { (name) } " " span.text-secondary { (country) } }
            None => "All other countries",
        }
    }
}

#[derive(FromRow)]
struct Class {
    tax_class: String,
    skus: i64,
}

/// The classes of goods that are for sale.
async fn sold(app: &App) -> Result<Vec<Class>, Problem> {
    let text =
        "SELECT tax_class, COUNT(*) AS skus FROM sku WHERE active GROUP BY tax_class ORDER BY tax_class";
    Ok(app.db.read().all(text, []).await?)
}

/// What cannot be sold where for want of a rate: sentences. Pure.
fn gaps(rates: &[TaxRate], sold: &[Class]) -> Vec<String> {
    let set = |country: &str, class: &str| {
        rates.iter().any(|r| r.country == country && r.tax_class == class && r.region.is_empty())
    };
    let countries: BTreeSet<&str> =
        rates.iter().map(|r| r.country.as_str()).filter(|c| *c != ELSEWHERE).collect();
    let mut said = Vec::new();
    for class in sold.iter().filter(|c| !set(ELSEWHERE, &c.tax_class)) {
        let (name, skus) = (&class.tax_class, class.skus);
        let without: Vec<&str> = countries.iter().copied().filter(|c| !set(c, name)).collect();
        if rates.is_empty() {
            continue;
        } else if without.len() == countries.len() {
            said.push(format!(
                "Class {name} ({skus} SKUs) has no rate for any country: orders with it are refused. Set one."
            ));
        } else if !without.is_empty() {
            let list = without.join(", ");
            said.push(format!(
                "Class {name} ({skus} SKUs) has no rate for {list}: orders with it to there are refused."
            ));
        }
    }
    said
}

fn table(rates: &[TaxRate]) -> Markup {
    let cols = [Col::text("Country"), Col::text("Region"), Col::text("Tax class"), Col::number("Rate")];
    // By the names people read, and what holds elsewhere at the end.
    let mut rates: Vec<&TaxRate> = rates.iter().collect();
    let name = |country: &str| contact::country::name(country).map(str::to_owned);
    rates.sort_by_key(|r| (r.country == ELSEWHERE, name(&r.country), r.region.clone(), r.tax_class.clone()));
    let rows = rates.into_iter().map(|r| {
        let rate = percent(r.rate_ppm);
        let pairs = [
            ("country", r.country.as_str()),
            ("region", &r.region),
            ("class", &r.tax_class),
            ("percent", &rate),
        ];
        let region = if r.region.is_empty() {
            html! { span.text-secondary { "All regions" } }
        } else {
            html! { bdi { (r.region) } }
        };
        Row::new([place(&r.country), region, html! { bdi { (r.tax_class) } }, html! { (rate) " %" }])
            .href(h::query(HERE, &pairs))
    });
    Table::new("Tax rates", &cols, rows).show()
}

async fn page(
    app: &App,
    caller: &Caller,
    typed: &Typed,
    error: Option<(&str, &str)>,
) -> Result<Markup, Problem> {
    let rates = all_rates(app.db.read()).await?;
    let sold = sold(app).await?;
    let list = html! {
        @for gap in gaps(&rates, &sold) { (h::alert("warning", &gap)) }
        @if rates.is_empty() {
            (h::empty_with(Icon::Tag, "No tax rates yet",
                "Nothing is taxed as long as there is none. From the first one on, an order to a country without a rate is refused.", html! {}))
        } @else { (table(&rates)) }
    };
    let body = match caller.may::<WriteCatalog>() {
        true => h::split(list, form(typed, error, &rates, &sold)),
        false => list,
    };
    Ok(Screen::new(caller, "Tax rates")
        .subtitle(
            html! { "By where goods go and by their tax class. Orders that are placed keep their rates." },
        )
        .live("queue:catalogue")
        .show(body))
}

fn form(typed: &Typed, error: Option<(&str, &str)>, rates: &[TaxRate], sold: &[Class]) -> Markup {
    let wrong = |name: &str| error.filter(|(field, _)| *field == name).map(|(_, says)| says);
    let known = rates.iter().any(|r| {
        r.country == typed.country()
            && r.tax_class == typed.class.trim()
            && r.region == typed.region().unwrap_or_default()
    });
    let classes: BTreeSet<&str> =
        rates.iter().map(|r| r.tax_class.as_str()).chain(sold.iter().map(|c| c.tax_class.as_str())).collect();
    let hint = match classes.is_empty() {
        true => "As SKUs name it.".to_owned(),
        false => format!("As SKUs name it: {}.", classes.into_iter().collect::<Vec<_>>().join(", ")),
    };
    let class = if typed.class.is_empty() { "standard" } else { &typed.class };
    h::card(
        if known { "Change this rate" } else { "Set a rate" },
        html! {
            form method="post" action=(HERE) {
                (web::once_again(&typed.once))
                (h::field(&Field { label: "Country", name: "country", value: &typed.country, required: true, error: wrong("country"),
                    hint: "Its code, such as DE; * for all without a rate of their own.", ..Field::default() }))
                (h::field(&Field { label: "Region", name: "region", value: &typed.region, error: wrong("region"),
                    hint: "Only where a region has its own rate, such as CN in ES.", ..Field::default() }))
                (h::field(&Field { label: "Tax class", name: "class", value: class, required: true, error: wrong("class"), hint: &hint, ..Field::default() }))
                (h::field(&Field { label: "Rate", name: "percent", value: &typed.percent, required: true, error: wrong("percent"), unit: "%", ..Field::default() }))
                (h::form_buttons("Save", known.then_some(HERE)))
            }
            @if known {
                hr;
                p.text-secondary { "Orders to there are then taxed by the rate of the country or of all others, and refused where there is none." }
                (h::button("/settings/tax/remove", "Remove this rate", "outline-danger",
                    &[("country", &typed.country), ("region", &typed.region), ("class", &typed.class), ("percent", &typed.percent)]))
            }
        },
    )
}

/// Sets a rate.
pub(super) async fn save(
    State(app): State<App>,
    caller: May<WriteCatalog>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let set = match typed.command() {
        Ok(set) => set,
        Err(wrong) => {
            let page = page(&app, &caller, &typed, Some(wrong)).await?;
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
        }
    };
    let key = Key::once(&typed.once, HERE);
    web::submit!(app, caller, key, "catalog.tax_rate_page", &typed, |tx| {
        crate::set_tax_rates(tx, std::slice::from_ref(&set)).await?;
        Ok(Reply::empty())
    })?;
    Ok(web::done(format!("{} % of class {} holds from now on", percent(set.rate_ppm), set.class)).to(HERE))
}

/// Removes a rate.
pub(super) async fn remove(
    State(app): State<App>,
    caller: May<WriteCatalog>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let want = RemoveTaxRate { country: typed.country(), region: typed.region(), class: typed.class.clone() };
    let key = Key::once(&typed.once, "/settings/tax/remove");
    web::submit!(app, caller, key, "catalog.remove_tax_rate_page", &typed, |tx| {
        crate::remove_tax_rates(tx, std::slice::from_ref(&want)).await?.remove(0).or_problem()?;
        Ok(Reply::empty())
    })?;
    let fields = [
        ("country", typed.country.as_str()),
        ("region", &typed.region),
        ("class", &typed.class),
        ("percent", &typed.percent),
    ];
    Ok(web::done("The rate is removed").undo(HERE, &fields).to(HERE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_name_the_class_and_the_countries() {
        let rate = |country: &str, tax_class: &str| TaxRate {
            country: country.into(),
            region: String::new(),
            tax_class: tax_class.into(),
            rate_ppm: 190_000,
        };
        let sold =
            [Class { tax_class: "reduced".into(), skus: 2 }, Class { tax_class: "standard".into(), skus: 9 }];
        assert!(gaps(&[], &sold).is_empty(), "without any rate nothing is taxed");
        let said = gaps(&[rate("DE", "standard"), rate("FR", "standard"), rate("FR", "reduced")], &sold);
        assert_eq!(said, ["Class reduced (2 SKUs) has no rate for DE: orders with it to there are refused."]);
        let said = gaps(&[rate("DE", "standard")], &sold);
        assert_eq!(said.len(), 1);
        assert!(said[0].contains("for any country"), "{said:?}");
        assert!(gaps(&[rate("DE", "standard"), rate("*", "reduced")], &sold).is_empty());
    }

    #[test]
    fn what_is_typed_is_told_by_its_field() {
        let typed = |country: &str, class: &str, percent: &str| Typed {
            country: country.into(),
            class: class.into(),
            percent: percent.into(),
            ..Typed::default()
        };
        let rate = typed("de", "standard", " 7.75 %").command().map(|c| (c.country, c.rate_ppm));
        assert_eq!(rate, Ok(("DE".to_owned(), 77_500)));
        for (typed, field) in [
            (typed("QQ", "standard", "1"), "country"),
            (typed("DE", " ", "1"), "class"),
            (typed("DE", "standard", "101"), "percent"),
            (typed("DE", "standard", "x"), "percent"),
            (Typed { region: "X".into(), ..typed("*", "standard", "1") }, "region"),
        ] {
            assert_eq!(typed.command().map(|c| c.rate_ppm).map_err(|e| e.0), Err(field), "{typed:?}");
        }
    }
}
