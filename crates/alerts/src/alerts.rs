//! Alerting as a whole: rules, engine, outbox, couriers.
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bellwether_core::{
    Collect, CollectError, Descriptor, Page, PageRequest, RestartPolicy, SampleSink, SampleWindows,
    SharedClock, SpawnError, Supervisor,
};
use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use tokio::sync::watch;
use tracing::{debug, warn};

use crate::alert_handle::Raised;
use crate::config::AlertsConfig;
use crate::courier::{Courier, Patience, SafeOutbox, monotonic_at};
use crate::engine::{Engine, Event, delta};
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
    figures: Figures,
    lost: status::Lost,
}

struct Round {
    next_evaluation: Option<DateTime<Utc>>,
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
        let now = self.inner.clock.now();
        let due = |courier: &&Arc<Courier>| courier.next().is_some_and(|next| next <= now);
        let couriers: Vec<_> = self.inner.couriers.iter().filter(due).collect();
        match couriers.as_slice() {
            [] => {}
            [only] => drop(only.deliver_due().await),
            many => drop(all(many.iter().map(|courier| courier.deliver_due())).await),
        }
        let deliveries = self.inner.couriers.iter().filter_map(|courier| courier.next());
        deliveries.chain(next).min()
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
                            Some(at) => inner.clock.sleep_until(monotonic_at(&inner.clock, at)).await,
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
    /// closes every channel, all within `deadline`, and tells what is left. A channel that the tasks have closed already is not closed again.
    pub async fn close(&self, deadline: Duration) -> CloseReport {
        let inner = &self.inner;
        let end = inner.clock.monotonic().saturating_add(deadline);
        let left = || end.saturating_since(inner.clock.monotonic());
        let late = || format!("not closed within {deadline:?}");
        let _ = inner.clock.timeout(left(), inner.round(When::Last)).await;
        let closings = inner.couriers.iter().map(|courier| async {
            let _ = inner.clock.timeout(left(), courier.deliver_due()).await;
            let closed = inner.clock.timeout(left(), courier.close()).await;
            let reason = closed.map_err(|_| late()).and_then(|closed| closed).err();
            (courier.name().clone(), courier.left().await, reason)
        });
        let mut report = CloseReport::default();
        for (name, left, reason) in all(closings).await {
            if left > 0 {
                report.undelivered.push(UndeliveredChannel { channel: name.clone(), notifications: left });
            }
            report.unclosed.extend(reason.map(|reason| UnclosedChannel { channel: name, reason }));
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

impl Inner {
    /// Everything but delivery. Says when the next round is due.
    async fn round(&self, when: When) -> Option<DateTime<Utc>> {
        let mut round = self.round.lock().await;
        let now = self.clock.now();
        let (notifications, changes) = self.think(&mut round, when, now);
        // Before anything is waited for: who drops this call loses no change by it.
        round.unsaved.extend(changes);
        for notification in notifications {
            let key = notification.key();
            let receiver = notification.receiver().clone();
            let couriers = self.receivers.get(&receiver).map(Vec::as_slice).unwrap_or_default();
            let stored = self.hand_out(Arc::new(notification), couriers).await;
            let event = if stored.is_ok() { Event::Told(key) } else { Event::NotTold(key) };
            self.engine.lock().handle(event, now);
        }
        self.save(&mut round).await;
        let wakeup = self.engine.lock().next_wakeup();
        wakeup.into_iter().chain(round.next_evaluation).min()
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
        while let Some(alert) = self.raised.pop() {
            engine.handle(Event::Raised(alert), now);
        }
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
        let due = match round.next_evaluation {
            None => true,
            // A clock that was set back by more than the interval must not silence the rules until it has caught up.
            Some(next) => next <= now || next - now > delta(self.evaluation_interval),
        };
        if !due {
            return Vec::new();
        }
        round.next_evaluation = now.checked_add_signed(delta(self.evaluation_interval));
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
        let now = self.clock.now();
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
        self.outbox.put(&deliveries, now).await?;
        debug!(key = %notification.key(), receiver = %notification.receiver(), "notification stored");
        for courier in poked {
            courier.poke(now);
        }
        Ok(())
    }

    /// Tells the history what changed; what it does not take is kept for the next round, up to a bound.
    async fn save(&self, round: &mut Round) {
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
