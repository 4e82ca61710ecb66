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
mod delivery;
mod figures;
pub mod remote_write;

pub use self::figures::{PUSH_METRICS, PushFigures};
pub use self::remote_write::{Feed, RemoteWrite, RemoteWriteConfig};

/// Why figures are not pushed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PushError {
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] bellwether_core::config::Problems),
    /// There is nowhere to send to, or no way to.
    #[error(transparent)]
    Client(#[from] bellwether_http::ClientError),
    /// There can be no task.
    #[error(transparent)]
    Spawn(#[from] bellwether_core::SpawnError),
}
