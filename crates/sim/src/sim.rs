//! One simulated shop: the real program on a database in memory, the world around it, and the model beside it. Invariant: after each step
//! the model knows what was answered, and the orders that the step was about are named for the auditor.

use crate::Trouble;
use crate::dice::Trace;
use crate::gateway::{SimCarrier, SimGateway};
use crate::model::Model;
use crate::outside::Everything;
use crate::shop::Shop;
use crate::step::{No, Step};
use automation::Mailer;
use connectors::{carriers::rate_table::RateTable, gateways::manual::Manual};
use db::{Clock, Ctx, Db, JobKind, Law, Life, Options, Parts, Timer};
use kernel::{Actor, Fault, Timestamp};
use orders::OrderId;
use payments::Gateways;
use shipping::Carriers;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::fmt::Write as _;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::task::Poll;

/// When simulations begin: 2026-01-05T09:00:00Z.
const BEGIN: i64 = 1_767_603_600_000_000;

/// The program, as its list of slices puts it together.
#[derive(Clone, Copy)]
pub struct Program {
    /// How the database is opened, with all that reacts and listens.
    pub options: fn(u32, Clock) -> Options,
    /// Its background jobs.
    pub jobs: fn() -> &'static [JobKind],
    /// Its timed work.
    pub timers: fn() -> &'static [Timer],
    /// Its laws.
    pub laws: fn() -> Vec<Law>,
}

/// Items of each kind of step that were taken, and that were refused.
pub type Answers = BTreeMap<&'static str, (usize, usize)>;

/// A bug that a test plants, to see that it is found.
#[cfg(test)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    /// Goodwill is granted with a cent on top.
    CentTooMuch,
    /// A unit that was promised is free again.
    PromisedTwice,
    /// A call that is repeated after a crash has another idempotency key.
    FreshKey,
    /// Confirmations of orders are forgotten.
    NoConfirmation,
    /// Webhooks that failed once are forgotten.
    NoSecondTry,
}

/// A shop that is simulated.
pub struct Sim {
    pub(crate) program: Program,
    pub(crate) db: Db,
    pub(crate) ctx: Ctx,
    pub(crate) clock: Clock,
    life: Arc<Life>,
    pub(crate) world: Arc<Everything>,
    pub(crate) shop: Shop,
    pub(crate) model: Model,
    pub(crate) by: Actor,
    /// Orders that the present step is about.
    pub(crate) touched: BTreeSet<No>,
    pub(crate) carts: BTreeMap<u32, inventory::ReservationId>,
    pub(crate) carriers: Carriers,
    /// The number of the step in the seed's trace.
    pub(crate) now: usize,
    /// Its name.
    doing: &'static str,
    /// How often each kind of step was taken and refused.
    pub(crate) answers: Answers,
    /// The hash of what was asked and answered so far.
    pub trace: Trace,
    /// What the auditor has read of the books already.
    pub(crate) read: crate::auditor::Read,
    #[cfg(test)]
    pub(crate) plant: Option<Plant>,
}

