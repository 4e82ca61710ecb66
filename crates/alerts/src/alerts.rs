//! Alerting as a whole: rules, engine, outbox, couriers.
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bellwether_core::{
    Collect, CollectError, Descriptor, Monotonic, Page, PageRequest, RestartPolicy, SampleSink,
    SampleWindows, SharedClock, SpawnError, Supervisor,
};
use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
use tokio::sync::watch;
use tracing::{debug, info, warn};

use crate::alert_handle::Raised;
use crate::config::AlertsConfig;
use crate::courier::{Courier, Patience, SafeOutbox, SteadyClock, monotonic_at, wall_at};
use crate::engine::{Engine, Event};
use crate::own_metrics::Figures;
use crate::rules::Evaluator;
use crate::{
    Alert, AlertChange, AlertHandle, AlertHistory, ChannelStatus, DeadLetter, Delivery, Notification,
    NotificationLog, ReceiverName, RepositoryError,
};

mod builder;
mod status;
mod together;

pub use self::builder::AlertsBuilder;
pub use self::status::{AlertsStatus, CloseReport, NotifyError, UnclosedChannel, UndeliveredChannel};
use self::together::all;

/// Alerting as a whole: judges rules, takes up what is raised, tells whom the routes say, remembers what happened. Cheap to clone.
///
/// It can be run in two ways. [`start`](Self::start) hands tasks to a [`Supervisor`], which wait on the clock. Or the host calls
/// [`run_due`](Self::run_due) after each move of a [`ManualClock`](bellwether_core::ManualClock): then everything happens in that call, in
/// the same order each time.
///
/// ```
/// use bellwether_alerts::{Alert, Alerts, ChannelName};
/// use bellwether_alerts::config::AlertsConfig;
/// use bellwether_alerts::testing::RecordingChannel;
/// use bellwether_core::{Clock, ManualClock, Severity};
/// use chrono::DateTime;
/// use std::time::Duration;
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let clock = ManualClock::starting_at(DateTime::UNIX_EPOCH);
/// let pager = RecordingChannel::new(ChannelName::new("pager")?);
/// let alerts = Alerts::builder(&clock.shared(), AlertsConfig::default()).channel(pager.clone()).build()?;
///
/// alerts.handle().raise(Alert::builder("KillSwitch", clock.now()).severity(Severity::Critical).build()?);
/// alerts.run_due().await;
/// clock.advance(Duration::from_secs(30)); // the time in which alerts that belong together are gathered
/// alerts.run_due().await;
/// assert_eq!(pager.titles(), ["[FIRING 1] critical KillSwitch"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Alerts {
    inner: Arc<Inner>,
}

struct Inner {
    clock: SharedClock,
    /// What the outbox is told of time, and what tells that the clock was set.
    steady: SteadyClock,
    raised: Arc<Raised>,
    /// Held during a whole round: there is one at a time.
    round: tokio::sync::Mutex<Round>,
    evaluator: Mutex<Evaluator>,
    engine: Mutex<Engine>,
    windows: Option<Arc<dyn SampleWindows>>,
    evaluation_interval: Duration,
    /// Which couriers serve a receiver.
    receivers: BTreeMap<ReceiverName, Vec<usize>>,
    couriers: Vec<Arc<Courier>>,
    outbox: Arc<SafeOutbox>,
    history: Arc<dyn AlertHistory>,
    log: Arc<dyn NotificationLog>,
    /// With the history.
    patience: Patience,
    max_unsaved: usize,
    /// How many changes the history could not be told yet.
    unsaved: AtomicUsize,
    figures: Figures,
    lost: status::Lost,
}

struct Round {
    next_evaluation: Option<Monotonic>,
    /// How far the clock had been set ahead when last looked.
    set_ahead: TimeDelta,
    /// Changes that the history could not be told yet.
    unsaved: Vec<AlertChange>,
}

impl Alerts {
    /// Alerting in the making.
    pub fn builder(clock: &SharedClock, config: AlertsConfig) -> AlertsBuilder {
        AlertsBuilder::new(clock, config)
    }

    /// What it tells about itself, for reference pages: the same as [`Collect::descriptors`], without an instance.
    pub fn own_metrics() -> Vec<Descriptor> {
        Figures::new().descriptors().to_vec()
    }

    /// What raises alerts, from anywhere.
    pub fn handle(&self) -> AlertHandle {
        AlertHandle::new(Arc::clone(&self.inner.raised))
    }

