//! What lanes are synchronised with; under `cfg(loom_models)` what a model checker sees through.

#[cfg(loom_models)]
pub(super) use loom::sync::atomic::AtomicU64;
#[cfg(not(loom_models))]
pub(super) use std::sync::atomic::AtomicU64;

#[cfg(not(loom_models))]
pub(super) use parking_lot::Mutex;

/// A mutex of the model checker, with the face of the other.
#[cfg(loom_models)]
pub(super) struct Mutex<T>(loom::sync::Mutex<T>);

#[cfg(loom_models)]
impl<T> Mutex<T> {
    pub(super) fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    pub(super) fn lock(&self) -> loom::sync::MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
