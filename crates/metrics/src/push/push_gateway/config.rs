//! The settings of a push gateway.
use std::collections::BTreeMap;
use std::time::Duration;

use bellwether_core::config::{ConfigPath, Problems, Validate};
use bellwether_core::{HumanDuration, LabelName, UrlSource};
use bellwether_http::ClientConfig;

use crate::push::{check_interval, check_name};

/// What a push does to what the gateway has of the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Replace {
    /// All of it gives way: `PUT`.
    #[default]
    Group,
    /// Only metrics of the same names give way: `POST`.
    Metrics,
}

/// What becomes of the group at the end of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum AtEnd {
    /// The figures are pushed once more, and stay: right for a job that runs and ends.
    #[default]
    Keep,
    /// The group is deleted: right for a service, whose last figures would look alive for ever.
    Delete,
}

/// The settings of [`PushGateway`](super::PushGateway).
///
/// ```toml
/// target = { url = "http://localhost:9091" }
/// job = "end_of_day"
/// grouping = { desk = "index" }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct PushGatewayConfig {
    /// Where the gateway is; `/metrics/job/...` is put behind it.
    pub target: ClientConfig,
    /// The job; not empty.
    pub job: String,
    /// The other labels of the group; they take the place of labels of the same name.
    #[cfg_attr(feature = "serde", serde(default))]
    pub grouping: BTreeMap<String, String>,
    /// What a push does to what is there. Default: `group`.
    #[cfg_attr(feature = "serde", serde(default))]
    pub replace: Replace,
    /// What becomes of it at the end. Default: `keep`.
    #[cfg_attr(feature = "serde", serde(default))]
    pub at_end: AtEnd,
    /// What it is called in figures and tasks. Default: `push_gateway`; 1 to 64 bytes.
    #[cfg_attr(feature = "serde", serde(default = "name"))]
    pub name: String,
    /// How often figures are pushed. Default: 15 s; 1 s to 1 h.
    #[cfg_attr(feature = "serde", serde(default = "interval"))]
    pub interval: HumanDuration,
}

fn name() -> String {
    "push_gateway".to_owned()
}

fn interval() -> HumanDuration {
    HumanDuration::new(Duration::from_secs(15))
}

impl PushGatewayConfig {
    /// The defaults, for the gateway at this URL. The fields can be set.
    pub fn new(url: UrlSource, job: impl Into<String>) -> Self {
        Self {
            target: ClientConfig::new(url),
            job: job.into(),
            grouping: BTreeMap::new(),
            replace: Replace::default(),
            at_end: AtEnd::default(),
            name: name(),
            interval: interval(),
        }
    }
}

impl Validate for PushGatewayConfig {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        self.target.validate(&at.key("target"), problems);
        check_name(&self.name, at, problems);
        check_interval(self.interval, at, problems);
        problems.require(&at.key("job"), !self.job.is_empty(), "is empty: the gateway wants one");
        let grouping = at.key("grouping");
        for name in self.grouping.keys() {
            let at = grouping.key(name);
            match name.parse::<LabelName>() {
                Ok(_) => problems.require(&at, name != "job", "is said by job"),
                Err(error) => problems.push(&at, error.to_string()),
            }
        }
    }
}
