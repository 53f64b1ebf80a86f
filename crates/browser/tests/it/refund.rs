//! A support agent refunds one unit of an order.

use browser::{Desk, on_demo, on_postgres};

/// Three travel mugs at 27.90 with 4.90 of shipping between them: 88.60, of which a unit's share does not come out even.
const ORDER: &str = "SELECT o.number FROM orders o JOIN order_line l ON l.order_id = o.id \
    WHERE l.sku = 'TRAVEL-MUG' AND l.delivered = 3 AND l.shipping + l.shipping_tax = 490 ORDER BY o.placed_at LIMIT 1";

async fn refunds(desk: &Desk<'_>) {
    let number = desk.shop.text(ORDER).await;
    desk.sign_in_as(web::Role::Support).await;
    desk.go(&format!("/orders?search={number}")).await;
    desk.click(&number).await;
    desk.see("Total 88.60 EUR").await;
    desk.click("Refund …").await;
    desk.type_into("TRAVEL-MUG", "1").await;
    // Of the shipping, the first of three units has 1.63 of 4.90.
    desk.see("Can still be refunded 88.60 EUR").await;
    desk.see("This refund 29.53 EUR").await;
    desk.type_into("Why", "The lid leaks").await;
    desk.click("Refund").await;
    desk.see("29.53 EUR are on their way to the customer").await;
    // The gateway is asked in the background; the page shows it by itself.
    desk.see("Refunded −29.53 EUR").await;
    desk.see("Captured 88.60 EUR").await;
    // What was given out of goodwill is not owed again.
    desk.see("Settled 0.00 EUR").await;
    let told = format!("SELECT refunded FROM orders WHERE number = '{number}'");
    assert_eq!(desk.shop.number(&told).await, 2953);

    // A unit more than there is, and a cent more than was paid, are refused with words by the field.
    desk.click("Refund …").await;
    desk.type_into("TRAVEL-MUG", "4").await;
    desk.see("Between 0 and 3 units of TRAVEL-MUG.").await;
    desk.type_into("TRAVEL-MUG", "0").await;
    desk.type_into("And an amount", "59.08").await;
    desk.see("Only 59.07 EUR can still be refunded.").await;
}

#[tokio::test]
async fn an_agent_refunds_a_unit_on_sqlite() {
    on_demo(async |desk| refunds(desk).await).await;
}

#[tokio::test]
async fn an_agent_refunds_a_unit_on_postgres() {
    on_postgres(async |desk| refunds(desk).await).await;
}
