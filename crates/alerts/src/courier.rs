//! Delivery to one channel: rate limit, circuit breaker, deadline, retry, receipt or dead letter.
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bellwether_core::resilience::{
    Acquire, Admission, BreakerChange, BreakerState, Jitter, Next, Outcome, RetrySchedule,
};
use bellwether_core::{Monotonic, Severity, SharedClock, Stop};
use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{Mutex, Notify};
use tracing::{debug, info, warn};

use crate::config::DeliveryConfig;
use crate::{
    AlertChannel, ChannelName, Delivery, DeliveryOutcome, Notification, NotificationLog, NotificationRecord,
    Receipt, RepositoryError, SendError,
};

mod ages;
mod guarded;
mod machines;
mod patience;
mod recent;
mod record;
mod safe_outbox;
mod status;
mod steady_clock;

use self::ages::Ages;
use self::guarded::{answered, guarded};
use self::machines::{Machines, schedule};
pub(crate) use self::patience::Patience;
pub(crate) use self::record::ChannelRecord;
pub(crate) use self::safe_outbox::{Held, SafeOutbox};
pub use self::status::{ChannelCounts, ChannelState, ChannelStatus};
pub(crate) use self::steady_clock::SteadyClock;

/// How much longer than its deadline an attempt holds its claim: time to tell the outbox.
const LEASE_MARGIN: Duration = Duration::from_secs(30);

/// How long to leave the outbox alone when it cannot answer.
const OUTBOX_PAUSE: Duration = Duration::from_secs(1);

/// How much longer than it ever waits something in the outbox may seem to wait before that is taken for the mark of another clock.
const CLOCK_MARGIN: Duration = Duration::from_mins(1);

/// How long to leave the outbox alone when it gives nothing although something is due.
const SHORT_PAUSE: Duration = Duration::from_millis(1);

/// How often to look whether a channel for which something waits is switched on again.
const DISABLED_PAUSE: Duration = Duration::from_secs(5);

/// Delivers to one channel, one attempt at a time.
pub(crate) struct Courier {
    name: ChannelName,
    /// None if it could not be started.
    channel: Option<Arc<dyn AlertChannel>>,
    config: DeliveryConfig,
    schedule: RetrySchedule,
    clock: SharedClock,
    /// What the outbox is told of time.
    steady: SteadyClock,
    outbox: Arc<SafeOutbox>,
    log: Arc<dyn NotificationLog>,
    /// With the log.
    patience: Patience,
    /// Held while a delivery is under way: there is one at a time.
    machines: Mutex<Machines>,
    /// When there may be something to do; nothing while nothing is known.
    next: parking_lot::Mutex<Option<Monotonic>>,
    /// How old what waits is.
    ages: parking_lot::Mutex<Ages>,
    record: ChannelRecord,
    wake: Notify,
    /// Nothing is sent any more.
    closing: AtomicBool,
    /// The channel was told to close.
    closed: AtomicBool,
}

/// What became of one claim.
enum Step {
    /// Look for the next.
    Go,
    /// Nothing more before this.
    Wait(Monotonic),
    /// Nothing more until something is put into the outbox.
    Rest,
}

impl Courier {
    /// A courier for a channel, or for one that could not be started and why. The settings must have been checked.
    pub(crate) fn new(
        name: ChannelName,
        channel: Result<Arc<dyn AlertChannel>, String>,
        config: DeliveryConfig,
        steady: SteadyClock,
        outbox: Arc<SafeOutbox>,
        log: Arc<dyn NotificationLog>,
        jitter: Jitter,
    ) -> Result<Self, String> {
        let machines = Machines::new(&config, jitter)?;
        let schedule = schedule(&config)?;
        let (channel, failure) = match channel {
            Ok(channel) => (Some(channel), None),
            Err(reason) => (None, Some(reason)),
        };
        Ok(Self {
            record: ChannelRecord::new(&name, failure),
            name,
            channel,
            config,
            schedule,
            patience: Patience::new(steady.clock().clone()),
            clock: steady.clock().clone(),
            steady,
            outbox,
            log,
            machines: Mutex::new(machines),
            // What an earlier run of the host left in the outbox is due at once.
            next: parking_lot::Mutex::new(Some(Monotonic::ORIGIN)),
            ages: parking_lot::Mutex::new(Ages::new()),
            wake: Notify::new(),
            closing: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        })
    }

