//! The metrics of orders, per venue and strategy.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bellwether_core::{Collect, CollectError, Descriptor, Labels, Monotonic, SampleSink, SharedClock, Unit};
use parking_lot::{Mutex, RwLock};

use super::fill_ratio::FillRatio;
use super::{LiveOrder, Preset, Rejections, places};
use crate::family::Family;
use crate::instrument::Instrument;
use crate::metric::OVERFLOW_LABEL;
use crate::{
    Buckets, Counter, CounterFamily, FloatCounter, FloatCounterFamily, Gauge, GaugeFamily, Histogram,
    HistogramFamily, Registry, RegistryError,
};

/// Seconds from a tick to the order it led to: a microsecond, in memory, to a tenth of a second, far too late.
const TICK_TO_ORDER: [f64; 16] = [
    0.000_001, 0.000_002, 0.000_005, 0.000_01, 0.000_02, 0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002,
    0.005, 0.01, 0.02, 0.05, 0.1,
];

/// The metrics of a desk's orders.
///
/// [`at`](OrderMetrics::at) gives the handles of a venue and strategy: take them once and keep them. The metrics
/// themselves are also those handles, for orders of which neither is known: series without these two labels, which are
/// made when they are first used.
///
/// ```
/// use std::time::Duration;
/// # use bellwether_core::SystemClock;
/// use bellwether_metrics::trading::OrderMetrics;
/// use bellwether_metrics::{Registry, RegistryConfig};
///
/// let metrics = Registry::new(&SystemClock::shared(), RegistryConfig::default());
/// let orders = OrderMetrics::register(&metrics)?;
///
/// // by hand
/// orders.acked.record(Duration::from_micros(180));
/// orders.rejected.with("price_band").increment();
///
/// // or a whole life
/// let momentum = orders.at("XNYS", "momentum");
/// let mut order = momentum.send(100.0);
/// order.acked();
/// order.filled(100.0);
/// assert_eq!(momentum.finished.filled.get(), 1);
/// # Ok::<(), bellwether_metrics::RegistryError>(())
/// ```
///
/// | metric (after the prefix) | kind | what |
/// | --- | --- | --- |
/// | `orders_sent_total` | counter | orders sent |
/// | `order_executions_total` | counter | fills, partial ones too |
/// | `orders_finished_total{outcome}` | counter | orders that ended otherwise than by a reject: `filled`, `cancelled`, `expired`, `abandoned` |
/// | `orders_rejected_total{reason}` | counter | orders rejected |
/// | `order_cancels_rejected_total{reason}` | counter | cancels and replaces rejected |
/// | `order_unexpected_events_total{event}` | counter | events that do not fit: `out_of_order`, `duplicate`, `after_end`, `overfill`, `invalid`, `clock` |
/// | `orders_open` | gauge | orders sent that have not ended |
/// | `tick_to_order_seconds` | histogram | from the tick to the order it led to |
/// | `order_ack_seconds` | histogram | from sent to acknowledged |
/// | `order_first_fill_seconds` | histogram | from acknowledged to the first fill |
/// | `order_fill_seconds` | histogram | from acknowledged to the last fill |
/// | `order_cancel_seconds` | histogram | from the request to the cancel |
/// | `order_replace_seconds` | histogram | from the request to the replace |
/// | `order_finished_quantity_total` | counter | quantity of orders that ended |
/// | `order_filled_quantity_total` | counter | the part of it that was filled |
/// | `order_fill_ratio` | gauge | filled part of what ended in the last five minutes; none when nothing did |
///
/// All have the labels `venue` and `strategy`. The last is computed at each look at the registry. Cloning copies pointers.
#[derive(Debug, Clone)]
pub struct OrderMetrics(Arc<Inner>);

/// By venue and strategy.
type Pairs = HashMap<(Box<str>, Box<str>), Arc<Orders>>;

