//! Delivery to one channel: rate limit, circuit breaker, deadline, retry, receipt or dead letter.
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
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
    AlertChannel, ChannelName, Delivery, DeliveryOutcome, NotificationLog, NotificationRecord, Receipt,
    SendError,
};

mod machines;
mod patience;
mod record;
mod safe_outbox;
mod sent;
mod status;

use self::machines::{Machines, schedule};
pub(crate) use self::patience::Patience;
pub(crate) use self::record::ChannelRecord;
pub(crate) use self::safe_outbox::{Held, SafeOutbox};
pub use self::status::{ChannelCounts, ChannelState, ChannelStatus};

/// How much longer than its deadline an attempt holds its claim: time to tell the outbox.
const LEASE_MARGIN: Duration = Duration::from_secs(30);

/// How long to leave the outbox alone when it cannot answer.
const OUTBOX_PAUSE: Duration = Duration::from_secs(1);

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
    outbox: Arc<SafeOutbox>,
    log: Arc<dyn NotificationLog>,
    /// With the log.
    patience: Patience,
    /// Held while a delivery is under way: there is one at a time.
    machines: Mutex<Machines>,
    /// When there may be something to do; nothing while nothing is known.
    next: parking_lot::Mutex<Option<DateTime<Utc>>>,
    record: ChannelRecord,
    wake: Notify,
    closed: AtomicBool,
}

/// What became of one claim.
enum Step {
    /// Look for the next.
    Go,
    /// Nothing more before this.
    Wait(DateTime<Utc>),
    /// Nothing more until something is put into the outbox.
    Rest,
}

