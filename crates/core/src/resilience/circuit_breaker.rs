//! A switch that stops calls to a side that keeps failing.
use super::BreakerSettings;
use super::failure_window::FailureWindow;
use crate::Monotonic;

/// How a call went, as far as it tells about the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The other side works.
    Success,
    /// The other side does not: an error of its own, no connection, no answer in time.
    Failure,
    /// The call says nothing about the other side: refused for its own content, or given up by the caller.
    Neutral,
}

/// The right to make one call, to be handed back with its [`Outcome`].
///
/// A ticket that is dropped instead counts for nothing: if it was a probe, its lease runs out.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "report the outcome of the call with it"]
pub struct Ticket {
    era: u64,
    probe: bool,
}

impl Ticket {
    /// Whether this call is the one that tries a side believed to be failing.
    pub fn is_probe(&self) -> bool {
        self.probe
    }
}

/// Whether a call may be made.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the answer says whether to call"]
pub enum Admission {
    /// Call, then report.
    Admitted(Ticket),
    /// Do not call.
    Refused {
        /// Asking again before this instant is in vain, unless a probe reports earlier.
        until: Monotonic,
    },
}

/// What a [`CircuitBreaker`] is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Calls go through.
    Closed,
    /// No call goes through before this instant.
    Open {
        /// When the first probe may go.
        until: Monotonic,
    },
    /// One call at a time tries whether the other side works again.
    HalfOpen {
        /// Whether that call is under way.
        probing: bool,
    },
}

/// A change worth telling, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerChange {
    /// Calls are refused from now on.
    Opened {
        /// When the first probe may go.
        until: Monotonic,
    },
    /// Calls go through again.
    Closed,
}

/// Refuses calls to a side that keeps failing, then tries it with one call at a time.
///
/// Closed: calls go through; enough failures in a row, or a large enough share of them, open it. Open:
/// nothing goes through for a while, longer each time a probe fails. Half-open: exactly one probe is under
/// way; enough successes close it, one failure opens it again. A probe that does not report in time loses its
/// lease to the next caller, so that nothing can wedge it shut; until somebody asks, a late report still
/// counts. An outcome that comes late, from a call admitted before the last change, is ignored.
///
/// ```
/// use bellwether_core::{Monotonic, resilience::*};
///
/// let mut breaker = CircuitBreaker::new(BreakerSettings::builder().failures(std::num::NonZeroU32::MIN).build()?);
/// let now = Monotonic::ORIGIN;
/// let Admission::Admitted(ticket) = breaker.admit(now) else { unreachable!() };
/// let until = now.saturating_add(breaker.settings().open_for());
/// assert_eq!(breaker.report(ticket, Outcome::Failure, now), Some(BreakerChange::Opened { until }));
/// assert_eq!(breaker.admit(now), Admission::Refused { until });
/// let Admission::Admitted(probe) = breaker.admit(until) else { unreachable!() };
/// assert_eq!(breaker.report(probe, Outcome::Success, until), Some(BreakerChange::Closed));
/// # Ok::<(), BreakerError>(())
/// ```
#[derive(Debug, Clone)]
pub struct CircuitBreaker {
    settings: BreakerSettings,
    phase: Phase,
    /// Grows with every change and every probe: a ticket of another era is out of date.
    era: u64,
    /// How often it opened since it was last closed.
    openings: u32,
    window: Option<FailureWindow>,
    /// The latest time seen: the breaker's own time never steps back.
    latest: Monotonic,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Closed { failures_in_a_row: u32 },
    Open { until: Monotonic },
    HalfOpen { successes: u32, lease: Option<Monotonic> },
}

impl CircuitBreaker {
    /// A closed breaker.
    pub fn new(settings: BreakerSettings) -> Self {
        Self {
            settings,
            phase: Phase::Closed { failures_in_a_row: 0 },
            era: 0,
            openings: 0,
            window: settings.failure_ratio().map(|ratio| FailureWindow::new(ratio.window)),
            latest: Monotonic::ORIGIN,
        }
    }