#[derive(Debug)]
struct Inner {
    families: Families,
    clock: SharedClock,
    /// Most pairs of venue and strategy.
    most: usize,
    pairs: RwLock<Pairs>,
    /// Those of which neither venue nor strategy is known.
    plain: OnceLock<Arc<Orders>>,
    overflow: OnceLock<Arc<Orders>>,
    /// What the collector has not seen yet.
    arrivals: Mutex<Vec<Arc<Orders>>>,
}

#[derive(Debug)]
struct Families {
    sent: CounterFamily<2>,
    executions: CounterFamily<2>,
    finished: CounterFamily<3>,
    rejected: CounterFamily<3>,
    cancels_rejected: CounterFamily<3>,
    unexpected: CounterFamily<3>,
    finished_quantity: FloatCounterFamily<2>,
    filled_quantity: FloatCounterFamily<2>,
    open: GaugeFamily<2>,
    tick_to_order: HistogramFamily<2>,
    acked: HistogramFamily<2>,
    first_filled: HistogramFamily<2>,
    filled: HistogramFamily<2>,
    cancelled: HistogramFamily<2>,
    replaced: HistogramFamily<2>,
}

/// The handles of one venue and strategy.
#[derive(Debug)]
#[non_exhaustive]
pub struct Orders {
    /// Orders sent.
    pub sent: Counter,
    /// Fills, partial ones too.
    pub executions: Counter,
    /// Orders that ended otherwise than by a reject.
    pub finished: Finished,
    /// Orders rejected, by reason.
    pub rejected: Rejections,
    /// Requests to cancel or replace that were rejected, by reason.
    pub cancels_rejected: Rejections,
    /// Orders sent that have not ended.
    pub open: Gauge,
    /// From the tick to the order it led to, in seconds.
    pub tick_to_order: Histogram,
    /// From sent to acknowledged, in seconds.
    pub acked: Histogram,
    /// From acknowledged to the first fill, in seconds.
    pub first_filled: Histogram,
    /// From acknowledged to the fill that completes the order, in seconds.
    pub filled: Histogram,
    /// From the request to cancel to the cancel, in seconds.
    pub cancelled: Histogram,
    /// From the request to replace to the replace, in seconds.
    pub replaced: Histogram,
    pub(super) unexpected: Unexpected,
    pub(super) finished_quantity: FloatCounter,
    pub(super) filled_quantity: FloatCounter,
    pub(super) clock: SharedClock,
    labels: Labels,
}

/// Orders that ended otherwise than by a reject.
#[derive(Debug)]
#[non_exhaustive]
pub struct Finished {
    /// Completely filled.
    pub filled: Counter,
    /// Cancelled, by the host or the venue.
    pub cancelled: Counter,
    /// Expired at the end of their time.
    pub expired: Counter,
    /// Forgotten by the host before it knew how they ended.
    pub abandoned: Counter,
}

/// Events that do not fit the life of their order.
#[derive(Debug)]
pub(super) struct Unexpected {
    pub(super) out_of_order: Counter,
    pub(super) duplicate: Counter,
    pub(super) after_end: Counter,
    pub(super) overfill: Counter,
    pub(super) invalid: Counter,
    pub(super) clock: Counter,
}

impl OrderMetrics {
    /// Registers the metrics under their plain names. Once per registry: a second time the same counters and histograms
    /// come back, but the fill ratio would be told twice, and is refused and counted then. [`Preset`] registers
    /// them under other names.
    pub fn register(metrics: &Registry) -> Result<Self, RegistryError> {
        Self::register_as(&Preset::new(), metrics)
    }

    pub(super) fn register_as(preset: &Preset, metrics: &Registry) -> Result<Self, RegistryError> {
        let ratio = Descriptor::gauge(
            preset.name("order_fill_ratio")?,
            Unit::Ratio,
            "Filled part of the quantity of orders that ended recently.",
        );
        let inner = Arc::new(Inner {
            families: Families::register(preset, metrics)?,
            clock: SharedClock::clone(metrics.clock()),
            most: places(metrics),
            pairs: RwLock::default(),
            plain: OnceLock::new(),
            overflow: OnceLock::new(),
            arrivals: Mutex::default(),
        });
        metrics.collect(FillFigures {
            descriptors: [ratio],
            metrics: Arc::clone(&inner),
            window: preset.fill_ratio_window(),
            ratios: Mutex::default(),
        })?;
        Ok(Self(inner))
    }