impl Courier {
    /// A courier for a channel, or for one that could not be started and why. The settings must have been checked.
    pub(crate) fn new(
        name: ChannelName,
        channel: Result<Arc<dyn AlertChannel>, String>,
        config: DeliveryConfig,
        clock: SharedClock,
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
            patience: Patience::new(clock.clone()),
            clock,
            outbox,
            log,
            machines: Mutex::new(machines),
            // What an earlier run of the host left in the outbox is due at once.
            next: parking_lot::Mutex::new(Some(DateTime::<Utc>::MIN_UTC)),
            wake: Notify::new(),
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
    pub(crate) fn is_enabled(&self) -> bool {
        self.channel.as_ref().is_none_or(|channel| channel.enabled())
    }

    pub(crate) fn status(&self) -> ChannelStatus {
        self.record.status(self.is_enabled(), self.closed.load(Ordering::Acquire))
    }

    /// There is something new in the outbox. Does not wait for a delivery that is under way.
    pub(crate) fn poke(&self, now: DateTime<Utc>) {
        self.look_again(Some(now));
        self.wake.notify_one();
    }

    /// When there may be something to do.
    pub(crate) fn next(&self) -> Option<DateTime<Utc>> {
        *self.next.lock()
    }

    /// Notes when to look again, unless it is sooner already.
    fn look_again(&self, at: Option<DateTime<Utc>>) {
        let mut next = self.next.lock();
        *next = next.into_iter().chain(at).min();
    }

    /// Delivers what is due, and says when there may be more.
    pub(crate) async fn deliver_due(&self) -> Option<DateTime<Utc>> {
        let mut machines = self.machines.lock().await;
        loop {
            let now = self.clock.now();
            // Taken before the look, so that what comes during it is looked for again.
            if self.next.lock().take_if(|next| *next <= now).is_none() {
                return self.next();
            }
            if self.channel.is_some() && self.closed.load(Ordering::Acquire) {
                return self.next();
            }
            if !self.is_enabled() {
                // What waits is sent when it is switched on again, of which nobody tells.
                if self.left().await > 0 {
                    self.look_again(Some(self.later(DISABLED_PAUSE)));
                }
                return self.next();
            }
            let step = match self.deliver_one(&mut machines).await {
                Ok(Some(step)) => step,
                Ok(None) => match self.outbox.next_due(&self.name).await {
                    Ok(Some(at)) => Step::Wait(at.max(self.later(Duration::from_millis(1)))),
                    Ok(None) => Step::Rest,
                    Err(_) => Step::Wait(self.later(OUTBOX_PAUSE)),
                },
                Err(error) => {
                    debug!(channel = %self.name, %error, "outbox does not answer");
                    Step::Wait(self.later(OUTBOX_PAUSE))
                }
            };
            match step {
                Step::Go => self.look_again(Some(now)),
                Step::Wait(at) => self.look_again(Some(at)),
                Step::Rest => {}
            }
            if !matches!(step, Step::Go)
                && let Ok(open) = self.outbox.pending(&self.name).await
            {
                self.record.pending(open);
            }
        }
    }

    /// Claims one delivery and makes one attempt; nothing if none is due.
    async fn deliver_one(&self, machines: &mut Machines) -> Result<Option<Step>, crate::RepositoryError> {
        if let BreakerState::Open { until } = machines.breaker.state(self.clock.monotonic()) {
            return Ok(Some(Step::Wait(self.wall(until))));
        }
        let lease = self.config.timeout.get() + LEASE_MARGIN;
        let Some(held) = self.outbox.claim(&self.name, self.clock.now(), lease).await? else {
            return Ok(None);
        };
        let claim = &held.claim;
        let Some(channel) = &self.channel else {
            let reason = self.record.failure().unwrap_or_default();
            let reason = format!("the channel could not be started: {reason}");
            self.bury(&held, &reason).await?;
            return Ok(Some(Step::Go));
        };
        if machines.sent.contains(claim.notification().key()) {
            // It arrived, and only the outbox could not be told.
            self.outbox.delivered(&held, &Receipt::delivered(), self.clock.now()).await?;
            return Ok(Some(Step::Go));
        }
        let now = self.clock.monotonic();
        let critical = claim.notification().severity() == Severity::Critical;
        let reserve = if critical { 0 } else { self.config.rate.reserved_for_critical };
        if let Acquire::WaitUntil(at) = machines.limiter.try_acquire_leaving(reserve, now) {
            self.record.held_back();
            let at = self.wall(at);
            self.outbox.release(&held, at).await?;
            return Ok(Some(Step::Wait(at)));
        }
        let ticket = match machines.breaker.admit(now) {
            Admission::Admitted(ticket) => ticket,
            Admission::Refused { until } => {
                let at = self.wall(until);
                self.outbox.release(&held, at).await?;
                return Ok(Some(Step::Wait(at)));
            }
        };
        let began = self.clock.monotonic();
        let result = self.attempt(channel.as_ref(), &held).await;
        let now = self.clock.monotonic();
        self.record.attempted(&result, self.clock.now(), now.saturating_since(began));
        let outcome = match &result {
            Ok(_) => Outcome::Success,
            Err(SendError::Retry { .. } | SendError::Unknown { .. }) => Outcome::Failure,
            Err(SendError::RateLimited { .. } | SendError::Permanent { .. }) => Outcome::Neutral,
        };
        match machines.breaker.report(ticket, outcome, now) {
            Some(BreakerChange::Opened { until }) => {
                let until = self.wall(until);
                self.record.circuit(Some(until));
                warn!(channel = %self.name, %until, "circuit opened");
            }
            Some(BreakerChange::Closed) => {
                self.record.circuit(None);
                info!(channel = %self.name, "circuit closed");
            }
            None => {}
        }
        self.settle(machines, &held, result, now).await?;
        Ok(Some(Step::Go))
    }

    /// One attempt: within the deadline, a panic being an error like another.
    async fn attempt(&self, channel: &dyn AlertChannel, held: &Held) -> Result<Receipt, SendError> {
        let limit = self.config.timeout.get();
        let sending = guarded(async { channel.send(held.claim.notification()).await });
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
        result: Result<Receipt, SendError>,
        now: Monotonic,
    ) -> Result<(), crate::RepositoryError> {
        let claim = &held.claim;
        let made = claim.notification().at();
        let spent = self.clock.now().signed_duration_since(made).to_std().unwrap_or_default();
        let failures = claim.attempt().saturating_sub(1);
        let error = match result {
            Ok(receipt) => {
                machines.sent.add(claim.notification().key());
                // The log first: if the outbox cannot be told, nobody has the receipt any more when it can.
                let outcome = DeliveryOutcome::Delivered { receipt: receipt.clone() };
                self.log(claim.delivery(), claim.attempt(), outcome).await;
                return self.outbox.delivered(held, &receipt, self.clock.now()).await;
            }
            Err(error) => error,
        };
        let text = error.to_string();
        if let SendError::RateLimited { after } = error {
            // The service is well and only asks to wait: no attempt is lost on it, only time.
            let asked = after.unwrap_or_else(|| self.schedule.delay(1, machines.jitter.fraction()));
            let asked = asked.min(self.schedule.retry_after_cap()).max(Duration::from_millis(1));
            machines.limiter.hold_until(now.saturating_add(asked));
            if self.schedule.budget().is_none_or(|budget| spent.saturating_add(asked) <= budget) {
                return self.outbox.release(held, self.wall(now.saturating_add(asked))).await;
            }
            return self.bury(held, &text).await;
        }
        if !error.is_retryable() {
            return self.bury(held, &text).await;
        }
        let mut retry = self.schedule.resume(now, failures, spent);
        match retry.after_failure(now, machines.jitter.fraction(), error.after()) {
            Next::RetryAt(at) => {
                self.record.retried();
                self.outbox.retry_at(held, self.wall(at), &text).await
            }
            Next::GiveUp(enough) => self.bury(held, &format!("{enough}; the last time: {text}")).await,
        }
    }

    async fn bury(&self, held: &Held, reason: &str) -> Result<(), crate::RepositoryError> {
        let claim = &held.claim;
        self.outbox.dead(held, self.clock.now(), reason).await?;
        self.record.buried();
        warn!(channel = %self.name, key = %claim.notification().key(), reason, "notification given up");
        self.log(claim.delivery(), claim.attempt(), DeliveryOutcome::Dead { reason: reason.to_owned() })
            .await;
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
        while !self.closed.load(Ordering::Acquire) {
            let next = self.deliver_due().await;
            let sleep = async {
                match next {
                    Some(at) => self.clock.sleep_until(self.monotonic(at)).await,
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
        if self.closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        // Not in the middle of an attempt.
        let _machines = self.machines.lock().await;
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
    pub(crate) async fn left(&self) -> u64 {
        self.outbox.pending(&self.name).await.unwrap_or_else(|_| self.record.last_pending())
    }

    fn later(&self, length: Duration) -> DateTime<Utc> {
        self.wall(self.clock.monotonic().saturating_add(length))
    }

    fn wall(&self, at: Monotonic) -> DateTime<Utc> {
        wall_at(&self.clock, at)
    }

    fn monotonic(&self, at: DateTime<Utc>) -> Monotonic {
        monotonic_at(&self.clock, at)
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

/// The future's output, or the text of its panic.
async fn guarded<F: Future>(future: F) -> Result<F::Output, String> {
    let mut future = Box::pin(future);
    std::future::poll_fn(move |cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(panic) => {
            Poll::Ready(Err(match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
                (Some(text), _) => (*text).to_owned(),
                (None, Some(text)) => text.clone(),
                (None, None) => "a value that is not text".to_owned(),
            }))
        }
    })
    .await
}

impl fmt::Debug for Courier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Courier").field("status", &self.status()).finish_non_exhaustive()
    }
}