    pub(crate) fn name(&self) -> &ChannelName {
        &self.name
    }

    pub(crate) fn record(&self) -> &ChannelRecord {
        &self.record
    }

    /// Whether it takes messages. One that could not be started does, so that each is a dead letter and none is lost in silence.
    /// One that panics when it is asked takes part: what cannot be known must not silence it.
    pub(crate) fn is_enabled(&self) -> bool {
        let Some(channel) = &self.channel else { return true };
        answered(|| channel.enabled()).unwrap_or_else(|panic| {
            self.record.panicked();
            self.record.failed(self.clock.now(), format!("the channel panicked in `enabled`: {panic}"));
            true
        })
    }

    pub(crate) fn status(&self) -> ChannelStatus {
        self.record.status(self.is_enabled(), self.closing.load(Ordering::Acquire))
    }

    /// A message that is new has been put into the outbox. Does not wait for a delivery that is under way.
    pub(crate) fn poke(&self, notification: &Notification) {
        let now = self.clock.monotonic();
        self.ages.lock().see(notification.key(), Duration::ZERO, now);
        self.look_again(now);
        self.wake.notify_one();
    }

    /// When there may be something to do.
    pub(crate) fn next(&self) -> Option<Monotonic> {
        *self.next.lock()
    }

    /// Notes when to look again, unless it is sooner already.
    fn look_again(&self, at: Monotonic) {
        let mut next = self.next.lock();
        *next = next.into_iter().chain([at]).min();
    }

    /// Delivers what is due, and says when there may be more.
    pub(crate) async fn deliver_due(&self) -> Option<Monotonic> {
        let mut machines = self.machines.lock().await;
        let mut as_of = None;
        loop {
            let now = self.clock.monotonic();
            // Taken before the look, so that what comes during it is looked for again.
            if self.next.lock().take_if(|next| *next <= now).is_none() {
                return self.next();
            }
            if self.channel.is_some() && self.closing.load(Ordering::Acquire) {
                return self.next();
            }
            if !self.is_enabled() {
                // What waits is sent when it is switched on again, of which nobody tells.
                if self.left().await != Ok(0) {
                    self.look_again(self.later(DISABLED_PAUSE));
                }
                return self.next();
            }
            let step = match self.deliver_one(&mut machines, as_of.take()).await {
                // A look costs a store less than a claim that finds nothing.
                Ok(went @ (Some(Step::Go) | None)) => {
                    match self.outbox.next_due(&self.name, self.steady.now()).await {
                        Ok(due) => match self.look(due, &mut as_of) {
                            // It does not find what it tells of: not again and again without a pause.
                            Step::Go if went.is_none() && as_of.is_none() => {
                                Step::Wait(self.later(SHORT_PAUSE))
                            }
                            step => step,
                        },
                        Err(_) => Step::Wait(self.later(OUTBOX_PAUSE)),
                    }
                }
                Ok(Some(step)) => step,
                Err(error) => {
                    debug!(channel = %self.name, %error, "outbox does not answer");
                    Step::Wait(self.later(OUTBOX_PAUSE))
                }
            };
            match step {
                Step::Go => self.look_again(now),
                Step::Wait(at) => self.look_again(at),
                Step::Rest => {}
            }
            if !matches!(step, Step::Go)
                && let Ok(open) = self.outbox.pending(&self.name).await
            {
                self.record.pending(open);
            }
        }
    }

