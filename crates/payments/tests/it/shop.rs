//! A shop for tests: a database, a gateway that goes over a wire, and a world at its other end that keeps count of what really happened.

use customers::{Contact, CreditEntry, CustomerId};
use db::testing::{TestDb, both};
use db::{Ctx, Options, Parts};
use kernel::outside::{HttpAnswer, HttpCall, NoAnswer, Outside};
use kernel::{Actor, Currency, Fault, Timestamp};
use payments::{
    Act, Answer, Ask, BadWebhook, Card, FactKind, Gateway, GatewayFact, Gateways, Open, Payment, PaymentId,
    Phase, Plan, RawRequest, Subject,
};
use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

/// A gateway over HTTP.
pub struct Wire;

fn call(what: &str, ask: &Ask) -> Plan {
    Plan::Call(HttpCall {
        method: "POST",
        url: format!("https://wire.test/{what}"),
        headers: vec![("idempotency-key".into(), ask.key.clone())],
        body: format!("{} {} {}", ask.act, ask.amount, ask.token.as_deref().unwrap_or("fine")).into_bytes(),
    })
}

impl Gateway for Wire {
    fn card(&self) -> Card {
        Card { code: "wire", name: "Wire", documentation: "For tests.", webhooks: true, online: &[] }
    }
    fn authorise(&self, ask: &Ask) -> Plan {
        call("do", ask)
    }
    fn capture(&self, ask: &Ask) -> Plan {
        call("do", ask)
    }
    fn void(&self, ask: &Ask) -> Plan {
        call("do", ask)
    }
    fn refund(&self, ask: &Ask) -> Plan {
        call("do", ask)
    }
    fn query(&self, ask: &Ask) -> Plan {
        call("query", ask)
    }
    fn read(&self, ask: &Ask, answer: &HttpAnswer) -> Answer {
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        match (answer.status, text.split_once(' ')) {
            (200, Some(("ok", reference))) => {
                let mut fact = GatewayFact::of(ask, Phase::Succeeded, reference);
                fact.payment_reference = Some(format!("wire_{}", ask.payment));
                Answer::Facts(vec![fact])
            }
            (200, Some(("no", why))) => {
                Answer::Facts(vec![GatewayFact::of(ask, Phase::Failed, ask.key.clone()).because(why)])
            }
            (404, _) => Answer::NeverHappened,
            _ => Answer::Unknown(format!("status {} and “{text}”", answer.status)),
        }
    }
    fn verify(&self, secret: &str, request: &RawRequest) -> Result<String, BadWebhook> {
        let id = request.header("wire-id").ok_or(BadWebhook::Unreadable("no id".into()))?;
        if request.header("wire-secret") == Some(secret) {
            Ok(id.to_owned())
        } else {
            Err(BadWebhook::Signature)
        }
    }
    fn webhook(&self, request: &RawRequest) -> Result<Vec<GatewayFact>, BadWebhook> {
        let text = String::from_utf8_lossy(&request.body).into_owned();
        let parts: Vec<&str> = text.split(' ').collect();
        let [about, kind, phase, amount, reference] = parts[..] else {
            return Err(BadWebhook::Unreadable(text));
        };
        let bad = |e: &dyn std::fmt::Display| BadWebhook::Unreadable(e.to_string());
        let subject = match about.starts_with("pop_") {
            true => Subject::Operation(about.parse().map_err(|e| bad(&e))?),
            false => Subject::Reference(about.to_owned()),
        };
        Ok(vec![GatewayFact {
            subject,
            kind: kind.parse::<FactKind>().map_err(|e| bad(&e))?,
            phase: phase.parse::<Phase>().map_err(|e| bad(&e))?,
            amount: amount.parse().map_err(|e| bad(&e))?,
            reference: reference.to_owned(),
            payment_reference: None,
            at: None,
            detail: None,
            action_url: None,
        }])
    }
}

/// The other end of the wire. What a token says on `act:how` happens there: `capture:silent`, `refund:garbled`, `authorise:lost`,
/// `capture:crash`, `authorise:declined`; everything else is fine.
#[derive(Default)]
pub struct World {
    happened: Mutex<BTreeMap<String, (String, i64)>>,
    seen: Mutex<HashMap<String, u32>>,
}

