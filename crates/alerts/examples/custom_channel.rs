//! A channel of a host's own: a speaker on the trading floor, and what it gets to say while it breaks down and recovers.
//!
//! Runs in virtual time and prints the same each time: `cargo run --example custom_channel`.
#![allow(clippy::print_stdout, reason = "an example speaks")]

use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bellwether_alerts::config::{AlertsConfig, DeliveryConfig};
use bellwether_alerts::rules::Rule;
use bellwether_alerts::{
    AlertChannel, AlertQuery, Alerts, ChannelName, Notification, Receipt, SendError, async_trait,
};
use bellwether_core::resilience::Jitter;
use bellwether_core::{
    Aggregate, Clock, Labels, ManualClock, PageRequest, SampleWindows, Selector, SeriesValue, Severity,
    TimeRange,
};
use chrono::DateTime;

/// The whole channel.
struct TradingFloorSpeaker {
    name: ChannelName,
    clock: ManualClock,
    broken_attempts: AtomicU32,
}

#[async_trait]
impl AlertChannel for TradingFloorSpeaker {
    fn name(&self) -> &ChannelName {
        &self.name
    }

    async fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        self.say(&notification.title()).map_err(SendError::retry)?;
        Ok(Receipt::delivered())
    }
}

impl TradingFloorSpeaker {
    /// Stands for a text-to-speech service that is out of order at first.
    fn say(&self, words: &str) -> Result<(), String> {
        let now = self.clock.now().format("%H:%M:%S%.3f");
        let broken = self
            .broken_attempts
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if broken.is_ok() {
            println!("{now}  speaker  (silence: amplifier is off)");
            return Err("amplifier is off".to_owned());
        }
        println!("{now}  speaker  {words:?}");
        Ok(())
    }
}

/// Stands for the host's metrics: a drawdown that deepens and recovers over 20 minutes.
struct Drawdown;

impl SampleWindows for Drawdown {
    fn aggregate(&self, _: &Selector, range: TimeRange, _: Aggregate, out: &mut Vec<SeriesValue>) {
        let minute = range.end().as_seconds_f64() / 60.0;
        let value = 0.10 - (minute - 10.0).abs() / 100.0;
        let labels = Labels::new([("strategy", "momentum")]).unwrap_or_default();
        out.push(SeriesValue { labels, value, newest: range.end() });
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let clock = ManualClock::starting_at(DateTime::UNIX_EPOCH);
    let speaker = TradingFloorSpeaker {
        name: ChannelName::new("speaker")?,
        clock: clock.clone(),
        broken_attempts: AtomicU32::new(3),
    };
    let config = AlertsConfig {
        delivery: DeliveryConfig { jitter: 0.0, ..DeliveryConfig::default() },
        ..AlertsConfig::default()
    };
    let alerts = Alerts::builder(&clock.shared(), config)
        .watch(Drawdown)
        .rule(
            Rule::above("desk_drawdown_ratio", 0.05)
                .clear_below(0.03)
                .for_("2m")
                .severity(Severity::Critical)
                .annotation("summary", "{{ $labels.strategy }} is down {{ $value | humanizePercentage }}"),
        )
        .channel(speaker)
        .jitter(Jitter::seeded(7))
        .build()?;

    let end = clock.now() + Duration::from_mins(25);
    let mut told = String::new();
    while clock.now() < end {
        let next = alerts.run_due().await.unwrap_or(end);
        for channel in alerts.channels() {
            let state = channel.state.to_string();
            if state != told {
                println!("{}  channel  {} is {state}", clock.now().format("%H:%M:%S%.3f"), channel.name);
                told = state;
            }
        }
        clock.advance_to(next.min(end));
    }

    println!("\nhistory, the newest first:");
    let history = alerts.history().read(&AlertQuery::default(), &PageRequest::default()).await?;
    for change in history.items {
        println!("{}  {}", change.at.format("%H:%M:%S"), change.alert);
    }
    println!("\n{}", alerts.close(Duration::from_secs(5)).await);
    Ok(())
}