impl Sim {
    /// Opens a shop of a seed.
    ///
    /// # Errors
    /// Faults of the database.
    pub async fn open(program: Program, seed: u64) -> Result<Self, Trouble> {
        let life = Arc::new(Life::default());
        let clock = Clock::Simulated { at: Arc::new(AtomicI64::new(BEGIN)), life: Arc::clone(&life) };
        let db = Db::open("sqlite::memory:", (program.options)(1, clock.clone())).await?;
        let world = Arc::new(Everything::new(seed, clock.clone()));
        let everything = seed.is_multiple_of(2);
        let shop = Shop::open(&db, everything).await?;
        let mut model = Model::default();
        for (endpoint, kinds) in crate::shop::kinds(everything).iter().enumerate() {
            model.hooks.hears(endpoint, kinds);
        }
        let carriers = Carriers(vec![Arc::new(SimCarrier(shop.eur)), Arc::new(RateTable)]);
        let ctx = ctx(&db, &world, &carriers)?;
        Ok(Self {
            program,
            db,
            ctx,
            clock,
            life,
            world,
            shop,
            model,
            by: Actor::of("user", "sim"),
            touched: BTreeSet::new(),
            carts: BTreeMap::new(),
            carriers,
            now: 0,
            doing: "",
            answers: Answers::new(),
            trace: Trace::default(),
            read: crate::auditor::Read::default(),
            #[cfg(test)]
            plant: None,
        })
    }
    /// Adds what was answered to the trace, and counts it.
    pub(crate) fn heard<T: Debug, E: Debug>(&mut self, told: &[Result<T, E>]) {
        let _ = write!(self.trace, "{told:?};");
        let taken = told.iter().filter(|t| t.is_ok()).count();
        let count = self.answers.entry(self.doing).or_default();
        (count.0, count.1) = (count.0 + taken, count.1 + told.len() - taken);
    }
    /// The time.
    pub(crate) fn at(&self) -> Timestamp {
        self.clock.now()
    }
    /// Those of these orders that were placed; they are what the step is about.
    pub(crate) fn known(&mut self, nos: &[No]) -> Vec<(No, OrderId)> {
        let known: Vec<(No, OrderId)> =
            nos.iter().filter_map(|no| self.model.order(*no).map(|o| (*no, o.id))).collect();
        self.touched.extend(known.iter().map(|(no, _)| *no));
        known
    }
    /// Runs something until it ends, or until the program dies: before a transaction, or in a call that it never hears of again.
    pub(crate) async fn mortal<T>(&self, transactions: u64, work: impl Future<Output = T>) -> Option<T> {
        self.life.begin(transactions);
        let mut work = pin!(work);
        let ended = poll_fn(|cx| {
            // It may have died in a call that another task makes: then nothing of it runs any more.
            if self.world.look().is_dead(cx.waker()) {
                return Poll::Ready(None);
            }
            match work.as_mut().poll(cx) {
                Poll::Ready(done) => Poll::Ready(Some(done)),
                Poll::Pending if self.life.is_over() || self.world.look().is_dead(cx.waker()) => {
                    Poll::Ready(None)
                }
                Poll::Pending => Poll::Pending,
            }
        })
        .await;
        self.life.begin(u64::MAX);
        ended
    }
    /// The program starts again on what is in the database.
    pub(crate) async fn start_again(&mut self) -> Result<(), Trouble> {
        self.world.look().program_died();
        self.db = self.db.begin_again((self.program.options)(1, self.clock.clone())).await?;
        self.ctx = ctx(&self.db, &self.world, &self.carriers)?;
        Ok(())
    }
    /// Background work, so many rounds; who dies in it starts again.
    pub(crate) async fn work(&mut self, rounds: u64, transactions: u64) -> Result<usize, Trouble> {
        let mut done = 0;
        for _ in 0..rounds {
            let (jobs, timers) = ((self.program.jobs)(), (self.program.timers)());
            match self.mortal(transactions, db::work_once(&self.ctx, jobs, timers)).await {
                Some(ran) => {
                    let ran = ran?;
                    done += ran;
                    if ran == 0 {
                        break;
                    }
                }
                None => {
                    self.start_again().await?;
                    break;
                }
            }
        }
        Ok(done)
    }

