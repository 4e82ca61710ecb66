//! What all formats have in common, and what tells them apart.

use std::collections::{BTreeMap, HashMap};

use bellwether_core::{Descriptor, Labels, SpreadSnapshot, SummarySnapshot, Unit};
use bellwether_metrics::{
    Buckets, FamilySnapshot, Format, NativeBuckets, NotText, SeriesSnapshot, Snapshot, Value,
};
use proptest::prelude::*;

use crate::desk::Desk;
use crate::kinds::{name, told};
use crate::{metric_family, openmetrics_parser, parser};

/// What one series has in one format: the numbers by the name of their part.
type Numbers = BTreeMap<String, f64>;
/// What a page says of the host's metrics: by name and labels.
type Said = BTreeMap<(String, BTreeMap<String, String>), Numbers>;

fn own(name: &str) -> bool {
    name.starts_with("bellwether_")
}

fn map(labels: &Labels) -> BTreeMap<String, String> {
    labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn of_snapshot(snapshot: &Snapshot) -> Said {
    let mut said = Said::new();
    for FamilySnapshot { descriptor, series, .. } in &snapshot.families {
        for SeriesSnapshot { labels, value, .. } in series.iter().filter(|_| !own(descriptor.name.as_str())) {
            let mut numbers = Numbers::new();
            let mut put = |part: String, value: f64| assert!(numbers.insert(part, value).is_none());
            match value {
                Value::Histogram(SpreadSnapshot { bounds, counts, sum }) => {
                    let mut upto = 0;
                    for (bound, count) in bounds.iter().chain(&[f64::INFINITY]).zip(counts) {
                        upto += count;
                        put(format!("le {bound:?}"), upto as f64);
                    }
                    put("count".to_owned(), upto as f64);
                    put("sum".to_owned(), *sum);
                }
                Value::Summary(SummarySnapshot { quantiles, count, sum }) => {
                    for (q, value) in quantiles {
                        put(format!("quantile {q:?}"), *value);
                    }
                    put("count".to_owned(), *count as f64);
                    put("sum".to_owned(), *sum);
                }
                value => put("value".to_owned(), value.as_f64().unwrap()),
            }
            said.insert((descriptor.name.to_string(), map(labels)), numbers);
        }
    }
    said
}

/// Puts a line of a text format to its series.
fn put(said: &mut Said, family: &str, line: &str, labels: &BTreeMap<String, String>, value: f64) {
    let mut labels = labels.clone();
    let number = |text: String| if text == "+Inf" { f64::INFINITY } else { text.parse().unwrap() };
    let suffix = line.strip_prefix(family).unwrap();
    let part = match suffix {
        "_bucket" => format!("le {:?}", number(labels.remove("le").unwrap())),
        "_count" | "_sum" => suffix[1..].to_owned(),
        _ => match labels.remove("quantile") {
            Some(q) => format!("quantile {:?}", number(q)),
            None => "value".to_owned(),
        },
    };
    assert!(said.entry((family.to_owned(), labels)).or_default().insert(part, value).is_none());
}

fn of_text(page: &str) -> Said {
    let mut said = Said::new();
    for family in parser::parse(page).families.iter().filter(|family| !own(&family.name)) {
        for line in &family.lines {
            put(&mut said, &family.name, &line.name, &line.labels, line.value);
        }
    }
    said
}

fn of_openmetrics(page: &[u8]) -> Said {
    let mut said = Said::new();
    let page = openmetrics_parser::parse(std::str::from_utf8(page).unwrap());
    for family in page.families.iter().filter(|family| !own(&family.name)) {
        let name = match &*family.kind {
            "counter" => format!("{}_total", family.name),
            "info" => format!("{}_info", family.name),
            _ => family.name.clone(),
        };
        for sample in family.samples.iter().filter(|sample| !sample.name.ends_with("_created")) {
            put(&mut said, &name, &sample.name, &sample.labels, sample.value);
        }
    }
    said
}

fn of_protobuf(page: &[u8]) -> Said {
    let mut said = Said::new();
    for family in metric_family::read(page).iter().filter(|family| !own(family.name())) {
        for metric in &family.metric {
            let mut numbers = Numbers::new();
            if let Some(gauge) = metric.gauge {
                numbers.insert("value".to_owned(), gauge.value());
            }
            if let Some(counter) = &metric.counter {
                numbers.insert("value".to_owned(), counter.value());
            }
            if let Some(summary) = &metric.summary {
                for quantile in &summary.quantile {
                    numbers.insert(format!("quantile {:?}", quantile.quantile()), quantile.value());
                }
                numbers.insert("count".to_owned(), summary.sample_count() as f64);
                numbers.insert("sum".to_owned(), summary.sample_sum());
            }
            if let Some(histogram) = &metric.histogram {
                for bucket in &histogram.bucket {
                    numbers
                        .insert(format!("le {:?}", bucket.upper_bound()), bucket.cumulative_count() as f64);
                }
                numbers.insert("count".to_owned(), histogram.sample_count() as f64);
                numbers.insert("sum".to_owned(), histogram.sample_sum());
            }
            let labels = metric_family::map(&metric.label).into_iter().collect();
            said.insert((family.name().to_owned(), labels), numbers);
        }
    }
    said
}

fn of_json(page: &[u8]) -> Said {
    let page: serde_json::Value = serde_json::from_slice(page).unwrap();
    assert_eq!(page["schema"], "bellwether.metrics/1");
    let mut said = Said::new();
    for family in page["families"].as_array().unwrap() {
        let name = family["name"].as_str().unwrap();
        for series in family["series"].as_array().unwrap().iter().filter(|_| !own(name)) {
            let labels: HashMap<String, String> = serde_json::from_value(series["labels"].clone()).unwrap();
            let mut numbers = Numbers::new();
            for part in ["value", "count", "sum"] {
                if let Some(value) = series.get(part) {
                    numbers.insert(part.to_owned(), value.as_f64().unwrap());
                }
            }
            if let Some(counts) = series.get("counts") {
                let bounds: Vec<f64> = serde_json::from_value(series["bounds"].clone()).unwrap();
                let counts: Vec<u64> = serde_json::from_value(counts.clone()).unwrap();
                let mut upto = 0;
                for (bound, count) in bounds.iter().chain(&[f64::INFINITY]).zip(counts) {
                    upto += count;
                    numbers.insert(format!("le {bound:?}"), upto as f64);
                }
            }
            if let Some(pairs) = series.get("quantiles") {
                let pairs: Vec<(f64, f64)> = serde_json::from_value(pairs.clone()).unwrap();
                numbers.extend(pairs.iter().map(|(q, value)| (format!("quantile {q:?}"), *value)));
            }
            said.insert((name.to_owned(), labels.into_iter().collect()), numbers);
        }
    }
    said
}

/// What OpenMetrics forbids to tell.
fn permitted_in_openmetrics(mut said: Said) -> Said {
    for numbers in said.values_mut() {
        if numbers.get("sum").is_some_and(|sum| *sum < 0.0)
            || numbers.keys().any(|part| part.starts_with("le -"))
        {
            numbers.remove("sum");
            numbers.remove("count");
        }
        numbers.retain(|part, value| !part.starts_with("quantile") || *value >= 0.0);
    }
    said.retain(|_, numbers| !numbers.is_empty());
    said
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        -1e6..1e6,
        Just(0.1 + 0.2),
        Just(1e300),
        Just(-5e-324),
        Just(9_007_199_254_740_993.0),
        (-1_000i32..1_000).prop_map(f64::from)
    ]
}

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof!["[\\\\\"\n{},= #]{1,8}", any::<String>(), Just("plain".to_owned())]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn all_formats_say_what_the_snapshot_says(
        notes in proptest::collection::btree_set(hostile(), 1..5),
        help in hostile(),
        values in proptest::collection::vec(value(), 5),
        total in prop_oneof![any::<u64>(), 0u64..100],
        observed in proptest::collection::vec(-2.0..12.0, 0..20),
        bounds in proptest::collection::btree_set(-30i32..1_000, 0..6),
        quantiles in proptest::collection::btree_map(0u32..=1_000, value(), 0..5),
    ) {
        let summary = SummarySnapshot {
            quantiles: quantiles.iter().map(|(q, value)| (f64::from(*q) / 1_000.0, *value)).collect(),
            count: observed.len() as u64,
            sum: values[0],
        };
        let descriptors = vec![Descriptor::summary(name("hold_seconds"), Unit::Seconds, help.clone())];
        let desk = told(descriptors, move |told, out| out.summary(&told[0], &Labels::empty(), &summary));
        let orders = desk.counter_family("orders_total", Unit::None, help.clone(), ["note"]).unwrap();
        let pnl = desk.gauge_family("pnl", Unit::Usd, help.clone(), ["note"]).unwrap();
        let bounds: Vec<f64> = bounds.iter().map(|bound| f64::from(*bound) / 100.0).collect();
        let buckets = Buckets::new(bounds).unwrap();
        let ack = desk.histogram_family("ack_seconds", Unit::Seconds, help.clone(), ["note"], buckets).unwrap();
        for (note, value) in notes.iter().zip(&values) {
            orders.with(note).add(total);
            pnl.with(note).set(*value);
            let ack = ack.with(note);
            for value in &observed {
                ack.record(*value);
            }
        }
        let said = of_snapshot(&desk.snapshot());
        prop_assert_eq!(&of_text(&desk.text()), &said);
        prop_assert_eq!(&of_protobuf(&desk.encode(Format::Protobuf)), &said);
        prop_assert_eq!(&of_json(&desk.encode(Format::Json)), &said);
        let openmetrics = desk.encode(Format::OpenMetrics);
        prop_assert_eq!(of_openmetrics(&openmetrics), permitted_in_openmetrics(said));
        let page = openmetrics_parser::parse(std::str::from_utf8(&openmetrics).unwrap());
        prop_assert_eq!(page.family("ack_seconds").help.as_deref(), Some(&*help));
        prop_assert_eq!(page.family("ack_seconds").unit.as_deref(), Some("seconds"));
        let read: serde_json::Value = serde_json::from_slice(&desk.encode(Format::Json)).unwrap();
        let families = read["families"].as_array().unwrap();
        let ack = families.iter().find(|family| family["name"] == "ack_seconds").unwrap();
        prop_assert_eq!(ack["help"].as_str(), Some(&*help));
    }
}

