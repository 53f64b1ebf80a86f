//! The planner through the real binary: `fulmar bench plan` and `fulmar plan` for every decision, on small files written here.

use crate::binary::{Scratch, run};
use planning::cli::DECISIONS;
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;
use std::process::Output;

/// Those that draw their plan.
const DRAWN: [&str; 6] = ["batching", "pick_tours", "cartons", "container_fill", "parcel_plan", "routes"];

/// The first example of a decision's page in a language.
fn example(decision: &str, language: &str) -> Option<String> {
    let page = format!("{}/../../docs/planner/{decision}.md", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(page).unwrap();
    let block = text.split(&format!("```{language}\n")).nth(1)?;
    Some(block.split("```").next()?.to_owned())
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn vrp(name: &str, more: &str) -> String {
    format!(
        "NAME : {name}\nTYPE : CVRP\nDIMENSION : 5\nEDGE_WEIGHT_TYPE : EUC_2D\nCAPACITY : 2\nVEHICLES : 3\n\
         NODE_COORD_SECTION\n1 0 0\n2 10 0\n3 10 3\n4 0 7\n5 0 9\n\
         DEMAND_SECTION\n1 0\n2 1\n3 1\n4 1\n5 1\n{more}DEPOT_SECTION\n1\n-1\nEOF\n"
    )
}

/// A folder as that of the real data, with a few made-up instances for every decision.
fn instances(folder: &Path) {
    write(folder, "waves/x/one.txt", "2 2 2\n1 0 3\n2 0 1 1 1\n1 0 4\n1 1 1\n1 5\n");
    write(folder, "waves/best_known.csv", "instance,objective\none,3.0\n");
    write(folder, "cartons/boxes.csv", "A,100,100,100,50,98,98,98,5000\nB,200,100,100,80,198,98,98,5000\n");
    write(folder, "cartons/items.csv", "o1,2,sku,98,98,98,300\no2,1,sku,10,20,30,40\n");
    write(folder, "cartons/expected.csv", "o1,2,0,1,2,0,1\no2,1,0,1,1,0,1\n");
    write(folder, "container_fill/thpack9.txt", "1\n1 25\n30 20 10\n1\n1 10 0 10 0 5 1 12\n");
    write(folder, "vrp/tiny.vrp", &vrp("tiny", ""));
    write(folder, "vrp/tiny.sol", "Route #1: 1 2\nRoute #2: 3 4\nCost 41\n");
    let windows = "TIME_WINDOW_SECTION\n1 0 200\n2 5 90\n3 9 90\n4 20 150\n5 90 150\nSERVICE_TIME_SECTION\n1 0\n2 5\n3 5\n4 5\n5 5\n";
    write(folder, "vrp/timed.vrp", &vrp("timed", windows));
    write(folder, "online_retail/sales.csv", &sales());
    for (name, text) in deliveries() {
        write(folder, &format!("olist/olist_{name}_dataset.csv"), &text);
    }
    for decision in ["sourcing", "batching", "pick_tours", "parcel_plan"] {
        write(folder, &format!("{decision}/mine.json"), &example(decision, "json").unwrap());
    }
    let mut orders = "order,label,ip_24h,amount_ratio\n".to_owned();
    for order in 0..120 {
        let bad = order % 5 == 0;
        let (label, ip) = if bad { ("bad", 4 + order % 7) } else { ("good", order % 3) };
        writeln!(orders, "{order},{label},{ip},{}.5", order % 4).unwrap();
    }
    write(folder, "risk/shop.csv", &orders);
}

/// Sixteen weeks of five items.
fn sales() -> String {
    let mut text =
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n".to_owned();
    for day in 0..16 * 7 {
        for item in (0..5).filter(|item| (day + item) % (item + 2) == 0) {
            let (month, of_month) = (1 + day / 28, 1 + day % 28);
            let units = 1 + (day * 7 + item * 3) % 5;
            writeln!(
                text,
                "{day}{item},2000{item},x,{units},2011-{month:02}-{of_month:02} 10:00:00,1.5,77,UK"
            )
            .unwrap();
        }
    }
    text
}

/// Delivered orders of a marketplace: two sellers, two customers, eight orders a day for five weeks.
fn deliveries() -> Vec<(&'static str, String)> {
    let (mut orders, mut items) = (String::new(), String::new());
    for number in 0..8 * 35 {
        let (day, hour) = (number / 8, 8 + number % 8);
        let late = 2 + (number * 5 + number / 7) % 6;
        let date = |day: i32| format!("2018-{:02}-{:02}", 2 + day / 28, 1 + day % 28);
        writeln!(
            orders,
            "o{number},c{},delivered,{} {hour:02}:00:00,{} 12:00:00,{} 00:00:00",
            number % 2,
            date(day),
            date(day + late),
            date(day + 20)
        )
        .unwrap();
        writeln!(items, "o{number},1,s{}", number % 3 % 2).unwrap();
    }
    let head = "order_id,customer_id,order_status,order_purchase_timestamp,order_delivered_customer_date,order_estimated_delivery_date\n";
    vec![
        ("orders", format!("{head}{orders}")),
        ("order_items", format!("order_id,order_item_id,seller_id\n{items}")),
        (
            "customers",
            "customer_id,customer_zip_code_prefix,customer_state\nc0,01000,SP\nc1,20000,RJ\n".to_owned(),
        ),
        ("sellers", "seller_id,seller_zip_code_prefix,seller_state\ns0,01001,SP\ns1,30000,MG\n".to_owned()),
        (
            "geolocation",
            "geolocation_zip_code_prefix,geolocation_lat,geolocation_lng\n01000,-23.5,-46.6\n01001,-23.4,-46.5\n\
             20000,-22.9,-43.2\n30000,-19.9,-43.9\n"
                .to_owned(),
        ),
    ]
}

/// Standard output of a run that went well.
fn said(output: &Output) -> &str {
    assert!(output.status.success(), "{output:?}");
    std::str::from_utf8(&output.stdout).unwrap()
}

#[test]
fn bench_plan_prints_one_object_a_line_with_the_agreed_keys_for_every_decision() {
    let scratch = Scratch::new();
    instances(&scratch.0.join("data"));
    let output = run(&scratch, &["bench", "plan", "--data", "data", "--seconds", "0.05", "--json"]);
    let mut seen: Vec<String> = Vec::new();
    for line in said(&output).lines() {
        let keys: Vec<&str> = line.split("\":").filter_map(|part| part.rsplit('"').next()).collect();
        let wanted = ["decision", "instance", "ours", "reference", "ratio", "seconds", "feasible"];
        assert_eq!(&keys[..7], &wanted, "{line}");
        let row: Value = serde_json::from_str(line).unwrap();
        assert_eq!(row.as_object().unwrap().len(), wanted.len(), "{line}");
        let number = |key: &str| row[key].as_f64();
        let (ours, reference) = (number("ours").unwrap(), number("reference").unwrap());
        let ratio = number("ratio").filter(|r| (r * reference - ours).abs() <= 1e-9 * ours.abs().max(1.0));
        assert!(ratio.is_some() || reference == 0.0, "{line}");
        assert!(number("seconds").is_some_and(|s| s >= 0.0) && row["feasible"] == true, "{line}");
        assert!(row["instance"].as_str().is_some_and(|name| !name.is_empty()), "{line}");
        let decision = row["decision"].as_str().unwrap().to_owned();
        if seen.last() != Some(&decision) {
            seen.push(decision);
        }
    }
    let names: Vec<&str> = DECISIONS.iter().map(|d| d.name).collect();
    assert_eq!(seen, names, "each decision once, in the order of the table");
    assert_eq!(
        names,
        [
            "sourcing",
            "waves",
            "batching",
            "pick_tours",
            "cartons",
            "container_fill",
            "parcel_plan",
            "routes",
            "demand",
            "promise",
            "risk"
        ]
    );
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn bench_plan_of_one_decision_reads_a_file_a_folder_or_the_folder_of_all() {
    let scratch = Scratch::new();
    instances(&scratch.0.join("data"));
    for (decision, file) in
        [("waves", "waves/x/one.txt"), ("batching", "batching/mine.json"), ("routes", "vrp/tiny.vrp")]
    {
        let folder = file.split('/').next().unwrap();
        for data in ["data".to_owned(), format!("data/{folder}"), format!("data/{file}")] {
            let args = ["bench", "plan", decision, "--data", &data, "--seconds", "0.02", "--json"];
            let output = run(&scratch, &args);
            let rows: Vec<Value> = said(&output).lines().map(|l| serde_json::from_str(l).unwrap()).collect();
            let name = file.rsplit('/').next().and_then(|f| f.split('.').next()).unwrap();
            assert!(rows.iter().any(|r| r["instance"] == name), "{data}: {rows:?}");
            assert!(rows.iter().all(|r| r["decision"] == decision), "{data}: {rows:?}");
        }
    }
    let text = run(&scratch, &["bench", "plan", "waves", "--data", "data", "--seconds", "0.02"]);
    assert!(said(&text).starts_with("waves ") && said(&text).contains("1.00000"), "{text:?}");
    for (args, why) in [
        (["plan", "waves", "--data", "nowhere"], "nowhere"),
        (["plan", "wave", "--data", "data"], "“wave” is not a decision"),
        (["plan", "waves", "--seconds", "nan"], "--seconds NaN"),
    ] {
        let refused = run(&scratch, &[&["bench"][..], &args[..]].concat());
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains(why), "{refused:?}");
    }
}

#[test]
fn every_decision_is_planned_from_its_pages_examples_and_drawn_where_it_can_be() {
    let scratch = Scratch::new();
    for decision in DECISIONS {
        for language in ["json", "csv"] {
            let Some(example) = example(decision.name, language) else { continue };
            let file = format!("{}.{language}", decision.name);
            write(&scratch.0, &file, &example);
            let args = ["plan", decision.name, &file, "--seconds", "0.05"];
            let plan: Value = serde_json::from_str(said(&run(&scratch, &args))).unwrap();
            assert!(plan.as_object().is_some_and(|p| !p.is_empty()), "{file}: {plan}");
        }
        let file = format!("{}.json", decision.name);
        let output =
            run(&scratch, &["plan", decision.name, &file, "--seconds", "0.05", "--svg", "drawing.svg"]);
        let drawing = scratch.0.join("drawing.svg");
        if DRAWN.contains(&decision.name) {
            said(&output);
            let drawn = std::fs::read_to_string(&drawing).unwrap();
            assert!(drawn.starts_with("<svg") && drawn.trim_end().ends_with("</svg>"), "{}", decision.name);
            std::fs::remove_file(drawing).unwrap();
        } else {
            assert_eq!(output.status.code(), Some(2), "{output:?}");
            assert!(String::from_utf8_lossy(&output.stderr).contains("no drawing") && !drawing.exists());
        }
    }
}

#[test]
fn files_that_do_not_read_are_refused_by_name_and_what_cannot_be_has_its_reason() {
    let scratch = Scratch::new();
    for decision in DECISIONS {
        for (file, text) in [
            ("empty.json", ""),
            ("wrong.json", "{\"strange\": 1}"),
            ("list.json", "[1, 2]"),
            ("huge.json", "{\"orders\": 1e400}"),
        ] {
            write(&scratch.0, file, text);
            let refused = run(&scratch, &["plan", decision.name, file, "--seconds", "0.01"]);
            let why = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert_eq!(refused.status.code(), Some(2), "{}: {refused:?}", decision.name);
            assert!(why.contains(file) && why.lines().count() == 1, "{}: {why}", decision.name);
        }
    }
    for (decision, text, why) in [
        ("demand", "sku,date,units\nA,2026-01-05,NaN\n", "line 2: units are 0 or more"),
        ("demand", "sku,day,units\nA,2026-01-05,1\n", "missing field `date`"),
        ("demand", "", "no sales"),
        ("promise", "from,to,when\nA,B,2026-03-02 10:00\n", "unknown field `when`"),
        ("promise", "from,to,km,ordered_at\nA,B,5,2026-03-02 10:00\n", "nothing to learn from"),
        ("risk", "order,amount\n1,5\n", "no column is called “amount”"),
        ("risk", "order,amount_ratio\n1,nan\n", "line 2, amount_ratio"),
        ("risk", "", "header"),
    ] {
        write(&scratch.0, "in.csv", text);
        let refused = run(&scratch, &["plan", decision, "in.csv", "--seconds", "0.01"]);
        assert_eq!(refused.status.code(), Some(2), "{decision}: {refused:?}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains(why), "{decision}: {refused:?}");
    }
    // What is wrong with one thing is said of it in the plan, or names it.
    for (decision, from, to, why) in [
        ("sourcing", "\"MUG\": 12", "\"MUG\": 0", "skipped: has none of it"),
        ("sourcing", "\"MUG\": 12", "\"MUG\": -12", "location 0: quantities"),
        ("waves", "\"quantity\": 3", "\"quantity\": -3", "cannot be picked"),
        ("waves", "\"quantity\": 9", "\"quantity\": 0", "all aisles hold"),
        (
            "batching",
            "\"aisle\": 5, \"offset\": 3.0",
            "\"aisle\": 50, \"offset\": 3.0",
            "outside of the layout",
        ),
        ("pick_tours", "\"offset\": 4.5", "\"offset\": -4.5", "pick 0 is outside"),
        ("cartons", "[190, 140, 60]", "[1900, 140, 60]", "too_large"),
        ("cartons", "[190, 140, 60]", "[-190, 140, 60]", "item 0: edges"),
        ("container_fill", "[92, 81, 55]", "[920, 810, 550]", "too_large"),
        ("container_fill", "[92, 81, 55]", "[0, 81, 55]", "item 2"),
        ("parcel_plan", "[190, 140, 90]", "[1900, 140, 90]", "too_large"),
        ("parcel_plan", "\"fuel_bp\": 650", "\"fuel_bp\": -650", "service 0"),
        ("routes", "\"lat\": 52.52", "\"lat\": 520.2", "unreachable"),
        ("routes", "\"deliver\": [1200, 0]", "\"deliver\": [-1, 0]", "negative"),
        ("demand", "\"units\": [4, 0", "\"units\": [4, -7", "period 1 has -7"),
        ("promise", "2026-03-06 15:30", "9999-03-06 15:30", "until 2200"),
        ("risk", "\"amount_ratio\": 9.0", "\"amount_ratio\": -9.0", "amount_ratio"),
    ] {
        let good = example(decision, "json").unwrap();
        assert!(good.contains(from), "{decision}: the example has no {from}");
        write(&scratch.0, "in.json", &good.replacen(from, to, 1));
        let output = run(&scratch, &["plan", decision, "in.json", "--seconds", "0.05"]);
        let all = [output.stdout, output.stderr].concat();
        let all = String::from_utf8_lossy(&all);
        assert!(all.contains(why) && !all.contains("panicked"), "{decision}, {to}: {all}");
    }
}
