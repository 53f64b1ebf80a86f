//! Events become e-mails: the text is written when the event is told, and sent by a job afterwards.
//!
//! Invariants: one e-mail for an event and template, however often we are told; amounts are exact in the order's or payment's currency;
//! an order without an e-mail address gets none; an event that cannot be read does not keep the others from their e-mails.

use crate::model::MailId;
use crate::send::SendMail;
use crate::templates::{self, Rendered};
use db::{BoxFuture, Ctx, FromRow, Rows, Sql};
use kernel::fact::EventId;
use kernel::{Actor, Currency, Event, Fault, Money};
use serde_json::{Value as Json, json};
use std::collections::{BTreeSet, HashMap};

/// The kinds that customers hear of.
pub const KINDS: &[&str] = &[
    "order.placed",
    "order.confirmation_asked",
    "order.payment_requested",
    "shipment.shipped",
    "shipment.delivered",
    "return.label_bought",
    "payment.refunded",
];

#[derive(FromRow)]
struct Order {
    id: i64,
    number: String,
    name: String,
    email: String,
    currency: String,
    total: i64,
}

#[derive(FromRow)]
struct Line {
    order_id: i64,
    sku: String,
    title: String,
    quantity: i64,
    total: i64,
}

/// An e-mail that was written.
pub(crate) struct Draft {
    pub event: EventId,
    pub template: &'static str,
    pub order: Option<i64>,
    pub recipient: String,
    pub rendered: Rendered,
}

/// Writes the e-mails of events and enqueues their sending.
pub(crate) fn compose(ctx: Ctx, events: Vec<Event>) -> BoxFuture<'static, Result<(), Fault>> {
    Box::pin(async move {
        let sql = ctx.db.read();
        let orders = orders(sql, &events).await?;
        let lines = lines(sql, &events).await?;
        let shop =
            db::settings::get::<String>(sql, "shop_name").await?.unwrap_or_else(|| "Your shop".to_owned());
        let links = Links::of(&ctx).await?;
        let theirs = templates::Theirs::load(sql).await?;
        let press = theirs.press();
        let mut drafts = Vec::new();
        let mut failed = None;
        for event in &events {
            let (Some(template), Some(order)) =
                (template_of(&event.kind), event.order.and_then(|id| orders.get(&id)))
            else {
                continue;
            };
            let none = Vec::new();
            let context = context(&shop, &links, event, order, lines.get(&order.id).unwrap_or(&none));
            match context.and_then(|context| press.render(template, &context)) {
                Ok(rendered) => {
                    drafts.push(Draft {
                        event: event.id,
                        template,
                        order: Some(order.id),
                        recipient: order.email.clone(),
                        rendered,
                    });
                }
                Err(fault) => {
                    failed = Some(
                        fault.while_doing(format!("write the e-mail “{template}” for event {}", event.id)),
                    )
                }
            }
        }
        save(&ctx, &drafts).await?;
        failed.map_or(Ok(()), Err)
    })
}

/// The customer gets the confirmation of an order once more.
const CONFIRMED_AGAIN: &str = "order.confirmation_asked";

/// The customer gets a link to pay.
const PAYMENT_REQUESTED: &str = "order.payment_requested";

/// A template has the name of its event.
fn template_of(kind: &str) -> Option<&'static str> {
    let name = if kind == CONFIRMED_AGAIN { "order.placed" } else { kind }.replace('.', "_");
    templates::NAMES.into_iter().find(|n| *n == name)
}

fn ids(events: &[Event], kinds: &[&str]) -> Rows {
    let mut rows = Rows::new("id BIGINT");
    let ids: BTreeSet<i64> = events
        .iter()
        .filter(|e| kinds.is_empty() || kinds.contains(&e.kind.as_str()))
        .filter_map(|e| e.order)
        .collect();
    for id in ids {
        rows.push([id.into()]);
    }
    rows
}

/// The orders of events that have an address to write to.
async fn orders(sql: &Sql, events: &[Event]) -> Result<HashMap<i64, Order>, Fault> {
    let text = "SELECT o.id, o.number, o.name, o.email, o.currency, o.total FROM orders o JOIN input ON input.id = o.id \
                WHERE o.email IS NOT NULL AND o.email <> ''";
    let rows: Vec<Order> = sql.all_from(&ids(events, &[]), text, []).await?;
    Ok(rows.into_iter().map(|o| (o.id, o)).collect())
}

async fn lines(sql: &Sql, events: &[Event]) -> Result<HashMap<i64, Vec<Line>>, Fault> {
    let text = "SELECT l.order_id, l.sku, l.title, l.ordered AS quantity, l.total FROM order_line l JOIN input ON input.id = l.order_id \
                ORDER BY l.order_id, l.position";
    let mut all: HashMap<i64, Vec<Line>> = HashMap::new();
    for line in sql
        .all_from::<Line>(&ids(events, &["order.placed", CONFIRMED_AGAIN, PAYMENT_REQUESTED]), text, [])
        .await?
    {
        all.entry(line.order_id).or_default().push(line);
    }
    Ok(all)
}

