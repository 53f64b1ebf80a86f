//! Asking back, receiving, inspecting, refunding.

use crate::shop::{Shop, actor, options, run};
use db::testing::{BEGIN, both};
use kernel::{Refuse, Timestamp};
use orders::{LineId, OrderId};
use returns::{
    Acceptance, Approve, Decline, Disposition, Inspect, Reason, Receive, Reception, RequestReturn,
    Resolution, ReturnId, ReturnUnitId, ReturnWish, Settle, Settled, Status, read,
};

pub fn ask(order: OrderId, line: LineId, quantity: i64, reason: Reason) -> RequestReturn {
    RequestReturn {
        at: BEGIN.plus(Timestamp::DAY),
        order,
        units: vec![ReturnWish { line, quantity, reason, comment: None }],
        resolution: Resolution::Refund,
        refund_shipping: false,
        override_window: false,
        note: None,
    }
}

pub async fn request(
    shop: &Shop,
    want: &RequestReturn,
) -> Result<returns::Requested, returns::RequestRefused> {
    run!(shop, |tx| Ok(returns::request(tx, std::slice::from_ref(want)).await?.remove(0)))
}

/// Requested, approved, received.
pub async fn received(shop: &Shop, want: &RequestReturn) -> returns::Requested {
    let requested = request(shop, want).await.unwrap();
    run!(shop, |tx| {
        let at = want.at;
        returns::approve(tx, &[Approve { at, return_id: requested.id }]).await?.remove(0).unwrap();
        let one = Receive {
            at,
            return_id: requested.id,
            units: Vec::new(),
            location: shop.second,
            reception: Reception::Received,
        };
        returns::receive(tx, &[one]).await?.remove(0).unwrap();
        Ok(())
    });
    requested
}

pub fn verdict(
    id: ReturnId,
    units: &[ReturnUnitId],
    acceptance: Acceptance,
    to: Option<Disposition>,
) -> Inspect {
    let at = BEGIN.plus(2 * Timestamp::DAY);
    Inspect { at, return_id: id, units: units.to_vec(), acceptance, disposition: to, location: None }
}

pub async fn accept(shop: &Shop, id: ReturnId, to: Disposition) -> i64 {
    run!(shop, |tx| {
        let one = verdict(id, &[], Acceptance::Accepted, Some(to));
        Ok(returns::inspect(tx, &[one]).await?.remove(0).unwrap().credit)
    })
}

pub fn settlement(id: ReturnId) -> Settle {
    let at = BEGIN.plus(3 * Timestamp::DAY);
    Settle { at, by: actor(), return_id: id, resolution: None, exchange: None, recorded: true }
}

pub async fn settle(shop: &Shop, want: Settle) -> Settled {
    run!(shop, |tx| Ok(returns::settle(tx, std::slice::from_ref(&want)).await?.remove(0).unwrap()))
}

pub async fn status(shop: &Shop, id: ReturnId) -> Status {
    read::by_id(shop.db.read(), id).await.unwrap().unwrap().status
}

