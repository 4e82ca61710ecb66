//! What a newer message of a group does to an older one that could not be delivered.
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bellwether_alerts::testing::Answer;
use bellwether_alerts::{Alert, AlertState, MemoryOutbox, Notification, ReceiverName, SendError};
use bellwether_core::{Clock, Severity, Supervisor};
use chrono::TimeDelta;
use proptest::prelude::*;

use crate::block_on;
use crate::delivery::{Desk, Flaky, START, config, retry, settle, span};

/// One group for each name, told at once, then every second.
fn grouped() -> bellwether_alerts::config::AlertsConfig {
    let mut config = config();
    let route = config.route.as_mut().unwrap();
    route.group_by = Some(vec!["alertname".to_owned()]);
    route.group_interval = Some(span("1s"));
    config.delivery.breaker.failures = 1_000;
    config
}

fn member(desk: &Desk, name: &str, symbol: &str, severity: Severity) -> Alert {
    Alert::builder(name, desk.clock.now()).label("symbol", symbol).severity(severity).build().unwrap()
}

fn raise(desk: &Desk, symbol: &str, severity: Severity) {
    desk.alerts.handle().raise(member(desk, "Feed", symbol, severity));
}

fn resolve(desk: &Desk, symbol: &str, severity: Severity) {
    let alert = member(desk, "Feed", symbol, severity);
    desk.alerts.handle().raise(alert.resolved(desk.clock.now()).unwrap());
}

