//! The label set that a look-up is for.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use bellwether_core::{LabelName, Labels, LabelsError, MAX_LABEL_VALUE_LEN, MAX_LABELS};
use foldhash::fast::RandomState;

use crate::LabelPairs;
use crate::label_set::is_label_name;
use crate::values::Values;

/// A label set, borrowed from whoever records.
pub(crate) trait Wanted {
    /// The texts that tell it from all others of its metric.
    fn parts(&self) -> impl Iterator<Item = &str> + Clone;

    /// Name and value of each label; `names` are those of the metric, sorted.
    fn pairs<'a>(&'a self, names: &'a [LabelName]) -> impl Iterator<Item = (&'a str, &'a str)>;

    /// Whether the pairs cannot be labels at all, found without an allocation.
    fn is_hopeless(&self) -> bool {
        self.parts().any(|part| part.len() > MAX_LABEL_VALUE_LEN)
    }

    /// Whether these are the values of a series.
    #[inline]
    fn is(&self, values: &Values) -> bool {
        values.are(self.parts())
    }

    fn labels(&self, names: &Arc<[LabelName]>) -> Result<Labels, LabelsError> {
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
    fn parts(&self) -> impl Iterator<Item = &str> + Clone {
        // Each place is one of the values.
        self.order.iter().map(|&at| self.values.get(at).copied().unwrap_or(""))
    }

    fn pairs<'a>(&'a self, names: &'a [LabelName]) -> impl Iterator<Item = (&'a str, &'a str)> {
        names.iter().map(LabelName::as_str).zip(self.parts())
    }

    fn labels(&self, names: &Arc<[LabelName]>) -> Result<Labels, LabelsError> {
        Labels::from_values(names, self.parts())
    }
}

/// Names and values in the order in which they were given.
///
/// The same pairs in another order are the same label set: their hashes are added up, and where the texts of a series are not
/// those that were given one after the other, they are looked for one by one. As a rule they are, for a series is kept in the
/// order that it was first asked for in.
pub(crate) struct ByName<'a, P: ?Sized>(pub(crate) &'a P);

impl<P: LabelPairs + ?Sized> ByName<'_, P> {
    /// An empty value is no label.
    #[inline]
    fn labels_given(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.0.pairs().filter(|(_, value)| !value.is_empty())
    }

    #[cold]
    fn are_in_another_order(&self, values: &Values) -> bool {
        let texts = || values.texts();
        let pairs = texts().step_by(2).zip(texts().skip(1).step_by(2));
        // A series has no name twice, so that of as many pairs each is met once.
        self.labels_given().count() * 2 == texts().count()
            && pairs.into_iter().all(|(name, value)| {
                self.labels_given().any(|given| given.0.as_bytes() == name && given.1.as_bytes() == value)
            })
    }
}

impl<P: LabelPairs + ?Sized> Wanted for ByName<'_, P> {
    #[inline]
    fn parts(&self) -> impl Iterator<Item = &str> + Clone {
        self.labels_given().flat_map(|(name, value)| [name, value])
    }

    fn pairs<'a>(&'a self, _: &'a [LabelName]) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.labels_given()
    }

    fn is_hopeless(&self) -> bool {
        let pairs = || self.labels_given();
        let stands_twice =
            |(at, (name, _)): (usize, (&str, &str))| pairs().skip(at + 1).any(|other| other.0 == name);
        pairs().any(|(name, value)| !is_label_name(name) || value.len() > MAX_LABEL_VALUE_LEN)
            || pairs().nth(MAX_LABELS).is_some()
            || pairs().enumerate().any(stands_twice)
    }

    #[inline]
    fn hash_with(&self, hashes: &RandomState) -> u64 {
        self.labels_given().fold(0, |all, (name, value)| {
            let mut hasher = hashes.build_hasher();
            hasher.write(name.as_bytes());
            hasher.write(value.as_bytes());
            all.wrapping_add(hasher.finish())
        })
    }

    #[inline]
    fn is(&self, values: &Values) -> bool {
        let mut rest = values.bytes();
        for (name, value) in self.labels_given() {
            match Values::after(rest, name).and_then(|rest| Values::after(rest, value)) {
                Some(next) => rest = next,
                None => return self.are_in_another_order(values),
            }
        }
        rest.is_empty()
    }
}
