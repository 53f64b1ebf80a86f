//! An agent takes an order by phone, chooses what it ships by, and sends a payment request; the customer opens the link of the e-mail on a
//! phone and pays.

use browser::{Desk, on_demo, on_postgres};
use std::time::{Duration, Instant};

/// The link of the newest payment request, once its e-mail is written.
async fn link(desk: &Desk<'_>) -> String {
    let began = Instant::now();
    loop {
        let text =
            "SELECT body_text FROM mail WHERE template = 'order_payment_requested' ORDER BY id DESC LIMIT 1";
        let mail: Option<String> = desk.shop.ctx.db.read().scalar(text, []).await.expect("a query");
        if let Some(token) = mail.as_deref().and_then(|m| m.split("/pay?t=").nth(1)) {
            return format!("/pay?t={}", token.split_whitespace().next().unwrap_or_default());
        }
        assert!(began.elapsed() < browser::desk::PATIENCE, "no e-mail was written");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn pays(desk: &Desk<'_>) {
    let sku = desk
        .shop
        .text("SELECT s.code FROM sku s JOIN stock t ON t.sku_id = s.id WHERE s.kind = 'simple' AND s.active AND t.available > 5 ORDER BY s.id LIMIT 1")
        .await;
    desk.sign_in_as(web::Role::Support).await;
    desk.go("/orders/new").await;
    for (label, value) in [
        ("Name", "Ada Lovelace"),
        ("E-mail", "ada.pays@example.com"),
        ("Street and number", "Friedrichstraße 100"),
        ("Postal code", "10117"),
        ("City", "Berlin"),
        ("Country", "DE"),
        ("SKU", &sku),
        ("Units", "2"),
        ("Price", "12.50"),
    ] {
        desk.type_into(label, value).await;
    }
    desk.choose("Payment", "Payment request by e-mail: the customer pays on a page").await;
    // What it ships by, and when it is there, comes while one types; choosing fills both in.
    desk.see("There by ").await;
    let first = "const r = document.querySelector('input[name=service]'); r.click(); return r.closest('label').querySelector('bdi').innerText";
    let service = desk.js(first, vec![]).await;
    let service = service.as_str().expect("a service").to_owned();
    let filled = "return document.querySelector('[name=shipping]').value !== '' && document.querySelector('[name=promised]').value !== ''";
    desk.until("shipping and promise to be filled in", filled).await;
    desk.click("Place order").await;
    desk.see("the payment request is on its way").await;
    desk.see("promised by").await;
    desk.see(&format!("Ship by: {service}")).await;
    desk.see("Waits for payment").await;
    let order = desk.address().await;

    // The customer, on a phone, signed in to nothing.
    let pay = link(desk).await;
    desk.sign_out().await;
    desk.resize(390, 844).await;
    desk.go(&pay).await;
    desk.see("Pay for order").await;
    let barriers = desk.barriers().await;
    assert!(barriers.is_empty(), "{barriers:?}");
    desk.see_no("Friedrichstraße").await;
    desk.click("Pay ").await;
    let began = Instant::now();
    while !desk.text().await.contains("It is paid. Thank you!") {
        assert!(began.elapsed() < browser::desk::PATIENCE, "it was never paid: {}", desk.text().await);
        tokio::time::sleep(Duration::from_millis(100)).await;
        desk.go(&pay).await;
    }

    desk.resize(1440, 900).await;
    desk.sign_in().await;
    desk.go(&order).await;
    // The hold is gone, and the warehouse may begin.
    desk.see("Hold released").await;
    desk.see("Payment authorised").await;
    desk.see("25.00 EUR").await;
}

#[tokio::test]
async fn a_customer_pays_by_the_link_of_the_request_on_sqlite() {
    on_demo(async |desk| pays(desk).await).await;
}

#[tokio::test]
async fn a_customer_pays_by_the_link_of_the_request_on_postgres() {
    on_postgres(async |desk| pays(desk).await).await;
}
