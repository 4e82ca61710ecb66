use std::time::Duration;

use crate::desk::Desk;

#[test]
fn a_timer_records_what_passed_on_the_clock() {
    let desk = Desk::new();
    let timer = desk.timer("quote_seconds", "From tick to quote.").unwrap();
    let running = timer.start();
    desk.clock.advance(Duration::from_millis(250));
    assert_eq!(running.elapsed(), Duration::from_millis(250));
    assert_eq!(running.stop(), Duration::from_millis(250));
    timer.time(|| desk.clock.advance(Duration::from_millis(750)));
    timer.start().discard();
    let seen = timer.histogram().snapshot();
    assert_eq!((seen.count(), seen.sum), (2, 1.0));
}

#[test]
fn a_step_of_the_wall_clock_does_not_reach_a_timer() {
    let desk = Desk::new();
    let timer = desk.timer("quote_seconds", "From tick to quote.").unwrap();
    let running = timer.start();
    desk.clock.step_wall(chrono::TimeDelta::hours(-5));
    desk.clock.advance(Duration::from_secs(1));
    drop(running);
    assert_eq!(timer.histogram().snapshot().sum, 1.0);
}

#[test]
fn a_call_that_panics_is_recorded() {
    let desk = Desk::new();
    let timer = desk.timer("quote_seconds", "From tick to quote.").unwrap();
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        timer.time(|| {
            desk.clock.advance(Duration::from_secs(2));
            std::panic::resume_unwind(Box::new("no quote"));
        });
    }));
    assert!(result.is_err());
    assert_eq!(timer.histogram().snapshot().sum, 2.0);
}
