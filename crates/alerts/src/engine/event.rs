//! What an engine is told.
use crate::{Alert, IdempotencyKey};

/// What an [`Engine`](super::Engine) is told.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// An alert fires, or goes on firing: its labels say which one, its annotations and value take the place of the old ones, and the
    /// earlier start stays. With an end that is past it is over; with one in the future it ends by itself then, unless it is
    /// raised again.
    Raised(Alert),
    /// A notification is on its way: it is stored where it cannot be lost, or has arrived.
    Told(IdempotencyKey),
    /// A notification is lost: the engine makes a new one at the group's next tick.
    NotTold(IdempotencyKey),
}
