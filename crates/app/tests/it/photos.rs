//! Photos of what comes back: who may add and see them, and what is left of what was sent.

use crate::clerk::{count, location};
use crate::support::walkthrough::{OrderWalkthrough, Step};
use crate::support::{TestApp, shop};
use axum::http::Method;
use image::{ImageFormat, RgbImage};
use serde_json::json;
use std::io::Cursor;

/// A picture of a colour, with a place beside its pixels where it is a JPEG.
fn picture(shade: u8, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    let pixels = RgbImage::from_pixel(40, 30, image::Rgb([shade.wrapping_mul(20), 90, 10]));
    pixels.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
    if format == ImageFormat::Jpeg {
        let exif = b"\xff\xe1\x00\x21Exif\0\0II*\0\x08\0\0\0\0\0GPS 52.52 13.40";
        bytes.splice(2..2, exif.iter().copied());
    }
    bytes
}

pub(crate) fn jpeg(shade: u8) -> Vec<u8> {
    picture(shade, ImageFormat::Jpeg)
}

/// A return of one unit, by its id, and its customer's pass.
async fn asked(app: &TestApp, own: &shop::Shop, who: &str) -> (String, String) {
    let walk = OrderWalkthrough::up_to(app, own, who, Step::Delivered).await;
    let units = json!({"units": [{"line": walk.lines[0], "quantity": 1, "reason": "damaged"}], "resolution": "refund"});
    let made = app.post(&format!("/v1/orders/{}/returns", walk.order), &units).await.ok();
    let number = walk.show(app).await["number"].as_str().unwrap().to_owned();
    let found = app.anonymous().form("/track", &format!("number={number}&email={who}%40example.com")).await;
    let pass = found.headers["location"].to_str().unwrap().split("t=").nth(1).unwrap().to_owned();
    (made["id"].as_str().unwrap().to_owned(), pass)
}

#[tokio::test]
async fn a_customer_adds_photos_to_an_own_return_and_staff_sees_them() {
    for app in TestApp::both().await {
        let own = shop::open(&app.ctx.db, 40).await;
        let (id, pass) = asked(&app, &own, "ada").await;
        let (other, others) = asked(&app, &own, "eve").await;
        let anyone = app.anonymous();
        assert!(anyone.get(&format!("/track?t={pass}")).await.text.contains("Show us what is wrong"));
        let with =
            |t: &str, of: &str| vec![("t".to_owned(), t.to_owned()), ("return".to_owned(), of.to_owned())];
        let send = async |t: &str, of: &str, files: &[Vec<u8>]| {
            let fields = with(t, of);
            let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            anyone.upload("/track/photos", &fields, files).await
        };
        for (t, of) in [("nothing", &id), (&*others, &id), (&*pass, &other), (&*pass, &"rma_1".to_owned())] {
            assert_eq!(send(t, of, &[jpeg(1)]).await.status, 410, "{}: {t} {of}", app.name);
        }
        for (files, said) in [
            (vec![], "Choose at least one photo."),
            (vec![jpeg(1), b"<html><script>alert(1)</script>".to_vec()], "send a JPEG, PNG or WebP"),
            (vec![jpeg(1)[..40].to_vec()], "cannot be opened"),
            (vec![jpeg(1); 9], "8 photos at most"),
        ] {
            let again = send(&pass, &id, &files).await;
            assert!(
                again.status == 422 && again.text.contains(said),
                "{}: {said}: {} {}",
                app.name,
                again.status,
                again.text
            );
        }
        assert_eq!(count(&app, "SELECT COUNT(*) FROM return_photo").await, 0);
        // Whoever sends too often in a minute waits.
        app.advance(61_000_000);
        let sent = [jpeg(1), picture(2, ImageFormat::Png), picture(3, ImageFormat::WebP)];
        assert!(location(&send(&pass, &id, &sent).await).starts_with("/track?t="));
        location(&send(&pass, &id, &sent).await);
        assert_eq!(count(&app, "SELECT COUNT(*) FROM return_photo").await, 3, "{}: sent twice", app.name);
        assert!(anyone.get(&format!("/track?t={pass}")).await.text.contains("3 photos are added"));

        seen_by_staff_alone(&app, &id, &other).await;
        app.drain_jobs().await;
        app.check().await;
    }
}

