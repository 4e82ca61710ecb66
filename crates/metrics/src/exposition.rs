//! A registry as a page in one of the formats.

use std::fmt;

use bellwether_core::Descriptor;

use crate::Registry;
use crate::gather::{SeriesView, Visit};
use crate::instrument::Declared;

#[cfg(test)]
mod by_hand;
#[cfg(feature = "http")]
mod handler;
mod json;
mod negotiation;
mod number;
mod openmetrics;
mod page;
mod prefix;
mod prometheus_text;
mod protobuf;
mod room;

#[cfg(feature = "http")]
pub use handler::{DEFAULT_MAX_PAGES, MetricsHandler, MetricsPage, metrics_handler};
use json::JsonWriter;
pub use negotiation::Format;
pub(crate) use number::Numbers;
use openmetrics::OpenMetricsWriter;
use page::Page;
pub(crate) use prefix::Prefix;
pub use prometheus_text::TEXT_CONTENT_TYPE;
use prometheus_text::TextWriter;
use protobuf::ProtobufWriter;
pub(crate) use room::Room;

/// A page of a registry in one format, or a part of one for a page of the host: from [`Registry::exposition`].
///
/// Families stand in the order of their names, series in that of their labels; the same values give the same bytes. With
/// a buffer that is used again nothing is allocated ([`Format::Json`] excepted). O(series).
///
/// ```
/// # use bellwether_core::SystemClock;
/// use bellwether_metrics::{Format, Registry, RegistryConfig, Unit};
/// let metrics = Registry::new(&SystemClock::shared(), RegistryConfig::default());
/// metrics.gauge("desk_pnl", Unit::None, "Profit.")?.set(3.5);
///
/// let mut page = String::from("host_up 1\n");
/// metrics.exposition(Format::OpenMetrics).with_prefix("desk_").unended().write_text(&mut page)?;
/// page.push_str("# EOF\n");
/// let lines: Vec<&str> = page.lines().collect();
/// assert_eq!(lines, ["host_up 1", "# TYPE desk_pnl gauge", "# HELP desk_pnl Profit.", "desk_pnl 3.5", "# EOF"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
#[must_use = "a page is written by `write` or `write_text`"]
pub struct Exposition<'a> {
    registry: &'a Registry,
    format: Format,
    prefix: &'a str,
    keep: Option<&'a dyn Fn(&Descriptor) -> bool>,
    eof: bool,
}

/// A format that is not text was to be written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the format {0:?} is not text: write it as bytes")]
pub struct NotText(pub Format);

impl<'a> Exposition<'a> {
    pub(crate) fn new(registry: &'a Registry, format: Format) -> Self {
        Self { registry, format, prefix: "", keep: None, eof: true }
    }

    /// Only metrics whose names begin so.
    pub fn with_prefix(mut self, prefix: &'a str) -> Self {
        self.prefix = prefix;
        self
    }

    /// Only metrics that `keep` says yes to.
    pub fn with_filter(mut self, keep: &'a dyn Fn(&Descriptor) -> bool) -> Self {
        self.keep = Some(keep);
        self
    }

    /// Without the `# EOF` that ends an OpenMetrics page: the host's own families follow. The other formats have no such
    /// line; a JSON document is always whole.
    pub fn unended(mut self) -> Self {
        self.eof = false;
        self
    }

    /// Appends the page.
    pub fn write(&self, out: &mut Vec<u8>) {
        if self.format == Format::Protobuf {
            self.write_protobuf(out);
        } else {
            self.write_page(out);
        }
    }

    /// Appends the page to text.
    pub fn write_text(&self, out: &mut String) -> Result<(), NotText> {
        if self.format == Format::Protobuf {
            return Err(NotText(self.format));
        }
        self.write_page(out);
        Ok(())
    }

    fn write_protobuf(&self, out: &mut Vec<u8>) {
        self.registry.visit(|_, walk| {
            let mut writer = ProtobufWriter::new(out);
            self.meet(walk, &mut writer);
            writer.finish();
        });
    }

    fn write_page<P: Page>(&self, out: &mut P) {
        self.registry.visit(|room, walk| match self.format {
            Format::OpenMetrics => {
                let mut writer = OpenMetricsWriter::new(out, room);
                self.meet(walk, &mut writer);
                writer.finish(self.eof);
            }
            Format::Json => {
                let mut writer = JsonWriter::new(out, self.registry.clock().timestamp());
                self.meet(walk, &mut writer);
                writer.finish();
            }
            _ => self.meet(walk, &mut TextWriter::new(out, room)),
        });
    }

    /// Walks through the families that are wanted.
    fn meet(&self, walk: &mut dyn FnMut(&mut dyn Visit), visitor: &mut dyn Visit) {
        if self.prefix.is_empty() && self.keep.is_none() {
            walk(visitor);
        } else {
            walk(&mut Filtered { prefix: self.prefix, keep: self.keep, keeps: false, visitor });
        }
    }
}

