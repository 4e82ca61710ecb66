//! A page of metrics that a scrape asks for.

use crate::heap;
use crate::round::Who;

/// A registry that is filled, and how it writes its page.
pub(crate) struct Page {
    pub(crate) who: Who,
    pub(crate) name: &'static str,
    /// What it does less than the others.
    pub(crate) lacks: &'static str,
    /// Heap bytes per series.
    pub(crate) bytes_per_series: f64,
    /// Writes the page into a buffer that is used again, and says how many bytes it has.
    pub(crate) render: Box<dyn FnMut() -> usize>,
    /// What holds the series.
    _kept: Box<dyn std::any::Any>,
}

impl Page {
    /// Fills a registry and sees what that takes.
    pub(crate) fn new<T: 'static>(
        name: &'static str,
        series: usize,
        fill: impl FnOnce() -> T,
        render: impl FnMut() -> usize + 'static,
    ) -> Self {
        let (kept, heap) = heap::watch(fill);
        Self {
            who: Who::Peer,
            name,
            lacks: "",
            bytes_per_series: heap.growth as f64 / series as f64,
            render: Box::new(render),
            _kept: Box::new(kept),
        }
    }

    pub(crate) fn by(mut self, who: Who) -> Self {
        self.who = who;
        self
    }

    pub(crate) fn without(mut self, lacks: &'static str) -> Self {
        self.lacks = lacks;
        self
    }
}
