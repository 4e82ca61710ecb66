use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bellwether_core::{
    Aggregate, Labels, ManualClock, MetricName, SampleWindows, Selector, SeriesValue, SharedClock, TimeRange,
    Timestamp,
};
use bellwether_health::{
    FeedFresh, FigureBoundsError, FigureWithin, Health, HealthCheck, HealthMonitor, MonitorError, Probe,
    Status, Weight, check,
};
use chrono::{DateTime, Utc};

/// The newest samples of some series, as a metrics registry would tell them.
struct Newest(Vec<(&'static str, i64, f64)>);

impl SampleWindows for Newest {
    fn aggregate(&self, _: &Selector, range: TimeRange, aggregate: Aggregate, out: &mut Vec<SeriesValue>) {
        assert_eq!(aggregate, Aggregate::Last);
        for &(feed, at, value) in &self.0 {
            let newest = Timestamp::from_seconds(at).unwrap();
            if range.contains(newest) {
                out.push(SeriesValue { labels: Labels::new([("feed", feed)]).unwrap(), value, newest });
            }
        }
    }
}

fn clock_at(seconds: i64) -> (ManualClock, SharedClock) {
    let clock = ManualClock::starting_at(DateTime::<Utc>::from_timestamp(seconds, 0).unwrap());
    (clock.clone(), Arc::new(clock))
}

fn metric(name: &'static str) -> MetricName {
    MetricName::new(name).unwrap()
}

async fn feed(samples: Vec<(&'static str, i64, f64)>) -> Health {
    let (_, clock) = clock_at(1_000);
    let limit = Duration::from_mins(1);
    FeedFresh::new("ticks", &clock, Arc::new(Newest(samples)), metric("tick_price"), limit).check().await
}

#[tokio::test]
async fn the_oldest_feed_decides_whether_feeds_are_fresh() {
    let fresh = feed(vec![("a", 990, 1.0), ("b", 940, 1.0)]).await;
    assert_eq!((fresh.status(), fresh.observed().unwrap().value), (Status::Pass, 60.0));
    let stale = feed(vec![("a", 990, 1.0), ("b", 939, 1.0)]).await;
    assert_eq!(stale.status(), Status::Fail);
    assert_eq!(stale.output(), Some("newest sample of tick_price{feed=\"b\"} is 1m1s old, more than 1m"));
}

#[tokio::test]
async fn a_feed_that_never_spoke_is_not_fresh() {
    let silent = feed(vec![]).await;
    assert_eq!(silent.output(), Some("no sample of tick_price"));
}

#[tokio::test]
async fn a_feed_that_died_long_ago_is_not_forgotten_beside_one_that_lives() {
    let one_dead = feed(vec![("a", 990, 1.0), ("b", 1, 1.0)]).await;
    assert_eq!((one_dead.status(), one_dead.observed().unwrap().value), (Status::Fail, 999.0));
}

/// Windows whose content changes.
#[derive(Default)]
struct Changing(parking_lot::Mutex<Vec<(&'static str, i64, f64)>>);

impl SampleWindows for Changing {
    fn aggregate(
        &self,
        selector: &Selector,
        range: TimeRange,
        aggregate: Aggregate,
        out: &mut Vec<SeriesValue>,
    ) {
        Newest(self.0.lock().clone()).aggregate(selector, range, aggregate, out);
    }
}

#[tokio::test]
async fn a_feed_that_the_windows_have_forgotten_is_stale_and_its_age_is_told() {
    let (hand, clock) = clock_at(1_000);
    let windows = Arc::new(Changing::default());
    let limit = Duration::from_mins(1);
    let check = FeedFresh::new("ticks", &clock, Arc::clone(&windows) as _, metric("tick_price"), limit);
    *windows.0.lock() = vec![("a", 990, 1.0), ("b", 980, 1.0)];
    assert_eq!(check.check().await.status(), Status::Pass);

    hand.advance(Duration::from_mins(10));
    *windows.0.lock() = vec![("a", 1_590, 1.0)]; // "b" is older than anything that the windows keep
    let stale = check.check().await;
    let said = "newest sample of tick_price{feed=\"b\"} is 10m20s old, more than 1m";
    assert_eq!((stale.status(), stale.output()), (Status::Fail, Some(said)));

    windows.0.lock().clear();
    hand.advance(Duration::from_mins(1));
    let silent = check.check().await;
    assert_eq!((silent.status(), silent.observed().unwrap().value), (Status::Fail, 680.0));

    *windows.0.lock() = vec![("b", 1_660, 1.0), ("a", 1_660, 1.0)];
    assert_eq!(check.check().await.status(), Status::Pass, "it speaks again");
}

#[tokio::test]
async fn a_clock_that_is_set_back_keeps_no_dead_feed_fresh() {
    let (hand, clock) = clock_at(1_000_000);
    let windows = Arc::new(Changing::default());
    let limit = Duration::from_mins(1);
    let check = FeedFresh::new("ticks", &clock, Arc::clone(&windows) as _, metric("tick_price"), limit);
    *windows.0.lock() = vec![("a", 1_000_000, 1.0)];
    assert_eq!(check.check().await.status(), Status::Pass);

    hand.step_wall(chrono::TimeDelta::seconds(1_000 - 1_000_000));
    let judged = check.check().await; // it may have spoken just now, and has its limit from here on
    assert_eq!((judged.status(), judged.observed().unwrap().value), (Status::Pass, 0.0));
    hand.advance(Duration::from_secs(61));
    let dead = check.check().await;
    let said = "newest sample of tick_price{feed=\"a\"} is 1m1s old, more than 1m";
    assert_eq!((dead.status(), dead.output()), (Status::Fail, Some(said)));

    *windows.0.lock() = vec![("a", 1_061, 1.0)];
    assert_eq!(check.check().await.status(), Status::Pass, "it speaks again");
}

#[tokio::test]
async fn the_newest_sample_of_a_feed_is_the_one_that_the_windows_hold() {
    let (_, clock) = clock_at(1_000);
    let windows = Arc::new(Changing::default());
    let limit = Duration::from_mins(1);
    let check = FeedFresh::new("ticks", &clock, Arc::clone(&windows) as _, metric("tick_price"), limit);
    *windows.0.lock() = vec![("a", 1_000, 1.0)];
    assert_eq!(check.check().await.status(), Status::Pass);
    *windows.0.lock() = vec![("a", 900, 1.0)]; // stamped by a clock that was ahead, and taken back
    assert_eq!(check.check().await.observed().unwrap().value, 100.0);
}

#[tokio::test]
async fn a_feed_that_is_gone_for_good_is_forgotten_when_the_host_wants_it_to_be() {
    let (hand, clock) = clock_at(1_000);
    let windows = Arc::new(Changing::default());
    let limit = Duration::from_mins(1);
    let check = FeedFresh::new("ticks", &clock, Arc::clone(&windows) as _, metric("tick_price"), limit)
        .forgetting_after(Duration::from_hours(1));
    *windows.0.lock() = vec![("a", 1_000, 1.0), ("delisted", 1_000, 1.0)];
    assert_eq!(check.check().await.status(), Status::Pass);
    hand.advance(Duration::from_hours(1));
    *windows.0.lock() = vec![("a", 4_600, 1.0)];
    assert_eq!(check.check().await.status(), Status::Fail);
    hand.advance(Duration::from_secs(1));
    assert_eq!(check.check().await.status(), Status::Pass);
}

#[tokio::test]
async fn a_figure_that_is_no_number_fails() {
    let (_, clock) = clock_at(1_000);
    for value in [f64::NAN, f64::INFINITY] {
        let windows = Arc::new(Newest(vec![("a", 990, 0.0), ("b", 990, value)]));
        let check = FigureWithin::new("x", &clock, windows, metric("x"), 1.0, 2.0).unwrap();
        let judged = check.check().await;
        assert_eq!(judged.status(), Status::Fail, "{value}");
        assert!(judged.observed().is_none());
    }
}

#[tokio::test]
async fn a_figure_is_told_as_people_read_it() {
    let (_, clock) = clock_at(1_000);
    let windows = Arc::new(Newest(vec![("a", 990, 0.150_947_251_905_642_43)]));
    let check = FigureWithin::new("x", &clock, windows, metric("depth"), 0.1, 0.2).unwrap();
    assert_eq!(check.check().await.output(), Some("depth{feed=\"a\"} is 0.1509, above 0.1"));
}

#[tokio::test]
async fn a_figure_is_told_on_the_side_of_its_bound_that_it_lies_on() {
    let (_, clock) = clock_at(1_000);
    for (value, bound, said) in [
        (12_345.0, 10.0, "12345, above 10"),
        (123_457.0, 123_456.0, "123457, above 123456"),
        (10_001.0, 10_000.0, "10001, above 10000"),
        (9_007_199_254_740_991.0, 0.0, "9007199254740991, above 0"),
        (12_345.6, 0.0, "12346, above 0"),
        (10_000.4, 10_000.0, "10000.4, above 10000"),
        (0.100_000_001, 0.1, "0.100000001, above 0.1"),
        (-0.099_999, -0.1, "-0.099999, above -0.1"),
    ] {
        let windows = Arc::new(Newest(vec![("a", 990, value)]));
        let check = FigureWithin::new("x", &clock, windows, metric("lost"), bound, f64::MAX).unwrap();
        assert_eq!(check.check().await.output(), Some(&*format!("lost{{feed=\"a\"}} is {said}")));
    }
    for (left, said) in [
        (0.249_99, "headroom 0.24999 is below 0.25"),
        (0.2468, "headroom 0.2468 is below 0.25"),
        (0.099_999, "headroom 0.099999 is below 0.1"),
        (-12_345.0, "headroom -12345 is below 0.1"),
    ] {
        assert_eq!(Health::from_headroom(left, 0.25, 0.1).output(), Some(said));
    }
}

#[tokio::test]
async fn the_largest_figure_decides_and_a_missing_one_is_a_warning() {
    let (_, clock) = clock_at(1_000);
    let judge = |samples| {
        let windows = Arc::new(Newest(samples));
        FigureWithin::new("dead letters", &clock, windows, metric("dead_letters"), 0.0, 10.0).unwrap()
    };
    assert_eq!(judge(vec![("a", 990, 0.0)]).check().await.status(), Status::Pass);
    let warned = judge(vec![("a", 990, 0.0), ("b", 990, 3.0)]).check().await;
    assert_eq!(
        (warned.status(), warned.output()),
        (Status::Warn, Some("dead_letters{feed=\"b\"} is 3, above 0"))
    );
    assert_eq!(judge(vec![("a", 990, 11.0)]).check().await.status(), Status::Fail);
    assert_eq!(judge(vec![]).check().await.output(), Some("no recent value of dead_letters"));
}

#[test]
fn contradicting_bounds_are_refused() {
    let (_, clock) = clock_at(0);
    let error = FigureWithin::new("x", &clock, Arc::new(Newest(vec![])), metric("x"), 2.0, 1.0).unwrap_err();
    assert_eq!(error, FigureBoundsError { warn_above: 2.0, fail_above: 1.0 });
    assert!(FigureWithin::new("x", &clock, Arc::new(Newest(vec![])), metric("x"), f64::NAN, 1.0).is_err());
}

struct Hangs;

#[async_trait]
impl HealthCheck for Hangs {
    fn name(&self) -> &'static str {
        "hangs"
    }
    fn deadline(&self) -> Duration {
        Duration::from_secs(2)
    }
    async fn check(&self) -> Health {
        pending().await
    }
}

/// What a future gives without more time going by; a test that would wait for ever fails instead.
async fn soon<F: Future>(future: F) -> F::Output {
    let turns = async {
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        output = future => output,
        () = turns => panic!("it still waits"),
    }
}

#[tokio::test]
async fn a_check_that_hangs_or_panics_fails_alone() {
    let (hand, clock) = clock_at(0);
    let monitor = HealthMonitor::new(&clock)
        .check(Hangs)
        .unwrap()
        .check(check("panics", Probe::Readiness, || async { panic!("planted") }))
        .unwrap()
        .check(check("well", Probe::Liveness, || async { Health::pass() }))
        .unwrap();
    let (report, ()) = tokio::join!(soon(monitor.run()), async { hand.advance(Duration::from_secs(2)) });
    let found: Vec<_> = report.checks.iter().map(|c| (c.name.as_str(), c.health.output())).collect();
    assert_eq!(
        found,
        [("hangs", Some("no answer within 2s")), ("panics", Some("the check panicked")), ("well", None)]
    );
    assert_eq!(report.status, Status::Fail);
    assert_eq!(report.checks[0].took, Duration::from_secs(2));
}

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("planted");
    }
}

/// A check that panics wherever it can.
struct PanicsIn(&'static str);

impl HealthCheck for PanicsIn {
    fn name(&self) -> &str {
        self.0
    }
    fn probe(&self) -> Probe {
        assert!(self.0 != "probe", "planted");
        Probe::Readiness
    }
    fn deadline(&self) -> Duration {
        assert!(self.0 != "deadline", "planted");
        Duration::from_secs(1)
    }
    fn check<'a, 'b>(&'a self) -> std::pin::Pin<Box<dyn Future<Output = Health> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        assert!(self.0 != "call", "planted");
        if self.0 == "payload" {
            std::panic::panic_any(PanicsWhenDropped);
        }
        let left = (self.0 == "drop").then(|| PanicsWhenDropped);
        Box::pin(async move {
            if left.is_some() {
                pending::<()>().await;
            }
            Health::pass()
        })
    }
}

#[tokio::test]
async fn a_panic_anywhere_in_a_check_fails_that_check_and_no_other() {
    let (hand, clock) = clock_at(0);
    let monitor = ["probe", "deadline", "call", "payload", "drop", "well"]
        .into_iter()
        .try_fold(HealthMonitor::new(&clock), |monitor, name| monitor.check(PanicsIn(name)))
        .unwrap();
    let (report, ()) = tokio::join!(soon(monitor.run()), async { hand.advance(Duration::from_secs(1)) });
    let failed: Vec<_> = report.checks.iter().map(|c| (c.name.as_str(), c.health.output())).collect();
    let panicked = Some("the check panicked");
    assert_eq!(
        failed,
        [
            ("probe", panicked),
            ("deadline", panicked),
            ("call", panicked),
            ("payload", panicked),
            ("drop", panicked),
            ("well", None)
        ]
    );
}

#[tokio::test]
async fn weights_whose_sum_is_no_number_are_refused() {
    let (_, clock) = clock_at(0);
    let well = |name: &str| check(name, Probe::Readiness, || async { Health::pass() });
    for share in [f64::MAX, f64::INFINITY, f64::NAN, -1.0, 1e6 + 1.0, 1e-7] {
        let refused = HealthMonitor::new(&clock).weighted_check(well("a"), Weight { share, critical: false });
        assert!(matches!(refused, Err(MonitorError::Weight { .. })), "{share}");
    }
    let weights = [1e-6, 1e6, 1.0, 1e6];
    let monitor = weights.into_iter().enumerate().fold(HealthMonitor::new(&clock), |monitor, (at, share)| {
        monitor.weighted_check(well(&at.to_string()), Weight { share, critical: true }).unwrap()
    });
    assert_eq!(monitor.run().await.score.value, 100.0);
}

#[tokio::test]
async fn what_a_check_says_stays_on_one_line_and_has_a_bound() {
    let (_, clock) = clock_at(0);
    let forged = || async { Health::warn("slow\n  pass  broker  100.0 of 100.0\u{1b}[2K\u{202e}") };
    let endless = || async { Health::fail("x".repeat(100_000)) };
    let monitor = HealthMonitor::new(&clock)
        .check(check("forged", Probe::Readiness, forged))
        .unwrap()
        .check(check("endless", Probe::Readiness, endless))
        .unwrap();
    let report = monitor.run().await;
    let text = report.to_string();
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
    assert_eq!(report.checks[1].health.output().unwrap().chars().count(), 1_000);
    for name in ["", "two\nlines", &"n".repeat(129)] {
        let refused = HealthMonitor::new(&clock).check(check(name, Probe::Readiness, forged));
        assert!(matches!(refused, Err(MonitorError::Name { .. })), "{name:?}");
    }
}

#[tokio::test]
async fn names_are_unique_and_weights_are_positive() {
    let (_, clock) = clock_at(0);
    let well = |name: &str| check(name, Probe::Readiness, || async { Health::pass() });
    let monitor = HealthMonitor::new(&clock).check(well("a")).unwrap();
    let twice = monitor.check(well("a")).unwrap_err();
    assert_eq!(twice.to_string(), "there is a health check named \"a\" already");
    let weight = Weight { share: 0.0, critical: false };
    let weightless = HealthMonitor::new(&clock).weighted_check(well("b"), weight).unwrap_err();
    assert!(matches!(weightless, MonitorError::Weight { share: 0.0, .. }));
    assert_eq!(HealthMonitor::new(&clock).run().await.score.value, 100.0);
}

#[tokio::test]
async fn the_report_is_json_without_a_number_that_is_none() {
    let (_, clock) = clock_at(0);
    let look = || async {
        Health::from_headroom(f64::NAN, 0.2, 0.1).observing(f64::INFINITY, &bellwether_core::Unit::None)
    };
    let monitor = HealthMonitor::new(&clock).check(check("margin", Probe::Readiness, look)).unwrap();
    let json = serde_json::to_value(monitor.run().await).unwrap();
    assert_eq!(json["checks"][0]["status"], "fail");
    assert_eq!(json["checks"][0]["output"], "headroom is NaN, not a finite number");
    assert!(json["checks"][0].get("observed").is_none());
}
