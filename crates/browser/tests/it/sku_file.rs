//! A purchaser sends a file of SKUs with a mistake in it, sees it by its row before anything is written, mends the file, and writes it.

use browser::{Desk, on_demo, on_postgres};

const HEAD: &str = "sku,title,price_eur,weight_g,for_sale";

/// Sends a file by the form.
async fn send(desk: &Desk<'_>, name: &str, rows: &[&str]) {
    let folder = std::env::temp_dir()
        .join(format!("fulmar-files-{}", desk.shop.url.rsplit(':').next().unwrap_or("0")));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(name);
    std::fs::write(&path, format!("{HEAD}\n{}\n", rows.join("\n"))).expect("a file");
    desk.go("/catalog/import").await;
    desk.type_into("CSV file", &path.to_string_lossy()).await;
    desk.click("Preview").await;
    desk.see(name).await;
    std::fs::remove_dir_all(&folder).expect("the folder goes");
}

async fn imports(desk: &Desk<'_>) {
    desk.sign_in_as(web::Role::Purchaser).await;
    desk.go("/catalog").await;
    let known = desk.shop.number("SELECT COUNT(*) FROM sku").await;
    let (new, changed) = ("SCALE-2,\"Scale, two kilos\",34.90,720,yes", "MUG-BLUE,,14.20,,");
    send(desk, "autumn.csv", &[new, changed, "SCALE-5,\"Scale, five kilos\",\"44,90\",heavy,yes"]).await;
    desk.see("1 SKU would be made and 1 changed").await;
    desk.see("1 row is wrong and is left out").await;
    desk.see("price_eur").await;
    desk.see("weight_g").await;
    desk.click("Wrong").await;
    desk.see_no("SCALE-2").await;
    desk.see("SCALE-5").await;
    assert_eq!(desk.barriers().await, Vec::<String>::new());
    assert_eq!(desk.shop.number("SELECT COUNT(*) FROM sku").await, known, "nothing is written yet");

    desk.click("Send another file").await;
    send(desk, "autumn-2.csv", &[new, changed, "SCALE-5,\"Scale, five kilos\",44.90,1100,yes"]).await;
    desk.see("2 SKUs would be made and 1 changed").await;
    desk.see_no("is wrong").await;
    desk.click("Import 3 SKUs").await;
    // It is written in the background; the page shows how far it is.
    desk.see("Finished").await;
    desk.see("3 written, 0 refused").await;
    let price = "SELECT p.minor FROM sku_price p JOIN sku s ON s.id = p.sku_id WHERE p.currency = 'EUR' AND s.code = ";
    assert_eq!(desk.shop.number(&format!("{price}'SCALE-5'")).await, 4490);
    assert_eq!(desk.shop.number(&format!("{price}'MUG-BLUE'")).await, 1420);
    assert_eq!(desk.shop.number("SELECT COUNT(*) FROM sku").await, known + 2);

    // The same file once more has nothing left to do.
    send(desk, "autumn-3.csv", &[new, changed]).await;
    desk.see("There is nothing to write.").await;
}

#[tokio::test]
async fn a_purchaser_writes_skus_from_a_file_on_sqlite() {
    on_demo(async |desk| imports(desk).await).await;
}

#[tokio::test]
async fn a_purchaser_writes_skus_from_a_file_on_postgres() {
    on_postgres(async |desk| imports(desk).await).await;
}
