//! API calls: problems, rights, idempotent commands, versions, cursors.

use crate::shop::Shop;
use serde_json::json;

#[tokio::test]
async fn who_may_not_is_told_what_is_missing() {
    for shop in Shop::both().await {
        let (none, reader, keeper) =
            ("Bearer fk_nonsense".to_owned(), shop.key(&["birds:read"]).await, shop.key(&["birds:*"]).await);
        for (key, get, post) in
            [(None, 401, 401), (Some(&none), 401, 401), (Some(&reader), 200, 403), (Some(&keeper), 200, 201)]
        {
            let headers: Vec<(&str, &str)> = key.iter().map(|k| ("authorization", k.as_str())).collect();
            assert_eq!(shop.get("/v1/birds", &headers).await.status, get, "{} {key:?}", shop.db.name);
            assert_eq!(
                shop.post("/v1/birds", &headers, json!({"name": "robin"})).await.status,
                post,
                "{} {key:?}",
                shop.db.name
            );
        }
        let refused = shop.post("/v1/birds", &[("authorization", &reader)], json!({"name": "wren"})).await;
        assert_eq!(refused.problem(), (403, "auth.scope_missing".into()));
        assert!(refused.json()["detail"].as_str().unwrap().contains("birds:write"));
        let unknown = shop.get("/v1/birds", &[]).await;
        assert_eq!(
            (unknown.problem(), unknown.header("www-authenticate")),
            ((401, "auth.missing".into()), "Bearer")
        );
    }
}

#[tokio::test]
async fn keys_are_made_used_and_revoked() {
    for shop in Shop::both().await {
        let owner = shop.key(&["*"]).await;
        let owner = [("authorization", owner.as_str())];
        let made = shop
            .post("/v1/api-keys", &owner, json!({"name": "shop", "scopes": ["birds:read", "keys:write"]}))
            .await;
        assert_eq!(made.status, 201, "{}", made.text);
        let key = format!("Bearer {}", made.json()["key"].as_str().unwrap());
        let me = shop.get("/v1/me", &[("authorization", &key)]).await.json();
        assert_eq!(
            (&me["name"], &me["actor"]),
            (&json!("shop"), &json!(format!("key:{}", made.json()["id"].as_str().unwrap())))
        );
        let more = shop
            .post(
                "/v1/api-keys",
                &[("authorization", &key)],
                json!({"name": "more", "scopes": ["birds:write"]}),
            )
            .await;
        assert_eq!(
            more.problem(),
            (403, "auth.scope_missing".into()),
            "nobody hands out more than they have"
        );
        for (body, code) in [
            (json!({"name": " ", "scopes": ["*"]}), "keys.no_name"),
            (json!({"name": "a", "scopes": []}), "keys.no_scopes"),
            (json!({"name": "a", "scopes": ["fish:read"]}), "keys.unknown_scope"),
        ] {
            assert_eq!(shop.post("/v1/api-keys", &owner, body).await.problem(), (422, code.into()));
        }
        let path = format!("/v1/api-keys/{}", made.json()["id"].as_str().unwrap());
        assert_eq!(shop.send("DELETE", &path, &owner, "").await.status, 204);
        assert_eq!(
            shop.get("/v1/me", &[("authorization", &key)]).await.problem(),
            (401, "auth.bad_key".into())
        );
        let listed = shop.get("/v1/api-keys?limit=200", &owner).await;
        assert!(
            listed.json()["data"][1]["revoked_at"].is_string() && !listed.text.contains("fk_"),
            "{}",
            listed.text
        );
        let stored: Vec<String> = shop.db.read().column("SELECT hash FROM api_key", []).await.unwrap();
        assert!(stored.iter().all(|hash| hash.len() == 64));
    }
}

