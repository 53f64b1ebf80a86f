//! E-mails to customers: what they say, that they come once, and what happens when the mail server does not take them.

use super::post::PostOffice;
use super::world::{
    Delivered, Placed, Refunded, Shipped, actor, count, ctx, lawful, record, tell_again, work, worlds,
};
use automation::read::{self, MailRow};
use automation::send::send_again;
use automation::templates::{SetTemplate, TemplateText, set_templates};
use automation::{MailId, Mailer};
use db::Db;
use kernel::Timestamp;
use mail_parser::MessageParser;
use serde_json::json;

fn mailer(office: &PostOffice) -> Mailer {
    Mailer::smtp(&office.url, "Čaj & Co <shop@example.com>").unwrap()
}

/// An order of three cups, with ids from `id` on.
async fn order(db: &Db, id: i64, email: Option<&str>, currency: &str, total: i64) {
    db::write!(db, &actor(), |tx| {
        tx.exec("INSERT INTO customer (id, name, created_at) VALUES ($1, 'Zoë', 0)", [id.into()]).await?;
        let sku = "INSERT INTO sku (id, code, title, kind, tax_class, created_at) VALUES ($1, $2, 'Cup', 'simple', 'standard', 0)";
        tx.exec(sku, [id.into(), format!("CUP-{id}").into()]).await?;
        let text = "INSERT INTO orders (id, number, channel, customer_id, name, email, ship_to, bill_to, country, currency, tax_inclusive, fingerprint, \
                    placed_at, goods, discount, net, tax, shipping, shipping_tax, fee, units, updated_at) \
                    VALUES ($1, $2, 'api', $1, 'Zoë <Åberg>', $3, '{}', '{}', 'SE', $4, TRUE, 'f', 0, $5, 0, $5, 0, 0, 0, 0, 3, 0)";
        tx.exec(text, [id.into(), format!("{}", 1000 + id).into(), email.into(), currency.into(), total.into()]).await?;
        let line = "INSERT INTO order_line (id, order_id, position, placed_at, sku_id, sku, title, unit_price, tax_rate_ppm, tax_class, gross, discount, discount_net, \
                    net, tax, shipping, shipping_tax, fee, backorder_ok, ordered, pending) \
                    VALUES ($1, $1, 1, 0, $1, $2, 'Cup “A&B” ☕', $3, 0, 'standard', $4, 0, 0, $4, 0, 0, 0, 0, FALSE, 3, 3)";
        tx.exec(line, [id.into(), format!("CUP-{id}").into(), (total / 3).into(), total.into()]).await
    })
    .unwrap();
}

async fn mails(db: &Db) -> Vec<MailRow> {
    read::mails(db.read(), None, false, None, 100).await.unwrap()
}

/// Sender, id and date of a letter.
fn envelope(db: &Db, letter: &[u8]) {
    let raw = MessageParser::default().parse(letter).unwrap();
    let from = raw.from().and_then(|a| a.first()).unwrap();
    assert_eq!((from.name(), from.address()), (Some("Čaj & Co"), Some("shop@example.com")));
    assert!(raw.message_id().is_some_and(|id| id.starts_with("mai_") && id.ends_with("@example.com")));
    assert_eq!(raw.date().map(|d| d.to_timestamp()), Some(db.now().0 / Timestamp::SECOND));
}

