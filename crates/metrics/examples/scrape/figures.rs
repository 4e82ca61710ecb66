//! What the target tells: the figures of a desk, with everything that makes an exposition hard.

use std::error::Error;
use std::time::Duration;

use bellwether_core::{SharedClock, Unit};
use bellwether_metrics::{Buckets, Format, Quantiles, Registry, RegistryConfig};

/// Gauges of another library, which the host puts before ours on its page: Prometheus knows values that are no number, a
/// registry of Bellwether refuses them. The text stands so in both text formats.
const FOREIGN: &str = "\
# TYPE demo_foreign_depth gauge
# HELP demo_foreign_depth Gauges of another library on the same page.
demo_foreign_depth{value=\"nan\"} NaN
demo_foreign_depth{value=\"positive infinity\"} +Inf
demo_foreign_depth{value=\"negative infinity\"} -Inf
";

/// Label values as users type them.
pub(crate) const HOSTILE: [&str; 5] =
    ["say \"no\"", "C:\\orders\\", "two\nlines", "comma, {brace} = end", "Zürich 東京 \u{1F4C8}"];

/// Help with all that must be escaped.
pub(crate) const HOSTILE_HELP: &str = "Orders by \"text\",\nof two lines and a \\ at the end \\";

/// The figures of the target.
pub(crate) struct Figures(Registry);

impl Figures {
    /// With so many series of `demo_events_total`; each counts its own number.
    pub(crate) fn new(clock: &SharedClock, series: usize) -> Result<Self, Box<dyn Error>> {
        // The bounds are raised to what is wanted, and to a little more for the other metrics.
        let config = RegistryConfig::default()
            .with_max_series_per_metric(series.max(100))
            .with_max_series(series.saturating_add(1_000));
        let metrics = Registry::new(clock, config);

        let events =
            metrics.counter_family("demo_events_total", Unit::None, "Events by series.", ["series"])?;
        for number in 0..series {
            events.with(&number.to_string()).add(number as u64);
        }

        let orders = metrics.counter_family("demo_orders_total", Unit::None, HOSTILE_HELP, ["text"])?;
        for (count, text) in (1..).zip(HOSTILE) {
            orders.with(text).add(count);
        }

        let depth = metrics.gauge_family("demo_depth", Unit::None, "Orders in the book.", ["book"])?;
        depth.with("quiet").set(-12.5);
        // Refused and counted: the gauge keeps what it had, and one that never had a value has no line.
        depth.with("quiet").set(f64::NAN);
        depth.with("never open").set(f64::INFINITY);

        let acks = metrics.histogram_family(
            "demo_ack_seconds",
            Unit::Seconds,
            "Order to acknowledgement.",
            ["venue"],
            Buckets::latency(),
        )?;
        for venue in ["XNYS", "a \"dark\" pool"] {
            (1..=100u32).for_each(|i| acks.with(venue).record(f64::from(i) * 0.000_25));
        }
        acks.with("nothing acknowledged yet");

        let fills = metrics.summary(
            "demo_fill_seconds",
            Unit::Seconds,
            "Acknowledgement to fill.",
            Quantiles::latency().over(Duration::from_hours(24), 24)?,
        )?;
        (1..=1_000u32).for_each(|i| fills.record(f64::from(i) * 0.001));
        Ok(Self(metrics))
    }

    /// Appends the page in a format.
    pub(crate) fn write(&self, format: Format, page: &mut Vec<u8>) {
        if matches!(format, Format::Text | Format::OpenMetrics) {
            page.extend_from_slice(FOREIGN.as_bytes());
        }
        self.0.write(format, page);
    }
}
