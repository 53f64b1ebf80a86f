//! Orders sent to the floor from the list of orders: what was ticked there, or all of the list.
//!
//! Invariant: releasing again changes nothing, so that a form that is sent twice, or breaks off between two pieces, is simply sent again;
//! memory is bounded by a piece, however long the list.

use crate::model::FulfilmentId;
use crate::{Release, WriteWarehouse};
use axum::extract::State;
use axum::response::Response;
use db::{FromRow, Rows, Sql, Value};
use kernel::Fault;
use orders::OrderId;
use serde::{Deserialize, Serialize};
use web::{App, Form, Key, May, Problem};

/// Fulfilment orders released in one transaction.
const PIECE: i64 = 500;

/// What was ticked on a list of orders.
#[derive(Deserialize, Serialize, Default)]
#[serde(default)]
pub(super) struct Sent {
    ids: Vec<OrderId>,
    /// All of the list, not only those ticked.
    every: String,
    /// The list they were ticked on.
    query: String,
}

#[derive(FromRow)]
struct Open {
    id: FulfilmentId,
}

/// What waits to be released of the orders, after an id.
async fn open(
    sql: &Sql,
    list: Option<&(String, Vec<Value>)>,
    ids: &[OrderId],
    after: FulfilmentId,
) -> Result<Vec<FulfilmentId>, Fault> {
    let waits = "f.status = 'open' AND f.executor = 'own' AND f.released_at IS NULL";
    let rows: Vec<Open> = match list {
        Some((wheres, params)) => {
            let mut params = params.clone();
            params.push(after.into());
            let text = format!(
                "SELECT f.id FROM fulfilment_order f WHERE {waits} AND f.id > ${} \
                 AND f.order_id IN (SELECT o.id FROM orders o WHERE {wheres}) ORDER BY f.id LIMIT {PIECE}",
                params.len()
            );
            sql.all(&text, params).await?
        }
        None => {
            let mut input = Rows::new("id BIGINT");
            for id in ids.iter().collect::<std::collections::BTreeSet<_>>() {
                input.push([(*id).into()]);
            }
            let text = format!(
                "SELECT f.id FROM fulfilment_order f JOIN input ON input.id = f.order_id WHERE {waits} AND f.id > $1 ORDER BY f.id"
            );
            sql.all_from(&input, &text, [after.into()]).await?
        }
    };
    Ok(rows.into_iter().map(|r| r.id).collect())
}

/// Releases what of the orders waits at our own locations.
pub(super) async fn send(
    State(app): State<App>,
    caller: May<WriteWarehouse>,
    Form(sent): Form<Sent>,
) -> Result<Response, Problem> {
    let list = match sent.every.is_empty() {
        true => None,
        false => Some(orders::read::all_of(&orders::listed(&app, &sent.query).await?)),
    };
    let back = if sent.query.starts_with("/orders") { sent.query.as_str() } else { "/orders" };
    if list.is_none() && sent.ids.is_empty() {
        return Ok(web::done("Tick the orders first").to(back));
    }
    let (mut after, mut done, mut refused) = (FulfilmentId(0), 0usize, 0usize);
    loop {
        let ids = open(app.db.read(), list.as_ref(), &sent.ids, after).await?;
        let Some(last) = ids.last() else { break };
        after = *last;
        let key = Key::once("", "/warehouse/release/orders");
        let reply = web::submit!(app, caller, key, "warehouse.release_orders", &sent, |tx| {
            let items: Vec<Release> =
                ids.iter().map(|id| Release { at: tx.now(), fulfilment: *id }).collect();
            let outcomes = crate::release(tx, &items).await?;
            // Held since the list was shown: it stays, and the others go.
            web::reply(axum::http::StatusCode::OK, &outcomes.iter().filter(|o| o.is_err()).count())
        })?;
        let stayed: usize = serde_json::from_str(reply.body()).map_err(Fault::from)?;
        refused += stayed;
        done += ids.len() - stayed;
    }
    Ok(web::done(said(done, refused)).to(back))
}

/// What is told of it.
fn said(done: usize, refused: usize) -> String {
    let parts =
        |n: usize| if n == 1 { "1 fulfilment order".to_owned() } else { format!("{n} fulfilment orders") };
    match (done, refused) {
        (0, 0) => "Nothing of it waits any more: what can be picked is on the pick lists".to_owned(),
        (done, 0) => format!("{} sent to the warehouse", parts(done)),
        (done, refused) => format!("{} sent to the warehouse, {refused} held meanwhile", parts(done)),
    }
}
