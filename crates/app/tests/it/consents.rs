//! Consents to marketing: given and withdrawn by API and page, with their history.

use crate::clerk::{count, location, send};
use crate::support::{TestApp, shop};
use serde_json::json;

#[tokio::test]
async fn consents_are_kept_with_their_history() {
    for app in TestApp::both().await {
        shop::open(&app.ctx.db, 5).await;
        app.post("/v1/orders", &shop::order("ada", &[("CAP", 1)])).await.ok();
        let listed = app.get("/v1/customers?email=ada%40example.com").await.ok();
        let id = listed["data"][0]["id"].as_str().unwrap().to_owned();
        let (path, here) = (format!("/v1/customers/{id}/consents"), format!("/customers/{id}"));
        assert_eq!(app.get(&path).await.ok()["in_force"], json!([]));
        assert!(app.get(&here).await.text.contains("No consent"));
        let word =
            |channel: &str, given: bool| json!({"channel": channel, "given": given, "source": "phone call"});
        assert_eq!(app.post(&path, &word("email", false)).await.refused(409), "customers.no_consent");
        let given = app.post(&path, &word("email", true)).await.ok();
        assert_eq!(
            (&given["in_force"][0]["channel"], &given["in_force"][0]["given"]),
            (&json!("email"), &json!(true))
        );
        app.post(&path, &word("email", true)).await.ok();
        assert_eq!(
            count(&app, "SELECT COUNT(*) FROM customer_consent").await,
            1,
            "{}: the same again",
            app.name
        );
        let mut old = word("email", false);
        old["at"] = json!("2020-01-01T00:00:00Z");
        assert_eq!(app.post(&path, &old).await.refused(409), "customers.consent_superseded");
        old["at"] = json!("2099-01-01T00:00:00Z");
        assert_eq!(app.post(&path, &old).await.refused(422), "request.invalid");
        let mut unproven = word("sms", true);
        unproven["source"] = json!(" ");
        assert_eq!(app.post(&path, &unproven).await.refused(422), "customers.consent_without_source");
        assert_eq!(
            app.post("/v1/customers/cus_0000000000001/consents", &word("sms", true)).await.status,
            404
        );

        app.advance(60_000_000);
        let withdraw = [("channel", "email"), ("given", "no"), ("source", "letter of 3 May"), ("once", "k1")];
        assert_eq!(location(&send(&app, &format!("{here}/consent"), &withdraw).await), here);
        assert_eq!(
            location(&send(&app, &format!("{here}/consent"), &withdraw).await),
            here,
            "a double click"
        );
        let again =
            send(&app, &format!("{here}/consent"), &[("channel", "sms"), ("given", "yes"), ("source", "")])
                .await;
        assert!(again.status == 422 && again.text.contains("Say how we know"), "{}", again.text);
        let page = app.get(&here).await.text;
        assert!(page.contains("letter of 3 May") && page.contains("withdrawn"), "{page}");
        let all = app.get(&path).await.ok();
        let words: Vec<bool> =
            all["history"].as_array().unwrap().iter().map(|w| w["given"].as_bool().unwrap()).collect();
        assert_eq!(words, [false, true], "{all}");
        assert_eq!(
            count(&app, "SELECT COUNT(*) FROM event WHERE kind = 'customer.consent_changed'").await,
            2
        );
        app.drain_jobs().await;
        app.check_laws().await;
    }
}
