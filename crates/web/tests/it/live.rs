//! The stream of a live page: news of what anybody wrote, also another program; none of what one may not read; and an end.

use super::birds::hatched;
use super::shop::Shop;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use db::{Db, Options};
use futures_util::StreamExt;
use std::time::Duration;
use tower::ServiceExt;

struct Stream(axum::body::BodyDataStream);

impl Stream {
    async fn open(shop: &Shop, key: &str, topics: &str) -> Self {
        let request = Request::get(format!("/live?topics={topics}")).header("authorization", key);
        let answer = shop.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(
            (answer.status(), answer.headers()["content-type"].to_str().unwrap()),
            (StatusCode::OK, "text/event-stream")
        );
        let mut stream = Self(answer.into_body().into_data_stream());
        assert!(stream.next().await.is_some_and(|said| said.contains("event: hello")));
        stream
    }
    /// What is said next; none when the stream has ended. Fails a test that would wait for ever.
    async fn next(&mut self) -> Option<String> {
        let next = tokio::time::timeout(Duration::from_secs(20), self.0.next())
            .await
            .expect("something within 20 s");
        next.map(|bytes| String::from_utf8(bytes.unwrap().to_vec()).unwrap())
    }
}

#[tokio::test]
async fn a_stream_tells_what_another_program_wrote_and_ends_with_the_program() {
    for shop in Shop::both().await {
        let key = shop.key(&["birds:read"]).await;
        let mut all = Stream::open(&shop, &key, "dashboard").await;
        // What one may not read is not refused, it is never said: the page shows the rest.
        let mut none = Stream::open(&shop, &key, "order:ord_1").await;
        // The loop has begun to read when it has told once.
        let other = Db::open(shop.db.url(), Options::default()).await.unwrap();
        let telling = async {
            for i in 0.. {
                hatched(&other, &format!("bird {i}")).await;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let said = tokio::select! { said = all.next() => said.unwrap(), () = telling => String::new() };
        assert!(said.contains("event: changed") && said.contains("data: dashboard"), "{said}");
        shop.app.close_streams();
        let mut rest = Vec::new();
        while let Some(said) = none.next().await {
            rest.push(said);
        }
        assert!(rest.iter().all(|said| !said.contains("changed")), "{rest:?}");
        while all.next().await.is_some() {}
        other.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_topic_that_is_none_is_a_mistake_of_the_page() {
    let shop = Shop::both().await.remove(0);
    let key = shop.key(&["birds:read"]).await;
    let answer = shop.get("/live?topics=weather", &[("authorization", &key)]).await;
    assert_eq!(answer.status, 422, "{}", answer.text);
    assert_eq!(shop.get("/live?topics=dashboard", &[]).await.status, 303);
}
