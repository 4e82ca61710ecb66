//! From raise to channel: retries, limits, circuits, faults, shutdown; on a manual clock.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bellwether_alerts::config::{
    AlertsConfig, BreakerConfig, DeliveryConfig, RateConfig, ReceiverConfig, RouteConfig,
};
use bellwether_alerts::testing::{Answer, RecordingChannel};
use bellwether_alerts::{
    Alert, AlertChange, AlertHistory, AlertQuery, AlertState, Alerts, AlertsBuilder, ChannelName,
    ChannelState, ChannelStatus, Claim, DeadLetter, Delivery, DeliveryOutcome, MemoryAlertHistory,
    MemoryOutbox, Notification, NotificationQuery, NotifyError, Outbox, Receipt, ReceiverName,
    RepositoryError, SendError, async_trait,
};
use bellwether_core::resilience::Jitter;
use bellwether_core::{Clock, HumanDuration, ManualClock, Page, PageRequest, Severity, Supervisor};
use chrono::{DateTime, TimeDelta, Utc};

use crate::block_on;

pub(crate) const START: DateTime<Utc> = DateTime::UNIX_EPOCH;

pub(crate) fn span(text: &str) -> HumanDuration {
    text.parse().unwrap()
}

fn channel(name: &'static str) -> RecordingChannel {
    RecordingChannel::new(ChannelName::new(name).unwrap())
}

/// Every alert is told at once, and each by itself.
pub(crate) fn config() -> AlertsConfig {
    let mut route = RouteConfig::to(ReceiverName::new("all").unwrap());
    route.group_wait = Some(span("0s"));
    route.group_by = Some(vec!["...".to_owned()]);
    let channels = vec![ChannelName::new("mail").unwrap(), ChannelName::new("pager").unwrap()];
    let receivers = [(ReceiverName::new("all").unwrap(), ReceiverConfig { channels, send_resolved: true })];
    let delivery = DeliveryConfig { jitter: 0.0, ..DeliveryConfig::default() };
    AlertsConfig { route: Some(route), receivers: receivers.into(), delivery, ..AlertsConfig::default() }
}

pub(crate) struct Desk {
    pub(crate) clock: ManualClock,
    pub(crate) mail: RecordingChannel,
    pub(crate) pager: RecordingChannel,
    pub(crate) alerts: Alerts,
}

impl Desk {
    pub(crate) fn new(config: AlertsConfig) -> Self {
        Self::with(config, |builder| builder)
    }

    pub(crate) fn with(config: AlertsConfig, change: impl FnOnce(AlertsBuilder) -> AlertsBuilder) -> Self {
        let clock = ManualClock::starting_at(START);
        let (mail, pager) = (channel("mail"), channel("pager"));
        let builder = Alerts::builder(&clock.shared(), config).jitter(Jitter::seeded(1));
        let builder = change(builder.channel(mail.clone()).channel(pager.clone()));
        Self { alerts: builder.build().unwrap(), clock, mail, pager }
    }

    pub(crate) fn raise(&self, name: &str, severity: Severity) {
        let alert = Alert::builder(name, self.clock.now()).severity(severity).build().unwrap();
        self.alerts.handle().raise(alert);
    }

    /// Runs until `seconds` after the start, stopping wherever there is something to do.
    pub(crate) async fn run_until(&self, seconds: i64) {
        let end = START + TimeDelta::seconds(seconds);
        loop {
            let next = self.alerts.run_due().await;
            if self.clock.now() >= end {
                return;
            }
            self.clock.advance_to(next.unwrap_or(end).min(end));
        }
    }

    pub(crate) fn status(&self, name: &str) -> ChannelStatus {
        self.alerts.channels().into_iter().find(|status| status.name == *name).unwrap()
    }

    fn state(&self, name: &str) -> String {
        self.status(name).state.to_string()
    }

    async fn dead(&self) -> Vec<String> {
        let dead = self.alerts.dead_letters(&PageRequest::default()).await.unwrap().items;
        dead.iter().map(|letter| format!("{} {}", letter.delivery.channel(), letter.reason)).collect()
    }
}

pub(crate) fn retry() -> Answer {
    Answer::Fail(SendError::retry("connection reset"))
}

