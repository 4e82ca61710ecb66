//! Runs of a real Alertmanager 0.25.0, recorded: `tests/data/scenarios/`, each with its scenario and what was delivered.
use std::collections::BTreeMap;
use std::time::Duration;

use bellwether_alerts::config::{AlertsConfig, ReceiverConfig, RouteConfig};
use bellwether_alerts::engine::{Engine, EngineSettings, Event};
use bellwether_alerts::{Alert, AlertState, ChannelName, Notification, ReceiverName, RouteTree};
use bellwether_core::Labels;
use bellwether_core::config::Validate;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

fn at(seconds: f64) -> TimeDelta {
    TimeDelta::microseconds((seconds * 1e6).round() as i64)
}

fn config(scenario: &Value) -> (RouteTree, BTreeMap<String, Vec<u64>>) {
    let route: RouteConfig = serde_json::from_value(scenario["config"]["route"].clone()).unwrap();
    let (mut receivers, mut faults) = (BTreeMap::new(), BTreeMap::new());
    for receiver in scenario["config"]["receivers"].as_array().unwrap() {
        let name = receiver["name"].as_str().unwrap().to_owned();
        let send_resolved = receiver.get("send_resolved").is_none_or(|send| send.as_bool().unwrap());
        let channels = vec![ChannelName::new(name.clone()).unwrap()];
        receivers
            .insert(ReceiverName::new(name.clone()).unwrap(), ReceiverConfig { channels, send_resolved });
        let statuses = receiver.get("faults").and_then(Value::as_array).into_iter().flatten();
        faults.insert(name, statuses.map(|status| status.as_u64().unwrap()).collect());
    }
    let tree = RouteTree::new(&route, &receivers);
    let whole = AlertsConfig { route: Some(route), receivers, ..AlertsConfig::default() };
    whole.check().unwrap();
    (tree, faults)
}

/// What a receiver answers to one flush: server errors are tried again within it, others are not.
fn answers(faults: &mut Vec<u64>) -> Vec<u64> {
    let mut answers = Vec::new();
    loop {
        let answer = if faults.is_empty() { 200 } else { faults.remove(0) };
        answers.push(answer);
        if answer < 500 {
            return answers;
        }
    }
}

#[derive(Debug, Clone, PartialEq, PartialOrd)]
struct Told {
    at: f64,
    receiver: String,
    status: String,
    group_labels: String,
    alerts: Vec<(String, String)>,
    answers: Vec<u64>,
}

fn told(notification: &Notification, start: DateTime<Utc>, answers: Vec<u64>) -> Told {
    let mut alerts: Vec<_> =
        notification.listed().map(|alert| (alert.labels().to_string(), alert.state().to_string())).collect();
    alerts.sort();
    Told {
        at: (notification.at() - start).num_microseconds().unwrap() as f64 / 1e6,
        receiver: notification.receiver().to_string(),
        status: notification.status().to_string(),
        group_labels: notification.group_labels().to_string(),
        alerts,
        answers,
    }
}

fn labels(value: &Value) -> Labels {
    let pairs = value.as_object().unwrap().iter();
    Labels::new(pairs.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))).unwrap()
}

fn recorded(notification: &Value) -> Told {
    let text = |name: &str| notification[name].as_str().unwrap().to_owned();
    let alerts = notification["alerts"].as_array().unwrap().iter();
    let mut alerts: Vec<_> = alerts
        .map(|alert| (labels(&alert["labels"]).to_string(), alert["status"].as_str().unwrap().to_owned()))
        .collect();
    alerts.sort();
    Told {
        at: notification["t"].as_f64().unwrap(),
        receiver: text("receiver"),
        status: text("status"),
        group_labels: labels(&notification["groupLabels"]).to_string(),
        alerts,
        answers: notification["answers"].as_array().unwrap().iter().map(|it| it.as_u64().unwrap()).collect(),
    }
}

