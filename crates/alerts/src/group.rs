//! Alerts that are told together.
use std::fmt;
use std::sync::Arc;

use bellwether_core::Labels;

/// Which group: the route that led to it and the labels that its alerts share.
///
/// The text of the route, a colon, and the labels, as in `{}/{severity="critical"}/0:{desk="eq"}`. The same for the same
/// configuration, also after a restart, so it names the group in stores and to services that thread messages. Cloning copies a pointer.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupKey(Arc<str>);

impl GroupKey {
    /// The group of a route with these labels.
    pub fn new(route: &str, labels: &Labels) -> Self {
        if labels.is_empty() {
            Self(format!("{route}:{{}}").into())
        } else {
            Self(format!("{route}:{labels}").into())
        }
    }

    /// From text that was stored.
    pub fn from_text(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for GroupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for GroupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for GroupKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for GroupKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <String as serde::Deserialize>::deserialize(deserializer).map(Self::from_text)
    }
}
