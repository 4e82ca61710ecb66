//! Bellwether's own parts as health checks.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bellwether::core::config::ConfigError;
use bellwether::health::Status;
use bellwether::prelude::*;

/// What a monitor says of one check.
async fn said(clock: &SharedClock, part: &impl OwnCheck) -> (Status, String) {
    let report = HealthMonitor::new(clock).check(part.health()).unwrap().run().await;
    let found = &report.checks[0].health;
    (found.status(), found.output().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_task_that_waits_for_its_next_try_is_a_warning_and_one_that_is_given_up_a_failure() {
    let clock = SystemClock::shared();
    let tasks = Supervisor::new(&clock);
    assert_eq!(said(&clock, &tasks).await, (Status::Pass, String::new()));
    let once = tasks.spawn("feed", RestartPolicy::never(), |_| async { Err::<(), _>("line cut".to_owned()) });
    once.unwrap();
    tokio::task::yield_now().await;
    let (status, why) = said(&clock, &tasks).await;
    assert_eq!(status, Status::Fail, "{why}");
    assert!(why.contains("feed failed") && why.contains("line cut"), "{why}");

    let tasks = Supervisor::new(&clock);
    tasks.spawn("feed", RestartPolicy::forever(), |_| async { Err::<(), _>("line cut".to_owned()) }).unwrap();
    tokio::task::yield_now().await;
    let (status, why) = said(&clock, &tasks).await;
    assert_eq!(status, Status::Warn, "{why}");
    assert!(why.contains("feed restarting: line cut"), "{why}");
}

/// Fails the first time.
struct Mail(ChannelName, AtomicBool);

#[async_trait]
impl AlertChannel for Mail {
    fn name(&self) -> &ChannelName {
        &self.0
    }
    async fn send(&self, _: &Notification) -> Result<Receipt, SendError> {
        if self.1.swap(true, Ordering::Relaxed) {
            Ok(Receipt::delivered())
        } else {
            Err(SendError::retry("no route"))
        }
    }
}

#[tokio::test]
async fn a_channel_whose_last_attempt_failed_is_a_warning_until_one_goes_well() -> Result<(), ConfigError> {
    let time = ManualClock::starting_at(chrono::DateTime::UNIX_EPOCH);
    let clock = time.shared();
    let mail = Mail(ChannelName::new("mail").unwrap(), AtomicBool::new(false));
    let config =
        Config::from_text("desk.toml", "[alerts.route]\nreceiver = \"mail\"\ngroup_wait = \"0s\"\n")?.alerts;
    let alerts = Alerts::builder(&clock, config).channel(mail).build().unwrap();
    assert_eq!(said(&clock, &alerts).await, (Status::Pass, String::new()));
    alerts.handle().raise(Alert::builder("Kill", clock.now()).severity(Severity::Critical).build().unwrap());
    alerts.run_due().await;
    let (status, why) = said(&clock, &alerts).await;
    assert_eq!(status, Status::Warn, "{why}");
    assert!(why.starts_with("mail degraded") && why.contains("no route"), "{why}");
    time.advance(Duration::from_mins(10));
    alerts.run_due().await;
    assert_eq!(said(&clock, &alerts).await, (Status::Pass, String::new()));
    Ok(())
}

#[tokio::test]
async fn a_database_that_is_taken_away_is_a_failure() {
    let clock = SystemClock::shared();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("desk.db");
    let store = Store::open(&StoreConfig::file(&file), &clock).await.unwrap();
    assert_eq!(said(&clock, &store).await, (Status::Pass, String::new()));
    std::fs::remove_file(&file).unwrap();
    let (status, why) = said(&clock, &store).await;
    assert_eq!(status, Status::Fail);
    assert!(why.contains("removed while it was open"), "{why}");
    drop(store.close(Duration::from_secs(5)).await);
}