impl fmt::Debug for Exposition<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exposition")
            .field("format", &self.format)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// Lets those families through that are wanted.
struct Filtered<'a> {
    prefix: &'a str,
    keep: Option<&'a dyn Fn(&Descriptor) -> bool>,
    keeps: bool,
    visitor: &'a mut dyn Visit,
}

impl Visit for Filtered<'_> {
    fn family(&mut self, declared: &Declared) {
        let descriptor = &*declared.descriptor;
        self.keeps = descriptor.name.as_str().starts_with(self.prefix)
            && self.keep.is_none_or(|keep| keep(descriptor));
        if self.keeps {
            self.visitor.family(declared);
        }
    }

    fn series(&mut self, series: SeriesView<'_>) {
        if self.keeps {
            self.visitor.series(series);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread;
    use std::time::Duration;

    use bellwether_core::{Collect, CollectError, Labels, MetricName, SampleSink, SystemClock, Unit};
    use parking_lot::Mutex;

    use super::*;
    use crate::{Buckets, RegistryConfig};

    /// Has the writer write, and waits until it is done.
    struct Halt {
        write: Sender<()>,
        done: Receiver<()>,
        rounds: usize,
    }

    impl Halt {
        fn here(&mut self) {
            self.write.send(()).unwrap();
            self.done.recv_timeout(Duration::from_secs(20)).expect("a writer waits for the scrape");
            self.rounds += 1;
        }
    }

    /// A scrape that stands still at every place where it meets something.
    struct Halting(Halt);

    impl Visit for Halting {
        fn family(&mut self, _: &Declared) {
            self.0.here();
        }

        fn series(&mut self, series: SeriesView<'_>) {
            drop(series.exemplars.and_then(|kept| kept.get(0)));
            self.0.here();
        }
    }

    /// A collector that stands still while it is asked.
    struct Slow([Descriptor; 1], Arc<Mutex<Option<Halt>>>);

    impl Collect for Slow {
        fn descriptors(&self) -> &[Descriptor] {
            &self.0
        }

        fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
            if let Some(halt) = &mut *self.1.lock() {
                halt.here();
            }
            out.gauge(&self.0[0], &Labels::empty(), 1.0);
            Ok(())
        }
    }

    /// Lets the writer of the collector end, also when the test fails.
    struct Release<'a>(&'a Mutex<Option<Halt>>);

    impl Drop for Release<'_> {
        fn drop(&mut self) {
            self.0.lock().take();
        }
    }

    fn halting() -> (Halt, Receiver<()>, Sender<()>) {
        let ((write, told), (tell, done)) = (channel(), channel());
        (Halt { write, done, rounds: 0 }, told, tell)
    }

    #[test]
    fn whoever_records_or_makes_a_series_waits_for_no_scrape() {
        let metrics = Registry::new(&SystemClock::shared(), RegistryConfig::default());
        let fills = metrics.counter("fills_total", Unit::None, "Fills.").unwrap();
        let depth = metrics.gauge("depth", Unit::None, "Depth.").unwrap();
        let ack = metrics.histogram("ack_seconds", Unit::Seconds, "Ack.", Buckets::latency()).unwrap();
        let orders = metrics.counter_family("orders_total", Unit::None, "Orders.", ["id"]).unwrap();
        orders.with("known").increment();
        depth.set(1.0);
        let (in_collector, collector_told, collector_tell) = halting();
        let descriptor = Descriptor::gauge(MetricName::new("slow").unwrap(), Unit::None, "Slow.");
        let in_collector = Arc::new(Mutex::new(Some(in_collector)));
        metrics.collect(Slow([descriptor], Arc::clone(&in_collector))).unwrap();
        let (halt, walk_told, walk_tell) = halting();
        let write = |told: Receiver<()>, tell: Sender<()>| {
            for round in 0u32.. {
                if told.recv().is_err() {
                    break;
                }
                fills.increment();
                depth.set(f64::from(round));
                ack.record(Duration::from_millis(1));
                orders.with("known").increment();
                orders.with(&format!("{:?} {round}", thread::current().id())).increment();
                metrics.counter("fills_total", Unit::None, "Fills.").unwrap().increment();
                let made = format!("made_{round}_total");
                metrics.counter(made, Unit::None, "Made.").unwrap().increment();
                tell.send(()).unwrap();
            }
        };
        thread::scope(|scope| {
            let release = Release(&in_collector);
            let write = &write;
            scope.spawn(move || write(collector_told, collector_tell));
            scope.spawn(move || write(walk_told, walk_tell));
            let mut halting = Halting(halt);
            metrics.visit(|_, walk| walk(&mut halting));
            assert!(halting.0.rounds > 30, "{} rounds", halting.0.rounds);
            // Those of the walk, and the one of the collector.
            assert_eq!(fills.get(), 2 * (halting.0.rounds as u64 + 1));
            drop(release);
        });
    }
}
