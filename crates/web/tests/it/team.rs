//! People at work: invitations, roles, new passwords, second factors, sessions, and the log of it all.

use crate::shop::{Answer, PASSWORD, SLICES, Shop};
use axum::http::StatusCode;
use db::Parts;
use kernel::{Actor, Secret, Timestamp};
use serde_json::json;
use web::auth::Vault;
use web::{Role, Setup};

#[path = "watch.rs"]
mod watch;

const OWNER: &str = "owner@shop.example";
const OTHER: &str = "another correct horse";

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

impl Shop {
    /// Sends a form, as the browser of a session does.
    async fn form(&self, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Answer {
        let body: Vec<String> =
            fields.iter().map(|(n, v)| format!("{}={}", encoded(n), encoded(v))).collect();
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("sec-fetch-site", "same-origin"),
            ("cookie", cookie),
            ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"),
        ];
        self.send("POST", path, &headers, body.join("&")).await
    }
    async fn page(&self, path: &str, cookie: &str) -> Answer {
        self.get(path, &[("cookie", cookie)]).await
    }
    /// The owner, signed in, and what they send.
    async fn owned(&self) -> String {
        self.user(OWNER, Role::Owner).await;
        self.sign_in(OWNER).await
    }
    async fn id_of(&self, email: &str) -> String {
        let text = "SELECT id FROM user_account WHERE email = $1";
        let id: Option<web::auth::UserId> = self.db.read().scalar(text, [email.into()]).await.unwrap();
        id.unwrap().to_string()
    }
    async fn kinds(&self) -> Vec<String> {
        self.db
            .read()
            .column("SELECT kind FROM event WHERE origin IS NOT NULL ORDER BY id", [])
            .await
            .unwrap()
    }
    async fn lawful(&self) {
        for law in web::all(SLICES, |s| s.laws) {
            let found = db::laws::check(self.db.read(), &law).await.unwrap();
            assert!(found.is_empty(), "{} {}: {found:?}", self.db.name, law.name);
        }
    }
}

/// The cookie that an answer sets.
fn cookie(answer: &Answer) -> String {
    let set = answer.headers.get_all("set-cookie").iter().map(|v| v.to_str().unwrap());
    set.filter_map(|v| v.split(';').next())
        .find(|v| v.contains("fulmar_session="))
        .unwrap_or_default()
        .to_owned()
}

/// The path of a link that a page or an answer shows.
fn path_in(text: &str, path: &str) -> String {
    let from = text.find(&format!("{path}?t=")).unwrap_or_else(|| panic!("no link to {path} in {text}"));
    text[from..].chars().take_while(|c| !matches!(c, '"' | '<' | '&' | ' ')).collect()
}

fn token(path: &str) -> &str {
    path.split_once("?t=").unwrap().1
}

