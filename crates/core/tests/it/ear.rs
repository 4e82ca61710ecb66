//! Hears what a test's own thread tells `tracing`, whatever the tests beside it do.
use std::cell::RefCell;
use std::fmt::Write as _;
use std::rc::{Rc, Weak};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{Interest, set_global_default};
use tracing::{Event, Metadata, Subscriber};

thread_local! {
    static OPEN: RefCell<Weak<RefCell<Vec<String>>>> = const { RefCell::new(Weak::new()) };
}

/// Hears the events of its thread while it lives, each as a line: level and fields.
///
/// `tracing` decides once for all threads whether a place in the code is listened to, and asks the thread that comes by first: a
/// subscriber of one thread misses what another thread reached before it. This one is everybody's.
pub(crate) struct Ear(Rc<RefCell<Vec<String>>>);

impl Ear {
    pub(crate) fn open() -> Self {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            set_global_default(Everything).unwrap();
            SET.store(true, Ordering::SeqCst);
            tracing::callsite::rebuild_interest_cache();
        });
        let ear = Self(Rc::default());
        OPEN.set(Rc::downgrade(&ear.0));
        ear
    }

    /// What was told since the last time.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.take()
    }
}

/// Set once [`Everything`] listens in every thread. Until then it has no level, so that no thread comes to a place in the code and
/// finds nobody there.
static SET: AtomicBool = AtomicBool::new(false);

struct Everything;

impl Subscriber for Everything {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::always()
    }
    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(if SET.load(Ordering::SeqCst) { LevelFilter::TRACE } else { LevelFilter::OFF })
    }
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn event(&self, event: &Event<'_>) {
        if let Some(lines) = OPEN.with_borrow(Weak::upgrade)
            && event.metadata().target().starts_with("bellwether_")
        {
            lines.borrow_mut().push(line(event));
        }
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

fn line(event: &Event<'_>) -> String {
    struct Line(String);
    impl Visit for Line {
        fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
            write!(self.0, " {field}={value:?}").unwrap();
        }
    }
    let mut line = Line(event.metadata().level().to_string());
    event.record(&mut line);
    line.0
}
