//! A purchaser orders from a supplier; what comes is received in two deliveries, with one unit too many that has to be explained.

use browser::{Desk, on_demo, on_postgres};

const STOCK: &str = "FROM stock t JOIN sku s ON s.id = t.sku_id JOIN location l ON l.id = t.location_id WHERE s.code = 'TAMPER-58' AND l.name = ";

async fn buys(desk: &Desk<'_>) {
    let supplier = desk.shop.text("SELECT name FROM supplier ORDER BY code LIMIT 1").await;
    let place = desk
        .shop
        .text("SELECT l.name FROM purchase p JOIN location l ON l.id = p.location_id ORDER BY p.id LIMIT 1")
        .await;
    let number = |of: &str| format!("SELECT COALESCE((SELECT t.{of} {STOCK}'{place}'), 0)");
    let (there, coming) =
        (desk.shop.number(&number("on_hand")).await, desk.shop.number(&number("incoming")).await);

    desk.sign_in_as(web::Role::Purchaser).await;
    desk.go("/purchasing").await;
    desk.click("New purchase order").await;
    // Without units nothing can be ordered: it is said by the field, and what was typed stays.
    desk.choose("Supplier", &supplier).await;
    desk.type_into("Supplier’s number", "AB-77").await;
    desk.type_into("SKU or barcode", "TAMPER-58").await;
    desk.type_into("Cost of a unit", "10.40").await;
    desk.click("Save").await;
    desk.see("A whole number of units.").await;
    desk.type_into("Units", "10").await;
    desk.click("Save").await;
    desk.see("The purchase order is saved").await;
    desk.see("Draft").await;
    desk.see("104.00 EUR").await;
    assert_eq!(desk.shop.number(&number("incoming")).await, coming, "a draft promises nothing");
    desk.click("Order").await;
    // Asked first: the supplier has it then.
    desk.js("document.querySelector('#order-it[open] .btn-primary').click()", vec![]).await;
    desk.see("Ordered: its units are incoming").await;
    assert_eq!(desk.shop.number(&number("incoming")).await, coming + 10);
    assert_eq!(desk.barriers().await, Vec::<String>::new());

    // The first delivery has four of ten.
    desk.type_into("TAMPER-58 –", "4").await;
    desk.type_into("Delivery note", "DN-1").await;
    // Enter sends the form, as after a scan.
    desk.scan("").await;
    desk.see("4 units received").await;
    desk.see("Partly received").await;
    desk.see("6 still to come").await;
    assert_eq!(desk.shop.number(&number("on_hand")).await, there + 4);
    assert_eq!(desk.shop.number(&number("incoming")).await, coming + 6);

    // The second has one more than was ordered: that wants a reason.
    desk.type_into("TAMPER-58 –", "7").await;
    desk.type_into("Delivery note", "DN-2").await;
    desk.scan("").await;
    desk.see("Only 6 of TAMPER-58 are still to come and 7 are here").await;
    assert_eq!(desk.shop.number(&number("on_hand")).await, there + 4, "nothing came without a reason");
    desk.type_into("Why more came", "One more in the box").await;
    desk.scan("").await;
    desk.see("7 units received").await;
    desk.see("1: One more in the box").await;
    assert_eq!(desk.shop.number(&number("on_hand")).await, there + 11);
    assert_eq!(desk.shop.number(&number("incoming")).await, coming);
    desk.click("Purchase orders").await;
    desk.click("Received").await;
    desk.see(&supplier).await;
    // What was refused is 422, which the console counts among errors.
    let errors = desk.errors().await;
    assert!(errors.iter().all(|e| e.contains("422")), "{errors:?}");
}

#[tokio::test]
async fn a_purchaser_orders_and_receives_on_sqlite() {
    on_demo(async |desk| buys(desk).await).await;
}

#[tokio::test]
async fn a_purchaser_orders_and_receives_on_postgres() {
    on_postgres(async |desk| buys(desk).await).await;
}
