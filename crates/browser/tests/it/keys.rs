//! A day without a mouse.

use browser::on_demo;

#[tokio::test]
async fn one_goes_through_a_list_with_keys() {
    on_demo(async |desk| {
        desk.sign_in().await;
        desk.press("gs").await;
        desk.until("the stock", "return location.pathname === '/stock'").await;
        desk.go("/design").await;
        desk.press("?").await;
        desk.see("Keyboard shortcuts").await;
        desk.press("\u{e00c}").await;
        desk.until("no sheet", "return !document.querySelector('dialog[open]')").await;
        desk.press("jjx").await;
        desk.see("1 ticked").await;
        let ticked = "return document.querySelector('tbody .col-tick input:checked').value";
        assert_eq!(desk.js(ticked, vec![]).await, "row_1");
        desk.press("k").await;
        let focused = "return document.activeElement.textContent";
        assert_eq!(desk.js(focused, vec![]).await, "SO-1000");
        desk.press("/").await;
        assert_eq!(desk.js("return document.activeElement.id", vec![]).await, "search");
    })
    .await;
}

#[tokio::test]
async fn one_looks_up_while_typing_and_chooses_dark() {
    on_demo(async |desk| {
        desk.sign_in().await;
        desk.go("/design").await;
        desk.type_into("Looked up while typing", "tea").await;
        desk.see("TEA-BLACK-100").await;
        desk.press("\u{e015}\u{e015}\u{e007}").await;
        let chosen = "return document.querySelector('input[name=looked_up]').value";
        assert_eq!(desk.js(chosen, vec![]).await, "sku_2");
        desk.click("Demo").await;
        desk.click("Dark").await;
        desk.go("/orders").await;
        assert_eq!(desk.js("return document.documentElement.dataset.bsTheme", vec![]).await, "dark");
    })
    .await;
}
