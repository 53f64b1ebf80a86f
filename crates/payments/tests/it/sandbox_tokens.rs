//! Every row of the sandbox's table, driven through real payments: what the table says is what the payment becomes.

use crate::manual::Manual;
use crate::sandbox::{SIGNATURE, Sandbox, fee, sign};
use customers::{Contact, CustomerId};
use db::testing::{TestDb, both};
use db::{Ctx, Options, Parts};
use kernel::outside::{HttpAnswer, HttpCall, NoAnswer, Outside};
use kernel::{Actor, Currency, Timestamp};
use payments::webhook::{WebhookRefused, accept, secret_setting};
use payments::{
    Act, Gateways, GrantRefund, Open, Operation, Payment, PaymentId, RawRequest, RefundTo, State, Void,
};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

fn both_gateways() -> Gateways {
    Gateways(vec![Arc::new(Sandbox), Arc::new(Manual)])
}

/// There is no network here.
struct Nobody;
impl Outside for Nobody {
    fn call(
        &self,
        call: HttpCall,
    ) -> Pin<Box<dyn Future<Output = Result<HttpAnswer, NoAnswer>> + Send + '_>> {
        panic!("a local gateway called {}", call.url)
    }
}

struct Shop {
    db: TestDb,
    ctx: Ctx,
    customer: CustomerId,
}

fn actor() -> Actor {
    Actor::system("test")
}

async fn shops() -> Vec<Shop> {
    let mut shops = Vec::new();
    for db in both(Options::default).await {
        let ctx = Ctx {
            db: db.db.clone(),
            outside: Arc::new(Nobody),
            parts: Parts::default().with(both_gateways()),
        };
        let contact = Contact {
            at: db.now(),
            name: "Ada".into(),
            email: Some("ada@example.org".into()),
            email_key: Some("ada@example.org".into()),
            phone: None,
            address: None,
        };
        let found =
            db::write!(db, &actor(), |tx| customers::find_or_create(tx, std::slice::from_ref(&contact))
                .await);
        let customer = found.unwrap()[0];
        shops.push(Shop { db, ctx, customer });
    }
    shops
}

impl Shop {
    async fn work_now(&self) -> usize {
        db::work_once(&self.ctx, payments::JOBS, payments::TIMERS).await.unwrap()
    }
    async fn work(&self) {
        for _ in 0..40 {
            while self.work_now().await > 0 {}
            let waiting: Option<i64> = self.db.read().scalar("SELECT COUNT(*) FROM job", []).await.unwrap();
            if waiting == Some(0) {
                return;
            }
            self.db.clock().advance(Timestamp::HOUR);
        }
        panic!("jobs never end ({})", self.db.name);
    }
    async fn open(&self, order: i64, token: Option<&str>, amount: i64, capture: bool) -> PaymentId {
        let currency: Currency = "EUR".parse().unwrap();
        let tender = Open {
            at: self.db.now(),
            order,
            customer: self.customer,
            gateway: "sandbox".into(),
            method: "card".into(),
            token: token.map(str::to_owned),
            reference: None,
            currency,
            amount,
            capture,
            paid_at: None,
        };
        let opened =
            db::write!(self.db, &actor(), |tx| payments::open(tx, std::slice::from_ref(&tender)).await);
        *opened.unwrap()[0].as_ref().unwrap()
    }
    async fn payment(&self, id: PaymentId) -> Payment {
        payments::read::payment(self.db.read(), id).await.unwrap().unwrap()
    }
    async fn operations(&self, id: PaymentId) -> Vec<Operation> {
        payments::read::operations_of(self.db.read(), &[id]).await.unwrap().remove(&id).unwrap()
    }
    async fn refund(&self, order: i64, amount: i64) {
        let at = self.db.now();
        let want = GrantRefund {
            at,
            order,
            return_id: None,
            amount,
            reason: "x".into(),
            to: RefundTo::Tenders,
            recorded: false,
        };
        let granted =
            db::write!(self.db, &actor(), |tx| payments::grant_refunds(tx, std::slice::from_ref(&want))
                .await);
        granted.unwrap().remove(0).unwrap();
    }
    async fn check(&self) {
        for law in payments::laws::LAWS.iter().chain(customers::laws::LAWS) {
            let offences = db::laws::check(self.db.read(), law).await.unwrap();
            assert!(offences.is_empty(), "{}: {} {offences:?}", self.db.name, law.name);
        }
    }
}