#[tokio::test]
async fn somebody_is_invited_accepts_once_and_works() {
    for shop in Shop::both().await {
        let owner = shop.owned().await;
        let asked = shop.form("/people", &owner, &[("email", "Pia@shop.example"), ("role", "picker")]).await;
        assert_eq!(asked.status, 200, "{}", asked.text);
        let first = path_in(&asked.text, "/welcome");
        assert!(!shop.page("/people", &owner).await.text.contains("/welcome?t="), "the link is shown once");
        for (fields, status, words) in [
            ([("email", "pia@shop.example"), ("role", "picker")], 409, "has an invitation already"),
            ([("email", OWNER), ("role", "picker")], 409, "signs in here already"),
            ([("email", "nonsense"), ("role", "picker")], 422, "is not an e-mail address"),
        ] {
            let no = shop.form("/people", &owner, &fields).await;
            assert!(no.status == status && no.text.contains(words), "{} {}", no.status, no.text);
        }
        // Sent again, the first link is void; one that was tampered with is none.
        let list = shop.get("/v1/invitations", &[("cookie", &owner)]).await.json();
        let id = list["data"][0]["id"].as_str().unwrap().to_owned();
        let again =
            shop.post(&format!("/v1/invitations/{id}/resend"), &[("cookie", &owner)], json!({})).await;
        assert_eq!(again.status, 201, "{}", again.text);
        let link = path_in(&again.text, "/welcome");
        for bad in
            [first.as_str(), &link.replace(".1.", ".2."), &format!("{link}x"), "/welcome?t=", "/welcome"]
        {
            assert_eq!(shop.get(bad, &[]).await.status, StatusCode::GONE, "{bad}");
        }
        let form = shop.get(&link, &[]).await;
        assert!(
            form.status == 200
                && form.text.contains("pia@shop.example")
                && form.text.contains("picker / packer")
        );
        let accept = async |new: &str| {
            shop.form("/welcome", "", &[("t", token(&link)), ("name", "Pia"), ("new", new)]).await
        };
        for (weak, words) in
            [("short", "at least 12"), ("Password1234", "tried first"), ("pia@shop.example", "tried first")]
        {
            let no = accept(weak).await;
            assert!(
                no.status == 422 && no.text.to_lowercase().contains(words),
                "{weak}: {} {}",
                no.status,
                no.text
            );
        }
        let welcome = accept(OTHER).await;
        assert_eq!(welcome.status, StatusCode::SEE_OTHER, "{}", welcome.text);
        let pia = cookie(&welcome);
        assert_eq!(shop.get("/v1/me", &[("cookie", &pia)]).await.json()["name"], "Pia");
        assert_eq!(accept(OTHER).await.status, StatusCode::GONE, "a link is good once");
        assert_eq!(shop.page("/people", &pia).await.status, 403);
        assert_eq!(
            shop.get("/v1/users", &[("cookie", &pia)]).await.problem(),
            (403, "auth.scope_missing".into())
        );
        // Nothing that is kept holds a link.
        let kept: Vec<String> = shop.db.read().column("SELECT payload FROM event", []).await.unwrap();
        assert!(kept.iter().all(|payload| !payload.contains(token(&link))));
        assert!(shop.kinds().await.contains(&"invitation.accepted".to_owned()));
        shop.lawful().await;
    }
}

#[tokio::test]
async fn invitations_end_by_time_and_by_being_revoked() {
    for shop in Shop::both().await {
        let owner = shop.owned().await;
        let invite = async |email: &str| {
            shop.post("/v1/invitations", &[("cookie", &owner)], json!({"email": email, "role": "support"}))
                .await
                .json()
        };
        let (one, two) = (invite("one@shop.example").await, invite("two@shop.example").await);
        let (one_link, two_link) =
            (path_in(&one.to_string(), "/welcome"), path_in(&two.to_string(), "/welcome"));
        let path = format!("/v1/invitations/{}", one["id"].as_str().unwrap());
        assert_eq!(shop.send("DELETE", &path, &[("cookie", &owner)], "").await.status, 204);
        assert_eq!(
            shop.send("DELETE", &path, &[("cookie", &owner)], "").await.problem(),
            (409, "invitations.over".into())
        );
        assert_eq!(shop.get(&one_link, &[]).await.status, StatusCode::GONE);
        assert_eq!(shop.get(&two_link, &[]).await.status, 200);
        shop.db.clock().advance(7 * Timestamp::DAY);
        assert_eq!(shop.get(&two_link, &[]).await.status, StatusCode::GONE, "{}", shop.db.name);
        // Who was asked in vain can be asked again.
        let owner = shop.sign_in(OWNER).await;
        let again = shop
            .post(
                "/v1/invitations",
                &[("cookie", &owner)],
                json!({"email": "one@shop.example", "role": "support"}),
            )
            .await;
        assert_eq!(again.status, 201, "{}", again.text);
        shop.lawful().await;
    }
}