    /// What to do next if something is `due` then. Nothing waits longer than it is made to here, so what seems to was told its time by another
    /// clock, as when the clock of the machine was wrong in an earlier run: it is due now, and claimed `as_of` that time.
    fn look(&self, due: Option<DateTime<Utc>>, as_of: &mut Option<DateTime<Utc>>) -> Step {
        let Some(due) = due else { return Step::Rest };
        let (now, at) = (self.clock.monotonic(), self.steady.instant(due));
        if at.saturating_since(now) > self.longest_wait() {
            *as_of = Some(due);
        } else if at > now {
            return Step::Wait(at);
        }
        Step::Go
    }

    /// Longer than anything in the outbox waits.
    fn longest_wait(&self) -> Duration {
        let config = &self.config;
        [
            config.longest_retry.get(),
            self.schedule.retry_after_cap(),
            config.breaker.open_at_most.get(),
            config.rate.per.get(),
            config.timeout.get() + LEASE_MARGIN,
        ]
        .into_iter()
        .max()
        .unwrap_or_default()
            + CLOCK_MARGIN
    }

    /// Claims one delivery that is due, or was `as_of` another time, and makes one attempt; nothing if there is none.
    async fn deliver_one(
        &self,
        machines: &mut Machines,
        as_of: Option<DateTime<Utc>>,
    ) -> Result<Option<Step>, RepositoryError> {
        if let BreakerState::Open { until } = machines.breaker.state(self.clock.monotonic()) {
            return Ok(Some(Step::Wait(until)));
        }
        let lease = self.config.timeout.get() + LEASE_MARGIN;
        let now = as_of.unwrap_or_else(|| self.steady.now());
        let Some(mut held) = self.outbox.claim(&self.name, now, lease).await? else {
            // Somebody was faster, or the outbox does not find what it told of.
            return Ok(as_of.map(|_| Step::Wait(self.later(OUTBOX_PAUSE))));
        };
        // Whether the service works again is asked with another message than the one that failed: it may be the message.
        if machines.failed_probe == Some(held.claim.notification().key())
            && let Some(other) = self.outbox.claim(&self.name, now, lease).await?
        {
            let first = std::mem::replace(&mut held, other);
            let at = self.steady.now();
            // Should it not be taken back, it comes again when its lease ends; the other is sent all the same.
            let _ = self.outbox.release(&first, at, at).await;
        }
        let Some(channel) = &self.channel else {
            let reason = self.record.failure().unwrap_or_default();
            let reason = format!("the channel could not be started: {reason}");
            self.bury(&held, &reason).await?;
            return Ok(Some(Step::Go));
        };
        let Some(message) = held.message() else {
            // All that it says was said by a newer one.
            self.outbox.delivered(&held, &Receipt::delivered(), self.steady.now()).await?;
            let notification = held.claim.notification();
            if machines.sent.get(&notification.key()).is_none() {
                self.record.superseded(notification.superseded().saturating_add(1));
            }
            return Ok(Some(Step::Go));
        };
        if machines.sent.get(&message.key()).is_some() {
            // It arrived, and only the outbox could not be told.
            self.outbox.delivered(&held, &Receipt::delivered(), self.steady.now()).await?;
            return Ok(Some(Step::Go));
        }
        let now = self.clock.monotonic();
        let critical = message.urgency() == Severity::Critical;
        let reserve = if critical { 0 } else { self.config.rate.reserved_for_critical };
        if let Acquire::WaitUntil(at) = machines.limiter.try_acquire_leaving(reserve, now) {
            self.record.held_back();
            self.outbox.release(&held, self.steady.at(at), self.steady.now()).await?;
            return Ok(Some(Step::Wait(at)));
        }
        let ticket = match machines.breaker.admit(now) {
            Admission::Admitted(ticket) => ticket,
            Admission::Refused { until } => {
                self.outbox.release(&held, self.steady.at(until), self.steady.now()).await?;
                return Ok(Some(Step::Wait(until)));
            }
        };
        // One of an earlier run is as old as the wall says, whatever becomes of the clock from now on.
        let oldest = message.oldest();
        let age = self.clock.now().signed_duration_since(oldest.at).to_std().unwrap_or_default();
        self.ages.lock().see(oldest.key, age, now);
        let began = now;
        let result = self.attempt(channel.as_ref(), message).await;
        let now = self.clock.monotonic();
        self.record.attempted(&result, self.clock.now(), now.saturating_since(began));
        let outcome = match &result {
            Ok(_) => Outcome::Success,
            Err(SendError::Retry { .. } | SendError::Unknown { .. }) => Outcome::Failure,
            Err(SendError::RateLimited { .. } | SendError::Permanent { .. }) => Outcome::Neutral,
        };
        match machines.breaker.report(ticket, outcome, now) {
            Some(BreakerChange::Opened { until }) => {
                machines.failed_probe = Some(held.claim.notification().key());
                let until = wall_at(&self.clock, until);
                self.record.circuit(Some(until));
                warn!(channel = %self.name, %until, "circuit opened");
            }
            Some(BreakerChange::Closed) => {
                machines.failed_probe = None;
                self.record.circuit(None);
                info!(channel = %self.name, "circuit closed");
            }
            None => {}
        }
        self.settle(machines, &held, message, result, now).await?;
        Ok(Some(Step::Go))
    }

