//! A web server on this machine, and the webhook that posts to it.
use bellwether_channels::WebhookConfig;
use bellwether_core::{MaskedUrl, UrlSource};
use serde_json::Value;

pub(crate) use bellwether_http::testing::{Received, Reply, Server};

/// What a webhook is to a server.
pub(crate) trait Hook {
    /// The settings of a webhook that posts to it.
    fn config(&self) -> WebhookConfig;
}

impl Hook for Server {
    fn config(&self) -> WebhookConfig {
        WebhookConfig::new(UrlSource::Plain(MaskedUrl::parse(self.url()).unwrap()))
    }
}

/// A body as JSON.
pub(crate) trait Json {
    /// Read whole.
    fn json(&self) -> Value;
}

impl Json for Received {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}
