//! Figures to those who do not scrape: each way is a task of core's `Supervisor`, with a queue of its own.
//!
//! What they keep to:
//!
//! * Handing over never blocks, never awaits and cannot fail. What is beyond a bound is dropped, the oldest first, and counted.
//! * What cannot be delivered is tried again, later and later; what the receiver refuses for good is dropped and counted.
//! * Credentials are named in configuration and never printed; requests go where the configuration says, without redirects and
//!   proxies (`bellwether-http`).
//! * At the end of the host what waits is tried once more, within the time that the supervisor gives.
//! * How it fares is told by [`PushFigures`], which a registry [collects](crate::Registry::collect).
use bellwether_core::config::{ConfigPath, Problems};

mod delivery;
mod figures;
#[cfg(feature = "otlp")]
mod otlp;
#[cfg(feature = "push-gateway")]
mod push_gateway;
#[cfg(feature = "remote-write")]
mod remote_write;

pub use self::figures::{PUSH_METRICS, PushFigures};
#[cfg(feature = "otlp")]
pub use self::otlp::{Otlp, OtlpConfig};
#[cfg(feature = "push-gateway")]
pub use self::push_gateway::{AtEnd, PushGateway, PushGatewayConfig, Replace};
#[cfg(feature = "remote-write")]
pub use self::remote_write::{Feed, RemoteWrite, RemoteWriteConfig};

/// Longest name of a pusher, in bytes.
const MAX_NAME_LEN: usize = 64;

/// Why figures are not pushed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PushError {
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] Problems),
    /// There is nowhere to send to, or no way to.
    #[error(transparent)]
    Client(#[from] bellwether_http::ClientError),
    /// There can be no task.
    #[error(transparent)]
    Spawn(#[from] bellwether_core::SpawnError),
}

/// What a pusher is called is a label and part of the name of a task.
fn check_name(name: &str, at: &ConfigPath, problems: &mut Problems) {
    let len = name.len();
    let fits = (1..=MAX_NAME_LEN).contains(&len);
    problems.require(&at.key("name"), fits, format!("{len} bytes are not 1 to {MAX_NAME_LEN}"));
}

/// How often all figures are pushed.
#[cfg(any(feature = "otlp", feature = "push-gateway"))]
fn check_interval(interval: bellwether_core::HumanDuration, at: &ConfigPath, problems: &mut Problems) {
    use std::time::Duration;
    let length = bellwether_core::HumanDuration::new;
    let range = length(Duration::from_secs(1))..=length(Duration::from_hours(1));
    problems.within(&at.key("interval"), &interval, range);
}
