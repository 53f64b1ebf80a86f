//! The pages of the books, payments, returns, developers, and those of customers: who may, how figures lead on, what forms do.

use crate::support::shop;
use crate::support::walkthrough::{OrderWalkthrough, Step};
use crate::support::{Answer, TestApp};
use kernel::Timestamp;

/// The address of the first link in a page that contains a text.
fn link(page: &Answer, part: &str) -> String {
    let found = page.text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let mut found = found.map(|href| href.replace("&amp;", "&")).filter(|href| href.contains(part));
    found.next().unwrap_or_else(|| panic!("no link with {part} in {}", page.text))
}

async fn page(app: &TestApp, path: &str) -> Answer {
    let answer = app.get(path).await;
    assert!(answer.status.is_success(), "{path}: {} {}", answer.status, answer.text);
    assert!(!answer.text.contains(" style=") && !answer.text.contains(" onclick"), "{path}");
    answer
}

#[tokio::test]
async fn an_accountant_drills_from_the_balance_sheet_to_the_order_and_a_picker_may_not() {
    for app in TestApp::both().await {
        let shop = shop::open(&app.ctx.db, 40).await;
        let walk = OrderWalkthrough::up_to(&app, &shop, "ada", Step::Delivered).await;
        let picker = app.with_key(&["warehouse:*", "inventory:*"]).await;
        for path in ["/books/balance-sheet", "/books/journal", "/books/export/journal.csv", "/payments"] {
            assert_eq!(picker.get(path).await.status, 403, "{path}");
        }
        let reader = app.with_key(&["books:read", "orders:read", "events:read"]).await;
        let sheet = page(&reader, "/books/balance-sheet").await;
        let account = page(&reader, &link(&sheet, "/books/accounts/1050")).await;
        let entry = page(&reader, &link(&account, "/books/entries/")).await;
        assert_eq!(link(&entry, "/orders/"), format!("/orders/{}", walk.order));
        let event = page(&reader, &link(&entry, "/developers/events/evt_")).await;
        assert!(
            event.text.contains("payment.captured") || event.text.contains("&quot;amount&quot;"),
            "{}",
            event.text
        );
        // What an account has open leads to the entries of the order.
        let open = page(&reader, "/books/accounts/1050/open-items").await;
        assert!(page(&reader, &link(&open, "/books/journal?order=")).await.text.contains("/books/entries/"));
        for path in [
            "/books/profit-and-loss?month=2026-01",
            "/books/trial-balance",
            "/books/months",
            "/books/journal?kind=payment.captured&account=1050",
        ] {
            page(&reader, path).await;
        }
        let csv = page(&reader, "/books/export/journal.csv").await;
        assert!(
            csv.text.starts_with("Entry,When,Order") && csv.text.contains(&walk.order),
            "{:.400}",
            csv.text
        );
        let file = page(&reader, "/books/export/balance-sheet.xlsx").await;
        assert!(file.text.starts_with("PK"));
        assert_eq!(reader.get("/books/journal?from=soon").await.status, 422);
        assert_eq!(reader.get("/books/adjust").await.status, 403);
        // A wrong correction comes back with what is wrong by its field; a right one is posted once.
        let writer = app.with_key(&["books:*"]).await;
        let typed = "once=aa&currency=EUR&debit=1000&credit=3000&text=Paid+in&amount=";
        let wrong = writer.form("/books/adjust", &format!("{typed}1%2C500")).await;
        assert!(
            wrong.status == 422
                && wrong.text.contains("field-amount-error")
                && wrong.text.contains("Paid in"),
            "{}",
            wrong.text
        );
        for _ in 0..2 {
            let done = writer.form("/books/adjust", &format!("{typed}12.34")).await;
            assert_eq!(done.status, 303, "{}", done.text);
        }
        let posted = page(&reader, "/books/accounts/1000").await;
        // Once as a posting and once as the balance: the second form was the first again.
        assert_eq!(posted.text.matches(">12.34 ").count(), 2, "{}", posted.text);
        assert!(!posted.text.contains(">24.68 "), "{}", posted.text);
        let early = writer.form("/books/months", "once=bb&month=2999-01").await;
        assert!(early.status == 409 && early.text.contains("not over yet"), "{}", early.text);
        app.check_laws().await;
    }
}

/// And nothing of what is answered, which is looked at where an order is tracked.
#[tokio::test]
async fn search_engines_may_keep_where_one_asks() {
    for app in TestApp::both().await {
        let asks = page(&app.anonymous(), "/track").await;
        assert!(!asks.headers.contains_key("x-robots-tag") && !asks.text.contains("noindex"));
    }
}

