//! What a webhook sends, and what it makes of the answers.
mod answers;
mod certificates;
mod requests;
mod secrets;
mod waits;

use bellwether_channels::{Webhook, WebhookConfig};
use bellwether_core::{ManualClock, SharedClock, SystemClock};

use crate::notifications::{at, name};

/// A webhook that waits in real time.
fn webhook(config: WebhookConfig) -> Webhook {
    Webhook::new(name("hook"), config, &SystemClock::shared()).unwrap()
}

/// A webhook whose time stands still at 2008-10-10T14:30:00Z.
fn frozen(config: WebhookConfig) -> (Webhook, ManualClock) {
    let clock = ManualClock::starting_at(at());
    let shared: SharedClock = clock.shared();
    (Webhook::new(name("hook"), config, &shared).unwrap(), clock)
}
