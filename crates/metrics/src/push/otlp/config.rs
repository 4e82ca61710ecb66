//! The settings of OTLP.
use std::collections::BTreeMap;
use std::time::Duration;

use bellwether_core::config::{ConfigPath, Problems, Validate};
use bellwether_core::{HumanDuration, UrlSource};
use bellwether_http::ClientConfig;

use crate::push::{check_interval, check_name};

/// Most attributes of the resource.
const MAX_ATTRIBUTES: usize = 64;

/// The settings of [`Otlp`](super::Otlp).
///
/// ```toml
/// target = { url = "https://otlp.example.com/v1/metrics", headers = { "api-key" = { env = "OTLP_KEY" } } }
/// service_name = "index-desk"
/// attributes = { "deployment.environment.name" = "production" }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct OtlpConfig {
    /// Where figures go: the whole URL, which by custom ends in `/v1/metrics`.
    pub target: ClientConfig,
    /// Who tells them: the attribute `service.name` of the resource.
    pub service_name: String,
    /// Other attributes of the resource; at most 64.
    #[cfg_attr(feature = "serde", serde(default))]
    pub attributes: BTreeMap<String, String>,
    /// What it is called in figures and tasks. Default: `otlp`; 1 to 64 bytes.
    #[cfg_attr(feature = "serde", serde(default = "name"))]
    pub name: String,
    /// How often figures are sent. Default: 15 s; 1 s to 1 h.
    #[cfg_attr(feature = "serde", serde(default = "interval"))]
    pub interval: HumanDuration,
    /// Most points of one request. Default: 5,000; 1 to 100,000.
    #[cfg_attr(feature = "serde", serde(default = "max_points_per_request"))]
    pub max_points_per_request: usize,
}

fn name() -> String {
    "otlp".to_owned()
}

fn interval() -> HumanDuration {
    HumanDuration::new(Duration::from_secs(15))
}

fn max_points_per_request() -> usize {
    5_000
}

impl OtlpConfig {
    /// The defaults, for the receiver at this URL. The fields can be set.
    pub fn new(url: UrlSource, service_name: impl Into<String>) -> Self {
        Self {
            target: ClientConfig::new(url),
            service_name: service_name.into(),
            attributes: BTreeMap::new(),
            name: name(),
            interval: interval(),
            max_points_per_request: max_points_per_request(),
        }
    }
}

impl Validate for OtlpConfig {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        self.target.validate(&at.key("target"), problems);
        check_name(&self.name, at, problems);
        check_interval(self.interval, at, problems);
        problems.within(&at.key("max_points_per_request"), &self.max_points_per_request, 1..=100_000);
        problems.require(
            &at.key("service_name"),
            !self.service_name.is_empty(),
            "is empty: say who tells the figures",
        );
        let attributes = at.key("attributes");
        let count = self.attributes.len();
        problems.require(
            &attributes,
            count <= MAX_ATTRIBUTES,
            format!("{count} are more than {MAX_ATTRIBUTES}"),
        );
        for key in self.attributes.keys() {
            let at = attributes.key(key);
            problems.require(&at, !key.is_empty(), "is a name without letters");
            problems.require(&at, key != "service.name", "is said by service_name");
        }
    }
}
