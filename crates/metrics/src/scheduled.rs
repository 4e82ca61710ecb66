//! Collectors that run on an interval of their own.

use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bellwether_core::resilience::RetrySchedule;
use bellwether_core::{
    Collect, CollectError, Descriptor, HumanDurationError, IntoDuration, MetricName, NameError, SpawnError,
    TaskOutput, Unit,
};

use crate::readings::Readings;
use crate::sampler::{MAX_SAMPLE_INTERVAL, MIN_SAMPLE_INTERVAL};

mod runs;
mod told;

pub use self::runs::MAX_RUNNING_COLLECTORS;
pub(crate) use self::runs::{Crew, Schedule, Surroundings};

/// Longest name of a scheduled collector, in bytes.
pub const MAX_COLLECTOR_NAME_LEN: usize = 100;

/// Greatest interval that a collector which fails is asked at, unless its own is greater: 5 minutes.
const MOST_BACKOFF: Duration = Duration::from_mins(5);

/// A collector with a name and an interval of its own, made by [`collector`] or [`async_collector`] and registered by
/// [`Registry::collect`](crate::Registry::collect).
///
/// It runs as a task of core's supervisor, from when a [`Sampler`](crate::Sampler) starts or
/// [`Registry::start_collectors`](crate::Registry::start_collectors) is called: first at once, then at whole multiples of its
/// interval since 1970-01-01T00:00:00Z. No scrape and no sample ever waits for it. They read what its last run that ended well
/// has told, all of it or nothing, and a sample of it bears the instant of the sampler's tick.
///
/// **Deadline.** A run gets one interval of time, or what [`deadline`](Self::deadline) says; what it tells later is dropped. One
/// that blocks runs on tokio's blocking pool, at most [`MAX_RUNNING_COLLECTORS`] of a registry at a time. A call that hangs cannot
/// be cut off: it gives its place to others at its deadline, the collector is passed over while it lasts (counted in
/// `bellwether_metrics_collector_skipped_total`), and should it last when the host shuts down, the supervisor's report names it.
/// (A tokio runtime that is dropped waits for such calls; `Runtime::shutdown_timeout` does not.)
///
/// **Failures.** An error, a panic or a missed deadline is counted in `bellwether_metrics_collector_failures_total`, told once per
/// change as a `tracing` event, and stops no other. The next run waits at least for the delay of the [retry](Self::retry)
/// schedule, by default one interval that doubles up to 5 minutes, and again for the grid.
///
/// **Age.** What was told last stays visible until it is older than [`stale_after`](Self::stale_after), by default three
/// intervals and the deadline; then the series are left out, so that no rule takes the past for the present. The age itself is
/// `bellwether_metrics_collector_age_seconds`.
///
/// **Metrics.** Those that are declared ([`gauge`](Self::gauge), [`counter`](Self::counter), [`declare`](Self::declare)) are
/// defined when the collector is registered, and a conflict is an error then. A closure may tell others too, see [`Readings`].
#[must_use = "a collector does nothing unless it is registered"]
pub struct ScheduledCollector {
    name: Cow<'static, str>,
    source: Source,
    descriptors: Vec<Descriptor>,
    undeclared: bool,
    interval: Duration,
    deadline: Option<Duration>,
    stale_after: Option<Duration>,
    retry: Option<RetrySchedule>,
    /// The first thing that is wrong with it.
    problem: Option<ScheduleError>,
}

/// Why a collector cannot be scheduled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// The name is empty, too long or not printable.
    #[error("collector name {name:?} is not 1 to {MAX_COLLECTOR_NAME_LEN} bytes of printable text")]
    Name {
        /// The name, cut to the length allowed.
        name: String,
    },
    /// A text is no duration.
    #[error("collector {collector:?}, {what}: {source}")]
    Duration {
        /// The collector.
        collector: String,
        /// Which of its lengths.
        what: &'static str,
        /// What is wrong with it.
        source: HumanDurationError,
    },
    /// A length is too short or too long.
    #[error(
        "collector {collector:?}: {what} {length:?} is outside of {MIN_SAMPLE_INTERVAL:?} to {MAX_SAMPLE_INTERVAL:?}"
    )]
    Range {
        /// The collector.
        collector: String,
        /// Which of its lengths.
        what: &'static str,
        /// The length.
        length: Duration,
    },
    /// The name of a declared metric is none.
    #[error("collector {collector:?}: {source}")]
    Metric {
        /// The collector.
        collector: String,
        /// What is wrong with the name.
        source: NameError,
    },
    /// There can be no task.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
}

