//! A customer looks an order up, asks a return, and the merchant finds it in the inbox; and a colleague enters one.

use browser::{Desk, on_demo, on_postgres};

/// An order that arrived whole, of which nothing was asked back, and the customer's address.
const ARRIVED: &str = "FROM orders o WHERE o.units_delivered = o.units AND o.units_returned = 0 AND o.units > 1 \
    AND NOT EXISTS (SELECT 1 FROM return_request r WHERE r.order_id = o.id) ORDER BY o.placed_at DESC LIMIT 1";

async fn asks(desk: &Desk<'_>) {
    let number = desk.shop.text(&format!("SELECT o.number {ARRIVED}")).await;
    let email = desk.shop.text(&format!("SELECT o.email {ARRIVED}")).await;
    desk.resize(390, 844).await;
    desk.go("/track").await;
    desk.type_into("Order number", &number).await;
    desk.type_into("E-mail", "somebody.else@example.com").await;
    desk.click("Find my order").await;
    desk.see("There is no order with this number and this e-mail").await;
    // The answer is 404, which the console counts among errors.
    let errors = desk.errors().await;
    assert!(errors.iter().all(|e| e.contains("404")), "{errors:?}");

    // What was typed is still there, and capitals in an address mean nothing.
    desk.type_into("E-mail", &email.to_uppercase()).await;
    desk.click("Find my order").await;
    desk.see("Everything has arrived.").await;
    desk.see("Handed to the recipient").await;
    // Who knows number and e-mail does not learn where somebody lives.
    desk.see_no("Goes to").await;

    desk.click("Return something").await;
    desk.click("See what it gives").await;
    desk.see("Choose at least one item to return.").await;
    let errors = desk.errors().await;
    assert!(errors.iter().all(|e| e.contains("422")), "{errors:?}");
    desk.choose("How many", "1").await;
    desk.choose("Why", "Arrived damaged").await;
    desk.click("My money back").await;
    desk.type_into("Anything else we should know", "Der Griff ist ab – שבור").await;
    desk.click("See what it gives").await;
    desk.see("Is this right?").await;
    desk.see("1 ×").await;
    let gives = desk.js("return document.querySelector('.card strong').innerText", vec![]).await;
    let gives = gives.as_str().expect("an amount").to_owned();
    desk.click("Ask for this return").await;
    desk.see("requested").await;
    let asked = "return document.body.innerText.match(/Return (R\\d+)/)[1]";
    let asked = desk.js(asked, vec![]).await;
    let asked = asked.as_str().expect("the number of a return").to_owned();

    // The merchant sees it, with what the customer wrote, and what it gives is what the customer was told.
    desk.resize(1440, 900).await;
    desk.sign_in_as(web::Role::Support).await;
    desk.go("/returns?status=requested").await;
    desk.click(&asked).await;
    desk.see(&format!("Return {asked}")).await;
    desk.see("damaged").await;
    desk.see("Der Griff ist ab – שבור").await;
    desk.see(&gives).await;
    desk.click("Approve").await;
    desk.see(&format!("{asked} is approved")).await;
}

async fn enters(desk: &Desk<'_>) {
    let number = desk.shop.text(&format!("SELECT o.number {ARRIVED}")).await;
    desk.sign_in_as(web::Role::Support).await;
    desk.go(&format!("/orders?search={number}")).await;
    desk.click(&number).await;
    desk.click("More").await;
    desk.click("Start a return").await;
    desk.see("New return").await;
    desk.type_into("Units", "1").await;
    desk.choose("The customer wants", "Store credit").await;
    desk.click("Enter the return").await;
    desk.see("Choose why.").await;
    let errors = desk.errors().await;
    assert!(errors.iter().all(|e| e.contains("422")), "{errors:?}");
    desk.choose("Why", "Changed mind").await;
    desk.click("Enter the return").await;
    desk.see("is entered").await;
    desk.see("store credit").await;
    assert!(desk.address().await.starts_with("/returns/rma_"), "{}", desk.address().await);
}

#[tokio::test]
async fn a_customer_asks_a_return_on_sqlite() {
    on_demo(async |desk| asks(desk).await).await;
}

#[tokio::test]
async fn a_customer_asks_a_return_on_postgres() {
    on_postgres(async |desk| asks(desk).await).await;
}

#[tokio::test]
async fn an_agent_enters_a_return() {
    on_demo(async |desk| enters(desk).await).await;
}
