//! Pages of a registry, judged by those who read them: Prometheus, and the OpenMetrics parser of `prometheus_client`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bellwether::core::{
    Collect, CollectError, Descriptor, Labels, MetricName, SampleSink, SummarySnapshot, Unit,
};
use bellwether::metrics::{Format, NativeBuckets};
use bellwether::prelude::*;
use serde_json::Value as Json;

const NOTES: [&str; 7] = ["plain", "new\nline", "quo\"te", "back\\slash", "{},=# ", "ä漢🦀\t", "end\\"];
const HELP: &str = "A \\ backslash, a \"quote\",\na second line, ä 漢.";

/// Kinds that instruments of the registry do not have.
struct Told([Descriptor; 3]);

impl Told {
    fn new() -> Self {
        let name = |name: &'static str| MetricName::new(name).unwrap();
        Self([
            Descriptor::summary(name("demo_hold_seconds"), Unit::Seconds, "Hold."),
            Descriptor::info(name("demo_build_info"), "Build."),
            Descriptor::state_set(name("demo_feed_state"), "Feed."),
        ])
    }
}

impl Collect for Told {
    fn descriptors(&self) -> &[Descriptor] {
        &self.0
    }

    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        let [hold, build, feed] = &self.0;
        let quantiles = [(0.5, 0.25), (0.99, 2.0)].into();
        out.summary(hold, &Labels::empty(), &SummarySnapshot { quantiles, count: 3, sum: 2.5 });
        out.gauge(build, &Labels::new([("version", "1.2.3")]).unwrap(), 1.0);
        for venue in ["ARCX", "XNYS"] {
            for (state, value) in [("closed", 0.0), ("open", 1.0)] {
                let labels = Labels::new([("demo_feed_state", state), ("venue", venue)]).unwrap();
                out.gauge(feed, &labels, value);
            }
        }
        Ok(())
    }
}

fn registry() -> Registry {
    let metrics = Registry::new(&SystemClock::shared(), RegistryConfig::default());
    let events = metrics.counter_family("demo_events_total", Unit::None, HELP, ["note"]).unwrap();
    for (note, n) in NOTES.iter().zip(1..) {
        events.with(note).add(n);
    }
    metrics.gauge("demo_pnl_usd", Unit::Usd, "Profit.").unwrap().set(-1_250.25);
    let buckets = Buckets::new([0.000_01, 0.001, 1.0, 2_000_000.0]).unwrap();
    let ack =
        metrics.histogram_family("demo_ack_seconds", Unit::Seconds, "Ack.", ["venue"], buckets).unwrap();
    for value in [0.000_5, 0.5, 3.0, 3.0] {
        ack.with("XNYS").record(value);
    }
    ack.with("ARCX").record(0.001);
    // Neither Prometheus 2.42 nor the parser in Python reads quotes within exemplars as the standard has them.
    let order_id = Labels::new([("order_id", "ord-17")]).unwrap();
    ack.with("ARCX").record_with_exemplar(0.000_9, &order_id);
    metrics.collect(Told::new()).unwrap();
    metrics
}

/// Answers scrapes on a free port until the process ends: below `/text` and so on in that format, elsewhere in the one
/// that is asked for. Remembers which one that was.
fn serve(metrics: &Registry, asked: &Arc<std::sync::Mutex<Vec<Format>>>) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (metrics, asked) = (metrics.clone(), Arc::clone(asked));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let head: Vec<String> = BufReader::new(&stream)
                .lines()
                .map_while(Result::ok)
                .take_while(|line| !line.is_empty())
                .collect();
            let path = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or("");
            let accept = head.iter().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("accept").then_some(value)
            });
            let format = match path {
                "/text" => Format::Text,
                "/openmetrics" => Format::OpenMetrics,
                "/protobuf" => Format::Protobuf,
                _ => {
                    let format = Format::negotiate(accept);
                    asked.lock().unwrap().push(format);
                    format
                }
            };
            let page = metrics.encode(format);
            let (kind, length) = (format.content_type(), page.len());
            // A reader that went away is no concern of the others.
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            let _ = stream.write_all(&page);
        }
    });
    port
}

