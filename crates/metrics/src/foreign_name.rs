//! Names that other libraries gave, as names of ours.

#[cfg(any(feature = "facade", feature = "tracing"))]
use bellwether_core::LabelName;
use bellwether_core::NameError;
#[cfg(feature = "prometheus")]
use bellwether_core::Unit;
#[cfg(any(feature = "facade", feature = "prometheus"))]
use bellwether_core::{Kind, MetricName};

/// The name of ours for a metric that another library calls `name`.
///
/// A character that no name has becomes an underscore, as one put before a leading digit; a counter ends in `_total`, an
/// info in `_info`; anything else that ends in a word that is for another kind gets `_value` behind it, so that it is
/// told at all.
#[cfg(any(feature = "facade", feature = "prometheus"))]
pub(crate) fn metric_name(name: &str, kind: Kind) -> Result<MetricName, NameError> {
    let mut text = sanitised(name, |c| c == ':');
    let is_for_others = || ["_total", "_bucket", "_info"].iter().any(|suffix| text.ends_with(suffix));
    match kind {
        // None is none, whatever stands behind it.
        _ if text.is_empty() => {}
        Kind::Counter if !text.ends_with("_total") => text.push_str("_total"),
        Kind::Info if !text.ends_with("_info") => text.push_str("_info"),
        Kind::Counter | Kind::Info => {}
        _ if is_for_others() => text.push_str("_value"),
        _ => {}
    }
    MetricName::new(text)
}

/// The label of ours that another library calls `name`; underscores in front, of which two are reserved, go to its end.
#[cfg(any(feature = "facade", feature = "tracing"))]
pub(crate) fn label_name(name: &str) -> Result<LabelName, NameError> {
    let text = sanitised(name, |_| false);
    match text.strip_prefix("__") {
        Some(rest) => LabelName::new(format!("{}__", rest.trim_start_matches('_'))),
        None => LabelName::new(text),
    }
}

fn sanitised(name: &str, also: impl Fn(char) -> bool) -> String {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || also(c);
    let mut text: String = name.chars().map(|c| if good(c) { c } else { '_' }).collect();
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        text.insert(0, '_');
    }
    text
}

/// The unit that a name tells by its end.
#[cfg(feature = "prometheus")]
pub(crate) fn unit_of(name: &str) -> Unit {
    let name = name.strip_suffix("_total").unwrap_or(name);
    [Unit::Seconds, Unit::Bytes, Unit::Ratio]
        .into_iter()
        .find(|unit| name.strip_suffix(unit.as_str()).is_some_and(|rest| rest.ends_with('_')))
        .unwrap_or(Unit::None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(any(feature = "facade", feature = "prometheus"))]
    #[test]
    fn names_become_ours_by_their_kind() {
        let name = |text, kind| metric_name(text, kind).map(|name| name.as_str().to_owned());
        assert_eq!(name("http.requests", Kind::Counter).unwrap(), "http_requests_total");
        assert_eq!(name("orders_total", Kind::Counter).unwrap(), "orders_total");
        assert_eq!(name("5xx rate", Kind::Gauge).unwrap(), "_5xx_rate");
        assert_eq!(name("memory_total", Kind::Gauge).unwrap(), "memory_total_value");
        assert_eq!(name("sizes_bucket", Kind::Histogram).unwrap(), "sizes_bucket_value");
        assert_eq!(name("job:rate", Kind::Gauge).unwrap(), "job:rate");
        assert_eq!(name("größe", Kind::Gauge).unwrap(), "gr__e");
        assert!(name("", Kind::Counter).is_err() && name(&"x".repeat(300), Kind::Gauge).is_err());
    }

    #[cfg(any(feature = "facade", feature = "tracing"))]
    #[test]
    fn labels_become_ours() {
        let name = |text| label_name(text).map(|name| name.as_str().to_owned());
        assert_eq!(name("http.status").unwrap(), "http_status");
        assert_eq!(name("a:b").unwrap(), "a_b");
        assert_eq!(name("__name__").unwrap(), "name____");
        assert_eq!(name("2xx").unwrap(), "_2xx");
        assert!(name("").is_err());
    }

    #[cfg(feature = "prometheus")]
    #[test]
    fn units_are_told_by_the_end_of_a_name() {
        assert_eq!(unit_of("process_cpu_seconds_total"), Unit::Seconds);
        assert_eq!(unit_of("heap_bytes"), Unit::Bytes);
        assert_eq!(unit_of("milliseconds"), Unit::None);
    }
}
