//! What must not allocate does not: counted by the allocator of this test binary.

#![allow(unsafe_code, reason = "an allocator that counts can only be written so")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

use bellwether_core::{
    Aggregate, Descriptor, HistoryQuery, Labels, PageRequest, SampleWindows, SummarySnapshot, TimeRange,
};
use bellwether_metrics::{Buckets, Format, NativeBuckets, Quantiles, RegistryConfig, Unit, label_set};

use crate::desk::{Desk, at, selector};
use crate::kinds::{labels, name, told};
use crate::pages::now;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    /// Bytes that this thread allocated and has not freed.
    static LIVE: Cell<isize> = const { Cell::new(0) };
    /// Most of them at once since this was last set.
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn keep(bytes: usize) {
    LIVE.with(|live| live.set(live.get().wrapping_add_unsigned(bytes)));
    PEAK.with(|peak| peak.set(peak.get().max(live())));
}

fn free(bytes: usize) {
    LIVE.with(|live| live.set(live.get().wrapping_sub_unsigned(bytes)));
}

// SAFETY: every call goes to the system's allocator as it came; counting touches a constant-initialised thread-local
// without a destructor, which allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        keep(layout.size());
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        free(layout.size());
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        free(layout.size());
        keep(size);
        // SAFETY: as the caller promised.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of this thread during a call.
pub(crate) fn allocations<T>(call: impl FnOnce() -> T) -> u64 {
    let before = ALLOCATIONS.with(Cell::get);
    let kept = call();
    let after = ALLOCATIONS.with(Cell::get);
    drop(kept);
    after - before
}

#[test]
fn the_counter_of_allocations_counts() {
    assert_eq!(allocations(|| vec![1u8]), 1);
}

#[test]
fn recording_and_known_label_sets_allocate_nothing() {
    let desk = Desk::new();
    let fills = desk.counter("fills_total", Unit::None, "Fills.").unwrap();
    let depth = desk.gauge("depth", Unit::None, "Depth.").unwrap();
    let ack = desk.timer("ack_seconds", "Ack.").unwrap();
    let orders = desk.counter_family("orders_total", Unit::None, "Orders.", ["venue", "side"]).unwrap();
    orders.with(["XNYS", "buy"]).increment();
    let spent = allocations(|| {
        for i in 0..1_000 {
            fills.increment();
            depth.set(f64::from(i));
            depth.add(1.0);
            depth.set(f64::NAN);
            ack.histogram().record(Duration::from_micros(50));
            ack.start().stop();
            orders.with(["XNYS", "buy"]).increment();
        }
    });
    assert_eq!(spent, 0);
}

#[test]
fn no_instrument_allocates_once_its_thread_has_recorded_with_it() {
    let desk = Desk::new();
    let fills = desk.counter("fills_total", Unit::None, "Fills.").unwrap();
    let fees = desk.float_counter("fees_total", Unit::None, "Fees.").unwrap();
    let depth = desk.gauge("depth", Unit::None, "Depth.").unwrap();
    let ack = desk.histogram("ack", Unit::None, "Ack.", Buckets::latency()).unwrap();
    let fine =
        desk.histogram("fine", Unit::None, "Fine.", Buckets::linear(0.0, 0.001, 500).unwrap()).unwrap();
    let native = desk.native_histogram("native", Unit::None, "N.", NativeBuckets::latency()).unwrap();
    let quote = desk.summary("quote", Unit::None, "Quote.", Quantiles::latency()).unwrap();
    let mode = desk.state_set("mode", "Mode.", ["on", "off"]).unwrap();
    let timer = desk.timer("took_seconds", "Took.").unwrap();
    let record = |times: u32, plant: bool| {
        for i in 0..times {
            let value = f64::from(i) / 1_000.0 - 0.01;
            fills.add(2);
            fees.add(value);
            depth.max(value);
            depth.set_duration(Duration::from_micros(7));
            ack.record(value);
            fine.record(value);
            native.record(value);
            native.record(f64::NAN);
            quote.record(value);
            mode.set(if i % 2 == 0 { "on" } else { "unknown" });
            timer.time(|| ());
            let clones = (fills.clone(), ack.clone(), quote.clone());
            drop(clones);
            if plant {
                drop(std::hint::black_box(Box::new(i)));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                record(1, false);
                assert_eq!(allocations(|| record(1_000, false)), 0);
                // That one which is added is seen.
                assert_eq!(allocations(|| record(5, true)), 5);
            });
        }
    });
    assert_eq!(fills.get(), 4 * 2 * 1_006);
}

