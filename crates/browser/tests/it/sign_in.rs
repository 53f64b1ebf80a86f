//! Signing in, on both databases.

use browser::{Desk, on_demo, on_postgres};

async fn signs_in(desk: &Desk<'_>) {
    desk.go("/orders").await;
    desk.type_into("E-mail", "demo@fulmar.test").await;
    desk.type_into("Password", "not this one").await;
    desk.click("Sign in").await;
    desk.until("a message", "return !!document.querySelector('[role=alert]')").await;
    // The answer to a wrong password is 422, which the console counts among errors.
    let errors = desk.errors().await;
    assert!(errors.iter().all(|e| e.contains("422")), "{errors:?}");

    desk.sign_in().await;
    desk.go("/orders").await;
    desk.see("1001").await;
    assert_eq!(desk.address().await, "/orders");
}

#[tokio::test]
async fn somebody_signs_in_on_sqlite() {
    on_demo(async |desk| signs_in(desk).await).await;
}

#[tokio::test]
async fn somebody_signs_in_on_postgres() {
    on_postgres(async |desk| signs_in(desk).await).await;
}
