//! What is told as events, and how often.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bellwether_core::{Collect, CollectError, Descriptor, SampleSink, Unit};
use chrono::TimeDelta;

use crate::desk::Desk;
use crate::ear::Ear;

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
    let ear = Ear::open();
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
    let lines = ear.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    let (failed, recovered) = (&lines[0], &lines[1]);
    assert!(failed.starts_with("WARN") && failed.contains("collector failed"), "{failed}");
    assert!(failed.contains("Gateway") && failed.contains("error=not logged in"), "{failed}");
    assert!(recovered.starts_with("INFO") && recovered.contains("collector recovered"), "{recovered}");
}

#[test]
fn a_clock_that_is_set_back_is_told() {
    let ear = Ear::open();
    let desk = Desk::new();
    desk.sample();
    desk.clock.step_wall(TimeDelta::hours(-1));
    desk.sample();
    desk.advance(1);
    desk.sample();
    let lines = ear.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("WARN") && lines[0].contains("set back"), "{}", lines[0]);
}

#[test]
fn a_callback_that_panics_is_told_once_per_change() {
    let ear = Ear::open();
    let desk = Desk::new();
    let up = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&up);
    let depth = desk.gauge_family("depth", Unit::None, "Depth.", ["queue"]).unwrap();
    depth.with("orders").follow(move || {
        if !asked.load(Ordering::Relaxed) {
            std::panic::resume_unwind(Box::new("poisoned"));
        }
        3.0
    });
    for _ in 0..3 {
        desk.text();
    }
    up.store(true, Ordering::Relaxed);
    for _ in 0..3 {
        assert!(desk.text().contains("depth{queue=\"orders\"} 3\n"));
    }
    let lines = ear.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("WARN") && lines[0].contains("callback of a gauge panics"), "{}", lines[0]);
    assert!(lines[0].contains("depth") && lines[0].contains("queue=\"orders\""), "{}", lines[0]);
    assert!(lines[1].starts_with("INFO") && lines[1].contains("answers again"), "{}", lines[1]);
    assert_eq!(desk.refused("callback"), 3.0);
}