#[tokio::test]
async fn an_owner_is_always_left_and_managers_do_not_touch_owners() {
    for shop in Shop::both().await {
        let owner = shop.owned().await;
        shop.user("manager@shop.example", Role::Manager).await;
        shop.user("picker@shop.example", Role::Picker).await;
        let manager = shop.sign_in("manager@shop.example").await;
        let picker = shop.sign_in("picker@shop.example").await;
        let change = async |who: &str, cookie: &str, body: serde_json::Value| {
            let path = format!("/v1/users/{}", shop.id_of(who).await);
            let headers = [("cookie", cookie), ("content-type", "application/json")];
            shop.send("PATCH", &path, &headers, body.to_string()).await
        };
        for (who, cookie, body, status, code) in [
            (OWNER, &owner, json!({"role": "manager"}), 409, "users.last_owner"),
            (OWNER, &owner, json!({"active": false}), 409, "users.last_owner"),
            (OWNER, &manager, json!({"active": false}), 403, "users.owners_only"),
            ("manager@shop.example", &manager, json!({"role": "owner"}), 403, "users.owners_only"),
            ("manager@shop.example", &picker, json!({"role": "owner"}), 403, "auth.scope_missing"),
        ] {
            assert_eq!(
                change(who, cookie, body.clone()).await.problem(),
                (status, code.into()),
                "{who} {body}"
            );
        }
        let asked = shop
            .post("/v1/invitations", &[("cookie", &manager)], json!({"email": "x@y.z", "role": "owner"}))
            .await;
        assert_eq!(asked.problem(), (403, "users.owners_only".into()));
        let path = format!("/v1/users/{}/password-reset", shop.id_of(OWNER).await);
        assert_eq!(
            shop.post(&path, &[("cookie", &manager)], json!({})).await.problem(),
            (403, "users.owners_only".into())
        );
        // With another owner the first may go, and is out at once.
        assert_eq!(change("manager@shop.example", &owner, json!({"role": "owner"})).await.status, 200);
        assert_eq!(change(OWNER, &manager, json!({"active": false})).await.status, 200);
        assert_eq!(shop.page("/birds", &owner).await.status, StatusCode::SEE_OTHER);
        assert_eq!(shop.try_sign_in(OWNER, PASSWORD, "/").await.status, 422);
        assert_eq!(
            change("manager@shop.example", &manager, json!({"role": "support"})).await.problem().1,
            "users.last_owner"
        );
        // A role is in force with the next request.
        assert_eq!(change("picker@shop.example", &manager, json!({"role": "accountant"})).await.status, 200);
        assert_eq!(shop.get("/v1/audit", &[("cookie", &picker)]).await.status, 200, "{}", shop.db.name);
        shop.lawful().await;
    }
}

