//! Samples as they are taken, for subscribers that keep up and for those that do not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use bellwether_core::{SampleBatch, Selector, Unit};
use bellwether_metrics::{
    MAX_SUBSCRIBERS, Received, Registry, RegistryConfig, Selectors, SubscribeError, Subscription,
};
use proptest::prelude::*;

use crate::desk::{Desk, selector};

fn values(received: &Received) -> Vec<(String, f64)> {
    let text = |(key, value): &(Arc<bellwether_core::SeriesKey>, f64)| {
        (format!("{}{}", key.descriptor.name, key.labels), *value)
    };
    received.batch.values.iter().map(text).collect()
}

fn venue(text: &str) -> Selector {
    selector("orders_total").equal("venue".try_into().unwrap(), text)
}

/// A desk with a gauge and two orders counters.
fn busy() -> Desk {
    let desk = Desk::new();
    desk.gauge("depth", Unit::None, "Depth.").unwrap().set(7.0);
    let orders = desk.counter_family("orders_total", Unit::None, "Orders.", ["venue"]).unwrap();
    orders.with("XNYS").add(2);
    orders.with("ARCX").add(3);
    desk
}

fn tick(desk: &Desk) -> SampleBatch {
    desk.advance(1);
    desk.sample()
}

#[test]
fn a_subscriber_gets_the_selected_series_of_each_sample_once() {
    let desk = busy();
    let mut one = desk.subscribe(venue("XNYS"), 4).unwrap();
    let mut both = desk.subscribe([selector("orders_total"), venue("XNYS"), selector("depth")], 4).unwrap();
    let mut none = desk.subscribe(venue("XLON"), 4).unwrap();
    let mut all = desk.subscribe(Selectors::everything(), 4).unwrap();
    let batch = tick(&desk);
    let got = one.try_next().unwrap();
    assert_eq!((got.batch.at, got.missed), (batch.at, 0));
    assert_eq!(values(&got), [("orders_total{venue=\"XNYS\"}".to_owned(), 2.0)]);
    let names: Vec<_> = values(&both.try_next().unwrap()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["depth", "orders_total{venue=\"ARCX\"}", "orders_total{venue=\"XNYS\"}"]);
    assert!(none.try_next().is_none(), "no batch without samples");
    assert_eq!(*all.try_next().unwrap().batch, batch);
    assert!([one, both, all].iter_mut().all(|subscription| subscription.try_next().is_none()));
}

#[test]
fn a_histogram_is_selected_by_the_names_that_it_is_sampled_as() {
    let desk = Desk::new();
    let acked = desk.timer("ack_seconds", "Acknowledged.").unwrap();
    acked.time(|| desk.advance(2));
    let mut counts = desk.subscribe(selector("ack_seconds_count"), 4).unwrap();
    let mut sums = desk.subscribe(selector("ack_seconds_sum"), 4).unwrap();
    tick(&desk);
    assert_eq!(counts.try_next().unwrap().batch.values[0].1, 1.0);
    assert_eq!(sums.try_next().unwrap().batch.values[0].1, 2.0);
}

#[test]
fn a_lagging_subscriber_is_told_in_its_place_how_many_it_missed() {
    let desk = busy();
    let mut slow = desk.subscribe(selector("depth"), 3).unwrap();
    let mut keen = desk.subscribe(selector("depth"), 3).unwrap();
    let stamps: Vec<_> = (0..10)
        .map(|_| {
            let at = tick(&desk).at;
            assert_eq!(keen.try_next().unwrap().missed, 0);
            at
        })
        .collect();
    let got: Vec<_> = std::iter::from_fn(|| slow.try_next()).map(|got| (got.batch.at, got.missed)).collect();
    assert_eq!(got, [(stamps[7], 7), (stamps[8], 0), (stamps[9], 0)], "the newest are kept");
    assert_eq!((slow.missed(), keen.missed()), (7, 0));
    assert_eq!(desk.own("bellwether_metrics_subscriber_missed_total", None), 7.0);
}

#[test]
fn dropping_a_subscription_ends_it_and_the_number_of_them_is_bounded() {
    let desk = busy();
    let open = || desk.subscribe(selector("depth"), 1);
    let mut all: Vec<Subscription> = (0..MAX_SUBSCRIBERS).map(|_| open().unwrap()).collect();
    assert_eq!(open().unwrap_err(), SubscribeError::TooMany { limit: MAX_SUBSCRIBERS });
    assert_eq!(desk.own("bellwether_metrics_subscribers", None), MAX_SUBSCRIBERS as f64);
    all.truncate(1);
    assert_eq!(desk.own("bellwether_metrics_subscribers", None), 1.0);
    tick(&desk);
    assert!(all[0].try_next().is_some());
    assert!(open().is_ok());
}

#[test]
fn a_subscription_without_room_or_selector_is_an_error() {
    let desk = Desk::new();
    for capacity in [0, 65_537] {
        let error = desk.subscribe(selector("depth"), capacity).unwrap_err();
        assert_eq!(error, SubscribeError::Capacity { capacity });
        assert_eq!(
            error.to_string(),
            format!("a subscription with room for {capacity} batches: expected 1 to 65536")
        );
    }
    assert_eq!(desk.subscribe(Vec::new(), 1).unwrap_err(), SubscribeError::NoSelector);
}