#[test]
fn an_alert_reaches_every_channel_once_and_its_end_as_well() {
    block_on(async {
        let desk = Desk::new(config());
        desk.raise("A", Severity::Error);
        desk.run_until(1).await;
        let over = Alert::builder("A", START).severity(Severity::Error).resolved_at(desk.clock.now());
        desk.alerts.handle().raise(over.build().unwrap());
        desk.run_until(3_600).await;
        let titles = ["[FIRING 1] error A", "[RESOLVED 1] error A"];
        assert_eq!(
            (desk.mail.titles(), desk.pager.titles()),
            (titles.map(String::from).into(), titles.map(String::from).into())
        );
        let history =
            desk.alerts.history().read(&AlertQuery::default(), &PageRequest::default()).await.unwrap();
        let states: Vec<_> = history.items.iter().map(|change| change.state).collect();
        assert_eq!(states, [AlertState::Resolved, AlertState::Firing]);
        let log =
            desk.alerts.log().read(&NotificationQuery::default(), &PageRequest::default()).await.unwrap();
        assert_eq!(log.items.len(), 4);
        assert!(
            log.items
                .iter()
                .all(|it| matches!(it.outcome, DeliveryOutcome::Delivered { .. }) && it.attempts == 1)
        );
        assert!(desk.alerts.status().complaints().is_empty());
    });
}

#[test]
fn failures_are_retried_with_growing_waits_and_the_same_key() {
    block_on(async {
        let desk = Desk::new(config());
        desk.mail.answer([retry(), Answer::TakeUnknown, retry()]);
        desk.raise("A", Severity::Error);
        let mut moments = Vec::new();
        for half_seconds in 0..20 {
            desk.alerts.run_due().await;
            let made = desk.mail.attempts().len();
            moments.resize(made, half_seconds);
            desk.clock.advance(Duration::from_millis(500));
        }
        assert_eq!(moments, [0, 1, 3, 7], "after 0.5 s, then 1 s, then 2 s");
        let keys: Vec<_> = desk.mail.attempts().iter().map(Notification::key).collect();
        assert!(keys.iter().all(|key| *key == keys[0]));
        let counts = desk.status("mail").counts;
        assert_eq!((counts.attempts, counts.delivered, counts.retries, counts.pending), (4, 1, 3, 0));
        assert_eq!(desk.pager.attempts().len(), 1, "the other channel has its own pace");
    });
}

#[test]
fn a_service_that_asks_to_wait_is_left_alone_until_then() {
    block_on(async {
        let desk = Desk::new(config());
        let busy = SendError::retry_after(Duration::from_secs(40), "busy");
        desk.mail.answer([
            Answer::Fail(busy),
            Answer::Fail(SendError::rate_limited(Some(Duration::from_secs(90)))),
        ]);
        desk.raise("A", Severity::Error);
        desk.run_until(39).await;
        assert_eq!(desk.mail.attempts().len(), 1);
        desk.run_until(40).await;
        assert_eq!(desk.mail.attempts().len(), 2);
        // Nothing else goes out either while the service asks to wait.
        desk.raise("B", Severity::Critical);
        desk.run_until(129).await;
        assert_eq!(desk.mail.attempts().len(), 2);
        desk.run_until(130).await;
        assert_eq!(desk.mail.titles(), ["[FIRING 1] critical B", "[FIRING 1] error A"]);
        assert_eq!(desk.state("mail"), "ready");
    });
}

#[test]
fn a_permanent_error_is_a_dead_letter_at_once() {
    block_on(async {
        let desk = Desk::new(config());
        desk.mail.answer([Answer::Fail(SendError::permanent("no such user"))]);
        desk.raise("A", Severity::Error);
        desk.run_until(600).await;
        assert_eq!(desk.mail.attempts().len(), 1);
        assert_eq!(desk.dead().await, ["mail refused for good: no such user"]);
        let log =
            desk.alerts.log().read(&NotificationQuery::default(), &PageRequest::default()).await.unwrap();
        assert!(log.items.iter().any(|it| it.outcome.as_str() == "dead" && it.channel == "mail"));
    });
}

#[test]
fn it_is_enough_after_the_last_attempt() {
    block_on(async {
        let mut config = config();
        config.delivery.max_attempts = Some(3);
        let desk = Desk::new(config);
        desk.mail.answer([retry(), retry(), retry()]);
        desk.raise("A", Severity::Error);
        desk.run_until(60).await;
        assert_eq!(desk.mail.attempts().len(), 3);
        let reason = "mail gave up after 3 attempts; the last time: did not arrive, will be tried again: connection reset";
        assert_eq!(desk.dead().await, [reason]);
        assert_eq!(desk.status("mail").counts.dead_letters, 1);
    });
}