    /// Does everything that is due now: takes up what was raised, judges the rules, makes notifications, stores them, delivers them. Says when
    /// there is more to do, if nothing happens before.
    ///
    /// A channel that does not answer holds it up until its deadline on the clock. Not cancel-safe: a call that is dropped may have
    /// stored a notification that is then delivered by the next call.
    pub async fn run_due(&self) -> Option<DateTime<Utc>> {
        let next = self.inner.round(When::Due).await;
        let now = self.inner.clock.monotonic();
        let due = |courier: &&Arc<Courier>| courier.next().is_some_and(|next| next <= now);
        let couriers: Vec<_> = self.inner.couriers.iter().filter(due).collect();
        match couriers.as_slice() {
            [] => {}
            [only] => drop(only.deliver_due().await),
            many => drop(all(many.iter().map(|courier| courier.deliver_due())).await),
        }
        let deliveries = self.inner.couriers.iter().filter_map(|courier| courier.next());
        deliveries.chain(next).min().map(|at| wall_at(&self.inner.clock, at))
    }

    /// Starts the tasks that do the same by themselves: one for rules and engine, one for each channel, so that none waits for another.
    ///
    /// When the supervisor stops them, what has been raised is still taken up, groups that wait for more alerts say what they have, what is
    /// due is delivered, and the channels are closed. What could not be delivered stays in the outbox; [`close`](Self::close) then tells what that is.
    pub fn start(&self, supervisor: &Supervisor) -> Result<(), SpawnError> {
        let drained = watch::Sender::new(false);
        let (inner, sender) = (Arc::clone(&self.inner), drained.clone());
        supervisor.spawn("alerts", RestartPolicy::forever(), move |stop| {
            let (inner, sender) = (Arc::clone(&inner), sender.clone());
            async move {
                loop {
                    let next = inner.round(When::Due).await;
                    let sleep = async {
                        match next {
                            Some(at) => inner.clock.sleep_until(at).await,
                            None => std::future::pending().await,
                        }
                    };
                    tokio::select! {
                        biased;
                        () = stop.requested() => break,
                        () = inner.raised.wake.notified() => {}
                        () = sleep => {}
                    }
                }
                inner.round(When::Last).await;
                sender.send_replace(true);
            }
        })?;
        for courier in &self.inner.couriers {
            let (courier, receiver, clock) =
                (Arc::clone(courier), drained.subscribe(), self.inner.clock.clone());
            supervisor.spawn(
                &format!("courier {}", courier.name()),
                RestartPolicy::forever(),
                move |stop| {
                    let (courier, mut receiver, clock) =
                        (Arc::clone(&courier), receiver.clone(), clock.clone());
                    async move {
                        let drained = async move {
                            // Whether the last round was made or it is gone: there is nothing more to wait for.
                            let _ = clock.timeout(LAST_ROUND, receiver.wait_for(|drained| *drained)).await;
                        };
                        courier.run(stop, drained).await;
                    }
                },
            )?;
        }
        Ok(())
    }

    /// Stores a message of the host's own (a digest, a test) for all channels of a receiver. Stored when it returns.
    pub async fn notify(&self, notification: Notification) -> Result<(), NotifyError> {
        let inner = &self.inner;
        let Some(couriers) = inner.receivers.get(notification.receiver()) else {
            return Err(NotifyError::UnknownReceiver { receiver: notification.receiver().clone() });
        };
        inner.hand_out(Arc::new(notification), couriers).await?;
        Ok(())
    }

    /// The alerts that fire, the worst and oldest first.
    pub fn firing(&self) -> Vec<Alert> {
        let mut firing: Vec<_> = self.inner.engine.lock().firing().cloned().collect();
        firing.sort_by(Alert::worst_first);
        firing
    }

    /// What fired and what was resolved, over time.
    pub fn history(&self) -> Arc<dyn AlertHistory> {
        Arc::clone(&self.inner.history)
    }

    /// Who was told what, and when.
    pub fn log(&self) -> Arc<dyn NotificationLog> {
        Arc::clone(&self.inner.log)
    }

    /// What was given up, the newest first.
    pub async fn dead_letters(&self, page: &PageRequest) -> Result<Page<DeadLetter>, RepositoryError> {
        self.inner.outbox.dead_letters(page).await
    }

    /// How alerting is doing.
    pub fn status(&self) -> AlertsStatus {
        self.inner.status()
    }