#[tokio::test]
async fn customers_read_what_happened_in_two_parts_with_exact_amounts() {
    for db in worlds().await {
        let office = PostOffice::open();
        let ctx = ctx(&db, mailer(&office));
        order(&db, 1, Some("zoe@example.com"), "EUR", 3_747).await;
        order(&db, 2, Some("yuki@example.com"), "JPY", 3_000).await;
        order(&db, 3, Some("noor@example.com"), "KWD", 12_345).await;
        order(&db, 4, None, "EUR", 300).await;
        for id in 1..=4 {
            record(&db, Some(id), Placed(json!({}))).await;
        }
        record(
            &db,
            Some(1),
            Shipped(json!({ "shipment": "shp_1", "carrier": "post", "tracking_number": "RX<1>" })),
        )
        .await;
        record(&db, Some(1), Delivered(json!({ "shipment": "shp_1" }))).await;
        record(&db, Some(3), Refunded(json!({ "amount": 4_115, "currency": "KWD", "method": "card" }))).await;
        work(&ctx).await;
        tell_again(&ctx, 1).await;
        work(&ctx).await;
        let letters = office.letters();
        assert_eq!(
            (letters.len(), count(&db, "mail").await),
            (6, 6),
            "{}: one for each event with an address",
            db.name
        );
        assert_eq!(count(&db, "event WHERE kind = 'mail.sent' AND order_id = 1").await, 3);
        let read = |to: &str, word: &str| {
            let found = letters.iter().filter(|(rcpt, _)| rcpt.iter().any(|r| r == to));
            let mut found = found.map(|(_, raw)| MessageParser::default().parse(raw.as_slice()).unwrap());
            let mail = found
                .find(|m| m.subject().unwrap().contains(word))
                .unwrap_or_else(|| panic!("{}: no “{word}” for {to}", db.name));
            (
                mail.subject().unwrap().to_owned(),
                mail.body_text(0).unwrap().into_owned(),
                mail.body_html(0).unwrap().into_owned(),
            )
        };
        let (subject, text, html) = read("zoe@example.com", "Your order");
        assert_eq!(subject, "Your order 1001");
        assert!(
            text.contains("Hello Zoë <Åberg>,")
                && text.contains("3 x Cup “A&B” ☕ (CUP-1): 37.47 EUR")
                && text.contains("Total: 37.47 EUR"),
            "{text}"
        );
        assert!(
            html.contains("Zoë &lt;Åberg&gt;")
                && html.contains("Cup “A&amp;B” ☕")
                && html.contains("37.47 EUR"),
            "{html}"
        );
        assert!(read("yuki@example.com", "1002").1.contains("Total: 3000 JPY"), "no decimals in yen");
        assert!(read("noor@example.com", "Your order").2.contains("12.345 KWD"), "three decimals in dinars");
        assert_eq!(read("noor@example.com", "Refund").0, "Refund of 4.115 KWD for order 1003");
        let (_, text, html) = read("zoe@example.com", "on its way");
        assert!(text.contains("Tracking number: RX<1>") && html.contains("RX&lt;1&gt;"), "{text}{html}");
        assert!(read("zoe@example.com", "delivered").1.contains("was delivered"));

        envelope(&db, &letters[0].1);
        lawful(&db).await;
    }
}

#[tokio::test]
async fn a_merchant_writes_his_own_and_a_broken_one_gives_way_to_ours() {
    for db in worlds().await {
        let office = PostOffice::open();
        let ctx = ctx(&db, mailer(&office));
        order(&db, 1, Some("zoe@example.com"), "EUR", 300).await;
        let text = |subject: &str, text: &str| TemplateText {
            subject: subject.into(),
            text: text.into(),
            html: "<p>{{ order.name }}</p>".into(),
        };
        let set = |text| SetTemplate { at: Timestamp(0), name: "order_placed".into(), text };
        let batch = [
            set(Some(text("{{ broken", ""))),
            set(Some(text("Tack för order {{ order.number }} ✓ 日本", "Pris {{ order.total }}"))),
        ];
        let done = db::write!(db, &actor(), |tx| set_templates(tx, &batch).await).unwrap();
        assert!(done[0].is_err() && done[1].is_ok());
        record(&db, Some(1), Placed(json!({}))).await;
        work(&ctx).await;
        let letters = office.letters();
        let mail = MessageParser::default().parse(letters[0].1.as_slice()).unwrap();
        assert_eq!(mail.subject(), Some("Tack för order 1001 ✓ 日本"), "{}", db.name);
        assert_eq!(mail.body_text(0).unwrap().trim(), "Pris 3.00 EUR");
        assert_eq!(mail.body_html(0).unwrap().trim(), "<p>Zoë &lt;Åberg&gt;</p>");

        // One that works with the sample and not with this order: an order knows no lines beyond its own.
        let late = set(Some(text("{{ lines[0].sku }}", "{{ refund.amount }}")));
        let reset = set(None);
        db::write!(db, &actor(), |tx| set_templates(tx, std::slice::from_ref(&late)).await)
            .unwrap()
            .remove(0)
            .unwrap();
        record(&db, Some(1), Placed(json!({}))).await;
        work(&ctx).await;
        let subject = mails(&db).await[0].subject.clone();
        assert_eq!(subject, "Your order 1001", "{}: the customer hears of it either way", db.name);
        db::write!(db, &actor(), |tx| set_templates(tx, std::slice::from_ref(&reset)).await)
            .unwrap()
            .remove(0)
            .unwrap();
        assert!(!automation::templates::current(db.read(), "order_placed").await.unwrap().1);
    }
}

