//! People: sign-in, sessions, what they may, guessing of passwords, forms of other sites.

use crate::shop::{PASSWORD, Shop};
use axum::http::StatusCode;
use kernel::{Actor, Secret, Timestamp};
use web::auth::{CreateUser, CreateUserRefused, create_user};
use web::{Role, Setup};

#[tokio::test]
async fn somebody_signs_in_looks_and_signs_out() {
    for shop in Shop::both().await {
        let user = shop.user("Ada@Shop.example", Role::Owner).await;
        let away = shop.get("/birds?q=1", &[]).await;
        assert_eq!(
            (away.status, away.header("location")),
            (StatusCode::SEE_OTHER, "/sign-in?next=/birds%3Fq%3D1")
        );
        let form = shop.get("/sign-in?next=/birds%3Fq%3D1", &[]).await;
        assert!(form.text.contains(r#"value="/birds?q=1""#), "{}", form.text);
        // Of a form that was sent, the page it stands on is come back to; of a part of a page as well, and never another site's.
        for (referer, next) in [
            ("http://localhost/birds?q=1", "/sign-in?next=/birds%3Fq%3D1"),
            ("https://evil.example//evil.example/x", "/sign-in?next=//evil.example/x"),
            ("nonsense", "/sign-in?next=/"),
            ("", "/sign-in?next=/"),
        ] {
            let from = [("sec-fetch-site", "same-origin"), ("referer", referer)];
            let sent = shop.send("POST", "/sign-out", &from, "").await;
            assert_eq!(sent.header("location"), next, "{referer}");
        }
        let other = shop.get("/sign-in?next=//evil.example/x", &[]).await;
        assert!(other.text.contains(r#"name="next" value="/""#), "{}", other.text);
        let part = [("hx-request-type", "partial"), ("referer", "http://localhost/birds")];
        let part = shop.get("/birds/b1/songs", &part).await;
        assert_eq!(part.header("hx-redirect"), "/sign-in?next=/birds");
        let wrong = shop.try_sign_in("ada@shop.example", "wrong horse", "/birds").await;
        assert_eq!(wrong.status, 422);
        assert!(
            wrong.text.contains("do not belong together")
                && wrong.text.contains("ada@shop.example")
                && !wrong.text.contains("wrong horse")
        );
        let right = shop.try_sign_in("ada@shop.example", PASSWORD, "//evil.example").await;
        assert_eq!((right.status, right.header("location")), (StatusCode::SEE_OTHER, "/"));
        let set = right.header("set-cookie");
        assert!(
            set.starts_with("fulmar_session=")
                && set.contains("HttpOnly")
                && set.contains("SameSite=Lax")
                && !set.contains("Secure"),
            "{set}"
        );
        let cookie = set.split(';').next().unwrap();
        let page = shop.get("/birds", &[("cookie", cookie)]).await;
        assert_eq!(page.status, 200);
        assert!(
            page.text.contains("Hatch")
                && page.text.contains("Secret birds")
                && page.text.contains(r#"hx-get="/birds/b1/songs""#),
            "{}",
            page.text
        );
        assert_eq!(
            shop.get("/v1/me", &[("cookie", cookie)]).await.json()["actor"],
            format!("user:{user}"),
            "a session serves the API too"
        );
        let stored: Option<String> = shop.db.read().scalar("SELECT id_hash FROM session", []).await.unwrap();
        assert!(!cookie.contains(&stored.unwrap()));
        let out = shop
            .send("POST", "/sign-out", &[("cookie", cookie), ("sec-fetch-site", "same-origin")], "")
            .await;
        assert!(out.header("set-cookie").contains("Max-Age=0"));
        assert_eq!(
            shop.get("/birds", &[("cookie", cookie)]).await.status,
            StatusCode::SEE_OTHER,
            "{}",
            shop.db.name
        );
    }
}

#[tokio::test]
async fn roles_decide_what_is_seen() {
    for shop in Shop::both().await {
        shop.user("reader@shop.example", Role::ReadOnly).await;
        let cookie = shop.sign_in("reader@shop.example").await;
        let page = shop.get("/birds", &[("cookie", &cookie)]).await;
        assert!(
            page.status == 200
                && !page.text.contains("Hatch</button>")
                && !page.text.contains("Secret birds"),
            "{}",
            page.text
        );
        let post = shop.post("/v1/birds", &[("cookie", &cookie)], serde_json::json!({"name": "a"})).await;
        assert_eq!(post.problem(), (403, "auth.scope_missing".into()));
        // A key that is wrong is not rescued by a cookie that is right.
        let both = shop.get("/v1/birds", &[("cookie", &cookie), ("authorization", "Bearer fk_x")]).await;
        assert_eq!(both.problem(), (401, "auth.bad_key".into()));
        shop.db.clock().advance(13 * Timestamp::HOUR);
        assert_eq!(
            shop.get("/birds", &[("cookie", &cookie)]).await.status,
            StatusCode::SEE_OTHER,
            "sessions end"
        );
        let part = shop
            .get(
                "/birds/b1/songs",
                &[("cookie", &cookie), ("hx-request", "true"), ("hx-request-type", "partial")],
            )
            .await;
        assert_eq!((part.status.as_u16(), part.header("hx-redirect")), (401, "/sign-in?next=/"));
        let fresh = shop.sign_in("reader@shop.example").await;
        db::write!(shop.db.db, &Actor::system("test"), |tx| tx
            .exec("UPDATE user_account SET active = FALSE", [])
            .await)
        .unwrap();
        assert_eq!(
            shop.get("/birds", &[("cookie", &fresh)]).await.status,
            StatusCode::SEE_OTHER,
            "{}",
            shop.db.name
        );
    }
}

#[tokio::test]
async fn people_are_let_in_once_and_with_a_password() {
    for shop in Shop::both().await {
        let create = async |email: &str, password: &str| {
            let new = CreateUser {
                email: email.into(),
                name: "Ada".into(),
                role: Role::Owner,
                password: Secret::new(password.into()),
            };
            create_user(&shop.db.db, &Actor::system("test"), new).await.unwrap()
        };
        assert!(matches!(create("ada", PASSWORD).await, Err(CreateUserRefused::BadEmail { .. })));
        assert!(matches!(create("ada@shop.example", "short").await, Err(CreateUserRefused::WeakPassword {})));
        assert!(create("ada@shop.example", PASSWORD).await.is_ok());
        assert!(
            matches!(create(" ADA@shop.example", PASSWORD).await, Err(CreateUserRefused::EmailTaken { .. })),
            "{}",
            shop.db.name
        );
        let hash: Option<String> =
            shop.db.read().scalar("SELECT password_hash FROM user_account", []).await.unwrap();
        assert!(hash.unwrap().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    }
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let shop = Shop::both().await.remove(0);
    shop.user("ada@shop.example", Role::Owner).await;
    for _ in 0..5 {
        assert_eq!(shop.try_sign_in("ada@shop.example", "guess", "/").await.status, 422);
    }
    let stopped = shop.try_sign_in("ada@shop.example", PASSWORD, "/").await;
    assert_eq!((stopped.status.as_u16(), stopped.header("retry-after")), (429, "60"));
    assert!(stopped.text.contains("Try again in 60 seconds") && stopped.header("set-cookie").is_empty());
    shop.db.clock().advance(Timestamp::MINUTE);
    assert_eq!(shop.try_sign_in("ada@shop.example", PASSWORD, "/").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn forms_of_other_sites_do_nothing() {
    let setup = Setup { public_url: Some("https://orders.example/".into()), ..Setup::default() };
    let shop = Shop::both_with(setup).await.remove(0);
    shop.user("ada@shop.example", Role::Owner).await;
    let signed_in = shop.try_sign_in("ada@shop.example", PASSWORD, "/").await;
    assert!(signed_in.header("set-cookie").contains("; Secure"), "the public address is https");
    let cookie = signed_in.header("set-cookie").split(';').next().unwrap();
    for (headers, allowed) in [
        (vec![("sec-fetch-site", "cross-site")], false),
        (vec![("sec-fetch-site", "same-site")], false),
        (vec![("origin", "https://evil.example")], false),
        (vec![("origin", "null")], false),
        (vec![("sec-fetch-site", "cross-site"), ("origin", "https://orders.example")], true),
        (vec![("origin", "http://shop.test")], true),
        (vec![], true),
    ] {
        let mut headers = headers;
        headers.push(("cookie", cookie));
        let answer = shop
            .post("/v1/birds", &headers, serde_json::json!({"name": format!("b{allowed}{}", headers.len())}))
            .await;
        match allowed {
            true => assert_ne!(answer.status, 403, "{headers:?} {}", answer.text),
            false => assert_eq!(answer.problem(), (403, "request.cross_origin".into()), "{headers:?}"),
        }
    }
    let page =
        shop.send("POST", "/sign-out", &[("cookie", cookie), ("sec-fetch-site", "cross-site")], "").await;
    assert!(
        page.status == 403
            && page.text.contains("another site")
            && page.header("content-type").starts_with("text/html")
    );
    assert_eq!(
        shop.get("/birds", &[("cookie", cookie), ("sec-fetch-site", "cross-site")]).await.status,
        200,
        "links from elsewhere are fine"
    );
}
