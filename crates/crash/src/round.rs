//! Rounds: load, failure, recovery, comparison. Invariant: a round compares everything that happened in it, before anything that was not
//! answered is sent again and after.

use crate::client::{Client, Load, Tally};
use crate::http::Api;
use crate::journey::{Known, Step};
use crate::judge::{Sort, Violation};
use crate::server::Server;
use crate::site::{Site, Space};
use crate::{Kind, Plan, Row, Stopped, Summary, shop};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Rounds of one kind on one database.
pub(crate) struct Series<'p> {
    plan: &'p Plan,
    pub kind: Kind,
    round: u32,
    key: String,
    warehouse: String,
    pub rng: StdRng,
    pub clients: Vec<Client>,
    /// Customers' addresses of the orders of earlier rounds.
    known: HashSet<String>,
    pub server: Server,
    pub site: Site,
}

/// Runs all rounds of a kind.
///
/// # Errors
/// When they cannot be run here, or the driver cannot go on.
pub(crate) async fn series(
    plan: &Plan,
    kind: Kind,
    rounds: u32,
    summary: &mut Summary,
    tell: &mut (dyn FnMut(&Row) + Send),
) -> Result<(), Stopped> {
    let mut series = Series::begin(plan, kind, summary.rounds).await?;
    let failed_before = summary.failed;
    let result = series.run(rounds, summary, tell).await;
    let wrong = result.is_err() || summary.failed > failed_before || !summary.violations.is_empty();
    let Series { mut server, site, .. } = series;
    server.kill().await?;
    if wrong {
        let kept = site.keep();
        eprintln!("logs are kept in {}", kept.display());
        summary.kept.push(kept);
    }
    result
}

impl<'p> Series<'p> {
    async fn begin(plan: &'p Plan, kind: Kind, round: u32) -> Result<Self, Stopped> {
        let site = Site::new(plan, kind).await?;
        if matches!(site.space, Space::Limited) {
            eprintln!("no file system can be mounted here: the disk is full by a limit on the size of files");
        }
        let key = site.binary.key().await?;
        let server = site.binary.serve(None).await?;
        let api = Api::new(server.address.clone(), key.clone()).map_err(Stopped::Failed)?;
        let warehouse = shop::open(&api).await.map_err(Stopped::Failed)?;
        // Tags are unlike those of other runs on the same database.
        let run = format!("t{:08x}", rand::random::<u32>());
        let seed =
            |n: u32| plan.seed.wrapping_mul(1_000_003).wrapping_add(u64::from(n) + 1_000 * kind as u64);
        let clients = (1..=plan.clients)
            .map(|n| Client::new(format!("{run}-{n}"), StdRng::seed_from_u64(seed(n))))
            .collect();
        let rng = StdRng::seed_from_u64(seed(0));
        Ok(Self { plan, kind, round, key, warehouse, rng, clients, known: HashSet::new(), server, site })
    }

    async fn run(
        &mut self,
        rounds: u32,
        summary: &mut Summary,
        tell: &mut (dyn FnMut(&Row) + Send),
    ) -> Result<(), Stopped> {
        for _ in 0..rounds {
            self.round += 1;
            let row = self.one().await?;
            summary.rounds += 1;
            summary.failed += u32::from(!row.holds());
            tell(&row);
        }
        self.end(summary).await
    }

    async fn one(&mut self) -> Result<Row, Stopped> {
        let outage = self.outage().await?;
        if let Some(ended) = self.server.ended()? {
            return Err(Stopped::Failed(format!("the server ended by itself: {ended}")));
        }
        let load = self.load(false)?;
        let there = Arc::new(self.recent(&load).await?);
        let mut running = JoinSet::new();
        for client in std::mem::take(&mut self.clients) {
            running.spawn(client.check(Arc::clone(&load), Arc::clone(&there)));
        }
        self.come_back(running).await?;
        let after = self.recent(&load).await?;
        let mut tally = self.take_tally();
        tally.violations.extend(self.compare_list(&after, |round| round == self.round));
        // A database that cannot even be verified while the server is quiet has nothing to say for itself.
        let broken = match self.site.binary.verify().await {
            Ok(broken) => broken,
            Err(why) => vec![why.to_string()],
        };
        let laws = broken.iter().map(|says| Violation::new(Sort::Broken, "", says));
        tally.violations.extend(laws);
        let mine = self.clients.iter().flat_map(Client::journeys).filter(|j| j.touched == self.round);
        let emails: Vec<String> = mine.map(crate::journey::Journey::email).collect();
        self.known.extend(emails);
        Ok(self.row(tally, broken.len(), outage))
    }

    /// Ids of the orders of this round (and a few older ones) by their customer's address.
    async fn recent(&self, load: &Load) -> Result<HashMap<String, Vec<String>>, Stopped> {
        let old = |page: &[(String, String)]| page.iter().all(|(_, email)| self.known.contains(email));
        load.api.orders(old).await.map(by_email).map_err(Stopped::Failed)
    }