#[test]
fn a_scrape_of_native_histograms_and_summaries_allocates_nothing_in_the_end() {
    let desk = Desk::new();
    let native = desk.native_histogram("native", Unit::None, "N.", NativeBuckets::latency()).unwrap();
    let quote = desk.summary("quote", Unit::None, "Quote.", Quantiles::latency()).unwrap();
    let mode = desk.state_set("mode", "Mode.", ["on", "off"]).unwrap();
    desk.gauge_fn("depth", Unit::None, "Depth.", || 3.0).unwrap();
    mode.set("on");
    let mut page = String::with_capacity(100_000);
    let mut scrape = || {
        for i in 0..100 {
            native.record(f64::from(i) / 100.0);
            quote.record(f64::from(i) / 100.0);
        }
        desk.advance(5);
        page.clear();
        desk.write_text(&mut page);
    };
    // The window turns once.
    (0..30).for_each(|_| scrape());
    assert_eq!(allocations(|| (0..30).for_each(|_| scrape())), 0);
}

#[test]
fn recording_by_labels_allocates_nothing_whatever_kind_of_family() {
    label_set! { struct Order<'a> { venue: &'a str, dark: bool } }
    let desk = Desk::new();
    let orders = desk.counter_family("orders_total", Unit::None, "Orders.", ["venue", "side"]).unwrap();
    let of_set = desk.gauge_family_of::<Order>("depth", Unit::None, "Depth.").unwrap();
    let dynamic =
        desk.dynamic_histogram_family("ack_seconds", Unit::Seconds, "Ack.", Buckets::latency()).unwrap();
    let long = "a venue whose name is too long to lie in the series itself";
    let record = || {
        for venue in ["XNYS", long] {
            orders.increment([venue, "buy"]);
            of_set.set(&Order { venue, dark: false }, 1.0);
            of_set.with(&Order { venue, dark: true }).add(2.0);
            dynamic.record(&[("venue", venue), ("side", "buy"), ("empty", "")], Duration::from_micros(50));
            dynamic.record(&[("side", "buy"), ("venue", venue)], 0.1);
        }
    };
    record();
    assert_eq!(allocations(|| (0..1_000).for_each(|_| record())), 0);
    assert_eq!(dynamic.with(&[("side", "buy"), ("venue", long)]).snapshot().count(), 2 * 1_001);
}

#[test]
fn label_sets_that_come_and_go_leave_no_memory_behind() {
    let desk = Desk::with(RegistryConfig::default().with_idle_expiry(Some(Duration::from_secs(1))));
    let orders = desk.counter_family("orders_total", Unit::None, "Orders.", ["venue", "id"]).unwrap();
    let mut page = String::new();
    let mut next = 0;
    let mut churn = |sets: usize| {
        for _ in 0..sets {
            next += 1;
            let id = format!("{next:012}");
            orders.increment(["XNYS", &id]);
            match next % 4 {
                // Some go by themselves.
                0 => {}
                1 => drop(orders.retain(|labels| labels.get("id") != Some(id.as_str()))),
                _ => assert!(orders.remove(["XNYS", &id])),
            }
            if next % 100 == 0 {
                desk.advance(1);
                page.clear();
                desk.write_text(&mut page);
            }
        }
    };
    churn(4_000);
    let before = LIVE.with(Cell::get);
    churn(20_000);
    let grown = LIVE.with(Cell::get) - before;
    // Another test may take slots that need a page more.
    assert!(grown < 100_000, "{grown} bytes");
}

/// Bytes that each series takes, everything included: its place in the table, its labels, its text, its slot.
fn bytes_per_series(n: usize, make: impl FnOnce(&Desk, &[[String; 2]])) -> usize {
    let labels: Vec<_> =
        (0..n).map(|i| [format!("venue-{}", i % 100), format!("SYM{:05}", i / 100)]).collect();
    let desk = Desk::with(RegistryConfig::default().with_max_series(n).with_max_series_per_metric(n));
    let mut page = String::with_capacity(4_000_000);
    desk.write_text(&mut page);
    let before = LIVE.with(Cell::get);
    make(&desk, &labels);
    page.clear();
    desk.write_text(&mut page);
    (LIVE.with(Cell::get) - before) as usize / n
}

#[test]
fn a_series_takes_little_memory() {
    let counter = bytes_per_series(10_000, |desk, labels| {
        let family = desk.counter_family("orders_total", Unit::None, "Orders.", ["venue", "symbol"]).unwrap();
        for [venue, symbol] in labels {
            family.increment([venue, symbol]);
        }
    });
    let histogram = bytes_per_series(1_000, |desk, labels| {
        let bounds = Buckets::new([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]).unwrap();
        let family = desk.histogram_family("ack", Unit::None, "Ack.", ["venue", "symbol"], bounds).unwrap();
        for [venue, symbol] in labels {
            family.record([venue, symbol], 1.0);
        }
    });
    println!("{counter} {histogram}");
    assert!(counter <= 300 && histogram <= 900, "{counter} bytes a counter, {histogram} a histogram");
}

