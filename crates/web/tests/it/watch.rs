//! What is seen of people at work: the log, sessions that end, cookies, keys and the matrix of roles.

use super::*;

#[tokio::test]
async fn what_people_do_and_are_refused_is_in_the_log() {
    for shop in Shop::both().await {
        let owner = shop.owned().await;
        shop.user("picker@shop.example", Role::Picker).await;
        let picker = shop.sign_in("picker@shop.example").await;
        assert_eq!(shop.page("/audit", &picker).await.status, 403);
        assert_eq!(shop.form("/people", &picker, &[("email", "x@y.z"), ("role", "owner")]).await.status, 403);
        shop.try_sign_in("picker@shop.example", "a wrong password", "/").await;
        shop.try_sign_in("my password in the wrong field", "x", "/").await;
        shop.form(
            &format!("/people/{}", shop.id_of("picker@shop.example").await),
            &owner,
            &[("do", "role"), ("role", "purchaser")],
        )
        .await;
        let key = shop.key(&["birds:*"]).await;
        shop.post("/v1/birds", &[("authorization", &key)], json!({"name": "robin"})).await;
        shop.post("/v1/birds", &[("authorization", &key)], json!({"name": "robin"})).await;
        let ask =
            async |query: &str| shop.get(&format!("/v1/audit?{query}"), &[("cookie", &owner)]).await.json();
        let all = ask("limit=200").await;
        let entries = all["data"].as_array().unwrap();
        let seen: Vec<&str> = entries.iter().map(|e| e["kind"].as_str().unwrap()).collect();
        assert_eq!(
            seen,
            [
                "request.refused",
                "user.role_changed",
                "user.sign_in_failed",
                "user.sign_in_failed",
                "request.refused",
                "request.refused",
                "user.signed_in",
                "user.signed_in"
            ],
            "{}: {all:#}",
            shop.db.name
        );
        let text = all.to_string();
        assert!(
            text.contains("Firefox on Linux") && !text.contains("my password in the wrong field"),
            "{text}"
        );
        assert_eq!(all["data"][0]["detail"]["code"], "birds.taken");
        let mine = ask(&format!("actor=user:{}", shop.id_of("picker@shop.example").await)).await;
        assert_eq!(mine["data"].as_array().unwrap().len(), 4, "{mine:#}");
        let programs = ask("actor=key:*&kind=bird.hatched").await;
        assert_eq!(programs["data"][0]["subject"], "robin", "{programs:#}");
        assert_eq!(ask("kind=user.role_changed").await["data"].as_array().unwrap().len(), 1);
        assert_eq!(ask("until=2020-01-01").await["data"], json!([]));
        let first = ask("limit=3").await;
        let second = ask(&format!("limit=3&cursor={}", first["next_cursor"].as_str().unwrap())).await;
        assert_eq!(second["data"][0]["id"], all["data"][3]["id"]);
        let page = shop.page("/audit?kind=request.refused", &owner).await;
        assert!(
            page.status == 200
                && page.text.contains("Request refused")
                && page.text.contains("/audit</code>"),
            "{}",
            page.text
        );
        assert_eq!(shop.page("/audit?from=yesterday", &owner).await.status, 422);
    }
}

#[tokio::test]
async fn sessions_end_when_nobody_comes_back() {
    for shop in Shop::both().await {
        let owner = shop.owned().await;
        for _ in 0..5 {
            shop.db.clock().advance(2 * Timestamp::HOUR);
            assert_eq!(shop.page("/birds", &owner).await.status, 200, "who works stays");
        }
        shop.db.clock().advance(2 * Timestamp::HOUR);
        assert_eq!(
            shop.page("/birds", &owner).await.status,
            StatusCode::SEE_OTHER,
            "twelve hours are the most"
        );
        let idle = shop.sign_in(OWNER).await;
        shop.db.clock().advance(4 * Timestamp::HOUR);
        assert_eq!(shop.page("/birds", &idle).await.status, StatusCode::SEE_OTHER, "{}", shop.db.name);
    }
}