#[tokio::test]
async fn a_customer_tracks_an_order_and_asks_a_return_that_the_shop_settles() {
    for app in TestApp::both().await {
        let shop = shop::open(&app.ctx.db, 40).await;
        let walk = OrderWalkthrough::up_to(&app, &shop, "ada", Step::Delivered).await;
        let order = walk.show(&app).await;
        let number = order["number"].as_str().unwrap().to_owned();
        let anyone = app.anonymous();
        // A wrong number and a wrong e-mail read the same.
        let wrong_number = anyone.form("/track", "number=9999&email=ada%40example.com").await;
        let wrong_email = anyone.form("/track", &format!("number={number}&email=eve%40example.com")).await;
        assert_eq!((wrong_number.status.as_u16(), wrong_email.status.as_u16()), (404, 404));
        let told = |a: &Answer| {
            a.text.split("role=\"alert\"").nth(1).unwrap().split("</div></div>").next().unwrap().to_owned()
        };
        assert_eq!(told(&wrong_number), told(&wrong_email));
        let found = anyone.form("/track", &format!("number=%23{number}&email=ADA%40example.com")).await;
        let at = found.headers["location"].to_str().unwrap().to_owned();
        let tracking = page(&anyone, &at).await;
        assert!(
            tracking.text.contains("Everything has arrived")
                && tracking.headers.contains_key("x-robots-tag")
                && tracking.text.contains("noindex")
        );
        assert!(
            !tracking.text.contains("Torstra") && !tracking.text.contains("example.com"),
            "an address was shown"
        );
        // A link that was changed, to another order or to one that shows more, is none.
        for (from, to) in [("look-", "mail-"), (&walk.order[4..], "0000000000002")] {
            assert_eq!(anyone.get(&at.replacen(from, to, 1)).await.status, 410, "{from}");
        }
        // The link of the e-mail shows where it goes.
        app.drain_jobs().await;
        let mail = app.get("/v1/mails").await.ok()["data"][0]["text"].as_str().unwrap().to_owned();
        let mailed = mail
            .split("/track?t=")
            .nth(1)
            .map(|t| format!("/track?t={}", t.split_whitespace().next().unwrap()));
        if let Some(mailed) = &mailed {
            assert!(page(&anyone, mailed).await.text.contains("Torstra"));
        }
        let ask = at.replacen("/track?", "/track/return?", 1);
        assert!(page(&anyone, &ask).await.text.contains("How many"));
        let pass = at.split("t=").nth(1).unwrap().to_owned();
        let line = &walk.lines[0];
        let form = |quantity: &str, rest: &str| {
            format!("once=cc&t={pass}&quantity%5B{line}%5D={quantity}&reason%5B{line}%5D=changed_mind{rest}")
        };
        let much = anyone.form("/track/return", &form("9", "&resolution=refund")).await;
        assert!(much.status == 422 && much.text.contains("between 0 and 2"), "{}", much.text);
        let review = anyone.form("/track/return", &form("1", "&resolution=refund")).await;
        assert!(review.text.contains("Is this right?"), "{}", review.text);
        for _ in 0..2 {
            let sent = anyone.form("/track/return", &form("1", "&resolution=refund&send=yes")).await;
            assert_eq!(sent.status, 303, "{}", sent.text);
        }
        let listed = app.get("/v1/returns").await.ok();
        assert_eq!(listed["data"].as_array().unwrap().len(), 1);
        settle(&app, &review, listed["data"][0]["id"].as_str().unwrap()).await;
        // After the window nothing can be asked back; after its time the link is over.
        app.advance(31 * Timestamp::DAY);
        assert_eq!(anyone.get(&at).await.status, 410);
        if let Some(mailed) = &mailed {
            let ask = mailed.replacen("/track?", "/track/return?", 1);
            assert!(page(&anyone, &ask).await.text.contains("Nothing can be returned here"));
        }
        app.check_laws().await;
    }
}