#[test]
fn a_channel_that_panics_loses_nothing() {
    block_on(async {
        let desk = Desk::new(config());
        let supervisor = Supervisor::new(&desk.clock.shared());
        desk.alerts.start(&supervisor).unwrap();
        settle().await;
        desk.mail.answer([Answer::Panic, Answer::Panic]);
        desk.raise("A", Severity::Error);
        settle().await;
        let ill = "channel mail: degraded: may have arrived or not: the channel panicked: asked to panic";
        assert_eq!(desk.alerts.status().complaints(), [ill]);
        let counts = desk.status("mail").counts;
        assert_eq!(
            (counts.panics, counts.retries, counts.pending),
            (1, 1, 1),
            "counted, and still in the outbox"
        );
        assert_eq!(desk.pager.titles().len(), 1, "the other channel does not notice");
        desk.clock.advance_through(Duration::from_millis(1_499)).await;
        assert_eq!(
            (desk.mail.attempts().len(), desk.status("mail").counts.panics),
            (2, 2),
            "after half a second"
        );
        desk.clock.advance_through(Duration::from_millis(1)).await;
        assert_eq!(desk.mail.titles(), ["[FIRING 1] error A"], "and after another whole one");
        assert_eq!(desk.alerts.status().complaints(), [""; 0]);
        let keys: Vec<_> = desk.mail.attempts().iter().map(Notification::key).collect();
        assert!(keys.iter().all(|key| *key == keys[0]));
        assert!(supervisor.shutdown(Duration::from_secs(10)).await.is_clean(), "every task still runs");
    });
}

#[test]
fn a_channel_that_keeps_failing_is_left_alone_and_tried_with_one_message() {
    block_on(async {
        let mut config = config();
        config.delivery.breaker =
            BreakerConfig { failures: 2, open_for: span("1m"), open_at_most: span("10m") };
        let desk = Desk::new(config);
        desk.mail.answer([retry(), retry(), retry()]);
        for name in ["A", "B", "C"] {
            desk.raise(name, Severity::Error);
        }
        desk.run_until(0).await;
        assert_eq!(desk.mail.attempts().len(), 2);
        let open = "open circuit until 1970-01-01 00:01:00 UTC: did not arrive, will be tried again: connection reset";
        assert_eq!(desk.state("mail"), open);
        assert_eq!(desk.alerts.status().complaints(), [format!("channel mail: {open}")]);
        desk.run_until(59).await;
        assert_eq!(desk.mail.attempts().len(), 2);
        desk.run_until(60).await;
        assert_eq!(desk.mail.attempts().len(), 3, "one probe, which fails: open for twice as long");
        desk.run_until(179).await;
        assert_eq!(desk.mail.attempts().len(), 3);
        desk.run_until(180).await;
        assert_eq!(desk.mail.titles().len(), 3);
        assert_eq!(desk.status("mail").state, ChannelState::Ready);
    });
}

#[test]
fn what_is_critical_has_a_share_of_the_rate_to_itself() {
    block_on(async {
        let mut config = config();
        config.delivery.rate = RateConfig { permits: 3, per: span("1m"), reserved_for_critical: 1 };
        let desk = Desk::new(config);
        for name in ["i1", "i2", "i3", "i4"] {
            desk.raise(name, Severity::Info);
        }
        desk.run_until(1).await;
        assert_eq!(desk.mail.titles().len(), 2);
        desk.raise("c1", Severity::Critical);
        desk.raise("c2", Severity::Critical);
        desk.run_until(2).await;
        assert_eq!(desk.mail.titles().last().unwrap(), "[FIRING 1] critical c1");
        assert_eq!(desk.mail.titles().len(), 3);
        desk.run_until(60).await;
        assert_eq!(desk.mail.titles()[3], "[FIRING 1] critical c2");
        desk.run_until(200).await;
        assert_eq!(desk.mail.titles().len(), 6);
        assert!(desk.status("mail").counts.held_back > 0);
    });
}

#[test]
fn a_disabled_channel_is_skipped_counted_and_logged() {
    block_on(async {
        let desk = Desk::new(config());
        desk.mail.set_enabled(false);
        desk.raise("A", Severity::Error);
        desk.run_until(1).await;
        assert_eq!((desk.mail.attempts().len(), desk.pager.titles().len()), (0, 1));
        assert_eq!((desk.status("mail").counts.skipped, desk.state("mail")), (1, "disabled".to_owned()));
        let query =
            NotificationQuery { channel: Some(ChannelName::new("mail").unwrap()), ..Default::default() };
        let log = desk.alerts.log().read(&query, &PageRequest::default()).await.unwrap();
        assert_eq!(log.items[0].outcome, DeliveryOutcome::Skipped);
        assert!(desk.alerts.status().complaints().is_empty(), "switched off is not ill");
    });
}

