//! Goal 11: what a scrape does to those who record meanwhile.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use bellwether_core::{Collect, CollectError, Descriptor, Labels, MetricName, SampleSink};
use bellwether_metrics::{CounterFamily, Registry, Unit};

use crate::desk::{Desk, Pair};
use crate::ours;
use crate::processor::median;
use crate::request::Request;
use crate::row::{Bound, Row, Table, figure};

const SERIES: usize = 10_000;
/// How long one spell of recording takes.
const SPELL: Duration = Duration::from_millis(250);
/// Who has not recorded by then waits for the scrape.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) fn measure(request: &Request, desk: &Desk, table: &mut Table) {
    let registry = ours::registry(SERIES + 1);
    let labels = desk.series(SERIES);
    let orders = ours::orders(&registry);
    labels.iter().for_each(|pair| ours::count_one(&orders, pair));
    let latencies = ours::latencies(&registry);
    labels.iter().take(100).for_each(|[venue, symbol]| latencies.with([venue, symbol]).record(0.001));

    let (mut quiet, mut scraped, mut scrapes) = (Vec::new(), Vec::new(), 0);
    let spells = (request.repeats / 4).max(3);
    for _ in 0..spells {
        quiet.push(spell(&registry, &orders, &labels));
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let scraper = scope.spawn(|| {
                let (mut write, mut count) = (ours::text(&registry), 0);
                while !over.load(Ordering::Relaxed) {
                    write();
                    count += 1;
                }
                count
            });
            scraped.push(spell(&registry, &orders, &labels));
            over.store(true, Ordering::Relaxed);
            scrapes += scraper.join().unwrap();
        });
    }
    let middle = |spells: &[Spell], of: fn(&Spell) -> f64| median(spells.iter().map(of).collect());
    let row = Row::new(
        11,
        "p99.9 of recording while 10,000 series are scraped",
        middle(&scraped, |s| s.p999),
        "ns",
    );
    table.add(row.beside("without a scrape", middle(&quiet, |s| s.p999)).must(Bound::times(3.0)));

    let waiting = waiting();
    let row =
        Row::new(11, "ways to record that wait for a scrape that stands still", waiting.len() as f64, "");
    table.add(row.aim(Bound::at_most(0.0, "").told("no lock shared")));

    let mut text = "| one operation, its clock included | median | p99 | p99.9 | p99.99 |\n\
                    | --- | --- | --- | --- | --- |\n"
        .to_owned();
    let whole = f64::from(scrapes) / spells as f64 / SPELL.as_secs_f64();
    let scraping = format!("{whole:.0} scrapes per second");
    for (name, spells) in [("without a scrape", &quiet), (scraping.as_str(), &scraped)] {
        let parts: [fn(&Spell) -> f64; 4] = [|s| s.p50, |s| s.p99, |s| s.p999, |s| s.p9999];
        let figures = parts.map(|of| figure(middle(spells, of), "ns"));
        let _ = writeln!(text, "| {name} | {} |", figures.join(" | "));
    }
    if !waiting.is_empty() {
        let _ = writeln!(text, "\nWaited for the scrape: {}.", waiting.join(", "));
    }
    table.detail("Recording beside a scrape", text);
}

/// Nanoseconds that one operation of a spell took.
struct Spell {
    p50: f64,
    p99: f64,
    p999: f64,
    p9999: f64,
}

/// Records by handle and by labels, all series in turn, and times each operation.
fn spell(registry: &Registry, orders: &CounterFamily<2>, labels: &[Pair]) -> Spell {
    let histogram = ours::latencies(registry).with(["venue-0", "SYM00000"]);
    let handles: Vec<_> = labels.iter().map(|[venue, symbol]| orders.with([venue, symbol])).collect();
    let mut taken = Vec::with_capacity(1 << 23);
    let begin = Instant::now();
    'spell: loop {
        for (i, (pair, handle)) in labels.iter().zip(&handles).enumerate() {
            let before = Instant::now();
            match i % 3 {
                0 => ours::count_one(orders, pair),
                1 => handle.increment(),
                _ => histogram.record(0.000_4),
            }
            let after = Instant::now();
            taken.push(u32::try_from((after - before).as_nanos()).unwrap_or(u32::MAX));
            if after - begin > SPELL || taken.len() == taken.capacity() {
                break 'spell;
            }
        }
    }
    taken.sort_unstable();
    let at = |part: f64| f64::from(taken[(part * (taken.len() - 1) as f64) as usize]);
    Spell { p50: at(0.5), p99: at(0.99), p999: at(0.999), p9999: at(0.9999) }
}

type Way = (&'static str, Box<dyn Fn() + Send>);

/// Ways to record that did not get through while a scrape stood still in the middle of its page.
fn waiting() -> Vec<&'static str> {
    let registry = ours::registry(SERIES);
    let orders = ours::orders(&registry);
    orders.with(["XNYS", "SPY"]).increment();
    let latencies = ours::latencies(&registry);
    let histogram = latencies.with(["XNYS", "SPY"]);
    let depth = registry.gauge("depth", Unit::None, "Depth.").unwrap();
    let (inside, entered) = channel();
    let (go_on, leave) = channel();
    registry.collect(Gate::new(inside, leave)).unwrap();

    let ways: Vec<Way> = vec![
        (
            "a counter's handle",
            Box::new({
                let one = orders.with(["XNYS", "SPY"]);
                move || one.increment()
            }),
        ),
        (
            "labels that are known",
            Box::new({
                let orders = orders.clone();
                move || orders.with(["XNYS", "SPY"]).increment()
            }),
        ),
        ("labels that are new", Box::new(move || orders.with(["XNYS", "QQQ"]).increment())),
        ("a gauge", Box::new(move || depth.set(1.0))),
        ("a histogram", Box::new(move || histogram.record(0.1))),
        (
            "a metric that is new",
            Box::new({
                let registry = registry.clone();
                move || registry.counter("fills_total", Unit::None, "Fills.").unwrap().increment()
            }),
        ),
    ];
    let scrape = thread::spawn(move || registry.text().len());
    entered.recv().unwrap();
    let tries: Vec<_> = ways
        .into_iter()
        .map(|(name, record)| {
            let (done, result) = channel();
            let thread = thread::spawn(move || {
                record();
                let _ = done.send(());
            });
            (name, thread, result.recv_timeout(PATIENCE).is_err())
        })
        .collect();
    drop(go_on);
    scrape.join().unwrap();
    let ended = tries.into_iter().map(|(name, thread, waited)| {
        thread.join().unwrap();
        waited.then_some(name)
    });
    ended.flatten().collect()
}

/// A collector in which a scrape stands still until it is let go.
struct Gate {
    descriptors: [Descriptor; 1],
    inside: Sender<()>,
    leave: Arc<Mutex<Receiver<()>>>,
}

impl Gate {
    fn new(inside: Sender<()>, leave: Receiver<()>) -> Self {
        // Its name stands between those of the metrics that are recorded.
        let name = MetricName::new("gate_open").unwrap();
        Self {
            descriptors: [Descriptor::gauge(name, Unit::None, "Whether the gate is open.")],
            inside,
            leave: Arc::new(Mutex::new(leave)),
        }
    }
}

impl Collect for Gate {
    fn descriptors(&self) -> &[Descriptor] {
        &self.descriptors
    }

    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        let _ = self.inside.send(());
        let _ = self.leave.lock().unwrap().recv_timeout(60 * PATIENCE);
        out.gauge(&self.descriptors[0], &Labels::empty(), 1.0);
        Ok(())
    }
}
