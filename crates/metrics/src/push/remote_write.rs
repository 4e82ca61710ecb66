//! Samples to a receiver of Prometheus remote write 1.0, such as Prometheus itself, VictoriaMetrics, Mimir or Thanos.
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bellwether_core::config::Validate as _;
use bellwether_core::resilience::Jitter;
use bellwether_core::{
    Labels, MetricName, Monotonic, RestartPolicy, SecretProviders, SharedClock, Stop, Task, Tasks,
};
use bellwether_http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use bellwether_http::{Client, Method, Request, StatusCode};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::delivery::{Courier, Delivery};
use super::{PushError, PushFigures};

mod config;
mod feed;
mod message;
mod queue;

pub use self::config::RemoteWriteConfig;
pub use self::feed::Feed;

use self::message::{encode, message, metadata};
use self::queue::{Batch, Queue, Queued};

/// How often a metric's kind, help and unit are told again.
const METADATA_EVERY: Duration = Duration::from_mins(1);

/// Sends samples by Prometheus remote write 1.0.
///
/// Samples are handed over through [feeds](Self::feed) and sent in the order in which they came, one request at a time; a request has
/// what has come within [`max_delay`](RemoteWriteConfig::max_delay), at most
/// [`max_samples_per_request`](RemoteWriteConfig::max_samples_per_request).
///
/// | what the receiver does | what follows |
/// | --- | --- |
/// | 2xx | delivered |
/// | 429, 5xx, no answer | the same again, later and later, not before `Retry-After` has passed; the receiver takes it once |
/// | any other status | dropped and counted: the receiver would refuse it again |
///
/// What waits is kept in memory only, bounded in samples and in age. At the end of the host all that waits is tried once more; what
/// then is not taken is dropped and counted.
///
/// ```
/// use std::time::Duration;
/// use bellwether_core::{MaskedUrl, SecretProviders, Supervisor, SystemClock, UrlSource};
/// use bellwether_metrics::push::{RemoteWrite, RemoteWriteConfig};
/// use bellwether_metrics::{Registry, RegistryConfig};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
/// # runtime.block_on(async {
/// let clock = SystemClock::shared();
/// let tasks = Supervisor::new(&clock);
/// let metrics = Registry::new(&clock, RegistryConfig::default());
///
/// let url = MaskedUrl::parse("http://localhost:9090/api/v1/write")?;
/// let config = RemoteWriteConfig::new(UrlSource::Plain(url));
/// let writer = RemoteWrite::start(&config, &clock, &tasks.tasks(), &SecretProviders::none())?;
/// metrics.collect(writer.figures())?; // bellwether_push_...
///
/// // each time the registry is sampled
/// let mut feed = writer.feed();
/// feed.push(&metrics.sample());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct RemoteWrite {
    shared: Arc<Shared>,
    task: Task,
}

/// What feeds and the task have in common.
pub(crate) struct Shared {
    clock: SharedClock,
    queue: Mutex<Queue>,
    arrived: Notify,
    figures: Arc<PushFigures>,
}

impl Shared {
    fn push(&self, samples: Vec<Queued>) {
        self.queue.lock().push(self.clock.monotonic(), &mut samples.into_iter());
        self.arrived.notify_one();
    }
}

impl RemoteWrite {
    /// Begins to send. The task is owned by the supervisor behind `tasks` and is started again for ever should it fail. Blocks
    /// while it reads secrets and certificates; connects to nothing before there are samples.
    pub fn start(
        config: &RemoteWriteConfig,
        clock: &SharedClock,
        tasks: &Tasks,
        secrets: &SecretProviders,
    ) -> Result<Self, PushError> {
        Self::start_with_jitter(config, clock, tasks, secrets, Jitter::from_system())
    }

    /// The same with a source of the spread of waits: a seeded one repeats them.
    pub fn start_with_jitter(
        config: &RemoteWriteConfig,
        clock: &SharedClock,
        tasks: &Tasks,
        secrets: &SecretProviders,
        jitter: Jitter,
    ) -> Result<Self, PushError> {
        config.check()?;
        let client = Arc::new(Client::new(&config.target, clock, secrets)?);
        let figures = Arc::new(PushFigures::new(&config.name));
        let queue = Queue::new(
            config.max_queued_samples,
            config.max_age.get(),
            config.max_samples_per_request,
            Arc::clone(&figures),
        );
        let shared = Arc::new(Shared {
            clock: SharedClock::clone(clock),
            queue: Mutex::new(queue),
            arrived: Notify::new(),
            figures,
        });
        let task_name = format!("push {}", config.name);
        let (of_task, config) = (Arc::clone(&shared), config.clone());
        let run = move |stop| {
            let courier = Courier {
                client: Arc::clone(&client),
                clock: SharedClock::clone(&of_task.clock),
                schedule: config.schedule(),
                jitter: jitter.clone(),
                figures: Arc::clone(&of_task.figures),
                is_transient: |status| status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error(),
                refused: |_| 0,
                failing: false,
            };
            let writer = Writer {
                shared: Arc::clone(&of_task),
                courier,
                external_labels: config.external_labels.clone(),
                max_delay: config.max_delay.get(),
                max_age: config.max_age.get(),
                told: HashMap::new(),
            };
            writer.run(stop)
        };
        let task = tasks.spawn(&task_name, RestartPolicy::forever(), run)?;
        Ok(Self { shared, task })
    }

