//! Two tiers that are one past.

use std::time::Duration;

use bellwether_core::config::Loader;
use bellwether_core::{Aggregate, HistoryQuery, Limit, PageRequest, Sample, TimeRange, Timestamp};
use bellwether_metrics::{
    Confidence, Direction, HistoryConfig, LongHistoryConfig, RegistryConfig, Series, Unit,
};
use proptest::prelude::*;

use crate::desk::{Desk, START, at, selector};
use crate::pages::now;

fn bounds(max_samples: usize, max_spans: usize, resolution: u64) -> HistoryConfig {
    let long = LongHistoryConfig::default()
        .with_max_spans(max_spans)
        .with_resolution(Duration::from_secs(resolution));
    HistoryConfig::default().with_max_samples(max_samples).with_long(long)
}

/// The two tiers as plain lists: spans of samples, and samples.
#[derive(Debug, Default)]
struct Model {
    spans: Vec<Vec<(i64, f64)>>,
    ring: Vec<(i64, f64)>,
    lost: usize,
}

impl Model {
    fn leave(&mut self, resolution: i64, max_spans: usize) {
        let sample = self.ring.remove(0);
        let span = |time: i64| (START + time - 1).div_euclid(resolution);
        match self.spans.last_mut() {
            Some(last) if span(last[0].0) == span(sample.0) => last.push(sample),
            _ => self.spans.push(vec![sample]),
        }
        if self.spans.len() > max_spans {
            self.lost += self.spans.remove(0).len();
        }
    }

    /// The samples of a range: spans as a whole, where their newest sample lies.
    fn inside(&self, start: i64, end: i64) -> Vec<(i64, f64)> {
        let is_in = |sample: &&(i64, f64)| start < sample.0 && sample.0 <= end;
        let spans = self.spans.iter().filter(|span| span.last().as_ref().is_some_and(is_in)).flatten();
        spans.chain(self.ring.iter().filter(is_in)).copied().collect()
    }
}