/// The notifications of a scenario on a virtual clock that stops wherever something happens.
fn replay(scenario: &Value) -> Vec<Told> {
    let (tree, mut faults) = config(scenario);
    let settings =
        EngineSettings { resolve_timeout: Some(Duration::from_mins(5)), ..EngineSettings::default() };
    let mut engine = Engine::new(tree, settings);
    let start: DateTime<Utc> = "2026-01-05T12:00:00Z".parse().unwrap();
    let end = start + at(scenario["duration_s"].as_f64().unwrap());
    let mut starts: BTreeMap<Labels, DateTime<Utc>> = BTreeMap::new();
    let mut seen = Vec::new();
    let mut run_until = |engine: &mut Engine, until: DateTime<Utc>| {
        while let Some(now) = engine.next_wakeup().filter(|wakeup| *wakeup <= until) {
            for notification in engine.poll(now) {
                let faults = faults.get_mut(notification.receiver().as_str()).unwrap();
                let answers = answers(faults);
                let arrived = answers.last().is_some_and(|last| *last < 300);
                seen.push(told(&notification, start, answers));
                let key = notification.key();
                engine.handle(if arrived { Event::Told(key) } else { Event::NotTold(key) }, now);
            }
        }
    };
    // They are written by alert, not by time.
    let mut events: Vec<_> = scenario["events"].as_array().unwrap().iter().collect();
    events.sort_by(|a, b| a["at_s"].as_f64().unwrap().total_cmp(&b["at_s"].as_f64().unwrap()));
    for event in events {
        let now = start + at(event["at_s"].as_f64().unwrap());
        run_until(&mut engine, now);
        for alert in event["alerts"].as_array().unwrap() {
            let identity = labels(&alert["labels"]);
            let ago = alert.get("starts_ago_s").map_or(0.0, |ago| ago.as_f64().unwrap());
            let begins = *starts.entry(identity.clone()).or_insert(now - at(ago));
            let mut builder = Alert::from_labels(identity.clone(), begins);
            if event["op"] == "resolve" {
                builder = builder.resolved_at(now);
                starts.remove(&identity);
            } else if let Some(length) = alert.get("ends_in_s").map_or(Some(3_600.0), Value::as_f64) {
                builder = builder.resolved_at(now + at(length));
            }
            engine.handle(Event::Raised(builder.build().unwrap()), now);
        }
    }
    run_until(&mut engine, end);
    seen
}

fn check(recording: &str) {
    let recording: Value = serde_json::from_str(recording).unwrap();
    let tolerance = recording["golden"]["tolerance_s"].as_f64().unwrap() + 1e-9;
    let mut got = replay(&recording["scenario"]);
    let wanted = recording["golden"]["notifications"].as_array().unwrap().iter().map(recorded);
    for want in wanted {
        let same =
            |got: &Told| Told { at: want.at, ..got.clone() } == want && (got.at - want.at).abs() <= tolerance;
        let found = got.iter().position(same);
        let found = found.unwrap_or_else(|| panic!("{want:#?}\nis missing in\n{got:#?}"));
        got.remove(found);
    }
    assert_eq!(got, [], "unexpected");
}

macro_rules! scenarios {
    ($($name:ident: $file:literal),+ $(,)?) => {
        $(#[test]
        fn $name() {
            check(include_str!(concat!("../data/scenarios/", $file)));
        })+
    };
}

scenarios! {
    nested_routes_and_continue: "01_route_nested_continue.json",
    missing_labels_in_routes: "02_route_missing_labels.json",
    regular_expressions_are_anchored: "03_route_regex_anchored.json",
    late_members_wait_for_the_next_tick: "04_group_join_late.json",
    grouping_by_all_labels: "05_group_by_all.json",
    repeats_are_rounded_up_to_ticks: "06_repeat_interval.json",
    receivers_that_do_not_hear_of_ends: "07_send_resolved.json",
    partial_resolution: "08_partial_resolve.json",
    flapping_between_ticks: "09_flapping.json",
    failed_flushes_are_made_anew_at_the_next_tick: "16_trading_broker_webhook_faults.json",
}

#[test]
fn a_replay_gives_the_same_twice() {
    let recording: Value =
        serde_json::from_str(include_str!("../data/scenarios/08_partial_resolve.json")).unwrap();
    assert_eq!(replay(&recording["scenario"]), replay(&recording["scenario"]));
    assert!(replay(&recording["scenario"]).iter().any(|told| told.status == AlertState::Resolved.as_str()));
}
