//! All channels of a host, as a configuration names them.
use std::collections::{BTreeMap, BTreeSet};

use bellwether_alerts::{AlertChannel, ChannelName, Notification, Receipt, SendError, async_trait};
use bellwether_core::config::{ConfigPath, Problems, Validate};
use bellwether_core::{SecretProviders, SharedClock};
use serde::{Deserialize, Serialize};

use crate::{Console, ConsoleConfig, JsonLinesConfig, JsonLinesError, JsonLinesFile};
#[cfg(feature = "webhook")]
use crate::{Webhook, WebhookConfig, WebhookError};

/// The section `channels` of a configuration: the channels by kind and name.
///
/// ```
/// use bellwether_channels::ChannelsConfig;
/// use bellwether_core::config::Loader;
///
/// let text = r#"
///     [console.screen]
///     stream = "stdout"
///
///     [file.audit]
///     path = "alerts.jsonl"
///
///     [webhook.desk]
///     url = "https://hooks.example.com/desk"
///     signing_keys = [{ env = "DESK_HOOK_KEY" }]
/// "#;
/// let config: ChannelsConfig = Loader::text("channels.toml", text).load()?;
/// assert_eq!(config.file.len(), 1);
/// # Ok::<(), bellwether_core::config::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ChannelsConfig {
    /// Consoles.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub console: BTreeMap<ChannelName, ConsoleConfig>,
    /// JSON-lines files.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub file: BTreeMap<ChannelName, JsonLinesConfig>,
    /// Webhooks.
    #[cfg(feature = "webhook")]
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub webhook: BTreeMap<ChannelName, WebhookConfig>,
}

/// A channel of any kind, as a configuration names it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Channel {
    /// A console.
    Console(Console),
    /// A JSON-lines file.
    File(JsonLinesFile),
    /// A webhook.
    #[cfg(feature = "webhook")]
    Webhook(Webhook),
}

/// Why a channel cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// A JSON-lines file.
    #[error(transparent)]
    File(#[from] JsonLinesError),
    /// A webhook.
    #[cfg(feature = "webhook")]
    #[error(transparent)]
    Webhook(#[from] WebhookError),
}

impl ChannelsConfig {
    /// The names of all channels, sorted, for the check of routes and receivers.
    pub fn names(&self) -> Vec<ChannelName> {
        let mut names: Vec<_> = self.by_kind().map(|(_, name)| name.clone()).collect();
        names.sort();
        names
    }

    /// Builds every channel, each by itself: one that cannot be built does not keep the others from it.
    ///
    /// Each result is what `AlertsBuilder::channel_or_reason` takes. Blocks while it opens files and reads secrets.
    pub fn build(
        &self,
        clock: &SharedClock,
        secrets: &SecretProviders,
    ) -> Vec<(ChannelName, Result<Channel, ChannelError>)> {
        let mut built = Vec::new();
        for (name, config) in &self.console {
            built.push((name.clone(), Ok(Channel::Console(Console::new(name.clone(), config)))));
        }
        for (name, config) in &self.file {
            let file = JsonLinesFile::new(name.clone(), config.clone());
            built.push((name.clone(), file.map(Channel::File).map_err(ChannelError::from)));
        }
        #[cfg(feature = "webhook")]
        for (name, config) in &self.webhook {
            let hook = Webhook::with_secrets(name.clone(), config.clone(), clock, secrets);
            built.push((name.clone(), hook.map(Channel::Webhook).map_err(ChannelError::from)));
        }
        #[cfg(not(feature = "webhook"))]
        let _ = (clock, secrets);
        built
    }

    /// Kind and name of every channel.
    fn by_kind(&self) -> impl Iterator<Item = (&'static str, &ChannelName)> {
        let local = self.console.keys().map(|name| ("console", name));
        let local = local.chain(self.file.keys().map(|name| ("file", name)));
        #[cfg(feature = "webhook")]
        let local = local.chain(self.webhook.keys().map(|name| ("webhook", name)));
        local
    }
}

impl Channel {
    fn any(&self) -> &dyn AlertChannel {
        match self {
            Self::Console(channel) => channel,
            Self::File(channel) => channel,
            #[cfg(feature = "webhook")]
            Self::Webhook(channel) => channel,
        }
    }
}

#[async_trait]
impl AlertChannel for Channel {
    fn name(&self) -> &ChannelName {
        self.any().name()
    }

    fn enabled(&self) -> bool {
        self.any().enabled()
    }

    async fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
        self.any().send(notification).await
    }

    async fn close(&self) -> Result<(), SendError> {
        self.any().close().await
    }
}

impl Validate for ChannelsConfig {
    fn validate(&self, at: &ConfigPath, problems: &mut Problems) {
        self.console.validate(&at.key("console"), problems);
        self.file.validate(&at.key("file"), problems);
        #[cfg(feature = "webhook")]
        self.webhook.validate(&at.key("webhook"), problems);
        let mut seen = BTreeSet::new();
        for (kind, name) in self.by_kind() {
            let at = at.key(kind).key(name.as_str());
            problems.require(&at, seen.insert(name), format!("there is another channel named {name}"));
        }
    }
}
