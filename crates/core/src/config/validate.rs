//! What a type alone cannot say about its configuration.

use std::collections::{BTreeMap, HashMap};

use super::path::ConfigPath;
use super::problem::Problems;

/// What a type alone cannot say: ranges, references between keys, contradictions.
///
/// A section checks its own keys and hands on to its parts; lists, maps, options and boxes of parts do so by
/// themselves, with index or key in the path. All problems are told, not only the first.
///
/// ```
/// use bellwether_core::config::{ConfigPath, Problems, Validate};
///
/// struct Route { receiver: String, routes: Vec<Route> }
///
/// impl Validate for Route {
///     fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
///         problems.require(&at.key("receiver"), !self.receiver.is_empty(), "is empty: name a channel");
///         self.routes.validate(&at.key("routes"), problems);
///     }
/// }
///
/// let leaf = Route { receiver: String::new(), routes: vec![] };
/// let root = Route { receiver: "desk".into(), routes: vec![leaf] };
/// let problems = root.check().unwrap_err();
/// assert_eq!(problems.to_string(), "routes[0].receiver: is empty: name a channel");
/// ```
pub trait Validate {
    /// Adds everything that is wrong with this value, which stands at `at`.
    fn validate(&self, at: &ConfigPath, problems: &mut Problems);

    /// Everything that is wrong with a value that was not loaded but built in code.
    fn check(&self) -> Result<(), Problems> {
        let mut problems = Problems::new();
        self.validate(&ConfigPath::root(), &mut problems);
        problems.into_result()
    }
}

impl Validate for () {
    fn validate(&self, _: &ConfigPath, _: &mut Problems) {}
}

impl<T: Validate + ?Sized> Validate for &T {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        T::validate(self, at, problems);
    }
}

impl<T: Validate + ?Sized> Validate for Box<T> {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        T::validate(self, at, problems);
    }
}

impl<T: Validate> Validate for Option<T> {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        if let Some(value) = self {
            value.validate(at, problems);
        }
    }
}

impl<T: Validate> Validate for [T] {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        for (index, value) in self.iter().enumerate() {
            value.validate(&at.index(index), problems);
        }
    }
}

impl<T: Validate> Validate for Vec<T> {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        self.as_slice().validate(at, problems);
    }
}

impl<K: AsRef<str>, T: Validate> Validate for BTreeMap<K, T> {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        for (key, value) in self {
            value.validate(&at.key(key.as_ref()), problems);
        }
    }
}

impl<K: AsRef<str>, T: Validate, S> Validate for HashMap<K, T, S> {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        let mut entries: Vec<_> = self.iter().map(|(key, value)| (key.as_ref(), value)).collect();
        entries.sort_by_key(|(key, _)| *key);
        for (key, value) in entries {
            value.validate(&at.key(key), problems);
        }
    }
}
