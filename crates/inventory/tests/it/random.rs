//! Commands in random order, by many at once: the laws hold after every one, and what is not there is not promised.

use super::shop::{Shop, actor, allocate, laws_hold, level, open, owned, receive};
use catalog::SkuId;
use db::testing::both;
use db::{Options, Tx};
use inventory::{
    Adjust, Count, LocationId, Move, MoveKind, Quarantine, QuarantineStep, Receive, Reserve, Restock,
    RestockTo, SetSafety, ShipStock, Transfer,
};
use kernel::{Fault, Timestamp};

/// A small generator of numbers with a seed: the same run every time.
struct Dice(u64);
impl Dice {
    fn roll(&mut self, below: u64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % below) as i64
    }
    fn sku(&mut self, shop: &Shop) -> SkuId {
        shop.skus[self.roll(3) as usize]
    }
    fn place(&mut self, shop: &Shop) -> LocationId {
        shop.places[self.roll(3) as usize]
    }
}

/// One random command with a few items; how many of them were taken.
async fn step(tx: &Tx, shop: &Shop, dice: &mut Dice) -> Result<usize, Fault> {
    let at = tx.now();
    let what = dice.roll(11);
    let items: Vec<(SkuId, LocationId, LocationId, i64)> = (0..=dice.roll(3))
        .map(|_| (dice.sku(shop), dice.place(shop), dice.place(shop), dice.roll(12)))
        .collect();
    macro_rules! run {
        ($command:path, |$item:ident| $build:expr) => {{
            let batch: Vec<_> = items.iter().map(|$item| $build).collect();
            $command(tx, &batch).await?.iter().filter(|o| o.is_ok()).count()
        }};
    }
    let n = |i: &(SkuId, LocationId, LocationId, i64)| i.3;
    Ok(match what {
        0 | 1 => run!(inventory::receive, |i| Receive {
            at,
            sku: i.0,
            location: i.1,
            quantity: n(i),
            unit_cost: 7 * n(i) + 1,
            reference: None
        }),
        2 => run!(inventory::adjust, |i| Adjust {
            at,
            sku: i.0,
            location: i.1,
            delta: n(i) - 6,
            reason: "test".into()
        }),
        3 => run!(inventory::count, |i| Count { at, sku: i.0, location: i.1, counted: n(i) }),
        4 => run!(inventory::transfer, |i| Transfer {
            at,
            sku: i.0,
            from: i.1,
            to: i.2,
            quantity: n(i),
            reason: None
        }),
        5 => {
            let step = [QuarantineStep::Enter, QuarantineStep::Leave, QuarantineStep::WriteOff]
                [dice.roll(3) as usize];
            run!(inventory::quarantine, |i| Quarantine {
                at,
                sku: i.0,
                location: i.1,
                quantity: n(i) / 3,
                step,
                reason: "test".into()
            })
        }
        6 => run!(inventory::set_safety, |i| SetSafety {
            at,
            sku: i.0,
            location: i.1,
            safety: Some(n(i) / 4),
            channel_safety: None
        }),
        7 => {
            let lines: Vec<(SkuId, i64)> =
                items.iter().map(|i| (i.0, n(i))).chain([(shop.bundle, 1), (shop.service, 1)]).collect();
            let batch = [Reserve { at, expires_at: at.plus(Timestamp::MINUTE * (1 + dice.roll(9))), lines }];
            inventory::reserve(tx, &batch).await?.iter().filter(|o| o.is_ok()).count()
        }
        8 | 9 => promise(tx, shop, dice, (items[0].0, items[0].1), items[0].3).await?,
        _ => inventory::expire(tx, at).await?,
    })
}

/// Promises units and takes the promise back, or ships them in two parts, of which some come back; one, or none when nothing was free.
async fn promise(
    tx: &Tx,
    shop: &Shop,
    dice: &mut Dice,
    (sku, location): (SkuId, LocationId),
    quantity: i64,
) -> Result<usize, Fault> {
    let at = tx.now();
    if quantity == 0 || !allocate(tx, sku, location, quantity).await? {
        return Ok(0);
    }
    if dice.roll(4) == 0 {
        let bare = Move::new(at, MoveKind::Release, sku, location);
        inventory::apply(tx, &[Move { allocated: -quantity, ..bare }]).await?;
        return Ok(1);
    }
    let cut = dice.roll(quantity as u64);
    let parts = [cut, quantity - cut];
    let batch =
        parts.map(|quantity| ShipStock { at, sku, location, quantity, order: 1, reference: "parcel".into() });
    let costs = inventory::ship_stock(tx, &batch).await?;
    assert!(costs.iter().all(|c| *c >= 0) && (location != shop.places[2] || costs == [0, 0]));
    if dice.roll(2) == 0 {
        let to = if dice.roll(2) == 0 { RestockTo::OnHand } else { RestockTo::Quarantined };
        let back = Restock {
            at,
            sku,
            location,
            quantity,
            value: costs.iter().sum(),
            to,
            order: Some(1),
            reference: "r".into(),
        };
        inventory::restock(tx, &[back]).await?;
    }
    Ok(1)
}

#[tokio::test]
async fn the_laws_hold_whatever_happens_in_whatever_order() {
    for db in both(Options::default).await {
        let shop = open(&db).await;
        let seed = 0x5EED_0001;
        let mut done = 0;
        for n in 0..400u64 {
            let taken = db::write!(db, &actor(), |tx| {
                // A transaction may run again: the dice of a step depend on its number alone.
                let mut dice = Dice(seed + n * 7919);
                for _ in 0..8 {
                    dice.roll(2);
                }
                step(tx, &shop, &mut dice).await
            })
            .unwrap_or_else(|f| panic!("step {n} on {}: {f}", db.name));
            done += taken;
            db.clock().advance(Timestamp::SECOND * 20);
            if n % 40 == 39 {
                laws_hold(&db, &format!("after step {n}")).await;
            }
        }
        assert!(done > 200, "only {done} items were taken on {}: the run proves little", db.name);
    }
}

#[tokio::test]
async fn the_last_units_are_promised_once() {
    for db in both(Options::default).await {
        let shop = open(&db).await;
        let (sku, home) = (shop.skus[0], shop.places[0]);
        receive(&db, sku, home, 10, 100).await;
        let tasks = (0..32).map(|_| {
            let db = db.db.clone();
            tokio::spawn(
                async move { db::write!(db, &actor(), |tx| allocate(tx, sku, home, 1).await).unwrap() },
            )
        });
        let mut promised = 0;
        for task in tasks.collect::<Vec<_>>() {
            promised += i64::from(task.await.unwrap());
        }
        assert_eq!((promised, level(&db, sku, home).await), (10, (10, 10, 0, 0)), "{}", db.name);
        laws_hold(&db, "after the race").await;
    }
}

#[tokio::test]
async fn many_who_do_different_things_to_one_sku_keep_the_laws() {
    for db in both(Options::default).await {
        let shop = open(&db).await;
        let tasks = (0..24u64).map(|n| {
            let db = db.db.clone();
            tokio::spawn(async move {
                for round in 0..6 {
                    let done = db::write!(db, &actor(), |tx| {
                        let mut dice = Dice(1 + n * 104_729 + round * 31);
                        for _ in 0..8 {
                            dice.roll(2);
                        }
                        step(tx, &shop, &mut dice).await
                    });
                    done.unwrap_or_else(|f| panic!("task {n}: {f}"));
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        laws_hold(&db, "after the crowd").await;
        for sku in shop.skus {
            let (quantity, value) = owned(&db, sku).await;
            assert!(quantity >= 0 && value >= 0);
        }
    }
}
