//! The label that a return is sent back with: who gives it, who may print it, what it costs us.

use crate::clerk::{count, location, send};
use crate::support::walkthrough::{OrderWalkthrough, Step};
use crate::support::{TestApp, shop};
use serde_json::{Value, json};

/// A return of one unit that is asked for, with the order's number.
async fn asked(app: &TestApp, own: &shop::Shop, who: &str) -> (String, String, OrderWalkthrough) {
    let walk = OrderWalkthrough::up_to(app, own, who, Step::Delivered).await;
    let units = json!({"units": [{"line": walk.lines[0], "quantity": 1, "reason": "damaged"}], "resolution": "refund"});
    let made = app.post(&format!("/v1/orders/{}/returns", walk.order), &units).await.ok();
    let number = walk.show(app).await["number"].as_str().unwrap().to_owned();
    (made["id"].as_str().unwrap().to_owned(), number, walk)
}

async fn text(app: &TestApp, sql: &str) -> String {
    let found: Option<String> = app.ctx.db.read().scalar(sql, []).await.unwrap();
    found.unwrap_or_else(|| panic!("{}: nothing for {sql}", app.name))
}

/// What we owe carriers.
async fn owed(app: &TestApp) -> i64 {
    count(app, "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM posting WHERE debit = '5100' AND credit = '2000'").await
}

#[tokio::test]
async fn an_approved_return_gets_its_label_which_the_customer_prints_by_the_link_of_the_e_mail() {
    for app in TestApp::both().await {
        let own = shop::open(&app.ctx.db, 40).await;
        let policy = [("days", "30"), ("label", "yes"), ("once", "s1")];
        location(&send(&app, "/settings/returns", &policy).await);
        let (id, number, _) = asked(&app, &own, "ada").await;
        let (other, _, _) = asked(&app, &own, "eve").await;
        app.drain_jobs().await;
        let before = owed(&app).await;
        assert_eq!(
            count(&app, "SELECT COUNT(*) FROM return_label").await,
            0,
            "{}: not before it is approved",
            app.name
        );
        app.post(&format!("/v1/returns/{id}/approve"), &json!({})).await.ok();
        app.drain_jobs().await;
        assert_eq!(owed(&app).await - before, 499, "{}: the carrier is owed it", app.name);
        let label = app.get(&format!("/v1/returns/{id}/label")).await.ok();
        let tracking = label["tracking_number"].as_str().unwrap().to_owned();
        assert_eq!((&label["carrier"], &label["weight_g"]), (&Value::from("post"), &Value::from(250)));
        let pdf = app.get(&format!("/v1/returns/{id}/label.pdf")).await;
        assert!(
            pdf.text.starts_with("%PDF") && pdf.headers["content-type"] == "application/pdf",
            "{}",
            app.name
        );
        let page = app.get(&format!("/returns/{id}")).await.text;
        assert!(page.contains(&tracking) && page.contains("label.pdf"), "{page}");

        // The e-mail leads to it; who only knows number and address does not get where the customer lives.
        let mail = text(&app, "SELECT body_text FROM mail WHERE template = 'return_label_bought'").await;
        assert!(mail.contains(&tracking) && mail.contains("Print the label here:"), "{mail}");
        let token = mail.split("/track?t=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
        let anyone = app.anonymous();
        let shown = anyone.get(&format!("/track?t={token}")).await.text;
        assert!(shown.contains("/track/label?t=") && !shown.contains("Send it to"), "{shown}");
        let paper = |t: &str, of: &str| format!("/track/label?t={t}&return={of}");
        let printed = anyone.get(&paper(&token, &id)).await;
        assert!(printed.status == 200 && printed.text.starts_with("%PDF"), "{}", app.name);
        let found = anyone.form("/track", &format!("number={number}&email=ada%40example.com")).await;
        let looked_up = found.headers["location"].to_str().unwrap().split("t=").nth(1).unwrap().to_owned();
        for (t, of) in
            [(&*looked_up, &*id), ("nothing", &*id), (&*token, &*other), (&*token, "rma_1"), ("", "")]
        {
            let refused = anyone.get(&paper(t, of)).await;
            assert!(refused.status == 410 && !refused.text.contains("%PDF"), "{}: {t} {of}", app.name);
        }
        assert!(
            anyone.get(&format!("/track?t={looked_up}")).await.text.contains("its link is in the e-mail")
        );
        app.check().await;
    }
}

#[tokio::test]
async fn a_label_is_given_by_hand_once_and_only_where_it_helps() {
    for app in TestApp::both().await {
        let own = shop::open(&app.ctx.db, 40).await;
        let (id, _, _) = asked(&app, &own, "ada").await;
        let path = format!("/v1/returns/{id}/label");
        assert_eq!(app.post(&path, &json!({})).await.refused(409), "returns.label_not_approved");
        app.post(&format!("/v1/returns/{id}/approve"), &json!({})).await.ok();
        app.drain_jobs().await;
        assert_eq!(app.get(&path).await.status, 404, "{}: the policy gives none", app.name);
        assert_eq!(app.get(&format!("/v1/returns/{id}/label.pdf")).await.status, 404);
        let by = |service: &str| json!({"carrier": "post", "service": service});
        assert_eq!(app.post(&path, &by("rocket")).await.refused(409), "returns.label_declined");
        let nobody = json!({"carrier": "nobody", "service": "x"});
        assert_eq!(app.post(&path, &nobody).await.refused(409), "returns.no_label_service");
        assert_eq!(app.post(&path, &json!({"carrier": "post"})).await.refused(422), "request.invalid");
        let here = format!("/returns/{id}");
        assert!(app.get(&here).await.text.contains("Give a label"));
        let give = [("do", "label"), ("once", "l1")];
        assert_eq!(location(&send(&app, &format!("{here}/decide"), &give).await), here);
        assert_eq!(location(&send(&app, &format!("{here}/decide"), &give).await), here, "a double click");
        assert_eq!(count(&app, "SELECT COUNT(*) FROM return_label").await, 1);
        assert_eq!(app.post(&path, &by("parcel")).await.refused(409), "returns.has_label");

        // What has arrived needs none.
        let (late, _, _) = asked(&app, &own, "eve").await;
        app.post(&format!("/v1/returns/{late}/approve"), &json!({})).await.ok();
        app.post(&format!("/v1/returns/{late}/receive"), &json!({"location": own.warehouse})).await.ok();
        assert_eq!(
            app.post(&format!("/v1/returns/{late}/label"), &json!({})).await.refused(409),
            "returns.label_not_needed"
        );
        app.drain_jobs().await;
        app.check().await;
    }
}
