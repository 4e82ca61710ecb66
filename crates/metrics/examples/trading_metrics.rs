//! A desk measured with the trading preset: `cargo run -p bellwether-metrics --example trading_metrics`.
//!
//! A made-up engine sends orders to two venues, hears what becomes of them, and falls behind its market data once. Time
//! is virtual, so that the page is the same at every run. Real desks pass `SystemClock::shared()`.

use std::error::Error;
use std::io::Write as _;
use std::time::Duration;

use bellwether_core::{Aggregate, ManualClock, MetricName, SampleWindows, Selector, SeriesValue, TimeRange};
use bellwether_metrics::trading::{Mark, Preset, RejectReason};
use bellwether_metrics::{Registry, RegistryConfig};

fn main() -> Result<(), Box<dyn Error>> {
    let clock = ManualClock::starting_at(chrono::DateTime::UNIX_EPOCH);
    let metrics = Registry::new(&clock.shared(), RegistryConfig::default());

    // once, at the start
    let desk = Preset::new().with_prefix("desk");
    let orders = desk.orders(&metrics)?;
    let feeds = desk.feeds(&metrics)?;
    let positions = desk.positions(&metrics)?;
    let queues = desk.queues(&metrics)?;

    // handles, taken once
    let venues = [orders.at("XNYS", "momentum"), orders.at("ARCX", "momentum")];
    let mut ticks = feeds.open("itch-a");
    let position = positions.at("momentum", "AAPL");
    let outbound = queues.at("outbound", Some(64));

    // the hot path, five minutes of it
    let (mut held, mut paid, mut sequence) = (0.0, 0.0, 0u64);
    for second in 0..300u32 {
        // From 200 s on the feed is dead for half a minute, and 40 messages are missed.
        if !(200..230).contains(&second) {
            sequence += if second == 230 { 41 } else { 1 };
            ticks.received(sequence);
        }
        let (venue, slowness) = if second % 3 == 0 { (&venues[1], 4) } else { (&venues[0], 1) };
        outbound.pushed();
        clock.advance(Duration::from_micros(15));
        venue.tick_to_order.record(Duration::from_micros(15));
        outbound.popped(Duration::from_micros(3));

        let mut order = venue.send(100.0);
        clock.advance(Duration::from_micros(slowness * (120 + u64::from(second * 37 % 200))));
        if second % 25 == 24 {
            order.rejected(RejectReason::PriceBand);
        } else {
            order.acked();
            clock.advance(Duration::from_millis(u64::from(second % 7)));
            let fill = if second % 4 == 0 { 60.0 } else { 100.0 };
            order.filled(fill);
            held += fill;
            paid += fill * 100.0;
            if !order.has_ended() {
                order.cancel_requested();
                clock.advance(Duration::from_micros(slowness * 300));
                order.cancelled();
            }
        }
        if held > 0.0 {
            position.mark(Mark::new(held, paid / held, 100.0 + f64::from(second % 20) / 10.0));
        }
        if second % 60 == 59 {
            position.realised.add(held * 0.5);
            (held, paid) = (0.0, 0.0);
        }
        metrics.sample();
        clock.advance_to(clock_second(second + 1)?);
    }

    // what rules ask
    let mut out = std::io::stdout().lock();
    let windows = metrics.windows();
    let all = TimeRange::ending(clock.shared().timestamp(), Duration::from_mins(5));
    let mut ask = |name: &str, aggregate, what: &str| -> Result<(), Box<dyn Error>> {
        let mut answers: Vec<SeriesValue> = Vec::new();
        let selector = Selector::metric(MetricName::new(name.to_owned())?);
        windows.aggregate(&selector, all, aggregate, &mut answers);
        answers.retain(|answer| answer.value != 0.0);
        for answer in answers {
            writeln!(out, "# {what} {}: {:.6}", answer.labels, answer.value)?;
        }
        Ok(())
    };
    ask("desk_feed_staleness_seconds", Aggregate::Max, "longest silence of")?;
    ask("desk_feed_missed_messages_total", Aggregate::Last, "messages missed by")?;
    ask("desk_order_fill_ratio", Aggregate::Last, "fill ratio of")?;
    ask("desk_orders_rejected_total", Aggregate::Last, "orders rejected of")?;
    ask("desk_strategy_gross_exposure_usd", Aggregate::Max, "largest exposure of")?;

    // what Prometheus scrapes, but for the buckets and what the registry tells about itself
    for line in metrics.text().lines() {
        let name = line.strip_prefix("# HELP ").or_else(|| line.strip_prefix("# TYPE ")).unwrap_or(line);
        if name.starts_with("desk_") && !name.contains("_bucket{") {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

fn clock_second(second: u32) -> Result<chrono::DateTime<chrono::Utc>, Box<dyn Error>> {
    chrono::DateTime::from_timestamp(second.into(), 0).ok_or_else(|| "a second out of range".into())
}
