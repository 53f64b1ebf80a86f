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
        fulmar::cmd::close(other).await.expect("closed");
    })
    .await;
}
