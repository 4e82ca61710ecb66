//! Every kind of metric on one page: `cargo run -p bellwether-metrics --example exposition > metrics.txt`.
//!
//! Time is virtual, so that the page is the same at every run. Real desks pass `SystemClock::shared()`.

use std::error::Error;
use std::io::Write as _;
use std::time::Duration;

use bellwether_core::{
    Aggregate, Collect, CollectError, Descriptor, Labels, ManualClock, MetricName, SampleSink, Selector,
    TimeRange,
};
use bellwether_metrics::{Buckets, NativeBuckets, Quantiles, Registry, RegistryConfig, Unit};

/// A part of the host that keeps its figures itself.
struct Gateway {
    descriptors: [Descriptor; 1],
    sessions: [(&'static str, u32); 2],
}

impl Gateway {
    fn new() -> Result<Self, Box<dyn Error>> {
        let name = MetricName::new("gateway_sessions")?;
        let descriptors = [Descriptor::gauge(name, Unit::None, "Sessions that are logged in.")];
        Ok(Self { descriptors, sessions: [("XNYS", 3), ("ARCX", 1)] })
    }
}

impl Collect for Gateway {
    fn descriptors(&self) -> &[Descriptor] {
        &self.descriptors
    }

    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        for (venue, sessions) in self.sessions {
            let labels =
                Labels::new([("venue", venue)]).map_err(|error| CollectError::new(error.to_string()))?;
            out.gauge(&self.descriptors[0], &labels, sessions.into());
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let clock = ManualClock::starting_at(chrono::DateTime::UNIX_EPOCH);
    let metrics = Registry::new(&clock.shared(), RegistryConfig::default());

    let fills = metrics.counter("fills_total", Unit::None, "Fills received.")?;
    let rejected = metrics.counter_family(
        "orders_rejected_total",
        Unit::None,
        "Orders rejected, by reason.",
        ["reason"],
    )?;
    let fees = metrics.float_counter("fees_usd_total", Unit::Usd, "Fees paid.")?;
    let pnl = metrics.gauge("desk_pnl", Unit::Usd, "Realised and open profit of the desk.")?;
    let acked = metrics.histogram_family(
        "order_ack_seconds",
        Unit::Seconds,
        "Order to acknowledgement.",
        ["venue"],
        Buckets::latency(),
    )?;
    let cancelled = metrics.native_histogram(
        "order_cancel_seconds",
        Unit::Seconds,
        "Cancel request to confirmation.",
        NativeBuckets::latency(),
    )?;
    let quoted =
        metrics.summary("quote_seconds", Unit::Seconds, "From tick to quote.", Quantiles::latency())?;
    let circuit = metrics.state_set(
        "venue_circuit",
        "Circuit breaker of the venue.",
        ["closed", "half_open", "open"],
    )?;
    metrics.info("build_info", "What runs here.", [("version", "1.4.2"), ("commit", "9fceb02")])?;
    // Asked when the page is written.
    let wall = clock.shared();
    metrics.gauge_fn("desk_uptime_seconds", Unit::Seconds, "Since the start of the desk.", move || {
        wall.monotonic().since_origin().as_secs_f64()
    })?;
    // What users type reaches labels: the page must stand it.
    let notes = metrics.gauge_family("desk_note", Unit::None, "Notes,\nwith \\ as they are.", ["text"])?;
    metrics.collect(Gateway::new()?)?;

    for second in 0..120u32 {
        fills.add(u64::from(second % 3));
        pnl.add(12.5 - f64::from(second % 7) * 4.0);
        acked.with("XNYS").record(Duration::from_micros(80 + u64::from(second * 37 % 900)));
        acked.with("ARCX").record(Duration::from_micros(120 + u64::from(second * 53 % 4_000)));
        fees.add(f64::from(second % 5) * 0.25);
        cancelled.record(Duration::from_micros(150 + u64::from(second * 29 % 700)));
        quoted.record(Duration::from_micros(15 + u64::from(second * 7 % 40)));
        circuit.set(if second % 50 < 45 { "closed" } else { "open" });
        if second % 10 == 0 {
            rejected.with("price_band").increment();
        }
        metrics.sample();
        clock.advance(Duration::from_secs(1));
    }
    rejected.with("kill_switch").increment();
    notes.with("A \"quoted\" \\ note\nof two lines").set(1.0);
    pnl.set(f64::NAN); // refused and counted

    let mut answers = Vec::new();
    let last_minute = TimeRange::ending(clock.shared().timestamp(), Duration::from_mins(1));
    let fills = Selector::metric(MetricName::new("fills_total")?);
    metrics.windows().aggregate(&fills, last_minute, Aggregate::Rate, &mut answers);
    for answer in answers {
        writeln!(std::io::stderr(), "fills per second over the last minute: {:.3}", answer.value)?;
    }

    std::io::stdout().write_all(metrics.text().as_bytes())?;
    Ok(())
}
