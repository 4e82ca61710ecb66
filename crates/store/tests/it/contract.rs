//! What every implementation of a trait must do: the same tests for memory and for each database.

mod alert_history;
mod notification_log;
mod outbox;
mod sample_history;

pub(crate) use alert_history::keeps_the_alert_history_contract;
pub(crate) use notification_log::keeps_the_notification_log_contract;
pub(crate) use outbox::{behaves_like, keeps_the_outbox_contract, operations};
pub(crate) use sample_history::{Written, keeps_the_sample_history_contract, written};
