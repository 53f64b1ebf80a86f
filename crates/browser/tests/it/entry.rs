//! A clerk enters a phone order.

use browser::on_demo;

#[tokio::test]
async fn a_clerk_enters_a_phone_order() {
    on_demo(async |desk| {
        desk.sign_in_as(web::Role::Support).await;
        let sku =
            desk.shop.text("SELECT code FROM sku WHERE kind = 'simple' AND active ORDER BY id LIMIT 1").await;
        desk.go("/orders").await;
        desk.click("New order").await;
        for (label, value) in [
            ("Name", "Élise Müller-Østergård"),
            ("Phone", "+49 30 901820"),
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
        desk.click("Place order").await;
        desk.see("Élise Müller-Østergård").await;
        desk.see("25.00 EUR").await;
        assert!(desk.address().await.starts_with("/orders/ord_"), "{}", desk.address().await);
    })
    .await;
}
