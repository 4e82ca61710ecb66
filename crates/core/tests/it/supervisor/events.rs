//! What is told to `tracing`: each change of state once, at its level, with fields.
use std::fmt::Write;
use std::sync::Arc;

use bellwether_core::RestartPolicy;
use parking_lot::Mutex;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::{MINUTE, Run, SECOND, noting, policy, setup};

/// Keeps every event of the supervisor as one line.
#[derive(Clone, Default)]
struct Ear(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Ear {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("bellwether_core::supervisor")
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().push(line.0);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[tokio::test(start_paused = true)]
async fn each_change_of_state_is_told_once_at_its_level() {
    let ear = Ear::default();
    let _guard = tracing::subscriber::set_default(ear.clone());
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
        *ear.0.lock(),
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