    fn row(&self, tally: Tally, broken: usize, outage: crate::outage::Outage) -> Row {
        let count = |sort| tally.violations.iter().filter(|v| v.sort == sort).count() as u64;
        let ms = |took: Duration| u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        Row {
            round: self.round,
            kind: self.kind,
            database: self.plan.database.name(),
            acknowledged: tally.acknowledged,
            orders: tally.orders,
            retried: tally.retried,
            problems: tally.problems,
            lost: count(Sort::Lost),
            duplicated: count(Sort::Duplicated),
            changed: count(Sort::Changed),
            partial: count(Sort::Partial),
            absurd: count(Sort::Absurd),
            broken: broken as u64,
            ready_ms: outage.ready.map(ms),
            recovery_ms: outage.recovery.map(ms),
            how: outage.how,
            violations: tally.violations,
        }
    }

    /// Compares the list of orders with the journeys of some rounds: each acknowledged order once, with its id; no order of nobody.
    fn compare_list(&self, there: &HashMap<String, Vec<String>>, of: impl Fn(u32) -> bool) -> Vec<Violation> {
        let mut found = Vec::new();
        let mut expected = HashSet::new();
        for journey in self.clients.iter().flat_map(Client::journeys) {
            let email = journey.email();
            let ids = there.get(&email).map_or(&[][..], Vec::as_slice);
            if ids.len() > 1 {
                let says = format!("the list has {ids:?}");
                found.push(Violation::new(Sort::Duplicated, &journey.tag, says));
            }
            let placed = journey.facts.first().filter(|f| of(f.round));
            if let (Some(_), Some(id)) = (placed, journey.order())
                && !ids.iter().any(|there| there == id)
            {
                found.push(Violation::new(
                    Sort::Lost,
                    &journey.tag,
                    format!("order {id} is not in the list"),
                ));
            }
            expected.insert(email);
        }
        for email in there.keys().filter(|e| !expected.contains(*e)) {
            found.push(Violation::new(Sort::Partial, email, "nobody ordered that"));
        }
        found
    }

    /// After the last round: every order once more, and whether background work ends.
    async fn end(&mut self, summary: &mut Summary) -> Result<(), Stopped> {
        let load = self.load(false)?;
        if !self.plan.patience.is_zero() {
            self.settle(&load, summary).await?;
        }
        let all = load.api.orders(|_| false).await.map_err(Stopped::Failed)?;
        let mut running = JoinSet::new();
        for client in std::mem::take(&mut self.clients) {
            running.spawn(client.check_all(Arc::clone(&load)));
        }
        self.come_back(running).await?;
        let mine = |id: &(String, String)| {
            // A database that was given by its URL may have orders of earlier runs.
            self.known.contains(&id.1) || !matches!(self.plan.database, crate::Database::Url(_))
        };
        let all = by_email(all.into_iter().filter(mine).collect());
        summary.compared += self.clients.iter().flat_map(Client::journeys).count() as u64;
        summary.violations.extend(self.compare_list(&all, |_| true));
        summary.violations.extend(self.take_tally().violations);
        Ok(())
    }

    /// Waits until every card is charged; one that is not in time is lost.
    async fn settle(&self, load: &Load, summary: &mut Summary) -> Result<(), Stopped> {
        let began = Instant::now();
        let journeys = self.clients.iter().flat_map(Client::journeys);
        let mut open: Vec<_> = journeys
            .filter(|j| j.card && !j.seen_paid && !j.given_up && j.known(Step::Place) == Known::Yes)
            .collect();
        loop {
            let mut still = Vec::new();
            for journey in open {
                let Some(id) = journey.order() else { continue };
                let seen = load.api.order(id).await.map_err(Stopped::Failed)?;
                if seen.is_some_and(|s| s.captured == 0) {
                    still.push(journey);
                }
            }
            open = still;
            if open.is_empty() {
                let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
                summary.settled_ms = Some(summary.settled_ms.unwrap_or(0).max(took));
                return Ok(());
            }
            if began.elapsed() > self.plan.patience {
                let says = format!("its card was not charged in {} s of quiet", self.plan.patience.as_secs());
                summary.violations.extend(open.iter().map(|j| Violation::new(Sort::Lost, &j.tag, &says)));
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    pub(crate) fn load(&self, mortal: bool) -> Result<Arc<Load>, Stopped> {
        Ok(Arc::new(Load {
            api: Api::new(self.server.address.clone(), self.key.clone()).map_err(Stopped::Failed)?,
            round: self.round,
            warehouse: self.warehouse.clone(),
            stop: AtomicBool::new(false),
            mortal,
            placed: watch::Sender::new(0),
            problems: watch::Sender::new(0),
        }))
    }

    /// Sets all clients to work.
    pub(crate) fn go(&mut self, load: &Arc<Load>) -> JoinSet<Client> {
        let mut running = JoinSet::new();
        for client in std::mem::take(&mut self.clients) {
            running.spawn(client.work(Arc::clone(load)));
        }
        running
    }

    /// Waits for the clients to end.
    pub(crate) async fn come_back(&mut self, mut running: JoinSet<Client>) -> Result<(), Stopped> {
        while let Some(client) = running.join_next().await {
            self.clients.push(client.map_err(|e| Stopped::Failed(format!("a client broke: {e}")))?);
        }
        Ok(())
    }

    fn take_tally(&mut self) -> Tally {
        let mut all = Tally::default();
        for client in &mut self.clients {
            all.add(std::mem::take(&mut client.tally));
        }
        all
    }
}

fn by_email(orders: Vec<(String, String)>) -> HashMap<String, Vec<String>> {
    let mut there: HashMap<String, Vec<String>> = HashMap::new();
    for (id, email) in orders {
        there.entry(email).or_default().push(id);
    }
    there
}