#[tokio::test]
async fn over_https_the_cookie_is_of_this_host_alone() {
    let setup = Setup { public_url: Some("https://orders.example".into()), ..Setup::default() };
    let shop = Shop::both_with(setup).await.remove(0);
    shop.user(OWNER, Role::Owner).await;
    let signed_in = shop.try_sign_in(OWNER, PASSWORD, "/").await;
    let set = signed_in.header("set-cookie");
    assert!(
        set.starts_with("__Host-fulmar_session=")
            && set.contains("Path=/")
            && set.contains("; Secure")
            && !set.contains("Domain")
    );
    assert!(signed_in.header("strict-transport-security").starts_with("max-age="));
    let plain = cookie(&signed_in).replace("__Host-", "");
    assert_eq!(
        shop.page("/birds", &plain).await.status,
        StatusCode::SEE_OTHER,
        "another name is another cookie"
    );
    assert_eq!(shop.page("/birds", &cookie(&signed_in)).await.status, 200);
    // A new sign-in with the old cookie ends the old session.
    let again = shop.form("/sign-in", &cookie(&signed_in), &[("email", OWNER), ("password", PASSWORD)]).await;
    assert_ne!(cookie(&again), cookie(&signed_in));
    assert_eq!(shop.page("/birds", &cookie(&signed_in)).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn keys_are_made_on_their_page_and_end_by_themselves() {
    for shop in Shop::both().await {
        let owner = shop.owned().await;
        let made = shop
            .form("/keys", &owner, &[("name", "web shop"), ("scopes[]", "birds:read"), ("days", "7")])
            .await;
        assert_eq!(made.status, 200, "{}", made.text);
        let from = made.text.find("fk_").unwrap();
        let key: String =
            made.text[from..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        let bearer = format!("Bearer {key}");
        assert_eq!(shop.get("/v1/birds", &[("authorization", &bearer)]).await.status, 200);
        let page = shop.page("/keys", &owner).await.text;
        assert!(page.contains("web shop") && !page.contains(&key));
        let listed = shop.get("/v1/api-keys", &[("cookie", &owner)]).await.json();
        assert!(
            listed["data"][0]["last_used_at"].is_string() && listed["data"][0]["expires_at"].is_string(),
            "{listed}"
        );
        assert_eq!(shop.form("/keys", &owner, &[("name", "none")]).await.status, 422);
        shop.user("dev@shop.example", Role::Developer).await;
        let dev = shop.sign_in("dev@shop.example").await;
        let more = shop.form("/keys", &dev, &[("name", "more"), ("scopes[]", "birds:write")]).await;
        assert!(more.status == 403 && more.text.contains("You cannot hand out"), "{}", more.text);
        shop.db.clock().advance(7 * Timestamp::DAY);
        assert_eq!(
            shop.get("/v1/birds", &[("authorization", &bearer)]).await.problem(),
            (401, "auth.bad_key".into())
        );
        let past = shop.key(&["*"]).await;
        let body = json!({"name": "past", "scopes": ["*"], "expires_at": "2020-01-01T00:00:00Z"});
        assert_eq!(
            shop.post("/v1/api-keys", &[("authorization", &past)], body).await.problem().1,
            "keys.expired"
        );
    }
}

#[tokio::test]
async fn the_matrix_says_what_is_enforced() {
    let shop = Shop::both().await.remove(0);
    let owner = shop.owned().await;
    let page = shop.page("/people/roles", &owner).await;
    assert!(
        page.status == 200 && Role::ALL.iter().all(|role| page.text.contains(role.title())),
        "{}",
        page.text
    );
    let roles = shop.get("/v1/roles", &[("cookie", &owner)]).await.json();
    for role in roles.as_array().unwrap() {
        let known: Role = role["role"].as_str().unwrap().parse().unwrap();
        let granted = web::auth::Scopes::of(known);
        let said: Vec<&str> = role["scopes"].as_array().unwrap().iter().filter_map(|s| s.as_str()).collect();
        for (scope, _) in shop.app.permissions() {
            assert_eq!(said.contains(&scope), granted.allow(scope), "{known:?} {scope}");
        }
    }
}

#[tokio::test]
async fn who_makes_people_at_the_machine_is_in_the_log_too() {
    for shop in Shop::both().await {
        let actor = Actor::system("cli").at("command line");
        let new = web::auth::CreateUser {
            email: OWNER.into(),
            name: "Ada".into(),
            role: Role::Owner,
            password: Secret::new(PASSWORD.into()),
        };
        web::auth::create_user(&shop.db.db, &actor, new).await.unwrap().unwrap();
        let owner = shop.sign_in(OWNER).await;
        let log = shop.get("/v1/audit?kind=user.created", &[("cookie", &owner)]).await.json();
        assert_eq!(log["data"][0]["origin"], "command line", "{} {log}", shop.db.name);
    }
}
