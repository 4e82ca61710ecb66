//! A value on a cache line of its own.

use std::ops::Deref;

/// A value that shares its cache line with nothing else, so that writers of neighbouring values do not slow one
/// another down.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(crate) struct Padded<T>(T);

impl<T> Padded<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T> Deref for Padded<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}
