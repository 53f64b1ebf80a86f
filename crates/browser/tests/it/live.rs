//! A page shows what others do, whoever does it, and leaves alone what somebody types.

use browser::on_demo;
use kernel::Actor;

#[tokio::test]
async fn an_order_shows_what_another_program_did_to_it() {
    on_demo(async |desk| {
        desk.sign_in().await;
        let order =
            desk.shop.text("SELECT subject FROM event WHERE kind = 'order.placed' ORDER BY id LIMIT 1").await;
        desk.go(&format!("/orders/{order}")).await;
        desk.until("a stream", "return !!document.documentElement.dataset.hearing").await;

        let other = desk.shop.other_process().await;
        let id: orders::OrderId = order.parse().expect("an id");
        let note = async |text: &str| {
            let text = text.to_owned();
            db::write!(other.db, &Actor::system("test"), |tx| {
                let note =
                    orders::Note { at: tx.now(), by: Actor::system("test"), order: id, text: text.clone() };
                orders::note(tx, &[note]).await
            })
            .expect("a note")
        };
        drop(note("seen by itself").await);
        desk.see("seen by itself").await;

        // What is half typed stays, and the page waits.
        desk.type_into("Note for colleagues", "half a sent").await;
        drop(note("while typing").await);
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        desk.see_no("while typing").await;
        desk.type_into("Note for colleagues", "").await;
        desk.js("document.activeElement.blur()", vec![]).await;
        desk.see("while typing").await;

        // A page that nobody looks at leaves its connection to the others; looked at again, it shows what it missed.
        let looked_at = async |seen: bool| {
            let script = "Object.defineProperty(document, 'hidden', { configurable: true, get: () => !arguments[0] }); \
                          document.dispatchEvent(new Event('visibilitychange'))";
            desk.js(&script.replace("arguments[0]", &seen.to_string()), vec![]).await;
        };
        looked_at(false).await;
        desk.until("no stream", "return !document.documentElement.dataset.hearing").await;
        drop(note("while nobody looked").await);
        desk.see_no("while nobody looked").await;
        looked_at(true).await;
        desk.see("while nobody looked").await;

        // A form that was refused stays at its own address; what happens is shown there too.
        desk.js("document.querySelector('form[action$=\"/note\"]').noValidate = true", vec![]).await;
        desk.click("Add note").await;
        desk.until("the refused form", "return performance.getEntriesByType('navigation')[0].responseStatus >= 400").await;
        desk.until("a stream", "return !!document.documentElement.dataset.hearing").await;
        desk.js("document.activeElement.blur()", vec![]).await;
        drop(note("beside a refused form").await);
        desk.see("beside a refused form").await;
        let errors = desk.errors().await;
        assert!(errors.iter().all(|e| e.contains("422")), "{errors:?}");
        fulmar::cmd::close(other).await.expect("closed");
    })
    .await;
}
