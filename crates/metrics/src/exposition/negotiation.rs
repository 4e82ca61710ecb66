//! Which format a reader gets.

use super::prometheus_text::TEXT_CONTENT_TYPE;

/// A format that a registry can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[non_exhaustive]
pub enum Format {
    /// The Prometheus text format 0.0.4. Infos and state sets are gauges in it; of a native histogram it has only count and
    /// sum; it has neither units, starts nor exemplars.
    #[default]
    Text,
    /// The OpenMetrics text format 1.0.0: with units, starts (`_created`) and exemplars. A counter `x_total` belongs to a
    /// family `x` in it, an info `x_info` too.
    ///
    /// What the standard forbids is left out: the sum and count of a histogram or summary whose sum may fall (a bound below
    /// zero, or a sum that is), quantiles below zero, exemplars of more than 128 characters, and a unit that the name of the
    /// metric does not end in. Of a native histogram it has only count, sum and newest exemplar.
    OpenMetrics,
    /// The protobuf format of Prometheus: `io.prometheus.client.MetricFamily` messages, each behind its length. The one
    /// format in which Prometheus reads native histograms.
    Protobuf,
    /// JSON in the schema `bellwether.metrics/1`, with everything that a [`Snapshot`](crate::Snapshot) has.
    ///
    /// ```json
    /// {"schema": "bellwether.metrics/1", "at": "2026-03-02T14:30:00Z", "families": [
    ///   {"name": "orders_total", "kind": "counter", "unit": "", "help": "Orders sent.", "series": [
    ///     {"labels": {"venue": "XNYS"}, "value": 3, "created": "2026-03-02T14:00:00Z",
    ///      "exemplars": [{"labels": {"order_id": "17"}, "value": 1, "at": "2026-03-02T14:29:59.500Z"}]}]}]}
    /// ```
    ///
    /// | in | member | is |
    /// | --- | --- | --- |
    /// | document | `schema` | `bellwether.metrics/1`; new members may come without a new number |
    /// | | `at` | when it was written |
    /// | | `families` | metrics that have a value, by name |
    /// | family | `name`, `unit`, `help` | texts; `unit` is empty where there is none |
    /// | | `kind` | `counter`, `gauge`, `histogram`, `summary`, `info` or `state_set` |
    /// | | `series` | by labels |
    /// | series | `labels` | an object of texts |
    /// | | `created` | since when it counts; missing where that is not known |
    /// | | `exemplars` | of each its `labels`, `value`, `at`, and in a histogram the place of its `bucket`; missing where there is none |
    /// | counter, gauge, info, state set | `value` | a number |
    /// | histogram, summary | `count`, `sum` | numbers |
    /// | histogram | `bounds` | upper bounds, increasing |
    /// | | `counts` | how many values each bucket counted, not added up; one more than `bounds`, as the last is open |
    /// | native histogram | `schema`, `zero_threshold`, `zero_count` | as in [`NativeSnapshot`](crate::NativeSnapshot), in place of `bounds` and `counts` |
    /// | | `positive`, `negative` | pairs `[index, count]` |
    /// | summary | `quantiles` | pairs `[quantile, value]`, by quantile |
    ///
    /// Times are RFC 3339 in UTC. Numbers are finite, and whole totals are written with all their digits: a reader that has
    /// only floating point loses the last ones above 2^53.
    Json,
}

/// `type/subtype`, the parameters that say which one, and their values.
struct Offer {
    format: Format,
    kind: &'static str,
    subtype: &'static str,
    parameters: &'static [(&'static str, &'static str)],
}

/// By preference where a reader names several and prefers none.
const OFFERS: [Offer; 4] = [
    Offer {
        format: Format::Protobuf,
        kind: "application",
        subtype: "vnd.google.protobuf",
        parameters: &[("proto", "io.prometheus.client.MetricFamily"), ("encoding", "delimited")],
    },
    Offer {
        format: Format::OpenMetrics,
        kind: "application",
        subtype: "openmetrics-text",
        parameters: &[("version", "1.0.0")],
    },
    Offer { format: Format::Text, kind: "text", subtype: "plain", parameters: &[("version", "0.0.4")] },
    Offer { format: Format::Json, kind: "application", subtype: "json", parameters: &[] },
];

