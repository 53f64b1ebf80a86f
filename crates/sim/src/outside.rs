//! The outside world: what gateway, carriers, mail server and receivers really did, whatever they answer. Calls are lost before or after
//! their effect, answered late or in a garble, or the program dies while it waits; messages come late, twice and in any order.
//!
//! Invariants: the same idempotency key has one effect; money is only taken that was set aside, and only given back that was taken; what
//! happens follows from the seed, the step and the thing it happens to.

mod bank;
mod carriers;
mod post;
mod receivers;

pub use bank::Purse;
pub use carriers::{News, Scan, forged, signed};
pub use post::{FULL, Letter, NOBODY, Postman};
pub use receivers::{ENDPOINTS, POISON, Receipt, SECRET, url};

use crate::dice::{Dice, Streams, hash};
use crate::gateway::{CARRIER, KEY, Message};
use db::Clock;
use kernel::Timestamp;
use kernel::outside::{HttpAnswer, HttpCall, NoAnswer, Outside};
use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Nothing,
    LostBefore,
    LostAfter,
    Garbled,
    Slow,
    DiesBefore,
    DiesAfter,
}

/// The world.
#[derive(Debug)]
pub struct World {
    streams: Streams,
    clock: Clock,
    calm: bool,
    /// What ids are called in every run of a trace: ids themselves change with what else is in it.
    names: BTreeMap<String, String>,
    operations: BTreeMap<String, bank::Operation>,
    purses: BTreeMap<i64, Purse>,
    labels: BTreeMap<String, carriers::Bought>,
    messages: Vec<Message>,
    said: u64,
    news: Vec<News>,
    letters: BTreeMap<String, post::Sent>,
    arrived: Vec<Letter>,
    deliveries: BTreeMap<(usize, String), receivers::Delivery>,
    receipts: Vec<Receipt>,
    /// How often each receiver said that it is gone.
    gone: BTreeMap<usize, u64>,
    offences: Vec<String>,
    /// The program that made the call is dead: it never hears the answer.
    dead: bool,
    /// Who has to hear of its death.
    waker: Option<Waker>,
    /// How often the program has died.
    life: u64,
    #[cfg(test)]
    fresh_keys: bool,
}

/// The world behind the executor of outside calls.
pub struct Everything(Mutex<World>);

impl Everything {
    /// A world of a seed.
    pub fn new(seed: u64, clock: Clock) -> Self {
        Self(Mutex::new(World {
            streams: Streams::new(seed),
            clock,
            calm: false,
            names: BTreeMap::new(),
            operations: BTreeMap::new(),
            purses: BTreeMap::new(),
            labels: BTreeMap::new(),
            messages: Vec::new(),
            said: 0,
            news: Vec::new(),
            letters: BTreeMap::new(),
            arrived: Vec::new(),
            deliveries: BTreeMap::new(),
            receipts: Vec::new(),
            gone: BTreeMap::new(),
            offences: Vec::new(),
            dead: false,
            waker: None,
            life: 0,
            #[cfg(test)]
            fresh_keys: false,
        }))
    }
    /// The world itself.
    pub fn look(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// The way e-mails go.
    pub fn postman(self: &Arc<Self>) -> Postman {
        Postman(Arc::clone(self))
    }
}

impl Outside for Everything {
    fn call(
        &self,
        call: HttpCall,
    ) -> Pin<Box<dyn Future<Output = Result<HttpAnswer, NoAnswer>> + Send + '_>> {
        let answer = self.look().answer(&call);
        Box::pin(async move {
            match answer {
                Some(answer) => answer,
                None => pending().await,
            }
        })
    }
}

fn answer(status: u16, body: Vec<u8>) -> Result<HttpAnswer, NoAnswer> {
    Ok(HttpAnswer { status, headers: Vec::new(), body })
}

impl World {
    /// A step begins, by its number in the seed's trace.
    pub fn begin(&mut self, step: usize) {
        self.streams.begin(step);
    }
    /// Nothing goes wrong any more, and what waits for somebody happens.
    pub fn calm_down(&mut self) {
        self.calm = true;
        self.finish_waiting();
    }
    /// The program died.
    pub fn program_died(&mut self) {
        self.dead = false;
        self.life += 1;
    }
    /// Whether the program is dead without knowing it; who asks is woken when it dies.
    pub fn is_dead(&mut self, waker: &Waker) -> bool {
        self.waker = Some(waker.clone());
        self.dead
    }
    /// How calls went against the rules.
    pub fn offences(&mut self) -> Vec<String> {
        std::mem::take(&mut self.offences)
    }
    /// What an id is called, whatever else is in the trace.
    pub fn name(&mut self, id: impl ToString, name: String) {
        self.names.insert(id.to_string(), name);
    }
    fn name_of(&self, id: &str) -> String {
        self.names.get(id).cloned().unwrap_or_else(|| "?".to_owned())
    }
    fn die(&mut self) {
        self.dead = true;
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn answer(&mut self, call: &HttpCall) -> Option<Result<HttpAnswer, NoAnswer>> {
        if self.dead {
            return None;
        }
        if let Some(endpoint) = receivers::endpoint(&call.url) {
            return self.receive(endpoint, call);
        }
        let key = call.headers.iter().find(|(name, _)| name == KEY).map(|(_, key)| key.clone());
        let key = key.unwrap_or_default();
        let carrier = call.url.starts_with(CARRIER);
        let thing = match carrier {
            true => format!("{} {}", call.url, self.name_of(&key)),
            false => self.asked_name(call),
        };
        let wrong = self.what_goes_wrong(&thing, 30);
        match wrong {
            Wrong::DiesBefore => {
                self.die();
                return None;
            }
            Wrong::LostBefore => return Some(Err(NoAnswer("the call was lost".to_owned()))),
            _ => {}
        }
        let result = match carrier {
            true => self.carrier(call, &key),
            false => self.gateway(call, key, wrong == Wrong::Slow),
        };
        match wrong {
            Wrong::LostAfter => Some(Err(NoAnswer("the answer was lost".to_owned()))),
            Wrong::Garbled => Some(answer(502, b"<html>Bad Gateway".to_vec())),
            Wrong::DiesAfter => {
                self.die();
                None
            }
            _ => Some(result),
        }
    }
    /// What goes wrong with a call about a thing, and how often in a thousand the program dies in it.
    fn what_goes_wrong(&mut self, thing: &str, deaths: u64) -> Wrong {
        if self.calm {
            return Wrong::Nothing;
        }
        let mut dice = self.streams.of(thing);
        if dice.chance(deaths) {
            return if dice.chance(333) { Wrong::DiesBefore } else { Wrong::DiesAfter };
        }
        match dice.below(100) {
            0..=4 => Wrong::LostBefore,
            5..=10 => Wrong::LostAfter,
            11..=14 => Wrong::Garbled,
            15..=19 => Wrong::Slow,
            _ => Wrong::Nothing,
        }
    }
    /// Time goes by while somebody waits for an answer.
    fn takes_a_while(&mut self, thing: &str, most: i64) {
        let seconds = self.streams.of(&format!("slow {thing}")).range(1, most);
        self.clock.advance(seconds * Timestamp::SECOND);
    }
}

/// What becomes of a message that may arrive now: its place among the others, and a throw of ten.
fn arrival(seed: u64, tag: &str) -> (u64, usize) {
    let mut dice = Dice::new(seed ^ hash(tag), 3);
    (dice.next(), dice.below(10))
}
