//! Figures by OTLP, decoded by OpenTelemetry's own messages for Python.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use bellwether_core::{HumanDuration, MaskedUrl, SecretProviders, Supervisor, SystemClock, UrlSource};
use bellwether_metrics::push::{Otlp, OtlpConfig};
use serde_json::{Value, json};

use super::{HOSTILE, desk, until};

fn metric<'a>(metrics: &'a [Value], name: &str) -> &'a Value {
    metrics.iter().find(|metric| metric["name"] == name).unwrap()
}

#[tokio::test]
async fn opentelemetry_decodes_what_is_sent() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let mut command = Command::new("python3");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/push/otlp_receiver.py"));
    command.env("PYTHONPATH", format!("{root}/target/python")).stderr(Stdio::null());
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut child) = child else {
        println!("skipped: python3");
        return;
    };
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let Some(Ok(port)) = lines.next() else {
        child.wait().unwrap();
        println!("skipped: opentelemetry-proto");
        return;
    };
    let clock = SystemClock::shared();
    let tasks = Supervisor::new(&clock);
    let metrics = desk(&clock);
    let url = MaskedUrl::parse(format!("http://127.0.0.1:{port}/v1/metrics")).unwrap();
    let mut config = OtlpConfig::new(UrlSource::Plain(url), "index-desk");
    config.interval = HumanDuration::new(Duration::from_secs(1));
    let otlp = Otlp::start(&config, &metrics, &tasks.tasks(), &SecretProviders::none()).unwrap();
    let figures = otlp.figures();
    until(&clock, "the first request is settled", || figures.sent() > 0).await;
    tasks.shutdown(Duration::from_secs(10)).await.into_result().unwrap();
    assert_eq!(figures.dropped(), 2, "two points of the first request are refused");
    drop(child.stdin.take());
    child.wait().unwrap();

    let line = lines.next().unwrap().unwrap();
    let json = line.strip_prefix("/v1/metrics application/x-protobuf ").unwrap();
    let request: Value = serde_json::from_str(json).unwrap();
    let resource = &request["resourceMetrics"][0];
    assert_eq!(
        resource["resource"]["attributes"],
        json!([{ "key": "service.name", "value": { "stringValue": "index-desk" } }])
    );
    assert_eq!(resource["scopeMetrics"][0]["scope"]["name"], "bellwether-metrics");
    let metrics = resource["scopeMetrics"][0]["metrics"].as_array().unwrap();

    let fills = metric(metrics, "fills_total");
    assert_eq!(
        (&fills["description"], &fills["sum"]["isMonotonic"]),
        (&json!("Fills received."), &json!(true))
    );
    assert_eq!(fills["sum"]["aggregationTemporality"], "AGGREGATION_TEMPORALITY_CUMULATIVE");
    let mut told: Vec<_> = fills["sum"]["dataPoints"].as_array().unwrap().iter().collect();
    told.sort_by_key(|point| point["asInt"].as_str().unwrap());
    let attribute = |value: &str| json!([{ "key": "venue", "value": { "stringValue": value } }]);
    assert_eq!((&told[0]["asInt"], &told[0]["attributes"]), (&json!("3"), &attribute(HOSTILE)));
    assert_eq!((&told[1]["asInt"], &told[1]["attributes"]), (&json!("7"), &attribute("XNYS")));
    let nanos = |point: &Value, name: &str| point[name].as_str().unwrap().parse::<u64>().unwrap();
    let (start, end) = (nanos(told[0], "startTimeUnixNano"), nanos(told[0], "timeUnixNano"));
    assert!(start < end && end - start < 60_000_000_000, "{start} to {end}");

    let pnl = metric(metrics, "desk_pnl");
    assert_eq!(
        (&pnl["unit"], &pnl["gauge"]["dataPoints"][0]["asDouble"]),
        (&json!("{usd}"), &json!(-1250.5))
    );

    let acks = metric(metrics, "ack_seconds");
    let point = &acks["histogram"]["dataPoints"][0];
    assert_eq!(acks["histogram"]["aggregationTemporality"], "AGGREGATION_TEMPORALITY_CUMULATIVE");
    assert_eq!((&acks["unit"], &point["count"], &point["sum"]), (&json!("s"), &json!("3"), &json!(3.55)));
    assert_eq!(point["bucketCounts"], json!(["1", "1", "1"]));
    assert_eq!(point["explicitBounds"], json!([0.1, 1.0]));
}
