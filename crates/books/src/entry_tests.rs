//! Tests of entries: tables of what each event means, and the property that an order's life comes back to zero on *Customers*.

use super::*;
use kernel::money::{prorate, tax_in_gross, tax_on_net, units_share};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}
fn eur(minor: i64) -> Money {
    Money::new(minor, currency("EUR"))
}
fn rows(happened: &Happened) -> Vec<(&'static str, &'static str, i64)> {
    entry(happened)
        .map(|e| e.postings.iter().map(|p| (p.debit, p.credit, p.amount)).collect())
        .unwrap_or_default()
}

#[test]
fn each_event_has_its_rows() {
    let parts = Parts { discount_net: 50, net: 950, tax: 190, shipping: 400, fee: 20 };
    let cases: Vec<(Happened, Vec<(&str, &str, i64)>)> = vec![
        (
            Happened::UnitsShipped { currency: currency("EUR"), parts, cost: eur(300) },
            vec![
                (CUSTOMERS, SALES, 1000),
                (DISCOUNTS, CUSTOMERS, 50),
                (CUSTOMERS, SALES_TAX, 190),
                (CUSTOMERS, SHIPPING_INCOME, 400),
                (CUSTOMERS, FEES_CHARGED, 20),
                (COST_OF_GOODS, INVENTORY, 300),
            ],
        ),
        (
            Happened::UnitsReturned { currency: currency("EUR"), parts, cost: eur(300) },
            vec![
                (RETURNS, CUSTOMERS, 950),
                (SALES_TAX, CUSTOMERS, 190),
                (SHIPPING_INCOME, CUSTOMERS, 400),
                (FEES_CHARGED, CUSTOMERS, 20),
                (INVENTORY, COST_OF_GOODS, 300),
            ],
        ),
        (Happened::Captured { into: Purse::Gateway, money: eur(5) }, vec![(GATEWAY_CLEARING, CUSTOMERS, 5)]),
        (Happened::Captured { into: Purse::of_gateway("manual"), money: eur(5) }, vec![(BANK, CUSTOMERS, 5)]),
        (Happened::FeeCharged(eur(3)), vec![(PAYMENT_FEES, GATEWAY_CLEARING, 3)]),
        (
            Happened::Refunded { from: Purse::of_gateway("store_credit"), money: eur(5) },
            vec![(CUSTOMERS, STORE_CREDIT, 5)],
        ),
        (
            Happened::Refunded { from: Purse::of_gateway("exchange"), money: eur(5) },
            vec![(CUSTOMERS, EXCHANGES, 5)],
        ),
        (Happened::Disputed(eur(9)), vec![(CHARGEBACKS, GATEWAY_CLEARING, 9)]),
        (Happened::DisputeClosed { money: eur(9), won: true }, vec![(GATEWAY_CLEARING, CHARGEBACKS, 9)]),
        (Happened::DisputeClosed { money: eur(9), won: false }, vec![]),
        (Happened::StockReceived(eur(7)), vec![(INVENTORY, GOODS_RECEIVED, 7)]),
        (
            Happened::StockAdjusted { value: eur(-7), reason: "broken".into() },
            vec![(WRITE_OFFS, INVENTORY, 7)],
        ),
        (Happened::StockAdjusted { value: eur(7), reason: "found".into() }, vec![(INVENTORY, WRITE_OFFS, 7)]),
        (Happened::LabelPurchased(eur(4)), vec![(CARRIAGE_OUT, CARRIERS, 4)]),
        (Happened::LabelVoided(eur(4)), vec![(CARRIERS, CARRIAGE_OUT, 4)]),
        (Happened::CreditGranted(eur(-4)), vec![(STORE_CREDIT, CREDIT_GRANTED, 4)]),
        (Happened::LabelPurchased(eur(0)), vec![]),
    ];
    for (happened, expected) in cases {
        assert_eq!(rows(&happened), expected, "{happened:?}");
    }
}

#[test]
fn costs_are_in_the_base_currency() {
    let shipped = Happened::UnitsShipped {
        currency: currency("JPY"),
        parts: Parts { net: 10, ..Parts::default() },
        cost: eur(3),
    };
    let entry = entry(&shipped).unwrap();
    assert_eq!(entry.postings.iter().map(|p| p.currency.to_string()).collect::<Vec<_>>(), ["JPY", "EUR"]);
}