    /// Does a step.
    ///
    /// # Errors
    /// Faults, and answers that cannot be.
    pub async fn step(&mut self, n: usize, step: &Step) -> Result<(), Trouble> {
        (self.now, self.doing, self.touched) = (n, step.name(), BTreeSet::new());
        self.world.look().begin(n);
        let _ = write!(self.trace, "{n} {step:?}=");
        self.doing(step).await
    }
    /// What a step does, boxed: in one function, what begins each of them would lie on the stack of all, and that is a megabyte without
    /// optimisation.
    fn doing<'a>(&'a mut self, step: &'a Step) -> Pin<Box<dyn Future<Output = Result<(), Trouble>> + 'a>> {
        match step {
            Step::Place(wishes) => Box::pin(self.place(wishes)),
            Step::PlaceAndDie(wish, after) => Box::pin(self.place_and_die(wish, *after)),
            Step::Again(wish, other) => Box::pin(self.again(wish, *other)),
            Step::Hold(no) => Box::pin(self.hold(*no)),
            Step::Unhold(nos) => Box::pin(self.unhold(nos)),
            Step::Reject(no) => Box::pin(self.review_no(*no)),
            Step::Move(no, abroad) => Box::pin(self.moves_house(*no, *abroad)),
            Step::Cancel { no, line, refund } => Box::pin(self.cancel(*no, *line, *refund)),
            Step::Release(nos) => Box::pin(self.release(nos)),
            Step::Ask(nos) => Box::pin(self.ask(nos)),
            Step::Accept(nos) => Box::pin(self.accept(nos)),
            Step::Decline(no) => Box::pin(self.decline(*no)),
            Step::Pick(nos, how) => Box::pin(self.pick(nos, *how)),
            Step::Short(no, units) => Box::pin(self.short(*no, *units)),
            Step::Unpick(no) => Box::pin(self.unpick(*no)),
            Step::Pack(nos) => Box::pin(self.pack(nos)),
            Step::Station(nos, how) => Box::pin(self.station(nos, *how)),
            Step::Unpack(no) => Box::pin(self.unpack(*no)),
            Step::Label(nos, called) => Box::pin(self.label(nos, *called)),
            Step::Unlabel(no) => Box::pin(self.unlabel(*no)),
            Step::Ship(nos) => Box::pin(self.ship(nos)),
            Step::Track(nos, said, twice) => Box::pin(self.track(nos, *said, *twice)),
            Step::Scan(nos, said, together) => Box::pin(self.scan(nos, *said, *together)),
            Step::Forge(nos, said) => Box::pin(self.forge(nos, *said)),
            Step::Resend(no) => Box::pin(self.resend(*no)),
            Step::Capture(no, permille) => Box::pin(self.capture(*no, *permille)),
            Step::Void(no) => Box::pin(self.void(*no)),
            Step::Refund { no, amount, credit } => Box::pin(self.refund(*no, *amount, *credit)),
            Step::Arrives(nos, permille) => Box::pin(self.arrives(nos, *permille)),
            Step::Dispute(no, permille) => {
                self.dispute(*no, *permille);
                Box::pin(std::future::ready(Ok(())))
            }
            Step::Disputed(no, won) => {
                self.disputed(*no, *won);
                Box::pin(std::future::ready(Ok(())))
            }
            Step::Grant(no, amount) => Box::pin(self.grant(*no, *amount)),
            Step::Merge { no, other, swap } => Box::pin(self.merge(*no, *other, *swap)),
            Step::Return { no, line, units, ours } => Box::pin(self.ask_back(*no, *line, *units, *ours)),
            Step::Approve(no) => Box::pin(self.approve(*no)),
            Step::Refuse(no) => Box::pin(self.refuse(*no)),
            Step::Arrive(no, place) => Box::pin(self.arrive(*no, *place)),
            Step::Inspect(no, fate) => Box::pin(self.inspect(*no, *fate)),
            Step::Settle(no, what) => Box::pin(self.settle(*no, *what)),
            _ => Box::pin(self.surroundings(step)),
        }
    }
    /// Steps that are about no order.
    async fn surroundings(&mut self, step: &Step) -> Result<(), Trouble> {
        match step {
            Step::Shelf { stock, sku, place, units } => self.shelf(*stock, *sku, *place, *units).await,
            Step::Reserve { cart, sku, units, minutes } => self.reserve(*cart, *sku, *units, *minutes).await,
            Step::Unreserve(cart) => self.unreserve(*cart).await,
            Step::Hook(endpoint, what) => self.hook(*endpoint, *what).await,
            Step::Close => self.close().await,
            Step::Wait(seconds) => {
                self.clock.advance(seconds * Timestamp::SECOND);
                Ok(())
            }
            Step::Work(rounds) => self.work(*rounds, u64::MAX).await.map(drop),
            Step::WorkAndDie(after) => self.work(3, *after).await.map(drop),
            Step::Die => self.start_again().await,
            Step::Messages(seed) => self.messages(*seed).await.map(drop),
            other => Err(Trouble::odd(format!("nobody does {other:?}"))),
        }
    }
}

/// What planted bugs do to the database behind the program's back.
#[cfg(test)]
impl Sim {
    /// After each step.
    pub(crate) async fn plant_after(&self) -> Result<(), Trouble> {
        let text = match self.plant {
            Some(Plant::NoConfirmation) => {
                "DELETE FROM mail WHERE template = 'order_placed' AND sent_at IS NULL"
            }
            Some(Plant::NoSecondTry) => {
                "DELETE FROM webhook_delivery WHERE state = 'waiting' AND attempts > 0"
            }
            _ => return Ok(()),
        };
        db::write!(self.db, &self.by, |tx| tx.exec(text, []).await)?;
        Ok(())
    }
}

fn ctx(db: &Db, world: &Arc<Everything>, carriers: &Carriers) -> Result<Ctx, Fault> {
    let mailer = Mailer::through(world.postman(), "Sim <shop@example.com>")?;
    let gateways = Gateways(vec![Arc::new(SimGateway), Arc::new(Manual)]);
    let parts = Parts::default().with(mailer).with(gateways).with(carriers.clone());
    Ok(Ctx { db: db.clone(), outside: Arc::clone(world) as Arc<dyn kernel::outside::Outside>, parts })
}
