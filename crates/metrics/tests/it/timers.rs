use std::time::Duration;

use bellwether_core::Unit;
use bellwether_metrics::{NativeBuckets, Quantiles, Timer};

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

#[test]
fn a_timer_records_into_any_instrument_for_lengths() {
    let desk = Desk::new();
    let native = desk.native_histogram("native", Unit::Seconds, "N.", NativeBuckets::latency()).unwrap();
    let native = Timer::new(native, desk.metrics.clock());
    let summary = desk.summary("summary", Unit::Seconds, "S.", Quantiles::latency()).unwrap();
    let summary = Timer::new(summary, desk.metrics.clock());
    native.time(|| summary.time(|| desk.clock.advance(Duration::from_secs(2))));
    assert_eq!((native.instrument().snapshot().sum, summary.instrument().snapshot().sum), (2.0, 2.0));
}

#[tokio::test]
async fn a_future_is_measured_also_when_it_is_dropped() {
    let desk = Desk::new();
    let timer = desk.timer("quote_seconds", "From tick to quote.").unwrap();
    let clock = desk.metrics.clock().clone();
    let wait = |seconds| clock.sleep(Duration::from_secs(seconds));
    let measured = timer.time_future(async {
        wait(3).await;
        "quoted"
    });
    let (said, ()) = tokio::join!(measured, async { desk.advance(3) });
    assert_eq!((said, timer.histogram().snapshot().sum), ("quoted", 3.0));
    {
        let mut dropped = std::pin::pin!(timer.time_future(wait(100)));
        assert!(poll_once(dropped.as_mut()).is_pending());
        desk.advance(1);
    }
    assert_eq!((timer.histogram().snapshot().count(), timer.histogram().snapshot().sum), (2, 4.0));
}

fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> std::task::Poll<F::Output> {
    future.poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
}

#[test]
fn a_measurement_may_go_to_another_thread() {
    let desk = Desk::new();
    let timer = desk.timer("quote_seconds", "From tick to quote.").unwrap();
    std::thread::scope(|scope| {
        let running = timer.start();
        scope.spawn(move || drop(running));
    });
    assert_eq!(timer.histogram().snapshot().count(), 1);
}
