//! The target of the example `scrape` with 10,000 series, judged by promtool and by Prometheus itself.

#[path = "../../../../crates/metrics/examples/scrape/figures.rs"]
mod figures;
#[path = "../../../../crates/metrics/examples/scrape/server.rs"]
mod server;

use std::io::{ErrorKind, Write as _};
use std::process::{Command, Stdio};

use bellwether::core::SystemClock;
use bellwether::metrics::Format;

use self::figures::{Figures, HOSTILE, HOSTILE_HELP};
use self::server::Server;
use crate::exposition::Prometheus;

const SERIES: usize = 10_000;

/// Serves a format until the process ends.
fn target(format: Format) -> u16 {
    let figures = Figures::new(&SystemClock::shared(), SERIES).unwrap();
    let mut server = Server::new(0, figures, Some(format)).unwrap();
    let port = server.address().unwrap().port();
    std::thread::spawn(move || {
        loop {
            // A client that went away is no concern of the others.
            let _ = server.answer_one();
        }
    });
    port
}

#[test]
fn promtool_finds_nothing_to_say_about_ten_thousand_series() {
    let mut page = Vec::new();
    Figures::new(&SystemClock::shared(), SERIES).unwrap().write(Format::Text, &mut page);
    let promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut promtool = match promtool {
        Ok(promtool) => promtool,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            println!("skipped: promtool");
            return;
        }
        Err(error) => panic!("promtool: {error}"),
    };
    promtool.stdin.take().unwrap().write_all(&page).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.is_empty(), "{said}");
}

#[test]
fn prometheus_reads_ten_thousand_series_and_hostile_text_from_both_text_formats() {
    for (format, orders) in [(Format::Text, "demo_orders_total"), (Format::OpenMetrics, "demo_orders")] {
        let Some(prometheus) = Prometheus::start(target(format), &["metrics"]) else {
            println!("skipped: prometheus");
            return;
        };
        let one = |query: &str| prometheus.query(query, 1).remove(0).1;

        let events = prometheus.query("demo_events_total", SERIES);
        assert!(events.iter().all(|(labels, value)| labels["series"] == *value), "{format:?}");
        assert_eq!(one("sum(demo_events_total)"), "49995000");

        let texts = prometheus.query("demo_orders_total", HOSTILE.len());
        for (text, count) in HOSTILE.iter().zip(1..) {
            let counted = texts.iter().find(|(labels, _)| labels["text"] == *text).map(|(_, count)| &**count);
            assert_eq!(counted, Some(count.to_string().as_str()), "{format:?} {text:?}");
        }
        let told = prometheus.get(&format!("/api/v1/targets/metadata?metric={orders}"));
        assert_eq!(
            (&told["data"][0]["type"], &told["data"][0]["help"]),
            (&"counter".into(), &HOSTILE_HELP.into())
        );

        let foreign = |value| one(&format!("demo_foreign_depth{{value=\"{value}\"}}"));
        assert_eq!(["nan", "positive infinity", "negative infinity"].map(foreign), ["NaN", "+Inf", "-Inf"]);
        // What our own gauges refused is not there.
        assert_eq!(one("demo_depth"), "-12.5");

        assert_eq!(one("demo_ack_seconds_count{venue=\"nothing acknowledged yet\"}"), "0");
        assert_eq!(one("demo_ack_seconds_count{venue=\"XNYS\"}"), "100");
        assert_eq!(one("demo_ack_seconds_sum{venue=\"XNYS\"} > bool 1.26"), "1");
        assert_eq!(one("demo_fill_seconds_count"), "1000");
        assert_eq!(one("demo_fill_seconds{quantile=\"0.99\"} > bool 0.97 < bool 2"), "1");
        assert_eq!(one("up"), "1");
    }
}