#[test]
fn a_channel_that_cannot_start_is_told_and_the_others_run() {
    block_on(async {
        let mut config = config();
        config.receivers.values_mut().next().unwrap().channels.push(ChannelName::new("chat").unwrap());
        let failed: Result<RecordingChannel, &str> = Err("token is missing");
        let desk = Desk::with(config, |builder| {
            builder.channel_or_reason(ChannelName::new("chat").unwrap(), failed)
        });
        desk.raise("A", Severity::Error);
        desk.run_until(1).await;
        assert_eq!(desk.mail.titles().len(), 1);
        assert_eq!(desk.state("chat"), "failed to start: token is missing");
        assert_eq!(desk.dead().await, ["chat the channel could not be started: token is missing"]);
    });
}

#[test]
fn a_message_of_the_hosts_own_is_delivered_like_any_other() {
    block_on(async {
        let desk = Desk::new(config());
        let digest = |receiver: &'static str| {
            Notification::digest(
                ReceiverName::new(receiver).unwrap(),
                "daily",
                "The day",
                "All is well.",
                desk.clock.now(),
            )
        };
        desk.alerts.notify(digest("all")).await.unwrap();
        desk.alerts.notify(digest("pager")).await.unwrap();
        desk.run_until(1).await;
        assert_eq!((desk.mail.titles().len(), desk.pager.titles().len()), (1, 2));
        let unknown = desk.alerts.notify(digest("nobody")).await.unwrap_err();
        assert!(matches!(&unknown, NotifyError::UnknownReceiver { .. }), "{unknown}");
    });
}

#[test]
fn what_an_earlier_run_left_is_delivered_by_the_next() {
    block_on(async {
        let outbox = Arc::new(MemoryOutbox::default());
        let first = Desk::with(config(), |builder| builder.outbox(outbox.clone()));
        first.mail.answer(std::iter::repeat_n(retry(), 3));
        first.raise("A", Severity::Error);
        first.run_until(1).await;
        let report = first.alerts.close(Duration::from_secs(1)).await;
        assert_eq!(report.to_string(), "mail: 1 undelivered");
        let second = Desk::with(config(), |builder| builder.outbox(outbox));
        second.run_until(10).await;
        assert_eq!((second.mail.titles().len(), second.pager.titles().len()), (1, 0));
    });
}

/// An outbox or history that can be taken away.
pub(crate) struct Flaky<T> {
    inner: T,
    away: Arc<AtomicBool>,
    /// Whether it gives no answer at all while it is away, instead of an error.
    hangs: AtomicBool,
    /// Whether it panics while it is away.
    panics: AtomicBool,
    /// Whether it takes no claim back.
    keeps: AtomicBool,
}

impl<T> Flaky<T> {
    pub(crate) fn new(inner: T) -> (Arc<Self>, Arc<AtomicBool>) {
        let away = Arc::new(AtomicBool::new(false));
        let [hangs, panics, keeps] = std::array::from_fn(|_| AtomicBool::new(false));
        (Arc::new(Self { inner, away: away.clone(), hangs, panics, keeps }), away)
    }

    pub(crate) fn keep(&self, claims: bool) {
        self.keeps.store(claims, Ordering::Relaxed);
    }

    pub(crate) fn panic(&self) {
        self.panics.store(true, Ordering::Relaxed);
    }

    pub(crate) fn hang(&self) {
        self.hangs.store(true, Ordering::Relaxed);
    }

    async fn here(&self) -> Result<&T, RepositoryError> {
        if self.away.load(Ordering::Relaxed) {
            assert!(!self.panics.load(Ordering::Relaxed), "the store is torn");
            if self.hangs.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            return Err(RepositoryError::unavailable("store", "away"));
        }
        Ok(&self.inner)
    }
}