#[tokio::test]
async fn every_token_and_amount_authorises_as_the_table_says() {
    let table = [
        (Some("tok_ok"), 1_000, "captured", None),
        (None, 1_000, "captured", None),
        (Some("tok_declined"), 1_000, "failed", Some("card_declined")),
        (Some("tok_insufficient"), 1_000, "failed", Some("insufficient_funds")),
        (Some("tok_action"), 1_000, "requires_action", None),
        (Some("tok_action_declined"), 1_000, "requires_action", None),
        (Some("tok_timeout"), 1_000, "captured", None),
        (Some("tok_timeout_lost"), 1_000, "captured", None),
        (Some("tok_late"), 1_000, "captured", None),
        (Some("tok_duplicate"), 1_000, "captured", None),
        (Some("tok_capture_fails"), 1_000, "authorised", None),
        (Some("tok_capture_timeout"), 1_000, "captured", None),
        (Some("tok_capture_lost"), 1_000, "captured", None),
        (Some("tok_nonsense"), 1_000, "failed", Some("unknown_token")),
        (Some("tok_ok"), 4_002, "failed", Some("card_declined")),
        (Some("tok_ok"), 14_002, "failed", Some("card_declined")),
        (None, 4_008, "captured", None),
        (None, 4_051, "failed", Some("insufficient_funds")),
        (None, 4_054, "failed", Some("expired_card")),
        (None, 4_093, "requires_action", None),
    ];
    for shop in shops().await {
        for (n, (token, amount, status, why)) in table.into_iter().enumerate() {
            let id = shop.open(n as i64, token, amount, true).await;
            shop.work().await;
            let p = shop.payment(id).await;
            assert_eq!(
                (p.status.as_str(), p.conflicted),
                (status, false),
                "{token:?} {amount} {}",
                shop.db.name
            );
            assert_eq!(shop.operations(id).await[0].problem.as_deref(), why, "{token:?} {amount}");
            let captured = if status == "captured" { amount } else { 0 };
            let fees = if captured > 0 { fee(amount) } else { 0 };
            assert_eq!((p.captured, p.fees), (captured, fees), "{token:?} {amount}: once, with its fee");
            shop.check().await;
        }
    }
}

#[tokio::test]
async fn the_customer_acts_and_it_goes_on() {
    for shop in shops().await {
        for (order, token, status) in [(1, "tok_action", "captured"), (2, "tok_action_declined", "failed")] {
            let id = shop.open(order, Some(token), 1_000, true).await;
            assert!(
                !payments::complete_action(&shop.ctx, id).await.unwrap(),
                "nothing to complete before the gateway asked"
            );
            shop.work().await;
            let p = shop.payment(id).await;
            assert_eq!(p.action_url, Some(format!("/v1/sandbox/payments/{id}/complete")));
            assert_eq!(shop.operations(id).await[0].state, State::RequiresAction);
            assert!(payments::complete_action(&shop.ctx, id).await.unwrap());
            shop.work().await;
            let p = shop.payment(id).await;
            assert_eq!((p.status.as_str(), p.action_url), (status, None));
            assert!(!payments::complete_action(&shop.ctx, id).await.unwrap(), "once");
            shop.check().await;
        }
    }
}