    /// The handles of a venue and strategy: take them once. Of pairs beyond the bound of series all share the handles of
    /// the overflow series.
    ///
    /// O(1), with a lock that only the first call for a pair writes.
    pub fn at(&self, venue: &str, strategy: &str) -> Arc<Orders> {
        self.0.at(venue, strategy)
    }
}

impl Deref for OrderMetrics {
    type Target = Arc<Orders>;

    /// The handles of orders whose venue and strategy are not known.
    #[inline]
    fn deref(&self) -> &Arc<Orders> {
        self.0.plain.get_or_init(|| self.0.at("", ""))
    }
}

impl Inner {
    fn at(&self, venue: &str, strategy: &str) -> Arc<Orders> {
        let key = (Box::from(venue), Box::from(strategy));
        if let Some(orders) = self.pairs.read().get(&key) {
            return Arc::clone(orders);
        }
        let labels = Labels::new([("venue", venue), ("strategy", strategy)]);
        let mut pairs = self.pairs.write();
        let full = pairs.len() >= self.most && !pairs.contains_key(&key);
        let (Ok(labels), false) = (labels, full) else {
            drop(pairs);
            return Arc::clone(self.overflow.get_or_init(|| {
                // Neither is too long, and the name is one.
                let labels = Labels::new([(OVERFLOW_LABEL, "true")]).unwrap_or_else(|_| Labels::empty());
                self.make(labels, None)
            }));
        };
        Arc::clone(pairs.entry(key).or_insert_with(|| self.make(labels, Some([venue, strategy]))))
    }

    fn make(&self, labels: Labels, of: Option<[&str; 2]>) -> Arc<Orders> {
        let orders = Arc::new(self.families.orders(labels, of, &self.clock));
        self.arrivals.lock().push(Arc::clone(&orders));
        orders
    }
}

const LABELS: [&str; 2] = ["venue", "strategy"];

impl Families {
    fn register(preset: &Preset, metrics: &Registry) -> Result<Self, RegistryError> {
        let counter = |name, help| metrics.counter_family(preset.name(name)?, Unit::None, help, LABELS);
        let quantity =
            |name, help| metrics.float_counter_family(preset.name(name)?, Unit::None, help, LABELS);
        let split = |name, by, help| {
            metrics.counter_family(preset.name(name)?, Unit::None, help, ["venue", "strategy", by])
        };
        let seconds = |name, help, buckets| {
            metrics.histogram_family(preset.name(name)?, Unit::Seconds, help, LABELS, buckets)
        };
        let latency = |name, help| seconds(name, help, preset.latencies());
        Ok(Self {
            sent: counter("orders_sent_total", "Orders sent.")?,
            executions: counter("order_executions_total", "Fills, partial ones too.")?,
            finished: split(
                "orders_finished_total",
                "outcome",
                "Orders that ended otherwise than by a reject, by outcome.",
            )?,
            rejected: split("orders_rejected_total", "reason", "Orders rejected, by reason.")?,
            cancels_rejected: split(
                "order_cancels_rejected_total",
                "reason",
                "Requests to cancel or replace that were rejected, by reason.",
            )?,
            unexpected: split(
                "order_unexpected_events_total",
                "event",
                "Events that do not fit the life of their order.",
            )?,
            finished_quantity: quantity(
                "order_finished_quantity_total",
                "Quantity of orders that ended, rejected ones not counted.",
            )?,
            filled_quantity: quantity(
                "order_filled_quantity_total",
                "Filled part of the quantity of orders that ended.",
            )?,
            open: metrics.gauge_family(
                preset.name("orders_open")?,
                Unit::None,
                "Orders sent that have not ended.",
                LABELS,
            )?,
            tick_to_order: seconds(
                "tick_to_order_seconds",
                "From the tick to the order it led to.",
                Buckets::new(TICK_TO_ORDER)?,
            )?,
            acked: latency("order_ack_seconds", "From sent to acknowledged.")?,
            first_filled: latency("order_first_fill_seconds", "From acknowledged to the first fill.")?,
            filled: latency("order_fill_seconds", "From acknowledged to the fill that completes the order.")?,
            cancelled: latency("order_cancel_seconds", "From the request to cancel to the cancel.")?,
            replaced: latency("order_replace_seconds", "From the request to replace to the replace.")?,
        })
    }