/// What was fixed for a line when it was placed.
#[derive(Debug, Clone)]
struct Line {
    units: i64,
    parts: Parts,
    cost: i64,
}

impl Line {
    fn share(&self, from: i64, to: i64) -> Parts {
        let of = |total| units_share(total, self.units, from, to);
        let p = &self.parts;
        Parts {
            discount_net: of(p.discount_net),
            net: of(p.net),
            tax: of(p.tax),
            shipping: of(p.shipping),
            fee: of(p.fee),
        }
    }
}

fn lines() -> impl Strategy<Value = (&'static str, Vec<Line>)> {
    let line = (1i64..6, 0i64..100_000, 0i64..100, 0i64..250_000, 0i64..50_000);
    let codes = prop_oneof![Just("JPY"), Just("EUR"), Just("KWD")];
    (codes, any::<bool>(), proptest::collection::vec(line, 1..4), 0i64..5_000, 0i64..500).prop_map(
        |(code, inclusive, wanted, shipping, fee)| {
            let weights: Vec<i64> = wanted.iter().map(|w| w.0 * w.1).collect();
            let (shipping, fees) = (prorate(shipping, &weights), prorate(fee, &weights));
            let built = wanted.into_iter().zip(shipping).zip(fees).map(
                |(((units, price, off, rate, cost), shipping), fee)| {
                    let gross = units * price;
                    let discount = gross * off / 100;
                    let (net, tax, discount_net) = match inclusive {
                        true => {
                            let paid = gross - discount;
                            let tax = tax_in_gross(paid, rate);
                            (paid - tax, tax, discount - tax_in_gross(discount, rate))
                        }
                        false => (gross - discount, tax_on_net(gross - discount, rate), discount),
                    };
                    let tax = tax + tax_on_net(shipping, rate);
                    Line { units, parts: Parts { discount_net, net, tax, shipping, fee }, cost }
                },
            );
            (code, built.collect())
        },
    )
}

fn post(balances: &mut BTreeMap<(&'static str, Currency), i64>, happened: &Happened) {
    for p in entry(happened).iter().flat_map(|e| &e.postings) {
        assert!(p.amount > 0 && p.debit != p.credit);
        *balances.entry((p.debit, p.currency)).or_default() += p.amount;
        *balances.entry((p.credit, p.currency)).or_default() -= p.amount;
    }
}

proptest! {
    /// Paid in full; each unit is then cancelled and refunded, shipped and kept, or shipped, returned and refunded, in any order.
    #[test]
    fn an_order_that_is_settled_leaves_nothing_on_customers((code, lines) in lines(), fates in proptest::collection::vec(0u8..3, 20), order in any::<u64>()) {
        let money = |minor| Money::new(minor, currency(code));
        let mut balances = BTreeMap::new();
        let total: i64 = lines.iter().map(|l| l.parts.total()).sum();
        post(&mut balances, &Happened::Captured { into: Purse::Gateway, money: money(total) });
        let mut steps = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            for unit in 0..line.units {
                steps.push((at, unit, fates[(at * 5 + unit as usize) % fates.len()]));
            }
        }
        let turn = (order % steps.len() as u64) as usize;
        steps.rotate_left(turn);
        let mut kept = 0;
        for (at, unit, fate) in steps {
            let line = &lines[at];
            let parts = line.share(unit, unit + 1);
            let cost = eur(units_share(line.cost, line.units, unit, unit + 1));
            let refund = Happened::Refunded { from: Purse::Gateway, money: money(parts.total()) };
            if fate != 0 {
                post(&mut balances, &Happened::UnitsShipped { currency: currency(code), parts, cost });
                kept += parts.total();
            }
            if fate == 2 {
                post(&mut balances, &Happened::UnitsReturned { currency: currency(code), parts, cost });
                kept -= parts.total();
            }
            if fate != 1 {
                post(&mut balances, &refund);
            }
        }
        prop_assert_eq!(balances.get(&(CUSTOMERS, currency(code))).copied().unwrap_or(0), 0);
        prop_assert_eq!(balances.get(&(GATEWAY_CLEARING, currency(code))).copied().unwrap_or(0), kept);
        for one in ["JPY", "EUR", "KWD"] {
            let sum: i64 = balances.iter().filter(|(key, _)| key.1 == currency(one)).map(|(_, amount)| amount).sum();
            prop_assert_eq!(sum, 0);
        }
    }
}