    /// How each channel is doing, in the order in which they were given.
    pub fn channels(&self) -> Vec<ChannelStatus> {
        self.inner.couriers.iter().map(|courier| courier.status()).collect()
    }

    /// Takes up what was raised, lets groups that wait for more alerts say what they have, makes one last attempt at everything that is due,
    /// closes every channel, all within `deadline`, and tells what is left, what the deadline cut off included. A channel that the tasks have closed
    /// already is not closed again.
    pub async fn close(&self, deadline: Duration) -> CloseReport {
        let inner = &self.inner;
        let end = inner.clock.monotonic().saturating_add(deadline);
        let left = || end.saturating_since(inner.clock.monotonic());
        let late = || format!("not closed within {deadline:?}");
        let mut report = CloseReport::default();
        if inner.clock.timeout(left(), inner.round(When::Last)).await.is_err() {
            report.untold = inner.untold();
        }
        report.unrecorded = inner.unrecorded();
        let closings = inner.couriers.iter().map(|courier| async move {
            let _ = inner.clock.timeout(left(), courier.deliver_due()).await;
            let closed = inner.clock.timeout(left(), courier.close()).await;
            let reason = closed.map_err(|_| late()).and_then(|closed| closed).err();
            let open = inner.clock.timeout(left(), courier.left()).await;
            (courier, open.ok().and_then(Result::ok), reason)
        });
        for (courier, open, reason) in all(closings).await {
            let name = courier.name();
            if open.is_none() {
                report.uncounted.push(name.clone());
            }
            let left = open.unwrap_or_else(|| courier.last_left());
            if left > 0 {
                report.undelivered.push(UndeliveredChannel { channel: name.clone(), notifications: left });
            }
            report.unclosed.extend(reason.map(|reason| UnclosedChannel { channel: name.clone(), reason }));
        }
        report
    }
}

/// What a round makes groups say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    /// What is due.
    Due,
    /// Everything that they have to say, since there is no later.
    Last,
}

/// How long channels wait at shutdown for the last round of the engine.
const LAST_ROUND: Duration = Duration::from_secs(5);

/// How far the clock must have been set for it to matter: less is the time between two looks at it.
const LEAST_STEP: TimeDelta = TimeDelta::seconds(1);

/// Most notifications that are on their way into the outbox at once.
const AT_ONCE: usize = 32;

impl Inner {
    /// Everything but delivery. Says when the next round is due.
    async fn round(&self, when: When) -> Option<Monotonic> {
        let mut round = self.round.lock().await;
        // Read once: a step of the clock is either seen by all below or by none.
        let now = self.clock.now();
        self.mind_the_clock(&mut round, now);
        let (notifications, changes) = self.think(&mut round, when, now);
        // Before anything is waited for: who drops this call loses no change by it.
        round.unsaved.extend(changes);
        self.unsaved.store(round.unsaved.len(), Ordering::Relaxed);
        // Side by side, so that a store which gathers what waits makes one commit of it.
        tokio::join!(biased; self.tell(notifications, now), self.save(&mut round));
        let wakeup = self.engine.lock().next_wakeup().map(|at| monotonic_at(&self.clock, at));
        wakeup.into_iter().chain(round.next_evaluation).min()
    }

    /// How many notifications would still have to be stored. What was raised is taken up to see.
    fn untold(&self) -> u64 {
        let now = self.clock.now();
        let mut engine = self.engine.lock();
        self.take_up(&mut engine, now);
        engine.flush(now);
        // None of them is answered, so the engine goes on owing them.
        engine.poll(now).len() as u64
    }

    /// How many changes the history would still have to be told.
    fn unrecorded(&self) -> u64 {
        (self.unsaved.load(Ordering::Relaxed) + self.engine.lock().change_count()) as u64
    }

    /// Hands what was raised to the engine.
    fn take_up(&self, engine: &mut Engine, now: DateTime<Utc>) {
        while let Some(alert) = self.raised.pop() {
            engine.handle(Event::Raised(alert), now);
        }
    }

    /// If the clock was set, timers of engine and rules go on as if it had not been.
    fn mind_the_clock(&self, round: &mut Round, now: DateTime<Utc>) {
        let by = self.steady.set_ahead(now) - round.set_ahead;
        if by.abs() < LEAST_STEP {
            return;
        }
        round.set_ahead += by;
        info!(seconds = by.num_milliseconds() as f64 / 1_000.0, "the clock was set");
        self.engine.lock().clock_set(by);
        self.evaluator.lock().clock_set(by);
    }

