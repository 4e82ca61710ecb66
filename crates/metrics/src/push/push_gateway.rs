//! Figures to a Prometheus push gateway, for jobs that do not live long enough to be scraped.
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bellwether_core::config::Validate as _;
use bellwether_core::resilience::{Jitter, RetrySchedule};
use bellwether_core::{Monotonic, RestartPolicy, SecretProviders, SharedClock, Stop, Task, Tasks};
use bellwether_http::header::{CONTENT_TYPE, HeaderValue};
use bellwether_http::{Client, Method, Request, StatusCode};

use super::delivery::Courier;
use super::{PushError, PushFigures};
use crate::{Registry, TEXT_CONTENT_TYPE};

mod config;
mod grouping;

pub use self::config::{AtEnd, PushGatewayConfig, Replace};

/// Pushes the figures of a registry to a push gateway, in the text format 0.0.4.
///
/// Once per [`interval`](PushGatewayConfig::interval) all figures are pushed as they stand. 429, 5xx and what was not answered is
/// tried again until the next are due; any other status is a refusal, counted as such. At the end of the host the figures are pushed
/// once more, or the group is deleted.
#[derive(Clone)]
pub struct PushGateway {
    figures: Arc<PushFigures>,
    task: Task,
}

impl PushGateway {
    /// Begins to push. The task is owned by the supervisor behind `tasks` and is started again for ever should it fail. Blocks
    /// while it reads secrets and certificates.
    pub fn start(
        config: &PushGatewayConfig,
        registry: &Registry,
        tasks: &Tasks,
        secrets: &SecretProviders,
    ) -> Result<Self, PushError> {
        config.check()?;
        let path = grouping::path(&config.job, &config.grouping);
        let client = Arc::new(Client::at(&config.target, &path, registry.clock(), secrets)?);
        let figures = Arc::new(PushFigures::new(&config.name));
        let task_name = format!("push {}", config.name);
        let (of_task, registry, config) = (Arc::clone(&figures), registry.clone(), config.clone());
        let run = move |stop| {
            let pusher = Pusher {
                courier: Courier {
                    client: Arc::clone(&client),
                    clock: SharedClock::clone(registry.clock()),
                    schedule: RetrySchedule::default(),
                    jitter: Jitter::from_system(),
                    figures: Arc::clone(&of_task),
                    is_transient: |status| {
                        status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
                    },
                    refused: |_| 0,
                    failing: false,
                },
                registry: registry.clone(),
                figures: Arc::clone(&of_task),
                interval: config.interval.get(),
                method: match config.replace {
                    Replace::Group => Method::PUT,
                    Replace::Metrics => Method::POST,
                },
                at_end: config.at_end,
            };
            pusher.run(stop)
        };
        Ok(Self { task: tasks.spawn(&task_name, RestartPolicy::forever(), run)?, figures })
    }

    /// How it fares, for a registry to collect. Samples are lines of text.
    pub fn figures(&self) -> Arc<PushFigures> {
        Arc::clone(&self.figures)
    }

    /// Its task.
    pub fn task(&self) -> &Task {
        &self.task
    }
}

impl fmt::Debug for PushGateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushGateway").field("sent", &self.figures.sent()).finish_non_exhaustive()
    }
}

/// The task.
struct Pusher {
    courier: Courier,
    registry: Registry,
    figures: Arc<PushFigures>,
    interval: Duration,
    method: Method,
    at_end: AtEnd,
}

impl Pusher {
    async fn run(mut self, stop: Stop) {
        let clock = SharedClock::clone(self.registry.clock());
        let mut due = clock.monotonic();
        loop {
            due = due.saturating_add(self.interval).max(clock.monotonic());
            let ends = stop.or(clock.sleep_until(due)).await.is_none();
            let latest = due.saturating_add(self.interval);
            if ends && self.at_end == AtEnd::Delete {
                self.courier.deliver(&Request::new(Method::DELETE), latest, &stop).await;
                return;
            }
            self.push(latest, &stop).await;
            if ends {
                return;
            }
        }
    }

    async fn push(&mut self, latest: Monotonic, stop: &Stop) {
        let text = self.registry.text();
        let samples = text.lines().filter(|line| !line.starts_with('#')).count();
        self.figures.set_queued(samples);
        let request = Request::new(self.method.clone())
            .with_header(CONTENT_TYPE, HeaderValue::from_static(TEXT_CONTENT_TYPE))
            .with_body(text);
        let delivery = self.courier.deliver(&request, latest, stop).await;
        self.courier.settle(&delivery, samples as u64);
        self.figures.set_queued(0);
    }
}