#[async_trait]
impl Outbox for Flaky<MemoryOutbox> {
    async fn put(&self, deliveries: &[Delivery], now: DateTime<Utc>) -> Result<usize, RepositoryError> {
        self.here().await?.put(deliveries, now).await
    }
    async fn supersede(&self, deliveries: &[Delivery], now: DateTime<Utc>) -> Result<usize, RepositoryError> {
        self.here().await?.supersede(deliveries, now).await
    }
    async fn claim(
        &self,
        channel: &ChannelName,
        now: DateTime<Utc>,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Claim>, RepositoryError> {
        self.here().await?.claim(channel, now, limit, lease).await
    }
    async fn delivered(
        &self,
        claim: &Claim,
        receipt: &Receipt,
        at: DateTime<Utc>,
    ) -> Result<(), RepositoryError> {
        self.here().await?.delivered(claim, receipt, at).await
    }
    async fn retry_at(&self, claim: &Claim, at: DateTime<Utc>, error: &str) -> Result<(), RepositoryError> {
        self.here().await?.retry_at(claim, at, error).await
    }
    async fn release(&self, claim: &Claim, at: DateTime<Utc>) -> Result<(), RepositoryError> {
        if self.keeps.load(Ordering::Relaxed) {
            return Err(RepositoryError::unavailable("store", "takes nothing back"));
        }
        self.here().await?.release(claim, at).await
    }
    async fn dead(&self, claim: &Claim, at: DateTime<Utc>, reason: &str) -> Result<(), RepositoryError> {
        self.here().await?.dead(claim, at, reason).await
    }
    async fn next_due(&self, channel: &ChannelName) -> Result<Option<DateTime<Utc>>, RepositoryError> {
        self.here().await?.next_due(channel).await
    }
    async fn pending(&self, channel: &ChannelName) -> Result<u64, RepositoryError> {
        self.here().await?.pending(channel).await
    }
    async fn dead_letters(&self, page: &PageRequest) -> Result<Page<DeadLetter>, RepositoryError> {
        self.here().await?.dead_letters(page).await
    }
}

#[async_trait]
impl AlertHistory for Flaky<MemoryAlertHistory> {
    async fn append(&self, changes: &[AlertChange]) -> Result<(), RepositoryError> {
        self.here().await?.append(changes).await
    }
    async fn read(
        &self,
        query: &AlertQuery,
        page: &PageRequest,
    ) -> Result<Page<AlertChange>, RepositoryError> {
        self.here().await?.read(query, page).await
    }
}

#[test]
fn with_the_store_away_people_are_told_all_the_same() {
    block_on(async {
        let (outbox, outbox_away) = Flaky::new(MemoryOutbox::default());
        let (history, history_away) = Flaky::new(MemoryAlertHistory::default());
        let desk = Desk::with(config(), |builder| builder.outbox(outbox).history(history));
        outbox_away.store(true, Ordering::Relaxed);
        history_away.store(true, Ordering::Relaxed);
        desk.raise("A", Severity::Critical);
        desk.run_until(5).await;
        assert_eq!((desk.mail.titles().len(), desk.pager.titles().len()), (1, 1));
        let status = desk.alerts.status();
        assert_eq!((status.spilled, status.lost_changes), (2, 0));
        assert!(status.outbox_errors > 0 && status.history_errors > 0);
        outbox_away.store(false, Ordering::Relaxed);
        history_away.store(false, Ordering::Relaxed);
        desk.raise("B", Severity::Critical);
        desk.run_until(10).await;
        assert_eq!(desk.mail.titles().len(), 2);
        let history =
            desk.alerts.history().read(&AlertQuery::default(), &PageRequest::default()).await.unwrap();
        assert_eq!(history.items.len(), 2, "what happened meanwhile was kept and told later");
    });
}

#[test]
fn what_arrived_is_not_sent_again_though_the_outbox_could_not_be_told() {
    block_on(async {
        let (outbox, away) = Flaky::new(MemoryOutbox::default());
        struct Cutter(RecordingChannel, Arc<AtomicBool>);
        #[async_trait]
        impl bellwether_alerts::AlertChannel for Cutter {
            fn name(&self) -> &ChannelName {
                self.0.name()
            }
            async fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
                self.1.store(true, Ordering::Relaxed);
                self.0.send(notification).await
            }
        }
        let mut config = config();
        config.receivers.values_mut().next().unwrap().channels.push(ChannelName::new("cut").unwrap());
        let cut = channel("cut");
        let cutter = Cutter(cut.clone(), away.clone());
        let desk = Desk::with(config, |builder| builder.outbox(outbox).channel(cutter));
        desk.raise("A", Severity::Error);
        desk.run_until(1).await;
        away.store(false, Ordering::Relaxed);
        desk.run_until(120).await;
        assert_eq!(cut.attempts().len(), 1);
        assert_eq!(desk.status("cut").counts.pending, 0);
    });
}