/// The shop approves, receives by scan, inspects and settles; what was promised is what is given.
async fn settle(app: &TestApp, review: &Answer, id: &str) {
    let promised =
        review.text.split("class=\"money\">").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    let here = format!("/returns/{id}");
    let support = app.with_key(&["returns:read", "returns:write"]).await;
    assert_eq!(support.form(&format!("{here}/goods"), "do=scan&code=TEE").await.status, 403);
    let mute = support.form(&format!("{here}/decide"), "once=d1&do=decline&reason=").await;
    assert!(mute.status == 422 && mute.text.contains("field-reason-error"), "{}", mute.text);
    assert_eq!(support.form(&format!("{here}/decide"), "once=d1&do=approve").await.status, 303);
    let place = app.get("/v1/locations").await.ok()["data"][0]["id"].as_str().unwrap().to_owned();
    let goods = |rest: &str| format!("once=g{}&location={place}&{rest}", rest.len());
    let wrong = app.form(&format!("{here}/goods"), &goods("do=scan&code=NOTHING")).await;
    assert!(wrong.status == 422 && wrong.text.contains("field-code-error"), "{}", wrong.text);
    assert_eq!(app.form(&format!("{here}/goods"), &goods("do=scan&code=TEE")).await.status, 303);
    let bare = app.form(&format!("{here}/goods"), &goods("do=inspect&acceptance=accepted")).await;
    assert!(bare.status == 422 && bare.text.contains("field-disposition-error"), "{}", bare.text);
    let inspect = goods("do=inspect&acceptance=accepted&disposition=restock");
    assert_eq!(app.form(&format!("{here}/goods"), &inspect).await.status, 303);
    let shown = page(app, &here).await;
    assert!(
        shown.text.contains(&format!("<strong><span class=\"money\">{promised} ")),
        "{promised}: {}",
        shown.text
    );
    assert_eq!(app.form(&format!("{here}/decide"), "once=d2&do=refund").await.status, 303);
    assert!(page(app, &here).await.text.contains("Nothing is left to do"));
}

#[tokio::test]
async fn payments_webhooks_and_jobs_are_worked_on_by_their_pages() {
    for app in TestApp::both().await {
        let shop = shop::open(&app.ctx.db, 40).await;
        OrderWalkthrough::up_to(&app, &shop, "ada", Step::Paid).await;
        let list = page(&app, "/payments?status=captured").await;
        let payment = link(&list, "/payments/pay_");
        assert!(page(&app, &payment).await.text.contains("Refund the order"));
        let much =
            app.form(&format!("{payment}/refund"), "once=a1&do=refund&amount=999999.00&reason=Kind").await;
        assert!(much.status == 409 && much.text.contains("refund-amount-error"), "{}", much.text);
        for _ in 0..2 {
            let done =
                app.form(&format!("{payment}/refund"), "once=a2&do=refund&amount=1.00&reason=Kind").await;
            assert_eq!(done.status, 303, "{}", done.text);
        }
        app.drain_jobs().await;
        assert_eq!(page(&app, &payment).await.text.matches("data-label=\"Request\">Refund</td>").count(), 1);
        let bad = app.form("/developers/webhooks", "url=ftp%3A%2F%2Fx&kinds=*").await;
        assert!(bad.status == 422 && bad.text.contains("field-url-error"), "{}", bad.text);
        let made = app
            .form("/developers/webhooks", "url=http%3A%2F%2F127.0.0.1%3A9%2Fhook&kinds=order.placed")
            .await;
        assert!(made.text.contains("whsec_"), "{}", made.text);
        let endpoint = link(&made, "/developers/webhooks/wep_");
        assert!(!page(&app, &endpoint).await.text.contains("whsec_"));
        assert_eq!(app.form(&endpoint, "once=w1&do=pause").await.status, 303);
        assert!(page(&app, &endpoint).await.text.contains("Paused"));
        page(&app, "/developers/jobs").await;
        page(&app, "/developers/jobs?parked=true").await;
        let gone = app.form("/developers/jobs", "once=j1&do=retry&ids%5B%5D=job_0000000000001").await;
        assert!(gone.status == 404 && gone.text.contains("may be done by now"), "{}", gone.text);
        let text = app
            .form(
                "/settings/mail/order_placed",
                "once=m1&do=save&subject=Hi&text=%7B%7B+nothing+%7D%7D&html=x",
            )
            .await;
        assert!(
            text.status == 422 && text.text.contains("does not work with a sample order"),
            "{}",
            text.text
        );
        page(&app, "/settings/mail/order_placed").await;
        let days = app.form("/settings/returns", "once=p1&days=-1").await;
        assert!(days.status == 422 && days.text.contains("field-days-error"), "{}", days.text);
        let saved = app.form("/settings/returns", "once=p1&days=14&auto=yes&fault%5B%5D=damaged").await;
        assert_eq!(saved.status, 303, "{}", saved.text);
        let shown = page(&app, "/settings/returns").await;
        assert!(shown.text.contains("value=\"14\"") && shown.text.contains("Changed "), "{}", shown.text);
    }
}