#[tokio::test]
async fn waiting_ends_with_the_next_sample_and_for_good_when_the_registry_has_gone() {
    let desk = busy();
    let mut depth = desk.subscribe(selector("depth"), 4).unwrap();
    let (received, ()) = tokio::join!(depth.next(), async {
        tokio::task::yield_now().await;
        tick(&desk);
    });
    assert_eq!(values(&received.unwrap()), [("depth".to_owned(), 7.0)]);
    tick(&desk);
    assert!(!depth.is_closed());
    let (last, ()) = tokio::join!(async { (depth.next().await, depth.next().await) }, async { drop(desk) });
    assert!(last.0.is_some() && last.1.is_none(), "what is there is told before the end");
}

/// Counts how often it was woken.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_waiting_subscriber_is_woken_once_per_wait() {
    let desk = busy();
    let mut depth = desk.subscribe(selector("depth"), 4).unwrap();
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(Arc::clone(&bell));
    let mut cx = Context::from_waker(&waker);
    assert_eq!(depth.poll_next(&mut cx), Poll::Pending);
    assert_eq!(depth.poll_next(&mut cx), Poll::Pending);
    tick(&desk);
    tick(&desk);
    assert_eq!(bell.0.load(Ordering::SeqCst), 1);
    assert!(depth.poll_next(&mut cx).is_ready() && depth.poll_next(&mut cx).is_ready());
    assert_eq!(depth.poll_next(&mut cx), Poll::Pending);
}

/// Wakes its thread.
struct Unpark(thread::Thread, AtomicBool);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.1.store(true, Ordering::SeqCst);
        self.0.unpark();
    }
}

#[test]
fn no_batch_is_lost_in_silence_and_no_wake_is_lost_however_threads_meet() {
    const ROUNDS: u64 = 20_000;
    let desk = Desk::with(RegistryConfig::default());
    let depth = desk.gauge("depth", Unit::None, "Depth.").unwrap();
    let mut keepers = [1, 2, 64].map(|capacity| desk.subscribe(selector("depth"), capacity).unwrap());
    let Desk { clock, metrics } = desk;
    let missed = thread::scope(|scope| {
        let readers: Vec<_> = keepers
            .iter_mut()
            .map(|subscription| {
                scope.spawn(move || {
                    let bell = Arc::new(Unpark(thread::current(), AtomicBool::new(false)));
                    let waker = Waker::from(Arc::clone(&bell));
                    let mut cx = Context::from_waker(&waker);
                    let (mut got, mut missed, mut expected) = (0, 0, 0.0);
                    loop {
                        match subscription.poll_next(&mut cx) {
                            Poll::Ready(Some(received)) => {
                                expected += received.missed as f64;
                                assert_eq!(received.batch.values[0].1, expected, "in order, none twice");
                                expected += 1.0;
                                got += 1;
                                missed += received.missed;
                            }
                            Poll::Ready(None) => return (got, missed),
                            // A wake that is lost hangs here.
                            Poll::Pending => {
                                while !bell.1.swap(false, Ordering::SeqCst) {
                                    thread::park();
                                }
                            }
                        }
                    }
                })
            })
            .collect();
        for round in 0..ROUNDS {
            depth.set(round as f64);
            clock.advance(std::time::Duration::from_millis(1));
            metrics.sample();
        }
        let told = told(&metrics);
        drop((metrics, depth));
        let mut missed = 0;
        for reader in readers {
            let (got, lost) = reader.join().unwrap();
            assert_eq!(got + lost, ROUNDS);
            missed += lost;
        }
        assert_eq!(told, missed as f64);
        missed
    });
    assert_eq!(keepers.iter().map(Subscription::missed).sum::<u64>(), missed);
}

fn told(metrics: &Registry) -> f64 {
    metrics.value(&selector("bellwether_metrics_subscriber_missed_total")).unwrap().as_f64().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the order of samples and takes, what is taken and what is missed is what was sampled, in order.
    #[test]
    fn taken_and_missed_make_up_what_was_sampled(
        capacity in 1_usize..5, steps in proptest::collection::vec(any::<bool>(), 0..60),
    ) {
        let desk = Desk::new();
        let depth = desk.gauge("depth", Unit::None, "Depth.").unwrap();
        let mut subscription = desk.subscribe(selector("depth"), capacity).unwrap();
        let (mut sampled, mut expected) = (0_u64, 0_u64);
        for is_sample in steps {
            if is_sample {
                depth.set(sampled as f64);
                tick(&desk);
                sampled += 1;
            } else if let Some(received) = subscription.try_next() {
                expected += received.missed;
                prop_assert_eq!(received.batch.values[0].1, expected as f64);
                expected += 1;
            } else {
                prop_assert_eq!(expected, sampled);
            }
        }
        let left: Vec<_> = std::iter::from_fn(|| subscription.try_next()).collect();
        prop_assert!(left.len() <= capacity);
        let rest: u64 = left.iter().map(|received| 1 + received.missed).sum();
        prop_assert_eq!(expected + rest, sampled);
    }
}