#[tokio::test]
async fn two_owners_cannot_remove_each_other_at_once() {
    for shop in Shop::both().await {
        let one = shop.owned().await;
        shop.user("two@shop.example", Role::Owner).await;
        let two = shop.sign_in("two@shop.example").await;
        let (first, second) = (shop.id_of(OWNER).await, shop.id_of("two@shop.example").await);
        let off = json!({"active": false}).to_string();
        let (json, paths) = (
            ("content-type", "application/json"),
            [format!("/v1/users/{second}"), format!("/v1/users/{first}")],
        );
        let (headers_one, headers_two) = ([("cookie", one.as_str()), json], [("cookie", two.as_str()), json]);
        let (a, b) = tokio::join!(
            shop.send("PATCH", &paths[0], &headers_one, off.clone()),
            shop.send("PATCH", &paths[1], &headers_two, off.clone())
        );
        let done = [&a, &b].iter().filter(|answer| answer.status == 200).count();
        assert_eq!(done, 1, "{}: {} {} / {} {}", shop.db.name, a.status, a.text, b.status, b.text);
        shop.lawful().await;
    }
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_link() {
    for shop in Shop::both().await {
        let owner = shop.owned().await;
        shop.user("ada@shop.example", Role::Support).await;
        let ada = shop.sign_in("ada@shop.example").await;
        let path = format!("/people/{}", shop.id_of("ada@shop.example").await);
        let old = path_in(&shop.form(&path, &owner, &[("do", "reset")]).await.text, "/new-password");
        let link = path_in(&shop.form(&path, &owner, &[("do", "reset")]).await.text, "/new-password");
        assert_eq!(shop.get(&old, &[]).await.status, StatusCode::GONE);
        let weak = shop.form("/new-password", "", &[("t", token(&link)), ("new", "short")]).await;
        assert_eq!(weak.status, 422);
        let done = shop.form("/new-password", "", &[("t", token(&link)), ("new", OTHER)]).await;
        assert_eq!((done.status, done.header("location")), (StatusCode::SEE_OTHER, "/sign-in"));
        assert_eq!(shop.get(&link, &[]).await.status, StatusCode::GONE, "good once");
        assert_eq!(
            shop.page("/birds", &ada).await.status,
            StatusCode::SEE_OTHER,
            "sessions of the old password end"
        );
        assert_eq!(shop.try_sign_in("ada@shop.example", PASSWORD, "/").await.status, 422);
        assert_eq!(shop.try_sign_in("ada@shop.example", OTHER, "/").await.status, StatusCode::SEE_OTHER);
        // Asked for at the sign-in, it is the same for who is here and who is not; and it is over after an hour.
        let here = shop.form("/forgot", "", &[("email", "ada@shop.example")]).await;
        let not = shop.form("/forgot", "", &[("email", "nobody@shop.example")]).await;
        assert!(here.status == 200 && here.text == not.text, "{}", here.text);
        let asked: Vec<String> = shop
            .db
            .read()
            .column("SELECT kind FROM event WHERE kind = 'user.password_reset'", [])
            .await
            .unwrap();
        assert_eq!(asked.len(), 3);
        let link = path_in(&shop.form(&path, &owner, &[("do", "reset")]).await.text, "/new-password");
        shop.db.clock().advance(Timestamp::HOUR);
        assert_eq!(shop.get(&link, &[]).await.status, StatusCode::GONE, "{}", shop.db.name);
    }
}

#[tokio::test]
async fn one_changes_the_password_and_ends_other_sessions() {
    for shop in Shop::both().await {
        let here = shop.owned().await;
        let (there, elsewhere) = (shop.sign_in(OWNER).await, shop.sign_in(OWNER).await);
        let profile = shop.page("/profile", &here).await;
        assert!(profile.status == 200 && profile.text.contains("this one"), "{}", profile.text);
        let session = profile
            .text
            .split(r#"name="session" value=""#)
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .to_owned();
        let done = shop.form("/profile/sessions", &here, &[("do", "sign_out"), ("session", &session)]).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
        let left = [&there, &elsewhere];
        let mut still = Vec::new();
        for cookie in left {
            if shop.page("/birds", cookie).await.status == 200 {
                still.push(cookie.clone());
            }
        }
        assert_eq!(still.len(), 1, "one of two was ended");
        let change = async |old: &str, new: &str| {
            shop.form("/profile/password", &here, &[("password", old), ("new", new)]).await
        };
        let wrong = change("not it at all", OTHER).await;
        assert!(wrong.status == 422 && wrong.text.contains("not your password"), "{}", wrong.text);
        assert_eq!(change(PASSWORD, "too short").await.status, 422);
        assert_eq!(change(PASSWORD, OTHER).await.status, StatusCode::SEE_OTHER);
        assert_eq!(shop.page("/birds", &here).await.status, 200, "this session stays");
        assert_eq!(shop.page("/birds", &still[0]).await.status, StatusCode::SEE_OTHER, "the others end");
        for _ in 0..5 {
            change("not it at all", OTHER).await;
        }
        let slowed = change(OTHER, PASSWORD).await;
        assert!(slowed.status == 429 && !slowed.header("retry-after").is_empty(), "{}", slowed.status);
        // A program has no profile.
        let key = shop.key(&["*"]).await;
        assert_eq!(shop.get("/profile", &[("authorization", &key)]).await.status, 404, "{}", shop.db.name);
    }
}

/// The code that an app shows.
fn code(secret: &str, at: Timestamp) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret.replace(' ', "")).unwrap();
    let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    totp.generate(u64::try_from(at.0 / Timestamp::SECOND).unwrap()).to_string()
}

