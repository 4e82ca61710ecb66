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
    let (report, ()) = tokio::join!(monitor.run(), async { hand.advance(Duration::from_secs(2)) });
    let found: Vec<_> = report.checks.iter().map(|c| (c.name.as_str(), c.health.output())).collect();
    assert_eq!(
        found,
        [("hangs", Some("no answer within 2s")), ("panics", Some("the check panicked")), ("well", None)]
    );
    assert_eq!(report.status, Status::Fail);
    assert_eq!(report.checks[0].took, Duration::from_secs(2));
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