    /// One attempt: within the deadline, a panic being an error like another.
    async fn attempt(
        &self,
        channel: &dyn AlertChannel,
        message: &Notification,
    ) -> Result<Receipt, SendError> {
        let limit = self.config.timeout.get();
        let sending = guarded(async { channel.send(message).await });
        match self.clock.timeout(limit, sending).await {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => {
                self.record.panicked();
                Err(SendError::unknown(format_args!("the channel panicked: {panic}")))
            }
            Err(_) => {
                self.record.timed_out();
                Err(SendError::unknown(format_args!("no answer within {limit:?}")))
            }
        }
    }

    /// Tells the outbox and the log what became of a claim.
    async fn settle(
        &self,
        machines: &mut Machines,
        held: &Held,
        message: &Notification,
        result: Result<Receipt, SendError>,
        now: Monotonic,
    ) -> Result<(), RepositoryError> {
        let error = match result {
            Ok(receipt) => {
                machines.sent.note(message.key(), ());
                self.ages.lock().forget(message);
                self.record.superseded(message.superseded());
                // The log is told also if the outbox cannot be: nobody has the receipt any more when it can. Side by side, the log
                // first, so that a store which keeps both makes one commit of it.
                let outcome = DeliveryOutcome::Delivered { receipt: receipt.clone() };
                let ((), told) = tokio::join!(
                    biased;
                    self.log(held.delivery(), held.claim.attempt(), outcome),
                    self.outbox.delivered(held, &receipt, self.steady.now())
                );
                return told;
            }
            Err(error) => error,
        };
        let text = error.to_string();
        let spent = self.ages.lock().of(message.oldest().key, now);
        if let Some(asked) = error.after() {
            // Whether it is too busy or down: a service that asks to wait is left alone, by newer messages too.
            machines.limiter.hold_until(now.saturating_add(asked.min(self.schedule.retry_after_cap())));
        }
        if let SendError::RateLimited { after } = error {
            // The service is well and only asks to wait: no attempt is lost on it, only time.
            let asked = after.unwrap_or_else(|| self.schedule.delay(1, machines.jitter.fraction()));
            let asked = asked.min(self.schedule.retry_after_cap()).max(Duration::from_millis(1));
            let at = now.saturating_add(asked);
            machines.limiter.hold_until(at);
            if self.schedule.budget().is_none_or(|budget| spent.saturating_add(asked) <= budget) {
                return self.outbox.release(held, self.steady.at(at), self.steady.now()).await;
            }
            return self.bury(held, &text).await;
        }
        if !error.is_retryable() {
            return self.bury(held, &text).await;
        }
        let mut retry = self.schedule.resume(now, held.claim.attempt().saturating_sub(1), spent);
        match retry.after_failure(now, machines.jitter.fraction(), error.after()) {
            Next::RetryAt(at) => {
                self.record.retried();
                self.outbox.retry_at(held, self.steady.at(at), &text, self.steady.now()).await
            }
            Next::GiveUp(enough) => self.bury(held, &format!("{enough}; the last time: {text}")).await,
        }
    }

