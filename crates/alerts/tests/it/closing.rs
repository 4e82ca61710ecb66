//! What is told at the end of what was not done.
use std::sync::atomic::Ordering;
use std::time::Duration;

use bellwether_alerts::testing::Answer;
use bellwether_alerts::{MemoryAlertHistory, MemoryOutbox};
use bellwether_core::{Severity, Supervisor};

use crate::block_on;
use crate::delivery::{Desk, Flaky, config, settle, span};

#[test]
fn what_the_deadline_cuts_off_is_told() {
    block_on(async {
        let (outbox, away) = Flaky::new(MemoryOutbox::default());
        outbox.hang();
        let desk = Desk::with(config(), |builder| builder.outbox(outbox));
        desk.alerts.run_due().await;
        away.store(true, Ordering::Relaxed);
        desk.raise("A", Severity::Critical);
        desk.raise("B", Severity::Critical);
        let closing = desk.alerts.close(Duration::from_secs(1));
        let moving = async {
            settle().await;
            desk.clock.advance(Duration::from_secs(1));
        };
        let (report, ()) = tokio::join!(closing, moving);
        assert!(!report.is_clean());
        assert_eq!(report.untold, 2, "they are stored nowhere");
        assert_eq!(report.uncounted.len(), 2, "nor is it known what else there is");
        assert!(report.to_string().contains("2 notifications not stored"), "{report}");
        assert_eq!(desk.alerts.firing().len(), 2);
    });
}

#[test]
fn what_waits_to_be_taken_up_behind_a_round_that_hangs_is_told_as_well() {
    block_on(async {
        let (outbox, away) = Flaky::new(MemoryOutbox::default());
        outbox.hang();
        let mut config = config();
        config.route.as_mut().unwrap().group_wait = Some(span("30s"));
        let desk = Desk::with(config, |builder| builder.outbox(outbox));
        let supervisor = Supervisor::new(&desk.clock.shared());
        desk.alerts.start(&supervisor).unwrap();
        settle().await;
        away.store(true, Ordering::Relaxed);
        desk.raise("A", Severity::Critical);
        settle().await;
        desk.clock.advance(Duration::from_secs(30));
        settle().await; // the round waits for the outbox
        desk.raise("B", Severity::Critical);
        let closing = desk.alerts.close(Duration::from_secs(1));
        let moving = async {
            settle().await;
            desk.clock.advance(Duration::from_secs(1));
        };
        let (report, ()) = tokio::join!(closing, moving);
        assert_eq!(report.untold, 2, "{report}");
    });
}

#[test]
fn changes_that_the_history_was_never_told_are_told_at_the_end() {
    block_on(async {
        let (history, away) = Flaky::new(MemoryAlertHistory::default());
        let desk = Desk::with(config(), |builder| builder.history(history));
        away.store(true, Ordering::Relaxed);
        desk.raise("A", Severity::Critical);
        desk.run_until(1).await;
        let report = desk.alerts.close(Duration::from_secs(1)).await;
        assert_eq!((report.untold, report.unrecorded), (0, 1));
        assert_eq!(report.to_string(), "1 changes not recorded");
    });
}

#[test]
fn what_an_outbox_that_is_away_holds_is_told_to_be_unknown() {
    block_on(async {
        let (outbox, away) = Flaky::new(MemoryOutbox::default());
        let desk = Desk::with(config(), |builder| builder.outbox(outbox));
        desk.raise("A", Severity::Critical);
        desk.run_until(1).await;
        away.store(true, Ordering::Relaxed);
        let report = desk.alerts.close(Duration::from_secs(1)).await;
        assert_eq!(
            report.to_string(),
            "mail: the outbox did not say what is left; pager: the outbox did not say what is left"
        );
    });
}

#[test]
fn a_channel_that_could_not_be_closed_in_the_middle_of_an_attempt_is_closed_after_it() {
    block_on(async {
        let desk = Desk::new(config());
        let supervisor = Supervisor::new(&desk.clock.shared());
        desk.alerts.start(&supervisor).unwrap();
        settle().await;
        desk.mail.answer([Answer::Hang]);
        desk.raise("A", Severity::Critical);
        settle().await;
        let closing = desk.alerts.close(Duration::from_secs(1));
        let moving = async {
            settle().await;
            desk.clock.advance(Duration::from_secs(1));
        };
        let (report, ()) = tokio::join!(closing, moving);
        assert_eq!(report.to_string(), "mail: 1 undelivered; mail: not closed within 1s");
        assert_eq!((desk.mail.closed(), desk.pager.closed()), (0, 1));
        desk.clock.advance_through(Duration::from_secs(20)).await;
        assert_eq!((desk.mail.closed(), desk.pager.closed()), (1, 1));
        assert_eq!(desk.mail.attempts().len(), 1, "nothing is sent any more");
    });
}
