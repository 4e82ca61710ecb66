//! A value that goes up and down.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bellwether_core::{Labels, SeriesKey, Timestamp};
use parking_lot::Mutex;

use crate::callback::Callback;
use crate::instrument::{Instrument, Measure, Reading, Scratch};
use crate::line::Line;
use crate::own_metrics::Figures;
use crate::values::Values;

/// Holds a value that goes up and down: a handle that is cheap to clone, and that any thread may use.
///
/// A gauge has no value until it is first set, and again none after [`clear`](Gauge::clear): it is then in no sample
/// and no exposition, rather than a zero that nobody measured. A value that is not finite is refused and counted in
/// `bellwether_metrics_refused_total`; the gauge keeps what it had. No call that sets it takes a lock, allocates or fails.
///
/// A gauge can also [follow](Gauge::follow) a closure, which is then asked at each scrape and sample.
///
/// ```
/// # use bellwether_core::SystemClock;
/// use bellwether_metrics::{Registry, RegistryConfig, Unit};
/// let metrics = Registry::new(&SystemClock::shared(), RegistryConfig::default());
/// let pnl = metrics.gauge("desk_pnl", Unit::Usd, "Realised and open profit of the desk.")?;
/// assert_eq!(pnl.get(), None);
/// pnl.set(1_250.5);
/// pnl.sub(0.5);
/// pnl.set(f64::NAN); // refused
/// assert_eq!(pnl.get(), Some(1_250.0));
/// # Ok::<(), bellwether_metrics::RegistryError>(())
/// ```
#[derive(Clone)]
pub struct Gauge(Arc<GaugeSeries>);

struct GaugeSeries {
    /// Bits of a finite `f64`, or [`UNSET`].
    bits: Line<AtomicU64>,
    figures: Arc<Figures>,
    key: Arc<SeriesKey>,
    /// What it follows; no one who sets the value looks here.
    callback: OnceLock<Box<Mutex<Option<Callback>>>>,
}

/// All bits set: not a number, so never the bits of a value that was accepted.
const UNSET: u64 = u64::MAX;

fn value(bits: u64) -> Option<f64> {
    (bits != UNSET).then(|| f64::from_bits(bits))
}

impl Gauge {
    /// Sets the value.
    #[inline]
    pub fn set(&self, value: f64) {
        if value.is_finite() {
            self.0.bits.store(value.to_bits(), Ordering::Relaxed);
        } else {
            self.0.figures.refused.not_finite.increment();
        }
    }

    /// Adds to the value; a gauge without a value counts as zero. Refused when the sum is not finite.
    #[inline]
    pub fn add(&self, by: f64) {
        self.change(|now| now.unwrap_or(0.0) + by);
    }

    /// Takes from the value; a gauge without a value counts as zero. Refused when the difference is not finite.
    #[inline]
    pub fn sub(&self, by: f64) {
        self.change(|now| now.unwrap_or(0.0) - by);
    }

    /// Raises the value to `least` if it is lower or there is none: keeps a high-water mark.
    #[inline]
    pub fn max(&self, least: f64) {
        // `f64::max` would pass over a NaN in silence.
        self.change(|now| now.map_or(least, |now| if now >= least { now } else { least }));
    }

    /// Lowers the value to `most` if it is higher or there is none: keeps a low-water mark.
    #[inline]
    pub fn min(&self, most: f64) {
        self.change(|now| now.map_or(most, |now| if now <= most { now } else { most }));
    }

    /// Sets the value to a length in seconds.
    #[inline]
    pub fn set_duration(&self, length: Duration) {
        self.set(length.as_secs_f64());
    }

    /// Sets the value to an instant, as seconds since 1970: when the last fill came, say.
    #[inline]
    pub fn set_timestamp(&self, at: Timestamp) {
        self.set(at.as_seconds_f64());
    }

    /// Sets the value to the time of the registry's clock, as seconds since 1970.
    pub fn set_to_now(&self) {
        self.set_timestamp(self.0.figures.now());
    }

