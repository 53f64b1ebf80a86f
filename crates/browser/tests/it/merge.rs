//! A support agent finds that somebody is in the shop twice, looks at both, and makes them one.

use browser::{Desk, on_demo, on_postgres};
use customers::{Contact, CreditEntry};
use kernel::Actor;

/// Somebody who ordered, with an e-mail address.
const WHO: &str = "FROM customer c WHERE c.email LIKE '%@%' AND EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id) \
    AND c.address IS NOT NULL ORDER BY c.id LIMIT 1";

/// The same person once more: another mailbox, the same name and address, and some store credit.
async fn twin(desk: &Desk<'_>, name: &str, email: &str, address: &str) -> String {
    let db = &desk.shop.ctx.db;
    let actor = Actor::system("test");
    let made = db::write!(db, &actor, |tx| {
        let contact = Contact {
            at: tx.now(),
            name: name.to_owned(),
            email: Some(email.to_owned()),
            email_key: Some(email.to_lowercase()),
            phone: None,
            address: Some(serde_json::from_str(address)?),
        };
        let customer = customers::find_or_create(tx, &[contact]).await?.remove(0);
        let entry = CreditEntry {
            at: tx.now(),
            customer,
            currency: "EUR".parse().map_err(|e| kernel::Fault::broken(format!("{e}")))?,
            amount: 1234,
            reason: "a gift".into(),
            order: None,
            reference: "grant:test".into(),
        };
        customers::post_credit(tx, &[entry]).await?.remove(0).expect("credit is posted");
        Ok(customer)
    });
    made.expect("a customer").to_string()
}

async fn merges(desk: &Desk<'_>) {
    let id = desk.shop.number(&format!("SELECT c.id {WHO}")).await;
    let name = desk.shop.text(&format!("SELECT c.name {WHO}")).await;
    let email = desk.shop.text(&format!("SELECT c.email {WHO}")).await;
    let address = desk.shop.text(&format!("SELECT c.address {WHO}")).await;
    let orders = desk.shop.number(&format!("SELECT COUNT(*) FROM orders WHERE customer_id = {id}")).await;
    let (mailbox, domain) = email.split_once('@').expect("an address");
    let tagged = format!("{mailbox}+gifts@{domain}");
    let twin = twin(desk, &name, &tagged, &address).await;

    desk.sign_in_as(web::Role::Support).await;
    desk.go(&format!("/customers/{twin}")).await;
    desk.see("same mailbox").await;
    desk.click("Merge…").await;
    desk.see("Probably the same person").await;
    // Somebody else is found by typing; this one is there already.
    desk.type_into("Name, e-mail address or phone number", mailbox).await;
    desk.click("Search").await;
    desk.see("Found").await;
    // The name is that of the page too: the row is taken by where it leads.
    desk.js("document.querySelector('main a[href*=\"with=\"]').click()", vec![]).await;
    desk.see("What will happen").await;
    desk.see(&if orders == 1 {
        "1 order moves over.".to_owned()
    } else {
        format!("{orders} orders move over.")
    })
    .await;
    desk.see("This cannot be undone.").await;
    assert_eq!(desk.barriers().await, Vec::<String>::new());
    // The other address is kept: the page says anew what follows from that.
    desk.click(&email).await;
    desk.see("or with what was this customer's before").await;
    desk.click("Merge").await;
    desk.see("Say that they are the same person").await;
    desk.click("They are the same person").await;
    desk.click("Merge").await;
    desk.see("They are one customer now").await;
    desk.see("Merged into this customer").await;
    desk.see("12.34 EUR").await;
    assert_eq!(desk.address().await, format!("/customers/{twin}"));
    let kept = desk
        .shop
        .text(&format!(
            "SELECT email FROM customer WHERE id = (SELECT merged_into FROM customer WHERE id = {id})"
        ))
        .await;
    assert_eq!(kept, email);

    // Whoever has the old address in a note or a tab is led here.
    let old = browser::pages::id("cus", id);
    desk.go(&format!("/customers/{old}")).await;
    desk.see(&tagged).await;
    assert_eq!(desk.address().await, format!("/customers/{twin}"));
    assert_eq!(desk.barriers().await, Vec::<String>::new());
    // What was refused is 422, which the console counts among errors.
    let errors = desk.errors().await;
    assert!(errors.iter().all(|e| e.contains("422")), "{errors:?}");
}

#[tokio::test]
async fn an_agent_merges_two_customers_on_sqlite() {
    on_demo(async |desk| merges(desk).await).await;
}

#[tokio::test]
async fn an_agent_merges_two_customers_on_postgres() {
    on_postgres(async |desk| merges(desk).await).await;
}
