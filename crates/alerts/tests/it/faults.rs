//! What must not be lost when something beside alerting fails, or ends.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bellwether_alerts::rules::Rule;
use bellwether_alerts::testing::Answer;
use bellwether_alerts::{
    Alert, AlertChange, AlertHistory, AlertQuery, AlertState, ChannelName, DeliveryOutcome,
    MemoryAlertHistory, MemoryOutbox, Notification, NotificationQuery, Receipt, RepositoryError, SendError,
    async_trait,
};
use bellwether_core::{
    Aggregate, Labels, Page, PageRequest, SampleWindows, Selector, SeriesValue, Severity, Supervisor,
    TimeRange,
};
use chrono::TimeDelta;

use crate::block_on;
use crate::delivery::{Desk, Flaky, START, config, retry, settle, span};

/// Any metric has this value, in one series for each of these labels.
struct Everywhere(f64, Vec<Labels>);

impl SampleWindows for Everywhere {
    fn aggregate(&self, _: &Selector, range: TimeRange, _: Aggregate, out: &mut Vec<SeriesValue>) {
        let series =
            |labels: &Labels| SeriesValue { labels: labels.clone(), value: self.0, newest: range.end() };
        out.extend(self.1.iter().map(series));
    }
}

#[test]
fn an_alert_of_a_rule_outlives_the_resolve_timeout_as_long_as_its_condition_holds() {
    block_on(async {
        let mut config = config();
        config.resolve_timeout = Some(span("1m"));
        let windows = Everywhere(2.0, vec![Labels::empty()]);
        let desk = Desk::with(config, |builder| builder.watch(windows).rule(Rule::above("x", 1.0)));
        desk.run_until(600).await;
        assert_eq!(desk.mail.titles(), ["[FIRING 1] warning XAbove"]);
        assert_eq!(desk.alerts.firing().len(), 1);
    });
}

#[test]
fn an_alert_that_two_series_share_is_over_with_the_last_of_them() {
    block_on(async {
        struct Leaving(Labels, Labels);
        impl SampleWindows for Leaving {
            fn aggregate(&self, _: &Selector, range: TimeRange, _: Aggregate, out: &mut Vec<SeriesValue>) {
                for (labels, gone) in [(&self.0, 60), (&self.1, 120)] {
                    let value = if range.end().as_seconds_f64() < f64::from(gone) { 2.0 } else { 0.0 };
                    out.push(SeriesValue { labels: labels.clone(), value, newest: range.end() });
                }
            }
        }
        let venue = |name| Labels::new([("venue", name)]).unwrap();
        let rule = Rule::above("x", 1.0).label("venue", "any");
        let desk = Desk::with(config(), |builder| builder.watch(Leaving(venue("a"), venue("b"))).rule(rule));
        desk.run_until(119).await;
        assert_eq!(desk.alerts.firing().len(), 1);
        desk.run_until(600).await;
        let titles = ["[FIRING 1] warning XAbove venue=any", "[RESOLVED 1] warning XAbove venue=any"];
        assert_eq!(desk.mail.titles(), titles);
    });
}

#[test]
fn what_waits_for_its_group_is_told_before_alerting_is_closed() {
    block_on(async {
        let mut config = config();
        config.route.as_mut().unwrap().group_wait = Some(span("30s"));
        let desk = Desk::new(config.clone());
        desk.raise("A", Severity::Critical);
        assert!(desk.alerts.close(Duration::from_secs(5)).await.is_clean());
        assert_eq!(desk.mail.titles(), ["[FIRING 1] critical A"]);

        let desk = Desk::new(config);
        let supervisor = Supervisor::new(&desk.clock.shared());
        desk.alerts.start(&supervisor).unwrap();
        settle().await;
        desk.raise("A", Severity::Critical);
        settle().await;
        assert!(supervisor.shutdown(Duration::from_secs(10)).await.is_clean());
        assert!(desk.alerts.close(Duration::from_secs(5)).await.is_clean());
        assert_eq!(desk.mail.titles(), ["[FIRING 1] critical A"]);
    });
}

#[test]
fn a_channel_that_is_switched_on_again_gets_what_waits_for_it() {
    block_on(async {
        let desk = Desk::new(config());
        desk.mail.answer([retry()]);
        desk.raise("A", Severity::Error);
        desk.alerts.run_due().await;
        desk.mail.set_enabled(false);
        desk.run_until(60).await;
        assert_eq!(desk.mail.attempts().len(), 1);
        desk.mail.set_enabled(true);
        desk.run_until(120).await;
        assert_eq!(desk.mail.titles(), ["[FIRING 1] error A"]);
    });
}