#[tokio::test]
async fn the_same_key_gives_the_same_answer() {
    for shop in Shop::both().await {
        let auth = shop.key(&["birds:*"]).await;
        let call = [("authorization", auth.as_str()), ("idempotency-key", "k1")];
        let first = shop.post("/v1/birds", &call, json!({"name": "robin"})).await;
        assert_eq!(
            (first.status.as_u16(), first.header("idempotent-replayed"), first.header("etag")),
            (201, "", "\"1\"")
        );
        let again = shop.post("/v1/birds", &call, json!({"name": "robin"})).await;
        assert_eq!(
            (again.status.as_u16(), again.header("idempotent-replayed"), again.header("etag")),
            (201, "true", "\"1\"")
        );
        assert_eq!(first.text, again.text);
        let other = shop.post("/v1/birds", &call, json!({"name": "wren"})).await;
        assert_eq!(other.problem(), (422, "idempotency.key_reused".into()));
        // A refusal is an answer too: it stands, even when the reason is gone.
        let refused = [("authorization", auth.as_str()), ("idempotency-key", "k2")];
        assert_eq!(
            shop.post("/v1/birds", &refused, json!({"name": "robin"})).await.problem(),
            (409, "birds.taken".into())
        );
        db::write!(shop.db.db, &kernel::Actor::system("test"), |tx| tx
            .exec("DELETE FROM timer WHERE name = 'robin'", [])
            .await)
        .unwrap();
        let replayed = shop.post("/v1/birds", &refused, json!({"name": "robin"})).await;
        assert_eq!(
            (replayed.problem(), replayed.header("idempotent-replayed")),
            ((409, "birds.taken".into()), "true")
        );
        // Another caller's key is another key.
        let stranger = shop.key(&["birds:*"]).await;
        let theirs = shop
            .post(
                "/v1/birds",
                &[("authorization", &stranger), ("idempotency-key", "k2")],
                json!({"name": "robin"}),
            )
            .await;
        assert_eq!(theirs.status, 201, "{}", shop.db.name);
        let bad = shop
            .post(
                "/v1/birds",
                &[("authorization", &auth), ("idempotency-key", &"x".repeat(256))],
                json!({"name": "a"}),
            )
            .await;
        assert_eq!(bad.problem(), (400, "idempotency.bad_key".into()));
    }
}

#[tokio::test]
async fn calls_with_one_key_at_the_same_time_do_one_thing() {
    for shop in Shop::both().await {
        let auth = shop.key(&["birds:*"]).await;
        let shop = std::sync::Arc::new(shop);
        let calls = (0..12).map(|_| {
            let (shop, auth) = (shop.clone(), auth.clone());
            tokio::spawn(async move {
                shop.post(
                    "/v1/birds",
                    &[("authorization", &auth), ("idempotency-key", "k")],
                    json!({"name": "owl"}),
                )
                .await
            })
        });
        let mut first = 0;
        for call in calls.collect::<Vec<_>>() {
            let answer = call.await.unwrap();
            assert_eq!(answer.status, 201, "{} {}", shop.db.name, answer.text);
            first += usize::from(answer.header("idempotent-replayed").is_empty());
        }
        let hatched: Option<i64> = shop
            .db
            .read()
            .scalar("SELECT COUNT(*) FROM event WHERE kind = 'bird.hatched'", [])
            .await
            .unwrap();
        assert_eq!((first, hatched), (1, Some(1)), "{}", shop.db.name);
    }
}

#[tokio::test]
async fn a_refusal_leaves_nothing_but_its_answer() {
    for shop in Shop::both().await {
        let auth = shop.key(&["birds:*"]).await;
        for headers in [
            vec![("authorization", auth.as_str())],
            vec![("authorization", auth.as_str()), ("idempotency-key", "h")],
        ] {
            assert_eq!(
                shop.post("/v1/half", &headers, json!({})).await.problem(),
                (422, "birds.no_name".into())
            );
            let written: Option<i64> = shop.db.read().scalar("SELECT COUNT(*) FROM timer", []).await.unwrap();
            assert_eq!(written, Some(0), "{}", shop.db.name);
        }
        let kept: Option<i64> = shop.db.read().scalar("SELECT COUNT(*) FROM answer", []).await.unwrap();
        assert_eq!(kept, Some(1));
    }
}

