//! A sum of amounts that only grows.

use std::fmt;
use std::sync::Arc;

use bellwether_core::{Labels, SeriesKey, Timestamp};

use crate::exemplar::{Exemplars, KeptExemplars};
use crate::instrument::{Instrument, Measure, Reading, Scratch};
use crate::lanes::{Cells, Slot};
use crate::own_metrics::Figures;
use crate::total::Total;
use crate::values::Values;

/// Adds up amounts that are no counts, such as fees and notional: a handle that is cheap to clone, and that any thread may
/// use.
///
/// Each thread has a sum of its own, and the total is theirs together: it never falls, and while it stays below 2^53 whole
/// amounts add up exactly, whoever adds them in whichever order. Of others each addition may be off by half of the last
/// digit of its thread's sum: 1 part in 10^16. Money that must be exact belongs into a ledger of decimals.
///
/// An amount that is negative, or not finite, or would make the sum of its thread so, is refused and counted in
/// `bellwether_metrics_refused_total`. Adding takes no lock and no locked instruction, allocates nothing and cannot fail.
///
/// ```
/// # use bellwether_core::SystemClock;
/// use bellwether_metrics::{Registry, RegistryConfig, Unit};
/// let metrics = Registry::new(&SystemClock::shared(), RegistryConfig::default());
/// let fees = metrics.float_counter("fees_usd_total", Unit::Usd, "Fees paid.")?;
/// fees.add(0.25);
/// fees.add(1.5);
/// fees.add(-1.0); // refused: a rebate is another counter
/// assert_eq!(fees.get(), 1.75);
/// # Ok::<(), bellwether_metrics::RegistryError>(())
/// ```
#[derive(Clone)]
pub struct FloatCounter {
    slot: Slot,
    series: Arc<FloatCounterSeries>,
}

struct FloatCounterSeries {
    sum: Cells,
    values: Values,
    key: Arc<SeriesKey>,
    created: Timestamp,
    figures: Arc<Figures>,
    exemplars: KeptExemplars,
}

impl FloatCounter {
    /// Adds an amount.
    #[inline]
    pub fn add(&self, amount: f64) {
        self.try_add(amount);
    }

    /// Adds an amount, and an example of what it was for: see [`Exemplar`](crate::Exemplar). Takes the time, and a lock
    /// that no other recording waits for.
    pub fn add_with_exemplar(&self, amount: f64, labels: &Labels) {
        if self.try_add(amount) {
            self.series.exemplars.keep((0, 1), labels, amount, &self.series.figures);
        }
    }

    #[inline]
    fn try_add(&self, amount: f64) -> bool {
        // A NaN is no such amount either.
        let added = amount >= 0.0
            && match self.slot.mine() {
                Some(row) => row.add_real(0, amount),
                None => self.series.sum.add_real(0, amount),
            };
        if !added {
            self.refuse(amount);
        }
        added
    }

    #[cold]
    fn refuse(&self, amount: f64) {
        let refused = &self.series.figures.refused;
        let tally = if amount < 0.0 && amount.is_finite() { &refused.negative } else { &refused.not_finite };
        tally.increment();
    }

    /// The sum so far; finite, not negative.
    pub fn get(&self) -> f64 {
        self.series.sum.read_real(0)
    }

    /// The labels of this series.
    pub fn labels(&self) -> &Labels {
        &self.series.key.labels
    }
}

impl fmt::Debug for FloatCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.series.key;
        write!(f, "FloatCounter({}{} = {})", key.descriptor.name, key.labels, self.get())
    }
}

impl Instrument for FloatCounter {}

impl Measure for FloatCounter {
    type Shape = ();

    fn create((): &(), key: Arc<SeriesKey>, values: Values, figures: &Arc<Figures>) -> Self {
        let sum = Cells::new(1);
        Self {
            slot: sum.slot(),
            series: Arc::new(FloatCounterSeries {
                sum,
                values,
                key,
                created: figures.now(),
                figures: Arc::clone(figures),
                exemplars: KeptExemplars::default(),
            }),
        }
    }

    fn key(&self) -> &Arc<SeriesKey> {
        &self.series.key
    }

    #[inline]
    fn values(&self) -> &Values {
        &self.series.values
    }

    fn handles(&self) -> usize {
        Arc::strong_count(&self.series)
    }

    fn read<'a>(&'a self, _: &'a mut Scratch) -> Option<Reading<'a>> {
        Some(Reading::Counter(Total::Real(self.get())))
    }

    fn created(&self) -> Option<Timestamp> {
        Some(self.series.created)
    }

    fn exemplars(&self) -> Option<&Exemplars> {
        self.series.exemplars.get()
    }
}
