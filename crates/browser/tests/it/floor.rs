//! The floor: the lead releases an order, a picker picks and packs it by scanning, with wrong scans, and gets the label after the last right
//! one.

use browser::{Desk, on_demo, on_postgres};
use serde_json::json;

/// An order of several units that waits to be released.
const WAITS: &str = "SELECT f.number FROM fulfilment_order f WHERE f.status = 'open' AND f.executor = 'own' AND f.quantity > 1 ORDER BY f.id LIMIT 1";
/// Keeps what the page lets hear: `sine` for right, `sawtooth` for wrong.
const LISTEN: &str = "
    window.heard = [];
    const make = AudioContext.prototype.createOscillator;
    AudioContext.prototype.createOscillator = function () { const sound = make.call(this); heard.push(sound); return sound; };";

/// Waits for what came of the last scan, in words, colour and sound, and forgets the sounds.
async fn said(desk: &Desk<'_>, outcome: &str) {
    let shown = format!("return document.getElementById('scan-said').dataset.outcome === '{outcome}'");
    desk.until(&format!("a scan that was {outcome}"), &shown).await;
    let sound = if outcome == "wrong" { "sawtooth" } else { "sine" };
    let heard = format!("return heard.length > 0 && heard.every((sound) => sound.type === '{sound}')");
    desk.until(&format!("the sound of {outcome}"), &heard).await;
    let colours = "heard.length = 0; const said = getComputedStyle(document.getElementById('scan-said')); return said.backgroundColor";
    let colour = desk.js(colours, vec![]).await;
    let [red, green]: [u32; 2] = {
        let parts = "const c = document.createElement('canvas').getContext('2d'); c.fillStyle = arguments[0]; c.fillRect(0, 0, 1, 1); return [...c.getImageData(0, 0, 1, 1).data]";
        let parts = desk.js(parts, vec![json!(colour)]).await;
        [0, 1].map(|i| parts[i].as_u64().and_then(|v| u32::try_from(v).ok()).expect("a colour"))
    };
    assert_eq!(outcome == "wrong", red > green, "{outcome}: {colour}");
}

/// The pieces of a fulfilment order, one barcode each, in the order the shelves are walked.
async fn codes(desk: &Desk<'_>) -> Vec<String> {
    let script = "return [...document.querySelectorAll('.scan-code')].map((e) => e.innerText.trim())";
    let shown = desk.js(script, vec![]).await;
    shown.as_array().into_iter().flatten().filter_map(|c| c.as_str().map(str::to_owned)).collect()
}

async fn barcode(desk: &Desk<'_>, sku: &str) -> String {
    let text = format!(
        "SELECT b.barcode FROM sku_barcode b JOIN sku s ON s.id = b.sku_id WHERE s.code = '{sku}' ORDER BY b.barcode LIMIT 1"
    );
    desk.shop.text(&text).await
}

async fn picks(desk: &Desk<'_>, number: &str) {
    desk.go("/pick").await;
    desk.scan(number).await;
    desk.see(&format!("Pick {number}")).await;
    desk.js(LISTEN, vec![]).await;
    let units =
        desk.shop.number(&format!("SELECT quantity FROM fulfilment_order WHERE number = '{number}'")).await;

    desk.scan("no such thing").await;
    said(desk, "wrong").await;
    desk.see("no such thing").await;
    desk.see(&format!("Units picked: 0 of {units}")).await;
    // Something else of the shop is as wrong.
    let other = barcode(desk, "MOKA-6").await;
    desk.scan(&other).await;
    said(desk, "wrong").await;
    desk.see(&other).await;

    let mut rounds = 0;
    while let Some(code) = codes(desk).await.first().cloned() {
        let scan = barcode(desk, &code).await;
        desk.scan(&scan).await;
        said(desk, "right").await;
        rounds += 1;
        assert!(rounds < 50, "there is no end to {number}");
    }
    desk.see("Everything is picked.").await;
    // One too many is not taken.
    desk.scan(&other).await;
    said(desk, "wrong").await;
}

