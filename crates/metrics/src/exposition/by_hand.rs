//! Values made by hand, shown to an encoder as a registry would.

use std::sync::Arc;

use bellwether_core::{
    Descriptor, Labels, MetricName, SeriesKey, SpreadSnapshot, SummarySnapshot, Timestamp, Unit,
};

use super::prefix::Prefix;
use crate::exemplar::{Exemplar, Exemplars};
use crate::gather::{SeriesView, Tracks, Visit};
use crate::instrument::{Declared, Reading};
use crate::{Buckets, FamilySnapshot, NativeSnapshot, SeriesSnapshot, Snapshot, Total, Value};

/// Shows a snapshot to an encoder.
pub(crate) fn show(snapshot: &Snapshot, visitor: &mut dyn Visit) {
    for family in &snapshot.families {
        let declared = Declared::new(Arc::clone(&family.descriptor)).unwrap();
        visitor.family(&declared);
        for series in &family.series {
            show_series(&declared, series, visitor);
        }
    }
}

fn show_series(declared: &Declared, series: &SeriesSnapshot, visitor: &mut dyn Visit) {
    let key =
        Arc::new(SeriesKey { descriptor: Arc::clone(&declared.descriptor), labels: series.labels.clone() });
    let exemplars = Exemplars::new(64);
    for (place, exemplar) in &series.exemplars {
        exemplars.keep(*place, exemplar.clone());
    }
    let buckets;
    let reading = match &series.value {
        Value::Counter(total) => Reading::Counter(*total),
        Value::Gauge(value) => Reading::Gauge(*value),
        Value::Histogram(spread) => {
            buckets = Buckets::new(spread.bounds.clone()).unwrap();
            Reading::Histogram { buckets: &buckets, counts: &spread.counts, sum: spread.sum }
        }
        Value::Native(native) => Reading::Native {
            schema: native.schema,
            zero_threshold: native.zero_threshold,
            zero_count: native.zero_count,
            positive: &native.positive,
            negative: &native.negative,
            sum: native.sum,
        },
        Value::Summary(summary) => {
            Reading::Summary { quantiles: &summary.quantiles, count: summary.count, sum: summary.sum }
        }
    };
    visitor.series(SeriesView {
        key: &key,
        prefix: Prefix::new(&key).as_str(),
        reading,
        created: series.created,
        exemplars: (!series.exemplars.is_empty()).then_some(&exemplars),
        tracks: &mut Tracks::default(),
    });
}

pub(crate) fn labels<const N: usize>(pairs: [(&str, &str); N]) -> Labels {
    Labels::new(pairs).unwrap()
}

fn name(name: &'static str) -> MetricName {
    MetricName::new(name).unwrap()
}

fn family(descriptor: Descriptor, series: Vec<SeriesSnapshot>) -> FamilySnapshot {
    FamilySnapshot { descriptor: Arc::new(descriptor), series }
}

fn series(labels: Labels, value: Value) -> SeriesSnapshot {
    SeriesSnapshot { labels, value, created: None, exemplars: Vec::new() }
}

pub(crate) fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(1_700_000_000_000_000 + micros).unwrap()
}

fn exemplar(id: &str, value: f64, micros: i64) -> Exemplar {
    Exemplar { labels: labels([("order_id", id)]), value, at: at(micros) }
}

/// A page with every kind, with starts, exemplars, units and hostile text.
pub(crate) fn page() -> Snapshot {
    let ack = SeriesSnapshot {
        created: Some(at(0)),
        exemplars: vec![(0, exemplar("7", 0.000_5, 250_000)), (2, exemplar("8\"\\", 3.0, 500_000))],
        ..series(
            labels([("venue", "XNYS")]),
            Value::Histogram(SpreadSnapshot {
                bounds: [0.001, 1.0].into(),
                counts: [2, 0, 1].into(),
                sum: 3.001,
            }),
        )
    };
    let build = series(labels([("version", "1.2.3")]), Value::Gauge(1.0));
    let feed =
        |state, venue, value| series(labels([("feed_state", state), ("venue", venue)]), Value::Gauge(value));
    let hold = SeriesSnapshot {
        created: Some(at(0)),
        ..series(
            Labels::empty(),
            Value::Summary(SummarySnapshot {
                quantiles: [(0.5, 0.25), (0.99, 2.0)].into(),
                count: 3,
                sum: 2.5,
            }),
        )
    };
    let native = SeriesSnapshot {
        created: Some(at(0)),
        exemplars: vec![(1, exemplar("9", 0.1, 1)), (3, exemplar("10", 0.2, 2))],
        ..series(
            labels([("venue", "ARCX")]),
            Value::Native(NativeSnapshot {
                schema: 3,
                zero_threshold: 1e-9,
                zero_count: 2,
                positive: [(-3, 1), (-2, 4), (5, 2), (6, 300)].into(),
                negative: Box::default(),
                sum: 500.5,
            }),
        )
    };
    let orders = SeriesSnapshot {
        created: Some(at(1)),
        exemplars: vec![(0, exemplar("12", 1.0, 1_000_000))],
        ..series(labels([("note", "a\"b\\c\nd"), ("side", "buy")]), Value::Counter(Total::Whole(u64::MAX)))
    };
    Snapshot {
        at: at(2_000_000),
        families: vec![
            family(Descriptor::histogram(name("ack_seconds"), Unit::Seconds, "Ack."), vec![ack]),
            family(Descriptor::info(name("build_info"), "Build."), vec![build]),
            family(
                Descriptor::gauge(name("desk_pnl"), Unit::Usd, "Profit."),
                vec![series(Labels::empty(), Value::Gauge(-1_250.25))],
            ),
            family(
                Descriptor::state_set(name("feed_state"), "Feed."),
                vec![
                    feed("closed", "ARCX", 0.0),
                    feed("closed", "XNYS", 1.0),
                    feed("open", "ARCX", 1.0),
                    feed("open", "XNYS", 0.0),
                ],
            ),
            family(
                Descriptor::counter(name("fees_usd_total"), Unit::Usd, "Fees."),
                vec![series(Labels::empty(), Value::Counter(Total::Real(0.75)))],
            ),
            family(Descriptor::summary(name("hold_seconds"), Unit::Seconds, "Hold."), vec![hold]),
            family(Descriptor::histogram(name("native_seconds"), Unit::Seconds, "Native."), vec![native]),
            family(
                Descriptor::counter(name("orders_total"), Unit::None, "A \"q\" \\ and\nmore."),
                vec![orders],
            ),
        ],
    }
}
