//! What components promise: nothing from outside is markup, every status has one tone, and no part needs a looser policy.

use super::*;
use kernel::{Currency, Timestamp};
use maud::html;

#[test]
fn what_comes_from_outside_is_escaped() {
    let shown = field(&Field {
        label: "<b>",
        name: "lines[0][sku]",
        value: "\"><script>",
        error: Some("<i>"),
        ..Default::default()
    })
    .into_string();
    assert!(!shown.contains("<script>") && !shown.contains("<b>") && !shown.contains("<i>"), "{shown}");
    assert!(
        shown.contains(r#"for="field-lines-0--sku-""#)
            && shown.contains(r#"aria-describedby="field-lines-0--sku--error""#),
        "{shown}"
    );
}

#[test]
fn amounts_and_moments_read_as_people_write_them() {
    let eur: Currency = "EUR".parse().unwrap();
    let shown = |minor| amount(minor, eur).into_string();
    assert_eq!(
        shown(-1234),
        r#"<span class="money negative">−12.34 <span class="currency">EUR</span></span>"#
    );
    assert!(shown(123_456).contains(">1\u{202f}234.56 "), "{}", shown(123_456));
    assert!(shown(99_999).contains(">999.99 ") && shown(-123_456).contains(">−1\u{202f}234.56 "));
    assert_eq!((month("2026-11"), day_of_year("2026-03-05")), ("Nov 2026".to_owned(), "5 Mar".to_owned()));
    assert_eq!((month("soon"), day_of_year("2026-13-05")), ("soon".to_owned(), "2026-13-05".to_owned()));
    assert!(shown(123_456_789).contains(">1\u{202f}234\u{202f}567.89 "), "{}", shown(123_456_789));
    let kwd: Currency = "KWD".parse().unwrap();
    assert!(amount(12_345_678, kwd).into_string().contains(">12\u{202f}345.678 "));
    assert!(time(Timestamp(0)).into_string().contains(r#"datetime="1970-01-01T00:00:00Z""#));
    assert!(next_link("/orders?q=a", Some("xyz")).into_string().contains("/orders?q=a&amp;cursor=xyz"));
    assert_eq!(next_link("/orders", None).into_string(), "");
    assert_eq!(query("/a", &[("b", "ü &"), ("c", ""), ("d", "1")]), "/a?b=%C3%BC%20%26&d=1");
}

#[test]
fn every_status_of_the_domain_has_one_tone() {
    let mut all: Vec<&str> = badge::STATUSES.iter().flat_map(|(_, names)| *names).copied().collect();
    let many = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), many, "a status has two tones");
    // The state names of the domain, as its tables and events spell them.
    let domain = "open in_progress on_hold scheduled incomplete closed cancelled draft label_purchased shipped in_transit \
        out_for_delivery available_for_pickup attempt_failed delivered exception returned_to_sender lost voided requires_action \
        authorised partially_captured captured failed expired conflicted opened challenged accepted won awaiting received \
        lost_in_transit wrong_item short pending rejected manual_review restock quarantine refurbish scrap to_vendor customer_keeps \
        new pending_customer pending_bot snoozed solved merged unfulfilled partial fulfilled returned unpaid partially_paid paid \
        overpaid partially_refunded refunded disputed risk_review payment_due address_invalid out_of_stock customer_request manual \
        probable_duplicate backordered allocated picked packed";
    let missing: Vec<&str> = domain.split_whitespace().filter(|s| !all.contains(s)).collect();
    assert!(missing.is_empty(), "no tone for {missing:?}");
}

#[test]
fn a_table_sorts_ticks_and_leads() {
    let cols = [Col::text("Order"), Col::number("Total").sorts("total")];
    let row = Row::new([html! { "SO-1" }, html! { "5" }]).href("/orders/1").value("ord_1", "order SO-1");
    let shown = Table::new("Orders", &cols, [row])
        .sorted(Sort { by: "-total", path: "/orders", pairs: &[("search", "a b")] })
        .bulk(Bulk { action: "/orders/bulk", name: "ids", buttons: html! {} })
        .show()
        .into_string();
    for part in [
        r#"aria-sort="descending""#,
        r#"href="/orders?search=a%20b&amp;sort=total""#,
        r#"name="ids[]" value="ord_1" aria-label="Select order SO-1""#,
        r#"<a class="row-link" href="/orders/1">SO-1</a>"#,
        r#"<td class="num" data-label="Total">5</td>"#,
    ] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
    let cols = [Col::text("Account"), Col::number("Debit").below(), Col::text("State").at_end()];
    let shown =
        Table::new("Accounts", &cols, [Row::new([html! { "1000" }, html! { "–" }, html! { "open" }])])
            .brief();
    let shown = shown.show().into_string();
    for part in [
        r#"<table class="table data-table brief""#,
        r#"<td data-label="Account">1000</td><td class="num below nothing" data-label="Debit">–</td>"#,
        r#"<td class="at-end" data-label="State">open</td>"#,
    ] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
}

#[test]
fn a_chart_says_its_figures_to_those_who_listen_and_stays_in_its_frame() {
    let chart = Chart {
        title: "Orders",
        labels: &["Mon", "Tue"],
        series: &[Series { name: "This week", values: &[3.0, 12.0] }],
        shown: |v| format!("{v:.0}"),
    };
    let shown = bars(&chart).into_string();
    assert!(shown.contains("<th scope=\"row\">Tue</th><td>12</td>"), "{shown}");
    // 20 is the end of the axis: 12 reaches three fifths of the 176 units above the labels.
    assert!(shown.contains(r#"height="105.6""#), "{shown}");
    let nothing = Chart { labels: &[], series: &[], ..chart };
    assert!(
        bars(&nothing).into_string().contains("figure") && lines(&nothing).into_string().contains("figure")
    );
    assert_eq!(sparkline(&[1.0]).into_string(), "");
}

#[test]
fn no_component_needs_a_looser_policy() {
    let all = html! {
        (dialog("d", "Title", html! {}, html! {}))
        (progress(1, 3, "Sent"))
        (combobox(&Combobox { label: "SKU", name: "sku", source: "/lookup/skus", ..Default::default() }))
        (menu("More", &[Item::Link("Edit", "/edit"), Item::Line, Item::Opens("Ask", "d")]))
        (stat(&Stat { label: "Orders", value: "3", trend: &[1.0, 2.0], ..Default::default() }))
    }
    .into_string();
    assert!(!all.contains(" style=") && !all.contains("<script") && !all.contains(" on"), "{all}");
}
