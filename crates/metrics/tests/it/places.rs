//! When a series that a collector no longer tells gives up its place, and when it does not.

use std::sync::{Arc, Mutex};

use bellwether_core::{Aggregate, Collect, CollectError, Descriptor, Labels, MetricName, SampleSink, Unit};
use bellwether_metrics::{CounterFamily, RegistryConfig};

use crate::desk::{Desk, selector};

/// How a run ends.
#[derive(Clone, Copy)]
enum End {
    Well,
    Error,
    Panic,
}

/// Margins of some accounts, and how the telling ends.
struct Margins {
    descriptors: [Descriptor; 1],
    now: Arc<Mutex<(Vec<u32>, End)>>,
}

impl Collect for Margins {
    fn descriptors(&self) -> &[Descriptor] {
        &self.descriptors
    }

    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        let (accounts, end) = self.now.lock().unwrap().clone();
        for account in accounts {
            let labels = Labels::new([("account", account.to_string())]).unwrap();
            out.gauge(&self.descriptors[0], &labels, f64::from(account));
        }
        match end {
            End::Well => Ok(()),
            End::Error => Err(CollectError::new("venue is down")),
            End::Panic => std::panic::resume_unwind(Box::new("venue is down")),
        }
    }
}

/// A registry with room for five series, of which two are margins and three of orders, overflow included: it is full.
struct Full {
    desk: Desk,
    now: Arc<Mutex<(Vec<u32>, End)>>,
    orders: CounterFamily,
    next_order: u32,
}

impl Full {
    fn new() -> Self {
        let desk = Desk::with(RegistryConfig::default().with_max_series(5));
        let now = Arc::new(Mutex::new((vec![1, 2], End::Well)));
        let name = MetricName::new("margin").unwrap();
        let descriptors = [Descriptor::gauge(name, Unit::None, "Margin.")];
        desk.collect(Margins { descriptors, now: Arc::clone(&now) }).unwrap();
        desk.sample();
        let orders = desk.counter_family("orders_total", Unit::None, "Orders.", ["id"]).unwrap();
        orders.overflow();
        let mut full = Self { desk, now, orders, next_order: 0 };
        full.flood();
        assert_eq!(full.told(), [1.0, 2.0]);
        full
    }

    fn tells(&self, accounts: &[u32], end: End) {
        *self.now.lock().unwrap() = (accounts.to_vec(), end);
    }

    /// Samples taken at once, one after the other.
    fn samples(&self, n: usize) {
        for _ in 0..n {
            self.desk.sample();
        }
    }

    /// Orders that take whatever place there is.
    fn flood(&mut self) {
        for _ in 0..10 {
            self.next_order += 1;
            self.orders.with(&self.next_order.to_string()).increment();
        }
    }

    fn told(&self) -> Vec<f64> {
        let margins = self.desk.values(&selector("margin"));
        margins.iter().map(|series| series.value.as_f64().unwrap()).collect()
    }
}

#[test]
fn a_collector_that_fails_keeps_its_places_however_often_and_however_long() {
    for end in [End::Error, End::Panic] {
        for seconds in [0, 1, 10_000] {
            let mut full = Full::new();
            full.tells(&[], end);
            for _ in 0..10 {
                full.samples(1);
                full.desk.advance(seconds);
                full.flood();
            }
            full.tells(&[1, 2], End::Well);
            assert_eq!(full.told(), [1.0, 2.0], "{seconds} s between runs");
        }
    }
}

#[test]
fn what_a_run_did_not_come_to_before_it_failed_keeps_its_place() {
    let mut full = Full::new();
    full.tells(&[1], End::Error);
    for _ in 0..10 {
        full.samples(1);
        full.desk.advance(100);
        full.flood();
    }
    full.tells(&[1, 2], End::Well);
    assert_eq!(full.told(), [1.0, 2.0]);
}