    async fn bury(&self, held: &Held, reason: &str) -> Result<(), RepositoryError> {
        let notification = held.delivery().notification();
        self.outbox.dead(held, self.clock.now(), reason).await?;
        self.ages.lock().forget(notification);
        self.record.buried();
        self.record.superseded(notification.superseded());
        warn!(channel = %self.name, key = %notification.key(), reason, "notification given up");
        let outcome = DeliveryOutcome::Dead { reason: reason.to_owned() };
        self.log(held.delivery(), held.claim.attempt(), outcome).await;
        Ok(())
    }

    /// A message that is not sent because the channel is disabled.
    pub(crate) async fn skip(&self, delivery: &Delivery) {
        self.record.skipped();
        self.log(delivery, 0, DeliveryOutcome::Skipped).await;
    }

    async fn log(&self, delivery: &Delivery, attempts: u32, outcome: DeliveryOutcome) {
        let record = NotificationRecord {
            at: self.clock.now(),
            channel: self.name.clone(),
            notification: Arc::clone(delivery.notification()),
            attempts,
            outcome,
        };
        let records = [record];
        if let Err(error) = self.patience.ask("notification log", self.log.append(&records)).await {
            self.record.unlogged();
            debug!(channel = %self.name, %error, "notification log does not answer");
        }
    }

    /// Delivers as things become due, until `stop`; then, once `drained`, what is due at that moment, and closes the channel.
    pub(crate) async fn run(&self, stop: Stop, drained: impl Future<Output = ()>) {
        while !self.closing.load(Ordering::Acquire) {
            let next = self.deliver_due().await;
            let sleep = async {
                match next {
                    Some(at) => self.clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = stop.requested() => break,
                () = self.wake.notified() => {}
                () = sleep => {}
            }
        }
        drained.await;
        self.deliver_due().await;
        if let Err(reason) = self.close().await {
            warn!(channel = %self.name, reason, "channel was not closed well");
        }
    }

    /// Closes the channel, the first time it is asked to.
    pub(crate) async fn close(&self) -> Result<(), String> {
        self.closing.store(true, Ordering::Release);
        // Not in the middle of an attempt. Who does not wait for its end leaves it to the next to close the channel.
        let _machines = self.machines.lock().await;
        if self.closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let Some(channel) = &self.channel else { return Ok(()) };
        let limit = self.config.close_timeout.get();
        match self.clock.timeout(limit, guarded(async { channel.close().await })).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(error))) => Err(error.to_string()),
            Ok(Err(panic)) => Err(format!("the channel panicked: {panic}")),
            Err(_) => Err(format!("not closed within {limit:?}")),
        }
    }

    /// How many deliveries are left.
    pub(crate) async fn left(&self) -> Result<u64, RepositoryError> {
        let left = self.outbox.pending(&self.name).await;
        if let Ok(open) = left {
            self.record.pending(open);
        }
        left
    }

    /// How many deliveries were left when last looked.
    pub(crate) fn last_left(&self) -> u64 {
        self.record.last_pending()
    }

    fn later(&self, length: Duration) -> Monotonic {
        self.clock.monotonic().saturating_add(length)
    }
}

/// What the wall will show at an instant, if it is not set.
pub(crate) fn wall_at(clock: &SharedClock, at: Monotonic) -> DateTime<Utc> {
    let length = TimeDelta::from_std(at.saturating_since(clock.monotonic())).unwrap_or(TimeDelta::MAX);
    clock.now().checked_add_signed(length).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// The instant at which the wall will show a time, if it is not set; now if it is past.
pub(crate) fn monotonic_at(clock: &SharedClock, at: DateTime<Utc>) -> Monotonic {
    let length = at.signed_duration_since(clock.now()).to_std().unwrap_or_default();
    clock.monotonic().saturating_add(length)
}

impl fmt::Debug for Courier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Courier").field("status", &self.status()).finish_non_exhaustive()
    }
}
