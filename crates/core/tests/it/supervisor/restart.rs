//! Errors, panics, delays, budgets.
use std::num::NonZeroU32;
use std::time::Duration;

use bellwether_core::resilience::{Jitter, RestartBudget, RetrySchedule};
use bellwether_core::{Clock, ManualClock, RestartPolicy, Supervisor, SystemClock, TaskEnd, TaskState};
use chrono::{DateTime, TimeDelta};

use super::{MINUTE, Run, SECOND, failed, noting, policy, seconds, setup, status};

#[tokio::test(start_paused = true)]
async fn a_task_that_is_done_is_finished_and_not_started_again() {
    let (clock, tasks) = setup();
    let (task, runs) = noting(&tasks, &clock, policy(5), |_| Run::Done);
    assert_eq!(task.ended().await, TaskEnd::Finished);
    clock.sleep(60 * MINUTE).await;
    assert_eq!(runs.lock().len(), 1);
    assert_eq!(status(&tasks, "worker").state, TaskState::Finished);
}

#[tokio::test(start_paused = true)]
async fn an_error_restarts_the_task_with_growing_delays() {
    let (clock, tasks) = setup();
    let (_task, runs) =
        noting(&tasks, &clock, policy(10), |n| if n <= 4 { Run::Err("no feed") } else { Run::UntilStop });
    clock.sleep(MINUTE).await;
    assert_eq!(seconds(&runs), [0, 1, 3, 7, 15]);
    let status = status(&tasks, "worker");
    assert_eq!((status.state, status.restarts, status.errors, status.panics), (TaskState::Running, 4, 4, 0));
    assert_eq!((status.last_error.as_deref(), status.unforgiven), (Some("no feed"), 4));
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_caught_counted_and_restarted_like_an_error() {
    let (clock, tasks) = setup();
    let (_task, runs) =
        noting(&tasks, &clock, policy(10), |n| if n == 1 { Run::Panic("index 7") } else { Run::UntilStop });
    clock.sleep(MINUTE).await;
    assert_eq!(seconds(&runs), [0, 1]);
    let status = status(&tasks, "worker");
    assert_eq!((status.state, status.restarts, status.errors, status.panics), (TaskState::Running, 1, 0, 1));
    assert_eq!(status.last_error.as_deref(), Some("panicked: index 7"));
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_factory_or_in_a_destructor_is_caught_too() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }
    let (clock, tasks) = setup();
    let mut n = 0;
    let factory = move |_| {
        n += 1;
        assert!(n != 1, "made");
        let bomb = (n == 2).then(|| Bomb);
        async move {
            let _bomb = bomb;
        }
    };
    let task = tasks.spawn("bomb", policy(5), factory).unwrap();
    assert_eq!(task.ended().await, TaskEnd::Finished);
    assert_eq!(clock.monotonic().since_origin().as_secs(), 3);
    assert_eq!(status(&tasks, "bomb").panics, 2);
}

#[tokio::test(start_paused = true)]
async fn while_it_waits_the_status_says_when_it_will_try_again() {
    let (clock, tasks) = setup();
    let (_task, _) =
        noting(&tasks, &clock, policy(10), |n| if n == 1 { Run::Err("x") } else { Run::UntilStop });
    clock.sleep(Duration::from_millis(400)).await;
    let status = status(&tasks, "worker");
    assert_eq!(status.state, TaskState::Restarting);
    let wait = status.next_try.unwrap() - clock.now();
    assert!((wait.num_milliseconds() - 600).abs() < 100, "{wait}");
}