/// Links to the page where a customer follows their order.
struct Links {
    signer: web::signed::Signer,
    site: Option<std::sync::Arc<web::signed::Site>>,
    now: kernel::Timestamp,
}

impl Links {
    async fn of(ctx: &Ctx) -> Result<Self, Fault> {
        let signer = web::signed::Signer::of(&ctx.db).await?;
        // A program without an address of its own writes e-mails without links.
        Ok(Self { signer, site: ctx.parts.get::<web::signed::Site>().ok(), now: ctx.db.now() })
    }
    fn to(&self, order: i64) -> Result<Option<String>, Fault> {
        let pass = portal::Pass { order: orders::OrderId(order), mailed: true };
        let path = pass.path(&self.signer, self.now)?;
        Ok(self.site.as_ref().map(|site| site.link(&path)))
    }
    fn to_pay(&self, order: i64) -> Result<Option<String>, Fault> {
        let path = portal::pay_path(orders::OrderId(order), &self.signer, self.now)?;
        Ok(self.site.as_ref().map(|site| site.link(&path)))
    }
}

/// What a template may use for an event. What the event does not know is null, so that templates can ask.
fn context(shop: &str, links: &Links, event: &Event, order: &Order, lines: &[Line]) -> Result<Json, Fault> {
    let currency: Currency = order.currency.parse()?;
    let fact: Json = serde_json::from_str(&event.payload)?;
    let lines: Vec<Json> = lines
        .iter()
        .map(|l| json!({ "sku": l.sku, "title": l.title, "quantity": l.quantity, "total": Money::new(l.total, currency).to_string() }))
        .collect();
    let refund = match event.kind.as_str() {
        "payment.refunded" => {
            let minor = fact["amount"].as_i64().ok_or_else(|| Fault::broken("a refund without an amount"))?;
            let currency =
                fact["currency"].as_str().ok_or_else(|| Fault::broken("a refund without a currency"))?;
            json!({ "amount": Money::new(minor, currency.parse()?).to_string(), "method": fact["method"] })
        }
        _ => Json::Null,
    };
    let payment = match event.kind.as_str() {
        PAYMENT_REQUESTED => {
            let minor =
                fact["amount"].as_i64().ok_or_else(|| Fault::broken("a request without an amount"))?;
            json!({ "amount": Money::new(minor, currency).to_string(), "url": links.to_pay(order.id)? })
        }
        _ => Json::Null,
    };
    Ok(json!({
        "shop": shop,
        "order": { "number": order.number, "name": order.name, "total": Money::new(order.total, currency).to_string(), "currency": order.currency,
            "tracking_url": links.to(order.id)? },
        "lines": lines,
        "shipment": { "carrier": fact["carrier"], "tracking_number": fact["tracking_number"] },
        "return": { "number": fact["number"] },
        "refund": refund,
        "payment": payment,
    }))
}

#[derive(FromRow)]
struct Written {
    id: MailId,
}

/// Keeps the drafts that are new and enqueues them, both or neither.
pub(crate) async fn save(ctx: &Ctx, drafts: &[Draft]) -> Result<(), Fault> {
    if drafts.is_empty() {
        return Ok(());
    }
    db::write!(ctx.db, &Actor::system("mail"), |tx| {
        let mut rows = Rows::new(
            "id BIGINT, event_id BIGINT, template TEXT, order_id BIGINT?, recipient TEXT, subject TEXT, body_text TEXT, body_html TEXT, created_at BIGINT",
        );
        for d in drafts {
            rows.push([
                tx.id::<MailId>().into(),
                d.event.into(),
                d.template.into(),
                d.order.into(),
                d.recipient.as_str().into(),
                d.rendered.subject.as_str().into(),
                d.rendered.text.as_str().into(),
                d.rendered.html.as_str().into(),
                tx.now().into(),
            ]);
        }
        let text = "INSERT INTO mail (id, event_id, template, order_id, recipient, subject, body_text, body_html, created_at) \
                    SELECT id, event_id, template, order_id, recipient, subject, body_text, body_html, created_at FROM input WHERE TRUE \
                    ON CONFLICT (event_id, template) DO NOTHING RETURNING id";
        let written: Vec<Written> = tx.all_from(&rows, text, []).await?;
        let jobs: Vec<_> = written.into_iter().map(|w| (SendMail { mail: w.id }, None)).collect();
        tx.enqueue(tx.now(), &jobs).await
    })
}
