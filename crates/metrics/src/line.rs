//! A cache line of its own for a value that is recorded.

use std::ops::Deref;

use crate::values::Values;

/// A value that is recorded, and the label values that a look-up compares on its way to it: one cache line that nothing
/// else shares, so that neither the writers of other series nor a second line slow it down.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Line<T> {
    value: T,
    values: Values,
}

impl<T> Line<T> {
    pub(crate) fn new(value: T, values: Values) -> Self {
        Self { value, values }
    }

    #[inline]
    pub(crate) fn values(&self) -> &Values {
        &self.values
    }
}

impl<T> Deref for Line<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.value
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    #[test]
    fn a_line_is_a_cache_line() {
        assert_eq!((size_of::<Line<AtomicU64>>(), align_of::<Line<AtomicU64>>()), (64, 64));
    }
}
