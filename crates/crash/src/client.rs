//! A client: takes its orders through their lives, one request at a time, and checks them afterwards. Invariant: it sends no new request
//! for an order while one is unanswered; it repeats that one.

use crate::http::{Api, Sent};
use crate::journey::{Attempt, Journey, Known, Step};
use crate::judge::{Seen, Sort, Violation, judge};
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use reqwest::Method;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Before a request that was not answered is sent again.
const PAUSE: Duration = Duration::from_millis(20);
/// Before somebody looks again whether background work was done.
const REST: Duration = Duration::from_millis(150);
/// A server that is up and quiet has answered by then.
const ANSWER: Duration = Duration::from_secs(90);
/// Answers of a round that are asked for again, by each client.
const REPLAYS: usize = 25;
/// Orders of earlier rounds that are looked at again, by each client and round.
const OLD: usize = 4;

/// What all clients of one stretch of load share.
#[derive(Debug)]
pub struct Load {
    pub api: Api,
    pub round: u32,
    /// The id of the location that takes returns.
    pub warehouse: String,
    /// They end after the request they are at.
    pub stop: AtomicBool,
    /// The server is going to be killed: silence is the end.
    pub mortal: bool,
    /// Orders acknowledged so far.
    pub placed: watch::Sender<u64>,
    /// Problems answered so far.
    pub problems: watch::Sender<u64>,
}

/// What a client counted.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    pub acknowledged: u64,
    pub orders: u64,
    pub retried: u64,
    pub problems: u64,
    pub violations: Vec<Violation>,
}

impl Tally {
    pub fn add(&mut self, other: Self) {
        self.acknowledged += other.acknowledged;
        self.orders += other.orders;
        self.retried += other.retried;
        self.problems += other.problems;
        self.violations.extend(other.violations);
    }
}

/// A client with its orders.
#[derive(Debug)]
pub struct Client {
    name: String,
    rng: StdRng,
    made: u64,
    /// Orders on their way.
    pub active: Vec<Journey>,
    /// Orders whose journey is over.
    pub over: Vec<Journey>,
    pub tally: Tally,
}

impl Client {
    pub fn new(name: String, rng: StdRng) -> Self {
        Self { name, rng, made: 0, active: Vec::new(), over: Vec::new(), tally: Tally::default() }
    }
    pub fn journeys(&self) -> impl Iterator<Item = &Journey> {
        self.active.iter().chain(&self.over)
    }
    fn begin(&mut self, round: u32) -> usize {
        self.made += 1;
        let tag = format!("{}-{}", self.name, self.made);
        self.active.push(Journey::new(tag, round, &mut self.rng));
        self.active.len() - 1
    }