impl Shop {
    /// Turns the second factor on; the secret and the recovery codes.
    async fn second_factor(&self, cookie: &str) -> (String, Vec<String>) {
        let begun = self.form("/profile/second-factor", cookie, &[("do", "begin")]).await;
        assert_eq!(begun.status, StatusCode::SEE_OTHER, "{}", begun.text);
        let page = self.page("/profile/second-factor", cookie).await.text;
        assert!(page.contains("<svg") && page.contains("otpauth://totp/"), "{page}");
        let secret = page.split("user-select-all\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
        let wrong =
            self.form("/profile/second-factor", cookie, &[("do", "confirm"), ("code", "000000")]).await;
        assert!(wrong.status == 422 && wrong.text.contains(&secret), "{}", wrong.text);
        let shown = code(&secret, self.db.db.now());
        let on = self.form("/profile/second-factor", cookie, &[("do", "confirm"), ("code", &shown)]).await;
        assert_eq!(on.status, 200, "{}", on.text);
        let codes =
            on.text.split("<code>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect();
        (secret, codes)
    }
}

#[tokio::test]
async fn a_second_factor_is_asked_for_and_good_once() {
    for shop in Shop::both().await {
        let owner = shop.owned().await;
        let (secret, codes) = shop.second_factor(&owner).await;
        assert_eq!(codes.len(), 10);
        let enter = async |cookie: &str, code: &str| {
            shop.form("/sign-in/code", cookie, &[("code", code), ("next", "/birds")]).await
        };
        let half = async || {
            let answer = shop.try_sign_in(OWNER, PASSWORD, "/birds").await;
            assert_eq!(answer.header("location"), "/sign-in/code?next=/birds", "{}", answer.text);
            cookie(&answer)
        };
        let waiting = half().await;
        assert_eq!(
            shop.page("/birds", &waiting).await.status,
            StatusCode::SEE_OTHER,
            "half a sign-in opens nothing"
        );
        assert_eq!(shop.get("/v1/me", &[("cookie", &waiting)]).await.status, 401);
        assert_eq!(shop.page("/sign-in/code", &waiting).await.status, 200);
        assert_eq!(shop.page("/sign-in/code", "").await.status, StatusCode::SEE_OTHER);
        // The code of the set-up was used; the next one is good, once, and the session is another.
        let used = enter(&waiting, &code(&secret, shop.db.db.now())).await;
        assert!(used.status == 422 && used.text.contains("used before"), "{}", used.text);
        shop.db.clock().advance(30 * Timestamp::SECOND);
        let next = code(&secret, shop.db.db.now());
        let full = enter(&waiting, &format!("{} {}", &next[..3], &next[3..])).await;
        assert_eq!(
            (full.status, full.header("location")),
            (StatusCode::SEE_OTHER, "/birds"),
            "{}",
            full.text
        );
        assert_ne!(cookie(&full), waiting);
        assert_eq!(shop.page("/birds", &cookie(&full)).await.status, 200);
        assert_eq!(enter(&waiting, &next).await.status, 422, "what waited is over");
        let again = half().await;
        assert_eq!(enter(&again, &next).await.status, 422, "a code is not good twice");
        // A recovery code lets in once, however it is written.
        let recovered = enter(&again, &codes[3].to_uppercase().replace('-', " ")).await;
        assert_eq!(recovered.status, StatusCode::SEE_OTHER, "{}", recovered.text);
        assert_eq!(enter(&half().await, &codes[3]).await.status, 422);
        assert!(shop.page("/profile", &cookie(&recovered)).await.text.contains("9 recovery codes"));
        // Guessing is slowed down, and what waits is over after ten minutes.
        let guessing = half().await;
        for _ in 0..4 {
            enter(&guessing, "000000").await;
        }
        let slowed = enter(&guessing, "000000").await;
        assert!(
            slowed.status == 429 && !slowed.header("retry-after").is_empty(),
            "{} {}",
            slowed.status,
            slowed.text
        );
        shop.db.clock().advance(11 * Timestamp::MINUTE);
        assert!(enter(&guessing, &codes[4]).await.text.contains("took too long"), "{}", shop.db.name);
        // Nothing of it is kept as it is.
        let kept: Vec<String> =
            shop.db.read().column("SELECT totp_secret FROM user_account", []).await.unwrap();
        assert!(kept.iter().all(|sealed| !sealed.contains(&secret.replace(' ', ""))));
        let hashes: Vec<String> =
            shop.db.read().column("SELECT code_hash FROM recovery_code", []).await.unwrap();
        assert!(hashes.len() == 10 && hashes.iter().all(|hash| hash.len() == 64));
        shop.lawful().await;
    }
}

#[tokio::test]
async fn a_second_factor_is_turned_off_by_its_person_or_by_who_manages_people() {
    for shop in Shop::both().await {
        let owner = shop.owned().await;
        let (_, codes) = shop.second_factor(&owner).await;
        let act = async |what: &str, password: &str| {
            shop.form("/profile/second-factor", &owner, &[("do", what), ("password", password)]).await
        };
        assert_eq!(act("turn_off", "not it at all").await.status, 422);
        let fresh = act("new_codes", PASSWORD).await;
        assert!(fresh.status == 200 && !fresh.text.contains(&codes[0]), "{}", fresh.text);
        assert_eq!(act("turn_off", PASSWORD).await.status, StatusCode::SEE_OTHER);
        assert_eq!(shop.try_sign_in(OWNER, PASSWORD, "/birds").await.header("location"), "/birds");
        shop.user("ada@shop.example", Role::Support).await;
        let ada = shop.sign_in("ada@shop.example").await;
        shop.second_factor(&ada).await;
        let path = format!("/v1/users/{}/second-factor", shop.id_of("ada@shop.example").await);
        assert_eq!(shop.send("DELETE", &path, &[("cookie", &owner)], "").await.status, 204);
        assert_eq!(shop.page("/birds", &ada).await.status, StatusCode::SEE_OTHER, "sessions end with it");
        assert_eq!(
            shop.try_sign_in("ada@shop.example", PASSWORD, "/birds").await.header("location"),
            "/birds"
        );
        shop.lawful().await;
    }
}

#[tokio::test]
async fn a_role_may_need_a_second_factor() {
    for shop in Shop::both().await {
        let owner = shop.owned().await;
        shop.user("ada@shop.example", Role::Support).await;
        let ada = shop.sign_in("ada@shop.example").await;
        assert_ne!(shop.page("/birds", &ada).await.status, StatusCode::SEE_OTHER);
        let set = shop
            .form("/people/second-factor", &owner, &[("roles[]", "support"), ("roles[]", "picker")])
            .await;
        assert_eq!(set.status, StatusCode::SEE_OTHER, "{}", set.text);
        let away = shop.page("/birds", &ada).await;
        assert_eq!((away.status, away.header("location")), (StatusCode::SEE_OTHER, "/profile/second-factor"));
        assert_eq!(
            shop.get("/v1/me", &[("cookie", &ada)]).await.problem(),
            (403, "auth.second_factor_required".into())
        );
        assert_eq!(shop.page("/people", &owner).await.status, 200, "other roles go on");
        shop.second_factor(&ada).await;
        assert_ne!(shop.page("/birds", &ada).await.status, StatusCode::SEE_OTHER, "{}", shop.db.name);
        assert_eq!(shop.form("/people/second-factor", &owner, &[]).await.status, StatusCode::SEE_OTHER);
    }
}

#[tokio::test]
async fn the_secret_of_the_program_keeps_old_seals_and_links_good() {
    for shop in Shop::both().await {
        let owner = shop.owned().await;
        let (_, codes) = shop.second_factor(&owner).await;
        let asked = shop.form("/people", &owner, &[("email", "pia@shop.example"), ("role", "picker")]).await;
        let link = path_in(&asked.text, "/welcome");
        // From now on with a secret of the configuration.
        let configured = |secret: &str| {
            let vault = Vault::new(Some(Secret::new(secret.to_owned())), "https://orders.example/");
            let mut ctx = shop.app.ctx.clone();
            ctx.parts = Parts::default().with(vault);
            web::router(web::App::new(ctx, SLICES, Setup::default()))
        };
        let shop =
            Shop { router: configured("a secret of 32 characters, or so"), db: shop.db, app: shop.app };
        assert_eq!(shop.get(&link, &[]).await.status, 200);
        let waiting = cookie(&shop.try_sign_in(OWNER, PASSWORD, "/birds").await);
        let full = shop.form("/sign-in/code", &waiting, &[("code", &codes[0])]).await;
        assert_eq!(full.status, StatusCode::SEE_OTHER);
        let owner = cookie(&full);
        let asked = shop.form("/people", &owner, &[("email", "two@shop.example"), ("role", "picker")]).await;
        assert!(asked.text.contains("https://orders.example/welcome?t="), "{}", asked.text);
        let link = path_in(&asked.text, "/welcome");
        let other = Shop { router: web::router(shop.app.clone()), db: shop.db, app: shop.app };
        assert_eq!(
            other.get(&link, &[]).await.status,
            StatusCode::GONE,
            "the database alone makes no such link"
        );
    }
}
