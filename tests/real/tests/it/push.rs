//! What is pushed, as its receivers have it.

mod otlp;
mod push_gateway;
mod remote_write;

use std::time::Duration;

use bellwether_core::{SharedClock, Unit};
use bellwether_metrics::{Buckets, Registry, RegistryConfig};

/// A label value that is to come through as it is.
const HOSTILE: &str = "back\\slash \"quote\" line\nfeed bör🚨se";

/// A registry with a counter, a gauge and a histogram.
fn desk(clock: &SharedClock) -> Registry {
    let metrics = Registry::new(clock, RegistryConfig::default());
    let fills = metrics.counter_family("fills_total", Unit::None, "Fills received.", ["venue"]).unwrap();
    fills.with("XNYS").add(7);
    fills.with(HOSTILE).add(3);
    metrics.gauge("desk_pnl", Unit::Usd, "Profit.").unwrap().set(-1_250.5);
    let buckets = Buckets::new([0.1, 1.0]).unwrap();
    let acks = metrics.histogram("ack_seconds", Unit::Seconds, "Order to acknowledgement.", buckets).unwrap();
    for seconds in [0.05, 0.5, 3.0] {
        acks.record(seconds);
    }
    metrics
}

/// Waits until this holds, for at most 30 seconds.
async fn until(clock: &SharedClock, what: &str, holds: impl Fn() -> bool) {
    for _ in 0..3_000 {
        if holds() {
            return;
        }
        clock.sleep(Duration::from_millis(10)).await;
    }
    panic!("it never came to this: {what}");
}