/// Lets every task run until all of them wait.
pub(crate) async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

#[test]
fn started_tasks_deliver_by_themselves_and_a_hanging_channel_delays_nobody() {
    block_on(async {
        let desk = Desk::new(config());
        let supervisor = Supervisor::new(&desk.clock.shared());
        desk.alerts.start(&supervisor).unwrap();
        settle().await;
        desk.mail.answer([Answer::Hang]);
        desk.raise("A", Severity::Error);
        settle().await;
        assert_eq!((desk.mail.titles().len(), desk.pager.titles().len()), (0, 1));
        desk.raise("B", Severity::Error);
        settle().await;
        assert_eq!((desk.mail.titles().len(), desk.pager.titles().len()), (0, 2));
        desk.clock.advance(Duration::from_secs(10));
        settle().await;
        desk.clock.advance(Duration::from_secs(1));
        settle().await;
        assert_eq!(desk.mail.titles().len(), 2, "its deadline is over");
        assert_eq!(desk.status("mail").counts.timeouts, 1);

        desk.raise("C", Severity::Error);
        let report = supervisor.shutdown(Duration::from_secs(10)).await;
        assert!(report.is_clean(), "{report:?}");
        assert_eq!(
            (desk.mail.titles().len(), desk.pager.titles().len()),
            (3, 3),
            "taken up and delivered on the way out"
        );
        assert_eq!((desk.mail.closed(), desk.pager.closed()), (1, 1));
        assert!(desk.alerts.close(Duration::from_secs(1)).await.is_clean());
        assert_eq!((desk.mail.closed(), desk.pager.closed()), (1, 1), "closed once");
        assert_eq!(desk.state("mail"), "closed");
    });
}

#[test]
fn started_tasks_wake_at_the_time_of_a_group() {
    block_on(async {
        let mut config = config();
        config.route.as_mut().unwrap().group_wait = Some(span("30s"));
        let desk = Desk::new(config);
        let supervisor = Supervisor::new(&desk.clock.shared());
        desk.alerts.start(&supervisor).unwrap();
        settle().await;
        desk.raise("A", Severity::Error);
        settle().await;
        desk.clock.advance(Duration::from_secs(29));
        settle().await;
        assert!(desk.mail.titles().is_empty());
        desk.clock.advance(Duration::from_secs(1));
        settle().await;
        assert_eq!(desk.mail.titles().len(), 1);
        assert!(supervisor.shutdown(Duration::from_secs(1)).await.is_clean());
    });
}

#[test]
fn a_close_that_hangs_ends_at_its_deadline_and_is_told() {
    block_on(async {
        struct NeverCloses(ChannelName);
        #[async_trait]
        impl bellwether_alerts::AlertChannel for NeverCloses {
            fn name(&self) -> &ChannelName {
                &self.0
            }
            async fn send(&self, _: &Notification) -> Result<Receipt, SendError> {
                Ok(Receipt::delivered())
            }
            async fn close(&self) -> Result<(), SendError> {
                std::future::pending().await
            }
        }
        let desk =
            Desk::with(config(), |builder| builder.channel(NeverCloses(ChannelName::new("stuck").unwrap())));
        let (clock, alerts) = (desk.clock.clone(), desk.alerts.clone());
        let closing = alerts.close(Duration::from_secs(3));
        let moving = async {
            settle().await;
            clock.advance(Duration::from_secs(3));
        };
        let (report, ()) = tokio::join!(closing, moving);
        assert_eq!(report.to_string(), "stuck: not closed within 3s");
        assert_eq!(desk.mail.closed(), 1);
    });
}

#[test]
fn the_same_run_gives_the_same_twice() {
    let run = || {
        block_on(async {
            let mut config = config();
            config.delivery.jitter = 0.5;
            let desk = Desk::new(config);
            desk.mail.answer((0..10).map(|i| if i % 3 == 0 { retry() } else { Answer::Take }));
            for i in 0..20 {
                desk.raise(&format!("A{}", i % 7), Severity::ALL[i % 4]);
                desk.run_until(i as i64 * 40).await;
            }
            let log =
                desk.alerts.log().read(&NotificationQuery::default(), &PageRequest::default()).await.unwrap();
            let lines = log
                .items
                .iter()
                .map(|it| format!("{} {} {} {}", it.at, it.channel, it.notification.key(), it.attempts));
            lines.collect::<Vec<_>>()
        })
    };
    let first = run();
    assert!(first.len() > 10);
    assert_eq!(first, run());
}
