//! Owns all metrics of a host, or of one part of it.

use std::any::type_name;
use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use bellwether_core::{
    Aggregate, Collect, Descriptor, HistoryError, HistoryQuery, MetricName, Page, PageRequest, SampleBatch,
    SampleHistory, SampleWindows, Selector, SeriesSample, SeriesValue, SharedClock, TimeRange, Timestamp,
    Unit, async_trait,
};
use parking_lot::{Mutex, ReentrantMutex};

use crate::collector::Collector;
use crate::error::{Definition, RegistryError};
use crate::exposition::{Exposition, Format, Room};
use crate::gather::{Gatherer, Visit};
use crate::history::History;
use crate::instrument::Declared;
use crate::metric::{AnyMetric, SeriesBounds};
use crate::names::Names;
use crate::own_metrics::{CollectorFigures, Figures, OwnFigures};
use crate::sample::Sampling;
#[cfg(feature = "runtime")]
use crate::scheduled::Crew;
use crate::snapshot::{SeriesSnapshot, Snapshot, Value};
use crate::subscription::{Audience, Selectors, SubscribeError, Subscription};
use crate::{
    Buckets, Counter, CounterFamily, Gauge, GaugeFamily, Histogram, HistogramFamily, Recent, RegistryConfig,
    Timer, Trend,
};

mod admit;
mod by_labels;
mod define;
mod instruments;
mod removal;

pub use self::admit::CollectorSource;
#[cfg(any(feature = "runtime", feature = "prometheus"))]
pub(crate) use self::admit::WeakRegistry;

/// Owns the metrics of a host, or of one part of it: instruments, collectors, and their recent past.
///
/// Cloning copies a pointer. Several registries live side by side and never see each other.
///
/// **Definitions.** The same definition again gives the same handle; one that differs in kind, unit, help, labels or
/// buckets is an error that names both. The name of a counter must end in `_total`, and it is the same name in code,
/// rules and exposition. A histogram `x` takes `x_bucket`, `x_count`, `x_sum` and `x_created` for itself,
/// a counter `x_total` takes `x` and `x_created`: those are names in one exposition format or another.
///
/// **Bounds.** Everything has one, see [`RegistryConfig`]; what is refused or dropped at a bound is counted in the
/// registry's [own metrics](crate::OWN_METRICS).
///
/// **Time.** [`sample`](Registry::sample) stamps with the wall time of the clock, which each caller reads when its turn
/// has come: several callers never take one another for a clock that was set back. When the wall clock was set back since
/// the last sample, samples that are stamped after the new time are dropped and counted, and sampling goes on: the past
/// never holds what lies in the future. When it was set forth, the age of what there is grows with it.
///
/// **Reading while collecting.** A collector must not read the registry it is asked by (its windows excepted): such a
/// call finds nothing and is counted. Scrapes and samples take turns; none of them holds a lock that a recording or a
/// look-up of a known label set waits for.
#[derive(Clone)]
pub struct Registry(Arc<Inner>);

struct Inner {
    clock: SharedClock,
    config: RegistryConfig,
    figures: Arc<Figures>,
    names: Mutex<Names>,
    history: Arc<History>,
    /// Of one reader at a time. A collector that reads on the same thread finds it borrowed.
    gatherer: ReentrantMutex<RefCell<Gatherer>>,
    /// Registered since the gatherer last looked.
    arrivals: Mutex<Arrivals>,
    audience: Arc<Audience>,
    #[cfg(feature = "runtime")]
    crew: Mutex<Crew>,
}

#[derive(Default)]
struct Arrivals {
    metrics: Vec<AnyMetric>,
    collectors: Vec<Collector>,
    /// Metrics were removed.
    parted: bool,
}

/// The history is swept once in so many samples.
const SWEEP_EVERY: u32 = 64;

impl Registry {
    /// A registry of its own, which so far tells only about itself. Numbers of `config` that are outside of their range
    /// are brought to the nearest end of it.
    pub fn new(clock: &SharedClock, config: RegistryConfig) -> Self {
        let config = config.clamped();
        let figures = Arc::new(Figures::new(clock));
        // Room for a histogram's two series each, overflow series and own ones included, and for as many host's again that
        // have gone quiet.
        let most_series = 4 * config.max_series + 2 * config.max_metrics + 2 * config.max_collectors + 64;
        let history = History::new(
            config.history.clone(),
            most_series,
            SharedClock::clone(clock),
            Arc::clone(&figures),
        );
        let registry = Self(Arc::new(Inner {
            clock: SharedClock::clone(clock),
            config,
            figures: Arc::clone(&figures),
            names: Mutex::new(Names::default()),
            history: Arc::new(history),
            gatherer: ReentrantMutex::new(RefCell::new(Gatherer::default())),
            arrivals: Mutex::new(Arrivals::default()),
            audience: Arc::new(Audience::new(&figures)),
            #[cfg(feature = "runtime")]
            crew: Mutex::default(),
        }));
        registry.admit_own(OwnFigures::new(figures, clock));
        registry
    }

