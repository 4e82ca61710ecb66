//! Texts for people that go with an alert.
use std::fmt;
use std::sync::Arc;

/// Most annotations of one alert.
pub const MAX_ANNOTATIONS: usize = 32;

/// Longest name of an annotation, in bytes.
pub const MAX_ANNOTATION_NAME_LEN: usize = 255;

/// Longest text of an annotation, in bytes.
pub const MAX_ANNOTATION_LEN: usize = 16 * 1024;

/// Why texts are not annotations.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnnotationsError {
    /// More than [`MAX_ANNOTATIONS`].
    #[error("{got} annotations are more than {MAX_ANNOTATIONS}")]
    TooMany {
        /// How many were given.
        got: usize,
    },
    /// A name is empty or longer than [`MAX_ANNOTATION_NAME_LEN`].
    #[error(
        "annotation name of {len} bytes begins {begins:?}; expected 1 to {MAX_ANNOTATION_NAME_LEN} bytes"
    )]
    Name {
        /// Its length in bytes.
        len: usize,
        /// Its first characters.
        begins: String,
    },
    /// The same name was given twice.
    #[error("annotation {name:?} is given twice")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// A text longer than [`MAX_ANNOTATION_LEN`].
    #[error("annotation {name:?} has {len} bytes, more than {MAX_ANNOTATION_LEN}")]
    TooLong {
        /// The name.
        name: String,
        /// Length of its text in bytes.
        len: usize,
    },
}

/// Texts for people that go with an alert, by name and sorted: `summary`, `runbook`, whatever the desk agrees on.
///
/// They are no part of an alert's identity, and a change of them alone tells nobody anything. Cloning copies a pointer.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Annotations(Arc<[(Box<str>, Box<str>)]>);

impl Annotations {
    /// Without annotations.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Sorts and checks the texts.
    pub fn new<N, T>(texts: impl IntoIterator<Item = (N, T)>) -> Result<Self, AnnotationsError>
    where
        N: Into<String>,
        T: Into<String>,
    {
        let mut kept: Vec<(Box<str>, Box<str>)> = Vec::new();
        for (name, text) in texts {
            let (name, text): (String, String) = (name.into(), text.into());
            if name.is_empty() || name.len() > MAX_ANNOTATION_NAME_LEN {
                let begins = name.chars().take(32).collect();
                return Err(AnnotationsError::Name { len: name.len(), begins });
            }
            if text.len() > MAX_ANNOTATION_LEN {
                return Err(AnnotationsError::TooLong { name, len: text.len() });
            }
            kept.push((name.into(), text.into()));
        }
        if kept.len() > MAX_ANNOTATIONS {
            return Err(AnnotationsError::TooMany { got: kept.len() });
        }
        kept.sort_by(|a, b| a.0.cmp(&b.0));
        if let Some([first, _]) = kept.array_windows().find(|[a, b]| a.0 == b.0) {
            return Err(AnnotationsError::Duplicate { name: first.0.to_string() });
        }
        Ok(Self(kept.into()))
    }

    /// The text of a name, if there is one. O(log n).
    pub fn get(&self, name: &str) -> Option<&str> {
        let at = self.0.binary_search_by(|text| (*text.0).cmp(name)).ok()?;
        self.0.get(at).map(|text| &*text.1)
    }

    /// Name and text of each, sorted by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + Clone {
        self.0.iter().map(|(name, text)| (&**name, &**text))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Annotations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Annotations {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Annotations {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> serde::de::Visitor<'de> for Texts {
            type Value = Annotations;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of annotation names to texts")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Annotations, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = map.next_entry::<String, String>()? {
                    texts.push(text);
                }
                Annotations::new(texts).map_err(serde::de::Error::custom)
            }
        }
        deserializer.deserialize_map(Texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_sorted_and_found_by_name() {
        let texts = Annotations::new([("summary", "down 12 %"), ("runbook", "call the desk")]).unwrap();
        assert_eq!(texts.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["runbook", "summary"]);
        assert_eq!(texts.get("summary"), Some("down 12 %"));
        assert_eq!(texts.get("owner"), None);
    }

    #[test]
    fn too_many_too_long_and_twice_are_refused() {
        let many = (0..=MAX_ANNOTATIONS).map(|i| (format!("a{i}"), ""));
        assert_eq!(Annotations::new(many), Err(AnnotationsError::TooMany { got: 33 }));
        assert!(matches!(
            Annotations::new([("a", "x"), ("a", "y")]),
            Err(AnnotationsError::Duplicate { .. })
        ));
        assert!(matches!(
            Annotations::new([("a", "x".repeat(MAX_ANNOTATION_LEN + 1))]),
            Err(AnnotationsError::TooLong { .. })
        ));
        assert!(matches!(Annotations::new([("", "x")]), Err(AnnotationsError::Name { len: 0, .. })));
    }
}
