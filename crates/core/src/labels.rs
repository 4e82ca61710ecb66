//! A set of labels: sorted, checked, cheap to clone, with its hash kept.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::{Arc, LazyLock};

use crate::fingerprint::{Fingerprint, fingerprint};
use crate::name::{LabelName, NameError};

/// Most labels that one set may have.
pub const MAX_LABELS: usize = 64;

/// Longest label value, in bytes.
pub const MAX_LABEL_VALUE_LEN: usize = 4096;

/// Why pairs do not make a label set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LabelsError {
    /// A name is not a label name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The same name was given twice.
    #[error("label {name:?} is given twice: {first:?} and {second:?}")]
    Duplicate {
        /// The name.
        name: LabelName,
        /// The first value.
        first: String,
        /// The second value.
        second: String,
    },
    /// More than [`MAX_LABELS`] labels.
    #[error("{got} labels are more than {MAX_LABELS}")]
    TooMany {
        /// How many were given.
        got: usize,
    },
    /// A value longer than [`MAX_LABEL_VALUE_LEN`].
    #[error("value of label {name:?} has {len} bytes, more than {MAX_LABEL_VALUE_LEN}")]
    ValueTooLong {
        /// The label.
        name: LabelName,
        /// Length of its value in bytes.
        len: usize,
    },
}

/// A set of labels, sorted by name, each name once.
///
/// A label whose value is empty is the same as no label and is left out. Cloning copies a pointer. The hash
/// is computed once, when the set is built; two sets are equal when their pairs are.
///
/// ```
/// use bellwether_core::Labels;
/// let labels = Labels::new([("venue", "XNYS"), ("strategy", "momentum"), ("note", "")])?;
/// assert_eq!(labels.to_string(), r#"{strategy="momentum",venue="XNYS"}"#);
/// assert_eq!(labels.get("venue"), Some("XNYS"));
/// # Ok::<(), bellwether_core::LabelsError>(())
/// ```
#[derive(Clone)]
pub struct Labels(Arc<Inner>);

struct Inner {
    hash: u64,
    /// Sorted; many sets may share them.
    names: Arc<[LabelName]>,
    /// The values one after the other, each behind its length as a character: one text for all of them.
    values: Box<str>,
}

/// Name and value of each label.
#[derive(Clone)]
struct Pairs<'a> {
    names: std::slice::Iter<'a, LabelName>,
    values: &'a str,
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let name = self.names.next()?;
        let mut rest = self.values.chars();
        let len = rest.next().map_or(0, |len| len as usize);
        let (value, rest) = rest.as_str().split_at_checked(len).unwrap_or_default();
        self.values = rest;
        Some((name.as_str(), value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.names.size_hint()
    }
}

impl ExactSizeIterator for Pairs<'_> {}

/// Puts a value behind those that are there. None is longer than [`MAX_LABEL_VALUE_LEN`], far below the lengths that are no
/// character.
fn push(values: &mut String, value: &str) {
    values.push(u32::try_from(value.len()).ok().and_then(char::from_u32).unwrap_or_default());
    values.push_str(value);
}

static EMPTY: LazyLock<Labels> = LazyLock::new(|| Labels::from_sorted(Arc::default(), Box::default()));

impl Labels {
    /// The set without labels.
    pub fn empty() -> Self {
        EMPTY.clone()
    }

    /// Sorts and checks the pairs. O(n log n).
    pub fn new<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> Result<Self, LabelsError>
    where
        N: AsRef<str>,
        V: Into<String>,
    {
        let mut kept: Vec<(LabelName, Box<str>)> = Vec::new();
        for (name, value) in pairs {
            let name: LabelName = name.as_ref().parse()?;
            let value: String = value.into();
            if value.len() > MAX_LABEL_VALUE_LEN {
                return Err(LabelsError::ValueTooLong { name, len: value.len() });
            }
            kept.push((name, value.into_boxed_str()));
        }
        Self::from_pairs(kept)
    }

    fn from_pairs(mut pairs: Vec<(LabelName, Box<str>)>) -> Result<Self, LabelsError> {
        if pairs.len() > MAX_LABELS {
            return Err(LabelsError::TooMany { got: pairs.len() });
        }
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        if let Some([first, second]) = pairs.array_windows().find(|[a, b]| a.0 == b.0) {
            return Err(LabelsError::Duplicate {
                name: first.0.clone(),
                first: first.1.to_string(),
                second: second.1.to_string(),
            });
        }
        pairs.retain(|(_, value)| !value.is_empty());
        Ok(Self::of_sorted(pairs))
    }

