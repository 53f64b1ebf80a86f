//! A fraud reviewer works through the queue with the keys: sees why an order waits, approves it, and is at the next one.

use browser::{Desk, on_demo, on_postgres};
use kernel::Actor;
use orders::{Buyer, IfOutOfStock, Place, Tender, Trust, WantedLine};

/// An order that anybody would look at twice: large, the first one, and sent to another country than it is billed to.
async fn suspicious(desk: &Desk<'_>, name: &str, email: &str) -> String {
    let at_home = |country: &str, city: &str, postal_code: &str| contact::address::Address {
        name: name.into(),
        line1: "Rue de la Loi 16".into(),
        city: city.into(),
        postal_code: Some(postal_code.into()),
        country: country.into(),
        ..contact::address::Address::default()
    };
    let line = |sku: &str, quantity| WantedLine {
        sku: sku.into(),
        quantity,
        unit_price: None,
        discount: 0,
        tax_rate_ppm: None,
        location: None,
    };
    let card = Tender {
        gateway: "sandbox".into(),
        method: "card".into(),
        token: Some("tok_ok".into()),
        amount: None,
        capture: false,
        paid_at: None,
        reference: None,
    };
    let placed = db::write!(desk.shop.ctx.db, &Actor::system("test"), |tx| {
        let one = Place {
            at: tx.now(),
            by: Actor::system("test"),
            key: None,
            channel: "api".into(),
            reference: None,
            buyer: Buyer {
                name: name.into(),
                email: Some(email.into()),
                phone: None,
                ip: Some("203.0.113.7".into()),
            },
            ship_to: at_home("BE", "Bruxelles", "1000"),
            ship_to_geo: None,
            bill_to: Some(at_home("DE", "Berlin", "10117")),
            currency: "EUR".parse().map_err(kernel::Fault::from)?,
            tax_inclusive: true,
            lines: vec![line("GRINDER-H", 5), line("KETTLE-1L", 3)],
            discount: 0,
            shipping: 490,
            shipping_tax_ppm: None,
            fee: 0,
            if_out_of_stock: IfOutOfStock::Refuse,
            tenders: vec![card.clone()],
            pay_later: false,
            express: false,
            gift_note: None,
            note: None,
            tags: Vec::new(),
            promised_at: None,
            reservation: None,
            exchange_of: None,
            trust: Trust::Check,
        };
        orders::place(tx, &[one]).await
    });
    placed.expect("a transaction").remove(0).expect("an order").number
}

async fn reviews(desk: &Desk<'_>) {
    let first =
        suspicious(desk, "Maximilian Freiherr von und zu Hohenstein-Lichtenberg", "max@example.com").await;
    let second = suspicious(desk, "نور الدين", "nour@example.com").await;
    let holds = format!(
        "SELECT COUNT(*) FROM order_hold h JOIN orders o ON o.id = h.order_id WHERE o.number = '{first}'"
    );
    desk.sign_in_as(web::Role::FraudReviewer).await;
    desk.go("/review?kind=risk_review").await;
    desk.see("Hohenstein-Lichtenberg").await;
    // Who waited before is older: the orders of the demo come first.
    desk.click(&first).await;
    desk.see(&format!("Review {first}")).await;
    desk.see("Billing and shipping are in different countries.").await;
    desk.see("The total is unusually large.").await;
    desk.see("A large first order.").await;
    desk.see("203.0.113.7").await;

    // To reject, one has to say why; what was typed and where one is stays.
    desk.press("r").await;
    // Asked first: it cannot be undone.
    desk.js("document.querySelector('#reject[open] .btn-danger').click()", vec![]).await;
    desk.see("Say why it is rejected: colleagues will ask.").await;
    let errors = desk.errors().await;
    assert!(errors.iter().all(|e| e.contains("422")), "{errors:?}");

    desk.type_into("Reason", "Called the customer: it is a present").await;
    // Enter decides nothing: it takes a button.
    desk.press("\u{e007}").await;
    desk.see(&format!("Review {first}")).await;
    assert_eq!(desk.shop.number(&holds).await, 1, "Enter decided");
    desk.js("document.activeElement.blur()", vec![]).await;
    desk.press("a").await;
    desk.see("Approved").await;
    desk.see(&format!("Review {second}")).await;
    desk.see("نور الدين").await;

    // The hold is gone, and the order goes on: the warehouse may have it once its money is set aside.
    desk.go(&format!("/orders?search={first}")).await;
    desk.click(&first).await;
    desk.see(&format!("Order {first}")).await;
    desk.see("Called the customer: it is a present").await;
    desk.see("authorised").await;
    desk.until("no note of a hold", "return !document.querySelector('.note-warning')").await;
    assert_eq!(desk.shop.number(&holds).await, 0);
    let ready = format!(
        "SELECT COUNT(*) FROM fulfilment_order f JOIN orders o ON o.id = f.order_id WHERE o.number = '{first}' AND f.status = 'open'"
    );
    assert_eq!(desk.shop.number(&ready).await, 1);
}

#[tokio::test]
async fn a_reviewer_approves_on_sqlite() {
    on_demo(async |desk| reviews(desk).await).await;
}

#[tokio::test]
async fn a_reviewer_approves_on_postgres() {
    on_postgres(async |desk| reviews(desk).await).await;
}