#[test]
fn a_delivery_is_logged_with_its_receipt_though_the_outbox_could_not_be_told() {
    block_on(async {
        struct Cutter(ChannelName, Arc<AtomicBool>);
        #[async_trait]
        impl bellwether_alerts::AlertChannel for Cutter {
            fn name(&self) -> &ChannelName {
                &self.0
            }
            async fn send(&self, _: &Notification) -> Result<Receipt, SendError> {
                self.1.store(true, Ordering::Relaxed);
                Ok(Receipt::with_id("m1"))
            }
        }
        let name = ChannelName::new("cut").unwrap();
        let (outbox, away) = Flaky::new(MemoryOutbox::default());
        let mut config = config();
        config.receivers.values_mut().next().unwrap().channels = vec![name.clone()];
        let cutter = Cutter(name, away.clone());
        let desk = Desk::with(config, |builder| builder.outbox(outbox).channel(cutter));
        desk.raise("A", Severity::Error);
        desk.run_until(1).await;
        away.store(false, Ordering::Relaxed);
        desk.run_until(120).await;
        let log =
            desk.alerts.log().read(&NotificationQuery::default(), &PageRequest::default()).await.unwrap();
        let outcomes: Vec<_> = log.items.iter().map(|record| record.outcome.clone()).collect();
        assert_eq!(outcomes, [DeliveryOutcome::Delivered { receipt: Receipt::with_id("m1") }]);
    });
}

/// A history that never answers while it is told to.
struct Stuck(MemoryAlertHistory, AtomicBool);

#[async_trait]
impl AlertHistory for Stuck {
    async fn append(&self, changes: &[AlertChange]) -> Result<(), RepositoryError> {
        if self.1.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        self.0.append(changes).await
    }
    async fn read(
        &self,
        query: &AlertQuery,
        page: &PageRequest,
    ) -> Result<Page<AlertChange>, RepositoryError> {
        self.0.read(query, page).await
    }
}

#[test]
fn a_history_that_hangs_holds_up_no_alert_and_misses_none() {
    block_on(async {
        let history = Arc::new(Stuck(MemoryAlertHistory::default(), AtomicBool::new(true)));
        let stuck = history.clone();
        let desk = Desk::with(config(), |builder| builder.history(history));
        let supervisor = Supervisor::new(&desk.clock.shared());
        desk.alerts.start(&supervisor).unwrap();
        settle().await;
        desk.raise("A", Severity::Critical);
        settle().await;
        desk.raise("B", Severity::Critical);
        for _ in 0..30 {
            desk.clock.advance(Duration::from_secs(1));
            settle().await;
        }
        assert_eq!(desk.mail.titles().len(), 2);
        assert!(desk.alerts.status().history_errors > 0);
        stuck.1.store(false, Ordering::Relaxed);
        desk.raise("C", Severity::Critical);
        settle().await;
        let read = desk.alerts.history().read(&AlertQuery::default(), &PageRequest::default()).await.unwrap();
        let names: Vec<_> = read.items.iter().map(|change| change.alert.name().to_owned()).collect();
        assert_eq!(names, ["C", "B", "A"]);
        assert!(supervisor.shutdown(Duration::from_secs(10)).await.is_clean());
    });
}

#[test]
fn an_outbox_that_hangs_is_passed_by() {
    block_on(async {
        let (outbox, away) = Flaky::new(MemoryOutbox::default());
        outbox.hang();
        away.store(true, Ordering::Relaxed);
        let desk = Desk::with(config(), |builder| builder.outbox(outbox));
        let supervisor = Supervisor::new(&desk.clock.shared());
        desk.alerts.start(&supervisor).unwrap();
        settle().await;
        desk.raise("A", Severity::Critical);
        for _ in 0..30 {
            desk.clock.advance(Duration::from_secs(1));
            settle().await;
        }
        assert_eq!((desk.mail.titles().len(), desk.pager.titles().len()), (1, 1));
        assert_eq!(desk.alerts.status().spilled, 2);
        away.store(false, Ordering::Relaxed);
        let moving = async {
            for _ in 0..10 {
                settle().await;
                desk.clock.advance(Duration::from_secs(1));
            }
        };
        let (report, ()) = tokio::join!(supervisor.shutdown(Duration::from_mins(1)), moving);
        assert!(report.is_clean(), "{report:?}");
    });
}