#[test]
fn bytes_and_text_are_the_same_page() {
    let desk = Desk::new();
    desk.counter("orders_total", Unit::None, "Orders.").unwrap().increment();
    assert_eq!(desk.encode(Format::Text), desk.text().into_bytes());
    let mut text = String::new();
    desk.exposition(Format::OpenMetrics).write_text(&mut text).unwrap();
    assert_eq!(desk.encode(Format::OpenMetrics), text.into_bytes());
    let mut text = String::from("kept");
    assert_eq!(desk.exposition(Format::Protobuf).write_text(&mut text), Err(NotText(Format::Protobuf)));
    assert_eq!(text, "kept");
}

#[test]
fn a_part_of_the_metrics_goes_on_a_page_of_the_host() {
    let desk = Desk::new();
    desk.counter("desk_orders_total", Unit::None, "Orders.").unwrap().increment();
    desk.gauge("desk_pnl", Unit::None, "Profit.").unwrap().set(1.0);
    desk.gauge("other", Unit::None, "Other.").unwrap().set(1.0);
    let names = |page: &[u8]| -> Vec<String> {
        metric_family::read(page).iter().map(|family| family.name().to_owned()).collect()
    };
    let mut page = desk.exposition(Format::Protobuf).with_prefix("desk_");
    let mut out = Vec::new();
    page.write(&mut out);
    assert_eq!(names(&out), ["desk_orders_total", "desk_pnl"]);
    page = page.with_filter(&|descriptor| descriptor.name != "desk_pnl");
    out.clear();
    page.write(&mut out);
    assert_eq!(names(&out), ["desk_orders_total"]);
    let mut text = String::from("# TYPE up gauge\nup 1\n");
    desk.exposition(Format::OpenMetrics).with_prefix("desk_").unended().write_text(&mut text).unwrap();
    desk.exposition(Format::OpenMetrics).with_prefix("other").write_text(&mut text).unwrap();
    let names: Vec<String> =
        openmetrics_parser::parse(&text).families.into_iter().map(|family| family.name).collect();
    assert_eq!(names, ["up", "desk_orders", "desk_pnl", "other"]);
    out.clear();
    desk.exposition(Format::Json).with_prefix("none").unended().write(&mut out);
    let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(json["families"], serde_json::json!([]));
}

