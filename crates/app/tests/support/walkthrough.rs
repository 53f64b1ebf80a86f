//! An order on its way through its whole life over the API, as far as a test needs it.

use super::TestApp;
use super::shop::{Shop, order};
use serde_json::{Value, json};

/// How far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Taken.
    Placed,
    /// The card was charged.
    Paid,
    /// On the floor.
    Released,
    /// In a tote.
    Picked,
    /// In a parcel.
    Packed,
    /// With a label.
    Labelled,
    /// With the carrier.
    Shipped,
    /// With the customer.
    Delivered,
    /// One unit of the first line is back and accepted.
    Returned,
    /// And paid back.
    Refunded,
}

/// An order on its way; ids are as the API shows them, empty until there is one.
#[derive(Debug, Clone, Default)]
pub struct OrderWalkthrough {
    /// The order.
    pub order: String,
    /// What it costs, minor units.
    pub total: i64,
    /// Its lines.
    pub lines: Vec<String>,
    /// Its fulfilment order.
    pub fulfilment: String,
    /// Its parcel.
    pub parcel: String,
    /// Its shipment.
    pub shipment: String,
    /// Its return.
    pub return_id: String,
    /// What the returned unit is worth.
    pub credited: i64,
}

impl OrderWalkthrough {
    /// Two TEEs and a SET, as far as `step`.
    pub async fn up_to(app: &TestApp, shop: &Shop, who: &str, step: Step) -> Self {
        let placed = app.post("/v1/orders", &order(who, &[("TEE", 2), ("SET", 1)])).await.ok();
        let mut walk = Self {
            order: text(&placed["id"]),
            total: placed["total"]["minor"].as_i64().unwrap_or_else(|| panic!("{placed}")),
            lines: placed["lines"].as_array().unwrap().iter().map(text).collect(),
            ..Self::default()
        };
        if step >= Step::Paid {
            app.drain_jobs().await;
            assert_eq!(walk.show(app).await["payment_status"], "paid");
        }
        if step >= Step::Released {
            walk.fulfil(app, step).await;
        }
        if step >= Step::Labelled {
            walk.carry(app, step).await;
        }
        if step >= Step::Returned {
            walk.give_back(app, shop, step).await;
        }
        walk
    }
    /// The order as the API shows it.
    pub async fn show(&self, app: &TestApp) -> Value {
        app.get(&format!("/v1/orders/{}", self.order)).await.ok()
    }

    async fn fulfil(&mut self, app: &TestApp, step: Step) {
        let list = app.get(&format!("/v1/fulfilments?order={}", self.order)).await.ok();
        self.fulfilment = text(&list["data"][0]["id"]);
        let path = |verb: &str| format!("/v1/fulfilments/{}/{verb}", self.fulfilment);
        app.post(&path("release"), &json!({})).await.ok();
        if step >= Step::Picked {
            // Two TEEs and one for the SET; the scanner reads barcodes, or codes.
            app.post(&path("pick"), &json!({"scan": "4006381333931", "quantity": 2})).await.ok();
            app.post(&path("pick"), &json!({"scan": "TEE", "quantity": 1})).await.ok();
            let wrong = app.post(&path("pick"), &json!({"scan": "TEE", "quantity": 1})).await;
            assert!(wrong.status.is_client_error(), "{}", wrong.text);
            app.post(&path("pick"), &json!({"scan": "4006381333948", "quantity": 1})).await.ok();
        }
        if step >= Step::Packed {
            self.parcel = text(&app.post(&path("pack"), &json!({})).await.ok()["id"]);
        }
    }

    async fn carry(&mut self, app: &TestApp, step: Step) {
        let label =
            app.post(&format!("/v1/parcels/{}/label", self.parcel), &json!({"cheapest": true})).await.ok();
        self.shipment = text(&label["id"]);
        let path = |verb: &str| format!("/v1/shipments/{}/{verb}", self.shipment);
        if step >= Step::Shipped {
            app.post(&path("ship"), &json!({})).await.ok();
        }
        if step >= Step::Delivered {
            app.post(&path("track"), &json!({"source_id": "t-1", "status": "delivered"})).await.ok();
        }
    }

    async fn give_back(&mut self, app: &TestApp, shop: &Shop, step: Step) {
        let wish = json!({"units": [{"line": self.lines[0], "quantity": 1, "reason": "too_small"}], "resolution": "refund"});
        let asked = app.post(&format!("/v1/orders/{}/returns", self.order), &wish).await.ok();
        self.return_id = text(&asked["id"]);
        let path = |verb: &str| format!("/v1/returns/{}/{verb}", self.return_id);
        app.post(&path("approve"), &json!({})).await.ok();
        app.post(&path("receive"), &json!({"location": shop.warehouse})).await.ok();
        app.post(&path("inspect"), &json!({"acceptance": "accepted", "disposition": "restock"})).await.ok();
        if step >= Step::Refunded {
            let settled = app.post(&path("settle"), &json!({})).await.ok();
            self.credited = settled["credited"].as_i64().unwrap_or_else(|| panic!("{settled}"));
            app.drain_jobs().await;
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
