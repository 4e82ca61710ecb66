//! What is told to `tracing`: each change of state once, at its level, with fields.
use bellwether_core::RestartPolicy;

use super::{MINUTE, Run, SECOND, noting, policy, setup};
use crate::ear::Ear;

#[tokio::test(start_paused = true)]
async fn each_change_of_state_is_told_once_at_its_level() {
    let ear = Ear::open();
    let (clock, tasks) = setup();
    let (task, _) = noting(&tasks, &clock, policy(1), |n| match n {
        1 => Run::Panic("index 7"),
        _ => Run::ErrAfter(MINUTE, "no feed"),
    });
    task.ended().await;
    let job = tasks.spawn_once("import", |_| async {}).unwrap();
    job.ended().await;
    let hangs = tasks.spawn("hangs", RestartPolicy::never(), |_| std::future::pending::<()>()).unwrap();
    clock.sleep(SECOND).await;
    hangs.abort();
    hangs.ended().await;
    assert_eq!(
        ear.lines(),
        [
            r#"INFO message=task runs task="worker" restarts=0"#,
            r#"WARN message=task failed, will be restarted task="worker" error="panicked: index 7" in_a_row=1 next_try_in=1s"#,
            r#"INFO message=task runs task="worker" restarts=1"#,
            r#"ERROR message=task failed for good task="worker" reason="its 1 restarts in 600s are used up; last failure: no feed""#,
            r#"DEBUG message=job runs task="import""#,
            r#"DEBUG message=job finished task="import""#,
            r#"INFO message=task runs task="hangs" restarts=0"#,
            r#"WARN message=task was cut off task="hangs""#,
        ]
    );
}
