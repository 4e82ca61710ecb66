use std::time::Duration;

use bellwether_core::{Aggregate, Supervisor};
use bellwether_metrics::{Sampler, SamplerError, Unit};
use chrono::TimeDelta;

use crate::desk::{Desk, at};

/// Lets every task run until it waits.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

/// Moves time in steps small enough for every wait to be met.
async fn pass(desk: &Desk, millis: u64) {
    for _ in 0..millis / 50 {
        desk.clock.advance(Duration::from_millis(50));
        settle().await;
    }
}

fn stamps(desk: &Desk) -> (Option<f64>, Option<i64>) {
    let newest = desk.all("depth", Aggregate::Last).first().map(|answer| answer.newest.as_micros());
    (desk.one("depth", Aggregate::Count), newest.map(|newest| newest - at(0).as_micros()))
}

#[tokio::test]
async fn samples_lie_on_the_grid_and_the_task_ends_with_its_supervisor() {
    let desk = Desk::new();
    let tasks = Supervisor::new(desk.metrics.clock());
    desk.gauge("depth", Unit::None, "Depth.").unwrap().set(1.0);
    pass(&desk, 350).await;
    let sampler = Sampler::start(&desk.metrics, &tasks.tasks(), Duration::from_secs(2)).unwrap();
    settle().await;
    assert_eq!(stamps(&desk), (None, None));
    pass(&desk, 7_000).await;
    assert_eq!(stamps(&desk), (Some(3.0), Some(6_000_000)));
    tasks.shutdown(Duration::from_secs(1)).await.into_result().unwrap();
    assert!(sampler.task().is_ended());
    pass(&desk, 4_000).await;
    assert_eq!(stamps(&desk).0, Some(3.0));
}

#[tokio::test]
async fn a_late_tick_bears_the_instant_it_was_taken_and_missed_ones_are_not_made_up() {
    let desk = Desk::new();
    let tasks = Supervisor::new(desk.metrics.clock());
    desk.gauge("depth", Unit::None, "Depth.").unwrap().set(1.0);
    let _sampler = Sampler::start(&desk.metrics, &tasks.tasks(), Duration::from_secs(1)).unwrap();
    settle().await;
    desk.clock.advance(Duration::from_millis(1_050));
    settle().await;
    assert_eq!(stamps(&desk), (Some(1.0), Some(1_000_000)));
    desk.clock.advance(Duration::from_millis(3_350));
    settle().await;
    assert_eq!(stamps(&desk), (Some(2.0), Some(4_400_000)));
    pass(&desk, 600).await;
    assert_eq!(stamps(&desk), (Some(3.0), Some(5_000_000)));
    // Those of the third and of the fourth second passed while it was held up in its wait for the second.
    assert_eq!(desk.own("bellwether_metrics_sampler_missed_ticks_total", None), 2.0);
    assert!(desk.text().contains("\nbellwether_metrics_sample_seconds_count 3\n"));
}

#[tokio::test]
async fn a_wall_clock_that_is_set_forth_misses_no_tick() {
    let desk = Desk::new();
    let tasks = Supervisor::new(desk.metrics.clock());
    let _sampler = Sampler::start(&desk.metrics, &tasks.tasks(), Duration::from_secs(1)).unwrap();
    settle().await;
    desk.clock.step_wall(TimeDelta::hours(1));
    pass(&desk, 3_000).await;
    assert_eq!(desk.own("bellwether_metrics_sampler_missed_ticks_total", None), 0.0);
}

#[tokio::test]
async fn sampling_goes_on_after_the_wall_clock_was_set_back() {
    let desk = Desk::new();
    let tasks = Supervisor::new(desk.metrics.clock());
    desk.gauge("depth", Unit::None, "Depth.").unwrap().set(1.0);
    let _sampler = Sampler::start(&desk.metrics, &tasks.tasks(), Duration::from_secs(1)).unwrap();
    settle().await;
    pass(&desk, 5_000).await;
    desk.clock.step_wall(TimeDelta::hours(-1));
    pass(&desk, 3_000).await;
    let (count, newest) = stamps(&desk);
    assert_eq!(newest, Some((8 - 3_600) * 1_000_000));
    assert!(count >= Some(2.0), "{count:?}");
}

#[tokio::test]
async fn an_interval_out_of_range_is_an_error() {
    let desk = Desk::new();
    let tasks = Supervisor::new(desk.metrics.clock());
    for interval in [Duration::ZERO, Duration::from_hours(25)] {
        let error = Sampler::start(&desk.metrics, &tasks.tasks(), interval).unwrap_err();
        assert_eq!(error, SamplerError::Interval { interval });
    }
}

#[tokio::test]
async fn a_tick_after_a_sample_that_a_host_took_itself_is_not_stamped_before_it() {
    let desk = Desk::new();
    let tasks = Supervisor::new(desk.metrics.clock());
    desk.gauge("depth", Unit::None, "Depth.").unwrap().set(1.0);
    let _sampler = Sampler::start(&desk.metrics, &tasks.tasks(), Duration::from_secs(1)).unwrap();
    settle().await;
    // The tick of the first second is due; before its task runs the host takes a sample.
    desk.clock.advance(Duration::from_millis(1_030));
    desk.sample();
    desk.clock.advance(Duration::from_millis(20));
    settle().await;
    assert_eq!(stamps(&desk), (Some(2.0), Some(1_050_000)));
    assert_eq!(desk.refused("out_of_order"), 0.0);
    pass(&desk, 1_000).await;
    assert_eq!(stamps(&desk), (Some(3.0), Some(2_000_000)));
}

#[tokio::test]
async fn no_tick_is_refused_after_the_wall_clock_was_set_back_by_less_than_an_interval() {
    let desk = Desk::new();
    let tasks = Supervisor::new(desk.metrics.clock());
    desk.gauge("depth", Unit::None, "Depth.").unwrap().set(1.0);
    let _sampler = Sampler::start(&desk.metrics, &tasks.tasks(), Duration::from_secs(1)).unwrap();
    settle().await;
    pass(&desk, 3_000).await;
    desk.clock.advance(Duration::from_millis(60));
    desk.sample();
    // Now at 3.06 s, and back to 3.03 s; the tick of the fourth second follows.
    desk.clock.step_wall(TimeDelta::milliseconds(-30));
    desk.sample();
    pass(&desk, 1_000).await;
    assert_eq!(stamps(&desk), (Some(5.0), Some(4_000_000)));
    assert_eq!((desk.refused("out_of_order"), desk.refused("repeated")), (0.0, 0.0));
}