    /// A counter without labels.
    pub fn counter<M>(
        &self,
        name: M,
        unit: Unit,
        help: impl Into<Cow<'static, str>>,
    ) -> Result<Counter, RegistryError>
    where
        M: TryInto<MetricName>,
        RegistryError: From<M::Error>,
    {
        self.only(Descriptor::counter(name.try_into()?, unit, help), ())
    }

    /// Counters that differ in labels.
    pub fn counter_family<M, const N: usize>(
        &self,
        name: M,
        unit: Unit,
        help: impl Into<Cow<'static, str>>,
        labels: [impl Into<Cow<'static, str>>; N],
    ) -> Result<CounterFamily<N>, RegistryError>
    where
        M: TryInto<MetricName>,
        RegistryError: From<M::Error>,
    {
        self.family(Descriptor::counter(name.try_into()?, unit, help), labels, ())
    }

    /// A gauge without labels.
    pub fn gauge<M>(
        &self,
        name: M,
        unit: Unit,
        help: impl Into<Cow<'static, str>>,
    ) -> Result<Gauge, RegistryError>
    where
        M: TryInto<MetricName>,
        RegistryError: From<M::Error>,
    {
        self.only(Descriptor::gauge(name.try_into()?, unit, help), ())
    }

    /// Gauges that differ in labels.
    pub fn gauge_family<M, const N: usize>(
        &self,
        name: M,
        unit: Unit,
        help: impl Into<Cow<'static, str>>,
        labels: [impl Into<Cow<'static, str>>; N],
    ) -> Result<GaugeFamily<N>, RegistryError>
    where
        M: TryInto<MetricName>,
        RegistryError: From<M::Error>,
    {
        self.family(Descriptor::gauge(name.try_into()?, unit, help), labels, ())
    }

    /// A histogram without labels.
    pub fn histogram<M>(
        &self,
        name: M,
        unit: Unit,
        help: impl Into<Cow<'static, str>>,
        buckets: Buckets,
    ) -> Result<Histogram, RegistryError>
    where
        M: TryInto<MetricName>,
        RegistryError: From<M::Error>,
    {
        self.only(Descriptor::histogram(name.try_into()?, unit, help), buckets)
    }

    /// Histograms that differ in labels and share their buckets.
    pub fn histogram_family<M, const N: usize>(
        &self,
        name: M,
        unit: Unit,
        help: impl Into<Cow<'static, str>>,
        labels: [impl Into<Cow<'static, str>>; N],
        buckets: Buckets,
    ) -> Result<HistogramFamily<N>, RegistryError>
    where
        M: TryInto<MetricName>,
        RegistryError: From<M::Error>,
    {
        self.family(Descriptor::histogram(name.try_into()?, unit, help), labels, buckets)
    }

    /// A histogram of seconds, with [`Buckets::latency`], fed by the monotonic time of the registry's clock.
    pub fn timer<M>(&self, name: M, help: impl Into<Cow<'static, str>>) -> Result<Timer, RegistryError>
    where
        M: TryInto<MetricName>,
        RegistryError: From<M::Error>,
    {
        Ok(Timer::new(self.histogram(name, Unit::Seconds, help, Buckets::latency())?, &self.0.clock))
    }

    /// Registers a collector: its figures are read at each sample and each scrape, and stand among the others.
    ///
    /// Several collectors may tell the same metric, each with labels of its own; of two series with the same labels the
    /// one of the collector that was registered first counts, and the other is refused and counted.
    ///
    /// A collector that returns an error or panics stops no other; it is counted in
    /// `bellwether_metrics_collector_failures_total` and told once per change as a `tracing` event. Figures that it has
    /// not declared, or that are not finite, are refused and counted. Calls of one collector never overlap.
    ///
    /// Of a metric or a registry that is full, series that the collector has left out for 10 seconds make room for others;
    /// in one that is not, a series is forgotten after an hour. Its past stays in the history. A run that failed leaves
    /// nothing out, since it may not have come to it: for as long as a collector fails, its series keep their places.
    ///
    /// With the feature `runtime` a collector may have an interval of its own: what `collector` and `async_collector` make is
    /// taken here, too, and is run beside samples and scrapes.
    pub fn collect<C: CollectorSource>(&self, collector: C) -> Result<(), RegistryError> {
        collector.register(self)
    }

    /// Sends the selected series of every sample from now on to the [`Subscription`], which has room for so many batches. One
    /// selector, several, or [`Selectors::everything`].
    pub fn subscribe(
        &self,
        selectors: impl Into<Selectors>,
        capacity: usize,
    ) -> Result<Subscription, SubscribeError> {
        Subscription::open(&self.0.audience, selectors.into(), capacity)
    }

    /// Everything in the Prometheus text format 0.0.4, to be sent as [`TEXT_CONTENT_TYPE`](crate::TEXT_CONTENT_TYPE).
    pub fn text(&self) -> String {
        let mut out = String::new();
        self.write_text(&mut out);
        out
    }

    /// Appends everything in the Prometheus text format 0.0.4: families in the order of their names, series in that of
    /// their labels; the same values give the same bytes. With a buffer that is used again nothing is allocated.
    pub fn write_text(&self, out: &mut String) {
        // This format is text.
        let _ = self.exposition(Format::Text).write_text(out);
    }

    /// Everything in a format, to be sent as its [`content_type`](Format::content_type).
    pub fn encode(&self, format: Format) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(format, &mut out);
        out
    }

    /// Appends everything in a format. With a buffer that is used again nothing is allocated ([`Format::Json`] excepted).
    pub fn write(&self, format: Format, out: &mut Vec<u8>) {
        self.exposition(format).write(out);
    }

    /// A page in a format, of which a part can be left out: for a page of the host.
    pub fn exposition(&self, format: Format) -> Exposition<'_> {
        Exposition::new(self, format)
    }

    /// Lets an encoder walk through all values; through none when a collector calls that is being read.
    pub(crate) fn visit(&self, encode: impl FnOnce(&mut Room, &mut dyn FnMut(&mut dyn Visit))) {
        let mut encode = Some(encode);
        let walked = self.gather(|gatherer| {
            let mut room = std::mem::take(&mut gatherer.room);
            if let Some(encode) = encode.take() {
                encode(&mut room, &mut |visitor| {
                    gatherer.walk(self.0.clock.monotonic(), &self.0.figures, visitor);
                });
            }
            gatherer.room = room;
        });
        if let (None, Some(encode)) = (walked, encode) {
            encode(&mut Room::default(), &mut |_| {});
        }
    }

    /// Counts a scrape that was refused.
    #[cfg(feature = "http")]
    pub(crate) fn refuse_scrape(&self) {
        self.0.figures.scrapes_refused.increment();
    }

    /// All values as they stand.
    pub fn snapshot(&self) -> Snapshot {
        self.snapshot_of(|gatherer, snapshot| {
            gatherer.walk(self.0.clock.monotonic(), &self.0.figures, snapshot);
        })
    }

    /// The values of the series that are meant, in the order of their labels. Of the collectors only the one that tells
    /// this metric is asked.
    pub fn values(&self, selector: &Selector) -> Vec<SeriesSnapshot> {
        self.only_family(selector).series(selector).cloned().collect()
    }

    /// The value of the one series that is meant; nothing if there is none, or more than one.
    pub fn value(&self, selector: &Selector) -> Option<Value> {
        self.only_family(selector).value(selector).cloned()
    }

    fn only_family(&self, selector: &Selector) -> Snapshot {
        self.snapshot_of(|gatherer, snapshot| {
            let now = self.0.clock.monotonic();
            gatherer.walk_one(selector.metric_name(), now, &self.0.figures, snapshot);
        })
    }

    fn snapshot_of(&self, walk: impl FnOnce(&mut Gatherer, &mut Snapshot)) -> Snapshot {
        let empty = || Snapshot { at: self.0.clock.timestamp(), families: Vec::new() };
        let read = self.gather(|gatherer| {
            let mut snapshot = empty();
            walk(gatherer, &mut snapshot);
            snapshot
        });
        read.unwrap_or_else(empty)
    }

    /// Reads every instrument and collector now, appends the values to the history, and returns them for whoever else
    /// keeps samples. A histogram is sampled as `<name>_count`, a counter, and `<name>_sum`, a counter too unless there is a
    /// bound below zero: then a gauge. O(series).
    ///
    /// At an instant that was sampled before, the history keeps the first values and counts the others as refused.
    pub fn sample(&self) -> SampleBatch {
        self.sample_stamped(|now| now)
    }

    /// A sample that bears what `stamp` makes of the instant it is taken at: a sampler's grid is a little early. One that
    /// is not after the newest sample, or lies in the future, is not borne: the instant it was taken at is.
    pub(crate) fn sample_stamped(&self, stamp: impl FnOnce(Timestamp) -> Timestamp) -> SampleBatch {
        let sampled = self.gather(|gatherer| {
            let history = &*self.0.history;
            // Read by whoever has the turn: of two callers the later one never sees the earlier time.
            let now = self.0.clock.timestamp();
            if gatherer.newest.is_some_and(|newest| now < newest) {
                history.step_back(now);
                gatherer.newest = Some(now);
            }
            let began = self.0.clock.monotonic();
            let stamp = stamp(now);
            let fits = stamp <= now && gatherer.newest.is_none_or(|newest| stamp > newest);
            let at = if fits { stamp } else { now };
            gatherer.newest = Some(at);
            let mut sampling = Sampling::new(SampleBatch::new(at), history.append(at));
            gatherer.walk(began, &self.0.figures, &mut sampling);
            let (batch, too_many) = sampling.finish();
            gatherer.unswept += 1;
            if too_many || gatherer.unswept >= SWEEP_EVERY {
                gatherer.unswept = 0;
                history.sweep(at);
            }
            // Before the next sample has its turn: subscribers get them in the order of time.
            self.0.audience.tell(&batch);
            self.0.figures.sample_seconds.record(self.0.clock.monotonic().saturating_since(began));
            batch
        });
        sampled.unwrap_or_else(|| SampleBatch::new(self.0.clock.timestamp()))
    }

    /// The recent past, for rules. Does not keep the registry alive, and never waits for a scrape or a collector.
    pub fn windows(&self) -> Arc<dyn SampleWindows> {
        Arc::<History>::clone(&self.0.history)
    }

    /// The recent past, for reports and pages.
    pub fn history(&self) -> Arc<dyn SampleHistory> {
        Arc::<History>::clone(&self.0.history)
    }

    /// The recent past, for whoever asks for trends, several quantiles at once, or a moving average. Does not keep the
    /// registry alive.
    pub fn recent(&self) -> Recent {
        Recent(Arc::clone(&self.0.history))
    }

    /// Where the one series that is meant is going; nothing if there is none with two samples in the range, or more than
    /// one. For several there is [`Recent::trends`].
    pub fn trend(&self, selector: &Selector, range: TimeRange) -> Option<Trend> {
        self.recent().trend(selector, range)
    }

    /// The clock that stamps samples.
    pub fn clock(&self) -> &SharedClock {
        &self.0.clock
    }

    /// The bounds, each within its range.
    pub fn config(&self) -> &RegistryConfig {
        &self.0.config
    }

    fn admit(
        &self,
        source: Box<dyn Collect>,
        name: Cow<'static, str>,
        families: Vec<Declared>,
        failures: Arc<CollectorFigures>,
        bounds: Option<SeriesBounds>,
    ) {
        let collector = Collector::new(source, name, families, failures, bounds);
        self.0.arrivals.lock().collectors.push(collector);
    }

    /// The registry's own figures are there whatever the bounds are.
    fn admit_own(&self, own: OwnFigures) {
        let collector = type_name::<OwnFigures>();
        let definitions = own.descriptors().iter().cloned().map(|descriptor| Definition {
            descriptor: Arc::new(descriptor),
            labels: Box::default(),
            any_labels: false,
            buckets: None,
            detail: None,
            collector: Some(collector.into()),
        });
        let families = self.0.names.lock().claim_own(definitions.collect());
        // It cannot fail, so its failures are not told.
        self.admit(
            Box::new(own),
            collector.into(),
            families,
            Arc::new(CollectorFigures::new(collector, collector)),
            None,
        );
    }

    /// Runs `read` with all that is registered; nothing when called by a collector that is being read.
    fn gather<T>(&self, read: impl FnOnce(&mut Gatherer) -> T) -> Option<T> {
        let gatherer = self.0.gatherer.lock();
        let Ok(mut gatherer) = gatherer.try_borrow_mut() else {
            self.0.figures.refused.nested.increment();
            return None;
        };
        {
            let mut arrivals = self.0.arrivals.lock();
            let Arrivals { metrics, collectors, parted } = &mut *arrivals;
            if std::mem::take(parted) {
                gatherer.part();
            }
            gatherer.admit(metrics, collectors);
        }
        Some(read(&mut gatherer))
    }
}

impl SampleWindows for Registry {
    fn aggregate(
        &self,
        selector: &Selector,
        range: TimeRange,
        aggregate: Aggregate,
        out: &mut Vec<SeriesValue>,
    ) {
        self.0.history.aggregate(selector, range, aggregate, out);
    }
}

#[async_trait]
impl SampleHistory for Registry {
    async fn read(
        &self,
        query: &HistoryQuery,
        page: &PageRequest,
    ) -> Result<Page<SeriesSample>, HistoryError> {
        self.0.history.page(query, page)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("metrics", &self.0.names.lock().len()).finish_non_exhaustive()
    }
}