#[tokio::test]
async fn three_odd_units_returned_one_by_one_refund_exactly_what_was_charged() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        for inclusive in [true, false] {
            let mut want = shop.want(&[("MUG", 3)], inclusive);
            want.discount = 100;
            let placed = shop.place(want).await;
            // Over two tenders, so that the parts of each refund must sum too.
            let transfer = placed.total.minor / 3;
            shop.pay(placed.id, placed.total.minor - transfer, transfer).await;
            shop.ship(placed.id, BEGIN).await;
            let line = shop.lines(placed.id).await.remove(0);
            let mut refunded = Vec::new();
            for (reason, to) in [
                (Reason::ChangedMind, Disposition::Restock),
                (Reason::TooBig, Disposition::Quarantine),
                (Reason::Other, Disposition::Scrap),
            ] {
                let requested = received(&shop, &ask(placed.id, line.id, 1, reason)).await;
                let credit = accept(&shop, requested.id, to).await;
                let settled = settle(&shop, settlement(requested.id)).await;
                assert_eq!((settled.credited, settled.refunded, settled.offset), (credit, credit, 0));
                refunded.push(credit);
                shop.check().await;
            }
            assert_eq!(refunded.iter().sum::<i64>(), line.net + line.tax, "{}: {refunded:?}", shop.db.name);
            let paid = format!("SELECT captured - refunded FROM orders WHERE id = {}", placed.id.0);
            assert_eq!(shop.number(&paid).await, line.shipping + line.shipping_tax);
            let more = request(&shop, &ask(placed.id, line.id, 1, Reason::Other)).await;
            assert_eq!(more.unwrap_err().code(), "returns.not_returnable");
        }
        let sku = shop.lines(OrderId(shop.number("SELECT MIN(id) FROM orders").await)).await[0].sku_id.0;
        let at = format!("FROM stock WHERE sku_id = {sku} AND location_id = {}", shop.second.0);
        assert_eq!(shop.number(&format!("SELECT on_hand {at}")).await, 2);
        assert_eq!(shop.number(&format!("SELECT quarantined {at}")).await, 2);
        // Six left at 301 each, four came back with their cost, two were scrapped.
        let value = shop.number(&format!("SELECT value FROM sku_cost WHERE sku_id = {sku}")).await;
        assert_eq!(value, 18 * 301);
        assert_eq!(shop.number("SELECT COUNT(*) FROM orders WHERE fulfilment_status = 'returned'").await, 2);
    }
}

#[tokio::test]
async fn our_fault_gives_the_share_of_shipping_back_and_components_return_to_the_shelf() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        let placed = shop.delivered(&[("KIT", 2), ("HAT", 1)], true).await;
        let line = shop.lines(placed.id).await.remove(0);
        let requested = received(&shop, &ask(placed.id, line.id, 2, Reason::Damaged)).await;
        let credit = accept(&shop, requested.id, Disposition::Restock).await;
        assert_eq!(credit, line.total);
        assert!(line.shipping > 0 && line.cost == 2 * (301 + 2 * 33));
        let back =
            format!("SELECT CAST(SUM(on_hand) AS BIGINT) FROM stock WHERE location_id = {}", shop.second.0);
        assert_eq!(shop.number(&back).await, 2 + 4);
        assert_eq!(
            shop.number("SELECT CAST(SUM(value) AS BIGINT) FROM stock_movement WHERE kind = 'return'").await,
            line.cost
        );
        settle(&shop, settlement(requested.id)).await;
        shop.check().await;
    }
}

#[tokio::test]
async fn a_return_out_of_the_window_is_refused_and_a_declined_one_frees_its_units() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        let placed = shop.delivered(&[("MUG", 4)], true).await;
        let line = placed.lines[0];
        let mut late = ask(placed.id, line, 1, Reason::ChangedMind);
        late.at = BEGIN.plus(31 * Timestamp::DAY);
        assert_eq!(request(&shop, &late).await.unwrap_err().code(), "returns.window_over");
        late.override_window = true;
        let late = request(&shop, &late).await.unwrap();
        assert_eq!(
            (late.number.as_str(), late.approved, status(&shop, late.id).await),
            ("R1001", false, Status::Requested)
        );
        let too_many = request(&shop, &ask(placed.id, line, 4, Reason::Other)).await;
        assert!(too_many.unwrap_err().to_string().starts_with("Only 3 units"));
        let none = request(&shop, &ask(OrderId(7), line, 1, Reason::Other)).await;
        assert_eq!(none.unwrap_err().code(), "returns.unknown_order");
        let early = run!(shop, |tx| returns::settle(tx, &[settlement(late.id)]).await);
        assert_eq!(early[0].as_ref().unwrap_err().code(), "returns.not_approved");
        run!(shop, |tx| {
            let decline = |reason: &str| Decline { at: BEGIN, return_id: late.id, reason: reason.into() };
            let outcomes =
                returns::decline(tx, &[decline(" "), decline("Too late."), decline("Again.")]).await?;
            let codes: Vec<_> =
                outcomes.iter().map(|o| o.as_ref().map_or_else(|r| r.code(), |()| "ok")).collect();
            assert_eq!(codes, ["returns.no_reason", "ok", "returns.already_decided"]);
            Ok(())
        });
        assert_eq!(status(&shop, late.id).await, Status::Declined);
        shop.check().await;

        // The declined unit may be asked for again: all four now.
        assert_eq!(request(&shop, &ask(placed.id, line, 4, Reason::WrongItem)).await.unwrap().units.len(), 4);
        shop.check().await;
    }
}

