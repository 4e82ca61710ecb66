//! Collectors on an interval of their own, in virtual time.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use bellwether_core::{
    Collect, CollectError, Descriptor, Labels, MetricName, SampleSink, Spread, Supervisor, Tasks,
};
use bellwether_metrics::{
    OWN_METRICS, RegistryConfig, RegistryError, Sampler, ScheduleError, ScheduledCollector, Unit,
    async_collector, collector,
};

use crate::desk::{Desk, selector};

/// Lets every task, and what runs on other threads, come to where `condition` holds.
async fn until(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..2_000_000 {
        if condition() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("never came: {what}");
}

struct Watch {
    desk: Desk,
    supervisor: Supervisor,
}

impl Watch {
    fn new() -> Self {
        Self::with(RegistryConfig::default())
    }

    fn with(config: RegistryConfig) -> Self {
        let desk = Desk::with(config);
        let supervisor = Supervisor::new(desk.metrics.clock());
        Self { desk, supervisor }
    }

    fn tasks(&self) -> Tasks {
        self.supervisor.tasks()
    }

    /// Lets time pass, a tenth of a second at a time.
    async fn pass(&self, millis: u64) {
        for _ in 0..millis / 100 {
            self.desk.clock.advance_through(Duration::from_millis(100)).await;
        }
    }

    fn value(&self, name: &str) -> Option<f64> {
        self.desk.value(&selector(name)).and_then(|value| value.as_f64())
    }

    fn of(&self, metric: &str, name: &str) -> Option<f64> {
        let selector = selector(metric).equal("collector".try_into().unwrap(), name);
        self.desk.value(&selector).and_then(|value| value.as_f64())
    }

    fn failures(&self, name: &str, reason: &str) -> f64 {
        let selector = selector("bellwether_metrics_collector_failures_total")
            .equal("collector".try_into().unwrap(), name)
            .equal("reason".try_into().unwrap(), reason);
        self.desk.value(&selector).unwrap().as_f64().unwrap()
    }

    fn skipped(&self, name: &str) -> f64 {
        self.of("bellwether_metrics_collector_skipped_total", name).unwrap()
    }
}

/// An asynchronous collector that tells how often it ran; runs at once, without a thread.
fn counting(name: &'static str, interval: &str, runs: &Arc<AtomicU32>) -> ScheduledCollector {
    let runs = Arc::clone(runs);
    async_collector(name, interval, move |mut out| {
        out.gauge("runs", f64::from(runs.fetch_add(1, Ordering::Relaxed) + 1));
        std::future::ready(Ok::<_, CollectError>(out))
    })
}

#[tokio::test]
async fn a_closure_runs_at_once_and_then_on_the_grid_of_its_interval() {
    let watch = Watch::new();
    let runs = Arc::new(AtomicU32::new(0));
    watch.pass(2_000).await;
    watch.desk.collect(counting("runs", "5s", &runs)).unwrap();
    watch.pass(1_000).await;
    assert_eq!(watch.value("runs"), None, "nobody runs it yet");
    watch.desk.start_collectors(&watch.tasks()).unwrap();
    let mut seen = Vec::new();
    for _ in 0..13 {
        watch.pass(1_000).await;
        seen.push(watch.value("runs").unwrap());
    }
    // From the 4th to the 16th second after a whole multiple of five.
    assert_eq!(seen, [1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 3.0, 3.0, 3.0, 3.0, 3.0, 4.0, 4.0]);
}

#[tokio::test]
async fn a_blocking_collector_runs_beside_the_runtime_and_tells_its_figures_with_labels() {
    let watch = Watch::new();
    let thread = std::thread::current().id();
    let gateway = collector("gateway", "5s", move |out| {
        assert_ne!(std::thread::current().id(), thread);
        out.gauge_with("gateway_sessions", [("venue", "XNYS")], 3.0);
        out.counter("gateway_sent_bytes_total", 12.0);
    });
    watch
        .desk
        .collect(gateway.gauge("gateway_sessions", Unit::None, "Sessions that are logged in."))
        .unwrap();
    watch.desk.start_collectors(&watch.tasks()).unwrap();
    until("figures", || watch.value("gateway_sessions") == Some(3.0)).await;
    let page = watch.desk.text();
    assert!(page.contains("# HELP gateway_sessions Sessions that are logged in.\n"), "{page}");
    assert!(page.contains("\ngateway_sessions{venue=\"XNYS\"} 3\n"), "{page}");
    assert!(page.contains("\ngateway_sent_bytes_total 12\n"), "{page}");
    let snapshot = watch.desk.snapshot();
    let sent = snapshot.families.iter().find(|family| family.descriptor.name == "gateway_sent_bytes_total");
    assert_eq!(sent.unwrap().descriptor.unit, Unit::Bytes);
}

#[tokio::test]
async fn a_hanging_collector_stops_no_scrape_and_no_other_is_counted_skipped_and_recovers() {
    let watch = Watch::new();
    let (release, wait) = mpsc::channel::<()>();
    let first = AtomicBool::new(true);
    let entered = Arc::new(AtomicU32::new(0));
    let runs = Arc::new(AtomicU32::new(0));
    let enter = Arc::clone(&entered);
    let hanging = collector("hanging", "1s", move |out| {
        enter.fetch_add(1, Ordering::SeqCst);
        if first.swap(false, Ordering::SeqCst) {
            wait.recv().unwrap();
        }
        out.gauge("late", 1.0);
    });
    watch.desk.collect(hanging).unwrap();
    watch.desk.collect(counting("runs", "1s", &runs)).unwrap();
    watch.desk.start_collectors(&watch.tasks()).unwrap();
    until("the call", || entered.load(Ordering::SeqCst) == 1).await;
    watch.pass(10_000).await;
    assert_eq!(watch.value("runs"), Some(11.0), "the other goes on");
    assert_eq!(watch.failures("hanging", "timeout"), 1.0);
    assert!(watch.skipped("hanging") >= 7.0, "{}", watch.skipped("hanging"));
    assert_eq!(entered.load(Ordering::SeqCst), 1, "not called while it hangs");
    assert_eq!(watch.value("late"), None);
    release.send(()).unwrap();
    // What it tells after its deadline does not count.
    watch.pass(100).await;
    assert_eq!(watch.value("late"), None);
    // The thread has to give the collector back before the next tick finds it; what runs then needs no time on the clock.
    for _ in 0..1_000 {
        watch.pass(100).await;
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        if watch.value("late").is_some() {
            break;
        }
    }
    assert_eq!(watch.value("late"), Some(1.0), "recovered");
}

#[tokio::test]
async fn a_call_that_still_hangs_at_the_end_is_named_by_the_shutdown() {
    let watch = Watch::new();
    let (release, wait) = mpsc::channel::<()>();
    let entered = Arc::new(AtomicBool::new(false));
    let enter = Arc::clone(&entered);
    let hanging = collector("hanging", "1s", move |_| {
        enter.store(true, Ordering::SeqCst);
        let _ = wait.recv();
    });
    watch.desk.collect(hanging).unwrap();
    watch.desk.start_collectors(&watch.tasks()).unwrap();
    until("the call", || entered.load(Ordering::SeqCst)).await;
    let (report, ()) = tokio::join!(watch.supervisor.shutdown(Duration::from_secs(5)), watch.pass(6_000));
    let names: Vec<_> = report.unfinished.iter().map(|task| task.name.to_string()).collect();
    assert_eq!(names, ["collector hanging"]);
    drop(release);
}

#[tokio::test]
async fn an_asynchronous_collector_that_hangs_is_dropped_at_its_deadline() {
    struct Dropped(Arc<AtomicU32>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let watch = Watch::new();
    let dropped = Arc::new(AtomicU32::new(0));
    let drops = Arc::clone(&dropped);
    let slow = async_collector("slow", "10s", move |out| {
        let guard = Dropped(Arc::clone(&drops));
        async move {
            std::future::pending::<()>().await;
            drop(guard);
            Ok::<_, CollectError>(out)
        }
    });
    watch.desk.collect(slow.deadline("2s")).unwrap();
    watch.desk.start_collectors(&watch.tasks()).unwrap();
    watch.pass(1_900).await;
    assert_eq!((dropped.load(Ordering::Relaxed), watch.failures("slow", "timeout")), (0, 0.0));
    watch.pass(200).await;
    assert_eq!((dropped.load(Ordering::Relaxed), watch.failures("slow", "timeout")), (1, 1.0));
    assert_eq!(watch.skipped("slow"), 0.0);
}

#[tokio::test]
async fn errors_and_panics_are_counted_and_the_next_run_waits_longer_each_time() {
    let watch = Watch::new();
    let times = Arc::new(Mutex::new(Vec::new()));
    let (seen, clock) = (Arc::clone(&times), watch.desk.clock.clone());
    let failing = async_collector("failing", "1s", move |out| {
        let mut seen = seen.lock().unwrap();
        seen.push(bellwether_core::Clock::monotonic(&clock).since_origin().as_secs());
        let n = seen.len();
        drop(seen);
        async move {
            match n {
                1 => Err("not logged in"),
                2 => panic!("at the disco"),
                3..=5 => Err("still not logged in"),
                _ => Ok(out),
            }
        }
    });
    watch.desk.collect(failing).unwrap();
    watch.desk.start_collectors(&watch.tasks()).unwrap();
    watch.pass(80_000).await;
    assert_eq!((watch.failures("failing", "error"), watch.failures("failing", "panic")), (4.0, 1.0));
    let times = times.lock().unwrap();
    let gaps: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // One interval, doubled each time, 25 % less or more, then on to the grid.
    for (at, nominal) in [1, 2, 4, 8, 16].into_iter().enumerate() {
        let (least, most) = (nominal * 3 / 4, nominal * 5 / 4 + 1);
        assert!((least..=most).contains(&gaps[at]), "{gaps:?}");
    }
    assert!(gaps[5..].iter().all(|&gap| gap == 1), "recovered: {gaps:?}");
}

#[tokio::test]
async fn what_was_told_last_stays_until_it_is_stale_and_a_failed_run_tells_nothing() {
    let watch = Watch::new();
    let up = Arc::new(AtomicBool::new(true));
    let is_up = Arc::clone(&up);
    let gauge = async_collector("gateway", "5s", move |mut out| {
        let up = is_up.load(Ordering::Relaxed);
        out.gauge("sessions", if up { 3.0 } else { 0.0 });
        std::future::ready(if up { Ok(out) } else { Err("gone") })
    });
    watch.desk.collect(gauge.stale_after("12s")).unwrap();
    watch.desk.start_collectors(&watch.tasks()).unwrap();
    watch.pass(5_000).await;
    up.store(false, Ordering::Relaxed);
    let age = || watch.of("bellwether_metrics_collector_age_seconds", "gateway").unwrap();
    watch.pass(12_000).await;
    assert_eq!((watch.value("sessions"), age()), (Some(3.0), 12.0));
    watch.pass(100).await;
    assert_eq!(watch.value("sessions"), None, "too old to be told");
    assert!(!watch.desk.text().contains("\nsessions "));
    up.store(true, Ordering::Relaxed);
    watch.pass(60_000).await;
    assert_eq!(watch.value("sessions"), Some(3.0));
    assert!(age() < 5.0);
}

#[tokio::test]
async fn samples_of_a_slow_collector_lie_on_the_grid_of_the_sampler() {
    let watch = Watch::new();
    let runs = Arc::new(AtomicU32::new(0));
    watch.desk.collect(counting("runs", "3s", &runs)).unwrap();
    let _sampler = Sampler::start(&watch.desk.metrics, &watch.tasks(), Duration::from_secs(1)).unwrap();
    let mut samples = watch.desk.subscribe(selector("runs"), 100).unwrap();
    watch.pass(7_000).await;
    let mut seen = Vec::new();
    while let Some(received) = samples.try_next() {
        seen.push((received.batch.at.as_micros() / 100_000 % 10, received.batch.values[0].1));
    }
    assert_eq!(seen.len(), 7);
    assert!(seen.iter().all(|(tenths, _)| *tenths == 0), "{seen:?}");
    assert!(seen.is_sorted_by_key(|(_, runs)| *runs) && seen[6].1 >= 3.0, "{seen:?}");
}

#[tokio::test]
async fn what_is_not_in_order_is_refused_once_per_run_and_the_rest_is_told() {
    let watch = Watch::new();
    watch.desk.counter("orders_total", Unit::None, "Orders.").unwrap();
    let odd = async_collector("odd", "1h", move |mut out| {
        out.gauge("fine", 1.0);
        out.gauge("fine", 2.0);
        out.gauge("bad name", 1.0);
        out.gauge("not_a_gauge_total", 1.0);
        out.counter("orders_total", 1.0);
        out.counter("fine", 1.0);
        out.gauge("nan", f64::NAN);
        out.counter("negative_total", -1.0);
        out.gauge_with("labelled", [("a b", "1")], 1.0);
        std::future::ready(Ok::<_, CollectError>(out))
    });
    watch.desk.collect(odd).unwrap();
    watch.desk.start_collectors(&watch.tasks()).unwrap();
    watch.pass(1_000).await;
    assert_eq!(watch.value("fine"), Some(1.0), "the first of two stays");
    for _ in 0..3 {
        watch.desk.sample();
        watch.desk.text();
        watch.pass(100).await;
    }
    let refused = ["repeated", "undeclared", "not_finite", "negative", "label"];
    assert_eq!(refused.map(|reason| watch.desk.refused(reason)), [1.0, 4.0, 1.0, 1.0, 1.0]);
    for name in ["nan", "negative_total", "labelled", "not_a_gauge_total"] {
        assert!(!watch.desk.text().contains(name), "{name}");
    }
}

#[tokio::test]
async fn a_million_label_sets_are_bounded_counted_and_harm_no_other_metric() {
    let watch = Watch::with(RegistryConfig::default().with_max_series_per_metric(100));
    let flood = async_collector("flood", "1h", move |mut out| {
        for id in 0..1_000_000 {
            out.gauge_with("flood", [("id", id.to_string())], 1.0);
        }
        out.gauge("beside", 1.0);
        std::future::ready(Ok::<_, CollectError>(out))
    });
    watch.desk.collect(flood).unwrap();
    watch.desk.start_collectors(&watch.tasks()).unwrap();
    watch.pass(100).await;
    assert_eq!(watch.desk.values(&selector("flood")).len(), 100);
    assert_eq!(watch.value("beside"), Some(1.0));
    // Counted once per run, however often the figures are read.
    assert!(!watch.desk.text().is_empty() && !watch.desk.sample().is_empty());
    assert_eq!(watch.desk.own("bellwether_metrics_overflowed_total", None), 999_900.0);
}

#[tokio::test]
async fn names_that_change_with_every_run_are_bounded() {
    let watch = Watch::new();
    let mut run = 0;
    let changing = async_collector("changing", "1s", move |mut out| {
        run += 1;
        for n in 0..100 {
            out.gauge(&format!("order_{run}_{n}"), 1.0);
        }
        std::future::ready(Ok::<_, CollectError>(out))
    });
    watch.desk.collect(changing).unwrap();
    watch.desk.start_collectors(&watch.tasks()).unwrap();
    watch.pass(10_000).await;
    let names = watch
        .desk
        .snapshot()
        .families
        .iter()
        .filter(|f| f.descriptor.name.as_str().starts_with("order_"))
        .count();
    assert!(names <= 100, "only the last run is told: {names}");
    assert!(watch.desk.refused("undeclared") > 700.0);
    assert!(watch.desk.gauge("still_room", Unit::None, "Room.").is_ok());
}

#[tokio::test]
async fn any_collector_can_have_an_interval_of_its_own_and_tells_only_what_it_declares() {
    struct Book {
        descriptors: [Descriptor; 2],
        spread: Spread,
    }
    impl Collect for Book {
        fn descriptors(&self) -> &[Descriptor] {
            &self.descriptors
        }
        fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
            let [held, depth] = &self.descriptors;
            out.histogram(held, &Labels::empty(), &self.spread.snapshot());
            out.gauge(depth, &Labels::empty(), 7.0);
            let other = Descriptor { name: MetricName::new("other").unwrap(), ..depth.clone() };
            out.gauge(&other, &Labels::empty(), 1.0);
            Ok(())
        }
    }
    let watch = Watch::new();
    let spread = Spread::new([1.0, 2.0]).unwrap();
    spread.record(1.5);
    let name = |text| MetricName::new(text).unwrap();
    let descriptors = [
        Descriptor::histogram(name("held_seconds"), Unit::Seconds, "Held."),
        Descriptor::gauge(name("depth"), Unit::None, "Depth."),
    ];
    watch.desk.collect(ScheduledCollector::of("book", "10s", Book { descriptors, spread })).unwrap();
    watch.desk.start_collectors(&watch.tasks()).unwrap();
    until("figures", || watch.value("depth") == Some(7.0)).await;
    let text = watch.desk.text();
    assert!(text.contains("\nheld_seconds_bucket{le=\"2.0\"} 1\n"), "{text}");
    assert_eq!((watch.value("other"), watch.desk.refused("undeclared")), (None, 1.0));
}

#[tokio::test]
async fn a_collector_that_is_registered_late_runs_too_and_all_run_again_under_another_supervisor() {
    let watch = Watch::new();
    let runs = Arc::new(AtomicU32::new(0));
    watch.desk.start_collectors(&watch.tasks()).unwrap();
    watch.desk.collect(counting("runs", "1s", &runs)).unwrap();
    watch.pass(100).await;
    assert_eq!(runs.load(Ordering::Relaxed), 1);
    watch.supervisor.shutdown(Duration::from_secs(1)).await.into_result().unwrap();
    watch.pass(5_000).await;
    assert_eq!(runs.load(Ordering::Relaxed), 1);
    let next = Supervisor::new(watch.desk.metrics.clock());
    watch.desk.start_collectors(&next.tasks()).unwrap();
    watch.pass(2_000).await;
    assert_eq!(runs.load(Ordering::Relaxed), 4, "at once, and at two ticks");
}

#[tokio::test]
async fn the_task_of_a_collector_ends_when_the_registry_has_gone() {
    let watch = Watch::new();
    let runs = Arc::new(AtomicU32::new(0));
    watch.desk.collect(counting("runs", "1s", &runs)).unwrap();
    watch.desk.start_collectors(&watch.tasks()).unwrap();
    watch.pass(100).await;
    let Watch { desk: Desk { clock, metrics }, supervisor } = watch;
    drop(metrics);
    clock.advance_through(Duration::from_secs(10)).await;
    let ended = supervisor.statuses();
    assert!(format!("{ended:?}").contains("Finished"), "{ended:?}");
    assert_eq!(runs.load(Ordering::Relaxed), 1);
}

#[test]
fn settings_that_are_none_are_told_with_the_collector_and_nothing_is_registered() {
    let desk = Desk::new();
    let nothing = |name: &'static str, interval: &'static str| collector(name, interval, |_| ());
    let error = |collector| match desk.collect::<ScheduledCollector>(collector) {
        Err(RegistryError::Schedule(error)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(error(nothing("", "5s")).contains("collector name \"\" is not 1 to 100 bytes"));
    assert!(error(nothing("a\nb", "5s")).contains("printable"));
    assert!(error(nothing("gateway", "5")).contains("collector \"gateway\", interval: duration \"5\""));
    assert!(error(nothing("gateway", "0s")).contains("interval 0ns is outside of 1ms to 86400s"));
    assert!(error(nothing("gateway", "5s").deadline("2d")).contains("deadline 172800s"));
    assert!(error(nothing("gateway", "5s").gauge("a b", Unit::None, "")).contains("\"a b\""));
    let taken = nothing("gateway", "5s").gauge("ok", Unit::None, "").gauge(
        "bellwether_metrics_series",
        Unit::None,
        "",
    );
    assert!(matches!(desk.collect(taken), Err(RegistryError::Conflict { .. })));
    assert!(desk.counter("ok_total", Unit::None, "Free again.").is_ok());
    let outside = desk.start_collectors(&Supervisor::new(desk.metrics.clock()).tasks());
    assert_eq!(outside, Ok(()), "there is nothing to start");
}

#[test]
fn without_a_runtime_a_collector_stays_registered_until_there_is_one() {
    let desk = Desk::new();
    let supervisor = Supervisor::new(desk.metrics.clock());
    desk.start_collectors(&supervisor.tasks()).unwrap();
    let late = desk.collect(collector("gateway", "5s", |out| out.gauge("sessions", 3.0)));
    assert!(matches!(late, Err(RegistryError::Schedule(ScheduleError::Spawn(_)))), "{late:?}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        desk.start_collectors(&supervisor.tasks()).unwrap();
        until("figures", || desk.value(&selector("sessions")).is_some()).await;
    });
}

#[tokio::test]
async fn collectors_of_the_same_name_are_told_apart_and_every_own_metric_is_told() {
    let watch = Watch::new();
    for _ in 0..2 {
        watch
            .desk
            .collect(async_collector("twin", "1s", |out| std::future::ready(Ok::<_, CollectError>(out))))
            .unwrap();
    }
    watch.desk.start_collectors(&watch.tasks()).unwrap();
    watch.pass(100).await;
    assert_eq!((watch.skipped("twin"), watch.skipped("twin#2")), (0.0, 0.0));
    let snapshot = watch.desk.snapshot();
    let told: Vec<_> = snapshot.families.iter().map(|family| family.descriptor.name.as_str()).collect();
    for own in &OWN_METRICS {
        assert!(told.contains(&own.name), "{}", own.name);
    }
}
