use std::sync::Arc;
use std::time::Duration;

use bellwether_core::{
    Aggregate, HistoryQuery, LabelName, Labels, MetricName, Selector, Spread, Tally, TimeRange, Timestamp,
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds).unwrap()
}

#[test]
fn a_sum_of_the_largest_values_stays_finite() {
    let spread = Spread::new([1.0]).unwrap();
    spread.record(f64::MAX);
    spread.record(f64::MAX);
    assert_eq!(spread.snapshot().sum, f64::MAX);
}

#[test]
fn a_selector_writes_label_values_as_label_sets_do() {
    let (venue, value) = (LabelName::new("venue").unwrap(), "a\"b\\c\n\t\u{200b}");
    let labels = Labels::new([("venue", value)]).unwrap();
    let selector = Selector::metric(MetricName::new("fills_total").unwrap()).equal(venue, value);
    assert_eq!(selector.to_string(), format!("fills_total{labels}"));
}

#[test]
fn ranges_that_follow_one_another_share_no_instant() {
    let (first, second) = (TimeRange::new(at(0), at(10)).unwrap(), TimeRange::new(at(10), at(20)).unwrap());
    for second_of_time in 0..=20 {
        let holders = [first, second].iter().filter(|range| range.contains(at(second_of_time))).count();
        assert_eq!(holders, usize::from(second_of_time > 0), "{second_of_time}");
    }
    assert_eq!(TimeRange::ending(at(10), Duration::from_secs(10)), first);
    assert!(TimeRange::new(at(1), at(0)).is_err());
}

#[test]
fn a_missing_label_is_an_empty_one_for_selectors() {
    let venue = LabelName::new("venue").unwrap();
    let fills = || Selector::metric(MetricName::new("fills_total").unwrap());
    let (here, none) = (Labels::new([("venue", "XNYS")]).unwrap(), Labels::empty());
    assert!(fills().equal(venue.clone(), "").matches(&none));
    assert!(fills().not_equal(venue.clone(), "XNYS").matches(&none));
    assert!(!fills().not_equal(venue, "XNYS").matches(&here));
    assert!(fills().matches(&here));
}

#[test]
fn questions_that_differ_have_different_checks() {
    let metric = || Selector::metric(MetricName::new("equity").unwrap());
    let plain = HistoryQuery::new(metric(), TimeRange::until(at(9)));
    let stepped = plain.clone().every(Duration::from_mins(1), Aggregate::Last);
    let longer = HistoryQuery::new(metric(), TimeRange::until(at(10)));
    assert_eq!(plain.check(), plain.clone().check());
    assert_ne!(plain.check(), stepped.check());
    assert_ne!(plain.check(), longer.check());
}

#[test]
fn tallies_and_spreads_lose_nothing_between_threads() {
    let (tally, spread) = (Arc::new(Tally::new()), Arc::new(Spread::new([1.0, 10.0]).unwrap()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let (tally, spread) = (Arc::clone(&tally), Arc::clone(&spread));
            scope.spawn(move || {
                for i in 0..1_000 {
                    tally.increment();
                    spread.record(f64::from(i % 20));
                }
            });
        }
    });
    let seen = spread.snapshot();
    assert_eq!(tally.get(), 4_000);
    assert_eq!((seen.count(), seen.sum), (4_000, 4.0 * 50.0 * 190.0));
    assert_eq!(*seen.counts, [400, 1_800, 1_800]);
}