/// What runs: boxed, since a registry holds many of them.
pub(crate) enum Source {
    Blocking(Call),
    Async(AsyncCall),
}

pub(crate) type Call = Box<dyn FnMut(&mut Readings) -> Result<(), CollectError> + Send>;
pub(crate) type Answer = Pin<Box<dyn Future<Output = Result<Readings, CollectError>> + Send>>;
pub(crate) type AsyncCall = Box<dyn FnMut(Readings) -> Answer + Send>;

/// A collector that is a function: `collect` runs once per interval and tells what there is. It may block; it runs on tokio's
/// blocking pool. It returns nothing, or a `Result` whose error is the failure of the run.
///
/// ```
/// use bellwether_core::{Supervisor, SystemClock};
/// use bellwether_metrics::{Registry, RegistryConfig, collector};
///
/// # struct Gateway;
/// # impl Gateway { fn sessions(&self) -> u32 { 3 } }
/// # let gw = Gateway;
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
/// # runtime.block_on(async {
/// let clock = SystemClock::shared();
/// let tasks = Supervisor::new(&clock);
/// let metrics = Registry::new(&clock, RegistryConfig::default());
/// metrics.collect(collector("gateway", "5s", move |out| out.gauge("gateway_sessions", gw.sessions().into())))?;
/// metrics.start_collectors(&tasks.tasks())?; // a `Sampler` does it, too
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub fn collector<F, R>(
    name: impl Into<Cow<'static, str>>,
    interval: impl IntoDuration,
    mut collect: F,
) -> ScheduledCollector
where
    F: FnMut(&mut Readings) -> R + Send + 'static,
    R: TaskOutput,
{
    let call =
        move |out: &mut Readings| collect(out).failure().map_or(Ok(()), |why| Err(CollectError::new(why)));
    ScheduledCollector::new(name.into(), interval, Source::Blocking(Box::new(call)))
}

/// A collector that is an asynchronous function: it gets the readings, fills them and gives them back. At the deadline its future
/// is dropped. It must not block; [`collector`] may.
///
/// ```
/// use bellwether_core::{SystemClock, Unit};
/// use bellwether_metrics::{Registry, RegistryConfig, async_collector};
///
/// # #[derive(Clone)] struct Broker;
/// # impl Broker { async fn margin(&self) -> Result<f64, std::io::Error> { Ok(0.4) } }
/// # let broker = Broker;
/// let metrics = Registry::new(&SystemClock::shared(), RegistryConfig::default());
/// let margin = async_collector("margin", "30s", move |mut out| {
///     let broker = broker.clone();
///     async move {
///         out.gauge("broker_margin_ratio", broker.margin().await?);
///         Ok::<_, std::io::Error>(out)
///     }
/// });
/// metrics.collect(margin.deadline("5s").gauge("broker_margin_ratio", Unit::Ratio, "Margin in use at the broker."))?;
/// # Ok::<(), bellwether_metrics::RegistryError>(())
/// ```
pub fn async_collector<F, Fut, E>(
    name: impl Into<Cow<'static, str>>,
    interval: impl IntoDuration,
    mut collect: F,
) -> ScheduledCollector
where
    F: FnMut(Readings) -> Fut + Send + 'static,
    Fut: Future<Output = Result<Readings, E>> + Send + 'static,
    Result<(), E>: TaskOutput,
{
    let call = move |out: Readings| -> Answer {
        let answer = collect(out);
        Box::pin(async move {
            answer.await.map_err(|error| {
                // An `Err` always is a failure.
                CollectError::new(Err::<(), E>(error).failure().unwrap_or_default())
            })
        })
    };
    ScheduledCollector::new(name.into(), interval, Source::Async(Box::new(call)))
}

impl ScheduledCollector {
    /// Any [`Collect`] on an interval of its own: for one that is too slow to be asked at every sample. It may block, and may
    /// tell only what it declares.
    pub fn of(
        name: impl Into<Cow<'static, str>>,
        interval: impl IntoDuration,
        collector: impl Collect + 'static,
    ) -> Self {
        let descriptors = collector.descriptors().to_vec();
        let call = move |out: &mut Readings| collector.collect(out);
        let mut scheduled = Self::new(name.into(), interval, Source::Blocking(Box::new(call)));
        scheduled.descriptors = descriptors;
        scheduled.undeclared = false;
        scheduled
    }