#[tokio::test(start_paused = true)]
async fn a_used_up_budget_is_the_end_and_says_why() {
    let (clock, tasks) = setup();
    let (task, runs) = noting(&tasks, &clock, policy(3), |_| Run::Err("disk is full"));
    let end = task.ended().await;
    assert_eq!(failed(&end), "its 3 restarts in 600s are used up; last failure: disk is full");
    assert_eq!(seconds(&runs), [0, 1, 3, 7]);
    let status = status(&tasks, "worker");
    assert_eq!((status.state, status.restarts, status.errors), (TaskState::Failed, 3, 4));
    assert_eq!(status.gave_up.as_deref(), Some(failed(&end)));
    assert_eq!(status.last_error.as_deref(), Some("disk is full"));
    clock.sleep(60 * MINUTE).await;
    assert_eq!(runs.lock().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_healthy_time_forgives_budget_and_backoff() {
    let (clock, tasks) = setup();
    // Three quick failures, one after six good minutes, then for ever: with a budget of three and no
    // forgiveness it would be over.
    let (task, runs) = noting(&tasks, &clock, policy(3), |n| match n {
        1..=3 => Run::Err("early"),
        4 => Run::ErrAfter(6 * MINUTE, "late"),
        _ => Run::UntilStop,
    });
    clock.sleep(5 * MINUTE).await;
    assert_eq!(status(&tasks, "worker").unforgiven, 3);
    clock.sleep(MINUTE).await;
    assert_eq!(status(&tasks, "worker").unforgiven, 0);
    clock.sleep(2 * MINUTE).await;
    // The fourth run began at 7 s, failed at 367 s, and the delay was the first one again.
    assert_eq!(seconds(&runs), [0, 1, 3, 7, 368]);
    let status = status(&tasks, "worker");
    assert_eq!((status.state, status.restarts, status.unforgiven), (TaskState::Running, 4, 1));
    assert!(!task.is_ended());
}

#[tokio::test(start_paused = true)]
async fn failures_short_of_a_healthy_time_are_not_forgiven() {
    let (clock, tasks) = setup();
    let (task, _) = noting(&tasks, &clock, policy(2), |_| Run::ErrAfter(4 * MINUTE, "always"));
    assert!(failed(&task.ended().await).contains("its 2 restarts"));
}

#[tokio::test(start_paused = true)]
async fn the_limit_of_attempts_of_the_schedule_holds_as_well() {
    let (clock, tasks) = setup();
    let schedule = RetrySchedule::builder().max_attempts(NonZeroU32::new(2).unwrap()).build().unwrap();
    let (task, _) =
        noting(&tasks, &clock, RestartPolicy::new(schedule, RestartBudget::default()), |_| Run::Err("no"));
    assert_eq!(failed(&task.ended().await), "gave up after 2 attempts; last failure: no");
}

#[tokio::test(start_paused = true)]
async fn never_and_forever_mean_what_they_say() {
    let (clock, tasks) = setup();
    let (task, runs) = noting(&tasks, &clock, RestartPolicy::never(), |_| Run::Err("once"));
    assert_eq!(failed(&task.ended().await), "once");
    assert_eq!(runs.lock().len(), 1);

    let (task, runs) = noting(&tasks, &clock, RestartPolicy::forever(), |_| Run::Err("again"));
    clock.sleep(24 * 60 * MINUTE).await;
    assert!(!task.is_ended());
    // About one in 40 s once the delays are at their cap.
    assert!((1_900..2_500).contains(&runs.lock().len()), "{}", runs.lock().len());
}

#[tokio::test(start_paused = true)]
async fn a_seeded_jitter_repeats_the_same_restarts() {
    async fn runs(seed: u64) -> Vec<Duration> {
        let clock = SystemClock::shared();
        let tasks = Supervisor::new(&clock).with_jitter(Jitter::seeded(seed));
        let (_task, runs) = noting(&tasks, &clock, RestartPolicy::default(), |_| Run::Err("x"));
        clock.sleep(5 * MINUTE).await;
        let runs = runs.lock();
        runs.clone()
    }
    let one = runs(3).await;
    assert!(one.len() > 8);
    assert_eq!(one, runs(3).await);
    assert_ne!(one, runs(4).await);
}

#[tokio::test]
async fn in_manual_time_restarts_follow_the_clock_and_not_the_wall() {
    let clock = ManualClock::starting_at(DateTime::from_timestamp(1_000_000_000, 0).unwrap());
    let shared = clock.shared();
    let tasks = Supervisor::new(&shared);
    let (_task, runs) =
        noting(&tasks, &shared, policy(5), |n| if n <= 2 { Run::Err("x") } else { Run::UntilStop });
    clock.advance_through(Duration::from_millis(1_200)).await;
    clock.step_wall(TimeDelta::days(-3));
    let waiting = status(&tasks, "worker");
    assert_eq!(waiting.next_try.unwrap() - clock.now(), TimeDelta::milliseconds(1_800));
    clock.advance_through(MINUTE).await;
    assert_eq!(seconds(&runs), [0, 1, 3]);
    let (report, ()) = tokio::join!(tasks.shutdown(SECOND), clock.advance_through(SECOND));
    assert!(report.is_clean());
    assert_eq!(clock.waits(), 0);
}
