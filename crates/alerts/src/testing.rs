//! For the tests of hosts: a channel that records, and kits that every channel and every outbox should pass.

mod channel_conformance;
mod outbox_conformance;
mod recording_channel;

pub use self::channel_conformance::{conformance, samples};
pub use self::outbox_conformance::{outbox_conformance, superseding_conformance};
pub use self::recording_channel::{Answer, RecordingChannel};
