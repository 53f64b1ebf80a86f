//! A clerk enters a phone order.

use browser::{Desk, on_demo};
use fantoccini::key::Key;

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

/// Barcodes of things that are sold by themselves.
async fn barcode(desk: &Desk<'_>, n: usize) -> (String, String) {
    let one = |what: &str| {
        format!(
            "SELECT {what} FROM sku s JOIN sku_barcode b ON b.sku_id = s.id WHERE s.kind = 'simple' AND s.active ORDER BY s.code, b.barcode LIMIT 1 OFFSET {n}"
        )
    };
    (desk.shop.text(&one("s.code")).await, desk.shop.text(&one("b.barcode")).await)
}

/// Waits until the cursor is in the field of this name, or in the box of a look-up that fills it.
async fn cursor_in(desk: &Desk<'_>, name: &str) {
    let here = format!(
        "const at = document.activeElement; return at.name === '{name}' || at.parentElement.querySelector('input[type=hidden]')?.name === '{name}'"
    );
    desk.until(&format!("the cursor in {name}"), &here).await;
}

async fn value(desk: &Desk<'_>, name: &str) -> String {
    let script = format!("return document.querySelector('[name=\"{name}\"]').value");
    desk.js(&script, vec![]).await.as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_scanner_fills_line_after_line_and_sends_nothing() {
    on_demo(async |desk| {
        desk.sign_in_as(web::Role::Support).await;
        desk.go("/orders/new").await;
        desk.type_into("SKU", "").await;
        cursor_in(desk, "sku-0").await;
        let mut codes = Vec::new();
        let mut keys = String::new();
        for n in 0..6 {
            let (code, scanned) = barcode(desk, n).await;
            codes.push(code);
            keys.push_str(&format!("{scanned}{}", char::from(Key::Enter)));
        }
        // Faster than the answers come; more than the form has lines at first.
        desk.press(&keys).await;
        cursor_in(desk, "sku-6").await;
        for (n, code) in codes.iter().enumerate() {
            assert_eq!(value(desk, &format!("sku-{n}")).await, *code);
        }
        desk.see("What it comes to").await;
        assert_eq!(desk.address().await, "/orders/new");

        // What begins several stays open, what nothing begins with is replaced by the next scan.
        desk.press(&format!("mug{}", char::from(Key::Enter))).await;
        desk.until(
            "several to choose from",
            "return document.querySelectorAll('#field-sku-6-list:not([hidden]) [role=option]').length > 1",
        )
        .await;
        cursor_in(desk, "sku-6").await;
        desk.type_into("SKU, name or barcode", "").await;
        desk.js(
            "document.getElementById('field-sku-6').focus(); document.getElementById('field-sku-6').select()",
            vec![],
        )
        .await;
        desk.scan("no such thing").await;
        desk.see("Nothing found").await;
        desk.scan(&barcode(desk, 6).await.1).await;
        cursor_in(desk, "sku-7").await;
        assert_eq!(value(desk, "sku-6").await, barcode(desk, 6).await.0);

        // The only one that a part of its name leads to.
        desk.scan("moka").await;
        cursor_in(desk, "sku-8").await;
        assert_eq!(value(desk, "sku-7").await, "MOKA-6");
        // Enter in another field goes on.
        desk.type_into("Phone", &format!("+49 30 901820{}", char::from(Key::Enter))).await;
        cursor_in(desk, "name").await;
        desk.click("More lines").await;
        cursor_in(desk, "sku-9").await;
        assert_eq!(desk.address().await, "/orders/new");
        desk.no_errors().await;
    })
    .await;
}

#[tokio::test]
async fn the_first_field_that_is_wrong_has_the_cursor() {
    on_demo(async |desk| {
        desk.sign_in_as(web::Role::Support).await;
        let (code, _) = barcode(desk, 0).await;
        desk.go("/orders/new").await;
        for (label, value) in [
            ("E-mail", "nix@"),
            ("Name", "Ada Lovelace"),
            ("Street and number", "Torstraße 1"),
            ("Postal code", "ABC"),
            ("City", "Berlin"),
            ("Country", "Germany"),
            ("SKU", &code),
            ("Units", "-3"),
        ] {
            desk.type_into(label, value).await;
        }
        desk.press(&format!("{}{}", char::from(Key::Control), char::from(Key::Enter))).await;
        desk.see("Nothing was placed yet").await;
        // The console names the answer that says no.
        let errors = desk.errors().await;
        assert!(errors.iter().all(|e| e.contains("422")), "{errors:#?}");
        cursor_in(desk, "email").await;
        let told = "return [...document.querySelectorAll('form .is-invalid')].map((e) => e.name || e.id).join(' ')";
        assert_eq!(desk.js(told, vec![]).await, "email postal_code quantity-0");
        let seen = "const box = document.activeElement.getBoundingClientRect(); return box.top >= 0 && box.bottom <= innerHeight";
        desk.until("the field in sight", seen).await;
        for (label, value) in [("E-mail", "ada@example.com"), ("Postal code", "10119"), ("Units", "3")] {
            desk.type_into(label, value).await;
        }
        desk.press(&format!("{}{}", char::from(Key::Control), char::from(Key::Enter))).await;
        desk.until("the order", "return location.pathname.startsWith('/orders/ord_')").await;
    })
    .await;
}

/// Whom it goes to, a card, and six lines.
async fn types_an_order(desk: &Desk<'_>) {
    for (label, value) in [
        ("Name", "Ada Lovelace"),
        ("Street and number", "Torstraße 1"),
        ("Postal code", "10119"),
        ("City", "Berlin"),
        ("Country", "DE"),
    ] {
        desk.type_into(label, value).await;
    }
    // The token is there while a card pays.
    let pays = async |by: &str| {
        let script = format!("document.querySelector('[name=payment]').value = '{by}'");
        desk.js(&script, vec![]).await;
    };
    pays("sandbox card").await;
    desk.type_into("Card token", "tok_secret").await;
    pays("manual bank_transfer").await;
    for n in 0..6 {
        desk.js(&format!("document.getElementById('field-sku-{n}').focus()"), vec![]).await;
        desk.scan(&barcode(desk, n).await.1).await;
        cursor_in(desk, &format!("sku-{}", n + 1)).await;
    }
}

#[tokio::test]
async fn what_was_typed_survives_leaving_and_signing_in_again() {
    on_demo(async |desk| {
        let email = desk.shop.person(web::Role::Support).await;
        let enter = async || {
            desk.type_into("E-mail", &email).await;
            desk.type_into("Password", browser::shop::Shop::password()).await;
            desk.click("Sign in").await;
        };
        desk.go("/sign-in").await;
        enter().await;
        desk.until("the menu", "return !!document.querySelector('nav#nav')").await;
        desk.go("/orders/new").await;
        types_an_order(desk).await;
        desk.click("Prices contain tax").await;

        desk.click("Customers").await;
        desk.until("another page", "return location.pathname === '/customers'").await;
        desk.client.back().await.expect("the page before");
        desk.see("What you had typed is back").await;
        assert_eq!(value(desk, "city").await, "Berlin");
        assert_eq!(value(desk, "sku-0").await, barcode(desk, 0).await.0);
        assert_eq!(value(desk, "sku-5").await, barcode(desk, 5).await.0);
        assert_eq!(value(desk, "token").await, "", "what pays is not kept");
        let kept = "return Object.values(sessionStorage).join()";
        assert!(!desk.js(kept, vec![]).await.to_string().contains("tok_secret"));
        let taxed = "return document.querySelector('[name=tax_inclusive]').checked";
        assert_eq!(desk.js(taxed, vec![]).await, false);

        // The session is over.
        desk.client.delete_all_cookies().await.expect("no cookies");
        desk.click("Place order").await;
        desk.see("Password").await;
        assert_eq!(desk.address().await, "/sign-in?next=/orders/new");
        enter().await;
        desk.see("What you had typed is back").await;
        assert_eq!(value(desk, "name").await, "Ada Lovelace");
        desk.click("Place order").await;
        desk.until("the order", "return location.pathname.startsWith('/orders/ord_')").await;

        // It was accepted: the next one is empty.
        desk.go("/orders/new").await;
        assert_eq!(value(desk, "name").await, "");
        desk.see_no("What you had typed is back").await;
        desk.type_into("Name", "Zoë").await;
        desk.go("/orders/new").await;
        desk.see("What you had typed is back").await;
        desk.click("Start empty").await;
        desk.see_no("What you had typed is back").await;
        assert_eq!(value(desk, "name").await, "");
        // Nor does anything stay behind for who signs in next.
        desk.type_into("Name", "Zoë").await;
        desk.sign_out().await;
        let left = "return Object.keys(sessionStorage).filter((k) => k.startsWith('keep:')).length";
        assert_eq!(desk.js(left, vec![]).await, 0);
        desk.no_errors().await;
    })
    .await;
}

#[tokio::test]
async fn a_customer_is_looked_up_by_the_last_name() {
    on_demo(async |desk| {
        desk.sign_in_as(web::Role::Support).await;
        let name = desk
            .shop
            .text("SELECT name FROM customer c WHERE (SELECT COUNT(*) FROM customer o WHERE o.surname >= c.surname AND o.surname < c.surname || 'z') = 1 ORDER BY id LIMIT 1")
            .await;
        let (first, last) = name.rsplit_once(' ').expect("two names");
        desk.go("/orders/new").await;
        desk.type_into("City", "Kept").await;
        // What was typed and left alone empties nothing.
        desk.type_into("Look up", "somebody").await;
        desk.type_into("Phone", "").await;
        assert_eq!(value(desk, "city").await, "Kept");
        desk.type_into("Look up", &format!("{last} {first}{}", char::from(Key::Enter))).await;
        desk.until("their name", &format!("return document.querySelector('[name=name]').value === {name:?}")).await;
        assert_eq!(desk.address().await, "/orders/new");
        desk.until("the cursor in a field", "return document.activeElement !== document.body").await;
    })
    .await;
}

#[tokio::test]
async fn goods_are_ordered_and_received_by_scanning() {
    on_demo(async |desk| {
        desk.sign_in().await;
        desk.go("/purchasing/new").await;
        desk.js("document.getElementById('field-lines-0--sku-').focus()", vec![]).await;
        let mut keys = String::new();
        for n in 0..5 {
            keys.push_str(&format!("{}{}", barcode(desk, n).await.1, char::from(Key::Enter)));
        }
        desk.press(&keys).await;
        cursor_in(desk, "lines[5][sku]").await;
        assert_eq!(value(desk, "lines[4][sku]").await, barcode(desk, 4).await.0);
        assert_eq!(desk.address().await, "/purchasing/new");

        desk.go("/stock/receive").await;
        cursor_in(desk, "sku").await;
        desk.scan(&barcode(desk, 0).await.1).await;
        cursor_in(desk, "quantity").await;
        desk.press("2").await;
        desk.type_into("Cost of a unit", "4,80").await;
        desk.type_into("Delivery note", &format!("DN 1{}", char::from(Key::Enter))).await;
        desk.see("received").await;
        cursor_in(desk, "sku").await;
    })
    .await;
}
