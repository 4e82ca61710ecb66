//! What is told as events, and how often.

use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bellwether_core::{Collect, CollectError, Descriptor, SampleSink};
use chrono::TimeDelta;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::desk::Desk;

/// Keeps every event as a line: level, then fields.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<String>>>);

impl Captured {
    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Subscriber for Captured {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = event.metadata().level().to_string();
        event.record(&mut Fields(&mut line));
        self.0.lock().unwrap().push(line);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

struct Gateway(Arc<AtomicBool>);

impl Collect for Gateway {
    fn descriptors(&self) -> &[Descriptor] {
        &[]
    }
    fn collect(&self, _: &mut dyn SampleSink) -> Result<(), CollectError> {
        if self.0.load(Ordering::Relaxed) { Ok(()) } else { Err(CollectError::new("not logged in")) }
    }
}

#[test]
fn a_failing_collector_is_told_once_per_change() {
    let captured = Captured::default();
    tracing::subscriber::with_default(captured.clone(), || {
        let desk = Desk::new();
        let up = Arc::new(AtomicBool::new(false));
        desk.collect(Gateway(Arc::clone(&up))).unwrap();
        for _ in 0..3 {
            desk.text();
        }
        up.store(true, Ordering::Relaxed);
        for _ in 0..3 {
            desk.text();
        }
    });
    let lines = captured.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    let (failed, recovered) = (&lines[0], &lines[1]);
    assert!(failed.starts_with("WARN") && failed.contains("collector failed"), "{failed}");
    assert!(failed.contains("Gateway") && failed.contains("error=not logged in"), "{failed}");
    assert!(recovered.starts_with("INFO") && recovered.contains("collector recovered"), "{recovered}");
}

#[test]
fn a_clock_that_is_set_back_is_told() {
    let captured = Captured::default();
    tracing::subscriber::with_default(captured.clone(), || {
        let desk = Desk::new();
        desk.sample();
        desk.clock.step_wall(TimeDelta::hours(-1));
        desk.sample();
        desk.advance(1);
        desk.sample();
    });
    let lines = captured.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("WARN") && lines[0].contains("set back"), "{}", lines[0]);
}
