//! Figures to a receiver of OTLP over HTTP, such as an OpenTelemetry collector.
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bellwether_core::config::Validate as _;
use bellwether_core::resilience::{Jitter, RetrySchedule};
use bellwether_core::{RestartPolicy, SecretProviders, SharedClock, Stop, Task, Tasks};
use bellwether_http::header::{CONTENT_TYPE, HeaderValue};
use bellwether_http::{Answer, Client, Method, Request, StatusCode};
use prost::Message as _;

use super::delivery::Courier;
use super::{PushError, PushFigures};
use crate::Registry;

mod config;
mod export;
mod message;

pub use self::config::OtlpConfig;

use self::export::{Starts, pieces};
use self::message::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse, InstrumentationScope, KeyValue, Metric,
    Resource, ResourceMetrics, ScopeMetrics,
};

/// Most bytes of an answer that are read: it tells how many points were refused.
const MAX_ANSWER: usize = 64 * 1024;

/// Sends the figures of a registry by OTLP/HTTP, as protobuf.
///
/// Once per [`interval`](OtlpConfig::interval) all figures are sent as they stand: counters as cumulative, monotonic sums with the time
/// since which they count, gauges as gauges, histograms with explicit buckets. Names are those of the registry; units are those of UCUM.
///
/// Figures that cannot be delivered within an interval are dropped and counted: the next ones hold all that was counted meanwhile.
/// Tried again are 429, 502, 503, 504 and what was not answered, not before `Retry-After` has passed; any other status is a refusal.
/// Points that a receiver did refuse of a request that it took are counted as `refused`.
///
/// At the end of the host the figures are sent once more.
#[derive(Clone)]
pub struct Otlp {
    figures: Arc<PushFigures>,
    task: Task,
}

impl Otlp {
    /// Begins to send. The task is owned by the supervisor behind `tasks` and is started again for ever should it fail. Blocks
    /// while it reads secrets and certificates.
    pub fn start(
        config: &OtlpConfig,
        registry: &Registry,
        tasks: &Tasks,
        secrets: &SecretProviders,
    ) -> Result<Self, PushError> {
        config.check()?;
        let clock = registry.clock();
        let client = Arc::new(Client::new(&config.target, clock, secrets)?);
        let figures = Arc::new(PushFigures::new(&config.name));
        let mut attributes = vec![KeyValue::new("service.name", &config.service_name)];
        attributes.extend(config.attributes.iter().map(|(key, value)| KeyValue::new(key, value)));
        let began = clock.timestamp();
        let task_name = format!("push {}", config.name);
        let (of_task, registry, config) = (Arc::clone(&figures), registry.clone(), config.clone());
        let run = move |stop| {
            let exporter = Exporter {
                courier: Courier {
                    client: Arc::clone(&client),
                    clock: SharedClock::clone(registry.clock()),
                    schedule: RetrySchedule::default(),
                    jitter: Jitter::from_system(),
                    figures: Arc::clone(&of_task),
                    is_transient: |status| matches!(status.as_u16(), 429 | 502 | 503 | 504),
                    refused: rejected,
                    failing: false,
                },
                registry: registry.clone(),
                figures: Arc::clone(&of_task),
                resource: Resource { attributes: attributes.clone() },
                starts: Starts::new(began),
                interval: config.interval.get(),
                most: config.max_points_per_request,
            };
            exporter.run(stop)
        };
        Ok(Self { task: tasks.spawn(&task_name, RestartPolicy::forever(), run)?, figures })
    }

    /// How it fares, for a registry to collect.
    pub fn figures(&self) -> Arc<PushFigures> {
        Arc::clone(&self.figures)
    }

    /// Its task.
    pub fn task(&self) -> &Task {
        &self.task
    }
}

impl fmt::Debug for Otlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Otlp").field("sent", &self.figures.sent()).finish_non_exhaustive()
    }
}

/// The task.
struct Exporter {
    courier: Courier,
    registry: Registry,
    figures: Arc<PushFigures>,
    resource: Resource,
    starts: Starts,
    interval: Duration,
    most: usize,
}

impl Exporter {
    async fn run(mut self, stop: Stop) {
        let clock = SharedClock::clone(self.registry.clock());
        let mut due = clock.monotonic();
        loop {
            due = due.saturating_add(self.interval).max(clock.monotonic());
            let ends = stop.or(clock.sleep_until(due)).await.is_none();
            let snapshot = self.registry.snapshot();
            let pieces = pieces(&snapshot, &mut self.starts, self.most);
            let all: usize = pieces.iter().map(|(_, points)| points).sum();
            self.figures.set_queued(all);
            let latest = due.saturating_add(self.interval);
            for (metrics, points) in pieces {
                let request = self.request(metrics);
                let delivery = self.courier.deliver(&request, latest, &stop).await;
                self.courier.settle(&delivery, points as u64);
                self.figures.set_queued(self.figures.queued().saturating_sub(points));
            }
            if ends {
                return;
            }
        }
    }

    fn request(&self, metrics: Vec<Metric>) -> Request {
        let scope = InstrumentationScope {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let message = ExportMetricsServiceRequest {
            resource_metrics: vec![ResourceMetrics {
                resource: Some(self.resource.clone()),
                scope_metrics: vec![ScopeMetrics { scope: Some(scope), metrics }],
            }],
        };
        Request::new(Method::POST)
            .with_header(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"))
            .with_body(message.encode_to_vec())
            .reading_up_to(MAX_ANSWER)
    }
}

/// How many points the receiver did not take of those that it was sent; none if its answer does not say.
fn rejected(answer: &Answer) -> u64 {
    if answer.status != StatusCode::OK || !answer.is_whole {
        return 0;
    }
    let response = ExportMetricsServiceResponse::decode(answer.body.as_slice()).unwrap_or_default();
    response.partial_success.map_or(0, |partial| u64::try_from(partial.rejected_data_points).unwrap_or(0))
}
