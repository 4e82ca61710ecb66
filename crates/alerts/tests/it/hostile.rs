//! Messages that change faster than they can be delivered, series that are looked at seldom, and a clock that is set back.
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use bellwether_alerts::config::AlertsConfig;
use bellwether_alerts::engine::{Engine, EngineSettings, Event};
use bellwether_alerts::rules::{Evaluator, MissingData, Rule};
use bellwether_alerts::{Alert, AlertState, MemoryOutbox, RouteTree};
use bellwether_core::{Aggregate, Clock, Labels, SampleWindows, Selector, SeriesValue, Severity, TimeRange};
use chrono::{DateTime, TimeDelta};

use crate::block_on;
use crate::delivery::{Desk, Flaky, START, config, retry, span};

/// One group for each name, told every so often.
fn grouped(interval: &str) -> AlertsConfig {
    let mut config = config();
    let route = config.route.as_mut().unwrap();
    route.group_by = Some(vec!["alertname".to_owned()]);
    route.group_interval = Some(span(interval));
    config.delivery.breaker.failures = 1_000;
    config
}

fn alert(desk: &Desk, name: &str, symbol: &str, severity: Severity) -> Alert {
    Alert::builder(name, desk.clock.now()).label("symbol", symbol).severity(severity).build().unwrap()
}

fn raise(desk: &Desk, name: &str, symbol: &str, severity: Severity) {
    desk.alerts.handle().raise(alert(desk, name, symbol, severity));
}

fn resolve(desk: &Desk, name: &str, symbol: &str, severity: Severity) {
    desk.alerts.handle().raise(alert(desk, name, symbol, severity).resolved(desk.clock.now()).unwrap());
}

fn heard(desk: &Desk) -> Vec<String> {
    let word = |alert: &Alert| {
        let sign = if alert.state() == AlertState::Firing { '+' } else { '-' };
        format!("{sign}{}", alert.labels().get("symbol").unwrap_or_default())
    };
    let said = |words: Vec<String>| words.join(" ");
    desk.mail.received().iter().map(|message| said(message.listed().map(word).collect())).collect()
}

#[test]
fn where_ends_are_not_told_an_undelivered_beginning_is_not_lost_to_the_next_one() {
    block_on(async {
        let mut config = grouped("1s");
        for receiver in config.receivers.values_mut() {
            receiver.send_resolved = false;
        }
        let desk = Desk::new(config);
        desk.mail.answer(std::iter::repeat_n(retry(), 6));
        raise(&desk, "KillSwitch", "A", Severity::Critical);
        desk.run_until(10).await;
        resolve(&desk, "KillSwitch", "A", Severity::Critical);
        desk.run_until(14).await;
        raise(&desk, "KillSwitch", "B", Severity::Info);
        desk.run_until(600).await;
        assert_eq!(heard(&desk), ["+A", "+B"]);
    });
}

#[test]
fn a_critical_beginning_keeps_its_urgency_in_the_mild_message_that_takes_its_place() {
    block_on(async {
        let mut config = grouped("1s");
        (config.delivery.rate.permits, config.delivery.rate.per) = (5, span("10m"));
        config.delivery.rate.reserved_for_critical = 1;
        let desk = Desk::new(config);
        raise(&desk, "Mild", "M", Severity::Info);
        desk.run_until(1).await;
        desk.mail.answer(std::iter::repeat_n(retry(), 3));
        raise(&desk, "KillSwitch", "A", Severity::Critical);
        desk.run_until(3).await;
        assert_eq!(desk.mail.attempts().len(), 4, "the last permit is for what is critical");
        resolve(&desk, "KillSwitch", "A", Severity::Critical);
        raise(&desk, "KillSwitch", "B", Severity::Info);
        desk.run_until(400).await;
        assert_eq!(heard(&desk), ["+M", "+B -A"]);
    });
}

#[test]
fn groups_that_change_faster_than_may_be_sent_are_each_heard_in_turn() {
    block_on(async {
        for stored in [false, true] {
            let mut config = grouped("1m");
            (config.delivery.rate.permits, config.delivery.rate.per) = (2, span("2m"));
            config.delivery.rate.reserved_for_critical = 0;
            let desk = Desk::with(config, |builder| {
                if stored { builder.outbox(std::sync::Arc::new(MemoryOutbox::default())) } else { builder }
            });
            for minute in 0..60 {
                for name in ["G1", "G2", "G3", "G4"] {
                    raise(&desk, name, &format!("s{minute}"), Severity::Error);
                }
                desk.run_until(minute * 60 + 59).await;
            }
            let mut counts: BTreeMap<String, u32> = BTreeMap::new();
            for message in desk.mail.received() {
                *counts.entry(message.group_labels().to_string()).or_default() += 1;
            }
            let (least, most) = (counts.values().min().unwrap(), counts.values().max().unwrap());
            assert!(counts.len() == 4 && *least > 10 && most - least <= 1, "{counts:?}");
        }
    });
}

