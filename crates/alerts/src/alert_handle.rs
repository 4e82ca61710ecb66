//! Raising alerts from the hot path.
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};

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
/// mildest that wait gives way, and is counted; what is raised gives way itself only if all that wait is worse. What is raised at
/// every tick should be a [`PreparedAlert`], of which one raise waits at a time however often it comes.
#[derive(Clone)]
pub struct AlertHandle {
    raised: Arc<Raised>,
}

/// An alert that is ready to be raised: labels and texts are fixed, the value comes with each raise. Raising it allocates nothing.
///
/// Made to be told at every tick whether it is so. What repeats what it said last, while that still waits to be taken up, takes no more
/// room: only the newest value is kept, and the time at which it was first said.
#[derive(Clone)]
pub struct PreparedAlert {
    raised: Arc<Raised>,
    prepared: Arc<Prepared>,
}

struct Prepared {
    alert: Alert,
    texts: Vec<(String, Template)>,
    /// The last word that waits to be taken up: [`SILENT`], [`RAISED`] or [`OVER`].
    waiting: AtomicU8,
    /// The bits of the newest value, a NaN for none.
    value: AtomicU64,
}

const SILENT: u8 = 0;
const RAISED: u8 = 1;
const OVER: u8 = 2;

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
    /// [`RAISED`] or [`OVER`].
    Prepared {
        prepared: Arc<Prepared>,
        word: u8,
        at: DateTime<Utc>,
    },
}