/// The three photos of a return are seen by staff, on the page and in the inbox, and by nobody else; `other` is another return.
async fn seen_by_staff_alone(app: &TestApp, id: &str, other: &str) {
    let page = app.get(&format!("/returns/{id}")).await.text;
    let shown =
        page.split(&format!("/returns/{id}/photos/")).nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert!(
        page.contains("by the customer") && app.get("/returns").await.text.contains("3 photos"),
        "{page}"
    );
    let file = app.get(&format!("/returns/{id}/photos/{shown}")).await;
    let header = |name: &str| file.headers[name].to_str().unwrap().to_owned();
    assert_eq!((file.status.as_u16(), header("content-type").as_str()), (200, "image/jpeg"));
    assert!(
        header("content-security-policy").contains("sandbox")
            && header("x-content-type-options") == "nosniff"
    );
    assert!(!file.text.contains("Exif") && !file.text.contains("GPS"), "{}", app.name);
    assert_eq!(app.get(&format!("/returns/{other}/photos/{shown}")).await.status, 404, "of another return");
    let blind = app.with_key(&["orders:read"]).await;
    for path in [format!("/v1/returns/{id}/photos/{shown}"), format!("/v1/returns/{id}/photos")] {
        assert_eq!(blind.get(&path).await.status, 403, "{path}");
        assert!(app.anonymous().get(&path).await.status == 401, "{path}");
    }
    let listed = app.get(&format!("/v1/returns/{id}/photos")).await.ok();
    assert_eq!((listed[0]["width"].as_i64(), listed.as_array().unwrap().len()), (Some(40), 3), "{listed}");
    assert_eq!(app.get(&format!("/v1/returns/{id}")).await.ok()["photo_count"], 3);
}

#[tokio::test]
async fn colleagues_add_photos_until_the_return_is_closed() {
    for app in TestApp::both().await {
        let own = shop::open(&app.ctx.db, 40).await;
        let (id, pass) = asked(&app, &own, "ada").await;
        let (here, photos) = (format!("/returns/{id}"), format!("/v1/returns/{id}/photos"));
        assert_eq!(
            location(&app.upload(&format!("{here}/photos"), &[("once", "p1")], &[jpeg(1)]).await),
            here
        );
        assert_eq!(
            location(&app.upload(&format!("{here}/photos"), &[("once", "p1")], &[jpeg(1)]).await),
            here
        );
        let bad = app.upload(&format!("{here}/photos"), &[("once", "p2")], &[b"GIF89a".to_vec()]).await;
        assert!(bad.status == 422 && bad.text.contains("send a JPEG"), "{}", bad.text);
        for shade in 2..=8 {
            app.post_bytes(&photos, "image/jpeg", jpeg(shade)).await.ok();
        }
        assert_eq!(
            app.post_bytes(&photos, "image/jpeg", jpeg(9)).await.refused(409),
            "returns.too_many_photos"
        );
        let again = app.post_bytes(&photos, "application/octet-stream", jpeg(2)).await.ok();
        let listed = app.get(&photos).await.ok();
        assert_eq!(again["id"], listed[1]["id"], "{}: the same photo", app.name);
        assert_eq!(count(&app, "SELECT COUNT(*) FROM event WHERE kind = 'return.photo_added'").await, 8);
        assert_eq!(
            app.post_bytes(&photos, "image/jpeg", b"x".to_vec()).await.refused(422),
            "returns.no_photo"
        );
        let large = app.post_bytes(&photos, "image/jpeg", vec![0xff; 11 << 20]).await;
        assert_eq!(large.refused(413), "request.too_large");
        let nowhere = app.post_bytes("/v1/returns/rma_0000000000001/photos", "image/jpeg", jpeg(1)).await;
        assert_eq!(nowhere.status, 404);

        app.call(Method::POST, &format!("/v1/returns/{id}/decline"), &[], Some(&json!({"reason": "no"})))
            .await
            .ok();
        assert_eq!(
            app.post_bytes(&photos, "image/jpeg", jpeg(10)).await.refused(409),
            "returns.photo_too_late"
        );
        assert!(
            !app.anonymous().get(&format!("/track?t={pass}")).await.text.contains("Show us what is wrong")
        );
        app.drain_jobs().await;
        app.check().await;
    }
}
