//! A closure that is asked for the value of a gauge.

use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bellwether_core::SeriesKey;

use crate::own_metrics::Figures;

/// A closure that is asked for the value of a gauge. One that panics is counted, and told when it is the first time in a
/// row.
#[derive(Clone)]
pub(crate) struct Callback(Arc<Inner<dyn Fn() -> Option<f64> + Send + Sync>>);

struct Inner<F: ?Sized> {
    /// Whether it panicked when it was last asked: only a change is logged.
    failing: AtomicBool,
    ask: F,
}

/// How many callbacks may ask one another for their values.
const DEPTH: u8 = 8;

thread_local!(static ASKING: Cell<u8> = const { Cell::new(0) });

impl Callback {
    pub(crate) fn new(ask: impl Fn() -> Option<f64> + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner { failing: AtomicBool::new(false), ask }))
    }

    /// The value now; nothing if there is none, it is not finite, or the closure panics or asks itself.
    pub(crate) fn ask(&self, key: &SeriesKey, figures: &Figures) -> Option<f64> {
        let depth = ASKING.get();
        if depth >= DEPTH {
            figures.refused.nested.increment();
            return None;
        }
        ASKING.set(depth + 1);
        // One that panicked is asked again: whatever state it left behind is its own.
        let answer = catch_unwind(AssertUnwindSafe(|| (self.0.ask)()));
        ASKING.set(depth);
        let failed = answer.is_err();
        if failed {
            figures.refused.callback.increment();
        }
        if self.0.failing.swap(failed, Ordering::Relaxed) != failed {
            let (metric, labels) = (key.descriptor.name.as_str(), &key.labels);
            if failed {
                tracing::warn!(metric, %labels, "the callback of a gauge panics");
            } else {
                tracing::info!(metric, %labels, "the callback of a gauge answers again");
            }
        }
        let value = answer.ok().flatten()?;
        if !value.is_finite() {
            figures.refused.not_finite.increment();
            return None;
        }
        Some(value)
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Callback")
    }
}