    /// The handles of a pair; the overflow series for none.
    fn orders(&self, labels: Labels, of: Option<[&str; 2]>, clock: &SharedClock) -> Orders {
        fn series<I: Instrument>(family: &Family<I, 2>, of: Option<[&str; 2]>) -> I {
            of.map_or_else(|| family.overflow(), |of| family.with(of))
        }
        let split = |family: &CounterFamily<3>, value| match of {
            Some([venue, strategy]) => family.with([venue, strategy, value]),
            None => family.overflow(),
        };
        let finished = |outcome| split(&self.finished, outcome);
        let unexpected = |event| split(&self.unexpected, event);
        Orders {
            sent: series(&self.sent, of),
            executions: series(&self.executions, of),
            finished: Finished {
                filled: finished("filled"),
                cancelled: finished("cancelled"),
                expired: finished("expired"),
                abandoned: finished("abandoned"),
            },
            rejected: Rejections::new(&self.rejected, of),
            cancels_rejected: Rejections::new(&self.cancels_rejected, of),
            open: series(&self.open, of),
            tick_to_order: series(&self.tick_to_order, of),
            acked: series(&self.acked, of),
            first_filled: series(&self.first_filled, of),
            filled: series(&self.filled, of),
            cancelled: series(&self.cancelled, of),
            replaced: series(&self.replaced, of),
            unexpected: Unexpected {
                out_of_order: unexpected("out_of_order"),
                duplicate: unexpected("duplicate"),
                after_end: unexpected("after_end"),
                overfill: unexpected("overfill"),
                invalid: unexpected("invalid"),
                clock: unexpected("clock"),
            },
            finished_quantity: series(&self.finished_quantity, of),
            filled_quantity: series(&self.filled_quantity, of),
            clock: SharedClock::clone(clock),
            labels,
        }
    }
}

impl Orders {
    /// An order that is sent now, to be told of what becomes of it.
    pub fn send(self: &Arc<Self>, quantity: f64) -> LiveOrder {
        self.send_at(quantity, self.clock.monotonic())
    }

    /// An order that was sent at `at`, an instant of the registry's clock.
    pub fn send_at(self: &Arc<Self>, quantity: f64, at: Monotonic) -> LiveOrder {
        LiveOrder::sent(self, quantity, at)
    }

    /// `venue` and `strategy`.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }
}

/// Tells the fill ratios, as of when they are read.
struct FillFigures {
    descriptors: [Descriptor; 1],
    metrics: Arc<Inner>,
    window: Duration,
    ratios: Mutex<Vec<(Arc<Orders>, FillRatio)>>,
}

impl Collect for FillFigures {
    fn descriptors(&self) -> &[Descriptor] {
        &self.descriptors
    }

    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        let [ratio] = &self.descriptors;
        let now = self.metrics.clock.monotonic();
        let mut ratios = self.ratios.lock();
        let arrivals = std::mem::take(&mut *self.metrics.arrivals.lock());
        ratios.extend(arrivals.into_iter().map(|orders| (orders, FillRatio::new(self.window))));
        for (orders, seen) in &mut *ratios {
            // Read first, added last: it is never ahead of the other.
            let filled = orders.filled_quantity.get();
            if let Some(seen) = seen.look(now, orders.finished_quantity.get(), filled) {
                out.gauge(ratio, &orders.labels, seen);
            }
        }
        Ok(())
    }
}