#[test]
fn changes_are_not_lost_with_a_round_that_is_dropped() {
    block_on(async {
        let (outbox, away) = Flaky::new(MemoryOutbox::default());
        outbox.hang();
        away.store(true, Ordering::Relaxed);
        let desk = Desk::with(config(), |builder| builder.outbox(outbox));
        desk.raise("A", Severity::Critical);
        let clock = desk.clock.shared();
        let dropped = clock.timeout(Duration::from_secs(1), desk.alerts.run_due());
        let moving = async {
            settle().await;
            desk.clock.advance(Duration::from_secs(1));
        };
        assert!(tokio::join!(dropped, moving).0.is_err());
        away.store(false, Ordering::Relaxed);
        desk.run_until(600).await;
        let read = desk.alerts.history().read(&AlertQuery::default(), &PageRequest::default()).await.unwrap();
        assert_eq!(read.items.iter().map(|it| it.state).collect::<Vec<_>>(), [AlertState::Firing]);
        assert_eq!(desk.mail.titles(), ["[FIRING 1] critical A"]);
    });
}

#[test]
fn an_alert_that_is_raised_over_and_over_drives_no_other_out() {
    block_on(async {
        let desk = Desk::new(config());
        let handle = desk.alerts.handle();
        let prepare = |name: &str| {
            let alert = Alert::builder(name, START).severity(Severity::Critical).build().unwrap();
            handle.prepare(&alert).unwrap()
        };
        let (kill, loud, calm) = (prepare("Kill"), prepare("Loud"), prepare("Calm"));
        calm.raise_plain();
        desk.alerts.run_due().await;
        kill.raise_plain();
        calm.resolve();
        for i in 0..5_000 {
            desk.clock.advance(Duration::from_millis(1));
            loud.raise(f64::from(i));
        }
        desk.alerts.run_due().await;
        let firing = desk.alerts.firing();
        let names: Vec<_> = firing.iter().map(Alert::name).collect();
        assert_eq!(names, ["Kill", "Loud"], "and Calm is over");
        assert_eq!(firing[1].value(), Some(4_999.0), "the newest value");
        assert_eq!(firing[1].starts_at(), START + TimeDelta::milliseconds(1), "the first time");
        assert_eq!(desk.alerts.status().overflowed.values().sum::<u64>(), 0);
        for _ in 0..5_000 {
            loud.resolve();
        }
        loud.raise(1.0);
        loud.resolve();
        loud.raise(2.0);
        desk.alerts.run_due().await;
        assert_eq!(desk.alerts.firing().len(), 2, "the last word counts");
    });
}

#[test]
fn what_memory_had_no_room_for_is_counted() {
    block_on(async {
        let mut config = config();
        config.max_pending = 2;
        let desk = Desk::with(config, |builder| builder);
        desk.mail.answer(std::iter::repeat_n(Answer::Fail(SendError::retry("away")), 5));
        for name in ["A", "B", "C"] {
            desk.raise(name, Severity::Error);
        }
        desk.alerts.run_due().await;
        assert!(desk.alerts.status().overflowed_deliveries > 0);
    });
}

#[test]
fn a_channel_that_panics_when_it_is_asked_whether_it_takes_part_takes_part() {
    block_on(async {
        struct Torn(bellwether_alerts::testing::RecordingChannel);
        #[async_trait]
        impl bellwether_alerts::AlertChannel for Torn {
            fn name(&self) -> &ChannelName {
                self.0.name()
            }
            fn enabled(&self) -> bool {
                panic!("no switch")
            }
            async fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
                self.0.send(notification).await
            }
        }
        let name = ChannelName::new("torn").unwrap();
        let torn = bellwether_alerts::testing::RecordingChannel::new(name.clone());
        let mut config = config();
        config.receivers.values_mut().next().unwrap().channels.insert(0, name);
        let desk = Desk::with(config, |builder| builder.channel(Torn(torn.clone())));
        let state = desk.status("torn").state.to_string();
        assert_eq!(state, "degraded: the channel panicked in `enabled`: no switch");
        desk.raise("A", Severity::Critical);
        desk.run_until(1).await;
        assert_eq!((torn.titles().len(), desk.mail.titles().len()), (1, 1));
        assert!(desk.status("torn").counts.panics > 0);
        assert!(desk.alerts.close(Duration::from_secs(1)).await.is_clean());
    });
}

#[test]
fn a_store_that_panics_is_passed_by() {
    block_on(async {
        let (outbox, away) = Flaky::new(MemoryOutbox::default());
        outbox.panic();
        let (history, history_away) = Flaky::new(MemoryAlertHistory::default());
        history.panic();
        away.store(true, Ordering::Relaxed);
        history_away.store(true, Ordering::Relaxed);
        let desk = Desk::with(config(), |builder| builder.outbox(outbox).history(history));
        desk.raise("A", Severity::Critical);
        desk.run_until(5).await;
        assert_eq!((desk.mail.titles().len(), desk.pager.titles().len()), (1, 1));
        let status = desk.alerts.status();
        assert!(status.outbox_errors > 0 && status.history_errors > 0);
        assert_eq!(status.spilled, 2);
    });
}

