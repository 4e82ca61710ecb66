//! Stores of secrets that a host brings along.

use std::fmt;
use std::sync::Arc;

use super::Secret;

/// A store of secrets that a host brings along: a vault, a cloud's secrets manager, a table for tests.
pub trait SecretProvider: Send + Sync {
    /// The name that configuration uses: `{ provider = "vault", ... }`.
    fn name(&self) -> &str;

    /// The secret that is called `key`.
    ///
    /// Called while the parts are built, not later; it may block. A host whose store is asynchronous fetches
    /// first and answers from memory. The error must not contain the secret.
    fn secret(&self, key: &str) -> Result<Secret, SecretProviderError>;
}

/// Why a [`SecretProvider`] has no answer, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SecretProviderError {
    reason: String,
}

impl SecretProviderError {
    /// A reason, without the secret: `no secret of this name`.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

/// The providers of a host, by name. The last one of a name counts.
#[derive(Clone, Default)]
pub struct SecretProviders(Vec<Arc<dyn SecretProvider>>);

impl SecretProviders {
    /// None: only the environment and files answer.
    pub fn none() -> Self {
        Self::default()
    }

    /// These and one more.
    #[must_use]
    pub fn with(mut self, provider: Arc<dyn SecretProvider>) -> Self {
        self.0.retain(|other| other.name() != provider.name());
        self.0.push(provider);
        self
    }

    pub(super) fn get(&self, name: &str) -> Option<&dyn SecretProvider> {
        self.0.iter().find(|provider| provider.name() == name).map(|provider| &**provider)
    }
}

impl fmt::Debug for SecretProviders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|provider| provider.name())).finish()
    }
}
