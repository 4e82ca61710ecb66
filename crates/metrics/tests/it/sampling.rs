//! Samples taken by several callers: each bears an instant that is not before the last one's.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use bellwether_core::{Aggregate, Clock, Monotonic, SampleWindows, SharedClock, TimeRange, Timestamp};
use bellwether_metrics::{Registry, RegistryConfig, Unit};
use chrono::{DateTime, Utc};

use crate::desk::{at, selector};

/// A clock that moves on by a millisecond whenever it is read, so that no two readers see the same instant.
#[derive(Debug, Default)]
struct Ticking {
    millis: AtomicI64,
    /// Called once, between the reading of an instant and its return.
    between: Mutex<Option<Registry>>,
    armed: AtomicBool,
}

impl Clock for Ticking {
    fn now(&self) -> DateTime<Utc> {
        let millis = self.millis.fetch_add(1, Ordering::Relaxed);
        if self.armed.swap(false, Ordering::Relaxed) {
            // Another caller is quicker with all that follows.
            let registry = self.between.lock().unwrap().take().unwrap();
            registry.sample();
        }
        at(0).saturating_add(Duration::from_millis(millis.unsigned_abs())).to_datetime()
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic::ORIGIN
    }
}

fn value(registry: &Registry, name: &str, label: Option<&str>) -> f64 {
    let mut selector = selector(name);
    if let Some(reason) = label {
        selector = selector.equal("reason".try_into().unwrap(), reason);
    }
    registry.value(&selector).unwrap().as_f64().unwrap()
}

fn count(registry: &Registry, name: &str) -> f64 {
    let mut out = Vec::new();
    let everything = TimeRange::until(Timestamp::MAX);
    registry.windows().aggregate(&selector(name), everything, Aggregate::Count, &mut out);
    out.first().map_or(0.0, |answer| answer.value)
}

fn assert_nothing_lost(registry: &Registry) {
    assert_eq!(value(registry, "bellwether_metrics_history_evicted_total", Some("clock_step")), 0.0);
    for reason in ["out_of_order", "repeated"] {
        assert_eq!(value(registry, "bellwether_metrics_refused_total", Some(reason)), 0.0, "{reason}");
    }
}

#[test]
fn a_caller_that_is_overtaken_after_it_read_the_clock_cuts_nothing_from_the_history() {
    let clock = Arc::new(Ticking::default());
    let shared: SharedClock = Arc::<Ticking>::clone(&clock);
    let registry = Registry::new(&shared, RegistryConfig::default());
    registry.gauge("depth", Unit::None, "Depth.").unwrap().set(1.0);
    (0..10).for_each(|_| assert!(!registry.sample().is_empty()));
    *clock.between.lock().unwrap() = Some(registry.clone());
    clock.armed.store(true, Ordering::Relaxed);
    registry.sample();
    assert_eq!(count(&registry, "depth"), 11.0);
    assert_nothing_lost(&registry);
}

#[test]
fn samples_of_many_callers_lie_in_the_order_of_time() {
    const CALLERS: usize = 4;
    const ROUNDS: usize = 200;
    let clock: SharedClock = Arc::new(Ticking::default());
    let registry = Registry::new(&clock, RegistryConfig::default());
    registry.gauge("depth", Unit::None, "Depth.").unwrap().set(1.0);
    let start = Barrier::new(CALLERS);
    thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| {
                start.wait();
                let mut before = Timestamp::MIN;
                for _ in 0..ROUNDS {
                    let batch = registry.sample();
                    assert!(batch.at > before && !batch.is_empty());
                    before = batch.at;
                }
            });
        }
    });
    assert_eq!(count(&registry, "depth"), (CALLERS * ROUNDS) as f64);
    assert_nothing_lost(&registry);
}