/// A session ends while somebody scans: the page says so, and how to go on.
async fn is_signed_out_between(desk: &Desk<'_>, number: &str) {
    desk.go("/pick").await;
    desk.scan(number).await;
    desk.see(&format!("Pick {number}")).await;
    desk.js("fetch('/sign-out', { method: 'POST' })", vec![]).await;
    desk.until("signed out", "return fetch('/profile').then((a) => a.redirected)").await;
    desk.scan("no such thing").await;
    desk.see("You are signed out. Sign in in another tab").await;
    desk.js("document.querySelector('[data-scan-drop]').click()", vec![]).await;
    let errors = desk.errors().await;
    assert!(errors.iter().all(|e| e.contains("401")), "{errors:?}");
}

async fn packs(desk: &Desk<'_>, number: &str) {
    let parcels = format!(
        "SELECT COUNT(*) FROM parcel p JOIN fulfilment_order f ON f.id = p.fulfilment_id WHERE f.number = '{number}'"
    );
    let closes = "return !document.querySelector('.scan-close-buttons .btn-primary').disabled";
    desk.click(&format!("Pack {number}")).await;
    desk.see("In the box: 0 of").await;
    desk.js(LISTEN, vec![]).await;
    desk.scan("4000000000000").await;
    said(desk, "wrong").await;
    // What the scale says is typed whenever it says so, and outlives the scans that follow.
    desk.type_into("Weight", "777").await;
    desk.js("document.activeElement.blur()", vec![]).await;

    let script = "return [...document.querySelectorAll('.scan-unit:not(.scan-unit-done) .scan-code')].map((e) => e.innerText.trim())";
    loop {
        let left = desk.js(script, vec![]).await;
        let Some(code) = left[0].as_str() else { break };
        // No box is closed and no label bought while a unit is missing.
        assert_eq!(desk.js(closes, vec![]).await, false, "the box can be closed too early");
        assert_eq!(desk.shop.number(&parcels).await, 0);
        let scan = barcode(desk, code).await;
        desk.scan(&scan).await;
        said(desk, "right").await;
    }
    desk.scan(&barcode(desk, "MOKA-6").await).await;
    said(desk, "wrong").await;
    assert_eq!(desk.js(closes, vec![]).await, true, "every unit is in the box");
    desk.until("the weight", "return document.querySelector('[name=weight]').value === '777'").await;
    desk.click("Close the box").await;
    desk.see(&format!("Parcel of {number}")).await;
    desk.see_no("Print the label").await;
    assert_eq!(desk.shop.number(&parcels).await, 1);
    desk.click("Buy").await;
    desk.see("The label is bought").await;
    desk.see("Print the label").await;
    // Asked first: it cannot be undone.
    desk.click("Hand over").await;
    desk.click("Hand over").await;
    desk.until("the shipment", "return location.pathname.startsWith('/shipments/')").await;
    desk.see("Handed over").await;
}

async fn works(desk: &Desk<'_>) {
    desk.sign_in_as(web::Role::WarehouseLead).await;
    let number = desk.shop.text(WAITS).await;
    desk.go("/warehouse").await;
    desk.click(&format!("Select {number}")).await;
    // The menu has a “Release” too.
    desk.js("document.querySelector('.bulk-bar button[value=ticked]').click()", vec![]).await;
    desk.see("1 fulfilment order released").await;
    desk.sign_out().await;

    desk.sign_in_as(web::Role::Manager).await;
    // A tablet, held upright.
    desk.resize(820, 1180).await;
    is_signed_out_between(desk, &number).await;
    desk.sign_in_as(web::Role::Picker).await;
    picks(desk, &number).await;
    packs(desk, &number).await;
}

#[tokio::test]
async fn a_picker_picks_and_packs_on_sqlite() {
    on_demo(async |desk| works(desk).await).await;
}

#[tokio::test]
async fn a_picker_picks_and_packs_on_postgres() {
    on_postgres(async |desk| works(desk).await).await;
}