/// Each listed alert as `+symbol` or `-symbol`, in the order of the message.
fn says(notification: &Notification) -> String {
    let word = |alert: &Alert| {
        let sign = if alert.is_firing() { '+' } else { '-' };
        format!("{sign}{}", alert.labels().get("symbol").unwrap_or_default())
    };
    notification.listed().map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_newer_message_of_a_group_does_not_wait_for_an_older_one_that_waits_to_be_tried_again() {
    block_on(async {
        let desk = Desk::new(grouped());
        desk.mail.answer(std::iter::repeat_n(retry(), 8));
        raise(&desk, "A", Severity::Info);
        desk.run_until(70).await;
        assert_eq!(desk.mail.attempts().len(), 8, "the next attempt is a minute away");
        raise(&desk, "B", Severity::Critical);
        desk.run_until(72).await;
        assert_eq!(desk.mail.received().iter().map(says).collect::<Vec<_>>(), ["+B +A"]);
        desk.run_until(300).await;
        assert_eq!(desk.mail.titles().len(), 1, "the older one is part of the newer and not sent again");
        let counts = desk.status("mail").counts;
        assert_eq!((counts.pending, counts.superseded), (0, 1));
    });
}

#[test]
fn an_end_takes_the_place_of_a_beginning_that_was_not_delivered() {
    block_on(async {
        let desk = Desk::new(grouped());
        desk.mail.answer(std::iter::repeat_n(retry(), 6));
        raise(&desk, "A", Severity::Error);
        desk.run_until(20).await;
        resolve(&desk, "A", Severity::Error);
        desk.run_until(300).await;
        let heard: Vec<_> = desk.mail.received().iter().map(says).collect();
        assert_eq!(heard, ["-A"], "it came and went; never that it fires after that it is over");
        assert_eq!(desk.pager.received().iter().map(says).collect::<Vec<_>>(), ["+A", "-A"]);
    });
}

#[test]
fn an_end_that_was_not_delivered_is_carried_over_into_the_newer_message() {
    block_on(async {
        let desk = Desk::new(grouped());
        raise(&desk, "A", Severity::Error);
        raise(&desk, "B", Severity::Error);
        desk.run_until(5).await;
        desk.mail.answer(std::iter::repeat_n(retry(), 9));
        resolve(&desk, "A", Severity::Error);
        desk.run_until(15).await;
        raise(&desk, "C", Severity::Warning);
        desk.run_until(20).await;
        raise(&desk, "D", Severity::Info);
        desk.run_until(600).await;
        let heard: Vec<_> = desk.mail.received().iter().map(says).collect();
        assert_eq!(heard, ["+A +B", "+B +C +D -A"]);
    });
}

#[test]
fn what_is_being_sent_gives_way_once_it_has_failed() {
    block_on(async {
        let desk = Desk::new(grouped());
        let supervisor = Supervisor::new(&desk.clock.shared());
        desk.alerts.start(&supervisor).unwrap();
        settle().await;
        desk.mail.answer(std::iter::repeat_n(retry(), 8).chain([Answer::Hang]));
        raise(&desk, "A", Severity::Info);
        desk.clock.advance_through(Duration::from_secs(130)).await;
        assert_eq!(desk.mail.attempts().len(), 9, "the ninth is under way");
        raise(&desk, "B", Severity::Critical);
        desk.clock.advance_through(Duration::from_secs(9)).await;
        assert_eq!(desk.mail.received().iter().map(says).collect::<Vec<_>>(), ["+B +A"]);
        assert!(supervisor.shutdown(Duration::from_secs(10)).await.is_clean());
    });
}

#[test]
fn what_the_store_still_holds_is_not_sent_after_something_newer_from_memory() {
    block_on(async {
        let (outbox, away) = Flaky::new(MemoryOutbox::default());
        let desk = Desk::with(grouped(), |builder| builder.outbox(outbox));
        raise(&desk, "A", Severity::Error);
        raise(&desk, "B", Severity::Error);
        desk.run_until(5).await;
        // An end that mail could not be told is in the store when that goes away.
        desk.mail.answer(std::iter::repeat_n(retry(), 4));
        resolve(&desk, "B", Severity::Error);
        desk.run_until(10).await;
        away.store(true, Ordering::Relaxed);
        resolve(&desk, "A", Severity::Error);
        desk.run_until(12).await;
        assert_eq!(desk.mail.received().iter().map(says).collect::<Vec<_>>(), ["+A +B", "-A"]);
        away.store(false, Ordering::Relaxed);
        desk.run_until(300).await;
        let heard: Vec<_> = desk.mail.received().iter().map(says).collect();
        assert_eq!(heard, ["+A +B", "-A", "-B"], "of the older only what nobody has heard, and no beginning");
        assert_eq!(desk.status("mail").counts.pending, 0);
    });
}

#[test]
fn a_new_alert_is_not_given_up_with_the_age_or_the_attempts_of_one_before_it() {
    for by_age in [true, false] {
        block_on(async {
            let mut config = grouped();
            let (joined, failures) = if by_age {
                config.delivery.give_up_after = span("10m");
                (590, 22)
            } else {
                config.delivery.max_attempts = Some(5);
                (5, 6)
            };
            let desk = Desk::new(config);
            desk.mail.answer(std::iter::repeat_n(retry(), failures));
            raise(&desk, "W", Severity::Warning);
            desk.run_until(joined).await;
            raise(&desk, "C", Severity::Critical);
            desk.run_until(700).await;
            assert_eq!(desk.mail.attempts().len(), failures + 1);
            let counts = desk.status("mail").counts;
            assert_eq!((counts.dead_letters, counts.pending), (0, 0), "by age: {by_age}");
            assert_eq!(desk.mail.received().iter().map(says).collect::<Vec<_>>(), ["+C +W"]);
        });
    }
}

#[test]
fn an_alert_that_ended_and_fires_again_is_not_given_up_with_its_earlier_age() {
    block_on(async {
        let mut config = grouped();
        config.delivery.max_attempts = Some(6);
        let route = config.route.as_mut().unwrap();
        (route.group_interval, route.repeat_interval) = (Some(span("10s")), Some(span("1s")));
        let desk = Desk::new(config);
        desk.mail.answer(std::iter::repeat_n(retry(), 7));
        raise(&desk, "A", Severity::Error);
        desk.run_until(5).await;
        // Between two messages of its group: none says that it is over.
        resolve(&desk, "A", Severity::Error);
        desk.run_until(7).await;
        raise(&desk, "A", Severity::Error);
        desk.run_until(9).await;
        assert_eq!(desk.mail.attempts().len(), 5, "one is left");
        desk.run_until(15).await;
        assert_eq!(desk.mail.received().iter().map(says).collect::<Vec<_>>(), ["+A"]);
        assert_eq!(desk.status("mail").counts.dead_letters, 0);
    });
}

#[test]
fn what_an_earlier_run_says_to_fire_and_nobody_has_said_since_is_told_late() {
    block_on(async {
        let (outbox, away) = Flaky::new(MemoryOutbox::default());
        let first = Desk::with(grouped(), |builder| builder.outbox(outbox.clone()));
        first.mail.answer(std::iter::repeat_n(retry(), 3));
        raise(&first, "X", Severity::Critical);
        raise(&first, "Y", Severity::Error);
        first.run_until(1).await;
        assert_eq!(first.alerts.close(Duration::from_secs(1)).await.to_string(), "mail: 1 undelivered");
        let second = Desk::with(grouped(), |builder| builder.outbox(outbox));
        second.clock.advance(Duration::from_mins(1));
        away.store(true, Ordering::Relaxed);
        raise(&second, "Y", Severity::Error);
        second.run_until(62).await;
        let heard = || second.mail.received().iter().map(says).collect::<Vec<_>>();
        assert_eq!(heard(), ["+Y"]);
        away.store(false, Ordering::Relaxed);
        second.run_until(300).await;
        assert_eq!(heard(), ["+Y", "+X"], "what nobody has said, and only that");
        assert_eq!(second.status("mail").counts.pending, 0);
    });
}

#[test]
fn what_fired_before_a_newer_message_is_told_late_to_who_hears_of_no_ends() {
    block_on(async {
        let (outbox, away) = Flaky::new(MemoryOutbox::default());
        let mut config = grouped();
        config.receivers.values_mut().next().unwrap().send_resolved = false;
        let desk = Desk::with(config, |builder| builder.outbox(outbox));
        desk.mail.answer(std::iter::repeat_n(retry(), 4));
        raise(&desk, "X", Severity::Critical);
        desk.run_until(5).await;
        away.store(true, Ordering::Relaxed);
        resolve(&desk, "X", Severity::Critical);
        raise(&desk, "Y", Severity::Error);
        desk.run_until(7).await;
        away.store(false, Ordering::Relaxed);
        desk.run_until(300).await;
        assert_eq!(desk.mail.received().iter().map(says).collect::<Vec<_>>(), ["+Y", "+X"]);
    });
}

#[test]
fn what_any_message_has_said_since_is_not_said_by_an_older_one() {
    block_on(async {
        let (outbox, away) = Flaky::new(MemoryOutbox::default());
        let desk = Desk::with(grouped(), |builder| builder.outbox(outbox));
        desk.mail.answer(std::iter::repeat_n(retry(), 4));
        raise(&desk, "X", Severity::Error);
        desk.run_until(5).await;
        away.store(true, Ordering::Relaxed);
        resolve(&desk, "X", Severity::Error);
        desk.run_until(7).await;
        raise(&desk, "Z", Severity::Error);
        desk.run_until(9).await;
        let heard = || desk.mail.received().iter().map(says).collect::<Vec<_>>();
        assert_eq!(heard(), ["-X", "+Z"]);
        away.store(false, Ordering::Relaxed);
        desk.run_until(300).await;
        assert_eq!(heard(), ["-X", "+Z"], "not that X fires after that it is over");
        assert_eq!(desk.status("mail").counts.pending, 0);
    });
}

#[test]
fn digests_do_not_take_the_place_of_one_another() {
    block_on(async {
        let desk = Desk::new(grouped());
        desk.mail.answer(std::iter::repeat_n(retry(), 3));
        for day in ["Monday", "Tuesday"] {
            let receiver = ReceiverName::new("mail").unwrap();
            let digest = Notification::digest(receiver, "daily", day, "All is well.", desk.clock.now());
            desk.alerts.notify(digest).await.unwrap();
            desk.clock.advance(Duration::from_secs(1));
        }
        desk.run_until(60).await;
        assert_eq!(desk.mail.titles(), ["Monday", "Tuesday"]);
    });
}

#[derive(Debug, Clone)]
enum Op {
    Raise(u8),
    Resolve(u8),
    Wait(u16),
    /// The channel fails so many times.
    Fail(u8),
    /// Sent, but the answer is lost.
    Unknown,
    /// The store goes away or comes back.
    Store(bool),
    /// The clock is set.
    Step(i64),
}

fn any_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0_u8..6).prop_map(Op::Raise),
        4 => (0_u8..6).prop_map(Op::Resolve),
        4 => (0_u16..90).prop_map(Op::Wait),
        2 => (1_u8..3).prop_map(Op::Fail),
        1 => Just(Op::Unknown),
        1 => any::<bool>().prop_map(Op::Store),
        1 => (-7_200_i64..7_200).prop_map(Op::Step),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever fails meanwhile, in the end a receiver that believes what it hears last knows what fires, and was never told that
    /// something fires after a newer message.
    #[test]
    fn in_the_end_the_receiver_knows_what_fires(ops in prop::collection::vec(any_op(), 1..40)) {
        block_on(async {
            let (outbox, away) = Flaky::new(MemoryOutbox::default());
            let desk = Desk::with(grouped(), |builder| builder.outbox(outbox));
            let symbol = |number: u8| format!("S{number}");
            let mut ran = TimeDelta::zero();
            let mut run = async |seconds: i64| {
                ran += TimeDelta::seconds(seconds);
                let end = desk.clock.monotonic().saturating_add(Duration::from_secs(seconds.unsigned_abs()));
                loop {
                    let next = desk.alerts.run_due().await;
                    let left = end.saturating_since(desk.clock.monotonic());
                    if left.is_zero() { break }
                    let wait = next.map_or(left, |next| (next - desk.clock.now()).to_std().unwrap_or_default());
                    desk.clock.advance(wait.clamp(Duration::from_millis(1), left));
                }
            };
            for op in ops {
                match op {
                    Op::Raise(number) => raise(&desk, &symbol(number), Severity::ALL[usize::from(number % 4)]),
                    Op::Resolve(number) => resolve(&desk, &symbol(number), Severity::ALL[usize::from(number % 4)]),
                    Op::Wait(seconds) => run(i64::from(seconds)).await,
                    Op::Fail(times) => desk.mail.answer(std::iter::repeat_n(retry(), times.into())),
                    Op::Unknown => desk.mail.answer([Answer::TakeUnknown]),
                    Op::Store(there) => away.store(!there, Ordering::Relaxed),
                    Op::Step(seconds) => desk.clock.step_wall(TimeDelta::seconds(seconds)),
                }
                desk.alerts.run_due().await;
            }
            away.store(false, Ordering::Relaxed);
            run(5_400).await;
            let mut believed: BTreeMap<String, AlertState> = BTreeMap::new();
            let mut newest = 0;
            for message in desk.mail.received() {
                if !message.firing().is_empty() {
                    assert!(message.sequence() >= newest, "a beginning came after something newer");
                }
                newest = newest.max(message.sequence());
                for alert in message.listed() {
                    believed.insert(alert.labels().to_string(), alert.state());
                }
            }
            believed.retain(|_, state| *state == AlertState::Firing);
            let firing: Vec<_> = desk.alerts.firing().iter().map(|alert| alert.labels().to_string()).collect();
            let mut firing: Vec<_> = firing.into_iter().collect();
            firing.sort();
            let believed: Vec<_> = believed.into_keys().collect();
            assert_eq!(believed, firing);
            assert_eq!(desk.status("mail").counts.pending, 0);
            assert_eq!(desk.status("mail").counts.dead_letters, 0);
        });
    }
}

#[test]
fn a_service_that_asks_to_wait_is_left_alone_by_newer_messages_too() {
    block_on(async {
        let desk = Desk::new(grouped());
        desk.mail.answer([Answer::Fail(SendError::retry_after(Duration::from_secs(40), "busy"))]);
        raise(&desk, "A", Severity::Error);
        desk.run_until(5).await;
        raise(&desk, "B", Severity::Critical);
        desk.run_until(39).await;
        assert_eq!(desk.mail.attempts().len(), 1);
        desk.run_until(40).await;
        assert_eq!(desk.mail.received().iter().map(says).collect::<Vec<_>>(), ["+B +A"]);
        assert_eq!(desk.mail.received()[0].at(), START + TimeDelta::seconds(6));
    });
}