    /// Stores notifications, and says to the engine which of them are.
    async fn tell(&self, notifications: Vec<Notification>, now: DateTime<Utc>) {
        let mut rest = notifications.into_iter().peekable();
        while rest.peek().is_some() {
            let some = rest.by_ref().take(AT_ONCE).map(|notification| async {
                let key = notification.key();
                let couriers =
                    self.receivers.get(notification.receiver()).map(Vec::as_slice).unwrap_or_default();
                let stored = self.hand_out(Arc::new(notification), couriers).await;
                let event = if stored.is_ok() { Event::Told(key) } else { Event::NotTold(key) };
                self.engine.lock().handle(event, now);
            });
            all(some).await;
        }
    }

    /// What needs no waiting: rules and engine.
    fn think(
        &self,
        round: &mut Round,
        when: When,
        now: DateTime<Utc>,
    ) -> (Vec<Notification>, Vec<AlertChange>) {
        let judged = self.judge(round, now);
        let mut engine = self.engine.lock();
        self.take_up(&mut engine, now);
        for alert in judged {
            engine.handle(Event::Raised(alert), now);
        }
        if when == When::Last {
            engine.flush(now);
        }
        (engine.poll(now), engine.take_changes())
    }

    /// Judges the rules if it is time: what changed, then everything that fires. Told again and again, it outlives the resolve timeout,
    /// comes back when there is room again, and goes on when another series ends an alert that both share.
    fn judge(&self, round: &mut Round, now: DateTime<Utc>) -> Vec<Alert> {
        let Some(windows) = &self.windows else { return Vec::new() };
        let instant = self.clock.monotonic();
        if round.next_evaluation.is_some_and(|next| next > instant) {
            return Vec::new();
        }
        round.next_evaluation = Some(instant.saturating_add(self.evaluation_interval));
        let mut evaluator = self.evaluator.lock();
        let mut alerts = evaluator.evaluate(windows, now);
        let changed = alerts.len();
        alerts.extend(evaluator.firing().cloned());
        if let Some(firing) = alerts.get_mut(changed..) {
            firing.sort_by(|a, b| a.labels().cmp(b.labels()));
        }
        alerts
    }

    /// Stores a notification for some channels, and tells their couriers.
    async fn hand_out(
        &self,
        notification: Arc<Notification>,
        couriers: &[usize],
    ) -> Result<(), RepositoryError> {
        let mut deliveries = Vec::with_capacity(couriers.len());
        let mut poked = Vec::with_capacity(couriers.len());
        for courier in couriers.iter().filter_map(|&index| self.couriers.get(index)) {
            let delivery = Delivery::new(courier.name().clone(), Arc::clone(&notification));
            if courier.is_enabled() {
                deliveries.push(delivery);
                poked.push(courier);
            } else {
                courier.skip(&delivery).await;
            }
        }
        if deliveries.is_empty() {
            return Ok(());
        }
        self.outbox.put(&deliveries, self.steady.now()).await?;
        debug!(key = %notification.key(), receiver = %notification.receiver(), "notification stored");
        for courier in poked {
            courier.poke(&notification);
        }
        Ok(())
    }

    /// Tells the history what changed; what it does not take is kept for the next round, up to a bound.
    async fn save(&self, round: &mut Round) {
        self.save_some(round).await;
        self.unsaved.store(round.unsaved.len(), Ordering::Relaxed);
    }

    async fn save_some(&self, round: &mut Round) {
        if round.unsaved.is_empty() {
            return;
        }
        match self.patience.ask("alert history", self.history.append(&round.unsaved)).await {
            Ok(()) => {
                self.lost.history_recovered();
                round.unsaved.clear();
            }
            Err(error) => {
                if self.lost.history_failed() {
                    warn!(%error, changes = round.unsaved.len(), "history does not answer");
                }
                let beyond = round.unsaved.len().saturating_sub(self.max_unsaved);
                round.unsaved.drain(..beyond);
                self.lost.changes(beyond);
            }
        }
    }
}

impl Collect for Alerts {
    fn descriptors(&self) -> &[Descriptor] {
        self.inner.figures.descriptors()
    }

    fn collect(&self, out: &mut dyn SampleSink) -> Result<(), CollectError> {
        let records = self.inner.couriers.iter().map(|courier| (courier.status(), courier.record()));
        self.inner.figures.tell(&self.inner.status(), records, out)
    }
}

impl fmt::Debug for Alerts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alerts").field("status", &self.status()).finish_non_exhaustive()
    }
}