impl Format {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::Text, Self::OpenMetrics, Self::Protobuf, Self::Json];

    /// What to send in `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => TEXT_CONTENT_TYPE,
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            }
            Self::Json => "application/json",
        }
    }

    /// The format that suits an `Accept` header best (RFC 9110, section 12.5.1): the one with the highest weight, where
    /// for each format the most specific range that fits it counts. [`Format::Text`] for a reader that says nothing, takes
    /// anything (`*/*`), or wants only what there is not: a page in another format tells more than an error.
    ///
    /// Among formats of equal weight one that is named goes before one that only a wildcard allows. Parameters that say
    /// which version or message is meant must be ours; others (`charset`, `escaping`) are taken for wishes. A range that
    /// cannot be read is skipped. Several headers are one with commas between. Allocates nothing.
    ///
    /// ```
    /// use bellwether_metrics::Format;
    /// let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
    /// assert_eq!(Format::negotiate(Some(prometheus)), Format::OpenMetrics);
    /// assert_eq!(Format::negotiate(None), Format::Text);
    /// ```
    pub fn negotiate(accept: Option<&str>) -> Self {
        let Some(accept) = accept else { return Self::Text };
        let mut best = (Weight::NONE, Self::Text);
        for offer in &OFFERS {
            let weight = offer.weight(accept);
            if weight > best.0 {
                best = (weight, offer.format);
            }
        }
        best.1
    }
}

/// How much a reader wants a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Weight {
    /// In thousandths.
    quality: u16,
    /// How exactly it was named.
    named: Named,
    /// Whether it is the format for those who do not care.
    usual: bool,
}

/// From the least to the most specific.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Named {
    /// `*/*`
    Anything,
    /// `text/*`
    Type,
    /// `text/plain`
    Subtype,
    /// `text/plain;version=0.0.4`
    Exactly,
}

impl Weight {
    /// Not wanted.
    const NONE: Self = Self { quality: 0, named: Named::Exactly, usual: true };
}

impl Offer {
    fn weight(&self, accept: &str) -> Weight {
        let mut best: Option<(Named, u16)> = None;
        for range in split(accept, b',') {
            if let Some((named, quality)) = self.matches(range)
                && best.is_none_or(|best| (named, quality) > best)
            {
                best = Some((named, quality));
            }
        }
        match best {
            Some((named, quality @ 1..)) => {
                let wildcard = matches!(named, Named::Anything | Named::Type);
                // How exactly a name was spelt out says nothing of how much it is wanted.
                let named = if wildcard { Named::Anything } else { Named::Subtype };
                Weight { quality, named, usual: wildcard && self.format == Format::Text }
            }
            _ => Weight::NONE,
        }
    }

    /// How exactly a range names this, and with which weight.
    fn matches(&self, range: &str) -> Option<(Named, u16)> {
        let mut parts = split(range, b';');
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let (kind, subtype) = (kind.trim_ascii(), subtype.trim_ascii());
        let mut named = match (kind, subtype) {
            ("*", "*") => Named::Anything,
            (kind, "*") if kind.eq_ignore_ascii_case(self.kind) => Named::Type,
            _ if kind.eq_ignore_ascii_case(self.kind) && subtype.eq_ignore_ascii_case(self.subtype) => {
                Named::Subtype
            }
            _ => return None,
        };
        let mut quality = 1_000;
        for part in parts.filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=')?;
            let (name, value) = (name.trim_ascii(), value.trim_ascii());
            let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
            if name.eq_ignore_ascii_case("q") {
                quality = weight(value)?;
            } else if let Some((_, ours)) =
                self.parameters.iter().find(|(ours, _)| name.eq_ignore_ascii_case(ours))
            {
                if value != *ours {
                    return None;
                }
                named = named.max(Named::Exactly);
            }
        }
        Some((named, quality))
    }
}

/// `0`, `0.5`, `1.000`: at most three decimals, at most 1.
fn weight(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let thousandths =
        decimals.bytes().chain(*b"000").take(3).fold(0, |all, digit| all * 10 + u16::from(digit - b'0'));
    match (whole, thousandths) {
        ("0", _) => Some(thousandths),
        ("1", 0) => Some(1_000),
        _ => None,
    }
}

