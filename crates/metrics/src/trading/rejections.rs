//! Rejects of one venue and strategy, by reason.

use std::sync::Arc;

use crate::{Counter, CounterFamily};

/// Rejects of one venue and strategy, by reason.
///
/// Reasons are label values: take words of a fixed list, as [`RejectReason`](super::RejectReason), and not the text that
/// a venue sends, which names prices and order ids. How many there may be is bounded as all label sets are.
#[derive(Debug, Clone)]
pub struct Rejections {
    family: CounterFamily<3>,
    /// Venue and strategy; none for what is beyond the bound.
    of: Option<[Arc<str>; 2]>,
}

impl Rejections {
    pub(super) fn new(family: &CounterFamily<3>, of: Option<[&str; 2]>) -> Self {
        Self { family: family.clone(), of: of.map(|names| names.map(Arc::from)) }
    }

    /// The counter of a reason. A reason that is known is looked up without an allocation.
    #[inline]
    pub fn with(&self, reason: impl AsRef<str>) -> Counter {
        match &self.of {
            Some([venue, strategy]) => self.family.with([&**venue, &**strategy, reason.as_ref()]),
            None => self.family.overflow(),
        }
    }
}
