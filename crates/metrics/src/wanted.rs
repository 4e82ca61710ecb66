//! The label set that a look-up is for.

use std::hash::{BuildHasher, Hash, Hasher};

use bellwether_core::{LabelName, Labels, LabelsError, MAX_LABEL_VALUE_LEN};
use foldhash::fast::RandomState;
use papaya::Equivalent;

use crate::instrument::Instrument;
use crate::label_set::is_label_name;
use crate::metric::Entry;

/// A label set, borrowed from whoever records.
pub(crate) trait Wanted {
    /// The texts that tell it from all others of its metric, in a fixed order.
    fn parts(&self) -> impl Iterator<Item = &str>;

    /// Name and value of each label; `names` are those of the metric, sorted.
    fn pairs<'a>(&'a self, names: &'a [LabelName]) -> impl Iterator<Item = (&'a str, &'a str)>;

    /// Whether the pairs cannot be labels at all, found without an allocation.
    fn is_hopeless(&self) -> bool {
        self.parts().any(|part| part.len() > MAX_LABEL_VALUE_LEN)
    }

    fn labels(&self, names: &[LabelName]) -> Result<Labels, LabelsError> {
        Labels::new(self.pairs(names))
    }

    #[inline]
    fn hash_with(&self, hashes: &RandomState) -> u64 {
        let mut hasher = hashes.build_hasher();
        for part in self.parts() {
            // Folds the length in, so that where one text ends and the next begins makes a difference.
            hasher.write(part.as_bytes());
        }
        hasher.finish()
    }
}

/// The values of labels whose names the metric has.
#[derive(Clone, Copy)]
pub(crate) struct ByPlace<'a> {
    pub(crate) values: &'a [&'a str],
    /// Which of the values belongs to each name, those being sorted.
    pub(crate) order: &'a [usize],
}

impl Wanted for ByPlace<'_> {
    #[inline]
    fn parts(&self) -> impl Iterator<Item = &str> {
        // Each place is one of the values.
        self.order.iter().map(|&at| self.values.get(at).copied().unwrap_or(""))
    }

    fn pairs<'a>(&'a self, names: &'a [LabelName]) -> impl Iterator<Item = (&'a str, &'a str)> {
        names.iter().map(LabelName::as_str).zip(self.parts())
    }
}

/// Names and values, sorted by name, none of them empty, no name twice.
#[derive(Clone, Copy)]
pub(crate) struct ByName<'a>(pub(crate) &'a [(&'a str, &'a str)]);

impl Wanted for ByName<'_> {
    #[inline]
    fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|&(name, value)| [name, value])
    }

    fn pairs<'a>(&'a self, _: &'a [LabelName]) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().copied()
    }

    fn is_hopeless(&self) -> bool {
        self.0.iter().any(|(name, value)| !is_label_name(name) || value.len() > MAX_LABEL_VALUE_LEN)
    }
}

/// A label set with its hash, as the table of a metric finds it.
pub(crate) struct Sought<'a, W> {
    pub(crate) hash: u64,
    pub(crate) wanted: &'a W,
}

impl<W> Hash for Sought<'_, W> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl<I: Instrument, W: Wanted> Equivalent<Entry<I>> for Sought<'_, W> {
    #[inline]
    fn equivalent(&self, entry: &Entry<I>) -> bool {
        self.hash == entry.hash && entry.series.values().are(self.wanted.parts())
    }
}

/// Passes a hash on that was made before.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Ready(u64);

impl BuildHasher for Ready {
    type Hasher = Self;

    #[inline]
    fn build_hasher(&self) -> Self {
        Self(0)
    }
}

impl Hasher for Ready {
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }

    #[inline]
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, bytes: &[u8]) {
        // Never asked: keys of these tables write one `u64`.
        self.0 = bytes.iter().fold(self.0, |hash, &byte| hash.rotate_left(8) ^ u64::from(byte));
    }
}