impl Raise {
    /// It waits no more: the same may be said again. Also when it gave way, or it could not be said ever after.
    fn leave(&self) {
        if let Self::Prepared { prepared, word, .. } = self {
            // If something else was said since, that is the last word.
            let _ = prepared.waiting.compare_exchange(*word, SILENT, Ordering::AcqRel, Ordering::Acquire);
        }
    }
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
        if self.waiting.fetch_add(1, Ordering::AcqRel) >= self.capacity {
            let mut milder = self.lanes.iter().enumerate().take(own + 1);
            let gave_way = milder.find_map(|(lane, waiting)| Some((lane, waiting.pop()?)));
            let worse = || self.lanes.iter().skip(own + 1).map(ArrayQueue::len).sum::<usize>();
            match gave_way {
                Some((lane, milder)) => self.gave_way(lane, &milder),
                None if worse() >= self.capacity => return self.gave_way(own, &raise),
                // What fills it is still on its way in, milder perhaps: no reason to give way.
                None => {}
            }
        }
        // A lane holds as many as all together may wait, so only a race of many threads can find it full.
        if let Some(oldest) = self.lanes.get(own).and_then(|lane| lane.force_push(raise)) {
            self.gave_way(own, &oldest);
        }
        self.wake.notify_one();
    }

    /// One that waited, or was about to, is dropped.
    fn gave_way(&self, lane: usize, raise: &Raise) {
        raise.leave();
        self.waiting.fetch_sub(1, Ordering::AcqRel);
        if let Some(overflowed) = self.overflowed.get(lane) {
            overflowed.increment();
        }
    }

    /// The next that waits, the worst first; those of one severity in the order in which they were raised.
    pub(crate) fn pop(&self) -> Option<Alert> {
        let raise = self.lanes.iter().rev().find_map(ArrayQueue::pop)?;
        self.waiting.fetch_sub(1, Ordering::AcqRel);
        // Before the value is read: a newer one is read here or raised anew.
        raise.leave();
        Some(match raise {
            Raise::Alert(alert) => alert,
            Raise::Prepared { prepared, word: OVER, at } => prepared.alert_now().since(at).ended(at),
            Raise::Prepared { prepared, at, .. } => prepared.alert_now().since(at),
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
    /// The alert with its newest value.
    fn alert_now(&self) -> Alert {
        let value = f64::from_bits(self.value.load(Ordering::Acquire));
        let texts =
            self.texts.iter().map(|(name, text)| (name.as_str(), text.render(value, self.alert.labels())));
        // Rendering keeps the names, and cuts what is too long.
        let annotations = Annotations::new(texts).unwrap_or_default();
        self.alert.clone().saying(Some(value), annotations)
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
        let prepared = Prepared {
            texts: texts.collect::<Result<_, _>>()?,
            alert: alert.clone(),
            waiting: AtomicU8::new(SILENT),
            value: AtomicU64::new(f64::NAN.to_bits()),
        };
        Ok(PreparedAlert { raised: Arc::clone(&self.raised), prepared: Arc::new(prepared) })
    }
}

impl PreparedAlert {
    /// Raises it with a value, as of now. A value that is no finite number is left out.
    pub fn raise(&self, value: f64) {
        self.prepared.value.store(value.to_bits(), Ordering::Release);
        self.say(RAISED);
    }

    /// Raises it without a value, as of now.
    pub fn raise_plain(&self) {
        self.raise(f64::NAN);
    }

    /// Says that it is over, as of now.
    pub fn resolve(&self) {
        self.say(OVER);
    }

    /// Says a word, unless it was the last and still waits.
    fn say(&self, word: u8) {
        if self.prepared.waiting.swap(word, Ordering::AcqRel) != word {
            let (prepared, at) = (Arc::clone(&self.prepared), self.raised.clock.now());
            self.raised.push(self.prepared.alert.severity(), Raise::Prepared { prepared, word, at });
        }
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
    fn a_prepared_alert_that_gave_way_can_be_raised_again() {
        let (handle, raised) = queue(1);
        let info = handle.prepare(&alert("i1", Severity::Info)).unwrap();
        info.raise(1.0);
        handle.raise(alert("c1", Severity::Critical));
        info.raise(2.0);
        assert_eq!(names(&raised), ["c1"]);
        info.raise(3.0);
        assert_eq!(names(&raised), ["i1"]);
        assert_eq!(raised.overflowed().map(|(_, count)| count).collect::<Vec<_>>(), [2, 0, 0, 0]);
    }

    #[test]
    fn many_threads_drive_no_critical_alert_out_with_info() {
        let (handle, raised) = queue(16);
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let handle = handle.clone();
                scope.spawn(move || {
                    let one = |severity| alert(&format!("t{thread}"), severity);
                    for _ in 0..500 {
                        handle.raise(one(Severity::Info));
                    }
                    handle.raise(one(Severity::Critical));
                    for _ in 0..500 {
                        handle.raise(one(Severity::Info));
                    }
                });
            }
        });
        let taken: Vec<_> = std::iter::from_fn(|| raised.pop()).map(|alert| alert.severity()).collect();
        let critical = taken.iter().filter(|severity| **severity == Severity::Critical).count();
        let dropped: u64 = raised.overflowed().map(|(_, count)| count).sum();
        assert_eq!((critical, raised.waiting(), taken.len() as u64 + dropped), (8, 0, 8 * 1001));
    }

    #[test]
    fn a_prepared_alert_says_its_value() {
        let (handle, raised) = queue(4);
        let text = "down {{ $value }}";
        let kill = Alert::builder("Kill", DateTime::UNIX_EPOCH).annotation("summary", text).build().unwrap();
        let kill = handle.prepare(&kill).unwrap();
        kill.raise(0.25);
        let first = raised.pop().unwrap();
        assert_eq!((first.value(), first.annotations().get("summary")), (Some(0.25), Some("down 0.25")));
        kill.resolve();
        let over = raised.pop().unwrap();
        assert_eq!((over.is_firing(), over.annotations().get("summary")), (false, Some("down 0.25")));
        kill.raise(f64::NAN);
        assert_eq!(raised.pop().unwrap().value(), None);
        let wrong =
            Alert::builder("Kill", DateTime::UNIX_EPOCH).annotation("summary", "{{value}}").build().unwrap();
        assert!(matches!(handle.prepare(&wrong), Err(AlertError::Template { .. })));
    }
}
