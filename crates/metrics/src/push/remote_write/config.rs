//! The settings of remote write.
use std::time::Duration;

use bellwether_core::config::{ConfigPath, Problems, Validate};
use bellwether_core::resilience::RetrySchedule;
use bellwether_core::{HumanDuration, Labels, UrlSource};
use bellwether_http::ClientConfig;

use crate::push::check_name;

/// The settings of [`RemoteWrite`](super::RemoteWrite).
///
/// ```toml
/// target = { url = "https://metrics.example.com/api/v1/write", bearer_token = { env = "METRICS_TOKEN" } }
/// external_labels = { desk = "index", host = "nyc-3" }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct RemoteWriteConfig {
    /// Where samples go: the whole URL of the receiver.
    pub target: ClientConfig,
    /// What it is called in figures and tasks. Default: `remote_write`; 1 to 64 bytes.
    #[cfg_attr(feature = "serde", serde(default = "name"))]
    pub name: String,
    /// Labels of every series that has none of the same name.
    #[cfg_attr(feature = "serde", serde(default = "Labels::empty"))]
    pub external_labels: Labels,
    /// Most samples of one request. Default: 2,000; 1 to 100,000.
    #[cfg_attr(feature = "serde", serde(default = "max_samples_per_request"))]
    pub max_samples_per_request: usize,
    /// How long samples wait for others to be sent with. Default: 5 s; 1 ms to 10 min.
    #[cfg_attr(feature = "serde", serde(default = "max_delay"))]
    pub max_delay: HumanDuration,
    /// Most samples that wait, 24 bytes each; beyond it the oldest are dropped. Default: 500,000; `max_samples_per_request` to
    /// 100,000,000.
    #[cfg_attr(feature = "serde", serde(default = "max_queued_samples"))]
    pub max_queued_samples: usize,
    /// How long samples wait at most; older ones are dropped. Default: 1 h; 1 s to 7 d.
    #[cfg_attr(feature = "serde", serde(default = "max_age"))]
    pub max_age: HumanDuration,
    /// How long after the first failure the second attempt is made, about. Default: 250 ms; 1 ms to `longest_retry`.
    #[cfg_attr(feature = "serde", serde(default = "first_retry"))]
    pub first_retry: HumanDuration,
    /// Longest wait between attempts, unless the receiver asks for more. Default: 30 s; up to 1 h.
    #[cfg_attr(feature = "serde", serde(default = "longest_retry"))]
    pub longest_retry: HumanDuration,
}

fn name() -> String {
    "remote_write".to_owned()
}

fn max_samples_per_request() -> usize {
    2_000
}

fn max_delay() -> HumanDuration {
    HumanDuration::new(Duration::from_secs(5))
}

fn max_queued_samples() -> usize {
    500_000
}

fn max_age() -> HumanDuration {
    HumanDuration::new(Duration::from_hours(1))
}

fn first_retry() -> HumanDuration {
    HumanDuration::new(Duration::from_millis(250))
}

fn longest_retry() -> HumanDuration {
    HumanDuration::new(Duration::from_secs(30))
}

impl RemoteWriteConfig {
    /// The defaults, for the receiver at this URL. The fields can be set.
    pub fn new(url: UrlSource) -> Self {
        Self {
            target: ClientConfig::new(url),
            name: name(),
            external_labels: Labels::empty(),
            max_samples_per_request: max_samples_per_request(),
            max_delay: max_delay(),
            max_queued_samples: max_queued_samples(),
            max_age: max_age(),
            first_retry: first_retry(),
            longest_retry: longest_retry(),
        }
    }

    /// The waits between attempts. The default ones where the settings are none, which a check would have found.
    pub(super) fn schedule(&self) -> RetrySchedule {
        let schedule = RetrySchedule::builder().first(self.first_retry.get()).cap(self.longest_retry.get());
        schedule.build().unwrap_or_default()
    }
}

impl Validate for RemoteWriteConfig {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        let length = |length| HumanDuration::new(length);
        self.target.validate(&at.key("target"), problems);
        check_name(&self.name, at, problems);
        problems.within(&at.key("max_samples_per_request"), &self.max_samples_per_request, 1..=100_000);
        problems.within(
            &at.key("max_delay"),
            &self.max_delay,
            length(Duration::from_millis(1))..=length(Duration::from_mins(10)),
        );
        problems.within(
            &at.key("max_queued_samples"),
            &self.max_queued_samples,
            self.max_samples_per_request.min(100_000_000)..=100_000_000,
        );
        problems.within(
            &at.key("max_age"),
            &self.max_age,
            length(Duration::from_secs(1))..=length(Duration::from_hours(7 * 24)),
        );
        let least = length(Duration::from_millis(1));
        problems.within(
            &at.key("longest_retry"),
            &self.longest_retry,
            least..=length(Duration::from_hours(1)),
        );
        problems.within(&at.key("first_retry"), &self.first_retry, least..=self.longest_retry.max(least));
    }
}