impl World {
    /// What happened of a kind: how often, and how much in all.
    pub fn sum(&self, act: Act) -> (usize, i64) {
        let happened = self.happened.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mine: Vec<i64> = happened.values().filter(|(a, _)| a == act.as_str()).map(|(_, n)| *n).collect();
        (mine.len(), mine.iter().sum())
    }
    fn answer(&self, call: &HttpCall) -> Result<HttpAnswer, NoAnswer> {
        let key = call.headers[0].1.clone();
        let body = String::from_utf8(call.body.clone()).unwrap();
        let words: Vec<&str> = body.splitn(3, ' ').collect();
        let (act, amount, token) = (words[0].to_owned(), words[1].parse::<i64>().unwrap(), words[2]);
        let how =
            token.split(',').find_map(|t| t.strip_prefix(&format!("{act}:"))).unwrap_or("fine").to_owned();
        let say =
            |status: u16, text: String| Ok(HttpAnswer { status, headers: vec![], body: text.into_bytes() });
        let ok = format!("ok w_{key}");
        let mut happened = self.happened.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if call.url.ends_with("/query") {
            return match happened.contains_key(&key) {
                true => say(200, ok),
                false => say(404, "never".into()),
            };
        }
        let mut seen = self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let times = seen.entry(key.clone()).or_insert(0);
        *times += 1;
        let first = *times == 1;
        if how == "declined" {
            return say(200, "no declined".into());
        }
        if how == "lost" && first {
            return Err(NoAnswer("lost on the way".into()));
        }
        happened.insert(key, (act, amount));
        match how.as_str() {
            "silent" if first => Err(NoAnswer("no answer in time".into())),
            "garbled" if first => say(502, "<html>bad gateway</html>".into()),
            "crash" if first => Err(NoAnswer(DIES.into())),
            _ => say(200, ok),
        }
    }
}
/// The process dies between the call and its result: nobody hears the answer.
const DIES: &str = "dies";

impl Outside for World {
    fn call(
        &self,
        call: HttpCall,
    ) -> Pin<Box<dyn Future<Output = Result<HttpAnswer, NoAnswer>> + Send + '_>> {
        Box::pin(async move {
            match self.answer(&call) {
                Err(NoAnswer(why)) if why == DIES => std::future::pending().await,
                answer => answer,
            }
        })
    }
}

pub struct Shop {
    pub db: TestDb,
    pub ctx: Ctx,
    pub world: Arc<World>,
    pub gateways: Gateways,
    pub customer: CustomerId,
}

pub fn actor() -> Actor {
    Actor::system("test")
}
pub fn eur() -> Currency {
    "EUR".parse().unwrap()
}

/// One shop on each database.
pub async fn shops() -> Vec<Shop> {
    let mut shops = Vec::new();
    for db in both(Options::default).await {
        let world = Arc::new(World::default());
        let gateways = Gateways(vec![Arc::new(Wire)]);
        let ctx =
            Ctx { db: db.db.clone(), outside: world.clone(), parts: Parts::default().with(gateways.clone()) };
        let contact = Contact {
            at: db.now(),
            name: "Ada".into(),
            email: Some("ada@example.org".into()),
            email_key: Some("ada@example.org".into()),
            phone: None,
            address: None,
        };
        let customer =
            db::write!(db, &actor(), |tx| customers::find_or_create(tx, std::slice::from_ref(&contact))
                .await)
            .unwrap()[0];
        shops.push(Shop { db, ctx, world, gateways, customer });
    }
    shops
}