#[test]
fn unknown_label_sets_beyond_a_bound_allocate_nothing() {
    let per_metric = RegistryConfig::default().with_max_series_per_metric(3);
    let of_all = RegistryConfig::default().with_max_series(3);
    for config in [per_metric, of_all] {
        let desk = Desk::with(config);
        let orders = desk.counter_family("orders_total", Unit::None, "Orders.", ["venue", "id"]).unwrap();
        let ids: Vec<String> = (0..1_000).map(|id| id.to_string()).collect();
        let long = "x".repeat(5_000);
        for id in &ids[..3] {
            orders.with(["XNYS", id]).increment();
        }
        orders.with(["XNYS", "overflow"]).increment();
        let spent = allocations(|| {
            for id in &ids {
                orders.with(["XNAS", id]).increment();
                orders.with(["XNAS", long.as_str()]).increment();
            }
        });
        assert_eq!((spent, orders.overflow().get()), (0, 2_001));
    }
    // Too long a value is no series whether there is room or not.
    let desk = Desk::new();
    let orders = desk.counter_family("orders_total", Unit::None, "Orders.", ["id"]).unwrap();
    let long = "x".repeat(5_000);
    orders.overflow();
    assert_eq!(allocations(|| orders.with(&long).increment()), 0);
}

#[test]
fn a_scrape_into_a_used_buffer_allocates_nothing() {
    let summary = SummarySnapshot { quantiles: [(0.5, 1.0)].into(), count: 2, sum: 3.0 };
    let descriptors = vec![
        Descriptor::summary(name("hold_seconds"), Unit::Seconds, "Hold."),
        Descriptor::state_set(name("feed_state"), "Feed."),
    ];
    let states = ["open", "closed"]
        .map(|state| ["ARCX", "XNAS", "XNYS"].map(|venue| labels([("feed_state", state), ("venue", venue)])));
    let told_summary = std::sync::Arc::new(summary);
    let desk = told(descriptors, move |told, out| {
        out.summary(&told[0], &Labels::empty(), &told_summary);
        states.iter().flatten().for_each(|labels| out.gauge(&told[1], labels, 1.0));
    });
    let orders = desk.counter_family("orders_total", Unit::None, "Orders.", ["id"]).unwrap();
    let ack =
        desk.histogram_family("ack_seconds", Unit::Seconds, "Ack.", ["id"], Buckets::latency()).unwrap();
    for id in 0..50 {
        orders.with(&id.to_string()).increment();
        ack.with(&id.to_string()).record(0.1);
    }
    let native =
        desk.native_histogram("fill_seconds", Unit::Seconds, "Fill.", NativeBuckets::latency()).unwrap();
    let order_id = labels([("order_id", "17")]);
    for micros in 1..1_000 {
        native.record(Duration::from_micros(micros));
    }
    native.record_with_exemplar(0.5, &order_id);
    ack.with("1").record_with_exemplar(0.5, &order_id);
    desk.float_counter("fees_usd_total", Unit::Usd, "Fees.").unwrap().add_with_exemplar(0.25, &order_id);
    desk.info("build_info", "Build.", [("version", "1.2.3")]).unwrap();
    let _state = desk.state_set("desk_state", "State.", ["open", "closed"]).unwrap();
    let wait = desk.summary("wait_seconds", Unit::Seconds, "Wait.", Quantiles::latency()).unwrap();
    (0..100).for_each(|value| wait.record(f64::from(value)));
    let mut text = String::new();
    desk.write_text(&mut text);
    let spent = allocations(|| {
        text.clear();
        desk.write_text(&mut text);
    });
    assert_eq!(spent, 0);
    for format in [Format::Text, Format::OpenMetrics, Format::Protobuf] {
        let mut page = Vec::new();
        desk.write(format, &mut page);
        let spent = allocations(|| {
            page.clear();
            desk.write(format, &mut page);
        });
        assert_eq!(spent, 0, "{format:?}");
    }
}

