//! Recording by labels, without a handle.

use super::{DynamicFamily, Family, FamilyOf, LabelPairs, LabelValues};
use crate::{Counter, FloatCounter, Gauge, Histogram, LabelSet, Observation};

/// The recording calls of an instrument as calls of its families: each finds the series and records in one step, and
/// clones no handle.
macro_rules! calls {
    ($($instrument:ident {
        $($(#[$doc:meta])* fn $name:ident(self$(, $argument:ident: $type:ty $(= $value:expr)?)?);)+
    })+) => { $(
        /// Recording without a handle: a handle that is cloned and dropped costs two locked instructions more.
        impl<const N: usize> Family<$instrument, N> {
            $($(#[$doc])* #[inline]
            pub fn $name<'a>(&self, values: impl LabelValues<'a, N>$(, $argument: $type)?) {
                $($(let $argument = $value;)?)?
                self.on(values, |series| series.$name($($argument)?));
            })+
        }

        /// Recording without a handle: a handle that is cloned and dropped costs two locked instructions more.
        impl<L: LabelSet> FamilyOf<$instrument, L> {
            $($(#[$doc])* #[inline]
            pub fn $name(&self, labels: &L$(, $argument: $type)?) {
                $($(let $argument = $value;)?)?
                self.on(labels, |series| series.$name($($argument)?));
            })+
        }

        /// Recording without a handle: a handle that is cloned and dropped costs two locked instructions more.
        impl DynamicFamily<$instrument> {
            $($(#[$doc])* #[inline]
            pub fn $name(&self, labels: &(impl LabelPairs + ?Sized)$(, $argument: $type)?) {
                $($(let $argument = $value;)?)?
                self.on(labels, |series| series.$name($($argument)?));
            })+
        }
    )+ };
}

calls! {
    Counter {
        /// One more of a label set, or of the overflow series if it can have none.
        fn increment(self);
        /// `n` more of a label set, or of the overflow series if it can have none.
        fn add(self, n: u64);
    }
    FloatCounter {
        /// Adds to the total of a label set, or of the overflow series if it can have none.
        fn add(self, amount: f64);
    }
    Gauge {
        /// Sets the value of a label set, or of the overflow series if it can have none.
        fn set(self, value: f64);
        /// Adds to the value of a label set, or of the overflow series if it can have none.
        fn add(self, by: f64);
        /// Takes from the value of a label set, or of the overflow series if it can have none.
        fn sub(self, by: f64);
        /// Raises the value of a label set, or of the overflow series if it can have none.
        fn max(self, least: f64);
        /// Lowers the value of a label set, or of the overflow series if it can have none.
        fn min(self, most: f64);
    }
    Histogram {
        /// Counts a value of a label set, or of the overflow series if it can have none.
        fn record(self, value: impl Observation = value.value());
    }
}
