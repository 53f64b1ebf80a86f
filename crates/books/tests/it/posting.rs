//! Posting and statements.

use crate::shop::{Shop, actor, currency, options, run};
use books::statements::{
    AccountSum, BalanceSheet, CurrencyTotal, EVER, TrialBalance, balance_sheet, open_items, profit_and_loss,
    trial_balance,
};
use books::{Adjustment, ClosePeriod};
use db::testing::{BEGIN, both};
use kernel::{Refuse, Timestamp};
use payments::{FactKind, Phase, Record};
use returns::{Disposition, Resolution};

const LATER: Timestamp = Timestamp(BEGIN.0 + 400 * Timestamp::DAY);

fn balance(all: &[AccountSum], account: &str, code: &str) -> i64 {
    all.iter().filter(|a| a.account == account && a.currency == currency(code)).map(|a| a.balance).sum()
}

async fn trial(shop: &Shop, until: Timestamp) -> TrialBalance {
    let trial = trial_balance(shop.db.read(), until).await.unwrap();
    assert!(trial.totals.iter().all(|t| t.debit == t.credit && t.debit > 0), "{trial:?}");
    trial
}

async fn sheet(shop: &Shop, until: Timestamp) -> BalanceSheet {
    let sheet = balance_sheet(shop.db.read(), until).await.unwrap();
    let without_zeros =
        |all: &[CurrencyTotal]| all.iter().filter(|t| t.amount != 0).cloned().collect::<Vec<_>>();
    assert_eq!(without_zeros(&sheet.total_assets), without_zeros(&sheet.total_liabilities_and_equity));
    sheet
}

pub fn adjustment(at: Timestamp, amount: i64, debit: &str, credit: &str) -> Adjustment {
    Adjustment {
        at,
        currency: currency("EUR"),
        amount,
        debit: debit.into(),
        credit: credit.into(),
        text: "By hand".into(),
        order: None,
    }
}

#[tokio::test]
async fn a_sale_is_posted_to_the_cent_and_a_return_undoes_it() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        let stock = 20 * 301 + 20 * 700 + 40 * 33;
        let placed = shop.delivered(&[("MUG", 3)], "EUR").await;
        // 3 × 9.99 less 1.01, 4.90 of shipping, all with 19 % of tax; 0.50 of fee.
        let goods = 2997 - 101;
        let sold = trial(&shop, LATER).await.accounts;
        let of = |account| balance(&sold, account, "EUR");
        assert_eq!(of("4000") + of("4010"), goods - kernel::money::tax_in_gross(goods, 190_000));
        assert_eq!(of("4000") + of("4010") + of("4020") + of("4030") + of("2100"), placed.total.minor);
        assert_eq!((of("4030"), of("1050"), of("1100")), (50, placed.total.minor, 0));
        assert_eq!((of("5000"), of("1200"), of("2050")), (3 * 301, stock - 3 * 301, stock));
        assert_eq!((of("5100"), of("2000")), (450, 450));
        shop.check().await;

        shop.take_back(&placed, 3, Disposition::Restock, Resolution::Refund).await;
        let back = trial(&shop, LATER).await.accounts;
        let of = |account| balance(&back, account, "EUR");
        assert_eq!((of("1100"), of("1050"), of("2100"), of("4020"), of("4030")), (0, 0, 0, 0, 0));
        assert_eq!((of("5000"), of("1200")), (0, stock));
        assert_eq!(of("4000") + of("4010") + of("4090"), 0);
        let result = profit_and_loss(shop.db.read(), EVER, LATER).await.unwrap();
        assert_eq!(result.profit, [CurrencyTotal { currency: currency("EUR"), amount: -450 }]);
        shop.check().await;
    }
}

#[tokio::test]
async fn deposits_and_receivables_are_told_apart_by_order() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        let paid = shop.place(shop.want(&[("MUG", 1)], "EUR")).await;
        shop.pay(paid.id, 0, paid.total.minor).await;
        let owing = shop.place(shop.want(&[("HAT", 1)], "EUR")).await;
        shop.ship(owing.id, BEGIN).await;
        let sheet = sheet(&shop, LATER).await;
        let line = |lines: &[books::statements::SheetLine], name: &str| {
            lines.iter().filter(|l| l.name == name).map(|l| l.amount).sum::<i64>()
        };
        assert_eq!(line(&sheet.assets, "Receivables from customers"), owing.total.minor);
        assert_eq!(line(&sheet.liabilities, "Deposits of customers"), paid.total.minor);
        assert_eq!(line(&sheet.assets, "Bank"), paid.total.minor);
        let open = open_items(shop.db.read(), "1100", LATER).await.unwrap();
        let mut amounts: Vec<_> = open.iter().map(|i| (i.order_id, i.amount)).collect();
        amounts.sort_by_key(|(_, amount)| *amount);
        assert_eq!(amounts, [(Some(paid.id.0), -paid.total.minor), (Some(owing.id.0), owing.total.minor)]);
        assert!(open_items(shop.db.read(), "1100", BEGIN).await.unwrap().is_empty());
        shop.check().await;
    }
}

