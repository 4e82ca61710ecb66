//! How alerts are routed, grouped, delivered and remembered.
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use bellwether_core::HumanDuration;
use bellwether_core::config::{ConfigPath, Problems, Validate};

use crate::engine::EngineSettings;
use crate::{ChannelName, MemoryAlertHistory, ReceiverName};

mod delivery;
#[cfg(feature = "serde")]
mod reference;
mod routes;

pub use self::delivery::{BreakerConfig, DeliveryConfig, RateConfig};
pub use self::routes::{ReceiverConfig, RouteConfig};

/// The section `alerts` of a configuration. The default sends every alert to every channel.
///
/// ```
/// use bellwether_alerts::config::AlertsConfig;
/// use bellwether_core::config::Loader;
///
/// let text = r#"
///     [route]
///     receiver = "desk"
///     group_by = ["alertname"]
///     [[route.routes]]
///     matchers = ['severity="critical"']
///     receiver = "pager"
///     group_wait = "0s"
/// "#;
/// let config: AlertsConfig = Loader::text("alerts.toml", text).load()?;
/// assert_eq!(config.route.map(|root| root.routes.len()), Some(1));
/// # Ok::<(), bellwether_core::config::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
pub struct AlertsConfig {
    /// Who is told of which alerts. Without it every alert goes to every channel, grouped by `alertname`.
    pub route: Option<RouteConfig>,
    /// Receivers of several channels. A receiver that is not listed here is the channel of that name.
    pub receivers: BTreeMap<ReceiverName, ReceiverConfig>,
    /// How often rules are judged. Default 15 s; 1 ms to 1 day.
    pub evaluation_interval: HumanDuration,
    /// How long an alert that is raised without an end lives unless it is raised again; it lives until it is resolved if not said.
    /// 1 s to 30 days.
    pub resolve_timeout: Option<HumanDuration>,
    /// Most alerts that fire at a time. Beyond it the mildest give way. Default 10,000; 1 to 1,000,000.
    pub max_alerts: u32,
    /// Most groups at a time. Beyond it alerts of one route are told together. Default 1,000; 1 to 100,000.
    pub max_groups: u32,
    /// Most raised alerts that wait to be taken up. Beyond it the mildest give way. Default 1,024; 16 to 65,536.
    pub max_raised: u32,
    /// Most deliveries that wait in memory, where nothing else remembers them. Default 10,000; 1 to 1,000,000.
    pub max_pending: u32,
    /// Most changes that the history in memory keeps. Default 1,000; 1 to 10,000,000.
    pub max_history: u32,
    /// How long the history in memory keeps changes. Default 30 days; 1 s to 10 years.
    pub history_age: HumanDuration,
    /// How every channel is sent to, unless `channels` says otherwise.
    pub delivery: DeliveryConfig,
    /// How single channels are sent to; all of `delivery` is then said anew.
    pub channels: BTreeMap<ChannelName, DeliveryConfig>,
}

impl Default for AlertsConfig {
    fn default() -> Self {
        Self {
            route: None,
            receivers: BTreeMap::new(),
            evaluation_interval: HumanDuration::new(Duration::from_secs(15)),
            resolve_timeout: None,
            max_alerts: EngineSettings::DEFAULT_MAX_ALERTS,
            max_groups: EngineSettings::DEFAULT_MAX_GROUPS,
            max_raised: 1_024,
            max_pending: 10_000,
            max_history: MemoryAlertHistory::DEFAULT_CAPACITY as u32,
            history_age: HumanDuration::new(MemoryAlertHistory::DEFAULT_MAX_AGE),
            delivery: DeliveryConfig::default(),
            channels: BTreeMap::new(),
        }
    }
}

const fn seconds(seconds: u64) -> HumanDuration {
    HumanDuration::new(Duration::from_secs(seconds))
}

const fn millis(millis: u64) -> HumanDuration {
    HumanDuration::new(Duration::from_millis(millis))
}

const DAY: u64 = 86_400;

impl Validate for AlertsConfig {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        if let Some(route) = &self.route {
            route.validate_root(&at.key("route"), problems);
        }
        self.receivers.validate(&at.key("receivers"), problems);
        problems.within(&at.key("evaluation_interval"), &self.evaluation_interval, millis(1)..=seconds(DAY));
        if let Some(timeout) = &self.resolve_timeout {
            problems.within(&at.key("resolve_timeout"), timeout, seconds(1)..=seconds(30 * DAY));
        }
        problems.within(&at.key("max_alerts"), &self.max_alerts, 1..=1_000_000);
        problems.within(&at.key("max_groups"), &self.max_groups, 1..=100_000);
        problems.within(&at.key("max_raised"), &self.max_raised, 16..=65_536);
        problems.within(&at.key("max_pending"), &self.max_pending, 1..=1_000_000);
        problems.within(&at.key("max_history"), &self.max_history, 1..=10_000_000);
        problems.within(&at.key("history_age"), &self.history_age, seconds(1)..=seconds(3_653 * DAY));
        self.delivery.validate(&at.key("delivery"), problems);
        self.channels.validate(&at.key("channels"), problems);
    }
}

impl AlertsConfig {
    /// Adds every name that no channel and no receiver has, with its path.
    pub fn validate_names(&self, channels: &[ChannelName], at: &ConfigPath, problems: &mut Problems) {
        let known_channel = |name: &str| channels.iter().any(|channel| *channel == *name);
        if let Some(route) = &self.route {
            let known =
                |name: &ReceiverName| self.receivers.contains_key(name) || known_channel(name.as_str());
            let names = Names(
                channels
                    .iter()
                    .map(ChannelName::as_str)
                    .chain(self.receivers.keys().map(ReceiverName::as_str))
                    .collect(),
            );
            route.validate_names(&known, &names, &at.key("route"), problems);
        }
        let names = Names(channels.iter().map(ChannelName::as_str).collect());
        for (receiver, config) in &self.receivers {
            for (index, channel) in config.channels.iter().enumerate() {
                let at = at.key("receivers").key(receiver.as_str()).key("channels").index(index);
                problems.require(&at, known_channel(channel.as_str()), no_such(channel.as_str(), &names));
            }
        }
        for channel in self.channels.keys() {
            let at = at.key("channels").key(channel.as_str());
            problems.require(&at, known_channel(channel.as_str()), no_such(channel.as_str(), &names));
        }
    }

    /// What the engine needs of it.
    pub fn engine_settings(&self) -> EngineSettings {
        EngineSettings {
            max_alerts: self.max_alerts,
            max_groups: self.max_groups,
            resolve_timeout: self.resolve_timeout.map(HumanDuration::get),
        }
    }
}

/// Names that exist, for messages.
struct Names<'a>(Vec<&'a str>);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        match self.0.len() {
            0 => f.write_str("there is none"),
            all if all > SHOWN => {
                write!(f, "known are {} and {} more", self.0[..SHOWN].join(", "), all - SHOWN)
            }
            _ => write!(f, "known are {}", self.0.join(", ")),
        }
    }
}

fn no_such(name: &str, names: &Names<'_>) -> String {
    format!("no channel named {name:?}; {names}")
}