impl Shop {
    pub fn now(&self) -> Timestamp {
        self.db.now()
    }
    /// Works until nothing is due, moving the clock over every pause.
    pub async fn work(&self) {
        for _ in 0..40 {
            while db::work_once(&self.ctx, payments::JOBS, payments::TIMERS).await.unwrap() > 0 {}
            let waiting: Option<i64> =
                self.db.read().scalar("SELECT COUNT(*) FROM job WHERE parked = FALSE", []).await.unwrap();
            if waiting == Some(0) {
                return;
            }
            self.db.clock().advance(Timestamp::HOUR);
        }
        panic!("jobs never end ({})", self.db.name);
    }
    pub async fn work_now(&self) -> usize {
        db::work_once(&self.ctx, payments::JOBS, payments::TIMERS).await.unwrap()
    }
    pub fn tender(&self, order: i64, token: &str, amount: i64) -> Open {
        Open {
            at: self.now(),
            order,
            customer: self.customer,
            gateway: "wire".into(),
            method: "card".into(),
            token: Some(token.into()),
            reference: None,
            currency: eur(),
            amount,
            capture: false,
            paid_at: None,
        }
    }
    pub async fn open(&self, tender: Open) -> PaymentId {
        self.open_all(vec![tender]).await[0]
    }
    pub async fn open_all(&self, tenders: Vec<Open>) -> Vec<PaymentId> {
        let opened = db::write!(self.db, &actor(), |tx| payments::open(tx, &tenders).await).unwrap();
        opened.into_iter().map(|o| o.unwrap()).collect()
    }
    pub async fn give_credit(&self, amount: i64, currency: Currency) {
        let entry = CreditEntry {
            at: self.now(),
            customer: self.customer,
            currency,
            amount,
            reason: "gift".into(),
            order: None,
            reference: format!("gift {currency}"),
        };
        db::write!(self.db, &actor(), |tx| customers::post_credit(tx, std::slice::from_ref(&entry)).await)
            .unwrap()[0]
            .clone()
            .unwrap();
    }
    pub async fn credit(&self, currency: Currency) -> i64 {
        customers::credit_balance(self.db.read(), self.customer, currency).await.unwrap()
    }
    pub async fn payment(&self, id: PaymentId) -> Payment {
        payments::read::payment(self.db.read(), id).await.unwrap().unwrap()
    }
    pub async fn capture(
        &self,
        payment: PaymentId,
        amount: i64,
    ) -> Result<payments::OperationId, payments::CaptureRefused> {
        let want = payments::Capture { at: self.now(), payment, amount: Some(amount) };
        db::write!(self.db, &actor(), |tx| payments::capture(tx, std::slice::from_ref(&want)).await)
            .unwrap()
            .remove(0)
    }
    pub async fn void(&self, payment: PaymentId) -> Result<(), payments::VoidRefused> {
        let want = payments::Void { at: self.now(), payment };
        db::write!(self.db, &actor(), |tx| payments::void(tx, std::slice::from_ref(&want)).await)
            .unwrap()
            .remove(0)
    }
    pub fn grant(&self, order: i64, amount: i64, to: payments::RefundTo) -> payments::GrantRefund {
        payments::GrantRefund {
            at: self.now(),
            order,
            return_id: None,
            amount,
            reason: "sent back".into(),
            to,
            recorded: false,
        }
    }
    pub async fn refund(
        &self,
        want: payments::GrantRefund,
    ) -> Result<payments::RefundId, payments::RefundRefused> {
        db::write!(self.db, &actor(), |tx| payments::grant_refunds(tx, std::slice::from_ref(&want)).await)
            .unwrap()
            .remove(0)
    }
    pub async fn record(&self, facts: Vec<payments::Record>) -> Result<(), Fault> {
        db::write!(self.db, &actor(), |tx| payments::record(tx, &facts).await)
    }
    pub async fn count(&self, text: &str) -> i64 {
        self.db.read().scalar(text, []).await.unwrap().unwrap_or(0)
    }
    pub async fn events(&self, kind: &str) -> i64 {
        let text = "SELECT COUNT(*) FROM event WHERE kind = $1";
        self.db.read().scalar(text, [kind.into()]).await.unwrap().unwrap_or(0)
    }
    /// Every law holds, and what the events tell sums to what is stored.
    pub async fn check(&self) {
        for law in payments::laws::LAWS.iter().chain(customers::laws::LAWS) {
            let offences = db::laws::check(self.db.read(), law).await.unwrap();
            assert!(offences.is_empty(), "{}: {} {offences:?}", self.db.name, law.name);
        }
        let payments: Vec<Payment> = self.db.read().all("SELECT * FROM payment", []).await.unwrap();
        for p in &payments {
            let told = self.told(p.id).await;
            let sum = |kind: &str| told.iter().filter(|(k, _)| k == kind).map(|(_, n)| *n).sum::<i64>();
            let stored = [p.authorised, p.captured, p.voided, p.refunded, p.fees];
            let from_events = [
                "payment.authorised",
                "payment.captured",
                "payment.voided",
                "payment.refunded",
                "payment.fee_charged",
            ]
            .map(sum);
            assert_eq!(stored, from_events, "events tell what changed ({}, {p:?})", self.db.name);
            let opened: i64 = sum("payment.disputed");
            let closed: i64 = sum("payment.dispute_closed");
            assert!(p.disputed == opened - closed || closed > opened, "{p:?}");
        }
    }
    async fn told(&self, payment: PaymentId) -> Vec<(String, i64)> {
        #[derive(db::FromRow)]
        struct Row {
            kind: String,
            payload: String,
        }
        let text = "SELECT kind, payload FROM event WHERE subject = $1";
        let rows: Vec<Row> = self.db.read().all(text, [payment.to_string().into()]).await.unwrap();
        let amount = |r: &Row| {
            serde_json::from_str::<serde_json::Value>(&r.payload).unwrap()["amount"].as_i64().unwrap_or(0)
        };
        rows.iter().map(|r| (r.kind.clone(), amount(r))).collect()
    }
}
