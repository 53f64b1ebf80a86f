//! The kinds of boxes there are: the planner suggests from them at the pack station.

use super::refused;
use crate::cartons::{Carton, cartons, set_cartons};
use crate::{ReadWarehouse, WriteWarehouse};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kernel::{Currency, money};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use web::html::{self as h, Field};
use web::{App, Caller, Form, Key, May, OrProblem, Problem, Reply, Screen};

/// Lines of the form at most.
const MOST: usize = 100;

#[derive(Deserialize, Serialize, Default, Clone)]
#[serde(default)]
pub(super) struct Sent {
    once: String,
    /// `more` where no script adds lines.
    #[serde(rename = "do")]
    action: String,
    boxes: Vec<Kind>,
}

#[derive(Deserialize, Serialize, Default, Clone)]
#[serde(default)]
struct Kind {
    name: String,
    outer: String,
    inner: String,
    empty: String,
    max: String,
    cost: String,
}

impl Kind {
    fn of(c: &Carton, base: Currency) -> Self {
        let edges = |e: [i32; 3]| e.map(|n| n.to_string()).join(" × ");
        Self {
            name: c.name.clone(),
            outer: edges(c.outer_mm),
            inner: edges(c.inner_mm),
            empty: c.empty_g.to_string(),
            max: c.max_g.to_string(),
            cost: money::decimal(c.cost, base.exponent()),
        }
    }
    /// The box, or what does not read.
    fn read(&self, base: Currency) -> Result<Carton, String> {
        let edges = |what: &str, text: &str| {
            let all: Vec<i32> =
                text.split(['×', 'x', '*', ' ']).filter_map(|part| part.trim().parse().ok()).collect();
            <[i32; 3]>::try_from(all).map_err(|_| {
                format!("{}: {what} is three edges in millimetres, as 300 × 200 × 150.", self.name)
            })
        };
        let grams = |what: &str, text: &str| {
            text.trim()
                .parse::<i64>()
                .map_err(|_| format!("{}: {what} is a whole number of grams.", self.name))
        };
        let cost = match self.cost.trim() {
            "" => 0,
            text => money::parse_typed(text, base.exponent()).map_err(|e| format!("{}: {e}.", self.name))?,
        };
        Ok(Carton {
            name: self.name.trim().to_owned(),
            outer_mm: edges("outside", &self.outer)?,
            inner_mm: edges("inside", &self.inner)?,
            empty_g: grams("the empty weight", &self.empty)?,
            max_g: grams("the maximum weight", &self.max)?,
            cost,
        })
    }
}

/// Shows them.
pub(super) async fn show(State(app): State<App>, caller: May<ReadWarehouse>) -> Result<Markup, Problem> {
    let base = inventory::base_currency(app.db.read()).await?;
    let boxes = cartons(app.db.read()).await?.iter().map(|c| Kind::of(c, base)).collect();
    Ok(page(&caller, &Sent { boxes, ..Sent::default() }, base, None))
}

fn page(caller: &Caller, sent: &Sent, base: Currency, wrong: Option<&str>) -> Markup {
    let may = caller.may::<WriteWarehouse>();
    let unit = base.to_string();
    let line = |i: &str, _: &str| {
        let given = i.parse().ok().and_then(|i: usize| sent.boxes.get(i)).cloned().unwrap_or_default();
        let name = |part: &str| format!("boxes[{i}][{part}]");
        let field = |label: &str, part: &str, value: &str, unit: &str| {
            h::field(&Field { label, name: &name(part), value, unit, ..Field::default() })
        };
        html! {
            (field("Name", "name", &given.name, ""))
            (field("Outside", "outer", &given.outer, "mm"))
            (field("Inside", "inner", &given.inner, "mm"))
            (field("Empty weight", "empty", &given.empty, "g"))
            (field("Max. weight", "max", &given.max, "g"))
            (field("Cost", "cost", &given.cost, &unit))
        }
    };
    let shown = (sent.boxes.len() + usize::from(may)).min(MOST);
    let body = html! {
        @if let Some(sentence) = wrong { (h::alert("danger", sentence)) }
        form method="post" action="/warehouse/boxes" {
            (web::once_again(&sent.once))
            (h::card("", h::entry_lines("boxes", "entry-line entry-line-box", (shown, MOST), line)))
            @if may { div.form-buttons {
                button.btn.btn-primary type="submit" { "Save" }
                (h::more_lines("boxes", "Add a box"))
            } }
        }
    };
    Screen::new(caller, "Boxes")
        .crumb("Pack", "/pack")
        .subtitle(html! { "The pack station suggests the smallest of these that hold what is scanned. Empty the name to take a box out." })
        .show(body)
}

/// Sets them.
pub(super) async fn save(
    State(app): State<App>,
    caller: May<WriteWarehouse>,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let base = inventory::base_currency(app.db.read()).await?;
    if sent.action == "more" {
        return Ok(page(&caller, &sent, base, None).into_response());
    }
    let named = sent.boxes.iter().filter(|k| !k.name.trim().is_empty());
    let again =
        |why: &str| (StatusCode::UNPROCESSABLE_ENTITY, page(&caller, &sent, base, Some(why))).into_response();
    let boxes: Vec<Carton> = match named.map(|k| k.read(base)).collect() {
        Ok(boxes) => boxes,
        Err(why) => return Ok(again(&why)),
    };
    let key = Key::once(&sent.once, "/warehouse/boxes");
    let done = web::submit!(app, caller, key, "warehouse.boxes_page", &sent, |tx| {
        set_cartons(tx, tx.now(), &boxes).await?.or_problem()?;
        Ok(Reply::empty())
    });
    match refused(done)? {
        Ok(_) => Ok(web::done("The boxes are saved").to("/warehouse/boxes")),
        Err(problem) => Ok(again(problem.detail())),
    }
}
