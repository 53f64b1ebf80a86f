//! What the process says about itself: logs on stderr, traces to an OTLP collector, metrics for Prometheus. Invariant: telemetry never
//! stops the work; a collector that is away costs spans, not requests.

use crate::config::{Config, LogFormat};
use crate::{Failure, outside};
use kernel::Fault;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::time::Duration;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

const SECONDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
const SIZES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];

/// What must be told before the process ends.
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Starts logs and, where an endpoint is set, traces. `quiet` is for commands that print results: they log warnings only.
    ///
    /// # Errors
    /// A usage failure when the filter or the endpoint does not read.
    pub fn start(config: &Config, quiet: bool) -> Result<Self, Failure> {
        let directives =
            config.log.filter.clone().unwrap_or_else(|| if quiet { "warn" } else { "info" }.to_owned());
        let filter = EnvFilter::try_new(&directives)
            .map_err(|e| Failure::Usage(format!("setting “log.filter”: {e}")))?;
        // Its lower levels tell what is written into the database, word for word.
        let quiet = "tokio_postgres=warn".parse().map_err(|e| Failure::Usage(format!("log filter: {e}")))?;
        let filter = filter.add_directive(quiet);
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        let lines = match config.log.format {
            LogFormat::Text => lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).boxed(),
            LogFormat::Json => lines.json().flatten_event(true).boxed(),
        };
        let traces = config
            .otel
            .endpoint
            .as_deref()
            .map(|endpoint| provider(endpoint, &config.otel.service_name))
            .transpose()?;
        let spans = traces.as_ref().map(|p| {
            // Our exporter's own HTTP client must not make spans of its spans.
            let ours = EnvFilter::new("info,hyper=off,reqwest=off,h2=off,opentelemetry=off");
            tracing_opentelemetry::layer().with_tracer(p.tracer("fulmar")).with_filter(ours)
        });
        // In tests several programs share the process: the first one's logs serve all.
        let _ = tracing_subscriber::registry().with(lines.with_filter(filter)).with(spans).try_init();
        Ok(Self { traces })
    }
    /// Sends what is left.
    pub async fn stop(self) {
        if let Some(traces) = self.traces {
            let ended =
                tokio::task::spawn_blocking(move || traces.shutdown_with_timeout(Duration::from_secs(5)))
                    .await;
            if let Ok(Err(error)) = ended {
                eprintln!("fulmar: the last traces were not sent: {error}");
            }
        }
    }
}

fn provider(endpoint: &str, service: &str) -> Result<SdkTracerProvider, Failure> {
    let wrong = |e: &dyn std::fmt::Display| Failure::Usage(format!("setting “otel.endpoint”: {e}"));
    outside::install_tls();
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().map_err(|e| wrong(&e))?;
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_http_client(Collector { client, runtime: tokio::runtime::Handle::current() })
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .build()
        .map_err(|e| wrong(&e))?;
    let resource = Resource::builder().with_service_name(service.to_owned()).build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

/// Spans are sent from a thread of the exporter that has no runtime: the call itself runs on ours.
#[derive(Debug)]
struct Collector {
    client: reqwest::Client,
    runtime: tokio::runtime::Handle,
}

#[async_trait::async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let call = self.runtime.spawn(async move {
            let answer = client.execute(reqwest::Request::try_from(request)?).await?;
            let status = answer.status();
            let mut response = Response::new(answer.bytes().await?);
            *response.status_mut() = status;
            Ok::<_, reqwest::Error>(response)
        });
        Ok(call.await??)
    }
}

/// Installs the recorder of metrics; once a process.
///
/// # Errors
/// A fault when another recorder is installed.
pub fn record_metrics() -> Result<PrometheusHandle, Fault> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_size".into()), SIZES)?
        .install_recorder()?;
    metrics::describe_histogram!(
        "fulmar_http_request_seconds",
        metrics::Unit::Seconds,
        "Time from request to answer, by route and status"
    );
    metrics::describe_histogram!("fulmar_lane_batch_size", "Commands that shared one transaction, by lane");
    metrics::describe_counter!("fulmar_jobs_done_total", "Background jobs that ended well, by name");
    metrics::describe_counter!("fulmar_jobs_failed_total", "Runs of background jobs that failed, by name");
    metrics::describe_counter!(
        "fulmar_transaction_retries_total",
        "Transactions that ran again because another writer was in the way"
    );
    metrics::describe_histogram!(
        "fulmar_outside_seconds",
        metrics::Unit::Seconds,
        "Calls to outside parties, by host and status"
    );
    metrics::describe_gauge!(
        "fulmar_jobs_waiting",
        "Background jobs that wait, at the time of the last look"
    );
    metrics::describe_gauge!(
        "fulmar_jobs_parked",
        "Background jobs that failed too often and wait for a person"
    );
    metrics::describe_gauge!("fulmar_events_pending", "Events whose listeners were not told yet");
    Ok(handle)
}
