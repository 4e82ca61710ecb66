//! Our instruments behind the handles of the facade.

use std::sync::Arc;

use metrics::{CounterFn, GaugeFn, HistogramFn};
use parking_lot::Mutex;

use crate::{Counter, Gauge, Histogram};

/// A counter behind the facade.
pub(super) struct FacadeCounter {
    pub(super) counter: Counter,
    /// Held by who sets a total, so that two do not both add what is missing.
    pub(super) turn: Arc<Mutex<()>>,
}

impl CounterFn for FacadeCounter {
    fn increment(&self, value: u64) {
        self.counter.add(value);
    }

    /// Raises the total to `value` if it is lower.
    fn absolute(&self, value: u64) {
        let _turn = self.turn.lock();
        self.counter.add(value.saturating_sub(self.counter.get()));
    }
}

/// A gauge behind the facade.
pub(super) struct FacadeGauge(pub(super) Gauge);

impl GaugeFn for FacadeGauge {
    fn increment(&self, value: f64) {
        self.0.add(value);
    }

    fn decrement(&self, value: f64) {
        self.0.sub(value);
    }

    fn set(&self, value: f64) {
        self.0.set(value);
    }
}

/// A histogram behind the facade.
pub(super) struct FacadeHistogram(pub(super) Histogram);

impl HistogramFn for FacadeHistogram {
    fn record(&self, value: f64) {
        self.0.record(value);
    }
}