    /// The values of labels whose names are sorted, none twice, and shared by many sets: each then keeps its values only. An
    /// empty value is left out with its name. O(bytes).
    ///
    /// ```
    /// use std::sync::Arc;
    /// use bellwether_core::{LabelName, Labels};
    /// let names: Arc<[LabelName]> = Arc::new([LabelName::new("side")?, LabelName::new("venue")?]);
    /// let labels = Labels::from_values(&names, ["buy", "XNYS"])?;
    /// assert_eq!(labels, Labels::new([("venue", "XNYS"), ("side", "buy")])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_values<'a>(
        names: &Arc<[LabelName]>,
        values: impl IntoIterator<Item = &'a str, IntoIter: Clone>,
    ) -> Result<Self, LabelsError> {
        let pairs = names.iter().zip(values);
        let too_long = pairs.clone().find(|(_, value)| value.len() > MAX_LABEL_VALUE_LEN);
        if let Some((name, value)) = too_long {
            return Err(LabelsError::ValueTooLong { name: name.clone(), len: value.len() });
        }
        let are_sorted = names.array_windows().all(|[a, b]| a < b);
        let given = pairs.clone().filter(|(_, value)| !value.is_empty()).count();
        if !are_sorted || given < names.len() || given > MAX_LABELS {
            return Self::from_pairs(pairs.map(|(name, value)| (name.clone(), value.into())).collect());
        }
        let mut all = String::with_capacity(pairs.clone().map(|(_, value)| value.len() + 2).sum());
        pairs.for_each(|(_, value)| push(&mut all, value));
        Ok(Self::from_sorted(Arc::clone(names), all.into()))
    }

    /// Pairs that are sorted and have no empty value.
    fn of_sorted(pairs: Vec<(LabelName, Box<str>)>) -> Self {
        if pairs.is_empty() {
            return Self::empty();
        }
        let mut values = String::with_capacity(pairs.iter().map(|(_, value)| value.len() + 2).sum());
        for (_, value) in &pairs {
            push(&mut values, value);
        }
        let names = pairs.into_iter().map(|(name, _)| name).collect();
        Self::from_sorted(names, values.into())
    }

    fn from_sorted(names: Arc<[LabelName]>, values: Box<str>) -> Self {
        let hash = hash_pairs(Pairs { names: names.iter(), values: &values });
        Self(Arc::new(Inner { hash, names, values }))
    }

    /// The pairs whose names are kept.
    fn kept(&self, mut keep: impl FnMut(&str) -> bool) -> Vec<(LabelName, Box<str>)> {
        let pairs = self.0.names.iter().zip(self.iter());
        pairs
            .filter(|(name, _)| keep(name.as_str()))
            .map(|(name, (_, value))| (name.clone(), value.into()))
            .collect()
    }

    /// This set with one label added or replaced; an empty value takes the label away.
    pub fn with(&self, name: LabelName, value: impl Into<String>) -> Result<Self, LabelsError> {
        let value: String = value.into();
        if value.len() > MAX_LABEL_VALUE_LEN {
            return Err(LabelsError::ValueTooLong { name, len: value.len() });
        }
        let mut pairs = self.kept(|other| name != other);
        pairs.push((name, value.into_boxed_str()));
        Self::from_pairs(pairs)
    }

    /// This set and all labels of `other`; where both have a label, the value of `other` stays.
    pub fn merged(&self, other: &Self) -> Result<Self, LabelsError> {
        if other.is_empty() {
            return Ok(self.clone());
        }
        let mut pairs = self.kept(|name| other.get(name).is_none());
        pairs.extend(other.kept(|_| true));
        Self::from_pairs(pairs)
    }

    /// This set without the labels that `keep` refuses.
    #[must_use]
    pub fn retain(&self, mut keep: impl FnMut(&str) -> bool) -> Self {
        let pairs = self.kept(&mut keep);
        if pairs.len() == self.len() { self.clone() } else { Self::of_sorted(pairs) }
    }

    /// The value of a label, if it has one. O(n).
    pub fn get(&self, name: &str) -> Option<&str> {
        let at = self.0.names.binary_search_by(|other| other.as_str().cmp(name)).ok()?;
        self.iter().nth(at).map(|(_, value)| value)
    }

    /// Name and value of each label, sorted by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + Clone {
        Pairs { names: self.0.names.iter(), values: &self.0.values }
    }

    /// How many labels there are.
    pub fn len(&self) -> usize {
        self.0.names.len()
    }

    /// Whether there is no label.
    pub fn is_empty(&self) -> bool {
        self.0.names.is_empty()
    }

    /// 128 bits that are the same on every machine and in every version.
    ///
    /// For keys that leave the process. Sets with equal fingerprints are *probably* equal: whoever takes them
    /// for equal must compare them too. O(bytes); the hash used by maps is the kept one, not this.
    pub fn fingerprint(&self) -> Fingerprint {
        fingerprint(self.iter())
    }
}

fn hash_pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> u64 {
    let mut hasher = foldhash::fast::FixedState::with_seed(0x6265_6c6c).build_hasher();
    for (name, value) in pairs {
        hasher.write(name.as_bytes());
        hasher.write_u8(0xff);
        hasher.write(value.as_bytes());
        hasher.write_u8(0xfe);
    }
    hasher.finish()
}

impl Default for Labels {
    fn default() -> Self {
        Self::empty()
    }
}

impl PartialEq for Labels {
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (&self.0, &other.0);
        let have_same_names = || Arc::ptr_eq(&a.names, &b.names) || a.names == b.names;
        Arc::ptr_eq(a, b) || (a.hash == b.hash && a.values == b.values && have_same_names())
    }
}

impl Eq for Labels {}

impl Hash for Labels {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.hash);
    }
}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Labels {
    fn cmp(&self, other: &Self) -> Ordering {
        self.iter().cmp(other.iter())
    }
}

impl fmt::Display for Labels {
    /// As in the Prometheus text format: `{a="1",b="x\"y"}`; nothing for the empty set.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        if self.is_empty() {
            return Ok(());
        }
        f.write_char('{')?;
        for (i, (name, value)) in self.iter().enumerate() {
            if i > 0 {
                f.write_char(',')?;
            }
            write!(f, "{name}={}", Quoted(value))?;
        }
        f.write_char('}')
    }
}

/// A label's value as the Prometheus text format quotes it.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '\\' => f.write_str("\\\\")?,
                '"' => f.write_str("\\\"")?,
                '\n' => f.write_str("\\n")?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Labels {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Labels {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> serde::de::Visitor<'de> for Pairs {
            type Value = Labels;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of label names to values")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Labels, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry::<String, String>()? {
                    pairs.push(pair);
                }
                Labels::new(pairs).map_err(serde::de::Error::custom)
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}
