//! A clock that is set while alerting runs, and times that another clock left behind.
use std::time::Duration;

use bellwether_alerts::rules::Rule;
use bellwether_alerts::testing::Answer;
use bellwether_alerts::{
    Alert, ChannelName, Delivery, GroupKey, MemoryOutbox, Notification, Outbox, ReceiverName,
};
use bellwether_core::{
    Aggregate, Clock, Labels, SampleWindows, Selector, SeriesValue, Severity, Supervisor, TimeRange,
};
use chrono::TimeDelta;

use crate::block_on;
use crate::delivery::{Desk, START, config, retry, settle, span};

const HOUR: i64 = 3_600;

/// The instants, in half seconds, at which mail was tried, when the clock was set ahead after a second and a half.
fn attempts(step: i64, started: bool) -> Vec<usize> {
    block_on(async {
        let desk = Desk::new(config());
        let supervisor = Supervisor::new(&desk.clock.shared());
        desk.mail.answer(std::iter::repeat_n(retry(), 4));
        if started {
            desk.alerts.start(&supervisor).unwrap();
            settle().await;
        }
        desk.raise("A", Severity::Error);
        let mut moments = Vec::new();
        for half_seconds in 0..80 {
            if started {
                settle().await;
            } else {
                desk.alerts.run_due().await;
            }
            moments.resize(desk.mail.attempts().len(), half_seconds);
            desk.clock.advance(Duration::from_millis(500));
            if half_seconds == 2 {
                desk.clock.step_wall(TimeDelta::seconds(step));
            }
        }
        assert_eq!(desk.mail.titles().len(), 1);
        moments
    })
}

#[test]
fn a_clock_that_is_set_neither_holds_up_nor_hurries_nor_gives_up_what_is_tried_again() {
    for started in [false, true] {
        let untouched = attempts(0, started);
        assert_eq!(untouched, [0, 1, 3, 7, 15]);
        for step in [-HOUR, HOUR, 30 * 24 * HOUR, -30 * 24 * HOUR] {
            assert_eq!(attempts(step, started), untouched, "set by {step} s, in tasks: {started}");
        }
    }
}

#[test]
fn a_service_that_asked_to_wait_is_left_alone_though_the_clock_is_set() {
    block_on(async {
        let desk = Desk::new(config());
        let busy = bellwether_alerts::SendError::retry_after(Duration::from_secs(40), "busy");
        desk.mail.answer([Answer::Fail(busy)]);
        desk.raise("A", Severity::Error);
        desk.alerts.run_due().await;
        desk.clock.step_wall(TimeDelta::hours(1));
        desk.clock.advance(Duration::from_secs(39));
        desk.alerts.run_due().await;
        assert_eq!(desk.mail.attempts().len(), 1);
        desk.clock.step_wall(TimeDelta::hours(-2));
        desk.clock.advance(Duration::from_secs(1));
        desk.alerts.run_due().await;
        assert_eq!(desk.mail.titles().len(), 1);
    });
}

#[test]
fn what_another_clock_left_for_years_from_now_is_due_now() {
    block_on(async {
        let outbox = std::sync::Arc::new(MemoryOutbox::default());
        let years = START + TimeDelta::days(10_000);
        let mail = ChannelName::new("mail").unwrap();
        let put = async |group: &str, severity| {
            let alert = Alert::builder("A", years).label("group", group).severity(severity).build().unwrap();
            let (receiver, key) = (ReceiverName::new("all").unwrap(), GroupKey::from_text(group));
            let message = Notification::alerts(receiver, key, Labels::empty(), 7, years, vec![alert]);
            outbox.put(&[Delivery::new(mail.clone(), std::sync::Arc::new(message))], years).await.unwrap();
        };
        put("new", Severity::Info).await;
        put("tried", Severity::Critical).await;
        put("held", Severity::Error).await;
        let claims = outbox.claim(&mail, years, 2, Duration::from_secs(40)).await.unwrap();
        outbox.retry_at(&claims[0], years + TimeDelta::minutes(30), "away").await.unwrap();
        let desk = Desk::with(config(), |builder| builder.outbox(outbox));
        desk.run_until(60).await;
        assert_eq!(desk.mail.titles().len(), 3);
    });
}

/// Every metric has this value.
struct Always(f64);

impl SampleWindows for Always {
    fn aggregate(&self, _: &Selector, range: TimeRange, _: Aggregate, out: &mut Vec<SeriesValue>) {
        out.push(SeriesValue { labels: Labels::empty(), value: self.0, newest: range.end() });
    }
}

#[test]
fn a_clock_that_is_set_ahead_makes_no_rule_fire_early_and_ends_no_alert() {
    for step in [HOUR, -HOUR] {
        block_on(async {
            let mut config = config();
            config.resolve_timeout = Some(span("10m"));
            config.route.as_mut().unwrap().group_interval = Some(span("10m"));
            let rule = Rule::above("x", 1.0).for_("5m");
            let desk = Desk::with(config, |builder| builder.watch(Always(2.0)).rule(rule));
            let run = async |seconds: u64| {
                for _ in 0..seconds {
                    desk.alerts.run_due().await;
                    desk.clock.advance(Duration::from_secs(1));
                }
            };
            desk.raise("Kill", Severity::Critical);
            run(60).await;
            desk.clock.step_wall(TimeDelta::seconds(step));
            run(230).await;
            assert_eq!(desk.mail.titles(), ["[FIRING 1] critical Kill"], "set by {step} s");
            run(30).await;
            assert_eq!(desk.mail.titles()[1..], ["[FIRING 1] warning XAbove"], "set by {step} s");
            run(250).await;
            assert_eq!(desk.mail.titles().len(), 2, "set by {step} s");
            run(40).await;
            assert_eq!(desk.mail.titles()[2..], ["[RESOLVED 1] critical Kill"], "nobody raised it again");
        });
    }
}

#[test]
fn rules_are_judged_at_their_pace_though_the_clock_is_set_back() {
    block_on(async {
        let desk = Desk::with(config(), |builder| builder.watch(Always(0.0)).rule(Rule::above("x", 1.0)));
        for _ in 0..60 {
            desk.alerts.run_due().await;
            desk.clock.advance(Duration::from_secs(1));
            desk.clock.step_wall(TimeDelta::milliseconds(-900));
        }
        assert_eq!(desk.alerts.status().rules.evaluations, 4);
        assert!(desk.clock.now() < START + TimeDelta::seconds(10));
    });
}
