//! The books: an accountant finds the order behind a figure, and a picker does not get in.

use browser::{Desk, on_demo, on_postgres};
use serde_json::json;

/// Follows the link in a row of a table; `row` is a part of the row's text, `nth` the column from 0.
async fn follow(desk: &Desk<'_>, row: &str, nth: usize) {
    let script = "const row = [...document.querySelectorAll('tbody tr')].find((r) => r.innerText.includes(arguments[0]));
        const link = row?.children[arguments[1]].querySelector('a'); link?.click(); return !!link;";
    let clicked = desk.js(script, vec![json!(row), json!(nth)]).await;
    assert_eq!(clicked, true, "no link in column {nth} of “{row}”:\n{}", desk.text().await);
}

async fn drills(desk: &Desk<'_>) {
    desk.sign_in_as(web::Role::Accountant).await;
    desk.click("Books").await;
    desk.click("Balance sheet").await;
    desk.until("the balance sheet", "return location.pathname === '/books/balance-sheet'").await;
    // Both sides are the same.
    let totals = "return [document.querySelector('tfoot td:last-child'), document.querySelector('.sum-due dd')].map((t) => t.innerText.trim())";
    let totals = desk.js(totals, vec![]).await;
    assert!(totals[0].as_str().is_some_and(|t| t.ends_with("EUR")), "{totals}");
    assert_eq!(totals[0], totals[1], "the two sides of the balance sheet");

    let amount = "return [...document.querySelectorAll('tbody tr')].find((r) => r.innerText.includes('Inventory')).lastElementChild.innerText.trim()";
    let amount = desk.js(amount, vec![]).await;
    let amount = amount.as_str().expect("an amount").replace('\u{202f}', " ");
    follow(desk, "Inventory", 1).await;
    desk.until("the account", "return location.pathname.startsWith('/books/accounts/')").await;
    // The account says the same as the sheet.
    desk.see(&format!("Balance {amount}")).await;

    // A sale left the shelf: its entry, the order it is of, and back in the journal of that order.
    desk.js("[...document.querySelectorAll('tbody tr')].find((r) => r.children[3].innerText.trim()).children[1].querySelector('a').click()", vec![]).await;
    desk.until("the entry", "return location.pathname.startsWith('/books/entries/')").await;
    desk.see("Follows from").await;
    let number =
        desk.js("return document.querySelector('.card a[href^=\"/orders/\"]').innerText", vec![]).await;
    let number = number.as_str().expect("the number of an order").to_owned();
    desk.click(&number).await;
    desk.see(&format!("Order {number}")).await;
    assert!(desk.address().await.starts_with("/orders/ord_"), "{}", desk.address().await);
    // What is posted of an order is looked up seldom: it is folded.
    desk.js("document.querySelector('summary.card-header').click()", vec![]).await;
    desk.see("Journal").await;
}

async fn keeps_out(desk: &Desk<'_>) {
    desk.sign_in_as(web::Role::Picker).await;
    let links = "return [...document.querySelectorAll('#nav a')].map((a) => a.getAttribute('href'))";
    let links = desk.js(links, vec![]).await;
    let links: Vec<&str> = links.as_array().into_iter().flatten().filter_map(|l| l.as_str()).collect();
    assert!(links.contains(&"/pick") && links.contains(&"/pack"), "{links:?}");
    assert!(!links.iter().any(|l| l.starts_with("/books")), "{links:?}");
    for path in ["/books/balance-sheet", "/books/journal", "/books/adjust"] {
        desk.go(path).await;
        let status = "return performance.getEntriesByType('navigation')[0].responseStatus";
        assert_eq!(desk.js(status, vec![]).await, 403, "{path}");
    }
    desk.go("/books/balance-sheet").await;
    desk.see("Your role may not do this").await;
    desk.see("See the journal and the statements").await;
    desk.see_no("EUR").await;
    desk.until("the menu", "return !!document.querySelector('nav#nav a[href=\"/pick\"]')").await;
    let errors = desk.errors().await;
    assert!(errors.iter().all(|e| e.contains("403")), "{errors:?}");
}

#[tokio::test]
async fn an_accountant_drills_to_the_order_on_sqlite() {
    on_demo(async |desk| drills(desk).await).await;
}

#[tokio::test]
async fn an_accountant_drills_to_the_order_on_postgres() {
    on_postgres(async |desk| drills(desk).await).await;
}

#[tokio::test]
async fn a_picker_may_not_open_the_books() {
    on_demo(async |desk| keeps_out(desk).await).await;
}