#[test]
fn a_page_for_a_collector_that_reads_its_own_registry_is_empty_and_whole() {
    use std::sync::{Arc, Mutex};
    let desk = Desk::new();
    let registry = Arc::new(Mutex::new(Some(desk.metrics.clone())));
    let pages: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let (own, kept) = (Arc::clone(&registry), Arc::clone(&pages));
    let descriptors = vec![Descriptor::gauge(name("g"), Unit::None, "G.")];
    desk.collect(crate::kinds::Source {
        descriptors,
        tell: move |_: &[Descriptor], _: &mut dyn bellwether_core::SampleSink| {
            let registry = own.lock().unwrap();
            *kept.lock().unwrap() =
                Format::ALL.map(|format| registry.as_ref().unwrap().encode(format)).to_vec();
        },
    })
    .unwrap();
    desk.text();
    registry.lock().unwrap().take();
    let pages = pages.lock().unwrap();
    assert_eq!((&*pages[0], &*pages[1], &*pages[2]), (&b""[..], &b"# EOF\n"[..], &b""[..]));
    let json: serde_json::Value = serde_json::from_slice(&pages[3]).unwrap();
    assert_eq!(json["families"], serde_json::json!([]));
}

/// A time as JSON has it, in microseconds since 1970.
fn micros(time: &serde_json::Value) -> i64 {
    chrono::DateTime::parse_from_rfc3339(time.as_str().unwrap()).unwrap().timestamp_micros()
}