    /// Asks to make a call.
    pub fn admit(&mut self, now: Monotonic) -> Admission {
        let now = self.observe(now);
        match self.phase {
            Phase::Closed { .. } => Admission::Admitted(Ticket { era: self.era, probe: false }),
            Phase::Open { until } | Phase::HalfOpen { lease: Some(until), .. } if now < until => {
                Admission::Refused { until }
            }
            Phase::Open { .. } => self.probe(0, now),
            Phase::HalfOpen { successes, .. } => self.probe(successes, now),
        }
    }

    /// Reports how an admitted call went, and says whether that changed anything.
    #[allow(clippy::needless_pass_by_value, reason = "a ticket is used up: it reports once")]
    pub fn report(&mut self, ticket: Ticket, outcome: Outcome, now: Monotonic) -> Option<BreakerChange> {
        let now = self.observe(now);
        if ticket.era != self.era {
            return None;
        }
        match (self.phase, outcome) {
            (Phase::Closed { failures_in_a_row }, _) => self.judge(failures_in_a_row, outcome, now),
            // Unreachable with a ticket of this era: opening begins a new one.
            (Phase::Open { .. }, _) => None,
            (Phase::HalfOpen { .. }, Outcome::Failure) => Some(self.open(now)),
            (Phase::HalfOpen { successes, .. }, Outcome::Neutral) => {
                self.era += 1;
                self.phase = Phase::HalfOpen { successes, lease: None };
                None
            }
            (Phase::HalfOpen { successes, .. }, Outcome::Success) => {
                self.era += 1;
                let successes = successes.saturating_add(1);
                if successes < self.settings.successes().get() {
                    self.phase = Phase::HalfOpen { successes, lease: None };
                    return None;
                }
                self.phase = Phase::Closed { failures_in_a_row: 0 };
                self.openings = 0;
                self.clear_window();
                Some(BreakerChange::Closed)
            }
        }
    }

    /// What it is doing at `now`. An open breaker whose time is over shows as half-open.
    pub fn state(&self, now: Monotonic) -> BreakerState {
        let now = now.max(self.latest);
        match self.phase {
            Phase::Closed { .. } => BreakerState::Closed,
            Phase::Open { until } if now < until => BreakerState::Open { until },
            Phase::Open { .. } => BreakerState::HalfOpen { probing: false },
            Phase::HalfOpen { lease, .. } => {
                BreakerState::HalfOpen { probing: lease.is_some_and(|until| now < until) }
            }
        }
    }

    /// How often it has opened since it was last closed.
    pub fn openings(&self) -> u32 {
        self.openings
    }

    /// What it was made with.
    pub fn settings(&self) -> &BreakerSettings {
        &self.settings
    }

    fn observe(&mut self, now: Monotonic) -> Monotonic {
        self.latest = self.latest.max(now);
        self.latest
    }

    fn probe(&mut self, successes: u32, now: Monotonic) -> Admission {
        self.era += 1;
        self.phase =
            Phase::HalfOpen { successes, lease: Some(now.saturating_add(self.settings.probe_lease())) };
        Admission::Admitted(Ticket { era: self.era, probe: true })
    }

    fn judge(&mut self, failures_in_a_row: u32, outcome: Outcome, now: Monotonic) -> Option<BreakerChange> {
        let failures_in_a_row = match outcome {
            Outcome::Neutral => return None,
            Outcome::Success => 0,
            Outcome::Failure => failures_in_a_row.saturating_add(1),
        };
        self.phase = Phase::Closed { failures_in_a_row };
        let too_large_a_share =
            self.settings.failure_ratio().zip(self.window.as_mut()).is_some_and(|(limit, window)| {
                window.note(outcome == Outcome::Failure, now);
                let (failures, calls) = window.count(now);
                calls >= u64::from(limit.least_calls.get()) && failures as f64 >= limit.ratio * calls as f64
            });
        let too_many = failures_in_a_row >= self.settings.failures().get();
        (too_many || (outcome == Outcome::Failure && too_large_a_share)).then(|| self.open(now))
    }

    fn open(&mut self, now: Monotonic) -> BreakerChange {
        let until = now.saturating_add(self.settings.open_time(self.openings));
        self.era += 1;
        self.openings = self.openings.saturating_add(1);
        self.phase = Phase::Open { until };
        self.clear_window();
        BreakerChange::Opened { until }
    }

    fn clear_window(&mut self) {
        if let Some(window) = &mut self.window {
            window.clear();
        }
    }
}