#[tokio::test]
async fn units_are_received_and_decided_one_by_one() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        let placed = shop.delivered(&[("MUG", 4)], true).await;
        let line = placed.lines[0];
        let all = request(&shop, &ask(placed.id, line, 4, Reason::WrongItem)).await.unwrap();
        run!(shop, |tx| {
            returns::approve(tx, &[Approve { at: BEGIN, return_id: all.id }]).await?.remove(0).unwrap();
            let receive = |unit: usize, reception| Receive {
                at: BEGIN,
                return_id: all.id,
                units: vec![all.units[unit]],
                location: shop.warehouse,
                reception,
            };
            let batch = [
                receive(0, Reception::InTransit),
                receive(0, Reception::Received),
                receive(0, Reception::Received),
                receive(1, Reception::WrongItem),
                receive(2, Reception::LostInTransit),
            ];
            let outcomes = returns::receive(tx, &batch).await?;
            let codes: Vec<_> =
                outcomes.iter().map(|o| o.as_ref().map_or_else(|r| r.code(), |_| "ok")).collect();
            assert_eq!(codes, ["ok", "ok", "returns.already_received", "ok", "ok"]);
            Ok(())
        });
        assert_eq!(status(&shop, all.id).await, Status::Approved);
        run!(shop, |tx| {
            let units = &all.units;
            let batch = [
                verdict(all.id, &units[..1], Acceptance::Accepted, None),
                verdict(all.id, &units[1..2], Acceptance::Accepted, Some(Disposition::Restock)),
                verdict(all.id, &units[..1], Acceptance::ManualReview, None),
                verdict(all.id, &units[1..2], Acceptance::Rejected, None),
                verdict(all.id, &units[2..], Acceptance::Accepted, Some(Disposition::CustomerKeeps)),
                verdict(all.id, &units[..1], Acceptance::Accepted, Some(Disposition::ToVendor)),
                verdict(all.id, &units[..1], Acceptance::Rejected, None),
            ];
            let outcomes = returns::inspect(tx, &batch).await?;
            let codes: Vec<_> =
                outcomes.iter().map(|o| o.as_ref().map_or_else(|r| r.code(), |_| "ok")).collect();
            assert_eq!(
                codes,
                [
                    "returns.no_disposition",
                    "returns.unit_not_here",
                    "ok",
                    "ok",
                    "ok",
                    "ok",
                    "returns.unit_decided"
                ]
            );
            Ok(())
        });
        assert_eq!(status(&shop, all.id).await, Status::Inspected);
        shop.check().await;
        let settled = settle(&shop, settlement(all.id)).await;
        assert_eq!(settled.refunded, settled.credited);
        assert_eq!(status(&shop, all.id).await, Status::Settled);
        // The rejected unit is the customer's again.
        assert!(request(&shop, &ask(placed.id, line, 1, Reason::Other)).await.is_ok());
        assert!(request(&shop, &ask(placed.id, line, 1, Reason::Other)).await.is_err());
        shop.check().await;
    }
}

#[tokio::test]
async fn credit_of_an_unpaid_order_reduces_what_is_owed() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        let placed = shop.place(shop.want(&[("MUG", 2)], true)).await;
        shop.pay(placed.id, 1000, 0).await;
        shop.ship(placed.id, BEGIN).await;
        let requested = received(&shop, &ask(placed.id, placed.lines[0], 2, Reason::ChangedMind)).await;
        let credit = accept(&shop, requested.id, Disposition::Restock).await;
        assert_eq!((placed.total.minor, credit), (2 * 999 + 490, 2 * 999));
        // 490 of shipping is still owed, 1000 were paid.
        let settled = settle(&shop, settlement(requested.id)).await;
        assert_eq!((settled.refunded, settled.offset), (510, 1998 - 510));
        shop.check().await;
    }
}

