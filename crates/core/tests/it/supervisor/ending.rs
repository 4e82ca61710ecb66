//! Shutdown, stop, abort, drop: how tasks end.
use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bellwether_core::{
    Collect, ManualClock, RestartPolicy, SpawnError, Stop, Supervisor, TaskEnd, TaskState, Tasks,
};
use chrono::DateTime;
use parking_lot::Mutex;

use super::{Held, Lines, MINUTE, Run, SECOND, failed, noting, policy, setup, status};

#[tokio::test(start_paused = true)]
async fn shutdown_stops_joins_and_has_nothing_to_tell() {
    let (clock, tasks) = setup();
    let flushed = Arc::new(AtomicU32::new(0));
    for name in ["sampler", "courier", "writer"] {
        let (clock, flushed) = (Arc::clone(&clock), Arc::clone(&flushed));
        let task = move |stop: Stop| {
            let (clock, flushed) = (Arc::clone(&clock), Arc::clone(&flushed));
            async move {
                stop.requested().await;
                clock.sleep(2 * SECOND).await; // drains
                flushed.fetch_add(1, Ordering::SeqCst);
            }
        };
        tasks.spawn(name, RestartPolicy::default(), task).unwrap();
    }
    clock.sleep(SECOND).await;
    let report = tasks.shutdown(10 * SECOND).await;
    assert_eq!((report.finished, report.took, flushed.load(Ordering::SeqCst)), (3, 2 * SECOND, 3));
    report.into_result().unwrap();
    assert_eq!(tasks.shutdown(SECOND).await.finished, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_task_that_ends_by_itself_after_its_abort_is_told_once() {
    let tasks = Supervisor::new(&ManualClock::starting_at(DateTime::UNIX_EPOCH).shared());
    let (release, held) = std::sync::mpsc::channel();
    let (started, mut running) = tokio::sync::mpsc::unbounded_channel();
    let blocks = move |_: Stop| async move {
        started.send(()).unwrap();
        held.recv().unwrap(); // holds its thread
    };
    tasks.spawn_once("blocks", blocks).unwrap();
    running.recv().await.unwrap();
    let (report, ()) = tokio::join!(tasks.shutdown(Duration::ZERO), async { release.send(()).unwrap() });
    let unfinished: Vec<_> = report.unfinished.iter().map(|task| &*task.name).collect();
    assert_eq!((unfinished, report.finished), (vec!["blocks"], 0));
}

#[tokio::test(start_paused = true)]
async fn shutdown_aborts_and_names_what_hangs() {
    let (clock, tasks) = setup();
    let held = Held::default();
    let inside = Arc::clone(&held);
    let hang = move |_| {
        let inside = Arc::clone(&inside);
        async move {
            std::future::pending::<()>().await;
            drop(inside);
        }
    };
    let task = tasks.spawn("hangs", RestartPolicy::default(), hang).unwrap();
    let (_polite, _) = noting(&tasks, &clock, policy(1), |_| Run::UntilStop);
    clock.sleep(SECOND).await;
    let report = tasks.shutdown(10 * SECOND).await;
    assert_eq!((report.finished, report.took), (1, 10 * SECOND));
    let error = report.into_result().unwrap_err();
    assert_eq!(error.to_string(), "1 of 2 tasks did not end within 10s: hangs (aborted)");
    assert_eq!(task.ended().await, TaskEnd::Aborted);
    assert_eq!(Arc::strong_count(&held), 1, "the aborted task has let go of what it held");
}

#[tokio::test(start_paused = true)]
async fn what_fails_on_the_way_out_is_told_and_not_restarted() {
    let (clock, tasks) = setup();
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let task = move |stop: Stop| {
        counted.fetch_add(1, Ordering::SeqCst);
        async move {
            stop.requested().await;
            Err("17 samples not written")
        }
    };
    tasks.spawn("writer", RestartPolicy::forever(), task).unwrap();
    clock.sleep(SECOND).await;
    let error = tasks.shutdown(10 * SECOND).await.into_result().unwrap_err();
    let expected = "1 of 1 tasks failed on the way out: writer (17 samples not written)";
    assert_eq!((error.to_string().as_str(), runs.load(Ordering::SeqCst)), (expected, 1));
}

#[tokio::test(start_paused = true)]
async fn a_task_that_waits_for_its_restart_is_not_started_by_a_shutdown() {
    let (clock, tasks) = setup();
    let (task, runs) = noting(&tasks, &clock, policy(5), |_| Run::Err("x"));
    clock.sleep(Duration::from_millis(1_500)).await;
    let report = tasks.shutdown(10 * SECOND).await;
    assert_eq!((report.took, report.is_clean()), (Duration::ZERO, true));
    assert_eq!(task.ended().await, TaskEnd::Finished);
    assert_eq!(runs.lock().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn after_a_shutdown_or_a_drop_nothing_can_be_started() {
    let (clock, tasks) = setup();
    let handle: Tasks = tasks.tasks();
    tasks.shutdown(SECOND).await;
    let error = tasks.spawn_once("late", |_| async {}).unwrap_err();
    assert_eq!(error, SpawnError::ShutDown { name: "late".to_owned() });
    let other = Supervisor::new(&clock);
    let other_handle = other.tasks();
    drop(other);
    for handle in [handle, other_handle] {
        let error = handle.spawn("late", RestartPolicy::default(), |_| async {}).unwrap_err();
        assert_eq!(error.to_string(), "task \"late\" was not started: its supervisor is shut down");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_shutdown_leaves_the_tasks_owned_and_can_be_repeated() {
    let (clock, tasks) = setup();
    let slow = Arc::clone(&clock);
    let slow = move |stop: Stop| async move {
        stop.requested().await;
        slow.sleep(20 * SECOND).await;
    };
    let task = tasks.spawn_once("slow", slow).unwrap();
    assert!(clock.timeout(5 * SECOND, tasks.shutdown(60 * SECOND)).await.is_err());
    assert!(!task.is_ended());
    let report = tasks.shutdown(60 * SECOND).await;
    assert_eq!((report.finished, report.took), (1, 15 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn dropping_the_supervisor_aborts_everything() {
    let (clock, tasks) = setup();
    let held = Held::default();
    let mut handles = Vec::new();
    for name in ["one", "two"] {
        let inside = Arc::clone(&held);
        let forever = move |_| {
            let inside = Arc::clone(&inside);
            async move {
                std::future::pending::<()>().await;
                drop(inside);
            }
        };
        handles.push(tasks.spawn(name, RestartPolicy::forever(), forever).unwrap());
    }
    clock.sleep(SECOND).await;
    drop(tasks);
    for task in handles {
        assert_eq!(task.ended().await, TaskEnd::Aborted);
    }
    assert_eq!(Arc::strong_count(&held), 1);
}

#[test]
fn tasks_that_go_down_with_their_runtime_are_told_as_aborted() {
    let (_, tasks) = setup();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let inside = runtime.enter();
    let task = tasks.spawn("worker", RestartPolicy::forever(), |_| std::future::pending::<()>()).unwrap();
    drop(inside);
    drop(runtime);
    assert!(task.is_ended());
    assert_eq!(status(&tasks, "worker").state, TaskState::Aborted);
}

#[test]
fn a_start_on_a_runtime_that_has_gone_down_ends_at_once() {
    let (_, tasks) = setup();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let handle = runtime.handle().clone();
    drop(runtime);
    let _inside = handle.enter();
    let task = tasks.spawn("late", RestartPolicy::forever(), |_| std::future::pending::<()>()).unwrap();
    assert!(task.is_ended());
    assert_eq!(status(&tasks, "late").state, TaskState::Aborted);
}

#[tokio::test(start_paused = true)]
async fn an_end_is_told_only_when_everything_the_task_held_has_been_let_go() {
    /// Notes whether its task had been told as ended when it was dropped.
    struct Last(Tasks, Arc<Mutex<Vec<bool>>>);
    impl Drop for Last {
        fn drop(&mut self) {
            let told = self.0.statuses().iter().any(|status| status.state.is_ended());
            self.1.lock().push(told);
        }
    }
    for (n, abort) in [(0, false), (1, false), (2, true), (3, true)] {
        let (clock, tasks) = setup();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let held = Last(tasks.tasks(), Arc::clone(&seen));
        let factory = move |stop: Stop| {
            let _ = &held;
            async move { stop.requested().await }
        };
        let task = if n % 2 == 0 {
            tasks.spawn("holder", RestartPolicy::default(), factory).unwrap()
        } else {
            tasks.spawn_once("holder", factory).unwrap()
        };
        if n == 2 {
            clock.sleep(SECOND).await; // else it is aborted before it ever ran
        }
        if abort {
            task.abort();
        } else {
            task.stop();
        }
        task.ended().await;
        assert_eq!(*seen.lock(), [false], "{n}");
    }
}

#[test]
fn a_runtime_without_a_timer_fails_the_task_and_not_the_host() {
    let (_, tasks) = setup();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let end = runtime.block_on(async {
        let task = tasks.spawn("worker", RestartPolicy::forever(), |_| async { Err("x") }).unwrap();
        task.ended().await
    });
    assert_eq!(failed(&end), "panicked outside of its own code");
}

/// Holds a thread of the runtime for as long as the test wants: the one thing that no abort can end.
#[test]
fn a_task_that_never_yields_is_told_as_stuck() {
    let (stuck, free) = (std::sync::mpsc::channel::<()>(), std::sync::mpsc::channel::<()>());
    let (clock, tasks) = {
        let clock = ManualClock::starting_at(DateTime::UNIX_EPOCH);
        let tasks = Supervisor::new(&clock.shared());
        (clock, tasks)
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let report = runtime.block_on(async {
        let (is_stuck, may_go) = (stuck.0, Mutex::new(free.1));
        let job = move |_| async move {
            is_stuck.send(()).unwrap();
            let _ = may_go.lock().recv();
        };
        tasks.spawn_once("blocks", job).unwrap();
        stuck.1.recv().unwrap();
        let (report, ()) = tokio::join!(tasks.shutdown(SECOND), clock.advance_through(2 * SECOND));
        report
    });
    assert_eq!(
        report.into_result().unwrap_err().to_string(),
        "1 of 1 tasks did not end within 1s: blocks (stuck)"
    );
    drop(free.0);
}

#[tokio::test(start_paused = true)]
async fn one_task_can_be_stopped_or_aborted_alone() {
    let (clock, tasks) = setup();
    let (one, _) = noting(&tasks, &clock, policy(1), |_| Run::UntilStop);
    let other =
        tasks.spawn("other", policy(1), |_| std::future::pending::<Result<(), Infallible>>()).unwrap();
    clock.sleep(SECOND).await;
    one.stop();
    assert_eq!(status(&tasks, "worker").state, TaskState::Stopping);
    assert_eq!(one.ended().await, TaskEnd::Finished);
    assert_eq!(status(&tasks, "other").state, TaskState::Running);
    other.abort();
    assert_eq!(other.ended().await, TaskEnd::Aborted);
    assert!(tasks.shutdown(SECOND).await.is_clean());
}

/// Errors, panics, good ends, stops and aborts from eight threads at once: every task is accounted for, and
/// none is left.
#[test]
fn a_crowd_of_tasks_on_many_threads_is_accounted_for_to_the_last() {
    let (_, tasks) = setup();
    let tasks = tasks.with_max_tasks(NonZeroUsize::new(5_000).unwrap());
    let held = Held::default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    let inside_runtime = runtime.handle().clone();
    std::thread::scope(|scope| {
        for thread in 0..8_u32 {
            let (tasks, held, runtime) = (tasks.tasks(), Arc::clone(&held), inside_runtime.clone());
            scope.spawn(move || {
                let _inside = runtime.enter();
                for n in 0..250_u32 {
                    let held = Arc::clone(&held);
                    let task = tasks.spawn(&format!("{thread}/{n}"), RestartPolicy::never(), move |stop| {
                        let held = Arc::clone(&held);
                        async move {
                            tokio::task::yield_now().await;
                            let result = match n % 5 {
                                0 => Ok(()),
                                1 => Err("failed"),
                                2 => panic!("quietly"),
                                _ => {
                                    stop.requested().await;
                                    Ok(())
                                }
                            };
                            drop(held);
                            result
                        }
                    });
                    match n % 10 {
                        3 => task.unwrap().abort(),
                        4 => task.unwrap().stop(),
                        _ => drop(task.unwrap()),
                    }
                }
            });
        }
    });
    let report = runtime.block_on(tasks.shutdown(MINUTE));
    assert!(report.unfinished.is_empty(), "{report:?}");
    let mut lines = Lines::default();
    tasks.collect(&mut lines).unwrap();
    let count = |line: &str| -> u32 {
        lines.0.iter().find_map(|told| told.strip_prefix(line)).unwrap().trim().parse().unwrap()
    };
    let (finished, failed, aborted) = (
        count(r#"bellwether_task_ends_total [("end", "finished")]"#),
        count(r#"bellwether_task_ends_total [("end", "failed")]"#),
        count(r#"bellwether_task_ends_total [("end", "aborted")]"#),
    );
    assert_eq!((finished, failed, aborted), (1_000, 800, 200));
    assert_eq!(Arc::strong_count(&held), 1);
}