#[test]
fn random_queries_leave_no_memory_behind() {
    let desk = Desk::new();
    let depth = desk.gauge_family("depth", Unit::None, "Depth.", ["venue"]).unwrap();
    for second in 0..300 {
        for venue in ["ARCX", "XNAS", "XNYS"] {
            depth.with(venue).set(f64::from(second));
        }
        desk.sample();
        desk.advance(1);
    }
    let mut state = 1u64;
    let mut random = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut answers = Vec::with_capacity(16);
    let mut query = || {
        // Names, labels, ends and lengths that were never asked for before.
        let name = if random(2) == 0 { "depth".to_owned() } else { format!("unknown_{}", random(1 << 30)) };
        let venue = ["XNYS".to_owned(), format!("venue-{}", random(1 << 30))];
        let selector = selector(&name).equal("venue".try_into().unwrap(), &venue[random(2) as usize]);
        let end = at(random(400) as i64).saturating_add(Duration::from_micros(random(1_000_000)));
        let range = TimeRange::ending(end, Duration::from_micros(random(400_000_000)));
        let quantile = Aggregate::Quantile(random(1_000) as f64 / 1_000.0);
        let aggregate = [Aggregate::Mean, Aggregate::Rate, Aggregate::Slope, Aggregate::Max, quantile]
            [random(5) as usize];
        answers.clear();
        desk.windows().aggregate(&selector, range, aggregate, &mut answers);
        let every = Duration::from_micros(1 + random(60_000_000));
        let steps = HistoryQuery::new(selector, range).every(every, aggregate);
        now(desk.history().read(&steps, &PageRequest::default())).unwrap();
        answers.clear();
    };
    (0..100).for_each(|_| query());
    let before = live();
    (0..5_000).for_each(|_| query());
    assert_eq!(live() - before, 0, "bytes");
}

/// Bytes that this thread holds now.
fn live() -> isize {
    LIVE.with(Cell::get)
}

#[test]
fn an_append_to_a_full_series_allocates_nothing_and_holds_no_byte_more() {
    use bellwether_core::{Sample, Timestamp};
    use bellwether_metrics::{HistoryConfig, Series};
    let by_count = HistoryConfig::default().with_max_samples(5_000);
    let by_age = HistoryConfig::default().with_max_samples(50_000).with_max_age(Duration::from_secs(5_000));
    for bounds in [by_count, by_age] {
        let mut series = Series::new(&bounds);
        let push = |series: &mut Series, second| {
            series.push(Sample::new(Timestamp::from_seconds(second).unwrap(), second as f64)).unwrap();
        };
        (0..10_000).for_each(|second| push(&mut series, second));
        let before = live();
        assert_eq!(allocations(|| (10_000..200_000).for_each(|second| push(&mut series, second))), 0);
        assert_eq!((live() - before, series.len() / 5_000), (0, 1));
    }
}

/// Ten million appends at the bound, and as many reads of them as there are windows: not a byte more than before.
#[test]
#[ignore = "takes a minute without optimisation"]
fn ten_million_appends_at_the_bound_grow_nothing() {
    use bellwether_core::{Sample, Timestamp};
    use bellwether_metrics::{HistoryConfig, Series};
    let mut series = Series::new(&HistoryConfig::default().with_max_samples(16_384));
    let stamp = |i: i64| Timestamp::from_millis(1_760_000_000_000 + 100 * i).unwrap();
    let mut push = |i: i64| assert!(series.push(Sample::new(stamp(i), (i % 977) as f64)).is_ok());
    (0..32_768).for_each(&mut push);
    let before = live();
    assert_eq!(allocations(|| (32_768..10_032_768).for_each(&mut push)), 0);
    assert_eq!(live() - before, 0);
}

/// A page of a hundred points holds as much memory while it is made, whether there are a thousand samples or ten
/// times as many.
#[test]
fn a_page_costs_what_it_holds_and_not_what_there_is() {
    let spent = |samples: u64| {
        let history = bellwether_metrics::HistoryConfig::default()
            .with_max_samples(200_000)
            .with_max_age(Duration::from_hours(24 * 30));
        let desk = Desk::with(RegistryConfig::default().with_history(history));
        let depth = desk.gauge("depth", Unit::None, "Depth.").unwrap();
        for second in 0..samples {
            depth.set(second as f64);
            desk.sample();
            desk.advance(1);
        }
        let range = TimeRange::until(desk.now());
        let raw = HistoryQuery::new(selector("depth"), range);
        let every = Duration::from_secs(samples / 100);
        let steps = HistoryQuery::new(selector("depth"), range).every(every, Aggregate::Rate);
        let page = PageRequest::default();
        [raw, steps].map(|query| {
            let before = PEAK.with(|peak| peak.replace(live()));
            let count = allocations(|| now(desk.history().read(&query, &page)).unwrap());
            let peak = PEAK.with(|peak| peak.replace(before)) - live();
            (count, peak)
        })
    };
    assert_eq!(spent(1_000), spent(10_000));
}