#[test]
fn native_buckets_starts_and_exemplars_are_those_of_the_snapshot() {
    let desk = Desk::new();
    let fill =
        desk.native_histogram("fill_seconds", Unit::Seconds, "Fill.", NativeBuckets::latency()).unwrap();
    desk.clock.advance(std::time::Duration::from_micros(1_500_001));
    let order_id = Labels::new([("order_id", "8\"\\")]).unwrap();
    for i in 1..500 {
        fill.record(f64::from(i * i) * 1e-5);
    }
    fill.record_with_exemplar(0.25, &order_id);
    let snapshot = desk.snapshot();
    let kept = &snapshot.family(&name("fill_seconds")).unwrap().series[0];
    let Value::Native(native) = &kept.value else { panic!("{kept:?}") };
    let (created, exemplar) = (kept.created.unwrap(), &kept.exemplars[0].1);

    let families = metric_family::read(&desk.encode(Format::Protobuf));
    let read = families.iter().find(|family| family.name() == "fill_seconds").unwrap();
    let read = read.metric[0].histogram.clone().unwrap();
    assert_eq!((read.sparse(false), read.sparse(true)), (native.positive.to_vec(), native.negative.to_vec()));
    assert_eq!(
        (read.schema(), read.sample_count(), read.sample_sum()),
        (native.schema.into(), 500, native.sum)
    );
    assert_eq!((read.zero_threshold(), read.zero_count()), (native.zero_threshold, native.zero_count));
    let stamp = |at: bellwether_core::Timestamp| metric_family::Stamp {
        seconds: at.as_micros() / 1_000_000,
        nanos: (at.as_micros() % 1_000_000) as i32 * 1_000,
    };
    assert_eq!(read.created_timestamp, Some(stamp(created)));
    let [told] = &*read.exemplars else { panic!("{read:?}") };
    assert_eq!((told.value(), told.timestamp), (0.25, Some(stamp(exemplar.at))));
    assert_eq!(metric_family::map(&told.label)["order_id"], "8\"\\");

    let json: serde_json::Value = serde_json::from_slice(&desk.encode(Format::Json)).unwrap();
    let families = json["families"].as_array().unwrap();
    let read = &families.iter().find(|family| family["name"] == "fill_seconds").unwrap()["series"][0];
    let pairs = |side: &str| -> Vec<(i32, u64)> { serde_json::from_value(read[side].clone()).unwrap() };
    assert_eq!((pairs("positive"), pairs("negative")), (native.positive.to_vec(), native.negative.to_vec()));
    assert_eq!((&read["schema"], &read["count"]), (&native.schema.into(), &500.into()));
    assert_eq!(micros(&read["created"]), created.as_micros());
    assert_eq!(micros(&read["exemplars"][0]["at"]), exemplar.at.as_micros());
    assert_eq!(read["exemplars"][0]["labels"]["order_id"], "8\"\\");

    let page = String::from_utf8(desk.encode(Format::OpenMetrics)).unwrap();
    let page = openmetrics_parser::parse(&page);
    let samples = &page.family("fill_seconds").samples;
    let told = samples[0].exemplar.as_ref().unwrap();
    assert_eq!((told.value, &*told.labels["order_id"]), (0.25, "8\"\\"));
    assert_eq!(told.at, Some(1_700_000_001.500_001));
    assert_eq!(page.value("fill_seconds_created", &[]), Some(1_700_000_000.0));
    assert_eq!(page.value("fill_seconds_count", &[]), Some(500.0));
}