#[test]
fn a_storm_does_not_wait_for_a_store_that_hangs_with_each_message() {
    block_on(async {
        let (outbox, away) = Flaky::new(MemoryOutbox::default());
        outbox.hang();
        away.store(true, Ordering::Relaxed);
        let desk = Desk::with(config(), |builder| builder.outbox(outbox));
        let supervisor = Supervisor::new(&desk.clock.shared());
        desk.alerts.start(&supervisor).unwrap();
        settle().await;
        for i in 0..200 {
            desk.raise(&format!("A{i}"), Severity::Error);
        }
        desk.clock.advance_through(Duration::from_secs(6)).await;
        desk.raise("Last", Severity::Critical);
        desk.clock.advance_through(Duration::from_secs(1)).await;
        assert!(
            desk.mail.titles().iter().any(|title| title.ends_with("Last")),
            "{}",
            desk.mail.titles().len()
        );
        assert_eq!(desk.alerts.status().spilled, 402);
        // Sixty in a minute, of which a dozen are for what is critical: not one in a second.
        assert_eq!(desk.mail.titles().len(), 49);
    });
}

#[test]
fn two_digests_of_one_instant_are_two_and_the_same_one_twice_is_one() {
    block_on(async {
        let desk = Desk::new(config());
        let digest = |title: &str, body: &str| {
            let receiver = bellwether_alerts::ReceiverName::new("mail").unwrap();
            Notification::digest(receiver, "daily", title, body, START)
        };
        for message in
            [digest("Equities", ""), digest("Futures", ""), digest("Futures", "up"), digest("Equities", "")]
        {
            desk.alerts.notify(message).await.unwrap();
        }
        desk.run_until(1).await;
        assert_eq!(desk.mail.titles(), ["Equities", "Futures", "Futures"]);
        assert_ne!(digest("ab", "c").key(), digest("a", "bc").key());
    });
}

#[test]
fn one_message_that_a_service_never_takes_does_not_stop_all_others() {
    block_on(async {
        struct Picky(bellwether_alerts::testing::RecordingChannel);
        #[async_trait]
        impl bellwether_alerts::AlertChannel for Picky {
            fn name(&self) -> &ChannelName {
                self.0.name()
            }
            async fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
                if notification.title().contains("Poison") {
                    return Err(SendError::retry("internal error"));
                }
                self.0.send(notification).await
            }
        }
        let name = ChannelName::new("picky").unwrap();
        let picky = bellwether_alerts::testing::RecordingChannel::new(name.clone());
        let mut config = config();
        config.receivers.values_mut().next().unwrap().channels = vec![name];
        let desk = Desk::with(config, |builder| builder.channel(Picky(picky.clone())));
        desk.raise("Poison", Severity::Critical);
        desk.run_until(30).await;
        assert_eq!(desk.status("picky").state.as_str(), "open_circuit");
        for i in 0..5 {
            desk.raise(&format!("A{i}"), Severity::Info);
        }
        desk.run_until(300).await;
        assert_eq!(picky.titles().len(), 5, "{}", desk.status("picky").state);
        desk.run_until(3_600).await;
        desk.raise("Late", Severity::Info);
        desk.run_until(4_000).await;
        assert_eq!(picky.titles().len(), 6);
        assert_eq!(desk.status("picky").counts.pending, 1, "it is tried until its time is over");
    });
}

#[test]
fn a_claim_that_cannot_be_given_back_does_not_hold_up_another() {
    block_on(async {
        let (outbox, _away) = Flaky::new(MemoryOutbox::default());
        let desk = Desk::with(config(), |builder| builder.outbox(outbox.clone()));
        desk.mail.answer(std::iter::repeat_n(retry(), 5));
        desk.raise("Poison", Severity::Critical);
        desk.run_until(10).await;
        assert_eq!(desk.status("mail").state.as_str(), "open_circuit");
        desk.raise("Other", Severity::Info);
        desk.run_until(35).await;
        outbox.keep(true);
        // The circuit opened at 7.5 s, for 30 s.
        desk.run_until(38).await;
        assert_eq!(desk.mail.titles(), ["[FIRING 1] info Other"]);
        outbox.keep(false);
        desk.run_until(120).await;
        assert_eq!(desk.mail.titles(), ["[FIRING 1] info Other", "[FIRING 1] critical Poison"]);
    });
}