    /// Where the samples of one source are handed over.
    pub fn feed(&self) -> Feed {
        Feed::new(Arc::clone(&self.shared))
    }

    /// How it fares, for a registry to collect.
    pub fn figures(&self) -> Arc<PushFigures> {
        Arc::clone(&self.shared.figures)
    }

    /// Its task.
    pub fn task(&self) -> &Task {
        &self.task
    }
}

impl fmt::Debug for RemoteWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteWrite").field("queued", &self.shared.figures.queued()).finish_non_exhaustive()
    }
}

/// The task.
struct Writer {
    shared: Arc<Shared>,
    courier: Courier,
    external_labels: Labels,
    max_delay: Duration,
    max_age: Duration,
    /// When the kind, help and unit of each metric were told last.
    told: HashMap<MetricName, Monotonic>,
}

impl Writer {
    async fn run(mut self, stop: Stop) {
        // What an earlier run had taken when it failed is lost, and no longer under way.
        self.shared.queue.lock().settle();
        loop {
            self.wait(&stop).await;
            let now = self.shared.clock.monotonic();
            let taken = self.shared.queue.lock().take(now);
            match taken {
                Some(batch) => {
                    let stopped = self.send(batch, &stop).await;
                    self.shared.queue.lock().settle();
                    if stopped {
                        break;
                    }
                }
                None if stop.is_requested() => return,
                None => {}
            }
        }
        let left = self.shared.queue.lock().clear();
        self.shared.figures.dropped.shutdown.add(left as u64);
    }

    /// Until there are samples enough for a request, or some have waited long enough, or there is a request to stop.
    async fn wait(&self, stop: &Stop) {
        let Shared { clock, queue, arrived, .. } = &*self.shared;
        loop {
            let due = {
                let queue = queue.lock();
                if queue.fills_a_request() {
                    return;
                }
                queue.oldest().map(|since| since.saturating_add(self.max_delay))
            };
            let go_on = match due {
                None => stop.or(arrived.notified()).await.is_some(),
                Some(due) if clock.monotonic() >= due => return,
                Some(due) => {
                    let sleep = clock.sleep_until(due);
                    let either = async {
                        tokio::select! {
                            () = arrived.notified() => {}
                            () = sleep => {}
                        }
                    };
                    stop.or(either).await.is_some()
                }
            };
            if !go_on {
                return;
            }
        }
    }

    /// Sends what was taken. Says whether the host ends and nothing more is to be tried.
    async fn send(&mut self, batch: Batch, stop: &Stop) -> bool {
        let figures = Arc::clone(&self.shared.figures);
        let all = batch.samples.len() as u64;
        let now = self.shared.clock.monotonic();
        let latest = batch.since.saturating_add(self.max_age);
        let (request, duplicates) = {
            let descriptors: HashMap<_, _> = batch
                .samples
                .iter()
                .map(|queued| (&queued.series.descriptor.name, &queued.series.descriptor))
                .filter(|(name, _)| {
                    self.told.get(*name).is_none_or(|told| now.saturating_since(*told) >= METADATA_EVERY)
                })
                .collect();
            let mut told: Vec<_> = descriptors.values().map(|descriptor| metadata(descriptor)).collect();
            told.sort_unstable_by(|a, b| a.metric_family_name.cmp(&b.metric_family_name));
            let names: Vec<_> = descriptors.keys().map(|&name| name.clone()).collect();
            self.told.retain(|_, told| now.saturating_since(*told) < METADATA_EVERY);
            self.told.extend(names.into_iter().map(|name| (name, now)));
            let (mut request, duplicates) = message(batch.samples, &self.external_labels);
            request.metadata = told;
            (request, duplicates)
        };
        figures.dropped.duplicate.add(duplicates);
        let samples = all - duplicates;
        let Ok(body) = encode(&request) else {
            // Snappy takes 4 GiB; no request is that large.
            figures.dropped.refused.add(samples);
            return false;
        };
        let request = Request::new(Method::POST)
            .with_header(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"))
            .with_header(CONTENT_ENCODING, HeaderValue::from_static("snappy"))
            .with_header("x-prometheus-remote-write-version", HeaderValue::from_static("0.1.0"))
            .with_body(body);
        let delivery = self.courier.deliver(&request, latest, stop).await;
        self.courier.settle(&delivery, samples);
        matches!(delivery, Delivery::Stopped)
    }
}