    fn new(name: Cow<'static, str>, interval: impl IntoDuration, source: Source) -> Self {
        let mut scheduled = Self {
            name,
            source,
            descriptors: Vec::new(),
            undeclared: true,
            interval: Duration::ZERO,
            deadline: None,
            stale_after: None,
            retry: None,
            problem: None,
        };
        let name = &scheduled.name;
        if name.is_empty() || name.len() > MAX_COLLECTOR_NAME_LEN || name.chars().any(char::is_control) {
            let end = name.floor_char_boundary(MAX_COLLECTOR_NAME_LEN);
            let name = name.get(..end).unwrap_or_default().to_owned();
            scheduled.problem = Some(ScheduleError::Name { name });
        }
        scheduled.interval = scheduled.length("interval", interval).unwrap_or_default();
        scheduled
    }

    /// How long a run may take. Default: the interval.
    pub fn deadline(mut self, deadline: impl IntoDuration) -> Self {
        self.deadline = self.length("deadline", deadline);
        self
    }

    /// How old what was told last may be to be told still. Default: three intervals and the deadline.
    pub fn stale_after(mut self, age: impl IntoDuration) -> Self {
        self.stale_after = self.length("age", age);
        self
    }

    /// How long to wait at least after a run that failed. Its limits of attempts and time do not matter: a collector is never
    /// given up. Default: one interval, then twice as long each time, up to 5 minutes or the interval.
    pub fn retry(mut self, schedule: RetrySchedule) -> Self {
        self.retry = Some(schedule);
        self
    }

    /// Declares a gauge that it tells.
    pub fn gauge(
        self,
        name: impl Into<Cow<'static, str>>,
        unit: Unit,
        help: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.declare_named(name.into(), |name| Descriptor::gauge(name, unit, help))
    }

    /// Declares a counter that it tells.
    pub fn counter(
        self,
        name: impl Into<Cow<'static, str>>,
        unit: Unit,
        help: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.declare_named(name.into(), |name| Descriptor::counter(name, unit, help))
    }

    /// Declares a metric that it tells.
    pub fn declare(mut self, descriptor: Descriptor) -> Self {
        self.descriptors.push(descriptor);
        self
    }

    fn declare_named(
        mut self,
        name: Cow<'static, str>,
        describe: impl FnOnce(MetricName) -> Descriptor,
    ) -> Self {
        match MetricName::new(name) {
            Ok(name) => self.descriptors.push(describe(name)),
            Err(source) => {
                let collector = self.name.to_string();
                self.problem.get_or_insert(ScheduleError::Metric { collector, source });
            }
        }
        self
    }

    fn length(&mut self, what: &'static str, length: impl IntoDuration) -> Option<Duration> {
        let collector = || self.name.to_string();
        let problem = match length.into_duration() {
            Ok(length) if (MIN_SAMPLE_INTERVAL..=MAX_SAMPLE_INTERVAL).contains(&length) => {
                return Some(length);
            }
            Ok(length) => ScheduleError::Range { collector: collector(), what, length },
            Err(source) => ScheduleError::Duration { collector: collector(), what, source },
        };
        self.problem.get_or_insert(problem);
        None
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the registry schedules, or what is wrong.
    pub(crate) fn checked(self) -> Result<Checked, ScheduleError> {
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        let interval = self.interval;
        let deadline = self.deadline.unwrap_or(interval);
        let usual =
            RetrySchedule::builder().first(interval).cap(MOST_BACKOFF.max(interval)).jitter(0.25).build();
        Ok(Checked {
            name: self.name,
            source: self.source,
            descriptors: self.descriptors.into_iter().map(Arc::new).collect(),
            undeclared: self.undeclared,
            interval,
            deadline,
            stale_after: self.stale_after.unwrap_or(interval.saturating_mul(3).saturating_add(deadline)),
            retry: self.retry.unwrap_or(usual.unwrap_or_default()),
        })
    }
}

/// A collector whose settings are in order.
pub(crate) struct Checked {
    pub(crate) name: Cow<'static, str>,
    pub(crate) source: Source,
    pub(crate) descriptors: Vec<Arc<Descriptor>>,
    pub(crate) undeclared: bool,
    pub(crate) interval: Duration,
    pub(crate) deadline: Duration,
    pub(crate) stale_after: Duration,
    pub(crate) retry: RetrySchedule,
}

impl fmt::Debug for ScheduledCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScheduledCollector")
            .field("name", &self.name)
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}