#[tokio::test]
async fn credit_exchanges_fees_disputes_and_write_offs_leave_their_accounts_right() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        let credit = shop.delivered(&[("MUG", 2)], "EUR").await;
        shop.take_back(&credit, 1, Disposition::Scrap, Resolution::StoreCredit).await;
        let swap = shop.delivered(&[("HAT", 1)], "EUR").await;
        shop.take_back(&swap, 1, Disposition::Quarantine, Resolution::Exchange).await;
        run!(shop, |tx| {
            let customer =
                orders::read::orders_by_id(tx, &[credit.id]).await?.remove(&credit.id).unwrap().customer_id;
            let gift = customers::CreditEntry {
                at: BEGIN,
                customer,
                currency: currency("EUR"),
                amount: 700,
                reason: "granted: sorry".into(),
                order: None,
                reference: "gift-1".into(),
            };
            customers::post_credit(tx, &[gift]).await?.remove(0).unwrap();
            let sku = catalog::skus_by_code(tx, &["MUG"]).await?["MUG"].id;
            let broken = inventory::Adjust {
                at: BEGIN,
                sku,
                location: shop.warehouse,
                delta: -2,
                reason: "broken".into(),
            };
            inventory::adjust(tx, &[broken]).await?.remove(0).unwrap();
            let payment = payments::payments_of(tx, &[credit.id.0]).await?[&credit.id.0][0].id;
            let fact = |kind, phase, amount, reference: &str| Record {
                at: BEGIN,
                payment,
                operation: None,
                kind,
                phase,
                amount,
                gateway_reference: reference.into(),
                detail: None,
            };
            let facts = [
                fact(FactKind::Fee, Phase::Succeeded, 29, "fee"),
                fact(FactKind::Chargeback, Phase::Requested, 500, "d1"),
                fact(FactKind::Chargeback, Phase::Failed, 500, "d1"),
                fact(FactKind::Chargeback, Phase::Requested, 300, "d2"),
                fact(FactKind::Chargeback, Phase::Succeeded, 300, "d2"),
            ];
            payments::record(tx, &facts).await
        });
        let all = trial(&shop, LATER).await.accounts;
        let of = |account| balance(&all, account, "EUR");
        assert_eq!((of("5200"), of("5900"), of("5300"), of("5500"), of("2210")), (29, 300, 2 * 301, 700, 0));
        let held = shop.number("SELECT CAST(SUM(balance) AS BIGINT) FROM store_credit").await;
        assert_eq!(of("2200"), held);
        // The scrapped mug stays an expense, the hat in quarantine is ours again, the sock is not shipped yet.
        assert_eq!(of("5000"), 2 * 301);
        sheet(&shop, LATER).await;
        shop.check().await;
    }
}

#[tokio::test]
async fn a_closed_month_never_changes() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        let clock = shop.db.clock().clone();
        clock.advance(60 * Timestamp::DAY);
        run!(shop, |tx| {
            let close = |month: &str| ClosePeriod { at: tx.now(), month: month.into() };
            let outcomes =
                books::close_periods(tx, &[close("2026-01"), close("2026-01"), close("2026-03")]).await?;
            let codes: Vec<_> =
                outcomes.iter().map(|o| o.as_ref().map_or_else(|r| r.code(), |()| "ok")).collect();
            assert_eq!(codes, ["ok", "books.already_closed", "books.month_not_over"]);
            Ok(())
        });
        let february: Timestamp = "2026-02-01T00:00:00Z".parse().unwrap();
        let before = trial(&shop, february).await;
        run!(shop, |tx| {
            let good =
                [adjustment(BEGIN, 500, "1000", "3000"), adjustment(february.plus(5), -70, "1000", "3000")];
            for outcome in books::adjust(tx, &good).await? {
                outcome.unwrap();
            }
            Ok(())
        });
        assert_eq!(trial(&shop, february).await, before);
        let after = trial(&shop, february.plus(1)).await.accounts;
        assert_eq!((balance(&after, "1000", "EUR"), balance(&after, "3000", "EUR")), (500, 500));
        let whole = profit_and_loss(shop.db.read(), february, LATER).await.unwrap();
        assert!(whole.income.is_empty() && whole.profit.is_empty());
        let later = trial(&shop, LATER).await.accounts;
        assert_eq!(balance(&later, "1000", "EUR"), 430);
        let filter = books::read::JournalFilter { account: Some("1000".into()), ..Default::default() };
        let entries = books::read::journal(shop.db.read(), &filter, None, 1).await.unwrap();
        assert_eq!(entries[0].text, "By hand (of 2026-01-05, whose month is closed)");
        let next = Some((entries[0].at, entries[0].id));
        let rest = books::read::journal(shop.db.read(), &filter, next, 10).await.unwrap();
        assert_eq!(rest.len(), 1);
        assert_eq!((rest[0].postings[0].debit.as_str(), rest[0].postings[0].amount), ("3000", 70));
        shop.check().await;
    }
}

#[tokio::test]
async fn writers_at_the_same_time_post_every_entry_once() {
    for db in both(options).await {
        let shop = std::sync::Arc::new(Shop::open(db).await);
        let tasks: Vec<_> = (0..24i64)
            .map(|n| {
                let db = shop.db.db.clone();
                tokio::spawn(async move {
                    let one = [
                        adjustment(BEGIN.plus(n), 1 + n, "1000", "3000"),
                        adjustment(BEGIN, 1, "5400", "1000"),
                    ];
                    let done: Result<usize, kernel::Fault> =
                        db::write!(db, &actor(), |tx| Ok(books::adjust(tx, &one).await?.len()));
                    done.unwrap()
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), 2);
        }
        let all = trial(&shop, LATER).await.accounts;
        assert_eq!(balance(&all, "1000", "EUR"), (1..=24).sum::<i64>() - 24);
        shop.check().await;
    }
}