/// A real server, stopped when it is dropped.
pub(crate) struct Prometheus {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    /// Scrapes these paths of a port; nothing where the program is missing.
    pub(crate) fn start(of: u16, paths: &[&str]) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut jobs = String::new();
        for path in paths {
            let _ = writeln!(
                jobs,
                "- job_name: {path}\n  metrics_path: /{path}\n  static_configs:\n  - targets: ['127.0.0.1:{of}']"
            );
        }
        let config = folder.path().join("prometheus.yml");
        std::fs::write(&config, format!("global: {{scrape_interval: 1s}}\nscrape_configs:\n{jobs}")).unwrap();
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(["--enable-feature=native-histograms", "--log.level=error"])
            .stdin(Stdio::null())
            .spawn();
        match child {
            Ok(child) => Some(Self { child, port, _folder: folder }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => panic!("prometheus: {error}"),
        }
    }

    /// What a query gives, as pairs of labels and value: once it gives `n` series.
    pub(crate) fn query(&self, query: &str, n: usize) -> Vec<(BTreeMap<String, String>, String)> {
        let started = Instant::now();
        loop {
            let series = self.series(query);
            if series.len() == n {
                return series;
            }
            assert!(
                started.elapsed() < Duration::from_mins(1),
                "{query}: {n} series wanted, got {series:#?}"
            );
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    pub(crate) fn series(&self, query: &str) -> Vec<(BTreeMap<String, String>, String)> {
        let answer = self.get(&format!("/api/v1/query?query={}", percent(query)));
        let series = answer["data"]["result"].as_array().into_iter().flatten();
        series
            .map(|series| {
                let labels: BTreeMap<String, String> =
                    serde_json::from_value(series["metric"].clone()).unwrap();
                (labels, series["value"][1].as_str().unwrap_or("").to_owned())
            })
            .collect()
    }

    pub(crate) fn get(&self, path: &str) -> Json {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return Json::Null };
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        serde_json::from_str(body).unwrap_or(Json::Null)
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        let _ = write!(out, "%{byte:02x}");
    }
    out
}

/// The values of all series of a job, without what Prometheus adds to their labels.
fn of_job(server: &Prometheus, job: &str, n: usize) -> BTreeMap<BTreeMap<String, String>, String> {
    let query = format!(r#"{{job="{job}",__name__=~"demo_.*",__name__!~".*_created"}}"#);
    let series = server.query(&query, n);
    series
        .into_iter()
        .map(|(mut labels, value)| {
            labels.remove("job");
            labels.remove("instance");
            (labels, value)
        })
        .collect()
}

#[test]
fn prometheus_reads_the_same_series_from_every_format() {
    let metrics = registry();
    let asked = Arc::default();
    let port = serve(&metrics, &asked);
    let Some(server) = Prometheus::start(port, &["text", "openmetrics", "protobuf", "any"]) else {
        println!("skipped: prometheus");
        return;
    };
    // 7 counters, 1 gauge, 2 histograms of 5 buckets, 1 summary of 2 quantiles, 1 info, 4 states.
    let n = 7 + 1 + 2 * (5 + 2) + (2 + 2) + 1 + 4;
    let text = of_job(&server, "text", n);
    for job in ["openmetrics", "protobuf", "any"] {
        assert_eq!(of_job(&server, job, n), text, "{job}");
    }
    let value = |name: &str, labels: &[(&str, &str)]| {
        let name = ("__name__", name);
        let labels = labels.iter().chain([&name]);
        let labels: BTreeMap<_, _> =
            labels.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        text.get(&labels).cloned().unwrap_or_else(|| panic!("no {labels:?} in {text:#?}"))
    };
    for (note, n) in NOTES.iter().zip(1..) {
        assert_eq!(value("demo_events_total", &[("note", note)]), n.to_string());
    }
    assert_eq!(value("demo_pnl_usd", &[]), "-1250.25");
    assert_eq!(value("demo_ack_seconds_bucket", &[("venue", "XNYS"), ("le", "1e-05")]), "0");
    assert_eq!(value("demo_ack_seconds_bucket", &[("venue", "XNYS"), ("le", "1.0")]), "2");
    assert_eq!(value("demo_ack_seconds_bucket", &[("venue", "XNYS"), ("le", "2e+06")]), "4");
    assert_eq!(value("demo_hold_seconds", &[("quantile", "0.99")]), "2");
    assert_eq!(value("demo_feed_state", &[("demo_feed_state", "open"), ("venue", "ARCX")]), "1");
    assert!(asked.lock().unwrap().iter().all(|format| *format == Format::Protobuf));
    let told = server.get("/api/v1/targets/metadata?metric=demo_events_total");
    let helps: Vec<&str> =
        told["data"].as_array().into_iter().flatten().filter_map(|told| told["help"].as_str()).collect();
    assert!(!helps.is_empty() && helps.iter().all(|help| *help == HELP), "{told}");
}

#[test]
fn prometheus_reads_native_histograms_from_protobuf() {
    let metrics = registry();
    let fill = metrics
        .native_histogram("demo_fill_seconds", Unit::Seconds, "Fill.", NativeBuckets::latency())
        .unwrap();
    metrics.native_histogram("demo_idle_seconds", Unit::Seconds, "Idle.", NativeBuckets::latency()).unwrap();
    let values = (1..=1_000).map(|i| f64::from(i) * 1e-3);
    for value in values {
        fill.record(value);
    }
    let asked = Arc::default();
    let port = serve(&metrics, &asked);
    let Some(server) = Prometheus::start(port, &["any"]) else {
        println!("skipped: prometheus");
        return;
    };
    let number = |query: &str| -> f64 {
        let series = server.query(query, 1);
        series[0].1.parse().unwrap_or_else(|_| panic!("{query}: {series:?}"))
    };
    assert_eq!(number("histogram_count(demo_fill_seconds)"), 1_000.0);
    assert!((number("histogram_sum(demo_fill_seconds)") - 500.5).abs() < 1e-9);
    for (q, exact) in [(0.5, 0.5), (0.9, 0.9), (0.99, 0.99)] {
        let seen = number(&format!("histogram_quantile({q}, demo_fill_seconds)"));
        let most = NativeBuckets::latency().relative_error() * 2.0;
        assert!((seen / exact - 1.0).abs() <= most, "quantile {q}: {seen}");
    }
    assert_eq!(number("histogram_count(demo_idle_seconds)"), 0.0);
    assert!(asked.lock().unwrap().iter().all(|format| *format == Format::Protobuf));
}

#[test]
fn the_openmetrics_parser_of_prometheus_client_reads_every_line() {
    let metrics = registry();
    let page = metrics.encode(Format::OpenMetrics);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/openmetrics_check.py");
    let python = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/python");
    let mut child = Command::new("python3")
        .arg(script)
        .env("PYTHONPATH", python)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 runs");
    // Without the package it does not read.
    let _ = child.stdin.take().unwrap().write_all(&page);
    let output = child.wait_with_output().unwrap();
    if output.status.code() == Some(3) {
        println!("skipped: prometheus_client");
        return;
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&page));
    let families: Vec<(String, String, String, String, Vec<Json>)> =
        serde_json::from_slice(&output.stdout).unwrap();
    let family = |name: &str| {
        families.iter().find(|family| family.0 == name).unwrap_or_else(|| panic!("no family {name}"))
    };
    let told = |name| {
        let (_, kind, unit, help, samples) = family(name);
        (&**kind, &**unit, &**help, samples.iter().filter(|sample| !ends_in_created(sample)).count())
    };
    assert_eq!(told("demo_events"), ("counter", "", HELP, NOTES.len()));
    assert_eq!(told("demo_pnl_usd"), ("gauge", "usd", "Profit.", 1));
    assert_eq!(told("demo_ack_seconds"), ("histogram", "seconds", "Ack.", 14));
    assert_eq!(told("demo_hold_seconds"), ("summary", "seconds", "Hold.", 4));
    assert_eq!(told("demo_build"), ("info", "", "Build.", 1));
    assert_eq!(told("demo_feed_state"), ("stateset", "", "Feed.", 4));
    for (sample, (note, n)) in family("demo_events").4.iter().filter(|s| !ends_in_created(s)).zip(sorted()) {
        assert_eq!((&sample[1]["note"], &sample[2]), (&Json::from(note), &Json::from(n)));
    }
    let exemplars: Vec<&Json> = family("demo_ack_seconds")
        .4
        .iter()
        .map(|sample| &sample[3])
        .filter(|exemplar| !exemplar.is_null())
        .collect();
    assert_eq!(exemplars, [&serde_json::json!({"order_id": "ord-17"})]);
    // Every line of the page was read, those of the registry's own metrics too.
    let lines = page.split(|byte| *byte == b'\n').filter(|line| !line.is_empty() && line[0] != b'#').count();
    assert_eq!(families.iter().map(|family| family.4.len()).sum::<usize>(), lines);
}

fn ends_in_created(sample: &Json) -> bool {
    sample[0].as_str().is_some_and(|name| name.ends_with("_created"))
}

/// The notes in the order of labels, with their counts.
fn sorted() -> Vec<(&'static str, u64)> {
    let mut notes: Vec<_> = NOTES.into_iter().zip(1..).collect();
    notes.sort_unstable();
    notes
}
