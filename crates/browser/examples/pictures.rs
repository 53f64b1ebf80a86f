//! Takes a picture of every page: at a desk, on a phone, and in the dark. `cargo xtask screenshots` runs it.
//!
//! `pictures FOLDER [README_FOLDER]`: all pictures go to the first, and those that the README shows to the second too.

use browser::Desk;
use browser::driver::Driver;
use browser::pages::{INSIDE, PUBLIC, Page};
use browser::shop::Shop;
use serde_json::json;
use std::path::{Path, PathBuf};

/// What the README shows: name of a page there and here.
const README: &[(&str, &str)] =
    &[("orders", "orders"), ("orders-id", "order"), ("orders-new", "order-entry")];
/// Name, width, height and theme of each kind of picture.
const KINDS: &[(&str, u32, u32, &str)] =
    &[("desk", 1440, 900, "light"), ("phone", 390, 844, "light"), ("dark", 1440, 900, "dark")];
/// A page that is longer than this many pixels is cut.
const LONGEST: u64 = 2600;

#[tokio::main]
async fn main() {
    let mut args = std::env::args_os().skip(1).map(PathBuf::from);
    let folder = args.next().unwrap_or_else(|| "target/screenshots".into());
    let readme = args.next();
    std::fs::create_dir_all(&folder).expect("a folder for the pictures");
    let shop = Shop::sqlite().await;
    let driver = Driver::start().await;
    let desk = Desk::open(&driver, &shop).await;
    let mut index = String::new();
    photograph(&desk, PUBLIC, &folder, &mut index).await;
    desk.sign_in().await;
    photograph(&desk, INSIDE, &folder, &mut index).await;
    std::fs::write(folder.join("index.txt"), index).expect("the list of pictures");
    if let Some(readme) = readme {
        desk.resize(1440, 900).await;
        desk.js("document.documentElement.setAttribute('data-bs-theme', 'light')", vec![]).await;
        for (page, name) in README {
            let page = INSIDE.iter().find(|p| p.name() == *page).expect("a page of the table");
            show(&desk, page, "light").await;
            picture(&desk, &readme.join(format!("{name}.png"))).await;
        }
    }
    desk.close().await;
    shop.stop().await;
}

async fn photograph(desk: &Desk<'_>, pages: &[Page], folder: &Path, index: &mut String) {
    for (kind, width, height, theme) in KINDS {
        for page in pages {
            desk.resize(*width, *height).await;
            show(desk, page, theme).await;
            let length = desk.js("return document.documentElement.scrollHeight", vec![]).await;
            let length = length.as_u64().unwrap_or(0).clamp(u64::from(*height), LONGEST);
            desk.resize(*width, u32::try_from(length).unwrap_or(*height)).await;
            let file = folder.join(format!("{}.{kind}.png", page.name()));
            picture(desk, &file).await;
            index.push_str(&format!("{} {}\n", page.route, file.display()));
        }
    }
}

async fn show(desk: &Desk<'_>, page: &Page, theme: &str) {
    desk.go(&page.address(desk.shop).await).await;
    desk.js("document.documentElement.setAttribute('data-bs-theme', arguments[0])", vec![json!(theme)]).await;
    desk.until("all parts of the page", "return !document.querySelector('.loading, .htmx-request')").await;
}

async fn picture(desk: &Desk<'_>, file: &Path) {
    let png = desk.client.screenshot().await.expect("a picture");
    std::fs::write(file, png).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    println!("{}", file.display());
}
