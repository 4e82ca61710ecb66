//! The rule cases that `promtool test rules` 2.42.0 was seen to pass, converted from YAML to JSON: `tests/data/promrules/`.
use std::collections::BTreeMap;
use std::time::Duration;

use bellwether_alerts::Alert;
use bellwether_alerts::rules::{Condition, Evaluator, Expr, MissingData, Rule, RuleBuilder};
use bellwether_core::{Aggregate, IntoDuration, Labels, Severity, Timestamp};
use serde_json::Value;

use crate::recorded::Recorded;

fn seconds(text: &Value) -> i64 {
    text.as_str().unwrap().into_duration().unwrap().as_secs() as i64
}

fn texts(map: Option<&Value>) -> BTreeMap<String, String> {
    let pairs = map.and_then(Value::as_object).into_iter().flatten();
    pairs.map(|(name, text)| (name.clone(), text.as_str().unwrap().to_owned())).collect()
}

/// Series in the notation of promtool: numbers, `_` for no sample, `stale` for an end.
fn load(case: &Value, at: i64, windows: &mut Recorded) {
    let interval = seconds(&case["interval"]);
    for series in case["input_series"].as_array().unwrap() {
        let text = series["series"].as_str().unwrap();
        let (metric, labels) = text.split_at(text.find('{').unwrap());
        let labels = labels.trim_matches(['{', '}']).split(',').map(|pair| {
            let (name, value) = pair.split_once('=').unwrap();
            (name, value.trim_matches('"'))
        });
        let labels = Labels::new(labels).unwrap();
        let index = (at / interval) as usize;
        let timestamp = Timestamp::from_seconds(at).unwrap();
        match series["values"].as_str().unwrap().split(' ').nth(index) {
            None | Some("_") => {}
            Some("stale") => windows.push(metric, &labels, timestamp, None),
            Some(number) => windows.push(metric, &labels, timestamp, Some(number.parse().unwrap())),
        }
    }
}

/// Evaluates at each interval and compares what fires with every expectation.
fn check(golden: &str, rules: Vec<RuleBuilder>) {
    let case: Value = serde_json::from_str(golden).unwrap();
    let mut evaluator = Evaluator::new(rules).unwrap();
    let mut windows = Recorded::default();
    let mut firing: BTreeMap<Labels, Alert> = BTreeMap::new();
    let expectations = case["alert_rule_test"].as_array().unwrap();
    let end = expectations.iter().map(|expected| seconds(&expected["eval_time"])).max().unwrap();
    let mut compared = 0;
    for at in (0..=end).step_by(seconds(&case["evaluation_interval"]) as usize) {
        load(&case, at, &mut windows);
        for alert in evaluator.evaluate(&windows, Timestamp::from_seconds(at).unwrap().to_datetime()) {
            let labels = alert.labels().clone();
            if alert.is_firing() {
                firing.insert(labels, alert)
            } else {
                firing.remove(&labels)
            };
        }
        for expected in expectations.iter().filter(|expected| seconds(&expected["eval_time"]) == at) {
            let name = expected["alertname"].as_str().unwrap();
            let told = |alert: &Alert| {
                let labels = alert.labels().iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
                let texts = alert.annotations().iter().map(|(name, text)| (name.to_owned(), text.to_owned()));
                (labels.collect::<BTreeMap<_, _>>(), texts.collect::<BTreeMap<_, _>>())
            };
            let mut got: Vec<_> = firing.values().filter(|alert| alert.name() == name).map(told).collect();
            let want = expected["exp_alerts"].as_array().unwrap().iter().map(|alert| {
                let mut labels = texts(alert.get("exp_labels"));
                labels.insert("alertname".to_owned(), name.to_owned());
                // A rule of ours always says how bad it is.
                labels.entry("severity".to_owned()).or_insert_with(|| "warning".to_owned());
                (labels, texts(alert.get("exp_annotations")))
            });
            let mut want: Vec<_> = want.collect();
            got.sort();
            want.sort();
            assert_eq!(got, want, "{name} at {at} s");
            compared += 1;
        }
    }
    assert_eq!(compared, expectations.len());
}

#[test]
fn p1_a_condition_must_hold_for_a_while() {
    let rule = Rule::above("reject_ratio", 0.05)
        .name("HighRejects")
        .for_("3m")
        .severity(Severity::Warning)
        .annotation("summary", "{{ $labels.venue }} at {{ $value }}");
    check(include_str!("../data/promrules/p1_for.json"), vec![rule]);
}

#[test]
fn p2_an_alert_is_kept_firing_for_a_while() {
    let rule = Rule::above("latency_ms", 50.0)
        .name("LatencyHigh")
        .for_("1m")
        .keep_firing_for("3m")
        .annotation("value", "{{ $value }}");
    check(include_str!("../data/promrules/p2_keep_firing_for.json"), vec![rule]);
}

#[test]
fn p3_missing_data_is_resolved_when_the_look_back_ends() {
    // Prometheus 2.42 looks back 5 minutes with both ends included; our windows leave out their start.
    let five_minutes = Duration::from_mins(5) + Duration::from_micros(1);
    let last = |metric: &str| Expr::window(metric, Aggregate::Last, five_minutes);
    let deviation =
        Rule::above(last("deviation"), 5.0).name("Deviation").for_("2m").missing(MissingData::Resolve);
    let heartbeat =
        Rule::when(Condition::absent(r#"heartbeat{host="h1"}"#)).name("HeartbeatMissing").for_("1m");
    let ticks = Rule::above(Expr::time() - last("last_tick_ts"), 90.0).name("NoTicks");
    check(include_str!("../data/promrules/p3_missing_data.json"), vec![deviation, heartbeat, ticks]);
}

#[test]
fn p4_hysteresis_raises_at_one_threshold_and_clears_at_another() {
    let breach =
        Rule::above("drawdown", 0.10).name("DrawdownBreach").clear_below(0.08).severity(Severity::Critical);
    let warning = Rule::above("drawdown", 0.05).name("DrawdownWarning").for_("2m");
    check(include_str!("../data/promrules/p4_drawdown_hysteresis.json"), vec![breach, warning]);
}
