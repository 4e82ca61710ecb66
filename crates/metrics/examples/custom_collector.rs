//! Figures of the host's own, in three ways: `cargo run -p bellwether-metrics --example custom_collector`.
//!
//! A `Collect` is asked at every sample and every scrape: for figures that are at hand. A `collector` is a function with an interval
//! of its own that may block: for those that take a while. A subscription brings samples as they are taken. Time is virtual, so
//! that the page is the same at every run. Real desks pass `SystemClock::shared()` and let a `Sampler` take the samples.

use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bellwether_core::resilience::RetrySchedule;
use bellwether_core::{
    Collect, CollectError, Descriptor, Labels, ManualClock, MetricName, SampleSink, SharedClock, Supervisor,
};
use bellwether_metrics::{Registry, RegistryConfig, Sampler, Unit, async_collector};

/// A part of the host that has its figures at hand.
struct Book {
    descriptors: [Descriptor; 1],
    bids: Labels,
    asks: Labels,
}

impl Book {
    fn new() -> Result<Self, Box<dyn Error>> {
        let name = MetricName::new("book_levels")?;
        let descriptors = [Descriptor::gauge(name, Unit::None, "Price levels of the book, by side.")];
        Ok(Self { descriptors, bids: Labels::new([("side", "bid")])?, asks: Labels::new([("side", "ask")])? })
    }
}

impl Collect for Book {
    fn descriptors(&self) -> &[Descriptor] {
        &self.descriptors
    }

    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        let [levels] = &self.descriptors;
        out.gauge(levels, &self.bids, 10.0);
        out.gauge(levels, &self.asks, 8.0);
        Ok(())
    }
}

/// What a broker answers over the network: every third time nothing.
async fn margin(clock: SharedClock, asked: u32) -> Result<f64, &'static str> {
    clock.sleep(Duration::from_millis(200)).await;
    if asked % 3 == 2 { Err("the broker does not answer") } else { Ok(0.25 + f64::from(asked) / 100.0) }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let clock = ManualClock::starting_at(chrono::DateTime::UNIX_EPOCH);
    let tasks = Supervisor::new(&clock.shared());
    let metrics = Registry::new(&clock.shared(), RegistryConfig::default());

    metrics.collect(Book::new()?)?;

    // Every 5 seconds, within 2, and after a failure 5 seconds later at the earliest, then 10, then 20; for what blocks there is `collector`, which is called on a thread of its own.
    let asked = Arc::new(AtomicU32::new(0));
    let wall = clock.shared();
    let broker = async_collector("broker", "5s", move |mut out| {
        let clock = SharedClock::clone(&wall);
        let asked = asked.fetch_add(1, Ordering::Relaxed);
        async move {
            out.gauge("broker_margin_ratio", margin(clock, asked).await?);
            Ok::<_, &'static str>(out)
        }
    });
    let retry = RetrySchedule::builder().first(Duration::from_secs(5)).jitter(0.0).build()?;
    metrics.collect(broker.deadline("2s").retry(retry).gauge(
        "broker_margin_ratio",
        Unit::Ratio,
        "Margin in use at the broker.",
    ))?;

    let mut margins = metrics.subscribe(MetricName::new("broker_margin_ratio")?, 4)?;
    let _sampler = Sampler::start(&metrics, &tasks.tasks(), Duration::from_secs(1))?;
    clock.advance_through(Duration::from_secs(20)).await;

    let mut out = std::io::stdout();
    while let Some(received) = margins.try_next() {
        for (series, sample) in received.batch.samples() {
            let missed = received.missed;
            writeln!(
                out,
                "{} {} = {:.2} ({missed} missed)",
                sample.at, series.descriptor.name, sample.value
            )?;
        }
    }
    writeln!(out)?;
    for line in metrics.text().lines().filter(|line| {
        ["book_", "broker_", "bellwether_metrics_collector_"].iter().any(|name| line.starts_with(name))
    }) {
        writeln!(out, "{line}")?;
    }
    tasks.shutdown(Duration::from_secs(1)).await.into_result()?;
    Ok(())
}