    /// Works until told to stop, or until a server that is going to be killed falls silent.
    pub async fn work(mut self, load: Arc<Load>) -> Self {
        while !load.stop.load(Ordering::Relaxed) {
            let n = self.choose(load.round);
            let mut journey = self.active.swap_remove(n);
            let goes_on = self.advance(&load, &mut journey).await;
            match journey.is_over() {
                true => self.over.push(journey),
                false => self.active.push(journey),
            }
            if !goes_on {
                if load.mortal {
                    break;
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
        self
    }

    /// Places one order, whatever it takes, until told to stop.
    pub async fn place_one(mut self, load: Arc<Load>) -> Self {
        let n = self.begin(load.round);
        let mut journey = self.active.swap_remove(n);
        while journey.known(Step::Place) != Known::Yes
            && !journey.given_up
            && !load.stop.load(Ordering::Relaxed)
        {
            if !self.advance(&load, &mut journey).await {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        self.active.push(journey);
        self
    }

    /// An order to go on with, or a new one.
    fn choose(&mut self, round: u32) -> usize {
        let now = Instant::now();
        let ready = |j: &Journey| j.rests_until.is_none_or(|until| until <= now);
        let some: Vec<usize> = (0..self.active.len()).filter(|&n| ready(&self.active[n])).collect();
        match some.choose(&mut self.rng) {
            Some(n) if !self.rng.random_bool(0.25) => *n,
            _ => self.begin(round),
        }
    }

    /// One request of a journey (and what must be looked up for it); false when it was not answered.
    async fn advance(&mut self, load: &Load, journey: &mut Journey) -> bool {
        journey.rests_until = None;
        if journey.open.is_none() {
            let Some(step) = journey.next() else { return true };
            let found = match look_up(&load.api, journey, step).await {
                Ok(Look::Found(id)) => id,
                Ok(Look::NotYet) => {
                    journey.rests_until = Some(Instant::now() + REST);
                    return true;
                }
                Err(_) => return false,
            };
            journey.touched = load.round;
            journey.open = journey.attempt(step, found.as_deref(), &load.warehouse);
            if journey.open.is_none() {
                self.give_up(journey, format!("an answer before {step:?} had no id"));
                return true;
            }
        }
        self.send_open(load, journey).await
    }

    /// Sends what is open; false when it was not answered.
    async fn send_open(&mut self, load: &Load, journey: &mut Journey) -> bool {
        let Some(attempt) = journey.open.as_mut() else { return true };
        attempt.sent += 1;
        if attempt.sent > 1 {
            self.tally.retried += 1;
        }
        let step = attempt.step;
        match send(&load.api, attempt).await {
            Sent::Answered { status: status @ 200..300, body, .. } => {
                self.tally.acknowledged += 1;
                journey.acknowledge(status, body, load.round);
                if step == Step::Place {
                    self.tally.orders += 1;
                    load.placed.send_modify(|n| *n += 1);
                }
                true
            }
            Sent::Answered { status: status @ 500.., problem, body } => {
                self.tally.problems += 1;
                load.problems.send_modify(|n| *n += 1);
                if !problem || body["code"].as_str().is_none() {
                    let says = format!("{step:?} failed with {status} and no problem: {body}");
                    self.tally.violations.push(Violation::new(Sort::Absurd, &journey.tag, says));
                }
                false
            }
            Sent::Answered { status, body, .. } => {
                self.give_up(journey, format!("{step:?} was refused with {status}: {body}"));
                true
            }
            Sent::Silence(_) => false,
        }
    }

    fn give_up(&mut self, journey: &mut Journey, says: String) {
        self.tally.violations.push(Violation::new(Sort::Absurd, &journey.tag, says));
        journey.open = None;
        journey.given_up = true;
    }

    /// After a failure, with the server up and quiet: what was unanswered is compared with what is there, then sent again; some answers
    /// are asked for again; then everything of this round is compared, and some of what is older. `there` has the ids of the orders of
    /// this round by their customer's address.
    pub async fn check(mut self, load: Arc<Load>, there: Arc<HashMap<String, Vec<String>>>) -> Self {
        let mut journeys: Vec<Journey> = self.active.drain(..).chain(self.over.drain(..)).collect();
        for journey in journeys.iter_mut().filter(|j| j.open.is_some()) {
            let known = there.get(&journey.email()).and_then(|ids| ids.first()).cloned();
            let id = journey.order().map(str::to_owned).or(known);
            if let Some(id) = &id {
                self.compare(&load, journey, id).await;
            }
            self.repeat_open(&load, journey).await;
            if let (Some(before), Some(after)) = (&id, journey.order())
                && before != after
            {
                let says = format!("it was there as {before} and its key answered {after}");
                self.tally.violations.push(Violation::new(Sort::Duplicated, &journey.tag, says));
            }
        }
        self.replay(&load, &journeys).await;
        let mut old: Vec<usize> = (0..journeys.len()).filter(|&n| journeys[n].touched < load.round).collect();
        while old.len() > OLD {
            let n = self.rng.random_range(0..old.len());
            old.swap_remove(n);
        }
        for (n, journey) in journeys.iter_mut().enumerate() {
            if journey.touched == load.round || old.contains(&n) {
                self.compare_known(&load, journey).await;
            }
        }
        (self.over, self.active) = journeys.into_iter().partition(Journey::is_over);
        self
    }

    /// Compares every order once more.
    pub async fn check_all(mut self, load: Arc<Load>) -> Self {
        let mut journeys: Vec<Journey> = self.active.drain(..).chain(self.over.drain(..)).collect();
        for journey in &mut journeys {
            self.compare_known(&load, journey).await;
        }
        (self.over, self.active) = journeys.into_iter().partition(Journey::is_over);
        self
    }

    async fn repeat_open(&mut self, load: &Load, journey: &mut Journey) {
        let began = Instant::now();
        while journey.open.is_some() {
            if self.send_open(load, journey).await {
                return;
            }
            if began.elapsed() > ANSWER {
                let says =
                    format!("its key got no answer in {} s from a server that is up", ANSWER.as_secs());
                self.give_up(journey, says);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Asks for answers of this round again.
    async fn replay(&mut self, load: &Load, journeys: &[Journey]) {
        let mine = |j: &Journey| !j.given_up && j.touched == load.round;
        let facts: Vec<_> = journeys
            .iter()
            .filter(|j| mine(j))
            .flat_map(|j| j.facts.iter().map(move |f| (j, f)))
            .filter(|(_, f)| f.round == load.round)
            .collect();
        let some: Vec<_> = facts.choose_multiple(&mut self.rng, REPLAYS).copied().collect();
        for (journey, fact) in some {
            let said = match self.ask_again(load, &fact.attempt).await {
                Sent::Answered { status, body, .. } if fact.is_repeated_by(status, &body) => continue,
                Sent::Answered { status, body, .. } => format!("{status} {body}"),
                Sent::Silence(why) => why,
            };
            let says = format!(
                "{:?} answered {} {} and, asked again, {said}",
                fact.attempt.step, fact.status, fact.answer
            );
            self.tally.violations.push(Violation::new(Sort::Changed, &journey.tag, says));
        }
    }

    /// Sends what was answered already once more, until it is answered with something else than a problem of the server's.
    async fn ask_again(&mut self, load: &Load, attempt: &Attempt) -> Sent {
        let began = Instant::now();
        loop {
            self.tally.retried += 1;
            let sent = send(&load.api, attempt).await;
            let again = matches!(sent, Sent::Answered { status: 500.., .. } | Sent::Silence(_));
            if !again || began.elapsed() > ANSWER {
                return sent;
            }
            self.tally.problems += 1;
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn compare_known(&mut self, load: &Load, journey: &mut Journey) {
        if let Some(id) = journey.order().map(str::to_owned).filter(|_| !journey.given_up) {
            self.compare(load, journey, &id).await;
        }
    }

    async fn compare(&mut self, load: &Load, journey: &mut Journey, id: &str) {
        let began = Instant::now();
        let shown = loop {
            match load.api.order(id).await {
                Err(_) if began.elapsed() < ANSWER => tokio::time::sleep(PAUSE).await,
                shown => break shown,
            }
        };
        match shown {
            Ok(Some(seen)) => {
                self.tally.violations.extend(judge(journey, &seen));
                notice(journey, &seen);
            }
            Ok(None) => {
                let says = format!("order {id} is not there");
                self.tally.violations.push(Violation::new(Sort::Lost, &journey.tag, says));
            }
            Err(why) => {
                let says = format!("a server that is up does not show it: {why}");
                self.tally.violations.push(Violation::new(Sort::Absurd, &journey.tag, says));
            }
        }
    }
}

fn notice(journey: &mut Journey, seen: &Seen) {
    journey.seen_paid |= seen.captured == journey.total();
}

async fn send(api: &Api, attempt: &Attempt) -> Sent {
    api.send(Method::POST, &attempt.path, Some(&attempt.key), Some(&attempt.body)).await
}

enum Look {
    /// All that is needed; the id that was looked up, where the step needs one.
    Found(Option<String>),
    /// It waits for background work.
    NotYet,
}

/// What a step needs to know that no answer gave.
async fn look_up(api: &Api, journey: &mut Journey, step: Step) -> Result<Look, String> {
    if !Journey::needs_money(step) && step != Step::Confirm {
        return Ok(Look::Found(None));
    }
    let Some(order) = journey.order().map(str::to_owned) else { return Ok(Look::NotYet) };
    if step == Step::Confirm {
        let payments = api.list(&format!("/v1/orders/{order}/payments")).await?;
        return Ok(first_id(&payments));
    }
    let Some(shown) = api.get(&format!("/v1/orders/{order}")).await? else { return Ok(Look::NotYet) };
    journey.seen_paid |= shown["totals"]["captured"].as_i64() == Some(journey.total());
    if !journey.seen_paid || shown["hold_count"] != 0 {
        return Ok(Look::NotYet);
    }
    if step != Step::Release {
        return Ok(Look::Found(None));
    }
    let fulfilments = api.list(&format!("/v1/fulfilments?order={order}")).await?;
    Ok(first_id(&fulfilments))
}

fn first_id(rows: &[Value]) -> Look {
    match rows.first().and_then(|row| row["id"].as_str()) {
        Some(id) => Look::Found(Some(id.to_owned())),
        None => Look::NotYet,
    }
}