#[test]
fn a_series_that_many_runs_leave_out_within_a_moment_keeps_its_place() {
    let mut full = Full::new();
    full.tells(&[1], End::Well);
    full.samples(1_000);
    full.desk.advance(9);
    full.samples(1_000);
    full.flood();
    full.tells(&[1, 2], End::Well);
    assert_eq!(full.told(), [1.0, 2.0]);
    // Told again, it has as long as before.
    full.tells(&[1], End::Well);
    full.desk.advance(9);
    full.samples(2);
    full.flood();
    full.tells(&[1, 2], End::Well);
    assert_eq!(full.told(), [1.0, 2.0]);
}

#[test]
fn the_first_good_run_after_a_long_outage_costs_no_place() {
    let mut full = Full::new();
    full.tells(&[], End::Error);
    full.samples(1);
    full.desk.advance(10_000);
    full.samples(1);
    // It is well again, and the second account comes a moment later.
    full.tells(&[1], End::Well);
    full.samples(3);
    full.flood();
    full.tells(&[1, 2], End::Well);
    assert_eq!(full.told(), [1.0, 2.0]);
}

#[test]
fn a_series_that_good_runs_leave_out_for_ten_seconds_gives_its_place_to_others() {
    let mut full = Full::new();
    full.tells(&[1], End::Well);
    full.samples(1);
    full.desk.advance(10);
    // A failed run says nothing, not even this late.
    full.tells(&[1], End::Error);
    full.samples(2);
    full.flood();
    full.tells(&[1, 2], End::Well);
    assert_eq!(full.told(), [1.0, 2.0]);
    full.tells(&[1], End::Well);
    full.samples(1);
    full.desk.advance(10);
    full.samples(1);
    assert_eq!(full.desk.values(&selector("orders_total")).len(), 3);
    full.flood();
    full.tells(&[1, 2], End::Well);
    assert_eq!(full.told(), [1.0]);
    assert_eq!(full.desk.values(&selector("orders_total")).len(), 4, "an order has the place");
    assert_eq!(full.desk.all("margin", Aggregate::Count).len(), 2, "its past stays");
}

#[test]
fn a_run_that_fails_makes_no_room_in_a_full_metric() {
    let desk = Desk::with(RegistryConfig::default().with_max_series_per_metric(2));
    let now = Arc::new(Mutex::new((vec![1, 2], End::Well)));
    let descriptors = [Descriptor::gauge(MetricName::new("margin").unwrap(), Unit::None, "Margin.")];
    desk.collect(Margins { descriptors, now: Arc::clone(&now) }).unwrap();
    for (accounts, end) in [(vec![1, 2], End::Well), (vec![1], End::Well), (vec![1, 3], End::Error)] {
        *now.lock().unwrap() = (accounts, end);
        desk.sample();
        desk.advance(100);
    }
    desk.sample();
    *now.lock().unwrap() = (vec![1, 2], End::Well);
    let told = desk.values(&selector("margin"));
    assert_eq!(told.iter().filter_map(|series| series.value.as_f64()).collect::<Vec<_>>(), [1.0, 2.0]);
}

#[test]
fn in_a_registry_with_room_a_series_is_forgotten_after_an_hour() {
    let desk = Desk::new();
    let now = Arc::new(Mutex::new((vec![1, 2], End::Well)));
    let descriptors = [Descriptor::gauge(MetricName::new("margin").unwrap(), Unit::None, "Margin.")];
    desk.collect(Margins { descriptors, now: Arc::clone(&now) }).unwrap();
    let held = || desk.own("bellwether_metrics_series", None);
    let sample = || drop(desk.sample());
    sample();
    *now.lock().unwrap() = (vec![1], End::Well);
    (0..2_000).for_each(|_| sample());
    desk.advance(3_599);
    sample();
    assert_eq!(held(), 2.0);
    desk.advance(1);
    sample();
    assert_eq!(held(), 1.0);
}