#[tokio::test]
async fn versions_guard_changes() {
    for shop in Shop::both().await {
        let auth = shop.key(&["birds:*"]).await;
        shop.post("/v1/birds", &[("authorization", &auth)], json!({"name": "kite"})).await;
        let rename = async |tag: &str, name: &str| {
            let headers =
                [("authorization", auth.as_str()), ("content-type", "application/json"), ("if-match", tag)];
            shop.send("PUT", &format!("/v1/birds/{name}"), &headers, r#"{"name":"kite"}"#).await
        };
        let tag = shop.get("/v1/birds/kite", &[("authorization", &auth)]).await.header("etag").to_owned();
        let done = rename(&tag, "kite").await;
        assert_eq!((done.status.as_u16(), done.header("etag")), (200, "\"2\""));
        assert_eq!(rename(&tag, "kite").await.problem(), (412, "request.stale".into()));
        assert_eq!(rename("*", "kite").await.status, 200);
        assert_eq!(rename("kite", "kite").await.problem(), (400, "request.bad_if_match".into()));
        assert_eq!(rename("*", "emu").await.problem(), (404, "request.not_found".into()), "{}", shop.db.name);
    }
}

#[tokio::test]
async fn a_list_is_walked_by_cursor() {
    for shop in Shop::both().await {
        let auth = shop.key(&["birds:*"]).await;
        let auth = [("authorization", auth.as_str())];
        for n in 0..7 {
            shop.post("/v1/birds", &auth, json!({"name": format!("b{n}")})).await;
        }
        let (mut path, mut names) = ("/v1/birds?limit=3".to_owned(), Vec::new());
        loop {
            let page = shop.get(&path, &auth).await.json();
            names.extend(
                page["data"].as_array().unwrap().iter().map(|b| b["name"].as_str().unwrap().to_owned()),
            );
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/v1/birds?limit=3&cursor={cursor}");
        }
        assert_eq!(names, ["b0", "b1", "b2", "b3", "b4", "b5", "b6"], "{}", shop.db.name);
        for (query, code) in [
            ("cursor=zzz", "request.bad_cursor"),
            ("limit=0", "request.bad_limit"),
            ("limit=x", "request.bad_parameter"),
            ("lim=1", "request.bad_parameter"),
        ] {
            assert_eq!(shop.get(&format!("/v1/birds?{query}"), &auth).await.problem(), (422, code.into()));
        }
    }
}

#[tokio::test]
async fn what_does_not_read_is_pointed_at() {
    let shop = Shop::both().await.remove(0);
    let auth = shop.key(&["*"]).await;
    for (kind, body, status, code, pointer) in [
        (
            "application/json",
            r#"{"name":"a","eggs":[{"grams":1},{"grams":"x"}]}"#,
            422,
            "request.invalid",
            "/eggs/1/grams",
        ),
        ("application/json", r#"{"name":"a","colour":"red"}"#, 422, "request.invalid", "/colour"),
        ("application/json", "", 422, "request.invalid", ""),
        ("application/json", r#"{"name":"#, 400, "request.malformed_json", ""),
        ("application/json", r#"{"name":"a"} x"#, 400, "request.malformed_json", ""),
        ("text/plain", r#"{"name":"a"}"#, 415, "request.not_json", ""),
    ] {
        let answer =
            shop.send("POST", "/v1/birds", &[("authorization", &auth), ("content-type", kind)], body).await;
        assert_eq!(answer.problem(), (status, code.into()), "{body}");
        assert_eq!(answer.json()["errors"][0]["pointer"].as_str().unwrap_or(""), pointer, "{}", answer.text);
    }
    let large = shop
        .send(
            "POST",
            "/v1/birds",
            &[("authorization", &auth), ("content-type", "application/json")],
            vec![b' '; 9 << 20],
        )
        .await;
    assert_eq!(large.problem(), (413, "request.too_large".into()));
    assert_eq!(
        shop.send("DELETE", "/v1/api-keys/ord_1", &[("authorization", &auth)], "").await.problem(),
        (404, "request.not_found".into())
    );
    assert_eq!(
        shop.get("/v1/fish", &[("authorization", &auth)]).await.problem(),
        (404, "request.not_found".into())
    );
    assert_eq!(
        shop.send("PATCH", "/v1/birds", &[("authorization", &auth)], "").await.problem(),
        (405, "request.method".into())
    );
}

#[tokio::test]
async fn faults_and_panics_say_nothing_outside() {
    let shop = Shop::both().await.remove(0);
    let auth = shop.key(&["*"]).await;
    for how in ["panic", "fault"] {
        let answer = shop
            .get(&format!("/v1/crash?how={how}"), &[("authorization", &auth), ("x-request-id", "mine-7")])
            .await;
        assert_eq!(answer.problem(), (500, "server.fault".into()), "{how}");
        assert!(!answer.text.contains("nest") && answer.text.contains("mine-7"), "{}", answer.text);
        assert_eq!(answer.header("x-request-id"), "mine-7");
    }
    let busy =
        shop.get("/v1/crash?how=busy", &[("authorization", &auth), ("x-request-id", "not\u{20}sane")]).await;
    assert_eq!((busy.problem(), busy.header("retry-after")), ((503, "server.busy".into()), "1"));
    assert_eq!(busy.header("x-request-id").len(), 32);
}

#[tokio::test]
async fn control_characters_never_reach_a_command() {
    for shop in Shop::both().await {
        let auth = shop.key(&["*"]).await;
        let auth = [("authorization", auth.as_str())];
        let answer = shop.post("/v1/birds", &auth, json!({"name": "ro\0bin"})).await;
        assert_eq!(answer.problem(), (422, "request.invalid".into()), "{}", shop.db.name);
        assert_eq!(answer.json()["errors"][0]["pointer"], "/name");
        assert_eq!(shop.post("/v1/birds", &auth, json!({"name": "ro\tbin\u{202e}"})).await.status, 201);
        let cursor = "/v1/birds?cursor=IlwwMDAwIg";
        for (path, status) in [("/v1/birds?cursor=%00", 422), (cursor, 422), ("/v1/birds/%00", 404)] {
            assert_eq!(shop.get(path, &auth).await.status, status, "{} {path}", shop.db.name);
        }
    }
}
