use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bellwether_core::{
    Aggregate, Cursor, CursorError, HistoryError, HistoryQuery, Limit, PageRequest, SampleHistory,
    SeriesSample, TimeRange,
};
use bellwether_metrics::{HistoryConfig, RegistryConfig, Unit};
use proptest::prelude::*;

use crate::desk::{Desk, at, selector};

/// Runs a future that never waits.
pub(crate) fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the history in memory never waits"),
    }
}

/// All pages joined; `between` runs after each.
fn joined(desk: &Desk, query: &HistoryQuery, limit: u32, mut between: impl FnMut()) -> Vec<SeriesSample> {
    let limit = Limit::new(limit).unwrap();
    let mut all = Vec::new();
    let mut request = PageRequest::first(limit);
    loop {
        let page = now(desk.history().read(query, &request)).unwrap();
        assert!(page.items.len() <= limit.get());
        all.extend(page.items);
        let Some(cursor) = page.next else { return all };
        between();
        request = PageRequest::after(limit, Cursor::from_text(cursor.as_str()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pages_joined_are_the_whole_also_while_samples_arrive(
        samples in 1usize..40,
        limit in 1u32..30,
        series in 1usize..6,
        step in prop::option::of(1u64..9),
        start in 0i64..20,
        length in 0i64..40,
    ) {
        let desk = Desk::new();
        let family = desk.gauge_family("depth", Unit::None, "Depth.", ["venue", "note"]).unwrap();
        let long = "n".repeat(2_000);
        let set = |value: f64| {
            for i in 0..series {
                // One label set is too long for a cursor to hold.
                let note = if i == 1 { &*long } else { "" };
                family.with([&i.to_string(), note]).set(value + i as f64);
            }
        };
        let mut list = Vec::new();
        for i in 0..samples {
            set(i as f64 * 10.0);
            desk.sample();
            list.push((i as i64, i as f64 * 10.0));
            desk.advance(1);
        }
        let range = TimeRange::new(at(start - 1), at(start - 1 + length)).unwrap();
        let mut query = HistoryQuery::new(selector("depth"), range);
        if let Some(step) = step {
            query = query.every(Duration::from_secs(step), Aggregate::Max);
        }
        let whole = joined(&desk, &query, 10_000, || {});
        let mut arriving = 0.0;
        let pages = joined(&desk, &query, limit, || {
            // They lie after the range, which ended before the first page was read.
            desk.advance(60);
            arriving += 1.0;
            set(arriving);
            desk.sample();
        });
        prop_assert_eq!(&pages, &whole);

        // And the whole is what a plain list says.
        let mut expected = Vec::new();
        let (start, end) = (start - 1, start - 1 + length);
        for i in 0..series {
            let mut points: Vec<(i64, f64)> = Vec::new();
            for &(time, value) in list.iter().filter(|sample| start < sample.0 && sample.0 <= end) {
                let stamp = step.map_or(time, |step| {
                    let step = step as i64;
                    (start + (time - start + step - 1) / step * step).min(end)
                });
                let value = value + i as f64;
                match points.last_mut() {
                    Some(last) if last.0 == stamp => last.1 = last.1.max(value),
                    _ => points.push((stamp, value)),
                }
            }
            expected.push(points);
        }
        let mut seen = vec![Vec::new(); series];
        for point in &whole {
            let i: usize = point.labels.get("venue").unwrap().parse().unwrap();
            seen[i].push(((point.sample.at.as_micros() / 1_000_000) - crate::desk::START, point.sample.value));
        }
        prop_assert_eq!(seen, expected);
        prop_assert!(whole.is_sorted_by(|a, b| (&a.labels, a.sample.at) < (&b.labels, b.sample.at)));
    }
}

#[test]
fn a_cursor_of_another_question_or_from_nowhere_is_an_error() {
    let desk = Desk::new();
    desk.gauge("depth", Unit::None, "Depth.").unwrap().set(1.0);
    for _ in 0..3 {
        desk.sample();
        desk.advance(1);
    }
    let range = TimeRange::until(desk.now());
    let query = HistoryQuery::new(selector("depth"), range);
    let limit = Limit::new(1).unwrap();
    let page = now(desk.history().read(&query, &PageRequest::first(limit))).unwrap();
    let other = HistoryQuery::new(selector("width"), range);
    let read = |query: &HistoryQuery, cursor: Cursor| {
        now(desk.history().read(query, &PageRequest::after(limit, cursor))).unwrap_err()
    };
    assert_eq!(read(&other, page.next.clone().unwrap()), HistoryError::Cursor(CursorError::OtherQuery));
    for key in ["", "x", "12", "12 zz", "99999999999999999999 0", "12 00000000000000000000000000000000 1:"] {
        let cursor = Cursor::new(query.check(), key);
        assert!(
            matches!(read(&query, cursor), HistoryError::Cursor(CursorError::Malformed { .. })),
            "{key:?}"
        );
    }
    let garbage = read(&query, Cursor::from_text("garbage"));
    assert!(matches!(garbage, HistoryError::Cursor(CursorError::Malformed { .. })));
}

#[test]
fn a_step_of_no_length_is_an_error() {
    let desk = Desk::new();
    let query = HistoryQuery::new(selector("depth"), TimeRange::until(desk.now()))
        .every(Duration::from_nanos(999), Aggregate::Mean);
    let error = now(desk.metrics.read(&query, &PageRequest::default())).unwrap_err();
    assert_eq!(error, HistoryError::Step(Duration::from_nanos(999)));
}

#[test]
fn a_page_after_a_series_that_has_gone_begins_with_the_next() {
    let history = HistoryConfig::default().with_max_age(Duration::from_secs(100));
    let desk = Desk::with(RegistryConfig::default().with_history(history));
    let depth = desk.gauge_family("depth", Unit::None, "Depth.", ["venue"]).unwrap();
    for venue in ["A", "B"] {
        depth.with(venue).set(1.0);
    }
    desk.sample();
    desk.advance(1);
    desk.sample();
    let end = desk.now().saturating_add(Duration::from_secs(10_000));
    let query = HistoryQuery::new(selector("depth"), TimeRange::until(end));
    let limit = Limit::new(1).unwrap();
    let first = now(desk.history().read(&query, &PageRequest::first(limit))).unwrap();
    assert_eq!(first.items[0].labels.get("venue"), Some("A"));
    depth.with("A").clear();
    for _ in 0..130 {
        desk.advance(10);
        desk.sample();
    }
    let next = now(desk.history().read(&query, &PageRequest::after(limit, first.next.unwrap()))).unwrap();
    assert_eq!(next.items[0].labels.get("venue"), Some("B"));
}