    /// From now on the value is what `ask` says, at each scrape, each sample and each [`get`](Gauge::get); what is set
    /// meanwhile is not told. It takes the place of what was followed before, until [`unfollow`](Gauge::unfollow).
    ///
    /// `ask` may say `None` for no value. One that is not finite is refused and counted, and so is a panic: the gauge then
    /// has no value. It is asked on the thread that reads, which waits for it, so it must not wait for anything itself.
    ///
    /// ```
    /// # use bellwether_core::SystemClock;
    /// # use std::sync::{Arc, Mutex};
    /// use bellwether_metrics::{Registry, RegistryConfig, Unit};
    /// let metrics = Registry::new(&SystemClock::shared(), RegistryConfig::default());
    /// let queue = Arc::new(Mutex::new(vec![1, 2, 3]));
    /// let depth = metrics.gauge_family("queue_depth", Unit::None, "Messages that wait.", ["queue"])?;
    /// let (orders, waiting) = (depth.with("orders"), Arc::downgrade(&queue));
    /// orders.follow(move || Some(waiting.upgrade()?.try_lock().ok()?.len() as f64));
    /// assert_eq!(orders.get(), Some(3.0));
    /// drop(queue);
    /// assert_eq!(orders.get(), None);
    /// # Ok::<(), bellwether_metrics::RegistryError>(())
    /// ```
    pub fn follow<V: Into<Option<f64>>>(&self, ask: impl Fn() -> V + Send + Sync + 'static) {
        let callback = Callback::new(move || ask().into());
        let place = self.0.callback.get_or_init(Box::default);
        let before = place.lock().replace(callback);
        // Not before the lock is open again: it may hold anything.
        drop(before);
    }

    /// Follows nothing any more: the closure is dropped, and the gauge has the value that was last set, if any.
    pub fn unfollow(&self) {
        let before = self.0.callback.get().and_then(|place| place.lock().take());
        drop(before);
    }

    fn callback(&self) -> Option<Callback> {
        self.0.callback.get()?.lock().clone()
    }

    /// Takes the value away: from now on the gauge is in no sample, until it is set again.
    #[inline]
    pub fn clear(&self) {
        self.0.bits.store(UNSET, Ordering::Relaxed);
    }

    /// The value, if there is one; always finite.
    pub fn get(&self) -> Option<f64> {
        match self.callback() {
            Some(callback) => callback.ask(&self.0.key, &self.0.figures),
            None => value(self.0.bits.load(Ordering::Relaxed)),
        }
    }

    /// The labels of this series.
    pub fn labels(&self) -> &Labels {
        &self.0.key.labels
    }

    #[inline]
    fn change(&self, to: impl Fn(Option<f64>) -> f64) {
        let mut bits = self.0.bits.load(Ordering::Relaxed);
        loop {
            let new = to(value(bits));
            if !new.is_finite() {
                self.0.figures.refused.not_finite.increment();
                return;
            }
            let new = new.to_bits();
            if new == bits {
                return;
            }
            match self.0.bits.compare_exchange_weak(bits, new, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => bits = now,
            }
        }
    }
}

impl fmt::Debug for Gauge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.0.key;
        write!(f, "Gauge({}{} = {:?})", key.descriptor.name, key.labels, self.get())
    }
}

impl Instrument for Gauge {}

impl Measure for Gauge {
    type Shape = ();

    fn create((): &(), key: Arc<SeriesKey>, values: Values, figures: &Arc<Figures>) -> Self {
        let bits = Line::new(AtomicU64::new(UNSET), values);
        Self(Arc::new(GaugeSeries { bits, figures: Arc::clone(figures), key, callback: OnceLock::new() }))
    }

    fn key(&self) -> &Arc<SeriesKey> {
        &self.0.key
    }

    #[inline]
    fn values(&self) -> &Values {
        self.0.bits.values()
    }

    fn handles(&self) -> usize {
        // What is followed is in use, whoever has a handle.
        Arc::strong_count(&self.0) + usize::from(self.callback().is_some())
    }

    fn read<'a>(&'a self, _: &'a mut Scratch) -> Option<Reading<'a>> {
        self.get().map(Reading::Gauge)
    }
}