#[test]
fn a_group_that_goes_on_changing_without_anything_new_is_given_up_all_the_same() {
    for (attempts, give_up_after) in [(Some(20), "30d"), (None, "10m")] {
        block_on(async {
            let mut config = grouped("1m");
            config.delivery.give_up_after = span(give_up_after);
            config.delivery.max_attempts = attempts;
            let desk = Desk::new(config);
            desk.mail.answer(std::iter::repeat_n(retry(), 100_000));
            let alert = |number: i64| {
                let alert = Alert::builder("G", START).label("symbol", format!("s{number}"));
                alert.severity(Severity::Error).build().unwrap()
            };
            for number in 0..60 {
                desk.alerts.handle().raise(alert(number));
            }
            for minute in 0..60 {
                desk.alerts.handle().raise(alert(minute).resolved(desk.clock.now()).unwrap());
                desk.run_until(minute * 60 + 59).await;
            }
            let counts = desk.status("mail").counts;
            assert!((3..=30).contains(&counts.dead_letters), "{counts:?}");
        });
    }
}

#[test]
fn a_group_in_which_something_new_fires_again_and_again_is_not_given_up() {
    for (attempts, give_up_after) in [(Some(20), "30d"), (None, "10m")] {
        block_on(async {
            let mut config = grouped("1m");
            config.delivery.give_up_after = span(give_up_after);
            config.delivery.max_attempts = attempts;
            let desk = Desk::new(config);
            desk.mail.answer(std::iter::repeat_n(retry(), 100_000));
            for minute in 0..60 {
                raise(&desk, "G", &format!("s{minute}"), Severity::Error);
                desk.run_until(minute * 60 + 59).await;
            }
            let counts = desk.status("mail").counts;
            assert_eq!((counts.dead_letters, counts.pending), (0, 1), "{counts:?}");
            assert!((60..=600).contains(&counts.attempts), "and the service is not stormed: {counts:?}");
        });
    }
}

#[test]
fn a_critical_message_in_the_store_does_not_wait_behind_mild_ones_in_memory() {
    block_on(async {
        let (store, away) = Flaky::new(MemoryOutbox::default());
        let mut config = config();
        (config.delivery.rate.permits, config.delivery.rate.per) = (2, span("1m"));
        config.delivery.rate.reserved_for_critical = 1;
        let desk = Desk::with(config, |builder| builder.outbox(store));
        away.store(true, Ordering::Relaxed);
        for number in 0..10 {
            raise(&desk, "Mild", &format!("m{number}"), Severity::Info);
        }
        desk.run_until(2).await;
        away.store(false, Ordering::Relaxed);
        desk.run_until(10).await;
        raise(&desk, "KillSwitch", "K", Severity::Critical);
        desk.run_until(15).await;
        assert_eq!(heard(&desk).last().map(String::as_str), Some("+K"));
        desk.run_until(3_600).await;
        assert_eq!((heard(&desk).len(), desk.status("mail").counts.pending), (11, 0));
    });
}

struct Maybe(Option<f64>);

impl SampleWindows for Maybe {
    fn aggregate(&self, _: &Selector, range: TimeRange, _: Aggregate, out: &mut Vec<SeriesValue>) {
        out.extend(self.0.map(|value| SeriesValue { labels: Labels::empty(), value, newest: range.end() }));
    }
}

#[test]
fn a_series_that_is_missing_is_told_before_it_is_forgotten_however_seldom_it_is_judged() {
    for days in [1, 7, 30] {
        for (missing, wait) in
            [(MissingData::NoData, "0s"), (MissingData::Fire, "0s"), (MissingData::Fire, "1h")]
        {
            let rule = Rule::above("weekly_return", 0.05).missing(missing).for_(wait).forget_after("12h");
            let mut rules = Evaluator::new([rule]).unwrap();
            rules.evaluate(&Maybe(Some(0.01)), START);
            let mut told = Vec::new();
            for round in 1..5 {
                let now = START + TimeDelta::days(days * round);
                told.extend(rules.evaluate(&Maybe(None), now).iter().map(Alert::state));
            }
            assert_eq!(told, [AlertState::Firing, AlertState::Resolved], "{days} d, {missing:?}, {wait}");
            assert_eq!(rules.counts().forgotten, 1);
        }
    }
}

#[test]
fn a_step_back_that_the_engine_has_noticed_ends_no_alert_when_it_is_told_as_well() {
    let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
    let config = config();
    let routes = RouteTree::new(config.route.as_ref().unwrap(), &config.receivers);
    let resolve_timeout = Some(std::time::Duration::from_mins(10));
    let mut engine = Engine::new(routes, EngineSettings { resolve_timeout, ..EngineSettings::default() });
    engine.handle(Event::Raised(Alert::builder("A", at(10_000)).build().unwrap()), at(10_000));
    let _ = engine.poll(at(10_000));
    let _ = engine.poll(at(6_400));
    engine.clock_set(TimeDelta::seconds(-3_600));
    let _ = engine.poll(at(6_401));
    assert_eq!(engine.firing_count(), 1);
}
