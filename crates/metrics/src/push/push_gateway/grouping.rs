//! Which group of a push gateway figures belong to, as a path.
use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;

/// `/metrics/job/<job>/<label>/<value>...`, with values that a path cannot hold in base64.
pub(super) fn path(job: &str, grouping: &BTreeMap<String, String>) -> String {
    let mut path = String::from("/metrics");
    let labels = grouping.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in std::iter::once(("job", job)).chain(labels) {
        // A single `=` is how the gateway is told an empty value.
        let encoded = if value.is_empty() { "=".to_owned() } else { URL_SAFE.encode(value) };
        // Writing to a `String` cannot fail.
        let _ = if value.is_empty() || value.contains('/') || matches!(value, "." | "..") {
            write!(path, "/{name}@base64/{encoded}")
        } else {
            write!(path, "/{name}/{}", percent_encoded(value))
        };
    }
    path
}

/// RFC 3986, section 2: all but the unreserved characters as `%XX`.
fn percent_encoded(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_a_path_cannot_hold_are_encoded() {
        let path = |job: &str, labels: &[(&str, &str)]| {
            let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            path(job, &labels.collect())
        };
        assert_eq!(path("desk", &[]), "/metrics/job/desk");
        // The examples of the gateway's own README.
        assert_eq!(
            path("directory_cleaner", &[("path", "/var/tmp")]),
            "/metrics/job/directory_cleaner/path@base64/L3Zhci90bXA="
        );
        assert_eq!(path("titan", &[("name", "")]), "/metrics/job/titan/name@base64/=");
        assert_eq!(path("a b", &[("host", "börse:1")]), "/metrics/job/a%20b/host/b%C3%B6rse%3A1");
        assert_eq!(path("..", &[]), "/metrics/job@base64/Li4=");
    }
}