#[tokio::test]
async fn time_outs_pass_through_unknown_and_are_asked_about() {
    for shop in shops().await {
        for (order, token, attempts) in
            [(1, "tok_timeout", 2), (2, "tok_timeout_lost", 3), (3, "tok_late", 3)]
        {
            let id = shop.open(order, Some(token), 1_000, false).await;
            shop.work_now().await;
            assert_eq!(shop.operations(id).await[0].state, State::Unknown, "{token}");
            shop.work().await;
            let operation = shop.operations(id).await.remove(0);
            assert_eq!(
                (operation.state, operation.attempts),
                (State::Succeeded, attempts),
                "{token} {}",
                shop.db.name
            );
            assert_eq!(shop.payment(id).await.authorised, 1_000);
        }
        shop.check().await;
    }
}

#[tokio::test]
async fn refunds_and_voids_as_the_table_says() {
    for shop in shops().await {
        let cases = [
            ("tok_ok", 400),
            ("tok_duplicate", 400),
            ("tok_refund_fails", 0),
            ("tok_refund_timeout", 400),
            ("tok_refund_lost", 400),
        ];
        for (order, (token, refunded)) in cases.into_iter().enumerate() {
            let id = shop.open(order as i64, Some(token), 1_000, true).await;
            shop.work().await;
            shop.refund(order as i64, 400).await;
            shop.work().await;
            let p = shop.payment(id).await;
            assert_eq!(
                (p.refunded, p.refund_pending, p.conflicted),
                (refunded, 0, false),
                "{token} {}",
                shop.db.name
            );
        }
        for (order, token, voided) in [(11, "tok_ok", 1_000), (12, "tok_void_fails", 0)] {
            let id = shop.open(order, Some(token), 1_000, false).await;
            shop.work().await;
            let want = Void { at: shop.db.now(), payment: id };
            db::write!(shop.db, &actor(), |tx| payments::void(tx, std::slice::from_ref(&want)).await)
                .unwrap()
                .remove(0)
                .unwrap();
            shop.work().await;
            assert_eq!(shop.payment(id).await.voided, voided, "{token}");
            assert_eq!(shop.operations(id).await[1].kind, Act::Void);
        }
        shop.check().await;
    }
}

#[tokio::test]
async fn signed_webhooks_tell_of_disputes_in_any_order() {
    for shop in shops().await {
        let id = shop.open(1, Some("tok_ok"), 2_000, true).await;
        shop.work().await;
        db::write!(shop.db, &actor(), |tx| db::settings::set(tx, &secret_setting("sandbox"), &"hush").await)
            .unwrap();
        let body = |message: &str, phase: &str, about: &str| {
            format!(
                "{{\"id\":\"{message}\",\"facts\":[{{\"kind\":\"chargeback\",\"phase\":\"{phase}\",\"amount\":500,\"reference\":\"d1\",{about}}}]}}"
            )
        };
        let by_payment = format!("\"payment\":\"{id}\"");
        let by_reference = format!("\"payment_reference\":\"sbx_{id}\"");
        let send = async |body: String, signature: String| {
            let request =
                RawRequest { headers: vec![(SIGNATURE.to_owned(), signature)], body: body.into_bytes() };
            db::write!(shop.db, &actor(), |tx| accept(tx, &both_gateways(), "sandbox", &request).await)
                .unwrap()
        };
        let lost = body("m2", "succeeded", &by_reference);
        let opened = body("m1", "requested", &by_payment);
        assert_eq!(
            send(opened.clone(), sign("guess", opened.as_bytes()).unwrap()).await,
            Err(WebhookRefused::BadSignature)
        );
        for message in [&lost, &opened, &lost, &opened] {
            send(message.clone(), sign("hush", message.as_bytes()).unwrap()).await.unwrap();
        }
        let nonsense = "{\"id\":\"m3\"}";
        let refused = send(nonsense.to_owned(), sign("hush", nonsense.as_bytes()).unwrap()).await;
        assert!(matches!(refused, Err(WebhookRefused::Unreadable { .. })));
        shop.work().await;
        let p = shop.payment(id).await;
        assert_eq!((p.disputed, p.dispute_lost, p.refundable()), (0, 500, 1_500), "{}", shop.db.name);
        shop.check().await;
    }
}
