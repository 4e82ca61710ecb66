//! Starting, names, bounds, figures.
use std::num::NonZeroUsize;

use bellwether_core::{Collect, RestartPolicy, SpawnError, TaskEnd, TaskState};

use super::{Lines, MINUTE, Run, SECOND, noting, policy, setup, status};

#[test]
fn outside_a_runtime_a_start_is_a_typed_error_and_no_panic() {
    let (_, tasks) = setup();
    let error = tasks.spawn("lost", RestartPolicy::default(), |_| async {}).unwrap_err();
    assert_eq!(error, SpawnError::NoRuntime { name: "lost".to_owned() });
    let error = tasks.spawn_once("lost", |_| async {}).unwrap_err();
    assert!(error.to_string().contains("no tokio runtime"), "{error}");
    assert_eq!(tasks.statuses(), []);
}

#[test]
fn a_supervisor_can_be_made_and_dropped_without_a_runtime() {
    drop(setup());
}

#[tokio::test(start_paused = true)]
async fn the_number_of_tasks_is_bounded_and_a_place_is_free_again_after_an_end() {
    let (clock, tasks) = setup();
    let tasks = tasks.with_max_tasks(NonZeroUsize::new(2).unwrap());
    let one = tasks.spawn("a", policy(1), |stop| async move { stop.requested().await }).unwrap();
    tasks.spawn("b", policy(1), |stop| async move { stop.requested().await }).unwrap();
    let error = tasks.spawn_once("c", |_| async {}).unwrap_err();
    assert_eq!(error, SpawnError::TooMany { name: "c".to_owned(), most: 2 });
    one.stop();
    assert_eq!(one.ended().await, TaskEnd::Finished);
    tasks.spawn_once("c", |_| async {}).unwrap();
    clock.sleep(SECOND).await;
    assert_eq!(status(&tasks, "b").state, TaskState::Running);
}

#[tokio::test(start_paused = true)]
async fn names_of_living_tasks_are_made_unique_and_wrong_ones_refused() {
    let (_, tasks) = setup();
    let start = |name: &str| {
        tasks
            .spawn(name, policy(1), |stop| async move { stop.requested().await })
            .map(|task| task.name().to_owned())
    };
    assert_eq!(
        (start("courier").unwrap().as_str(), start("courier").unwrap().as_str()),
        ("courier", "courier#2")
    );
    assert_eq!(start("courier").unwrap(), "courier#3");
    for wrong in ["", "two\nlines", &"x".repeat(129)] {
        assert!(matches!(start(wrong), Err(SpawnError::Name { .. })), "{wrong:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_task_takes_the_place_of_one_that_ended_under_its_name() {
    let (clock, tasks) = setup();
    for _ in 0..3 {
        let (task, _) = noting(&tasks, &clock, RestartPolicy::never(), |_| Run::Err("x"));
        task.ended().await;
    }
    assert_eq!(tasks.statuses().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn memory_of_ended_tasks_is_bounded_and_good_jobs_leave_no_trace() {
    let (clock, tasks) = setup();
    for n in 0..200 {
        tasks.spawn_once("good", |_| async {}).unwrap();
        tasks.spawn_once("bad", move |_| async move { Err(format!("number {n}")) }).unwrap();
        clock.sleep(SECOND).await;
    }
    let all = tasks.statuses();
    assert_eq!(all.len(), 64);
    assert!(all.iter().all(|status| &*status.name == "bad" && status.state == TaskState::Failed));
    assert_eq!(all.last().unwrap().last_error.as_deref(), Some("number 199"));
}

#[tokio::test(start_paused = true)]
async fn figures_tell_states_ends_and_what_happened_to_each_task() {
    let (clock, tasks) = setup();
    let (_task, _) = noting(&tasks, &clock, policy(5), |n| match n {
        1 => Run::Err("x"),
        2 => Run::Panic("y"),
        _ => Run::UntilStop,
    });
    tasks.spawn_once("job", |_| async { Err("z") }).unwrap();
    let _ = tasks.spawn_once("", |_| async {});
    clock.sleep(MINUTE).await;
    let mut lines = Lines::default();
    tasks.collect(&mut lines).unwrap();
    assert_eq!(
        lines.0,
        [
            r#"bellwether_tasks [("state", "running")] 1"#,
            r#"bellwether_tasks [("state", "stopping")] 0"#,
            r#"bellwether_tasks [("state", "restarting")] 0"#,
            r#"bellwether_task_ends_total [("end", "finished")] 0"#,
            r#"bellwether_task_ends_total [("end", "failed")] 1"#,
            r#"bellwether_task_ends_total [("end", "aborted")] 0"#,
            "bellwether_tasks_refused_total [] 1",
            "bellwether_job_panics_total [] 0",
            "bellwether_job_errors_total [] 1",
            r#"bellwether_task_up [("task", "worker")] 1"#,
            r#"bellwether_task_restarts_total [("task", "worker")] 2"#,
            r#"bellwether_task_panics_total [("task", "worker")] 1"#,
            r#"bellwether_task_errors_total [("task", "worker")] 1"#,
        ]
    );
    assert_eq!(tasks.descriptors().len(), 9);
}

#[tokio::test(start_paused = true)]
async fn handles_and_futures_can_be_sent_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    fn sent<T: Send>(_: &T) {}
    let (clock, tasks) = setup();
    let task = tasks.spawn_once("job", |_| async {}).unwrap();
    shared(&tasks);
    shared(&tasks.tasks());
    shared(&task);
    sent(&task.ended());
    sent(&tasks.shutdown(SECOND));
    sent(&clock.timeout(SECOND, clock.sleep(SECOND)));
}

#[tokio::test(start_paused = true)]
async fn a_status_reads_as_json() {
    let (clock, tasks) = setup();
    let (task, _) = noting(&tasks, &clock, RestartPolicy::never(), |_| Run::Err("no feed"));
    task.ended().await;
    let json = serde_json::to_value(tasks.statuses()).unwrap();
    assert_eq!(json[0]["name"], "worker");
    assert_eq!(json[0]["state"], "failed");
    assert_eq!(json[0]["gave_up"], "no feed");
    assert_eq!(json[0]["next_try"], serde_json::Value::Null);
}