#[tokio::test]
async fn the_policy_may_approve_and_a_batch_is_as_one_by_one() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        run!(shop, |tx| db::settings::set(tx, "return_auto_approve", &true).await);
        let placed = shop.delivered(&[("MUG", 3)], false).await;
        let wants = [1, 2, 1].map(|n| ask(placed.id, placed.lines[0], n, Reason::TooSmall));
        let outcomes = run!(shop, |tx| returns::request(tx, &wants).await);
        let (first, second) = (outcomes[0].as_ref().unwrap(), outcomes[1].as_ref().unwrap());
        assert!(first.approved && second.approved && outcomes[2].is_err());
        let units = read::units_of(shop.db.read(), &[first.id, second.id]).await.unwrap();
        assert_eq!(units.iter().map(|u| u.unit).collect::<Vec<_>>(), [0, 1, 2]);
        run!(shop, |tx| {
            let keep = |id, units: &[ReturnUnitId]| {
                verdict(id, units, Acceptance::Accepted, Some(Disposition::CustomerKeeps))
            };
            let batch = [keep(first.id, &first.units), keep(second.id, &second.units)];
            for outcome in returns::inspect(tx, &batch).await? {
                outcome.unwrap();
            }
            let settled =
                returns::settle(tx, &[settlement(first.id), settlement(second.id), settlement(first.id)])
                    .await?;
            assert_eq!(settled[2].as_ref().unwrap_err().code(), "returns.settled");
            let sum: i64 = settled.iter().flatten().map(|s| s.refunded).sum();
            assert_eq!(sum, placed.total.minor - 490 - 93);
            Ok(())
        });
        let filter =
            read::Filter { order: Some(placed.id), status: Some(Status::Settled), ..read::Filter::default() };
        let page = read::list(shop.db.read(), &filter, None, 1).await.unwrap();
        let rest =
            read::list(shop.db.read(), &filter, Some((page[0].requested_at, page[0].id)), 10).await.unwrap();
        assert_eq!((page[0].id, rest.len(), rest[0].id), (second.id, 1, first.id));
        shop.check().await;
    }
}

#[tokio::test]
async fn at_the_same_time_no_unit_is_asked_back_twice_and_no_return_settled_twice() {
    for db in both(options).await {
        let shop = Shop::open(db).await;
        let placed = shop.delivered(&[("MUG", 3)], true).await;
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (db, want) = (shop.db.db.clone(), ask(placed.id, placed.lines[0], 1, Reason::Other));
                tokio::spawn(async move {
                    let done: Result<_, kernel::Fault> =
                        db::write!(db, &actor(), |tx| returns::request(tx, std::slice::from_ref(&want))
                            .await);
                    done.unwrap().remove(0)
                })
            })
            .collect();
        let mut taken = Vec::new();
        for task in tasks {
            taken.extend(task.await.unwrap());
        }
        assert_eq!(taken.len(), 3, "{}", shop.db.name);
        let id = taken[0].id;
        run!(shop, |tx| returns::approve(tx, &[Approve { at: BEGIN, return_id: id }]).await);
        run!(shop, |tx| {
            let keep = verdict(id, &taken[0].units, Acceptance::Accepted, Some(Disposition::CustomerKeeps));
            returns::inspect(tx, &[keep]).await
        });
        let tasks: Vec<_> = (0..6)
            .map(|_| {
                let db = shop.db.db.clone();
                tokio::spawn(async move {
                    let done: Result<_, kernel::Fault> =
                        db::write!(db, &actor(), |tx| returns::settle(tx, &[settlement(id)]).await);
                    done.unwrap().remove(0).is_ok()
                })
            })
            .collect();
        let mut settled = 0;
        for task in tasks {
            settled += i32::from(task.await.unwrap());
        }
        assert_eq!((settled, shop.number("SELECT CAST(SUM(amount) AS BIGINT) FROM refund").await), (1, 999));
        shop.check().await;
    }
}
