//! Serving: the router of all slices, the worker beside it, and an end that loses nothing.
//!
//! Invariant: after SIGTERM no new connection is taken, every request that came in is answered (its transaction committed or rolled
//! back), the job that runs is finished, the node number is given back; only then the process ends.

use crate::config::Config;
use crate::{Failure, cmd, demo, people, program, slices, telemetry};
use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::get;
use db::{Ctx, FromRow};
use kernel::{Actor, Fault, Secret};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use web::{App, Role};

/// Who signs in to a new database.
const OWNER: &str = "owner@localhost";

/// What is said at the start.
#[derive(Debug, Serialize)]
pub struct Welcome {
    address: String,
    database: String,
    sign_in: Option<SignIn>,
}

/// How to sign in to a database that was new.
#[derive(Debug, Serialize)]
pub struct SignIn {
    /// Address.
    pub email: String,
    /// None where the one who started us gave it.
    pub password: Option<String>,
    /// A key for the API of the demo shop.
    pub api_key: Option<String>,
}

impl Welcome {
    /// Three lines: address, sign-in, data.
    pub fn lines(&self) -> String {
        let sign_in = match &self.sign_in {
            None => "your account".to_owned(),
            Some(s) => {
                let password = s
                    .password
                    .as_ref()
                    .map_or("the password of FULMAR_OWNER_PASSWORD".to_owned(), |p| format!("password {p}"));
                let key = s.api_key.as_ref().map_or(String::new(), |k| format!(", API key {k}"));
                format!("{} with {password}{key} (shown this once)", s.email)
            }
        };
        format!("Fulmar  {}\nSign in {sign_in}\nData    {}", self.address, self.database)
    }
}

/// Makes sure that somebody can sign in: the owner of a new database, or the demo shop and its user.
///
/// # Errors
/// Refusals (a password that is too short) and faults of the database.
pub async fn welcome(
    ctx: &Ctx,
    config: &Config,
    address: SocketAddr,
    demo: bool,
) -> Result<Welcome, Failure> {
    let sign_in = match people::nobody(ctx.db.read()).await? {
        false => None,
        true if demo => Some(demo::build(ctx, config).await?),
        true => Some(first_owner(ctx).await?),
    };
    let address = config.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    Ok(Welcome { address, database: config.database_shown(), sign_in })
}

async fn first_owner(ctx: &Ctx) -> Result<SignIn, Failure> {
    let given = std::env::var("FULMAR_OWNER_PASSWORD").ok().filter(|p| !p.is_empty());
    let password = given.clone().unwrap_or_else(people::random_password);
    people::add(&ctx.db, &Actor::system("setup"), OWNER, "Owner", Role::Owner, &password).await?;
    Ok(SignIn { email: OWNER.into(), password: given.is_none().then_some(password), api_key: None })
}

/// Serves until `told` is done.
///
/// # Errors
/// Faults of the socket, of telemetry and of the database.
pub async fn serve(
    ctx: Ctx,
    config: &Config,
    listener: TcpListener,
    told: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Failure> {
    let app = app(&ctx, config);
    let mut router = web::router(app.clone());
    if config.metrics.enabled {
        router =
            router.merge(metrics_route(&ctx, telemetry::record_metrics()?, config.metrics.token.clone()));
    }
    let (stop_work, work_stopped) = watch::channel(false);
    let worker = config
        .workers
        .then(|| tokio::spawn(db::work_until(ctx.clone(), slices::jobs(), slices::timers(), work_stopped)));
    let (stop_serving, stopped) = watch::channel(false);
    tokio::spawn(async move {
        told.await;
        tracing::info!("stopping: running requests are finished first");
        app.close_streams();
        let _ = stop_serving.send(true);
    });
    let mut drained = stopped.clone();
    let serving = axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(until(stopped));
    let grace = Duration::from_secs(config.shutdown_s);
    tokio::select! {
        ended = serving.into_future() => ended?,
        () = async { until_mut(&mut drained).await; tokio::time::sleep(grace).await } => {
            tracing::warn!(seconds = config.shutdown_s, "some requests did not end in time and are left");
        }
    }
    let _ = stop_work.send(true);
    if let Some(worker) = worker {
        worker.await.map_err(Fault::from)?;
    }
    cmd::close(ctx).await
}

/// The router of the whole program.
///
/// # Errors
/// A fault when a slice's part cannot be put together.
pub fn router(ctx: &Ctx, config: &Config) -> Result<Router, Failure> {
    Ok(web::router(app(ctx, config)))
}

fn app(ctx: &Ctx, config: &Config) -> App {
    App::new(ctx.clone(), slices::slices(), program::setup(ctx, config))
}

async fn until(mut told: watch::Receiver<bool>) {
    until_mut(&mut told).await;
}
async fn until_mut(told: &mut watch::Receiver<bool>) {
    // The sender only goes away with the process.
    let _ = told.wait_for(|stop| *stop).await;
}

/// Done when the process gets SIGTERM or SIGINT.
///
/// # Errors
/// A fault when signals cannot be listened for.
pub fn told_to_stop() -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[derive(FromRow)]
struct Backlog {
    waiting: i64,
    parked: i64,
    pending: i64,
}

/// `/metrics`; the backlog of work is read when somebody looks.
fn metrics_route(ctx: &Ctx, handle: PrometheusHandle, token: Option<Secret<String>>) -> Router {
    let db = ctx.db.clone();
    let expected = token.map(|t| format!("Bearer {}", t.expose()));
    let upkeep = handle.clone();
    tokio::spawn(async move {
        // Histograms keep samples until they are folded: also when nobody scrapes.
        loop {
            tokio::time::sleep(Duration::from_secs(5)).await;
            upkeep.run_upkeep();
        }
    });
    let show = move |headers: HeaderMap| async move {
        let given = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
        if expected.as_deref().is_some_and(|wanted| given != Some(wanted)) {
            return Err(StatusCode::UNAUTHORIZED);
        }
        let text = "SELECT CAST(COALESCE(SUM(CASE WHEN parked THEN 0 ELSE 1 END), 0) AS BIGINT) AS waiting, \
             CAST(COALESCE(SUM(CASE WHEN parked THEN 1 ELSE 0 END), 0) AS BIGINT) AS parked, \
             (SELECT COUNT(*) FROM event WHERE pending) AS pending FROM job";
        match db.read().one::<Backlog>(text, []).await {
            Ok(Some(backlog)) => {
                metrics::gauge!("fulmar_jobs_waiting").set(backlog.waiting as f64);
                metrics::gauge!("fulmar_jobs_parked").set(backlog.parked as f64);
                metrics::gauge!("fulmar_events_pending").set(backlog.pending as f64);
            }
            Ok(None) => {}
            Err(fault) => tracing::warn!(%fault, "the backlog cannot be read"),
        }
        Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], handle.render()))
    };
    Router::new().route("/metrics", get(show))
}
