//! The life of one rule on one label set.
use std::time::Duration;

use bellwether_core::Timestamp;
use chrono::{DateTime, TimeDelta, Utc};

use super::evaluation::Verdict;
use super::rule::{MissingData, Rule};
use crate::Alert;

/// What one evaluation saw of one label set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    /// The condition, and the newest sample behind it; none without data.
    pub(super) condition: Option<(Verdict, Timestamp)>,
    /// What keeps an alert firing, where that differs from the condition.
    pub(super) hold: Option<bool>,
}

/// The life of one rule on one label set.
#[derive(Debug, Clone)]
pub(super) struct SeriesState {
    pub(super) phase: Phase,
    /// The newest sample that was seen.
    newest: Timestamp,
    /// Whether the condition was met when last there was data.
    met: bool,
    /// The value when the condition last held.
    pub(super) value: f64,
    /// The alert as it was last raised.
    pub(super) alert: Option<Alert>,
    /// The alert about missing data, while it fires.
    pub(super) no_data: Option<Alert>,
    /// The evaluation that last saw it.
    pub(super) round: u64,
    /// Since when there has been no data of it: since the first evaluation that found none. Where its age is judged, since its newest sample.
    missed: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Idle,
    Pending {
        since: DateTime<Utc>,
    },
    Firing {
        since: DateTime<Utc>,
        /// The first evaluation that no longer saw the condition.
        lost: Option<DateTime<Utc>>,
    },
}

/// What an evaluation changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Nothing,
    /// It fires, newly or with another value.
    Raised,
    /// It no longer fires.
    Resolved,
}

impl SeriesState {
    pub(super) fn new(newest: Timestamp) -> Self {
        Self {
            phase: Phase::Idle,
            newest,
            met: false,
            value: 0.0,
            alert: None,
            no_data: None,
            round: 0,
            missed: None,
        }
    }

    /// An evaluation found no data of it: whether it has been without for as long as its rule remembers. Not while the alert about that is still to come,
    /// which one that is judged seldom would never see.
    pub(super) fn is_gone(&mut self, rule: &Rule, now: DateTime<Utc>) -> bool {
        let missed = *self.missed.get_or_insert(now);
        elapsed(missed, now) >= rule.forget && !matches!(self.phase, Phase::Pending { .. })
    }

    /// The clock was set ahead: what is counted from goes with it.
    pub(super) fn clock_set(&mut self, ahead: TimeDelta) {
        let moved = |at: DateTime<Utc>| at.checked_add_signed(ahead).unwrap_or(at);
        self.missed = self.missed.map(moved);
        self.newest = Timestamp::try_from(moved(self.newest.to_datetime())).unwrap_or(self.newest);
        match &mut self.phase {
            Phase::Pending { since } => *since = moved(*since),
            Phase::Firing { lost: Some(lost), .. } => *lost = moved(*lost),
            Phase::Idle | Phase::Firing { lost: None, .. } => {}
        }
    }

    /// Whether it can be forgotten: nothing depends on having seen this label set.
    pub(super) fn is_forgettable(&self, missing: MissingData) -> bool {
        let idle = self.phase == Phase::Idle && self.no_data.is_none();
        idle && !matches!(missing, MissingData::Fire | MissingData::NoData)
    }

    pub(super) fn step(&mut self, rule: &Rule, seen: Seen, now: DateTime<Utc>) -> Change {
        let firing = matches!(self.phase, Phase::Firing { .. });
        let before = self.value;
        let met = match seen.condition {
            Some((verdict, newest)) => {
                self.newest = self.newest.max(newest);
                let age = if rule.by_age {
                    TimeDelta::try_milliseconds((verdict.value * 1_000.0) as i64)
                } else {
                    None
                };
                self.missed = age.map(|age| now.checked_sub_signed(age).unwrap_or(now));
                self.met = verdict.holds || (firing && seen.hold == Some(true));
                if self.met {
                    self.value = verdict.value;
                }
                self.met
            }
            None if firing && seen.hold == Some(true) => true,
            None => match rule.missing {
                MissingData::Keep(age) => self.met && !self.is_older_than(age, now),
                MissingData::Fire => true,
                MissingData::Resolve | MissingData::NoData => false,
            },
        };
        let change = self.advance(rule, met, now);
        match change {
            // Compared as bits: a NaN is the same NaN, and says nothing new.
            Change::Nothing
                if matches!(self.phase, Phase::Firing { .. }) && self.value.to_bits() != before.to_bits() =>
            {
                Change::Raised
            }
            change => change,
        }
    }

    fn is_older_than(&self, age: Duration, now: DateTime<Utc>) -> bool {
        Timestamp::try_from(now).is_ok_and(|now| now.saturating_since(self.newest) > age)
    }

    fn advance(&mut self, rule: &Rule, met: bool, now: DateTime<Utc>) -> Change {
        match (self.phase, met) {
            (Phase::Idle, false) => Change::Nothing,
            (Phase::Idle, true) => {
                self.phase = Phase::Pending { since: now };
                self.ripen(rule, now, now)
            }
            // If the clock was set back, it counts from now on: nothing waits longer than its rule says.
            (Phase::Pending { since }, true) => {
                let since = since.min(now);
                self.phase = Phase::Pending { since };
                self.ripen(rule, since, now)
            }
            (Phase::Pending { .. }, false) => {
                self.phase = Phase::Idle;
                Change::Nothing
            }
            (Phase::Firing { since, .. }, true) => {
                self.phase = Phase::Firing { since, lost: None };
                Change::Nothing
            }
            (Phase::Firing { since, lost }, false) => {
                let lost = lost.map_or(now, |lost| lost.min(now));
                if elapsed(lost, now) < rule.keep_firing {
                    self.phase = Phase::Firing { since, lost: Some(lost) };
                    Change::Nothing
                } else {
                    self.phase = Phase::Idle;
                    Change::Resolved
                }
            }
        }
    }

    fn ripen(&mut self, rule: &Rule, since: DateTime<Utc>, now: DateTime<Utc>) -> Change {
        if elapsed(since, now) < rule.wait {
            return Change::Nothing;
        }
        self.phase = Phase::Firing { since: now, lost: None };
        Change::Raised
    }
}

/// How long ago; nothing if the clock was set back.
fn elapsed(since: DateTime<Utc>, now: DateTime<Utc>) -> Duration {
    now.signed_duration_since(since).to_std().unwrap_or_default()
}
