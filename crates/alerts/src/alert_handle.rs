//! Raising alerts from the hot path.
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bellwether_core::{Severity, SharedClock, Tally};
use chrono::{DateTime, Utc};
use crossbeam_queue::ArrayQueue;
use tokio::sync::Notify;

use crate::annotations::Annotations;
use crate::template::Template;
use crate::{Alert, AlertError};

/// Raises alerts from anywhere, the hot path included: never blocks, never waits, cannot fail. Cheap to clone.
///
/// What is raised waits in a bounded queue until the engine takes it up, the worst first. When the queue is full the oldest of the
/// mildest that wait gives way, and is counted; what is raised gives way itself only if all that wait is worse.
#[derive(Clone)]
pub struct AlertHandle {
    raised: Arc<Raised>,
}

/// An alert that is ready to be raised: labels and texts are fixed, the value comes with each raise. Raising it allocates nothing.
#[derive(Clone)]
pub struct PreparedAlert {
    raised: Arc<Raised>,
    prepared: Arc<Prepared>,
}

struct Prepared {
    alert: Alert,
    texts: Vec<(String, Template)>,
}

/// What waits to be taken up by the engine.
pub(crate) struct Raised {
    clock: SharedClock,
    /// By severity, the mildest first.
    lanes: [ArrayQueue<Raise>; 4],
    waiting: AtomicUsize,
    capacity: usize,
    overflowed: [Tally; 4],
    pub(crate) wake: Notify,
}

enum Raise {
    Alert(Alert),
    Prepared { prepared: Arc<Prepared>, value: Option<f64>, at: DateTime<Utc> },
    Over { prepared: Arc<Prepared>, at: DateTime<Utc> },
}

impl Raised {
    pub(crate) fn new(clock: SharedClock, capacity: usize) -> Self {
        let capacity = capacity.max(1);
        Self {
            clock,
            lanes: std::array::from_fn(|_| ArrayQueue::new(capacity)),
            waiting: AtomicUsize::new(0),
            capacity,
            overflowed: std::array::from_fn(|_| Tally::new()),
            wake: Notify::new(),
        }
    }

    fn push(&self, severity: Severity, raise: Raise) {
        let own = severity as usize;
        let full = self.waiting.fetch_add(1, Ordering::AcqRel) >= self.capacity;
        if full {
            let milder = self.lanes.iter().zip(&self.overflowed).take(own + 1);
            let gave_way = milder.into_iter().find(|(lane, _)| lane.pop().is_some());
            let Some((_, overflowed)) = gave_way else {
                self.waiting.fetch_sub(1, Ordering::AcqRel);
                self.count_overflow(own);
                return;
            };
            overflowed.increment();
            self.waiting.fetch_sub(1, Ordering::AcqRel);
        }
        // A lane holds as many as all together may wait, so only a race of many threads can find it full.
        if self.lanes.get(own).is_some_and(|lane| lane.push(raise).is_err()) {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            self.count_overflow(own);
        }
        self.wake.notify_one();
    }

    fn count_overflow(&self, lane: usize) {
        if let Some(overflowed) = self.overflowed.get(lane) {
            overflowed.increment();
        }
    }

    /// The next that waits, the worst first; those of one severity in the order in which they were raised.
    pub(crate) fn pop(&self) -> Option<Alert> {
        let raise = self.lanes.iter().rev().find_map(ArrayQueue::pop)?;
        self.waiting.fetch_sub(1, Ordering::AcqRel);
        Some(match raise {
            Raise::Alert(alert) => alert,
            Raise::Prepared { prepared, value, at } => prepared.alert_with(value).since(at),
            Raise::Over { prepared, at } => prepared.alert.clone().since(at).ended(at),
        })
    }

    /// How many of each severity had to give way, the mildest first.
    pub(crate) fn overflowed(&self) -> impl Iterator<Item = (Severity, u64)> {
        Severity::ALL.into_iter().zip(self.overflowed.iter().map(Tally::get))
    }

    /// How many wait, about.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

impl Prepared {
    fn alert_with(&self, value: Option<f64>) -> Alert {
        let shown = value.unwrap_or(f64::NAN);
        let texts =
            self.texts.iter().map(|(name, text)| (name.as_str(), text.render(shown, self.alert.labels())));
        // Rendering keeps the names, and cuts what is too long.
        let annotations = Annotations::new(texts).unwrap_or_default();
        self.alert.clone().saying(value, annotations)
    }
}

impl AlertHandle {
    pub(crate) fn new(raised: Arc<Raised>) -> Self {
        Self { raised }
    }

    /// Raises an alert, or says that it is over if it has an end that is past.
    pub fn raise(&self, alert: Alert) {
        self.raised.push(alert.severity(), Raise::Alert(alert));
    }