/// The parts between separators that do not stand in quotes, without the spaces around them.
fn split(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let (mut quoted, mut escaped) = (false, false);
        let end = text.bytes().position(|byte| {
            let ends = byte == separator && !quoted;
            quoted ^= byte == b'"' && !escaped;
            escaped = byte == b'\\' && quoted && !escaped;
            ends
        });
        let (part, after) = match end {
            Some(end) => (text.get(..end), text.get(end + 1..)),
            None => (Some(text), None),
        };
        rest = after;
        part.map(str::trim_ascii)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negotiate(accept: &str) -> Format {
        Format::negotiate(Some(accept))
    }

    #[test]
    fn prometheus_servers_get_what_they_ask_for() {
        // As 2.42 sent it to us, without and with `--enable-feature=native-histograms`.
        assert_eq!(
            negotiate(
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                 text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
            ),
            Format::OpenMetrics
        );
        assert_eq!(
            negotiate(
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,\
                 application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,\
                 text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
            ),
            Format::Protobuf
        );
        // As 3.x sends it, without and with native histograms, and with text preferred.
        assert_eq!(
            negotiate(
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                 application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
                 text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
            ),
            Format::OpenMetrics
        );
        assert_eq!(
            negotiate(
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,\
                 application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                 application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
                 text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
            ),
            Format::Protobuf
        );
        assert_eq!(
            negotiate(
                "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5,\
                 application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.4,*/*;q=0.3"
            ),
            Format::Text
        );
    }

    #[test]
    fn who_says_nothing_or_takes_anything_gets_text() {
        for accept in
            ["*/*", "", "*/*;q=0.1", "image/png", "text/*", "text/html, */*;q=0.8", ",,", ";", "garbage"]
        {
            assert_eq!(negotiate(accept), Format::Text, "{accept}");
        }
        assert_eq!(Format::negotiate(None), Format::Text);
        // A browser.
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
        assert_eq!(negotiate(browser), Format::Text);
    }

    #[test]
    fn the_highest_weight_wins_whatever_the_order() {
        assert_eq!(negotiate("text/plain;q=0.3, application/json;q=0.31"), Format::Json);
        assert_eq!(negotiate("application/json; q=0.31 , text/plain;q=0.3"), Format::Json);
        assert_eq!(negotiate("application/json;q=0.9, */*"), Format::Text);
        assert_eq!(negotiate("text/plain;q=0.999, application/json;q=1.000"), Format::Json);
    }

    #[test]
    fn the_most_specific_range_counts() {
        assert_eq!(negotiate("text/*;q=0.9, text/plain;q=0.1, application/json;q=0.5"), Format::Json);
        assert_eq!(
            negotiate("text/plain;version=0.0.4;q=0.1, text/plain;q=0.9, application/json;q=0.5"),
            Format::Json
        );
        assert_eq!(negotiate("*/*, text/plain;q=0"), Format::Protobuf);
        assert_eq!(negotiate("application/*;q=0.4, application/json;q=0, */*;q=0.1"), Format::Protobuf);
    }

    #[test]
    fn among_equals_a_name_goes_before_a_wildcard_and_the_richer_format_before_the_other() {
        assert_eq!(negotiate("*/*, application/json"), Format::Json);
        assert_eq!(negotiate("text/plain, application/openmetrics-text"), Format::OpenMetrics);
        assert_eq!(
            negotiate("application/json, application/openmetrics-text;version=1.0.0"),
            Format::OpenMetrics
        );
    }

    #[test]
    fn other_versions_and_messages_are_not_ours() {
        assert_eq!(
            negotiate("application/openmetrics-text;version=2.0.0, application/json;q=0.1"),
            Format::Json
        );
        assert_eq!(
            negotiate("application/vnd.google.protobuf;encoding=text, application/json;q=0.1"),
            Format::Json
        );
        assert_eq!(
            negotiate("application/openmetrics-text; version=\"1.0.0\"; charset=utf-8"),
            Format::OpenMetrics
        );
        assert_eq!(negotiate("Application/OpenMetrics-Text;Version=1.0.0;Q=0.2"), Format::OpenMetrics);
    }

    #[test]
    fn what_cannot_be_read_is_skipped() {
        for bad in ["q=2", "q=0.1234", "q=x", "q=-1", "q=1.001", "q=NaN", "q", "q=0,5"] {
            assert_eq!(
                negotiate(&format!("application/json;{bad}, text/plain;q=0.001")),
                Format::Text,
                "{bad}"
            );
        }
        assert_eq!(negotiate("text/plain;note=\"a,b;q=0\\\"\";q=0.2, application/json;q=0.1"), Format::Text);
        assert_eq!(negotiate("application/json;q=0"), Format::Text);
    }

    #[test]
    fn a_format_accepts_its_own_content_type() {
        for format in Format::ALL {
            assert_eq!(negotiate(format.content_type()), format);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_header_is_too_strange(accept in "[a-z*/;=\",.\\\\ q01]{0,60}|\\PC{0,40}") {
            negotiate(&accept);
        }
    }
}
