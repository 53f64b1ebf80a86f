//! The export for hledger: it passes hledger's strict checks, and hledger adds up to the same trial balance. hledger must be installed.

use crate::posting::adjustment;
use crate::shop::{Shop, options, run};
use books::hledger::Export;
use books::statements::trial_balance;
use db::testing::{BEGIN, both};
use kernel::Timestamp;
use kernel::money::parse_decimal;
use returns::{Disposition, Resolution};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

fn hledger(journal: &str, arguments: &[&str]) -> String {
    let mut child = Command::new("hledger")
        .args(["-f", "-"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("hledger must be installed (Debian: apt install hledger)");
    let mut input = child.stdin.take().unwrap();
    let text = journal.to_owned();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "hledger {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn hledger_accepts_the_journal_and_adds_up_to_the_same() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        for code in ["EUR", "JPY", "KWD"] {
            let placed = shop.delivered(&[("MUG", 2), ("KIT", 1)], code).await;
            shop.take_back(&placed, 1, Disposition::Restock, Resolution::Refund).await;
        }
        run!(shop, |tx| {
            let mut odd = adjustment(BEGIN, 123, "5400", "1000");
            odd.text = "Lost; found | (again)\nand = more *".into();
            let many: Vec<_> =
                (0..600).map(|n| adjustment(BEGIN.plus(n), 1, "1000", "3000")).chain([odd]).collect();
            for outcome in books::adjust(tx, &many).await? {
                outcome.unwrap();
            }
            Ok(())
        });
        shop.check().await;
        let mut export = Export::new(shop.db.db.clone(), None);
        let mut journal = String::new();
        while let Some(piece) = export.next().await.unwrap() {
            journal += &piece;
        }
        hledger(&journal, &["check", "--strict"]);

        let table =
            hledger(&journal, &["balance", "--flat", "--no-total", "--empty", "--layout=bare", "-O", "csv"]);
        let mut theirs: BTreeMap<(String, String), i64> = BTreeMap::new();
        for row in table.lines().skip(1) {
            let cells: Vec<&str> = row.split("\",\"").map(|c| c.trim_matches('"')).collect();
            let (account, code, amount) = (cells[0], cells[1], cells[2]);
            let Ok(currency) = code.parse::<kernel::Currency>() else { continue };
            let account = account.split(':').nth(1).unwrap().split(' ').next().unwrap();
            let minor = parse_decimal(amount, currency.exponent()).unwrap_or_else(|e| panic!("{row}: {e:?}"));
            theirs.insert((account.to_owned(), code.to_owned()), minor);
        }
        theirs.retain(|_, minor| *minor != 0);
        let later = BEGIN.plus(400 * Timestamp::DAY);
        let ours: BTreeMap<(String, String), i64> = trial_balance(shop.db.read(), later)
            .await
            .unwrap()
            .accounts
            .into_iter()
            .map(|a| ((a.account, a.currency.to_string()), a.debit - a.credit))
            .filter(|(_, minor)| *minor != 0)
            .collect();
        assert!(ours.len() > 20 && ours.keys().any(|(_, code)| code == "KWD"));
        assert_eq!(theirs, ours, "{}", shop.db.name);
    }
}
