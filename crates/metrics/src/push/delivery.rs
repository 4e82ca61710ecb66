//! One request until it is delivered, refused, or too old.
use std::sync::Arc;

use bellwether_core::resilience::{Jitter, Next, RetrySchedule};
use bellwether_core::{Monotonic, SharedClock, Stop};
use bellwether_http::{Answer, Client, Request, StatusCode};

use super::PushFigures;

/// What became of a request.
#[derive(Debug)]
pub(super) enum Delivery {
    /// The receiver has taken it, but for so many samples that it refuses for good.
    Done { refused: u64 },
    /// The receiver will never take it.
    Refused,
    /// It could not be delivered in time.
    TooOld,
    /// The host ends, and the last attempt has failed.
    Stopped,
}

/// Which answers are worth another attempt.
pub(super) type IsTransient = fn(StatusCode) -> bool;

/// Makes requests until they are delivered.
pub(super) struct Courier {
    pub(super) client: Arc<Client>,
    pub(super) clock: SharedClock,
    pub(super) schedule: RetrySchedule,
    pub(super) jitter: Jitter,
    pub(super) figures: Arc<PushFigures>,
    pub(super) is_transient: IsTransient,
    /// How many samples the answer says were refused of a request that was taken.
    pub(super) refused: fn(&Answer) -> u64,
    /// Whether the last attempt has failed: told once, and once more when one succeeds.
    pub(super) failing: bool,
}

impl Courier {
    /// Tries until `latest`, and once after a request to stop. Attempts that are under way are let finish.
    pub(super) async fn deliver(&mut self, request: &Request, latest: Monotonic, stop: &Stop) -> Delivery {
        let mut retry = self.schedule.begin(self.clock.monotonic());
        loop {
            let is_last = stop.is_requested();
            let began = self.clock.monotonic();
            let sent = self.client.send(request.clone()).await;
            let now = self.clock.monotonic();
            self.figures.requested(now.saturating_since(began));
            let after = match sent {
                Ok(answer) if answer.status.is_success() => {
                    if std::mem::take(&mut self.failing) {
                        tracing::info!(to = %self.client, "figures are delivered again");
                    }
                    return Delivery::Done { refused: (self.refused)(&answer) };
                }
                Ok(answer) if (self.is_transient)(answer.status) => {
                    self.failed(answer.status);
                    answer.retry_after(self.clock.now())
                }
                Ok(answer) => {
                    self.failed(answer.status);
                    return Delivery::Refused;
                }
                Err(error) => {
                    self.failed(error);
                    None
                }
            };
            if is_last {
                return Delivery::Stopped;
            }
            match retry.after_failure(now, self.jitter.fraction(), after) {
                Next::RetryAt(at) if at <= latest => {
                    // A request to stop brings the last attempt forward.
                    let _ = stop.or(self.clock.sleep_until(at)).await;
                }
                _ => return Delivery::TooOld,
            }
            self.figures.retries.increment();
        }
    }

    /// Counts the samples of a request by what became of it.
    pub(super) fn settle(&self, delivery: &Delivery, samples: u64) {
        let dropped = &self.figures.dropped;
        match delivery {
            Delivery::Done { refused } => {
                let refused = samples.min(*refused);
                dropped.refused.add(refused);
                self.figures.sent.add(samples - refused);
            }
            Delivery::Refused => dropped.refused.add(samples),
            Delivery::TooOld => dropped.age.add(samples),
            Delivery::Stopped => dropped.shutdown.add(samples),
        }
    }

    fn failed(&mut self, reason: impl std::fmt::Display) {
        if !std::mem::replace(&mut self.failing, true) {
            tracing::warn!(to = %self.client, %reason, "figures are not delivered");
        }
    }
}