#[derive(Debug, Clone)]
enum Step {
    Push { after: i64, value: f64 },
    Expire { after: i64 },
    Truncate { before: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        40 => (1i64..9, -30i32..40).prop_map(|(after, value)| Step::Push { after, value: f64::from(value) }),
        1 => (0i64..300).prop_map(|after| Step::Expire { after }),
        1 => (0i64..300).prop_map(|before| Step::Truncate { before }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// No sample is missed or counted twice where the tiers meet, whatever the bounds are.
    #[test]
    fn both_tiers_are_one_plain_list(
        steps in prop::collection::vec(step(), 1..700),
        max_samples in 2usize..200,
        max_age in 20u64..900,
        max_spans in 1usize..60,
        resolution in 1i64..90,
        long_age in 60u64..4_000,
        windows in prop::collection::vec((0i64..3_000, 0i64..3_000), 8),
    ) {
        let mut bounds = bounds(max_samples, max_spans, resolution as u64)
            .with_max_age(Duration::from_secs(max_age));
        bounds.long = bounds.long.with_max_age(Duration::from_secs(long_age));
        let mut series = Series::new(&bounds);
        let mut model = Model::default();
        let mut newest = 0;
        let age = |model: &mut Model, now: i64| {
            while model.ring.first().is_some_and(|sample| sample.0 < now - max_age as i64) {
                model.leave(resolution, max_spans);
            }
            while model.spans.first().is_some_and(|span| span[span.len() - 1].0 < now - long_age as i64) {
                model.lost += model.spans.remove(0).len();
            }
        };
        for step in steps {
            let lost = match step {
                Step::Push { after, value } => {
                    newest += after;
                    let dropped = series.push(Sample::new(at(newest), value)).unwrap();
                    age(&mut model, newest);
                    model.ring.push((newest, value));
                    if model.ring.len() > max_samples {
                        model.leave(resolution, max_spans);
                    }
                    dropped.by_count + dropped.by_age
                }
                Step::Expire { after } => {
                    age(&mut model, newest + after);
                    series.expire(at(newest + after))
                }
                Step::Truncate { before } => {
                    newest -= before;
                    let length = model.ring.len();
                    model.ring.retain(|sample| sample.0 <= newest);
                    model.lost += length - model.ring.len();
                    while model.spans.last().is_some_and(|span| span[span.len() - 1].0 > newest) {
                        model.lost += model.spans.pop().unwrap().len();
                    }
                    series.truncate(at(newest))
                }
            };
            prop_assert_eq!(lost, std::mem::take(&mut model.lost), "counted as dropped");
        }
        let all = model.inside(i64::MIN, i64::MAX);
        prop_assert_eq!((series.len(), series.is_empty()), (all.len(), all.is_empty()));
        let ends = (series.oldest(), series.newest());
        let sample = |sample: &(i64, f64)| Sample::new(at(sample.0), sample.1);
        prop_assert_eq!(ends, (all.first().map(sample), all.last().map(sample)));
        for (start, length) in windows {
            let (start, end) = (newest - start, newest - start + length);
            let range = TimeRange::new(at(start), at(end)).unwrap();
            let inside = model.inside(start, end);
            crate::aggregates::compare_moments(&series, range, &inside)?;
            crate::trends::compare_line(&series, range, &inside)?;
            // Samples one by one, and before them the newest of each span.
            let is_in = |sample: &&(i64, f64)| start < sample.0 && sample.0 <= end;
            let spans = model.spans.iter().filter_map(|span| span.last()).filter(is_in);
            let listed: Vec<Sample> = spans.chain(model.ring.iter().filter(is_in)).map(sample).collect();
            prop_assert_eq!(series.samples(range).collect::<Vec<_>>(), listed);
        }
        // Ranges that follow one another share nothing and lose nothing, wherever they are cut.
        let cut = newest - 77;
        let count = |start, end| {
            let range = TimeRange::new(start, end).unwrap();
            series.aggregate(range, Aggregate::Count).unwrap_or_default()
        };
        let (head, tail) = (count(Timestamp::MIN, at(cut)), count(at(cut), Timestamp::MAX));
        prop_assert_eq!(head + tail, all.len() as f64);
    }
}

/// Three days of a leak, sampled every half minute, in 200 samples and 4,320 spans.
#[test]
fn days_are_remembered_and_paged() {
    let history = bounds(200, 3 * 1_440, 60);
    let desk = Desk::with(RegistryConfig::default().with_history(history));
    let resident = desk.gauge("resident_bytes", Unit::Bytes, "Memory.").unwrap();
    let ticks = 3 * 2_880u32;
    for tick in 0..ticks {
        resident.set(1e9 + 100.0 * f64::from(tick) + f64::from(tick % 7));
        desk.advance(30);
        desk.sample();
    }
    let meant = selector("resident_bytes");
    let three_days = TimeRange::ending(desk.now(), Duration::from_hours(72));
    let trend = desk.trend(&meant, three_days).unwrap();
    assert_eq!((trend.samples(), trend.first()), (ticks.into(), at(30)));
    assert_eq!(trend.direction(Confidence::P999), Direction::Rising);
    assert!((trend.slope() - 10.0 / 3.0).abs() < 1e-6, "{}", trend.slope());
    assert_eq!(desk.one("resident_bytes", Aggregate::Count), Some(ticks.into()));
    assert_eq!(desk.evicted("count") + desk.evicted("age"), 0.0, "summed up is not lost");

    // A point an hour: the whole is what the samples give.
    let query = HistoryQuery::new(meant.clone(), three_days).every(Duration::from_hours(1), Aggregate::Count);
    let page = now(desk.history().read(&query, &PageRequest::default())).unwrap();
    let counts: Vec<f64> = page.items.iter().map(|point| point.sample.value).collect();
    assert_eq!((counts.len(), counts.iter().sum::<f64>()), (72, ticks.into()));
    assert!(counts.iter().all(|&count| (count - 120.0).abs() <= 2.0), "{counts:?}");

    let raw = HistoryQuery::new(meant, three_days);
    let limit = Limit::new(1_000).unwrap();
    let (mut stamps, mut request) = (Vec::new(), PageRequest::first(limit));
    loop {
        let page = now(desk.history().read(&raw, &request)).unwrap();
        stamps.extend(page.items.iter().map(|point| point.sample.at));
        let Some(next) = page.next else { break };
        request = PageRequest::after(limit, next);
    }
    // The clock starts twenty seconds after a minute: the first span holds one sample, the others two.
    assert!(stamps.is_sorted_by(|a, b| a < b));
    assert_eq!(stamps.len(), 200 + 1 + (ticks as usize - 201).div_ceil(2));

    // Its own bound of age, also when nothing is sampled.
    desk.advance(31 * 86_400);
    assert_eq!(desk.one("resident_bytes", Aggregate::Count), None);
}

#[test]
fn a_span_that_goes_is_counted_with_all_its_samples() {
    let desk = Desk::with(RegistryConfig::default().with_history(bounds(2, 3, 10)));
    desk.gauge("depth", Unit::None, "Depth.").unwrap().set(1.0);
    for _ in 0..100 {
        desk.advance(1);
        desk.sample();
    }
    // Two by themselves, three spans of which the newest is not full.
    let held = desk.one("depth", Aggregate::Count).unwrap();
    assert_eq!(held, 2.0 + 8.0 + 10.0 + 10.0);
    let (taken, kept) = (
        desk.own("bellwether_metrics_history_samples_total", None),
        desk.own("bellwether_metrics_history_held_samples", None),
    );
    assert_eq!(desk.evicted("count"), taken - kept);
}

#[test]
fn without_spans_there_is_no_second_tier() {
    let mut series = Series::new(&bounds(10, 0, 60));
    let dropped: usize =
        (0..100).map(|second| series.push(Sample::new(at(second), 1.0)).unwrap().by_count).sum();
    assert_eq!((series.len(), dropped), (10, 90));
}

#[test]
fn the_section_is_checked() {
    let text = "[history.long]\nmax_spans = 2000000\nresolution = \"10ms\"\nmax_age = \"0s\"\n";
    let error = Loader::text("desk.toml", text).load::<RegistryConfig>().unwrap_err().to_string();
    for expected in [
        "history.long.max_spans: 2000000 is outside of [0, 1048576]",
        "history.long.resolution: 10ms is outside of [1s, 1d]",
        "history.long.max_age: 0s is outside of [1s, 36525d]",
    ] {
        assert!(error.contains(expected), "{error}");
    }
}