    /// Prepares an alert to be raised again and again. Its annotations may have `{{ $value }}` and `{{ $labels.name }}` in them.
    ///
    /// ```
    /// # use bellwether_alerts::{Alert, AlertError, AlertHandle, PreparedAlert};
    /// # use bellwether_core::{Clock, Severity, SharedClock};
    /// fn prepare(alerts: &AlertHandle, clock: &SharedClock) -> Result<PreparedAlert, AlertError> {
    ///     let alert = Alert::builder("KillSwitch", clock.now())
    ///         .severity(Severity::Critical)
    ///         .annotation("summary", "trading stopped at a drawdown of {{ $value | humanizePercentage }}");
    ///     alerts.prepare(&alert.build()?)
    /// }
    /// fn on_the_hot_path(kill: &PreparedAlert, drawdown: f64) {
    ///     kill.raise(drawdown);
    /// }
    /// ```
    pub fn prepare(&self, alert: &Alert) -> Result<PreparedAlert, AlertError> {
        let texts = alert.annotations().iter().map(|(name, text)| match Template::parse(text) {
            Ok(template) => Ok((name.to_owned(), template)),
            Err(reason) => Err(AlertError::Template { name: name.to_owned(), reason }),
        });
        let prepared = Prepared { texts: texts.collect::<Result<_, _>>()?, alert: alert.clone() };
        Ok(PreparedAlert { raised: Arc::clone(&self.raised), prepared: Arc::new(prepared) })
    }
}

impl PreparedAlert {
    /// Raises it with a value, as of now. A value that is no finite number is left out.
    pub fn raise(&self, value: f64) {
        self.push(|prepared, at| Raise::Prepared { prepared, value: Some(value), at });
    }

    /// Raises it without a value, as of now.
    pub fn raise_plain(&self) {
        self.push(|prepared, at| Raise::Prepared { prepared, value: None, at });
    }

    /// Says that it is over, as of now.
    pub fn resolve(&self) {
        self.push(|prepared, at| Raise::Over { prepared, at });
    }

    fn push(&self, raise: impl FnOnce(Arc<Prepared>, DateTime<Utc>) -> Raise) {
        let at = self.raised.clock.now();
        self.raised.push(self.prepared.alert.severity(), raise(Arc::clone(&self.prepared), at));
    }
}

impl fmt::Debug for AlertHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlertHandle").field("waiting", &self.raised.waiting()).finish_non_exhaustive()
    }
}

impl fmt::Debug for PreparedAlert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedAlert").field("alert", &self.prepared.alert).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use bellwether_core::ManualClock;

    use super::*;

    fn queue(capacity: usize) -> (AlertHandle, Arc<Raised>) {
        let clock = ManualClock::starting_at(DateTime::UNIX_EPOCH);
        let raised = Arc::new(Raised::new(clock.shared(), capacity));
        (AlertHandle::new(Arc::clone(&raised)), raised)
    }

    fn alert(name: &str, severity: Severity) -> Alert {
        Alert::builder(name, DateTime::UNIX_EPOCH).severity(severity).build().unwrap()
    }

    fn names(raised: &Raised) -> Vec<String> {
        std::iter::from_fn(|| raised.pop()).map(|alert| alert.name().to_owned()).collect()
    }

    #[test]
    fn critical_is_taken_first_and_never_dropped_before_info() {
        let (handle, raised) = queue(3);
        for name in ["i1", "i2", "i3"] {
            handle.raise(alert(name, Severity::Info));
        }
        handle.raise(alert("c1", Severity::Critical));
        handle.raise(alert("w1", Severity::Warning));
        handle.raise(alert("i4", Severity::Info));
        assert_eq!(raised.waiting(), 3);
        assert_eq!(names(&raised), ["c1", "w1", "i4"]);
        assert_eq!(raised.overflowed().map(|(_, count)| count).collect::<Vec<_>>(), [3, 0, 0, 0]);
    }

    #[test]
    fn the_mildest_gives_way_first() {
        let (handle, raised) = queue(2);
        handle.raise(alert("w1", Severity::Warning));
        handle.raise(alert("i1", Severity::Info));
        handle.raise(alert("e1", Severity::Error));
        assert_eq!(names(&raised), ["e1", "w1"]);
    }

    #[test]
    fn mild_alerts_do_not_drive_out_worse_ones() {
        let (handle, raised) = queue(2);
        for name in ["c1", "c2", "c3"] {
            handle.raise(alert(name, Severity::Critical));
        }
        handle.raise(alert("i1", Severity::Info));
        assert_eq!(names(&raised), ["c2", "c3"]);
        assert_eq!(raised.overflowed().map(|(_, count)| count).collect::<Vec<_>>(), [1, 0, 0, 1]);
        assert_eq!(raised.waiting(), 0);
    }

    #[test]
    fn a_prepared_alert_says_its_value() {
        let (handle, raised) = queue(4);
        let text = "down {{ $value }}";
        let kill = Alert::builder("Kill", DateTime::UNIX_EPOCH).annotation("summary", text).build().unwrap();
        let kill = handle.prepare(&kill).unwrap();
        kill.raise(0.25);
        kill.raise(f64::NAN);
        kill.resolve();
        let first = raised.pop().unwrap();
        assert_eq!((first.value(), first.annotations().get("summary")), (Some(0.25), Some("down 0.25")));
        assert_eq!(raised.pop().unwrap().value(), None);
        assert!(!raised.pop().unwrap().is_firing());
        let wrong =
            Alert::builder("Kill", DateTime::UNIX_EPOCH).annotation("summary", "{{value}}").build().unwrap();
        assert!(matches!(handle.prepare(&wrong), Err(AlertError::Template { .. })));
    }
}
