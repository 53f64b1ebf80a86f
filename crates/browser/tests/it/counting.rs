//! The lead of a warehouse counts some shelves blind: one SKU is two short, the others are right; approved, the stock is corrected by that.

use browser::{Desk, on_demo, on_postgres};

/// Where the demo shop counts.
const PLACE: &str =
    "SELECT l.name FROM count_sheet c JOIN location l ON l.id = c.location_id ORDER BY c.id LIMIT 1";
const OPEN: &str =
    "SELECT id FROM count_sheet WHERE approved_at IS NULL AND discarded_at IS NULL ORDER BY id LIMIT 1";

async fn counts(desk: &Desk<'_>) {
    let place = desk.shop.text(PLACE).await;
    let on_hand = |sku: &str| {
        format!(
            "SELECT t.on_hand FROM stock t JOIN sku s ON s.id = t.sku_id JOIN location l ON l.id = t.location_id \
             WHERE s.code = '{sku}' AND l.name = '{place}'"
        )
    };
    desk.sign_in_as(web::Role::WarehouseLead).await;
    // The sheet that somebody left half done is given up.
    let old = browser::pages::id("cnt", desk.shop.number(OPEN).await);
    desk.go(&format!("/stock/counts/{old}")).await;
    desk.click("Discard sheet").await;
    desk.click("Discard sheet").await;
    desk.see("The sheet is given up").await;

    desk.choose("Location", &place).await;
    desk.click("Start").await;
    desk.see("The sheet is started").await;
    let sheet = desk.shop.number(OPEN).await;
    let lines = format!(
        "SELECT s.code FROM count_line c JOIN sku s ON s.id = c.sku_id JOIN stock t ON t.sku_id = s.id \
         JOIN count_sheet h ON h.id = c.sheet_id AND h.location_id = t.location_id WHERE c.sheet_id = {sheet} AND t.on_hand - t.allocated > 3 ORDER BY s.code LIMIT 1"
    );
    let short = desk.shop.text(&lines).await;
    let right = desk.shop.text(&lines.replace("LIMIT 1", "LIMIT 1 OFFSET 1")).await;
    let (before, same) = (desk.shop.number(&on_hand(&short)).await, desk.shop.number(&on_hand(&right)).await);
    desk.type_into(&format!("Units found of {short}"), "two less").await;
    desk.click("Enter counts").await;
    desk.see("“two less” is not a whole number of units.").await;
    desk.type_into(&format!("Units found of {short}"), &(before - 2).to_string()).await;
    desk.type_into(&format!("Units found of {right}"), &same.to_string()).await;
    desk.click("Enter counts").await;
    desk.see("2 counts entered").await;
    assert_eq!(
        desk.shop.number(&on_hand(&short)).await,
        before,
        "nothing is corrected before it is approved"
    );

    desk.click("Different").await;
    desk.see(&short).await;
    desk.see("−2").await;
    desk.see_no(&right).await;
    assert_eq!(desk.barriers().await, Vec::<String>::new());
    desk.click("Approve").await;
    desk.see("1 of 2 counted lines differ and are corrected.").await;
    desk.click("Approve").await;
    desk.see("The sheet is approved").await;
    desk.see("Corrected").await;
    assert_eq!(desk.shop.number(&on_hand(&short)).await, before - 2);
    assert_eq!(desk.shop.number(&on_hand(&right)).await, same);
    // The movement says where it came from.
    desk.click(&short).await;
    desk.see("−2").await;
    // What was refused is 422, which the console counts among errors.
    let errors = desk.errors().await;
    assert!(errors.iter().all(|e| e.contains("422")), "{errors:?}");
}

#[tokio::test]
async fn a_lead_counts_a_location_on_sqlite() {
    on_demo(async |desk| counts(desk).await).await;
}

#[tokio::test]
async fn a_lead_counts_a_location_on_postgres() {
    on_postgres(async |desk| counts(desk).await).await;
}