#[tokio::test]
async fn without_a_mail_server_mails_stay_and_can_be_sent_later() {
    for db in worlds().await {
        order(&db, 1, Some("zoe@example.com"), "EUR", 300).await;
        record(&db, Some(1), Placed(json!({}))).await;
        work(&ctx(&db, Mailer::none())).await;
        let kept = read::mails(db.read(), Some(1), true, None, 10).await.unwrap();
        assert_eq!(
            (kept.len(), kept[0].sent_at, kept[0].error.as_deref(), count(&db, "job").await),
            (1, None, None, 0),
            "{}",
            db.name
        );
        let office = PostOffice::open();
        let asked = db::write!(db, &actor(), |tx| send_again(tx, &[kept[0].id, MailId(7)]).await).unwrap();
        assert!(asked[0].is_ok() && asked[1].is_err());
        work(&ctx(&db, mailer(&office))).await;
        assert_eq!((office.letters().len(), mails(&db).await[0].sent_at), (1, Some(db.now())), "{}", db.name);
        lawful(&db).await;
    }
}

#[tokio::test]
async fn a_mail_that_is_not_taken_keeps_the_reason_and_is_tried_again_where_that_helps() {
    for db in worlds().await {
        let office = PostOffice::open();
        let ctx = ctx(&db, mailer(&office));
        order(&db, 1, Some("zoe@example.com"), "EUR", 300).await;
        office.refuses(Some((451, "try later")));
        record(&db, Some(1), Placed(json!({}))).await;
        work(&ctx).await;
        let waiting = mails(&db).await.remove(0);
        assert!(
            waiting.sent_at.is_none() && waiting.error.as_deref().unwrap().contains("try later"),
            "{}: {:?}",
            db.name,
            waiting.error
        );
        office.refuses(None);
        work(&ctx).await;
        assert_eq!(office.letters().len(), 0, "{}: not before its time", db.name);
        db.clock().advance(10 * Timestamp::SECOND);
        work(&ctx).await;
        let sent = mails(&db).await.remove(0);
        assert_eq!(
            (office.letters().len(), sent.sent_at, sent.error),
            (1, Some(db.now()), None),
            "{}",
            db.name
        );

        office.refuses(Some((550, "no such mailbox")));
        record(&db, Some(1), Shipped(json!({ "carrier": null }))).await;
        work(&ctx).await;
        let refused = mails(&db).await.remove(0);
        assert!(
            refused.sent_at.is_none() && refused.error.as_deref().unwrap().contains("no such mailbox"),
            "{}: {:?}",
            db.name,
            refused.error
        );
        assert_eq!(count(&db, "job").await, 0, "{}: for good", db.name);

        order(&db, 2, Some("not an address"), "EUR", 300).await;
        record(&db, Some(2), Placed(json!({}))).await;
        work(&ctx).await;
        assert!(mails(&db).await[0].error.is_some() && count(&db, "job").await == 0, "{}", db.name);
        lawful(&db).await;
    }
}
